#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "policy/asnset.h"
#include "policy/import.h"
#include "policy/pfxset.h"

/*
 * A partner that is all right, and a route of it that every guard passes.
 * Each test spoils one thing.
 */
struct fix {
	struct arena arena;
	struct import_facts f;
	struct pfx pfx;
	struct attrs a;
	struct addr local[2];
	struct pfxset *own, *irr, *hole;
	const struct pfxset *allow[1];
	struct asnset *transit;
	struct policy *policy;
	struct rule *rule;
	uint8_t path[256];
	struct import_result res;
};

enum {
	LOCAL = 52580,
	PEER = 3215,
	CUSTOMER = 5511
};

static void
add(struct pfxset *s, const char *text, unsigned int lo, unsigned int hi)
{
	struct pfx p;

	assert_true(pfx_parse(text, &p));
	assert_true(pfxset_add(s, &p, lo, hi));
}

/* Segments are given as type, n, AS ...; ended by 0. */
static void
set_path(struct fix *x, const uint32_t *v)
{
	size_t n = 0, i;

	while (*v != 0) {
		uint32_t count = v[1];

		x->path[n++] = (uint8_t)v[0];
		x->path[n++] = (uint8_t)count;
		for (v += 2; count > 0; count--, v++)
			for (i = 0; i < 4; i++)
				x->path[n++] = (uint8_t)(*v >> (24 - 8 * i));
	}
	x->a.as_path = (struct octets){ x->path, (uint16_t)n };
}

#define PATH(...) set_path(x, (const uint32_t[]){ __VA_ARGS__, 0 })
#define SEQ(...) \
	SEG_SEQUENCE, sizeof((uint32_t[]){ __VA_ARGS__ }) / 4, __VA_ARGS__
#define SET(...) SEG_SET, sizeof((uint32_t[]){ __VA_ARGS__ }) / 4, __VA_ARGS__

static void
set_pfx(struct fix *x, const char *text)
{
	assert_true(pfx_parse(text, &x->pfx));
	assert_true(addr_parse(
	    x->pfx.addr.fam == FAM_INET ? "194.2.0.1" : "2001:4860::1",
	    &x->a.nexthop));
}

static int
setup(void **state)
{
	static struct fix x0;
	struct fix *x = &x0;

	memset(x, 0, sizeof(*x));
	arena_init(&x->arena);
	x->own = pfxset_new("azion");
	add(x->own, "179.191.160.0/20", 20, 24);
	add(x->own, "2804:1f4a::/32", 32, 48);
	x->irr = pfxset_new("AS3215");
	add(x->irr, "0.0.0.0/0", 0, 32);
	add(x->irr, "::/0", 0, 128);
	x->hole = pfxset_new("cgnat");
	add(x->hole, "100.64.0.0/10", 10, 32);
	x->policy = policy_new("isp-in");
	x->rule = policy_add(x->policy, "rest", "a.conf:9");
	x->rule->verdict = RULE_ACCEPT;
	addr_parse("194.2.0.2", &x->local[0]);
	addr_parse("2001:4860::2", &x->local[1]);
	x->f = (struct import_facts){ .local_as = LOCAL,
		.peer_as = PEER,
		.local_id = 77,
		.role = ROLE_NONE,
		.max_len = { 0, 24, 48 },
		.max_path = 32,
		.local = x->local,
		.nlocal = 2,
		.own = x->own,
		.irr = x->irr,
		.policy = x->policy };
	addr_parse("194.2.0.1", &x->f.neighbor);
	x->f.peer[FAM_INET] = x->f.neighbor;
	addr_parse("2001:4860::1", &x->f.peer[FAM_INET6]);
	x->a.has = 1u << HAS_ORIGIN | 1u << HAS_AS_PATH | 1u << HAS_NEXT_HOP;
	PATH(SEQ(PEER, CUSTOMER));
	set_pfx(x, "193.252.0.0/16");
	*state = x;
	return 0;
}

