#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/asnset.h"
#include "policy/pfxfile.h"

/* All entries in one line, so that a whole result is compared. */
static void
list(const struct pfxset *s, char *buf, size_t cap)
{
	struct pfxset_entry e = { .lo = 0 };
	char one[PFX_STRLEN + 16];
	size_t n = 0;

	buf[0] = '\0';
	while (pfxset_next(s, &e)) {
		pfxset_entry_print(&e, one, sizeof(one));
		n += (size_t)snprintf(
		    buf + n, cap - n, "%s%s", n > 0 ? ", " : "", one);
		assert_true(n < cap);
	}
}

struct good {
	enum pfxfile_format format;
	const char *text, *want;
};

/* clang-format off */
static const struct good goods[] = {
	{ PFXFILE_PLAIN, "", "" },
	{ PFXFILE_PLAIN, "# only a comment\n\n  \n", "" },
	{ PFXFILE_PLAIN, "192.0.2.0/24\n", "192.0.2.0/24" },
	{ PFXFILE_PLAIN, "192.0.2.0/24", "192.0.2.0/24" },
	{ PFXFILE_PLAIN,
	    "# made by a tool\r\n192.0.2.0/24 24 24\r\n"
	    "198.51.100.0/22 22 24 # why\n2001:db8::/32 32 48\n::/0\n",
	    "192.0.2.0/24, 198.51.100.0/22 22-24, ::/0, 2001:db8::/32 32-48" },
	{ PFXFILE_JSON, "{}", "" },
	{ PFXFILE_JSON, "{ \"P\": [\n] }\n", "" },
	{ PFXFILE_JSON,
	    "{ \"P\": [\n"
	    "    { \"prefix\": \"192.0.2.0\\/24\", \"exact\": true },\n"
	    "    { \"prefix\": \"198.51.100.0\\/22\", \"exact\": false,\n"
	    "      \"greater-equal\": 23, \"less-equal\": 24 },\n"
	    "    { \"prefix\": \"203.0.112.0/22\", \"exact\": false, "
	    "\"less-equal\": 24 },\n"
	    "    { \"prefix\": \"2001:db8::/32\" }\n"
	    "] }\n",
	    "192.0.2.0/24, 198.51.100.0/22 23-24, 203.0.112.0/22 22-24, "
	    "2001:db8::/32" },
	{ PFXFILE_JSON, "{\"A\":[{\"prefix\":\"192.0.2.0/24\"}],"
	    "\"B\":[{\"prefix\":\"192.0.3.0/24\"}]}",
	    "192.0.2.0/24, 192.0.3.0/24" },
	{ PFXFILE_OPENBGPD, "prefix-set P {\n}\n", "" },
	{ PFXFILE_OPENBGPD,
	    "prefix-set AS64500-v4 {\n\t192.0.2.0/24\n"
	    "\t198.51.100.0/22 prefixlen 22 - 24\n"
	    "\t203.0.112.0/22 prefixlen = 24\n"
	    "\t10.0.0.0/8 or-longer,\n\t11.0.0.0/8 maxlen 9\n"
	    "\t12.0.0.0/8 prefixlen >= 16\n\t13.0.0.0/8 prefixlen <= 16\n"
	    "}\n"
	    "prefix-set Q { 2001:db8::/32 prefixlen 32-48 }\n",
	    "10.0.0.0/8 8-32, 11.0.0.0/8 8-9, 12.0.0.0/8 16-32, "
	    "13.0.0.0/8 8-16, 192.0.2.0/24, 198.51.100.0/22 22-24, "
	    "203.0.112.0/22 24-24, 2001:db8::/32 32-48" },
	{ PFXFILE_BIRD, "P = [\n];\n", "" },
	{ PFXFILE_BIRD,
	    "P = [\n    192.0.2.0/24,\n    198.51.100.0/22{23,24},\n"
	    "    10.0.0.0/8+,\n    2001:db8::/32{32,48}\n];\n",
	    "10.0.0.0/8 8-32, 192.0.2.0/24, 198.51.100.0/22 23-24, "
	    "2001:db8::/32 32-48" },
	{ PFXFILE_BIRD, "define P = [ 192.0.2.0/24 ]", "192.0.2.0/24" },
};
/* clang-format on */

