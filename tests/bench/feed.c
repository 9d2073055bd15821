/*
 * feed.c -- many BGP partners in one process, for measurements: they announce
 * what was prepared before, and count what comes back.  Commands are lines on
 * standard input, answers lines of JSON on standard output; times are seconds
 * of the monotonic clock.
 *
 * Only IPv4 unicast.  All messages of a table are encoded before the clock
 * runs.  "stat" tells how busy this process was: near one core, it was itself
 * the bottleneck.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
	RX = 1 << 18,
	MSG = 4096,
	HDR = 19,
	SERIES = 1 << 14,
	SLOTS24 = 1 << 24,
	SESSIONS = 1024,
	KERNEL = -2, /* in place of a session's number */
	RETRY_MS = 100,
	PATIENCE_MS = 1000, /* for an OPEN, where a backlog is short */
};

struct buf {
	uint8_t *p;
	size_t len, cap;
};

/* The prefixes that a session was told: /24 by a bit each, others hashed. */
struct seen {
	uint8_t *bits; /* of the /24s */
	uint64_t *hash;
	size_t nhash, cap;
	size_t count;
};

struct session {
	int fd, id;
	char local[40], remote[40];
	uint32_t as;
	unsigned int hold;
	bool connecting, up, wants, rr;
	double next_dial, dialled, next_alive, last_rx, up_at, gap;
	uint8_t *rx;
	size_t rx_len;
	struct buf table; /* prepared */
	size_t pos, end; /* of it, being sent */
	uint8_t small[256];
	size_t small_len;
	struct seen *have; /* told and not withdrawn */
	struct seen *fresh; /* told since "phase" */
	size_t gone; /* withdrawals since "phase" */
	uint64_t routes, messages;
	size_t want_fresh, want_gone, want_have;
	bool watch_have;
	unsigned int lost;
	struct {
		double t;
		uint32_t n;
	} * series;
	size_t nseries;
	double next_sample;
};

static struct session *ses[SESSIONS];
static int nses, ep;
static double started;

/* The latency probe: one prefix, changed again and again. */
static struct {
	int from, to;
	uint32_t prefix, round, rounds, lost;
	double sent, pause, next;
	double *ms;
	bool waiting, on;
} probe;

static double
now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec * 1e-9;
}

static void
say(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
	fflush(stdout);
}

static void
die(const char *what)
{
	say("{\"ev\":\"error\",\"what\":\"%s: %s\"}", what, strerror(errno));
	exit(1);
}

static void *
room(void *p, size_t n)
{
	p = realloc(p, n);
	if (p == NULL)
		die("memory");
	return p;
}

static void
put(struct buf *b, const void *p, size_t n)
{
	if (b->len + n > b->cap) {
		b->cap = 2 * (b->len + n) + 4096;
		b->p = room(b->p, b->cap);
	}
	memcpy(b->p + b->len, p, n);
	b->len += n;
}

/* ---- what was seen ----------------------------------------------------- */

static struct seen *
seen_new(void)
{
	struct seen *s = calloc(1, sizeof *s);

	if (s == NULL || (s->bits = calloc(SLOTS24 / 8, 1)) == NULL)
		die("memory");
	return s;
}

static void
seen_clear(struct seen *s)
{
	memset(s->bits, 0, SLOTS24 / 8);
	if (s->hash != NULL)
		memset(s->hash, 0, s->cap * sizeof *s->hash);
	s->nhash = s->count = 0;
}

static uint64_t *
hash_slot(struct seen *s, uint64_t key)
{
	size_t i = (key * 0x9e3779b97f4a7c15) >> 20;

	for (;; i++) {
		uint64_t *at = &s->hash[i & (s->cap - 1)];

		if (*at == 0 || *at >> 1 == key)
			return at;
	}
}

static void
hash_grow(struct seen *s)
{
	uint64_t *old = s->hash;
	size_t n = s->cap;

	s->cap = n == 0 ? 4096 : 2 * n;
	s->hash = calloc(s->cap, sizeof *s->hash);
	if (s->hash == NULL)
		die("memory");
	for (size_t i = 0; i < n; i++)
		if (old[i] != 0)
			*hash_slot(s, old[i] >> 1) = old[i];
	free(old);
}

