/*
 * Two levels are broken into lines, what lies deeper stands on the line of its
 * element: a route is one line, for grep, and a table costs no indentation.
 */
#include "lib/out.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"
#include "lib/out_buf.h"

enum {
	BROKEN = 2
};

static void
put(struct out *o, const char *s)
{
	out_put(o, s, strlen(s));
}

static void
newline(struct out *o, unsigned int depth)
{
	static const char tabs[] = "\n\t\t";

	if (depth <= BROKEN)
		out_put(o, tabs, 1 + depth);
}

/* What stands in front of a value. */
static void
lead(struct out *o, const char *key)
{
	if (o->depth == 0) {
		assert(key == NULL);
		return;
	}
	assert(o->level[o->depth - 1].array == (key == NULL));
	if (o->level[o->depth - 1].any)
		put(o, o->depth > BROKEN ? ", " : ",");
	o->level[o->depth - 1].any = true;
	newline(o, o->depth);
	if (key != NULL) {
		put(o, "\"");
		put(o, key);
		put(o, "\": ");
	}
}

static void
tail(struct out *o)
{
	if (o->depth == 0)
		put(o, "\n");
}

static void
begin(struct out *o, const char *key, bool array)
{
	if (!o->json)
		return;
	lead(o, key);
	assert(o->depth < OUT_DEPTH);
	o->level[o->depth].array = array;
	o->level[o->depth].any = false;
	o->depth++;
	put(o, array ? "[" : "{");
}

void
out_obj(struct out *o, const char *key)
{
	begin(o, key, false);
}

void
out_arr(struct out *o, const char *key)
{
	begin(o, key, true);
}

void
out_end(struct out *o)
{
	if (!o->json)
		return;
	assert(o->depth > 0);
	o->depth--;
	if (o->level[o->depth].any)
		newline(o, o->depth >= BROKEN ? o->depth + 1 : o->depth);
	put(o, o->level[o->depth].array ? "]" : "}");
	tail(o);
}

static void
escaped(struct out *o, uint32_t code)
{
	char b[8];

	switch (code) {
	case '"':
		put(o, "\\\"");
		return;
	case '\\':
		put(o, "\\\\");
		return;
	case '\n':
		put(o, "\\n");
		return;
	case '\t':
		put(o, "\\t");
		return;
	case '\r':
		put(o, "\\r");
		return;
	default:
		snprintf(b, sizeof b, "\\u%04x", code & 0xffff);
		put(o, b);
	}
}

static void
quoted(struct out *o, const void *src, size_t n)
{
	const uint8_t *p = src, *end = p + n, *done = p;

	put(o, "\"");
	while (p < end) {
		uint32_t code = 0xfffd; /* for an octet that is no UTF-8 */
		size_t len = out_utf8(p, (size_t)(end - p), &code);

		if (len > 0 && code != '"' && code != '\\' &&
		    !out_is_control(code)) {
			p += len;
			continue;
		}
		out_put(o, done, (size_t)(p - done));
		escaped(o, code);
		p += len > 0 ? len : 1;
		done = p;
	}
	out_put(o, done, (size_t)(p - done));
	put(o, "\"");
}

void
out_strn(struct out *o, const char *key, const void *p, size_t n)
{
	if (!o->json)
		return;
	lead(o, key);
	quoted(o, p, n);
	tail(o);
}

void
out_str(struct out *o, const char *key, const char *s)
{
	if (o->json)
		out_strn(o, key, s, strlen(s));
}

void
out_strf(struct out *o, const char *key, const char *fmt, ...)
{
	char b[256], *s = b;
	va_list ap, again;
	int n;

	if (!o->json)
		return;
	assert(fmt != NULL);
	va_start(ap, fmt);
	va_copy(again, ap);
	n = vsnprintf(b, sizeof b, fmt, ap);
	if (n >= (int)sizeof b) {
		s = mem_realloc(NULL, (size_t)n + 1, 1);
		n = vsnprintf(s, (size_t)n + 1, fmt, again);
	}
	va_end(again);
	va_end(ap);
	out_strn(o, key, s, n > 0 ? (size_t)n : 0);
	if (s != b)
		free(s);
}

static void
word(struct out *o, const char *key, const char *s)
{
	lead(o, key);
	put(o, s);
	tail(o);
}

void
out_u64(struct out *o, const char *key, uint64_t v)
{
	char b[24], *p = b + sizeof b - 1;

	if (!o->json)
		return;
	*p = '\0';
	do
		*--p = (char)('0' + v % 10);
	while ((v /= 10) > 0);
	word(o, key, p);
}

void
out_i64(struct out *o, const char *key, int64_t v)
{
	char b[24];

	if (!o->json)
		return;
	snprintf(b, sizeof b, "%" PRId64, v);
	word(o, key, b);
}

void
out_bool(struct out *o, const char *key, bool v)
{
	if (o->json)
		word(o, key, v ? "true" : "false");
}

void
out_span(struct out *o, const char *key, int64_t sec)
{
	char b[OUT_TIME_LEN], sec_key[64];

	if (!o->json)
		return;
	snprintf(sec_key, sizeof sec_key, "%s_sec", key);
	out_str(o, key, out_timeframe(sec, b, sizeof b));
	out_i64(o, sec_key, sec < 0 ? -1 : sec);
}
