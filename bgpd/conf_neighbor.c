/* conf_neighbor.c -- templates and neighbors of the tree to struct conf. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bgpd/conf_build.h"
#include "bgpd/fsm/negotiate.h"
#include "lib/mem.h"
#include "policy/martian.h"

/* ---- templates --------------------------------------------------------- */

/* The word that a "no" is about: behind reject or require, if there. */
static size_t
no_word(const struct conf_node *n)
{
	return conf_word_is(n, 1, "reject") || conf_word_is(n, 1, "require")
	    ? 2
	    : 1;
}

static bool
is_no(const struct conf_node *n)
{
	return !n->bad && n->schema != NULL &&
	    strcmp(n->schema->name, "no") == 0;
}

bool
build_taken_away(const struct conf_node *b, const char *name)
{
	size_t i;

	for (i = 0; i < b->nchild; i++)
		if (is_no(b->child[i]) &&
		    conf_word_is(b->child[i], no_word(b->child[i]), name))
			return true;
	return false;
}

static struct conf_node *
same_row(const struct conf_node *b, const struct conf_schema *row)
{
	size_t i;

	for (i = 0; i < b->nchild; i++)
		if (b->child[i]->schema == row)
			return b->child[i];
	return NULL;
}

static size_t
find_word(const struct conf_node *n, const char *text)
{
	size_t i;

	for (i = 0; i < n->nword; i++)
		if (n->word[i].type == CT_LITERAL && conf_word_is(n, i, text))
			return i;
	return n->nword;
}

/* "max-prefix 400;" keeps the warn and the action that it does not say. */
static void
limit_inherit(struct conf_node *n, const struct conf_node *from)
{
	size_t action = find_word(from, "action");
	size_t warn = find_word(from, "warn"), i;
	struct conf_node out = { 0 };
	struct conf_word w;

	if (n->bad || from->bad)
		return;
	for (i = 0; i < n->nword; i++) {
		if (conf_word_is(n, i, "action") && warn < from->nword &&
		    find_word(n, "warn") == n->nword) {
			conf_word_copy(&w, &from->word[warn]);
			conf_node_word(&out, &w);
			conf_word_copy(&w, &from->word[warn + 1]);
			conf_node_word(&out, &w);
			warn = from->nword;
		}
		conf_node_word(&out, &n->word[i]);
	}
	free(n->word);
	n->word = out.word;
	n->nword = out.nword;
	if (find_word(n, "warn") == n->nword && warn < from->nword)
		for (i = warn; i < warn + 2; i++) {
			conf_word_copy(&w, &from->word[i]);
			conf_node_word(n, &w);
		}
	if (find_word(n, "action") == n->nword)
		for (i = action; i < from->nword; i++) {
			conf_word_copy(&w, &from->word[i]);
			conf_node_word(n, &w);
		}
}

static struct conf_node *
template_find(struct build *b, const struct conf_word *name)
{
	struct conf_node *t = conf_tree_top(b->tree, "template", name->text);

	if (t != NULL && !t->bad)
		return t;
	build_undefined(b, name, "template");
	return NULL;
}

/* The template's statements go before the neighbor's own, where it has none. */
static void
expand(struct build *b, struct conf_node *n, struct conf_neighbor *x)
{
	struct conf_node out = { 0 }, *t, *own, *copy;
	const struct conf_node *use = build_get(n, "use");
	size_t i;

	t = use != NULL ? template_find(b, &use->word[1]) : NULL;
	if (use != NULL)
		x->template = mem_strdup(use->word[1].text);
	for (i = 0; t != NULL && i < t->nchild; i++) {
		struct conf_node *c = t->child[i];

		if (c->schema == NULL || strcmp(c->schema->name, "use") == 0 ||
		    is_no(c) || build_taken_away(n, conf_word_text(c, 0)))
			continue;
		own = same_row(n, c->schema);
		if (own != NULL) {
			if (strncmp(c->schema->name, "max-prefix", 10) == 0)
				limit_inherit(own, c);
			continue;
		}
		copy = conf_node_copy(c);
		copy->inherited = true;
		conf_node_add(&out, copy);
	}
	for (i = 0; i < n->nchild; i++) {
		if (n->child[i] == use)
			conf_node_free(n->child[i]);
		else
			conf_node_add(&out, n->child[i]);
	}
	free(n->child);
	n->child = out.child;
	n->nchild = out.nchild;
	n->capchild = out.capchild;
}

