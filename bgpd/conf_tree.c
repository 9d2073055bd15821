/*
 * conf_tree.c -- text to statement tree: tokens, braces put right where one
 * was forgotten, the parser, included files, defines.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bgpd/conf_tree.h"
#include "lib/mem.h"
#include "parse.h"

enum {
	DEPTH_BLOCK = 16, /* nested { } */
	DEPTH_LIST = 4, /* nested [ ] */
	DEPTH_INCLUDE = 16,
	FILE_MAX = 4096, /* included ones, in all */
	DEFINE_WORDS = 65536, /* what expansion may add */
	DEFINE_TEXT = 4096,
};

/* ---- nodes ------------------------------------------------------------- */

struct conf_node *
conf_node_new(void)
{
	return mem_alloc(sizeof(struct conf_node));
}

static void
word_fini(struct conf_word *w)
{
	size_t i;

	for (i = 0; i < w->nitem; i++)
		word_fini(&w->item[i]);
	free(w->item);
	free(w->text);
}

static void
node_fini(struct conf_node *n)
{
	size_t i;

	for (i = 0; i < n->nword; i++)
		word_fini(&n->word[i]);
	free(n->word);
	for (i = 0; i < n->nchild; i++)
		conf_node_free(n->child[i]);
	free(n->child);
	free(n->entry);
}

void
conf_node_free(struct conf_node *n)
{
	if (n == NULL)
		return;
	node_fini(n);
	free(n);
}

void
conf_node_add(struct conf_node *parent, struct conf_node *child)
{
	if (parent->nchild == parent->capchild) {
		parent->capchild =
		    parent->capchild != 0 ? parent->capchild * 2 : 4;
		parent->child = mem_realloc(
		    parent->child, parent->capchild, sizeof(*parent->child));
	}
	parent->child[parent->nchild++] = child;
}

void
conf_node_word(struct conf_node *n, struct conf_word *w)
{
	/* Powers of two, so that a long list is not copied for each word. */
	if ((n->nword & (n->nword - 1)) == 0)
		n->word = mem_realloc(n->word, n->nword != 0 ? n->nword * 2 : 1,
		    sizeof(*n->word));
	n->word[n->nword++] = *w;
}

void
conf_word_copy(struct conf_word *to, const struct conf_word *from)
{
	size_t i;

	*to = *from;
	if (from->text != NULL)
		to->text = mem_strdup(from->text);
	if (from->nitem > 0) {
		to->item = mem_alloc(from->nitem * sizeof(*to->item));
		for (i = 0; i < from->nitem; i++)
			conf_word_copy(&to->item[i], &from->item[i]);
	}
}

struct conf_node *
conf_node_copy(const struct conf_node *from)
{
	struct conf_node *n = conf_node_new();
	struct conf_word w;
	size_t i;

	n->block = from->block;
	n->bad = from->bad;
	n->inherited = from->inherited;
	n->end = from->end;
	n->schema = from->schema;
	for (i = 0; i < from->nword; i++) {
		conf_word_copy(&w, &from->word[i]);
		conf_node_word(n, &w);
	}
	for (i = 0; i < from->nchild; i++)
		conf_node_add(n, conf_node_copy(from->child[i]));
	return n;
}

const char *
conf_word_text(const struct conf_node *n, size_t i)
{
	return i < n->nword && n->word[i].text != NULL ? n->word[i].text : "";
}

bool
conf_word_is(const struct conf_node *n, size_t i, const char *text)
{
	return i < n->nword && n->word[i].kind != WORD_LIST &&
	    strcmp(n->word[i].text, text) == 0;
}

void
conf_tree_free(struct conf_tree *t)
{
	size_t i;

	if (t == NULL)
		return;
	node_fini(&t->root);
	for (i = 0; i < t->ndefine; i++)
		conf_node_free(t->define[i]);
	free(t->define);
	names_fini(&t->define_name);
	for (i = 0; i < t->top.n; i++)
		free(t->top_key[i]);
	free(t->top_key);
	free(t->top_node);
	names_fini(&t->top);
	for (i = 0; i < t->nfile; i++) {
		free(t->file[i]->name);
		free(t->file[i]->path);
		free(t->file[i]->data);
		free(t->file[i]);
	}
	free(t->file);
	free(t);
}

/* ---- the statements at the top ----------------------------------------- */

