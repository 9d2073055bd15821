/*
 * conf_valid.c -- the tree against the tables: which words are known where,
 * how many and of which type.  What they mean together is conf_check.c's.
 */
#include <stdlib.h>
#include <string.h>

#include "bgpd/conf_tree.h"
#include "lib/mem.h"

struct valid {
	struct conf_tree *tree;
	struct diag_list *diags;
	struct conf_rows rows; /* of the block that is looked at */
};

static void block(struct valid *, const char *path, struct conf_node *);

void
conf_valid_path(const struct conf_schema *row, char *buf, size_t size)
{
	if (strcmp(row->name, "template") == 0)
		strlcpy(buf, "neighbor", size);
	else
		snprintf(buf, size, "%s%s%s", row->path,
		    row->path[0] != '\0' ? "/" : "", row->name);
}

/* Behind the i-th word, where its ';' should have been. */
static struct conf_pos
behind(const struct conf_node *n, size_t i)
{
	struct conf_pos at = n->word[i].pos;

	/* A list's place is its '['; its end is not known. */
	at.col += at.len;
	at.len = 1;
	return at;
}

/* "neighbor 203.0.113.1", for a sentence. */
static char *
title(const struct conf_node *n)
{
	if (n->nword == 0)
		return mem_strdup("the file");
	return mem_printf("%.40s%s%.60s", conf_word_text(n, 0),
	    n->nword > 1 ? " " : "", conf_word_text(n, 1));
}

/* Where else the word would be known; NULL: nowhere. */
static const struct conf_schema *
elsewhere(const char *word)
{
	size_t i, len = strlen(word);

	for (i = 0; i < conf_schema_n && len > 0; i++)
		if (strncmp(conf_schema[i].name, word, len) == 0 &&
		    strchr(" ", conf_schema[i].name[len]) != NULL)
			return &conf_schema[i];
	return NULL;
}

/* The n-th word of a row's name. */
static char *
name_word(const char *name, size_t n)
{
	const char *end;

	for (; n > 0; n--) {
		name = strchrnul(name, ' ');
		if (*name == ' ')
			name++;
	}
	end = strchrnul(name, ' ');
	return mem_printf("%.*s", (int)(end - name), name);
}

static void
unknown(struct valid *v, const char *path, const struct conf_node *parent,
    struct conf_node *n)
{
	const struct conf_schema *guess = conf_schema_guess(path, n), *other;
	char *in = title(parent), *hint = NULL, *w;
	size_t at = 0;

	/* The first word that is not as in the name that was meant. */
	if (guess != NULL) {
		for (;; at++, free(w)) {
			w = name_word(guess->name, at);
			if (!conf_word_is(n, at, w))
				break;
		}
		hint = mem_printf("did you mean \"%s\"?", w);
		free(w);
	} else if (conf_schema_starts(
		       conf_schema_rows(path), conf_word_text(n, 0))) {
		at = 1;
	} else if ((other = elsewhere(conf_word_text(n, 0))) != NULL) {
		hint = other->path[0] == '\0'
		    ? mem_strdup("this stands outside of blocks")
		    : mem_printf("this belongs into %s { }", other->path);
	}
	if (at >= n->nword) {
		struct conf_pos end = behind(n, n->nword - 1);

		diag_add(v->diags, v->tree, DIAG_ERROR, &end, "missing-value",
		    hint, "\"%s\" needs more words", conf_word_text(n, 0));
	} else if (at == 0 && parent->nword == 0) {
		diag_add(v->diags, v->tree, DIAG_ERROR, &n->word[0].pos,
		    "unknown-option", hint, "unknown statement \"%.60s\"",
		    conf_word_text(n, 0));
	} else if (at == 0) {
		diag_add(v->diags, v->tree, DIAG_ERROR, &n->word[0].pos,
		    "unknown-option", hint, "unknown option \"%.60s\" in %s",
		    conf_word_text(n, 0), in);
	} else {
		diag_add(v->diags, v->tree, DIAG_ERROR, &n->word[at].pos,
		    "unknown-option", hint,
		    "unknown \"%.60s\" after \"%s\" in %s",
		    conf_word_text(n, at), conf_word_text(n, at - 1), in);
	}
	n->schema = guess;
	n->bad = true;
	free(in);
}

/* How many words a row wants, when that is easily said. */
static const char *
arity(const struct conf_schema *row)
{
	const char *s = row->syntax;

	if (*s == '\0')
		return "no value";
	if (strpbrk(s, " [(|") == NULL)
		return "one value";
	return NULL;
}

static void
too_many(struct valid *v, const struct conf_schema *row,
    const struct conf_node *n, size_t nname, size_t head, bool split)
{
	const char *want = arity(row);
	struct conf_pos at = n->word[head].pos;
	char *hint = NULL;

	if (split || n->word[head].pos.line > n->word[head - 1].pos.line) {
		at = behind(n, head - 1);
		hint = mem_strdup("missing ';' ?");
	}
	if (want != NULL && nname > 0)
		diag_add(v->diags, v->tree, DIAG_ERROR, &at,
		    split ? "missing-semicolon" : "too-many-values", hint,
		    "\"%s\" takes %s, got %zu", row->name, want,
		    n->nword - nname);
	else
		diag_add(v->diags, v->tree, DIAG_ERROR, &at,
		    split ? "missing-semicolon" : "too-many-values", hint,
		    "nothing more is expected after \"%.60s\"",
		    conf_word_text(n, head - 1));
}

