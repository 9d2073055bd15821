#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "rib/adjin.h"
#include "tests/unit/text.h"

static struct attrs_pool *pool;
static struct rib *rib;
static struct adjin *ai, *other;
static uint32_t id;

static int
setup(void **state)
{
	static const uint8_t key[16];
	struct attrs a = { .has = 1 << HAS_ORIGIN, .nexthop = addr_v4(1) };

	pool = attrs_pool_new(key, NULL);
	rib = rib_new(pool);
	ai = adjin_new(rib, 1);
	other = adjin_new(rib, 2);
	id = attrs_intern(pool, &a);
	return 0;
}

static int
teardown(void **state)
{
	adjin_free(ai);
	adjin_free(other);
	rib_free(rib);
	attrs_pool_free(pool);
	return 0;
}

static enum adjin_change
put(struct adjin *in, const char *s, uint16_t reason, uint8_t flags)
{
	struct adjin_route r = { flags & ADJIN_MALFORMED ? 0 : id,
		reason == 0 ? id : 0, reason, flags };
	struct pfx p = P(s);

	return adjin_put(in, &p, &r, 7);
}

static enum adjin_verdict
admit(const char *s, unsigned int flags, uint32_t *limit)
{
	struct pfx p = P(s);

	return adjin_admit(ai, &p, flags, limit);
}

static void
changes(void **state)
{
	const struct adjin_count *c = adjin_count(ai, FAM_INET);
	struct pfx p = P("192.0.2.0/24");
	struct rib_path v;

	assert_int_equal(put(ai, "192.0.2.0/24", 0, 0), ADJIN_NEW);
	assert_int_equal(put(ai, "192.0.2.0/24", 0, 0), ADJIN_SAME);
	assert_int_equal(put(ai, "192.0.2.0/24", 12, 0), ADJIN_CHANGED);
	assert_int_equal(put(ai, "192.0.2.0/24", 12, 0), ADJIN_SAME);
	assert_int_equal(c->received, 1);
	assert_int_equal(c->rejected, 1);
	assert_true(adjin_find(ai, &p, &v));
	assert_int_equal(v.reason, 12);
	assert_int_equal(v.attrs_in, id);
	assert_int_equal(v.attrs, 0);
	assert_int_equal(v.since, 7);
	assert_false(adjin_find(other, &p, &v));
	assert_false(adjin_del(other, &p));
	assert_true(adjin_del(ai, &p));
	assert_false(adjin_del(ai, &p));
	assert_int_equal(c->received, 0);
	/* Marked: it stays until that is worked off. */
	assert_int_not_equal(rib_find(rib, &p), 0);
	assert_false(rib_run(rib, 1, NULL, NULL));
	assert_int_equal(rib_find(rib, &p), 0);
}

static void
limits(void **state)
{
	struct adjin_limits l = { .max_len = { 0, 24, 48 },
		.received = 3,
		.received_fam = { 0, 0, 1 },
		.accepted_fam = { 0, 1, 0 } };
	struct pfx a = P("10.0.0.0/24"), b = P("10.0.1.0/24");
	uint32_t limit = 0;

	adjin_set_limits(ai, &l);
	assert_int_equal(admit("10.0.0.0/25", 0, NULL), ADJIN_TOO_LONG);
	assert_int_equal(admit("2001:db8::/49", 0, NULL), ADJIN_TOO_LONG);
	assert_int_equal(admit("2001:db8::/48", 0, NULL), ADJIN_OK);
	put(ai, "10.0.0.0/24", 0, 0);
	assert_true(adjin_may_accept(ai, &a, false));
	assert_false(adjin_may_accept(ai, &b, false));
	put(ai, "2001:db8::/48", 1, 0);
	/* The family's own limit. */
	assert_int_equal(admit("2001:db8:1::/48", 0, &limit), ADJIN_OVER_LIMIT);
	assert_int_equal(limit, 1);
	assert_int_equal(admit("2001:db8::/48", 0, NULL), ADJIN_OK);
	/* Rejected ones count; malformed and held ones do not. */
	put(ai, "10.0.2.0/24", 20, ADJIN_MALFORMED);
	put(ai, "10.0.3.0/24", 21, ADJIN_HELD);
	assert_int_equal(adjin_received(ai), 2);
	assert_int_equal(admit("10.0.1.0/24", 0, NULL), ADJIN_OK);
	put(ai, "10.0.1.0/24", 5, 0);
	/* Three are there; the fourth is one too many, whatever its length. */
	assert_int_equal(admit("10.9.0.0/24", 0, &limit), ADJIN_OVER_LIMIT);
	assert_int_equal(limit, 3);
	assert_int_equal(admit("10.9.0.0/25", 0, NULL), ADJIN_OVER_LIMIT);
	assert_int_equal(admit("10.0.1.0/24", 0, NULL), ADJIN_OK);
	assert_int_equal(admit("10.0.2.0/24", 0, NULL), ADJIN_OVER_LIMIT);
	assert_int_equal(admit("10.0.3.0/24", 0, NULL), ADJIN_OVER_LIMIT);
	assert_int_equal(admit("10.9.0.0/24", ADJIN_MALFORMED, NULL), ADJIN_OK);
}

