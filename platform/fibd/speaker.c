/*
 * speaker.c -- the connection with the speaker: records in, each checked
 * before anything else; records out, in a bounded buffer.
 *
 * Requests are not read while many answers wait, so answers are bounded.
 * Events nobody asked for are dropped when the speaker does not read, and it
 * is told so (OVERRUN) when it does again, with the present state after it.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/mem.h"
#include "platform/fibd/fibd.h"

enum {
	OUT_MAX = 2 * 1024 * 1024,
	OUT_FULL = 64 * 1024, /* read no more requests */
	OUT_EVENTS = 1024 * 1024, /* drop events nobody asked for */
	READ_TURN = 4, /* datagrams: the speaker sends more meanwhile */
	REFUSE_READ = 1024, /* more than an ordinary socket holds */
};

struct watched {
	struct addr addr;
	uint32_t ifindex;
	uint32_t through;
	struct addr via;
};

struct given {
	struct fibd_listener rec;
	int fd;
};

struct speaker {
	struct fibd *d;
	int fd;
	bool hello, lost, dead, recursive;
	uint32_t seq; /* of the last request */
	unsigned int nlisten;
	struct given given[FIBD_LISTEN]; /* listening sockets to be sent */
	unsigned int ngiven;
	struct watched watched[FIBD_WATCH];
	unsigned int nwatched;
	size_t from, to;
	size_t at, len; /* of the datagram that is worked off */
	uint8_t out[OUT_MAX];
	uint8_t in[FIBD_DGRAM_MAX];
};

struct speaker *
speaker_new(struct fibd *d, int fd)
{
	struct speaker *s = mem_alloc(sizeof *s);
	int size = FIBD_SOCKBUF;

	(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof size);
	s->d = d;
	s->fd = fd;
	return s;
}

/* Listening sockets that were not sent. */
static void
drop_given(struct speaker *s)
{
	while (s->ngiven > 0)
		close(s->given[--s->ngiven].fd);
}

void
speaker_free(struct speaker *s)
{
	if (s == NULL)
		return;
	drop_given(s);
	close(s->fd);
	free(s);
}

int
speaker_fd(const struct speaker *s)
{
	return s->fd;
}

bool
speaker_wants_write(const struct speaker *s)
{
	return s->to > s->from || s->ngiven > 0;
}

static bool
full(const struct speaker *s)
{
	return s->to - s->from > OUT_FULL;
}

bool
speaker_holds(const struct speaker *s)
{
	return s->at < s->len;
}

bool
speaker_wants_read(const struct speaker *s)
{
	return !full(s) && !(speaker_holds(s) && table_adopting(s->d->table));
}

/* ---- out ------------------------------------------------------------ */

static void *
begin(void *rec, enum fibd_type type, uint32_t seq)
{
	struct fibd_hdr h = { FIBD_VERSION, (uint8_t)type, fibd_size(type),
		seq };

	memset(rec, 0, h.size);
	memcpy(rec, &h, sizeof h);
	return rec;
}

static void
put(struct speaker *s, const void *rec, bool event)
{
	struct fibd_hdr h;

	memcpy(&h, rec, sizeof h);
	if (event && (s->lost || s->to - s->from > OUT_EVENTS)) {
		s->lost = true;
		return;
	}
	if (s->to + h.size > OUT_MAX) {
		memmove(s->out, s->out + s->from, s->to - s->from);
		s->to -= s->from;
		s->from = 0;
	}
	if (s->to + h.size > OUT_MAX) {
		s->dead = true; /* cannot be: answers are bounded */
		return;
	}
	memcpy(s->out + s->to, rec, h.size);
	s->to += h.size;
}

static void
set_addr(struct fibd_addr *to, const struct addr *a, unsigned int len,
    uint32_t ifindex)
{
	to->fam = a->fam;
	to->len = (uint8_t)len;
	to->ifindex = ifindex;
	memcpy(to->o, a->o, sizeof to->o);
}

void
speaker_failed(struct speaker *s, uint32_t seq, int err, const char *text)
{
	struct fibd_done r;

	if (s == NULL)
		return;
	begin(&r, FIBD_DONE, seq);
	r.err = err;
	strlcpy(r.text, text, sizeof r.text);
	put(s, &r, false);
}

void
speaker_state(struct speaker *s, const struct pfx *p, uint8_t what)
{
	struct fibd_state r;

	if (s == NULL || !s->hello)
		return;
	begin(&r, FIBD_STATE, 0);
	set_addr(&r.a, &p->addr, p->len, 0);
	r.what = what;
	put(s, &r, true);
}

