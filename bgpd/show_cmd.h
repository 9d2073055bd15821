/*
 * show_cmd.h -- what the files show*.c share: one entry a command, and the
 * small things that every answer says in the same way.
 */
#ifndef SHOW_CMD_H
#define SHOW_CMD_H

#include "bgpd/show.h"

struct engine;
struct peer;
struct rib_path;
struct rule;

/* How many rows one neighbor's block is worth in a slice's budget. */
enum {
	SHOW_BLOCK = 16
};

/*
 * One command.  head() comes once, after the list's array was opened: what
 * stands above the rows, and whether there will be any (false: over, with
 * err and code set where that is a fault).  rows() writes about `budget` of
 * them; true: more are to come.
 */
struct show_cmd {
	const char *list; /* the array's key, NULL: none */
	bool (*head)(struct show *);
	bool (*rows)(struct show *, unsigned int budget);
};

extern const struct show_cmd show_cmd_summary,
    show_cmd_neighbor; /* show_neighbor.c */
extern const struct show_cmd show_cmd_errors; /* show_errors.c */
extern const struct show_cmd show_cmd_metrics; /* show_metrics.c */
extern const struct show_cmd show_cmd_watch, show_cmd_trace, show_cmd_history,
    show_cmd_support; /* show_events.c */
extern const struct show_cmd show_cmd_top; /* show_top.c */
extern const struct show_cmd show_cmd_rib, show_cmd_rejected; /* show_rib.c */
extern const struct show_cmd show_cmd_explain,
    show_cmd_test_route; /* explain.c */
extern const struct show_cmd show_cmd_announcements; /* show_announce.c */
extern const struct show_cmd show_cmd_drain,
    show_cmd_maintenance; /* show_drain.c */
extern const struct show_cmd show_cmd_policy; /* show_policy.c */
extern const struct show_cmd show_cmd_fib, show_cmd_nexthop,
    show_cmd_interfaces; /* show_fib.c */

extern const struct show_cmd show_cmd_plan; /* show_plan.c */
extern const struct show_cmd show_cmd_sets, show_cmd_set_load,
    show_cmd_set_diff; /* sets.c */

/* explain.c: why the neighbor is not told of the route; NULL: it is.  *by is
 * the rule that decided, or NULL. */
const char *show_not_told(struct show *, const struct peer *,
    const struct pfx *, const struct rib_path *best, const struct rule **by);

/* ---- show.c ---- */

/* The sentence and the exit code; returns false, for head(). */
bool show_fail(struct show *, enum cmd_exit, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* The neighbor that was asked for, by its address or a description that no
 * other one has; NULL: the sentence and the exit code are set. */
struct peer *show_peer(struct show *);
/* The same, if one was asked for: s->only. */
bool show_only(struct show *);
/* The configured peer with the lowest number above `after`, or NULL. */
struct peer *show_next_peer(const struct engine *, unsigned int after);
/* Description, or with -n and without one the address; safe to print. */
const char *show_name(const struct show *, const struct peer *, char *, size_t);
/* A table's column of such names, in text: its title, as wide as the longest
 * one wants (20 to 64), and a name below. */
void show_name_head(struct show *, const char *title);
void show_name_put(struct show *, const char *name);
/* The object that ends each JSON answer. */
void show_ana(struct show *);
/* Seconds since a time of the real clock; -1 (never) for 0. */
int64_t show_since(int64_t when_s);
/* The same as text, "00:01:31". */
const char *show_ago(int64_t when_s, char *buf, size_t);
/* "2026-11-22T09:06:00Z" */
const char *show_time(int64_t when_s, char *buf, size_t);
/* Octets as hex digits, at most cap of them fit; returns buf. */
const char *show_hex(const uint8_t *, size_t len, char *buf, size_t cap);
/* The configured name of this machine, or the system's. */
const char *show_host(const struct engine *, char *buf, size_t);
/* Octets of this process in memory, all and resident; false: not known. */
bool show_pages(const struct engine *, uint64_t *virtual, uint64_t *resident);
/* Lines of text above a table of neighbors: alarms, the maintenance. */
void show_alarms(struct show *);
/* The last n events, the oldest first. */
void show_last_events(struct show *, unsigned int n);
/* "maintenance: stopped since ..., begun by uid 0"; "" when there is none. */
void show_maintenance_line(const struct engine *, char *buf, size_t);
/* "ge-0", or "#7" for an interface that is not known. */
const char *show_ifname(const struct engine *, uint32_t, char *buf, size_t);
/*
 * Walks over what the peer sent, for the numbers that nobody keeps: s->best,
 * s->in_fib.  True: more is to come, *budget is used up.
 */
bool show_count_routes(struct show *, struct peer *, unsigned int *budget);
/* Frees what `show metrics` keeps between slices. */
void show_metrics_free(struct metrics *);
/* Likewise of `show support`, which asks other commands in turn. */
void show_support_free(struct support *);
void show_support_forget_peer(struct support *, uint16_t peer);
void show_walk_begin(struct show *, struct peer *, enum fam);
void show_walk_end(struct show *);

#endif /* SHOW_CMD_H */
