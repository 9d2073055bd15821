/* The client over a socket pair whose other end plays ana-fibd. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "platform/fib.h"
#include "platform/fibd_proto.h"

static char told[8192];
static unsigned int ndone, nroom;
static int listener_fd;

static void
note(const char *fmt, ...)
{
	size_t n = strlen(told);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(told + n, sizeof told - n, fmt, ap);
	va_end(ap);
}

static void
on_ready(void *arg, const struct fib_ready *r)
{
	note("ready %u %u %u;", r->adopted[FAM_INET], r->adopted[FAM_INET6],
	    r->port);
}

static void
on_down(void *arg, const char *why)
{
	note("down %s;", why);
}

static void
on_done(void *arg, const struct pfx *p, bool removed, int err, const char *text)
{
	char b[PFX_STRLEN];

	ndone++;
	if (ndone < 10)
		note("%s %s %d %s;", removed ? "del" : "add",
		    pfx_print(p, b, sizeof b), err, text);
}

static void
on_set_done(void *arg, uint32_t set, bool dropped, int err, const char *text)
{
	note("%s %u %d %s;", dropped ? "drop" : "set", set, err, text);
}

static void
on_fam_done(void *arg, enum fam fam, bool flushed, uint32_t n, int err)
{
	note("%s %d %u;", flushed ? "flush" : "end", fam, n);
}

static void
on_nh_state(void *arg, const struct addr *a, bool reachable, uint32_t ifindex,
    const struct addr *via)
{
	char b[ADDR_STRLEN];

	note("nh %s %d %u;", addr_print(a, b, sizeof b), reachable, ifindex);
}

static void
on_link(void *arg, const struct fib_link *l)
{
	note("link %u %s %d%d%d %u;", l->ifindex, l->name, l->up, l->carrier,
	    l->gone, l->speed_mbps);
}

static void
on_traffic(void *arg, const struct fib_traffic *t)
{
	note("traffic %u %llu %llu %llu;", t->ifindex,
	    (unsigned long long)t->at_ms, (unsigned long long)t->rx_octets,
	    (unsigned long long)t->tx_octets);
}

static void
on_usage(void *arg, const struct fib_usage *u)
{
	note("usage %llu %llu %llu %llu;", (unsigned long long)u->cpu_us,
	    (unsigned long long)u->start_s, (unsigned long long)u->virtual,
	    (unsigned long long)u->resident);
}

static void
on_addr(void *arg, uint32_t ifindex, const struct addr *a, unsigned int len,
    bool added)
{
	char b[ADDR_STRLEN];

	note("addr %u %s/%u %d;", ifindex, addr_print(a, b, sizeof b), len,
	    added);
}

static void
on_state(void *arg, const struct pfx *p, enum fib_state s)
{
	char b[PFX_STRLEN];

	note("state %s %d;", pfx_print(p, b, sizeof b), s);
}

static void
on_overrun(void *arg)
{
	note("overrun;");
}

static void
on_room(void *arg)
{
	nroom++;
}

static void
on_listener(
    void *arg, const struct addr *a, uint32_t ifindex, int fd, const char *text)
{
	char b[ADDR_STRLEN];

	note("listener %s %s %s;", addr_print(a, b, sizeof b),
	    fd >= 0 ? "ok" : strerror(-fd), text);
	listener_fd = fd;
}

static const struct fib_events events = {
	.ready = on_ready,
	.down = on_down,
	.done = on_done,
	.set_done = on_set_done,
	.fam_done = on_fam_done,
	.nh_state = on_nh_state,
	.link = on_link,
	.traffic = on_traffic,
	.usage = on_usage,
	.addr = on_addr,
	.state = on_state,
	.overrun = on_overrun,
	.room = on_room,
	.listener = on_listener,
};

struct pair {
	struct fib *f;
	int fd; /* ana-fibd's end */
	unsigned char in[FIBD_DGRAM_MAX + 1];
	size_t n;
};

static struct pair pair;

static void
open_pair(void)
{
	static const struct fib_hello hello = { .protocol = 179,
		.table = 254,
		.metric = 20,
		.keep_s = 60,
		.netns = 4711 };
	int fd[2];

	told[0] = '\0';
	ndone = nroom = 0;
	assert_int_equal(
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, fd), 0);
	pair.fd = fd[1];
	pair.f = fib_open_fd(fd[0], &events, NULL);
	assert_int_equal(pair.f->ops->hello(pair.f, &hello), 0);
}

