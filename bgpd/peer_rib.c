/* The routes of a peer: from an UPDATE into its Adj-RIB-In, and back out. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bgpd/engine.h"
#include "bgpd/log.h"
#include "bgpd/peer.h"
#include "lib/mem.h"
#include "platform/clock.h"
#include "policy/pfxset.h"

enum {
	STALE_MS = 180 * 1000, /* RFC 8538 4: how long a sweep may wait */
	LIMIT_HOLD_MAX_S = 24 * 3600,
	LIMIT_FORGET_S = 24 * 3600,
};

static uint32_t
now_s(void)
{
	return (uint32_t)clock_real_s();
}

/* ---- facts ------------------------------------------------------------ */

static void
set_limits(struct peer *p)
{
	const struct conf_neighbor *c = p->conf;
	const struct conf_limit(*l)[FAM_N] = c->limit;
	bool off = c->guard_off & GUARD_BIT(GUARD_MAX_PREFIX);
	struct adjin_limits lim = { 0 };

	for (enum fam f = FAM_INET; f < FAM_N; f++)
		if (!c->internal &&
		    !(c->guard_off & GUARD_BIT(GUARD_MAX_LENGTH)))
			lim.max_len[f] = p->eng->conf->max_length[f];
	for (int f = FAM_NONE; !off && f < FAM_N; f++) {
		/* Limits that only warn never refuse: see check_warn(). */
		if (l[CONF_RECEIVED][f].action != CONF_LIMIT_WARN) {
			if (f == FAM_NONE)
				lim.received = l[CONF_RECEIVED][f].max;
			else
				lim.received_fam[f] = l[CONF_RECEIVED][f].max;
		}
		if (f != FAM_NONE &&
		    l[CONF_ACCEPTED][f].action != CONF_LIMIT_WARN)
			lim.accepted_fam[f] = l[CONF_ACCEPTED][f].max;
	}
	adjin_set_limits(p->adjin, &lim);
}

/* Our own addresses: no route may have one of them as its next hop. */
static void
set_local(struct peer *p)
{
	struct engine *eng = p->eng;
	size_t n = 0, most = eng->naddr + 1;
	struct addr *a = mem_alloc(most * sizeof *a);

	for (size_t i = 0; i < eng->naddr; i++)
		a[n++] = eng->addr[i].addr;
	if (p->up != NULL)
		a[n++] = p->up->local;
	free((void *)(uintptr_t)p->facts.local);
	p->facts.local = a;
	p->facts.nlocal = n;
}

static void
set_allow(struct peer *p)
{
	const struct conf_neighbor *c = p->conf;
	const struct pfxset **s = mem_alloc((c->nallow + 1) * sizeof *s);
	size_t n = 0;

	for (size_t i = 0; i < c->nallow; i++)
		if (c->allow[i]->set != NULL)
			s[n++] = c->allow[i]->set;
	free((void *)(uintptr_t)p->facts.allow);
	p->facts.allow = s;
	p->facts.nallow = n;
}

void
peer_update_facts(struct peer *p)
{
	const struct conf_neighbor *c = p->conf;
	const struct conf *conf = p->eng->conf;
	struct import_facts *f = &p->facts;

	f->local_as = conf->as;
	f->peer_as = c->remote_as;
	f->local_id = conf->router_id;
	f->internal = c->internal;
	f->lab = conf->lab_mode;
	f->honour_gshut = true;
	f->role = c->role;
	f->off = c->guard_off;
	f->max_len[FAM_INET] = conf->max_length[FAM_INET];
	f->max_len[FAM_INET6] = conf->max_length[FAM_INET6];
	f->max_path = conf->as_path_max;
	f->neighbor = c->addr;
	f->peer[FAM_INET] = f->peer[FAM_INET6] = c->next_hop_peer;
	f->peer[c->addr.fam] = c->addr;
	f->transit_free =
	    conf->transit_free != NULL ? conf->transit_free->set : NULL;
	f->own = conf->own;
	f->irr = c->irr != NULL ? c->irr->set : NULL;
	f->policy = c->import != NULL ? c->import->rules : NULL;
	set_allow(p);
	set_local(p);
	set_limits(p);
}

/* ---- limits ----------------------------------------------------------- */

void
peer_clear_limit(struct peer *p)
{
	timer_stop(&p->eng->timers, &p->limit_hold);
	if (!p->limit_tripped)
		return;
	p->limit_tripped = false;
	p->limit_until_s = 0;
	peer_start(p);
}

/* How long it stays down now: doubles, up to a day; a quiet day forgets. */
static uint32_t
limit_hold_s(struct peer *p, uint32_t configured)
{
	int64_t since = clock_real_s() - p->limit_tripped_s;

	if (p->limit_hold_s == 0 || since > p->limit_hold_s + LIMIT_FORGET_S)
		return configured;
	return p->limit_hold_s > LIMIT_HOLD_MAX_S / 2 ? LIMIT_HOLD_MAX_S
						      : 2 * p->limit_hold_s;
}

