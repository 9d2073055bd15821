/*
 * wire.h -- the BGP-4 codec: octets <-> structs.  Knows RFCs, knows no peers.
 * Pure: no descriptor, no clock, no log.  Host order everywhere inside.
 *
 * A parser returns a verdict and fills a struct wire_err; it never acts.
 * Which reaction belongs to which error is RFC 4271 section 6 as revised by
 * RFC 7606; the rows stand in the tables of attr_tab.c and cap.c.
 */
#ifndef WIRE_H
#define WIRE_H

#include "lib/addr.h"
#include "lib/arena.h"
#include "lib/cur.h"
#include "lib/pfx.h"
#include "lib/wbuf.h"

enum {
	WIRE_HDR_LEN = 19,
	WIRE_MAX = 4096,
	WIRE_MAX_EXT = 65535, /* RFC 8654 */
	WIRE_AS_TRANS = 23456,
};

enum wire_type {
	MSG_OPEN = 1,
	MSG_UPDATE = 2,
	MSG_NOTIFICATION = 3,
	MSG_KEEPALIVE = 4,
	MSG_ROUTE_REFRESH = 5,
	MSG_N = 6,
};

/* RFC 7606 section 3 (h): the strongest verdict decides: the order matters. */
enum wire_verdict {
	WIRE_OK,
	WIRE_DISCARD,
	WIRE_WITHDRAW,
	WIRE_RESET
};

/* NOTIFICATION codes (RFC 4271 6, 7313 5, 9687 6) and the subcodes we use. */
enum notif_code {
	NOTIF_HEADER = 1,
	NOTIF_OPEN = 2,
	NOTIF_UPDATE = 3,
	NOTIF_HOLD = 4,
	NOTIF_FSM = 5,
	NOTIF_CEASE = 6,
	NOTIF_REFRESH = 7,
	NOTIF_SEND_HOLD = 8,
};
/* clang-format off */
/* clang-format off */
enum {
	HDR_NOT_SYNCED = 1, HDR_BAD_LENGTH = 2, HDR_BAD_TYPE = 3,
	OPEN_UNSPECIFIC = 0, OPEN_BAD_VERSION = 1, OPEN_BAD_AS = 2,
	OPEN_BAD_ID = 3, OPEN_BAD_PARAM = 4, OPEN_BAD_HOLD = 6,
	OPEN_BAD_CAP = 7, OPEN_ROLE_MISMATCH = 11,
	UPD_MALFORMED = 1, UPD_UNKNOWN_WELLKNOWN = 2, UPD_MISSING = 3,
	UPD_FLAGS = 4, UPD_LENGTH = 5, UPD_ORIGIN = 6, UPD_NEXT_HOP = 8,
	UPD_OPTIONAL = 9, UPD_NETWORK = 10, UPD_AS_PATH = 11,
	FSM_SUB_OPENSENT = 1, FSM_SUB_OPENCONFIRM = 2, FSM_SUB_ESTABLISHED = 3,
	CEASE_MAX_PREFIX = 1, CEASE_SHUTDOWN = 2, CEASE_DECONFIGURED = 3,
	CEASE_RESET = 4, CEASE_REJECTED = 5, CEASE_CONFIG = 6,
	CEASE_COLLISION = 7, CEASE_RESOURCES = 8, CEASE_HARD_RESET = 9,
	CEASE_BFD_DOWN = 10,
	REFRESH_BAD_LENGTH = 1,
};
/* clang-format on */
/* clang-format on */

/*
 * What is wrong with a message.  `data` (or, when that is NULL, `buf`) is the
 * NOTIFICATION's data; it points into the message.  `at` is the octet at
 * fault, counted from the start of the message; `why` and `rfc` are static
 * text: the rule broken, and where it stands ("RFC 7606 7.1").
 */
struct wire_err {
	enum wire_verdict verdict;
	uint8_t code, sub;
	uint8_t attr; /* attribute type, 0 when none is at fault */
	const uint8_t *data;
	size_t len; /* of data or buf */
	uint8_t buf[64];
	size_t at;
	const char *why, *rfc;
};

