/*
 * pfxfile.c -- generated prefix lists.  The text formats share one lexer and
 * differ in what stands around a prefix and behind it.  JSON is cut into its
 * entries here and each of them is given to jansson alone: memory is bounded
 * by one entry, and the line of an error is known.
 */
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"
#include "policy/pfxfile.h"

enum {
	WORD_MAX = 80,
	JSON_ENTRY_MAX = 4096, /* octets of one entry */
	ORIGINS_MAX = 1 << 16,
};

enum token {
	TOK_END,
	TOK_WORD,
	TOK_PUNCT, /* one of PUNCT */
	TOK_BAD,
};

#define PUNCT "{}[](),;=+-<>"

/* Where in a list of lists the reader stands. */
enum place {
	AT_START,
	AT_LIST, /* the name of a list comes */
	IN_LIST,
	BEHIND_LIST,
};

enum step {
	STEP_MORE,
	STEP_DONE,
	STEP_BAD, /* res->error tells */
};

struct parse {
	const char *p, *end;
	size_t line; /* of p */
	struct pfxset *set; /* NULL: only looking for `want` */
	struct pfxset_entry want;
	struct pfxfile *res;
	enum place place;
	bool asns; /* the list is one of AS numbers */
	/* the token read last */
	enum token tok;
	char word[WORD_MAX + 1]; /* printable; punctuation: one character */
	size_t tok_line;
};

/* An entry in its making; lo and hi are -1 when not given. */
struct range {
	int lo, hi;
};

