/*
 * ana-fibd's table against a kernel in memory that behaves like Linux: a link
 * that goes takes its nexthop objects, and with the last of a group its
 * routes, without a word; answers and news get lost; a dump tells of a moment
 * ago.  How many messages a change costs is counted.  And the same with the
 * speaker's side in front of it, bgpd/fibsync.c.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bgpd/fibsync.h"
#include "lib/mem.h"
#include "lib/trie.h"
#include "platform/fibd/table.h"
#include "tests/fib_requests.h"
#include "tests/random.h"

enum {
	PROTO = 179,
	OTHER = 99,
	METRIC = 20,
	LINKS = 3,
	SETS = 8, /* of the speaker; the odd ones IPv6 */
	POOL = 200, /* prefixes of the random test, half of them IPv6 */
	OBJECTS = 64,
	CHUNK = 50, /* routes in a datagram of a dump */
	ASKED = 64, /* requests of the speaker that wait */
	ANSWERS = 100000,
};

/* ---- the kernel ------------------------------------------------------ */

struct object {
	struct nlroute_object o;
	bool there;
};

static struct kernel {
	struct trie *route[FAM_N]; /* numbers of `slab` */
	struct slab slab;
	struct object obj[OBJECTS];
	bool down[LINKS + 1]; /* by ifindex */
	bool known_down[LINKS + 1]; /* the same, as the news told it */
	unsigned int msgs, runs; /* requests, sends */
	unsigned int rows; /* of dumps */
	int lose; /* answers: one send in so many, 0: none */
	int refuse; /* one request in so many, for once; 0: none */
	bool keep; /* it has no memory for deletes */
	struct nlroute_route beside; /* with another metric; len 0: none */
	unsigned int limit; /* requests a send */
	/* what is queued */
	struct req {
		enum {
			ADD,
			DEL,
			MEMBER,
			GROUP,
			OBJECT_DEL
		} what;
		enum nlroute_how how;
		struct nlroute_route r;
		struct nlroute_object o;
		uint32_t tag;
	} req[NLROUTE_BATCH];
	uint32_t nreq;
	/* the walk: rows made one datagram ahead */
	struct nlroute_route row[CHUNK];
	unsigned int nrow, chunk;
	enum fam fam;
	struct pfx at;
	unsigned int changes, changes_seen;
} k;

static bool plain;
static struct nlroute_route *
kroute(const struct pfx *p)
{
	uint32_t n = trie_get(k.route[p->addr.fam], p);

	return n != 0 ? slab_at(&k.slab, n) : NULL;
}

static void
kput(const struct nlroute_route *r)
{
	struct nlroute_route *old = kroute(&r->pfx);
	uint32_t n;

	k.changes++;
	if (old != NULL) {
		*old = *r;
		return;
	}
	n = slab_new(&k.slab);
	*(struct nlroute_route *)slab_at(&k.slab, n) = *r;
	trie_put(k.route[r->pfx.addr.fam], &r->pfx, n);
}

static void
kdel(const struct pfx *p)
{
	k.changes++;
	slab_del(&k.slab, trie_del(k.route[p->addr.fam], p));
}

static struct object *
kobject(uint32_t id)
{
	for (int i = 0; i < OBJECTS; i++)
		if (k.obj[i].there && k.obj[i].o.id == id)
			return &k.obj[i];
	return NULL;
}

/* All routes that fn says so go, silently. */
static void
kdrop(bool (*fn)(const struct nlroute_route *, uint32_t), uint32_t arg)
{
	for (enum fam f = FAM_INET; f < FAM_N; f++) {
		struct pfx at = { .addr.fam = FAM_NONE };
		uint32_t n;

		while ((n = trie_next(k.route[f], &at)) != 0)
			if (fn(slab_at(&k.slab, n), arg))
				kdel(&at);
	}
}

static bool
names(const struct nlroute_route *r, uint32_t id)
{
	return r->nhid == id;
}

static bool
only_over(const struct nlroute_route *r, uint32_t ifindex)
{
	for (unsigned int i = 0; i < r->n; i++)
		if (r->nh[i].ifindex != ifindex)
			return false;
	return r->nhid == 0;
}

static void
kobject_del(struct object *o)
{
	uint32_t id = o->o.id;
	bool group = o->o.group;

	o->there = false;
	kdrop(names, id);
	for (int i = 0; i < OBJECTS && !group; i++) {
		struct nlroute_object *g = &k.obj[i].o;
		uint8_t n = 0;

		if (!k.obj[i].there || !g->group)
			continue;
		for (uint8_t m = 0; m < g->n; m++)
			if (g->member[m] != id) {
				g->member[n] = g->member[m];
				g->weight[n++] = g->weight[m];
			}
		g->n = n;
		if (n == 0)
			kobject_del(&k.obj[i]);
	}
}

static int
kobject_put(const struct nlroute_object *o, enum nlroute_how how)
{
	struct object *old = kobject(o->id);

	if (!o->group && k.down[o->nh.ifindex])
		return ENETDOWN;
	for (uint8_t i = 0; i < o->n; i++)
		if (kobject(o->member[i]) == NULL)
			return EINVAL;
	if (how == NLROUTE_EXCL && old != NULL)
		return EEXIST;
	if (how == NLROUTE_REPLACE && old == NULL)
		return ENOENT;
	for (int i = 0; i < OBJECTS && old == NULL; i++)
		if (!k.obj[i].there)
			old = &k.obj[i];
	assert_non_null(old); /* a leak */
	*old = (struct object){ *o, true };
	return 0;
}

/* What the kernel said and nobody has read yet, in its order. */
static struct word {
	struct nlroute_route r;
	bool gone;
	uint32_t link; /* 0: of a route */
	bool down;
} word[256];
static unsigned int nword;

static bool
unread(const struct pfx *p)
{
	for (unsigned int i = 0; i < nword; i++)
		if (pfx_eq(&word[i].r.pfx, p))
			return true;
	return false;
}

static int
kadd(const struct req *q)
{
	const struct nlroute_route *old = kroute(&q->r.pfx);

	if (old != NULL && old->metric != q->r.metric) {
		assert_int_equal(k.beside.pfx.len, 0);
		k.beside = *old;
		kdel(&old->pfx);
		old = NULL;
	}
	if (q->how == NLROUTE_EXCL && old != NULL)
		return EEXIST;
	if (q->how == NLROUTE_REPLACE && old == NULL)
		return ENOENT;
	/* The one thing that must never happen, when it is known. */
	if (old != NULL && !unread(&q->r.pfx))
		assert_int_equal(old->protocol, PROTO);
	if (q->r.nhid != 0 && kobject(q->r.nhid) == NULL)
		return EINVAL;
	for (unsigned int i = 0; i < q->r.n; i++)
		if (k.down[q->r.nh[i].ifindex])
			return ENETDOWN;
	kput(&q->r);
	return 0;
}