/* What is wrong in a template itself, told once and not in each neighbor. */
static void
template_check(struct build *b, const struct conf_node *t)
{
	const struct conf_node *first =
	    conf_tree_top(b->tree, "template", t->word[1].text);
	size_t i;

	if (first != t)
		build_error(b, &t->word[1].pos, "twice", NULL,
		    "template \"%s\" is written twice (%s:%u)", t->word[1].text,
		    first->word[1].pos.file, first->word[1].pos.line);
	for (i = 0; i < t->nchild; i++) {
		const struct conf_node *c = t->child[i];

		if (c->bad || c->schema == NULL)
			continue;
		if (strcmp(c->schema->name, "use") == 0)
			build_error(b, &c->word[0].pos, "bad-template", NULL,
			    "a template cannot use another one");
		else if (is_no(c))
			build_error(b, &c->word[0].pos, "bad-template", NULL,
			    "\"no\" is for one neighbor, in the open: "
			    "write it there");
	}
}

/* ---- limits, guards ---------------------------------------------------- */

void
build_limit(
    struct build *b, const struct conf_node *n, size_t at, struct conf_limit *l)
{
	static const char *const name[] = { "warn", "discard", "freeze", "stop",
		"restart" };
	size_t i, k;

	l->max = (uint32_t)n->word[at].num;
	i = at + 1;
	if (conf_word_is(n, i, "warn")) {
		l->warn_pct = (uint8_t)n->word[i + 1].num;
		i += 2;
	}
	if (!conf_word_is(n, i, "action"))
		return;
	for (k = 0; k < 5; k++)
		if (conf_word_is(n, i + 1, name[k]))
			l->action = (uint8_t)k;
	l->time_s = i + 2 < n->nword ? (uint32_t)n->word[i + 2].num : 0;
	if (l->action == CONF_LIMIT_RESTART && l->time_s == 0)
		build_error(b, &n->word[i + 2].pos, "bad-value", NULL,
		    "\"restart\" needs a time of at least 1s");
}

static void
limits(struct build *b, const struct conf_node *n, struct conf_neighbor *x)
{
	static const char *const row[FAM_N] = { "max-prefix", "max-prefix inet",
		"max-prefix inet6" };
	static const char *const accepted[FAM_N] = { "max-prefix accepted",
		"max-prefix accepted inet", "max-prefix accepted inet6" };
	const struct conf_node *m;
	int f;

	x->limit[CONF_RECEIVED][FAM_NONE] = b->limit;
	for (f = FAM_NONE; f < FAM_N; f++) {
		struct conf_limit *l = &x->limit[CONF_RECEIVED][f];

		m = build_get(n, row[f]);
		if (m == NULL)
			continue;
		/* What a family's limit does not say is the session's. */
		*l = x->limit[CONF_RECEIVED][FAM_NONE];
		build_limit(b, m, f == FAM_NONE ? 1 : 2, l);
	}
	for (f = FAM_NONE; f < FAM_N; f++) {
		struct conf_limit *l = &x->limit[CONF_ACCEPTED][f];

		m = build_get(n, accepted[f]);
		if (m == NULL)
			continue;
		*l = x->limit[CONF_RECEIVED][FAM_NONE];
		build_limit(b, m, f == FAM_NONE ? 2 : 3, l);
	}
	x->limit[CONF_ANNOUNCED][FAM_NONE] = (struct conf_limit){
		.max = 64, .warn_pct = 80, .action = CONF_LIMIT_STOP
	};
	m = build_get(n, "send-max-prefix");
	if (m != NULL)
		x->limit[CONF_ANNOUNCED][FAM_NONE].max =
		    (uint32_t)m->word[1].num;
	if ((x->guard_off & GUARD_BIT(GUARD_MAX_PREFIX)) != 0)
		for (f = FAM_NONE; f < FAM_N; f++)
			x->limit[CONF_RECEIVED][f].max = 0;
}

static char *
no_guess(const char *word)
{
	const char *found = NULL;
	unsigned int best = 3, d;
	size_t i;

	for (i = GUARD_MAX_LENGTH; i < GUARD_N; i++) {
		d = conf_distance(word, reason_guard_word((enum guard)i));
		if (d < best) {
			best = d;
			found = reason_guard_word((enum guard)i);
		}
	}
	return found != NULL ? mem_printf("did you mean \"%s\"?", found) : NULL;
}

