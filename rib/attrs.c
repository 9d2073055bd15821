/*
 * A set is packed into one object: the number of its next hop, a word that
 * says which fields are there, and then these fields, in the order of pack().
 * As fields that are not there take no part, the packed octets are equal
 * exactly when the sets are.
 *
 * Objects come from slabs of a few sizes (a set's number says which), larger
 * ones from malloc.  The hash table grows by one bucket at a time (linear
 * hashing): no insertion ever has to move more than one chain.  A bucket holds
 * the hashes of its sets: only a set that is looked for is looked at, and none
 * when the table grows.
 */
#include "rib/attrs.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"
#include "rib/nexthop.h"

enum {
	CLASS_BITS = 6,
	CLASS_BIG = (1 << CLASS_BITS) - 1, /* with memory of their own */
	CLASS_STEP = 4,
	CLASS_MIN = 24, /* class n: CLASS_MIN + n * CLASS_STEP octets */
	FIRST_BUCKETS = 16,
	SLOTS = 7, /* a bucket is as large as a cache line */
	LOAD = 5, /* sets a bucket, on average */
};

/* Above the HAS_ bits in the flags: which octet fields are not empty. */
enum {
	F_COMMS = 1 << 9,
	F_EXT = 1 << 10,
	F_LARGE = 1 << 11,
	F_CLUSTER = 1 << 12,
	F_UNKNOWN = 1 << 13,
	F_RARE = 1 << 14, /* a weight, or a Partial bit */
	HAS_MASK = (1 << HAS_PARTIAL_AGGREGATOR) - 1,
	PARTIAL_MASK = (1 << (HAS_PARTIAL_OTC + 1)) - 1 - HAS_MASK,
	FLAG_BITS = 15,
};

struct set {
	uint32_t refs; /* the slab's link when free */
	/* What is hashed and compared begins here. */
	uint32_t nexthop;
	uint32_t word; /* flags, and the length of val above them */
	uint8_t val[];
};

struct big {
	uint32_t slab_link;
	struct set *set;
};

struct bucket {
	uint32_t hash[SLOTS], id[SLOTS];
	uint32_t used;
	uint32_t next; /* one more that is needed, in `more`; 0: none */
};

struct attrs_pool {
	struct slab slab[CLASS_BIG + 1];
	struct slab buckets, more; /* buckets: number n of them is n - 1 here */
	struct nexthops *hops;
	bool own_hops;
	uint64_t key[2];
	uint32_t nbucket, base; /* base: power of two <= nbucket */
	uint32_t count;
	uint64_t refs;
	size_t big_memory;
	/* A set being looked for. */
	struct set *probe;
	size_t probe_cap;
	uint32_t probe_hash;
};

/* ---- SipHash-1-3 (Aumasson, Bernstein) -------------------------------- */

static uint64_t
rotl(uint64_t v, unsigned int n)
{
	return v << n | v >> (64 - n);
}

static inline __attribute__((always_inline)) void
sip_round(uint64_t v[4])
{
	v[0] += v[1];
	v[2] += v[3];
	v[1] = rotl(v[1], 13) ^ v[0];
	v[3] = rotl(v[3], 16) ^ v[2];
	v[0] = rotl(v[0], 32);
	v[2] += v[1];
	v[0] += v[3];
	v[1] = rotl(v[1], 17) ^ v[2];
	v[3] = rotl(v[3], 21) ^ v[0];
	v[2] = rotl(v[2], 32);
}