static void
close_pair(void)
{
	fib_close(pair.f);
	if (pair.fd >= 0)
		close(pair.fd);
}

/* One datagram of the client's. */
static const void *
take(void)
{
	ssize_t n = recv(pair.fd, pair.in, sizeof pair.in, MSG_DONTWAIT);

	pair.n = n < 0 ? 0 : (size_t)n;
	return n > 0 ? pair.in : NULL;
}

static void
give(const void *rec, size_t n)
{
	assert_int_equal(send(pair.fd, rec, n, 0), (ssize_t)n);
	fib_readable(pair.f);
}

#define REC(t, kind, number) \
	t r = { .h = { FIBD_VERSION, kind, sizeof(t), number } }

static void
upto(uint32_t seq)
{
	REC(struct fibd_upto, FIBD_DONE_UPTO, seq);
	give(&r, sizeof r);
}

static void
failed(uint32_t seq, int err, const char *text)
{
	REC(struct fibd_done, FIBD_DONE, seq);
	r.err = err;
	snprintf(r.text, sizeof r.text, "%s", text);
	give(&r, sizeof r);
}

static void
test_hello(void **state)
{
	const struct fibd_hello *h;
	REC(struct fibd_ready, FIBD_READY, 1);

	open_pair();
	assert_true(fib_wants_write(pair.f));
	fib_writable(pair.f);
	assert_false(fib_wants_write(pair.f));
	h = take();
	assert_non_null(h);
	assert_int_equal(pair.n, sizeof *h);
	assert_int_equal(h->h.version, FIBD_VERSION);
	assert_int_equal(h->h.seq, 1);
	assert_int_equal(h->netns, 4711);
	assert_int_equal(h->table, 254);
	assert_int_equal(h->src4.fam, FAM_NONE);
	r.adopted4 = 5;
	r.adopted6 = 7;
	r.port = 179;
	give(&r, sizeof r);
	assert_string_equal(told, "ready 5 7 179;");
	close_pair();
}

static void
test_refused(void **state)
{
	struct pfx p;
	REC(struct fibd_ready, FIBD_READY, 1);

	open_pair();
	r.err = EPERM;
	snprintf(r.text, sizeof r.text, "protocol 12 is not ours");
	give(&r, sizeof r);
	assert_string_equal(
	    told, "down ana-fibd refuses: protocol 12 is not ours;");
	pfx_parse("192.0.2.0/24", &p);
	assert_int_equal(pair.f->ops->replace(pair.f, &p, 1), -ENOTCONN);
	assert_false(fib_wants_write(pair.f));
	close(pair.fd);
	pair.fd = -1;
	fib_readable(pair.f); /* told once only */
	assert_string_equal(
	    told, "down ana-fibd refuses: protocol 12 is not ours;");
	close_pair();
}

/* Failures are told before the rest, answers come in order all the same. */
static void
test_order(void **state)
{
	struct fib_nh nh = { .ifindex = 3 };
	struct pfx a, b;

	open_pair();
	addr_parse("10.0.0.1", &nh.addr);
	pfx_parse("192.0.2.0/24", &a);
	pfx_parse("2001:db8::/32", &b);
	pair.f->ops->nhset(pair.f, 9, &nh, 1); /* 2 */
	pair.f->ops->replace(pair.f, &a, 9); /* 3 */
	pair.f->ops->watch(pair.f, &nh.addr, 0); /* 4: no answer of it */
	pair.f->ops->replace(pair.f, &b, 9); /* 5 */
	pair.f->ops->remove(pair.f, &a); /* 6 */
	pair.f->ops->nhset_drop(pair.f, 9); /* 7 */
	fib_writable(pair.f);
	assert_non_null(take());
	assert_int_equal(pair.n,
	    sizeof(struct fibd_hello) + sizeof(struct fibd_nhset) +
		2 * sizeof(struct fibd_route) + 2 * sizeof(struct fibd_req) +
		sizeof(struct fibd_nhset_drop));
	failed(5, EPERM, "martian");
	failed(5, EINVAL, "twice");
	failed(4, EINVAL, "nobody waits for it");
	failed(99, EINVAL, "never asked");
	assert_string_equal(told, "");
	upto(4);
	assert_string_equal(told, "set 9 0 ;add 192.0.2.0/24 0 ;");
	upto(6);
	assert_string_equal(told,
	    "set 9 0 ;add 192.0.2.0/24 0 ;"
	    "add 2001:db8::/32 1 martian;del 192.0.2.0/24 0 ;");
	failed(7, EBUSY, "used");
	told[0] = '\0';
	close_pair(); /* frees what nobody was told */
}

