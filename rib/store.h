/*
 * store.h -- the records of the RIB, for locrib.c and adjin.c only.
 *
 * A million routes cost what is here: 32 octets a path, 12 (IPv6: 24) a
 * destination.  So the records name each other by slab numbers, and a
 * destination's number carries its family in the lowest bit.
 */
#ifndef STORE_H
#define STORE_H

#include "lib/mem.h"
#include "lib/trie.h"
#include "rib/adjin.h"
#include "rib/idq.h"
#include "rib/locrib.h"

struct path {
	uint32_t next; /* in its destination; the slab's link when free */
	uint32_t dest; /* 0: free */
	uint32_t peer_prev, peer_next;
	uint32_t in, after; /* attributes, with a reference each */
	uint32_t since;
	uint32_t peer : 14;
	uint32_t reason : 12;
	uint32_t malformed : 1;
	uint32_t held : 1;
	uint32_t best : 1;
	uint32_t ecmp : 1;
	uint32_t gen : 2; /* stale when not its peer's */
};
_Static_assert(sizeof(struct path) == 32, "a million of them");

/*
 * What was the best path at the last run stands first, with `best` set.  When
 * it changes or goes before the next run, a ghost stands there in its place:
 * a path in no peer's list, that no one sees but rib_best() and the decision.
 * A destination with a ghost is dirty.
 */
static inline bool
is_ghost(const struct path *p)
{
	return p->malformed && p->held;
}

struct dest {
	uint32_t first;
	uint16_t refs;
	uint8_t len;
	uint8_t dirty : 1;
	uint8_t ecmp_touched : 1;
	uint8_t hop_touched : 1;
	uint8_t addr[]; /* 4 or 16 octets */
};

struct peer_slot {
	struct rib_peer facts;
	uint32_t npaths;
	uint8_t gen[FAM_N];
	bool pending; /* facts changed, routes not looked at */
};

struct rib {
	struct attrs_pool *pool;
	struct nexthops *hops;
	struct trie *trie[FAM_N];
	struct slab dests[FAM_N];
	struct slab paths;
	size_t npaths[FAM_N], nbest[FAM_N];
	struct idq dirty;
	struct peer_slot *peers;
	uint32_t npeers;
	unsigned int max_ecmp;

	/* The walk for changed next hops: a lap around the slab of paths. */
	uint32_t lap_at, lap_left, lap_used;
	bool peers_pending;

	/* Room for the candidates of one destination. */
	uint32_t *cand;
	struct decide_route *route;
	struct attrs *view;
	enum decide_why *lost;
	size_t cand_cap;
};

static inline struct path *
rib_path_at(const struct rib *rib, uint32_t id)
{
	return slab_at(&rib->paths, id);
}

static inline struct dest *
rib_dest_at(const struct rib *rib, uint32_t dest)
{
	return slab_at(&rib->dests[rib_dest_fam(dest)], dest >> 1);
}

/* All grow the table: the pointer lives until the next call for a new peer. */
struct peer_slot *rib_peer_slot(struct rib *, uint16_t peer);
/* Made if it is not there: has no path then, add one, or it stays. */
uint32_t rib_dest_get(struct rib *, const struct pfx *);
/* The path of this peer, or 0. */
uint32_t rib_path_find(const struct rib *, uint32_t dest, uint16_t peer);
/* An empty one, rejected for no reason, in no peer's list. */
uint32_t rib_path_add(struct rib *, uint32_t dest, uint16_t peer);
/*
 * Gives it new content, with references of its own, and marks the destination
 * when the decision could differ.  False when nothing differs.
 */
bool rib_path_set(
    struct rib *, uint32_t id, const struct adjin_route *, uint32_t now_s);
/* Must be in no peer's list any more; may free the destination. */
void rib_path_del(struct rib *, uint32_t id);
void rib_path_view(const struct rib *, uint32_t id, struct rib_path *);
bool rib_path_stale(const struct rib *, const struct path *);

#endif /* STORE_H */
