/*
 * fib_client.c -- the speaker's end of ana-fibd's socket.
 *
 * Two bounded buffers: `out` holds records that were not sent yet, `pend` a
 * slot for each route and set request that was not answered yet, in the order
 * of their numbers.  ana-fibd tells failures one by one and then "all up to
 * N"; answers are handed on only then, so that they come in order.
 */
#include "platform/fib.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/mem.h"
#include "platform/fibd_proto.h"

_Static_assert(FIBD_NH == (int)FIB_SET_NH, "next hops in a set");
_Static_assert(FIBD_SETS == (int)FIB_SET_MAX, "set numbers");

enum {
	OUT_MAX = 256 * 1024,
	/* A power of two; what the kernel does in a millisecond or two: a
	 * change that comes while a table loads stands behind as many. */
	PEND_MAX = 512,
	READ_TURN = 64, /* datagrams a call of readable() */
	WRITE_TURN = 256,
};

enum pend_kind {
	PEND_REPLACE,
	PEND_REMOVE,
	PEND_SET,
	PEND_DROP
};

struct pend {
	uint32_t seq;
	uint32_t set;
	int err;
	uint8_t kind;
	struct pfx pfx;
	char *text; /* only with err */
};

struct client {
	struct fib f;
	int fd;
	bool said_hello, dead, full;
	uint32_t seq;
	uint32_t head, tail; /* of pend, free-running */
	size_t out_from, out_to;
	struct pend pend[PEND_MAX];
	uint8_t out[OUT_MAX];
	uint8_t in[FIBD_DGRAM_MAX];
};

#define CALL(c, cb, ...) \
	do { \
		if ((c)->f.ev->cb != NULL) \
			(c)->f.ev->cb((c)->f.arg, __VA_ARGS__); \
	} while (0)

static struct client *
client(struct fib *f)
{
	return (struct client *)(void *)f;
}

static void
down(struct client *c, const char *sentence)
{
	if (c->dead)
		return;
	c->dead = true;
	CALL(c, down, sentence);
}

static struct pend *
slot(struct client *c, uint32_t n)
{
	return &c->pend[n % PEND_MAX];
}

/* Room for a record of that size, header filled in; NULL: full. */
static void *
put(struct client *c, enum fibd_type type)
{
	size_t size = fibd_size(type);
	struct fibd_hdr *h;

	if (c->out_from > 0 && c->out_to + size > OUT_MAX) {
		memmove(c->out, c->out + c->out_from, c->out_to - c->out_from);
		c->out_to -= c->out_from;
		c->out_from = 0;
	}
	if (c->out_to + size > OUT_MAX) {
		c->full = true;
		return NULL;
	}
	h = (struct fibd_hdr *)(void *)(c->out + c->out_to);
	memset(h, 0, size);
	c->out_to += size;
	h->version = FIBD_VERSION;
	h->type = (uint8_t)type;
	h->size = (uint16_t)size;
	h->seq = ++c->seq;
	return h;
}

/* The same, and a slot for the answer. */
static void *
put_pend(struct client *c, enum fibd_type type, enum pend_kind kind,
    const struct pfx *p, uint32_t set)
{
	struct fibd_hdr *h;
	struct pend *s;

	if (c->tail - c->head == PEND_MAX) {
		c->full = true;
		return NULL;
	}
	h = put(c, type);
	if (h == NULL)
		return NULL;
	s = slot(c, c->tail++);
	s->seq = h->seq;
	s->set = set;
	s->err = 0;
	s->kind = (uint8_t)kind;
	s->text = NULL;
	if (p != NULL)
		s->pfx = *p;
	return h;
}

static void
addr_write(struct fibd_addr *to, const struct addr *a, unsigned int len)
{
	to->fam = a->fam;
	to->len = (uint8_t)len;
	memcpy(to->o, a->o, sizeof to->o);
}

static bool
addr_read(const struct fibd_addr *from, struct addr *a)
{
	if (from->fam != FAM_INET && from->fam != FAM_INET6)
		return false;
	addr_set(a, from->fam, from->o);
	return true;
}

static bool
pfx_read(const struct fibd_addr *from, struct pfx *p)
{
	struct addr a;

	return addr_read(from, &a) && pfx_make(p, &a, from->len);
}

