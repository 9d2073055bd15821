/*
 * conf.h -- the configuration as a value: text in, struct conf or diagnostics
 * out.  No global state, no policy of its own about files: whatever is read is
 * read through the caller's struct conf_reader.  Language: ana-bgpd.conf(5).
 *
 * A struct conf is complete: defines, includes and templates are expanded,
 * defaults filled in, names resolved to pointers into the same struct conf.
 * It is never changed after conf_load(); a reload makes a second one,
 * conf_diff() compares the two, and the old one is freed when nobody points
 * into it any more.
 */
#ifndef CONF_H
#define CONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "bgpd/announce/announce.h"
#include "lib/addr.h"
#include "lib/names.h"
#include "lib/pfx.h"
#include "policy/reason.h"
#include "policy/rules.h"

struct conf_tree; /* bgpd/conf_tree.h */
struct asnset; /* policy/asnset.h */
struct asregex; /* policy/asregex.h */
struct pfxset; /* policy/pfxset.h */

/* Where a thing was written; file is NULL for a built-in default. */
struct conf_pos {
	const char *file; /* as the operator would name it; lives as long as
			   * the struct conf or the struct diag_list */
	unsigned int line, col, len; /* col and len in octets, from 1 */
};

/* ---- diagnostics ------------------------------------------ conf_diag.c */

enum diag_severity {
	DIAG_ERROR,
	DIAG_WARNING
};

struct diag {
	struct conf_pos pos;
	enum diag_severity severity;
	const char *code; /* stable, static: "unknown-option" */
	char *message; /* one sentence without the final dot */
	char *hint; /* or NULL */
	char *source; /* the source line, or NULL */
};

/* In the order of file (as read), line, column once conf_load() is done. */
struct diag_list {
	struct diag *d;
	size_t n, cap;
	size_t nerror, nwarning;
	char **file; /* names and texts kept for pos.file */
	size_t nfile;
};

void diag_list_init(struct diag_list *);
void diag_list_fini(struct diag_list *);
/*
 * The text form of every problem and a last line "4 problems (3 errors, 1
 * warning); TAIL" ("" when there is none at all); the caller frees it.
 * tail may be NULL.
 */
char *diag_list_text(const struct diag_list *, const char *tail);
/* [{file,line,col,len,severity,code,message,hint}], "[]" for none. */
char *diag_list_json(const struct diag_list *);

/* ---- reading files ---------------------------------------- conf_file.c */

/* What a reader hands over; data is allocated, NUL after len octets. */
struct conf_file {
	char *data;
	size_t len;
	uid_t uid;
	gid_t gid;
	mode_t mode;
	int64_t mtime; /* seconds of real time */
};

/* Every path is absolute or below dir; the parser itself opens nothing. */
struct conf_reader {
	/* 0, or negative errno; -ENOENT, -EACCES, -EFBIG have sentences. */
	int (*read)(void *arg, const char *path, struct conf_file *);
	/* Paths that match, sorted, allocated each and as a list; 0 or
	 * negative errno.  None is not an error. */
	int (*glob)(void *arg, const char *pattern, char ***paths, size_t *n);
	void *arg;
	/* Configuration directory: relative names are below it, and what is
	 * not is refused.  NULL: that of conf_load()'s path. */
	const char *dir;
	/* Where files may be written or sockets made; NULL: not checked. */
	const char *state_dir, *run_dir, *log_dir;
	/* Who the speaker is, for the modes of secret files. */
	uid_t uid;
	gid_t gid;
	/* In force now, or NULL: sets whose lists are the same are shared. */
	const struct conf *running;
	/* Real time, for the age of sets; 0: not judged. */
	int64_t now_s;
	/* Only a check (-n), perhaps by another user than the speaker. */
	bool check;
	/* Started with -F memory. */
	bool fib_memory;
};

/*
 * Fills read, glob and arg with functions on the file system; dir, state_dir
 * ... and uid are the caller's to set before conf_load().  Nothing to free.
 */
