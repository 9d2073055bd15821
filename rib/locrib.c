#include "rib/locrib.h"

#include <assert.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "rib/store.h"

static void ghost_drop(struct rib *, struct dest *);

static void
dest_key(const void *rib, uint32_t dest, struct pfx *p)
{
	rib_dest_pfx(rib, dest, p);
}

struct rib *
rib_new(struct attrs_pool *pool)
{
	struct rib *rib = mem_alloc(sizeof *rib);

	rib->pool = pool;
	rib->hops = attrs_nexthops(pool);
	rib->max_ecmp = 1;
	rib->lap_at = 1;
	slab_init(&rib->paths, sizeof(struct path));
	for (enum fam f = FAM_INET; f < FAM_N; f++) {
		size_t size = offsetof(struct dest, addr) + fam_bits(f) / 8;

		rib->trie[f] = trie_new_keyed(f, dest_key, rib);
		slab_init(&rib->dests[f], (size + 3) & ~(size_t)3);
	}
	return rib;
}

void
rib_free(struct rib *rib)
{
	if (rib == NULL)
		return;
	for (enum fam f = FAM_INET; f < FAM_N; f++) {
		struct pfx at = { .addr.fam = FAM_NONE };
		uint32_t d;

		while ((d = trie_next(rib->trie[f], &at)) != 0) {
			struct dest *dest = rib_dest_at(rib, d);

			dest->refs = 1; /* stays until we are through */
			while (dest->first != 0)
				if (is_ghost(rib_path_at(rib, dest->first)))
					ghost_drop(rib, dest);
				else
					rib_path_del(rib, dest->first);
		}
		trie_free(rib->trie[f]);
		slab_fini(&rib->dests[f]);
	}
	slab_fini(&rib->paths);
	idq_fini(&rib->dirty);
	free(rib->peers);
	free(rib->cand);
	free(rib->route);
	free(rib->view);
	free(rib->lost);
	free(rib);
}

struct attrs_pool *
rib_attrs(const struct rib *rib)
{
	return rib->pool;
}

/* ---- peers ------------------------------------------------------------ */

struct peer_slot *
rib_peer_slot(struct rib *rib, uint16_t peer)
{
	if (peer >= rib->npeers) {
		uint32_t n = rib->npeers == 0 ? 4 : 2 * rib->npeers;

		if (n <= peer)
			n = peer + 1U;
		rib->peers = mem_realloc(rib->peers, n, sizeof *rib->peers);
		memset(rib->peers + rib->npeers, 0,
		    (n - rib->npeers) * sizeof *rib->peers);
		rib->npeers = n;
	}
	return &rib->peers[peer];
}

static bool
facts_eq(const struct rib_peer *a, const struct rib_peer *b)
{
	return a->internal == b->internal && a->as == b->as &&
	    a->router_id == b->router_id && a->weight == b->weight &&
	    addr_eq(&a->addr, &b->addr);
}

void
rib_peer_set(struct rib *rib, uint16_t peer, const struct rib_peer *facts)
{
	struct peer_slot *s = rib_peer_slot(rib, peer);

	if (s->npaths > 0 && !facts_eq(&s->facts, facts))
		rib->peers_pending = s->pending = true;
	s->facts = *facts;
}

const struct rib_peer *
rib_peer_get(const struct rib *rib, uint16_t peer)
{
	static const struct rib_peer unknown;

	return peer < rib->npeers ? &rib->peers[peer].facts : &unknown;
}

void
rib_set_multipath(struct rib *rib, unsigned int max)
{
	max = max < 1 ? 1 : max > RIB_ECMP_MAX ? RIB_ECMP_MAX : max;
	if (max == rib->max_ecmp)
		return;
	rib->max_ecmp = max;
	for (uint32_t i = 0; i < rib->npeers; i++)
		if (rib->peers[i].npaths > 0)
			rib->peers_pending = rib->peers[i].pending = true;
}

/* ---- destinations ----------------------------------------------------- */

uint32_t
rib_find(const struct rib *rib, const struct pfx *p)
{
	if (p->addr.fam == FAM_NONE || p->addr.fam >= FAM_N)
		return 0;
	return trie_get(rib->trie[p->addr.fam], p);
}

