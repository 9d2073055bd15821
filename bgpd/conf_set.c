#include "bgpd/conf_set.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "bgpd/conf_build.h"
#include "lib/mem.h"
#include "policy/asnset.h"
#include "policy/pfxfile.h"
#include "policy/pfxset.h"

/* ---- content ---------------------------------------------------------- */

static bool
is(const struct conf_node *n, const char *name)
{
	return !n->bad && n->schema != NULL &&
	    strcmp(n->schema->name, name) == 0;
}

static void
origins(struct conf_set *s, const struct conf_word *w)
{
	size_t i;

	if (w->kind != WORD_LIST)
		pfxset_add_origin(s->set, (uint32_t)w->num);
	for (i = 0; i < w->nitem; i++)
		pfxset_add_origin(s->set, (uint32_t)w->item[i].num);
}

/* A range that cannot be was told of by conf_policy.c. */
static void
entry(struct conf_set *s, const struct conf_entry *e)
{
	pfxset_add(s->set, &e->pfx, e->lo, e->hi);
}

/* From *at on, up to so many; true: more is left. */
static bool
entries_of(struct conf_set *s, size_t *at, size_t most)
{
	const struct conf_node *b = s->block;
	struct conf_entry e;

	for (; *at < b->nentry; ++*at) {
		if (most-- == 0)
			return true;
		entry(s, &b->entry[*at]);
	}
	/* Those that the parser did not take; they are few. */
	for (size_t i = 0; i < b->nchild; i++)
		if (is(b->child[i], "")) {
			conf_entry_of(b->child[i], &e);
			entry(s, &e);
		}
	return false;
}

/* Empty but for the entries of its block. */
static void
init_full(struct conf_set *s, const struct conf_node *block)
{
	size_t at = 0;

	conf_set_init(s, block);
	entries_of(s, &at, SIZE_MAX);
}

static void
limit(struct conf_set_limit *l, const struct conf_node *n)
{
	l->pct = (uint32_t)n->word[1].num;
	l->min = n->nword > 3 ? (uint32_t)n->word[3].num : 0;
}

void
conf_set_init(struct conf_set *s, const struct conf_node *block)
{
	size_t i;

	*s = (struct conf_set){ .name = mem_strdup(conf_word_text(block, 1)),
		.as_set = block->nword > 2
		    ? mem_strdup(conf_word_text(block, 2))
		    : NULL,
		.pos = block->word[1].pos,
		.block = block,
		.shrink = { 30, 10 },
		.growth = { 400, 500 },
		.usable = true };
	s->set = pfxset_new(s->name);
	for (i = 0; i < block->nchild; i++) {
		const struct conf_node *n = block->child[i];

		if (is(n, "max-age"))
			s->max_age_s = (uint32_t)n->word[1].num;
		else if (is(n, "shrink-limit"))
			limit(&s->shrink, n);
		else if (is(n, "growth-limit"))
			limit(&s->growth, n);
		else if (is(n, "empty"))
			s->may_be_empty = conf_word_is(n, 1, "accept");
		else if (is(n, "origin"))
			origins(s, &n->word[1]);
	}
	/* What the filter store had may be gone: not the same as nothing. */
	if (block->made && build_get(block, "file") == NULL) {
		s->usable = false;
		s->refused = mem_strdup("the filter store has no list for it");
	}
}

void
conf_set_fini(struct conf_set *s)
{
	size_t k;

	for (k = 0; k < s->nfile; k++)
		free(s->file[k]);
	free(s->file);
	free(s->src);
	free(s->loaded);
	free(s->refused);
	free(s->name);
	free(s->as_set);
	pfxset_free(s->set);
}

static void
add_file(struct conf_set *s, const char *name, const struct conf_set_src *src)
{
	s->file = mem_realloc(s->file, s->nfile + 1, sizeof(*s->file));
	s->src = mem_realloc(s->src, s->nfile + 1, sizeof(*s->src));
	s->src[s->nfile] = *src;
	s->file[s->nfile++] = mem_strdup(name);
}

