#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "policy/asnset.h"
#include "policy/asregex.h"
#include "policy/pfxset.h"
#include "policy/rules.h"

/* AS_PATH 64500 64510 64520 */
static const uint8_t path[] = { SEG_SEQUENCE, 3, 0, 0, 0xfb, 0xf4, 0, 0, 0xfb,
	0xfe, 0, 0, 0xfc, 0x08 };
/* 64500:80 and no-export */
static const uint8_t comms[] = { 0xfb, 0xf4, 0, 80, 0xff, 0xff, 0xff, 0x01 };
/* 52580:1:2 */
static const uint8_t large[] = { 0, 0, 0xcd, 0x64, 0, 0, 0, 1, 0, 0, 0, 2 };

struct fix {
	struct arena arena;
	struct attrs a;
	struct pfx pfx;
	struct addr neighbor;
	struct rule_facts f;
	struct policy *p;
	struct rule *r;
};

static int
setup(void **state)
{
	static struct fix x;

	memset(&x, 0, sizeof(x));
	arena_init(&x.arena);
	x.a.has = 1u << HAS_AS_PATH;
	x.a.as_path = (struct octets){ path, sizeof(path) };
	x.a.comms = (struct octets){ comms, sizeof(comms) };
	x.a.large_comms = (struct octets){ large, sizeof(large) };
	pfx_parse("192.0.2.0/24", &x.pfx);
	addr_parse("203.0.113.1", &x.neighbor);
	x.f = (struct rule_facts){ .pfx = &x.pfx,
		.neighbor = &x.neighbor,
		.source = SOURCE_EXTERNAL,
		.prepend_as = 64500 };
	x.p = policy_new("test");
	x.r = policy_add(x.p, "only", "x.conf:1");
	x.r->verdict = RULE_ACCEPT;
	*state = &x;
	return 0;
}

static int
teardown(void **state)
{
	struct fix *x = *state;

	policy_free(x->p);
	arena_fini(&x->arena);
	return 0;
}

static enum rule_verdict
run(struct fix *x)
{
	const struct rule *by = x->r; /* must be set to NULL or a rule */
	enum rule_verdict v = policy_run(x->p, &x->f, &x->a, &x->arena, &by);

	if (v == RULE_NO_MATCH)
		assert_null(by);
	else
		assert_non_null(by);
	return v;
}

/* Does this match alone let the route through? */
static bool
matches(struct fix *x, struct rule_match m)
{
	x->r->nmatch = 0;
	policy_add_match(x->r, &m);
	return run(x) == RULE_ACCEPT;
}

static void
test_order(void **state)
{
	struct fix *x = *state;
	struct rule_match other = { .type = MATCH_FAMILY, .fam = FAM_INET6 };
	struct rule_action pref = { .type = ACT_LOCAL_PREF, .n = 7 };
	struct rule *second, *third;
	const struct rule *by;

	second = policy_add(x->p, "second", NULL);
	third = policy_add(x->p, "third", NULL);
	third->verdict = RULE_ACCEPT;
	policy_add_action(third, &pref);
	/* The first that matches decides, a later one is not asked. */
	assert_int_equal(
	    policy_run(x->p, &x->f, &x->a, &x->arena, &by), RULE_ACCEPT);
	assert_ptr_equal(by, x->r);
	assert_string_equal(by->where, "x.conf:1");
	policy_add_match(x->r, &other);
	assert_int_equal(
	    policy_run(x->p, &x->f, &x->a, &x->arena, &by), RULE_REJECT);
	assert_ptr_equal(by, second);
	assert_int_equal(x->a.has, 1u << HAS_AS_PATH);
	policy_add_match(second, &other);
	assert_int_equal(
	    policy_run(x->p, &x->f, &x->a, &x->arena, &by), RULE_ACCEPT);
	assert_ptr_equal(by, third);
	assert_int_equal(x->a.local_pref, 7);
	policy_add_match(third, &other);
	assert_int_equal(run(x), RULE_NO_MATCH);
}

/* Actions of a rule that rejects have no effect. */
static void
test_reject_changes_nothing(void **state)
{
	struct fix *x = *state;
	struct rule_action pref = { .type = ACT_LOCAL_PREF, .n = 7 };

	policy_add_action(x->r, &pref);
	x->r->verdict = RULE_REJECT;
	assert_int_equal(run(x), RULE_REJECT);
	assert_int_equal(x->a.has, 1u << HAS_AS_PATH);
	assert_int_equal(x->a.local_pref, 0);
}

