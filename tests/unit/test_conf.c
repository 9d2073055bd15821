/*
 * The configuration: every file of tests/unit/conf against the exact text of
 * its diagnostics, the canonical print, what a file comes to, differences.
 * ANA_CONF_UPDATE=1 writes the expected files anew, to be read before they
 * are committed.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <glob.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bgpd/conf.h"
#include "bgpd/conf_tree.h"
#include "bgpd/fsm/negotiate.h"
#include "bgpd/wire/wire.h"
#include "lib/mem.h"
#include "policy/pfxset.h"
#include "tests/conf_text.h"

enum {
	SPEAKER = 1000
};

static char *
top(const char *sub)
{
	char *file = strdup(__FILE__), *path;

	path = mem_printf("%s/%s", dirname(file), sub);
	free(file);
	return path;
}

/* ---- readers ----------------------------------------------------------- */

/* The file system's, with modes and owners by name: git keeps neither. */
static int
read_named(void *arg, const char *path, struct conf_file *out)
{
	struct conf_reader fs = { 0 };
	const char *dot = strrchr(path, '/') + 1;
	int r;

	conf_reader_files(&fs);
	r = fs.read(fs.arg, path, out);
	if (r != 0 || strstr(path, "/secrets/") == NULL)
		return r;
	out->uid = strstr(dot, "owner") != NULL ? 7 : 0;
	out->gid = strstr(dot, "group") != NULL ? 7 : SPEAKER;
	if (strrchr(dot, '.') != NULL)
		dot = strrchr(dot, '.') + 1;
	out->mode = (mode_t)strtoul(dot, NULL, 8);
	return 0;
}

static void
reader(struct conf_reader *r, char *dir)
{
	*r = (struct conf_reader){ .dir = dir,
		.run_dir = "/run/ana-bgpd",
		.state_dir = "/var/lib/ana-bgpd",
		.log_dir = "/var/log/ana-bgpd",
		.uid = SPEAKER,
		.gid = SPEAKER };
	conf_reader_files(r);
	r->read = read_named;
}

/* NULL and the text of the problems printed when it has errors. */
static struct conf *
load(const char *text)
{
	struct conf_reader r = { .read = read_text,
		.glob = no_glob,
		.arg = (void *)(uintptr_t)text,
		.dir = "/t" };
	struct diag_list l;
	struct conf *c;
	char *s;

	diag_list_init(&l);
	c = conf_load(&r, "/t/t.conf", &l);
	if (c == NULL) {
		s = diag_list_text(&l, NULL);
		print_error("%s", s);
		free(s);
	}
	diag_list_fini(&l);
	return c;
}

/* ---- the files --------------------------------------------------------- */

static char *
slurp(const char *path)
{
	FILE *f = fopen(path, "rb");
	char *s = mem_alloc(1 << 20);
	size_t n;

	if (f == NULL)
		return s;
	n = fread(s, 1, (1 << 20) - 1, f);
	s[n] = '\0';
	fclose(f);
	return s;
}

static bool
one_file(char *dir, const char *path)
{
	struct conf_reader r;
	struct diag_list l;
	struct conf *c;
	char *expect, *want, *got, *json;
	bool ok;

	reader(&r, dir);
	diag_list_init(&l);
	c = conf_load(&r, path, &l);
	assert_true((c == NULL) == (l.nerror > 0));
	got = diag_list_text(&l, "running configuration unchanged");
	json = diag_list_json(&l);
	expect = mem_printf("%.*s.expect", (int)strlen(path) - 5, path);
	if (getenv("ANA_CONF_UPDATE") != NULL) {
		FILE *f = fopen(expect, "w");

		assert_non_null(f);
		fputs(got, f);
		fclose(f);
	}
	want = slurp(expect);
	ok = strcmp(want, got) == 0;
	if (!ok)
		print_error(
		    "%s:\n--- expected\n%s--- got\n%s", path, want, got);
	assert_int_equal(json[0], '[');
	free(json);
	free(want);
	free(got);
	free(expect);
	conf_free(c);
	diag_list_fini(&l);
	return ok;
}

static void
test_files(void **state)
{
	char *dir = top("conf"), *pattern = top("conf/*.conf");
	size_t i, bad = 0;
	glob_t g;

	assert_int_equal(glob(pattern, 0, NULL, &g), 0);
	assert_true(g.gl_pathc >= 40);
	for (i = 0; i < g.gl_pathc; i++)
		bad += !one_file(dir, g.gl_pathv[i]);
	globfree(&g);
	free(pattern);
	free(dir);
	assert_int_equal(bad, 0);
}

static void
test_json(void **state)
{
	struct diag_list l;
	char *s;

	diag_list_init(&l);
	s = diag_list_json(&l);
	assert_string_equal(s, "[]\n");
	free(s);
	conf_tree_free(conf_tree_parse("a\"b", "a { \x01", 5, &l));
	s = diag_list_json(&l);
	assert_string_equal(s,
	    "[{\"file\":\"a\\\"b\",\"line\":1,\"col\":5,\"len\":1,"
	    "\"severity\":\"error\",\"code\":\"bad-character\","
	    "\"message\":\"not a character of the language\",\"hint\":null},\n"
	    "{\"file\":\"a\\\"b\",\"line\":1,\"col\":1,\"len\":1,"
	    "\"severity\":\"error\",\"code\":\"missing-brace\","
	    "\"message\":\"the block \\\"a\\\" is not closed\","
	    "\"hint\":\"missing '}' at the end ?\"}]\n");
	free(s);
	diag_list_fini(&l);
}

/* ---- the sample -------------------------------------------------------- */

