#include "bgpd/announce/announce.h"

#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"

const char *
announce_state_name(enum announce_state s)
{
	static const char *const name[] = { [ANNOUNCE_WITHDRAWN] = "withdrawn",
		[ANNOUNCE_UP] = "announced",
		[ANNOUNCE_DEGRADED] = "degraded",
		[ANNOUNCE_DRAINING] = "draining" };

	return name[s];
}

const char *
announce_cause_name(enum announce_cause c)
{
	static const char *const name[] = { [ANNOUNCE_HEALTHY] = "healthy",
		[ANNOUNCE_SETTLING] = "settling",
		[ANNOUNCE_TRACKS] = "tracks",
		[ANNOUNCE_UP_DELAY] = "up-delay",
		[ANNOUNCE_DOWN_DELAY] = "down-delay",
		[ANNOUNCE_DAMPED] = "damped",
		[ANNOUNCE_COMMAND] = "command",
		[ANNOUNCE_OPERATOR] = "drain",
		[ANNOUNCE_GUARD] = "min-healthy" };

	return name[c];
}

/* ---- life, and what is configured -------------------------------------- */

static void
net_free(struct announce_net *n)
{
	if (n == NULL)
		return;
	free(n->track);
	free(n);
}

struct announce *
announce_new(void)
{
	struct announce *a = mem_alloc(sizeof *a);

	a->next_ms = UINT64_MAX;
	return a;
}

void
announce_free(struct announce *a)
{
	if (a == NULL)
		return;
	for (size_t i = 0; i < a->ntrack; i++) {
		track_fini(a->track[i]);
		free(a->track[i]);
	}
	for (size_t i = 0; i < a->nnet; i++)
		net_free(a->net[i]);
	for (size_t i = 0; i < a->ngone; i++)
		net_free(a->gone[i]);
	net_free(a->last);
	free(a->track);
	free(a->net);
	free(a->gone);
	free(a);
}

/* Where the prefix is, or would be: by halves. */
static size_t
place(const struct announce *a, const struct pfx *pfx, bool *there)
{
	size_t from = 0, to = a->nnet, mid;
	int c;

	*there = false;
	while (from < to) {
		mid = (from + to) / 2;
		c = pfx_cmp(&a->net[mid]->conf.pfx, pfx);
		if (c == 0) {
			*there = true;
			return mid;
		}
		if (c < 0)
			from = mid + 1;
		else
			to = mid;
	}
	return from;
}

struct announce_net *
announce_find(const struct announce *a, const struct pfx *pfx)
{
	bool there;
	size_t i = place(a, pfx, &there);

	return there ? a->net[i] : NULL;
}

size_t
announce_after(const struct announce *a, const struct pfx *pfx)
{
	bool there = false;
	size_t i = pfx == NULL ? 0 : place(a, pfx, &there);

	return i + there;
}

struct track *
announce_track(const struct announce *a, const char *key)
{
	for (size_t i = 0; i < a->ntrack; i++)
		if (strcmp(a->track[i]->conf.key, key) == 0)
			return a->track[i];
	return NULL;
}

static struct announce_net *
net_new(const struct pfx *pfx, uint64_t now_ms)
{
	struct announce_net *n = mem_alloc(sizeof *n);

	n->conf.pfx = *pfx;
	n->verdict = -1;
	n->cause = ANNOUNCE_SETTLING;
	n->since_ms = n->verdict_ms = n->failed_ms = n->penalty_ms =
	    (int64_t)now_ms;
	n->until_ms = UINT64_MAX;
	n->mark = true;
	return n;
}

static void
bury(struct announce *a, struct announce_net *n)
{
	n->gone = true;
	n->how = (struct announce_how){ 0 };
	a->gone = mem_realloc(a->gone, a->ngone + 1, sizeof *a->gone);
	a->gone[a->ngone++] = n;
}