static void
test_good(void **state)
{
	char got[1024];
	size_t i;

	for (i = 0; i < sizeof(goods) / sizeof(goods[0]); i++) {
		struct pfxset *s = pfxset_new("s");
		struct pfxfile res;

		if (!pfxfile_parse(
			goods[i].text, strlen(goods[i].text), s, &res))
			fail_msg(
			    "row %zu: line %zu: %s", i, res.line, res.error);
		list(s, got, sizeof(got));
		assert_string_equal(got, goods[i].want);
		assert_int_equal(res.format, goods[i].format);
		assert_string_equal(res.error, "");
		assert_int_equal(res.inet, pfxset_count(s, FAM_INET));
		assert_int_equal(res.inet6, pfxset_count(s, FAM_INET6));
		pfxset_free(s);
	}
}

struct bad {
	size_t line;
	const char *text;
	const char *says; /* the whole sentence */
};

/* clang-format off */
static const struct bad bads[] = {
	{ 2, "192.0.2.0/24\n192.0.2.0/33\n",
	    "\"192.0.2.0/33\" is not a prefix" },
	{ 3, "192.0.2.0/24\n\n192.0.2.1/24\n",
	    "192.0.2.1/24 has bits set behind its length: 192.0.2.0/24?" },
	{ 1, "192.0.2.0/24 25\n192.0.3.0/24\n",
	    "a lowest length without a highest one" },
	{ 1, "192.0.2.0/24 23 24\n",
	    "192.0.2.0/24 cannot have lengths 23 to 24: "
	    "they go from /24 to /32" },
	{ 1, "192.0.2.0/24 24 33\n",
	    "192.0.2.0/24 cannot have lengths 24 to 33: "
	    "they go from /24 to /32" },
	{ 1, "192.0.2.0/24 24 24 24\n",
	    "\"24\" stands where the end of the line is wanted" },
	{ 2, "192.0.2.0/24\n<html>\n",
	    "\"<\" stands where a prefix is wanted" },
	{ 1, "hello world\n", "no known format: bgpq4 -j, -B -E, -b, or lines "
	    "\"prefix\" or \"prefix low high\"" },
	{ 1, "\x1b[31m\n", "no known format: bgpq4 -j, -B -E, -b, or lines "
	    "\"prefix\" or \"prefix low high\"" },
	{ 2, "192.0.2.0/24\n\x80\n", "\"?\" stands where a prefix is wanted" },
	{ 2, "prefix-set P {\n\t192.0.2.0/24",
	    "the file ends where a prefix is wanted" },
	{ 1, "prefix-set { 192.0.2.0/24 }",
	    "\"{\" stands where the name of the set is wanted" },
	{ 3, "prefix-set P {\n192.0.2.0/24 prefixlen 24\n}",
	    "\"}\" stands where \"-\" is wanted" },
	{ 2, "prefix-set P {\n192.0.2.0/24 prefixlen ! 24\n}",
	    "\"!\" stands where a prefix length is wanted" },
	{ 1, "prefix-set P { } x", "\"x\" stands where \"prefix-set\" is wanted"
	},
	{ 2, "P = [\n192.0.2.0/24 192.0.3.0/24 ]",
	    "\"192.0.3.0/24\" stands where \",\" or \"]\" is wanted" },
	{ 1, "P = [ 192.0.2.0/24-, ];",
	    "shorter prefixes (\"-\") are not taken" },
	{ 2, "P = [ 192.0.2.0/24,\n", "the file ends where a prefix is wanted"
	},
	{ 1, "P = 192.0.2.0/24", "\"192.0.2.0/24\" stands where \"[\" is wanted"
	},
	{ 2, "{ \"P\": [\n { \"prefix\": \"192.0.2.0/33\" } ] }",
	    "\"192.0.2.0/33\" is not a prefix" },
	{ 2, "{ \"P\": [\n { \"prefix\": 7 } ] }",
	    "\"prefix\" is no key of bgpq4 -j, or not its type" },
	{ 2, "{ \"P\": [\n { \"exact\": true } ] }",
	    "an entry without \"prefix\"" },
	{ 5, "{ \"P\": [\n { \"prefix\":\n\n \"192.0.2.0/24\" },\n 3.5 ] }",
	    "an entry is an object with \"prefix\"" },
	{ 1, "{ \"P\": [ { \"prefix\": \"192.0.2.0/24\", \"exact\": false } ] }",
	    "an entry not exact and without a range" },
	{ 1, "{ \"P\": [ { \"prefix\": \"192.0.2.0/24\", \"exact\": true, "
	    "\"less-equal\": 25 } ] }", "an exact entry with a range" },
	{ 1, "{ \"P\": [ { \"prefix\": \"192.0.2.0/24\", "
	    "\"less-equal\": 129 } ] }",
	    "a length is a number from 0 to 128" },
	{ 1, "{ \"P\": [ { \"prefix\": \"192.0.2.0/24\" } ] } x",
	    "more text behind the end of the JSON" },
	{ 1, "{ \"P\": [ { \"prefix\": \"192.0.2.0/24\" } ]",
	    "not the JSON of bgpq4 -j: \"}\" is wanted where the file ends" },
	{ 1, "{ \"P\": 3 }",
	    "not the JSON of bgpq4 -j: \"[\" is wanted here" },
	{ 3, "# empty\n# why\nP=\"prefix { \n\t}\"\n",
	    "bgpq4 -B without -E: only a prefix-set is read" },
	/* Escapes of JSON do not reach a terminal either. */
	{ 1, "{ \"P\": [ { \"prefix\": \"\\u001b[31m\" } ] }",
	    "\"?[31m\" is not a prefix" },
	{ 1, "{ 3: [] }", "the name of the list is wanted here" },
	{ 1, "[]", "not the JSON of bgpq4 -j: \"{\" is wanted here" },
	{ 1, "{ \"P\": [ 4294967296 ] }", "no AS number: it has 32 bits" },
};
/* clang-format on */

