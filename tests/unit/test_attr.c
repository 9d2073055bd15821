/*
 * Path attributes, one by one: valid rows and a row for each defect, as
 * errors.md "Attribute by attribute" has them.
 */
#include "tests/unit/wire_help.h"

enum {
	EXT = 0, /* external peer, four octets an AS */
	INT = 1 << 0, /* internal peer */
	AS2 = 1 << 1, /* two octets an AS */
	SET = 1 << 2, /* AS_SET permitted */
	NH6 = 1 << 3, /* RFC 8950 */
	NO6 = 1 << 4, /* IPv6 unicast not negotiated */
};

struct row {
	const char *name;
	unsigned int opt;
	const char *attr; /* goes behind those that must be there */
	enum wire_verdict want;
	uint8_t sub;
	size_t at; /* from the start of the attribute */
	const char *rfc;
};

#define OK WIRE_OK, 0, 0, NULL

/* clang-format off */
static const struct row rows[] = {
	/* 1 ORIGIN */
	{ "ORIGIN 0", EXT, "40 01 01 00", OK },
	{ "ORIGIN 2", EXT, "40 01 01 02", OK },
	{ "ORIGIN 3", EXT, "40 01 01 03", WIRE_WITHDRAW, UPD_ORIGIN, 3, "RFC 7606 7.1" },
	{ "ORIGIN 255", EXT, "40 01 01 ff", WIRE_WITHDRAW, UPD_ORIGIN, 3, "RFC 7606 7.1" },
	{ "ORIGIN empty", EXT, "40 01 00", WIRE_WITHDRAW, UPD_LENGTH, 3, "RFC 7606 7.1" },
	{ "ORIGIN long", EXT, "40 01 02 0000", WIRE_WITHDRAW, UPD_LENGTH, 3, "RFC 7606 7.1" },
	{ "ORIGIN optional", EXT, "c0 01 01 00", WIRE_WITHDRAW, UPD_FLAGS, 0, "RFC 7606 3c" },
	{ "ORIGIN not transitive", EXT, "00 01 01 00", WIRE_WITHDRAW, UPD_FLAGS, 0, "RFC 7606 3c" },
	{ "ORIGIN partial", EXT, "60 01 01 00", OK },
	{ "ORIGIN low bits", EXT, "4f 01 01 00", OK },
	{ "ORIGIN extended length", EXT, "50 01 0001 00", OK },
	{ "flags before length", EXT, "80 01 02 0000", WIRE_WITHDRAW, UPD_FLAGS, 0, "RFC 7606 3c" },

	/* 2 AS_PATH */
	{ "AS_PATH", EXT, "40 02 06 0201 0000fdea", OK },
	{ "AS_PATH empty", EXT, "40 02 00", OK },
	{ "AS_PATH two segments", EXT, "40 02 0c 0201 0000fdea 0201 00011170", OK },
	{ "AS_PATH segment type 0", EXT, "40 02 06 0001 0000fdea", WIRE_WITHDRAW, UPD_AS_PATH, 3, "RFC 7606 7.2" },
	{ "AS_PATH segment type 5", EXT, "40 02 06 0501 0000fdea", WIRE_WITHDRAW, UPD_AS_PATH, 3, "RFC 7606 7.2" },
	{ "AS_PATH segment overrun", EXT, "40 02 06 0202 0000fdea", WIRE_WITHDRAW, UPD_AS_PATH, 3, "RFC 7606 7.2" },
	{ "AS_PATH second overrun", EXT, "40 02 0c 0201 0000fdea 0202 0000fdea", WIRE_WITHDRAW, UPD_AS_PATH, 9, "RFC 7606 7.2" },
	{ "AS_PATH one octet left", EXT, "40 02 07 0201 0000fdea 02", WIRE_WITHDRAW, UPD_AS_PATH, 9, "RFC 7606 7.2" },
	{ "AS_PATH empty segment", EXT, "40 02 02 0200", WIRE_WITHDRAW, UPD_AS_PATH, 3, "RFC 7606 7.2" },
	{ "AS_PATH with 2 octets", EXT, "40 02 04 0201 fdea", WIRE_WITHDRAW, UPD_AS_PATH, 3, "RFC 7606 7.2" },
	{ "AS_PATH confed sequence", EXT, "40 02 06 0301 0000fdea", WIRE_WITHDRAW, UPD_AS_PATH, 3, "RFC 5065 5" },
	{ "AS_PATH confed sequence, internal", INT, "40 02 06 0301 0000fdea", WIRE_WITHDRAW, UPD_AS_PATH, 3, "RFC 5065 5" },
	{ "AS_PATH confed set", EXT | SET, "40 02 06 0401 0000fdea", WIRE_WITHDRAW, UPD_AS_PATH, 3, "RFC 5065 5" },
	{ "AS_PATH set", EXT, "40 02 0c 0201 0000fdea 0101 0000fdeb", WIRE_WITHDRAW, UPD_AS_PATH, 9, "RFC 9774 3" },
	{ "AS_PATH set, permitted", EXT | SET, "40 02 0c 0201 0000fdea 0101 0000fdeb", OK },
	{ "AS_PATH AS 0", EXT, "40 02 0a 0202 0000fdea 00000000", WIRE_WITHDRAW, UPD_AS_PATH, 9, "RFC 7607 2" },
	{ "AS_PATH flags", EXT, "c0 02 06 0201 0000fdea", WIRE_WITHDRAW, UPD_FLAGS, 0, "RFC 7606 3c" },
	{ "AS_PATH of 2 octets", AS2, "40 02 04 0201 fdea", OK },
	{ "AS_PATH of 2, given 4", AS2, "40 02 06 0201 0000fdea", WIRE_WITHDRAW, UPD_AS_PATH, 7, "RFC 7606 7.2" },
	{ "AS_PATH of 2, overrun", AS2, "40 02 04 0202 fdea", WIRE_WITHDRAW, UPD_AS_PATH, 3, "RFC 7606 7.2" },
	{ "AS_PATH of 2, AS 0", AS2, "40 02 04 0201 0000", WIRE_WITHDRAW, UPD_AS_PATH, 5, "RFC 7607 2" },

	/* 3 NEXT_HOP */
	{ "NEXT_HOP", EXT, "40 03 04 c0000201", OK },
	{ "NEXT_HOP 240/4's last", EXT, "40 03 04 ffffffff", WIRE_WITHDRAW, UPD_NEXT_HOP, 3, "RFC 4271 6.3" },
	{ "NEXT_HOP 0/8", EXT, "40 03 04 00000001", WIRE_WITHDRAW, UPD_NEXT_HOP, 3, "RFC 4271 6.3" },
	{ "NEXT_HOP 127/8", EXT, "40 03 04 7f000001", WIRE_WITHDRAW, UPD_NEXT_HOP, 3, "RFC 4271 6.3" },
	{ "NEXT_HOP multicast", EXT, "40 03 04 e0000001", WIRE_WITHDRAW, UPD_NEXT_HOP, 3, "RFC 4271 6.3" },
	{ "NEXT_HOP class E", EXT, "40 03 04 f0000001", WIRE_WITHDRAW, UPD_NEXT_HOP, 3, "RFC 4271 6.3" },
	{ "NEXT_HOP short", EXT, "40 03 03 c00002", WIRE_WITHDRAW, UPD_LENGTH, 3, "RFC 7606 7.3" },
	{ "NEXT_HOP long", EXT, "40 03 05 c000020100", WIRE_WITHDRAW, UPD_LENGTH, 3, "RFC 7606 7.3" },
	{ "NEXT_HOP empty", EXT, "40 03 00", WIRE_WITHDRAW, UPD_LENGTH, 3, "RFC 7606 7.3" },
	{ "NEXT_HOP flags", EXT, "00 03 04 c0000201", WIRE_WITHDRAW, UPD_FLAGS, 0, "RFC 7606 3c" },

	/* 4 MULTI_EXIT_DISC */
	{ "MED", EXT, "80 04 04 ffffffff", OK },
	{ "MED short", EXT, "80 04 03 000000", WIRE_WITHDRAW, UPD_LENGTH, 3, "RFC 7606 7.4" },
	{ "MED empty", EXT, "80 04 00", WIRE_WITHDRAW, UPD_LENGTH, 3, "RFC 7606 7.4" },
	{ "MED long", INT, "80 04 05 0000000000", WIRE_WITHDRAW, UPD_LENGTH, 3, "RFC 7606 7.4" },
	{ "MED transitive", EXT, "c0 04 04 00000000", WIRE_WITHDRAW, UPD_FLAGS, 0, "RFC 7606 3c" },
	{ "MED well-known", EXT, "40 04 04 00000000", WIRE_WITHDRAW, UPD_FLAGS, 0, "RFC 7606 3c" },
	{ "MED partial", EXT, "a0 04 04 00000000", OK },

	/* 5 LOCAL_PREF */
	{ "LOCAL_PREF", INT, "40 05 04 00000064", OK },
	{ "LOCAL_PREF short", INT, "40 05 03 000064", WIRE_WITHDRAW, UPD_LENGTH, 3, "RFC 7606 7.5" },
	{ "LOCAL_PREF empty", INT, "40 05 00", WIRE_WITHDRAW, UPD_LENGTH, 3, "RFC 7606 7.5" },
	{ "LOCAL_PREF, external", EXT, "40 05 04 00000064", WIRE_DISCARD, UPD_OPTIONAL, 0, "RFC 7606 7.5" },
	{ "LOCAL_PREF, external, short", EXT, "40 05 01 00", WIRE_DISCARD, UPD_OPTIONAL, 0, "RFC 7606 7.5" },
	{ "LOCAL_PREF, external, flags", EXT, "80 05 04 00000064", WIRE_WITHDRAW, UPD_FLAGS, 0, "RFC 7606 3c" },

	/* 6 ATOMIC_AGGREGATE */
	{ "ATOMIC_AGGREGATE", EXT, "40 06 00", OK },
	{ "ATOMIC_AGGREGATE, an octet", EXT, "40 06 01 00", WIRE_DISCARD, UPD_LENGTH, 3, "RFC 7606 7.6" },
	{ "ATOMIC_AGGREGATE flags", EXT, "c0 06 00", WIRE_WITHDRAW, UPD_FLAGS, 0, "RFC 7606 3c" },

	/* 7 AGGREGATOR */
	{ "AGGREGATOR", EXT, "c0 07 08 0000fdea c0000201", OK },
	{ "AGGREGATOR partial", EXT, "e0 07 08 0000fdea c0000201", OK },
	{ "AGGREGATOR of 6", EXT, "c0 07 06 fdea c0000201", WIRE_DISCARD, UPD_LENGTH, 3, "RFC 7606 7.7" },
	{ "AGGREGATOR of 7", EXT, "c0 07 07 fdea c000020100", WIRE_DISCARD, UPD_LENGTH, 3, "RFC 7606 7.7" },
	{ "AGGREGATOR empty", EXT, "c0 07 00", WIRE_DISCARD, UPD_LENGTH, 3, "RFC 7606 7.7" },
	{ "AGGREGATOR of 6, old", AS2, "c0 07 06 fdea c0000201", OK },
	{ "AGGREGATOR of 8, old", AS2, "c0 07 08 0000fdea c0000201", WIRE_DISCARD, UPD_LENGTH, 3, "RFC 7606 7.7" },
	{ "AGGREGATOR AS 0", EXT, "c0 07 08 00000000 c0000201", WIRE_DISCARD, UPD_OPTIONAL, 3, "RFC 7607 2" },
	{ "AGGREGATOR AS 0, old", AS2, "c0 07 06 0000 c0000201", WIRE_DISCARD, UPD_OPTIONAL, 3, "RFC 7607 2" },
	{ "AGGREGATOR flags", EXT, "80 07 08 0000fdea c0000201", WIRE_WITHDRAW, UPD_FLAGS, 0, "RFC 7606 3c" },

	/* 8 COMMUNITIES */
	{ "COMMUNITIES", EXT, "c0 08 08 fdea0001 ffffff01", OK },
	{ "COMMUNITIES empty", EXT, "c0 08 00", WIRE_WITHDRAW, UPD_LENGTH, 3, "RFC 7606 7.8" },
	{ "COMMUNITIES of 6", EXT, "c0 08 06 fdea0001 ffff", WIRE_WITHDRAW, UPD_LENGTH, 3, "RFC 7606 7.8" },
	{ "COMMUNITIES flags", EXT, "40 08 04 fdea0001", WIRE_WITHDRAW, UPD_FLAGS, 0, "RFC 7606 3c" },

	/* 9 ORIGINATOR_ID, 10 CLUSTER_LIST */
	{ "ORIGINATOR_ID", INT, "80 09 04 c0000201", OK },
	{ "ORIGINATOR_ID short", INT, "80 09 03 c00002", WIRE_WITHDRAW, UPD_LENGTH, 3, "RFC 7606 7.9" },
	{ "ORIGINATOR_ID empty", INT, "80 09 00", WIRE_WITHDRAW, UPD_LENGTH, 3, "RFC 7606 7.9" },
	{ "ORIGINATOR_ID, external", EXT, "80 09 04 c0000201", WIRE_DISCARD, UPD_OPTIONAL, 0, "RFC 7606 7.9" },
	{ "ORIGINATOR_ID, external, empty", EXT, "80 09 00", WIRE_DISCARD, UPD_OPTIONAL, 0, "RFC 7606 7.9" },
	{ "ORIGINATOR_ID flags, external", EXT, "c0 09 04 c0000201", WIRE_WITHDRAW, UPD_FLAGS, 0, "RFC 7606 3c" },
	{ "CLUSTER_LIST", INT, "80 0a 08 c0000201 c0000202", OK },
	{ "CLUSTER_LIST empty", INT, "80 0a 00", WIRE_WITHDRAW, UPD_LENGTH, 3, "RFC 7606 7.10" },
	{ "CLUSTER_LIST of 5", INT, "80 0a 05 c000020100", WIRE_WITHDRAW, UPD_LENGTH, 3, "RFC 7606 7.10" },
	{ "CLUSTER_LIST, external", EXT, "80 0a 04 c0000201", WIRE_DISCARD, UPD_OPTIONAL, 0, "RFC 7606 7.10" },
	{ "CLUSTER_LIST flags, external", EXT, "40 0a 04 c0000201", WIRE_WITHDRAW, UPD_FLAGS, 0, "RFC 7606 3c" },

	/* 14 MP_REACH_NLRI */
	{ "MP_REACH", EXT, "80 0e 1a 0002 01 10 20010db8000000000000000000000001 00 20 20010db8", OK },
	{ "MP_REACH, link-local too", EXT, "80 0e 2a 0002 01 20 20010db8000000000000000000000001 fe800000000000000000000000000001 00 20 20010db8", OK },
	{ "MP_REACH, other second", EXT, "80 0e 2a 0002 01 20 20010db8000000000000000000000001 20010db8000000000000000000000002 00 20 20010db8", OK },
	{ "MP_REACH, reserved octet", EXT, "80 0e 1a 0002 01 10 20010db8000000000000000000000001 ff 20 20010db8", OK },
	{ "MP_REACH, no prefix", EXT, "80 0e 15 0002 01 10 20010db8000000000000000000000001 00", OK },
	{ "MP_REACH, /0", EXT, "80 0e 16 0002 01 10 20010db8000000000000000000000001 00 00", OK },
	{ "MP_REACH, IPv4", EXT, "80 0e 0b 0001 01 04 c0000201 00 08 0a", OK },
	{ "MP_REACH, IPv4 over IPv6", NH6, "80 0e 17 0001 01 10 20010db8000000000000000000000001 00 08 0a", OK },
	{ "MP_REACH, IPv4 over two", NH6, "80 0e 27 0001 01 20 20010db8000000000000000000000001 fe800000000000000000000000000001 00 08 0a", OK },
	{ "MP_REACH, IPv4 over IPv6, not agreed", EXT, "80 0e 17 0001 01 10 20010db8000000000000000000000001 00 08 0a", WIRE_RESET, UPD_OPTIONAL, 6, "RFC 7606 7.11" },
	{ "MP_REACH of 4", EXT, "80 0e 04 0002 01 00", WIRE_RESET, UPD_OPTIONAL, 3, "RFC 7606 7.11" },
	{ "MP_REACH empty", EXT, "80 0e 00", WIRE_RESET, UPD_OPTIONAL, 3, "RFC 7606 7.11" },
	{ "MP_REACH next hop runs over", EXT, "80 0e 14 0002 01 10 20010db8000000000000000000000001", WIRE_RESET, UPD_OPTIONAL, 6, "RFC 7606 7.11" },
	{ "MP_REACH next hop of 4 for IPv6", EXT, "80 0e 09 0002 01 04 c0000201 00", WIRE_RESET, UPD_OPTIONAL, 6, "RFC 7606 7.11" },
	{ "MP_REACH next hop of 0", EXT, "80 0e 05 0002 01 00 00", WIRE_RESET, UPD_OPTIONAL, 6, "RFC 7606 7.11" },
	{ "MP_REACH next hop of 24", EXT, "80 0e 1d 0002 01 18 000000000000000020010db8000000000000000000000001 00", WIRE_RESET, UPD_OPTIONAL, 6, "RFC 7606 7.11" },
	{ "MP_REACH next hop ::", EXT, "80 0e 1a 0002 01 10 00000000000000000000000000000000 00 20 20010db8", WIRE_WITHDRAW, UPD_OPTIONAL, 7, "RFC 4760 3" },
	{ "MP_REACH next hop ::1", EXT, "80 0e 1a 0002 01 10 00000000000000000000000000000001 00 20 20010db8", WIRE_WITHDRAW, UPD_OPTIONAL, 7, "RFC 4760 3" },
	{ "MP_REACH next hop ff02::1", EXT, "80 0e 1a 0002 01 10 ff020000000000000000000000000001 00 20 20010db8", WIRE_WITHDRAW, UPD_OPTIONAL, 7, "RFC 4760 3" },
	{ "MP_REACH next hop link-local, a guard's", EXT, "80 0e 1a 0002 01 10 fe800000000000000000000000000001 00 20 20010db8", OK },
	{ "MP_REACH next hop 127.0.0.1", EXT, "80 0e 0b 0001 01 04 7f000001 00 08 0a", WIRE_WITHDRAW, UPD_OPTIONAL, 7, "RFC 4760 3" },
	{ "MP_REACH /129", EXT, "80 0e 27 0002 01 10 20010db8000000000000000000000001 00 81 2001000000000000000000000000000000", WIRE_RESET, UPD_OPTIONAL, 24, "RFC 7606 5.3" },
	{ "MP_REACH prefix runs over", EXT, "80 0e 19 0002 01 10 20010db8000000000000000000000001 00 20 20010d", WIRE_RESET, UPD_OPTIONAL, 24, "RFC 7606 5.3" },
	{ "MP_REACH IPv4 /33", EXT, "80 0e 0f 0001 01 04 c0000201 00 21 0a00000000", WIRE_RESET, UPD_OPTIONAL, 12, "RFC 7606 5.3" },
	{ "MP_REACH flags", EXT, "c0 0e 15 0002 01 10 20010db8000000000000000000000001 00", WIRE_RESET, UPD_OPTIONAL, 0, "RFC 7606 3c" },
	{ "MP_REACH, VPN", EXT, "80 0e 06 0001 80 00 00 ff", OK },
	{ "MP_REACH, VPN, whatever inside", EXT, "80 0e 05 0001 80 ff ff", OK },
	{ "MP_REACH, not negotiated", NO6, "80 0e 1a 0002 01 10 20010db8000000000000000000000001 00 20 20010db8", OK },
	{ "MP_REACH, not negotiated, /129", NO6, "80 0e 27 0002 01 10 20010db8000000000000000000000001 00 81 2001000000000000000000000000000000", WIRE_RESET, UPD_OPTIONAL, 24, "RFC 7606 5.3" },

	/* 15 MP_UNREACH_NLRI */
	{ "MP_UNREACH", EXT, "80 0f 08 0002 01 20 20010db8", OK },
	{ "MP_UNREACH, IPv4", EXT, "80 0f 05 0001 01 08 0a", OK },
	{ "MP_UNREACH of 2", EXT, "80 0f 02 0002", WIRE_RESET, UPD_OPTIONAL, 3, "RFC 7606 5.3" },
	{ "MP_UNREACH empty", EXT, "80 0f 00", WIRE_RESET, UPD_OPTIONAL, 3, "RFC 7606 5.3" },
	{ "MP_UNREACH /129", EXT, "80 0f 15 0002 01 81 2001000000000000000000000000000000", WIRE_RESET, UPD_OPTIONAL, 6, "RFC 7606 5.3" },
	{ "MP_UNREACH prefix runs over", EXT, "80 0f 08 0002 01 00 20 20010d", WIRE_RESET, UPD_OPTIONAL, 7, "RFC 7606 5.3" },
	{ "MP_UNREACH flags", EXT, "00 0f 08 0002 01 20 20010db8", WIRE_RESET, UPD_OPTIONAL, 0, "RFC 7606 3c" },
	{ "MP_UNREACH, unknown family", EXT, "80 0f 05 0019 46 ffff", OK },

	/* 16 EXTENDED COMMUNITIES */
	{ "EXT COMMUNITIES", EXT, "c0 10 08 0002fdea00000001", OK },
	{ "EXT COMMUNITIES, any type", EXT, "c0 10 10 ffffffffffffffff 0000000000000000", OK },
	{ "EXT COMMUNITIES empty", EXT, "c0 10 00", WIRE_WITHDRAW, UPD_LENGTH, 3, "RFC 7606 7.14" },
	{ "EXT COMMUNITIES of 12", EXT, "c0 10 0c 0002fdea0000000100000000", WIRE_WITHDRAW, UPD_LENGTH, 3, "RFC 7606 7.14" },
	{ "EXT COMMUNITIES flags", EXT, "80 10 08 0002fdea00000001", WIRE_WITHDRAW, UPD_FLAGS, 0, "RFC 7606 3c" },

	/* 17 AS4_PATH, 18 AS4_AGGREGATOR */
	{ "AS4_PATH", AS2, "c0 11 06 0201 00011170", OK },
	{ "AS4_PATH, new session", EXT, "c0 11 06 0201 00011170", WIRE_DISCARD, UPD_OPTIONAL, 0, "RFC 6793 4.1" },
	{ "AS4_PATH, new session, unread", EXT, "c0 11 01 ff", WIRE_DISCARD, UPD_OPTIONAL, 0, "RFC 6793 4.1" },
	{ "AS4_PATH of 4", AS2, "c0 11 04 0201 0001", WIRE_DISCARD, UPD_LENGTH, 3, "RFC 6793 6" },
	{ "AS4_PATH empty", AS2, "c0 11 00", WIRE_DISCARD, UPD_LENGTH, 3, "RFC 6793 6" },
	{ "AS4_PATH odd", AS2, "c0 11 07 0201 00011170 00", WIRE_DISCARD, UPD_LENGTH, 3, "RFC 6793 6" },
	{ "AS4_PATH segment type 9", AS2, "c0 11 06 0901 00011170", WIRE_DISCARD, UPD_AS_PATH, 3, "RFC 6793 6" },
	{ "AS4_PATH overrun", AS2, "c0 11 06 0202 00011170", WIRE_DISCARD, UPD_AS_PATH, 3, "RFC 6793 6" },
	{ "AS4_PATH empty segment", AS2, "c0 11 08 0200 0201 00011170", WIRE_DISCARD, UPD_AS_PATH, 3, "RFC 6793 6" },
	{ "AS4_PATH AS 0", AS2, "c0 11 06 0201 00000000", WIRE_DISCARD, UPD_AS_PATH, 5, "RFC 7607 2" },
	{ "AS4_PATH set", AS2, "c0 11 06 0101 00011170", WIRE_WITHDRAW, UPD_AS_PATH, 3, "RFC 9774 3" },
	{ "AS4_PATH set, permitted", AS2 | SET, "c0 11 06 0101 00011170", OK },
	{ "AS4_PATH confederation", AS2, "c0 11 06 0301 00011170", OK },
	{ "AS4_PATH flags", AS2, "80 11 06 0201 00011170", WIRE_WITHDRAW, UPD_FLAGS, 0, "RFC 7606 3c" },
	{ "AS4_AGGREGATOR", AS2, "c0 12 08 00011170 c0000201", OK },
	{ "AS4_AGGREGATOR, new session", EXT, "c0 12 01 00", WIRE_DISCARD, UPD_OPTIONAL, 0, "RFC 6793 4.1" },
	{ "AS4_AGGREGATOR of 6", AS2, "c0 12 06 1170 c0000201", WIRE_DISCARD, UPD_LENGTH, 3, "RFC 6793 6" },
	{ "AS4_AGGREGATOR AS 0", AS2, "c0 12 08 00000000 c0000201", WIRE_DISCARD, UPD_OPTIONAL, 3, "RFC 7607 2" },
	{ "AS4_AGGREGATOR flags", AS2, "40 12 08 00011170 c0000201", WIRE_WITHDRAW, UPD_FLAGS, 0, "RFC 7606 3c" },

	/* 32 LARGE COMMUNITIES */
	{ "LARGE", EXT, "c0 20 0c 0000cd64 00000001 00000002", OK },
	{ "LARGE empty", EXT, "c0 20 00", WIRE_WITHDRAW, UPD_LENGTH, 3, "RFC 8092 6" },
	{ "LARGE of 8", EXT, "c0 20 08 0000cd64 00000001", WIRE_WITHDRAW, UPD_LENGTH, 3, "RFC 8092 6" },
	{ "LARGE flags", EXT, "80 20 0c 0000cd64 00000001 00000002", WIRE_WITHDRAW, UPD_FLAGS, 0, "RFC 7606 3c" },

	/* 35 ONLY_TO_CUSTOMER */
	{ "OTC", EXT, "c0 23 04 0000fdea", OK },
	{ "OTC short", EXT, "c0 23 02 fdea", WIRE_WITHDRAW, UPD_LENGTH, 3, "RFC 9234 5" },
	{ "OTC empty", EXT, "c0 23 00", WIRE_WITHDRAW, UPD_LENGTH, 3, "RFC 9234 5" },
	{ "OTC 0", EXT, "c0 23 04 00000000", WIRE_WITHDRAW, UPD_OPTIONAL, 3, "RFC 9234 5" },
	{ "OTC flags", EXT, "80 23 04 0000fdea", WIRE_WITHDRAW, UPD_FLAGS, 0, "RFC 7606 3c" },

	/* unknown ones */
	{ "unknown transitive", EXT, "c0 63 02 aabb", OK },
	{ "unknown transitive, empty", EXT, "c0 63 00", OK },
	{ "unknown not transitive", EXT, "80 63 02 aabb", OK },
	{ "unknown well-known", EXT, "40 63 02 aabb", WIRE_RESET, UPD_UNKNOWN_WELLKNOWN, 0, "RFC 4271 6.3" },
	{ "unknown, no flag", EXT, "00 ff 00", WIRE_RESET, UPD_UNKNOWN_WELLKNOWN, 0, "RFC 4271 6.3" },
	{ "type 0, optional", EXT, "c0 00 02 aabb", WIRE_DISCARD, UPD_OPTIONAL, 0, "RFC 4271 4.3" },
	{ "type 0, well-known", EXT, "40 00 02 aabb", WIRE_RESET, UPD_UNKNOWN_WELLKNOWN, 0, "RFC 4271 6.3" },
	{ "types 11 to 13", EXT, "80 0b 01 00 80 0c 01 00 80 0d 01 00", OK },
	{ "type 24, not transitive", EXT, "80 18 00", OK },
	{ "type 36 and above", EXT, "c0 28 01 00 c0 80 01 00 c0 ff 01 00", OK },

	/* frame of an attribute */
	{ "one octet left", EXT, "40", WIRE_WITHDRAW, UPD_MALFORMED, 0, "RFC 7606 4" },
	{ "two octets left", EXT, "40 06", WIRE_WITHDRAW, UPD_MALFORMED, 0, "RFC 7606 4" },
	{ "three octets left, extended", EXT, "50 06 00", WIRE_WITHDRAW, UPD_MALFORMED, 0, "RFC 7606 4" },
	{ "value runs over", EXT, "80 04 05 00000000", WIRE_WITHDRAW, UPD_MALFORMED, 0, "RFC 7606 4" },
	{ "MP_REACH runs over", EXT, "80 0e 30 0002 01 10", WIRE_WITHDRAW, UPD_MALFORMED, 0, "RFC 7606 4" },
	{ "unknown well-known runs over", EXT, "40 63 05 00", WIRE_WITHDRAW, UPD_MALFORMED, 0, "RFC 7606 4" },

	/* doubles */
	{ "MED twice, second bad", EXT, "80 04 04 00000001 80 04 01 00", OK },
	{ "MED twice, first bad", EXT, "80 04 01 00 80 04 04 00000001", WIRE_WITHDRAW, UPD_LENGTH, 3, "RFC 7606 7.4" },
	{ "second copy's flags do not matter", EXT, "80 04 04 00000001 40 04 04 00000001", OK },
	{ "unknown twice", EXT, "c0 63 01 aa c0 63 01 bb", OK },
	{ "unknown twice, second well-known", EXT, "c0 63 01 aa 40 63 01 bb", OK },
	{ "MP_UNREACH twice", EXT, "80 0f 03 0002 01 80 0f 03 0002 01", WIRE_RESET, UPD_MALFORMED, 6, "RFC 7606 3g" },
	{ "MP_REACH twice", EXT, "80 0e 0b 0001 01 04 c0000201 00 08 0a 80 0e 0b 0001 01 04 c0000201 00 08 0a", WIRE_RESET, UPD_MALFORMED, 14, "RFC 7606 3g" },

	/* the strongest wins */
	{ "discard, then withdraw", EXT, "40 06 01 00 80 04 01 00", WIRE_WITHDRAW, UPD_LENGTH, 7, "RFC 7606 7.4" },
	{ "withdraw, then discard", EXT, "80 04 01 00 40 06 01 00", WIRE_WITHDRAW, UPD_LENGTH, 3, "RFC 7606 7.4" },
	{ "withdraw, then reset", EXT, "80 04 01 00 40 63 00", WIRE_RESET, UPD_UNKNOWN_WELLKNOWN, 4, "RFC 4271 6.3" },
	{ "two withdraws: the first", EXT, "80 04 01 00 c0 08 00", WIRE_WITHDRAW, UPD_LENGTH, 3, "RFC 7606 7.4" },
};
/* clang-format on */