/* A new one, at that place of the list; NULL: there are too many. */
static struct announce_net *
insert(struct announce *a, size_t i, const struct pfx *pfx, uint64_t now_ms)
{
	struct announce_net *n;

	if (a->nadded == ANNOUNCE_ADDED_MAX)
		return NULL;
	a->nadded++;
	n = net_new(pfx, now_ms);
	a->net = mem_realloc(a->net, a->nnet + 1, sizeof *a->net);
	memmove(&a->net[i + 1], &a->net[i], (a->nnet - i) * sizeof *a->net);
	a->net[i] = n;
	a->nnet++;
	return n;
}

static void
drop(struct announce *a, size_t i)
{
	struct announce_net *n = a->net[i];

	memmove(&a->net[i], &a->net[i + 1], (a->nnet - i - 1) * sizeof *a->net);
	a->nnet--;
	a->nadded--;
	bury(a, n);
}

static int
by_prefix(const void *x, const void *y)
{
	const struct announce_net *const *a = x, *const *b = y;

	return pfx_cmp(&(*a)->conf.pfx, &(*b)->conf.pfx);
}

/* The list of tracks anew; what was there and is again stays as it is. */
static struct track **
take_tracks(struct announce *a, const struct announce_conf *c, uint64_t now_ms)
{
	struct track **new = mem_alloc((c->ntrack + 1) * sizeof *new), *t;

	for (size_t i = 0; i < c->ntrack; i++) {
		t = announce_track(a, c->track[i].key);
		if (t != NULL)
			track_set_conf(t, &c->track[i]);
		else {
			t = mem_alloc(sizeof *t);
			track_init(t, &c->track[i], now_ms);
		}
		new[i] = t;
	}
	return new;
}

/* Puts the new list in place; those that are not in it are freed. */
static void
drop_tracks(struct announce *a, struct track **new, size_t n)
{
	for (size_t i = 0; i < a->ntrack; i++)
		a->track[i]->listed = false;
	for (size_t i = 0; i < n; i++)
		new[i]->listed = true;
	for (size_t i = 0; i < a->ntrack; i++)
		if (!a->track[i]->listed) {
			track_fini(a->track[i]);
			free(a->track[i]);
		}
	free(a->track);
	a->track = new;
	a->ntrack = n;
}

static void
set_net(struct announce *a, struct announce_net *n,
    const struct announce_net_conf *c)
{
	free(n->track);
	n->track = mem_alloc((c->ntrack + 1) * sizeof(struct track *));
	for (size_t i = 0; i < c->ntrack; i++)
		n->track[i] = a->track[c->track[i]];
	n->conf = *c;
	n->conf.track = NULL;
}

/* Not configured any more: what an operator said of it is kept.  When it is
 * configured again, it begins as a new one. */
static bool
leaves_commands(struct announce *a, struct announce_net *n)
{
	if ((!n->withdrawn && !n->draining) || a->nadded == ANNOUNCE_ADDED_MAX)
		return false;
	free(n->track);
	n->track = NULL;
	n->conf = (struct announce_net_conf){ .pfx = n->conf.pfx };
	n->healthy = n->settled = false;
	n->absent = true;
	a->nadded++;
	return true;
}

void
announce_conf(
    struct announce *a, const struct announce_conf *c, uint64_t now_ms)
{
	struct announce_net **net =
	    mem_alloc((c->nnet + a->nnet + 1) * sizeof(struct announce_net *));
	size_t n = 0;