/* Whether it was there is returned; whether it is there, is `on`. */
static bool
seen_set(struct seen *s, uint32_t addr, unsigned int len, bool on)
{
	uint64_t key = (uint64_t)addr << 6 | len, *at;
	uint8_t bit = (uint8_t)(1 << (addr >> 8 & 7));
	bool was;

	if (len == 24) {
		uint8_t *o = &s->bits[addr >> 11];

		was = *o & bit;
		*o = on ? *o | bit : *o & (uint8_t)~bit;
	} else {
		/* The key never is 0 but for 0/0, which no table here has. */
		if (2 * s->nhash >= s->cap)
			hash_grow(s);
		at = hash_slot(s, key);
		s->nhash += *at == 0;
		was = *at & 1;
		*at = key << 1 | on;
	}
	s->count += on && !was;
	s->count -= !on && was;
	return was;
}

/* ---- tables ------------------------------------------------------------ */

static void
header(uint8_t *m, size_t len, uint8_t type)
{
	memset(m, 0xff, 16);
	m[16] = (uint8_t)(len >> 8);
	m[17] = (uint8_t)len;
	m[18] = type;
}

static size_t
put32(uint8_t *p, uint32_t v)
{
	v = htonl(v);
	memcpy(p, &v, 4);
	return 4;
}

/* ORIGIN, AS_PATH of 3 to 6, NEXT_HOP, two communities: the set's number. */
static size_t
attributes(uint8_t *p, const struct session *s, uint32_t set, uint32_t salt)
{
	uint32_t path = 3 + (set + salt) % 4, h = set * 2654435761U + salt;
	size_t n = 0;

	memcpy(p, "\x40\x01\x01\x00\x40\x02", 6);
	n = 6;
	p[n++] = (uint8_t)(2 + 4 * path);
	p[n++] = 2;
	p[n++] = (uint8_t)path;
	n += put32(p + n, s->as);
	for (uint32_t i = 1; i < path; i++)
		n += put32(p + n, 1000 + (h >> 4 * i) % 15000);
	memcpy(p + n, "\x40\x03\x04", 3);
	n += 3;
	inet_pton(AF_INET, s->local, p + n);
	n += 4;
	memcpy(p + n, "\xc0\x08\x08", 3);
	n += 3;
	n += put32(p + n, 3000u << 16 | (set & 0xffff));
	n += put32(p + n, (3001u + salt) << 16 | set >> 16);
	return n;
}

static uint32_t
nth_prefix(uint32_t base, uint32_t i)
{
	return base + (i << 8);
}

/* One message: attributes of the set, some /24s. */
static void
put_update(struct session *s, uint32_t set, uint32_t salt, uint32_t base,
    const uint32_t *idx, size_t n)
{
	uint8_t m[MSG];
	size_t at = HDR + 4, len;

	memset(m + HDR, 0, 4);
	len = attributes(m + at, s, set, salt);
	m[HDR + 2] = (uint8_t)(len >> 8);
	m[HDR + 3] = (uint8_t)len;
	at += len;
	for (size_t i = 0; i < n; i++) {
		uint32_t a = nth_prefix(base, idx[i]);

		m[at++] = 24;
		m[at++] = (uint8_t)(a >> 24);
		m[at++] = (uint8_t)(a >> 16);
		m[at++] = (uint8_t)(a >> 8);
	}
	header(m, at, 2);
	put(&s->table, m, at);
}

/*
 * `count` prefixes in `sets` attribute sets, as they lie in a table: a set's
 * prefixes stand together in messages, but apart in the address space.
 */
static void
make_table(struct session *s, uint32_t base, uint32_t count, uint32_t sets,
    uint32_t salt)
{
	uint32_t idx[500];
	size_t n = 0;

	for (uint32_t set = 0; set < sets; set++) {
		for (uint32_t i = set; i < count; i += sets) {
			idx[n++] = i;
			if (n == 500) {
				put_update(s, set, salt, base, idx, n);
				n = 0;
			}
		}
		if (n > 0)
			put_update(s, set, salt, base, idx, n);
		n = 0;
	}
}

static void
load_table(struct session *s, const char *path)
{
	FILE *f = fopen(path, "rb");
	uint8_t m[65536];
	size_t n;

	if (f == NULL)
		die(path);
	while ((n = fread(m, 1, sizeof m, f)) > 0)
		put(&s->table, m, n);
	fclose(f);
}

