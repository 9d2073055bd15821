#include "platform/fibd/nlwatch.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <linux/filter.h>
#include <linux/if.h>
#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>

#include <netlink/attr.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>

#include "lib/mem.h"
#include "platform/fibd/nlspeed.h"
#include "platform/fibd_proto.h"

enum {
	RCVBUF = 8 * 1024 * 1024,
	RECV_MAX = 64 * 1024,
	READ_TURN = 256,
};

struct nlwatch {
	struct nl_sock *sk;
	struct nlroute *nl;
	struct nlspeed *speed; /* NULL: the kernel tells none */
	const struct nlwatch_events *ev;
	void *arg;
	struct nlwatch_link *link;
	size_t nlink;
	struct nlwatch_addr *addr;
	size_t naddr;
	uint8_t recv[RECV_MAX] __attribute__((aligned(8)));
};

/* A million of our own routes would come back as a million notifications. */
static int
filter_own(int fd, uint32_t portid)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
		    offsetof(struct nlmsghdr, nlmsg_pid)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htonl(portid), 0, 1),
		BPF_STMT(BPF_RET | BPF_K, 0),
		BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
	};
	struct sock_fprog prog = { sizeof code / sizeof code[0], code };

	return setsockopt(
		   fd, SOL_SOCKET, SO_ATTACH_FILTER, &prog, sizeof prog) < 0
	    ? -errno
	    : 0;
}

int
nlwatch_open(struct nlwatch **out, struct nlroute *nl, int rcvbuf,
    const struct nlwatch_events *ev, void *arg)
{
	struct nlwatch *w = mem_alloc(sizeof *w);
	int rcv = rcvbuf > 0 ? rcvbuf : RCVBUF, err = 0, fd;

	w->nl = nl;
	w->ev = ev;
	w->arg = arg;
	w->sk = nl_socket_alloc();
	if (w->sk == NULL)
		mem_none(sizeof *w);
	if (nl_connect(w->sk, NETLINK_ROUTE) < 0 ||
	    nl_socket_set_nonblocking(w->sk) < 0 ||
	    nl_socket_add_memberships(w->sk, RTNLGRP_LINK, RTNLGRP_IPV4_IFADDR,
		RTNLGRP_IPV6_IFADDR, RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_ROUTE,
		0) < 0)
		err = -EIO;
	fd = nl_socket_get_fd(w->sk);
	if (err == 0 &&
	    setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &rcv, sizeof rcv) < 0)
		err = -errno;
	if (err == 0)
		err = filter_own(fd, nlroute_portid(nl));
	if (err != 0) {
		nlwatch_close(w);
		return err;
	}
	/* A kernel without nexthop objects has no such group. */
	(void)nl_socket_add_memberships(w->sk, RTNLGRP_NEXTHOP, 0);
	w->speed = nlspeed_open();
	*out = w;
	return nlwatch_scan(w);
}

void
nlwatch_close(struct nlwatch *w)
{
	if (w == NULL)
		return;
	nlspeed_close(w->speed);
	nl_socket_free(w->sk);
	free(w->link);
	free(w->addr);
	free(w);
}

int
nlwatch_fd(const struct nlwatch *w)
{
	return nl_socket_get_fd(w->sk);
}

const struct nlwatch_link *
nlwatch_link_at(const struct nlwatch *w, size_t i)
{
	return i < w->nlink ? &w->link[i] : NULL;
}

const struct nlwatch_addr *
nlwatch_addr_at(const struct nlwatch *w, size_t i)
{
	return i < w->naddr ? &w->addr[i] : NULL;
}

const struct nlwatch_link *
nlwatch_link(const struct nlwatch *w, uint32_t ifindex)
{
	for (size_t i = 0; i < w->nlink; i++)
		if (w->link[i].ifindex == ifindex)
			return &w->link[i];
	return NULL;
}