void
conf_tree_note(struct conf_tree *t, struct conf_node *n)
{
	char *key = NULL;
	size_t size = 0, i = t->top.n;
	FILE *f;

	if (n->schema == NULL || n->nword < 2)
		return;
	f = open_memstream(&key, &size);
	if (f == NULL)
		abort();
	fprintf(f, "%s ", n->schema->name);
	conf_word_print(f, &n->word[1]);
	fclose(f);
	if (names_add(&t->top, key) < i) {
		free(key);
		return;
	}
	if ((i & (i - 1)) == 0) {
		t->top_key = mem_realloc(
		    t->top_key, i != 0 ? i * 2 : 1, sizeof(*t->top_key));
		t->top_node = mem_realloc(
		    t->top_node, i != 0 ? i * 2 : 1, sizeof(*t->top_node));
	}
	t->top_key[i] = key;
	t->top_node[i] = n;
}

struct conf_node *
conf_tree_top(const struct conf_tree *t, const char *kind, const char *name)
{
	char *key = mem_printf("%s %s", kind, name);
	size_t i = names_find(&t->top, key);

	free(key);
	return i != NAMES_NONE ? t->top_node[i] : NULL;
}

/* ---- entries of prefix-sets -------------------------------------------- */

void
conf_entry_of(const struct conf_node *n, struct conf_entry *e)
{
	const struct pfx *p = &n->word[0].pfx;

	*e = (struct conf_entry){ .pfx = *p,
		.lo = p->len,
		.hi = p->len,
		.form = n->nword == 1 ? ENTRY_PLAIN : ENTRY_EXACT,
		.line = n->word[0].pos.line };
	if (conf_word_is(n, 1, "or-longer")) {
		e->form = ENTRY_LONGER;
		e->hi = (uint8_t)fam_bits((enum fam)p->addr.fam);
	} else if (n->nword == 3) {
		e->form = ENTRY_RANGE;
		e->lo = (uint8_t)n->word[1].num;
		e->hi = (uint8_t)n->word[2].num;
	}
}

static uint16_t
file_number(const struct conf_tree *t, const struct conf_pos *at)
{
	size_t i = 0;

	while (i + 1 < t->nfile && t->file[i]->name != at->file)
		i++;
	return (uint16_t)i;
}

static void
compact(const struct conf_tree *t, struct conf_node *set)
{
	size_t left = 0, i;

	set->entry = mem_realloc(
	    set->entry, set->nentry + set->nchild + 1, sizeof(*set->entry));
	for (i = 0; i < set->nchild; i++) {
		struct conf_node *n = set->child[i];
		struct conf_entry *e = &set->entry[set->nentry];

		if (n->schema == NULL || n->schema->name[0] != '\0') {
			set->child[left++] = n;
			continue;
		}
		conf_entry_of(n, e);
		e->file = file_number(t, &n->word[0].pos);
		set->nentry++;
		conf_node_free(n);
	}
	set->nchild = left;
	set->entry =
	    mem_realloc(set->entry, set->nentry + 1, sizeof(*set->entry));
}

void
conf_tree_compact(struct conf_tree *t)
{
	size_t i;

	for (i = 0; i < t->root.nchild; i++)
		if (conf_word_is(t->root.child[i], 0, "prefix-set"))
			compact(t, t->root.child[i]);
}

/* ---- braces ------------------------------------------------------------ */

struct open {
	size_t token; /* the first of the statement that opened the block */
	size_t brace;
};

static void
token_insert(struct conf_tokens *ts, size_t at, const struct conf_token *t)
{
	if (ts->n == ts->cap) {
		ts->cap = ts->cap != 0 ? ts->cap * 2 : 16;
		ts->t = mem_realloc(ts->t, ts->cap, sizeof(*ts->t));
	}
	memmove(&ts->t[at + 1], &ts->t[at], (ts->n - at) * sizeof(*ts->t));
	ts->t[at] = *t;
	ts->n++;
}

static void
token_drop(struct conf_tokens *ts, size_t at)
{
	free(ts->t[at].text);
	memmove(&ts->t[at], &ts->t[at + 1], (ts->n - at - 1) * sizeof(*ts->t));
	ts->n--;
}

/* "policy isp-in", for a sentence. */
static char *
block_name(const struct conf_tokens *ts, const struct open *o)
{
	const char *a = ts->t[o->token].text;
	const char *b = NULL;

	if (a == NULL)
		return mem_strdup("{");
	if (o->token + 1 < o->brace)
		b = ts->t[o->token + 1].text;
	return mem_printf(
	    "%s%s%.60s", a, b != NULL ? " " : "", b != NULL ? b : "");
}

