#include "lib/wbuf.h"

#include <string.h>

void
wbuf_init(struct wbuf *w, void *p, size_t cap)
{
	w->p = p;
	w->len = 0;
	w->cap = cap;
	w->over = false;
}

size_t
wbuf_room(const struct wbuf *w)
{
	return w->over ? 0 : w->cap - w->len;
}

void
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

void
wbuf_u8(struct wbuf *w, uint8_t v)
{
	wbuf_bytes(w, &v, 1);
}

void
wbuf_u16(struct wbuf *w, uint16_t v)
{
	uint8_t b[2] = { (uint8_t)(v >> 8), (uint8_t)v };

	wbuf_bytes(w, b, sizeof b);
}

void
wbuf_u32(struct wbuf *w, uint32_t v)
{
	uint8_t b[4] = { (uint8_t)(v >> 24), (uint8_t)(v >> 16),
		(uint8_t)(v >> 8), (uint8_t)v };

	wbuf_bytes(w, b, sizeof b);
}

size_t
wbuf_len8(struct wbuf *w)
{
	wbuf_u8(w, 0);
	return w->len - 1;
}

size_t
wbuf_len16(struct wbuf *w)
{
	wbuf_u16(w, 0);
	return w->len - 2;
}

void
wbuf_end8(struct wbuf *w, size_t at)
{
	if (w->over)
		return;
	if (w->len - at - 1 > UINT8_MAX) {
		w->over = true;
		return;
	}
	w->p[at] = (uint8_t)(w->len - at - 1);
}

void
wbuf_end16(struct wbuf *w, size_t at)
{
	if (w->over)
		return;
	if (w->len - at - 2 > UINT16_MAX) {
		w->over = true;
		return;
	}
	wbuf_put16(w, at, (uint16_t)(w->len - at - 2));
}

void
wbuf_put16(struct wbuf *w, size_t at, uint16_t v)
{
	if (w->over || at + 2 > w->len)
		return;
	w->p[at] = (uint8_t)(v >> 8);
	w->p[at + 1] = (uint8_t)v;
}

void
wbuf_cut(struct wbuf *w, size_t len)
{
	if (len <= w->len)
		w->len = len;
	w->over = false;
}