/* All matches of a rule must hold. */
static void
test_and(void **state)
{
	struct fix *x = *state;
	struct rule_match yes = { .type = MATCH_FAMILY, .fam = FAM_INET };
	struct rule_match no = { .type = MATCH_FAMILY, .fam = FAM_INET6 };

	policy_add_match(x->r, &yes);
	policy_add_match(x->r, &yes);
	assert_int_equal(run(x), RULE_ACCEPT);
	policy_add_match(x->r, &no);
	assert_int_equal(run(x), RULE_NO_MATCH);
}

static void
test_matches(void **state)
{
	struct fix *x = *state;
	struct pfxset *set = pfxset_new("set");
	struct asnset *asns = asnset_new();
	struct rule_comm c[2] = { { .v = { 0x12345678 } },
		{ .v = { COMM_NO_EXPORT } } };
	struct addr other;

#define M(...) matches(x, (struct rule_match){ __VA_ARGS__ })
	assert_true(M(.type = MATCH_ANY));
	assert_false(M(.type = MATCH_PREFIX_IN, .set = set));
	pfxset_add(set, &x->pfx, 24, 24);
	assert_true(M(.type = MATCH_PREFIX_IN, .set = set));

	assert_false(M(.type = MATCH_ORIGIN_LOCAL));
	x->f.source = SOURCE_INTERNAL;
	assert_false(M(.type = MATCH_ORIGIN_LOCAL));
	x->f.source = SOURCE_LOCAL;
	assert_true(M(.type = MATCH_ORIGIN_LOCAL));

	assert_true(
	    M(.type = MATCH_COMMUNITY, .comm = { .v = { 64500u << 16 | 80 } }));
	assert_false(
	    M(.type = MATCH_COMMUNITY, .comm = { .v = { 64500u << 16 | 81 } }));
	assert_true(M(.type = MATCH_COMMUNITY,
	    .comm = { .large = true, .v = { 52580, 1, 2 } }));
	assert_false(M(.type = MATCH_COMMUNITY,
	    .comm = { .large = true, .v = { 52580, 1, 3 } }));
	assert_true(M(.type = MATCH_COMMUNITY_IN, .comms = { c, 2 }));
	assert_false(M(.type = MATCH_COMMUNITY_IN, .comms = { c, 1 }));

	assert_true(M(.type = MATCH_PATH_CONTAINS, .as = 64510));
	assert_false(M(.type = MATCH_PATH_CONTAINS, .as = 64511));
	assert_false(M(.type = MATCH_PATH_CONTAINS_SET, .asns = asns));
	asnset_add(asns, 64520);
	assert_true(M(.type = MATCH_PATH_CONTAINS_SET, .asns = asns));
	assert_true(M(.type = MATCH_ORIGIN_AS, .as = 64520));
	assert_false(M(.type = MATCH_ORIGIN_AS, .as = 64500));

	assert_true(M(.type = MATCH_FAMILY, .fam = FAM_INET));
	assert_false(M(.type = MATCH_FAMILY, .fam = FAM_INET6));

	addr_parse("203.0.113.2", &other);
	assert_true(M(.type = MATCH_NEIGHBOR, .addr = x->neighbor));
	assert_false(M(.type = MATCH_NEIGHBOR, .addr = other));
	pfxset_free(set);
	asnset_free(asns);
}

