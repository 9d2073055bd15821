/* out_buf.h -- what out.c, out_text.c and out_json.c share; not for others. */
#ifndef OUT_BUF_H
#define OUT_BUF_H

#include "lib/out.h"

struct out {
	char *buf;
	size_t from, to, cap; /* what waits lies between the two */
	bool json;
	unsigned int depth;
	struct {
		bool array, any; /* any: has a value already */
	} level[OUT_DEPTH];
};

void out_put(struct out *, const void *, size_t n);
void out_vprintf(struct out *, const char *fmt, __builtin_va_list)
    __attribute__((format(printf, 2, 0)));
/* One character of UTF-8 (RFC 3629): its octets, or 0 when it is none. */
size_t out_utf8(const uint8_t *, size_t n, uint32_t *code);
/* A terminal would act on it: C0, DEL, C1, direction overrides. */
bool out_is_control(uint32_t code);

#endif /* OUT_BUF_H */
