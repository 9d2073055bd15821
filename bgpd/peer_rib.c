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
	MALFORMED_MAX = 10000, /* kept of a family, to be shown */
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
	uint32_t received[FAM_N] = { 0 }, accepted[FAM_N] = { 0 };
	struct adjin_limits lim = { 0 };

	for (enum fam f = FAM_INET; f < FAM_N; f++)
		if (!c->internal &&
		    !(c->guard_off & GUARD_BIT(GUARD_MAX_LENGTH)))
			lim.max_len[f] = p->eng->conf->max_length[f];
	/* Limits that only warn never refuse: see peer_limit_check(). */
	for (int f = FAM_NONE; !off && f < FAM_N; f++) {
		if (l[CONF_RECEIVED][f].action != CONF_LIMIT_WARN)
			received[f] = l[CONF_RECEIVED][f].max;
		if (l[CONF_ACCEPTED][f].action != CONF_LIMIT_WARN)
			accepted[f] = l[CONF_ACCEPTED][f].max;
	}
	lim.received = received[FAM_NONE];
	lim.accepted = accepted[FAM_NONE];
	for (enum fam f = FAM_INET; f < FAM_N; f++) {
		lim.received_fam[f] = received[f];
		lim.accepted_fam[f] = accepted[f];
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
set_allow(const struct conf_neighbor *c, struct import_facts *f)
{
	const struct pfxset **s = mem_alloc((c->nallow + 1) * sizeof *s);
	size_t n = 0;

	for (size_t i = 0; i < c->nallow; i++)
		s[n++] = c->allow[i]->set;
	free((void *)(uintptr_t)f->allow);
	f->allow = s;
	f->nallow = n;
}

void
peer_facts(const struct conf *conf, const struct conf_neighbor *c,
    struct import_facts *f)
{
	f->local_as = conf->as;
	f->peer_as = c->remote_as;
	f->local_id = conf->router_id;
	f->internal = c->internal;
	f->lab = conf->lab_mode;
	f->honour_gshut = c->honour_gshut;
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
	f->group = c->group;
	set_allow(c, f);
}

void
peer_update_facts(struct peer *p)
{
	struct export_drain drain;

	peer_facts(p->eng->conf, p->conf, &p->facts);
	p->facts.hits = p->eng->rule_hits;
	drain_facts(p, p->eng->conf, &drain);
	p->facts.drained = drain.on;
	set_local(p);
	set_limits(p);
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

/* By a limit: it stands there with the reason, and is not counted. */
static void
put_held(struct peer *p, const struct pfx *pfx, uint32_t id_in, uint16_t reason,
    bool again)
{
	struct adjin_route r = { .attrs_in = id_in,
		.reason = reason,
		.flags = ADJIN_HELD,
		.again = again };

	adjin_put(p->adjin, pfx, &r, now_s());
}

/* Prefixes with the same attributes, on their way in. */
struct batch {
	uint32_t id_in; /* the attributes */
	uint32_t made; /* as the rules changed them, with a reference, or 0 */
	uint32_t now_s;
	bool again; /* not from the peer: struct adjin_route */
	struct import_run run;
};

static void
batch_begin(struct peer *p, struct batch *b, const struct attrs *a, uint32_t id)
{
	b->id_in = id;
	b->made = 0;
	b->now_s = now_s();
	b->again = false;
	import_begin(&b->run, &p->facts, a, &p->eng->arena);
}

static void
batch_end(struct peer *p, const struct batch *b)
{
	attrs_unref(p->eng->attrs, b->made);
}

/* The number of the attributes after policy. */
static uint32_t
after_policy(
    struct engine *eng, struct batch *b, const struct import_result *res)
{
	if (!res->changed)
		return b->id_in;
	if (b->run.each) {
		attrs_unref(eng->attrs, b->made);
		b->made = 0;
	}
	if (b->made == 0)
		b->made = attrs_intern(eng->attrs, &res->attrs);
	return b->made;
}

/* One route: limits, policy, Adj-RIB-In.  False: the session has ended. */
static bool
put(struct peer *p, const struct pfx *pfx, struct batch *b)
{
	struct engine *eng = p->eng;
	struct adjin_route r = { .attrs_in = b->id_in, .again = b->again };
	const struct import_result *res;
	enum peer_limit_verdict v;
	uint16_t reason = REASON_NONE;

	/* Again: it is in already. */
	v = b->again ? PEER_LIMIT_OK : peer_limit_admit(p, pfx, &reason);
	if (v == PEER_LIMIT_OK) {
		res = import_next(&b->run, pfx);
		r.reason = res->reason;
		if (r.reason != REASON_NONE)
			log_rejected(p, pfx, b->run.a, res);
		else if (p->up != NULL)
			v = peer_limit_accept(p, pfx, b->again, &reason);
	}
	if (v == PEER_LIMIT_HELD)
		put_held(p, pfx, b->id_in, reason, b->again);
	if (v != PEER_LIMIT_OK)
		return v == PEER_LIMIT_HELD;
	if (r.reason == REASON_NONE)
		r.attrs = after_policy(eng, b, res);
	else
		peer_limit_room(p); /* it may have been an accepted one */
	adjin_put(p->adjin, pfx, &r, b->now_s);
	return true;
}

bool
peer_put(struct peer *p, const struct pfx *pfx, const struct attrs *a,
    uint32_t id_in, bool again)
{
	struct batch b;
	bool on;

	batch_begin(p, &b, a, id_in);
	b.again = again;
	on = put(p, pfx, &b);
	batch_end(p, &b);
	return on;
}

static int
by_prefix(const void *a, const void *b)
{
	return pfx_cmp(a, b);
}

/* What an UPDATE announces of a family, in order; the caller frees it. */
static struct pfx *
announced(const struct update *u, enum fam f, size_t *n)
{
	struct cur nlri = u->nlri, reach = u->mp_reach;
	size_t most = (f == FAM_INET ? cur_left(&nlri) : 0) +
	    (f == u->mp_reach_fam ? cur_left(&reach) : 0);
	struct pfx *v;

	*n = 0;
	if (most == 0)
		return NULL;
	/* A prefix takes an octet at least. */
	v = mem_alloc((most + 1) * sizeof *v);
	while (f == FAM_INET && wire_nlri_next(&nlri, f, &v[*n]))
		++*n;
	while (f == u->mp_reach_fam && wire_nlri_next(&reach, f, &v[*n]))
		++*n;
	qsort(v, *n, sizeof *v, by_prefix);
	return v;
}

/* RFC 4271 4.3: what is announced as well counts as not withdrawn. */
static void
withdraw(struct peer *p, const struct update *u, struct cur nlri, enum fam f)
{
	struct pfx *also, pfx;
	size_t n;

	if (cur_left(&nlri) == 0)
		return;
	also = announced(u, f, &n);
	while (wire_nlri_next(&nlri, f, &pfx)) {
		p->rx.withdraws++;
		if (n == 0 || !bsearch(&pfx, also, n, sizeof pfx, by_prefix))
			adjin_del(p->adjin, &pfx);
	}
	free(also);
	peer_limit_room(p);
}

/*
 * RFC 7606 2: kept as rejected, shown, not eligible, not counted.  As no limit
 * ends it, more than MALFORMED_MAX are only withdrawn.
 */
static void
put_malformed(struct peer *p, struct cur *nlri, enum fam f)
{
	struct adjin_route r = { .reason = REASON_MALFORMED,
		.flags = ADJIN_MALFORMED };
	struct pfx pfx;

	while (wire_nlri_next(nlri, f, &pfx))
		if (adjin_count(p->adjin, f)->malformed < MALFORMED_MAX)
			adjin_put(p->adjin, &pfx, &r, now_s());
		else
			adjin_del(p->adjin, &pfx);
	peer_limit_room(p);
}

/*
 * The same prefixes in their order: all of a message are seen at once, so
 * where they stand in it must not say which of them a limit holds back.
 */
static void
sort_nlri(struct peer *p, struct cur *nlri, enum fam f)
{
	/* A prefix takes an octet at least, and is written as it was. */
	struct pfx *v = mem_alloc((cur_left(nlri) + 1) * sizeof *v);
	size_t n = 0, len = cur_left(nlri), octets;
	uint8_t *out = arena_get(&p->eng->arena, len), *at = out;

	while (wire_nlri_next(nlri, f, &v[n]))
		n++;
	qsort(v, n, sizeof *v, by_prefix);
	for (size_t i = 0; i < n; i++) {
		octets = (v[i].len + 7u) / 8;
		*at++ = v[i].len;
		memcpy(at, v[i].addr.o, octets);
		at += octets;
	}
	cur_init(nlri, out, (size_t)(at - out));
	free(v);
}

static void
announce(struct peer *p, struct cur *nlri, enum fam f, const struct attrs *a)
{
	struct pfx pfx;
	struct batch b;

	if (p->up == NULL || cur_left(nlri) == 0)
		return;
	if (peer_limit_parts(p))
		sort_nlri(p, nlri, f);
	attrs_seek(p->eng->attrs, a);
	batch_begin(p, &b, a, 0);
	b.id_in = attrs_sought(p->eng->attrs);
	while (p->up != NULL && wire_nlri_next(nlri, f, &pfx)) {
		p->rx.updates++;
		p->limit.rest = nlri;
		if (!put(p, &pfx, &b))
			break;
	}
	p->limit.rest = NULL;
	batch_end(p, &b);
	attrs_unref(p->eng->attrs, b.id_in);
}

void
peer_update(struct peer *p, const struct update *u)
{
	struct cur nlri = u->nlri, reach = u->mp_reach;
	struct attrs mp = u->attrs;

	if (u->eor != FAM_NONE) {
		p->eng->converging |= !p->eor_received[u->eor];
		p->eor_received[u->eor] = true;
		restart_eor(p, u->eor);
		log_peer(p, LOG_L_INFO, "End-of-RIB received for %s",
		    fam_name(u->eor));
		peer_limit_eor(p);
		return;
	}
	withdraw(p, u, u->withdrawn, FAM_INET);
	withdraw(p, u, u->mp_unreach, u->mp_unreach_fam);
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
	peer_limit_check(p);
}

/* ---- up and down ------------------------------------------------------ */

void
peer_next_hop(const struct peer *p, const struct session *s,
    const struct conf_neighbor *c, enum fam f, struct addr *a, struct addr *ll)
{
	bool own = f == s->local.fam;

	memset(ll, 0, sizeof *ll);
	*a = own ? s->local : c->next_hop_self;
	/* RFC 8950: the session's own address does for IPv4, too. */
	if (a->fam == FAM_NONE && f == FAM_INET && s->neg.wire.ext_nexthop) {
		*a = s->local;
		own = true;
	}
	if (a->fam == FAM_NONE)
		engine_local_addr(p->eng, &s->local, f, a);
	/* RFC 2545 3: when all of them are on one link. */
	if (own && s->local.fam == FAM_INET6)
		engine_link_local(p->eng, &s->local, &c->addr, ll);
}

static void
set_next_hop(struct peer *p, const struct session *s, enum fam f)
{
	peer_next_hop(p, s, p->conf, f, &p->local[f], &p->local_ll[f]);
}

void
peer_next_hops(struct peer *p)
{
	for (enum fam f = FAM_INET; p->up != NULL && f < FAM_N; f++)
		set_next_hop(p, p->up, f);
}

bool
peer_addresses(struct peer *p, const struct addr *gone)
{
	const struct session *s = p->up;
	bool news = false;

	if (s == NULL)
		return false;
	set_local(p);
	for (enum fam f = FAM_INET; f < FAM_N; f++) {
		struct addr a = p->local[f], ll = p->local_ll[f];

		if (a.fam != FAM_NONE &&
		    (ll.fam != FAM_NONE || !addr_eq(&a, &s->local)) &&
		    (gone == NULL ||
			(!addr_eq(&a, gone) && !addr_eq(&ll, gone))))
			continue;
		set_next_hop(p, s, f);
		news |= !addr_eq(&a, &p->local[f]) ||
		    !addr_eq(&ll, &p->local_ll[f]);
	}
	return news;
}

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
	peer_limit_up(p);
	restart_up(p, s);
	for (enum fam f = FAM_INET; f < FAM_N; f++) {
		p->eor_received[f] = false;
		p->converged_ms[f] = 0;
		p->borr[f] = false;
		set_next_hop(p, s, f);
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
peer_rib_down(struct peer *p, const struct session *s)
{
	if (p->member != NULL) {
		peer_told(p, &p->tx.updates, &p->tx.withdraws);
		adjout_leave(p->member);
		engine_group_leave(p->group);
	}
	p->member = NULL;
	p->group = NULL;
	for (enum fam f = FAM_INET; f < FAM_N; f++) {
		p->borr[f] = false;
		timer_stop(&p->eng->timers, &p->sweep_deadline[f]);
	}
	restart_down(p, s);
	/* What is kept is looked at again to the end. */
	if (p->flushing) {
		adjin_walk_free(p->reimport);
		p->reimport = NULL;
	}
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
		/* RFC 7313 4: not before its End-of-RIB. */
		if (n->gr && !p->eor_received[r->fam]) {
			log_peer(p, LOG_L_INFO,
			    "BoRR before its End-of-RIB: ignored");
			break;
		}
		/* Or its routes would go with those of the one before. */
		restart_sweep_now(p, r->fam);
		adjin_mark_stale(p->adjin, r->fam, false);
		p->borr[r->fam] = true;
		timer_set(&p->eng->timers, &p->sweep_deadline[r->fam],
		    p->eng->now_ms, p->conf->gr.stale_s * 1000ull);
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
	p->reimported++;
	attrs_get(p->eng->attrs, rp->attrs_in, &a);
	arena_reset(&p->eng->arena);
	attrs_ref(p->eng->attrs, rp->attrs_in);
	peer_put(p, pfx, &a, rp->attrs_in, true);
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
	for (enum fam f = FAM_INET; f < FAM_N; f++) {
		if (!p->sweeping[f])
			continue;
		p->sweeping[f] = adjin_sweep(p->adjin, f, budget);
		peer_limit_room(p);
		if (!p->sweeping[f])
			restart_swept(p, f);
	}
	return p->flushing || p->sweeping[FAM_INET] || p->sweeping[FAM_INET6] ||
	    reimport_run(p, &budget) || peer_limit_run(p, budget);
}
