/* idq.h -- a queue of numbers, for rib/ only; gives its memory back. */
#ifndef IDQ_H
#define IDQ_H

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"

struct idq {
	uint32_t *v;
	uint32_t head, count, cap; /* cap: a power of two, or 0 */
};

enum {
	IDQ_FIRST = 64,
	IDQ_KEEP = 4096
};

static inline void
idq_push(struct idq *q, uint32_t id)
{
	if (q->count == q->cap) {
		uint32_t old = q->cap;

		q->cap = old == 0 ? IDQ_FIRST : 2 * old;
		q->v = mem_realloc(q->v, q->cap, sizeof *q->v);
		/* What had wrapped around goes behind the old end. */
		if (q->head > 0)
			memcpy(q->v + old, q->v, q->head * sizeof *q->v);
	}
	q->v[(q->head + q->count++) & (q->cap - 1)] = id;
}

/* 0 when it is empty: numbers are not 0. */
static inline uint32_t
idq_pop(struct idq *q)
{
	uint32_t id;

	if (q->count == 0)
		return 0;
	id = q->v[q->head];
	q->head = (q->head + 1) & (q->cap - 1);
	if (--q->count == 0 && q->cap > IDQ_KEEP) {
		free(q->v);
		memset(q, 0, sizeof *q);
	}
	return id;
}

static inline void
idq_fini(struct idq *q)
{
	free(q->v);
	memset(q, 0, sizeof *q);
}

#endif /* IDQ_H */
