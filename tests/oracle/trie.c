/*
 * The trie against a naive twin: an array that is searched from end to end.
 * -s SEED repeats a run, -n ROUNDS makes it longer.
 */
#include <string.h>

#include "lib/trie.h"
#include "tests/oracle/oracle.h"

enum {
	TWIN_MAX = 4096
};

struct twin {
	struct pfx pfx[TWIN_MAX];
	uint32_t val[TWIN_MAX];
	size_t n;
};

static void
fail(const char *what, const struct pfx *p, uint32_t got, uint32_t want)
{
	char b[PFX_STRLEN];

	printf("FAIL %s %s: got %u, want %u\n", what, pfx_print(p, b, sizeof b),
	    got, want);
	exit(1);
}

static size_t
twin_find(const struct twin *w, const struct pfx *p)
{
	size_t i;

	for (i = 0; i < w->n; i++)
		if (pfx_eq(&w->pfx[i], p))
			break;
	return i;
}

static uint32_t
twin_put(struct twin *w, const struct pfx *p, uint32_t val)
{
	size_t i = twin_find(w, p);
	uint32_t old = i < w->n ? w->val[i] : 0;

	w->pfx[i] = *p;
	w->val[i] = val;
	w->n += i == w->n;
	return old;
}

static uint32_t
twin_add(struct twin *w, const struct pfx *p, uint32_t val)
{
	size_t i = twin_find(w, p);

	if (i == w->n)
		twin_put(w, p, val);
	return w->val[i];
}

static uint32_t
twin_del(struct twin *w, const struct pfx *p)
{
	size_t i = twin_find(w, p);
	uint32_t old;

	if (i == w->n)
		return 0;
	old = w->val[i];
	w->n--;
	w->pfx[i] = w->pfx[w->n];
	w->val[i] = w->val[w->n];
	return old;
}

static uint32_t
twin_cover(
    const struct twin *w, const struct pfx *p, bool itself, struct pfx *found)
{
	int best = -1;
	uint32_t val = 0;

	for (size_t i = 0; i < w->n; i++) {
		if (!pfx_covers(&w->pfx[i], p) || w->pfx[i].len <= best ||
		    (!itself && w->pfx[i].len == p->len))
			continue;
		best = w->pfx[i].len;
		*found = w->pfx[i];
		val = w->val[i];
	}
	return val;
}

static uint32_t
twin_next(const struct twin *w, struct pfx *at)
{
	struct pfx from = *at;
	uint32_t val = 0;

	for (size_t i = 0; i < w->n; i++) {
		if ((from.addr.fam != FAM_NONE &&
			pfx_cmp(&w->pfx[i], &from) <= 0) ||
		    (val != 0 && pfx_cmp(&w->pfx[i], at) > 0))
			continue;
		*at = w->pfx[i];
		val = w->val[i];
	}
	return val;
}

/* Clustered: few distinct octets, so that prefixes nest and share paths. */
static struct pfx
random_pfx(enum fam f, uint32_t spread)
{
	unsigned int bits = fam_bits(f), length = rnd(bits + 1);
	struct addr a = { .fam = (uint8_t)f };
	struct pfx p;

	for (unsigned int i = 0; i < bits / 8; i++)
		a.o[i] = (uint8_t)(rnd(4) != 0 ? rnd(spread) * 37 : rnd(256));
	if (rnd(2) == 0)
		length = length / 4 * 4;
	pfx_make(&p, &a, length);
	return p;
}

static void
look(const struct trie *t, const struct twin *w, const struct pfx *p)
{
	struct pfx a = { 0 }, b = { 0 };
	size_t i = twin_find(w, p);
	uint32_t got = trie_get(t, p), want = i < w->n ? w->val[i] : 0;

	if (got != want)
		fail("get", p, got, want);
	got = trie_longest(t, p, &a);
	want = twin_cover(w, p, true, &b);
	if (got != want || !pfx_eq(&a, &b))
		fail("longest", p, got, want);
	memset(&a, 0, sizeof a);
	memset(&b, 0, sizeof b);
	got = trie_shorter(t, p, &a);
	want = twin_cover(w, p, false, &b);
	if (got != want || !pfx_eq(&a, &b))
		fail("shorter", p, got, want);
	a = b = *p;
	got = trie_next(t, &a);
	want = twin_next(w, &b);
	if (got != want || (got != 0 && !pfx_eq(&a, &b)))
		fail("next", p, got, want);
}

static void
walk(const struct trie *t, const struct twin *w)
{
	struct pfx at = { 0 }, last = { 0 };
	size_t n = 0;
	uint32_t val;

	while ((val = trie_next(t, &at)) != 0) {
		size_t i = twin_find(w, &at);

		if (i == w->n || w->val[i] != val)
			fail("walk", &at, val, i < w->n ? w->val[i] : 0);
		if (n++ > 0 && pfx_cmp(&last, &at) >= 0)
			fail("order", &at, 0, 0);
		last = at;
	}
	if (n != w->n || trie_count(t) != n)
		fail("count", &at, (uint32_t)n, (uint32_t)w->n);
}

/* What the owner of a keyed trie knows: the prefix of each value. */
static struct pfx *owner;

static void
key(const void *arg, uint32_t val, struct pfx *p)
{
	*p = ((const struct pfx *)arg)[val];
}

static void
run(enum fam f, uint32_t steps)
{
	struct twin *w = calloc(1, sizeof *w);
	struct trie *t =
	    rnd(2) == 0 ? trie_new(f) : trie_new_keyed(f, key, owner);
	uint32_t spread = 1 + rnd(6), puts = 1 + rnd(9), got, want;
	uint32_t indexed = rnd(2) == 0 ? 1 + rnd(steps) : 0;

	for (uint32_t i = 1; i <= steps; i++) {
		struct pfx p = random_pfx(f, spread);

		if (w->n > 0 && rnd(2) == 0)
			p = w->pfx[rnd((uint32_t)w->n)];
		if (rnd(10) < puts && w->n < TWIN_MAX) {
			owner[i] = p;
			if (rnd(2) == 0) {
				got = trie_put(t, &p, i);
				want = twin_put(w, &p, i);
			} else {
				got = trie_add(t, &p, i);
				want = twin_add(w, &p, i);
			}
		} else {
			got = trie_del(t, &p);
			want = twin_del(w, &p);
		}
		if (got != want)
			fail("put or del", &p, got, want);
		p = random_pfx(f, spread);
		look(t, w, &p);
		if (i % 512 == 0)
			walk(t, w);
		if (i == indexed)
			trie_expect(t, rnd(8) == 0 ? 300000 : 20000);
	}
	walk(t, w);
	while (w->n > 0) {
		struct pfx p = w->pfx[rnd((uint32_t)w->n)];

		want = twin_del(w, &p);
		if ((got = trie_del(t, &p)) != want)
			fail("empty", &p, got, want);
	}
	walk(t, w);
	trie_free(t);
	free(w);
}

int
main(int argc, char **argv)
{
	unsigned long rounds = oracle_begin(argc, argv, 40);

	owner = calloc(2001, sizeof *owner);
	for (unsigned long i = 0; i < rounds; i++) {
		run(FAM_INET, 2000);
		run(FAM_INET6, 2000);
	}
	free(owner);
	return 0;
}
