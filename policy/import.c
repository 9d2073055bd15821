/*
 * import.c -- the guards as one ordered table, then the rules.  A guard is a
 * pure question that returns REASON_NONE or why not; the table's order is the
 * order of interfaces.md 6.5 and decides which reason an operator sees.
 */
#include <stdio.h>
#include <string.h>

#include "policy/asnset.h"
#include "policy/import.h"
#include "policy/martian.h"
#include "policy/pfxset.h"

/* What the guards ask about the AS path, from one walk over it. */
struct path_facts {
	bool bogon, loop, locked, set;
	uint32_t bogon_as; /* the first that is no public one */
	uint32_t locked_as; /* the first transit-free one */
	uint32_t first; /* as aspath_first() */
	unsigned int length; /* as aspath_length() */
	unsigned int asns; /* all of them */
};

struct ask {
	const struct import_facts *f;
	const struct pfx *pfx;
	const struct attrs *a;
	const struct path_facts *path;
	uint32_t asn; /* the AS at fault */
};

static void
look_at_as(const struct import_facts *f, uint32_t as, struct path_facts *path)
{
	path->loop |= as == f->local_as;
	/* The peer's own number is public-asn's matter: one switch opens it. */
	if (as == f->peer_as)
		return;
	if (!path->bogon && !martian_asn_ok(as, f->lab)) {
		path->bogon = true;
		path->bogon_as = as;
	}
	if (f->transit_free != NULL && !path->locked &&
	    asnset_has(f->transit_free, as)) {
		path->locked = true;
		path->locked_as = as;
	}
}

static void
look_at_path(const struct import_facts *f, const struct attrs *a,
    struct path_facts *path)
{
	struct aspath_seg s;
	struct cur c;
	uint32_t as;

	*path = (struct path_facts){ .length = 0 };
	cur_init(&c, a->as_path.p, a->as_path.len);
	while (aspath_seg(&c, &s)) {
		path->set |= s.type == SEG_SET || s.type == SEG_CONFED_SET;
		path->length +=
		    s.type == SEG_SEQUENCE ? s.count : s.type == SEG_SET;
		while (cur_u32(&s.asns, &as)) {
			if (path->asns++ == 0 && s.type == SEG_SEQUENCE)
				path->first = as;
			look_at_as(f, as, path);
		}
	}
}

static uint16_t
max_length(struct ask *q)
{
	unsigned int max = q->f->max_len[q->pfx->addr.fam];

	return max != 0 && q->pfx->len > max ? REASON_LENGTH : REASON_NONE;
}

static uint16_t
default_route(struct ask *q)
{
	return pfx_is_default(q->pfx) ? REASON_DEFAULT_ROUTE : REASON_NONE;
}

static uint16_t
bogon_prefixes(struct ask *q)
{
	const struct martian *m = martian_find(q->pfx, q->f->lab);
	size_t i;

	if (m == NULL)
		return REASON_NONE;
	for (i = 0; i < q->f->nallow; i++)
		if (q->f->allow[i] != NULL &&
		    pfxset_match(q->f->allow[i], q->pfx))
			return REASON_NONE;
	return m->reason;
}

static uint16_t
own_prefixes(struct ask *q)
{
	return q->f->own != NULL && pfxset_covers(q->f->own, q->pfx)
	    ? REASON_OWN_PREFIX
	    : REASON_NONE;
}

static uint16_t
bogon_asns(struct ask *q)
{
	q->asn = q->path->bogon_as;
	return q->path->bogon ? REASON_BOGON_ASN : REASON_NONE;
}

static uint16_t
first_as(struct ask *q)
{
	uint32_t as = q->path->first;

	if (as == q->f->peer_as && as != 0)
		return REASON_NONE;
	q->asn = as;
	return REASON_FIRST_AS;
}

/* RFC 4271 9.1.2; RFC 4456 8. */
static uint16_t
loop(struct ask *q)
{
	if (q->path->loop) {
		q->asn = q->f->local_as;
		return REASON_LOOP;
	}
	return q->f->internal && (q->a->has & 1u << HAS_ORIGINATOR_ID) != 0 &&
		q->a->originator_id == q->f->local_id
	    ? REASON_LOOP
	    : REASON_NONE;
}

static uint16_t
as_set_in_path(struct ask *q)
{
	return q->path->set ? REASON_AS_SET : REASON_NONE;
}

static uint16_t
path_length(struct ask *q)
{
	return q->f->max_path != 0 && q->path->length > q->f->max_path
	    ? REASON_PATH_LENGTH
	    : REASON_NONE;
}

