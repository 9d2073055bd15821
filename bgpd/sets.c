#include "bgpd/sets.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bgpd/commit.h"
#include "bgpd/conf_set.h"
#include "bgpd/conf_tree.h"
#include "bgpd/engine.h"
#include "bgpd/log.h"
#include "bgpd/show_cmd.h"
#include "bgpd/state.h"
#include "lib/mem.h"
#include "platform/clock.h"
#include "policy/asnset.h"
#include "policy/pfxfile.h"
#include "policy/pfxset.h"

enum {
	DIFF_ROWS = 20
};

/* ---- who uses it ------------------------------------------------------ */

static bool
policy_uses(const struct conf_policy *p, const struct pfxset *s)
{
	for (size_t i = 0; p != NULL && i < p->rules->nrule; i++)
		for (size_t k = 0; k < p->rules->rule[i]->nmatch; k++)
			if (p->rules->rule[i]->match[k].type ==
				MATCH_PREFIX_IN &&
			    p->rules->rule[i]->match[k].set == s)
				return true;
	return false;
}

static bool
imports_by(
    const struct conf *c, const struct conf_neighbor *n, const struct pfxset *s)
{
	if (c->own == s || (n->irr != NULL && n->irr->set == s) ||
	    policy_uses(n->import, s))
		return true;
	for (size_t i = 0; i < n->nallow; i++)
		if (n->allow[i]->set == s)
			return true;
	return false;
}

/* How many neighbors use it for import. */
static unsigned int
count_users(const struct engine *eng, const struct conf_set *s)
{
	const struct conf *c = eng->conf;
	unsigned int n = 0;

	for (size_t i = 0; i < c->nneighbor; i++)
		n += imports_by(c, &c->neighbor[i], s->set);
	return n;
}

static unsigned int
look_again(struct engine *eng, const struct pfxset *s)
{
	struct export_group *g;
	unsigned int n = 0;
	struct peer *p;

	TAILQ_FOREACH (p, &eng->peers, entry)
		if ((p->up != NULL || adjin_received(p->adjin) > 0) &&
		    imports_by(eng->conf, p->conf, s)) {
			peer_reimport(p);
			n++;
		}
	TAILQ_FOREACH (p, &eng->peers, entry) {
		if ((g = p->group) == NULL ||
		    (eng->conf->own != s && !policy_uses(p->conf->export, s)))
			continue;
		adjout_reexport(g->out, &g->opts);
		g->more = true;
	}
	return n;
}

/* ---- load ------------------------------------------------------------- */

/* The configuration's own directory, which its relative names are below. */
static char *
conf_dir(const struct engine *eng)
{
	const char *path = eng->opts.conf_path, *slash = strrchr(path, '/');

	if (slash == NULL)
		return mem_strdup(".");
	return slash == path ? mem_strdup("/")
			     : mem_printf("%.*s", (int)(slash - path), path);
}

/* ---- in slices -------------------------------------------------------- */

enum {
	LOAD_ENTRIES = 8192 /* in a slice: a few milliseconds */
};

struct sets_work {
	struct engine *eng;
	uint32_t generation, sets_loaded;
	size_t set; /* of the configuration */
	char *dir;
	struct conf_reader r;
	struct conf_file f; /* the list, with a FILE */
	struct conf_set fresh; /* the content that it would have */
	struct conf_set_work *work; /* NULL: not begun */
	char why[512]; /* "" while nothing is wrong */
};

static void
said(void *arg, const struct conf_set *s, const struct conf_word *w, int err,
    const struct pfxfile *res)
{
	struct sets_work *x = arg;
	const char *name = w != NULL ? w->text : s->loaded;

	if (x->why[0] != '\0')
		return;
	if (err != 0)
		snprintf(x->why, sizeof x->why, "cannot read \"%s\": %s", name,
		    strerror(-err));
	else if (res->error[0] != '\0')
		snprintf(x->why, sizeof x->why, "\"%s\" line %zu: %s", name,
		    res->line, res->error);
}

/* With the descriptor of a list, or (fd -1) with the set's own files. */
static struct sets_work *
work_new(struct engine *eng, const struct conf_set *s, int fd, const char *name)
{
	struct sets_work *x = mem_alloc(sizeof *x);
	int err = 0;

	x->eng = eng;
	x->generation = eng->generation;
	x->sets_loaded = eng->sets_loaded;
	x->set = (size_t)(s - eng->conf->set);
	x->dir = conf_dir(eng);
	commit_reader(eng, &x->r);
	x->r.dir = x->dir;
	if (fd != -1)
		err = conf_file_fd(fd, &x->f);
	if (err == 0)
		x->work = conf_set_again(&x->r, s, name,
		    fd != -1 ? &x->f : NULL, &x->fresh, said, x);
	else
		snprintf(x->why, sizeof x->why, "cannot read \"%s\": %s", name,
		    strerror(-err));
	return x;
}

void
sets_work_free(struct sets_work *x)
{
	if (x == NULL)
		return;
	if (x->work != NULL) {
		conf_set_end(x->work);
		conf_set_fini(&x->fresh);
	}
	free(x->f.data);
	free(x->dir);
	free(x);
}

