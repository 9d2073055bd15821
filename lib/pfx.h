/* pfx.h -- address prefixes as values; bits after the length are zero. */
#ifndef PFX_H
#define PFX_H

#include "lib/addr.h"

struct pfx {
	struct addr addr;
	uint8_t len;
};

#define PFX_STRLEN (ADDR_STRLEN + 4)

/* Masks the address; false when the length is too long for the family. */
bool pfx_make(struct pfx *, const struct addr *, unsigned int len);
/* "192.0.2.0/24"; false for anything else, and for host bits set. */
bool pfx_parse(const char *, struct pfx *);
/* As pfx_parse(), but bits after the length are masked away. */
bool pfx_parse_loose(const char *, struct pfx *);
const char *pfx_print(const struct pfx *, char *buf, size_t);
/* Total order: family, address, length (a covering prefix comes first). */
int pfx_cmp(const struct pfx *, const struct pfx *);
bool pfx_eq(const struct pfx *, const struct pfx *);
/* The first is the second or covers it. */
bool pfx_covers(const struct pfx *, const struct pfx *);
bool pfx_has(const struct pfx *, const struct addr *);
bool pfx_is_default(const struct pfx *);

#endif /* PFX_H */
