#include "platform/fibd/nlroute.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/nexthop.h>
#include <linux/rtnetlink.h>

#include <netlink/attr.h>
#include <netlink/errno.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>

#include "lib/mem.h"
#include "platform/fibd_proto.h"

enum {
	SEND_MAX = 256 * 1024,
	MSG_MAX = 4096, /* one request with 16 plain next hops fits well */
	RECV_MAX = 256 * 1024,
	/* A failure costs an skb of some 1.3 KiB of the receive buffer. */
	RCVBUF = 8 * 1024 * 1024,
	SNDBUF = 4 * 1024 * 1024,
	DUMP_TRIES = 4,
	TEXT_MAX = 96,
	WAIT_MS = 10000,
	GROW_MIN = 1024, /* batches without a loss before they may be larger */
	GROW_MAX = 1024 * 1024,
};

/* What a million routes have in common: all but prefix and number. */
#define LIKE_DEL 0xff /* beside enum nlroute_how */

struct like {
	uint32_t table, metric, nhid;
	uint8_t protocol, fam, how;
	struct addr src;
};

/* A dump that takes its time. */
struct walk {
	struct nl_sock *sk;
	uint32_t seq, table;
	uint8_t protocol;
};

struct nlroute {
	struct nl_sock *sk;
	struct walk walk;
	struct nl_msg *msg; /* one, built in again and again */
	uint32_t seq; /* of the next request */
	uint32_t first; /* of the batch */
	uint32_t n;
	uint32_t limit; /* requests in a batch */
	uint32_t good, grow_after; /* batches since it changed */
	size_t last; /* where the last request begins */
	size_t used;
	size_t like_at, like_len; /* a route in the batch; 0 octets: none */
	struct like like;
	uint32_t tag[NLROUTE_BATCH];
	int err[NLROUTE_BATCH];
	char text[NLROUTE_BATCH][TEXT_MAX];
	uint8_t send[SEND_MAX];
	uint8_t recv[RECV_MAX] __attribute__((aligned(8)));
};

static int
af(enum fam f)
{
	return f == FAM_INET ? AF_INET : AF_INET6;
}

static int
addr_len(const struct addr *a)
{
	return (int)fam_bits(a->fam) / 8;
}

/* A limit of the system does not bind us: we may exceed it. */
static int
buffers(int fd, int rcvbuf)
{
	int rcv = rcvbuf > 0 ? rcvbuf : RCVBUF, snd = SNDBUF, one = 1;

	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &rcv, sizeof rcv) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &snd, sizeof snd) < 0 ||
	    setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &one, sizeof one) <
		0 ||
	    setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, &one, sizeof one) < 0)
		return -errno;
	/* Without it (before 4.20) dumps are filtered here alone. */
	(void)setsockopt(
	    fd, SOL_NETLINK, NETLINK_GET_STRICT_CHK, &one, sizeof one);
	return 0;
}

static int
connect_to(struct nl_sock *sk, int rcvbuf)
{
	return nl_connect(sk, NETLINK_ROUTE) < 0
	    ? -EIO
	    : buffers(nl_socket_get_fd(sk), rcvbuf);
}

int
nlroute_open(struct nlroute **out, int rcvbuf)
{
	struct nlroute *nl = mem_alloc(sizeof *nl);
	int err;

	nl->sk = nl_socket_alloc();
	nl->walk.sk = nl_socket_alloc();
	nl->msg = nlmsg_alloc_size(MSG_MAX);
	if (nl->sk == NULL || nl->walk.sk == NULL || nl->msg == NULL)
		mem_none(MSG_MAX);
	err = connect_to(nl->sk, rcvbuf);
	if (err == 0)
		err = connect_to(nl->walk.sk, rcvbuf);
	if (err < 0) {
		nlroute_close(nl);
		return err;
	}
	nl->seq = 1;
	nl->limit = NLROUTE_BATCH;
	nl->grow_after = GROW_MIN;
	*out = nl;
	return 0;
}

void
nlroute_close(struct nlroute *nl)
{
	if (nl == NULL)
		return;
	nlmsg_free(nl->msg);
	nl_socket_free(nl->sk);
	nl_socket_free(nl->walk.sk);
	free(nl);
}

uint32_t
nlroute_portid(const struct nlroute *nl)
{
	return nl_socket_get_local_port(nl->sk);
}