static int
execute(const struct req *q)
{
	const struct nlroute_route *r;
	struct object *o;

	if (k.refuse > 0 && q->what != OBJECT_DEL &&
	    rnd((uint32_t)k.refuse) == 0)
		return ENOBUFS;
	switch (q->what) {
	case ADD:
		return kadd(q);
	case DEL:
		if (k.keep)
			return ENOMEM;
		if (pfx_eq(&k.beside.pfx, &q->r.pfx) &&
		    k.beside.metric == q->r.metric) {
			k.beside.pfx.len = 0;
			return 0;
		}
		r = kroute(&q->r.pfx);
		if (r == NULL || r->protocol != q->r.protocol ||
		    r->metric != q->r.metric)
			return ESRCH;
		kdel(&q->r.pfx);
		return 0;
	case MEMBER:
	case GROUP:
		return kobject_put(&q->o, q->how);
	case OBJECT_DEL:
		if ((o = kobject(q->o.id)) == NULL)
			return ENOENT;
		assert_int_equal(o->o.protocol, PROTO);
		kobject_del(o);
		return 0;
	}
	return EINVAL;
}

static struct req *
queue(uint32_t tag)
{
	assert_true(k.nreq < NLROUTE_BATCH);
	memset(&k.req[k.nreq], 0, sizeof k.req[0]);
	k.req[k.nreq].tag = tag;
	return &k.req[k.nreq++];
}

/* ---- what the table calls -------------------------------------------- */

bool
nlroute_full(const struct nlroute *nl)
{
	return k.nreq + 2 > k.limit;
}

void
nlroute_add(struct nlroute *nl, const struct nlroute_route *r,
    enum nlroute_how how, uint32_t tag)
{
	struct req *q = queue(tag);

	/* What is not said there is not to be read. */
	q->r = (struct nlroute_route){ .pfx = r->pfx,
		.table = r->table,
		.metric = r->metric,
		.protocol = r->protocol,
		.src = r->src,
		.nhid = r->nhid,
		.n = r->n };
	memcpy(q->r.nh, r->nh, r->n * sizeof r->nh[0]);
	q->how = how;
}

void
nlroute_del(struct nlroute *nl, const struct nlroute_route *r, uint32_t tag)
{
	struct req *q = queue(tag);

	q->what = DEL;
	q->r = *r;
}

void
nlroute_member(struct nlroute *nl, uint32_t id, uint8_t protocol,
    const struct nh *nh, uint32_t tag)
{
	struct req *q = queue(tag);

	q->what = MEMBER;
	q->o = (struct nlroute_object){
		.id = id, .protocol = protocol, .nh = *nh
	};
}

void
nlroute_group(struct nlroute *nl, const struct nlroute_object *o,
    enum nlroute_how how, uint32_t tag)
{
	struct req *q = queue(tag);

	q->what = GROUP;
	q->how = how;
	q->o = *o;
}

void
nlroute_object_del(struct nlroute *nl, uint32_t id, uint32_t tag)
{
	struct req *q = queue(tag);

	q->what = OBJECT_DEL;
	q->o.id = id;
}

int
nlroute_run(struct nlroute *nl, nlroute_done_fn *fn, void *arg)
{
	bool lost = k.lose > 0 && rnd((uint32_t)k.lose) == 0;
	bool sent = !lost || rnd(3) != 0;
	uint32_t n = k.nreq;
	int err[NLROUTE_BATCH];

	if (n == 0)
		return 0;
	k.msgs += n;
	k.runs++;
	for (uint32_t i = 0; i < n && sent; i++)
		err[i] = execute(&k.req[i]);
	k.nreq = 0;
	for (uint32_t i = 0; i < n; i++)
		fn(arg, k.req[i].tag, lost ? -1 : err[i], "");
	return lost ? -ENOBUFS : 0;
}

int
nlroute_dump_objects(
    struct nlroute *nl, uint8_t protocol, nlroute_object_fn *fn, void *arg)
{
	k.msgs++;
	for (int i = 0; i < OBJECTS; i++)
		if (k.obj[i].there && k.obj[i].o.protocol == protocol)
			fn(arg, &k.obj[i].o);
	return 0;
}

/* The next datagram, told with the next call only.  Where an IPv6 table has
 * changed since the last, the kernel counts anew and misses some. */
static void
prefetch(void)
{
	unsigned int skip =
	    k.fam == FAM_INET6 && k.changes != k.changes_seen ? rnd(3) : 0;
	uint32_t n;

	k.changes_seen = k.changes;
	k.nrow = 0;
	while (
	    k.nrow < k.chunk && (n = trie_next(k.route[k.fam], &k.at)) != 0) {
		const struct nlroute_route *r = slab_at(&k.slab, n);

		if (r->protocol == PROTO && skip == 0)
			k.row[k.nrow++] = *r;
		else if (skip > 0)
			skip--;
	}
}

int
nlroute_walk_begin(
    struct nlroute *nl, enum fam fam, uint32_t table, uint8_t protocol)
{
	k.msgs++;
	k.fam = fam;
	k.at.addr.fam = FAM_NONE;
	k.changes_seen = k.changes;
	prefetch();
	if (k.beside.pfx.len > 0 && k.beside.pfx.addr.fam == fam &&
	    k.nrow < CHUNK)
		k.row[k.nrow++] = k.beside;
	return NLROUTE_MORE;
}

int
nlroute_walk(
    struct nlroute *nl, unsigned int budget, nlroute_route_fn *fn, void *arg)
{
	while (budget-- > 0) {
		struct nlroute_route row[CHUNK];
		unsigned int n = k.nrow;

		if (n == 0)
			return 0;
		memcpy(row, k.row, sizeof row);
		prefetch();
		k.rows += n;
		for (unsigned int i = 0; i < n; i++)
			fn(arg, &row[i]);
	}
	return NLROUTE_MORE;
}

int
nlroute_any(struct nlroute *nl, enum fam fam, uint32_t table, uint8_t protocol)
{
	struct pfx at = { .addr.fam = FAM_NONE };
	uint32_t n;

	k.msgs++;
	while ((n = trie_next(k.route[fam], &at)) != 0) {
		const struct nlroute_route *r = slab_at(&k.slab, n);

		if (r->protocol == protocol)
			return 1;
	}
	return 0;
}

