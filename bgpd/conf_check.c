/* conf_check.c -- the checked tree to struct conf: what is global. */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "bgpd/conf_build.h"
#include "bgpd/conf_set.h"
#include "lib/mem.h"
#include "lib/trie.h"
#include "policy/asnset.h"
#include "policy/asregex.h"
#include "policy/martian.h"
#include "policy/pfxset.h"

/* ---- helpers ----------------------------------------------------------- */

const struct conf_node *
build_get(const struct conf_node *b, const char *name)
{
	size_t i;

	for (i = 0; b != NULL && i < b->nchild; i++)
		if (!b->child[i]->bad && b->child[i]->schema != NULL &&
		    strcmp(b->child[i]->schema->name, name) == 0)
			return b->child[i];
	return NULL;
}

/* A top-level block "NAME" of that kind that was told to be bad: what names
 * it need not be told of. */
static bool
was_bad(const struct build *b, const char *kind, const char *name)
{
	const struct conf_node *root = &b->tree->root;
	size_t i;

	for (i = 0; i < root->nchild; i++) {
		const struct conf_node *n = root->child[i];

		if (n->bad && strcmp(conf_word_text(n, 1), name) == 0 &&
		    (n->schema == NULL || strcmp(n->schema->name, kind) == 0))
			return true;
	}
	return false;
}

static char *
vformat(const char *fmt, va_list ap)
{
	char *s;

	if (vasprintf(&s, fmt, ap) < 0)
		abort();
	return s;
}

void
build_error(struct build *b, const struct conf_pos *at, const char *code,
    char *hint, const char *fmt, ...)
{
	va_list ap;
	char *s;

	va_start(ap, fmt);
	s = vformat(fmt, ap);
	va_end(ap);
	diag_add(b->diags, b->tree, DIAG_ERROR, at, code, hint, "%s", s);
	free(s);
}

void
build_warn(struct build *b, const struct conf_pos *at, const char *code,
    char *hint, const char *fmt, ...)
{
	va_list ap;
	char *s;

	va_start(ap, fmt);
	s = vformat(fmt, ap);
	va_end(ap);
	diag_add(b->diags, b->tree, DIAG_WARNING, at, code, hint, "%s", s);
	free(s);
}

void
build_not_built(struct build *b, const struct conf_word *w)
{
	build_error(b, &w->pos, "not-built", NULL,
	    "\"%s\" is known, but this version does not have it yet; "
	    "remove it or comment it out",
	    w->text);
}

/* "did you mean ...", where that is near, or NULL. */
static char *
guess(const char *name, const char *found, const struct conf_pos *at)
{
	unsigned int d = conf_distance(name, found);

	if (d > 2 || d >= strlen(name))
		return NULL;
	return mem_printf(
	    "did you mean \"%s\" (%s:%u)?", found, at->file, at->line);
}

void
build_undefined(struct build *b, const struct conf_word *w, const char *kind)
{
	const struct conf_node *root = &b->tree->root;
	char *hint = NULL;
	size_t i;

	if (was_bad(b, kind, w->text))
		return;
	for (i = 0; i < root->nchild && hint == NULL; i++) {
		const struct conf_node *n = root->child[i];

		if (n->schema != NULL && strcmp(n->schema->name, kind) == 0 &&
		    n->nword > 1)
			hint = guess(
			    w->text, conf_word_text(n, 1), &n->word[1].pos);
	}
	build_error(b, &w->pos, "undefined", hint, "%s \"%s\" is not defined",
	    kind, w->text);
}

static uint64_t
number(const struct conf_node *b, const char *name, size_t word, uint64_t def)
{
	const struct conf_node *n = build_get(b, name);

	return n != NULL ? n->word[word].num : def;
}

static char *
text(const struct conf_node *b, const char *name)
{
	const struct conf_node *n = build_get(b, name);

	return n != NULL ? mem_strdup(conf_word_text(n, 1)) : NULL;
}