static struct bytes b, attrs;
static struct arena arena;

static struct wire_neg
neg_of(unsigned int opt)
{
	return (struct wire_neg){ .as4 = !(opt & AS2),
		.internal = opt & INT,
		.allow_as_set = opt & SET,
		.ext_nexthop = opt & NH6,
		.mp = { false, true, !(opt & NO6) } };
}

/* A good UPDATE with the attribute in it; returns where it starts. */
static size_t
make(unsigned int opt, const char *attr)
{
	/* clang-format off */
	static const struct { uint8_t type; const char *as4, *as2; } base[] = {
		{ ATTR_ORIGIN, "40 01 01 00", "40 01 01 00" },
		{ ATTR_AS_PATH, "40 02 06 0201 0000fdea", "40 02 04 0201 fdea" },
		{ ATTR_NEXT_HOP, "40 03 04 c0000201", "40 03 04 c0000201" },
		{ ATTR_LOCAL_PREF, "40 05 04 00000064", "40 05 04 00000064" },
	};
	/* clang-format on */
	char text[1024] = "";
	size_t n;

	attrs.n = 0;
	hex_add(&attrs, attr);
	for (size_t i = 0; i < sizeof base / sizeof base[0]; i++) {
		if ((attrs.n > 1 && attrs.p[1] == base[i].type) ||
		    (base[i].type == ATTR_LOCAL_PREF && !(opt & INT)))
			continue;
		strcat(text, opt & AS2 ? base[i].as2 : base[i].as4);
	}
	upd_make(&b, "", text, "");
	n = b.n;
	strcat(text, attr);
	upd_make(&b, "", text, "08 0a");
	return n;
}