/* ---- sending ----------------------------------------------------------- */

static void
rearm(struct session *s)
{
	struct epoll_event e = { .events = EPOLLIN, .data.fd = s->id };

	if (s->connecting || s->pos < s->end || s->small_len > 0)
		e.events |= EPOLLOUT;
	s->wants = (e.events & EPOLLOUT) != 0;
	epoll_ctl(ep, EPOLL_CTL_MOD, s->fd, &e);
}

static void
lose(struct session *s, const char *why)
{
	if (s->up)
		s->lost++;
	say("{\"ev\":\"down\",\"id\":%d,\"t\":%.6f,\"why\":\"%s\"}", s->id,
	    now(), why);
	close(s->fd);
	s->fd = -1;
	s->up = s->connecting = false;
	s->small_len = s->rx_len = 0;
	s->pos = s->end = 0;
}

static void
flush(struct session *s)
{
	ssize_t n;

	/* The small ones stand between two messages of the table. */
	if (s->small_len > 0 && (s->pos == 0 || s->pos == s->end)) {
		n = send(s->fd, s->small, s->small_len, MSG_NOSIGNAL);
		if (n > 0) {
			memmove(s->small, s->small + n, s->small_len - n);
			s->small_len -= (size_t)n;
		}
	}
	while (s->up && s->pos < s->end) {
		n = send(
		    s->fd, s->table.p + s->pos, s->end - s->pos, MSG_NOSIGNAL);
		if (n <= 0)
			break;
		s->pos += (size_t)n;
		if (s->pos == s->end)
			say("{\"ev\":\"sent\",\"id\":%d,\"t\":%.6f}", s->id,
			    now());
	}
	rearm(s);
}

static void
send_small(struct session *s, const uint8_t *m, size_t n)
{
	if (s->small_len + n > sizeof s->small)
		return;
	memcpy(s->small + s->small_len, m, n);
	s->small_len += n;
	flush(s);
}

static void
send_keepalive(struct session *s)
{
	uint8_t m[HDR];

	header(m, sizeof m, 4);
	send_small(s, m, sizeof m);
}

static void
send_open(struct session *s)
{
	uint8_t m[64];
	size_t n = HDR;

	m[n++] = 4;
	m[n++] = (uint8_t)(s->as >> 8);
	m[n++] = (uint8_t)s->as;
	m[n++] = (uint8_t)(s->hold >> 8);
	m[n++] = (uint8_t)s->hold;
	inet_pton(AF_INET, s->local, m + n);
	n += 4;
	m[n++] = 16;
	memcpy(m + n, "\x02\x0e\x01\x04\x00\x01\x00\x01\x02\x00\x41\x04", 12);
	n += 12;
	n += put32(m + n, s->as);
	header(m, n, 1);
	send_small(s, m, n);
}

/* ---- receiving --------------------------------------------------------- */

static void
reached(struct session *s)
{
	const char *what = NULL;

	if (s->want_fresh != 0 && s->fresh->count >= s->want_fresh) {
		what = "fresh";
		s->want_fresh = 0;
	} else if (s->want_gone != 0 && s->gone >= s->want_gone) {
		what = "gone";
		s->want_gone = 0;
	} else if (s->watch_have && s->have->count == s->want_have) {
		what = "have";
		s->watch_have = false;
	}
	if (what != NULL)
		say("{\"ev\":\"reached\",\"id\":%d,\"what\":\"%s\","
		    "\"t\":%.6f}",
		    s->id, what, now());
}

static void
probed(int to, uint32_t addr)
{
	double t = now();

	if (!probe.waiting || to != probe.to || addr != probe.prefix)
		return;
	probe.ms[probe.round++] = 1000 * (t - probe.sent);
	probe.waiting = false;
	probe.next = t + probe.pause;
}

static const uint8_t *
prefixes(struct session *s, const uint8_t *p, const uint8_t *end, bool on)
{
	while (p < end) {
		unsigned int len = *p++, n = (len + 7) / 8;
		uint32_t a = 0;

		for (unsigned int i = 0; i < n && i < 4; i++)
			a |= (uint32_t)p[i] << (24 - 8 * i);
		p += n;
		s->routes++;
		if (s->have == NULL)
			continue;
		seen_set(s->have, a, len, on);
		if (on)
			seen_set(s->fresh, a, len, true);
		else
			s->gone++;
		if (on && probe.on)
			probed(s->id, a);
	}
	return p;
}

