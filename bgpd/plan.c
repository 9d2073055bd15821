#include "bgpd/plan.h"

#include <stdlib.h>
#include <string.h>

#include "bgpd/engine.h"
#include "lib/mem.h"

/* A neighbor that has routes now, and what the new configuration says. */
struct plan_peer {
	struct peer *p;
	const struct conf_neighbor *conf; /* NULL: removed or disabled */
	struct import_facts in;
	struct export_facts out;
	bool tells; /* `out` is filled: a session is up */
	uint32_t count[CONF_COUNTER_N][FAM_N]; /* then; FAM_NONE: both */
};

/* A path as it would be. */
struct cand {
	uint16_t peer;
	uint32_t attrs; /* with a reference */
	struct attrs view;
	struct decide_route r;
};

struct plan {
	struct engine *eng;
	struct conf *conf;
	uint32_t generation, sets_loaded;
	struct plan_peer *peer; /* by number */
	size_t npeer;
	enum fam fam;
	struct pfx at;
	size_t network; /* of ours that is new, next to look at */
	struct cand *cand;
	size_t ncand, capcand;
	struct decide_route *route;
	enum decide_why *lost;
	struct arena arena;
	struct plan_result res;
};

const char *
plan_what_name(enum plan_what w)
{
	static const char *const name[] = { "newly accepted", "newly rejected",
		"accepted with other attributes", "gone with their neighbor",
		"newly announced", "withdrawn",
		"announced with other attributes", "installed in the kernel",
		"removed from the kernel" };

	return (unsigned int)w < PLAN_N ? name[w] : "";
}

const char *
plan_what_key(enum plan_what w)
{
	static const char *const key[] = { "accepted", "rejected", "changed",
		"gone", "announced", "withdrawn", "reannounced", "installed",
		"removed" };

	return (unsigned int)w < PLAN_N ? key[w] : "";
}

/* ---- sessions --------------------------------------------------------- */

static void
add_session(struct plan *pl, const struct conf_diff_neighbor *d)
{
	struct plan_result *r = &pl->res;
	const struct conf_neighbor *n = conf_neighbor_find(pl->conf, &d->addr);
	const struct peer *p = engine_peer(pl->eng, &d->addr);
	enum conf_diff_what what = d->what;

	/* Disabled: its session ends like that of a removed one. */
	if (what == CONF_LIVE && n != NULL && !n->enabled && p != NULL &&
	    p->conf->enabled)
		what = CONF_RESET;
	if (n == NULL)
		n = p != NULL ? p->conf : NULL;
	r->session =
	    mem_realloc(r->session, r->nsession + 1, sizeof *r->session);
	r->session[r->nsession++] = (struct plan_session){ .addr = d->addr,
		.name = mem_strdup(n != NULL ? n->name : ""),
		.what = what,
		.up = p != NULL && p->up != NULL };
}

static void
sessions(struct plan *pl)
{
	struct plan_result *r = &pl->res;
	struct conf_diff d;
	struct peer *p;

	conf_diff(pl->eng->conf, pl->conf, &d);
	r->line = d.line;
	r->nline = d.nline;
	d.line = NULL;
	d.nline = 0;
	for (size_t i = 0; i < d.nneighbor; i++)
		add_session(pl, &d.neighbor[i]);
	conf_diff_fini(&d);
	TAILQ_FOREACH (p, &pl->eng->peers, entry)
		r->kept += p->up != NULL;
	for (size_t i = 0; i < r->nsession; i++)
		if (r->session[i].up &&
		    (r->session[i].what == CONF_RESET ||
			r->session[i].what == CONF_REMOVED))
			r->kept--;
}

static void
peers(struct plan *pl)
{
	const struct conf_neighbor *n;
	struct adjout_opts o;
	struct peer *p;

	TAILQ_FOREACH (p, &pl->eng->peers, entry)
		if (p->num >= pl->npeer)
			pl->npeer = p->num + 1u;
	pl->peer = mem_alloc((pl->npeer + 1) * sizeof *pl->peer);
	TAILQ_FOREACH (p, &pl->eng->peers, entry) {
		struct plan_peer *pp = &pl->peer[p->num];

		pp->p = p;
		n = conf_neighbor_find(pl->conf, &p->conf->addr);
		if (n == NULL || !n->enabled)
			continue;
		pp->conf = n;
		peer_facts(pl->conf, n, &pp->in);
		pp->tells = p->up != NULL;
		if (pp->tells)
			engine_export_facts(p, pl->conf, n, &pp->out, &o);
		pp->out.alone = true;
	}
}