static void
no_statement(
    struct build *b, const struct conf_node *n, struct conf_neighbor *x)
{
	size_t at = no_word(n);
	const struct conf_word *w = &n->word[at];
	const char *why = n->nword > at + 1 ? n->word[at + 1].text : NULL;
	enum guard g = reason_guard_find(w->text);

	if (g == GUARD_MALFORMED) {
		build_error(b, &w->pos, "bad-value", NULL,
		    "what is malformed is always refused");
	} else if (g == GUARD_RPKI || g == GUARD_ASPA) {
		build_not_built(b, w);
	} else if (g != GUARD_NONE) {
		x->guard_off |= GUARD_BIT(g);
		free(x->guard_off_why[g]);
		x->guard_off_why[g] = why != NULL ? mem_strdup(why) : NULL;
	} else if (at == 1 &&
	    conf_schema_starts(conf_schema_rows("neighbor"), w->text)) {
		if (strcmp(w->text, "ttl-security") == 0) {
			free(x->no_ttl_security);
			x->no_ttl_security = mem_strdup(why != NULL ? why : "");
		}
	} else {
		build_error(b, &w->pos, "unknown-option", no_guess(w->text),
		    "\"no\": \"%s\" is neither a guard nor an option", w->text);
	}
}

/* ---- the rest of a neighbor -------------------------------------------- */

static uint32_t
number(const struct conf_node *b, const char *name, uint32_t def)
{
	const struct conf_node *n = build_get(b, name);

	return n != NULL ? (uint32_t)n->word[1].num : def;
}

static char *
text(const struct conf_node *b, const char *name)
{
	const struct conf_node *n = build_get(b, name);

	return n != NULL ? mem_strdup(conf_word_text(n, 1)) : NULL;
}

/* Why may the speaker not use the file; NULL: it may. */
static const char *
secret_fault(const struct conf_reader *r, const struct conf_file *f)
{
	if ((f->mode & 07) != 0)
		return "others may access it";
	if ((f->mode & 020) != 0)
		return "its group may write it";
	if ((f->mode & 050) != 0 && f->gid != r->gid)
		return "a group that is not the speaker's may read it";
	if (f->uid != 0 && f->uid != r->uid)
		return "its owner is neither root nor the speaker's user";
	return NULL;
}

static void
secret_take(struct build *b, const struct conf_word *w,
    const struct conf_file *f, struct conf_secret *s)
{
	const char *fault = secret_fault(b->r, f);
	size_t n = strcspn(f->data, "\r\n");

	if (fault != NULL)
		build_error(b, &w->pos, "open-secret", NULL,
		    "secret file \"%s\": %s (mode %04o)", w->text, fault,
		    (unsigned int)(f->mode & 07777));
	else if (n == 0 || n > sizeof(s->key))
		build_error(b, &w->pos, "bad-secret", NULL,
		    "secret file \"%s\": its first line has %zu octets, a key "
		    "has 1 to %zu",
		    w->text, n, sizeof(s->key));
	else {
		memcpy(s->key, f->data, n);
		s->len = (uint8_t)n;
	}
}

static void
secret_read(struct build *b, const struct conf_word *w, struct conf_secret *s)
{
	struct conf_file f = { 0 };
	char *path;
	int r;

	path = w->text[0] == '/'
	    ? mem_strdup(w->text)
	    : mem_printf("%s/%s", b->r->dir != NULL ? b->r->dir : ".", w->text);
	r = conf_file_read(b->r, path, &f);
	free(path);
	/* Another user may check the file; the speaker must have the key. */
	if ((r == -EACCES || r == -EPERM) && b->r->check)
		build_warn(b, &w->pos, "unreadable-secret", NULL,
		    "secret file \"%s\" cannot be read by this user", w->text);
	else if (r == -EXDEV)
		build_error(b, &w->pos, "outside", NULL,
		    "\"%s\" is outside of the configuration directory",
		    w->text);
	else if (r != 0)
		build_error(b, &w->pos, "unreadable", NULL,
		    "cannot read secret file \"%s\": %s", w->text,
		    strerror(-r));
	if (r != 0)
		return;
	secret_take(b, w, &f, s);
	explicit_bzero(f.data, f.len);
	free(f.data);
}

static void
md5(struct build *b, const struct conf_node *n, struct conf_neighbor *x)
{
	const struct conf_node *m = build_get(n, "tcp-md5");

	if (m == NULL)
		return;
	x->md5_file = mem_strdup(m->word[2].text);
	secret_read(b, &m->word[2], &x->md5);
}

