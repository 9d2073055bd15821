/*
 * A node is a prefix: with a value, or with two children (a fork), or both.
 * Children are longer than their parent and hang on the side of the first bit
 * after its length, so a walk that takes the node, its side 0, its side 1 is
 * a walk in the order of pfx_cmp().
 *
 * A node is three words and the address: 16 octets for IPv4, 28 for IPv6.
 * The length is kept in the top bits of the two child numbers.
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

enum {
	NUM_BITS = 28,
	LEN_BITS = 4,
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
#define NUM_MASK ((1U << NUM_BITS) - 1)
#define LEN_MASK ((1U << LEN_BITS) - 1)

struct node {
	uint32_t kid[2]; /* top 4 bits: half of the length each */
	uint32_t val;
	uint32_t key[]; /* 1 or 4 words in host order */
};

struct trie {
	uint32_t *mem; /* the nodes; number 0 means none */
	uint32_t words; /* of a key */
	uint32_t used, cap, free;
	uint32_t root; /* with an index: of those shorter than it */
	uint32_t *top; /* 1 << top_bits roots, or NULL */
	uint8_t top_bits;
	size_t top_next; /* at how many prefixes it grows */
	uint8_t fam;
	size_t count;
};

/* What is looked for. */
struct want {
	uint32_t key[WORDS_MAX];
	unsigned int len;
};

/*
 * The walks exist twice, with the number of words known to the compiler: this
 * is the innermost loop of a full table.
 */
#define INLINE static inline __attribute__((always_inline))
#define BY_FAMILY(t, fn, ...) \
	((t)->words == 1 ? fn(1, (t), __VA_ARGS__) : fn(4, (t), __VA_ARGS__))

INLINE struct node *
at(uint32_t w, const struct trie *t, uint32_t n)
{
	return (struct node *)(t->mem + (size_t)n * (3 + w));
}

INLINE uint32_t
kid(const struct node *n, unsigned int side)
{
	return n->kid[side] & NUM_MASK;
}

INLINE void
kid_set(struct node *n, unsigned int side, uint32_t num)
{
	n->kid[side] = (n->kid[side] & ~NUM_MASK) | num;
}

INLINE unsigned int
len(const struct node *n)
{
	return n->kid[0] >> NUM_BITS << LEN_BITS | n->kid[1] >> NUM_BITS;
}

INLINE unsigned int
bit(const uint32_t *key, unsigned int n)
{
	return key[n / 32] >> (31 - n % 32) & 1;
}

/* How many leading bits are equal, at most max. */
INLINE unsigned int
common(uint32_t w, const uint32_t *a, const uint32_t *b, unsigned int max)
{
	unsigned int n = w * 32;

	for (uint32_t i = 0; i < w; i++) {
		uint32_t diff = a[i] ^ b[i];

		if (diff != 0) {
			n = i * 32 + (unsigned int)__builtin_clz(diff);
			break;
		}
	}
	return n < max ? n : max;
}

INLINE unsigned int
min(unsigned int a, unsigned int b)
{
	return a < b ? a : b;
}

static struct want
want(const struct pfx *p)
{
	const uint8_t *o = p->addr.o;
	struct want k = { .len = p->len };

	for (int i = 0; i < WORDS_MAX; i++, o += 4)
		k.key[i] = (uint32_t)o[0] << 24 | (uint32_t)o[1] << 16 |
		    (uint32_t)o[2] << 8 | o[3];
	return k;
}

static void
tell(const struct trie *t, const struct node *n, struct pfx *p)
{
	uint8_t *o = p->addr.o;

	memset(p, 0, sizeof *p);
	p->addr.fam = t->fam;
	p->len = (uint8_t)len(n);
	for (uint32_t i = 0; i < t->words; i++, o += 4) {
		o[0] = (uint8_t)(n->key[i] >> 24);
		o[1] = (uint8_t)(n->key[i] >> 16);
		o[2] = (uint8_t)(n->key[i] >> 8);
		o[3] = (uint8_t)n->key[i];
	}
}

static size_t
node_size(const struct trie *t)
{
	return (3 + t->words) * sizeof *t->mem;
}

struct trie *
trie_new(enum fam f)
{
	struct trie *t = mem_alloc(sizeof *t);

	t->fam = (uint8_t)f;
	t->words = f == FAM_INET ? 1 : 4;
	t->used = 1;
	trie_expect(t, 0);
	return t;
}

void
trie_free(struct trie *t)
{
	if (t == NULL)
		return;
	free(t->mem);
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
	return sizeof *t + t->used * node_size(t) +
	    (t->top != NULL ? sizeof *t->top << t->top_bits : 0);
}

/* Room for one put (two nodes), so that no pointer moves in the middle. */
static void
reserve(struct trie *t)
{
	if (t->used + 2 <= t->cap)
		return;
	t->cap = t->cap == 0 ? 64 : t->cap * 2;
	if (t->cap > NUM_MASK)
		mem_none(t->cap * node_size(t));
	t->mem = mem_realloc(t->mem, t->cap, node_size(t));
}

