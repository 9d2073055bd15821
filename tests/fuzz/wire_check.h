/* wire_check.h -- what must hold of any message, for the wire's targets. */
#ifndef WIRE_CHECK_H
#define WIRE_CHECK_H

#include <string.h>

#include "bgpd/wire/wire.h"
#include "tests/fuzz/must.h"

/*
 * A message with this body in memory of exactly its size, so that a sanitizer
 * sees every octet read beyond it.  The caller frees it.
 */
static inline uint8_t *
msg_new(uint8_t type, const uint8_t *body, size_t n)
{
	uint8_t *m = malloc(WIRE_HDR_LEN + n);

	MUST(m != NULL);
	memset(m, 0xff, 16);
	m[16] = (uint8_t)((WIRE_HDR_LEN + n) >> 8);
	m[17] = (uint8_t)(WIRE_HDR_LEN + n);
	m[18] = type;
	if (n > 0)
		memcpy(m + WIRE_HDR_LEN, body, n);
	return m;
}

/* The error can be sent and shown, and points into its message. */
static inline void
check_err(const struct wire_err *e, const uint8_t *msg, size_t len)
{
	MUST(e->verdict != WIRE_OK);
	MUST(e->why != NULL && e->why[0] != '\0');
	MUST(e->rfc != NULL && e->rfc[0] != '\0');
	MUST(e->code != 0);
	MUST(e->at <= len);
	if (e->data == NULL)
		MUST(e->len <= sizeof e->buf);
	else
		MUST(e->data >= msg && e->data + e->len <= msg + len);
}

/* One line, of the length that it says, cut where the room ends. */
static inline void
check_dump(const uint8_t *msg, size_t len, const struct wire_neg *neg)
{
	static char line[1 << 20], part[100];
	size_t n = wire_dump(msg, len, neg, line, sizeof line);

	MUST(strlen(line) == (n < sizeof line ? n : sizeof line - 1));
	for (size_t i = 0; line[i] != '\0'; i++)
		MUST((unsigned char)line[i] >= ' ' && line[i] != 0x7f);
	MUST(wire_dump(msg, len, neg, part, sizeof part) == n);
	MUST(strncmp(part, line, strlen(part)) == 0);
	MUST(wire_dump(msg, len, neg, NULL, 0) == n);
}

#endif /* WIRE_CHECK_H */