void
speaker_swept(struct speaker *s, enum fam fam, bool flushed, uint32_t removed)
{
	struct fibd_fam_done r;

	if (s == NULL)
		return;
	begin(&r, FIBD_FAM_DONE, 0);
	r.fam = (uint8_t)fam;
	r.flushed = flushed;
	r.removed = removed;
	put(s, &r, false);
}

void
speaker_link(struct speaker *s, const struct nlwatch_link *l)
{
	struct fibd_link r;

	if (s == NULL || !s->hello)
		return;
	begin(&r, FIBD_LINK, 0);
	r.ifindex = l->ifindex;
	r.speed_mbps = l->speed_mbps;
	r.up = l->up;
	r.carrier = l->carrier;
	r.gone = l->gone;
	memcpy(r.name, l->name, sizeof r.name);
	put(s, &r, true);
}

void
speaker_traffic(struct speaker *s, const struct nlwatch_traffic *t)
{
	struct fibd_traffic r;

	if (s == NULL || !s->hello || full(s))
		return; /* the next ones say the same */
	begin(&r, FIBD_TRAFFIC, 0);
	r.ifindex = t->ifindex;
	r.at_ms = fibd_now_ms();
	r.rx_octets = t->rx_octets;
	r.tx_octets = t->tx_octets;
	put(s, &r, true);
}

void
speaker_usage(struct speaker *s, const struct fibd_usage *u)
{
	struct fibd_usage r;

	if (s == NULL || !s->hello || full(s))
		return;
	begin(&r, FIBD_USAGE, 0);
	r.cpu_us = u->cpu_us;
	r.start_s = u->start_s;
	r.virtual = u->virtual;
	r.resident = u->resident;
	put(s, &r, true);
}

void
speaker_addr(struct speaker *s, const struct nlwatch_addr *a, bool added)
{
	struct fibd_addr_ev r;

	if (s == NULL || !s->hello)
		return;
	begin(&r, FIBD_ADDR, 0);
	set_addr(&r.a, &a->addr, a->len, a->ifindex);
	r.added = added;
	put(s, &r, true);
}

/* True: not what it was. */
static bool
resolve(const struct speaker *s, struct watched *w)
{
	struct addr via = w->addr;
	uint32_t through = nlwatch_resolve(s->d->watch, &w->addr, w->ifindex);
	bool same;

	if (through == 0 && s->recursive && w->ifindex == 0) {
		table_flush(s->d->table); /* the socket is used */
		through = nlwatch_recurse(
		    s->d->watch, &w->addr, s->d->fences.protocol, &via);
	}
	same = through == w->through && addr_eq(&via, &w->via);
	w->through = through;
	w->via = via;
	return !same;
}

static void
tell_nh(struct speaker *s, struct watched *w)
{
	struct fibd_nh_state r;

	begin(&r, FIBD_NH_STATE, 0);
	set_addr(&r.a, &w->addr, fam_bits(w->addr.fam), w->through);
	set_addr(&r.via, &w->via, fam_bits(w->via.fam), w->through);
	r.reachable = w->through != 0;
	put(s, &r, true);
}

void
speaker_look(struct speaker *s)
{
	if (s == NULL)
		return;
	for (unsigned int i = 0; i < s->nwatched; i++) {
		struct watched *w = &s->watched[i];

		if (resolve(s, w))
			tell_nh(s, w);
	}
}

bool
speaker_recurses(const struct speaker *s)
{
	return s != NULL && s->recursive && s->nwatched > 0;
}

/* Links, addresses, next hops as they are now. */
static void
tell_all(struct speaker *s)
{
	const struct nlwatch_link *l;
	const struct nlwatch_addr *a;

	for (size_t i = 0; (l = nlwatch_link_at(s->d->watch, i)) != NULL; i++)
		speaker_link(s, l);
	for (size_t i = 0; (a = nlwatch_addr_at(s->d->watch, i)) != NULL; i++)
		speaker_addr(s, a, true);
	for (unsigned int i = 0; i < s->nwatched; i++) {
		resolve(s, &s->watched[i]);
		tell_nh(s, &s->watched[i]);
	}
}

void
speaker_overrun(struct speaker *s)
{
	struct fibd_upto r;

	if (s == NULL || !s->hello)
		return;
	put(s, begin(&r, FIBD_OVERRUN, 0), true);
	tell_all(s);
}

