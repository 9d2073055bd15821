/*
 * One group: entries and their log are rib/outlog.h's; here is what goes into
 * them (evaluate) and what comes out (batches for members at one place).
 *
 * Withdrawn entries stay in the log as tombstones until the rearmost member
 * has passed them: the mark `reap` follows the members, and behind it there
 * are none.
 */
#include "rib/adjout.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"
#include "rib/outlog.h"

enum {
	BATCH = 512, /* entries taken from the log at once */
	ITEMS = 2 * BATCH, /* an entry may also be taken back from its source */
	COHORT = 64, /* members served by one encoding at most */
	NOBODY = 255, /* no number in a cohort */
};

struct adjout_member {
	struct adjout_group *g;
	void *user;
	struct wire_neg neg;
	uint16_t peer;
	bool blocked;
	bool synced; /* was at the end once, End-of-RIB was sent */
	bool moved; /* from another group: no End-of-RIB */
	bool borr[FAM_N], enhanced[FAM_N];
	struct out_mark at; /* what is behind is to be told */
	struct out_mark joined; /* tombstones before are not its own */
	struct out_mark again[FAM_N]; /* refresh: from here up to `at` */
	struct idq stray; /* told by the group it was moved from */
	struct adjout_count count;
};

struct adjout_group {
	struct rib *rib;
	struct adjout_opts opts;
	struct outlog log;
	struct idq dirty;
	struct out_mark reap;
	struct adjout_member **member; /* by peer number */
	size_t nmember, nmoved, turn;
	/* The walk over the RIB. */
	enum fam walk_fam; /* FAM_NONE: done */
	bool walk_again; /* what it has passed is to be looked at */
	struct pfx walk_at;
	uint32_t prefixes[FAM_N], refused[FAM_N], tombstones;
	/* Of adjout_group_free(). */
	enum fam free_fam;
	uint32_t free_at;
};

/* One prefix of a batch; those alike in all but the prefix share messages. */
struct item {
	uint32_t attrs; /* 0: withdraw */
	uint8_t fam;
	uint8_t except, only; /* numbers in the cohort, or NOBODY */
	uint16_t next, last; /* of the same group, plus 1; last: of its head */
	struct pfx pfx;
};

/* What adjout_run() works with, on its way down. */
struct run {
	struct adjout_group *g;
	const struct adjout_calls *calls;
	struct item item[ITEMS];
	size_t nitem;
	uint16_t head[ITEMS]; /* in the order of their first item */
	size_t nhead;
	uint16_t table[2 * ITEMS]; /* heads by hash, plus 1 */
	struct pfx pfx[ITEMS];
	struct adjout_member *cohort[COHORT];
	size_t ncohort;
	uint8_t *buf;
	size_t cap;
};

/* ---- members ---------------------------------------------------------- */

