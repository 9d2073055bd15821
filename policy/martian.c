/*
 * martian.c -- the IANA special-purpose registries as data.
 *
 * IPv4 Special-Purpose Address Registry, IPv6 Special-Purpose Address
 * Registry, IPv4 Multicast Address Space, IPv6 Global Unicast Address
 * Assignments (RFC 6890, RFC 8190), and Special-Purpose Autonomous System
 * Numbers, Autonomous System (AS) Numbers (RFC 6996, 7249).
 *
 * A row is in force unless the registry says "globally reachable": those that
 * lie inside a refused block are the holes (AS112 and AMT blocks stand alone
 * in global space and need no row; the anycast addresses 2001:1::1 to ::3 are
 * too long for any table and stay refused).
 */
#include <stddef.h>

#include "policy/martian.h"
#include "policy/reason.h"

enum kind {
	REFUSED,
	DOCUMENTATION, /* refused but in a lab */
	HOLE, /* inside a refused block, globally reachable */
};

struct row4 {
	uint32_t net;
	uint8_t len;
	uint8_t kind;
	struct martian m;
};

/* The upper half of the address is enough for all that is in 2000::/3. */
struct row6 {
	uint64_t net;
	uint8_t len;
	uint8_t kind;
	struct martian m;
};

#define B REASON_BOGON_PREFIX
#define V4(a, b, c, d) \
	((uint32_t)(a) << 24 | (uint32_t)(b) << 16 | (c) << 8 | (d))

/* clang-format off */
static const char dates[] =
    "IANA special-purpose address registries of 2025-10-09, "
    "AS numbers of RFC 7249 to RFC 7607";

/* Holes come before the block that they are in. */
static const struct row4 rows4[] = {
	{ V4(0, 0, 0, 0), 8, REFUSED,
	    { "0.0.0.0/8", "this network", "RFC 791", B } },
	{ V4(10, 0, 0, 0), 8, REFUSED,
	    { "10.0.0.0/8", "private use", "RFC 1918", B } },
	{ V4(100, 64, 0, 0), 10, REFUSED,
	    { "100.64.0.0/10", "shared address space", "RFC 6598", B } },
	{ V4(127, 0, 0, 0), 8, REFUSED,
	    { "127.0.0.0/8", "loopback", "RFC 1122", B } },
	{ V4(169, 254, 0, 0), 16, REFUSED,
	    { "169.254.0.0/16", "link local", "RFC 3927", B } },
	{ V4(172, 16, 0, 0), 12, REFUSED,
	    { "172.16.0.0/12", "private use", "RFC 1918", B } },
	{ V4(192, 0, 0, 9), 32, HOLE,
	    { "192.0.0.9/32", "port control protocol anycast",
		"RFC 7723", 0 } },
	{ V4(192, 0, 0, 10), 32, HOLE,
	    { "192.0.0.10/32", "TURN anycast", "RFC 8155", 0 } },
	{ V4(192, 0, 0, 0), 24, REFUSED,
	    { "192.0.0.0/24", "IETF protocol assignments", "RFC 6890", B } },
	{ V4(192, 0, 2, 0), 24, DOCUMENTATION,
	    { "192.0.2.0/24", "documentation (TEST-NET-1)", "RFC 5737", B } },
	{ V4(192, 88, 99, 0), 24, REFUSED,
	    { "192.88.99.0/24", "deprecated 6to4 relay anycast",
		"RFC 7526", B } },
	{ V4(192, 168, 0, 0), 16, REFUSED,
	    { "192.168.0.0/16", "private use", "RFC 1918", B } },
	{ V4(198, 18, 0, 0), 15, REFUSED,
	    { "198.18.0.0/15", "benchmarking", "RFC 2544", B } },
	{ V4(198, 51, 100, 0), 24, DOCUMENTATION,
	    { "198.51.100.0/24", "documentation (TEST-NET-2)",
		"RFC 5737", B } },
	{ V4(203, 0, 113, 0), 24, DOCUMENTATION,
	    { "203.0.113.0/24", "documentation (TEST-NET-3)",
		"RFC 5737", B } },
	{ V4(224, 0, 0, 0), 4, REFUSED,
	    { "224.0.0.0/4", "multicast", "RFC 5771", B } },
	{ V4(240, 0, 0, 0), 4, REFUSED,
	    { "240.0.0.0/4", "reserved", "RFC 1112", B } },
};

