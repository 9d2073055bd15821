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
/*
 * A configuration on its way, in slices (conf_load_begin()); nothing is
 * touched.  Of the engine's file; fd not -1: of that file instead, under its
 * own name, which is borrowed.
 */
struct commit_load;
struct commit_load *commit_load_file(struct engine *, int fd, const char *name);
/* The engine's file, to come into force: the service manager is told of a
 * reload until commit_load_free(). */
struct commit_load *commit_load_reload(struct engine *);
/* Likewise: one generation back; in a window: its beginning.  NULL: *why. */
struct commit_load *commit_load_undo(struct engine *, char *why, size_t);
/* True: more is left. */
bool commit_load_run(struct commit_load *);
/* Once it is through: the caller's, NULL when it had errors, or when something
 * else came into force meanwhile. */
struct conf *commit_load_take(struct commit_load *);
const struct diag_list *commit_load_problems(const struct commit_load *);
void commit_load_free(struct commit_load *);

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
/*
 * What was loaded (through, not taken) is put in force.  NULL when all went
 * well, else the text of the problems, the caller's; *warnings (may be NULL)
 * likewise.
 */
char *commit_reload(struct engine *, struct commit_load *,
    const struct commit_opts *, char **warnings);
/* commit_load_undo()'s configuration, taken over; the alarm says why. */
void commit_back(struct engine *, struct conf *, const char *why);
/* False: no window is open. */
bool commit_confirm(struct engine *);
/* SIGHUP: a reload that nobody waits for. */
void commit_hup(struct engine *);
/* One slice of such a one, or of the way back at the end of a window; true:
 * more is left. */
bool commit_run(struct engine *);
/* What tells one configuration from another: SHA-256 of its canonical form. */
void commit_digest(const struct conf *, char[CONF_DIGEST_LEN]);

#endif /* COMMIT_H */
