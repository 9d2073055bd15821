/*
 * peer.h -- a configured neighbor: two connections at most, its Adj-RIB-In,
 * its place in an export group, its counters and its history.  Everything
 * that is one per neighbor and not one per connection.
 */
#ifndef PEER_H
#define PEER_H

#include <sys/queue.h>

#include "bgpd/conf.h"
#include "bgpd/drain.h"
#include "bgpd/log.h"
#include "bgpd/session.h"
#include "policy/export.h"
#include "policy/import.h"
#include "rib/adjin.h"
#include "rib/adjout.h"

struct engine;
struct evidence;
struct sock_opts; /* platform/sock.h */

enum {
	PEER_STEPS = 64, /* FSM steps that are kept */
	PEER_NOTIFS = 8, /* NOTIFICATIONs that are kept, both ways */
	PEER_NOTIF_CODES = 8, /* counted apart; what is beyond them at 0 */
	PEER_NOTIF_SUBS = 16,
	PEER_IDLE_MIN_S = 1, /* idle hold: doubled by each error */
	PEER_IDLE_MAX_S = 120,
	PEER_STABLE_S = 60, /* Established so long forgets the errors */
	PEER_QUIET_S = 10, /* without an UPDATE: it has told all */
	PEER_REFUSED_MS = 60000, /* between two lines about what is refused */
};

struct peer_step {
	int64_t when_s;
	uint8_t from, to, event;
	bool dialled;
};

struct peer_notif {
	int64_t when_s; /* 0: this slot is empty */
	bool sent;
	uint8_t code, sub;
	bool hard;
	uint8_t data[64];
	size_t len; /* of the data as it was, may be longer */
	char text[512]; /* RFC 9003, safe to print */
};

/* Message counters of one direction; as `show neighbor` prints them. */
struct peer_msgs {
	uint64_t msg[MSG_N], total;
	uint64_t updates, withdraws, eor; /* prefixes; End-of-RIB markers */
	uint64_t refresh[3]; /* request, BoRR, EoRR */
};

enum {
	PEER_LIMIT_FIRST = 8 /* offending prefixes that are kept */
};

/* Max-prefix: the one record of a hold, and what is not kept of it. */
struct peer_limit {
	bool tripped; /* the session is down */
	bool frozen; /* it is up, and takes no new prefix */
	uint8_t action; /* enum conf_limit_action */
	uint8_t counter, fam; /* of the limit; FAM_NONE: the session's sum */
	uint32_t max, count; /* the limit then, and what crossed it */
	int64_t since_s; /* real time */
	int64_t until_s; /* 0: until an operator ends it */
	struct pfx first[PEER_LIMIT_FIRST]; /* that did not come in */
	size_t nfirst;
	/* For the next one: when the last trip was, how long its hold. */
	int64_t tripped_s;
	uint32_t hold_s;
	uint32_t trips[FAM_N]; /* how often so far, by fam */

	bool all; /* frozen by limits of both families: everything */
	bool fill; /* frozen, with a new session: comes in up to the limit */
	const struct cur *rest; /* behind the prefix in its UPDATE, or NULL */
	bool room; /* held ones may be able to come in */
	uint8_t warned[CONF_COUNTER_N][FAM_N]; /* 1: at the share, 2: over */
};

enum peer_limit_verdict {
	PEER_LIMIT_OK,
	PEER_LIMIT_HELD, /* to be stored as held, with the reason */
	PEER_LIMIT_ENDED /* the session has ended */
};

struct peer {
	TAILQ_ENTRY(peer) entry;
	struct engine *eng;
	const struct conf_neighbor *conf;
	uint16_t num; /* rib's name for it, from 1 */

	/* What it is connected by; NULL where there is none.  A session that
	 * is Established stands in `up` only, so that both other places are
	 * free for a peer that forgot it. */
	struct session *out, *in, *up;
	struct session *dead; /* to be freed when nobody is inside */
	struct timer idle_hold, limit_hold, sweep_deadline[FAM_N];
	uint32_t idle_s; /* current idle hold, 0: no error yet */
	uint32_t retries; /* ConnectRetryCounter */
	uint64_t refused, refused_said_ms; /* its connections; 0: never */
	bool no_caps; /* the next OPEN goes without: it got 2/4 */
	bool admin_down, removed;
	bool hard_reset; /* peer_clear(): the Cease/4 under way is a hard one */
	char down_text[256]; /* why, for RFC 9003 and show */
	char why[512]; /* one sentence: why it is not up */
	char key_why[192]; /* why it must stay without a connection, or "" */
	bool hinted; /* auth_hint() is in the log since it was up */

	struct peer_limit limit;
	struct log_quota quota;
	struct drain drain;

