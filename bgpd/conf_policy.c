/* conf_policy.c -- the tree to sets and policies. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bgpd/conf_build.h"
#include "bgpd/conf_set.h"
#include "lib/mem.h"
#include "policy/asnset.h"
#include "policy/asregex.h"
#include "policy/pfxfile.h"
#include "policy/pfxset.h"

/* ---- sets -------------------------------------------------------------- */

/* Told once for each kind: names of one kind are unique. */
static bool
is_new(struct build *b, const struct conf_node *n, struct names *names,
    size_t count)
{
	const char *name = conf_word_text(n, 1);
	const struct conf_node *old;

	if (names_add(names, name) == count)
		return true;
	old = conf_tree_top(b->tree, n->schema->name, name);
	build_error(b, &n->word[1].pos, "twice", NULL,
	    "%s \"%s\" is written twice (%s:%u)", n->schema->name, name,
	    old->word[1].pos.file, old->word[1].pos.line);
	return false;
}

/*
 * A list that cannot be used is its neighbors' trouble and nobody else's: a
 * warning, and they import nothing, or what the set had before.
 */
static void
set_said(void *arg, const struct conf_set *s, const struct conf_word *w,
    int err, const struct pfxfile *res)
{
	struct build *b = arg;

	if (w == NULL)
		build_warn(b, &s->pos, "set-refused", NULL,
		    "prefix-set \"%s\" keeps its content of before: %s",
		    s->name, s->refused);
	else if (err == -EXDEV)
		build_error(b, &w->pos, "outside", NULL,
		    "\"%s\" is outside of the configuration directory",
		    w->text);
	else if (err != 0)
		build_warn(b, &w->pos, "set-unusable", NULL,
		    "cannot read \"%s\": %s; prefix-set \"%s\" gets nothing "
		    "from its files",
		    w->text, strerror(-err), s->name);
	else if (res->error[0] != '\0')
		build_warn(b, &w->pos, "set-unusable", NULL,
		    "\"%s\" line %zu: %s; prefix-set \"%s\" gets nothing "
		    "from its files",
		    w->text, res->line, res->error, s->name);
	else if (res->inet + res->inet6 == 0)
		build_warn(b, &w->pos, "set-empty", NULL,
		    "\"%s\" has no prefix at all", w->text);
}

/* A range that the set cannot take. */
static void
set_entry(struct build *b, const struct conf_node *n)
{
	const struct pfx *p = &n->word[0].pfx;
	unsigned int lo, hi;

	if (n->nword != 3)
		return;
	lo = (unsigned int)n->word[1].num;
	hi = (unsigned int)n->word[2].num;
	if (lo >= p->len && lo <= hi && hi <= fam_bits(p->addr.fam))
		return;
	build_error(b, &n->word[1].pos, "bad-range", NULL,
	    "from %u to %u are no lengths inside a /%u of %s", lo, hi, p->len,
	    fam_name(p->addr.fam));
}

static void
prefix_set(struct build *b, const struct conf_node *n)
{
	struct conf *c = b->c;
	size_t i;

	if (!is_new(b, n, &c->set_name, c->nset))
		return;
	c->set = mem_realloc(c->set, c->nset + 1, sizeof(*c->set));
	conf_set_init(&c->set[c->nset++], n);
	for (i = 0; i < n->nchild; i++)
		if (!n->child[i]->bad && n->child[i]->schema->name[0] == '\0')
			set_entry(b, n->child[i]);
}

static void
set_check(struct build *b, const struct conf_set *s)
{
	const struct conf_node *n = s->block;
	bool broken = false;
	size_t i;

	for (i = 0; i < n->nchild; i++)
		broken |= n->child[i]->bad;
	if (s->usable && !broken && s->entries == 0)
		/* An empty set would be "everything not in it": no set. */
		build_warn(b, &s->pos, "set-empty", NULL,
		    "prefix-set \"%s\" is empty: what needs it imports nothing",
		    s->name);
	if (s->max_age_s != 0 && s->oldest != 0 &&
	    b->r->now_s - s->oldest > (int64_t)s->max_age_s)
		build_warn(b, &s->pos, "set-old", NULL,
		    "prefix-set \"%s\" is older than its max-age", s->name);
}

