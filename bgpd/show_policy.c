/* show_policy.c -- the named policies: each rule, and how often it decided. */
#include <stdlib.h>
#include <string.h>

#include "bgpd/conf_tree.h"
#include "bgpd/engine.h"
#include "bgpd/show_cmd.h"

/* The rule's statement in the configuration, or NULL. */
static const struct conf_node *
statement(const struct conf *c, const char *policy, const char *rule)
{
	const struct conf_node *root = &c->tree->root;

	for (size_t i = 0; i < root->nchild; i++) {
		const struct conf_node *n = root->child[i];

		if (!conf_word_is(n, 0, "policy") ||
		    !conf_word_is(n, 1, policy))
			continue;
		for (size_t k = 0; k < n->nchild; k++)
			if (conf_word_is(n->child[k], 1, rule))
				return n->child[k];
	}
	return NULL;
}

static const char *
verdict_name(enum rule_verdict v)
{
	return v == RULE_ACCEPT ? "accept"
	    : v == RULE_REJECT  ? "reject"
				: "continue";
}

static void
put_rule(struct show *s, const struct conf_policy *p, const struct rule *r,
    int columns)
{
	const struct conf_node *n = statement(s->eng->conf, p->name, r->name);
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
	for (size_t i = 0; n != NULL && i < n->nchild; i++) {
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
		put_rule(s, p, p->rules->rule[i], columns);
	out_end(o);
	out_end(o);
}

static bool
head_policy(struct show *s)
{
	const struct conf *c = s->eng->conf;
	bool found = false;
	char word[256];

	for (size_t i = 0; i < c->npolicy; i++)
		if (s->req.set == NULL ||
		    strcmp(s->req.set, c->policy[i].name) == 0) {
			put_policy(s, &c->policy[i]);
			found = true;
		}
	if (!found && s->req.set != NULL)
		return show_fail(s, CMD_NOT_FOUND, "no such policy: %s",
		    out_safe(s->req.set, word, sizeof word));
	return false;
}

const struct show_cmd show_cmd_policy = { "policies", head_policy, NULL };
