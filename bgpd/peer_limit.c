/*
 * peer_limit.c -- max-prefix of one peer: what is counted (rib/adjin.c does),
 * what is warned of, and what a limit that is reached does.
 *
 * Stop and restart end the session: p->limit.tripped.  Freeze and discard keep
 * it: what comes too much stands in the Adj-RIB-In as held, in the order of
 * its arrival, the prefixes of one message in theirs, and comes in from the
 * front when there is room.  Held ones are not counted, and never more than
 * ten times the limit: one more is a restart.
 *
 * p->limit is the one record of a hold; peer_clear_limit() alone ends one.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bgpd/engine.h"
#include "bgpd/log.h"
#include "bgpd/peer.h"
#include "bgpd/state.h"

enum {
	HOLD_MAX_S = 24 * 3600,
	FORGET_S = 24 * 3600, /* a day without a trip: the times begin anew */
	FLOOD_S = 30 * 60, /* of the restart that a flood of held ones causes */
	HELD_TIMES = 10,
};

const char *
peer_counter_name(enum conf_counter c)
{
	static const char *const name[CONF_COUNTER_N] = {
		[CONF_RECEIVED] = "received",
		[CONF_ACCEPTED] = "accepted",
		[CONF_ANNOUNCED] = "announced",
	};

	return name[c];
}

static bool
switched_off(const struct peer *p)
{
	return p->conf->guard_off & GUARD_BIT(GUARD_MAX_PREFIX);
}

static uint32_t
held(const struct peer *p)
{
	return adjin_count(p->adjin, FAM_INET)->held +
	    adjin_count(p->adjin, FAM_INET6)->held;
}

static bool
stale(const struct peer *p)
{
	return adjin_count(p->adjin, FAM_INET)->stale > 0 ||
	    adjin_count(p->adjin, FAM_INET6)->stale > 0;
}

bool
peer_limit_holds(const struct peer *p)
{
	return p->limit.tripped || p->limit.frozen ||
	    (held(p) > 0 && p->limit.nfirst > 0);
}

/* What the counter says, of a family or (FAM_NONE) of the session. */
static uint32_t
count_of(const struct peer *p, enum conf_counter c, enum fam fam)
{
	struct adjout_stats st = { 0 };
	uint32_t n[FAM_N] = { 0 };

	if (c == CONF_ANNOUNCED && p->member != NULL)
		adjout_stats(adjout_group(p->member), &st);
	for (enum fam f = FAM_INET; f < FAM_N; f++) {
		const struct adjin_count *in = adjin_count(p->adjin, f);

		n[f] = c == CONF_RECEIVED ? in->received - in->spared
		    : c == CONF_ACCEPTED  ? in->accepted - in->spared_accepted
					  : st.prefixes[f];
	}
	return fam == FAM_NONE ? n[FAM_INET] + n[FAM_INET6] : n[fam];
}

static const char *
what_of(enum conf_counter c, enum fam fam, char *buf, size_t n)
{
	snprintf(buf, n, "%s%s%s", peer_counter_name(c),
	    fam == FAM_NONE ? "" : " in ",
	    fam == FAM_NONE ? "" : fam_name(fam));
	return buf;
}

/* ---- the record ------------------------------------------------------- */

static void
note(struct peer *p, const struct pfx *pfx)
{
	struct peer_limit *h = &p->limit;

	for (size_t i = 0; i < h->nfirst; i++)
		if (pfx_eq(&h->first[i], pfx))
			return;
	if (h->nfirst < PEER_LIMIT_FIRST)
		h->first[h->nfirst++] = *pfx;
}

struct crossed {
	const struct conf_limit *l;
	enum conf_counter counter;
	enum fam fam; /* FAM_NONE: the sum */
};

static void
record(struct peer *p, const struct crossed *x, const struct pfx *pfx)
{
	struct peer_limit *h = &p->limit;

	h->counter = (uint8_t)x->counter;
	h->fam = (uint8_t)x->fam;
	h->action = x->l->action;
	h->max = x->l->max;
	h->count = count_of(p, x->counter, x->fam) + 1;
	h->since_s = engine_real_s(p->eng);
	h->until_s = 0;
	h->nfirst = 0;
	h->all = false;
	note(p, pfx);
}

