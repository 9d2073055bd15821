/*
 * A prefix is looked at as a string of bits: before each bit of its address a
 * 1, at its end a 0.  So no prefix begins another, and the order of these
 * strings is that of pfx_cmp().  The tree has the prefixes as leaves and a
 * fork, of two numbers, at each place where some of them part: one fewer than
 * there are prefixes, whatever they are.
 *
 * A fork knows its place, not what was jumped over: a search runs down to one
 * leaf and compares once.  At an even place, where a prefix ends and others go
 * on, side 0 is that one leaf, and it covers all of side 1.
 *
 * A large IPv4 trie has an index besides: a root for each value of the first
 * 16 or 20 bits, for the prefixes that have as many.  Most of the way to a /24
 * is then one step.
 */
#include "lib/trie.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"

/*
 * A reference: LEAF, and a number.  In a fork the four bits between are half
 * of its place each.
 */
#define LEAF 0x80000000U
#define NUM_MASK ((1U << 27) - 1)
#define REF_MASK (LEAF | NUM_MASK)
enum {
	PLACE_SHIFT = 27,
	PLACE_HALF = 4,
	PLACE_END = 2 * 128 + 1, /* behind every place */
	WORDS_MAX = 4,
};

/* From how many prefixes on there is an index, and of how many bits. */
static const struct {
	size_t from;
	unsigned int bits;
} top_size[] = {
	{ 16384, 16 },
	{ 262144, 20 },
};

struct fork {
	uint32_t kid[2];
};

/* Of a trie that keeps the prefixes itself. */
struct leaf {
	uint32_t val, len;
	uint32_t key[]; /* 1 or 4 words in host order */
};

struct trie {
	struct fork *fork; /* number 0 means none */
	uint32_t nfork, fork_cap, fork_free;
	uint32_t *leaf;
	uint32_t nleaf, leaf_cap, leaf_free;
	trie_key_fn *key; /* NULL: the leaves are here */
	const void *arg;
	uint32_t words; /* of a key */
	uint32_t root; /* with an index: of those shorter than it */
	uint32_t *top; /* 1 << top_bits roots, or NULL */
	uint8_t top_bits;
	size_t top_next; /* at how many prefixes it grows */
	uint8_t fam;
	size_t count;
};

/* A prefix in words; what of the key is behind the length does not count. */
struct want {
	uint32_t key[WORDS_MAX];
	unsigned int len;
};

static inline struct want
want(const struct pfx *p)
{
	const uint8_t *o = p->addr.o;
	int words = p->addr.fam == FAM_INET ? 1 : WORDS_MAX;
	struct want k;

	k.len = p->len;
	for (int i = 0; i < words; i++, o += 4)
		k.key[i] = (uint32_t)o[0] << 24 | (uint32_t)o[1] << 16 |
		    (uint32_t)o[2] << 8 | o[3];
	return k;
}

/* The bit of k's string at this place. */
static inline unsigned int
side(const struct want *k, unsigned int place)
{
	unsigned int n = place / 2;

	return place % 2 == 0 ? k->len > n
			      : k->key[n / 32] >> (31 - n % 32) & 1;
}

static inline unsigned int
min(unsigned int a, unsigned int b)
{
	return a < b ? a : b;
}

/* How many leading bits of the addresses are equal and belong to both. */
static inline unsigned int
common(const struct trie *t, const struct want *a, const struct want *b)
{
	unsigned int max = min(a->len, b->len);

	for (uint32_t i = 0; i < t->words; i++) {
		uint32_t diff = a->key[i] ^ b->key[i];

		if (diff != 0)
			return min(
			    i * 32 + (unsigned int)__builtin_clz(diff), max);
	}
	return max;
}

/* The first place at which they differ; PLACE_END: they are the same. */
static inline unsigned int
parting(const struct trie *t, const struct want *a, const struct want *b)
{
	unsigned int n = common(t, a, b);

	if (n < a->len && n < b->len)
		return 2 * n + 1;
	return a->len == b->len ? PLACE_END : 2 * n;
}

/* ---- forks and leaves ------------------------------------------------- */

