#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "lib/pfx.h"
#include "tests/unit/text.h"

static void
test_text(void **state)
{
	static const struct {
		const char *in, *strict, *loose; /* NULL: refused */
	} row[] = {
		{ "0.0.0.0/0", "0.0.0.0/0", "0.0.0.0/0" },
		{ "192.0.2.0/24", "192.0.2.0/24", "192.0.2.0/24" },
		{ "192.0.2.1/32", "192.0.2.1/32", "192.0.2.1/32" },
		{ "192.0.2.1/24", NULL, "192.0.2.0/24" },
		{ "192.0.2.255/25", NULL, "192.0.2.128/25" },
		{ "255.255.255.255/0", NULL, "0.0.0.0/0" },
		{ "::/0", "::/0", "::/0" },
		{ "2001:db8::1/128", "2001:db8::1/128", "2001:db8::1/128" },
		{ "2001:db8::ffff/113", NULL, "2001:db8::8000/113" },
		{ "2001:db8::1/127", NULL, "2001:db8::/127" },
		{ "192.0.2.0/33", NULL, NULL },
		{ "2001:db8::/129", NULL, NULL },
		{ "192.0.2.0", NULL, NULL },
		{ "192.0.2.0/", NULL, NULL },
		{ "/24", NULL, NULL },
		{ "192.0.2.0/024", NULL, NULL },
		{ "192.0.2.0/00", NULL, NULL },
		{ "192.0.2.0/+24", NULL, NULL },
		{ "192.0.2.0/-1", NULL, NULL },
		{ "192.0.2.0/24x", NULL, NULL },
		{ "192.0.2.0/24/24", NULL, NULL },
		{ "192.0.2.0 /24", NULL, NULL },
		{ "192.0.2.0/4294967320", NULL, NULL },
		{ "192.0.2.0/18446744073709551640", NULL, NULL },
		{ "0000:0000:0000:0000:0000:0000:000.000.000.000:0000/0", NULL,
		    NULL },
		{ "", NULL, NULL },
	};
	char b[PFX_STRLEN];
	struct pfx p;

	for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
		if (pfx_parse(row[i].in, &p) != (row[i].strict != NULL))
			fail_msg("strict %s", row[i].in);
		if (row[i].strict != NULL)
			assert_string_equal(
			    pfx_print(&p, b, sizeof b), row[i].strict);
		if (pfx_parse_loose(row[i].in, &p) != (row[i].loose != NULL))
			fail_msg("loose %s", row[i].in);
		if (row[i].loose != NULL)
			assert_string_equal(
			    pfx_print(&p, b, sizeof b), row[i].loose);
	}
}

/* Each length of both families against a bit by bit twin. */
static void
test_make(void **state)
{
	for (enum fam f = FAM_INET; f <= FAM_INET6; f++)
		for (unsigned int len = 0; len <= fam_bits(f); len++) {
			struct addr ones = { .fam = (uint8_t)f }, want = ones;
			struct pfx p, q;

			memset(ones.o, 0xff, fam_bits(f) / 8);
			for (unsigned int i = 0; i < len; i++)
				want.o[i / 8] |= (uint8_t)(0x80 >> i % 8);
			assert_true(pfx_make(&p, &ones, len));
			assert_true(addr_eq(&p.addr, &want));
			assert_int_equal(p.len, len);
			assert_true(pfx_has(&p, &ones));
			assert_int_equal(pfx_is_default(&p), len == 0);
			/* The last bit that counts, and the first that does
			 * not. */
			if (len > 0) {
				want = ones;
				want.o[(len - 1) / 8] ^=
				    (uint8_t)(0x80 >> (len - 1) % 8);
				assert_false(pfx_has(&p, &want));
			}
			if (len < fam_bits(f)) {
				want = ones;
				want.o[len / 8] ^= (uint8_t)(0x80 >> len % 8);
				assert_true(pfx_has(&p, &want));
				assert_true(pfx_make(&q, &ones, len + 1));
				assert_true(pfx_covers(&p, &q));
				assert_false(pfx_covers(&q, &p));
				assert_true(pfx_cmp(&p, &q) < 0);
				assert_true(pfx_cmp(&q, &p) > 0);
			}
			assert_true(pfx_covers(&p, &p));
		}
}

static void
test_make_refuses(void **state)
{
	struct addr none = { 0 }, v4 = addr_v4(0);
	struct pfx p;

	assert_false(pfx_make(&p, &none, 0));
	assert_false(pfx_make(&p, &v4, 33));
	assert_false(pfx_make(&p, &v4, 256));
}

static void
test_families_apart(void **state)
{
	struct pfx v4 = P("0.0.0.0/0"), v6 = P("::/0"), none = { 0 };

	assert_false(pfx_covers(&v4, &v6) || pfx_covers(&v6, &v4));
	assert_false(pfx_has(&v6, &v4.addr));
	assert_false(pfx_eq(&v4, &v6));
	assert_true(pfx_cmp(&v4, &v6) < 0);
	assert_true(pfx_is_default(&v4) && pfx_is_default(&v6));
	assert_false(pfx_is_default(&none));
}

static void
test_order(void **state)
{
	static const char *const up[] = { "0.0.0.0/0", "10.0.0.0/8",
		"10.0.0.0/9", "10.0.0.0/32", "10.0.0.1/32", "10.128.0.0/9",
		"11.0.0.0/8", "::/0", "::/128", "8000::/1" };
	size_t n = sizeof up / sizeof up[0];

	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < n; j++) {
			struct pfx a = P(up[i]), b = P(up[j]);
			int c = pfx_cmp(&a, &b);

			assert_int_equal(c < 0, i < j);
			assert_int_equal(pfx_eq(&a, &b), i == j);
		}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_make),
		cmocka_unit_test(test_make_refuses),
		cmocka_unit_test(test_families_apart),
		cmocka_unit_test(test_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