static void
ao_key(struct build *b, const struct conf_node *m, struct conf_neighbor *x)
{
	struct conf_ao_key *k = &x->ao[x->nao];
	size_t at = find_word(m, "receive-id"), i;

	if (x->nao == CONF_AO_MAX) {
		build_error(b, &m->word[0].pos, "too-many", NULL,
		    "more than %d TCP-AO keys", CONF_AO_MAX);
		return;
	}
	k->send_id = (uint8_t)m->word[2].num;
	k->recv_id = at < m->nword ? (uint8_t)m->word[at + 1].num : k->send_id;
	at = find_word(m, "algorithm");
	k->cmac = at < m->nword && conf_word_is(m, at + 1, "aes-128-cmac");
	secret_read(b, &m->word[find_word(m, "secret-file") + 1], &k->key);
	for (i = 0; i < x->nao; i++)
		if (x->ao[i].send_id == k->send_id ||
		    x->ao[i].recv_id == k->recv_id)
			build_error(b, &m->word[2].pos, "twice", NULL,
			    "two TCP-AO keys have the same id");
	x->nao++;
}

static void
ao(struct build *b, const struct conf_node *n, struct conf_neighbor *x)
{
	size_t i;

	for (i = 0; i < n->nchild; i++) {
		const struct conf_node *m = n->child[i];

		if (m->bad || m->schema == NULL ||
		    strcmp(m->schema->name, "tcp-ao") != 0)
			continue;
		ao_key(b, m, x);
		if (x->md5_file != NULL)
			build_error(b, &m->word[0].pos, "two-keys", NULL,
			    "tcp-ao and tcp-md5 exclude each other");
	}
}

static void
families(const struct conf_node *n, struct conf_neighbor *x)
{
	const struct conf_node *m = build_get(n, "family");
	const struct conf_word *w;
	size_t i, count;

	if (m == NULL) {
		x->fam[x->addr.fam] = true;
		return;
	}
	w = &m->word[1];
	count = w->kind == WORD_LIST ? w->nitem : 1;
	for (i = 0; i < count; i++) {
		const char *s =
		    w->kind == WORD_LIST ? w->item[i].text : w->text;

		x->fam[strcmp(s, "inet") == 0 ? FAM_INET : FAM_INET6] = true;
	}
}

static void
capabilities(const struct conf_node *n, struct conf_neighbor *x)
{
	static const struct {
		const char *word;
		enum neg_req bit;
	} row[] = { { "as4", REQ_AS4 }, { "refresh", REQ_REFRESH },
		{ "enhanced-refresh", REQ_ENHANCED_REFRESH },
		{ "role", REQ_ROLE }, { "graceful-restart", REQ_GR },
		{ "extended-message", REQ_EXT_MSG }, { "inet", REQ_INET },
		{ "inet6", REQ_INET6 },
		{ "extended-next-hop", REQ_EXT_NEXTHOP } };
	const struct conf_node *m = build_get(n, "require capability");
	const struct conf_word *w;
	size_t i, k, count;

	if (m == NULL)
		return;
	w = &m->word[2];
	count = w->kind == WORD_LIST ? w->nitem : 1;
	for (i = 0; i < count; i++)
		for (k = 0; k < sizeof(row) / sizeof(row[0]); k++)
			if (strcmp(w->kind == WORD_LIST ? w->item[i].text
							: w->text,
				row[k].word) == 0)
				x->require |= 1u << row[k].bit;
}

static void
role(struct build *b, const struct conf_node *n, struct conf_neighbor *x)
{
	static const struct {
		const char *word;
		enum wire_role role;
	} row[] = { { "provider", ROLE_PROVIDER }, { "rs", ROLE_RS },
		{ "rs-client", ROLE_RS_CLIENT }, { "customer", ROLE_CUSTOMER },
		{ "peer", ROLE_PEER } };
	const struct conf_node *m = build_get(n, "role");
	size_t i;

	x->role = ROLE_NONE;
	if (m == NULL)
		return;
	for (i = 0; i < sizeof(row) / sizeof(row[0]); i++)
		if (conf_word_is(m, 1, row[i].word))
			x->role = (uint8_t)row[i].role;
	x->role_strict = m->nword > 2;
	if (x->internal)
		build_warn(b, &m->word[0].pos, "role-internal", NULL,
		    "a role has no meaning on an internal session");
}

