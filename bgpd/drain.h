/*
 * drain.h -- neighbors that an operator drains, and the maintenance that
 * drains all of them and ends their sessions.  What a drained neighbor is told
 * goes with GRACEFUL_SHUTDOWN (RFC 8326) and what `drain { }` adds, and after
 * a time nothing is told; what it announces is the last choice here.  All of
 * it outlives a restart (state.c).  Networks that are drained: announce.h.
 */
#ifndef DRAIN_H
#define DRAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bgpd/announce/maintenance.h"
#include "lib/timer.h"
#include "policy/export.h"

struct conf;
struct engine;
struct peer;

enum {
	DRAIN_WHO = 32,
	DRAIN_WHY = 256
};

/* A drain by command; since_s 0: there is none.  Times are real ones. */
struct drain {
	int64_t since_s, withdraw_s; /* withdraw_s 0: it stays drained */
	bool withdrawn;
	char who[DRAIN_WHO], why[DRAIN_WHY]; /* why: "" when not given */
	struct timer timer;
};

/* The maintenance: its steps, and what is said of them. */
struct maintenance {
	struct maint m;
	int64_t since_s, state_s; /* of the whole, of the step */
	int64_t end_s; /* of the whole, by the real clock; 0: a command's */
	char who[DRAIN_WHO], why[DRAIN_WHY];
	struct maint_facts seen; /* at the last look */
	struct timer tick;
};

/* Before the peers are there, and after they are gone. */
void drain_init(struct engine *);
void drain_fini(struct engine *);
void drain_peer_init(struct peer *);
void drain_peer_fini(struct peer *);
/* Goes on with what was kept; once, when the peers are there and not yet
 * started: records in the places above, their times real. */
void drain_restore(struct engine *, struct drain *of, const struct drain *from);
void drain_restore_maintenance(
    struct engine *, const struct maintenance *from, int64_t until_s);
/* The neighbor is no longer configured. */
void drain_forget(struct peer *);

/* Of one neighbor, or with NULL of all; time_s 0: it stays drained.  Once
 * more: with the new time and reason. */
void drain_start(struct engine *, struct peer *, uint32_t time_s,
    const char *who, const char *why);
/* False: it was not drained (by itself; all, or a maintenance, may still). */
bool drain_stop(struct engine *, struct peer *, const char *who);

/* end_s: real time of its end, 0: a command ends it. */
void drain_maintenance_start(
    struct engine *, int64_t end_s, const char *who, const char *why);
/* False: there is none. */
bool drain_maintenance_stop(struct engine *, const char *who);
/* Real time at which its step ends at the latest; 0: no time ends it. */
int64_t drain_maintenance_until(const struct engine *);
/* What the neighbors' links carry, both directions; false: not known. */
bool drain_traffic(const struct engine *, uint64_t *bps);

/* Has the maintenance taken the sessions away? */
bool drain_holds(const struct engine *);
/* What the peer's drains together are, with what the configuration adds. */
void drain_facts(
    const struct peer *, const struct conf *, struct export_drain *);

/* Who drains the peer: i from 0 on; false after the last. */
struct drain_view {
	const char *scope; /* "neighbor", "all", "maintenance" */
	bool withdrawn;
	int64_t since_s, withdraw_s;
	const char *who, *why;
};
bool drain_view(const struct peer *, unsigned int i, struct drain_view *);

#endif /* DRAIN_H */
