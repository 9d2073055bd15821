#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "bgpd/fibsync.h"

static void
weights(size_t n, const uint32_t *speed, const uint8_t *want)
{
	struct fib_nh nh[FIB_SET_NH] = { { { 0 } } };

	for (size_t i = 0; i < n; i++)
		nh[i].weight = 1;
	fibsync_weigh(nh, speed, n);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(nh[i].weight, want[i]);
}

static void
test_weights(void **state)
{
	weights(2, (uint32_t[]){ 10000, 10000 }, (uint8_t[]){ 1, 1 });
	weights(2, (uint32_t[]){ 10000, 100000 }, (uint8_t[]){ 1, 10 });
	weights(
	    3, (uint32_t[]){ 40000, 100000, 25000 }, (uint8_t[]){ 8, 20, 5 });
	/* One is not known: nobody's share may be a guess. */
	weights(2, (uint32_t[]){ 10000, 0 }, (uint8_t[]){ 1, 1 });
	weights(2, (uint32_t[]){ 0, 10000 }, (uint8_t[]){ 1, 1 });
	/* More than an octet tells. */
	weights(2, (uint32_t[]){ 400000, 10 }, (uint8_t[]){ 255, 1 });
	weights(2, (uint32_t[]){ 10007, 10009 }, (uint8_t[]){ 254, 255 });
}

static struct pfx
pfx(unsigned int i)
{
	struct pfx p = { .addr = addr_v4(62u << 24 | i << 8), .len = 24 };

	return p;
}

/* A backend that only counts what it is asked. */
struct asked {
	struct fib fib;
	unsigned int sets, routes, removed;
	struct pfx last;
};

static int
count_set(struct fib *f, uint32_t set, const struct fib_nh *nh, size_t n)
{
	((struct asked *)(void *)f)->sets++;
	return 0;
}

static int
count_route(struct fib *f, const struct pfx *p, uint32_t set)
{
	struct asked *a = (struct asked *)(void *)f;

	a->last = *p;
	a->routes++;
	return 0;
}

static int
count_removed(struct fib *f, const struct pfx *p)
{
	((struct asked *)(void *)f)->removed++;
	return 0;
}

static const struct fib_ops ops = {
	.nhset = count_set, .replace = count_route, .remove = count_removed
};

static void
test_drift(void **state)
{
	struct asked a = { .fib = { .ops = &ops } };
	struct fibsync *fs = fibsync_new();
	struct fib_nh nh = { .addr = addr_v4(1), .ifindex = 1, .weight = 1 };
	struct fibsync_stats st;
	struct pfx p = pfx(1);

	assert_null(fibsync_drift_at(fs, 0));
	/* One that waits and then is there is no drift. */
	fibsync_want(fs, &p, &nh, 1, 0);
	assert_false(fibsync_run(fs, &a.fib, 10));
	fibsync_done(fs, &p, false, 100, "no next hop can be used");
	assert_false(fibsync_told(fs, &p, FIB_PUTBACK, 5));
	/* From now on it is installed, and somebody meddles. */
	assert_true(fibsync_told(fs, &p, FIB_CHANGED, 6));
	assert_true(fibsync_told(fs, &p, FIB_CONFLICT, 7));
	assert_false(fibsync_told(fs, &p, FIB_PUTBACK, 8));
	fibsync_get_stats(fs, &st);
	assert_int_equal(st.drift[FAM_INET], 1);
	assert_int_equal(st.conflicts, 1);
	assert_int_equal(fibsync_drift_at(fs, 0)->at_s, 7);
	assert_int_equal(fibsync_drift_at(fs, 1)->what, FIB_CHANGED);
	assert_null(fibsync_drift_at(fs, 2));
	/* The oldest go first. */
	for (unsigned int i = 0; i < 2 * FIBSYNC_DRIFTS; i++)
		assert_true(fibsync_told(fs, &p, FIB_CHANGED, 100 + i));
	for (unsigned int i = 0; i < FIBSYNC_DRIFTS; i++)
		assert_int_equal(fibsync_drift_at(fs, i)->at_s,
		    100 + 2 * FIBSYNC_DRIFTS - 1 - (int)i);
	assert_null(fibsync_drift_at(fs, FIBSYNC_DRIFTS));
	fibsync_free(fs);
}

