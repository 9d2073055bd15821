#include "bgpd/announce_state.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bgpd/conf_tree.h"
#include "lib/mem.h"

/* ---- writing ----------------------------------------------------------- */

static void
put_track(FILE *f, const struct track *t, int64_t now)
{
	fprintf(f, "track ");
	conf_quote(f, t->conf.key);
	fprintf(f, " {\n\tstate %s;\n\tage %" PRId64 ";\n\tflaps %u;\n",
	    track_state_name(t->state), now - t->since_ms, t->flaps);
	fprintf(f, "\tagainst %u;\n", t->against);
	if (t->conf.lease_ms != 0 && t->state == TRACK_UP)
		fprintf(
		    f, "\tlease %" PRId64 ";\n", (int64_t)t->deadline_ms - now);
	fprintf(f, "}\n");
}

static void
put_reason(FILE *f, const char *name, const char *reason)
{
	if (*reason == '\0')
		return;
	fprintf(f, "\t%s ", name);
	conf_quote(f, reason);
	fprintf(f, ";\n");
}

static void
put_commands(FILE *f, const struct announce_net *n, int64_t now)
{
	if (n->persistent && (n->added || n->withdrawn))
		fprintf(f, "\t%s;\n", n->added ? "added" : "withdrawn");
	if (n->persistent && n->withdrawn)
		put_reason(f, "withdraw-reason", n->withdraw_reason);
	if (n->draining) {
		fprintf(f, "\tdraining %s;\n",
		    n->drain_until_ms == UINT64_MAX ? "always" : "until");
		if (n->drain_until_ms != UINT64_MAX)
			fprintf(f, "\tleft %" PRId64 ";\n",
			    (int64_t)n->drain_until_ms - now);
		fprintf(f, "\tdrain-prepend %u;\n", n->drain_prepend);
		if (n->drain_med_set)
			fprintf(f, "\tdrain-med %u;\n", n->drain_med);
		fprintf(f, "\tby ");
		conf_quote(f, n->who);
		fprintf(f, ";\n");
		put_reason(f, "drain-reason", n->drain_reason);
	}
}

static void
put_net(FILE *f, const struct announce_net *n, int64_t now)
{
	char text[PFX_STRLEN];

	fprintf(f, "network %s {\n\tstate %s;\n\tage %" PRId64 ";\n",
	    pfx_print(&n->conf.pfx, text, sizeof text),
	    announce_state_name(n->state), now - n->since_ms);
	fprintf(f, "\thealthy %s;\n\tsettled %s;\n\tverdict %d;\n",
	    n->healthy ? "yes" : "no", n->settled ? "yes" : "no", n->verdict);
	fprintf(f, "\tverdict-age %" PRId64 ";\n\tfailed-age %" PRId64 ";\n",
	    now - n->verdict_ms, now - n->failed_ms);
	fprintf(f, "\tflaps %u;\n", n->flaps);
	if (n->penalty != 0)
		fprintf(f,
		    "\tpenalty %u;\n\tpenalty-age %" PRId64 ";\n"
		    "\tdamped %s;\n",
		    n->penalty, now - n->penalty_ms, n->damped ? "yes" : "no");
	put_commands(f, n, now);
	fprintf(f, "}\n");
}

/* Without tracks and commands there is nothing to know. */
static bool
worth(const struct announce_net *n)
{
	return n->added ? n->persistent
			: n->conf.ntrack > 0 || n->draining ||
		(n->withdrawn && n->persistent);
}

char *
announce_state_print(
    const struct announce *a, const char *boot, uint64_t now_ms)
{
	bool any = a->ntrack > 0;
	char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);

	if (f == NULL)
		mem_none(len);
	fprintf(f, "# Written by ana-bgpd: announcements and their tracks.\n");
	fprintf(f, "clock %" PRIu64 ";\n", now_ms);
	if (*boot != '\0') {
		fprintf(f, "boot ");
		conf_quote(f, boot);
		fprintf(f, ";\n");
	}
	for (size_t i = 0; i < a->ntrack; i++)
		if (a->track[i]->state != TRACK_UNKNOWN)
			put_track(f, a->track[i], (int64_t)now_ms);
	for (size_t i = 0; i < a->nnet; i++)
		if (worth(a->net[i])) {
			put_net(f, a->net[i], (int64_t)now_ms);
			any = true;
		}
	fclose(f);
	if (!any) {
		free(text);
		return NULL;
	}
	return text;
}

/* ---- reading ----------------------------------------------------------- */

/* A whole number in bounds that no sum of two leaves; else 0. */
static int64_t
number(const struct conf_node *b, const char *name)
{
	const int64_t most = INT64_C(1) << 50;

	for (size_t i = 0; i < b->nchild; i++) {
		const char *s = conf_word_text(b->child[i], 1);
		char *end;
		long long v;

		if (!conf_word_is(b->child[i], 0, name))
			continue;
		v = strtoll(s, &end, 10);
		return *s == '\0' || *end != '\0' || v > most || v < -most
		    ? 0
		    : (int64_t)v;
	}
	return 0;
}

static uint32_t
number32(const struct conf_node *b, const char *name, uint32_t most)
{
	int64_t v = number(b, name);

	return v < 0 ? 0 : v > most ? most : (uint32_t)v;
}

static const struct conf_node *
child(const struct conf_node *b, const char *name)
{
	for (size_t i = 0; i < b->nchild; i++)
		if (conf_word_is(b->child[i], 0, name))
			return b->child[i];
	return NULL;
}

static bool
yes(const struct conf_node *b, const char *name)
{
	const struct conf_node *n = child(b, name);

	return n != NULL && conf_word_is(n, 1, "yes");
}

/* When it was, in this clock. */
static int64_t
when(const struct conf_node *b, const char *name, uint64_t wrote_ms)
{
	return (int64_t)wrote_ms - number(b, name);
}

