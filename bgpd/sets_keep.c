/*
 * sets_keep.c -- what is done about sets in the course of time: the alarm of
 * one that becomes older than its max-age, and the copies in the state
 * directory of what is in force, for a start with a list that cannot be used.
 * One file a set, at most PFXFILE_MAX_ENTRIES entries, written in slices; not
 * fsynced, because a torn one is known by its missing end.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bgpd/conf_set.h"
#include "bgpd/engine.h"
#include "bgpd/log.h"
#include "bgpd/sets.h"
#include "bgpd/state.h"
#include "lib/mem.h"
#include "policy/pfxfile.h"
#include "policy/pfxset.h"

enum {
	COPY_ENTRIES = 4096, /* written in a slice */
	LOOK_S = 3600, /* the clock may be set: no longer without a look */
};

/* A loaded list that could not be written. */
struct unkept {
	char *set;
	char digest[CONF_DIGEST_LEN];
	char *data;
	size_t len;
};

struct sets_keep {
	struct engine *eng;
	struct timer age, retry;
	struct unkept *unkept;
	size_t nunkept;
	bool changed; /* begin again */
	size_t next; /* set whose copy is looked at or written */
	FILE *f; /* the copy under way */
	char *path, *beside;
	struct pfxset_entry at;
};

/* ---- age -------------------------------------------------------------- */

bool
sets_is_old(const struct engine *eng, const struct conf_set *s)
{
	return s->max_age_s != 0 && s->oldest != 0 &&
	    engine_real_s(eng) - s->oldest > (int64_t)s->max_age_s;
}

/* Tells of each set once, and comes again when the next one may be due. */
static void
look_at_ages(void *arg, uint64_t now_ms)
{
	struct sets_keep *k = arg;
	struct engine *eng = k->eng;
	int64_t next = LOOK_S, left;
	bool any = false;

	for (size_t i = 0; i < eng->conf->nset; i++) {
		struct conf_set *s = &eng->conf->set[i];

		if (s->max_age_s == 0 || s->oldest == 0)
			continue;
		any = true;
		if (!sets_is_old(eng, s)) {
			s->old_told = false;
			left =
			    s->oldest + s->max_age_s + 1 - engine_real_s(eng);
			next = left < next ? left : next;
		} else if (!s->old_told) {
			s->old_told = true;
			event(eng->events, EVENT_SET_OLD, LOG_L_WARN, NULL,
			    NULL,
			    "ALARM: prefix-set %s is older than its max-age of "
			    "%u s",
			    s->name, s->max_age_s);
		}
	}
	if (any)
		timer_set(&eng->timers, &k->age, now_ms, (uint64_t)next * 1000);
}

/* ---- loaded lists ----------------------------------------------------- */

static void
try_again(struct sets_keep *k)
{
	if (!k->retry.armed)
		timer_set(
		    &k->eng->timers, &k->retry, k->eng->now_ms, STATE_RETRY_MS);
}

static int
write_list(
    struct engine *eng, const struct conf_set *s, const char *data, size_t len)
{
	const char *dir = eng->opts.state_dir;
	char *record = conf_set_record_name(s), *list = conf_set_list_name(s);
	char *text = conf_set_record(s);
	int err = state_write(dir, list, data, len);

	if (err == 0)
		err = state_write(dir, record, text, strlen(text));
	if (err != 0)
		log_warnx("prefix-set %s: the state directory: %s; until it "
			  "can be written, which is tried every minute, a "
			  "restart reads its own files",
		    s->name, strerror(-err));
	free(record);
	free(list);
	free(text);
	return err;
}

static void
remove_list(struct engine *eng, const struct conf_set *s)
{
	char *record = conf_set_record_name(s), *list = conf_set_list_name(s);

	state_remove(eng->opts.state_dir, record);
	state_remove(eng->opts.state_dir, list);
	free(record);
	free(list);
}

static void
free_unkept(struct sets_keep *k, size_t i)
{
	free(k->unkept[i].set);
	free(k->unkept[i].data);
	k->unkept[i] = k->unkept[--k->nunkept];
}

void
sets_keep_list(
    struct engine *eng, const struct conf_set *s, const struct conf_file *f)
{
	struct sets_keep *k = eng->sets;
	struct unkept *u;

	for (size_t i = k->nunkept; i-- > 0;)
		if (strcmp(k->unkept[i].set, s->name) == 0)
			free_unkept(k, i);
	if (s->loaded == NULL) {
		remove_list(eng, s);
		return;
	}
	if (write_list(eng, s, f->data, f->len) == 0)
		return;
	k->unkept = mem_realloc(k->unkept, k->nunkept + 1, sizeof *k->unkept);
	u = &k->unkept[k->nunkept++];
	u->set = mem_strdup(s->name);
	strlcpy(u->digest, s->src[0].digest, sizeof u->digest);
	u->data = mem_alloc(f->len + 1);
	memcpy(u->data, f->data, f->len);
	u->len = f->len;
	try_again(k);
}

/* Written, or not in force any more. */
static bool
is_over(struct sets_keep *k, const struct unkept *u)
{
	const struct conf_set *s = conf_set_find(k->eng->conf, u->set);

	return s == NULL || s->loaded == NULL ||
	    strcmp(s->src[0].digest, u->digest) != 0 ||
	    write_list(k->eng, s, u->data, u->len) == 0;
}