struct plan *
plan_new(struct engine *eng, struct conf *conf)
{
	struct plan *pl = mem_alloc(sizeof *pl);

	pl->eng = eng;
	pl->conf = conf;
	pl->generation = eng->generation;
	pl->sets_loaded = eng->sets_loaded;
	pl->fam = FAM_INET;
	arena_init(&pl->arena);
	sessions(pl);
	peers(pl);
	return pl;
}

static void
result_fini(struct plan_result *r)
{
	for (int w = 0; w < PLAN_N; w++)
		for (int i = 0; i < PLAN_ROWS; i++)
			free(r->row[w][i].why);
	for (size_t i = 0; i < r->nsession; i++)
		free(r->session[i].name);
	free(r->session);
	for (size_t i = 0; i < r->nlimit; i++)
		free(r->limit[i].name);
	free(r->limit);
	for (size_t i = 0; i < r->nline; i++)
		free(r->line[i]);
	free(r->line);
}

void
plan_free(struct plan *pl)
{
	if (pl == NULL)
		return;
	for (size_t i = 0; i < pl->npeer; i++)
		free((void *)(uintptr_t)pl->peer[i].in.allow);
	free(pl->peer);
	free(pl->cand);
	free(pl->route);
	free(pl->lost);
	arena_fini(&pl->arena);
	result_fini(&pl->res);
	conf_free(pl->conf);
	free(pl);
}

bool
plan_stale(const struct plan *pl)
{
	return pl->generation != pl->eng->generation ||
	    pl->sets_loaded != pl->eng->sets_loaded;
}

const struct plan_result *
plan_result(const struct plan *pl)
{
	return &pl->res;
}

struct conf *
plan_take(struct plan *pl)
{
	struct conf *c = pl->conf;

	pl->conf = NULL;
	return c;
}

/* ---- limits ----------------------------------------------------------- */

static void
count(struct plan_peer *pp, enum conf_counter c, enum fam fam)
{
	pp->count[c][fam]++;
	pp->count[c][FAM_NONE]++;
}

bool
plan_limit_ends(const struct plan_limit *l)
{
	return l->action == CONF_LIMIT_STOP || l->action == CONF_LIMIT_RESTART;
}

static void
limit(struct plan *pl, const struct plan_peer *pp, enum conf_counter c,
    enum fam fam)
{
	const struct conf_limit *l = &pp->conf->limit[c][fam];
	struct plan_result *r = &pl->res;

	if (l->max == 0 || pp->count[c][fam] <= l->max)
		return;
	r->limit = mem_realloc(r->limit, r->nlimit + 1, sizeof *r->limit);
	r->limit[r->nlimit++] = (struct plan_limit){ .addr = pp->conf->addr,
		.name = mem_strdup(pp->conf->name),
		.counter = c,
		.fam = fam,
		.count = pp->count[c][fam],
		.max = l->max,
		/* What is too much is kept back (rib/adjout.h). */
		.action =
		    c == CONF_ANNOUNCED ? CONF_LIMIT_DISCARD : l->action };
}

/* Once all destinations were looked at. */
static void
limits(struct plan *pl)
{
	for (size_t i = 0; i < pl->npeer; i++) {
		const struct plan_peer *pp = &pl->peer[i];

		if (pp->conf == NULL ||
		    (pp->conf->guard_off & GUARD_BIT(GUARD_MAX_PREFIX)) != 0)
			continue;
		for (int c = 0; c < CONF_COUNTER_N; c++)
			for (int f = FAM_NONE; f < FAM_N; f++)
				limit(
				    pl, pp, (enum conf_counter)c, (enum fam)f);
	}
}

/* ---- one destination -------------------------------------------------- */

