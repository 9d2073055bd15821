/*
 * engine.h -- the speaker: owns the peers, the RIB, the export groups, the
 * way to the kernel and the listeners, and gives each its slice of a turn.
 *
 * One turn of the loop: what the descriptors brought (reads, accepts, the FIB's
 * answers), timers, next hops, decisions, the FIB, what is told to peers,
 * control.  Every stage has a budget, so a keepalive never waits for more than
 * one budget of each.
 */
#ifndef ENGINE_H
#define ENGINE_H

#include <sys/queue.h>

#include "bgpd/conf.h"
#include "bgpd/drain.h"
#include "bgpd/ev.h"
#include "bgpd/events.h"
#include "bgpd/fibsync.h"
#include "bgpd/peer.h"
#include "lib/arena.h"
#include "lib/hist.h"
#include "lib/timer.h"
#include "platform/sock.h"
#include "rib/locrib.h"

struct auth;
struct control;
struct commit;
struct trackd_client;

enum {
	ENGINE_LINGER_MAX = 256,
	ENGINE_LISTEN_MAX = FIB_LISTEN_MAX,
	ENGINE_LINKS_MAX = 256,
	ENGINE_ADDRS_MAX = 1024,
	ENGINE_SELECT_S = 120, /* until the first sweep; see restart.c */
};

/* How the program was started. */
struct engine_opts {
	const char *conf_path, *run_dir, *state_dir, *log_dir;
	uint16_t port;
	enum log_to log_to; /* when the configuration is silent */
	bool memory; /* -F memory: no ana-fibd, no kernel */
	const char *fibd_path; /* its socket */
	const char *trackd_path; /* ana-trackd's; NULL: none is asked */
	int fibd_fd; /* or a descriptor to it; -1: none */
	uint64_t netns;
	char boot[40]; /* clock_boot() */
};

/* Peers with the same export result share what was told (rib/adjout.h). */
struct export_group {
	TAILQ_ENTRY(export_group) entry;
	struct engine *eng;
	struct export_facts facts; /* of all members, but `neighbor` */
	struct adjout_opts opts;
	struct adjout_group *out;
	unsigned int members;
	bool own_only; /* never anything learned: not marked for it */
	bool more; /* has work that could be done at once */
};
TAILQ_HEAD(export_group_list, export_group);

struct listener {
	struct addr addr;
	uint16_t port;
	int fd; /* -1: not there (yet) */
	struct ev_io *io;
	struct engine *eng;
	char why[160]; /* why it does not listen; "" when it does */
};

/* An interface, an address of this machine: as ana-fibd told. */
struct engine_link {
	struct fib_link l;
	struct fib_traffic t; /* at_ms 0: not counted yet */
	bool rated; /* counted twice: bits a second in between */
	uint64_t rx_bps, tx_bps;
};

struct engine_addr {
	uint32_t ifindex;
	struct addr addr;
	uint8_t len;
};

enum engine_stage {
	STAGE_IO,
	STAGE_TIMERS,
	STAGE_RIB,
	STAGE_FIB,
	STAGE_OUT,
	STAGE_CONTROL,
	STAGE_N
};

struct engine_loop {
	uint64_t turns;
	uint64_t us[STAGE_N]; /* all together */
	uint64_t max_us[STAGE_N]; /* the longest one */
	uint64_t max_turn_us;
	uint64_t load_slices; /* that configurations and sets were read in */
	bool more; /* the last one left work that needs no waiting for */
	struct hist turn; /* how long others may have waited */
};

/* What the engine takes from outside; simulations bring their own. */
struct engine_world {
	uint64_t (*clock_us)(void); /* monotonic */
	int64_t (*real_s)(void); /* of the real clock; NULL: clock_real_s() */
	int (*bind)(const struct addr *, uint16_t port); /* sock_bind() */
	/* A descriptor that is connecting, or a negative errno. */
	int (*dial)(struct engine *, struct peer *);
	/* -F memory: this machine's subnets, fib_mem_connected() for each. */
	void (*connected)(struct engine *);
	/* Options of an accepted connection, the TTL of its SYN or 0; 0 or a
	 * negative errno.  Both its ends, likewise. */
	int (*accepted)(int fd, const struct sock_opts *, uint8_t *syn_ttl);
	int (*local)(int fd, struct addr *, uint16_t *port);
	int (*remote)(int fd, struct addr *, uint16_t *port);
};

struct engine {
	struct engine_opts opts;
	struct conf *conf;
	struct ev *ev;
	struct timerq timers;
	uint64_t now_ms, start_ms, woke_us;
	int64_t start_s; /* real time */
	struct arena arena; /* for one UPDATE */
	struct arena arena_out; /* for one exported route */

