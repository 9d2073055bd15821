/*
 * conf_syntax.c -- what may follow a statement's name, as a small language:
 *
 *	word		that word
 *	TYPE		a value (the table below)
 *	a | b		one of them; tried in this order
 *	[ a ]		may be left out
 *	( a )		grouping
 *	{ a }		a list, or one word of it without brackets
 *
 * Matching takes the first alternative that fits and never goes back, so a
 * row lists the longer or more special alternative first.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bgpd/conf_tree.h"
#include "lib/mem.h"
#include "policy/asregex.h"
#include "policy/rules.h"

struct match {
	const struct conf_schema *row;
	struct conf_node *n;
	struct conf_syntax_err *err;
	bool ranged; /* the first number was seen */
};

typedef bool parse_fn(struct match *, struct conf_word *);

/* A sentence of its own for what is wrong with the word under the caret. */
static bool
wrong(struct match *m, const char *hint, const char *text)
{
	m->err->specific = true;
	strlcpy(m->err->text, text, sizeof(m->err->text));
	strlcpy(m->err->hint, hint != NULL ? hint : "", sizeof(m->err->hint));
	return false;
}

static bool
did_you_mean(struct match *m, const char *what, const char *text)
{
	char hint[80];

	snprintf(hint, sizeof(hint), "did you mean \"%s\"?", what);
	return wrong(m, hint, text);
}

/* ---- values ------------------------------------------------------------ */

/* Decimal digits at *s, moved behind them; false: none or too many. */
static bool
digits(const char **s, uint64_t *num)
{
	const char *p = *s;
	uint64_t v = 0;

	while (*p >= '0' && *p <= '9') {
		if (v > (UINT64_MAX >> 8))
			return false;
		v = v * 10 + (uint64_t)(*p++ - '0');
	}
	if (p == *s)
		return false;
	*s = p;
	*num = v;
	return true;
}

static void
duration(uint64_t s, char *buf, size_t size)
{
	if (s == 0)
		strlcpy(buf, "0s", size);
	else if (s % 604800 == 0)
		snprintf(buf, size, "%lluw", (unsigned long long)(s / 604800));
	else if (s % 86400 == 0)
		snprintf(buf, size, "%llud", (unsigned long long)(s / 86400));
	else if (s % 3600 == 0)
		snprintf(buf, size, "%lluh", (unsigned long long)(s / 3600));
	else if (s % 60 == 0 && s >= 300)
		snprintf(buf, size, "%llum", (unsigned long long)(s / 60));
	else
		snprintf(buf, size, "%llus", (unsigned long long)s);
}

static void
number_print(enum conf_type type, uint64_t v, char *buf, size_t size)
{
	if (type == CT_TIME)
		duration(v, buf, size);
	else
		snprintf(buf, size, "%llu%s", (unsigned long long)v,
		    type == CT_PERCENT ? "%" : "");
}

/* The row's range holds for the first number of a statement. */
static bool
in_range(struct match *m, struct conf_word *w, enum conf_type type)
{
	char lo[24], hi[24], text[160];

	if (m->ranged || (m->row->min == 0 && m->row->max == 0)) {
		if (type == CT_UINT && w->num > UINT32_MAX)
			return wrong(m, NULL, "the number is too large");
		return true;
	}
	if (w->num >= m->row->min && w->num <= m->row->max)
		return true;
	number_print(type, m->row->min, lo, sizeof(lo));
	number_print(type, m->row->max, hi, sizeof(hi));
	if (m->row->min == m->row->max)
		snprintf(
		    text, sizeof(text), "\"%.40s\" must be %s", w->text, lo);
	else if (w->num < m->row->min)
		snprintf(text, sizeof(text),
		    "\"%.40s\" is too small, from %s to %s is possible",
		    w->text, lo, hi);
	else
		snprintf(text, sizeof(text),
		    "\"%.40s\" is too large, from %s to %s is possible",
		    w->text, lo, hi);
	return wrong(m, NULL, text);
}