static void
on_update(struct session *s, const uint8_t *p, size_t n)
{
	size_t w = (size_t)p[0] << 8 | p[1], a;

	if (w + 4 > n)
		return;
	prefixes(s, p + 2, p + 2 + w, false);
	a = (size_t)p[2 + w] << 8 | p[3 + w];
	if (4 + w + a <= n)
		prefixes(s, p + 4 + w + a, p + n, true);
}

static void
on_message(struct session *s, uint8_t type, const uint8_t *p, size_t n)
{
	s->messages++;
	switch (type) {
	case 1:
		send_keepalive(s);
		break;
	case 2:
		on_update(s, p, n);
		break;
	case 3:
		lose(s, "notification");
		break;
	case 4:
		if (!s->up) {
			s->up = true;
			s->up_at = s->last_rx = now();
			say("{\"ev\":\"up\",\"id\":%d,\"t\":%.6f}", s->id,
			    s->up_at);
		}
		break;
	default:
		break;
	}
}

static void
sample(struct session *s, double t)
{
	if (s->have == NULL || t < s->next_sample || s->nseries >= SERIES)
		return;
	if (s->series == NULL)
		s->series = room(NULL, SERIES * sizeof *s->series);
	s->series[s->nseries].t = t;
	s->series[s->nseries++].n = (uint32_t)s->have->count;
	s->next_sample = t + 0.005;
}

static void
receive(struct session *s)
{
	size_t at = 0, len;
	double t;
	ssize_t n;

	n = recv(s->fd, s->rx + s->rx_len, RX - s->rx_len, 0);
	if (n <= 0) {
		if (n == 0 || (errno != EAGAIN && errno != EINTR))
			lose(s, n == 0 ? "closed" : strerror(errno));
		return;
	}
	t = now();
	if (s->up && t - s->last_rx > s->gap)
		s->gap = t - s->last_rx;
	s->last_rx = t;
	s->rx_len += (size_t)n;
	while (s->fd != -1 && s->rx_len - at >= HDR) {
		const uint8_t *m = s->rx + at;

		len = (size_t)m[16] << 8 | m[17];
		if (len < HDR || s->rx_len - at < len)
			break;
		on_message(s, m[18], m + HDR, len - HDR);
		at += len;
	}
	if (s->fd == -1)
		return;
	memmove(s->rx, s->rx + at, s->rx_len - at);
	s->rx_len -= at;
	sample(s, t);
	reached(s);
}

/* ---- connections ------------------------------------------------------- */