/* May a request be queued? */
static int
usable(const struct client *c)
{
	return c->dead || !c->said_hello ? -ENOTCONN : 0;
}

static int
c_hello(struct fib *f, const struct fib_hello *hello)
{
	struct client *c = client(f);
	struct fibd_hello *r;

	if (c->dead)
		return -ENOTCONN;
	r = put(c, FIBD_HELLO);
	if (r == NULL)
		return -EAGAIN;
	r->netns = hello->netns;
	r->table = hello->table;
	r->metric = hello->metric;
	r->keep_s = hello->keep_s;
	r->reconcile_s = hello->reconcile_s;
	r->protocol = hello->protocol;
	r->recursive = hello->recursive;
	if (hello->src4.fam == FAM_INET)
		addr_write(&r->src4, &hello->src4, 32);
	if (hello->src6.fam == FAM_INET6)
		addr_write(&r->src6, &hello->src6, 128);
	c->said_hello = true;
	return 0;
}

static int
ask(struct fib *f, enum fibd_type type, const struct addr *a, uint32_t ifindex)
{
	struct client *c = client(f);
	struct fibd_req *r;
	int err = usable(c);

	if (err != 0)
		return err;
	if (a->fam == FAM_NONE || a->fam >= FAM_N)
		return -EINVAL;
	r = put(c, type);
	if (r == NULL)
		return -EAGAIN;
	addr_write(&r->a, a, fam_bits(a->fam));
	r->a.ifindex = ifindex;
	return 0;
}

static int
c_listen(struct fib *f, const struct addr *a, uint32_t ifindex)
{
	return ask(f, FIBD_LISTEN_REQ, a, ifindex);
}

static int
c_watch(struct fib *f, const struct addr *a, uint32_t ifindex)
{
	return ask(f, FIBD_NH_WATCH, a, ifindex);
}

static int
c_unwatch(struct fib *f, const struct addr *a, uint32_t ifindex)
{
	return ask(f, FIBD_NH_UNWATCH, a, ifindex);
}

static int
ask_fam(struct fib *f, enum fibd_type type, enum fam fam)
{
	struct addr a = { .fam = (uint8_t)fam };
	struct client *c = client(f);
	struct fibd_req *r;
	int err = usable(c);

	if (err != 0)
		return err;
	r = put(c, type);
	if (r == NULL)
		return -EAGAIN;
	addr_write(&r->a, &a, 0);
	return 0;
}

static int
c_end(struct fib *f, enum fam fam)
{
	return ask_fam(f, FIBD_ROUTES_END, fam);
}

static int
c_flush(struct fib *f, enum fam fam)
{
	return ask_fam(f, FIBD_ROUTES_FLUSH, fam);
}

static int
c_nhset(struct fib *f, uint32_t set, const struct fib_nh *nh, size_t n)
{
	struct client *c = client(f);
	struct fibd_nhset *r;
	int err = usable(c);

	if (err != 0)
		return err;
	if (set == 0 || set > FIBD_SETS || n == 0 || n > FIBD_NH)
		return -EINVAL;
	for (size_t i = 0; i < n; i++)
		if (nh[i].addr.fam != nh[0].addr.fam)
			return -EINVAL;
	r = put_pend(c, FIBD_NHSET, PEND_SET, NULL, set);
	if (r == NULL)
		return -EAGAIN;
	r->set = set;
	r->fam = nh[0].addr.fam;
	r->n = (uint8_t)n;
	for (size_t i = 0; i < n; i++) {
		memcpy(r->nh[i].o, nh[i].addr.o, sizeof r->nh[i].o);
		r->nh[i].ifindex = nh[i].ifindex;
		r->nh[i].weight = nh[i].weight > 0 ? nh[i].weight : 1;
		r->nh[i].flags = nh[i].flags;
	}
	return 0;
}

static int
c_nhset_drop(struct fib *f, uint32_t set)
{
	struct client *c = client(f);
	struct fibd_nhset_drop *r;
	int err = usable(c);

	if (err != 0)
		return err;
	r = put_pend(c, FIBD_NHSET_DROP, PEND_DROP, NULL, set);
	if (r == NULL)
		return -EAGAIN;
	r->set = set;
	return 0;
}