static inline bool
is_leaf(uint32_t ref)
{
	return (ref & LEAF) != 0;
}

static inline struct fork *
fork_at(const struct trie *t, uint32_t ref)
{
	return &t->fork[ref & NUM_MASK];
}

static inline unsigned int
place(const struct fork *f)
{
	enum {
		HALF = (1 << PLACE_HALF) - 1
	};

	return (f->kid[0] >> PLACE_SHIFT & HALF) << PLACE_HALF |
	    (f->kid[1] >> PLACE_SHIFT & HALF);
}

static inline void
hang(uint32_t *slot, uint32_t ref)
{
	*slot = (*slot & ~REF_MASK) | ref;
}

static uint32_t
fork_new(struct trie *t, unsigned int at)
{
	uint32_t num = t->fork_free;
	struct fork *f;

	if (num != 0)
		t->fork_free = t->fork[num].kid[0];
	else
		num = t->nfork++;
	f = &t->fork[num];
	f->kid[0] = at >> PLACE_HALF << PLACE_SHIFT;
	f->kid[1] = (at & ((1 << PLACE_HALF) - 1)) << PLACE_SHIFT;
	return num;
}

static void
fork_del(struct trie *t, uint32_t ref)
{
	fork_at(t, ref)->kid[0] = t->fork_free;
	t->fork_free = ref & NUM_MASK;
}

static size_t
leaf_size(const struct trie *t)
{
	return sizeof(struct leaf) + t->words * sizeof(uint32_t);
}

static inline struct leaf *
leaf_at(const struct trie *t, uint32_t ref)
{
	return (
	    struct leaf *)(t->leaf + (size_t)(ref & NUM_MASK) * (2 + t->words));
}

static uint32_t
leaf_new(struct trie *t, const struct want *k, uint32_t val)
{
	uint32_t num = t->leaf_free;
	struct leaf *l;

	if (t->key != NULL) {
		assert(val <= NUM_MASK);
		return LEAF | val;
	}
	if (num != 0)
		t->leaf_free = leaf_at(t, num)->val;
	else
		num = t->nleaf++;
	l = leaf_at(t, num);
	l->val = val;
	l->len = k->len;
	memcpy(l->key, k->key, t->words * sizeof *l->key);
	return LEAF | num;
}

static void
leaf_del(struct trie *t, uint32_t ref)
{
	if (t->key != NULL)
		return;
	leaf_at(t, ref)->val = t->leaf_free;
	t->leaf_free = ref & NUM_MASK;
}

static inline uint32_t
leaf_val(const struct trie *t, uint32_t ref)
{
	return t->key != NULL ? ref & NUM_MASK : leaf_at(t, ref)->val;
}

static inline struct want
leaf_want(const struct trie *t, uint32_t ref)
{
	struct want k = { .len = 0 };
	const struct leaf *l;
	struct pfx p;

	if (t->key != NULL) {
		t->key(t->arg, ref & NUM_MASK, &p);
		return want(&p);
	}
	l = leaf_at(t, ref);
	k.len = l->len;
	memcpy(k.key, l->key, t->words * sizeof *l->key);
	return k;
}

/* Says which prefix it is; returns its value. */
static uint32_t
tell(const struct trie *t, uint32_t ref, struct pfx *p)
{
	struct want k;
	uint8_t *o = p->addr.o;

	if (t->key != NULL) {
		t->key(t->arg, ref & NUM_MASK, p);
		return ref & NUM_MASK;
	}
	k = leaf_want(t, ref);
	memset(p, 0, sizeof *p);
	p->addr.fam = t->fam;
	p->len = (uint8_t)k.len;
	for (uint32_t i = 0; i < t->words; i++, o += 4) {
		o[0] = (uint8_t)(k.key[i] >> 24);
		o[1] = (uint8_t)(k.key[i] >> 16);
		o[2] = (uint8_t)(k.key[i] >> 8);
		o[3] = (uint8_t)k.key[i];
	}
	return leaf_val(t, ref);
}