static void
check(const struct row *r)
{
	struct wire_neg neg = neg_of(r->opt);
	size_t start = make(r->opt, r->attr), whole;
	struct update u;
	struct cur c = body_of(&b);

	arena_reset(&arena);
	assert_int_equal(wire_update_parse(&c, &neg, &u, &arena), r->want);
	assert_int_equal(u.verdict, r->want);
	if (r->want != WIRE_RESET)
		assert_int_equal(cur_left(&u.nlri), 2);
	if (r->want == WIRE_OK)
		return;
	assert_int_equal(u.err.verdict, r->want);
	assert_int_equal(u.err.code, NOTIF_UPDATE);
	assert_int_equal(u.err.sub, r->sub);
	assert_int_equal(u.err.at, start + r->at);
	assert_non_null(u.err.why);
	assert_string_equal(u.err.rfc, r->rfc);
	if (r->want == WIRE_DISCARD) {
		assert_int_equal(u.ndiscarded, 1);
		assert_int_equal(u.discarded[0], attrs.p[1]);
	}
	if (r->want != WIRE_RESET)
		return;
	/* 4271 6.3: the attribute as received; 3/1 has none. */
	if (r->sub == UPD_MALFORMED) {
		assert_int_equal(u.err.len, 0);
		return;
	}
	whole = r->sub == UPD_OPTIONAL ? start : u.err.at;
	assert_ptr_equal(u.err.data, b.p + whole);
	assert_int_equal(u.err.len, 3u + b.p[whole + 2]);
	assert_int_equal(u.err.attr, b.p[whole + 1]);
}

