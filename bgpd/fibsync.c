#include "bgpd/fibsync.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/tree.h>

#include "lib/mem.h"
#include "lib/trie.h"

/* A set of next hops under the number that ana-fibd knows it by. */
struct set {
	RB_ENTRY(set) entry;
	struct fib_nh nh[FIB_SET_NH];
	uint8_t n;
	uint16_t num;
	uint32_t refs; /* routes that want it or were told it */
	bool told, refused;
	bool again; /* its next hops changed: tell them, whoever asks */
};
RB_HEAD(set_tree, set);

struct route {
	struct pfx pfx;
	uint16_t want, told; /* set numbers, 0: none */
	uint16_t inflight; /* requests not answered */
	uint8_t state;
	bool dirty;
	int err;
	uint32_t next; /* dirty queue */
	char *text;
};

struct fibsync {
	struct trie *trie[FAM_N];
	struct slab routes;
	uint32_t first, last; /* dirty queue */
	struct set_tree sets;
	struct set *by_num[FIB_SET_MAX + 1];
	uint32_t nset, unused; /* unused: told sets without a route */
	uint32_t nrefused; /* sets that ana-fibd did not take */
	uint32_t nagain;
	uint32_t inflight, ndirty, max;
	bool over; /* max kept a route out */
	struct fibsync_stats stats;
	struct fibsync_error error[FIBSYNC_ERRORS + 1];
	struct pfx timed; /* FAM_NONE: none */
	struct fibsync_drift drift[FIBSYNC_DRIFTS];
	uint64_t ndrift; /* ever */
};

static int
set_cmp(const struct set *a, const struct set *b)
{
	int c;

	if (a->n != b->n)
		return a->n < b->n ? -1 : 1;
	for (int i = 0; i < a->n; i++) {
		const struct fib_nh *x = &a->nh[i], *y = &b->nh[i];

		if ((c = addr_cmp(&x->addr, &y->addr)) != 0)
			return c;
		if (x->ifindex != y->ifindex)
			return x->ifindex < y->ifindex ? -1 : 1;
		if (x->weight != y->weight)
			return x->weight < y->weight ? -1 : 1;
		if (x->flags != y->flags)
			return x->flags < y->flags ? -1 : 1;
	}
	return 0;
}

RB_GENERATE_INTERNAL(
    set_tree, set, entry, set_cmp, static __attribute__((unused)))

const char *
fibsync_state_name(enum fibsync_state s)
{
	static const char *const name[] = {
		[FIBSYNC_NONE] = "not-wanted",
		[FIBSYNC_PENDING] = "pending",
		[FIBSYNC_INSTALLED] = "installed",
		[FIBSYNC_FAILED] = "failed",
		[FIBSYNC_CONFLICT] = "conflict",
	};

	return name[s];
}

static void
route_key(const void *arg, uint32_t num, struct pfx *p)
{
	const struct fibsync *fs = arg;

	*p = ((const struct route *)slab_at(&fs->routes, num))->pfx;
}

struct fibsync *
fibsync_new(void)
{
	struct fibsync *fs = mem_alloc(sizeof *fs);

	for (enum fam f = FAM_INET; f < FAM_N; f++)
		fs->trie[f] = trie_new_keyed(f, route_key, fs);
	slab_init(&fs->routes, sizeof(struct route));
	RB_INIT(&fs->sets);
	return fs;
}

void
fibsync_free(struct fibsync *fs)
{
	struct pfx at;
	uint32_t n;

	for (enum fam f = FAM_INET; f < FAM_N; f++) {
		memset(&at, 0, sizeof at);
		while ((n = trie_next(fs->trie[f], &at)) != 0)
			free(((struct route *)slab_at(&fs->routes, n))->text);
		trie_free(fs->trie[f]);
	}
	for (int i = 1; i <= FIB_SET_MAX; i++)
		free(fs->by_num[i]);
	slab_fini(&fs->routes);
	free(fs);
}

void
fibsync_set_max(struct fibsync *fs, uint32_t max)
{
	fs->max = max;
}

static int
nh_cmp(const void *a, const void *b)
{
	const struct fib_nh *x = a, *y = b;
	int c = addr_cmp(&x->addr, &y->addr);

	if (c != 0)
		return c;
	return x->ifindex < y->ifindex ? -1 : x->ifindex > y->ifindex;
}

