#include "platform/fibd/table.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"
#include "lib/trie.h"

enum route_state {
	ROUTE_WANT, /* not in the kernel, to be written when it can be */
	ROUTE_HELD, /* in the kernel, as long as its set is */
	ROUTE_UNSURE, /* an answer was lost */
	ROUTE_CONFLICT, /* a foreign route has the place */
	ROUTE_FAILED, /* the kernel would not */
	ROUTE_GOING, /* nobody wants it, but it may be there still */
};

enum {
	ROUTE_ODD = 1, /* found in a form that we would not write now */
	ROUTE_BUSY = 2, /* in the batch */
	ROUTE_TOLD = 4, /* the speaker believes that it is not there */
	ROUTE_SEEN = 8, /* by a resync, in turn this and the next: what a */
	ROUTE_SEEN2 = 32, /* write left of the last one must not count */
	ROUTE_FIX = 16, /* changed by others: write it again */
	ROUTE_MISSED = 64, /* not there, and the speaker does not know yet */
	ROUTE_AWAY = ROUTE_TOLD | ROUTE_MISSED, /* its return is told */
};

struct route {
	uint32_t metric, gen;
	uint16_t epoch;
	uint16_t set; /* 0: adopted, of no set of ours */
	uint8_t state, flags;
	uint8_t src; /* preferred source, a number into table.src */
	uint8_t len;
	uint8_t addr[]; /* 4 or 16 octets */
};
_Static_assert(sizeof(struct route) == 16, "a million of them");

struct set {
	uint32_t id; /* of the group; 0: none yet */
	uint32_t gen, lost;
	uint32_t nroutes, by_fam[FAM_N];
	uint16_t number; /* the speaker's, 0: adopted only, or dropped */
	uint8_t used, fam, n;
	bool named; /* by this speaker: perhaps not all routes are stale */
	bool live; /* routes can be written now */
	bool seen;
	struct nh nh[NLROUTE_NH];
	struct nlroute_object group; /* as last written or found */
	uint32_t active; /* plain form: which next hops */
};

struct member {
	uint32_t id, refs;
	bool live, seen;
	struct nh nh;
};

enum op_kind {
	OP_EXCL,
	OP_REPLACE,
	OP_DELETE,
	OP_ASIDE, /* a delete that makes room for the write behind it */
	OP_CLEAR, /* a delete, as no next hop can be used now */
};

/* One request of the batch that is being gathered. */
struct op {
	struct pfx pfx;
	uint32_t route, seq, gen;
	uint8_t kind, ti;
	bool sure; /* EEXIST: it is not ours */
	bool other; /* a delete: of a metric that is ours no more */
};

/* A place among all routes. */
struct walk {
	unsigned int ti;
	enum fam fam;
	struct pfx at;
};

/*
 * Compares all routes with the kernel: a dump of each table on a socket of its
 * own, a slice at a time, then a look at what it did not show.  Meanwhile the
 * table changes and the dump tells of a moment ago: what was written since the
 * begin counts as seen, and of sets that are newer nothing is believed.
 */
struct resync {
	bool active, tell;
	bool asked; /* for the dump of at.ti, at.fam */
	bool check; /* dumps are over: look at what was not seen */
	int failed; /* a dump, -errno */
	uint8_t seen; /* ROUTE_SEEN or ROUTE_SEEN2 */
	uint32_t gen; /* at the begin */
	struct walk at;
};

struct sweep {
	bool active, all, tell;
	bool sets; /* to look for sets that go as a whole */
	unsigned int ti;
	uint32_t removed;
	struct pfx at;
};

enum {
	SET_CAP = 8191,
	SRC_MAX = 32,
	SRC_OTHER = SRC_MAX,
	SLICE = 4096, /* routes looked at in one slice */
	SLICE_DUMP = 8, /* datagrams of a dump, some 300 routes each */
	ID_TRIES = 64,
	SWEEP_AT_ONCE = 2048,
	RESYNC_MAX = 8, /* tries in a row before we take a breath */
	RESYNC_WAIT_MS = 1000,
	RETRY_MIN_MS = 250,
	RETRY_MAX_MS = 60000,
};

/* What was found and must go, gathered during a dump. */
struct found {
	struct found_route {
		struct pfx pfx;
		uint32_t table, metric;
	} * r;
	size_t n, cap;
};

struct table {
	struct nlroute *nl;
	struct nlwatch *w;
	const struct fibd_fences *f;
	const struct table_events *ev;
	void *arg;
	bool objects;
	uint32_t epoch, gen, next_id;
	uint32_t table, metric;
	uint8_t src_now[FAM_N];
	struct addr src[SRC_MAX]; /* 0: none */
	unsigned int nsrc;
	struct trie *route[FENCE_TABLES][FAM_N];
	struct slab routes[FAM_N], sets;
	uint16_t map[FIBD_SETS + 1];
	struct member *member;
	size_t nmember;
	struct op op[NLROUTE_BATCH];
	uint32_t nop;
	struct op again[NLROUTE_BATCH]; /* REPLACE found nothing: EXCL */
	uint32_t nagain;
	struct sweep sweep[FAM_N];
	/* The walk that writes what can be written. */
	bool repair, repair_again, retry_failed;
	struct walk repair_at;
	struct resync resync;
	bool need_verify, need_resync, lost; /* lost: an answer */
	/* The first resync: what it finds is ours, and until it has been
	 * through, what is not known may be there all the same. */
	bool adopting;
	bool kept[FAM_N]; /* there is something to adopt */
	bool blind; /* news were lost: what is there may be another's */
	bool in_flush, some_failed, some_conflict;
	uint32_t unmoved; /* the route that the last OP_ASIDE did not remove */
	uint16_t last_set; /* that set_by_id() found */
	unsigned int resyncs_in_row;
	uint64_t resync_after_ms;
	uint64_t retry_at_ms, retry_delay_ms; /* what the kernel refused */
	struct found found;
	uint32_t drop_id[256];
	size_t ndrop;
};

/* A route's number has its family in the lowest bit. */
static enum fam
route_fam(uint32_t n)
{
	return FAM_INET + (n & 1);
}

static struct route *
route_at(const struct table *t, uint32_t n)
{
	return slab_at(&t->routes[route_fam(n)], n >> 1);
}

static void
route_key(const void *arg, uint32_t n, struct pfx *p)
{
	const struct route *r = route_at(arg, n);

	addr_set(&p->addr, route_fam(n), r->addr);
	p->len = r->len;
}

static uint32_t
route_new(struct table *t, struct trie *trie, const struct pfx *p)
{
	enum fam fam = (enum fam)p->addr.fam;
	uint32_t n = slab_new(&t->routes[fam]) << 1 | (fam == FAM_INET6);
	struct route *r = route_at(t, n);

	memcpy(r->addr, p->addr.o, fam_bits(fam) / 8);
	r->len = p->len;
	trie_put(trie, p, n);
	return n;
}

static struct set *
set_at(const struct table *t, uint32_t n)
{
	return slab_at(&t->sets, n);
}

static struct trie *
trie_of(const struct table *t, unsigned int ti, const struct pfx *p)
{
	return t->route[ti][p->addr.fam];
}

static unsigned int
table_index(const struct table *t, uint32_t table)
{
	unsigned int i = 0;

	while (i < t->f->ntable && t->f->table[i] != table)
		i++;
	return i;
}