static void
test_table(void **state)
{
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		print_message("# %s\n", rows[i].name);
		check(&rows[i]);
	}
}

/* ---- values ----------------------------------------------------------- */

static struct update
parse(unsigned int opt, const char *attr)
{
	struct wire_neg neg = neg_of(opt);
	struct update u;
	struct cur c;

	make(opt, attr);
	c = body_of(&b);
	wire_update_parse(&c, &neg, &u, &arena);
	return u;
}

static void
test_values(void **state)
{
	char text[64];
	struct attrs a = parse(INT,
	    "80 04 04 01020304 40 06 00 c0 07 08 00011170 c0000207"
	    "c0 08 08 fdea0001 ffffff01 80 09 04 0a0b0c0d"
	    "80 0a 08 00000001 00000002 c0 10 08 0002fdea00000001"
	    "c0 20 0c 0000cd64 00000001 00000002 c0 23 04 0000fdea")
			     .attrs;

	assert_int_equal(a.has,
	    1 << HAS_ORIGIN | 1 << HAS_AS_PATH | 1 << HAS_NEXT_HOP |
		1 << HAS_MED | 1 << HAS_LOCAL_PREF | 1 << HAS_ATOMIC |
		1 << HAS_AGGREGATOR | 1 << HAS_ORIGINATOR_ID | 1 << HAS_OTC);
	assert_int_equal(a.origin, ORIGIN_IGP);
	assert_hex(a.as_path.p, a.as_path.len, "0201 0000fdea");
	assert_int_equal(addr_to_v4(&a.nexthop), 0xc0000201);
	assert_int_equal(a.med, 0x01020304);
	assert_int_equal(a.local_pref, 100);
	assert_int_equal(a.aggr_as, 70000);
	assert_string_equal(
	    addr_print(&a.aggr_id, text, sizeof text), "192.0.2.7");
	assert_hex(a.comms.p, a.comms.len, "fdea0001 ffffff01");
	assert_int_equal(a.originator_id, 0x0a0b0c0d);
	assert_hex(a.cluster_list.p, a.cluster_list.len, "00000001 00000002");
	assert_hex(a.ext_comms.p, a.ext_comms.len, "0002fdea00000001");
	assert_hex(
	    a.large_comms.p, a.large_comms.len, "0000cd64 00000001 00000002");
	assert_int_equal(a.otc, 65002);
	assert_int_equal(a.unknown.len, 0);
}

