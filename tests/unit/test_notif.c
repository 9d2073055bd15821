/* NOTIFICATION: texts (RFC 9003), envelopes (RFC 8538), names. */
#include "tests/unit/wire_help.h"

static struct bytes b;

static struct wire_notif
parse(const char *body)
{
	struct wire_notif n;
	struct cur c;

	msg_make(&b, MSG_NOTIFICATION, body);
	c = body_of(&b);
	wire_notif_parse(&c, &n);
	return n;
}

static void
test_plain(void **state)
{
	struct wire_notif n = parse("03 09 aabb");

	assert_int_equal(n.code, NOTIF_UPDATE);
	assert_int_equal(n.sub, UPD_OPTIONAL);
	assert_false(n.hard);
	assert_hex(n.data, n.len, "aabb");
	assert_string_equal(n.text, "");
	/* Cut off: as far as it goes. */
	n = parse("06");
	assert_int_equal(n.code, NOTIF_CEASE);
	assert_int_equal(n.sub, 0);
	assert_int_equal(n.len, 0);
	n = parse("");
	assert_int_equal(n.code, 0);
}

static void
test_text(void **state)
{
	/* clang-format off */
	static const struct { const char *body, *want; } rows[] = {
		{ "0602 05 68656c6c6f", "hello" },
		{ "0604 05 68656c6c6f", "hello" },
		{ "0602", "" },
		{ "0602 00", "" },
		{ "0602 00 6869", "" },			/* cut to its length */
		{ "0602 02 68656c6c6f", "he" },
		{ "0602 ff 68656c6c6f", "hello" },	/* cut to the message */
		{ "0603 05 68656c6c6f", "" },		/* has no text */
		{ "0502 05 68656c6c6f", "" },
		{ "0602 05 61c3bc6264", "a\xc3\xbc" "bd" },
		{ "0602 04 f09f98ba", "\xf0\x9f\x98\xba" },
		{ "0602 07 611b5b326d0a62", "a\\x1b[2m\\x0ab" },
		{ "0602 02 7f5c", "\\x7f\\x5c" },
		{ "0602 02 c285", "\\xc2\\x85" },	/* C1 control */
		{ "0602 03 e280ae", "\\xe2\\x80\\xae" }, /* right to left */
		{ "0602 01 ff", "\\xff" },
		{ "0602 02 c3ff", "\\xc3\\xff" },
		{ "0602 02 c080", "\\xc0\\x80" },	/* overlong */
		{ "0602 02 c181", "\\xc1\\x81" },	/* an overlong A */
		{ "0602 03 e08080", "\\xe0\\x80\\x80" },
		{ "0602 03 eda080", "\\xed\\xa0\\x80" }, /* surrogate */
		{ "0602 04 f4908080", "\\xf4\\x90\\x80\\x80" },
		{ "0602 02 61c3", "a\\xc3" },
		{ "0602 03 c3bc ff 00", "\xc3\xbc\\xff" },
	};
	/* clang-format on */

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct wire_notif n = parse(rows[i].body);

		assert_string_equal(n.text, rows[i].want);
	}
}

/* 255 octets, each four characters. */
static void
test_text_long(void **state)
{
	struct wire_notif n;
	struct cur c;

	msg_make(&b, MSG_NOTIFICATION, "06 02 ff");
	memset(b.p + b.n, 0xff, 300);
	b.n += 300;
	c = body_of(&b);
	wire_notif_parse(&c, &n);
	assert_int_equal(strlen(n.text), 4 * 255);
}

static void
test_hard(void **state)
{
	struct wire_notif n = parse("06 09 06 02 02 6869");

	assert_true(n.hard);
	assert_int_equal(n.code, NOTIF_CEASE);
	assert_int_equal(n.sub, CEASE_SHUTDOWN);
	assert_string_equal(n.text, "hi");
	assert_hex(n.data, n.len, "02 6869");
	n = parse("06 09 04 00");
	assert_true(n.hard);
	assert_int_equal(n.code, NOTIF_HOLD);
	assert_int_equal(n.len, 0);
	/* Not enough for an inner one. */
	n = parse("06 09 04");
	assert_false(n.hard);
	assert_int_equal(n.sub, CEASE_HARD_RESET);
	assert_hex(n.data, n.len, "04");
	/* Never unwrapped twice. */
	n = parse("06 09 06 09 06 02");
	assert_true(n.hard);
	assert_int_equal(n.sub, CEASE_HARD_RESET);
	assert_hex(n.data, n.len, "06 02");
}

