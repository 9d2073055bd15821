/*
 * asregex.c -- Thompson's construction: an expression becomes states, each
 * with at most two ways out; matching keeps the set of states that the path
 * so far can be in.  See asregex.h.
 */
#include "policy/asregex.h"

#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"

enum {
	STATES_MAX = 512,
	DEPTH_MAX = 32,
	NONE = 0xffff,
};

enum kind {
	K_RANGE, /* eats an AS from lo to hi, goes to out */
	K_CLASS, /* eats an AS of one of n ranges, which follow as K_DATA */
	K_DATA,
	K_SPLIT, /* goes to out and to alt, eats nothing */
	K_BEGIN, /* goes to out at the begin of the path */
	K_END,
	K_MATCH,
};

struct state {
	enum kind kind;
	uint32_t lo, hi; /* K_CLASS: lo is how many ranges */
	uint16_t out, alt;
};

struct asregex {
	struct state s[STATES_MAX];
	uint16_t n, start;
};

/* A piece of the machine; what follows it is put behind its one end. */
struct piece {
	uint16_t start;
	uint16_t end; /* a K_SPLIT whose out is open */
};

struct compile {
	struct asregex *re;
	const char *text, *p;
	const char *why;
	unsigned int depth;
};

static uint16_t
add(struct compile *c, enum kind kind)
{
	struct asregex *re = c->re;

	if (re->n == STATES_MAX) {
		if (c->why == NULL)
			c->why = "the expression is too long";
		return 0;
	}
	re->s[re->n] = (struct state){ .kind = kind, .out = NONE, .alt = NONE };
	return re->n++;
}

static void
fail(struct compile *c, const char *why)
{
	if (c->why == NULL)
		c->why = why;
}

static void
blanks(struct compile *c)
{
	while (*c->p == '_' || *c->p == ' ')
		c->p++;
}

static bool
number(struct compile *c, uint32_t *out)
{
	uint64_t n = 0;
	const char *p = c->p;

	for (; *p >= '0' && *p <= '9'; p++) {
		n = n * 10 + (uint64_t)(*p - '0');
		if (n > UINT32_MAX) {
			fail(c, "an AS number is at most 4294967295");
			return false;
		}
	}
	if (p == c->p) {
		fail(c, "an AS number is wanted here");
		return false;
	}
	c->p = p;
	*out = (uint32_t)n;
	return true;
}

/* One state that goes on to an open end. */
static struct piece
single(struct compile *c, enum kind kind, uint32_t lo, uint32_t hi)
{
	uint16_t s = add(c, kind), e = add(c, K_SPLIT);

	c->re->s[s].lo = lo;
	c->re->s[s].hi = hi;
	c->re->s[s].out = e;
	return (struct piece){ s, e };
}

/* [1 3-5] */
static struct piece class(struct compile *c)
{
	uint16_t s = add(c, K_CLASS), e, d;
	uint32_t lo, hi;

	for (blanks(c); *c->p != ']' && c->why == NULL; blanks(c)) {
		if (*c->p == ',') {
			c->p++;
			continue;
		}
		if (!number(c, &lo))
			break;
		hi = lo;
		if (*c->p == '-') {
			c->p++;
			if (!number(c, &hi))
				break;
		}
		if (hi < lo)
			fail(c, "the range ends before it begins");
		/* Numbers are letters here; digits are not. */
		if (lo == 0 && hi == 9)
			fail(c, "any AS number is written as a dot");
		d = add(c, K_DATA);
		c->re->s[d].lo = lo;
		c->re->s[d].hi = hi;
		c->re->s[s].lo++;
	}
	if (c->why == NULL && c->re->s[s].lo == 0)
		fail(c, "the brackets are empty");
	if (c->why == NULL)
		c->p++;
	e = add(c, K_SPLIT);
	c->re->s[s].out = e;
	return (struct piece){ s, e };
}

static struct piece alternatives(struct compile *);

static struct piece
atom(struct compile *c)
{
	struct piece x = { 0, 0 };
	uint32_t as;

	switch (*c->p) {
	case '(':
		if (++c->depth > DEPTH_MAX) {
			fail(c, "too many brackets inside each other");
			return x;
		}
		c->p++;
		x = alternatives(c);
		c->depth--;
		if (*c->p != ')')
			fail(c, "a ')' is missing");
		else
			c->p++;
		return x;
	case '[':
		c->p++;
		return class(c);
	case '.':
		c->p++;
		return single(c, K_RANGE, 0, UINT32_MAX);
	case '^':
		c->p++;
		return single(c, K_BEGIN, 0, 0);
	case '$':
		c->p++;
		return single(c, K_END, 0, 0);
	default:
		if (!number(c, &as))
			return x;
		return single(c, K_RANGE, as, as);
	}
}

