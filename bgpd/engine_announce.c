/* The engine's side of announcements: looks at what they hang on, does to the
 * RIB what bgpd/announce says, tells of it and keeps it over a restart. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "bgpd/announce_state.h"
#include "bgpd/engine.h"
#include "bgpd/log.h"
#include "bgpd/state.h"
#include "bgpd/trackd.h"
#include "lib/mem.h"
#include "policy/pfxset.h"

#define STATE "announce.state"

enum {
	LOOK_MS = 1000, /* at files */
	SAVE_MS = 1000, /* state changes are kept at most so much later */
	/* What ana-fibd does not tell so long after its first word is not
	 * there. */
	DUMP_MS = 1000,
};

/* ---- looking ----------------------------------------------------------- */

/*
 * A file's age by the monotonic clock: since when it is as it is.  Only the
 * first look has to believe the real clock, so that a clock that jumps makes
 * no healthy service dead.
 */
static bool
file_good(struct engine *eng, const struct conf_track *c, struct track *t,
    char *why, size_t n)
{
	struct stat st;
	uint64_t look;
	int64_t age;

	if (stat(c->path, &st) == -1) {
		t->look = 0;
		snprintf(why, n, "%s", strerror(errno));
		return false;
	}
	look = (uint64_t)st.st_mtim.tv_sec * 1000000007u ^
	    (uint64_t)st.st_mtim.tv_nsec << 24 ^ st.st_ino;
	if (t->look == 0) {
		age = (engine_real_s(eng) - st.st_mtim.tv_sec) * 1000;
		t->look_ms = (int64_t)eng->now_ms - (age > 0 ? age : 0);
	} else if (t->look != look)
		t->look_ms = (int64_t)eng->now_ms;
	t->look = look;
	age = ((int64_t)eng->now_ms - t->look_ms) / 1000;
	/* No number that changes: each look would be news. */
	snprintf(why, n, "%s",
	    c->max_age_s == 0         ? "it is there"
		: age <= c->max_age_s ? "fresh"
				      : "not touched in time");
	return c->max_age_s == 0 || age <= c->max_age_s;
}

static bool
address_good(const struct engine *eng, const struct conf_track *c)
{
	for (size_t i = 0; i < eng->naddr; i++) {
		if (!addr_eq(&eng->addr[i].addr, &c->addr))
			continue;
		if (c->ifname == NULL)
			return true;
		for (size_t k = 0; k < eng->nlink; k++)
			if (eng->link[k].l.ifindex == eng->addr[i].ifindex &&
			    strncmp(eng->link[k].l.name, c->ifname,
				sizeof eng->link[k].l.name) == 0)
				return true;
	}
	return false;
}

static bool
link_good(const struct engine *eng, const struct conf_track *c)
{
	for (size_t k = 0; k < eng->nlink; k++)
		if (strncmp(eng->link[k].l.name, c->ifname,
			sizeof eng->link[k].l.name) == 0)
			return eng->link[k].l.up && eng->link[k].l.carrier;
	return false;
}

/* What is not there may only not have been told yet. */
static void
look_at_kernel(struct engine *eng, const struct conf_track *c, struct track *t)
{
	bool addr = c->kind == CONF_TRACK_ADDRESS;
	bool good = addr ? address_good(eng, c) : link_good(eng, c);

	if (!eng->fib_ready ||
	    (!good && eng->now_ms < eng->fib_ready_ms + DUMP_MS))
		return;
	announce_result(eng->announce, t, good,
	    good       ? (addr ? "it is there" : "it is up")
		: addr ? "it is not there"
		       : "it is down, or not there",
	    eng->now_ms);
}

static void
look(struct engine *eng, bool files)
{
	const struct conf *c = eng->conf;
	char why[TRACK_WHY_LEN];
	bool good;

	for (size_t i = 0; i < c->ntrack; i++) {
		struct track *t = eng->announce->track[i];

		if (c->track[i].kind == CONF_TRACK_ADDRESS ||
		    c->track[i].kind == CONF_TRACK_LINK)
			look_at_kernel(eng, &c->track[i], t);
		else if (c->track[i].kind == CONF_TRACK_FILE && files) {
			good = file_good(eng, &c->track[i], t, why, sizeof why);
			announce_result(
			    eng->announce, t, good, why, eng->now_ms);
		}
	}
}

void
engine_announce_links(struct engine *eng)
{
	if (eng->conf->ntrack > 0)
		eng->look = true;
}

static void
on_look(void *arg, uint64_t now)
{
	struct engine *eng = arg;

	(void)now;
	look(eng, true);
	if (eng->conf->ntrack > 0)
		timer_set(&eng->timers, &eng->look_timer, eng->now_ms, LOOK_MS);
}

/* ---- telling ----------------------------------------------------------- */

