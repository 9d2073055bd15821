#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "lib/timer.h"

enum {
	N = 8
};

static struct timerq q;
static struct timer t[N];
static char fired[64];

static void
note(void *arg, uint64_t now_ms)
{
	strncat(fired, (const char *)arg, 1);
}

static int
setup(void **state)
{
	static char name[N][2];

	timerq_init(&q);
	fired[0] = '\0';
	for (int i = 0; i < N; i++) {
		name[i][0] = (char)('a' + i);
		timer_init(&t[i], "t", note, name[i]);
	}
	return 0;
}

static void
test_order(void **state)
{
	setup(state);
	assert_true(timer_next(&q) == TIMER_NEVER);
	assert_int_equal(timer_run(&q, 1000), 0);
	timer_set(&q, &t[0], 0, 30);
	timer_set(&q, &t[1], 0, 10);
	timer_set(&q, &t[2], 0, 20);
	timer_set(&q, &t[3], 5, 5); /* as b, but set later */
	timer_set(&q, &t[4], 0, 10);
	assert_int_equal(timer_next(&q), 10);
	assert_int_equal(timer_run(&q, 9), 0);
	assert_int_equal(timer_run(&q, 20), 4);
	assert_string_equal(fired, "bdec");
	assert_int_equal(timer_next(&q), 30);
	assert_int_equal(timer_run(&q, 30), 1);
	assert_string_equal(fired, "bdeca");
	assert_int_equal(timer_run(&q, 99), 0);
	assert_true(timer_next(&q) == TIMER_NEVER);
}

static void
test_set_again_and_stop(void **state)
{
	setup(state);
	timer_set(&q, &t[0], 0, 10);
	timer_set(&q, &t[1], 0, 10);
	timer_set(&q, &t[0], 5, 10);
	assert_int_equal(timer_left(&t[0], 7), 8);
	assert_int_equal(timer_left(&t[0], 99), 0);
	timer_stop(&q, &t[1]);
	timer_stop(&q, &t[1]);
	assert_true(timer_left(&t[1], 0) == TIMER_NEVER);
	assert_int_equal(timer_run(&q, 14), 0);
	assert_int_equal(timer_run(&q, 15), 1);
	assert_false(t[0].armed);
	assert_string_equal(fired, "a");
}

/* "Never" must not wrap around into the past. */
static void
test_far(void **state)
{
	setup(state);
	timer_set(&q, &t[0], 1000, TIMER_NEVER);
	timer_set(&q, &t[1], 1000, TIMER_NEVER - 999);
	assert_int_equal(timer_run(&q, UINT64_MAX / 2), 0);
	assert_true(timer_left(&t[0], 1000) > UINT64_MAX / 2);
	timer_set(&q, &t[2], 1000, 1);
	assert_int_equal(timer_next(&q), 1001);
}

static void
again(void *arg, uint64_t now_ms)
{
	strcat(fired, "x");
	timer_set(&q, arg, now_ms, 0);
}

static void
stop_others(void *arg, uint64_t now_ms)
{
	strcat(fired, "s");
	timer_stop(&q, &t[2]);
	timer_set(&q, &t[3], now_ms, 100);
	timer_set(&q, &t[4], now_ms, 0);
}

/* What a timer's function does to others, and to itself, counts at once; what
 * it sets waits for the next run. */
static void
test_from_within(void **state)
{
	setup(state);
	timer_init(&t[0], "again", again, &t[0]);
	timer_init(&t[1], "stop", stop_others, NULL);
	timer_set(&q, &t[0], 0, 1);
	timer_set(&q, &t[1], 0, 2);
	timer_set(&q, &t[2], 0, 3);
	timer_set(&q, &t[3], 0, 4);
	timer_set(&q, &t[5], 0, 10);
	assert_int_equal(timer_run(&q, 10), 3);
	assert_string_equal(fired, "xsf");
	assert_int_equal(timer_next(&q), 10);
	assert_int_equal(timer_run(&q, 10), 2);
	assert_string_equal(fired, "xsfxe");
	assert_int_equal(timer_left(&t[3], 10), 100);
}

/* Against a naive twin: always the earliest first. */
static void
test_many(void **state)
{
	enum {
		MANY = 1000
	};
	static struct timer m[MANY];
	char letter[] = "m";
	uint64_t due[MANY];
	uint32_t x = 12345;

	setup(state);
	for (int i = 0; i < MANY; i++)
		timer_init(&m[i], "m", note, letter);
	for (int i = 0; i < 5000; i++) {
		x = x * 1664525 + 1013904223;
		timer_set(&q, &m[i % MANY], 0, x >> 22);
		due[i % MANY] = x >> 22;
	}
	for (uint64_t now = 0; now < 1024; now++) {
		unsigned int n = 0;

		for (int i = 0; i < MANY; i++)
			n += due[i] == now;
		fired[0] = '\0';
		if (n >= sizeof fired)
			fail();
		assert_int_equal(timer_run(&q, now), n);
	}
	assert_true(timer_next(&q) == TIMER_NEVER);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_set_again_and_stop),
		cmocka_unit_test(test_far),
		cmocka_unit_test(test_from_within),
		cmocka_unit_test(test_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
