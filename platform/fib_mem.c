/*
 * fib_mem.c -- the routing table as a value: for tests, `-F memory` and dry
 * runs.  It answers as ana-fibd would, one turn later: requests wait in a
 * queue until fib_readable(), and an eventfd says that some wait.
 */
#include "platform/fib.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/mem.h"
#include "lib/trie.h"

enum {
	SET_BITS = 12, /* a route's value: epoch and set number */
	SET_MASK = (1 << SET_BITS) - 1,
	READ_TURN = 4096, /* requests a call of readable() */
	CONNECTED_MAX = 256,
	LINK_MAX = 64,
};

enum op_kind {
	OP_HELLO,
	OP_LISTEN,
	OP_SET,
	OP_DROP,
	OP_REPLACE,
	OP_REMOVE,
	OP_END,
	OP_FLUSH,
	OP_WATCH,
	OP_NH_STATE,
	OP_LINK,
	OP_STATE,
};

struct op {
	uint8_t kind;
	uint8_t flag;
	uint32_t n; /* set, family, ifindex: by kind */
	struct pfx pfx;
	struct nhset *set;
};

struct nhset {
	uint32_t uses;
	uint8_t n;
	struct fib_nh nh[FIB_SET_NH];
};

struct watch {
	struct addr addr;
	uint32_t ifindex;
	uint32_t through; /* the answer as last told */
	bool forced, reachable;
};

struct mem {
	struct fib f;
	int fd;
	bool said_hello, full, ready;
	uint32_t epoch;
	uint32_t uses_of_none; /* keeps route_set() free of a special case */
	size_t limit;
	unsigned int fail;
	int fail_err;
	struct trie *route[FAM_N];
	struct trie *foreign[FAM_N];
	struct trie *wanted[FAM_N]; /* refused for a foreign route */
	struct nhset *set[FIB_SET_MAX + 1];
	struct op *op; /* a queue: from, to */
	size_t op_from, op_to, op_cap;
	struct pfx connected[CONNECTED_MAX];
	uint32_t connected_if[CONNECTED_MAX];
	size_t nconnected;
	uint32_t link_down[LINK_MAX];
	size_t nlink_down;
	struct watch watch[FIB_WATCH_MAX];
	size_t nwatch;
};

#define CALL(m, cb, ...) \
	do { \
		if ((m)->f.ev->cb != NULL) \
			(m)->f.ev->cb((m)->f.arg, __VA_ARGS__); \
	} while (0)

static struct mem *
mem(struct fib *f)
{
	return (struct mem *)(void *)f;
}

static const struct mem *
cmem(const struct fib *f)
{
	return (const struct mem *)(const void *)f;
}

static void
signal_fd(struct mem *m)
{
	uint64_t one = 1;

	if (!m->ready)
		m->ready = write(m->fd, &one, sizeof one) == sizeof one;
}

static struct op *
append(struct mem *m, enum op_kind kind)
{
	struct op *o;

	if (m->op_to == m->op_cap && m->op_from > m->op_cap / 2) {
		memmove(m->op, m->op + m->op_from,
		    (m->op_to - m->op_from) * sizeof *m->op);
		m->op_to -= m->op_from;
		m->op_from = 0;
	}
	if (m->op_to == m->op_cap) {
		m->op_cap = m->op_cap == 0 ? 64 : m->op_cap * 2;
		m->op = mem_realloc(m->op, m->op_cap, sizeof *m->op);
	}
	o = &m->op[m->op_to++];
	memset(o, 0, sizeof *o);
	o->kind = (uint8_t)kind;
	signal_fd(m);
	return o;
}

/* A request of the caller's; NULL: *err says why not. */
static struct op *
request(struct fib *f, enum op_kind kind, int *err)
{
	struct mem *m = mem(f);

	*err = 0;
	if (!m->said_hello && kind != OP_HELLO)
		*err = -ENOTCONN;
	else if (m->limit > 0 && m->op_to - m->op_from >= m->limit) {
		m->full = true;
		*err = -EAGAIN;
	}
	return *err == 0 ? append(m, kind) : NULL;
}

static int
m_hello(struct fib *f, const struct fib_hello *hello)
{
	int err;

	(void)hello;
	if (request(f, OP_HELLO, &err) != NULL)
		mem(f)->said_hello = true;
	return err;
}