/* The set's number; 0 when there are too many sets. */
static uint16_t
set_get(struct fibsync *fs, const struct fib_nh *nh, size_t n)
{
	struct set key = { .n = (uint8_t)n }, *s;
	uint16_t num = 1;

	memcpy(key.nh, nh, n * sizeof *nh);
	qsort(key.nh, n, sizeof *nh, nh_cmp);
	if ((s = RB_FIND(set_tree, &fs->sets, &key)) != NULL)
		return s->num;
	while (num <= FIB_SET_MAX && fs->by_num[num] != NULL)
		num++;
	if (num > FIB_SET_MAX)
		return 0;
	s = mem_alloc(sizeof *s);
	*s = key;
	s->num = num;
	fs->by_num[num] = s;
	RB_INSERT(set_tree, &fs->sets, s);
	fs->nset++;
	fs->unused++;
	return num;
}

static void
set_ref(struct fibsync *fs, uint16_t num)
{
	if (num != 0 && fs->by_num[num]->refs++ == 0)
		fs->unused--;
}

static void
set_unref(struct fibsync *fs, uint16_t num)
{
	if (num != 0 && --fs->by_num[num]->refs == 0)
		fs->unused++;
}

static void
set_free(struct fibsync *fs, struct set *s)
{
	fs->by_num[s->num] = NULL;
	RB_REMOVE(set_tree, &fs->sets, s);
	fs->nset--;
	fs->unused--;
	fs->nrefused -= s->refused;
	fs->nagain -= s->again;
	free(s);
}

static void
again(struct fibsync *fs, struct set *s)
{
	fs->nagain += !s->again;
	s->again = true;
	s->told = false;
}

void
fibsync_lost(struct fibsync *fs, const struct addr *a, uint32_t ifindex)
{
	for (int num = 1; num <= FIB_SET_MAX; num++) {
		struct set *s = fs->by_num[num], key = { .n = 0 };

		if (s == NULL || s->n < 2)
			continue;
		for (int i = 0; i < s->n; i++)
			if (!addr_eq(&s->nh[i].addr, a) ||
			    s->nh[i].ifindex != ifindex)
				key.nh[key.n++] = s->nh[i];
		/* Where a set of the rest is there, its routes go over to it
		 * one by one. */
		if (key.n == s->n || key.n == 0 ||
		    RB_FIND(set_tree, &fs->sets, &key) != NULL)
			continue;
		RB_REMOVE(set_tree, &fs->sets, s);
		memcpy(s->nh, key.nh, sizeof key.nh);
		s->n = key.n;
		RB_INSERT(set_tree, &fs->sets, s);
		if (s->told)
			again(fs, s);
	}
}

static struct route *
find(const struct fibsync *fs, const struct pfx *p, uint32_t *num)
{
	*num = trie_get(fs->trie[p->addr.fam], p);
	return *num == 0 ? NULL : slab_at(&fs->routes, *num);
}

static void
mark(struct fibsync *fs, struct route *r, uint32_t num)
{
	if (r->dirty)
		return;
	r->dirty = true;
	r->next = 0;
	if (fs->last != 0)
		((struct route *)slab_at(&fs->routes, fs->last))->next = num;
	else
		fs->first = num;
	fs->last = num;
	fs->ndirty++;
}

static void
set_state(struct fibsync *fs, struct route *r, enum fibsync_state st, int err,
    const char *text)
{
	enum fam f = r->pfx.addr.fam;

	if (r->state == FIBSYNC_INSTALLED)
		fs->stats.installed[f]--;
	else if (r->state == FIBSYNC_FAILED || r->state == FIBSYNC_CONFLICT)
		fs->stats.failed[f]--;
	r->state = (uint8_t)st;
	r->err = err;
	free(r->text);
	r->text = text != NULL && *text != '\0' ? mem_strdup(text) : NULL;
	if (st == FIBSYNC_INSTALLED)
		fs->stats.installed[f]++;
	else if (st == FIBSYNC_FAILED || st == FIBSYNC_CONFLICT)
		fs->stats.failed[f]++;
}

static void
drop(struct fibsync *fs, struct route *r, uint32_t num)
{
	set_state(fs, r, FIBSYNC_NONE, 0, NULL);
	set_unref(fs, r->told);
	trie_del(fs->trie[r->pfx.addr.fam], &r->pfx);
	slab_del(&fs->routes, num);
}

static void
count_error(struct fibsync *fs, enum fam f, int err)
{
	unsigned int i = 0;

	while (i < FIBSYNC_ERRORS && fs->error[i].err != 0 &&
	    fs->error[i].err != err)
		i++;
	if (i < FIBSYNC_ERRORS)
		fs->error[i].err = err;
	fs->error[i].n[f]++;
	fs->stats.errors++;
}