static int
read_sample(void *arg, const char *path, struct conf_file *out)
{
	const char *text = strstr(path, "/conf.d/") != NULL ? "# a partner\n"
							    : "192.0.2.0/24\n";

	if (strstr(path, "/sets/") == NULL && strstr(path, "/conf.d/") == NULL)
		return read_named(arg, path, out);
	*out = (struct conf_file){ .data = strdup(text), .len = strlen(text) };
	return 0;
}

static int
glob_sample(void *arg, const char *pattern, char ***paths, size_t *n)
{
	*n = 1;
	*paths = mem_alloc(sizeof(**paths));
	/* In the place of the "*". */
	(*paths)[0] =
	    mem_printf("%.*sas64500.conf", (int)strlen(pattern) - 6, pattern);
	return 0;
}

static struct conf *
load_etc(const char *name)
{
	char *dir = top("../../etc"), *path = mem_printf("%s/%s", dir, name);
	struct conf_reader r;
	struct diag_list l;
	struct conf *c;
	char *s;

	reader(&r, dir);
	r.read = read_sample;
	r.glob = glob_sample;
	diag_list_init(&l);
	c = conf_load(&r, path, &l);
	s = diag_list_text(&l, NULL);
	assert_string_equal(s, "");
	assert_non_null(c);
	free(s);
	diag_list_fini(&l);
	free(path);
	free(dir);
	return c;
}

static const struct conf_neighbor *
neighbor(const struct conf *c, const char *text)
{
	const struct conf_neighbor *n;
	struct addr a;

	assert_true(addr_parse(text, &a));
	n = conf_neighbor_find(c, &a);
	assert_non_null(n);
	return n;
}

/* What the sample comes to, defaults and templates included. */
static void
test_sample(void **state)
{
	struct conf *c = load_etc("ana-bgpd.conf.sample");
	const struct conf_neighbor *n;
	const struct conf_limit *l;

	assert_int_equal(c->as, 52580);
	assert_int_equal(c->router_id, 0xc000020a);
	assert_true(c->lab_mode);
	assert_int_equal(c->nlisten, 2);
	assert_int_equal(c->nneighbor, 4);
	assert_int_equal(c->nnetwork, 2);
	assert_true(c->network[0].no_export);
	assert_int_equal(c->nrule, 8);
	assert_int_equal(c->fib.table, 254);
	assert_int_equal(c->fib.keep_s, 180);
	assert_int_equal(c->sock[1].mode, 0666);
	assert_true(c->sock[1].read_only);
	assert_int_equal(c->log.rejected_sample, 100);
	assert_ptr_equal(c->own, conf_set_find(c, "azion")->set);
	n = neighbor(c, "203.0.113.1");
	assert_string_equal(n->name, "Example Telecom GRU (AS64500)");
	assert_string_equal(n->group, "isp-partner");
	assert_string_equal(n->template, "isp");
	assert_true(n->fam[FAM_INET]);
	assert_false(n->fam[FAM_INET6]);
	assert_int_equal(n->role, ROLE_PEER);
	assert_int_equal(n->ttl_security, 1);
	assert_string_equal(n->import->name, "isp-in");
	assert_ptr_equal(n->irr, conf_set_find(c, "as64500"));
	l = &n->limit[CONF_RECEIVED][FAM_NONE];
	assert_int_equal(l->max, 400);
	assert_int_equal(l->warn_pct, 80);
	assert_int_equal(l->action, CONF_LIMIT_RESTART);
	assert_int_equal(l->time_s, 1800);
	assert_int_equal(n->limit[CONF_RECEIVED][FAM_INET].max, 0);
	assert_int_equal(n->limit[CONF_ANNOUNCED][FAM_NONE].max, 64);
	assert_int_equal(n->hold_s, 90);
	assert_int_equal(n->hold_min_s, 9);
	n = neighbor(c, "192.0.2.1");
	assert_int_equal(n->ttl_security, 0);
	assert_string_equal(n->no_ttl_security, "partner router two hops away");
	assert_int_equal(n->multihop, 2);
	assert_false(n->enabled);
	n = neighbor(c, "192.0.2.5");
	assert_null(n->export);
	assert_false(n->fib);
	assert_int_equal(n->nallow, 1);
	assert_int_equal(n->limit[CONF_RECEIVED][FAM_NONE].max, 250);
	conf_free(c);
	c = load_etc("ana-bgpd.conf");
	assert_int_equal(c->nneighbor, 0);
	assert_int_equal(c->nlisten, 0);
	conf_free(c);
}

/* A file is found from its directory, and nothing outside of it. */
static void
test_inside(void **state)
{
	static const struct {
		const char *dir, *path;
		bool in;
	} row[] = { { "/a", "/a/x", true }, { "/a/", "/a/b/x", true },
		{ "/a", "/ab/x", false }, { "/a", "/a/../x", false },
		{ "/a", "/a/b/..", false }, { "/", "/x", true },
		{ ".", "x", true }, { ".", "./x/y", true },
		{ ".", "../x", false }, { ".", "./../x", false },
		{ ".", "/x", false }, { "a", "a/x", true },
		{ "a", "b/x", false } };
	struct conf_reader r = { .read = read_text,
		.arg = (void *)(uintptr_t) "" };
	struct conf_file f;
	size_t i;

	for (i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		r.dir = row[i].dir;
		assert_int_equal(conf_file_read(&r, row[i].path, &f),
		    row[i].in ? -ENOENT : -EXDEV);
	}
}

/* ---- printing ---------------------------------------------------------- */

