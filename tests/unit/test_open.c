/* OPEN and capabilities; errors.md "OPEN". */
#include "tests/unit/wire_help.h"

static struct bytes b;

/* ---- what is refused, and with which data ----------------------------- */

struct row {
	const char *name, *body;
	uint8_t code, sub; /* 0: good */
	size_t at;
	const char *data;
};

#define FIX "04 fdea 005a c0000201 " /* version 4, AS 65002, 90 s */

/* clang-format off */
static const struct row rows[] = {
	{ "no parameter", FIX "00", 0, 0, 0, "" },
	{ "hold time 0", "04 fdea 0000 c0000201 00", 0, 0, 0, "" },
	{ "hold time 3", "04 fdea 0003 c0000201 00", 0, 0, 0, "" },
	{ "identifier of class E", "04 fdea 005a ffffffff 00", 0, 0, 0, "" },
	{ "capability not known, 0 too", FIX "08 02 06 c8 01 00 00 01 00", 0, 0, 0, "" },
	{ "capability of wrong length", FIX "05 02 03 02 01 00", 0, 0, 0, "" },
	{ "empty capability parameter", FIX "02 02 00", 0, 0, 0, "" },
	{ "several parameters", FIX "08 02 02 02 00 02 02 46 00", 0, 0, 0, "" },
	{ "RFC 9072", FIX "ff ff 0005 02 0002 02 00", 0, 0, 0, "" },
	{ "RFC 9072, small and not 255", FIX "01 ff 0000", 0, 0, 0, "" },

	{ "short", "04 fdea 005a c0000201", 1, 2, 16, "001c" },
	{ "version 3", "03 0000 0001 00000000 00", 2, 1, 19, "0004" },
	{ "version 5", "05 fdea 005a c0000201 05", 2, 1, 19, "0004" },
	{ "AS 0", "04 0000 005a c0000201 00", 2, 2, 20, "" },
	{ "AS_TRANS alone", "04 5ba0 005a c0000201 00", 2, 2, 20, "" },
	{ "capability 65 of AS 0", "04 5ba0 005a c0000201 08 02 06 41 04 00000000", 2, 2, 20, "" },
	{ "capability 65 of AS_TRANS", "04 5ba0 005a c0000201 08 02 06 41 04 00005ba0", 2, 2, 20, "" },
	{ "capability 65 of another AS", FIX "08 02 06 41 04 00011170", 2, 2, 20, "" },
	{ "hold time 1", "04 fdea 0001 c0000201 00", 2, 6, 22, "" },
	{ "hold time 2", "04 fdea 0002 c0000201 00", 2, 6, 22, "" },
	{ "identifier 0", "04 fdea 005a 00000000 00", 2, 3, 24, "" },
	{ "AS before hold time", "04 0000 0001 00000000 00", 2, 2, 20, "" },
	{ "hold time before identifier", "04 fdea 0001 00000000 00", 2, 6, 22, "" },
	{ "parameters before AS", "04 0000 0001 00000000 01", 2, 0, 28, "" },
	{ "length 0, octets left", FIX "00 02 00", 2, 0, 28, "" },
	{ "length 0, then 255", FIX "00 ff 0000", 2, 0, 28, "" },
	{ "length too small", FIX "02 02 02 02 00", 2, 0, 28, "" },
	{ "length too big", FIX "05 02 02 02 00", 2, 0, 28, "" },
	{ "length, no octets", FIX "04", 2, 0, 28, "" },
	{ "half a parameter", FIX "01 02", 2, 0, 29, "" },
	{ "parameter runs over", FIX "04 02 03 02 00", 2, 0, 29, "" },
	{ "half a capability", FIX "03 02 01 02", 2, 0, 31, "" },
	{ "capability runs over", FIX "04 02 02 02 01", 2, 0, 31, "" },
	{ "second capability runs over", FIX "06 02 04 02 00 41 04", 2, 0, 33, "" },
	{ "authentication", FIX "03 01 01 00", 2, 4, 29, "" },
	{ "parameter 3", FIX "02 03 00", 2, 4, 29, "" },
	{ "parameter 255, second", FIX "04 02 00 ff 00", 2, 4, 31, "" },
	{ "RFC 9072, inner 255", FIX "ff ff 0003 ff 0000", 2, 4, 32, "" },
	{ "RFC 9072, no total", FIX "ff ff 00", 2, 0, 30, "" },
	{ "RFC 9072, total too big", FIX "ff ff 0006 02 0002 02 00", 2, 0, 30, "" },
	{ "RFC 9072, total too small", FIX "ff ff 0004 02 0002 02 00", 2, 0, 30, "" },
	{ "RFC 9072, one-octet length", FIX "ff ff 0004 02 02 02 00", 2, 0, 32, "" },
};
/* clang-format on */

