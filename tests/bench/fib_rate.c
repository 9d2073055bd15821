/*
 * fib_rate.c -- how fast ana-fibd programs routes, against a bare netlink
 * sender that does nothing else, with the same form of route, in one run.
 *
 *	ip netns exec NAME fib_rate PATH-OF-ANA-FIBD [ROUTES]
 *
 * in a namespace of its own, as root: it adds a link, sets the compat_mode of
 * etc/sysctl.d/50-ana-fibd.conf, and removes every route of protocol 179.
 * The speaker's own client library is on our side of ana-fibd, so what is
 * measured is the whole way to the kernel.  The ratio is that of the CPU times
 * of sender and ana-fibd, each of which is the one that the kernel works in: it
 * holds on a busy machine, too.  The longest single send of the bare sender is
 * what any route may have to wait for while a table grows.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <linux/filter.h>
#include <linux/netlink.h>
#include <linux/nexthop.h>
#include <linux/rtnetlink.h>
#include <net/if.h>

#include "platform/fib.h"

enum {
	BATCH = 1000,
	PROTO = 179,
	MEMBER = 4711,
	GROUP = 4712,
	ROUNDS = 5,
};

static uint32_t routes = 1000000, ifindex;
static const char *fibd;

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* CPU time of a process: on a busy machine the only fair clock. */
static double
cpu(pid_t pid)
{
	struct timespec t = { 0 };
	clockid_t id;

	if (clock_getcpuclockid(pid, &id) == 0)
		clock_gettime(id, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void __attribute__((noreturn)) die(const char *what)
{
	perror(what);
	exit(1);
}

/* ---- the bare sender ---------------------------------------------------- */

struct sender {
	int fd;
	uint32_t seq;
	size_t used, last;
	double longest; /* seconds that a send took */
	uint8_t b[256 * 1024];
};

static void
attr(struct sender *s, struct nlmsghdr *h, uint16_t type, const void *p,
    size_t n)
{
	struct rtattr *a = (void *)((uint8_t *)h + NLMSG_ALIGN(h->nlmsg_len));

	a->rta_type = type;
	a->rta_len = (uint16_t)RTA_LENGTH(n);
	memcpy(RTA_DATA(a), p, n);
	h->nlmsg_len = NLMSG_ALIGN(h->nlmsg_len) + RTA_ALIGN(a->rta_len);
	s->used = (size_t)((uint8_t *)h - s->b) + h->nlmsg_len;
}

static struct nlmsghdr *
message(
    struct sender *s, uint16_t type, uint16_t flags, const void *p, size_t n)
{
	struct nlmsghdr *h = (void *)(s->b + s->used);

	s->last = s->used;
	*h = (struct nlmsghdr){ .nlmsg_len = (uint32_t)NLMSG_LENGTH(n),
		.nlmsg_type = type,
		.nlmsg_flags = NLM_F_REQUEST | flags,
		.nlmsg_seq = ++s->seq };
	memcpy(NLMSG_DATA(h), p, n);
	s->used += NLMSG_ALIGN(h->nlmsg_len);
	return h;
}

/* Sends all; the kernel's word about the last one. */
static int
commit(struct sender *s)
{
	static uint8_t in[65536];
	struct sockaddr_nl to = { .nl_family = AF_NETLINK };
	double t = now();

	((struct nlmsghdr *)(void *)(s->b + s->last))->nlmsg_flags |= NLM_F_ACK;
	if (sendto(s->fd, s->b, s->used, 0, (struct sockaddr *)&to, sizeof to) <
	    0)
		die("send");
	t = now() - t;
	s->longest = t > s->longest ? t : s->longest;
	s->used = 0;
	for (;;) {
		ssize_t n = recv(s->fd, in, sizeof in, 0);
		struct nlmsghdr *h = (void *)in;

		if (n < 0)
			die("recv");
		for (; NLMSG_OK(h, n); h = NLMSG_NEXT(h, n)) {
			const struct nlmsgerr *e = NLMSG_DATA(h);

			if (h->nlmsg_type == NLMSG_ERROR &&
			    (h->nlmsg_seq == s->seq || e->error != 0))
				return e->error;
		}
	}
}

static uint32_t
prefix(uint32_t i)
{
	return htonl((16u << 24) + (i << 8));
}

static void
open_sender(struct sender *s)
{
	int size = 8 * 1024 * 1024;

	s->fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	if (s->fd < 0)
		die("netlink");
	setsockopt(s->fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof size);
	setsockopt(s->fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size);
}

/* Somebody who hears of every route, as ana-fibd must: the kernel builds the
 * news for it, and a filter drops them. */
static int
listener(void)
{
	struct sock_filter none = BPF_STMT(BPF_RET | BPF_K, 0);
	struct sock_fprog prog = { 1, &none };
	struct sockaddr_nl me = { .nl_family = AF_NETLINK,
		.nl_groups = RTMGRP_IPV4_ROUTE };
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

	if (fd < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &prog, sizeof prog) <
		0 ||
	    bind(fd, (struct sockaddr *)&me, sizeof me) < 0)
		die("listener");
	return fd;
}

static double
bare(struct sender *s)
{
	struct nhmsg nm = { .nh_family = AF_INET, .nh_protocol = PROTO };
	struct nexthop_grp g = { .id = MEMBER };
	uint32_t gw = htonl(0x0a000002), id = MEMBER, metric = 20;
	struct nlmsghdr *h;
	double t0;
	int err;

	h = message(
	    s, RTM_NEWNEXTHOP, NLM_F_CREATE | NLM_F_EXCL, &nm, sizeof nm);
	attr(s, h, NHA_ID, &id, 4);
	attr(s, h, NHA_OIF, &ifindex, 4);
	attr(s, h, NHA_GATEWAY, &gw, 4);
	nm.nh_family = AF_UNSPEC;
	id = GROUP;
	h = message(
	    s, RTM_NEWNEXTHOP, NLM_F_CREATE | NLM_F_EXCL, &nm, sizeof nm);
	attr(s, h, NHA_ID, &id, 4);
	attr(s, h, NHA_GROUP, &g, sizeof g);
	if ((err = commit(s)) != 0) {
		fprintf(stderr, "nexthop objects: %s\n", strerror(-err));
		exit(1);
	}
	s->longest = 0;
	t0 = now();
	for (uint32_t i = 0; i < routes; i++) {
		struct rtmsg rtm = { .rtm_family = AF_INET,
			.rtm_dst_len = 24,
			.rtm_table = RT_TABLE_MAIN,
			.rtm_protocol = PROTO,
			.rtm_type = RTN_UNICAST };
		uint32_t dst = prefix(i);

		h = message(s, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, &rtm,
		    sizeof rtm);
		attr(s, h, RTA_DST, &dst, 4);
		attr(s, h, RTA_PRIORITY, &metric, 4);
		attr(s, h, RTA_NH_ID, &id, 4);
		if ((i % BATCH == BATCH - 1 || i == routes - 1) &&
		    (err = commit(s)) != 0) {
			fprintf(stderr, "route: %s\n", strerror(-err));
			exit(1);
		}
	}
	return now() - t0;
}

/* The same routes, one after the other, out again. */
static void
bare_withdraw(struct sender *s)
{
	struct rtmsg rtm = { .rtm_family = AF_INET,
		.rtm_dst_len = 24,
		.rtm_table = RT_TABLE_MAIN,
		.rtm_protocol = PROTO,
		.rtm_scope = RT_SCOPE_NOWHERE };
	uint32_t metric = 20;
	struct nlmsghdr *h;
	int err;

	for (uint32_t i = 0; i < routes; i++) {
		uint32_t dst = prefix(i);

		h = message(s, RTM_DELROUTE, 0, &rtm, sizeof rtm);
		attr(s, h, RTA_DST, &dst, 4);
		attr(s, h, RTA_PRIORITY, &metric, 4);
		if ((i % BATCH == BATCH - 1 || i == routes - 1) &&
		    (err = commit(s)) != 0) {
			fprintf(stderr, "delete: %s\n", strerror(-err));
			exit(1);
		}
	}
}

static void
clean(struct sender *s)
{
	struct nhmsg nm = { 0 };

	for (uint32_t id = GROUP; id >= MEMBER; id--) {
		attr(s, message(s, RTM_DELNEXTHOP, 0, &nm, sizeof nm), NHA_ID,
		    &id, 4);
		commit(s);
	}
}

/* ---- ana-fibd ----------------------------------------------------------- */

static uint32_t done_n, swept, sets;
static bool is_ready;

static void
on_ready(void *arg, const struct fib_ready *r)
{
	is_ready = true;
}

static void
on_down(void *arg, const char *sentence)
{
	fprintf(stderr, "ana-fibd: %s\n", sentence);
	exit(1);
}

static void
on_done(void *arg, const struct pfx *p, bool removed, int err, const char *text)
{
	if (err != 0) {
		fprintf(stderr, "refused: %s\n", text);
		exit(1);
	}
	done_n++;
}

static void
on_set_done(void *arg, uint32_t set, bool dropped, int err, const char *text)
{
	sets++;
}

static void
on_fam_done(void *arg, enum fam f, bool flushed, uint32_t n, int err)
{
	swept++;
}

static const struct fib_events events = { .ready = on_ready,
	.down = on_down,
	.done = on_done,
	.set_done = on_set_done,
	.fam_done = on_fam_done };

static void
turn(struct fib *f)
{
	struct pollfd p = { fib_fd(f),
		(short)(POLLIN | (fib_wants_write(f) ? POLLOUT : 0)), 0 };

	poll(&p, 1, 1000);
	if ((p.revents & POLLOUT) != 0)
		fib_writable(f);
	if ((p.revents & POLLIN) != 0)
		fib_readable(f);
}

static long
resident_kib(pid_t pid)
{
	char path[64], line[128];
	long kib = 0;
	FILE *f;

	snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
	if ((f = fopen(path, "r")) == NULL)
		return 0;
	while (fgets(line, sizeof line, f) != NULL)
		if (sscanf(line, "VmRSS: %ld", &kib) == 1)
			break;
	fclose(f);
	return kib;
}

static pid_t
start(int *fd)
{
	char number[16], n[16];
	int sv[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, sv) < 0)
		die("socketpair");
	snprintf(number, sizeof number, "%d", sv[1]);
	snprintf(n, sizeof n, "%u", routes + 1);
	pid = fork();
	if (pid < 0)
		die("fork");
	if (pid == 0) {
		close(sv[0]);
		execl(fibd, "ana-fibd", "-d", "-i", number, "-n", n, "-U",
		    "nobody", (char *)NULL);
		die(fibd);
	}
	close(sv[1]);
	*fd = sv[0];
	return pid;
}

