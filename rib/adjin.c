/*
 * A peer's paths of one family stand in two lists, the held ones apart.  New
 * ones go to the end, and so does one that was stale and is put again: hence
 * the stale ones are always in front, and sweeping never searches.
 *
 * Stale is a number: each path carries the generation of its peer's family
 * when it was put, and marking everything stale moves the generation on.
 */
#include "rib/adjin.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "rib/store.h"

enum {
	OTHERS = ADJIN_REASONS, /* the slot of reasons without one */
	SORT_MAX = 1 << 16, /* a walk sorts up to so many routes at its start */
};

#define GEN_MASK 3U

struct list {
	uint32_t first, last;
};

struct adjin {
	struct rib *rib;
	uint16_t peer;
	struct adjin_limits limits;
	struct adjin_count count[FAM_N];
	struct list live[FAM_N], held[FAM_N];
	struct adjin_reason reason[ADJIN_REASONS + 1];
	unsigned int nreason;
	uint8_t oldest[FAM_N]; /* generation that may still be in the list */
	bool spare[FAM_N]; /* stale ones count against no limit */
};

struct adjin_walk {
	const struct adjin *ai;
	enum fam fam;
	bool sorted;
	struct pfx at; /* of a walk over the RIB's trie */
	struct pfx *v; /* or the prefixes that were there, in order */
	size_t n, next;
};

struct adjin *
adjin_new(struct rib *rib, uint16_t peer)
{
	struct adjin *ai = mem_alloc(sizeof *ai);
	struct peer_slot *s = rib_peer_slot(rib, peer);

	assert(peer != RIB_LOCAL && peer <= RIB_PEER_MAX);
	ai->rib = rib;
	ai->peer = peer;
	memset(s->gen, 0, sizeof s->gen);
	return ai;
}

void
adjin_free(struct adjin *ai)
{
	if (ai == NULL)
		return;
	while (adjin_flush(ai, UINT32_MAX))
		;
	free(ai);
}

void
adjin_set_limits(struct adjin *ai, const struct adjin_limits *l)
{
	ai->limits = *l;
}

/* ---- counters --------------------------------------------------------- */

static bool
counted(const struct path *p)
{
	return !p->malformed && !p->held;
}

/*
 * A slot belongs to its reason for good, so that what was added to a slot is
 * taken from the same one.
 */
static struct adjin_reason *
reason_slot(struct adjin *ai, uint16_t reason)
{
	for (unsigned int i = 0; i < ai->nreason; i++)
		if (ai->reason[i].reason == reason)
			return &ai->reason[i];
	if (ai->nreason == ADJIN_REASONS) {
		ai->reason[OTHERS].reason = RIB_REASON_MAX;
		return &ai->reason[OTHERS];
	}
	ai->reason[ai->nreason].reason = reason;
	return &ai->reason[ai->nreason++];
}

static void
count_in(struct adjin *ai, const struct path *p, bool stale)
{
	enum fam fam = rib_dest_fam(p->dest);
	struct adjin_count *c = &ai->count[fam];

	c->received += counted(p);
	c->accepted += counted(p) && p->reason == 0;
	c->rejected += counted(p) && p->reason != 0;
	c->malformed += p->malformed;
	c->held += p->held;
	c->stale += stale;
	c->spared += stale && ai->spare[fam] && counted(p);
	c->spared_accepted +=
	    stale && ai->spare[fam] && counted(p) && p->reason == 0;
	if (p->reason != 0)
		reason_slot(ai, p->reason)->now[fam]++;
}

static void
count_out(struct adjin *ai, const struct path *p, bool stale)
{
	enum fam fam = rib_dest_fam(p->dest);
	struct adjin_count *c = &ai->count[fam];

	c->received -= counted(p);
	c->accepted -= counted(p) && p->reason == 0;
	c->rejected -= counted(p) && p->reason != 0;
	c->malformed -= p->malformed;
	c->held -= p->held;
	c->stale -= stale;
	c->spared -= stale && ai->spare[fam] && counted(p);
	c->spared_accepted -=
	    stale && ai->spare[fam] && counted(p) && p->reason == 0;
	if (p->reason != 0)
		reason_slot(ai, p->reason)->now[fam]--;
}

const struct adjin_count *
adjin_count(const struct adjin *ai, enum fam fam)
{
	return &ai->count[fam];
}