bool
nlroute_full(const struct nlroute *nl)
{
	return nl->n + 2 > nl->limit || nl->used + 2 * MSG_MAX > SEND_MAX;
}

/* Begins a request in the one message, over whatever was in it. */
static void *
begin(struct nlroute *nl, uint16_t type, uint16_t flags, size_t body)
{
	struct nlmsghdr *h = nlmsg_hdr(nl->msg);
	void *p;

	h->nlmsg_len = NLMSG_HDRLEN;
	h = nlmsg_put(nl->msg, nlroute_portid(nl), nl->seq++, type, (int)body,
	    NLM_F_REQUEST | flags);
	p = nlmsg_data(h);
	memset(p, 0, body);
	return p;
}

static void
must(int err)
{
	if (err < 0)
		mem_none(MSG_MAX); /* cannot be: MSG_MAX bounds them all */
}

static void
queue(struct nlroute *nl, uint32_t tag)
{
	struct nlmsghdr *h = nlmsg_hdr(nl->msg);

	if (nl->n == 0)
		nl->first = h->nlmsg_seq;
	nl->last = nl->used;
	memcpy(nl->send + nl->used, h, h->nlmsg_len);
	nl->used += NLMSG_ALIGN(h->nlmsg_len);
	nl->tag[nl->n] = tag;
	nl->err[nl->n] = -1;
	nl->text[nl->n][0] = '\0';
	nl->n++;
}

static void
put_addr(struct nlroute *nl, int attr, const struct addr *a)
{
	must(nla_put(nl->msg, attr, addr_len(a), a->o));
}

/* RFC 8950: an IPv4 route's next hop may be IPv6. */
static void
put_gateway(struct nlroute *nl, const struct nh *nh, enum fam route_fam)
{
	struct {
		uint16_t af;
		uint8_t o[16];
	} via = { .af = (uint16_t)af(nh->addr.fam) };

	if (nh->addr.fam == route_fam) {
		put_addr(nl, RTA_GATEWAY, &nh->addr);
		return;
	}
	memcpy(via.o, nh->addr.o, sizeof via.o);
	must(nla_put(nl->msg, RTA_VIA, 2 + addr_len(&nh->addr), &via));
}

static void
put_multipath(struct nlroute *nl, const struct nlroute_route *r)
{
	struct nlattr *nest = nla_nest_start(nl->msg, RTA_MULTIPATH);

	for (int i = 0; i < r->n; i++) {
		const struct nh *nh = &r->nh[i];
		struct rtnexthop *rt;
		size_t before = nlmsg_hdr(nl->msg)->nlmsg_len;

		rt = nlmsg_reserve(nl->msg, sizeof *rt, NLMSG_ALIGNTO);
		if (nest == NULL || rt == NULL)
			mem_none(MSG_MAX);
		memset(rt, 0, sizeof *rt);
		rt->rtnh_ifindex = (int)nh->ifindex;
		rt->rtnh_hops = (uint8_t)(nh->weight - 1);
		rt->rtnh_flags =
		    (nh->flags & FIBD_NH_ONLINK) != 0 ? RTNH_F_ONLINK : 0;
		put_gateway(nl, nh, r->pfx.addr.fam);
		rt->rtnh_len =
		    (uint16_t)(nlmsg_hdr(nl->msg)->nlmsg_len - before);
	}
	nla_nest_end(nl->msg, nest);
}

static void
put_next_hops(
    struct nlroute *nl, struct rtmsg *rtm, const struct nlroute_route *r)
{
	if (r->nhid != 0)
		must(nla_put_u32(nl->msg, RTA_NH_ID, r->nhid));
	else if (r->n == 1) {
		if ((r->nh[0].flags & FIBD_NH_ONLINK) != 0)
			rtm->rtm_flags |= RTNH_F_ONLINK;
		put_gateway(nl, &r->nh[0], r->pfx.addr.fam);
		must(nla_put_u32(nl->msg, RTA_OIF, r->nh[0].ifindex));
	} else
		put_multipath(nl, r);
}