bool
build_set_files(struct build *b, size_t entries)
{
	struct conf_set *s;

	for (; b->set < b->c->nset; b->set++) {
		s = &b->c->set[b->set];
		if (b->set_work == NULL)
			b->set_work = conf_set_begin(s, b->r, set_said, b);
		if (conf_set_run(b->set_work, &entries))
			return true;
		conf_set_end(b->set_work);
		b->set_work = NULL;
		if (b->r->running != NULL && conf_set_hold(b->r->running, s))
			set_said(b, s, NULL, 0, NULL);
		set_check(b, s);
	}
	return false;
}

static void
as_set(struct build *b, const struct conf_node *n)
{
	struct conf *c = b->c;
	struct conf_asset *s;
	size_t i;

	if (!is_new(b, n, &c->asset_name, c->nasset))
		return;
	c->asset = mem_realloc(c->asset, c->nasset + 1, sizeof(*c->asset));
	s = &c->asset[c->nasset++];
	*s = (struct conf_asset){ .name = mem_strdup(n->word[1].text),
		.pos = n->word[1].pos };
	s->set = asnset_new();
	for (i = 0; i < n->nchild; i++)
		if (!n->child[i]->bad)
			asnset_add(s->set, (uint32_t)n->child[i]->word[0].num);
}

/*
 * The community at word `at`; the word before it, if it is `kind`, says of
 * which kind.
 */
static bool
comm_at(const struct conf_node *n, size_t at, size_t kind, struct rule_comm *c)
{
	enum rule_comm_kind k = COMM_PLAIN;

	if (kind > 0 && conf_word_is(n, kind - 1, "large"))
		k = COMM_LARGE;
	else if (kind > 0 && conf_word_is(n, kind - 1, "ext"))
		k = COMM_EXT;
	return rule_comm_parse(conf_word_text(n, at), k, true, c);
}

static void
community_set(struct build *b, const struct conf_node *n)
{
	struct conf *c = b->c;
	struct conf_commset *s;
	size_t i;

	if (!is_new(b, n, &c->commset_name, c->ncommset))
		return;
	c->commset =
	    mem_realloc(c->commset, c->ncommset + 1, sizeof(*c->commset));
	s = &c->commset[c->ncommset++];
	*s = (struct conf_commset){ .name = mem_strdup(n->word[1].text),
		.pos = n->word[1].pos };
	s->c = mem_alloc((n->nchild + 1) * sizeof(*s->c));
	for (i = 0; i < n->nchild; i++) {
		const struct conf_node *m = n->child[i];

		if (!m->bad &&
		    comm_at(m, m->nword - 1, m->nword - 1, &s->c[s->n]))
			s->n++;
	}
}

static void
path_set(struct build *b, const struct conf_node *n)
{
	struct conf *c = b->c;
	struct conf_pathset *s;
	const char *why;
	size_t i, at;

	if (!is_new(b, n, &c->pathset_name, c->npathset))
		return;
	c->pathset =
	    mem_realloc(c->pathset, c->npathset + 1, sizeof(*c->pathset));
	s = &c->pathset[c->npathset++];
	*s = (struct conf_pathset){ .name = mem_strdup(n->word[1].text),
		.pos = n->word[1].pos };
	s->re = mem_alloc((n->nchild + 1) * sizeof(struct asregex *));
	for (i = 0; i < n->nchild; i++)
		if (!n->child[i]->bad &&
		    (s->re[s->n] = asregex_new(
			 conf_word_text(n->child[i], 0), &why, &at)) != NULL)
			s->n++;
}

