#include "lib/hist.h"

static const uint32_t bound[HIST_N] = { 10, 25, 50, 100, 250, 500, 1000, 2500,
	5000, 10000, 25000, 50000, 100000, 250000, 500000, 1000000, 2500000,
	5000000, 10000000 };

void
hist_add(struct hist *h, uint64_t us, uint64_t times)
{
	unsigned int i = 0;

	while (i < HIST_N && us > bound[i])
		i++;
	h->n[i] += times;
	h->sum_us += us * times;
}

uint64_t
hist_bound(unsigned int bucket)
{
	return bound[bucket];
}