uint32_t
rib_longest(const struct rib *rib, const struct pfx *p, struct pfx *found)
{
	return trie_longest(rib->trie[p->addr.fam], p, found);
}

uint32_t
rib_shorter(const struct rib *rib, const struct pfx *p, struct pfx *found)
{
	return trie_shorter(rib->trie[p->addr.fam], p, found);
}

uint32_t
rib_next(const struct rib *rib, enum fam fam, struct pfx *at)
{
	return trie_next(rib->trie[fam], at);
}

void
rib_dest_pfx(const struct rib *rib, uint32_t dest, struct pfx *p)
{
	const struct dest *d = rib_dest_at(rib, dest);

	addr_set(&p->addr, rib_dest_fam(dest), d->addr);
	p->len = d->len;
}

/* One way down the trie, whether it is there or not: mostly it is not. */
uint32_t
rib_dest_get(struct rib *rib, const struct pfx *p)
{
	enum fam fam = p->addr.fam;
	uint32_t n = slab_new(&rib->dests[fam]) << 1 | (fam == FAM_INET6);
	struct dest *d = rib_dest_at(rib, n);
	uint32_t there;

	d->len = p->len;
	memcpy(d->addr, p->addr.o, fam_bits(fam) / 8);
	there = trie_add(rib->trie[fam], p, n);
	if (there != n)
		slab_del(&rib->dests[fam], n >> 1);
	return there;
}

static void
dest_maybe_free(struct rib *rib, uint32_t n)
{
	struct dest *d = rib_dest_at(rib, n);
	enum fam fam = rib_dest_fam(n);
	struct pfx p;

	if (d->first != 0 || d->refs > 0 || d->dirty)
		return;
	rib_dest_pfx(rib, n, &p);
	trie_del(rib->trie[fam], &p);
	slab_del(&rib->dests[fam], n >> 1);
}

void
rib_dest_ref(struct rib *rib, uint32_t dest)
{
	struct dest *d = rib_dest_at(rib, dest);

	assert(d->refs < UINT16_MAX);
	d->refs++;
}

void
rib_dest_unref(struct rib *rib, uint32_t dest)
{
	rib_dest_at(rib, dest)->refs--;
	dest_maybe_free(rib, dest);
}

/* ---- paths ------------------------------------------------------------ */

uint32_t
rib_path_find(const struct rib *rib, uint32_t dest, uint16_t peer)
{
	uint32_t id = rib_dest_at(rib, dest)->first;

	for (; id != 0; id = rib_path_at(rib, id)->next) {
		const struct path *p = rib_path_at(rib, id);

		if (p->peer == peer && !is_ghost(p))
			break;
	}
	return id;
}

uint32_t
rib_path_add(struct rib *rib, uint32_t dest, uint16_t peer)
{
	struct dest *d = rib_dest_at(rib, dest);
	uint32_t id = slab_new(&rib->paths);
	struct path *p = rib_path_at(rib, id);
	uint32_t *at = &d->first;

	/* Behind the best one, which stands first. */
	if (*at != 0)
		at = &rib_path_at(rib, *at)->next;
	p->next = *at;
	*at = id;
	p->dest = dest;
	p->peer = peer & 0x3fffU; /* RIB_PEER_MAX */
	rib_peer_slot(rib, peer)->npaths++;
	rib->npaths[rib_dest_fam(dest)]++;
	return id;
}

static void
path_use(struct rib *rib, const struct path *p, bool use)
{
	uint32_t hop = attrs_nexthop(rib->pool, p->after);

	if (hop == 0)
		return;
	if (use)
		nexthop_use(rib->hops, hop);
	else
		nexthop_unuse(rib->hops, hop);
}

static bool
path_usable(const struct path *p)
{
	return p->reason == 0 && !p->held && !p->malformed && p->after != 0;
}