/* "... local-pref 50", from word `at` on. */
static void
table_action(const struct conf_node *n, size_t at, struct rule_action *a)
{
	static const struct {
		const char *word;
		enum action_type type;
	} row[] = { { "local-pref", ACT_LOCAL_PREF }, { "med", ACT_MED },
		{ "prepend", ACT_PREPEND }, { "weight", ACT_WEIGHT },
		{ "add", ACT_COMM_ADD }, { "reject", ACT_REJECT } };
	size_t i;

	for (i = 0; i < sizeof(row) / sizeof(row[0]); i++)
		if (conf_word_is(n, at, row[i].word))
			a->type = row[i].type;
	if (a->type == ACT_COMM_ADD)
		rule_comm_parse(
		    conf_word_text(n, at + 1), COMM_PLAIN, false, &a->comm);
	else if (a->type != ACT_REJECT)
		a->n = (uint32_t)n->word[at + 1].num;
}

static void
table_row(struct build *b, const struct conf_node *n, struct rule_table *t)
{
	size_t at = conf_word_is(n, 0, "large") || conf_word_is(n, 0, "ext");
	struct rule_table_row *r = &t->row[t->n];
	const struct conf_word *w;

	*r = (struct rule_table_row){ .act = { .type = ACT_LOCAL_PREF } };
	comm_at(n, at, at, &r->comm);
	table_action(n, at + 1, &r->act);
	t->n++;
	w = &n->word[n->nword - 1];
	if ((r->act.type == ACT_PREPEND && (r->act.n < 1 || r->act.n > 32)) ||
	    (r->act.type == ACT_WEIGHT && r->act.n > 65535))
		build_error(b, &w->pos, "bad-value", NULL,
		    "\"%s\" is too large or too small: %s", w->text,
		    r->act.type == ACT_PREPEND ? "from 1 to 32 is possible"
					       : "at most 65535 is possible");
}

static void
community_table(struct build *b, const struct conf_node *n)
{
	struct conf *c = b->c;
	struct conf_commtable *s;
	size_t i;

	if (!is_new(b, n, &c->commtable_name, c->ncommtable))
		return;
	c->commtable =
	    mem_realloc(c->commtable, c->ncommtable + 1, sizeof(*c->commtable));
	s = &c->commtable[c->ncommtable++];
	*s = (struct conf_commtable){ .name = mem_strdup(n->word[1].text),
		.pos = n->word[1].pos };
	s->table = mem_alloc(sizeof(*s->table));
	s->table->row = mem_alloc((n->nchild + 1) * sizeof(*s->table->row));
	for (i = 0; i < n->nchild; i++)
		if (!n->child[i]->bad)
			table_row(b, n->child[i], s->table);
}

void
build_sets(struct build *b)
{
	const struct conf_node *root = &b->tree->root;
	size_t i;

	for (i = 0; i < root->nchild; i++) {
		const struct conf_node *n = root->child[i];

		if (n->bad || n->schema == NULL)
			continue;
		if (strcmp(n->schema->name, "prefix-set") == 0)
			prefix_set(b, n);
		else if (strcmp(n->schema->name, "as-set") == 0)
			as_set(b, n);
		else if (strcmp(n->schema->name, "community-set") == 0)
			community_set(b, n);
		else if (strcmp(n->schema->name, "as-path-set") == 0)
			path_set(b, n);
		else if (strcmp(n->schema->name, "community-table") == 0)
			community_table(b, n);
	}
	b->set_used = mem_alloc(b->c->nset + 1);
	b->asset_used = mem_alloc(b->c->nasset + 1);
	b->commset_used = mem_alloc(b->c->ncommset + 1);
	b->pathset_used = mem_alloc(b->c->npathset + 1);
	b->commtable_used = mem_alloc(b->c->ncommtable + 1);
}

const struct conf_set *
build_set(struct build *b, const struct conf_word *w)
{
	const struct conf_set *s = conf_set_find(b->c, w->text);

	if (s != NULL)
		b->set_used[s - b->c->set] = true;
	else
		build_undefined(b, w, "prefix-set");
	return s;
}