bool
nlwatch_usable(const struct nlwatch *w, const struct nh *nh)
{
	return !k.known_down[nh->ifindex];
}

/* ---- the speaker ------------------------------------------------------ */

static struct fibd_fences fences;
static struct table *t;
static uint32_t seq;
static uint64_t now;
static unsigned int nfailed, nconflict;
static struct belief { /* the speaker's, of a prefix of the pool */
	uint32_t seq; /* of its last request */
	bool there;
} belief[POOL + 1]; /* the last: of all others */

static struct belief *
believed(const struct pfx *p)
{
	unsigned int i = p->addr.o[p->addr.fam == FAM_INET ? 3 : 4];

	return &belief[p->addr.o[1] == 0 && p->addr.o[2] == 0 && i < POOL
		? i
		: POOL];
}

/* The speaker, where it takes part: what it is still to hear, in order. */
static struct fibsync *fs;
static struct answer {
	enum {
		FAILED,
		STATE,
		UPTO
	} kind;
	uint32_t seq;
	int err;
	struct pfx pfx;
	enum fib_state state;
} answer[ANSWERS];
static unsigned int nanswer;

static void
tell(const struct answer *a)
{
	assert_true(nanswer < ANSWERS);
	answer[nanswer++] = *a;
}

static struct pfx lost[4096]; /* GONE: to be asked for again */
static unsigned int nlost;

static void
on_failed(void *arg, uint32_t number, int err, const char *text)
{
	assert_true(text[0] != '\0');
	if (fs != NULL) {
		tell(&(struct answer){
		    .kind = FAILED, .seq = number, .err = err });
		return;
	}
	nfailed++;
	for (int i = 0; i < POOL; i++)
		if (belief[i].seq == number)
			belief[i].there = false;
}

static void
on_state(void *arg, const struct pfx *p, uint8_t what)
{
	if (fs != NULL) {
		tell(&(struct answer){
		    .kind = STATE, .pfx = *p, .state = (enum fib_state)what });
		return;
	}
	nconflict += what == TABLE_CONFLICT;
	believed(p)->there = what == TABLE_CHANGED || what == TABLE_PUTBACK;
	if (what == TABLE_GONE && nlost < sizeof lost / sizeof lost[0])
		lost[nlost++] = *p;
}

static void
on_swept(void *arg, enum fam fam, bool flushed, uint32_t removed)
{
}

static void
on_overrun(void *arg)
{
}

static const struct table_events events = {
	.failed = on_failed,
	.state = on_state,
	.swept = on_swept,
	.overrun = on_overrun,
};

static void
hello(void)
{
	struct fibd_hello h = { .table = 254, .metric = METRIC };

	table_hello(t, &h);
}

static void
nhset(uint32_t number, unsigned int links)
{
	struct fibd_nhset q = { .h.seq = ++seq,
		.set = number,
		.fam = number % 2 != 0 ? FAM_INET6 : FAM_INET };

	for (uint32_t i = 1; i <= LINKS; i++)
		if ((links & 1U << i) != 0) {
			q.nh[q.n].o[0] = 10;
			q.nh[q.n].o[1] = (uint8_t)i;
			q.nh[q.n].ifindex = i;
			q.nh[q.n++].weight = 1;
		}
	table_nhset(t, &q);
}

static struct pfx
nth(uint32_t i, enum fam fam)
{
	struct pfx p = { .addr.fam = (uint8_t)fam, .len = 40 };

	p.addr.o[0] = 20;
	p.addr.o[1] = (uint8_t)(i >> 16);
	p.addr.o[2] = (uint8_t)(i >> 8);
	p.addr.o[fam == FAM_INET ? 3 : 4] = (uint8_t)i;
	p.len = fam == FAM_INET ? 32 : 40;
	return p;
}

static struct pfx
pooled(uint32_t i)
{
	return nth(i, i % 2 != 0 ? FAM_INET6 : FAM_INET);
}

static void
ask(const struct pfx *p, uint32_t set)
{
	*believed(p) = (struct belief){ seq + 1, set != 0 };
	if (set != 0)
		table_replace(t, ++seq, p, set);
	else
		table_remove(t, ++seq, p);
}

/* What the route's next hops are, as bits of links. */
static unsigned int
over(const struct nlroute_route *r)
{
	const struct object *g = kobject(r->nhid);
	unsigned int links = 0;

	for (unsigned int i = 0; i < r->n; i++)
		links |= 1U << r->nh[i].ifindex;
	for (unsigned int i = 0; g != NULL && i < g->o.n; i++)
		links |= 1U << kobject(g->o.member[i])->o.nh.ifindex;
	return links;
}

/* Until nothing is left to do, not even later. */
static void
settle(void)
{
	for (int i = 0; i < 100000; i++) {
		if (table_work(t, now))
			continue;
		if (table_due_ms(t) == 0)
			return;
		now = table_due_ms(t) > now ? table_due_ms(t) : now + 1;
	}
	fail_msg("it never ends");
}

static int
begin(void **state)
{
	memset(&k, 0, sizeof k);
	for (enum fam f = FAM_INET; f < FAM_N; f++)
		k.route[f] = trie_new(f);
	slab_init(&k.slab, sizeof(struct nlroute_route));
	k.limit = NLROUTE_BATCH;
	k.chunk = CHUNK;
	fibd_fences_init(&fences);
	fences.protocol = PROTO;
	fences.ntable = 0;
	fences.table[fences.ntable++] = 254;
	plain = false;
	seq = nfailed = nconflict = nlost = nword = 0;
	now = 1000;
	memset(belief, 0, sizeof belief);
	t = table_new(NULL, NULL, &fences, &events, NULL);
	return 0;
}

static int
end(void **state)
{
	table_free(t);
	for (enum fam f = FAM_INET; f < FAM_N; f++)
		trie_free(k.route[f]);
	slab_fini(&k.slab);
	return 0;
}

static bool deaf;

static void
hear(unsigned int n)
{
	bool look = false, gone = false;

	/* What the speaker asked for waits for no news. */
	table_flush(t);
	n = n < nword ? n : nword;
	for (unsigned int i = 0; i < n; i++) {
		struct word *w = &word[i];

		if (w->link == 0)
			table_on_route(t, &w->r, w->gone);
		else
			k.known_down[w->link] = w->down;
		look = look || w->link != 0;
		gone = gone || w->down;
	}
	table_flush(t);
	nword -= n;
	memmove(word, word + n, nword * sizeof *word);
	if (look)
		table_verify(t);
	if (gone && plain)
		table_resync(t, false);
}