static void
track_said(struct engine *eng, struct track *t)
{
	struct log_word w[] = { { "track", t->conf.key },
		{ "state", track_state_name(t->state) }, { NULL, NULL } };

	t->mark = false;
	event(eng->events, t->overdue ? EVENT_TRACK_OVERDUE : EVENT_TRACK,
	    LOG_L_INFO, NULL, w, "track %s is %s: %s", t->conf.key,
	    track_state_name(t->state), t->why);
}

static void
net_said(struct engine *eng, struct announce_net *n)
{
	const char *state = n->gone ? "removed" : announce_state_name(n->state);
	char text[PFX_STRLEN];
	struct log_word w[] = {
		{ "prefix", pfx_print(&n->conf.pfx, text, sizeof text) },
		{ "state", state }, { "cause", announce_cause_name(n->cause) },
		{ NULL, NULL }
	};

	if (!n->gone && n->said == (uint8_t)n->state + 1)
		return;
	/* What only the configuration says is no news. */
	if ((n->gone || n->said == 0) && n->state == ANNOUNCE_UP &&
	    n->conf.ntrack == 0 && !n->added) {
		n->said = ANNOUNCE_UP + 1;
		return;
	}
	n->said = (uint8_t)n->state + 1;
	event(eng->events,
	    n->how.told ? EVENT_NETWORK_ANNOUNCED : EVENT_NETWORK_WITHDRAWN,
	    LOG_L_INFO, NULL, w, "network %s: %s (%s)", text, state,
	    announce_cause_name(n->cause));
}

static void
put(struct engine *eng, const struct announce_net *n)
{
	const struct conf_network *c =
	    n->added || n->gone ? NULL : &eng->conf->network[n->conf.index];
	uint32_t id;

	if (!n->how.told) {
		rib_local_del(eng->rib, &n->conf.pfx);
		return;
	}
	id = engine_network_attrs(eng, c, &n->how);
	rib_local_put(eng->rib, &n->conf.pfx, id, (uint32_t)engine_real_s(eng));
	attrs_unref(eng->attrs, id);
}

static void
said_kept(struct engine *eng)
{
	if ((eng->announce->kept > 0) == eng->kept_said)
		return;
	eng->kept_said = eng->announce->kept > 0;
	if (!eng->kept_said) {
		log_info("min-healthy keeps nothing any more");
		return;
	}
	event(eng->events, EVENT_MIN_HEALTHY, LOG_L_WARN, NULL, NULL,
	    "ALARM: %u networks fail and stay announced, as min-healthy says",
	    eng->announce->kept);
}

/* ---- over a restart ---------------------------------------------------- */

bool
engine_announce_save(struct engine *eng)
{
	char *text;
	int err;

	timer_stop(&eng->timers, &eng->save_timer);
	eng->announce->changed = false;
	if (eng->opts.state_dir == NULL)
		return true;
	text = announce_state_print(eng->announce, eng->opts.boot, eng->now_ms);
	if (text == NULL) {
		state_remove(eng->opts.state_dir, STATE);
		return true;
	}
	err = state_write(eng->opts.state_dir, STATE, text, strlen(text));
	free(text);
	if (err == 0)
		return true;
	log_warnx("%s/%s cannot be written: %s; after a restart tracks begin "
		  "anew, and networks are as configured",
	    eng->opts.state_dir, STATE, strerror(-err));
	timer_set(&eng->timers, &eng->save_timer, eng->now_ms, STATE_RETRY_MS);
	return false;
}

static void
on_save(void *arg, uint64_t now)
{
	(void)now;
	engine_announce_save(arg);
}

static void
load(struct engine *eng)
{
	char *text;
	size_t len;
	int err = state_read(eng->opts.state_dir, STATE, &text, &len);

	if (err == -ENOENT)
		return;
	if (err != 0) {
		log_warnx("%s/%s cannot be read: %s; tracks begin anew",
		    eng->opts.state_dir, STATE, strerror(-err));
		return;
	}
	if (!announce_state_parse(
		eng->announce, text, len, eng->opts.boot, eng->now_ms))
		log_warnx(
		    "%s is damaged: what can be read of it is used", STATE);
	free(text);
}

/* ---- life -------------------------------------------------------------- */

static void
track_conf(const struct conf_track *c, struct track_conf *t)
{
	bool probe = conf_track_probes(c);

	*t = (struct track_conf){ .key = c->name,
		.rise = c->rise,
		.fall = c->fall,
		.lease_ms = 1000 * c->lease_s };
	if (!probe)
		return;
	/* A result a probe, and a moment for its way. */
	t->due_ms = 1000 * (c->interval_s + c->timeout_s) + 3000;
	t->keep_ms = 1000 * c->keep_s;
}

