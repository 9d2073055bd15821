/* How many requests go in one send, by what became of those before. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>
#include <linux/netlink.h>
#include <netlink/netlink.h>

#include "platform/fibd/nlroute.h"

/* ---- the kernel ------------------------------------------------------ */

static struct nlmsghdr last; /* the last request, if it is to be answered */
static unsigned int fits; /* answers that the receive buffer has room for */
static unsigned int sent, lost;

int
nl_connect(struct nl_sock *sk, int protocol)
{
	return 0;
}

int
setsockopt(int fd, int level, int name, const void *value, socklen_t len)
{
	return 0;
}

int
nl_sendto(struct nl_sock *sk, void *buf, size_t size)
{
	struct nlmsghdr *h = buf;
	unsigned int left = (unsigned int)size;

	for (sent = 0; NLMSG_OK(h, left); sent++) {
		last = *h;
		h = NLMSG_NEXT(h, left);
	}
	return (int)size;
}

ssize_t
recvfrom(int fd, void *restrict buf, size_t size, int flags,
    struct sockaddr *restrict from, socklen_t *restrict len)
{
	struct {
		struct nlmsghdr h;
		struct nlmsgerr e;
	} r = { .h = { sizeof r, NLMSG_ERROR, 0, last.nlmsg_seq, 0 } };
	bool asked = last.nlmsg_len > 0;

	last.nlmsg_len = 0;
	if (!asked || sent > fits) {
		errno = asked ? ENOBUFS : EAGAIN;
		lost += asked;
		return -1;
	}
	memset(from, 0, *len);
	memcpy(buf, &r, sizeof r);
	return sizeof r;
}

static void
on_done(void *arg, uint32_t tag, int err, const char *text)
{
}

/* As many as may be at once; how many that were. */
static unsigned int
batch(struct nlroute *nl)
{
	struct nlroute_route r = { .pfx = { .addr.fam = FAM_INET, .len = 24 } };

	while (!nlroute_full(nl))
		nlroute_del(nl, &r, 0);
	nlroute_run(nl, on_done, NULL);
	return sent;
}

/* ---------------------------------------------------------------------- */

/* Losses of long ago do not make all batches small. */
static void
test_grows_back(void **state)
{
	struct nlroute *nl;
	unsigned int full, n = 0;

	fits = NLROUTE_BATCH;
	assert_int_equal(nlroute_open(&nl, 0), 0);
	full = batch(nl);
	assert_in_range(full, NLROUTE_BATCH - 1, NLROUTE_BATCH);
	for (int i = 0; i < 20; i++) {
		fits = 0;
		batch(nl);
		fits = NLROUTE_BATCH;
		assert_in_range(batch(nl), 1, full / 2);
		for (n = 0; batch(nl) < full; n++)
			assert_true(n < 10000);
	}
	nlroute_close(nl);
}

/* Where the buffer is small, it is tried less and less often. */
static void
test_learns(void **state)
{
	struct nlroute *nl;
	unsigned int before;

	fits = 10;
	lost = 0;
	assert_int_equal(nlroute_open(&nl, 0), 0);
	for (int i = 0; i < 100000; i++)
		batch(nl);
	assert_in_range(lost, 4, 12);
	before = lost;
	for (int i = 0; i < 100000; i++)
		batch(nl);
	assert_in_range(lost - before, 0, 2);
	nlroute_close(nl);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_grows_back),
		cmocka_unit_test(test_learns),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
