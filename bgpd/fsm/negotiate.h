/*
 * negotiate.h -- two OPENs in, one agreed session (or the NOTIFICATION) out;
 * and which of two connections survives.  Pure.
 */
#ifndef NEGOTIATE_H
#define NEGOTIATE_H

#include "bgpd/fsm/fsm.h"
#include "bgpd/wire/wire.h"

/* What we want of this peer; from the configuration. */
struct neg_want {
	uint32_t local_as, peer_as;
	uint32_t id;
	uint16_t hold_s, hold_min_s;
	bool fam[FAM_N];
	bool refresh, enhanced_refresh, ext_msg, as4, ext_nexthop;
	bool role_strict;
	uint8_t role; /* enum wire_role; ROLE_NONE: none configured */
	bool gr, gr_restarting, gr_notification;
	uint16_t gr_time_s;
	bool gr_fwd[FAM_N]; /* forwarding state was preserved */
	uint32_t require; /* bit 1 << enum neg_req; what the peer must send */
	bool allow_as_set;
};
enum neg_req {
	REQ_AS4,
	REQ_REFRESH,
	REQ_ENHANCED_REFRESH,
	REQ_ROLE,
	REQ_GR,
	REQ_EXT_MSG,
	REQ_INET,
	REQ_INET6,
	REQ_EXT_NEXTHOP
};

enum {
	NEG_WHY = 288 /* a sentence that names all capabilities */
};

struct negotiated {
	struct wire_neg wire;
	bool refresh, enhanced_refresh; /* configured, and the peer sent it */
	uint16_t hold_s, keepalive_s; /* 0: none */
	uint8_t remote_role; /* ROLE_NONE when not sent */
	uint8_t local_role; /* ROLE_NONE on an internal session */
	bool gr, gr_notification; /* both sides have it */
	bool gr_peer_restarting;
	uint16_t gr_peer_time_s;
	bool gr_peer_fam[FAM_N], gr_peer_fwd[FAM_N];
	char why[NEG_WHY]; /* negotiate() refused: may hold err->why */
};

/* The OPEN that we send; no_caps: after the peer refused parameters (2/4). */
void negotiate_open(
    const struct neg_want *, bool no_caps, struct wire_open *out);
/*
 * WIRE_OK with *n, or WIRE_RESET with *err and, in err->why, the sentence,
 * which is static or in n->why.
 * For an OPEN that wire_open_parse() found right in itself.
 * `sent` is what negotiate_open() made for this connection.  Order of checks:
 * errors.md, OPEN.
 */
enum wire_verdict negotiate(const struct neg_want *,
    const struct wire_open *sent, const struct wire_open *received,
    struct negotiated *n, struct wire_err *err);

/*
 * A peer has two connections, one dialled by us, one by the peer, and a valid
 * OPEN arrived on one ("new"); what is known of the other.
 */
struct collide {
	uint32_t local_id, remote_id, local_as, remote_as;
	enum fsm_state other; /* state of the other connection */
	bool other_dialled; /* by us */
	bool other_open_seen; /* its OPEN told us the identifier */
	bool peer_restarts; /* Established, peer had graceful restart */
};
/* What is closed gets event 23, before event 19 goes to the new one. */
enum collide_verdict {
	COLLIDE_NONE,
	COLLIDE_CLOSE_OTHER,
	COLLIDE_CLOSE_NEW,
	/* Event 18 to the other: Established goes without a NOTIFICATION. */
	COLLIDE_REPLACE
};
/* RFC 4271 6.8, RFC 6286 2.3, RFC 4724 5. */
enum collide_verdict collide_check(const struct collide *);

#endif /* NEGOTIATE_H */