bool
nlwatch_own(const struct nlwatch *w, const struct addr *a)
{
	for (size_t i = 0; i < w->naddr; i++)
		if (addr_eq(&w->addr[i].addr, a))
			return true;
	return false;
}

bool
nlwatch_connected(
    const struct nlwatch *w, const struct addr *a, uint32_t ifindex)
{
	for (size_t i = 0; i < w->naddr; i++)
		if (w->addr[i].ifindex == ifindex &&
		    pfx_has(&w->addr[i].net, a))
			return true;
	return false;
}

static bool
is_ll6(const struct addr *a)
{
	return a->fam == FAM_INET6 && addr_is_linklocal(a);
}

bool
nlwatch_usable(const struct nlwatch *w, const struct nh *nh)
{
	const struct nlwatch_link *l = nlwatch_link(w, nh->ifindex);

	return l != NULL && l->up && l->carrier &&
	    ((nh->flags & FIBD_NH_ONLINK) != 0 || is_ll6(&nh->addr) ||
		nlwatch_connected(w, &nh->addr, nh->ifindex));
}

uint32_t
nlwatch_resolve(const struct nlwatch *w, const struct addr *a, uint32_t ifindex)
{
	struct nh nh = { .addr = *a, .ifindex = ifindex };

	if (nlwatch_own(w, a))
		return 0;
	if (ifindex != 0)
		return nlwatch_usable(w, &nh) ? ifindex : 0;
	for (size_t i = 0; i < w->naddr; i++) {
		nh.ifindex = w->addr[i].ifindex;
		if (pfx_has(&w->addr[i].net, a) && nlwatch_usable(w, &nh))
			return nh.ifindex;
	}
	return 0;
}

uint32_t
nlwatch_recurse(const struct nlwatch *w, const struct addr *a, uint8_t not,
    struct addr *via)
{
	struct nlroute_route r;

	if (nlwatch_own(w, a) || nlroute_lookup(w->nl, a, &r) != 0 || r.odd ||
	    r.pfx.len == 0 || r.protocol == not )
		return 0;
	for (unsigned int i = 0; i < r.n; i++)
		if (r.nh[i].addr.fam != FAM_NONE &&
		    nlwatch_usable(w, &r.nh[i])) {
			*via = r.nh[i].addr;
			return r.nh[i].ifindex;
		}
	return 0;
}

static void
link_gone(struct nlwatch *w, size_t i)
{
	struct nlwatch_link l = w->link[i];

	w->link[i] = w->link[--w->nlink];
	l.gone = true;
	l.up = l.carrier = false;
	w->ev->link(w->arg, &l);
}

static struct nlwatch_link *
link_slot(struct nlwatch *w, uint32_t ifindex)
{
	for (size_t i = 0; i < w->nlink; i++)
		if (w->link[i].ifindex == ifindex)
			return &w->link[i];
	w->link = mem_realloc(w->link, w->nlink + 1, sizeof *w->link);
	memset(&w->link[w->nlink], 0, sizeof *w->link);
	return &w->link[w->nlink++];
}

static void
on_link(struct nlwatch *w, const struct nlmsghdr *h)
{
	struct nlmsghdr *m = (struct nlmsghdr *)(uintptr_t)h;
	struct nlwatch_link now = { .seen = true }, *l;
	struct nlattr *tb[IFLA_MAX + 1];
	const struct ifinfomsg *ifi;
	bool same;

	if (nlmsg_parse(m, sizeof *ifi, tb, IFLA_MAX, NULL) < 0)
		return;
	ifi = nlmsg_data(m);
	if (ifi->ifi_family != AF_UNSPEC)
		return; /* a bridge's port, not the link */
	now.ifindex = (uint32_t)ifi->ifi_index;
	if (h->nlmsg_type == RTM_DELLINK) {
		for (size_t i = 0; i < w->nlink; i++)
			if (w->link[i].ifindex == now.ifindex)
				link_gone(w, i);
		return;
	}
	now.up = (ifi->ifi_flags & IFF_UP) != 0;
	now.carrier = now.up && (ifi->ifi_flags & IFF_LOWER_UP) != 0 &&
	    (ifi->ifi_flags & IFF_RUNNING) != 0;
	if (tb[IFLA_IFNAME] != NULL)
		nla_strlcpy(now.name, tb[IFLA_IFNAME], sizeof now.name);
	if (now.carrier && (ifi->ifi_flags & IFF_LOOPBACK) == 0)
		now.speed_mbps = nlspeed_get(w->speed, now.ifindex);
	l = link_slot(w, now.ifindex);
	l->seen = true; /* that alone is no news */
	same = memcmp(l, &now, sizeof now) == 0;
	*l = now;
	if (!same)
		w->ev->link(w->arg, &now);
}

