#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "rib/adjin.h"
#include "tests/unit/text.h"

static struct attrs_pool *pool;
static struct nexthops *hops;
static struct rib *rib;
static struct adjin *in[4];
static struct rib_change last;
static unsigned int changes;

static void
on_best(void *arg, const struct rib_change *c)
{
	last = *c;
	changes++;
}

static unsigned int
run(void)
{
	changes = 0;
	while (rib_nexthop_run(rib, 1) | rib_run(rib, 1, on_best, NULL))
		;
	return changes;
}

static uint32_t
make(uint32_t med, uint32_t hop)
{
	static const uint8_t path[] = { 2, 1, 0, 0, 0, 5 };
	struct attrs a = { .has = 1 << HAS_MED | 1 << HAS_AS_PATH };

	a.med = med;
	a.as_path = (struct octets){ path, sizeof path };
	if (hop != 0)
		a.nexthop = addr_v4(hop);
	return attrs_intern(pool, &a);
}

static int
setup(void **state)
{
	static const uint8_t key[16];

	hops = nexthops_new();
	pool = attrs_pool_new(key, hops);
	rib = rib_new(pool);
	for (uint16_t i = 1; i < 4; i++) {
		struct rib_peer p = { .as = 5, .router_id = i };

		rib_peer_set(rib, i, &p);
		in[i] = adjin_new(rib, i);
		make(0, i);
		nexthop_set_state(
		    hops, attrs_nexthop(pool, make(0, i)), true, i, 0);
	}
	run();
	return 0;
}

static int
teardown(void **state)
{
	for (int i = 1; i < 4; i++)
		adjin_free(in[i]);
	rib_free(rib);
	attrs_pool_free(pool);
	nexthops_free(hops);
	return 0;
}

static void
put(int peer, const char *s, uint32_t id)
{
	struct adjin_route r = { id, id, 0, 0 };
	struct pfx p = P(s);

	adjin_put(in[peer], &p, &r, 1);
}

static void
del(int peer, const char *s)
{
	struct pfx p = P(s);

	adjin_del(in[peer], &p);
}

static void
best_follows(void **state)
{
	uint32_t a = make(10, 1), b = make(5, 2);
	struct pfx p = P("10.0.0.0/8");
	struct rib_path v;
	struct rib_stats st;

	put(1, "10.0.0.0/8", a);
	assert_int_equal(run(), 1);
	assert_true(last.best_changed && last.old_attrs == 0);
	assert_int_equal(last.new_attrs, a);
	put(2, "10.0.0.0/8", b);
	assert_int_equal(run(), 1);
	assert_int_equal(last.old_attrs, a);
	assert_int_equal(last.old_peer, 1);
	assert_int_equal(last.new_peer, 2);
	/* Worse or rejected ones change nothing. */
	put(3, "10.0.0.0/8", make(20, 3));
	assert_int_equal(run(), 0);
	/* Nor does what came back before anybody looked. */
	del(2, "10.0.0.0/8");
	put(2, "10.0.0.0/8", b);
	assert_int_equal(run(), 0);
	assert_true(rib_best(rib, rib_find(rib, &p), &v));
	assert_int_equal(v.peer, 2);
	rib_stats(rib, &st);
	assert_int_equal(st.best[FAM_INET], 1);
	assert_int_equal(st.paths[FAM_INET], 3);
	del(2, "10.0.0.0/8");
	del(3, "10.0.0.0/8");
	del(1, "10.0.0.0/8");
	assert_true(rib_best(rib, rib_find(rib, &p), &v));
	assert_int_equal(run(), 1);
	assert_int_equal(last.new_attrs, 0);
	assert_int_equal(rib_find(rib, &p), 0);
}

static void
references_keep(void **state)
{
	struct pfx p = P("10.0.0.0/8"), found;
	uint32_t d, it = 0;
	struct rib_path v;

	put(1, "10.0.0.0/8", make(1, 1));
	run();
	d = rib_find(rib, &p);
	rib_dest_ref(rib, d);
	del(1, "10.0.0.0/8");
	run();
	assert_int_equal(rib_find(rib, &p), d);
	assert_false(rib_paths(rib, d, &it, &v));
	rib_dest_pfx(rib, d, &found);
	assert_true(pfx_eq(&found, &p));
	rib_dest_unref(rib, d);
	assert_int_equal(rib_find(rib, &p), 0);
}

static void
next_hops(void **state)
{
	uint32_t a = make(10, 1), b = make(20, 2);
	uint32_t h = attrs_nexthop(pool, a);
	struct nexthop_wish w;

	put(1, "10.0.0.0/8", a);
	put(2, "10.0.0.0/8", b);
	put(1, "2001:db8::/32", a);
	assert_int_equal(run(), 2);
	assert_true(nexthop_take_wish(hops, &w) && w.wanted);
	assert_true(nexthop_take_wish(hops, &w) && w.wanted);
	assert_false(nexthop_take_wish(hops, &w));
	nexthop_set_state(hops, h, false, 1, 0);
	assert_int_equal(run(), 2);
	nexthop_set_state(hops, h, true, 1, 0);
	assert_int_equal(run(), 2);
	/* Another interface: still the best, but it must be known. */
	nexthop_set_state(hops, h, true, 9, 0);
	assert_int_equal(run(), 2);
	assert_true(last.hop_changed && !last.best_changed);
	assert_int_equal(run(), 0);
	/* (e) comes after MED: cost alone does not move it. */
	nexthop_set_state(hops, h, true, 9, 100);
	assert_int_equal(run(), 2);
	assert_true(!last.best_changed);
}