/*
 * A forgotten ';' joined this statement with the next one: cut in two where the
 * first part is right and the second begins with a known word.  On one line
 * the second has to be right, too.
 */
static struct conf_node *
split(struct valid *v, struct conf_rows rows, struct conf_node *n)
{
	struct conf_node head, tail, *t;
	const struct conf_schema *row, *next;
	struct conf_syntax_err err;
	size_t k, nname, any;

	for (k = 1; k < n->nword; k++) {
		if (n->word[k].pos.file != n->word[k - 1].pos.file)
			continue;
		head = *n;
		head.nword = k;
		row = conf_schema_find(rows, &head, &nname);
		if (row == NULL || (row->flags & CF_BLOCK) != 0 ||
		    !conf_syntax_match(row, &head, nname, &err))
			continue;
		tail = *n;
		tail.word += k;
		tail.nword -= k;
		next = conf_schema_find(rows, &tail, &any);
		if (next == NULL ||
		    (n->word[k].pos.line == n->word[k - 1].pos.line &&
			(any == 0 ||
			    !conf_syntax_match(next, &tail, any, &err))))
			continue;
		too_many(v, row, n, nname, k, true);
		t = conf_node_new();
		for (; k < n->nword; k++)
			conf_node_word(t, &n->word[k]);
		n->nword = head.nword;
		t->block = n->block;
		t->child = n->child;
		t->nchild = n->nchild;
		t->capchild = n->capchild;
		t->end = n->end;
		n->block = false;
		n->child = NULL;
		n->nchild = n->capchild = 0;
		return t;
	}
	return NULL;
}

static void
mismatch(struct valid *v, const struct conf_schema *row,
    const struct conf_node *n, size_t nname, struct conf_syntax_err *e)
{
	char *hint = e->hint[0] != '\0' ? mem_strdup(e->hint) : NULL;
	const struct conf_word *w;
	struct conf_pos at;
	const char *name = nname > 0 ? row->name : conf_word_text(n, 0);

	if (e->too_many) {
		free(hint);
		too_many(v, row, n, nname, e->at, false);
		return;
	}
	if (e->at >= n->nword) {
		at = behind(n, n->nword - 1);
		diag_add(v->diags, v->tree, DIAG_ERROR, &at, "missing-value",
		    hint, "\"%s\" needs %s%s", name,
		    strstr(e->text, ", ") != NULL ? "one of " : "", e->text);
		return;
	}
	w = &n->word[e->at];
	if (w->kind == WORD_LIST && e->item < w->nitem && !e->list)
		w = &w->item[e->item];
	if (e->specific)
		diag_add(v->diags, v->tree, DIAG_ERROR, &w->pos, "bad-value",
		    hint, "%s", e->text);
	else if (w->kind == WORD_LIST)
		diag_add(v->diags, v->tree, DIAG_ERROR, &w->pos, "bad-value",
		    hint, "no list is possible here: \"%s\" needs %s%s", name,
		    strstr(e->text, ", ") != NULL ? "one of " : "", e->text);
	else if (nname == 0)
		diag_add(v->diags, v->tree, DIAG_ERROR, &w->pos, "bad-value",
		    hint, "\"%.60s\" is not %s%s", w->text,
		    strstr(e->text, ", ") != NULL ? "one of " : "", e->text);
	else
		diag_add(v->diags, v->tree, DIAG_ERROR, &w->pos, "bad-value",
		    hint, "\"%s\": \"%.60s\" is not %s%s", name, w->text,
		    strstr(e->text, ", ") != NULL ? "one of " : "", e->text);
}

/* For a word that was not among the expected ones: the closest of them. */
static void
suggest(const struct conf_node *n, struct conf_syntax_err *e)
{
	const struct conf_word *w;
	char word[60];
	const char *s, *end;
	unsigned int best = 3, d;

	if (e->specific || e->too_many || e->at >= n->nword)
		return;
	w = &n->word[e->at];
	if (w->kind == WORD_LIST && e->item < w->nitem)
		w = &w->item[e->item];
	if (w->kind == WORD_LIST)
		return;
	for (s = e->text; *s != '\0'; s = end + strspn(end, ", ")) {
		end = strchrnul(s, ',');
		if ((size_t)(end - s) >= sizeof(word))
			continue;
		memcpy(word, s, end - s);
		word[end - s] = '\0';
		d = conf_distance(w->text, word);
		if (d >= best || d >= strlen(w->text))
			continue;
		best = d;
		snprintf(
		    e->hint, sizeof(e->hint), "did you mean \"%s\"?", word);
	}
}

static void
statement(struct valid *v, const char *path, struct conf_node *parent,
    struct conf_node *n, struct conf_node **rest)
{
	const struct conf_schema *row;
	struct conf_syntax_err err;
	char sub[64];
	size_t nname;

