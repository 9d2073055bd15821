/*
 * nlwatch.h -- what happens in the kernel: links, addresses, routes of
 * others, nexthop objects; on a socket of its own, so that a storm of them
 * cannot cost an answer to a request.  Notifications of what nlroute.c did
 * itself are dropped by a socket filter.
 */
#ifndef NLWATCH_H
#define NLWATCH_H

#include "platform/fibd/nlroute.h"

struct nlwatch;

struct nlwatch_link {
	uint32_t ifindex;
	uint32_t speed_mbps;
	bool up, carrier, gone;
	bool seen; /* by the scan that runs */
	char name[16];
};

struct nlwatch_traffic {
	uint32_t ifindex;
	uint64_t rx_octets, tx_octets;
};

struct nlwatch_addr {
	uint32_t ifindex;
	uint8_t len;
	bool seen;
	struct addr addr; /* ours */
	struct pfx net; /* what it connects to */
};

struct nlwatch_events {
	void (*link)(void *arg, const struct nlwatch_link *);
	/* Out of nlwatch_count() only. */
	void (*traffic)(void *arg, const struct nlwatch_traffic *);
	void (*addr)(void *arg, const struct nlwatch_addr *, bool added);
	void (*route)(void *arg, const struct nlroute_route *, bool deleted);
	void (*object)(void *arg); /* nexthop objects were touched */
	void (*overrun)(void *arg); /* news were lost: nlwatch_scan() */
};

/* 0 or -errno.  Both sockets are the callee's; rcvbuf 0: what is good. */
int nlwatch_open(struct nlwatch **, struct nlroute *, int rcvbuf,
    const struct nlwatch_events *, void *arg);
void nlwatch_close(struct nlwatch *);
int nlwatch_fd(const struct nlwatch *);
/* Reads what is there, in bounds; true: there may be more. */
bool nlwatch_read(struct nlwatch *);
/* Looks at all links and addresses; tells what differs from before.  0 or
 * -errno. */
int nlwatch_scan(struct nlwatch *);
/* Asks for the counters of all links; nothing may be queued in nlroute. */
void nlwatch_count(struct nlwatch *);

/* By position, NULL behind the last. */
const struct nlwatch_link *nlwatch_link_at(const struct nlwatch *, size_t);
const struct nlwatch_addr *nlwatch_addr_at(const struct nlwatch *, size_t);
const struct nlwatch_link *nlwatch_link(
    const struct nlwatch *, uint32_t ifindex);
/* It is an address of this machine. */
bool nlwatch_own(const struct nlwatch *, const struct addr *);
/* It is in a subnet of that interface, whether that is up or not. */
bool nlwatch_connected(
    const struct nlwatch *, const struct addr *, uint32_t ifindex);
/* Can a route be sent through it now? */
bool nlwatch_usable(const struct nlwatch *, const struct nh *);
/* Through which interface an address is reached directly now; 0: none. */
uint32_t nlwatch_resolve(
    const struct nlwatch *, const struct addr *, uint32_t ifindex);

/*
 * The same over one route of others that covers the address: by which neighbor
 * on which interface; 0: none.  Never over a default route, nor over a route
 * of protocol `not`, our own: those would hold themselves up.
 */
uint32_t nlwatch_recurse(
    const struct nlwatch *, const struct addr *, uint8_t not, struct addr *via);

#endif /* NLWATCH_H */