/* True: more is left.  The set is not touched. */
static bool
work_run(struct sets_work *x)
{
	size_t entries = LOAD_ENTRIES;

	if (x->generation != x->eng->generation ||
	    x->sets_loaded != x->eng->sets_loaded) {
		strlcpy(x->why,
		    "another configuration or set came into force meanwhile; "
		    "ask again",
		    sizeof x->why);
		return false;
	}
	x->eng->loop.load_slices++;
	if (x->work != NULL && conf_set_run(x->work, &entries))
		return true;
	if (x->why[0] == '\0' && x->fresh.nfile == 0)
		strlcpy(x->why, "it has no file of its own to be read again",
		    sizeof x->why);
	return false;
}

/* *text is what was done, or why not. */
static bool
load(struct sets_work *x, char *text, size_t n)
{
	struct engine *eng = x->eng;
	struct conf_set *s = &eng->conf->set[x->set];
	struct log_word w[] = { { "set", s->name }, { NULL, NULL } };
	size_t before = s->entries;

	if (x->why[0] == '\0')
		conf_set_may(s, &x->fresh, x->why, sizeof x->why);
	if (x->why[0] != '\0') {
		snprintf(text, n, "%s; the set stays as it is", x->why);
		log_warnx("prefix-set %s: %s", s->name, text);
		return false;
	}
	x->fresh.loaded_s = clock_real_s();
	eng->sets_loaded++;
	conf_set_swap(s, &x->fresh);
	sets_keep_list(eng, s, &x->f);
	snprintf(text, n,
	    "prefix-set %s: %zu prefixes, before %zu; %u neighbors look at "
	    "their routes again",
	    s->name, s->entries, before, look_again(eng, s->set));
	event(eng->events, EVENT_SET_LOADED, LOG_L_INFO, NULL, w, "%s", text);
	sets_changed(eng);
	return true;
}

/* ---- alarms ----------------------------------------------------------- */

void
sets_alarm(const struct engine *eng, char *text, size_t n)
{
	text[0] = '\0';
	for (size_t i = 0; text[0] == '\0' && i < eng->conf->nset; i++) {
		const struct conf_set *s = &eng->conf->set[i];

		if (s->refused != NULL)
			snprintf(text, n, "prefix-set %s %s: %s", s->name,
			    s->entries == 0 ? "is not loaded"
					    : "keeps its content of before",
			    s->refused);
		else if (sets_is_old(eng, s))
			snprintf(text, n,
			    "prefix-set %s is older than its max-age", s->name);
	}
}

/* ---- show sets -------------------------------------------------------- */

static void
put_files(struct out *o, const struct conf_set *s)
{
	char t[OUT_TIME_LEN], name[1024];

	out_arr(o, "sources");
	for (size_t i = 0; i < s->nfile; i++) {
		const struct conf_set_src *f = &s->src[i];

		out_text(o, "    %s, %zu prefixes, %s old\n",
		    out_safe(s->file[i], name, sizeof name), f->entries,
		    show_ago(f->mtime, t, sizeof t));
		out_text(o, "    sha256 %s\n", f->digest);
		out_obj(o, NULL);
		out_str(o, "file", s->file[i]);
		out_str(o, "sha256", f->digest);
		out_u64(o, "entries", f->entries);
		out_i64(o, "time", f->mtime);
		out_i64(o, "age_sec", show_since(f->mtime));
		out_end(o);
	}
	out_end(o);
}

static void
put_set(struct show *s, const struct conf_set *x)
{
	struct out *o = s->out;
	unsigned int users = count_users(s->eng, x);
	const struct asnset *asn = pfxset_origins(x->set);
	size_t v4 = pfxset_count(x->set, FAM_INET);
	char when[32];

	out_text(o, "prefix-set %s: %zu IPv4 and %zu IPv6 prefixes", x->name,
	    v4, x->entries - v4);
	if (asn != NULL)
		out_text(o, ", %zu origins", asnset_count(asn));
	out_text(o, ", used by %u neighbors, %zu octets%s\n", users,
	    pfxset_memory(x->set),
	    x->entries == 0 ? ", NOT LOADED: nothing is imported" : "");
	if (x->loaded != NULL)
		out_text(o, "    loaded by hand at %s\n",
		    show_time(x->loaded_s, when, sizeof when));
	if (x->refused != NULL)
		out_text(o, "    %s: %s\n",
		    x->entries == 0 ? "CANNOT BE USED"
				    : "KEEPS ITS CONTENT OF BEFORE",
		    x->refused);
	if (sets_is_old(s->eng, x))
		out_text(
		    o, "    OLDER THAN ITS MAX-AGE of %u s\n", x->max_age_s);
	out_obj(o, NULL);
	out_str(o, "name", x->name);
	out_bool(o, "loaded", x->entries > 0);
	out_u64(o, "inet", v4);
	out_u64(o, "inet6", x->entries - v4);
	out_u64(o, "origins", asn != NULL ? asnset_count(asn) : 0);
	out_u64(o, "neighbors", users);
	out_u64(o, "memory", pfxset_memory(x->set));
	out_u64(o, "max_age_sec", x->max_age_s);
	out_bool(o, "old", sets_is_old(s->eng, x));
	out_bool(o, "by_hand", x->loaded != NULL);
	if (x->refused != NULL)
		out_str(o, "refused", x->refused);
	put_files(o, x);
	out_end(o);
}

