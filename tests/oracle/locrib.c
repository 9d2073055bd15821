/*
 * Random routes of several peers against a table [prefix][peer]: counters,
 * limits, stale marks, the best path, the ECMP set, and what the callback says
 * must be what a plain look at the table gives.
 */
#include <assert.h>
#include <string.h>

#include "rib/adjin.h"
#include "tests/oracle/oracle.h"

enum {
	PEERS = 6,
	NPFX = 90,
	NATTR = 12,
	ECMP = 3
};

struct cell {
	bool there, stale, malformed, held;
	uint32_t id;
	uint16_t reason;
};

static struct attrs_pool *pool;
static struct nexthops *hops;
static struct rib *rib;
static struct adjin *in[PEERS + 1];
static struct pfx pfxs[NPFX];
static uint32_t ids[NATTR];
static struct cell cell[NPFX][PEERS + 1];
static bool spare[PEERS + 1][FAM_N]; /* how it was marked stale last */
static struct adjin_limits limits[PEERS + 1];
/* What the callback said last. */
static uint32_t told_attrs[NPFX];
static uint16_t told_peer[NPFX];
static bool told_ecmp[NPFX][PEERS + 1];

static void
on_best(void *arg, const struct rib_change *c)
{
	struct rib_path p;
	uint32_t it = 0;
	unsigned int i;

	for (i = 0; !pfx_eq(&pfxs[i], c->pfx); i++)
		;
	assert(c->best_changed || c->ecmp_changed || c->hop_changed);
	assert(c->old_attrs == told_attrs[i]);
	assert(c->old_attrs == 0 || c->old_peer == told_peer[i]);
	assert(c->best_changed ==
	    (c->new_attrs != c->old_attrs ||
		(c->new_attrs != 0 && c->new_peer != c->old_peer)));
	told_attrs[i] = c->new_attrs;
	told_peer[i] = c->new_peer;
	memset(told_ecmp[i], 0, sizeof told_ecmp[i]);
	while (rib_paths(rib, c->dest, &it, &p))
		told_ecmp[i][p.peer] = p.ecmp;
}

static uint32_t
med_of(uint32_t id)
{
	struct attrs a;

	attrs_get(pool, id, &a);
	return a.med;
}

static bool
eligible(const struct cell *c)
{
	return c->there && c->reason == 0 &&
	    nexthop_at(hops, attrs_nexthop(pool, c->id))->reachable;
}

/* All routes differ in MED (one AS) and router id, which is the peer's. */
static void
check_prefix(unsigned int i)
{
	uint32_t d = rib_find(rib, &pfxs[i]), hop[ECMP], low = UINT32_MAX;
	unsigned int best = 0, nhop = 0;
	bool ecmp[PEERS + 1] = { false }, any = false;
	struct rib_path p;

	for (unsigned int k = 1; k <= PEERS; k++) {
		const struct cell *c = &cell[i][k];

		any |= c->there;
		if (eligible(c) && med_of(c->id) < low) {
			low = med_of(c->id);
			best = k;
		}
	}
	for (unsigned int k = best; best != 0 && k <= PEERS; k++) {
		uint32_t h = attrs_nexthop(pool, cell[i][k].id);
		bool again = false;

		if (!eligible(&cell[i][k]) || med_of(cell[i][k].id) != low ||
		    nhop == ECMP)
			continue;
		for (unsigned int j = 0; j < nhop; j++)
			again |= hop[j] == h;
		if (!again) {
			hop[nhop++] = h;
			ecmp[k] = true;
		}
	}
	if (nhop == 1)
		ecmp[best] = false;
	assert((d != 0) == any);
	if (d == 0) {
		assert(told_attrs[i] == 0);
		return;
	}
	assert(rib_best(rib, d, &p) == (best != 0));
	assert(told_attrs[i] == (best == 0 ? 0 : cell[i][best].id));
	if (best != 0) {
		assert(p.peer == best && p.attrs == cell[i][best].id);
		assert(told_peer[i] == best);
	}
	for (uint32_t it = 0; rib_paths(rib, d, &it, &p);) {
		const struct cell *c = &cell[i][p.peer];

		assert(c->there && c->reason == p.reason);
		assert(c->stale == p.stale && c->held == p.held);
		assert(p.best == (p.peer == best));
		assert(p.ecmp == ecmp[p.peer]);
		assert(told_ecmp[i][p.peer] == ecmp[p.peer]);
	}
}