static void
addr_gone(struct nlwatch *w, size_t i)
{
	struct nlwatch_addr a = w->addr[i];

	w->addr[i] = w->addr[--w->naddr];
	w->ev->addr(w->arg, &a, false);
}

static void
addr_there(struct nlwatch *w, const struct nlwatch_addr *a)
{
	for (size_t i = 0; i < w->naddr; i++)
		if (w->addr[i].ifindex == a->ifindex &&
		    addr_eq(&w->addr[i].addr, &a->addr) &&
		    pfx_eq(&w->addr[i].net, &a->net)) {
			w->addr[i].seen = true;
			return;
		}
	w->addr = mem_realloc(w->addr, w->naddr + 1, sizeof *w->addr);
	w->addr[w->naddr++] = *a;
	w->ev->addr(w->arg, a, true);
}

/* IFA_LOCAL is ours; IFA_ADDRESS the other end's on a point-to-point link. */
static bool
read_addr(const struct nlmsghdr *h, struct nlwatch_addr *a)
{
	struct nlmsghdr *m = (struct nlmsghdr *)(uintptr_t)h;
	struct nlattr *tb[IFA_MAX + 1], *own, *net;
	const struct ifaddrmsg *ifa;
	struct addr base;
	enum fam fam;

	if (nlmsg_parse(m, sizeof *ifa, tb, IFA_MAX, NULL) < 0)
		return false;
	ifa = nlmsg_data(m);
	fam = ifa->ifa_family == AF_INET  ? FAM_INET
	    : ifa->ifa_family == AF_INET6 ? FAM_INET6
					  : FAM_NONE;
	own = tb[IFA_LOCAL] != NULL ? tb[IFA_LOCAL] : tb[IFA_ADDRESS];
	net = tb[IFA_ADDRESS] != NULL ? tb[IFA_ADDRESS] : tb[IFA_LOCAL];
	if (fam == FAM_NONE || own == NULL ||
	    nla_len(own) != (int)fam_bits(fam) / 8 ||
	    nla_len(net) != (int)fam_bits(fam) / 8)
		return false;
	memset(a, 0, sizeof *a);
	a->seen = true;
	a->ifindex = ifa->ifa_index;
	a->len = ifa->ifa_prefixlen;
	addr_set(&a->addr, fam, nla_data(own));
	addr_set(&base, fam, nla_data(net));
	return pfx_make(&a->net, &base, a->len);
}

static void
on_addr(struct nlwatch *w, const struct nlmsghdr *h)
{
	struct nlwatch_addr a;

	if (!read_addr(h, &a))
		return;
	if (h->nlmsg_type == RTM_NEWADDR) {
		addr_there(w, &a);
		return;
	}
	for (size_t i = 0; i < w->naddr; i++)
		if (w->addr[i].ifindex == a.ifindex &&
		    addr_eq(&w->addr[i].addr, &a.addr) &&
		    pfx_eq(&w->addr[i].net, &a.net)) {
			addr_gone(w, i);
			return;
		}
}