/* What no configuration makes usable (RFC 4271 6.3). */
static bool
impossible_next_hop(const struct ask *q)
{
	const struct addr *nh = &q->a->nexthop;
	size_t i;

	if (nh->fam == FAM_NONE || addr_is_v4mapped(nh) ||
	    addr_is_linklocal(nh))
		return true;
	for (i = 0; i < q->f->nlocal; i++)
		if (addr_eq(nh, &q->f->local[i]))
			return true;
	return false;
}

static uint16_t
own_next_hop(struct ask *q)
{
	return impossible_next_hop(q) ? REASON_NEXT_HOP : REASON_NONE;
}

static uint16_t
next_hop_is_peer(struct ask *q)
{
	const struct addr *nh = &q->a->nexthop;

	return nh->fam < FAM_N && addr_eq(nh, &q->f->peer[nh->fam])
	    ? REASON_NONE
	    : REASON_NEXT_HOP;
}

static uint16_t
public_asn(struct ask *q)
{
	if (martian_asn_ok(q->f->peer_as, q->f->lab))
		return REASON_NONE;
	q->asn = q->f->peer_as;
	return REASON_PEER_ASN;
}

static uint16_t
irr(struct ask *q)
{
	uint32_t origin;

	if (q->f->irr == NULL || pfxset_empty(q->f->irr))
		return REASON_NO_SET;
	if (!pfxset_match(q->f->irr, q->pfx))
		return REASON_NOT_IN_SET;
	if (pfxset_origins(q->f->irr) == NULL)
		return REASON_NONE;
	origin = aspath_origin(q->a->as_path);
	if (pfxset_origin_ok(q->f->irr, origin))
		return REASON_NONE;
	q->asn = origin;
	return REASON_ORIGIN_NOT_IN_SET;
}

static uint16_t
peer_lock(struct ask *q)
{
	q->asn = q->path->locked_as;
	return q->path->locked ? REASON_PEER_LOCK : REASON_NONE;
}

/* RFC 9234 5, by our own role: the peer's is its counterpart. */
static uint16_t
otc(struct ask *q)
{
	if ((q->a->has & 1u << HAS_OTC) == 0)
		return REASON_NONE;
	q->asn = q->a->otc;
	switch (q->f->role) {
	case ROLE_PROVIDER: /* from a customer */
	case ROLE_RS: /* from a client */
		return REASON_OTC;
	case ROLE_PEER:
		return q->a->otc != q->f->peer_as ? REASON_OTC : REASON_NONE;
	default:
		return REASON_NONE;
	}
}

struct step {
	enum guard guard;
	uint32_t off; /* the bit that switches it off; 0: nothing does */
	bool internal; /* looked at on internal sessions, too */
	bool prefix; /* looks at the prefix */
	uint16_t (*ask)(struct ask *);
};

#define SWITCH(g) g, GUARD_BIT(g)
/* clang-format off */
static const struct step steps[] = {
	{ SWITCH(GUARD_MAX_LENGTH),		false, true,  max_length },
	{ SWITCH(GUARD_DEFAULT_ROUTE),		false, true,  default_route },
	{ SWITCH(GUARD_BOGON_PREFIXES),		false, true,  bogon_prefixes },
	{ SWITCH(GUARD_OWN_PREFIXES),		false, true,  own_prefixes },
	{ SWITCH(GUARD_BOGON_ASNS),		false, false, bogon_asns },
	{ SWITCH(GUARD_FIRST_AS),		false, false, first_as },
	{ SWITCH(GUARD_LOOP),			true,  false, loop },
	{ SWITCH(GUARD_AS_SET),			false, false, as_set_in_path },
	{ SWITCH(GUARD_PATH_LENGTH),		false, false, path_length },
	{ GUARD_NEXT_HOP, 0,			true,  false, own_next_hop },
	{ SWITCH(GUARD_NEXT_HOP),		false, false, next_hop_is_peer },
	{ SWITCH(GUARD_PUBLIC_ASN),		false, false, public_asn },
	{ SWITCH(GUARD_IRR),			false, true,  irr },
	{ SWITCH(GUARD_PEER_LOCK),		false, false, peer_lock },
	{ SWITCH(GUARD_OTC),			false, false, otc },
};
/* clang-format on */
#undef SWITCH

enum {
	NSTEP = sizeof steps / sizeof steps[0]
};

static bool
asked(const struct step *s, const struct import_facts *f)
{
	return (f->off & s->off) == 0 && (s->internal || !f->internal);
}

