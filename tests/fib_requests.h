/* fib_requests.h -- the beginning of each test that plays ana-fibd: what
 * fibsync asks of the FIB, as records. */
#ifndef FIB_REQUESTS_H
#define FIB_REQUESTS_H

#include <assert.h>
#include <string.h>

#include "platform/fib.h"

enum {
	REQUEST_NH = 4 /* next hops of a set, at most */
};

struct request {
	enum {
		NHSET,
		DROP,
		REPLACE,
		REMOVE
	} kind;
	uint32_t seq, set;
	struct pfx pfx;
	struct fib_nh nh[REQUEST_NH];
	size_t n;
	int err;
};

/* The test's: queues it; -EAGAIN when there is no room. */
static int request(const struct request *);

static int
ask_nhset(struct fib *f, uint32_t set, const struct fib_nh *nh, size_t n)
{
	struct request r = { .kind = NHSET, .set = set, .n = n };

	assert(n <= REQUEST_NH);
	memcpy(r.nh, nh, n * sizeof *nh);
	return request(&r);
}

static int
ask_drop(struct fib *f, uint32_t set)
{
	return request(&(struct request){ .kind = DROP, .set = set });
}

static int
ask_replace(struct fib *f, const struct pfx *p, uint32_t set)
{
	return request(
	    &(struct request){ .kind = REPLACE, .set = set, .pfx = *p });
}

static int
ask_remove(struct fib *f, const struct pfx *p)
{
	return request(&(struct request){ .kind = REMOVE, .pfx = *p });
}

static const struct fib_ops request_ops = { .nhset = ask_nhset,
	.nhset_drop = ask_drop,
	.replace = ask_replace,
	.remove = ask_remove };

#endif /* FIB_REQUESTS_H */
