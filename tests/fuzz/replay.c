/*
 * replay.c -- main() for a fuzz target without libFuzzer: runs every file
 * named, and every file of a directory named.
 */
#include <sys/types.h>
#include <dirent.h>
#include <err.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

enum {
	MAX = 1 << 20
};

static unsigned int runs;

/* The copy has its exact size, so that a sanitizer sees what is behind it. */
static void
run_file(const char *path)
{
	uint8_t *buf = malloc(MAX), *exact;
	FILE *f = fopen(path, "rb");
	size_t n;

	if (buf == NULL || f == NULL)
		err(1, "%s", path);
	n = fread(buf, 1, MAX, f);
	if (ferror(f))
		err(1, "%s", path);
	fclose(f);
	exact = realloc(buf, n > 0 ? n : 1);
	if (exact == NULL)
		err(1, "realloc");
	LLVMFuzzerTestOneInput(exact, n);
	free(exact);
	runs++;
}

static void
run_path(const char *path)
{
	DIR *d = opendir(path);
	struct dirent *e;
	char *file;

	if (d == NULL) {
		run_file(path);
		return;
	}
	while ((e = readdir(d)) != NULL) {
		if (e->d_name[0] == '.')
			continue;
		if (asprintf(&file, "%s/%s", path, e->d_name) == -1)
			err(1, "asprintf");
		run_file(file);
		free(file);
	}
	closedir(d);
}

int
main(int argc, char *argv[])
{
	int i;

	for (i = 1; i < argc; i++)
		run_path(argv[i]);
	printf("%u inputs\n", runs);
	return runs == 0;
}
