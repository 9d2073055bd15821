/*
 * dump.c -- every message as one line of text: the trace.  What a peer chose
 * (texts, unknown octets) is escaped or in hex, so that a line stays a line.
 */
#include "bgpd/wire/codec.h"

#include <string.h>

static void
put_addr(struct txt *t, const char *label, const struct addr *a)
{
	char b[ADDR_STRLEN];

	txt_str(t, label);
	txt_str(t, addr_print(a, b, sizeof b));
}

static void
put_num(struct txt *t, const char *label, uint32_t v)
{
	txt_str(t, label);
	txt_u32(t, v);
}

static void
put_err(struct txt *t, const struct wire_err *e)
{
	static const char *const verdict[] = { "ok", "discard", "withdraw",
		"reset" };

	txt_f(t, " -- %s", verdict[e->verdict]);
	if (e->verdict == WIRE_RESET)
		txt_f(t, " %u/%u", e->code, e->sub);
	txt_f(t, " at %zu: %s (%s)", e->at, e->why, e->rfc);
}

/* ---- OPEN ------------------------------------------------------------- */

static void
put_fams(struct txt *t, const char *label, const bool fam[FAM_N])
{
	for (enum fam f = FAM_INET; f < FAM_N; f++)
		if (fam[f])
			txt_f(t, ", %s %s", label, fam_name(f));
}

static void
put_caps(struct txt *t, const struct wire_caps *k)
{
	put_fams(t, "multiprotocol", k->mp);
	if (k->refresh)
		txt_f(t, ", %s", wire_cap_name(CAP_REFRESH));
	if (k->ext_nexthop)
		txt_f(t, ", %s", wire_cap_name(CAP_EXT_NEXTHOP));
	if (k->ext_msg)
		txt_f(t, ", %s", wire_cap_name(CAP_EXT_MSG));
	if (k->role_there)
		txt_f(t, ", role %u%s", k->role,
		    k->role_conflict ? " and another" : "");
	if (k->gr) {
		txt_f(t, ", %s %u s%s%s", wire_cap_name(CAP_GR), k->gr_time_s,
		    k->gr_restart ? " restarting" : "",
		    k->gr_notification ? " notification" : "");
		put_fams(t, "restart", k->gr_fam);
		put_fams(t, "forwarding", k->gr_fwd);
	}
	if (k->as4)
		put_num(t, ", 4-octet AS ", k->as4_as);
	if (k->enhanced_refresh)
		txt_f(t, ", %s", wire_cap_name(CAP_ENHANCED_REFRESH));
	if (k->unknown > 0)
		txt_f(t, ", %u not known", k->unknown);
	if (k->bad > 0)
		txt_f(t, ", %u of a wrong length", k->bad);
}

static void
dump_open(struct txt *t, struct cur *body)
{
	struct wire_open o;
	struct wire_err e;
	struct addr id;

	if (wire_open_parse(body, &o, &e) == WIRE_OK) {
		id = addr_v4(o.id);
		txt_f(t, " version %u, AS %u, hold time %u", o.version, o.my_as,
		    o.hold_s);
		put_addr(t, ", id ", &id);
		put_caps(t, &o.caps);
	} else
		put_err(t, &e);
}

/* ---- UPDATE ----------------------------------------------------------- */

static void
put_pfxs(struct txt *t, const char *label, struct cur c, enum fam f)
{
	char b[PFX_STRLEN];
	struct pfx p;

	if (cur_left(&c) == 0)
		return;
	txt_str(t, label);
	while (wire_nlri_next(&c, f, &p)) {
		txt_char(t, ' ');
		txt_str(t, pfx_print(&p, b, sizeof b));
	}
}

static void
put_comms(struct txt *t, const struct attrs *a)
{
	uint8_t o[12];
	uint32_t v;
	char b[64];
	struct cur c;

	cur_init(&c, a->comms.p, a->comms.len);
	if (cur_left(&c) > 0)
		txt_str(t, ", communities");
	while (cur_u32(&c, &v)) {
		comm_print(v, b, sizeof b);
		txt_f(t, " %s", b);
	}
	cur_init(&c, a->ext_comms.p, a->ext_comms.len);
	if (cur_left(&c) > 0)
		txt_str(t, ", extended communities");
	while (cur_bytes(&c, o, 8)) {
		comm_ext_print(o, b, sizeof b);
		txt_f(t, " %s", b);
	}
	cur_init(&c, a->large_comms.p, a->large_comms.len);
	if (cur_left(&c) > 0)
		txt_str(t, ", large communities");
	while (cur_bytes(&c, o, 12)) {
		comm_large_print(o, b, sizeof b);
		txt_f(t, " %s", b);
	}
}

static void
put_path(struct txt *t, struct octets path)
{
	struct txt rest = { NULL, 0, 0 };

	txt_str(t, ", path ");
	if (t->len < t->cap)
		txt_init(&rest, t->p + t->len, t->cap - t->len);
	t->len += aspath_print(path, rest.p, rest.cap);
}

static void
put_reflect(struct txt *t, const struct attrs *a)
{
	struct addr id = addr_v4(a->originator_id);
	struct cur c;
	uint32_t v;

	if (a->has & 1u << HAS_ORIGINATOR_ID)
		put_addr(t, ", originator ", &id);
	cur_init(&c, a->cluster_list.p, a->cluster_list.len);
	if (cur_left(&c) > 0)
		txt_str(t, ", cluster list");
	while (cur_u32(&c, &v)) {
		id = addr_v4(v);
		put_addr(t, " ", &id);
	}
}

