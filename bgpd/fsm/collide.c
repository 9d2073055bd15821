/* collide.c -- which of a peer's two connections survives. */
#include "bgpd/fsm/negotiate.h"

/*
 * RFC 4271 6.8: the connection that the speaker with the higher identifier
 * dialled.  RFC 6286 2.3: with equal ones (external peers only) that of the
 * higher AS number.  Both sides compute the same.
 */
static bool
ours_survives(const struct collide *c)
{
	if (c->local_id != c->remote_id)
		return c->local_id > c->remote_id;
	return c->local_as > c->remote_as;
}

enum collide_verdict
collide_check(const struct collide *c)
{
	switch (c->other) {
	case FSM_IDLE:
	case FSM_CONNECT:
	case FSM_ACTIVE:
		/* Nothing to collide with; its own OPEN would ask again. */
		return COLLIDE_NONE;
	case FSM_OPENSENT:
		if (!c->other_open_seen)
			return COLLIDE_NONE;
		break;
	case FSM_OPENCONFIRM:
		break;
	case FSM_ESTABLISHED:
		/*
		 * 6.8 keeps the old one.  A peer that restarts gracefully has
		 * forgotten it (RFC 4724 5), and this OPEN is valid.
		 */
		return c->peer_restarts ? COLLIDE_REPLACE : COLLIDE_CLOSE_NEW;
	case FSM_NSTATES:
	default:
		return COLLIDE_NONE;
	}
	return ours_survives(c) == c->other_dialled ? COLLIDE_CLOSE_NEW
						    : COLLIDE_CLOSE_OTHER;
}
