/*
 * announce.h -- which of our networks are told to the neighbors, and marked
 * how: from their tracks, delays, damping, drains, commands and the
 * min-healthy guard.  Pure: given now_ms of any monotonic clock it returns
 * deadlines and marks; who owns the RIB does what the marks say.
 *
 *	announce_conf()		what is configured, at start and on reload
 *	announce_result()	a track was looked at
 *	announce_drain() ...	what an operator asks for
 *	announce_run()		after any of these, and at announce_next()
 *	announce_take()		each network whose result is another one
 *
 * One network's state is one of four; its cause says which input decided:
 *
 *	WITHDRAWN	not told
 *	UP		told as configured
 *	DEGRADED	told with on-fail's prepend or MED, while tracks fail
 *	DRAINING	told with GRACEFUL_SHUTDOWN (RFC 8326) until a time,
 *			WITHDRAWN then
 *
 * The order of the inputs, the first that applies decides: not settled yet
 * (the state before stays), a withdraw by command, a drain by an operator,
 * damping, tracks, else UP.
 */
#ifndef ANNOUNCE_H
#define ANNOUNCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bgpd/announce/track.h"
#include "lib/pfx.h"

enum announce_state {
	ANNOUNCE_WITHDRAWN,
	ANNOUNCE_UP,
	ANNOUNCE_DEGRADED,
	ANNOUNCE_DRAINING
};
const char *announce_state_name(enum announce_state);

/* Which input decided. */
enum announce_cause {
	ANNOUNCE_HEALTHY, /* tracks hold, or there are none */
	ANNOUNCE_SETTLING, /* tracks are not known yet */
	ANNOUNCE_TRACKS, /* too few are up */
	ANNOUNCE_UP_DELAY, /* enough are up, not for long enough */
	ANNOUNCE_DOWN_DELAY, /* too few are up, not for long enough */
	ANNOUNCE_DAMPED, /* it flapped too often */
	ANNOUNCE_COMMAND, /* an operator withdrew it */
	ANNOUNCE_OPERATOR, /* an operator drains it */
	ANNOUNCE_GUARD, /* it fails, and is kept by min-healthy */
};
const char *announce_cause_name(enum announce_cause);

enum announce_fail {
	ANNOUNCE_FAIL_WITHDRAW,
	ANNOUNCE_FAIL_DRAIN,
	ANNOUNCE_FAIL_PREPEND,
	ANNOUNCE_FAIL_MED
};

/* How it is told: on top of what the network's block configures. */
struct announce_how {
	bool told;
	bool gshut; /* with GRACEFUL_SHUTDOWN */
	uint8_t prepend; /* our AS so many times more, to external neighbors */
	bool med_set;
	uint32_t med; /* in place of the configured one */
};

struct announce_net_conf {
	struct pfx pfx;
	const uint32_t *track; /* indices into announce_conf.track */
	size_t ntrack;
	uint32_t need; /* how many of them must be up; 0: all */
	uint32_t up_delay_ms, down_delay_ms;
	enum announce_fail on_fail;
	uint32_t fail_value; /* of prepend and med */
	uint32_t drain_ms; /* of on-fail drain, and an operator's default */
	uint32_t index; /* the caller's name for it */
	/* Flap damping: each fall costs 1000, half of it is forgotten in
	 * half_life_ms (0: off); held from suppress on until reuse. */
	uint32_t half_life_ms, suppress, reuse;
};

struct announce_conf {
	const struct track_conf *track; /* each key once */
	size_t ntrack;
	const struct announce_net_conf *net; /* each prefix once */
	size_t nnet;
	/* Of the networks with tracks that no operator took away, so many
	 * stay told whatever their tracks say: at least min_healthy, and
	 * min_healthy_pct of them, rounded up.  0, 0: off. */
	uint32_t min_healthy;
	uint8_t min_healthy_pct;
};

enum {
	ANNOUNCE_REASON_LEN = 128,
	ANNOUNCE_WHO_LEN = 32,
	ANNOUNCE_PENALTY = 1000,
	ANNOUNCE_PENALTY_MAX = 20000,
	ANNOUNCE_ADDED_MAX = 256, /* networks by command; and absent ones */
};

/* One network.  Read it as you like; only this module writes to it. */
struct announce_net {
	struct announce_net_conf conf; /* track is NULL: see below */
	struct track **track; /* conf.ntrack of them */
	bool added; /* by command, not configured */
	/* A reload removed it: not told, and here only for its commands, which
	 * hold when another one has it again. */
	bool absent;
	bool gone; /* taken once more, as not told, and freed then */

	enum announce_state state;
	enum announce_cause cause;
	struct announce_how how;
	int64_t since_ms; /* of state and cause */
	uint64_t until_ms; /* what ends it by itself: delay, drain, damping;
			    * UINT64_MAX: nothing does */