uint32_t
adjin_received(const struct adjin *ai)
{
	return ai->count[FAM_INET].received + ai->count[FAM_INET6].received;
}

bool
adjin_reason(const struct adjin *ai, unsigned int i, struct adjin_reason *r)
{
	if (i < ai->nreason)
		*r = ai->reason[i];
	else if (i == ai->nreason && ai->reason[OTHERS].reason != 0)
		*r = ai->reason[OTHERS];
	else
		return false;
	return true;
}

/* ---- limits ----------------------------------------------------------- */

static uint32_t
limited(const struct adjin_count *c, bool accepted)
{
	return accepted ? c->accepted - c->spared_accepted
			: c->received - c->spared;
}

static uint32_t
limited_all(const struct adjin *ai, bool accepted)
{
	return limited(&ai->count[FAM_INET], accepted) +
	    limited(&ai->count[FAM_INET6], accepted);
}

uint32_t
adjin_limited(const struct adjin *ai)
{
	return limited_all(ai, false);
}

static bool
spared(const struct adjin *ai, const struct path *p)
{
	return ai->spare[rib_dest_fam(p->dest)] && rib_path_stale(ai->rib, p);
}

static uint32_t
find(const struct adjin *ai, const struct pfx *pfx)
{
	uint32_t dest = rib_find(ai->rib, pfx);

	return dest == 0 ? 0 : rib_path_find(ai->rib, dest, ai->peer);
}

enum adjin_verdict
adjin_admit(const struct adjin *ai, const struct pfx *pfx, unsigned int flags,
    uint32_t *limit)
{
	const struct adjin_limits *l = &ai->limits;
	enum fam fam = pfx->addr.fam;
	uint32_t over = 0, id;
	const struct path *p;

	if (l->received != 0 && limited_all(ai, false) >= l->received)
		over = l->received;
	else if (l->received_fam[fam] != 0 &&
	    limited(&ai->count[fam], false) >= l->received_fam[fam])
		over = l->received_fam[fam];
	/* Only a full one has to be looked into. */
	if (over != 0 && !(flags & ADJIN_MALFORMED)) {
		id = find(ai, pfx);
		p = id == 0 ? NULL : rib_path_at(ai->rib, id);
		if (p == NULL || !counted(p) || spared(ai, p)) {
			if (limit != NULL)
				*limit = over;
			return ADJIN_OVER_LIMIT;
		}
	}
	return l->max_len[fam] != 0 && pfx->len > l->max_len[fam]
	    ? ADJIN_TOO_LONG
	    : ADJIN_OK;
}

bool
adjin_may_accept(const struct adjin *ai, const struct pfx *pfx, bool again)
{
	enum fam fam = pfx->addr.fam;
	const struct adjin_limits *l = &ai->limits;
	const struct path *p;
	uint32_t id;

	if ((l->accepted == 0 || limited_all(ai, true) < l->accepted) &&
	    (l->accepted_fam[fam] == 0 ||
		limited(&ai->count[fam], true) < l->accepted_fam[fam]))
		return true;
	id = find(ai, pfx);
	if (id == 0)
		return false;
	p = rib_path_at(ai->rib, id);
	return spared(ai, p) ? again : counted(p) && p->reason == 0;
}

/* ---- lists ------------------------------------------------------------ */

static struct list *
list_of(struct adjin *ai, const struct path *p)
{
	enum fam fam = rib_dest_fam(p->dest);

	return p->held ? &ai->held[fam] : &ai->live[fam];
}

/* For one that is stale. */
static void
list_add_front(struct adjin *ai, struct list *l, uint32_t id)
{
	struct path *p = rib_path_at(ai->rib, id);

	p->peer_prev = 0;
	p->peer_next = l->first;
	if (l->first != 0)
		rib_path_at(ai->rib, l->first)->peer_prev = id;
	else
		l->last = id;
	l->first = id;
}

static void
list_add(struct adjin *ai, struct list *l, uint32_t id)
{
	struct path *p = rib_path_at(ai->rib, id);

	p->peer_prev = l->last;
	p->peer_next = 0;
	if (l->last != 0)
		rib_path_at(ai->rib, l->last)->peer_next = id;
	else
		l->first = id;
	l->last = id;
}

