/*
 * attrs.h -- interned, reference-counted attribute sets, named by 32-bit
 * numbers (0: none).  Two equal sets have one number, so "did the route
 * change" is a comparison of two integers everywhere.
 *
 * A set is kept packed (some 50 octets where struct attrs has 176), hashed
 * with SipHash under the caller's key: chains cannot be made long from
 * outside.  Out of memory ends the process (lib/mem.h).
 */
#ifndef ATTRS_H
#define ATTRS_H

#include "bgpd/wire/wire.h"

struct attrs_pool;
struct nexthops;

/*
 * Each set holds a reference on its next hop in the table, which must outlive
 * the pool; NULL: the pool makes a table of its own.
 */
struct attrs_pool *attrs_pool_new(const uint8_t key[16], struct nexthops *);
void attrs_pool_free(struct attrs_pool *);

/*
 * The number of the set that equals *a, with one reference more, which is the
 * caller's.  Copies everything; fields whose HAS_ bit is not set do not count.
 */
uint32_t attrs_intern(struct attrs_pool *, const struct attrs *a);
/*
 * The same in two steps, for who has other work to do while the memory of the
 * table's place comes; no other set may be asked for in between.
 */
void attrs_seek(struct attrs_pool *, const struct attrs *a);
uint32_t attrs_sought(struct attrs_pool *);
void attrs_ref(struct attrs_pool *, uint32_t id); /* 0 is permitted */
void attrs_unref(struct attrs_pool *, uint32_t id); /* 0 is permitted */
/*
 * Unpacks a set into *out.  Its octet fields point into the pool: borrowed
 * for as long as the caller knows a reference to be held.
 */
void attrs_get(const struct attrs_pool *, uint32_t id, struct attrs *out);
/* Number of its next hop in the table (rib/nexthop.h); 0: it has none. */
uint32_t attrs_nexthop(const struct attrs_pool *, uint32_t id);
struct nexthops *attrs_nexthops(const struct attrs_pool *);

struct attrs_stats {
	size_t sets; /* kept now */
	uint64_t refs; /* held on them */
	size_t memory; /* octets, tables included */
};
void attrs_stats(const struct attrs_pool *, struct attrs_stats *);

#endif /* ATTRS_H */