static void
test_table(void **state)
{
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const struct row *r = &rows[i];
		struct wire_open o;
		struct wire_err e;
		struct cur c;

		print_message("# %s\n", r->name);
		msg_make(&b, MSG_OPEN, r->body);
		c = body_of(&b);
		if (r->code == 0) {
			assert_int_equal(wire_open_parse(&c, &o, &e), WIRE_OK);
			assert_int_equal(cur_left(&c), 0);
			continue;
		}
		assert_int_equal(wire_open_parse(&c, &o, &e), WIRE_RESET);
		assert_int_equal(e.verdict, WIRE_RESET);
		assert_int_equal(e.code, r->code);
		assert_int_equal(e.sub, r->sub);
		assert_int_equal(e.at, r->at);
		assert_non_null(e.why);
		assert_non_null(e.rfc);
		assert_hex(err_data(&e), e.len, r->data);
	}
}

/* ---- capabilities ----------------------------------------------------- */

static struct wire_caps
caps_of(const char *caps)
{
	struct wire_open o;
	struct wire_err e;
	struct cur c;
	size_t at;

	msg_make(&b, MSG_OPEN, FIX "00 02 00");
	at = b.n;
	hex_add(&b, caps);
	b.p[at - 1] = (uint8_t)(b.n - at);
	b.p[at - 3] = (uint8_t)(b.n - at + 2);
	put16(&b, 16, b.n);
	c = body_of(&b);
	assert_int_equal(wire_open_parse(&c, &o, &e), WIRE_OK);
	return o.caps;
}

static void
test_none(void **state)
{
	struct wire_open o;
	struct wire_err e;
	struct cur c;

	msg_make(&b, MSG_OPEN, FIX "00");
	c = body_of(&b);
	assert_int_equal(wire_open_parse(&c, &o, &e), WIRE_OK);
	assert_int_equal(o.version, 4);
	assert_int_equal(o.my_as, 65002);
	assert_int_equal(o.as, 65002);
	assert_int_equal(o.hold_s, 90);
	assert_int_equal(o.id, 0xc0000201);
	assert_false(o.caps.any);
	assert_int_equal(o.caps.role, ROLE_NONE);
	assert_false(caps_of("").any);
	assert_true(caps_of("c8 00").any);
}

static void
test_mp(void **state)
{
	struct wire_caps k = caps_of("01 04 0001 00 01  01 04 0002 ff 01");

	assert_true(k.mp[FAM_INET] && k.mp[FAM_INET6]);
	/* Other families are the peer's own affair; a bad length is not. */
	assert_true(k.mp_there);
	k = caps_of("01 04 0001 00 02  01 04 0019 00 01  01 03 000200");
	assert_false(k.mp[FAM_INET] || k.mp[FAM_INET6]);
	assert_true(k.mp_there);
	assert_false(caps_of("02 00").mp_there);
	k = caps_of("01 03 000200");
	assert_false(k.mp_there);
	assert_int_equal(k.bad, 1);
	assert_int_equal(k.unknown, 0);
}

static void
test_flags(void **state)
{
	struct wire_caps k = caps_of("02 00 06 00 46 00");

	assert_true(k.refresh && k.ext_msg && k.enhanced_refresh);
	k = caps_of("02 01 00  06 01 00  46 01 00");
	assert_false(k.refresh || k.ext_msg || k.enhanced_refresh);
	assert_int_equal(k.bad, 3);
}

static void
test_ext_nexthop(void **state)
{
	assert_true(caps_of("05 06 0001 0001 0002").ext_nexthop);
	assert_true(caps_of("05 0c 0001 0080 0002 0001 0001 0002").ext_nexthop);
	assert_false(caps_of("05 06 0001 0001 0001").ext_nexthop);
	assert_false(caps_of("05 06 0002 0001 0002").ext_nexthop);
	assert_int_equal(caps_of("05 05 0001 0001 00").bad, 1);
}

static void
test_role(void **state)
{
	struct wire_caps k = caps_of("09 01 03  09 01 03");

	assert_true(k.role_there);
	assert_false(k.role_conflict);
	assert_int_equal(k.role, ROLE_CUSTOMER);
	k = caps_of("09 01 03  09 01 00");
	assert_true(k.role_conflict);
	assert_int_equal(k.role, ROLE_CUSTOMER);
	k = caps_of("09 02 0303");
	assert_false(k.role_there);
	assert_int_equal(k.role, ROLE_NONE);
	assert_int_equal(k.bad, 1);
}

static void
test_gr(void **state)
{
	struct wire_caps k =
	    caps_of("40 0e c078 0001 01 80 0002 01 00 0001 80 80");

	assert_true(k.gr && k.gr_restart && k.gr_notification);
	assert_int_equal(k.gr_time_s, 120);
	assert_true(k.gr_fam[FAM_INET] && k.gr_fwd[FAM_INET]);
	assert_true(k.gr_fam[FAM_INET6]);
	assert_false(k.gr_fwd[FAM_INET6]);
	/* RFC 4724 3: the last one counts. */
	k = caps_of("40 06 8078 0001 01 80  40 02 0fff");
	assert_true(k.gr);
	assert_false(k.gr_restart || k.gr_fam[FAM_INET] || k.gr_fwd[FAM_INET]);
	assert_int_equal(k.gr_time_s, 4095);
	k = caps_of("40 05 8078 0001 01");
	assert_false(k.gr);
	assert_int_equal(k.bad, 1);
}

