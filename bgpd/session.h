/*
 * session.h -- one TCP connection of a peer: its octets, its FSM, its timers.
 * Moves octets and carries out actions; what they mean is wire's, fsm's and
 * the peer's business.
 */
#ifndef SESSION_H
#define SESSION_H

#include <sys/queue.h>

#include "bgpd/ev.h"
#include "bgpd/fsm/fsm.h"
#include "bgpd/fsm/negotiate.h"
#include "bgpd/wire/wire.h"
#include "lib/timer.h"

struct peer;
struct engine;

enum {
	SESSION_RX = WIRE_MAX_EXT + 1, /* one message's room, never more */
	SESSION_TX_HIGH = 256 * 1024, /* above it marks stay marks */
	SESSION_TX_MAX = 1024 * 1024, /* even control messages end here */
	SESSION_TX_KEEP = 64 * 1024, /* what an empty queue may keep */
};

struct session {
	struct peer *peer;
	struct session *next_dead; /* peer.c's list of those to be freed */
	bool dialled; /* by us; else accepted */
	struct fsm fsm;
	int fd; /* -1: none */
	bool connecting;
	struct ev_io *io;
	uint8_t *rx, *tx;
	size_t rx_len;
	size_t tx_pos, tx_len, tx_cap;
	struct timer retry, hold, keepalive, delay_open, send_hold;
	struct wire_open sent, received;
	bool open_seen;
	bool notified, hard; /* a NOTIFICATION, either way; a hard reset */
	struct negotiated neg;
	struct cur msg; /* the message in hand, of rx */
	struct wire_err err; /* what the event being stepped brought along */
	enum fsm_event next_event; /* that a step's action led to, or 0 */
	struct addr local, remote;
	uint16_t local_port, remote_port;
	uint64_t last_read_ms, last_write_ms; /* 0: never */
	bool bulk; /* the last read brought a lot */
	bool unsent; /* in eng->unsent */
	LIST_ENTRY(session) unsent_entry;
};

/* In FSM_IDLE (dialled) or FSM_ACTIVE (accepted), without a connection. */
struct session *session_new(struct peer *, bool dialled);
/* Closes what is open, without a word to the peer. */
void session_free(struct session *);
/* Gives back what a session without a connection needs not; when nobody is
 * inside it. */
void session_rest(struct session *);
/* One event; the only way into the FSM.  May end the connection. */
void session_event(struct session *, enum fsm_event);
/* An accepted connection; the session takes fd over. */
void session_accepted(struct session *, int fd);
/*
 * Ends the session with a NOTIFICATION (where its state permits one) and the
 * stop event given: EV02, EV08, EV23.
 */
void session_stop(struct session *, enum fsm_event, uint8_t code, uint8_t sub,
    const uint8_t *data, size_t len);
/*
 * Queues one whole message; taken unless the connection is gone.  False: the
 * queue is above its high-water mark now, peer_room() tells when it is not.
 */
bool session_send(struct session *, const uint8_t *msg, size_t len);
/*
 * Sends what was queued since the last time, as far as TCP takes it; the rest
 * goes when it has room.  True: a queue that was above its mark is not any
 * more, so there is more to tell.
 */
bool session_send_all(struct engine *);
bool session_has_room(const struct session *);
size_t session_queued(const struct session *);

/*
 * Refuses an accepted connection that became no session: a NOTIFICATION
 * without data, then the end.  Takes fd over.
 */
void session_refuse(struct engine *, int fd, uint8_t code, uint8_t sub);
/* Closes what still waits for a last message to arrive (at the very end). */
void session_farewells_end(struct engine *);

#endif /* SESSION_H */
