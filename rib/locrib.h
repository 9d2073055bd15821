/*
 * locrib.h -- the RIB of both families: destinations in a trie, the paths of
 * all peers to each, the best one and its equals (ECMP).
 *
 * A path is one record, in the list of its destination and in the list of its
 * peer: what rib/adjin.h calls a peer's Adj-RIB-In are these same records, so
 * a route is stored once.  Rejected routes are there too, with the reason.
 *
 * Whoever changes a path marks its destination; rib_run() decides marked ones
 * anew and says what changed.  A destination that flaps while it waits is
 * decided once, and when it came back to what it was, nobody hears of it.
 *
 * A destination is named by a number (not 0), which stays its own as long as
 * it has paths, references (rib_dest_ref), or is marked.  Out of memory ends
 * the process.
 */
#ifndef LOCRIB_H
#define LOCRIB_H

#include "lib/pfx.h"
#include "rib/attrs.h"
#include "rib/decide.h"
#include "rib/nexthop.h"

enum {
	RIB_LOCAL = 0, /* the peer number of what we originate */
	RIB_PEER_MAX = 16383,
	RIB_REASON_MAX = 4095, /* what is above is kept as this */
	RIB_ECMP_MAX = 64,
};

struct rib;

/* Borrows the pool, and its table of next hops, for its lifetime. */
struct rib *rib_new(struct attrs_pool *);
/* Everything goes at once, Adj-RIBs-In must have been freed before. */
void rib_free(struct rib *);
struct attrs_pool *rib_attrs(const struct rib *);

/* What the decision needs to know about a peer; the number is the shell's. */
struct rib_peer {
	bool internal;
	uint32_t as, router_id, weight;
	struct addr addr;
};
/* Before its first route; a change later is worked off by rib_nexthop_run(). */
void rib_peer_set(struct rib *, uint16_t peer, const struct rib_peer *);
/* All zero for a number never set. */
const struct rib_peer *rib_peer_get(const struct rib *, uint16_t peer);
/*
 * How many equal paths are used together: 1 (the default) to RIB_ECMP_MAX.
 * A change is worked off by rib_nexthop_run().
 */
void rib_set_multipath(struct rib *, unsigned int max);

/* ---- destinations ---- */

uint32_t rib_find(const struct rib *, const struct pfx *); /* or 0 */
/* Longest match that has any path or reference; *found its prefix; or 0. */
uint32_t rib_longest(const struct rib *, const struct pfx *, struct pfx *found);
/* The next shorter one that covers p. */
uint32_t rib_shorter(const struct rib *, const struct pfx *, struct pfx *found);
/*
 * Walk of one family in the order of prefixes: the destination after *at,
 * which moves there.  at->addr.fam == FAM_NONE starts.  0 at the end.
 * Anything may change between two steps.
 */
uint32_t rib_next(const struct rib *, enum fam, struct pfx *at);
void rib_dest_pfx(const struct rib *, uint32_t dest, struct pfx *);
static inline enum fam
rib_dest_fam(uint32_t dest)
{
	return dest & 1 ? FAM_INET6 : FAM_INET;
}

/* Number from 0 on, dense within its family: for tables beside the RIB. */
static inline uint32_t
rib_dest_index(uint32_t dest)
{
	return (dest >> 1) - 1;
}

/* Keeps the number; the last rib_dest_unref() may free the destination. */
void rib_dest_ref(struct rib *, uint32_t dest);
void rib_dest_unref(struct rib *, uint32_t dest);

/* ---- paths ---- */

struct rib_path {
	uint16_t peer;
	uint16_t reason; /* 0: accepted */
	uint32_t attrs_in; /* as received; 0 when malformed */
	uint32_t attrs; /* after the import policy; 0 when rejected */
	uint32_t since; /* last change */
	bool best, ecmp; /* ecmp: used together with the best (itself too) */
	bool stale, malformed, held;
};

/* Every path, best first: *it starts at 0.  False at the end. */
bool rib_paths(
    const struct rib *, uint32_t dest, uint32_t *it, struct rib_path *);
/* The best one as of the last rib_run(); false: none. */
bool rib_best(const struct rib *, uint32_t dest, struct rib_path *);
/*
 * Every path, with the step at which it lost (DECIDE_INELIGIBLE: rejected,
 * held, or its next hop is unreachable), decided now.  At most max are
 * written; returns how many there are.
 */
size_t rib_explain(struct rib *, uint32_t dest, struct rib_path *,
    enum decide_why *lost, size_t max);

/* ---- decisions ---- */

/* The destination is to be decided anew: queued once. */
void rib_mark(struct rib *, uint32_t dest);

struct rib_change {
	uint32_t dest;
	const struct pfx *pfx;
	/* attrs 0: there was none, there is none.  Old ones are still held. */
	uint32_t old_attrs, new_attrs;
	uint16_t old_peer, new_peer;
	bool best_changed; /* attributes or peer */
	bool ecmp_changed; /* who is used together, or what one of them says */
	bool hop_changed; /* a next hop in use: its interface or cost */
};

/*
 * Called for what changed only.  May read the RIB and mark other things (FIB,
 * Adj-RIB-Out), take references; must not put or delete paths.
 */
typedef void rib_best_fn(void *arg, const struct rib_change *);

/* Decides up to `budget` marked destinations; true: more are waiting. */
bool rib_run(struct rib *, unsigned int budget, rib_best_fn *, void *arg);
/*
 * After nexthop_set_state() or rib_peer_set(): marks what depends on next hops
 * and peers that changed, looking at up to `budget` paths; true: more are
 * left.  Costs nothing when nothing changed.
 */
bool rib_nexthop_run(struct rib *, unsigned int budget);

struct rib_stats {
	size_t dests[FAM_N], paths[FAM_N], best[FAM_N];
	size_t dirty;
	size_t memory; /* without the attribute pool */
};
void rib_stats(const struct rib *, struct rib_stats *);

/* ---- what we originate: paths of peer RIB_LOCAL ---- */

/* A network of ours with these attributes (borrowed number); marks. */
void rib_local_put(
    struct rib *, const struct pfx *, uint32_t attrs, uint32_t now_s);
/* False when it is not there. */
bool rib_local_del(struct rib *, const struct pfx *);

#endif /* LOCRIB_H */