/* One digest over what all its files are. */
static void
digest_files(const struct conf_set *s, char out[CONF_DIGEST_LEN])
{
	char *all = mem_strdup(""), *t;

	for (size_t i = 0; i < s->nfile; i++) {
		t = mem_printf("%s%s\n", all, s->src[i].digest);
		free(all);
		all = t;
	}
	conf_digest(all, strlen(all), out);
	free(all);
}

/* Once all is in: counts; a set that cannot be used becomes empty. */
static void
set_done(struct conf_set *s)
{
	if (s->loaded == NULL)
		digest_files(s, s->own);
	if (!s->usable) {
		pfxset_free(s->set);
		s->set = pfxset_new(s->name);
	}
	if (s->nfile > 0)
		pfxset_set_digest(s->set, s->src[0].digest);
	s->entries =
	    pfxset_count(s->set, FAM_INET) + pfxset_count(s->set, FAM_INET6);
}

/* ---- loaded by hand, and kept ----------------------------------------- */

/* Names of sets are words, which may contain what a file's name must not. */
static char *
state_name(const struct conf_set *s, const char *suffix)
{
	char digest[CONF_DIGEST_LEN];

	conf_digest(s->name, strlen(s->name), digest);
	return mem_printf("set-%.16s.%s", digest, suffix);
}

char *
conf_set_record_name(const struct conf_set *s)
{
	return state_name(s, "state");
}

char *
conf_set_list_name(const struct conf_set *s)
{
	return state_name(s, "list");
}

char *
conf_set_copy_name(const struct conf_set *s)
{
	return state_name(s, "copy");
}

char *
conf_set_record(const struct conf_set *s)
{
	struct conf_word name = { .kind = WORD_STRING, .text = s->loaded };
	char *buf = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&buf, &size);

	if (f == NULL)
		abort();
	fprintf(f, "loaded %s {\n\tfile ", s->name);
	conf_word_print(f, &name);
	fprintf(f,
	    ";\n\ttime %" PRId64 ";\n\tdigest \"%s\";\n\treplaces \"%s\";\n}\n",
	    s->loaded_s, s->src[0].digest, s->own);
	fclose(f);
	return buf;
}

static bool
read_state(const struct conf_reader *r, char *name, struct conf_file *f)
{
	char *path = mem_printf("%s/%s", r->state_dir, name);
	int err = r->read(r->arg, path, f);

	free(path);
	free(name);
	return err == 0;
}

/* ---- the copy of what is in force ------------------------------------- */

#define COPY_END "# end\n"

void
conf_set_copy_write(const struct conf_set *s, FILE *f, struct pfxset_entry *at,
    size_t entries, bool *more)
{
	const struct asnset *asn = pfxset_origins(s->set);
	char p[PFX_STRLEN];

	if (at->pfx.addr.fam == FAM_NONE)
		fprintf(f, "# %s %" PRId64 "\nprefix-set kept {\n",
		    s->loaded != NULL ? s->src[0].digest : s->own, s->oldest);
	for (*more = true; entries > 0; entries--) {
		*more = pfxset_next(s->set, at);
		if (!*more)
			break;
		fprintf(f, "\t%s prefixlen %u - %u\n",
		    pfx_print(&at->pfx, p, sizeof(p)), at->lo, at->hi);
	}
	if (*more)
		return;
	fprintf(f, "}\nas-set kept {\n");
	for (size_t i = 0; asn != NULL && i < asnset_count(asn); i++)
		fprintf(f, "\t%u\n", asnset_at(asn, i));
	fprintf(f, "}\n" COPY_END);
}

bool
conf_set_copy_head(
    const struct conf_file *f, int64_t *time, char digest[CONF_DIGEST_LEN])
{
	size_t n = strlen(COPY_END);

	return f->len > n && strcmp(f->data + f->len - n, COPY_END) == 0 &&
	    sscanf(f->data, "# %64[0-9a-f] %" SCNd64 "\n", digest, time) == 2;
}

/* ---- loaded by hand, and kept ----------------------------------------- */

struct kept {
	char *file;
	int64_t time;
	char digest[CONF_DIGEST_LEN], replaces[CONF_DIGEST_LEN];
};

