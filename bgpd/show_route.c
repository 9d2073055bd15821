/* show_route.c -- one route as a line, as a block, as a JSON object. */
#include "bgpd/show_route.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bgpd/engine.h"
#include "bgpd/show_cmd.h"
#include "lib/mem.h"

enum {
	EXPLAIN_MAX = 256,
	SENTENCE = 1024
};

/* All that is worked out about a route before it is written. */
struct view {
	const struct show_route *r;
	struct attrs a;
	const char *origin; /* "IGP" */
	char *path; /* AS path, allocated */
	char pfx[PFX_STRLEN], gw[ADDR_STRLEN], via[ADDR_STRLEN];
	char name[256], addr[ADDR_STRLEN], id[ADDR_STRLEN];
	uint32_t localpref, med, weight;
	bool valid, internal, local, refused;
	const char *fib;
	/* With refused. */
	char why[SENTENCE];
	const char *where;
	/* With detail. */
	bool explained;
	enum decide_why lost;
};

/* ---- working it out --------------------------------------------------- */

static void
get_nexthop(const struct show *s, struct view *v)
{
	const struct nexthop *nh = NULL;
	struct addr none = { .fam = v->r->pfx.addr.fam };
	const struct addr *gw = &v->a.nexthop;

	if (v->r->attrs != 0)
		nh = nexthop_at(s->eng->nexthops,
		    attrs_nexthop(s->eng->attrs, v->r->attrs));
	if (gw->fam == FAM_NONE)
		gw = &none;
	addr_print(gw, v->gw, sizeof v->gw);
	if (v->r->view != VIEW_OUT && gw->fam == FAM_INET6 &&
	    addr_is_unspecified(gw) && v->a.nexthop_ll.fam != FAM_NONE)
		gw = &v->a.nexthop_ll;
	addr_print(gw, v->via, sizeof v->via);
	v->valid = !v->refused &&
	    (v->local || v->r->view == VIEW_OUT || v->r->path.best ||
		(nh != NULL && nh->reachable));
}

/* "installed" only for paths that the kernel was asked to use. */
static const char *
fib_of(const struct show *s, const struct show_route *r)
{
	struct fibsync_route f;

	if (r->view == VIEW_OUT || !(r->path.best || r->path.ecmp) ||
	    r->path.peer == RIB_LOCAL)
		return "not-wanted";
	switch (fibsync_get(s->eng->fibsync, &r->pfx, &f)) {
	case FIBSYNC_NONE:
		break;
	case FIBSYNC_PENDING:
		return "pending";
	case FIBSYNC_INSTALLED:
		return "installed";
	case FIBSYNC_FAILED:
	case FIBSYNC_CONFLICT:
		return "failed";
	}
	return "not-wanted";
}

/*
 * The full sentence is made by asking the policy again; when it would decide
 * otherwise by now (a reload is under way), the reason's own text is all.
 */
static void
get_why(struct show *s, struct view *v)
{
	const struct show_route *r = v->r;
	struct import_result res;
	char text[SENTENCE / 2];

	strlcpy(text, reason_text(r->path.reason), sizeof text);
	if (r->attrs != 0 && r->peer != NULL && !r->path.held) {
		arena_reset(&s->eng->arena);
		import_check(
		    &r->peer->facts, &r->pfx, &v->a, &s->eng->arena, &res);
		if (res.reason == r->path.reason) {
			import_print(&r->peer->facts, &r->pfx, &v->a, &res,
			    text, sizeof text);
			if (res.rule != NULL)
				v->where = res.rule->where;
		}
	}
	out_safe(text, v->why, sizeof v->why);
}

static void
get_decision(const struct show *s, struct view *v)
{
	struct rib_path p[EXPLAIN_MAX];
	enum decide_why lost[EXPLAIN_MAX];
	uint32_t dest = rib_find(s->eng->rib, &v->r->pfx);
	size_t n;

	if (dest == 0 || v->r->view == VIEW_OUT)
		return;
	n = rib_explain(s->eng->rib, dest, p, lost, EXPLAIN_MAX);
	for (size_t i = 0; i < n && i < EXPLAIN_MAX; i++)
		if (p[i].peer == v->r->path.peer) {
			v->explained = true;
			v->lost = lost[i];
		}
}

