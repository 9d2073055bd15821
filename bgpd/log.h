/*
 * log.h -- one line an event, as text or JSON, to standard error, the journal
 * (with its fields), syslog or a file.  What came from outside is escaped here,
 * and what one neighbor causes is bounded.  None of them is ever waited for:
 * what they do not take is counted, and told when they do again.
 */
#ifndef LOG_H
#define LOG_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/timer.h"

enum log_level {
	LOG_L_NONE, /* not logged at all */
	LOG_L_ERROR,
	LOG_L_WARN,
	LOG_L_INFO,
	LOG_L_DEBUG
};

enum log_to {
	LOG_TO_STDERR,
	LOG_TO_JOURNAL,
	LOG_TO_SYSLOG,
	LOG_TO_FILE
};

enum {
	/* Lines of one neighbor in a minute, and as many of its events, so
	 * that noise does not hide these; level debug is not counted. */
	LOG_PEER_MAX = 100
};

struct peer;

struct log_dest {
	enum log_to to;
	bool json; /* one object a line; the journal has fields instead */
	const char *file; /* LOG_TO_FILE: appended to; opened anew each time */
};
void log_init(enum log_level, const struct log_dest *);
/*
 * Where it goes when the configuration is silent: the journal when standard
 * error is its stream (which then wants the level of each line), syslog in the
 * background, else standard error.  journal_stream: the environment's word.
 */
enum log_to log_default(const char *journal_stream, bool background);
void log_set_level(enum log_level);
bool log_enabled(enum log_level);
/* Lines that the log did not take, since the start. */
uint64_t log_lost(void);

/* What one neighbor said in this minute; part of struct peer. */
struct log_quota {
	struct timer end;
	uint64_t since_ms;
	uint32_t said[2], left_out; /* plain lines, events */
};
/* Says how many lines were left out, when some were. */
void log_quota_end(struct peer *);

/* A key of a record beside its text; in the journal ANA_KEY. */
struct log_word {
	const char *key, *value;
};
/* The event that a record is about. */
struct log_event {
	const char *name; /* "peer_up" */
	const char *id; /* the journal's MESSAGE_ID */
	const struct log_word *word; /* the last one's key is NULL; or NULL */
};

/* What a line of the log and one of watch have in common. */
struct out;
/* The time in UTC with milliseconds. */
void log_stamp(char *buf, size_t);
/* "neighbor": {...}, unless it is NULL, and the words, if any. */
void log_put_about(struct out *, const struct peer *, const struct log_word *);
/* What JSON has pending as one line, cut to the size; returns its length. */
size_t log_one_line(const struct out *, char *buf, size_t);

#define LOG_FMT(f, a) __attribute__((format(printf, f, a)))
/* The functions behind the words below. */
LOG_FMT(5, 6)
void log_at(const char *file, int line, enum log_level, bool with_errno,
    const char *fmt, ...);
LOG_FMT(5, 6)
void log_peer_at(const char *file, int line, struct peer *, enum log_level,
    const char *fmt, ...);
/* An event's sentence; the neighbor may be NULL. */
void log_event_at(const char *file, int line, struct peer *, enum log_level,
    const struct log_event *, const char *text);

#define LOG_HERE __FILE__, __LINE__
/* Errors of ours; with and without errno's text. */
#define log_warn(...) log_at(LOG_HERE, LOG_L_WARN, true, __VA_ARGS__)
#define log_warnx(...) log_at(LOG_HERE, LOG_L_WARN, false, __VA_ARGS__)
#define log_info(...) log_at(LOG_HERE, LOG_L_INFO, false, __VA_ARGS__)
#define log_debug(...) log_at(LOG_HERE, LOG_L_DEBUG, false, __VA_ARGS__)
/* "neighbor 203.0.113.1 (Example) AS64500: ..." */
#define log_peer(p, level, ...) log_peer_at(LOG_HERE, p, level, __VA_ARGS__)
/* One plain sentence, then exit status 1. */
LOG_FMT(1, 2) __attribute__((noreturn)) void fatalx(const char *fmt, ...);

#endif /* LOG_H */
