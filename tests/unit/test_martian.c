#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "policy/martian.h"
#include "policy/reason.h"

struct row {
	const char *pfx;
	const char *by; /* the block that refuses it, NULL: none */
	bool lab; /* still refused in a lab */
};

/* clang-format off */
static const struct row rows[] = {
	/* Global space, the neighbours of each block among it. */
	{ "0.0.0.0/0", NULL, false },
	{ "::/0", NULL, false },
	{ "1.0.0.0/8", NULL, false },
	{ "8.8.8.0/24", NULL, false },
	{ "9.0.0.0/8", NULL, false },
	{ "11.0.0.0/8", NULL, false },
	{ "100.63.0.0/16", NULL, false },
	{ "100.128.0.0/9", NULL, false },
	{ "128.0.0.0/8", NULL, false },
	{ "169.253.0.0/16", NULL, false },
	{ "172.15.0.0/16", NULL, false },
	{ "172.32.0.0/11", NULL, false },
	{ "192.0.1.0/24", NULL, false },
	{ "192.0.3.0/24", NULL, false },
	{ "192.31.196.0/24", NULL, false }, /* AS112, globally reachable */
	{ "192.167.0.0/16", NULL, false },
	{ "198.17.0.0/16", NULL, false },
	{ "198.20.0.0/14", NULL, false },
	{ "223.0.0.0/8", NULL, false },
	{ "192.0.0.9/32", NULL, false },
	{ "192.0.0.10/32", NULL, false },
	{ "2001:200::/23", NULL, false },
	{ "2001:4860::/32", NULL, false },
	{ "2001:db9::/32", NULL, false },
	{ "2003::/16", NULL, false },
	{ "2620:4f:8000::/48", NULL, false }, /* AS112 */
	{ "2a00::/16", NULL, false },
	{ "3ffd::/16", NULL, false },
	{ "2001:4:112::/48", NULL, false },
	{ "2001:3:1::/48", NULL, false },
	{ "2001:20::/28", NULL, false },
	{ "2001:30:8000::/33", NULL, false },
	/* A covering prefix is not refused for what is inside it ... */
	{ "192.0.0.0/16", NULL, false },
	{ "172.0.0.0/8", NULL, false },
	{ "2001::/16", NULL, false },
	/* ... unless no registry ever gave out so much. */
	{ "0.0.0.0/1", "0.0.0.0/8", true },
	{ "128.0.0.0/1", "169.254.0.0/16", true },
	{ "10.0.0.0/7", "10.0.0.0/8", true },
	{ "2000::/3", "2001::/32", true },
	{ "3000::/4", "3ffe::/16", true },
	{ "2000::/4", "2001::/32", true },
	{ "96.0.0.0/3", "100.64.0.0/10", true },
	{ "64.0.0.0/3", NULL, false },
	{ "200.0.0.0/5", NULL, false },
	/* Special-purpose space, first and last of each block. */
	{ "0.0.0.0/8", "0.0.0.0/8", true },
	{ "0.255.255.0/24", "0.0.0.0/8", true },
	{ "10.0.0.0/8", "10.0.0.0/8", true },
	{ "10.255.255.255/32", "10.0.0.0/8", true },
	{ "100.64.0.0/10", "100.64.0.0/10", true },
	{ "100.127.255.0/24", "100.64.0.0/10", true },
	{ "127.0.0.0/24", "127.0.0.0/8", true },
	{ "169.254.0.0/16", "169.254.0.0/16", true },
	{ "172.16.0.0/12", "172.16.0.0/12", true },
	{ "172.31.255.0/24", "172.16.0.0/12", true },
	{ "192.0.0.0/24", "192.0.0.0/24", true },
	{ "192.0.0.8/32", "192.0.0.0/24", true },
	{ "192.88.99.0/24", "192.88.99.0/24", true },
	{ "192.168.255.0/24", "192.168.0.0/16", true },
	{ "198.18.0.0/15", "198.18.0.0/15", true },
	{ "198.19.255.0/24", "198.18.0.0/15", true },
	{ "224.0.0.0/4", "224.0.0.0/4", true },
	{ "239.255.255.255/32", "224.0.0.0/4", true },
	{ "240.0.0.0/4", "240.0.0.0/4", true },
	{ "255.255.255.255/32", "240.0.0.0/4", true },
	{ "::/128", "2000::/3", true },
	{ "::1/128", "2000::/3", true },
	{ "::/3", "2000::/3", true },
	{ "::/1", "2000::/3", true },
	{ "::/2", "2000::/3", true },
	{ "64:ff9b::/96", "2000::/3", true },
	{ "100::/64", "2000::/3", true },
	{ "1fff::/16", "2000::/3", true },
	{ "4000::/16", "2000::/3", true },
	{ "5f00::/16", "2000::/3", true },
	{ "fc00::/7", "2000::/3", true },
	{ "fe80::/10", "2000::/3", true },
	{ "ff00::/8", "2000::/3", true },
	{ "2001::/32", "2001::/32", true },
	{ "2001:0:ffff::/48", "2001::/32", true },
	{ "2001:2::/48", "2001:2::/48", true },
	{ "2001:2:1::/48", "2001::/23", true },
	{ "2001:10::/28", "2001:10::/28", true },
	{ "2001:1f:ffff::/48", "2001:10::/28", true },
	{ "2001:1ff::/32", "2001::/23", true },
	{ "2001::/23", "2001::/23", true },
	{ "2002::/16", "2002::/16", true },
	{ "2002:102:304::/48", "2002::/16", true },
	{ "3ffe::/16", "3ffe::/16", true },
	/* Documentation: open in a lab. */
	{ "192.0.2.0/24", "192.0.2.0/24", false },
	{ "192.0.2.128/25", "192.0.2.0/24", false },
	{ "198.51.100.0/24", "198.51.100.0/24", false },
	{ "203.0.113.0/24", "203.0.113.0/24", false },
	{ "2001:db8::/32", "2001:db8::/32", false },
	{ "2001:db8:ffff::/48", "2001:db8::/32", false },
	{ "3fff::/20", "3fff::/20", false },
	{ "3fff:fff::/32", "3fff::/20", false },
	{ "3fff:1000::/20", NULL, false },
};
/* clang-format on */