struct table *
table_new(struct nlroute *nl, struct nlwatch *w, const struct fibd_fences *f,
    const struct table_events *ev, void *arg)
{
	struct table *t = mem_alloc(sizeof *t);

	t->nl = nl;
	t->w = w;
	t->f = f;
	t->ev = ev;
	t->arg = arg;
	t->objects = true;
	t->epoch = 1;
	t->nsrc = 1;
	t->table = f->table[0];
	t->metric = 20;
	t->retry_delay_ms = RETRY_MIN_MS;
	t->resync.seen = ROUTE_SEEN;
	t->next_id = (uint32_t)f->protocol << 22 | 1;
	slab_init(&t->sets, sizeof(struct set));
	for (enum fam fam = FAM_INET; fam < FAM_N; fam++) {
		slab_init(
		    &t->routes[fam], sizeof(struct route) + fam_bits(fam) / 8);
		for (unsigned int i = 0; i < f->ntable; i++)
			t->route[i][fam] = trie_new_keyed(fam, route_key, t);
	}
	return t;
}

void
table_free(struct table *t)
{
	if (t == NULL)
		return;
	for (enum fam fam = FAM_INET; fam < FAM_N; fam++) {
		for (unsigned int i = 0; i < t->f->ntable; i++)
			trie_free(t->route[i][fam]);
		slab_fini(&t->routes[fam]);
	}
	slab_fini(&t->sets);
	free(t->member);
	free(t->found.r);
	free(t);
}

void
table_plain(struct table *t)
{
	t->objects = false;
}

uint64_t
table_due_ms(const struct table *t)
{
	if (t->need_resync || t->lost || t->adopting)
		return t->resync_after_ms + 1;
	return t->some_failed ? t->retry_at_ms : 0;
}

bool
table_has_objects(const struct table *t)
{
	return t->objects;
}

uint32_t
table_count(const struct table *t, enum fam fam)
{
	size_t n = 0;

	for (unsigned int i = 0; i < t->f->ntable; i++)
		n += trie_count(t->route[i][fam]);
	return (uint32_t)n;
}

bool
table_adopting(const struct table *t)
{
	return t->adopting;
}

uint32_t
table_kept(const struct table *t, enum fam fam)
{
	uint32_t n = table_count(t, fam);

	return n == 0 && t->adopting && t->kept[fam] ? 1 : n;
}

/* A preferred source by a small number; more than a few are never ours. */
static uint8_t
src_number(struct table *t, const struct addr *a)
{
	if (a->fam == FAM_NONE)
		return 0;
	for (unsigned int i = 1; i < t->nsrc; i++)
		if (addr_eq(&t->src[i], a))
			return (uint8_t)i;
	if (t->nsrc == SRC_MAX)
		return SRC_OTHER;
	t->src[t->nsrc] = *a;
	return (uint8_t)t->nsrc++;
}

/* ---- sets ---------------------------------------------------------- */

static bool
nh_same(const struct nh *a, const struct nh *b)
{
	return addr_eq(&a->addr, &b->addr) && a->ifindex == b->ifindex &&
	    a->flags == b->flags;
}

static int
nh_cmp(const void *a, const void *b)
{
	const struct nh *x = a, *y = b;
	int c = addr_cmp(&x->addr, &y->addr);

	return c != 0 ? c
		      : (x->ifindex > y->ifindex) - (x->ifindex < y->ifindex);
}

static bool
content_same(const struct set *s, const struct nh *nh, unsigned int n)
{
	if (s->n != n)
		return false;
	for (unsigned int i = 0; i < n; i++)
		if (!nh_same(&s->nh[i], &nh[i]) ||
		    s->nh[i].weight != nh[i].weight)
			return false;
	return true;
}

static struct set *
set_new(struct table *t, uint16_t *number)
{
	struct set *s;

	if (t->sets.count >= SET_CAP)
		return NULL;
	*number = (uint16_t)slab_new(&t->sets);
	s = set_at(t, *number);
	s->used = true;
	s->gen = ++t->gen;
	return s;
}

#define SET_FOREACH(t, i, s) \
	for ((i) = 1; (i) < (t)->sets.used; (i)++) \
		if (!((s) = set_at((t), (i)))->used) { \
		} else

/* The result of requests that are made one at a time. */
struct result {
	int err;
	char text[FIBD_TEXT];
};

static void
on_single(void *arg, uint32_t tag, int err, const char *text)
{
	struct result *r = arg;

	r->err = err;
	snprintf(
	    r->text, sizeof r->text, "%s%s", strerror(err < 0 ? EIO : err), "");
	if (err > 0 && text[0] != '\0')
		snprintf(
		    r->text, sizeof r->text, "%s: %s", strerror(err), text);
}

static int
single(struct table *t, struct result *r)
{
	if (nlroute_run(t->nl, on_single, r) != 0) {
		t->lost = true;
		r->err = EIO;
		snprintf(
		    r->text, sizeof r->text, "the kernel's answer was lost");
	}
	return r->err;
}

static struct member *
member_find(struct table *t, const struct nh *nh)
{
	for (size_t i = 0; i < t->nmember; i++)
		if (nh_same(&t->member[i].nh, nh))
			return &t->member[i];
	return NULL;
}

static struct member *
member_add(struct table *t, const struct nh *nh)
{
	struct member *m;

	t->member = mem_realloc(t->member, t->nmember + 1, sizeof *m);
	m = &t->member[t->nmember++];
	memset(m, 0, sizeof *m);
	m->nh = *nh;
	return m;
}

/* Its object is in the kernel, or r tells why not. */
static bool
member_write(struct table *t, struct member *m, struct result *r)
{
	for (int i = 0; i < ID_TRIES && !m->live; i++) {
		if (m->id == 0 || i > 0)
			m->id = t->next_id++; /* the old one is another's */
		nlroute_member(t->nl, m->id, t->f->protocol, &m->nh, 0);
		if (single(t, r) == 0)
			m->live = true;
		else if (r->err != EEXIST)
			break;
	}
	return m->live;
}

static bool
group_same(const struct nlroute_object *a, const struct nlroute_object *b)
{
	return a->n == b->n &&
	    memcmp(a->member, b->member, a->n * sizeof a->member[0]) == 0 &&
	    memcmp(a->weight, b->weight, a->n) == 0;
}

static void
walk_begin(struct walk *w)
{
	w->ti = 0;
	w->fam = FAM_INET;
	w->at.addr.fam = FAM_NONE;
}

/* To the next table or family; false: that was the last. */
static bool
walk_on(const struct table *t, struct walk *w)
{
	w->at.addr.fam = FAM_NONE;
	w->fam = w->fam == FAM_INET ? FAM_INET6 : FAM_INET;
	if (w->fam == FAM_INET)
		w->ti++;
	return w->ti < t->f->ntable;
}

/* The next route, 0 behind the last. */
static uint32_t
walk_next(const struct table *t, struct walk *w)
{
	uint32_t n;

	do {
		n = trie_next(t->route[w->ti][w->fam], &w->at);
	} while (n == 0 && walk_on(t, w));
	return n;
}

static void
repair_start(struct table *t)
{
	if (t->repair)
		t->repair_again = true;
	t->repair = true;
	if (!t->repair_again)
		walk_begin(&t->repair_at);
}

static void
set_dead(struct table *t, struct set *s)
{
	s->live = false;
	s->lost = s->gen = ++t->gen;
	s->active = 0;
}