/* The best path is about to change: what it was stays in front. */
static void
ghost_leave(struct rib *rib, uint32_t id)
{
	struct path *p = rib_path_at(rib, id), *ghost;
	struct dest *d = rib_dest_at(rib, p->dest);
	uint32_t n = slab_new(&rib->paths);

	ghost = rib_path_at(rib, n);
	ghost->dest = p->dest;
	ghost->after = p->after;
	ghost->peer = p->peer;
	ghost->since = p->since;
	ghost->best = ghost->malformed = ghost->held = 1;
	attrs_ref(rib->pool, ghost->after);
	ghost->next = d->first;
	d->first = n;
	p->best = 0;
}

/* The first path is a ghost, and is not needed any more. */
static void
ghost_drop(struct rib *rib, struct dest *d)
{
	uint32_t n = d->first;
	struct path *ghost = rib_path_at(rib, n);

	d->first = ghost->next;
	attrs_unref(rib->pool, ghost->after);
	ghost->dest = 0;
	slab_del(&rib->paths, n);
}

bool
rib_path_set(
    struct rib *rib, uint32_t id, const struct adjin_route *r, uint32_t now_s)
{
	struct path *p = rib_path_at(rib, id), old = *p;

	if (p->in == r->attrs_in && p->after == r->attrs &&
	    p->reason == r->reason &&
	    p->malformed == !!(r->flags & ADJIN_MALFORMED) &&
	    p->held == !!(r->flags & ADJIN_HELD))
		return false;
	if (p->best && p->after != r->attrs)
		ghost_leave(rib, id);
	attrs_ref(rib->pool, r->attrs_in);
	attrs_ref(rib->pool, r->attrs);
	p->in = r->attrs_in;
	p->after = r->attrs;
	p->reason = r->reason & 0xfffU; /* RIB_REASON_MAX */
	p->malformed = !!(r->flags & ADJIN_MALFORMED);
	p->held = !!(r->flags & ADJIN_HELD);
	p->since = now_s;
	if (path_usable(p))
		path_use(rib, p, true);
	if (path_usable(&old))
		path_use(rib, &old, false);
	if (path_usable(p) != path_usable(&old) ||
	    (path_usable(p) && p->after != old.after)) {
		if (p->ecmp)
			rib_dest_at(rib, p->dest)->ecmp_touched = 1;
		rib_mark(rib, p->dest);
	}
	attrs_unref(rib->pool, old.in);
	attrs_unref(rib->pool, old.after);
	return true;
}

void
rib_path_del(struct rib *rib, uint32_t id)
{
	struct path *p = rib_path_at(rib, id);
	struct dest *d = rib_dest_at(rib, p->dest);
	uint32_t dest = p->dest, *at = &d->first;

	if (path_usable(p)) {
		path_use(rib, p, false);
		rib_mark(rib, dest);
	}
	if (p->ecmp)
		d->ecmp_touched = 1;
	rib->peers[p->peer].npaths--;
	rib->npaths[rib_dest_fam(dest)]--;
	attrs_unref(rib->pool, p->in);
	if (p->best) {
		p->in = 0;
		p->ecmp = 0;
		p->malformed = p->held = 1; /* a ghost */
		return;
	}
	while (*at != id)
		at = &rib_path_at(rib, *at)->next;
	*at = p->next;
	attrs_unref(rib->pool, p->after);
	p->dest = 0;
	slab_del(&rib->paths, id);
	dest_maybe_free(rib, dest);
}

bool
rib_path_stale(const struct rib *rib, const struct path *p)
{
	return p->gen != rib->peers[p->peer].gen[rib_dest_fam(p->dest)];
}

void
rib_path_view(const struct rib *rib, uint32_t id, struct rib_path *v)
{
	const struct path *p = rib_path_at(rib, id);

	*v = (struct rib_path){
		.peer = p->peer,
		.reason = p->reason,
		.attrs_in = p->in,
		.attrs = p->after,
		.since = p->since,
		.best = p->best,
		.ecmp = p->ecmp,
		.stale = rib_path_stale(rib, p),
		.malformed = p->malformed,
		.held = p->held,
	};
}