static void
test_actions(void **state)
{
	struct fix *x = *state;
	const struct rule_action acts[] = {
		{ .type = ACT_LOCAL_PREF, .n = 150 },
		{ .type = ACT_MED, .n = 0 },
		{ .type = ACT_COMM_ADD, .comm = { .v = { 0x00010002 } } },
		{ .type = ACT_COMM_ADD, .comm = { .v = { 0x00010002 } } },
		{ .type = ACT_COMM_DELETE, .comm = { .v = { 0xfbf40050 } } },
		{ .type = ACT_COMM_DELETE, .comm = { .v = { 0x09090909 } } },
		{ .type = ACT_COMM_ADD,
		    .comm = { .large = true, .v = { 9, 8, 7 } } },
		{ .type = ACT_COMM_DELETE,
		    .comm = { .large = true, .v = { 52580, 1, 2 } } },
		{ .type = ACT_PREPEND, .n = 2 },
		{ .type = ACT_PREPEND, .n = 0 },
	};
	static const uint8_t want_comms[] = { 0xff, 0xff, 0xff, 1, 0, 1, 0, 2 };
	static const uint8_t want_large[] = { 0, 0, 0, 9, 0, 0, 0, 8, 0, 0, 0,
		7 };
	char text[128];
	size_t i;

	for (i = 0; i < sizeof(acts) / sizeof(acts[0]); i++)
		policy_add_action(x->r, &acts[i]);
	assert_int_equal(run(x), RULE_ACCEPT);
	assert_int_equal(
	    x->a.has, 1u << HAS_AS_PATH | 1u << HAS_LOCAL_PREF | 1u << HAS_MED);
	assert_int_equal(x->a.local_pref, 150);
	assert_int_equal(x->a.med, 0);
	assert_int_equal(x->a.comms.len, 8);
	assert_memory_equal(x->a.comms.p, want_comms, 8);
	assert_int_equal(x->a.large_comms.len, 12);
	assert_memory_equal(x->a.large_comms.p, want_large, 12);
	aspath_print(x->a.as_path, text, sizeof(text));
	assert_string_equal(text, "64500 64500 64500 64510 64520");
}

/* What was given stays as it was: it belongs to somebody else. */
static void
test_original_untouched(void **state)
{
	struct fix *x = *state;
	struct rule_action del = { .type = ACT_COMM_DELETE };
	uint8_t mine[sizeof(comms)];

	memcpy(mine, comms, sizeof(mine));
	x->a.comms.p = mine;
	del.comm.v[0] = COMM_NO_EXPORT;
	policy_add_action(x->r, &del);
	del.comm.v[0] = 64500u << 16 | 80;
	policy_add_action(x->r, &del);
	assert_int_equal(run(x), RULE_ACCEPT);
	assert_int_equal(x->a.comms.len, 0);
	assert_memory_equal(mine, comms, sizeof(mine));
	assert_ptr_equal(x->a.large_comms.p, large);
}

static void
test_comm_text(void **state)
{
	static const struct {
		const char *text;
		uint32_t value;
	} good[] = {
		{ "64500:80", 64500u << 16 | 80 }, { "0:0", 0 },
		{ "65535:1", 0xffff0001 },
		{ "graceful-shutdown", 0xffff0000 }, /* RFC 8326 */
		{ "blackhole", 0xffff029a }, /* RFC 7999 */
		{ "no-export", 0xffffff01 }, /* RFC 1997, also the next two */
		{ "no-advertise", 0xffffff02 },
		{ "no-export-subconfed", 0xffffff03 },
		{ "no-peer", 0xffffff04 }, /* RFC 3765 */
	};
	static const char *const bad[] = { "", "1", "1:", ":1", "65536:1",
		"1:65536", "1:2:3", "1:2x", "no-exports", "-1:2" };
	struct rule_comm c;
	size_t i;

	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_true(
		    rule_comm_parse(good[i].text, COMM_PLAIN, false, &c));
		assert_int_equal(c.v[0], good[i].value);
		assert_int_equal(c.wild[0], 0);
	}
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(rule_comm_parse(bad[i], COMM_PLAIN, false, &c));
	assert_true(rule_comm_parse("65535:65281", COMM_PLAIN, false, &c));
	assert_int_equal(c.v[0], COMM_NO_EXPORT);
	assert_true(
	    rule_comm_parse("52580:4294967295:0", COMM_LARGE, false, &c));
	assert_int_equal(c.v[0], 52580);
	assert_int_equal(c.v[1], UINT32_MAX);
	assert_int_equal(c.v[2], 0);
	assert_false(rule_comm_parse("52580:1", COMM_LARGE, false, &c));
	assert_false(rule_comm_parse("4294967296:1:1", COMM_LARGE, false, &c));
	assert_false(rule_comm_parse("no-export", COMM_LARGE, false, &c));
}

static struct rule_comm
comm(const char *text, enum rule_comm_kind kind)
{
	struct rule_comm c;

	assert_true(rule_comm_parse(text, kind, true, &c));
	return c;
}

