/*
 * explain.c -- why a prefix is where it is: for each neighbor that announced
 * it (or could) the limit, each guard, the set's entry, the rule; then the
 * decision, the next hop, the kernel, and who is told.  Nothing is kept for
 * it: all questions are asked again, of the same functions, with the same
 * facts, and nothing is counted or changed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bgpd/conf_tree.h"
#include "bgpd/engine.h"
#include "bgpd/sets_find.h"
#include "bgpd/show_cmd.h"
#include "lib/mem.h"
#include "policy/pfxset.h"

enum {
	PATHS = 64, /* of the decision that are shown */
	TEXT = 1024,
};

/* One route of one neighbor, received or made up. */
struct question {
	struct peer *p;
	struct pfx pfx;
	struct attrs a;
	bool received;
	struct rib_path path; /* when received */
};

/* ---- limit ------------------------------------------------------------ */

static void
put_limit(struct show *s, const struct question *q)
{
	const struct peer *p = q->p;
	const struct conf_limit *l = &p->conf->limit[CONF_RECEIVED][FAM_NONE];
	bool off = p->conf->guard_off & GUARD_BIT(GUARD_MAX_PREFIX);
	const char *say = "within the limit";

	if (off || l->max == 0)
		say = "no limit";
	else if (q->received && q->path.held)
		say = "HELD BACK by the limit";
	else if (!q->received && p->limit.frozen)
		say = "would be held back: the neighbor is frozen";
	else if (!q->received && adjin_limited(p->adjin) >= l->max)
		say = "would be over the limit";
	out_text(s->out, "  limit: %u received, limit %u: %s\n",
	    adjin_limited(p->adjin), off ? 0 : l->max, say);
	out_obj(s->out, "limit");
	out_u64(s->out, "received", adjin_limited(p->adjin));
	out_u64(s->out, "limit", off ? 0 : l->max);
	out_str(s->out, "verdict", say);
	out_bool(s->out, "held", q->received && q->path.held);
	out_end(s->out);
}

/* ---- guards ----------------------------------------------------------- */

static void
put_guard(
    struct show *s, const struct question *q, const struct import_verdict *v)
{
	const char *word =
	    v->always ? "usable-next-hop" : reason_guard_word(v->guard);
	const char *say = "ok";
	const char *why = q->p->conf->guard_off_why[v->guard];
	char text[TEXT] = "", safe[2 * TEXT];
	struct import_result res = {
		.reason = v->reason, .guard = v->guard, .asn = v->asn
	};

	if (!v->asked)
		say = v->off ? "OFF" : "-";
	else if (v->reason != REASON_NONE)
		say = "FAIL";
	if (v->asked && v->reason != REASON_NONE)
		import_print(
		    &q->p->facts, &q->pfx, &q->a, &res, text, sizeof text);
	else if (v->off && why != NULL)
		strlcpy(text, why, sizeof text);
	out_safe(text, safe, sizeof safe);
	out_text(s->out, "    %-5s %s%s%s\n", say, word,
	    safe[0] != '\0' ? ": " : "", safe);
	out_obj(s->out, NULL);
	out_str(s->out, "guard", word);
	out_str(s->out, "verdict",
	    !v->asked                      ? v->off ? "off" : "not-asked"
		: v->reason != REASON_NONE ? "fail"
					   : "ok");
	if (v->asked && v->reason != REASON_NONE) {
		out_u64(s->out, "reason", v->reason);
		out_str(s->out, "reason_name", reason_name(v->reason));
	}
	if (text[0] != '\0')
		out_str(s->out, "text", text);
	out_end(s->out);
}

static void
put_guards(struct show *s, const struct question *q)
{
	struct import_verdict v;

	out_text(s->out, "  guards%s:\n",
	    q->p->facts.internal
		? " (an internal session: only what none may do)"
		: "");
	out_arr(s->out, "guards");
	for (unsigned int i = 0;
	     import_step(&q->p->facts, &q->pfx, &q->a, i, &v); i++)
		put_guard(s, q, &v);
	out_end(s->out);
}

/* ---- the set ---------------------------------------------------------- */