static int
ask(struct fib *f, enum op_kind kind, const struct addr *a, uint32_t ifindex)
{
	struct op *o;
	int err;

	if (a->fam == FAM_NONE || a->fam >= FAM_N)
		return -EINVAL;
	o = request(f, kind, &err);
	if (o != NULL) {
		o->pfx.addr = *a;
		o->n = ifindex;
	}
	return err;
}

static int
m_listen(struct fib *f, const struct addr *a, uint32_t ifindex)
{
	return ask(f, OP_LISTEN, a, ifindex);
}

static int
m_nhset(struct fib *f, uint32_t set, const struct fib_nh *nh, size_t n)
{
	struct op *o;
	int err;

	if (set == 0 || set > FIB_SET_MAX || n == 0 || n > FIB_SET_NH)
		return -EINVAL;
	for (size_t i = 0; i < n; i++)
		if (nh[i].addr.fam != nh[0].addr.fam)
			return -EINVAL;
	o = request(f, OP_SET, &err);
	if (o != NULL) {
		o->n = set;
		o->set = mem_alloc(sizeof *o->set);
		o->set->n = (uint8_t)n;
		memcpy(o->set->nh, nh, n * sizeof *nh);
	}
	return err;
}

static int
m_nhset_drop(struct fib *f, uint32_t set)
{
	struct op *o;
	int err;

	o = request(f, OP_DROP, &err);
	if (o != NULL)
		o->n = set;
	return err;
}

static int
m_replace(struct fib *f, const struct pfx *p, uint32_t set)
{
	struct op *o;
	int err;

	o = request(f, OP_REPLACE, &err);
	if (o != NULL) {
		o->pfx = *p;
		o->n = set;
	}
	return err;
}

static int
m_remove(struct fib *f, const struct pfx *p)
{
	struct op *o;
	int err;

	o = request(f, OP_REMOVE, &err);
	if (o != NULL)
		o->pfx = *p;
	return err;
}

static int
ask_fam(struct fib *f, enum op_kind kind, enum fam fam)
{
	struct op *o;
	int err;

	if (fam != FAM_INET && fam != FAM_INET6)
		return -EINVAL;
	o = request(f, kind, &err);
	if (o != NULL)
		o->n = fam;
	return err;
}

static int
m_end(struct fib *f, enum fam fam)
{
	return ask_fam(f, OP_END, fam);
}

static int
m_flush(struct fib *f, enum fam fam)
{
	return ask_fam(f, OP_FLUSH, fam);
}

static bool
link_is_down(const struct mem *m, uint32_t ifindex)
{
	for (size_t i = 0; i < m->nlink_down; i++)
		if (m->link_down[i] == ifindex)
			return true;
	return false;
}

/* Through which interface; 0: not reachable. */
static uint32_t
resolve(const struct mem *m, const struct addr *a, uint32_t ifindex)
{
	if (addr_is_linklocal(a) && a->fam == FAM_INET6)
		return link_is_down(m, ifindex) ? 0 : ifindex;
	for (size_t i = 0; i < m->nconnected; i++)
		if (pfx_has(&m->connected[i], a) &&
		    (ifindex == 0 || ifindex == m->connected_if[i]) &&
		    !link_is_down(m, m->connected_if[i]))
			return m->connected_if[i];
	return 0;
}

static struct watch *
watch_find(struct mem *m, const struct addr *a, uint32_t ifindex, bool any)
{
	for (size_t i = 0; i < m->nwatch; i++)
		if (addr_eq(&m->watch[i].addr, a) &&
		    (any || m->watch[i].ifindex == ifindex))
			return &m->watch[i];
	return NULL;
}

static int
m_watch(struct fib *f, const struct addr *a, uint32_t ifindex)
{
	struct mem *m = mem(f);
	int err;

	if (watch_find(m, a, ifindex, false) == NULL &&
	    m->nwatch == FIB_WATCH_MAX)
		return -ENOSPC;
	err = ask(f, OP_WATCH, a, ifindex);
	if (err == 0 && watch_find(m, a, ifindex, false) == NULL)
		m->watch[m->nwatch++] =
		    (struct watch){ .addr = *a, .ifindex = ifindex };
	return err;
}

static int
m_unwatch(struct fib *f, const struct addr *a, uint32_t ifindex)
{
	struct mem *m = mem(f);
	struct watch *w = watch_find(m, a, ifindex, false);

	if (!m->said_hello)
		return -ENOTCONN;
	if (w != NULL)
		*w = m->watch[--m->nwatch];
	return 0;
}