static void
trip(struct peer *p, const struct conf_limit *l, const char *what,
    const struct pfx *pfx)
{
	uint8_t data[7] = { 0, pfx->addr.fam, 1, (uint8_t)(l->max >> 24),
		(uint8_t)(l->max >> 16), (uint8_t)(l->max >> 8),
		(uint8_t)l->max };
	char text[PFX_STRLEN];

	if (l->action == CONF_LIMIT_RESTART) {
		p->limit_hold_s = limit_hold_s(p, l->time_s);
		p->limit_until_s = clock_real_s() + p->limit_hold_s;
		timer_set(&p->eng->timers, &p->limit_hold, p->eng->now_ms,
		    p->limit_hold_s * 1000ull);
	} else
		p->limit_until_s = 0;
	p->limit_tripped = true;
	p->limit_tripped_s = clock_real_s();
	p->limit_count++;
	log_peer(p, LOG_L_WARN,
	    "%s would be one prefix more than the limit of %u %s; session "
	    "ended (action %s)",
	    pfx_print(pfx, text, sizeof text), l->max, what,
	    conf_limit_action_name((enum conf_limit_action)l->action));
	session_stop(p->up, EV08_AUTO_STOP, NOTIF_CEASE, CEASE_MAX_PREFIX, data,
	    sizeof data);
}

/* The limit that this prefix would cross: the session's or its family's. */
static void
over_received(struct peer *p, const struct pfx *pfx)
{
	const struct conf_limit *l = p->conf->limit[CONF_RECEIVED];
	enum fam f = pfx->addr.fam;

	if (l[FAM_NONE].max != 0 && l[FAM_NONE].action != CONF_LIMIT_WARN &&
	    adjin_received(p->adjin) >= l[FAM_NONE].max)
		trip(p, &l[FAM_NONE], "received", pfx);
	else
		trip(p, &l[f], "received in this family", pfx);
}

static void
check_warn(struct peer *p)
{
	const struct conf_limit *l = &p->conf->limit[CONF_RECEIVED][FAM_NONE];
	uint64_t n = adjin_received(p->adjin);
	bool *warned = &p->limit_warned[CONF_RECEIVED];

	if (l->max == 0 || p->conf->guard_off & GUARD_BIT(GUARD_MAX_PREFIX))
		return;
	if (n * 100 < (uint64_t)l->max * l->warn_pct) {
		*warned = false;
		return;
	}
	if (!*warned)
		log_peer(p, LOG_L_WARN,
		    "%llu prefixes received, %u %% or more of the limit of %u",
		    (unsigned long long)n, l->warn_pct, l->max);
	*warned = true;
}

/* ---- what came in ----------------------------------------------------- */

/* log { rejected-routes sample 1/N max M/min; } */
static void
log_rejected(struct peer *p, const struct pfx *pfx, const struct attrs *a,
    const struct import_result *res)
{
	const struct conf_log *l = &p->eng->conf->log;
	struct engine *eng = p->eng;
	char text[512];

	if (l->rejected_sample == 0 ||
	    eng->rejects_seen++ % l->rejected_sample != 0)
		return;
	if (eng->rejects_minute != eng->now_ms / 60000) {
		eng->rejects_minute = eng->now_ms / 60000;
		eng->rejects_logged = 0;
	}
	if (l->rejected_max_per_min != 0 &&
	    eng->rejects_logged++ >= l->rejected_max_per_min)
		return;
	import_print(&p->facts, pfx, a, res, text, sizeof text);
	log_peer(p, LOG_L_INFO, "route rejected (%s): %s",
	    reason_name(res->reason), text);
}

/* One route: limits, policy, Adj-RIB-In.  False: the session has ended. */
static bool
put(struct peer *p, const struct pfx *pfx, const struct attrs *a,
    uint32_t id_in)
{
	struct engine *eng = p->eng;
	struct adjin_route r = { .attrs_in = id_in };
	struct import_result res;
	uint32_t made = 0;

	if (adjin_admit(p->adjin, pfx, 0, NULL) == ADJIN_OVER_LIMIT) {
		over_received(p, pfx);
		return false;
	}
	r.reason = import_check(&p->facts, pfx, a, &eng->arena, &res);
	if (res.rule != NULL && res.rule->hit < ENGINE_RULE_HITS)
		eng->rule_hits[res.rule->hit]++;
	if (r.reason != REASON_NONE)
		log_rejected(p, pfx, a, &res);
	if (r.reason == REASON_NONE && !adjin_may_accept(p->adjin, pfx)) {
		trip(p, &p->conf->limit[CONF_ACCEPTED][pfx->addr.fam],
		    "accepted in this family", pfx);
		return false;
	}
	if (r.reason == REASON_NONE && res.changed)
		r.attrs = made = attrs_intern(eng->attrs, &res.attrs);
	else if (r.reason == REASON_NONE)
		r.attrs = id_in;
	adjin_put(p->adjin, pfx, &r, now_s());
	attrs_unref(eng->attrs, made);
	return true;
}

