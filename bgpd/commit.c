#include "bgpd/commit.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bgpd/conf_set.h"
#include "bgpd/conf_tree.h"
#include "bgpd/engine.h"
#include "bgpd/log.h"
#include "bgpd/state.h"
#include "lib/mem.h"
#include "platform/clock.h"
#include "platform/notify.h"

#define CONFIRMED "confirmed.conf"
#define PREVIOUS "previous.conf"
#define STATE "commit.state"

/* What is not confirmed, as STATE has it. */
struct record {
	int64_t until; /* 0: it was undone */
	char digest[CONF_DIGEST_LEN];
};

struct commit {
	struct engine *eng;
	char *confirmed, *previous; /* canonical texts; previous may be NULL */
	bool open; /* a window; until the way back out of it has ended */
	bool other; /* what runs is not what is confirmed */
	bool recorded; /* there is a record */
	struct record record;
	struct timer retry; /* what the disk had no room for is written again */
	/* In no client's name: SIGHUP, or the end of the window. */
	struct commit_load *load;
	bool back; /* load goes back */
	bool again; /* SIGHUP came once more */
	char why[320]; /* of going back */
	struct commit_opts opts;
	struct timer timer;
	struct addr *up; /* neighbors that were up when it was opened */
	size_t nup;
	uint64_t accepted;
	char alarm[512];
};

/* ---- reading ---------------------------------------------------------- */

void
commit_reader(const struct engine *eng, struct conf_reader *r)
{
	*r = (struct conf_reader){ .run_dir = eng->opts.run_dir,
		.state_dir = eng->opts.state_dir,
		.log_dir = eng->opts.log_dir,
		.uid = getuid(),
		.gid = getgid(),
		.fib_memory = eng->opts.memory,
		.running = eng->conf,
		.now_s = clock_real_s() };
	conf_reader_files(r);
}

/* A name in the directory of the configuration; the caller's to free. */
static char *
beside(const char *conf_path, const char *name)
{
	const char *slash = strrchr(conf_path, '/'), *last;

	last = strrchr(name, '/');
	last = last != NULL ? last + 1 : name;
	return slash == NULL
	    ? mem_strdup(last)
	    : mem_printf("%.*s/%s", (int)(slash - conf_path), conf_path, last);
}

/*
 * A text as if it were a file of the configuration directory, where its
 * includes and sets are looked for.
 */
static struct conf *
load_string(const struct conf_reader *base, const char *conf_path,
    const char *name, const char *text, struct diag_list *dl)
{
	struct conf_file f = { .data = (char *)(uintptr_t)text,
		.len = strlen(text) };
	struct conf_overlay over = { .base = base, .file = &f };
	char *path = beside(conf_path, name);
	struct conf_reader r;
	struct conf *c;

	over.path = path;
	conf_reader_overlay(&r, &over);
	c = conf_load(&r, path, dl);
	free(path);
	return c;
}

/* ---- in slices -------------------------------------------------------- */

enum {
	LOAD_ENTRIES = 8192 /* in a slice: a few milliseconds */
};

struct commit_load {
	struct engine *eng;
	uint32_t generation, sets_loaded;
	struct conf_reader base, r;
	struct conf_overlay over;
	struct conf_file file; /* of over, or empty */
	char *path;
	struct conf_loading *loading; /* NULL: it cannot even begin, or over */
	bool reload; /* the service manager was told of it */
	struct diag_list dl;
};

static struct commit_load *
load_new(struct engine *eng, bool reload)
{
	struct commit_load *l = mem_alloc(sizeof *l);

	l->reload = reload;
	if (reload && eng->reloads++ == 0)
		notify_reloading(eng->world.clock_us());
	l->eng = eng;
	l->generation = eng->generation;
	l->sets_loaded = eng->sets_loaded;
	commit_reader(eng, &l->base);
	l->r = l->base;
	diag_list_init(&l->dl);
	return l;
}

/* l->file as if it were a file of that name in the configuration's place. */
static void
load_begin(struct commit_load *l, const char *name)
{
	l->path = beside(l->eng->opts.conf_path, name);
	l->over = (struct conf_overlay){
		.base = &l->base, .path = l->path, .file = &l->file
	};
	conf_reader_overlay(&l->r, &l->over);
	l->loading = conf_load_begin(&l->r, l->path, &l->dl);
}

struct commit_load *
commit_load_reload(struct engine *eng)
{
	struct commit_load *l = load_new(eng, true);

	l->loading = conf_load_begin(&l->r, eng->opts.conf_path, &l->dl);
	return l;
}

