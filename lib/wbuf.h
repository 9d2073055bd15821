/*
 * wbuf.h -- bounded write buffer.  Integers go out in network order.  A write
 * that does not fit writes nothing and sets `over`, which stays: a writer
 * checks once, at its end.
 */
#ifndef WBUF_H
#define WBUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The storage is the caller's. */
struct wbuf {
	uint8_t *p;
	size_t len, cap;
	bool over;
};

void wbuf_init(struct wbuf *, void *, size_t cap);
size_t wbuf_room(const struct wbuf *);
void wbuf_u8(struct wbuf *, uint8_t);
void wbuf_u16(struct wbuf *, uint16_t);
void wbuf_u32(struct wbuf *, uint32_t);
void wbuf_bytes(struct wbuf *, const void *, size_t);

/*
 * Length back-patching: wbuf_len8/16() writes a zero and returns where it
 * stands; wbuf_end8/16() fills in how many octets followed it.
 */
size_t wbuf_len8(struct wbuf *);
size_t wbuf_len16(struct wbuf *);
void wbuf_end8(struct wbuf *, size_t at);
void wbuf_end16(struct wbuf *, size_t at);
/* Overwrites two octets that were written before. */
void wbuf_put16(struct wbuf *, size_t at, uint16_t);
/* Back to an earlier length; clears `over`. */
void wbuf_cut(struct wbuf *, size_t len);

#endif /* WBUF_H */