/* Every kind, exact and with wild parts. */
static void
test_patterns(void **state)
{
	static const uint8_t ext[] = { 0x00, 0x02, 0xfb, 0xf4, 0, 0, 0, 80,
		0x02, 0x03, 0x00, 0x03, 0x0d, 0x40, 0, 7 };
	static const struct {
		const char *text;
		enum rule_comm_kind kind;
		bool yes;
	} row[] = {
		{ "64500:*", COMM_PLAIN, true },
		{ "*:80", COMM_PLAIN, true },
		{ "*:*", COMM_PLAIN, true },
		{ "64501:*", COMM_PLAIN, false },
		{ "*:81", COMM_PLAIN, false },
		{ "52580:*:2", COMM_LARGE, true },
		{ "52580:1:*", COMM_LARGE, true },
		{ "*:1:3", COMM_LARGE, false },
		{ "rt:64500:80", COMM_EXT, true },
		{ "rt:64500:*", COMM_EXT, true },
		{ "rt:64501:*", COMM_EXT, false },
		{ "soo:64500:80", COMM_EXT, false },
		{ "soo:200000:7", COMM_EXT, true },
		{ "soo:200000:*", COMM_EXT, true },
		{ "soo:200000:8", COMM_EXT, false },
	};
	static const char *const bad[] = { "64500:", "**:1", "rt:1", "rt:*:1",
		"rt:1:4294967296", "rt:200000:65536", "x:1:1", "1:2:3:4" };
	struct fix *x = *state;
	struct rule_comm c;
	size_t i;

	x->a.ext_comms = (struct octets){ ext, sizeof(ext) };
	for (i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		c = comm(row[i].text, row[i].kind);
		assert_int_equal(rule_comm_has(&x->a, &c), row[i].yes);
	}
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_false(rule_comm_parse(bad[i], COMM_EXT, true, &c));
		assert_false(rule_comm_parse(bad[i], COMM_PLAIN, true, &c));
	}
	assert_false(rule_comm_parse("64500:*", COMM_PLAIN, false, &c));
}

static void
test_more_matches(void **state)
{
	struct fix *x = *state;
	struct asnset *asns = asnset_new();
	const char *why;
	size_t at;
	struct asregex *re = asregex_new("^64500_.*_64520$", &why, &at);
	struct asregex *no = asregex_new("^64520", &why, &at);
	struct asregex *both[2];
	struct addr nh;

	both[0] = no;
	both[1] = re;
	assert_true(addr_parse("203.0.113.9", &nh));
	x->a.nexthop = nh;
	x->f.group = "isp";
	x->f.role = ROLE_CUSTOMER;
	assert_true(M(.type = MATCH_PATH, .re = re));
	assert_false(M(.type = MATCH_PATH, .re = no));
	assert_true(M(.type = MATCH_PATH_IN, .paths = { both, 2 }));
	assert_false(M(.type = MATCH_PATH_IN, .paths = { both, 1 }));
	assert_false(M(.type = MATCH_ORIGIN_AS_SET, .asns = asns));
	asnset_add(asns, 64520);
	assert_true(M(.type = MATCH_ORIGIN_AS_SET, .asns = asns));
	assert_true(M(.type = MATCH_PATH_LENGTH, .num = { OP_EQ, 3 }));
	assert_true(M(.type = MATCH_PATH_LENGTH, .num = { OP_GE, 3 }));
	assert_true(M(.type = MATCH_PATH_LENGTH, .num = { OP_LE, 3 }));
	assert_false(M(.type = MATCH_PATH_LENGTH, .num = { OP_GT, 3 }));
	assert_false(M(.type = MATCH_PATH_LENGTH, .num = { OP_LT, 3 }));
	assert_false(M(.type = MATCH_PATH_LENGTH, .num = { OP_NE, 3 }));
	assert_true(M(.type = MATCH_MED, .num = { OP_EQ, 0 }));
	x->a.med = 9;
	x->a.has |= 1u << HAS_MED;
	assert_true(M(.type = MATCH_MED, .num = { OP_GT, 8 }));
	assert_true(M(.type = MATCH_NEXT_HOP, .addr = nh));
	assert_false(M(.type = MATCH_NEXT_HOP, .addr = x->neighbor));
	assert_true(M(.type = MATCH_GROUP, .str = "isp"));
	assert_false(M(.type = MATCH_GROUP, .str = "ix"));
	assert_true(M(.type = MATCH_ROLE, .role = ROLE_CUSTOMER));
	assert_false(M(.type = MATCH_ROLE, .role = ROLE_PEER));
	assert_false(M(.type = MATCH_NOTHING));
	assert_int_equal(rule_role_of(ROLE_PROVIDER), ROLE_CUSTOMER);
	assert_int_equal(rule_role_of(ROLE_RS_CLIENT), ROLE_RS);
	assert_int_equal(rule_role_of(ROLE_PEER), ROLE_PEER);
	asnset_free(asns);
	asregex_free(re);
	asregex_free(no);
}