static const struct row6 rows6[] = {
	{ 0x2001000300000000, 32, HOLE,
	    { "2001:3::/32", "automatic multicast tunnelling", "RFC 7450",
		0 } },
	{ 0x2001000401120000, 48, HOLE,
	    { "2001:4:112::/48", "AS112", "RFC 7535", 0 } },
	{ 0x2001002000000000, 28, HOLE,
	    { "2001:20::/28", "ORCHIDv2", "RFC 7343", 0 } },
	{ 0x2001003000000000, 28, HOLE,
	    { "2001:30::/28", "drone remote identifiers", "RFC 9374", 0 } },
	{ 0x2001000000000000, 32, REFUSED,
	    { "2001::/32", "Teredo", "RFC 4380", B } },
	{ 0x2001000200000000, 48, REFUSED,
	    { "2001:2::/48", "benchmarking", "RFC 5180", B } },
	{ 0x2001001000000000, 28, REFUSED,
	    { "2001:10::/28", "deprecated ORCHID", "RFC 4843", B } },
	{ 0x2001000000000000, 23, REFUSED,
	    { "2001::/23", "IETF protocol assignments", "RFC 2928", B } },
	{ 0x20010db800000000, 32, DOCUMENTATION,
	    { "2001:db8::/32", "documentation", "RFC 3849", B } },
	{ 0x2002000000000000, 16, REFUSED,
	    { "2002::/16", "6to4", "RFC 3056", B } },
	{ 0x3ffe000000000000, 16, REFUSED,
	    { "3ffe::/16", "returned 6bone space", "RFC 3701", B } },
	{ 0x3fff000000000000, 20, DOCUMENTATION,
	    { "3fff::/20", "documentation", "RFC 9637", B } },
};
/* clang-format on */

static const struct martian not_global = { "2000::/3",
	"outside global unicast space", "RFC 4291", REASON_NOT_GLOBAL };

const char *
martian_dates(void)
{
	return dates;
}

/*
 * Is there a row with this first octet?  Nearly no prefix gets further, and
 * each route is asked about.
 */
static bool
has_row4(uint8_t octet)
{
	switch (octet) {
	case 0:
	case 10:
	case 100:
	case 127:
	case 169:
	case 172:
	case 192:
	case 198:
	case 203:
		return true;
	default:
		return octet >= 224;
	}
}

/* Do the n leading bits of a 64-bit number agree? */
static bool
leading(uint64_t a, uint64_t b, unsigned int n)
{
	return n == 0 || (a ^ b) >> (64 - n) == 0;
}

static const struct martian *
find4(const struct pfx *p, bool lab)
{
	uint32_t net = addr_to_v4(&p->addr);
	size_t i;

	if (p->len >= 8 && !has_row4(p->addr.o[0]))
		return NULL;
	for (i = 0; i < sizeof(rows4) / sizeof(rows4[0]); i++) {
		const struct row4 *r = &rows4[i];
		bool in = p->len >= r->len &&
		    leading(
			(uint64_t)net << 32, (uint64_t)r->net << 32, r->len);

		if (in && (r->kind == HOLE || (r->kind != REFUSED && lab)))
			return NULL;
		if (in ||
		    (p->len < 8 && r->kind == REFUSED &&
			leading((uint64_t)net << 32, (uint64_t)r->net << 32,
			    p->len)))
			return &r->m;
	}
	return NULL;
}

static const struct martian *
find6(const struct pfx *p, bool lab)
{
	uint64_t net = 0;
	size_t i;

	for (i = 0; i < 8; i++)
		net = net << 8 | p->addr.o[i];
	if (p->len < 3 || net >> 61 != 1)
		return &not_global;
	for (i = 0; i < sizeof(rows6) / sizeof(rows6[0]); i++) {
		const struct row6 *r = &rows6[i];
		bool in = p->len >= r->len && leading(net, r->net, r->len);

		if (in && (r->kind == HOLE || (r->kind != REFUSED && lab)))
			return NULL;
		if (in ||
		    (p->len < 16 && r->kind == REFUSED &&
			leading(net, r->net, p->len)))
			return &r->m;
	}
	return NULL;
}

const struct martian *
martian_find(const struct pfx *p, bool lab)
{
	if (pfx_is_default(p))
		return NULL;
	if (p->addr.fam == FAM_INET)
		return find4(p, lab);
	return p->addr.fam == FAM_INET6 ? find6(p, lab) : NULL;
}

/* clang-format off */
static const struct asn_range {
	uint32_t lo, hi;
	enum martian_asn what;
} asns[] = {
	{ 0, 0, ASN_ZERO },
	{ 23456, 23456, ASN_TRANS },
	{ 64496, 64511, ASN_DOCUMENTATION },
	{ 64512, 65534, ASN_PRIVATE },
	{ 65535, 65535, ASN_RESERVED },
	{ 65536, 65551, ASN_DOCUMENTATION },
	{ 65552, 131071, ASN_RESERVED },
	{ 4200000000, 4294967294, ASN_PRIVATE },
	{ 4294967295, 4294967295, ASN_RESERVED },
};
/* clang-format on */

enum martian_asn
martian_asn(uint32_t as)
{
	size_t i;

	/* Nearly all of them stand in front of the reserved ones or behind. */
	if ((as > 131071 && as < 4200000000) || (as > 0 && as < 23456))
		return ASN_PUBLIC;
	for (i = 0; i < sizeof(asns) / sizeof(asns[0]); i++)
		if (as <= asns[i].hi)
			return as >= asns[i].lo ? asns[i].what : ASN_PUBLIC;
	return ASN_PUBLIC;
}

const char *
martian_asn_name(enum martian_asn what)
{
	static const char *const names[] = { "public", "zero", "AS_TRANS",
		"documentation", "private", "reserved" };

	return (unsigned int)what < sizeof(names) / sizeof(names[0])
	    ? names[what]
	    : "unknown";
}

bool
martian_asn_ok(uint32_t as, bool lab)
{
	enum martian_asn what = martian_asn(as);

	return what == ASN_PUBLIC || (lab && what == ASN_DOCUMENTATION);
}
