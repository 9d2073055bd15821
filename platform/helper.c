#include "platform/helper.h"

#include <errno.h>
#include <nss.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

static bool to_syslog;

void
helper_syslog(void)
{
	to_syslog = true;
	tzset();
	openlog(getprogname(), LOG_PID | LOG_NDELAY, LOG_DAEMON);
}

static void
say(const char *fmt, va_list ap)
{
	char line[512];

	vsnprintf(line, sizeof line, fmt, ap);
	fprintf(stderr, "%s: %s\n", getprogname(), line);
}

void
helper_log(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	if (to_syslog)
		vsyslog(LOG_NOTICE, fmt, ap);
	else
		say(fmt, ap);
	va_end(ap);
}

void
helper_die(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(fmt, ap);
	va_end(ap);
	exit(1);
}

const struct passwd *
helper_user(const char *name)
{
	__nss_configure_lookup("passwd", "files");
	return getpwnam(name);
}

const struct passwd *
helper_speaker(const char *user)
{
	const struct passwd *pw = helper_user(user);

	if (pw == NULL)
		helper_die("the speaker's user \"%s\" does not exist; create "
			   "it or name another with -u",
		    user);
	return pw;
}

static void
clear_path(const struct sockaddr_un *sun)
{
	const char *path = sun->sun_path;
	struct stat st;
	int fd;

	if (lstat(path, &st) == -1)
		return;
	if (!S_ISSOCK(st.st_mode))
		helper_die("%s is there and is no socket", path);
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (fd != -1 &&
	    connect(fd, (const struct sockaddr *)sun, sizeof *sun) == 0)
		helper_die("%s is in use: another %s answers there", path,
		    getprogname());
	if (fd != -1)
		close(fd);
	if (unlink(path) == -1)
		helper_die("%s cannot be removed: %s", path, strerror(errno));
}

int
helper_listen(const char *path, mode_t mask)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	mode_t old;
	int fd;

	if (strlcpy(sun.sun_path, path, sizeof sun.sun_path) >=
	    sizeof sun.sun_path)
		helper_die("the path of the socket is too long: %s", path);
	clear_path(&sun);
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	old = umask(mask);
	if (fd == -1 || bind(fd, (struct sockaddr *)&sun, sizeof sun) == -1) {
		if (errno == ENOENT)
			helper_die("the directory of %s does not exist; the "
				   "unit makes it, or name another with -s",
			    path);
		helper_die("%s: %s", path, strerror(errno));
	}
	umask(old);
	if (listen(fd, 4) == -1)
		helper_die("%s: %s", path, strerror(errno));
	return fd;
}
