/*
 * conf_diff.c -- two configurations: what changes, and what that does.  The
 * effect of a statement is its row's flag; what is behind a name (a set, a
 * policy) is compared by content, so that a neighbor is only touched by what
 * it uses.
 */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "bgpd/conf_tree.h"
#include "lib/mem.h"
#include "policy/asnset.h"
#include "policy/pfxset.h"

enum {
	SET_COMPARED = 4096 /* entries of a set */
};

enum answer {
	NOT_ASKED,
	SAME,
	OTHER
};

struct cmp {
	const struct conf *old, *new;
	struct conf_diff *d;
	uint8_t *policy; /* enum answer, of the new ones: many name one */
};

static void say(struct conf_diff *d, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

static void
say(struct conf_diff *d, const char *fmt, ...)
{
	va_list ap;
	char *s;

	va_start(ap, fmt);
	if (vasprintf(&s, fmt, ap) < 0)
		abort();
	va_end(ap);
	d->line = mem_realloc(d->line, d->nline + 1, sizeof(*d->line));
	d->line[d->nline++] = s;
}

/* ---- text of statements ------------------------------------------------ */

/* All statements of the row in the block, one after the other; allocated. */
static char *
row_text(const struct conf_node *b, const struct conf_schema *row)
{
	char *buf = NULL, *s;
	size_t size = 0, i;
	FILE *f = open_memstream(&buf, &size);

	if (f == NULL)
		abort();
	for (i = 0; b != NULL && i < b->nchild; i++) {
		if (b->child[i]->schema != row)
			continue;
		s = conf_print_node(b->child[i]);
		s[strcspn(s, "\n")] = b->child[i]->block ? '\n' : '\0';
		fprintf(f, "%s%s", ftell(f) > 0 ? " " : "", s);
		free(s);
	}
	fclose(f);
	return buf;
}

static const char *
effect(unsigned int flags)
{
	if ((flags & CF_RESTART) != 0)
		return "needs a restart of the daemon";
	if ((flags & CF_RESETS) != 0)
		return "the session bounces";
	return "live";
}

/* Does it say what holds without it? */
static bool
is_default(const struct conf_schema *row, const char *s)
{
	size_t n = strlen(row->name);

	if (s[0] == '\0')
		return true;
	if (row->def == NULL || (row->flags & CF_MULTI) != 0 ||
	    strncmp(s, row->name, n) != 0)
		return false;
	s += n + (row->def[0] != '\0');
	n = strlen(row->def);
	return strncmp(s, row->def, n) == 0 && strcmp(s + n, ";") == 0;
}

/* Compares the rows of a block; the flags of those that differ. */
static unsigned int
diff_block(struct cmp *x, const char *path, const char *title,
    const struct conf_node *old, const struct conf_node *new)
{
	unsigned int flags = 0;
	char *a, *b;
	size_t i;

	for (i = 0; i < conf_schema_n; i++) {
		const struct conf_schema *row = &conf_schema[i];

		if (strcmp(row->path, path) != 0)
			continue;
		a = row_text(old, row);
		b = row_text(new, row);
		if (strcmp(a, b) != 0 &&
		    !(is_default(row, a) && is_default(row, b))) {
			/* The high bit: something differs at all. */
			flags |= row->flags | 1u << 31;
			say(x->d, "%s: %s%s%s%s (%s)", title,
			    a[0] != '\0' ? a : "+", a[0] != '\0' ? " " : " ",
			    b[0] == '\0'       ? "is removed"
				: a[0] != '\0' ? "becomes "
					       : "",
			    b, effect(row->flags));
		}
		free(a);
		free(b);
	}
	return flags;
}

static const struct conf_node *
top(const struct conf *c, const char *kind, const char *name)
{
	const struct conf_node *root = &c->tree->root;

	if (name != NULL)
		return conf_tree_top(c->tree, kind, name);
	for (size_t i = 0; i < root->nchild; i++)
		if (root->child[i]->schema != NULL &&
		    strcmp(root->child[i]->schema->name, kind) == 0)
			return root->child[i];
	return NULL;
}

/* ---- sets and policies ------------------------------------------------- */

static bool
pfxset_same(const struct pfxset *a, const struct pfxset *b)
{
	struct pfxset_entry ea = { 0 }, eb = { 0 };
	const struct asnset *oa, *ob;
	bool na, nb;
	size_t i;

	if (a == NULL || b == NULL)
		return a == b;
	if (pfxset_shares(a, b))
		return true;
	do {
		na = pfxset_next(a, &ea);
		nb = pfxset_next(b, &eb);
		if (na != nb)
			return false;
		if (na &&
		    (!pfx_eq(&ea.pfx, &eb.pfx) || ea.lo != eb.lo ||
			ea.hi != eb.hi))
			return false;
	} while (na);
	oa = pfxset_origins(a);
	ob = pfxset_origins(b);
	if (oa == NULL || ob == NULL)
		return oa == ob;
	if (asnset_count(oa) != asnset_count(ob))
		return false;
	for (i = 0; i < asnset_count(oa); i++)
		if (asnset_at(oa, i) != asnset_at(ob, i))
			return false;
	return true;
}

/*
 * One that was read again and is large is not compared entry by entry, which
 * would take long: it counts as another, and its users look again.
 */
static bool
set_same(const struct cmp *x, const char *name)
{
	const struct conf_set *a = conf_set_find(x->old, name);
	const struct conf_set *b = conf_set_find(x->new, name);

	if (a == NULL || b == NULL)
		return a == b;
	if (pfxset_shares(a->set, b->set))
		return true;
	return a->entries == b->entries && a->entries <= SET_COMPARED &&
	    pfxset_same(a->set, b->set);
}

/* Blocks whose text is their content. */
static bool
text_same(const struct cmp *x, const char *kind, const char *name)
{
	return conf_same_node(top(x->old, kind, name), top(x->new, kind, name));
}

/* Is what the statement of a rule names, as its last word, still the same? */
static bool
name_same(const struct cmp *x, const struct conf_node *m)
{
	const char *name = conf_word_text(m, m->nword - 1);

	if (conf_word_is(m, 0, "apply"))
		return text_same(x, "community-table", name);
	if (conf_word_is(m, 1, "prefix"))
		return set_same(x, name);
	if (m->nword > 3 && conf_word_is(m, m->nword - 2, "as-set"))
		return text_same(x, "as-set", name);
	if (!conf_word_is(m, 2, "in"))
		return true;
	return text_same(x,
	    conf_word_is(m, 1, "as-path") ? "as-path-set" : "community-set",
	    name);
}

static bool
names_same(const struct cmp *x, const struct conf_node *rule)
{
	size_t i;

	for (i = 0; i < rule->nchild; i++)
		if (!name_same(x, rule->child[i]))
			return false;
	return true;
}

static bool
policy_same(const struct cmp *x, const char *name)
{
	const struct conf_node *n = top(x->new, "policy", name);
	size_t i;

	if (!text_same(x, "policy", name))
		return false;
	for (i = 0; n != NULL && i < n->nchild; i++)
		if (!names_same(x, n->child[i]))
			return false;
	return true;
}

static bool
policy_ref_same(const struct cmp *x, const struct conf_policy *a,
    const struct conf_policy *b)
{
	uint8_t *known;

	if (a == NULL || b == NULL)
		return a == b;
	if (strcmp(a->name, b->name) != 0)
		return false;
	known = &x->policy[b - x->new->policy];
	if (*known == NOT_ASKED)
		*known = policy_same(x, a->name) ? SAME : OTHER;
	return *known == SAME;
}

static bool
set_ref_same(
    const struct cmp *x, const struct conf_set *a, const struct conf_set *b)
{
	if (a == NULL || b == NULL)
		return a == b;
	return strcmp(a->name, b->name) == 0 && set_same(x, a->name);
}

/* Its entries are no statements of the block: they are its content. */
static void
diff_set_block(
    struct cmp *x, const struct conf_node *a, const struct conf_node *b)
{
	char *title;

	if (a->nchild == 0 && b->nchild == 0)
		return;
	title = mem_printf("prefix-set %s", conf_word_text(b, 1));
	diff_block(x, "prefix-set", title, a, b);
	free(title);
}

static void
diff_sets(struct cmp *x)
{
	const struct conf_set *a;
	size_t i;

	for (i = 0; i < x->new->nset; i++) {
		const struct conf_set *b = &x->new->set[i];

		a = conf_set_find(x->old, b->name);
		if (a != NULL)
			diff_set_block(x, a->block, b->block);
		if (a != NULL && set_same(x, b->name))
			continue;
		x->d->policies = true;
		if (a == NULL)
			say(x->d, "prefix-set %s is added (%zu prefixes)",
			    b->name, b->entries);
		else
			say(x->d,
			    "prefix-set %s changes: %zu prefixes become %zu",
			    b->name, a->entries, b->entries);
	}
	for (i = 0; i < x->old->nset; i++)
		if (conf_set_find(x->new, x->old->set[i].name) == NULL) {
			x->d->policies = true;
			say(x->d, "prefix-set %s is removed",
			    x->old->set[i].name);
		}
}

/* Named blocks of one kind that are added, removed or read differently. */
static bool
diff_named(struct cmp *x, const char *kind)
{
	const struct conf_node *root;
	const char *what;
	bool any = false;
	char *s;
	size_t i;
	int pass;

	for (pass = 0; pass < 2; pass++) {
		root = pass == 0 ? &x->new->tree->root : &x->old->tree->root;
		for (i = 0; i < root->nchild; i++) {
			const struct conf_node *n = root->child[i];

			if (n->schema == NULL ||
			    strcmp(n->schema->name, kind) != 0)
				continue;
			s = conf_node_print(n);
			what = NULL;
			if (top(pass == 0 ? x->old : x->new, kind,
				s + strlen(kind) + 1) == NULL)
				what = pass == 0 ? "is added" : "is removed";
			else if (pass == 0 &&
			    !text_same(x, kind, s + strlen(kind) + 1))
				what = "changes";
			if (what != NULL) {
				say(x->d, "%s %s", s, what);
				any = true;
			}
			free(s);
		}
	}
	return any;
}

/* ---- neighbors --------------------------------------------------------- */

static struct conf_diff_neighbor *
neighbor_line(struct conf_diff *d, const struct conf_neighbor *n,
    enum conf_diff_what what)
{
	struct conf_diff_neighbor *r;

	d->neighbor =
	    mem_realloc(d->neighbor, d->nneighbor + 1, sizeof(*d->neighbor));
	r = &d->neighbor[d->nneighbor++];
	*r = (struct conf_diff_neighbor){ .addr = n->addr, .what = what };
	return r;
}

static bool
key_same(struct cmp *x, const struct conf_neighbor *a,
    const struct conf_neighbor *b, const char *title)
{
	if (a->md5.len == b->md5.len &&
	    memcmp(a->md5.key, b->md5.key, sizeof(a->md5.key)) == 0 &&
	    a->nao == b->nao && memcmp(a->ao, b->ao, sizeof(a->ao)) == 0)
		return true;
	if (a->nao > 0 && b->nao > 0)
		say(x->d, "%s: the TCP-AO keys change", title);
	if (a->md5_file != NULL && b->md5_file != NULL)
		say(x->d, "%s: the TCP MD5 key changes", title);
	return false;
}

/* An id that is in both has the same key: the kernel replaces none. */
static bool
ao_ids_same(const struct conf_neighbor *a, const struct conf_neighbor *b)
{
	size_t i, k;

	for (i = 0; i < a->nao; i++)
		for (k = 0; k < b->nao; k++)
			if ((a->ao[i].send_id == b->ao[k].send_id ||
				a->ao[i].recv_id == b->ao[k].recv_id) &&
			    memcmp(&a->ao[i], &b->ao[k], sizeof(a->ao[i])) != 0)
				return false;
	return true;
}

static bool
gr_same(const struct conf_gr *a, const struct conf_gr *b)
{
	return a->on == b->on &&
	    (!a->on ||
		(a->notification == b->notification &&
		    a->restart_s == b->restart_s && a->stale_s == b->stale_s));
}

/* What the session was made with, where no row of its own says it. */
static bool
session_same(struct cmp *x, const struct conf_neighbor *a,
    const struct conf_neighbor *b, const char *title)
{
	/* A connection cannot begin or cease to be signed. */
	if ((a->md5_file != NULL) != (b->md5_file != NULL)) {
		say(x->d, "%s: TCP MD5 %s (the session bounces)", title,
		    a->md5_file != NULL ? "ends" : "begins");
		return false;
	}
	if ((a->nao > 0) != (b->nao > 0)) {
		say(x->d, "%s: TCP-AO %s (the session bounces)", title,
		    a->nao > 0 ? "ends" : "begins");
		return false;
	}
	if (!ao_ids_same(a, b)) {
		say(x->d,
		    "%s: a TCP-AO key becomes another under its old id (the "
		    "session bounces; a new id would keep it)",
		    title);
		return false;
	}
	return a->hold_s == b->hold_s && a->hold_min_s == b->hold_min_s &&
	    gr_same(&a->gr, &b->gr) && x->old->as == x->new->as &&
	    x->old->router_id == x->new->router_id;
}

static bool
import_same(const struct cmp *x, const struct conf_neighbor *a,
    const struct conf_neighbor *b)
{
	size_t i;

	if (!policy_ref_same(x, a->import, b->import) ||
	    !set_ref_same(x, a->irr, b->irr) || a->nallow != b->nallow)
		return false;
	for (i = 0; i < a->nallow; i++)
		if (!set_ref_same(x, a->allow[i], b->allow[i]))
			return false;
	return memcmp(a->limit, b->limit, sizeof(a->limit)) == 0;
}

static void
diff_neighbor(struct cmp *x, const struct conf_neighbor *a,
    const struct conf_neighbor *b, unsigned int common)
{
	struct conf_diff_neighbor r = { .addr = b->addr };
	const struct conf_node *na, *nb;
	char buf[ADDR_STRLEN], *title;
	unsigned int flags = 0;

	addr_print(&b->addr, buf, sizeof(buf));
	na = top(x->old, "neighbor", buf);
	nb = top(x->new, "neighbor", buf);
	title = mem_printf("neighbor %s", buf);
	if (!conf_same_node(na, nb))
		flags = diff_block(x, "neighbor", title, na, nb);
	if (!session_same(x, a, b, title))
		flags |= CF_RESETS;
	if (!import_same(x, a, b))
		flags |= CF_IMPORT;
	if (!policy_ref_same(x, a->export, b->export))
		flags |= CF_EXPORT;
	flags |= common;
	r.key = !key_same(x, a, b, title);
	free(title);
	if (flags == 0 && !r.key)
		return;
	r.what = (flags & CF_RESETS) != 0 ? CONF_RESET : CONF_LIVE;
	r.policy = (flags & CF_IMPORT) != 0;
	r.export = (flags & CF_EXPORT) != 0;
	*neighbor_line(x->d, b, r.what) = r;
}

static void
diff_neighbors(struct cmp *x, unsigned int common)
{
	char buf[ADDR_STRLEN];
	const struct conf_neighbor *a;
	size_t i;

	for (i = 0; i < x->old->nneighbor; i++) {
		a = &x->old->neighbor[i];
		if (conf_neighbor_find(x->new, &a->addr) != NULL)
			continue;
		neighbor_line(x->d, a, CONF_REMOVED);
		say(x->d, "neighbor %s is removed: its session ends",
		    addr_print(&a->addr, buf, sizeof(buf)));
	}
	for (i = 0; i < x->new->nneighbor; i++) {
		const struct conf_neighbor *b = &x->new->neighbor[i];

		a = conf_neighbor_find(x->old, &b->addr);
		if (a != NULL) {
			diff_neighbor(x, a, b, common);
			continue;
		}
		neighbor_line(x->d, b, CONF_ADDED);
		say(x->d, "neighbor %s is added",
		    addr_print(&b->addr, buf, sizeof(buf)));
	}
}

void
conf_diff(const struct conf *old, const struct conf *new, struct conf_diff *d)
{
	struct cmp x = { .old = old, .new = new, .d = d };
	unsigned int flags, common = 0;

	*d = (struct conf_diff){ 0 };
	x.policy = mem_alloc(new->npolicy + 1);
	flags = diff_block(&x, "global", "global", top(old, "global", NULL),
	    top(new, "global", NULL));
	d->global = flags != 0;
	/* What has a default here is the neighbors': one with its own does not
	 * bounce. */
	common |= flags & CF_IMPORT;
	d->log = diff_block(&x, "log", "log", top(old, "log", NULL),
		     top(new, "log", NULL)) != 0;
	d->control =
	    diff_block(&x, "control", "control", top(old, "control", NULL),
		top(new, "control", NULL)) != 0;
	d->fib = diff_block(&x, "fib", "fib", top(old, "fib", NULL),
		     top(new, "fib", NULL)) != 0;
	flags = diff_block(&x, "drain", "drain", top(old, "drain", NULL),
	    top(new, "drain", NULL));
	common |= flags & CF_EXPORT;
	diff_block(&x, "maintenance", "maintenance",
	    top(old, "maintenance", NULL), top(new, "maintenance", NULL));
	flags = diff_block(&x, "peering-policy", "peering-policy",
	    top(old, "peering-policy", NULL), top(new, "peering-policy", NULL));
	if (flags != 0) {
		d->policies = true;
		common |= CF_IMPORT;
	}
	diff_block(&x, "filter-store", "filter-store",
	    top(old, "filter-store", NULL), top(new, "filter-store", NULL));
	diff_sets(&x);
	d->policies |= diff_named(&x, "as-set");
	d->policies |= diff_named(&x, "as-path-set");
	d->policies |= diff_named(&x, "community-set");
	d->policies |= diff_named(&x, "community-table");
	d->policies |= diff_named(&x, "policy");
	d->networks = diff_named(&x, "network");
	diff_named(&x, "track");
	diff_block(&x, "announcements", "announcements",
	    top(old, "announcements", NULL), top(new, "announcements", NULL));
	if (!pfxset_same(old->own, new->own))
		common |= CF_IMPORT | CF_EXPORT;
	if (d->networks)
		common |= CF_EXPORT;
	if (new->transit_free != NULL &&
	    !text_same(&x, "as-set", new->transit_free->name))
		common |= CF_IMPORT;
	diff_neighbors(&x, common);
	free(x.policy);
}

void
conf_diff_fini(struct conf_diff *d)
{
	size_t i;

	for (i = 0; i < d->nline; i++)
		free(d->line[i]);
	free(d->line);
	free(d->neighbor);
	*d = (struct conf_diff){ 0 };
}
