/*
 * table.h -- the routes that are ours, and the next-hop sets that they name:
 * what is wanted, what the kernel is known to have, and the work that brings
 * the second to the first.
 *
 * A route costs a slot of 20 octets and a trie node.  Whether it is in the
 * kernel follows from its set: a set's group of nexthop objects takes all its
 * routes along when it vanishes, silently, and each time it is made it has a
 * new generation.  So a link loss touches no route here, and when a set comes
 * back one walk, in slices, writes the routes of older generations.
 *
 * Stale is what was not asked for since the last HELLO: an older epoch.
 */
#ifndef TABLE_H
#define TABLE_H

#include "platform/fibd/fibd_check.h"
#include "platform/fibd/nlroute.h"
#include "platform/fibd/nlwatch.h"

struct table;

/* What state() tells; the numbers are those of enum fib_state in fib.h. */
enum {
	TABLE_CONFLICT,
	TABLE_GONE,
	TABLE_CHANGED,
	TABLE_PUTBACK,
};

struct table_events {
	/* A request failed.  No word: it is done when table_flush() returns. */
	void (*failed)(void *arg, uint32_t seq, int err, const char *text);
	/* What became of a route that nobody asked about just now: TABLE_... */
	void (*state)(void *arg, const struct pfx *, uint8_t what);
	/* A table_sweep() with tell is through; flushed: it was of all. */
	void (*swept)(void *arg, enum fam, bool flushed, uint32_t removed);
	/* An answer was lost: all is compared again. */
	void (*overrun)(void *arg);
};

/* Borrows all that it is given, for as long as it lives. */
struct table *table_new(struct nlroute *, struct nlwatch *,
    const struct fibd_fences *, const struct table_events *, void *arg);
void table_free(struct table *);
/* Plain multipath routes although the kernel has nexthop objects. */
void table_plain(struct table *);
bool table_has_objects(const struct table *);

/* At start: what carries our number is ours, stale.  About so many routes at
 * once; more are left to table_work(), as a resync, and while they are,
 * nothing may be asked for but table_hello() and table_sweep().  0 or -errno.
 */
int table_adopt(struct table *, uint32_t at_once);
bool table_adopting(const struct table *);
/* As table_count(), but not 0 where something will yet be adopted. */
uint32_t table_kept(const struct table *, enum fam);
uint32_t table_count(const struct table *, enum fam);

/* A speaker has come (checked already), or has gone (NULL). */
void table_hello(struct table *, const struct fibd_hello *);

/* Facts for fibd_check_route(): the family of a set, FAM_NONE: unknown. */
enum fam table_set_fam(const struct table *, uint32_t number);
bool table_has(struct table *, const struct pfx *);

/*
 * Checked requests.  Routes are queued and written by table_flush(), or when
 * there are enough of them; the others do their work at once.
 */
void table_nhset(struct table *, const struct fibd_nhset *);
void table_nhset_drop(struct table *, uint32_t seq, uint32_t number);
void table_replace(
    struct table *, uint32_t seq, const struct pfx *, uint32_t number);
void table_remove(struct table *, uint32_t seq, const struct pfx *);
void table_flush(struct table *);
/* Removes what is stale, or all, in table_work(); told by swept(). */
void table_sweep(struct table *, enum fam, bool all, bool tell);

/* From the watcher. */
void table_on_route(struct table *, const struct nlroute_route *, bool deleted);
/* Links, addresses or objects changed: which next hops can be used now? */
void table_verify(struct table *);
/* table_work() is to compare all with the kernel; blind: news of it were lost,
 * so until then nothing is replaced in place. */
void table_resync(struct table *, bool blind);
/* One slice of what is left to do; true: more. */
bool table_work(struct table *, uint64_t now_ms);
/* When table_work() has something to do of itself; 0: never. */
uint64_t table_due_ms(const struct table *);

#endif /* TABLE_H */
