/*
 * conf_tree.h -- the generic statement tree below struct conf: words and
 * blocks with positions, and the tables that say what is allowed where.
 * Internal to the conf_*.c files, their tests, and readers of state files,
 * which use the same grammar.
 */
#ifndef CONF_TREE_H
#define CONF_TREE_H

#include <stdio.h>

#include "bgpd/conf.h"
#include "lib/names.h"

enum conf_word_kind {
	WORD_BARE,
	WORD_STRING,
	WORD_OPERATOR,
	WORD_LIST
};

/* What a word turned out to be; set by the schema check. */
enum conf_type {
	CT_NONE,
	CT_LITERAL,
	CT_NAME,
	CT_STRING,
	CT_PATH,
	CT_UINT,
	CT_ASN,
	CT_TIME,
	CT_PERCENT,
	CT_PORT,
	CT_IPV4,
	CT_IPV6,
	CT_ADDR,
	CT_PREFIX,
	CT_YESNO,
	CT_MODE,
	CT_RATIO,
	CT_RATE,
	CT_COMMUNITY,
	CT_LARGE,
	CT_EXT,
	CT_TYPE_N,
};

struct conf_word {
	enum conf_word_kind kind;
	enum conf_type type;
	char *text; /* without quotes; NULL for a list */
	struct conf_pos pos;
	struct conf_word *item; /* of a list */
	size_t nitem;
	/* The value, by type. */
	uint64_t num, num2;
	struct addr addr;
	struct pfx pfx;
};

/*
 * An entry of a prefix-set, once all is checked: a statement of its own would
 * be ten times as large, and there may be 100,000 of them.
 */
enum conf_entry_form {
	ENTRY_PLAIN, /* exact, without the word */
	ENTRY_EXACT,
	ENTRY_LONGER,
	ENTRY_RANGE,
};

struct conf_entry {
	struct pfx pfx;
	uint8_t lo, hi;
	uint8_t form;
	uint16_t file; /* of the tree */
	uint32_t line;
};

struct conf_node {
	struct conf_word *word;
	size_t nword;
	bool block;
	bool bad; /* a problem was told: look no further */
	bool inherited; /* copied out of a template */
	bool made; /* stands for files of the filter store, nobody wrote it */
	struct conf_node **child;
	size_t nchild, capchild;
	struct conf_entry
	    *entry; /* of a prefix-set, in the place of children */
	size_t nentry;
	struct conf_pos end; /* where the ';' or '{' is or should be */
	const struct conf_schema *schema;
};

struct conf_text {
	char *name; /* as shown */
	char *path;
	char *data;
	size_t len;
};

struct conf_tree {
	struct conf_node root;
	struct conf_text **file;
	size_t nfile;
	bool broken; /* given up: what is missing need not be told */
	struct conf_node **define; /* taken out of the root */
	size_t ndefine;
	struct names define_name; /* their names, in the same order */
	struct names top; /* "KIND NAME" of each statement at the top */
	struct conf_node **top_node;
	char **top_key;
};

/*
 * Parses path and what it includes, expands $X.  Always gives a tree, with
 * what could be understood; problems are in the list.
 */
struct conf_tree *conf_tree_load(
    const struct conf_reader *, const char *path, struct diag_list *);
/* The same of a text in memory, without includes. */
struct conf_tree *conf_tree_parse(
    const char *name, const char *data, size_t len, struct diag_list *);
void conf_tree_free(struct conf_tree *);

/*
 * The statement "KIND NAME" at the top, of several the first; NULL: none.  The
 * name is as conf_word_print() prints it.
 */
struct conf_node *conf_tree_top(
    const struct conf_tree *, const char *kind, const char *name);
/* It is found from now on. */
void conf_tree_note(struct conf_tree *, struct conf_node *);
/* All entries of prefix-sets take less room from now on. */
void conf_tree_compact(struct conf_tree *);
/* What such a statement says; it must be right. */
void conf_entry_of(const struct conf_node *, struct conf_entry *);

struct conf_node *conf_node_new(void);
void conf_node_free(struct conf_node *);
void conf_node_add(struct conf_node *parent, struct conf_node *child);
/* A deep copy. */
struct conf_node *conf_node_copy(const struct conf_node *);
void conf_word_copy(struct conf_word *to, const struct conf_word *from);
/* Appends a word that is moved, not copied. */
void conf_node_word(struct conf_node *, struct conf_word *);
bool conf_word_is(const struct conf_node *, size_t n, const char *text);
/* "" beyond the end and for a list. */
const char *conf_word_text(const struct conf_node *, size_t n);

/* ---- tokens (lex.l) and the push parser (parse.y) ---------------------- */

struct conf_token {
	int type; /* of parse.y; 0 at the end */
	char *text;
	enum conf_word_kind kind;
	struct conf_pos pos;
	unsigned int vcol; /* column with tabs of 8 */
	bool first; /* on its line */
};

/* The plain entries of a prefix-set at the top, which are no tokens. */
struct conf_entries {
	struct conf_pos at; /* where its statement begins */
	struct conf_entry *e;
	size_t n, cap;
};