static bool
read_record(
    const struct conf_set *s, const struct conf_reader *r, struct kept *k)
{
	struct conf_file f = { 0 };
	const struct conf_node *n;
	struct diag_list dl;
	struct conf_tree *t;
	bool good;

	*k = (struct kept){ 0 };
	if (!read_state(r, conf_set_record_name(s), &f))
		return false;
	diag_list_init(&dl);
	t = conf_tree_parse("set", f.data, f.len, &dl);
	n = t->root.nchild == 1 ? t->root.child[0] : NULL;
	good = n != NULL && dl.nerror == 0 && conf_word_is(n, 0, "loaded") &&
	    conf_word_is(n, 1, s->name);
	for (size_t i = 0; good && i < n->nchild; i++) {
		const char *v = conf_word_text(n->child[i], 1);

		if (conf_word_is(n->child[i], 0, "file") && k->file == NULL)
			k->file = mem_strdup(v);
		else if (conf_word_is(n->child[i], 0, "time"))
			k->time = strtoll(v, NULL, 10);
		else if (conf_word_is(n->child[i], 0, "digest"))
			strlcpy(k->digest, v, sizeof(k->digest));
		else if (conf_word_is(n->child[i], 0, "replaces"))
			strlcpy(k->replaces, v, sizeof(k->replaces));
	}
	conf_tree_free(t);
	diag_list_fini(&dl);
	free(f.data);
	return good && k->file != NULL;
}

/* ---- unchanged? ------------------------------------------------------- */

/* The running set that may turn out to be the same, or NULL. */
static const struct conf_set *
twin_of(const struct conf_set *s, const struct conf_reader *r)
{
	const struct conf_set *twin =
	    r->running != NULL ? conf_set_find(r->running, s->name) : NULL;

	return twin != NULL && twin->usable && twin->loaded == NULL &&
		twin->refused == NULL
	    ? twin
	    : NULL;
}

static bool
has_child(const struct conf_node *block, const char *name)
{
	for (size_t i = 0; i < block->nchild; i++)
		if (is(block->child[i], name))
			return true;
	return false;
}

/* Must their lists be of the same?  Of "irr as-set" no statement says it. */
static bool
same_as_set(const struct conf_set *a, const struct conf_set *b)
{
	if (a->as_set == NULL || b->as_set == NULL)
		return a->as_set == b->as_set;
	return strcmp(a->as_set, b->as_set) == 0;
}

/* Nothing but entries, and the same ones? */
static bool
same_entries(const struct conf_node *a, const struct conf_node *b)
{
	static const char *const more[] = { "", "file", "origin" };

	if (a->nentry != b->nentry || a->made || b->made)
		return false;
	for (size_t i = 0; i < sizeof(more) / sizeof(more[0]); i++)
		if (has_child(a, more[i]) || has_child(b, more[i]))
			return false;
	for (size_t i = 0; i < a->nentry; i++) {
		const struct conf_entry *x = &a->entry[i], *y = &b->entry[i];

		if (!pfx_eq(&x->pfx, &y->pfx) || x->lo != y->lo ||
		    x->hi != y->hi)
			return false;
	}
	return true;
}

/* ---- a list on its way into a set ------------------------------------- */

enum {
	DIGEST_ENTRY = 64, /* octets of digest that cost as much as an entry */
	OPEN_ENTRIES = 64, /* likewise to open a file */
};

struct list {
	struct conf_file f;
	bool borrowed; /* its data */
	struct conf_set_src src;
	struct conf_digest *digest; /* NULL: done, or not wanted */
	size_t digested;
	struct pfxset *into; /* NULL: only the digest */
	struct pfxfile_work *parse;
	struct pfxfile res;
};

static size_t
spend(size_t *entries, size_t n)
{
	n = n < *entries ? n : *entries;
	*entries -= n;
	return n;
}

static void
list_begin(
    struct list *l, const struct conf_file *f, struct pfxset *into, bool digest)
{
	*l = (struct list){
		.f = *f, .src = { .mtime = f->mtime }, .into = into
	};
	if (digest)
		l->digest = conf_digest_begin();
}

