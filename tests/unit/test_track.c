/* One track: what is kept of it over a restart and a reload. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "bgpd/announce/track.h"

enum {
	S = 1000,
	NOW = 100 * S
};

static const struct track_conf probe = { .key = "probe",
	.rise = 2,
	.fall = 3,
	.due_ms = 10 * S,
	.keep_ms = 20 * S };
static const struct track_conf lease = { .key = "lease", .lease_ms = 60 * S };

/* Two bad ones before the restart, and one behind it. */
static void
test_restored_probe(void **state)
{
	struct track t;

	track_init(&t, &probe, NOW);
	track_restore(&t, TRACK_UP, -5 * S, 7, 2, 0, NOW);
	assert_false(t.confirmed);
	assert_int_equal(t.since_ms, -5 * S);
	/* It is waited for, as for any result. */
	assert_int_equal(track_next(&t),
	    TRACK_SETTLE_MS < 10 * S ? NOW + TRACK_SETTLE_MS : NOW + 10 * S);
	assert_true(track_result(&t, false, "bad", NOW + S));
	assert_int_equal(t.state, TRACK_DOWN);
	assert_int_equal(t.flaps, 8);
	assert_int_equal(t.since_ms, NOW + S);
	assert_true(t.confirmed);
	track_fini(&t);
}

/* Nothing comes: overdue, and down when that is over. */
static void
test_restored_and_silent(void **state)
{
	struct track t;

	track_init(&t, &probe, NOW);
	track_restore(&t, TRACK_UP, 0, 0, 0, 0, NOW);
	assert_false(track_run(&t, NOW + 9 * S));
	assert_false(t.overdue);
	assert_false(track_run(&t, NOW + 10 * S));
	assert_true(t.overdue);
	assert_false(track_run(&t, NOW + 29 * S));
	assert_true(track_run(&t, NOW + 30 * S));
	assert_int_equal(t.state, TRACK_DOWN);
	track_fini(&t);
}

/* The rest of the lease, and never more than a whole one. */
static void
test_restored_lease(void **state)
{
	static const uint64_t left[] = { 5 * S, 500 * S };
	struct track t;

	for (int i = 0; i < 2; i++) {
		uint64_t end = NOW + (i == 0 ? 5 * S : 60 * S);

		track_init(&t, &lease, NOW);
		track_restore(&t, TRACK_UP, 0, 0, 0, left[i], NOW);
		assert_true(t.confirmed);
		assert_int_equal(track_next(&t), end);
		assert_false(track_run(&t, end - 1));
		assert_true(track_run(&t, end));
		assert_int_equal(t.state, TRACK_DOWN);
		track_fini(&t);
	}
}

static void
test_other_numbers(void **state)
{
	struct track_conf c = probe;
	struct track t;

	track_init(&t, &probe, NOW);
	assert_true(track_result(&t, true, "good", NOW));
	c.key = "of the caller";
	c.fall = 1;
	track_set_conf(&t, &c);
	assert_int_equal(t.state, TRACK_UP);
	assert_string_equal(t.conf.key, "probe");
	assert_true(track_result(&t, false, "bad", NOW + S));
	track_fini(&t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_restored_probe),
		cmocka_unit_test(test_restored_and_silent),
		cmocka_unit_test(test_restored_lease),
		cmocka_unit_test(test_other_numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
