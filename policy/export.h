/*
 * export.h -- is this route told to that neighbor, and in which form?  The
 * export guard, the well-known communities, the named rules, then what
 * RFC 4271 5.1 asks of attributes sent to an external or internal peer.
 *
 * A default route is never told to anybody.  The export guard and RFC 8212
 * are about external neighbors; an internal one gets what was not learned
 * from another internal one, and a policy only if it has one.
 */
#ifndef EXPORT_H
#define EXPORT_H

#include "policy/reason.h"
#include "policy/rules.h"

/* A neighbor that is drained: what it is told goes as RFC 8326 has it. */
struct export_drain {
	bool on; /* GRACEFUL_SHUTDOWN, or LOCAL_PREF 0 to internal ones */
	bool withdrawn; /* nothing is told any more */
	/* To external ones also: our AS so many times more, and this MED. */
	bool med_set;
	uint8_t prepend;
	uint32_t med;
};

/*
 * As the weight of a network of ours, which else has none: its MED says that
 * it is about to go (on-fail med), and stands whatever a rule sets.
 */
enum {
	EXPORT_MED_STAYS = 1
};

struct export_facts {
	uint32_t local_as, peer_as;
	bool internal;
	struct export_drain drain;
	uint8_t role; /* ours: enum wire_role; ROLE_NONE: none */
	uint32_t off; /* GUARD_BIT(): export-guard and otc count here */
	struct addr neighbor;
	bool alone; /* asked for this neighbor, not for all of its group */
	/* Our next hop by family of the prefix; none: it gets nothing. */
	struct addr next_hop[FAM_N], next_hop_ll[FAM_N];
	const struct pfxset *own; /* what may be announced; NULL: nothing */
	const struct policy *policy; /* NULL: external peers get nothing */
	const char *group; /* the neighbor's, for rules; NULL: none */
	uint64_t *hits; /* struct rule_facts; NULL: this is only a question */
};

/*
 * True: *out is what to send, its octets those given or the arena's.  False:
 * *why is the reason.  *by (may be NULL) is the rule that decided or NULL.
 * That a route does not go back to where it came from is the caller's matter,
 * and that it does not go to its next hop too unless f->alone.
 */
bool export_check(const struct export_facts *, const struct pfx *,
    const struct attrs *, enum route_source, struct arena *, struct attrs *out,
    uint16_t *why, const struct rule **by);

/*
 * Do learned routes with the same attributes, of one family and one kind of
 * source, all get the same answer?  But for a default route.
 */
bool export_by_attrs(const struct export_facts *);

#endif /* EXPORT_H */
