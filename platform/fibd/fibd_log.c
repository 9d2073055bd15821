#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "platform/fibd/fibd.h"

static bool on_stderr = true;

/* The connection is made now: there is no connect() in the sandbox. */
void
fibd_log_open(bool foreground)
{
	on_stderr = foreground;
	tzset();
	if (!foreground)
		openlog("ana-fibd", LOG_PID | LOG_NDELAY, LOG_DAEMON);
}

void
fibd_log(const char *fmt, ...)
{
	char line[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof line, fmt, ap);
	va_end(ap);
	if (on_stderr)
		fprintf(stderr, "ana-fibd: %s\n", line);
	else
		syslog(LOG_NOTICE, "%s", line);
}

void
fibd_die(const char *fmt, ...)
{
	char line[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof line, fmt, ap);
	va_end(ap);
	fprintf(stderr, "ana-fibd: %s\n", line);
	exit(1);
}

void
fibd_notify(const char *state)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	size_t n;
	int fd;

	if (path == NULL || (n = strlen(path)) < 2 || n >= sizeof sun.sun_path)
		return;
	memcpy(sun.sun_path, path, n);
	if (path[0] == '@')
		sun.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	if (sendto(fd, state, strlen(state), MSG_NOSIGNAL,
		(struct sockaddr *)&sun,
		(socklen_t)(offsetof(struct sockaddr_un, sun_path) + n)) < 0)
		fibd_log("systemd could not be told that we are ready");
	close(fd);
}