bool
rib_paths(
    const struct rib *rib, uint32_t dest, uint32_t *it, struct rib_path *v)
{
	uint32_t id = *it;

	if (id == 0) {
		id = rib_dest_at(rib, dest)->first;
		if (id != 0 && is_ghost(rib_path_at(rib, id)))
			id = rib_path_at(rib, id)->next;
	}
	if (id == 0 || id == UINT32_MAX)
		return false;
	rib_path_view(rib, id, v);
	*it = rib_path_at(rib, id)->next;
	if (*it == 0)
		*it = UINT32_MAX;
	return true;
}

bool
rib_best(const struct rib *rib, uint32_t dest, struct rib_path *v)
{
	uint32_t id = rib_dest_at(rib, dest)->first;

	if (id == 0 || !rib_path_at(rib, id)->best)
		return false;
	rib_path_view(rib, id, v);
	v->malformed = v->held = false; /* of a ghost */
	v->reason = 0;
	return true;
}

/* ---- decisions -------------------------------------------------------- */

void
rib_mark(struct rib *rib, uint32_t dest)
{
	struct dest *d = rib_dest_at(rib, dest);

	if (!d->dirty) {
		d->dirty = 1;
		idq_push(&rib->dirty, dest);
	}
}

/* RFC 4271 9.1.2: accepted, and its next hop can be reached. */
static bool
path_eligible(const struct rib *rib, const struct path *p)
{
	const struct nexthop *h;

	if (!path_usable(p))
		return false;
	h = nexthop_at(rib->hops, attrs_nexthop(rib->pool, p->after));
	return h == NULL || h->reachable;
}

static void
cand_room(struct rib *rib, size_t n)
{
	if (n <= rib->cand_cap)
		return;
	n = n < 8 ? 8 : 2 * n;
	rib->cand = mem_realloc(rib->cand, n, sizeof *rib->cand);
	rib->route = mem_realloc(rib->route, n, sizeof *rib->route);
	rib->view = mem_realloc(rib->view, n, sizeof *rib->view);
	rib->lost = mem_realloc(rib->lost, n, sizeof *rib->lost);
	rib->cand_cap = n;
}

static void
fill_route(struct rib *rib, size_t i)
{
	const struct path *p = rib_path_at(rib, rib->cand[i]);
	const struct rib_peer *peer = rib_peer_get(rib, p->peer);
	uint32_t hop = attrs_nexthop(rib->pool, p->after);

	attrs_get(rib->pool, p->after, &rib->view[i]);
	rib->route[i] = (struct decide_route){
		.attrs = &rib->view[i],
		.local = p->peer == RIB_LOCAL,
		.internal = peer->internal,
		.weight = rib->view[i].weight != 0 ? rib->view[i].weight - 1
						   : peer->weight,
		.router_id = peer->router_id,
		.peer_as = peer->as,
		.peer_addr = peer->addr,
		.cost = hop == 0 ? 0 : nexthop_at(rib->hops, hop)->cost,
	};
}

/*
 * Collects the eligible paths and decides; returns how many there are.  With
 * a single one, which is the rule, nothing has to be looked at.
 */
static size_t
decide(struct rib *rib, const struct dest *d, size_t *best)
{
	size_t n = 0;

	for (uint32_t id = d->first; id != 0; id = rib_path_at(rib, id)->next) {
		if (!path_eligible(rib, rib_path_at(rib, id)))
			continue;
		cand_room(rib, n + 1);
		rib->cand[n++] = id;
	}
	*best = 0;
	if (n == 1)
		rib->lost[0] = DECIDE_BEST;
	else if (n > 1) {
		for (size_t i = 0; i < n; i++)
			fill_route(rib, i);
		*best = decide_best(rib->route, n, rib->lost);
	}
	return n;
}

static uint32_t
cand_hop(const struct rib *rib, size_t i)
{
	return attrs_nexthop(rib->pool, rib_path_at(rib, rib->cand[i])->after);
}

static bool
hop_in_set(const struct rib *rib, const size_t *set, size_t k, size_t i)
{
	for (size_t j = 0; j < k; j++)
		if (cand_hop(rib, set[j]) == cand_hop(rib, i))
			return true;
	return false;
}

/*
 * The best and its equals, each next hop once, in the order of the last steps
 * of the decision; returns how many, 0 when it is alone.
 */
