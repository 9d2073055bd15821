/*
 * fibsync.h -- keeps the kernel's table equal to what the Loc-RIB chose:
 * remembers what is wanted and what was told per prefix, and asks the FIB for
 * the difference.  Level-triggered: when ana-fibd is lost or restarted, all
 * that is wanted is asked for again.
 */
#ifndef FIBSYNC_H
#define FIBSYNC_H

#include "platform/fib.h"

struct fibsync;

enum fibsync_state {
	FIBSYNC_NONE,
	FIBSYNC_PENDING,
	FIBSYNC_INSTALLED,
	FIBSYNC_FAILED,
	FIBSYNC_CONFLICT
};
const char *fibsync_state_name(enum fibsync_state);

struct fibsync_route {
	struct pfx pfx;
	enum fibsync_state state;
	int err; /* with FAILED and CONFLICT */
	const char *text; /* what ana-fibd or the kernel said, or NULL */
	struct fib_nh nh[FIB_SET_NH];
	size_t nnh;
};

/* What somebody else did to a route of ours, or a conflict. */
struct fibsync_drift {
	struct pfx pfx;
	enum fib_state what;
	int64_t at_s; /* real time */
};

enum {
	FIBSYNC_DRIFTS = 256, /* the last so many are kept */
	FIBSYNC_ERRORS = 15 /* kinds that are counted apart */
};

struct fibsync_stats {
	uint32_t wanted[FAM_N], installed[FAM_N], failed[FAM_N];
	uint32_t pending; /* prefixes not asked for or not answered yet */
	uint64_t errors, overruns; /* errors: all of fibsync_error() */
	uint64_t drift[FAM_N], conflicts; /* ours changed; foreign ones met */
	uint32_t sets;
};

struct fibsync *fibsync_new(void);
void fibsync_free(struct fibsync *);
/* Never more routes than this, both families; 0: no limit. */
void fibsync_set_max(struct fibsync *, uint32_t max);

/*
 * The next hops that the prefix should have; none: it should not be there.
 * Each lane has its turn, whatever waits in others: who loads a table is in
 * one of its own, mostly (there are a few only, any number will do).  Of what
 * waits in one lane, prefixes far apart go first: the kernel likes it.
 */
void fibsync_want(struct fibsync *, const struct pfx *, const struct fib_nh *,
    size_t n, unsigned int lane);
/*
 * Asks the FIB (NULL: there is none now) for up to budget differences, some of
 * each lane in turn.  True: more could be asked at once; false: nothing to do,
 * or no room.
 */
bool fibsync_run(struct fibsync *, struct fib *, unsigned int budget);
/*
 * Weights in proportion to the speeds, as small numbers: 10 and 100 Gbit/s are
 * 1 and 10.  All the same when one speed is not known (0).
 */
void fibsync_weigh(struct fib_nh *, const uint32_t *speed, size_t n);
/* Nothing waits to be asked or answered. */
bool fibsync_settled(const struct fibsync *);

/* From the FIB's events. */
void fibsync_ready(struct fibsync *); /* HELLO answered: ask all again */
void fibsync_down(struct fibsync *);
void fibsync_done(struct fibsync *, const struct pfx *, bool removed, int err,
    const char *text);
/* The one route whose answer is timed, until it is answered; NULL: none. */
const struct pfx *fibsync_timed(const struct fibsync *);
void fibsync_set_done(struct fibsync *, uint32_t set, bool dropped, int err);
/* A set of next hops was refused, its routes fail until fibsync_retry(); or
 * there is room for routes that were kept out.  To be looked at after a while,
 * not at once: either may be so for long. */
bool fibsync_refused(const struct fibsync *);
/* There is room again for routes that fibsync_set_max() kept out, and nobody
 * was told so yet: all are to be wanted again. */
bool fibsync_take_room(struct fibsync *);
/*
 * A next hop is lost for good, to all paths: sets that had it are sets without
 * it, told once, and their routes, which must be wanted with the rest of them
 * now, need no word each.
 */
void fibsync_lost(struct fibsync *, const struct addr *, uint32_t ifindex);
/* Asks again for refused sets and for the routes that failed. */
void fibsync_retry(struct fibsync *);
/* True: a route that was as it should be was not any more. */
bool fibsync_told(
    struct fibsync *, const struct pfx *, enum fib_state, int64_t now_s);
void fibsync_overrun(struct fibsync *);

/* FIBSYNC_NONE when the prefix is not wanted. */
enum fibsync_state fibsync_get(
    const struct fibsync *, const struct pfx *, struct fibsync_route *);
/* Ordered walk as trie_next(); false at the end. */
bool fibsync_next(
    const struct fibsync *, enum fam, struct pfx *at, struct fibsync_route *);
/* Newest first; NULL behind the last. */
const struct fibsync_drift *fibsync_drift_at(const struct fibsync *, size_t);
/* The i-th kind of error met; false after the last. */
struct fibsync_error {
	int err; /* 0: all those without a place of their own */
	uint64_t n[FAM_N]; /* FAM_NONE: of a set of next hops */
};
bool fibsync_error(
    const struct fibsync *, unsigned int i, struct fibsync_error *);
/* Octets of all that it keeps. */
size_t fibsync_memory(const struct fibsync *);
void fibsync_get_stats(const struct fibsync *, struct fibsync_stats *);

#endif /* FIBSYNC_H */