#define HEAD \
	"global { as 52580; router-id 192.0.2.10; listen 192.0.2.10; }\n" \
	"policy in { rule a { match prefix in s; set local-pref 5; accept; }" \
	" rule b { reject; } }\n" \
	"policy out { rule a { match origin-local; accept; } }\n" \
	"prefix-set s { 198.18.0.0/15 or-longer; 8.0.0.0/8 9 24;" \
	" origin [ 1, 2 ]; }\n"
#define NB(addr, more) \
	"neighbor " addr " { remote-as 3292; import policy in;" \
	" export policy out; irr prefix-set s; " more " }\n"

static void
round_trip(const char *text)
{
	struct conf *a = load(text), *b, *d;
	struct conf_diff diff;
	char *pa, *pb, *pd;

	assert_non_null(a);
	pa = conf_print(a, 0);
	b = load(pa);
	assert_non_null(b);
	pb = conf_print(b, 0);
	assert_string_equal(pa, pb);
	conf_diff(a, b, &diff);
	assert_int_equal(diff.nline, 0);
	assert_int_equal(diff.nneighbor, 0);
	conf_diff_fini(&diff);
	/* With defaults and origins it still says the same. */
	pd = conf_print(a, CONF_PRINT_DEFAULTS | CONF_PRINT_ORIGIN);
	d = load(pd);
	assert_non_null(d);
	assert_int_equal(a->hold_s, d->hold_s);
	assert_int_equal(a->nneighbor, d->nneighbor);
	assert_int_equal(a->fib.protocol, d->fib.protocol);
	assert_memory_equal(
	    a->max_length, d->max_length, sizeof(a->max_length));
	assert_memory_equal(a->neighbor[0].limit, d->neighbor[0].limit,
	    sizeof(a->neighbor[0].limit));
	free(pa);
	free(pb);
	free(pd);
	conf_free(a);
	conf_free(b);
	conf_free(d);
}

static void
test_round_trip(void **state)
{
	round_trip(HEAD NB("203.0.113.1", ""));
	round_trip(HEAD NB("203.0.113.1",
	    "description \"a \\\"b\\\" \\\\ é\"; weight 007; hold-time 3m;"
	    "family [ inet6, inet ]; max-prefix 1k action stop; role rs strict;"
	    "require capability [ as4, refresh ]; no first-as \"why\";"
	    "next-hop peer 2001:DB8:0::1;") "define x = 1;\n"
					    "network 198.18.0.0/24 { med 1; "
					    "community blackhole;"
					    " community large 1:2:3; no-export "
					    "no; }\n");
	round_trip(HEAD "template t { hold-time 30s; max-prefix 9 warn 5%; "
			"send-max-prefix 2; }\n" NB("203.0.113.1",
			    "use t; max-prefix 10; no send-max-prefix;"));
}

static void
test_canonical(void **state)
{
	struct conf *c = load(HEAD
	    "template t { hold-time 1m30s; max-prefix 9 warn 5% action stop; "
	    "weight 1; }\n" NB("2001:0DB8::1",
		"use t; max-prefix 1k; "
		"no weight;"));
	const struct conf_neighbor *n;
	char *s;

	assert_non_null(c);
	s = conf_print(c, 0);
	assert_non_null(strstr(s,
	    "neighbor 2001:db8::1 {\n"
	    "\tremote-as 3292;\n"
	    "\thold-time 90s;\n"
	    "\tirr prefix-set s;\n"
	    "\timport policy in;\n"
	    "\texport policy out;\n"
	    "\tmax-prefix 1000 warn 5% action stop;\n"
	    "\tno weight;\n"
	    "}\n"));
	assert_null(strstr(s, "template"));
	free(s);
	n = neighbor(c, "2001:db8::1");
	assert_int_equal(n->limit[CONF_RECEIVED][FAM_NONE].max, 1000);
	assert_int_equal(n->limit[CONF_RECEIVED][FAM_NONE].warn_pct, 5);
	assert_int_equal(
	    n->limit[CONF_RECEIVED][FAM_NONE].action, CONF_LIMIT_STOP);
	assert_int_equal(n->weight, 0);
	conf_free(c);
}

/* Delete and then add is not add and then delete. */
static void
test_rule_order(void **state)
{
	struct conf *c = load(HEAD NB("203.0.113.1",
	    "") "policy o { rule r { accept; set community delete 1:2; "
		"set community add 1:2; } }\n");
	const struct rule *r;
	struct conf *again;
	char *s;

	assert_non_null(c);
	s = conf_print(c, 0);
	again = load(s);
	assert_non_null(again);
	r = conf_policy_find(again, "o")->rules->rule[0];
	assert_int_equal(r->nact, 2);
	assert_int_equal(r->act[0].type, ACT_COMM_DELETE);
	assert_int_equal(r->act[1].type, ACT_COMM_ADD);
	free(s);
	conf_free(c);
	conf_free(again);
}

/* ---- guards, rules ----------------------------------------------------- */

static void
test_guards(void **state)
{
	struct conf *c = load(HEAD NB("203.0.113.1",
	    "no first-as; no reject bogon-prefixes \"lab\"; no max-prefix;"
	    "no export-guard;"));
	const struct conf_neighbor *n;

	assert_non_null(c);
	n = neighbor(c, "203.0.113.1");
	assert_int_equal(n->guard_off,
	    GUARD_BIT(GUARD_FIRST_AS) | GUARD_BIT(GUARD_BOGON_PREFIXES) |
		GUARD_BIT(GUARD_MAX_PREFIX) | GUARD_BIT(GUARD_EXPORT));
	assert_string_equal(n->guard_off_why[GUARD_BOGON_PREFIXES], "lab");
	assert_null(n->guard_off_why[GUARD_FIRST_AS]);
	assert_int_equal(n->limit[CONF_RECEIVED][FAM_NONE].max, 0);
	conf_free(c);
}