/* Room for one more, so that no pointer moves in the middle of a put. */
static void
reserve(struct trie *t)
{
	if (t->nfork == t->fork_cap) {
		t->fork_cap *= 2;
		if (t->fork_cap > NUM_MASK)
			mem_none(t->fork_cap * sizeof *t->fork);
		t->fork = mem_realloc(t->fork, t->fork_cap, sizeof *t->fork);
	}
	if (t->key == NULL && t->nleaf == t->leaf_cap) {
		t->leaf_cap *= 2;
		if (t->leaf_cap > NUM_MASK)
			mem_none(t->leaf_cap * leaf_size(t));
		t->leaf = mem_realloc(t->leaf, t->leaf_cap, leaf_size(t));
	}
}

/* ---- the trie --------------------------------------------------------- */

struct trie *
trie_new_keyed(enum fam f, trie_key_fn *key, const void *arg)
{
	struct trie *t = mem_alloc(sizeof *t);

	t->fam = (uint8_t)f;
	t->words = f == FAM_INET ? 1 : 4;
	t->key = key;
	t->arg = arg;
	t->nfork = t->nleaf = 1;
	t->fork_cap = t->leaf_cap = 2;
	t->fork = mem_realloc(NULL, t->fork_cap, sizeof *t->fork);
	if (key == NULL)
		t->leaf = mem_realloc(NULL, t->leaf_cap, leaf_size(t));
	trie_expect(t, 0);
	return t;
}

struct trie *
trie_new(enum fam f)
{
	return trie_new_keyed(f, NULL, NULL);
}

void
trie_free(struct trie *t)
{
	if (t == NULL)
		return;
	free(t->fork);
	free(t->leaf);
	free(t->top);
	free(t);
}

size_t
trie_count(const struct trie *t)
{
	return t->count;
}

size_t
trie_memory(const struct trie *t)
{
	return sizeof *t + t->nfork * sizeof *t->fork +
	    (t->key == NULL ? t->nleaf * leaf_size(t) : 0) +
	    (t->top != NULL ? sizeof *t->top << t->top_bits : 0);
}

/* Which of the roots of the index. */
static inline uint32_t
top_of(const struct trie *t, const struct want *k)
{
	return k->key[0] >> (32 - t->top_bits);
}

/* Where the root is kept below which this prefix belongs. */
static inline uint32_t *
root_of(struct trie *t, const struct want *k)
{
	return t->top != NULL && k->len >= t->top_bits ? &t->top[top_of(t, k)]
						       : &t->root;
}

static inline uint32_t
root(const struct trie *t, const struct want *k)
{
	return t->top != NULL && k->len >= t->top_bits ? t->top[top_of(t, k)]
						       : t->root;
}

/* The one leaf that may be k, if any is; ref must not be 0. */
static inline uint32_t
down(const struct trie *t, uint32_t ref, const struct want *k)
{
	while (!is_leaf(ref)) {
		const struct fork *f = fork_at(t, ref);

		ref = f->kid[side(k, place(f))] & REF_MASK;
	}
	return ref;
}

uint32_t
trie_get(const struct trie *t, const struct pfx *p)
{
	struct want k = want(p), have;
	uint32_t ref = p->addr.fam != t->fam ? 0 : root(t, &k);

	if (ref == 0)
		return 0;
	ref = down(t, ref, &k);
	have = leaf_want(t, ref);
	return parting(t, &k, &have) == PLACE_END ? leaf_val(t, ref) : 0;
}

/* What is there stays, or goes; its value, or 0, is returned. */
static uint32_t
put(struct trie *t, const struct want *k, uint32_t val, bool stays)
{
	unsigned int at = PLACE_END, s;
	uint32_t *slot = root_of(t, k), num, old;
	struct want have;

	if (*slot == 0) {
		*slot = leaf_new(t, k, val);
		return 0;
	}
	have = leaf_want(t, down(t, *slot, k));
	at = parting(t, k, &have);
	while (!is_leaf(*slot) && place(fork_at(t, *slot)) < at) {
		struct fork *f = fork_at(t, *slot);

		slot = &f->kid[side(k, place(f))];
	}
	if (at == PLACE_END) {
		old = leaf_val(t, *slot);
		if (stays)
			return old;
		leaf_del(t, *slot);
		hang(slot, leaf_new(t, k, val));
		return old;
	}
	s = side(k, at);
	num = fork_new(t, at);
	hang(&t->fork[num].kid[s], leaf_new(t, k, val));
	hang(&t->fork[num].kid[!s], *slot & REF_MASK);
	hang(slot, num);
	return 0;
}