static struct rtmsg *
begin_route(struct nlroute *nl, uint16_t type, uint16_t flags,
    const struct nlroute_route *r)
{
	struct rtmsg *rtm = begin(nl, type, flags, sizeof *rtm);

	rtm->rtm_family = (uint8_t)af(r->pfx.addr.fam);
	rtm->rtm_dst_len = r->pfx.len;
	rtm->rtm_table =
	    r->table < 256 ? (uint8_t)r->table : (uint8_t)RT_TABLE_UNSPEC;
	rtm->rtm_protocol = r->protocol;
	put_addr(nl, RTA_DST, &r->pfx.addr);
	if (r->table >= 256)
		must(nla_put_u32(nl->msg, RTA_TABLE, r->table));
	must(nla_put_u32(nl->msg, RTA_PRIORITY, r->metric));
	return rtm;
}

static bool
same_like(const struct like *a, const struct like *b)
{
	return a->nhid == b->nhid && a->table == b->table &&
	    a->metric == b->metric && a->protocol == b->protocol &&
	    a->fam == b->fam && a->how == b->how && addr_eq(&a->src, &b->src);
}

/* What was queued last is what the next ones may be like. */
static void
keep_like(struct nlroute *nl, const struct like *like)
{
	nl->like = *like;
	nl->like_at = nl->last;
	nl->like_len = nlmsg_hdr(nl->msg)->nlmsg_len;
}

/* A copy of the one before, with another prefix: RTA_DST stands first. */
static void
add_like(struct nlroute *nl, const struct pfx *p, uint32_t tag)
{
	struct nlmsghdr *h = (struct nlmsghdr *)(void *)(nl->send + nl->used);
	struct rtmsg *rtm;

	memcpy(h, nl->send + nl->like_at, nl->like_len);
	h->nlmsg_seq = nl->seq++;
	rtm = nlmsg_data(h);
	rtm->rtm_dst_len = p->len;
	memcpy(nla_data(nlmsg_attrdata(h, sizeof *rtm)), p->addr.o,
	    (size_t)addr_len(&p->addr));
	nl->last = nl->used;
	nl->used += NLMSG_ALIGN(nl->like_len);
	nl->tag[nl->n] = tag;
	nl->err[nl->n] = -1;
	nl->text[nl->n][0] = '\0';
	nl->n++;
}

void
nlroute_add(struct nlroute *nl, const struct nlroute_route *r,
    enum nlroute_how how, uint32_t tag)
{
	struct like like = { .table = r->table,
		.metric = r->metric,
		.nhid = r->nhid,
		.protocol = r->protocol,
		.fam = r->pfx.addr.fam,
		.how = (uint8_t)how,
		.src = r->src };
	struct rtmsg *rtm;

	if (nl->like_len > 0 && r->nhid != 0 && same_like(&nl->like, &like)) {
		add_like(nl, &r->pfx, tag);
		return;
	}
	rtm = begin_route(nl, RTM_NEWROUTE,
	    how == NLROUTE_EXCL ? NLM_F_CREATE | NLM_F_EXCL : NLM_F_REPLACE, r);
	rtm->rtm_scope = RT_SCOPE_UNIVERSE;
	rtm->rtm_type = RTN_UNICAST;
	if (r->src.fam != FAM_NONE)
		put_addr(nl, RTA_PREFSRC, &r->src);
	put_next_hops(nl, rtm, r);
	queue(nl, tag);
	keep_like(nl, &like);
}

/* Protocol, table and metric are always named: no other's can be meant. */
void
nlroute_del(struct nlroute *nl, const struct nlroute_route *r, uint32_t tag)
{
	struct like like = { .table = r->table,
		.metric = r->metric,
		.protocol = r->protocol,
		.fam = r->pfx.addr.fam,
		.how = LIKE_DEL };

	if (nl->like_len > 0 && same_like(&nl->like, &like)) {
		add_like(nl, &r->pfx, tag);
		return;
	}
	begin_route(nl, RTM_DELROUTE, 0, r)->rtm_scope = RT_SCOPE_NOWHERE;
	queue(nl, tag);
	keep_like(nl, &like);
}

void
nlroute_member(struct nlroute *nl, uint32_t id, uint8_t protocol,
    const struct nh *nh, uint32_t tag)
{
	struct nhmsg *m =
	    begin(nl, RTM_NEWNEXTHOP, NLM_F_CREATE | NLM_F_EXCL, sizeof *m);

	m->nh_family = (uint8_t)af(nh->addr.fam);
	m->nh_protocol = protocol;
	if ((nh->flags & FIBD_NH_ONLINK) != 0)
		m->nh_flags = RTNH_F_ONLINK;
	must(nla_put_u32(nl->msg, NHA_ID, id));
	must(nla_put_u32(nl->msg, NHA_OIF, nh->ifindex));
	put_addr(nl, NHA_GATEWAY, &nh->addr);
	queue(nl, tag);
}

