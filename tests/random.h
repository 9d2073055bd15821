/* random.h -- random numbers for tests: from one seed always the same. */
#ifndef TESTS_RANDOM_H
#define TESTS_RANDOM_H

#include <stdint.h>

static uint64_t rnd_state = 1;

static inline void
rnd_seed(uint64_t seed)
{
	/* Seeds that follow each other do not begin alike; never 0. */
	rnd_state = seed * 0x9e3779b97f4a7c15u | 1;
}

/* 0 to below - 1; xorshift64. */
static inline uint32_t
rnd(uint32_t below)
{
	rnd_state ^= rnd_state << 13;
	rnd_state ^= rnd_state >> 7;
	rnd_state ^= rnd_state << 17;
	return (uint32_t)(rnd_state >> 32) % below;
}

#endif /* TESTS_RANDOM_H */
