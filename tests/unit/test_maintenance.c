/* The steps of a maintenance: every way on, and the way back from each. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "bgpd/announce/maintenance.h"

static const struct maint_conf conf = {
	.drain_ms = 60000, .wait_ms = 600000, .below_bps = 1000
};
static const struct maint_facts busy = { .rated = true, .bps = 1000 },
				quiet = { .rated = true, .bps = 999 },
				unknown = { 0 }, told = { .told = true },
				back = { .back = true };

enum {
	BEGIN = 1000000
};

static struct maint m;
static uint64_t now;

static bool
run(const struct maint_facts *f, uint64_t later)
{
	now += later;
	return maint_run(&m, &conf, f, now);
}

/* Up to the state, by the fastest way there. */
static void
go(enum maint_state s)
{
	now = BEGIN;
	m = (struct maint){ 0 };
	if (s == MAINT_IDLE)
		return;
	maint_start(&m, &conf, MAINT_NEVER, now);
	if (s == MAINT_UNDOING)
		assert_true(maint_stop(&m, now));
	if (s >= MAINT_WAITING && s < MAINT_UNDOING)
		assert_true(run(&busy, conf.drain_ms));
	if (s >= MAINT_STOPPING && s < MAINT_UNDOING) {
		assert_false(run(&quiet, 0));
		assert_true(run(&quiet, MAINT_QUIET_MS));
	}
	if (s == MAINT_STOPPED)
		assert_true(run(&told, 0));
	assert_int_equal(m.state, s);
	assert_int_equal(m.since_ms, now);
}

static void
means(bool drains, bool withdraws, bool holds)
{
	assert_int_equal(maint_drains(&m), drains);
	assert_int_equal(maint_withdraws(&m), withdraws);
	assert_int_equal(maint_holds(&m), holds);
}

static void
test_way(void **state)
{
	go(MAINT_IDLE);
	means(false, false, false);
	assert_false(run(&told, 1000000));
	go(MAINT_DRAINING);
	means(true, false, false);
	/* Not before its time, whatever the traffic. */
	assert_false(run(&quiet, conf.drain_ms - 1));
	assert_true(run(&quiet, 1));
	assert_int_equal(m.state, MAINT_WAITING);
	assert_int_equal(m.why, MAINT_BY_TIME);
	assert_int_equal(m.until_ms, BEGIN + conf.drain_ms + conf.wait_ms);
	means(true, false, false);
	go(MAINT_STOPPING);
	assert_int_equal(m.why, MAINT_BY_TRAFFIC);
	means(true, true, false);
	assert_false(run(&unknown, MAINT_TELL_MS - 1));
	assert_true(run(&told, 0));
	assert_int_equal(m.state, MAINT_STOPPED);
	assert_int_equal(m.why, MAINT_BY_DONE);
	means(true, true, true);
	assert_false(run(&told, 10u * 86400 * 1000));
	assert_true(maint_stop(&m, now));
	assert_int_equal(m.state, MAINT_UNDOING);
	means(true, false, false);
	assert_false(run(&unknown, MAINT_BACK_MS - 1));
	assert_true(run(&back, 0));
	assert_int_equal(m.state, MAINT_IDLE);
	assert_int_equal(m.why, MAINT_BY_DONE);
	means(false, false, false);
}

/* Low, and for a while; one look above it begins anew. */
static void
test_traffic(void **state)
{
	go(MAINT_WAITING);
	assert_false(run(&busy, 1000));
	assert_false(run(&quiet, 1000));
	assert_false(run(&quiet, MAINT_QUIET_MS - 1));
	assert_false(run(&busy, 1));
	assert_false(run(&quiet, 1));
	/* What is not known is not low. */
	assert_false(run(&unknown, 1));
	assert_false(run(&quiet, 1));
	assert_false(run(&quiet, MAINT_QUIET_MS - 1));
	assert_true(run(&quiet, 1));
	assert_int_equal(m.state, MAINT_STOPPING);
	assert_int_equal(m.why, MAINT_BY_TRAFFIC);
}

