/*
 * events.h -- what happened, for `watch` and the log: a bounded ring of records
 * for each class, numbered through.  A reader remembers the number it has read
 * (its cursor) and asks for what came later; what it missed is told as a
 * number.
 */
#ifndef EVENTS_H
#define EVENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bgpd/log.h"

struct events;
struct peer;

enum event_class {
	EVENT_PEERS,
	EVENT_ROUTES,
	EVENT_FIB,
	EVENT_LIMITS,
	EVENT_CONFIG,
	EVENT_ANNOUNCEMENTS,
	EVENT_TRACE, /* messages of peers that somebody traces */
	EVENT_CLASSES
};

enum event_type {
	EVENT_PEER_UP,
	EVENT_PEER_DOWN,
	EVENT_PEER_STATE,
	EVENT_NOTIFICATION,
	EVENT_DRAIN,
	EVENT_DRAIN_WITHDRAW,
	EVENT_UNDRAIN,
	EVENT_MAINTENANCE,
	EVENT_ROUTE_BEST,
	EVENT_ROUTE_NONE,
	EVENT_FIB_FAILED,
	EVENT_FIB_CONFLICT,
	EVENT_FIB_DRIFT,
	EVENT_FIB_OVERRUN,
	EVENT_FIB_READY,
	EVENT_FIB_LOST,
	EVENT_LIMIT_WARN,
	EVENT_LIMIT_TRIPPED,
	EVENT_LIMIT_FROZEN,
	EVENT_LIMIT_CLEARED,
	EVENT_RELOAD,
	EVENT_RELOAD_FAILED,
	EVENT_RELOAD_CONFIRMED,
	EVENT_RELOAD_UNDONE,
	EVENT_SET_LOADED,
	EVENT_SET_OLD,
	EVENT_NETWORK_ANNOUNCED,
	EVENT_NETWORK_WITHDRAWN,
	EVENT_TRACK,
	EVENT_TRACK_OVERDUE,
	EVENT_MIN_HEALTHY,
	EVENT_MESSAGE,
	EVENT_N
};

/* epoch: what tells this run from others, in the cursors. */
struct events *events_new(int64_t epoch);
void events_free(struct events *);
size_t events_memory(const struct events *);

/*
 * Adds a record, and logs it at the level (LOG_L_NONE: not at all): the
 * neighbor that it is about (or NULL), words (the last one's key is NULL; or
 * NULL), and a sentence.  What others chose is escaped here.
 */
#define event(...) event_at(LOG_HERE, __VA_ARGS__)
void event_at(const char *file, int line, struct events *, enum event_type,
    enum log_level, struct peer *, const struct log_word *, const char *fmt,
    ...) __attribute__((format(printf, 8, 9)));

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
	uint16_t peer; /* number of the neighbor it is about, 0: none */
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
