/*
 * fibd_proto.h -- the records between ana-bgpd and ana-fibd.
 *
 * A datagram (SOCK_SEQPACKET) is 1..FIBD_BATCH records.  Each type has one
 * fixed size, all a multiple of 8.  Integers are in host order: both ends run
 * on one machine.  Everything not used is zero.
 */
#ifndef FIBD_PROTO_H
#define FIBD_PROTO_H

#include <stdint.h>

enum {
	FIBD_VERSION = 1,
	FIBD_VERSION_MIN = 1, /* the older version that is understood too */
	FIBD_BATCH = 64,
	FIBD_NH = 16, /* next hops in a set */
	FIBD_SETS = 4095, /* set numbers 1..FIBD_SETS */
	FIBD_WATCH = 1024, /* watched addresses */
	FIBD_LISTEN = 8,
	FIBD_TEXT = 128,
	FIBD_SOCKBUF = 1 << 20, /* both ends, as far as the system permits */
};

enum fibd_type {
	FIBD_HELLO = 1, /* speaker to ana-fibd; the answer: FIBD_READY */
	FIBD_LISTEN_REQ, /* answer: FIBD_LISTENER */
	FIBD_NHSET,
	FIBD_NHSET_DROP,
	FIBD_ROUTE_REPLACE,
	FIBD_ROUTE_DELETE,
	FIBD_ROUTES_END,
	FIBD_ROUTES_FLUSH,
	FIBD_NH_WATCH,
	FIBD_NH_UNWATCH,

	FIBD_READY = 64, /* ana-fibd to speaker */
	FIBD_DONE,
	FIBD_DONE_UPTO,
	FIBD_FAM_DONE,
	FIBD_LISTENER,
	FIBD_NH_STATE,
	FIBD_LINK,
	FIBD_ADDR,
	FIBD_STATE,
	FIBD_OVERRUN,
	FIBD_TRAFFIC,
	FIBD_USAGE,
};

/* First in every record. */
struct fibd_hdr {
	uint8_t version;
	uint8_t type;
	uint16_t size; /* of the whole record: what the type says */
	uint32_t seq; /* counts requests up; 0 in what was not asked for */
};

struct fibd_addr {
	uint8_t fam; /* enum fam of lib/addr.h */
	uint8_t len; /* of the prefix, where it is one */
	uint8_t pad[2];
	uint32_t ifindex;
	uint8_t o[16];
};

struct fibd_hello {
	struct fibd_hdr h;
	uint64_t netns;
	uint32_t table, metric;
	uint32_t keep_s, reconcile_s;
	uint8_t protocol;
	uint8_t recursive; /* watched addresses off every link, too */
	uint8_t pad[6];
	struct fibd_addr src4, src6; /* fam 0: none */
};

struct fibd_ready {
	struct fibd_hdr h;
	int32_t err; /* not 0: refused, text says why, closed after it */
	uint32_t epoch;
	uint32_t adopted4, adopted6;
	uint32_t max_routes, keep_max_s;
	uint16_t port;
	uint8_t min4, max4, min6, max6;
	uint8_t nexthop_objects;
	uint8_t adopting; /* it goes on: there are more of them */
	char text[FIBD_TEXT];
};

/* LISTEN_REQ, NH_WATCH, NH_UNWATCH, ROUTE_DELETE; ROUTES_END and _FLUSH use
 * the family only. */
struct fibd_req {
	struct fibd_hdr h;
	struct fibd_addr a;
};

struct fibd_route {
	struct fibd_hdr h;
	struct fibd_addr a;
	uint32_t set;
	uint32_t pad;
};

struct fibd_nh {
	uint8_t o[16];
	uint32_t ifindex;
	uint8_t weight;
	uint8_t flags; /* FIBD_NH_ONLINK */
	uint8_t pad[2];
};

#define FIBD_NH_ONLINK 1

struct fibd_nhset {
	struct fibd_hdr h;
	uint32_t set;
	uint8_t fam;
	uint8_t n;
	uint8_t pad[2];
	struct fibd_nh nh[FIBD_NH];
};

struct fibd_nhset_drop {
	struct fibd_hdr h;
	uint32_t set;
	uint32_t pad;
};

