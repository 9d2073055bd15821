#include "bgpd/engine.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bgpd/auth.h"
#include "bgpd/commit.h"
#include "bgpd/control.h"
#include "bgpd/log.h"
#include "bgpd/sets.h"
#include "bgpd/state.h"
#include "lib/mem.h"
#include "platform/clock.h"
#include "platform/notify.h"
#include "policy/pfxset.h"

enum {
	/* What one stage may do in one turn; each a few milliseconds. */
	BUDGET_RIB = 4096,
	BUDGET_FIB = 4096,
	BUDGET_OUT = 4096,
	BUDGET_WALK = 16384,
	STOP_MS = 5000,
	MEMO = 64, /* sets of attributes whose export is remembered */
};

static void on_wake(void *);

/* ---- what the RIB tells ----------------------------------------------- */

/*
 * What became of the last sets of attributes, while one group is served: most
 * routes come in rows with the same.  Both sets are kept by a reference: the
 * answer's here, the other's by the path, which does not change meanwhile.
 */
struct memo {
	uint32_t in, out; /* in 0: empty */
	const struct rule *by;
	uint8_t fam, source;
};

struct exporter {
	struct export_group *g;
	bool by_attrs;
	struct memo memo[MEMO];
};

static uint32_t
export_one(struct export_group *g, const struct pfx *pfx,
    const struct rib_path *best, enum route_source source,
    const struct rule **by)
{
	struct engine *eng = g->eng;
	struct attrs in, out;
	uint16_t why;

	arena_reset(&eng->arena_out);
	attrs_get(eng->attrs, best->attrs, &in);
	if (!export_check(
		&g->facts, pfx, &in, source, &eng->arena_out, &out, &why, by))
		return 0;
	return attrs_intern(eng->attrs, &out);
}

static uint32_t
group_export(void *arg, const struct pfx *pfx, const struct rib_path *best)
{
	struct exporter *x = arg;
	struct engine *eng = x->g->eng;
	enum route_source source;
	struct memo *m;

	if (best->peer == RIB_LOCAL)
		return export_one(x->g, pfx, best, SOURCE_LOCAL, NULL);
	source = rib_peer_get(eng->rib, best->peer)->internal ? SOURCE_INTERNAL
							      : SOURCE_EXTERNAL;
	if (!x->by_attrs || pfx_is_default(pfx))
		return export_one(x->g, pfx, best, source, NULL);
	m = &x->memo[best->attrs * 2654435761U >> 16 & (MEMO - 1)];
	if (m->in != best->attrs || m->fam != pfx->addr.fam ||
	    m->source != source) {
		attrs_unref(eng->attrs, m->out);
		*m = (struct memo){ .in = best->attrs,
			.fam = pfx->addr.fam,
			.source = (uint8_t)source };
		m->out = export_one(x->g, pfx, best, source, &m->by);
	} else if (m->by != NULL && x->g->facts.hits != NULL)
		x->g->facts.hits[m->by->hit]++;
	attrs_ref(eng->attrs, m->out);
	return m->out;
}

static bool
group_send(void *arg, struct adjout_member *m, const uint8_t *msg, size_t len)
{
	struct peer *p = adjout_user(m);

	return p->up != NULL && session_send(p->up, msg, len);
}

static void
route_event(struct engine *eng, const struct rib_change *c)
{
	struct peer *p = c->new_peer != RIB_LOCAL && c->new_attrs != 0
	    ? eng->by_num[c->new_peer]
	    : NULL;
	char text[PFX_STRLEN];
	struct log_word w[] = { { "prefix",
				    pfx_print(c->pfx, text, sizeof text) },
		{ NULL, NULL } };

	if (c->new_attrs == 0)
		event(eng->events, EVENT_ROUTE_NONE, LOG_L_NONE, p, w,
		    "%s has no route any more", text);
	else
		event(eng->events, EVENT_ROUTE_BEST, LOG_L_NONE, p, w, "%s %s",
		    text,
		    c->old_attrs == 0 ? "has a route" : "has another route");
}

static void
on_best(void *arg, const struct rib_change *c)
{
	struct engine *eng = arg;
	bool local = c->old_peer == RIB_LOCAL || c->new_peer == RIB_LOCAL;
	struct export_group *g;

	engine_fib_best(eng, c);
	if (!c->best_changed)
		return;
	if (events_routes_wanted(eng->events))
		route_event(eng, c);
	TAILQ_FOREACH (g, &eng->groups, entry) {
		if (g->own_only && !local)
			continue;
		adjout_mark(g->out, c->dest);
		g->more = true;
	}
}