INLINE uint32_t
node_new(uint32_t w, struct trie *t, const uint32_t *key, unsigned int length)
{
	uint32_t num = t->free;
	struct node *n;

	if (num != 0)
		t->free = at(w, t, num)->val;
	else
		num = t->used++;
	n = at(w, t, num);
	n->kid[0] = length >> LEN_BITS << NUM_BITS;
	n->kid[1] = (length & LEN_MASK) << NUM_BITS;
	n->val = 0;
	for (uint32_t i = 0; i < w; i++) {
		unsigned int have = min(length - min(length, i * 32), 32);

		n->key[i] = have == 0 ? 0 : key[i] & ~0U << (32 - have);
	}
	return num;
}

INLINE void
node_del(uint32_t w, struct trie *t, uint32_t num)
{
	at(w, t, num)->val = t->free;
	t->free = num;
}

/* Which of the roots of the index. */
INLINE uint32_t
top_of(const struct trie *t, const uint32_t *key)
{
	return key[0] >> (32 - t->top_bits);
}

/* Where the number of the root is kept below which this prefix belongs. */
INLINE uint32_t *
root_of(uint32_t w, const struct trie *t, const struct want *k)
{
	if (w == 1 && t->top != NULL && k->len >= t->top_bits)
		return &t->top[top_of(t, k->key)];
	return (uint32_t *)(uintptr_t)&t->root;
}

/* Hangs num where `parent` (NULL: the root) had its child of that side. */
INLINE void
hang(uint32_t *root, struct node *parent, unsigned int side, uint32_t num)
{
	if (parent == NULL)
		*root = num;
	else
		kid_set(parent, side, num);
}

INLINE uint32_t
get(uint32_t w, const struct trie *t, const struct want *k)
{
	uint32_t num = *root_of(w, t, k);

	/* Which bits were jumped over is compared once, at the end. */
	while (num != 0) {
		const struct node *n = at(w, t, num);
		unsigned int l = len(n);

		if (l >= k->len)
			return l == k->len && common(w, n->key, k->key, l) == l
			    ? n->val
			    : 0;
		num = kid(n, bit(k->key, l));
	}
	return 0;
}

uint32_t
trie_get(const struct trie *t, const struct pfx *p)
{
	struct want k = want(p);

	return p->addr.fam != t->fam ? 0 : BY_FAMILY(t, get, &k);
}

INLINE uint32_t
put(uint32_t w, struct trie *t, const struct want *k, uint32_t val)
{
	struct node *parent = NULL, *n;
	unsigned int side = 0, same;
	uint32_t *root = root_of(w, t, k);
	uint32_t num = *root, leaf, fork, old;

	for (;;) {
		if (num == 0) {
			leaf = node_new(w, t, k->key, k->len);
			at(w, t, leaf)->val = val;
			hang(root, parent, side, leaf);
			return 0;
		}
		n = at(w, t, num);
		same = common(w, n->key, k->key, min(len(n), k->len));
		if (same < len(n))
			break;
		if (same == k->len) {
			old = n->val;
			n->val = val;
			return old;
		}
		parent = n;
		side = bit(k->key, same);
		num = kid(n, side);
	}
	/* The new prefix, or a fork above both, comes in front of n. */
	fork = node_new(w, t, k->key, same);
	kid_set(at(w, t, fork), bit(n->key, same), num);
	hang(root, parent, side, fork);
	if (same < k->len) {
		leaf = node_new(w, t, k->key, k->len);
		kid_set(at(w, t, fork), bit(k->key, same), leaf);
	} else
		leaf = fork;
	at(w, t, leaf)->val = val;
	return 0;
}

/*
 * Moves what lies below num into the new index: as it is what belongs there,
 * one by one what is too short for it.
 */