static void
test_prefixes(void **state)
{
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct martian *m;
		struct pfx p;

		assert_true(pfx_parse(rows[i].pfx, &p));
		m = martian_find(&p, false);
		if ((m == NULL) != (rows[i].by == NULL))
			fail_msg("%s: %s", rows[i].pfx,
			    m != NULL ? m->prefix : "let through");
		if (m != NULL) {
			assert_string_equal(m->prefix, rows[i].by);
			assert_int_equal(m->reason,
			    strcmp(m->prefix, "2000::/3") == 0
				? REASON_NOT_GLOBAL
				: REASON_BOGON_PREFIX);
			assert_true(strncmp(m->rfc, "RFC ", 4) == 0);
		}
		if ((martian_find(&p, true) != NULL) != rows[i].lab)
			fail_msg("%s in a lab", rows[i].pfx);
	}
}

/*
 * Every row of the two special-purpose address registries, as IANA had them
 * on 2025-10-09, with "Globally Reachable" (N/A and empty count as no), and
 * the multicast space; `long` ones are global, but no route for any table.
 */
static const struct registry {
	const char *block;
	enum {
		NO,
		YES,
		LONG
	} global;
} registry[] = {
	/* clang-format off */
	{ "0.0.0.0/8", NO }, { "0.0.0.0/32", NO }, { "10.0.0.0/8", NO },
	{ "100.64.0.0/10", NO }, { "127.0.0.0/8", NO },
	{ "169.254.0.0/16", NO }, { "172.16.0.0/12", NO },
	{ "192.0.0.0/24", NO }, { "192.0.0.0/29", NO }, { "192.0.0.8/32", NO },
	{ "192.0.0.9/32", YES }, { "192.0.0.10/32", YES },
	{ "192.0.0.170/32", NO }, { "192.0.0.171/32", NO },
	{ "192.0.2.0/24", NO }, { "192.31.196.0/24", YES },
	{ "192.52.193.0/24", YES }, { "192.88.99.0/24", NO },
	{ "192.88.99.2/32", NO }, { "192.168.0.0/16", NO },
	{ "192.175.48.0/24", YES }, { "198.18.0.0/15", NO },
	{ "198.51.100.0/24", NO }, { "203.0.113.0/24", NO },
	{ "240.0.0.0/4", NO }, { "255.255.255.255/32", NO },
	{ "224.0.0.0/4", NO },
	{ "::1/128", NO }, { "::/128", NO }, { "::ffff:0:0/96", NO },
	{ "64:ff9b::/96", LONG }, { "64:ff9b:1::/48", NO }, { "100::/64", NO },
	{ "100:0:0:1::/64", NO }, { "2001::/23", NO }, { "2001::/32", NO },
	{ "2001:1::1/128", LONG }, { "2001:1::2/128", LONG },
	{ "2001:1::3/128", LONG }, { "2001:2::/48", NO },
	{ "2001:3::/32", YES }, { "2001:4:112::/48", YES },
	{ "2001:10::/28", NO }, { "2001:20::/28", YES },
	{ "2001:30::/28", YES }, { "2001:db8::/32", NO }, { "2002::/16", NO },
	{ "2620:4f:8000::/48", YES }, { "3fff::/20", NO }, { "5f00::/16", NO },
	{ "fc00::/7", NO }, { "fe80::/10", NO }, { "ff00::/8", NO },
	/* clang-format on */
};