static void
withdraw(struct peer *p, struct cur *nlri, enum fam f)
{
	struct pfx pfx;

	while (wire_nlri_next(nlri, f, &pfx)) {
		p->rx.withdraws++;
		adjin_del(p->adjin, &pfx);
	}
}

/* RFC 7606 2: kept as rejected, shown, not eligible, not counted. */
static void
put_malformed(struct peer *p, struct cur *nlri, enum fam f)
{
	struct adjin_route r = { .reason = REASON_MALFORMED,
		.flags = ADJIN_MALFORMED };
	struct pfx pfx;

	while (wire_nlri_next(nlri, f, &pfx))
		adjin_put(p->adjin, &pfx, &r, now_s());
}

static void
announce(struct peer *p, struct cur *nlri, enum fam f, const struct attrs *a)
{
	uint32_t id;
	struct pfx pfx;

	if (cur_left(nlri) == 0)
		return;
	id = attrs_intern(p->eng->attrs, a);
	while (p->up != NULL && wire_nlri_next(nlri, f, &pfx)) {
		p->rx.updates++;
		if (!put(p, &pfx, a, id))
			break;
	}
	attrs_unref(p->eng->attrs, id);
}

void
peer_update(struct peer *p, const struct update *u)
{
	struct cur withdrawn = u->withdrawn, unreach = u->mp_unreach;
	struct cur nlri = u->nlri, reach = u->mp_reach;
	struct attrs mp = u->attrs;

	if (u->eor != FAM_NONE) {
		p->eor_received[u->eor] = true;
		log_peer(p, LOG_L_INFO, "End-of-RIB received for %s",
		    fam_name(u->eor));
		return;
	}
	withdraw(p, &withdrawn, FAM_INET);
	withdraw(p, &unreach, u->mp_unreach_fam);
	if (u->verdict == WIRE_WITHDRAW) {
		put_malformed(p, &nlri, FAM_INET);
		put_malformed(p, &reach, u->mp_reach_fam);
		return;
	}
	announce(p, &nlri, FAM_INET, &u->attrs);
	mp.nexthop = u->mp_nexthop;
	mp.nexthop_ll = u->mp_nexthop_ll;
	mp.has |= 1u << HAS_NEXT_HOP;
	announce(p, &reach, u->mp_reach_fam, &mp);
	if (p->up != NULL)
		check_warn(p);
}

/* ---- up and down ------------------------------------------------------ */

void
peer_rib_up(struct peer *p, const struct session *s)
{
	struct rib_peer rp = { .internal = p->conf->internal,
		.as = p->conf->remote_as,
		.router_id = s->received.id,
		.weight = p->conf->weight,
		.addr = p->conf->addr };

	/* Left over only when it came back within one budget's time. */
	while (p->flushing && adjin_flush(p->adjin, 65536))
		;
	p->flushing = false;
	p->limit_warned[CONF_RECEIVED] = false;
	p->local[s->local.fam] = s->local;
	for (enum fam f = FAM_INET; f < FAM_N; f++) {
		p->eor_received[f] = false;
		p->borr[f] = p->sweeping[f] = false;
		if (f == s->local.fam)
			continue;
		p->local[f] = p->conf->next_hop_self;
		if (p->local[f].fam == FAM_NONE)
			engine_local_addr(p->eng, &s->local, f, &p->local[f]);
	}
	set_local(p);
	rib_peer_set(p->eng->rib, p->num, &rp);
	p->group = engine_group(p->eng, p);
	p->member = adjout_join(p->group->out, p->num, &s->neg.wire, p);
	p->group->more = true;
}

void
peer_told(const struct peer *p, uint64_t *updates, uint64_t *withdraws)
{
	const struct adjout_count *c;

	*updates = p->tx.updates;
	*withdraws = p->tx.withdraws;
	if (p->member == NULL)
		return;
	c = adjout_count(p->member);
	*updates += c->announced[FAM_INET] + c->announced[FAM_INET6];
	*withdraws += c->withdrawn[FAM_INET] + c->withdrawn[FAM_INET6];
}

