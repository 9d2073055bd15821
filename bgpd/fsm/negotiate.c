/*
 * negotiate.c -- two OPENs in, one agreed session out (errors.md's order: AS,
 * hold time, identifier, role, families and capabilities).  What is wrong in
 * an OPEN by itself is wire_open_parse()'s.
 */
#include <stdio.h>
#include <string.h>

#include "bgpd/fsm/negotiate.h"

/* Offsets into the message, for wire_err.at. */
enum {
	AT_AS = 20,
	AT_HOLD = 22,
	AT_ID = 24,
	AT_PARAMS = 28
};

enum defect {
	BAD_AS,
	BAD_HOLD_ZERO,
	BAD_HOLD_MIN,
	BAD_ID_OURS,
	BAD_ROLE_TWO,
	BAD_ROLE_VALUE,
	BAD_ROLE_PAIR,
	BAD_ROLE_NONE,
	BAD_NO_FAMILY,
	LACKS,
	NDEFECTS,
};
enum {
	NREQ = REQ_EXT_NEXTHOP + 1
};

/* clang-format off */
static const struct {
	uint8_t sub, at;
	const char *why, *rfc;
} defect[NDEFECTS] = {
	[BAD_AS]	= { OPEN_BAD_AS, AT_AS,
		"the peer's AS is not the configured one", "RFC 4271 6.2" },
	[BAD_HOLD_ZERO]	= { OPEN_BAD_HOLD, AT_HOLD,
		"the peer wants no hold time, and a minimum is configured", "RFC 4271 6.2" },
	[BAD_HOLD_MIN]	= { OPEN_BAD_HOLD, AT_HOLD,
		"the peer's hold time is below the configured minimum", "RFC 4271 6.2" },
	[BAD_ID_OURS]	= { OPEN_BAD_ID, AT_ID,
		"the internal peer has our own BGP identifier", "RFC 6286 2.2" },
	[BAD_ROLE_TWO]	= { OPEN_ROLE_MISMATCH, AT_PARAMS,
		"the peer sent two different roles", "RFC 9234 4.2" },
	[BAD_ROLE_VALUE] = { OPEN_ROLE_MISMATCH, AT_PARAMS,
		"the peer sent a role that is not defined", "RFC 9234 4.2" },
	[BAD_ROLE_PAIR]	= { OPEN_ROLE_MISMATCH, AT_PARAMS,
		"the peer's role does not fit ours", "RFC 9234 4.2" },
	[BAD_ROLE_NONE]	= { OPEN_ROLE_MISMATCH, AT_PARAMS,
		"the peer sent no role, and strict mode wants one", "RFC 9234 4.2" },
	[BAD_NO_FAMILY]	= { OPEN_BAD_CAP, AT_PARAMS,
		"no address family in common", "RFC 5492 5" },
	[LACKS]		= { OPEN_BAD_CAP, AT_PARAMS,
		"the peer lacks a required capability", "RFC 5492 5" },
};

static const char *const req_name[NREQ] = {
	[REQ_AS4]	= "4-octet AS number",
	[REQ_REFRESH]	= "route refresh",
	[REQ_ENHANCED_REFRESH] = "enhanced route refresh",
	[REQ_ROLE]	= "BGP role",
	[REQ_GR]	= "graceful restart",
	[REQ_EXT_MSG]	= "extended messages",
	[REQ_INET]	= "IPv4 unicast",
	[REQ_INET6]	= "IPv6 unicast",
	[REQ_EXT_NEXTHOP] = "extended next hop",
};

/* RFC 9234 4.2: our role, and the only one that fits it. */
static const uint8_t role_pair[] = {
	[ROLE_PROVIDER]		= ROLE_CUSTOMER,
	[ROLE_RS]		= ROLE_RS_CLIENT,
	[ROLE_RS_CLIENT]	= ROLE_RS,
	[ROLE_CUSTOMER]		= ROLE_PROVIDER,
	[ROLE_PEER]		= ROLE_PEER,
};
/* clang-format on */

