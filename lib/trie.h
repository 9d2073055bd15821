/*
 * trie.h -- path-compressed binary trie of one family, keyed by prefix.
 * A prefix costs a fork of 8 octets and its leaf: 12 (IPv6: 24) octets, or
 * none where the value is the number of something that has the prefix in it.
 * Forks and leaves live in growing arrays: no allocation a prefix.  A value is
 * a number of the caller's, not 0.
 *
 * A walk keeps no pointer into the trie: its position is the last prefix that
 * it saw, so anything may be put or removed between two steps.
 */
#ifndef TRIE_H
#define TRIE_H

#include "lib/pfx.h"

struct trie;

/* Out of memory ends the process (lib/mem.h). */
struct trie *trie_new(enum fam);
/*
 * The prefix of a value, which must not exceed 2^27 - 1, is asked for whenever
 * it is needed: from its put until its del is done.
 */
typedef void trie_key_fn(const void *arg, uint32_t val, struct pfx *);
struct trie *trie_new_keyed(enum fam, trie_key_fn *, const void *arg);
void trie_free(struct trie *);
/*
 * Says how large it will become.  A large IPv4 trie has an index (256 KiB, or
 * 4 MiB from 262,144 prefixes on) that makes it several times as fast; it gets
 * that by itself when it has grown, and keeps it.
 */
void trie_expect(struct trie *, size_t prefixes);
size_t trie_count(const struct trie *);
size_t trie_memory(const struct trie *);

/* A prefix of the other family is never found, and must not be put. */
/* Exact match; 0 when there is none. */
uint32_t trie_get(const struct trie *, const struct pfx *);
/* Puts or replaces; returns the earlier value or 0. */
uint32_t trie_put(struct trie *, const struct pfx *, uint32_t val);
/* Puts unless one is there; returns the value that is there then. */
uint32_t trie_add(struct trie *, const struct pfx *, uint32_t val);
/* Returns the removed value or 0. */
uint32_t trie_del(struct trie *, const struct pfx *);
/*
 * Longest prefix of the trie that covers p (p itself counts); 0: none.
 * `found` may be NULL, and may be p itself.
 */
uint32_t trie_longest(
    const struct trie *, const struct pfx *p, struct pfx *found);
/* The same, but covering and shorter than p: go on upwards with it. */
uint32_t trie_shorter(
    const struct trie *, const struct pfx *p, struct pfx *found);
/*
 * In the order of pfx_cmp(): the first prefix greater than *at, which is
 * replaced by it; at->addr.fam == FAM_NONE asks for the very first.  Returns
 * its value, 0 at the end.  Costs the depth of the trie.
 */
uint32_t trie_next(const struct trie *, struct pfx *at);

#endif /* TRIE_H */