static bool
parse_uint(struct match *m, struct conf_word *w)
{
	const char *s = w->text;

	if (!digits(&s, &w->num))
		return false;
	if (*s == 'k' && s[1] == '\0')
		w->num *= 1000;
	else if (*s == 'M' && s[1] == '\0')
		w->num *= 1000000;
	else if (*s != '\0')
		return false;
	if (!in_range(m, w, CT_UINT))
		return false;
	m->ranged = true;
	return true;
}

static bool
parse_time(struct match *m, struct conf_word *w)
{
	static const char unit[] = "smhdw";
	static const uint32_t factor[] = { 1, 60, 3600, 86400, 604800 };
	const char *s = w->text, *u;
	uint64_t v, sum = 0;
	char fixed[40];

	do {
		if (!digits(&s, &v))
			return false;
		if (*s == '\0') {
			snprintf(fixed, sizeof(fixed), "%.30ss", w->text);
			return did_you_mean(
			    m, fixed, "a time needs its unit: s, m, h, d or w");
		}
		u = strchr(unit, *s);
		if (u == NULL || v > UINT32_MAX)
			return false;
		sum += v * factor[u - unit];
		s++;
	} while (*s != '\0');
	if (sum > UINT32_MAX)
		return wrong(m, NULL, "the time is too long");
	w->num = sum;
	if (!in_range(m, w, CT_TIME))
		return false;
	m->ranged = true;
	return true;
}

static bool
parse_percent(struct match *m, struct conf_word *w)
{
	const char *s = w->text;
	char fixed[40];

	if (!digits(&s, &w->num))
		return false;
	if (*s == '\0') {
		snprintf(fixed, sizeof(fixed), "%.30s%%", w->text);
		return did_you_mean(m, fixed, "a share needs its '%'");
	}
	if (strcmp(s, "%") != 0)
		return false;
	if (m->row->max > 100 && !m->ranged) {
		m->ranged = true;
		if (w->num >= m->row->min && w->num <= m->row->max)
			return true;
	}
	if (w->num < 1 || w->num > 100)
		return wrong(m, NULL, "a share is from 1% to 100%");
	return true;
}

static bool
parse_port(struct match *m, struct conf_word *w)
{
	const char *s = w->text;

	if (!digits(&s, &w->num) || *s != '\0')
		return false;
	if (w->num < 1 || w->num > 65535)
		return wrong(m, NULL, "a port is from 1 to 65535");
	return true;
}

/* RFC 5396: asplain and asdot are read, asplain is printed. */
static bool
parse_asn(struct match *m, struct conf_word *w)
{
	const char *s = w->text;
	uint64_t low;

	if (strncasecmp(s, "AS", 2) == 0 && s[2] >= '0' && s[2] <= '9')
		return did_you_mean(
		    m, s + 2, "an AS number is written without \"AS\"");
	if (!digits(&s, &w->num))
		return false;
	if (*s == '.') {
		s++;
		if (!digits(&s, &low) || low > 65535 || w->num > 65535)
			return false;
		w->num = w->num << 16 | low;
	}
	if (*s != '\0')
		return false;
	if (w->num == 0 || w->num >= UINT32_MAX)
		return wrong(m, NULL, "an AS number is from 1 to 4294967294");
	return true;
}

static bool
parse_addr(struct match *m, struct conf_word *w)
{
	struct pfx p;

	if (addr_parse(w->text, &w->addr))
		return true;
	if (pfx_parse_loose(w->text, &p))
		return wrong(m, NULL, "an address is wanted, not a prefix");
	return false;
}

static bool
parse_ipv4(struct match *m, struct conf_word *w)
{
	return parse_addr(m, w) &&
	    (w->addr.fam == FAM_INET ||
		wrong(m, NULL, "an IPv4 address is wanted here"));
}

static bool
parse_ipv6(struct match *m, struct conf_word *w)
{
	return parse_addr(m, w) &&
	    (w->addr.fam == FAM_INET6 ||
		wrong(m, NULL, "an IPv6 address is wanted here"));
}

