#include "platform/notify.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int fd = -1;
static uint32_t watchdog_ms;

static void
open_socket(const char *path)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	size_t n;

	if (path == NULL || (*path != '/' && *path != '@') ||
	    (n = strlen(path)) >= sizeof sun.sun_path)
		return;
	memcpy(sun.sun_path, path, n);
	if (*path == '@')
		sun.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd == -1)
		return;
	if (connect(fd, (struct sockaddr *)&sun,
		(socklen_t)(offsetof(struct sockaddr_un, sun_path) + n)) ==
	    -1) {
		close(fd);
		fd = -1;
	}
}

/* $WATCHDOG_PID says which process of the service is meant. */
static void
read_watchdog(const char *usec, const char *pid)
{
	if (usec == NULL ||
	    (pid != NULL && strtoll(pid, NULL, 10) != (long long)getpid()))
		return;
	watchdog_ms = (uint32_t)(strtoull(usec, NULL, 10) / 2000);
}

void
notify_open(void)
{
	open_socket(getenv("NOTIFY_SOCKET"));
	read_watchdog(getenv("WATCHDOG_USEC"), getenv("WATCHDOG_PID"));
	unsetenv("NOTIFY_SOCKET");
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
}

bool
notify(const char *lines)
{
	return fd == -1 || send(fd, lines, strlen(lines), MSG_NOSIGNAL) != -1 ||
	    errno != EAGAIN;
}

void
notify_reloading(uint64_t now_us)
{
	char lines[64];

	snprintf(lines, sizeof lines, "RELOADING=1\nMONOTONIC_USEC=%llu",
	    (unsigned long long)now_us);
	notify(lines);
}

uint32_t
notify_watchdog_ms(void)
{
	return fd == -1 ? 0 : watchdog_ms;
}