void
nlroute_group(struct nlroute *nl, const struct nlroute_object *o,
    enum nlroute_how how, uint32_t tag)
{
	struct nexthop_grp g[NLROUTE_NH] = { { 0 } };
	struct nhmsg *m = begin(nl, RTM_NEWNEXTHOP,
	    how == NLROUTE_EXCL ? NLM_F_CREATE | NLM_F_EXCL : NLM_F_REPLACE,
	    sizeof *m);

	m->nh_family = AF_UNSPEC;
	m->nh_protocol = o->protocol;
	for (int i = 0; i < o->n; i++) {
		g[i].id = o->member[i];
		g[i].weight = (uint8_t)(o->weight[i] - 1);
	}
	must(nla_put_u32(nl->msg, NHA_ID, o->id));
	must(nla_put(nl->msg, NHA_GROUP, (int)(o->n * sizeof g[0]), g));
	queue(nl, tag);
}

void
nlroute_object_del(struct nlroute *nl, uint32_t id, uint32_t tag)
{
	struct nhmsg *m = begin(nl, RTM_DELNEXTHOP, 0, sizeof *m);

	m->nh_family = AF_UNSPEC;
	must(nla_put_u32(nl->msg, NHA_ID, id));
	queue(nl, tag);
}

/* One datagram from the kernel; length, 0: nothing there, or -errno. */
static ssize_t
receive(struct nlroute *nl, const struct nl_sock *sk, int wait_ms)
{
	int fd = nl_socket_get_fd(sk);

	for (;;) {
		struct sockaddr_nl from;
		socklen_t len = sizeof from;
		struct pollfd p = { .fd = fd, .events = POLLIN };
		ssize_t n;

		n = recvfrom(fd, nl->recv, sizeof nl->recv, MSG_DONTWAIT,
		    (struct sockaddr *)&from, &len);
		if (n >= 0 && from.nl_pid == 0)
			return n;
		if (n >= 0 || errno == EINTR)
			continue; /* not the kernel: no business of ours */
		if (errno != EAGAIN)
			return -errno;
		if (wait_ms == 0 || poll(&p, 1, wait_ms) == 0)
			return 0;
	}
}

/* The kernel's own words about a failure. */
static void
ext_text(const struct nlmsghdr *h, char *text)
{
	static const struct nla_policy policy[NLMSGERR_ATTR_MAX + 1] = {
		[NLMSGERR_ATTR_MSG] = { .type = NLA_STRING },
	};
	struct nlattr *tb[NLMSGERR_ATTR_MAX + 1];
	struct nlmsghdr *m = (struct nlmsghdr *)(uintptr_t)h;

	text[0] = '\0';
	if ((h->nlmsg_flags & NLM_F_ACK_TLVS) == 0 ||
	    (h->nlmsg_flags & NLM_F_CAPPED) == 0)
		return;
	if (nlmsg_parse(m, sizeof(struct nlmsgerr), tb, NLMSGERR_ATTR_MAX,
		policy) < 0 ||
	    tb[NLMSGERR_ATTR_MSG] == NULL)
		return;
	strlcpy(text, nla_get_string(tb[NLMSGERR_ATTR_MSG]), TEXT_MAX);
}

/* True: the last answer was among them. */
static bool
answers(struct nlroute *nl, size_t n)
{
	struct nlmsghdr *h = (struct nlmsghdr *)(void *)nl->recv;
	int left = (int)n;
	bool last = false;

	for (; nlmsg_ok(h, left); h = nlmsg_next(h, &left)) {
		const struct nlmsgerr *e = nlmsg_data(h);
		uint32_t i = h->nlmsg_seq - nl->first;

		if (h->nlmsg_type != NLMSG_ERROR || i >= nl->n ||
		    h->nlmsg_len < NLMSG_LENGTH(sizeof *e))
			continue;
		nl->err[i] = -e->error;
		if (e->error != 0)
			ext_text(h, nl->text[i]);
		last = last || i == nl->n - 1;
	}
	return last;
}

