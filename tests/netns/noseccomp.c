/*
 * noseccomp.c -- preloaded under valgrind, which makes system calls of its own:
 * the filter is asked for and not there.
 * A program that it starts, ana-fibd, has its filter.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

int
prctl(int option, ...)
{
	unsigned long arg[4];
	va_list ap;

	if (option == PR_SET_SECCOMP)
		return 0;
	va_start(ap, option);
	for (int i = 0; i < 4; i++)
		arg[i] = va_arg(ap, unsigned long);
	va_end(ap);
	return (int)syscall(SYS_prctl, option, arg[0], arg[1], arg[2], arg[3]);
}

__attribute__((constructor)) static void
only_here(void)
{
	if (strcmp(program_invocation_short_name, "ana-bgpd") == 0)
		unsetenv("LD_PRELOAD");
}