struct commit_load *
commit_load_file(struct engine *eng, int fd, const char *name)
{
	struct commit_load *l = load_new(eng, false);
	struct conf_pos pos = { .file = name };
	int err;

	if (fd == -1)
		l->loading =
		    conf_load_begin(&l->r, eng->opts.conf_path, &l->dl);
	else if ((err = conf_file_fd(fd, &l->file)) == 0)
		load_begin(l, name);
	else {
		pos.file = diag_file(&l->dl, name);
		diag_add(&l->dl, NULL, DIAG_ERROR, &pos, "unreadable", NULL,
		    "cannot be read: %s", strerror(-err));
	}
	return l;
}

static struct commit_load *
load_text_again(struct engine *eng, const char *text)
{
	struct commit_load *l = load_new(eng, true);

	l->file.data = mem_strdup(text);
	l->file.len = strlen(text);
	load_begin(l, CONFIRMED);
	return l;
}

/* What it is compared with is no longer there. */
static bool
is_stale(const struct commit_load *l)
{
	return l->generation != l->eng->generation ||
	    l->sets_loaded != l->eng->sets_loaded;
}

bool
commit_load_run(struct commit_load *l)
{
	bool more;

	if (l->loading == NULL || is_stale(l))
		return false;
	more = conf_load_run(l->loading, LOAD_ENTRIES);
	l->eng->loop.load_slices++;
	return more;
}

struct conf *
commit_load_take(struct commit_load *l)
{
	struct conf_pos pos = { .file = l->eng->opts.conf_path };
	struct conf *c = NULL;

	if (is_stale(l)) {
		pos.file = diag_file(&l->dl, pos.file);
		diag_add(&l->dl, NULL, DIAG_ERROR, &pos, "stale", NULL,
		    "another configuration or set came into force meanwhile; "
		    "ask again");
		return NULL;
	}
	if (l->loading != NULL)
		c = conf_load_end(l->loading);
	l->loading = NULL;
	return c;
}

const struct diag_list *
commit_load_problems(const struct commit_load *l)
{
	return &l->dl;
}

void
commit_load_free(struct commit_load *l)
{
	if (l == NULL)
		return;
	if (l->reload && --l->eng->reloads == 0)
		notify("READY=1");
	if (l->loading != NULL)
		conf_load_end(l->loading);
	diag_list_fini(&l->dl);
	free(l->file.data);
	free(l->path);
	free(l);
}

static char *
state_text(const struct conf_reader *r, const char *name, int64_t *mtime)
{
	struct conf_file f = { 0 };
	char *path;
	int err;

	if (r->state_dir == NULL)
		return NULL;
	path = mem_printf("%s/%s", r->state_dir, name);
	err = r->read(r->arg, path, &f);
	free(path);
	if (err != 0)
		return NULL;
	if (mtime != NULL)
		*mtime = f.mtime;
	return f.data;
}

void
commit_digest(const struct conf *c, char out[CONF_DIGEST_LEN])
{
	char *text = conf_print(c, 0);

	conf_digest(text, strlen(text), out);
	free(text);
}

/* ---- the record of what is not confirmed ------------------------------ */

static bool
record_read(const struct conf_reader *r, struct record *m)
{
	char *text = state_text(r, STATE, NULL);
	const struct conf_node *n = NULL;
	struct conf_tree *t;
	struct diag_list dl;

	*m = (struct record){ 0 };
	if (text == NULL)
		return false;
	diag_list_init(&dl);
	t = conf_tree_parse(STATE, text, strlen(text), &dl);
	if (t->root.nchild > 0 &&
	    conf_word_is(t->root.child[0], 0, "unconfirmed"))
		n = t->root.child[0];
	for (size_t i = 0; n != NULL && i < n->nchild; i++) {
		const char *v = conf_word_text(n->child[i], 1);

		if (conf_word_is(n->child[i], 0, "until"))
			m->until = strtoll(v, NULL, 10);
		else if (conf_word_is(n->child[i], 0, "digest"))
			strlcpy(m->digest, v, sizeof m->digest);
	}
	conf_tree_free(t);
	diag_list_fini(&dl);
	free(text);
	return n != NULL;
}

/* ---- boot ------------------------------------------------------------- */

struct conf *
commit_boot(const struct conf_reader *r, const char *conf_path,
    struct conf *file, char *alarm, size_t n)
{
	char digest[CONF_DIGEST_LEN], *text;
	struct diag_list dl;
	struct record m;
	struct conf *c;

