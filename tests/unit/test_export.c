#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "policy/export.h"
#include "policy/pfxset.h"

enum {
	LOCAL = 52580,
	PEER = 3215
};

/* 3215 5511, as learned from some neighbor */
static const uint8_t learned[] = { SEG_SEQUENCE, 2, 0, 0, 0x0c, 0x8f, 0, 0,
	0x15, 0x87 };
static const uint8_t with_set[] = { SEG_SEQUENCE, 1, 0, 0, 0x0c, 0x8f, SEG_SET,
	1, 0, 0, 0x15, 0x87 };
static const uint8_t cluster[] = { 1, 2, 3, 4 };
/* Validation state (RFC 8097), a route target, a non-transitive bandwidth */
static const uint8_t ext[] = { 0x43, 0, 0, 0, 0, 0, 0, 2, 0, 2, 0x0c, 0x8f, 0,
	0, 0, 1, 0x40, 4, 0x0c, 0x8f, 0, 0, 0, 0 };

struct fix {
	struct arena arena;
	struct export_facts f;
	struct pfx pfx;
	struct attrs a;
	struct pfxset *own;
	struct policy *policy;
	struct rule *rule;
	uint8_t comm[4];
	/* the answer */
	struct attrs out;
	uint16_t why;
	const struct rule *by;
};

static int
setup(void **state)
{
	static struct fix x0;
	struct fix *x = &x0;
	struct pfx p;

	memset(x, 0, sizeof(*x));
	arena_init(&x->arena);
	x->own = pfxset_new("azion");
	pfx_parse("179.191.160.0/20", &p);
	pfxset_add(x->own, &p, 20, 24);
	pfx_parse("2804:1f4a::/32", &p);
	pfxset_add(x->own, &p, 32, 48);
	x->policy = policy_new("isp-out");
	x->rule = policy_add(x->policy, "ours", "a.conf:5");
	x->rule->verdict = RULE_ACCEPT;
	x->f = (struct export_facts){ .local_as = LOCAL,
		.peer_as = PEER,
		.role = ROLE_NONE,
		.own = x->own,
		.policy = x->policy };
	addr_parse("194.2.0.1", &x->f.neighbor);
	addr_parse("194.2.0.2", &x->f.next_hop[FAM_INET]);
	addr_parse("2001:4860::2", &x->f.next_hop[FAM_INET6]);
	addr_parse("fe80::2", &x->f.next_hop_ll[FAM_INET6]);
	x->a.has = 1u << HAS_ORIGIN | 1u << HAS_AS_PATH;
	pfx_parse("179.191.160.0/20", &x->pfx);
	*state = x;
	return 0;
}

static int
teardown(void **state)
{
	struct fix *x = *state;

	pfxset_free(x->own);
	policy_free(x->policy);
	arena_fini(&x->arena);
	return 0;
}

static unsigned int
check(struct fix *x, enum route_source source)
{
	bool ok = export_check(
	    &x->f, &x->pfx, &x->a, source, &x->arena, &x->out, &x->why, &x->by);

	assert_int_equal(ok, x->why == REASON_NONE);
	return x->why;
}

/* Makes the route one that was learned, with all that travels. */
static void
learn(struct fix *x)
{
	x->a.has = 1u << HAS_ORIGIN | 1u << HAS_AS_PATH | 1u << HAS_NEXT_HOP |
	    1u << HAS_MED | 1u << HAS_LOCAL_PREF | 1u << HAS_ORIGINATOR_ID;
	x->a.med = 50;
	x->a.local_pref = 300;
	x->a.originator_id = 9;
	x->a.cluster_list = (struct octets){ cluster, sizeof(cluster) };
	x->a.as_path = (struct octets){ learned, sizeof(learned) };
	addr_parse("194.2.9.9", &x->a.nexthop);
}

static void
set_comm(struct fix *x, uint32_t c)
{
	size_t i;

	for (i = 0; i < 4; i++)
		x->comm[i] = (uint8_t)(c >> (24 - 8 * i));
	x->a.comms = (struct octets){ x->comm, 4 };
}

