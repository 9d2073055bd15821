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
	FSM_IDLE,
	FSM_CONNECT,
	FSM_ACTIVE,
	FSM_OPENSENT,
	FSM_OPENCONFIRM,
	FSM_ESTABLISHED,
	FSM_NSTATES,
};

/*
 * RFC 4271 8.1, by number; 29 is RFC 9687's, 30 ours.  How options and facts
 * choose the event: passive 4, 5, 7 instead of 1, 3, 6; a start after the idle
 * hold is 6 or 7 (13 itself changes nothing: say 6 or 7 after it); DelayOpen
 * 30 instead of 16, 17, and 20 instead of 19 while its timer runs.  9 goes to
 * a connection in Connect or Active only.
 */
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
	EV16_TCP_ACKED, /* our connect was answered */
	EV17_TCP_CONFIRMED, /* their connect was accepted */
	EV18_TCP_FAILS,
	EV19_OPEN, /* valid, and negotiate() agrees */
	EV20_OPEN_DELAYED, /* OPEN while the DelayOpenTimer runs */
	EV21_HDR_ERR,
	EV22_OPEN_ERR, /* wire_open_parse() or negotiate() */
	EV23_COLLISION_DUMP,
	EV24_NOTIF_VERSION,
	EV25_NOTIF,
	EV26_KEEPALIVE,
	EV27_UPDATE, /* any verdict but reset; or ROUTE-REFRESH */
	EV28_UPDATE_ERR, /* verdict reset; ROUTE-REFRESH in error */
	EV29_SEND_HOLD_EXPIRES, /* RFC 9687 4.3 */
	EV30_TCP_UP_DELAY, /* 16 or 17 with DelayOpen set */
	EV_MAX = EV30_TCP_UP_DELAY,
};

/*
 * What a step asks for.  session_apply() acts in the order of the bits: a
 * NOTIFICATION leaves before its connection goes, a connection goes before
 * the next one is dialled, and A_DROP is last because it may free things.
 * "retry" is the ConnectRetryTimer, "crc" the ConnectRetryCounter; both and
 * the idle hold are the peer's, the other timers the connection's.
 */
enum fsm_act {
	A_NOTIFY = 1 << 0, /* send NOTIFICATION code/sub of the step */
	A_NOTIFY_EV = 1 << 1, /* ... that the event brought along */
	A_CLOSE = 1 << 2, /* close the TCP connection only */
	A_RETRY_STOP = 1 << 3,
	A_RETRY_START = 1 << 4, /* but it never makes a passive peer dial */
	A_HOLD_STOP = 1 << 5,
	A_DELAY_STOP = 1 << 6,
	A_DELAY_START = 1 << 7,
	A_CRC_ZERO = 1 << 8,
	A_CRC_INC = 1 << 9,
	A_DIAL = 1 << 10, /* initiate a TCP connection */
	A_LISTEN = 1 << 11, /* be ready for the peer's connection */
	A_SEND_OPEN = 1 << 12,
	A_HOLD_LARGE = 1 << 13, /* hold timer to a large value (4 min) */
	A_SEND_KA = 1 << 14,
	A_HOLD_START = 1 << 15, /* to the negotiated value; 0: stop it */
	A_KA_START = 1 << 16, /* to the negotiated value; 0: stop it */
	A_SENDHOLD_START = 1 << 17, /* RFC 9687; not with hold time 0 */
	A_ESTABLISHED = 1 << 18, /* the session is up: tell the peer */
	A_UPDATE = 1 << 19, /* process the UPDATE or ROUTE-REFRESH */
	A_DAMP = 1 << 20, /* DampPeerOscillations: grow idle hold */
	/* Close, release all, stop the connection's timers; routes go, or stay
	 * as stale where graceful restart says so. */
	A_DROP = 1 << 21,
};

/*
 * Data of an A_NOTIFY: with code 5 the type octet of the message that was not
 * expected (RFC 6608 3; none for a timer), else none.  8/0 leaves only if it
 * can do so without delay.  Without a TCP connection nothing is sent.
 */

struct fsm {
	enum fsm_state state;
};

struct fsm_out {
	enum fsm_state from, next;
	uint32_t acts; /* A_* */
	/* With A_NOTIFY; with A_NOTIFY_EV what to send if it brought none. */
	uint8_t code, sub;
};

void fsm_init(struct fsm *, enum fsm_state);
void fsm_step(struct fsm *, enum fsm_event, struct fsm_out *);
/* "Idle" ... "Established"; what OpenBGPD prints too. */
const char *fsm_state_name(enum fsm_state);
/* "AutomaticStart" ...: the names of RFC 4271 8.1. */
const char *fsm_event_name(enum fsm_event);
/* "NOTIFY|CRC_INC|DROP" ..., in the order of the bits; "-" when none. */
const char *fsm_acts_print(uint32_t acts, char *, unsigned int size);

#endif /* FSM_H */