/* ---- export groups ---------------------------------------------------- */

void
engine_export_facts(const struct peer *p, const struct conf *conf,
    const struct conf_neighbor *c, struct export_facts *f,
    struct adjout_opts *o)
{
	bool other = !addr_eq(&p->conf->next_hop_self, &c->next_hop_self);

	*f = (struct export_facts){ .local_as = conf->as,
		.peer_as = c->remote_as,
		.internal = c->internal,
		.role = c->role,
		.off = c->guard_off,
		.neighbor = c->addr,
		.own = conf->own,
		.policy = c->export != NULL ? c->export->rules : NULL,
		.group = c->group };
	drain_facts(p, conf, &f->drain);
	*o = (struct adjout_opts){ 0 };
	for (enum fam fam = FAM_INET; fam < FAM_N; fam++) {
		f->next_hop[fam] = p->local[fam];
		f->next_hop_ll[fam] = p->local_ll[fam];
		if (other)
			peer_next_hop(p, p->up, c, fam, &f->next_hop[fam],
			    &f->next_hop_ll[fam]);
		if (!(c->guard_off & GUARD_BIT(GUARD_MAX_PREFIX)))
			o->max_prefixes[fam] =
			    c->limit[CONF_ANNOUNCED][fam].max;
	}
	if (!(c->guard_off & GUARD_BIT(GUARD_MAX_PREFIX)))
		o->max_session = c->limit[CONF_ANNOUNCED][FAM_NONE].max;
}

static void
group_facts(const struct peer *p, struct export_facts *f, struct adjout_opts *o)
{
	engine_export_facts(p, p->eng->conf, p->conf, f, o);
}

/* What the rules may ask about the neighbor itself. */
static bool
same_neighbor(const struct export_facts *a, const struct export_facts *b)
{
	const char *x = a->group != NULL ? a->group : "";
	const char *y = b->group != NULL ? b->group : "";

	if (policy_asks(a->policy, MATCH_NEIGHBOR) &&
	    !addr_eq(&a->neighbor, &b->neighbor))
		return false;
	return !policy_asks(a->policy, MATCH_GROUP) || strcmp(x, y) == 0;
}

static bool
same_drain(const struct export_drain *a, const struct export_drain *b)
{
	return a->on == b->on && a->withdrawn == b->withdrawn &&
	    a->prepend == b->prepend && a->med_set == b->med_set &&
	    a->med == b->med;
}

static bool
same_group(const struct export_group *g, const struct export_facts *f,
    const struct adjout_opts *o)
{
	const struct export_facts *a = &g->facts;

	for (enum fam fam = FAM_INET; fam < FAM_N; fam++)
		if (!addr_eq(&a->next_hop[fam], &f->next_hop[fam]) ||
		    !addr_eq(&a->next_hop_ll[fam], &f->next_hop_ll[fam]))
			return false;
	return a->internal == f->internal && a->role == f->role &&
	    a->off == f->off && a->own == f->own && a->policy == f->policy &&
	    same_drain(&a->drain, &f->drain) && same_neighbor(a, f) &&
	    memcmp(&g->opts, o, sizeof *o) == 0;
}

static bool
is_own_only(const struct export_facts *f)
{
	return !f->internal && !(f->off & GUARD_BIT(GUARD_EXPORT));
}

struct export_group *
engine_group(struct engine *eng, struct peer *p)
{
	struct export_facts f;
	struct adjout_opts o;
	struct export_group *g;

	group_facts(p, &f, &o);
	TAILQ_FOREACH (g, &eng->groups, entry)
		if (same_group(g, &f, &o))
			break;
	if (g == NULL) {
		g = mem_alloc(sizeof *g);
		g->eng = eng;
		g->facts = f;
		g->facts.hits = eng->rule_hits;
		g->opts = o;
		g->own_only = is_own_only(&f);
		g->out = adjout_group_new(eng->rib, &o);
		TAILQ_INSERT_TAIL(&eng->groups, g, entry);
	}
	g->members++;
	g->more = true;
	return g;
}

void
engine_group_leave(struct export_group *g)
{
	if (--g->members > 0)
		return;
	TAILQ_REMOVE(&g->eng->groups, g, entry);
	TAILQ_INSERT_TAIL(&g->eng->dying, g, entry);
}