static int
teardown(void **state)
{
	struct fix *x = *state;

	pfxset_free(x->own);
	pfxset_free(x->irr);
	pfxset_free(x->hole);
	asnset_free(x->transit);
	policy_free(x->policy);
	arena_fini(&x->arena);
	return 0;
}

static unsigned int
check(struct fix *x)
{
	unsigned int r =
	    import_check(&x->f, &x->pfx, &x->a, &x->arena, &x->res);

	assert_int_equal(r, x->res.reason);
	return r;
}

/*
 * The route as it stands is refused for this reason by this guard, with this
 * sentence; it passes when exactly this guard is off, and is refused when all
 * the others are off; internal sessions do not ask it.
 */
static void
refused(struct fix *x, uint16_t reason, enum guard g, const char *sentence)
{
	char buf[256];

	assert_int_equal(check(x), reason);
	assert_int_equal(x->res.guard, g);
	assert_null(x->res.rule);
	assert_false(x->res.changed);
	assert_memory_equal(&x->res.attrs, &x->a, sizeof(x->a));
	import_print(&x->f, &x->pfx, &x->a, &x->res, buf, sizeof(buf));
	assert_string_equal(buf, sentence);
	x->f.off = GUARD_BIT(g);
	assert_int_equal(check(x), REASON_NONE);
	assert_int_equal(x->res.guard, GUARD_NONE);
	x->f.off = ~GUARD_BIT(g);
	assert_int_equal(check(x), reason);
	x->f.off = 0;
	if (g != GUARD_LOOP) {
		x->f.internal = true;
		assert_int_equal(check(x), REASON_NONE);
		x->f.internal = false;
	}
}

static void
test_good(void **state)
{
	struct fix *x = *state;

	assert_int_equal(check(x), REASON_NONE);
	assert_int_equal(x->res.guard, GUARD_NONE);
	assert_ptr_equal(x->res.rule, x->rule);
	assert_false(x->res.changed);
	assert_memory_equal(&x->res.attrs, &x->a, sizeof(x->a));
	set_pfx(x, "2a01:cb00::/29");
	assert_int_equal(check(x), REASON_NONE);
}

static void
test_max_length(void **state)
{
	struct fix *x = *state;

	set_pfx(x, "193.252.1.0/24");
	assert_int_equal(check(x), REASON_NONE);
	set_pfx(x, "2a01:cb00:1::/48");
	assert_int_equal(check(x), REASON_NONE);
	set_pfx(x, "2a01:cb00:1:8000::/49");
	refused(x, REASON_LENGTH, GUARD_MAX_LENGTH,
	    "2a01:cb00:1:8000::/49 is longer than /48 (max-length inet6)");
	set_pfx(x, "193.252.1.128/25");
	refused(x, REASON_LENGTH, GUARD_MAX_LENGTH,
	    "193.252.1.128/25 is longer than /24 (max-length inet)");
	x->f.max_len[FAM_INET] = 0;
	assert_int_equal(check(x), REASON_NONE);
}

static void
test_default_route(void **state)
{
	struct fix *x = *state;

	set_pfx(x, "0.0.0.0/0");
	refused(x, REASON_DEFAULT_ROUTE, GUARD_DEFAULT_ROUTE,
	    "0.0.0.0/0: a default route is not taken");
	set_pfx(x, "::/0");
	refused(x, REASON_DEFAULT_ROUTE, GUARD_DEFAULT_ROUTE,
	    "::/0: a default route is not taken");
}