/* Is the path in the directory (or below)?  Without one all are. */
static bool
below(const char *path, const char *dir)
{
	size_t n;

	if (dir == NULL)
		return true;
	n = strlen(dir);
	while (n > 1 && dir[n - 1] == '/')
		n--;
	return strncmp(path, dir, n) == 0 && path[n] == '/' &&
	    strstr(path + n, "/../") == NULL;
}

/* ---- global ------------------------------------------------------------ */

static void
listens(struct build *b, const struct conf_node *g)
{
	struct conf *c = b->c;
	size_t i, k;

	for (i = 0; g != NULL && i < g->nchild; i++) {
		const struct conf_node *n = g->child[i];
		struct conf_listen l;

		if (n->bad || n->schema == NULL ||
		    strcmp(n->schema->name, "listen") != 0)
			continue;
		l = (struct conf_listen){ .addr = n->word[1].addr,
			.port = n->nword > 3 ? (uint16_t)n->word[3].num : 0,
			.pos = n->word[1].pos };
		for (k = 0; k < c->nlisten; k++)
			if (addr_eq(&c->listen[k].addr, &l.addr) &&
			    c->listen[k].port == l.port)
				break;
		if (k < c->nlisten) {
			build_error(b, &l.pos, "twice", NULL,
			    "two \"listen\" on one address and port (%s:%u)",
			    c->listen[k].pos.file, c->listen[k].pos.line);
			continue;
		}
		if (addr_is_multicast(&l.addr) || addr_is_v4mapped(&l.addr) ||
		    addr_is_linklocal(&l.addr)) {
			build_error(b, &l.pos, "bad-value", NULL,
			    "\"%s\" is no address to listen on",
			    n->word[1].text);
			continue;
		}
		c->listen =
		    mem_realloc(c->listen, c->nlisten + 1, sizeof(*c->listen));
		c->listen[c->nlisten++] = l;
	}
}

/* RFC 4271 4.2: a hold time is 0 or at least 3 seconds. */
static void
hold_check(struct build *b, const struct conf_node *n)
{
	if (n != NULL && (n->word[1].num == 1 || n->word[1].num == 2))
		build_error(b, &n->word[1].pos, "bad-value", NULL,
		    "\"%s\" must be 0s or at least 3s", n->schema->name);
}

static void
global(struct build *b)
{
	const struct conf_node *g = build_get(&b->tree->root, "global"), *n;
	struct conf *c = b->c;

	c->as = (uint32_t)number(g, "as", 1, 0);
	if (c->as == WIRE_AS_TRANS)
		build_error(b, &build_get(g, "as")->word[1].pos, "bad-value",
		    NULL, "AS 23456 is nobody's (RFC 6793)");
	n = build_get(g, "router-id");
	if (n != NULL) {
		c->router_id = addr_to_v4(&n->word[1].addr);
		/* RFC 6286 2.1: any number but 0. */
		if (c->router_id == 0)
			build_error(b, &n->word[1].pos, "bad-value", NULL,
			    "the router-id cannot be 0.0.0.0");
	}
	c->hostname = text(g, "hostname");
	listens(b, g);
	c->hold_s = (uint16_t)number(g, "hold-time", 1, 90);
	c->hold_min_s = (uint16_t)number(g, "hold-time-min", 1, 9);
	hold_check(b, build_get(g, "hold-time"));
	hold_check(b, build_get(g, "hold-time-min"));
	n = build_get(g, "hold-time");
	if (n == NULL)
		n = build_get(g, "hold-time-min");
	if (n != NULL && c->hold_s < c->hold_min_s && c->hold_s != 1 &&
	    c->hold_s != 2)
		build_error(b, &n->word[1].pos, "hold-below-min", NULL,
		    "hold-time %us is below hold-time-min %us", c->hold_s,
		    c->hold_min_s);
	c->connect_retry_s = (uint32_t)number(g, "connect-retry", 1, 30);
	c->lab_mode = build_get(g, "lab-mode") != NULL;
	c->shutdown_reason = text(g, "shutdown-reason");
	c->multipath = (uint32_t)number(g, "multipath", 1, 16);
	c->gr = (struct conf_gr){
		.notification = true, .restart_s = 120, .stale_s = 180
	};
	build_gr(build_get(g, "graceful-restart"), &c->gr);
}