const struct conf_asset *
build_asset(struct build *b, const struct conf_word *w)
{
	size_t i = names_find(&b->c->asset_name, w->text);

	if (i == NAMES_NONE) {
		build_undefined(b, w, "as-set");
		return NULL;
	}
	b->asset_used[i] = true;
	return &b->c->asset[i];
}

static const struct conf_commset *
commset(struct build *b, const struct conf_word *w)
{
	size_t i = names_find(&b->c->commset_name, w->text);

	if (i == NAMES_NONE) {
		build_undefined(b, w, "community-set");
		return NULL;
	}
	b->commset_used[i] = true;
	return &b->c->commset[i];
}

static const struct conf_pathset *
pathset(struct build *b, const struct conf_word *w)
{
	size_t i = names_find(&b->c->pathset_name, w->text);

	if (i == NAMES_NONE) {
		build_undefined(b, w, "as-path-set");
		return NULL;
	}
	b->pathset_used[i] = true;
	return &b->c->pathset[i];
}

static const struct conf_commtable *
commtable(struct build *b, const struct conf_word *w)
{
	size_t i = names_find(&b->c->commtable_name, w->text);

	if (i == NAMES_NONE) {
		build_undefined(b, w, "community-table");
		return NULL;
	}
	b->commtable_used[i] = true;
	return &b->c->commtable[i];
}

const struct conf_policy *
build_policy(struct build *b, const struct conf_word *w)
{
	const struct conf_policy *p = conf_policy_find(b->c, w->text);

	if (p != NULL)
		b->policy_used[p - b->c->policy] = true;
	else
		build_undefined(b, w, "policy");
	return p;
}

/* ---- rules ------------------------------------------------------------- */

/* A community is the statement's last word, large or not by the one before. */
static struct rule_comm
comm(const struct conf_node *n)
{
	struct rule_comm c = { 0 };

	comm_at(n, n->nword - 1, n->nword - 1, &c);
	return c;
}

static void
match_prefix(struct build *b, const struct conf_node *n, struct rule_match *m)
{
	const struct conf_set *s = build_set(b, &n->word[3]);

	m->type = MATCH_PREFIX_IN;
	m->set = s != NULL ? s->set : NULL;
}

static void
match_community(
    struct build *b, const struct conf_node *n, struct rule_match *m)
{
	const struct conf_commset *s;

	if (!conf_word_is(n, 2, "in")) {
		m->type = MATCH_COMMUNITY;
		m->comm = comm(n);
		return;
	}
	s = commset(b, &n->word[3]);
	m->type = MATCH_COMMUNITY_IN;
	if (s != NULL)
		m->comms = (struct rule_commset){ .c = s->c, .n = s->n };
}

static void
match_path(struct build *b, const struct conf_node *n, struct rule_match *m)
{
	const struct conf_pathset *p;
	const struct conf_asset *s;
	struct conf *c = b->c;
	const char *why;
	size_t at;

	if (conf_word_is(n, 2, "in")) {
		p = pathset(b, &n->word[3]);
		m->type = MATCH_PATH_IN;
		if (p != NULL)
			m->paths =
			    (struct rule_pathset){ .re = p->re, .n = p->n };
		return;
	}
	if (conf_word_is(n, 2, "matches")) {
		c->regex =
		    mem_realloc(c->regex, c->nregex + 1, sizeof(*c->regex));
		m->type = MATCH_PATH;
		m->re = c->regex[c->nregex++] =
		    asregex_new(n->word[3].text, &why, &at);
		return;
	}
	if (!conf_word_is(n, 3, "as-set")) {
		m->type = MATCH_PATH_CONTAINS;
		m->as = (uint32_t)n->word[3].num;
		return;
	}
	s = build_asset(b, &n->word[4]);
	m->type = MATCH_PATH_CONTAINS_SET;
	m->asns = s != NULL ? s->set : NULL;
}

static void
match_origin(struct build *b, const struct conf_node *n, struct rule_match *m)
{
	const struct conf_asset *s;

	if (!conf_word_is(n, 2, "as-set")) {
		m->type = MATCH_ORIGIN_AS;
		m->as = (uint32_t)n->word[2].num;
		return;
	}
	s = build_asset(b, &n->word[3]);
	m->type = MATCH_ORIGIN_AS_SET;
	m->asns = s != NULL ? s->set : NULL;
}