static void
test_bad(void **state)
{
	size_t i;

	for (i = 0; i < sizeof(bads) / sizeof(bads[0]); i++) {
		struct pfxset *s = pfxset_new("s");
		struct pfxfile res;

		if (pfxfile_parse(bads[i].text, strlen(bads[i].text), s, &res))
			fail_msg("row %zu was taken: %s", i, bads[i].text);
		assert_string_equal(res.error, bads[i].says);
		assert_int_equal(res.line, bads[i].line);
		pfxset_free(s);
	}
}

/* The line of an error inside a JSON entry of several lines. */
static void
test_json_line(void **state)
{
	static const char text[] = "{ \"P\": [\n"
				   "  { \"prefix\": \"192.0.2.0/24\" },\n"
				   "  { \"prefix\": \"192.0.3.0/24\",\n"
				   "    \"less-equal\": , } ] }\n";
	struct pfxset *s = pfxset_new("s");
	struct pfxfile res;

	assert_false(pfxfile_parse(text, strlen(text), s, &res));
	assert_int_equal(res.line, 4);
	assert_non_null(strstr(res.error, "not valid JSON"));
	pfxset_free(s);
}

/* An entry that never ends costs no more than its bound. */
static void
test_json_long_entry(void **state)
{
	size_t n = 100000;
	char *text = malloc(n);
	struct pfxset *s = pfxset_new("s");
	struct pfxfile res;

	memset(text, '[', n);
	memcpy(text, "{\"P\":[", 6);
	assert_false(pfxfile_parse(text, n, s, &res));
	memset(text + 6, 'x', n - 6);
	text[6] = '"';
	assert_false(pfxfile_parse(text, n, s, &res));
	free(text);
	pfxset_free(s);
}