void
build_gr(const struct conf_node *n, struct conf_gr *gr)
{
	if (n == NULL)
		return;
	gr->on = true;
	gr->restart_s = (uint16_t)number(n, "restart-time", 1, gr->restart_s);
	gr->stale_s = (uint32_t)number(n, "stale-time", 1, gr->stale_s);
	gr->notification = number(n, "notification", 1, gr->notification) != 0;
}

/* ---- log, control, fib ------------------------------------------------- */

static int
choice(const struct conf_node *b, const char *name, const char *const *words,
    int def)
{
	const struct conf_node *n = build_get(b, name);
	int i;

	for (i = 0; n != NULL && words[i] != NULL; i++)
		if (conf_word_is(n, 1, words[i]))
			return i;
	return def;
}

static void
log_block(struct build *b)
{
	static const char *const to[] = { "journal", "syslog", "stderr", "file",
		NULL };
	static const char *const level[] = { "error", "warning", "info",
		"debug", NULL };
	const struct conf_node *g = build_get(&b->tree->root, "log"), *n;
	struct conf_log *l = &b->c->log;

	n = build_get(g, "destination");
	l->to_set = n != NULL;
	l->to = (enum conf_log_to)choice(g, "destination", to, 0);
	if (n != NULL && l->to == CONF_LOG_FILE) {
		l->file = mem_strdup(conf_word_text(n, 2));
		if (!below(l->file, b->r->log_dir))
			build_error(b, &n->word[2].pos, "outside", NULL,
			    "log files are below %s", b->r->log_dir);
	}
	n = build_get(g, "format");
	l->json = n != NULL && conf_word_is(n, 1, "json");
	l->level =
	    (enum conf_log_level)choice(g, "level", level, CONF_LOG_INFO);
	l->session_events = number(g, "session-events", 1, 1) != 0;
	n = build_get(g, "rejected-routes");
	if (n != NULL && n->nword > 2) {
		l->rejected_sample = (uint32_t)n->word[2].num2;
		if (n->nword > 4)
			l->rejected_max_per_min = (uint32_t)n->word[4].num;
	}
}

static void
control_block(struct build *b)
{
	const struct conf_node *g = build_get(&b->tree->root, "control"), *m;
	struct conf *c = b->c;
	size_t i, k;

	for (i = 0; g != NULL && i < g->nchild; i++) {
		const struct conf_node *n = g->child[i];
		struct conf_socket *s;

		if (n->bad)
			continue;
		if (n->word[1].text[0] != '/' ||
		    !below(n->word[1].text, b->r->run_dir) ||
		    strlen(n->word[1].text) > 107)
			build_error(b, &n->word[1].pos, "outside", NULL,
			    "a socket is an absolute path below %s, shorter "
			    "than 108 octets",
			    b->r->run_dir != NULL ? b->r->run_dir : "/");
		for (k = 0; k < c->nsock; k++)
			if (strcmp(c->sock[k].path, n->word[1].text) == 0)
				build_error(b, &n->word[1].pos, "twice", NULL,
				    "two sockets of one name (%s:%u)",
				    c->sock[k].pos.file, c->sock[k].pos.line);
		c->sock = mem_realloc(c->sock, c->nsock + 1, sizeof(*c->sock));
		s = &c->sock[c->nsock++];
		*s = (struct conf_socket){ .path = mem_strdup(n->word[1].text),
			.mode = (mode_t)number(n, "mode", 1, 0660),
			.group = text(n, "group"),
			.read_only = number(n, "read-only", 1, 0) != 0,
			.max_clients =
			    (uint32_t)number(n, "max-clients", 1, 16),
			.pos = n->word[1].pos };
		m = build_get(n, "mode");
		if (m != NULL && !s->read_only && (s->mode & 06) != 0)
			build_error(b, &m->word[1].pos, "open-socket", NULL,
			    "everybody could change the configuration: only a "
			    "read-only socket may be open to others");
	}
}