static char *
print_path(struct octets path)
{
	size_t n = aspath_print(path, NULL, 0) + 1;
	char *buf = mem_alloc(n);

	aspath_print(path, buf, n);
	return buf;
}

static void
get_peer(const struct show *s, struct view *v)
{
	const struct peer *p = v->r->peer;
	struct addr id = addr_v4(s->eng->conf->router_id);

	if (p == NULL) {
		strlcpy(v->name, "LOCAL", sizeof v->name);
		strlcpy(v->addr,
		    v->r->pfx.addr.fam == FAM_INET6 ? "::" : "0.0.0.0",
		    sizeof v->addr);
	} else {
		show_name(s, p, v->name, sizeof v->name);
		addr_print(&p->conf->addr, v->addr, sizeof v->addr);
		id = addr_v4(rib_peer_get(s->eng->rib, p->num)->router_id);
	}
	addr_print(&id, v->id, sizeof v->id);
}

static void
view_init(struct show *s, struct view *v, const struct show_route *r)
{
	static const char *const origin[] = {
		[ORIGIN_IGP] = "IGP",
		[ORIGIN_EGP] = "EGP",
		[ORIGIN_INCOMPLETE] = "incomplete",
	};
	const struct rib_peer *from = rib_peer_get(s->eng->rib, r->path.peer);

	*v = (struct view){ .r = r };
	if (r->attrs != 0)
		attrs_get(s->eng->attrs, r->attrs, &v->a);
	v->local = r->path.peer == RIB_LOCAL;
	v->internal = v->local || from->internal;
	v->refused = r->view != VIEW_OUT && r->path.reason != REASON_NONE;
	v->origin = "incomplete";
	if (v->a.has & 1u << HAS_ORIGIN && v->a.origin <= ORIGIN_INCOMPLETE)
		v->origin = origin[v->a.origin];
	v->localpref = v->a.has & 1u << HAS_LOCAL_PREF ? v->a.local_pref
						       : DECIDE_LOCAL_PREF;
	v->med = v->a.has & 1u << HAS_MED ? v->a.med : 0;
	/* A rule's stands before the neighbor's (attrs.h). */
	v->weight = v->a.weight != 0 ? v->a.weight - 1 : from->weight;
	v->path = print_path(v->a.as_path);
	pfx_print(&r->pfx, v->pfx, sizeof v->pfx);
	get_nexthop(s, v);
	get_peer(s, v);
	v->fib = fib_of(s, r);
	if (v->refused)
		get_why(s, v);
	if (s->req.detail)
		get_decision(s, v);
}

/* ---- text ------------------------------------------------------------- */

void
show_route_legend(struct show *s)
{
	out_text(s->out,
	    "flags: * = Valid, > = Selected, m = ECMP, I = via IBGP, "
	    "A = Announced,\n"
	    "       S = Stale, E = Error, F = Rejected (reason in brackets)\n"
	    "origin validation state: N = not-found, V = valid, ! = invalid\n"
	    "origin: i = IGP, e = EGP, ? = Incomplete\n\n"
	    "%-5s %3s %-20s %-15s  %5s %5s %s\n",
	    "flags", "ovs", "destination", "gateway", "lpref", "med",
	    "aspath origin");
}

static void
flags(const struct view *v, char *buf, size_t n)
{
	const struct rib_path *p = &v->r->path;

	snprintf(buf, n, "%s%s%s%s%s%s%s",
	    v->refused && !p->malformed ? "F" : "", p->malformed ? "E" : "",
	    v->local ? "A" : "", v->internal ? "I" : "", p->stale ? "S" : "",
	    v->valid ? "*" : "",
	    v->refused    ? ""
		: p->best ? ">"
		: p->ecmp ? "m"
			  : "");
}