static void
test_bogon_prefixes(void **state)
{
	struct fix *x = *state;

	set_pfx(x, "10.1.0.0/16");
	refused(x, REASON_BOGON_PREFIX, GUARD_BOGON_PREFIXES,
	    "10.1.0.0/16 is special-purpose space: 10.0.0.0/8, private use, "
	    "RFC 1918 (reject bogon-prefixes)");
	set_pfx(x, "fd00:1::/32");
	refused(x, REASON_NOT_GLOBAL, GUARD_BOGON_PREFIXES,
	    "fd00:1::/32 is outside global unicast space, 2000::/3 "
	    "(reject bogon-prefixes)");
	set_pfx(x, "192.0.2.0/24");
	refused(x, REASON_BOGON_PREFIX, GUARD_BOGON_PREFIXES,
	    "192.0.2.0/24 is special-purpose space: 192.0.2.0/24, "
	    "documentation (TEST-NET-1), RFC 5737 (reject bogon-prefixes)");
	x->f.lab = true;
	assert_int_equal(check(x), REASON_NONE);
	set_pfx(x, "10.1.0.0/16");
	assert_int_equal(check(x), REASON_BOGON_PREFIX);
}

/* `allow prefix-set` opens its set and nothing else. */
static void
test_allow(void **state)
{
	struct fix *x = *state;

	x->allow[0] = x->hole;
	x->f.allow = x->allow;
	x->f.nallow = 1;
	set_pfx(x, "100.70.0.0/16");
	assert_int_equal(check(x), REASON_NONE);
	set_pfx(x, "10.0.0.0/16");
	assert_int_equal(check(x), REASON_BOGON_PREFIX);
	x->allow[0] = NULL;
	set_pfx(x, "100.70.0.0/16");
	assert_int_equal(check(x), REASON_BOGON_PREFIX);
}

static void
test_own_prefixes(void **state)
{
	struct fix *x = *state;

	set_pfx(x, "179.191.160.0/20");
	refused(x, REASON_OWN_PREFIX, GUARD_OWN_PREFIXES,
	    "179.191.160.0/20 is inside our own set \"azion\" "
	    "(reject own-prefixes)");
	set_pfx(x, "179.191.175.0/24");
	assert_int_equal(check(x), REASON_OWN_PREFIX);
	set_pfx(x, "2804:1f4a:5::/48");
	assert_int_equal(check(x), REASON_OWN_PREFIX);
	set_pfx(x, "179.191.160.0/19");
	assert_int_equal(check(x), REASON_NONE);
	set_pfx(x, "179.191.160.0/20");
	x->f.own = NULL;
	assert_int_equal(check(x), REASON_NONE);
}

static void
test_bogon_asns(void **state)
{
	struct fix *x = *state;

	PATH(SEQ(PEER, 65001, CUSTOMER));
	refused(x, REASON_BOGON_ASN, GUARD_BOGON_ASNS,
	    "AS 65001 in the path is no public one: private "
	    "(reject bogon-asns)");
	PATH(SEQ(PEER, 23456));
	assert_int_equal(check(x), REASON_BOGON_ASN);
	PATH(SEQ(PEER, 0, CUSTOMER));
	assert_int_equal(check(x), REASON_BOGON_ASN);
	PATH(SEQ(PEER, 4294967295));
	assert_int_equal(check(x), REASON_BOGON_ASN);
	PATH(SEQ(PEER, 64500));
	assert_int_equal(check(x), REASON_BOGON_ASN);
	x->f.lab = true;
	assert_int_equal(check(x), REASON_NONE);
	PATH(SEQ(PEER, 65001));
	assert_int_equal(check(x), REASON_BOGON_ASN);
}

static void
test_first_as(void **state)
{
	struct fix *x = *state;

	PATH(SEQ(CUSTOMER, PEER));
	refused(x, REASON_FIRST_AS, GUARD_FIRST_AS,
	    "the path begins with AS 5511, the peer is AS 3215 "
	    "(require first-as)");
	x->a.as_path.len = 0;
	refused(x, REASON_FIRST_AS, GUARD_FIRST_AS,
	    "the path does not begin with an AS, the peer is AS 3215 "
	    "(require first-as)");
	PATH(SET(PEER));
	assert_int_equal(check(x), REASON_FIRST_AS);
}