	alarm[0] = '\0';
	if (file != NULL) {
		if (!record_read(r, &m))
			return file;
		commit_digest(file, digest);
		if (strcmp(digest, m.digest) != 0 && clock_real_s() >= m.until)
			return file;
	}
	if ((text = state_text(r, CONFIRMED, NULL)) == NULL)
		return file;
	diag_list_init(&dl);
	c = load_string(r, conf_path, CONFIRMED, text, &dl);
	diag_list_fini(&dl);
	free(text);
	if (c == NULL)
		return file;
	snprintf(alarm, n,
	    file == NULL ? "%s does not check: running on the last good "
			   "configuration"
			 : "%s was never confirmed, or was undone: running on "
			   "the last confirmed configuration",
	    conf_path);
	conf_free(file);
	return c;
}

/* ---- keeping ---------------------------------------------------------- */

static void
keep(struct commit *k, const char *name, const char *text, const char *what)
{
	struct engine *eng = k->eng;
	int err = state_write(eng->opts.state_dir, name, text, strlen(text));

	if (err == 0)
		return;
	log_warnx("%s/%s cannot be written: %s; until it can, which is tried "
		  "every minute, %s",
	    eng->opts.state_dir, name, strerror(-err), what);
	timer_set(&eng->timers, &k->retry, eng->now_ms, STATE_RETRY_MS);
}

static void
keep_confirmed(struct commit *k)
{
	keep(k, CONFIRMED, k->confirmed,
	    "a start with a bad file has nothing, or an older one, to go back "
	    "to");
}

static void
keep_previous(struct commit *k)
{
	keep(k, PREVIOUS, k->previous,
	    "\"reload undo\" after a restart has nothing, or an older one, to "
	    "go back to");
}

static void
keep_record(struct commit *k)
{
	char *text;

	if (!k->recorded) {
		state_remove(k->eng->opts.state_dir, STATE);
		return;
	}
	text = mem_printf("unconfirmed {\n\tuntil %" PRId64 ";\n"
			  "\tdigest \"%s\";\n}\n",
	    k->record.until, k->record.digest);
	keep(k, STATE, text,
	    "a restart takes the configuration file, as if it were confirmed");
	free(text);
}

static void
record(struct commit *k, const struct conf *c, int64_t until)
{
	k->recorded = true;
	k->record.until = until;
	commit_digest(c, k->record.digest);
	keep_record(k);
}

static void
forget_record(struct commit *k)
{
	k->recorded = false;
	keep_record(k);
}

static void
on_retry(void *arg, uint64_t now_ms)
{
	struct commit *k = arg;

	(void)now_ms;
	keep_record(k);
	keep_confirmed(k);
	if (k->previous != NULL)
		keep_previous(k);
}

static void
set_text(char **to, char *text)
{
	free(*to);
	*to = text;
}

/* What runs is confirmed. */
static void
confirm_running(struct commit *k)
{
	set_text(&k->confirmed, conf_print(k->eng->conf, 0));
	k->other = false;
	keep_confirmed(k);
}

/* Its text as confirm_running() keeps it; the caller's to free. */
static char *
running_text(const struct commit *k)
{
	return k->other ? conf_print(k->eng->conf, 0)
			: mem_strdup(k->confirmed);
}

static void
drop_load(struct commit *k)
{
	commit_load_free(k->load);
	k->load = NULL;
}

static void
close_window(struct commit *k)
{
	if (k->back)
		drop_load(k);
	k->open = false;
	timer_stop(&k->eng->timers, &k->timer);
	free(k->up);
	k->up = NULL;
	k->nup = 0;
}

static uint64_t
accepted(const struct engine *eng)
{
	const struct peer *p;
	uint64_t n = 0;

	TAILQ_FOREACH (p, &eng->peers, entry)
		for (enum fam f = FAM_INET; f < FAM_N; f++)
			n += adjin_count(p->adjin, f)->accepted;
	return n;
}

static void
open_window(struct commit *k, const struct commit_opts *o)
{
	struct engine *eng = k->eng;
	const struct peer *p;

	k->open = k->other = true;
	k->opts = *o;
	k->accepted = accepted(eng);
	k->up = mem_alloc((eng->conf->nneighbor + 1) * sizeof *k->up);
	TAILQ_FOREACH (p, &eng->peers, entry)
		if (p->up != NULL)
			k->up[k->nup++] = p->conf->addr;
	timer_set(&eng->timers, &k->timer, eng->now_ms, o->confirm_s * 1000ull);
}