static enum wire_verdict
refuse(struct wire_err *err, enum defect d)
{
	memset(err, 0, sizeof(*err));
	err->verdict = WIRE_RESET;
	err->code = NOTIF_OPEN;
	err->sub = defect[d].sub;
	err->at = defect[d].at;
	err->why = defect[d].why;
	err->rfc = defect[d].rfc;
	return WIRE_RESET;
}

/* RFC 5492 5: the data lists what is missing, coded as in an OPEN. */
static enum wire_verdict
refuse_missing(
    struct wire_err *err, enum defect d, const struct wire_caps *missing)
{
	struct wbuf b;

	refuse(err, d);
	wbuf_init(&b, err->buf, sizeof(err->buf));
	wire_caps_write(&b, missing);
	err->len = b.len;
	return WIRE_RESET;
}

static bool
internal(const struct neg_want *w)
{
	return w->local_as == w->peer_as;
}

/* RFC 9234 4.1: roles are for external sessions. */
static uint8_t
own_role(const struct neg_want *w)
{
	return internal(w) ? ROLE_NONE : w->role;
}

static void
own_caps(const struct neg_want *w, struct wire_caps *c)
{
	unsigned int f;

	c->any = true;
	c->refresh = w->refresh;
	c->enhanced_refresh = w->enhanced_refresh;
	c->ext_msg = w->ext_msg;
	/* RFC 8950 is about IPv4 alone. */
	c->ext_nexthop = w->ext_nexthop && w->fam[FAM_INET];
	c->as4 = w->as4;
	c->as4_as = w->as4 ? w->local_as : 0;
	c->role_there = own_role(w) != ROLE_NONE;
	c->role = own_role(w);
	c->gr = w->gr;
	c->gr_restart = w->gr && w->gr_restarting;
	c->gr_notification = w->gr && w->gr_notification;
	c->gr_time_s = w->gr ? w->gr_time_s : 0;
	for (f = FAM_INET; f < FAM_N; f++) {
		c->mp[f] = w->fam[f];
		c->mp_there |= w->fam[f];
		c->gr_fam[f] = w->gr && w->fam[f];
		c->gr_fwd[f] = c->gr_fam[f] && w->gr_fwd[f];
	}
}

void
negotiate_open(const struct neg_want *w, bool no_caps, struct wire_open *o)
{
	memset(o, 0, sizeof(*o));
	o->version = 4;
	/* RFC 6793 4.2.1 */
	o->my_as =
	    w->local_as > UINT16_MAX ? WIRE_AS_TRANS : (uint16_t)w->local_as;
	o->hold_s = w->hold_s;
	o->id = w->id;
	o->caps.role = ROLE_NONE;
	if (!no_caps)
		own_caps(w, &o->caps);
	o->as = o->caps.as4 ? o->caps.as4_as : o->my_as;
}

static enum wire_verdict
check_as(const struct neg_want *w, const struct wire_open *r, char why[NEG_WHY],
    struct wire_err *err)
{
	if (r->as == w->peer_as)
		return WIRE_OK;
	snprintf(why, NEG_WHY, "the peer's AS is %u, and not %u (remote-as)",
	    r->as, w->peer_as);
	refuse(err, BAD_AS);
	err->why = why;
	return WIRE_RESET;
}

static enum wire_verdict
check_hold(const struct neg_want *w, const struct wire_open *r,
    char why[NEG_WHY], struct wire_err *err)
{
	if (r->hold_s >= w->hold_min_s)
		return WIRE_OK;
	if (r->hold_s == 0)
		return refuse(err, BAD_HOLD_ZERO);
	snprintf(why, NEG_WHY,
	    "the peer's hold time of %u s is below our minimum of %u s "
	    "(hold-time-min)",
	    r->hold_s, w->hold_min_s);
	refuse(err, BAD_HOLD_MIN);
	err->why = why;
	return WIRE_RESET;
}

/* RFC 6286: any other number is an identifier. */
static enum wire_verdict
check_id(
    const struct neg_want *w, const struct wire_open *r, struct wire_err *err)
{
	if (internal(w) && r->id == w->id)
		return refuse(err, BAD_ID_OURS);
	return WIRE_OK;
}

