/*
 * adjin.h -- the Adj-RIB-In of one peer: everything it announced, accepted or
 * rejected (with the reason), and the limits, which are known before anything
 * is stored.  The records are the RIB's paths (rib/locrib.h); this keeps the
 * peer's lists of them and its counters, all O(1).
 *
 * Three kinds: counted ones; malformed ones (RFC 7606 treat-as-withdraw:
 * shown, never eligible, not counted); held ones (what a limit's action
 * discard or freeze keeps back: not eligible, counted apart).
 */
#ifndef ADJIN_H
#define ADJIN_H

#include "rib/locrib.h"

struct adjin;

/* 0 is "no limit" in each. */
struct adjin_limits {
	uint8_t max_len[FAM_N]; /* longest prefix length */
	uint32_t received; /* the session's families together */
	uint32_t received_fam[FAM_N];
	uint32_t accepted, accepted_fam[FAM_N]; /* see adjin_may_accept() */
};

enum adjin_verdict {
	ADJIN_OK,
	ADJIN_TOO_LONG, /* to be stored as rejected; counts as received */
	ADJIN_OVER_LIMIT, /* the limit's action decides; nothing is stored */
};

enum adjin_change {
	ADJIN_SAME,
	ADJIN_NEW,
	ADJIN_CHANGED
};

enum adjin_flag {
	ADJIN_MALFORMED = 1, /* no attributes, a reason other than 0 */
	ADJIN_HELD = 2, /* by a limit; a reason other than 0 */
};

/* Borrows the RIB.  One at a time for each peer number, 1..RIB_PEER_MAX. */
struct adjin *adjin_new(struct rib *, uint16_t peer);
/* Deletes what is left at once (adjin_flush() before, to do it in steps). */
void adjin_free(struct adjin *);
/* Takes effect for what comes later; counters stay. */
void adjin_set_limits(struct adjin *, const struct adjin_limits *);

/*
 * What was stale since the end of a session counts against no limit until it
 * is renewed: adjin_mark_stale().
 *
 * May this prefix come in?  ADJIN_OVER_LIMIT when it is not counted yet and
 * would be one more than the session's or its family's `received`, *limit
 * (if not NULL) says which number; else ADJIN_TOO_LONG by its length.
 * Stores nothing.  With ADJIN_MALFORMED: never over a limit.
 */
enum adjin_verdict adjin_admit(const struct adjin *, const struct pfx *,
    unsigned int flags, uint32_t *limit);
/*
 * One more accepted prefix, or this one if it is accepted already, stays
 * within accepted and accepted_fam: ask before a put with reason 0, `again`
 * as in that.
 */
bool adjin_may_accept(const struct adjin *, const struct pfx *, bool again);

struct adjin_route {
	uint32_t attrs_in; /* borrowed; 0 only when malformed */
	uint32_t attrs; /* borrowed; after policy; 0 when rejected */
	uint16_t reason; /* 0: accepted */
	uint8_t flags; /* enum adjin_flag */
	bool again; /* not new from the peer: what was stale stays so */
};

/*
 * Stores or replaces the peer's route, takes references of its own, clears
 * its stale mark (unless `again`), and marks the destination where the decision
 * could change. ADJIN_SAME: nothing differs from what was there.
 */
enum adjin_change adjin_put(struct adjin *, const struct pfx *,
    const struct adjin_route *, uint32_t now_s);
/* Withdrawn; false when it was not there. */
bool adjin_del(struct adjin *, const struct pfx *);
bool adjin_find(const struct adjin *, const struct pfx *, struct rib_path *);

/* ---- graceful restart, BoRR ---- */

/*
 * Everything of the family is stale until it is put again.  At once.  `spare`:
 * of a session that ended, so that its routes leave room for those of the next
 * one; a BoRR, which can come again and again, must not.
 */
void adjin_mark_stale(struct adjin *, enum fam, bool spare);
/* Deletes up to `budget` routes that are stale; true: more are left. */
bool adjin_sweep(struct adjin *, enum fam, unsigned int budget);
/* Deletes up to `budget` routes, whatever they are; true: more are left. */
bool adjin_flush(struct adjin *, unsigned int budget);

/* ---- looking ---- */

struct adjin_count {
	uint32_t received; /* counted ones, rejected and stale included */
	uint32_t accepted, rejected;
	uint32_t stale;
	uint32_t malformed, held;
	/* Of received and of accepted, what counts against no limit. */
	uint32_t spared, spared_accepted;
};
const struct adjin_count *adjin_count(const struct adjin *, enum fam);
/* Both families together. */
uint32_t adjin_received(const struct adjin *);
/* Of them, what counts against the limits. */
uint32_t adjin_limited(const struct adjin *);

enum {
	ADJIN_REASONS = 32
};
struct adjin_reason {
	uint16_t reason;
	uint32_t now[FAM_N]; /* routes that stand rejected for it */
	uint64_t total[FAM_N]; /* since adjin_new() */
};
/* i from 0 on, false at the end.  Reason RIB_REASON_MAX is "all others". */
bool adjin_reason(const struct adjin *, unsigned int i, struct adjin_reason *);

/* The route held back longest (adjin_put() it without the flag), or false. */
bool adjin_held_first(const struct adjin *, enum fam, struct pfx *);

/*
 * Walk over one family in the order of prefixes, across turns of the loop:
 * routes may come and go meanwhile.  The walk must be freed before the adjin.
 */
struct adjin_walk;
struct adjin_walk *adjin_walk_new(struct adjin *, enum fam);
void adjin_walk_free(struct adjin_walk *);
enum adjin_step {
	ADJIN_STEP_END,
	ADJIN_STEP_ROUTE,
	ADJIN_STEP_LATER
};
/* ADJIN_STEP_LATER: the budget (counted down) is used up, call again. */
enum adjin_step adjin_walk_next(
    struct adjin_walk *, unsigned int *budget, struct pfx *, struct rib_path *);

#endif /* ADJIN_H */
