/*
 * log.h -- one line an event, to standard error (where the journal or a
 * person reads it) or syslog.  What came from outside is escaped here.
 */
#ifndef LOG_H
#define LOG_H

#include <stdarg.h>
#include <stdbool.h>

enum log_level {
	LOG_L_ERROR,
	LOG_L_WARN,
	LOG_L_INFO,
	LOG_L_DEBUG
};

struct peer;

/* Nothing set: standard error. */
struct log_dest {
	bool syslog;
	bool json; /* one object a line */
	const char *file; /* appended to; opened anew each time */
};
void log_init(enum log_level, const struct log_dest *);
/* Standard error is the journal's: it stamps, and takes the level as <N>. */
void log_to_journal(void);
void log_set_level(enum log_level);
bool log_enabled(enum log_level);

#define LOG_FMT(f, a) __attribute__((format(printf, f, a)))
/* Errors of ours; with and without errno's text. */
LOG_FMT(1, 2) void log_warn(const char *fmt, ...);
LOG_FMT(1, 2) void log_warnx(const char *fmt, ...);
LOG_FMT(1, 2) void log_info(const char *fmt, ...);
LOG_FMT(1, 2) void log_debug(const char *fmt, ...);
/* "neighbor 203.0.113.1 (Example) AS64500: ..." */
LOG_FMT(3, 4)
void log_peer(const struct peer *, enum log_level, const char *fmt, ...);
/* One plain sentence, then exit status 1. */
LOG_FMT(1, 2) __attribute__((noreturn)) void fatalx(const char *fmt, ...);

#endif /* LOG_H */