static void
test_loop(void **state)
{
	struct fix *x = *state;

	PATH(SEQ(PEER, LOCAL, CUSTOMER));
	refused(x, REASON_LOOP, GUARD_LOOP,
	    "our own AS 52580 is in the path (loop)");
	x->f.internal = true;
	assert_int_equal(check(x), REASON_LOOP);
	PATH(SEQ(CUSTOMER));
	x->a.has |= 1u << HAS_ORIGINATOR_ID;
	x->a.originator_id = 78;
	assert_int_equal(check(x), REASON_NONE);
	x->a.originator_id = 77;
	assert_int_equal(check(x), REASON_LOOP);
	assert_int_equal(x->res.asn, 0);
	x->f.off = GUARD_BIT(GUARD_LOOP);
	assert_int_equal(check(x), REASON_NONE);
}

static void
test_as_set(void **state)
{
	struct fix *x = *state;

	PATH(SEQ(PEER), SET(CUSTOMER, 8220));
	refused(x, REASON_AS_SET, GUARD_AS_SET,
	    "the AS path contains an AS_SET (RFC 9774)");
}

static void
test_path_length(void **state)
{
	struct fix *x = *state;

	x->f.max_path = 3;
	PATH(SEQ(PEER, CUSTOMER, CUSTOMER));
	assert_int_equal(check(x), REASON_NONE);
	PATH(SEQ(PEER, CUSTOMER, CUSTOMER, CUSTOMER));
	refused(x, REASON_PATH_LENGTH, GUARD_PATH_LENGTH,
	    "the path has 4 ASes, at most 3 are taken (as-path-length)");
	x->f.max_path = 0;
	assert_int_equal(check(x), REASON_NONE);
}

static void
test_next_hop(void **state)
{
	struct fix *x = *state;

	addr_parse("194.2.0.3", &x->a.nexthop);
	refused(x, REASON_NEXT_HOP, GUARD_NEXT_HOP,
	    "next hop 194.2.0.3 is not the peer's address 194.2.0.1 "
	    "(require next-hop-is-peer)");
	set_pfx(x, "2a01:cb00::/29");
	addr_parse("2001:4860::3", &x->a.nexthop);
	refused(x, REASON_NEXT_HOP, GUARD_NEXT_HOP,
	    "next hop 2001:4860::3 is not the peer's address 2001:4860::1 "
	    "(require next-hop-is-peer)");
	/* The link-local half does not count. */
	set_pfx(x, "2a01:cb00::/29");
	addr_parse("fe80::9", &x->a.nexthop_ll);
	assert_int_equal(check(x), REASON_NONE);
	/* Nothing known of the peer in this family: nothing taken. */
	memset(&x->f.peer[FAM_INET6], 0, sizeof(struct addr));
	assert_int_equal(check(x), REASON_NEXT_HOP);
}

/* Some are never usable, guard or not, internal or not. */
static void
test_impossible_next_hop(void **state)
{
	static const char *const never[] = { "194.2.0.2", "2001:4860::2",
		"::ffff:194.2.0.1", "fe80::1" };
	struct fix *x = *state;
	char buf[256];
	size_t i;

	x->f.off = GUARD_BIT(GUARD_NEXT_HOP);
	for (i = 0; i < 8; i++) {
		x->f.internal = i >= 4;
		assert_true(addr_parse(never[i % 4], &x->a.nexthop));
		assert_int_equal(check(x), REASON_NEXT_HOP);
	}
	memset(&x->a.nexthop, 0, sizeof(x->a.nexthop));
	assert_int_equal(check(x), REASON_NEXT_HOP);
	import_print(&x->f, &x->pfx, &x->a, &x->res, buf, sizeof(buf));
	assert_string_equal(
	    buf, "next hop none is our own or no usable address");
}

