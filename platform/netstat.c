#include "platform/netstat.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *const name[NETSTAT_N] = {
	[NETSTAT_MD5_NOT_FOUND] = "TCPMD5NotFound",
	[NETSTAT_MD5_UNEXPECTED] = "TCPMD5Unexpected",
	[NETSTAT_MD5_FAILURE] = "TCPMD5Failure",
	[NETSTAT_MIN_TTL_DROP] = "TCPMinTTLDrop",
};

int
netstat_open(void)
{
	int fd = open("/proc/self/net/netstat", O_RDONLY | O_CLOEXEC);

	return fd == -1 ? -errno : fd;
}

/* A line of names, a line of values, both with the table's name in front. */
bool
netstat_parse(char *text, uint64_t value[NETSTAT_N])
{
	char *keys, *vals, *key, *val, *rest = text;

	memset(value, 0, NETSTAT_N * sizeof *value);
	while ((keys = strsep(&rest, "\n")) != NULL &&
	    (vals = strsep(&rest, "\n")) != NULL) {
		if (strncmp(keys, "TcpExt:", 7) != 0)
			continue;
		while ((key = strsep(&keys, " ")) != NULL &&
		    (val = strsep(&vals, " ")) != NULL)
			for (int i = 0; i < NETSTAT_N; i++)
				if (strcmp(key, name[i]) == 0)
					value[i] = strtoull(val, NULL, 10);
		return true;
	}
	return false;
}

bool
netstat_read(int fd, uint64_t value[NETSTAT_N])
{
	char text[16384];
	size_t len = 0;
	ssize_t n;

	if (fd < 0)
		return false;
	while (len < sizeof text - 1 &&
	    (n = pread(fd, text + len, sizeof text - 1 - len, (off_t)len)) > 0)
		len += (size_t)n;
	text[len] = '\0';
	return len > 0 && netstat_parse(text, value);
}