static const char *
path(const struct attrs *a)
{
	static char buf[128];

	aspath_print(a->as_path, buf, sizeof(buf));
	return buf;
}

static void
test_own_to_external(void **state)
{
	struct fix *x = *state;

	x->a.has |= 1u << HAS_MED | 1u << HAS_LOCAL_PREF;
	x->a.med = 10;
	x->a.local_pref = 500;
	assert_int_equal(check(x, SOURCE_LOCAL), REASON_NONE);
	assert_ptr_equal(x->by, x->rule);
	assert_string_equal(path(&x->out), "52580");
	assert_true(addr_eq(&x->out.nexthop, &x->f.next_hop[FAM_INET]));
	assert_int_equal(x->out.nexthop_ll.fam, FAM_NONE);
	/* Our own MED goes out, LOCAL_PREF does not (RFC 4271 5.1.5). */
	assert_int_equal(x->out.has,
	    1u << HAS_ORIGIN | 1u << HAS_AS_PATH | 1u << HAS_NEXT_HOP |
		1u << HAS_MED);
	assert_int_equal(x->out.med, 10);
	assert_int_equal(x->out.local_pref, 0);
	pfx_parse("2804:1f4a:1::/48", &x->pfx);
	assert_int_equal(check(x, SOURCE_LOCAL), REASON_NONE);
	assert_true(addr_eq(&x->out.nexthop, &x->f.next_hop[FAM_INET6]));
	assert_true(addr_eq(&x->out.nexthop_ll, &x->f.next_hop_ll[FAM_INET6]));
	/* The route itself stays as it was. */
	assert_int_equal(x->a.as_path.len, 0);
	assert_int_equal(x->a.local_pref, 500);
}

/* A route without anything gets what is mandatory. */
static void
test_mandatory(void **state)
{
	struct fix *x = *state;

	x->a.has = 0;
	x->a.origin = ORIGIN_INCOMPLETE;
	assert_int_equal(check(x, SOURCE_LOCAL), REASON_NONE);
	assert_int_equal(x->out.has,
	    1u << HAS_ORIGIN | 1u << HAS_AS_PATH | 1u << HAS_NEXT_HOP);
	assert_int_equal(x->out.origin, ORIGIN_IGP);
}

static void
test_export_guard(void **state)
{
	struct fix *x = *state;

	assert_int_equal(check(x, SOURCE_EXTERNAL), REASON_EXPORT_GUARD);
	assert_int_equal(check(x, SOURCE_INTERNAL), REASON_EXPORT_GUARD);
	assert_null(x->by);
	pfx_parse("179.191.160.0/25", &x->pfx);
	assert_int_equal(check(x, SOURCE_LOCAL), REASON_EXPORT_GUARD);
	pfx_parse("8.8.8.0/24", &x->pfx);
	assert_int_equal(check(x, SOURCE_LOCAL), REASON_EXPORT_GUARD);
	x->f.off = GUARD_BIT(GUARD_EXPORT);
	assert_int_equal(check(x, SOURCE_LOCAL), REASON_NONE);
	assert_int_equal(check(x, SOURCE_EXTERNAL), REASON_NONE);
	x->f.off = ~GUARD_BIT(GUARD_EXPORT);
	assert_int_equal(check(x, SOURCE_LOCAL), REASON_EXPORT_GUARD);
	pfx_parse("179.191.160.0/20", &x->pfx);
	assert_int_equal(check(x, SOURCE_LOCAL), REASON_NONE);
	x->f.own = NULL;
	assert_int_equal(check(x, SOURCE_LOCAL), REASON_EXPORT_GUARD);
}

/* A default is never told: no guard off, no session, no source helps. */
static void
test_default_never(void **state)
{
	static const char *const text[] = { "0.0.0.0/0", "::/0" };
	struct fix *x = *state;
	int i;

	x->f.off = UINT32_MAX;
	for (i = 0; i < 12; i++) {
		pfx_parse(text[i % 2], &x->pfx);
		x->f.internal = i % 4 >= 2;
		assert_int_equal(
		    check(x, (enum route_source)(i / 4)), REASON_DEFAULT_ROUTE);
	}
}

