/*
 * refresh.c -- ROUTE-REFRESH: RFC 2918, enhanced by RFC 7313.
 */
#include "bgpd/wire/codec.h"

#include <string.h>

enum {
	SAFI_UNICAST = 1,
	BODY_LEN = 4
};

enum wire_verdict
wire_refresh_parse(struct cur *body, bool enhanced, struct wire_refresh *r,
    struct wire_err *err)
{
	struct cur all = *body;
	bool whole;

	memset(r, 0, sizeof *r);
	whole = cur_u16(body, &r->afi) && cur_u8(body, &r->subtype) &&
	    cur_u8(body, &r->safi);
	if (enhanced && cur_left(&all) != BODY_LEN &&
	    (r->subtype == REFRESH_BORR || r->subtype == REFRESH_EORR)) {
		err_reset(err, NOTIF_REFRESH, REFRESH_BAD_LENGTH,
		    "BoRR or EoRR is not 23 octets long", "RFC 7313 5");
		/* The data is the message itself, from its header on. */
		err->data = all.p - WIRE_HDR_LEN;
		err->len = cur_left(&all) + WIRE_HDR_LEN;
		err->at = WIRE_HDR_LEN - 3;
		return WIRE_RESET;
	}
	if (!whole)
		return err_length(err, &all,
		    "ROUTE-REFRESH is shorter than 23 octets", "RFC 2918 3");
	/* To RFC 2918 the octet is reserved. */
	if (!enhanced)
		r->subtype = REFRESH_REQUEST;
	r->fam = fam_of(r->afi, r->safi);
	return WIRE_OK;
}

void
wire_refresh_write(struct wbuf *w, enum fam f, uint8_t subtype)
{
	size_t begin = wire_msg_begin(w, MSG_ROUTE_REFRESH);

	wbuf_u16(w, (uint16_t)f);
	wbuf_u8(w, subtype);
	wbuf_u8(w, SAFI_UNICAST);
	wire_msg_end(w, begin);
}
