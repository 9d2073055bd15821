/* addr.h -- IPv4 and IPv6 addresses as values. */
#ifndef ADDR_H
#define ADDR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* The numbers are IANA's address family numbers (AFI) of RFC 4760. */
enum fam {
	FAM_NONE = 0,
	FAM_INET = 1,
	FAM_INET6 = 2,
	FAM_N = 3,
};

/* All zero: no address.  IPv4 uses the first four octets; the rest is zero. */
struct addr {
	uint8_t fam;
	uint8_t o[16];
};

#define ADDR_STRLEN 46

/* "IPv4 unicast", "IPv6 unicast"; what OpenBGPD prints too. */
const char *fam_name(enum fam);
/* 32, 128; 0 for FAM_NONE. */
static inline unsigned int
fam_bits(enum fam f)
{
	return f == FAM_INET ? 32 : f == FAM_INET6 ? 128 : 0;
}

/* Whole text must be an address, no zone, no prefix length. */
bool addr_parse(const char *, struct addr *);
/* Returns buf, always terminated; RFC 5952 form; "none" for no address. */
const char *addr_print(const struct addr *, char *buf, size_t);
/* Takes 4 or 16 octets by family. */
static inline void
addr_set(struct addr *a, enum fam f, const void *octets)
{
	*a = (struct addr){ .fam = (uint8_t)f };
	if (f == FAM_INET)
		memcpy(a->o, octets, 4);
	else if (f == FAM_INET6)
		memcpy(a->o, octets, 16);
}
struct addr addr_v4(uint32_t host_order);
uint32_t addr_to_v4(const struct addr *);

/* Total order: family, then octets.  <0, 0, >0. */
int addr_cmp(const struct addr *, const struct addr *);
bool addr_eq(const struct addr *, const struct addr *);
bool addr_is_unspecified(const struct addr *);
bool addr_is_loopback(const struct addr *);
bool addr_is_multicast(const struct addr *);
bool addr_is_linklocal(const struct addr *);
bool addr_is_v4mapped(const struct addr *);
/*
 * May be the address of a host (errors.md, NEXT_HOP): not 0/8, 127/8, 224/4,
 * 240/4; not ::, ::1, ff00::/8.
 */
bool addr_is_host(const struct addr *);

#endif /* ADDR_H */
