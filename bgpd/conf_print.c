/*
 * conf_print.c -- the expanded tree in one form: rows in the order of the
 * tables, values in their shortest exact form.  What is printed is what was
 * checked; a secret is never in the tree.
 */
#include <stdlib.h>
#include <string.h>

#include "bgpd/conf_tree.h"
#include "lib/mem.h"

struct print {
	FILE *f;
	const struct conf_tree *tree; /* for CONF_PRINT_ORIGIN */
	unsigned int flags;
};

static void statement(struct print *, const struct conf_node *, int indent);

static void
tabs(struct print *p, int indent)
{
	for (; indent > 0; indent--)
		fputc('\t', p->f);
}

static void
origin(struct print *p, const struct conf_pos *at)
{
	if ((p->flags & CONF_PRINT_ORIGIN) != 0 && at != NULL)
		fprintf(p->f, "\t# %s:%u", at->file, at->line);
	else if ((p->flags & CONF_PRINT_ORIGIN) != 0)
		fputs("\t# default", p->f);
	fputc('\n', p->f);
}

/* Rows that have a default and are not written. */
static bool
has_default(const struct conf_schema *row, const char *path)
{
	return row->def != NULL && strcmp(row->path, path) == 0 &&
	    (row->flags & (CF_MULTI | CF_NOT_BUILT)) == 0;
}

static bool
has_defaults(const char *path)
{
	size_t i;

	for (i = 0; i < conf_schema_n; i++)
		if (has_default(&conf_schema[i], path))
			return true;
	return false;
}

static void
default_line(struct print *p, const struct conf_schema *row, int indent)
{
	tabs(p, indent);
	fprintf(p->f, "%s%s%s;", row->name, row->def[0] != '\0' ? " " : "",
	    row->def);
	origin(p, NULL);
}

static void block(
    struct print *, const char *path, const struct conf_node *, int indent);

/* A top-level block that was not written at all. */
static void
default_block(struct print *p, const struct conf_schema *row)
{
	struct conf_node none = { 0 };

	fprintf(p->f, "%s {", row->name);
	origin(p, NULL);
	block(p, row->name, &none, 1);
	fputs("}\n", p->f);
}

static void
not_written(struct print *p, const struct conf_schema *row, const char *path,
    int indent)
{
	if (has_default(row, path))
		default_line(p, row, indent);
	else if (path[0] == '\0' && (row->flags & CF_BLOCK) != 0 &&
	    (row->flags & (CF_MULTI | CF_NOT_BUILT | CF_REQUIRED)) == 0 &&
	    has_defaults(row->name))
		default_block(p, row);
}

static void
entry(struct print *p, const struct conf_entry *e, int indent)
{
	static const char *const word[] = { "", " exact", " or-longer", "" };
	struct conf_pos at = { .line = e->line };
	char buf[PFX_STRLEN];

	tabs(p, indent);
	fputs(pfx_print(&e->pfx, buf, sizeof(buf)), p->f);
	fputs(word[e->form], p->f);
	if (e->form == ENTRY_RANGE)
		fprintf(p->f, " %u %u", e->lo, e->hi);
	fputc(';', p->f);
	if (p->tree != NULL)
		at.file = p->tree->file[e->file]->name;
	origin(p, &at);
}

/* By row, what is written of it in the order in which it is. */
static void
block(struct print *p, const char *path, const struct conf_node *b, int indent)
{
	const struct conf_schema *row;
	size_t i, k;
	bool seen;

	/* What a rule sets is set in the order in which it is written. */
	if (strcmp(path, "policy/rule") == 0) {
		for (k = 0; k < b->nchild; k++)
			statement(p, b->child[k], indent);
		return;
	}
	for (i = 0; i < conf_schema_n; i++) {
		row = &conf_schema[i];
		if (strcmp(row->path, path) != 0 ||
		    strcmp(row->name, "template") == 0)
			continue;
		seen = false;
		for (k = 0; k < b->nchild; k++) {
			if (b->child[k]->schema != row)
				continue;
			seen = true;
			statement(p, b->child[k], indent);
		}
		if (row->name[0] == '\0')
			for (k = 0; k < b->nentry; k++)
				entry(p, &b->entry[k], indent);
		if (!seen && (p->flags & CONF_PRINT_DEFAULTS) != 0)
			not_written(p, row, path, indent);
	}
}

static void
statement(struct print *p, const struct conf_node *n, int indent)
{
	char path[64], *words;
	bool open = n->block;

	if (n->bad || n->schema == NULL || n->made)
		return;
	conf_valid_path(n->schema, path, sizeof(path));
	if ((p->flags & CONF_PRINT_DEFAULTS) != 0 &&
	    (n->schema->flags & CF_OPTBLOCK) != 0 && has_defaults(path))
		open = true;
	words = conf_node_print(n);
	tabs(p, indent);
	fprintf(p->f, "%s%s", words, open ? " {" : ";");
	free(words);
	origin(p, &n->word[0].pos);
	if (!open)
		return;
	block(p, path, n, indent + 1);
	tabs(p, indent);
	fputs("}\n", p->f);
}

char *
conf_print(const struct conf *c, unsigned int flags)
{
	struct print p = { .flags = flags, .tree = c->tree };
	char *buf = NULL;
	size_t size = 0;

	p.f = open_memstream(&buf, &size);
	if (p.f == NULL)
		abort();
	block(&p, "", &c->tree->root, 0);
	fclose(p.f);
	return buf;
}

char *
conf_print_node(const struct conf_node *n)
{
	struct print p = { 0 };
	char *buf = NULL;
	size_t size = 0;

	p.f = open_memstream(&buf, &size);
	if (p.f == NULL)
		abort();
	statement(&p, n, 0);
	fclose(p.f);
	return buf;
}

bool
conf_same_node(const struct conf_node *a, const struct conf_node *b)
{
	char *sa, *sb;
	bool same;

	if (a == NULL || b == NULL)
		return a == b;
	sa = conf_print_node(a);
	sb = conf_print_node(b);
	same = strcmp(sa, sb) == 0;
	free(sa);
	free(sb);
	return same;
}