/* Neighbors would send to us what the kernel has forgotten. */
static void
restart_check(struct build *b, const struct conf_node *on_stop)
{
	const struct conf_node *g = build_get(&b->tree->root, "global");
	const struct conf_node *n = build_get(g, "graceful-restart");
	const struct conf *c = b->c;

	if (n == NULL)
		return;
	if (!c->fib.keep)
		build_warn(b, &on_stop->word[0].pos, "keep-below-restart", NULL,
		    "with \"on-stop remove\" graceful restart does not "
		    "outlive a stop of ours");
	else if (c->fib.keep_s < c->gr.restart_s)
		build_error(b, &n->word[0].pos, "keep-below-restart", NULL,
		    "neighbors wait %us for our restart, but the kernel keeps "
		    "our routes for %us only (fib: on-stop keep)",
		    c->gr.restart_s, c->fib.keep_s);
}

static void
fib_block(struct build *b)
{
	const struct conf_node *g = build_get(&b->tree->root, "fib"), *n;
	struct conf_fib *f = &b->c->fib;

	n = build_get(g, "table");
	f->table = n == NULL || conf_word_is(n, 1, "main")
	    ? 254
	    : (uint32_t)n->word[1].num;
	f->protocol = (uint8_t)number(g, "protocol", 1, 179);
	f->metric = (uint32_t)number(g, "metric", 1, 20);
	n = build_get(g, "prefer-source inet");
	if (n != NULL)
		f->prefer_source[FAM_INET] = n->word[2].addr;
	n = build_get(g, "prefer-source inet6");
	if (n != NULL)
		f->prefer_source[FAM_INET6] = n->word[2].addr;
	f->max_routes = (uint32_t)number(g, "max-routes", 1, 20000);
	n = build_get(g, "nexthop");
	f->recursive = n != NULL && conf_word_is(n, 1, "recursive");
	n = build_get(g, "multipath-weight");
	f->by_speed = n != NULL && conf_word_is(n, 1, "link-speed");
	n = build_get(g, "on-stop");
	f->keep = n == NULL || conf_word_is(n, 1, "keep");
	f->keep_s = !f->keep ? 0 : n != NULL ? (uint32_t)n->word[2].num : 180;
	f->reconcile_s = (uint32_t)number(g, "reconcile", 1, 60);
	restart_check(b, n);
}

/* ---- drain, maintenance ------------------------------------------------ */

static void
drain_blocks(struct build *b)
{
	const struct conf_node *g = build_get(&b->tree->root, "drain"), *n;
	struct conf_maintenance *m = &b->c->maint;
	struct conf_drain *d = &b->c->drain;

	d->prepend = (uint8_t)number(g, "prepend", 1, 0);
	n = build_get(g, "med");
	d->med_set = n != NULL;
	d->med = n != NULL ? (uint32_t)n->word[1].num : 0;
	d->time_s = (uint32_t)number(g, "time", 1, 120);
	g = build_get(&b->tree->root, "maintenance");
	m->drain_s = (uint32_t)number(g, "drain-time", 1, 60);
	m->below_bps = (uint32_t)number(g, "traffic-below", 1, 1000000);
	m->wait_s = (uint32_t)number(g, "wait", 1, 600);
	m->text = text(g, "shutdown-reason");
	for (size_t i = 0; g != NULL && i < g->nchild; i++) {
		n = g->child[i];
		if (n->bad || n->schema == NULL ||
		    strcmp(n->schema->name, "interface") != 0)
			continue;
		m->interface = mem_realloc(
		    m->interface, m->ninterface + 1, sizeof *m->interface);
		m->interface[m->ninterface++] =
		    mem_strdup(conf_word_text(n, 1));
	}
}

