/*
 * commit.h -- the way of a configuration into force and back out of it: a
 * window in which it must be confirmed, the step back, the last good one for
 * a boot.
 *
 * The state directory holds confirmed.conf and previous.conf in canonical form
 * (includes, defines and templates expanded), and commit.state while the
 * configuration file is not what was confirmed: its digest, and the end of the
 * window.  Sets and secrets stay where the configuration names them.
 */
#ifndef COMMIT_H
#define COMMIT_H

#include "bgpd/conf.h"

struct engine;
struct commit;

struct commit_opts {
	uint32_t confirm_s; /* 0: confirmed at once */
	/* At the end of the window, instead of a person: every session that
	 * was up before is up; the accepted routes are as many as before,
	 * within so many per cent. */
	bool if_sessions, if_accepted;
	uint8_t within;
};

/* The reader for what the engine's configuration may name. */
void commit_reader(const struct engine *, struct conf_reader *);
/* The engine's file; fd not -1: that file instead, under its own name. */
struct conf *commit_load(
    const struct engine *, int fd, const char *name, struct diag_list *);

/*
 * What to start with.  `file` is what the configuration file came to, or NULL
 * when it does not check; it is returned, or freed and the last confirmed one
 * returned, with the sentence for the alarm.  NULL: there is nothing.
 */
struct conf *commit_boot(const struct conf_reader *, const char *conf_path,
    struct conf *file, char *alarm, size_t);

/* Once the speaker runs; `alarm` is commit_boot()'s. */
struct commit *commit_new(struct engine *, const char *alarm);
void commit_free(struct commit *);
/* Why the configuration in force is not the file's; "" when it is. */
const char *commit_alarm(const struct engine *);
/* Seconds left of the window, -1: none is open. */
int64_t commit_left(const struct engine *);

/* Puts it in force, taking it over.  False: *why, and it was freed. */
bool commit_apply(struct engine *, struct conf *, const struct commit_opts *,
    char *why, size_t);
/* False: no window is open. */
bool commit_confirm(struct engine *);
/* One generation back; in a window: its end.  False: *why. */
bool commit_undo(struct engine *, char *why, size_t);

#endif /* COMMIT_H */
