#include "bgpd/events.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bgpd/peer.h"
#include "lib/mem.h"
#include "lib/out.h"

struct record {
	uint64_t seq; /* 0: empty */
	uint16_t peer;
	char *json, *text;
};

struct ring {
	struct record *record;
	uint32_t size;
	uint64_t added; /* the next one's place is added % size */
	uint64_t gone; /* number of the last record that was overwritten */
};

struct events {
	int64_t epoch;
	uint64_t last;
	unsigned int routes_wanted;
	struct ring ring[EVENT_CLASSES];
	size_t memory;
};

static const struct {
	const char *name;
	uint32_t size;
} class[EVENT_CLASSES] = {
	[EVENT_PEERS] = { "peers", 1024 },
	[EVENT_ROUTES] = { "routes", 2048 },
	[EVENT_FIB] = { "fib", 512 },
	[EVENT_LIMITS] = { "limits", 256 },
	[EVENT_CONFIG] = { "config", 256 },
	[EVENT_ANNOUNCEMENTS] = { "announcements", 1024 },
	[EVENT_TRACE] = { "trace", 512 },
};

/* A MESSAGE_ID is never used for another event. */
static const struct {
	enum event_class class;
	const char *name; /* in `watch`, within its class */
	const char *log, *id; /* in the log: ANA_EVENT and MESSAGE_ID */
} type[EVENT_N] = {
	[EVENT_PEER_UP] = { EVENT_PEERS, "up", "peer_up",
	    "3c4889c20a0941329efa2f330bcb6050" },
	[EVENT_PEER_DOWN] = { EVENT_PEERS, "down", "peer_down",
	    "793bab58d8e8448eaef5ccad9962ae5d" },
	[EVENT_PEER_STATE] = { EVENT_PEERS, "state", "peer_state",
	    "231e1ff203644d2aa555a653d5116bed" },
	[EVENT_NOTIFICATION] = { EVENT_PEERS, "notification", "notification",
	    "0336d280bf9b43d399253ac31f615644" },
	[EVENT_DRAIN] = { EVENT_PEERS, "drain", "drain",
	    "ddeb587158fe4395b06d0ca91bd04f69" },
	[EVENT_DRAIN_WITHDRAW] = { EVENT_PEERS, "drain_withdraw",
	    "drain_withdraw", "9b60f59888f649318f90288b4932e821" },
	[EVENT_UNDRAIN] = { EVENT_PEERS, "undrain", "undrain",
	    "eed4a6b8dc11452eb8f8bd13c90734f1" },
	[EVENT_MAINTENANCE] = { EVENT_PEERS, "maintenance", "maintenance",
	    "6a41209e4a7c4779a522ebe70dd4bb37" },
	[EVENT_ROUTE_BEST] = { EVENT_ROUTES, "best", "route_best",
	    "3f8d9a35a7bb42ed9d133db62f57fd45" },
	[EVENT_ROUTE_NONE] = { EVENT_ROUTES, "unreachable", "route_none",
	    "a3c0bb39244040b0afe010e23477220f" },
	[EVENT_FIB_FAILED] = { EVENT_FIB, "failed", "fib_error",
	    "bfbcc3c9e6c84def926270f4f60a9173" },
	[EVENT_FIB_CONFLICT] = { EVENT_FIB, "conflict", "fib_conflict",
	    "4ba45401f0154af4a134b49a0eccce3f" },
	[EVENT_FIB_DRIFT] = { EVENT_FIB, "drift", "fib_drift",
	    "1ab84a0304354df89f50bcdde2a863ee" },
	[EVENT_FIB_OVERRUN] = { EVENT_FIB, "overrun", "fib_overrun",
	    "584b0a951cf0482abcce5a26b27be9cc" },
	[EVENT_FIB_READY] = { EVENT_FIB, "ready", "fib_ready",
	    "cf53dae5b016409e94514c8548fc0285" },
	[EVENT_FIB_LOST] = { EVENT_FIB, "lost", "fib_lost",
	    "15d31f3ce50c49bab11e52f6b636bcce" },
	[EVENT_LIMIT_WARN] = { EVENT_LIMITS, "warning", "max_prefix_warning",
	    "34c73281f4184cd4990bdcfaa3659bef" },
	[EVENT_LIMIT_TRIPPED] = { EVENT_LIMITS, "tripped", "max_prefix",
	    "9a08e35b19df47159b8d6ae156f4b9c4" },
	[EVENT_LIMIT_FROZEN] = { EVENT_LIMITS, "frozen", "max_prefix_freeze",
	    "b04da07a65fa452aa16f387e1525c92d" },
	[EVENT_LIMIT_CLEARED] = { EVENT_LIMITS, "cleared", "max_prefix_cleared",
	    "cf20540539b54ac98ba9bd3e4036a551" },
	[EVENT_RELOAD] = { EVENT_CONFIG, "reload", "reload",
	    "469a4dccc14742d3b7aa0114ed2b83a1" },
	[EVENT_RELOAD_FAILED] = { EVENT_CONFIG, "reload_failed",
	    "reload_failed", "7d55cc0bc6f04340bbb5eeb26bd6da6d" },
	[EVENT_RELOAD_CONFIRMED] = { EVENT_CONFIG, "confirmed",
	    "reload_confirmed", "7d1311ec768243f2bc5546fcb99612f0" },
	[EVENT_RELOAD_UNDONE] = { EVENT_CONFIG, "undone", "reload_undone",
	    "e5accb83562547a29aea46f4dd95f4cf" },
	[EVENT_SET_LOADED] = { EVENT_CONFIG, "set", "filter_install",
	    "8d4f966f443b47a08a600733e6b09430" },
	[EVENT_SET_OLD] = { EVENT_CONFIG, "set_old", "filter_old",
	    "1d89aee7698d4dd0808b345a3bfbe4fb" },
	[EVENT_NETWORK_ANNOUNCED] = { EVENT_ANNOUNCEMENTS, "network",
	    "announce", "4d5b2d9e753a438c97a00f04b4805e90" },
	[EVENT_NETWORK_WITHDRAWN] = { EVENT_ANNOUNCEMENTS, "network",
	    "withdraw", "82cde1a17e2a41659451300874dc42ee" },
	[EVENT_TRACK] = { EVENT_ANNOUNCEMENTS, "track", "track",
	    "6a889eeca7384c308a5c4e429dd5dfb6" },
	[EVENT_TRACK_OVERDUE] = { EVENT_ANNOUNCEMENTS, "overdue",
	    "track_overdue", "756d15297ca74cd9b708f29b5b789c85" },
	[EVENT_MIN_HEALTHY] = { EVENT_ANNOUNCEMENTS, "min_healthy",
	    "min_healthy", "7ae6473516124621ba800dc852757390" },
	[EVENT_MESSAGE] = { EVENT_TRACE, "message", "message",
	    "2bec936d1f0f4c609e3b62c296e987e3" },
};