static const struct conf_set *
named(struct show *s)
{
	const struct conf_set *x = conf_set_find(s->eng->conf, s->req.set);
	char name[256];

	if (x == NULL)
		show_fail(s, CMD_NOT_FOUND,
		    "no such prefix-set: %s (ana-bgpctl show sets lists them)",
		    out_safe(s->req.set, name, sizeof name));
	return x;
}

static bool
head_sets(struct show *s)
{
	const struct conf *c = s->eng->conf;
	const struct conf_set *x;

	if (s->req.set != NULL) {
		if ((x = named(s)) != NULL)
			put_set(s, x);
		return false;
	}
	for (size_t i = 0; i < c->nset; i++)
		put_set(s, &c->set[i]);
	return false;
}

/* ---- set load, set diff ----------------------------------------------- */

static bool
has_file(struct show *s)
{
	return s->req.input == NULL || s->file != -1 ||
	    show_fail(s, CMD_USAGE,
		"no descriptor of %s came along: this ana-bgpctl is too old",
		s->req.input);
}

static bool
head_work(struct show *s)
{
	const struct conf_set *x = named(s);

	if (x == NULL || !has_file(s))
		return false;
	s->set_work = work_new(
	    s->eng, x, s->req.input != NULL ? s->file : -1, s->req.input);
	return true;
}

static bool
rows_load(struct show *s, unsigned int budget)
{
	char text[1024];

	if (work_run(s->set_work))
		return true;
	if (!load(s->set_work, text, sizeof text)) {
		show_fail(s, CMD_REFUSED, "%s", text);
		return false;
	}
	out_text(s->out, "%s\n", text);
	out_str(s->out, "status", "OK");
	out_str(s->out, "text", text);
	return false;
}

struct changes {
	unsigned long long n;
	struct pfxset_entry first[DIFF_ROWS];
};

static void
change(struct changes *c, const struct pfxset_entry *e)
{
	if (c->n++ < DIFF_ROWS)
		c->first[c->n - 1] = *e;
}

static int
order(const struct pfxset_entry *a, const struct pfxset_entry *b)
{
	int r = pfx_cmp(&a->pfx, &b->pfx);

	return r != 0 ? r : a->lo != b->lo ? a->lo - b->lo : a->hi - b->hi;
}

/* Both are in one order: what stands in one only. */
static void
compare(const struct pfxset *old, const struct pfxset *new,
    struct changes *gone, struct changes *come)
{
	struct pfxset_entry a = { 0 }, b = { 0 };
	bool na = pfxset_next(old, &a), nb = pfxset_next(new, &b);

	while (na || nb) {
		int r = !na ? 1 : !nb ? -1 : order(&a, &b);

		if (r < 0)
			change(gone, &a);
		else if (r > 0)
			change(come, &b);
		if (r <= 0)
			na = pfxset_next(old, &a);
		if (r >= 0)
			nb = pfxset_next(new, &b);
	}
}

static void
put_changes(
    struct out *o, const struct changes *c, const char *what, const char *key)
{
	char e[PFX_STRLEN + 16];

	out_text(o, "%s: %llu%s\n", what, c->n,
	    c->n > DIFF_ROWS ? ", the first 20:" : "");
	out_obj(o, key);
	out_u64(o, "count", c->n);
	out_arr(o, "first");
	for (unsigned long long i = 0; i < c->n && i < DIFF_ROWS; i++) {
		pfxset_entry_print(&c->first[i], e, sizeof e);
		out_text(o, "  %s\n", e);
		out_str(o, NULL, e);
	}
	out_end(o);
	out_end(o);
}

static bool
rows_diff(struct show *s, unsigned int budget)
{
	struct sets_work *w = s->set_work;
	struct changes gone = { 0 }, come = { 0 };
	const struct conf_set *x;

	if (work_run(w))
		return true;
	if (w->why[0] != '\0') {
		show_fail(s, CMD_REFUSED, "%s", w->why);
		return false;
	}
	x = &s->eng->conf->set[w->set];
	compare(x->set, w->fresh.set, &gone, &come);
	put_changes(s->out, &come, "Added", "added");
	put_changes(s->out, &gone, "Removed", "removed");
	conf_set_may(x, &w->fresh, w->why, sizeof w->why);
	out_bool(s->out, "would_be_taken", w->why[0] == '\0');
	if (w->why[0] != '\0') {
		out_text(s->out, "\"set load\" would refuse it: %s\n", w->why);
		out_str(s->out, "refused", w->why);
	}
	return false;
}

const struct show_cmd show_cmd_sets = { "sets", head_sets, NULL };
const struct show_cmd show_cmd_set_load = { NULL, head_work, rows_load };
const struct show_cmd show_cmd_set_diff = { NULL, head_work, rows_diff };
