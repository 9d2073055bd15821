#include "lib/out.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lib/out_buf.h"

void
out_text(struct out *o, const char *fmt, ...)
{
	va_list ap;

	if (o->json)
		return;
	va_start(ap, fmt);
	out_vprintf(o, fmt, ap);
	va_end(ap);
}

void
out_raw(struct out *o, const void *p, size_t n)
{
	if (!o->json)
		out_put(o, p, n);
}

/* Puts one character, escaped when need be, at dst; its octets, at most 16. */
static size_t
escape(char *dst, const uint8_t *p, size_t len, bool plain)
{
	static const char hex[] = "0123456789abcdef";
	size_t n = 0;

	if (plain && p[0] != '\\') {
		memcpy(dst, p, len);
		return len;
	}
	if (plain) {
		memcpy(dst, "\\\\", 2);
		return 2;
	}
	for (size_t i = 0; i < len; i++) {
		dst[n++] = '\\';
		dst[n++] = 'x';
		dst[n++] = hex[p[i] >> 4];
		dst[n++] = hex[p[i] & 15];
	}
	return n;
}

const char *
out_safe_n(const void *src, size_t n, char *buf, size_t size)
{
	const uint8_t *p = src, *end = p + n;
	size_t at = 0;

	if (size == 0)
		return buf;
	while (p < end) {
		uint32_t code = 0;
		size_t len = out_utf8(p, (size_t)(end - p), &code), put;
		bool plain = len > 0 && !out_is_control(code);
		char one[16];

		if (len == 0)
			len = 1;
		put = escape(one, p, len, plain);
		if (put >= size - at)
			break;
		memcpy(buf + at, one, put);
		at += put;
		p += len;
	}
	buf[at] = '\0';
	return buf;
}

const char *
out_safe(const char *s, char *buf, size_t size)
{
	return out_safe_n(s, strlen(s), buf, size);
}

void
out_clean(char *s)
{
	const char *end = s + strlen(s);
	char *to = s;
	uint32_t code;
	size_t len;

	while (s < end) {
		len = out_utf8((uint8_t *)s, (size_t)(end - s), &code);
		if (len > 0 && !out_is_control(code)) {
			memmove(to, s, len);
			to += len;
		} else
			*to++ = *s == '\n' || *s == '\t' ? ' ' : '?';
		s += len > 0 ? len : 1;
	}
	*to = '\0';
}

/* An octet of UTF-8 that continues a character. */
static bool
continues(char c)
{
	return ((uint8_t)c & 0xc0) == 0x80;
}

int
out_columns(const char *s)
{
	int n = 0;

	for (; *s != '\0'; s++)
		n += !continues(*s);
	return n;
}

int
out_width(const char *s, int columns)
{
	for (; *s != '\0'; s++)
		columns += continues(*s);
	return columns;
}

int
out_fit(const char *s, int columns)
{
	int n = 0;

	for (; s[n] != '\0'; n++)
		if (!continues(s[n]) && columns-- == 0)
			break;
	return n;
}

const char *
out_timeframe(int64_t sec, char *buf, size_t n)
{
	uint64_t t = (uint64_t)sec, week = t / 604800;
	unsigned int day = (unsigned int)(t / 86400 % 7);
	unsigned int h = (unsigned int)(t / 3600 % 24);
	unsigned int m = (unsigned int)(t / 60 % 60);

	if (sec < 0)
		snprintf(buf, n, "Never");
	else if (week >= 1000)
		snprintf(buf, n, "%lluw", (unsigned long long)week);
	else if (week > 0)
		snprintf(buf, n, "%02uw%ud%02uh", (unsigned int)week, day, h);
	else if (day > 0)
		snprintf(buf, n, "%ud%02uh%02um", day, h, m);
	else
		snprintf(
		    buf, n, "%02u:%02u:%02u", h, m, (unsigned int)(t % 60));
	return buf;
}
