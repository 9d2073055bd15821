/* export.c -- what a neighbor is told, and how; see export.h. */
#include <string.h>

#include "policy/export.h"
#include "policy/pfxset.h"

enum {
	DEFAULT_LOCAL_PREF = 100
};

static const struct rule_comm gshut = { .v = { COMM_GRACEFUL_SHUTDOWN } };
/* Of all extended ones, by the second bit of the type (RFC 4360 2). */
static const struct rule_comm non_transitive = {
	.ext = true, .v = { 0x40000000 }, .wild = { 0xbfffffff, 0xffffffff }
};

static bool
guard_on(const struct export_facts *f, enum guard g)
{
	return (f->off & GUARD_BIT(g)) == 0;
}

static bool
has_well_known(const struct export_facts *f, const struct attrs *a)
{
	if (comm_has(a->comms, COMM_NO_ADVERTISE))
		return true;
	if (f->internal)
		return false;
	return comm_has(a->comms, COMM_NO_EXPORT) ||
	    comm_has(a->comms, COMM_NO_EXPORT_SUBCONFED) ||
	    /* RFC 3765: bilateral peers are those that we call so. */
	    (f->role == ROLE_PEER && comm_has(a->comms, COMM_NO_PEER));
}

/* What is refused before any rule sees it. */
static uint16_t
refuse(const struct export_facts *f, const struct pfx *pfx,
    const struct attrs *a, enum route_source source)
{
	if (f->drain.withdrawn)
		return REASON_DRAINED;
	if (pfx_is_default(pfx))
		return REASON_DEFAULT_ROUTE;
	/* RFC 4271 9.2: we reflect nothing. */
	if (f->internal && source == SOURCE_INTERNAL)
		return REASON_IBGP_SPLIT;
	if (!f->internal && guard_on(f, GUARD_EXPORT) &&
	    (source != SOURCE_LOCAL || f->own == NULL ||
		!pfxset_match(f->own, pfx)))
		return REASON_EXPORT_GUARD;
	/* On a route of our own it is for those who get it. */
	if (source != SOURCE_LOCAL && has_well_known(f, a))
		return REASON_WELL_KNOWN;
	/* RFC 9234 5: to a provider, a peer, a route server. */
	if (!f->internal && guard_on(f, GUARD_OTC) &&
	    (a->has & 1u << HAS_OTC) != 0 &&
	    (f->role == ROLE_CUSTOMER || f->role == ROLE_PEER ||
		f->role == ROLE_RS_CLIENT))
		return REASON_OTC;
	if (aspath_has_set(a->as_path)) /* RFC 9774 3 */
		return REASON_AS_SET;
	return REASON_NONE;
}

static void
drop(struct attrs *a, enum attr_has what)
{
	a->has &= ~(1u << what);
}

/*
 * RFC 4271 5.1.4, RFC 4360 6, RFC 4456 8: what is not for other ASes, before
 * the rules.
 */
static void
strip_external(struct attrs *a, enum route_source source, struct arena *arena)
{
	if (source != SOURCE_LOCAL) {
		drop(a, HAS_MED);
		a->med = 0;
	}
	drop(a, HAS_ORIGINATOR_ID);
	a->originator_id = 0;
	memset(&a->cluster_list, 0, sizeof(a->cluster_list));
	rule_comm_delete(a, &non_transitive, arena);
}

/* RFC 8326 4, and what makes the way longer for those who ignore it. */
static void
drain_external(
    const struct export_drain *d, struct attrs *a, struct arena *arena)
{
	rule_comm_add(a, &gshut, arena);
	if (!d->med_set)
		return;
	a->has |= 1u << HAS_MED;
	a->med = d->med;
}

static void
finish_external(
    const struct export_facts *f, struct attrs *a, struct arena *arena)
{
	unsigned int more = f->drain.on ? f->drain.prepend : 0;

	/* RFC 4271 5.1.2, 5.1.5 */
	a->as_path = aspath_prepend(a->as_path, f->local_as, 1 + more, arena);
	a->has |= 1u << HAS_AS_PATH;
	drop(a, HAS_LOCAL_PREF);
	a->local_pref = 0;
	if (f->drain.on)
		drain_external(&f->drain, a, arena);
	/* RFC 9234 5: to a customer, a peer, a client. */
	if (guard_on(f, GUARD_OTC) && (a->has & 1u << HAS_OTC) == 0 &&
	    (f->role == ROLE_PROVIDER || f->role == ROLE_PEER ||
		f->role == ROLE_RS)) {
		a->otc = f->local_as;
		a->has |= 1u << HAS_OTC;
	}
}

