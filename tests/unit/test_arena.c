#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdalign.h>
#include <string.h>

#include "lib/arena.h"

static void
test_disjoint(void **state)
{
	enum {
		N = 2000
	};
	static unsigned char *p[N];
	struct arena a;

	arena_init(&a);
	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < N; i++) {
			size_t n = 1 + (size_t)(i * 37 % 300);

			p[i] = arena_get(&a, n);
			assert_int_equal(
			    (uintptr_t)p[i] % alignof(max_align_t), 0);
			memset(p[i], i & 0xff, n);
		}
		for (int i = 0; i < N; i++)
			for (int j = 0; j <= i * 37 % 300; j++)
				assert_int_equal(p[i][j], i & 0xff);
		arena_reset(&a);
	}
	arena_fini(&a);
}

static void
test_large(void **state)
{
	struct arena a;
	char *small, *large, *after;

	arena_init(&a);
	arena_reset(&a); /* empty: nothing to do */
	small = arena_get(&a, 10);
	memset(small, 1, 10);
	large = arena_get(&a, 1000000);
	memset(large, 2, 1000000);
	after = arena_get(&a, 16000);
	memset(after, 3, 16000);
	assert_int_equal(small[9], 1);
	assert_int_equal(large[999999], 2);
	/* The same memory serves the next message. */
	arena_reset(&a);
	assert_ptr_equal(arena_get(&a, 10), small);
	assert_ptr_equal(arena_get(&a, 1000000), large);
	assert_ptr_equal(arena_get(&a, 16000), after);
	assert_non_null(arena_get(&a, 0));
	arena_fini(&a);
	arena_fini(&a);
}

/* A chunk that is too small for the next object is jumped over, not lost. */
static void
test_skip(void **state)
{
	struct arena a;
	char *x, *y;

	arena_init(&a);
	x = arena_get(&a, 16000);
	y = arena_get(&a, 16000);
	arena_reset(&a);
	memset(arena_get(&a, 50000), 7, 50000);
	arena_reset(&a);
	assert_ptr_equal(arena_get(&a, 16000), x);
	assert_ptr_equal(arena_get(&a, 16000), y);
	arena_fini(&a);
}

static void
test_back(void **state)
{
	struct arena a;
	struct arena_mark m;
	char *x, *y;

	arena_init(&a);
	m = arena_mark(&a);
	x = arena_get(&a, 100);
	arena_back(&a, m);
	assert_ptr_equal(arena_get(&a, 100), x);
	m = arena_mark(&a);
	y = arena_get(&a, 100);
	memset(arena_get(&a, 50000), 7, 50000);
	arena_back(&a, m);
	assert_ptr_equal(arena_get(&a, 100), y);
	arena_fini(&a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_disjoint),
		cmocka_unit_test(test_large),
		cmocka_unit_test(test_skip),
		cmocka_unit_test(test_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