/* A discarded attribute leaves nothing; a second copy changes nothing. */
static void
test_left_out(void **state)
{
	struct update u = parse(EXT,
	    "40 05 04 00000064 80 09 04 0a0b0c0d"
	    "80 0a 04 00000001 40 06 01 00 c0 07 06 fdea c0000207"
	    "c0 11 06 0201 00011170 c0 12 08 00011170 c0000201");
	static const uint8_t want[] = { 5, 9, 10, 6, 7, 17, 18 };

	assert_int_equal(u.verdict, WIRE_DISCARD);
	assert_int_equal(u.ndiscarded, sizeof want);
	assert_memory_equal(u.discarded, want, sizeof want);
	assert_int_equal(u.attrs.has,
	    1 << HAS_ORIGIN | 1 << HAS_AS_PATH | 1 << HAS_NEXT_HOP);
	assert_int_equal(u.attrs.cluster_list.len, 0);
	assert_int_equal(aspath_first(u.attrs.as_path), 65002);
	u = parse(EXT, "80 04 04 00000001 80 04 04 00000002");
	assert_int_equal(u.attrs.med, 1);
	/* The list of discarded ones has an end. */
	u = parse(EXT,
	    "40 05 00 80 09 00 80 0a 00 40 06 01 00 c0 07 00"
	    "c0 11 00 c0 12 00 c0 00 00");
	assert_int_equal(u.ndiscarded, 8);
}