/* The entry that lets the prefix in: of those that cover it, the longest. */
static bool
entry_of(
    const struct pfxset *set, const struct pfx *pfx, struct pfxset_entry *e)
{
	struct pfx p = *pfx;

	for (unsigned int len = pfx->len;; len--) {
		if (pfx_make(&p, &pfx->addr, len) &&
		    pfxset_nearest(set, &p, e) && pfx_covers(&e->pfx, pfx) &&
		    pfx->len >= e->lo && pfx->len <= e->hi)
			return true;
		if (len == 0)
			return false;
	}
}

/* The next entry in the order of prefixes, or after the last the first. */
static bool
after(const struct pfxset *set, const struct pfx *pfx, struct pfxset_entry *e)
{
	*e = (struct pfxset_entry){ .pfx = *pfx };
	if (pfxset_next(set, e))
		return true;
	*e = (struct pfxset_entry){ 0 };
	return pfxset_next(set, e);
}

/* Was the entry written in the configuration itself?  Where? */
static bool
written(const struct conf *c, const struct conf_set *set,
    const struct pfxset_entry *e, struct conf_pos *at)
{
	for (size_t i = 0; i < set->block->nentry; i++) {
		const struct conf_entry *x = &set->block->entry[i];

		if (!pfx_eq(&x->pfx, &e->pfx) || x->lo > e->hi || x->hi < e->lo)
			continue;
		at->file = c->tree->file[x->file]->name;
		at->line = x->line;
		return true;
	}
	return false;
}

enum about {
	ENTRY, /* the prefix is in the set by it */
	NEAREST,
	NEXT,
	NO_ENTRY,
};

static enum about
about(const struct pfxset *set, const struct pfx *pfx, struct pfxset_entry *e)
{
	return entry_of(set, pfx, e)      ? ENTRY
	    : pfxset_nearest(set, pfx, e) ? NEAREST
	    : after(set, pfx, e)          ? NEXT
					  : NO_ENTRY;
}

/*
 * Where the entry that will be told of stands in the set's lists: they are
 * read again for it.  True: that is still going on.
 */
static bool
find(struct show *s, const struct peer *p)
{
	const struct conf_set *set = p->conf->irr;
	struct pfxset_entry e;

	if (s->find == NULL || s->find_peer != p->num) {
		sets_find_free(s->find);
		s->find = NULL;
		if (set == NULL || set->nfile == 0 ||
		    about(set->set, &s->req.prefix, &e) == NO_ENTRY)
			return false;
		s->find = sets_find_new(s->eng, set, &e);
		s->find_peer = p->num;
	}
	return sets_find_run(s->find);
}

static void
put_entry(struct show *s, const struct question *q, enum about what,
    const struct pfxset_entry *e)
{
	static const char *const title[] = { "entry",
		"no entry, the nearest is",
		"no entry and none around it, the next is" };
	char text[PFX_STRLEN + 16], name[1024];
	struct conf_pos at = { 0 };
	const char *file = NULL;
	size_t line = 0;

	if (written(s->eng->conf, q->p->conf->irr, e, &at)) {
		file = at.file;
		line = at.line;
	} else if (s->find != NULL && s->find_peer == q->p->num)
		file = sets_find_file(s->find, &line);
	pfxset_entry_print(e, text, sizeof text);
	out_text(s->out, ", %s %s", title[what], text);
	if (file != NULL)
		out_text(s->out, " (%s:%zu)", out_safe(file, name, sizeof name),
		    line);
	out_obj(s->out, what == ENTRY ? "entry" : "nearest");
	out_str(s->out, "entry", text);
	if (file != NULL) {
		out_str(s->out, "file", file);
		out_u64(s->out, "line", line);
	}
	out_end(s->out);
}

