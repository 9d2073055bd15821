/*
 * What is asked of ana-fibd, against a naive kernel that answers late, refuses
 * sets and routes, and lets others meddle.  Whatever happened: when nothing is
 * in the way any more, the kernel has what was wanted, and this is known.
 * -s SEED repeats a run, -n ROUNDS makes it longer.
 */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "bgpd/fibsync.h"
#include "tests/fib_requests.h"
#include "tests/oracle/oracle.h"

enum {
	NPFX = 40,
	NHOPS = REQUEST_NH, /* of each family */
	QUEUE = 64,
	NPREFIXES = 2 * NPFX,
	LEFT = FIB_SET_MAX + 1, /* what a dropped set meant */
};

struct want {
	struct fib_nh nh[NHOPS];
	size_t n;
};

/* A set number, its content, and a route as ana-fibd holds them. */
struct kset {
	bool known, live;
	struct want content;
};
struct kroute {
	uint32_t set; /* 0: not asked for */
	bool there, foreign;
};

static struct {
	struct fib fib;
	struct request q[QUEUE];
	size_t n, room;
	struct kset set[LEFT + 1];
	struct kroute route[NPREFIXES];
	bool down[NHOPS]; /* a next hop that the kernel refuses */
} k;
static struct want wanted[NPREFIXES];
static struct pfx pfxs[NPREFIXES];
static struct fibsync *fs;

static unsigned int
pfx_index(const struct pfx *p)
{
	unsigned int i = 0;

	while (pfx_cmp(&pfxs[i], p) != 0)
		i++;
	return i;
}

static int
request(const struct request *r)
{
	if (k.n >= k.room)
		return -EAGAIN;
	k.q[k.n++] = *r;
	return 0;
}

/* A route that waited for its set, or for a foreign one. */
static void
put_back(uint32_t set)
{
	for (unsigned int i = 0; i < NPREFIXES; i++) {
		struct kroute *r = &k.route[i];

		if (r->set != set || r->there || r->foreign)
			continue;
		r->there = true;
		fibsync_told(fs, &pfxs[i], FIB_PUTBACK, 1);
	}
}

static bool
has(const struct want *a, const struct fib_nh *nh)
{
	size_t i = 0;

	while (i < a->n && !addr_eq(&a->nh[i].addr, &nh->addr))
		i++;
	return i < a->n;
}

static void
do_set(const struct request *q)
{
	struct kset *s = &k.set[q->set];
	bool live = true;

	for (size_t i = 0; i < q->n; i++) {
		live = live && !k.down[q->nh[i].ifindex];
		/* A set loses next hops; another one is dropped first. */
		assert(!s->known || has(&s->content, &q->nh[i]));
	}
	/* By one of ana-fibd's checks: it is not even known then. */
	if (!live && rnd(2) == 0) {
		fibsync_set_done(fs, q->set, false, EPERM);
		return;
	}
	s->known = true;
	s->content.n = q->n;
	memcpy(s->content.nh, q->nh, sizeof s->content.nh);
	s->live = s->live || live; /* what routes have they keep */
	fibsync_set_done(fs, q->set, false, live ? 0 : EINVAL);
	if (live)
		put_back(q->set);
}

static void
do_drop(const struct request *q)
{
	/* Routes whose other set was refused keep it. */
	for (unsigned int i = 0; i < NPREFIXES; i++)
		if (k.route[i].set == q->set)
			k.route[i].set = LEFT;
	k.set[q->set] = (struct kset){ 0 };
	fibsync_set_done(fs, q->set, true, 0);
}

static void
do_replace(const struct request *q)
{
	struct kroute *r = &k.route[pfx_index(&q->pfx)];
	const struct kset *s = &k.set[q->set];
	int err;

	if (!s->known) {
		fibsync_done(fs, &q->pfx, false, ENOENT, "no such set");
		return;
	}
	err = !s->live ? ENETDOWN : r->foreign ? EEXIST : 0;
	r->set = q->set;
	r->there = err == 0;
	fibsync_done(fs, &q->pfx, false, err, err != 0 ? "not now" : NULL);
}

