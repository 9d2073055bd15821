#include "bgpd/events.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bgpd/peer.h"
#include "lib/mem.h"
#include "lib/out.h"
#include "platform/clock.h"

struct record {
	uint64_t seq; /* 0: empty */
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
};

const char *
event_class_name(enum event_class c)
{
	return class[c].name;
}

struct events *
events_new(int64_t epoch)
{
	struct events *ev = mem_alloc(sizeof *ev);

	ev->epoch = epoch;
	for (int c = 0; c < EVENT_CLASSES; c++) {
		ev->ring[c].size = class[c].size;
		ev->ring[c].record =
		    mem_alloc(class[c].size * sizeof(struct record));
		ev->memory += class[c].size * sizeof(struct record);
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
		free(r->record);
	}
	free(ev);
}

size_t
events_memory(const struct events *ev)
{
	return sizeof *ev + ev->memory;
}

/* ---- adding ----------------------------------------------------------- */

static void
print_time(char *buf, size_t n)
{
	int64_t ms = clock_real_ms();
	time_t sec = (time_t)(ms / 1000);
	char day[32];
	struct tm tm;

	gmtime_r(&sec, &tm);
	strftime(day, sizeof day, "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(buf, n, "%s.%03dZ", day, (int)(ms % 1000));
}

/* What the writer broke into lines becomes one again. */
static char *
one_line(const struct out *o)
{
	size_t n, k = 0;
	const char *p = out_pending(o, &n);
	char *line = mem_alloc(n + 1);

	for (size_t i = 0; i < n; i++)
		if (p[i] != '\n' && p[i] != '\t')
			line[k++] = p[i];
	line[k] = '\0';
	return line;
}

static char *
to_json(struct events *ev, enum event_class c, const char *name,
    const struct peer *p, const struct event_word *w, const char *when,
    const char *text)
{
	struct out *o = out_new(true);
	char cursor[48], a[ADDR_STRLEN];
	char *line;

	events_cursor(ev, ev->last, cursor, sizeof cursor);
	out_obj(o, NULL);
	out_u64(o, "seq", ev->last);
	out_str(o, "cursor", cursor);
	out_str(o, "time", when);
	out_str(o, "class", class[c].name);
	out_str(o, "event", name);
	if (p != NULL) {
		out_obj(o, "neighbor");
		out_str(
		    o, "remote_addr", addr_print(&p->conf->addr, a, sizeof a));
		out_strf(o, "remote_as", "%u", p->conf->remote_as);
		if (p->conf->description != NULL)
			out_str(o, "description", p->conf->description);
		out_end(o);
	}
	for (; w != NULL && w->key != NULL; w++)
		out_str(o, w->key, w->value);
	out_str(o, "text", text);
	out_end(o);
	line = one_line(o);
	out_free(o);
	return line;
}

void
event(struct events *ev, enum event_class c, const char *name,
    const struct peer *p, const struct event_word *w, const char *fmt, ...)
{
	struct ring *r = &ev->ring[c];
	struct record *rec = &r->record[r->added++ % r->size];
	char raw[1024], text[1400], when[40], who[256] = "";
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(raw, sizeof raw, fmt, ap);
	va_end(ap);
	forget(ev, r, rec);
	rec->seq = ++ev->last;
	print_time(when, sizeof when);
	rec->json = to_json(ev, c, name, p, w, when, raw);
	if (p != NULL) {
		peer_name(p, who, sizeof who);
		strlcat(who, ": ", sizeof who);
	}
	for (char *s = raw; *s != '\0'; s++)
		if ((unsigned char)*s < ' ' || *s == 0x7f)
			*s = '?';
	snprintf(
	    text, sizeof text, "%s %s: %s%s", when, class[c].name, who, raw);
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
	*res = (struct event_record){ best->seq, best->json, best->text };
	return true;
}