/* A set that was refused is asked for again, and its routes with it. */
static void
test_refused_set(void **state)
{
	struct asked a = { .fib = { .ops = &ops } };
	struct fibsync *fs = fibsync_new();
	struct fib_nh nh = { .addr = addr_v4(1), .ifindex = 1, .weight = 1 };
	struct fibsync_stats st;
	struct pfx p = pfx(1), q = pfx(2);

	fibsync_want(fs, &p, &nh, 1, 0);
	assert_false(fibsync_run(fs, &a.fib, 10));
	assert_int_equal(a.sets, 1);
	assert_int_equal(a.routes, 1);
	fibsync_set_done(fs, 1, false, 22);
	fibsync_done(fs, &p, false, 22, "unknown next-hop set");
	assert_true(fibsync_refused(fs));
	/* Nothing is asked with it meanwhile. */
	fibsync_want(fs, &q, &nh, 1, 0);
	assert_false(fibsync_run(fs, &a.fib, 10));
	assert_int_equal(a.sets, 1);
	assert_int_equal(a.routes, 1);
	fibsync_get_stats(fs, &st);
	assert_int_equal(st.failed[FAM_INET], 2);
	fibsync_retry(fs);
	assert_false(fibsync_refused(fs));
	assert_false(fibsync_run(fs, &a.fib, 10));
	assert_int_equal(a.sets, 2);
	assert_int_equal(a.routes, 3);
	fibsync_set_done(fs, 1, false, 0);
	fibsync_done(fs, &p, false, 0, NULL);
	fibsync_done(fs, &q, false, 0, NULL);
	fibsync_get_stats(fs, &st);
	assert_int_equal(st.installed[FAM_INET], 2);
	assert_int_equal(st.failed[FAM_INET], 0);
	fibsync_free(fs);
}

/* The answer about a set that was told does not hide that the one that is
 * wanted was refused. */
static void
test_refused_change(void **state)
{
	struct asked a = { .fib = { .ops = &ops } };
	struct fibsync *fs = fibsync_new();
	struct fib_nh nh[2] = {
		{ .addr = addr_v4(1), .ifindex = 1, .weight = 1 },
		{ .addr = addr_v4(2), .ifindex = 2, .weight = 1 },
	};
	struct pfx p = pfx(1), q = pfx(2);
	struct fibsync_route r;

	fibsync_want(fs, &p, nh, 1, 0);
	fibsync_want(fs, &q, nh, 2, 0);
	assert_false(fibsync_run(fs, &a.fib, 10));
	fibsync_set_done(fs, 2, false, 22);
	fibsync_want(fs, &p, nh, 2, 0);
	assert_false(fibsync_run(fs, &a.fib, 10));
	fibsync_done(fs, &p, false, 0, NULL);
	assert_int_equal(fibsync_get(fs, &p, &r), FIBSYNC_FAILED);
	assert_false(fibsync_told(fs, &p, FIB_PUTBACK, 1));
	assert_int_equal(fibsync_get(fs, &p, &r), FIBSYNC_FAILED);
	assert_int_equal(a.routes, 2);
	fibsync_retry(fs);
	assert_false(fibsync_run(fs, &a.fib, 10));
	/* And the other, whose request is still to meet the refusal. */
	assert_int_equal(a.routes, 4);
	fibsync_done(fs, &p, false, 0, NULL);
	assert_int_equal(fibsync_get(fs, &p, &r), FIBSYNC_INSTALLED);
	fibsync_done(fs, &q, false, 2, "unknown next-hop set");
	assert_int_equal(fibsync_get(fs, &q, &r), FIBSYNC_PENDING);
	fibsync_done(fs, &q, false, 0, NULL);
	assert_int_equal(fibsync_get(fs, &q, &r), FIBSYNC_INSTALLED);
	fibsync_free(fs);
}

