/* Communities: looking, printing. */
#include "tests/unit/wire_help.h"

static struct bytes b;

static struct octets
octets(const char *hex)
{
	b.n = 0;
	hex_add(&b, hex);
	return (struct octets){ b.p, (uint16_t)b.n };
}

static void
test_has(void **state)
{
	struct octets c = octets("fde90064 ffffff01");
	struct octets none = { NULL, 0 };

	assert_true(comm_has(c, 65001u << 16 | 100));
	assert_true(comm_has(c, COMM_NO_EXPORT));
	assert_false(comm_has(c, COMM_NO_ADVERTISE));
	assert_false(comm_has(c, 0x0064ffff)); /* not aligned */
	assert_false(comm_has(none, 0));
}

static void
test_print(void **state)
{
	static const struct {
		uint32_t v;
		const char *want;
	} t[] = {
		{ 65001u << 16 | 100, "65001:100" },
		{ 0, "0:0" },
		{ 0xfffffffe, "65535:65534" },
		{ COMM_GRACEFUL_SHUTDOWN, "GRACEFUL_SHUTDOWN" },
		{ COMM_BLACKHOLE, "BLACKHOLE" },
		{ COMM_NO_EXPORT, "NO_EXPORT" },
		{ COMM_NO_ADVERTISE, "NO_ADVERTISE" },
		{ COMM_NO_EXPORT_SUBCONFED, "NO_EXPORT_SUBCONFED" },
		{ COMM_NO_PEER, "NO_PEER" },
	};
	char buf[32];

	for (size_t i = 0; i < sizeof t / sizeof t[0]; i++) {
		assert_int_equal(
		    comm_print(t[i].v, buf, sizeof buf), strlen(t[i].want));
		assert_string_equal(buf, t[i].want);
	}
	assert_int_equal(comm_print(65001u << 16 | 100, buf, 4), 9);
	assert_string_equal(buf, "650");
}

static void
test_large_print(void **state)
{
	char buf[40];

	octets("0000cd64 00000001 ffffffff");
	assert_int_equal(comm_large_print(b.p, buf, sizeof buf), 18);
	assert_string_equal(buf, "52580:1:4294967295");
}

static void
test_ext_print(void **state)
{
	static const struct {
		const char *hex, *want;
	} t[] = {
		{ "0002 fde9 00000005", "rt 65001:5" },
		{ "0003 fde9 00011170", "soo 65001:70000" },
		{ "4002 fde9 00000005", "rt 65001:5" },
		{ "0102 c0000201 0007", "rt 192.0.2.1:7" },
		{ "0202 00011170 0007", "rt 70000:7" },
		{ "0203 00011170 0007", "soo 70000:7" },
		{ "4300 0000 00000000", "ovs valid" },
		{ "4300 0000 00000001", "ovs not-found" },
		{ "4300 0000 00000002", "ovs invalid" },
		{ "4300 0000 00000009", "ovs 9" },
		{ "8006 0000 12345678", "0x8006000012345678" },
		{ "0004 0000 00000001", "0x0004000000000001" },
	};
	char buf[40];

	for (size_t i = 0; i < sizeof t / sizeof t[0]; i++) {
		octets(t[i].hex);
		assert_int_equal(
		    comm_ext_print(b.p, buf, sizeof buf), strlen(t[i].want));
		assert_string_equal(buf, t[i].want);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_has),
		cmocka_unit_test(test_print),
		cmocka_unit_test(test_large_print),
		cmocka_unit_test(test_ext_print),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