/* A request that failed, by its number. */
struct fibd_done {
	struct fibd_hdr h;
	int32_t err;
	uint32_t pad;
	char text[FIBD_TEXT];
};

/* Every request up to h.seq is done; those that failed were told before. */
struct fibd_upto {
	struct fibd_hdr h;
};

struct fibd_fam_done {
	struct fibd_hdr h;
	uint8_t fam;
	uint8_t flushed;
	uint8_t pad[2];
	uint32_t removed;
};

/* err 0: the descriptor comes with the datagram (SCM_RIGHTS), in which this
 * is the only record. */
struct fibd_listener {
	struct fibd_hdr h;
	struct fibd_addr a;
	int32_t err;
	uint32_t pad;
	char text[FIBD_TEXT];
};

struct fibd_nh_state {
	struct fibd_hdr h;
	struct fibd_addr a; /* ifindex: through which, 0 none */
	struct fibd_addr via; /* the neighbor on that link; a itself */
	uint8_t reachable;
	uint8_t pad[7];
};

struct fibd_link {
	struct fibd_hdr h;
	uint32_t ifindex;
	uint32_t speed_mbps;
	uint8_t up, carrier, gone;
	uint8_t pad[5];
	char name[16];
};

/* A link's counters, every two seconds. */
struct fibd_traffic {
	struct fibd_hdr h;
	uint32_t ifindex;
	uint32_t pad;
	uint64_t at_ms; /* CLOCK_MONOTONIC */
	uint64_t rx_octets, tx_octets;
};

/* What ana-fibd itself uses, as often. */
struct fibd_usage {
	struct fibd_hdr h;
	uint64_t cpu_us, start_s; /* start_s: of the real clock */
	uint64_t virtual, resident; /* octets, 0: not known */
};

struct fibd_addr_ev {
	struct fibd_hdr h;
	struct fibd_addr a;
	uint8_t added;
	uint8_t pad[7];
};

struct fibd_state {
	struct fibd_hdr h;
	struct fibd_addr a;
	uint8_t what; /* enum fib_state of fib.h */
	uint8_t pad[7];
};

/* The size of a type's record; 0 for an unknown type. */
static inline uint16_t
fibd_size(unsigned int type)
{
	/* clang-format off */
	static const uint16_t size[] = {
		[FIBD_HELLO]		= sizeof(struct fibd_hello),
		[FIBD_LISTEN_REQ]	= sizeof(struct fibd_req),
		[FIBD_NHSET]		= sizeof(struct fibd_nhset),
		[FIBD_NHSET_DROP]	= sizeof(struct fibd_nhset_drop),
		[FIBD_ROUTE_REPLACE]	= sizeof(struct fibd_route),
		[FIBD_ROUTE_DELETE]	= sizeof(struct fibd_req),
		[FIBD_ROUTES_END]	= sizeof(struct fibd_req),
		[FIBD_ROUTES_FLUSH]	= sizeof(struct fibd_req),
		[FIBD_NH_WATCH]		= sizeof(struct fibd_req),
		[FIBD_NH_UNWATCH]	= sizeof(struct fibd_req),
		[FIBD_READY]		= sizeof(struct fibd_ready),
		[FIBD_DONE]		= sizeof(struct fibd_done),
		[FIBD_DONE_UPTO]	= sizeof(struct fibd_upto),
		[FIBD_FAM_DONE]		= sizeof(struct fibd_fam_done),
		[FIBD_LISTENER]		= sizeof(struct fibd_listener),
		[FIBD_NH_STATE]		= sizeof(struct fibd_nh_state),
		[FIBD_LINK]		= sizeof(struct fibd_link),
		[FIBD_ADDR]		= sizeof(struct fibd_addr_ev),
		[FIBD_STATE]		= sizeof(struct fibd_state),
		[FIBD_OVERRUN]		= sizeof(struct fibd_upto),
		[FIBD_TRAFFIC]		= sizeof(struct fibd_traffic),
		[FIBD_USAGE]		= sizeof(struct fibd_usage),
	};
	/* clang-format on */

	return type < sizeof size / sizeof size[0] ? size[type] : 0;
}

enum {
	FIBD_REC_MAX = sizeof(struct fibd_nhset),
	FIBD_DGRAM_MAX = FIBD_BATCH * FIBD_REC_MAX
};

#endif /* FIBD_PROTO_H */
