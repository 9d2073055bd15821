/*
 * pfxset.c -- prefix sets over lib/trie.h.  The trie's value of a prefix is
 * the range of lengths itself where there is one range (nearly always), else
 * the number of a bitmap of lengths.  A match climbs from the longest covering
 * entry upwards: entries inside each other are rare.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"
#include "lib/trie.h"
#include "policy/asnset.h"
#include "policy/pfxset.h"

#define VAL_RANGE 0x10000u /* | lo << 8 | hi */
#define VAL_MAP 0x80000000u /* | number */

struct lengths {
	uint8_t bit[17]; /* 0 to 128 */
};

/* What is in a set; several sets may have the same. */
struct body {
	uint32_t refs;
	char *digest;
	struct trie *trie[FAM_N];
	struct lengths *map;
	uint32_t nmap, capmap;
	struct asnset *origins;
};

struct pfxset {
	char *name;
	struct body *b;
};

struct pfxset *
pfxset_new(const char *name)
{
	struct pfxset *s = mem_alloc(sizeof(*s));

	s->name = mem_strdup(name);
	s->b = mem_alloc(sizeof(*s->b));
	s->b->refs = 1;
	s->b->digest = mem_strdup("");
	s->b->trie[FAM_INET] = trie_new(FAM_INET);
	s->b->trie[FAM_INET6] = trie_new(FAM_INET6);
	return s;
}

static void
body_unref(struct body *b)
{
	if (--b->refs > 0)
		return;
	trie_free(b->trie[FAM_INET]);
	trie_free(b->trie[FAM_INET6]);
	asnset_free(b->origins);
	free(b->map);
	free(b->digest);
	free(b);
}

void
pfxset_free(struct pfxset *s)
{
	if (s == NULL)
		return;
	body_unref(s->b);
	free(s->name);
	free(s);
}

void
pfxset_share(struct pfxset *s, const struct pfxset *from)
{
	struct body *old = s->b;

	s->b = from->b;
	s->b->refs++;
	body_unref(old);
}

bool
pfxset_shares(const struct pfxset *a, const struct pfxset *b)
{
	return a->b == b->b;
}

const char *
pfxset_name(const struct pfxset *s)
{
	return s->name;
}

static bool
bit_get(const struct lengths *m, unsigned int n)
{
	return (m->bit[n / 8] >> (n % 8) & 1) != 0;
}

static void
bit_range(struct lengths *m, unsigned int lo, unsigned int hi)
{
	for (; lo <= hi; lo++)
		m->bit[lo / 8] |= (uint8_t)(1u << (lo % 8));
}

static unsigned int
val_lo(uint32_t val)
{
	return val >> 8 & 0xff;
}

static unsigned int
val_hi(uint32_t val)
{
	return val & 0xff;
}

static bool
holds(const struct pfxset *s, uint32_t val, unsigned int len)
{
	if ((val & VAL_MAP) == 0)
		return val_lo(val) <= len && len <= val_hi(val);
	return bit_get(&s->b->map[val & ~VAL_MAP], len);
}

/* The first range of the value that ends at `from` or later. */
static bool
range_at(const struct pfxset *s, uint32_t val, unsigned int from,
    struct pfxset_entry *e)
{
	unsigned int lo, hi;

	if ((val & VAL_MAP) == 0) {
		e->lo = (uint8_t)val_lo(val);
		e->hi = (uint8_t)val_hi(val);
		return e->hi >= from;
	}
	for (lo = from; lo <= 128 && !holds(s, val, lo); lo++)
		;
	if (lo > 128)
		return false;
	for (hi = lo; hi < 128 && holds(s, val, hi + 1); hi++)
		;
	for (; lo > 0 && holds(s, val, lo - 1); lo--)
		;
	e->lo = (uint8_t)lo;
	e->hi = (uint8_t)hi;
	return true;
}

static uint32_t
map_new(struct pfxset *s, uint32_t old)
{
	if (s->b->nmap == s->b->capmap) {
		s->b->capmap = s->b->capmap != 0 ? s->b->capmap * 2 : 8;
		s->b->map =
		    mem_realloc(s->b->map, s->b->capmap, sizeof(*s->b->map));
	}
	memset(&s->b->map[s->b->nmap], 0, sizeof(s->b->map[0]));
	bit_range(&s->b->map[s->b->nmap], val_lo(old), val_hi(old));
	return VAL_MAP | s->b->nmap++;
}

bool
pfxset_add(
    struct pfxset *s, const struct pfx *p, unsigned int lo, unsigned int hi)
{
	unsigned int bits = fam_bits((enum fam)p->addr.fam);
	struct trie *t;
	uint32_t old;

	if (bits == 0 || p->len > lo || lo > hi || hi > bits)
		return false;
	t = s->b->trie[p->addr.fam];
	old = trie_get(t, p);
	if (old == 0) {
		trie_put(t, p, VAL_RANGE | lo << 8 | hi);
		return true;
	}
	if ((old & VAL_MAP) == 0) {
		unsigned int olo = val_lo(old), ohi = val_hi(old);

		if (lo <= ohi + 1 && olo <= hi + 1) { /* they touch */
			lo = lo < olo ? lo : olo;
			hi = hi > ohi ? hi : ohi;
			trie_put(t, p, VAL_RANGE | lo << 8 | hi);
			return true;
		}
		old = map_new(s, old);
		trie_put(t, p, old);
	}
	bit_range(&s->b->map[old & ~VAL_MAP], lo, hi);
	return true;
}