static void
on_timer(void *arg, uint64_t now)
{
	/* The turn it makes does the work. */
	(void)arg;
	(void)now;
}

static void
configure(struct engine *eng)
{
	const struct conf *c = eng->conf;
	struct announce_conf a = { .ntrack = c->ntrack,
		.nnet = c->nnetwork,
		.min_healthy = c->min_healthy,
		.min_healthy_pct = c->min_healthy_pct };
	struct announce_net_conf *net =
	    mem_alloc((c->nnetwork + 1) * sizeof *net);
	struct track_conf *track = mem_alloc((c->ntrack + 1) * sizeof *track);

	for (size_t i = 0; i < c->ntrack; i++)
		track_conf(&c->track[i], &track[i]);
	for (size_t i = 0; i < c->nnetwork; i++) {
		net[i] = c->network[i].announce;
		net[i].index = (uint32_t)i;
	}
	a.track = track;
	a.net = net;
	announce_conf(eng->announce, &a, eng->now_ms);
	free(net);
	free(track);
}

void
engine_announce_conf(struct engine *eng)
{
	configure(eng);
	timer_stop(&eng->timers, &eng->look_timer);
	on_look(eng, eng->now_ms);
	trackd_client_conf(eng->trackd);
	engine_announce_run(eng);
}

/* At a start nobody is waited for: who holds a lease has to say so. */
static void
end_leases(struct engine *eng)
{
	struct announce *a = eng->announce;

	for (size_t i = 0; i < a->ntrack; i++)
		if (a->track[i]->conf.lease_ms != 0 &&
		    a->track[i]->state == TRACK_UNKNOWN)
			announce_result(a, a->track[i], false,
			    "nobody has said that it is up", eng->now_ms);
}

void
engine_announce_start(struct engine *eng)
{
	timer_init(&eng->announce_timer, "AnnounceTimer", on_timer, eng);
	timer_init(&eng->look_timer, "TrackTimer", on_look, eng);
	timer_init(&eng->save_timer, "SaveTimer", on_save, eng);
	eng->announce = announce_new();
	configure(eng);
	load(eng);
	end_leases(eng);
	on_look(eng, eng->now_ms);
	eng->trackd = trackd_client_new(eng);
	trackd_client_conf(eng->trackd);
	eng->settling = true;
	engine_announce_run(eng);
}

void
engine_announce_free(struct engine *eng)
{
	trackd_client_free(eng->trackd);
	announce_free(eng->announce);
}

void
engine_announce_run(struct engine *eng)
{
	struct announce *a = eng->announce;
	struct announce_net *n;
	uint64_t next;

	if (eng->look)
		look(eng, false);
	eng->look = false;
	announce_run(a, eng->now_ms);
	for (size_t i = 0; i < a->ntrack; i++)
		if (a->track[i]->mark)
			track_said(eng, a->track[i]);
	while ((n = announce_take(a)) != NULL) {
		put(eng, n);
		net_said(eng, n);
	}
	said_kept(eng);
	if (eng->settling && !announce_settling(a))
		eng->settling = false;
	if (a->changed && !eng->save_timer.armed)
		timer_set(&eng->timers, &eng->save_timer, eng->now_ms, SAVE_MS);
	next = announce_next(a);
	if (next == UINT64_MAX)
		timer_stop(&eng->timers, &eng->announce_timer);
	else if (!eng->announce_timer.armed ||
	    eng->announce_timer.due_ms != next)
		timer_set(&eng->timers, &eng->announce_timer, eng->now_ms,
		    next > eng->now_ms ? next - eng->now_ms : 0);
}

/* ---- what is asked for ------------------------------------------------- */

bool
engine_announce_how(const struct engine *eng, const struct conf *c,
    const struct pfx *pfx, const struct conf_network **conf,
    struct announce_how *how)
{
	const struct announce_net *n = announce_find(eng->announce, pfx);

	*how = (struct announce_how){ 0 };
	*conf = conf_network_find(c, pfx);
	if (*conf == NULL && (n == NULL || !n->added))
		return false;
	if (n != NULL && (!n->absent || n->withdrawn))
		*how = n->how;
	else /* it begins as one whose tracks are not known */
		how->told = (*conf)->announce.ntrack == 0;
	return how->told;
}

const char *
engine_announce_may(
    const struct engine *eng, const struct pfx *pfx, char *why, size_t n)
{
	char text[PFX_STRLEN];

	pfx_print(pfx, text, sizeof text);
	if (pfx_is_default(pfx))
		snprintf(why, n, "a default route is never announced");
	else if (!pfxset_covers(eng->conf->own, pfx))
		snprintf(why, n,
		    "%s is outside of our own prefixes (prefix-set \"azion\", "
		    "or without one the networks of the configuration): the "
		    "export guard would keep it back",
		    text);
	else
		return NULL;
	return why;
}
