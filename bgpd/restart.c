/*
 * Graceful restart (RFC 4724, RFC 8538): what a peer's routes become when its
 * session ends, and what is held back after a restart of our own.
 */
#include <stdio.h>
#include <string.h>

#include "bgpd/engine.h"
#include "bgpd/log.h"

enum {
	SWEEP_AT_ONCE = 65536
};

/* ---- the peer's restart: helper --------------------------------------- */

/* Does the end of session s leave its routes of the family with us? */
static bool
keeps(const struct peer *p, const struct session *s, enum fam f)
{
	const struct negotiated *n = &s->neg;
	const struct conf_neighbor *c = p->conf;

	if (!n->gr || !n->gr_peer_fam[f] || n->gr_peer_time_s == 0)
		return false;
	/* The configuration may be another than the session's. */
	if (!c->gr.on || !c->fam[f] || !c->enabled ||
	    c->remote_as != s->received.as)
		return false;
	if (p->removed || p->admin_down || p->limit.tripped || p->eng->stop ||
	    drain_holds(p->eng))
		return false;
	/* RFC 8538 4: a NOTIFICATION only with the N bit of both, and never
	 * a hard reset. */
	return !s->notified || (n->gr_notification && !s->hard);
}

static bool
any_stale(const struct peer *p)
{
	return p->stale[FAM_INET] || p->stale[FAM_INET6];
}

static void
stop_timers(struct peer *p)
{
	timer_stop(&p->eng->timers, &p->restart_timer);
	timer_stop(&p->eng->timers, &p->retain_timer);
}

/* What is stale in the family goes, in slices. */
static void
sweep(struct peer *p, enum fam f)
{
	p->stale[f] = false;
	p->sweeping[f] = true;
	if (!any_stale(p))
		stop_timers(p);
}

static void
sweep_all(struct peer *p, const char *why)
{
	for (enum fam f = FAM_INET; f < FAM_N; f++) {
		if (!p->stale[f])
			continue;
		log_peer(p, LOG_L_INFO, "%u stale routes removed (%s): %s",
		    adjin_count(p->adjin, f)->stale, fam_name(f), why);
		sweep(p, f);
	}
}

static void
on_restart_timer(void *arg, uint64_t now)
{
	sweep_all(arg, "it did not come back within its restart time");
}

static void
on_retain_timer(void *arg, uint64_t now)
{
	sweep_all(arg, "they were kept for the whole stale-time");
}

void
restart_init(struct peer *p)
{
	timer_init(&p->restart_timer, "RestartTimer", on_restart_timer, p);
	timer_init(&p->retain_timer, "RetainTimer", on_retain_timer, p);
}

void
restart_fini(struct peer *p)
{
	stop_timers(p);
}

/* Stale already when the session ends once more: that is deleted first, and
 * then the rest becomes stale (RFC 4724 4.2).  What a route refresh had not
 * renewed yet is none of that. */
static void
keep(struct peer *p, enum fam f)
{
	bool again = p->stale[f] && adjin_count(p->adjin, f)->stale > 0;

	p->stale[f] = true;
	if (p->sweeping[f] || again)
		p->sweeping[f] = p->stale_after[f] = true;
	else
		adjin_mark_stale(p->adjin, f, true);
}

void
restart_down(struct peer *p, const struct session *s)
{
	bool kept[FAM_N] = { false }, any = false;
	uint32_t n = 0;

	for (enum fam f = FAM_INET; f < FAM_N; f++) {
		kept[f] = keeps(p, s, f);
		any |= kept[f];
	}
	if (!any) {
		restart_forget(p);
		return;
	}
	for (enum fam f = FAM_INET; f < FAM_N; f++) {
		if (kept[f]) {
			n += adjin_count(p->adjin, f)->received;
			keep(p, f);
			continue;
		}
		adjin_mark_stale(p->adjin, f, true);
		p->stale_after[f] = false;
		sweep(p, f);
	}
	timer_set(&p->eng->timers, &p->restart_timer, p->eng->now_ms,
	    s->neg.gr_peer_time_s * 1000ull);
	timer_set(&p->eng->timers, &p->retain_timer, p->eng->now_ms,
	    p->conf->gr.stale_s * 1000ull);
	log_peer(p, LOG_L_INFO,
	    "graceful restart: its %u routes are kept as stale, for %u s "
	    "until it is back and %u s until they are renewed",
	    n, s->neg.gr_peer_time_s, p->conf->gr.stale_s);
}

void
restart_forget(struct peer *p)
{
	stop_timers(p);
	for (enum fam f = FAM_INET; f < FAM_N; f++)
		p->stale[f] = p->stale_after[f] = p->sweeping[f] = false;
	p->flushing = true;
}