static void
brace_missing(struct conf_tokens *ts, size_t before, const struct open *o,
    struct conf_tree *tree, struct diag_list *diags)
{
	struct conf_token t = ts->t[before];
	char *name = block_name(ts, o);
	char *hint = t.type == 0
	    ? mem_strdup("missing '}' at the end ?")
	    : mem_printf("missing '}' before line %u ?", t.pos.line);

	diag_add(diags, tree, DIAG_ERROR, &ts->t[o->token].pos, "missing-brace",
	    hint, "the block \"%s\" is not closed", name);
	free(name);
	t.type = RBRACE;
	t.text = NULL;
	token_insert(ts, before, &t);
}

/*
 * One '}' too few: which block was meant to end earlier?  The first place
 * where a line starts at or left of the line that opened the block it is in
 * (a '}': left of it).  False when the indentation says nothing.
 */
static bool
brace_guess(
    struct conf_tokens *ts, struct conf_tree *tree, struct diag_list *diags)
{
	struct open stack[DEPTH_BLOCK];
	size_t depth = 0, i, start = 0;

	for (i = 0; i < ts->n && ts->t[i].type != 0; i++) {
		const struct conf_token *t = &ts->t[i], *o;

		if (depth > 0 && t->first &&
		    (start == i || t->type == RBRACE)) {
			o = &ts->t[stack[depth - 1].token];
			if (o->first &&
			    (t->vcol < o->vcol ||
				(t->vcol == o->vcol && t->type != RBRACE))) {
				brace_missing(
				    ts, i, &stack[depth - 1], tree, diags);
				return true;
			}
		}
		if (t->type == LBRACE) {
			if (depth == DEPTH_BLOCK)
				return false;
			stack[depth++] =
			    (struct open){ .token = start, .brace = i };
		}
		if (t->type == RBRACE && depth > 0)
			depth--;
		if (t->type == LBRACE || t->type == RBRACE || t->type == SEMI)
			start = i + 1;
	}
	return false;
}

static int
brace_balance(const struct conf_tokens *ts)
{
	int n = 0;
	size_t i;

	for (i = 0; i < ts->n; i++)
		n += (ts->t[i].type == LBRACE) - (ts->t[i].type == RBRACE);
	return n;
}

/*
 * After this every block is closed, no '}' is left over, the last statement
 * has its ';', and nothing is nested too deep for the parser.  False: too
 * deep, told.
 */
static bool
brace_repair(
    struct conf_tokens *ts, struct conf_tree *tree, struct diag_list *diags)
{
	struct open stack[DEPTH_BLOCK];
	size_t depth = 0, i, start = 0, tries = 0;
	int lists = 0;

	while (brace_balance(ts) > 0 && tries++ < DEPTH_BLOCK)
		if (!brace_guess(ts, tree, diags))
			break;
	for (i = 0; i < ts->n && ts->t[i].type != 0; i++) {
		struct conf_token *t = &ts->t[i];

		if (t->type == LBRACK)
			lists++;
		if (t->type == RBRACK && lists > 0)
			lists--;
		if ((t->type == LBRACE && depth == DEPTH_BLOCK) ||
		    lists > DEPTH_LIST) {
			diag_add(diags, tree, DIAG_ERROR, &t->pos, "too-deep",
			    NULL, "nested too deep");
			return false;
		}
		if (t->type == LBRACE)
			stack[depth++] =
			    (struct open){ .token = start, .brace = i };
		if (t->type == RBRACE && depth == 0) {
			diag_add(diags, tree, DIAG_ERROR, &t->pos,
			    "stray-brace", NULL, "'}' without a block");
			/* As if it ended the statement before it. */
			if (start == i) {
				token_drop(ts, i--);
				continue;
			}
			t->type = SEMI;
		}
		if (t->type == RBRACE)
			depth--;
		if (t->type == LBRACE || t->type == RBRACE || t->type == SEMI) {
			start = i + 1;
			lists = 0;
		}
	}
	while (depth > 0) {
		/* body: statements words '}' tells of a missing ';'. */
		brace_missing(ts, i++, &stack[--depth], tree, diags);
		start = i;
	}
	if (start < i) {
		struct conf_token t = ts->t[i - 1];

		t.pos.col += t.pos.len;
		t.pos.len = 1;
		diag_add(diags, tree, DIAG_ERROR, &t.pos, "missing-semicolon",
		    mem_strdup("missing ';' ?"),
		    "the last statement does not end");
		t.type = SEMI;
		t.text = NULL;
		token_insert(ts, i, &t);
	}
	return true;
}