void conf_reader_files(struct conf_reader *);

/*
 * A reader that finds the one file at that path and asks the base for all
 * others.  All is borrowed for as long as the reader is used.
 */
struct conf_overlay {
	const struct conf_reader *base;
	const char *path;
	const struct conf_file *file;
};
void conf_reader_overlay(struct conf_reader *, const struct conf_overlay *);
/* A regular file by its descriptor, from its beginning; not closed. */
int conf_file_fd(int fd, struct conf_file *);

/* ---- digests -------------------------------------------- conf_digest.c */

enum {
	CONF_DIGEST_LEN = 65 /* SHA-256 in hex digits, and NUL */
};
void conf_digest(const void *, size_t, char[CONF_DIGEST_LEN]);
/* The same in pieces; the end frees it. */
struct conf_digest;
struct conf_digest *conf_digest_begin(void);
void conf_digest_add(struct conf_digest *, const void *, size_t);
void conf_digest_end(struct conf_digest *, char[CONF_DIGEST_LEN]);

/* ---- the value ------------------------------------------- conf_check.c */

enum conf_limit_action {
	CONF_LIMIT_WARN,
	CONF_LIMIT_DISCARD,
	CONF_LIMIT_FREEZE,
	CONF_LIMIT_STOP,
	CONF_LIMIT_RESTART
};
const char *conf_limit_action_name(enum conf_limit_action);

/* Which routes a limit counts. */
enum conf_counter {
	CONF_RECEIVED,
	CONF_ACCEPTED,
	CONF_ANNOUNCED,
	CONF_COUNTER_N
};

struct conf_limit {
	uint32_t max; /* 0: no limit */
	uint8_t warn_pct;
	uint8_t action; /* enum conf_limit_action */
	uint32_t time_s; /* of freeze and restart; freeze: 0 = for ever */
};

/* A key that can be compared and handed to the kernel, and nothing else. */
struct conf_secret {
	uint8_t len; /* 0: none (or not readable by this user in a check) */
	uint8_t key[80];
};

enum {
	CONF_AO_MAX = 8
};

/* A TCP-AO key (RFC 5925 3.1), by the ids that segments carry both ways. */
struct conf_ao_key {
	uint8_t send_id, recv_id;
	bool cmac; /* AES-128-CMAC-96, else HMAC-SHA-1-96 (RFC 5926) */
	struct conf_secret key;
};

/* Graceful restart (RFC 4724, RFC 8538). */
struct conf_gr {
	bool on, notification;
	uint16_t restart_s; /* how long the peer is asked to wait for us */
	uint32_t stale_s; /* how long we keep a peer's routes at most */
};

struct conf_listen {
	struct addr addr;
	uint16_t port; /* 0: what -p says */
	struct conf_pos pos;
};

struct conf_socket {
	char *path;
	mode_t mode;
	char *group; /* or NULL */
	bool read_only;
	uint32_t max_clients;
	struct conf_pos pos;
};

enum conf_log_to {
	CONF_LOG_JOURNAL,
	CONF_LOG_SYSLOG,
	CONF_LOG_STDERR,
	CONF_LOG_FILE
};
enum conf_log_level {
	CONF_LOG_ERROR,
	CONF_LOG_WARNING,
	CONF_LOG_INFO,
	CONF_LOG_DEBUG
};

struct conf_log {
	enum conf_log_to to;
	bool to_set; /* written; when not, the daemon chooses */
	char *file;
	bool json;
	enum conf_log_level level;
	bool session_events;
	uint32_t rejected_sample; /* one of so many; 0: none */
	uint32_t rejected_max_per_min; /* 0: no ceiling */
};

/* A share that a set may shrink or grow by, and what is never too much. */
struct conf_set_limit {
	uint32_t pct, min;
};

/* One list that went into a set. */
struct conf_set_src {
	char digest[CONF_DIGEST_LEN];
	size_t entries;
	int64_t mtime;
};