static void
on_retry(void *arg, uint64_t now)
{
	struct sets_keep *k = arg;

	(void)now;
	k->changed = true; /* copies that are there are not written again */
	for (size_t i = k->nunkept; i-- > 0;)
		if (is_over(k, &k->unkept[i]))
			free_unkept(k, i);
	if (k->nunkept > 0)
		try_again(k);
}

/* ---- copies ----------------------------------------------------------- */

static void
no_copy(struct sets_keep *k, const char *path)
{
	log_warnx("%s: %s; until it can be written, which is tried every "
		  "minute, a start with a bad list has nothing to go back to",
	    path, strerror(errno));
	try_again(k);
}

static void
close_copy(struct sets_keep *k, bool whole)
{
	bool bad;

	if (k->f == NULL)
		return;
	bad = ferror(k->f) != 0;
	bad |= fclose(k->f) != 0;
	if (!whole || bad || rename(k->beside, k->path) == -1) {
		if (whole)
			no_copy(k, k->path);
		unlink(k->beside);
	}
	free(k->path);
	free(k->beside);
	k->f = NULL;
}

/* Is there a whole copy of just that? */
static bool
is_kept(const char *path, const struct conf_set *s)
{
	const char *want = s->loaded != NULL ? s->src[0].digest : s->own;
	char digest[CONF_DIGEST_LEN], text[256];
	struct conf_file f = { .data = text };
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	ssize_t a, b;
	int64_t time;

	if (fd == -1)
		return false;
	a = pread(fd, text, 128, 0);
	b = lseek(fd, -32, SEEK_END);
	b = a == 128 && b >= 0 ? read(fd, text + a, 32) : -1;
	close(fd);
	if (b != 32)
		return false;
	f.len = (size_t)(a + b);
	text[f.len] = '\0';
	return conf_set_copy_head(&f, &time, digest) &&
	    strcmp(digest, want) == 0;
}

/* False: it has one, or can have none. */
static bool
open_copy(struct sets_keep *k, const struct conf_set *s)
{
	const char *dir = k->eng->opts.state_dir;
	char *name;
	int fd;

	if (s->nfile == 0 || !s->usable || s->refused != NULL ||
	    s->entries == 0 || s->entries > PFXFILE_MAX_ENTRIES)
		return false;
	name = conf_set_copy_name(s);
	k->path = mem_printf("%s/%s", dir, name);
	k->beside = mem_printf("%s/.%s.new", dir, name);
	free(name);
	if (!is_kept(k->path, s)) {
		fd = open(k->beside,
		    O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW,
		    0640);
		k->f = fd != -1 ? fdopen(fd, "w") : NULL;
		if (k->f == NULL)
			no_copy(k, k->beside);
	}
	if (k->f == NULL) {
		free(k->path);
		free(k->beside);
	}
	k->at = (struct pfxset_entry){ 0 };
	return k->f != NULL;
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Copies of sets that are gone, or have no lists any more. */
static void
remove_others(struct sets_keep *k)
{
	const struct conf *c = k->eng->conf;
	char **name = mem_alloc((c->nset + 1) * sizeof *name);
	DIR *d = opendir(k->eng->opts.state_dir);
	const struct dirent *e;
	size_t n = 0;

	for (size_t i = 0; i < c->nset; i++)
		if (c->set[i].nfile > 0 || !c->set[i].usable)
			name[n++] = conf_set_copy_name(&c->set[i]);
	qsort(name, n, sizeof *name, by_name);
	while (d != NULL && (e = readdir(d)) != NULL) {
		const char *file = e->d_name, *dot = strrchr(file, '.');

		if (strncmp(file, "set-", 4) == 0 && dot != NULL &&
		    strcmp(dot, ".copy") == 0 &&
		    bsearch(&file, name, n, sizeof *name, by_name) == NULL)
			unlinkat(dirfd(d), file, 0);
	}
	if (d != NULL)
		closedir(d);
	while (n > 0)
		free(name[--n]);
	free(name);
}

bool
sets_run(struct engine *eng)
{
	struct sets_keep *k = eng->sets;
	const struct conf *c = eng->conf;
	bool more = false;

	if (eng->opts.state_dir == NULL)
		return false;
	if (k->changed) {
		close_copy(k, false);
		k->changed = false;
		k->next = 0;
	}
	if (k->next > c->nset)
		return false;
	if (k->next == c->nset)
		remove_others(k);
	else if (k->f != NULL || open_copy(k, &c->set[k->next])) {
		conf_set_copy_write(
		    &c->set[k->next], k->f, &k->at, COPY_ENTRIES, &more);
		if (more)
			return true;
		close_copy(k, true);
	}
	k->next++;
	return true;
}

/* ---- life ------------------------------------------------------------- */

void
sets_changed(struct engine *eng)
{
	eng->sets->changed = true;
	timer_stop(&eng->timers, &eng->sets->age);
	look_at_ages(eng->sets, eng->now_ms);
}

struct sets_keep *
sets_keep_new(struct engine *eng)
{
	struct sets_keep *k = mem_alloc(sizeof *k);

	k->eng = eng;
	k->next = SIZE_MAX;
	timer_init(&k->age, "sets", look_at_ages, k);
	timer_init(&k->retry, "sets again", on_retry, k);
	return k;
}

void
sets_keep_free(struct sets_keep *k)
{
	close_copy(k, false);
	timer_stop(&k->eng->timers, &k->age);
	timer_stop(&k->eng->timers, &k->retry);
	while (k->nunkept > 0)
		free_unkept(k, 0);
	free(k->unkept);
	free(k);
}
