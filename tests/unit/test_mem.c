#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"

struct thing {
	uint64_t a;
	uint32_t b;
};

static void
test_alloc(void **state)
{
	char *p = mem_alloc(100), *s;

	for (int i = 0; i < 100; i++)
		assert_int_equal(p[i], 0);
	p = mem_realloc(p, 1000, 2);
	memset(p, 1, 2000);
	free(p);
	p = mem_alloc(0);
	assert_non_null(p);
	p = mem_realloc(p, 0, 8);
	assert_non_null(p);
	free(p);
	s = mem_strdup("");
	assert_string_equal(s, "");
	free(s);
	s = mem_printf("%s-%d", "x", 7);
	assert_string_equal(s, "x-7");
	free(s);
}

static void
test_slab(void **state)
{
	enum {
		MANY = 5000
	};
	static uint32_t num[MANY];
	struct thing *first;
	struct slab s;

	slab_init(&s, sizeof(struct thing));
	num[0] = slab_new(&s);
	first = slab_at(&s, num[0]);
	for (uint32_t i = 0; i < MANY; i++) {
		struct thing *t;

		if (i > 0)
			num[i] = slab_new(&s);
		assert_int_not_equal(num[i], 0);
		t = slab_at(&s, num[i]);
		assert_int_equal((uintptr_t)t % _Alignof(struct thing), 0);
		assert_true(t->a == 0 && t->b == 0);
		t->a = i;
		t->b = ~i;
	}
	/* Nothing has moved, nothing overlaps. */
	assert_ptr_equal(first, slab_at(&s, num[0]));
	for (uint32_t i = 0; i < MANY; i++) {
		struct thing *t = slab_at(&s, num[i]);

		assert_true(t->a == i && t->b == ~i);
	}
	assert_int_equal(s.count, MANY);
	slab_fini(&s);
}

static void
test_slab_reuse(void **state)
{
	struct slab s;
	uint32_t num[3000];
	size_t before;

	slab_init(&s, 1); /* smaller than a number */
	for (int i = 0; i < 3000; i++)
		num[i] = slab_new(&s);
	before = slab_memory(&s);
	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < 3000; i += 2) {
			memset(slab_at(&s, num[i]), 0xff, 1);
			slab_del(&s, num[i]);
		}
		assert_int_equal(s.count, 1500);
		for (int i = 0; i < 3000; i += 2) {
			num[i] = slab_new(&s);
			/* Zeroed, though it was a link of the free list. */
			assert_memory_equal(slab_at(&s, num[i]), "\0\0\0\0", 4);
		}
	}
	for (int i = 0; i < 3000; i++)
		for (int j = 0; j < i; j += 97)
			assert_int_not_equal(num[i], num[j]);
	assert_int_equal(slab_memory(&s), before);
	assert_in_range(before, 3000 * 4, 4 * 1024 * 4 + 64);
	slab_fini(&s);
}

static void
test_slab_empty(void **state)
{
	struct slab s;

	slab_init(&s, 8);
	assert_int_equal(slab_memory(&s), 0);
	slab_fini(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_alloc),
		cmocka_unit_test(test_slab),
		cmocka_unit_test(test_slab_reuse),
		cmocka_unit_test(test_slab_empty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