static void
test_files_add_up(void **state)
{
	struct pfxset *s = pfxset_new("s");
	struct pfxfile res;
	char got[256];

	assert_true(pfxfile_parse("192.0.2.0/24\n", 13, s, &res));
	assert_true(
	    pfxfile_parse("{\"a\":[{\"prefix\":\"::/0\"}]}", 25, s, &res));
	assert_int_equal(res.inet, 0);
	assert_int_equal(res.inet6, 1);
	list(s, got, sizeof(got));
	assert_string_equal(got, "192.0.2.0/24, ::/0");
	pfxset_free(s);
}

static void
test_asns(void **state)
{
	static const char *const texts[] = {
		"{\"P\": [\n  112,64500,\n 64501\n]}",
		"as-set P {\n\t112 64500\n\t64501\n}\n",
		"P = [\n    112, 64500,\n 64501\n];\n"
	};
	size_t i;

	for (i = 0; i < 3; i++) {
		struct pfxset *s = pfxset_new("s");
		struct pfxfile res;

		assert_true(pfxfile_parse(texts[i], strlen(texts[i]), s, &res));
		assert_int_equal(res.asns, 3);
		assert_int_equal(asnset_count(pfxset_origins(s)), 3);
		assert_int_equal(asnset_at(pfxset_origins(s), 2), 64501);
		pfxset_free(s);
	}
}

/* A zero octet does not end the file for the parser. */
static void
test_zero_octet(void **state)
{
	struct pfxset *s = pfxset_new("s");
	struct pfxfile res;

	assert_false(
	    pfxfile_parse("192.0.2.0/24\n\0\n192.0.3.0/24\n", 28, s, &res));
	assert_int_equal(res.line, 2);
	pfxset_free(s);
}

/*
 * ANA_LARGE=1: 10 million lines, which is more than a file may have octets.
 * Else as many lines as a file may have entries, and one more.  Refused at the
 * limit, whether they are doubles or not, and the memory stays that of what is
 * different.
 */
static void
test_too_many_lines(void **state)
{
	static const char line[] = "1.0.0.0/8\n";
	size_t n = getenv("ANA_LARGE") != NULL ? 10 * 1000 * 1000
					       : PFXFILE_MAX_ENTRIES + 1,
	       len = n * (sizeof(line) - 1);
	struct pfxset *s = pfxset_new("s");
	char *text = malloc(len);
	struct pfxfile res;

	assert_non_null(text);
	for (size_t i = 0; i < n; i++)
		memcpy(text + i * (sizeof(line) - 1), line, sizeof(line) - 1);
	assert_false(pfxfile_parse(text, len, s, &res));
	if (len > (size_t)PFXFILE_MAX) {
		assert_string_equal(res.error, "larger than 67108864 octets");
	} else {
		assert_string_equal(res.error, "more than 2097152 entries");
		assert_int_equal(res.line, PFXFILE_MAX_ENTRIES + 1);
	}
	assert_true(pfxset_memory(s) < 64 * 1024);
	free(text);
	pfxset_free(s);
}

