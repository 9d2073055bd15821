#include "lib/cur.h"

#include <string.h>

void
cur_init(struct cur *c, const void *p, size_t n)
{
	static const uint8_t none[1];

	/* An empty list has no address, and NULL + 0 is no C. */
	c->p = p != NULL ? p : none;
	c->end = c->p + n;
}

size_t
cur_left(const struct cur *c)
{
	return (size_t)(c->end - c->p);
}

bool
cur_u8(struct cur *c, uint8_t *v)
{
	if (cur_left(c) < 1)
		return false;
	*v = *c->p++;
	return true;
}

bool
cur_u16(struct cur *c, uint16_t *v)
{
	if (cur_left(c) < 2)
		return false;
	*v = (uint16_t)(c->p[0] << 8 | c->p[1]);
	c->p += 2;
	return true;
}

bool
cur_u32(struct cur *c, uint32_t *v)
{
	if (cur_left(c) < 4)
		return false;
	*v = (uint32_t)c->p[0] << 24 | (uint32_t)c->p[1] << 16 |
	    (uint32_t)c->p[2] << 8 | c->p[3];
	c->p += 4;
	return true;
}

bool
cur_bytes(struct cur *c, void *dst, size_t n)
{
	if (cur_left(c) < n)
		return false;
	if (n > 0)
		memcpy(dst, c->p, n);
	c->p += n;
	return true;
}

bool
cur_skip(struct cur *c, size_t n)
{
	if (cur_left(c) < n)
		return false;
	c->p += n;
	return true;
}

bool
cur_sub(struct cur *c, size_t n, struct cur *sub)
{
	if (cur_left(c) < n)
		return false;
	sub->p = c->p;
	sub->end = c->p + n;
	c->p += n;
	return true;
}