/* What a session left behind leaves room for the next one's, until renewed. */
static void
spared(void **state)
{
	const struct adjin_count *c = adjin_count(ai, FAM_INET);
	struct adjin_limits l = { .received = 2, .accepted = 1 };
	struct pfx a = P("10.0.0.0/24"), b = P("10.0.2.0/24");

	adjin_set_limits(ai, &l);
	put(ai, "10.0.0.0/24", 0, 0);
	put(ai, "10.0.1.0/24", 5, 0);
	adjin_mark_stale(ai, FAM_INET, false);
	assert_int_equal(admit("10.0.2.0/24", 0, NULL), ADJIN_OVER_LIMIT);
	adjin_mark_stale(ai, FAM_INET, true);
	assert_int_equal(c->spared, 2);
	assert_int_equal(c->spared_accepted, 1);
	assert_int_equal(admit("10.0.2.0/24", 0, NULL), ADJIN_OK);
	assert_true(adjin_may_accept(ai, &b, false));
	put(ai, "10.0.2.0/24", 0, 0);
	/* Looked at again it stays; renewed it is one too many. */
	assert_true(adjin_may_accept(ai, &a, true));
	assert_false(adjin_may_accept(ai, &a, false));
	assert_int_equal(admit("10.0.1.0/24", 0, NULL), ADJIN_OK);
	put(ai, "10.0.1.0/24", 5, 0);
	assert_int_equal(c->spared, 1);
	assert_int_equal(admit("10.0.1.0/24", 0, NULL), ADJIN_OK);
	assert_int_equal(admit("10.0.0.0/24", 0, NULL), ADJIN_OVER_LIMIT);
	assert_false(adjin_sweep(ai, FAM_INET, 10));
	assert_int_equal(c->received, 2);
	assert_int_equal(c->spared, 0);
	assert_int_equal(c->spared_accepted, 0);
	assert_int_equal(admit("10.0.0.0/24", 0, NULL), ADJIN_OVER_LIMIT);
}

static void
held_in_order(void **state)
{
	const struct adjin_count *c = adjin_count(ai, FAM_INET);
	struct pfx p;

	assert_false(adjin_held_first(ai, FAM_INET, &p));
	put(ai, "10.0.9.0/24", 21, ADJIN_HELD);
	put(ai, "10.0.1.0/24", 21, ADJIN_HELD);
	put(ai, "10.0.9.0/24", 22, ADJIN_HELD);
	assert_true(adjin_held_first(ai, FAM_INET, &p));
	assert_int_equal(p.addr.o[2], 9);
	assert_int_equal(c->held, 2);
	put(ai, "10.0.9.0/24", 0, 0);
	assert_true(adjin_held_first(ai, FAM_INET, &p));
	assert_int_equal(p.addr.o[2], 1);
	assert_int_equal(c->held, 1);
	assert_int_equal(c->accepted, 1);
}