bool
fibsync_error(const struct fibsync *fs, unsigned int i, struct fibsync_error *e)
{
	if (i > FIBSYNC_ERRORS || (i < FIBSYNC_ERRORS && fs->error[i].err == 0))
		return false;
	*e = fs->error[i];
	return true;
}

const struct pfx *
fibsync_timed(const struct fibsync *fs)
{
	return fs->timed.addr.fam != FAM_NONE ? &fs->timed : NULL;
}

static bool
full(const struct fibsync *fs)
{
	return fs->max != 0 &&
	    fs->stats.wanted[FAM_INET] + fs->stats.wanted[FAM_INET6] >= fs->max;
}

static void
refuse(struct fibsync *fs, struct route *r, const char *why)
{
	set_state(fs, r, FIBSYNC_FAILED, ENOSPC, why);
	count_error(fs, (enum fam)r->pfx.addr.fam, ENOSPC);
}

void
fibsync_want(
    struct fibsync *fs, const struct pfx *p, const struct fib_nh *nh, size_t n)
{
	struct route *r;
	uint32_t num;
	uint16_t set;

	if ((r = find(fs, p, &num)) == NULL) {
		if (n == 0)
			return;
		num = slab_new(&fs->routes);
		r = slab_at(&fs->routes, num);
		r->pfx = *p;
		trie_put(fs->trie[p->addr.fam], p, num);
	}
	if (n > 0 && r->want == 0 && full(fs)) {
		fs->over = true;
		refuse(fs, r, "over \"fib max-routes\" of the configuration");
		return;
	}
	set = n > 0 ? set_get(fs, nh, n) : 0;
	if (n > 0 && set == 0)
		refuse(fs, r, "too many different sets of next hops");
	if (r->want == set) {
		if (n == 0 && r->told == 0 && r->inflight == 0 && !r->dirty)
			drop(fs, r, num);
		return;
	}
	fs->stats.wanted[p->addr.fam] +=
	    (uint32_t)((set != 0) - (r->want != 0));
	set_ref(fs, set);
	set_unref(fs, r->want);
	r->want = set;
	mark(fs, r, num);
}

static uint32_t
common_divisor(uint32_t a, uint32_t b)
{
	while (b != 0) {
		uint32_t rest = a % b;

		a = b;
		b = rest;
	}
	return a;
}

void
fibsync_weigh(struct fib_nh *nh, const uint32_t *speed, size_t n)
{
	uint32_t common = 0, most = 0;

	for (size_t i = 0; i < n; i++) {
		if (speed[i] == 0)
			return;
		common = common_divisor(common, speed[i]);
		most = speed[i] > most ? speed[i] : most;
	}
	for (size_t i = 0; i < n; i++) {
		uint64_t w = most / common <= UINT8_MAX
		    ? speed[i] / common
		    : (uint64_t)speed[i] * UINT8_MAX / most;

		nh[i].weight = (uint8_t)(w > 0 ? w : 1);
	}
}

/* 0, or what the FIB's operation returned. */
static int
tell_set(struct set *s, struct fib *f)
{
	int err;

	if (s->refused)
		return -EHOSTUNREACH;
	if (s->told)
		return 0;
	err = f->ops->nhset(f, s->num, s->nh, s->n);
	s->told = err == 0;
	return err;
}

static int
tell(struct fibsync *fs, struct route *r, struct fib *f)
{
	int err;

	if (r->want == r->told &&
	    (r->want == 0 || r->state == FIBSYNC_INSTALLED))
		return 0;
	if (r->want == 0)
		err = f->ops->remove(f, &r->pfx);
	else if ((err = tell_set(fs->by_num[r->want], f)) == 0)
		err = f->ops->replace(f, &r->pfx, r->want);
	if (err != 0)
		return err;
	r->inflight++;
	fs->inflight++;
	set_ref(fs, r->want);
	set_unref(fs, r->told);
	r->told = r->want;
	/* One that is to go counts as there until it is gone. */
	if (r->want != 0) {
		set_state(fs, r, FIBSYNC_PENDING, 0, NULL);
		if (fs->timed.addr.fam == FAM_NONE)
			fs->timed = r->pfx;
	}
	return 0;
}

