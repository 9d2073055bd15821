#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "lib/addr.h"
#include "tests/unit/text.h"

static void
test_text(void **state)
{
	static const struct {
		const char *in, *out; /* NULL: refused */
	} row[] = {
		{ "0.0.0.0", "0.0.0.0" },
		{ "255.255.255.255", "255.255.255.255" },
		{ "2001:DB8:0:0:1:0:0:1", "2001:db8::1:0:0:1" },
		{ "2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1" },
		{ "::", "::" },
		{ "::1", "::1" },
		{ "::ffff:192.0.2.1", "::ffff:192.0.2.1" },
		{ "fe80::1", "fe80::1" },
		{ "", NULL },
		{ "1.2.3", NULL },
		{ "1.2.3.4.5", NULL },
		{ "1.2.3.256", NULL },
		{ "01.2.3.4", NULL },
		{ " 1.2.3.4", NULL },
		{ "1.2.3.4 ", NULL },
		{ "1.2.3.4/8", NULL },
		{ "fe80::1%eth0", NULL },
		{ "[::1]", NULL },
		{ "1::2::3", NULL },
		{ "12345::", NULL },
		{ "none", NULL },
	};
	char b[ADDR_STRLEN];
	struct addr a;

	for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
		assert_int_equal(addr_parse(row[i].in, &a), row[i].out != NULL);
		if (row[i].out != NULL)
			assert_string_equal(
			    addr_print(&a, b, sizeof b), row[i].out);
	}
}

static void
test_print_edges(void **state)
{
	struct addr none = { 0 };
	struct addr v6 = A("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
	char b[ADDR_STRLEN];

	assert_string_equal(addr_print(&none, b, sizeof b), "none");
	assert_string_equal(addr_print(&none, b, 3), "no");
	assert_string_equal(addr_print(&v6, b, 39), "");
	assert_int_equal(strlen(addr_print(&v6, b, sizeof b)), 39);
	b[0] = 'x';
	addr_print(&v6, b, 0);
	assert_int_equal(b[0], 'x');
}

static void
test_values(void **state)
{
	struct addr a = addr_v4(0xc0000201), b;

	assert_true(addr_to_v4(&a) == 0xc0000201);
	b = A("192.0.2.1");
	assert_true(addr_eq(&a, &b));
	assert_memory_equal(&a, &b, sizeof a);
	/* What was there before does not shine through. */
	memset(&b, 0xff, sizeof b);
	addr_set(&b, FAM_INET, "\xc0\0\2\1");
	assert_memory_equal(&a, &b, sizeof a);
	assert_int_equal(fam_bits(FAM_INET), 32);
	assert_int_equal(fam_bits(FAM_INET6), 128);
	assert_int_equal(fam_bits(FAM_NONE), 0);
	assert_string_equal(fam_name(FAM_INET), "IPv4 unicast");
	assert_string_equal(fam_name(FAM_INET6), "IPv6 unicast");
	assert_string_equal(fam_name(FAM_N), "unknown");
}

static void
test_order(void **state)
{
	static const char *const up[] = { "0.0.0.0", "9.255.255.255",
		"10.0.0.0", "128.0.0.0", "255.0.0.0", "::", "::1",
		"7fff::", "8000::", "ffff::" };
	size_t n = sizeof up / sizeof up[0];

	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < n; j++) {
			struct addr a = A(up[i]), b = A(up[j]);
			int c = addr_cmp(&a, &b);

			assert_int_equal(c < 0, i < j);
			assert_int_equal(c == 0, i == j);
		}
}

enum {
	UNSPEC = 1,
	LOOP = 2,
	MULTI = 4,
	LINK = 8,
	MAPPED = 16,
	HOST = 32
};

static void
test_kinds(void **state)
{
	static const struct {
		const char *a;
		unsigned int kind;
	} row[] = {
		{ "0.0.0.0", UNSPEC },
		{ "0.1.2.3", 0 },
		{ "1.0.0.0", HOST },
		{ "126.255.255.255", HOST },
		{ "127.0.0.0", LOOP },
		{ "127.255.255.255", LOOP },
		{ "128.0.0.0", HOST },
		{ "169.253.255.255", HOST },
		{ "169.254.0.1", LINK | HOST },
		{ "169.255.0.0", HOST },
		{ "223.255.255.255", HOST },
		{ "224.0.0.0", MULTI },
		{ "239.255.255.255", MULTI },
		{ "240.0.0.1", 0 },
		{ "255.255.255.255", 0 },
		{ "::", UNSPEC },
		{ "::1", LOOP },
		{ "::2", HOST },
		{ "::ffff:10.0.0.1", MAPPED | HOST },
		{ "::fffe:10.0.0.1", HOST },
		{ "fe7f::1", HOST },
		{ "fe80::1", LINK | HOST },
		{ "febf::1", LINK | HOST },
		{ "fec0::1", HOST },
		{ "feff::1", HOST },
		{ "ff00::", MULTI },
		{ "ff02::1", MULTI },
		{ "2001:db8::1", HOST },
	};

	for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
		struct addr a = A(row[i].a);
		unsigned int k = 0;

		k |= addr_is_unspecified(&a) ? UNSPEC : 0;
		k |= addr_is_loopback(&a) ? LOOP : 0;
		k |= addr_is_multicast(&a) ? MULTI : 0;
		k |= addr_is_linklocal(&a) ? LINK : 0;
		k |= addr_is_v4mapped(&a) ? MAPPED : 0;
		k |= addr_is_host(&a) ? HOST : 0;
		if (k != row[i].kind)
			fail_msg("%s: %u", row[i].a, k);
	}
}

static void
test_none_is_nothing(void **state)
{
	struct addr a = { 0 };

	assert_false(addr_is_unspecified(&a) || addr_is_loopback(&a) ||
	    addr_is_multicast(&a) || addr_is_linklocal(&a) ||
	    addr_is_v4mapped(&a) || addr_is_host(&a));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_print_edges),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_none_is_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