/* The peer's own number is asked about once, by public-asn. */
static void
test_public_asn(void **state)
{
	struct fix *x = *state;

	x->f.peer_as = 65001;
	PATH(SEQ(65001, 65001, CUSTOMER));
	refused(x, REASON_PEER_ASN, GUARD_PUBLIC_ASN,
	    "the peer's AS 65001 is no public one: private "
	    "(require public-asn)");
	x->f.lab = true;
	assert_int_equal(check(x), REASON_PEER_ASN);
	x->f.peer_as = 64500;
	PATH(SEQ(64500, CUSTOMER));
	assert_int_equal(check(x), REASON_NONE);
	x->f.lab = false;
	assert_int_equal(check(x), REASON_PEER_ASN);
}

static void
test_irr(void **state)
{
	struct fix *x = *state;
	struct pfxset *small = pfxset_new("AS3215");

	x->f.irr = NULL;
	refused(x, REASON_NO_SET, GUARD_IRR,
	    "no filter is loaded for the peer (require irr)");
	x->f.irr = small;
	/* An empty set is one that was not loaded. */
	refused(x, REASON_NO_SET, GUARD_IRR,
	    "no filter is loaded for the peer (require irr)");
	add(small, "62.0.0.0/8", 8, 8);
	refused(x, REASON_NOT_IN_SET, GUARD_IRR,
	    "193.252.0.0/16 is not in the filter \"AS3215\" (require irr)");
	add(small, "193.252.0.0/15", 15, 15);
	refused(x, REASON_NOT_IN_SET, GUARD_IRR,
	    "193.252.0.0/16 is not in the filter \"AS3215\", nearest entry "
	    "193.252.0.0/15 (require irr)");
	add(small, "193.252.0.0/15", 16, 24);
	assert_int_equal(check(x), REASON_NONE);
	pfxset_add_origin(small, PEER);
	refused(x, REASON_ORIGIN_NOT_IN_SET, GUARD_IRR,
	    "origin AS 5511 is not in the filter \"AS3215\" (require irr)");
	pfxset_add_origin(small, CUSTOMER);
	assert_int_equal(check(x), REASON_NONE);
	pfxset_free(small);
}

static void
test_peer_lock(void **state)
{
	struct fix *x = *state;

	x->transit = asnset_new();
	asnset_add(x->transit, PEER);
	x->f.transit_free = x->transit;
	assert_int_equal(check(x), REASON_NONE); /* itself may */
	asnset_add(x->transit, CUSTOMER);
	refused(x, REASON_PEER_LOCK, GUARD_PEER_LOCK,
	    "AS 5511, a transit-free network, is in the path behind AS 3215 "
	    "(peer-lock)");
}

/* RFC 9234 5: every role of ours against a route with and without OTC. */
static void
test_otc(void **state)
{
	static const struct {
		uint8_t role;
		uint32_t otc; /* 0: none */
		uint16_t reason;
		uint32_t after;
	} t[] = {
		{ ROLE_NONE, 0, REASON_NONE, 0 },
		{ ROLE_NONE, 9, REASON_NONE, 9 },
		{ ROLE_PROVIDER, 0, REASON_NONE, 0 },
		{ ROLE_PROVIDER, PEER, REASON_OTC, 0 },
		{ ROLE_RS, 0, REASON_NONE, 0 },
		{ ROLE_RS, PEER, REASON_OTC, 0 },
		{ ROLE_PEER, 0, REASON_NONE, PEER },
		{ ROLE_PEER, PEER, REASON_NONE, PEER },
		{ ROLE_PEER, 9, REASON_OTC, 0 },
		{ ROLE_CUSTOMER, 0, REASON_NONE, PEER },
		{ ROLE_CUSTOMER, 9, REASON_NONE, 9 },
		{ ROLE_RS_CLIENT, 0, REASON_NONE, PEER },
		{ ROLE_RS_CLIENT, 9, REASON_NONE, 9 },
	};
	struct fix *x = *state;
	size_t i;

	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		x->f.role = t[i].role;
		x->a.otc = t[i].otc;
		x->a.has &= ~(1u << HAS_OTC);
		if (t[i].otc != 0)
			x->a.has |= 1u << HAS_OTC;
		if (t[i].reason != REASON_NONE) {
			refused(x, t[i].reason, GUARD_OTC,
			    t[i].otc == 9
				? "a leak: its Only to Customer attribute "
				  "names AS 9 (RFC 9234)"
				: "a leak: its Only to Customer attribute "
				  "names AS 3215 (RFC 9234)");
			continue;
		}
		assert_int_equal(check(x), REASON_NONE);
		assert_int_equal(x->res.attrs.otc, t[i].after);
		assert_int_equal(
		    (x->res.attrs.has >> HAS_OTC & 1) != 0, t[i].after != 0);
		assert_int_equal(
		    x->res.changed, t[i].otc == 0 && t[i].after != 0);
		x->f.off = GUARD_BIT(GUARD_OTC);
		check(x);
		assert_int_equal(x->res.attrs.otc, t[i].otc);
		x->f.off = 0;
		x->f.internal = true;
		check(x);
		assert_int_equal(x->res.attrs.otc, t[i].otc);
		x->f.internal = false;
	}
}

