/*
 * out.h -- what a `show` command answers, written once: lines of text, or one
 * JSON document.  A command calls both kinds of functions; those of the mode
 * that was not asked for do nothing.
 *
 * The octets gather in a buffer from which the caller drains them, so that a
 * long walk is written, and sent, in slices.
 */
#ifndef OUT_H
#define OUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct out;

struct out *out_new(bool json);
void out_free(struct out *);
bool out_is_json(const struct out *);

/* What waits; lives until the next call with this out. */
const void *out_pending(const struct out *, size_t *len);
/* The first n of them are sent. */
void out_drained(struct out *, size_t n);

/* Text mode (out_text.c); the caller writes the newlines. */
void out_text(struct out *, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* Octets as they are, which the reader knows how to take. */
void out_raw(struct out *, const void *, size_t);
/*
 * For strings that a peer or another machine chose: what is no printable
 * UTF-8 becomes \xHH, a backslash doubles.  Returns buf, always terminated
 * and never cut within a character; four octets an octet are enough.
 */
const char *out_safe(const char *, char *buf, size_t);
const char *out_safe_n(const void *, size_t, char *buf, size_t);
/* For a line of text that is escaped already: what is left becomes a question
 * mark, a newline or tab a space. */
void out_clean(char *);
/*
 * Columns of a table hold UTF-8, of which printf() counts octets.  One
 * character is one column here: which ones are wide, or none, only a locale
 * knows.
 */
int out_columns(const char *);
/* The width of a %-*s that makes the string fill so many columns. */
int out_width(const char *, int columns);
/* How many octets of it fit into so many columns. */
int out_fit(const char *, int columns);
/*
 * A time span in the layout of OpenBGPD's bgpctl, which others parse:
 * "HH:MM:SS", "1d02h03m", "01w3d01h", "1000w"; "Never" below zero.
 */
enum {
	OUT_TIME_LEN = 24
};
const char *out_timeframe(int64_t sec, char *buf, size_t);

/*
 * JSON mode (out_json.c).  The key is NULL inside an array and for the
 * outermost value, and not NULL inside an object (asserted).  A key is a
 * literal of ours and is not escaped; values are, and are always UTF-8.  The
 * outermost out_end() ends the document with a newline.
 */
enum {
	OUT_DEPTH = 16
};
void out_obj(struct out *, const char *key);
void out_arr(struct out *, const char *key);
void out_end(struct out *);
void out_str(struct out *, const char *key, const char *);
void out_strn(struct out *, const char *key, const void *, size_t);
void out_strf(struct out *, const char *key, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void out_u64(struct out *, const char *key, uint64_t);
void out_i64(struct out *, const char *key, int64_t);
void out_bool(struct out *, const char *key, bool);
/* A span as OpenBGPD has it: "key": out_timeframe(), "key_sec": seconds. */
void out_span(struct out *, const char *key, int64_t sec);

#endif /* OUT_H */