	/* Tracks and delays. */
	bool healthy; /* the tracks' say behind the delays */
	bool settled; /* it was known once */
	bool kept; /* fails, and is told because of min-healthy */
	int64_t verdict_ms; /* since when the tracks say what they say */
	int8_t verdict; /* 1, 0, -1: not known */
	int64_t failed_ms; /* when healthy was lost */
	uint32_t flaps;
	uint32_t transitions; /* told to not told and back */
	uint32_t penalty; /* at penalty_ms; announce_penalty() for now */
	int64_t penalty_ms;
	bool damped;

	/* Commands. */
	bool withdrawn; /* network withdraw */
	bool persistent; /* of withdrawn and added: over a restart, too */
	char withdraw_reason[ANNOUNCE_REASON_LEN]; /* the text; "" none */
	bool draining; /* drain, until undrain */
	uint64_t drain_until_ms; /* WITHDRAWN then; UINT64_MAX: never */
	uint8_t drain_prepend;
	bool drain_med_set;
	uint32_t drain_med;
	char drain_reason[ANNOUNCE_REASON_LEN];
	char who[ANNOUNCE_WHO_LEN]; /* drains it */

	bool mark; /* waits for announce_take() */
	uint8_t said; /* the caller's: the state it told of last, and 1 */
};

struct announce {
	struct track **track; /* in the order of the configuration */
	size_t ntrack;
	struct announce_net **net; /* sorted by prefix */
	size_t nnet;
	struct announce_net **gone; /* to be taken */
	size_t ngone;
	struct announce_net *last; /* gone and taken: freed by the next take */
	size_t take_at;
	uint32_t min_healthy;
	uint8_t min_healthy_pct;
	uint32_t kept; /* by min-healthy, now: an alarm */
	uint32_t nadded;
	bool changed; /* anything worth saving; the caller clears it */
	bool due; /* announce_run() has something to look at */
	uint64_t next_ms;
};

/* Empty, the caller's; freed with its networks and tracks.  All times here are
 * of one monotonic clock, in milliseconds. */
struct announce *announce_new(void);
void announce_free(struct announce *);
/*
 * What is configured from now on.  Networks and tracks that were there (by
 * prefix, by key) keep their state; one that is gone is taken once more.  One
 * that is gone and is withdrawn or drained by command is absent, unless
 * ANNOUNCE_ADDED_MAX are, or were added.
 */
void announce_conf(
    struct announce *, const struct announce_conf *, uint64_t now_ms);

/* NULL: not there (or gone).  Borrowed, until the next announce_conf(),
 * announce_withdraw(), announce_run() or announce_take(). */
struct announce_net *announce_find(const struct announce *, const struct pfx *);
struct track *announce_track(const struct announce *, const char *key);

/* The index of the first network behind that prefix; NULL: of all. */
size_t announce_after(const struct announce *, const struct pfx *);

/* A track was looked at.  why is shown. */
void announce_result(struct announce *, struct track *, bool good,
    const char *why, uint64_t now_ms);

/*
 * network announce: adds it, or takes a withdraw back (it still hangs on its
 * tracks).  NULL: there are ANNOUNCE_ADDED_MAX already.  network
 * withdraw: takes one back that was added (true), or withdraws it.
 */
struct announce_net *announce_add(
    struct announce *, const struct pfx *, bool persistent, uint64_t now_ms);
bool announce_withdraw(
    struct announce *, struct announce_net *, bool persistent, const char *why);

/* How an operator drains. */
struct announce_drain {
	uint64_t time_ms; /* then withdrawn; UINT64_MAX: stays drained */
	uint8_t prepend;
	bool med_set;
	uint32_t med;
	const char *reason; /* or NULL */
	const char *who;
};
/* Once more: with the new time and reason, which are copied. */
void announce_drain(struct announce *, struct announce_net *,
    const struct announce_drain *, uint64_t now_ms);
/* Of one that is draining. */
void announce_undrain(struct announce *, struct announce_net *);

/* Works out what follows from all that was told; marks what changed. */
void announce_run(struct announce *, uint64_t now_ms);
/* When to call it again, at the latest; UINT64_MAX: not by itself. */
uint64_t announce_next(const struct announce *);
/*
 * The next network whose `how` changed, NULL: no more.  One that is gone is
 * valid until the next call.
 */
struct announce_net *announce_take(struct announce *);
/* A track's state is not known for sure yet: nobody is told anything, so that
 * a restart neither withdraws nor announces wrongly.  At most TRACK_SETTLE_MS
 * after a track was made. */
bool announce_settling(const struct announce *);

/* The penalty of the damping, at that time. */
uint32_t announce_penalty(const struct announce_net *, uint64_t now_ms);

/*
 * One that is not configured, for commands that were kept of it.  NULL: there
 * are ANNOUNCE_ADDED_MAX, or it is there.
 */
struct announce_net *announce_absent(
    struct announce *, const struct pfx *, uint64_t now_ms);

/*
 * What was kept of the process before: state, healthy, settled, verdict and
 * since when, flaps, penalty, commands; its times in this clock.
 */
void announce_restore(
    struct announce *, struct announce_net *, const struct announce_net *from);

#endif /* ANNOUNCE_H */
