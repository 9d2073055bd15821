/*
 * parse.y -- statements: words ";" or words "{" statements "}".  Everything
 * else (which words, how many, of which type) is conf_schema.c's.  What is
 * wrong in the form is told by productions of its own, so that one mistake
 * costs one message and the rest of the file is read as it was meant.
 */
%define api.pure full
%define api.push-pull push
%define api.prefix {conf_yy}
%locations
%define api.location.type {struct conf_pos}
%expect 0

%code requires {
#include <string.h>

#include "bgpd/conf_tree.h"
#include "lib/mem.h"

struct conf_parse {
	struct conf_tree *tree;
	struct diag_list *diags;
	struct conf_node *into;
	struct conf_entries *set; /* the next whose block is to come */
	size_t nset;
};
#define YYLLOC_DEFAULT(cur, rhs, n)                                            \
	((cur) = (n) > 0 ? YYRHSLOC(rhs, 1) : YYRHSLOC(rhs, 0))
}

%code {
#pragma GCC diagnostic ignored "-Wswitch-enum"

static void conf_yyerror(
    struct conf_pos *, struct conf_parse *, const char *);
static void oops(struct conf_parse *, const struct conf_pos *,
    const char *code, const char *what);
static void adopt(struct conf_node *parent, struct conf_node *from);
static void append(struct conf_node *, struct conf_word *);
static void comma_check(
    struct conf_parse *, struct conf_node *, const struct conf_word *);
static struct conf_pos behind(const struct conf_node *);
static void take_entries(struct conf_parse *, struct conf_node *);
}

%parse-param {struct conf_parse *p}

%union {
	struct conf_word word;
	struct conf_node *node;
}

%token <word> WORD "a word"
%token SEMI ";" LBRACE "{" RBRACE "}" LBRACK "[" RBRACK "]" COMMA ","
%type <word> word list
%type <node> words body statement statements items

%destructor {
	struct conf_node *n = conf_node_new();
	conf_node_word(n, &$$);
	conf_node_free(n);
} <word>
%destructor { conf_node_free($$); } <node>

%%

file:
	statements { adopt(p->into, $1); }
;

statements:
	%empty { $$ = conf_node_new(); }
|	statements statement {
		$$ = $1;
		if ($2 != NULL)
			conf_node_add($$, $2);
	}
;

statement:
	words SEMI { $$ = $1; $$->end = @2; }
|	words LBRACE body RBRACE {
		$$ = $1;
		$$->end = @2;
		$$->block = true;
		adopt($$, $3);
		take_entries(p, $$);
	}
|	LBRACE body RBRACE {
		oops(p, &@1, "no-name", "'{' needs a name before it");
		conf_node_free($2);
		$$ = NULL;
	}
|	SEMI {
		oops(p, &@1, "empty-statement", "nothing before ';'");
		$$ = NULL;
	}
;

body:
	statements
|	statements words {
		struct conf_pos at = behind($2);

		diag_add(p->diags, p->tree, DIAG_ERROR, &at,
		    "missing-semicolon", mem_strdup("missing ';' ?"),
		    "\"%s\" does not end before '}'", conf_word_text($2, 0));
		$$ = $1;
		$2->end = at;
		conf_node_add($$, $2);
	}
;

words:
	word { $$ = conf_node_new(); append($$, &$1); }
|	words word { $$ = $1; append($$, &$2); }
;

word:
	WORD
|	list
|	COMMA {
		oops(p, &@1, "stray-comma", "',' is only for [ lists ]");
		$$ = (struct conf_word){ .pos = @1 };
	}
|	RBRACK {
		oops(p, &@1, "stray-bracket", "']' without '['");
		$$ = (struct conf_word){ .pos = @1 };
	}
;

list:
	LBRACK items RBRACK {
		$$ = (struct conf_word){ .kind = WORD_LIST, .pos = @1,
			.item = $2->word, .nitem = $2->nword };
		$2->word = NULL;
		$2->nword = 0;
		conf_node_free($2);
	}