/* "[= | != | < ...] NUMBER" behind the two words of the name. */
static struct rule_number
number_of(const struct conf_node *n, size_t at)
{
	static const char *const op[] = {
		[OP_EQ] = "=",
		[OP_NE] = "!=",
		[OP_LT] = "<",
		[OP_LE] = "<=",
		[OP_GT] = ">",
		[OP_GE] = ">=",
	};
	struct rule_number r = { .op = OP_EQ };
	size_t i;

	for (i = 0; n->nword > at + 1 && i < sizeof(op) / sizeof(op[0]); i++)
		if (conf_word_is(n, at, op[i]))
			r.op = (enum rule_op)i;
	r.n = (uint32_t)n->word[n->nword - 1].num;
	return r;
}

static uint8_t
role_of(const char *word)
{
	static const struct {
		const char *word;
		uint8_t role;
	} row[] = { { "provider", ROLE_PROVIDER }, { "rs", ROLE_RS },
		{ "rs-client", ROLE_RS_CLIENT }, { "customer", ROLE_CUSTOMER },
		{ "peer", ROLE_PEER } };
	size_t i;

	for (i = 0; i < sizeof(row) / sizeof(row[0]); i++)
		if (strcmp(row[i].word, word) == 0)
			return row[i].role;
	return ROLE_NONE;
}

/* What is about the neighbor or a plain field. */
static void
match_field(const struct conf_node *n, struct rule_match *m)
{
	const char *what = conf_word_text(n, 1);

	if (strcmp(what, "origin-local") == 0) {
		m->type = MATCH_ORIGIN_LOCAL;
	} else if (strcmp(what, "family") == 0) {
		m->type = MATCH_FAMILY;
		m->fam = conf_word_is(n, 2, "inet") ? FAM_INET : FAM_INET6;
	} else if (strcmp(what, "neighbor") == 0) {
		m->type = MATCH_NEIGHBOR;
		m->addr = n->word[2].addr;
	} else if (strcmp(what, "next-hop") == 0) {
		m->type = MATCH_NEXT_HOP;
		m->addr = n->word[2].addr;
	} else if (strcmp(what, "group") == 0) {
		m->type = MATCH_GROUP;
		m->str = n->word[2].text;
	} else if (strcmp(what, "role") == 0) {
		m->type = MATCH_ROLE;
		m->role = role_of(conf_word_text(n, 2));
	} else if (strcmp(what, "med") == 0) {
		m->type = MATCH_MED;
		m->num = number_of(n, 2);
	} else if (strcmp(what, "as-path-length") == 0) {
		m->type = MATCH_PATH_LENGTH;
		m->num = number_of(n, 2);
	}
}

static void
rule_match(struct build *b, struct rule *r, const struct conf_node *n)
{
	const char *what = conf_word_text(n, 1);
	struct rule_match m = { .type = MATCH_ANY };

	if (strcmp(what, "prefix") == 0)
		match_prefix(b, n, &m);
	else if (strcmp(what, "origin-as") == 0)
		match_origin(b, n, &m);
	else if (strcmp(what, "community") == 0)
		match_community(b, n, &m);
	else if (strcmp(what, "as-path") == 0)
		match_path(b, n, &m);
	else
		match_field(n, &m);
	/* A set that could not be loaded has nothing in it. */
	if ((m.type == MATCH_PREFIX_IN && m.set == NULL) ||
	    ((m.type == MATCH_PATH_CONTAINS_SET ||
		 m.type == MATCH_ORIGIN_AS_SET) &&
		m.asns == NULL) ||
	    (m.type == MATCH_PATH && m.re == NULL))
		m = (struct rule_match){ .type = MATCH_NOTHING };
	policy_add_match(r, &m);
}