/* What a rule that goes on sets is seen later, and lost with a refusal. */
static void
test_continue(void **state)
{
	struct fix *x = *state;
	struct rule_comm mark = comm("1:2", COMM_PLAIN);
	struct rule_action add = { .type = ACT_COMM_ADD, .comm = mark };
	struct rule_action weight = { .type = ACT_WEIGHT, .n = 0 };
	struct rule_match has = { .type = MATCH_COMMUNITY, .comm = mark };
	uint64_t hits[3] = { 0 };
	struct rule *last;

	x->f.hits = hits;
	x->r->verdict = RULE_CONTINUE;
	x->r->hit = 0;
	policy_add_action(x->r, &add);
	policy_add_action(x->r, &weight);
	assert_int_equal(run(x), RULE_NO_MATCH);
	assert_false(rule_comm_has(&x->a, &mark));
	last = policy_add(x->p, "last", NULL);
	last->hit = 2;
	policy_add_match(last, &has);
	assert_int_equal(run(x), RULE_REJECT);
	assert_false(rule_comm_has(&x->a, &mark));
	assert_int_equal(x->a.weight, 0);
	last->verdict = RULE_ACCEPT;
	assert_int_equal(run(x), RULE_ACCEPT);
	assert_true(rule_comm_has(&x->a, &mark));
	assert_int_equal(x->a.weight, 1);
	assert_int_equal(hits[0], 3);
	assert_int_equal(hits[1], 0);
	assert_int_equal(hits[2], 2);
}

/* Several lines may fit; a reject among them is the rule's. */
static void
test_table(void **state)
{
	struct fix *x = *state;
	struct rule_table_row row[] = {
		{ comm("64500:80", COMM_PLAIN),
		    { .type = ACT_LOCAL_PREF, .n = 50 } },
		{ comm("52580:*:2", COMM_LARGE), { .type = ACT_MED, .n = 7 } },
		{ comm("64500:81", COMM_PLAIN),
		    { .type = ACT_PREPEND, .n = 2 } },
		{ comm("64500:*", COMM_PLAIN), { .type = ACT_REJECT } },
	};
	struct rule_table t = { row, 3 };
	struct rule_action apply = { .type = ACT_TABLE, .table = &t };

	policy_add_action(x->r, &apply);
	assert_int_equal(run(x), RULE_ACCEPT);
	assert_int_equal(x->a.local_pref, 50);
	assert_int_equal(x->a.med, 7);
	assert_int_equal(aspath_length(x->a.as_path), 3);
	t.n = 4;
	x->a.local_pref = 1;
	assert_int_equal(run(x), RULE_REJECT);
	assert_int_equal(x->a.local_pref, 1);
}

static void
test_replace(void **state)
{
	struct fix *x = *state;
	struct rule_action one = { .type = ACT_COMM_REPLACE,
		.comm = comm("1:2", COMM_PLAIN) };
	struct rule_action gone = { .type = ACT_COMM_DELETE,
		.comm = comm("52580:*:*", COMM_LARGE) };
	struct rule_action self = { .type = ACT_NEXT_HOP_SELF };

	x->a.nexthop = x->neighbor;
	policy_add_action(x->r, &one);
	policy_add_action(x->r, &gone);
	policy_add_action(x->r, &self);
	assert_int_equal(run(x), RULE_ACCEPT);
	assert_int_equal(x->a.comms.len, 4);
	assert_true(rule_comm_has(&x->a, &one.comm));
	assert_int_equal(x->a.large_comms.len, 0);
	assert_int_equal(x->a.nexthop.fam, FAM_NONE);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_order),
		T(test_reject_changes_nothing),
		T(test_and),
		T(test_matches),
		T(test_actions),
		T(test_original_untouched),
		T(test_comm_text),
		T(test_patterns),
		T(test_more_matches),
		T(test_continue),
		T(test_table),
		T(test_replace),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
