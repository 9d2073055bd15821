/* show_neighbor.c -- one line, or one block, a neighbor. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bgpd/commit.h"
#include "bgpd/engine.h"
#include "bgpd/show_cmd.h"
#include "bgpd/show_peer.h"
#include "policy/pfxset.h"

/* ---- summary ---------------------------------------------------------- */

/* "118/250" when it is up, else its state and who keeps it down. */
static void
state_column(const struct peer *p, char *buf, size_t n)
{
	uint32_t max = show_peer_max(p);
	const char *name = fsm_state_name(peer_state(p));
	char text[256];

	if (p->up != NULL && max != 0)
		snprintf(buf, n, "%6u/%u", adjin_received(p->adjin), max);
	else if (p->up != NULL)
		snprintf(buf, n, "%6u", adjin_received(p->adjin));
	else if (p->admin_down && p->down_text[0] != '\0')
		snprintf(buf, n, "%s (down: %s)", name,
		    out_safe(p->down_text, text, sizeof text));
	else if (p->admin_down)
		snprintf(buf, n, "%s (down)", name);
	else if (!p->conf->enabled)
		snprintf(buf, n, "%s (enabled no)", name);
	else if (drain_holds(p->eng))
		snprintf(buf, n, "%s (maintenance)", name);
	else if (p->limit.tripped)
		snprintf(buf, n, "%s (prefix limit)", name);
	else
		strlcpy(buf, name, n);
}

static void
put_line(struct show *s, struct peer *p)
{
	const struct session *ses = peer_session(p);
	char name[256], t[OUT_TIME_LEN], state[512];

	show_name(s, p, name, sizeof name);
	if (s->req.terse) {
		out_text(s->out, "%s %u %s\n", name, p->conf->remote_as,
		    fsm_state_name(peer_state(p)));
		return;
	}
	state_column(p, state, sizeof state);
	show_name_put(s, name);
	out_text(s->out, "%8u %10llu %10llu %5zu %-8s ", p->conf->remote_as,
	    (unsigned long long)p->rx.total, (unsigned long long)p->tx.total,
	    ses != NULL ? session_queued(ses) : 0,
	    out_timeframe(show_peer_updown(p), t, sizeof t));
	if (p->up != NULL)
		out_text(s->out, "%-13s  %6u %6u%s\n", state,
		    show_peer_accepted(p), show_peer_rejected(p),
		    show_peer_marks(p));
	else
		out_text(s->out, "%s\n", state);
}

static bool
head_summary(struct show *s)
{
	if (s->req.terse)
		return true;
	if (s->eng->conf->lab_mode)
		out_text(
		    s->out, "LAB MODE: documentation numbers are accepted\n");
	show_alarms(s);
	show_name_head(s, "Neighbor");
	out_text(s->out, "%8s %10s %10s %5s %-8s %s  %6s %6s\n", "AS",
	    "MsgRcvd", "MsgSent", "OutQ", "Up/Down", "State/PrfRcvd", "Accept",
	    "Reject");
	return true;
}

static bool
rows_summary(struct show *s, unsigned int budget)
{
	struct peer *p;

	while (budget-- > 0) {
		p = show_next_peer(s->eng, s->peer);
		if (p == NULL)
			return false;
		s->peer = p->num;
		put_line(s, p);
		out_obj(s->out, NULL);
		show_peer_json_head(s, p);
		out_end(s->out);
	}
	return true;
}

/* ---- neighbor --------------------------------------------------------- */

bool
show_count_routes(struct show *s, struct peer *p, unsigned int *budget)
{
	struct rib_path path;
	struct pfx pfx;

	if (s->walk == NULL) {
		memset(s->best, 0, sizeof s->best);
		memset(s->in_fib, 0, sizeof s->in_fib);
		show_walk_begin(s, p, FAM_INET);
	}
	for (;;) {
		switch (adjin_walk_next(s->walk, budget, &pfx, &path)) {
		case ADJIN_STEP_LATER:
			return true;
		case ADJIN_STEP_ROUTE:
			s->best[s->fam] += path.best;
			if ((path.best || path.ecmp) &&
			    fibsync_get(s->eng->fibsync, &pfx,
				&(struct fibsync_route){ 0 }) ==
				FIBSYNC_INSTALLED)
				s->in_fib[s->fam]++;
			break;
		case ADJIN_STEP_END:
			if (s->fam == FAM_INET6) {
				show_walk_end(s);
				return false;
			}
			show_walk_begin(s, p, FAM_INET6);
			break;
		}
	}
}

static bool
rows_neighbor(struct show *s, unsigned int budget)
{
	unsigned int blocks = budget / SHOW_BLOCK + 1, looks = budget * 32;
	struct peer *p;

	while (blocks-- > 0) {
		p = s->only != 0 ? s->eng->by_num[s->only]
				 : show_next_peer(s->eng, s->peer);
		if (p == NULL || (s->only != 0 && s->peer == s->only))
			return false;
		if (show_count_routes(s, p, &looks))
			return true;
		s->peer = p->num;
		if (out_is_json(s->out))
			show_peer_json(s, p);
		else
			show_peer_text(s, p);
	}
	return true;
}

const struct show_cmd show_cmd_summary = { "neighbors", head_summary,
	rows_summary };
const struct show_cmd show_cmd_neighbor = { "neighbors", show_only,
	rows_neighbor };
