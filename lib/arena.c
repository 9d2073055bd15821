#include "lib/arena.h"

#include <stdalign.h>
#include <stdlib.h>

#include "lib/mem.h"

enum {
	ARENA_CHUNK = 16 * 1024
};

struct arena_chunk {
	struct arena_chunk *next;
	size_t used, size;
	alignas(max_align_t) unsigned char mem[];
};

void
arena_init(struct arena *a)
{
	a->first = a->now = NULL;
}

void
arena_fini(struct arena *a)
{
	struct arena_chunk *c;

	while ((c = a->first) != NULL) {
		a->first = c->next;
		free(c);
	}
	a->now = NULL;
}

void
arena_reset(struct arena *a)
{
	a->now = a->first;
	if (a->now != NULL)
		a->now->used = 0;
}

struct arena_mark
arena_mark(const struct arena *a)
{
	return (struct arena_mark){ a->now, a->now == NULL ? 0 : a->now->used };
}

void
arena_back(struct arena *a, struct arena_mark m)
{
	arena_reset(a);
	if (m.now == NULL)
		return;
	a->now = m.now;
	a->now->used = m.used;
}

static struct arena_chunk *
chunk_new(size_t n)
{
	size_t size = n > ARENA_CHUNK ? n : ARENA_CHUNK;
	struct arena_chunk *c = mem_realloc(NULL, 1, sizeof *c + size);

	c->next = NULL;
	c->used = 0;
	c->size = size;
	return c;
}

void *
arena_get(struct arena *a, size_t n)
{
	void *p;

	n = (n + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
	if (a->now == NULL)
		a->first = a->now = chunk_new(n);
	while (a->now->size - a->now->used < n) {
		if (a->now->next == NULL)
			a->now->next = chunk_new(n);
		a->now = a->now->next;
		a->now->used = 0;
	}
	p = a->now->mem + a->now->used;
	a->now->used += n;
	return p;
}