	/* Routes. */
	struct adjin *adjin;
	struct adjout_member *member; /* while Established */
	struct export_group *group;
	struct import_facts facts;
	/* Next hop self by family of the prefix: our address on its link, and
	 * the link-local one that goes with it or none. */
	struct addr local[FAM_N], local_ll[FAM_N];
	bool eor_received[FAM_N];
	/* From Established until its End-of-RIB was in and all that came
	 * before it decided and in the kernel; 0: not yet. */
	uint64_t converged_ms[FAM_N];
	bool flushing, sweeping[FAM_N], borr[FAM_N];
	/* Routes of a session before, kept until renewed (restart.c); and
	 * those that become so when the sweep under way is over. */
	bool stale[FAM_N], stale_after[FAM_N];
	struct timer restart_timer, retain_timer;
	struct adjin_walk *reimport; /* the family under way, or NULL */
	uint64_t reimported; /* routes that were run through the policy again */
	enum fam reimport_fam; /* FAM_N: done */

	/* Telling. */
	struct peer_msgs rx, tx;
	struct peer_pace {
		uint64_t at_ms, rx, tx; /* totals at the last look */
		double rx_s, tx_s; /* messages a second until then */
		uint64_t fib_at_ms; /* when its routes were counted last */
		uint32_t fib; /* of them in the kernel */
	} pace;
	uint64_t malformed[WIRE_RESET + 1]; /* by verdict */
	struct evidence *evidence; /* the last of them */
	uint32_t established_count;
	int64_t last_change_s; /* real time of the last up or down, 0: never */
	uint64_t last_change_ms, up_ms;
	uint64_t last_read_ms, last_write_ms;
	uint64_t update_ms; /* its last UPDATE, or Established */
	bool was_quiet; /* for PEER_QUIET_S, since it is Established */
	struct peer_step step[PEER_STEPS];
	unsigned int nstep;
	struct peer_notif notif[PEER_NOTIFS];
	unsigned int nnotif;
	/* [sent][code][subcode], since peer_new() */
	uint32_t notif_total[2][PEER_NOTIF_CODES][PEER_NOTIF_SUBS];
	bool
	    notified; /* since the last connection began: a sentence is there */
	unsigned int traced; /* by so many: its messages are events */
	uint8_t syn_ttl; /* of the last accepted connection, 0: not known */
};
TAILQ_HEAD(peer_list, peer);

/* ---- peer.c: life ----------------------------------------------------- */

/* conf is borrowed until peer_set_conf() or peer_free(). */
struct peer *peer_new(struct engine *, const struct conf_neighbor *);
/* Its routes are gone before (peer_stop(), then adjin_flush()). */
void peer_free(struct peer *);
void peer_set_conf(struct peer *, const struct conf_neighbor *);
/* What that configuration says of the facts: all but our own addresses.  The
 * list of holes is the facts', freed with them. */
void peer_facts(
    const struct conf *, const struct conf_neighbor *, struct import_facts *);
/* Makes import_facts and limits anew from the configuration. */
void peer_update_facts(struct peer *);
/* Why it may not connect now, or NULL. */
const char *peer_forbidden(const struct peer *);
/* Begins to connect or to wait, when nothing forbids it. */
void peer_start(struct peer *);
/* Ends its sessions with Cease/sub and the text; it stays down or, with
 * again, comes back after the idle hold. */
void peer_stop(struct peer *, uint8_t sub, const char *text, bool again);
/* An operator's reset, Cease/4: it comes back at once.  hard: as a hard reset
 * where that was agreed on (RFC 8538), so that neither side keeps routes. */
void peer_clear(struct peer *, const char *text, bool hard);
/* Ends them without a word (graceful restart, a killed process). */
void peer_close(struct peer *);
/* Frees sessions that ended; called when nobody is inside one. */
void peer_reap(struct peer *);

/* "neighbor 203.0.113.1 (Example) AS64500" */
void peer_name(const struct peer *, char *, size_t);
enum fsm_state peer_state(const struct peer *);
/* The session that show speaks of: Established, else the furthest, or NULL. */
const struct session *peer_session(const struct peer *);
/* It is Established, and its End-of-RIB of each family is here (RFC 4724 2). */
bool peer_has_eor(const struct peer *);
/* It is Established, and all that it has to tell at first is here.  Where no
 * graceful restart was agreed on nobody promises an End-of-RIB: then it is when
 * PEER_QUIET_S went by without an UPDATE, or ENGINE_SELECT_S at all. */
bool peer_has_sent(const struct peer *);

/* What its sockets need; the key is the configuration's. */
void peer_sock_opts(const struct conf_neighbor *, struct sock_opts *);
/* A connection came in; the peer takes fd over or refuses it. */
void peer_accept(struct peer *, int fd);

/* ---- what sessions tell (called by session.c only) --------------------- */

void peer_want(const struct peer *, struct neg_want *);
void peer_open(struct peer *, struct wire_open *);
uint32_t peer_retry_s(const struct peer *);
/* The OPEN of s was good: false when s was closed by the collision rule. */
bool peer_collision(struct peer *, struct session *s);
void peer_step(
    struct peer *, struct session *, enum fsm_event, const struct fsm_out *);
