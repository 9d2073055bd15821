/* show_drain.c -- what is drained, and the maintenance. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "bgpd/engine.h"
#include "bgpd/show_cmd.h"
#include "bgpd/show_peer.h"

/* " by uid 0: \"work\"" */
static void
text_who(struct out *o, const char *who, const char *why)
{
	char safe[4 * DRAIN_WHY];

	out_text(o, " by %s", who);
	if (*why != '\0')
		out_text(o, ": \"%s\"", out_safe(why, safe, sizeof safe));
}

static void
text_view(struct out *o, const struct drain_view *v)
{
	char t[32];

	out_text(o, "since %s", show_time(v->since_s, t, sizeof t));
	text_who(o, v->who, v->why);
	if (v->withdrawn)
		out_text(o, "; nothing is announced any more");
	else if (v->withdraw_s != 0)
		out_text(o, "; nothing is announced from %s on",
		    show_time(v->withdraw_s, t, sizeof t));
	out_text(o, "\n");
}

static void
json_view(struct out *o, const struct drain_view *v)
{
	char t[32];

	out_obj(o, NULL);
	out_str(o, "scope", v->scope);
	out_str(o, "state", v->withdrawn ? "withdrawn" : "draining");
	out_str(o, "since", show_time(v->since_s, t, sizeof t));
	out_str(o, "by", v->who);
	out_str(o, "reason", v->why);
	if (v->withdraw_s != 0)
		out_str(
		    o, "withdraw_at", show_time(v->withdraw_s, t, sizeof t));
}

void
show_drain_text(struct show *s, const struct peer *p)
{
	struct drain_view v;

	for (unsigned int i = 0; drain_view(p, i, &v); i++) {
		out_text(s->out, "  Drained (%s) ", v.scope);
		text_view(s->out, &v);
	}
}

void
show_drain_json(struct show *s, const struct peer *p)
{
	struct drain_view v;

	out_arr(s->out, "drain");
	for (unsigned int i = 0; drain_view(p, i, &v); i++) {
		json_view(s->out, &v);
		out_end(s->out);
	}
	out_end(s->out);
}

/* ---- show drain -------------------------------------------------------- */

static void
put_one(struct show *s, const struct drain *d, const struct peer *p)
{
	struct drain_view v = { .scope = p != NULL ? "neighbor" : "all",
		.withdrawn = d->withdrawn,
		.since_s = d->since_s,
		.withdraw_s = d->withdraw_s,
		.who = d->who,
		.why = d->why };
	char name[512] = "all neighbors", addr[ADDR_STRLEN], safe[1024];

	if (d->since_s == 0)
		return;
	if (p != NULL)
		peer_name(p, name, sizeof name);
	out_text(s->out, "%s: drained ", out_safe(name, safe, sizeof safe));
	text_view(s->out, &v);
	json_view(s->out, &v);
	if (p != NULL)
		out_str(s->out, "neighbor",
		    addr_print(&p->conf->addr, addr, sizeof addr));
	out_end(s->out);
	s->rows++;
}

/* A network; its own drain by tracks is no command's. */
static void
put_network(struct show *s, const struct announce_net *n)
{
	int64_t now = engine_real_s(s->eng), now_ms = (int64_t)s->eng->now_ms;
	struct drain_view v = { .scope = "prefix",
		.withdrawn = n->state == ANNOUNCE_WITHDRAWN,
		.since_s = now - (now_ms - n->since_ms) / 1000,
		.who = n->who,
		.why = n->drain_reason };
	char text[PFX_STRLEN];

	if (!n->draining)
		return;
	if (n->drain_until_ms != UINT64_MAX)
		v.withdraw_s =
		    now + ((int64_t)n->drain_until_ms - now_ms) / 1000;
	pfx_print(&n->conf.pfx, text, sizeof text);
	out_text(s->out, "%s: drained ", text);
	text_view(s->out, &v);
	json_view(s->out, &v);
	out_str(s->out, "prefix", text);
	out_end(s->out);
	s->rows++;
}