/* The first of its kind takes the place of all, the next ones are added. */
static enum action_type
replace_or_add(const struct rule *r, const struct rule_comm *c)
{
	size_t i;

	for (i = 0; i < r->nact; i++)
		if (r->act[i].type == ACT_COMM_REPLACE &&
		    r->act[i].comm.large == c->large &&
		    r->act[i].comm.ext == c->ext)
			return ACT_COMM_ADD;
	return ACT_COMM_REPLACE;
}

static void
rule_set(struct rule *r, const struct conf_node *n)
{
	const char *what = conf_word_text(n, 1);
	struct rule_action a = { .type = ACT_LOCAL_PREF };

	if (strcmp(what, "community") == 0) {
		a.comm = comm(n);
		a.type = conf_word_is(n, 2, "add") ? ACT_COMM_ADD
		    : conf_word_is(n, 2, "delete") ? ACT_COMM_DELETE
						   : replace_or_add(r, &a.comm);
	} else if (strcmp(what, "next-hop") == 0) {
		a.type = ACT_NEXT_HOP_SELF;
	} else {
		if (strcmp(what, "med") == 0)
			a.type = ACT_MED;
		else if (strcmp(what, "prepend") == 0)
			a.type = ACT_PREPEND;
		else if (strcmp(what, "weight") == 0)
			a.type = ACT_WEIGHT;
		a.n = (uint32_t)n->word[2].num;
	}
	policy_add_action(r, &a);
}

static void
rule_apply(struct build *b, struct rule *r, const struct conf_node *n)
{
	struct rule_action a = { .type = ACT_TABLE };
	const struct conf_commtable *t = commtable(b, &n->word[2]);

	if (t == NULL)
		return;
	a.table = t->table;
	policy_add_action(r, &a);
}

/* The verdict: one of accept, reject and continue. */
static void
rule_verdict(struct build *b, struct rule *r, const struct conf_node *n)
{
	const struct conf_node *one[] = { build_get(n, "accept"),
		build_get(n, "reject"), build_get(n, "continue") };
	static const enum rule_verdict verdict[] = { RULE_ACCEPT, RULE_REJECT,
		RULE_CONTINUE };
	const struct conf_node *said = NULL;
	size_t i;

	r->verdict = RULE_REJECT;
	for (i = 0; i < 3; i++) {
		if (one[i] == NULL)
			continue;
		if (said != NULL) {
			build_error(b, &one[i]->word[0].pos, "no-verdict", NULL,
			    "rule \"%s\" says both \"%s\" and \"%s\"", r->name,
			    said->word[0].text, one[i]->word[0].text);
			return;
		}
		said = one[i];
		r->verdict = verdict[i];
	}
	for (i = 0; i < n->nchild; i++)
		if (n->child[i]->bad)
			return;
	if (said == NULL)
		build_error(b, &n->word[1].pos, "no-verdict", NULL,
		    "rule \"%s\" says none of accept, reject and continue",
		    r->name);
	else if (r->verdict == RULE_REJECT && r->nact > 0)
		build_warn(b, &n->word[1].pos, "lost-set", NULL,
		    "rule \"%s\" rejects: what it sets is lost", r->name);
	else if (r->verdict == RULE_CONTINUE && r->nact == 0)
		build_warn(b, &n->word[1].pos, "lost-set", NULL,
		    "rule \"%s\" goes on and sets nothing: it only counts",
		    r->name);
}

static void
rule(struct build *b, struct policy *p, const struct conf_node *n,
    struct names *names, const struct conf_node **last)
{
	const char *name = conf_word_text(n, 1);
	struct rule *r;
	char *where;
	size_t i;
	bool any = true;