static void
hold_for(struct peer *p, uint32_t seconds)
{
	struct peer_limit *h = &p->limit;

	h->hold_s = seconds;
	h->until_s = h->since_s + seconds;
	timer_set(
	    &p->eng->timers, &p->limit_hold, p->eng->now_ms, seconds * 1000ull);
}

/* How long it stays down now: doubles, up to a day; a quiet day forgets. */
static uint32_t
next_hold_s(const struct peer *p, uint32_t configured)
{
	const struct peer_limit *h = &p->limit;
	int64_t quiet = engine_real_s(p->eng) - h->tripped_s;

	if (h->hold_s == 0 || quiet > (int64_t)h->hold_s + FORGET_S)
		return configured;
	return h->hold_s > HOLD_MAX_S / 2 ? HOLD_MAX_S : 2 * h->hold_s;
}

/* Is it there, and not held? */
static bool
is_in(const struct peer *p, const struct pfx *pfx)
{
	struct rib_path rp;

	return adjin_find(p->adjin, pfx, &rp) && !rp.held && !rp.malformed;
}

/* What else that UPDATE would have brought; its octets go with the session. */
static void
note_rest(struct peer *p, enum fam fam)
{
	struct peer_limit *h = &p->limit;
	struct cur rest;
	struct pfx pfx;

	if (h->rest == NULL)
		return;
	rest = *h->rest;
	while (h->nfirst < PEER_LIMIT_FIRST && wire_nlri_next(&rest, fam, &pfx))
		if (!is_in(p, &pfx))
			note(p, &pfx);
}

/* ---- what a reached limit does ---------------------------------------- */

static void
trip(struct peer *p, const struct crossed *x, const struct pfx *pfx)
{
	const struct conf_limit *l = x->l;
	struct peer_limit *h = &p->limit;
	uint8_t data[7] = { 0, pfx->addr.fam, 1, (uint8_t)(l->max >> 24),
		(uint8_t)(l->max >> 16), (uint8_t)(l->max >> 8),
		(uint8_t)l->max };
	char text[PFX_STRLEN], what[64];
	struct log_word w[] = { { "prefix", pfx_print(pfx, text, sizeof text) },
		{ NULL, NULL } };
	uint32_t seconds;

	record(p, x, pfx);
	note_rest(p, (enum fam)pfx->addr.fam);
	if (l->action == CONF_LIMIT_RESTART) {
		seconds = next_hold_s(p, l->time_s);
		hold_for(p, seconds);
	}
	h->tripped = true;
	h->frozen = false;
	h->tripped_s = h->since_s;
	h->trips[h->fam]++;
	event(p->eng->events, EVENT_LIMIT_TRIPPED, LOG_L_WARN, p, w,
	    "%s would be one prefix more than the limit of %u %s; session "
	    "ended (action %s)",
	    pfx_print(pfx, text, sizeof text), l->max,
	    what_of(x->counter, x->fam, what, sizeof what),
	    conf_limit_action_name((enum conf_limit_action)l->action));
	state_save_limits(p->eng);
	session_stop(p->up, EV08_AUTO_STOP, NOTIF_CEASE, CEASE_MAX_PREFIX, data,
	    sizeof data);
}

static void
freeze(struct peer *p, const struct crossed *x, const struct pfx *pfx)
{
	struct peer_limit *h = &p->limit;
	char text[PFX_STRLEN], what[64];
	struct log_word w[] = { { "prefix", pfx_print(pfx, text, sizeof text) },
		{ NULL, NULL } };
	bool again = h->frozen;

	h->fill = false;
	if (again) {
		h->all |= h->fam != x->fam;
		return;
	}
	record(p, x, pfx);
	h->frozen = true;
	h->trips[h->fam]++;
	if (x->l->time_s > 0) {
		h->until_s = h->since_s + x->l->time_s;
		timer_set(&p->eng->timers, &p->limit_hold, p->eng->now_ms,
		    x->l->time_s * 1000ull);
	}
	event(p->eng->events, EVENT_LIMIT_FROZEN, LOG_L_WARN, p, w,
	    "%s would be one prefix more than the limit of %u %s; what is "
	    "there stays, new prefixes are held back (action freeze)",
	    pfx_print(pfx, text, sizeof text), x->l->max,
	    what_of(x->counter, x->fam, what, sizeof what));
	state_save_limits(p->eng);
}

