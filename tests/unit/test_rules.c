#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "policy/asnset.h"
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
	struct asnset *asns = asnset_new("asns");
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
#undef M
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
	static const char *const same[] = { "64500:80", "0:0", "65535:1",
		"no-export", "graceful-shutdown", "blackhole", "no-advertise",
		"no-export-subconfed", "no-peer" };
	static const char *const bad[] = { "", "1", "1:", ":1", "65536:1",
		"1:65536", "1:2:3", "1:2x", "no-exports", "-1:2" };
	struct rule_comm c;
	char buf[64];
	size_t i;

	for (i = 0; i < sizeof(same) / sizeof(same[0]); i++) {
		assert_true(rule_comm_parse(same[i], false, &c));
		rule_comm_print(&c, buf, sizeof(buf));
		assert_string_equal(buf, same[i]);
	}
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(rule_comm_parse(bad[i], false, &c));
	assert_true(rule_comm_parse("65535:65281", false, &c));
	assert_int_equal(c.v[0], COMM_NO_EXPORT);
	assert_true(rule_comm_parse("52580:4294967295:0", true, &c));
	rule_comm_print(&c, buf, sizeof(buf));
	assert_string_equal(buf, "52580:4294967295:0");
	assert_false(rule_comm_parse("52580:1", true, &c));
	assert_false(rule_comm_parse("4294967296:1:1", true, &c));
	assert_false(rule_comm_parse("no-export", true, &c));
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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
