/*
 * The filters that the build makes of the tables, each in force in a child:
 * what of the calls comes back, or ends it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/netlink.h>
#include <linux/seccomp.h>
#include <netinet/in.h>

#include "bgpd_filter.h"
#include "fibd_filter.h"
#include "trackd_filter.h"

enum {
	DENIED = EPERM,
	PASSED = 0,
	KILLED = 1000, /* by SIGSYS */
};

/* What becomes of one call with no effect of its own under a filter. */
static int
call(const struct sock_fprog *filter, long nr, long a, long b, long c)
{
	pid_t child = fork();
	int status;

	assert_int_not_equal(child, -1);
	if (child == 0) {
		if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1 ||
		    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, filter) == -1)
			_exit(255);
		errno = 0;
		syscall(nr, a, b, c, 0, -1, 0);
		/* Not by _exit(), before which a sanitizer asks for more. */
		syscall(SYS_exit_group, errno);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	if (WIFSIGNALED(status)) {
		assert_int_equal(WTERMSIG(status), SIGSYS);
		return KILLED;
	}
	assert_int_not_equal(WEXITSTATUS(status), 255);
	return WEXITSTATUS(status);
}

static void
test_bgpd(void **state)
{
	const struct sock_fprog *f = &bgpd_filter;

	assert_int_equal(call(f, SYS_getuid, 0, 0, 0), PASSED);
	assert_int_equal(call(f, SYS_socket, AF_INET6, SOCK_STREAM, 0), PASSED);
	assert_int_equal(call(f, SYS_socket, AF_NETLINK, SOCK_RAW, 0), DENIED);
	assert_int_equal(call(f, SYS_prctl, PR_GET_DUMPABLE, 0, 0), DENIED);
	assert_int_equal(call(f, SYS_clone, SIGCHLD, 0, 0), DENIED);
	assert_int_equal(call(f, SYS_execve, 0, 0, 0), KILLED);
	assert_int_equal(call(f, SYS_ptrace, 0, 0, 0), KILLED);
	assert_int_equal(call(f, SYS_setuid, -1, 0, 0), KILLED);
}

static void
test_fibd(void **state)
{
	const struct sock_fprog *f = &fibd_filter;

	assert_int_equal(call(f, SYS_getpid, 0, 0, 0), PASSED);
	assert_int_equal(call(f, SYS_socket, AF_INET, SOCK_STREAM, 0), PASSED);
	assert_int_equal(call(f, SYS_socket, AF_NETLINK, SOCK_RAW, 0), DENIED);
	assert_int_equal(call(f, SYS_socket, AF_UNIX, SOCK_STREAM, 0), DENIED);
	assert_int_equal(call(f, SYS_setsockopt, -1, SOL_SOCKET, 0), EBADF);
	assert_int_equal(call(f, SYS_setsockopt, -1, IPPROTO_TCP, 0), DENIED);
	assert_int_equal(
	    call(f, SYS_openat, AT_FDCWD, (long)"/", O_RDONLY), DENIED);
	assert_int_equal(call(f, SYS_execve, 0, 0, 0), DENIED);
	assert_int_equal(call(f, SYS_mprotect, 0, 0, PROT_READ), PASSED);
	assert_int_equal(
	    call(f, SYS_mprotect, 0, 0, PROT_READ | PROT_EXEC), DENIED);
	assert_int_equal(call(f, SYS_mmap, 0, 0, PROT_EXEC), DENIED);
	assert_int_equal(call(f, SYS_mmap, 0, 0, PROT_READ), EBADF);
}

static void
test_trackd(void **state)
{
	const struct sock_fprog *f = &trackd_filter;

	assert_int_equal(call(f, SYS_socket, AF_NETLINK, SOCK_RAW, 0), PASSED);
	assert_int_equal(call(f, SYS_execve, 0, 0, 0), EFAULT);
	assert_int_equal(call(f, SYS_unshare, 0, 0, 0), DENIED);
	assert_int_equal(call(f, SYS_ptrace, 0, 0, 0), DENIED);
	assert_int_equal(call(f, SYS_mount, 0, 0, 0), DENIED);
}

/* Numbers mean other calls there, so none of them may be looked up. */
static void
test_other_architecture(void **state)
{
#if defined(__x86_64__) && !defined(__ILP32__)
	const long x32 = 0x40000000;

	assert_int_equal(call(&bgpd_filter, x32 | SYS_getuid, 0, 0, 0), KILLED);
	assert_int_equal(call(&fibd_filter, x32 | SYS_getpid, 0, 0, 0), KILLED);
	assert_int_equal(
	    call(&trackd_filter, x32 | SYS_getpid, 0, 0, 0), KILLED);
#else
	skip();
#endif
}

/* The kernel that builds, or the emulator, need not know seccomp(2). */
static void
test_build_without_seccomp(void **state)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
		    offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_seccomp, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog none = { sizeof code / sizeof code[0], code };
	/* Beside this test: the build's folder. */
	static char make[] =
	    "cd \"$(dirname \"$1\")\" || exit; for n in bgpd fibd trackd; do "
	    "./$n-filter $n | cmp -s - ${n}_filter.h || exit 1; done";
	char self[4096] = { 0 };
	pid_t child;
	int status;

	assert_true(readlink("/proc/self/exe", self, sizeof self - 1) > 0);
	child = fork();
	assert_int_not_equal(child, -1);
	if (child == 0) {
		if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
		    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &none) == 0)
			execl("/bin/sh", "sh", "-c", make, "sh", self, NULL);
		_exit(255);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bgpd),
		cmocka_unit_test(test_fibd),
		cmocka_unit_test(test_trackd),
		cmocka_unit_test(test_other_architecture),
		cmocka_unit_test(test_build_without_seccomp),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
