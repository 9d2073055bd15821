/*
 * pfxfile.h -- a generated prefix list, from memory into a set.  What bgpq4
 * writes with -j, with -B -E, with -b, and plain lines "prefix" or "prefix
 * low high"; which of them it is shows in the content.
 */
#ifndef PFXFILE_H
#define PFXFILE_H

#include "policy/pfxset.h"

enum pfxfile_format {
	PFXFILE_PLAIN,
	PFXFILE_JSON,
	PFXFILE_OPENBGPD,
	PFXFILE_BIRD,
};

enum {
	PFXFILE_MAX = 64 << 20, /* octets of one file */
	PFXFILE_MAX_ENTRIES = 2 << 20, /* prefixes and ASNs of one file */
};

struct pfxfile {
	enum pfxfile_format format;
	size_t inet, inet6; /* prefixes read, doubles included */
	size_t asns; /* of bgpq4 -t: added as origins */
	char name[64]; /* of its first list (bgpq4 -l); "": it has none */
	size_t line; /* of the error, from 1; 0: the file as a whole */
	char error[200]; /* one sentence, printable; "" when none */
};

/*
 * Adds what the file names to the set: several files add up.  False: *res
 * tells what is wrong and where, and the set may hold a part of the file (a
 * caller loads into a fresh set and drops it).  An empty list is no error
 * here: whether it may be used is the caller's decision.
 */
bool pfxfile_parse(
    const char *buf, size_t len, struct pfxset *, struct pfxfile *res);
/*
 * The same in slices of about so many entries, for who must not stay away for
 * long.  buf, the set and *res are the caller's until pfxfile_end(), which
 * frees the work and returns what pfxfile_parse() would; it may come before
 * the end, with false.
 */
struct pfxfile_work;
struct pfxfile_work *pfxfile_begin(
    const char *buf, size_t len, struct pfxset *, struct pfxfile *res);
/*
 * Looks for the first line that has that prefix and a part of its range;
 * res->line is that line, 0 while it was not found.
 */
struct pfxfile_work *pfxfile_find(const char *buf, size_t len,
    const struct pfxset_entry *, struct pfxfile *res);
/* True: more is left. */
bool pfxfile_run(struct pfxfile_work *, size_t entries);
bool pfxfile_end(struct pfxfile_work *);
/*
 * Once, before the first file: the key of the JSON reader's hash tables, which
 * it would otherwise read from a device that a sandbox does not show.
 */
void pfxfile_seed(uint32_t random);

#endif /* PFXFILE_H */