static void
put_line(struct show *s, const struct view *v)
{
	char f[16], mark = v->origin[0] == 'I' ? 'i' : 'e';

	if (v->origin[0] == 'i')
		mark = '?';
	flags(v, f, sizeof f);
	out_text(s->out, "%-5s %3s %-20s %-15s %5u %5u %s%s%c", f, "N", v->pfx,
	    v->gw, v->localpref, v->med, v->path, v->path[0] != '\0' ? " " : "",
	    mark);
	if (v->refused)
		out_text(s->out, " [%s]", reason_name(v->r->path.reason));
	out_text(s->out, "\n");
}

static void
put_refused(struct show *s, const struct view *v)
{
	char t[OUT_TIME_LEN];

	out_text(
	    s->out, "%-20s %-20s ", v->pfx, reason_name(v->r->path.reason));
	show_name_put(s, v->name);
	out_text(s->out, "%-8s %s\n", show_ago(v->r->path.since, t, sizeof t),
	    v->why);
}

typedef size_t comm_fn(const uint8_t *, char *, size_t);

static size_t
plain_print(const uint8_t *p, char *buf, size_t n)
{
	return comm_print((uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
		(uint32_t)p[2] << 8 | p[3],
	    buf, n);
}

static size_t
cluster_print(const uint8_t *p, char *buf, size_t n)
{
	struct addr a;

	addr_set(&a, FAM_INET, p);
	return strlen(addr_print(&a, buf, n));
}

static const struct list {
	size_t field, each;
	comm_fn *print;
	const char *title, *key;
} list[] = {
	{ offsetof(struct attrs, comms), 4, plain_print, "Communities",
	    "communities" },
	{ offsetof(struct attrs, large_comms), 12, comm_large_print,
	    "Large Communities", "large_communities" },
	{ offsetof(struct attrs, ext_comms), 8, comm_ext_print,
	    "Ext. Communities", "extended_communities" },
	{ offsetof(struct attrs, cluster_list), 4, cluster_print,
	    "Cluster list", NULL },
};

static const struct octets *
list_of(const struct list *l, const struct attrs *a)
{
	return (
	    const struct octets *)(const void *)((const char *)a + l->field);
}

static void
put_lists(struct show *s, const struct view *v)
{
	char text[64];

	for (size_t i = 0; i < sizeof list / sizeof list[0]; i++) {
		const struct octets *c = list_of(&list[i], &v->a);

		if (c->len == 0)
			continue;
		out_text(s->out, "    %s:", list[i].title);
		for (size_t k = 0; k + list[i].each <= c->len;
		     k += list[i].each) {
			list[i].print(c->p + k, text, sizeof text);
			out_text(s->out, " %s", text);
		}
		out_text(s->out, "\n");
	}
}

void
show_route_attrs(const struct attrs *a, char *buf, size_t n)
{
	char text[512];

	aspath_print(a->as_path, text, sizeof text);
	snprintf(buf, n, "as path %s", text[0] != '\0' ? text : "(empty)");
	if (a->has & 1u << HAS_MED) {
		snprintf(text, sizeof text, ", med %u", a->med);
		strlcat(buf, text, n);
	}
	if (a->has & 1u << HAS_LOCAL_PREF) {
		snprintf(text, sizeof text, ", local-pref %u", a->local_pref);
		strlcat(buf, text, n);
	}
	for (size_t i = 0; i < 2; i++) {
		const struct octets *c = list_of(&list[i], a);

		for (size_t k = 0; k + list[i].each <= c->len;
		     k += list[i].each) {
			list[i].print(c->p + k, text, sizeof text);
			if (k == 0)
				strlcat(buf,
				    i == 0 ? ", communities"
					   : ", large communities",
				    n);
			strlcat(buf, " ", n);
			strlcat(buf, text, n);
		}
	}
}

static void
put_others(struct show *s, const struct view *v)
{
	const struct attrs *a = &v->a;
	struct addr id = addr_v4(a->originator_id);
	char text[ADDR_STRLEN], hex[512];

	if (a->has & 1u << HAS_AGGREGATOR)
		out_text(s->out, "    Aggregator: %u [%s]\n", a->aggr_as,
		    addr_print(&a->aggr_id, text, sizeof text));
	if (a->has & 1u << HAS_ATOMIC)
		out_text(s->out, "    Atomic aggregate\n");
	if (a->has & 1u << HAS_ORIGINATOR_ID)
		out_text(s->out, "    Originator Id: %s\n",
		    addr_print(&id, text, sizeof text));
	if (a->has & 1u << HAS_OTC)
		out_text(s->out, "    OTC: %u\n", a->otc);
	if (a->unknown.len > 0)
		out_text(s->out, "    Unknown attributes: %s%s\n",
		    show_hex(a->unknown.p, a->unknown.len, hex, sizeof hex),
		    a->unknown.len > sizeof hex / 2 - 1 ? "..." : "");
}

static void
put_block(struct show *s, const struct view *v)
{
	const struct rib_path *p = &v->r->path;
	struct out *o = s->out;
	char t[OUT_TIME_LEN];

	out_text(o, "\nBGP routing table entry for %s\n", v->pfx);
	out_text(o, "    %s\n", v->path[0] != '\0' ? v->path : "(empty path)");
	out_text(o, "    Nexthop %s (via %s) Neighbor %s (%s)\n", v->gw, v->via,
	    v->name, v->id);
	out_text(o,
	    "    Origin %s, metric %u, localpref %u, weight %u, "
	    "ovs not-found, %s%s%s%s%s%s%s\n",
	    v->origin, v->med, v->localpref, v->weight,
	    v->internal ? "internal" : "external", v->valid ? ", valid" : "",
	    p->best && !v->refused       ? ", best"
		: p->ecmp && !v->refused ? ", ecmp"
					 : "",
	    p->stale ? ", stale" : "", v->local ? ", announced" : "",
	    v->refused ? ", rejected" : "", p->malformed ? ", malformed" : "");
	if (p->since != 0)
		out_text(o, "    Last update: %s ago\n",
		    show_ago(p->since, t, sizeof t));
	put_lists(s, v);
	put_others(s, v);
	if (v->refused)
		out_text(o, "    Rejected: %s: %s\n", reason_name(p->reason),
		    v->why);
	else if (v->explained)
		out_text(o, "    Decision: %s\n",
		    v->lost == DECIDE_BEST ? "best" : decide_why_text(v->lost));
	if (v->r->view != VIEW_OUT)
		out_text(o, "    Kernel: %s\n", v->fib);
}

/* ---- JSON ------------------------------------------------------------- */

static void
json_list(
    struct out *o, const char *key, const struct list *l, const struct attrs *a)
{
	const struct octets *c = list_of(l, a);
	char text[64];

	out_arr(o, key);
	for (size_t k = 0; k + l->each <= c->len; k += l->each) {
		l->print(c->p + k, text, sizeof text);
		out_str(o, NULL, text);
	}
	out_end(o);
}

/* Opens the object of one attribute; its value and out_end() follow. */
static void
attribute(struct out *o, const char *type, unsigned int fl, unsigned int len)
{
	out_obj(o, NULL);
	out_str(o, "type", type);
	out_obj(o, "flags");
	out_bool(o, "partial", fl & AF_PARTIAL);
	out_bool(o, "transitive", fl & AF_TRANS);
	out_bool(o, "optional", fl & AF_OPT);
	out_end(o);
	out_u64(o, "length", len);
}

static unsigned int
optional(const struct attrs *a, enum attr_has partial)
{
	return AF_OPT | AF_TRANS | (a->has & 1u << partial ? AF_PARTIAL : 0);
}

static void
json_mandatory(struct out *o, const struct view *v)
{
	const struct attrs *a = &v->a;

	if (a->has & 1u << HAS_ORIGIN) {
		attribute(o, "ORIGIN", AF_TRANS, 1);
		out_str(o, "origin", v->origin);
		out_end(o);
	}
	if (a->has & 1u << HAS_AS_PATH) {
		attribute(o, "AS_PATH", AF_TRANS, a->as_path.len);
		out_str(o, "aspath", v->path);
		out_end(o);
	}
	if (a->nexthop.fam != FAM_NONE) {
		attribute(
		    o, "NEXT_HOP", AF_TRANS, fam_bits(a->nexthop.fam) / 8);
		out_str(o, "nexthop", v->gw);
		out_end(o);
	}
	if (a->has & 1u << HAS_MED) {
		attribute(o, "MULTI_EXIT_DISC", AF_OPT, 4);
		out_u64(o, "metric", a->med);
		out_end(o);
	}
	if (a->has & 1u << HAS_LOCAL_PREF) {
		attribute(o, "LOCAL_PREF", AF_TRANS, 4);
		out_u64(o, "localpref", a->local_pref);
		out_end(o);
	}
}

static void
json_optional(struct out *o, const struct attrs *a)
{
	static const char *const type[] = { "COMMUNITIES", "LARGE_COMMUNITIES",
		"EXTENDED_COMMUNITIES" };
	static const enum attr_has partial[] = { HAS_PARTIAL_COMMS,
		HAS_PARTIAL_LARGE_COMMS, HAS_PARTIAL_EXT_COMMS };
	char text[ADDR_STRLEN];

	if (a->has & 1u << HAS_ATOMIC) {
		attribute(o, "ATOMIC_AGGREGATE", AF_TRANS, 0);
		out_end(o);
	}
	if (a->has & 1u << HAS_AGGREGATOR) {
		attribute(
		    o, "AGGREGATOR", optional(a, HAS_PARTIAL_AGGREGATOR), 8);
		out_strf(o, "AS", "%u", a->aggr_as);
		out_str(
		    o, "router_id", addr_print(&a->aggr_id, text, sizeof text));
		out_end(o);
	}
	for (size_t i = 0; i < 3; i++) {
		if (list_of(&list[i], a)->len == 0)
			continue;
		attribute(o, type[i], optional(a, partial[i]),
		    list_of(&list[i], a)->len);
		json_list(o, list[i].key, &list[i], a);
		out_end(o);
	}
}

static void
json_reflected(struct out *o, const struct attrs *a)
{
	struct addr id = addr_v4(a->originator_id);
	char text[ADDR_STRLEN];

	if (a->has & 1u << HAS_ORIGINATOR_ID) {
		attribute(o, "ORIGINATOR_ID", AF_OPT, 4);
		out_str(o, "originator", addr_print(&id, text, sizeof text));
		out_end(o);
	}
	if (a->cluster_list.len > 0) {
		attribute(o, "CLUSTER_LIST", AF_OPT, a->cluster_list.len);
		json_list(o, "cluster_list", &list[3], a);
		out_end(o);
	}
	if (a->has & 1u << HAS_OTC) {
		attribute(o, "OTC", optional(a, HAS_PARTIAL_OTC), 4);
		out_strf(o, "as", "%u", a->otc);
		out_end(o);
	}
}

/* Whole attributes in a row: flags, type, length of one or two octets. */
static void
json_unknown(struct out *o, struct octets u)
{
	char name[32], *hex;
	size_t at = 0, head, len;

	while (at + 3 <= u.len) {
		const uint8_t *p = u.p + at;

		head = p[0] & AF_EXTLEN ? 4 : 3;
		if (at + head > u.len)
			break;
		len = p[0] & AF_EXTLEN ? (size_t)p[2] << 8 | p[3] : p[2];
		if (at + head + len > u.len)
			break;
		hex = mem_alloc(2 * len + 1);
		snprintf(name, sizeof name, "Unknown Attribute #%u", p[1]);
		attribute(o, name, p[0], (unsigned int)len);
		out_str(o, "data", show_hex(p + head, len, hex, 2 * len + 1));
		out_end(o);
		free(hex);
		at += head + len;
	}
}

static void
json_detail(struct out *o, const struct view *v)
{
	for (size_t i = 0; i < 3; i++)
		json_list(o, list[i].key, &list[i], &v->a);
	out_arr(o, "attributes");
	json_mandatory(o, v);
	json_optional(o, &v->a);
	json_reflected(o, &v->a);
	json_unknown(o, v->a.unknown);
	out_end(o);
	if (v->explained)
		out_str(o, "decision", decide_why_name(v->lost));
}

/* OpenBGPD's PREFIX_DMETRIC_*: the class the decision put it in. */
static int
dmetric(const struct view *v)
{
	if (!v->valid)
		return 1;
	return v->r->path.best ? 5 : v->r->path.ecmp ? 4 : 2;
}

static void
json_state(struct show *s, const struct view *v)
{
	const struct rib_path *p = &v->r->path;
	struct out *o = s->out;

	out_bool(o, "valid", v->valid);
	if (v->refused)
		out_bool(o, "filtered", true);
	if (p->best && !v->refused)
		out_bool(o, "best", true);
	if (p->ecmp && !p->best && !v->refused)
		out_bool(o, "ecmp", true);
	out_str(o, "source", v->internal ? "internal" : "external");
	if (p->stale)
		out_bool(o, "stale", true);
	if (v->local)
		out_bool(o, "announced", true);
	out_str(o, "ovs", "not-found");
	out_str(o, "avs", "unknown");
	out_str(o, "origin", v->origin);
	out_u64(o, "metric", v->med);
	out_u64(o, "localpref", v->localpref);
	out_u64(o, "weight", v->weight);
	out_i64(o, "dmetric", dmetric(v));
	out_span(o, "last_update", show_since(p->since));
}

static void
json_ours(struct show *s, const struct view *v)
{
	const struct rib_path *p = &v->r->path;
	struct out *o = s->out;
	size_t pos = 0;
	uint32_t as;
	uint8_t seg;

	out_str(o, "afi", v->r->pfx.addr.fam == FAM_INET6 ? "inet6" : "inet");
	if (v->a.has & 1u << HAS_OTC)
		out_u64(o, "otc", v->a.otc);
	out_arr(o, "aspath_list");
	while (aspath_next(v->a.as_path, &pos, &as, &seg))
		out_u64(o, NULL, as);
	out_end(o);
	out_str(o, "fib", v->fib);
	if (p->malformed)
		out_bool(o, "malformed", true);
	if (!v->refused)
		return;
	out_obj(o, "reason");
	out_u64(o, "id", p->reason);
	out_str(o, "name", reason_name(p->reason));
	out_str(o, "text", v->why);
	if (v->where != NULL)
		out_str(o, "where", v->where);
	out_end(o);
}

static void
put_json(struct show *s, const struct view *v)
{
	struct out *o = s->out;

	out_obj(o, NULL);
	out_str(o, "prefix", v->pfx);
	out_str(o, "aspath", v->path);
	out_str(o, "exit_nexthop", v->gw);
	out_str(o, "true_nexthop", v->via);
	out_obj(o, "neighbor");
	if (v->r->peer == NULL || v->r->peer->conf->description != NULL)
		out_str(o, "description",
		    v->r->peer == NULL ? "LOCAL"
				       : v->r->peer->conf->description);
	out_str(o, "remote_addr", v->addr);
	out_str(o, "bgp_id", v->id);
	out_end(o);
	json_state(s, v);
	if (s->req.detail)
		json_detail(o, v);
	json_ours(s, v);
	out_end(o);
}

void
show_route_put(struct show *s, const struct show_route *r)
{
	struct view v;

	view_init(s, &v, r);
	if (out_is_json(s->out))
		put_json(s, &v);
	else if (r->view == VIEW_REJECTED)
		put_refused(s, &v);
	else if (s->req.detail)
		put_block(s, &v);
	else
		put_line(s, &v);
	free(v.path);
}