/* The set of an AS out of the filter store, and what it says of all sets. */
static void
test_store(void **state)
{
	static const char text[] =
	    "filter-store { directory \"filters\"; shrink-limit 10% min 5; "
	    "max-age 2d; }\n"
	    "prefix-set mine { file \"sets/good.json\"; max-age 9d; }\n"
	    "prefix-set inline { 10.0.0.0/8; }\n"
	    "policy in { rule a { match prefix in mine; match prefix in "
	    "inline; accept; } }\n"
	    "global { as 52580; router-id 192.0.2.10; listen 192.0.2.10; }\n"
	    "neighbor 203.0.113.1 { remote-as 3292; import policy in; export "
	    "none; irr as-set AS-GOOD; }\n";
	struct conf_file file = { .data = (char *)(uintptr_t)text,
		.len = sizeof(text) - 1 };
	char *dir = top("conf"), *path = mem_printf("%s/t.conf", dir), *print;
	struct conf_overlay over = { .path = path, .file = &file };
	struct conf_reader base, r;
	const struct conf_set *s;
	struct diag_list l;
	struct conf *c;

	reader(&base, dir);
	over.base = &base;
	conf_reader_overlay(&r, &over);
	diag_list_init(&l);
	c = conf_load(&r, path, &l);
	assert_non_null(c);
	s = neighbor(c, "203.0.113.1")->irr;
	assert_non_null(s);
	assert_string_equal(s->name, "AS3292");
	assert_string_equal(s->as_set, "AS-GOOD");
	assert_int_equal(s->nfile, 2);
	assert_string_equal(s->file[0], "filters/AS3292.v4.json");
	assert_int_equal(s->entries, 2);
	assert_int_equal(s->shrink.pct, 10);
	assert_int_equal(s->growth.pct, 400);
	assert_int_equal(s->max_age_s, 2 * 86400);
	s = conf_set_find(c, "mine");
	assert_int_equal(s->shrink.pct, 10);
	assert_int_equal(s->max_age_s, 9 * 86400);
	/* It is nobody's statement; but what it gives to others is theirs. */
	print = conf_print(c, 0);
	assert_null(strstr(print, "prefix-set AS3292"));
	assert_non_null(strstr(print, "irr as-set AS-GOOD;"));
	assert_non_null(strstr(print, "shrink-limit 10% min 5;"));
	free(print);
	conf_free(c);
	diag_list_fini(&l);
	free(path);
	free(dir);
}

/*
 * Another as-set, and the same lists: they are not of it, in a reload as after
 * a start.
 */
static void
test_store_renamed(void **state)
{
	static const char form[] =
	    "filter-store { }\n"
	    "global { as 52580; router-id 192.0.2.10; listen 192.0.2.10; }\n"
	    "neighbor 203.0.113.1 { remote-as 3292; export none; "
	    "irr as-set %s; }\n";
	char *dir = top("conf"), *path = mem_printf("%s/t.conf", dir);
	const char *name[] = { "AS-GOOD", "AS-GOOD", "AS-OTHER" };
	struct conf *c, *running = NULL;
	const struct conf_set *s;
	struct conf_reader base, r;
	struct diag_list l;

	for (size_t i = 0; i < sizeof name / sizeof name[0]; i++) {
		char *text = mem_printf(form, name[i]);
		struct conf_file file = { .data = text, .len = strlen(text) };
		struct conf_overlay over = { &base, path, &file };

		reader(&base, dir);
		base.running = running;
		conf_reader_overlay(&r, &over);
		diag_list_init(&l);
		c = conf_load(&r, path, &l);
		diag_list_fini(&l);
		free(text);
		assert_non_null(c);
		conf_free(running);
		running = c;
		s = neighbor(c, "203.0.113.1")->irr;
		assert_int_equal(s->entries, 2);
		if (i < 2)
			assert_null(s->refused);
	}
	assert_non_null(s->refused);
	assert_non_null(strstr(s->refused, "not of AS-OTHER"));
	conf_free(running);
	free(path);
	free(dir);
}

static void
test_rules(void **state)
{
	struct conf *c = load(HEAD NB("203.0.113.1", ""));
	const struct policy *p;

	assert_non_null(c);
	p = conf_policy_find(c, "in")->rules;
	assert_int_equal(p->nrule, 2);
	assert_string_equal(p->rule[0]->where, "t.conf:2");
	assert_int_equal(p->rule[0]->verdict, RULE_ACCEPT);
	assert_int_equal(p->rule[0]->match[0].type, MATCH_PREFIX_IN);
	assert_ptr_equal(p->rule[0]->match[0].set, conf_set_find(c, "s")->set);
	assert_int_equal(p->rule[0]->act[0].n, 5);
	assert_int_equal(p->rule[1]->verdict, RULE_REJECT);
	conf_free(c);
}

