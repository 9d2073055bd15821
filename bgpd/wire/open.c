/*
 * open.c -- OPEN: RFC 4271 4.2 and 6.2, 5492, 6793, 7607, 9072.
 */
#include "bgpd/wire/codec.h"

#include <string.h>

enum {
	VERSION = 4,
	PARAM_CAPS = 2,
	PARAM_EXT = 255
};

static enum wire_verdict
bad(struct wire_err *err, uint8_t sub, size_t at, const char *why,
    const char *rfc)
{
	err_reset(err, NOTIF_OPEN, sub, why, rfc);
	err->at = at;
	return WIRE_RESET;
}

/* One parameter of type 2: several of them count as one (RFC 5492 4). */
static enum wire_verdict
caps_parse(struct cur *c, const struct cur *body, struct wire_caps *k,
    struct wire_err *err)
{
	struct cur val;
	uint8_t code, len;

	while (cur_left(c) > 0) {
		size_t at = err_at(body, c);

		if (!cur_u8(c, &code) || !cur_u8(c, &len) ||
		    !cur_sub(c, len, &val))
			return bad(err, OPEN_UNSPECIFIC, at,
			    "a capability runs over its parameter",
			    "RFC 5492 4");
		cap_parse(code, &val, k);
	}
	return WIRE_OK;
}

static bool
param_cut(struct cur *c, bool ext, uint8_t *type, struct cur *val)
{
	uint16_t len16;
	uint8_t len;

	if (!cur_u8(c, type))
		return false;
	if (ext)
		return cur_u16(c, &len16) && cur_sub(c, len16, val);
	return cur_u8(c, &len) && cur_sub(c, len, val);
}

/*
 * Opt Parm Len and what follows.  RFC 9072 2: the length is not 0 and the
 * first type is 255: a two-octet total comes next, and lengths have two
 * octets; Opt Parm Len itself then says nothing.
 */
static enum wire_verdict
params_parse(struct cur *c, const struct cur *body, struct wire_caps *k,
    struct wire_err *err)
{
	size_t at = err_at(body, c);
	struct cur look, val;
	uint16_t total;
	uint8_t type, optlen;
	bool ext;

	if (!cur_u8(c, &optlen))
		return err_length(
		    err, body, "OPEN is too short", "RFC 4271 6.1");
	look = *c;
	ext = optlen != 0 && cur_u8(&look, &type) && type == PARAM_EXT;
	total = optlen;
	if (ext) {
		*c = look;
		at = err_at(body, c);
		if (!cur_u16(c, &total))
			return bad(err, OPEN_UNSPECIFIC, at,
			    "the extended parameter length is cut off",
			    "RFC 9072 2");
	}
	if (total != cur_left(c))
		return bad(err, OPEN_UNSPECIFIC, at,
		    "the optional parameters do not fill the message",
		    ext ? "RFC 9072 2" : "RFC 4271 6.2");
	while (cur_left(c) > 0) {
		at = err_at(body, c);
		if (!param_cut(c, ext, &type, &val))
			return bad(err, OPEN_UNSPECIFIC, at,
			    "an optional parameter runs over the message",
			    "RFC 4271 6.2");
		if (type != PARAM_CAPS)
			return bad(err, OPEN_BAD_PARAM, at,
			    "the optional parameter is not known",
			    "RFC 4271 6.2");
		if (caps_parse(&val, body, k, err) != WIRE_OK)
			return WIRE_RESET;
	}
	return WIRE_OK;
}

/* What is wrong with the ASNs in themselves: RFC 7607 2, RFC 6793 9. */
static const char *
as_check(const struct wire_open *o, const char **rfc)
{
	const struct wire_caps *k = &o->caps;

	*rfc = "RFC 7607 2";
	if (o->my_as == 0)
		return "My Autonomous System is 0";
	if (k->as4 && k->as4_as == 0)
		return "the AS of the 4-octet AS capability is 0";
	*rfc = "RFC 6793 9";
	if (k->as4 && k->as4_as == WIRE_AS_TRANS)
		return "the 4-octet AS capability says AS_TRANS";
	if (!k->as4 && o->my_as == WIRE_AS_TRANS)
		return "AS_TRANS without the 4-octet AS capability";
	if (k->as4 && o->my_as != WIRE_AS_TRANS && o->my_as != k->as4_as)
		return "My Autonomous System and the 4-octet AS differ";
	return NULL;
}

enum wire_verdict
wire_open_parse(struct cur *body, struct wire_open *o, struct wire_err *err)
{
	struct cur all = *body, as, hold, id;
	const char *why, *rfc;

	memset(o, 0, sizeof *o);
	o->caps.role = ROLE_NONE;
	if (cur_left(body) < 10 || !cur_u8(body, &o->version))
		return err_length(err, &all, "OPEN is shorter than 29 octets",
		    "RFC 4271 6.1");
	if (o->version != VERSION) {
		bad(err, OPEN_BAD_VERSION, WIRE_HDR_LEN,
		    "the BGP version is not 4", "RFC 4271 6.2");
		err->buf[1] = VERSION; /* the two octets 00 04 */
		err->len = 2;
		return WIRE_RESET;
	}
	as = *body;
	if (!cur_u16(body, &o->my_as) || !cur_sub(body, 2, &hold) ||
	    !cur_sub(body, 4, &id))
		return err_length(err, &all, "OPEN is shorter than 29 octets",
		    "RFC 4271 6.1");
	if (params_parse(body, &all, &o->caps, err) != WIRE_OK)
		return WIRE_RESET;
	o->as = o->caps.as4 ? o->caps.as4_as : o->my_as;
	why = as_check(o, &rfc);
	if (why != NULL)
		return bad(err, OPEN_BAD_AS, err_at(&all, &as), why, rfc);
	as = hold;
	if (!cur_u16(&hold, &o->hold_s) || o->hold_s == 1 || o->hold_s == 2)
		return bad(err, OPEN_BAD_HOLD, err_at(&all, &as),
		    "the hold time is 1 or 2 seconds", "RFC 4271 6.2");
	as = id;
	if (!cur_u32(&id, &o->id) || o->id == 0)
		return bad(err, OPEN_BAD_ID, err_at(&all, &as),
		    "the BGP identifier is 0", "RFC 6286 2.1");
	return WIRE_OK;
}

/*
 * All that struct wire_caps can say takes less than 100 octets, so RFC 9072's
 * form, for more than 255, is only ever read.
 */
void
wire_open_write(struct wbuf *w, const struct wire_open *o)
{
	size_t begin = wire_msg_begin(w, MSG_OPEN);
	size_t params, caps;

	wbuf_u8(w, o->version);
	wbuf_u16(w, o->my_as);
	wbuf_u16(w, o->hold_s);
	wbuf_u32(w, o->id);
	params = wbuf_len8(w);
	if (o->caps.any) {
		wbuf_u8(w, PARAM_CAPS);
		caps = wbuf_len8(w);
		wire_caps_write(w, &o->caps);
		wbuf_end8(w, caps);
	}
	wbuf_end8(w, params);
	wire_msg_end(w, begin);
}