/* Each step that waits for something has an end. */
static void
test_deadlines(void **state)
{
	go(MAINT_WAITING);
	assert_false(run(&busy, conf.wait_ms - 2));
	assert_false(run(&quiet, 1));
	assert_true(run(&quiet, 1));
	assert_int_equal(m.state, MAINT_STOPPING);
	assert_int_equal(m.why, MAINT_BY_TIME);
	go(MAINT_STOPPING);
	assert_true(run(&unknown, MAINT_TELL_MS));
	assert_int_equal(m.state, MAINT_STOPPED);
	assert_int_equal(m.why, MAINT_BY_TIME);
	go(MAINT_UNDOING);
	assert_true(run(&unknown, MAINT_BACK_MS));
	assert_int_equal(m.state, MAINT_IDLE);
	assert_int_equal(m.why, MAINT_BY_TIME);
}

/* A command leads back from each step, and from there on again. */
static void
test_back_from_each(void **state)
{
	for (int s = MAINT_DRAINING; s <= MAINT_STOPPED; s++) {
		go((enum maint_state)s);
		assert_true(maint_stop(&m, now));
		assert_int_equal(m.state, MAINT_UNDOING);
		assert_int_equal(m.why, MAINT_BY_COMMAND);
		means(true, false, false);
		assert_false(maint_stop(&m, now));
		maint_start(&m, &conf, MAINT_NEVER, now);
		assert_int_equal(m.state, MAINT_DRAINING);
		assert_int_equal(m.until_ms, now + conf.drain_ms);
	}
	go(MAINT_IDLE);
	assert_false(maint_stop(&m, now));
}

/* The end of the whole, in each step; a second start only moves it. */
static void
test_end(void **state)
{
	for (int s = MAINT_DRAINING; s <= MAINT_STOPPED; s++) {
		go((enum maint_state)s);
		maint_start(&m, &conf, now + 50, now);
		assert_int_equal(m.state, s);
		assert_false(run(&busy, 49));
		assert_true(run(&busy, 1));
		assert_int_equal(m.state, MAINT_UNDOING);
		assert_int_equal(m.why, MAINT_BY_END);
		/* Only once. */
		assert_false(run(&busy, 1));
	}
	go(MAINT_STOPPED);
	maint_start(&m, &conf, now + 50, now);
	maint_start(&m, &conf, MAINT_NEVER, now);
	assert_false(run(&busy, 1000000));
}

/* A new process goes on; what stopped sessions does not start them. */
static void
test_restore(void **state)
{
	static const enum maint_state to[MAINT_N] = {
		[MAINT_IDLE] = MAINT_IDLE,
		[MAINT_DRAINING] = MAINT_DRAINING,
		[MAINT_WAITING] = MAINT_WAITING,
		[MAINT_STOPPING] = MAINT_STOPPED,
		[MAINT_STOPPED] = MAINT_STOPPED,
		[MAINT_UNDOING] = MAINT_UNDOING,
	};
	struct maint was;

	for (int s = 0; s < MAINT_N; s++) {
		go((enum maint_state)s);
		was = m;
		was.end_ms = now + 70;
		m = (struct maint){ 0 };
		maint_restore(&m, &was, now + 5);
		assert_int_equal(m.state, to[s]);
		assert_int_equal(m.end_ms, now + 70);
		if (to[s] == (enum maint_state)s)
			assert_int_equal(m.until_ms, was.until_ms);
		else
			assert_int_equal(m.until_ms, MAINT_NEVER);
	}
}

static void
test_names(void **state)
{
	for (int s = 0; s < MAINT_N; s++)
		assert_int_equal(
		    maint_state_find(maint_state_name((enum maint_state)s)), s);
	assert_int_equal(maint_state_find("stoped"), MAINT_N);
	assert_string_equal(maint_state_name(MAINT_N), "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_way),
		cmocka_unit_test(test_traffic),
		cmocka_unit_test(test_deadlines),
		cmocka_unit_test(test_back_from_each),
		cmocka_unit_test(test_end),
		cmocka_unit_test(test_restore),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