/* The facts of the group's first member are its own from now on. */
static void
renew_group(struct export_group *g)
{
	struct peer *p;

	TAILQ_FOREACH (p, &g->eng->peers, entry)
		if (p->group == g)
			break;
	if (p == NULL)
		return;
	group_facts(p, &g->facts, &g->opts);
	g->facts.hits = g->eng->rule_hits;
	g->own_only = is_own_only(&g->facts);
	adjout_reexport(g->out, &g->opts);
	g->more = true;
}

void
engine_regroup(struct engine *eng)
{
	struct export_group *old;
	struct export_facts f;
	struct adjout_opts o;
	struct peer *p;

	TAILQ_FOREACH (p, &eng->peers, entry) {
		if ((old = p->group) == NULL)
			continue;
		group_facts(p, &f, &o);
		if (same_group(old, &f, &o))
			continue;
		p->group = engine_group(eng, p);
		adjout_move(p->member, p->group->out);
		engine_group_leave(old);
	}
}

/* After a change of configuration: the facts of each group anew. */
static void
renew_groups(struct engine *eng)
{
	struct export_group *g;

	TAILQ_FOREACH (g, &eng->groups, entry)
		renew_group(g);
	engine_regroup(eng);
}

/* ---- our own networks ------------------------------------------------- */

uint32_t
engine_network_attrs(struct engine *eng, const struct conf_network *n,
    const struct announce_how *how)
{
	static const struct rule_comm no_export = { .v = { COMM_NO_EXPORT } },
				      gshut = { .v = {
						    COMM_GRACEFUL_SHUTDOWN } };
	static const struct conf_network by_command = { .no_export = true };
	struct attrs a = { .has = 1u << HAS_ORIGIN | 1u << HAS_AS_PATH,
		.origin = ORIGIN_IGP };

	arena_reset(&eng->arena);
	if (n == NULL)
		n = &by_command;
	if (n->med_set || how->med_set) {
		a.has |= 1u << HAS_MED;
		a.med = how->med_set ? how->med : n->med;
		a.weight = how->med_set ? EXPORT_MED_STAYS : 0;
	}
	for (size_t i = 0; i < n->ncomm; i++)
		rule_comm_add(&a, &n->comm[i], &eng->arena);
	if (n->no_export)
		rule_comm_add(&a, &no_export, &eng->arena);
	if (how->prepend > 0)
		a.as_path = aspath_prepend(
		    a.as_path, eng->conf->as, how->prepend, &eng->arena);
	if (how->gshut)
		rule_comm_add(&a, &gshut, &eng->arena);
	return attrs_intern(eng->attrs, &a);
}

/* ---- configuration ---------------------------------------------------- */

struct peer *
engine_peer(const struct engine *eng, const struct addr *a)
{
	struct peer *p;

	TAILQ_FOREACH (p, &eng->peers, entry)
		if (addr_eq(&p->conf->addr, a))
			return p;
	return NULL;
}

int64_t
engine_real_s(const struct engine *eng)
{
	return eng->world.real_s != NULL ? eng->world.real_s() : clock_real_s();
}

/* What the rules of the same names have counted goes on counting. */
static void
renew_hits(struct engine *eng, const struct conf *old)
{
	const struct conf *c = eng->conf;
	uint64_t *hits = mem_alloc((c->nrule + 1) * sizeof *hits);
	const struct conf_policy *was;

	for (size_t i = 0; old != NULL && i < c->npolicy; i++) {
		const struct policy *p = c->policy[i].rules;

		was = conf_policy_find(old, c->policy[i].name);
		for (size_t k = 0; was != NULL && k < p->nrule; k++)
			for (size_t n = 0; n < was->rules->nrule; n++)
				if (strcmp(p->rule[k]->name,
					was->rules->rule[n]->name) == 0)
					hits[p->rule[k]->hit] =
					    eng->rule_hits[was->rules->rule[n]
							       ->hit];
	}
	free(eng->rule_hits);
	eng->rule_hits = hits;
}

