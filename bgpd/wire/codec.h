/*
 * codec.h -- what the files of bgpd/wire/ share.  Nobody else includes it.
 */
#ifndef CODEC_H
#define CODEC_H

#include "bgpd/wire/wire.h"

/* ---- errors --------------------------------------------------- frame.c */

/* Fills *err for a reset without data; returns WIRE_RESET. */
enum wire_verdict err_reset(struct wire_err *, uint8_t code, uint8_t sub,
    const char *why, const char *rfc);
/* Bad Message Length: the two length octets are the data (RFC 4271 6.1). */
enum wire_verdict err_length(struct wire_err *, const struct cur *body,
    const char *why, const char *rfc);
/* Where c stands, counted from the start of the message of this body. */
size_t err_at(const struct cur *body, const struct cur *c);

/* ---- capabilities, families ------------------------------------ cap.c */

void cap_parse(uint8_t code, struct cur *val, struct wire_caps *);
/* FAM_NONE: not one of ours. */
enum fam fam_of(uint16_t afi, uint8_t safi);

/* ---- attributes ---------------------------------- attr.c, attr_tab.c */

/* One way to be wrong: what it costs, and what to say. */
struct fault {
	enum wire_verdict verdict;
	uint8_t sub; /* of UPDATE Message Error */
	const char *why, *rfc;
};

/* The state of one wire_update_parse(). */
struct attr_ctx {
	const struct wire_neg *neg;
	struct update *upd;
	struct arena *arena;
	struct cur body; /* the whole, for err.at */
	struct cur whole; /* the attribute in hand, with its header */
	uint8_t type, flags;
	bool nlri_there; /* the NLRI field is not empty */
	bool mp_there; /* MP_REACH_NLRI has at least an octet of NLRI */
	bool mp_unreach_empty; /* MP_UNREACH_NLRI with AFI and SAFI only */
	enum fam mp_unreach_fam;
	bool other; /* an attribute that is not MP_UNREACH_NLRI */
	unsigned int count;
	uint32_t seen[8];
	struct octets as4_path;
	bool as4_aggr_there;
	uint32_t as4_aggr_as;
	struct addr as4_aggr_id;
	struct cur *unknown; /* arena; to be passed on, in order of arrival */
	unsigned int nunknown;
};

/* What an attribute's writer needs. */
struct attr_out {
	const struct wire_neg *neg;
	const struct attrs *attrs;
	bool nexthop; /* NEXT_HOP is wanted */
};

enum attr_kind {
	KIND_ANY,
	KIND_INTERNAL, /* discarded when it comes from an external peer */
	KIND_AS2, /* discarded where ASNs have four octets */
};

/*
 * The row of an attribute: the checks in their order (errors.md, UPDATE frame)
 * and the functions for its value.  parse sees a length that passed.
 */
struct attr_spec {
	const char *name;
	uint8_t flags;
	enum attr_kind kind;
	uint16_t min, max, unit;
	struct fault flag, length, peer;
	enum wire_verdict (*parse)(struct attr_ctx *, struct cur *val);
	void (*write)(const struct attr_out *, struct wbuf *);
};

enum {
	ATTR_NSPEC = ATTR_OTC + 1
};
extern const struct attr_spec attr_spec[ATTR_NSPEC];

/* The loop over all attributes and what is known only after it. */
void attrs_parse(struct attr_ctx *, struct cur attrs);
void attrs_write(const struct attr_out *, struct wbuf *);
/* Records the fault at c if it is the strongest; returns its verdict. */
enum wire_verdict attr_fault(
    struct attr_ctx *, const struct cur *c, const struct fault *);
/* Writes flags, type, length. */
void attr_head(struct wbuf *, uint8_t flags, uint8_t type, size_t len);

/* MP_REACH_NLRI, MP_UNREACH_NLRI: update.c. */
enum wire_verdict mp_reach_parse(struct attr_ctx *, struct cur *val);
enum wire_verdict mp_unreach_parse(struct attr_ctx *, struct cur *val);

/* ---- AS_PATH ------------------------------------------------ aspath.c */

enum wire_verdict aspath_parse(struct attr_ctx *, struct cur *val);
enum wire_verdict aspath4_parse(struct attr_ctx *, struct cur *val);
/* RFC 6793 4.2.3; neither holds confederation segments in the result. */
struct octets aspath_merge(
    struct octets path, struct octets as4, struct arena *);
void aspath_write(const struct attr_out *, struct wbuf *);
void aspath4_write(const struct attr_out *, struct wbuf *);

/* ---- communities ---------------------------------------------- comm.c */

/* Without doubles (RFC 8092 6); the same octets when there are none. */
struct octets comm_large_uniq(struct octets, struct arena *);

/* ---- text ------------------------------------------------------ txt.c */

/* A text that grows as snprintf()'s: `len` counts what did not fit, too. */
struct txt {
	char *p;
	size_t cap, len;
};

void txt_init(struct txt *, char *, size_t);
void txt_char(struct txt *, char);
void txt_str(struct txt *, const char *);
void txt_u32(struct txt *, uint32_t);
void txt_f(struct txt *, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void txt_hex(struct txt *, const uint8_t *, size_t);
/*
 * Octets that claim to be UTF-8: what could move a cursor, hide or reverse
 * text, and what is no UTF-8, becomes \xNN (RFC 9003 section 4).
 */
void txt_utf8(struct txt *, const uint8_t *, size_t);
/* Octets of the well-formed character at the start of c, 0 when there is none
 */
size_t utf8_len(const struct cur *c);

#endif /* CODEC_H */
