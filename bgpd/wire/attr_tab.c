/*
 * attr_tab.c -- the path attributes that we know: a row each, with the
 * functions for its value.  AS_PATH's are in aspath.c, the MP ones' in
 * update.c.
 */
#include "bgpd/wire/codec.h"

enum {
	FLAGS_WK = AF_TRANS,
	FLAGS_OPT = AF_OPT,
	FLAGS_OT = AF_OPT | AF_TRANS
};

static void
has(struct attr_ctx *x, enum attr_has h)
{
	x->upd->attrs.has |= 1u << h;
}

static bool
there(const struct attr_out *o, enum attr_has h)
{
	return o->attrs->has & 1u << h;
}

/* RFC 4271 5: the Partial bit, "once set, must not be set to 0". */
static void
partial(struct attr_ctx *x, enum attr_has h)
{
	if (x->flags & AF_PARTIAL)
		has(x, h);
}

static uint8_t
flags_ot(const struct attr_out *o, enum attr_has h)
{
	return there(o, h) ? FLAGS_OT | AF_PARTIAL : FLAGS_OT;
}

static struct octets
octets_of(const struct cur *val)
{
	return (struct octets){ val->p, (uint16_t)cur_left(val) };
}

/* Integers of an attribute whose length passed. */
static uint32_t
get_u32(struct cur *val)
{
	uint32_t v = 0;

	return cur_u32(val, &v) ? v : 0;
}

static struct addr
get_v4(struct cur *val)
{
	return addr_v4(get_u32(val));
}

static void
put_octets(struct wbuf *w, uint8_t flags, enum attr_type type, struct octets o)
{
	if (o.len == 0)
		return;
	attr_head(w, flags, (uint8_t)type, o.len);
	wbuf_bytes(w, o.p, o.len);
}

static void
put_u32(struct wbuf *w, uint8_t flags, enum attr_type type, uint32_t v)
{
	attr_head(w, flags, (uint8_t)type, 4);
	wbuf_u32(w, v);
}

static enum wire_verdict
parse_origin(struct attr_ctx *x, struct cur *val)
{
	static const struct fault value = { WIRE_WITHDRAW, UPD_ORIGIN,
		"ORIGIN is not 0, 1 or 2", "RFC 7606 7.1" };
	struct cur at = *val;
	uint8_t v;

	if (!cur_u8(val, &v) || v > ORIGIN_INCOMPLETE)
		return attr_fault(x, &at, &value);
	x->upd->attrs.origin = v;
	has(x, HAS_ORIGIN);
	return WIRE_OK;
}

static void
write_origin(const struct attr_out *o, struct wbuf *w)
{
	if (!there(o, HAS_ORIGIN))
		return;
	attr_head(w, FLAGS_WK, ATTR_ORIGIN, 1);
	wbuf_u8(w, o->attrs->origin);
}

static enum wire_verdict
parse_nexthop(struct attr_ctx *x, struct cur *val)
{
	static const struct fault value = { WIRE_WITHDRAW, UPD_NEXT_HOP,
		"NEXT_HOP is no host address", "RFC 4271 6.3" };
	struct cur at = *val;
	struct addr a = get_v4(val);

	/* Without NLRI the value does not matter: RFC 4760 3. */
	if (!x->nlri_there)
		return WIRE_OK;
	if (!addr_is_host(&a))
		return attr_fault(x, &at, &value);
	x->upd->attrs.nexthop = a;
	has(x, HAS_NEXT_HOP);
	return WIRE_OK;
}

static void
write_nexthop(const struct attr_out *o, struct wbuf *w)
{
	if (o->nexthop)
		put_u32(
		    w, FLAGS_WK, ATTR_NEXT_HOP, addr_to_v4(&o->attrs->nexthop));
}

static enum wire_verdict
parse_med(struct attr_ctx *x, struct cur *val)
{
	x->upd->attrs.med = get_u32(val);
	has(x, HAS_MED);
	return WIRE_OK;
}