	if (names_find(names, name) != NAMES_NONE) {
		for (i = 0; strcmp(p->rule[i]->name, name) != 0; i++)
			;
		build_error(b, &n->word[1].pos, "twice", NULL,
		    "rule \"%s\" is written twice (%s)", name,
		    p->rule[i]->where);
	}
	names_add(names, name);
	where = mem_printf("%s:%u", n->word[1].pos.file, n->word[1].pos.line);
	r = policy_add(p, name, where);
	free(where);
	r->hit = (uint32_t)b->c->nrule++;
	for (i = 0; i < n->nchild; i++) {
		const struct conf_node *m = n->child[i];

		if (strcmp(conf_word_text(m, 0), "match") == 0 || m->bad)
			any = false;
		if (m->bad)
			continue;
		if (strcmp(conf_word_text(m, 0), "match") == 0)
			rule_match(b, r, m);
		else if (strcmp(conf_word_text(m, 0), "set") == 0)
			rule_set(r, m);
		else if (strcmp(conf_word_text(m, 0), "apply") == 0)
			rule_apply(b, r, m);
	}
	rule_verdict(b, r, n);
	if (*last != NULL)
		build_warn(b, &n->word[1].pos, "unreachable", NULL,
		    "rule \"%s\" is never reached: rule \"%s\" (line %u) "
		    "matches every route",
		    name, conf_word_text(*last, 1), (*last)->word[1].pos.line);
	else if (any && r->verdict != RULE_CONTINUE)
		*last = n;
}

static void
policy_block(struct build *b, const struct conf_node *n)
{
	struct conf *c = b->c;
	const struct conf_node *last = NULL;
	struct names names = { 0 };
	struct conf_policy *p;
	size_t i;

	if (!is_new(b, n, &c->policy_name, c->npolicy))
		return;
	c->policy = mem_realloc(c->policy, c->npolicy + 1, sizeof(*c->policy));
	p = &c->policy[c->npolicy++];
	*p = (struct conf_policy){ .name = mem_strdup(n->word[1].text),
		.pos = n->word[1].pos };
	p->rules = policy_new(p->name);
	for (i = 0; i < n->nchild; i++)
		if (!n->child[i]->bad)
			rule(b, p->rules, n->child[i], &names, &last);
	names_fini(&names);
	if (n->nchild == 0)
		build_warn(b, &p->pos, "empty-policy", NULL,
		    "policy \"%s\" has no rule: it rejects everything",
		    p->name);
}

void
build_policies(struct build *b)
{
	const struct conf_node *root = &b->tree->root;
	size_t i;

	for (i = 0; i < root->nchild; i++)
		if (!root->child[i]->bad && root->child[i]->schema != NULL &&
		    strcmp(root->child[i]->schema->name, "policy") == 0)
			policy_block(b, root->child[i]);
	b->policy_used = mem_alloc(b->c->npolicy + 1);
}

void
build_unused(struct build *b)
{
	const struct conf *c = b->c;
	size_t i;

	/* With errors around, the user may be among what was not read. */
	if (b->diags->nerror > 0)
		return;
	for (i = 0; i < c->nset; i++)
		if (!b->set_used[i])
			build_warn(b, &c->set[i].pos, "unused", NULL,
			    "prefix-set \"%s\" is never used", c->set[i].name);
	for (i = 0; i < c->nasset; i++)
		if (!b->asset_used[i])
			build_warn(b, &c->asset[i].pos, "unused", NULL,
			    "as-set \"%s\" is never used", c->asset[i].name);
	for (i = 0; i < c->ncommset; i++)
		if (!b->commset_used[i])
			build_warn(b, &c->commset[i].pos, "unused", NULL,
			    "community-set \"%s\" is never used",
			    c->commset[i].name);
	for (i = 0; i < c->npathset; i++)
		if (!b->pathset_used[i])
			build_warn(b, &c->pathset[i].pos, "unused", NULL,
			    "as-path-set \"%s\" is never used",
			    c->pathset[i].name);
	for (i = 0; i < c->ncommtable; i++)
		if (!b->commtable_used[i])
			build_warn(b, &c->commtable[i].pos, "unused", NULL,
			    "community-table \"%s\" is never used",
			    c->commtable[i].name);
	for (i = 0; i < c->npolicy; i++)
		if (!b->policy_used[i])
			build_warn(b, &c->policy[i].pos, "unused", NULL,
			    "policy \"%s\" is never used", c->policy[i].name);
}