struct events *
events_new(int64_t epoch)
{
	struct events *ev = mem_alloc(sizeof *ev);
	struct record *all;
	size_t n = 0;

	ev->epoch = epoch;
	for (int c = 0; c < EVENT_CLASSES; c++)
		n += class[c].size;
	/* In one piece, of which what is not used is no memory yet. */
	all = mem_alloc(n * sizeof *all);
	ev->memory = n * sizeof *all;
	for (int c = 0; c < EVENT_CLASSES; c++) {
		ev->ring[c].size = class[c].size;
		ev->ring[c].record = all;
		all += class[c].size;
	}
	return ev;
}

static void
forget(struct events *ev, struct ring *r, struct record *rec)
{
	if (rec->seq == 0)
		return;
	ev->memory -= strlen(rec->json) + strlen(rec->text) + 2;
	r->gone = rec->seq;
	free(rec->json);
	free(rec->text);
	rec->seq = 0;
}

void
events_free(struct events *ev)
{
	if (ev == NULL)
		return;
	for (int c = 0; c < EVENT_CLASSES; c++) {
		struct ring *r = &ev->ring[c];

		for (uint32_t i = 0; i < r->size; i++)
			forget(ev, r, &r->record[i]);
	}
	free(ev->ring[0].record);
	free(ev);
}

size_t
events_memory(const struct events *ev)
{
	return sizeof *ev + ev->memory;
}

/* ---- adding ----------------------------------------------------------- */

