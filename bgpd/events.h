/*
 * events.h -- what happened, for `watch`: a bounded ring of records for each
 * class, numbered through.  A reader remembers the number it has read (its
 * cursor) and asks for what came later; what it missed is told as a number.
 */
#ifndef EVENTS_H
#define EVENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct events;
struct peer;

enum event_class {
	EVENT_PEERS,
	EVENT_ROUTES,
	EVENT_FIB,
	EVENT_LIMITS,
	EVENT_CONFIG,
	EVENT_ANNOUNCEMENTS,
	EVENT_CLASSES
};
const char *event_class_name(enum event_class);

/* epoch: what tells this run from others, in the cursors. */
struct events *events_new(int64_t epoch);
void events_free(struct events *);
size_t events_memory(const struct events *);

/* One more word of a record; the value is escaped here. */
struct event_word {
	const char *key, *value;
};

/*
 * Adds a record: its name, the neighbor that it is about (or NULL), words (the
 * last one's key is NULL; or NULL), and a sentence.
 */
void event(struct events *, enum event_class, const char *name,
    const struct peer *, const struct event_word *, const char *fmt, ...)
    __attribute__((format(printf, 6, 7)));

/* Somebody wants the routes' events, which are not made for nobody. */
void events_want_routes(struct events *, bool);
bool events_routes_wanted(const struct events *);

/* The number of the last record. */
uint64_t events_last(const struct events *);
/* "1763804686-17"; the end of a cursor is the number. */
void events_cursor(const struct events *, uint64_t seq, char *buf, size_t);
/*
 * Reads a cursor, or "0" for all that is kept.  False: it is none.  *other:
 * of another run, so that nothing of it is known.
 */
bool events_cursor_parse(
    const struct events *, const char *, uint64_t *seq, bool *other);

struct event_record {
	uint64_t seq;
	const char *json; /* one object, without a newline */
	const char *text; /* one line, likewise */
};
/*
 * The first record above `after` of the classes in the mask; false: none.
 * *lost: the number of the last one of these classes above `after` that is
 * gone, 0: none is.
 */
bool events_next(const struct events *, unsigned int mask, uint64_t after,
    struct event_record *, uint64_t *lost);

#endif /* EVENTS_H */