static void
group_new(
    struct table *t, struct set *s, struct nlroute_object *g, struct result *r)
{
	for (int i = 0; i < ID_TRIES && !s->live; i++) {
		if (s->id == 0 || i > 0)
			s->id = t->next_id++;
		g->id = s->id;
		nlroute_group(t->nl, g, NLROUTE_EXCL, 0);
		if (single(t, r) == 0)
			s->live = true;
		else if (r->err != EEXIST)
			return;
	}
	if (!s->live)
		return;
	s->group = *g;
	s->gen = ++t->gen;
	if (s->nroutes > 0)
		repair_start(t);
}

static void
group_write(
    struct table *t, struct set *s, struct nlroute_object *g, struct result *r)
{
	if (s->live && group_same(&s->group, g))
		return;
	if (s->live) {
		g->id = s->id;
		nlroute_group(t->nl, g, NLROUTE_REPLACE, 0);
		if (single(t, r) == 0)
			s->group = *g;
		if (r->err != ENOENT)
			return;
		set_dead(t, s); /* it vanished, and its routes */
	}
	group_new(t, s, g, r);
}

static void
set_write_objects(struct table *t, struct set *s, struct result *r)
{
	struct nlroute_object g = { .protocol = t->f->protocol, .group = true };

	for (unsigned int i = 0; i < s->n; i++) {
		struct member *m;

		if (!nlwatch_usable(t->w, &s->nh[i]))
			continue;
		m = member_find(t, &s->nh[i]);
		if (m == NULL)
			m = member_add(t, &s->nh[i]);
		if (!member_write(t, m, r)) {
			t->some_failed = true; /* not for long, perhaps */
			continue;
		}
		g.member[g.n] = m->id;
		g.weight[g.n++] = s->nh[i].weight;
	}
	if (g.n > 0) {
		r->err = 0;
		group_write(t, s, &g, r);
		t->some_failed = t->some_failed || r->err != 0;
		return;
	}
	if (s->live) {
		struct result ignored = { 0 };

		/* Its routes go with it. */
		nlroute_object_del(t->nl, s->id, 0);
		single(t, &ignored);
		set_dead(t, s);
	}
}

/* Without objects every route carries its next hops itself. */
static void
set_write_plain(struct table *t, struct set *s)
{
	uint32_t active = 0;

	for (unsigned int i = 0; i < s->n; i++)
		if (nlwatch_usable(t->w, &s->nh[i]))
			active |= 1U << i;
	if (active == s->active && s->live == (active != 0))
		return;
	if (active == 0) {
		/* Carrier loss alone leaves them in the kernel. */
		set_dead(t, s);
		if (s->nroutes > 0)
			repair_start(t);
		return;
	}
	s->active = active;
	s->live = true;
	s->gen = ++t->gen;
	if (s->nroutes > 0)
		repair_start(t);
}

/* Brings the kernel's form of a set to what can be used now. */
static int
set_write(struct table *t, struct set *s, struct result *r)
{
	r->err = 0;
	if (t->objects)
		set_write_objects(t, s, r);
	else
		set_write_plain(t, s);
	return s->live ? 0 : r->err;
}

static bool
set_names(const struct set *s, const struct member *m)
{
	for (unsigned int i = 0; i < s->n; i++)
		if (nh_same(&s->nh[i], &m->nh))
			return true;
	return false;
}

/* Objects that no set of ours names, and sets that nothing names. */
static void
set_gc(struct table *t)
{
	struct result ignored;
	struct set *s;
	uint32_t i;

	if (t->adopting)
		return; /* their routes are not known yet */
	SET_FOREACH(t, i, s)
	{
		if (s->number != 0 || s->nroutes > 0)
			continue;
		if (s->live && t->objects) {
			nlroute_object_del(t->nl, s->id, 0);
			single(t, &ignored);
		}
		s->used = false;
		slab_del(&t->sets, i);
	}
	for (size_t k = t->nmember; k-- > 0;) {
		struct member *m = &t->member[k];
		bool named = false;

		SET_FOREACH(t, i, s)
		named = named || set_names(s, m);
		if (named)
			continue;
		if (m->live) {
			nlroute_object_del(t->nl, m->id, 0);
			single(t, &ignored);
		}
		*m = t->member[--t->nmember];
	}
}

enum fam
table_set_fam(const struct table *t, uint32_t number)
{
	if (number == 0 || number > FIBD_SETS || t->map[number] == 0)
		return FAM_NONE;
	return set_at(t, t->map[number])->fam;
}

static unsigned int
read_nhset(const struct fibd_nhset *rec, struct nh *nh)
{
	memset(nh, 0, NLROUTE_NH * sizeof *nh);
	for (unsigned int i = 0; i < rec->n; i++) {
		addr_set(&nh[i].addr, rec->fam, rec->nh[i].o);
		nh[i].ifindex = rec->nh[i].ifindex;
		nh[i].weight = rec->nh[i].weight;
		nh[i].flags = rec->nh[i].flags;
	}
	qsort(nh, rec->n, sizeof *nh, nh_cmp);
	return rec->n;
}

/* An adopted set of the same content becomes the speaker's: its routes need
 * no write. */
static uint16_t
set_unbound(struct table *t, const struct nh *nh, unsigned int n)
{
	struct set *s;
	uint32_t i;

	SET_FOREACH(t, i, s)
	if (s->number == 0 && content_same(s, nh, n))
		return (uint16_t)i;
	return 0;
}

void
table_nhset(struct table *t, const struct fibd_nhset *rec)
{
	struct nh nh[NLROUTE_NH];
	unsigned int n = read_nhset(rec, nh);
	uint16_t i = t->map[rec->set];
	struct result r = { 0 };
	bool changed;
	struct set *s;

	table_flush(t);
	if (i == 0)
		i = set_unbound(t, nh, n);
	s = i != 0 ? set_at(t, i) : set_new(t, &i);
	if (s == NULL) {
		t->ev->failed(t->arg, rec->h.seq, ENOSPC,
		    "there are too many next-hop sets");
		return;
	}
	t->map[rec->set] = i;
	s->number = (uint16_t)rec->set;
	s->named = true;
	if (s->fam != FAM_NONE && s->fam != rec->fam && s->nroutes > 0) {
		t->ev->failed(t->arg, rec->h.seq, EINVAL,
		    "a set in use keeps its family");
		return;
	}
	changed = s->n != 0 && !content_same(s, nh, n);
	if (s->n == 0 || changed) {
		memcpy(s->nh, nh, sizeof nh);
		s->n = (uint8_t)n;
		s->fam = rec->fam;
		s->active = 0; /* plain form: bit numbers mean others now */
	}
	if (set_write(t, s, &r) != 0)
		t->ev->failed(t->arg, rec->h.seq, r.err, r.text);
	if (changed)
		set_gc(t);
}

void
table_nhset_drop(struct table *t, uint32_t seq, uint32_t number)
{
	struct set *s;

	table_flush(t);
	if (number == 0 || number > FIBD_SETS || t->map[number] == 0) {
		t->ev->failed(t->arg, seq, ENOENT, "unknown next-hop set");
		return;
	}
	s = set_at(t, t->map[number]);
	if (s->nroutes > 0)
		t->ev->failed(
		    t->arg, seq, EBUSY, "a route names this next-hop set");
	/* Stale ones, or such as were to have another set, which was refused.
	 * They keep their next hops: the number will mean others. */
	s->number = 0;
	t->map[number] = 0;
	set_gc(t);
}

/* ---- one route ------------------------------------------------------ */