/* ---- frames ------------------------------------------------- frame.c */

struct wire_hdr {
	uint16_t len; /* the whole message, header included */
	uint8_t type;
};

enum wire_frame {
	FRAME_MORE,
	FRAME_MSG,
	FRAME_BAD
};

/*
 * Looks at the start of `in`.  FRAME_MSG: *h and *body (what follows the
 * header) are set and `in` has moved behind the message.  FRAME_MORE: octets
 * are missing, nothing moved (a bad header is seen as soon as its octet is
 * there).  FRAME_BAD: *err says why (RFC 4271 6.1; order marker, length,
 * type, length of the type).  ext: we announced RFC 8654.
 */
enum wire_frame wire_frame(struct cur *in, bool ext, struct wire_hdr *h,
    struct cur *body, struct wire_err *err);

/*
 * Starts a message of the type; wire_msg_end() fills its length in.  When the
 * room did not suffice, `over` stays set and no part of the message is left:
 * so every wire_*_write() below.
 */
size_t wire_msg_begin(struct wbuf *, enum wire_type);
void wire_msg_end(struct wbuf *, size_t begin);
void wire_keepalive_write(struct wbuf *);
const char *wire_type_name(unsigned int type);

/* ---- OPEN ------------------------------------------- open.c and cap.c */

enum cap_code {
	CAP_MP = 1,
	CAP_REFRESH = 2,
	CAP_EXT_NEXTHOP = 5,
	CAP_EXT_MSG = 6,
	CAP_ROLE = 9,
	CAP_GR = 64,
	CAP_AS4 = 65,
	CAP_ADDPATH = 69,
	CAP_ENHANCED_REFRESH = 70,
};

/* RFC 9234 4.1, the value on the wire. */
/* clang-format off */
enum wire_role {
	ROLE_PROVIDER = 0, ROLE_RS = 1, ROLE_RS_CLIENT = 2, ROLE_CUSTOMER = 3,
	ROLE_PEER = 4, ROLE_NONE = 255,
};
/* clang-format on */

/* What one OPEN says it can. */
struct wire_caps {
	bool any; /* at least one capability was there */
	bool mp_there; /* RFC 4760: at least one, of whatever family */
	bool mp[FAM_N];
	bool refresh; /* RFC 2918 */
	bool enhanced_refresh; /* RFC 7313 */
	bool ext_nexthop; /* RFC 8950: IPv4 unicast over an IPv6 next hop */
	bool ext_msg; /* RFC 8654 */
	bool as4; /* RFC 6793 */
	uint32_t as4_as;
	bool role_there, role_conflict; /* RFC 9234; two different values */
	uint8_t role;
	bool gr; /* RFC 4724 */
	bool gr_restart, gr_notification; /* R and N (RFC 8538) bits */
	uint16_t gr_time_s;
	bool gr_fam[FAM_N], gr_fwd[FAM_N];
	uint16_t bad; /* known, but ignored for their length */
	uint8_t unknown; /* how many we do not know */
};

struct wire_open {
	uint8_t version;
	uint16_t my_as; /* the two octets */
	uint32_t as; /* the AS that counts: capability 65, else my_as */
	uint16_t hold_s;
	uint32_t id;
	struct wire_caps caps;
};

/*
 * WIRE_OK, or WIRE_RESET with *err: what is wrong in itself (version, framing
 * incl. RFC 9072, AS 0 / AS_TRANS, identifier 0, hold time 1 or 2).  What is
 * wrong for this peer is fsm/negotiate.h's.
 */
enum wire_verdict wire_open_parse(
    struct cur *body, struct wire_open *, struct wire_err *err);
/*
 * Version, my_as and hold time from the struct; capabilities as set in caps.
 * caps.any false: no parameter at all.  (RFC 9072's form is never needed: all
 * that caps can say has less than 255 octets.)
 */
