/*
 * sets.h -- one prefix set of the running configuration takes new content, and
 * only those who use it look at their routes again.
 */
#ifndef SETS_H
#define SETS_H

#include <stdbool.h>
#include <stddef.h>

struct conf_set;
struct engine;

/* A set load or set diff under way. */
struct sets_work;
void sets_work_free(struct sets_work *);
/* The first set that is older than its max-age, or whose newer content was
 * refused, as a sentence; "" when there is none. */
void sets_alarm(const struct engine *, char *text, size_t);

/* ---- sets_keep.c */
struct sets_keep;
struct sets_keep *sets_keep_new(struct engine *);
void sets_keep_free(struct sets_keep *);
/* A configuration or a set came into force: ages and copies are looked at. */
void sets_changed(struct engine *);
struct conf_file;
/* The set was loaded from that list, or (s->loaded is NULL) has its own again:
 * so it is after a restart.  What cannot be written is tried again. */
void sets_keep_list(
    struct engine *, const struct conf_set *, const struct conf_file *);
/* One slice of writing copies; true: more is left. */
bool sets_run(struct engine *);
bool sets_is_old(const struct engine *, const struct conf_set *);

#endif /* SETS_H */
