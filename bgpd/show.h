/*
 * show.h -- the answers of the show commands: walks over the speaker's state,
 * in slices, written once for text and JSON (lib/out.h).  Layouts and JSON
 * names are those of OpenBGPD's bgpctl, extended.
 */
#ifndef SHOW_H
#define SHOW_H

#include "lib/cmd.h"
#include "lib/out.h"
#include "rib/adjin.h"

struct engine;
struct commit_load;
struct plan;
struct sets_find;
struct sets_work;
struct metrics;
struct support;

/* One answer under way; begins all zero but for the first block. */
struct show {
	struct engine *eng;
	const char *key; /* of the answer in another's object, or NULL */
	struct cmd_req req; /* its strings are the caller's */
	int file; /* descriptor that came along, -1: none */
	char who[32]; /* who asks: "uid 0" */
	struct out *out;

	char err[CMD_ERRLEN]; /* for the other end's standard error */
	enum cmd_exit code; /* when it is over */

	/* Where the walk stands. */
	bool begun, listing; /* listing: inside the answer's one array */
	bool gone; /* the neighbor asked for was freed meanwhile */
	uint16_t only; /* number of the neighbor asked for, 0: all */
	uint16_t reason; /* of a rejection, with req.reason */
	uint16_t peer; /* the last one that is done, 0: none */
	enum fam fam;
	struct pfx at;
	uint64_t rows;
	int name_columns; /* of a table with neighbors */
	struct adjin_walk *walk;
	uint16_t walk_peer;
	bool explain_all, explain_told; /* explain.c: where it stands */
	struct sets_find *find; /* where an entry of that neighbor's set is */
	uint16_t find_peer;
	uint32_t best[FAM_N], in_fib[FAM_N]; /* counted of the next peer */
	struct commit_load *load; /* of diff, check, reload */
	struct plan *plan; /* of diff, check, reload -n */
	struct sets_work *set_work; /* of set load, set diff */
	struct metrics *metrics;
	struct support *support;
	/* watch: what was read, what was told to be gone; more comes later. */
	uint64_t cursor, gone_told;
	bool waiting, routes_wanted;
	bool traces; /* trace: the peer `only` counts this one */
};

/*
 * Writes about `budget` rows.  True: more is to come, call again when out has
 * been drained.  False: done; err and code are set.
 */
bool show_run(struct show *, unsigned int budget);
/* Frees what the walk holds; also when the reader went away in its middle. */
void show_end(struct show *);
/* An action that is carried out in slices, too? */
bool show_slices(const struct cmd_req *);
/* Whether all is as it should be, and what is not: one line, safe to print. */
struct show_health {
	bool ok, ready; /* ready: sessions and routes; an alarm is not ok */
	unsigned int up, all; /* neighbors */
	char why[4096], alarm[512];
};
void show_health(const struct engine *, struct show_health *);
/* A peer is about to be freed: walks over it must let go. */
void show_forget_peer(struct show *, uint16_t peer);

#endif /* SHOW_H */