/* Whole below one root of the index, or shorter than any: it stays whole. */
static bool
belongs(const struct trie *t, uint32_t ref)
{
	return is_leaf(ref) || place(fork_at(t, ref)) >= 2U * t->top_bits;
}

/* Moves what lies below ref into the new index. */
static void
split(struct trie *t, uint32_t ref)
{
	struct want k;
	uint32_t kid[2];

	if (ref == 0)
		return;
	if (belongs(t, ref)) {
		k = leaf_want(t, down(t, ref, &(struct want){ .len = 0 }));
		if (k.len >= t->top_bits)
			t->top[top_of(t, &k)] = ref;
		else {
			uint32_t val = leaf_val(t, ref);

			leaf_del(t, ref);
			reserve(t);
			put(t, &k, val, false);
		}
		return;
	}
	kid[0] = fork_at(t, ref)->kid[0] & REF_MASK;
	kid[1] = fork_at(t, ref)->kid[1] & REF_MASK;
	fork_del(t, ref);
	split(t, kid[0]);
	split(t, kid[1]);
}

void
trie_expect(struct trie *t, size_t prefixes)
{
	uint32_t *old = t->top, root = t->root;
	unsigned int bits = 0, was = t->top_bits;

	t->top_next = SIZE_MAX;
	if (t->words != 1)
		return;
	for (size_t i = 0; i < sizeof top_size / sizeof *top_size; i++)
		if (top_size[i].from <= prefixes || top_size[i].bits <= was)
			bits = top_size[i].bits;
		else if (t->top_next == SIZE_MAX)
			t->top_next = top_size[i].from;
	if (bits <= was)
		return;
	t->top = mem_alloc(sizeof *t->top << bits);
	t->top_bits = (uint8_t)bits;
	t->root = 0;
	split(t, root);
	for (uint32_t i = 0; old != NULL && i < 1U << was; i++)
		split(t, old[i]);
	free(old);
}

static uint32_t
put_one(struct trie *t, const struct pfx *p, uint32_t val, bool stays)
{
	struct want k = want(p);
	uint32_t old;

	assert(p->addr.fam == t->fam && val != 0);
	if (t->count >= t->top_next)
		trie_expect(t, t->count);
	reserve(t);
	old = put(t, &k, val, stays);
	t->count += old == 0;
	return old;
}

uint32_t
trie_put(struct trie *t, const struct pfx *p, uint32_t val)
{
	return put_one(t, p, val, false);
}

uint32_t
trie_add(struct trie *t, const struct pfx *p, uint32_t val)
{
	uint32_t there = put_one(t, p, val, true);

	return there != 0 ? there : val;
}

uint32_t
trie_del(struct trie *t, const struct pfx *p)
{
	uint32_t *slot, *above = NULL, gone, val;
	struct want k = want(p), have;
	unsigned int s = 0;

	if (p->addr.fam != t->fam || *root_of(t, &k) == 0)
		return 0;
	for (slot = root_of(t, &k); !is_leaf(*slot);) {
		struct fork *f = fork_at(t, *slot);

		above = slot;
		s = side(&k, place(f));
		slot = &f->kid[s];
	}
	have = leaf_want(t, *slot);
	if (parting(t, &k, &have) != PLACE_END)
		return 0;
	val = leaf_val(t, *slot);
	leaf_del(t, *slot);
	if (above == NULL)
		*slot = 0;
	else {
		gone = *above;
		hang(above, fork_at(t, gone)->kid[!s] & REF_MASK);
		fork_del(t, gone);
	}
	t->count--;
	return val;
}

/* ---- those that cover it ---------------------------------------------- */