static void
list_remove(struct adjin *ai, struct list *l, uint32_t id)
{
	const struct path *p = rib_path_at(ai->rib, id);

	if (p->peer_prev != 0)
		rib_path_at(ai->rib, p->peer_prev)->peer_next = p->peer_next;
	else
		l->first = p->peer_next;
	if (p->peer_next != 0)
		rib_path_at(ai->rib, p->peer_next)->peer_prev = p->peer_prev;
	else
		l->last = p->peer_prev;
}

/* ---- routes ----------------------------------------------------------- */

static void
put_new(struct adjin *ai, uint32_t dest, const struct adjin_route *r,
    uint32_t now_s)
{
	struct rib *rib = ai->rib;
	uint32_t id = rib_path_add(rib, dest, ai->peer);
	struct path *p = rib_path_at(rib, id);

	p->gen = rib->peers[ai->peer].gen[rib_dest_fam(dest)] & GEN_MASK;
	rib_path_set(rib, id, r, now_s);
	list_add(ai, list_of(ai, p), id);
	count_in(ai, p, false);
	if (r->reason != 0)
		reason_slot(ai, r->reason)->total[rib_dest_fam(dest)]++;
}

enum adjin_change
adjin_put(struct adjin *ai, const struct pfx *pfx,
    const struct adjin_route *route, uint32_t now_s)
{
	struct adjin_route copy = *route, *r = &copy;
	uint32_t dest = rib_dest_get(ai->rib, pfx);
	uint32_t id = rib_path_find(ai->rib, dest, ai->peer);
	struct list *from;
	struct path *p;
	bool stale, was_stale, changed;

	assert(r->reason != 0 || (r->attrs != 0 && r->flags == 0));
	assert(r->flags != (ADJIN_MALFORMED | ADJIN_HELD));
	if (r->reason > RIB_REASON_MAX)
		r->reason = RIB_REASON_MAX;
	if (id == 0) {
		put_new(ai, dest, r, now_s);
		return ADJIN_NEW;
	}
	p = rib_path_at(ai->rib, id);
	was_stale = stale = rib_path_stale(ai->rib, p);
	from = list_of(ai, p);
	if (r->reason != 0 && r->reason != p->reason)
		reason_slot(ai, r->reason)->total[pfx->addr.fam]++;
	count_out(ai, p, stale);
	changed = rib_path_set(ai->rib, id, r, now_s);
	stale = stale && r->again;
	if (!stale)
		p->gen = ai->rib->peers[ai->peer].gen[pfx->addr.fam] & GEN_MASK;
	count_in(ai, p, stale);
	if (was_stale != stale || from != list_of(ai, p)) {
		list_remove(ai, from, id);
		(stale ? list_add_front : list_add)(ai, list_of(ai, p), id);
	}
	return changed ? ADJIN_CHANGED : ADJIN_SAME;
}

static void
drop(struct adjin *ai, uint32_t id)
{
	struct path *p = rib_path_at(ai->rib, id);

	count_out(ai, p, rib_path_stale(ai->rib, p));
	list_remove(ai, list_of(ai, p), id);
	rib_path_del(ai->rib, id);
}

bool
adjin_del(struct adjin *ai, const struct pfx *pfx)
{
	uint32_t id = find(ai, pfx);

	if (id == 0)
		return false;
	drop(ai, id);
	return true;
}

bool
adjin_find(const struct adjin *ai, const struct pfx *pfx, struct rib_path *v)
{
	uint32_t id = find(ai, pfx);

	if (id == 0)
		return false;
	rib_path_view(ai->rib, id, v);
	return true;
}

/* ---- stale, sweep, flush ---------------------------------------------- */

/*
 * Every generation is in use: those that are stale get the oldest number but
 * one, and the oldest is free again.  Only many BoRR without an EoRR lead
 * here.
 */
static void
merge_generations(struct adjin *ai, enum fam fam, uint8_t to)
{
	const struct list *lists[] = { &ai->live[fam], &ai->held[fam] };

	for (size_t i = 0; i < 2; i++)
		for (uint32_t id = lists[i]->first; id != 0;) {
			struct path *p = rib_path_at(ai->rib, id);

			if (rib_path_stale(ai->rib, p))
				p->gen = to & GEN_MASK;
			id = p->peer_next;
		}
}

