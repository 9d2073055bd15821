/* rule_comm.c -- communities of the three kinds in rules; see rules.h. */
#include <string.h>

#include "policy/rules.h"

enum {
	EXT_TWO_AS = 0x00, /* RFC 4360 3.1, RFC 5668 2 */
	EXT_FOUR_AS = 0x02,
};

/* How many 32-bit words one of its kind has. */
static size_t
words(const struct rule_comm *c)
{
	return c->large ? 3 : c->ext ? 2 : 1;
}

static struct octets *
octets_of(struct attrs *a, const struct rule_comm *c)
{
	return c->large ? &a->large_comms : c->ext ? &a->ext_comms : &a->comms;
}

static bool
fits(const struct rule_comm *c, const uint8_t *p)
{
	size_t i, n = words(c);

	for (i = 0; i < n; i++, p += 4) {
		uint32_t v = (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
		    (uint32_t)p[2] << 8 | p[3];

		if (((v ^ c->v[i]) & ~c->wild[i]) != 0)
			return false;
	}
	return true;
}

bool
rule_comm_has(const struct attrs *a, const struct rule_comm *c)
{
	const struct octets *o = c->large ? &a->large_comms
	    : c->ext                      ? &a->ext_comms
					  : &a->comms;
	size_t i, n = words(c) * 4;

	for (i = 0; i + n <= o->len; i += n)
		if (fits(c, o->p + i))
			return true;
	return false;
}

/* The community as it stands on the wire; returns its length. */
static size_t
comm_octets(const struct rule_comm *c, uint8_t out[12])
{
	size_t i, n = words(c) * 4;

	for (i = 0; i < n; i++)
		out[i] = (uint8_t)(c->v[i / 4] >> (24 - i % 4 * 8));
	return n;
}

void
rule_comm_add(struct attrs *a, const struct rule_comm *c, struct arena *arena)
{
	struct octets *o = octets_of(a, c);
	uint8_t one[12], *p;
	size_t n = comm_octets(c, one);

	/* An attribute holds at most 65535 octets: a full one stays. */
	if (rule_comm_has(a, c) || o->len + n > UINT16_MAX)
		return;
	p = arena_get(arena, o->len + n);
	if (o->len > 0)
		memcpy(p, o->p, o->len);
	memcpy(p + o->len, one, n);
	o->p = p;
	o->len = (uint16_t)(o->len + n);
}

void
rule_comm_delete(
    struct attrs *a, const struct rule_comm *c, struct arena *arena)
{
	struct octets *o = octets_of(a, c);
	size_t i, left = 0, n = words(c) * 4;
	uint8_t *p;

	if (!rule_comm_has(a, c))
		return;
	p = arena_get(arena, o->len);
	for (i = 0; i + n <= o->len; i += n) {
		if (fits(c, o->p + i))
			continue;
		memcpy(p + left, o->p + i, n);
		left += n;
	}
	o->p = left > 0 ? p : NULL;
	o->len = (uint16_t)left;
}

void
rule_comm_clear(struct attrs *a, const struct rule_comm *c)
{
	*octets_of(a, c) = (struct octets){ 0 };
}

/* ---- text -------------------------------------------------------------- */

/* clang-format off */
static const struct {
	const char *name;
	uint32_t comm;
} well_known[] = {
	{ "graceful-shutdown", COMM_GRACEFUL_SHUTDOWN },
	{ "blackhole", COMM_BLACKHOLE },
	{ "no-export", COMM_NO_EXPORT },
	{ "no-advertise", COMM_NO_ADVERTISE },
	{ "no-export-subconfed", COMM_NO_EXPORT_SUBCONFED },
	{ "no-peer", COMM_NO_PEER },
};
/* clang-format on */

struct number {
	uint32_t n, wild;
};

/*
 * A decimal number up to max, or a '*', then `end`; what is behind it, NULL
 * when it is not one.
 */
static const char *
number(const char *s, uint32_t max, char end, bool wild, struct number *out)
{
	uint64_t n = 0;
	const char *p = s;

	*out = (struct number){ 0 };
	if (wild && *p == '*') {
		out->wild = max;
		p++;
	} else {
		for (; *p >= '0' && *p <= '9'; p++) {
			n = n * 10 + (uint64_t)(*p - '0');
			if (n > max)
				return NULL;
		}
		out->n = (uint32_t)n;
	}
	if (p == s || *p != end)
		return NULL;
	return end != '\0' ? p + 1 : p;
}

static bool
parse_large(const char *s, bool wild, struct rule_comm *c)
{
	struct number n;
	int i;

	for (i = 0; i < 3; i++) {
		s = number(s, UINT32_MAX, i < 2 ? ':' : '\0', wild, &n);
		if (s == NULL)
			return false;
		c->v[i] = n.n;
		c->wild[i] = n.wild;
	}
	return true;
}

static bool
parse_plain(const char *s, bool wild, struct rule_comm *c)
{
	struct number hi, lo;
	size_t i;

	for (i = 0; i < sizeof(well_known) / sizeof(well_known[0]); i++)
		if (strcmp(well_known[i].name, s) == 0) {
			c->v[0] = well_known[i].comm;
			return true;
		}
	if ((s = number(s, UINT16_MAX, ':', wild, &hi)) == NULL ||
	    number(s, UINT16_MAX, '\0', wild, &lo) == NULL)
		return false;
	c->v[0] = hi.n << 16 | lo.n;
	c->wild[0] = hi.wild << 16 | lo.wild;
	return true;
}

/* Route target and site of origin, of a 2-octet or a 4-octet AS. */
static bool
parse_ext(const char *s, bool wild, struct rule_comm *c)
{
	struct number as, val;
	uint32_t sub = strncmp(s, "rt:", 3) == 0 ? 0x02
	    : strncmp(s, "soo:", 4) == 0         ? 0x03
						 : 0;

	if (sub == 0)
		return false;
	s = strchr(s, ':') + 1;
	if ((s = number(s, UINT32_MAX, ':', false, &as)) == NULL)
		return false;
	if (as.n > UINT16_MAX) {
		if (number(s, UINT16_MAX, '\0', wild, &val) == NULL)
			return false;
		c->v[0] = (uint32_t)EXT_FOUR_AS << 24 | sub << 16 | as.n >> 16;
		c->v[1] = as.n << 16 | val.n;
	} else {
		if (number(s, UINT32_MAX, '\0', wild, &val) == NULL)
			return false;
		c->v[0] = (uint32_t)EXT_TWO_AS << 24 | sub << 16 | as.n;
		c->v[1] = val.n;
	}
	c->wild[1] = val.wild;
	return true;
}

bool
rule_comm_parse(
    const char *s, enum rule_comm_kind kind, bool wild, struct rule_comm *c)
{
	struct rule_comm r = { .large = kind == COMM_LARGE,
		.ext = kind == COMM_EXT };
	bool ok = kind == COMM_LARGE ? parse_large(s, wild, &r)
	    : kind == COMM_EXT       ? parse_ext(s, wild, &r)
				     : parse_plain(s, wild, &r);

	if (ok)
		*c = r;
	return ok;
}
