/*
 * fsm_table.c -- RFC 4271 8.2.2 and nothing else: one row a state, one line an
 * event (numbers of 8.1).  The bit order of A_* is the order in which
 * session_apply() acts, so a cell need not say it.  Where we differ from the
 * RFC, the line says so; tests/fsm/rfc4271.tsv is the RFC's text in the same
 * form, written by hand.
 *
 * Optional session attributes (8.1.1): DampPeerOscillations and
 * SendNOTIFICATIONwithoutOPEN are TRUE here.
 */
#include "bgpd/fsm/fsm_table.h"
#include "bgpd/wire/wire.h"

/* Goes on. */
#define GO(n, a) \
	{ \
		.set = 1, .next = FSM_##n, .acts = (a) \
	}
/* Ends without a word. */
#define END(a) \
	{ \
		.set = 1, .next = FSM_IDLE, \
		.acts = (a) | A_RETRY_STOP | A_DROP \
	}
/* Ends with a NOTIFICATION: this one, or the one that the event brought. */
#define ERR(a, c, s) \
	{ \
		.set = 1, .next = FSM_IDLE, .code = (c), .sub = (s), \
		.acts = (a) | A_NOTIFY | A_RETRY_STOP | A_DROP \
	}
#define ERR_EV(a, c, s) \
	{ \
		.set = 1, .next = FSM_IDLE, .code = (c), .sub = (s), \
		.acts = (a) | A_NOTIFY_EV | A_RETRY_STOP | A_DROP \
	}
/* "increments the ConnectRetryCounter by 1, performs oscillation damping" */
#define FAULT (A_CRC_INC | A_DAMP)
/* Events 1 and 3 to 7 outside Idle. */
#define STARTS_IGNORED(n) \
	.on[EV01_MANUAL_START] = GO(n, 0), .on[EV03_AUTO_START] = GO(n, 0), \
	.on[EV04_MANUAL_START_PASSIVE] = GO(n, 0), \
	.on[EV05_AUTO_START_PASSIVE] = GO(n, 0), \
	.on[EV06_AUTO_START_DAMP] = GO(n, 0), \
	.on[EV07_AUTO_START_DAMP_PASSIVE] = GO(n, 0)
/* A second TCP connection has a struct fsm of its own (6.8). */
#define SECOND_TRACKED(n) \
	.on[EV14_TCP_VALID] = GO(n, 0), .on[EV15_TCP_INVALID] = GO(n, 0), \
	.on[EV16_TCP_ACKED] = GO(n, 0), .on[EV17_TCP_CONFIRMED] = GO(n, 0), \
	.on[EV30_TCP_UP_DELAY] = GO(n, 0)

