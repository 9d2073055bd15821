#include "bgpd/conf_set.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "bgpd/conf_tree.h"
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
entry(struct conf_set *s, const struct conf_node *n)
{
	const struct pfx *p = &n->word[0].pfx;
	unsigned int lo = p->len, hi = p->len;

	if (conf_word_is(n, 1, "or-longer")) {
		hi = fam_bits(p->addr.fam);
	} else if (n->nword == 3) {
		lo = (unsigned int)n->word[1].num;
		hi = (unsigned int)n->word[2].num;
	}
	pfxset_add(s->set, p, lo, hi);
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
		.pos = block->word[1].pos,
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
		else if (is(n, ""))
			entry(s, n);
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

bool
conf_set_list(struct conf_set *s, const char *name, const struct conf_file *f,
    struct pfxfile *res)
{
	struct conf_set_src src = { .mtime = f->mtime };
	bool ok = pfxfile_parse(f->data, f->len, s->set, res);

	conf_digest(f->data, f->len, src.digest);
	src.entries = res->inet + res->inet6;
	add_file(s, name, &src);
	if (s->oldest == 0 || f->mtime < s->oldest)
		s->oldest = f->mtime;
	if (!ok && s->refused == NULL)
		s->refused = mem_printf(
		    "\"%s\" line %zu: %s", name, res->line, res->error);
	s->usable &= ok;
	return ok;
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

void
conf_set_done(struct conf_set *s)
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

void
conf_set_recall(struct conf_set *s, const struct conf_reader *r,
    const struct conf_node *block)
{
	struct conf_file f = { 0 };
	struct conf_set fresh;
	struct pfxfile res;
	struct kept k;

	if (r->state_dir == NULL)
		return;
	if (read_record(s, r, &k) && strcmp(k.replaces, s->own) == 0 &&
	    read_state(r, conf_set_list_name(s), &f)) {
		f.mtime = k.time;
		conf_set_init(&fresh, block);
		fresh.loaded = k.file;
		k.file = NULL;
		fresh.loaded_s = k.time;
		memcpy(fresh.own, s->own, sizeof(fresh.own));
		if (conf_set_list(&fresh, fresh.loaded, &f, &res) &&
		    strcmp(fresh.src[0].digest, k.digest) == 0) {
			conf_set_done(&fresh);
			conf_set_swap(s, &fresh);
		}
		conf_set_fini(&fresh);
		free(f.data);
	}
	free(k.file);
}

/* ---- unchanged -------------------------------------------------------- */

static const struct conf_node *
block_of(const struct conf *c, const struct conf_set *s)
{
	const struct conf_node *root = &c->tree->root;

	for (size_t i = 0; i < root->nchild; i++)
		if (is(root->child[i], "prefix-set") &&
		    conf_word_is(root->child[i], 1, s->name))
			return root->child[i];
	return NULL;
}

static bool
same_block(const struct conf_node *a, const struct conf_node *b)
{
	char *sa, *sb;
	bool same;

	if (a == NULL || b == NULL)
		return false;
	sa = conf_print_node(a);
	sb = conf_print_node(b);
	same = strcmp(sa, sb) == 0;
	free(sa);
	free(sb);
	return same;
}

/* Is the next list that of the other set?  Its time may be another. */
static bool
same_list(struct conf_set *s, const struct conf_set *twin,
    const struct conf_reader *r, const char *name)
{
	char *path = name[0] == '/'
	    ? mem_strdup(name)
	    : mem_printf("%s/%s", r->dir != NULL ? r->dir : ".", name);
	struct conf_file f = { 0 };
	struct conf_set_src src;
	int err = conf_file_read(r, path, &f);

	free(path);
	if (err != 0 || s->nfile >= twin->nfile) {
		free(f.data);
		return false;
	}
	src = twin->src[s->nfile];
	src.mtime = f.mtime;
	conf_digest(f.data, f.len, src.digest);
	free(f.data);
	if (strcmp(src.digest, twin->src[s->nfile].digest) != 0)
		return false;
	if (s->oldest == 0 || src.mtime < s->oldest)
		s->oldest = src.mtime;
	add_file(s, name, &src);
	return true;
}

bool
conf_set_share(struct conf_set *s, const struct conf_reader *r,
    const struct conf_node *block)
{
	const struct conf_set *twin =
	    r->running != NULL ? conf_set_find(r->running, s->name) : NULL;
	bool same;

	if (twin == NULL || !twin->usable || twin->loaded != NULL ||
	    twin->refused != NULL || twin->nfile == 0 ||
	    !same_block(block, block_of(r->running, twin)))
		return false;
	same = true;
	for (size_t i = 0; same && i < block->nchild; i++)
		if (is(block->child[i], "file"))
			same = same_list(
			    s, twin, r, conf_word_text(block->child[i], 1));
	if (same && s->nfile == twin->nfile) {
		pfxset_share(s->set, twin->set);
		s->entries = twin->entries;
		memcpy(s->own, twin->own, sizeof(s->own));
		return true;
	}
	conf_set_fini(s);
	conf_set_init(s, block);
	return false;
}

/* ---- anew ------------------------------------------------------------- */

static bool
read_own(const struct conf_reader *r, const char *name, struct conf_set *s,
    char *why, size_t n)
{
	char *path = name[0] == '/' ? mem_strdup(name)
				    : mem_printf("%s/%s", r->dir, name);
	struct conf_file f = { 0 };
	struct pfxfile res;
	int err = conf_file_read(r, path, &f);
	bool good;

	free(path);
	if (err != 0) {
		snprintf(
		    why, n, "cannot read \"%s\": %s", name, strerror(-err));
		return false;
	}
	good = conf_set_list(s, name, &f, &res);
	if (!good)
		snprintf(
		    why, n, "\"%s\" line %zu: %s", name, res.line, res.error);
	free(f.data);
	return good;
}

bool
conf_set_again(const struct conf *c, const struct conf_reader *r,
    const struct conf_set *s, const char *name, const struct conf_file *list,
    struct conf_set *fresh, char *why, size_t n)
{
	const struct conf_node *block = block_of(c, s);
	struct pfxfile res;
	bool good = true;

	conf_set_init(fresh, block);
	if (list != NULL) {
		memcpy(fresh->own, s->own, sizeof(fresh->own));
		fresh->loaded = mem_strdup(name);
		good = conf_set_list(fresh, name, list, &res);
		if (!good)
			snprintf(why, n, "\"%s\" line %zu: %s", name, res.line,
			    res.error);
	}
	for (size_t i = 0; list == NULL && good && i < block->nchild; i++)
		if (is(block->child[i], "file"))
			good = read_own(r, conf_word_text(block->child[i], 1),
			    fresh, why, n);
	if (good && fresh->nfile == 0) {
		snprintf(why, n, "it has no file of its own to be read again");
		good = false;
	}
	conf_set_done(fresh);
	if (!good)
		conf_set_fini(fresh);
	return good;
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

static void
copy_set(const struct conf_set *from, struct conf_set *to)
{
	struct pfxset_entry e = { 0 };
	const struct asnset *o = pfxset_origins(from->set);

	*to = (struct conf_set){ .name = mem_strdup(from->name),
		.set = pfxset_new(from->name),
		.entries = from->entries,
		.oldest = from->oldest,
		.usable = from->usable,
		.loaded_s = from->loaded_s };
	if (from->loaded != NULL)
		to->loaded = mem_strdup(from->loaded);
	memcpy(to->own, from->own, sizeof(to->own));
	while (pfxset_next(from->set, &e))
		pfxset_add(to->set, &e.pfx, e.lo, e.hi);
	for (size_t i = 0; o != NULL && i < asnset_count(o); i++)
		pfxset_add_origin(to->set, asnset_at(o, i));
	pfxset_set_digest(to->set, pfxset_digest(from->set));
	for (size_t i = 0; i < from->nfile; i++)
		add_file(to, from->file[i], &from->src[i]);
}

void
conf_sets_hold(const struct conf *old, struct conf *fresh, struct diag_list *dl)
{
	struct conf_set copy;
	char why[256];

	for (size_t i = 0; i < fresh->nset; i++) {
		struct conf_set *b = &fresh->set[i];
		const struct conf_set *a = conf_set_find(old, b->name);

		if (a == NULL || a->entries == 0 ||
		    (b->nfile == 0 && b->usable) ||
		    conf_set_may(a, b, why, sizeof(why)))
			continue;
		copy_set(a, &copy);
		conf_set_swap(b, &copy);
		conf_set_fini(&copy);
		b->refused = mem_strdup(why);
		diag_add(dl, fresh->tree, DIAG_WARNING, &b->pos, "set-refused",
		    NULL, "prefix-set \"%s\" keeps its content of before: %s",
		    b->name, why);
	}
}