static int
send_all(struct nlroute *nl)
{
	int n;

	((struct nlmsghdr *)(void *)(nl->send + nl->last))->nlmsg_flags |=
	    NLM_F_ACK;
	n = nl_sendto(nl->sk, nl->send, nl->used);
	return n < 0 ? -ENOBUFS : 0;
}

/*
 * After a loss the receive buffer is smaller than we believe; or there was no
 * memory for once.  So batches grow again, later each time: a loss costs a
 * comparison of all routes, and those must come to an end.
 */
static void
set_limit(struct nlroute *nl, bool lost)
{
	if (lost) {
		nl->limit = nl->limit / 4 > 2 ? nl->limit / 4 : 2;
		nl->good = 0;
		if (nl->grow_after < GROW_MAX)
			nl->grow_after *= 2;
	} else if (nl->limit == NLROUTE_BATCH)
		nl->grow_after = GROW_MIN;
	else if (++nl->good == nl->grow_after) {
		nl->good = 0;
		nl->limit = nl->limit < NLROUTE_BATCH / 2 ? nl->limit * 2
							  : NLROUTE_BATCH;
	}
}

/* What was queued is known to be answered, or counted as not. */
int
nlroute_run(struct nlroute *nl, nlroute_done_fn *fn, void *arg)
{
	uint32_t n = nl->n;
	bool last = false;
	int err = 0;

	if (n == 0)
		return 0;
	err = send_all(nl);
	while (err == 0 && !last) {
		ssize_t got = receive(nl, nl->sk, WAIT_MS);

		if (got > 0)
			last = answers(nl, (size_t)got);
		else
			err = got < 0 ? (int)got : -ENOBUFS;
	}
	while (err != 0 && receive(nl, nl->sk, 0) > 0)
		continue; /* whatever comes is of a batch we gave up */
	set_limit(nl, err != 0);
	nl->n = 0;
	nl->used = nl->like_len = 0;
	for (uint32_t i = 0; i < n; i++) {
		/* No word before the last one's acknowledgement: done. */
		if (nl->err[i] < 0 && last)
			nl->err[i] = 0;
		fn(arg, nl->tag[i], err == 0 ? nl->err[i] : -1, nl->text[i]);
	}
	return err;
}

/* Answers of one dump; 1: interrupted, once more. */
static int
dump_read(struct nlroute *nl, uint32_t seq, nlroute_msg_fn *fn, void *arg)
{
	bool again = false;

	for (;;) {
		struct nlmsghdr *h = (struct nlmsghdr *)(void *)nl->recv;
		ssize_t n = receive(nl, nl->sk, WAIT_MS);
		int left = (int)n;

		if (n <= 0)
			return n < 0 ? (int)n : -ETIMEDOUT;
		for (; nlmsg_ok(h, left); h = nlmsg_next(h, &left)) {
			const struct nlmsgerr *e = nlmsg_data(h);

			if (h->nlmsg_seq != seq)
				continue;
			again = again || (h->nlmsg_flags & NLM_F_DUMP_INTR);
			if (h->nlmsg_type == NLMSG_DONE)
				return again;
			if (h->nlmsg_type == NLMSG_ERROR)
				return e->error != 0 ? e->error : -EPROTO;
			fn(arg, h);
		}
	}
}

/* Sends the message that was begun, as a dump. */
static int
dump(struct nlroute *nl, nlroute_msg_fn *fn, void *arg)
{
	int err = -EAGAIN;

	for (int i = 0; i < DUMP_TRIES; i++) {
		struct nlmsghdr *h = nlmsg_hdr(nl->msg);

		h->nlmsg_seq = nl->seq++;
		if (nl_sendto(nl->sk, h, h->nlmsg_len) < 0)
			return -EIO;
		err = dump_read(nl, h->nlmsg_seq, fn, arg);
		if (err == -ENOBUFS)
			while (receive(nl, nl->sk, 0) > 0)
				continue;
		else if (err != 1)
			return err;
	}
	/* It changes all the time; notifications tell the rest. */
	return err == 1 ? 0 : err;
}

int
nlroute_dump(struct nlroute *nl, int type, nlroute_msg_fn *fn, void *arg)
{
	struct if_stats_msg *stats;

	if (type == RTM_GETLINK)
		begin(nl, RTM_GETLINK, NLM_F_DUMP, sizeof(struct ifinfomsg));
	else if (type == RTM_GETSTATS) {
		stats = begin(nl, RTM_GETSTATS, NLM_F_DUMP, sizeof *stats);
		stats->filter_mask = IFLA_STATS_FILTER_BIT(IFLA_STATS_LINK_64);
	} else
		begin(nl, (uint16_t)type, NLM_F_DUMP, sizeof(struct ifaddrmsg));
	return dump(nl, fn, arg);
}

