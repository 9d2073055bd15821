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

/* Where a route comes from. */
enum route_source {
	SOURCE_LOCAL,
	SOURCE_EXTERNAL,
	SOURCE_INTERNAL
};

/* A community of either kind. */
struct rule_comm {
	bool large;
	uint32_t v[3]; /* plain: v[0], 16 + 16 bits; large: all three */
};

/* `community-set`: the array is the configuration's. */
struct rule_commset {
	const struct rule_comm *c;
	size_t n;
};

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
	};
};

enum action_type {
	ACT_LOCAL_PREF, /* .n */
	ACT_MED, /* .n */
	ACT_COMM_ADD, /* .comm, plain or large */
	ACT_COMM_DELETE, /* .comm */
	ACT_PREPEND, /* .n times: import the peer's AS, export ours */
};

struct rule_action {
	enum action_type type;
	union {
		uint32_t n;
		struct rule_comm comm;
	};
};

enum rule_verdict {
	RULE_NO_MATCH,
	RULE_ACCEPT,
	RULE_REJECT
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
};

/*
 * Runs the policy over *a, which is changed only by a rule that accepts: new
 * octets are the arena's, the rest still points where it did.  *by is the rule
 * that decided, NULL with RULE_NO_MATCH.
 */
enum rule_verdict policy_run(const struct policy *, const struct rule_facts *,
    struct attrs *a, struct arena *, const struct rule **by);

/* Adds it unless it is there; the new octets are the arena's. */
void rule_comm_add(struct attrs *, const struct rule_comm *, struct arena *);
/* "no-export", "64500:80", "large 1:2:3" without the word large; false: none.
 */
bool rule_comm_parse(const char *, bool large, struct rule_comm *);
size_t rule_comm_print(const struct rule_comm *, char *, size_t);

#endif /* RULES_H */