/* Each row that is not built is refused, and with this sentence. */
static void
test_not_built(void **state)
{
	static const char *const in[][3] = {
		{ "", "", "" },
		{ "global", "global { ", " }" },
		{ "peering-policy", "peering-policy { ", " }" },
		{ "filter-store", "filter-store { ", " }" },
		{ "policy/rule", "policy p { rule r { ", " } }" },
		{ "network", "network 1.2.3.0/24 { ", " }" },
		{ "neighbor", "neighbor 1.2.3.4 { ", " }" },
	};
	struct diag_list l;
	struct conf_tree *t;
	size_t i, k, seen = 0;
	char *text, *want;

	for (i = 0; i < conf_schema_n; i++) {
		const struct conf_schema *row = &conf_schema[i];

		if ((row->flags & CF_NOT_BUILT) == 0)
			continue;
		for (k = 0; k < sizeof(in) / sizeof(in[0]); k++)
			if (strcmp(in[k][0], row->path) == 0)
				break;
		assert_true(k < sizeof(in) / sizeof(in[0]));
		text = mem_printf("%s%s x%s%s", in[k][1], row->name,
		    (row->flags & CF_BLOCK) != 0 ? " { }" : ";", in[k][2]);
		want = mem_printf("\"%s\" is known, but this version does not "
				  "have it yet; remove it or comment it out",
		    row->name);
		diag_list_init(&l);
		t = conf_tree_parse("t", text, strlen(text), &l);
		conf_valid(t, &l);
		assert_true(l.n >= 1);
		for (k = 0; k < l.n; k++)
			if (strcmp(l.d[k].message, want) == 0)
				break;
		assert_true(k < l.n);
		conf_tree_free(t);
		diag_list_fini(&l);
		free(text);
		free(want);
		seen++;
	}
	assert_true(seen > 0);
}

/* Sentences go on lines of their own. */
static void
sentences(FILE *f, const char *text)
{
	const char *dot;

	while ((dot = strstr(text, ".  ")) != NULL) {
		fprintf(f, "%.*s.\n", (int)(dot - text), text);
		text = dot + 3;
	}
	fprintf(f, "%s\n", text);
}

/* What the manual says of a row. */
static char *
manual_entry(const struct conf_schema *row)
{
	char *buf = NULL;
	size_t size;
	FILE *f = open_memstream(&buf, &size);

	assert_non_null(f);
	fprintf(f, ".It %s%s%s%s%s\n", row->name[0] != '\0' ? "Ic " : "Ar",
	    row->name,
	    row->syntax[0] != '\0' && row->name[0] != '\0' ? " Ar" : "",
	    row->syntax[0] != '\0' ? " " : "", row->syntax);
	sentences(f, row->help);
	if (row->def != NULL && row->def[0] != '\0')
		fprintf(f, "Default: %s.\n", row->def);
	if ((row->flags & CF_REQUIRED) != 0)
		fprintf(f, "Required.\n");
	if ((row->flags & CF_NOT_BUILT) != 0)
		fprintf(f, "Not in this version.\n");
	else if ((row->flags & CF_RESTART) != 0)
		fprintf(f, "A change needs a restart of the daemon.\n");
	else if ((row->flags & CF_RESETS) != 0)
		fprintf(f, "A change bounces the session.\n");
	else if ((row->flags & CF_IMPORT) != 0)
		fprintf(f, "A change runs import again%s.\n",
		    (row->flags & CF_EXPORT) != 0
			? " and makes announcements again"
			: "");
	else if ((row->flags & CF_EXPORT) != 0)
		fprintf(f, "A change makes announcements again.\n");
	fclose(f);
	return buf;
}

/* A part of a named block, which counts as a whole, or of no effect itself. */
static bool
inside_named(const struct conf_schema *s)
{
	static const char *const named[] = { "prefix-set", "as-set",
		"as-path-set", "community-set", "community-table", "policy",
		"policy/rule" };
	size_t i;

	for (i = 0; i < sizeof(named) / sizeof(named[0]); i++)
		if (strcmp(s->path, named[i]) == 0)
			return true;
	return s->path[0] == '\0' && (s->flags & (CF_IMPORT | CF_EXPORT)) == 0;
}

/* What a reload does with each statement, by effect. */
static char *
manual_effects(void)
{
	static const struct {
		unsigned int with, without;
		const char *text;
	} row[] = {
		{ CF_RESTART, 0, "Needs a restart of the daemon" },
		{ CF_RESETS, CF_RESTART, "Bounces the session" },
		{ CF_IMPORT, CF_RESTART | CF_RESETS,
		    "Runs import over the routes that were received" },
		{ CF_EXPORT, CF_RESTART | CF_RESETS | CF_IMPORT,
		    "Makes announcements again" },
		{ 0, CF_RESTART | CF_RESETS | CF_IMPORT | CF_EXPORT,
		    "Nothing else: in force at once" },
	};
	char *buf = NULL;
	size_t size, i, k;
	FILE *f = open_memstream(&buf, &size);

	assert_non_null(f);
	for (i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		fprintf(f, ".It %s\n", row[i].text);
		for (k = 0; k < conf_schema_n; k++) {
			const struct conf_schema *s = &conf_schema[k];

			if ((s->flags & CF_NOT_BUILT) != 0 ||
			    (s->flags & row[i].with) != row[i].with ||
			    (s->flags & row[i].without) != 0 || inside_named(s))
				continue;
			fprintf(f, ".Ql %s%s%s ;\n", s->path,
			    s->path[0] != '\0' ? " " : "",
			    s->name[0] != '\0' ? s->name : s->syntax);
		}
	}
	fclose(f);
	return buf;
}

/* Is the entry in the page, as it is and with nothing behind it? */
static bool
has_entry(const char *man, const char *want)
{
	const char *at = strstr(man, want);

	return at != NULL && at[strlen(want)] == '.';
}

/* Statements of the page that no row of the table has any more. */
static size_t
strangers(const char *man, const char *all)
{
	const char *line = strstr(man, "\n.Sh TOP LEVEL"), *end;
	const char *stop = strstr(man, "\n.Sh RELOAD");
	size_t n = 0;
	char *text;

	assert_non_null(line);
	assert_non_null(stop);
	while ((line = strstr(line, "\n.It ")) != NULL && line < stop) {
		line++;
		end = strchr(line, '\n');
		text = mem_printf("\n%.*s\n", (int)(end - line), line);
		if (strstr(all, text) == NULL) {
			print_error("in the manual only: %s", text);
			n++;
		}
		free(text);
	}
	return n;
}