static void
test_as4(void **state)
{
	struct wire_caps k = caps_of("41 04 0000fdea  41 04 0000fdeb");

	assert_true(k.as4);
	assert_int_equal(k.as4_as, 65002); /* the first counts */
	k = caps_of("41 02 fdea");
	assert_false(k.as4);
	assert_int_equal(k.bad, 1);
}

static void
test_as_trans(void **state)
{
	struct wire_open o;
	struct wire_err e;
	struct cur c;

	msg_make(&b, MSG_OPEN, "04 5ba0 005a c0000201 08 02 06 41 04 00011170");
	c = body_of(&b);
	assert_int_equal(wire_open_parse(&c, &o, &e), WIRE_OK);
	assert_int_equal(o.as, 70000);
	assert_int_equal(o.my_as, WIRE_AS_TRANS);
}

static void
test_others(void **state)
{
	struct wire_caps k = caps_of("45 04 00010103  49 02 0161 c8 00 00 00");

	assert_int_equal(k.unknown, 3); /* 73, 200 and 0; not add-path */
	assert_int_equal(caps_of("45 03 000101").bad, 1);
	assert_string_equal(wire_cap_name(CAP_AS4), "4-octet AS number");
	assert_null(wire_cap_name(200));
	assert_null(wire_cap_name(1000));
}

/* ---- writing ---------------------------------------------------------- */

static void
test_write(void **state)
{
	struct wire_open o = { .version = 4,
		.my_as = WIRE_AS_TRANS,
		.as = 70000,
		.hold_s = 90,
		.id = 0xc0000201 },
			 back;
	uint8_t buf[256], again[256];
	struct wire_err e;
	struct wbuf w, v;
	struct cur c;

	o.caps = (struct wire_caps){ .any = true,
		.mp_there = true,
		.refresh = true,
		.enhanced_refresh = true,
		.ext_nexthop = true,
		.ext_msg = true,
		.as4 = true,
		.as4_as = 70000,
		.role_there = true,
		.role = ROLE_PEER,
		.gr = true,
		.gr_restart = true,
		.gr_notification = true,
		.gr_time_s = 120 };
	for (enum fam f = FAM_INET; f < FAM_N; f++)
		o.caps.mp[f] = o.caps.gr_fam[f] = true;
	o.caps.gr_fwd[FAM_INET6] = true;
	wbuf_init(&w, buf, sizeof buf);
	wire_open_write(&w, &o);
	assert_false(w.over);
	assert_hex(buf, w.len,
	    "ffffffffffffffffffffffffffffffff 004e 01"
	    "04 5ba0 005a c0000201 31 02 2f"
	    "01 04 0001 00 01  01 04 0002 00 01  02 00"
	    "05 06 0001 0001 0002  06 00  09 01 04"
	    "40 0a c078 0001 01 00 0002 01 80  41 04 00011170  46 00");
	cur_init(&c, buf + WIRE_HDR_LEN, w.len - WIRE_HDR_LEN);
	assert_int_equal(wire_open_parse(&c, &back, &e), WIRE_OK);
	/* Nothing got lost: it writes the same again. */
	wbuf_init(&v, again, sizeof again);
	wire_open_write(&v, &back);
	assert_int_equal(v.len, w.len);
	assert_memory_equal(again, buf, w.len);
	assert_int_equal(back.as, 70000);
	assert_true(back.caps.any && back.caps.mp_there);

	/* After a refusal of parameters: none at all. */
	o.caps.any = false;
	wbuf_init(&w, buf, sizeof buf);
	wire_open_write(&w, &o);
	assert_hex(buf, w.len,
	    "ffffffffffffffffffffffffffffffff 001d 01"
	    "04 5ba0 005a c0000201 00");
}

static void
test_caps_write(void **state)
{
	struct wire_caps k = { .mp = { [FAM_INET6] = true }, .refresh = true };
	uint8_t buf[16];
	struct wbuf w;

	wbuf_init(&w, buf, sizeof buf);
	wire_caps_write(&w, &k);
	assert_hex(buf, w.len, "01 04 0002 00 01 02 00");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_none),
		cmocka_unit_test(test_mp),
		cmocka_unit_test(test_flags),
		cmocka_unit_test(test_ext_nexthop),
		cmocka_unit_test(test_role),
		cmocka_unit_test(test_gr),
		cmocka_unit_test(test_as4),
		cmocka_unit_test(test_as_trans),
		cmocka_unit_test(test_others),
		cmocka_unit_test(test_write),
		cmocka_unit_test(test_caps_write),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