/* ---- the peering policy and what we announce --------------------------- */

static void
peering_policy(struct build *b)
{
	const struct conf_node *g = build_get(&b->tree->root, "peering-policy"),
			       *n;
	struct conf *c = b->c;

	b->limit = (struct conf_limit){ .max = 250,
		.warn_pct = 80,
		.action = CONF_LIMIT_RESTART,
		.time_s = 1800 };
	n = build_get(g, "max-prefix");
	if (n != NULL)
		build_limit(b, n, 1, &b->limit);
	c->max_length[FAM_INET] = (uint8_t)number(g, "max-length inet", 2, 24);
	c->max_length[FAM_INET6] =
	    (uint8_t)number(g, "max-length inet6", 2, 48);
	c->as_path_max = (uint16_t)number(g, "reject as-path-length", 3, 32);
	n = build_get(g, "peer-lock");
	if (n != NULL)
		c->transit_free = build_asset(b, &n->word[2]);
}

static void
network(struct build *b, const struct conf_node *n)
{
	struct conf *c = b->c;
	const struct conf_word *w = &n->word[1];
	enum fam fam = (enum fam)w->pfx.addr.fam;
	const struct conf_network *old;
	struct conf_network *x;
	const struct conf_node *m;
	size_t i;

	old = conf_network_find(c, &w->pfx);
	if (old != NULL) {
		build_error(b, &w->pos, "twice", NULL,
		    "network %s is written twice (%s:%u)", w->text,
		    old->pos.file, old->pos.line);
		return;
	}
	if (pfx_is_default(&w->pfx)) {
		build_error(b, &w->pos, "default-route", NULL,
		    "a default route is never announced");
		return;
	}
	if (martian_find(&w->pfx, c->lab_mode) != NULL)
		build_warn(b, &w->pos, "martian", NULL,
		    "network %s is %s: partners will refuse it", w->text,
		    martian_find(&w->pfx, c->lab_mode)->name);
	c->network =
	    mem_realloc(c->network, c->nnetwork + 1, sizeof(*c->network));
	x = &c->network[c->nnetwork++];
	if (c->network_at[fam] == NULL)
		c->network_at[fam] = trie_new(fam);
	trie_put(c->network_at[fam], &w->pfx, (uint32_t)c->nnetwork);
	*x = (struct conf_network){
		.pfx = w->pfx, .pos = w->pos, .announce.pfx = w->pfx
	};
	build_network_tracks(b, n, &x->announce);
	m = build_get(n, "med");
	x->med_set = m != NULL;
	x->med = m != NULL ? (uint32_t)m->word[1].num : 0;
	x->no_export = number(n, "no-export", 1, 1) != 0;
	for (i = 0; i < n->nchild; i++) {
		struct rule_comm comm;

		m = n->child[i];
		if (m->bad || strcmp(m->schema->name, "community") != 0)
			continue;
		if (!rule_comm_parse(m->word[m->nword - 1].text,
			m->nword > 2 ? COMM_LARGE : COMM_PLAIN, false, &comm))
			continue;
		x->comm = mem_realloc(x->comm, x->ncomm + 1, sizeof(*x->comm));
		x->comm[x->ncomm++] = comm;
	}
}

static void
networks(struct build *b)
{
	const struct conf_node *root = &b->tree->root;
	struct conf *c = b->c;
	const struct conf_set *own = conf_set_find(c, "azion");
	size_t i;

	for (i = 0; i < root->nchild; i++)
		if (!root->child[i]->bad && root->child[i]->schema != NULL &&
		    strcmp(root->child[i]->schema->name, "network") == 0)
			network(b, root->child[i]);
	if (own != NULL) {
		b->set_used[own - c->set] = true;
		c->own = own->set;
	}
	for (i = 0; own != NULL && i < c->nnetwork; i++) {
		char buf[PFX_STRLEN];

		if (!pfxset_covers(own->set, &c->network[i].pfx))
			build_warn(b, &c->network[i].pos, "not-own", NULL,
			    "network %s is outside of prefix-set \"azion\": "
			    "the export guard keeps it back",
			    pfx_print(&c->network[i].pfx, buf, sizeof(buf)));
	}
	if (c->own != NULL)
		return;
	c->own_made = pfxset_new("azion");
	for (i = 0; own == NULL && i < c->nnetwork; i++)
		pfxset_add(c->own_made, &c->network[i].pfx,
		    c->network[i].pfx.len, c->network[i].pfx.len);
	c->own = c->own_made;
}