/* Held back, unless there are far too many: then the session ends. */
static enum peer_limit_verdict
hold_back(struct peer *p, const struct crossed *x, const struct pfx *pfx)
{
	struct conf_limit flood = *x->l;
	struct crossed y = { &flood, x->counter, x->fam };
	struct rib_path rp;

	if (adjin_find(p->adjin, pfx, &rp) && rp.held)
		return PEER_LIMIT_HELD;
	if (held(p) >= (uint64_t)x->l->max * HELD_TIMES) {
		log_peer(p, LOG_L_WARN,
		    "%u prefixes held back, %u times the limit of %u: the "
		    "action is restart now",
		    held(p), HELD_TIMES, x->l->max);
		flood.action = CONF_LIMIT_RESTART;
		flood.time_s = FLOOD_S;
		trip(p, &y, pfx);
		return PEER_LIMIT_ENDED;
	}
	note(p, pfx);
	return PEER_LIMIT_HELD;
}

static enum peer_limit_verdict
over(struct peer *p, const struct crossed *x, const struct pfx *pfx,
    uint16_t *reason)
{
	char text[PFX_STRLEN], what[64];

	switch ((enum conf_limit_action)x->l->action) {
	case CONF_LIMIT_WARN:
		return PEER_LIMIT_OK;
	case CONF_LIMIT_FREEZE:
		freeze(p, x, pfx);
		*reason = REASON_FROZEN;
		return hold_back(p, x, pfx);
	case CONF_LIMIT_DISCARD:
		*reason = REASON_OVER_LIMIT;
		if (held(p) == 0 && !p->limit.frozen) {
			record(p, x, pfx);
			log_peer(p, LOG_L_WARN,
			    "%s would be one prefix more than the limit of %u "
			    "%s; new prefixes are held back until there is "
			    "room (action discard)",
			    pfx_print(pfx, text, sizeof text), x->l->max,
			    what_of(x->counter, x->fam, what, sizeof what));
		}
		return hold_back(p, x, pfx);
	case CONF_LIMIT_STOP:
	case CONF_LIMIT_RESTART:
		break;
	}
	trip(p, x, pfx);
	return PEER_LIMIT_ENDED;
}

bool
peer_limit_parts(const struct peer *p)
{
	for (int c = CONF_RECEIVED; c <= CONF_ACCEPTED; c++)
		for (int f = FAM_NONE; f < FAM_N; f++) {
			const struct conf_limit *l = &p->conf->limit[c][f];

			if (l->max != 0 &&
			    (l->action == CONF_LIMIT_DISCARD ||
				l->action == CONF_LIMIT_FREEZE))
				return true;
		}
	return false;
}

/* Of two limits that the prefix would cross, the session's counts. */
static struct crossed
which(const struct peer *p, enum conf_counter c, enum fam fam)
{
	const struct conf_limit *l = p->conf->limit[c];
	bool all = l[FAM_NONE].max != 0 &&
	    l[FAM_NONE].action != CONF_LIMIT_WARN &&
	    count_of(p, c, FAM_NONE) >= l[FAM_NONE].max;
	enum fam f = all ? FAM_NONE : fam;

	return (struct crossed){ &l[f], c, f };
}

enum peer_limit_verdict
peer_limit_admit(struct peer *p, const struct pfx *pfx, uint16_t *reason)
{
	const struct peer_limit *h = &p->limit;
	struct conf_limit frozen = { .max = h->max, .action = h->action };
	bool room = adjin_admit(p->adjin, pfx, 0, NULL) != ADJIN_OVER_LIMIT;
	struct crossed x;

	if (h->frozen && !h->fill &&
	    (h->all || h->fam == FAM_NONE || h->fam == pfx->addr.fam)) {
		/* What is stale needs a place of its own again. */
		if (room && is_in(p, pfx))
			return PEER_LIMIT_OK;
		x = (struct crossed){ &frozen, (enum conf_counter)h->counter,
			(enum fam)h->fam };
		*reason = REASON_FROZEN;
		return hold_back(p, &x, pfx);
	}
	if (room)
		return PEER_LIMIT_OK;
	x = which(p, CONF_RECEIVED, pfx->addr.fam);
	return over(p, &x, pfx, reason);
}