static bool
parse_prefix(struct match *m, struct conf_word *w)
{
	char buf[PFX_STRLEN];
	struct addr a;

	if (pfx_parse(w->text, &w->pfx))
		return true;
	if (pfx_parse_loose(w->text, &w->pfx))
		return did_you_mean(m, pfx_print(&w->pfx, buf, sizeof(buf)),
		    "the prefix has host bits set");
	if (addr_parse(w->text, &a)) {
		pfx_make(&w->pfx, &a, fam_bits(a.fam));
		return did_you_mean(m, pfx_print(&w->pfx, buf, sizeof(buf)),
		    "a prefix needs its length");
	}
	return false;
}

static bool
parse_yesno(struct match *m, struct conf_word *w)
{
	static const char *const like[][2] = { { "on", "yes" },
		{ "true", "yes" }, { "off", "no" }, { "false", "no" } };
	size_t i;

	w->num = strcmp(w->text, "yes") == 0;
	if (w->num || strcmp(w->text, "no") == 0)
		return true;
	for (i = 0; i < sizeof(like) / sizeof(like[0]); i++)
		if (strcmp(w->text, like[i][0]) == 0)
			return did_you_mean(
			    m, like[i][1], "yes or no is wanted here");
	return false;
}

static bool
parse_mode(struct match *m, struct conf_word *w)
{
	char *end;

	if (w->text[0] != '0' || strlen(w->text) > 5)
		return false;
	w->num = strtoul(w->text, &end, 8);
	if (*end != '\0')
		return false;
	if ((w->num & ~(uint64_t)0666) != 0 || (w->num & 0600) != 0600)
		return wrong(
		    m, NULL, "a socket's mode is from 0600 to 0666, as 0660");
	return true;
}

static bool
parse_ratio(struct match *m, struct conf_word *w)
{
	const char *s = w->text;

	if (!digits(&s, &w->num) || *s++ != '/' || !digits(&s, &w->num2) ||
	    *s != '\0')
		return false;
	if (w->num != 1 || w->num2 < 1 || w->num2 > 1000000)
		return wrong(m, NULL, "one of 1 to 1000000, as 1/100");
	return true;
}

static bool
parse_rate(struct match *m, struct conf_word *w)
{
	const char *s = w->text;

	if (!digits(&s, &w->num) || strcmp(s, "/min") != 0)
		return false;
	if (w->num < 1 || w->num > 100000)
		return wrong(m, NULL, "from 1/min to 100000/min");
	return true;
}

static bool
parse_comm(struct match *m, struct conf_word *w)
{
	struct rule_comm c;

	(void)m;
	return rule_comm_parse(w->text, COMM_PLAIN, false, &c);
}

static bool
parse_large(struct match *m, struct conf_word *w)
{
	struct rule_comm c;

	(void)m;
	return rule_comm_parse(w->text, COMM_LARGE, false, &c);
}

static bool
parse_ext(struct match *m, struct conf_word *w)
{
	struct rule_comm c;

	(void)m;
	return rule_comm_parse(w->text, COMM_EXT, false, &c);
}

static bool
parse_comms(struct match *m, struct conf_word *w)
{
	struct rule_comm c;

	(void)m;
	return rule_comm_parse(w->text, COMM_PLAIN, true, &c);
}

static bool
parse_larges(struct match *m, struct conf_word *w)
{
	struct rule_comm c;

	(void)m;
	return rule_comm_parse(w->text, COMM_LARGE, true, &c);
}

static bool
parse_exts(struct match *m, struct conf_word *w)
{
	struct rule_comm c;

	(void)m;
	return rule_comm_parse(w->text, COMM_EXT, true, &c);
}

static bool
parse_regex(struct match *m, struct conf_word *w)
{
	struct asregex *re;
	const char *why;
	char text[160];
	size_t at;

	re = asregex_new(w->text, &why, &at);
	if (re == NULL) {
		snprintf(text, sizeof(text),
		    "at character %zu of the expression: %s", at + 1, why);
		return wrong(m, NULL, text);
	}
	asregex_free(re);
	return true;
}