/*
 * A route that everything is wrong with: each guard that is switched off shows
 * the next one, in the order of interfaces.md 6.5.
 */
static void
test_order(void **state)
{
	static const struct {
		const char *pfx;
		uint16_t reason;
		enum guard off; /* then switched off */
	} t[] = {
		{ "10.0.0.128/25", REASON_LENGTH, GUARD_MAX_LENGTH },
		{ "0.0.0.0/0", REASON_DEFAULT_ROUTE, GUARD_DEFAULT_ROUTE },
		{ "10.0.0.128/25", REASON_BOGON_PREFIX, GUARD_BOGON_PREFIXES },
		{ "10.0.0.128/25", REASON_OWN_PREFIX, GUARD_OWN_PREFIXES },
		{ "10.0.0.128/25", REASON_BOGON_ASN, GUARD_BOGON_ASNS },
		{ "10.0.0.128/25", REASON_FIRST_AS, GUARD_FIRST_AS },
		{ "10.0.0.128/25", REASON_LOOP, GUARD_LOOP },
		{ "10.0.0.128/25", REASON_AS_SET, GUARD_AS_SET },
		{ "10.0.0.128/25", REASON_PATH_LENGTH, GUARD_PATH_LENGTH },
		{ "10.0.0.128/25", REASON_NEXT_HOP, GUARD_NEXT_HOP },
		{ "10.0.0.128/25", REASON_PEER_ASN, GUARD_PUBLIC_ASN },
		{ "10.0.0.128/25", REASON_NO_SET, GUARD_IRR },
		{ "10.0.0.128/25", REASON_PEER_LOCK, GUARD_PEER_LOCK },
		{ "10.0.0.128/25", REASON_OTC, GUARD_OTC },
		{ "10.0.0.128/25", REASON_NO_RULE, GUARD_NONE },
	};
	struct fix *x = *state;
	size_t i;

	add(x->own, "0.0.0.0/0", 0, 32);
	x->f.peer_as = 65002;
	x->f.irr = NULL;
	x->f.policy = NULL;
	x->f.max_path = 2;
	x->f.role = ROLE_PROVIDER;
	x->a.has |= 1u << HAS_OTC;
	x->transit = asnset_new();
	asnset_add(x->transit, CUSTOMER);
	x->f.transit_free = x->transit;
	PATH(SEQ(CUSTOMER, 65001, LOCAL), SET(1, 2));
	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		set_pfx(x, t[i].pfx);
		addr_parse("194.2.0.9", &x->a.nexthop);
		assert_int_equal(check(x), t[i].reason);
		assert_int_equal(x->res.guard, t[i].off);
		x->f.off |= GUARD_BIT(t[i].off);
	}
}

