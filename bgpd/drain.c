#include "bgpd/drain.h"

#include <stdio.h>
#include <string.h>

#include "bgpd/engine.h"
#include "bgpd/log.h"
#include "bgpd/state.h"

enum {
	TICK_MS = 1000
};

/* ---- what it does to the neighbors ------------------------------------- */

static bool
on(const struct drain *d)
{
	return d->since_s != 0;
}

void
drain_facts(const struct peer *p, const struct conf *c, struct export_drain *f)
{
	const struct engine *eng = p->eng;

	*f = (struct export_drain){
		.on = on(&p->drain) || on(&eng->drain) ||
		    maint_drains(&eng->maint.m),
		.withdrawn = p->drain.withdrawn || eng->drain.withdrawn ||
		    maint_withdraws(&eng->maint.m),
		.prepend = c->drain.prepend,
		.med_set = c->drain.med_set,
		.med = c->drain.med,
	};
	if (!f->on)
		*f = (struct export_drain){ 0 };
}

bool
drain_holds(const struct engine *eng)
{
	return maint_holds(&eng->maint.m);
}

/* Puts in force what is drained now. */
static void
apply(struct engine *eng)
{
	struct export_drain f;
	struct peer *p;

	TAILQ_FOREACH (p, &eng->peers, entry) {
		drain_facts(p, eng->conf, &f);
		if (p->facts.drained == f.on)
			continue;
		p->facts.drained = f.on;
		peer_reimport(p);
	}
	engine_regroup(eng);
	state_save_drains(eng);
}

/* ---- by command --------------------------------------------------------- */

static void
tell(struct engine *eng, struct peer *p, enum event_type type,
    const struct drain *d, const char *what)
{
	struct log_word w[] = { { "scope", p != NULL ? "neighbor" : "all" },
		{ "by", d->who }, { "reason", d->why }, { NULL, NULL } };

	event(eng->events, type, LOG_L_INFO, p, w, "%s%s, by %s%s%s",
	    p != NULL ? "" : "all neighbors: ", what, d->who,
	    d->why[0] != '\0' ? ": " : "", d->why);
}

static void
withdraw(struct engine *eng, struct peer *p)
{
	struct drain *d = p != NULL ? &p->drain : &eng->drain;

	d->withdrawn = true;
	tell(eng, p, EVENT_DRAIN_WITHDRAW, d,
	    "the drain's time is over, nothing is announced any more");
	apply(eng);
}

static void
on_peer_time(void *arg, uint64_t now)
{
	struct peer *p = arg;

	withdraw(p->eng, p);
}

static void
on_all_time(void *arg, uint64_t now)
{
	withdraw(arg, NULL);
}

void
drain_peer_init(struct peer *p)
{
	timer_init(&p->drain.timer, "DrainTimer", on_peer_time, p);
}

void
drain_peer_fini(struct peer *p)
{
	timer_stop(&p->eng->timers, &p->drain.timer);
}

void
drain_start(struct engine *eng, struct peer *p, uint32_t time_s,
    const char *who, const char *why)
{
	struct drain *d = p != NULL ? &p->drain : &eng->drain;

	d->since_s = engine_real_s(eng);
	d->withdraw_s = time_s != 0 ? d->since_s + time_s : 0;
	d->withdrawn = false;
	strlcpy(d->who, who, sizeof d->who);
	strlcpy(d->why, why != NULL ? why : "", sizeof d->why);
	timer_stop(&eng->timers, &d->timer);
	if (time_s != 0)
		timer_set(&eng->timers, &d->timer, eng->now_ms,
		    time_s * UINT64_C(1000));
	tell(eng, p, EVENT_DRAIN, d, "drained");
	apply(eng);
}

bool
drain_stop(struct engine *eng, struct peer *p, const char *who)
{
	struct drain *d = p != NULL ? &p->drain : &eng->drain;

	if (!on(d))
		return false;
	timer_stop(&eng->timers, &d->timer);
	d->since_s = d->withdraw_s = 0;
	d->withdrawn = false;
	strlcpy(d->who, who, sizeof d->who);
	d->why[0] = '\0';
	tell(eng, p, EVENT_UNDRAIN, d, "no longer drained");
	apply(eng);
	return true;
}

void
drain_forget(struct peer *p)
{
	if (!on(&p->drain))
		return;
	timer_stop(&p->eng->timers, &p->drain.timer);
	p->drain.since_s = 0;
	state_save_drains(p->eng);
}