/* The block, and its first and last address. */
static void
test_registries(void **state)
{
	for (size_t i = 0; i < sizeof(registry) / sizeof(registry[0]); i++) {
		const struct registry *r = &registry[i];
		struct pfx block, one;

		assert_true(pfx_parse(r->block, &block));
		one = block;
		one.len = (uint8_t)fam_bits((enum fam)block.addr.fam);
		if ((martian_find(&block, false) == NULL) != (r->global == YES))
			fail_msg("%s", r->block);
		/* 192.0.0.0/24 and 2001::/23 begin and end with no hole. */
		if ((martian_find(&one, false) == NULL) != (r->global == YES))
			fail_msg("%s: its first address", r->block);
		for (unsigned int b = block.len; b < one.len; b++)
			one.addr.o[b / 8] |= (uint8_t)(0x80u >> b % 8);
		if ((martian_find(&one, false) == NULL) != (r->global == YES))
			fail_msg("%s: its last address", r->block);
	}
	assert_non_null(strstr(martian_dates(), "2025-10-09"));
}

static void
test_asns(void **state)
{
	/* clang-format off */
	static const struct {
		uint32_t as;
		enum martian_asn what;
	} t[] = {
		{ 0, ASN_ZERO }, { 1, ASN_PUBLIC }, { 112, ASN_PUBLIC },
		{ 23455, ASN_PUBLIC }, { 23456, ASN_TRANS },
		{ 23457, ASN_PUBLIC }, { 52580, ASN_PUBLIC },
		{ 64495, ASN_PUBLIC }, { 64496, ASN_DOCUMENTATION },
		{ 64511, ASN_DOCUMENTATION }, { 64512, ASN_PRIVATE },
		{ 65534, ASN_PRIVATE }, { 65535, ASN_RESERVED },
		{ 65536, ASN_DOCUMENTATION }, { 65551, ASN_DOCUMENTATION },
		{ 65552, ASN_RESERVED }, { 131071, ASN_RESERVED },
		{ 131072, ASN_PUBLIC }, { 4199999999, ASN_PUBLIC },
		{ 4200000000, ASN_PRIVATE }, { 4294967294, ASN_PRIVATE },
		{ 4294967295, ASN_RESERVED },
	};
	/* clang-format on */
	size_t i;

	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		assert_int_equal(martian_asn(t[i].as), t[i].what);
		assert_int_equal(
		    martian_asn_ok(t[i].as, false), t[i].what == ASN_PUBLIC);
		assert_int_equal(martian_asn_ok(t[i].as, true),
		    t[i].what == ASN_PUBLIC || t[i].what == ASN_DOCUMENTATION);
	}
	assert_string_equal(martian_asn_name(ASN_PRIVATE), "private");
	assert_string_equal(martian_asn_name(ASN_RESERVED), "reserved");
	assert_non_null(strstr(martian_dates(), "IANA"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_prefixes),
		cmocka_unit_test(test_registries),
		cmocka_unit_test(test_asns),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