static char *
to_json(struct events *ev, enum event_type t, const struct peer *p,
    const struct log_word *w, const char *when, const char *text)
{
	struct out *o = out_new(true);
	char cursor[48], *line;
	size_t n;

	events_cursor(ev, ev->last, cursor, sizeof cursor);
	out_obj(o, NULL);
	out_u64(o, "seq", ev->last);
	out_str(o, "cursor", cursor);
	out_str(o, "time", when);
	out_str(o, "class", class[type[t].class].name);
	out_str(o, "event", type[t].name);
	log_put_about(o, p, w);
	out_str(o, "text", text);
	out_end(o);
	out_pending(o, &n);
	line = mem_alloc(n + 1);
	log_one_line(o, line, n + 1);
	out_free(o);
	return line;
}

void
event_at(const char *file, int line, struct events *ev, enum event_type t,
    enum log_level level, struct peer *p, const struct log_word *w,
    const char *fmt, ...)
{
	struct log_event le = { type[t].log, type[t].id, w };
	enum event_class c = type[t].class;
	struct ring *r = &ev->ring[c];
	struct record *rec = &r->record[r->added++ % r->size];
	char raw[1024], text[1400], when[40], who[256] = "";
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(raw, sizeof raw, fmt, ap);
	va_end(ap);
	log_event_at(file, line, p, level, &le, raw);
	forget(ev, r, rec);
	rec->seq = ++ev->last;
	rec->peer = p != NULL ? p->num : 0;
	log_stamp(when, sizeof when);
	rec->json = to_json(ev, t, p, w, when, raw);
	if (p != NULL) {
		peer_name(p, who, sizeof who);
		strlcat(who, ": ", sizeof who);
	}
	snprintf(
	    text, sizeof text, "%s %s: %s%s", when, class[c].name, who, raw);
	out_clean(text);
	rec->text = mem_strdup(text);
	ev->memory += strlen(rec->json) + strlen(rec->text) + 2;
}

void
events_want_routes(struct events *ev, bool want)
{
	ev->routes_wanted += want ? 1 : -1u;
}

bool
events_routes_wanted(const struct events *ev)
{
	return ev->routes_wanted > 0;
}

/* ---- reading ---------------------------------------------------------- */

uint64_t
events_last(const struct events *ev)
{
	return ev->last;
}

void
events_cursor(const struct events *ev, uint64_t seq, char *buf, size_t n)
{
	snprintf(
	    buf, n, "%lld-%llu", (long long)ev->epoch, (unsigned long long)seq);
}

static bool
digits(const char *s, char **end, uint64_t *v)
{
	if (*s < '0' || *s > '9')
		return false;
	*v = strtoull(s, end, 10);
	return true;
}

bool
events_cursor_parse(
    const struct events *ev, const char *s, uint64_t *seq, bool *other)
{
	uint64_t epoch;
	char *end;

	*other = false;
	if (!digits(s, &end, &epoch))
		return false;
	if (*end == '\0' && epoch == 0) {
		*seq = 0;
		return true;
	}
	if (*end != '-' || !digits(end + 1, &end, seq) || *end != '\0')
		return false;
	*other = epoch != (uint64_t)ev->epoch || *seq > ev->last;
	if (*other)
		*seq = 0;
	return true;
}

/* The ring's first record above `after`, or NULL. */
static const struct record *
first(const struct ring *r, uint64_t after)
{
	uint64_t lo = r->added > r->size ? r->added - r->size : 0,
		 hi = r->added;

	while (lo < hi) {
		uint64_t mid = lo + (hi - lo) / 2;

		if (r->record[mid % r->size].seq > after)
			hi = mid;
		else
			lo = mid + 1;
	}
	return lo < r->added ? &r->record[lo % r->size] : NULL;
}

bool
events_next(const struct events *ev, unsigned int mask, uint64_t after,
    struct event_record *res, uint64_t *lost)
{
	const struct record *best = NULL, *rec;

	*lost = 0;
	for (int c = 0; c < EVENT_CLASSES; c++) {
		const struct ring *r = &ev->ring[c];

		if (!(mask & 1u << c))
			continue;
		if (r->gone > after && r->gone > *lost)
			*lost = r->gone;
		rec = first(r, after);
		if (rec != NULL && (best == NULL || rec->seq < best->seq))
			best = rec;
	}
	if (best == NULL)
		return false;
	*res = (struct event_record){ best->seq, best->peer, best->json,
		best->text };
	return true;
}