/* ---- back ------------------------------------------------------------- */

void
commit_back(struct engine *eng, struct conf *c, const char *why)
{
	struct commit *k = eng->commit;
	char *old;

	close_window(k);
	/* What ran is in the file still: a start must not take it again. */
	record(k, eng->conf, 0);
	old = running_text(k);
	engine_apply(eng, c);
	set_text(&k->previous, old);
	keep_previous(k);
	confirm_running(k);
	snprintf(k->alarm, sizeof k->alarm,
	    "%s: back on the earlier configuration; %s still has the other one",
	    why, eng->opts.conf_path);
	event(eng->events, EVENT_RELOAD_UNDONE, LOG_L_WARN, NULL, NULL, "%s",
	    k->alarm);
}

/* The window is over, and nothing confirmed it. */
static void
end_back(struct commit *k, struct conf *c)
{
	char *problems;

	if (c != NULL) {
		commit_back(k->eng, c, k->why);
		return;
	}
	problems = diag_list_text(
	    commit_load_problems(k->load), "running configuration unchanged");
	close_window(k);
	snprintf(k->alarm, sizeof k->alarm,
	    "the earlier configuration cannot be used any more: %s", problems);
	log_warnx("%s; %s", k->why, k->alarm);
	free(problems);
}

bool
commit_run(struct engine *eng)
{
	static const struct commit_opts now;
	struct commit *k = eng->commit;
	struct conf *c;

	if (k == NULL || k->load == NULL)
		return false;
	if (commit_load_run(k->load))
		return true;
	if (is_stale(k->load)) { /* once more, against what runs now */
		drop_load(k);
		if (k->back)
			k->load = load_text_again(eng, k->confirmed);
		else
			commit_hup(eng);
		return true;
	}
	if (k->back) {
		c = commit_load_take(k->load);
		end_back(k, c);
	} else
		free(commit_reload(eng, k->load, &now, NULL));
	drop_load(k);
	if (k->again) {
		k->again = false;
		commit_hup(eng);
	}
	return k->load != NULL;
}

void
commit_hup(struct engine *eng)
{
	struct commit *k = eng->commit;

	if (k == NULL)
		return;
	k->again = k->load != NULL;
	if (k->again)
		return;
	k->back = false;
	k->load = commit_load_reload(eng);
}

/* "" when all conditions hold. */
static void
judge(const struct commit *k, char *why, size_t n)
{
	const struct peer *p;
	uint64_t now = accepted(k->eng), diff;
	char text[ADDR_STRLEN];

	why[0] = '\0';
	for (size_t i = 0; k->opts.if_sessions && i < k->nup; i++) {
		p = engine_peer(k->eng, &k->up[i]);
		if (p == NULL || !p->conf->enabled || p->up != NULL)
			continue;
		snprintf(why, n, "neighbor %s was up and is not",
		    addr_print(&k->up[i], text, sizeof text));
		return;
	}
	diff = now > k->accepted ? now - k->accepted : k->accepted - now;
	if (k->opts.if_accepted && diff * 100 > k->accepted * k->opts.within)
		snprintf(why, n,
		    "%" PRIu64 " routes are accepted, %" PRIu64
		    " were, which is not within %u %%",
		    now, k->accepted, k->opts.within);
}

static void
on_end(void *arg, uint64_t now_ms)
{
	struct commit *k = arg;
	char why[256];
	bool asked = k->opts.if_sessions || k->opts.if_accepted;

	judge(k, why, sizeof why);
	if (asked && why[0] == '\0') {
		log_info("reload: the conditions hold, confirmed");
		commit_confirm(k->eng);
		return;
	}
	snprintf(k->why, sizeof k->why,
	    "the reload was not confirmed in %u s%s%s", k->opts.confirm_s,
	    why[0] != '\0' ? ": " : "", why);
	drop_load(k);
	k->back = true;
	k->load = load_text_again(k->eng, k->confirmed);
}

/* ---- commit.h --------------------------------------------------------- */

