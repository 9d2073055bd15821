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
	bool named; /* ana-fibd may know the number, whatever it means there */
	bool again; /* its next hops changed: tell them, whoever asks */
};
RB_HEAD(set_tree, set);

/* A million of them: 16 octets, IPv6 28. */
struct route {
	uint32_t next; /* dirty queue */
	uint32_t want : 12; /* set numbers, 0: none */
	uint32_t told : 12;
	uint32_t state : 3;
	uint32_t dirty : 1;
	uint32_t lane : 4; /* while it is dirty */
	uint16_t inflight; /* requests not answered */
	uint8_t len; /* HUSK: nothing else of it counts */
	uint8_t why; /* it failed, 0: it did not */
	uint8_t addr[]; /* 4 or 16 octets */
};
_Static_assert(sizeof(struct route) == 12, "a million of them");
_Static_assert(FIB_SET_MAX < 1 << 12, "set numbers");

/* What was said of routes that failed: a few things of many routes. */
struct why {
	uint32_t routes;
	int err;
	char *text;
};
enum {
	WHYS = 63, /* the last is for all that found no room */
};

enum {
	LANES = 16, /* dirty queues a family */
	HUSK = UINT8_MAX, /* the place in a lane that a route has left */
	HUSKS = 65536,
	LANE_RUN = 64, /* routes of one, then it is the next one's turn */
	STRIPE_BITS = 4,
	STRIPES = 1 << STRIPE_BITS,
};

/* Dirty routes, linked by their numbers; 0: none. */
struct line {
	uint32_t first, last;
};

/*
 * Of one family; they name each other by numbers of their slab.
 *
 * A table that comes in ascending order is the worst for the kernel, whose own
 * trie then resizes node below node: 26 times it stood still for more than
 * 20 ms, up to 250, in a million routes.  Sparse first and dense later is the
 * best: 4 times, and in three quarters of the time.  So a lane has a stripe for
 * each value of a prefix's last bits, and goes from stripe to stripe.
 */
struct routes {
	enum fam fam;
	struct trie *trie;
	struct slab slab;
	struct lane {
		struct line now, stripe[STRIPES];
		unsigned int at; /* the stripe that is `now` */
	} lane[LANES];
};

