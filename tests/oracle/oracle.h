/* oracle.h -- the beginning of each oracle. */
#ifndef ORACLE_H
#define ORACLE_H

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "tests/random.h"

static uint64_t oracle_seed;

/*
 * -s SEED repeats a run, -n ROUNDS makes it longer than the rounds given.
 * Says the seed and returns how many rounds.
 */
static inline unsigned long
oracle_begin(int argc, char **argv, unsigned long rounds)
{
	int c;

	oracle_seed = (uint64_t)time(NULL) << 16 ^ (uint64_t)getpid();
	while ((c = getopt(argc, argv, "s:n:")) != -1)
		if (c == 's')
			oracle_seed = strtoull(optarg, NULL, 10);
		else if (c == 'n')
			rounds = strtoul(optarg, NULL, 10);
		else
			exit(2);
	/* At once: an assertion that fails flushes nothing. */
	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("seed %llu (-s to repeat)\n", (unsigned long long)oracle_seed);
	rnd_seed(oracle_seed);
	return rounds;
}

#endif /* ORACLE_H */