static void
test_full(void **state)
{
	unsigned int asked = 0, seen = 1;
	struct pfx p;
	int err;

	open_pair();
	pfx_parse("192.0.2.0/24", &p);
	while ((err = pair.f->ops->replace(pair.f, &p, 1)) == 0)
		asked++;
	assert_int_equal(err, -EAGAIN);
	/* Some datagrams, and not so many that a change waits long for them. */
	assert_in_range(asked, 4 * 64, 1024);
	/* Batches of 64, nothing lost, numbers in order. */
	while (fib_wants_write(pair.f)) {
		size_t at = 0;

		fib_writable(pair.f);
		while (take() != NULL)
			for (at = 0; at < pair.n;) {
				struct fibd_hdr h;

				memcpy(&h, pair.in + at, sizeof h);
				assert_int_equal(h.seq, seen++);
				assert_in_range(pair.n, 1,
				    64 * sizeof(struct fibd_route) + 200);
				at += h.size;
			}
	}
	assert_int_equal(seen, asked + 2);
	assert_int_equal(nroom, 0);
	upto(asked / 4);
	assert_int_equal(nroom, 0);
	upto(asked + 1);
	assert_int_equal(ndone, asked);
	assert_int_equal(nroom, 1);
	assert_int_equal(pair.f->ops->replace(pair.f, &p, 1), 0);
	close_pair();
}

static void
test_events(void **state)
{
	struct {
		struct fibd_link link;
		struct fibd_addr_ev addr;
		struct fibd_nh_state nh;
		struct fibd_state st;
		struct fibd_fam_done fam;
		struct fibd_upto over;
		struct fibd_traffic traffic;
		struct fibd_usage usage;
	} d = {
		.link = { .h = { 1, FIBD_LINK, sizeof d.link, 0 },
		    .ifindex = 3,
		    .speed_mbps = 10000,
		    .up = 1,
		    .carrier = 1 },
		.addr = { .h = { 1, FIBD_ADDR, sizeof d.addr, 0 },
		    .a = { .fam = FAM_INET,
			.len = 24,
			.ifindex = 3,
			.o = { 10, 1, 2, 3 } },
		    .added = 1 },
		.nh = { .h = { 1, FIBD_NH_STATE, sizeof d.nh, 0 },
		    .a = { .fam = FAM_INET6,
			.ifindex = 3,
			.o = { 0xfe, 0x80 } },
		    .reachable = 1 },
		.st = { .h = { 1, FIBD_STATE, sizeof d.st, 0 },
		    .a = { .fam = FAM_INET, .len = 8, .o = { 11 } },
		    .what = FIB_PUTBACK },
		.fam = { .h = { 1, FIBD_FAM_DONE, sizeof d.fam, 0 },
		    .fam = FAM_INET6,
		    .removed = 12 },
		.over = { .h = { 1, FIBD_OVERRUN, sizeof d.over, 0 } },
		.traffic = { .h = { 1, FIBD_TRAFFIC, sizeof d.traffic, 0 },
		    .ifindex = 3,
		    .at_ms = 5,
		    .rx_octets = 1ULL << 40,
		    .tx_octets = 7 },
		.usage = { .h = { 1, FIBD_USAGE, sizeof d.usage, 0 },
		    .cpu_us = 1,
		    .start_s = 2,
		    .virtual = 3,
		    .resident = 1ULL << 40 },
	};

	open_pair();
	memset(d.link.name, 'e', sizeof d.link.name); /* not terminated */
	give(&d, sizeof d);
	assert_string_equal(told,
	    "link 3 eeeeeeeeeeeeeee 110 10000;"
	    "addr 3 10.1.2.3/24 1;nh fe80:: 1 3;state 11.0.0.0/8 3;"
	    "end 2 12;overrun;traffic 3 5 1099511627776 7;"
	    "usage 1 2 3 1099511627776;");
	close_pair();
}