void
restart_sweep_now(struct peer *p, enum fam f)
{
	while (p->sweeping[f] && adjin_sweep(p->adjin, f, SWEEP_AT_ONCE))
		;
	p->sweeping[f] = false;
	restart_swept(p, f);
}

void
restart_families(struct peer *p)
{
	for (enum fam f = FAM_INET; f < FAM_N; f++) {
		if (!p->stale[f] || p->conf->fam[f])
			continue;
		restart_sweep_now(p, f);
		sweep(p, f);
	}
}

bool
restart_swept(struct peer *p, enum fam f)
{
	if (!p->stale_after[f])
		return false;
	p->stale_after[f] = false;
	adjin_mark_stale(p->adjin, f, true);
	return true;
}

/* It is back: what it did not forward on for goes at once (RFC 4724 4.2). */
void
restart_up(struct peer *p, const struct session *s)
{
	timer_stop(&p->eng->timers, &p->restart_timer);
	for (enum fam f = FAM_INET; f < FAM_N; f++) {
		/* Left over only when it came back within a turn or two. */
		restart_sweep_now(p, f);
		if (!p->stale[f])
			continue;
		if (s->neg.gr_peer_fwd[f]) {
			log_peer(p, LOG_L_INFO,
			    "graceful restart: back, %u stale routes wait "
			    "for its End-of-RIB (%s)",
			    adjin_count(p->adjin, f)->stale, fam_name(f));
			continue;
		}
		log_peer(p, LOG_L_INFO,
		    "graceful restart: back without having kept forwarding "
		    "(%s): %u stale routes removed",
		    fam_name(f), adjin_count(p->adjin, f)->stale);
		sweep(p, f);
	}
}

void
restart_eor(struct peer *p, enum fam f)
{
	if (!p->stale[f])
		return;
	if (adjin_count(p->adjin, f)->stale > 0)
		log_peer(p, LOG_L_INFO,
		    "graceful restart: %u routes that it did not renew "
		    "removed (%s)",
		    adjin_count(p->adjin, f)->stale, fam_name(f));
	sweep(p, f);
}

/* ---- our own restart -------------------------------------------------- */

/*
 * The Forwarding State bit: what we announced to this peer is served on, as
 * the kernel kept our routes, or as this process is still the one it knew.
 */
bool
restart_forwarding(const struct peer *p, enum fam f)
{
	const struct engine *eng = p->eng;

	return eng->fib_ready && (p->established_count > 0 || eng->fib_kept[f]);
}

/* Is its End-of-RIB to be waited for (RFC 4724 4.1)? */
static bool
awaited(const struct peer *p)
{
	const struct negotiated *n;

	if (!p->conf->enabled || !p->conf->gr.on || p->admin_down ||
	    p->limit.tripped || drain_holds(p->eng))
		return false;
	if (p->up == NULL)
		return true;
	n = &p->up->neg;
	if (!n->gr || n->gr_peer_restarting)
		return false;
	return !peer_has_eor(p);
}

uint32_t
restart_deadline_s(const struct engine *eng)
{
	uint32_t longest = 0;
	struct peer *p;

	TAILQ_FOREACH (p, &eng->peers, entry)
		if (p->conf->gr.on && p->conf->gr.restart_s > longest)
			longest = p->conf->gr.restart_s;
	return longest > 0 ? longest : ENGINE_SELECT_S;
}

void
restart_begin(struct engine *eng)
{
	struct peer *p;
	bool any = false;

	if (eng->fib_known)
		return; /* ana-fibd came back, not we */
	eng->fib_known = true;
	for (enum fam f = FAM_INET; f < FAM_N; f++) {
		eng->fib_kept[f] = eng->fib_info.adopted[f] > 0;
		any |= eng->fib_kept[f];
	}
	TAILQ_FOREACH (p, &eng->peers, entry)
		if (any && awaited(p))
			eng->restarting = true;
	if (eng->restarting)
		log_info("graceful restart: the kernel kept our routes; new "
			 "ones are selected when every neighbor has sent its "
			 "own, or in %u s",
		    restart_deadline_s(eng));
}

void
restart_end(struct engine *eng, const char *why)
{
	if (!eng->restarting)
		return;
	eng->restarting = false;
	log_info("graceful restart: routes are selected, %s", why);
}

void
restart_check(struct engine *eng)
{
	struct peer *p;

	if (!eng->restarting)
		return;
	TAILQ_FOREACH (p, &eng->peers, entry)
		if (awaited(p))
			return;
	if (!engine_fib_hops_known(eng))
		return;
	restart_end(eng, "every neighbor has sent its own");
}
