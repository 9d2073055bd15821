/*
 * frame.c -- where a message starts and ends: RFC 4271 4.1, 6.1, RFC 8654.
 */
#include "bgpd/wire/codec.h"

#include <string.h>

enum {
	MARKER_LEN = 16,
	LEN_AT = 16,
	TYPE_AT = 18
};

/* clang-format off */
static const struct {
	const char *name, *why;
	uint16_t min, max;
} msg_spec[MSG_N] = {
	[MSG_OPEN]	    = { "OPEN",
		"OPEN is not 29 to 4096 octets long", 29, WIRE_MAX },
	[MSG_UPDATE]	    = { "UPDATE",
		"UPDATE is shorter than 23 octets", 23, WIRE_MAX_EXT },
	[MSG_NOTIFICATION]  = { "NOTIFICATION",
		"NOTIFICATION is shorter than 21 octets", 21, WIRE_MAX_EXT },
	[MSG_KEEPALIVE]	    = { "KEEPALIVE",
		"KEEPALIVE is not 19 octets long", 19, 19 },
	/* Its length errors are refresh.c's: RFC 7313 5. */
	[MSG_ROUTE_REFRESH] = { "ROUTE-REFRESH", "", 19, WIRE_MAX_EXT },
};
/* clang-format on */

enum wire_verdict
err_reset(struct wire_err *err, uint8_t code, uint8_t sub, const char *why,
    const char *rfc)
{
	memset(err, 0, sizeof *err);
	err->verdict = WIRE_RESET;
	err->code = code;
	err->sub = sub;
	err->why = why;
	err->rfc = rfc;
	return WIRE_RESET;
}

enum wire_verdict
err_length(struct wire_err *err, const struct cur *body, const char *why,
    const char *rfc)
{
	size_t len = cur_left(body) + WIRE_HDR_LEN;

	err_reset(err, NOTIF_HEADER, HDR_BAD_LENGTH, why, rfc);
	err->buf[0] = (uint8_t)(len >> 8);
	err->buf[1] = (uint8_t)len;
	err->len = 2;
	err->at = LEN_AT;
	return WIRE_RESET;
}

size_t
err_at(const struct cur *body, const struct cur *c)
{
	return WIRE_HDR_LEN + cur_left(body) -
	    cur_left(&(struct cur){ c->p, body->end });
}

/* A header error, with the n octets at `at` as data. */
static enum wire_frame
bad(struct wire_err *err, uint8_t sub, size_t at, const struct cur *data,
    const char *why)
{
	err_reset(err, NOTIF_HEADER, sub, why, "RFC 4271 6.1");
	err->at = at;
	if (data != NULL) {
		err->data = data->p;
		err->len = cur_left(data);
	}
	return FRAME_BAD;
}

static bool
marker_check(struct cur *c, size_t *at)
{
	static const uint8_t ones[MARKER_LEN] = { 0xff, 0xff, 0xff, 0xff, 0xff,
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
		0xff };
	uint8_t o[MARKER_LEN];
	uint8_t v;

	if (cur_bytes(c, o, sizeof o)) {
		if (memcmp(o, ones, sizeof o) == 0)
			return true;
		for (*at = 0; o[*at] == 0xff; (*at)++)
			;
		return false;
	}
	for (*at = 0; cur_u8(c, &v); (*at)++)
		if (v != 0xff)
			return false;
	return true;
}

enum wire_frame
wire_frame(struct cur *in, bool ext, struct wire_hdr *h, struct cur *body,
    struct wire_err *err)
{
	struct cur c = *in, len, type, msg;
	size_t at;

	if (!marker_check(&c, &at))
		return bad(err, HDR_NOT_SYNCED, at, NULL,
		    "the marker is not all ones");
	if (!cur_sub(&c, 2, &len))
		return FRAME_MORE;
	msg = len;
	if (!cur_u16(&msg, &h->len))
		return FRAME_MORE;
	if (h->len < WIRE_HDR_LEN)
		return bad(err, HDR_BAD_LENGTH, LEN_AT, &len,
		    "the message is shorter than its header");
	if (h->len > WIRE_MAX && !ext)
		return bad(err, HDR_BAD_LENGTH, LEN_AT, &len,
		    "the message is longer than 4096 octets");
	if (!cur_sub(&c, 1, &type))
		return FRAME_MORE;
	msg = type;
	if (!cur_u8(&msg, &h->type))
		return FRAME_MORE;
	if (h->type < MSG_OPEN || h->type >= MSG_N)
		return bad(err, HDR_BAD_TYPE, TYPE_AT, &type,
		    "the message type is not known");
	if (h->len < msg_spec[h->type].min || h->len > msg_spec[h->type].max)
		return bad(
		    err, HDR_BAD_LENGTH, LEN_AT, &len, msg_spec[h->type].why);
	if (!cur_sub(&c, (size_t)h->len - WIRE_HDR_LEN, body))
		return FRAME_MORE;
	*in = c;
	return FRAME_MSG;
}

size_t
wire_msg_begin(struct wbuf *w, enum wire_type type)
{
	size_t begin = w->len;

	wbuf_u32(w, UINT32_MAX);
	wbuf_u32(w, UINT32_MAX);
	wbuf_u32(w, UINT32_MAX);
	wbuf_u32(w, UINT32_MAX);
	wbuf_u16(w, 0);
	wbuf_u8(w, (uint8_t)type);
	return begin;
}

void
wire_msg_end(struct wbuf *w, size_t begin)
{
	if (w->over || w->len - begin > WIRE_MAX_EXT) {
		/* Half a message would spoil the stream for good. */
		wbuf_cut(w, begin);
		w->over = true;
		return;
	}
	wbuf_put16(w, begin + LEN_AT, (uint16_t)(w->len - begin));
}

void
wire_keepalive_write(struct wbuf *w)
{
	wire_msg_end(w, wire_msg_begin(w, MSG_KEEPALIVE));
}

const char *
wire_type_name(unsigned int type)
{
	if (type >= MSG_N || msg_spec[type].name == NULL)
		return "unknown";
	return msg_spec[type].name;
}