static void
put_attrs(struct txt *t, const struct attrs *a)
{
	static const char *const origin[] = { "IGP", "EGP", "incomplete" };

	if (a->has & 1u << HAS_ORIGIN)
		txt_f(t, ", origin %s", origin[a->origin]);
	if (a->has & 1u << HAS_AS_PATH)
		put_path(t, a->as_path);
	if (a->has & 1u << HAS_NEXT_HOP)
		put_addr(t, ", next hop ", &a->nexthop);
	if (a->has & 1u << HAS_MED)
		put_num(t, ", med ", a->med);
	if (a->has & 1u << HAS_LOCAL_PREF)
		put_num(t, ", local pref ", a->local_pref);
	if (a->has & 1u << HAS_ATOMIC)
		txt_str(t, ", atomic aggregate");
	if (a->has & 1u << HAS_AGGREGATOR) {
		put_num(t, ", aggregator ", a->aggr_as);
		put_addr(t, " ", &a->aggr_id);
	}
	put_comms(t, a);
	put_reflect(t, a);
	if (a->has & 1u << HAS_OTC)
		put_num(t, ", otc ", a->otc);
	if (a->unknown.len > 0) {
		txt_str(t, ", not known ");
		txt_hex(t, a->unknown.p, a->unknown.len);
	}
}

static void
put_mp_reach(struct txt *t, const struct update *u)
{
	if (u->mp_reach_fam == FAM_NONE)
		return;
	put_addr(t, ", mp next hop ", &u->mp_nexthop);
	if (u->mp_nexthop_ll.fam != FAM_NONE)
		put_addr(t, " ", &u->mp_nexthop_ll);
	put_pfxs(t, ", mp announce", u->mp_reach, u->mp_reach_fam);
}

static void
dump_update(struct txt *t, struct cur *body, const struct wire_neg *neg)
{
	struct arena arena;
	struct update u;

	arena_init(&arena);
	if (wire_update_parse(body, neg, &u, &arena) != WIRE_RESET) {
		put_attrs(t, &u.attrs);
		put_pfxs(t, ", announce", u.nlri, FAM_INET);
		put_mp_reach(t, &u);
		put_pfxs(t, ", withdraw", u.withdrawn, FAM_INET);
		put_pfxs(t, ", mp withdraw", u.mp_unreach, u.mp_unreach_fam);
		if (u.eor != FAM_NONE)
			txt_f(t, ", end of rib %s", fam_name(u.eor));
		if (u.unnegotiated)
			txt_str(t, ", of a family not negotiated");
	}
	if (u.verdict != WIRE_OK)
		put_err(t, &u.err);
	arena_fini(&arena);
}

/* ---- the others ------------------------------------------------------- */

static void
dump_notif(struct txt *t, struct cur *body)
{
	struct wire_notif n;

	wire_notif_parse(body, &n);
	txt_f(t, " %u/%u %s, %s", n.code, n.sub, wire_notif_name(n.code),
	    wire_notif_subname(n.code, n.sub));
	if (n.hard)
		txt_str(t, ", hard reset");
	if (n.text[0] != '\0')
		txt_f(t, ", text \"%s\"", n.text);
	else if (n.len > 0) {
		txt_str(t, ", data ");
		txt_hex(t, n.data, n.len);
	}
}

static void
dump_refresh(struct txt *t, struct cur *body)
{
	static const char *const name[] = { "request", "begin", "end" };
	struct wire_refresh r;
	struct wire_err e;

	if (wire_refresh_parse(body, true, &r, &e) != WIRE_OK) {
		put_err(t, &e);
		return;
	}
	if (r.fam != FAM_NONE)
		txt_f(t, " %s", fam_name(r.fam));
	else
		txt_f(t, " AFI %u SAFI %u", r.afi, r.safi);
	if (r.subtype < sizeof name / sizeof name[0])
		txt_f(t, " %s", name[r.subtype]);
	else
		txt_f(t, " subtype %u", r.subtype);
}

size_t
wire_dump(const uint8_t *msg, size_t len, const struct wire_neg *neg, char *buf,
    size_t size)
{
	static const struct wire_neg any = { .as4 = true,
		.mp = { [FAM_INET] = true, [FAM_INET6] = true } };
	struct wire_err err;
	struct wire_hdr h;
	struct cur in, body;
	struct txt t;

	txt_init(&t, buf, size);
	cur_init(&in, msg, len);
	switch (wire_frame(&in, true, &h, &body, &err)) {
	case FRAME_MORE:
		txt_f(&t, "incomplete message of %zu octets ", len);
		txt_hex(&t, msg, len < WIRE_HDR_LEN ? len : WIRE_HDR_LEN);
		return t.len;
	case FRAME_BAD:
		txt_f(&t, "bad header of %zu octets", len);
		put_err(&t, &err);
		return t.len;
	case FRAME_MSG:
		break;
	}
	txt_f(&t, "%s %u", wire_type_name(h.type), h.len);
	if (h.type == MSG_OPEN)
		dump_open(&t, &body);
	else if (h.type == MSG_UPDATE)
		dump_update(&t, &body, neg != NULL ? neg : &any);
	else if (h.type == MSG_NOTIFICATION)
		dump_notif(&t, &body);
	else if (h.type == MSG_ROUTE_REFRESH)
		dump_refresh(&t, &body);
	return t.len;
}
