#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "lib/cur.h"

static const uint8_t octets[] = { 0x01, 0x82, 0xf3, 0x04, 0x05, 0x06, 0x07,
	0x08 };

static void
test_read(void **state)
{
	struct cur c;
	uint8_t v8, b[2];
	uint16_t v16;
	uint32_t v32;

	cur_init(&c, octets, sizeof octets);
	assert_int_equal(cur_left(&c), 8);
	assert_true(cur_u8(&c, &v8));
	assert_int_equal(v8, 0x01);
	assert_true(cur_u16(&c, &v16));
	assert_int_equal(v16, 0x82f3);
	assert_true(cur_skip(&c, 1));
	assert_true(cur_bytes(&c, b, 2));
	assert_memory_equal(b, octets + 4, 2);
	assert_int_equal(cur_left(&c), 2);
	cur_init(&c, "\xff\xfe\xfd\xfc", 4);
	assert_true(cur_u32(&c, &v32));
	assert_int_equal(v32, 0xfffefdfc);
	assert_int_equal(cur_left(&c), 0);
}

/* Too short: false, and nothing is moved or written. */
static void
test_short(void **state)
{
	uint32_t v32 = 77;
	uint16_t v16 = 77;
	uint8_t v8 = 77, b[16] = { 77 };

	for (size_t n = 0; n < 4; n++) {
		struct cur c, sub = { octets, octets };

		cur_init(&c, octets, n);
		assert_false(cur_u32(&c, &v32));
		if (n < 2)
			assert_false(cur_u16(&c, &v16));
		if (n < 1)
			assert_false(cur_u8(&c, &v8));
		assert_false(cur_bytes(&c, b, n + 1));
		assert_false(cur_skip(&c, n + 1));
		assert_false(cur_skip(&c, SIZE_MAX));
		assert_false(cur_sub(&c, n + 1, &sub));
		assert_false(cur_sub(&c, SIZE_MAX, &sub));
		assert_int_equal(cur_left(&c), n);
		assert_int_equal(cur_left(&sub), 0);
	}
	assert_true(v8 == 77 && v16 == 77 && v32 == 77 && b[0] == 77);
}

static void
test_sub(void **state)
{
	struct cur c, sub = { NULL, NULL }, none = sub;
	uint8_t v;

	cur_init(&c, octets, sizeof octets);
	assert_true(cur_skip(&c, 2));
	assert_true(cur_sub(&c, 3, &sub));
	assert_int_equal(cur_left(&sub), 3);
	assert_int_equal(cur_left(&c), 3);
	assert_true(cur_u8(&sub, &v));
	assert_int_equal(v, 0xf3);
	assert_true(cur_u8(&c, &v));
	assert_int_equal(v, 0x06);
	/* A part never reaches beyond itself. */
	assert_false(cur_skip(&sub, 3));
	assert_true(cur_sub(&c, 0, &none));
	assert_false(cur_u8(&none, &v));
	/* In place of its parent. */
	assert_true(cur_sub(&c, 1, &c));
	assert_int_equal(cur_left(&c), 0);
}

static void
test_nothing(void **state)
{
	struct cur c, sub;
	uint8_t v;

	cur_init(&c, NULL, 0);
	assert_int_equal(cur_left(&c), 0);
	assert_false(cur_u8(&c, &v));
	assert_true(cur_skip(&c, 0));
	assert_true(cur_bytes(&c, NULL, 0));
	assert_true(cur_sub(&c, 0, &sub));
	assert_int_equal(cur_left(&sub), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read),
		cmocka_unit_test(test_short),
		cmocka_unit_test(test_sub),
		cmocka_unit_test(test_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
