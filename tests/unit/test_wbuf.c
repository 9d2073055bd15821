#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "lib/wbuf.h"

static void
test_write(void **state)
{
	uint8_t b[16];
	struct wbuf w;

	wbuf_init(&w, b, sizeof b);
	wbuf_u8(&w, 0x01);
	wbuf_u16(&w, 0x8203);
	wbuf_u32(&w, 0xf4050607);
	wbuf_bytes(&w, "ab", 2);
	wbuf_bytes(&w, NULL, 0);
	assert_false(w.over);
	assert_int_equal(w.len, 9);
	assert_int_equal(wbuf_room(&w), 7);
	assert_memory_equal(b,
	    "\x01\x82\x03\xf4\x05\x06\x07"
	    "ab",
	    9);
}

static void
test_over(void **state)
{
	volatile size_t huge = SIZE_MAX; /* no constant to the compiler */
	uint8_t b[8] = { 0 };
	struct wbuf w;

	wbuf_init(&w, b, 4);
	wbuf_u8(&w, 1);
	wbuf_u32(&w, 0xffffffff);
	assert_true(w.over);
	assert_int_equal(w.len, 1);
	assert_int_equal(wbuf_room(&w), 0);
	/* It stays, also for what would fit, and writes nothing. */
	wbuf_u8(&w, 2);
	wbuf_bytes(&w, "x", huge);
	assert_true(w.over);
	assert_int_equal(w.len, 1);
	assert_memory_equal(b, "\1\0\0\0\0\0\0\0", 8);
	wbuf_cut(&w, 0);
	assert_false(w.over);
	wbuf_u32(&w, 0x01020304);
	assert_false(w.over);
	assert_int_equal(wbuf_room(&w), 0);
	wbuf_bytes(&w, "", 0);
	assert_false(w.over);
	wbuf_u8(&w, 5);
	assert_true(w.over);
	assert_int_equal(b[4], 0);
	/* A cut forwards is none. */
	wbuf_cut(&w, 99);
	assert_int_equal(w.len, 4);
}

static void
test_lengths(void **state)
{
	static uint8_t b[70000];
	size_t outer, inner;
	struct wbuf w;

	wbuf_init(&w, b, sizeof b);
	wbuf_u8(&w, 0xaa);
	outer = wbuf_len16(&w);
	inner = wbuf_len8(&w);
	wbuf_bytes(&w, "xyz", 3);
	wbuf_end8(&w, inner);
	wbuf_end16(&w, outer);
	assert_int_equal(w.len, 7);
	assert_memory_equal(b, "\xaa\0\4\3xyz", 7);
	wbuf_put16(&w, 5, 0x4142);
	assert_memory_equal(b, "\xaa\0\4\3x\x41\x42", 7);
	wbuf_put16(&w, 6, 0xffff); /* half of it lies beyond the end */
	assert_int_equal(b[6], 0x42);

	/* The longest that each length can say, and one more. */
	for (size_t more = 0; more < 2; more++) {
		wbuf_cut(&w, 0);
		inner = wbuf_len8(&w);
		w.len += 255 + more;
		wbuf_end8(&w, inner);
		assert_int_equal(w.over, more);
		assert_int_equal(b[inner], more == 0 ? 255 : 0);
		wbuf_cut(&w, 0);
		outer = wbuf_len16(&w);
		w.len += 65535 + more;
		wbuf_end16(&w, outer);
		assert_int_equal(w.over, more);
		assert_int_equal(b[outer], more == 0 ? 255 : 0);
	}
}

/* The end of a length whose place did not fit touches nothing. */
static void
test_length_over(void **state)
{
	uint8_t b[4] = { 9, 9, 9, 9 };
	struct wbuf w;
	size_t at;

	wbuf_init(&w, b, 0);
	at = wbuf_len16(&w);
	wbuf_end16(&w, at);
	wbuf_init(&w, b, 0);
	at = wbuf_len8(&w);
	wbuf_end8(&w, at);
	assert_true(w.over);
	assert_memory_equal(b, "\x09\x09\x09\x09", 4);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_write),
		cmocka_unit_test(test_over),
		cmocka_unit_test(test_lengths),
		cmocka_unit_test(test_length_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
