/* show_announce.c -- our networks: what they hang on, and who is told. */
#include <stdio.h>
#include <string.h>

#include "bgpd/engine.h"
#include "bgpd/show_cmd.h"
#include "bgpd/show_route.h"
#include "bgpd/trackd.h"
#include "platform/clock.h"

/* Seconds since a moment of the monotonic clock. */
static int64_t
ago(const struct show *s, int64_t ms)
{
	int64_t sec = ((int64_t)s->eng->now_ms - ms) / 1000;

	return sec < 0 ? 0 : sec;
}

/* Until then; -1: it does not end by itself. */
static int64_t
left(const struct show *s, uint64_t ms)
{
	if (ms == UINT64_MAX)
		return -1;
	return ms < s->eng->now_ms ? 0 : (int64_t)(ms - s->eng->now_ms) / 1000;
}

static void
put_track(struct show *s, const struct track *t)
{
	char span[OUT_TIME_LEN], why[4 * TRACK_WHY_LEN], key[1024];
	struct out *o = s->out;

	out_safe(t->why, why, sizeof why);
	out_safe(t->conf.key, key, sizeof key);
	out_text(o, "    track %-*s %-8s %-9s %5u  %s%s\n", out_width(key, 40),
	    key, track_state_name(t->state),
	    out_timeframe(ago(s, t->since_ms), span, sizeof span), t->flaps,
	    why, t->overdue ? " (kept)" : "");
	out_obj(o, NULL);
	out_str(o, "name", t->conf.key);
	out_str(o, "state", track_state_name(t->state));
	out_span(o, "since", ago(s, t->since_ms));
	out_u64(o, "flaps", t->flaps);
	out_bool(o, "overdue", t->overdue);
	if (t->conf.lease_ms != 0 && t->state == TRACK_UP)
		out_i64(o, "lease_left_sec", left(s, t->deadline_ms));
	out_str(o, "reason", t->why);
	out_end(o);
}

static void
put_tracks(struct show *s, const struct announce_net *n)
{
	out_arr(s->out, "tracks");
	for (size_t i = 0; i < n->conf.ntrack; i++)
		put_track(s, n->track[i]);
	out_end(s->out);
}

/* What the neighbor was told, or why it was not. */
static void
put_neighbor(struct show *s, const struct peer *p, const struct pfx *pfx)
{
	uint32_t dest = rib_find(s->eng->rib, pfx), told = 0;
	const struct rule *by = NULL;
	struct rib_path best;
	bool any = dest != 0 && rib_best(s->eng->rib, dest, &best);
	const char *why;
	char name[256], text[1024] = "";
	struct attrs a;

	why =
	    !any ? "it is not announced" : show_not_told(s, p, pfx, &best, &by);
	if (why == NULL && adjout_find(p->member, pfx, &told)) {
		attrs_get(s->eng->attrs, told, &a);
		show_route_attrs(&a, text, sizeof text);
	}
	show_name(s, p, name, sizeof name);
	out_text(s->out, "    %-14s %s: %s%s%s%s\n",
	    why == NULL ? "told to" : "not told to", name,
	    why == NULL ? text : why, by != NULL ? " (rule \"" : "",
	    by != NULL ? by->name : "", by != NULL ? "\")" : "");
	out_obj(s->out, NULL);
	out_str(s->out, "neighbor", name);
	out_bool(s->out, "told", why == NULL);
	if (why != NULL)
		out_str(s->out, "text", why);
	else
		out_str(s->out, "attributes", text);
	if (by != NULL)
		out_str(s->out, "rule", by->name);
	out_end(s->out);
}

static void
put_commands(struct show *s, const struct announce_net *n)
{
	char reason[4 * ANNOUNCE_REASON_LEN];

	out_safe(n->withdraw_reason, reason, sizeof reason);
	if (n->added || n->withdrawn)
		out_text(s->out, "    %s by command, %s%s%s\n",
		    n->added ? "announced" : "withdrawn",
		    n->persistent ? "over restarts too" : "until a restart",
		    *reason != '\0' ? ": " : "", reason);
	if (n->absent)
		out_text(
		    s->out, "    not configured: holds when it is again\n");
	out_bool(s->out, "absent", n->absent);
	out_safe(n->drain_reason, reason, sizeof reason);
	if (n->draining)
		out_text(s->out, "    drained by %s%s%s\n", n->who,
		    *reason != '\0' ? ": " : "", reason);
	out_bool(s->out, "added", n->added);
	out_bool(s->out, "withdrawn", n->withdrawn);
	out_bool(s->out, "drained", n->draining);
	if (n->added || n->withdrawn)
		out_bool(s->out, "persistent", n->persistent);
	if (n->withdraw_reason[0] != '\0')
		out_str(s->out, "comment", n->withdraw_reason);
	if (n->drain_reason[0] != '\0')
		out_str(s->out, "drain_comment", n->drain_reason);
}

