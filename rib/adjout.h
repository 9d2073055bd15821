/*
 * adjout.h -- what was told: one Adj-RIB-Out for each export group, that is
 * for all peers with the same export result, with each member's position.
 *
 * A group has one small entry a destination and a log of entries in the order
 * of their last change.  Each member is a cursor in the log: what stands
 * behind it is still to be told to it.  A destination that changes again
 * before a slow member got there moves to the end: nothing is queued twice,
 * and a slow peer costs the others nothing.  Members that stand at the same
 * place and agreed on the same encoding get the same octets, encoded once.
 *
 * A route is not told to the peer it comes from, nor to an internal one whose
 * address is its next hop.
 */
#ifndef ADJOUT_H
#define ADJOUT_H

#include "rib/locrib.h"

struct adjout_group;
struct adjout_member;

struct adjout_opts {
	/* 0: no limit; what is beyond, of one family or both, is refused. */
	uint32_t max_prefixes[FAM_N], max_session;
};

/*
 * The attributes to tell for this destination with its best path, as a number
 * with a reference that becomes the group's; 0: do not tell.
 */
typedef uint32_t adjout_export_fn(
    void *arg, const struct pfx *, const struct rib_path *best);
/*
 * Takes one whole message (borrowed) for the member's session; must take it.
 * False: the queue is above its mark: nothing more comes than what belongs to
 * the batch under way (some hundred prefixes), until adjout_resume().
 */
typedef bool adjout_send_fn(
    void *arg, struct adjout_member *, const uint8_t *msg, size_t len);

struct adjout_calls {
	adjout_export_fn *export;
	adjout_send_fn *send;
	void *arg;
};

/* Borrows the RIB.  Starts with a walk over it, done by adjout_run(). */
struct adjout_group *adjout_group_new(struct rib *, const struct adjout_opts *);
/*
 * Frees up to `budget` entries and, with the last one, the group; true: more
 * are left.  Members must have left.  Tells nobody anything.
 */
bool adjout_group_free(struct adjout_group *, unsigned int budget);
/* The export policy changed: evaluates every destination again. */
void adjout_reexport(struct adjout_group *, const struct adjout_opts *);

/* The destination's best path changed: evaluated once by adjout_run(). */
void adjout_mark(struct adjout_group *, uint32_t dest);

/*
 * Works up to about `budget` prefixes; true: more can be done now (members
 * whose queue is full do not count).
 */
bool adjout_run(
    struct adjout_group *, unsigned int budget, const struct adjout_calls *);

/* ---- members ---- */

/*
 * The session with this peer number comes up: it is told everything, then
 * End-of-RIB for each family of neg (copied).  `user` is the caller's.
 */
struct adjout_member *adjout_join(
    struct adjout_group *, uint16_t peer, const struct wire_neg *, void *user);
/* The session is gone; the peer forgets by itself. */
void adjout_leave(struct adjout_member *);
/*
 * Its export changed: from now on it is a member of `to` (same RIB), with the
 * session, counters and pending refreshes gone on.  It is told everything of
 * the new group and withdrawn what only the old one had; no End-of-RIB again.
 * Looks at every entry of the old group at once.
 */
void adjout_move(struct adjout_member *, struct adjout_group *to);
struct adjout_group *adjout_group(const struct adjout_member *);
void *adjout_user(const struct adjout_member *);
/* There is room in its queue again. */
void adjout_resume(struct adjout_member *);
/* Route refresh (RFC 2918), with BoRR and EoRR around it (RFC 7313). */
void adjout_refresh(struct adjout_member *, enum fam, bool enhanced);
/* It has been told everything (and sent End-of-RIB). */
bool adjout_synced(const struct adjout_member *);

struct adjout_count {
	uint64_t announced[FAM_N], withdrawn[FAM_N]; /* prefixes sent */
	uint64_t messages;
};
const struct adjout_count *adjout_count(const struct adjout_member *);

/* ---- looking ---- */

struct adjout_stats {
	uint32_t prefixes[FAM_N]; /* told or to be told */
	uint32_t refused[FAM_N]; /* refused by max_prefixes now */
	uint32_t members, dirty, tombstones;
	size_t memory;
};
void adjout_stats(const struct adjout_group *, struct adjout_stats *);
/* Is it told to (or about to be told to) this member; its attributes. */
bool adjout_find(
    const struct adjout_member *, const struct pfx *, uint32_t *attrs);
/*
 * Walk in the order of prefixes, as rib_next(): the number of attributes told
 * to the member for *at, 0 at the end; *budget counts down destinations
 * looked at: at 0 it returns 0 too, and *at is where to go on.
 */
uint32_t adjout_next(const struct adjout_member *, enum fam, struct pfx *at,
    unsigned int *budget);

#endif /* ADJOUT_H */