static enum wire_verdict
check_role(
    const struct neg_want *w, const struct wire_open *r, struct wire_err *err)
{
	uint8_t own = own_role(w);

	if (own >= sizeof(role_pair))
		return WIRE_OK;
	if (!r->caps.role_there)
		return w->role_strict ? refuse(err, BAD_ROLE_NONE) : WIRE_OK;
	if (r->caps.role_conflict)
		return refuse(err, BAD_ROLE_TWO);
	if (r->caps.role >= sizeof(role_pair))
		return refuse(err, BAD_ROLE_VALUE);
	if (r->caps.role != role_pair[own])
		return refuse(err, BAD_ROLE_PAIR);
	return WIRE_OK;
}

/*
 * RFC 4760 8: whoever sends no Multiprotocol capability has IPv4 unicast, and
 * that only.  One for families that we do not know is one.
 */
static bool
has_fam(const struct wire_caps *c, unsigned int fam)
{
	return c->mp_there ? c->mp[fam] : fam == FAM_INET;
}

/* A family that is ours by want and by what we sent, and the peer's. */
static bool
common_fam(const struct neg_want *w, const struct wire_open *sent,
    const struct wire_open *r, unsigned int fam)
{
	return w->fam[fam] && has_fam(&sent->caps, fam) &&
	    has_fam(&r->caps, fam);
}

static bool
lacks(const struct wire_caps *c, unsigned int req)
{
	switch ((enum neg_req)req) {
	case REQ_AS4:
		return !c->as4;
	case REQ_REFRESH:
		return !c->refresh;
	case REQ_ENHANCED_REFRESH:
		return !c->enhanced_refresh;
	case REQ_ROLE:
		return !c->role_there;
	case REQ_GR:
		return !c->gr;
	case REQ_EXT_MSG:
		return !c->ext_msg;
	case REQ_INET:
		return !has_fam(c, FAM_INET);
	case REQ_INET6:
		return !has_fam(c, FAM_INET6);
	case REQ_EXT_NEXTHOP:
		return !c->ext_nexthop;
	}
	return false;
}

/* Adds to `missing` the capability as we would send it. */
static void
add_missing(
    struct wire_caps *missing, unsigned int req, const struct neg_want *w)
{
	unsigned int f;

	missing->any = true;
	switch ((enum neg_req)req) {
	case REQ_AS4:
		missing->as4 = true;
		missing->as4_as = w->local_as;
		break;
	case REQ_REFRESH:
		missing->refresh = true;
		break;
	case REQ_ENHANCED_REFRESH:
		missing->enhanced_refresh = true;
		break;
	case REQ_ROLE:
		missing->role_there = true;
		missing->role = w->role;
		break;
	case REQ_GR:
		missing->gr = true;
		missing->gr_time_s = w->gr_time_s;
		for (f = FAM_INET; f < FAM_N; f++)
			missing->gr_fam[f] = w->fam[f];
		break;
	case REQ_EXT_MSG:
		missing->ext_msg = true;
		break;
	case REQ_INET:
		missing->mp_there = missing->mp[FAM_INET] = true;
		break;
	case REQ_INET6:
		missing->mp_there = missing->mp[FAM_INET6] = true;
		break;
	case REQ_EXT_NEXTHOP:
		missing->ext_nexthop = true;
		break;
	}
}

/* The sentence's list: each that is missing, after the first with a comma. */
static void
name_missing(char why[NEG_WHY], unsigned int req, bool first)
{
	if (!first)
		strlcat(why, ", ", NEG_WHY);
	else {
		if (why[0] != '\0')
			strlcat(why, "; ", NEG_WHY);
		strlcat(why, "the peer lacks required capabilities: ", NEG_WHY);
	}
	strlcat(why, req_name[req], NEG_WHY);
}