int
nlroute_walk_begin(
    struct nlroute *nl, enum fam fam, uint32_t table, uint8_t protocol)
{
	struct rtmsg *rtm = begin(nl, RTM_GETROUTE, NLM_F_DUMP, sizeof *rtm);
	struct nlmsghdr *h = nlmsg_hdr(nl->msg);
	ssize_t n;

	rtm->rtm_family = (uint8_t)af(fam);
	rtm->rtm_protocol = protocol;
	must(nla_put_u32(nl->msg, RTA_TABLE, table));
	h->nlmsg_pid = nl_socket_get_local_port(nl->walk.sk);
	nl->walk.seq = h->nlmsg_seq;
	nl->walk.table = table;
	nl->walk.protocol = protocol;
	/* What is left of one that failed stands in the way. */
	do
		n = receive(nl, nl->walk.sk, 0);
	while (n > 0 || n == -ENOBUFS);
	return nl_sendto(nl->walk.sk, h, h->nlmsg_len) < 0 ? -EIO
							   : NLROUTE_MORE;
}

/* One datagram of a walk: as nlroute_walk(). */
static int
walk_read(struct nlroute *nl, nlroute_route_fn *fn, void *arg)
{
	struct nlmsghdr *h = (struct nlmsghdr *)(void *)nl->recv;
	ssize_t n = receive(nl, nl->walk.sk, WAIT_MS);
	int left = (int)n;

	if (n <= 0)
		return n < 0 ? (int)n : -ETIMEDOUT;
	for (; nlmsg_ok(h, left); h = nlmsg_next(h, &left)) {
		const struct nlmsgerr *e = nlmsg_data(h);
		struct nlroute_route r;

		if (h->nlmsg_seq != nl->walk.seq)
			continue;
		if (h->nlmsg_type == NLMSG_DONE)
			return 0;
		if (h->nlmsg_type == NLMSG_ERROR)
			/* There is no such table (yet). */
			return e->error == -ENOENT ? 0
			    : e->error != 0        ? e->error
						   : -EPROTO;
		if (h->nlmsg_type == RTM_NEWROUTE && nlroute_parse(h, &r) &&
		    r.protocol == nl->walk.protocol &&
		    r.table == nl->walk.table)
			fn(arg, &r);
	}
	return NLROUTE_MORE;
}

int
nlroute_walk(
    struct nlroute *nl, unsigned int budget, nlroute_route_fn *fn, void *arg)
{
	int err = NLROUTE_MORE;

	while (budget-- > 0 && err == NLROUTE_MORE)
		err = walk_read(nl, fn, arg);
	return err;
}

static void
found_one(void *arg, const struct nlroute_route *r)
{
	bool *any = arg;

	(void)r;
	*any = true;
}

int
nlroute_any(struct nlroute *nl, enum fam fam, uint32_t table, uint8_t protocol)
{
	struct walk kept = nl->walk;
	bool any = false;
	int err;

	/* On a socket of its own: a dump ends with its last route, or with
	 * its socket. */
	nl->walk.sk = nl_socket_alloc();
	if (nl->walk.sk == NULL)
		mem_none(MSG_MAX);
	err = connect_to(nl->walk.sk, 0);
	if (err == 0)
		err = nlroute_walk_begin(nl, fam, table, protocol);
	while (err == NLROUTE_MORE && !any)
		err = walk_read(nl, found_one, &any);
	nl_socket_free(nl->walk.sk);
	nl->walk = kept;
	return err < 0 ? err : any;
}

/* What a next hop consists of, in a route or in its multipath part. */
static void
read_nh(struct nh *nh, enum fam fam, struct nlattr **tb, unsigned int flags)
{
	memset(nh, 0, sizeof *nh);
	nh->weight = 1;
	if (tb[RTA_GATEWAY] != NULL &&
	    nla_len(tb[RTA_GATEWAY]) == (int)fam_bits(fam) / 8)
		addr_set(&nh->addr, fam, nla_data(tb[RTA_GATEWAY]));
	else if (tb[RTA_VIA] != NULL && nla_len(tb[RTA_VIA]) == 18)
		addr_set(&nh->addr, FAM_INET6,
		    (const uint8_t *)nla_data(tb[RTA_VIA]) + 2);
	if ((flags & RTNH_F_ONLINK) != 0)
		nh->flags = FIBD_NH_ONLINK;
}

