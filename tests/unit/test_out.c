#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "lib/out.h"

static json_t *
parsed(struct out *o)
{
	json_error_t err;
	size_t n;
	const void *p = out_pending(o, &n);
	json_t *j = json_loadb(p, n, JSON_REJECT_DUPLICATES, &err);

	if (j == NULL)
		fail_msg("%s in %.*s", err.text, (int)n, (const char *)p);
	return j;
}

static void
assert_pending(struct out *o, const char *want)
{
	size_t n;
	const void *p = out_pending(o, &n);

	assert_int_equal(n, strlen(want));
	assert_memory_equal(p, want, n);
}

/* A command writes both; each mode gives its own. */
static void
command(struct out *o)
{
	out_obj(o, NULL);
	out_arr(o, "neighbors");
	for (unsigned int i = 1; i <= 2; i++) {
		out_text(o, "%-5u up\n", i);
		out_obj(o, NULL);
		out_strf(o, "remote_as", "%u", 64500 + i);
		out_bool(o, "up", true);
		out_span(o, "last_updown", i == 1 ? -1 : 3600);
		out_arr(o, "none");
		out_end(o);
		out_end(o);
	}
	out_end(o);
	out_obj(o, "ana");
	out_end(o);
	out_end(o);
}

static void
test_both(void **state)
{
	struct out *o = out_new(false);

	command(o);
	assert_false(out_is_json(o));
	assert_pending(o, "1     up\n2     up\n");
	out_free(o);
	o = out_new(true);
	command(o);
	assert_true(out_is_json(o));
	assert_pending(o,
	    "{\n\t\"neighbors\": [\n"
	    "\t\t{\"remote_as\": \"64501\", \"up\": true, "
	    "\"last_updown\": \"Never\", \"last_updown_sec\": -1, "
	    "\"none\": []},\n"
	    "\t\t{\"remote_as\": \"64502\", \"up\": true, "
	    "\"last_updown\": \"01:00:00\", \"last_updown_sec\": 3600, "
	    "\"none\": []}\n"
	    "\t],\n\t\"ana\": {}\n}\n");
	json_decref(parsed(o));
	out_free(o);
	out_free(NULL);
}

static void
test_values(void **state)
{
	struct out *o = out_new(true);
	json_t *j;

	out_obj(o, NULL);
	out_u64(o, "zero", 0);
	out_u64(o, "big", 9223372036854775807U);
	out_i64(o, "low", INT64_MIN);
	out_bool(o, "no", false);
	out_strf(o, "long", "%0300d", 7);
	out_arr(o, "list");
	out_u64(o, NULL, 1);
	out_str(o, NULL, "two");
	out_obj(o, NULL);
	out_u64(o, "three", 3);
	for (int i = 0; i < 3; i++)
		out_end(o);
	j = parsed(o);
	assert_int_equal(json_integer_value(json_object_get(j, "zero")), 0);
	assert_true(json_integer_value(json_object_get(j, "big")) == INT64_MAX);
	assert_true(json_integer_value(json_object_get(j, "low")) == INT64_MIN);
	assert_true(json_is_false(json_object_get(j, "no")));
	assert_int_equal(json_string_length(json_object_get(j, "long")), 300);
	assert_int_equal(json_array_size(json_object_get(j, "list")), 3);
	json_decref(j);
	out_free(o);
	/* 20 digits: more than jansson takes. */
	o = out_new(true);
	out_u64(o, NULL, UINT64_MAX);
	assert_pending(o, "18446744073709551615\n");
	out_free(o);
}