static void
refuse(struct import_result *res, const struct step *s, const struct ask *q,
    uint16_t reason)
{
	*res = (struct import_result){ .reason = reason,
		.guard = s->guard,
		.asn = q->asn,
		.attrs = *q->a };
}

/* The guards that look at the attributes alone, up to the first refusal. */
static void
begin_guards(struct import_run *r)
{
	struct path_facts path;
	struct ask q = { .f = r->f, .a = r->a, .path = &path };
	uint16_t reason;

	look_at_path(r->f, r->a, &path);

	for (uint32_t i = 0; i < NSTEP; i++) {
		const struct step *s = &steps[i];

		if (!asked(s, r->f))
			continue;
		if (s->prefix) {
			r->todo |= 1u << i;
			continue;
		}
		q.asn = 0;
		reason = s->ask(&q);
		if (reason != REASON_NONE) {
			refuse(&r->by_attrs, s, &q, reason);
			return;
		}
	}
}

/* Those that look at the prefix; in front of the refusal, if there is one. */
static const struct import_result *
run_guards(struct import_run *r, const struct pfx *pfx)
{
	struct ask q = { .f = r->f, .a = r->a, .pfx = pfx };
	uint16_t reason;

	for (uint32_t todo = r->todo; todo != 0; todo &= todo - 1) {
		const struct step *s = &steps[__builtin_ctz(todo)];

		q.asn = 0;
		reason = s->ask(&q);
		if (reason == REASON_NONE)
			continue;
		refuse(&r->by_prefix, s, &q, reason);
		return &r->by_prefix;
	}
	return r->by_attrs.reason != REASON_NONE ? &r->by_attrs : NULL;
}

bool
import_step(const struct import_facts *f, const struct pfx *pfx,
    const struct attrs *a, unsigned int i, struct import_verdict *v)
{
	struct path_facts path;
	struct ask q = { .f = f, .pfx = pfx, .a = a, .path = &path };
	const struct step *s;

	if (i >= sizeof(steps) / sizeof(steps[0]))
		return false;
	s = &steps[i];
	*v = (struct import_verdict){ .guard = s->guard };
	v->always = s->off == 0;
	v->off = (f->off & s->off) != 0;
	v->asked = asked(s, f);
	if (v->asked) {
		look_at_path(f, a, &path);
		v->reason = s->ask(&q);
	}
	v->asn = v->reason != REASON_NONE ? q.asn : 0;
	return true;
}

/* RFC 9234 5: mark what a provider, peer or route server sends unmarked. */
static void
mark_otc(const struct import_facts *f, struct import_result *res)
{
	if (f->internal || (f->off & GUARD_BIT(GUARD_OTC)) != 0 ||
	    (res->attrs.has & 1u << HAS_OTC) != 0)
		return;
	if (f->role != ROLE_CUSTOMER && f->role != ROLE_PEER &&
	    f->role != ROLE_RS_CLIENT)
		return;
	res->attrs.otc = f->peer_as;
	res->attrs.has |= 1u << HAS_OTC;
	res->changed = true;
}

static uint16_t
run_rules(const struct import_facts *f, const struct pfx *pfx,
    struct arena *arena, struct import_result *res)
{
	struct rule_facts rf = {
		.pfx = pfx,
		.neighbor = &f->neighbor,
		.source = f->internal ? SOURCE_INTERNAL : SOURCE_EXTERNAL,
		.prepend_as = f->peer_as,
		.group = f->group,
		.role = rule_role_of(f->role),
		.hits = f->hits,
	};

	if (f->policy == NULL) /* RFC 8212 2 */
		return f->internal ? REASON_NONE : REASON_NO_RULE;
	switch (policy_run(f->policy, &rf, &res->attrs, arena, &res->rule)) {
	case RULE_ACCEPT:
		/* Rules before it may have set something and gone on. */
		res->changed |= policy_sets(f->policy);
		return REASON_NONE;
	case RULE_REJECT:
		return REASON_RULE;
	case RULE_NO_MATCH:
	case RULE_CONTINUE:
		break;
	}
	return REASON_NO_RULE;
}

/* RFC 8326 4: what leaves is the last choice, whatever a rule says. */
static void
last_choice(struct import_result *res, enum import_last why)
{
	res->attrs.local_pref = 0;
	res->attrs.has |= 1u << HAS_LOCAL_PREF;
	res->attrs.weight = 1; /* 0: weight is looked at before LOCAL_PREF */
	res->changed = true;
	res->last = (uint8_t)why;
}

