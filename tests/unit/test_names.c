#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>

#include "lib/names.h"

enum {
	MANY = 5000
};

static void
test_names(void **state)
{
	static char text[MANY][16];
	struct names t = { 0 };

	assert_true(names_find(&t, "") == NAMES_NONE);
	for (size_t i = 0; i < MANY; i++) {
		snprintf(text[i], sizeof text[i], "n%zu", i * 7);
		assert_true(names_find(&t, text[i]) == NAMES_NONE);
		assert_int_equal(names_add(&t, text[i]), i);
		assert_int_equal(names_add(&t, text[i / 2]), i / 2);
	}
	assert_int_equal(t.n, MANY);
	for (size_t i = 0; i < MANY; i++)
		assert_int_equal(names_find(&t, text[i]), i);
	assert_true(names_find(&t, "n") == NAMES_NONE);
	assert_int_equal(names_add(&t, ""), MANY);
	assert_int_equal(names_find(&t, ""), MANY);
	names_fini(&t);
	assert_true(names_find(&t, "n0") == NAMES_NONE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