	drop_tracks(a, take_tracks(a, c, now_ms), c->ntrack);
	for (size_t i = 0; i < c->nnet; i++) {
		struct announce_net *x = announce_find(a, &c->net[i].pfx);

		if (x == NULL)
			x = net_new(&c->net[i].pfx, now_ms);
		else if (x->added || x->absent) {
			x->added = x->absent = false;
			a->nadded--;
		}
		set_net(a, x, &c->net[i]);
		x->mark = true;
		net[n++] = x;
	}
	qsort(net, n, sizeof(struct announce_net *), by_prefix);
	/* What of the old list is not in the new one is gone, or added. */
	for (size_t i = 0, k = 0, conf = n; i < a->nnet; i++) {
		struct announce_net *x = a->net[i];

		while (k < conf && by_prefix(&net[k], &x) < 0)
			k++;
		if (k < conf && net[k] == x)
			continue;
		if (x->added || x->absent || leaves_commands(a, x))
			net[n++] = x;
		else
			bury(a, x);
	}
	qsort(net, n, sizeof(struct announce_net *), by_prefix);
	free(a->net);
	a->net = net;
	a->nnet = n;
	a->min_healthy = c->min_healthy;
	a->min_healthy_pct = c->min_healthy_pct;
	a->due = a->changed = true;
	a->take_at = 0;
}

/* ---- what is told ------------------------------------------------------ */

void
announce_result(struct announce *a, struct track *t, bool good, const char *why,
    uint64_t now_ms)
{
	bool known = t->confirmed;

	if (track_result(t, good, why, now_ms))
		a->due = a->changed = true;
	/* Its end is kept, in case that we are killed. */
	a->changed |= t->conf.lease_ms != 0;
	a->due |= known != t->confirmed;
	if (track_next(t) < a->next_ms)
		a->next_ms = track_next(t);
}

struct announce_net *
announce_add(
    struct announce *a, const struct pfx *pfx, bool persistent, uint64_t now_ms)
{
	struct announce_net *n;
	bool there;
	size_t i = place(a, pfx, &there);

	if (there) {
		n = a->net[i];
		n->added |= n->absent;
		n->absent = false;
		n->withdrawn = false;
		n->withdraw_reason[0] = '\0';
		n->persistent = n->added && persistent;
	} else if ((n = insert(a, i, pfx, now_ms)) == NULL)
		return NULL;
	else {
		n->added = true;
		n->persistent = persistent;
	}
	a->due = a->changed = true;
	return n;
}

bool
announce_withdraw(struct announce *a, struct announce_net *n, bool persistent,
    const char *why)
{
	bool added = n->added, there;
	size_t i;

	a->due = a->changed = true;
	if (!added) {
		n->withdrawn = true;
		n->persistent = persistent;
		strlcpy(n->withdraw_reason, why != NULL ? why : "",
		    sizeof n->withdraw_reason);
		return false;
	}
	i = place(a, &n->conf.pfx, &there);
	drop(a, i);
	return true;
}

void
announce_drain(struct announce *a, struct announce_net *n,
    const struct announce_drain *d, uint64_t now_ms)
{
	n->draining = true;
	n->drain_until_ms =
	    d->time_ms == UINT64_MAX ? UINT64_MAX : now_ms + d->time_ms;
	n->drain_prepend = d->prepend;
	n->drain_med_set = d->med_set;
	n->drain_med = d->med;
	strlcpy(n->drain_reason, d->reason != NULL ? d->reason : "",
	    sizeof n->drain_reason);
	strlcpy(n->who, d->who != NULL ? d->who : "", sizeof n->who);
	a->due = a->changed = true;
}

void
announce_undrain(struct announce *a, struct announce_net *n)
{
	n->draining = false;
	n->drain_until_ms = UINT64_MAX;
	n->drain_reason[0] = '\0';
	a->due = a->changed = true;
}

struct announce_net *
announce_absent(struct announce *a, const struct pfx *pfx, uint64_t now_ms)
{
	bool there;
	size_t i = place(a, pfx, &there);
	struct announce_net *n = there ? NULL : insert(a, i, pfx, now_ms);

	if (n != NULL)
		n->absent = true;
	return n;
}

void
announce_restore(
    struct announce *a, struct announce_net *n, const struct announce_net *from)
{
	struct announce_net was = *n;