struct fibsync {
	struct routes routes[FAM_N];
	unsigned int turn; /* the lane to ask for next, of both families */
	struct why why[WHYS + 1];
	struct set_tree sets;
	struct set **by_num; /* has room for nroom; 0 is none's */
	uint32_t nroom;
	uint32_t nset, unused; /* unused: told sets without a route */
	uint32_t nrefused; /* sets that ana-fibd did not take */
	uint32_t nagain;
	uint32_t inflight, ndirty, nhusk, max;
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

static struct route *
route_at(const struct routes *rs, uint32_t num)
{
	return slab_at(&rs->slab, num);
}

static void
route_key(const void *arg, uint32_t num, struct pfx *p)
{
	const struct routes *rs = arg;
	const struct route *r = route_at(rs, num);

	addr_set(&p->addr, rs->fam, r->addr);
	p->len = r->len;
}

struct fibsync *
fibsync_new(void)
{
	struct fibsync *fs = mem_alloc(sizeof *fs);

	for (enum fam f = FAM_INET; f < FAM_N; f++) {
		struct routes *rs = &fs->routes[f];

		rs->fam = f;
		rs->trie = trie_new_keyed(f, route_key, rs);
		slab_init(&rs->slab, sizeof(struct route) + fam_bits(f) / 8);
	}
	RB_INIT(&fs->sets);
	return fs;
}

void
fibsync_free(struct fibsync *fs)
{
	for (enum fam f = FAM_INET; f < FAM_N; f++) {
		trie_free(fs->routes[f].trie);
		slab_fini(&fs->routes[f].slab);
	}
	for (uint32_t i = 0; i < fs->nroom; i++)
		free(fs->by_num[i]);
	free(fs->by_num);
	for (int i = 1; i <= WHYS; i++)
		free(fs->why[i].text);
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

/* The lowest that is free; 0 when there are too many sets. */
static uint16_t
free_number(struct fibsync *fs)
{
	uint32_t num = 1, room = fs->nroom > 0 ? 2 * fs->nroom : 64;

	while (num < fs->nroom && fs->by_num[num] != NULL)
		num++;
	if (num > FIB_SET_MAX)
		return 0;
	if (num >= fs->nroom) {
		fs->by_num = mem_realloc(fs->by_num, room, sizeof *fs->by_num);
		memset(fs->by_num + fs->nroom, 0,
		    (room - fs->nroom) * sizeof *fs->by_num);
		fs->nroom = room;
	}
	return (uint16_t)num;
}

/* The set's number; 0 when there are too many sets. */
static uint16_t
set_get(struct fibsync *fs, const struct fib_nh *nh, size_t n)
{
	struct set key = { .n = (uint8_t)n }, *s;
	uint16_t num;

	memcpy(key.nh, nh, n * sizeof *nh);
	qsort(key.nh, n, sizeof *nh, nh_cmp);
	if ((s = RB_FIND(set_tree, &fs->sets, &key)) != NULL)
		return s->num;
	if ((num = free_number(fs)) == 0)
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
	for (uint32_t num = 1; num < fs->nroom; num++) {
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
	const struct routes *rs = &fs->routes[p->addr.fam];

	*num = trie_get(rs->trie, p);
	return *num == 0 ? NULL : route_at(rs, *num);
}

/* The last bits, the very last one in front: stripes that follow each other are
 * as far apart as can be. */
static unsigned int
stripe_of(const struct route *r)
{
	unsigned int s = 0;

	for (int i = r->len - 1; i >= r->len - STRIPE_BITS; i--)
		s = s << 1 | (i < 0 ? 0 : r->addr[i / 8] >> (7 - i % 8) & 1U);
	return s;
}

static void
mark(struct fibsync *fs, struct routes *rs, struct route *r, uint32_t num,
    unsigned int lane)
{
	struct line *l = &rs->lane[lane % LANES].stripe[stripe_of(r)];

	if (r->dirty)
		return;
	r->dirty = true;
	r->lane = lane % LANES & 0xf;
	r->next = 0;
	if (l->last != 0)
		route_at(rs, l->last)->next = num;
	else
		l->first = num;
	l->last = num;
	fs->ndirty++;
}

/*
 * The routes of a lane that have their turn.  A stripe is taken as it is: what
 * is marked meanwhile waits until all others had theirs.
 */
static struct line *
lane_now(struct lane *l)
{
	for (int i = 0; i < STRIPES && l->now.first == 0; i++) {
		l->at = (l->at + 1) % STRIPES;
		l->now = l->stripe[l->at];
		l->stripe[l->at] = (struct line){ 0 };
	}
	return &l->now;
}

/*
 * Takes a dirty route out of its lane.  The lanes are linked in one direction,
 * which saves 4 octets of each route: so it gets another number, and its place
 * is a husk until the lane comes to it.  Of these there are so many only; then
 * a route stays where it is.
 */
static struct route *
leave_lane(struct fibsync *fs, const struct pfx *p, uint32_t *num)
{
	struct routes *rs = &fs->routes[p->addr.fam];
	struct route *r = route_at(rs, *num), *now;

	if (fs->nhusk == HUSKS)
		return r;
	*num = slab_new(&rs->slab);
	now = route_at(rs, *num);
	memcpy(now, r, sizeof *r + fam_bits(rs->fam) / 8);
	now->dirty = false;
	trie_put(rs->trie, p, *num);
	r->len = HUSK;
	fs->nhusk++;
	fs->ndirty--;
	return now;
}

static uint8_t
why_ref(struct fibsync *fs, int err, const char *text)
{
	unsigned int i, place = 0;

	if (err == 0)
		return 0;
	if (text == NULL)
		text = "";
	for (i = 1; i < WHYS; i++) {
		const struct why *w = &fs->why[i];

		if (w->routes == 0)
			place = place != 0 ? place : i;
		else if (w->err == err && strcmp(w->text, text) == 0)
			break;
	}
	if (i == WHYS && place != 0)
		i = place;
	if (fs->why[i].routes++ == 0) {
		bool room = i < WHYS;

		free(fs->why[i].text);
		fs->why[i].err = room ? err : EIO;
		fs->why[i].text =
		    mem_strdup(room ? text : "for a reason that the log has");
	}
	return (uint8_t)i;
}

static void
set_state(struct fibsync *fs, enum fam f, struct route *r,
    enum fibsync_state st, int err, const char *text)
{
	uint8_t why = why_ref(fs, err, text);

	if (r->state == FIBSYNC_INSTALLED)
		fs->stats.installed[f]--;
	else if (r->state == FIBSYNC_FAILED || r->state == FIBSYNC_CONFLICT)
		fs->stats.failed[f]--;
	if (r->why != 0)
		fs->why[r->why].routes--;
	r->state = st;
	r->why = why;
	if (st == FIBSYNC_INSTALLED)
		fs->stats.installed[f]++;
	else if (st == FIBSYNC_FAILED || st == FIBSYNC_CONFLICT)
		fs->stats.failed[f]++;
}

static void
drop(struct fibsync *fs, const struct pfx *p, struct route *r, uint32_t num)
{
	struct routes *rs = &fs->routes[p->addr.fam];

	set_state(fs, rs->fam, r, FIBSYNC_NONE, 0, NULL);
	set_unref(fs, r->told);
	trie_del(rs->trie, p);
	slab_del(&rs->slab, num);
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
refuse(struct fibsync *fs, enum fam f, struct route *r, const char *why)
{
	set_state(fs, f, r, FIBSYNC_FAILED, ENOSPC, why);
	count_error(fs, f, ENOSPC);
}

void
fibsync_want(struct fibsync *fs, const struct pfx *p, const struct fib_nh *nh,
    size_t n, unsigned int lane)
{
	enum fam f = (enum fam)p->addr.fam;
	struct routes *rs = &fs->routes[f];
	struct route *r;
	uint32_t num;
	uint16_t set;

	/* Where nothing is installed, each route's way ends here. */
	if (n == 0 && trie_count(rs->trie) == 0)
		return;
	if ((r = find(fs, p, &num)) == NULL) {
		if (n == 0)
			return;
		num = slab_new(&rs->slab);
		r = route_at(rs, num);
		memcpy(r->addr, p->addr.o, fam_bits(f) / 8);
		r->len = p->len;
		trie_put(rs->trie, p, num);
	}
	if (n > 0 && r->want == 0 && full(fs)) {
		fs->over = true;
		refuse(
		    fs, f, r, "over \"fib max-routes\" of the configuration");
		return;
	}
	set = n > 0 ? set_get(fs, nh, n) : 0;
	if (n > 0 && set == 0)
		refuse(fs, f, r, "too many different sets of next hops");
	if (r->want == set) {
		if (n == 0 && r->told == 0 && r->inflight == 0 && !r->dirty)
			drop(fs, p, r, num);
		return;
	}
	fs->stats.wanted[f] += (uint32_t)((set != 0) - (r->want != 0));
	set_ref(fs, set);
	set_unref(fs, r->want);
	r->want = set & 0xfff;
	if (r->dirty && r->lane != lane % LANES)
		r = leave_lane(fs, p, &num);
	mark(fs, rs, r, num, lane);
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
	s->named = s->named || err == 0;
	return err;
}

static int
tell(struct fibsync *fs, const struct pfx *p, struct route *r, struct fib *f)
{
	int err;

	if (r->want == r->told &&
	    (r->want == 0 || r->state == FIBSYNC_INSTALLED))
		return 0;
	if (r->inflight == UINT16_MAX)
		return -EAGAIN; /* its answers could not be counted */
	if (r->want == 0)
		err = f->ops->remove(f, p);
	else if ((err = tell_set(fs->by_num[r->want], f)) == 0)
		err = f->ops->replace(f, p, r->want);
	if (err != 0)
		return err;
	r->inflight++;
	fs->inflight++;
	set_ref(fs, r->want);
	set_unref(fs, r->told);
	r->told = r->want;
	/* One that is to go counts as there until it is gone. */
	if (r->want != 0) {
		set_state(
		    fs, (enum fam)p->addr.fam, r, FIBSYNC_PENDING, 0, NULL);
		if (fs->timed.addr.fam == FAM_NONE)
			fs->timed = *p;
	}
	return 0;
}

/* What fibsync_lost() changed; false: no room for more records. */
static bool
tell_again(struct fibsync *fs, struct fib *f)
{
	for (uint32_t i = 1; i < fs->nroom && fs->nagain > 0; i++) {
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
	for (uint32_t i = 1; i < fs->nroom && fs->unused > 0; i++) {
		struct set *s = fs->by_num[i];

		if (s == NULL || s->refs > 0)
			continue;
		if (s->named && f->ops->nhset_drop(f, s->num) != 0)
			return false;
		set_free(fs, s);
	}
	return true;
}

/* The first of a line; false: no room for more records. */
static bool
run_first(struct fibsync *fs, struct routes *rs, struct line *l, struct fib *f)
{
	uint32_t num = l->first;
	struct route *r = route_at(rs, num);
	bool husk = r->len == HUSK;
	struct pfx p;
	int err = 0;

	if (!husk) {
		route_key(rs, num, &p);
		err = tell(fs, &p, r, f);
	}
	if (err == -EAGAIN || err == -ENOTCONN)
		return false;
	l->first = r->next;
	if (l->first == 0)
		l->last = 0;
	if (husk) {
		slab_del(&rs->slab, num);
		fs->nhusk--;
		return true;
	}
	r->dirty = false;
	fs->ndirty--;
	if (err != 0) {
		set_state(fs, rs->fam, r, FIBSYNC_FAILED, -err, strerror(-err));
		count_error(fs, rs->fam, -err);
	}
	if (r->want == 0 && r->told == 0 && r->inflight == 0)
		drop(fs, &p, r, num);
	return true;
}

bool
fibsync_run(struct fibsync *fs, struct fib *f, unsigned int budget)
{
	if (f == NULL || !tell_again(fs, f))
		return false;
	while (fs->ndirty + fs->nhusk > 0 && budget > 0) {
		struct routes *rs = &fs->routes[FAM_INET + fs->turn % 2];
		struct lane *l = &rs->lane[fs->turn / 2];

		for (int i = 0;
		     i < LANE_RUN && lane_now(l)->first != 0 && budget > 0;
		     i++, budget--)
			if (!run_first(fs, rs, &l->now, f))
				return false;
		fs->turn = (fs->turn + 1) % (2 * LANES);
	}
	if (fs->ndirty == 0 && fs->inflight == 0 && fs->unused > 0)
		drop_sets(fs, f);
	return fs->ndirty != 0;
}

bool
fibsync_settled(const struct fibsync *fs)
{
	return fs->ndirty == 0 && fs->inflight == 0 && fs->nagain == 0;
}

/* Everything told is void: mark all that is wanted. */
static void
restart(struct fibsync *fs)
{
	struct pfx at;
	uint32_t num;

	fs->timed.addr.fam = FAM_NONE;
	for (uint32_t i = 1; i < fs->nroom; i++)
		if (fs->by_num[i] != NULL)
			fs->by_num[i]->told = fs->by_num[i]->named =
			    fs->by_num[i]->again = false;
	fs->nagain = 0;
	fs->inflight = 0;
	for (enum fam f = FAM_INET; f < FAM_N; f++) {
		memset(&at, 0, sizeof at);
		while ((num = trie_next(fs->routes[f].trie, &at)) != 0) {
			struct route *r = route_at(&fs->routes[f], num);

			set_unref(fs, r->told);
			r->told = 0;
			r->inflight = 0;
			set_state(fs, f, r, FIBSYNC_PENDING, 0, NULL);
			mark(fs, &fs->routes[f], r, num, 0);
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
	/* No news of another set that is wanted by now, and waits or was
	 * refused. */
	if (!removed && (r->want == 0 || r->want == r->told))
		set_state(fs, (enum fam)p->addr.fam, r,
		    err == 0            ? FIBSYNC_INSTALLED
			: err == EEXIST ? FIBSYNC_CONFLICT
					: FIBSYNC_FAILED,
		    err, text);
	if (r->want == 0 && r->told == 0 && !r->dirty)
		drop(fs, p, r, num);
}

void
fibsync_set_done(struct fibsync *fs, uint32_t set, bool dropped, int err)
{
	struct set *s = set < fs->nroom ? fs->by_num[set] : NULL;

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
	struct pfx at;
	uint32_t num;

	if (fs->nrefused == 0)
		return;
	for (uint32_t i = 1; i < fs->nroom && fs->nrefused > 0; i++)
		if (fs->by_num[i] != NULL && fs->by_num[i]->refused) {
			fs->by_num[i]->refused = false;
			fs->nrefused--;
			/* Routes that are there name it, and ask nothing. */
			again(fs, fs->by_num[i]);
		}
	for (enum fam f = FAM_INET; f < FAM_N; f++) {
		memset(&at, 0, sizeof at);
		while ((num = trie_next(fs->routes[f].trie, &at)) != 0) {
			struct route *r = route_at(&fs->routes[f], num);

			/* Also one whose request may just meet the refusal. */
			if (r->want != 0 &&
			    (r->state == FIBSYNC_FAILED ||
				(r->state != FIBSYNC_INSTALLED &&
				    fs->by_num[r->want]->again)))
				mark(fs, &fs->routes[f], r, num, 0);
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
	enum fam f = (enum fam)p->addr.fam;
	uint32_t num;
	struct route *r = find(fs, p, &num);
	/* One that waited for a link, or for a foreign route to go, is put
	 * there; that is no drift. */
	bool drift = r == NULL || r->state == FIBSYNC_INSTALLED;

	fs->stats.drift[f] += drift && st != FIB_CONFLICT;
	fs->stats.conflicts += st == FIB_CONFLICT;
	if (drift)
		fs->drift[fs->ndrift++ % FIBSYNC_DRIFTS] =
		    (struct fibsync_drift){ *p, st, now_s };
	if (r == NULL || r->inflight > 0)
		return drift;
	if (r->want == 0) {
		/* It is still to go; if it is wanted again, it is asked for. */
		if (st == FIB_CONFLICT || st == FIB_GONE)
			set_state(fs, f, r, FIBSYNC_PENDING, 0, NULL);
		return drift;
	}
	switch (st) {
	case FIB_CONFLICT:
		set_state(fs, f, r, FIBSYNC_CONFLICT, EEXIST,
		    "a foreign route has this destination and metric");
		break;
	case FIB_GONE:
		set_state(fs, f, r, FIBSYNC_FAILED, ENOENT,
		    "removed by somebody else");
		mark(fs, &fs->routes[f], r, num, 0);
		break;
	case FIB_CHANGED:
	case FIB_PUTBACK:
		/* Of the set before, where that one was refused; what is to
		 * be asked for is told then. */
		if (!r->dirty && !fs->by_num[r->want]->refused)
			set_state(fs, f, r, FIBSYNC_INSTALLED, 0, NULL);
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
fill(const struct fibsync *fs, const struct pfx *p, const struct route *r,
    struct fibsync_route *o)
{
	const struct set *s = r->want != 0 ? fs->by_num[r->want] : NULL;
	const struct why *w = &fs->why[r->why];

	o->pfx = *p;
	o->state = r->state == FIBSYNC_NONE ? FIBSYNC_PENDING
					    : (enum fibsync_state)r->state;
	o->err = r->why != 0 ? w->err : 0;
	o->text = r->why != 0 && *w->text != '\0' ? w->text : NULL;
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
	fill(fs, p, r, o);
	return o->state;
}

bool
fibsync_next(const struct fibsync *fs, enum fam f, struct pfx *at,
    struct fibsync_route *o)
{
	uint32_t num = trie_next(fs->routes[f].trie, at);

	if (num == 0)
		return false;
	fill(fs, at, route_at(&fs->routes[f], num), o);
	return true;
}

size_t
fibsync_memory(const struct fibsync *fs)
{
	size_t n = sizeof *fs + fs->nroom * sizeof *fs->by_num +
	    fs->nset * sizeof(struct set);

	for (enum fam f = FAM_INET; f < FAM_N; f++)
		n += slab_memory(&fs->routes[f].slab) +
		    trie_memory(fs->routes[f].trie);
	return n;
}

void
fibsync_get_stats(const struct fibsync *fs, struct fibsync_stats *st)
{
	*st = fs->stats;
	st->pending = fs->inflight + fs->ndirty;
	st->sets = fs->nset;
}