/* Where the peer stands, or would stand, in the table. */
static size_t
member_slot(const struct adjout_group *g, uint16_t peer)
{
	size_t lo = 0, hi = g->nmember;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;

		if (g->member[mid]->peer < peer)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static bool
is_member(const struct adjout_group *g, uint16_t peer)
{
	size_t i = member_slot(g, peer);

	return i < g->nmember && g->member[i]->peer == peer;
}

static void
member_enter(struct adjout_group *g, struct adjout_member *m)
{
	size_t i = member_slot(g, m->peer);

	assert(!is_member(g, m->peer));
	g->member = mem_realloc(g->member, g->nmember + 1, sizeof *g->member);
	memmove(&g->member[i + 1], &g->member[i],
	    (g->nmember - i) * sizeof *g->member);
	g->member[i] = m;
	g->nmember++;
	m->g = g;
	outmark_head(&g->log, &m->at);
	outmark_tail(&g->log, &m->joined);
}

static void
drop_strays(struct adjout_member *m)
{
	uint32_t dest;

	while ((dest = idq_pop(&m->stray)) != 0)
		rib_dest_unref(m->g->rib, dest);
	idq_fini(&m->stray);
	if (m->moved)
		m->g->nmoved--;
	m->moved = false;
}

static void
member_exit(struct adjout_member *m)
{
	struct adjout_group *g = m->g;
	size_t i = member_slot(g, m->peer);

	drop_strays(m);
	outmark_off(&m->at);
	outmark_off(&m->joined);
	for (enum fam f = FAM_INET; f < FAM_N; f++)
		outmark_off(&m->again[f]);
	g->nmember--;
	memmove(&g->member[i], &g->member[i + 1],
	    (g->nmember - i) * sizeof *g->member);
}

struct adjout_member *
adjout_join(struct adjout_group *g, uint16_t peer, const struct wire_neg *neg,
    void *user)
{
	struct adjout_member *m = mem_alloc(sizeof *m);

	m->peer = peer;
	m->neg = *neg;
	m->user = user;
	member_enter(g, m);
	return m;
}

void
adjout_leave(struct adjout_member *m)
{
	if (m == NULL)
		return;
	member_exit(m);
	free(m);
}

void *
adjout_user(const struct adjout_member *m)
{
	return m->user;
}

struct adjout_group *
adjout_group(const struct adjout_member *m)
{
	return m->g;
}

void
adjout_resume(struct adjout_member *m)
{
	m->blocked = false;
}

void
adjout_refresh(struct adjout_member *m, enum fam fam, bool enhanced)
{
	if (!m->neg.mp[fam])
		return;
	/* One that began with BoRR must end with EoRR. */
	if (m->again[fam].pos == 0)
		m->enhanced[fam] = false;
	m->enhanced[fam] |= enhanced;
	m->borr[fam] |= enhanced;
	outmark_head(&m->g->log, &m->again[fam]);
}

bool
adjout_synced(const struct adjout_member *m)
{
	return m->synced && outmark_at_tail(&m->g->log, &m->at);
}

const struct adjout_count *
adjout_count(const struct adjout_member *m)
{
	return &m->count;
}

/*
 * RFC 4271 5.1.3: the next hop is the address of the member's session.  An
 * external one is told ours.
 */
static bool
is_next_hop(const struct adjout_member *m, uint32_t attrs)
{
	const struct attrs_pool *pool = rib_attrs(m->g->rib);
	const struct nexthop *h;

	if (!m->neg.internal)
		return false;
	h = nexthop_at(attrs_nexthops(pool), attrs_nexthop(pool, attrs));
	return h != NULL &&
	    addr_eq(&h->addr, &rib_peer_get(m->g->rib, m->peer)->addr);
}

/* ---- groups ----------------------------------------------------------- */

static void
walk_start(struct adjout_group *g)
{
	g->walk_fam = FAM_INET;
	g->walk_again = false;
	memset(&g->walk_at, 0, sizeof g->walk_at);
}

struct adjout_group *
adjout_group_new(struct rib *rib, const struct adjout_opts *opts)
{
	struct adjout_group *g = mem_alloc(sizeof *g);

	g->rib = rib;
	if (opts != NULL)
		g->opts = *opts;
	g->free_fam = FAM_INET;
	outlog_init(&g->log, rib);
	outmark_head(&g->log, &g->reap);
	walk_start(g);
	return g;
}

bool
adjout_group_free(struct adjout_group *g, unsigned int budget)
{
	assert(g->nmember == 0);
	for (; g->free_fam < FAM_N; g->free_fam++, g->free_at = 0)
		while (outlog_empty(&g->log, g->free_fam, &g->free_at)) {
			/* A page has up to 64 entries. */
			if (budget <= 64)
				return true;
			budget -= 64;
		}
	outlog_fini(&g->log);
	idq_fini(&g->dirty);
	free(g->member);
	free(g);
	return false;
}

void
adjout_reexport(struct adjout_group *g, const struct adjout_opts *opts)
{
	if (opts != NULL)
		g->opts = *opts;
	walk_start(g);
}

void
adjout_mark(struct adjout_group *g, uint32_t dest)
{
	struct out_entry *e = outlog_hold(&g->log, dest);

	if (!e->dirty) {
		e->dirty = 1;
		idq_push(&g->dirty, dest);
	}
}

void
adjout_stats(const struct adjout_group *g, struct adjout_stats *st)
{
	memset(st, 0, sizeof *st);
	for (enum fam f = FAM_INET; f < FAM_N; f++) {
		st->prefixes[f] = g->prefixes[f];
		st->refused[f] = g->refused[f];
	}
	st->members = (uint32_t)g->nmember;
	st->dirty = g->dirty.count;
	st->tombstones = g->tombstones;
	st->memory = sizeof *g + g->log.memory +
	    g->nmember * sizeof(struct adjout_member) +
	    g->dirty.cap * sizeof *g->dirty.v;
	for (size_t i = 0; i < g->nmember; i++)
		st->memory +=
		    g->member[i]->stray.cap * sizeof *g->member[i]->stray.v;
}

/* ---- evaluation ------------------------------------------------------- */

/* Room for one prefix more: one that was refused may come in. */
static void
uncount(struct adjout_group *g, enum fam fam)
{
	g->prefixes[fam]--;
	if (g->refused[FAM_INET] + g->refused[FAM_INET6] == 0)
		return;
	if (g->walk_fam == FAM_NONE)
		walk_start(g);
	else
		g->walk_again = true;
}

/*
 * Not told any more.  Where no member can have been told (none is there, or
 * it changed again before the first was served) no trace remains.
 */
static void
entry_withdraw(struct adjout_group *g, uint32_t dest, struct out_entry *e)
{
	bool told = g->nmember > 0 && (e->told || g->nmoved > 0);

	attrs_unref(rib_attrs(g->rib), e->attrs);
	e->attrs = 0;
	outlog_remove(&g->log, e);
	uncount(g, rib_dest_fam(dest));
	if (told) {
		e->told = 1;
		outlog_append(&g->log, dest, e);
		g->tombstones++;
	}
}

static void
entry_announce(struct adjout_group *g, uint32_t dest, struct out_entry *e,
    uint32_t want, uint16_t source)
{
	if (e->attrs == 0)
		g->prefixes[rib_dest_fam(dest)]++;
	if (e->pos == 0)
		e->told = e->unsource = 0;
	else {
		g->tombstones -= e->attrs == 0;
		outlog_remove(&g->log, e);
		/* Its source was told what came from another one. */
		if ((e->told || g->nmoved > 0) && e->source != source)
			e->unsource = 1;
	}
	attrs_unref(rib_attrs(g->rib), e->attrs);
	e->attrs = want;
	e->source = source;
	outlog_append(&g->log, dest, e);
}

/*
 * Over a limit with one more, or as it is, when the limit is lower than it was;
 * counted as refused as long as that is so.
 */
static bool
over_limit(const struct adjout_group *g, enum fam fam, unsigned int more)
{
	const struct adjout_opts *o = &g->opts;

	return (o->max_prefixes[fam] != 0 &&
		   g->prefixes[fam] + more > o->max_prefixes[fam]) ||
	    (o->max_session != 0 &&
		g->prefixes[FAM_INET] + g->prefixes[FAM_INET6] + more >
		    o->max_session);
}

static uint32_t export(struct adjout_group *g, uint32_t dest,
    const struct adjout_calls *c, uint16_t *source)
{
	struct rib_path best;
	struct pfx pfx;

	*source = 0;
	if (!rib_best(g->rib, dest, &best))
		return 0;
	rib_dest_pfx(g->rib, dest, &pfx);
	*source = best.peer;
	return c->export(c->arg, &pfx, &best);
}

static void
unrefuse(struct adjout_group *g, uint32_t dest, struct out_entry *e)
{
	if (e->refused) {
		e->refused = 0;
		g->refused[rib_dest_fam(dest)]--;
	}
}

/* The same attributes again; who they come from may matter to members. */
static bool
unchanged(const struct adjout_group *g, struct out_entry *e, uint32_t want,
    uint16_t source)
{
	if (e == NULL || e->attrs != want || want == 0)
		return false;
	if (e->source != source &&
	    (is_member(g, source) || is_member(g, e->source)))
		return false;
	e->source = source;
	return true;
}

static void
evaluate(struct adjout_group *g, uint32_t dest, const struct adjout_calls *c)
{
	uint16_t source;
	uint32_t want = export(g, dest, c, &source);
	struct out_entry *e = outlog_find(&g->log, dest);
	enum fam fam = rib_dest_fam(dest);
	uint32_t have = e == NULL ? 0 : e->attrs;

	if (e != NULL) {
		e->dirty = 0;
		unrefuse(g, dest, e);
	}
	if (want != 0 && over_limit(g, fam, have == 0)) {
		attrs_unref(rib_attrs(g->rib), want);
		e = outlog_hold(&g->log, dest);
		if (have != 0)
			entry_withdraw(g, dest, e);
		e->refused = 1;
		g->refused[fam]++;
	} else if (unchanged(g, e, want, source))
		attrs_unref(rib_attrs(g->rib), want);
	else if (want != 0) {
		if (e == NULL)
			e = outlog_hold(&g->log, dest);
		entry_announce(g, dest, e, want, source);
	} else if (have != 0)
		entry_withdraw(g, dest, e);
	if (e != NULL)
		outlog_tidy(&g->log, dest, e);
}

/* Marked destinations, then the walk over the RIB. */
static void
evaluate_some(
    struct adjout_group *g, unsigned int budget, const struct adjout_calls *c)
{
	const struct out_entry *e;
	uint32_t dest;

	while (budget > 0 && (dest = idq_pop(&g->dirty)) != 0) {
		evaluate(g, dest, c);
		budget--;
	}
	while (budget > 0 && g->walk_fam != FAM_NONE) {
		dest = rib_next(g->rib, g->walk_fam, &g->walk_at);
		budget--;
		if (dest == 0) {
			memset(&g->walk_at, 0, sizeof g->walk_at);
			if (++g->walk_fam == FAM_N)
				g->walk_fam = FAM_NONE;
			if (g->walk_fam == FAM_NONE && g->walk_again)
				walk_start(g);
			continue;
		}
		/* What is marked has its turn. */
		e = outlog_find(&g->log, dest);
		if (e == NULL || !e->dirty)
			evaluate(g, dest, c);
	}
}

static bool
evaluated(const struct adjout_group *g)
{
	return g->dirty.count == 0 && g->walk_fam == FAM_NONE;
}

/* ---- messages --------------------------------------------------------- */

static void
run_buffer(struct run *r, const struct wire_neg *neg)
{
	size_t cap = neg->ext_tx ? WIRE_MAX_EXT : WIRE_MAX;

	if (r->cap < cap) {
		r->buf = mem_realloc(r->buf, cap, 1);
		r->cap = cap;
	}
}

static void
send_to(struct run *r, struct adjout_member *m, const struct wbuf *w)
{
	m->count.messages++;
	if (!r->calls->send(r->calls->arg, m, w->p, w->len))
		m->blocked = true;
}

static bool
addressed(const struct item *it, size_t i)
{
	return it->only == NOBODY ? it->except != i : it->only == i;
}

static void
send_cohort(
    struct run *r, const struct item *it, const struct wbuf *w, size_t n)
{
	for (size_t i = 0; i < r->ncohort; i++) {
		struct adjout_count *c = &r->cohort[i]->count;

		if (!addressed(it, i))
			continue;
		if (it->attrs == 0)
			c->withdrawn[it->fam] += n;
		else if (is_next_hop(r->cohort[i], it->attrs))
			continue;
		else
			c->announced[it->fam] += n;
		send_to(r, r->cohort[i], w);
	}
}

/* The first n of r->pfx. */
static void
write_prefixes(struct run *r, struct item as, size_t n)
{
	const struct wire_neg *neg = &r->cohort[0]->neg;
	size_t done = 0, k;
	struct attrs attrs;
	struct wbuf w;

	if (as.attrs != 0)
		attrs_get(rib_attrs(r->g->rib), as.attrs, &attrs);
	while (done < n) {
		wbuf_init(&w, r->buf, r->cap);
		k = as.attrs == 0 ? wire_withdraw_write(&w, neg, as.fam,
					r->pfx + done, n - done)
				  : wire_update_write(&w, neg, &attrs, as.fam,
					r->pfx + done, n - done);
		if (k > 0) {
			send_cohort(r, &as, &w, k);
			done += k;
		} else if (as.attrs != 0)
			/* Too large for this session: it must not have it. */
			as.attrs = 0;
		else
			return;
	}
}

/*
 * The prefixes of one group, which share attributes and addressees.  Who is
 * their next hop may have been told them with another one.
 */
static void
write_group(struct run *r, const struct item *it)
{
	const struct item *head = it;
	size_t n = 0;

	for (r->pfx[n++] = it->pfx; it->next != 0; r->pfx[n++] = it->pfx)
		it = &r->item[it->next - 1];
	write_prefixes(r, *head, n);
	for (size_t i = 0; head->attrs != 0 && i < r->ncohort; i++) {
		struct item back = {
			.fam = head->fam, .except = NOBODY, .only = (uint8_t)i
		};

		if (addressed(head, i) &&
		    is_next_hop(r->cohort[i], head->attrs))
			write_prefixes(r, back, n);
	}
}

static void
items_begin(struct run *r)
{
	r->nitem = r->nhead = 0;
	memset(r->table, 0, sizeof r->table);
}

static bool
same_group(const struct item *a, const struct item *b)
{
	return a->attrs == b->attrs && a->fam == b->fam &&
	    a->except == b->except && a->only == b->only;
}

/* Into the group of its likes: attributes' numbers are ours, not a peer's. */
static void
add_item(
    struct run *r, uint32_t dest, uint32_t attrs, uint8_t except, uint8_t only)
{
	struct item *it = &r->item[r->nitem++], *head;
	uint32_t h = (attrs + except) * 2654435761U >> 16;

	it->attrs = attrs;
	it->fam = (uint8_t)rib_dest_fam(dest);
	it->except = except;
	it->only = only;
	it->next = 0;
	rib_dest_pfx(r->g->rib, dest, &it->pfx);
	for (;; h++) {
		uint16_t *slot = &r->table[h % (2 * ITEMS)];

		if (*slot == 0) {
			*slot = it->last = (uint16_t)r->nitem;
			r->head[r->nhead++] = (uint16_t)(r->nitem - 1);
			return;
		}
		head = &r->item[*slot - 1];
		if (same_group(head, it)) {
			r->item[head->last - 1].next = (uint16_t)r->nitem;
			head->last = (uint16_t)r->nitem;
			return;
		}
	}
}

static void
send_items(struct run *r)
{
	if (r->nitem == 0)
		return;
	run_buffer(r, &r->cohort[0]->neg);
	for (size_t i = 0; i < r->nhead; i++)
		write_group(r, &r->item[r->head[i]]);
}

/* ---- batches ---------------------------------------------------------- */

static bool
neg_eq(const struct wire_neg *a, const struct wire_neg *b)
{
	return a->as4 == b->as4 && a->mp[FAM_INET] == b->mp[FAM_INET] &&
	    a->mp[FAM_INET6] == b->mp[FAM_INET6] &&
	    a->ext_nexthop == b->ext_nexthop && a->ext_rx == b->ext_rx &&
	    a->ext_tx == b->ext_tx && a->internal == b->internal;
}

/*
 * Not before the first End-of-RIB (RFC 7313 4).  After a move the new group's
 * routes come first: the End of the refresh would have the peer drop what it
 * is about to be told.
 */
static bool
refreshing(const struct adjout_member *m)
{
	return m->synced && !m->moved &&
	    (m->again[FAM_INET].pos != 0 || m->again[FAM_INET6].pos != 0);
}

/* There is something that can be sent to it now. */
static bool
can_send(const struct adjout_member *m)
{
	if (m->blocked)
		return false;
	if (refreshing(m) || !outmark_at_tail(&m->g->log, &m->at))
		return true;
	return evaluated(m->g) && (!m->synced || m->moved);
}

/* Has it passed the place where the log ended when it joined? */
static bool
past_join(const struct adjout_member *m)
{
	return outmark_cmp(&m->g->log, &m->at, &m->joined) >= 0;
}

static bool
same_view(const struct adjout_member *a, const struct adjout_member *b)
{
	return !b->blocked && neg_eq(&a->neg, &b->neg) &&
	    outmark_cmp(&a->g->log, &a->at, &b->at) == 0 &&
	    (outmark_cmp(&a->g->log, &a->joined, &b->joined) == 0 ||
		(past_join(a) && past_join(b)));
}

/*
 * Those who can be served together with m.  The nearest one ahead that could
 * be, if it stood here, ends the batch, so that they go on together.
 */
static const struct out_mark *
gather(struct run *r, struct adjout_member *m)
{
	struct adjout_group *g = r->g;
	const struct out_mark *stop = NULL;

	r->ncohort = 0;
	r->cohort[r->ncohort++] = m;
	for (size_t i = 0; i < g->nmember; i++) {
		struct adjout_member *o = g->member[i];

		if (o == m || o->blocked)
			continue;
		if (same_view(m, o) && r->ncohort < COHORT)
			r->cohort[r->ncohort++] = o;
		else if (neg_eq(&m->neg, &o->neg) &&
		    outmark_cmp(&g->log, &o->at, &m->at) > 0 &&
		    (stop == NULL || outmark_cmp(&g->log, &o->at, stop) < 0))
			stop = &o->at;
	}
	return stop;
}

static uint8_t
in_cohort(const struct run *r, uint16_t peer)
{
	for (size_t i = 0; i < r->ncohort; i++)
		if (r->cohort[i]->peer == peer)
			return (uint8_t)i;
	return NOBODY;
}

/* One entry for the cohort; `old`: it changed before the cohort joined. */
static void
batch_entry(struct run *r, uint32_t dest, bool old)
{
	struct out_entry *e = outlog_find(&r->g->log, dest);
	uint8_t source;

	if (!r->cohort[0]->neg.mp[rib_dest_fam(dest)] || (old && e->attrs == 0))
		return;
	source = in_cohort(r, e->source);
	if (source != NOBODY && e->unsource) {
		if (!old)
			add_item(r, dest, 0, NOBODY, source);
		e->unsource = 0;
	}
	if (source == NOBODY || r->ncohort > 1) {
		add_item(r, dest, e->attrs, source, NOBODY);
		e->told = 1;
	}
}

static unsigned int
send_batch(struct run *r, struct adjout_member *m)
{
	const struct out_mark *stop = gather(r, m);
	struct outlog *log = &r->g->log;
	unsigned int n;

	items_begin(r);
	for (n = 0; n < BATCH; n++) {
		uint32_t dest = outmark_step(log, &m->at, stop);

		if (dest == 0)
			break;
		batch_entry(r, dest, outmark_cmp(log, &m->at, &m->joined) <= 0);
	}
	for (size_t i = 1; i < r->ncohort; i++)
		outmark_copy(log, &r->cohort[i]->at, &m->at);
	send_items(r);
	return n + (unsigned int)(r->nitem * (r->ncohort - 1) / 8);
}

static void
send_refresh_mark(
    struct run *r, struct adjout_member *m, enum fam f, uint8_t subtype)
{
	struct wbuf w;

	run_buffer(r, &m->neg);
	wbuf_init(&w, r->buf, r->cap);
	wire_refresh_write(&w, f, subtype);
	send_to(r, m, &w);
}

/* What was told to it of one family, once more. */
static unsigned int
send_again(struct run *r, struct adjout_member *m, enum fam f)
{
	struct outlog *log = &r->g->log;
	unsigned int n;

	if (m->borr[f])
		send_refresh_mark(r, m, f, REFRESH_BORR);
	m->borr[f] = false;
	r->cohort[0] = m;
	r->ncohort = 1;
	items_begin(r);
	for (n = 0; n < BATCH; n++) {
		uint32_t dest = outmark_step(log, &m->again[f], &m->at);
		const struct out_entry *e;

		if (dest == 0)
			break;
		e = outlog_find(log, dest);
		if (rib_dest_fam(dest) == f && e->attrs != 0 &&
		    e->source != m->peer)
			add_item(r, dest, e->attrs, NOBODY, NOBODY);
	}
	send_items(r);
	if (n < BATCH && outmark_at_tail(log, &m->at)) {
		outmark_off(&m->again[f]);
		if (m->enhanced[f])
			send_refresh_mark(r, m, f, REFRESH_EORR);
	}
	return n;
}

static bool
told_to(const struct adjout_member *m, const struct out_entry *e)
{
	return e != NULL && e->attrs != 0 && e->source != m->peer &&
	    !is_next_hop(m, e->attrs);
}

/* Withdraws what only the group had that it was moved from. */
static unsigned int
send_strays(struct run *r, struct adjout_member *m)
{
	uint32_t dest, gone[BATCH];
	unsigned int n = 0;

	r->cohort[0] = m;
	r->ncohort = 1;
	items_begin(r);
	while (n < BATCH && (dest = idq_pop(&m->stray)) != 0) {
		if (!told_to(m, outlog_find(&r->g->log, dest)) &&
		    m->neg.mp[rib_dest_fam(dest)])
			add_item(r, dest, 0, NOBODY, NOBODY);
		gone[n++] = dest;
	}
	send_items(r);
	for (unsigned int i = 0; i < n; i++)
		rib_dest_unref(r->g->rib, gone[i]);
	if (m->stray.count == 0)
		drop_strays(m);
	return n;
}

/* It reached the end for the first time (RFC 4724 2). */
static void
send_eor(struct run *r, struct adjout_member *m)
{
	struct wbuf w;

	m->synced = true;
	run_buffer(r, &m->neg);
	for (enum fam f = FAM_INET; f < FAM_N; f++) {
		if (!m->neg.mp[f])
			continue;
		wbuf_init(&w, r->buf, r->cap);
		wire_eor_write(&w, f);
		send_to(r, m, &w);
	}
}

/*
 * What changed meanwhile comes before the End of the refresh, too: the peer
 * would drop it there, and be told right after.
 */
static unsigned int
serve_refresh(struct run *r, struct adjout_member *m)
{
	struct outlog *log = &r->g->log;
	enum fam f = m->again[FAM_INET].pos != 0 ? FAM_INET : FAM_INET6;
	unsigned int n;

	if (outmark_at_tail(log, &m->at) ||
	    outmark_cmp(log, &m->again[f], &m->at) < 0)
		return send_again(r, m, f);
	n = send_batch(r, m);
	outmark_copy(log, &m->again[f], &m->at);
	return n;
}

static unsigned int
serve(struct run *r, struct adjout_member *m)
{
	if (refreshing(m))
		return 1 + serve_refresh(r, m);
	if (!outmark_at_tail(&r->g->log, &m->at))
		return 1 + send_batch(r, m);
	if (m->moved)
		return 1 + send_strays(r, m);
	if (!m->synced)
		send_eor(r, m);
	return 1;
}

/* ---- the run ---------------------------------------------------------- */

static struct adjout_member *
next_turn(struct adjout_group *g)
{
	for (size_t i = 0; i < g->nmember; i++) {
		struct adjout_member *m = g->member[(g->turn + i) % g->nmember];

		if (can_send(m)) {
			g->turn = (g->turn + i + 1) % g->nmember;
			return m;
		}
	}
	return NULL;
}

/* Frees tombstones that every member has passed; true: more can be done. */
static bool
reap(struct adjout_group *g, unsigned int budget)
{
	const struct out_mark *min = NULL;

	for (size_t i = 0; i < g->nmember; i++)
		if (min == NULL ||
		    outmark_cmp(&g->log, &g->member[i]->at, min) < 0)
			min = &g->member[i]->at;
	if (g->tombstones == 0) {
		if (min == NULL)
			outmark_tail(&g->log, &g->reap);
		else if (outmark_cmp(&g->log, min, &g->reap) > 0)
			outmark_copy(&g->log, &g->reap, min);
		return false;
	}
	for (; budget > 0 && g->tombstones > 0; budget--) {
		uint32_t dest = outmark_step(&g->log, &g->reap, min);
		struct out_entry *e;

		if (dest == 0)
			return false;
		e = outlog_find(&g->log, dest);
		if (e->attrs != 0)
			continue;
		outlog_remove(&g->log, e);
		g->tombstones--;
		outlog_tidy(&g->log, dest, e);
	}
	return g->tombstones > 0;
}

static void
send_some(struct adjout_group *g, unsigned int budget,
    const struct adjout_calls *calls)
{
	struct adjout_member *m = next_turn(g);
	struct run *r;

	if (m == NULL)
		return;
	r = mem_realloc(NULL, 1, sizeof *r);
	r->g = g;
	r->calls = calls;
	r->buf = NULL;
	r->cap = 0;
	for (; m != NULL; m = next_turn(g)) {
		unsigned int cost = serve(r, m);

		if (cost >= budget)
			break;
		budget -= cost;
	}
	free(r->buf);
	free(r);
}

bool
adjout_run(struct adjout_group *g, unsigned int budget,
    const struct adjout_calls *calls)
{
	size_t turn;
	bool more;

	evaluate_some(g, budget, calls);
	send_some(g, budget, calls);
	more = reap(g, budget);
	turn = g->turn;
	more = more || !evaluated(g) || next_turn(g) != NULL;
	g->turn = turn;
	return more;
}

/* ---- moving between groups -------------------------------------------- */

/* A stray is one stray, however often a member moves before it is served. */
static void
unique_strays(struct adjout_member *m)
{
	const struct idq *q = &m->stray;
	uint32_t n = q->count, max = 0, dest;
	uint8_t *seen;

	for (uint32_t i = 0; i < n; i++) {
		dest = q->v[(q->head + i) & (q->cap - 1)];
		max = dest > max ? dest : max;
	}
	seen = mem_alloc(max / 8 + 1);
	for (uint32_t i = 0; i < n; i++) {
		dest = idq_pop(&m->stray);
		if (seen[dest / 8] & 1u << dest % 8)
			rib_dest_unref(m->g->rib, dest);
		else
			idq_push(&m->stray, dest);
		seen[dest / 8] |= (uint8_t)(1u << dest % 8);
	}
	free(seen);
}

/* Everything that `m` may have heard of in its group, kept by number. */
static void
collect_strays(struct adjout_member *m, struct adjout_group *to)
{
	struct outlog *log = &m->g->log;
	struct out_mark at = { .pos = 0 };
	bool earlier = m->stray.count > 0;
	uint32_t dest;

	outmark_head(log, &at);
	while ((dest = outmark_step(log, &at, NULL)) != 0) {
		const struct out_entry *e = outlog_find(log, dest);

		if (e->attrs != 0 && e->source == m->peer && !e->unsource)
			continue;
		if (told_to(m, outlog_find(&to->log, dest)))
			continue;
		rib_dest_ref(m->g->rib, dest);
		idq_push(&m->stray, dest);
	}
	outmark_off(&at);
	if (earlier)
		unique_strays(m);
}

void
adjout_move(struct adjout_member *m, struct adjout_group *to)
{
	bool refresh[FAM_N];
	struct idq stray;

	if (to == m->g)
		return;
	for (enum fam f = FAM_INET; f < FAM_N; f++)
		refresh[f] = m->again[f].pos != 0;
	/* Strays of an earlier move stay strays. */
	collect_strays(m, to);
	stray = m->stray;
	memset(&m->stray, 0, sizeof m->stray);
	member_exit(m);
	m->stray = stray;
	m->moved = true;
	to->nmoved++;
	member_enter(to, m);
	for (enum fam f = FAM_INET; f < FAM_N; f++)
		if (refresh[f])
			outmark_head(&to->log, &m->again[f]);
}

/* ---- looking ---------------------------------------------------------- */

static uint32_t
told_attrs(const struct adjout_member *m, uint32_t dest)
{
	const struct out_entry *e = outlog_find(&m->g->log, dest);

	return told_to(m, e) && m->neg.mp[rib_dest_fam(dest)] ? e->attrs : 0;
}

bool
adjout_find(
    const struct adjout_member *m, const struct pfx *pfx, uint32_t *attrs)
{
	uint32_t dest = rib_find(m->g->rib, pfx);

	*attrs = dest == 0 ? 0 : told_attrs(m, dest);
	return *attrs != 0;
}

uint32_t
adjout_next(const struct adjout_member *m, enum fam fam, struct pfx *at,
    unsigned int *budget)
{
	uint32_t dest, attrs;

	while (*budget > 0 && (dest = rib_next(m->g->rib, fam, at)) != 0) {
		--*budget;
		attrs = told_attrs(m, dest);
		if (attrs != 0)
			return attrs;
	}
	return 0;
}
