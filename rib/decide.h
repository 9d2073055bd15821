/*
 * decide.h -- which of several routes to one destination is used: RFC 4271
 * 9.1.1 (degree of preference) and 9.1.2.2 (breaking ties), with RFC 4456
 * section 9.  Deterministic: the order of arrival plays no part, RFC 5004 is
 * not used, and MED is compared by group of neighbouring AS as the text says.
 */
#ifndef DECIDE_H
#define DECIDE_H

#include "bgpd/wire/wire.h"

#define DECIDE_LOCAL_PREF 100 /* where a route has none */

/* The step at which a route lost; in the order in which they are taken. */
enum decide_why {
	DECIDE_BEST, /* it did not */
	DECIDE_INELIGIBLE, /* never a candidate (told by rib_explain()) */
	DECIDE_WEIGHT, /* 9.1.1: local configuration */
	DECIDE_LOCAL_PREF_LOST, /* 9.1.1 */
	DECIDE_LOCAL, /* originated here comes before learned */
	DECIDE_AS_PATH, /* (a) */
	DECIDE_ORIGIN, /* (b) */
	DECIDE_MED, /* (c) within one neighbouring AS */
	DECIDE_EXTERNAL, /* (d) */
	DECIDE_COST, /* (e) */
	DECIDE_ROUTER_ID, /* (f) or ORIGINATOR_ID: equal until here is ECMP */
	DECIDE_CLUSTER_LIST, /* RFC 4456 9 */
	DECIDE_PEER_ADDR, /* (g) */
	DECIDE_N,
};

struct decide_route {
	const struct attrs *attrs;
	bool local; /* announced by ourselves */
	bool internal; /* learned from a peer of our AS */
	uint32_t weight; /* higher wins */
	uint32_t router_id;
	uint32_t peer_as;
	struct addr peer_addr;
	uint32_t cost; /* of the way to its next hop */
};

/*
 * The index of the best of n >= 1 routes.  lost[i] becomes the step at which
 * route i was eliminated, DECIDE_BEST for the winner.  Costs n log n.
 */
size_t decide_best(
    const struct decide_route *, size_t n, enum decide_why *lost);
/* A route that lost there is equal to the best one through step (e). */
bool decide_multipath(enum decide_why lost);
/* The order of steps (f) and (g) alone; <0: a first. */
int decide_tiebreak(const struct decide_route *a, const struct decide_route *b);
/* "as-path"; and "the AS path is longer, RFC 4271 9.1.2.2 (a)". */
const char *decide_why_name(enum decide_why);
const char *decide_why_text(enum decide_why);

#endif /* DECIDE_H */
