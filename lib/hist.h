/*
 * hist.h -- a histogram of durations, in the buckets that monitoring reads:
 * 1, 2.5, 5 in each power of ten from ten microseconds to ten seconds.
 */
#ifndef HIST_H
#define HIST_H

#include <stdint.h>

enum {
	HIST_N = 19 /* bounds; one bucket more for what is above all */
};

struct hist {
	uint64_t n[HIST_N + 1]; /* each bucket for itself */
	uint64_t sum_us;
};

/* `times` durations of so many microseconds each. */
void hist_add(struct hist *, uint64_t us, uint64_t times);
/* The upper bound of a bucket, itself in it, in microseconds. */
uint64_t hist_bound(unsigned int bucket);

#endif /* HIST_H */
