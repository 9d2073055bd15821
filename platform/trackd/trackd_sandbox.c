/*
 * trackd_sandbox.c -- what is given up at start.  Programs inherit all of it,
 * so trackd_calls.c forbids only what no health check does.
 */
#include <errno.h>
#include <pwd.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <linux/seccomp.h>

#include <cap-ng.h>

#include "trackd_filter.h"
#include "platform/trackd/trackd.h"

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
	become(d);
	capng_clear(CAPNG_SELECT_BOTH);
	if (capng_apply(CAPNG_SELECT_CAPS) != 0)
		helper_die("capabilities cannot be given up");
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1 ||
	    prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == -1)
		helper_die("no_new_privs: %s", strerror(errno));
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &trackd_filter) == -1)
		helper_die("the system call filter cannot be loaded: %s",
		    strerror(errno));
}
