/*
 * conf_store.c -- the filter store: a directory with the lists of each
 * neighbor's AS, for neighbors that say "irr as-set" and have no prefix-set of
 * their own; and what all sets with lists have that do not say otherwise.
 * Both become statements of the tree before it is built.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bgpd/conf_build.h"
#include "lib/mem.h"

/* The neighbor's, or that of its template unless it has a "no" to that. */
static const struct conf_node *
get(const struct build *b, const struct conf_node *n, const char *name)
{
	const struct conf_node *root = &b->tree->root, *m = build_get(n, name);
	const struct conf_node *use = build_get(n, "use");

	if (use == NULL || build_taken_away(n, name))
		return m;
	for (size_t i = 0; m == NULL && i < root->nchild; i++) {
		const struct conf_node *t = root->child[i];

		if (!t->bad && t->schema != NULL &&
		    strcmp(t->schema->name, "template") == 0 &&
		    conf_word_is(t, 1, conf_word_text(use, 1)))
			m = build_get(t, name);
	}
	return m;
}

static void
add_word(struct conf_node *n, enum conf_type type, const char *text,
    const struct conf_pos *at)
{
	struct conf_word w = { .kind =
				   type == CT_PATH ? WORD_STRING : WORD_BARE,
		.type = type,
		.text = mem_strdup(text),
		.pos = *at };

	conf_node_word(n, &w);
}

/* What the directory has for the AS. */
static void
add_lists(struct build *b, struct conf_node *set, const char *name,
    const struct conf_pos *at)
{
	const struct conf_node *store =
	    build_get(&b->tree->root, "filter-store");
	const struct conf_node *d = build_get(store, "directory");
	const char *dir = d != NULL ? conf_word_text(d, 1) : "filters";
	const char *below = b->r->dir != NULL ? b->r->dir : ".";
	char *pattern = dir[0] == '/'
	    ? mem_printf("%s/%s.*", dir, name)
	    : mem_printf("%s/%s/%s.*", below, dir, name);
	char **path = NULL;
	size_t n = 0;
	int err = conf_file_glob(b->r, pattern, &path, &n);

	if (err == -EXDEV && d != NULL)
		build_error(b, &d->word[1].pos, "outside", NULL,
		    "\"%s\" is outside of the configuration directory", dir);
	else if (err != 0)
		build_error(b, at, "unreadable", NULL, "cannot read \"%s\": %s",
		    pattern, strerror(-err));
	else if (n == 0)
		build_warn(b, at, "no-list", NULL,
		    "there is no list \"%s/%s.*\", of which prefix-set \"%s\" "
		    "would be made",
		    dir, name, name);
	for (size_t i = 0; i < n; i++) {
		struct conf_node *f = conf_node_new();
		size_t skip = strncmp(path[i], below, strlen(below)) == 0 &&
			path[i][strlen(below)] == '/'
		    ? strlen(below) + 1
		    : 0;

		f->schema = conf_schema_row("prefix-set", "file");
		f->end = *at;
		add_word(f, CT_LITERAL, "file", at);
		add_word(f, CT_PATH, path[i] + skip, at);
		conf_node_add(set, f);
		free(path[i]);
	}
	free(path);
	free(pattern);
}

/* The set "AS64500" of a neighbor with irr as-set. */
static void
neighbor(struct build *b, const struct conf_node *n)
{
	const struct conf_node *irr = get(b, n, "irr"), *set;
	const struct conf_node *as = get(b, n, "remote-as");
	const struct conf_pos *at;
	struct conf_node *made;
	char name[16];

	if (irr == NULL || as == NULL || !conf_word_is(irr, 1, "as-set"))
		return;
	at = &irr->word[2].pos;
	if (build_get(&b->tree->root, "filter-store") == NULL) {
		build_error(b, at, "undefined", NULL,
		    "\"irr as-set\" looks into the filter store: the block "
		    "\"filter-store\" is not there");
		return;
	}
	snprintf(name, sizeof(name), "AS%u", (unsigned int)as->word[1].num);
	set = conf_tree_top(b->tree, "prefix-set", name);
	if (set == NULL) {
		made = conf_node_new();
		made->schema = conf_schema_row("", "prefix-set");
		made->block = made->made = true;
		made->end = *at;
		add_word(made, CT_LITERAL, "prefix-set", at);
		add_word(made, CT_NAME, name, at);
		add_word(made, CT_NAME, conf_word_text(irr, 2), at);
		add_lists(b, made, name, at);
		conf_node_add(&b->tree->root, made);
		conf_tree_note(b->tree, made);
	} else if (set->made && !conf_word_is(set, 2, conf_word_text(irr, 2)))
		build_error(b, at, "twice", NULL,
		    "AS %u has the as-set %s already (%s:%u)",
		    (unsigned int)as->word[1].num, conf_word_text(set, 2),
		    set->word[2].pos.file, set->word[2].pos.line);
}

/* What the store says of all sets with lists, where they do not themselves. */
static void
inherit(const struct conf_node *store, struct conf_node *set)
{
	static const char *const row[] = { "max-age", "shrink-limit",
		"growth-limit", "empty" };

	if (build_get(set, "file") == NULL)
		return;
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		const struct conf_node *m = build_get(store, row[i]);
		struct conf_node *copy;

		if (m == NULL || build_get(set, row[i]) != NULL)
			continue;
		copy = conf_node_copy(m);
		copy->schema = conf_schema_row("prefix-set", row[i]);
		copy->inherited = true;
		conf_node_add(set, copy);
	}
}

void
build_store(struct build *b)
{
	struct conf_node *root = &b->tree->root;
	const struct conf_node *store = build_get(root, "filter-store");
	size_t i, n = root->nchild;

	for (i = 0; i < n; i++)
		if (!root->child[i]->bad && root->child[i]->schema != NULL &&
		    strcmp(root->child[i]->schema->name, "neighbor") == 0)
			neighbor(b, root->child[i]);
	for (i = 0; store != NULL && i < root->nchild; i++)
		if (!root->child[i]->bad && root->child[i]->schema != NULL &&
		    strcmp(root->child[i]->schema->name, "prefix-set") == 0)
			inherit(store, root->child[i]);
}