static bool
parse_name(struct match *m, struct conf_word *w)
{
	static const char ok[] = "abcdefghijklmnopqrstuvwxyz"
				 "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.:-";
	size_t n = strlen(w->text);

	if (n == 0 || strspn(w->text, ok) != n)
		return false;
	if (n > 63)
		return wrong(m, NULL, "a name has at most 63 characters");
	return true;
}

static bool
parse_string(struct match *m, struct conf_word *w)
{
	const unsigned char *s = (const unsigned char *)w->text;

	if (strlen(w->text) > 255)
		return wrong(m, NULL, "a text has at most 255 octets");
	for (; *s != '\0'; s++)
		if (*s < 0x20 || *s == 0x7f)
			return wrong(
			    m, NULL, "control characters are not for a text");
	return true;
}

static bool
parse_path(struct match *m, struct conf_word *w)
{
	if (w->text[0] == '\0')
		return wrong(m, NULL, "a file name cannot be empty");
	if (strlen(w->text) > 1000)
		return wrong(m, NULL, "the file name is too long");
	return parse_string(m, w);
}

static const struct type {
	enum conf_type type;
	const char *word, *text;
	parse_fn *parse;
} types[] = {
	{ CT_UINT, "UINT", "a number", parse_uint },
	{ CT_ASN, "ASN", "an AS number", parse_asn },
	{ CT_TIME, "TIME", "a time such as 90s", parse_time },
	{ CT_PERCENT, "PERCENT", "a share such as 80%", parse_percent },
	{ CT_PORT, "PORT", "a port number", parse_port },
	{ CT_IPV4, "IPV4", "an IPv4 address", parse_ipv4 },
	{ CT_IPV6, "IPV6", "an IPv6 address", parse_ipv6 },
	{ CT_ADDR, "ADDRESS", "an address", parse_addr },
	{ CT_PREFIX, "PREFIX", "a prefix", parse_prefix },
	{ CT_YESNO, "YESNO", "yes or no", parse_yesno },
	{ CT_MODE, "MODE", "a mode such as 0660", parse_mode },
	{ CT_RATIO, "RATIO", "a ratio such as 1/100", parse_ratio },
	{ CT_RATE, "RATE", "a rate such as 20/min", parse_rate },
	{ CT_COMMUNITY, "COMMUNITY", "a community", parse_comm },
	{ CT_LARGE, "LARGE-COMMUNITY", "a large community", parse_large },
	{ CT_EXT, "EXT-COMMUNITY", "rt:AS:NUMBER or soo:AS:NUMBER", parse_ext },
	{ CT_COMMUNITY, "COMMUNITIES", "a community", parse_comms },
	{ CT_LARGE, "LARGE-COMMUNITIES", "a large community", parse_larges },
	{ CT_EXT, "EXT-COMMUNITIES", "rt:AS:NUMBER or soo:AS:NUMBER",
	    parse_exts },
	{ CT_STRING, "REGEX", "an expression in quotes", parse_regex },
	{ CT_NAME, "NAME", "a name", parse_name },
	{ CT_NAME, "WORD", "a guard or an option", parse_name },
	{ CT_STRING, "STRING", "a text in quotes", parse_string },
	{ CT_PATH, "PATH", "a file name in quotes", parse_path },
};
enum {
	NTYPE = sizeof(types) / sizeof(types[0])
};

/* ---- matching ---------------------------------------------------------- */

/* What was expected at word `at`; the farthest place is what counts. */
static void
expect(struct match *m, size_t at, size_t item, const char *what, size_t len)
{
	struct conf_syntax_err *e = m->err;
	size_t used;

	if (at < e->at || (at == e->at && item < e->item))
		return;
	if (at > e->at || item > e->item) {
		e->at = at;
		e->item = item;
		e->text[0] = e->hint[0] = '\0';
		e->specific = e->list = false;
	}
	if (e->specific)
		return;
	used = strlen(e->text);
	if (used + len + 8 > sizeof(e->text))
		return;
	snprintf(e->text + used, sizeof(e->text) - used, "%s%.*s",
	    used > 0 ? ", " : "", (int)len, what);
}