static const struct nla_policy route_policy[RTA_MAX + 1] = {
	[RTA_OIF] = { .type = NLA_U32 },
	[RTA_PRIORITY] = { .type = NLA_U32 },
	[RTA_TABLE] = { .type = NLA_U32 },
	[RTA_NH_ID] = { .type = NLA_U32 },
};

static void
read_multipath(struct nlroute_route *r, struct nlattr *mp)
{
	struct rtnexthop *rt = nla_data(mp);
	int left = nla_len(mp);

	while (left >= (int)sizeof *rt && rt->rtnh_len >= sizeof *rt &&
	    rt->rtnh_len <= left) {
		struct nlattr *tb[RTA_MAX + 1] = { NULL };
		struct nh *nh = &r->nh[r->n];
		int step = NLMSG_ALIGN(rt->rtnh_len);

		if (r->n == NLROUTE_NH) {
			r->odd = true;
			return;
		}
		if (nla_parse(tb, RTA_MAX,
			(struct nlattr *)(void *)RTNH_DATA(rt),
			rt->rtnh_len - (int)sizeof *rt, route_policy) < 0) {
			r->odd = true;
			return;
		}
		read_nh(nh, r->pfx.addr.fam, tb, rt->rtnh_flags);
		nh->ifindex = (uint32_t)rt->rtnh_ifindex;
		nh->weight = (uint8_t)(rt->rtnh_hops + 1);
		r->n++;
		left -= step;
		rt = (struct rtnexthop *)(void *)((char *)rt + step);
	}
}

static bool
read_dst(struct nlroute_route *r, const struct rtmsg *rtm, struct nlattr *dst)
{
	enum fam fam = rtm->rtm_family == AF_INET ? FAM_INET : FAM_INET6;
	struct addr a = { .fam = (uint8_t)fam };

	if (dst != NULL) {
		if (nla_len(dst) != (int)fam_bits(fam) / 8)
			return false;
		addr_set(&a, fam, nla_data(dst));
	}
	return pfx_make(&r->pfx, &a, rtm->rtm_dst_len);
}

static uint32_t
u32_or(struct nlattr *a, uint32_t other)
{
	return a != NULL ? nla_get_u32(a) : other;
}

static bool
parse(const struct nlmsghdr *h, struct nlroute_route *r, bool hops_too)
{
	struct nlmsghdr *m = (struct nlmsghdr *)(uintptr_t)h;
	struct nlattr *tb[RTA_MAX + 1], *src;
	const struct rtmsg *rtm;

	if (nlmsg_parse(m, sizeof *rtm, tb, RTA_MAX, route_policy) < 0)
		return false;
	rtm = nlmsg_data(m);
	if ((rtm->rtm_family != AF_INET && rtm->rtm_family != AF_INET6) ||
	    (rtm->rtm_flags & RTM_F_CLONED) != 0)
		return false;
	memset(r, 0, sizeof *r);
	if (!read_dst(r, rtm, tb[RTA_DST]))
		return false;
	r->protocol = rtm->rtm_protocol;
	r->table = u32_or(tb[RTA_TABLE], rtm->rtm_table);
	r->metric = u32_or(tb[RTA_PRIORITY], 0);
	r->nhid = u32_or(tb[RTA_NH_ID], 0);
	r->odd = rtm->rtm_type != RTN_UNICAST || rtm->rtm_tos != 0 ||
	    rtm->rtm_src_len != 0 || tb[RTA_ENCAP] != NULL;
	src = tb[RTA_PREFSRC];
	if (src != NULL && nla_len(src) == (int)fam_bits(r->pfx.addr.fam) / 8)
		addr_set(&r->src, r->pfx.addr.fam, nla_data(src));
	if (r->nhid != 0 && !hops_too)
		return true;
	if (tb[RTA_MULTIPATH] != NULL)
		read_multipath(r, tb[RTA_MULTIPATH]);
	else {
		read_nh(&r->nh[0], r->pfx.addr.fam, tb, rtm->rtm_flags);
		r->nh[0].ifindex = u32_or(tb[RTA_OIF], 0);
		r->n = 1;
	}
	return true;
}