struct times {
	double add, cpu, move, withdraw; /* the last three: CPU */
	double octets; /* of ana-fibd, a route */
};

static void
through_fibd(struct times *t)
{
	struct fib_hello hello = { .protocol = PROTO,
		.table = RT_TABLE_MAIN,
		.metric = 20,
		.netns = fib_netns() };
	struct fib_nh nh = {
		.addr = addr_v4(0x0a000002), .ifindex = ifindex, .weight = 1
	};
	long empty;
	struct fib *f;
	double t0;
	pid_t pid;
	int fd;

	pid = start(&fd);
	f = fib_open_fd(fd, &events, NULL);
	is_ready = false;
	done_n = swept = sets = 0;
	f->ops->hello(f, &hello);
	while (!is_ready)
		turn(f);
	empty = resident_kib(pid);
	f->ops->nhset(f, 1, &nh, 1);
	t->cpu = -cpu(pid);
	t0 = now();
	for (uint32_t i = 0; i < routes;) {
		struct pfx p = { .addr = addr_v4(ntohl(prefix(i))), .len = 24 };

		if (f->ops->replace(f, &p, 1) == 0)
			i++;
		else
			turn(f);
	}
	while (done_n < routes)
		turn(f);
	t->add = now() - t0;
	t->cpu += cpu(pid);
	t->octets = (double)(resident_kib(pid) - empty) * 1024 / routes;
	t->move = -cpu(pid);
	nh.addr = addr_v4(0x0a000003);
	f->ops->nhset(f, 1, &nh, 1);
	while (sets < 2)
		turn(f);
	t->move += cpu(pid);
	t->withdraw = -cpu(pid);
	for (uint32_t i = 0; i < routes;) {
		struct pfx p = { .addr = addr_v4(ntohl(prefix(i))), .len = 24 };

		if (f->ops->remove(f, &p) == 0)
			i++;
		else
			turn(f);
	}
	while (done_n < 2 * routes)
		turn(f);
	t->withdraw += cpu(pid);
	f->ops->flush(f, FAM_INET);
	while (swept == 0)
		turn(f);
	fib_close(f);
	waitpid(pid, NULL, 0);
}