/* ---- files ------------------------------------------------------------- */

struct load {
	const struct conf_reader *r; /* NULL: a text in memory */
	struct conf_tree *tree;
	struct diag_list *diags;
	const char *stack[DEPTH_INCLUDE];
	size_t depth;
};

static void expand_includes(struct load *, struct conf_node *);

static void
parse_text(struct load *l, struct conf_text *text, struct conf_node *into)
{
	struct conf_tokens ts = { 0 };
	size_t i;

	conf_lex(text->name, text->data, text->len, &ts, l->tree, l->diags);
	if (brace_repair(&ts, l->tree, l->diags))
		conf_parse(&ts, into, l->tree, l->diags);
	else
		l->tree->broken = true;
	for (i = 0; i < ts.n; i++)
		free(ts.t[i].text);
	free(ts.t);
	for (i = 0; i < ts.nset; i++)
		free(ts.set[i].e);
	free(ts.set);
}

static struct conf_text *
text_new(struct conf_tree *t, const char *name, const char *path)
{
	struct conf_text *f = mem_alloc(sizeof(*f));

	f->name = mem_strdup(name);
	f->path = mem_strdup(path);
	t->file = mem_realloc(t->file, t->nfile + 1, sizeof(*t->file));
	t->file[t->nfile++] = f;
	return f;
}

/* As the operator knows it: below the directory without the directory. */
static const char *
short_name(const struct conf_reader *r, const char *path)
{
	size_t n = r->dir != NULL ? strlen(r->dir) : 0;

	while (n > 1 && r->dir[n - 1] == '/')
		n--;
	if (n > 0 && strncmp(path, r->dir, n) == 0 && path[n] == '/' &&
	    path[n + 1] != '\0')
		return path + n + 1;
	return path;
}

static void
read_failed(
    struct load *l, const struct conf_pos *at, const char *name, int err)
{
	struct conf_pos whole = { .file = name };

	diag_add(l->diags, l->tree, DIAG_ERROR, at != NULL ? at : &whole,
	    "unreadable", NULL, "cannot read \"%s\": %s", name,
	    err == -EXDEV       ? "outside the configuration directory"
		: err == -EFBIG ? "larger than a configuration may be"
				: strerror(-err));
}

/* at: the include that names it, or NULL. */
static void
load_file(struct load *l, const char *path, const struct conf_pos *at,
    struct conf_node *into)
{
	const char *name = short_name(l->r, path);
	struct conf_file file = { 0 };
	struct conf_text *text;
	int r;
	size_t i;

	for (i = 0; i < l->depth; i++) {
		if (strcmp(l->stack[i], path) != 0)
			continue;
		diag_add(l->diags, l->tree, DIAG_ERROR, at, "include-loop",
		    NULL, "\"%s\" includes itself", name);
		return;
	}
	if (l->depth == DEPTH_INCLUDE || l->tree->nfile == FILE_MAX) {
		diag_add(l->diags, l->tree, DIAG_ERROR, at, "include-loop",
		    NULL, "\"%s\": too many files are included", name);
		return;
	}
	r = conf_file_read(l->r, path, &file);
	if (r != 0) {
		read_failed(l, at, name, r);
		return;
	}
	text = text_new(l->tree, name, path);
	diag_file(l->diags, name);
	text->data = file.data;
	text->len = file.len;
	l->stack[l->depth++] = text->path;
	parse_text(l, text, into);
	expand_includes(l, into);
	l->depth--;
}

