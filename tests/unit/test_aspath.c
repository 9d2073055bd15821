/* AS_PATH: questions, prepending, printing; RFC 4271 5.1.2. */
#include "tests/unit/wire_help.h"

static struct bytes b;

static struct octets
path(const char *hex)
{
	b.n = 0;
	hex_add(&b, hex);
	return (struct octets){ b.p, (uint16_t)b.n };
}

struct row {
	const char *hex, *text;
	unsigned int length;
	uint32_t first, origin;
	bool set;
};

/* clang-format off */
static const struct row rows[] = {
	{ "", "", 0, 0, 0, false },
	{ "02 01 0000fdea", "65002", 1, 65002, 65002, false },
	{ "02 03 0000fdea 00011170 00000009", "65002 70000 9", 3, 65002, 9, false },
	{ "02 01 0000fdea 01 02 00000001 00000002", "65002 { 1 2 }", 2, 65002, 0, true },
	{ "01 01 00000007", "{ 7 }", 1, 0, 0, true },
	{ "01 01 00000007 02 01 00000008", "{ 7 } 8", 2, 0, 8, true },
	{ "02 01 00000001 02 01 00000002", "1 2", 2, 1, 2, false },
	{ "03 02 00000001 00000002 02 01 00000003", "( 1 2 ) 3", 1, 0, 3, false },
	{ "04 01 00000001", "[ 1 ]", 0, 0, 0, true },
	{ "02 01 ffffffff", "4294967295", 1, 4294967295, 4294967295, false },
};
/* clang-format on */

static void
test_table(void **state)
{
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct octets p = path(rows[i].hex);
		char buf[64];

		assert_int_equal(
		    aspath_print(p, buf, sizeof buf), strlen(rows[i].text));
		assert_string_equal(buf, rows[i].text);
		assert_int_equal(aspath_length(p), rows[i].length);
		assert_int_equal(aspath_first(p), rows[i].first);
		assert_int_equal(aspath_origin(p), rows[i].origin);
		assert_int_equal(aspath_has_set(p), rows[i].set);
	}
}

static void
test_null(void **state)
{
	struct octets none = { NULL, 0 };
	char buf[8];
	size_t pos = 0;
	uint32_t as;
	uint8_t type;

	assert_int_equal(aspath_length(none), 0);
	assert_int_equal(aspath_first(none), 0);
	assert_false(aspath_next(none, &pos, &as, &type));
	assert_int_equal(aspath_print(none, buf, sizeof buf), 0);
	assert_string_equal(buf, "");
}

static void
test_print_short(void **state)
{
	struct octets p = path("02 02 0000fdea 00011170");
	char buf[8];

	assert_int_equal(aspath_print(p, buf, sizeof buf), 11);
	assert_string_equal(buf, "65002 7");
	assert_int_equal(aspath_print(p, NULL, 0), 11);
}

static void
test_has(void **state)
{
	struct octets p =
	    path("02 02 00000001 00000002 01 02 00000003 00000004");

	assert_true(aspath_has(p, 1));
	assert_true(aspath_has(p, 4));
	assert_false(aspath_has(p, 5));
	assert_false(aspath_has(p, 0x0202));
}

static void
test_next(void **state)
{
	struct octets p = path(
	    "02 02 00000001 00000002 01 02 00000003 00000004 02 01 00000005");
	static const uint8_t types[] = { 2, 2, 1, 1, 2 };
	size_t pos = 0, n = 0;
	uint32_t as;
	uint8_t type;

	for (; aspath_next(p, &pos, &as, &type); n++) {
		assert_int_equal(as, n + 1);
		assert_int_equal(type, types[n]);
	}
	assert_int_equal(n, 5);
}

/* The longest path there is: the position must hold it. */
static void
test_next_long(void **state)
{
	size_t pos = 0, n = 0;
	uint32_t as;
	uint8_t type;

	b.n = 0;
	while (b.n + 2 + 255 * 4 <= UINT16_MAX) {
		b.p[b.n++] = SEG_SEQUENCE;
		b.p[b.n++] = 255;
		for (int i = 0; i < 255; i++)
			hex_add(&b, "00000001");
	}
	while (aspath_next(
	    (struct octets){ b.p, (uint16_t)b.n }, &pos, &as, &type))
		n++;
	assert_int_equal(n, 64 * 255);
}