static bool
list_run(struct list *l, size_t *entries)
{
	size_t left, n;

	if (l->digest != NULL) {
		left = l->f.len - l->digested;
		n = spend(entries, left / DIGEST_ENTRY + 1) * DIGEST_ENTRY;
		n = n < left ? n : left;
		conf_digest_add(l->digest, l->f.data + l->digested, n);
		l->digested += n;
		if (l->digested < l->f.len || *entries == 0)
			return true;
		conf_digest_end(l->digest, l->src.digest);
		l->digest = NULL;
	}
	if (l->into == NULL)
		return false;
	if (l->parse == NULL)
		l->parse = pfxfile_begin(l->f.data, l->f.len, l->into, &l->res);
	n = l->res.inet + l->res.inet6 + l->res.asns;
	if (pfxfile_run(l->parse, *entries)) {
		*entries = 0;
		return true;
	}
	spend(entries, l->res.inet + l->res.inet6 + l->res.asns - n + 1);
	return false;
}

/* "RADB::AS-ONE" is AS-ONE; bgpq4 calls a list NN that it has no name for. */
static bool
is_of(const char *list, const char *as_set)
{
	const char *colon = strstr(as_set, "::");

	return list[0] == '\0' || strcmp(list, "NN") == 0 ||
	    strcmp(list, as_set) == 0 ||
	    (colon != NULL && strcmp(list, colon + 2) == 0);
}

/* What it was goes into the set; false: it could not be read. */
static bool
list_end(struct list *l, struct conf_set *s, const char *name)
{
	bool good = l->parse == NULL || pfxfile_end(l->parse);

	if (good && s->as_set != NULL && !is_of(l->res.name, s->as_set)) {
		good = false;
		l->res.line = 1;
		snprintf(l->res.error, sizeof(l->res.error),
		    "it is the list of %s, not of %.63s", l->res.name,
		    s->as_set);
	}

	l->parse = NULL;
	l->src.entries = l->res.inet + l->res.inet6;
	add_file(s, name, &l->src);
	if (s->oldest == 0 || l->src.mtime < s->oldest)
		s->oldest = l->src.mtime;
	if (!good && s->refused == NULL)
		s->refused = mem_printf(
		    "\"%s\" line %zu: %s", name, l->res.line, l->res.error);
	s->usable &= good;
	return good;
}

static void
list_fini(struct list *l)
{
	char none[CONF_DIGEST_LEN];

	if (l->digest != NULL)
		conf_digest_end(l->digest, none);
	if (l->parse != NULL)
		pfxfile_end(l->parse);
	if (!l->borrowed)
		free(l->f.data);
	*l = (struct list){ 0 };
}

/* ---- a set in the making ---------------------------------------------- */

enum phase {
	ENTRIES, /* of its block */
	COMPARE, /* its files with those of the running set */
	READ, /* them */
	RECALL, /* what was loaded by hand in their place */
	COPY, /* what was in force before the boot */
	GIVEN, /* one list in the place of its files */
	DONE,
};

struct conf_set_work {
	const struct conf_reader *r;
	struct conf_set *s;
	conf_set_say *say;
	void *arg;
	enum phase phase;
	size_t entry, child; /* of the block: the next to look at */
	const struct conf_word *word; /* the file's, of COMPARE and READ */
	const struct conf_set *twin;
	bool own_only; /* of its files, and what they say now */
	bool busy; /* list is under way */
	struct list list;
	struct conf_set fresh; /* of RECALL and COPY */
	struct kept kept;
};

struct conf_set_work *
conf_set_begin(struct conf_set *s, const struct conf_reader *r,
    conf_set_say *say, void *arg)
{
	struct conf_set_work *w = mem_alloc(sizeof(*w));

	w->r = r;
	w->s = s;
	w->say = say;
	w->arg = arg;
	w->twin = twin_of(s, r);
	return w;
}

static char *
path_of(const struct conf_reader *r, const char *name)
{
	return name[0] == '/'
	    ? mem_strdup(name)
	    : mem_printf("%s/%s", r->dir != NULL ? r->dir : ".", name);
}

/* The next of its files; false: there is none. */
static bool
next_file(struct conf_set_work *w)
{
	const struct conf_node *b = w->s->block;

	for (; w->child < b->nchild; w->child++)
		if (is(b->child[w->child], "file")) {
			w->word = &b->child[w->child++]->word[1];
			return true;
		}
	return false;
}