/* A prefix-set block. */
struct conf_set {
	char *name;
	char *as_set; /* of irr as-set: what its lists are of; or NULL */
	struct conf_pos pos;
	const struct conf_node *block; /* that it was made from: its conf's */
	/* All its prefixes, with those of its files; owned.  Empty when a file
	 * could not be used: such a set imports nothing (a warning told).  Its
	 * address stays when it is loaded anew: rules point to it. */
	struct pfxset *set;
	char **file;
	size_t nfile;
	uint32_t max_age_s; /* 0: none */
	size_t entries;
	int64_t oldest; /* the oldest file's mtime, 0 without files */
	struct conf_set_src *src; /* as many as files */
	struct conf_set_limit shrink, growth;
	bool may_be_empty;
	bool usable; /* all its lists could be read */
	char *loaded; /* loaded by hand from there, or NULL */
	int64_t loaded_s; /* when */
	char own[CONF_DIGEST_LEN]; /* over the files of the configuration */
	char *refused; /* why newer content, or any, is not in force; NULL */
	bool old_told; /* that it is older than its max-age */
};

struct conf_asset {
	char *name;
	struct conf_pos pos;
	struct asnset *set; /* owned */
};

struct conf_commset {
	char *name;
	struct conf_pos pos;
	struct rule_comm *c;
	size_t n;
};

struct conf_pathset {
	char *name;
	struct conf_pos pos;
	struct asregex **re;
	size_t n;
};

struct conf_commtable {
	char *name;
	struct conf_pos pos;
	struct rule_table *table; /* owned */
};

struct conf_policy {
	char *name;
	struct conf_pos pos;
	struct policy *rules; /* owned */
};

enum conf_track_kind {
	CONF_TRACK_FILE,
	CONF_TRACK_ADDRESS,
	CONF_TRACK_LINK,
	CONF_TRACK_LEASE,
	CONF_TRACK_TCP, /* from here on ana-trackd looks */
	CONF_TRACK_HTTP,
	CONF_TRACK_EXEC
};

enum {
	CONF_TRACKS_MAX = 1024,
	CONF_TRACK_TEXT = 127, /* octets of a path */
};

/* What an announcement may hang on. */
struct conf_track {
	char *name; /* the block's, or a network's own as it is written */
	struct conf_pos pos;
	enum conf_track_kind kind;
	char *path; /* file; of http; name of the program */
	char *ifname; /* of address (NULL: any) and link */
	char *host; /* of http, or NULL */
	struct addr addr, source; /* source: FAM_NONE: any */
	uint16_t port;
	uint16_t status; /* of http, 0: any from 200 to 299 */
	uint32_t max_age_s; /* of a file, 0: it need only be there */
	uint32_t interval_s, timeout_s, keep_s, lease_s;
	uint8_t rise, fall;
};

/* network P: what we announce. */
struct conf_network {
	struct announce_net_conf announce; /* its list of tracks is owned */
	struct pfx pfx;
	struct conf_pos pos;
	bool med_set;
	uint32_t med;
	bool no_export; /* NO_EXPORT is added; the default */
	struct rule_comm *comm; /* plain and large */
	size_t ncomm;
};

/* What a drain is, and a maintenance, unless a command says otherwise. */
struct conf_drain {
	uint8_t prepend;
	bool med_set;
	uint32_t med;
	uint32_t time_s; /* 0: stays drained, is never withdrawn */
};

struct conf_maintenance {
	uint32_t drain_s, wait_s;
	uint32_t below_bps;
	char *text; /* for the neighbors, or NULL: global's shutdown-reason */
	char **interface; /* further ones whose traffic counts */
	size_t ninterface;
};

struct conf_fib {
	uint32_t table;
	uint8_t protocol;
	uint32_t metric;
	struct addr prefer_source[FAM_N]; /* fam FAM_NONE: none */
	uint32_t max_routes;
	bool recursive; /* nexthop recursive */
	bool by_speed; /* multipath-weight link-speed */
	bool keep; /* on-stop keep, else remove */
	uint32_t keep_s;
	uint32_t reconcile_s;
};