/* Certainly there. */
static bool
in_kernel(const struct table *t, const struct route *r)
{
	const struct set *s;

	if (r->state != ROUTE_HELD)
		return false;
	if ((r->flags & ROUTE_ODD) != 0 || r->set == 0)
		return true;
	s = set_at(t, r->set);
	return t->objects ? s->live && r->gen == s->gen : r->gen >= s->lost;
}

/* Perhaps there. */
static bool
unsure(const struct table *t, const struct route *r)
{
	/* What could not be replaced is still there. */
	return r->state == ROUTE_UNSURE || r->state == ROUTE_FAILED ||
	    r->state == ROUTE_GOING ||
	    (r->state == ROUTE_HELD && !t->objects && !in_kernel(t, r));
}

static void
set_count(struct table *t, uint16_t set, enum fam fam, int n)
{
	struct set *s;

	if (set == 0)
		return;
	s = set_at(t, set);
	s->nroutes += (uint32_t)n;
	s->by_fam[fam] += (uint32_t)n;
}

static void
route_set(struct table *t, struct route *r, enum fam fam, uint16_t set)
{
	set_count(t, r->set, fam, -1);
	set_count(t, set, fam, 1);
	r->set = set;
}

static void
route_free(struct table *t, unsigned int ti, const struct pfx *p, uint32_t n)
{
	route_set(t, route_at(t, n), p->addr.fam, 0);
	trie_del(trie_of(t, ti, p), p);
	slab_del(&t->routes[route_fam(n)], n >> 1);
}

/* For a request and the one before it that makes room: what becomes of the
 * first must be known with the second. */
static void
room_for_two(struct table *t)
{
	if (t->nop + 2 > NLROUTE_BATCH || nlroute_full(t->nl))
		table_flush(t);
}

static struct op *
op_new(struct table *t, enum op_kind kind, const struct op *like)
{
	struct op *o = &t->op[t->nop];

	*o = *like;
	o->kind = (uint8_t)kind;
	return o;
}

static void
op_delete(
    struct table *t, enum op_kind kind, const struct op *like, uint32_t metric)
{
	struct nlroute_route m = { .pfx = like->pfx,
		.metric = metric,
		.table = t->f->table[like->ti],
		.protocol = t->f->protocol };
	struct op *o;

	room_for_two(t);
	o = op_new(t, kind, like);
	o->other = metric != t->metric;
	if (kind != OP_ASIDE)
		route_at(t, o->route)->flags |= ROUTE_BUSY;
	nlroute_del(t->nl, &m, t->nop++);
}

static void
fill_next_hops(
    const struct table *t, const struct set *s, struct nlroute_route *m)
{
	if (t->objects) {
		m->nhid = s->id;
		return;
	}
	for (unsigned int i = 0; i < s->n; i++)
		if ((s->active & 1U << i) != 0)
			m->nh[m->n++] = s->nh[i];
}

static void
op_write(struct table *t, enum op_kind kind, const struct op *like)
{
	struct op *o = op_new(t, kind, like);
	struct route *r = route_at(t, o->route);
	const struct set *s = set_at(t, r->set);
	struct nlroute_route m;

	/* Not the whole of it: this is once a route. */
	m.pfx = o->pfx;
	m.metric = r->metric;
	m.table = t->f->table[o->ti];
	m.protocol = t->f->protocol;
	m.src = t->src[r->src < SRC_MAX ? r->src : 0];
	m.nhid = 0;
	m.n = 0;
	fill_next_hops(t, s, &m);
	o->gen = s->gen;
	r->flags |= ROUTE_BUSY;
	nlroute_add(t->nl, &m, kind == OP_EXCL ? NLROUTE_EXCL : NLROUTE_REPLACE,
	    t->nop++);
}

/*
 * Queues what brings a route with a live set into the kernel; `there` as
 * in_kernel() said before anything was changed.
 */
static void
route_write(struct table *t, const struct op *like, bool there, bool perhaps)
{
	struct route *r = route_at(t, like->route);
	struct op o = *like;

	room_for_two(t);
	perhaps = perhaps || (there && t->blind);
	/* Where nobody knows, ours is removed first (it can only be ours),
	 * so that EXCL decides: a foreign route is never replaced. */
	if (perhaps)
		op_delete(t, OP_ASIDE, like, r->metric);
	o.sure = like->sure || perhaps || r->state == ROUTE_CONFLICT;
	op_write(t, there && !perhaps ? OP_REPLACE : OP_EXCL, &o);
}

/* The number of the route, 0: none of ours; no request of it waits any more. */
static uint32_t
find_idle(struct table *t, struct trie *trie, const struct pfx *p)
{
	uint32_t n = trie_get(trie, p);

	if (n == 0 || (route_at(t, n)->flags & ROUTE_BUSY) == 0)
		return n;
	table_flush(t);
	return trie_get(trie, p);
}

void
table_replace(
    struct table *t, uint32_t seq, const struct pfx *p, uint32_t number)
{
	struct op o = {
		.pfx = *p, .seq = seq, .ti = (uint8_t)table_index(t, t->table)
	};
	struct trie *trie = trie_of(t, o.ti, p);
	uint8_t src = t->src_now[p->addr.fam];
	uint16_t set = t->map[number];
	const struct set *s = set_at(t, set);
	bool there, perhaps, other;
	struct route *r;

	o.route = find_idle(t, trie, p);
	if (o.route == 0) {
		o.route = route_new(t, trie, p);
		route_at(t, o.route)->metric = t->metric;
	}
	r = route_at(t, o.route);
	there = in_kernel(t, r);
	perhaps = unsure(t, r);
	other = r->set != set || r->src != src || (r->flags & ROUTE_ODD) ||
	    r->gen != s->gen;
	r->epoch = (uint16_t)t->epoch;
	route_set(t, r, p->addr.fam, set);
	if (there && !other && r->metric == t->metric)
		return;
	if (r->metric != t->metric || !s->live) {
		if (there || perhaps)
			op_delete(
			    t, s->live ? OP_ASIDE : OP_CLEAR, &o, r->metric);
		there = perhaps = false;
		r->state = ROUTE_WANT;
		r->flags &= (uint8_t) ~(ROUTE_ODD | ROUTE_FIX);
	}
	r->metric = t->metric;
	r->src = src;
	if (s->live) {
		route_write(t, &o, there, perhaps);
		return;
	}
	r->flags |= ROUTE_TOLD;
	t->ev->failed(t->arg, seq, ENETDOWN,
	    "no next hop of the set can be "
	    "used now; the route waits");
}

bool
table_has(struct table *t, const struct pfx *p)
{
	return trie_get(trie_of(t, table_index(t, t->table), p), p) != 0;
}

void
table_remove(struct table *t, uint32_t seq, const struct pfx *p)
{
	struct op o = {
		.pfx = *p, .seq = seq, .ti = (uint8_t)table_index(t, t->table)
	};
	struct trie *trie = trie_of(t, o.ti, p);
	struct route *r;

	o.route = find_idle(t, trie, p);
	if (o.route == 0) {
		t->ev->failed(t->arg, seq, ENOENT, "there is no route of ours");
		return;
	}
	r = route_at(t, o.route);
	if (!in_kernel(t, r) && !unsure(t, r)) {
		route_free(t, o.ti, p, o.route);
		return;
	}
	op_delete(t, OP_DELETE, &o, r->metric);
}

/* ---- answers -------------------------------------------------------- */

/* News and refusals are newer than what a dump tells of a route. */
static void
overtake(const struct table *t, struct route *r)
{
	if (t->resync.active)
		r->flags |= t->resync.seen;
}