static void
test_unknown_kept(void **state)
{
	struct octets o = parse(EXT,
	    "c7 80 01 aa e0 63 00 80 62 01 00"
	    "c0 63 01 dd d0 ff 0001 ee c0 00 00")
			      .attrs.unknown;

	/* By ascending type, Partial set, low bits clear, lengths as sent. */
	assert_hex(o.p, o.len, "e0 63 00 e0 80 01 aa f0 ff 0001 ee");
}

static void
test_unknown_order(void **state)
{
	struct octets o =
	    parse(EXT, "c0 80 01 aa c0 16 02 bbcc c0 63 00 d0 17 0001 ee")
		.attrs.unknown;

	assert_hex(
	    o.p, o.len, "e0 16 02 bbcc f0 17 0001 ee e0 63 00 e0 80 01 aa");
}

static void
test_partial(void **state)
{
	struct attrs a = parse(EXT,
	    "e0 07 08 00011170 c0000207"
	    "e0 08 04 fdea0001 e0 10 08 0002fdea00000001"
	    "e0 20 0c 0000cd64 00000001 00000002 e0 23 04 0000fdea")
			     .attrs;

	assert_int_equal(a.has,
	    1 << HAS_ORIGIN | 1 << HAS_AS_PATH | 1 << HAS_NEXT_HOP |
		1 << HAS_AGGREGATOR | 1 << HAS_OTC |
		1 << HAS_PARTIAL_AGGREGATOR | 1 << HAS_PARTIAL_COMMS |
		1 << HAS_PARTIAL_EXT_COMMS | 1 << HAS_PARTIAL_LARGE_COMMS |
		1 << HAS_PARTIAL_OTC);
}