static void
do_remove(const struct request *q)
{
	struct kroute *r = &k.route[pfx_index(&q->pfx)];
	bool was = r->set != 0;

	r->set = 0;
	r->there = false;
	fibsync_done(fs, &q->pfx, true, was ? 0 : ENOENT, NULL);
}

static void
answer(size_t n)
{
	static void (*const act[])(const struct request *) = { [NHSET] = do_set,
		[DROP] = do_drop,
		[REPLACE] = do_replace,
		[REMOVE] = do_remove };
	struct request q;

	while (n-- > 0 && k.n > 0) {
		q = k.q[0];
		memmove(&k.q[0], &k.q[1], --k.n * sizeof q);
		act[q.kind](&q);
	}
}

static void
want(unsigned int i, const struct want *w)
{
	wanted[i] = *w;
	fibsync_want(fs, &pfxs[i], w->nh, w->n, rnd(20));
}

static void
want_some(void)
{
	unsigned int i = rnd(NPREFIXES);
	enum fam f = pfxs[i].addr.fam;
	struct want w = { .n = 0 };

	if (rnd(3) != 0)
		for (uint32_t h = 0; h < NHOPS; h++)
			if (rnd(2) == 0) {
				struct fib_nh *nh = &w.nh[w.n++];

				nh->addr.fam = (uint8_t)f;
				nh->addr.o[3] = (uint8_t)(h + 1);
				nh->ifindex = h;
				nh->weight = 1;
			}
	want(i, &w);
}

/* One next hop goes, and all paths with it. */
static void
lose(void)
{
	uint32_t h = rnd(NHOPS);
	struct addr a = { .fam = rnd(2) == 0 ? FAM_INET : FAM_INET6 };

	a.o[3] = (uint8_t)(h + 1);
	fibsync_lost(fs, &a, h);
	for (unsigned int i = 0; i < NPREFIXES; i++) {
		struct want rest = { .n = 0 };

		for (size_t j = 0; j < wanted[i].n; j++)
			if (!addr_eq(&wanted[i].nh[j].addr, &a))
				rest.nh[rest.n++] = wanted[i].nh[j];
		if (rest.n != wanted[i].n)
			want(i, &rest);
	}
}

static void
meddle(unsigned int i)
{
	struct kroute *r = &k.route[i];

	if (r->foreign) {
		r->foreign = false;
		if (r->set != 0 && k.set[r->set].live)
			put_back(r->set);
	} else if (rnd(4) == 0) {
		r->foreign = true;
		if (r->there)
			fibsync_told(fs, &pfxs[i], FIB_CONFLICT, 1);
		r->there = false;
	} else if (r->there) {
		fibsync_told(
		    fs, &pfxs[i], rnd(2) == 0 ? FIB_GONE : FIB_CHANGED, 1);
		if (rnd(2) == 0)
			fibsync_told(fs, &pfxs[i], FIB_PUTBACK, 1);
	}
}

/* It goes, and comes back before that was asked for. */
static void
blink(unsigned int i)
{
	struct want w = wanted[i];

	want(i, &(struct want){ .n = 0 });
	meddle(i);
	want(i, &w);
}

/* ana-fibd, and what it put into the kernel. */
static void
restart(void)
{
	k.n = 0;
	memset(k.set, 0, sizeof k.set);
	for (unsigned int i = 0; i < NPREFIXES; i++) {
		k.route[i].there = false;
		k.route[i].set = 0;
	}
	fibsync_down(fs);
	fibsync_ready(fs);
}

static void
something(void)
{
	switch (rnd(16)) {
	case 0:
		k.down[rnd(NHOPS)] ^= true;
		break;
	case 1:
		fibsync_retry(fs);
		break;
	case 2:
		meddle(rnd(NPREFIXES));
		break;
	case 3:
		if (rnd(20) == 0)
			lose();
		break;
	case 4:
		if (rnd(100) == 0)
			restart();
		else
			blink(rnd(NPREFIXES));
		break;
	case 5:
	case 6:
		k.room = rnd(QUEUE);
		fibsync_run(fs, &k.fib, rnd(20));
		break;
	case 7:
	case 8:
		answer(rnd(10));
		break;
	default:
		want_some();
	}
}

