/*
 * filter.h -- a system call filter as a table: bgpd/sandbox_calls.c and others.
 * The build makes the kernel's form of it (filter_gen.c), so that no program
 * has libseccomp in memory.
 */
#ifndef FILTER_H
#define FILTER_H

#include <stddef.h>
#include <stdint.h>

#include <errno.h>
#include <seccomp.h>

struct filter_rule {
	uint32_t action;
	int call;
	unsigned int args; /* how many are looked at: 0 or 1 */
	struct scmp_arg_cmp arg;
};

#define FILTER_ERROR SCMP_ACT_ERRNO(EPERM)

/* clang-format off */
#define FILTER_RULE(action, call) { action, SCMP_SYS(call), 0, { 0 } }
#define ALLOW(call) FILTER_RULE(SCMP_ACT_ALLOW, call)
#define REFUSE(call) FILTER_RULE(FILTER_ERROR, call)
#define KILL(call) FILTER_RULE(SCMP_ACT_KILL_PROCESS, call)
/* Argument n has that value, or none of those bits. */
#define ALLOW_IS(call, n, value) \
	{ SCMP_ACT_ALLOW, SCMP_SYS(call), 1, { n, SCMP_CMP_EQ, value, 0 } }
#define ALLOW_NONE_OF(call, n, bits) \
	{ SCMP_ACT_ALLOW, SCMP_SYS(call), 1, \
		{ n, SCMP_CMP_MASKED_EQ, bits, 0 } }
/* clang-format on */

/* The one table that the generator is linked with; other_calls is for what
 * stands not in it. */
extern const uint32_t filter_other_calls;
extern const struct filter_rule filter_rules[];
extern const size_t filter_count;

#endif /* FILTER_H */
