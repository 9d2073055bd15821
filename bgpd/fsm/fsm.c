/* fsm.c -- one step through the table of fsm_table.c, and the names. */
#include <string.h>

#include "bgpd/fsm/fsm_table.h"

static const char *const state_name[FSM_NSTATES] = {
	[FSM_IDLE] = "Idle",
	[FSM_CONNECT] = "Connect",
	[FSM_ACTIVE] = "Active",
	[FSM_OPENSENT] = "OpenSent",
	[FSM_OPENCONFIRM] = "OpenConfirm",
	[FSM_ESTABLISHED] = "Established",
};

/* clang-format off */
static const char *const event_name[EV_MAX + 1] = {
	[EV01_MANUAL_START]		= "ManualStart",
	[EV02_MANUAL_STOP]		= "ManualStop",
	[EV03_AUTO_START]		= "AutomaticStart",
	[EV04_MANUAL_START_PASSIVE]	= "ManualStart_with_PassiveTcpEstablishment",
	[EV05_AUTO_START_PASSIVE]	= "AutomaticStart_with_PassiveTcpEstablishment",
	[EV06_AUTO_START_DAMP]		= "AutomaticStart_with_DampPeerOscillations",
	[EV07_AUTO_START_DAMP_PASSIVE]	= "AutomaticStart_with_DampPeerOscillations_and_PassiveTcpEstablishment",
	[EV08_AUTO_STOP]		= "AutomaticStop",
	[EV09_RETRY_EXPIRES]		= "ConnectRetryTimer_Expires",
	[EV10_HOLD_EXPIRES]		= "HoldTimer_Expires",
	[EV11_KEEPALIVE_EXPIRES]	= "KeepaliveTimer_Expires",
	[EV12_DELAY_OPEN_EXPIRES]	= "DelayOpenTimer_Expires",
	[EV13_IDLE_HOLD_EXPIRES]	= "IdleHoldTimer_Expires",
	[EV14_TCP_VALID]		= "TcpConnection_Valid",
	[EV15_TCP_INVALID]		= "Tcp_CR_Invalid",
	[EV16_TCP_ACKED]		= "Tcp_CR_Acked",
	[EV17_TCP_CONFIRMED]		= "TcpConnectionConfirmed",
	[EV18_TCP_FAILS]		= "TcpConnectionFails",
	[EV19_OPEN]			= "BGPOpen",
	[EV20_OPEN_DELAYED]		= "BGPOpen with DelayOpenTimer running",
	[EV21_HDR_ERR]			= "BGPHeaderErr",
	[EV22_OPEN_ERR]			= "BGPOpenMsgErr",
	[EV23_COLLISION_DUMP]		= "OpenCollisionDump",
	[EV24_NOTIF_VERSION]		= "NotifMsgVerErr",
	[EV25_NOTIF]			= "NotifMsg",
	[EV26_KEEPALIVE]		= "KeepAliveMsg",
	[EV27_UPDATE]			= "UpdateMsg",
	[EV28_UPDATE_ERR]		= "UpdateMsgErr",
	[EV29_SEND_HOLD_EXPIRES]	= "SendHoldTimer_Expires",
	[EV30_TCP_UP_DELAY]		= "TcpConnection with DelayOpen",
};
/* clang-format on */

/* By bit number of A_*. */
static const char *const act_name[] = {
	"NOTIFY",
	"NOTIFY_EV",
	"CLOSE",
	"RETRY_STOP",
	"RETRY_START",
	"HOLD_STOP",
	"DELAY_STOP",
	"DELAY_START",
	"CRC_ZERO",
	"CRC_INC",
	"DIAL",
	"LISTEN",
	"SEND_OPEN",
	"HOLD_LARGE",
	"SEND_KA",
	"HOLD_START",
	"KA_START",
	"SENDHOLD_START",
	"ESTABLISHED",
	"UPDATE",
	"DAMP",
	"DROP",
};
#define NACTS (sizeof(act_name) / sizeof(act_name[0]))
_Static_assert(A_DROP == 1 << (NACTS - 1), "act_name[] lacks a bit of A_*");

void
fsm_init(struct fsm *f, enum fsm_state state)
{
	f->state = state;
}

void
fsm_step(struct fsm *f, enum fsm_event ev, struct fsm_out *out)
{
	const struct fsm_row *row = &fsm_table[f->state];
	const struct fsm_cell *c = &row->other;

	if (ev <= EV_MAX && row->on[ev].set)
		c = &row->on[ev];
	*out = (struct fsm_out){
		.from = f->state,
		.next = (enum fsm_state)c->next,
		.acts = c->acts,
		.code = c->code,
		.sub = c->sub,
	};
	f->state = out->next;
}

const char *
fsm_state_name(enum fsm_state state)
{
	return state < FSM_NSTATES ? state_name[state] : "?";
}

const char *
fsm_event_name(enum fsm_event ev)
{
	return ev >= 1 && ev <= EV_MAX ? event_name[ev] : "?";
}

const char *
fsm_acts_print(uint32_t acts, char *buf, unsigned int size)
{
	size_t i;

	if (size == 0)
		return buf;
	strlcpy(buf, acts == 0 ? "-" : "", size);
	for (i = 0; i < NACTS; i++) {
		if ((acts & UINT32_C(1) << i) == 0)
			continue;
		if (buf[0] != '\0')
			strlcat(buf, "|", size);
		strlcat(buf, act_name[i], size);
	}
	return buf;
}