/* All is asked and answered: what counts as there is there. */
static void
answer_all(void)
{
	struct fibsync_route known;
	unsigned int n = 0;

	k.room = QUEUE;
	do {
		fibsync_run(fs, &k.fib, 1000);
		answer(QUEUE);
		assert(++n < 1000);
	} while (!fibsync_settled(fs) || k.n > 0);
	for (unsigned int i = 0; i < NPREFIXES; i++)
		assert(fibsync_get(fs, &pfxs[i], &known) != FIBSYNC_INSTALLED ||
		    k.route[i].there);
}

/* Nothing is in the way any more. */
static void
settle(void)
{
	unsigned int n = 0;

	memset(k.down, 0, sizeof k.down);
	for (unsigned int i = 0; i < NPREFIXES; i++)
		if (k.route[i].foreign) {
			k.route[i].foreign = false;
			if (k.route[i].set != 0 && k.set[k.route[i].set].live)
				put_back(k.route[i].set);
		}
	do {
		fibsync_run(fs, &k.fib, 1000);
		answer(QUEUE);
		if (fibsync_refused(fs))
			fibsync_retry(fs);
		assert(++n < 1000);
	} while (!fibsync_settled(fs) || k.n > 0);
}

static bool
same(const struct want *a, const struct fib_nh *nh, size_t n)
{
	size_t i, j;

	for (i = 0; i < a->n; i++) {
		for (j = 0; j < n && !addr_eq(&a->nh[i].addr, &nh[j].addr);)
			j++;
		if (j == n)
			return false;
	}
	return a->n == n;
}

static void
check(unsigned long round)
{
	uint32_t there[FAM_N] = { 0 };
	struct fibsync_stats st;

	for (unsigned int i = 0; i < NPREFIXES; i++) {
		const struct kroute *r = &k.route[i];
		const struct want *has = &k.set[r->set].content;
		struct fibsync_route known;
		enum fibsync_state is = fibsync_get(fs, &pfxs[i], &known);
		char b[PFX_STRLEN];

		there[pfxs[i].addr.fam] += wanted[i].n > 0;
		if (r->there == (wanted[i].n > 0) &&
		    is == (r->there ? FIBSYNC_INSTALLED : FIBSYNC_NONE) &&
		    (!r->there ||
			(same(&wanted[i], has->nh, has->n) &&
			    same(&wanted[i], known.nh, known.nnh))))
			continue;
		printf("FAIL round %lu: %s is %s of set %u, %zu of %zu next "
		       "hops\n",
		    round, pfx_print(&pfxs[i], b, sizeof b),
		    fibsync_state_name(is), r->set, has->n, wanted[i].n);
		exit(1);
	}
	fibsync_get_stats(fs, &st);
	assert(st.pending == 0);
	for (enum fam f = FAM_INET; f < FAM_N; f++) {
		assert(st.wanted[f] == there[f] && st.installed[f] == there[f]);
		assert(st.failed[f] == 0);
	}
}

int
main(int argc, char **argv)
{
	unsigned long rounds = oracle_begin(argc, argv, 2000);

	fs = fibsync_new();
	k.fib.ops = &request_ops;
	for (unsigned int i = 0; i < NPREFIXES; i++) {
		pfxs[i].addr.fam = i < NPFX ? FAM_INET : FAM_INET6;
		pfxs[i].addr.o[0] = 0x20;
		pfxs[i].addr.o[2] = (uint8_t)i;
		pfxs[i].len = 24;
	}
	fibsync_ready(fs);
	for (unsigned long i = 0; i < rounds; i++) {
		for (unsigned int n = rnd(200); n > 0; n--)
			something();
		answer_all();
		settle();
		check(i);
	}
	fibsync_free(fs);
	printf("%lu rounds: ok\n", rounds);
	return 0;
}