static void
say(const struct word *w)
{
	/* Some are lost; then it is told to look at all. */
	if (nword == sizeof word / sizeof *word || (deaf && rnd(8) == 0)) {
		nword = 0;
		memcpy(k.known_down, k.down, sizeof k.down);
		table_verify(t);
		table_resync(t, true);
		return;
	}
	word[nword++] = *w;
	if (rnd(2) == 0)
		hear(rnd(nword + 1));
}

static void
news(const struct nlroute_route *r, bool gone)
{
	say(&(struct word){ .r = *r, .gone = gone });
}

/* ---- what a change costs ----------------------------------------------- */

/* Messages to the kernel for each of these, with n routes. */
struct cost {
	unsigned int group, loss, back, moved;
};

static struct cost
cost(uint32_t n)
{
	struct cost c;
	unsigned int before;

	begin(NULL);
	assert_int_equal(table_adopt(t, UINT32_MAX), 0);
	hello();
	nhset(2, 2 | 4);
	for (uint32_t i = 0; i < n; i++) {
		struct pfx p = nth(i, FAM_INET);

		ask(&p, 2);
	}
	table_flush(t);
	settle();
	assert_int_equal(nfailed, 0);
	assert_int_equal(trie_count(k.route[FAM_INET]), n);
	/* The ECMP group gets a next hop more. */
	before = k.msgs;
	nhset(2, 2 | 4 | 8);
	settle();
	c.group = k.msgs - before;
	/* A link goes, and its object with it. */
	before = k.msgs;
	k.down[1] = k.known_down[1] = true;
	for (int i = 0; i < OBJECTS; i++)
		if (k.obj[i].there && !k.obj[i].o.group &&
		    k.obj[i].o.nh.ifindex == 1)
			kobject_del(&k.obj[i]);
	table_verify(t);
	settle();
	c.loss = k.msgs - before;
	before = k.msgs;
	k.down[1] = k.known_down[1] = false;
	table_verify(t);
	settle();
	c.back = k.msgs - before;
	/* All to another next hop. */
	before = k.msgs;
	nhset(2, 4);
	settle();
	c.moved = k.msgs - before;
	assert_int_equal(trie_count(k.route[FAM_INET]), n);
	end(NULL);
	return c;
}

static void
test_constant_messages(void **state)
{
	struct cost few = cost(10), many = cost(200000);

	assert_memory_equal(&few, &many, sizeof few);
	/* A member and the group; a look and the group; all three; the group,
	 * and two objects that nobody names any more. */
	assert_true(few.group <= 2);
	assert_true(few.loss <= 2);
	assert_true(few.back <= 3);
	assert_true(few.moved <= 3);
}

/* The comparison with the kernel leaves room for requests and news. */
static void
test_resync_in_slices(void **state)
{
	enum {
		N = 50000
	};
	unsigned int turns = 0, most = 0, before;

	begin(NULL);
	hello();
	nhset(2, 2 | 4);
	for (uint32_t i = 0; i < N; i++) {
		struct pfx p = nth(i, FAM_INET);

		ask(&p, 2);
	}
	settle();
	before = k.msgs;
	table_resync(t, false);
	for (;;) {
		unsigned int rows = k.rows;
		struct pfx p = nth(N + turns, FAM_INET);

		if (!table_work(t, now))
			break;
		most = k.rows - rows > most ? k.rows - rows : most;
		/* A new route in between is written at once. */
		ask(&p, 2);
		table_flush(t);
		assert_non_null(kroute(&p));
		turns++;
	}
	assert_true(k.rows >= N);
	assert_true(most <= 8 * CHUNK);
	assert_true(turns >= N / most);
	/* And nothing is written that is there. */
	assert_int_equal(k.msgs - before, turns + 3);
	end(NULL);
}

/* ana-fibd begins anew, with what is in the kernel. */
static void
reborn(uint32_t at_once)
{
	table_free(t);
	k.nreq = 0;
	t = table_new(NULL, NULL, &fences, &events, NULL);
	if (plain)
		table_plain(t);
	assert_int_equal(table_adopt(t, at_once), 0);
}

/* So does the adoption of a large table. */
static void
adoption_in_slices(bool form)
{
	enum {
		N = 50000
	};
	struct pfx six = nth(1, FAM_INET6);
	unsigned int turns = 0, most = 0, before;

	begin(NULL);
	plain = form;
	if (plain)
		table_plain(t);
	hello();
	nhset(2, 2 | 4);
	nhset(1, 2 | 4);
	for (uint32_t i = 0; i < N; i++) {
		struct pfx p = nth(i, FAM_INET);

		ask(&p, 2);
	}
	ask(&six, 1);
	settle();
	before = k.msgs;
	reborn(1000);
	assert_true(table_adopting(t));
	assert_in_range(table_count(t, FAM_INET), 1000, N / 2);
	/* Where it has not come to, it is known that there is something. */
	assert_int_equal(table_count(t, FAM_INET6), 0);
	assert_int_equal(table_kept(t, FAM_INET6), 1);
	assert_true(table_kept(t, FAM_INET) >= 1000);
	/* A speaker goes, another comes: no set is without routes yet. */
	hello();
	table_hello(t, NULL);
	hello();
	/* Time is up for what nobody wants: but it is not known yet. */
	table_sweep(t, FAM_INET6, false, false);
	for (; table_adopting(t); turns++) {
		unsigned int rows = k.rows;

		assert_non_null(kroute(&six));
		assert_true(table_work(t, now));
		most = k.rows - rows > most ? k.rows - rows : most;
	}
	assert_true(most <= 8 * CHUNK);
	assert_true(turns >= N / 2 / most);
	assert_int_equal(table_count(t, FAM_INET), N);
	settle();
	assert_null(kroute(&six));
	/* Dumps, and what was swept with its objects. */
	assert_in_range(k.msgs - before, 1, 20);
	before = k.msgs;
	nhset(2, 2 | 4);
	for (uint32_t i = 0; i < N; i++) {
		struct pfx p = nth(i, FAM_INET);

		ask(&p, 2);
	}
	table_sweep(t, FAM_INET, false, false);
	settle();
	/* All was there, and under the same names. */
	assert_int_equal(k.msgs, before);
	assert_int_equal(trie_count(k.route[FAM_INET]), N);
	end(NULL);
}

static void
test_adoption_in_slices(void **state)
{
	adoption_in_slices(false);
	adoption_in_slices(true);
}