static void
write_med(const struct attr_out *o, struct wbuf *w)
{
	if (there(o, HAS_MED))
		put_u32(w, FLAGS_OPT, ATTR_MED, o->attrs->med);
}

static enum wire_verdict
parse_local_pref(struct attr_ctx *x, struct cur *val)
{
	x->upd->attrs.local_pref = get_u32(val);
	has(x, HAS_LOCAL_PREF);
	return WIRE_OK;
}

static void
write_local_pref(const struct attr_out *o, struct wbuf *w)
{
	if (there(o, HAS_LOCAL_PREF))
		put_u32(w, FLAGS_WK, ATTR_LOCAL_PREF, o->attrs->local_pref);
}

static enum wire_verdict
parse_atomic(struct attr_ctx *x, struct cur *val)
{
	has(x, HAS_ATOMIC);
	return WIRE_OK;
}

static void
write_atomic(const struct attr_out *o, struct wbuf *w)
{
	if (there(o, HAS_ATOMIC))
		attr_head(w, FLAGS_WK, ATTR_ATOMIC_AGGREGATE, 0);
}

static enum wire_verdict
parse_aggregator(struct attr_ctx *x, struct cur *val)
{
	static const struct fault length = { WIRE_DISCARD, UPD_LENGTH,
		"AGGREGATOR has not the length for the session's ASNs",
		"RFC 7606 7.7" };
	static const struct fault zero = { WIRE_DISCARD, UPD_OPTIONAL,
		"AGGREGATOR has AS 0", "RFC 7607 2" };
	struct cur at = *val;
	uint32_t as = 0;
	uint16_t as2 = 0;

	if (cur_left(val) != (x->neg->as4 ? 8 : 6))
		return attr_fault(x, &at, &length);
	if (x->neg->as4)
		as = get_u32(val);
	else if (cur_u16(val, &as2))
		as = as2;
	if (as == 0)
		return attr_fault(x, &at, &zero);
	x->upd->attrs.aggr_as = as;
	x->upd->attrs.aggr_id = get_v4(val);
	has(x, HAS_AGGREGATOR);
	partial(x, HAS_PARTIAL_AGGREGATOR);
	return WIRE_OK;
}

static void
write_aggregator(const struct attr_out *o, struct wbuf *w)
{
	uint32_t as = o->attrs->aggr_as;
	uint8_t flags = flags_ot(o, HAS_PARTIAL_AGGREGATOR);

	if (!there(o, HAS_AGGREGATOR))
		return;
	attr_head(w, flags, ATTR_AGGREGATOR, o->neg->as4 ? 8 : 6);
	if (o->neg->as4)
		wbuf_u32(w, as);
	else
		wbuf_u16(w, as > UINT16_MAX ? WIRE_AS_TRANS : (uint16_t)as);
	wbuf_u32(w, addr_to_v4(&o->attrs->aggr_id));
}

static enum wire_verdict
parse_comms(struct attr_ctx *x, struct cur *val)
{
	x->upd->attrs.comms = octets_of(val);
	partial(x, HAS_PARTIAL_COMMS);
	return WIRE_OK;
}

static void
write_comms(const struct attr_out *o, struct wbuf *w)
{
	put_octets(w, flags_ot(o, HAS_PARTIAL_COMMS), ATTR_COMMUNITIES,
	    o->attrs->comms);
}

static enum wire_verdict
parse_originator(struct attr_ctx *x, struct cur *val)
{
	x->upd->attrs.originator_id = get_u32(val);
	has(x, HAS_ORIGINATOR_ID);
	return WIRE_OK;
}

static void
write_originator(const struct attr_out *o, struct wbuf *w)
{
	if (there(o, HAS_ORIGINATOR_ID))
		put_u32(
		    w, FLAGS_OPT, ATTR_ORIGINATOR_ID, o->attrs->originator_id);
}

static enum wire_verdict
parse_cluster_list(struct attr_ctx *x, struct cur *val)
{
	x->upd->attrs.cluster_list = octets_of(val);
	return WIRE_OK;
}