static void
take_track(struct announce *a, const struct conf_node *b, uint64_t wrote_ms,
    uint64_t now_ms)
{
	struct track *t = announce_track(a, conf_word_text(b, 1));
	const struct conf_node *s = child(b, "state");
	int64_t left;
	bool up;

	if (t == NULL || s == NULL || t->state != TRACK_UNKNOWN)
		return;
	up = conf_word_is(s, 1, "up");
	if (!up && !conf_word_is(s, 1, "down"))
		return;
	left = number(b, "lease") + (int64_t)wrote_ms - (int64_t)now_ms;
	track_restore(t, up ? TRACK_UP : TRACK_DOWN, when(b, "age", wrote_ms),
	    number32(b, "flaps", UINT32_MAX),
	    (uint8_t)number32(b, "against", 100), left > 0 ? (uint64_t)left : 0,
	    now_ms);
}

/* A file that says "reason" is older: of both commands it kept the last one's.
 */
static void
take_reason(const struct conf_node *b, const char *name, char *to)
{
	const struct conf_node *r = child(b, name);

	if (r == NULL)
		r = child(b, "reason");
	strlcpy(to, r != NULL ? conf_word_text(r, 1) : "", ANNOUNCE_REASON_LEN);
}

static void
take_commands(struct announce_net *n, const struct conf_node *b,
    uint64_t wrote_ms, uint64_t now_ms)
{
	const struct conf_node *d = child(b, "draining");
	int64_t until = (int64_t)wrote_ms + number(b, "left");

	n->withdrawn = child(b, "withdrawn") != NULL && !n->added;
	n->persistent = n->withdrawn || n->added;
	n->drain_until_ms = UINT64_MAX;
	if ((n->draining = d != NULL) && conf_word_is(d, 1, "until"))
		n->drain_until_ms =
		    until < (int64_t)now_ms ? now_ms : (uint64_t)until;
	n->drain_prepend = (uint8_t)number32(b, "drain-prepend", 32);
	n->drain_med_set = child(b, "drain-med") != NULL;
	n->drain_med = number32(b, "drain-med", UINT32_MAX);
	if (child(b, "by") != NULL)
		strlcpy(
		    n->who, conf_word_text(child(b, "by"), 1), sizeof n->who);
	if (n->withdrawn)
		take_reason(b, "withdraw-reason", n->withdraw_reason);
	if (n->draining)
		take_reason(b, "drain-reason", n->drain_reason);
}

/* What its tracks made of it. */
static void
take_health(
    struct announce_net *n, const struct conf_node *b, uint64_t wrote_ms)
{
	const struct conf_node *s = child(b, "state");

	for (int i = 0; s != NULL && i <= ANNOUNCE_DRAINING; i++)
		if (conf_word_is(
			s, 1, announce_state_name((enum announce_state)i)))
			n->state = (enum announce_state)i;
	n->since_ms = when(b, "age", wrote_ms);
	n->healthy = yes(b, "healthy");
	n->settled = yes(b, "settled");
	n->verdict = number(b, "verdict") > 0 ? 1
	    : number(b, "verdict") == 0       ? 0
					      : -1;
	n->verdict_ms = when(b, "verdict-age", wrote_ms);
	n->failed_ms = when(b, "failed-age", wrote_ms);
	n->flaps = number32(b, "flaps", UINT32_MAX);
	n->penalty = number32(b, "penalty", ANNOUNCE_PENALTY_MAX);
	n->penalty_ms = when(b, "penalty-age", wrote_ms);
	n->damped = n->penalty != 0 && yes(b, "damped");
}

static void
take_net(struct announce *a, const struct conf_node *b, uint64_t wrote_ms,
    uint64_t now_ms, bool same_boot)
{
	struct announce_net *n, from;
	struct pfx pfx;

	if (!pfx_parse(conf_word_text(b, 1), &pfx))
		return;
	n = announce_find(a, &pfx);
	if (n == NULL && !pfx_is_default(&pfx)) {
		if (child(b, "added") != NULL)
			n = announce_add(a, &pfx, true, now_ms);
		else if (child(b, "withdrawn") != NULL ||
		    child(b, "draining") != NULL)
			n = announce_absent(a, &pfx, now_ms);
	}
	if (n == NULL)
		return; /* no longer configured */
	from = *n;
	if (same_boot && !n->absent)
		take_health(&from, b, wrote_ms);
	take_commands(&from, b, wrote_ms, now_ms);
	announce_restore(a, n, &from);
}

bool
announce_state_parse(struct announce *a, const char *text, size_t len,
    const char *boot, uint64_t now_ms)
{
	const struct conf_node *was;
	struct conf_tree *tree;
	struct diag_list dl;
	uint64_t wrote_ms;
	bool good, same_boot;

	diag_list_init(&dl);
	tree = conf_tree_parse("announce.state", text, len, &dl);
	good = dl.nerror == 0;
	wrote_ms = (uint64_t)number(&tree->root, "clock");
	was = child(&tree->root, "boot"); /* older files have none */
	same_boot = wrote_ms != 0 && wrote_ms <= now_ms &&
	    (was == NULL || *boot == '\0' || conf_word_is(was, 1, boot));
	if (!same_boot)
		wrote_ms = now_ms;
	for (size_t i = 0; i < tree->root.nchild; i++) {
		const struct conf_node *n = tree->root.child[i];

		if (conf_word_is(n, 0, "track") && same_boot)
			take_track(a, n, wrote_ms, now_ms);
		else if (conf_word_is(n, 0, "network"))
			take_net(a, n, wrote_ms, now_ms, same_boot);
	}
	conf_tree_free(tree);
	diag_list_fini(&dl);
	return good;
}
