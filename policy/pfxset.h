/*
 * pfxset.h -- named prefix sets of both families: IRR filters, our own
 * prefixes, holes in a guard.  An entry is a prefix and the range of lengths
 * that match inside it.  Built once, then only read: a reload
 * makes a new set, and pfxset_swap() puts it in the place of the old one.
 */
#ifndef PFXSET_H
#define PFXSET_H

#include "lib/pfx.h"

struct pfxset;
struct asnset;

/* Matches any prefix inside pfx whose length is lo to hi. */
struct pfxset_entry {
	struct pfx pfx;
	uint8_t lo, hi;
};

struct pfxset *pfxset_new(const char *name);
void pfxset_free(struct pfxset *);
const char *pfxset_name(const struct pfxset *);

/*
 * Exact: lo = hi = length; or-longer: lo = length, hi = fam_bits().  False,
 * and nothing added, unless length <= lo <= hi <= fam_bits().  The same prefix
 * again adds its range to what is there.
 */
bool pfxset_add(
    struct pfxset *, const struct pfx *, unsigned int lo, unsigned int hi);
/* Prefixes of the family (ranges of one prefix count once). */
size_t pfxset_count(const struct pfxset *, enum fam);
/* No prefix at all: such a set was not loaded, and nothing is in it. */
bool pfxset_empty(const struct pfxset *);
/* Exchanges what is in them; name and address stay, for those who point. */
void pfxset_swap(struct pfxset *, struct pfxset *);
/* s becomes what the other is, for nothing; neither may be added to again. */
void pfxset_share(struct pfxset *s, const struct pfxset *);
bool pfxset_shares(const struct pfxset *, const struct pfxset *);
size_t pfxset_memory(const struct pfxset *);

bool pfxset_match(const struct pfxset *, const struct pfx *);
/* The prefix of some entry is pfx or covers it, whatever the range says. */
bool pfxset_covers(const struct pfxset *, const struct pfx *);
/*
 * For a sentence about what did not match: the longest entry that covers pfx,
 * else the first entry inside pfx; false when the set has neither.  Of several
 * ranges of one prefix the one nearest to pfx's length.
 */
bool pfxset_nearest(
    const struct pfxset *, const struct pfx *, struct pfxset_entry *);
/*
 * The entry after *at in the order of pfx_cmp(), then lo (adjoining ranges
 * are one); at->pfx.addr.fam == FAM_NONE asks for the first.  False at the end.
 */
bool pfxset_next(const struct pfxset *, struct pfxset_entry *at);
/* "192.0.2.0/24", "192.0.2.0/22 22-24"; what snprintf() would return. */
size_t pfxset_entry_print(const struct pfxset_entry *, char *, size_t);

/*
 * ASNs that may originate the prefixes; none added: any may.  The set is the
 * pfxset's.
 */
void pfxset_add_origin(struct pfxset *, uint32_t as);
bool pfxset_origin_ok(const struct pfxset *, uint32_t as);
/* NULL when there is none. */
const struct asnset *pfxset_origins(const struct pfxset *);

/* Digest and serial of what it was made from: the caller's words, copied. */
void pfxset_set_digest(struct pfxset *, const char *);
const char *pfxset_digest(const struct pfxset *); /* "" when none was set */

#endif /* PFXSET_H */