static void
write_cluster_list(const struct attr_out *o, struct wbuf *w)
{
	put_octets(w, FLAGS_OPT, ATTR_CLUSTER_LIST, o->attrs->cluster_list);
}

static enum wire_verdict
parse_ext_comms(struct attr_ctx *x, struct cur *val)
{
	x->upd->attrs.ext_comms = octets_of(val);
	partial(x, HAS_PARTIAL_EXT_COMMS);
	return WIRE_OK;
}

static void
write_ext_comms(const struct attr_out *o, struct wbuf *w)
{
	put_octets(w, flags_ot(o, HAS_PARTIAL_EXT_COMMS), ATTR_EXT_COMMUNITIES,
	    o->attrs->ext_comms);
}

static enum wire_verdict
parse_as4_aggregator(struct attr_ctx *x, struct cur *val)
{
	static const struct fault zero = { WIRE_DISCARD, UPD_OPTIONAL,
		"AS4_AGGREGATOR has AS 0", "RFC 7607 2" };
	struct cur at = *val;
	uint32_t as = get_u32(val);

	if (as == 0)
		return attr_fault(x, &at, &zero);
	x->as4_aggr_as = as;
	x->as4_aggr_id = get_v4(val);
	x->as4_aggr_there = true;
	return WIRE_OK;
}

static void
write_as4_aggregator(const struct attr_out *o, struct wbuf *w)
{
	uint8_t flags = flags_ot(o, HAS_PARTIAL_AGGREGATOR);

	if (o->neg->as4 || !there(o, HAS_AGGREGATOR) ||
	    o->attrs->aggr_as <= UINT16_MAX)
		return;
	attr_head(w, flags, ATTR_AS4_AGGREGATOR, 8);
	wbuf_u32(w, o->attrs->aggr_as);
	wbuf_u32(w, addr_to_v4(&o->attrs->aggr_id));
}

static enum wire_verdict
parse_large_comms(struct attr_ctx *x, struct cur *val)
{
	x->upd->attrs.large_comms = comm_large_uniq(octets_of(val), x->arena);
	partial(x, HAS_PARTIAL_LARGE_COMMS);
	return WIRE_OK;
}

static void
write_large_comms(const struct attr_out *o, struct wbuf *w)
{
	put_octets(w, flags_ot(o, HAS_PARTIAL_LARGE_COMMS),
	    ATTR_LARGE_COMMUNITIES, o->attrs->large_comms);
}

static enum wire_verdict
parse_otc(struct attr_ctx *x, struct cur *val)
{
	static const struct fault zero = { WIRE_WITHDRAW, UPD_OPTIONAL,
		"ONLY_TO_CUSTOMER has AS 0", "RFC 9234 5" };
	struct cur at = *val;
	uint32_t as = get_u32(val);

	if (as == 0)
		return attr_fault(x, &at, &zero);
	x->upd->attrs.otc = as;
	has(x, HAS_OTC);
	partial(x, HAS_PARTIAL_OTC);
	return WIRE_OK;
}

static void
write_otc(const struct attr_out *o, struct wbuf *w)
{
	if (there(o, HAS_OTC))
		put_u32(
		    w, flags_ot(o, HAS_PARTIAL_OTC), ATTR_OTC, o->attrs->otc);
}

/* clang-format off */
#define FLAGS(verdict, name) \
	{ verdict, verdict == WIRE_RESET ? UPD_OPTIONAL : UPD_FLAGS, \
	  name " has wrong Optional or Transitive flags", "RFC 7606 3c" }
#define LENGTH(verdict, why, rfc) \
	{ verdict, verdict == WIRE_RESET ? UPD_OPTIONAL : UPD_LENGTH, why, rfc }
#define PEER(why, rfc) { WIRE_DISCARD, UPD_OPTIONAL, why, rfc }

enum { ANY_LEN = UINT16_MAX };