static void
fail(struct table *t, const struct op *o, int err, const char *text)
{
	char buf[FIBD_TEXT];

	if (o->seq == 0)
		return;
	if (text[0] != '\0')
		snprintf(buf, sizeof buf, "%s: %s", strerror(err), text);
	else
		snprintf(buf, sizeof buf, "%s", strerror(err));
	t->ev->failed(t->arg, o->seq, err, buf);
}

/* The answer to a delete. */
static bool
is_gone(int err)
{
	return err == 0 || err == ESRCH || err == ENOENT;
}

static void
deleted(struct table *t, const struct op *o, int err, const char *text)
{
	struct route *r = route_at(t, o->route);

	r->flags &= (uint8_t)~ROUTE_BUSY;
	if (is_gone(err)) {
		route_free(t, o->ti, &o->pfx, o->route);
		return;
	}
	/* Known until it is gone: a dump may miss it. */
	r->state = ROUTE_GOING;
	r->flags &= (uint8_t) ~(ROUTE_ODD | ROUTE_FIX | ROUTE_AWAY);
	route_set(t, r, o->pfx.addr.fam, 0);
	if (err < 0)
		return;
	t->some_failed = true;
	fail(t, o, err, text);
}

/* The answer to one that leaves a route without next hops. */
static void
cleared(struct table *t, const struct op *o, int err)
{
	if (is_gone(err))
		return;
	if (o->other)
		t->need_resync = true;
	else
		route_at(t, o->route)->state = ROUTE_UNSURE;
	t->some_failed = t->some_failed || err > 0;
}

static void
wrote(struct table *t, const struct op *o)
{
	struct route *r = route_at(t, o->route);

	if (o->seq == 0 && (r->flags & (ROUTE_AWAY | ROUTE_FIX)) != 0) {
		t->ev->state(t->arg, &o->pfx,
		    (r->flags & ROUTE_AWAY) != 0 ? TABLE_PUTBACK
						 : TABLE_CHANGED);
	}
	r->state = ROUTE_HELD;
	r->gen = o->gen;
	r->flags = t->resync.active ? t->resync.seen : 0;
}

static void
conflict(struct table *t, const struct op *o)
{
	struct route *r = route_at(t, o->route);

	fail(t, o, EEXIST, "a foreign route has this prefix and metric");
	t->some_conflict = true;
	r->flags |= ROUTE_TOLD;
	r->flags &= (uint8_t) ~(ROUTE_ODD | ROUTE_FIX);
	if (r->state == ROUTE_CONFLICT)
		return;
	r->state = ROUTE_CONFLICT;
	t->ev->state(t->arg, &o->pfx, TABLE_CONFLICT);
}

static void
on_answer(void *arg, uint32_t tag, int err, const char *text)
{
	struct table *t = arg;
	const struct op *o = &t->op[tag];
	struct route *r;

	if (o->kind == OP_ASIDE) {
		t->unmoved = is_gone(err) ? 0 : o->route;
		/* In nobody's way, and found by a comparison only. */
		if (t->unmoved != 0 && o->other)
			t->need_resync = true;
		return;
	}
	if (o->kind == OP_DELETE) {
		deleted(t, o, err, text);
		return;
	}
	r = route_at(t, o->route);
	r->flags &= (uint8_t)~ROUTE_BUSY;
	if (err > 0)
		overtake(t, r);
	if (o->kind == OP_CLEAR)
		cleared(t, o, err);
	else if (err == 0)
		wrote(t, o);
	else if (err < 0)
		r->state = ROUTE_UNSURE;
	else if (err == EEXIST && o->sure && o->route != t->unmoved)
		conflict(t, o);
	else if (err == EEXIST && !o->sure) {
		/* Whose?  Ours may be there although a dump did not show it. */
		r->state = ROUTE_UNSURE;
		t->again[t->nagain++] = *o;
	} else if (o->kind == OP_REPLACE && (err == ENOENT || err == ESRCH)) {
		/* Ours had vanished. */
		r->state = ROUTE_WANT;
		t->again[t->nagain++] = *o;
	} else {
		bool told = (r->flags & ROUTE_TOLD) != 0;

		r->state = ROUTE_FAILED;
		t->some_failed = true;
		r->flags |= ROUTE_TOLD;
		r->flags &= (uint8_t) ~(ROUTE_ODD | ROUTE_FIX);
		if (err == EEXIST) /* which would mean another's */
			fail(t, o, EBUSY,
			    "our own route could not be removed first");
		else
			fail(t, o, err, text);
		if (o->seq == 0 && !told)
			t->ev->state(t->arg, &o->pfx, TABLE_GONE);
		/* Most likely a nexthop object went silently. */
		t->need_verify = t->need_verify || o->seq != 0;
	}
}

static void
flush_once(struct table *t)
{
	int err = nlroute_run(t->nl, on_answer, t);

	t->nop = 0;
	if (err != 0)
		t->lost = true;
}

void
table_flush(struct table *t)
{
	if (t->in_flush)
		return;
	t->in_flush = true;
	flush_once(t);
	/* What was to be replaced and was not there, what was there and was to
	 * be new: a second chance, and the last. */
	if (t->nagain > 0) {
		uint32_t n = t->nagain;

		t->nagain = 0;
		for (uint32_t i = 0; i < n; i++) {
			const struct route *r = route_at(t, t->again[i].route);

			if (t->nop + 2 > NLROUTE_BATCH || nlroute_full(t->nl))
				flush_once(t);
			t->again[i].sure = true;
			route_write(
			    t, &t->again[i], false, r->state == ROUTE_UNSURE);
		}
		flush_once(t);
	}
	t->in_flush = false;
}

/* ---- the walk that repairs ------------------------------------------ */

static bool
wants_write(const struct table *t, const struct route *r)
{
	const struct set *s;

	if (r->set == 0 || (r->flags & ROUTE_BUSY) != 0)
		return false;
	s = set_at(t, r->set);
	if (!s->live)
		return false;
	switch ((enum route_state)r->state) {
	case ROUTE_HELD:
		if ((r->flags & ROUTE_ODD) != 0)
			return (r->flags & ROUTE_FIX) != 0;
		return r->gen != s->gen;
	case ROUTE_FAILED:
	case ROUTE_GOING:
		return false;
	case ROUTE_UNSURE:
		return !t->resync.active; /* it will tell */
	case ROUTE_CONFLICT:
	case ROUTE_WANT:
		break;
	}
	return true;
}

static void
repair_route(struct table *t, unsigned int ti, const struct pfx *p, uint32_t n)
{
	struct op o = { .pfx = *p, .route = n, .ti = (uint8_t)ti };
	struct route *r = route_at(t, n);

	if (r->state == ROUTE_FAILED && t->retry_failed)
		r->state =
		    ROUTE_UNSURE; /* also when its set comes back later */
	if (wants_write(t, r))
		route_write(t, &o, in_kernel(t, r), unsure(t, r));
	else if (r->state == ROUTE_GOING && (r->flags & ROUTE_BUSY) == 0)
		op_delete(t, OP_DELETE, &o, r->metric);
	else if (r->set != 0 && !set_at(t, r->set)->live && unsure(t, r)) {
		op_delete(t, OP_CLEAR, &o, r->metric);
		r->state = ROUTE_WANT;
	}
}