static void
dial(struct session *s)
{
	struct sockaddr_in a = { .sin_family = AF_INET };
	struct epoll_event e = { .events = EPOLLIN | EPOLLOUT,
		.data.fd = s->id };
	int on = 1, big = 4 << 20;

	s->next_dial = 0;
	s->dialled = now();
	s->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (s->fd == -1)
		die("socket");
	setsockopt(s->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	setsockopt(s->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	if (s->have != NULL)
		setsockopt(s->fd, SOL_SOCKET, SO_RCVBUF, &big, sizeof big);
	inet_pton(AF_INET, s->local, &a.sin_addr);
	if (bind(s->fd, (struct sockaddr *)&a, sizeof a) == -1)
		die(s->local);
	inet_pton(AF_INET, s->remote, &a.sin_addr);
	a.sin_port = htons(179);
	if (s->rx == NULL)
		s->rx = room(NULL, RX);
	s->connecting = true;
	if (connect(s->fd, (struct sockaddr *)&a, sizeof a) == -1 &&
	    errno != EINPROGRESS)
		die("connect");
	epoll_ctl(ep, EPOLL_CTL_ADD, s->fd, &e);
}

static void
redial(struct session *s)
{
	close(s->fd);
	s->fd = -1;
	s->connecting = false;
	s->small_len = s->rx_len = 0;
	s->next_dial = now() + RETRY_MS / 1000.0;
}

static void
on_io(struct session *s, uint32_t ev)
{
	socklen_t n = sizeof(int);
	int err = 0;

	if (s->fd == -1)
		return;
	if (s->connecting) {
		getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &err, &n);
		if (err != 0) {
			redial(s);
			return;
		}
		s->connecting = false;
		s->last_rx = now();
		send_open(s);
		return;
	}
	if (ev & EPOLLOUT)
		flush(s);
	if (ev & (EPOLLIN | EPOLLHUP | EPOLLERR)) {
		bool was = s->up;

		receive(s);
		/* A daemon that is starting may accept and drop: again. */
		if (s->fd == -1 && !was)
			s->next_dial = now() + RETRY_MS / 1000.0;
	}
}

/* ---- the probe --------------------------------------------------------- */

static void
probe_send(double t)
{
	struct session *s = ses[probe.from];
	uint8_t m[256];
	size_t at = HDR + 4, len;

	if (probe.waiting) {
		if (t - probe.sent < 10)
			return;
		probe.lost++;
		probe.waiting = false;
	}
	if (probe.round >= probe.rounds) {
		probe.on = false;
		printf("{\"ev\":\"probed\",\"lost\":%u,\"ms\":[", probe.lost);
		for (uint32_t i = 0; i < probe.round; i++)
			printf("%s%.4f", i ? "," : "", probe.ms[i]);
		say("]}");
		return;
	}
	if (t < probe.next)
		return;
	/* The kernel's route is the same whatever the path: another one. */
	if (probe.to == KERNEL)
		probe.prefix += 1 << 8;
	memset(m + HDR, 0, 4);
	len = attributes(m + at, s, probe.round + 7, 900);
	m[HDR + 3] = (uint8_t)len;
	at += len;
	m[at++] = 24;
	m[at++] = (uint8_t)(probe.prefix >> 24);
	m[at++] = (uint8_t)(probe.prefix >> 16);
	m[at++] = (uint8_t)(probe.prefix >> 8);
	header(m, at, 2);
	probe.sent = t;
	probe.waiting = true;
	send_small(s, m, at);
}

/* ---- the kernel's table ------------------------------------------------ */

static int kernel_fd = -1;

/*
 * News of the routes of a namespace, but only of those that the probe makes:
 * 199.0.0.0/8 and what follows.  A route begins with RTA_TABLE and RTA_DST.
 */
static int
kernel_open(const char *netns)
{
	enum {
		DST = NLMSG_HDRLEN + sizeof(struct rtmsg) + 8 + NLA_HDRLEN
	};
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, DST),
		BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 199, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	struct sock_fprog prog = { 4, code };
	struct sockaddr_nl sa = { .nl_family = AF_NETLINK,
		.nl_groups = RTMGRP_IPV4_ROUTE };
	char path[256];
	int own = open("/proc/self/ns/net", O_RDONLY), other, fd;

	snprintf(path, sizeof path, "/var/run/netns/%s", netns);
	other = open(path, O_RDONLY);
	if (own == -1 || other == -1 || setns(other, CLONE_NEWNET) == -1)
		return -1;
	fd = socket(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK, NETLINK_ROUTE);
	if (setns(own, CLONE_NEWNET) == -1 || fd == -1 ||
	    setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &prog, sizeof prog) ==
		-1 ||
	    bind(fd, (struct sockaddr *)&sa, sizeof sa) == -1)
		return -1;
	close(own);
	close(other);
	return fd;
}

static void
kernel_news(void)
{
	uint8_t buf[8192];
	ssize_t n;

	while ((n = recv(kernel_fd, buf, sizeof buf, 0)) > 0) {
		const struct nlmsghdr *h = (const void *)buf;
		const struct rtmsg *m = NLMSG_DATA(h);
		const struct rtattr *a = RTM_RTA(m);
		size_t left = RTM_PAYLOAD(h);
		uint32_t dst;

		for (; h->nlmsg_type == RTM_NEWROUTE && RTA_OK(a, left);
		     a = RTA_NEXT(a, left))
			if (a->rta_type == RTA_DST) {
				memcpy(&dst, RTA_DATA(a), sizeof dst);
				probed(KERNEL, ntohl(dst));
			}
	}
}