/* A next hop goes: one word about the set, none about its routes. */
static void
test_lost_next_hop(void **state)
{
	struct asked a = { .fib = { .ops = &ops } };
	struct fibsync *fs = fibsync_new();
	struct fib_nh nh[3] = {
		{ .addr = addr_v4(1), .ifindex = 1, .weight = 1 },
		{ .addr = addr_v4(2), .ifindex = 2, .weight = 1 },
		{ .addr = addr_v4(3), .ifindex = 3, .weight = 1 }
	};
	struct fibsync_route r;
	struct pfx p;

	for (unsigned int i = 0; i < 1000; i++) {
		p = pfx(i);
		fibsync_want(fs, &p, nh, 3, 0);
	}
	p = pfx(1000); /* a set that will be there already */
	fibsync_want(fs, &p, nh, 1, 0);
	assert_false(fibsync_run(fs, &a.fib, 2000));
	for (unsigned int i = 0; i <= 1000; i++) {
		p = pfx(i);
		fibsync_done(fs, &p, false, 0, NULL);
	}
	assert_true(fibsync_settled(fs));
	assert_int_equal(a.sets, 2);
	assert_int_equal(a.routes, 1001);
	/* Another link's, or nobody's. */
	fibsync_lost(fs, &nh[2].addr, 2);
	fibsync_lost(fs, &(struct addr){ .fam = FAM_NONE }, 3);
	assert_true(fibsync_settled(fs));
	fibsync_lost(fs, &nh[2].addr, 3);
	assert_false(fibsync_settled(fs));
	for (unsigned int i = 0; i < 1000; i++) {
		p = pfx(i);
		fibsync_want(fs, &p, nh, 2, 0);
	}
	assert_false(fibsync_run(fs, &a.fib, 2000));
	assert_true(fibsync_settled(fs));
	assert_int_equal(a.sets, 3);
	assert_int_equal(a.routes, 1001);
	p = pfx(7);
	assert_int_equal(fibsync_get(fs, &p, &r), FIBSYNC_INSTALLED);
	assert_int_equal(r.nnh, 2);
	/* A refusal of it is asked again, though no route asks. */
	fibsync_set_done(fs, 1, false, 22);
	fibsync_retry(fs);
	assert_false(fibsync_run(fs, &a.fib, 2000));
	assert_int_equal(a.sets, 4);
	assert_int_equal(a.routes, 1001);
	/* The set of the rest is there: then one by one. */
	fibsync_lost(fs, &nh[1].addr, 2);
	for (unsigned int i = 0; i < 1000; i++) {
		p = pfx(i);
		fibsync_want(fs, &p, nh, 1, 0);
	}
	assert_false(fibsync_run(fs, &a.fib, 2000));
	assert_int_equal(a.sets, 4);
	assert_int_equal(a.routes, 2001);
	fibsync_free(fs);
}

/* Many routes fail for a few reasons: each is kept once, but with its words. */
static void
test_why(void **state)
{
	struct asked a = { .fib = { .ops = &ops } };
	struct fibsync *fs = fibsync_new();
	struct fib_nh nh = { .addr = addr_v4(1), .ifindex = 1, .weight = 1 };
	struct fibsync_route r;
	struct pfx p;
	char text[32];

	for (unsigned int i = 0; i < 100; i++) {
		p = pfx(i);
		fibsync_want(fs, &p, &nh, 1, 0);
		fibsync_run(fs, &a.fib, 1);
		snprintf(text, sizeof text, "of kind %u", i < 40 ? i % 2 : i);
		fibsync_done(fs, &p, false, 22, text);
	}
	for (unsigned int i = 0; i < 100; i++) {
		p = pfx(i);
		assert_int_equal(fibsync_get(fs, &p, &r), FIBSYNC_FAILED);
		snprintf(text, sizeof text, "of kind %u", i < 40 ? i % 2 : i);
		/* Both of the forty, and sixty more: all have found room. */
		assert_int_equal(r.err, 22);
		assert_string_equal(r.text, text);
	}
	for (unsigned int i = 100; i < 200; i++) {
		p = pfx(i);
		fibsync_want(fs, &p, &nh, 1, 0);
		fibsync_run(fs, &a.fib, 1);
		snprintf(text, sizeof text, "of kind %u", i);
		fibsync_done(fs, &p, false, 22, text);
		assert_int_equal(fibsync_get(fs, &p, &r), FIBSYNC_FAILED);
		assert_int_not_equal(r.err, 0);
		assert_non_null(r.text);
	}
	/* Those that are over make room. */
	for (unsigned int i = 0; i < 200; i++) {
		p = pfx(i);
		fibsync_told(fs, &p, FIB_PUTBACK, 1);
		assert_int_equal(fibsync_get(fs, &p, &r), FIBSYNC_INSTALLED);
		assert_int_equal(r.err, 0);
		assert_null(r.text);
	}
	fibsync_told(fs, &p, FIB_CONFLICT, 1);
	fibsync_get(fs, &p, &r);
	assert_int_equal(r.err, 17);
	assert_non_null(r.text);
	fibsync_free(fs);
}

