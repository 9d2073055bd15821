/*
 * cur.h -- bounded read cursor over octets.  The only place where octets from
 * outside are addressed: cut a sub-cursor, parse it, require it to be empty.
 */
#ifndef CUR_H
#define CUR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Borrows the octets; never owns them. */
struct cur {
	const uint8_t *p, *end;
};

#define CUR_MUST __attribute__((warn_unused_result))

void cur_init(struct cur *, const void *, size_t);
size_t cur_left(const struct cur *);

/*
 * The readers take integers in network order and return them in host order.
 * They return false, and move nothing, when fewer octets are left than asked
 * for.
 */
CUR_MUST bool cur_u8(struct cur *, uint8_t *);
CUR_MUST bool cur_u16(struct cur *, uint16_t *);
CUR_MUST bool cur_u32(struct cur *, uint32_t *);
CUR_MUST bool cur_bytes(struct cur *, void *, size_t);
CUR_MUST bool cur_skip(struct cur *, size_t);
/* Cuts the next n octets out as a cursor of their own. */
CUR_MUST bool cur_sub(struct cur *, size_t n, struct cur *sub);

#endif /* CUR_H */
