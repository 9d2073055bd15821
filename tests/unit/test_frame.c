/* Frames: RFC 4271 6.1, RFC 8654; errors.md "Header". */
#include "tests/unit/wire_help.h"

#define FF16 "ffffffffffffffffffffffffffffffff"

struct row {
	const char *name, *hex;
	size_t pad; /* that many zero octets behind it */
	bool ext;
	enum wire_frame want;
	uint8_t sub;
	size_t at;
	const char *data;
};

/* clang-format off */
static const struct row rows[] = {
	{ "keepalive", FF16 "0013 04", 0, false, FRAME_MSG, 0, 0, "" },
	{ "open of 29", FF16 "001d 01", 10, false, FRAME_MSG, 0, 0, "" },
	{ "update of 23", FF16 "0017 02", 4, false, FRAME_MSG, 0, 0, "" },
	{ "notification of 21", FF16 "0015 03", 2, false, FRAME_MSG, 0, 0, "" },
	{ "refresh of 23", FF16 "0017 05", 4, false, FRAME_MSG, 0, 0, "" },
	{ "refresh of 19 is refresh.c's", FF16 "0013 05", 0, false, FRAME_MSG, 0, 0, "" },
	{ "update of 4096", FF16 "1000 02", 4077, false, FRAME_MSG, 0, 0, "" },
	{ "update of 4097, extended", FF16 "1001 02", 4078, true, FRAME_MSG, 0, 0, "" },
	{ "update of 65535, extended", FF16 "ffff 02", 65516, true, FRAME_MSG, 0, 0, "" },
	{ "notification of 65535, extended", FF16 "ffff 03", 65516, true, FRAME_MSG, 0, 0, "" },
	{ "two messages", FF16 "0013 04" FF16 "0013 04", 0, false, FRAME_MSG, 0, 0, "" },
	{ "nothing", "", 0, false, FRAME_MORE, 0, 0, "" },
	{ "half a marker", "ffffffffff", 0, false, FRAME_MORE, 0, 0, "" },
	{ "marker only", FF16, 0, false, FRAME_MORE, 0, 0, "" },
	{ "half a length", FF16 "00", 0, false, FRAME_MORE, 0, 0, "" },
	{ "no type", FF16 "0017", 0, false, FRAME_MORE, 0, 0, "" },
	{ "no body", FF16 "0017 02", 3, false, FRAME_MORE, 0, 0, "" },
	{ "first octet", "00", 0, false, FRAME_BAD, HDR_NOT_SYNCED, 0, "" },
	{ "third octet, seen at once", "ffff7f", 0, false, FRAME_BAD, HDR_NOT_SYNCED, 2, "" },
	{ "last octet", "ffffffffffffffffffffffffffffff00 0013 04", 0, false, FRAME_BAD, HDR_NOT_SYNCED, 15, "" },
	{ "marker before length", "00ffffffffffffffffffffffffffffff 0000 09", 0, false, FRAME_BAD, HDR_NOT_SYNCED, 0, "" },
	{ "length 0", FF16 "0000", 0, false, FRAME_BAD, HDR_BAD_LENGTH, 16, "0000" },
	{ "length 18", FF16 "0012 04", 0, false, FRAME_BAD, HDR_BAD_LENGTH, 16, "0012" },
	{ "length 4097", FF16 "1001", 0, false, FRAME_BAD, HDR_BAD_LENGTH, 16, "1001" },
	{ "length before type", FF16 "0012 09", 0, false, FRAME_BAD, HDR_BAD_LENGTH, 16, "0012" },
	{ "type 0", FF16 "0013 00", 0, false, FRAME_BAD, HDR_BAD_TYPE, 18, "00" },
	{ "type 6", FF16 "0013 06", 0, false, FRAME_BAD, HDR_BAD_TYPE, 18, "06" },
	{ "type 255", FF16 "0017 ff", 0, false, FRAME_BAD, HDR_BAD_TYPE, 18, "ff" },
	{ "open of 28", FF16 "001c 01", 0, false, FRAME_BAD, HDR_BAD_LENGTH, 16, "001c" },
	{ "open of 4097, extended", FF16 "1001 01", 0, true, FRAME_BAD, HDR_BAD_LENGTH, 16, "1001" },
	{ "update of 22", FF16 "0016 02", 0, false, FRAME_BAD, HDR_BAD_LENGTH, 16, "0016" },
	{ "notification of 20", FF16 "0014 03", 0, false, FRAME_BAD, HDR_BAD_LENGTH, 16, "0014" },
	{ "keepalive of 20", FF16 "0014 04", 1, false, FRAME_BAD, HDR_BAD_LENGTH, 16, "0014" },
	{ "keepalive of 4097, extended", FF16 "1001 04", 0, true, FRAME_BAD, HDR_BAD_LENGTH, 16, "1001" },
};
/* clang-format on */

