/*
 * Random announcements, withdrawals, joins, leaves, stalls, refreshes and
 * moves between groups, with limits and without.  A naive twin of each member
 * applies the messages it was sent; at the end of each round, when all is
 * quiet, it must hold exactly what the export of the RIB says, but for what a
 * limit that is full refuses.  Then nothing may be sent any more.
 */
#include <assert.h>
#include <string.h>

#include "rib/adjin.h"
#include "rib/adjout.h"
#include "tests/oracle/oracle.h"

enum {
	PEERS = 5,
	GROUPS = 2,
	NPFX = 2500,
	NATTR = 9,
	LARGE = NATTR /* the MED of what fits into a long message only */
};

struct twin {
	struct adjout_member *m;
	unsigned int group;
	uint32_t med[NPFX]; /* told, plus 1; 0: not told */
	bool full, eor[FAM_N];
	unsigned int room;
	unsigned int messages, needless;
	bool quiet; /* nothing may come */
	bool stale[NPFX], borr[FAM_N]; /* RFC 7313 4 */
	struct wire_neg neg;
};

static struct attrs_pool *pool;
static struct rib *rib;
static struct adjin *in[PEERS + 1];
static struct adjout_group *group[GROUPS];
static struct twin twin[PEERS + 1];
static struct pfx pfxs[NPFX];
static uint32_t attrs_of[NATTR];
static struct adjout_opts opts[GROUPS];
static unsigned int deny[GROUPS]; /* prefixes with n % 7 == deny are not told */

static unsigned int
pfx_index(const struct pfx *p)
{
	unsigned int i = p->addr.o[1] << 8 | p->addr.o[2];

	assert(i < NPFX && pfx_eq(p, &pfxs[i]));
	return i;
}

/* Group g tells med + 100 * g, so that moves change what is told. */
static uint32_t
export_med(unsigned int g, unsigned int i, uint32_t med)
{
	if (i % 7 == deny[g] || (med == 3 && g == 1))
		return 0;
	return med == 4 ? 4 : med + 100 * g;
}

static uint32_t
export_one(void *arg, const struct pfx *p, const struct rib_path *best)
{
	unsigned int g = *(unsigned int *)arg;
	struct attrs a;
	uint32_t med;

	attrs_get(pool, best->attrs, &a);
	med = export_med(g, pfx_index(p), a.med);
	if (med == 0)
		return 0;
	a.med = med;
	return attrs_intern(pool, &a);
}

static void
twin_apply(struct twin *t, const struct update *u)
{
	struct cur c[4] = { u->withdrawn, u->mp_unreach, u->nlri, u->mp_reach };
	enum fam fam[4] = { FAM_INET, u->mp_unreach_fam, FAM_INET,
		u->mp_reach_fam };
	struct pfx p;

	for (int i = 0; i < 4; i++) {
		enum fam f = fam[i];

		while (wire_nlri_next(&c[i], f, &p)) {
			uint32_t *v = &t->med[pfx_index(&p)];

			assert(t->neg.mp[f]);
			if (i < 2) {
				t->needless += *v == 0;
				*v = 0;
			} else
				*v = u->attrs.med + 1;
			t->stale[pfx_index(&p)] = false;
		}
	}
	if (u->eor != FAM_NONE) {
		assert(!t->eor[u->eor]);
		t->eor[u->eor] = true;
	}
}

/* What was not told again between BoRR and EoRR is gone. */
static void
twin_refresh(struct twin *t, enum fam f, uint8_t subtype)
{
	assert(subtype == REFRESH_BORR || t->borr[f]);
	assert(t->eor[f]);
	t->borr[f] = subtype == REFRESH_BORR;
	for (unsigned int i = 0; i < NPFX; i++) {
		if (pfxs[i].addr.fam != f)
			continue;
		if (subtype == REFRESH_EORR && t->stale[i])
			t->med[i] = 0;
		t->stale[i] = subtype == REFRESH_BORR;
	}
}