static void
apply_log(const struct engine *eng)
{
	static const enum log_to to[] = {
		[CONF_LOG_JOURNAL] = LOG_TO_JOURNAL,
		[CONF_LOG_SYSLOG] = LOG_TO_SYSLOG,
		[CONF_LOG_STDERR] = LOG_TO_STDERR,
		[CONF_LOG_FILE] = LOG_TO_FILE,
	};
	static const enum log_level level[] = {
		[CONF_LOG_ERROR] = LOG_L_ERROR,
		[CONF_LOG_WARNING] = LOG_L_WARN,
		[CONF_LOG_INFO] = LOG_L_INFO,
		[CONF_LOG_DEBUG] = LOG_L_DEBUG,
	};

	const struct conf_log *l = &eng->conf->log;
	struct log_dest d = { .to = l->to_set ? to[l->to] : eng->opts.log_to,
		.json = l->json,
		.file = l->file };

	log_init(level[l->level], &d);
}

static void
forget_peer(struct peer *p)
{
	struct engine *eng = p->eng;

	listeners_key(eng, NULL, p->conf);
	peer_stop(p, CEASE_DECONFIGURED, NULL, false);
	p->removed = true;
	TAILQ_REMOVE(&eng->peers, p, entry);
	TAILQ_INSERT_TAIL(&eng->leaving, p, entry);
	drain_forget(p);
}

static void
add_peer(struct engine *eng, const struct conf_neighbor *n)
{
	struct peer *p = peer_new(eng, n);

	auth_listen(p, NULL);
	peer_start(p);
}

static void
apply_peer(struct peer *p, const struct conf_neighbor *n,
    const struct conf_diff_neighbor *d)
{
	const struct conf_neighbor *old = p->conf;
	bool was = old->enabled;

	peer_set_conf(p, n);
	/* What was refused is tried again: there may be room for it now. */
	if (p->key_why[0] != '\0' ||
	    (d != NULL && (d->what == CONF_RESET || d->key))) {
		auth_listen(p, old);
		if (d == NULL)
			peer_start(p);
	}
	if (d == NULL)
		return;
	if (d->what == CONF_RESET) {
		if (n->enabled)
			peer_stop(p, CEASE_CONFIG, NULL, true);
		else
			peer_stop(p, CEASE_SHUTDOWN, NULL, false);
		/* Routes that were kept before are not another router's. */
		if (!n->gr.on || n->remote_as != old->remote_as)
			restart_forget(p);
		else {
			restart_families(p);
			if (d->policy)
				peer_reimport(p);
		}
		return;
	}
	if (d->key)
		auth_rekey(p, old);
	if (was && !n->enabled)
		peer_stop(p, CEASE_SHUTDOWN, NULL, false);
	if (d->policy) /* of routes kept from a session before, too */
		peer_reimport(p);
	peer_start(p);
}

static const struct conf_diff_neighbor *
change_of(const struct conf_diff *d, const struct addr *a)
{
	for (size_t i = 0; i < d->nneighbor; i++)
		if (addr_eq(&d->neighbor[i].addr, a))
			return &d->neighbor[i];
	return NULL;
}

/* At once, where the turn's slices cannot be waited for. */
static void
detach(struct engine *eng)
{
	struct peer *p;

	while ((p = TAILQ_FIRST(&eng->leaving)) != NULL) {
		while (p->flushing && adjin_flush(p->adjin, BUDGET_WALK))
			;
		TAILQ_REMOVE(&eng->leaving, p, entry);
		peer_free(p);
	}
	conf_free(eng->leaving_conf);
	eng->leaving_conf = NULL;
}

void
engine_apply(struct engine *eng, struct conf *conf)
{
	struct conf *old = eng->conf;
	const struct conf_neighbor *n;
	const struct conf_diff_neighbor *d;
	struct conf_diff diff;
	struct peer *p, *next;

	detach(eng); /* of the change before: mostly nobody */
	conf_diff(old, conf, &diff);
	for (size_t i = 0; i < diff.nline; i++)
		log_info("reload: %s", diff.line[i]);
	TAILQ_FOREACH_SAFE (p, &eng->peers, entry, next)
		if (conf_neighbor_find(conf, &p->conf->addr) == NULL)
			forget_peer(p);
	eng->conf = conf;
	renew_hits(eng, old);
	apply_log(eng);
	fibsync_set_max(eng->fibsync, conf->fib.max_routes);
	rib_set_multipath(eng->rib, conf->multipath);
	TAILQ_FOREACH (p, &eng->peers, entry) {
		n = conf_neighbor_find(conf, &p->conf->addr);
		d = change_of(&diff, &n->addr);
		apply_peer(p, n, d);
	}
	for (size_t i = 0; i < conf->nneighbor; i++)
		if (conf_neighbor_find(old, &conf->neighbor[i].addr) == NULL)
			add_peer(eng, &conf->neighbor[i]);
	/* Without a neighbor nothing listened.  A port that is taken now is
	 * told, and ends nothing. */
	if (old->nneighbor == 0 && eng->fib_ready) {
		eng->listened = true;
		listeners_start(eng);
	}
	engine_announce_conf(eng);
	renew_groups(eng);
	engine_fib_conf(eng, old);
	eng->generation++;
	conf_diff_fini(&diff);
	for (size_t i = 0; i < conf->nset; i++) {
		const struct conf_set *was =
		    conf_set_find(old, conf->set[i].name);

		conf->set[i].old_told = was != NULL && was->old_told;
	}
	/* Who was removed has its configuration until its routes are gone. */
	if (TAILQ_EMPTY(&eng->leaving))
		conf_free(old);
	else
		eng->leaving_conf = old;
	sets_changed(eng);
}

