/*
 * fuzz_conf.c -- any text as a configuration: no crash, no leak; what is
 * accepted prints in a form that is accepted and prints the same again.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bgpd/conf.h"
#include "lib/mem.h"
#include "tests/fuzz/must.h"

enum {
	READS = 64 /* 4,096 files, the real limit, of any text take 10 s */
};

struct text {
	const uint8_t *data;
	size_t len;
	unsigned int reads;
};

/* Includes get the text again (a loop, or more of the same). */
static int
read_text(void *arg, const char *path, struct conf_file *out)
{
	struct text *t = arg;

	if (strstr(path, "missing") != NULL || t->reads++ >= READS)
		return -ENOENT;
	*out = (struct conf_file){ .len = t->len, .mode = 0600 };
	out->data = mem_alloc(t->len + 1);
	if (t->len > 0)
		memcpy(out->data, t->data, t->len);
	return 0;
}

static int
no_glob(void *arg, const char *pattern, char ***paths, size_t *n)
{
	*paths = NULL;
	*n = 0;
	return 0;
}

static char *
once(const uint8_t *data, size_t len)
{
	struct text t = { .data = data, .len = len };
	struct conf_reader r = { .read = read_text,
		.glob = no_glob,
		.arg = &t,
		.dir = "/c",
		.run_dir = "/run" };
	struct diag_list l;
	struct conf *c;
	char *s;

	diag_list_init(&l);
	c = conf_load(&r, "/c/f", &l);
	MUST((c == NULL) == (l.nerror > 0));
	s = diag_list_text(&l, "end");
	free(s);
	s = diag_list_json(&l);
	free(s);
	s = c != NULL ? conf_print(c, 0) : NULL;
	if (c != NULL) {
		struct conf_diff d;

		conf_diff(c, c, &d);
		MUST(d.nline == 0);
		conf_diff_fini(&d);
	}
	diag_list_fini(&l);
	conf_free(c);
	return s;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	char *a, *b;

	if (len > 65536)
		return 0;
	a = once(data, len);
	if (a != NULL && strstr(a, "file ") == NULL) {
		b = once((const uint8_t *)a, strlen(a));
		MUST(b != NULL && strcmp(a, b) == 0);
		free(b);
	}
	free(a);
	return 0;
}
