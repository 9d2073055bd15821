/* rules.c -- named policies; see rules.h.  A rule costs what its matches do. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"
#include "policy/asnset.h"
#include "policy/pfxset.h"
#include "policy/rules.h"

struct policy *
policy_new(const char *name)
{
	struct policy *p = mem_alloc(sizeof(*p));

	p->name = mem_strdup(name);
	return p;
}

void
policy_free(struct policy *p)
{
	size_t i;

	if (p == NULL)
		return;
	for (i = 0; i < p->nrule; i++) {
		struct rule *r = p->rule[i];

		free(r->name);
		free(r->where);
		free(r->match);
		free(r->act);
		free(r);
	}
	free(p->rule);
	free(p->name);
	free(p);
}

struct rule *
policy_add(struct policy *p, const char *name, const char *where)
{
	struct rule *r = mem_alloc(sizeof(*r));

	r->name = mem_strdup(name);
	r->where = where != NULL ? mem_strdup(where) : NULL;
	r->verdict = RULE_REJECT;
	p->rule = mem_realloc(p->rule, p->nrule + 1, sizeof(struct rule *));
	p->rule[p->nrule++] = r;
	return r;
}

void
policy_add_match(struct rule *r, const struct rule_match *m)
{
	r->match = mem_realloc(r->match, r->nmatch + 1, sizeof(*m));
	r->match[r->nmatch++] = *m;
}

void
policy_add_action(struct rule *r, const struct rule_action *a)
{
	r->act = mem_realloc(r->act, r->nact + 1, sizeof(*a));
	r->act[r->nact++] = *a;
}

static bool
has_comm(const struct attrs *a, const struct rule_comm *c)
{
	if (c->large)
		return comm_large_has(
		    a->large_comms, c->v[0], c->v[1], c->v[2]);
	return comm_has(a->comms, c->v[0]);
}

static bool
has_comm_of(const struct attrs *a, const struct rule_commset *set)
{
	size_t i;

	for (i = 0; i < set->n; i++)
		if (has_comm(a, &set->c[i]))
			return true;
	return false;
}

static bool
has_as_of(struct octets path, const struct asnset *set)
{
	size_t pos = 0;
	uint32_t as;
	uint8_t seg;

	while (aspath_next(path, &pos, &as, &seg))
		if (asnset_has(set, as))
			return true;
	return false;
}

static bool
matches(const struct rule_match *m, const struct rule_facts *f,
    const struct attrs *a)
{
	switch (m->type) {
	case MATCH_ANY:
		return true;
	case MATCH_PREFIX_IN:
		return pfxset_match(m->set, f->pfx);
	case MATCH_ORIGIN_LOCAL:
		return f->source == SOURCE_LOCAL;
	case MATCH_COMMUNITY:
		return has_comm(a, &m->comm);
	case MATCH_COMMUNITY_IN:
		return has_comm_of(a, &m->comms);
	case MATCH_PATH_CONTAINS:
		return aspath_has(a->as_path, m->as);
	case MATCH_PATH_CONTAINS_SET:
		return has_as_of(a->as_path, m->asns);
	case MATCH_ORIGIN_AS:
		return a->as_path.len > 0 && aspath_origin(a->as_path) == m->as;
	case MATCH_FAMILY:
		return f->pfx->addr.fam == m->fam;
	case MATCH_NEIGHBOR:
		return f->neighbor != NULL && addr_eq(f->neighbor, &m->addr);
	}
	return false;
}

/* The community as it stands on the wire; returns its length. */
static size_t
comm_octets(const struct rule_comm *c, uint8_t out[12])
{
	size_t i, n = c->large ? 3 : 1;

	for (i = 0; i < n * 4; i++)
		out[i] = (uint8_t)(c->v[i / 4] >> (24 - i % 4 * 8));
	return n * 4;
}

void
rule_comm_add(struct attrs *a, const struct rule_comm *c, struct arena *arena)
{
	struct octets *o = c->large ? &a->large_comms : &a->comms;
	uint8_t one[12], *p;
	size_t n = comm_octets(c, one);

	/* An attribute holds at most 65535 octets: a full one stays. */
	if (has_comm(a, c) || o->len + n > UINT16_MAX)
		return;
	p = arena_get(arena, o->len + n);
	if (o->len > 0)
		memcpy(p, o->p, o->len);
	memcpy(p + o->len, one, n);
	o->p = p;
	o->len = (uint16_t)(o->len + n);
}