	*n = *from;
	n->conf = was.conf;
	n->track = was.track;
	n->added = was.added;
	n->gone = false;
	n->mark = true;
	n->how =
	    (struct announce_how){ .told = from->state != ANNOUNCE_WITHDRAWN };
	a->due = true;
}

/* ---- damping ----------------------------------------------------------- */

/* 2^-x for 0 <= x < 1 as 1 - 0.672 x + 0.172 x^2, in thousandths. */
static uint32_t
decayed(uint32_t penalty, uint64_t ms, uint64_t half_life_ms)
{
	uint64_t halves = ms / half_life_ms, x;

	if (halves >= 32)
		return 0;
	x = ms % half_life_ms * 1000 / half_life_ms;
	x = 1000000 - 672 * x + 172 * x * x / 1000;
	return (uint32_t)((penalty >> halves) * x / 1000000);
}

uint32_t
announce_penalty(const struct announce_net *n, uint64_t now_ms)
{
	int64_t ms = (int64_t)now_ms - n->penalty_ms;

	if (n->penalty == 0 || n->conf.half_life_ms == 0)
		return 0;
	return decayed(
	    n->penalty, ms > 0 ? (uint64_t)ms : 0, n->conf.half_life_ms);
}

static void
punish(struct announce_net *n, uint64_t now_ms)
{
	uint32_t p = announce_penalty(n, now_ms) + ANNOUNCE_PENALTY;

	if (n->conf.half_life_ms == 0)
		return;
	n->penalty = p < ANNOUNCE_PENALTY_MAX ? p : ANNOUNCE_PENALTY_MAX;
	n->penalty_ms = (int64_t)now_ms;
	if (n->penalty >= n->conf.suppress)
		n->damped = true;
}

/* When the penalty will be low enough: by halves, it only falls. */
static uint64_t
forgiven(const struct announce_net *n, uint64_t now_ms)
{
	uint64_t from = now_ms, to = now_ms + 32ull * n->conf.half_life_ms, mid;

	while (from < to) {
		mid = from + (to - from) / 2;
		if (announce_penalty(n, mid) <= n->conf.reuse)
			to = mid;
		else
			from = mid + 1;
	}
	return from;
}

/* ---- what follows ------------------------------------------------------ */

/* 1: enough tracks are up, 0: too few, -1: it is not known yet. */
static int8_t
verdict(const struct announce_net *n)
{
	size_t need = n->conf.need, up = 0, unknown = 0;

	if (n->absent)
		return -1;
	if (need == 0 || need > n->conf.ntrack)
		need = n->conf.ntrack;
	for (size_t i = 0; i < n->conf.ntrack; i++) {
		up += n->track[i]->state == TRACK_UP;
		unknown += n->track[i]->state == TRACK_UNKNOWN;
	}
	if (up >= need)
		return 1;
	return up + unknown >= need ? -1 : 0;
}

static void
until(struct announce_net *n, uint64_t when_ms)
{
	if (when_ms < n->until_ms)
		n->until_ms = when_ms;
}

/* The tracks' say behind the delays and the damping. */
static void
judge(struct announce *a, struct announce_net *n, uint64_t now_ms)
{
	uint32_t up_ms = n->conf.ntrack > 0 ? n->conf.up_delay_ms : 0;
	int8_t v = verdict(n);
	uint64_t when;

	n->until_ms = UINT64_MAX;
	if (v != n->verdict) {
		n->verdict = v;
		n->verdict_ms = (int64_t)now_ms;
		a->changed = true;
	}
	n->settled |= v != -1;
	when = (uint64_t)(n->verdict_ms +
	    (int64_t)(v == 1 ? up_ms : n->conf.down_delay_ms));
	if (v == -1 || n->healthy == (v == 1))
		;
	else if ((int64_t)when > (int64_t)now_ms)
		until(n, when);
	else if (v == 1)
		n->healthy = true;
	else {
		n->healthy = false;
		n->failed_ms = (int64_t)now_ms;
		n->flaps++;
		punish(n, now_ms);
	}
	if (n->damped &&
	    (n->conf.half_life_ms == 0 ||
		announce_penalty(n, now_ms) <= n->conf.reuse))
		n->damped = false;
	if (n->damped)
		until(n, forgiven(n, now_ms));
}