static void
stale(void **state)
{
	const struct adjin_count *c = adjin_count(ai, FAM_INET);
	struct adjin_route r = { .attrs_in = id, .again = true };
	struct pfx p = P("10.0.0.0/24");

	put(ai, "10.0.0.0/24", 0, 0);
	put(ai, "10.0.1.0/24", 3, 0);
	put(ai, "10.0.2.0/24", 0, 0);
	put(ai, "2001:db8::/32", 0, 0);
	/* More often than there are generations. */
	for (int i = 0; i < 9; i++) {
		adjin_mark_stale(ai, FAM_INET, false);
		assert_int_equal(c->stale, 3);
		assert_int_equal(put(ai, "10.0.2.0/24", 0, 0), ADJIN_SAME);
		assert_int_equal(c->stale, 2);
	}
	assert_int_equal(c->received, 3);
	/* Looked at again by a new policy: no fresher than before. */
	r.reason = 5;
	r.attrs = 0;
	assert_int_equal(adjin_put(ai, &p, &r, 7), ADJIN_CHANGED);
	assert_int_equal(c->stale, 2);
	assert_int_equal(c->rejected, 2);
	assert_true(adjin_sweep(ai, FAM_INET, 1));
	assert_false(adjin_sweep(ai, FAM_INET, 1));
	assert_int_equal(c->stale, 0);
	assert_int_equal(c->received, 1);
	assert_int_equal(adjin_received(ai), 2);
	assert_true(adjin_flush(ai, 1));
	assert_false(adjin_flush(ai, 1));
	assert_int_equal(adjin_received(ai), 0);
}

static void
reasons(void **state)
{
	struct adjin_reason r;
	char text[32];

	put(ai, "10.0.0.0/24", 12, 0);
	put(ai, "10.0.1.0/24", 1001, 0);
	put(ai, "10.0.0.0/24", 0, 0);
	put(ai, "10.0.0.0/24", 12, 0);
	assert_true(adjin_reason(ai, 0, &r));
	assert_int_equal(r.reason, 12);
	assert_int_equal(r.now[FAM_INET], 1);
	assert_int_equal(r.total[FAM_INET], 2);
	assert_true(adjin_reason(ai, 1, &r));
	assert_int_equal(r.reason, 1001);
	assert_false(adjin_reason(ai, 2, &r));
	for (uint16_t i = 0; i < 40; i++) {
		snprintf(text, sizeof text, "10.1.%u.0/24", i);
		put(ai, text, (uint16_t)(i == 39 ? 65535 : 100 + i), 0);
	}
	assert_true(adjin_reason(ai, ADJIN_REASONS, &r));
	assert_int_equal(r.reason, RIB_REASON_MAX);
	assert_int_equal(r.now[FAM_INET], 10);
	while (adjin_flush(ai, 100))
		;
	assert_true(adjin_reason(ai, ADJIN_REASONS, &r));
	assert_int_equal(r.now[FAM_INET], 0);
}

/* Both ways of walking: few of many, many of many. */
static void
walks(void **state)
{
	unsigned int budget = 1000, n[2] = { 0, 0 };
	struct adjin *ais[2] = { ai, other };
	struct rib_path v;
	char text[32];

	for (unsigned int i = 0; i < 200; i++) {
		snprintf(text, sizeof text, "10.%u.0.0/16", 255 - i);
		put(other, text, 0, 0);
		if (i % 20 == 0)
			put(ai, text, 1, 0);
	}
	for (int k = 0; k < 2; k++) {
		struct adjin_walk *w = adjin_walk_new(ais[k], FAM_INET);
		struct pfx p, last = { .len = 0 }, gone = P("10.95.0.0/16");

		while (
		    adjin_walk_next(w, &budget, &p, &v) == ADJIN_STEP_ROUTE) {
			assert_true(pfx_cmp(&last, &p) < 0);
			last = p;
			if (n[k]++ == 0)
				adjin_del(ais[k], &gone);
		}
		adjin_walk_free(w);
	}
	assert_int_equal(n[0], 9);
	assert_int_equal(n[1], 199);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(changes, setup, teardown),
		cmocka_unit_test_setup_teardown(limits, setup, teardown),
		cmocka_unit_test_setup_teardown(held_in_order, setup, teardown),
		cmocka_unit_test_setup_teardown(stale, setup, teardown),
		cmocka_unit_test_setup_teardown(spared, setup, teardown),
		cmocka_unit_test_setup_teardown(reasons, setup, teardown),
		cmocka_unit_test_setup_teardown(walks, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