/* The rules, and what is done to the attributes around them. */
static void
rule_on(const struct import_facts *f, const struct pfx *pfx,
    const struct attrs *a, struct arena *arena, struct import_result *res)
{
	*res = (struct import_result){ .attrs = *a };
	mark_otc(f, res);
	res->reason = run_rules(f, pfx, arena, res);
	if (res->reason != REASON_NONE) {
		res->attrs = *a;
		res->changed = false;
		return;
	}
	if (f->drained)
		last_choice(res, IMPORT_LAST_DRAIN);
	else if (f->honour_gshut && !f->internal &&
	    comm_has(a->comms, COMM_GRACEFUL_SHUTDOWN))
		last_choice(res, IMPORT_LAST_GSHUT);
}

void
import_begin(struct import_run *r, const struct import_facts *f,
    const struct attrs *a, struct arena *arena)
{
	r->f = f;
	r->a = a;
	r->arena = arena;
	r->mark = arena_mark(arena);
	r->todo = 0;
	r->ran = r->each = false;
	r->by_attrs.reason = REASON_NONE;
	begin_guards(r);
}

const struct import_result *
import_next(struct import_run *r, const struct pfx *pfx)
{
	const struct import_result *refused = run_guards(r, pfx);

	if (refused != NULL)
		return refused;
	/* Most messages have one prefix: then nobody needs to know. */
	if (r->ran && !r->each)
		r->each = policy_each(r->f->policy);
	if (r->each)
		arena_back(r->arena, r->mark);
	if (!r->ran || r->each)
		rule_on(r->f, pfx, r->a, r->arena, &r->ruled);
	else if (r->ruled.rule != NULL && r->f->hits != NULL)
		r->f->hits[r->ruled.rule->hit]++;
	r->ran = true;
	return &r->ruled;
}

uint16_t
import_check(const struct import_facts *f, const struct pfx *pfx,
    const struct attrs *a, struct arena *arena, struct import_result *res)
{
	struct import_run r;

	import_begin(&r, f, a, arena);
	*res = *import_next(&r, pfx);
	return res->reason;
}

/* ---- sentences -------------------------------------------------------- */

static int
print_prefix(const struct import_facts *f, const struct pfx *pfx,
    uint16_t reason, char *buf, size_t cap)
{
	const struct martian *m;
	char p[PFX_STRLEN];

	pfx_print(pfx, p, sizeof(p));
	switch (reason) {
	case REASON_LENGTH:
		return snprintf(buf, cap,
		    "%s is longer than /%u (max-length %s)", p,
		    f->max_len[pfx->addr.fam],
		    pfx->addr.fam == FAM_INET ? "inet" : "inet6");
	case REASON_OWN_PREFIX:
		return snprintf(buf, cap,
		    "%s is inside our own set \"%s\" (reject own-prefixes)", p,
		    f->own != NULL ? pfxset_name(f->own) : "");
	case REASON_BOGON_PREFIX:
	case REASON_NOT_GLOBAL:
		m = martian_find(pfx, f->lab);
		if (m == NULL)
			break;
		if (m->reason == REASON_NOT_GLOBAL)
			return snprintf(buf, cap,
			    "%s is outside global unicast space, %s "
			    "(reject bogon-prefixes)",
			    p, m->prefix);
		return snprintf(buf, cap,
		    "%s is special-purpose space: %s, %s, %s "
		    "(reject bogon-prefixes)",
		    p, m->prefix, m->name, m->rfc);
	default:
		break;
	}
	return snprintf(buf, cap, "%s: %s", p, reason_text(reason));
}

static int
print_path(const struct import_facts *f, const struct attrs *a,
    const struct import_result *res, char *buf, size_t cap)
{
	const char *kind = martian_asn_name(martian_asn(res->asn));

	switch (res->reason) {
	case REASON_BOGON_ASN:
		return snprintf(buf, cap,
		    "AS %u in the path is no public one: %s "
		    "(reject bogon-asns)",
		    res->asn, kind);
	case REASON_PEER_ASN:
		return snprintf(buf, cap,
		    "the peer's AS %u is no public one: %s "
		    "(require public-asn)",
		    res->asn, kind);
	case REASON_FIRST_AS:
		if (res->asn == 0)
			return snprintf(buf, cap,
			    "the path does not begin with an AS, the peer is "
			    "AS %u (require first-as)",
			    f->peer_as);
		return snprintf(buf, cap,
		    "the path begins with AS %u, the peer is AS %u "
		    "(require first-as)",
		    res->asn, f->peer_as);
	case REASON_LOOP:
		if (res->asn == 0)
			return snprintf(buf, cap,
			    "the route's originator is this router (loop)");
		return snprintf(
		    buf, cap, "our own AS %u is in the path (loop)", res->asn);
	case REASON_PATH_LENGTH:
		return snprintf(buf, cap,
		    "the path has %u ASes, at most %u are taken "
		    "(as-path-length)",
		    aspath_length(a->as_path), f->max_path);
	case REASON_PEER_LOCK:
		return snprintf(buf, cap,
		    "AS %u, a transit-free network, is in the path behind "
		    "AS %u (peer-lock)",
		    res->asn, f->peer_as);
	case REASON_OTC:
		return snprintf(buf, cap,
		    "a leak: its Only to Customer attribute names AS %u "
		    "(RFC 9234)",
		    res->asn);
	default:
		return snprintf(buf, cap, "%s", reason_text(res->reason));
	}
}

