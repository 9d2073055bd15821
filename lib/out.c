#include "lib/out.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"
#include "lib/out_buf.h"

enum {
	FIRST_CAP = 4096,
	KEEP_CAP = 256 * 1024
};

struct out *
out_new(bool json)
{
	struct out *o = mem_alloc(sizeof *o);

	o->json = json;
	return o;
}

void
out_free(struct out *o)
{
	if (o == NULL)
		return;
	free(o->buf);
	free(o);
}

bool
out_is_json(const struct out *o)
{
	return o->json;
}

const void *
out_pending(const struct out *o, size_t *len)
{
	*len = o->to - o->from;
	return o->buf != NULL ? o->buf + o->from : "";
}

void
out_drained(struct out *o, size_t n)
{
	assert(n <= o->to - o->from);
	o->from += n;
	if (o->from < o->to)
		return;
	o->from = o->to = 0;
	if (o->cap > KEEP_CAP) {
		free(o->buf);
		o->buf = NULL;
		o->cap = 0;
	}
}

/* Room for n octets at the end; then wrote(). */
static char *
room(struct out *o, size_t n)
{
	if (o->cap - o->to >= n)
		return o->buf + o->to;
	if (o->from > 0) {
		memmove(o->buf, o->buf + o->from, o->to - o->from);
		o->to -= o->from;
		o->from = 0;
	}
	if (o->cap - o->to < n) {
		size_t cap = o->cap > 0 ? o->cap : FIRST_CAP;

		while (cap - o->to < n)
			cap *= 2;
		o->buf = mem_realloc(o->buf, cap, 1);
		o->cap = cap;
	}
	return o->buf + o->to;
}

static void
wrote(struct out *o, size_t n)
{
	o->to += n;
}

void
out_put(struct out *o, const void *p, size_t n)
{
	if (n == 0)
		return;
	memcpy(room(o, n), p, n);
	wrote(o, n);
}

void
out_vprintf(struct out *o, const char *fmt, va_list ap)
{
	enum {
		GUESS = 256
	};
	char *p = room(o, GUESS);
	va_list again;
	int n;

	assert(fmt != NULL);
	va_copy(again, ap);
	n = vsnprintf(p, GUESS, fmt, ap);
	if (n >= GUESS) {
		p = room(o, (size_t)n + 1);
		n = vsnprintf(p, (size_t)n + 1, fmt, again);
	}
	va_end(again);
	if (n > 0)
		wrote(o, (size_t)n);
}

size_t
out_utf8(const uint8_t *p, size_t n, uint32_t *code)
{
	size_t len;
	uint32_t c, least;

	if (n == 0)
		return 0;
	if (p[0] < 0x80) {
		*code = p[0];
		return 1;
	}
	if (p[0] >= 0xc2 && p[0] < 0xe0) {
		len = 2;
		least = 0x80;
		c = p[0] & 0x1f;
	} else if (p[0] >= 0xe0 && p[0] < 0xf0) {
		len = 3;
		least = 0x800;
		c = p[0] & 0x0f;
	} else if (p[0] >= 0xf0 && p[0] < 0xf5) {
		len = 4;
		least = 0x10000;
		c = p[0] & 0x07;
	} else
		return 0;
	if (n < len)
		return 0;
	for (size_t i = 1; i < len; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (p[i] & 0x3f);
	}
	/* Overlong, a surrogate half, or beyond Unicode. */
	if (c < least || (c >= 0xd800 && c <= 0xdfff) || c > 0x10ffff)
		return 0;
	*code = c;
	return len;
}

bool
out_is_control(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x061c ||
	    c == 0x200e || c == 0x200f || (c >= 0x2028 && c <= 0x202e) ||
	    (c >= 0x2066 && c <= 0x2069) || c == 0xfeff;
}
