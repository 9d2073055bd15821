/*
 * cmd.h -- the control commands: one table that drives the parser (in
 * ana-bgpctl and again in the daemon), the help text and the manual's list.
 * Words may be shortened as long as they stay unambiguous.
 */
#ifndef CMD_H
#define CMD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/pfx.h"

enum cmd_id {
	CMD_SHOW_SUMMARY,
	CMD_SHOW_NEIGHBOR,
	CMD_SHOW_RIB,
	CMD_SHOW_REJECTED,
	CMD_SHOW_FIB,
	CMD_SHOW_NEXTHOP,
	CMD_SHOW_INTERFACES,
	CMD_SHOW_VERSION,
	CMD_SHOW_ERRORS,
	CMD_SHOW_LOOP,
	CMD_SHOW_MEMORY,
	CMD_SHOW_CONFIG,
	CMD_SHOW_SETS,
	CMD_SHOW_POLICY,
	CMD_SHOW_ANNOUNCEMENTS,
	CMD_EXPLAIN,
	CMD_TEST_ROUTE,
	CMD_SHOW_METRICS,
	CMD_SHOW_HISTORY,
	CMD_SHOW_SUPPORT,
	CMD_WATCH,
	CMD_TRACE,
	CMD_COMPLETION,
	CMD_TOP,
	CMD_NEIGHBOR_CLEAR,
	CMD_NEIGHBOR_DOWN,
	CMD_NEIGHBOR_UP,
	CMD_NEIGHBOR_REFRESH,
	CMD_NEIGHBOR_CLEAR_LIMIT,
	CMD_NETWORK_ANNOUNCE,
	CMD_NETWORK_WITHDRAW,
	CMD_TRACK_UP,
	CMD_TRACK_REFRESH,
	CMD_TRACK_DOWN,
	CMD_DRAIN_PREFIX,
	CMD_DRAIN_NEIGHBOR,
	CMD_DRAIN_ALL,
	CMD_UNDRAIN_PREFIX,
	CMD_UNDRAIN_NEIGHBOR,
	CMD_UNDRAIN_ALL,
	CMD_SHOW_DRAIN,
	CMD_MAINTENANCE_START,
	CMD_MAINTENANCE_STOP,
	CMD_MAINTENANCE_SHOW,
	CMD_FIB_COUPLE,
	CMD_FIB_DECOUPLE,
	CMD_RELOAD,
	CMD_RELOAD_CONFIRM,
	CMD_RELOAD_UNDO,
	CMD_DIFF,
	CMD_CHECK_FILE,
	CMD_SET_LOAD,
	CMD_SET_DIFF,
	CMD_CHECK_HEALTH,
	CMD_LOG_LEVEL,
	CMD_SHUTDOWN,
	CMD_HELP,
	CMD_N,
};

enum cmd_level {
	CMD_LEVEL_ERROR,
	CMD_LEVEL_WARNING,
	CMD_LEVEL_INFO,
	CMD_LEVEL_DEBUG,
};

/* The strings are the caller's words. */
struct cmd_req {
	enum cmd_id id;
	bool json, numeric; /* -j, -n */
	bool in, out, best, detail, terse, canonical, defaults;
	bool dry_run; /* reload -n */
	bool hard; /* neighbor X clear */
	bool drift, conflicts, keep, remove;
	bool prometheus; /* show metrics */
	bool peers, routes, fib, limits, config, announcements; /* watch */
	bool persistent; /* network announce, withdraw */
	bool bash, zsh; /* completion */
	const char *cursor; /* watch from */
	bool batch; /* top */
	uint32_t count; /* its frames; 0: not given */
	bool has_prefix;
	bool is_addr; /* a bare address: what covers it is asked for */
	struct pfx prefix; /* of an address: its /32 or /128 */
	const char *neighbor; /* NULL: not given; address or description */
	const char *reason; /* of a rejection */
	const char *file; /* that the client writes */
	const char *text; /* for the peer: UTF-8, at most 255 octets */
	enum cmd_level level;
	/* A file of the caller's: ana-bgpctl opens it and passes the
	 * descriptor along; the daemon never opens it by this name. */
	const char *input;
	const char *set; /* name of a prefix-set, of a policy, of a track */
	const char *as_path, *community; /* of a made-up route; lists */
	uint32_t time_s; /* of reload confirm, of a drain; 0: not given */
	/* maintenance start until: seconds from now, or of real time. */
	bool has_until, until_from_now;
	int64_t until_s;
	bool if_sessions, if_accepted; /* what the confirmation hangs on */
	uint8_t within; /* per cent, of if_accepted */
};

enum cmd_flag {
	CMD_ADMIN = 1, /* not on the restricted socket */
	CMD_IN_FULL = 2, /* its first word is never shortened */
	CMD_AT_CLIENT = 4 /* answered without the daemon */
};

struct cmd_arg;

struct cmd {
	enum cmd_id id;
	unsigned int flags; /* enum cmd_flag */
	const char *path; /* in order; words in capitals are placeholders */
	const struct cmd_arg *arg; /* optional, in any order */
	const char *help;
};

/* The exit codes of interfaces.md 3.4. */
enum cmd_exit {
	CMD_DONE = 0,
	CMD_REFUSED = 1,
	CMD_USAGE = 2,
	CMD_UNREACHABLE = 3,
	CMD_NOT_FOUND = 4,
	CMD_DEGRADED = 5,
};

/* Long enough for each message of cmd_parse(). */
enum {
	CMD_ERRLEN = 1024,
	CMD_SYNTAXLEN = 128,
	CMD_TEXT_MAX = 255
};

/*
 * Parses `-j`, `-n` and a command.  CMD_DONE, or CMD_USAGE with a sentence
 * (no newline at its end) in err[CMD_ERRLEN].
 */
enum cmd_exit cmd_parse(
    size_t n, const char *const *word, struct cmd_req *, char *err);
/* The i-th entry of the table, NULL after the last. */
const struct cmd *cmd_at(size_t i);
const struct cmd *cmd_find(enum cmd_id);
/*
 * The i-th word of a command: those of its path, then its arguments; false
 * after the last.  For completion.
 */
struct cmd_word {
	const char *word; /* len octets of it; a placeholder when bare */
	size_t len;
	const char *value; /* what it is, or what comes after it, or NULL */
	bool optional;
};
bool cmd_word_at(const struct cmd *, size_t i, struct cmd_word *);
/* "neighbor NEIGHBOR refresh [in|out]" */
const char *cmd_syntax(const struct cmd *, char *buf, size_t);

#endif /* CMD_H */
