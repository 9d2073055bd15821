#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "rib/nexthop.h"

static const struct addr none;

static void
get_and_unref(void **state)
{
	struct nexthops *t = nexthops_new();
	struct addr a = addr_v4(1), b = addr_v4(2);
	uint32_t x = nexthop_get(t, &b, &none), y = nexthop_get(t, &a, &none);

	assert_int_not_equal(x, y);
	assert_int_equal(nexthop_get(t, &b, &none), x);
	assert_int_equal(nexthop_at(t, x)->refs, 2);
	assert_false(nexthop_at(t, x)->reachable);
	assert_null(nexthop_at(t, 0));
	assert_int_equal(nexthop_next(t, 0), y);
	assert_int_equal(nexthop_next(t, y), x);
	assert_int_equal(nexthop_next(t, x), 0);
	nexthop_unref(t, x);
	assert_int_equal(nexthop_next(t, y), x);
	nexthop_unref(t, x);
	assert_int_equal(nexthop_next(t, y), 0);
	nexthop_unref(t, y);
	assert_int_equal(nexthops_count(t), 0);
	nexthops_free(t);
}

static void
next_of_an_address(void **state)
{
	struct nexthops *t = nexthops_new();
	struct addr a = { .fam = FAM_INET6, .o = { 0x20, 1 } }, b = a, ll = a;
	uint32_t one, two, other;

	b.o[15] = 1;
	ll.o[0] = 0xfe;
	two = nexthop_get(t, &a, &ll);
	other = nexthop_get(t, &b, &ll);
	one = nexthop_get(t, &a, &none);
	assert_int_equal(nexthop_next_of(t, &a, 0), one);
	assert_int_equal(nexthop_next_of(t, &a, one), two);
	assert_int_equal(nexthop_next_of(t, &a, two), 0);
	assert_int_equal(nexthop_next_of(t, &b, 0), other);
	assert_int_equal(nexthop_next_of(t, &b, other), 0);
	assert_int_equal(nexthop_next_of(t, &ll, 0), 0);
	assert_int_equal(nexthop_next_of(t, &none, 0), 0);
	nexthops_free(t);
}

static void
state_changes(void **state)
{
	struct nexthops *t = nexthops_new();
	struct addr a = addr_v4(1);
	uint32_t x = nexthop_get(t, &a, &none);

	assert_false(nexthops_any_new(t));
	assert_true(nexthop_set_state(t, x, true, 3, 10));
	assert_false(nexthop_set_state(t, x, true, 3, 10));
	assert_true(nexthops_any_new(t));
	assert_false(nexthops_any_new(t));
	assert_true(nexthop_pending(t, x));
	assert_false(nexthop_pending(t, 0));
	nexthops_settled(t);
	assert_false(nexthop_pending(t, x));
	assert_true(nexthop_set_via(t, x, &(struct addr){ .fam = FAM_INET }));
	assert_false(nexthop_set_via(t, x, &(struct addr){ .fam = FAM_INET }));
	assert_true(nexthop_set_state(t, x, true, 4, 10));
	assert_true(nexthop_set_state(t, x, true, 4, 11));
	assert_true(nexthop_set_state(t, x, false, 4, 11));
	nexthops_free(t);
}

static void
wishes(void **state)
{
	struct nexthops *t = nexthops_new();
	struct addr a = addr_v4(1);
	struct nexthop_wish w;
	uint32_t x = nexthop_get(t, &a, &none);

	assert_false(nexthop_take_wish(t, &w));
	/* Wanted and not wanted again before anybody asked: no news. */
	nexthop_use(t, x);
	nexthop_unuse(t, x);
	assert_false(nexthop_take_wish(t, &w));
	nexthop_use(t, x);
	nexthop_use(t, x);
	assert_true(nexthop_take_wish(t, &w));
	assert_true(w.wanted && addr_eq(&w.addr, &a));
	assert_false(nexthop_take_wish(t, &w));
	/* It stays until somebody heard that it is not wanted any more. */
	nexthop_unuse(t, x);
	nexthop_unuse(t, x);
	nexthop_unref(t, x);
	assert_int_equal(nexthops_count(t), 1);
	assert_true(nexthop_take_wish(t, &w));
	assert_false(w.wanted);
	assert_int_equal(nexthops_count(t), 0);
	assert_false(nexthop_take_wish(t, &w));
	nexthops_free(t);
}

/* The link-local half alone is another: what is watched is known. */
static void
same_address(void **state)
{
	struct nexthops *t = nexthops_new();
	struct addr a = addr_v4(1), ll = addr_v4(2);
	struct nexthop_wish w;
	uint32_t x = nexthop_get(t, &a, &none), y;

	nexthop_use(t, x);
	assert_true(nexthop_take_wish(t, &w));
	y = nexthop_get(t, &a, &ll);
	nexthop_use(t, y);
	assert_false(nexthop_at(t, y)->known);
	nexthop_unuse(t, y);
	assert_true(nexthop_set_state(t, x, true, 3, 0));
	/* One replaces the other within a turn. */
	nexthop_unuse(t, x);
	nexthop_use(t, y);
	assert_true(nexthop_at(t, y)->known && nexthop_at(t, y)->reachable);
	assert_int_equal(nexthop_at(t, y)->ifindex, 3);
	while (nexthop_take_wish(t, &w))
		;
	assert_true(nexthop_set_state(t, y, false, 0, NEXTHOP_NO_COST));
	/* Of what was given up before, the state is old. */
	nexthop_use(t, x);
	assert_false(nexthop_at(t, x)->reachable);
	nexthops_free(t);
}

/* What was not watched meanwhile is as unknown as a new one. */
static void
used_again(void **state)
{
	struct nexthops *t = nexthops_new();
	struct addr a = addr_v4(1), via = addr_v4(2);
	struct nexthop_wish w;
	uint32_t x = nexthop_get(t, &a, &none);
	const struct nexthop *h = nexthop_at(t, x);

	nexthop_use(t, x);
	assert_true(nexthop_take_wish(t, &w));
	assert_true(nexthop_set_state(t, x, true, 3, 10));
	assert_true(nexthop_set_via(t, x, &via));
	/* Within a turn it is watched all the time. */
	nexthop_unuse(t, x);
	nexthop_use(t, x);
	assert_false(nexthop_take_wish(t, &w));
	assert_true(h->known && h->reachable);
	nexthop_unuse(t, x);
	assert_true(nexthop_take_wish(t, &w) && !w.wanted);
	nexthop_use(t, x);
	assert_false(h->known || h->reachable);
	assert_true(h->ifindex == 0 && h->cost == NEXTHOP_NO_COST);
	assert_int_equal(h->via.fam, FAM_NONE);
	assert_true(nexthop_take_wish(t, &w) && w.wanted);
	assert_true(nexthop_set_state(t, x, true, 3, 10));
	nexthops_free(t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(get_and_unref),
		cmocka_unit_test(next_of_an_address),
		cmocka_unit_test(state_changes),
		cmocka_unit_test(wishes),
		cmocka_unit_test(same_address),
		cmocka_unit_test(used_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