static void
multipath(void **state)
{
	struct pfx p = P("10.0.0.0/8");
	struct rib_path v;
	uint32_t it = 0;
	unsigned int n = 0;

	rib_set_multipath(rib, 2);
	put(3, "10.0.0.0/8", make(1, 3));
	run();
	put(2, "10.0.0.0/8", make(1, 2));
	assert_int_equal(run(), 1);
	assert_true(last.ecmp_changed && last.best_changed);
	/* The third takes the place of the one with the highest id. */
	put(1, "10.0.0.0/8", make(1, 1));
	assert_int_equal(run(), 1);
	while (rib_paths(rib, last.dest, &it, &v)) {
		assert_int_equal(v.best, n++ == 0);
		assert_int_equal(v.ecmp, v.peer != 3);
	}
	assert_int_equal(n, 3);
	/* A member that says something else, the best staying. */
	put(2, "10.0.0.0/8", make(2, 2));
	assert_int_equal(run(), 1);
	assert_true(last.ecmp_changed && !last.best_changed);
	put(2, "10.0.0.0/8", make(1, 1));
	/* The same next hop as the best: not twice. */
	run();
	it = 0;
	while (rib_paths(rib, rib_find(rib, &p), &it, &v))
		assert_int_equal(v.ecmp, v.peer != 2);
	/* One path from now on. */
	rib_set_multipath(rib, 1);
	assert_int_equal(run(), 1);
	assert_true(last.ecmp_changed && !last.best_changed);
}

static void
local_routes(void **state)
{
	struct pfx p = P("192.0.2.0/24");
	struct rib_path v;

	put(1, "192.0.2.0/24", make(0, 1));
	rib_local_put(rib, &p, make(0, 0), 1);
	run();
	assert_int_equal(last.new_peer, RIB_LOCAL);
	assert_true(rib_best(rib, last.dest, &v));
	assert_int_equal(v.peer, RIB_LOCAL);
	assert_true(rib_local_del(rib, &p));
	assert_false(rib_local_del(rib, &p));
	run();
	assert_int_equal(last.new_peer, 1);
	assert_true(rib_best(rib, last.dest, &v));
}

static void
explained(void **state)
{
	struct rib_peer facts = { .as = 5, .router_id = 3, .weight = 9 };
	struct adjin_route no = { make(3, 3), 0, 12, 0 };
	struct pfx p = P("10.0.0.0/8");
	struct rib_path v[4];
	enum decide_why lost[4];
	size_t n;

	put(1, "10.0.0.0/8", make(1, 1));
	put(2, "10.0.0.0/8", make(2, 2));
	adjin_put(in[3], &p, &no, 1);
	run();
	n = rib_explain(rib, rib_find(rib, &p), v, lost, 4);
	assert_int_equal(n, 3);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(lost[i],
		    v[i].peer == 1       ? DECIDE_BEST
			: v[i].peer == 2 ? DECIDE_MED
					 : DECIDE_INELIGIBLE);
	/* A peer's facts change: what it sent is decided again. */
	put(3, "10.0.0.0/8", make(3, 3));
	assert_int_equal(run(), 0);
	rib_peer_set(rib, 3, &facts);
	assert_int_equal(run(), 1);
	assert_int_equal(last.new_peer, 3);
}

static void
walk_in_order(void **state)
{
	struct pfx at = { .addr.fam = FAM_NONE }, found;
	static const char *const text[] = { "10.0.0.0/8", "10.0.0.0/9",
		"11.0.0.0/8" };
	struct pfx p = P("10.1.0.0/16");

	for (int i = 2; i >= 0; i--)
		put(1, text[i], make(1, 1));
	for (int i = 0; i < 3; i++) {
		struct pfx want = P(text[i]);

		assert_int_not_equal(rib_next(rib, FAM_INET, &at), 0);
		assert_true(pfx_eq(&at, &want));
	}
	assert_int_equal(rib_next(rib, FAM_INET, &at), 0);
	assert_int_not_equal(rib_longest(rib, &p, &found), 0);
	assert_int_equal(found.len, 9);
	assert_int_not_equal(rib_shorter(rib, &found, &found), 0);
	assert_int_equal(found.len, 8);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(best_follows, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    references_keep, setup, teardown),
		cmocka_unit_test_setup_teardown(next_hops, setup, teardown),
		cmocka_unit_test_setup_teardown(multipath, setup, teardown),
		cmocka_unit_test_setup_teardown(local_routes, setup, teardown),
		cmocka_unit_test_setup_teardown(explained, setup, teardown),
		cmocka_unit_test_setup_teardown(walk_in_order, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
