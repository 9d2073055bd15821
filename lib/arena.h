/* arena.h -- bump allocator for one UPDATE: what it gives lives till reset. */
#ifndef ARENA_H
#define ARENA_H

#include <stddef.h>

struct arena_chunk;

struct arena {
	struct arena_chunk *first, *now;
};

void arena_init(struct arena *);
void arena_fini(struct arena *);
/* Keeps the memory for the next message. */
void arena_reset(struct arena *);
/* Where it is now; to go back there gives up what was got since. */
struct arena_mark {
	struct arena_chunk *now; /* NULL: nothing was got yet */
	size_t used;
};
struct arena_mark arena_mark(const struct arena *);
void arena_back(struct arena *, struct arena_mark);
/* Aligned for any type, not zeroed, never NULL. */
void *arena_get(struct arena *, size_t);

#endif /* ARENA_H */