static void
put_set(struct show *s, const struct question *q)
{
	const struct conf_set *set = q->p->conf->irr;
	struct pfxset_entry e;
	char age[OUT_TIME_LEN];
	struct out *o = s->out;
	enum about what;

	if (set == NULL)
		return;
	out_obj(o, "set");
	out_str(o, "name", set->name);
	out_bool(o, "loaded", set->entries > 0);
	out_text(o, "  set: \"%s\", %zu prefixes", set->name, set->entries);
	for (size_t i = 0; i < set->nfile; i++)
		out_text(o, "%s %s", i == 0 ? ", from" : "", set->file[i]);
	out_arr(o, "files");
	for (size_t i = 0; i < set->nfile; i++)
		out_str(o, NULL, set->file[i]);
	out_end(o);
	if (set->oldest != 0) {
		out_text(o, ", %s old", show_ago(set->oldest, age, sizeof age));
		out_i64(o, "age_sec", show_since(set->oldest));
	}
	what = about(set->set, &q->pfx, &e);
	if (what != NO_ENTRY)
		put_entry(s, q, what, &e);
	else
		out_text(o, ", NOT LOADED");
	out_text(o, "\n");
	out_end(o);
}

/* ---- rules and result ------------------------------------------------- */

static void
put_rule(struct show *s, const struct question *q)
{
	struct import_facts f = q->p->facts;
	const struct conf_policy *c = q->p->conf->import;
	struct import_result res;
	struct out *o = s->out;

	if (c == NULL) {
		out_text(o, "  rule: no import policy%s\n",
		    f.internal ? "" : ", so nothing is taken (RFC 8212)");
		return;
	}
	/* As if no guard were there. */
	f.off = ~0u;
	f.hits = NULL;
	arena_reset(&s->eng->arena);
	import_check(&f, &q->pfx, &q->a, &s->eng->arena, &res);
	out_obj(o, "rule");
	out_str(o, "policy", c->name);
	if (res.rule == NULL)
		out_text(
		    o, "  rule: no rule of policy \"%s\" matches\n", c->name);
	else {
		out_text(o, "  rule: \"%s\" of policy \"%s\" (%s) %s\n",
		    res.rule->name, c->name,
		    res.rule->where != NULL ? res.rule->where : "built in",
		    res.reason == REASON_NONE ? "accepts" : "rejects");
		out_str(o, "rule", res.rule->name);
		out_str(
		    o, "where", res.rule->where != NULL ? res.rule->where : "");
	}
	out_str(o, "verdict", res.reason == REASON_NONE ? "accept" : "reject");
	out_end(o);
}