static bool fail(struct parse *, size_t line, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static bool
fail(struct parse *x, size_t line, const char *fmt, ...)
{
	va_list ap;
	char *p;

	va_start(ap, fmt);
	vsnprintf(x->res->error, sizeof(x->res->error), fmt, ap);
	va_end(ap);
	/* A file is somebody else's text: nothing for a terminal to obey. */
	for (p = x->res->error; *p != '\0'; p++)
		if (*p < ' ' || *p > '~')
			*p = '?';
	x->res->line = line;
	return false;
}

/* The first list's name, if all of it can be shown. */
static void
named(struct parse *x, const char *name)
{
	size_t n = strlen(name);

	if (x->res->name[0] != '\0' || n >= sizeof(x->res->name))
		return;
	for (size_t i = 0; i < n; i++)
		if (name[i] <= ' ' || name[i] > '~')
			return;
	memcpy(x->res->name, name, n + 1);
}

/* ---- the lexer of the text formats ------------------------------------ */

static bool
is_word(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
	    (c >= 'A' && c <= 'Z') || c == '.' || c == ':' || c == '/' ||
	    c == '_';
}

static bool
is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static void
skip_space(struct parse *x)
{
	for (; x->p < x->end; x->p++) {
		if (*x->p == '#')
			while (x->p + 1 < x->end && x->p[1] != '\n')
				x->p++;
		else if (*x->p == '\n')
			x->line++;
		else if (*x->p != ' ' && *x->p != '\t' && *x->p != '\r')
			break;
	}
}

/*
 * A hyphen belongs to a word that begins with a letter ("prefix-set"), else it
 * stands alone ("8-24").
 */
static void
next(struct parse *x)
{
	size_t n = 0;
	bool name;

	skip_space(x);
	x->tok_line = x->line;
	x->word[0] = '\0';
	if (x->p == x->end) {
		x->tok = TOK_END;
		return;
	}
	if (!is_word(*x->p)) {
		x->tok = *x->p != '\0' && strchr(PUNCT, *x->p) != NULL
		    ? TOK_PUNCT
		    : TOK_BAD;
		x->word[0] = *x->p >= ' ' && *x->p <= '~' ? *x->p : '?';
		x->word[1] = '\0';
		x->p++;
		return;
	}
	name = is_letter(*x->p);
	for (; x->p < x->end && (is_word(*x->p) || (name && *x->p == '-'));
	     x->p++)
		if (n < WORD_MAX)
			x->word[n++] = *x->p;
	x->word[n] = '\0';
	/* Nothing that long is right: what is cut off does not matter. */
	x->tok = n < WORD_MAX ? TOK_WORD : TOK_BAD;
}

static bool
at_punct(const struct parse *x, char c)
{
	return x->tok == TOK_PUNCT && x->word[0] == c;
}

static bool
at_word(const struct parse *x, const char *w)
{
	return x->tok == TOK_WORD && strcmp(x->word, w) == 0;
}

static bool
unexpected(struct parse *x, const char *want)
{
	if (x->tok == TOK_END)
		return fail(
		    x, x->tok_line, "the file ends where %s is wanted", want);
	return fail(
	    x, x->tok_line, "\"%s\" stands where %s is wanted", x->word, want);
}

static bool
expect(struct parse *x, char c)
{
	const char want[] = { '"', c, '"', '\0' };

	if (!at_punct(x, c))
		return unexpected(x, want);
	next(x);
	return true;
}

static bool
digits(const char *s, uint32_t max, uint32_t *out)
{
	uint64_t n = 0;
	const char *p;

	for (p = s; *p >= '0' && *p <= '9'; p++) {
		n = n * 10 + (uint64_t)(*p - '0');
		if (n > max)
			return false;
	}
	*out = (uint32_t)n;
	return p != s && *p == '\0';
}

static bool
length(struct parse *x, int *out)
{
	uint32_t n;

	if (x->tok != TOK_WORD || !digits(x->word, 128, &n))
		return unexpected(x, "a prefix length");
	*out = (int)n;
	next(x);
	return true;
}

/* ---- entries ---------------------------------------------------------- */

static bool
room(struct parse *x, size_t line)
{
	if (x->res->inet + x->res->inet6 + x->res->asns <
	    (size_t)PFXFILE_MAX_ENTRIES)
		return true;
	return fail(x, line, "more than %d entries", PFXFILE_MAX_ENTRIES);
}

static bool
parse_prefix(struct parse *x, const char *text, size_t line, struct pfx *p)
{
	char right[PFX_STRLEN];

	if (pfx_parse(text, p))
		return true;
	if (pfx_parse_loose(text, p))
		return fail(x, line, "%s has bits set behind its length: %s?",
		    text, pfx_print(p, right, sizeof(right)));
	return fail(x, line, "\"%.80s\" is not a prefix", text);
}

static bool
add(struct parse *x, const struct pfx *p, struct range r, size_t line)
{
	unsigned int bits = fam_bits((enum fam)p->addr.fam);
	char text[PFX_STRLEN];

	if (r.lo < 0)
		r.lo = p->len;
	if (r.hi < 0)
		r.hi = (int)bits;
	if (r.lo < p->len || r.lo > r.hi || r.hi > (int)bits)
		return fail(x, line,
		    "%s cannot have lengths %d to %d: they go from /%u to /%u",
		    pfx_print(p, text, sizeof(text)), r.lo, r.hi, p->len, bits);
	if (!room(x, line))
		return false;
	if (x->set != NULL)
		pfxset_add(x->set, p, (unsigned int)r.lo, (unsigned int)r.hi);
	else if (x->res->line == 0 && pfx_eq(p, &x->want.pfx) &&
	    r.lo <= x->want.hi && r.hi >= x->want.lo)
		x->res->line = line;
	if (p->addr.fam == FAM_INET)
		x->res->inet++;
	else
		x->res->inet6++;
	return true;
}

static bool
add_origin(struct parse *x, uint32_t as, size_t line)
{
	if (x->res->asns >= ORIGINS_MAX)
		return fail(x, line, "more than %d AS numbers", ORIGINS_MAX);
	if (!room(x, line))
		return false;
	if (x->set != NULL)
		pfxset_add_origin(x->set, as);
	x->res->asns++;
	return true;
}

/* A bare number is an AS number (bgpq4 -t). */
static bool
is_asn(const struct parse *x, uint32_t *as)
{
	return x->tok == TOK_WORD && digits(x->word, UINT32_MAX, as);
}

/* The prefix that an entry begins with; exact until the rest says otherwise. */
static bool
begin_entry(struct parse *x, size_t line, struct pfx *p, struct range *r)
{
	if (x->tok != TOK_WORD)
		return unexpected(x, "a prefix");
	if (!parse_prefix(x, x->word, line, p))
		return false;
	r->lo = r->hi = p->len;
	next(x);
	return true;
}

/* ---- plain: prefix [low [high]], one a line --------------------------- */

static bool
plain_line(struct parse *x)
{
	size_t line = x->tok_line;
	struct range r;
	struct pfx p;

	if (!begin_entry(x, line, &p, &r))
		return false;
	if (x->tok != TOK_END && x->tok_line == line) {
		if (!length(x, &r.lo))
			return false;
		if (x->tok == TOK_END || x->tok_line != line)
			return fail(
			    x, line, "a lowest length without a highest one");
		if (!length(x, &r.hi))
			return false;
		if (x->tok != TOK_END && x->tok_line == line)
			return unexpected(x, "the end of the line");
	}
	return add(x, &p, r, line);
}

static enum step
plain(struct parse *x)
{
	if (x->tok == TOK_END)
		return STEP_DONE;
	return plain_line(x) ? STEP_MORE : STEP_BAD;
}

/* ---- OpenBGPD: prefix-set NAME { PREFIX [prefixlen ...] ... } ---------- */

static bool
prefixlen(struct parse *x, struct range *r)
{
	bool less = at_punct(x, '<'), greater = at_punct(x, '>');

	*r = (struct range){ -1, -1 };
	if (less || greater) {
		next(x);
		return expect(x, '=') && length(x, less ? &r->hi : &r->lo);
	}
	if (at_punct(x, '=')) {
		next(x);
		if (!length(x, &r->lo))
			return false;
		r->hi = r->lo;
		return true;
	}
	return length(x, &r->lo) && expect(x, '-') && length(x, &r->hi);
}

static bool
openbgpd_entry(struct parse *x)
{
	size_t line = x->tok_line;
	struct range r;
	struct pfx p;

	if (!begin_entry(x, line, &p, &r))
		return false;
	if (at_word(x, "prefixlen")) {
		next(x);
		if (!prefixlen(x, &r))
			return false;
	} else if (at_word(x, "or-longer")) {
		next(x);
		r.hi = -1;
	} else if (at_word(x, "maxlen")) {
		next(x);
		if (!length(x, &r.hi))
			return false;
	}
	return add(x, &p, r, line);
}

static bool
openbgpd_begin(struct parse *x)
{
	x->asns = at_word(x, "as-set");
	if (!x->asns && !at_word(x, "prefix-set"))
		return unexpected(x, "\"prefix-set\"");
	next(x);
	if (x->tok != TOK_WORD)
		return unexpected(x, "the name of the set");
	named(x, x->word);
	next(x);
	x->place = IN_LIST;
	return expect(x, '{');
}

/* Of an as-set. */
static bool
openbgpd_asn(struct parse *x)
{
	uint32_t as;

	if (!is_asn(x, &as))
		return unexpected(x, "an AS number or \"}\"");
	if (!add_origin(x, as, x->tok_line))
		return false;
	next(x);
	return true;
}

static enum step
openbgpd(struct parse *x)
{
	if (x->place != IN_LIST) {
		if (x->tok == TOK_END)
			return STEP_DONE;
		return openbgpd_begin(x) ? STEP_MORE : STEP_BAD;
	}
	if (at_punct(x, '}')) {
		x->place = BEHIND_LIST;
		next(x);
		return STEP_MORE;
	}
	if (!(x->asns ? openbgpd_asn(x) : openbgpd_entry(x)))
		return STEP_BAD;
	if (at_punct(x, ','))
		next(x);
	return STEP_MORE;
}

/* ---- BIRD: [define] NAME = [ PREFIX{a,b}, ... ]; ----------------------- */

static bool
bird_entry(struct parse *x)
{
	size_t line = x->tok_line;
	struct range r;
	struct pfx p;
	uint32_t as;

	if (is_asn(x, &as)) {
		next(x);
		return add_origin(x, as, line);
	}
	if (!begin_entry(x, line, &p, &r))
		return false;
	if (at_punct(x, '+')) {
		next(x);
		r.hi = -1;
	} else if (at_punct(x, '{')) {
		next(x);
		if (!length(x, &r.lo) || !expect(x, ',') || !length(x, &r.hi) ||
		    !expect(x, '}'))
			return false;
	} else if (at_punct(x, '-'))
		return fail(x, line, "shorter prefixes (\"-\") are not taken");
	return add(x, &p, r, line);
}

static bool
bird_begin(struct parse *x)
{
	if (at_word(x, "define"))
		next(x);
	if (x->tok != TOK_WORD)
		return unexpected(x, "the name of the set");
	named(x, x->word);
	next(x);
	if (!expect(x, '='))
		return false;
	if (x->tok == TOK_BAD && x->word[0] == '"')
		return fail(x, x->tok_line,
		    "bgpq4 -B without -E: only a prefix-set is read");
	x->place = IN_LIST;
	return expect(x, '[');
}

static enum step
bird(struct parse *x)
{
	if (x->place != IN_LIST) {
		if (x->tok == TOK_END)
			return STEP_DONE;
		return bird_begin(x) ? STEP_MORE : STEP_BAD;
	}
	if (at_punct(x, ']')) {
		x->place = BEHIND_LIST;
		next(x);
		if (at_punct(x, ';'))
			next(x);
		return STEP_MORE;
	}
	if (!bird_entry(x))
		return STEP_BAD;
	if (at_punct(x, ','))
		next(x);
	else if (!at_punct(x, ']')) {
		unexpected(x, "\",\" or \"]\"");
		return STEP_BAD;
	}
	return STEP_MORE;
}

/* ---- JSON: { "NAME": [ { "prefix": ... } or ASN, ... ] } --------------- */

static void
json_space(struct parse *x)
{
	for (; x->p < x->end; x->p++)
		if (*x->p == '\n')
			x->line++;
		else if (*x->p != ' ' && *x->p != '\t' && *x->p != '\r')
			break;
}

static bool
json_at(struct parse *x, char c)
{
	json_space(x);
	if (x->p == x->end || *x->p != c)
		return false;
	x->p++;
	return true;
}

static bool
json_want(struct parse *x, char c)
{
	if (json_at(x, c))
		return true;
	return fail(x, x->line, "not the JSON of bgpq4 -j: \"%c\" is wanted %s",
	    c, x->p == x->end ? "where the file ends" : "here");
}

/* Cuts one value out; NULL: the error is told.  *line is where it begins. */
static json_t *
json_value(struct parse *x, size_t *line)
{
	size_t left, n;
	json_error_t err;
	json_t *v;

	json_space(x);
	*line = x->line;
	left = (size_t)(x->end - x->p);
	n = left < JSON_ENTRY_MAX ? left : JSON_ENTRY_MAX;
	v = json_loadb(x->p, n,
	    JSON_DECODE_ANY | JSON_DISABLE_EOF_CHECK | JSON_REJECT_DUPLICATES,
	    &err);
	if (v == NULL) {
		size_t at = err.line > 1 ? (size_t)err.line - 1 : 0;

		fail(x, *line + at, "not valid JSON: %s", err.text);
		return NULL;
	}
	for (left = (size_t)err.position; left > 0; left--)
		if (*x->p++ == '\n')
			x->line++;
	return v;
}

static bool
json_length(struct parse *x, const json_t *v, size_t line, int *out)
{
	if (!json_is_integer(v) || json_integer_value(v) < 0 ||
	    json_integer_value(v) > 128)
		return fail(x, line, "a length is a number from 0 to 128");
	*out = (int)json_integer_value(v);
	return true;
}

static bool
json_prefix(struct parse *x, json_t *o, size_t line)
{
	struct range r = { -1, -1 };
	const json_t *text = NULL;
	const char *key;
	bool exact = false, exact_said = false;
	struct pfx p;
	json_t *v;

	json_object_foreach(o, key, v)
	{
		if (strcmp(key, "prefix") == 0 && json_is_string(v))
			text = v;
		else if (strcmp(key, "exact") == 0 && json_is_boolean(v)) {
			exact = json_is_true(v);
			exact_said = true;
		} else if (strcmp(key, "greater-equal") == 0) {
			if (!json_length(x, v, line, &r.lo))
				return false;
		} else if (strcmp(key, "less-equal") == 0) {
			if (!json_length(x, v, line, &r.hi))
				return false;
		} else
			return fail(x, line,
			    "\"%.40s\" is no key of bgpq4 -j, or not its type",
			    key);
	}
	if (text == NULL)
		return fail(x, line, "an entry without \"prefix\"");
	if (!parse_prefix(x, json_string_value(text), line, &p))
		return false;
	if (exact && (r.lo >= 0 || r.hi >= 0))
		return fail(x, line, "an exact entry with a range");
	if (exact_said && !exact && r.lo < 0 && r.hi < 0)
		return fail(x, line, "an entry not exact and without a range");
	if (r.lo < 0 && r.hi < 0)
		r.lo = r.hi = p.len;
	return add(x, &p, r, line);
}

/* "text" without escapes other than \/, of at most n - 1 octets. */
static bool
plain_string(struct parse *x, char *out, size_t n)
{
	const char *p = x->p;
	size_t i = 0;

	if (p == x->end || *p++ != '"')
		return false;
	for (; p < x->end && *p != '"'; p++) {
		if (*p == '\\' && p + 1 < x->end && p[1] == '/')
			p++;
		else if (*p == '\\')
			return false;
		if (*p < ' ' || *p > '~' || i + 1 == n)
			return false;
		out[i++] = *p;
	}
	if (p == x->end)
		return false;
	out[i] = '\0';
	x->p = p + 1;
	return true;
}

static bool
plain_number(struct parse *x, int *out)
{
	const char *p = x->p;
	int n = 0;

	for (; p < x->end && *p >= '0' && *p <= '9' && n <= 128; p++)
		n = n * 10 + (*p - '0');
	if (p == x->p || n > 128 || (*x->p == '0' && p > x->p + 1))
		return false;
	*out = n;
	x->p = p;
	return true;
}

static bool
plain_word(struct parse *x, const char *w)
{
	size_t n = strlen(w);

	if ((size_t)(x->end - x->p) < n || memcmp(x->p, w, n) != 0)
		return false;
	x->p += n;
	return true;
}

/* One "key": value; each key once. */
static bool
plain_member(
    struct parse *x, char text[PFX_STRLEN], struct range *r, int *exact)
{
	char key[16];

	json_space(x);
	if (!plain_string(x, key, sizeof(key)) || !json_at(x, ':'))
		return false;
	json_space(x);
	if (strcmp(key, "prefix") == 0)
		return text[0] == '\0' && plain_string(x, text, PFX_STRLEN);
	if (strcmp(key, "greater-equal") == 0)
		return r->lo < 0 && plain_number(x, &r->lo);
	if (strcmp(key, "less-equal") == 0)
		return r->hi < 0 && plain_number(x, &r->hi);
	if (strcmp(key, "exact") != 0 || *exact >= 0)
		return false;
	*exact = plain_word(x, "true") ? 1 : plain_word(x, "false") ? 0 : -1;
	return *exact >= 0;
}

/*
 * The form that bgpq4 writes, several times as fast as a general reader, which
 * takes over, from the entry's beginning, whenever something else is there:
 * it knows how to say what is wrong.
 */
static bool
plain_entry(struct parse *x)
{
	struct parse back = *x;
	char text[PFX_STRLEN] = "";
	struct range r = { -1, -1 };
	int exact = -1;
	struct pfx p;
	size_t line;

	json_space(x);
	line = x->line;
	if (json_at(x, '{')) {
		do {
			if (!plain_member(x, text, &r, &exact))
				goto other;
		} while (json_at(x, ','));
		if (json_at(x, '}') && text[0] != '\0' && pfx_parse(text, &p) &&
		    (exact != 1 || (r.lo < 0 && r.hi < 0)) &&
		    (exact != 0 || r.lo >= 0 || r.hi >= 0)) {
			if (r.lo < 0 && r.hi < 0)
				r.lo = r.hi = p.len;
			if (add(x, &p, r, line))
				return true;
		}
	}
other:
	x->p = back.p;
	x->line = back.line;
	return false;
}

static bool
json_entry(struct parse *x)
{
	bool ok = false;
	json_int_t n;
	size_t line;
	json_t *v = json_value(x, &line);

	if (v == NULL)
		return false;
	if (json_is_object(v))
		ok = json_prefix(x, v, line);
	else if (json_is_integer(v)) {
		n = json_integer_value(v);
		ok = n >= 0 && n <= UINT32_MAX
		    ? add_origin(x, (uint32_t)n, line)
		    : fail(x, line, "no AS number: it has 32 bits");
	} else
		fail(x, line, "an entry is an object with \"prefix\"");
	json_decref(v);
	return ok;
}

static bool
json_begin(struct parse *x)
{
	size_t line;
	json_t *name = json_value(x, &line);
	bool ok = name != NULL && json_is_string(name);

	if (name != NULL && !ok)
		fail(x, line, "the name of the list is wanted here");
	if (ok)
		named(x, json_string_value(name));
	json_decref(name);
	if (!ok || !json_want(x, ':') || !json_want(x, '['))
		return false;
	x->place = json_at(x, ']') ? BEHIND_LIST : IN_LIST;
	return true;
}

static bool
json_next(struct parse *x)
{
	if (!plain_entry(x) && !json_entry(x))
		return false;
	if (json_at(x, ','))
		return true;
	x->place = BEHIND_LIST;
	return json_want(x, ']');
}

static enum step
json_done(struct parse *x)
{
	json_space(x);
	if (x->p == x->end)
		return STEP_DONE;
	fail(x, x->line, "more text behind the end of the JSON");
	return STEP_BAD;
}

static enum step
json(struct parse *x)
{
	bool ok = true;

	switch (x->place) {
	case AT_START:
		ok = json_want(x, '{');
		if (ok && json_at(x, '}'))
			return json_done(x);
		x->place = AT_LIST;
		break;
	case AT_LIST:
		ok = json_begin(x);
		break;
	case IN_LIST:
		ok = json_next(x);
		break;
	case BEHIND_LIST:
		if (json_at(x, ','))
			x->place = AT_LIST;
		else
			return json_want(x, '}') ? json_done(x) : STEP_BAD;
		break;
	}
	return ok ? STEP_MORE : STEP_BAD;
}

/* ---- */

static bool
recognise(struct parse *x)
{
	struct parse ahead = *x;
	struct pfx p;

	next(&ahead);
	if (at_punct(&ahead, '{') || at_punct(&ahead, '['))
		x->res->format = PFXFILE_JSON;
	else if (at_word(&ahead, "prefix-set") || at_word(&ahead, "as-set"))
		x->res->format = PFXFILE_OPENBGPD;
	else if (ahead.tok == TOK_END ||
	    (ahead.tok == TOK_WORD && pfx_parse_loose(ahead.word, &p)))
		x->res->format = PFXFILE_PLAIN;
	else {
		bool define = at_word(&ahead, "define");

		next(&ahead);
		if (!at_punct(&ahead, '=') && !define)
			return fail(x, ahead.tok_line,
			    "no known format: bgpq4 -j, -B -E, -b, or lines "
			    "\"prefix\" or \"prefix low high\"");
		x->res->format = PFXFILE_BIRD;
	}
	return true;
}

struct pfxfile_work {
	struct parse x;
	enum step step;
};

struct pfxfile_work *
pfxfile_begin(
    const char *buf, size_t len, struct pfxset *set, struct pfxfile *res)
{
	struct pfxfile_work *w = mem_alloc(sizeof(*w));
	struct parse *x = &w->x;

	memset(res, 0, sizeof(*res));
	x->p = buf;
	x->end = buf + len;
	x->line = 1;
	x->set = set;
	x->res = res;
	if (len == 0)
		w->step = STEP_DONE;
	else if (len > (size_t)PFXFILE_MAX) {
		fail(x, 0, "larger than %d octets", PFXFILE_MAX);
		w->step = STEP_BAD;
	} else if (!recognise(x))
		w->step = STEP_BAD;
	else if (res->format != PFXFILE_JSON)
		next(x);
	return w;
}

struct pfxfile_work *
pfxfile_find(const char *buf, size_t len, const struct pfxset_entry *want,
    struct pfxfile *res)
{
	struct pfxfile_work *w = pfxfile_begin(buf, len, NULL, res);

	w->x.want = *want;
	return w;
}

bool
pfxfile_run(struct pfxfile_work *w, size_t entries)
{
	static enum step (*const step[])(struct parse *) = {
		[PFXFILE_PLAIN] = plain,
		[PFXFILE_JSON] = json,
		[PFXFILE_OPENBGPD] = openbgpd,
		[PFXFILE_BIRD] = bird,
	};

	for (; w->step == STEP_MORE && entries > 0; entries--) {
		w->step = step[w->x.res->format](&w->x);
		if (w->x.set == NULL && w->x.res->line != 0)
			w->step = STEP_DONE;
	}
	return w->step == STEP_MORE;
}

bool
pfxfile_end(struct pfxfile_work *w)
{
	bool good = w->step == STEP_DONE;

	free(w);
	return good;
}

bool
pfxfile_parse(
    const char *buf, size_t len, struct pfxset *set, struct pfxfile *res)
{
	struct pfxfile_work *w = pfxfile_begin(buf, len, set, res);

	pfxfile_run(w, SIZE_MAX);
	return pfxfile_end(w);
}

void
pfxfile_seed(uint32_t random)
{
	json_object_seed(random);
}