/* A route that nobody renewed is stale, however often the speaker came. */
static void
test_many_epochs(void **state)
{
	struct pfx old = nth(1, FAM_INET), renewed = nth(2, FAM_INET6);

	begin(NULL);
	hello();
	nhset(2, 2);
	nhset(1, 2);
	ask(&old, 2);
	ask(&renewed, 1);
	settle();
	/* As often as it takes until the numbers in the routes repeat. */
	for (unsigned int i = 0; i < 1 << 16; i++)
		hello();
	nhset(1, 2);
	ask(&renewed, 1);
	for (enum fam f = FAM_INET; f < FAM_N; f++)
		table_sweep(t, f, false, false);
	settle();
	assert_null(kroute(&old));
	assert_non_null(kroute(&renewed));
	end(NULL);
}

/* What could not be removed to make room is ours, not another's. */
static void
test_no_room_made(void **state)
{
	struct pfx p = nth(1, FAM_INET);
	struct nlroute_route old;

	for (unsigned int limit = 2; limit <= 4; limit++) {
		begin(NULL);
		k.limit = limit;
		hello();
		nhset(2, 2);
		ask(&p, 2);
		settle();
		/* It was told as gone, but that is old news. */
		old = *kroute(&p);
		k.keep = true;
		table_on_route(t, &old, true);
		table_flush(t);
		assert_int_equal(nconflict, 0);
		/* Asked for once more, it fails with a reason. */
		ask(&p, 2);
		table_flush(t);
		assert_int_equal(nconflict, 0);
		assert_int_equal(nfailed, 1);
		assert_false(believed(&p)->there);
		k.keep = false;
		settle();
		assert_int_equal(nconflict, 0);
		assert_true(believed(&p)->there);
		assert_int_equal(kroute(&p)->protocol, PROTO);
		/* One of others is told as such again. */
		k.keep = true;
		ask(&p, 0);
		table_flush(t);
		k.keep = false;
		kdel(&p);
		old.protocol = OTHER;
		kput(&old);
		ask(&p, 2);
		table_flush(t);
		assert_int_equal(nconflict, 1);
		end(NULL);
	}
}

/* A route of the metric before that could not be removed goes later. */
static void
test_other_metric(void **state)
{
	struct fibd_hello h = { .table = 254, .metric = METRIC + 10 };
	struct pfx p = nth(1, FAM_INET);

	begin(NULL);
	hello();
	nhset(2, 2);
	ask(&p, 2);
	settle();
	table_hello(t, &h);
	nhset(2, 2);
	k.keep = true;
	ask(&p, 2);
	table_flush(t);
	assert_int_equal(k.beside.metric, METRIC);
	assert_int_equal(nfailed, 0);
	k.keep = false;
	settle();
	assert_int_equal(k.beside.pfx.len, 0);
	assert_int_equal(kroute(&p)->metric, METRIC + 10);
	/* Nor is it tried for ever. */
	table_hello(t, &(struct fibd_hello){ .table = 254, .metric = METRIC });
	nhset(2, 2);
	k.keep = true;
	ask(&p, 2);
	settle();
	assert_int_equal(k.beside.metric, METRIC + 10);
	end(NULL);
}

/* Ours goes, and cannot be put back: the speaker must know. */
static void
test_gone_is_told(void **state)
{
	struct pfx p = nth(1, FAM_INET);
	struct nlroute_route old;

	begin(NULL);
	plain = true;
	table_plain(t);
	hello();
	nhset(2, 2);
	ask(&p, 2);
	settle();
	assert_true(believed(&p)->there);
	old = *kroute(&p);
	kdel(&p);
	k.down[1] = k.known_down[1] = true;
	table_on_route(t, &old, true);
	table_flush(t);
	assert_int_equal(nlost, 1);
	assert_false(believed(&p)->there);
	/* Once, and again when it is back. */
	k.down[1] = k.known_down[1] = false;
	settle();
	assert_int_equal(nlost, 1);
	assert_true(believed(&p)->there);
	end(NULL);
}

/* A delete that was refused is asked for again. */
static void
test_refused_delete(void **state)
{
	struct pfx p = nth(1, FAM_INET);

	begin(NULL);
	plain = true;
	table_plain(t);
	hello();
	nhset(2, 2);
	ask(&p, 2);
	settle();
	k.keep = true;
	ask(&p, 0);
	table_flush(t);
	k.keep = false;
	settle();
	assert_null(kroute(&p));
	/* As well one of a route that waits for its next hops. */
	ask(&p, 2);
	settle();
	k.keep = k.known_down[1] = true;
	table_verify(t);
	table_work(t, now);
	assert_non_null(kroute(&p));
	ask(&p, 0);
	table_flush(t);
	k.keep = false;
	settle();
	assert_null(kroute(&p));
	end(NULL);
}

/* Of ours it is known that it could not be removed first, whatever else was
 * asked of the kernel in the same send. */
static void
test_no_room_among_others(void **state)
{
	struct pfx p = nth(1, FAM_INET), q = nth(2, FAM_INET);
	struct nlroute_route ours, other;

	begin(NULL);
	hello();
	nhset(2, 2);
	ask(&p, 2);
	settle();
	ours = other = *kroute(&p);
	other.pfx = q;
	other.protocol = OTHER;
	kput(&other);
	k.limit = 3;
	k.keep = true;
	ask(&q, 2);
	table_on_route(t, &ours, true);
	table_flush(t);
	assert_int_equal(nconflict, 0);
	k.keep = false;
	settle();
	assert_int_equal(nconflict, 1);
	assert_true(believed(&p)->there);
	assert_false(believed(&q)->there);
	end(NULL);
}

/* Another's route took the place of ours, which took it back before that was
 * read. */
static void
test_late_news(void **state)
{
	struct pfx p = nth(1, FAM_INET);
	struct nlroute_route other;

	begin(NULL);
	hello();
	nhset(2, 2);
	nhset(4, 4);
	ask(&p, 2);
	settle();
	other = *kroute(&p);
	other.protocol = OTHER;
	kput(&other);
	word[nword++] = (struct word){ .r = other };
	ask(&p, 4);
	hear(1);
	settle();
	assert_int_equal(kroute(&p)->protocol, PROTO);
	assert_true(believed(&p)->there);
	ask(&p, 0);
	table_flush(t);
	assert_null(kroute(&p));
	end(NULL);
}

/* A dump shows a route of ours that went meanwhile, and could not come back. */
static void
test_late_dump(void **state)
{
	struct pfx p = nth(1, FAM_INET);

	begin(NULL);
	hello();
	nhset(2, 2);
	ask(&p, 2);
	settle();
	table_resync(t, false);
	table_work(t, now);
	table_work(t, now);
	assert_int_equal(k.nrow, 1);
	ask(&p, 0);
	table_flush(t);
	k.refuse = 1;
	ask(&p, 2);
	table_flush(t);
	assert_false(believed(&p)->there);
	k.refuse = 0;
	settle();
	assert_non_null(kroute(&p));
	assert_true(believed(&p)->there);
	end(NULL);
}

