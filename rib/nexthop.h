/*
 * nexthop.h -- which next hops matter, and their last known state, which is
 * told from outside (ana-fibd's watch, or the connected subnet in a lab).
 *
 * A next hop is a pair: the global address and, for IPv6, the link-local one.
 * It is there as long as an attribute set names it (refs), and it is wanted,
 * that is worth resolving, as long as an accepted path uses it (users).
 */
#ifndef NEXTHOP_H
#define NEXTHOP_H

#include "lib/addr.h"

#define NEXTHOP_NO_COST UINT32_MAX

struct nexthops;

struct nexthop {
	struct addr addr, ll;
	struct addr via; /* the neighbor that leads there; FAM_NONE: itself */
	bool reachable;
	bool known; /* its state was told, since it is wanted */
	uint32_t ifindex;
	uint32_t cost; /* RFC 4271 9.1.2.2 (e); 0 for a connected one */
	uint32_t refs, users;
};

struct nexthops *nexthops_new(void);
void nexthops_free(struct nexthops *);
size_t nexthops_count(const struct nexthops *);
size_t nexthops_memory(const struct nexthops *);

/*
 * The number (not 0) of the pair, made when it is new (then unreachable until
 * somebody says otherwise), with one reference more.  ll may be "none".
 */
uint32_t nexthop_get(
    struct nexthops *, const struct addr *addr, const struct addr *ll);
void nexthop_unref(struct nexthops *, uint32_t id);
/* Borrowed; valid until the number is freed.  NULL for 0. */
const struct nexthop *nexthop_at(const struct nexthops *, uint32_t id);
/* In order of addresses: the next number after id (0: the first), or 0. */
uint32_t nexthop_next(const struct nexthops *, uint32_t id);
/* Likewise, of those with this address only: they differ in the other half. */
uint32_t nexthop_next_of(
    const struct nexthops *, const struct addr *, uint32_t id);

/*
 * For the RIB: an accepted path begins or ceases to use it.  What is watched
 * is the global address: one that comes into use beside, or in place of, one
 * that differs in the other half is known at once, so that a peer that changes
 * that half does not lose its routes until the answer is there.
 */
void nexthop_use(struct nexthops *, uint32_t id);
void nexthop_unuse(struct nexthops *, uint32_t id);
/*
 * Takes one next hop that became wanted, or ceased to be, since it was last
 * taken: what is to be watched from now on, or no longer.  False: none.
 */
struct nexthop_wish {
	struct addr addr, ll;
	bool wanted;
};
bool nexthop_take_wish(struct nexthops *, struct nexthop_wish *);

/*
 * What is known about it now.  True when that is a change; it is then pending:
 * the destinations that use it have to be looked at, by rib_nexthop_run().
 */
bool nexthop_set_state(struct nexthops *, uint32_t id, bool reachable,
    uint32_t ifindex, uint32_t cost);
/* Likewise: over which neighbor (FAM_NONE: it is one itself). */
bool nexthop_set_via(struct nexthops *, uint32_t id, const struct addr *via);
/* For the RIB's walk. */
bool nexthop_pending(const struct nexthops *, uint32_t id);
bool nexthops_any_new(struct nexthops *); /* and forgets that */
void nexthops_settled(struct nexthops *); /* nothing is pending */

#endif /* NEXTHOP_H */
