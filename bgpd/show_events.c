/*
 * show_events.c -- what happened and what there is: watch, history, the text
 * for a ticket.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bgpd/engine.h"
#include "bgpd/show_cmd.h"
#include "bgpd/show_peer.h"
#include "lib/mem.h"
#include "platform/clock.h"

/* ---- watch ------------------------------------------------------------ */

static unsigned int
wanted(const struct cmd_req *r)
{
	unsigned int m = 0;

	m |= r->peers ? 1u << EVENT_PEERS : 0;
	m |= r->routes ? 1u << EVENT_ROUTES : 0;
	m |= r->fib ? 1u << EVENT_FIB : 0;
	m |= r->limits ? 1u << EVENT_LIMITS : 0;
	m |= r->config ? 1u << EVENT_CONFIG : 0;
	m |= r->announcements ? 1u << EVENT_ANNOUNCEMENTS : 0;
	return m != 0 ? m
		      : ((1u << EVENT_CLASSES) - 1) &
		~(1u << EVENT_ROUTES | 1u << EVENT_TRACE);
}

/* A line about the stream itself, with the cursor to begin again with. */
static void
about(struct show *s, const char *name, uint64_t seq, const char *text)
{
	char cursor[48], when[32];

	events_cursor(s->eng->events, seq, cursor, sizeof cursor);
	show_time(clock_real_s(), when, sizeof when);
	if (s->req.json)
		out_text(s->out,
		    "{\"seq\": %llu,\"cursor\": \"%s\",\"time\": \"%s\","
		    "\"class\": \"watch\",\"event\": \"%s\",\"text\": \"%s\"}"
		    "\n",
		    (unsigned long long)seq, cursor, when, name, text);
	else
		out_text(
		    s->out, "%s watch: %s (cursor %s)\n", when, text, cursor);
}

static bool
head_watch(struct show *s)
{
	struct events *ev = s->eng->events;
	char word[128];
	bool other = false;

	s->cursor = s->gone_told = events_last(ev);
	if (s->req.cursor != NULL) {
		if (!events_cursor_parse(ev, s->req.cursor, &s->cursor, &other))
			return show_fail(s, CMD_USAGE,
			    "%s is no cursor; 0 stands for all that is kept",
			    out_safe(s->req.cursor, word, sizeof word));
		s->gone_told =
		    strcmp(s->req.cursor, "0") == 0 ? UINT64_MAX : s->cursor;
	}
	if (wanted(&s->req) & 1u << EVENT_ROUTES) {
		events_want_routes(ev, true);
		s->routes_wanted = true;
	}
	if (other)
		about(s, "gap", 0,
		    "the cursor is of another run of the daemon: what happened "
		    "since is not known");
	else
		about(s, "begin", s->cursor, "watching");
	return true;
}

/* Events of the classes in the mask, of one neighbor when there is `only`. */
static bool
rows_events(struct show *s, unsigned int budget, unsigned int mask)
{
	struct event_record r;
	uint64_t lost;
	char text[96];

	while (budget-- > 0) {
		bool any =
		    events_next(s->eng->events, mask, s->cursor, &r, &lost);

		if (s->gone_told == UINT64_MAX)
			s->gone_told = lost; /* the oldest there is */
		if (lost > s->gone_told) {
			snprintf(text, sizeof text,
			    "this reader was too slow: events up to %llu are "
			    "lost",
			    (unsigned long long)lost);
			s->gone_told = lost;
			about(s, "gap", lost, text);
			continue;
		}
		if (!any) {
			s->waiting = true;
			return true;
		}
		s->cursor = r.seq;
		if (s->only == 0 || r.peer == s->only)
			out_text(s->out, "%s\n", s->req.json ? r.json : r.text);
	}
	return true;
}

static bool
rows_watch(struct show *s, unsigned int budget)
{
	return rows_events(s, budget, wanted(&s->req));
}

/* ---- trace ------------------------------------------------------------ */

static bool
head_trace(struct show *s)
{
	if (!show_only(s))
		return false;
	s->eng->by_num[s->only]->traced++;
	s->traces = true;
	s->cursor = s->gone_told = events_last(s->eng->events);
	about(s, "begin", s->cursor, "tracing");
	return true;
}

static bool
rows_trace(struct show *s, unsigned int budget)
{
	return rows_events(s, budget, 1u << EVENT_TRACE);
}

/* ---- history ---------------------------------------------------------- */

static void
history_step(struct show *s, const struct peer_step *st)
{
	struct out *o = s->out;
	char when[32];

	show_time(st->when_s, when, sizeof when);
	out_text(o, "  %s  %s -> %s, reason: %s (%s)\n", when,
	    fsm_state_name((enum fsm_state)st->from),
	    fsm_state_name((enum fsm_state)st->to),
	    fsm_event_name((enum fsm_event)st->event),
	    st->dialled ? "our connection" : "its connection");
	out_obj(o, NULL);
	out_str(o, "type", "state");
	out_str(o, "time", when);
	out_str(o, "from", fsm_state_name((enum fsm_state)st->from));
	out_str(o, "to", fsm_state_name((enum fsm_state)st->to));
	out_str(o, "event", fsm_event_name((enum fsm_event)st->event));
	out_bool(o, "dialled", st->dialled);
	out_end(o);
}

static void
history_notif(struct show *s, const struct peer_notif *n)
{
	struct out *o = s->out;
	char when[32], what[SHOW_NOTIF_LEN];

	out_text(o, "  %s  NOTIFICATION %s: %s (%u/%u)\n",
	    show_time(n->when_s, when, sizeof when),
	    n->sent ? "sent" : "received",
	    show_notif_print(n, what, sizeof what), n->code, n->sub);
	out_obj(o, NULL);
	out_str(o, "type", "notification");
	show_notif_json(o, n);
	out_end(o);
}

