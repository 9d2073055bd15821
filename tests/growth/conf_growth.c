/*
 * conf_growth.c -- a configuration with many statements of a kind: read, read
 * again beside the running one, and compared with it, for growth.py, which
 * counts the instructions of measured().
 *
 * usage: conf_growth KIND HOW-MANY
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/conf_text.h"

static const char head[] =
    "global { as 52580; router-id 192.0.2.1; listen 192.0.2.1; }\n"
    "policy all { rule a { accept; } }\n"
    "prefix-set s { 1.0.0.0/8 or-longer; }\n";

/* @: 0, 1, 2 ...; &: two octets of it, with a dot between them. */
static const struct {
	const char *kind, *text;
} row[] = {
	{ "network", "network 20.&.0/24;\n" },
	{ "entry", "prefix-set e@ { 20.&.0/24; 21.&.0/24; }\n" },
	{ "define", "define d@ = 20.&.0/24; network $d@;\n" },
	{ "policy", "policy p@ { rule a { match prefix in s; accept; } }\n" },
	{ "as-set", "as-set a@ { @1; }\n" },
	{ "community-set", "community-set c@ { 1:1; }\n" },
	{ "as-path-set", "as-path-set c@ { \"^1$\"; }\n" },
	{ "community-table", "community-table c@ { 1:1 med 5; }\n" },
	{ "template", "template t@ { hold-time 30s; }\n" },
	{ "neighbor",
	    "prefix-set e@ { 20.&.0/24; }\n"
	    "template t@ { hold-time 30s; import policy all; }\n"
	    "neighbor 11.0.& { use t@; remote-as 3000; "
	    "export policy all; irr prefix-set e@; }\n" },
};

static struct conf *
load(char *text, const struct conf *running)
{
	struct conf_reader r = { .read = read_text,
		.glob = no_glob,
		.arg = text,
		.dir = "/t",
		.running = running };
	struct diag_list l;
	struct conf *c;

	diag_list_init(&l);
	c = conf_load(&r, "/t/t.conf", &l);
	if (c == NULL) {
		fputs(diag_list_text(&l, NULL), stderr);
		exit(1);
	}
	diag_list_fini(&l);
	return c;
}

__attribute__((noinline, used)) static void
measured(char *old, char *new)
{
	struct conf *a = load(old, NULL), *b = load(new, a);
	struct conf_diff d;

	conf_diff(a, b, &d);
	conf_diff_fini(&d);
	conf_free(b);
	conf_free(a);
}

/* The statements from..to. */
static char *
text_of(const char *form, unsigned int from, unsigned int to)
{
	size_t size;
	char *text;
	FILE *f = open_memstream(&text, &size);

	if (f == NULL)
		abort();
	fputs(head, f);
	for (unsigned int i = from; i < to; i++)
		for (const char *s = form; *s != '\0'; s++)
			if (*s == '@')
				fprintf(f, "%u", i);
			else if (*s == '&')
				fprintf(f, "%u.%u", i >> 8 & 255, i & 255);
			else
				fputc(*s, f);
	fclose(f);
	return text;
}

int
main(int argc, char **argv)
{
	unsigned int n;

	if (argc != 3)
		return 2;
	n = (unsigned int)atoi(argv[2]);
	for (size_t i = 0; i < sizeof row / sizeof row[0]; i++)
		if (strcmp(row[i].kind, argv[1]) == 0) {
			/* One in ten goes, and as many come. */
			char *old = text_of(row[i].text, 1, n);
			char *new = text_of(row[i].text, n / 10, n + n / 10);

			measured(old, new);
			free(old);
			free(new);
			return 0;
		}
	return 2;
}
