/*
 * sandbox_calls.c -- the system calls of the speaker; what else it asks for
 * gets EPERM.
 */
#include <sys/socket.h>

#include "platform/filter.h"

const uint32_t filter_other_calls = FILTER_ERROR;

/* clang-format off */
const struct filter_rule filter_rules[] = {
	/* What it does once it runs, by purpose: descriptors */
	ALLOW(read), ALLOW(readv), ALLOW(pread64), ALLOW(write), ALLOW(writev),
	ALLOW(close), ALLOW(fcntl), ALLOW(lseek), ALLOW(dup), ALLOW(ftruncate),
	ALLOW(fsync),
	/* sockets */
	ALLOW(connect), ALLOW(bind), ALLOW(listen), ALLOW(accept4),
	ALLOW(sendto), ALLOW(sendmsg), ALLOW(recvfrom), ALLOW(recvmsg),
	ALLOW(shutdown), ALLOW(getsockname), ALLOW(getpeername),
	ALLOW(getsockopt), ALLOW(setsockopt), ALLOW(socketpair),
	ALLOW_IS(socket, 0, AF_UNIX), ALLOW_IS(socket, 0, AF_INET),
	ALLOW_IS(socket, 0, AF_INET6),
	/* waiting */
	ALLOW(epoll_wait), ALLOW(epoll_pwait), ALLOW(epoll_ctl), ALLOW(poll),
	ALLOW(ppoll), ALLOW(restart_syscall),
	/* files of the configuration, state and run directories */
	ALLOW(openat), ALLOW(fstat), ALLOW(newfstatat), ALLOW(statx),
	ALLOW(lstat), ALLOW(stat), ALLOW(getdents64), ALLOW(readlink),
	ALLOW(readlinkat), ALLOW(unlink), ALLOW(unlinkat), ALLOW(rename),
	ALLOW(renameat), ALLOW(chmod), ALLOW(fchmod), ALLOW(fchmodat),
	ALLOW(access), ALLOW(faccessat), ALLOW(getcwd),
	/* memory */
	ALLOW(brk), ALLOW(mmap), ALLOW(munmap), ALLOW(mremap), ALLOW(madvise),
	ALLOW(mprotect),
	/* time, identity, signals, end */
	ALLOW(clock_gettime), ALLOW(clock_nanosleep), ALLOW(gettimeofday),
	ALLOW(time), ALLOW(getrandom), ALLOW(getpid), ALLOW(gettid),
	ALLOW(getuid), ALLOW(geteuid), ALLOW(getgid), ALLOW(getegid),
	ALLOW(rt_sigaction), ALLOW(rt_sigprocmask), ALLOW(rt_sigreturn),
	ALLOW(sigaltstack), ALLOW(futex), ALLOW(tgkill), ALLOW(wait4),
	ALLOW(exit), ALLOW(exit_group), ALLOW(uname), ALLOW(sysinfo),
	/* Nobody but an intruder asks for these: the process ends. */
	KILL(execve), KILL(execveat), KILL(ptrace), KILL(init_module),
	KILL(finit_module), KILL(bpf), KILL(setuid), KILL(setresuid),
	KILL(unshare), KILL(setns), KILL(mount),
};
/* clang-format on */
const size_t filter_count = sizeof filter_rules / sizeof *filter_rules;