static bool
repair_work(struct table *t)
{
	struct walk *w = &t->repair_at;

	for (int i = 0; i < SLICE; i++) {
		uint32_t n = walk_next(t, w);

		if (n != 0) {
			repair_route(t, w->ti, &w->at, n);
			continue;
		}
		t->repair = t->repair_again;
		t->repair_again = false;
		walk_begin(w);
		if (!t->repair)
			t->retry_failed = false;
		break;
	}
	table_flush(t);
	return t->repair;
}

/* ---- sweeping ------------------------------------------------------- */

/*
 * The kernel removes one route after the other far more slowly than it adds
 * them (its trie counts anew what is left), but all routes of a group at once
 * in no time.  Only where many go: it walks the whole table for it.
 */
static void
sweep_sets(struct table *t, enum fam fam, bool all)
{
	struct result ignored;
	struct set *s;
	uint32_t i;

	table_flush(t);
	if (!t->objects)
		return;
	SET_FOREACH(t, i, s)
	{
		/* A set that the speaker did not name has stale routes only. */
		if (!s->live || (!all && s->named) ||
		    s->by_fam[fam] < SWEEP_AT_ONCE ||
		    s->by_fam[fam] != s->nroutes)
			continue;
		nlroute_object_del(t->nl, s->id, 0);
		if (single(t, &ignored) == 0)
			set_dead(t, s);
	}
}

/* Those that the speaker still names are made again, without routes. */
static void
revive_sets(struct table *t)
{
	struct result ignored = { 0 };
	struct set *s;
	uint32_t i;

	SET_FOREACH(t, i, s)
	if (s->number != 0 && !s->live)
		set_write(t, s, &ignored);
}

void
table_sweep(struct table *t, enum fam fam, bool all, bool tell)
{
	struct sweep *w = &t->sweep[fam];

	/* A second one while the first runs begins afresh and counts on. */
	w->removed = w->active ? w->removed : 0;
	w->all = all || (w->active && w->all);
	w->tell = tell || (w->active && w->tell);
	w->active = w->sets = true;
	w->ti = 0;
	w->at.addr.fam = FAM_NONE;
}

static void
sweep_route(struct table *t, struct sweep *w, uint32_t n)
{
	struct op o = { .pfx = w->at, .route = n, .ti = (uint8_t)w->ti };
	struct route *r = route_at(t, n);

	if ((r->flags & ROUTE_BUSY) != 0 ||
	    (!w->all && r->epoch == (uint16_t)t->epoch))
		return;
	w->removed++;
	if (!in_kernel(t, r) && !unsure(t, r)) {
		route_free(t, w->ti, &w->at, n);
		return;
	}
	op_delete(t, OP_DELETE, &o, r->metric);
}

static bool
sweep_work(struct table *t, enum fam fam)
{
	struct sweep *w = &t->sweep[fam];
	bool ended = false;

	if (!w->active || t->adopting)
		return false;
	table_flush(t);
	if (w->sets)
		sweep_sets(t, fam, w->all);
	w->sets = false;
	for (int i = 0; i < SLICE && !ended; i++) {
		uint32_t n = trie_next(t->route[w->ti][fam], &w->at);

		if (n != 0) {
			sweep_route(t, w, n);
			continue;
		}
		w->at.addr.fam = FAM_NONE;
		ended = ++w->ti == t->f->ntable;
	}
	table_flush(t);
	if (!ended)
		return true;
	w->active = false;
	revive_sets(t);
	set_gc(t);
	if (w->tell)
		t->ev->swept(t->arg, fam, w->all, w->removed);
	return false;
}

/* ---- what others did ------------------------------------------------ */

static bool
found_same(
    struct table *t, const struct route *r, const struct nlroute_route *m)
{
	const struct set *s;
	struct nlroute_route want = { 0 };

	if (r->set == 0 || m->odd || src_number(t, &m->src) != r->src)
		return false;
	s = set_at(t, r->set);
	if (t->objects)
		return s->live && m->nhid == s->id;
	fill_next_hops(t, s, &want);
	if (m->nhid != 0 || m->n != want.n)
		return false;
	for (unsigned int i = 0; i < m->n; i++) {
		unsigned int k = 0;

		while (k < want.n &&
		    !(nh_same(&m->nh[i], &want.nh[k]) &&
			m->nh[i].weight == want.nh[k].weight))
			k++;
		if (k == want.n)
			return false;
	}
	return true;
}

static void
foreign_route(struct table *t, struct op *o, bool gone)
{
	struct route *r = route_at(t, o->route);

	if (gone) {
		if (r->state == ROUTE_CONFLICT && set_at(t, r->set)->live)
			route_write(t, o, false, false);
		return;
	}
	if (!in_kernel(t, r) && !unsure(t, r))
		return;
	overtake(t, r);
	/* Beside ours, or in its place; or ours has taken that meanwhile: a
	 * request may have gone to the kernel since. */
	r->state = ROUTE_UNSURE;
	r->flags |= ROUTE_MISSED;
	r->flags &= (uint8_t) ~(ROUTE_ODD | ROUTE_FIX);
	if (r->set != 0 && set_at(t, r->set)->live)
		route_write(t, o, false, true);
}

static void
own_route(
    struct table *t, struct op *o, const struct nlroute_route *m, bool gone)
{
	struct route *r = route_at(t, o->route);

	if (gone)
		overtake(t, r);
	if (gone && in_kernel(t, r)) {
		/* It may be old news, or one next hop of many. */
		r->state = ROUTE_UNSURE;
		r->flags |= ROUTE_MISSED;
		r->flags &= (uint8_t) ~(ROUTE_ODD | ROUTE_FIX);
		if (r->set != 0 && set_at(t, r->set)->live)
			route_write(t, o, false, true);
	} else if (!gone && !found_same(t, r, m)) {
		overtake(t, r);
		r->state = ROUTE_HELD;
		r->flags |= ROUTE_ODD | ROUTE_FIX;
		if (r->set != 0 && set_at(t, r->set)->live)
			route_write(t, o, true, false);
	}
}

void
table_on_route(struct table *t, const struct nlroute_route *m, bool gone)
{
	struct op o = { .pfx = m->pfx };
	struct route *r;

	o.ti = (uint8_t)table_index(t, m->table);
	if (o.ti == t->f->ntable)
		return;
	o.route = trie_get(trie_of(t, o.ti, &m->pfx), &m->pfx);
	if (o.route == 0) {
		/* The dump may tell it as it was before. */
		if (t->adopting)
			table_resync(t, m->protocol != t->f->protocol);
		return;
	}
	r = route_at(t, o.route);
	if (r->metric != m->metric || r->state == ROUTE_GOING ||
	    (r->flags & ROUTE_BUSY) != 0)
		return;
	if (m->protocol == t->f->protocol)
		own_route(t, &o, m, gone);
	else
		foreign_route(t, &o, gone);
}

/* ---- looking at the kernel ------------------------------------------ */

static struct set *
set_by_id(struct table *t, uint32_t id, uint16_t *number)
{
	struct set *s;
	uint32_t i;

	/* Asked once a route: most name the same set as the one before. */
	if (id == 0 || t->sets.used == 1)
		return NULL;
	s = set_at(t, t->last_set);
	if (t->last_set != 0 && s->used && s->id == id)
		goto found;
	SET_FOREACH(t, i, s)
	if (s->id == id) {
		t->last_set = (uint16_t)i;
		goto found;
	}
	return NULL;
found:
	if (number != NULL)
		*number = t->last_set;
	return s;
}

static void
drop_later(struct table *t, uint32_t id)
{
	if (t->ndrop < sizeof t->drop_id / sizeof t->drop_id[0])
		t->drop_id[t->ndrop++] = id;
}