static enum wire_verdict
check_caps(const struct neg_want *w, const struct wire_open *sent,
    const struct wire_open *r, char why[NEG_WHY], struct wire_err *err)
{
	struct wire_caps missing = { .role = ROLE_NONE };
	unsigned int f, req;
	bool common = false, lack = false;

	why[0] = '\0';
	for (f = FAM_INET; f < FAM_N; f++)
		common |= common_fam(w, sent, r, f);
	if (!common) {
		strlcpy(why, defect[BAD_NO_FAMILY].why, NEG_WHY);
		missing.any = missing.mp_there = true;
		for (f = FAM_INET; f < FAM_N; f++) {
			if (w->fam[f])
				missing.mp[f] = true;
		}
	}
	for (req = 0; req < NREQ; req++) {
		if ((w->require & UINT32_C(1) << req) == 0 ||
		    !lacks(&r->caps, req))
			continue;
		/* Nobody has a role on an internal session. */
		if (req == REQ_ROLE && own_role(w) == ROLE_NONE)
			continue;
		add_missing(&missing, req, w);
		name_missing(why, req, !lack);
		lack = true;
	}
	if (common && !lack)
		return WIRE_OK;
	refuse_missing(err, common ? LACKS : BAD_NO_FAMILY, &missing);
	err->why = why;
	return WIRE_RESET;
}

/* RFC 4271 4.2, 4.4: the smaller one; a third of it, at least 1 s apart. */
static void
agree_hold(uint16_t ours, uint16_t theirs, struct negotiated *n)
{
	n->hold_s = ours < theirs ? ours : theirs;
	n->keepalive_s = n->hold_s / 3;
	if (n->hold_s != 0 && n->keepalive_s == 0)
		n->keepalive_s = 1;
}

static void
agree_gr(const struct wire_caps *ours, const struct wire_caps *theirs,
    struct negotiated *n)
{
	unsigned int f;

	n->gr = ours->gr && theirs->gr;
	if (!n->gr)
		return;
	n->gr_notification = ours->gr_notification && theirs->gr_notification;
	n->gr_peer_restarting = theirs->gr_restart;
	n->gr_peer_time_s = theirs->gr_time_s;
	for (f = FAM_INET; f < FAM_N; f++) {
		n->gr_peer_fam[f] = theirs->gr_fam[f] && n->wire.mp[f];
		n->gr_peer_fwd[f] = n->gr_peer_fam[f] && theirs->gr_fwd[f];
	}
}

static void
agree(const struct neg_want *w, const struct wire_open *sent,
    const struct wire_open *r, struct negotiated *n)
{
	const struct wire_caps *ours = &sent->caps, *theirs = &r->caps;
	unsigned int f;

	memset(n, 0, sizeof(*n));
	for (f = FAM_INET; f < FAM_N; f++)
		n->wire.mp[f] = common_fam(w, sent, r, f);
	n->wire.as4 = ours->as4 && theirs->as4;
	n->wire.ext_nexthop =
	    ours->ext_nexthop && theirs->ext_nexthop && n->wire.mp[FAM_INET];
	/* RFC 8654 4: each direction by what its receiver announced. */
	n->wire.ext_rx = ours->ext_msg;
	n->wire.ext_tx = w->ext_msg && theirs->ext_msg;
	n->wire.internal = internal(w);
	n->wire.allow_as_set = w->allow_as_set;
	/* RFC 2918 4, 7313 4: whoever sent it can take it. */
	n->refresh = w->refresh && theirs->refresh;
	n->enhanced_refresh = w->enhanced_refresh && theirs->enhanced_refresh;
	agree_hold(sent->hold_s, r->hold_s, n);
	n->local_role = own_role(w);
	n->remote_role = theirs->role_there && !theirs->role_conflict
	    ? theirs->role
	    : ROLE_NONE;
	agree_gr(ours, theirs, n);
}

enum wire_verdict
negotiate(const struct neg_want *w, const struct wire_open *sent,
    const struct wire_open *received, struct negotiated *n,
    struct wire_err *err)
{
	if (check_as(w, received, n->why, err) != WIRE_OK ||
	    check_hold(w, received, n->why, err) != WIRE_OK ||
	    check_id(w, received, err) != WIRE_OK ||
	    check_role(w, received, err) != WIRE_OK ||
	    check_caps(w, sent, received, n->why, err) != WIRE_OK)
		return WIRE_RESET;
	agree(w, sent, received, n);
	return WIRE_OK;
}
