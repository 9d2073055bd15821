#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "rib/adjin.h"
#include "rib/adjout.h"

enum {
	PEERS = 4
};

static struct attrs_pool *pool;
static struct rib *rib;
static struct adjin *in[PEERS];
static struct adjout_group *group;
static const struct wire_neg neg = { .as4 = true, .mp = { false, true, true } };

/* What one member was sent. */
struct got {
	unsigned int messages, announced, withdrawn, eor, borr, eorr;
	unsigned int eor_at_borr, announced_at_eorr;
	bool full;
	const uint8_t *first; /* where the first message lay */
};
static struct got got[PEERS];
static uint32_t hidden; /* attributes that are not exported */

static struct pfx
P(unsigned int i) {
	struct pfx p;
	char s[32];

	snprintf(s, sizeof s, "10.%u.%u.0/24", i / 256, i % 256);
	assert_true(pfx_parse(s, &p));
	return p;
}

static uint32_t
make(uint32_t med)
{
	static const uint8_t path[] = { 2, 1, 0, 0, 0, 5 };
	struct attrs a = { .has = 1 << HAS_ORIGIN | 1 << HAS_AS_PATH |
		    1 << HAS_MED | 1 << HAS_NEXT_HOP };

	a.med = med;
	a.as_path = (struct octets){ path, sizeof path };
	a.nexthop = addr_v4(0x0a000001);
	return attrs_intern(pool, &a);
}

static uint32_t
export_all(void *arg, const struct pfx *p, const struct rib_path *best)
{
	if (best->attrs == hidden)
		return 0;
	attrs_ref(pool, best->attrs);
	return best->attrs;
}

static bool
take(void *arg, struct adjout_member *m, const uint8_t *msg, size_t len)
{
	struct got *g = adjout_user(m);
	struct wire_hdr h;
	struct wire_err err;
	struct arena arena;
	struct update u;
	struct cur c, body;
	struct pfx p;

	cur_init(&c, msg, len);
	assert_int_equal(wire_frame(&c, false, &h, &body, &err), FRAME_MSG);
	if (g->messages++ == 0)
		g->first = msg;
	if (h.type == MSG_ROUTE_REFRESH) {
		struct wire_refresh r;

		wire_refresh_parse(&body, true, &r, &err);
		g->borr += r.subtype == REFRESH_BORR;
		g->eorr += r.subtype == REFRESH_EORR;
		if (r.subtype == REFRESH_BORR)
			g->eor_at_borr = g->eor;
		if (r.subtype == REFRESH_EORR)
			g->announced_at_eorr = g->announced;
		return !g->full;
	}
	arena_init(&arena);
	assert_int_equal(wire_update_parse(&body, &neg, &u, &arena), WIRE_OK);
	g->eor += u.eor != FAM_NONE;
	while (wire_nlri_next(&u.nlri, FAM_INET, &p))
		g->announced++;
	while (wire_nlri_next(&u.withdrawn, FAM_INET, &p))
		g->withdrawn++;
	arena_fini(&arena);
	return !g->full;
}

static const struct adjout_calls calls = { export_all, take, NULL };

static void
on_best(void *arg, const struct rib_change *c)
{
	adjout_mark(group, c->dest);
}

static void
settle(void)
{
	while (
	    rib_run(rib, 1000, on_best, NULL) | adjout_run(group, 1000, &calls))
		;
}

static struct adjout_member *
join(uint16_t peer)
{
	memset(&got[peer], 0, sizeof got[peer]);
	return adjout_join(group, peer, &neg, &got[peer]);
}

static void
put(uint16_t peer, unsigned int i, uint32_t id)
{
	struct adjin_route r = { id, id, 0, 0 };
	struct pfx p = P(i);

	adjin_put(in[peer], &p, &r, 1);
}

static void
del(uint16_t peer, unsigned int i)
{
	struct pfx p = P(i);

	adjin_del(in[peer], &p);
}

static int
setup(void **state)
{
	static const uint8_t key[16];

	memset(got, 0, sizeof got);
	hidden = UINT32_MAX;
	pool = attrs_pool_new(key, NULL);
	rib = rib_new(pool);
	for (uint16_t i = 1; i < PEERS; i++) {
		struct rib_peer p = { .as = 5, .router_id = i };

		rib_peer_set(rib, i, &p);
		in[i] = adjin_new(rib, i);
	}
	nexthop_set_state(
	    attrs_nexthops(pool), attrs_nexthop(pool, make(1)), true, 1, 0);
	group = adjout_group_new(rib, NULL);
	return 0;
}

static int
teardown(void **state)
{
	while (adjout_group_free(group, 64))
		;
	for (int i = 1; i < PEERS; i++)
		adjin_free(in[i]);
	rib_free(rib);
	attrs_pool_free(pool);
	return 0;
}

