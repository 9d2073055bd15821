#include "bgpd/sets_find.h"

#include <stdlib.h>
#include <string.h>

#include "bgpd/commit.h"
#include "bgpd/conf_set.h"
#include "bgpd/conf_tree.h"
#include "bgpd/engine.h"
#include "lib/mem.h"
#include "policy/pfxfile.h"

enum {
	SLICE_ENTRIES = 8192,
	SLICE_OCTETS = 512 * 1024,
};

struct sets_find {
	struct engine *eng;
	struct conf_reader r;
	uint32_t generation, sets_loaded;
	char *name; /* of the set */
	struct pfxset_entry want;
	size_t next; /* file of the set */
	struct conf_file f; /* the one under way, data NULL: none */
	struct conf_digest *digest;
	size_t digested;
	struct pfxfile_work *work;
	struct pfxfile res;
	char *file; /* where it was found */
};

struct sets_find *
sets_find_new(struct engine *eng, const struct conf_set *s,
    const struct pfxset_entry *want)
{
	struct sets_find *x = mem_alloc(sizeof *x);

	x->eng = eng;
	commit_reader(eng, &x->r);
	x->generation = eng->generation;
	x->sets_loaded = eng->sets_loaded;
	x->name = mem_strdup(s->name);
	x->want = *want;
	return x;
}

static void
close_list(struct sets_find *x)
{
	char none[CONF_DIGEST_LEN];

	if (x->digest != NULL)
		conf_digest_end(x->digest, none);
	if (x->work != NULL)
		pfxfile_end(x->work);
	free(x->f.data);
	x->f.data = NULL;
	x->digest = NULL;
	x->work = NULL;
	x->digested = 0;
}

void
sets_find_free(struct sets_find *x)
{
	if (x == NULL)
		return;
	close_list(x);
	free(x->name);
	free(x->file);
	free(x);
}

/* Loaded by hand, or of before the start: it is in the state directory. */
static char *
path_of(const struct sets_find *x, const struct conf_set *s)
{
	const char *conf = x->eng->opts.conf_path, *slash = strrchr(conf, '/');
	const char *name = s->file[x->next];
	char *kept = conf_set_list_name(s), *path;

	if (s->loaded != NULL)
		path = mem_printf("%s/%s", x->eng->opts.state_dir, kept);
	else if (s->refused != NULL && strncmp(name, "set-", 4) == 0)
		path = mem_printf("%s/%s", x->eng->opts.state_dir, name);
	else if (name[0] == '/' || slash == NULL)
		path = mem_strdup(name);
	else
		path = mem_printf("%.*s/%s", (int)(slash - conf), conf, name);
	free(kept);
	return path;
}

static void
open_list(struct sets_find *x, const struct conf_set *s)
{
	char *path = path_of(x, s);

	if (x->r.read(x->r.arg, path, &x->f) != 0)
		x->f.data = NULL;
	else
		x->digest = conf_digest_begin();
	free(path);
}

/* False: the list is not what the set was made from. */
static bool
same_list(struct sets_find *x, const struct conf_set *s)
{
	char digest[CONF_DIGEST_LEN];

	conf_digest_end(x->digest, digest);
	x->digest = NULL;
	return s->src[x->next].digest[0] == '\0' ||
	    strcmp(digest, s->src[x->next].digest) == 0;
}

/* One piece of the list under way; false: it is over. */
static bool
look(struct sets_find *x, const struct conf_set *s)
{
	size_t n;

	if (x->digest != NULL) {
		n = x->f.len - x->digested;
		n = n < SLICE_OCTETS ? n : SLICE_OCTETS;
		conf_digest_add(x->digest, x->f.data + x->digested, n);
		x->digested += n;
		return x->digested < x->f.len || same_list(x, s);
	}
	if (x->work == NULL)
		x->work = pfxfile_find(x->f.data, x->f.len, &x->want, &x->res);
	return pfxfile_run(x->work, SLICE_ENTRIES);
}

bool
sets_find_run(struct sets_find *x)
{
	const struct conf_set *s = conf_set_find(x->eng->conf, x->name);

	if (x->generation != x->eng->generation || x->file != NULL ||
	    x->sets_loaded != x->eng->sets_loaded || x->next == s->nfile)
		return false;
	if (x->f.data == NULL)
		open_list(x, s);
	if (x->f.data != NULL && look(x, s))
		return true;
	if (x->work != NULL && x->res.line != 0 && x->res.error[0] == '\0')
		x->file = mem_strdup(s->file[x->next]);
	close_list(x);
	x->next++;
	return true;
}

const char *
sets_find_file(const struct sets_find *x, size_t *line)
{
	*line = x->res.line;
	return x->file;
}
