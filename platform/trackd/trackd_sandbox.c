/*
 * trackd_sandbox.c -- what is given up at start.  Programs inherit all of it,
 * so calls are only forbidden that no health check makes.
 */
#include <errno.h>
#include <pwd.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cap-ng.h>
#include <seccomp.h>

#include "platform/trackd/trackd.h"

/* clang-format off */
static const int forbidden[] = {
	SCMP_SYS(ptrace), SCMP_SYS(process_vm_readv),
	SCMP_SYS(process_vm_writev), SCMP_SYS(bpf), SCMP_SYS(perf_event_open),
	SCMP_SYS(userfaultfd), SCMP_SYS(io_uring_setup),
	SCMP_SYS(mount), SCMP_SYS(umount2), SCMP_SYS(pivot_root),
	SCMP_SYS(chroot), SCMP_SYS(unshare), SCMP_SYS(setns),
	SCMP_SYS(init_module), SCMP_SYS(finit_module), SCMP_SYS(delete_module),
	SCMP_SYS(kexec_load), SCMP_SYS(reboot), SCMP_SYS(swapon),
	SCMP_SYS(add_key), SCMP_SYS(request_key), SCMP_SYS(keyctl),
	SCMP_SYS(settimeofday), SCMP_SYS(clock_settime), SCMP_SYS(adjtimex),
};
/* clang-format on */

static void
become(const struct trackd *d)
{
	const struct passwd *pw;

	if (geteuid() != 0)
		return;
	if ((pw = helper_user(d->opt.own)) == NULL)
		helper_die("the user \"%s\" does not exist; create it or name "
			   "another with -U",
		    d->opt.own);
	if (pw->pw_uid == 0)
		helper_die(
		    "-U %s is root: programs never run as root", d->opt.own);
	capng_clear(CAPNG_SELECT_BOTH);
	if (capng_change_id((int)pw->pw_uid, (int)pw->pw_gid,
		CAPNG_DROP_SUPP_GRP | CAPNG_CLEAR_BOUNDING) != 0)
		helper_die("cannot become user %s", d->opt.own);
}

void
trackd_confine(const struct trackd *d)
{
	scmp_filter_ctx ctx;
	int err;

	become(d);
	capng_clear(CAPNG_SELECT_BOTH);
	if (capng_apply(CAPNG_SELECT_CAPS) != 0)
		helper_die("capabilities cannot be given up");
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1 ||
	    prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == -1)
		helper_die("no_new_privs: %s", strerror(errno));
	ctx = seccomp_init(SCMP_ACT_ALLOW);
	err = ctx == NULL ? -ENOMEM : 0;
	for (size_t i = 0;
	     i < sizeof forbidden / sizeof forbidden[0] && err == 0; i++)
		err = seccomp_rule_add(
		    ctx, SCMP_ACT_ERRNO(EPERM), forbidden[i], 0);
	if (err == 0)
		err = seccomp_load(ctx);
	if (err != 0)
		helper_die("the system call filter cannot be loaded: %s",
		    strerror(-err));
	seccomp_release(ctx);
}
