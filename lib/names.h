/*
 * names.h -- names numbered in the order in which they come, found by hashing.
 * A zeroed one is empty.  The texts are borrowed.  Against names that somebody
 * chooses to collide there is no defence: for what the operator writes.
 */
#ifndef NAMES_H
#define NAMES_H

#include <stddef.h>
#include <stdint.h>

#define NAMES_NONE SIZE_MAX

struct names {
	const char **name;
	size_t n, cap; /* cap: of slots, a power of two */
	uint32_t *slot; /* number + 1; 0: free */
};

/* Its number, which is the count of before when it is new. */
size_t names_add(struct names *, const char *);
/* NAMES_NONE when it is not there. */
size_t names_find(const struct names *, const char *);
void names_fini(struct names *);

#endif /* NAMES_H */