static size_t
pick_ecmp(
    const struct rib *rib, size_t n, size_t best, size_t set[RIB_ECMP_MAX])
{
	size_t k = 1;

	if (n < 2 || rib->max_ecmp < 2 || rib->route[best].local)
		return 0;
	set[0] = best;
	while (k < rib->max_ecmp) {
		size_t pick = n;

		for (size_t i = 0; i < n; i++)
			if (decide_multipath(rib->lost[i]) &&
			    !hop_in_set(rib, set, k, i) &&
			    (pick == n ||
				decide_tiebreak(
				    &rib->route[i], &rib->route[pick]) < 0))
				pick = i;
		if (pick == n)
			break;
		set[k++] = pick;
	}
	return k > 1 ? k : 0;
}

/* Writes the flags; true when the set of those used together changed. */
static bool
set_flags(struct rib *rib, const struct dest *d, size_t n, size_t best)
{
	size_t set[RIB_ECMP_MAX], k = pick_ecmp(rib, n, best, set);
	bool changed = false;

	for (size_t i = 0; i < k; i++) {
		struct path *p = rib_path_at(rib, rib->cand[set[i]]);

		changed |= !p->ecmp;
		p->ecmp = 1;
	}
	for (uint32_t id = d->first; id != 0;) {
		struct path *p = rib_path_at(rib, id);
		bool in = false;

		for (size_t i = 0; p->ecmp && i < k && !in; i++)
			in = rib->cand[set[i]] == id;
		changed |= p->ecmp && !in;
		p->ecmp = in;
		p->best = n > 0 && id == rib->cand[best];
		id = p->next;
	}
	return changed;
}

static void
to_front(struct rib *rib, struct dest *d, uint32_t id)
{
	uint32_t *at = &d->first;

	while (*at != id)
		at = &rib_path_at(rib, *at)->next;
	*at = rib_path_at(rib, id)->next;
	rib_path_at(rib, id)->next = d->first;
	d->first = id;
}

/* What was told as the best path, with a reference; a ghost goes. */
static void
old_best(struct rib *rib, struct dest *d, struct rib_change *c)
{
	const struct path *p =
	    d->first == 0 ? NULL : rib_path_at(rib, d->first);

	if (p == NULL || !p->best)
		return;
	c->old_attrs = p->after;
	c->old_peer = p->peer;
	attrs_ref(rib->pool, c->old_attrs);
	if (is_ghost(p))
		ghost_drop(rib, d);
}

static void
decide_dest(struct rib *rib, uint32_t dest, rib_best_fn *fn, void *arg)
{
	struct dest *d = rib_dest_at(rib, dest);
	enum fam fam = rib_dest_fam(dest);
	struct rib_change c = { .dest = dest };
	struct pfx pfx;
	size_t best, n;

	old_best(rib, d, &c);
	n = decide(rib, d, &best);
	c.ecmp_changed = set_flags(rib, d, n, best) | d->ecmp_touched;
	if (n > 0) {
		const struct path *p = rib_path_at(rib, rib->cand[best]);

		if (d->first != rib->cand[best])
			to_front(rib, d, rib->cand[best]);
		c.new_attrs = p->after;
		c.new_peer = p->peer;
	}
	c.hop_changed = d->hop_touched && n > 0;
	c.best_changed = c.new_attrs != c.old_attrs ||
	    (c.new_attrs != 0 && c.new_peer != c.old_peer);
	d->dirty = d->ecmp_touched = d->hop_touched = 0;
	rib->nbest[fam] += c.new_attrs != 0;
	rib->nbest[fam] -= c.old_attrs != 0;
	d->refs++;
	if (c.best_changed || c.ecmp_changed || c.hop_changed) {
		rib_dest_pfx(rib, dest, &pfx);
		c.pfx = &pfx;
		fn(arg, &c);
	}
	attrs_unref(rib->pool, c.old_attrs);
	rib_dest_unref(rib, dest);
}

bool
rib_run(struct rib *rib, unsigned int budget, rib_best_fn *fn, void *arg)
{
	uint32_t dest;

	while (budget-- > 0 && (dest = idq_pop(&rib->dirty)) != 0)
		decide_dest(rib, dest, fn, arg);
	return rib->dirty.count > 0;
}

