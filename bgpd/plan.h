/*
 * plan.h -- what a configuration would change, before anything is touched:
 * the sessions that would bounce, and for each destination what the new import
 * policy, the decision and the new export policy would say of the routes that
 * are in the Adj-RIBs-In.  Works in slices; the speaker goes on meanwhile.
 *
 * It supposes that a session which bounces gets the same routes again, and
 * that a next hop nobody watches yet can be reached.  Limits of prefixes that
 * would be crossed are named, what they would do is not played through.
 */
#ifndef PLAN_H
#define PLAN_H

#include "bgpd/conf.h"

struct engine;
struct plan;

enum plan_what {
	PLAN_ACCEPTED,
	PLAN_REJECTED,
	PLAN_CHANGED, /* accepted before and then, with other attributes */
	PLAN_GONE, /* accepted ones of neighbors removed or disabled */
	PLAN_ANNOUNCED,
	PLAN_WITHDRAWN,
	PLAN_REANNOUNCED, /* with other attributes */
	PLAN_INSTALLED,
	PLAN_REMOVED,
	PLAN_N
};

enum {
	PLAN_ROWS = 20 /* of each kind that are listed */
};

struct plan_row {
	struct pfx pfx;
	struct addr neighbor; /* fam FAM_NONE: none is meant */
	char *why; /* of a rejection; or NULL */
};

struct plan_session {
	struct addr addr;
	char *name;
	enum conf_diff_what what;
	bool up; /* there is a session that this would end */
};

/* More than the new limit allows, once all is in force. */
struct plan_limit {
	struct addr addr;
	char *name;
	enum conf_counter counter;
	enum fam fam; /* FAM_NONE: the families together */
	uint32_t count, max;
	enum conf_limit_action action; /* of announced ones: DISCARD */
};

struct plan_result {
	uint64_t count[PLAN_N];
	struct plan_row row[PLAN_N][PLAN_ROWS];
	uint64_t accepted_now, accepted_then;
	struct plan_session *session; /* those that change */
	size_t nsession;
	unsigned int kept; /* sessions that are up and stay so */
	struct plan_limit *limit;
	size_t nlimit;
	char **line; /* what changes in the configuration */
	size_t nline;
};

/* Takes the new configuration over. */
struct plan *plan_new(struct engine *, struct conf *);
void plan_free(struct plan *);
/* One slice of destinations; true: more are left. */
bool plan_run(struct plan *, unsigned int budget);
/* Another configuration or set came into force meanwhile: it says nothing. */
bool plan_stale(const struct plan *);
const struct plan_result *plan_result(const struct plan *);
/* The configuration, which is the caller's from now on. */
struct conf *plan_take(struct plan *);
/* Would the limit end the session? */
bool plan_limit_ends(const struct plan_limit *);
const char *plan_what_name(enum plan_what); /* "newly accepted" */
const char *plan_what_key(enum plan_what); /* "accepted" */

#endif /* PLAN_H */
