/*
 * rules.h -- named policies: ordered rules, each some matches (all must hold),
 * some actions, and a verdict.  The first rule that matches decides; when none
 * does, the route is refused (RFC 8212).  Built by the configuration, then
 * only read.  Sets are borrowed and must outlive the policy.
 */
#ifndef RULES_H
#define RULES_H

#include "bgpd/wire/wire.h"

struct pfxset;
struct asnset;
struct asregex;

/* Where a route comes from. */
enum route_source {
	SOURCE_LOCAL,
	SOURCE_EXTERNAL,
	SOURCE_INTERNAL
};

/*
 * A community of one of the three kinds, or a pattern of them: bits that are
 * set in `wild` do not matter.
 */
struct rule_comm {
	bool large, ext; /* neither: plain */
	uint32_t v[3]; /* plain: v[0], 16 + 16 bits; ext: two; large: three */
	uint32_t wild[3];
};

/* `community-set`: the array is the configuration's. */
struct rule_commset {
	const struct rule_comm *c;
	size_t n;
};

/* `as-path-set`: likewise. */
struct rule_pathset {
	struct asregex *const *re;
	size_t n;
};

enum rule_op {
	OP_EQ,
	OP_NE,
	OP_LT,
	OP_LE,
	OP_GT,
	OP_GE
};

struct rule_number {
	enum rule_op op;
	uint32_t n;
};

struct rule_table;

enum match_type {
	MATCH_ANY,
	MATCH_PREFIX_IN, /* .set */
	MATCH_ORIGIN_LOCAL, /* originated by this speaker */
	MATCH_COMMUNITY, /* .comm, plain or large */
	MATCH_COMMUNITY_IN, /* .comms: has one of them */
	MATCH_PATH_CONTAINS, /* .as */
	MATCH_PATH_CONTAINS_SET, /* .asns: has one of them */
	MATCH_ORIGIN_AS, /* .as: last of the path */
	MATCH_FAMILY, /* .fam */
	MATCH_NEIGHBOR, /* .addr */
	MATCH_NOTHING,
	MATCH_ORIGIN_AS_SET, /* .asns */
	MATCH_PATH, /* .re */
	MATCH_PATH_IN, /* .paths: one of them matches */
	MATCH_PATH_LENGTH, /* .num */
	MATCH_NEXT_HOP, /* .addr */
	MATCH_GROUP, /* .str */
	MATCH_ROLE, /* .role: enum wire_role, the neighbor's */
	MATCH_MED, /* .num; a route without one has 0 */
};

struct rule_match {
	enum match_type type;
	union {
		const struct pfxset *set;
		const struct asnset *asns;
		struct rule_comm comm;
		struct rule_commset comms;
		uint32_t as;
		enum fam fam;
		struct addr addr;
		const struct asregex *re; /* the configuration's */
		struct rule_pathset paths;
		struct rule_number num;
		const char *str;
		uint8_t role;
	};
};

enum action_type {
	ACT_LOCAL_PREF, /* .n */
	ACT_MED, /* .n */
	ACT_COMM_ADD, /* .comm, plain or large */
	ACT_COMM_DELETE, /* .comm */
	ACT_PREPEND, /* .n times: import the peer's AS, export ours */
	ACT_COMM_REPLACE, /* .comm in place of all of its kind */
	ACT_WEIGHT, /* .n */
	ACT_NEXT_HOP_SELF, /* export: none, so that ours is put in */
	ACT_TABLE, /* .table */
	ACT_REJECT, /* in tables only */
};

struct rule_action {
	enum action_type type;
	union {
		uint32_t n;
		struct rule_comm comm;
		const struct rule_table *table; /* the configuration's */
	};
};

/* `community-table`: what each community that a route has asks for. */
struct rule_table_row {
	struct rule_comm comm; /* may be a pattern */
	struct rule_action act;
};

struct rule_table {
	struct rule_table_row *row;
	size_t n;
};

enum rule_verdict {
	RULE_NO_MATCH,
	RULE_ACCEPT,
	RULE_REJECT,
	RULE_CONTINUE /* a rule's: do what it sets, and go on */
};

struct rule {
	char *name;
	char *where; /* "file:line" for people, or NULL */
	uint32_t hit; /* index of the caller's counter */
	enum rule_verdict verdict; /* of rules_add(): REJECT until set */
	struct rule_match *match;
	size_t nmatch; /* none: matches anything */
	struct rule_action *act;
	size_t nact;
};

struct policy {
	char *name;
	struct rule **rule;
	size_t nrule;
};

struct policy *policy_new(const char *name);
void policy_free(struct policy *);
/* Appends an empty rule, which stays where it is and is the policy's. */
struct rule *policy_add(struct policy *, const char *name, const char *where);
void policy_add_match(struct rule *, const struct rule_match *);
void policy_add_action(struct rule *, const struct rule_action *);

/* What the rules may ask about a route. */
struct rule_facts {
	const struct pfx *pfx;
	const struct addr *neighbor;
	enum route_source source;
	uint32_t prepend_as;
	const char *group; /* of the neighbor, or NULL */
	uint8_t role; /* the neighbor's: enum wire_role */
	uint64_t *hits; /* counters by struct rule's hit; NULL: none */
};

/*
 * Runs the policy over *a, which is changed only when a rule accepts: new
 * octets are the arena's, the rest still points where it did.  *by is the rule
 * that decided, NULL with RULE_NO_MATCH.  What a rule with RULE_CONTINUE sets
 * is what later rules see.
 */
enum rule_verdict policy_run(const struct policy *, const struct rule_facts *,
    struct attrs *a, struct arena *, const struct rule **by);

/* The neighbor's role when this is ours: its counterpart (RFC 9234 4.2). */
uint8_t rule_role_of(uint8_t ours);
/* Does any rule of it set anything? */
bool policy_sets(const struct policy *);
/* Does the policy have that match, or that action, anywhere? */
bool policy_asks(const struct policy *, enum match_type);
bool policy_acts(const struct policy *, enum action_type);
/*
 * Must it be run for each prefix?  If not, one answer does for all routes of a
 * family that have the same attributes and source, with a hit of the rule that
 * decided for each.
 */
bool policy_each(const struct policy *);

/* ---- rule_comm.c ---- */

/* Does the route have it, or one that the pattern fits? */
bool rule_comm_has(const struct attrs *, const struct rule_comm *);
/* Adds it unless it is there; the new octets are the arena's. */
void rule_comm_add(struct attrs *, const struct rule_comm *, struct arena *);
/* Takes away all that fit. */
void rule_comm_delete(struct attrs *, const struct rule_comm *, struct arena *);
/* All of its kind. */
void rule_comm_clear(struct attrs *, const struct rule_comm *);

enum rule_comm_kind {
	COMM_PLAIN,
	COMM_LARGE,
	COMM_EXT
};
/*
 * "no-export", "64500:80", large "1:2:3", ext "rt:64500:80", "soo:...": false:
 * none.  With wild, a '*' may stand for any of the numbers.
 */
bool rule_comm_parse(
    const char *, enum rule_comm_kind, bool wild, struct rule_comm *);

#endif /* RULES_H */