static void
sets_of(struct build *b, const struct conf_node *n, struct conf_neighbor *x)
{
	const struct conf_node *m = build_get(n, "irr");
	const struct conf_set *s;
	char name[16];
	size_t i;

	if (m != NULL && conf_word_is(m, 1, "as-set")) {
		snprintf(name, sizeof(name), "AS%u", x->remote_as);
		x->irr = conf_set_find(b->c, name); /* conf_store.c made it */
		if (x->irr != NULL)
			b->set_used[x->irr - b->c->set] = true;
	} else if (m != NULL)
		x->irr = build_set(b, &m->word[2]);
	for (i = 0; i < n->nchild; i++) {
		m = n->child[i];
		if (m->bad || strcmp(m->schema->name, "allow") != 0)
			continue;
		s = build_set(b, &m->word[2]);
		if (s == NULL)
			continue;
		x->allow =
		    mem_realloc(x->allow, x->nallow + 1, sizeof(*x->allow));
		x->allow[x->nallow++] = s;
	}
	m = build_get(n, "import");
	if (m != NULL)
		x->import = build_policy(b, &m->word[2]);
	if (x->import != NULL &&
	    policy_acts(x->import->rules, ACT_NEXT_HOP_SELF))
		build_error(b, &m->word[2].pos, "bad-value", NULL,
		    "policy \"%s\" sets next-hop self, which is for export",
		    x->import->name);
	m = build_get(n, "export");
	if (m != NULL && m->nword > 2)
		x->export = build_policy(b, &m->word[2]);
}

static void
graceful_restart(
    struct build *b, const struct conf_node *n, struct conf_neighbor *x)
{
	const struct conf_node *m = build_get(n, "graceful-restart");
	const struct conf_fib *fib = &b->c->fib;

	x->gr = b->c->gr;
	for (size_t i = 0; m == NULL && i < n->nchild; i++)
		if (is_no(n->child[i]) &&
		    conf_word_is(n->child[i], 1, "graceful-restart"))
			x->gr.on = false;
	build_gr(m, &x->gr);
	if (m == NULL || !x->gr.on || !fib->keep ||
	    fib->keep_s >= x->gr.restart_s)
		return;
	/* The neighbor would send to us what the kernel has forgotten. */
	build_error(b, &m->word[0].pos, "keep-below-restart", NULL,
	    "neighbor %s waits %us for our restart, but the kernel keeps our "
	    "routes for %us only (fib: on-stop keep)",
	    n->word[1].text, x->gr.restart_s, fib->keep_s);
}

/* A statement of the row was written, though perhaps badly. */
static bool
written(const struct conf_node *b, const char *name)
{
	size_t i;

	for (i = 0; i < b->nchild; i++)
		if (b->child[i]->schema != NULL &&
		    strcmp(b->child[i]->schema->name, name) == 0)
			return true;
	return false;
}

static void
transport_check(
    struct build *b, const struct conf_node *n, const struct conf_neighbor *x)
{
	const struct conf_node *m = build_get(n, "local-address");
	const struct conf_node *t = build_get(n, "ttl-security");
	const struct conf_node *g = build_get(&b->tree->root, "global");