static void
tell(struct plan *pl, enum plan_what w, const struct pfx *pfx,
    const struct peer *p, const char *why)
{
	uint64_t n = pl->res.count[w]++;
	struct plan_row *r;

	if (n >= PLAN_ROWS)
		return;
	r = &pl->res.row[w][n];
	r->pfx = *pfx;
	if (p != NULL)
		r->neighbor = p->conf->addr;
	r->why = why != NULL ? mem_strdup(why) : NULL;
}

/* Takes the reference over. */
static void
add_cand(struct plan *pl, uint16_t peer, uint32_t attrs)
{
	if (pl->ncand == pl->capcand) {
		pl->capcand = pl->capcand != 0 ? 2 * pl->capcand : 8;
		pl->cand = mem_realloc(pl->cand, pl->capcand, sizeof *pl->cand);
		pl->route =
		    mem_realloc(pl->route, pl->capcand, sizeof *pl->route);
		pl->lost = mem_realloc(pl->lost, pl->capcand, sizeof *pl->lost);
	}
	pl->cand[pl->ncand++] = (struct cand){ .peer = peer, .attrs = attrs };
}

static bool
reachable(const struct plan *pl, uint32_t attrs)
{
	const struct nexthop *h =
	    nexthop_at(pl->eng->nexthops, attrs_nexthop(pl->eng->attrs, attrs));

	return h == NULL || h->reachable || h->users == 0;
}

static void
one_path(struct plan *pl, const struct pfx *pfx, const struct rib_path *rp)
{
	struct attrs_pool *pool = pl->eng->attrs;
	struct plan_peer *pp =
	    rp->peer < pl->npeer ? &pl->peer[rp->peer] : NULL;
	struct import_result res;
	struct attrs a;
	char why[512];
	uint32_t id;

	if (rp->malformed || pp == NULL || pp->p == NULL)
		return;
	/* What is held back comes in up to the limit, and never more. */
	if (rp->held)
		return;
	count(pp, CONF_RECEIVED, (enum fam)pfx->addr.fam);
	pl->res.accepted_now += rp->reason == 0;
	if (pp->conf == NULL) {
		if (rp->reason == 0)
			tell(pl, PLAN_GONE, pfx, pp->p, NULL);
		return;
	}
	pp->in.local = pp->p->facts.local;
	pp->in.nlocal = pp->p->facts.nlocal;
	attrs_get(pool, rp->attrs_in, &a);
	if (import_check(&pp->in, pfx, &a, &pl->arena, &res) != REASON_NONE) {
		if (rp->reason != 0)
			return;
		import_print(&pp->in, pfx, &a, &res, why, sizeof why);
		tell(pl, PLAN_REJECTED, pfx, pp->p, why);
		return;
	}
	pl->res.accepted_then++;
	count(pp, CONF_ACCEPTED, (enum fam)pfx->addr.fam);
	id = attrs_intern(pool, res.changed ? &res.attrs : &a);
	if (rp->reason != 0)
		tell(pl, PLAN_ACCEPTED, pfx, pp->p, NULL);
	else if (id != rp->attrs)
		tell(pl, PLAN_CHANGED, pfx, pp->p, NULL);
	if (reachable(pl, id))
		add_cand(pl, rp->peer, id);
	else
		attrs_unref(pool, id);
}

/* The best of the candidates, or NULL. */
static const struct cand *
choose(struct plan *pl)
{
	struct rib *rib = pl->eng->rib;

	if (pl->ncand == 0)
		return NULL;
	for (size_t i = 0; i < pl->ncand; i++) {
		struct cand *c = &pl->cand[i];
		const struct rib_peer *rp = rib_peer_get(rib, c->peer);
		const struct nexthop *h = nexthop_at(
		    pl->eng->nexthops, attrs_nexthop(pl->eng->attrs, c->attrs));

		attrs_get(pl->eng->attrs, c->attrs, &c->view);
		pl->route[i] = (struct decide_route){ .attrs = &c->view,
			.local = c->peer == RIB_LOCAL,
			.internal = rp->internal,
			.router_id = rp->router_id,
			.peer_as = rp->as,
			.peer_addr = rp->addr,
			.cost = h != NULL ? h->cost : 0 };
		if (c->view.weight != 0)
			pl->route[i].weight = c->view.weight - 1;
		else if (c->peer != RIB_LOCAL)
			pl->route[i].weight = pl->peer[c->peer].conf->weight;
	}
	return &pl->cand[decide_best(pl->route, pl->ncand, pl->lost)];
}

