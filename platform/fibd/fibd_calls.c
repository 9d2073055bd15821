/*
 * fibd_calls.c -- the system calls that ana-fibd's loop makes; what else it
 * asks for gets EPERM.
 */
#include <sys/mman.h>
#include <sys/socket.h>

#include <netinet/in.h>

#include "platform/filter.h"

const uint32_t filter_other_calls = FILTER_ERROR;

/* clang-format off */
const struct filter_rule filter_rules[] = {
	/* the loop */
	ALLOW(ppoll),
	ALLOW(poll),
	ALLOW(clock_gettime),
	ALLOW(restart_syscall),
	ALLOW(rt_sigreturn),
	ALLOW(rt_sigprocmask),
	ALLOW(rt_sigaction),
	ALLOW(exit),
	ALLOW(exit_group),
	/* its own numbers, of a file that was opened before */
	ALLOW(pread64),
	/* messages */
	ALLOW(recvfrom),
	ALLOW(recvmsg),
	ALLOW(sendto),
	ALLOW(sendmsg),
	ALLOW(accept4),
	ALLOW(close),
	/* the log */
	ALLOW(write),
	ALLOW(writev),
	ALLOW(getpid),
	/* listening sockets: inet and stream, no other */
	ALLOW_IS(socket, 0, AF_INET),
	ALLOW_IS(socket, 0, AF_INET6),
	ALLOW(bind),
	ALLOW_IS(getsockopt, 1, SOL_SOCKET),
	ALLOW_IS(setsockopt, 1, SOL_SOCKET),
	ALLOW_IS(setsockopt, 2, IP_FREEBIND),
	ALLOW_IS(setsockopt, 2, IPV6_V6ONLY),
	/* memory that is never code */
	ALLOW(brk),
	ALLOW(munmap),
	ALLOW(mremap),
	ALLOW(madvise),
	ALLOW_NONE_OF(mmap, 2, PROT_EXEC),
	ALLOW_NONE_OF(mprotect, 2, PROT_EXEC),
	ALLOW(futex),
	ALLOW(getrandom),
};
/* clang-format on */
const size_t filter_count = sizeof filter_rules / sizeof *filter_rules;