	if (m != NULL && x->local_addr.fam != x->addr.fam)
		build_error(b, &m->word[1].pos, "family-mismatch", NULL,
		    "local-address %s and neighbor %s are of two families",
		    m->word[1].text, n->word[1].text);
	else if (m != NULL && addr_eq(&x->local_addr, &x->addr))
		build_error(b, &m->word[1].pos, "bad-value", NULL,
		    "local-address is the neighbor's own address");
	if (t != NULL && x->multihop != 0)
		build_error(b, &t->word[0].pos, "ttl-multihop", NULL,
		    "neighbor %s: ttl-security and multihop exclude each "
		    "other; ttl-security N says how far it may be",
		    n->word[1].text);
	m = build_get(n, "multihop");
	if (m != NULL && x->enabled && x->fib && !x->internal &&
	    !b->c->fib.recursive &&
	    (x->guard_off & GUARD_BIT(GUARD_NEXT_HOP)) == 0)
		build_warn(b, &m->word[0].pos, "multihop-direct", NULL,
		    "neighbor %s is behind a router: its routes go to the "
		    "kernel only with \"fib { nexthop recursive; }\"",
		    n->word[1].text);
	m = build_get(n, "next-hop peer");
	if (m != NULL && x->next_hop_peer.fam == x->addr.fam)
		build_error(b, &m->word[2].pos, "family-mismatch", NULL,
		    "next-hop peer is for the other family than the session's");
	m = build_get(n, "next-hop self");
	if (m != NULL && x->next_hop_self.fam == x->addr.fam)
		build_error(b, &m->word[2].pos, "family-mismatch", NULL,
		    "next-hop self is for the other family than the session's");
	m = build_get(n, "extended-next-hop");
	if (m != NULL && x->ext_nexthop &&
	    (x->addr.fam != FAM_INET6 || !x->fam[FAM_INET]))
		build_error(b, &m->word[0].pos, "family-mismatch", NULL,
		    "extended-next-hop is for family inet over a session of "
		    "IPv6 addresses");
	m = build_get(n, "passive");
	if (m != NULL && x->passive && b->c->nlisten == 0 && g != NULL &&
	    !written(g, "listen"))
		build_warn(b, &m->word[0].pos, "passive-deaf", NULL,
		    "nobody dials: the neighbor is passive and global has no "
		    "\"listen\"");
	m = build_get(n, "hold-time");
	if (m == NULL)
		m = build_get(n, "hold-time-min");
	if (m != NULL && (m->word[1].num == 1 || m->word[1].num == 2))
		build_error(b, &m->word[1].pos, "bad-value", NULL,
		    "\"%s\" must be 0s or at least 3s", m->schema->name);
	else if (m != NULL && x->hold_s < x->hold_min_s)
		build_error(b, &m->word[1].pos, "hold-below-min", NULL,
		    "hold-time %us is below hold-time-min %us", x->hold_s,
		    x->hold_min_s);
}

/* RFC 8212 and the guards: what a neighbor lacks to import and announce. */
static void
policy_check(
    struct build *b, const struct conf_node *n, const struct conf_neighbor *x)
{
	const struct conf_pos *at = &n->word[1].pos;
	const char *name = n->word[1].text;
	bool irr = (x->guard_off & GUARD_BIT(GUARD_IRR)) == 0;

	if (x->internal)
		return;
	if (!written(n, "import"))
		build_warn(b, at, "no-policy", NULL,
		    "neighbor %s imports nothing: it has no import policy",
		    name);
	else if (irr && !written(n, "irr"))
		build_warn(b, at, "no-set", NULL,
		    "neighbor %s imports nothing: it has no prefix set (irr)",
		    name);
	else if (irr && x->irr != NULL && x->irr->entries == 0)
		build_warn(b, at, "no-set", NULL,
		    "neighbor %s imports nothing until prefix-set \"%s\" is "
		    "loaded",
		    name, x->irr->name);
	if (!written(n, "export"))
		build_warn(b, at, "no-policy", NULL,
		    "neighbor %s is told nothing: it has no export policy",
		    name);
}

static void
as_check(
    struct build *b, const struct conf_node *n, const struct conf_neighbor *x)
{
	const struct conf_node *m = build_get(n, "remote-as");
	enum martian_asn kind;

	if (m == NULL) {
		if (!written(n, "remote-as"))
			build_error(b, &n->word[1].pos, "missing-option", NULL,
			    "neighbor %s needs \"remote-as\"", n->word[1].text);
		return;
	}
	if (x->internal)
		return;
	kind = martian_asn(x->remote_as);
	if (kind == ASN_TRANS)
		build_error(b, &m->word[1].pos, "bad-value", NULL,
		    "AS 23456 is nobody's (RFC 6793)");
	else if (b->c->lab_mode && kind == ASN_PUBLIC)
		build_error(b, &m->word[1].pos, "lab-public", NULL,
		    "lab-mode and a neighbor with the public AS %u exclude "
		    "each other",
		    x->remote_as);
	else if (!martian_asn_ok(x->remote_as, b->c->lab_mode) &&
	    (x->guard_off & GUARD_BIT(GUARD_PUBLIC_ASN)) == 0)
		build_warn(b, &m->word[1].pos, "asn-not-public", NULL,
		    "AS %u is %s: all routes of neighbor %s are refused",
		    x->remote_as, martian_asn_name(kind), n->word[1].text);
}