/*
 * The manual's lists are the tables.  ANA_CONF_MANUAL=FILE writes all entries
 * with a line before each block's, to be put into the page.
 */
static void
test_manual(void **state)
{
	char *path = top("../../man/ana-bgpd.conf.5"), *man = slurp(path);
	const char *out = getenv("ANA_CONF_MANUAL");
	FILE *f = out != NULL ? fopen(out, "w") : NULL;
	size_t i, missing = 0;
	char *want, *all = mem_strdup("\n"), *more;

	for (i = 0; i < conf_schema_n; i++) {
		want = manual_entry(&conf_schema[i]);
		more = mem_printf("%s%s", all, want);
		free(all);
		all = more;
		if (f != NULL)
			fprintf(f, "@%s\n%s", conf_schema[i].path, want);
		if (!has_entry(man, want)) {
			print_error("not in the manual:\n%s", want);
			missing++;
		}
		free(want);
	}
	missing += strangers(man, all);
	free(all);
	want = manual_effects();
	if (f != NULL)
		fprintf(f, "@effects\n%s", want);
	if (strstr(man, want) == NULL) {
		print_error("not in the manual:\n%s", want);
		missing++;
	}
	free(want);
	if (f != NULL)
		fclose(f);
	free(man);
	free(path);
	assert_int_equal(missing, 0);
}

/* ---- differences ------------------------------------------------------- */

/* A neighbor whose import policy is that rule. */
#define BY(rule) \
	"policy by { rule r { " rule " } } neighbor 203.0.113.1 { " \
	"remote-as 3292; import policy by; irr prefix-set s; export none; }"

struct diff_case {
	const char *a, *b;
	enum conf_diff_what what;
	bool policy, export;
	const char *line;
};

/* Of two allocated texts, which are freed. */
static void
diff_texts(char *ta, char *tb, struct conf_diff *d)
{
	struct conf *a = load(ta), *b = load(tb);

	assert_non_null(a);
	assert_non_null(b);
	conf_diff(a, b, d);
	conf_free(a);
	conf_free(b);
	free(ta);
	free(tb);
}

static void
test_diff(void **state)
{
	static const struct diff_case row[] = {
		{ NB("203.0.113.1", ""), NB("203.0.113.1", "hold-time 30s;"),
		    CONF_RESET, false, false,
		    "neighbor 203.0.113.1: + hold-time 30s; "
		    "(the session bounces)" },
		{ NB("203.0.113.1", "max-prefix 10;"),
		    NB("203.0.113.1", "max-prefix 20;"), CONF_LIVE, true, false,
		    "neighbor 203.0.113.1: max-prefix 10; becomes "
		    "max-prefix 20; (live)" },
		{ NB("203.0.113.1", "description a;"), NB("203.0.113.1", ""),
		    CONF_LIVE, false, false,
		    "neighbor 203.0.113.1: description \"a\"; is removed "
		    "(live)" },
		{ NB("203.0.113.1", ""), "", CONF_REMOVED, false, false,
		    "neighbor 203.0.113.1 is removed: its session ends" },
		{ "", NB("203.0.113.1", ""), CONF_ADDED, false, false,
		    "neighbor 203.0.113.1 is added" },
		{ NB("203.0.113.1", ""),
		    NB("203.0.113.1", "") "network 1.2.3.0/24;", CONF_LIVE,
		    true, true, "network 1.2.3.0/24 is added" },
		{ "template t { weight 1; }" NB("203.0.113.1", "use t;"),
		    NB("203.0.113.1", "weight 1;"), CONF_SAME, false, false,
		    NULL },
		/* What is so without it, too, changes nothing. */
		{ NB("203.0.113.1", ""),
		    NB("203.0.113.1",
			"passive no; extended-message yes;") "peering-policy { "
							     "reject loop; "
							     "max-length inet "
							     "24; }"
							     "fib { table "
							     "main; }",
		    CONF_SAME, false, false, NULL },
		{ NB("203.0.113.1",
		      "extended-message yes; passive no;") "peering-policy { "
							   "reject loop; } fib "
							   "{ table main; }",
		    NB("203.0.113.1", ""), CONF_SAME, false, false, NULL },
		{ "peering-policy { max-prefix 9; }" NB("203.0.113.1", ""),
		    "peering-policy { max-prefix 8; }" NB("203.0.113.1", ""),
		    CONF_LIVE, true, false,
		    "peering-policy: max-prefix 9; becomes max-prefix 8; "
		    "(live)" },
		{ "as-set x { 1; }" BY("match origin-as as-set x; accept;"),
		    "as-set x { 2; }" BY("match origin-as as-set x; accept;"),
		    CONF_LIVE, true, false, "as-set x changes" },
		{ "as-set x { 1; }" BY(
		      "match as-path contains as-set x; accept;"),
		    "as-set x { 2; }" BY(
			"match as-path contains as-set x; accept;"),
		    CONF_LIVE, true, false, "as-set x changes" },
		{ "as-path-set x { \"1\"; }" BY("match as-path in x; accept;"),
		    "as-path-set x { \"2\"; }" BY(
			"match as-path in x; accept;"),
		    CONF_LIVE, true, false, "as-path-set x changes" },
		{ "community-set x { 1:1; }" BY(
		      "match community in x; accept;"),
		    "community-set x { 1:2; }" BY(
			"match community in x; accept;"),
		    CONF_LIVE, true, false, "community-set x changes" },
		{ "community-table x { 1:1 med 1; }" BY(
		      "apply community-table x; accept;"),
		    "community-table x { 1:1 med 2; }" BY(
			"apply community-table x; accept;"),
		    CONF_LIVE, true, false, "community-table x changes" },
	};
	struct conf_diff d;
	size_t i;

	for (i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		diff_texts(mem_printf("%s%s", HEAD, row[i].a),
		    mem_printf("%s%s", HEAD, row[i].b), &d);
		if (row[i].line == NULL) {
			assert_int_equal(d.nline, 0);
			assert_int_equal(d.nneighbor, 0);
		} else {
			assert_int_equal(d.nline, 1);
			assert_string_equal(d.line[0], row[i].line);
			assert_int_equal(d.nneighbor, 1);
			assert_int_equal(d.neighbor[0].what, row[i].what);
			assert_int_equal(d.neighbor[0].policy, row[i].policy);
			assert_int_equal(d.neighbor[0].export, row[i].export);
		}
		conf_diff_fini(&d);
	}
}

