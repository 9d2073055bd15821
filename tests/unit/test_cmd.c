#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "lib/cmd.h"

enum {
	WORDS = 16
};

static char err[CMD_ERRLEN];
static char line[512];

/* Splits at spaces; '_' stands for a space within a word, '~' for "". */
static enum cmd_exit
parse(const char *text, struct cmd_req *r)
{
	const char *word[WORDS];
	size_t n = 0;
	char *save;

	snprintf(line, sizeof line, "%s", text);
	for (char *w = strtok_r(line, " ", &save); w != NULL;
	     w = strtok_r(NULL, " ", &save)) {
		for (char *c = w; *c != '\0'; c++)
			if (*c == '_')
				*c = ' ';
		word[n++] = strcmp(w, "~") == 0 ? "" : w;
	}
	return cmd_parse(n, word, r, err);
}

static void
test_commands(void **state)
{
	static const struct {
		const char *text;
		enum cmd_id id;
	} row[] = {
		{ "show", CMD_SHOW_SUMMARY },
		{ "s", CMD_SHOW_SUMMARY },
		{ "show summary", CMD_SHOW_SUMMARY },
		{ "show sum t", CMD_SHOW_SUMMARY },
		{ "show neighbor", CMD_SHOW_NEIGHBOR },
		{ "show nei 10.0.0.1", CMD_SHOW_NEIGHBOR },
		{ "show rib", CMD_SHOW_RIB },
		{ "show rejected", CMD_SHOW_REJECTED },
		{ "show f 10.0.0.0/8", CMD_SHOW_FIB },
		{ "show nex", CMD_SHOW_NEXTHOP },
		{ "show i", CMD_SHOW_INTERFACES },
		{ "show version", CMD_SHOW_VERSION },
		{ "show errors neighbor x", CMD_SHOW_ERRORS },
		{ "sh e n x", CMD_SHOW_ERRORS },
		{ "show loop", CMD_SHOW_LOOP },
		{ "show memory", CMD_SHOW_MEMORY },
		{ "show config", CMD_SHOW_CONFIG },
		{ "show metrics", CMD_SHOW_METRICS },
		{ "show history neighbor x", CMD_SHOW_HISTORY },
		{ "show support", CMD_SHOW_SUPPORT },
		{ "watch from 0 peers", CMD_WATCH },
		{ "completion zsh", CMD_COMPLETION },
		{ "top --batch -n 3", CMD_TOP },
		{ "trace neighbor x", CMD_TRACE },
		{ "neighbor x clear", CMD_NEIGHBOR_CLEAR },
		{ "neighbor x clear hard text", CMD_NEIGHBOR_CLEAR },
		{ "nei x d", CMD_NEIGHBOR_DOWN },
		{ "neighbor x up", CMD_NEIGHBOR_UP },
		{ "neighbor x ref", CMD_NEIGHBOR_REFRESH },
		{ "neighbor x clear-limit", CMD_NEIGHBOR_CLEAR_LIMIT },
		{ "neighbor x clear-", CMD_NEIGHBOR_CLEAR_LIMIT },
		{ "show sets x", CMD_SHOW_SETS },
		{ "show policy", CMD_SHOW_POLICY },
		{ "show pol in", CMD_SHOW_POLICY },
		{ "explain 10.0.0.0/8", CMD_EXPLAIN },
		{ "exp 10.0.0.0/8 neighbor x", CMD_EXPLAIN },
		{ "test route 10.0.0.0/8 neighbor x", CMD_TEST_ROUTE },
		{ "test route 10.0.0.0/8 as-path x community x neighbor x",
		    CMD_TEST_ROUTE },
		{ "show fib drift", CMD_SHOW_FIB },
		{ "show fib conflicts", CMD_SHOW_FIB },
		{ "show announcements", CMD_SHOW_ANNOUNCEMENTS },
		{ "show ann 10.0.0.0/8", CMD_SHOW_ANNOUNCEMENTS },
		{ "network announce 10.0.0.0/8", CMD_NETWORK_ANNOUNCE },
		{ "net add 10.0.0.0/8 persistent", CMD_NETWORK_ANNOUNCE },
		{ "network withdraw 10.0.0.0/8 persistent text",
		    CMD_NETWORK_WITHDRAW },
		{ "network delete 10.0.0.0/8", CMD_NETWORK_WITHDRAW },
		{ "track x up", CMD_TRACK_UP },
		{ "track x refresh", CMD_TRACK_REFRESH },
		{ "track x down text", CMD_TRACK_DOWN },
		{ "drain prefix 192.0.2.0/24", CMD_DRAIN_PREFIX },
		{ "drain neighbor x 5m", CMD_DRAIN_NEIGHBOR },
		{ "drain all", CMD_DRAIN_ALL },
		{ "undrain prefix 192.0.2.0/24", CMD_UNDRAIN_PREFIX },
		{ "undrain neighbor x", CMD_UNDRAIN_NEIGHBOR },
		{ "undrain all", CMD_UNDRAIN_ALL },
		{ "show drain", CMD_SHOW_DRAIN },
		{ "maintenance start", CMD_MAINTENANCE_START },
		{ "maintenance start until 2h", CMD_MAINTENANCE_START },
		{ "maintenance stop", CMD_MAINTENANCE_STOP },
		{ "maint sh", CMD_MAINTENANCE_SHOW },
		{ "fib couple", CMD_FIB_COUPLE },
		{ "fib decouple", CMD_FIB_DECOUPLE },
		{ "fib d remove", CMD_FIB_DECOUPLE },
		{ "reload", CMD_RELOAD },
		{ "reload -n", CMD_RELOAD },
		{ "reload if accepted within 10%", CMD_RELOAD },
		{ "rel confirm 120s if sessions up if accepted within 10%",
		    CMD_RELOAD_CONFIRM },
		{ "reload c", CMD_RELOAD_CONFIRM },
		{ "reload undo", CMD_RELOAD_UNDO },
		{ "diff /tmp/x.conf", CMD_DIFF },
		{ "check x.conf", CMD_CHECK_FILE },
		{ "set load s", CMD_SET_LOAD },
		{ "set load s x.json", CMD_SET_LOAD },
		{ "set diff s x.json", CMD_SET_DIFF },
		{ "check health", CMD_CHECK_HEALTH },
		{ "log level debug", CMD_LOG_LEVEL },
		{ "shutdown", CMD_SHUTDOWN },
		{ "help", CMD_HELP },
	};
	struct cmd_req r;
	bool seen[CMD_N] = { false };

	for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
		if (parse(row[i].text, &r) != CMD_DONE)
			fail_msg("%s: %s", row[i].text, err);
		assert_int_equal(r.id, row[i].id);
		seen[r.id] = true;
	}
	for (size_t i = 0; i < CMD_N; i++)
		assert_true(seen[i]);
}