/* RFC 8092 6: doubles go; without one the octets are the message's own. */
static void
test_large_doubles(void **state)
{
	struct octets l = parse(EXT,
	    "c0 20 24"
	    "00000002 00000001 00000001 00000001 00000001 00000001"
	    "00000002 00000001 00000001")
			      .attrs.large_comms;

	assert_hex(l.p, l.len,
	    "00000001 00000001 00000001 00000002 00000001 00000001");
	l = parse(EXT,
	    "c0 20 18"
	    "00000002 00000001 00000001 00000001 00000001 00000001")
		.attrs.large_comms;
	assert_hex(l.p, l.len,
	    "00000002 00000001 00000001 00000001 00000001 00000001");
	assert_true(l.p > b.p && l.p < b.p + b.n);
	l = parse(EXT,
	    "c0 20 18"
	    "00000001 00000001 00000001 00000001 00000001 00000001")
		.attrs.large_comms;
	assert_int_equal(l.len, 12);
}

static void
test_large_doubles_many(void **state)
{
	char text[8000] = "d0 20 0bb8"; /* 250 */
	struct octets l;
	size_t n = 0;

	for (unsigned int i = 0; i < 250; i++) {
		char one[32];

		snprintf(one, sizeof one, "%024x", i * 7919 % 100);
		strcat(text, one);
	}
	upd_make(&b, "", "40 01 01 00 40 02 00 40 03 04 c0000201", "");
	{
		static struct bytes big;
		struct wire_neg neg = neg_of(EXT);
		struct update u;
		struct cur c;
		static char all[9000];

		snprintf(all, sizeof all,
		    "40 01 01 00 40 02 00 40 03 04 c0000201 %s", text);
		upd_make(&big, "", all, "08 0a");
		c = body_of(&big);
		assert_int_equal(
		    wire_update_parse(&c, &neg, &u, &arena), WIRE_OK);
		l = u.attrs.large_comms;
		assert_int_equal(l.len, 100 * 12);
		for (n = 0; n < 100; n++)
			assert_int_equal(l.p[n * 12 + 11], n);
	}
}

static void
test_mp_nexthop(void **state)
{
	struct update u = parse(EXT,
	    "80 0e 2a 0002 01 20"
	    "20010db8000000000000000000000001 fe800000000000000000000000000001"
	    "00 20 20010db8");
	char t[ADDR_STRLEN];
	struct pfx p;

	assert_int_equal(u.mp_reach_fam, FAM_INET6);
	assert_string_equal(
	    addr_print(&u.mp_nexthop, t, sizeof t), "2001:db8::1");
	assert_string_equal(
	    addr_print(&u.mp_nexthop_ll, t, sizeof t), "fe80::1");
	assert_string_equal(
	    addr_print(&u.attrs.nexthop, t, sizeof t), "192.0.2.1");
	assert_true(wire_nlri_next(&u.mp_reach, FAM_INET6, &p));
	assert_int_equal(p.len, 32);
	assert_false(wire_nlri_next(&u.mp_reach, FAM_INET6, &p));
	/* A second address that is not link-local is none. */
	u = parse(EXT,
	    "80 0e 2a 0002 01 20"
	    "20010db8000000000000000000000001 20010db8000000000000000000000002"
	    "00 20 20010db8");
	assert_int_equal(u.mp_nexthop_ll.fam, FAM_NONE);
	u = parse(NO6,
	    "80 0e 1a 0002 01 10"
	    "20010db8000000000000000000000001 00 20 20010db8");
	assert_int_equal(u.mp_reach_fam, FAM_NONE);
	assert_int_equal(cur_left(&u.mp_reach), 0);
	assert_true(u.unnegotiated);
	/* Treated as withdrawn, but named. */
	u = parse(EXT,
	    "80 0e 1a 0002 01 10"
	    "00000000000000000000000000000000 00 20 20010db8");
	assert_int_equal(cur_left(&u.mp_reach), 5);
}