static void
put_communities(struct out *o, const struct attrs *a)
{
	char text[64];

	out_arr(o, "communities");
	for (size_t i = 0; i + 4 <= a->comms.len; i += 4) {
		const uint8_t *p = a->comms.p + i;

		comm_print((uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
			(uint32_t)p[2] << 8 | p[3],
		    text, sizeof text);
		out_text(o, " %s", text);
		out_str(o, NULL, text);
	}
	for (size_t i = 0; i + 8 <= a->ext_comms.len; i += 8) {
		comm_ext_print(a->ext_comms.p + i, text, sizeof text);
		out_text(o, " %s", text);
		out_str(o, NULL, text);
	}
	for (size_t i = 0; i + 12 <= a->large_comms.len; i += 12) {
		comm_large_print(a->large_comms.p + i, text, sizeof text);
		out_text(o, " %s", text);
		out_str(o, NULL, text);
	}
	out_end(o);
}

static void
put_attrs(struct show *s, const struct attrs *a)
{
	struct out *o = s->out;
	char path[TEXT], nh[ADDR_STRLEN];
	uint32_t pref = a->has & 1u << HAS_LOCAL_PREF ? a->local_pref : 100;
	uint32_t med = a->has & 1u << HAS_MED ? a->med : 0;

	aspath_print(a->as_path, path, sizeof path);
	addr_print(&a->nexthop, nh, sizeof nh);
	out_text(o, "    path %s, next hop %s, localpref %u, metric %u", path,
	    nh, pref, med);
	if (a->weight != 0)
		out_text(o, ", weight %u", a->weight - 1);
	out_text(o, "\n    communities:");
	out_obj(o, "attributes");
	out_str(o, "aspath", path);
	out_str(o, "nexthop", nh);
	out_u64(o, "localpref", pref);
	out_u64(o, "metric", med);
	if (a->weight != 0)
		out_u64(o, "weight", a->weight - 1);
	put_communities(o, a);
	out_text(o, "\n");
	out_end(o);
}

/* Whatever the rules say, it is the last choice: why? */
static void
put_last(struct out *o, const struct import_result *res)
{
	static const char *const text[] = {
		[IMPORT_LAST_GSHUT] =
		    "it has GRACEFUL_SHUTDOWN (RFC 8326; the neighbor's "
		    "\"graceful-shutdown ignore\" would leave it as it is)",
		[IMPORT_LAST_DRAIN] =
		    "the neighbor is drained (ana-bgpctl undrain ends that)",
	};

	if (res->last == IMPORT_LAST_NO)
		return;
	out_text(o, "    the last choice: %s\n", text[res->last]);
	out_str(o, "last_choice", text[res->last]);
}

static void
put_result(struct show *s, const struct question *q)
{
	struct import_facts f = q->p->facts;
	struct import_result res;
	char text[TEXT], safe[2 * TEXT];
	struct out *o = s->out;

	f.hits = NULL;
	arena_reset(&s->eng->arena);
	import_check(&f, &q->pfx, &q->a, &s->eng->arena, &res);
	out_bool(o, "accepted", res.reason == REASON_NONE);
	if (res.reason == REASON_NONE) {
		out_text(o, "  result: accepted, as\n");
		put_attrs(s, &res.attrs);
		put_last(o, &res);
		return;
	}
	import_print(&f, &q->pfx, &q->a, &res, text, sizeof text);
	out_safe(text, safe, sizeof safe);
	out_text(
	    o, "  result: REJECTED (%s): %s\n", reason_name(res.reason), safe);
	out_u64(o, "reason", res.reason);
	out_str(o, "reason_name", reason_name(res.reason));
	out_str(o, "text", text);
}

static bool
has_family(const struct peer *p, enum fam fam)
{
	return p->up != NULL ? p->up->neg.wire.mp[fam] : p->conf->fam[fam];
}

/* It cannot even be announced. */
static void
put_no_family(struct out *o)
{
	const char *text = reason_text(REASON_AFI);

	out_bool(o, "accepted", false);
	out_text(
	    o, "  result: REJECTED (%s): %s\n", reason_name(REASON_AFI), text);
	out_u64(o, "reason", REASON_AFI);
	out_str(o, "reason_name", reason_name(REASON_AFI));
	out_str(o, "text", text);
}

static void
put_question(struct show *s, const struct question *q)
{
	char name[256], addr[ADDR_STRLEN], pfx[PFX_STRLEN], t[OUT_TIME_LEN];
	struct out *o = s->out;

	pfx_print(&q->pfx, pfx, sizeof pfx);
	show_name(s, q->p, name, sizeof name);
	addr_print(&q->p->conf->addr, addr, sizeof addr);
	out_text(o, "%s from %s (%s), AS%u: ", pfx, name, addr,
	    q->p->conf->remote_as);
	if (q->received)
		out_text(o, "received %s ago%s\n",
		    show_ago(q->path.since, t, sizeof t),
		    q->path.stale ? ", stale" : "");
	else
		out_text(o, "not received, so if it were announced\n");
	out_obj(o, NULL);
	out_str(o, "neighbor", addr);
	out_str(o, "description", name);
	out_bool(o, "received", q->received);
	if (q->received && q->path.malformed) {
		out_text(o,
		    "  malformed: treated as withdrawn (RFC 7606); "
		    "show errors has it\n");
		out_bool(o, "malformed", true);
	} else if (!q->received && !has_family(q->p, (enum fam)q->pfx.addr.fam))
		put_no_family(o);
	else {
		put_limit(s, q);
		put_guards(s, q);
		put_set(s, q);
		put_rule(s, q);
		put_result(s, q);
	}
	out_end(o);
}

/* ---- the decision, the kernel ----------------------------------------- */

static void
put_path(struct show *s, const struct rib_path *rp, enum decide_why lost)
{
	const struct peer *p =
	    rp->peer == RIB_LOCAL ? NULL : s->eng->by_num[rp->peer];
	char name[256] = "our own network";
	const char *say = decide_why_text(lost);

	if (p != NULL)
		show_name(s, p, name, sizeof name);
	if (rp->reason != REASON_NONE)
		say = reason_text(rp->reason);
	else if (lost == DECIDE_INELIGIBLE)
		say = "its next hop cannot be reached";
	out_text(s->out, "    %s%s %s%s%s\n", rp->best ? "best" : "    ",
	    rp->ecmp && !rp->best ? "=" : " ", name,
	    lost == DECIDE_BEST ? "" : ": ", lost == DECIDE_BEST ? "" : say);
	out_obj(s->out, NULL);
	out_str(s->out, "from", name);
	out_bool(s->out, "best", rp->best);
	out_bool(s->out, "ecmp", rp->ecmp);
	out_str(s->out, "step", decide_why_name(lost));
	out_str(s->out, "text", say);
	out_end(s->out);
}

static void
put_nexthop(struct show *s, const struct rib_path *best)
{
	const struct nexthop *h = nexthop_at(
	    s->eng->nexthops, attrs_nexthop(s->eng->attrs, best->attrs));
	char addr[ADDR_STRLEN], name[64];

	if (h == NULL)
		return;
	addr_print(&h->addr, addr, sizeof addr);
	out_text(s->out, "  next hop: %s, %s%s\n", addr,
	    h->reachable ? "reachable over " : "NOT REACHABLE",
	    h->reachable ? show_ifname(s->eng, h->ifindex, name, sizeof name)
			 : "");
	out_obj(s->out, "nexthop");
	out_str(s->out, "address", addr);
	out_bool(s->out, "reachable", h->reachable);
	if (h->reachable)
		out_str(s->out, "interface",
		    show_ifname(s->eng, h->ifindex, name, sizeof name));
	out_end(s->out);
}

static void
put_kernel(struct show *s, const struct pfx *pfx)
{
	struct fibsync_route r = { 0 };
	enum fibsync_state st = fibsync_get(s->eng->fibsync, pfx, &r);
	const char *text = r.text != NULL ? r.text : "";

	out_text(s->out, "  kernel: %s%s%s\n",
	    st == FIBSYNC_NONE ? "not wanted there" : fibsync_state_name(st),
	    *text != '\0' ? ": " : "", text);
	out_obj(s->out, "kernel");
	out_str(s->out, "state", fibsync_state_name(st));
	if (*text != '\0')
		out_str(s->out, "text", text);
	out_end(s->out);
}

/* ---- who is told ------------------------------------------------------ */

const char *
show_not_told(struct show *s, const struct peer *p, const struct pfx *pfx,
    const struct rib_path *best, const struct rule **by)
{
	enum route_source source = SOURCE_LOCAL;
	struct export_facts f;
	struct attrs in, out;
	uint32_t told;
	uint16_t why;

	*by = NULL;
	if (p->member == NULL)
		return "its session is not established";
	if (!p->up->neg.wire.mp[pfx->addr.fam])
		return "the family was not agreed on with it";
	if (best == NULL)
		return "there is no route in use";
	if (best->peer == p->num)
		return "the route in use came from it";
	f = p->group->facts;
	f.hits = NULL;
	f.neighbor = p->conf->addr;
	f.alone = true;
	if (best->peer != RIB_LOCAL)
		source = rib_peer_get(s->eng->rib, best->peer)->internal
		    ? SOURCE_INTERNAL
		    : SOURCE_EXTERNAL;
	attrs_get(s->eng->attrs, best->attrs, &in);
	arena_reset(&s->eng->arena_out);
	if (!export_check(
		&f, pfx, &in, source, &s->eng->arena_out, &out, &why, by))
		return reason_text(why);
	if (!adjout_find(p->member, pfx, &told))
		return "send-max-prefix is reached, or it is on its way";
	return NULL;
}

static void
put_told(struct show *s, const struct peer *p, const struct pfx *pfx,
    const struct rib_path *best)
{
	const struct rule *by;
	const char *why = show_not_told(s, p, pfx, best, &by);
	char name[256];

	show_name(s, p, name, sizeof name);
	out_text(s->out, "    %-4s %s%s%s", why == NULL ? "yes" : "no", name,
	    why == NULL ? "" : ": ", why == NULL ? "" : why);
	if (by != NULL)
		out_text(s->out, " (rule \"%s\"%s%s)", by->name,
		    by->where != NULL ? ", " : "",
		    by->where != NULL ? by->where : "");
	out_text(s->out, "\n");
	out_obj(s->out, NULL);
	out_str(s->out, "neighbor", name);
	out_bool(s->out, "told", why == NULL);
	if (why != NULL)
		out_str(s->out, "text", why);
	if (by != NULL)
		out_str(s->out, "rule", by->name);
	out_end(s->out);
}

/* ---- explain ---------------------------------------------------------- */

/* The route that a neighbor would send: itself as path and next hop. */
static void
make_up(struct show *s, struct question *q)
{
	enum fam fam = (enum fam)q->pfx.addr.fam;

	q->a = (struct attrs){ .has = 1u << HAS_ORIGIN | 1u << HAS_AS_PATH |
		    1u << HAS_NEXT_HOP,
		.origin = ORIGIN_IGP };
	if (!q->p->conf->internal)
		q->a.as_path = aspath_prepend(
		    q->a.as_path, q->p->conf->remote_as, 1, &s->eng->arena_out);
	q->a.nexthop = q->p->facts.peer[fam];
	if (q->a.nexthop.fam == FAM_NONE)
		q->a.nexthop = q->p->conf->addr;
}

static void
explain_peer(struct show *s, struct peer *p)
{
	struct question q = { .p = p, .pfx = s->req.prefix };

	arena_reset(&s->eng->arena_out);
	q.received = adjin_find(p->adjin, &q.pfx, &q.path);
	if (q.received && !q.path.malformed)
		attrs_get(s->eng->attrs, q.path.attrs_in, &q.a);
	else
		make_up(s, &q);
	put_question(s, &q);
}

/* Announced by anybody; of nobody each neighbor is asked about. */
static bool
anybody(const struct show *s)
{
	struct rib_path rp;
	struct peer *p;

	TAILQ_FOREACH (p, &s->eng->peers, entry)
		if (adjin_find(p->adjin, &s->req.prefix, &rp))
			return true;
	return false;
}

/* One of our networks: show announcements has the rest. */
static void
put_network(struct show *s)
{
	const struct announce_net *n =
	    announce_find(s->eng->announce, &s->req.prefix);

	if (n == NULL)
		return;
	out_text(s->out,
	    "our own network, %s (%s); show announcements says why\n",
	    announce_state_name(n->state), announce_cause_name(n->cause));
	out_obj(s->out, "network");
	out_str(s->out, "state", announce_state_name(n->state));
	out_str(s->out, "cause", announce_cause_name(n->cause));
	out_end(s->out);
}

static bool
head_explain(struct show *s)
{
	if (!show_only(s))
		return false;
	put_network(s);
	s->listing = true;
	out_arr(s->out, "neighbors");
	s->explain_all = s->only == 0 && !anybody(s);
	return true;
}

static void
put_decision(struct show *s)
{
	struct rib_path rp[PATHS];
	enum decide_why lost[PATHS];
	uint32_t dest = rib_find(s->eng->rib, &s->req.prefix);
	size_t n =
	    dest == 0 ? 0 : rib_explain(s->eng->rib, dest, rp, lost, PATHS);
	struct rib_path best;

	if (n > PATHS)
		n = PATHS;
	out_text(s->out, "decision:%s\n",
	    n == 0 ? " nobody announced this prefix" : "");
	out_arr(s->out, "decision");
	for (size_t i = 0; i < n; i++)
		put_path(s, &rp[i], lost[i]);
	out_end(s->out);
	if (dest != 0 && rib_best(s->eng->rib, dest, &best))
		put_nexthop(s, &best);
	put_kernel(s, &s->req.prefix);
}

static bool
next_wanted(struct show *s, struct peer **p)
{
	struct rib_path rp;

	if (s->only != 0) {
		*p = s->peer == s->only ? NULL : s->eng->by_num[s->only];
		return *p != NULL;
	}
	while ((*p = show_next_peer(s->eng, s->peer)) != NULL) {
		if (s->explain_all ||
		    adjin_find((*p)->adjin, &s->req.prefix, &rp))
			return true;
		s->peer = (*p)->num;
	}
	return false;
}

/* First the neighbors it may come from; then, once, those it may go to. */
static bool
rows_explain(struct show *s, unsigned int budget)
{
	struct rib_path best;
	struct peer *p;
	uint32_t dest;
	bool found;

	for (budget = budget / SHOW_BLOCK + 1; !s->explain_told; budget--) {
		if (budget == 0)
			return true;
		if (next_wanted(s, &p)) {
			if (find(s, p))
				return true;
			s->peer = p->num;
			explain_peer(s, p);
			continue;
		}
		out_end(s->out);
		put_decision(s);
		out_text(s->out, "told to:\n");
		out_arr(s->out, "told");
		s->explain_told = true;
		s->peer = 0;
	}
	dest = rib_find(s->eng->rib, &s->req.prefix);
	found = dest != 0 && rib_best(s->eng->rib, dest, &best);
	for (budget *= SHOW_BLOCK; budget > 0; budget--) {
		p = show_next_peer(s->eng, s->peer);
		if (p == NULL)
			return false;
		s->peer = p->num;
		put_told(s, p, &s->req.prefix, found ? &best : NULL);
	}
	return true;
}

/* ---- test route ------------------------------------------------------- */

/* "64500 64510" or "64500_64510". */
static bool
read_path(struct show *s, const char *text, struct attrs *a)
{
	uint32_t as[255];
	size_t n = 0;
	char *end;

	while (*text != '\0') {
		unsigned long v = strtoul(text, &end, 10);

		if (end == text || v > UINT32_MAX || n == 255)
			return false;
		as[n++] = (uint32_t)v;
		text = end + strspn(end, " _,");
	}
	a->as_path = (struct octets){ 0 };
	while (n > 0)
		a->as_path =
		    aspath_prepend(a->as_path, as[--n], 1, &s->eng->arena_out);
	return true;
}

/* "64500:80 large:1:2:3 rt:1:2 no-export" */
static bool
read_communities(struct show *s, const char *text, struct attrs *a)
{
	char *copy = mem_strdup(text), *at = copy, *word;
	struct rule_comm c;
	bool good = true;

	while (good && (word = strsep(&at, " ,")) != NULL) {
		if (*word == '\0')
			continue;
		good = strncmp(word, "large:", 6) == 0
		    ? rule_comm_parse(word + 6, COMM_LARGE, false, &c)
		    : rule_comm_parse(word, COMM_PLAIN, false, &c) ||
			rule_comm_parse(word, COMM_LARGE, false, &c) ||
			rule_comm_parse(word, COMM_EXT, false, &c);
		if (good)
			rule_comm_add(a, &c, &s->eng->arena_out);
	}
	free(copy);
	return good;
}

static bool
head_test(struct show *s)
{
	s->listing = true;
	out_arr(s->out, "neighbors");
	if (s->req.neighbor == NULL)
		return show_fail(s, CMD_USAGE,
		    "test route needs the neighbor that would announce it: "
		    "neighbor NEIGHBOR");
	return show_only(s);
}

static bool
rows_test(struct show *s, unsigned int budget)
{
	struct question q = { .p = s->eng->by_num[s->only],
		.pfx = s->req.prefix };

	if (find(s, q.p))
		return true;
	arena_reset(&s->eng->arena_out);
	make_up(s, &q);
	if (s->req.as_path != NULL && !read_path(s, s->req.as_path, &q.a))
		return show_fail(s, CMD_USAGE,
		    "as-path wants AS numbers in quotes: \"64500 64510\"");
	if (s->req.community != NULL &&
	    !read_communities(s, s->req.community, &q.a))
		return show_fail(s, CMD_USAGE,
		    "community wants communities in quotes: \"64500:80 "
		    "52580:1:2 rt:64500:1\"");
	put_question(s, &q);
	return false;
}

const struct show_cmd show_cmd_explain = { NULL, head_explain, rows_explain };
const struct show_cmd show_cmd_test_route = { NULL, head_test, rows_test };