static int
c_replace(struct fib *f, const struct pfx *p, uint32_t set)
{
	struct client *c = client(f);
	struct fibd_route *r;
	int err = usable(c);

	if (err != 0)
		return err;
	r = put_pend(c, FIBD_ROUTE_REPLACE, PEND_REPLACE, p, set);
	if (r == NULL)
		return -EAGAIN;
	addr_write(&r->a, &p->addr, p->len);
	r->set = set;
	return 0;
}

static int
c_remove(struct fib *f, const struct pfx *p)
{
	struct client *c = client(f);
	struct fibd_req *r;
	int err = usable(c);

	if (err != 0)
		return err;
	r = put_pend(c, FIBD_ROUTE_DELETE, PEND_REMOVE, p, 0);
	if (r == NULL)
		return -EAGAIN;
	addr_write(&r->a, &p->addr, p->len);
	return 0;
}

static int
c_fd(const struct fib *f)
{
	return ((const struct client *)(const void *)f)->fd;
}

static bool
c_wants_write(const struct fib *f)
{
	const struct client *c = (const struct client *)(const void *)f;

	return !c->dead && c->out_to > c->out_from;
}

static void
give_room(struct client *c)
{
	if (c->full && !c->dead && c->tail - c->head <= PEND_MAX / 2 &&
	    c->out_to - c->out_from <= OUT_MAX / 2) {
		c->full = false;
		if (c->f.ev->room != NULL)
			c->f.ev->room(c->f.arg);
	}
}

/* The octets of the next datagram. */
static size_t
datagram(const struct client *c)
{
	size_t n = 0;

	for (int i = 0; i < FIBD_BATCH && c->out_from + n < c->out_to; i++) {
		struct fibd_hdr h;

		memcpy(&h, c->out + c->out_from + n, sizeof h);
		n += h.size;
	}
	return n;
}

static void
c_writable(struct fib *f)
{
	struct client *c = client(f);
	char text[128];

	for (int i = 0; i < WRITE_TURN && c_wants_write(f); i++) {
		size_t n = datagram(c);

		if (send(c->fd, c->out + c->out_from, n,
			MSG_DONTWAIT | MSG_NOSIGNAL) < 0) {
			if (errno == EAGAIN || errno == EINTR ||
			    errno == ENOBUFS)
				break;
			/* A refusal may wait to be read: do not hide it. */
			if (errno == EPIPE || errno == ECONNRESET)
				break;
			snprintf(text, sizeof text,
			    "cannot send to ana-fibd: "
			    "%s",
			    strerror(errno));
			down(c, text);
			return;
		}
		c->out_from += n;
		if (c->out_from == c->out_to)
			c->out_from = c->out_to = 0;
	}
	give_room(c);
}

static void
on_ready(struct client *c, const struct fibd_ready *r)
{
	struct fib_ready ready = {
		.adopted = { [FAM_INET] = r->adopted4,
		    [FAM_INET6] = r->adopted6 },
		.adopting = r->adopting != 0,
		.max_routes = r->max_routes,
		.keep_max_s = r->keep_max_s,
		.port = r->port,
		.min_len = { [FAM_INET] = r->min4, [FAM_INET6] = r->min6 },
		.max_len = { [FAM_INET] = r->max4, [FAM_INET6] = r->max6 },
		.nexthop_objects = r->nexthop_objects != 0,
	};
	char text[FIBD_TEXT + 64];

	if (r->err == 0) {
		CALL(c, ready, &ready);
		return;
	}
	snprintf(
	    text, sizeof text, "ana-fibd refuses: %.*s", FIBD_TEXT, r->text);
	down(c, text);
}