/* A number that is used again moves no route that its set had before. */
static void
test_drop_in_use(void **state)
{
	struct pfx stale = nth(1, FAM_INET), p = nth(2, FAM_INET);

	for (int form = 0; form < 2; form++) {
		begin(NULL);
		plain = form != 0;
		if (plain)
			table_plain(t);
		hello();
		nhset(2, 2);
		ask(&stale, 2);
		settle();
		/* The next one's neighbor has not told that prefix yet. */
		hello();
		nhset(2, 2);
		ask(&p, 2);
		ask(&p, 0);
		table_nhset_drop(t, ++seq, 2);
		assert_int_equal(nfailed, 1);
		nhset(2, 4);
		ask(&p, 2);
		settle();
		assert_int_equal(over(kroute(&p)), 4);
		assert_int_equal(over(kroute(&stale)), 2);
		/* And it goes when its time is over. */
		table_sweep(t, FAM_INET, false, false);
		settle();
		assert_null(kroute(&stale));
		assert_int_equal(over(kroute(&p)), 4);
		assert_int_equal(nfailed, 1);
		end(NULL);
	}
}

/* ---- anything, in any order --------------------------------------------- */

struct model {
	uint32_t set[POOL]; /* asked for, 0: none */
	unsigned int links[SETS + 1];
};

static void
kill_link(uint32_t i)
{
	k.down[i] = true;
	for (int o = 0; o < OBJECTS; o++)
		if (k.obj[o].there && !k.obj[o].o.group &&
		    k.obj[o].o.nh.ifindex == i)
			kobject_del(&k.obj[o]);
	kdrop(only_over, i);
	say(&(struct word){ .link = i, .down = true });
}

static void
raise_link(uint32_t i)
{
	k.down[i] = false;
	say(&(struct word){ .link = i });
}

static void
others(struct model *m)
{
	struct pfx p = pooled(rnd(POOL));
	struct nlroute_route *r, was;
	uint32_t link = 1 + rnd(LINKS);

	/* A request on its way to the kernel cannot be called back. */
	table_flush(t);
	r = kroute(&p);
	if (r != NULL && rnd(2) == 0) {
		was = *r;
		kdel(&p);
		news(&was, true);
		return;
	}
	if (k.down[link] || (r != NULL && r->protocol == OTHER))
		return;
	was = (struct nlroute_route){ .pfx = p,
		.table = 254,
		.metric = METRIC,
		/* With our number and unheard of, a dump may miss it. */
		.protocol = fs != NULL || rnd(2) == 0 ? OTHER : PROTO,
		.n = 1,
		.nh[0] = {
		    .addr.fam = p.addr.fam, .ifindex = link, .weight = 1 } };
	if (r == NULL && was.protocol == PROTO)
		return; /* one of ours that we do not know: a resync's */
	kput(&was);
	news(&was, false);
}

static void
restart(struct model *m)
{
	table_hello(t, NULL);
	hello();
	for (uint32_t s = 1; s <= SETS; s++)
		if (m->links[s] != 0)
			nhset(s, m->links[s]);
	for (uint32_t i = 0; i < POOL; i++) {
		struct pfx p = pooled(i);

		if (m->set[i] != 0)
			ask(&p, m->set[i]);
	}
	for (enum fam f = FAM_INET; f < FAM_N; f++)
		table_sweep(t, f, false, false);
}

/* The speaker waits for the adoption, the world does not. */
static void
adoption(struct model *m)
{
	uint32_t kinds = rnd(1 << 8);

	reborn(rnd(4) == 0 ? UINT32_MAX : 0);
	while (table_adopting(t)) {
		uint32_t kind = rnd(8);

		/* One heals what another broke. */
		switch ((kinds & 1U << kind) != 0 ? kind : 7) {
		case 0:
			kill_link(1 + rnd(LINKS));
			break;
		case 1:
			raise_link(1 + rnd(LINKS));
			break;
		case 2:
			table_resync(t, false);
			break;
		case 3:
			table_sweep(t, FAM_INET + rnd(2), rnd(2) == 0, true);
			break;
		case 4:
			table_hello(t, NULL);
			hello();
			break;
		case 5:
		case 6:
			others(m);
			break;
		}
		if (rnd(3) == 0)
			table_work(t, now += rnd(300));
	}
	restart(m);
}

static void
drop_set(struct model *m)
{
	uint32_t s = 1 + rnd(SETS);

	for (uint32_t i = 0; i < POOL; i++)
		if (m->set[i] == s)
			return;
	if (m->links[s] != 0)
		table_nhset_drop(t, ++seq, s);
	m->links[s] = 0;
}

static void
change(struct model *m)
{
	uint32_t i = rnd(POOL), s;
	struct pfx p = pooled(i);

	if (rnd(2) == 0)
		hear(rnd(nword + 1));
	switch (rnd(10)) {
	case 0:
		s = 1 + rnd(SETS);
		m->links[s] = 2 * (1 + rnd((1 << LINKS) - 1));
		nhset(s, m->links[s]);
		break;
	case 1:
		kill_link(1 + rnd(LINKS));
		break;
	case 2:
		raise_link(1 + rnd(LINKS));
		break;
	case 3:
	case 4:
		others(m);
		break;
	case 5:
		table_resync(t, false);
		break;
	case 6:
		if (rnd(2) == 0)
			drop_set(m);
		else if (rnd(10) == 0)
			restart(m);
		else if (rnd(4) == 0)
			adoption(m);
		break;
	default:
		for (uint32_t n = rnd(60); n > 0; n--) {
			i = rnd(POOL);
			p = pooled(i);
			s = rnd(3) == 0 ? 0 : 1 + i % 2 + 2 * rnd(SETS / 2);
			if (s != 0)
				s = s % 2 == i % 2 ? s : s - 1;
			if (s != 0 && m->links[s] == 0)
				continue;
			if (s != m->set[i] || s != 0)
				ask(&p, s);
			m->set[i] = s;
		}
		if (rnd(2) == 0)
			table_flush(t);
	}
}