static void
packs(void **state)
{
	struct adjout_member *m = join(2);

	settle();
	assert_true(adjout_synced(m));
	assert_int_equal(got[2].eor, 2);
	got[2].messages = 0;
	/* Two sets, mixed: two messages. */
	for (unsigned int i = 0; i < 200; i++)
		put(1, i, make(1 + i % 2));
	settle();
	assert_int_equal(got[2].announced, 200);
	assert_int_equal(got[2].messages, 2);
	assert_int_equal(adjout_count(m)->announced[FAM_INET], 200);
	for (unsigned int i = 0; i < 200; i++)
		del(1, i);
	settle();
	assert_int_equal(got[2].withdrawn, 200);
	assert_int_equal(got[2].messages, 3);
	adjout_leave(m);
}

static void
shared_encoding(void **state)
{
	struct adjout_member *a = join(2), *b = join(3);

	settle();
	got[2].messages = got[3].messages = 0;
	put(1, 0, make(1));
	settle();
	assert_int_equal(got[2].announced, 1);
	assert_int_equal(got[3].announced, 1);
	/* The same octets in the same buffer. */
	assert_ptr_equal(got[2].first, got[3].first);
	adjout_leave(a);
	adjout_leave(b);
}

static void
not_to_the_source(void **state)
{
	struct adjout_member *a = join(1), *b = join(2);

	settle();
	for (unsigned int i = 0; i < 50; i++)
		put(1, i, make(2));
	settle();
	for (unsigned int i = 0; i < 50; i++)
		put(1, i, make(3));
	settle();
	assert_int_equal(got[1].announced, 0);
	assert_int_equal(got[2].announced, 100);
	/* Peer 2's is better for one: it must lose what it was told. */
	put(2, 7, make(1));
	settle();
	assert_int_equal(got[2].withdrawn, 1);
	assert_int_equal(got[1].announced, 1);
	/* The lone sender goes: it is told nothing needless. */
	for (unsigned int i = 0; i < 50; i++)
		del(1, i);
	settle();
	assert_int_equal(got[1].withdrawn, 0);
	assert_int_equal(got[2].withdrawn, 50);
	adjout_leave(a);
	adjout_leave(b);
}

static void
slow_member(void **state)
{
	struct adjout_member *a = join(2), *b = join(3);
	struct adjout_stats st;

	settle();
	got[3].full = true;
	put(1, 0, make(1));
	settle();
	assert_int_equal(got[3].announced, 1);
	/* It flaps a hundred times while 3 is full: 3 hears the end of it. */
	for (unsigned int i = 0; i < 100; i++) {
		put(1, 1, make(i));
		settle();
	}
	del(1, 0);
	settle();
	assert_int_equal(got[2].announced, 101);
	assert_int_equal(got[3].announced, 1);
	adjout_stats(group, &st);
	assert_int_equal(st.tombstones, 1);
	got[3].full = false;
	adjout_resume(b);
	settle();
	assert_int_equal(got[3].announced, 2);
	assert_int_equal(got[3].withdrawn, 1);
	adjout_stats(group, &st);
	assert_int_equal(st.tombstones, 0);
	adjout_leave(a);
	adjout_leave(b);
}

static void
late_join(void **state)
{
	struct adjout_member *a = join(2), *b;

	settle();
	got[2].full = true;
	put(1, 0, make(1));
	put(1, 1, make(1));
	settle();
	del(1, 0);
	settle();
	/* The withdrawal is older than it: only the route that is there. */
	b = join(3);
	settle();
	assert_int_equal(got[3].announced, 1);
	assert_int_equal(got[3].withdrawn, 0);
	assert_int_equal(got[3].eor, 2);
	assert_int_equal(got[2].withdrawn, 0);
	adjout_leave(a);
	adjout_leave(b);
}

static void
nothing_changed(void **state)
{
	struct adjout_member *m = join(2);
	uint32_t a = make(1);

	put(1, 0, a);
	put(1, 1, make(9));
	settle();
	got[2].messages = 0;
	adjout_reexport(group, NULL);
	settle();
	put(1, 0, make(2));
	put(1, 0, a);
	settle();
	assert_int_equal(got[2].messages, 0);
	/* The policy hides one of the two. */
	hidden = a;
	adjout_reexport(group, NULL);
	settle();
	assert_int_equal(got[2].messages, 1);
	assert_int_equal(got[2].withdrawn, 1);
	adjout_leave(m);
}

static void
refreshed(void **state)
{
	struct adjout_member *m = join(2);

	for (unsigned int i = 0; i < 2000; i++)
		put(1, i, make(1));
	settle();
	adjout_refresh(m, FAM_INET, true);
	settle();
	assert_int_equal(got[2].announced, 4000);
	assert_int_equal(got[2].borr, 1);
	assert_int_equal(got[2].eorr, 1);
	adjout_refresh(m, FAM_INET, false);
	adjout_refresh(m, FAM_INET6, true);
	settle();
	assert_int_equal(got[2].announced, 6000);
	assert_int_equal(got[2].borr, 2);
	assert_int_equal(got[2].eorr, 2);
	assert_int_equal(got[2].eor, 2);
	adjout_leave(m);
}