/* ---- conf.h ------------------------------------------------------------ */

const char *
conf_limit_action_name(enum conf_limit_action a)
{
	static const char *const name[] = { "warn", "discard", "freeze", "stop",
		"restart" };

	return (unsigned int)a < 5 ? name[a] : "";
}

struct conf_loading {
	struct conf_reader r;
	struct build b;
	char *dir;
	size_t before; /* errors that were told already */
	bool done;
};

struct conf_loading *
conf_load_begin(
    const struct conf_reader *r, const char *path, struct diag_list *diags)
{
	struct conf_loading *l = mem_alloc(sizeof(*l));
	const char *slash = strrchr(path, '/');
	struct build *b = &l->b;

	l->r = *r;
	l->before = diags->nerror;
	l->dir = slash == NULL ? mem_strdup(".")
	    : slash == path    ? mem_strdup("/")
			       : mem_printf("%.*s", (int)(slash - path), path);
	if (l->r.dir == NULL)
		l->r.dir = l->dir;
	b->r = &l->r;
	b->diags = diags;
	b->c = mem_alloc(sizeof(*b->c));
	b->c->path = mem_strdup(path);
	b->tree = b->c->tree = conf_tree_load(&l->r, path, diags);
	conf_valid(b->tree, diags);
	global(b);
	log_block(b);
	control_block(b);
	fib_block(b);
	drain_blocks(b);
	build_store(b);
	build_sets(b);
	return l;
}

bool
conf_load_run(struct conf_loading *l, size_t entries)
{
	l->done = !build_set_files(&l->b, entries);
	return !l->done;
}

/* Once all sets have their content. */
static void
rest(struct build *b)
{
	peering_policy(b);
	build_tracks(b);
	networks(b);
	build_policies(b);
	build_neighbors(b);
	build_unused(b);
	diag_sort(b->diags);
}

struct conf *
conf_load_end(struct conf_loading *l)
{
	struct build *b = &l->b;
	struct conf *c = b->c;

	if (l->done)
		rest(b);
	conf_set_end(b->set_work);
	free(b->set_used);
	free(b->asset_used);
	free(b->commset_used);
	free(b->pathset_used);
	free(b->commtable_used);
	free(b->policy_used);
	free(l->dir);
	if (!l->done || b->diags->nerror > l->before) {
		conf_free(c);
		c = NULL;
	} else
		conf_tree_compact(c->tree);
	free(l);
	return c;
}

struct conf *
conf_load(
    const struct conf_reader *r, const char *path, struct diag_list *diags)
{
	struct conf_loading *l = conf_load_begin(r, path, diags);

	while (conf_load_run(l, SIZE_MAX))
		;
	return conf_load_end(l);
}

static void
neighbor_fini(struct conf_neighbor *n)
{
	size_t i;

	explicit_bzero(&n->md5, sizeof(n->md5));
	explicit_bzero(n->ao, sizeof(n->ao));
	for (i = 0; i < GUARD_N; i++)
		free(n->guard_off_why[i]);
	free(n->name);
	free(n->description);
	free(n->group);
	free(n->template);
	free(n->no_ttl_security);
	free(n->md5_file);
	free(n->allow);
}