void wire_open_write(struct wbuf *, const struct wire_open *);
/* The capabilities alone, as in an OPEN: data of Unsupported Capability. */
void wire_caps_write(struct wbuf *, const struct wire_caps *);
/* "4-octet AS number"; NULL when not known. */
const char *wire_cap_name(unsigned int code);

/* ---- UPDATE --------------------------- update.c, attr.c, attr_tab.c, ... */

/* clang-format off */
enum attr_type {
	ATTR_ORIGIN = 1, ATTR_AS_PATH = 2, ATTR_NEXT_HOP = 3, ATTR_MED = 4,
	ATTR_LOCAL_PREF = 5, ATTR_ATOMIC_AGGREGATE = 6, ATTR_AGGREGATOR = 7,
	ATTR_COMMUNITIES = 8, ATTR_ORIGINATOR_ID = 9, ATTR_CLUSTER_LIST = 10,
	ATTR_MP_REACH = 14, ATTR_MP_UNREACH = 15, ATTR_EXT_COMMUNITIES = 16,
	ATTR_AS4_PATH = 17, ATTR_AS4_AGGREGATOR = 18,
	ATTR_LARGE_COMMUNITIES = 32, ATTR_OTC = 35,
};
/* clang-format on */
/* clang-format off */
enum attr_flag { AF_OPT = 0x80, AF_TRANS = 0x40, AF_PARTIAL = 0x20,
	AF_EXTLEN = 0x10 };
enum { ORIGIN_IGP = 0, ORIGIN_EGP = 1, ORIGIN_INCOMPLETE = 2 };
enum { SEG_SET = 1, SEG_SEQUENCE = 2, SEG_CONFED_SEQUENCE = 3,
	SEG_CONFED_SET = 4 };
/* clang-format on */
/* Well-known communities. */
#define COMM_GRACEFUL_SHUTDOWN 0xffff0000u
#define COMM_BLACKHOLE 0xffff029au
#define COMM_NO_EXPORT 0xffffff01u
#define COMM_NO_ADVERTISE 0xffffff02u
#define COMM_NO_EXPORT_SUBCONFED 0xffffff03u
#define COMM_NO_PEER 0xffffff04u

/* Octets somebody else owns. */
struct octets {
	const uint8_t *p;
	uint16_t len;
};

/* Which of the fields of struct attrs are there: 1 << one of these. */
/* clang-format off */
enum attr_has {
	HAS_ORIGIN, HAS_AS_PATH, HAS_NEXT_HOP, HAS_MED, HAS_LOCAL_PREF,
	HAS_ATOMIC, HAS_AGGREGATOR, HAS_ORIGINATOR_ID, HAS_OTC,
	/*
	 * The optional transitive attribute came with the Partial bit: once
	 * set, it must stay (RFC 4271 5).  Means nothing without the attribute.
	 */
	HAS_PARTIAL_AGGREGATOR, HAS_PARTIAL_COMMS, HAS_PARTIAL_EXT_COMMS,
	HAS_PARTIAL_LARGE_COMMS, HAS_PARTIAL_OTC,
};
/* clang-format on */

/*
 * The path attributes of a route, in the form everything inside uses.  The
 * octet fields point into the message, its arena, or an interned set
 * (rib/attrs.h); they hold what stands on the wire, in network order, except
 * that AS_PATH always has 4-octet ASNs (AS4_PATH merged in, RFC 6793 4.2.3).
 * An empty octet field means that the attribute is not there, except for
 * AS_PATH (HAS_AS_PATH with length 0 is an empty path).
 */
