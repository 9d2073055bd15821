/*
 * Prefix sets against a naive twin: the list of what was added, searched from
 * end to end.  -s SEED repeats a run, -n ROUNDS makes it longer.
 */
#include <string.h>

#include "policy/pfxset.h"
#include "tests/oracle/oracle.h"

enum {
	TWIN_MAX = 600
};

struct twin {
	struct pfxset_entry e[TWIN_MAX];
	size_t n;
};

static void
fail(const char *what, const struct pfx *p, long got, long want)
{
	char b[PFX_STRLEN];

	printf("FAIL %s %s: got %ld, want %ld\n", what,
	    pfx_print(p, b, sizeof(b)), got, want);
	exit(1);
}

/* Few different bits, so that prefixes meet and lie inside each other. */
static struct pfx
random_pfx(unsigned int wide)
{
	static const uint8_t some[] = { 0, 1, 0x80, 0xff, 0x7f, 0x0a };
	enum fam fam = rnd(2) == 0 ? FAM_INET : FAM_INET6;
	unsigned int bits = fam_bits(fam), i;
	struct addr a = { .fam = (uint8_t)fam };
	struct pfx p;

	for (i = 0; i < bits / 8; i++)
		a.o[i] = i < 2    ? some[rnd(wide)]
		    : rnd(4) == 0 ? (uint8_t)rnd(256)
				  : 0;
	pfx_make(&p, &a, rnd(3) == 0 ? rnd(bits + 1) : rnd(25));
	return p;
}

static bool
inside(const struct pfxset_entry *e, const struct pfx *p)
{
	return pfx_covers(&e->pfx, p) && e->lo <= p->len && p->len <= e->hi;
}

static bool
twin_match(const struct twin *w, const struct pfx *p)
{
	size_t i;

	for (i = 0; i < w->n; i++)
		if (inside(&w->e[i], p))
			return true;
	return false;
}

static bool
twin_covers(const struct twin *w, const struct pfx *p)
{
	size_t i;

	for (i = 0; i < w->n; i++)
		if (pfx_covers(&w->e[i].pfx, p))
			return true;
	return false;
}

static size_t
twin_count(const struct twin *w, enum fam fam)
{
	size_t i, j, n = 0;

	for (i = 0; i < w->n; i++) {
		for (j = 0; j < i; j++)
			if (pfx_eq(&w->e[i].pfx, &w->e[j].pfx))
				break;
		n += j == i && w->e[i].pfx.addr.fam == fam;
	}
	return n;
}

static void
fill(struct twin *w, struct pfxset *s)
{
	unsigned int wide = 2 + rnd(5);
	size_t n = rnd(TWIN_MAX);

	for (w->n = 0; w->n < n; w->n++) {
		struct pfxset_entry *e = &w->e[w->n];
		unsigned int bits;

		if (w->n > 0 && rnd(4) == 0)
			e->pfx = w->e[rnd((uint32_t)w->n)].pfx;
		else
			e->pfx = random_pfx(wide);
		bits = fam_bits((enum fam)e->pfx.addr.fam);
		e->lo = (uint8_t)(e->pfx.len + rnd(bits - e->pfx.len + 1) / 4);
		e->hi = (uint8_t)(e->lo + rnd(bits - e->lo + 1) / 4);
		if (rnd(2) == 0)
			e->lo = e->hi = e->pfx.len;
		if (!pfxset_add(s, &e->pfx, e->lo, e->hi))
			fail("add", &e->pfx, 0, 1);
	}
}

static void
query(const struct twin *w, const struct pfxset *s)
{
	struct pfxset_entry near;
	struct pfx p = random_pfx(6);
	bool got, want;

	/* Half of them near to something that is there. */
	if (w->n > 0 && rnd(2) == 0) {
		const struct pfxset_entry *e = &w->e[rnd((uint32_t)w->n)];
		struct addr a = e->pfx.addr;
		unsigned int bits = fam_bits((enum fam)a.fam);
		unsigned int len = e->pfx.len + rnd(bits - e->pfx.len + 1);
		unsigned int i;

		for (i = e->pfx.len; i < len; i++)
			if (rnd(2) == 0)
				a.o[i / 8] |= (uint8_t)(0x80 >> i % 8);
		pfx_make(&p, &a, rnd(4) == 0 ? e->lo : len);
	}
	got = pfxset_match(s, &p);
	want = twin_match(w, &p);
	if (got != want)
		fail("match", &p, got, want);
	got = pfxset_covers(s, &p);
	want = twin_covers(w, &p);
	if (got != want)
		fail("covers", &p, got, want);
	/* Nearest: an entry of the set; one that matches if p is under it. */
	if (pfxset_nearest(s, &p, &near)) {
		struct pfx in = near.pfx;

		if (!pfx_covers(&near.pfx, &p) && !pfx_covers(&p, &near.pfx))
			fail("nearest", &p, 1, 0);
		pfx_make(&in, &near.pfx.addr, near.lo);
		if (!twin_match(w, &in))
			fail("nearest entry", &in, 1, 0);
	} else if (want)
		fail("nearest", &p, 0, 1);
}

/* The walk gives the entries back: the same set can be made from them. */
static void
walk(const struct twin *w, const struct pfxset *s)
{
	struct pfxset *copy = pfxset_new("copy");
	struct pfxset_entry e = { .lo = 0 }, last = { .lo = 0 };
	enum fam f;
	int i;

	while (pfxset_next(s, &e)) {
		int c = last.pfx.addr.fam == FAM_NONE
		    ? -1
		    : pfx_cmp(&last.pfx, &e.pfx);

		if (c > 0 || (c == 0 && last.hi + 1 >= e.lo))
			fail("order of the walk", &e.pfx, e.lo, last.hi);
		if (!pfxset_add(copy, &e.pfx, e.lo, e.hi))
			fail("entry of the walk", &e.pfx, e.lo, e.hi);
		last = e;
	}
	for (f = FAM_INET; f <= FAM_INET6; f++) {
		struct pfx none = { .len = 0 };

		if (pfxset_count(s, f) != twin_count(w, f))
			fail("count", &none, (long)pfxset_count(s, f),
			    (long)twin_count(w, f));
	}
	for (i = 0; i < 200; i++)
		query(w, copy);
	pfxset_free(copy);
}

int
main(int argc, char **argv)
{
	static struct twin w;
	unsigned long rounds = oracle_begin(argc, argv, 60), r;
	int i;

	for (r = 0; r < rounds; r++) {
		struct pfxset *s = pfxset_new("random");

		fill(&w, s);
		for (i = 0; i < 2000; i++)
			query(&w, s);
		walk(&w, s);
		pfxset_free(s);
	}
	printf("ok: %lu sets\n", rounds);
	return 0;
}