static void
check_peer(unsigned int k, enum fam f)
{
	const struct adjin_count *n = adjin_count(in[k], f);
	struct adjin_count want = { 0 };
	unsigned int budget = 3, seen = 0, have = 0;
	struct adjin_walk *w = adjin_walk_new(in[k], f);
	enum adjin_step step;
	struct pfx p, last = { .addr.fam = FAM_NONE };
	struct rib_path v;

	for (unsigned int i = 0; i < NPFX; i++) {
		const struct cell *c = &cell[i][k];

		if (!c->there || pfxs[i].addr.fam != f)
			continue;
		have++;
		want.stale += c->stale;
		want.malformed += c->malformed;
		want.held += c->held;
		if (c->malformed || c->held)
			continue;
		want.received++;
		want.accepted += c->reason == 0;
		want.rejected += c->reason != 0;
		want.spared += c->stale && spare[k][f];
		want.spared_accepted +=
		    c->stale && spare[k][f] && c->reason == 0;
	}
	assert(memcmp(n, &want, sizeof want) == 0);
	while ((step = adjin_walk_next(w, &budget, &p, &v)) != ADJIN_STEP_END) {
		if (step == ADJIN_STEP_LATER) {
			budget = 1 + rnd(5);
			continue;
		}
		assert(pfx_cmp(&last, &p) < 0 && v.peer == k);
		last = p;
		seen++;
	}
	adjin_walk_free(w);
	assert(seen == have);
}

static void
check(void)
{
	struct rib_stats st;
	size_t paths = 0;

	while (rib_nexthop_run(rib, 1 + rnd(50)) |
	    rib_run(rib, 1 + rnd(20), on_best, NULL))
		;
	for (unsigned int i = 0; i < NPFX; i++) {
		check_prefix(i);
		for (unsigned int k = 1; k <= PEERS; k++)
			paths += cell[i][k].there;
	}
	for (unsigned int k = 1; k <= PEERS; k++)
		for (enum fam f = FAM_INET; f < FAM_N; f++)
			check_peer(k, f);
	rib_stats(rib, &st);
	assert(st.paths[1] + st.paths[2] == paths && st.dirty == 0);
}

/* Does it count against the limits, of what is accepted or of all? */
static bool
limited(unsigned int k, unsigned int i, bool accepted)
{
	const struct cell *c = &cell[i][k];

	return c->there && !c->malformed && !c->held &&
	    !(accepted && c->reason != 0) &&
	    !(c->stale && spare[k][pfxs[i].addr.fam]);
}

/* The limit that one more of the family crosses, or 0; the session's first. */
static uint32_t
crossed(unsigned int k, enum fam f, bool accepted)
{
	const struct adjin_limits *l = &limits[k];
	uint32_t all = accepted ? l->accepted : l->received;
	uint32_t own = accepted ? l->accepted_fam[f] : l->received_fam[f];
	uint32_t n[FAM_N] = { 0 };

	for (unsigned int i = 0; i < NPFX; i++)
		n[pfxs[i].addr.fam] += limited(k, i, accepted);
	if (all != 0 && n[FAM_INET] + n[FAM_INET6] >= all)
		return all;
	return own != 0 && n[f] >= own ? own : 0;
}

static void
check_limits(unsigned int k, unsigned int i, const struct adjin_route *r)
{
	const struct cell *c = &cell[i][k];
	enum fam f = pfxs[i].addr.fam;
	uint32_t limit = 0, want = crossed(k, f, false);
	bool stays = c->there && c->stale && spare[k][f] && r->again;

	if (limited(k, i, false) || r->flags & ADJIN_MALFORMED)
		want = 0;
	assert(adjin_admit(in[k], &pfxs[i], r->flags, &limit) ==
	    (want != 0                 ? ADJIN_OVER_LIMIT
		    : pfxs[i].len > 24 ? ADJIN_TOO_LONG
				       : ADJIN_OK));
	assert(limit == want);
	assert(adjin_may_accept(in[k], &pfxs[i], r->again) ==
	    (crossed(k, f, true) == 0 || limited(k, i, true) || stays));
}

static void
put(unsigned int k, unsigned int i)
{
	struct cell *c = &cell[i][k], was = *c;
	struct adjin_route r = { 0 };
	enum adjin_change ch;

	r.attrs_in = ids[rnd(NATTR)];
	r.reason = (uint16_t)(rnd(3) == 0 ? 1 + rnd(40) : 0);
	/* Only what came in is looked at again. */
	r.again = was.there && !was.malformed && !was.held && rnd(4) == 0;
	if (r.reason != 0 && !r.again && rnd(4) == 0) {
		r.flags = ADJIN_MALFORMED;
		r.attrs_in = 0;
	}
	check_limits(k, i, &r);
	if ((!r.again &&
		adjin_admit(in[k], &pfxs[i], r.flags, NULL) ==
		    ADJIN_OVER_LIMIT) ||
	    (r.reason == 0 && !adjin_may_accept(in[k], &pfxs[i], r.again))) {
		r.reason = 50;
		r.flags |= ADJIN_HELD;
	}
	r.attrs = r.reason == 0 ? r.attrs_in : 0;
	ch = adjin_put(in[k], &pfxs[i], &r, 5);
	*c = (struct cell){ true, was.stale && r.again,
		r.flags & ADJIN_MALFORMED, !!(r.flags & ADJIN_HELD), r.attrs_in,
		r.reason };
	if (!was.there)
		assert(ch == ADJIN_NEW);
	else
		assert((ch == ADJIN_SAME) ==
		    (was.id == c->id && was.reason == c->reason &&
			was.malformed == c->malformed && was.held == c->held));
}

