/*
 * track.h -- what an announcement hangs on: a named condition that is up, down
 * or not known yet.  Somebody else looks (at an address, a file, a probe, a
 * lease) and tells each result; here they are counted and timed.  No clock, no
 * descriptor: `now_ms` is an argument, of any monotonic clock.
 */
#ifndef TRACK_H
#define TRACK_H

#include <stdbool.h>
#include <stdint.h>

enum track_state {
	TRACK_UNKNOWN, /* nothing was seen yet */
	TRACK_DOWN,
	TRACK_UP
};
const char *track_state_name(enum track_state);

enum {
	TRACK_WHY_LEN = 128,
	/* A track that nobody has seen so long after it was made is down. */
	TRACK_SETTLE_MS = 10000,
};

struct track_conf {
	const char *key; /* its identity over reloads and restarts */
	uint8_t rise, fall; /* results in a row that change the state; 0: 1 */
	/* A result is due in this time, 0: there are only changes.  When none
	 * comes the last state holds for keep_ms more, and is down then. */
	uint32_t due_ms, keep_ms;
	/* Up for this time after each good result, and down without a word
	 * then; 0: no lease. */
	uint32_t lease_ms;
};

struct track {
	struct track_conf conf; /* key is owned */
	enum track_state state;
	bool confirmed; /* by a result since it was made or restored */
	bool overdue; /* nobody tells any more: the last state holds */
	uint8_t against; /* results in a row against the state */
	int64_t since_ms; /* of the state; may lie before the clock's 0 */
	int64_t seen_ms; /* of the last result */
	uint64_t settle_ms; /* until then it may be unknown */
	uint64_t deadline_ms; /* of the lease, or when overdue */
	uint32_t flaps; /* from up to down */
	char why[TRACK_WHY_LEN]; /* the last result, in words */
	bool mark; /* another state, or overdue: to be told; the teller clears
		    * it */
	bool listed; /* announce.c's */
	/* The caller's: what it saw last, and since when that is so. */
	uint64_t look;
	int64_t look_ms;
	uint32_t number;
};

/* Storage is the caller's.  Begins as unknown. */
void track_init(struct track *, const struct track_conf *, uint64_t now_ms);
void track_fini(struct track *);
/* The same track with other numbers: its state stays. */
void track_set_conf(struct track *, const struct track_conf *);
/* What was kept of the process before; unconfirmed.  since_ms as above. */
void track_restore(struct track *, enum track_state, int64_t since_ms,
    uint32_t flaps, uint8_t against, uint64_t lease_left_ms, uint64_t now_ms);
/* One result.  True: the state is another one. */
bool track_result(struct track *, bool good, const char *why, uint64_t now_ms);
/* Deadlines that have passed.  True: the state is another one. */
bool track_run(struct track *, uint64_t now_ms);
/* The next deadline, or UINT64_MAX. */
uint64_t track_next(const struct track *);

#endif /* TRACK_H */