static bool
take(void *arg, struct adjout_member *m, const uint8_t *msg, size_t len)
{
	struct twin *t = adjout_user(m);
	struct arena arena;
	struct update u;
	struct wire_hdr h;
	struct wire_err err;
	struct cur cur, body;

	assert(!t->quiet);
	assert(t->m == m);
	cur_init(&cur, msg, len);
	assert(wire_frame(&cur, t->neg.ext_tx, &h, &body, &err) == FRAME_MSG);
	assert(cur_left(&cur) == 0);
	t->messages++;
	if (h.type == MSG_ROUTE_REFRESH) {
		struct wire_refresh r;

		assert(wire_refresh_parse(&body, true, &r, &err) == WIRE_OK);
		twin_refresh(t, r.fam, r.subtype);
		return true;
	}
	assert(h.type == MSG_UPDATE);
	arena_init(&arena);
	if (wire_update_parse(&body, &t->neg, &u, &arena) != WIRE_OK) {
		fprintf(stderr, "bad UPDATE: %s (%s)\n",
		    u.err.why ? u.err.why : "-", u.err.rfc ? u.err.rfc : "-");
		abort();
	}
	twin_apply(t, &u);
	arena_fini(&arena);
	if (t->room > 0)
		t->room--;
	t->full = t->room == 0;
	return !t->full;
}

static void
on_best(void *arg, const struct rib_change *c)
{
	for (unsigned int g = 0; g < GROUPS; g++)
		adjout_mark(group[g], c->dest);
}

static void
turn(unsigned int budget)
{
	rib_run(rib, budget, on_best, NULL);
	for (unsigned int g = 0; g < GROUPS; g++) {
		struct adjout_calls calls = { export_one, take, &g };

		adjout_run(group[g], budget, &calls);
	}
}

static void
settle(void)
{
	bool more = true;
	unsigned int n = 0;

	while (more) {
		more = rib_run(rib, 100, on_best, NULL);
		for (unsigned int i = 1; i <= PEERS; i++)
			if (twin[i].m != NULL) {
				twin[i].room = 1000000;
				adjout_resume(twin[i].m);
			}
		for (unsigned int g = 0; g < GROUPS; g++) {
			struct adjout_calls calls = { export_one, take, &g };

			more |= adjout_run(group[g], 100, &calls);
		}
		assert(++n < 100000);
	}
}

/* The MED to tell for a prefix, whoever the members are; 0: not to be told. */
static uint32_t
group_med(unsigned int g, unsigned int n, unsigned int *source, uint32_t *med)
{
	uint32_t d = rib_find(rib, &pfxs[n]);
	struct rib_path best;
	struct attrs a;

	if (d == 0 || !rib_best(rib, d, &best))
		return 0;
	attrs_get(pool, best.attrs, &a);
	*source = best.peer;
	*med = a.med;
	return export_med(g, n, a.med);
}

/* Is it to be told to this member, if it is told at all? */
static bool
for_member(unsigned int i, unsigned int n, unsigned int source, uint32_t med)
{
	/* Nor with its own address as next hop, or in more than a message. */
	return source != i && med != i && twin[i].neg.mp[pfxs[n].addr.fam] &&
	    (med != LARGE || twin[i].neg.ext_tx);
}

static void
check_twin(unsigned int i, const bool told[NPFX])
{
	struct twin *t = &twin[i];

	assert(adjout_synced(t->m));
	for (unsigned int n = 0; n < NPFX; n++) {
		unsigned int source;
		uint32_t got = 0, id,
			 want = group_med(t->group, n, &source, &got);

		if (!told[n] || want == 0 || !for_member(i, n, source, got))
			want = 0;
		else
			want++;
		if (want != t->med[n])
			printf("peer %u group %u prefix %u: told %u, should "
			       "be %u\n",
			    i, t->group, n, t->med[n], want);
		assert(want == t->med[n]);
		/* What a message cannot hold is found out when it is made. */
		assert(got == LARGE ||
		    adjout_find(t->m, &pfxs[n], &id) == (want != 0));
	}
	for (enum fam f = FAM_INET; f < FAM_N; f++)
		assert(t->eor[f] == t->neg.mp[f]);
	assert(!t->borr[FAM_INET] && !t->borr[FAM_INET6]);
}