void peer_tcp_lost(struct peer *, struct session *, int err);
void peer_accept_failed(struct peer *, struct session *);
void peer_count_sent(
    struct peer *, struct session *, const uint8_t *msg, size_t len);
void peer_count_received(
    struct peer *, struct session *, const uint8_t *msg, size_t len);
/* body: code, subcode, data. */
void peer_notification(struct peer *, struct session *, bool sent,
    const uint8_t *body, size_t len);
void peer_room(struct peer *);
/* A message that ends the session. */
void peer_bad_message(struct peer *, const struct session *,
    const struct wire_err *, const struct cur *msg);
/* An UPDATE that is not as it should be; its verdict says how much. */
void peer_malformed(struct peer *, const struct session *,
    const struct update *, const struct cur *msg);

/* ---- peer_rib.c: routes ----------------------------------------------- */

void peer_rib_up(struct peer *, const struct session *);
void peer_rib_down(struct peer *, const struct session *);
/* What we are to the peer as the next hop of a family, with its link-local
 * form; FAM_NONE: nothing. */
void peer_next_hop(const struct peer *, const struct session *,
    const struct conf_neighbor *, enum fam, struct addr *, struct addr *ll);
/* "next-hop self" is another one. */
void peer_next_hops(struct peer *);
/* This machine has an address more, or one is gone; true: a next hop of ours
 * was missing, or was that one, and is another now. */
bool peer_addresses(struct peer *, const struct addr *gone);
/* Prefixes announced to it and withdrawn, all sessions together; tx has those
 * of the sessions that are over. */
void peer_told(const struct peer *, uint64_t *updates, uint64_t *withdraws);
void peer_update(struct peer *, const struct update *);
void peer_refresh(struct peer *, const struct wire_refresh *);
/* Asks the peer to send its routes again; false: it cannot. */
bool peer_ask_refresh(struct peer *);
/* Tells the peer everything again. */
void peer_send_again(struct peer *);
/* Runs the import policy over the Adj-RIB-In again, in slices. */
void peer_reimport(struct peer *);
/* One slice of what waits (flush, sweep, re-import); true: more is left. */
bool peer_rib_run(struct peer *, unsigned int budget);
/* One route of it: limits, policy, Adj-RIB-In; id_in is what *a is interned
 * as (borrowed); again: it was there, and is looked at once more.  False: the
 * session has ended. */
bool peer_put(struct peer *, const struct pfx *, const struct attrs *a,
    uint32_t id_in, bool again);

/* ---- peer_limit.c: max-prefix ------------------------------------------ */

/* "received", "accepted", "announced" */
const char *peer_counter_name(enum conf_counter);
/* Has it a limit that lets a part of a message in: discard or freeze? */
bool peer_limit_parts(const struct peer *);
/* May the prefix come in, and when policy takes it: may it be accepted? */
enum peer_limit_verdict peer_limit_admit(
    struct peer *, const struct pfx *, uint16_t *reason);
enum peer_limit_verdict peer_limit_accept(
    struct peer *, const struct pfx *, bool again, uint16_t *reason);
/* Warns once at the share of each counter, and again over the limit. */
void peer_limit_check(struct peer *);
/* Is there a hold, or something held back, to be told about? */
bool peer_limit_holds(const struct peer *);
/* Something went: what is held may come in, by peer_limit_run(). */
void peer_limit_room(struct peer *);
/* Lets in what was held and has room now; true: more is to be tried. */
bool peer_limit_run(struct peer *, unsigned int budget);
void peer_limit_up(struct peer *);
void peer_limit_eor(struct peer *);
/* The configuration changed: a raised limit ends a hold. */
void peer_limit_conf(struct peer *);
/* Goes on with a hold of the process before. */
void peer_limit_restore(struct peer *, const struct peer_limit *);
/* Ends a hold, the only way; forget: the next one is a first one again. */
void peer_clear_limit(struct peer *, const char *who, bool forget);

/* ---- restart.c: RFC 4724, RFC 8538 ------------------------------------- */

void restart_init(struct peer *);
void restart_fini(struct peer *);
/* Session s is over: its routes stay as stale, or go. */
void restart_down(struct peer *, const struct session *s);
void restart_up(struct peer *, const struct session *s);
void restart_eor(struct peer *, enum fam);
/* Its routes go, stale ones too. */
void restart_forget(struct peer *);
/* Those go that are kept of a family that is configured no more. */
void restart_families(struct peer *);
/* The rest of a sweep, where something else is about to become stale. */
void restart_sweep_now(struct peer *, enum fam);
/* A sweep is over; true: what is left became stale. */
bool restart_swept(struct peer *, enum fam);
/* What our next OPEN may say of the family. */
bool restart_forwarding(const struct peer *, enum fam);

#endif /* PEER_H */
