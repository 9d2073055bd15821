/* Durations in buckets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "lib/hist.h"

static void
test_buckets(void **state)
{
	struct hist h = { .sum_us = 0 };

	hist_add(&h, 0, 1);
	hist_add(&h, hist_bound(0), 2); /* a bound is in its bucket */
	hist_add(&h, hist_bound(0) + 1, 3);
	hist_add(&h, hist_bound(HIST_N - 1), 4);
	hist_add(&h, hist_bound(HIST_N - 1) + 1, 5);
	assert_int_equal(h.n[0], 3);
	assert_int_equal(h.n[1], 3);
	assert_int_equal(h.n[HIST_N - 1], 4);
	assert_int_equal(h.n[HIST_N], 5);
	assert_int_equal(h.sum_us,
	    2 * hist_bound(0) + 3 * (hist_bound(0) + 1) +
		4 * hist_bound(HIST_N - 1) + 5 * (hist_bound(HIST_N - 1) + 1));
	for (unsigned int i = 1; i < HIST_N; i++)
		assert_true(hist_bound(i) > hist_bound(i - 1));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_buckets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
