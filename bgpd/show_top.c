/* show_top.c -- one frame of top; what asks again each second is ana-bgpctl. */
#include <stdio.h>
#include <string.h>

#include "bgpd/engine.h"
#include "bgpd/sets.h"
#include "bgpd/show_cmd.h"
#include "bgpd/show_peer.h"
#include "platform/clock.h"

enum {
	TOP_EVENTS = 8,
	BAR = 5,
	/* Routes are counted again a millisecond later for each so many. */
	ROUTES_MS = 10
};

/* ---- what stands above the table -------------------------------------- */

/* The oldest file of a set, and whether one is older than it may be. */
static void
put_filters(struct show *s)
{
	const struct conf *c = s->eng->conf;
	const struct conf_set *oldest = NULL;
	char name[256], t[OUT_TIME_LEN];
	bool old = false;

	for (size_t i = 0; i < c->nset; i++) {
		old |= sets_is_old(s->eng, &c->set[i]);
		if (c->set[i].oldest != 0 &&
		    (oldest == NULL || c->set[i].oldest < oldest->oldest))
			oldest = &c->set[i];
	}
	if (oldest != NULL)
		out_text(s->out, "  oldest filter %s %s%s",
		    out_safe(oldest->name, name, sizeof name),
		    show_ago(oldest->oldest, t, sizeof t),
		    old ? " (TOO OLD)" : "");
}

static void
put_state(struct show *s)
{
	const struct engine *eng = s->eng;
	uint64_t virtual, resident;
	struct out *o = s->out;
	char t[OUT_TIME_LEN], why[512];

	out_text(o, "%s  generation %u",
	    engine_ready(eng, why, sizeof why) ? "ready" : "NOT READY",
	    eng->generation);
	if (eng->reload_s != 0)
		out_text(o, " (%s %s ago)",
		    eng->reload_ok ? "reloaded" : "the last reload FAILED",
		    show_ago(eng->reload_s, t, sizeof t));
	out_text(o, "  longest turn %llu ms",
	    (unsigned long long)eng->loop.max_turn_us / 1000);
	if (show_pages(eng, &virtual, &resident))
		out_text(
		    o, "  RSS %llu MB", (unsigned long long)resident >> 20);
	put_filters(s);
	out_text(o, "\n\n");
}

static bool
head_top(struct show *s)
{
	const struct engine *eng = s->eng;
	struct out *o = s->out;
	struct fibsync_stats fib;
	unsigned int up = 0, all = 0;
	uint64_t in = 0, accepted = 0, rejected = 0;
	char when[32], t[OUT_TIME_LEN], host[256];
	const struct peer *p;

	fibsync_get_stats(eng->fibsync, &fib);
	TAILQ_FOREACH (p, &eng->peers, entry) {
		all++;
		up += p->up != NULL;
		in += adjin_received(p->adjin);
		accepted += show_peer_accepted(p);
		rejected += show_peer_rejected(p);
	}
	out_text(o, "ana-bgpd %s  %s  AS%u  up %s  %s%s\n", ANA_VERSION,
	    show_host(eng, host, sizeof host), eng->conf->as,
	    show_ago(eng->start_s, t, sizeof t),
	    show_time(clock_real_s(), when, sizeof when),
	    eng->conf->lab_mode ? "  LAB MODE" : "");
	out_text(o,
	    "sessions %u/%u  routes %llu in, %llu accepted, %llu rejected  "
	    "kernel %u of %u%s\n",
	    up, all, (unsigned long long)in, (unsigned long long)accepted,
	    (unsigned long long)rejected,
	    fib.installed[FAM_INET] + fib.installed[FAM_INET6],
	    fib.wanted[FAM_INET] + fib.wanted[FAM_INET6],
	    eng->fib_ready ? "" : " (ana-fibd is NOT there)");
	put_state(s);
	show_alarms(s);
	show_name_head(s, "Neighbor");
	out_text(o, "%8s %6s %6s %-8s %-19s %6s %6s %6s %6s  Last reason\n",
	    "AS", "Rcvd/s", "Sent/s", "Up/Down", "State/PrfRcvd", "Accept",
	    "Reject", "Told", "Kernel");
	return true;
}