const struct attr_spec attr_spec[ATTR_NSPEC] = {
[ATTR_ORIGIN] = { "ORIGIN", FLAGS_WK, KIND_ANY, 1, 1, 1,
	.flag	= FLAGS(WIRE_WITHDRAW, "ORIGIN"),
	.length	= LENGTH(WIRE_WITHDRAW, "ORIGIN is not 1 octet long", "RFC 7606 7.1"),
	.parse	= parse_origin, .write = write_origin },
[ATTR_AS_PATH] = { "AS_PATH", FLAGS_WK, KIND_ANY, 0, ANY_LEN, 1,
	.flag	= FLAGS(WIRE_WITHDRAW, "AS_PATH"),
	.length	= LENGTH(WIRE_WITHDRAW, "AS_PATH has a wrong length", "RFC 7606 7.2"),
	.parse	= aspath_parse, .write = aspath_write },
[ATTR_NEXT_HOP] = { "NEXT_HOP", FLAGS_WK, KIND_ANY, 4, 4, 1,
	.flag	= FLAGS(WIRE_WITHDRAW, "NEXT_HOP"),
	.length	= LENGTH(WIRE_WITHDRAW, "NEXT_HOP is not 4 octets long", "RFC 7606 7.3"),
	.parse	= parse_nexthop, .write = write_nexthop },
[ATTR_MED] = { "MULTI_EXIT_DISC", FLAGS_OPT, KIND_ANY, 4, 4, 1,
	.flag	= FLAGS(WIRE_WITHDRAW, "MULTI_EXIT_DISC"),
	.length	= LENGTH(WIRE_WITHDRAW, "MULTI_EXIT_DISC is not 4 octets long", "RFC 7606 7.4"),
	.parse	= parse_med, .write = write_med },
[ATTR_LOCAL_PREF] = { "LOCAL_PREF", FLAGS_WK, KIND_INTERNAL, 4, 4, 1,
	.flag	= FLAGS(WIRE_WITHDRAW, "LOCAL_PREF"),
	.peer	= PEER("LOCAL_PREF from an external peer", "RFC 7606 7.5"),
	.length	= LENGTH(WIRE_WITHDRAW, "LOCAL_PREF is not 4 octets long", "RFC 7606 7.5"),
	.parse	= parse_local_pref, .write = write_local_pref },
[ATTR_ATOMIC_AGGREGATE] = { "ATOMIC_AGGREGATE", FLAGS_WK, KIND_ANY, 0, 0, 1,
	.flag	= FLAGS(WIRE_WITHDRAW, "ATOMIC_AGGREGATE"),
	.length	= LENGTH(WIRE_DISCARD, "ATOMIC_AGGREGATE is not empty", "RFC 7606 7.6"),
	.parse	= parse_atomic, .write = write_atomic },
[ATTR_AGGREGATOR] = { "AGGREGATOR", FLAGS_OT, KIND_ANY, 6, 8, 2,
	.flag	= FLAGS(WIRE_WITHDRAW, "AGGREGATOR"),
	.length	= LENGTH(WIRE_DISCARD, "AGGREGATOR is not 6 or 8 octets long", "RFC 7606 7.7"),
	.parse	= parse_aggregator, .write = write_aggregator },
[ATTR_COMMUNITIES] = { "COMMUNITIES", FLAGS_OT, KIND_ANY, 4, ANY_LEN, 4,
	.flag	= FLAGS(WIRE_WITHDRAW, "COMMUNITIES"),
	.length	= LENGTH(WIRE_WITHDRAW, "COMMUNITIES is empty or no multiple of 4 octets", "RFC 7606 7.8"),
	.parse	= parse_comms, .write = write_comms },
[ATTR_ORIGINATOR_ID] = { "ORIGINATOR_ID", FLAGS_OPT, KIND_INTERNAL, 4, 4, 1,
	.flag	= FLAGS(WIRE_WITHDRAW, "ORIGINATOR_ID"),
	.peer	= PEER("ORIGINATOR_ID from an external peer", "RFC 7606 7.9"),
	.length	= LENGTH(WIRE_WITHDRAW, "ORIGINATOR_ID is not 4 octets long", "RFC 7606 7.9"),
	.parse	= parse_originator, .write = write_originator },
[ATTR_CLUSTER_LIST] = { "CLUSTER_LIST", FLAGS_OPT, KIND_INTERNAL, 4, ANY_LEN, 4,
	.flag	= FLAGS(WIRE_WITHDRAW, "CLUSTER_LIST"),
	.peer	= PEER("CLUSTER_LIST from an external peer", "RFC 7606 7.10"),
	.length	= LENGTH(WIRE_WITHDRAW, "CLUSTER_LIST is empty or no multiple of 4 octets", "RFC 7606 7.10"),
	.parse	= parse_cluster_list, .write = write_cluster_list },
[ATTR_MP_REACH] = { "MP_REACH_NLRI", FLAGS_OPT, KIND_ANY, 5, ANY_LEN, 1,
	.flag	= FLAGS(WIRE_RESET, "MP_REACH_NLRI"),
	.length	= LENGTH(WIRE_RESET, "MP_REACH_NLRI is shorter than 5 octets", "RFC 7606 7.11"),
	.parse	= mp_reach_parse },
[ATTR_MP_UNREACH] = { "MP_UNREACH_NLRI", FLAGS_OPT, KIND_ANY, 3, ANY_LEN, 1,
	.flag	= FLAGS(WIRE_RESET, "MP_UNREACH_NLRI"),
	.length	= LENGTH(WIRE_RESET, "MP_UNREACH_NLRI is shorter than 3 octets", "RFC 7606 5.3"),
	.parse	= mp_unreach_parse },
[ATTR_EXT_COMMUNITIES] = { "EXTENDED COMMUNITIES", FLAGS_OT, KIND_ANY, 8, ANY_LEN, 8,
	.flag	= FLAGS(WIRE_WITHDRAW, "EXTENDED COMMUNITIES"),
	.length	= LENGTH(WIRE_WITHDRAW, "EXTENDED COMMUNITIES is empty or no multiple of 8 octets", "RFC 7606 7.14"),
	.parse	= parse_ext_comms, .write = write_ext_comms },
[ATTR_AS4_PATH] = { "AS4_PATH", FLAGS_OT, KIND_AS2, 6, ANY_LEN, 2,
	.flag	= FLAGS(WIRE_WITHDRAW, "AS4_PATH"),
	.peer	= PEER("AS4_PATH on a session with 4-octet AS numbers", "RFC 6793 4.1"),
	.length	= LENGTH(WIRE_DISCARD, "AS4_PATH is shorter than 6 octets or of odd length", "RFC 6793 6"),
	.parse	= aspath4_parse, .write = aspath4_write },
[ATTR_AS4_AGGREGATOR] = { "AS4_AGGREGATOR", FLAGS_OT, KIND_AS2, 8, 8, 1,
	.flag	= FLAGS(WIRE_WITHDRAW, "AS4_AGGREGATOR"),
	.peer	= PEER("AS4_AGGREGATOR on a session with 4-octet AS numbers", "RFC 6793 4.1"),
	.length	= LENGTH(WIRE_DISCARD, "AS4_AGGREGATOR is not 8 octets long", "RFC 6793 6"),
	.parse	= parse_as4_aggregator, .write = write_as4_aggregator },
[ATTR_LARGE_COMMUNITIES] = { "LARGE COMMUNITIES", FLAGS_OT, KIND_ANY, 12, ANY_LEN, 12,
	.flag	= FLAGS(WIRE_WITHDRAW, "LARGE COMMUNITIES"),
	.length	= LENGTH(WIRE_WITHDRAW, "LARGE COMMUNITIES is empty or no multiple of 12 octets", "RFC 8092 6"),
	.parse	= parse_large_comms, .write = write_large_comms },
[ATTR_OTC] = { "ONLY_TO_CUSTOMER", FLAGS_OT, KIND_ANY, 4, 4, 1,
	.flag	= FLAGS(WIRE_WITHDRAW, "ONLY_TO_CUSTOMER"),
	.length	= LENGTH(WIRE_WITHDRAW, "ONLY_TO_CUSTOMER is not 4 octets long", "RFC 9234 5"),
	.parse	= parse_otc, .write = write_otc },
};
/* clang-format on */
