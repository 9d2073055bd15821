#include "lib/wbuf.h"

void
wbuf_init(struct wbuf *w, void *p, size_t cap)
{
	w->p = p;
	w->len = 0;
	w->cap = cap;
	w->over = false;
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
