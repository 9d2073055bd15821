/* conf_track.c -- tracks, and what announcements hang on them. */
#include <stdlib.h>
#include <string.h>

#include "bgpd/conf_build.h"
#include "lib/mem.h"
#include "platform/trackd_proto.h"

enum {
	INTERVAL_S = 5,
	TIMEOUT_S = 2,
	KEEP_S = 60,
	RISE = 2,
	FALL = 3,
	LOOK_S = 1, /* at files */
	PROBES =
	    1 << CONF_TRACK_TCP | 1 << CONF_TRACK_HTTP | 1 << CONF_TRACK_EXEC,
};

static uint32_t
number(const struct conf_node *b, const char *name, uint32_t def)
{
	const struct conf_node *n = build_get(b, name);

	return n != NULL ? (uint32_t)n->word[1].num : def;
}

static struct conf_track *
add(struct build *b, char *name, const struct conf_pos *at)
{
	struct conf *c = b->c;

	c->track = mem_realloc(c->track, c->ntrack + 1, sizeof *c->track);
	c->track[c->ntrack] = (struct conf_track){ .name = name,
		.pos = *at,
		.rise = 1,
		.fall = 1,
		.interval_s = LOOK_S };
	return &c->track[c->ntrack++];
}

/* ---- kinds ------------------------------------------------------------- */

static void
file(struct build *b, const struct conf_node *n, size_t w, struct conf_track *t)
{
	t->kind = CONF_TRACK_FILE;
	t->path = mem_strdup(n->word[w].text);
	if (t->path[0] != '/')
		build_error(b, &n->word[w].pos, "bad-value", NULL,
		    "the file of a track is named from / on");
	if (n->nword > w + 2)
		t->max_age_s = (uint32_t)n->word[w + 2].num;
}

/* The FIB in memory is told of no change. */
static void
need_kernel(struct build *b, const struct conf_node *n, size_t w)
{
	if (b->r->fib_memory)
		build_error(b, &n->word[w].pos, "no-kernel", NULL,
		    "addresses and links are not watched with -F memory");
}

static void
address(
    struct build *b, const struct conf_node *n, size_t w, struct conf_track *t)
{
	t->kind = CONF_TRACK_ADDRESS;
	t->addr = n->word[w].addr;
	if (n->nword > w + 2)
		t->ifname = mem_strdup(n->word[w + 2].text);
	need_kernel(b, n, w);
}

static void
linkstate(
    struct build *b, const struct conf_node *n, size_t w, struct conf_track *t)
{
	t->kind = CONF_TRACK_LINK;
	t->ifname = mem_strdup(n->word[w].text);
	need_kernel(b, n, w);
}

/* "http://ADDRESS[:PORT]/PATH"; an IPv6 address stands in brackets. */
static bool
url(const char *s, struct conf_track *t)
{
	char host[ADDR_STRLEN + 2];
	const char *end, *slash;
	char *rest;
	size_t n;
	unsigned long port = 80;

	if (strncmp(s, "http://", 7) != 0)
		return false;
	s += 7;
	slash = strchrnul(s, '/');
	end = *s == '[' ? strchr(s, ']') : memchr(s, ':', (size_t)(slash - s));
	if (end == NULL)
		end = *s == '[' ? s : slash;
	n = (size_t)(end - s);
	if (n == 0 || n >= sizeof host || end > slash)
		return false;
	memcpy(host, s, n);
	host[n] = '\0';
	if (*s == '[')
		end++;
	if (!addr_parse(host + (*s == '['), &t->addr) ||
	    (t->addr.fam == FAM_INET6) != (*s == '['))
		return false;
	if (*end == ':') {
		port = strtoul(end + 1, &rest, 10);
		end = rest;
	}
	if (end != slash || port < 1 || port > 65535)
		return false;
	t->port = (uint16_t)port;
	t->path = mem_strdup(*slash == '/' ? slash : "/");
	return true;
}