/* ---- life ------------------------------------------------------------- */

static const struct engine_world real_world = {
	.clock_us = clock_us,
	.bind = sock_bind,
	.dial = dial_peer,
	.connected = engine_fib_connected,
	.accepted = sock_accepted,
	.local = sock_local,
	.remote = sock_remote,
};

struct engine *
engine_new(const struct engine_opts *o, struct conf *conf,
    const struct engine_world *world)
{
	struct engine *eng = mem_alloc(sizeof *eng);
	uint8_t key[16];

	eng->opts = *o;
	eng->conf = conf;
	if ((eng->ev = ev_new(on_wake, eng)) == NULL)
		fatalx("the system offers no way to wait for descriptors");
	timerq_init(&eng->timers);
	arena_init(&eng->arena);
	arena_init(&eng->arena_out);
	LIST_INIT(&eng->farewells);
	LIST_INIT(&eng->unsent);
	TAILQ_INIT(&eng->peers);
	TAILQ_INIT(&eng->leaving);
	TAILQ_INIT(&eng->groups);
	TAILQ_INIT(&eng->dying);
	arc4random_buf(key, sizeof key);
	eng->nexthops = nexthops_new();
	eng->attrs = attrs_pool_new(key, eng->nexthops);
	eng->rib = rib_new(eng->attrs);
	rib_set_multipath(eng->rib, conf->multipath);
	eng->fibsync = fibsync_new();
	fibsync_set_max(eng->fibsync, conf->fib.max_routes);
	eng->world = world != NULL ? *world : real_world;
	eng->now_ms = eng->start_ms = eng->world.clock_us() / 1000;
	eng->start_s = clock_real_s();
	eng->generation = 1;
	eng->events = events_new(eng->start_s);
	eng->sets = sets_keep_new(eng);
	eng->statm_fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
	renew_hits(eng, NULL);
	if (world == NULL)
		eng->auth = auth_new(eng);
	engine_fib_init(eng);
	drain_init(eng);
	apply_log(eng);
	return eng;
}

bool
engine_start(struct engine *eng, char *why, size_t n)
{
	const struct conf *c = eng->conf;

	state_start(eng);
	engine_announce_start(eng);
	while (rib_run(eng->rib, BUDGET_RIB, on_best, eng))
		;
	for (size_t i = 0; i < c->nneighbor; i++)
		auth_listen(peer_new(eng, &c->neighbor[i]), NULL);
	state_load_limits(eng);
	state_load_drains(eng);
	sets_changed(eng);
	return engine_fib_open(eng, why, n);
}

static void
free_groups(struct engine *eng)
{
	struct export_group *g;

	while ((g = TAILQ_FIRST(&eng->dying)) != NULL) {
		while (adjout_group_free(g->out, BUDGET_WALK))
			;
		TAILQ_REMOVE(&eng->dying, g, entry);
		free(g);
	}
}

void
engine_free(struct engine *eng)
{
	struct peer *p;

	commit_free(eng->commit);
	sets_keep_free(eng->sets);
	detach(eng);
	while ((p = TAILQ_FIRST(&eng->peers)) != NULL) {
		peer_close(p);
		TAILQ_REMOVE(&eng->peers, p, entry);
		peer_free(p);
	}
	free_groups(eng);
	drain_fini(eng);
	auth_free(eng->auth);
	session_farewells_end(eng);
	listeners_stop(eng);
	engine_fib_close(eng);
	engine_announce_free(eng);
	rib_free(eng->rib);
	attrs_pool_free(eng->attrs);
	nexthops_free(eng->nexthops);
	fibsync_free(eng->fibsync);
	arena_fini(&eng->arena);
	arena_fini(&eng->arena_out);
	ev_free(eng->ev);
	conf_free(eng->conf);
	events_free(eng->events);
	if (eng->statm_fd != -1)
		close(eng->statm_fd);
	free(eng->rule_hits);
	free(eng);
}