static void
send_fd(int fd)
{
	REC(struct fibd_listener, FIBD_LISTENER, 2);
	union {
		char b[CMSG_SPACE(sizeof fd)];
		struct cmsghdr align;
	} u = { { 0 } };
	struct iovec iov = { &r, sizeof r };
	struct msghdr m = { .msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = u.b,
		.msg_controllen = sizeof u.b };
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);

	r.a.fam = FAM_INET;
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof fd);
	memcpy(CMSG_DATA(c), &fd, sizeof fd);
	assert_int_equal(sendmsg(pair.fd, &m, 0), (ssize_t)sizeof r);
	fib_readable(pair.f);
}

static void
test_listener(void **state)
{
	REC(struct fibd_listener, FIBD_LISTENER, 2);
	int fd[2];
	char c = 'x';

	open_pair();
	assert_int_equal(pipe(fd), 0);
	send_fd(fd[1]);
	close(fd[1]);
	assert_string_equal(told, "listener 0.0.0.0 ok ;");
	assert_int_equal(write(listener_fd, &c, 1), 1);
	assert_int_equal(read(fd[0], &c, 1), 1);
	close(listener_fd);
	close(fd[0]);
	told[0] = '\0';
	r.a.fam = FAM_INET;
	r.err = EADDRINUSE;
	snprintf(r.text, sizeof r.text, "port 179 is taken");
	give(&r, sizeof r);
	assert_string_equal(
	    told, "listener 0.0.0.0 Address already in use port 179 is taken;");
	close_pair();
}

static void
test_bad_peer(void **state)
{
	static const struct {
		struct fibd_hdr h;
		const char *why;
	} bad[] = {
		{ { 9, FIBD_OVERRUN, sizeof(struct fibd_upto), 0 }, "release" },
		{ { FIBD_VERSION, 200, sizeof(struct fibd_upto), 0 },
		    "release" },
		{ { FIBD_VERSION, FIBD_OVERRUN, 0, 0 }, "release" },
		{ { FIBD_VERSION, FIBD_STATE, sizeof(struct fibd_upto), 0 },
		    "release" },
		{ { FIBD_VERSION, FIBD_STATE, sizeof(struct fibd_state), 0 },
		    "release" },
	};

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		open_pair();
		give(&bad[i].h, sizeof bad[i].h);
		assert_non_null(strstr(told, bad[i].why));
		close_pair();
	}
	open_pair();
	close(pair.fd);
	pair.fd = -1;
	fib_writable(pair.f);
	fib_readable(pair.f);
	assert_string_equal(told, "down ana-fibd has closed the connection;");
	close_pair();
}

/* Whatever arrives, it ends in nothing worse than down(). */
static void
test_random(void **state)
{
	unsigned int seed = (unsigned int)getpid();
	const char *env = getenv("SEED");

	if (env != NULL)
		seed = (unsigned int)strtoul(env, NULL, 10);
	print_message("# seed %u\n", seed);
	srandom(seed);
	for (int round = 0; round < 300; round++) {
		unsigned char b[700];
		size_t n = 0;

		open_pair();
		for (int k = 0; k < 4; k++) {
			unsigned int type = 60 + (unsigned int)random() % 16;
			struct fibd_hdr h = { FIBD_VERSION, (uint8_t)type,
				fibd_size(type), (uint32_t)random() % 8 };
			size_t m = h.size > 0 ? h.size : sizeof h;

			if (n + m > sizeof b)
				break;
			for (size_t i = 0; i < m; i++)
				b[n + i] = (unsigned char)random();
			memcpy(b + n, &h, sizeof h);
			n += m;
		}
		if (n > 0)
			give(b, n);
		if (listener_fd > 2)
			listener_fd = -1;
		close_pair();
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hello),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_full),
		cmocka_unit_test(test_events),
		cmocka_unit_test(test_listener),
		cmocka_unit_test(test_bad_peer),
		cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