static void
free_path_sets(struct conf *c)
{
	size_t i, k;

	for (i = 0; i < c->npathset; i++) {
		for (k = 0; k < c->pathset[i].n; k++)
			asregex_free(c->pathset[i].re[k]);
		free(c->pathset[i].re);
		free(c->pathset[i].name);
	}
	free(c->pathset);
	for (i = 0; i < c->nregex; i++)
		asregex_free(c->regex[i]);
	free(c->regex);
	for (i = 0; i < c->ncommtable; i++) {
		free(c->commtable[i].table->row);
		free(c->commtable[i].table);
		free(c->commtable[i].name);
	}
	free(c->commtable);
}

static void
sets_fini(struct conf *c)
{
	size_t i;

	for (i = 0; i < c->nset; i++)
		conf_set_fini(&c->set[i]);
	free(c->set);
	for (i = 0; i < c->nasset; i++) {
		free(c->asset[i].name);
		asnset_free(c->asset[i].set);
	}
	free(c->asset);
	for (i = 0; i < c->ncommset; i++) {
		free(c->commset[i].name);
		free(c->commset[i].c);
	}
	free(c->commset);
	names_fini(&c->set_name);
	names_fini(&c->asset_name);
	names_fini(&c->commset_name);
	names_fini(&c->pathset_name);
	names_fini(&c->commtable_name);
	free_path_sets(c);
	if (c->own_made != NULL)
		pfxset_free(c->own_made);
}

void
conf_free(struct conf *c)
{
	size_t i;

	if (c == NULL)
		return;
	for (i = 0; i < c->nneighbor; i++)
		neighbor_fini(&c->neighbor[i]);
	free(c->neighbor);
	free(c->by_addr);
	for (i = 0; i < c->npolicy; i++) {
		free(c->policy[i].name);
		policy_free(c->policy[i].rules);
	}
	free(c->policy);
	names_fini(&c->policy_name);
	for (i = 0; i < c->nnetwork; i++) {
		free(c->network[i].comm);
		free((void *)(uintptr_t)c->network[i].announce.track);
	}
	free(c->network);
	trie_free(c->network_at[FAM_INET]);
	trie_free(c->network_at[FAM_INET6]);
	for (i = 0; i < c->ntrack; i++)
		conf_track_fini(&c->track[i]);
	free(c->track);
	sets_fini(c);
	for (i = 0; i < c->nsock; i++) {
		free(c->sock[i].path);
		free(c->sock[i].group);
	}
	free(c->sock);
	free(c->listen);
	free(c->maint.text);
	for (i = 0; i < c->maint.ninterface; i++)
		free(c->maint.interface[i]);
	free(c->maint.interface);
	free(c->log.file);
	free(c->hostname);
	free(c->shutdown_reason);
	free(c->path);
	conf_tree_free(c->tree);
	free(c);
}

const struct conf_network *
conf_network_find(const struct conf *c, const struct pfx *pfx)
{
	const struct trie *t =
	    pfx->addr.fam < FAM_N ? c->network_at[pfx->addr.fam] : NULL;
	uint32_t i = t != NULL ? trie_get(t, pfx) : 0;

	return i != 0 ? &c->network[i - 1] : NULL;
}

size_t
build_neighbor_place(const struct conf *c, const struct addr *a)
{
	size_t lo = 0, hi = c->nneighbor, mid;

	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		if (addr_cmp(&c->neighbor[c->by_addr[mid]].addr, a) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

const struct conf_neighbor *
conf_neighbor_find(const struct conf *c, const struct addr *a)
{
	size_t i = build_neighbor_place(c, a);

	if (i == c->nneighbor || !addr_eq(&c->neighbor[c->by_addr[i]].addr, a))
		return NULL;
	return &c->neighbor[c->by_addr[i]];
}

const struct conf_set *
conf_set_find(const struct conf *c, const char *name)
{
	size_t i = names_find(&c->set_name, name);

	return i != NAMES_NONE ? &c->set[i] : NULL;
}

const struct conf_policy *
conf_policy_find(const struct conf *c, const char *name)
{
	size_t i = names_find(&c->policy_name, name);

	return i != NAMES_NONE ? &c->policy[i] : NULL;
}
