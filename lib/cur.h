/*
 * cur.h -- bounded read cursor over octets.  The only place where octets from
 * outside are addressed: cut a sub-cursor, parse it, require it to be empty.
 */
#ifndef CUR_H
#define CUR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Borrows the octets; never owns them. */
struct cur {
	const uint8_t *p, *end;
};

#define CUR_MUST __attribute__((warn_unused_result))

void cur_init(struct cur *, const void *, size_t);

/*
 * The readers take integers in network order and return them in host order.
 * They return false, and move nothing, when fewer octets are left than asked
 * for.  They are inline because every octet of a full table passes through
 * them: parsing an UPDATE takes a third of the time.
 */
static inline size_t
cur_left(const struct cur *c)
{
	return (size_t)(c->end - c->p);
}

CUR_MUST static inline bool
cur_u8(struct cur *c, uint8_t *v)
{
	if (cur_left(c) < 1)
		return false;
	*v = *c->p++;
	return true;
}

CUR_MUST static inline bool
cur_u16(struct cur *c, uint16_t *v)
{
	if (cur_left(c) < 2)
		return false;
	*v = (uint16_t)(c->p[0] << 8 | c->p[1]);
	c->p += 2;
	return true;
}

CUR_MUST static inline bool
cur_u32(struct cur *c, uint32_t *v)
{
	if (cur_left(c) < 4)
		return false;
	*v = (uint32_t)c->p[0] << 24 | (uint32_t)c->p[1] << 16 |
	    (uint32_t)c->p[2] << 8 | c->p[3];
	c->p += 4;
	return true;
}

CUR_MUST static inline bool
cur_bytes(struct cur *c, void *dst, size_t n)
{
	if (cur_left(c) < n)
		return false;
	if (n > 0)
		memcpy(dst, c->p, n);
	c->p += n;
	return true;
}

CUR_MUST static inline bool
cur_skip(struct cur *c, size_t n)
{
	if (cur_left(c) < n)
		return false;
	c->p += n;
	return true;
}

/* Cuts the next n octets out as a cursor of their own. */
CUR_MUST static inline bool
cur_sub(struct cur *c, size_t n, struct cur *sub)
{
	if (cur_left(c) < n)
		return false;
	sub->p = c->p;
	sub->end = c->p + n;
	c->p += n;
	return true;
}

#endif /* CUR_H */