/* What fibsync_lost() changed; false: no room for more records. */
static bool
tell_again(struct fibsync *fs, struct fib *f)
{
	for (int i = 1; i <= FIB_SET_MAX && fs->nagain > 0; i++) {
		struct set *s = fs->by_num[i];
		int err;

		if (s == NULL || !s->again)
			continue;
		err = tell_set(s, f);
		if (err == -EAGAIN || err == -ENOTCONN)
			return false;
		s->again = false;
		fs->nagain--;
	}
	return true;
}

/* Sets that no route uses any more; false: no room for more records. */
static bool
drop_sets(struct fibsync *fs, struct fib *f)
{
	for (int i = 1; i <= FIB_SET_MAX && fs->unused > 0; i++) {
		struct set *s = fs->by_num[i];

		if (s == NULL || s->refs > 0)
			continue;
		if (s->told && f->ops->nhset_drop(f, s->num) != 0)
			return false;
		set_free(fs, s);
	}
	return true;
}

bool
fibsync_run(struct fibsync *fs, struct fib *f, unsigned int budget)
{
	if (f == NULL || !tell_again(fs, f))
		return false;
	while (fs->first != 0 && budget-- > 0) {
		uint32_t num = fs->first;
		struct route *r = slab_at(&fs->routes, num);
		int err = tell(fs, r, f);

		if (err == -EAGAIN || err == -ENOTCONN)
			return false;
		fs->first = r->next;
		if (fs->first == 0)
			fs->last = 0;
		r->dirty = false;
		fs->ndirty--;
		if (err != 0) {
			set_state(fs, r, FIBSYNC_FAILED, -err, strerror(-err));
			count_error(fs, (enum fam)r->pfx.addr.fam, -err);
		}
		if (r->want == 0 && r->told == 0 && r->inflight == 0)
			drop(fs, r, num);
	}
	if (fs->first == 0 && fs->inflight == 0 && fs->unused > 0)
		drop_sets(fs, f);
	return fs->first != 0;
}

bool
fibsync_settled(const struct fibsync *fs)
{
	return fs->first == 0 && fs->inflight == 0 && fs->nagain == 0;
}

/* Everything told is void: mark all that is wanted. */
static void
restart(struct fibsync *fs)
{
	struct route *r;
	struct pfx at;
	uint32_t num;

	fs->timed.addr.fam = FAM_NONE;
	for (int i = 1; i <= FIB_SET_MAX; i++)
		if (fs->by_num[i] != NULL)
			fs->by_num[i]->told = fs->by_num[i]->again = false;
	fs->nagain = 0;
	fs->inflight = 0;
	for (enum fam f = FAM_INET; f < FAM_N; f++) {
		memset(&at, 0, sizeof at);
		while ((num = trie_next(fs->trie[f], &at)) != 0) {
			r = slab_at(&fs->routes, num);
			set_unref(fs, r->told);
			r->told = 0;
			r->inflight = 0;
			set_state(fs, r, FIBSYNC_PENDING, 0, NULL);
			mark(fs, r, num);
		}
	}
}

void
fibsync_ready(struct fibsync *fs)
{
	restart(fs);
}

void
fibsync_down(struct fibsync *fs)
{
	restart(fs);
}

void
fibsync_done(struct fibsync *fs, const struct pfx *p, bool removed, int err,
    const char *text)
{
	uint32_t num;
	struct route *r = find(fs, p, &num);

	if (r == NULL || r->inflight == 0)
		return;
	r->inflight--;
	fs->inflight--;
	if (err != 0 && !(removed && err == ENOENT))
		count_error(fs, (enum fam)p->addr.fam, err);
	if (!removed && fs->timed.addr.fam != FAM_NONE &&
	    pfx_cmp(p, &fs->timed) == 0)
		fs->timed.addr.fam = FAM_NONE;
	if (r->inflight > 0)
		return;
	if (!removed)
		set_state(fs, r,
		    err == 0            ? FIBSYNC_INSTALLED
			: err == EEXIST ? FIBSYNC_CONFLICT
					: FIBSYNC_FAILED,
		    err, text);
	if (r->want == 0 && r->told == 0 && !r->dirty)
		drop(fs, r, num);
}

void
fibsync_set_done(struct fibsync *fs, uint32_t set, bool dropped, int err)
{
	struct set *s = set <= FIB_SET_MAX ? fs->by_num[set] : NULL;

	if (err == 0 || dropped)
		return;
	count_error(fs, FAM_NONE, err);
	if (s == NULL || s->refused)
		return;
	/* A next hop was not on-link, say: asked again by fibsync_retry(). */
	s->told = false;
	s->refused = true;
	fs->nrefused++;
}