static void
take_entries(struct conf_set_work *w, size_t *entries)
{
	struct conf_set *s = w->s;
	size_t from = w->entry;

	if (from == 0 && w->twin != NULL &&
	    same_entries(s->block, w->twin->block)) {
		pfxset_share(s->set, w->twin->set);
		w->phase = READ;
		return;
	}
	if (entries_of(s, &w->entry, *entries)) {
		*entries = 0;
		return;
	}
	spend(entries, w->entry - from);
	w->phase = w->twin != NULL && w->twin->nfile > 0 &&
		same_as_set(s, w->twin) &&
		conf_same_node(s->block, w->twin->block)
	    ? COMPARE
	    : READ;
}

/* They are not the same: all from the beginning. */
static void
differs(struct conf_set_work *w)
{
	const struct conf_node *block = w->s->block;

	conf_set_fini(w->s);
	init_full(w->s, block);
	w->child = 0;
	w->phase = READ;
}

static void
open_file(struct conf_set_work *w)
{
	struct conf_file f = { 0 };
	char *path = path_of(w->r, w->word->text);
	int err = conf_file_read(w->r, path, &f);

	free(path);
	if (err == 0) {
		list_begin(&w->list, &f, w->phase == COMPARE ? NULL : w->s->set,
		    !w->r->check);
		w->busy = true;
	} else if (w->phase == COMPARE) {
		differs(w);
	} else {
		if (w->s->refused == NULL)
			w->s->refused = mem_printf("cannot read \"%s\": %s",
			    w->word->text, strerror(-err));
		w->s->usable = false;
		w->say(w->arg, w->s, w->word, err, NULL);
	}
}

static void
close_file(struct conf_set_work *w)
{
	struct conf_set *s = w->s;
	size_t n = s->nfile;

	if (w->phase == READ || w->phase == GIVEN) {
		list_end(
		    &w->list, s, w->phase == READ ? w->word->text : s->loaded);
		w->say(w->arg, s, w->word, 0, &w->list.res);
	} else if (n < w->twin->nfile &&
	    strcmp(w->twin->src[n].digest, w->list.src.digest) == 0) {
		list_end(&w->list, s, w->word->text);
		s->src[n].entries = w->twin->src[n].entries;
	} else
		differs(w);
	list_fini(&w->list);
	w->busy = false;
}

/* All files of COMPARE or READ were looked at. */
static void
end_files(struct conf_set_work *w)
{
	struct conf_set *s = w->s;

	if (w->phase == READ) {
		set_done(s);
		w->phase = w->own_only ? DONE : RECALL;
	} else if (s->nfile == w->twin->nfile) {
		pfxset_share(s->set, w->twin->set);
		s->entries = w->twin->entries;
		memcpy(s->own, w->twin->own, sizeof(s->own));
		w->phase = DONE;
	} else
		differs(w);
}

/* It gets a list after all. */
static void
has_list(struct conf_set *s)
{
	s->usable = true;
	free(s->refused);
	s->refused = NULL;
}

static void
fresh_begin(struct conf_set_work *w, struct conf_file *f, bool digest)
{
	init_full(&w->fresh, w->s->block);
	has_list(&w->fresh);
	memcpy(w->fresh.own, w->s->own, sizeof(w->fresh.own));
	list_begin(&w->list, f, w->fresh.set, digest);
	w->busy = true;
}

/* Content and provenance of the set that is in force. */
static void
as_before(const struct conf_set *from, struct conf_set *to)
{
	*to = (struct conf_set){ .name = mem_strdup(from->name),
		.set = pfxset_new(from->name),
		.entries = from->entries,
		.oldest = from->oldest,
		.usable = from->usable,
		.loaded_s = from->loaded_s };
	if (from->loaded != NULL)
		to->loaded = mem_strdup(from->loaded);
	memcpy(to->own, from->own, sizeof(to->own));
	pfxset_share(to->set, from->set);
	for (size_t i = 0; i < from->nfile; i++)
		add_file(to, from->file[i], &from->src[i]);
}

/* The list that was loaded stands in their place still: it may be kept nowhere
 * else. */