static void
test_rules(void **state)
{
	struct fix *x = *state;
	struct rule_match no = { .type = MATCH_FAMILY, .fam = FAM_INET6 };
	struct rule_action pref = { .type = ACT_LOCAL_PREF, .n = 200 };
	struct rule_action prep = { .type = ACT_PREPEND, .n = 1 };
	char buf[256];

	policy_add_action(x->rule, &pref);
	policy_add_action(x->rule, &prep);
	assert_int_equal(check(x), REASON_NONE);
	assert_true(x->res.changed);
	assert_int_equal(x->res.attrs.local_pref, 200);
	aspath_print(x->res.attrs.as_path, buf, sizeof(buf));
	assert_string_equal(buf, "3215 3215 5511");
	assert_int_equal(x->a.as_path.len, 10);

	x->rule->verdict = RULE_REJECT;
	assert_int_equal(check(x), REASON_RULE);
	assert_ptr_equal(x->res.rule, x->rule);
	assert_int_equal(x->res.guard, GUARD_NONE);
	import_print(&x->f, &x->pfx, &x->a, &x->res, buf, sizeof(buf));
	assert_string_equal(
	    buf, "rule \"rest\" of policy \"isp-in\" rejects it (a.conf:9)");

	policy_add_match(x->rule, &no);
	assert_int_equal(check(x), REASON_NO_RULE);
	import_print(&x->f, &x->pfx, &x->a, &x->res, buf, sizeof(buf));
	assert_string_equal(
	    buf, "no rule of policy \"isp-in\" matches (RFC 8212)");

	/* RFC 8212: without a policy nothing of an external peer. */
	x->f.policy = NULL;
	assert_int_equal(check(x), REASON_NO_RULE);
	import_print(&x->f, &x->pfx, &x->a, &x->res, buf, sizeof(buf));
	assert_string_equal(
	    buf, "the neighbor has no import policy (RFC 8212)");
	x->f.internal = true;
	assert_int_equal(check(x), REASON_NONE);
}

/* What OTC added does not outlive a refusal by a rule. */
static void
test_refused_is_as_given(void **state)
{
	struct fix *x = *state;

	x->f.role = ROLE_PEER;
	x->rule->verdict = RULE_REJECT;
	assert_int_equal(check(x), REASON_RULE);
	assert_false(x->res.changed);
	assert_memory_equal(&x->res.attrs, &x->a, sizeof(x->a));
}

static void
test_gshut(void **state)
{
	static const uint8_t comm[] = { 0xff, 0xff, 0, 0 };
	struct rule_action pref = { .type = ACT_LOCAL_PREF, .n = 200 };
	struct rule_action del = { .type = ACT_COMM_DELETE,
		.comm = { .v = { COMM_GRACEFUL_SHUTDOWN } } };
	struct fix *x = *state;

	policy_add_action(x->rule, &pref);
	policy_add_action(x->rule, &del);
	x->a.comms = (struct octets){ comm, sizeof(comm) };
	assert_int_equal(check(x), REASON_NONE);
	assert_int_equal(x->res.attrs.local_pref, 200);
	x->f.honour_gshut = true;
	assert_int_equal(check(x), REASON_NONE);
	assert_int_equal(x->res.attrs.local_pref, 0);
	assert_true(x->res.attrs.has & 1u << HAS_LOCAL_PREF);
	/* Not the neighbor's weight, which is looked at before. */
	assert_int_equal(x->res.attrs.weight, 0 + 1);
	assert_int_equal(x->res.last, IMPORT_LAST_GSHUT);
	assert_true(x->res.changed);
	x->a.comms.len = 0;
	assert_int_equal(check(x), REASON_NONE);
	assert_int_equal(x->res.attrs.local_pref, 200);
	assert_int_equal(x->res.last, IMPORT_LAST_NO);
}