static void
split(struct trie *t, uint32_t num)
{
	const struct node *n;
	uint32_t val, kids[2];
	struct want k = { .len = 0 };

	if (num == 0)
		return;
	n = at(1, t, num);
	k.key[0] = n->key[0];
	k.len = len(n);
	val = n->val;
	kids[0] = kid(n, 0);
	kids[1] = kid(n, 1);
	if (k.len >= t->top_bits) {
		t->top[top_of(t, k.key)] = num;
		return;
	}
	node_del(1, t, num);
	split(t, kids[0]);
	split(t, kids[1]);
	if (val != 0) {
		reserve(t);
		put(1, t, &k, val);
	}
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

uint32_t
trie_put(struct trie *t, const struct pfx *p, uint32_t val)
{
	struct want k = want(p);
	uint32_t old;

	assert(p->addr.fam == t->fam && val != 0);
	if (t->count >= t->top_next)
		trie_expect(t, t->count);
	reserve(t);
	old = BY_FAMILY(t, put, &k, val);
	t->count += old == 0;
	return old;
}

INLINE uint32_t
del(uint32_t w, struct trie *t, const struct want *k)
{
	struct node *grand = NULL, *parent = NULL, *n;
	unsigned int gside = 0, side = 0;
	uint32_t *root = root_of(w, t, k);
	uint32_t num = *root, pnum = 0, old, only;

	for (;; pnum = num, num = kid(n, side)) {
		if (num == 0)
			return 0;
		n = at(w, t, num);
		if (len(n) >= k->len)
			break;
		grand = parent;
		gside = side;
		parent = n;
		side = bit(k->key, len(n));
	}
	if (len(n) != k->len || common(w, n->key, k->key, k->len) != k->len ||
	    n->val == 0)
		return 0;
	old = n->val;
	n->val = 0;
	if (kid(n, 0) != 0 && kid(n, 1) != 0)
		return old; /* a fork from now on */
	only = kid(n, 0) | kid(n, 1);
	hang(root, parent, side, only);
	node_del(w, t, num);
	if (only == 0 && parent != NULL && parent->val == 0) {
		/* A fork with one side is none. */
		hang(root, grand, gside, kid(parent, !side));
		node_del(w, t, pnum);
	}
	return old;
}

uint32_t
trie_del(struct trie *t, const struct pfx *p)
{
	struct want k = want(p);
	uint32_t old = p->addr.fam != t->fam ? 0 : BY_FAMILY(t, del, &k);

	t->count -= old != 0;
	return old;
}

/* The longest below num that covers k and is not longer than max, or NULL. */
INLINE const struct node *
cover_below(uint32_t w, const struct trie *t, uint32_t num,
    const struct want *k, unsigned int max)
{
	const struct node *found = NULL;

	while (num != 0) {
		const struct node *n = at(w, t, num);
		unsigned int l = len(n);

		if (l > max || common(w, n->key, k->key, l) < l)
			break;
		if (n->val != 0)
			found = n;
		if (l == max)
			break;
		num = kid(n, bit(k->key, l));
	}
	return found;
}

INLINE const struct node *
cover(uint32_t w, const struct trie *t, const struct want *k, unsigned int max)
{
	const struct node *found = NULL;

	if (w == 1 && t->top != NULL && max >= t->top_bits)
		found = cover_below(w, t, *root_of(w, t, k), k, max);
	return found != NULL ? found : cover_below(w, t, t->root, k, max);
}

static uint32_t
covering(const struct trie *t, const struct pfx *p, unsigned int max,
    struct pfx *found)
{
	struct want k = want(p);
	const struct node *n;

	if (p->addr.fam != t->fam)
		return 0;
	n = BY_FAMILY(t, cover, &k, max);
	if (n == NULL)
		return 0;
	if (found != NULL)
		tell(t, n, found);
	return n->val;
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

INLINE const struct node *
first(uint32_t w, const struct trie *t, uint32_t num)
{
	const struct node *n;

	if (num == 0)
		return NULL;
	n = at(w, t, num);
	while (n->val == 0)
		n = at(w, t, kid(n, 0)); /* a fork has both sides */
	return n;
}

/* The first below num that comes after k, or NULL. */
INLINE const struct node *
after(uint32_t w, const struct trie *t, uint32_t num, const struct want *k)
{
	uint32_t later = 0;

	while (num != 0) {
		const struct node *n = at(w, t, num);
		unsigned int l = len(n), same;

		same = common(w, n->key, k->key, min(l, k->len));
		if (same == k->len && l > k->len)
			break; /* all of it lies inside k */
		if (same < l) {
			if (bit(n->key, same) == 0)
				num = later;
			break;
		}
		if (l == k->len) {
			num = kid(n, 0) != 0 ? kid(n, 0) : kid(n, 1);
			if (num == 0)
				num = later;
			break;
		}
		if (bit(k->key, l) == 0 && kid(n, 1) != 0)
			later = kid(n, 1);
		num = kid(n, bit(k->key, l));
	}
	return first(w, t, num != 0 ? num : later);
}

/*
 * With an index: the first of the indexed ones that comes after k (NULL: of
 * all), unless `shorter`, the first of the others, comes before it.  It looks
 * no further than that one: a whole walk looks once at each root.
 */
static const struct node *
after_top(
    const struct trie *t, const struct want *k, const struct node *shorter)
{
	uint32_t i = top_of(t, k->key), end = 1U << t->top_bits;
	const struct node *n;

	if (k->len >= t->top_bits) {
		n = after(1, t, t->top[i], k);
		if (n != NULL) /* a shorter one after k begins later */
			return n;
		i++;
	}
	if (shorter != NULL)
		end = top_of(t, shorter->key);
	for (; i < end; i++)
		if (t->top[i] != 0)
			return first(1, t, t->top[i]);
	return shorter;
}

uint32_t
trie_next(const struct trie *t, struct pfx *p)
{
	struct want k = { .len = 0 };
	const struct node *n;

	if (p->addr.fam > t->fam)
		return 0;
	if (p->addr.fam == t->fam) {
		k = want(p);
		n = BY_FAMILY(t, after, t->root, &k);
	} else
		n = BY_FAMILY(t, first, t->root);
	if (t->top != NULL)
		n = after_top(t, &k, n);
	if (n == NULL)
		return 0;
	tell(t, n, p);
	return n->val;
}