static void
test_prepend(void **state)
{
	/* clang-format off */
	static const struct { const char *was; unsigned int n; const char *want; } t[] = {
		{ "", 1, "02 01 000000ff" },
		{ "", 0, "" },
		{ "02 01 00000001", 0, "02 01 00000001" },
		{ "02 01 00000001", 2, "02 03 000000ff 000000ff 00000001" },
		{ "01 01 00000001", 1, "02 01 000000ff 01 01 00000001" },
		{ "02 01 00000001 01 01 00000002", 1, "02 02 000000ff 00000001 01 01 00000002" },
	};
	/* clang-format on */
	struct arena arena;

	arena_init(&arena);
	for (size_t i = 0; i < sizeof t / sizeof t[0]; i++) {
		struct octets p =
		    aspath_prepend(path(t[i].was), 255, t[i].n, &arena);

		assert_hex(p.p, p.len, t[i].want);
	}
	arena_fini(&arena);
}

/* RFC 4271 5.1.2: a full segment gets a new one in front. */
static void
test_prepend_full(void **state)
{
	struct arena arena;
	struct octets p;

	arena_init(&arena);
	p = aspath_prepend(path(""), 7, 255, &arena);
	assert_int_equal(p.len, 2 + 4 * 255);
	p = aspath_prepend(p, 8, 1, &arena);
	assert_int_equal(p.len, 2 + 4 + 2 + 4 * 255);
	assert_int_equal(p.p[1], 1);
	assert_int_equal(p.p[7], 255);
	assert_int_equal(aspath_first(p), 8);
	assert_int_equal(aspath_length(p), 256);
	p = aspath_prepend(p, 9, 600, &arena);
	assert_int_equal(aspath_length(p), 856);
	assert_int_equal(aspath_first(p), 9);
	/* 254 and 2: one joins, one needs a segment. */
	p = aspath_prepend(path(""), 7, 254, &arena);
	p = aspath_prepend(p, 8, 2, &arena);
	assert_int_equal(p.len, 6 + 2 + 4 * 255);
	assert_int_equal(p.p[1], 1);
	arena_fini(&arena);
}

/* A path that grows past what an attribute can hold fits no message. */
static void
test_prepend_too_long(void **state)
{
	static uint8_t buf[70000];
	struct wire_neg neg = {
		.as4 = true, .ext_tx = true, .mp = { false, true, true }
	};
	struct attrs a = { .has = 1 << HAS_ORIGIN | 1 << HAS_AS_PATH,
		.nexthop = addr_v4(0xc0000201) };
	struct pfx pfx = { addr_v4(0x0a000000), 8 };
	struct arena arena;
	struct wbuf w;

	arena_init(&arena);
	a.as_path = aspath_prepend(path(""), 7, 16000, &arena);
	assert_int_equal(aspath_length(a.as_path), 16000);
	wbuf_init(&w, buf, sizeof buf);
	assert_int_equal(wire_update_write(&w, &neg, &a, FAM_INET, &pfx, 1), 1);
	for (unsigned int n = 300; n < 500; n++) {
		struct attrs more = a;

		more.as_path = aspath_prepend(a.as_path, 8, n, &arena);
		wbuf_init(&w, buf, sizeof buf);
		if (aspath_length(more.as_path) < 16000 + n) {
			assert_int_equal(wire_update_write(&w, &neg, &more,
					     FAM_INET, &pfx, 1),
			    0);
			assert_int_equal(w.len, 0);
			assert_false(w.over);
		}
	}
	arena_fini(&arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_null),
		cmocka_unit_test(test_print_short),
		cmocka_unit_test(test_has),
		cmocka_unit_test(test_next),
		cmocka_unit_test(test_next_long),
		cmocka_unit_test(test_prepend),
		cmocka_unit_test(test_prepend_full),
		cmocka_unit_test(test_prepend_too_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