bool
drain_view(const struct peer *p, unsigned int i, struct drain_view *v)
{
	const struct maintenance *m = &p->eng->maint;
	const struct drain *d[] = { &p->drain, &p->eng->drain };
	static const char *const scope[] = { "neighbor", "all" };

	for (int k = 0; k < 2; k++) {
		if (!on(d[k]) || i-- > 0)
			continue;
		*v = (struct drain_view){ .scope = scope[k],
			.withdrawn = d[k]->withdrawn,
			.since_s = d[k]->since_s,
			.withdraw_s = d[k]->withdraw_s,
			.who = d[k]->who,
			.why = d[k]->why };
		return true;
	}
	if (!maint_drains(&m->m) || i > 0)
		return false;
	*v = (struct drain_view){ .scope = "maintenance",
		.withdrawn = maint_withdraws(&m->m),
		.since_s = m->since_s,
		.who = m->who,
		.why = m->why };
	return true;
}

/* ---- maintenance ------------------------------------------------------- */

static void
conf_of(const struct engine *eng, struct maint_conf *c)
{
	const struct conf_maintenance *m = &eng->conf->maint;

	*c = (struct maint_conf){ .drain_ms = m->drain_s * UINT64_C(1000),
		.wait_ms = m->wait_s * UINT64_C(1000),
		.below_bps = m->below_bps };
}

/* A link whose traffic counts: it has our address of a session, or is
 * configured. */
static bool
counts(const struct engine *eng, const struct engine_link *k)
{
	const struct conf_maintenance *c = &eng->conf->maint;
	const struct peer *p;

	for (size_t i = 0; i < c->ninterface; i++)
		if (strncmp(c->interface[i], k->l.name, sizeof k->l.name) == 0)
			return true;
	TAILQ_FOREACH (p, &eng->peers, entry)
		if (p->up != NULL && engine_link_of(eng, &p->up->local) == k)
			return true;
	return false;
}

bool
drain_traffic(const struct engine *eng, uint64_t *bps)
{
	bool known = false;

	*bps = 0;
	for (size_t i = 0; i < eng->nlink; i++) {
		const struct engine_link *k = &eng->link[i];

		if (!counts(eng, k))
			continue;
		if (!k->rated)
			return false;
		known = true;
		*bps += k->rx_bps + k->tx_bps;
	}
	return known;
}

/* Has everybody been told of everything? */
static bool
told(const struct engine *eng)
{
	const struct peer *p;

	TAILQ_FOREACH (p, &eng->peers, entry)
		if (p->up != NULL &&
		    (p->group->more || !adjout_synced(p->member) ||
			session_queued(p->up) > 0))
			return false;
	return true;
}

/* Are those who may come up here, with their routes? */
static bool
back(const struct engine *eng)
{
	const struct peer *p;

	TAILQ_FOREACH (p, &eng->peers, entry) {
		if (!p->conf->enabled || p->admin_down || p->limit.tripped)
			continue;
		if (!peer_has_sent(p) || !adjout_synced(p->member))
			return false;
	}
	return eng->decoupled || fibsync_settled(eng->fibsync);
}

static void
hold_sessions(struct engine *eng)
{
	const struct maintenance *m = &eng->maint;
	const char *text = m->why;
	struct peer *p;

	if (*text == '\0')
		text = eng->conf->maint.text;
	if (text == NULL)
		text = eng->conf->shutdown_reason;
	TAILQ_FOREACH (p, &eng->peers, entry)
		peer_stop(p, CEASE_SHUTDOWN, text, false);
}

static void
start_sessions(struct engine *eng)
{
	struct peer *p;

	TAILQ_FOREACH (p, &eng->peers, entry) {
		p->idle_s = 0;
		peer_start(p);
	}
}

/* It is in another state than `was`: does what that means. */
static void
entered(struct engine *eng, enum maint_state was)
{
	struct maintenance *m = &eng->maint;
	const char *name = maint_state_name(m->m.state);
	struct log_word w[] = { { "from", maint_state_name(was) },
		{ "to", name }, { "by", m->who }, { "reason", m->why },
		{ NULL, NULL } };

	m->state_s = engine_real_s(eng);
	if (m->m.state == MAINT_UNDOING)
		m->end_s = 0;
	event(eng->events, EVENT_MAINTENANCE, LOG_L_INFO, NULL, w,
	    "maintenance: %s, %s (begun by %s%s%s)", name,
	    maint_why_text(m->m.why), m->who, m->why[0] != '\0' ? ": " : "",
	    m->why);
	if (m->m.state == MAINT_STOPPED)
		hold_sessions(eng);
	apply(eng);
	if (was == MAINT_STOPPED)
		start_sessions(eng);
}

/* A real time as one of the monotonic clock; 0 is never. */
static uint64_t
mono(const struct engine *eng, int64_t real_s)
{
	int64_t left = real_s - engine_real_s(eng);

	if (real_s == 0)
		return MAINT_NEVER;
	return eng->now_ms + (left > 0 ? (uint64_t)left * 1000 : 0);
}

