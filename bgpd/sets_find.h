/*
 * sets_find.h -- on which line of which list an entry of a set stands.  Lines
 * are not kept: the lists are read again, in slices, and count only where they
 * are still what the set was made from.
 */
#ifndef SETS_FIND_H
#define SETS_FIND_H

#include "policy/pfxset.h"

struct conf_set;
struct engine;
struct sets_find;

/* The set's name is copied; a set that changes meanwhile ends the search. */
struct sets_find *sets_find_new(
    struct engine *, const struct conf_set *, const struct pfxset_entry *);
void sets_find_free(struct sets_find *);
/* True: more is left. */
bool sets_find_run(struct sets_find *);
/* NULL: on none.  Else the list as it was named, until the free. */
const char *sets_find_file(const struct sets_find *, size_t *line);

#endif /* SETS_FIND_H */