static int
m_fd(const struct fib *f)
{
	return cmem(f)->fd;
}

static bool
m_wants_write(const struct fib *f)
{
	(void)f;
	return false;
}

static void
m_writable(struct fib *f)
{
	(void)f;
}

static uint32_t *
uses(struct mem *m, uint32_t val)
{
	/* A set number means something in its own epoch only. */
	struct nhset *s =
	    val >> SET_BITS == m->epoch ? m->set[val & SET_MASK] : NULL;

	return s != NULL ? &s->uses : &m->uses_of_none;
}

/* val 0 removes. */
static uint32_t
route_put(struct mem *m, const struct pfx *p, uint32_t val)
{
	struct trie *t = m->route[p->addr.fam];
	uint32_t old = val != 0 ? trie_put(t, p, val) : trie_del(t, p);

	if (old != 0)
		--*uses(m, old);
	if (val != 0)
		++*uses(m, val);
	return old;
}

static uint32_t
sweep(struct mem *m, enum fam fam, bool all)
{
	struct pfx at = { .addr.fam = FAM_NONE };
	uint32_t val, n = 0;

	while ((val = trie_next(m->route[fam], &at)) != 0)
		if (all || val >> SET_BITS != m->epoch) {
			route_put(m, &at, 0);
			n++;
		}
	return n;
}

static void
do_hello(struct mem *m)
{
	struct fib_ready r = {
		.adopted = { [FAM_INET] =
				 (uint32_t)trie_count(m->route[FAM_INET]),
		    [FAM_INET6] = (uint32_t)trie_count(m->route[FAM_INET6]) },
		.max_routes = UINT32_MAX,
		.keep_max_s = UINT32_MAX,
		.max_len = { [FAM_INET] = 32, [FAM_INET6] = 128 },
		.nexthop_objects = true,
	};

	m->epoch++;
	for (int i = 1; i <= FIB_SET_MAX; i++) {
		free(m->set[i]);
		m->set[i] = NULL;
	}
	/* The sets are gone, so stale routes are nobody's use. */
	m->uses_of_none = r.adopted[FAM_INET] + r.adopted[FAM_INET6];
	CALL(m, ready, &r);
	for (size_t i = 0; i < m->nconnected; i++) {
		struct fib_link l = { .ifindex = m->connected_if[i],
			.up = !link_is_down(m, m->connected_if[i]) };

		l.carrier = l.up;
		memcpy(l.name, "memory", sizeof "memory");
		CALL(m, link, &l);
	}
}

static void
do_replace(struct mem *m, const struct pfx *p, uint32_t set)
{
	const char *text = "";
	int err = 0;

	if (p->addr.fam == FAM_NONE || p->addr.fam >= FAM_N) {
		CALL(m, done, p, false, EINVAL, "no such family");
		return;
	}
	if (m->fail > 0) {
		m->fail--;
		err = m->fail_err;
		text = "failure asked for by a test";
	} else if (set == 0 || set > FIB_SET_MAX || m->set[set] == NULL) {
		err = ENOENT;
		text = "unknown next-hop set";
	} else if (trie_get(m->foreign[p->addr.fam], p) != 0) {
		err = EEXIST;
		text = "a foreign route has this prefix and metric";
		trie_put(m->wanted[p->addr.fam], p, set);
	} else
		route_put(m, p, m->epoch << SET_BITS | set);
	CALL(m, done, p, false, err, text);
	if (err == EEXIST)
		CALL(m, state, p, FIB_CONFLICT);
}

static void
do_remove(struct mem *m, const struct pfx *p)
{
	bool there;

	if (p->addr.fam == FAM_NONE || p->addr.fam >= FAM_N) {
		CALL(m, done, p, true, EINVAL, "no such family");
		return;
	}
	if (m->fail > 0) {
		m->fail--;
		CALL(m, done, p, true, m->fail_err,
		    "failure asked for by a test");
		return;
	}
	there = trie_del(m->wanted[p->addr.fam], p) != 0;
	if (trie_get(m->route[p->addr.fam], p) != 0) {
		route_put(m, p, 0);
		there = true;
	}
	CALL(m, done, p, true, there ? 0 : ENOENT,
	    there ? "" : "there is no route of ours");
}

static void
do_set(struct mem *m, struct op *o)
{
	uint32_t n = m->set[o->n] != NULL ? m->set[o->n]->uses : 0;

	o->set->uses = n;
	free(m->set[o->n]);
	m->set[o->n] = o->set;
	CALL(m, set_done, o->n, false, 0, "");
}