enum {
	CONF_NEIGHBORS_MAX = 4096
};

struct conf_neighbor {
	struct addr addr; /* the key */
	struct conf_pos pos;
	char *name; /* description, else the address */
	char *description; /* or NULL */
	char *group; /* or NULL */
	char *template; /* or NULL */
	uint32_t remote_as;
	bool internal; /* remote_as is our own */
	struct addr local_addr; /* fam FAM_NONE: the kernel chooses */
	/* In the family that is not the session's: the next hop that the peer
	 * must use, and ours; fam FAM_NONE: none. */
	struct addr next_hop_peer, next_hop_self;
	bool fam[FAM_N];
	bool passive, enabled;
	uint16_t hold_s, hold_min_s;
	uint32_t connect_retry_s;
	uint8_t multihop; /* TTL; 0: directly connected */
	uint32_t delay_open_s; /* 0: the OPEN goes at once */
	struct conf_gr gr;
	bool honour_gshut; /* RFC 8326 */
	bool ext_msg, ext_nexthop; /* offered: RFC 8654, RFC 8950 */
	uint8_t ttl_security; /* RFC 5082, hops; 0: off */
	char *no_ttl_security; /* the reason given, or NULL */
	char *md5_file; /* or NULL */
	struct conf_secret md5;
	struct conf_ao_key ao[CONF_AO_MAX]; /* the first is to be used */
	uint8_t nao; /* 0: no TCP-AO */
	uint8_t role; /* enum wire_role; ROLE_NONE: none */
	bool role_strict;
	uint16_t weight;
	uint32_t require; /* 1 << enum neg_req (fsm/negotiate.h) */
	/* NULL: none, and nothing passes (RFC 8212). */
	const struct conf_policy *import, *export;
	const struct conf_set *irr; /* NULL: none */
	const struct conf_set **allow; /* holes in the bogon guard */
	size_t nallow;
	/* [counter][family]; family FAM_NONE: the sum over the session. */
	struct conf_limit limit[CONF_COUNTER_N][FAM_N];
	uint32_t guard_off; /* GUARD_BIT() of enum guard (policy/reason.h) */
	char *guard_off_why[GUARD_N]; /* the reason given, or NULL */
	bool fib; /* may its routes go to the kernel */
};

struct conf {
	struct conf_tree *tree; /* what it was made from, expanded */
	char *path;

	/* global */
	uint32_t as;
	uint32_t router_id; /* host order */
	char *hostname; /* or NULL */
	struct conf_listen *listen;
	size_t nlisten;
	uint16_t hold_s, hold_min_s;
	uint32_t connect_retry_s;
	bool lab_mode; /* documentation numbers are accepted */
	char *shutdown_reason; /* or NULL */
	uint32_t multipath; /* 1: off */
	struct conf_gr gr; /* default of the neighbors */

	struct conf_log log;
	struct conf_socket *sock;
	size_t nsock; /* 0: the built-in two of ana-bgpd(8) */
	struct conf_fib fib;
	struct conf_drain drain;
	struct conf_maintenance maint;

	/* peering-policy; the limits are already in each neighbor */
	uint8_t max_length[FAM_N];
	uint16_t as_path_max;
	const struct conf_asset *transit_free; /* peer-lock, or NULL */