static void
cmd_kernel(const char *netns)
{
	struct epoll_event e = { .events = EPOLLIN, .data.fd = KERNEL };

	kernel_fd = kernel_open(netns);
	if (kernel_fd == -1 ||
	    epoll_ctl(ep, EPOLL_CTL_ADD, kernel_fd, &e) == -1)
		die("the kernel's table");
}

/* ---- commands ---------------------------------------------------------- */

static void
cmd_session(char *const w[])
{
	struct session *s = calloc(1, sizeof *s);

	if (s == NULL || nses == SESSIONS)
		die("session");
	s->id = nses;
	s->fd = -1;
	snprintf(s->local, sizeof s->local, "%s", w[1]);
	snprintf(s->remote, sizeof s->remote, "%s", w[2]);
	s->as = (uint32_t)strtoul(w[3], NULL, 10);
	s->hold = (unsigned int)strtoul(w[4], NULL, 10);
	if (w[5][0] == 'c') {
		s->have = seen_new();
		s->fresh = seen_new();
	}
	ses[nses++] = s;
}

static void
cmd_stat(void)
{
	struct rusage ru;
	double gap = 0, heard = now();
	unsigned int lost = 0, up = 0;

	getrusage(RUSAGE_SELF, &ru);
	for (int i = 0; i < nses; i++) {
		double g = ses[i]->gap;

		if (ses[i]->up && now() - ses[i]->last_rx > g)
			g = now() - ses[i]->last_rx;
		if (ses[i]->hold < 30 && g > gap)
			gap = g;
		if (ses[i]->hold < 30 && ses[i]->last_rx < heard)
			heard = ses[i]->last_rx;
		lost += ses[i]->lost;
		up += ses[i]->up;
	}
	say("{\"ev\":\"stat\",\"t\":%.6f,\"cpu\":%.4f,\"gap\":%.3f,"
	    "\"heard\":%.6f,\"lost\":%u,\"up\":%u}",
	    now(),
	    (double)(ru.ru_utime.tv_sec + ru.ru_stime.tv_sec) +
		(double)(ru.ru_utime.tv_usec + ru.ru_stime.tv_usec) * 1e-6,
	    gap, heard, lost, up);
}

static void
cmd_phase(void)
{
	for (int i = 0; i < nses; i++) {
		struct session *s = ses[i];

		s->gone = 0;
		s->gap = 0;
		if (s->fresh != NULL)
			seen_clear(s->fresh);
	}
	say("{\"ev\":\"phase\",\"t\":%.6f}", now());
}

static void
cmd_series(const struct session *s)
{
	printf("{\"ev\":\"series\",\"id\":%d,\"points\":[", s->id);
	for (size_t i = 0; i < s->nseries; i++)
		printf("%s[%.4f,%u]", i > 0 ? "," : "", s->series[i].t,
		    s->series[i].n);
	say("]}");
}

static void
cmd_probe(char *const w[])
{
	probe.from = atoi(w[1]);
	probe.to = atoi(w[2]);
	probe.prefix = (uint32_t)strtoul(w[3], NULL, 0);
	probe.rounds = (uint32_t)strtoul(w[4], NULL, 10);
	probe.pause = strtod(w[5], NULL);
	probe.ms = room(probe.ms, probe.rounds * sizeof *probe.ms);
	probe.round = probe.lost = 0;
	probe.next = 0;
	probe.waiting = false;
	probe.on = true;
}

