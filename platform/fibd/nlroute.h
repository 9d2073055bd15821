/*
 * nlroute.h -- requests to the kernel: routes and nexthop objects, many a
 * send; and dumps.  Nothing here knows why; table.c does.
 *
 * The kernel answers a send before it returns, so a run is: queue, send once
 * (an acknowledgement asked of the last request only; failures are always
 * told), read the answers.  How many are queued is bounded so that even a
 * failure of each fits the receive buffer; fewer for some time after a loss.
 */
#ifndef NLROUTE_H
#define NLROUTE_H

#include "lib/pfx.h"

struct nlmsghdr;
struct nlroute;

enum {
	NLROUTE_NH = 16,
	NLROUTE_BATCH = 1000, /* requests a send, at most */
	NLROUTE_MORE = 1,
};

/* A next hop as the kernel knows it. */
struct nh {
	struct addr addr;
	uint32_t ifindex;
	uint8_t weight; /* 1.. */
	uint8_t flags; /* FIBD_NH_ONLINK */
};

/* A route as asked for or as found. */
struct nlroute_route {
	struct pfx pfx;
	uint32_t table;
	uint32_t metric;
	uint8_t protocol;
	struct addr src; /* preferred source, FAM_NONE: none */
	uint32_t nhid; /* a nexthop object, or 0 and nh[] */
	uint8_t n;
	bool odd; /* found: something in it that we never write */
	struct nh nh[NLROUTE_NH];
};

/* A nexthop object as found: a group (n members) or one next hop. */
struct nlroute_object {
	uint32_t id;
	uint8_t protocol;
	bool group, odd;
	uint8_t n;
	uint32_t member[NLROUTE_NH];
	uint8_t weight[NLROUTE_NH];
	struct nh nh;
};

enum nlroute_how {
	NLROUTE_EXCL, /* only where nothing is */
	NLROUTE_REPLACE, /* only over what is there */
};

typedef void nlroute_done_fn(
    void *arg, uint32_t tag, int err, const char *text);
typedef void nlroute_route_fn(void *arg, const struct nlroute_route *);
typedef void nlroute_object_fn(void *arg, const struct nlroute_object *);
typedef void nlroute_msg_fn(void *arg, const struct nlmsghdr *);

/* 0 or -errno.  rcvbuf 0: as much as is good. */
int nlroute_open(struct nlroute **, int rcvbuf);
void nlroute_close(struct nlroute *);
/* Who we are to the kernel: its notifications name it. */
uint32_t nlroute_portid(const struct nlroute *);

/* No room for two more requests: run first. */
bool nlroute_full(const struct nlroute *);
/* Each queues one request, copied, whose answer comes under that tag: a route,
 * its end, a nexthop object, a group of them, the end of either. */
void nlroute_add(struct nlroute *, const struct nlroute_route *,
    enum nlroute_how, uint32_t tag);
void nlroute_del(struct nlroute *, const struct nlroute_route *, uint32_t tag);
void nlroute_member(struct nlroute *, uint32_t id, uint8_t protocol,
    const struct nh *, uint32_t tag);
void nlroute_group(struct nlroute *, const struct nlroute_object *,
    enum nlroute_how, uint32_t tag);
void nlroute_object_del(struct nlroute *, uint32_t id, uint32_t tag);
/*
 * Sends what is queued and calls fn for each, in order, err 0 or an errno.
 * -ENOBUFS: answers were lost; fn was called with -1 for each that has none.
 */
int nlroute_run(struct nlroute *, nlroute_done_fn *, void *arg);

/* 0 or -errno; -EOPNOTSUPP where the kernel has none of it. */
int nlroute_dump_objects(
    struct nlroute *, uint8_t protocol, nlroute_object_fn *, void *arg);

/*
 * All routes of a table with our number, a few datagrams a call, while requests
 * go on: what it tells may be of a moment ago, and where the table changes
 * meanwhile some may be left out (IPv6).  NLROUTE_MORE, 0: that was all, or
 * -errno: it is over.  One at a time.
 */
int nlroute_walk_begin(
    struct nlroute *, enum fam, uint32_t table, uint8_t protocol);
int nlroute_walk(
    struct nlroute *, unsigned int budget, nlroute_route_fn *, void *arg);

/* Is there a route that such a walk would tell?  1, 0 or -errno.  Opens a
 * socket: for the start only. */
int nlroute_any(struct nlroute *, enum fam, uint32_t table, uint8_t protocol);

/* RTM_GETLINK, RTM_GETADDR, RTM_GETSTATS (of links: IFLA_STATS_LINK_64). */
int nlroute_dump(struct nlroute *, int type, nlroute_msg_fn *, void *arg);

/* The route that the kernel would use for an address: with its next hops, also
 * of a nexthop object.  0 or -errno.  Nothing may be queued. */
int nlroute_lookup(
    struct nlroute *, const struct addr *, struct nlroute_route *);

/* RTM_NEWROUTE or RTM_DELROUTE, a unicast one; false: nothing for us. */
bool nlroute_parse(const struct nlmsghdr *, struct nlroute_route *);

#endif /* NLROUTE_H */