static uint64_t
siphash(const uint64_t key[2], const uint8_t *p, size_t len)
{
	uint64_t v[4] = { key[0] ^ 0x736f6d6570736575,
		key[1] ^ 0x646f72616e646f6d, key[0] ^ 0x6c7967656e657261,
		key[1] ^ 0x7465646279746573 };
	uint64_t m, last = (uint64_t)len << 56;

	for (; len >= 8; p += 8, len -= 8) {
		memcpy(&m, p, 8);
		v[3] ^= m;
		sip_round(v);
		v[0] ^= m;
	}
	m = 0;
	memcpy(&m, p, len);
	last |= m;
	v[3] ^= last;
	sip_round(v);
	v[0] ^= last;
	v[2] ^= 0xff;
	sip_round(v);
	sip_round(v);
	sip_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

/* ---- packing ---------------------------------------------------------- */

struct packer {
	uint8_t *p;
};

static void
put(struct packer *k, const void *p, size_t n)
{
	memcpy(k->p, p, n);
	k->p += n;
}

static void
put_octets(struct packer *k, const struct octets *o)
{
	put(k, &o->len, sizeof o->len);
	if (o->len > 0)
		put(k, o->p, o->len);
}

static uint32_t
flags_of(const struct attrs *a)
{
	uint32_t f = a->has & HAS_MASK;

	if (a->comms.len > 0)
		f |= F_COMMS;
	if (a->ext_comms.len > 0)
		f |= F_EXT;
	if (a->large_comms.len > 0)
		f |= F_LARGE;
	if (a->cluster_list.len > 0)
		f |= F_CLUSTER;
	if (a->unknown.len > 0)
		f |= F_UNKNOWN;
	if (a->weight != 0 || (a->has & PARTIAL_MASK) != 0)
		f |= F_RARE;
	return f;
}

/* Never less than what pack() writes. */
static size_t
pack_room(const struct attrs *a)
{
	return 64 + (size_t)a->as_path.len + a->comms.len + a->ext_comms.len +
	    a->large_comms.len + a->cluster_list.len + a->unknown.len;
}

static size_t
pack(uint8_t *to, const struct attrs *a, uint32_t f)
{
	struct packer k = { to };
	uint8_t partial =
	    (uint8_t)((a->has & PARTIAL_MASK) >> HAS_PARTIAL_AGGREGATOR);

	if (f & 1 << HAS_ORIGIN)
		put(&k, &a->origin, 1);
	if (f & 1 << HAS_MED)
		put(&k, &a->med, 4);
	if (f & 1 << HAS_LOCAL_PREF)
		put(&k, &a->local_pref, 4);
	if (f & 1 << HAS_AGGREGATOR) {
		put(&k, &a->aggr_as, 4);
		put(&k, a->aggr_id.o, 4);
	}
	if (f & 1 << HAS_ORIGINATOR_ID)
		put(&k, &a->originator_id, 4);
	if (f & 1 << HAS_OTC)
		put(&k, &a->otc, 4);
	if (f & 1 << HAS_AS_PATH)
		put_octets(&k, &a->as_path);
	if (f & F_COMMS)
		put_octets(&k, &a->comms);
	if (f & F_EXT)
		put_octets(&k, &a->ext_comms);
	if (f & F_LARGE)
		put_octets(&k, &a->large_comms);
	if (f & F_CLUSTER)
		put_octets(&k, &a->cluster_list);
	if (f & F_UNKNOWN)
		put_octets(&k, &a->unknown);
	if (f & F_RARE) {
		put(&k, &partial, 1);
		put(&k, &a->weight, 4);
	}
	return (size_t)(k.p - to);
}

struct unpacker {
	const uint8_t *p;
};

static void
take(struct unpacker *u, void *to, size_t n)
{
	memcpy(to, u->p, n);
	u->p += n;
}

static void
take_octets(struct unpacker *u, struct octets *o)
{
	take(u, &o->len, sizeof o->len);
	o->p = u->p;
	u->p += o->len;
}

static void
unpack(const struct set *s, struct attrs *a)
{
	struct unpacker u = { s->val };
	uint32_t f = s->word;
	uint8_t partial;

	a->has = f & HAS_MASK;
	if (f & 1 << HAS_ORIGIN)
		take(&u, &a->origin, 1);
	if (f & 1 << HAS_MED)
		take(&u, &a->med, 4);
	if (f & 1 << HAS_LOCAL_PREF)
		take(&u, &a->local_pref, 4);
	if (f & 1 << HAS_AGGREGATOR) {
		take(&u, &a->aggr_as, 4);
		a->aggr_id.fam = FAM_INET;
		take(&u, a->aggr_id.o, 4);
	}
	if (f & 1 << HAS_ORIGINATOR_ID)
		take(&u, &a->originator_id, 4);
	if (f & 1 << HAS_OTC)
		take(&u, &a->otc, 4);
	if (f & 1 << HAS_AS_PATH)
		take_octets(&u, &a->as_path);
	if (f & F_COMMS)
		take_octets(&u, &a->comms);
	if (f & F_EXT)
		take_octets(&u, &a->ext_comms);
	if (f & F_LARGE)
		take_octets(&u, &a->large_comms);
	if (f & F_CLUSTER)
		take_octets(&u, &a->cluster_list);
	if (f & F_UNKNOWN)
		take_octets(&u, &a->unknown);
	if (f & F_RARE) {
		take(&u, &partial, 1);
		a->has |= (uint32_t)partial << HAS_PARTIAL_AGGREGATOR;
		take(&u, &a->weight, 4);
	}
}

/* ---- the table -------------------------------------------------------- */

static size_t
set_size(const struct set *s)
{
	return sizeof *s + (s->word >> FLAG_BITS);
}

static struct set *
set_at(const struct attrs_pool *pool, uint32_t id)
{
	uint32_t class = id & CLASS_BIG;
	void *o = slab_at(&pool->slab[class], id >> CLASS_BITS);

	return class == CLASS_BIG ? ((struct big *)o)->set : o;
}

static uint32_t
set_hash(const struct attrs_pool *pool, const struct set *s)
{
	return (uint32_t)siphash(pool->key, (const uint8_t *)&s->nexthop,
	    set_size(s) - offsetof(struct set, nexthop));
}

static struct bucket *
bucket_of(const struct attrs_pool *pool, uint32_t hash)
{
	uint32_t n = hash & (2 * pool->base - 1);

	if (n >= pool->nbucket)
		n -= pool->base;
	return slab_at(&pool->buckets, n + 1);
}

static struct bucket *
bucket_next(const struct attrs_pool *pool, const struct bucket *b)
{
	return b->next == 0 ? NULL : slab_at(&pool->more, b->next);
}

static void
bucket_put(struct attrs_pool *pool, uint32_t hash, uint32_t id)
{
	struct bucket *b = bucket_of(pool, hash);

	while (b->used == SLOTS) {
		if (b->next == 0)
			b->next = slab_new(&pool->more);
		b = bucket_next(pool, b);
	}
	b->hash[b->used] = hash;
	b->id[b->used++] = id;
}

/* The last one of the chain takes its place. */
static void
bucket_del(struct attrs_pool *pool, uint32_t hash, uint32_t id)
{
	struct bucket *b = bucket_of(pool, hash), *last, *before = NULL;
	uint32_t i;

	for (;; b = bucket_next(pool, b)) {
		for (i = 0; i < b->used && b->id[i] != id; i++)
			;
		if (i < b->used)
			break;
		before = b;
	}
	for (last = b; last->next != 0; last = bucket_next(pool, last))
		before = last;
	last->used--;
	b->hash[i] = last->hash[last->used];
	b->id[i] = last->id[last->used];
	if (last->used == 0 && before != NULL) {
		slab_del(&pool->more, before->next);
		before->next = 0;
	}
}

/* One bucket more; the chain it takes its share of is put anew. */
static void
grow(struct attrs_pool *pool)
{
	struct bucket *from =
	    slab_at(&pool->buckets, pool->nbucket - pool->base + 1);
	struct bucket old = *from;
	uint32_t n;

	from->used = from->next = 0;
	slab_new(&pool->buckets);
	pool->nbucket++;
	for (;;) {
		for (uint32_t i = 0; i < old.used; i++)
			bucket_put(pool, old.hash[i], old.id[i]);
		if ((n = old.next) == 0)
			break;
		old = *bucket_next(pool, &old);
		slab_del(&pool->more, n);
	}
	if (pool->nbucket == 2 * pool->base)
		pool->base *= 2;
}

static uint32_t
set_store(struct attrs_pool *pool, const struct set *s)
{
	size_t size = set_size(s);
	size_t class = size <= CLASS_MIN
	    ? 0
	    : (size - CLASS_MIN + CLASS_STEP - 1) / CLASS_STEP;
	uint32_t n;

	if (class > CLASS_BIG)
		class = CLASS_BIG;
	n = slab_new(&pool->slab[class]);
	assert(n < UINT32_MAX >> CLASS_BITS);
	if (class == CLASS_BIG) {
		struct big *b = slab_at(&pool->slab[class], n);

		b->set = mem_alloc(size);
		pool->big_memory += size;
		memcpy(b->set, s, size);
	} else
		memcpy(slab_at(&pool->slab[class], n), s, size);
	return n << CLASS_BITS | (uint32_t) class;
}

static void
set_drop(struct attrs_pool *pool, uint32_t id)
{
	uint32_t class = id & CLASS_BIG;
	struct set *s = set_at(pool, id);

	bucket_del(pool, set_hash(pool, s), id);
	if (s->nexthop != 0)
		nexthop_unref(pool->hops, s->nexthop);
	if (class == CLASS_BIG) {
		pool->big_memory -= set_size(s);
		free(s);
	}
	slab_del(&pool->slab[class], id >> CLASS_BITS);
	pool->count--;
}

/* ---- the interface ---------------------------------------------------- */

struct attrs_pool *
attrs_pool_new(const uint8_t key[16], struct nexthops *hops)
{
	struct attrs_pool *pool = mem_alloc(sizeof *pool);

	for (size_t i = 0; i < CLASS_BIG; i++)
		slab_init(&pool->slab[i], CLASS_MIN + i * CLASS_STEP);
	slab_init(&pool->slab[CLASS_BIG], sizeof(struct big));
	memcpy(pool->key, key, sizeof pool->key);
	pool->own_hops = hops == NULL;
	pool->hops = hops == NULL ? nexthops_new() : hops;
	slab_init(&pool->buckets, sizeof(struct bucket));
	slab_init(&pool->more, sizeof(struct bucket));
	pool->nbucket = pool->base = FIRST_BUCKETS;
	for (uint32_t i = 0; i < pool->nbucket; i++)
		slab_new(&pool->buckets);
	return pool;
}

void
attrs_pool_free(struct attrs_pool *pool)
{
	const struct bucket *b;

	if (pool == NULL)
		return;
	for (uint32_t n = 1; n <= pool->nbucket; n++)
		for (b = slab_at(&pool->buckets, n); b->used > 0;)
			set_drop(pool, b->id[0]);
	for (size_t i = 0; i <= CLASS_BIG; i++)
		slab_fini(&pool->slab[i]);
	slab_fini(&pool->buckets);
	slab_fini(&pool->more);
	if (pool->own_hops)
		nexthops_free(pool->hops);
	free(pool->probe);
	free(pool);
}

static bool
set_eq(const struct set *a, const struct set *b)
{
	return a->word == b->word && a->nexthop == b->nexthop &&
	    memcmp(a->val, b->val, a->word >> FLAG_BITS) == 0;
}

uint32_t
attrs_sought(struct attrs_pool *pool)
{
	struct set *probe = pool->probe, *s;
	uint32_t hash = pool->probe_hash, id;

	for (const struct bucket *b = bucket_of(pool, hash); b != NULL;
	     b = bucket_next(pool, b))
		for (uint32_t i = 0; i < b->used; i++) {
			if (b->hash[i] != hash)
				continue;
			s = set_at(pool, b->id[i]);
			if (!set_eq(s, probe))
				continue;
			s->refs++;
			if (probe->nexthop != 0)
				nexthop_unref(pool->hops, probe->nexthop);
			return b->id[i];
		}
	if (++pool->count > LOAD * pool->nbucket)
		grow(pool);
	probe->refs = 1;
	id = set_store(pool, probe);
	bucket_put(pool, hash, id);
	return id;
}

void
attrs_seek(struct attrs_pool *pool, const struct attrs *a)
{
	size_t room = sizeof(struct set) + pack_room(a);
	uint32_t f = flags_of(a);
	struct set *probe;
	size_t len;

	if (room > pool->probe_cap) {
		pool->probe = mem_realloc(pool->probe, room, 2);
		pool->probe_cap = 2 * room;
	}
	probe = pool->probe;
	probe->nexthop = 0;
	if (a->nexthop.fam != FAM_NONE || a->nexthop_ll.fam != FAM_NONE)
		probe->nexthop =
		    nexthop_get(pool->hops, &a->nexthop, &a->nexthop_ll);
	len = pack(probe->val, a, f);
	assert(len < 1U << (32 - FLAG_BITS));
	probe->word = f | (uint32_t)len << FLAG_BITS;
	pool->refs++;
	pool->probe_hash = set_hash(pool, probe);
	__builtin_prefetch(bucket_of(pool, pool->probe_hash));
}

uint32_t
attrs_intern(struct attrs_pool *pool, const struct attrs *a)
{
	attrs_seek(pool, a);
	return attrs_sought(pool);
}

void
attrs_ref(struct attrs_pool *pool, uint32_t id)
{
	if (id == 0)
		return;
	set_at(pool, id)->refs++;
	pool->refs++;
}

void
attrs_unref(struct attrs_pool *pool, uint32_t id)
{
	if (id == 0)
		return;
	pool->refs--;
	if (--set_at(pool, id)->refs == 0)
		set_drop(pool, id);
}

void
attrs_get(const struct attrs_pool *pool, uint32_t id, struct attrs *out)
{
	const struct set *s = set_at(pool, id);
	const struct nexthop *h = nexthop_at(pool->hops, s->nexthop);

	memset(out, 0, sizeof *out);
	if (h != NULL) {
		out->nexthop = h->addr;
		out->nexthop_ll = h->ll;
	}
	unpack(s, out);
}

uint32_t
attrs_nexthop(const struct attrs_pool *pool, uint32_t id)
{
	return id == 0 ? 0 : set_at(pool, id)->nexthop;
}

struct nexthops *
attrs_nexthops(const struct attrs_pool *pool)
{
	return pool->hops;
}

void
attrs_stats(const struct attrs_pool *pool, struct attrs_stats *st)
{
	st->sets = pool->count;
	st->refs = pool->refs;
	st->memory = sizeof *pool + slab_memory(&pool->buckets) +
	    slab_memory(&pool->more) + pool->big_memory + pool->probe_cap;
	for (size_t i = 0; i <= CLASS_BIG; i++)
		st->memory += slab_memory(&pool->slab[i]);
	if (pool->own_hops)
		st->memory += nexthops_memory(pool->hops);
}