/* What a limit refuses is told to nobody, and no more than that is refused. */
static void
check_group(unsigned int g, bool told[NPFX])
{
	const struct adjout_opts *o = &opts[g];
	uint32_t want[FAM_N] = { 0 }, all;
	struct adjout_stats st;

	adjout_stats(group[g], &st);
	assert(st.tombstones == 0 && st.dirty == 0);
	for (unsigned int n = 0; n < NPFX; n++) {
		enum fam f = (enum fam)pfxs[n].addr.fam;
		bool one = false, none = true;
		unsigned int source;
		uint32_t med;

		if (group_med(g, n, &source, &med) == 0)
			continue;
		want[f]++;
		for (unsigned int i = 1; i <= PEERS; i++)
			if (twin[i].m != NULL && twin[i].group == g &&
			    for_member(i, n, source, med)) {
				none = false;
				one |= twin[i].med[n] != 0;
			}
		told[n] = one || (none && st.refused[f] == 0);
		assert(told[n] || st.refused[f] > 0);
	}
	all = st.prefixes[FAM_INET] + st.prefixes[FAM_INET6];
	assert(o->max_session == 0 || all <= o->max_session);
	for (enum fam f = FAM_INET; f < FAM_N; f++) {
		assert(st.prefixes[f] + st.refused[f] == want[f]);
		assert(o->max_prefixes[f] == 0 ||
		    st.prefixes[f] <= o->max_prefixes[f]);
		assert(st.refused[f] == 0 || all == o->max_session ||
		    st.prefixes[f] == o->max_prefixes[f]);
	}
}

static void
check(void)
{
	static bool told[GROUPS][NPFX];

	memset(told, 0, sizeof told);
	for (unsigned int g = 0; g < GROUPS; g++)
		check_group(g, told[g]);
	for (unsigned int i = 1; i <= PEERS; i++)
		if (twin[i].m != NULL)
			check_twin(i, told[twin[i].group]);
}

static void
join(unsigned int i)
{
	struct twin *t = &twin[i];

	memset(t, 0, sizeof *t);
	t->group = rnd(GROUPS);
	t->neg.as4 = rnd(4) > 0;
	t->neg.mp[FAM_INET] = rnd(8) > 0;
	t->neg.mp[FAM_INET6] = rnd(2) > 0;
	t->neg.ext_tx = t->neg.ext_rx = rnd(4) == 0;
	t->neg.ext_nexthop = t->neg.internal = true;
	t->room = 1 + rnd(50);
	t->m = adjout_join(group[t->group], (uint16_t)i, &t->neg, t);
}

static void
op(void)
{
	unsigned int i = 1 + rnd(PEERS), n = rnd(NPFX), k = rnd(100);
	struct twin *t = &twin[i];
	uint32_t id = attrs_of[rnd(NATTR)];
	struct adjin_route r = { id, id, 0, 0 };

	if (k < 50)
		adjin_put(in[i], &pfxs[n], &r, 1);
	else if (k < 75)
		adjin_del(in[i], &pfxs[n]);
	else if (k < 78 && t->m == NULL)
		join(i);
	else if (k < 79 && t->m != NULL) {
		adjout_leave(t->m);
		t->m = NULL;
	} else if (k < 80 && t->m != NULL)
		adjout_refresh(t->m, rnd(2) ? FAM_INET : FAM_INET6, rnd(2));
	else if (k < 81 && t->m != NULL) {
		t->group = rnd(GROUPS);
		adjout_move(t->m, group[t->group]);
	} else if (k < 82) {
		unsigned int g = rnd(GROUPS);

		deny[g] = rnd(9);
		/* Mostly none; sometimes few are told. */
		memset(&opts[g], 0, sizeof opts[g]);
		if (rnd(3) == 0)
			opts[g].max_session = 1 + rnd(NPFX / 2);
		if (rnd(3) == 0)
			opts[g].max_prefixes[1 + rnd(2)] = 1 + rnd(NPFX / 4);
		adjout_reexport(group[g], &opts[g]);
	} else if (k < 85 && t->m != NULL) {
		t->room = 1 + rnd(20);
		adjout_resume(t->m);
	} else if (k < 86) {
		bool all = rnd(8) == 0;

		for (n = 0; n < NPFX; n++)
			if (all || rnd(8) == 0)
				adjin_del(in[i], &pfxs[n]);
	} else if (k < 87)
		for (n = rnd(NPFX); n < NPFX && rnd(900) > 0; n++)
			adjin_put(in[i], &pfxs[n], &r, 1);
	else if (k < 97)
		turn(1 + rnd(300));
}