bool
fibsync_refused(const struct fibsync *fs)
{
	return fs->nrefused > 0 || (fs->over && !full(fs));
}

bool
fibsync_take_room(struct fibsync *fs)
{
	bool room = fs->over && !full(fs);

	if (room)
		fs->over = false;
	return room;
}

void
fibsync_retry(struct fibsync *fs)
{
	struct route *r;
	struct pfx at;
	uint32_t num;

	if (fs->nrefused == 0)
		return;
	for (int i = 1; i <= FIB_SET_MAX && fs->nrefused > 0; i++)
		if (fs->by_num[i] != NULL && fs->by_num[i]->refused) {
			fs->by_num[i]->refused = false;
			fs->nrefused--;
			/* Routes that are there name it, and ask nothing. */
			again(fs, fs->by_num[i]);
		}
	for (enum fam f = FAM_INET; f < FAM_N; f++) {
		memset(&at, 0, sizeof at);
		while ((num = trie_next(fs->trie[f], &at)) != 0) {
			r = slab_at(&fs->routes, num);
			if (r->want != 0 && r->state == FIBSYNC_FAILED)
				mark(fs, r, num);
		}
	}
}

const struct fibsync_drift *
fibsync_drift_at(const struct fibsync *fs, size_t i)
{
	if (i >= fs->ndrift || i >= FIBSYNC_DRIFTS)
		return NULL;
	return &fs->drift[(fs->ndrift - 1 - i) % FIBSYNC_DRIFTS];
}

bool
fibsync_told(
    struct fibsync *fs, const struct pfx *p, enum fib_state st, int64_t now_s)
{
	uint32_t num;
	struct route *r = find(fs, p, &num);
	/* One that waited for a link, or for a foreign route to go, is put
	 * there; that is no drift. */
	bool drift = r == NULL || r->state == FIBSYNC_INSTALLED;

	fs->stats.drift[p->addr.fam] += drift && st != FIB_CONFLICT;
	fs->stats.conflicts += st == FIB_CONFLICT;
	if (drift)
		fs->drift[fs->ndrift++ % FIBSYNC_DRIFTS] =
		    (struct fibsync_drift){ *p, st, now_s };
	if (r == NULL || r->want == 0 || r->inflight > 0)
		return drift;
	switch (st) {
	case FIB_CONFLICT:
		set_state(fs, r, FIBSYNC_CONFLICT, EEXIST,
		    "a foreign route has this destination and metric");
		break;
	case FIB_GONE:
		set_state(
		    fs, r, FIBSYNC_FAILED, ENOENT, "removed by somebody else");
		mark(fs, r, num);
		break;
	case FIB_CHANGED:
	case FIB_PUTBACK:
		set_state(fs, r, FIBSYNC_INSTALLED, 0, NULL);
		break;
	}
	return drift;
}

void
fibsync_overrun(struct fibsync *fs)
{
	fs->stats.overruns++;
}

static void
fill(const struct fibsync *fs, const struct route *r, struct fibsync_route *o)
{
	const struct set *s = r->want != 0 ? fs->by_num[r->want] : NULL;

	o->pfx = r->pfx;
	o->state = r->state == FIBSYNC_NONE ? FIBSYNC_PENDING : r->state;
	o->err = r->err;
	o->text = r->text;
	o->nnh = s != NULL ? s->n : 0;
	if (s != NULL)
		memcpy(o->nh, s->nh, s->n * sizeof *s->nh);
}

enum fibsync_state
fibsync_get(
    const struct fibsync *fs, const struct pfx *p, struct fibsync_route *o)
{
	uint32_t num;
	const struct route *r = find(fs, p, &num);

	if (r == NULL)
		return FIBSYNC_NONE;
	fill(fs, r, o);
	return o->state;
}

bool
fibsync_next(const struct fibsync *fs, enum fam f, struct pfx *at,
    struct fibsync_route *o)
{
	uint32_t num = trie_next(fs->trie[f], at);

	if (num == 0)
		return false;
	fill(fs, slab_at(&fs->routes, num), o);
	return true;
}

size_t
fibsync_memory(const struct fibsync *fs)
{
	return sizeof *fs + slab_memory(&fs->routes) +
	    trie_memory(fs->trie[FAM_INET]) + trie_memory(fs->trie[FAM_INET6]) +
	    fs->nset * sizeof(struct set);
}

void
fibsync_get_stats(const struct fibsync *fs, struct fibsync_stats *st)
{
	*st = fs->stats;
	st->pending = fs->inflight + fs->ndirty;
	st->sets = fs->nset;
}