struct attrs {
	uint32_t has;
	uint32_t med, local_pref;
	uint32_t aggr_as, originator_id, otc;
	struct addr aggr_id; /* IPv4 */
	/*
	 * NEXT_HOP or MP_REACH_NLRI's global address.  HAS_NEXT_HOP belongs to
	 * the attribute of a parsed message; the writer goes by nexthop.fam.
	 */
	struct addr nexthop;
	struct addr nexthop_ll; /* second, link-local one (RFC 2545) or none */
	uint8_t origin;
	struct octets as_path; /* segments: type, count, count x 4 */
	struct octets comms; /* n x 4 */
	struct octets ext_comms; /* n x 8 */
	struct octets large_comms; /* n x 12 */
	struct octets cluster_list; /* n x 4 */
	/* Unknown optional transitive ones, whole (flags with AF_PARTIAL set,
	 * type, length as sent, value), ascending by type. */
	struct octets unknown;
	/* On no wire: a rule's weight plus 1; 0: that of its neighbor. */
	uint32_t weight;
};

/* What the two OPENs agreed on, as far as the codec needs it. */
struct wire_neg {
	bool as4;
	bool mp[FAM_N];
	bool ext_nexthop;
	bool ext_rx, ext_tx; /* we sent, the peer sent RFC 8654 */
	bool internal; /* same AS on both sides */
	bool allow_as_set; /* RFC 9774 switched off */
	bool addpath_rx[FAM_N]; /* always false until RFC 7911 is offered */
};

struct update {
	enum wire_verdict verdict;
	struct wire_err err; /* of the strongest defect */
	/*
	 * What the message names, framing checked, families not negotiated
	 * dropped; empty when nothing.  Read with wire_nlri_next().  On
	 * WIRE_WITHDRAW the nlri are still there: they are to be treated as
	 * withdrawn.
	 */
	struct cur withdrawn, nlri; /* IPv4 */
	struct cur mp_unreach, mp_reach;
	enum fam mp_unreach_fam, mp_reach_fam;
	/*
	 * attrs.nexthop is NEXT_HOP, only for nlri (none when nlri is empty:
	 * its value is then ignored); the prefixes of mp_reach have the same
	 * attributes with mp_nexthop and mp_nexthop_ll in its place.
	 */
	struct attrs attrs;
	struct addr mp_nexthop, mp_nexthop_ll;
	enum fam eor; /* End-of-RIB of this family, or FAM_NONE */
	uint8_t discarded[8]; /* types of attributes discarded as malformed */
	uint8_t ndiscarded;
	bool unnegotiated; /* named a family that was not agreed on */
};

/*
 * Parses the whole body (RFC 4271 6.3 as revised by RFC 7606).  Memory that is
 * not the message's own comes from the arena.  Returns upd->verdict; on
 * WIRE_RESET the other fields are not to be used.  err.at takes the body to
 * stand WIRE_HDR_LEN octets behind the start of its message.
 */
enum wire_verdict wire_update_parse(struct cur *body, const struct wire_neg *,
    struct update *upd, struct arena *);
/* Next prefix, masked; false at the end.  For octets of a parsed update. */
bool wire_nlri_next(struct cur *, enum fam, struct pfx *);

/*
 * Write one whole UPDATE into the buffer, with as many of the n prefixes (all
 * of the family) as fit into the room and the session's message size; return
 * how many.  0 means that not even one fits, or that the next hop cannot be
 * one of the family; nothing is written then.  IPv4 goes in the NLRI field
 * (MP_REACH_NLRI when its next hop is IPv6), IPv6 in MP_REACH_NLRI, first.
 * All that attrs has is written: what a peer may not see (LOCAL_PREF) is the
 * export policy's business.  To a peer with two octets an AS go AS_TRANS,
 * AS4_PATH and AS4_AGGREGATOR where they are needed (RFC 6793 4.2.2).
 */
size_t wire_update_write(struct wbuf *, const struct wire_neg *,
    const struct attrs *, enum fam, const struct pfx *, size_t n);
size_t wire_withdraw_write(struct wbuf *, const struct wire_neg *, enum fam,
    const struct pfx *, size_t n);
void wire_eor_write(struct wbuf *, enum fam);

/* ---- AS_PATH, communities ----------------------- aspath.c and comm.c */

