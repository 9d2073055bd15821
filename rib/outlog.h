/*
 * outlog.h -- for adjout.c only: the entries of one export group, one a
 * destination, and the log in which they stand in the order of their last
 * change, with marks at places in it.
 *
 * The log is a chain of chunks of slots.  An entry that changes leaves a hole
 * and goes to the end; a chunk of holes is freed, and two neighbours with few
 * entries become one, so the log never has more than four slots an entry.
 * A route costs 12 octets here and its slot 4.
 */
#ifndef OUTLOG_H
#define OUTLOG_H

#include <sys/queue.h>

#include "rib/idq.h"
#include "rib/locrib.h"

/* What has a place but no attributes was withdrawn: a tombstone. */
struct out_entry {
	uint32_t attrs; /* with a reference */
	uint32_t pos; /* its place in the log, 0: none */
	uint16_t source;
	uint8_t held : 1; /* it has its destination's reference */
	uint8_t dirty : 1; /* to be evaluated */
	uint8_t refused : 1; /* by max_prefixes */
	uint8_t told : 1; /* at least one member was */
	uint8_t unsource : 1; /* the source itself may have been told */
};

/* A place in the log: in front of the slot. */
struct out_mark {
	LIST_ENTRY(out_mark) entry;
	uint32_t pos; /* 0: not set, and not in the list */
};

struct out_page;
struct out_chunk;

struct outlog {
	struct rib *rib;
	struct out_page **page[FAM_N];
	uint32_t npage[FAM_N];
	struct out_chunk **chunk;
	uint32_t nchunk, first, last;
	struct idq free;
	uint64_t order;
	LIST_HEAD(, out_mark) marks;
	size_t memory;
};

void outlog_init(struct outlog *, struct rib *);
/* The pages must have been emptied: outlog_empty(). */
void outlog_fini(struct outlog *);
/*
 * Drops the entries of the page after page *at of a family, with all their
 * references; false when there is none.  The log is not usable afterwards.
 */
bool outlog_empty(struct outlog *, enum fam, uint32_t *at);

/* NULL when there is nothing about it. */
struct out_entry *outlog_find(const struct outlog *, uint32_t dest);
/* Made when there is none; keeps the destination until outlog_tidy(). */
struct out_entry *outlog_hold(struct outlog *, uint32_t dest);
/* Lets an entry that says nothing go, and perhaps its destination with it. */
void outlog_tidy(struct outlog *, uint32_t dest, struct out_entry *);

void outlog_append(struct outlog *, uint32_t dest, struct out_entry *);
void outlog_remove(struct outlog *, struct out_entry *);

void outmark_head(struct outlog *, struct out_mark *);
void outmark_tail(struct outlog *, struct out_mark *);
void outmark_copy(struct outlog *, struct out_mark *, const struct out_mark *);
void outmark_off(struct out_mark *);
/* <0: a stands before b. */
int outmark_cmp(
    const struct outlog *, const struct out_mark *a, const struct out_mark *b);
bool outmark_at_tail(const struct outlog *, const struct out_mark *);
/*
 * The destination behind the mark, which moves past it; 0 at the tail, or
 * where `stop` stands (NULL: no stop).
 */
uint32_t outmark_step(
    struct outlog *, struct out_mark *, const struct out_mark *stop);

#endif /* OUTLOG_H */