static void
test_rib_any_order(void **state)
{
	static const char *const text[] = {
		"show rib in neighbor partner-v4 192.0.2.0/24 best detail",
		"show rib detail best 192.0.2.0/24 neighbor partner-v4 in",
		"-j -n show rib 192.0.2.0/24 d n partner-v4 b i",
	};
	struct cmd_req r;
	struct pfx want;

	assert_true(pfx_parse("192.0.2.0/24", &want));
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(parse(text[i], &r), CMD_DONE);
		assert_int_equal(r.id, CMD_SHOW_RIB);
		assert_true(r.in && r.best && r.detail && r.has_prefix);
		assert_false(r.out || r.is_addr || r.terse);
		assert_true(pfx_eq(&r.prefix, &want));
		assert_string_equal(r.neighbor, "partner-v4");
		assert_int_equal(r.json, i == 2);
		assert_int_equal(r.numeric, i == 2);
	}
	assert_int_equal(parse("show rib 2001:db8::1", &r), CMD_DONE);
	assert_true(r.has_prefix && r.is_addr && r.prefix.len == 128);
	assert_int_equal(parse("show rib", &r), CMD_DONE);
	assert_false(r.has_prefix || r.json || r.numeric);
	assert_null(r.neighbor);
	/* A value that looks like a word is a value. */
	assert_int_equal(parse("show rib neighbor detail", &r), CMD_DONE);
	assert_string_equal(r.neighbor, "detail");
	assert_false(r.detail);
}

static void
test_values(void **state)
{
	struct cmd_req r;

	assert_int_equal(
	    parse("neighbor 192.0.2.1 down maintenance_42", &r), CMD_DONE);
	assert_string_equal(r.neighbor, "192.0.2.1");
	assert_string_equal(r.text, "maintenance 42");
	assert_int_equal(parse("shutdown bye", &r), CMD_DONE);
	assert_string_equal(r.text, "bye");
	assert_int_equal(
	    parse("show rej reason not-in-set neighbor a_b", &r), CMD_DONE);
	assert_string_equal(r.reason, "not-in-set");
	assert_string_equal(r.neighbor, "a b");
	assert_int_equal(parse("log level w", &r), CMD_DONE);
	assert_int_equal(r.level, CMD_LEVEL_WARNING);
	assert_int_equal(parse("show config canonical", &r), CMD_DONE);
	assert_true(r.canonical);
	assert_int_equal(parse("show summary terse", &r), CMD_DONE);
	assert_true(r.terse);
	assert_int_equal(parse("neighbor x refresh out", &r), CMD_DONE);
	assert_true(r.out && !r.in);
}