void
adjin_mark_stale(struct adjin *ai, enum fam fam, bool spare)
{
	uint8_t *gen = &ai->rib->peers[ai->peer].gen[fam];
	struct adjin_count *c = &ai->count[fam];
	uint8_t next = (*gen + 1) & GEN_MASK;

	if (c->stale == 0)
		ai->oldest[fam] = *gen;
	else if (next == ai->oldest[fam]) {
		ai->oldest[fam] = (*gen - 1) & GEN_MASK;
		merge_generations(ai, fam, ai->oldest[fam]);
	}
	*gen = next;
	c->stale = c->received + c->malformed + c->held;
	ai->spare[fam] = spare;
	c->spared = spare ? c->received : 0;
	c->spared_accepted = spare ? c->accepted : 0;
}

static bool
sweep_list(struct adjin *ai, const struct list *l, unsigned int *budget)
{
	while (l->first != 0 &&
	    rib_path_stale(ai->rib, rib_path_at(ai->rib, l->first))) {
		if (*budget == 0)
			return true;
		--*budget;
		drop(ai, l->first);
	}
	return false;
}

bool
adjin_sweep(struct adjin *ai, enum fam fam, unsigned int budget)
{
	return sweep_list(ai, &ai->live[fam], &budget) ||
	    sweep_list(ai, &ai->held[fam], &budget);
}

bool
adjin_flush(struct adjin *ai, unsigned int budget)
{
	for (enum fam f = FAM_INET; f < FAM_N; f++) {
		const struct list *lists[] = { &ai->live[f], &ai->held[f] };

		for (size_t i = 0; i < 2; i++)
			while (lists[i]->first != 0) {
				if (budget-- == 0)
					return true;
				drop(ai, lists[i]->first);
			}
	}
	return false;
}

bool
adjin_held_first(const struct adjin *ai, enum fam fam, struct pfx *pfx)
{
	uint32_t id = ai->held[fam].first;

	if (id == 0)
		return false;
	rib_dest_pfx(ai->rib, rib_path_at(ai->rib, id)->dest, pfx);
	return true;
}

/* ---- walk ------------------------------------------------------------- */

static int
pfx_cmp_void(const void *a, const void *b)
{
	return pfx_cmp(a, b);
}

static void
collect(struct adjin_walk *w, const struct list *l)
{
	const struct rib *rib = w->ai->rib;

	for (uint32_t id = l->first; id != 0;
	     id = rib_path_at(rib, id)->peer_next)
		rib_dest_pfx(rib, rib_path_at(rib, id)->dest, &w->v[w->n++]);
}

/*
 * A peer with few of the RIB's prefixes has them sorted once; one with many
 * is found by walking over the RIB.
 */
struct adjin_walk *
adjin_walk_new(struct adjin *ai, enum fam fam)
{
	struct adjin_walk *w = mem_alloc(sizeof *w);
	const struct adjin_count *c = &ai->count[fam];
	size_t n = (size_t)c->received + c->malformed + c->held;

	w->ai = ai;
	w->fam = fam;
	w->sorted = n <= SORT_MAX && n < trie_count(ai->rib->trie[fam]) / 8;
	if (w->sorted) {
		w->v = mem_alloc(n * sizeof *w->v);
		collect(w, &ai->live[fam]);
		collect(w, &ai->held[fam]);
		qsort(w->v, w->n, sizeof *w->v, pfx_cmp_void);
	}
	return w;
}

void
adjin_walk_free(struct adjin_walk *w)
{
	if (w == NULL)
		return;
	free(w->v);
	free(w);
}

enum adjin_step
adjin_walk_next(struct adjin_walk *w, unsigned int *budget, struct pfx *pfx,
    struct rib_path *v)
{
	const struct rib *rib = w->ai->rib;
	uint32_t dest, id;

	for (; *budget > 0; --*budget) {
		if (w->sorted) {
			if (w->next == w->n)
				return ADJIN_STEP_END;
			w->at = w->v[w->next++];
			dest = rib_find(rib, &w->at);
		} else {
			dest = rib_next(rib, w->fam, &w->at);
			if (dest == 0)
				return ADJIN_STEP_END;
		}
		id = dest == 0 ? 0 : rib_path_find(rib, dest, w->ai->peer);
		if (id == 0)
			continue;
		--*budget;
		*pfx = w->at;
		rib_path_view(rib, id, v);
		return ADJIN_STEP_ROUTE;
	}
	return ADJIN_STEP_LATER;
}