	struct conf_set *set;
	size_t nset;
	struct names set_name; /* in the same order */
	/* The set named "azion" or, without one, the networks: what is ours
	 * (guard own-prefixes, the export guard).  Never NULL. */
	const struct pfxset *own;
	struct pfxset *own_made; /* own, when it is no prefix-set */
	struct conf_asset *asset;
	size_t nasset;
	struct names asset_name; /* in the same order */
	struct conf_commset *commset;
	size_t ncommset;
	struct names commset_name; /* in the same order */
	struct conf_pathset *pathset;
	size_t npathset;
	struct names pathset_name; /* in the same order */
	struct conf_commtable *commtable;
	size_t ncommtable;
	struct names commtable_name; /* in the same order */
	struct asregex **regex; /* of rules that write one themselves */
	size_t nregex;
	struct conf_policy *policy;
	size_t npolicy;
	struct names policy_name; /* in the same order */
	size_t nrule; /* of all policies: struct rule's hit is below it */
	struct conf_track *track;
	size_t ntrack;
	uint32_t min_healthy; /* announcements { } */
	uint8_t min_healthy_pct;
	struct conf_network *network;
	size_t nnetwork;
	struct trie *network_at[FAM_N]; /* their numbers + 1; NULL: none */
	struct conf_neighbor *neighbor;
	uint32_t *by_addr; /* their places, in the order of the addresses */
	size_t nneighbor;
};

/*
 * Reads and checks path with all it includes.  NULL when there was an error;
 * warnings alone give a struct conf.  Problems are added to the list, all of
 * them in one run.  conf_free() frees it (keys are wiped).
 */
struct conf *conf_load(
    const struct conf_reader *, const char *path, struct diag_list *);
void conf_free(struct conf *);
/*
 * The same in slices: the text of the configuration is read and checked at
 * once, the lists of its prefix sets in slices of about so many entries
 * (conf_load_run() is true while more is left).  The reader's arg, its running
 * configuration and the list of problems must stay until conf_load_end(),
 * which gives what conf_load() would; before the end of the slices it gives
 * up, and gives NULL.
 */
struct conf_loading;
struct conf_loading *conf_load_begin(
    const struct conf_reader *, const char *path, struct diag_list *);
bool conf_load_run(struct conf_loading *, size_t entries);
struct conf *conf_load_end(struct conf_loading *);

const struct conf_neighbor *conf_neighbor_find(
    const struct conf *, const struct addr *);
const struct conf_set *conf_set_find(const struct conf *, const char *name);
/* NULL: not configured. */
const struct conf_network *conf_network_find(
    const struct conf *, const struct pfx *);
/* Is it ana-trackd that looks? */
bool conf_track_probes(const struct conf_track *);
const struct conf_policy *conf_policy_find(
    const struct conf *, const char *name);

/* ---- printing --------------------------------------------- conf_print.c */

enum {
	CONF_PRINT_ORIGIN = 1 << 0, /* "# file:line" behind each line */
	CONF_PRINT_DEFAULTS = 1 << 1, /* what was not written, too */
};
/*
 * The configuration in one form, expanded; it parses back to the same struct
 * conf and prints the same again.  Never a secret.  The caller frees it.
 */
char *conf_print(const struct conf *, unsigned int flags);

/* ---- old against new --------------------------------------- conf_diff.c */

enum conf_diff_what {
	CONF_SAME,
	CONF_ADDED,
	CONF_REMOVED,
	CONF_LIVE,
	CONF_RESET
};

struct conf_diff_neighbor {
	struct addr addr;
	enum conf_diff_what what; /* RESET: the session must bounce */
	bool policy; /* import must run again over the Adj-RIB-In */
	bool export; /* what we announce must be made again */
	bool key; /* another TCP MD5 key: goes onto the connection */
};

struct conf_diff {
	struct conf_diff_neighbor *neighbor; /* those that are not the same */
	size_t nneighbor;
	/* What cannot be changed while running (sockets, log directories ...)
	 * is a sentence of its own with "needs a restart". */
	bool global; /* global: as, router-id, listen ...: sessions bounce */
	bool policies; /* sets, policies, peering-policy */
	bool networks;
	bool fib, log, control;
	char **line; /* sentences, one a change */
	size_t nline;
};

/* Fills *d; conf_diff_fini() frees what is in it. */
void conf_diff(
    const struct conf *old, const struct conf *new, struct conf_diff *d);
void conf_diff_fini(struct conf_diff *);

#endif /* CONF_H */