/* The longest below the root that is k or covers it; 0: none. */
static uint32_t
cover(const struct trie *t, uint32_t ref, const struct want *k)
{
	uint32_t leaf, found = 0;
	unsigned int same;
	struct want have;

	if (ref == 0)
		return 0;
	leaf = down(t, ref, k);
	have = leaf_want(t, leaf);
	same = common(t, k, &have);
	if (same == have.len)
		return leaf;
	/* As far as k and this leaf agree, so do those that end on the way. */
	while (!is_leaf(ref)) {
		const struct fork *f = fork_at(t, ref);
		unsigned int at = place(f), s = side(k, at);

		if (at > 2 * same)
			break;
		if (at % 2 == 0 && s == 1)
			found = f->kid[0] & REF_MASK;
		ref = f->kid[s] & REF_MASK;
	}
	return found;
}

static uint32_t
covering(
    const struct trie *t, const struct pfx *p, unsigned int max, struct pfx *to)
{
	struct want k = want(p);
	uint32_t ref = 0;

	if (p->addr.fam != t->fam)
		return 0;
	k.len = max;
	if (t->top != NULL && max >= t->top_bits)
		ref = cover(t, t->top[top_of(t, &k)], &k);
	if (ref == 0)
		ref = cover(t, t->root, &k);
	if (ref == 0)
		return 0;
	return to != NULL ? tell(t, ref, to) : leaf_val(t, ref);
}

uint32_t
trie_longest(const struct trie *t, const struct pfx *p, struct pfx *found)
{
	return covering(t, p, p->len, found);
}

uint32_t
trie_shorter(const struct trie *t, const struct pfx *p, struct pfx *found)
{
	return p->len == 0 ? 0 : covering(t, p, p->len - 1U, found);
}

/* ---- the walk --------------------------------------------------------- */

static uint32_t
first(const struct trie *t, uint32_t ref)
{
	while (ref != 0 && !is_leaf(ref))
		ref = fork_at(t, ref)->kid[0] & REF_MASK;
	return ref;
}

/* The first below ref that comes after k, or 0. */
static uint32_t
after(const struct trie *t, uint32_t ref, const struct want *k)
{
	uint32_t later = 0;
	struct want have;
	unsigned int at;

	if (ref == 0)
		return 0;
	have = leaf_want(t, down(t, ref, k));
	at = parting(t, k, &have);
	while (!is_leaf(ref)) {
		const struct fork *f = fork_at(t, ref);
		unsigned int s = side(k, place(f));

		if (place(f) >= at)
			break;
		if (s == 0)
			later = f->kid[1] & REF_MASK;
		ref = f->kid[s] & REF_MASK;
	}
	/* All of it comes after k, or before. */
	if (at != PLACE_END && side(k, at) == 0)
		return first(t, ref);
	return first(t, later);
}

/*
 * With an index: the first of the indexed ones that comes after k, unless
 * `shorter`, the first of the others, comes before it.  It looks no further
 * than that one: a whole walk looks once at each root.
 */
static uint32_t
after_top(const struct trie *t, const struct want *k, uint32_t shorter)
{
	uint32_t i = top_of(t, k), end = 1U << t->top_bits, ref;
	struct want have;

	if (k->len >= t->top_bits) {
		ref = after(t, t->top[i], k);
		if (ref != 0) /* a shorter one after k begins later */
			return ref;
		i++;
	}
	if (shorter != 0) {
		have = leaf_want(t, shorter);
		end = top_of(t, &have);
	}
	for (; i < end; i++)
		if (t->top[i] != 0)
			return first(t, t->top[i]);
	return shorter;
}

uint32_t
trie_next(const struct trie *t, struct pfx *p)
{
	struct want k = { .len = 0 };
	uint32_t ref;

	if (p->addr.fam > t->fam)
		return 0;
	if (p->addr.fam == t->fam) {
		k = want(p);
		ref = after(t, t->root, &k);
	} else
		ref = first(t, t->root);
	if (t->top != NULL)
		ref = after_top(t, &k, ref);
	return ref == 0 ? 0 : tell(t, ref, p);
}
