/*
 * filter_gen.c -- "NAME-filter NAME" writes a header with NAME_filter, which
 * prctl(PR_SET_SECCOMP) takes, of the table that it is linked with.  It is
 * built like the programs and run while they are built: system calls and their
 * architecture are the target's.  Those of another end the process.
 */
#include <stdio.h>
#include <string.h>

#include <linux/filter.h>

#include "platform/filter.h"

static int
print(const char *name, scmp_filter_ctx ctx)
{
	struct sock_filter step;
	FILE *f = tmpfile();
	long size;
	int err;

	if (f == NULL)
		return -errno;
	if ((err = seccomp_export_bpf(ctx, fileno(f))) == 0) {
		fseek(f, 0, SEEK_END);
		size = ftell(f);
		rewind(f);
		printf("/* Made by platform/filter_gen.c. */\n"
		       "#include <linux/filter.h>\n\n"
		       "static const struct sock_fprog %s_filter = { %zu,\n"
		       "\t(struct sock_filter[]) {\n",
		    name, (size_t)size / sizeof step);
		while (fread(&step, sizeof step, 1, f) == 1)
			printf("\t\t{ 0x%02x, %u, %u, 0x%08x },\n", step.code,
			    step.jt, step.jf, step.k);
		printf("\t} };\n");
	}
	fclose(f);
	return err;
}

int
main(int argc, char **argv)
{
	scmp_filter_ctx ctx = seccomp_init(filter_other_calls);
	int err = argc != 2 || ctx == NULL ? -EINVAL : 0;

	/* Not what the kernel of the build can do, or an emulator's: ending
	 * the process wants Linux 4.14. */
	if (err == 0)
		err = seccomp_api_set(3);

	for (size_t i = 0; err == 0 && i < filter_count; i++)
		err = seccomp_rule_add_array(ctx, filter_rules[i].action,
		    filter_rules[i].call, filter_rules[i].args,
		    &filter_rules[i].arg);
	if (err == 0)
		err = print(argv[1], ctx);
	if (err != 0)
		fprintf(stderr, "the system call filter cannot be made: %s\n",
		    strerror(-err));
	seccomp_release(ctx);
	return err != 0;
}
