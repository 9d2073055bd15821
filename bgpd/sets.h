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

/*
 * From the descriptor, a file of that name, or (fd -1) from its own files.
 * *text is what was done, or why not.
 */
bool sets_load(struct engine *, struct conf_set *, int fd, const char *name,
    char *text, size_t);
/* How many neighbors use it for import. */
unsigned int sets_users(const struct engine *, const struct conf_set *);
/* The first set that is older than its max-age, or whose newer content was
 * refused, as a sentence; "" when there is none. */
void sets_alarm(const struct engine *, char *text, size_t);

#endif /* SETS_H */
