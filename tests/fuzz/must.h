/* must.h -- what every fuzz target has. */
#ifndef MUST_H
#define MUST_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

/* An assertion that no build leaves out. */
#define MUST(c) \
	do { \
		if (!(c)) { \
			fprintf( \
			    stderr, "%s:%d: %s\n", __FILE__, __LINE__, #c); \
			abort(); \
		} \
	} while (0)

#endif /* MUST_H */