static void
test_well_known(void **state)
{
	static const struct {
		uint32_t comm;
		bool internal;
		uint8_t role;
		uint16_t why;
	} t[] = {
		{ COMM_NO_ADVERTISE, false, ROLE_NONE, REASON_WELL_KNOWN },
		{ COMM_NO_ADVERTISE, true, ROLE_NONE, REASON_WELL_KNOWN },
		{ COMM_NO_EXPORT, false, ROLE_NONE, REASON_WELL_KNOWN },
		{ COMM_NO_EXPORT, true, ROLE_NONE, REASON_NONE },
		{ COMM_NO_EXPORT_SUBCONFED, false, ROLE_NONE,
		    REASON_WELL_KNOWN },
		{ COMM_NO_EXPORT_SUBCONFED, true, ROLE_NONE, REASON_NONE },
		{ COMM_NO_PEER, false, ROLE_PEER, REASON_WELL_KNOWN },
		{ COMM_NO_PEER, false, ROLE_CUSTOMER, REASON_NONE },
		{ COMM_NO_PEER, true, ROLE_NONE, REASON_NONE },
		{ COMM_BLACKHOLE, false, ROLE_NONE, REASON_NONE },
	};
	struct rule_action act = { .type = ACT_COMM_ADD,
		.comm = { .v = { COMM_NO_EXPORT } } };
	struct fix *x = *state;
	size_t i;

	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		x->f.internal = t[i].internal;
		x->f.role = t[i].role;
		x->f.off = GUARD_BIT(GUARD_EXPORT);
		set_comm(x, t[i].comm);
		assert_int_equal(check(x, SOURCE_EXTERNAL), t[i].why);
		/* On a route of our own it is for those who get it. */
		assert_int_equal(check(x, SOURCE_LOCAL), REASON_NONE);
	}
	/* What a rule of ours adds is for the neighbor, not for us. */
	x->f.internal = false;
	x->a.comms.len = 0;
	policy_add_action(x->rule, &act);
	assert_int_equal(check(x, SOURCE_LOCAL), REASON_NONE);
	assert_true(comm_has(x->out.comms, COMM_NO_EXPORT));
}

static void
test_ibgp_split(void **state)
{
	struct fix *x = *state;

	x->f.internal = true;
	assert_int_equal(check(x, SOURCE_INTERNAL), REASON_IBGP_SPLIT);
	assert_int_equal(check(x, SOURCE_EXTERNAL), REASON_NONE);
	assert_int_equal(check(x, SOURCE_LOCAL), REASON_NONE);
}

/* RFC 4271 5.1.3: the neighbor itself, asked about for it alone. */
static void
test_is_next_hop(void **state)
{
	struct rule_action self = { .type = ACT_NEXT_HOP_SELF };
	struct fix *x = *state;

	learn(x);
	x->f.internal = true;
	x->a.nexthop = x->f.neighbor;
	assert_int_equal(check(x, SOURCE_EXTERNAL), REASON_NONE);
	x->f.alone = true;
	assert_int_equal(check(x, SOURCE_EXTERNAL), REASON_IS_NEXT_HOP);
	policy_add_action(x->rule, &self);
	assert_int_equal(check(x, SOURCE_EXTERNAL), REASON_NONE);
}

/* RFC 8212 is about external neighbors only. */
static void
test_no_policy(void **state)
{
	struct fix *x = *state;
	struct rule_match m = { .type = MATCH_FAMILY, .fam = FAM_INET6 };

	x->f.policy = NULL;
	assert_int_equal(check(x, SOURCE_LOCAL), REASON_NO_RULE);
	x->f.internal = true;
	assert_int_equal(check(x, SOURCE_LOCAL), REASON_NONE);
	x->f.policy = x->policy;
	x->rule->verdict = RULE_REJECT;
	assert_int_equal(check(x, SOURCE_LOCAL), REASON_RULE);
	assert_ptr_equal(x->by, x->rule);
	policy_add_match(x->rule, &m);
	assert_int_equal(check(x, SOURCE_LOCAL), REASON_NO_RULE);
	assert_null(x->by);
}