/* Marked, but not changed: no message. */
static void
nothing_new(void)
{
	for (unsigned int i = 1; i <= PEERS; i++)
		twin[i].quiet = true;
	for (unsigned int n = 0; n < NPFX; n++) {
		uint32_t d = rib_find(rib, &pfxs[n]);

		if (d == 0)
			continue;
		rib_mark(rib, d);
		for (unsigned int g = 0; g < GROUPS; g++)
			adjout_mark(group[g], d);
	}
	for (unsigned int g = 0; g < GROUPS; g++)
		adjout_reexport(group[g], NULL);
	settle();
	for (unsigned int i = 1; i <= PEERS; i++)
		twin[i].quiet = false;
}

/* Of peer i, and the next hop of the routes with MED i. */
static struct addr
address(unsigned int i)
{
	struct addr a = { .fam = FAM_INET6 };

	a.o[0] = 0x20;
	a.o[15] = (uint8_t)i;
	return a;
}

static void
setup(void)
{
	static const uint8_t large[4 * 1024];
	uint8_t key[16] = { 1, 2, 3 }, path[6] = { SEG_SEQUENCE, 1, 0, 0, 1 };

	pool = attrs_pool_new(key, NULL);
	rib = rib_new(pool);
	for (unsigned int i = 0; i < NATTR; i++) {
		struct attrs a = { .med = i + 1 };

		a.has = 1 << HAS_ORIGIN | 1 << HAS_AS_PATH | 1 << HAS_MED |
		    1 << HAS_NEXT_HOP | 1 << HAS_LOCAL_PREF;
		path[5] = 10;
		a.as_path = (struct octets){ path, sizeof path };
		a.nexthop = address(i + 1);
		if (a.med == LARGE)
			a.comms = (struct octets){ large, sizeof large };
		attrs_of[i] = attrs_intern(pool, &a);
		nexthop_set_state(attrs_nexthops(pool),
		    attrs_nexthop(pool, attrs_of[i]), true, 1, 0);
	}
	for (unsigned int i = 0; i < NPFX; i++) {
		struct addr a = { .fam = i % 3 == 0 ? FAM_INET6 : FAM_INET };

		a.o[0] = i % 3 == 0 ? 0x20 : 11;
		a.o[1] = (uint8_t)(i >> 8);
		a.o[2] = (uint8_t)i;
		pfx_make(&pfxs[i], &a, 24);
	}
	for (uint16_t i = 1; i <= PEERS; i++) {
		struct rib_peer p = {
			.as = i, .router_id = i, .addr = address(i)
		};

		rib_peer_set(rib, i, &p);
		in[i] = adjin_new(rib, i);
	}
	for (unsigned int g = 0; g < GROUPS; g++)
		group[g] = adjout_group_new(rib, NULL);
}

static void
teardown(void)
{
	struct attrs_stats st;
	struct rib_stats rs;

	for (unsigned int i = 1; i <= PEERS; i++) {
		adjout_leave(twin[i].m);
		twin[i].m = NULL;
		adjin_free(in[i]);
	}
	for (unsigned int g = 0; g < GROUPS; g++)
		while (adjout_group_free(group[g], 100))
			;
	while (rib_run(rib, 100, NULL, NULL))
		;
	rib_stats(rib, &rs);
	assert(rs.dests[1] == 0 && rs.dests[2] == 0 && rs.paths[1] == 0);
	for (unsigned int i = 0; i < NATTR; i++)
		attrs_unref(pool, attrs_of[i]);
	attrs_stats(pool, &st);
	assert(st.sets == 0 && st.refs == 0);
	rib_free(rib);
	attrs_pool_free(pool);
}

static void
ignore(void *arg, const struct rib_change *c)
{
}

int
main(int argc, char **argv)
{
	unsigned long rounds = oracle_begin(argc, argv, 150);

	setup();
	for (unsigned long r = 0; r < rounds; r++) {
		for (unsigned int n = rnd(1500); n > 0; n--)
			op();
		settle();
		check();
		nothing_new();
		check();
	}
	for (unsigned int i = 1; i <= PEERS; i++)
		if (twin[i].m != NULL)
			adjout_leave(twin[i].m);
	memset(twin, 0, sizeof twin);
	for (unsigned int i = 1; i <= PEERS; i++)
		while (adjin_flush(in[i], 50))
			;
	while (rib_run(rib, 100, ignore, NULL))
		;
	teardown();
	return 0;
}