static void
compare(const struct model *m)
{
	unsigned int named = 0, there = 0;

	for (uint32_t i = 0; i < POOL; i++) {
		struct pfx p = pooled(i);
		const struct nlroute_route *r = kroute(&p);

		if (m->set[i] == 0) {
			assert_null(r);
			continue;
		}
		assert_non_null(r);
		assert_true(belief[i].there);
		assert_int_equal(r->protocol, PROTO);
		assert_int_equal(r->nhid != 0, !plain);
		assert_int_equal(over(r), m->links[m->set[i]]);
	}
	/* Every object is of a set, or a member of one. */
	for (int o = 0; o < OBJECTS; o++)
		there += k.obj[o].there;
	for (uint32_t s = 1; s <= SETS; s++)
		named += m->links[s] != 0;
	assert_true(there <= (plain ? 0 : named + 2 * LINKS));
}

/* What was told as gone. */
static void
ask_again(const struct model *m)
{
	while (nlost > 0) {
		struct pfx p = lost[--nlost];

		for (uint32_t i = 0; i < POOL; i++) {
			struct pfx q = pooled(i);

			if (pfx_eq(&p, &q) && m->set[i] != 0)
				ask(&p, m->set[i]);
		}
	}
}

/* Links may be down and places taken: what can be there is, and the speaker
 * knows what is not. */
static void
as_well_as_can_be(const struct model *m)
{
	k.lose = k.refuse = 0;
	hear(UINT32_MAX);
	settle();
	ask_again(m);
	settle();
	for (uint32_t i = 0; i < POOL; i++) {
		struct pfx p = pooled(i);
		const struct nlroute_route *r = kroute(&p);
		unsigned int links = m->links[m->set[i]];

		for (uint32_t l = 1; l <= LINKS; l++)
			links &= k.down[l] ? ~(1U << l) : UINT32_MAX;
		if (r != NULL && r->protocol == OTHER)
			assert_false(
			    m->set[i] != 0 && links != 0 && belief[i].there);
		else if (m->set[i] == 0)
			assert_null(r);
		else if (links != 0) {
			assert_non_null(r);
			assert_true(belief[i].there);
			assert_int_equal(over(r), links);
		}
	}
}

static void
others_go(void)
{
	for (uint32_t i = 0; i < POOL; i++) {
		struct pfx p = pooled(i);
		struct nlroute_route *r = kroute(&p), was;

		if (r == NULL || r->protocol != OTHER)
			continue;
		was = *r;
		kdel(&p);
		news(&was, true);
	}
}

static void
all_well(const struct model *m)
{
	/* All is well again; foreign ones go as others' do. */
	k.lose = k.refuse = 0;
	for (uint32_t i = 1; i <= LINKS; i++)
		raise_link(i);
	others_go();
	hear(UINT32_MAX);
	settle();
	ask_again(m);
	settle();
	compare(m);
}

/* Up to so many of these, while answers are lost and requests refused. */
static void
trouble(struct model *m, uint32_t most, void (*what)(struct model *))
{
	k.lose = rnd(2) == 0 ? 0 : 3 + (int)rnd(20);
	k.refuse = rnd(2) == 0 ? 0 : 3 + (int)rnd(100);
	for (uint32_t n = rnd(most); n > 0; n--) {
		what(m);
		while (rnd(3) != 0)
			table_work(t, now += rnd(300));
	}
}

static void
play(void)
{
	struct model m = { 0 };

	hello();
	for (int round = 0; round < 10; round++) {
		deaf = true;
		trouble(&m, 40, change);
		as_well_as_can_be(&m);
		all_well(&m);
		/* Nothing but that, so that nothing else makes it good. */
		deaf = rnd(2) == 0;
		adoption(&m);
		as_well_as_can_be(&m);
		all_well(&m);
	}
}

static void
one_seed(uint64_t seed, bool form, void (*fn)(void))
{
	print_message("seed %llu, %s\n", (unsigned long long)seed,
	    form ? "plain" : "objects");
	rnd_seed(seed);
	begin(NULL);
	plain = form;
	if (plain)
		table_plain(t);
	k.limit = rnd(2) == 0 ? NLROUTE_BATCH : 2 + rnd(10);
	k.chunk = rnd(2) == 0 ? CHUNK : 3;
	fn();
	end(NULL);
}

/* Each seed in both forms; $ANA_SEED: that one. */
static void
each_seed(void (*fn)(void))
{
	const char *s = getenv("ANA_SEED");
	uint64_t first = s != NULL ? strtoull(s, NULL, 10) : 1;
	uint64_t last = s != NULL ? first : 150;

	for (uint64_t i = first; i <= last; i++) {
		one_seed(i, false, fn);
		one_seed(i, true, fn);
	}
}

static void
test_random(void **state)
{
	each_seed(play);
}

/* ---- with the speaker -----------------------------------------------------
 */

/* What ana-fibd has not read, and what was not answered. */
static struct request asked[ASKED], pending[4096];
static unsigned int nasked, room, npending;
static unsigned int wanted[POOL]; /* bits of links */

static int
request(const struct request *r)
{
	if (nasked >= room || npending == sizeof pending / sizeof *pending)
		return -EAGAIN;
	asked[nasked] = *r;
	asked[nasked].seq = ++seq;
	pending[npending++] = asked[nasked++];
	return 0;
}

static struct fib fib = { .ops = &request_ops };

/* As speaker.c: a next hop may be on no link just now, and a set unknown. */
static void
serve_nhset(const struct request *r)
{
	struct fibd_nhset q = {
		.h.seq = r->seq, .set = r->set, .fam = r->nh[0].addr.fam
	};

	for (size_t i = 0; i < r->n; i++) {
		memcpy(q.nh[i].o, r->nh[i].addr.o, sizeof q.nh[i].o);
		q.nh[i].ifindex = r->nh[i].ifindex;
		q.nh[i].weight = r->nh[i].weight;
		q.n++;
		if (k.known_down[r->nh[i].ifindex] && rnd(2) == 0) {
			on_failed(NULL, r->seq, EPERM, "on no link");
			return;
		}
	}
	table_nhset(t, &q);
}

static void
serve_one(const struct request *r)
{
	switch (r->kind) {
	case NHSET:
		serve_nhset(r);
		break;
	case DROP:
		table_nhset_drop(t, r->seq, r->set);
		break;
	case REPLACE:
		if (table_set_fam(t, r->set) == FAM_NONE)
			on_failed(NULL, r->seq, ENOENT, "unknown set");
		else
			table_replace(t, r->seq, &r->pfx, r->set);
		break;
	case REMOVE:
		table_remove(t, r->seq, &r->pfx);
		break;
	}
}

static void
serve(unsigned int n)
{
	n = n < nasked ? n : nasked;
	for (unsigned int i = 0; i < n; i++)
		serve_one(&asked[i]);
	table_flush(t);
	if (n > 0)
		tell(&(struct answer){ .kind = UPTO, .seq = asked[n - 1].seq });
	nasked -= n;
	memmove(asked, asked + n, nasked * sizeof *asked);
}

