/*
 * fsm.h -- the finite state machine of RFC 4271 section 8 as data.  Pure.
 * One struct fsm a TCP connection, two connections a peer at most.  There are
 * no guards in the table: conditions choose another event before it.
 */
#ifndef FSM_H
#define FSM_H

#include <stdbool.h>
#include <stdint.h>

enum fsm_state {
	FSM_IDLE, FSM_CONNECT, FSM_ACTIVE, FSM_OPENSENT, FSM_OPENCONFIRM,
	FSM_ESTABLISHED, FSM_NSTATES,
};

/* RFC 4271 8.1, by number; 29 and 30 are ours (named below). */
enum fsm_event {
	EV01_MANUAL_START = 1,
	EV02_MANUAL_STOP,
	EV03_AUTO_START,
	EV04_MANUAL_START_PASSIVE,
	EV05_AUTO_START_PASSIVE,
	EV06_AUTO_START_DAMP,
	EV07_AUTO_START_DAMP_PASSIVE,
	EV08_AUTO_STOP,
	EV09_RETRY_EXPIRES,
	EV10_HOLD_EXPIRES,
	EV11_KEEPALIVE_EXPIRES,
	EV12_DELAY_OPEN_EXPIRES,
	EV13_IDLE_HOLD_EXPIRES,
	EV14_TCP_VALID,
	EV15_TCP_INVALID,
	EV16_TCP_ACKED,		/* our connect was answered */
	EV17_TCP_CONFIRMED,	/* their connect was accepted */
	EV18_TCP_FAILS,
	EV19_OPEN,
	EV20_OPEN_DELAYED,	/* OPEN while the DelayOpenTimer runs */
	EV21_HDR_ERR,
	EV22_OPEN_ERR,
	EV23_COLLISION_DUMP,
	EV24_NOTIF_VERSION,
	EV25_NOTIF,
	EV26_KEEPALIVE,
	EV27_UPDATE,
	EV28_UPDATE_ERR,
	EV29_SEND_HOLD_EXPIRES,	/* RFC 9687 4.3 */
	EV30_TCP_UP_DELAY,	/* 16 or 17 with DelayOpen set */
	EV_MAX = EV30_TCP_UP_DELAY,
};

/*
 * What a step asks for.  session_apply() acts in the order of the bits.
 * "retry" is the ConnectRetryTimer, "crc" the ConnectRetryCounter.
 */
enum fsm_act {
	A_NOTIFY	= 1 << 0,  /* send NOTIFICATION code/sub of the step */
	A_NOTIFY_EV	= 1 << 1,  /* ... that the event brought along */
	A_CLOSE		= 1 << 2,  /* close the TCP connection only */
	A_DROP		= 1 << 3,  /* close, release all, delete routes */
	A_RETRY_STOP	= 1 << 4,
	A_RETRY_START	= 1 << 5,
	A_HOLD_STOP	= 1 << 6,
	A_KA_STOP	= 1 << 7,
	A_DELAY_STOP	= 1 << 8,
	A_DELAY_START	= 1 << 9,
	A_CRC_ZERO	= 1 << 10,
	A_CRC_INC	= 1 << 11,
	A_DIAL		= 1 << 12, /* initiate a TCP connection */
	A_LISTEN	= 1 << 13, /* be ready for the peer's connection */
	A_SEND_OPEN	= 1 << 14,
	A_HOLD_LARGE	= 1 << 15, /* hold timer to a large value (4 min) */
	A_SEND_KA	= 1 << 16,
	A_HOLD_START	= 1 << 17, /* to the negotiated value, if not 0 */
	A_KA_START	= 1 << 18, /* to the negotiated value, if not 0 */
	A_SENDHOLD_START = 1 << 19, /* RFC 9687 */
	A_ESTABLISHED	= 1 << 20, /* the session is up: tell the peer */
	A_UPDATE	= 1 << 21, /* process the UPDATE */
	A_DAMP		= 1 << 22, /* DampPeerOscillations: grow idle hold */
};

struct fsm {
	enum fsm_state state;
};

struct fsm_out {
	enum fsm_state from, next;
	uint32_t acts; /* A_* */
	uint8_t code, sub; /* with A_NOTIFY */
};

void fsm_init(struct fsm *, enum fsm_state);
void fsm_step(struct fsm *, enum fsm_event, struct fsm_out *);
/* "Idle" ... "Established"; what OpenBGPD prints too. */
const char *fsm_state_name(enum fsm_state);
/* "AutomaticStart" ...: the names of RFC 4271 8.1. */
const char *fsm_event_name(enum fsm_event);
/* "DROP|CRC_INC" ..., "-" when none. */
const char *fsm_acts_print(uint32_t acts, char *, unsigned int size);

#endif /* FSM_H */