size_t
rib_explain(struct rib *rib, uint32_t dest, struct rib_path *paths,
    enum decide_why *lost, size_t max)
{
	size_t best, n, k = 0;

	n = decide(rib, rib_dest_at(rib, dest), &best);
	for (uint32_t id = rib_dest_at(rib, dest)->first; id != 0;
	     id = rib_path_at(rib, id)->next) {
		if (is_ghost(rib_path_at(rib, id)) || k++ >= max)
			continue;
		rib_path_view(rib, id, &paths[k - 1]);
		lost[k - 1] = DECIDE_INELIGIBLE;
		for (size_t i = 0; i < n; i++)
			if (rib->cand[i] == id)
				lost[k - 1] = rib->lost[i];
	}
	return k;
}

/* One path of the walk for what changed outside. */
static void
recheck_path(struct rib *rib, const struct path *p)
{
	struct dest *d;
	uint32_t hop;

	if (p->dest == 0 || !path_usable(p))
		return;
	hop = attrs_nexthop(rib->pool, p->after);
	if (nexthop_pending(rib->hops, hop)) {
		d = rib_dest_at(rib, p->dest);
		if (p->best || p->ecmp)
			d->hop_touched = 1;
		rib_mark(rib, p->dest);
	} else if (rib->peers[p->peer].pending)
		rib_mark(rib, p->dest);
}

bool
rib_nexthop_run(struct rib *rib, unsigned int budget)
{
	bool hops = nexthops_any_new(rib->hops);

	/* Anything new: from here once around, whatever the lap before did. */
	if (hops || rib->peers_pending)
		rib->lap_left = rib->paths.used - 1;
	else if (rib->lap_left > 0)
		/* The circle grew: the rest of it still has to be seen. */
		rib->lap_left += rib->paths.used - rib->lap_used;
	rib->lap_used = rib->paths.used;
	rib->peers_pending = false;
	if (rib->lap_left == 0) {
		if (hops)
			nexthops_settled(rib->hops);
		return false;
	}
	for (; budget > 0 && rib->lap_left > 0; budget--, rib->lap_left--) {
		if (rib->lap_at >= rib->paths.used)
			rib->lap_at = 1;
		recheck_path(rib, rib_path_at(rib, rib->lap_at++));
	}
	if (rib->lap_left > 0)
		return true;
	nexthops_settled(rib->hops);
	for (uint32_t i = 0; i < rib->npeers; i++)
		rib->peers[i].pending = false;
	return false;
}

void
rib_stats(const struct rib *rib, struct rib_stats *st)
{
	memset(st, 0, sizeof *st);
	st->memory = sizeof *rib + slab_memory(&rib->paths) +
	    rib->dirty.cap * sizeof *rib->dirty.v +
	    rib->npeers * sizeof *rib->peers;
	for (enum fam f = FAM_INET; f < FAM_N; f++) {
		st->dests[f] = rib->dests[f].count;
		st->paths[f] = rib->npaths[f];
		st->best[f] = rib->nbest[f];
		st->memory +=
		    slab_memory(&rib->dests[f]) + trie_memory(rib->trie[f]);
	}
	st->dirty = rib->dirty.count;
}

/* ---- what we originate ------------------------------------------------ */

void
rib_local_put(
    struct rib *rib, const struct pfx *pfx, uint32_t attrs, uint32_t now_s)
{
	struct adjin_route r = { .attrs_in = attrs, .attrs = attrs };
	uint32_t dest = rib_dest_get(rib, pfx);
	uint32_t id = rib_path_find(rib, dest, RIB_LOCAL);

	if (id == 0)
		id = rib_path_add(rib, dest, RIB_LOCAL);
	rib_path_set(rib, id, &r, now_s);
}

bool
rib_local_del(struct rib *rib, const struct pfx *pfx)
{
	uint32_t dest = rib_find(rib, pfx);
	uint32_t id = dest == 0 ? 0 : rib_path_find(rib, dest, RIB_LOCAL);

	if (id == 0)
		return false;
	rib_path_del(rib, id);
	return true;
}
