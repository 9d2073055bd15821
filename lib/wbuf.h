/*
 * wbuf.h -- bounded write buffer.  Integers go out in network order.  A write
 * that does not fit writes nothing and sets `over`, which stays: a writer
 * checks once, at its end.  Inline as lib/cur.h is, and for the same reason.
 */
#ifndef WBUF_H
#define WBUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* The storage is the caller's. */
struct wbuf {
	uint8_t *p;
	size_t len, cap;
	bool over;
};

void wbuf_init(struct wbuf *, void *, size_t cap);

static inline size_t
wbuf_room(const struct wbuf *w)
{
	return w->over ? 0 : w->cap - w->len;
}

static inline void
wbuf_bytes(struct wbuf *w, const void *src, size_t n)
{
	if (w->over || w->cap - w->len < n) {
		w->over = true;
		return;
	}
	if (n > 0)
		memcpy(w->p + w->len, src, n);
	w->len += n;
}

static inline void
wbuf_u8(struct wbuf *w, uint8_t v)
{
	wbuf_bytes(w, &v, 1);
}

static inline void
wbuf_u16(struct wbuf *w, uint16_t v)
{
	uint8_t b[2] = { (uint8_t)(v >> 8), (uint8_t)v };

	wbuf_bytes(w, b, sizeof b);
}

static inline void
wbuf_u32(struct wbuf *w, uint32_t v)
{
	uint8_t b[4] = { (uint8_t)(v >> 24), (uint8_t)(v >> 16),
		(uint8_t)(v >> 8), (uint8_t)v };

	wbuf_bytes(w, b, sizeof b);
}

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