static void
test_learned_to_external(void **state)
{
	struct rule_action med = { .type = ACT_MED, .n = 5 };
	struct rule_action pref = { .type = ACT_LOCAL_PREF, .n = 5 };
	struct rule_action prepend = { .type = ACT_PREPEND, .n = 2 };
	struct fix *x = *state;

	learn(x);
	x->f.off = GUARD_BIT(GUARD_EXPORT);
	assert_int_equal(check(x, SOURCE_EXTERNAL), REASON_NONE);
	assert_string_equal(path(&x->out), "52580 3215 5511");
	assert_int_equal(x->out.has,
	    1u << HAS_ORIGIN | 1u << HAS_AS_PATH | 1u << HAS_NEXT_HOP);
	assert_int_equal(x->out.cluster_list.len, 0);
	assert_true(addr_eq(&x->out.nexthop, &x->f.next_hop[FAM_INET]));
	policy_add_action(x->rule, &med);
	policy_add_action(x->rule, &pref);
	policy_add_action(x->rule, &prepend);
	assert_int_equal(check(x, SOURCE_INTERNAL), REASON_NONE);
	assert_string_equal(path(&x->out), "52580 52580 52580 3215 5511");
	assert_int_equal(x->out.has,
	    1u << HAS_ORIGIN | 1u << HAS_AS_PATH | 1u << HAS_NEXT_HOP |
		1u << HAS_MED);
	assert_int_equal(x->out.med, 5);
	/* RFC 9774: no AS_SET leaves, whatever is switched off. */
	x->f.off = UINT32_MAX;
	x->a.as_path = (struct octets){ with_set, sizeof(with_set) };
	assert_int_equal(check(x, SOURCE_EXTERNAL), REASON_AS_SET);
}

static void
test_learned_to_internal(void **state)
{
	struct rule_action self = { .type = ACT_NEXT_HOP_SELF };
	struct fix *x = *state;

	learn(x);
	x->f.internal = true;
	assert_true(addr_parse("fe80::1", &x->a.nexthop_ll));
	assert_int_equal(check(x, SOURCE_EXTERNAL), REASON_NONE);
	assert_string_equal(path(&x->out), "3215 5511");
	assert_true(addr_eq(&x->out.nexthop, &x->a.nexthop));
	assert_int_equal(x->out.nexthop_ll.fam, FAM_NONE);
	assert_int_equal(x->out.local_pref, 300);
	assert_int_equal(x->out.med, 50);
	x->a.has &= ~(1u << HAS_LOCAL_PREF);
	policy_add_action(x->rule, &self);
	assert_int_equal(check(x, SOURCE_EXTERNAL), REASON_NONE);
	assert_true(addr_eq(&x->out.nexthop, &x->f.next_hop[FAM_INET]));
	assert_int_equal(x->out.local_pref, 100);
	assert_true(x->out.has & 1u << HAS_LOCAL_PREF);
	/* What is ours has no other next hop than us. */
	x->f.policy = NULL;
	assert_int_equal(check(x, SOURCE_LOCAL), REASON_NONE);
	assert_true(addr_eq(&x->out.nexthop, &x->f.next_hop[FAM_INET]));
	/* Nor has a next hop of the other family or a link's own a meaning. */
	assert_true(addr_parse("2001:db8::9", &x->a.nexthop));
	assert_int_equal(check(x, SOURCE_EXTERNAL), REASON_NONE);
	assert_true(addr_eq(&x->out.nexthop, &x->f.next_hop[FAM_INET]));
}