	*rest = NULL;
	if (n->nword == 0 || n->word[0].kind == WORD_LIST) {
		if (n->nword > 0)
			diag_add(v->diags, v->tree, DIAG_ERROR, &n->word[0].pos,
			    "unknown-option", NULL,
			    "a statement does not begin with a list");
		n->bad = true;
		return;
	}
	row = conf_schema_find(v->rows, n, &nname);
	if (row == NULL) {
		if (!n->bad)
			unknown(v, path, parent, n);
		return;
	}
	n->schema = row;
	if ((row->flags & CF_NOT_BUILT) != 0) {
		diag_add(v->diags, v->tree, DIAG_ERROR, &n->word[0].pos,
		    "not-built", NULL,
		    "\"%s\" is known, but this version does not have it yet; "
		    "remove it or comment it out",
		    row->name);
		n->bad = true;
		return;
	}
	/* What a block holds is looked at whatever is wrong with its name. */
	if (!n->bad && !conf_syntax_match(row, n, nname, &err)) {
		*rest = split(v, v->rows, n);
		if (*rest == NULL) {
			suggest(n, &err);
			mismatch(v, row, n, nname, &err);
			n->bad = true;
		}
	}
	if (n->block && (row->flags & (CF_BLOCK | CF_OPTBLOCK)) == 0) {
		if (!n->bad)
			diag_add(v->diags, v->tree, DIAG_ERROR, &n->end,
			    "no-block", NULL, "\"%.60s\" takes no block",
			    nname > 0 ? row->name : conf_word_text(n, 0));
		n->bad = true;
		return;
	}
	if (!n->block && (row->flags & CF_BLOCK) != 0) {
		if (!n->bad)
			diag_add(v->diags, v->tree, DIAG_ERROR, &n->end,
			    "needs-block", NULL,
			    "\"%s\" needs a block { } instead of ';'",
			    row->name);
		n->bad = true;
		return;
	}
	if (n->block) {
		conf_valid_path(row, sub, sizeof(sub));
		block(v, sub, n);
	}
}

static void
twice(struct valid *v, const struct conf_node *b)
{
	const struct conf_node **first;
	size_t i, row;
	char *in;

	first = mem_alloc(conf_schema_n * sizeof(const struct conf_node *));
	for (i = 0; i < b->nchild; i++) {
		struct conf_node *n = b->child[i];

		if (n->schema == NULL || (n->schema->flags & CF_MULTI) != 0)
			continue;
		row = n->schema - conf_schema;
		if (first[row] == NULL) {
			first[row] = n;
			continue;
		}
		/* One of the two is told about already. */
		if (n->bad || first[row]->bad)
			continue;
		in = title(b);
		diag_add(v->diags, v->tree, DIAG_ERROR, &n->word[0].pos,
		    "twice", NULL, "\"%s\" is written twice in %s (%s:%u)",
		    n->schema->name, in, first[row]->word[0].pos.file,
		    first[row]->word[0].pos.line);
		n->bad = true;
		free(in);
	}
	free(first);
}

static void
required(struct valid *v, const char *path, const struct conf_node *b)
{
	struct conf_pos whole = { 0 };
	size_t i, k;
	char *in;

	/* A neighbor's may come from its template. */
	if (strcmp(path, "neighbor") == 0 || v->tree->broken)
		return;
	if (v->tree->nfile > 0)
		whole.file = v->tree->file[0]->name;
	for (i = 0; i < conf_schema_n; i++) {
		if ((conf_schema[i].flags & CF_REQUIRED) == 0 ||
		    strcmp(conf_schema[i].path, path) != 0)
			continue;
		for (k = 0; k < b->nchild; k++)
			if (b->child[k]->schema == &conf_schema[i])
				break;
		if (k < b->nchild || v->tree->nfile == 0)
			continue;
		in = title(b);
		diag_add(v->diags, v->tree, DIAG_ERROR,
		    b->nword > 0 ? &b->word[0].pos : &whole, "missing-option",
		    NULL, "%s needs \"%s\"", in, conf_schema[i].name);
		free(in);
	}
}

static void
block(struct valid *v, const char *path, struct conf_node *b)
{
	struct conf_node out = { 0 }, *n, *rest;
	struct conf_rows outer = v->rows;
	size_t i;

	v->rows = conf_schema_rows(path);
	for (i = 0; i < b->nchild; i++) {
		for (n = b->child[i]; n != NULL; n = rest) {
			statement(v, path, b, n, &rest);
			conf_node_add(&out, n);
		}
	}
	free(b->child);
	b->child = out.child;
	b->nchild = out.nchild;
	b->capchild = out.capchild;
	twice(v, b);
	required(v, path, b);
	v->rows = outer;
}

void
conf_valid(struct conf_tree *tree, struct diag_list *diags)
{
	struct valid v = { .tree = tree, .diags = diags };

	block(&v, "", &tree->root);
	for (size_t i = 0; i < tree->root.nchild; i++)
		conf_tree_note(tree, tree->root.child[i]);
}
