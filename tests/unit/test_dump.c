/* One line a message, whatever it holds. */
#include <stdlib.h>

#include "tests/unit/wire_help.h"

static struct bytes b;
static char line[300000];

static const char *
dump(void)
{
	size_t n = wire_dump(b.p, b.n, NULL, line, sizeof line);

	assert_int_equal(n, strlen(line));
	return line;
}

static void
test_open(void **state)
{
	msg_make(&b, MSG_OPEN,
	    "04 fdea 005a c0000201 1c 02 1a"
	    "01 04 0001 00 01 02 00 41 04 0000fdea 40 06 8078 0001 01 80"
	    "c8 00 06 00");
	assert_string_equal(dump(),
	    "OPEN 57 version 4, AS 65002, hold time 90, id 192.0.2.1, "
	    "multiprotocol IPv4 unicast, route refresh, extended message, "
	    "graceful restart 120 s restarting, restart IPv4 unicast, "
	    "forwarding IPv4 unicast, 4-octet AS 65002, 1 not known");
	msg_make(&b, MSG_OPEN, "03 fdea 005a c0000201 00");
	assert_string_equal(dump(),
	    "OPEN 29 -- reset 2/1 at 19: "
	    "the BGP version is not 4 (RFC 4271 6.2)");
}

static void
make_update(void)
{
	upd_make(&b, "08 0b",
	    "40 01 01 00 40 02 0a 0202 0000fdea 00011170 40 03 04 c0000201"
	    "80 04 04 00000007 40 06 00 c0 07 08 00011170 c0000207"
	    "c0 08 08 fdea0001 ffffff01 c0 10 08 0002fdea00000001"
	    "c0 20 0c 0000cd64 00000001 00000002 c0 23 04 0000fdea"
	    "c0 63 01 aa 80 0f 08 0002 01 20 20010db8"
	    "80 0e 16 0002 01 10 20010db8000000000000000000000001 00 00",
	    "08 0a 18 c00002");
}

static void
test_update(void **state)
{
	make_update();
	assert_string_equal(dump(),
	    "UPDATE 160, origin IGP, path 65002 70000, next hop 192.0.2.1, "
	    "med 7, atomic aggregate, aggregator 70000 192.0.2.7, "
	    "communities 65002:1 NO_EXPORT, extended communities rt 65002:1, "
	    "large communities 52580:1:2, otc 65002, not known e06301aa, "
	    "announce 10.0.0.0/8 192.0.2.0/24, "
	    "mp next hop 2001:db8::1, mp announce ::/0, "
	    "withdraw 11.0.0.0/8, mp withdraw 2001:db8::/32");
	upd_make(&b, "", "", "");
	assert_string_equal(dump(), "UPDATE 23, end of rib IPv4 unicast");
	upd_make(&b, "", "40 01 01 09 40 02 00 40 03 04 c0000201", "08 0a");
	assert_string_equal(dump(),
	    "UPDATE 39, path , next hop 192.0.2.1, "
	    "announce 10.0.0.0/8 -- withdraw at 26: ORIGIN is not 0, 1 or 2 "
	    "(RFC 7606 7.1)");
	upd_make(&b, "", "", "21");
	assert_string_equal(dump(),
	    "UPDATE 24 -- reset 3/10 at 23: "
	    "a prefix is too long (RFC 7606 5.3)");
}

static void
test_others(void **state)
{
	msg_make(&b, MSG_KEEPALIVE, "");
	assert_string_equal(dump(), "KEEPALIVE 19");
	msg_make(&b, MSG_NOTIFICATION, "06 02 03 610a62");
	assert_string_equal(dump(),
	    "NOTIFICATION 25 6/2 Cease, "
	    "Administrative Shutdown, text \"a\\x0ab\"");
	msg_make(&b, MSG_NOTIFICATION, "06 09 03 01 aabb");
	assert_string_equal(dump(),
	    "NOTIFICATION 25 3/1 UPDATE Message Error, "
	    "Malformed Attribute List, hard reset, data aabb");
	msg_make(&b, MSG_ROUTE_REFRESH, "0001 01 01");
	assert_string_equal(dump(), "ROUTE-REFRESH 23 IPv4 unicast begin");
	msg_make(&b, MSG_ROUTE_REFRESH, "0019 07 46");
	assert_string_equal(
	    dump(), "ROUTE-REFRESH 23 AFI 25 SAFI 70 subtype 7");
	msg_make(&b, MSG_ROUTE_REFRESH, "0019");
	assert_string_equal(dump(),
	    "ROUTE-REFRESH 21 -- reset 1/2 at 16: "
	    "ROUTE-REFRESH is shorter than 23 octets (RFC 2918 3)");
}

static void
test_no_message(void **state)
{
	b.n = 0;
	assert_string_equal(dump(), "incomplete message of 0 octets ");
	hex_add(&b, "ffff");
	assert_string_equal(dump(), "incomplete message of 2 octets ffff");
	hex_add(&b, "00");
	assert_string_equal(dump(),
	    "bad header of 3 octets -- reset 1/1 at 2: "
	    "the marker is not all ones (RFC 4271 6.1)");
}

/* Whatever the room: what snprintf() would return, and an end. */
static void
test_room(void **state)
{
	char whole[1024], part[1024];
	size_t n, len;

	upd_make(&b, "08 0b",
	    "40 01 01 00 40 02 06 0201 0000fdea"
	    "40 03 04 c0000201 c0 08 04 fdea0001",
	    "08 0a");
	len = wire_dump(b.p, b.n, NULL, whole, sizeof whole);
	for (n = 0; n <= len + 1; n++) {
		memset(part, 'x', sizeof part);
		assert_int_equal(wire_dump(b.p, b.n, NULL, part, n), len);
		if (n == 0)
			continue;
		assert_int_equal(strlen(part), n - 1 < len ? n - 1 : len);
		assert_memory_equal(part, whole, strlen(part));
		assert_int_equal(part[n], 'x');
	}
}

/* Random changes of real messages: never a crash, always one line. */
static void
test_random(void **state)
{
	unsigned int seed = 20261122;

	print_message("# seed %u\n", seed);
	srandom(seed);
	for (int i = 0; i < 20000; i++) {
		if (i % 2 == 0)
			make_update();
		else
			msg_make(&b, MSG_OPEN,
			    "04 fdea 005a c0000201 1c 02 1a"
			    "01 04 0001 00 01 02 00 41 04 0000fdea"
			    "40 06 8078 0001 01 80 c8 00 06 00");
		for (int k = 0; k < 4; k++)
			b.p[19 + (size_t)random() % (b.n - 19)] =
			    (uint8_t)random();
		assert_null(strchr(dump(), '\n'));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_open),
		cmocka_unit_test(test_update),
		cmocka_unit_test(test_others),
		cmocka_unit_test(test_no_message),
		cmocka_unit_test(test_room),
		cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
