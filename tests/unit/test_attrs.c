#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "rib/attrs.h"
#include "rib/nexthop.h"

static const uint8_t key[16] = { 1, 2, 3, 4 };
static const uint8_t path1[] = { 2, 2, 0, 0, 0, 1, 0, 0, 0, 2 };
static const uint8_t path2[] = { 2, 2, 0, 0, 0, 1, 0, 0, 0, 3 };
static const uint8_t many[3000] = { 9 };

#define OCT(x) \
	{ \
		(x), sizeof(x) \
	}

static struct attrs
full(void)
{
	struct attrs a = { .has = ((1 << 9) - 1) | 1 << HAS_PARTIAL_COMMS };

	a.origin = 2;
	a.med = 10;
	a.local_pref = 200;
	a.aggr_as = 65000;
	a.aggr_id = addr_v4(0x01020304);
	a.originator_id = 7;
	a.weight = 6;
	a.otc = 8;
	a.nexthop.fam = FAM_INET6;
	a.nexthop.o[15] = 1;
	a.nexthop_ll.fam = FAM_INET6;
	a.nexthop_ll.o[0] = 0xfe;
	a.as_path = (struct octets)OCT(path1);
	a.comms = (struct octets){ path1, 4 };
	a.ext_comms = (struct octets){ path1, 8 };
	a.large_comms = (struct octets){ many, 12 };
	a.cluster_list = (struct octets){ path2, 8 };
	a.unknown = (struct octets){ path2, 5 };
	return a;
}

static bool
octets_eq(struct octets a, struct octets b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.p, b.p, a.len) == 0);
}

static void
assert_same(const struct attrs *a, const struct attrs *b)
{
	assert_int_equal(a->has, b->has);
	assert_int_equal(a->origin, b->origin);
	assert_int_equal(a->med, b->med);
	assert_int_equal(a->local_pref, b->local_pref);
	assert_int_equal(a->aggr_as, b->aggr_as);
	assert_true(addr_eq(&a->aggr_id, &b->aggr_id));
	assert_int_equal(a->originator_id, b->originator_id);
	assert_int_equal(a->otc, b->otc);
	assert_int_equal(a->weight, b->weight);
	assert_true(addr_eq(&a->nexthop, &b->nexthop));
	assert_true(addr_eq(&a->nexthop_ll, &b->nexthop_ll));
	assert_true(octets_eq(a->as_path, b->as_path));
	assert_true(octets_eq(a->comms, b->comms));
	assert_true(octets_eq(a->ext_comms, b->ext_comms));
	assert_true(octets_eq(a->large_comms, b->large_comms));
	assert_true(octets_eq(a->cluster_list, b->cluster_list));
	assert_true(octets_eq(a->unknown, b->unknown));
}

static void
round_trip(void **state)
{
	struct attrs_pool *pool = attrs_pool_new(key, NULL);
	struct attrs a = full(), big = full(), none = { 0 }, out;
	uint32_t x, y, z;

	big.unknown = (struct octets)OCT(many);
	x = attrs_intern(pool, &a);
	y = attrs_intern(pool, &big);
	z = attrs_intern(pool, &none);
	assert_true(x != 0 && y != 0 && z != 0);
	assert_true(x != y && y != z && x != z);
	attrs_get(pool, x, &out);
	assert_same(&a, &out);
	assert_ptr_not_equal(out.as_path.p, a.as_path.p);
	attrs_get(pool, y, &out);
	assert_same(&big, &out);
	attrs_get(pool, z, &out);
	assert_same(&none, &out);
	assert_int_equal(attrs_nexthop(pool, z), 0);
	attrs_pool_free(pool);
}