/* Whatever a peer sends, the document is UTF-8 and JSON. */
static void
test_escapes(void **state)
{
	static const struct {
		const char *in, *json, *text;
		size_t n;
	} row[] = {
		{ "plain", "\"plain\"\n", "plain", 5 },
		{ "a\"b\\c", "\"a\\\"b\\\\c\"\n", "a\"b\\\\c", 5 },
		{ "\n\t\r\x1b[2J", "\"\\n\\t\\r\\u001b[2J\"\n",
		    "\\x0a\\x09\\x0d\\x1b[2J", 7 },
		{ "a\0b", "\"a\\u0000b\"\n", "a\\x00b", 3 },
		{ "\x7f", "\"\\u007f\"\n", "\\x7f", 1 },
		{ "\xc2\x9b", "\"\\u009b\"\n", "\\xc2\\x9b", 2 },
		{ "S\xc3\xa3o", "\"S\xc3\xa3o\"\n", "S\xc3\xa3o", 4 },
		{ "\xf0\x9f\x9a\x80", "\"\xf0\x9f\x9a\x80\"\n",
		    "\xf0\x9f\x9a\x80", 4 },
		/* Latin 1; cut short; overlong; surrogate; beyond; right to
		 * left override. */
		{ "S\xe3o", "\"S\\ufffdo\"\n", "S\\xe3o", 3 },
		{ "\xe2\x82", "\"\\ufffd\\ufffd\"\n", "\\xe2\\x82", 2 },
		{ "\xc0\xaf", "\"\\ufffd\\ufffd\"\n", "\\xc0\\xaf", 2 },
		{ "\xe0\x80\xaf", "\"\\ufffd\\ufffd\\ufffd\"\n",
		    "\\xe0\\x80\\xaf", 3 },
		{ "\xed\xa0\x80", "\"\\ufffd\\ufffd\\ufffd\"\n",
		    "\\xed\\xa0\\x80", 3 },
		{ "\xf4\x90\x80\x80", "\"\\ufffd\\ufffd\\ufffd\\ufffd\"\n",
		    "\\xf4\\x90\\x80\\x80", 4 },
		{ "\xff", "\"\\ufffd\"\n", "\\xff", 1 },
		{ "\xe2\x80\xae", "\"\\u202e\"\n", "\\xe2\\x80\\xae", 3 },
	};
	char b[64];

	for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
		struct out *o = out_new(true);

		out_strn(o, NULL, row[i].in, row[i].n);
		assert_pending(o, row[i].json);
		out_free(o);
		assert_string_equal(
		    out_safe_n(row[i].in, row[i].n, b, sizeof b), row[i].text);
	}
	assert_string_equal(out_safe("a\\", b, sizeof b), "a\\\\");
	/* Never half a character, never half an escape. */
	assert_string_equal(out_safe("ab\xc3\xa3", b, 4), "ab");
	assert_string_equal(out_safe("ab\xc3\xa3", b, 5), "ab\xc3\xa3");
	assert_string_equal(out_safe("a\x01", b, 5), "a");
	assert_string_equal(out_safe("a\x01", b, 6), "a\\x01");
	assert_string_equal(out_safe("a", b, 1), "");
}

static void
test_drain(void **state)
{
	struct out *o = out_new(false);
	size_t n, sent = 0, written = 0;
	unsigned int next = 0;

	/* Two in, one out: the buffer grows, moves and never loses one. */
	for (unsigned int i = 0; i < 40000; i++) {
		out_text(o, "%07u\n", i);
		written += 8;
		if (i % 2 == 0)
			continue;
		assert_int_equal(
		    atoi((const char *)out_pending(o, &n)), next++);
		assert_int_equal(n, written - sent);
		out_drained(o, 8);
		sent += 8;
	}
	out_pending(o, &n);
	out_drained(o, n);
	out_pending(o, &n);
	assert_int_equal(n, 0);
	out_text(o, "%0500d", 1);
	out_pending(o, &n);
	assert_int_equal(n, 500);
	out_free(o);
}

/* A name fills its column, whatever its characters cost in octets. */
static void
test_columns(void **state)
{
	static const struct {
		const char *name;
		int columns, fit; /* fit: octets of the first 4 columns */
	} row[] = {
		{ "", 0, 0 },
		{ "abc", 3, 3 },
		{ "abcd", 4, 4 },
		{ "S\xc3\xa3o Paulo", 9, 5 },
		{ "K\xc3\xb6ln", 4, 5 },
		{ "K\xc3\xb6l\xc3\xb1\xc3\xb6", 5, 6 },
		{ "\xf0\x9f\x9a\x80\xe2\x82\xac", 2, 7 },
	};
	char text[64];

	for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
		assert_int_equal(out_columns(row[i].name), row[i].columns);
		assert_int_equal(out_fit(row[i].name, 4), row[i].fit);
		snprintf(text, sizeof text, "%-*s", out_width(row[i].name, 12),
		    row[i].name);
		assert_int_equal(out_columns(text), 12);
		assert_memory_equal(text, row[i].name, strlen(row[i].name));
	}
	assert_int_equal(out_fit("abc", 0), 0);
}

static void
test_timeframe(void **state)
{
	static const struct {
		int64_t sec;
		const char *text;
	} row[] = {
		{ -1, "Never" },
		{ 0, "00:00:00" },
		{ 59, "00:00:59" },
		{ 3600, "01:00:00" },
		{ 86399, "23:59:59" },
		{ 86400, "1d00h00m" },
		{ 93784, "1d02h03m" },
		{ 604799, "6d23h59m" },
		{ 604800, "01w0d00h" },
		{ 867600, "01w3d01h" },
		{ 604800LL * 999 + 86400, "999w1d00h" },
		{ 604800LL * 1000, "1000w" },
		{ INT64_MAX, "15250284452471w" },
	};
	char b[OUT_TIME_LEN];

	for (size_t i = 0; i < sizeof row / sizeof row[0]; i++)
		assert_string_equal(
		    out_timeframe(row[i].sec, b, sizeof b), row[i].text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_both),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_escapes),
		cmocka_unit_test(test_drain),
		cmocka_unit_test(test_columns),
		cmocka_unit_test(test_timeframe),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