static void
test_write(void **state)
{
	static uint8_t buf[8192], data[6000];
	struct wbuf w;

	wbuf_init(&w, buf, sizeof buf);
	wire_notif_write(&w, 2, 1, (const uint8_t *)"\0\4", 2, false);
	assert_hex(
	    buf, w.len, "ffffffffffffffffffffffffffffffff 0017 03 02 01 0004");
	wbuf_init(&w, buf, sizeof buf);
	wire_notif_write(&w, 4, 0, NULL, 0, false);
	assert_hex(
	    buf, w.len, "ffffffffffffffffffffffffffffffff 0015 03 04 00");
	wbuf_init(&w, buf, sizeof buf);
	wire_notif_write(&w, 6, 2, (const uint8_t *)"\1x", 2, true);
	assert_hex(buf, w.len,
	    "ffffffffffffffffffffffffffffffff 0019 03 0609 0602 0178");
	/* Too much data is cut: RFC 8654 4. */
	for (int hard = 0; hard < 2; hard++) {
		wbuf_init(&w, buf, sizeof buf);
		wire_notif_write(&w, 3, 9, data, sizeof data, hard);
		assert_false(w.over);
		assert_int_equal(w.len, WIRE_MAX);
		assert_int_equal(buf[16] << 8 | buf[17], WIRE_MAX);
	}
}

static void
test_shutdown_text(void **state)
{
	uint8_t buf[256];
	char text[400];

	assert_int_equal(wire_shutdown_text(buf, sizeof buf, NULL, 128), 0);
	assert_int_equal(wire_shutdown_text(buf, sizeof buf, "", 128), 0);
	assert_hex(
	    buf, wire_shutdown_text(buf, sizeof buf, "hi", 128), "02 6869");
	memset(text, 'a', sizeof text);
	text[399] = '\0';
	assert_int_equal(wire_shutdown_text(buf, sizeof buf, text, 128), 129);
	assert_int_equal(wire_shutdown_text(buf, sizeof buf, text, 999), 256);
	assert_int_equal(buf[0], 255);
	assert_int_equal(wire_shutdown_text(buf, 10, text, 128), 10);
	assert_int_equal(wire_shutdown_text(buf, 1, text, 128), 0);
	/* Never within a character, never what is none. */
	assert_hex(buf,
	    wire_shutdown_text(buf, sizeof buf, "a\xc3\xbc\xc3\xbc", 4),
	    "03 61c3bc");
	assert_hex(
	    buf, wire_shutdown_text(buf, sizeof buf, "ab\xff", 9), "02 6162");
	assert_int_equal(wire_shutdown_text(buf, sizeof buf, "\xff", 9), 0);
}

static void
test_names(void **state)
{
	assert_string_equal(wire_notif_name(6), "Cease");
	assert_string_equal(wire_notif_name(8), "Send Hold Timer Expired");
	assert_string_equal(wire_notif_name(0), "unknown error");
	assert_string_equal(wire_notif_name(9), "unknown error");
	assert_string_equal(
	    wire_notif_subname(6, 2), "Administrative Shutdown");
	assert_string_equal(wire_notif_subname(2, 11), "Role Mismatch");
	assert_string_equal(wire_notif_subname(6, 0), "Unspecific");
	for (unsigned int c = 0; c < 256; c++)
		for (unsigned int s = 0; s < 256; s++)
			assert_non_null(
			    wire_notif_subname((uint8_t)c, (uint8_t)s));
	assert_string_equal(wire_notif_subname(6, 11), "unknown subcode");
	assert_string_equal(wire_notif_subname(4, 1), "unknown subcode");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain),
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_text_long),
		cmocka_unit_test(test_hard),
		cmocka_unit_test(test_write),
		cmocka_unit_test(test_shutdown_text),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