/* RFC 7313 4: no BoRR before the End-of-RIB. */
static void
refreshed_early(void **state)
{
	struct adjout_member *m = join(2);

	put(1, 0, make(1));
	adjout_refresh(m, FAM_INET, true);
	settle();
	assert_int_equal(got[2].borr, 1);
	assert_int_equal(got[2].eorr, 1);
	assert_int_equal(got[2].eor_at_borr, 2);
	assert_int_equal(got[2].announced, 2);
	adjout_leave(m);
}

/* RFC 7313 4: at the EoRR the peer drops what it was not told again, so what
 * changes during the refresh is told before it. */
static void
refreshed_in_change(void **state)
{
	struct adjout_member *m = join(2);

	for (unsigned int i = 0; i < 2000; i++)
		put(1, i, make(1));
	settle();
	got[2].full = true;
	adjout_refresh(m, FAM_INET, true);
	settle();
	assert_int_equal(got[2].borr, 1);
	assert_int_equal(got[2].eorr, 0);
	for (unsigned int i = 1000; i < 2000; i++)
		put(1, i, make(2));
	settle();
	got[2].full = false;
	adjout_resume(m);
	settle();
	assert_int_equal(got[2].eorr, 1);
	assert_int_equal(got[2].announced_at_eorr, got[2].announced);
	adjout_leave(m);
}

static void
outbound_limit(void **state)
{
	struct adjout_opts opts = { .max_prefixes = { 0, 3, 0 } };
	struct adjout_member *m = join(2);
	struct adjout_stats st;

	adjout_reexport(group, &opts);
	for (unsigned int i = 0; i < 5; i++)
		put(1, i, make(1));
	settle();
	adjout_stats(group, &st);
	assert_int_equal(got[2].announced, 3);
	assert_int_equal(st.prefixes[FAM_INET], 3);
	assert_int_equal(st.refused[FAM_INET], 2);
	/* What is told may change; what goes makes room. */
	put(1, 0, make(2));
	settle();
	assert_int_equal(got[2].announced, 4);
	del(1, 0);
	settle();
	adjout_stats(group, &st);
	assert_int_equal(st.prefixes[FAM_INET], 3);
	assert_int_equal(st.refused[FAM_INET], 1);
	/* A lower one is never exceeded either. */
	opts.max_prefixes[FAM_INET] = 1;
	adjout_reexport(group, &opts);
	settle();
	adjout_stats(group, &st);
	assert_int_equal(got[2].withdrawn, 3);
	assert_int_equal(st.prefixes[FAM_INET], 1);
	assert_int_equal(st.refused[FAM_INET], 3);
	opts.max_prefixes[FAM_INET] = 0;
	adjout_reexport(group, &opts);
	settle();
	adjout_stats(group, &st);
	assert_int_equal(st.prefixes[FAM_INET], 4);
	assert_int_equal(st.refused[FAM_INET], 0);
	adjout_leave(m);
}

static void
looked_at(void **state)
{
	struct adjout_member *a = join(1), *b = join(2);
	struct pfx at = { .addr.fam = FAM_NONE }, p = P(3);
	unsigned int budget = 100, n = 0;
	uint32_t id;

	for (unsigned int i = 0; i < 10; i++)
		put(1, i, make(1));
	settle();
	while (adjout_next(b, FAM_INET, &at, &budget) != 0)
		n++;
	assert_int_equal(n, 10);
	assert_int_equal(budget, 90);
	assert_true(adjout_find(b, &p, &id));
	assert_int_equal(id, make(1));
	assert_false(adjout_find(a, &p, &id));
	adjout_leave(a);
	adjout_leave(b);
}

/* A member that takes nothing is moved to and fro by every reload. */
static void
moved_while_blocked(void **state)
{
	struct adjout_opts none = { .max_session = 1 };
	struct adjout_group *a = group, *b = adjout_group_new(rib, &none);
	struct adjout_member *m = join(2);
	struct adjout_stats st;
	size_t once = 0;

	for (unsigned int i = 0; i < 100; i++)
		put(1, i, make(1));
	settle();
	got[2].full = true;
	put(1, 100, make(1));
	settle();
	/* More often than a destination's references can count. */
	for (unsigned int i = 0; i < 70000; i++) {
		adjout_move(m, i % 2 == 0 ? b : a);
		adjout_stats(adjout_group(m), &st);
		if (i == 2)
			once = st.memory;
	}
	adjout_move(m, b);
	adjout_stats(b, &st);
	assert_int_equal(st.memory, once);
	got[2].withdrawn = 0;
	adjout_resume(m);
	got[2].full = false;
	while (adjout_run(b, 1000, &calls))
		;
	/* All but the one that the limit of `b` lets out. */
	assert_int_equal(got[2].withdrawn, 100);
	adjout_leave(m);
	while (adjout_group_free(b, 1000))
		;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(packs, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    shared_encoding, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    not_to_the_source, setup, teardown),
		cmocka_unit_test_setup_teardown(slow_member, setup, teardown),
		cmocka_unit_test_setup_teardown(late_join, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    nothing_changed, setup, teardown),
		cmocka_unit_test_setup_teardown(refreshed, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    refreshed_early, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    refreshed_in_change, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    outbound_limit, setup, teardown),
		cmocka_unit_test_setup_teardown(looked_at, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    moved_while_blocked, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
