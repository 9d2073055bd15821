/*
 * noseccomp.c -- preloaded under valgrind, which knows no seccomp and makes
 * system calls of its own: the filter is asked for and not there.
 * A program that it starts, ana-fibd, has its filter.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

void *seccomp_init(unsigned int);
int seccomp_rule_add(void *, unsigned int, int, unsigned int, ...);
int seccomp_load(void *);
void seccomp_release(void *);

void *
seccomp_init(unsigned int action)
{
	static int nothing;

	(void)action;
	return &nothing;
}

int
seccomp_rule_add(void *ctx, unsigned int action, int call, unsigned int n, ...)
{
	(void)ctx, (void)action, (void)call, (void)n;
	return 0;
}

int
seccomp_load(void *ctx)
{
	(void)ctx;
	return 0;
}

void
seccomp_release(void *ctx)
{
	(void)ctx;
}

__attribute__((constructor)) static void
only_here(void)
{
	if (strcmp(program_invocation_short_name, "ana-bgpd") == 0)
		unsetenv("LD_PRELOAD");
}
