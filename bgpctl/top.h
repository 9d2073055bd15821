/*
 * top.h -- the full-screen view: asks for a frame each second and draws it
 * with ANSI sequences.
 */
#ifndef TOP_H
#define TOP_H

#include "lib/cmd.h"

/* Text of one answer, grown by who fills it. */
struct top_text {
	char *p;
	size_t len;
};

/* Asks the daemon; the answer's text, also that of an error, is appended. */
typedef enum cmd_exit top_ask_fn(
    void *arg, size_t n, const char *const *word, struct top_text *);

/* Until `q`, or count frames with --batch. */
enum cmd_exit top_run(const struct cmd_req *, top_ask_fn *, void *arg);

#endif /* TOP_H */
