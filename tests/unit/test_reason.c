#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "policy/reason.h"

/* The numbers are known to looking glasses: they never move. */
static void
test_numbers(void **state)
{
	static const struct {
		uint16_t reason;
		const char *name;
	} t[] = {
		{ 0, "accepted" },
		{ 1, "as-path-length" },
		{ 2, "bogon-prefix" },
		{ 3, "own-prefix" },
		{ 5, "next-hop" },
		{ 6, "first-as" },
		{ 7, "bogon-asn" },
		{ 8, "peer-lock" },
		{ 9, "origin-not-in-set" },
		{ 10, "not-global" },
		{ 12, "not-in-set" },
		{ 13, "prefix-length" },
		{ 14, "rpki-invalid" },
		{ 1000, "default-route" },
		{ 1001, "no-filter" },
		{ 1002, "policy-rule" },
		{ 1003, "as-loop" },
		{ 1004, "aspa-invalid" },
		{ 1005, "otc-leak" },
		{ 1006, "malformed" },
		{ 1007, "peer-asn" },
		{ 1008, "as-set-in-path" },
		{ 1009, "over-limit" },
		{ 1010, "frozen" },
		{ 1011, "no-rule" },
		{ 1012, "export-guard" },
		{ 65535, "unknown" },
	};
	size_t i;

	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		uint16_t r;

		assert_string_equal(reason_name(t[i].reason), t[i].name);
		assert_true(reason_find(t[i].name, &r));
		assert_int_equal(r, t[i].reason);
	}
}

static void
test_index(void **state)
{
	unsigned int i, j;

	for (i = 0; i < REASON_COUNT; i++) {
		assert_int_equal(reason_index(reason_at(i)), i);
		assert_true(strlen(reason_text(reason_at(i))) > 0);
		for (j = 0; j < i; j++)
			assert_string_not_equal(reason_name(reason_at(i)),
			    reason_name(reason_at(j)));
	}
	assert_int_equal(reason_at(reason_index(777)), REASON_UNKNOWN);
	assert_int_equal(reason_at(REASON_COUNT), REASON_UNKNOWN);
	assert_int_equal(reason_at(0), REASON_NONE);
}

static void
test_find(void **state)
{
	uint16_t r;

	assert_true(reason_find("1003", &r));
	assert_int_equal(r, REASON_LOOP);
	assert_false(reason_find("777", &r));
	assert_false(reason_find("", &r));
	assert_false(reason_find("1003x", &r));
	assert_false(reason_find("99999999999999999999", &r));
	assert_false(reason_find("nonsense", &r));
}

static void
test_guards(void **state)
{
	int g;

	for (g = GUARD_NONE + 1; g < GUARD_N; g++) {
		assert_true(strlen(reason_guard_word((enum guard)g)) > 0);
		assert_int_equal(
		    reason_guard_find(reason_guard_word((enum guard)g)), g);
	}
	assert_int_equal(reason_guard_find("nonsense"), GUARD_NONE);
	assert_int_equal(reason_guard_find(""), GUARD_NONE);
	assert_true(GUARD_N <= 32);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_index),
		cmocka_unit_test(test_find),
		cmocka_unit_test(test_guards),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