static void
seen_object(void *arg, const struct nlroute_object *o)
{
	struct table *t = arg;
	struct set *s = o->group ? set_by_id(t, o->id, NULL) : NULL;
	struct member *m = o->group ? NULL : member_find(t, &o->nh);

	if (s != NULL) {
		s->seen = true;
		s->group = *o;
	} else if (m != NULL && m->id == o->id && !o->odd)
		m->seen = true;
	else
		drop_later(t, o->id);
}

static void
drop_unknown(struct table *t)
{
	struct result ignored;

	for (size_t i = 0; i < t->ndrop; i++) {
		nlroute_object_del(t->nl, t->drop_id[i], 0);
		single(t, &ignored);
	}
	t->ndrop = 0;
}

/*
 * A link that goes takes its nexthop objects along without a word, and with
 * the last one of a group the group and its routes.  So: look what is there,
 * then make every set what it can be now.
 */
void
table_verify(struct table *t)
{
	struct result r = { 0 };
	struct set *s;
	uint32_t i;

	table_flush(t);
	t->need_verify = false;
	/* Sets that come with routes yet to be read show no loss before it. */
	t->need_resync =
	    t->need_resync || (t->adopting && t->resync.active && !t->objects);
	if (t->objects) {
		for (size_t k = 0; k < t->nmember; k++)
			t->member[k].seen = false;
		SET_FOREACH(t, i, s)
		s->seen = false;
		t->ndrop = 0;
		if (nlroute_dump_objects(
			t->nl, t->f->protocol, seen_object, t) != 0) {
			t->lost = true;
			return;
		}
		for (size_t k = 0; k < t->nmember; k++)
			t->member[k].live = t->member[k].seen;
		SET_FOREACH(t, i, s)
		if (s->live && !s->seen)
			set_dead(t, s);
		else if (!s->live && s->seen)
			drop_later(t, s->id); /* of a lost answer */
		drop_unknown(t);
	}
	if (t->some_failed || t->some_conflict) {
		/* A link takes foreign routes along without a word, too. */
		t->retry_failed = t->retry_failed || t->some_failed;
		t->some_failed = t->some_conflict = false;
		repair_start(t);
	}
	SET_FOREACH(t, i, s)
	set_write(t, s, &r);
}

static void
keep_found(struct table *t, const struct nlroute_route *m)
{
	struct found *f = &t->found;

	if (f->n == f->cap) {
		f->cap = f->cap == 0 ? 16 : f->cap * 2;
		f->r = mem_realloc(f->r, f->cap, sizeof *f->r);
	}
	f->r[f->n++] = (struct found_route){ m->pfx, m->table, m->metric };
}

/* Its set was made anew since the resync began: whatever a dump tells is of
 * before, and all its routes are written again. */
static bool
newer(const struct table *t, const struct route *r)
{
	return r->set != 0 && set_at(t, r->set)->gen > t->resync.gen;
}

static uint16_t
adopt_set(struct table *t, const struct nlroute_route *m)
{
	struct nh nh[NLROUTE_NH];
	uint16_t number = 0;
	struct set *s;

	if (m->odd)
		return 0;
	if (t->objects || m->nhid != 0) {
		set_by_id(t, t->objects ? m->nhid : 0, &number);
		return number;
	}
	memcpy(nh, m->nh, sizeof nh);
	qsort(nh, m->n, sizeof nh[0], nh_cmp);
	number = set_unbound(t, nh, m->n);
	if (number != 0 || (s = set_new(t, &number)) == NULL)
		return number;
	memcpy(s->nh, nh, sizeof nh);
	s->n = m->n;
	s->fam = nh[0].addr.fam;
	s->active = (1U << m->n) - 1;
	s->live = true;
	s->gen = t->resync.gen; /* it was there before */
	return number;
}

static void
adopt_route(struct table *t, struct trie *trie, const struct nlroute_route *m)
{
	struct route *r = route_at(t, route_new(t, trie, &m->pfx));

	r->metric = m->metric;
	r->state = ROUTE_HELD;
	r->flags = t->resync.seen;
	r->src = src_number(t, &m->src);
	route_set(t, r, m->pfx.addr.fam, adopt_set(t, m));
	if (r->set == 0)
		r->flags |= ROUTE_ODD;
	else if (newer(t, r))
		r->state = ROUTE_UNSURE;
	else
		r->gen = set_at(t, r->set)->gen;
}

static void
seen_route(void *arg, const struct nlroute_route *m)
{
	struct table *t = arg;
	unsigned int ti = table_index(t, m->table);
	struct trie *trie = trie_of(t, ti, &m->pfx);
	uint32_t n = trie_get(trie, &m->pfx);
	struct route *r = n != 0 ? route_at(t, n) : NULL;

	if (r == NULL && t->adopting) {
		adopt_route(t, trie, m);
		return;
	}
	if (r == NULL || r->metric != m->metric) {
		keep_found(t, m); /* nobody asked for it */
		return;
	}
	if ((r->flags & t->resync.seen) != 0 || newer(t, r))
		return;
	r->flags |= t->resync.seen;
	if (found_same(t, r, m)) {
		r->state = ROUTE_HELD;
		r->gen = set_at(t, r->set)->gen;
		/* The answer to the write that brought it was lost. */
		if ((r->flags & ROUTE_AWAY) != 0)
			t->ev->state(t->arg, &m->pfx, TABLE_PUTBACK);
		r->flags &= (uint8_t) ~(ROUTE_ODD | ROUTE_FIX | ROUTE_AWAY);
	} else if (r->set != 0 && r->state == ROUTE_HELD)
		r->flags |= ROUTE_ODD | ROUTE_FIX;
	else if (r->set != 0)
		r->state = ROUTE_UNSURE;
}

static void
drop_found(struct table *t)
{
	for (size_t i = 0; i < t->found.n; i++) {
		const struct found_route *m = &t->found.r[i];
		struct op o = { .pfx = m->pfx,
			.ti = (uint8_t)table_index(t, m->table) };

		op_delete(t, OP_ASIDE, &o, m->metric);
	}
	table_flush(t);
	free(t->found.r);
	memset(&t->found, 0, sizeof t->found);
}

/* What the dump did not show is not there, most likely. */
static void
unseen(struct table *t, struct route *r)
{
	if ((r->flags & t->resync.seen) != 0 || (newer(t, r) && !t->blind) ||
	    !(in_kernel(t, r) || r->state == ROUTE_UNSURE))
		return;
	if (r->state == ROUTE_HELD)
		r->flags |= ROUTE_MISSED;
	r->flags &= (uint8_t) ~(ROUTE_ODD | ROUTE_FIX);
	r->state = ROUTE_UNSURE;
}

/* True: that was the last slice. */
static bool
resync_check(struct table *t)
{
	struct resync *s = &t->resync;

	for (int i = 0; i < SLICE; i++) {
		uint32_t n = walk_next(t, &s->at);
		struct route *r;

		if (n == 0)
			return true;
		r = route_at(t, n);
		if (s->failed == 0)
			unseen(t, r);
		r->flags &= (uint8_t) ~(ROUTE_SEEN | ROUTE_SEEN2);
	}
	return false;
}

