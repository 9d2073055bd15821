/*
 * fakeao.c -- preloaded where the kernel has no TCP-AO: takes its options as
 * a kernel that has it, signs nothing, and writes what it was asked for to
 * the log.  The layout is written out here, apart from the daemon's structs.
 */
#include <dlfcn.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

enum {
	ADD = 38,
	DEL = 39,
	INFO = 40,
	ALG = 128,
	BITS = 128 + 64 + 4,
	DEL_BITS = 128 + 4
};

static int
connected(int fd)
{
	struct sockaddr_storage ss;
	socklen_t n = sizeof ss;

	return getpeername(fd, (struct sockaddr *)&ss, &n) == 0;
}

int
setsockopt(int fd, int level, int name, const void *p, socklen_t n)
{
	static int (*real)(int, int, int, const void *, socklen_t);
	const unsigned char *o = p;
	const char *where = connected(fd) ? "connection" : "socket";

	if (real == NULL)
		*(void **)&real = dlsym(RTLD_NEXT, "setsockopt");
	if (level == IPPROTO_TCP && name == ADD && n == 288)
		dprintf(2, "ao: %s add %u/%u %s mac %u /%u key %.*s%s\n", where,
		    o[BITS + 7], o[BITS + 8], (const char *)o + ALG,
		    o[BITS + 9], o[BITS + 6], o[BITS + 11],
		    (const char *)o + BITS + 12,
		    (o[BITS] & 3) == 3 ? " first" : "");
	else if (level == IPPROTO_TCP && name == DEL && n == 144)
		dprintf(2, "ao: %s del %u/%u next %u/%u\n", where,
		    o[DEL_BITS + 7], o[DEL_BITS + 8], o[DEL_BITS + 9],
		    o[DEL_BITS + 10]);
	else if (level == IPPROTO_TCP && name == INFO && n == 48)
		dprintf(2, "ao: %s ask %u\n", where, o[7]);
	else
		return real(fd, level, name, p, n);
	return 0;
}

int
getsockopt(int fd, int level, int name, void *p, socklen_t *n)
{
	static int (*real)(int, int, int, void *, socklen_t *);

	if (real == NULL)
		*(void **)&real = dlsym(RTLD_NEXT, "getsockopt");
	if (level != IPPROTO_TCP || name != INFO)
		return real(fd, level, name, p, n);
	if (connected(fd))
		return 0;
	errno = ENOENT; /* the option is known, and there are no keys */
	return -1;
}