	struct nexthops *nexthops;
	struct attrs_pool *attrs;
	struct rib *rib;
	struct peer_list peers;
	struct peer *by_num[RIB_PEER_MAX + 1];
	struct export_group_list groups, dying; /* dying: freed in slices */
	struct peer_list leaving; /* removed; their routes go in slices */

	struct fib *fib; /* NULL: not there now */
	struct ev_io *fib_io;
	struct fibsync *fibsync;
	uint64_t fib_ready_ms;
	bool fib_ready, fib_lost; /* lost: to be closed, out of its callback */
	bool ended[FAM_N], flushed[FAM_N];
	bool decoupled; /* by an operator: nothing is asked of the FIB */
	int64_t fib_said_s; /* lines about single routes are bounded: of */
	unsigned int fib_said; /* this second, so many */
	/* The first HELLO was answered; what it adopted.  restarting: routes
	 * are not selected yet, and OPENs have the Restart State bit. */
	bool fib_known, fib_kept[FAM_N], restarting;
	bool select_over; /* the deadline has passed */
	bool rib_more; /* destinations wait to be decided */
	bool behind; /* so, or what is decided waits to be told */
	struct fib_ready fib_info;
	struct fib_usage fib_usage; /* start_s 0: not known */
	struct timer fib_retry, set_retry, select_deadline;
	struct timer state_retry; /* holds and drains are not on the disk */
	char fib_why[256]; /* why there is none; "" when all is well */

	struct listener listener[ENGINE_LISTEN_MAX];
	size_t nlistener;
	struct engine_link link[ENGINE_LINKS_MAX];
	size_t nlink;
	struct engine_addr addr[ENGINE_ADDRS_MAX];
	size_t naddr;

	struct announce *announce;
	struct trackd_client *trackd;
	struct timer announce_timer, look_timer, save_timer;
	bool settling; /* nobody is told anything before tracks are known */
	bool look; /* at addresses and links */
	bool kept_said; /* that min-healthy keeps something */

	struct drain drain; /* of all neighbors */
	struct maintenance maint;
	struct control *control;
	struct auth *auth; /* NULL in simulations */
	LIST_HEAD(, farewell) farewells; /* session.c's */
	LIST_HEAD(, session) unsent; /* with new octets to send */
	struct commit *commit; /* NULL in simulations that do not want it */
	struct conf *leaving_conf; /* that of `leaving`; NULL: nobody's */
	struct sets_keep *sets;
	struct events *events;
	int statm_fd; /* /proc/self/statm, -1: none */
	unsigned int nlinger;
	uint32_t rejects_seen, rejects_logged; /* log { rejected-routes } */
	uint64_t rejects_minute; /* that rejects_logged is of */
	uint64_t strangers; /* connections from unknown addresses */
	uint64_t stranger_said_ms; /* when one was logged; 0: never */
	uint64_t *rule_hits; /* conf->nrule: by struct rule's hit */
	struct engine_loop loop;
	struct hist updates; /* of one UPDATE: parse, policy, Adj-RIB-In */
	struct hist
	    installs; /* of one route at a time: until the FIB's answer */
	uint64_t timed_us; /* when that one was asked, 0: none is */
	bool converging; /* a peer's converged_ms waits for decisions, FIB */
	uint32_t generation; /* of the configuration, from 1 */
	char conf_hash[CONF_DIGEST_LEN]; /* of that generation, or... */
	uint32_t conf_hash_of; /* ...of this one: made when asked for */
	uint32_t sets_loaded; /* by hand, since the start */
	unsigned int reloads; /* under way */
	int64_t reload_s; /* real time of the last reload, 0: none */
	bool reload_ok;
	bool listened; /* one listener works: later failures end nothing */
	char fatal[256]; /* why the program must end; "" */
	bool stop, stop_flush; /* stop_flush: take the kernel routes along */
	char stop_text[256];

	struct engine_world world;
};

/* Takes the configuration over.  world NULL: the real one. */
struct engine *engine_new(const struct engine_opts *, struct conf *,
    const struct engine_world *world);
/* After engine_stop() has run its course. */
void engine_free(struct engine *);
/* Opens the FIB and what listens without it.  False: *why says what failed. */
bool engine_start(struct engine *, char *why, size_t);
/* One turn; wait: may sleep until something happens. */
void engine_turn(struct engine *, bool wait);
/* Turns until stopped. */
void engine_run(struct engine *);
/* Ends all sessions with the text; flush: removes the kernel routes too. */
void engine_stop(struct engine *, const char *text, bool flush);
/*
 * Puts the new configuration in force (taking it over) where it differs:
 * only what must bounces.
 */