static void
do_drop(struct mem *m, uint32_t set)
{
	if (set == 0 || set > FIB_SET_MAX || m->set[set] == NULL)
		CALL(m, set_done, set, true, ENOENT, "unknown next-hop set");
	else if (m->set[set]->uses > 0)
		CALL(m, set_done, set, true, EBUSY,
		    "a route names this next-hop set");
	else {
		free(m->set[set]);
		m->set[set] = NULL;
		CALL(m, set_done, set, true, 0, "");
	}
}

static void
do_listen(struct mem *m, const struct op *o)
{
	/* Whoever uses memory binds by itself: its port needs no right. */
	CALL(m, listener, &o->pfx.addr, o->n, -EOPNOTSUPP,
	    "the memory backend binds no port");
}

static void
do_nh_state(struct mem *m, const struct op *o)
{
	struct watch *w =
	    watch_find(m, &o->pfx.addr, o->n, o->kind == OP_NH_STATE);

	if (w == NULL)
		return; /* unwatched in the meantime */
	if (!w->forced)
		w->through = resolve(m, &w->addr, w->ifindex);
	w->reachable = w->through != 0;
	CALL(m, nh_state, &o->pfx.addr, w->reachable, w->through, &o->pfx.addr);
}

/* Tells every watched address whose answer differs from the last. */
static void
look_again(struct mem *m)
{
	for (size_t i = 0; i < m->nwatch; i++) {
		struct watch *w = &m->watch[i];
		struct addr a = w->addr;
		uint32_t now =
		    w->forced ? w->through : resolve(m, &a, w->ifindex);

		if (now == w->through)
			continue;
		w->through = now;
		w->reachable = now != 0;
		CALL(m, nh_state, &a, now != 0, now, &a);
	}
}

static void
do_link(struct mem *m, const struct op *o)
{
	struct fib_link l = { .ifindex = o->n,
		.up = o->flag != 0,
		.carrier = o->flag != 0,
		.name = "memory" };

	for (size_t i = 0; i < m->nlink_down; i++)
		if (m->link_down[i] == o->n)
			m->link_down[i--] = m->link_down[--m->nlink_down];
	if (!o->flag && m->nlink_down < LINK_MAX)
		m->link_down[m->nlink_down++] = o->n;
	CALL(m, link, &l);
	look_again(m);
}

static void
do_op(struct mem *m, struct op *o)
{
	switch ((enum op_kind)o->kind) {
	case OP_HELLO:
		do_hello(m);
		break;
	case OP_LISTEN:
		do_listen(m, o);
		break;
	case OP_SET:
		do_set(m, o);
		break;
	case OP_DROP:
		do_drop(m, o->n);
		break;
	case OP_REPLACE:
		do_replace(m, &o->pfx, o->n);
		break;
	case OP_REMOVE:
		do_remove(m, &o->pfx);
		break;
	case OP_END:
	case OP_FLUSH: {
		uint32_t n = sweep(m, o->n, o->kind == OP_FLUSH);

		CALL(m, fam_done, (enum fam)o->n, o->kind == OP_FLUSH, n, 0);
		break;
	}
	case OP_WATCH:
	case OP_NH_STATE:
		do_nh_state(m, o);
		break;
	case OP_LINK:
		do_link(m, o);
		break;
	case OP_STATE:
		CALL(m, state, &o->pfx, (enum fib_state)o->flag);
		break;
	}
}

static void
m_readable(struct fib *f)
{
	struct mem *m = mem(f);
	uint64_t n;

	m->ready = false;
	if (read(m->fd, &n, sizeof n) < 0 && errno != EAGAIN)
		return;
	for (int i = 0; i < READ_TURN && m->op_from < m->op_to; i++) {
		struct op o = m->op[m->op_from++]; /* a callback may append */

		do_op(m, &o);
	}
	if (m->op_from < m->op_to)
		signal_fd(m);
	else
		m->op_from = m->op_to = 0;
	if (m->full && m->op_to - m->op_from <= m->limit / 2) {
		m->full = false;
		if (m->f.ev->room != NULL)
			m->f.ev->room(m->f.arg);
	}
}

