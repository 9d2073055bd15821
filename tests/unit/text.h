/* text.h -- prefixes and addresses from text, for tests with cmocka. */
#ifndef TEXT_H
#define TEXT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/pfx.h"

static inline struct pfx
P(const char *text) {
	struct pfx p;

	if (!pfx_parse(text, &p))
		fail_msg("%s", text);
	return p;
}

static inline struct addr
A(const char *text) {
	struct addr a;

	if (!addr_parse(text, &a))
		fail_msg("%s", text);
	return a;
}

#endif /* TEXT_H */