static void
include(struct load *l, const struct conf_node *n, struct conf_node *into)
{
	const char *pattern = conf_word_text(n, 1);
	const struct conf_pos *at;
	char **paths = NULL, *full;
	size_t i, count = 0;
	int r;

	if (n->nword != 2 || n->block || n->word[1].kind == WORD_LIST) {
		at = n->nword > 2 ? &n->word[2].pos : &n->word[0].pos;
		diag_add(l->diags, l->tree, DIAG_ERROR, at, "bad-include",
		    n->nword > 2 && at->line > n->word[1].pos.line
			? mem_strdup("missing ';' before this line ?")
			: NULL,
		    "include takes one file name or pattern");
		return;
	}
	at = &n->word[1].pos;
	full = pattern[0] == '/'
	    ? mem_strdup(pattern)
	    : mem_printf("%s/%s", l->r->dir != NULL ? l->r->dir : ".", pattern);
	if (strpbrk(pattern, "*?[") == NULL) {
		load_file(l, full, at, into);
	} else if ((r = conf_file_glob(l->r, full, &paths, &count)) != 0) {
		read_failed(l, at, short_name(l->r, full), r);
	} else if (count == 0) {
		diag_add(l->diags, l->tree, DIAG_WARNING, at, "empty-include",
		    NULL, "\"%s\" matches no file", pattern);
	}
	for (i = 0; i < count; i++) {
		load_file(l, paths[i], at, into);
		free(paths[i]);
	}
	free(paths);
	free(full);
}

/* What an include names stands where the include stood. */
static void
expand_includes(struct load *l, struct conf_node *n)
{
	struct conf_node out = { 0 }, part;
	size_t i, j;

	for (i = 0; i < n->nchild; i++) {
		struct conf_node *c = n->child[i];

		if (!conf_word_is(c, 0, "include") || c->bad) {
			expand_includes(l, c);
			conf_node_add(&out, c);
			continue;
		}
		part = (struct conf_node){ 0 };
		if (l->r != NULL)
			include(l, c, &part);
		else
			diag_add(l->diags, l->tree, DIAG_ERROR, &c->word[0].pos,
			    "bad-include", NULL,
			    "include is not possible here");
		for (j = 0; j < part.nchild; j++)
			conf_node_add(&out, part.child[j]);
		free(part.child);
		conf_node_free(c);
	}
	free(n->child);
	n->child = out.child;
	n->nchild = out.nchild;
	n->capchild = out.capchild;
}

/* ---- defines ----------------------------------------------------------- */

struct expand {
	struct conf_tree *tree;
	struct diag_list *diags;
	size_t added; /* words, against growth without end */
};

static const struct conf_node *
define_find(const struct conf_tree *t, const char *name)
{
	size_t i = names_find(&t->define_name, name);

	return i != NAMES_NONE ? t->define[i] : NULL;
}

static void
define_take(struct expand *x, struct conf_node *n)
{
	const struct conf_node *old;
	const char *name = conf_word_text(n, 1);
	struct conf_tree *t = x->tree;

	if (n->nword != 4 || n->block || !conf_word_is(n, 2, "=") ||
	    n->word[1].kind != WORD_BARE ||
	    strspn(name,
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
		"0123456789_-") != strlen(name)) {
		diag_add(x->diags, t, DIAG_ERROR, &n->word[0].pos, "bad-define",
		    n->nword > 4 && n->word[4].pos.line > n->word[3].pos.line
			? mem_printf(
			      "missing ';' on line %u ?", n->word[3].pos.line)
			: NULL,
		    "a definition is written: define NAME = VALUE;");
		conf_node_free(n);
		return;
	}
	old = define_find(t, name);
	if (old != NULL) {
		diag_add(x->diags, t, DIAG_ERROR, &n->word[1].pos, "twice",
		    NULL, "\"%s\" is defined already (%s:%u)", name,
		    old->word[1].pos.file, old->word[1].pos.line);
		conf_node_free(n);
		return;
	}
	t->define = mem_realloc(t->define, t->ndefine + 1, sizeof(*t->define));
	t->define[t->ndefine++] = n;
	names_add(&t->define_name, name);
}

static const char *
define_guess(const struct conf_tree *t, const char *name)
{
	unsigned int best = 3, d;
	const char *found = NULL;
	size_t i;

	for (i = 0; i < t->ndefine; i++) {
		d = conf_distance(name, conf_word_text(t->define[i], 1));
		if (d < best) {
			best = d;
			found = conf_word_text(t->define[i], 1);
		}
	}
	return found;
}

/* The value for "$name" at s, *len octets with the '$'; NULL: told. */
static const struct conf_word *
define_value(
    struct expand *x, const struct conf_word *w, const char *s, size_t *len)
{
	const struct conf_node *d;
	const char *guess;
	char *name;
	size_t n;