static void
on_done(struct client *c, const struct fibd_done *r)
{
	uint32_t lo = c->head, hi = c->tail;

	/* Numbers grow along the ring. */
	while (lo != hi) {
		uint32_t mid = lo + (hi - lo) / 2;

		if ((int32_t)(slot(c, mid)->seq - r->h.seq) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo == c->tail || slot(c, lo)->seq != r->h.seq ||
	    slot(c, lo)->err != 0)
		return;
	slot(c, lo)->err = r->err != 0 ? r->err : EPROTO;
	slot(c, lo)->text = mem_printf("%.*s", FIBD_TEXT, r->text);
}

static void
on_upto(struct client *c, uint32_t seq)
{
	while (
	    c->head != c->tail && (int32_t)(slot(c, c->head)->seq - seq) <= 0) {
		struct pend p = *slot(c, c->head++);
		const char *text = p.text != NULL ? p.text : "";

		if (p.kind == PEND_SET || p.kind == PEND_DROP)
			CALL(c, set_done, p.set, p.kind == PEND_DROP, p.err,
			    text);
		else
			CALL(c, done, &p.pfx, p.kind == PEND_REMOVE, p.err,
			    text);
		free(p.text);
	}
}

static void
on_listener(struct client *c, const struct fibd_listener *r, int *fd)
{
	struct addr a;
	char text[FIBD_TEXT + 1];
	int got = *fd;

	*fd = -1;
	snprintf(text, sizeof text, "%.*s", FIBD_TEXT, r->text);
	if (!addr_read(&r->a, &a) || c->f.ev->listener == NULL) {
		if (got >= 0)
			close(got);
		return;
	}
	if (r->err != 0)
		got = r->err > 0 ? -r->err : r->err;
	else if (got < 0)
		got = -EPROTO;
	c->f.ev->listener(c->f.arg, &a, r->a.ifindex, got, text);
}

static void
on_link(struct client *c, const struct fibd_link *r)
{
	struct fib_link l = { .ifindex = r->ifindex,
		.speed_mbps = r->speed_mbps,
		.up = r->up != 0,
		.carrier = r->carrier != 0,
		.gone = r->gone != 0 };

	snprintf(l.name, sizeof l.name, "%.*s", (int)sizeof r->name, r->name);
	CALL(c, link, &l);
}

static void
on_traffic(struct client *c, const struct fibd_traffic *r)
{
	struct fib_traffic t = { .ifindex = r->ifindex,
		.at_ms = r->at_ms,
		.rx_octets = r->rx_octets,
		.tx_octets = r->tx_octets };

	CALL(c, traffic, &t);
}

static void
on_usage(struct client *c, const struct fibd_usage *r)
{
	struct fib_usage u = { .cpu_us = r->cpu_us,
		.start_s = r->start_s,
		.virtual = r->virtual,
		.resident = r->resident };

	CALL(c, usage, &u);
}

/* Events that carry an address or a prefix. */
static void
on_addr(struct client *c, const struct fibd_hdr *h)
{
	struct addr a;
	struct pfx p;

	if (h->type == FIBD_NH_STATE) {
		const struct fibd_nh_state *r = (const void *)h;

		struct addr via;

		if (addr_read(&r->a, &a)) {
			if (!addr_read(&r->via, &via))
				via = a;
			CALL(c, nh_state, &a, r->reachable != 0, r->a.ifindex,
			    &via);
		}
	} else if (h->type == FIBD_ADDR) {
		const struct fibd_addr_ev *r = (const void *)h;

		if (addr_read(&r->a, &a))
			CALL(
			    c, addr, r->a.ifindex, &a, r->a.len, r->added != 0);
	} else {
		const struct fibd_state *r = (const void *)h;

		if (pfx_read(&r->a, &p) && r->what <= FIB_PUTBACK)
			CALL(c, state, &p, (enum fib_state)r->what);
	}
}

static void
on_record(struct client *c, const struct fibd_hdr *h, int *fd)
{
	const void *r = h;

	switch (h->type) {
	case FIBD_READY:
		on_ready(c, r);
		break;
	case FIBD_DONE:
		on_done(c, r);
		break;
	case FIBD_DONE_UPTO:
		on_upto(c, h->seq);
		break;
	case FIBD_FAM_DONE: {
		const struct fibd_fam_done *d = r;

		if (d->fam == FAM_INET || d->fam == FAM_INET6)
			CALL(c, fam_done, (enum fam)d->fam, d->flushed != 0,
			    d->removed, 0);
		break;
	}
	case FIBD_LISTENER:
		on_listener(c, r, fd);
		break;
	case FIBD_LINK:
		on_link(c, r);
		break;
	case FIBD_TRAFFIC:
		on_traffic(c, r);
		break;
	case FIBD_USAGE:
		on_usage(c, r);
		break;
	case FIBD_NH_STATE:
	case FIBD_ADDR:
	case FIBD_STATE:
		on_addr(c, h);
		break;
	case FIBD_OVERRUN:
		if (c->f.ev->overrun != NULL)
			c->f.ev->overrun(c->f.arg);
		break;
	default:
		down(c, "ana-fibd sent a record that only a speaker sends");
		break;
	}
}

static void
on_datagram(struct client *c, size_t n, int *fd)
{
	size_t at = 0;

	while (at < n && !c->dead) {
		const struct fibd_hdr *h = (const void *)(c->in + at);

		if (n - at < sizeof *h || h->size == 0 || h->size > n - at ||
		    h->version > FIBD_VERSION ||
		    h->version < FIBD_VERSION_MIN ||
		    h->size != fibd_size(h->type)) {
			down(c,
			    "ana-fibd sent a record of an unknown version "
			    "or size: are both programs of one release?");
			return;
		}
		on_record(c, h, fd);
		at += h->size;
	}
}

static int
passed_fd(struct msghdr *m)
{
	struct cmsghdr *cm = CMSG_FIRSTHDR(m);
	int fd = -1;

	if (cm != NULL && cm->cmsg_level == SOL_SOCKET &&
	    cm->cmsg_type == SCM_RIGHTS && cm->cmsg_len == CMSG_LEN(sizeof fd))
		memcpy(&fd, CMSG_DATA(cm), sizeof fd);
	return fd;
}

static void
c_readable(struct fib *f)
{
	struct client *c = client(f);
	char text[128];

	for (int i = 0; i < READ_TURN && !c->dead; i++) {
		union {
			char b[CMSG_SPACE(sizeof(int))];
			struct cmsghdr align;
		} u;
		struct iovec iov = { c->in, sizeof c->in };
		struct msghdr m = { .msg_iov = &iov,
			.msg_iovlen = 1,
			.msg_control = u.b,
			.msg_controllen = sizeof u.b };
		ssize_t n;
		int fd;

		n = recvmsg(c->fd, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			break;
		if (n < 0 && errno == ECONNRESET)
			continue; /* its last words may still be there */
		if (n < 0) {
			snprintf(text, sizeof text, "ana-fibd is lost: %s",
			    strerror(errno));
			down(c, text);
			break;
		}
		if (n == 0) {
			down(c, "ana-fibd has closed the connection");
			break;
		}
		fd = passed_fd(&m);
		on_datagram(c, (size_t)n, &fd);
		if (fd >= 0)
			close(fd);
	}
	give_room(c);
}

static void
c_close(struct fib *f)
{
	struct client *c = client(f);

	while (c->head != c->tail)
		free(slot(c, c->head++)->text);
	close(c->fd);
	free(c);
}

struct fib *
fib_open_fd(int fd, const struct fib_events *ev, void *arg)
{
	static const struct fib_ops ops = {
		.hello = c_hello,
		.listen = c_listen,
		.nhset = c_nhset,
		.nhset_drop = c_nhset_drop,
		.replace = c_replace,
		.remove = c_remove,
		.end = c_end,
		.flush = c_flush,
		.watch = c_watch,
		.unwatch = c_unwatch,
		.fd = c_fd,
		.wants_write = c_wants_write,
		.readable = c_readable,
		.writable = c_writable,
		.close = c_close,
	};
	struct client *c = mem_alloc(sizeof *c);
	int size = FIBD_SOCKBUF;

	/* Best effort: the system may permit less. */
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
	c->f = (struct fib){ &ops, ev, arg };
	c->fd = fd;
	return &c->f;
}

struct fib *
fib_open_client(const char *path, const struct fib_events *ev, void *arg)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd, e;

	if (strlen(path) >= sizeof sun.sun_path) {
		errno = ENAMETOOLONG;
		return NULL;
	}
	memcpy(sun.sun_path, path, strlen(path) + 1);
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return NULL;
	if (connect(fd, (struct sockaddr *)&sun, sizeof sun) < 0) {
		e = errno;
		close(fd);
		errno = e;
		return NULL;
	}
	return fib_open_fd(fd, ev, arg);
}

uint64_t
fib_netns(void)
{
	struct stat st;

	return stat("/proc/self/ns/net", &st) == 0 ? st.st_ino : 0;
}