static void
comm_delete(struct attrs *a, const struct rule_comm *c, struct arena *arena)
{
	struct octets *o = c->large ? &a->large_comms : &a->comms;
	uint8_t one[12], *p;
	size_t i, left = 0, n = comm_octets(c, one);

	if (!has_comm(a, c))
		return;
	p = arena_get(arena, o->len);
	for (i = 0; i + n <= o->len; i += n) {
		if (memcmp(o->p + i, one, n) == 0)
			continue;
		memcpy(p + left, o->p + i, n);
		left += n;
	}
	o->p = left > 0 ? p : NULL;
	o->len = (uint16_t)left;
}

static void
act(const struct rule_action *act, const struct rule_facts *f, struct attrs *a,
    struct arena *arena)
{
	switch (act->type) {
	case ACT_LOCAL_PREF:
		a->local_pref = act->n;
		a->has |= 1u << HAS_LOCAL_PREF;
		break;
	case ACT_MED:
		a->med = act->n;
		a->has |= 1u << HAS_MED;
		break;
	case ACT_COMM_ADD:
		rule_comm_add(a, &act->comm, arena);
		break;
	case ACT_COMM_DELETE:
		comm_delete(a, &act->comm, arena);
		break;
	case ACT_PREPEND:
		if (act->n == 0)
			break;
		a->as_path =
		    aspath_prepend(a->as_path, f->prepend_as, act->n, arena);
		a->has |= 1u << HAS_AS_PATH;
		break;
	}
}

enum rule_verdict
policy_run(const struct policy *p, const struct rule_facts *f, struct attrs *a,
    struct arena *arena, const struct rule **by)
{
	size_t i, j;

	for (i = 0; i < p->nrule; i++) {
		const struct rule *r = p->rule[i];

		for (j = 0; j < r->nmatch; j++)
			if (!matches(&r->match[j], f, a))
				break;
		if (j < r->nmatch)
			continue;
		*by = r;
		if (r->verdict != RULE_ACCEPT)
			return RULE_REJECT;
		for (j = 0; j < r->nact; j++)
			act(&r->act[j], f, a, arena);
		return RULE_ACCEPT;
	}
	*by = NULL;
	return RULE_NO_MATCH;
}

/* clang-format off */
static const struct {
	const char *name;
	uint32_t comm;
} well_known[] = {
	{ "graceful-shutdown", COMM_GRACEFUL_SHUTDOWN },
	{ "blackhole", COMM_BLACKHOLE },
	{ "no-export", COMM_NO_EXPORT },
	{ "no-advertise", COMM_NO_ADVERTISE },
	{ "no-export-subconfed", COMM_NO_EXPORT_SUBCONFED },
	{ "no-peer", COMM_NO_PEER },
};
/* clang-format on */

/* A decimal number up to max, then `end`; NULL when it is not one. */
static const char *
number(const char *s, uint32_t max, char end, uint32_t *out)
{
	uint64_t n = 0;
	const char *p;

	for (p = s; *p >= '0' && *p <= '9'; p++) {
		n = n * 10 + (uint64_t)(*p - '0');
		if (n > max)
			return NULL;
	}
	if (p == s || *p != end)
		return NULL;
	*out = (uint32_t)n;
	return end != '\0' ? p + 1 : p;
}

bool
rule_comm_parse(const char *s, bool large, struct rule_comm *c)
{
	struct rule_comm r = { .large = large };
	uint32_t hi, lo;
	size_t i;

	if (large) {
		if ((s = number(s, UINT32_MAX, ':', &r.v[0])) == NULL ||
		    (s = number(s, UINT32_MAX, ':', &r.v[1])) == NULL ||
		    number(s, UINT32_MAX, '\0', &r.v[2]) == NULL)
			return false;
		*c = r;
		return true;
	}
	for (i = 0; i < sizeof(well_known) / sizeof(well_known[0]); i++)
		if (strcmp(well_known[i].name, s) == 0) {
			r.v[0] = well_known[i].comm;
			*c = r;
			return true;
		}
	if ((s = number(s, UINT16_MAX, ':', &hi)) == NULL ||
	    number(s, UINT16_MAX, '\0', &lo) == NULL)
		return false;
	r.v[0] = hi << 16 | lo;
	*c = r;
	return true;
}

size_t
rule_comm_print(const struct rule_comm *c, char *buf, size_t cap)
{
	size_t i;

	if (c->large)
		return (size_t)snprintf(
		    buf, cap, "%u:%u:%u", c->v[0], c->v[1], c->v[2]);
	for (i = 0; i < sizeof(well_known) / sizeof(well_known[0]); i++)
		if (well_known[i].comm == c->v[0])
			return (size_t)snprintf(
			    buf, cap, "%s", well_known[i].name);
	return (size_t)snprintf(
	    buf, cap, "%u:%u", c->v[0] >> 16, c->v[0] & 0xffff);
}