/* bgpq4's own form by hand, anything else by the general reader: the same. */
static void
test_json_both_readers(void **state)
{
	static const char *const pair[][2] = {
		{ "{ \"prefix\": \"192.0.2.0\\/24\", \"exact\": true }",
		    "{ \"prefix\": \"192.0.2.0\\u002f24\", \"exact\": true }" },
		{ "{ \"prefix\": \"192.0.2.0/24\", \"exact\": false, "
		  "\"greater-equal\": 25, \"less-equal\": 26 }",
		    "{ \"pref\\u0069x\": \"192.0.2.0/24\", \"exact\": false, "
		    "\"greater-equal\": 25, \"less-equal\": 26 }" },
		{ "{\"exact\":false,\"less-equal\":28,\"prefix\":"
		  "\"2001:da0::/27\"}",
		    "{\"ex\\u0061ct\":false,\"less-equal\":28,\"prefix\":"
		    "\"2001:da0::/27\"}" },
	};

	for (size_t i = 0; i < sizeof(pair) / sizeof(pair[0]); i++) {
		struct pfxset_entry e[2] = { 0 };

		for (int k = 0; k < 2; k++) {
			struct pfxset *s = pfxset_new("s");
			struct pfxfile res;
			char text[256];

			snprintf(text, sizeof(text), "{ \"P\": [ %s ] }",
			    pair[i][k]);
			if (!pfxfile_parse(text, strlen(text), s, &res))
				fail_msg("%s: %s", text, res.error);
			assert_true(pfxset_next(s, &e[k]));
			pfxset_free(s);
		}
		assert_true(pfx_eq(&e[0].pfx, &e[1].pfx));
		assert_int_equal(e[0].lo, e[1].lo);
		assert_int_equal(e[0].hi, e[1].hi);
	}
}

/* One entry a slice, each entry found again on its line, in each format. */
static void
test_slices_and_lines(void **state)
{
	static const char *const text[] = {
		"# a\n10.0.0.0/8\n\n11.0.0.0/8 9 24\n",
		"{ \"P\": [\n {\"prefix\": \"10.0.0.0\\/8\"},\n\n"
		"{\"prefix\": \"11.0.0.0/8\", \"exact\": false,\n"
		"\"greater-equal\": 9, \"less-equal\": 24} ] }",
		"prefix-set P {\n10.0.0.0/8\n\n11.0.0.0/8 prefixlen 9 - 24\n}",
		"P = [\n10.0.0.0/8,\n\n11.0.0.0/8{9,24}\n];",
	};
	struct pfxset_entry e = { .lo = 10, .hi = 10 };
	struct pfxfile_work *w;
	struct pfxset *s;
	struct pfxfile res;
	unsigned int n;
	char buf[200];

	for (size_t i = 0; i < sizeof(text) / sizeof(text[0]); i++) {
		s = pfxset_new("x");
		w = pfxfile_begin(text[i], strlen(text[i]), s, &res);
		for (n = 0; pfxfile_run(w, 1); n++)
			assert_true(n < 10);
		assert_true(n > 1);
		assert_true(pfxfile_end(w));
		list(s, buf, sizeof(buf));
		assert_string_equal(buf, "10.0.0.0/8, 11.0.0.0/8 9-24");
		pfxset_free(s);
		/* A part of the range will do; another prefix will not. */
		assert_true(pfx_parse("11.0.0.0/8", &e.pfx));
		w = pfxfile_find(text[i], strlen(text[i]), &e, &res);
		assert_false(pfxfile_run(w, SIZE_MAX));
		assert_true(pfxfile_end(w));
		assert_int_equal(res.line, 4);
		assert_true(pfx_parse("11.0.0.0/9", &e.pfx));
		w = pfxfile_find(text[i], strlen(text[i]), &e, &res);
		assert_false(pfxfile_run(w, SIZE_MAX));
		assert_true(pfxfile_end(w));
		assert_int_equal(res.line, 0);
	}
	/* Given up in the middle. */
	s = pfxset_new("x");
	w = pfxfile_begin(text[0], strlen(text[0]), s, &res);
	assert_true(pfxfile_run(w, 1));
	assert_false(pfxfile_end(w));
	pfxset_free(s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_json_line),
		cmocka_unit_test(test_json_long_entry),
		cmocka_unit_test(test_files_add_up),
		cmocka_unit_test(test_asns),
		cmocka_unit_test(test_zero_octet),
		cmocka_unit_test(test_too_many_lines),
		cmocka_unit_test(test_json_both_readers),
		cmocka_unit_test(test_slices_and_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
