/* conf_diag.c -- problems: collected, sorted, as text and as JSON. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bgpd/conf_tree.h"
#include "lib/mem.h"

/* A file of noise must not fill the memory; nobody reads so many. */
enum {
	DIAG_MAX = 1000
};

void
diag_list_init(struct diag_list *l)
{
	*l = (struct diag_list){ 0 };
}

void
diag_list_fini(struct diag_list *l)
{
	size_t i;

	for (i = 0; i < l->n; i++) {
		free(l->d[i].message);
		free(l->d[i].hint);
		free(l->d[i].source);
	}
	free(l->d);
	for (i = 0; i < l->nfile; i++)
		free(l->file[i]);
	free(l->file);
	*l = (struct diag_list){ 0 };
}

/* It may outlive the tree. */
const char *
diag_file(struct diag_list *l, const char *name)
{
	size_t i;

	if (name == NULL)
		return NULL;
	for (i = 0; i < l->nfile; i++)
		if (strcmp(l->file[i], name) == 0)
			return l->file[i];
	l->file = mem_realloc(l->file, l->nfile + 1, sizeof(*l->file));
	l->file[l->nfile] = mem_strdup(name);
	return l->file[l->nfile++];
}

/* Octets of the UTF-8 character at s, 0 when it is none. */
static size_t
utf8_len(const unsigned char *s)
{
	size_t n, i;

	if (s[0] < 0x80)
		return 1;
	if (s[0] >= 0xc2 && s[0] < 0xe0)
		n = 2;
	else if (s[0] >= 0xe0 && s[0] < 0xf0)
		n = 3;
	else if (s[0] >= 0xf0 && s[0] < 0xf5)
		n = 4;
	else
		return 0;
	for (i = 1; i < n; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	/* C1 controls, surrogates, overlong forms. */
	if ((s[0] == 0xc2 && s[1] < 0xa0) || (s[0] == 0xe0 && s[1] < 0xa0) ||
	    (s[0] == 0xed && s[1] >= 0xa0) || (s[0] == 0xf0 && s[1] < 0x90) ||
	    (s[0] == 0xf4 && s[1] >= 0x90))
		return 0;
	return n;
}

/* What is neither printable nor UTF-8 must not reach a terminal or JSON. */
static char *
clean(char *text)
{
	unsigned char *s = (unsigned char *)text;
	size_t n;

	while (s != NULL && *s != '\0') {
		n = utf8_len(s);
		if (n == 0 || (*s < 0x20 && *s != '\t') || *s == 0x7f) {
			*s = '?';
			n = 1;
		}
		s += n;
	}
	return text;
}

static char *
source_line(const struct conf_tree *t, const struct conf_pos *at)
{
	const struct conf_text *f = NULL;
	const char *s, *e, *end;
	unsigned int line;
	char *copy;
	size_t i;

	for (i = 0; t != NULL && i < t->nfile; i++)
		if (t->file[i]->name == at->file)
			f = t->file[i];
	if (f == NULL || f->data == NULL || at->line == 0)
		return NULL;
	s = f->data;
	end = f->data + f->len;
	for (line = 1; line < at->line; line++) {
		s = memchr(s, '\n', end - s);
		if (s == NULL)
			return NULL;
		s++;
	}
	e = memchr(s, '\n', end - s);
	if (e == NULL)
		e = end;
	/* What does not fit on a screen helps nobody. */
	if (e - s > 400)
		e = s + 400;
	if (e > s && e[-1] == '\r')
		e--;
	copy = mem_alloc(e - s + 1);
	memcpy(copy, s, e - s);
	for (i = 0; i < (size_t)(e - s); i++)
		if (copy[i] == '\0')
			copy[i] = '?';
	return clean(copy);
}

static bool
told(const struct diag_list *l, const struct conf_pos *at, const char *message)
{
	size_t i;

	for (i = 0; at != NULL && i < l->n; i++)
		if (l->d[i].pos.line == at->line &&
		    l->d[i].pos.col == at->col &&
		    strcmp(l->d[i].message, message) == 0 &&
		    (l->d[i].pos.file == NULL || at->file == NULL ||
			strcmp(l->d[i].pos.file, at->file) == 0))
			return true;
	return false;
}

void
diag_add(struct diag_list *l, const struct conf_tree *t,
    enum diag_severity severity, const struct conf_pos *at, const char *code,
    char *hint, const char *fmt, ...)
{
	struct diag *d;
	va_list ap;
	char *message;

	va_start(ap, fmt);
	if (vasprintf(&message, fmt, ap) < 0)
		abort();
	va_end(ap);
	/* A template's mistake is seen once for each neighbor that uses it. */
	if (l->n == DIAG_MAX || told(l, at, clean(message))) {
		if (l->n == DIAG_MAX && severity == DIAG_ERROR)
			l->nerror++;
		else if (l->n == DIAG_MAX)
			l->nwarning++;
		free(message);
		free(hint);
		return;
	}
	if (severity == DIAG_ERROR)
		l->nerror++;
	else
		l->nwarning++;
	if (l->n == l->cap) {
		l->cap = l->cap != 0 ? l->cap * 2 : 16;
		l->d = mem_realloc(l->d, l->cap, sizeof(*l->d));
	}
	d = &l->d[l->n++];
	*d = (struct diag){ .severity = severity,
		.code = code,
		.message = message,
		.hint = clean(hint) };
	if (at != NULL) {
		d->pos = *at;
		d->source = source_line(t, at);
		d->pos.file = diag_file(l, at->file);
	}
}

static size_t
file_rank(const struct diag_list *l, const char *name)
{
	size_t i;

	for (i = 0; i < l->nfile; i++)
		if (l->file[i] == name)
			return i;
	return l->nfile;
}

static int
order(const struct diag_list *l, const struct diag *a, const struct diag *b)
{
	size_t fa = file_rank(l, a->pos.file), fb = file_rank(l, b->pos.file);

	if (fa != fb)
		return fa < fb ? -1 : 1;
	if (a->pos.line != b->pos.line)
		return a->pos.line < b->pos.line ? -1 : 1;
	if (a->pos.col != b->pos.col)
		return a->pos.col < b->pos.col ? -1 : 1;
	return 0;
}

/* Stable: of one place the first told stays first.  At most DIAG_MAX. */
void
diag_sort(struct diag_list *l)
{
	struct diag d;
	size_t i, j;

	for (i = 1; i < l->n; i++) {
		d = l->d[i];
		for (j = i; j > 0 && order(l, &l->d[j - 1], &d) > 0; j--)
			l->d[j] = l->d[j - 1];
		l->d[j] = d;
	}
}

/* The line with tabs of 8, the caret below it. */
static void
print_source(FILE *f, const struct diag *d)
{
	const char *s;
	size_t col = 0, from = 0, to = 0, i, want_end;

	fprintf(f, "%5u | ", d->pos.line);
	want_end = d->pos.col - 1 + (d->pos.len > 0 ? d->pos.len : 1);
	for (s = d->source, i = 0;; s++, i++) {
		if (i == d->pos.col - 1)
			from = col;
		if (i == want_end)
			to = col;
		if (*s == '\0')
			break;
		/* One column a character, not an octet, of UTF-8. */
		if (*s == '\t') {
			size_t n = 8 - col % 8;

			fprintf(f, "%*s", (int)n, "");
			col += n;
		} else {
			fputc(*s, f);
			if (((unsigned char)*s & 0xc0) != 0x80)
				col++;
		}
	}
	if (d->pos.col - 1 > i)
		from = col;
	if (to <= from)
		to = want_end > i && col > from ? col : from + 1;
	fprintf(f, "\n      | %*s^", (int)from, "");
	for (i = from + 1; i < to; i++)
		fputc('~', f);
	if (d->hint != NULL)
		fprintf(f, " %s", d->hint);
	fputc('\n', f);
}

char *
diag_list_text(const struct diag_list *l, const char *tail)
{
	char *buf = NULL;
	size_t size = 0, i, total = l->nerror + l->nwarning;
	FILE *f = open_memstream(&buf, &size);

	if (f == NULL)
		abort();
	for (i = 0; i < l->n; i++) {
		const struct diag *d = &l->d[i];

		if (d->pos.file != NULL && d->pos.line > 0)
			fprintf(f, "%s:%u:%u: ", d->pos.file, d->pos.line,
			    d->pos.col);
		else if (d->pos.file != NULL)
			fprintf(f, "%s: ", d->pos.file);
		fprintf(f, "%s: %s\n",
		    d->severity == DIAG_ERROR ? "error" : "warning",
		    d->message);
		if (d->source != NULL)
			print_source(f, d);
		else if (d->hint != NULL)
			fprintf(f, "      | %s\n", d->hint);
	}
	if (total > l->n)
		fprintf(f, "%zu more are not shown\n", total - l->n);
	if (total > 0)
		fprintf(f, "%zu problem%s (%zu error%s, %zu warning%s)%s%s\n",
		    total, total == 1 ? "" : "s", l->nerror,
		    l->nerror == 1 ? "" : "s", l->nwarning,
		    l->nwarning == 1 ? "" : "s", tail != NULL ? "; " : "",
		    tail != NULL ? tail : "");
	fclose(f);
	return buf;
}

static void
json_string(FILE *f, const char *key, const char *s)
{
	fprintf(f, "\"%s\":", key);
	if (s == NULL) {
		fputs("null", f);
		return;
	}
	fputc('"', f);
	for (; *s != '\0'; s++) {
		unsigned char c = (unsigned char)*s;

		if (c == '"' || c == '\\')
			fprintf(f, "\\%c", c);
		else if (c < 0x20)
			fprintf(f, "\\u%04x", c);
		else
			fputc(c, f);
	}
	fputc('"', f);
}

char *
diag_list_json(const struct diag_list *l)
{
	char *buf = NULL;
	size_t size = 0, i;
	FILE *f = open_memstream(&buf, &size);

	if (f == NULL)
		abort();
	fputc('[', f);
	for (i = 0; i < l->n; i++) {
		const struct diag *d = &l->d[i];

		fputs(i > 0 ? ",\n{" : "{", f);
		json_string(f, "file", d->pos.file);
		fprintf(f, ",\"line\":%u,\"col\":%u,\"len\":%u,", d->pos.line,
		    d->pos.col, d->pos.len);
		json_string(f, "severity",
		    d->severity == DIAG_ERROR ? "error" : "warning");
		fputc(',', f);
		json_string(f, "code", d->code);
		fputc(',', f);
		json_string(f, "message", d->message);
		fputc(',', f);
		json_string(f, "hint", d->hint);
		fputc('}', f);
	}
	fputs("]\n", f);
	fclose(f);
	return buf;
}