static struct bytes b;

static void
check(const struct row *r)
{
	struct wire_err e;
	struct wire_hdr h;
	struct cur in, was, body;

	b.n = 0;
	hex_add(&b, r->hex);
	memset(b.p + b.n, 0, r->pad);
	b.n += r->pad;
	cur_init(&in, b.p, b.n);
	was = in;
	assert_int_equal(wire_frame(&in, r->ext, &h, &body, &e), r->want);
	if (r->want == FRAME_MSG) {
		assert_ptr_equal(in.p, b.p + h.len);
		assert_ptr_equal(body.p, b.p + WIRE_HDR_LEN);
		assert_int_equal(cur_left(&body), h.len - WIRE_HDR_LEN);
		assert_int_equal(h.type, b.p[18]);
		return;
	}
	assert_ptr_equal(in.p, was.p);
	if (r->want == FRAME_MORE)
		return;
	assert_int_equal(e.verdict, WIRE_RESET);
	assert_int_equal(e.code, NOTIF_HEADER);
	assert_int_equal(e.sub, r->sub);
	assert_int_equal(e.at, r->at);
	assert_non_null(e.why);
	assert_string_equal(e.rfc, "RFC 4271 6.1");
	assert_hex(err_data(&e), e.len, r->data);
}

static void
test_table(void **state)
{
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		print_message("# %s\n", rows[i].name);
		check(&rows[i]);
	}
}

/* Whatever the cut, a message is "more" until its last octet is there. */
static void
test_cuts(void **state)
{
	struct wire_err e;
	struct wire_hdr h;
	struct cur in, body;

	msg_make(&b, MSG_UPDATE, "0000 0000 08 0a");
	for (size_t n = 0; n <= b.n; n++) {
		cur_init(&in, b.p, n);
		assert_int_equal(wire_frame(&in, false, &h, &body, &e),
		    n < b.n ? FRAME_MORE : FRAME_MSG);
	}
}

static void
test_write(void **state)
{
	uint8_t buf[64];
	struct wbuf w;

	wbuf_init(&w, buf, sizeof buf);
	wire_keepalive_write(&w);
	assert_hex(buf, w.len, FF16 "0013 04");
	/* The second behind the first; the fourth does not fit. */
	wire_keepalive_write(&w);
	wire_keepalive_write(&w);
	assert_int_equal(w.len, 57);
	assert_false(w.over);
	wire_keepalive_write(&w);
	assert_int_equal(w.len, 57);
	assert_true(w.over);
}

static void
test_names(void **state)
{
	assert_string_equal(wire_type_name(MSG_OPEN), "OPEN");
	assert_string_equal(wire_type_name(MSG_ROUTE_REFRESH), "ROUTE-REFRESH");
	assert_string_equal(wire_type_name(0), "unknown");
	assert_string_equal(wire_type_name(6), "unknown");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_cuts),
		cmocka_unit_test(test_write),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