static void
put_net(struct show *s, const struct announce_net *n)
{
	uint32_t penalty = announce_penalty(n, s->eng->now_ms);
	char text[PFX_STRLEN], span[OUT_TIME_LEN], end[OUT_TIME_LEN];
	struct out *o = s->out;
	int64_t rest = left(s, n->until_ms);
	struct peer *p;

	pfx_print(&n->conf.pfx, text, sizeof text);
	out_text(o, "%-43s %-10s %-9s %5u  %s", text,
	    announce_state_name(n->state),
	    out_timeframe(ago(s, n->since_ms), span, sizeof span), n->flaps,
	    announce_cause_name(n->cause));
	if (rest >= 0)
		out_text(
		    o, ", for %s more", out_timeframe(rest, end, sizeof end));
	if (penalty > 0)
		out_text(
		    o, ", penalty %u%s", penalty, n->damped ? " (held)" : "");
	out_text(o, "\n");
	out_obj(o, NULL);
	out_str(o, "prefix", text);
	out_str(o, "state", announce_state_name(n->state));
	out_str(o, "cause", announce_cause_name(n->cause));
	out_span(o, "since", ago(s, n->since_ms));
	if (rest >= 0)
		out_i64(o, "left_sec", rest);
	out_u64(o, "flaps", n->flaps);
	out_u64(o, "penalty", penalty);
	out_bool(o, "damped", n->damped);
	out_bool(o, "kept", n->kept);
	out_u64(
	    o, "required", n->conf.need == 0 ? n->conf.ntrack : n->conf.need);
	put_commands(s, n);
	put_tracks(s, n);
	out_arr(o, "neighbors");
	for (p = show_next_peer(s->eng, 0); p != NULL;
	     p = show_next_peer(s->eng, p->num))
		put_neighbor(s, p, &n->conf.pfx);
	out_end(o);
	out_end(o);
}

static bool
head(struct show *s)
{
	const struct announce *a = s->eng->announce;

	if (s->req.has_prefix && announce_find(a, &s->req.prefix) == NULL)
		return show_fail(s, CMD_NOT_FOUND,
		    "that is none of our networks (ana-bgpctl show "
		    "announcements lists them)");
	if (s->eng->settling)
		out_text(s->out,
		    "nobody is told anything yet: tracks are not known\n");
	if (*trackd_client_why(s->eng->trackd) != '\0')
		out_text(s->out,
		    "ALARM: ana-trackd %s; probes keep their last state for "
		    "a while\n",
		    trackd_client_why(s->eng->trackd));
	if (a->kept > 0)
		out_text(s->out,
		    "ALARM: %u networks fail and stay announced, as "
		    "min-healthy says\n",
		    a->kept);
	out_text(s->out, "%-43s %-10s %-9s %5s  %s\n", "network", "state",
	    "since", "flaps", "cause");
	return true;
}

/* Sorted by prefix, so the last one that was shown says where to go on. */
static bool
rows(struct show *s, unsigned int budget)
{
	const struct announce *a = s->eng->announce;
	unsigned int shown = 0;

	if (s->req.has_prefix) {
		const struct announce_net *n = announce_find(a, &s->req.prefix);

		if (n != NULL)
			put_net(s, n);
		return false;
	}
	for (size_t i = announce_after(a, s->rows > 0 ? &s->at : NULL);
	     i < a->nnet; i++) {
		if (shown++ * SHOW_BLOCK >= budget)
			return true;
		put_net(s, a->net[i]);
		s->at = a->net[i]->conf.pfx;
		s->rows++;
	}
	return false;
}

const struct show_cmd show_cmd_announcements = { "announcements", head, rows };