/* RFC 4360 6: what is not transitive stays in the AS. */
static void
test_ext_communities(void **state)
{
	struct fix *x = *state;

	learn(x);
	x->a.ext_comms = (struct octets){ ext, sizeof(ext) };
	x->f.off = GUARD_BIT(GUARD_EXPORT);
	assert_int_equal(check(x, SOURCE_EXTERNAL), REASON_NONE);
	assert_int_equal(x->out.ext_comms.len, 8);
	assert_memory_equal(x->out.ext_comms.p, ext + 8, 8);
	x->f.internal = true;
	assert_int_equal(check(x, SOURCE_EXTERNAL), REASON_NONE);
	assert_int_equal(x->out.ext_comms.len, sizeof(ext));
}

static void
test_no_next_hop(void **state)
{
	struct fix *x = *state;

	memset(&x->f.next_hop[FAM_INET], 0, sizeof(struct addr));
	assert_int_equal(check(x, SOURCE_LOCAL), REASON_NO_NEXT_HOP);
	pfx_parse("2804:1f4a::/32", &x->pfx);
	assert_int_equal(check(x, SOURCE_LOCAL), REASON_NONE);
	memset(&x->pfx, 0, sizeof(x->pfx));
	assert_int_equal(check(x, SOURCE_LOCAL), REASON_AFI);
}

static void
test_gshut(void **state)
{
	struct fix *x = *state;

	x->a.has |= 1u << HAS_MED;
	x->a.med = 7;
	x->f.drain.on = true;
	assert_int_equal(check(x, SOURCE_LOCAL), REASON_NONE);
	assert_true(comm_has(x->out.comms, COMM_GRACEFUL_SHUTDOWN));
	assert_int_equal(x->out.comms.len, 4);
	assert_int_equal(aspath_length(x->out.as_path), 1);
	assert_int_equal(x->out.med, 7);
	x->f.drain.prepend = 2;
	x->f.drain.med_set = true;
	x->f.drain.med = 0;
	assert_int_equal(check(x, SOURCE_LOCAL), REASON_NONE);
	assert_int_equal(aspath_length(x->out.as_path), 3);
	assert_true(x->out.has & 1u << HAS_MED);
	assert_int_equal(x->out.med, 0);
	/* Of no meaning when it is off. */
	x->f.drain.on = false;
	assert_int_equal(check(x, SOURCE_LOCAL), REASON_NONE);
	assert_int_equal(aspath_length(x->out.as_path), 1);
	assert_int_equal(x->out.comms.len, 0);
	assert_int_equal(x->out.med, 7);
	x->f.drain.on = true;
	x->f.internal = true;
	x->a.has |= 1u << HAS_LOCAL_PREF;
	x->a.local_pref = 300;
	assert_int_equal(check(x, SOURCE_LOCAL), REASON_NONE);
	assert_int_equal(x->out.local_pref, 0);
	assert_int_equal(x->out.comms.len, 0);
	assert_int_equal(aspath_length(x->out.as_path), 0);
	/* And then nothing at all. */
	x->f.drain.withdrawn = true;
	assert_int_equal(check(x, SOURCE_LOCAL), REASON_DRAINED);
	x->f.internal = false;
	assert_int_equal(check(x, SOURCE_LOCAL), REASON_DRAINED);
}

/* A network that is drained (bgpd/announce): no rule takes that away. */
static void
test_network_drained(void **state)
{
	static const uint8_t comm[] = { 0xff, 0xff, 0, 0, 0, 1, 0, 2 };
	struct rule_action med = { .type = ACT_MED, .n = 0 };
	struct rule_action replace = { .type = ACT_COMM_REPLACE,
		.comm = { .v = { 0x10003 } } };
	struct fix *x = *state;

	policy_add_action(x->rule, &med);
	policy_add_action(x->rule, &replace);
	x->a.comms = (struct octets){ comm, sizeof comm };
	x->a.has |= 1u << HAS_MED;
	x->a.med = 500;
	assert_int_equal(check(x, SOURCE_LOCAL), REASON_NONE);
	assert_true(comm_has(x->out.comms, COMM_GRACEFUL_SHUTDOWN));
	assert_true(comm_has(x->out.comms, 0x10003));
	assert_int_equal(x->out.comms.len, 8);
	assert_int_equal(x->out.med, 500);
	x->f.internal = true;
	assert_int_equal(check(x, SOURCE_LOCAL), REASON_NONE);
	assert_int_equal(x->out.local_pref, 0);
	/* What was only learned with it is the rules'. */
	x->f.internal = false;
	x->f.off = GUARD_BIT(GUARD_EXPORT);
	assert_int_equal(check(x, SOURCE_EXTERNAL), REASON_NONE);
	assert_false(comm_has(x->out.comms, COMM_GRACEFUL_SHUTDOWN));
	assert_int_equal(x->out.med, 0);
}