void
engine_stop(struct engine *eng, const char *text, bool flush)
{
	struct peer *p;

	if (eng->stop)
		return;
	eng->stop = true;
	notify("STOPPING=1\nSTATUS=Stopping");
	eng->stop_flush = flush;
	engine_announce_save(eng);
	strlcpy(
	    eng->stop_text, text != NULL ? text : "", sizeof eng->stop_text);
	TAILQ_FOREACH (p, &eng->peers, entry) {
		/* RFC 4724 4: a NOTIFICATION would end it for good. */
		if (!flush && p->up != NULL && p->up->neg.gr)
			peer_close(p);
		else
			peer_stop(p, CEASE_SHUTDOWN, text, false);
	}
	if (flush)
		engine_fib_flush(eng);
	listeners_stop(eng);
}

/* ---- the turn --------------------------------------------------------- */

static bool
run_rib(struct engine *eng)
{
	struct peer *p, *next;
	bool more = false;

	TAILQ_FOREACH (p, &eng->peers, entry) {
		peer_reap(p);
		more |= peer_rib_run(p, BUDGET_WALK);
	}
	TAILQ_FOREACH_SAFE (p, &eng->leaving, entry, next) {
		if (peer_rib_run(p, BUDGET_WALK)) {
			more = true;
			continue;
		}
		TAILQ_REMOVE(&eng->leaving, p, entry);
		peer_free(p);
	}
	if (eng->leaving_conf != NULL && TAILQ_EMPTY(&eng->leaving)) {
		conf_free(eng->leaving_conf);
		eng->leaving_conf = NULL;
	}
	engine_fib_wishes(eng);
	restart_check(eng);
	more |= rib_nexthop_run(eng->rib, BUDGET_WALK);
	/* RFC 4724 4.1: no selection yet; marks stay marks. */
	if (!eng->restarting) {
		eng->rib_more = rib_run(eng->rib, BUDGET_RIB, on_best, eng);
		more |= eng->rib_more;
	}
	return more;
}

/* Told all there is: is it as much as a limit allows? */
static void
check_members(const struct export_group *g)
{
	struct peer *p;

	TAILQ_FOREACH (p, &g->eng->peers, entry)
		if (p->group == g)
			peer_limit_check(p);
}

static bool
group_run(struct export_group *g)
{
	struct exporter x = { .g = g, .by_attrs = export_by_attrs(&g->facts) };
	struct adjout_calls calls = {
		.export = group_export, .send = group_send, .arg = &x
	};
	bool more = adjout_run(g->out, BUDGET_OUT, &calls);

	for (size_t i = 0; i < MEMO; i++)
		attrs_unref(g->eng->attrs, x.memo[i].out);
	return more;
}

static bool
run_out(struct engine *eng)
{
	struct export_group *g, *next;
	bool more = false;

	TAILQ_FOREACH (g, &eng->groups, entry) {
		/* Our own networks need no selection, but their tracks. */
		if (!g->more || eng->settling ||
		    (eng->restarting && !g->own_only))
			continue;
		g->more = group_run(g);
		if (!g->more)
			check_members(g);
		more |= g->more;
	}
	eng->behind = more || eng->rib_more;
	TAILQ_FOREACH_SAFE (g, &eng->dying, entry, next) {
		if (adjout_group_free(g->out, BUDGET_WALK)) {
			more = true;
			continue;
		}
		TAILQ_REMOVE(&eng->dying, g, entry);
		free(g);
	}
	return more;
}

static void
account(struct engine *eng, enum engine_stage st, uint64_t *mark)
{
	uint64_t now = eng->world.clock_us(), us = now - *mark;

	eng->loop.us[st] += us;
	if (us > eng->loop.max_us[st])
		eng->loop.max_us[st] = us;
	*mark = now;
}