/* The best round of each: whatever else the machine did came on top. */
struct cpu {
	double bare, fibd;
};

static void
note(struct cpu *c, double bare_s, double fibd_s)
{
	c->bare = c->bare == 0 || bare_s < c->bare ? bare_s : c->bare;
	c->fibd = c->fibd == 0 || fibd_s < c->fibd ? fibd_s : c->fibd;
}

int
main(int argc, char **argv)
{
	static struct sender s;
	struct cpu add = { 0 }, heard = { 0 }, out = { 0 };

	if (argc < 2 || argc > 3) {
		fprintf(stderr, "usage: fib_rate ana-fibd [routes]\n");
		return 2;
	}
	fibd = argv[1];
	if (argc == 3)
		routes = (uint32_t)strtoul(argv[2], NULL, 10);
	if (routes == 0 || routes > 1000000) {
		fprintf(stderr, "fib_rate: 1 to 1000000 routes\n");
		return 2;
	}
	if (system("ip link add bench0 type veth peer name bench1 && "
		   "sysctl -qw net.ipv4.nexthop_compat_mode=0 && "
		   "ip link set bench0 up && ip link set bench1 up && "
		   "ip addr add 10.0.0.1/24 dev bench0") != 0)
		return 1;
	ifindex = if_nametoindex("bench0");
	open_sender(&s);
	for (int i = 0; i < ROUNDS; i++) {
		struct times t;
		double b, c = -cpu(0), h, w;
		double longest;
		int fd;

		b = bare(&s);
		c += cpu(0);
		longest = s.longest;
		w = -cpu(0);
		bare_withdraw(&s);
		w += cpu(0);
		clean(&s);
		fd = listener();
		h = -cpu(0);
		bare(&s);
		h += cpu(0);
		clean(&s);
		close(fd);
		through_fibd(&t);
		printf("bare %.2f s (CPU %.2f; %.2f while somebody listens to "
		       "routes; longest send %.0f ms), ana-fibd %.2f s (CPU "
		       "%.2f); %.1f octets a "
		       "route; set changed in %.1f ms; withdrawn: CPU %.2f, "
		       "ana-fibd %.2f\n",
		    b, c, h, longest * 1e3, t.add, t.cpu, t.octets,
		    t.move * 1e3, w, t.withdraw);
		fflush(stdout);
		note(&add, c, t.cpu);
		note(&heard, h, t.cpu);
		note(&out, w, t.withdraw);
	}
	printf("%u routes; ratio %.2f, %.2f of a sender with a listener; "
	       "withdrawn %.2f\n",
	    routes, add.bare / add.fibd, heard.bare / heard.fibd,
	    out.bare / out.fibd);
	return 0;
}
