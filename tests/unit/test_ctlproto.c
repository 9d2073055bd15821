#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "lib/ctlproto.h"

static void
test_round(void **state)
{
	static const char *const word[] = { "-j", "show", "rib" };
	static const char want[] = "\x01-j\0show\0rib\0";
	struct ctl_request r;
	uint8_t b[64];
	struct wbuf w;

	wbuf_init(&w, b, sizeof b);
	assert_int_equal(ctl_request_write(&w, 3, word), CTL_OK);
	assert_int_equal(w.len, sizeof want);
	assert_memory_equal(b, want, sizeof want);
	for (size_t n = 0; n < w.len; n++)
		assert_int_equal(ctl_request_parse(b, n, &r), CTL_MORE);
	assert_int_equal(ctl_request_parse(b, w.len, &r), CTL_OK);
	assert_int_equal(r.n, 3);
	for (size_t i = 0; i < 3; i++)
		assert_string_equal(r.word[i], word[i]);
}

static void
test_bad(void **state)
{
	static const struct {
		const char *p;
		size_t n;
		enum ctl_verdict v;
	} row[] = {
		{ "\x02", 1, CTL_BAD_VERSION },
		{ "show\n", 5, CTL_BAD_VERSION },
		{ "\0", 1, CTL_BAD_VERSION },
		{ "\x01\0", 2, CTL_EMPTY },
		{ "\x01x\0\0y", 5, CTL_TRAILING },
		{ "\x01x\0\0\0", 5, CTL_TRAILING },
	};
	static char big[CTL_REQUEST_MAX + 1];
	struct ctl_request r;

	for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
		enum ctl_verdict v = ctl_request_parse(row[i].p, row[i].n, &r);

		assert_int_equal(v, row[i].v);
		assert_true(ctl_verdict_text(v)[0] != '\0');
	}
	/* As long as permitted, and one octet more. */
	memset(big, 'a', sizeof big);
	big[0] = CTL_VERSION;
	assert_int_equal(
	    ctl_request_parse(big, CTL_REQUEST_MAX - 1, &r), CTL_MORE);
	assert_int_equal(
	    ctl_request_parse(big, CTL_REQUEST_MAX, &r), CTL_TOO_LONG);
	big[CTL_REQUEST_MAX - 2] = big[CTL_REQUEST_MAX - 1] = '\0';
	assert_int_equal(ctl_request_parse(big, CTL_REQUEST_MAX, &r), CTL_OK);
	big[CTL_REQUEST_MAX - 2] = 'a';
	big[CTL_REQUEST_MAX] = '\0';
	assert_int_equal(
	    ctl_request_parse(big, CTL_REQUEST_MAX + 1, &r), CTL_TOO_LONG);
	/* Likewise for the words. */
	for (size_t i = 1; i <= 2 * CTL_WORDS_MAX; i += 2) {
		big[i] = 'w';
		big[i + 1] = '\0';
	}
	big[2 * CTL_WORDS_MAX + 1] = '\0';
	assert_int_equal(
	    ctl_request_parse(big, 2 * CTL_WORDS_MAX + 2, &r), CTL_OK);
	assert_int_equal(r.n, CTL_WORDS_MAX);
	big[2 * CTL_WORDS_MAX + 1] = 'w';
	big[2 * CTL_WORDS_MAX + 2] = '\0';
	assert_int_equal(
	    ctl_request_parse(big, 2 * CTL_WORDS_MAX + 3, &r), CTL_TOO_MANY);
}

static void
test_write_limits(void **state)
{
	static char longest[CTL_REQUEST_MAX];
	static uint8_t b[2 * CTL_REQUEST_MAX];
	const char *word[CTL_WORDS_MAX + 1];
	struct wbuf w;

	wbuf_init(&w, b, sizeof b);
	for (size_t i = 0; i <= CTL_WORDS_MAX; i++)
		word[i] = "x";
	assert_int_equal(ctl_request_write(&w, 0, word), CTL_EMPTY);
	assert_int_equal(
	    ctl_request_write(&w, CTL_WORDS_MAX + 1, word), CTL_TOO_MANY);
	word[1] = "";
	assert_int_equal(ctl_request_write(&w, 2, word), CTL_EMPTY);
	assert_int_equal(w.len, 0);
	memset(longest, 'a', sizeof longest - 3);
	word[0] = longest;
	assert_int_equal(ctl_request_write(&w, 1, word), CTL_OK);
	assert_int_equal(w.len, CTL_REQUEST_MAX);
	wbuf_cut(&w, 0);
	longest[sizeof longest - 3] = 'a';
	assert_int_equal(ctl_request_write(&w, 1, word), CTL_TOO_LONG);
	wbuf_init(&w, b, 4);
	word[0] = "show";
	assert_int_equal(ctl_request_write(&w, 1, word), CTL_TOO_LONG);
}

static void
test_frames(void **state)
{
	uint8_t head[CTL_HEAD_LEN];
	struct ctl_frame f;

	ctl_frame_write(head, CTL_OUT, 0x010203);
	assert_memory_equal(head, "O\x01\x02\x03", 4);
	assert_true(ctl_frame_parse(head, &f));
	assert_int_equal(f.type, CTL_OUT);
	assert_int_equal(f.len, 0x010203);
	assert_true(ctl_frame_parse((const uint8_t *)"E\0\0\0", &f));
	assert_true(ctl_frame_parse((const uint8_t *)"X\0\0\x01", &f));
	assert_int_equal(f.type, CTL_EXIT);
	assert_false(ctl_frame_parse((const uint8_t *)"X\0\0\0", &f));
	assert_false(ctl_frame_parse((const uint8_t *)"X\0\1\1", &f));
	assert_false(ctl_frame_parse((const uint8_t *)"Q\0\0\1", &f));
	ctl_frame_write(head, CTL_ERR, CTL_PAYLOAD_MAX);
	assert_true(ctl_frame_parse(head, &f));
	assert_int_equal(f.len, CTL_PAYLOAD_MAX);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_write_limits),
		cmocka_unit_test(test_frames),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