/*
 * The entries that never become statements are as good as those that do: a
 * "$" keeps an entry from the short way.
 */
static void
test_entries(void **state)
{
	static const char form[] =
	    HEAD "define a = %s; define b = 1.2.0.0/16;\n"
		 "prefix-set t { max-age 1d; 1.1.0.0/16; %s 16 24;\n"
		 "2001:DB8::/32 or-longer; %s exact; 1.3.0.0/16 018 24; }\n" NB(
		     "203.0.113.1", "");
	char *tb = mem_printf(form, "1.4.0.0/16", "1.4.0.0/16", "1.2.0.0/16");
	char *ta = mem_printf(form, "1.4.0.0/16", "$a", "$b"), *pa, *pb;
	const char *set[] = { "1.1.0.0/16;", "2001:db8::/32 or-longer;",
		"1.3.0.0/16 18 24;", "1.4.0.0/16 16 24;", "1.2.0.0/16 exact;" };
	struct conf *a = load(ta), *b = load(tb);
	struct conf_diff d;
	size_t i;

	assert_non_null(a);
	assert_non_null(b);
	pa = conf_print(a, CONF_PRINT_ORIGIN);
	pb = conf_print(b, CONF_PRINT_ORIGIN);
	for (i = 0; i < sizeof set / sizeof set[0]; i++) {
		assert_non_null(strstr(pa, set[i]));
		assert_non_null(strstr(pb, set[i]));
	}
	assert_non_null(strstr(pa, "\t1.1.0.0/16;\t# t.conf:"));
	assert_int_equal(a->set[1].entries, 5);
	conf_diff(a, b, &d);
	assert_int_equal(d.nline, 0);
	conf_diff_fini(&d);
	conf_free(a);
	conf_free(b);
	free(pa);
	free(pb);
	free(ta);
	free(tb);
}

static struct conf *
load_beside(const char *text, const struct conf *running)
{
	struct conf_reader r = { .read = read_text,
		.glob = no_glob,
		.arg = (void *)(uintptr_t)text,
		.dir = "/t",
		.running = running };
	struct diag_list l;
	struct conf *c;

	diag_list_init(&l);
	c = conf_load(&r, "/t/t.conf", &l);
	diag_list_fini(&l);
	assert_non_null(c);
	return c;
}

/* A set that says what the running one says is that one, wherever it stands. */
static void
test_same_set(void **state)
{
	static const struct {
		const char *set;
		bool same;
	} row[] = {
		{ "prefix-set t { max-age 1d; 1.1.0.0/16; 1.2.0.0/16 16 20; }",
		    true },
		{ "prefix-set t { 1.1.0.0/16; 1.2.0.0/16 16 21; }", false },
		{ "prefix-set t { 1.1.0.0/16; 1.3.0.0/16 16 20; }", false },
		{ "prefix-set t { 1.1.0.0/16; 1.2.0.0/16 16 20; "
		  "1.2.0.0/20; }",
		    false },
		{ "prefix-set t { 1.1.0.0/16; 1.2.0.0/16 16 20; origin 3; }",
		    false },
		{ "define x = 1.9.0.0/16; prefix-set t { 1.1.0.0/16; "
		  "1.2.0.0/16 16 20; $x; }",
		    false },
	};
	struct conf *a, *b;
	char *text;

	a = load(HEAD NB("203.0.113.1",
	    "") "prefix-set t { 1.1.0.0/16; 1.2.0.0/16 16 20; }");
	for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
		text = mem_printf(
		    "%s\n%s", HEAD NB("203.0.113.1", ""), row[i].set);
		b = load_beside(text, a);
		assert_int_equal(pfxset_shares(conf_set_find(a, "t")->set,
				     conf_set_find(b, "t")->set),
		    row[i].same);
		conf_free(b);
		free(text);
	}
	conf_free(a);
}

/* A list that was loaded into the running one stays, kept in a file or not,
 * unless the set is written otherwise. */
static void
test_loaded_stays(void **state)
{
	static const char form[] =
	    HEAD NB("203.0.113.1", "") "prefix-set t { 1.%d.0.0/16; }";
	const struct conf_set *s;
	struct conf *a, *b;
	char *text;

	for (int i = 1; i < 3; i++) {
		text = mem_printf(form, 1);
		a = load(text);
		assert_string_equal(a->set[1].name, "t");
		a->set[1].loaded = mem_strdup("by hand");
		free(text);
		text = mem_printf(form, i);
		b = load_beside(text, a);
		s = conf_set_find(b, "t");
		assert_int_equal(s->loaded != NULL, i == 1);
		assert_int_equal(pfxset_shares(a->set[1].set, s->set), i == 1);
		conf_free(a);
		conf_free(b);
		free(text);
	}
}