/* A time and a text, in any order, each by itself; and ends. */
static void
test_drain(void **state)
{
	static const struct {
		const char *text;
		int64_t s;
		bool from_now;
	} row[] = {
		{ "1970-01-01T00:00Z", 0, false },
		{ "2000-02-29T23:59:59Z", 951868799, false },
		{ "2026-11-22T18:00Z", 1795370400, false },
		{ "2100-03-01T00:00Z", 4107542400, false },
		{ "2h", 7200, true },
		{ "+90s", 90, true },
		{ "30d", 30 * 86400, true },
	};
	static const char *const bad[] = { "31d", "0", "2026-02-29T00:00Z",
		"2100-02-29T00:00Z", "2026-13-01T00:00Z", "2026-11-22T24:00Z",
		"2026-11-22T18:00", "2026-11-22", "2026-11-22T18:0:0Z",
		"2026-00-22T18:00Z", "2026-04-31T18:00Z", "18:00", "+", "x" };
	struct cmd_req r;
	char text[80];

	assert_int_equal(parse("drain neighbor a_b 5m work_42", &r), CMD_DONE);
	assert_int_equal(r.id, CMD_DRAIN_NEIGHBOR);
	assert_string_equal(r.neighbor, "a b");
	assert_int_equal(r.time_s, 300);
	assert_string_equal(r.text, "work 42");
	assert_int_equal(parse("drain all work_42", &r), CMD_DONE);
	assert_int_equal(r.id, CMD_DRAIN_ALL);
	assert_int_equal(r.time_s, 0);
	assert_string_equal(r.text, "work 42");
	assert_int_equal(parse("drain prefix 192.0.2.0/24 60", &r), CMD_DONE);
	assert_int_equal(r.time_s, 60);
	assert_null(r.text);
	assert_int_equal(parse("drain all work 5m", &r), CMD_DONE);
	assert_int_equal(r.time_s, 300);
	assert_int_equal(parse("drain all 5m 6m", &r), CMD_USAGE);
	assert_int_equal(parse("drain all a b", &r), CMD_USAGE);
	assert_int_equal(parse("drain 192.0.2.0/24", &r), CMD_USAGE);
	assert_int_equal(parse("undrain neighbor x", &r), CMD_DONE);
	assert_int_equal(parse("undrain all 5m", &r), CMD_USAGE);

	assert_int_equal(parse("maintenance start why", &r), CMD_DONE);
	assert_false(r.has_until);
	for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
		snprintf(text, sizeof text, "maintenance start %suntil %s why",
		    i % 2 == 0 ? "--" : "", row[i].text);
		assert_int_equal(parse(text, &r), CMD_DONE);
		assert_true(r.has_until);
		assert_int_equal(r.until_s, row[i].s);
		assert_int_equal(r.until_from_now, row[i].from_now);
		assert_string_equal(r.text, "why");
	}
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		snprintf(
		    text, sizeof text, "maintenance start until %s", bad[i]);
		assert_int_equal(parse(text, &r), CMD_USAGE);
		assert_non_null(strstr(err, " is no end; write 2h, or "));
	}
}

/* A list that grows is written as its beginning and "...". */
static void
said(const char *what, const char *want)
{
	const char *open = strstr(want, "...");

	if (open == NULL || open[3] != '\0')
		assert_string_equal(what, want);
	else
		assert_memory_equal(what, want, (size_t)(open - want));
}