enum peer_limit_verdict
peer_limit_accept(
    struct peer *p, const struct pfx *pfx, bool again, uint16_t *reason)
{
	struct crossed x;

	if (adjin_may_accept(p->adjin, pfx, again))
		return PEER_LIMIT_OK;
	x = which(p, CONF_ACCEPTED, pfx->addr.fam);
	return over(p, &x, pfx, reason);
}

/* ---- warnings --------------------------------------------------------- */

/* What send-max-prefix keeps from it now. */
static uint32_t
refused(const struct peer *p)
{
	struct adjout_stats st = { 0 };

	if (p->member != NULL)
		adjout_stats(adjout_group(p->member), &st);
	return st.refused[FAM_INET] + st.refused[FAM_INET6];
}

static void
check_one(struct peer *p, enum conf_counter c, enum fam f)
{
	const struct conf_limit *l = &p->conf->limit[c][f];
	uint8_t *told = &p->limit.warned[c][f], level = 0;
	uint64_t n;
	char what[64];

	if (l->max == 0)
		return;
	n = count_of(p, c, f);
	level += n * 100 >= (uint64_t)l->max * l->warn_pct;
	level += c == CONF_ANNOUNCED ? refused(p) > 0 : n > l->max;
	if (level > *told && level == 2 && c == CONF_ANNOUNCED)
		event(p->eng->events, EVENT_LIMIT_WARN, LOG_L_WARN, p, NULL,
		    "send-max-prefix %u is reached: %u prefixes more are not "
		    "announced to it (explain PREFIX says which)",
		    l->max, refused(p));
	else if (level > *told && level == 2)
		event(p->eng->events, EVENT_LIMIT_WARN, LOG_L_WARN, p, NULL,
		    "%llu prefixes %s, over the limit of %u (action warn)",
		    (unsigned long long)n, what_of(c, f, what, sizeof what),
		    l->max);
	else if (level > *told)
		event(p->eng->events, EVENT_LIMIT_WARN, LOG_L_WARN, p, NULL,
		    "%llu prefixes %s, %u %% or more of the limit of %u",
		    (unsigned long long)n, what_of(c, f, what, sizeof what),
		    l->warn_pct, l->max);
	*told = level;
}

void
peer_limit_check(struct peer *p)
{
	if (switched_off(p) || p->up == NULL)
		return;
	for (int c = 0; c < CONF_COUNTER_N; c++)
		for (int f = FAM_NONE; f < FAM_N; f++)
			check_one(p, (enum conf_counter)c, (enum fam)f);
}

/* ---- coming in again -------------------------------------------------- */

/* The one held longest of the families not done with; false: none. */
static bool
oldest(const struct peer *p, const bool done[FAM_N], struct pfx *pfx,
    struct rib_path *rp)
{
	struct rib_path r;
	struct pfx first;
	bool found = false;

	for (enum fam f = FAM_INET; f < FAM_N; f++) {
		if (done[f] || !adjin_held_first(p->adjin, f, &first) ||
		    !adjin_find(p->adjin, &first, &r))
			continue;
		/* Of a session before: it is renewed or swept first. */
		if (r.stale)
			continue;
		if (found && r.since >= rp->since)
			continue;
		found = true;
		*pfx = first;
		*rp = r;
	}
	return found;
}

/* False: it is held still. */
static bool
let_in(struct peer *p, const struct pfx *pfx, const struct rib_path *rp)
{
	struct engine *eng = p->eng;
	struct rib_path now;
	struct attrs a;

	arena_reset(&eng->arena);
	attrs_get(eng->attrs, rp->attrs_in, &a);
	attrs_ref(eng->attrs, rp->attrs_in);
	peer_put(p, pfx, &a, rp->attrs_in, false);
	attrs_unref(eng->attrs, rp->attrs_in);
	return adjin_find(p->adjin, pfx, &now) && !now.held;
}