void
speaker_refuse(int fd, int err, const char *text)
{
	struct fibd_ready r;
	char ignored[64];
	int left = REFUSE_READ;

	begin(&r, FIBD_READY, 0);
	r.err = err;
	strlcpy(r.text, text, sizeof r.text);
	(void)send(fd, &r, sizeof r, MSG_DONTWAIT | MSG_NOSIGNAL);
	/* What is not read would turn our words into a reset; one who sends on
	 * and on has himself to blame. */
	while (
	    left-- > 0 && recv(fd, ignored, sizeof ignored, MSG_DONTWAIT) > 0)
		continue;
	close(fd);
}

/* The last words to the present speaker. */
static bool
end(struct speaker *s, int err, const char *text)
{
	int fd = s->fd;

	helper_log("speaker: %s; closed", text);
	s->fd = -1;
	speaker_refuse(fd, err, text);
	return false;
}

/* A listening socket is a datagram of its own; 0 or an errno. */
static int
give(struct speaker *s)
{
	const struct given *g = &s->given[0];
	union {
		char b[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} u = { { 0 } };
	struct fibd_listener rec = g->rec;
	struct iovec iov = { &rec, sizeof rec };
	struct msghdr m = { .msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = u.b,
		.msg_controllen = sizeof u.b };
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof g->fd);
	memcpy(CMSG_DATA(c), &g->fd, sizeof g->fd);
	if (sendmsg(s->fd, &m, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		return errno;
	/* Ours is closed: when the speaker dies, so does the port. */
	close(g->fd);
	memmove(&s->given[0], &s->given[1], --s->ngiven * sizeof s->given[0]);
	return 0;
}

/* It passes by itself, or when the speaker reads. */
static bool
passes(int err)
{
	return err == EAGAIN || err == EINTR || err == ENOBUFS;
}

/* The listening sockets; false: the speaker has gone, or must. */
static bool
give_all(struct speaker *s)
{
	char text[FIBD_TEXT];
	int err = 0;

	while (s->ngiven > 0 && err == 0)
		err = give(s);
	if (err == 0 || passes(err))
		return true;
	if (err == EPIPE || err == ECONNRESET)
		return false;
	/* Most likely ETOOMANYREFS: it asks for more and never takes one. */
	snprintf(text, sizeof text, "a listening socket cannot be passed: %s",
	    strerror(err));
	return end(s, err, text);
}

static size_t
datagram(const struct speaker *s)
{
	size_t n = 0;

	for (int i = 0; i < FIBD_BATCH && s->from + n < s->to; i++) {
		struct fibd_hdr h;

		memcpy(&h, s->out + s->from + n, sizeof h);
		n += h.size;
	}
	return n;
}

bool
speaker_writable(struct speaker *s)
{
	if (s->dead)
		return false;
	while (s->to > s->from) {
		size_t n = datagram(s);

		if (send(s->fd, s->out + s->from, n,
			MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
			return passes(errno);
		s->from += n;
	}
	s->from = s->to = 0;
	if (!give_all(s))
		return false;
	if (s->lost) {
		s->lost = false;
		speaker_overrun(s);
	}
	return true;
}

/* ---- in ------------------------------------------------------------- */

static bool
on_hello(struct speaker *s, const struct fibd_hello *h)
{
	const struct fibd_fences *f = &s->d->fences;
	char text[FIBD_TEXT];
	int err = fibd_check_hello(f, h, text);
	struct fibd_ready r;

	if (err != 0)
		return end(s, err, text);
	begin(&r, FIBD_READY, h->h.seq);
	r.adopted4 = table_kept(s->d->table, FAM_INET);
	r.adopted6 = table_kept(s->d->table, FAM_INET6);
	r.adopting = table_adopting(s->d->table);
	r.max_routes = f->max_routes;
	r.keep_max_s = f->keep_max_s;
	r.port = f->port;
	r.min4 = f->min[FAM_INET];
	r.max4 = f->max[FAM_INET];
	r.min6 = f->min[FAM_INET6];
	r.max6 = f->max[FAM_INET6];
	r.nexthop_objects = table_has_objects(s->d->table);
	put(s, &r, false);
	s->hello = true;
	s->recursive = h->recursive;
	s->nlisten = s->nwatched = 0;
	drop_given(s); /* or there would be more than there is room for */
	fibd_hello(s->d, h);
	tell_all(s);
	return true;
}

static int
bind_to(const struct speaker *s, const struct addr *a, uint32_t ifindex)
{
	struct sockaddr_storage ss = { 0 };
	int one = 1, fd, dev = (int)ifindex, e;
	socklen_t len;

	if (a->fam == FAM_INET) {
		struct sockaddr_in *sin = (void *)&ss;

		sin->sin_family = AF_INET;
		sin->sin_port = htons(s->d->fences.port);
		memcpy(&sin->sin_addr, a->o, 4);
		len = sizeof *sin;
	} else {
		struct sockaddr_in6 *sin6 = (void *)&ss;

		sin6->sin6_family = AF_INET6;
		sin6->sin6_port = htons(s->d->fences.port);
		memcpy(&sin6->sin6_addr, a->o, 16);
		sin6->sin6_scope_id = addr_is_linklocal(a) ? ifindex : 0;
		len = sizeof *sin6;
	}
	fd =
	    socket(ss.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) == 0 &&
	    setsockopt(fd, IPPROTO_IP, IP_FREEBIND, &one, sizeof one) == 0 &&
	    (a->fam == FAM_INET ||
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof one) ==
		    0) &&
	    (dev == 0 ||
		setsockopt(
		    fd, SOL_SOCKET, SO_BINDTOIFINDEX, &dev, sizeof dev) == 0) &&
	    bind(fd, (struct sockaddr *)&ss, len) == 0)
		return fd;
	e = errno;
	close(fd);
	return -e;
}

static void
on_listen(struct speaker *s, const struct fibd_req *q)
{
	struct fibd_listener r;
	struct addr a;
	int fd = -1;

	begin(&r, FIBD_LISTENER, q->h.seq);
	r.a = q->a;
	r.err = fibd_check_listen(q, s->nlisten, r.text);
	if (r.err == 0) {
		addr_set(&a, q->a.fam, q->a.o);
		fd = bind_to(s, &a, q->a.ifindex);
		if (fd < 0) {
			r.err = -fd;
			snprintf(r.text, sizeof r.text, "port %u: %s%s",
			    s->d->fences.port, strerror(-fd),
			    fd == -EADDRINUSE ? "; who has it says: "
						"ss -ltnp"
					      : "");
		}
	}
	if (fd < 0) {
		put(s, &r, false);
		return;
	}
	s->nlisten++;
	s->given[s->ngiven].rec = r;
	s->given[s->ngiven++].fd = fd;
}

static void
on_watch(struct speaker *s, const struct fibd_req *q)
{
	char text[FIBD_TEXT];
	unsigned int i = 0;
	struct addr a;
	int err;

	addr_set(&a, q->a.fam == FAM_INET ? FAM_INET : FAM_INET6, q->a.o);
	while (i < s->nwatched &&
	    !(addr_eq(&s->watched[i].addr, &a) &&
		s->watched[i].ifindex == q->a.ifindex))
		i++;
	if (q->h.type == FIBD_NH_UNWATCH) {
		if (i < s->nwatched)
			s->watched[i] = s->watched[--s->nwatched];
		return;
	}
	err = fibd_check_watch(q, i < s->nwatched ? 0 : s->nwatched, text);
	if (err != 0) {
		speaker_failed(s, q->h.seq, err, text);
		return;
	}
	s->watched[i].addr = a;
	s->watched[i].ifindex = q->a.ifindex;
	if (i == s->nwatched)
		s->nwatched++;
	resolve(s, &s->watched[i]);
	tell_nh(s, &s->watched[i]);
}

static void
on_nhset(struct speaker *s, const struct fibd_nhset *q)
{
	char text[FIBD_TEXT];
	int err = fibd_check_nhset(q, text);

	for (unsigned int i = 0; i < q->n && err == 0; i++) {
		const struct nlwatch_link *l;
		struct fibd_nh_facts k = { 0 };
		struct addr a;

		addr_set(&a, q->fam, q->nh[i].o);
		l = nlwatch_link(s->d->watch, q->nh[i].ifindex);
		k.link = l != NULL ? l->name : NULL;
		k.connected =
		    nlwatch_connected(s->d->watch, &a, q->nh[i].ifindex);
		k.own = nlwatch_own(s->d->watch, &a);
		err =
		    fibd_check_nh(&s->d->fences, &a, q->nh[i].flags, &k, text);
	}
	if (err != 0)
		speaker_failed(s, q->h.seq, err, text);
	else
		table_nhset(s->d->table, q);
}

static void
on_route(struct speaker *s, const struct fibd_route *q)
{
	struct table *t = s->d->table;
	char text[FIBD_TEXT];
	uint32_t count = table_count(t, FAM_INET) + table_count(t, FAM_INET6);
	struct pfx p;
	int err = fibd_check_pfx(&q->a, &p, text);

	/* Whether it is new matters at the cap only. */
	if (err == 0)
		err = fibd_check_route(&s->d->fences, &p,
		    table_set_fam(t, q->set),
		    count >= s->d->fences.max_routes && !table_has(t, &p),
		    count, text);
	if (err != 0)
		speaker_failed(s, q->h.seq, err, text);
	else
		table_replace(t, q->h.seq, &p, q->set);
}

static void
on_delete(struct speaker *s, const struct fibd_req *q)
{
	char text[FIBD_TEXT];
	struct pfx p;
	int err = fibd_check_pfx(&q->a, &p, text);

	if (err != 0)
		speaker_failed(s, q->h.seq, err, text);
	else
		table_remove(s->d->table, q->h.seq, &p);
}

static void
on_family(struct speaker *s, const struct fibd_req *q)
{
	bool all = q->h.type == FIBD_ROUTES_FLUSH;

	if (q->a.fam != FAM_INET && q->a.fam != FAM_INET6)
		speaker_failed(s, q->h.seq, EINVAL, "no such family");
	else
		table_sweep(s->d->table, q->a.fam, all, true);
}

static bool
on_record(struct speaker *s, const struct fibd_hdr *h)
{
	const void *q = h;

	if (h->type == FIBD_HELLO)
		return on_hello(s, q);
	if (!s->hello)
		return end(s, EPROTO, "a request before the HELLO");
	switch (h->type) {
	case FIBD_LISTEN_REQ:
		on_listen(s, q);
		break;
	case FIBD_NHSET:
		on_nhset(s, q);
		break;
	case FIBD_NHSET_DROP: {
		const struct fibd_nhset_drop *drop = q;

		table_nhset_drop(s->d->table, h->seq, drop->set);
		break;
	}
	case FIBD_ROUTE_REPLACE:
		on_route(s, q);
		break;
	case FIBD_ROUTE_DELETE:
		on_delete(s, q);
		break;
	case FIBD_ROUTES_END:
	case FIBD_ROUTES_FLUSH:
		on_family(s, q);
		break;
	case FIBD_NH_WATCH:
	case FIBD_NH_UNWATCH:
		on_watch(s, q);
		break;
	default:
		return end(s, EPROTO, "an unknown record");
	}
	return true;
}

/* Sets and routes are asked for when it is known what is there: what was
 * adopted needs no write then, and cannot be taken for another's. */
static bool
must_wait(const struct speaker *s, uint8_t type)
{
	return s->hello && table_adopting(s->d->table) && type != FIBD_HELLO &&
	    type != FIBD_LISTEN_REQ && type != FIBD_NH_WATCH &&
	    type != FIBD_NH_UNWATCH;
}

static bool
on_datagram(struct speaker *s)
{
	char text[FIBD_TEXT];

	while (speaker_holds(s)) {
		const struct fibd_hdr *h = (const void *)(s->in + s->at);
		int err = fibd_check_record(h, s->len - s->at, text);

		if (err != 0)
			return end(s, err, text);
		if (must_wait(s, h->type))
			break;
		if (!on_record(s, h))
			return false;
		s->seq = h->seq;
		s->at += h->size;
	}
	return true;
}

/* The next datagram, if there is one; false: the speaker has gone. */
static bool
receive(struct speaker *s)
{
	ssize_t n = recv(s->fd, s->in, sizeof s->in, MSG_DONTWAIT | MSG_TRUNC);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return true;
	if (n <= 0)
		return false;
	if ((size_t)n > sizeof s->in)
		return end(s, EPROTO, "a datagram of too many records");
	s->at = 0;
	s->len = (size_t)n;
	return true;
}

bool
speaker_readable(struct speaker *s)
{
	uint32_t before = s->seq;
	struct fibd_upto r;

	for (int i = 0; i < READ_TURN && speaker_wants_read(s); i++) {
		if (!speaker_holds(s) && !receive(s))
			return false;
		if (!speaker_holds(s))
			break;
		if (!on_datagram(s))
			return false;
	}
	table_flush(s->d->table);
	if (s->seq != before)
		put(s, begin(&r, FIBD_DONE_UPTO, s->seq), false);
	return !s->dead;
}