/* clang-format off */
const struct fsm_row fsm_table[FSM_NSTATES] = {
	[FSM_IDLE] = {
		.other			= GO(IDLE, 0),
		.on[EV01_MANUAL_START]	= GO(CONNECT, A_CRC_ZERO | A_RETRY_START | A_DIAL | A_LISTEN),
		.on[EV03_AUTO_START]	= GO(CONNECT, A_CRC_ZERO | A_RETRY_START | A_DIAL | A_LISTEN),
		.on[EV04_MANUAL_START_PASSIVE] = GO(ACTIVE, A_CRC_ZERO | A_RETRY_START | A_LISTEN),
		.on[EV05_AUTO_START_PASSIVE] = GO(ACTIVE, A_CRC_ZERO | A_RETRY_START | A_LISTEN),
		/* The method is ours: as 3 and 5 after the idle hold, but what
		 * was counted stays. */
		.on[EV06_AUTO_START_DAMP] = GO(CONNECT, A_RETRY_START | A_DIAL | A_LISTEN),
		.on[EV07_AUTO_START_DAMP_PASSIVE] = GO(ACTIVE, A_RETRY_START | A_LISTEN),
		/* "refuses all incoming BGP connections" */
		.on[EV16_TCP_ACKED]	= GO(IDLE, A_CLOSE),
		.on[EV17_TCP_CONFIRMED]	= GO(IDLE, A_CLOSE),
		.on[EV30_TCP_UP_DELAY]	= GO(IDLE, A_CLOSE),
	},
	[FSM_CONNECT] = {
		.other			= END(FAULT | A_DELAY_STOP),
		STARTS_IGNORED(CONNECT),
		.on[EV02_MANUAL_STOP]	= END(A_CRC_ZERO),
		.on[EV09_RETRY_EXPIRES]	= GO(CONNECT, A_CLOSE | A_RETRY_START | A_DELAY_STOP | A_DIAL | A_LISTEN),
		.on[EV12_DELAY_OPEN_EXPIRES] = GO(OPENSENT, A_SEND_OPEN | A_HOLD_LARGE),
		.on[EV14_TCP_VALID]	= GO(CONNECT, 0),
		.on[EV15_TCP_INVALID]	= GO(CONNECT, 0),
		.on[EV16_TCP_ACKED]	= GO(OPENSENT, A_RETRY_STOP | A_SEND_OPEN | A_HOLD_LARGE),
		.on[EV17_TCP_CONFIRMED]	= GO(OPENSENT, A_RETRY_STOP | A_SEND_OPEN | A_HOLD_LARGE),
		/* The RFC does this with DelayOpenTimer running, else it goes
		 * to Idle, where the peer's own connection would be refused
		 * only because it did not answer ours.  Active for both. */
		.on[EV18_TCP_FAILS]	= GO(ACTIVE, A_CLOSE | A_RETRY_START | A_DELAY_STOP | A_LISTEN),
		.on[EV20_OPEN_DELAYED]	= GO(OPENCONFIRM, A_RETRY_STOP | A_DELAY_STOP | A_SEND_OPEN | A_SEND_KA | A_KA_START | A_HOLD_START),
		.on[EV21_HDR_ERR]	= ERR_EV(FAULT, NOTIF_HEADER, 0),
		.on[EV22_OPEN_ERR]	= ERR_EV(FAULT, NOTIF_OPEN, OPEN_UNSPECIFIC),
		/* No damping: the peering goes on over the other connection. */
		.on[EV23_COLLISION_DUMP] = END(A_CRC_INC | A_DELAY_STOP),
		/* Whoever can send one is there, so DelayOpenTimer runs. */
		.on[EV24_NOTIF_VERSION]	= END(A_DELAY_STOP),
		.on[EV30_TCP_UP_DELAY]	= GO(CONNECT, A_RETRY_STOP | A_DELAY_START),
	},
	[FSM_ACTIVE] = {
		.other			= END(FAULT),
		STARTS_IGNORED(ACTIVE),
		/* Reaches the peer only while DelayOpenTimer runs. */
		.on[EV02_MANUAL_STOP]	= ERR_EV(A_CRC_ZERO | A_DELAY_STOP, NOTIF_CEASE, CEASE_SHUTDOWN),
		.on[EV09_RETRY_EXPIRES]	= GO(CONNECT, A_RETRY_START | A_DIAL | A_LISTEN),
		.on[EV12_DELAY_OPEN_EXPIRES] = GO(OPENSENT, A_RETRY_STOP | A_DELAY_STOP | A_SEND_OPEN | A_HOLD_LARGE),
		.on[EV14_TCP_VALID]	= GO(ACTIVE, 0),
		.on[EV15_TCP_INVALID]	= GO(ACTIVE, 0),
		.on[EV16_TCP_ACKED]	= GO(OPENSENT, A_RETRY_STOP | A_SEND_OPEN | A_HOLD_LARGE),
		.on[EV17_TCP_CONFIRMED]	= GO(OPENSENT, A_RETRY_STOP | A_SEND_OPEN | A_HOLD_LARGE),
		.on[EV18_TCP_FAILS]	= GO(IDLE, FAULT | A_RETRY_START | A_DELAY_STOP | A_DROP),
		.on[EV20_OPEN_DELAYED]	= GO(OPENCONFIRM, A_RETRY_STOP | A_DELAY_STOP | A_SEND_OPEN | A_SEND_KA | A_KA_START | A_HOLD_START),
		.on[EV21_HDR_ERR]	= ERR_EV(FAULT, NOTIF_HEADER, 0),
		.on[EV22_OPEN_ERR]	= ERR_EV(FAULT, NOTIF_OPEN, OPEN_UNSPECIFIC),
		.on[EV23_COLLISION_DUMP] = END(A_CRC_INC),	/* as in Connect */
		.on[EV24_NOTIF_VERSION]	= END(A_DELAY_STOP),	/* as in Connect */
		.on[EV30_TCP_UP_DELAY]	= GO(ACTIVE, A_RETRY_STOP | A_DELAY_START),
	},
	[FSM_OPENSENT] = {
		.other			= ERR(FAULT, NOTIF_FSM, FSM_SUB_OPENSENT), /* RFC 6608 */
		STARTS_IGNORED(OPENSENT),
		.on[EV02_MANUAL_STOP]	= ERR_EV(A_CRC_ZERO, NOTIF_CEASE, CEASE_SHUTDOWN),
		.on[EV08_AUTO_STOP]	= ERR_EV(FAULT, NOTIF_CEASE, 0),
		.on[EV10_HOLD_EXPIRES]	= ERR(FAULT, NOTIF_HOLD, 0),
		SECOND_TRACKED(OPENSENT),
		/* The hold timer of the large value must not reach Active. */
		.on[EV18_TCP_FAILS]	= GO(ACTIVE, A_CLOSE | A_RETRY_START | A_HOLD_STOP | A_LISTEN),
		.on[EV19_OPEN]		= GO(OPENCONFIRM, A_DELAY_STOP | A_RETRY_STOP | A_SEND_KA | A_KA_START | A_HOLD_START),
		.on[EV21_HDR_ERR]	= ERR_EV(FAULT, NOTIF_HEADER, 0),
		.on[EV22_OPEN_ERR]	= ERR_EV(FAULT, NOTIF_OPEN, OPEN_UNSPECIFIC),
		.on[EV23_COLLISION_DUMP] = ERR(A_CRC_INC, NOTIF_CEASE, CEASE_COLLISION),
		.on[EV24_NOTIF_VERSION]	= END(0),
		/* 8.2.2 has an FSM error here; 6.4 answers no NOTIFICATION. */
		.on[EV25_NOTIF]		= END(FAULT),
	},
	[FSM_OPENCONFIRM] = {
		/* 19, 20, 22: a second OPEN is no collision, and RFC 6608 has
		 * the code for it, whether it parses or not. */
		.other			= ERR(FAULT, NOTIF_FSM, FSM_SUB_OPENCONFIRM),
		STARTS_IGNORED(OPENCONFIRM),
		.on[EV02_MANUAL_STOP]	= ERR_EV(A_CRC_ZERO, NOTIF_CEASE, CEASE_SHUTDOWN),
		.on[EV08_AUTO_STOP]	= ERR_EV(FAULT, NOTIF_CEASE, 0),
		.on[EV10_HOLD_EXPIRES]	= ERR(FAULT, NOTIF_HOLD, 0),
		.on[EV11_KEEPALIVE_EXPIRES] = GO(OPENCONFIRM, A_SEND_KA | A_KA_START),
		SECOND_TRACKED(OPENCONFIRM),
		.on[EV18_TCP_FAILS]	= END(FAULT),
		.on[EV21_HDR_ERR]	= ERR_EV(FAULT, NOTIF_HEADER, 0),
		.on[EV23_COLLISION_DUMP] = ERR(A_CRC_INC, NOTIF_CEASE, CEASE_COLLISION),
		.on[EV24_NOTIF_VERSION]	= END(0),
		.on[EV25_NOTIF]		= END(FAULT),
		.on[EV26_KEEPALIVE]	= GO(ESTABLISHED, A_HOLD_START | A_SENDHOLD_START | A_ESTABLISHED),
	},
	[FSM_ESTABLISHED] = {
		.other			= ERR(FAULT, NOTIF_FSM, FSM_SUB_ESTABLISHED),
		STARTS_IGNORED(ESTABLISHED),
		.on[EV02_MANUAL_STOP]	= ERR_EV(A_CRC_ZERO, NOTIF_CEASE, CEASE_SHUTDOWN),
		.on[EV08_AUTO_STOP]	= ERR_EV(FAULT, NOTIF_CEASE, 0),
		.on[EV10_HOLD_EXPIRES]	= ERR(FAULT, NOTIF_HOLD, 0),
		.on[EV11_KEEPALIVE_EXPIRES] = GO(ESTABLISHED, A_SEND_KA | A_KA_START),
		SECOND_TRACKED(ESTABLISHED),
		/* 18, 24, 25: the RFC forgets the damping; a peer that ends
		 * each session with a NOTIFICATION is what it is for. */
		.on[EV18_TCP_FAILS]	= END(FAULT),
		/* 8.2.2 counts 21 as an FSM error; 6.1 is the more exact text. */
		.on[EV21_HDR_ERR]	= ERR_EV(FAULT, NOTIF_HEADER, 0),
		.on[EV23_COLLISION_DUMP] = ERR(A_CRC_INC, NOTIF_CEASE, CEASE_COLLISION),
		.on[EV24_NOTIF_VERSION]	= END(FAULT),
		.on[EV25_NOTIF]		= END(FAULT),
		.on[EV26_KEEPALIVE]	= GO(ESTABLISHED, A_HOLD_START),
		.on[EV27_UPDATE]	= GO(ESTABLISHED, A_HOLD_START | A_UPDATE),
		.on[EV28_UPDATE_ERR]	= ERR_EV(FAULT, NOTIF_UPDATE, 0),
		.on[EV29_SEND_HOLD_EXPIRES] = ERR(FAULT, NOTIF_SEND_HOLD, 0),
	},
};
/* clang-format on */
