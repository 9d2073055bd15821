/* show_policy.c -- the named policies: each rule, and how often it decided. */
#include <stdlib.h>
#include <string.h>

#include "bgpd/conf_tree.h"
#include "bgpd/engine.h"
#include "bgpd/show_cmd.h"

static const char *
verdict_name(enum rule_verdict v)
{
	return v == RULE_ACCEPT ? "accept"
	    : v == RULE_REJECT  ? "reject"
				: "continue";
}

/* n: its statement. */
static void
put_rule(struct show *s, const struct rule *r, const struct conf_node *n,
    int columns)
{
	unsigned long long hits = s->eng->rule_hits[r->hit];
	struct out *o = s->out;
	char *text;

	out_text(o, "  %-*s %12llu  %-8s %s\n", columns, r->name, hits,
	    verdict_name(r->verdict), r->where != NULL ? r->where : "");
	out_obj(o, NULL);
	out_str(o, "rule", r->name);
	out_u64(o, "hits", hits);
	out_str(o, "verdict", verdict_name(r->verdict));
	out_str(o, "where", r->where != NULL ? r->where : "");
	out_arr(o, "statements");
	for (size_t i = 0; i < n->nchild; i++) {
		text = conf_node_print(n->child[i]);
		out_text(o, "      %s\n", text);
		out_str(o, NULL, text);
		free(text);
	}
	out_end(o);
	out_end(o);
}

static void
put_policy(struct show *s, const struct conf_policy *p)
{
	const struct conf_node *n =
	    conf_tree_top(s->eng->conf->tree, "policy", p->name);
	struct out *o = s->out;
	int columns = 20, len;

	for (size_t i = 0; i < p->rules->nrule; i++) {
		len = (int)strlen(p->rules->rule[i]->name);
		if (len > columns)
			columns = len;
	}
	out_text(o, "policy %s (%s:%u)\n  %-*s %12s\n", p->name, p->pos.file,
	    p->pos.line, columns, "Rule", "Hits");
	out_obj(o, NULL);
	out_str(o, "policy", p->name);
	out_str(o, "file", p->pos.file);
	out_u64(o, "line", p->pos.line);
	out_arr(o, "rules");
	for (size_t i = 0; i < p->rules->nrule; i++)
		put_rule(s, p->rules->rule[i], n->child[i], columns);
	out_end(o);
	out_end(o);
}

static bool
head_policy(struct show *s)
{
	const struct conf_policy *p;
	char word[256];

	if (s->req.set == NULL)
		return true;
	p = conf_policy_find(s->eng->conf, s->req.set);
	if (p == NULL)
		return show_fail(s, CMD_NOT_FOUND, "no such policy: %s",
		    out_safe(s->req.set, word, sizeof word));
	put_policy(s, p);
	return false;
}

/* By number: after a reload, what has the next one now. */
static bool
rows_policy(struct show *s, unsigned int budget)
{
	const struct conf *c = s->eng->conf;
	size_t n;

	for (; s->rows < c->npolicy; budget -= n < budget ? n : budget) {
		if (budget == 0)
			return true;
		n = c->policy[s->rows].rules->nrule + 1;
		put_policy(s, &c->policy[s->rows++]);
	}
	return false;
}

const struct show_cmd show_cmd_policy = { "policies", head_policy,
	rows_policy };
