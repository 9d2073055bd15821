/*
 * maintenance.h -- taking the appliance out of service and back, step by step:
 *
 *	IDLE
 *	DRAINING	all neighbors are drained (RFC 8326), both ways, for
 *			the drain time
 *	WAITING		until the traffic on the partners' links is low for a
 *			while, or no longer than the wait
 *	STOPPING	nothing is announced any more, until all was told
 *	STOPPED		the sessions are down
 *	UNDOING		they come up again, drained, until routes are in place
 *			and so to IDLE
 *
 * maint_stop() leads from each step to UNDOING, maint_start() from there to
 * DRAINING again.  Pure: given the time and what is seen it says where it
 * stands; who owns the sessions does what that means (drain.c).
 */
#ifndef MAINTENANCE_H
#define MAINTENANCE_H

#include <stdbool.h>
#include <stdint.h>

enum maint_state {
	MAINT_IDLE,
	MAINT_DRAINING,
	MAINT_WAITING,
	MAINT_STOPPING,
	MAINT_STOPPED,
	MAINT_UNDOING,
	MAINT_N
};
/* "idle", "draining" ...; and back, MAINT_N: none of that name. */
const char *maint_state_name(enum maint_state);
enum maint_state maint_state_find(const char *);

/* What led into the state. */
enum maint_why {
	MAINT_BY_COMMAND,
	MAINT_BY_TIME, /* the step's time is over */
	MAINT_BY_TRAFFIC, /* it is low enough */
	MAINT_BY_DONE, /* all was told; all is back */
	MAINT_BY_END /* the whole maintenance's time is over */
};
/* As the end of a sentence: "the traffic is low enough". */
const char *maint_why_text(enum maint_why);

enum {
	MAINT_QUIET_MS = 5000, /* so long the traffic must be low */
	MAINT_TELL_MS = 10000, /* at most, for the withdrawals */
	MAINT_BACK_MS = 120000, /* at most, for the sessions and routes */
	MAINT_LONGEST_S = 30 * 86400, /* that an end may be away */
};
#define MAINT_NEVER UINT64_MAX

/* Configured. */
struct maint_conf {
	uint64_t drain_ms, wait_ms;
	uint64_t below_bps; /* on all links together, both directions */
};

/* Seen now. */
struct maint_facts {
	bool rated; /* bps is known */
	uint64_t bps;
	bool told; /* all neighbors were told of all withdrawals */
	bool back; /* sessions are up, routes in place */
};

/* All zero: idle.  Written by this module only, but when it is restored. */
struct maint {
	enum maint_state state;
	enum maint_why why;
	uint64_t since_ms; /* of the state */
	uint64_t until_ms; /* of the state; MAINT_NEVER: no time ends it */
	uint64_t end_ms; /* of the whole; MAINT_NEVER: a command ends it */
	uint64_t quiet_ms; /* the traffic is low since then, 0: it is not */
};

/* end_ms: as above.  Under way already: only its end is another one then. */
void maint_start(struct maint *, const struct maint_conf *, uint64_t end_ms,
    uint64_t now_ms);
/* False: there is nothing to stop. */
bool maint_stop(struct maint *, uint64_t now_ms);
/* True: it is in another state; call it again then. */
bool maint_run(struct maint *, const struct maint_conf *,
    const struct maint_facts *, uint64_t now_ms);
/*
 * What was kept of the process before, with its times in this clock: a
 * session that is down already stays so.
 */
void maint_restore(struct maint *, const struct maint *from, uint64_t now_ms);

/* What the state means: neighbors are drained; are told nothing at all; have
 * no sessions. */
bool maint_drains(const struct maint *);
bool maint_withdraws(const struct maint *);
bool maint_holds(const struct maint *);

#endif /* MAINTENANCE_H */