static void
fill(struct build *b, struct conf_node *n, struct conf_neighbor *x)
{
	const struct conf_node *m;
	size_t i;

	expand(b, n, x);
	x->remote_as = number(n, "remote-as", 0);
	x->internal = x->remote_as != 0 && x->remote_as == b->c->as;
	x->description = text(n, "description");
	x->name = mem_strdup(
	    x->description != NULL ? x->description : n->word[1].text);
	x->group = text(n, "group");
	m = build_get(n, "local-address");
	if (m != NULL)
		x->local_addr = m->word[1].addr;
	m = build_get(n, "next-hop peer");
	if (m != NULL)
		x->next_hop_peer = m->word[2].addr;
	m = build_get(n, "next-hop self");
	if (m != NULL)
		x->next_hop_self = m->word[2].addr;
	families(n, x);
	x->passive = number(n, "passive", 0) != 0;
	x->enabled = number(n, "enabled", 1) != 0;
	x->hold_s = (uint16_t)number(n, "hold-time", b->c->hold_s);
	x->hold_min_s = (uint16_t)number(n, "hold-time-min", b->c->hold_min_s);
	x->connect_retry_s = number(n, "connect-retry", b->c->connect_retry_s);
	x->multihop = (uint8_t)number(n, "multihop", 0);
	x->ttl_security = (uint8_t)number(n, "ttl-security", 0);
	x->weight = (uint16_t)number(n, "weight", 0);
	x->delay_open_s = number(n, "delay-open", 0);
	m = build_get(n, "graceful-shutdown");
	x->honour_gshut = m == NULL || conf_word_is(m, 1, "honor");
	x->ext_msg = number(n, "extended-message", 1) != 0;
	x->ext_nexthop = number(n, "extended-next-hop", 0) != 0;
	x->fib = number(n, "fib", 1) != 0;
	for (i = 0; i < n->nchild; i++)
		if (is_no(n->child[i]))
			no_statement(b, n->child[i], x);
	graceful_restart(b, n, x);
	md5(b, n, x);
	ao(b, n, x);
	role(b, n, x);
	capabilities(n, x);
	limits(b, n, x);
	sets_of(b, n, x);
	as_check(b, n, x);
	transport_check(b, n, x);
	policy_check(b, n, x);
}

void
build_neighbors(struct build *b)
{
	struct conf_node *root = &b->tree->root;
	struct conf *c = b->c;
	const struct conf_neighbor *old;
	struct conf_neighbor *x;
	size_t i, at;

	for (i = 0; i < root->nchild; i++) {
		struct conf_node *n = root->child[i];

		if (n->bad || n->schema == NULL)
			continue;
		if (strcmp(n->schema->name, "template") == 0)
			template_check(b, n);
		if (strcmp(n->schema->name, "neighbor") != 0)
			continue;
		old = conf_neighbor_find(c, &n->word[1].addr);
		if (old != NULL) {
			build_error(b, &n->word[1].pos, "twice", NULL,
			    "neighbor %s is written twice (%s:%u)",
			    n->word[1].text, old->pos.file, old->pos.line);
			continue;
		}
		if (!addr_is_host(&n->word[1].addr) ||
		    addr_is_linklocal(&n->word[1].addr)) {
			build_error(b, &n->word[1].pos, "bad-value", NULL,
			    "\"%s\" cannot be a neighbor's address: %s",
			    n->word[1].text,
			    addr_is_linklocal(&n->word[1].addr)
				? "it is link-local; write the other one that "
				  "the router has on the link"
				: "it is that of no single router");
			continue;
		}
		if (c->nneighbor == CONF_NEIGHBORS_MAX) {
			build_error(b, &n->word[1].pos, "too-many", NULL,
			    "neighbor %s is one more than the %d that one "
			    "speaker may have",
			    n->word[1].text, CONF_NEIGHBORS_MAX);
			return;
		}
		c->neighbor = mem_realloc(
		    c->neighbor, c->nneighbor + 1, sizeof(*c->neighbor));
		c->by_addr = mem_realloc(
		    c->by_addr, c->nneighbor + 1, sizeof(*c->by_addr));
		at = build_neighbor_place(c, &n->word[1].addr);
		memmove(&c->by_addr[at + 1], &c->by_addr[at],
		    (c->nneighbor - at) * sizeof(*c->by_addr));
		c->by_addr[at] = (uint32_t)c->nneighbor;
		x = &c->neighbor[c->nneighbor++];
		*x = (struct conf_neighbor){ .addr = n->word[1].addr,
			.pos = n->word[1].pos };
		fill(b, n, x);
	}
}
