/*
 * txt.c -- text into a buffer of fixed size; and octets that a peer calls
 * UTF-8, made harmless for a terminal and a log.
 */
#include "bgpd/wire/codec.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void
txt_init(struct txt *t, char *p, size_t cap)
{
	t->p = p;
	t->cap = cap;
	t->len = 0;
	if (cap > 0)
		p[0] = '\0';
}

void
txt_char(struct txt *t, char c)
{
	if (t->len + 1 < t->cap) {
		t->p[t->len] = c;
		t->p[t->len + 1] = '\0';
	}
	t->len++;
}

void
txt_str(struct txt *t, const char *s)
{
	while (*s != '\0')
		txt_char(t, *s++);
}

void
txt_u32(struct txt *t, uint32_t v)
{
	char d[10];
	size_t n = 0;

	do {
		d[n++] = (char)('0' + v % 10);
		v /= 10;
	} while (v > 0);
	while (n > 0)
		txt_char(t, d[--n]);
}

void
txt_f(struct txt *t, const char *fmt, ...)
{
	size_t room = t->len < t->cap ? t->cap - t->len : 0;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(room > 0 ? t->p + t->len : NULL, room, fmt, ap);
	va_end(ap);
	if (n > 0)
		t->len += (size_t)n;
}

void
txt_hex(struct txt *t, const uint8_t *p, size_t n)
{
	static const char digit[] = "0123456789abcdef";

	for (size_t i = 0; i < n; i++) {
		txt_char(t, digit[p[i] >> 4]);
		txt_char(t, digit[p[i] & 15]);
	}
}

/* How long a character with this first octet is, and its smallest value. */
static size_t
utf8_lead(uint8_t v, uint32_t *bits, uint32_t *min)
{
	if (v < 0x80) {
		*bits = v;
		*min = 0;
		return 1;
	}
	if (v >> 5 == 6) {
		*bits = v & 0x1f;
		*min = 0x80;
		return 2;
	}
	if (v >> 4 == 14) {
		*bits = v & 0x0f;
		*min = 0x800;
		return 3;
	}
	if (v >> 3 == 30) {
		*bits = v & 0x07;
		*min = 0x10000;
		return 4;
	}
	return 0;
}

/* The character at the start of in and its length, 0: none (RFC 3629). */
static size_t
utf8_get(const struct cur *in, uint32_t *ch)
{
	struct cur c = *in;
	uint32_t min;
	uint8_t v;
	size_t n;

	if (!cur_u8(&c, &v))
		return 0;
	n = utf8_lead(v, ch, &min);
	for (size_t i = 1; i < n; i++) {
		if (!cur_u8(&c, &v) || v >> 6 != 2)
			return 0;
		*ch = *ch << 6 | (v & 0x3f);
	}
	if (n == 0 || *ch < min || *ch > 0x10ffff ||
	    (*ch >= 0xd800 && *ch <= 0xdfff))
		return 0;
	return n;
}

size_t
utf8_len(const struct cur *c)
{
	uint32_t ch;

	return utf8_get(c, &ch);
}

/* Controls, line ends, marks that reverse or hide text, and our own escape. */
static bool
harmful(uint32_t ch)
{
	return ch < 0x20 || (ch >= 0x7f && ch <= 0x9f) || ch == '\\' ||
	    ch == 0xad || ch == 0x61c || (ch >= 0x200b && ch <= 0x200f) ||
	    (ch >= 0x2028 && ch <= 0x202e) || (ch >= 0x2060 && ch <= 0x206f) ||
	    ch == 0xfeff || (ch >= 0xfff9 && ch <= 0xfffb) ||
	    (ch >= 0xe0000 && ch <= 0xe0fff);
}

void
txt_utf8(struct txt *t, const uint8_t *p, size_t len)
{
	struct cur c, ch;
	uint32_t v;
	uint8_t o;
	size_t n;

	cur_init(&c, p, len);
	while (cur_left(&c) > 0) {
		bool plain;

		n = utf8_get(&c, &v);
		plain = n > 0 && !harmful(v);
		if (!cur_sub(&c, n > 0 ? n : 1, &ch))
			return;
		while (cur_u8(&ch, &o)) {
			if (plain)
				txt_char(t, (char)o);
			else
				txt_f(t, "\\x%02x", o);
		}
	}
}