static bool
head_drain(struct show *s)
{
	const struct announce *a = s->eng->announce;

	for (size_t i = 0; i < a->nnet; i++)
		put_network(s, a->net[i]);
	put_one(s, &s->eng->drain, NULL);
	return true;
}

static bool
rows_drain(struct show *s, unsigned int budget)
{
	const struct maintenance *m = &s->eng->maint;
	struct peer *p;

	while (budget-- > 0) {
		p = show_next_peer(s->eng, s->peer);
		if (p == NULL) {
			if (maint_drains(&m->m))
				out_text(s->out,
				    "all neighbors: by the maintenance "
				    "(maintenance show)\n");
			else if (s->rows == 0)
				out_text(s->out, "nothing is drained\n");
			return false;
		}
		s->peer = p->num;
		put_one(s, &p->drain, p);
	}
	return true;
}

/* ---- maintenance show -------------------------------------------------- */

void
show_maintenance_line(const struct engine *eng, char *buf, size_t n)
{
	const struct maintenance *m = &eng->maint;
	char safe[4 * DRAIN_WHY], t[32];

	buf[0] = '\0';
	if (m->m.state == MAINT_IDLE)
		return;
	snprintf(buf, n, "maintenance: %s since %s, begun by %s%s%s%s",
	    maint_state_name(m->m.state), show_time(m->state_s, t, sizeof t),
	    m->who, m->why[0] != '\0' ? ": \"" : "",
	    out_safe(m->why, safe, sizeof safe), m->why[0] != '\0' ? "\"" : "");
}

/* What the step waits for. */
static void
text_step(struct show *s, const struct maintenance *m)
{
	static const char *const waits[MAINT_N] = {
		[MAINT_IDLE] = "",
		[MAINT_DRAINING] = "all neighbors are drained, until",
		[MAINT_WAITING] = "waits for the traffic to go, at most until",
		[MAINT_STOPPING] = "nothing is announced any more, the "
				   "sessions end at the latest",
		[MAINT_STOPPED] = "the sessions are down; \"maintenance stop\" "
				  "brings them back",
		[MAINT_UNDOING] = "sessions and routes come back, drained "
				  "until they are all there, at most until",
	};
	int64_t until = drain_maintenance_until(s->eng);
	char t[32];

	out_text(s->out, "  %s%s%s\n", waits[m->m.state], until != 0 ? " " : "",
	    until != 0 ? show_time(until, t, sizeof t) : "");
}

static bool
head_maintenance(struct show *s)
{
	const struct maintenance *m = &s->eng->maint;
	uint32_t below = s->eng->conf->maint.below_bps;
	int64_t until = drain_maintenance_until(s->eng);
	struct out *o = s->out;
	char line[2048], t[32];
	uint64_t bps;
	bool known = drain_traffic(s->eng, &bps);

	show_maintenance_line(s->eng, line, sizeof line);
	out_text(o, "%s\n", *line != '\0' ? line : "no maintenance");
	out_str(o, "state", maint_state_name(m->m.state));
	if (*line != '\0') {
		text_step(s, m);
		out_str(o, "because", maint_why_text(m->m.why));
		out_str(o, "since", show_time(m->since_s, t, sizeof t));
		out_str(o, "step_since", show_time(m->state_s, t, sizeof t));
		if (until != 0)
			out_str(o, "step_until", show_time(until, t, sizeof t));
		out_str(o, "by", m->who);
		out_str(o, "reason", m->why);
	}
	if (m->end_s != 0) {
		show_time(m->end_s, t, sizeof t);
		out_text(o, "  it is over at %s\n", t);
		out_str(o, "until", t);
	}
	if (known) {
		out_text(o,
		    "  traffic on the neighbors' links: %" PRIu64
		    " bit/s, low is below %u bit/s\n",
		    bps, below);
		out_u64(o, "traffic_bps", bps);
	} else
		out_text(o,
		    "  traffic on the neighbors' links: not known, low is "
		    "below %u bit/s\n",
		    below);
	out_u64(o, "traffic_below_bps", below);
	return false;
}

const struct show_cmd show_cmd_drain = { "drains", head_drain, rows_drain };
const struct show_cmd show_cmd_maintenance = { NULL, head_maintenance, NULL };