/* Both rings, the last one first; one NOTIFICATION stands before its step. */
static void
put_history(struct show *s, struct peer *p)
{
	struct out *o = s->out;
	const struct peer_step *st;
	const struct peer_notif *n;
	unsigned int i = 0, k = 0;
	char name[256];

	out_text(o, "Neighbor %s, AS%u: %u times established\n",
	    show_name(s, p, name, sizeof name), p->conf->remote_as,
	    p->established_count);
	out_obj(o, NULL);
	show_peer_json_head(s, p);
	out_u64(o, "established", p->established_count);
	out_arr(o, "history");
	for (;;) {
		st = show_peer_step(p, i);
		n = show_peer_notif(p, k);
		if (st == NULL && n == NULL)
			break;
		if (n == NULL || (st != NULL && st->when_s >= n->when_s)) {
			history_step(s, st);
			i++;
		} else {
			history_notif(s, n);
			k++;
		}
	}
	if (i + k == 0)
		out_text(o, "  nothing yet\n");
	out_text(o, "\n");
	out_end(o);
	out_end(o);
}

static bool
rows_history(struct show *s, unsigned int budget)
{
	unsigned int blocks = budget / SHOW_BLOCK + 1;
	struct peer *p;

	while (blocks-- > 0) {
		p = s->only != 0 ? s->eng->by_num[s->only]
				 : show_next_peer(s->eng, s->peer);
		if (p == NULL || (s->only != 0 && s->peer == s->only))
			return false;
		s->peer = p->num;
		put_history(s, p);
	}
	return true;
}

/* ---- support ---------------------------------------------------------- */

/*
 * Other answers, one after the other.  None of them has a secret: those have a
 * type of their own that no function prints.
 */
static const struct {
	const char *key, *words;
	struct cmd_req req;
} section[] = {
	{ "version", "show version", { .id = CMD_SHOW_VERSION } },
	{ "health", "check health", { .id = CMD_CHECK_HEALTH } },
	{ "summary", "show", { .id = CMD_SHOW_SUMMARY } },
	{ "neighbors", "show neighbor", { .id = CMD_SHOW_NEIGHBOR } },
	{ "history", "show history", { .id = CMD_SHOW_HISTORY } },
	{ "rejected", "show rejected", { .id = CMD_SHOW_REJECTED } },
	{ "nexthops", "show nexthop", { .id = CMD_SHOW_NEXTHOP } },
	{ "interfaces", "show interfaces", { .id = CMD_SHOW_INTERFACES } },
	{ "announcements", "show announcements",
	    { .id = CMD_SHOW_ANNOUNCEMENTS } },
	{ "sets", "show sets", { .id = CMD_SHOW_SETS } },
	{ "loop", "show loop", { .id = CMD_SHOW_LOOP } },
	{ "memory", "show memory", { .id = CMD_SHOW_MEMORY } },
	{ "metrics", "show metrics", { .id = CMD_SHOW_METRICS } },
	{ "config", "show config defaults",
	    { .id = CMD_SHOW_CONFIG, .defaults = true } },
};

enum {
	SUPPORT_EVENTS = 100,
	NSECTION = sizeof section / sizeof section[0]
};

struct support {
	unsigned int at;
	struct show part;
	bool running;
};

void
show_last_events(struct show *s, unsigned int n)
{
	const struct events *ev = s->eng->events;
	uint64_t after = events_last(ev), lost;
	struct event_record r;

	after = after > n ? after - n : 0;
	while (events_next(ev, ~0u, after, &r, &lost)) {
		out_text(s->out, "%s\n", r.text);
		out_str(s->out, NULL, r.text);
		after = r.seq;
	}
}

static bool
rows_support(struct show *s, unsigned int budget)
{
	struct support *u = s->support;

	if (u == NULL)
		u = s->support = mem_alloc(sizeof *u);
	if (!u->running && u->at < NSECTION) {
		out_text(s->out, "==== %s\n\n", section[u->at].words);
		u->part = (struct show){ .eng = s->eng,
			.out = s->out,
			.file = -1,
			.key = section[u->at].key,
			.req = section[u->at].req };
		u->part.req.json = s->req.json;
		u->part.req.numeric = s->req.numeric;
		u->running = true;
	}
	if (u->running) {
		if (show_run(&u->part, budget))
			return true;
		show_end(&u->part);
		u->running = false;
		u->at++;
		out_text(s->out, "\n");
		return true;
	}
	out_text(s->out, "==== the last events\n\n");
	out_arr(s->out, "events");
	show_last_events(s, SUPPORT_EVENTS);
	out_end(s->out);
	return false;
}

static bool
head_support(struct show *s)
{
	return true;
}

void
show_support_free(struct support *u)
{
	if (u == NULL)
		return;
	show_end(&u->part);
	free(u);
}

void
show_support_forget_peer(struct support *u, uint16_t peer)
{
	if (u != NULL && u->running)
		show_forget_peer(&u->part, peer);
}

const struct show_cmd show_cmd_watch = { NULL, head_watch, rows_watch };
const struct show_cmd show_cmd_trace = { NULL, head_trace, rows_trace };
const struct show_cmd show_cmd_history = { "neighbors", show_only,
	rows_history };
const struct show_cmd show_cmd_support = { NULL, head_support, rows_support };