static void
http(struct build *b, const struct conf_node *n, struct conf_track *t)
{
	t->kind = CONF_TRACK_HTTP;
	if (!url(n->word[1].text, t))
		build_error(b, &n->word[1].pos, "bad-value", NULL,
		    "it must be http://ADDRESS[:PORT]/PATH; names are not "
		    "looked up");
	else if (strlen(t->path) > CONF_TRACK_TEXT ||
	    strpbrk(t->path, "\\\"") != NULL || !trackd_is_word(t->path))
		build_error(b, &n->word[1].pos, "bad-value", NULL,
		    "the path has at most %d octets, all of ASCII, and no "
		    "blank",
		    CONF_TRACK_TEXT);
}

static void
tcp(const struct conf_node *n, struct conf_track *t)
{
	t->kind = CONF_TRACK_TCP;
	t->addr = n->word[1].addr;
	t->port = (uint16_t)n->word[3].num;
}

/* A program of ana-trackd's directory: a name, never a path. */
static void
program(struct build *b, const struct conf_node *n, struct conf_track *t)
{
	t->kind = CONF_TRACK_EXEC;
	t->path = mem_strdup(n->word[1].text);
	if (t->path[0] == '.')
		build_error(b, &n->word[1].pos, "bad-value", NULL,
		    "a program is named as in ana-trackd's directory; the name "
		    "does not begin with a dot");
}

/* ---- blocks ------------------------------------------------------------ */

/* In the order of enum conf_track_kind. */
static const char *const kinds[] = { "file", "address", "link", "lease", "tcp",
	"http", "exec" };

static void
probe(struct build *b, const struct conf_node *n, struct conf_track *t)
{
	const struct conf_node *m;

	t->interval_s = number(n, "interval", INTERVAL_S);
	t->timeout_s = number(n, "timeout", TIMEOUT_S);
	t->keep_s = number(n, "keep", KEEP_S);
	t->rise = (uint8_t)number(n, "rise", RISE);
	t->fall = (uint8_t)number(n, "fall", FALL);
	t->status = (uint16_t)number(n, "status", 0);
	if ((m = build_get(n, "source")) != NULL) {
		t->source = m->word[1].addr;
		if (t->source.fam != t->addr.fam && t->addr.fam != FAM_NONE)
			build_error(b, &m->word[1].pos, "bad-value", NULL,
			    "the source is of another family than the "
			    "address");
	}
	if ((m = build_get(n, "host")) != NULL) {
		t->host = mem_strdup(m->word[1].text);
		if (strlen(t->host) > CONF_TRACK_TEXT / 2 ||
		    !trackd_is_word(t->host))
			build_error(b, &m->word[1].pos, "bad-value", NULL,
			    "the host has at most %d octets, all of ASCII, and "
			    "no blank",
			    CONF_TRACK_TEXT / 2);
	}
}

/* What this kind of track never looks at. */
static void
no_meaning(struct build *b, const struct conf_node *n, enum conf_track_kind k)
{
	static const struct {
		const char *name;
		unsigned int kinds;
	} row[] = {
		{ "status", 1u << CONF_TRACK_HTTP },
		{ "host", 1u << CONF_TRACK_HTTP },
		{ "source", 1u << CONF_TRACK_TCP | 1u << CONF_TRACK_HTTP },
		{ "interval", PROBES },
		{ "timeout", PROBES },
		{ "keep", PROBES },
	};
	const struct conf_node *m;

	for (size_t i = 0; i < sizeof row / sizeof row[0]; i++)
		if ((row[i].kinds >> k & 1) == 0 &&
		    (m = build_get(n, row[i].name)) != NULL)
			build_warn(b, &m->word[0].pos, "no-meaning", NULL,
			    "\"%s\" has no meaning for a track of \"%s\"",
			    row[i].name, kinds[k]);
}

