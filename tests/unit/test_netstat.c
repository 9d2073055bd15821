/* The kernel's table of names and values. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>
#include <unistd.h>

#include "platform/netstat.h"

static void
test_parse(void **state)
{
	char text[] = "TcpExt: A TCPMD5NotFound TCPMD5Unexpected B "
		      "TCPMD5Failure TCPMinTTLDrop\n"
		      "TcpExt: 9 1 2 9 3 18446744073709551615\n"
		      "IpExt: TCPMD5Failure\nIpExt: 77\n";
	uint64_t v[NETSTAT_N];

	assert_true(netstat_parse(text, v));
	assert_int_equal(v[NETSTAT_MD5_NOT_FOUND], 1);
	assert_int_equal(v[NETSTAT_MD5_UNEXPECTED], 2);
	assert_int_equal(v[NETSTAT_MD5_FAILURE], 3);
	assert_true(v[NETSTAT_MIN_TTL_DROP] == UINT64_MAX);
}

/* An old kernel, a cut line, another table first, nothing at all. */
static void
test_odd(void **state)
{
	char old[] = "IpExt: X\nIpExt: 1\nTcpExt: A\nTcpExt: 5\n";
	char cut[] = "TcpExt: A TCPMD5Failure\nTcpExt: 5";
	char half[] = "TcpExt: A TCPMD5Failure";
	char none[] = "";
	uint64_t v[NETSTAT_N];

	assert_true(netstat_parse(old, v));
	assert_int_equal(v[NETSTAT_MIN_TTL_DROP], 0);
	assert_true(netstat_parse(cut, v));
	assert_int_equal(v[NETSTAT_MD5_FAILURE], 0);
	assert_false(netstat_parse(half, v));
	assert_false(netstat_parse(none, v));
	assert_false(netstat_read(-1, v));
}

static void
test_kernel(void **state)
{
	uint64_t v[NETSTAT_N];
	int fd = netstat_open();

	assert_true(fd >= 0);
	/* Twice: the second read begins anew. */
	assert_true(netstat_read(fd, v));
	assert_true(netstat_read(fd, v));
	close(fd);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_odd),
		cmocka_unit_test(test_kernel),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
