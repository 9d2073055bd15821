#include "bgpd/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <seccomp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The run time of a sanitizer calls what the filter forbids. */
#if defined(__SANITIZE_ADDRESS__)
enum {
	FILTERED = false
};
#else
enum {
	FILTERED = true
};
#endif

/* clang-format off */
/* What the speaker does once it runs, by purpose. */
static const int allowed[] = {
	/* descriptors */
	SCMP_SYS(read), SCMP_SYS(readv), SCMP_SYS(pread64), SCMP_SYS(write),
	SCMP_SYS(writev), SCMP_SYS(close), SCMP_SYS(fcntl), SCMP_SYS(lseek),
	SCMP_SYS(dup), SCMP_SYS(ftruncate), SCMP_SYS(fsync),
	/* sockets */
	SCMP_SYS(connect), SCMP_SYS(bind), SCMP_SYS(listen),
	SCMP_SYS(accept4), SCMP_SYS(sendto), SCMP_SYS(sendmsg),
	SCMP_SYS(recvfrom), SCMP_SYS(recvmsg), SCMP_SYS(shutdown),
	SCMP_SYS(getsockname), SCMP_SYS(getpeername), SCMP_SYS(getsockopt),
	SCMP_SYS(setsockopt), SCMP_SYS(socketpair),
	/* waiting */
	SCMP_SYS(epoll_wait), SCMP_SYS(epoll_pwait), SCMP_SYS(epoll_ctl),
	SCMP_SYS(poll), SCMP_SYS(ppoll), SCMP_SYS(restart_syscall),
	/* files of the configuration, state and run directories */
	SCMP_SYS(openat), SCMP_SYS(fstat), SCMP_SYS(newfstatat),
	SCMP_SYS(statx), SCMP_SYS(lstat), SCMP_SYS(stat),
	SCMP_SYS(getdents64), SCMP_SYS(readlink), SCMP_SYS(readlinkat),
	SCMP_SYS(unlink), SCMP_SYS(unlinkat), SCMP_SYS(rename),
	SCMP_SYS(renameat), SCMP_SYS(chmod), SCMP_SYS(fchmod),
	SCMP_SYS(fchmodat), SCMP_SYS(access), SCMP_SYS(faccessat),
	SCMP_SYS(getcwd),
	/* memory */
	SCMP_SYS(brk), SCMP_SYS(mmap), SCMP_SYS(munmap), SCMP_SYS(mremap),
	SCMP_SYS(madvise), SCMP_SYS(mprotect),
	/* time, identity, signals, end */
	SCMP_SYS(clock_gettime), SCMP_SYS(clock_nanosleep),
	SCMP_SYS(gettimeofday), SCMP_SYS(time), SCMP_SYS(getrandom),
	SCMP_SYS(getpid), SCMP_SYS(gettid), SCMP_SYS(getuid),
	SCMP_SYS(geteuid), SCMP_SYS(getgid), SCMP_SYS(getegid),
	SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask),
	SCMP_SYS(rt_sigreturn), SCMP_SYS(sigaltstack), SCMP_SYS(futex),
	SCMP_SYS(tgkill), SCMP_SYS(wait4), SCMP_SYS(exit),
	SCMP_SYS(exit_group), SCMP_SYS(uname), SCMP_SYS(sysinfo),
};
/* Nobody but an intruder asks for these: the process ends. */
static const int fatal[] = {
	SCMP_SYS(execve), SCMP_SYS(execveat), SCMP_SYS(ptrace),
	SCMP_SYS(init_module), SCMP_SYS(finit_module), SCMP_SYS(bpf),
	SCMP_SYS(setuid), SCMP_SYS(setresuid), SCMP_SYS(unshare),
	SCMP_SYS(setns), SCMP_SYS(mount),
};
static const int domains[] = { AF_UNIX, AF_INET, AF_INET6 };
/* clang-format on */

#define N(a) (sizeof(a) / sizeof *(a))

static int
filter(scmp_filter_ctx ctx)
{
	int err = 0;

	for (size_t i = 0; err == 0 && i < N(allowed); i++)
		err = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, allowed[i], 0);
	for (size_t i = 0; err == 0 && i < N(fatal); i++)
		err = seccomp_rule_add(ctx, SCMP_ACT_KILL_PROCESS, fatal[i], 0);
	for (size_t i = 0; err == 0 && i < N(domains); i++)
		err = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(socket), 1,
		    SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)domains[i]));
	return err != 0 ? err : seccomp_load(ctx);
}

static int
seccomp(void)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	int err;

	if (ctx == NULL)
		return -ENOMEM;
	err = filter(ctx);
	seccomp_release(ctx);
	return err;
}

/* ---- Landlock: the rights that are there, never required -------------- */

enum {
	RD = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR,
	WR = RD | LANDLOCK_ACCESS_FS_WRITE_FILE |
	    LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_REG |
	    LANDLOCK_ACCESS_FS_MAKE_SOCK,
	/* What the first version of Landlock can forbid. */
	ALL = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1,
};

static void
permit(int ruleset, const char *dir, uint64_t rights)
{
	struct landlock_path_beneath_attr a = { .allowed_access = rights };

	if (dir == NULL)
		return;
	a.parent_fd = open(dir, O_PATH | O_CLOEXEC);
	if (a.parent_fd == -1)
		return;
	syscall(
	    SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &a, 0);
	close(a.parent_fd);
}

static bool
landlock(const struct sandbox_dirs *d)
{
	struct landlock_ruleset_attr attr = { .handled_access_fs = ALL };
	long fd = syscall(SYS_landlock_create_ruleset, &attr, sizeof attr, 0);
	bool good;

	if (fd < 0)
		return false;
	permit((int)fd, d->conf, RD);
	permit((int)fd, d->state, WR);
	permit((int)fd, d->run, WR);
	permit((int)fd, d->log, WR);
	/* ana-fibd's socket is connected to, which needs no right here. */
	good = syscall(SYS_landlock_restrict_self, (int)fd, 0) == 0;
	close((int)fd);
	return good;
}

bool
sandbox_enter(const struct sandbox_dirs *d, bool *ll, char *why, size_t n)
{
	int err;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1) {
		snprintf(why, n, "no_new_privs: %s", strerror(errno));
		return false;
	}
	*ll = landlock(d);
	if (!FILTERED)
		return true;
	if ((err = seccomp()) != 0) {
		snprintf(why, n, "the system call filter was refused: %s",
		    strerror(-err));
		return false;
	}
	return true;
}