static bool
recall_running(struct conf_set_work *w)
{
	const struct conf *running = w->r->running;
	const struct conf_set *was =
	    running != NULL ? conf_set_find(running, w->s->name) : NULL;

	if (was == NULL || was->loaded == NULL || was->refused != NULL ||
	    strcmp(was->own, w->s->own) != 0 ||
	    !conf_same_node(was->block, w->s->block))
		return false;
	as_before(was, &w->fresh);
	conf_set_swap(w->s, &w->fresh);
	conf_set_fini(&w->fresh);
	return true;
}

/*
 * If a list was loaded in the place of its files (conf_set_record()) and they
 * are still those that it replaced, it takes their place again.
 */
static void
recall_begin(struct conf_set_work *w)
{
	const struct conf_reader *r = w->r;
	struct conf_file f = { 0 };

	if (!r->check && recall_running(w)) {
		w->phase = DONE;
		return;
	}
	if (r->check || r->state_dir == NULL ||
	    !read_record(w->s, r, &w->kept) ||
	    strcmp(w->kept.replaces, w->s->own) != 0 ||
	    !read_state(r, conf_set_list_name(w->s), &f)) {
		w->phase = COPY;
		return;
	}
	f.mtime = w->kept.time;
	fresh_begin(w, &f, true);
}

static void
recall_end(struct conf_set_work *w)
{
	struct conf_set *x = &w->fresh;

	x->loaded = w->kept.file;
	w->kept.file = NULL;
	x->loaded_s = w->kept.time;
	if (list_end(&w->list, x, x->loaded) &&
	    strcmp(x->src[0].digest, w->kept.digest) == 0) {
		set_done(x);
		conf_set_swap(w->s, x);
	}
}

/*
 * After a start nothing runs that new content could be compared with: what is
 * kept of the content before takes that part.
 */
static void
copy_begin(struct conf_set_work *w)
{
	const struct conf_reader *r = w->r;
	struct conf_file f = { 0 };

	w->phase = DONE;
	if (r->check || r->running != NULL || r->state_dir == NULL ||
	    w->s->loaded != NULL || w->s->nfile + !w->s->usable == 0 ||
	    !read_state(r, conf_set_copy_name(w->s), &f))
		return;
	if (!conf_set_copy_head(&f, &w->kept.time, w->kept.digest) ||
	    (w->s->usable && strcmp(w->kept.digest, w->s->own) == 0)) {
		free(f.data);
		return;
	}
	w->phase = COPY;
	f.mtime = w->kept.time;
	fresh_begin(w, &f, false);
}

static void
copy_end(struct conf_set_work *w)
{
	struct conf_set *x = &w->fresh;
	char *name = conf_set_copy_name(x), why[256];

	free(x->as_set); /* the copy is not called so */
	x->as_set = NULL;
	if (list_end(&w->list, x, name)) {
		set_done(x);
		memcpy(x->own, w->kept.digest, sizeof(x->own));
		if (x->entries > 0 &&
		    !conf_set_may(x, w->s, why, sizeof(why))) {
			conf_set_swap(w->s, x);
			free(w->s->refused);
			w->s->refused = mem_strdup(why);
			w->say(w->arg, w->s, NULL, 0, NULL);
		}
	}
	free(name);
}

/* What is not a file of the block is there, or not. */
static void
end_fresh(struct conf_set_work *w)
{
	if (w->phase == RECALL)
		recall_end(w);
	else
		copy_end(w);
	list_fini(&w->list);
	conf_set_fini(&w->fresh);
	w->busy = false;
	w->phase = w->phase == RECALL ? COPY : DONE;
}

static void
step(struct conf_set_work *w, size_t *entries)
{
	if (w->busy) {
		if (list_run(&w->list, entries))
			return;
		if (w->phase == RECALL || w->phase == COPY)
			end_fresh(w);
		else
			close_file(w);
		return;
	}
	spend(entries, OPEN_ENTRIES);
	switch (w->phase) {
	case ENTRIES:
		take_entries(w, entries);
		break;
	case COMPARE:
	case READ:
		if (next_file(w))
			open_file(w);
		else
			end_files(w);
		break;
	case RECALL:
		recall_begin(w);
		break;
	case COPY:
		copy_begin(w);
		break;
	case GIVEN:
		set_done(w->s);
		w->phase = DONE;
		break;
	case DONE:
		break;
	}
}