bool
peer_limit_run(struct peer *p, unsigned int budget)
{
	struct peer_limit *h = &p->limit;
	bool done[FAM_N] = { false };
	struct rib_path rp = { 0 };
	struct pfx pfx;

	if (!h->room || p->up == NULL || p->reimport != NULL)
		return false;
	while (!h->frozen && budget-- > 0) {
		if (!oldest(p, done, &pfx, &rp)) {
			h->room = stale(p); /* or looked for once more */
			return false;
		}
		if (!let_in(p, &pfx, &rp)) {
			done[pfx.addr.fam] = true;
			if (p->up == NULL)
				return false;
		}
	}
	h->room = !h->frozen;
	return h->room;
}

void
peer_limit_room(struct peer *p)
{
	p->limit.room |= held(p) > 0;
}

/* ---- session, reload, restart, end ------------------------------------ */

void
peer_limit_up(struct peer *p)
{
	memset(p->limit.warned, 0, sizeof p->limit.warned);
	/* Nothing of it is there to be protected: up to the limit comes in. */
	p->limit.fill = p->limit.frozen;
	p->limit.room = false;
}

void
peer_limit_eor(struct peer *p)
{
	for (enum fam f = FAM_INET; f < FAM_N; f++)
		if (p->up != NULL && p->up->neg.wire.mp[f] &&
		    !p->eor_received[f])
			return;
	p->limit.fill = false;
}

void
peer_clear_limit(struct peer *p, const char *who, bool forget)
{
	struct peer_limit *h = &p->limit;
	bool was_down = h->tripped;

	timer_stop(&p->eng->timers, &p->limit_hold);
	if (forget)
		h->hold_s = 0;
	if (!h->tripped && !h->frozen) {
		if (forget)
			state_save_limits(p->eng);
		return;
	}
	h->tripped = h->frozen = h->fill = false;
	h->until_s = 0;
	event(p->eng->events, EVENT_LIMIT_CLEARED, LOG_L_INFO, p, NULL,
	    "the hold after its prefix limit ends: %s", who);
	state_save_limits(p->eng);
	peer_limit_room(p);
	if (was_down)
		peer_start(p);
}

/* What the limit of the hold is now; 0: there is none any more. */
static uint32_t
limit_now(const struct peer *p)
{
	return switched_off(p)
	    ? 0
	    : p->conf->limit[p->limit.counter][p->limit.fam].max;
}

void
peer_limit_conf(struct peer *p)
{
	uint32_t max = limit_now(p);
	const struct conf_limit *l;
	char what[64];

	if ((p->limit.tripped || p->limit.frozen) &&
	    (max == 0 || max > p->limit.max))
		peer_clear_limit(p, "the limit was raised", true);
	peer_limit_room(p);
	for (int c = 0; p->up != NULL && c < CONF_ANNOUNCED; c++)
		for (int f = FAM_NONE; f < FAM_N; f++) {
			l = &p->conf->limit[c][f];
			if (l->max == 0 ||
			    count_of(p, (enum conf_counter)c, (enum fam)f) <=
				l->max)
				continue;
			log_peer(p, LOG_L_WARN,
			    "the limit of %u %s is below the %u that are "
			    "there: these stay, none comes in",
			    l->max,
			    what_of((enum conf_counter)c, (enum fam)f, what,
				sizeof what),
			    count_of(p, (enum conf_counter)c, (enum fam)f));
		}
}

void
peer_limit_restore(struct peer *p, const struct peer_limit *saved)
{
	struct peer_limit *h = &p->limit;
	int64_t now = engine_real_s(p->eng), left;

	*h = *saved;
	if (!h->tripped && !h->frozen)
		return;
	if (limit_now(p) == 0 || limit_now(p) > h->max) {
		h->tripped = h->frozen = false;
		h->hold_s = 0;
		return;
	}
	log_peer(p, LOG_L_WARN,
	    "the hold after its prefix limit goes on over the restart");
	if (h->until_s == 0)
		return;
	left = h->until_s - now;
	/* A clock that went backwards: the whole time again. */
	if (now < h->since_s) {
		left = h->until_s - h->since_s;
		h->since_s = now;
		h->until_s = now + left;
	}
	timer_set(&p->eng->timers, &p->limit_hold, p->eng->now_ms,
	    left > 0 ? (uint64_t)left * 1000 : 1);
}