|	LBRACK items error {
		yyerrok;
		oops(p, &@1, "missing-bracket", "'[' is not closed by ']'");
		$$ = (struct conf_word){ .kind = WORD_LIST, .pos = @1,
			.item = $2->word, .nitem = $2->nword };
		$2->word = NULL;
		$2->nword = 0;
		conf_node_free($2);
	}
;

items:
	%empty { $$ = conf_node_new(); }
|	items WORD {
		$$ = $1;
		comma_check(p, $$, &$2);
		$$->end.line = 0;
		append($$, &$2);
	}
|	items list {
		$$ = $1;
		comma_check(p, $$, &$2);
		$$->end.line = 0;
		append($$, &$2);
	}
|	items COMMA {
		$$ = $1;
		if ($$->nword == 0 || $$->end.line != 0)
			oops(p, &@2, "stray-comma", "nothing before ','");
		$$->end = @2;
	}
;

%%

/* Only a list that meets ; { } comes here; its production tells the story. */
static void
conf_yyerror(struct conf_pos *at, struct conf_parse *p, const char *what)
{
	if (strcmp(what, "syntax error") != 0)
		oops(p, at, "too-complex", what);
}

static void
oops(struct conf_parse *p, const struct conf_pos *at, const char *code,
    const char *what)
{
	diag_add(p->diags, p->tree, DIAG_ERROR, at, code, NULL, "%s", what);
}

static void
adopt(struct conf_node *parent, struct conf_node *from)
{
	size_t i;

	for (i = 0; i < from->nchild; i++)
		conf_node_add(parent, from->child[i]);
	from->nchild = 0;
	conf_node_free(from);
}

/* A stray "," or "]" was told and is no word. */
static void
append(struct conf_node *n, struct conf_word *w)
{
	if (w->kind == WORD_LIST || w->text != NULL)
		conf_node_word(n, w);
	else
		n->bad = true;
}

static void
comma_check(
    struct conf_parse *p, struct conf_node *n, const struct conf_word *w)
{
	if (n->nword > 0 && n->end.line == 0)
		diag_add(p->diags, p->tree, DIAG_ERROR, &w->pos,
		    "missing-comma", mem_strdup("missing ',' ?"),
		    "the words of a list are separated by ','");
}

static struct conf_pos
behind(const struct conf_node *n)
{
	struct conf_pos at = { 0 };

	if (n->nword > 0) {
		at = n->word[n->nword - 1].pos;
		at.col += at.len;
		at.len = 1;
	}
	return at;
}

/* Blocks end in the order in which those of the top begin. */
static void
take_entries(struct conf_parse *p, struct conf_node *block)
{
	const struct conf_pos *at;
	size_t i;

	if (!conf_word_is(block, 0, "prefix-set"))
		return;
	at = &block->word[0].pos;
	for (i = 0; i < p->nset; i++)
		if (p->set[i].at.line == at->line && p->set[i].at.col == at->col)
			break;
	if (i == p->nset)
		return;
	block->entry = p->set[i].e;
	block->nentry = p->set[i].n;
	p->set[i].e = NULL;
	p->set += i + 1;
	p->nset -= i + 1;
}

void
conf_parse(struct conf_tokens *ts, struct conf_node *into,
    struct conf_tree *tree, struct diag_list *diags)
{
	struct conf_parse p = { .tree = tree,
		.diags = diags,
		.into = into,
		.set = ts->set,
		.nset = ts->nset };
	conf_yypstate *ps = conf_yypstate_new();
	int status = YYPUSH_MORE;
	YYSTYPE val;
	size_t i;

	if (ps == NULL)
		return;
	for (i = 0; i < ts->n && status == YYPUSH_MORE; i++) {
		struct conf_token *t = &ts->t[i];

		memset(&val, 0, sizeof(val));
		if (t->type == WORD) {
			val.word.kind = t->kind;
			val.word.text = t->text;
			val.word.pos = t->pos;
			t->text = NULL;
		}
		status = conf_yypush_parse(ps, t->type, &val, &t->pos, &p);
	}
	conf_yypstate_delete(ps);
}