static void
one_member(struct plan *pl, struct plan_peer *pp, const struct pfx *pfx,
    const struct cand *best)
{
	enum route_source source = SOURCE_LOCAL;
	uint32_t told = 0, id = 0;
	struct attrs out;
	uint16_t why;

	if (pp->p == NULL || pp->p->member == NULL)
		return;
	if (!adjout_find(pp->p->member, pfx, &told))
		told = 0;
	if (best != NULL && best->peer != RIB_LOCAL)
		source = rib_peer_get(pl->eng->rib, best->peer)->internal
		    ? SOURCE_INTERNAL
		    : SOURCE_EXTERNAL;
	if (best != NULL && pp->conf != NULL && pp->tells &&
	    best->peer != pp->p->num && pp->p->up->neg.wire.mp[pfx->addr.fam] &&
	    export_check(&pp->out, pfx, &best->view, source, &pl->arena, &out,
		&why, NULL))
		id = attrs_intern(pl->eng->attrs, &out);
	if (id != 0)
		count(pp, CONF_ANNOUNCED, (enum fam)pfx->addr.fam);
	if (told == 0 && id != 0)
		tell(pl, PLAN_ANNOUNCED, pfx, pp->p, NULL);
	else if (told != 0 && id == 0)
		tell(pl, PLAN_WITHDRAWN, pfx, pp->p, NULL);
	else if (told != id)
		tell(pl, PLAN_REANNOUNCED, pfx, pp->p, NULL);
	attrs_unref(pl->eng->attrs, id);
}

static void
one_dest(struct plan *pl, uint32_t dest, const struct pfx *pfx)
{
	struct engine *eng = pl->eng;
	const struct conf_network *n;
	struct announce_how how;
	const struct cand *best;
	struct rib_path rp;
	uint32_t it = 0;
	bool now, then;

	pl->ncand = 0;
	arena_reset(&pl->arena);
	while (dest != 0 && rib_paths(eng->rib, dest, &it, &rp))
		if (rp.peer != RIB_LOCAL)
			one_path(pl, pfx, &rp);
	if (engine_announce_how(eng, pl->conf, pfx, &n, &how))
		add_cand(pl, RIB_LOCAL, engine_network_attrs(eng, n, &how));
	best = choose(pl);
	now = dest != 0 && rib_best(eng->rib, dest, &rp) &&
	    rp.peer != RIB_LOCAL && eng->by_num[rp.peer] != NULL &&
	    eng->by_num[rp.peer]->conf->fib;
	then = best != NULL && best->peer != RIB_LOCAL &&
	    pl->peer[best->peer].conf->fib;
	if (now != then)
		tell(pl, then ? PLAN_INSTALLED : PLAN_REMOVED, pfx, NULL, NULL);
	for (size_t i = 0; i < pl->npeer; i++)
		one_member(pl, &pl->peer[i], pfx, best);
	for (size_t i = 0; i < pl->ncand; i++)
		attrs_unref(eng->attrs, pl->cand[i].attrs);
}

bool
plan_run(struct plan *pl, unsigned int budget)
{
	uint32_t dest;

	if (plan_stale(pl))
		return false;
	for (; pl->fam < FAM_N; pl->fam++) {
		for (; budget > 0; budget--) {
			dest = rib_next(pl->eng->rib, pl->fam, &pl->at);
			if (dest == 0)
				break;
			one_dest(pl, dest, &pl->at);
		}
		if (budget == 0)
			return true;
		memset(&pl->at, 0, sizeof pl->at);
	}
	/* Networks that nobody has a route to yet. */
	for (; pl->network < pl->conf->nnetwork; pl->network++, budget--) {
		const struct pfx *pfx = &pl->conf->network[pl->network].pfx;

		if (budget == 0)
			return true;
		if (rib_find(pl->eng->rib, pfx) == 0)
			one_dest(pl, 0, pfx);
	}
	limits(pl);
	return false;
}