bool
conf_set_run(struct conf_set_work *w, size_t *entries)
{
	while (w->phase != DONE && *entries > 0)
		step(w, entries);
	return w->phase != DONE;
}

void
conf_set_end(struct conf_set_work *w)
{
	if (w == NULL)
		return;
	if (w->busy && (w->phase == RECALL || w->phase == COPY))
		conf_set_fini(&w->fresh);
	list_fini(&w->list);
	free(w->kept.file);
	free(w);
}

/* ---- anew ------------------------------------------------------------- */

struct conf_set_work *
conf_set_again(const struct conf_reader *r, const struct conf_set *s,
    const char *name, const struct conf_file *list, struct conf_set *fresh,
    conf_set_say *say, void *arg)
{
	struct conf_set_work *w;

	init_full(fresh, s->block);
	w = conf_set_begin(fresh, r, say, arg);
	w->own_only = true;
	w->phase = READ;
	if (list != NULL) {
		memcpy(fresh->own, s->own, sizeof(fresh->own));
		fresh->loaded = mem_strdup(name);
		has_list(fresh);
		list_begin(&w->list, list, fresh->set, true);
		w->list.borrowed = true;
		w->busy = true;
		w->phase = GIVEN;
	}
	return w;
}

bool
conf_set_may(const struct conf_set *old, const struct conf_set *fresh,
    char *why, size_t n)
{
	uint64_t a = old->entries, b = fresh->entries;
	uint64_t less = a > b ? a - b : 0, more = b > a ? b - a : 0;

	why[0] = '\0';
	if (!fresh->usable)
		snprintf(why, n, "%s",
		    fresh->refused != NULL ? fresh->refused
					   : "its list cannot be used");
	else if (b == 0 && !fresh->may_be_empty)
		snprintf(why, n, "it would be empty (empty refuse)");
	else if (b == 0 || a == 0)
		; /* a first content has nothing to be compared with */
	else if (less > fresh->shrink.min && less * 100 > a * fresh->shrink.pct)
		snprintf(why, n,
		    "it would shrink from %" PRIu64 " to %" PRIu64
		    " prefixes (shrink-limit %u%% min %u)",
		    a, b, fresh->shrink.pct, fresh->shrink.min);
	else if (more > fresh->growth.min && more * 100 > a * fresh->growth.pct)
		snprintf(why, n,
		    "it would grow from %" PRIu64 " to %" PRIu64
		    " prefixes (growth-limit %u%% min %u)",
		    a, b, fresh->growth.pct, fresh->growth.min);
	return why[0] == '\0';
}

void
conf_set_swap(struct conf_set *to, struct conf_set *from)
{
	struct conf_set t = *to;

	pfxset_swap(to->set, from->set);
	to->file = from->file;
	to->src = from->src;
	to->nfile = from->nfile;
	to->entries = from->entries;
	to->oldest = from->oldest;
	to->usable = from->usable;
	to->loaded = from->loaded;
	to->loaded_s = from->loaded_s;
	to->refused = from->refused;
	memcpy(to->own, from->own, sizeof(to->own));
	from->file = t.file;
	from->src = t.src;
	from->nfile = t.nfile;
	from->entries = t.entries;
	from->oldest = t.oldest;
	from->usable = t.usable;
	from->loaded = t.loaded;
	from->loaded_s = t.loaded_s;
	from->refused = t.refused;
	memcpy(from->own, t.own, sizeof(from->own));
}

/* ---- a reload --------------------------------------------------------- */

bool
conf_set_hold(const struct conf *old, struct conf_set *fresh)
{
	const struct conf_set *a = conf_set_find(old, fresh->name);
	struct conf_set copy;
	char why[256];

	if (a == NULL || a->entries == 0 ||
	    (fresh->nfile == 0 && fresh->usable) ||
	    conf_set_may(a, fresh, why, sizeof(why)))
		return false;
	as_before(a, &copy);
	conf_set_swap(fresh, &copy);
	conf_set_fini(&copy);
	fresh->refused = mem_strdup(why);
	return true;
}
