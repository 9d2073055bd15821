#include "lib/timer.h"

#include <stddef.h>

static int
cmp(struct timer *a, struct timer *b)
{
	if (a->due_ms != b->due_ms)
		return a->due_ms < b->due_ms ? -1 : 1;
	if (a->order != b->order)
		return a->order < b->order ? -1 : 1;
	return 0;
}

RB_GENERATE_INTERNAL(
    timer_tree, timer, entry, cmp, static __attribute__((unused)))

void
timerq_init(struct timerq *q)
{
	RB_INIT(&q->tree);
	q->order = 0;
}

void
timer_init(struct timer *t, const char *name, timer_fn *fn, void *arg)
{
	*t = (struct timer){ .name = name, .fn = fn, .arg = arg };
}

void
timer_set(struct timerq *q, struct timer *t, uint64_t now_ms, uint64_t delay_ms)
{
	timer_stop(q, t);
	t->due_ms =
	    delay_ms > TIMER_NEVER - now_ms ? TIMER_NEVER : now_ms + delay_ms;
	t->order = q->order++;
	t->armed = true;
	RB_INSERT(timer_tree, &q->tree, t);
}

void
timer_stop(struct timerq *q, struct timer *t)
{
	if (!t->armed)
		return;
	RB_REMOVE(timer_tree, &q->tree, t);
	t->armed = false;
}

uint64_t
timer_next(const struct timerq *q)
{
	struct timer *t = RB_ROOT(&q->tree);

	if (t == NULL)
		return TIMER_NEVER;
	while (RB_LEFT(t, entry) != NULL)
		t = RB_LEFT(t, entry);
	return t->due_ms;
}

unsigned int
timer_run(struct timerq *q, uint64_t now_ms)
{
	uint64_t last = q->order; /* what is set meanwhile waits a turn */
	unsigned int n = 0;
	struct timer *t;

	while ((t = RB_MIN(timer_tree, &q->tree)) != NULL &&
	    t->due_ms <= now_ms && t->order < last) {
		timer_stop(q, t);
		t->fn(t->arg, now_ms);
		n++;
	}
	return n;
}

uint64_t
timer_left(const struct timer *t, uint64_t now_ms)
{
	if (!t->armed)
		return TIMER_NEVER;
	return t->due_ms > now_ms ? t->due_ms - now_ms : 0;
}