/* ---- a neighbor ------------------------------------------------------- */

/* Messages a second since somebody looked last, a second ago or more. */
static const struct peer_pace *
pace(struct peer *p)
{
	struct peer_pace *l = &p->pace;
	uint64_t ms = p->eng->now_ms - l->at_ms;

	if (l->at_ms != 0 && ms < 1000)
		return l;
	l->rx_s = l->at_ms == 0 ? 0 : (double)(p->rx.total - l->rx) * 1e3 / ms;
	l->tx_s = l->at_ms == 0 ? 0 : (double)(p->tx.total - l->tx) * 1e3 / ms;
	l->at_ms = p->eng->now_ms;
	l->rx = p->rx.total;
	l->tx = p->tx.total;
	return l;
}

/*
 * Counts its routes in the kernel, which nobody keeps, unless that was done
 * lately: a full table costs no more of the daemon's time than a small one.
 * False: more is to come.
 */
static bool
count_kernel(struct show *s, struct peer *p, unsigned int *looks)
{
	struct peer_pace *l = &p->pace;

	if (s->walk == NULL && l->fib_at_ms != 0 &&
	    s->eng->now_ms - l->fib_at_ms <
		adjin_received(p->adjin) / ROUTES_MS)
		return true;
	if (show_count_routes(s, p, looks))
		return false;
	l->fib = s->in_fib[FAM_INET] + s->in_fib[FAM_INET6];
	l->fib_at_ms = s->eng->now_ms;
	return true;
}

/* "   241/250    ####.": so much of what is permitted. */
static void
put_received(struct show *s, const struct peer *p)
{
	uint32_t max = show_peer_max(p), n = adjin_received(p->adjin);
	char bar[BAR + 1] = "";

	for (uint32_t i = 0; max != 0 && i < BAR; i++)
		bar[i] = (uint64_t)n * BAR > (uint64_t)max * i ? '#' : '.';
	if (max != 0)
		out_text(s->out, "%6u/%-6u %-5s", n, max, bar);
	else
		out_text(s->out, "%6u %12s", n, "");
}

static void
put_row(struct show *s, struct peer *p)
{
	char name[256], t[OUT_TIME_LEN], reason[SHOW_NOTIF_LEN];
	const struct peer_pace *l = pace(p);
	struct out *o = s->out;

	show_peer_reason(p, reason, sizeof reason);
	show_name_put(s, show_name(s, p, name, sizeof name));
	out_text(o, "%8u %6.1f %6.1f %-8s ", p->conf->remote_as, l->rx_s,
	    l->tx_s, out_timeframe(show_peer_updown(p), t, sizeof t));
	if (p->up == NULL) {
		out_text(
		    o, "%-11s  %s\n", fsm_state_name(peer_state(p)), reason);
	} else {
		put_received(s, p);
		out_text(o, " %6u %6u %6u %6u%s%s%s\n", show_peer_accepted(p),
		    show_peer_rejected(p),
		    show_peer_told(p, FAM_INET) + show_peer_told(p, FAM_INET6),
		    l->fib, show_peer_marks(p), *reason != '\0' ? "  " : "",
		    reason);
	}
	out_obj(o, NULL);
	show_peer_json_head(s, p);
	out_u64(o, "fib", l->fib);
	out_str(o, "last_reason", reason);
	out_end(o);
}

static bool
rows_top(struct show *s, unsigned int budget)
{
	unsigned int looks = budget * 32;
	struct peer *p;

	while ((p = show_next_peer(s->eng, s->peer)) != NULL) {
		if (budget-- == 0 || !count_kernel(s, p, &looks))
			return true;
		s->peer = p->num;
		put_row(s, p);
	}
	if (out_is_json(s->out))
		return false;
	out_text(s->out, "\nEvents:\n");
	show_last_events(s, TOP_EVENTS);
	return false;
}

const struct show_cmd show_cmd_top = { "neighbors", head_top, rows_top };