static int
print_set(const struct import_facts *f, const struct pfx *pfx,
    const struct import_result *res, char *buf, size_t cap)
{
	struct pfxset_entry e;
	char p[PFX_STRLEN], near[PFX_STRLEN + 16];

	if (res->reason == REASON_NO_SET || f->irr == NULL)
		return snprintf(
		    buf, cap, "no filter is loaded for the peer (require irr)");
	if (res->reason == REASON_ORIGIN_NOT_IN_SET)
		return snprintf(buf, cap,
		    "origin AS %u is not in the filter \"%s\" (require irr)",
		    res->asn, pfxset_name(f->irr));
	pfx_print(pfx, p, sizeof(p));
	if (!pfxset_nearest(f->irr, pfx, &e))
		return snprintf(buf, cap,
		    "%s is not in the filter \"%s\" (require irr)", p,
		    pfxset_name(f->irr));
	pfxset_entry_print(&e, near, sizeof(near));
	return snprintf(buf, cap,
	    "%s is not in the filter \"%s\", nearest entry %s (require irr)", p,
	    pfxset_name(f->irr), near);
}

static int
print_next_hop(
    const struct import_facts *f, const struct attrs *a, char *buf, size_t cap)
{
	const struct addr *peer =
	    &f->peer[a->nexthop.fam < FAM_N ? a->nexthop.fam : FAM_NONE];
	struct ask q = { .f = f, .a = a };
	char nh[ADDR_STRLEN], want[ADDR_STRLEN];

	addr_print(&a->nexthop, nh, sizeof(nh));
	if (impossible_next_hop(&q))
		return snprintf(buf, cap,
		    "next hop %s is our own or no usable address", nh);
	addr_print(
	    peer->fam != FAM_NONE ? peer : &f->neighbor, want, sizeof(want));
	return snprintf(buf, cap,
	    "next hop %s is not the peer's address %s "
	    "(require next-hop-is-peer)",
	    nh, want);
}

static int
print_rule(const struct import_facts *f, const struct import_result *res,
    char *buf, size_t cap)
{
	if (f->policy == NULL)
		return snprintf(
		    buf, cap, "the neighbor has no import policy (RFC 8212)");
	if (res->rule == NULL)
		return snprintf(buf, cap,
		    "no rule of policy \"%s\" matches (RFC 8212)",
		    f->policy->name);
	return snprintf(buf, cap,
	    "rule \"%s\" of policy \"%s\" rejects it (%s)", res->rule->name,
	    f->policy->name,
	    res->rule->where != NULL ? res->rule->where : "built in");
}

size_t
import_print(const struct import_facts *f, const struct pfx *pfx,
    const struct attrs *a, const struct import_result *res, char *buf,
    size_t cap)
{
	int n;

	switch (res->reason) {
	case REASON_LENGTH:
	case REASON_OWN_PREFIX:
	case REASON_BOGON_PREFIX:
	case REASON_NOT_GLOBAL:
	case REASON_DEFAULT_ROUTE:
		n = print_prefix(f, pfx, res->reason, buf, cap);
		break;
	case REASON_NO_SET:
	case REASON_NOT_IN_SET:
	case REASON_ORIGIN_NOT_IN_SET:
		n = print_set(f, pfx, res, buf, cap);
		break;
	case REASON_NEXT_HOP:
		n = print_next_hop(f, a, buf, cap);
		break;
	case REASON_RULE:
	case REASON_NO_RULE:
		n = print_rule(f, res, buf, cap);
		break;
	default:
		n = print_path(f, a, res, buf, cap);
		break;
	}
	return n > 0 ? (size_t)n : 0;
}