/* One word against one word of the syntax. */
static bool
match_word(struct match *m, const char *s, size_t len, struct conf_word *w,
    size_t at, size_t item)
{
	struct conf_syntax_err keep;
	size_t i;

	for (i = 0; i < NTYPE; i++)
		if (types[i].word[0] == s[0] &&
		    strncmp(types[i].word, s, len) == 0 &&
		    types[i].word[len] == '\0')
			break;
	if (w == NULL || w->kind == WORD_LIST) {
		if (i < NTYPE)
			expect(
			    m, at, item, types[i].text, strlen(types[i].text));
		else
			expect(m, at, item, s, len);
		m->err->list = w != NULL && m->err->at == at;
		return false;
	}
	if (i == NTYPE) {
		if (w->kind != WORD_STRING && strlen(w->text) == len &&
		    memcmp(w->text, s, len) == 0) {
			w->type = CT_LITERAL;
			return true;
		}
		expect(m, at, item, s, len);
		return false;
	}
	/* A word in quotes is a text and nothing else. */
	if ((w->kind == WORD_STRING && types[i].type != CT_STRING &&
		types[i].type != CT_PATH && types[i].type != CT_NAME) ||
	    w->kind == WORD_OPERATOR) {
		expect(m, at, item, types[i].text, strlen(types[i].text));
		return false;
	}
	keep = *m->err;
	m->err->specific = false;
	if (types[i].parse(m, w)) {
		*m->err = keep;
		w->type = types[i].type;
		return true;
	}
	if (m->err->specific &&
	    (at > keep.at || (at == keep.at && item >= keep.item))) {
		m->err->at = at;
		m->err->item = item;
		return false;
	}
	*m->err = keep;
	expect(m, at, item, types[i].text, strlen(types[i].text));
	return false;
}

static bool
opens(char c)
{
	return c == '(' || c == '[' || c == '{';
}

static bool
closes(char c)
{
	return c == ')' || c == ']' || c == '}';
}

/* The end of the group that starts at s with ( [ or {. */
static const char *
group_end(const char *s)
{
	int depth = 0;

	for (;; s++) {
		if (opens(*s))
			depth++;
		else if (closes(*s) && --depth == 0)
			return s;
	}
}

/* The next '|' of this level, or end. */
static const char *
alt_end(const char *s, const char *end)
{
	for (; s < end; s++) {
		if (*s == '|')
			return s;
		if (opens(*s))
			s = group_end(s);
	}
	return end;
}

static bool match_alt(struct match *, const char *, const char *, size_t *i);

/* Each item with one of the words of the group. */
static bool
match_list(struct match *m, const char *s, const char *end, size_t *i)
{
	struct conf_word *w = *i < m->n->nword ? &m->n->word[*i] : NULL;
	size_t k, n = 1;
	struct conf_word *item = w;

	if (w != NULL && w->kind == WORD_LIST) {
		item = w->item;
		n = w->nitem;
		if (n == 0) {
			m->err->at = *i;
			m->err->item = 0;
			m->err->list = true;
			return wrong(m, NULL, "the list is empty");
		}
	}
	for (k = 0; k < n; k++) {
		const char *a, *b, *e;
		bool ok = false;

		for (a = s; a < end && !ok; a = b < end ? b + 1 : end) {
			b = alt_end(a, end);
			e = b;
			while (*a == ' ')
				a++;
			while (e > a && e[-1] == ' ')
				e--;
			ok = match_word(
			    m, a, e - a, item != NULL ? &item[k] : NULL, *i, k);
		}
		if (!ok)
			return false;
	}
	(*i)++;
	return true;
}

static bool
match_seq(struct match *m, const char *s, const char *end, size_t *i)
{
	const char *e;

	while (s < end) {
		if (*s == ' ') {
			s++;
			continue;
		}
		if (opens(*s)) {
			e = group_end(s);
			if (*s == '{') {
				if (!match_list(m, s + 1, e, i))
					return false;
			} else if (!match_alt(m, s + 1, e, i) && *s == '(') {
				return false;
			}
			s = e + 1;
			continue;
		}
		for (e = s; e < end && *e != ' '; e++)
			;
		if (!match_word(m, s, e - s,
			*i < m->n->nword ? &m->n->word[*i] : NULL, *i, 0))
			return false;
		(*i)++;
		s = e;
	}
	return true;
}