/* Length for selection: a set counts one, confederation segments nothing. */
unsigned int aspath_length(struct octets);
/* Leftmost AS when the first segment is a sequence, else 0. */
uint32_t aspath_first(struct octets);
/* Last AS of the last segment when it is a sequence, else 0: the origin. */
uint32_t aspath_origin(struct octets);
bool aspath_has(struct octets, uint32_t as);
bool aspath_has_set(struct octets);
/* A segment of a path with four octets an AS. */
struct aspath_seg {
	uint8_t type, count;
	struct cur asns;
};
/* Takes the next one off a cursor over the path; false at its end. */
bool aspath_seg(struct cur *path, struct aspath_seg *);
/* Every AS in turn: *pos starts at 0, then means nothing to the caller. */
bool aspath_next(struct octets, size_t *pos, uint32_t *as, uint8_t *segtype);
/*
 * as, n times, in front; the result is the arena's (RFC 4271 5.1.2).  It is
 * cut to what a path can hold: one so long fits no message, so
 * wire_update_write() then writes nothing.
 */
struct octets aspath_prepend(
    struct octets, uint32_t as, unsigned int n, struct arena *);
/* "64500 64501 { 1 2 }"; returns what snprintf() would. */
size_t aspath_print(struct octets, char *, size_t);

bool comm_has(struct octets comms, uint32_t);
/* Return what snprintf() would. */
size_t comm_print(uint32_t, char *, size_t); /* "65001:100", "NO_EXPORT" */
size_t comm_large_print(const uint8_t[12], char *, size_t); /* "1:2:3" */
size_t comm_ext_print(const uint8_t[8], char *, size_t); /* "rt 65001:5" */

/* ---- NOTIFICATION, ROUTE-REFRESH -------------- notif.c and refresh.c */

struct wire_notif {
	uint8_t code, sub;
	bool hard; /* came in a hard reset's envelope (RFC 8538 3) */
	const uint8_t *data;
	size_t len;
	/* RFC 9003 text, escaped for a terminal, valid UTF-8; "" when none. */
	char text[1024];
};

/* Never fails: a bad NOTIFICATION is shown as far as it goes (6.4). */
void wire_notif_parse(struct cur *body, struct wire_notif *);
void wire_notif_write(struct wbuf *, uint8_t code, uint8_t sub,
    const uint8_t *data, size_t len, bool hard);
/*
 * Data of Cease/2 and /4 (RFC 9003) into buf: how many octets.  The text is
 * cut at max at a character, and where it is no UTF-8; without one: 0.
 */
size_t wire_shutdown_text(
    uint8_t *buf, size_t cap, const char *text, size_t max);
/* "Cease", "Administrative Shutdown"; never NULL. */
const char *wire_notif_name(uint8_t code);
const char *wire_notif_subname(uint8_t code, uint8_t sub);

enum {
	REFRESH_REQUEST = 0,
	REFRESH_BORR = 1,
	REFRESH_EORR = 2
};
struct wire_refresh {
	uint16_t afi;
	uint8_t subtype, safi;
	enum fam fam; /* FAM_NONE: not one of ours */
};
/*
 * WIRE_OK; WIRE_RESET: a length error (RFC 7313 5); enhanced: peer has it.
 * A subtype above 2 is handed on, to be ignored.  The body must stand
 * WIRE_HDR_LEN octets behind the start of its message: that is 7/1's data.
 */
enum wire_verdict wire_refresh_parse(
    struct cur *body, bool enhanced, struct wire_refresh *, struct wire_err *);
void wire_refresh_write(struct wbuf *, enum fam, uint8_t subtype);

/* ---- dump.c ----------------------------------------------------------- */

/*
 * A whole message (header included) as one line of text, whatever it holds;
 * returns what snprintf() would.  neg NULL: before there is one.
 */
size_t wire_dump(
    const uint8_t *msg, size_t len, const struct wire_neg *, char *, size_t);

#endif /* WIRE_H */
