/*
 * fibd_sandbox.c -- what is given up at start: every capability but two, the
 * user, new privileges, and all system calls but the few that the loop makes.
 * No file can be opened and no program run from then on.
 */
#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <linux/seccomp.h>

#include <cap-ng.h>

#include "fibd_filter.h"
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

void
fibd_confine(const struct fibd *d)
{
	(void)d;
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &fibd_filter) == -1)
		helper_die("the system call filter cannot be loaded: %s",
		    strerror(errno));
}