/* None of them is one that nothing reaches. */
static void
set_limits(unsigned int k)
{
	struct adjin_limits l = { .received = 40 + rnd(40),
		.received_fam = { 0, rnd(50), rnd(50) },
		.accepted = rnd(60),
		.accepted_fam = { 0, rnd(40), rnd(40) },
		.max_len = { 0, 24, 24 } };

	limits[k] = l;
	adjin_set_limits(in[k], &l);
}

static void
sweep(unsigned int k, enum fam f)
{
	while (adjin_sweep(in[k], f, 1 + rnd(10)))
		;
	for (unsigned int i = 0; i < NPFX; i++)
		if (pfxs[i].addr.fam == f && cell[i][k].stale)
			memset(&cell[i][k], 0, sizeof cell[i][k]);
}

static void
op(void)
{
	unsigned int k = 1 + rnd(PEERS), i = rnd(NPFX), what = rnd(100);
	enum fam f = rnd(2) ? FAM_INET : FAM_INET6;

	if (what < 60)
		put(k, i);
	else if (what < 85) {
		assert(adjin_del(in[k], &pfxs[i]) == cell[i][k].there);
		memset(&cell[i][k], 0, sizeof cell[i][k]);
	} else if (what < 88) {
		spare[k][f] = rnd(2);
		adjin_mark_stale(in[k], f, spare[k][f]);
		for (i = 0; i < NPFX; i++)
			if (pfxs[i].addr.fam == f && cell[i][k].there)
				cell[i][k].stale = true;
	} else if (what < 89)
		sweep(k, f);
	else if (what < 92) {
		uint32_t h = attrs_nexthop(pool, ids[rnd(NATTR)]);

		nexthop_set_state(hops, h, rnd(4) > 0, rnd(3), 0);
	} else if (what < 98)
		rib_run(rib, rnd(10), on_best, NULL);
	else if (what < 99)
		rib_nexthop_run(rib, 1 + rnd(100));
	else if (rnd(2) == 0)
		set_limits(k);
	else if (rnd(5) == 0) {
		while (adjin_flush(in[k], 1 + rnd(20)))
			;
		for (i = 0; i < NPFX; i++)
			memset(&cell[i][k], 0, sizeof cell[i][k]);
	}
}

static void
setup(void)
{
	uint8_t key[16] = { 0 }, path[6] = { SEG_SEQUENCE, 1, 0, 0, 0, 10 };

	hops = nexthops_new();
	pool = attrs_pool_new(key, hops);
	rib = rib_new(pool);
	rib_set_multipath(rib, ECMP);
	for (unsigned int i = 0; i < NATTR; i++) {
		struct attrs a = { .med = i / 6 };

		a.has = 1 << HAS_AS_PATH | 1 << HAS_MED;
		a.as_path = (struct octets){ path, sizeof path };
		a.nexthop = addr_v4(0x0a000001 + i % 6);
		ids[i] = attrs_intern(pool, &a);
		nexthop_set_state(
		    hops, attrs_nexthop(pool, ids[i]), true, 1, 0);
	}
	for (unsigned int i = 0; i < NPFX; i++) {
		struct addr a = { .fam = i % 2 ? FAM_INET6 : FAM_INET };

		a.o[0] = 32;
		a.o[1] = (uint8_t)i;
		pfx_make(&pfxs[i], &a, i % 10 == 0 ? 25 : 24);
	}
	for (uint16_t k = 1; k <= PEERS; k++) {
		struct rib_peer p = {
			.as = 10, .router_id = k, .addr = addr_v4(k)
		};

		rib_peer_set(rib, k, &p);
		in[k] = adjin_new(rib, k);
		set_limits(k);
	}
}

int
main(int argc, char **argv)
{
	unsigned long rounds = oracle_begin(argc, argv, 400);
	struct attrs_stats st;

	setup();
	for (unsigned long r = 0; r < rounds; r++) {
		for (unsigned int n = rnd(300); n > 0; n--)
			op();
		check();
	}
	for (unsigned int k = 1; k <= PEERS; k++)
		adjin_free(in[k]);
	memset(cell, 0, sizeof cell);
	while (rib_run(rib, 10, on_best, NULL))
		;
	for (unsigned int i = 0; i < NPFX; i++)
		assert(rib_find(rib, &pfxs[i]) == 0 && told_attrs[i] == 0);
	rib_free(rib);
	for (unsigned int i = 0; i < NATTR; i++)
		attrs_unref(pool, ids[i]);
	attrs_stats(pool, &st);
	assert(st.sets == 0 && st.refs == 0);
	assert(nexthops_count(hops) == 0);
	attrs_pool_free(pool);
	nexthops_free(hops);
	return 0;
}