static void
test_errors(void **state)
{
	static const struct {
		const char *text, *say;
	} row[] = {
		{ "", "the command is not complete; next comes: show, ..." },
		{ "-j", "the command is not complete; next comes: show, ..." },
		{ "frobnicate",
		    "\"frobnicate\" is no word that may stand here; these "
		    "are: show, ..." },
		{ "show n",
		    "\"n\" is ambiguous; it may be: neighbor, "
		    "nexthop" },
		{ "show r", "\"r\" is ambiguous; it may be: rib, rejected" },
		{ "show rib", NULL },
		{ "show frob",
		    "\"frob\" is no word that may stand here; these are: "
		    "summary, neighbor, rib, ..." },
		{ "show loop x",
		    "\"x\" is one word too many after \"show "
		    "loop\"" },
		{ "show rib in out", "\"in\" and \"out\" exclude each other" },
		{ "show rib in in",
		    "\"in\" is one too many: in is given "
		    "twice" },
		{ "show rib 10.0.0.0/8 10.0.0.0/9",
		    "\"10.0.0.0/9\" is one too many: PREFIX is given "
		    "twice" },
		{ "show rib 10.0.0.1/8",
		    "\"10.0.0.1/8\" has address bits after its length; did "
		    "you mean 10.0.0.0/8?" },
		{ "show rib frob",
		    "\"frob\" is neither a prefix nor an address" },
		{ "show rib neighbor",
		    "\"neighbor\" wants a NEIGHBOR after "
		    "it" },
		{ "show errors",
		    "the command is not complete; next comes: "
		    "neighbor" },
		{ "show errors neighbor",
		    "the command is not complete; next "
		    "comes: NEIGHBOR" },
		{ "neighbor x",
		    "the command is not complete; next comes: "
		    "clear, down, up, refresh, clear-limit" },
		{ "neighbor x c",
		    "\"c\" is ambiguous; it may be: clear, "
		    "clear-limit" },
		{ "neighbor ~ up", "the NEIGHBOR must not be empty" },
		{ "neighbor x clear ~",
		    "the text for the peer must be printable UTF-8 of 1 to "
		    "255 octets (RFC 9003)" },
		{ "neighbor x clear a b",
		    "\"b\" is one word too many: a text of several words "
		    "stands in quotes" },
		{ "neighbor x clear a\x1b",
		    "the text for the peer must be printable UTF-8 of 1 to "
		    "255 octets (RFC 9003)" },
		{ "reload confirm 2d",
		    "\"2d\" is no time; write 120s or 5m, at most a day" },
		{ "reload confirm 25h",
		    "\"25h\" is no time; write 120s or 5m, at most a day" },
		{ "reload if sessions",
		    "\"sessions\" is no condition; these are: sessions up, "
		    "accepted within PERCENT%" },
		{ "reload if accepted within 101%",
		    "\"accepted\" is no condition; these are: sessions up, "
		    "accepted within PERCENT%" },
		{ "log level frob",
		    "\"frob\" is no log level; these are: "
		    "error, warning, info, debug" },
		{ "shut",
		    "\"shut\" is no word that may stand here; these "
		    "are: show, explain, ..." },
		{ "show \x1b[2J\xff",
		    "\"\\x1b[2J\\xff\" is no word that may "
		    "stand here; these are: summary, neighbor, ..." },
		{ "show ~",
		    "\"\" is no word that may stand here; these are: "
		    "summary, neighbor, rib, ..." },
	};
	struct cmd_req r;
	char text[300] = "shutdown ";

	for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
		assert_int_equal(parse(row[i].text, &r),
		    row[i].say != NULL ? CMD_USAGE : CMD_DONE);
		said(err, row[i].say != NULL ? row[i].say : "");
	}
	memset(text + 9, 'x', CMD_TEXT_MAX);
	assert_int_equal(parse(text, &r), CMD_DONE);
	text[9 + CMD_TEXT_MAX] = 'x';
	assert_int_equal(parse(text, &r), CMD_USAGE);
}

static void
test_table(void **state)
{
	static const struct {
		enum cmd_id id;
		const char *syntax;
	} row[] = {
		{ CMD_SHOW_RIB,
		    "show rib [in|out] [neighbor NEIGHBOR] "
		    "[PREFIX] [best] [detail]" },
		{ CMD_NEIGHBOR_REFRESH, "neighbor NEIGHBOR refresh [in|out]" },
		{ CMD_SHOW_VERSION, "show version" },
		{ CMD_SHUTDOWN, "shutdown [TEXT]" },
	};
	char b[CMD_SYNTAXLEN];
	size_t n;

	for (size_t i = 0; i < sizeof row / sizeof row[0]; i++)
		assert_string_equal(
		    cmd_syntax(cmd_find(row[i].id), b, sizeof b),
		    row[i].syntax);
	/* What changes something is for the administrator alone. */
	for (n = 0; cmd_at(n) != NULL; n++) {
		const struct cmd *c = cmd_at(n);
		bool reads = strncmp(c->path, "show", 4) == 0 ||
		    c->id == CMD_CHECK_HEALTH || c->id == CMD_HELP ||
		    c->id == CMD_MAINTENANCE_SHOW || c->id == CMD_EXPLAIN ||
		    c->id == CMD_TEST_ROUTE || c->id == CMD_WATCH ||
		    c->id == CMD_TOP || c->id == CMD_COMPLETION;

		assert_int_equal(!(c->flags & CMD_ADMIN), reads);
		assert_in_range(strlen(c->help), 1, 60);
		assert_in_range(
		    strlen(cmd_syntax(c, b, sizeof b)), 1, CMD_SYNTAXLEN - 2);
	}
	assert_in_range(n, CMD_N, 64);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_commands),
		cmocka_unit_test(test_rib_any_order),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_drain),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