/* on-fail med: the policy's MED is for a network that is well. */
static void
test_network_failing(void **state)
{
	struct rule_action med = { .type = ACT_MED, .n = 0 };
	struct fix *x = *state;

	policy_add_action(x->rule, &med);
	x->a.has |= 1u << HAS_MED;
	x->a.med = 500;
	assert_int_equal(check(x, SOURCE_LOCAL), REASON_NONE);
	assert_int_equal(x->out.med, 0);
	x->a.weight = EXPORT_MED_STAYS;
	assert_int_equal(check(x, SOURCE_LOCAL), REASON_NONE);
	assert_int_equal(x->out.med, 500);
	assert_int_equal(x->out.weight, 0);
	/* A rule's weight on a learned route is another thing. */
	x->f.off = GUARD_BIT(GUARD_EXPORT);
	assert_int_equal(check(x, SOURCE_EXTERNAL), REASON_NONE);
	assert_int_equal(x->out.med, 0);
}

/* RFC 9234 5, by our own role, with and without OTC on the route. */
static void
test_otc(void **state)
{
	static const struct {
		uint8_t role;
		bool there;
		uint16_t why;
		uint32_t after;
	} t[] = {
		{ ROLE_NONE, false, REASON_NONE, 0 },
		{ ROLE_NONE, true, REASON_NONE, 9 },
		{ ROLE_PROVIDER, false, REASON_NONE, LOCAL },
		{ ROLE_PROVIDER, true, REASON_NONE, 9 },
		{ ROLE_RS, false, REASON_NONE, LOCAL },
		{ ROLE_RS, true, REASON_NONE, 9 },
		{ ROLE_PEER, false, REASON_NONE, LOCAL },
		{ ROLE_PEER, true, REASON_OTC, 0 },
		{ ROLE_CUSTOMER, false, REASON_NONE, 0 },
		{ ROLE_CUSTOMER, true, REASON_OTC, 0 },
		{ ROLE_RS_CLIENT, false, REASON_NONE, 0 },
		{ ROLE_RS_CLIENT, true, REASON_OTC, 0 },
	};
	struct fix *x = *state;
	size_t i;

	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		uint32_t given = t[i].there ? 9 : 0;

		x->f.role = t[i].role;
		x->a.otc = given;
		x->a.has &= ~(1u << HAS_OTC);
		if (t[i].there)
			x->a.has |= 1u << HAS_OTC;
		assert_int_equal(check(x, SOURCE_LOCAL), t[i].why);
		if (t[i].why == REASON_NONE) {
			assert_int_equal(x->out.otc, t[i].after);
			assert_int_equal(
			    x->out.has >> HAS_OTC & 1, t[i].after != 0);
		}
		x->f.off = GUARD_BIT(GUARD_OTC);
		assert_int_equal(check(x, SOURCE_LOCAL), REASON_NONE);
		assert_int_equal(x->out.otc, given);
		x->f.off = 0;
		x->f.internal = true;
		assert_int_equal(check(x, SOURCE_LOCAL), REASON_NONE);
		assert_int_equal(x->out.otc, given);
		x->f.internal = false;
	}
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_own_to_external),
		T(test_mandatory),
		T(test_export_guard),
		T(test_default_never),
		T(test_well_known),
		T(test_ibgp_split),
		T(test_is_next_hop),
		T(test_no_policy),
		T(test_learned_to_external),
		T(test_learned_to_internal),
		T(test_ext_communities),
		T(test_no_next_hop),
		T(test_gshut),
		T(test_network_drained),
		T(test_network_failing),
		T(test_otc),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