	n = strspn(s + 1,
	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "0123456789_-");
	*len = n + 1;
	name = mem_printf("%.*s", (int)n, s + 1);
	d = define_find(x->tree, name);
	if (d != NULL) {
		free(name);
		return &d->word[3];
	}
	guess = define_guess(x->tree, name);
	diag_add(x->diags, x->tree, DIAG_ERROR, &w->pos, "undefined",
	    guess != NULL ? mem_printf("did you mean \"$%s\"?", guess) : NULL,
	    "\"$%s\" is not defined", name);
	free(name);
	return NULL;
}

static void expand_word(
    struct expand *, struct conf_word *, int depth, bool *bad);

static void
expand_list(struct expand *x, struct conf_word *w, int depth, bool *bad)
{
	struct conf_node flat = { 0 };
	size_t i, j;

	for (i = 0; i < w->nitem; i++) {
		struct conf_word *it = &w->item[i];

		expand_word(x, it, depth, bad);
		/* A list inside a list adds its words. */
		if (it->kind != WORD_LIST) {
			conf_node_word(&flat, it);
			continue;
		}
		for (j = 0; j < it->nitem; j++)
			conf_node_word(&flat, &it->item[j]);
		free(it->item);
	}
	free(w->item);
	w->item = flat.word;
	w->nitem = flat.nword;
}

/* "$a" alone is the value; inside a word the text of the value. */
static void
expand_word(struct expand *x, struct conf_word *w, int depth, bool *bad)
{
	const struct conf_word *v;
	struct conf_word copy;
	char *s, *text;
	size_t len;

	if (w->kind == WORD_LIST) {
		expand_list(x, w, depth, bad);
		return;
	}
	if (w->kind != WORD_BARE)
		return;
	while ((s = strchr(w->text, '$')) != NULL) {
		if (depth == 0 || x->added > DEFINE_WORDS) {
			diag_add(x->diags, x->tree, DIAG_ERROR, &w->pos,
			    "define-loop", NULL,
			    "\"%.60s\" is defined by itself", w->text);
			*bad = true;
			return;
		}
		v = define_value(x, w, s, &len);
		if (v == NULL) {
			*bad = true;
			return;
		}
		x->added += 1 + v->nitem;
		if (s == w->text && s[len] == '\0') {
			conf_word_copy(&copy, v);
			copy.pos = w->pos;
			free(w->text);
			*w = copy;
			expand_word(x, w, depth - 1, bad);
			return;
		}
		if (v->kind == WORD_LIST ||
		    strlen(w->text) + strlen(v->text) > DEFINE_TEXT) {
			diag_add(x->diags, x->tree, DIAG_ERROR, &w->pos,
			    "bad-define", NULL,
			    "\"%.60s\" cannot be put together", w->text);
			*bad = true;
			return;
		}
		text = mem_printf(
		    "%.*s%s%s", (int)(s - w->text), w->text, v->text, s + len);
		free(w->text);
		w->text = text;
		depth--;
	}
}

static void
expand_node(struct expand *x, struct conf_node *n)
{
	size_t i;

	for (i = 0; i < n->nword; i++)
		expand_word(x, &n->word[i], 16, &n->bad);
	for (i = 0; i < n->nchild; i++)
		expand_node(x, n->child[i]);
}

/* Definitions may stand anywhere at the top: order does not matter. */
static void
expand_defines(struct conf_tree *t, struct diag_list *diags)
{
	struct expand x = { .tree = t, .diags = diags };
	size_t i, n = 0;

	for (i = 0; i < t->root.nchild; i++) {
		struct conf_node *c = t->root.child[i];

		if (conf_word_is(c, 0, "define"))
			define_take(&x, c);
		else
			t->root.child[n++] = c;
	}
	t->root.nchild = n;
	expand_node(&x, &t->root);
}

struct conf_tree *
conf_tree_load(
    const struct conf_reader *r, const char *path, struct diag_list *diags)
{
	struct conf_tree *t = mem_alloc(sizeof(*t));
	struct load l = { .r = r, .tree = t, .diags = diags };

	load_file(&l, path, NULL, &t->root);
	expand_defines(t, diags);
	return t;
}

struct conf_tree *
conf_tree_parse(
    const char *name, const char *data, size_t len, struct diag_list *diags)
{
	struct conf_tree *t = mem_alloc(sizeof(*t));
	struct load l = { .tree = t, .diags = diags };
	struct conf_text *text = text_new(t, name, name);

	text->data = mem_alloc(len + 1);
	memcpy(text->data, data, len);
	text->len = len;
	parse_text(&l, text, &t->root);
	expand_includes(&l, &t->root);
	expand_defines(t, diags);
	return t;
}