/* Each field makes a set of its own; without its bit it does not. */
static void
fields_count(void **state)
{
	struct attrs_pool *pool = attrs_pool_new(key, NULL);
	struct attrs v[20];
	uint32_t id[20];
	size_t n = 0;

	for (size_t i = 0; i < 20; i++)
		v[i] = full();
	v[n++].origin = 1;
	v[n++].med = 11;
	v[n++].local_pref = 201;
	v[n++].aggr_as = 1;
	v[n++].aggr_id.o[3] = 9;
	v[n++].originator_id = 9;
	v[n++].otc = 9;
	v[n++].nexthop.o[15] = 2;
	v[n++].nexthop_ll.fam = FAM_NONE;
	v[n++].as_path = (struct octets)OCT(path2);
	v[n++].comms.len = 0;
	v[n++].ext_comms.p = many;
	v[n++].large_comms.len = 0;
	v[n++].cluster_list.len = 4;
	v[n++].unknown.len = 0;
	v[n++].has &= ~(1u << HAS_ATOMIC);
	v[n++].has &= ~(1u << HAS_AS_PATH);
	v[n++].has &= ~(1u << HAS_PARTIAL_COMMS);
	v[n++].weight = 1;
	n++;
	for (size_t i = 0; i < n; i++) {
		id[i] = attrs_intern(pool, &v[i]);
		for (size_t j = 0; j < i; j++)
			assert_int_not_equal(id[i], id[j]);
	}
	v[0] = full();
	v[0].has &= ~(1u << HAS_MED);
	v[1] = v[0];
	v[1].med = 99;
	assert_int_equal(attrs_intern(pool, &v[0]), attrs_intern(pool, &v[1]));
	attrs_pool_free(pool);
}

static void
references(void **state)
{
	struct nexthops *hops = nexthops_new();
	struct attrs_pool *pool = attrs_pool_new(key, hops);
	struct attrs a = full();
	struct attrs_stats st;
	uint32_t x = attrs_intern(pool, &a);

	assert_int_equal(attrs_intern(pool, &a), x);
	assert_int_equal(nexthop_at(hops, attrs_nexthop(pool, x))->refs, 1);
	attrs_ref(pool, x);
	attrs_stats(pool, &st);
	assert_int_equal(st.sets, 1);
	assert_int_equal(st.refs, 3);
	attrs_unref(pool, x);
	attrs_unref(pool, x);
	attrs_get(pool, x, &a);
	attrs_unref(pool, x);
	attrs_unref(pool, 0);
	attrs_stats(pool, &st);
	assert_int_equal(st.sets, 0);
	assert_int_equal(st.refs, 0);
	assert_int_equal(nexthops_count(hops), 0);
	attrs_pool_free(pool);
	nexthops_free(hops);
}

static void
table_grows(void **state)
{
	enum {
		N = 5000
	};
	struct attrs_pool *pool = attrs_pool_new(key, NULL);
	static uint32_t id[N];
	struct attrs a = full(), out;
	struct attrs_stats st;

	for (uint32_t i = 0; i < N; i++) {
		a.med = i;
		a.unknown.len = (uint16_t)(i % 11);
		a.as_path.len = (uint16_t)(i % 3 ? 10 : 0);
		id[i] = attrs_intern(pool, &a);
	}
	for (uint32_t i = 0; i < N; i++) {
		a.med = i;
		a.unknown.len = (uint16_t)(i % 11);
		a.as_path.len = (uint16_t)(i % 3 ? 10 : 0);
		assert_int_equal(attrs_intern(pool, &a), id[i]);
		attrs_get(pool, id[i], &out);
		assert_same(&a, &out);
	}
	for (uint32_t i = 0; i < N; i += 2) {
		attrs_unref(pool, id[i]);
		attrs_unref(pool, id[i]);
	}
	for (uint32_t i = 1; i < N; i += 2) {
		attrs_get(pool, id[i], &out);
		assert_int_equal(out.med, i);
		assert_int_equal(attrs_intern(pool, &out), id[i]);
	}
	attrs_stats(pool, &st);
	assert_int_equal(st.sets, N / 2);
	attrs_pool_free(pool);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(round_trip),
		cmocka_unit_test(fields_count),
		cmocka_unit_test(references),
		cmocka_unit_test(table_grows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
