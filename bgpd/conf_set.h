/*
 * conf_set.h -- prefix sets by themselves: what one has from its files, loaded
 * with the configuration or later on its own; whether new content may take
 * the place of the old.
 */
#ifndef CONF_SET_H
#define CONF_SET_H

#include "bgpd/conf.h"

struct conf_node; /* bgpd/conf_tree.h */
struct pfxfile;

/* An empty set with the block's limits, entries, origins and max-age. */
void conf_set_init(struct conf_set *, const struct conf_node *block);
void conf_set_fini(struct conf_set *);
/*
 * Takes what the running configuration's set of that name has, where its block
 * and its lists are the same.  False: it has to be read.
 */
bool conf_set_share(
    struct conf_set *, const struct conf_reader *, const struct conf_node *);
/* Adds a list; false: *res says why, and the set must not be used. */
bool conf_set_list(struct conf_set *, const char *name,
    const struct conf_file *, struct pfxfile *res);
/* Once all is in: counts; a set that cannot be used becomes empty. */
void conf_set_done(struct conf_set *);
/*
 * With own files only: if a list was loaded in their place (conf_set_keep())
 * and they are still those that it replaced, it takes their place again.
 */
void conf_set_recall(struct conf_set *, const struct conf_reader *,
    const struct conf_node *block);

/*
 * The set anew: with this list in the place of all its files, or (list NULL)
 * with its own files read again.  False: *why.
 */
bool conf_set_again(const struct conf *, const struct conf_reader *,
    const struct conf_set *, const char *name, const struct conf_file *list,
    struct conf_set *fresh, char *why, size_t);
/* May fresh take the place of old (shrink-limit, growth-limit, empty)? */
bool conf_set_may(const struct conf_set *old, const struct conf_set *fresh,
    char *why, size_t);
/* Content and provenance of `from` go into `to`; those of `to` back. */
void conf_set_swap(struct conf_set *to, struct conf_set *from);
/*
 * Sets of the new configuration that may not take the place of those in force
 * get the content of the old ones, and a warning.
 */
void conf_sets_hold(
    const struct conf *old, struct conf *fresh, struct diag_list *);

/* Names and text for the state directory; each the caller's to free. */
char *conf_set_record_name(const struct conf_set *);
char *conf_set_list_name(const struct conf_set *);
char *conf_set_record(const struct conf_set *);

#endif /* CONF_SET_H */