/* An atom with what is behind it: * + ? */
static struct piece
repeated(struct compile *c)
{
	struct piece x = atom(c);
	uint16_t loop, end;
	char how;

	while (c->why == NULL && *c->p != '\0' && strchr("*+?", *c->p)) {
		how = *c->p++;
		loop = add(c, K_SPLIT);
		end = add(c, K_SPLIT);
		if (c->why != NULL)
			break;
		c->re->s[loop].out = x.start;
		c->re->s[loop].alt = end;
		c->re->s[x.end].out = how == '?' ? end : loop;
		x = (struct piece){ how == '+' ? x.start : loop, end };
	}
	return x;
}

static struct piece
sequence(struct compile *c)
{
	uint16_t s = add(c, K_SPLIT);
	struct piece all = { s, s }, next;

	for (blanks(c);
	     c->why == NULL && *c->p != '\0' && *c->p != '|' && *c->p != ')';
	     blanks(c)) {
		next = repeated(c);
		c->re->s[all.end].out = next.start;
		all.end = next.end;
	}
	return all;
}

static struct piece
alternatives(struct compile *c)
{
	struct piece a = sequence(c), b;
	uint16_t split, end;

	while (c->why == NULL && *c->p == '|') {
		c->p++;
		b = sequence(c);
		split = add(c, K_SPLIT);
		end = add(c, K_SPLIT);
		if (c->why != NULL)
			break;
		c->re->s[split].out = a.start;
		c->re->s[split].alt = b.start;
		c->re->s[a.end].out = c->re->s[b.end].out = end;
		a = (struct piece){ split, end };
	}
	return a;
}

struct asregex *
asregex_new(const char *text, const char **why, size_t *at)
{
	struct compile c = {
		.re = mem_alloc(sizeof(*c.re)), .text = text, .p = text
	};
	struct piece all = alternatives(&c);
	uint16_t match = add(&c, K_MATCH);
	struct asregex *re = c.re;

	if (*c.p != '\0')
		fail(&c,
		    *c.p == ')' ? "a ')' without its '('"
				: "this cannot stand here");
	if (c.why != NULL) {
		*why = c.why;
		*at = (size_t)(c.p - text);
		free(re);
		return NULL;
	}
	re->s[all.end].out = match;
	re->start = all.start;
	return re;
}

void
asregex_free(struct asregex *re)
{
	free(re);
}

/* ---- matching ---------------------------------------------------------- */

struct set {
	uint64_t in[STATES_MAX / 64];
	uint16_t list[STATES_MAX];
	uint16_t n;
	bool match;
};

/* Adds a state with all that is reached from it without eating. */
static void
reach(const struct asregex *re, struct set *set, uint16_t first, bool begin,
    bool end)
{
	uint16_t stack[2 * STATES_MAX], n = 0, id;

	stack[n++] = first;
	while (n > 0) {
		const struct state *s;

		id = stack[--n];
		if (id == NONE || (set->in[id / 64] >> id % 64 & 1) != 0)
			continue;
		set->in[id / 64] |= (uint64_t)1 << id % 64;
		s = &re->s[id];
		if (s->kind == K_MATCH)
			set->match = true;
		else if (s->kind == K_RANGE || s->kind == K_CLASS)
			set->list[set->n++] = id;
		else if (s->kind == K_SPLIT || (s->kind == K_BEGIN && begin) ||
		    (s->kind == K_END && end)) {
			stack[n++] = s->alt;
			stack[n++] = s->out;
		}
	}
}

static bool
eats(const struct state *s, uint32_t as)
{
	uint32_t i;

	if (s->kind == K_RANGE)
		return as >= s->lo && as <= s->hi;
	for (i = 1; i <= s->lo; i++)
		if (as >= s[i].lo && as <= s[i].hi)
			return true;
	return false;
}

bool
asregex_match(const struct asregex *re, struct octets path)
{
	struct set a, b, *now = &a, *next = &b, *swap;
	size_t pos = 0, ahead;
	uint32_t as, later;
	uint8_t seg;
	bool more;
	uint16_t i;

	now->n = 0;
	now->match = false;
	memset(now->in, 0, sizeof(now->in));
	more = aspath_next(path, &pos, &as, &seg);
	reach(re, now, re->start, true, !more);
	while (more && !now->match) {
		ahead = pos;
		more = aspath_next(path, &ahead, &later, &seg);
		next->n = 0;
		next->match = false;
		memset(next->in, 0, sizeof(next->in));
		for (i = 0; i < now->n; i++)
			if (eats(&re->s[now->list[i]], as))
				reach(re, next, re->s[now->list[i]].out, false,
				    !more);
		/* It may begin at any place. */
		reach(re, next, re->start, false, !more);
		swap = now;
		now = next;
		next = swap;
		pos = ahead;
		as = later;
	}
	return now->match;
}