struct commit *
commit_new(struct engine *eng, const char *alarm)
{
	struct commit *k = mem_alloc(sizeof *k);
	struct conf_reader r;

	k->eng = eng;
	timer_init(&k->timer, "reload", on_end, k);
	timer_init(&k->retry, "StateTimer", on_retry, k);
	strlcpy(k->alarm, alarm, sizeof k->alarm);
	commit_reader(eng, &r);
	k->previous = state_text(&r, PREVIOUS, NULL);
	if (alarm[0] != '\0') {
		log_warnx("ALARM: %s", alarm);
		k->confirmed = conf_print(eng->conf, 0);
		k->recorded = record_read(&r, &k->record);
		return k;
	}
	confirm_running(k);
	forget_record(k);
	return k;
}

void
commit_free(struct commit *k)
{
	if (k == NULL)
		return;
	drop_load(k);
	close_window(k);
	timer_stop(&k->eng->timers, &k->retry);
	free(k->confirmed);
	free(k->previous);
	free(k);
}

const char *
commit_alarm(const struct engine *eng)
{
	return eng->commit != NULL ? eng->commit->alarm : "";
}

int64_t
commit_left(const struct engine *eng)
{
	const struct commit *k = eng->commit;

	if (k == NULL || !k->open)
		return -1;
	if (!k->timer.armed)
		return 0; /* it is on its way back */
	return (int64_t)(timer_left(&k->timer, eng->now_ms) + 999) / 1000;
}

bool
commit_apply(struct engine *eng, struct conf *c, const struct commit_opts *o,
    char *why, size_t n)
{
	struct commit *k = eng->commit;

	if (k == NULL) { /* before it is made: nothing to come back to */
		engine_apply(eng, c);
		return true;
	}
	if (k->open) {
		snprintf(why, n,
		    "an earlier reload waits to be confirmed for %lld s more: "
		    "\"reload confirm\" or \"reload undo\" first",
		    (long long)commit_left(eng));
		conf_free(c);
		return false;
	}
	set_text(&k->previous, running_text(k));
	keep_previous(k);
	if (o->confirm_s != 0) {
		open_window(k, o);
		record(k, c, clock_real_s() + o->confirm_s);
	}
	engine_apply(eng, c);
	k->alarm[0] = '\0';
	if (o->confirm_s == 0) {
		confirm_running(k);
		forget_record(k);
	}
	return true;
}

bool
commit_confirm(struct engine *eng)
{
	struct commit *k = eng->commit;

	if (k == NULL || !k->open)
		return false;
	close_window(k);
	confirm_running(k);
	forget_record(k);
	event(eng->events, EVENT_RELOAD_CONFIRMED, LOG_L_INFO, NULL, NULL,
	    "reload confirmed, generation %u", eng->generation);
	return true;
}

struct commit_load *
commit_load_undo(struct engine *eng, char *why, size_t n)
{
	struct commit *k = eng->commit;

	/* What is taken back now must not come by a SIGHUP of before. */
	if (k != NULL && k->load != NULL && !k->back &&
	    (k->open || k->previous != NULL)) {
		log_info("reload: what SIGHUP asked for is undone");
		drop_load(k);
		k->again = false;
	}
	if (k != NULL && k->open)
		return load_text_again(eng, k->confirmed);
	if (k != NULL && k->previous != NULL)
		return load_text_again(eng, k->previous);
	snprintf(why, n, "there is no earlier configuration");
	return NULL;
}

char *
commit_reload(struct engine *eng, struct commit_load *l,
    const struct commit_opts *o, char **warnings)
{
	struct conf *c = commit_load_take(l);
	char *text, why[256], generation[12];
	struct log_word w[] = { { "generation", generation }, { NULL, NULL } };

	text = diag_list_text(&l->dl,
	    c != NULL ? "configuration in force"
		      : "running configuration unchanged");
	if (c != NULL && !commit_apply(eng, c, o, why, sizeof why)) {
		free(text);
		event(eng->events, EVENT_RELOAD_FAILED, LOG_L_WARN, NULL, NULL,
		    "reload of %s refused: %s", eng->opts.conf_path, why);
		return mem_strdup(why);
	}
	eng->reload_s = clock_real_s();
	eng->reload_ok = c != NULL;
	if (c == NULL) {
		event(eng->events, EVENT_RELOAD_FAILED, LOG_L_WARN, NULL, NULL,
		    "reload of %s failed: %s", eng->opts.conf_path, text);
		return text;
	}
	snprintf(generation, sizeof generation, "%u", eng->generation);
	event(eng->events, EVENT_RELOAD, LOG_L_INFO, NULL, w,
	    "reload of %s done, generation %u", eng->opts.conf_path,
	    eng->generation);
	if (warnings != NULL)
		*warnings = text;
	else
		free(text);
	return NULL;
}