static void
m_close(struct fib *f)
{
	struct mem *m = mem(f);

	for (size_t i = m->op_from; i < m->op_to; i++)
		free(m->op[i].set);
	free(m->op);
	for (int i = 1; i <= FIB_SET_MAX; i++)
		free(m->set[i]);
	for (enum fam fam = FAM_INET; fam < FAM_N; fam++) {
		trie_free(m->route[fam]);
		trie_free(m->foreign[fam]);
		trie_free(m->wanted[fam]);
	}
	close(m->fd);
	free(m);
}

struct fib *
fib_open_mem(const struct fib_events *ev, void *arg)
{
	static const struct fib_ops ops = {
		.hello = m_hello,
		.listen = m_listen,
		.nhset = m_nhset,
		.nhset_drop = m_nhset_drop,
		.replace = m_replace,
		.remove = m_remove,
		.end = m_end,
		.flush = m_flush,
		.watch = m_watch,
		.unwatch = m_unwatch,
		.fd = m_fd,
		.wants_write = m_wants_write,
		.readable = m_readable,
		.writable = m_writable,
		.close = m_close,
	};
	int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	struct mem *m;

	if (fd < 0)
		return NULL;
	m = mem_alloc(sizeof *m);
	m->f = (struct fib){ &ops, ev, arg };
	m->fd = fd;
	for (enum fam fam = FAM_INET; fam < FAM_N; fam++) {
		m->route[fam] = trie_new(fam);
		m->foreign[fam] = trie_new(fam);
		m->wanted[fam] = trie_new(fam);
	}
	return &m->f;
}

void
fib_mem_connected(struct fib *f, const struct pfx *p, uint32_t ifindex)
{
	struct mem *m = mem(f);
	struct op *o;

	for (size_t i = 0; i < m->nconnected; i++)
		if (pfx_eq(&m->connected[i], p) &&
		    m->connected_if[i] == ifindex)
			return;
	if (m->nconnected == CONNECTED_MAX)
		return;
	m->connected[m->nconnected] = *p;
	m->connected_if[m->nconnected++] = ifindex;
	if (m->said_hello) {
		o = append(m, OP_LINK);
		o->n = ifindex;
		o->flag = !link_is_down(m, ifindex);
	}
}

void
fib_mem_adopt(struct fib *f, const struct pfx *p)
{
	/* Of some set of an epoch that is over with hello(). */
	route_put(mem(f), p, mem(f)->epoch << SET_BITS | 1);
}

void
fib_mem_nh_state(
    struct fib *f, const struct addr *a, bool reachable, uint32_t ifindex)
{
	struct watch *w = watch_find(mem(f), a, 0, true);
	struct op *o;

	if (w == NULL)
		return;
	w->forced = true;
	w->through = reachable ? ifindex : 0;
	o = append(mem(f), OP_NH_STATE);
	o->pfx.addr = *a;
}

void
fib_mem_link(struct fib *f, uint32_t ifindex, bool up)
{
	struct op *o = append(mem(f), OP_LINK);

	o->n = ifindex;
	o->flag = up;
}

void
fib_mem_foreign(struct fib *f, const struct pfx *p, bool there)
{
	struct mem *m = mem(f);
	struct op *o;
	uint32_t set;

	if (there) {
		trie_put(m->foreign[p->addr.fam], p, 1);
		return;
	}
	trie_del(m->foreign[p->addr.fam], p);
	set = trie_del(m->wanted[p->addr.fam], p);
	if (set == 0 || m->set[set] == NULL)
		return;
	route_put(m, p, m->epoch << SET_BITS | set);
	o = append(m, OP_STATE);
	o->pfx = *p;
	o->flag = FIB_PUTBACK;
}

void
fib_mem_fail(struct fib *f, unsigned int n, int err)
{
	mem(f)->fail = n;
	mem(f)->fail_err = err;
}

void
fib_mem_limit(struct fib *f, size_t n)
{
	mem(f)->limit = n;
}

size_t
fib_mem_count(const struct fib *f, enum fam fam)
{
	return trie_count(cmem(f)->route[fam]);
}

uint32_t
fib_mem_route(const struct fib *f, const struct pfx *p)
{
	return trie_get(cmem(f)->route[p->addr.fam], p) & SET_MASK;
}

size_t
fib_mem_set(const struct fib *f, uint32_t set, struct fib_nh *nh)
{
	const struct nhset *s = set <= FIB_SET_MAX ? cmem(f)->set[set] : NULL;

	if (s == NULL)
		return 0;
	memcpy(nh, s->nh, s->n * sizeof *nh);
	return s->n;
}