void engine_apply(struct engine *, struct conf *);

/* What that configuration would tell the peer, which must be Established. */
void engine_export_facts(const struct peer *, const struct conf *,
    const struct conf_neighbor *, struct export_facts *, struct adjout_opts *);
/* Attributes of a network of ours (NULL: added by command), told that way; the
 * reference is the caller's. */
uint32_t engine_network_attrs(
    struct engine *, const struct conf_network *, const struct announce_how *);

struct peer *engine_peer(const struct engine *, const struct addr *);
/* The group for the peer's facts, made when it is new. */
struct export_group *engine_group(struct engine *, struct peer *);
void engine_group_leave(struct export_group *);
/* Members whose facts are no longer their group's move to another one. */
void engine_regroup(struct engine *);
/* The link of that number, or the one that has the address of ours (that of a
 * session, say); NULL: unknown.  Valid until the next turn. */
const struct engine_link *engine_link(const struct engine *, uint32_t ifindex);
const struct engine_link *engine_link_of(
    const struct engine *, const struct addr *local);
/* One of our addresses of the family on the interface that has `on`. */
bool engine_local_addr(
    const struct engine *, const struct addr *on, enum fam, struct addr *out);
/* It is in a subnet of one of our links. */
bool engine_on_link(const struct engine *, const struct addr *);
/* Our link-local address on the link whose subnet has both, own and peer. */
bool engine_link_local(const struct engine *, const struct addr *own,
    const struct addr *peer, struct addr *out);
/* The real clock, for stamps that outlive the process. */
int64_t engine_real_s(const struct engine *);
/* All peers are Established and have told what they have (peer_has_sent()), and
 * the FIB is as it should be.  False: *why is who keeps it from it. */
bool engine_ready(const struct engine *, char *why, size_t);

/* engine_fib.c: HELLO, listeners, links, next hops and routes of the FIB */
void engine_fib_init(struct engine *);
/* False when it can never be had: *why.  Else it comes, or is tried again. */
bool engine_fib_open(struct engine *, char *why, size_t);
void engine_fib_close(struct engine *);
void engine_fib_best(struct engine *, const struct rib_change *);
/* The real world's. */
void engine_fib_connected(struct engine *);
/* Next hops that began or ceased to matter. */
void engine_fib_wishes(struct engine *);
/* None waits for its first answer. */
bool engine_fib_hops_known(const struct engine *);
bool engine_fib_run(struct engine *, unsigned int budget);
/* After a change of configuration: routes whose neighbor's `fib` changed. */
void engine_fib_conf(struct engine *, const struct conf *old);
void engine_fib_flush(struct engine *);
bool engine_fib_flushed(const struct engine *);
/* Leaves the kernel's table as it is, or empty, until it is coupled again. */
void engine_fib_decouple(struct engine *, bool remove);
void engine_fib_couple(struct engine *);

/* engine_announce.c: which of our networks are told, and what they hang on */
void engine_announce_start(struct engine *);
void engine_announce_free(struct engine *);
/* The configuration is another one. */
void engine_announce_conf(struct engine *);
/* A link or an address came or went. */
void engine_announce_links(struct engine *);
/* Does what follows from what was told; once a turn. */
void engine_announce_run(struct engine *);
/* Keeps it for the next run, now; false: it could not, tries again later. */
bool engine_announce_save(struct engine *);
/* Would it be told with that configuration, and how?  *conf is the network of
 * it, or NULL for one added by command. */
bool engine_announce_how(const struct engine *, const struct conf *,
    const struct pfx *, const struct conf_network **conf,
    struct announce_how *);
/* Why it must not be announced by command; NULL: it may. */
const char *engine_announce_may(
    const struct engine *, const struct pfx *, char *why, size_t);

/* restart.c */
/* The first HELLO was answered. */
void restart_begin(struct engine *);
/* Selects routes, when nobody is waited for any more; or all the same. */
void restart_check(struct engine *);
void restart_end(struct engine *, const char *why);
/* How long neighbors are waited for after a start. */
uint32_t restart_deadline_s(const struct engine *);

/* accept.c */
/* Asks for the sockets of the configuration. */
void listeners_start(struct engine *);
void listeners_stop(struct engine *);
void listener_take(
    struct engine *, const struct addr *, int fd, const char *text);
/* Sets a peer's keys (TCP MD5, TCP-AO) on the listeners of its family, or
 * removes those that it was with (NULL: none) and no longer has; now NULL: all
 * of them.  0 or a negative errno. */
int listeners_key(struct engine *, const struct conf_neighbor *now,
    const struct conf_neighbor *was);
/* The real world's dial. */
int dial_peer(struct engine *, struct peer *);

#endif /* ENGINE_H */