/* Looks whether the step is over, now and then again. */
static void
on_tick(void *arg, uint64_t now)
{
	struct engine *eng = arg;
	struct maintenance *m = &eng->maint;
	enum maint_state was;
	struct maint_conf c;

	conf_of(eng, &c);
	/* Its end is an hour of the day: that clock may have been set. */
	if (m->m.state != MAINT_UNDOING)
		m->m.end_ms = mono(eng, m->end_s);
	for (;;) {
		was = m->m.state;
		m->seen.rated = drain_traffic(eng, &m->seen.bps);
		m->seen.told = told(eng);
		m->seen.back = was == MAINT_UNDOING && back(eng);
		if (!maint_run(&m->m, &c, &m->seen, eng->now_ms))
			break;
		entered(eng, was);
		/* What was just withdrawn, or dialled, takes a turn. */
		if (m->m.state == MAINT_STOPPING || m->m.state == MAINT_UNDOING)
			break;
	}
	if (m->m.state != MAINT_IDLE)
		timer_set(&eng->timers, &m->tick, eng->now_ms, TICK_MS);
}

void
drain_init(struct engine *eng)
{
	timer_init(&eng->drain.timer, "DrainTimer", on_all_time, eng);
	timer_init(&eng->maint.tick, "MaintenanceTimer", on_tick, eng);
}

void
drain_fini(struct engine *eng)
{
	timer_stop(&eng->timers, &eng->drain.timer);
	timer_stop(&eng->timers, &eng->maint.tick);
}

int64_t
drain_maintenance_until(const struct engine *eng)
{
	uint64_t until = eng->maint.m.until_ms;

	if (eng->maint.m.state == MAINT_IDLE || until == MAINT_NEVER)
		return 0;
	return engine_real_s(eng) + (int64_t)(until - eng->now_ms) / 1000;
}

void
drain_maintenance_start(
    struct engine *eng, int64_t end_s, const char *who, const char *why)
{
	struct maintenance *m = &eng->maint;
	enum maint_state was = m->m.state;
	struct maint_conf c;

	conf_of(eng, &c);
	if (was == MAINT_IDLE || was == MAINT_UNDOING)
		m->since_s = engine_real_s(eng);
	strlcpy(m->who, who, sizeof m->who);
	if (why != NULL || was == MAINT_IDLE)
		strlcpy(m->why, why != NULL ? why : "", sizeof m->why);
	m->end_s = end_s;
	maint_start(&m->m, &c, mono(eng, end_s), eng->now_ms);
	if (m->m.state != was)
		entered(eng, was);
	else
		state_save_drains(eng);
	timer_set(&eng->timers, &m->tick, eng->now_ms, TICK_MS);
}

bool
drain_maintenance_stop(struct engine *eng, const char *who)
{
	struct maintenance *m = &eng->maint;
	enum maint_state was = m->m.state;

	if (!maint_stop(&m->m, eng->now_ms))
		return false;
	log_info("maintenance: stopped by %s", who);
	entered(eng, was);
	timer_set(&eng->timers, &m->tick, eng->now_ms, TICK_MS);
	return true;
}

/* ---- over a restart ---------------------------------------------------- */

void
drain_restore(struct engine *eng, struct drain *d, const struct drain *from)
{
	int64_t now = engine_real_s(eng), left = from->withdraw_s - now;

	d->since_s = from->since_s;
	d->withdraw_s = from->withdraw_s;
	d->withdrawn = from->withdrawn;
	memcpy(d->who, from->who, sizeof d->who);
	memcpy(d->why, from->why, sizeof d->why);
	/* A clock that went backwards: the whole time again. */
	if (now < d->since_s) {
		left = d->withdraw_s - d->since_s;
		d->since_s = now;
		d->withdraw_s = d->withdraw_s != 0 ? now + left : 0;
	}
	if (d->withdraw_s != 0 && !d->withdrawn)
		timer_set(&eng->timers, &d->timer, eng->now_ms,
		    left > 0 ? (uint64_t)left * 1000 : 0);
}

void
drain_restore_maintenance(
    struct engine *eng, const struct maintenance *from, int64_t until_s)
{
	struct maintenance *m = &eng->maint;
	int64_t now = engine_real_s(eng), jump = 0;
	struct maint was = from->m;

	/* A clock that went backwards: the whole step again. */
	if (now < from->state_s)
		jump = now - from->state_s;
	was.since_ms = eng->now_ms;
	was.until_ms = mono(eng, until_s != 0 ? until_s + jump : 0);
	was.end_ms = mono(eng, from->end_s);
	maint_restore(&m->m, &was, eng->now_ms);
	m->since_s = from->since_s + jump;
	m->state_s = from->state_s + jump;
	m->end_s = from->end_s;
	memcpy(m->who, from->who, sizeof m->who);
	memcpy(m->why, from->why, sizeof m->why);
	if (m->m.state == MAINT_IDLE)
		return;
	log_warnx("maintenance: %s, it goes on over the restart (begun by "
		  "%s%s%s)",
	    maint_state_name(m->m.state), m->who, m->why[0] != '\0' ? ": " : "",
	    m->why);
	timer_set(&eng->timers, &m->tick, eng->now_ms, 0);
}
