/*
 * comm.c -- communities: plain (RFC 1997), extended (4360), large (8092).
 */
#include "bgpd/wire/codec.h"

#include <string.h>

enum {
	LARGE_LEN = 12
};

bool
comm_has(struct octets comms, uint32_t want)
{
	struct cur c;
	uint32_t v;

	cur_init(&c, comms.p, comms.len);
	while (cur_u32(&c, &v))
		if (v == want)
			return true;
	return false;
}

/* An element of a list of large communities. */
struct large {
	uint8_t o[LARGE_LEN];
};

static int
large_cmp(const struct large *a, const struct large *b)
{
	return memcmp(a->o, b->o, LARGE_LEN);
}

static void
sift(struct large *v, size_t at, size_t n)
{
	struct large x = v[at];
	size_t kid;

	while ((kid = 2 * at + 1) < n) {
		if (kid + 1 < n && large_cmp(&v[kid], &v[kid + 1]) < 0)
			kid++;
		if (large_cmp(&x, &v[kid]) >= 0)
			break;
		v[at] = v[kid];
		at = kid;
	}
	v[at] = x;
}

/* Heap sort: a peer chooses the order, so the worst case is what counts. */
static void
sort(struct large *v, size_t n)
{
	for (size_t i = n / 2; i > 0; i--)
		sift(v, i - 1, n);
	for (size_t i = n; i > 1; i--) {
		struct large x = v[0];

		v[0] = v[i - 1];
		v[i - 1] = x;
		sift(v, 0, i - 1);
	}
}

static bool
ascending(struct octets l)
{
	struct large prev, x;
	struct cur c;

	cur_init(&c, l.p, l.len);
	if (!cur_bytes(&c, prev.o, LARGE_LEN))
		return true;
	while (cur_bytes(&c, x.o, LARGE_LEN)) {
		if (large_cmp(&prev, &x) >= 0)
			return false;
		prev = x;
	}
	return true;
}

struct octets
comm_large_uniq(struct octets l, struct arena *arena)
{
	size_t n = l.len / LARGE_LEN, kept = 1;
	struct large *v;

	if (ascending(l))
		return l;
	v = arena_get(arena, n * sizeof *v);
	memcpy(v, l.p, n * sizeof *v);
	sort(v, n);
	for (size_t i = 1; i < n; i++)
		if (large_cmp(&v[i], &v[kept - 1]) != 0)
			v[kept++] = v[i];
	if (kept == n)
		return l;
	return (struct octets){ v->o, (uint16_t)(kept * LARGE_LEN) };
}

size_t
comm_print(uint32_t v, char *buf, size_t n)
{
	/* As OpenBGPD shows them. */
	static const struct {
		uint32_t v;
		const char *name;
	} known[] = {
		{ COMM_GRACEFUL_SHUTDOWN, "GRACEFUL_SHUTDOWN" },
		{ COMM_BLACKHOLE, "BLACKHOLE" },
		{ COMM_NO_EXPORT, "NO_EXPORT" },
		{ COMM_NO_ADVERTISE, "NO_ADVERTISE" },
		{ COMM_NO_EXPORT_SUBCONFED, "NO_EXPORT_SUBCONFED" },
		{ COMM_NO_PEER, "NO_PEER" },
	};
	struct txt t;

	txt_init(&t, buf, n);
	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
		if (known[i].v != v)
			continue;
		txt_str(&t, known[i].name);
		return t.len;
	}
	txt_u32(&t, v >> 16);
	txt_char(&t, ':');
	txt_u32(&t, v & 0xffff);
	return t.len;
}

static uint32_t
get32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
	    (uint32_t)p[2] << 8 | p[3];
}

static uint32_t
get16(const uint8_t *p)
{
	return (uint32_t)p[0] << 8 | p[1];
}

size_t
comm_large_print(const uint8_t o[12], char *buf, size_t n)
{
	struct txt t;

	txt_init(&t, buf, n);
	txt_u32(&t, get32(o));
	txt_char(&t, ':');
	txt_u32(&t, get32(o + 4));
	txt_char(&t, ':');
	txt_u32(&t, get32(o + 8));
	return t.len;
}

/* RFC 8097: prefix origin validation state. */
static void
print_ovs(struct txt *t, const uint8_t o[8])
{
	static const char *const state[] = { "valid", "not-found", "invalid" };

	txt_str(t, "ovs ");
	if (o[7] < 3)
		txt_str(t, state[o[7]]);
	else
		txt_u32(t, o[7]);
}

size_t
comm_ext_print(const uint8_t o[8], char *buf, size_t n)
{
	enum {
		AS2 = 0,
		IP4 = 1,
		AS4 = 2,
		OVS = 0x43,
		RT = 2,
		SOO = 3
	};
	unsigned int type = o[0] & 0xbf; /* without the transitive bit */
	struct txt t;

	txt_init(&t, buf, n);
	if (o[0] == OVS && o[1] == 0) {
		print_ovs(&t, o);
	} else if (type <= AS4 && (o[1] == RT || o[1] == SOO)) {
		txt_str(&t, o[1] == RT ? "rt " : "soo ");
		if (type == AS2)
			txt_u32(&t, get16(o + 2));
		else if (type == AS4)
			txt_u32(&t, get32(o + 2));
		else
			txt_f(&t, "%u.%u.%u.%u", o[2], o[3], o[4], o[5]);
		txt_char(&t, ':');
		txt_u32(&t, type == AS2 ? get32(o + 4) : get16(o + 6));
	} else {
		txt_str(&t, "0x");
		txt_hex(&t, o, 8);
	}
	return t.len;
}