/* A change of another partner does not stand behind a table that loads. */
static void
test_lanes(void **state)
{
	enum {
		TABLE = 20000,
		BATCH = 64
	};
	struct asked a = { .fib = { .ops = &ops } };
	struct fibsync *fs = fibsync_new();
	struct fib_nh nh = { .addr = addr_v4(1), .ifindex = 1, .weight = 1 };
	struct fibsync_stats st;
	struct pfx p, own = pfx(TABLE), own6 = { .len = 32 };
	unsigned int own_at = 0, own6_at = 0;

	addr_parse("2001:db8::", &own6.addr);
	for (unsigned int i = 0; i < TABLE; i++) {
		p = pfx(i);
		fibsync_want(fs, &p, &nh, 1, 3);
	}
	for (int i = 0; i < 1000; i++)
		fibsync_run(fs, &a.fib, 1);
	fibsync_want(fs, &own, &nh, 1, 4);
	fibsync_want(fs, &own6, &nh, 1, 3);
	for (unsigned int i = 1; i <= TABLE + 2 - 1000; i++) {
		fibsync_run(fs, &a.fib, 1);
		assert_int_equal(a.routes, 1000 + i);
		if (pfx_eq(&a.last, &own))
			own_at = i;
		else if (pfx_eq(&a.last, &own6))
			own6_at = i;
	}
	assert_in_range(own_at, 1, BATCH + 2);
	assert_in_range(own6_at, 1, BATCH + 2);
	fibsync_get_stats(fs, &st);
	assert_int_equal(st.installed[FAM_INET], 0);
	assert_int_equal(st.pending, TABLE + 2);
	fibsync_free(fs);
}

/*
 * A table in ascending order is asked for with one prefix of sixteen first, and
 * its neighbors later; but what is marked again and again does not keep others
 * from their turn.
 */
static void
test_stripes(void **state)
{
	enum {
		TABLE = 4096
	};
	struct asked a = { .fib = { .ops = &ops } };
	struct fibsync *fs = fibsync_new();
	struct fib_nh one = { .addr = addr_v4(1), .ifindex = 1, .weight = 1 };
	struct fib_nh two = { .addr = addr_v4(2), .ifindex = 2, .weight = 1 };
	struct pfx p, low = { .len = 2 }, busy = pfx(TABLE);
	unsigned int bits = 0, seen = 0;

	low.addr = addr_v4(1u << 30);
	for (unsigned int i = 0; i < TABLE; i++) {
		p = pfx(i);
		fibsync_want(fs, &p, &one, 1, 3);
	}
	for (unsigned int i = 0; i < TABLE; i++) {
		fibsync_run(fs, &a.fib, 1);
		bits |= 1u << (a.last.addr.o[2] & 15);
		if (i % (TABLE / 16) == TABLE / 16 - 1) {
			assert_int_equal(bits & (bits - 1), 0);
			bits = 0;
		}
	}
	/* Shorter than the bits that are looked at. */
	fibsync_want(fs, &low, &one, 1, 3);
	fibsync_run(fs, &a.fib, 1);
	assert_true(pfx_eq(&a.last, &low));

	for (unsigned int i = 0; i < TABLE; i++) {
		p = pfx(i);
		fibsync_want(fs, &p, &two, 1, 3);
	}
	for (unsigned int i = 0; i < 2 * TABLE && seen < TABLE; i++) {
		fibsync_want(fs, &busy, i % 2 ? &one : &two, 1, 3);
		fibsync_run(fs, &a.fib, 1);
		seen += !pfx_eq(&a.last, &busy);
	}
	assert_int_equal(seen, TABLE);
	fibsync_free(fs);
}

/*
 * Nor does one of a prefix that waits with that table: its path came, and went
 * before the table was told.  However often that happens.
 */
static void
test_lane_changes(void **state)
{
	enum {
		TABLE = 20000,
		BATCH = 64
	};
	struct asked a = { .fib = { .ops = &ops } };
	struct fibsync *fs = fibsync_new();
	struct fib_nh one = { .addr = addr_v4(1), .ifindex = 1, .weight = 1 };
	struct fib_nh two = { .addr = addr_v4(2), .ifindex = 2, .weight = 1 };
	struct fib_nh three = { .addr = addr_v4(3), .ifindex = 3, .weight = 1 };
	struct pfx p, moved = pfx(TABLE - 1), gone = pfx(TABLE - 2);
	struct fibsync_stats st;
	unsigned int at = 0;
	size_t before;

	for (unsigned int i = 0; i < TABLE; i++) {
		p = pfx(i);
		fibsync_want(fs, &p, &one, 1, 3);
	}
	before = fibsync_memory(fs);
	for (int i = 0; i < 500000; i++) {
		fibsync_want(fs, &moved, &two, 1, 4);
		fibsync_want(fs, &moved, &one, 1, 3);
	}
	assert_in_range(fibsync_memory(fs), before, before + (2 << 20));
	/* All that was left behind is cleared away. */
	while (fibsync_run(fs, &a.fib, 4096))
		continue;
	assert_int_equal(a.routes, TABLE);
	for (unsigned int i = 0; i < TABLE; i++) {
		p = pfx(i);
		fibsync_done(fs, &p, false, 0, NULL);
		fibsync_want(fs, &p, &two, 1, 3);
	}
	a.routes = 0;
	a.last.addr.fam = FAM_NONE;
	fibsync_want(fs, &moved, &three, 1, 4);
	fibsync_want(fs, &gone, NULL, 0, 4);
	for (unsigned int i = 1; fibsync_run(fs, &a.fib, 1); i++)
		if (pfx_eq(&a.last, &moved))
			at = at != 0 ? at : i;
	assert_in_range(at, 1, BATCH + 1);
	assert_int_equal(a.routes, TABLE - 1);
	assert_int_equal(a.removed, 1);
	fibsync_get_stats(fs, &st);
	assert_int_equal(st.pending, TABLE);
	assert_int_equal(st.wanted[FAM_INET], TABLE - 1);
	for (unsigned int i = 0; i < TABLE; i++) {
		p = pfx(i);
		fibsync_done(fs, &p, pfx_eq(&p, &gone), 0, NULL);
	}
	assert_true(fibsync_settled(fs));
	fibsync_get_stats(fs, &st);
	assert_int_equal(st.installed[FAM_INET], TABLE - 1);
	fibsync_free(fs);
}

