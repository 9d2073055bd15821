/*
 * import.h -- may this route be used?  The guards in their fixed order
 * (interfaces.md 6.5), then the named rules.  A pure question: the same facts
 * give the same answer, so that a dry run can ask it too.
 *
 * On internal sessions only `loop` and a next hop of our own are looked at,
 * and a missing policy accepts; RFC 8212 and the peering policy are about
 * external ones.
 */
#ifndef IMPORT_H
#define IMPORT_H

#include "policy/reason.h"
#include "policy/rules.h"

/* Of one neighbor; filled by its owner, which also owns all it points to. */
struct import_facts {
	uint32_t local_as, peer_as;
	uint32_t local_id; /* ORIGINATOR_ID of our own is a loop (RFC 4456 8) */
	bool internal;
	bool lab; /* documentation numbers count as public */
	bool honour_gshut; /* RFC 8326: last choice, whatever the rules say */
	bool drained; /* so is all that it announces */
	uint8_t role; /* ours: enum wire_role; ROLE_NONE: none */
	uint32_t off; /* GUARD_BIT() of each guard switched off */
	uint8_t max_len[FAM_N]; /* 0: no limit */
	uint16_t max_path; /* 0: no limit */
	/*
	 * The address of the session, and by family of the next hop the one
	 * that it must be: the session's own in its family; in the other
	 * family what was configured or none (then nothing of it is taken).
	 */
	struct addr neighbor;
	struct addr peer[FAM_N];
	const struct addr *local; /* our own addresses */
	size_t nlocal;
	const struct pfxset *own; /* our prefixes; NULL: none */
	const struct pfxset *irr; /* NULL: none loaded */
	const struct pfxset *const *allow; /* holes in bogon-prefixes */
	size_t nallow;
	const struct asnset *transit_free; /* peer-lock; NULL: none */
	const struct policy *policy; /* NULL: none (RFC 8212) */
	const char *group; /* the neighbor's, for rules; NULL: none */
	uint64_t *hits; /* struct rule_facts; NULL: this is only a question */
};

/* Why what was taken is the last choice: LOCAL_PREF 0 and no weight. */
enum import_last {
	IMPORT_LAST_NO,
	IMPORT_LAST_GSHUT, /* it has GRACEFUL_SHUTDOWN */
	IMPORT_LAST_DRAIN /* the neighbor is drained */
};

struct import_result {
	uint16_t reason; /* REASON_NONE: take it */
	enum guard guard; /* that refused, or GUARD_NONE */
	const struct rule *rule; /* that decided, or NULL */
	uint32_t asn; /* the AS at fault, or 0 */
	bool changed; /* attrs differ from what was given */
	uint8_t last; /* enum import_last */
	struct attrs attrs; /* to be used; as given when refused */
};

/*
 * Returns res->reason.  Octets of res->attrs are those given or the arena's.
 * Malformed routes are not asked about (their reason is known).
 */
uint16_t import_check(const struct import_facts *, const struct pfx *,
    const struct attrs *, struct arena *, struct import_result *);

/* What one guard says, asked by itself. */
struct import_verdict {
	enum guard guard;
	bool asked; /* not switched off, and a matter of such a session */
	bool off;
	bool always; /* no switch: a next hop that nobody can use */
	uint16_t reason; /* REASON_NONE: it lets the route pass */
	uint32_t asn;
};
/* The i-th guard in their order; false after the last. */
bool import_step(const struct import_facts *, const struct pfx *,
    const struct attrs *, unsigned int i, struct import_verdict *);

/*
 * The same for many prefixes with the same attributes (a message): what does
 * not depend on the prefix is asked once.  All that is given must stay until
 * the last question.
 */
struct import_run {
	const struct import_facts *f;
	const struct attrs *a;
	struct arena *arena;
	struct arena_mark mark; /* each prefix begins here */
	uint32_t todo; /* the guards that look at the prefix, by their place */
	bool ran; /* the rules were run */
	bool each; /* they look at the prefix; known from the second on */
	struct import_result by_attrs; /* refused for all, or no reason */
	struct import_result by_prefix; /* refused by a guard of the prefix */
	struct import_result ruled; /* what the rules said */
};

void import_begin(struct import_run *, const struct import_facts *,
    const struct attrs *, struct arena *);
/*
 * As import_check(); what is returned lives until the next question.  It is
 * &run->ruled when the rules were asked; that is the same answer each time
 * unless run->each.
 */
const struct import_result *import_next(
    struct import_run *, const struct pfx *);

/*
 * What was seen and what was required, as one sentence without a full stop;
 * returns what snprintf() would.
 */
size_t import_print(const struct import_facts *, const struct pfx *,
    const struct attrs *, const struct import_result *, char *, size_t);

#endif /* IMPORT_H */
