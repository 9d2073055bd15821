/*
 * martian.h -- address space and AS numbers that nobody may announce: the
 * IANA special-purpose registries as tables (their dates stand in martian.c).
 */
#ifndef MARTIAN_H
#define MARTIAN_H

#include "lib/pfx.h"

struct martian {
	const char *prefix; /* as in the registry */
	const char *name;
	const char *rfc;
	uint16_t reason; /* REASON_BOGON_PREFIX or REASON_NOT_GLOBAL */
};

/*
 * The row that refuses the prefix, or NULL.  A prefix is refused when it lies
 * in special-purpose space, outside 2000::/3 (IPv6), or when it is shorter
 * than /8 or /16 and covers special-purpose space.  lab: documentation space
 * is taken for global.  The default route is no martian.
 */
const struct martian *martian_find(const struct pfx *, bool lab);

enum martian_asn {
	ASN_PUBLIC,
	ASN_ZERO, /* RFC 7607 */
	ASN_TRANS, /* RFC 6793 */
	ASN_DOCUMENTATION, /* RFC 5398 */
	ASN_PRIVATE, /* RFC 6996 */
	ASN_RESERVED, /* RFC 7300, IANA */
};

enum martian_asn martian_asn(uint32_t as);
/* "private"; never NULL. */
const char *martian_asn_name(enum martian_asn);
/* Public, or a documentation number in a lab. */
bool martian_asn_ok(uint32_t as, bool lab);
/* Dates of the registries that the tables were taken from. */
const char *martian_dates(void);

#endif /* MARTIAN_H */
