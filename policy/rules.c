/* rules.c -- named policies; see rules.h.  A rule costs what its matches do. */
#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"
#include "policy/asnset.h"
#include "policy/asregex.h"
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
has_comm_of(const struct attrs *a, const struct rule_commset *set)
{
	size_t i;

	for (i = 0; i < set->n; i++)
		if (rule_comm_has(a, &set->c[i]))
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
path_of(struct octets path, const struct rule_pathset *set)
{
	size_t i;

	for (i = 0; i < set->n; i++)
		if (asregex_match(set->re[i], path))
			return true;
	return false;
}

static bool
compare(const struct rule_number *w, uint32_t n)
{
	switch (w->op) {
	case OP_EQ:
		return n == w->n;
	case OP_NE:
		return n != w->n;
	case OP_LT:
		return n < w->n;
	case OP_LE:
		return n <= w->n;
	case OP_GT:
		return n > w->n;
	case OP_GE:
		return n >= w->n;
	}
	return false;
}

static bool
matches_origin(const struct rule_match *m, const struct attrs *a)
{
	uint32_t as = aspath_origin(a->as_path);

	if (a->as_path.len == 0)
		return false;
	return m->type == MATCH_ORIGIN_AS ? as == m->as
					  : asnset_has(m->asns, as);
}

static bool
matches(const struct rule_match *m, const struct rule_facts *f,
    const struct attrs *a)
{
	switch (m->type) {
	case MATCH_ANY:
		return true;
	case MATCH_NOTHING:
		return false;
	case MATCH_PREFIX_IN:
		return pfxset_match(m->set, f->pfx);
	case MATCH_ORIGIN_LOCAL:
		return f->source == SOURCE_LOCAL;
	case MATCH_COMMUNITY:
		return rule_comm_has(a, &m->comm);
	case MATCH_COMMUNITY_IN:
		return has_comm_of(a, &m->comms);
	case MATCH_FAMILY:
		return f->pfx->addr.fam == m->fam;
	case MATCH_NEIGHBOR:
		return f->neighbor != NULL && addr_eq(f->neighbor, &m->addr);
	case MATCH_NEXT_HOP:
		return addr_eq(&a->nexthop, &m->addr);
	case MATCH_GROUP:
		return f->group != NULL && strcmp(f->group, m->str) == 0;
	case MATCH_ROLE:
		return f->role == m->role;
	case MATCH_MED:
		return compare(
		    &m->num, (a->has & 1u << HAS_MED) != 0 ? a->med : 0);
	case MATCH_PATH_CONTAINS:
		return aspath_has(a->as_path, m->as);
	case MATCH_PATH_CONTAINS_SET:
		return has_as_of(a->as_path, m->asns);
	case MATCH_ORIGIN_AS:
	case MATCH_ORIGIN_AS_SET:
		return matches_origin(m, a);
	case MATCH_PATH:
		return asregex_match(m->re, a->as_path);
	case MATCH_PATH_IN:
		return path_of(a->as_path, &m->paths);
	case MATCH_PATH_LENGTH:
		return compare(&m->num, aspath_length(a->as_path));
	}
	return false;
}

struct doing {
	const struct rule_facts *f;
	struct attrs *a;
	struct arena *arena;
	bool rejected; /* by a community table */
};

static void
act(const struct rule_action *act, struct doing *d)
{
	struct attrs *a = d->a;

	switch (act->type) {
	case ACT_LOCAL_PREF:
		a->local_pref = act->n;
		a->has |= 1u << HAS_LOCAL_PREF;
		break;
	case ACT_MED:
		a->med = act->n;
		a->has |= 1u << HAS_MED;
		break;
	case ACT_WEIGHT:
		a->weight = act->n + 1;
		break;
	case ACT_PREPEND:
		if (act->n == 0)
			break;
		a->as_path = aspath_prepend(
		    a->as_path, d->f->prepend_as, act->n, d->arena);
		a->has |= 1u << HAS_AS_PATH;
		break;
	case ACT_COMM_ADD:
		rule_comm_add(a, &act->comm, d->arena);
		break;
	case ACT_COMM_DELETE:
		rule_comm_delete(a, &act->comm, d->arena);
		break;
	case ACT_COMM_REPLACE:
		rule_comm_clear(a, &act->comm);
		rule_comm_add(a, &act->comm, d->arena);
		break;
	case ACT_NEXT_HOP_SELF:
		memset(&a->nexthop, 0, sizeof(a->nexthop));
		memset(&a->nexthop_ll, 0, sizeof(a->nexthop_ll));
		break;
	case ACT_REJECT:
		d->rejected = true;
		break;
	case ACT_TABLE:
		break;
	}
}

/*
 * Which rows fit is asked of the route as it came to the table: what one row
 * adds is not what another one looks for.
 */
static void
act_table(const struct rule_table *t, struct doing *d)
{
	struct attrs before = *d->a;
	size_t i;

	for (i = 0; i < t->n; i++)
		if (rule_comm_has(&before, &t->row[i].comm))
			act(&t->row[i].act, d);
}

static void
do_all(const struct rule *r, struct doing *d)
{
	size_t i;

	for (i = 0; i < r->nact; i++)
		if (r->act[i].type == ACT_TABLE)
			act_table(r->act[i].table, d);
		else
			act(&r->act[i], d);
}

static bool
all_match(
    const struct rule *r, const struct rule_facts *f, const struct attrs *a)
{
	size_t i;

	for (i = 0; i < r->nmatch; i++)
		if (!matches(&r->match[i], f, a))
			return false;
	return true;
}

enum rule_verdict
policy_run(const struct policy *p, const struct rule_facts *f, struct attrs *a,
    struct arena *arena, const struct rule **by)
{
	struct doing d = { .f = f, .a = a, .arena = arena };
	struct attrs mine; /* from the first rule on that sets something */
	size_t i;

	for (i = 0; i < p->nrule; i++) {
		const struct rule *r = p->rule[i];

		if (!all_match(r, f, d.a))
			continue;
		*by = r;
		if (f->hits != NULL)
			f->hits[r->hit]++;
		if (r->verdict == RULE_REJECT)
			return RULE_REJECT;
		if (r->nact > 0 && d.a == a) {
			mine = *a;
			d.a = &mine;
		}
		do_all(r, &d);
		if (d.rejected)
			return RULE_REJECT;
		if (r->verdict == RULE_CONTINUE)
			continue;
		if (d.a == &mine)
			*a = mine;
		return RULE_ACCEPT;
	}
	*by = NULL;
	return RULE_NO_MATCH;
}

bool
policy_asks(const struct policy *p, enum match_type type)
{
	size_t i, j;

	for (i = 0; p != NULL && i < p->nrule; i++)
		for (j = 0; j < p->rule[i]->nmatch; j++)
			if (p->rule[i]->match[j].type == type)
				return true;
	return false;
}

bool
policy_acts(const struct policy *p, enum action_type type)
{
	size_t i, j;

	for (i = 0; p != NULL && i < p->nrule; i++)
		for (j = 0; j < p->rule[i]->nact; j++)
			if (p->rule[i]->act[j].type == type)
				return true;
	return false;
}

bool
policy_each(const struct policy *p)
{
	size_t i;

	for (i = 0; p != NULL && i < p->nrule; i++)
		if (p->rule[i]->verdict == RULE_CONTINUE)
			return true; /* it has hits of its own */
	return policy_asks(p, MATCH_PREFIX_IN);
}

bool
policy_sets(const struct policy *p)
{
	size_t i;

	for (i = 0; i < p->nrule; i++)
		if (p->rule[i]->nact > 0)
			return true;
	return false;
}

uint8_t
rule_role_of(uint8_t ours)
{
	switch (ours) {
	case ROLE_PROVIDER:
		return ROLE_CUSTOMER;
	case ROLE_CUSTOMER:
		return ROLE_PROVIDER;
	case ROLE_RS:
		return ROLE_RS_CLIENT;
	case ROLE_RS_CLIENT:
		return ROLE_RS;
	default:
		return ours;
	}
}