static bool
is_sick(const struct announce_net *n)
{
	return !n->healthy || n->damped;
}

/* Told, whatever its tracks say. */
static bool
stays_told(const struct announce_net *n)
{
	return n->conf.on_fail == ANNOUNCE_FAIL_PREPEND ||
	    n->conf.on_fail == ANNOUNCE_FAIL_MED;
}

static int
latest_first(const void *x, const void *y)
{
	const struct announce_net *const *a = x, *const *b = y;

	if ((*a)->failed_ms != (*b)->failed_ms)
		return (*a)->failed_ms > (*b)->failed_ms ? -1 : 1;
	return by_prefix(x, y);
}

/* min-healthy: the last ones that failed are kept when too few are left. */
static void
guard(struct announce *a)
{
	struct announce_net **sick;
	size_t all = 0, good = 0, nsick = 0, need;

	a->kept = 0;
	for (size_t i = 0; i < a->nnet; i++)
		a->net[i]->kept = false;
	if (a->min_healthy == 0 && a->min_healthy_pct == 0)
		return;
	sick = mem_alloc((a->nnet + 1) * sizeof(struct announce_net *));
	for (size_t i = 0; i < a->nnet; i++) {
		struct announce_net *n = a->net[i];

		if (n->conf.ntrack == 0 || n->withdrawn || n->draining)
			continue;
		all++;
		if (!is_sick(n) || stays_told(n))
			good++;
		else if (n->how.told)
			sick[nsick++] = n;
	}
	need = (all * a->min_healthy_pct + 99) / 100;
	if (need < a->min_healthy)
		need = a->min_healthy;
	if (nsick > 0)
		qsort(sick, nsick, sizeof(struct announce_net *), latest_first);
	for (; good < need && a->kept < nsick; good++)
		sick[a->kept++]->kept = true;
	free(sick);
}

static enum announce_cause
sick_cause(const struct announce_net *n)
{
	if (n->healthy)
		return ANNOUNCE_DAMPED;
	return n->verdict == 1 ? ANNOUNCE_UP_DELAY
	    : n->verdict == -1 ? ANNOUNCE_SETTLING
			       : ANNOUNCE_TRACKS;
}

static enum announce_cause
well_cause(const struct announce_net *n)
{
	return n->verdict == 1 ? ANNOUNCE_HEALTHY
	    : n->verdict == -1 ? ANNOUNCE_SETTLING
			       : ANNOUNCE_DOWN_DELAY;
}

/* Which state a network with failing tracks is in, by its on-fail. */
static enum announce_state
failed(struct announce_net *n, uint64_t now_ms)
{
	uint64_t when = (uint64_t)(n->failed_ms + (int64_t)n->conf.drain_ms);

	if (!n->settled)
		return ANNOUNCE_WITHDRAWN;
	if (stays_told(n))
		return ANNOUNCE_DEGRADED;
	if (n->conf.on_fail != ANNOUNCE_FAIL_DRAIN || !n->how.told ||
	    (int64_t)when <= (int64_t)now_ms)
		return ANNOUNCE_WITHDRAWN;
	until(n, when);
	return ANNOUNCE_DRAINING;
}

