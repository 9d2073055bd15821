/* ROUTE-REFRESH; errors.md "Route refresh". */
#include "tests/unit/wire_help.h"

static struct bytes b;

struct row {
	const char *name, *body;
	bool enhanced;
	uint8_t code, sub; /* 0: good */
	enum fam fam;
	uint8_t subtype;
};

/* clang-format off */
static const struct row rows[] = {
	{ "request", "0001 00 01", false, 0, 0, FAM_INET, 0 },
	{ "request, IPv6", "0002 00 01", true, 0, 0, FAM_INET6, 0 },
	{ "BoRR", "0001 01 01", true, 0, 0, FAM_INET, 1 },
	{ "EoRR", "0002 02 01", true, 0, 0, FAM_INET6, 2 },
	{ "reserved octet", "0001 01 01", false, 0, 0, FAM_INET, 0 },
	{ "subtype 3", "0001 03 01", true, 0, 0, FAM_INET, 3 },
	{ "subtype 255, longer", "0001 ff 01 00", true, 0, 0, FAM_INET, 255 },
	{ "multicast", "0001 00 02", false, 0, 0, FAM_NONE, 0 },
	{ "L2VPN", "0019 00 46", false, 0, 0, FAM_NONE, 0 },
	{ "ORF", "0001 00 01 01 40 0000", false, 0, 0, FAM_INET, 0 },
	{ "ORF, enhanced", "0001 00 01 01 40 0000", true, 0, 0, FAM_INET, 0 },
	{ "reserved octet, longer", "0001 01 01 00", false, 0, 0, FAM_INET, 0 },
	{ "empty", "", false, 1, 2, FAM_NONE, 0 },
	{ "3 octets", "0001 00", true, 1, 2, FAM_NONE, 0 },
	{ "3 octets, reserved", "0001 01", false, 1, 2, FAM_NONE, 0 },
	{ "BoRR of 3 octets", "0001 01", true, 7, 1, FAM_NONE, 0 },
	{ "BoRR of 5 octets", "0001 01 01 00", true, 7, 1, FAM_NONE, 0 },
	{ "EoRR of 5 octets", "0001 02 01 00", true, 7, 1, FAM_NONE, 0 },
};
/* clang-format on */

static void
test_table(void **state)
{
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const struct row *r = &rows[i];
		struct wire_refresh m;
		struct wire_err e;
		struct cur c;

		print_message("# %s\n", r->name);
		msg_make(&b, MSG_ROUTE_REFRESH, r->body);
		c = body_of(&b);
		if (r->code == 0) {
			assert_int_equal(
			    wire_refresh_parse(&c, r->enhanced, &m, &e),
			    WIRE_OK);
			assert_int_equal(m.fam, r->fam);
			assert_int_equal(m.subtype, r->subtype);
			assert_int_equal(m.afi, b.p[19] << 8 | b.p[20]);
			assert_int_equal(m.safi, b.p[22]);
			continue;
		}
		assert_int_equal(
		    wire_refresh_parse(&c, r->enhanced, &m, &e), WIRE_RESET);
		assert_int_equal(e.code, r->code);
		assert_int_equal(e.sub, r->sub);
		assert_int_equal(e.at, 16);
		assert_non_null(e.why);
		assert_non_null(e.rfc);
		if (r->code == NOTIF_HEADER) {
			assert_int_equal(e.len, 2);
			assert_memory_equal(err_data(&e), b.p + 16, 2);
		} else {
			assert_int_equal(e.len, b.n);
			assert_memory_equal(err_data(&e), b.p, b.n);
		}
	}
}

static void
test_write(void **state)
{
	uint8_t buf[64];
	struct wbuf w;

	wbuf_init(&w, buf, sizeof buf);
	wire_refresh_write(&w, FAM_INET6, REFRESH_BORR);
	assert_hex(
	    buf, w.len, "ffffffffffffffffffffffffffffffff 0017 05 0002 01 01");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_write),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
