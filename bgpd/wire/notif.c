/*
 * notif.c -- NOTIFICATION: RFC 4271 4.5, names of all codes, the text of
 * RFC 9003, the envelope of RFC 8538.
 */
#include "bgpd/wire/codec.h"

#include <string.h>

enum {
	TEXT_MAX = 255,
	NOTIF_MIN = 21
};

/* clang-format off */
static const char *const code_name[] = {
	[NOTIF_HEADER]	  = "Message Header Error",
	[NOTIF_OPEN]	  = "OPEN Message Error",
	[NOTIF_UPDATE]	  = "UPDATE Message Error",
	[NOTIF_HOLD]	  = "Hold Timer Expired",
	[NOTIF_FSM]	  = "Finite State Machine Error",
	[NOTIF_CEASE]	  = "Cease",
	[NOTIF_REFRESH]	  = "ROUTE-REFRESH Message Error",
	[NOTIF_SEND_HOLD] = "Send Hold Timer Expired",
};

enum { NCODE = NOTIF_SEND_HOLD + 1, NSUB = OPEN_ROLE_MISMATCH + 1 };

static const char *const sub_name[NCODE][NSUB] = {
	[NOTIF_HEADER] = {
		[HDR_NOT_SYNCED]	= "Connection Not Synchronized",
		[HDR_BAD_LENGTH]	= "Bad Message Length",
		[HDR_BAD_TYPE]		= "Bad Message Type" },
	[NOTIF_OPEN] = {
		[OPEN_BAD_VERSION]	= "Unsupported Version Number",
		[OPEN_BAD_AS]		= "Bad Peer AS",
		[OPEN_BAD_ID]		= "Bad BGP Identifier",
		[OPEN_BAD_PARAM]	= "Unsupported Optional Parameter",
		[5]			= "Authentication Failure",
		[OPEN_BAD_HOLD]		= "Unacceptable Hold Time",
		[OPEN_BAD_CAP]		= "Unsupported Capability",
		[OPEN_ROLE_MISMATCH]	= "Role Mismatch" },
	[NOTIF_UPDATE] = {
		[UPD_MALFORMED]		= "Malformed Attribute List",
		[UPD_UNKNOWN_WELLKNOWN]	= "Unrecognized Well-known Attribute",
		[UPD_MISSING]		= "Missing Well-known Attribute",
		[UPD_FLAGS]		= "Attribute Flags Error",
		[UPD_LENGTH]		= "Attribute Length Error",
		[UPD_ORIGIN]		= "Invalid ORIGIN Attribute",
		[7]			= "AS Routing Loop",
		[UPD_NEXT_HOP]		= "Invalid NEXT_HOP Attribute",
		[UPD_OPTIONAL]		= "Optional Attribute Error",
		[UPD_NETWORK]		= "Invalid Network Field",
		[UPD_AS_PATH]		= "Malformed AS_PATH" },
	[NOTIF_FSM] = {
		[FSM_SUB_OPENSENT]	= "Unexpected Message in OpenSent",
		[FSM_SUB_OPENCONFIRM]	= "Unexpected Message in OpenConfirm",
		[FSM_SUB_ESTABLISHED]	= "Unexpected Message in Established" },
	[NOTIF_CEASE] = { /* RFC 4486 4 */
		[CEASE_MAX_PREFIX]	= "Maximum Number of Prefixes Reached",
		[CEASE_SHUTDOWN]	= "Administrative Shutdown",
		[CEASE_DECONFIGURED]	= "Peer De-configured",
		[CEASE_RESET]		= "Administrative Reset",
		[CEASE_REJECTED]	= "Connection Rejected",
		[CEASE_CONFIG]		= "Other Configuration Change",
		[CEASE_COLLISION]	= "Connection Collision Resolution",
		[CEASE_RESOURCES]	= "Out of Resources",
		[CEASE_HARD_RESET]	= "Hard Reset",
		[CEASE_BFD_DOWN]	= "BFD Down" },
	[NOTIF_REFRESH] = {
		[REFRESH_BAD_LENGTH]	= "Invalid Message Length" },
};
/* clang-format on */

const char *
wire_notif_name(uint8_t code)
{
	if (code >= NCODE || code_name[code] == NULL)
		return "unknown error";
	return code_name[code];
}

const char *
wire_notif_subname(uint8_t code, uint8_t sub)
{
	if (sub == 0)
		return "Unspecific";
	if (code >= NCODE || sub >= NSUB || sub_name[code][sub] == NULL)
		return "unknown subcode";
	return sub_name[code][sub];
}

/* Cut to its length octet and to the message: RFC 9003 2. */
static void
text_parse(struct cur *data, struct wire_notif *n)
{
	struct cur text;
	struct txt t;
	uint8_t len;

	if (!cur_u8(data, &len))
		return;
	if (!cur_sub(data, len, &text))
		text = *data;
	txt_init(&t, n->text, sizeof n->text);
	txt_utf8(&t, text.p, cur_left(&text));
}

void
wire_notif_parse(struct cur *body, struct wire_notif *n)
{
	struct cur inner;

	memset(n, 0, sizeof *n);
	if (cur_u8(body, &n->code) && cur_u8(body, &n->sub)) {
		inner = *body;
		/* One envelope; one inside it stays as it is (RFC 8538 3). */
		if (n->code == NOTIF_CEASE && n->sub == CEASE_HARD_RESET &&
		    cur_left(&inner) >= 2) {
			n->hard =
			    cur_u8(&inner, &n->code) && cur_u8(&inner, &n->sub);
			*body = inner;
		}
	}
	n->data = body->p;
	n->len = cur_left(body);
	if (n->code == NOTIF_CEASE &&
	    (n->sub == CEASE_SHUTDOWN || n->sub == CEASE_RESET))
		text_parse(body, n);
	body->p = body->end;
}

void
wire_notif_write(struct wbuf *w, uint8_t code, uint8_t sub, const uint8_t *data,
    size_t len, bool hard)
{
	size_t begin = wire_msg_begin(w, MSG_NOTIFICATION);
	size_t room = WIRE_MAX - NOTIF_MIN;

	if (hard) {
		wbuf_u8(w, NOTIF_CEASE);
		wbuf_u8(w, CEASE_HARD_RESET);
		room -= 2;
	}
	wbuf_u8(w, code);
	wbuf_u8(w, sub);
	wbuf_bytes(w, data, len < room ? len : room);
	wire_msg_end(w, begin);
}

size_t
wire_shutdown_text(uint8_t *buf, size_t cap, const char *text, size_t max)
{
	size_t n = 0, step;
	struct cur c;

	if (text == NULL || *text == '\0' || cap < 2)
		return 0;
	if (max > TEXT_MAX)
		max = TEXT_MAX;
	if (max > cap - 1)
		max = cap - 1;
	cur_init(&c, text, strlen(text));
	while (
	    (step = utf8_len(&c)) > 0 && n + step <= max && cur_skip(&c, step))
		n += step;
	if (n == 0)
		return 0;
	buf[0] = (uint8_t)n;
	memcpy(buf + 1, text, n);
	return n + 1;
}