/* A network of ours that is drained goes so, whatever the rules say. */
static void
keep_leaving(const struct export_facts *f, const struct attrs *was,
    struct attrs *a, struct arena *arena)
{
	if (f->internal) {
		a->local_pref = 0;
		a->has |= 1u << HAS_LOCAL_PREF;
		return;
	}
	rule_comm_add(a, &gshut, arena);
	if (was->has & 1u << HAS_MED) {
		a->med = was->med;
		a->has |= 1u << HAS_MED;
	}
}

static void
finish_internal(
    const struct export_facts *f, enum route_source source, struct attrs *a)
{
	/* Our own AS, prepended for external ones, would be a loop here. */
	if (source == SOURCE_LOCAL)
		a->as_path = (struct octets){ 0 };
	if ((a->has & 1u << HAS_LOCAL_PREF) == 0)
		a->local_pref = DEFAULT_LOCAL_PREF;
	if (f->drain.on)
		a->local_pref = 0;
	a->has |= 1u << HAS_LOCAL_PREF;
	a->has |= 1u << HAS_AS_PATH;
}

/*
 * RFC 4271 5.1.3: an internal peer gets the next hop as it was received,
 * unless a rule took it away (set next-hop self) or it is none for that peer.
 * Its link-local form is for our own links (RFC 2545 3).  False: we have none
 * to give.
 */
static bool
set_next_hop(const struct export_facts *f, enum fam fam,
    enum route_source source, struct attrs *a)
{
	bool self = !f->internal || source == SOURCE_LOCAL ||
	    a->nexthop.fam != fam || addr_is_linklocal(&a->nexthop);

	if (self)
		a->nexthop = f->next_hop[fam];
	a->nexthop_ll = self ? f->next_hop_ll[fam] : (struct addr){ 0 };
	a->has |= 1u << HAS_NEXT_HOP;
	return a->nexthop.fam != FAM_NONE;
}

static uint16_t
run_rules(const struct export_facts *f, const struct pfx *pfx,
    enum route_source source, struct arena *arena, struct attrs *a,
    const struct rule **by)
{
	struct rule_facts rf = {
		.pfx = pfx,
		.neighbor = &f->neighbor,
		.source = source,
		.prepend_as = f->local_as,
		.group = f->group,
		.role = rule_role_of(f->role),
		.hits = f->hits,
	};

	if (f->policy == NULL) /* RFC 8212 2 */
		return f->internal ? REASON_NONE : REASON_NO_RULE;
	switch (policy_run(f->policy, &rf, a, arena, by)) {
	case RULE_ACCEPT:
		return REASON_NONE;
	case RULE_REJECT:
		return REASON_RULE;
	case RULE_NO_MATCH:
	case RULE_CONTINUE:
		break;
	}
	return REASON_NO_RULE;
}

bool
export_check(const struct export_facts *f, const struct pfx *pfx,
    const struct attrs *a, enum route_source source, struct arena *arena,
    struct attrs *out, uint16_t *why, const struct rule **by)
{
	enum fam fam = (enum fam)pfx->addr.fam;
	const struct rule *rule = NULL;
	bool leaving;

	*out = *a;
	out->weight = 0; /* this speaker's alone */
	leaving = source == SOURCE_LOCAL &&
	    comm_has(a->comms, COMM_GRACEFUL_SHUTDOWN);
	if (by != NULL)
		*by = NULL;
	if (fam_bits(fam) == 0) {
		*why = REASON_AFI;
		return false;
	}
	*why = refuse(f, pfx, a, source);
	if (*why != REASON_NONE)
		return false;
	if (!f->internal)
		strip_external(out, source, arena);
	*why = run_rules(f, pfx, source, arena, out, &rule);
	if (by != NULL)
		*by = rule;
	if (*why != REASON_NONE)
		return false;
	if (!set_next_hop(f, fam, source, out)) {
		*why = REASON_NO_NEXT_HOP;
		return false;
	}
	/* RFC 4271 5.1.3; for a group, rib/adjout.c looks. */
	if (f->alone && f->internal && addr_eq(&out->nexthop, &f->neighbor)) {
		*why = REASON_IS_NEXT_HOP;
		return false;
	}
	if ((out->has & 1u << HAS_ORIGIN) == 0) {
		out->origin = ORIGIN_IGP;
		out->has |= 1u << HAS_ORIGIN;
	}
	if (leaving)
		keep_leaving(f, a, out, arena);
	if (source == SOURCE_LOCAL && a->weight == EXPORT_MED_STAYS) {
		out->med = a->med;
		out->has |= 1u << HAS_MED;
	}
	if (f->internal)
		finish_internal(f, source, out);
	else
		finish_external(f, out, arena);
	return true;
}

bool
export_by_attrs(const struct export_facts *f)
{
	return !policy_each(f->policy);
}
