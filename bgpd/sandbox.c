#include "bgpd/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "bgpd_filter.h"

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
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1) {
		snprintf(why, n, "no_new_privs: %s", strerror(errno));
		return false;
	}
	*ll = landlock(d);
	if (FILTERED &&
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &bgpd_filter) == -1) {
		snprintf(why, n, "the system call filter was refused: %s",
		    strerror(errno));
		return false;
	}
	return true;
}