static void
one_kind(struct build *b, const struct conf_node *m, struct conf_track *t)
{
	const char *k = m->schema->name;

	if (strcmp(k, "file") == 0)
		file(b, m, 1, t);
	else if (strcmp(k, "address") == 0)
		address(b, m, 1, t);
	else if (strcmp(k, "link") == 0)
		linkstate(b, m, 1, t);
	else if (strcmp(k, "tcp") == 0)
		tcp(m, t);
	else if (strcmp(k, "http") == 0)
		http(b, m, t);
	else if (strcmp(k, "exec") == 0)
		program(b, m, t);
	else {
		t->kind = CONF_TRACK_LEASE;
		t->lease_s = (uint32_t)m->word[1].num;
	}
}

static bool
any_bad(const struct conf_node *n)
{
	for (size_t i = 0; i < n->nchild; i++)
		if (n->child[i]->bad)
			return true;
	return false;
}

static void
track(struct build *b, const struct conf_node *n)
{
	const struct conf_word *w = &n->word[1];
	const struct conf_node *m, *kind = NULL;
	struct conf_track *t;

	for (size_t i = 0; i < b->c->ntrack; i++)
		if (strcmp(b->c->track[i].name, w->text) == 0) {
			build_error(b, &w->pos, "twice", NULL,
			    "track %s is written twice (%s:%u)", w->text,
			    b->c->track[i].pos.file, b->c->track[i].pos.line);
			return;
		}
	if (b->c->ntrack == CONF_TRACKS_MAX) {
		build_error(b, &w->pos, "too-many", NULL,
		    "there are at most %d tracks", CONF_TRACKS_MAX);
		return;
	}
	t = add(b, mem_strdup(w->text), &w->pos);
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
		if ((m = build_get(n, kinds[i])) == NULL)
			continue;
		if (kind != NULL) {
			build_error(b, &m->word[0].pos, "twice", NULL,
			    "a track looks at one thing; this one has %s "
			    "already",
			    kind->schema->name);
			return;
		}
		kind = m;
		one_kind(b, m, t);
	}
	if (kind == NULL && any_bad(n))
		return; /* it may be what is missing */
	if (kind == NULL)
		build_error(b, &w->pos, "incomplete", NULL,
		    "track %s does not say what it looks at: file, address, "
		    "link, lease, tcp, http or exec",
		    w->text);
	else if (conf_track_probes(t))
		probe(b, n, t);
	else {
		t->rise = (uint8_t)number(n, "rise", 1);
		t->fall = (uint8_t)number(n, "fall", 1);
	}
	if (kind != NULL)
		no_meaning(b, n, t->kind);
}

bool
conf_track_probes(const struct conf_track *t)
{
	return t->kind == CONF_TRACK_TCP || t->kind == CONF_TRACK_HTTP ||
	    t->kind == CONF_TRACK_EXEC;
}

void
build_tracks(struct build *b)
{
	const struct conf_node *root = &b->tree->root, *n;

	for (size_t i = 0; i < root->nchild; i++)
		if (!root->child[i]->bad && root->child[i]->schema != NULL &&
		    strcmp(root->child[i]->schema->name, "track") == 0)
			track(b, root->child[i]);
	n = build_get(build_get(root, "announcements"), "min-healthy");
	if (n == NULL)
		return;
	if (n->word[1].type == CT_PERCENT)
		b->c->min_healthy_pct = (uint8_t)n->word[1].num;
	else
		b->c->min_healthy = (uint32_t)n->word[1].num;
}

/* ---- networks ---------------------------------------------------------- */