size_t
pfxset_count(const struct pfxset *s, enum fam fam)
{
	return fam_bits(fam) == 0 ? 0 : trie_count(s->b->trie[fam]);
}

bool
pfxset_empty(const struct pfxset *s)
{
	return trie_count(s->b->trie[FAM_INET]) == 0 &&
	    trie_count(s->b->trie[FAM_INET6]) == 0;
}

void
pfxset_swap(struct pfxset *a, struct pfxset *b)
{
	struct body *t = a->b;

	a->b = b->b;
	b->b = t;
}

size_t
pfxset_memory(const struct pfxset *s)
{
	return sizeof(*s) + sizeof(*s->b) + trie_memory(s->b->trie[FAM_INET]) +
	    trie_memory(s->b->trie[FAM_INET6]) +
	    s->b->capmap * sizeof(*s->b->map) +
	    (s->b->origins != NULL ? asnset_count(s->b->origins) * 4 : 0);
}

bool
pfxset_match(const struct pfxset *s, const struct pfx *p)
{
	const struct trie *t;
	struct pfx at;
	uint32_t val;

	if (fam_bits((enum fam)p->addr.fam) == 0)
		return false;
	t = s->b->trie[p->addr.fam];
	val = trie_longest(t, p, NULL);
	if (val == 0 || holds(s, val, p->len))
		return val != 0;
	/* Which one it was matters only when it has to be left behind. */
	for (val = trie_longest(t, p, &at); val != 0;
	     val = trie_shorter(t, &at, &at))
		if (holds(s, val, p->len))
			return true;
	return false;
}

bool
pfxset_covers(const struct pfxset *s, const struct pfx *p)
{
	return fam_bits((enum fam)p->addr.fam) != 0 &&
	    trie_longest(s->b->trie[p->addr.fam], p, NULL) != 0;
}

/* The range of the value nearest to the length. */
static void
nearest_range(const struct pfxset *s, uint32_t val, unsigned int len,
    struct pfxset_entry *e)
{
	struct pfxset_entry next = { .lo = 0 };
	unsigned int from, best = 256;

	for (from = 0; range_at(s, val, from, &next); from = next.hi + 1u) {
		unsigned int away = len < next.lo ? next.lo - len
		    : len > next.hi               ? len - next.hi
						  : 0;

		if (away < best) {
			best = away;
			e->lo = next.lo;
			e->hi = next.hi;
		}
	}
}

bool
pfxset_nearest(
    const struct pfxset *s, const struct pfx *p, struct pfxset_entry *e)
{
	const struct trie *t;
	uint32_t val;

	if (fam_bits((enum fam)p->addr.fam) == 0)
		return false;
	t = s->b->trie[p->addr.fam];
	val = trie_longest(t, p, &e->pfx);
	if (val == 0) {
		e->pfx = *p;
		val = trie_next(t, &e->pfx);
		if (val == 0 || !pfx_covers(p, &e->pfx))
			return false;
	}
	nearest_range(s, val, p->len, e);
	return true;
}

bool
pfxset_next(const struct pfxset *s, struct pfxset_entry *at)
{
	enum fam fam = (enum fam)at->pfx.addr.fam;
	uint32_t val;

	if (fam != FAM_NONE) {
		val = trie_get(s->b->trie[fam], &at->pfx);
		if (val != 0 && at->hi < 128 &&
		    range_at(s, val, at->hi + 1u, at))
			return true;
	} else
		fam = FAM_INET;
	for (; fam <= FAM_INET6; fam++) {
		val = trie_next(s->b->trie[fam], &at->pfx);
		if (val != 0)
			return range_at(s, val, 0, at);
		memset(&at->pfx, 0, sizeof(at->pfx));
	}
	return false;
}

size_t
pfxset_entry_print(const struct pfxset_entry *e, char *buf, size_t cap)
{
	char p[PFX_STRLEN];

	pfx_print(&e->pfx, p, sizeof(p));
	if (e->lo == e->pfx.len && e->hi == e->pfx.len)
		return (size_t)snprintf(buf, cap, "%s", p);
	return (size_t)snprintf(buf, cap, "%s %u-%u", p, e->lo, e->hi);
}

void
pfxset_add_origin(struct pfxset *s, uint32_t as)
{
	if (s->b->origins == NULL)
		s->b->origins = asnset_new();
	asnset_add(s->b->origins, as);
}

bool
pfxset_origin_ok(const struct pfxset *s, uint32_t as)
{
	return s->b->origins == NULL || asnset_has(s->b->origins, as);
}

const struct asnset *
pfxset_origins(const struct pfxset *s)
{
	return s->b->origins;
}

void
pfxset_set_digest(struct pfxset *s, const char *digest)
{
	char *copy = mem_strdup(digest);

	free(s->b->digest);
	s->b->digest = copy;
}

const char *
pfxset_digest(const struct pfxset *s)
{
	return s->b->digest;
}