void
peer_rib_down(struct peer *p)
{
	if (p->reimport != NULL)
		adjin_walk_free(p->reimport);
	p->reimport = NULL;
	p->reimport_fam = FAM_N;
	if (p->member != NULL) {
		peer_told(p, &p->tx.updates, &p->tx.withdraws);
		adjout_leave(p->member);
		engine_group_leave(p->group);
	}
	p->member = NULL;
	p->group = NULL;
	for (enum fam f = FAM_INET; f < FAM_N; f++) {
		p->borr[f] = p->sweeping[f] = false;
		timer_stop(&p->eng->timers, &p->sweep_deadline[f]);
	}
	p->flushing = true;
}

bool
peer_drained(const struct peer *p)
{
	return !p->flushing;
}

/* ---- route refresh ---------------------------------------------------- */

void
peer_refresh(struct peer *p, const struct wire_refresh *r)
{
	const struct negotiated *n = &p->up->neg;

	if (r->fam == FAM_NONE || !n->wire.mp[r->fam] || !n->refresh) {
		log_peer(p, LOG_L_INFO,
		    "ROUTE-REFRESH for AFI %u SAFI %u, which was not agreed "
		    "on: ignored",
		    r->afi, r->safi);
		return;
	}
	switch (r->subtype) {
	case REFRESH_REQUEST:
		adjout_refresh(p->member, r->fam, n->enhanced_refresh);
		p->group->more = true;
		break;
	case REFRESH_BORR:
		adjin_mark_stale(p->adjin, r->fam);
		p->borr[r->fam] = true;
		timer_set(&p->eng->timers, &p->sweep_deadline[r->fam],
		    p->eng->now_ms, STALE_MS);
		break;
	case REFRESH_EORR:
		if (!p->borr[r->fam])
			break;
		timer_stop(&p->eng->timers, &p->sweep_deadline[r->fam]);
		p->borr[r->fam] = false;
		p->sweeping[r->fam] = true;
		break;
	default:
		log_peer(p, LOG_L_INFO,
		    "ROUTE-REFRESH of unknown subtype %u: ignored", r->subtype);
		break;
	}
}

bool
peer_ask_refresh(struct peer *p)
{
	uint8_t msg[64];
	struct wbuf w;

	if (p->up == NULL || !p->up->neg.refresh)
		return false;
	for (enum fam f = FAM_INET; f < FAM_N; f++) {
		if (!p->up->neg.wire.mp[f])
			continue;
		wbuf_init(&w, msg, sizeof msg);
		wire_refresh_write(&w, f, REFRESH_REQUEST);
		session_send(p->up, msg, w.len);
	}
	return true;
}

void
peer_send_again(struct peer *p)
{
	for (enum fam f = FAM_INET; f < FAM_N; f++)
		if (p->up->neg.wire.mp[f])
			adjout_refresh(
			    p->member, f, p->up->neg.enhanced_refresh);
	p->group->more = true;
}

/* ---- in slices -------------------------------------------------------- */

void
peer_reimport(struct peer *p)
{
	if (p->reimport != NULL)
		adjin_walk_free(p->reimport);
	p->reimport_fam = FAM_INET;
	p->reimport = adjin_walk_new(p->adjin, FAM_INET);
}

static void
reimport_one(struct peer *p, const struct pfx *pfx, const struct rib_path *rp)
{
	struct attrs a;

	if (rp->malformed || rp->held)
		return;
	attrs_get(p->eng->attrs, rp->attrs_in, &a);
	arena_reset(&p->eng->arena);
	attrs_ref(p->eng->attrs, rp->attrs_in);
	put(p, pfx, &a, rp->attrs_in);
	attrs_unref(p->eng->attrs, rp->attrs_in);
}

static bool
reimport_run(struct peer *p, unsigned int *budget)
{
	struct rib_path rp;
	struct pfx pfx;

	while (p->reimport != NULL) {
		switch (adjin_walk_next(p->reimport, budget, &pfx, &rp)) {
		case ADJIN_STEP_LATER:
			return true;
		case ADJIN_STEP_ROUTE:
			reimport_one(p, &pfx, &rp);
			break;
		case ADJIN_STEP_END:
			adjin_walk_free(p->reimport);
			p->reimport = NULL;
			if (++p->reimport_fam < FAM_N)
				p->reimport =
				    adjin_walk_new(p->adjin, p->reimport_fam);
			break;
		}
	}
	return false;
}

bool
peer_rib_run(struct peer *p, unsigned int budget)
{
	if (p->flushing)
		p->flushing = adjin_flush(p->adjin, budget);
	for (enum fam f = FAM_INET; f < FAM_N; f++)
		if (p->sweeping[f])
			p->sweeping[f] = adjin_sweep(p->adjin, f, budget);
	return p->flushing || p->sweeping[FAM_INET] || p->sweeping[FAM_INET6] ||
	    reimport_run(p, &budget);
}