/* It changes all the time and nobody answers: each answer is still awaited. */
static void
test_unanswered(void **state)
{
	struct asked a = { .fib = { .ops = &ops } };
	struct fibsync *fs = fibsync_new();
	struct fib_nh nh = { .addr = addr_v4(1), .ifindex = 1, .weight = 1 };
	struct pfx p = pfx(1);

	for (unsigned int i = 0; i < UINT16_MAX + 2; i++) {
		nh.ifindex = 1 + i % 2;
		fibsync_want(fs, &p, &nh, 1, 0);
		fibsync_run(fs, &a.fib, 10);
	}
	assert_int_equal(a.routes, UINT16_MAX);
	fibsync_done(fs, &p, false, 0, NULL);
	nh.ifindex = 3;
	fibsync_want(fs, &p, &nh, 1, 0);
	fibsync_run(fs, &a.fib, 10);
	assert_int_equal(a.routes, UINT16_MAX + 1);
	for (unsigned int i = 0; i < UINT16_MAX; i++) {
		assert_false(fibsync_settled(fs));
		fibsync_done(fs, &p, false, 0, NULL);
	}
	assert_true(fibsync_settled(fs));
	fibsync_free(fs);
}

/* What a route costs, with its place in the trie. */
static void
test_memory(void **state)
{
	struct fibsync *fs = fibsync_new();
	struct fib_nh nh = { .addr = addr_v4(1), .ifindex = 1, .weight = 1 };
	size_t idle = fibsync_memory(fs);

	for (unsigned int i = 0; i < 10000; i++) {
		struct pfx p = pfx(i);

		fibsync_want(fs, &p, &nh, 1, 0);
	}
	assert_true((fibsync_memory(fs) - idle) / 10000 <= 26);
	fibsync_free(fs);
}

/* One more than there are numbers: its route is refused, all others are there.
 */
static void
test_all_sets(void **state)
{
	struct asked a = { .fib = { .ops = &ops } };
	struct fibsync *fs = fibsync_new();
	struct fibsync_stats st;
	struct pfx p;

	for (unsigned int i = 1; i <= FIB_SET_MAX + 1; i++) {
		struct fib_nh nh = { .addr = addr_v4(i), .weight = 1 };

		p = pfx(i);
		fibsync_want(fs, &p, &nh, 1, 0);
	}
	fibsync_run(fs, &a.fib, 2 * FIB_SET_MAX);
	for (unsigned int i = 1; i <= FIB_SET_MAX; i++) {
		p = pfx(i);
		fibsync_done(fs, &p, false, 0, NULL);
		fibsync_run(fs, &a.fib, 2 * FIB_SET_MAX);
	}
	fibsync_get_stats(fs, &st);
	assert_int_equal(st.installed[FAM_INET], FIB_SET_MAX);
	assert_int_equal(st.failed[FAM_INET], 1);
	assert_int_equal(a.sets, FIB_SET_MAX);
	assert_int_equal(a.routes, FIB_SET_MAX);
	fibsync_free(fs);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_weights),
		cmocka_unit_test(test_drift),
		cmocka_unit_test(test_refused_set),
		cmocka_unit_test(test_refused_change),
		cmocka_unit_test(test_lost_next_hop),
		cmocka_unit_test(test_why),
		cmocka_unit_test(test_lanes),
		cmocka_unit_test(test_stripes),
		cmocka_unit_test(test_lane_changes),
		cmocka_unit_test(test_unanswered),
		cmocka_unit_test(test_memory),
		cmocka_unit_test(test_all_sets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
