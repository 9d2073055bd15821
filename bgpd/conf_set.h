/*
 * conf_set.h -- prefix sets by themselves: what one has from its files, loaded
 * with the configuration or later on its own; whether new content may take
 * the place of the old.
 */
#ifndef CONF_SET_H
#define CONF_SET_H

#include <stdio.h>

#include "bgpd/conf.h"

struct conf_node; /* bgpd/conf_tree.h */
struct conf_word;
struct pfxfile;
struct pfxset_entry;

/*
 * A set with the block's limits, origins and max-age; its entries come with
 * the files.
 */
void conf_set_init(struct conf_set *, const struct conf_node *block);
void conf_set_fini(struct conf_set *);

/*
 * What became of a file of the set: it could not be read (negative errno), or
 * *res says how that went.  Without a word: the content of before the start
 * stays, s->refused says why.
 */
typedef void conf_set_say(void *arg, const struct conf_set *,
    const struct conf_word *, int err, const struct pfxfile *res);
/*
 * What an initialised set has from its block and its files, in slices.  Where
 * the running configuration's set of that name has the same entries, or the
 * same block and the same lists, it is shared; else they are read, or what was
 * loaded in their place by hand and kept; after a start, where they may not be
 * used, what was in force before. In a check (reader's check) there are no
 * digests, and only files count.
 */
struct conf_set_work;
struct conf_set_work *conf_set_begin(
    struct conf_set *, const struct conf_reader *, conf_set_say *, void *arg);
/* About so many entries, which go down; true: more is left. */
bool conf_set_run(struct conf_set_work *, size_t *entries);
/* Frees the work, done or not (then the set is not to be used). */
void conf_set_end(struct conf_set_work *);
/*
 * The set anew, into fresh: with this list, which is borrowed, in the place of
 * all its files, or (list NULL) with its own files read again.
 */
struct conf_set_work *conf_set_again(const struct conf_reader *,
    const struct conf_set *, const char *name, const struct conf_file *list,
    struct conf_set *fresh, conf_set_say *, void *arg);
/* May fresh take the place of old (shrink-limit, growth-limit, empty)? */
bool conf_set_may(const struct conf_set *old, const struct conf_set *fresh,
    char *why, size_t);
/* Content and provenance of `from` go into `to`; those of `to` back. */
void conf_set_swap(struct conf_set *to, struct conf_set *from);
/*
 * A set of a new configuration that may not take the place of the one in force
 * gets the content of that one; true: it did.
 */
bool conf_set_hold(const struct conf *old, struct conf_set *fresh);

/* Names and text for the state directory; each the caller's to free. */
char *conf_set_record_name(const struct conf_set *);
char *conf_set_list_name(const struct conf_set *);
char *conf_set_record(const struct conf_set *);
char *conf_set_copy_name(const struct conf_set *);
/*
 * The copy of a set in force, which pfxfile.h reads, in pieces of so many
 * entries; *at is zero at the beginning.
 */
void conf_set_copy_write(const struct conf_set *, FILE *,
    struct pfxset_entry *at, size_t entries, bool *more);
/* Whole? Then the time of its lists and the digest of what it was made from. */
bool conf_set_copy_head(
    const struct conf_file *, int64_t *time, char digest[CONF_DIGEST_LEN]);

#endif /* CONF_SET_H */