/* The number of the track with that name, made when it is written here. */
static bool
named(struct build *b, const struct conf_node *n, uint32_t *out)
{
	struct conf *c = b->c;
	bool here = n->nword > 2;
	char *key, *words = conf_node_print(n);
	struct conf_track *t;

	/* One written here is called as it is written, without "track". */
	key = mem_strdup(here ? words + strlen("track ") : n->word[1].text);
	free(words);
	for (*out = 0; *out < c->ntrack; ++*out)
		if (strcmp(c->track[*out].name, key) == 0) {
			free(key);
			return true;
		}
	if (!here) {
		build_undefined(b, &n->word[1], "track");
		free(key);
		return false;
	}
	if (c->ntrack == CONF_TRACKS_MAX) {
		build_error(b, &n->word[1].pos, "too-many", NULL,
		    "there are at most %d tracks", CONF_TRACKS_MAX);
		free(key);
		return false;
	}
	t = add(b, key, &n->word[1].pos);
	if (conf_word_is(n, 1, "file"))
		file(b, n, 2, t);
	else if (conf_word_is(n, 1, "address"))
		address(b, n, 2, t);
	else
		linkstate(b, n, 2, t);
	return true;
}

static void
need(struct build *b, const struct conf_node *n, struct announce_net_conf *a,
    bool whole)
{
	const struct conf_node *m = build_get(n, "require");

	if (m == NULL || conf_word_is(m, 1, "all"))
		return;
	a->need = conf_word_is(m, 1, "any") ? 1 : (uint32_t)m->word[1].num;
	if (whole && a->need > a->ntrack)
		build_error(b, &m->word[1].pos, "bad-value", NULL,
		    "%u tracks must be up, but the network has %zu", a->need,
		    a->ntrack);
}

static void
on_fail(struct build *b, const struct conf_node *n, struct announce_net_conf *a)
{
	static const char *const name[] = { "withdraw", "drain", "prepend",
		"med" };
	const struct conf_node *m = build_get(n, "on-fail");

	for (int i = 0; m != NULL && i <= ANNOUNCE_FAIL_MED; i++)
		if (conf_word_is(m, 1, name[i]))
			a->on_fail = (enum announce_fail)i;
	if (m != NULL && m->nword > 2)
		a->fail_value = (uint32_t)m->word[2].num;
	if (a->on_fail == ANNOUNCE_FAIL_PREPEND &&
	    (a->fail_value < 1 || a->fail_value > 32))
		build_error(b, &m->word[2].pos, "bad-value", NULL,
		    "our AS is prepended from 1 to 32 times");
}

void
build_network_tracks(
    struct build *b, const struct conf_node *n, struct announce_net_conf *a)
{
	const struct conf_node *m;
	uint32_t *list = NULL, i;
	bool whole = true; /* each track is known */

	for (size_t k = 0; k < n->nchild; k++) {
		m = n->child[k];
		if (m->bad || strcmp(m->schema->name, "track") != 0)
			continue;
		if (!named(b, m, &i)) {
			whole = false;
			continue;
		}
		list = mem_realloc(list, a->ntrack + 1, sizeof *list);
		list[a->ntrack++] = i;
	}
	a->track = list;
	need(b, n, a, whole);
	on_fail(b, n, a);
	a->up_delay_ms = 1000 * number(n, "up-delay", 0);
	a->down_delay_ms = 1000 * number(n, "down-delay", 0);
	a->drain_ms = 1000 * number(n, "drain-time", 120);
	if ((m = build_get(n, "damping")) == NULL)
		return;
	a->half_life_ms = 1000 * (uint32_t)m->word[2].num;
	a->suppress = 3000;
	a->reuse = 1000;
	for (size_t k = 3; k + 1 < m->nword; k += 2)
		if (conf_word_is(m, k, "suppress"))
			a->suppress = (uint32_t)m->word[k + 1].num;
		else
			a->reuse = (uint32_t)m->word[k + 1].num;
	if (a->reuse >= a->suppress || a->suppress > ANNOUNCE_PENALTY_MAX)
		build_error(b, &m->word[0].pos, "bad-value", NULL,
		    "reuse %u must be below suppress %u, and that not above %d",
		    a->reuse, a->suppress, ANNOUNCE_PENALTY_MAX);
}

void
conf_track_fini(struct conf_track *t)
{
	free(t->name);
	free(t->path);
	free(t->ifname);
	free(t->host);
}
