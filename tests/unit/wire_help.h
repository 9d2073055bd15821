/* wire_help.h -- messages for the tests of bgpd/wire, from hex text. */
#ifndef WIRE_HELP_H
#define WIRE_HELP_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <setjmp.h>
#include <string.h>
#include <cmocka.h>

#include "bgpd/wire/wire.h"

struct bytes {
	uint8_t p[70000];
	size_t n;
};

static inline int
hex_digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0'
	    : c >= 'a' && c <= 'f'  ? c - 'a' + 10
				    : -1;
}

/* Appends; blanks and other characters between the digits do not count. */
static inline void
hex_add(struct bytes *b, const char *hex)
{
	int hi = -1, d;

	for (; *hex != '\0'; hex++) {
		d = hex_digit(*hex);
		if (d < 0)
			continue;
		if (hi < 0) {
			hi = d;
		} else {
			b->p[b->n++] = (uint8_t)(hi << 4 | d);
			hi = -1;
		}
	}
	assert_int_equal(hi, -1);
}

static inline void
put16(struct bytes *b, size_t at, size_t v)
{
	b->p[at] = (uint8_t)(v >> 8);
	b->p[at + 1] = (uint8_t)v;
}

/* A message of the type with this body, its length right. */
static inline void
msg_make(struct bytes *b, unsigned int type, const char *body)
{
	b->n = 0;
	hex_add(b, "ffffffffffffffffffffffffffffffff 0000");
	b->p[b->n++] = (uint8_t)type;
	hex_add(b, body);
	put16(b, 16, b->n);
}

/* An UPDATE of its three parts. */
static inline void
upd_make(
    struct bytes *b, const char *withdrawn, const char *attrs, const char *nlri)
{
	size_t at;

	msg_make(b, MSG_UPDATE, "");
	at = b->n;
	hex_add(b, "0000");
	hex_add(b, withdrawn);
	put16(b, at, b->n - at - 2);
	at = b->n;
	hex_add(b, "0000");
	hex_add(b, attrs);
	put16(b, at, b->n - at - 2);
	hex_add(b, nlri);
	put16(b, 16, b->n);
}

static inline struct cur
body_of(const struct bytes *b)
{
	struct cur c;

	cur_init(&c, b->p + WIRE_HDR_LEN, b->n - WIRE_HDR_LEN);
	return c;
}

/* The NOTIFICATION data that the error asks for. */
static inline const uint8_t *
err_data(const struct wire_err *e)
{
	return e->data != NULL ? e->data : e->buf;
}

static inline void
assert_hex(const uint8_t *p, size_t n, const char *hex)
{
	static struct bytes want;

	want.n = 0;
	hex_add(&want, hex);
	assert_int_equal(n, want.n);
	assert_memory_equal(p, want.p, n);
}

#endif /* WIRE_HELP_H */
