/*
 * fibd_sandbox.c -- what is given up at start: every capability but two, the
 * user, new privileges, and all system calls but the few that the loop makes.
 * No file can be opened and no program run from then on.
 */
#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/netlink.h>
#include <netinet/in.h>

#include <cap-ng.h>
#include <seccomp.h>

#include "platform/fibd/fibd.h"

static void
need(unsigned int cap, const char *name, const char *what)
{
	if (!capng_have_capability(CAPNG_EFFECTIVE, cap))
		helper_die("the capability %s is missing, without which %s; "
			   "start it as root or by its unit",
		    name, what);
}

void
fibd_drop(const struct fibd_options *o, bool will_listen)
{
	const struct passwd *pw = NULL;
	int err;

	capng_get_caps_process();
	need(CAP_NET_ADMIN, "CAP_NET_ADMIN", "no route can be written");
	if (will_listen)
		need(CAP_NET_BIND_SERVICE, "CAP_NET_BIND_SERVICE",
		    "port 179 cannot be bound");
	if (geteuid() == 0 && !o->remove) {
		pw = helper_user(o->own);
		/* A lab has the one user that its speaker runs as. */
		if (pw == NULL && o->fd >= 0 &&
		    (pw = helper_user(o->user)) != NULL)
			fprintf(stderr,
			    "ana-fibd: there is no user \"%s\": runs as "
			    "\"%s\", the speaker's; for a lab only\n",
			    o->own, o->user);
		if (pw == NULL)
			helper_die("the user \"%s\" does not exist; create it "
				   "or name another with -U",
			    o->own);
	}
	capng_clear(CAPNG_SELECT_BOTH);
	capng_updatev(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED,
	    CAP_NET_ADMIN, CAP_NET_BIND_SERVICE, -1);
	if (pw != NULL)
		err = capng_change_id((int)pw->pw_uid, (int)pw->pw_gid,
		    CAPNG_DROP_SUPP_GRP | CAPNG_CLEAR_BOUNDING);
	else
		err = capng_apply(CAPNG_SELECT_CAPS);
	if (err != 0)
		helper_die(
		    "capabilities cannot be given up (libcap-ng %d)", err);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		helper_die("no_new_privs: %s", strerror(errno));
}

/* One argument's value; -1: any. */
struct rule {
	int call;
	int arg;
	enum scmp_compare op;
	unsigned long value, mask;
};

#define ANY -1, SCMP_CMP_EQ, 0, 0
#define IS(n, v) n, SCMP_CMP_EQ, v, 0
#define NONE_OF(n, m) n, SCMP_CMP_MASKED_EQ, 0, m

/* clang-format off */
static const struct rule rules[] = {
	/* the loop */
	{ SCMP_SYS(ppoll),		ANY },
	{ SCMP_SYS(poll),		ANY },
	{ SCMP_SYS(clock_gettime),	ANY },
	{ SCMP_SYS(restart_syscall),	ANY },
	{ SCMP_SYS(rt_sigreturn),	ANY },
	{ SCMP_SYS(rt_sigprocmask),	ANY },
	{ SCMP_SYS(rt_sigaction),	ANY },
	{ SCMP_SYS(exit),		ANY },
	{ SCMP_SYS(exit_group),		ANY },
	/* its own numbers, of a file that was opened before */
	{ SCMP_SYS(pread64),		ANY },
	/* messages */
	{ SCMP_SYS(recvfrom),		ANY },
	{ SCMP_SYS(recvmsg),		ANY },
	{ SCMP_SYS(sendto),		ANY },
	{ SCMP_SYS(sendmsg),		ANY },
	{ SCMP_SYS(accept4),		ANY },
	{ SCMP_SYS(close),		ANY },
	/* the log */
	{ SCMP_SYS(write),		ANY },
	{ SCMP_SYS(writev),		ANY },
	{ SCMP_SYS(getpid),		ANY },
	/* listening sockets: inet and stream, no other */
	{ SCMP_SYS(socket),		IS(0, AF_INET) },
	{ SCMP_SYS(socket),		IS(0, AF_INET6) },
	{ SCMP_SYS(bind),		ANY },
	{ SCMP_SYS(getsockopt),		IS(1, SOL_SOCKET) },
	{ SCMP_SYS(setsockopt),		IS(1, SOL_SOCKET) },
	{ SCMP_SYS(setsockopt),		IS(2, IP_FREEBIND) },
	{ SCMP_SYS(setsockopt),		IS(2, IPV6_V6ONLY) },
	/* memory that is never code */
	{ SCMP_SYS(brk),		ANY },
	{ SCMP_SYS(munmap),		ANY },
	{ SCMP_SYS(mremap),		ANY },
	{ SCMP_SYS(madvise),		ANY },
	{ SCMP_SYS(mmap),		NONE_OF(2, PROT_EXEC) },
	{ SCMP_SYS(mprotect),		NONE_OF(2, PROT_EXEC) },
	{ SCMP_SYS(futex),		ANY },
	{ SCMP_SYS(getrandom),		ANY },
};
/* clang-format on */

void
fibd_confine(const struct fibd *d)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	int err = ctx == NULL ? -ENOMEM : 0;

	(void)d;
	for (size_t i = 0; i < sizeof rules / sizeof rules[0] && err == 0;
	     i++) {
		const struct rule *r = &rules[i];
		struct scmp_arg_cmp cmp = { (unsigned int)(r->arg < 0 ? 0
								      : r->arg),
			r->op, r->op == SCMP_CMP_MASKED_EQ ? r->mask : r->value,
			r->op == SCMP_CMP_MASKED_EQ ? r->value : 0 };

		err = seccomp_rule_add_array(
		    ctx, SCMP_ACT_ALLOW, r->call, r->arg < 0 ? 0 : 1, &cmp);
	}
	if (err == 0)
		err = seccomp_load(ctx);
	if (err != 0)
		helper_die("the system call filter cannot be loaded: %s",
		    strerror(-err));
	seccomp_release(ctx);
}