static int64_t
sleep_ms(const struct engine *eng, bool wait)
{
	uint64_t next = timer_next(&eng->timers),
		 now = eng->world.clock_us() / 1000;

	if (!wait || eng->loop.more || !LIST_EMPTY(&eng->unsent) || next <= now)
		return 0;
	return next == TIMER_NEVER ? -1 : (int64_t)(next - now);
}

/* The turn begins when the wait is over, before the first callback. */
static void
on_wake(void *arg)
{
	struct engine *eng = arg;

	if (eng->woke_us == 0)
		eng->woke_us = eng->world.clock_us();
	eng->now_ms = eng->woke_us / 1000;
}

static void
note_converged(struct engine *eng)
{
	struct peer *p;

	TAILQ_FOREACH (p, &eng->peers, entry)
		for (enum fam f = FAM_INET; f < FAM_N; f++)
			if (p->up != NULL && p->eor_received[f] &&
			    p->converged_ms[f] == 0)
				p->converged_ms[f] = eng->now_ms - p->up_ms + 1;
	eng->converging = false;
}

void
engine_turn(struct engine *eng, bool wait)
{
	uint64_t start, mark;
	bool more;

	eng->woke_us = 0;
	ev_wait(eng->ev, sleep_ms(eng, wait));
	on_wake(eng);
	start = mark = eng->woke_us;
	account(eng, STAGE_IO, &mark);
	timer_run(&eng->timers, eng->now_ms);
	account(eng, STAGE_TIMERS, &mark);
	engine_announce_run(eng);
	more = run_rib(eng);
	account(eng, STAGE_RIB, &mark);
	more |= engine_fib_run(eng, BUDGET_FIB);
	account(eng, STAGE_FIB, &mark);
	more |= run_out(eng);
	account(eng, STAGE_OUT, &mark);
	more |= commit_run(eng);
	more |= sets_run(eng);
	if (eng->control != NULL)
		more |= control_run(eng->control);
	account(eng, STAGE_CONTROL, &mark);
	more |= session_send_all(eng);
	account(eng, STAGE_OUT, &mark);
	eng->loop.more = more;
	eng->loop.turns++;
	hist_add(&eng->loop.turn, mark - start, 1);
	if (eng->converging && !more && fibsync_settled(eng->fibsync))
		note_converged(eng);
	if (mark - start > eng->loop.max_turn_us)
		eng->loop.max_turn_us = mark - start;
}

static bool
stopped(struct engine *eng, uint64_t *deadline)
{
	if (!eng->stop)
		return false;
	if (*deadline == 0)
		*deadline = eng->now_ms + STOP_MS;
	if (eng->now_ms >= *deadline)
		return true;
	return eng->nlinger == 0 && engine_fib_flushed(eng) &&
	    !control_busy(eng->control);
}

void
engine_run(struct engine *eng)
{
	uint64_t deadline = 0;

	while (!stopped(eng, &deadline))
		engine_turn(eng, true);
}

static void
say_unsent(const struct peer *p, const char *name, char *why, size_t n)
{
	enum fam f = FAM_INET;

	while (!p->up->neg.wire.mp[f] || p->eor_received[f])
		f++;
	if (p->up->neg.gr)
		snprintf(why, n, "%s has not sent its End-of-RIB for %s", name,
		    fam_name(f));
	else
		snprintf(why, n,
		    "%s may have more to send: no End-of-RIB for %s, nor "
		    "%d s without an UPDATE",
		    name, fam_name(f), PEER_QUIET_S);
}

bool
engine_ready(const struct engine *eng, char *why, size_t n)
{
	struct peer *p;

	if (!eng->fib_ready) {
		snprintf(why, n, "no ana-fibd: %s",
		    eng->fib_why[0] != '\0' ? eng->fib_why
					    : "it has not answered yet");
		return false;
	}
	TAILQ_FOREACH (p, &eng->peers, entry) {
		char name[256];

		if (!p->conf->enabled)
			continue;
		peer_name(p, name, sizeof name);
		if (p->up == NULL) {
			snprintf(why, n, "%s is %s", name,
			    fsm_state_name(peer_state(p)));
			return false;
		}
		if (!peer_has_sent(p)) {
			say_unsent(p, name, why, n);
			return false;
		}
	}
	if (eng->decoupled) {
		snprintf(why, n,
		    "decoupled from the kernel's table by \"fib decouple\"");
		return false;
	}
	if (!fibsync_settled(eng->fibsync)) {
		snprintf(why, n, "routes wait for the kernel");
		return false;
	}
	return true;
}