/* ---- AS4_PATH, AS4_AGGREGATOR: RFC 6793 4.2.3 ------------------------- */

static void
test_merge(void **state)
{
	/* clang-format off */
	static const struct { const char *attrs, *want; uint32_t aggr; } t[] = {
		/* nothing to merge */
		{ "40 02 06 0202 fdea 5ba0", "65002 23456", 0 },
		/* the whole path */
		{ "40 02 06 0202 fdea 5ba0 c0 11 0a 0202 0000fdea 00011170", "65002 70000", 0 },
		/* the old speakers' part in front; segments join */
		{ "40 02 08 0203 0001 fdea 5ba0 c0 11 0a 0202 0000fdea 00011170", "1 65002 70000", 0 },
		{ "40 02 08 0203 0001 0002 5ba0 c0 11 06 0201 00011170", "1 2 70000", 0 },
		/* more than AS_PATH has: ignored */
		{ "40 02 04 0201 5ba0 c0 11 0a 0202 0000fdea 00011170", "23456", 0 },
		/* two segments in AS_PATH */
		{ "40 02 08 0201 0001 0201 5ba0 c0 11 06 0201 00011170", "1 70000", 0 },
		/* a set in AS_PATH counts one */
		{ "40 02 0a 0102 0001 0002 0201 5ba0 c0 11 06 0201 00011170", "{ 1 2 } 70000", 0 },
		{ "40 02 0e 0201 0009 0102 0001 0002 0201 5ba0 c0 11 0c 0101 00000007 0201 00011170", "9 { 7 } 70000", 0 },
		/* confederation segments drop out and do not count */
		{ "40 02 06 0202 0001 5ba0 c0 11 0c 0301 00000007 0201 00011170", "1 70000", 0 },
		{ "40 02 06 0202 0001 5ba0 c0 11 06 0301 00000007", "1 23456", 0 },
		/* order of the attributes does not matter */
		{ "c0 11 06 0201 00011170 40 02 04 0201 5ba0", "70000", 0 },
		/* AGGREGATOR */
		{ "40 02 04 0201 5ba0 c0 07 06 5ba0 c0000201 c0 12 08 00011170 c0000202 c0 11 06 0201 00011170", "70000", 70000 },
		{ "40 02 04 0201 5ba0 c0 07 06 fdea c0000201 c0 12 08 00011170 c0000202 c0 11 06 0201 00011170", "23456", 65002 },
		{ "40 02 04 0201 5ba0 c0 07 06 fdea c0000201 c0 11 06 0201 00011170", "70000", 65002 },
		{ "40 02 04 0201 5ba0 c0 07 06 5ba0 c0000201", "23456", 23456 },
		{ "40 02 04 0201 5ba0 c0 12 08 00011170 c0000202 c0 11 06 0201 00011170", "70000", 0 },
	};
	/* clang-format on */

	for (size_t i = 0; i < sizeof t / sizeof t[0]; i++) {
		struct wire_neg neg = neg_of(AS2 | SET);
		char text[512];
		struct update u;
		struct cur c;

		print_message("# merge %zu\n", i);
		snprintf(text, sizeof text, "40 01 01 00 40 03 04 c0000201 %s",
		    t[i].attrs);
		upd_make(&b, "", text, "08 0a");
		c = body_of(&b);
		assert_int_equal(
		    wire_update_parse(&c, &neg, &u, &arena), WIRE_OK);
		aspath_print(u.attrs.as_path, text, sizeof text);
		assert_string_equal(text, t[i].want);
		assert_int_equal(u.attrs.aggr_as, t[i].aggr);
		assert_int_equal(
		    !!(u.attrs.has & 1 << HAS_AGGREGATOR), t[i].aggr != 0);
	}
}

/* 200 of AS_PATH in front of 200 of AS4_PATH: too many for one segment. */
static void
test_merge_long(void **state)
{
	static char text[8000];
	struct wire_neg neg = neg_of(AS2);
	struct update u;
	struct cur c;

	strcpy(text, "40 01 01 00 40 03 04 c0000201 50 02 0324 02c8");
	for (int i = 0; i < 200; i++)
		strcat(text, "0001");
	strcat(text, "02c8");
	for (int i = 0; i < 200; i++)
		strcat(text, "5ba0");
	strcat(text, "d0 11 0322 02c8");
	for (int i = 0; i < 200; i++)
		strcat(text, "00011170");
	upd_make(&b, "", text, "08 0a");
	c = body_of(&b);
	assert_int_equal(wire_update_parse(&c, &neg, &u, &arena), WIRE_OK);
	assert_int_equal(u.attrs.as_path.len, 2 * (2 + 200 * 4));
	assert_int_equal(u.attrs.as_path.p[1], 200);
	assert_int_equal(aspath_length(u.attrs.as_path), 400);
	assert_int_equal(aspath_first(u.attrs.as_path), 1);
	assert_int_equal(aspath_origin(u.attrs.as_path), 70000);
}

static int
setup(void **state)
{
	arena_init(&arena);
	return 0;
}

static int
teardown(void **state)
{
	arena_fini(&arena);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_left_out),
		cmocka_unit_test(test_unknown_kept),
		cmocka_unit_test(test_unknown_order),
		cmocka_unit_test(test_partial),
		cmocka_unit_test(test_large_doubles),
		cmocka_unit_test(test_large_doubles_many),
		cmocka_unit_test(test_mp_nexthop),
		cmocka_unit_test(test_merge),
		cmocka_unit_test(test_merge_long),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