struct conf_tokens {
	struct conf_token *t;
	size_t n, cap;
	struct conf_entries *set; /* in the order of the text */
	size_t nset;
};

void conf_lex(const char *name, const char *data, size_t len,
    struct conf_tokens *, struct conf_tree *, struct diag_list *);
/*
 * Feeds the tokens, balanced, to the push parser; they lose their texts and
 * the entries that found their set.
 */
void conf_parse(struct conf_tokens *, struct conf_node *into,
    struct conf_tree *, struct diag_list *);

/* ---- problems (conf_diag.c) -------------------------------------------- */

/* The source line is looked up in the tree; hint may be NULL. */
void diag_add(struct diag_list *, const struct conf_tree *, enum diag_severity,
    const struct conf_pos *, const char *code, char *hint, const char *fmt, ...)
    __attribute__((format(printf, 7, 8)));
void diag_sort(struct diag_list *);
/* The list's own copy of a file's name; files sort as first named. */
const char *diag_file(struct diag_list *, const char *name);

/* ---- the tables (conf_schema.c, conf_syntax.c) ------------------------- */

enum conf_flag {
	CF_BLOCK = 1 << 0, /* { } must follow */
	CF_OPTBLOCK = 1 << 1, /* ; or { } */
	CF_REQUIRED = 1 << 2,
	CF_MULTI = 1 << 3, /* may be repeated */
	CF_RESETS = 1 << 4, /* a change bounces the session */
	CF_RESTART = 1 << 5, /* a change needs a restart of the daemon */
	CF_IMPORT = 1 << 6, /* a change runs import again */
	CF_EXPORT = 1 << 7, /* a change makes announcements again */
	CF_SECRET = 1 << 8, /* names a secret */
	CF_NOT_BUILT = 1 << 9, /* known, refused */
	CF_ORDERED = 1 << 10, /* order of repeated ones matters */
};

struct conf_schema {
	const char *path; /* of the block: "", "global", "policy/rule" */
	const char *name; /* leading words; "" any other word */
	const char *syntax; /* what follows; conf_syntax.c */
	uint64_t min, max; /* of the first number; both 0: any */
	const char *def; /* what follows the name when not written */
	unsigned int flags;
	const char *help;
	const char *since;
};

extern const struct conf_schema conf_schema[];
extern const size_t conf_schema_n;

/* The rows of one block, which stand together: from <= row < to. */
struct conf_rows {
	size_t from, to;
};
struct conf_rows conf_schema_rows(const char *path);
/* The row for the statement in that block, with how many words its name has;
 * NULL when there is none. */
const struct conf_schema *conf_schema_find(
    struct conf_rows, const struct conf_node *, size_t *nname);
/* The row whose name is closest in the block, edit distance <= 2, or NULL; the
 * leading words that the name has are compared. */
const struct conf_schema *conf_schema_guess(
    const char *path, const struct conf_node *);
/* Known as the start of a statement in the block? */
bool conf_schema_starts(struct conf_rows, const char *word);
/* Levenshtein's distance with swaps, cut off at 3. */
unsigned int conf_distance(const char *, const char *);

struct conf_syntax_err {
	size_t at; /* which word; nword: behind the last */
	size_t item; /* in a list */
	bool specific; /* text is a sentence, not what was expected */
	bool too_many;
	bool list; /* a list stands where a word must */
	char text[240];
	char hint[120];
};

/*
 * Matches the words from `first` on with the row's syntax, sets type and
 * value of each.  True when all of them match.
 */
bool conf_syntax_match(const struct conf_schema *, struct conf_node *,
    size_t first, struct conf_syntax_err *);
/* A word of the value's type in canonical form, quoted where it must be. */
void conf_word_print(FILE *, const struct conf_word *);
/* Any text as a string that is read back as it was. */
void conf_quote(FILE *, const char *);
/* The words of a statement without ';', in canonical form; allocated. */
char *conf_node_print(const struct conf_node *);

/* ---- files (conf_file.c) ----------------------------------------------- */

/* The reader's, after a look at the name: -EXDEV outside of its dir. */
int conf_file_read(
    const struct conf_reader *, const char *path, struct conf_file *);
int conf_file_glob(
    const struct conf_reader *, const char *pattern, char ***paths, size_t *n);

/* ---- canonical form (conf_print.c) -------------------------------------- */

/* A statement with its block, in canonical form; allocated. */
char *conf_print_node(const struct conf_node *);
/* Is the canonical form of both the same?  NULL is like NULL only. */
bool conf_same_node(const struct conf_node *, const struct conf_node *);

/* ---- the schema's check (conf_valid.c) --------------------------------- */

/*
 * Finds each statement's row, splits what a forgotten ';' joined, checks
 * words, arity, repetition and what is required.  Nodes with a problem are
 * marked bad; a bad node's row is the one that was probably meant, or NULL.
 */
void conf_valid(struct conf_tree *, struct diag_list *);
/* The path of the statements in the block: "control/socket". */
void conf_valid_path(const struct conf_schema *, char *buf, size_t);
/* The row of the path and name, which must be there. */
const struct conf_schema *conf_schema_row(const char *path, const char *name);

#endif /* CONF_TREE_H */