static void
on_route(struct nlwatch *w, const struct nlmsghdr *h)
{
	struct nlroute_route r;

	if (nlroute_parse(h, &r))
		w->ev->route(w->arg, &r, h->nlmsg_type == RTM_DELROUTE);
}

static void
on_stats(struct nlwatch *w, const struct nlmsghdr *h)
{
	struct nlmsghdr *m = (struct nlmsghdr *)(uintptr_t)h;
	struct nlattr *tb[IFLA_STATS_MAX + 1];
	struct rtnl_link_stats64 count = { 0 };
	struct nlwatch_traffic t = { 0 };
	const struct if_stats_msg *stats;
	size_t len;

	if (nlmsg_parse(m, sizeof *stats, tb, IFLA_STATS_MAX, NULL) < 0 ||
	    tb[IFLA_STATS_LINK_64] == NULL)
		return;
	stats = nlmsg_data(m);
	len = (size_t)nla_len(tb[IFLA_STATS_LINK_64]);
	/* It grows with the kernel; and is aligned to 4 only. */
	memcpy(&count, nla_data(tb[IFLA_STATS_LINK_64]),
	    len < sizeof count ? len : sizeof count);
	t.ifindex = stats->ifindex;
	t.rx_octets = count.rx_bytes;
	t.tx_octets = count.tx_bytes;
	w->ev->traffic(w->arg, &t);
}

static void
on_message(void *arg, const struct nlmsghdr *h)
{
	struct nlwatch *w = arg;

	switch (h->nlmsg_type) {
	case RTM_NEWLINK:
	case RTM_DELLINK:
		on_link(w, h);
		break;
	case RTM_NEWADDR:
	case RTM_DELADDR:
		on_addr(w, h);
		break;
	case RTM_NEWROUTE:
	case RTM_DELROUTE:
		on_route(w, h);
		break;
	case RTM_NEWNEXTHOP:
	case RTM_DELNEXTHOP:
		w->ev->object(w->arg);
		break;
	case RTM_NEWSTATS:
		on_stats(w, h);
		break;
	default:
		break;
	}
}

bool
nlwatch_read(struct nlwatch *w)
{
	for (int i = 0; i < READ_TURN; i++) {
		struct nlmsghdr *h = (struct nlmsghdr *)(void *)w->recv;
		struct sockaddr_nl from;
		socklen_t len = sizeof from;
		ssize_t n;
		int left;

		n = recvfrom(nl_socket_get_fd(w->sk), w->recv, sizeof w->recv,
		    MSG_DONTWAIT, (struct sockaddr *)&from, &len);
		if (n < 0 && errno == ENOBUFS) {
			w->ev->overrun(w->arg);
			continue;
		}
		if (n < 0)
			return false;
		if (from.nl_pid != 0)
			continue;
		left = (int)n;
		for (; nlmsg_ok(h, left); h = nlmsg_next(h, &left))
			on_message(w, h);
	}
	return true;
}

int
nlwatch_scan(struct nlwatch *w)
{
	int err;

	for (size_t i = 0; i < w->nlink; i++)
		w->link[i].seen = false;
	for (size_t i = 0; i < w->naddr; i++)
		w->addr[i].seen = false;
	err = nlroute_dump(w->nl, RTM_GETLINK, on_message, w);
	if (err == 0)
		err = nlroute_dump(w->nl, RTM_GETADDR, on_message, w);
	if (err != 0)
		return err;
	for (size_t i = w->nlink; i-- > 0;)
		if (!w->link[i].seen)
			link_gone(w, i);
	for (size_t i = w->naddr; i-- > 0;)
		if (!w->addr[i].seen)
			addr_gone(w, i);
	return 0;
}

void
nlwatch_count(struct nlwatch *w)
{
	/* Where it fails there are no counters; the next time, perhaps. */
	(void)nlroute_dump(w->nl, RTM_GETSTATS, on_message, w);
}
