/*
 * timer.h -- deadlines as data.  Never reads a clock: `now` is an argument,
 * in milliseconds of any monotonic clock, a virtual one in tests.
 */
#ifndef TIMER_H
#define TIMER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/tree.h>

struct timer;
typedef void timer_fn(void *arg, uint64_t now_ms);

/* Storage is the caller's; must be removed before it is freed. */
struct timer {
	RB_ENTRY(timer) entry;
	uint64_t due_ms;
	uint64_t
	    order; /* timers of one deadline fire in the order of setting */
	timer_fn *fn;
	void *arg;
	const char *name; /* what `show neighbor X timers` calls it */
	bool armed;
};
RB_HEAD(timer_tree, timer);

struct timerq {
	struct timer_tree tree;
	uint64_t order;
};

#define TIMER_NEVER UINT64_MAX

void timerq_init(struct timerq *);
void timer_init(struct timer *, const char *name, timer_fn *, void *arg);
/* (Re)arms: fires delay_ms after now; TIMER_NEVER does not wrap. */
void timer_set(
    struct timerq *, struct timer *, uint64_t now_ms, uint64_t delay_ms);
void timer_stop(struct timerq *, struct timer *);
/* The earliest deadline, or TIMER_NEVER. */
uint64_t timer_next(const struct timerq *);
/* Calls what is due, each once, earliest first; returns how many. */
unsigned int timer_run(struct timerq *, uint64_t now_ms);
/* Milliseconds left, 0 when due; TIMER_NEVER when not armed. */
uint64_t timer_left(const struct timer *, uint64_t now_ms);

#endif /* TIMER_H */
