/*
 * fuzz_frame.c -- a stream of octets that arrives in pieces.  The first octet:
 * bit 0 extended messages, the rest the size of a piece.  Messages must come
 * out the same whatever the pieces, and every one must be printable.
 */
#include "tests/fuzz/wire_check.h"

static void
message(const struct wire_hdr *h, struct cur *body, const uint8_t *msg)
{
	struct wire_refresh r;
	struct wire_notif n;
	struct wire_err e;

	check_dump(msg, h->len, NULL);
	if (h->type == MSG_NOTIFICATION) {
		wire_notif_parse(body, &n);
		MUST(strlen(n.text) < sizeof n.text);
		MUST(n.len + 2 <= h->len);
		MUST(wire_notif_subname(n.code, n.sub) != NULL);
	} else if (h->type == MSG_ROUTE_REFRESH) {
		for (int enhanced = 0; enhanced < 2; enhanced++) {
			struct cur c = *body;

			if (wire_refresh_parse(&c, enhanced, &r, &e) != WIRE_OK)
				check_err(&e, msg, h->len);
		}
	}
}

/* How many octets of messages there are in the first n; -1: bad. */
static long
walk(const uint8_t *data, size_t n, bool ext, bool look)
{
	uint8_t *exact = malloc(n > 0 ? n : 1);
	struct wire_err err;
	struct wire_hdr h;
	struct cur in, body;
	enum wire_frame f;
	long done = 0;

	MUST(exact != NULL);
	if (n > 0)
		memcpy(exact, data, n);
	cur_init(&in, exact, n);
	while ((f = wire_frame(&in, ext, &h, &body, &err)) == FRAME_MSG) {
		MUST(h.len >= WIRE_HDR_LEN);
		MUST(h.len <= (ext ? WIRE_MAX_EXT : WIRE_MAX));
		MUST(cur_left(&body) == h.len - (size_t)WIRE_HDR_LEN);
		if (look)
			message(&h, &body, exact + done);
		done += h.len;
		MUST(in.p == exact + done);
	}
	MUST(in.p == exact + done);
	if (f == FRAME_BAD) {
		check_err(&err, exact + done, n - (size_t)done);
		MUST(err.code == NOTIF_HEADER);
		done = -1;
	}
	check_dump(exact, n, NULL);
	free(exact);
	return done;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t piece, n;
	long whole, last = 0, now;
	bool ext;

	if (size < 1 || size > 20000)
		return 0;
	ext = data[0] & 1;
	piece = 1 + (size_t)(data[0] >> 1) + size / 64;
	data++;
	size--;
	whole = walk(data, size, ext, true);
	for (n = 0; n < size; n += piece) {
		now = walk(data, n, ext, false);
		/* More octets never take a message back. */
		MUST(now == -1 ? whole == -1 : now >= last);
		MUST(now == -1 || whole == -1 || now <= whole);
		if (now == -1)
			break;
		last = now;
	}
	return 0;
}