static void
session_command(struct session *s, char *const w[], int n)
{
	uint32_t v[4] = { 0 };

	for (int i = 2; i < n && i < 6; i++)
		v[i - 2] = (uint32_t)strtoul(w[i], NULL, 0);
	if (strcmp(w[0], "table") == 0) {
		s->table.len = 0;
		make_table(s, v[0], v[1], v[2], v[3]);
	} else if (strcmp(w[0], "load") == 0) {
		s->table.len = 0;
		load_table(s, w[2]);
	} else if (strcmp(w[0], "connect") == 0)
		dial(s);
	else if (strcmp(w[0], "send") == 0) {
		s->pos = 0;
		s->end = s->table.len;
		say("{\"ev\":\"send\",\"id\":%d,\"t\":%.6f}", s->id, now());
		flush(s);
	} else if (strcmp(w[0], "fresh") == 0) {
		s->want_fresh = v[0];
		reached(s);
	} else if (strcmp(w[0], "gone") == 0) {
		s->want_gone = v[0];
		reached(s);
	} else if (strcmp(w[0], "have") == 0) {
		s->want_have = v[0];
		s->watch_have = true;
		reached(s);
	} else if (strcmp(w[0], "count") == 0)
		say("{\"ev\":\"count\",\"id\":%d,\"have\":%zu,\"fresh\":%zu,"
		    "\"gone\":%zu,\"routes\":%llu,\"messages\":%llu}",
		    s->id, s->have ? s->have->count : 0,
		    s->fresh ? s->fresh->count : 0, s->gone,
		    (unsigned long long)s->routes,
		    (unsigned long long)s->messages);
	else if (strcmp(w[0], "series") == 0)
		cmd_series(s);
	else if (strcmp(w[0], "close") == 0) {
		if (s->fd != -1)
			close(s->fd);
		s->fd = -1;
		s->up = false;
		say("{\"ev\":\"closed\",\"id\":%d,\"t\":%.6f}", s->id, now());
	}
}

static void
command(char *line)
{
	char *w[8] = { 0 }, *p = strtok(line, " \n");
	int n = 0, id;

	for (; p != NULL && n < 8; p = strtok(NULL, " \n"))
		w[n++] = p;
	if (n == 0)
		return;
	if (strcmp(w[0], "quit") == 0)
		exit(0);
	if (strcmp(w[0], "stat") == 0)
		cmd_stat();
	else if (strcmp(w[0], "phase") == 0)
		cmd_phase();
	else if (strcmp(w[0], "session") == 0 && n == 6)
		cmd_session(w);
	else if (strcmp(w[0], "probe") == 0 && n == 6)
		cmd_probe(w);
	else if (strcmp(w[0], "kernel") == 0 && n == 2)
		cmd_kernel(w[1]);
	else if (strcmp(w[0], "unprobe") == 0)
		probe.rounds = probe.round;
	else if (strcmp(w[0], "ping") == 0)
		say("{\"ev\":\"pong\",\"t\":%.6f}", now());
	else if (n >= 2 && (id = atoi(w[1])) >= 0 && id < nses)
		session_command(ses[id], w, n);
	else
		say("{\"ev\":\"error\",\"what\":\"command %s\"}", w[0]);
}

static void
commands(void)
{
	static char line[65536];
	static size_t len;
	ssize_t n = read(0, line + len, sizeof line - len - 1);
	char *nl;

	if (n == 0)
		exit(0);
	if (n < 0)
		return;
	len += (size_t)n;
	line[len] = '\0';
	while ((nl = memchr(line, '\n', len)) != NULL) {
		size_t used = (size_t)(nl - line) + 1;

		*nl = '\0';
		command(line);
		memmove(line, line + used, len - used);
		len -= used;
	}
}

static void
tick(void)
{
	double t = now();

	for (int i = 0; i < nses; i++) {
		struct session *s = ses[i];

		if (s->fd == -1 && s->next_dial != 0 && t >= s->next_dial)
			dial(s);
		if (s->fd != -1 && !s->up &&
		    t - s->dialled > PATIENCE_MS / 1000.0)
			redial(s);
		if (s->up && t >= s->next_alive) {
			s->next_alive = t + s->hold / 3.0;
			send_keepalive(s);
		}
	}
}

int
main(void)
{
	struct epoll_event ev[256], e = { .events = EPOLLIN, .data.fd = -1 };
	double next_tick = 0;

	ep = epoll_create1(EPOLL_CLOEXEC);
	fcntl(0, F_SETFL, fcntl(0, F_GETFL) | O_NONBLOCK);
	if (ep == -1 || epoll_ctl(ep, EPOLL_CTL_ADD, 0, &e) == -1)
		die("epoll");
	started = now();
	for (;;) {
		int n = epoll_wait(ep, ev, 256, probe.on ? 1 : 20);

		for (int i = 0; i < n; i++)
			if (ev[i].data.fd == -1)
				commands();
			else if (ev[i].data.fd == KERNEL)
				kernel_news();
			else
				on_io(ses[ev[i].data.fd], ev[i].events);
		if (probe.on)
			probe_send(now());
		if (now() >= next_tick) {
			tick();
			next_tick = now() + 0.02;
		}
	}
}
