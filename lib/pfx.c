#include "lib/pfx.h"

#include <stdio.h>
#include <string.h>

bool
pfx_make(struct pfx *p, const struct addr *a, unsigned int len)
{
	unsigned int bits = fam_bits(a->fam);

	if (bits == 0 || len > bits)
		return false;
	p->addr = *a;
	p->len = (uint8_t)len;
	if (len < bits) {
		unsigned int full = len / 8;

		p->addr.o[full] &= (uint8_t)(0xff00 >> len % 8);
		memset(p->addr.o + full + 1, 0, 15 - full);
	}
	return true;
}

/* The address as it is written, too. */
static bool
parse(const char *s, struct addr *a, struct pfx *p)
{
	const char *slash = strchr(s, '/');
	char text[ADDR_STRLEN];
	unsigned int len = 0;
	const char *d;

	if (slash == NULL || (size_t)(slash - s) >= sizeof text)
		return false;
	memcpy(text, s, (size_t)(slash - s));
	text[slash - s] = '\0';
	for (d = slash + 1; *d >= '0' && *d <= '9' && len < 1000; d++)
		len = len * 10 + (unsigned int)(*d - '0');
	if (*d != '\0' || d == slash + 1 || (slash[1] == '0' && d > slash + 2))
		return false;
	return addr_parse(text, a) && pfx_make(p, a, len);
}

bool
pfx_parse_loose(const char *s, struct pfx *p)
{
	struct addr a;

	return parse(s, &a, p);
}

bool
pfx_parse(const char *s, struct pfx *p)
{
	struct addr a;

	return parse(s, &a, p) && addr_eq(&a, &p->addr);
}

const char *
pfx_print(const struct pfx *p, char *buf, size_t n)
{
	char text[PFX_STRLEN], *end;
	size_t len;

	addr_print(&p->addr, text, ADDR_STRLEN);
	end = strchr(text, '\0');
	*end++ = '/';
	if (p->len >= 100)
		*end++ = (char)('0' + p->len / 100);
	if (p->len >= 10)
		*end++ = (char)('0' + p->len / 10 % 10);
	*end++ = (char)('0' + p->len % 10);
	*end = '\0';
	len = (size_t)(end - text) + 1;
	if (n > 0) {
		memcpy(buf, text, len < n ? len : n);
		buf[n - 1] = '\0';
	}
	return buf;
}

int
pfx_cmp(const struct pfx *a, const struct pfx *b)
{
	int c = addr_cmp(&a->addr, &b->addr);

	return c != 0 ? c : (int)a->len - (int)b->len;
}

bool
pfx_eq(const struct pfx *a, const struct pfx *b)
{
	return pfx_cmp(a, b) == 0;
}

bool
pfx_covers(const struct pfx *a, const struct pfx *b)
{
	return a->len <= b->len && pfx_has(a, &b->addr);
}

bool
pfx_has(const struct pfx *p, const struct addr *a)
{
	unsigned int full = p->len / 8, rest = p->len % 8;

	/* Mostly the first octet says it: lists of prefixes are asked. */
	if (p->addr.fam != a->fam || (full > 0 && p->addr.o[0] != a->o[0]) ||
	    memcmp(p->addr.o, a->o, full) != 0)
		return false;
	return rest == 0 ||
	    ((p->addr.o[full] ^ a->o[full]) & (0xff00 >> rest) & 0xff) == 0;
}

bool
pfx_is_default(const struct pfx *p)
{
	return p->addr.fam != FAM_NONE && p->len == 0;
}