/* Only who uses a set is touched by it. */
static void
test_diff_set(void **state)
{
	static const char two[] =
	    NB("203.0.113.1", "") "prefix-set t { 1.2.3.0/24; }"
				  "neighbor 203.0.113.2 { remote-as 3292; "
				  "irr prefix-set t; export none; }";
	struct conf_diff d;
	char *ta, *tb;

	ta = mem_printf("%s%s", HEAD, two);
	tb = mem_strdup(ta);
	memcpy(strstr(tb, "1.2.3.0"), "1.2.4.0", 7);
	diff_texts(ta, tb, &d);
	assert_true(d.policies);
	assert_int_equal(d.nneighbor, 1);
	assert_int_equal(addr_to_v4(&d.neighbor[0].addr), 0xcb007102);
	assert_int_equal(d.neighbor[0].what, CONF_LIVE);
	assert_true(d.neighbor[0].policy);
	conf_diff_fini(&d);
}

/* Routes that are kept meanwhile are judged by these, too. */
static void
test_diff_identity(void **state)
{
	static const char *const change[][2] = { { "as 52580", "as 64500" },
		{ "router-id 192.0.2.10", "router-id 192.0.2.11" },
		{ "remote-as 3292;", "remote-as 3292; role peer;" } };
	struct conf_diff d;

	for (size_t i = 0; i < 3; i++) {
		char *ta = mem_strdup(HEAD NB("203.0.113.1", ""));
		const char *from = change[i][0], *at = strstr(ta, from);

		assert_non_null(at);
		diff_texts(ta,
		    mem_printf("%.*s%s%s", (int)(at - ta), ta, change[i][1],
			at + strlen(from)),
		    &d);
		assert_int_equal(d.nneighbor, 1);
		assert_int_equal(d.neighbor[0].what, CONF_RESET);
		assert_true(d.neighbor[0].policy);
		conf_diff_fini(&d);
	}
}

/* ana-fibd hears of these when the speaker comes, and never again. */
static void
test_fib_restart(void **state)
{
	static const char *const name[] = { "table", "protocol", "metric",
		"prefer-source inet", "prefer-source inet6", "nexthop",
		"on-stop", "reconcile" };

	for (size_t i = 0; i < sizeof name / sizeof name[0]; i++)
		assert_true(
		    conf_schema_row("fib", name[i])->flags & CF_RESTART);
}

/* What a set is but its prefixes is told, and touches nobody. */
static void
test_diff_set_block(void **state)
{
	static const char form[] = HEAD "prefix-set t { %s 1.2.3.0/24; }" NB(
	    "203.0.113.1", "allow prefix-set t;");
	struct conf_diff d;

	diff_texts(mem_printf(form, "max-age 1d;"),
	    mem_printf(form, "max-age 2d; empty accept;"), &d);
	assert_int_equal(d.nline, 2);
	assert_string_equal(
	    d.line[0], "prefix-set t: max-age 1d; becomes max-age 2d; (live)");
	assert_string_equal(d.line[1], "prefix-set t: + empty accept; (live)");
	assert_int_equal(d.nneighbor, 0);
	conf_diff_fini(&d);
}

/* Graceful restart of global is that of the neighbors who do not say more. */
static void
test_diff_restart(void **state)
{
	static const char form[] =
	    "global { as 52580; router-id 192.0.2.10; graceful-restart "
	    "{ restart-time %s; } }\n"
	    "neighbor 203.0.113.1 { remote-as 3292; export none; }"
	    "neighbor 203.0.113.2 { remote-as 3292; export none;"
	    " graceful-restart { restart-time 99s; } }"
	    "neighbor 203.0.113.3 { remote-as 3292; export none;"
	    " no graceful-restart; }";
	struct conf_diff d;

	diff_texts(mem_printf(form, "100s"), mem_printf(form, "101s"), &d);
	assert_int_equal(d.nline, 1);
	assert_non_null(strstr(d.line[0], "(the session bounces)"));
	assert_int_equal(d.nneighbor, 1);
	assert_int_equal(addr_to_v4(&d.neighbor[0].addr), 0xcb007101);
	assert_int_equal(d.neighbor[0].what, CONF_RESET);
	conf_diff_fini(&d);
}

static void
test_too_many(void **state)
{
	size_t room = 64 * (CONF_NEIGHBORS_MAX + 2), n;
	char *text = mem_alloc(room);
	struct conf *c;

	n = strlcpy(text, HEAD, room);
	for (unsigned int i = 0; i <= CONF_NEIGHBORS_MAX; i++)
		n += (size_t)snprintf(text + n, room - n,
		    "neighbor 198.18.%u.%u { remote-as 719; }\n", i / 250,
		    i % 250 + 1);
	assert_null(load(text));
	*strrchr(text, 'n') = '#'; /* the last one is a comment now */
	c = load(text);
	assert_non_null(c);
	assert_int_equal(c->nneighbor, CONF_NEIGHBORS_MAX);
	conf_free(c);
	free(text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_inside),
		cmocka_unit_test(test_files),
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_sample),
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_canonical),
		cmocka_unit_test(test_rule_order),
		cmocka_unit_test(test_guards),
		cmocka_unit_test(test_store),
		cmocka_unit_test(test_store_renamed),
		cmocka_unit_test(test_rules),
		cmocka_unit_test(test_not_built),
		cmocka_unit_test(test_manual),
		cmocka_unit_test(test_diff),
		cmocka_unit_test(test_entries),
		cmocka_unit_test(test_same_set),
		cmocka_unit_test(test_loaded_stays),
		cmocka_unit_test(test_diff_set),
		cmocka_unit_test(test_diff_set_block),
		cmocka_unit_test(test_diff_identity),
		cmocka_unit_test(test_fib_restart),
		cmocka_unit_test(test_diff_restart),
		cmocka_unit_test(test_too_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
