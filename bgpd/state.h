/*
 * state.h -- what must outlive the process, and a boot: small text files in
 * the state directory, in the configuration's own statement grammar, replaced
 * at once (write beside, fsync, rename, fsync of the directory).
 */
#ifndef STATE_H
#define STATE_H

#include <stddef.h>

struct engine;

/*
 * dir NULL: nothing is kept (simulations).  0 or a negative errno; the old
 * file stays whole when it fails.
 */
int state_write(
    const char *dir, const char *name, const char *text, size_t len);
/* Allocated, NUL behind its end; 0, -ENOENT, or another negative errno. */
int state_read(const char *dir, const char *name, char **text, size_t *len);

/* No error when it is not there. */
void state_remove(const char *dir, const char *name);

enum {
	STATE_RETRY_MS = 60 * 1000 /* what could not be written is, so late */
};

/* The holds of all peers; logs what goes wrong, and tries again later. */
void state_save_limits(struct engine *);
/* Once, when the peers of the configuration are there and not yet started. */
void state_load_limits(struct engine *);

/* Before the others. */
void state_start(struct engine *);
/* What is drained, and the maintenance; as above. */
void state_save_drains(struct engine *);
void state_load_drains(struct engine *);

#endif /* STATE_H */