static bool
match_alt(struct match *m, const char *s, const char *end, size_t *i)
{
	const char *e;
	size_t at;

	for (; s <= end; s = e + 1) {
		e = alt_end(s, end);
		at = *i;
		if (match_seq(m, s, e, &at)) {
			*i = at;
			return true;
		}
		if (e == end)
			break;
	}
	return false;
}

bool
conf_syntax_match(const struct conf_schema *row, struct conf_node *n,
    size_t first, struct conf_syntax_err *err)
{
	struct match m = { .row = row, .n = n, .err = err };
	size_t i = first;

	*err = (struct conf_syntax_err){ .at = first };
	if (!match_alt(&m, row->syntax, strchr(row->syntax, '\0'), &i))
		return false;
	if (i == n->nword)
		return true;
	if (err->at < i || err->text[0] == '\0' || !err->specific) {
		err->too_many = err->at < i || err->text[0] == '\0';
		if (err->too_many)
			err->at = i;
	}
	return false;
}

/* ---- printing ---------------------------------------------------------- */

/* May the text be written without quotes? */
static bool
is_plain(const char *s)
{
	static const char ok[] = "abcdefghijklmnopqrstuvwxyz"
				 "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				 "_.:/%+*-";

	return *s != '\0' && strspn(s, ok) == strlen(s);
}

void
conf_quote(FILE *f, const char *s)
{
	fputc('"', f);
	for (; *s != '\0'; s++) {
		if (*s == '\n')
			fputs("\\n", f);
		else if (*s == '\t')
			fputs("\\t", f);
		else if (*s == '"' || *s == '\\')
			fprintf(f, "\\%c", *s);
		else
			fputc(*s, f);
	}
	fputc('"', f);
}

void
conf_word_print(FILE *f, const struct conf_word *w)
{
	char buf[PFX_STRLEN];
	size_t i;

	if (w->kind == WORD_LIST) {
		fputc('[', f);
		for (i = 0; i < w->nitem; i++) {
			fputs(i > 0 ? ", " : " ", f);
			conf_word_print(f, &w->item[i]);
		}
		fputs(" ]", f);
		return;
	}
	switch (w->type) {
	case CT_UINT:
	case CT_ASN:
	case CT_PORT:
		fprintf(f, "%llu", (unsigned long long)w->num);
		break;
	case CT_TIME:
	case CT_PERCENT:
		number_print(w->type, w->num, buf, sizeof(buf));
		fputs(buf, f);
		break;
	case CT_IPV4:
	case CT_IPV6:
	case CT_ADDR:
		fputs(addr_print(&w->addr, buf, sizeof(buf)), f);
		break;
	case CT_PREFIX:
		fputs(pfx_print(&w->pfx, buf, sizeof(buf)), f);
		break;
	case CT_MODE:
		fprintf(f, "%04llo", (unsigned long long)w->num);
		break;
	case CT_STRING:
	case CT_PATH:
		conf_quote(f, w->text);
		break;
	case CT_NONE:
	case CT_LITERAL:
	case CT_NAME:
	case CT_YESNO:
	case CT_RATIO:
	case CT_RATE:
	case CT_COMMUNITY:
	case CT_LARGE:
	case CT_EXT:
	case CT_TYPE_N:
	default:
		if (w->kind == WORD_OPERATOR ||
		    (w->kind == WORD_BARE && is_plain(w->text)))
			fputs(w->text, f);
		else if (w->type == CT_NAME && is_plain(w->text))
			fputs(w->text, f);
		else
			conf_quote(f, w->text);
		break;
	}
}

char *
conf_node_print(const struct conf_node *n)
{
	char *buf = NULL;
	size_t size = 0, i;
	FILE *f = open_memstream(&buf, &size);

	if (f == NULL)
		abort();
	for (i = 0; i < n->nword; i++) {
		if (i > 0)
			fputc(' ', f);
		conf_word_print(f, &n->word[i]);
	}
	fclose(f);
	return buf;
}
