#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/asregex.h"

/* A path of these numbers, separated by spaces. */
static struct octets
path(const char *text, uint8_t *buf)
{
	uint8_t n = 0, *p = buf + 2;
	char *end;

	while (*text != '\0') {
		uint32_t as = (uint32_t)strtoul(text, &end, 10);

		for (int i = 0; i < 4; i++)
			*p++ = (uint8_t)(as >> (24 - 8 * i));
		n++;
		text = end;
		while (*text == ' ')
			text++;
	}
	buf[0] = SEG_SEQUENCE;
	buf[1] = n;
	return (struct octets){ buf, n == 0 ? 0 : (uint16_t)(2 + 4 * n) };
}

static bool
match(const char *re, const char *text)
{
	const char *why = NULL;
	uint8_t buf[2 + 4 * 255];
	size_t at = 0;
	struct asregex *r = asregex_new(re, &why, &at);
	bool yes;

	if (r == NULL)
		print_error("%s: %s at %zu\n", re, why, at);
	assert_non_null(r);
	yes = asregex_match(r, path(text, buf));
	asregex_free(r);
	return yes;
}

static void
test_matches(void **state)
{
	static const struct {
		const char *re, *path;
		bool yes;
	} row[] = {
		{ "_(64496|64497)_", "1 64497 2", true },
		{ "_(64496|64497)_", "1 64498 2", false },
		{ "_(64496|64497)_", "64496", true },
		{ "64496", "164496 64496", true },
		{ "4496", "64496", false },
		{ "^64500_64510_", "64500 64510 7", true },
		{ "^64500_64510_", "64500 7 64510", false },
		{ "^64500_64510_", "7 64500 64510", false },
		{ "^64500_.*_7$", "64500 7", true },
		{ "^64500_.*_7$", "64500 1 2 3 7", true },
		{ "^64500_.*_7$", "64500 1 7 3", false },
		{ "^1+$", "1 1 1", true },
		{ "^1+$", "1 1 2", false },
		{ "^1+$", "", false },
		{ "^1?2$", "2", true },
		{ "^1?2$", "1 2", true },
		{ "^1?2$", "1 1 2", false },
		{ "^$", "", true },
		{ "^$", "1", false },
		{ "", "1", true },
		{ "^.$", "1", true },
		{ "^.$", "1 2", false },
		{ "[64512-65534]", "1 65000", true },
		{ "[64512-65534]", "1 64511 65535", false },
		{ "^[1 3-5]+$", "1 4 5", true },
		{ "^[1 3-5]+$", "1 2 5", false },
		{ "^(1|2 3)*4$", "1 2 3 1 4", true },
		{ "^(1|2 3)*4$", "1 2 1 4", false },
		{ "(^1|2$)", "9 2", true },
		{ "(^1|2$)", "1 9", true },
		{ "(^1|2$)", "9 1 2 9", false },
		{ "^((1))$", "1", true },
		{ "4294967295", "4294967295", true },
		{ "1()2", "1 2", true },
	};

	for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
		if (match(row[i].re, row[i].path) != row[i].yes)
			print_error("%s on %s\n", row[i].re, row[i].path);
		assert_int_equal(match(row[i].re, row[i].path), row[i].yes);
	}
}

static void
test_refused(void **state)
{
	static const struct {
		const char *re;
		size_t at;
	} row[] = {
		{ "(1", 2 },
		{ "1)", 1 },
		{ "[", 1 },
		{ "[]", 1 },
		{ "[5-1]", 4 },
		{ "^[0-9]+$", 5 },
		{ "4294967296", 0 },
		{ "*1", 0 },
		{ "a", 0 },
		{ "1{2}", 1 },
		{ "((((((((((((((((((((((((((((((((((", 32 },
	};
	const char *why;
	char longer[4096];
	size_t at;

	for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
		why = NULL;
		assert_null(asregex_new(row[i].re, &why, &at));
		assert_non_null(why);
		if (at != row[i].at)
			print_error("%s: at %zu\n", row[i].re, at);
		assert_int_equal(at, row[i].at);
	}
	for (size_t i = 0; i + 2 < sizeof longer; i += 2)
		memcpy(longer + i, "1_", 3);
	assert_null(asregex_new(longer, &why, &at));
}

/* What makes a backtracking matcher take for ever is linear here. */
static void
test_linear(void **state)
{
	static char text[4096];
	char *p = text;

	for (int i = 0; i < 254; i++)
		p += sprintf(p, "1 ");
	assert_false(match("^(1*)*(1*)*(1|1 1)*(1?1?1?)*2$", text));
	assert_true(match("^(1*)*(1*)*(1|1 1)*(1?1?1?)*$", text));
}

/* The naive way: an expression of letters a, b against all short paths. */
static void
test_brute(void **state)
{
	/* (1|2)*1(1|2): the last but one is a 1. */
	for (unsigned int n = 0; n < 10; n++)
		for (unsigned int bits = 0; bits < 1u << n; bits++) {
			char text[64] = "", *p = text;
			bool want;

			for (unsigned int i = 0; i < n; i++)
				p += sprintf(
				    p, "%c ", bits >> i & 1 ? '1' : '2');
			want = n >= 2 && (bits >> (n - 2) & 1) != 0;
			assert_int_equal(match("^(1|2)*1(1|2)$", text), want);
		}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_matches),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_linear),
		cmocka_unit_test(test_brute),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