bool
nlroute_parse(const struct nlmsghdr *h, struct nlroute_route *r)
{
	return parse(h, r, false);
}

int
nlroute_lookup(
    struct nlroute *nl, const struct addr *a, struct nlroute_route *r)
{
	struct rtmsg *rtm = begin(nl, RTM_GETROUTE, 0, sizeof *rtm);
	struct nlmsghdr *h = nlmsg_hdr(nl->msg);
	uint32_t seq = h->nlmsg_seq;

	rtm->rtm_family = (uint8_t)af(a->fam);
	rtm->rtm_dst_len = (uint8_t)fam_bits(a->fam);
	rtm->rtm_flags = RTM_F_FIB_MATCH;
	put_addr(nl, RTA_DST, a);
	if (nl_sendto(nl->sk, h, h->nlmsg_len) < 0)
		return -EIO;
	for (;;) {
		const struct nlmsgerr *e;
		ssize_t n = receive(nl, nl->sk, WAIT_MS);

		h = (struct nlmsghdr *)(void *)nl->recv;
		if (n <= 0)
			return n < 0 ? (int)n : -ETIMEDOUT;
		if (!nlmsg_ok(h, (int)n) || h->nlmsg_seq != seq)
			continue;
		e = nlmsg_data(h);
		if (h->nlmsg_type == NLMSG_ERROR)
			return e->error != 0 ? e->error : -EPROTO;
		return h->nlmsg_type == RTM_NEWROUTE && parse(h, r, true)
		    ? 0
		    : -EPROTO;
	}
}

struct object_dump {
	nlroute_object_fn *fn;
	void *arg;
	uint8_t protocol;
};

static void
read_group(struct nlroute_object *o, struct nlattr *group)
{
	const struct nexthop_grp *g = nla_data(group);
	size_t n = (size_t)nla_len(group) / sizeof *g;

	o->group = true;
	for (size_t i = 0; i < n; i++) {
		if (i == NLROUTE_NH) {
			o->odd = true;
			break;
		}
		o->member[i] = g[i].id;
		o->weight[i] = (uint8_t)(g[i].weight + 1);
		o->n++;
	}
}

static void
one_object(void *arg, const struct nlmsghdr *h)
{
	static const struct nla_policy policy[NHA_MAX + 1] = {
		[NHA_ID] = { .type = NLA_U32 },
		[NHA_OIF] = { .type = NLA_U32 },
	};
	const struct object_dump *d = arg;
	struct nlmsghdr *m = (struct nlmsghdr *)(uintptr_t)h;
	struct nlroute_object o = { 0 };
	struct nlattr *tb[NHA_MAX + 1];
	const struct nhmsg *nhm;
	enum fam fam;

	if (h->nlmsg_type != RTM_NEWNEXTHOP ||
	    nlmsg_parse(m, sizeof *nhm, tb, NHA_MAX, policy) < 0)
		return;
	nhm = nlmsg_data(m);
	if (nhm->nh_protocol != d->protocol || tb[NHA_ID] == NULL)
		return;
	o.id = nla_get_u32(tb[NHA_ID]);
	o.protocol = nhm->nh_protocol;
	if (tb[NHA_GROUP] != NULL)
		read_group(&o, tb[NHA_GROUP]);
	else if (tb[NHA_GATEWAY] != NULL) {
		fam = nla_len(tb[NHA_GATEWAY]) == 4 ? FAM_INET : FAM_INET6;
		addr_set(&o.nh.addr, fam, nla_data(tb[NHA_GATEWAY]));
		o.nh.ifindex = u32_or(tb[NHA_OIF], 0);
		o.nh.weight = 1;
		if ((nhm->nh_flags & RTNH_F_ONLINK) != 0)
			o.nh.flags = FIBD_NH_ONLINK;
	} else
		o.odd = true;
	d->fn(d->arg, &o);
}

int
nlroute_dump_objects(
    struct nlroute *nl, uint8_t protocol, nlroute_object_fn *fn, void *arg)
{
	struct object_dump d = { fn, arg, protocol };

	begin(nl, RTM_GETNEXTHOP, NLM_F_DUMP, sizeof(struct nhmsg));
	return dump(nl, one_object, &d);
}