/* As fib_client.c: failures are kept until all up to a number are told. */
static void
hear_upto(uint32_t number)
{
	unsigned int n = 0;

	for (; n < npending && pending[n].seq <= number; n++) {
		const struct request *r = &pending[n];

		if (r->kind == NHSET || r->kind == DROP)
			fibsync_set_done(fs, r->set, r->kind == DROP, r->err);
		else
			fibsync_done(fs, &r->pfx, r->kind == REMOVE, r->err,
			    r->err != 0 ? "not now" : NULL);
	}
	npending -= n;
	memmove(pending, pending + n, npending * sizeof *pending);
}

static void
hear_answers(unsigned int n)
{
	n = n < nanswer ? n : nanswer;
	for (unsigned int i = 0; i < n; i++) {
		const struct answer *a = &answer[i];

		if (a->kind == STATE)
			fibsync_told(fs, &a->pfx, a->state, 1);
		else if (a->kind == UPTO)
			hear_upto(a->seq);
		for (unsigned int j = 0; a->kind == FAILED && j < npending; j++)
			if (pending[j].seq == a->seq)
				pending[j].err = a->err;
	}
	nanswer -= n;
	memmove(answer, answer + n, nanswer * sizeof *answer);
}

static void
want(uint32_t i, unsigned int links)
{
	struct fib_nh nh[LINKS] = { 0 };
	struct pfx p = pooled(i);
	size_t n = 0;

	for (uint32_t l = 1; l <= LINKS; l++)
		if ((links & 1U << l) != 0) {
			nh[n].addr.fam = p.addr.fam;
			nh[n].addr.o[0] = 10;
			nh[n].addr.o[1] = (uint8_t)l;
			nh[n].ifindex = l;
			nh[n++].weight = 1;
		}
	wanted[i] = links;
	fibsync_want(fs, &p, nh, n, rnd(20));
}

/* The speaker hears that a next hop is lost, in both families. */
static void
lose_link(uint32_t l)
{
	for (enum fam f = FAM_INET; f < FAM_N; f++) {
		struct addr a = { .fam = (uint8_t)f };

		a.o[0] = 10;
		a.o[1] = (uint8_t)l;
		fibsync_lost(fs, &a, l);
	}
	for (uint32_t i = 0; i < POOL; i++)
		if ((wanted[i] & 1U << l) != 0)
			want(i, wanted[i] & ~(1U << l));
}

/* One of both ends begins anew. */
static void
meet(bool anew)
{
	fibsync_down(fs);
	if (anew)
		reborn(UINT32_MAX);
	hello();
	nasked = npending = nanswer = 0;
	fibsync_ready(fs);
}

static void
move(struct model *m)
{
	uint32_t l = 1 + rnd(LINKS);

	if (rnd(2) == 0)
		hear(rnd(nword + 1));
	switch (rnd(16)) {
	case 0:
		kill_link(l);
		if (rnd(2) == 0) {
			hear(UINT32_MAX);
			lose_link(l);
		}
		break;
	case 1:
		raise_link(l);
		break;
	case 2:
	case 3:
		others(m);
		break;
	case 4:
		table_resync(t, false);
		break;
	case 5:
		fibsync_retry(fs);
		break;
	case 6:
	case 7:
		room = rnd(ASKED);
		fibsync_run(fs, &fib, rnd(40));
		break;
	case 8:
	case 9:
		serve(rnd(30));
		break;
	case 10:
	case 11:
		hear_answers(rnd(30));
		break;
	case 12:
		if (rnd(10) == 0)
			meet(rnd(2) == 0);
		break;
	default:
		for (uint32_t n = rnd(20); n > 0; n--)
			want(rnd(POOL), rnd(3) == 0 ? 0 : 2 * rnd(1 << LINKS));
	}
}

/* All is asked, done and heard. */
static void
calm(void)
{
	k.lose = k.refuse = 0;
	room = ASKED;
	hear(UINT32_MAX);
	for (int i = 0; i < 100; i++) {
		fibsync_run(fs, &fib, 1000);
		serve(ASKED);
		for (enum fam f = FAM_INET; f < FAM_N && i == 50; f++)
			table_sweep(t, f, false, false);
		settle();
		hear_answers(ANSWERS);
		if (fibsync_refused(fs))
			fibsync_retry(fs);
	}
}

/* The kernel has what is wanted, and the speaker knows it; of routes over a
 * link that is down nothing is said. */
static void
agree(void)
{
	for (uint32_t i = 0; i < POOL; i++) {
		struct pfx p = pooled(i);
		const struct nlroute_route *r = kroute(&p);
		struct fibsync_route known;
		enum fibsync_state is = fibsync_get(fs, &p, &known);
		bool waits = false;

		for (uint32_t l = 1; l <= LINKS; l++)
			waits |= k.down[l] && (wanted[i] & 1U << l) != 0;
		if (waits)
			continue;
		if (wanted[i] == 0) {
			assert_int_equal(is, FIBSYNC_NONE);
			assert_true(r == NULL || r->protocol == OTHER);
		} else if (r != NULL && r->protocol == OTHER)
			assert_int_equal(is, FIBSYNC_CONFLICT);
		else {
			assert_int_equal(is, FIBSYNC_INSTALLED);
			assert_non_null(r);
			assert_int_equal(over(r), wanted[i]);
		}
	}
}

static void
speak(void)
{
	struct model m = { 0 };

	fs = fibsync_new();
	memset(wanted, 0, sizeof wanted);
	meet(false);
	deaf = true;
	for (int round = 0; round < 10; round++) {
		trouble(&m, 100, move);
		calm();
		agree();
		/* What others had put there goes, and all links are back. */
		others_go();
		for (uint32_t l = 1; l <= LINKS; l++)
			raise_link(l);
		calm();
		agree();
	}
	fibsync_free(fs);
	fs = NULL;
}

static void
test_speaker(void **state)
{
	each_seed(speak);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_constant_messages),
		cmocka_unit_test(test_resync_in_slices),
		cmocka_unit_test(test_adoption_in_slices),
		cmocka_unit_test(test_many_epochs),
		cmocka_unit_test(test_no_room_made),
		cmocka_unit_test(test_gone_is_told),
		cmocka_unit_test(test_other_metric),
		cmocka_unit_test(test_refused_delete),
		cmocka_unit_test(test_no_room_among_others),
		cmocka_unit_test(test_late_news),
		cmocka_unit_test(test_late_dump),
		cmocka_unit_test(test_drop_in_use),
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_speaker),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