static enum announce_state
decide(struct announce_net *n, uint64_t now_ms, enum announce_cause *cause)
{
	bool sick = is_sick(n);

	*cause = sick ? sick_cause(n) : well_cause(n);
	if (n->withdrawn || n->absent) {
		*cause = ANNOUNCE_COMMAND;
		return ANNOUNCE_WITHDRAWN;
	}
	if (n->draining && (!sick || stays_told(n))) {
		*cause = ANNOUNCE_OPERATOR;
		if (n->drain_until_ms <= now_ms)
			return ANNOUNCE_WITHDRAWN;
		until(n, n->drain_until_ms);
		return ANNOUNCE_DRAINING;
	}
	if (!sick)
		return ANNOUNCE_UP;
	if (n->draining)
		return ANNOUNCE_WITHDRAWN;
	if (n->kept) {
		*cause = ANNOUNCE_GUARD;
		return ANNOUNCE_UP;
	}
	return failed(n, now_ms);
}

static struct announce_how
how_of(const struct announce_net *n, enum announce_state s)
{
	struct announce_how h = { .told = s != ANNOUNCE_WITHDRAWN,
		.gshut = s == ANNOUNCE_DRAINING };

	if (s == ANNOUNCE_DRAINING && n->draining) {
		h.prepend = n->drain_prepend;
		h.med_set = n->drain_med_set;
		h.med = n->drain_med;
	} else if (s == ANNOUNCE_DEGRADED &&
	    n->conf.on_fail == ANNOUNCE_FAIL_PREPEND)
		h.prepend = (uint8_t)n->conf.fail_value;
	else if (s == ANNOUNCE_DEGRADED) {
		h.med_set = true;
		h.med = n->conf.fail_value;
	}
	return h;
}

static bool
same_how(const struct announce_how *x, const struct announce_how *y)
{
	return x->told == y->told && x->gshut == y->gshut &&
	    x->prepend == y->prepend && x->med_set == y->med_set &&
	    x->med == y->med;
}

static void
settle(struct announce *a, struct announce_net *n, uint64_t now_ms)
{
	enum announce_cause cause;
	enum announce_state s = decide(n, now_ms, &cause);
	struct announce_how h = how_of(n, s);

	if (n->state != s || n->cause != cause) {
		n->since_ms = (int64_t)now_ms;
		n->mark = a->changed = true;
	}
	n->mark |= !same_how(&h, &n->how);
	n->transitions += h.told != n->how.told;
	n->state = s;
	n->cause = cause;
	n->how = h;
}

void
announce_run(struct announce *a, uint64_t now_ms)
{
	if (!a->due && now_ms < a->next_ms)
		return;
	a->due = false;
	a->take_at = 0;
	a->next_ms = UINT64_MAX;
	for (size_t i = 0; i < a->ntrack; i++) {
		if (track_run(a->track[i], now_ms))
			a->changed = true;
		if (track_next(a->track[i]) < a->next_ms)
			a->next_ms = track_next(a->track[i]);
	}
	for (size_t i = a->nnet; i-- > 0;)
		if (a->net[i]->absent && !a->net[i]->withdrawn &&
		    !a->net[i]->draining)
			drop(a, i);
	for (size_t i = 0; i < a->nnet; i++)
		judge(a, a->net[i], now_ms);
	guard(a);
	for (size_t i = 0; i < a->nnet; i++) {
		settle(a, a->net[i], now_ms);
		if (a->net[i]->until_ms < a->next_ms)
			a->next_ms = a->net[i]->until_ms;
	}
}

uint64_t
announce_next(const struct announce *a)
{
	return a->due ? 0 : a->next_ms;
}

struct announce_net *
announce_take(struct announce *a)
{
	net_free(a->last);
	a->last = NULL;
	if (a->ngone > 0)
		return a->last = a->gone[--a->ngone];
	for (; a->take_at < a->nnet; a->take_at++)
		if (a->net[a->take_at]->mark) {
			a->net[a->take_at]->mark = false;
			return a->net[a->take_at++];
		}
	return NULL;
}

bool
announce_settling(const struct announce *a)
{
	for (size_t i = 0; i < a->ntrack; i++)
		if (!a->track[i]->confirmed)
			return true;
	return false;
}