/* All routes of a drained neighbor, of an internal one too; no refused one. */
static void
test_drained(void **state)
{
	struct rule_action pref = { .type = ACT_LOCAL_PREF, .n = 200 };
	struct fix *x = *state;

	policy_add_action(x->rule, &pref);
	x->f.drained = true;
	assert_int_equal(check(x), REASON_NONE);
	assert_int_equal(x->res.attrs.local_pref, 0);
	assert_int_equal(x->res.attrs.weight, 0 + 1);
	assert_int_equal(x->res.last, IMPORT_LAST_DRAIN);
	x->f.internal = true;
	assert_int_equal(check(x), REASON_NONE);
	assert_int_equal(x->res.attrs.local_pref, 0);
	x->rule->verdict = RULE_REJECT;
	assert_int_equal(check(x), REASON_RULE);
	assert_int_equal(x->res.last, IMPORT_LAST_NO);
	assert_false(x->res.changed);
}

/* A message's prefixes: what one is refused for says nothing of the next. */
static void
test_run(void **state)
{
	struct fix *x = *state;
	const struct import_result *first, *res;
	struct import_run r;
	struct pfx good = x->pfx;

	import_begin(&r, &x->f, &x->a, &x->arena);
	first = import_next(&r, &x->pfx);
	assert_int_equal(first->reason, REASON_NONE);
	set_pfx(x, "10.0.0.0/24");
	assert_int_equal(import_next(&r, &x->pfx)->reason, REASON_BOGON_PREFIX);
	set_pfx(x, "193.0.0.0/25");
	assert_int_equal(import_next(&r, &x->pfx)->reason, REASON_LENGTH);
	res = import_next(&r, &good);
	assert_int_equal(res->reason, REASON_NONE);
	assert_ptr_equal(res->rule, x->rule);
	assert_false(r.each);

	/* Guards of the prefix that stand in front still have the word. */
	PATH(SEQ(PEER, LOCAL, CUSTOMER));
	import_begin(&r, &x->f, &x->a, &x->arena);
	assert_int_equal(import_next(&r, &x->pfx)->reason, REASON_LENGTH);
	res = import_next(&r, &good);
	assert_int_equal(res->reason, REASON_LOOP);
	assert_int_equal(res->asn, LOCAL);
	/* And those behind it have not. */
	x->f.irr = NULL;
	assert_int_equal(import_next(&r, &good)->reason, REASON_LOOP);
}

/* Rules that look at the prefix are run for each. */
static void
test_run_each(void **state)
{
	struct fix *x = *state;
	struct rule_match m = { .type = MATCH_PREFIX_IN, .set = x->hole };
	struct rule_action add_one = { .type = ACT_COMM_ADD,
		.comm = { .v = { 1 } } };
	struct import_run r;
	struct pfx good = x->pfx, other;
	const uint8_t *comms;

	add(x->hole, "193.252.0.0/16", 16, 24);
	assert_true(pfx_parse("193.253.0.0/16", &other));
	policy_add_match(x->rule, &m);
	import_begin(&r, &x->f, &x->a, &x->arena);
	assert_int_equal(import_next(&r, &good)->reason, REASON_NONE);
	assert_int_equal(import_next(&r, &other)->reason, REASON_NO_RULE);
	assert_true(r.each);
	assert_int_equal(import_next(&r, &good)->reason, REASON_NONE);
	/* A message has thousands of them, and one memory for what is set. */
	policy_add_action(x->rule, &add_one);
	import_begin(&r, &x->f, &x->a, &x->arena);
	comms = import_next(&r, &good)->attrs.comms.p;
	for (int i = 0; i < 3; i++)
		assert_ptr_equal(import_next(&r, &good)->attrs.comms.p, comms);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_good),
		T(test_max_length),
		T(test_default_route),
		T(test_bogon_prefixes),
		T(test_allow),
		T(test_own_prefixes),
		T(test_bogon_asns),
		T(test_first_as),
		T(test_loop),
		T(test_as_set),
		T(test_path_length),
		T(test_next_hop),
		T(test_impossible_next_hop),
		T(test_public_asn),
		T(test_irr),
		T(test_peer_lock),
		T(test_otc),
		T(test_order),
		T(test_rules),
		T(test_refused_is_as_given),
		T(test_gshut),
		T(test_drained),
		T(test_run),
		T(test_run_each),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