/* One slice of the dumps. */
static void
resync_dump(struct table *t)
{
	struct resync *s = &t->resync;
	int err;

	if (!s->asked) {
		s->asked = true;
		err = nlroute_walk_begin(
		    t->nl, s->at.fam, t->f->table[s->at.ti], t->f->protocol);
	} else
		err = nlroute_walk(t->nl, SLICE_DUMP, seen_route, t);
	drop_found(t);
	if (err < 0) {
		s->failed = err;
		t->lost = true;
	}
	if (err == NLROUTE_MORE)
		return;
	s->asked = false;
	if (err < 0 || !walk_on(t, &s->at)) {
		s->check = true;
		walk_begin(&s->at);
		if (t->adopting && err == 0) {
			t->adopting = false;
			t->need_verify = true; /* sets came with routes */
		}
	}
}

static void
resync_begin(struct table *t, uint64_t now_ms)
{
	bool lost = t->lost;

	t->need_resync = t->lost = false;
	/* Each loss makes batches smaller (nlroute.c): it ends. */
	t->resyncs_in_row = lost ? t->resyncs_in_row + 1 : 0;
	if (lost && t->resyncs_in_row % RESYNC_MAX == 0)
		t->resync_after_ms = now_ms + RESYNC_WAIT_MS;
	table_verify(t);
	t->resync = (struct resync){ .active = true,
		.tell = lost,
		.gen = t->gen,
		.seen = t->resync.seen ^ (ROUTE_SEEN | ROUTE_SEEN2) };
	walk_begin(&t->resync.at);
}

/* True: more to do at once. */
static bool
resync_work(struct table *t, uint64_t now_ms)
{
	struct resync *s = &t->resync;

	if (!s->active) {
		if ((!t->need_resync && !t->lost && !t->adopting) ||
		    now_ms < t->resync_after_ms)
			return false;
		resync_begin(t, now_ms);
	} else if (!s->check)
		resync_dump(t);
	else if (resync_check(t)) {
		s->active = false;
		t->blind = t->blind && t->need_resync;
		repair_start(t);
		if (s->tell)
			t->ev->overrun(t->arg);
	}
	return true;
}

void
table_resync(struct table *t, bool blind)
{
	t->need_resync = true;
	t->blind = t->blind || blind;
}

/* What the kernel refused is tried again, less and less often. */
static void
retry(struct table *t, uint64_t now_ms)
{
	if (!t->some_failed) {
		t->retry_at_ms = 0;
		if (!t->repair)
			t->retry_delay_ms = RETRY_MIN_MS;
	} else if (t->retry_at_ms == 0)
		t->retry_at_ms = now_ms + t->retry_delay_ms;
	else if (now_ms >= t->retry_at_ms) {
		t->retry_at_ms = 0;
		t->retry_delay_ms = t->retry_delay_ms * 2 < RETRY_MAX_MS
		    ? t->retry_delay_ms * 2
		    : RETRY_MAX_MS;
		t->need_verify = true;
	}
}

bool
table_work(struct table *t, uint64_t now_ms)
{
	bool more = false;

	table_flush(t);
	retry(t, now_ms);
	if (t->need_verify)
		table_verify(t);
	more = resync_work(t, now_ms);
	if (t->repair)
		more = repair_work(t) || more;
	for (enum fam fam = FAM_INET; fam < FAM_N; fam++)
		more = sweep_work(t, fam) || more;
	return more;
}

/* ---- coming and going ----------------------------------------------- */

static void
adopt_object(void *arg, const struct nlroute_object *o)
{
	struct table *t = arg;

	if (o->id >= t->next_id)
		t->next_id = o->id + 1;
	if (o->odd)
		drop_later(t, o->id);
	else if (!o->group) {
		struct member *m = member_find(t, &o->nh);

		if (m != NULL) {
			drop_later(t, o->id);
			return;
		}
		m = member_add(t, &o->nh);
		m->id = o->id;
		m->live = true;
	}
}

/* Members were all seen before: a dump is in the order of numbers, but a
 * group may have a smaller one than its members. */
static void
adopt_group(void *arg, const struct nlroute_object *o)
{
	struct table *t = arg;
	uint16_t number;
	struct set *s;

	if (!o->group || o->odd)
		return;
	s = set_new(t, &number);
	if (s == NULL)
		return;
	for (unsigned int i = 0; i < o->n; i++)
		for (size_t k = 0; k < t->nmember; k++)
			if (t->member[k].id == o->member[i]) {
				s->nh[s->n] = t->member[k].nh;
				s->nh[s->n++].weight = o->weight[i];
			}
	s->id = o->id;
	s->group = *o;
	s->live = true;
	s->fam = s->nh[0].addr.fam;
	qsort(s->nh, s->n, sizeof s->nh[0], nh_cmp);
}

/* A speaker must know whether anything of a family was kept. */
static int
look_ahead(struct table *t)
{
	struct walk w;

	walk_begin(&w);
	do {
		int n = nlroute_any(
		    t->nl, w.fam, t->f->table[w.ti], t->f->protocol);

		if (n < 0)
			return n;
		t->kept[w.fam] = t->kept[w.fam] || n > 0;
	} while (walk_on(t, &w));
	return 0;
}

int
table_adopt(struct table *t, uint32_t at_once)
{
	int err = 0;

	if (t->objects) {
		err = nlroute_dump_objects(
		    t->nl, t->f->protocol, adopt_object, t);
		if (err == -EOPNOTSUPP || err == -EINVAL) {
			t->objects = false;
			err = 0;
		} else if (err == 0)
			err = nlroute_dump_objects(
			    t->nl, t->f->protocol, adopt_group, t);
	}
	t->adopting = err == 0;
	while (err == 0 && t->adopting &&
	    table_count(t, FAM_INET) + table_count(t, FAM_INET6) < at_once) {
		resync_work(t, 0);
		err = t->resync.failed;
	}
	if (t->adopting && err == 0)
		err = look_ahead(t);
	return err;
}

/*
 * After many sources: forget them; every route is one of another source.
 * After many epochs: every route is of the one before the first.
 */
static void
forget(struct table *t, bool src, bool epoch)
{
	struct walk w;
	uint32_t n;

	walk_begin(&w);
	while ((n = walk_next(t, &w)) != 0) {
		struct route *r = route_at(t, n);

		r->src = src ? SRC_OTHER : r->src;
		r->epoch = epoch ? 0 : r->epoch;
	}
	t->nsrc = src ? 1 : t->nsrc;
}

void
table_hello(struct table *t, const struct fibd_hello *h)
{
	struct addr src[FAM_N] = { { .fam = FAM_NONE } };
	struct set *s;
	uint32_t i;

	table_flush(t);
	if ((uint16_t)++t->epoch == 0) {
		forget(t, false, true);
		t->epoch++;
	}
	memset(t->map, 0, sizeof t->map);
	SET_FOREACH(t, i, s)
	{
		s->number = 0;
		s->named = false;
	}
	for (enum fam fam = FAM_INET; fam < FAM_N; fam++) {
		/* What it did not come to is to be had again. */
		t->need_verify = t->need_verify || t->sweep[fam].active;
		t->sweep[fam].active = false;
	}
	if (h == NULL) {
		set_gc(t); /* those that no route names: nobody will */
		return;
	}
	t->table = h->table;
	t->metric = h->metric;
	if (h->src4.fam == FAM_INET)
		addr_set(&src[FAM_INET], FAM_INET, h->src4.o);
	if (h->src6.fam == FAM_INET6)
		addr_set(&src[FAM_INET6], FAM_INET6, h->src6.o);
	if (t->nsrc + 2 > SRC_MAX)
		forget(t, true, false);
	for (enum fam fam = FAM_INET; fam < FAM_N; fam++)
		t->src_now[fam] = src_number(t, &src[fam]);
}
