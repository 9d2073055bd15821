#include "bgpd/peer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bgpd/control.h"
#include "bgpd/engine.h"
#include "bgpd/evidence.h"
#include "bgpd/log.h"
#include "lib/mem.h"
#include "platform/clock.h"

void
peer_name(const struct peer *p, char *buf, size_t n)
{
	char a[ADDR_STRLEN];

	addr_print(&p->conf->addr, a, sizeof a);
	if (p->conf->description != NULL)
		snprintf(buf, n, "neighbor %s (%s) AS%u", a,
		    p->conf->description, p->conf->remote_as);
	else
		snprintf(buf, n, "neighbor %s AS%u", a, p->conf->remote_as);
}

static enum fsm_state
state_of(const struct session *s)
{
	return s != NULL ? s->fsm.state : FSM_IDLE;
}

const struct session *
peer_session(const struct peer *p)
{
	if (p->up != NULL)
		return p->up;
	return state_of(p->in) > state_of(p->out) ? p->in : p->out;
}

enum fsm_state
peer_state(const struct peer *p)
{
	return state_of(peer_session(p));
}

bool
peer_has_eor(const struct peer *p)
{
	if (p->up == NULL)
		return false;
	for (enum fam f = FAM_INET; f < FAM_N; f++)
		if (p->up->neg.wire.mp[f] && !p->eor_received[f])
			return false;
	return true;
}

static bool
is_quiet(const struct peer *p)
{
	return p->eng->now_ms - p->update_ms >= PEER_QUIET_S * 1000;
}

bool
peer_has_sent(const struct peer *p)
{
	if (peer_has_eor(p))
		return true;
	return p->up != NULL && !p->up->neg.gr &&
	    (p->was_quiet || is_quiet(p) ||
		p->eng->now_ms - p->up_ms >= ENGINE_SELECT_S * 1000);
}

static void stop_dialling(struct peer *);

/* ---- starting --------------------------------------------------------- */

const char *
peer_forbidden(const struct peer *p)
{
	if (p->removed)
		return "it is no longer configured";
	if (!p->conf->enabled)
		return "the configuration says \"enabled no\"";
	if (p->admin_down)
		return "an operator stopped it (neighbor X up starts it)";
	if (drain_holds(p->eng))
		return "the maintenance ended all sessions (maintenance stop "
		       "brings them back)";
	if (p->limit.tripped)
		return "it went over its prefix limit (neighbor X clear-limit "
		       "ends the hold)";
	if (!p->eng->fib_ready)
		return "ana-fibd is not there, so nothing could be forwarded";
	if (p->key_why[0] != '\0')
		return p->key_why;
	if (p->eng->stop)
		return "ana-bgpd is stopping";
	return NULL;
}

/* After an error the start is a damped one, which keeps the counter. */
static enum fsm_event
start_event(const struct peer *p)
{
	if (p->idle_s == 0)
		return p->conf->passive ? EV05_AUTO_START_PASSIVE
					: EV03_AUTO_START;
	return p->conf->passive ? EV07_AUTO_START_DAMP_PASSIVE
				: EV06_AUTO_START_DAMP;
}

void
peer_start(struct peer *p)
{
	if (peer_forbidden(p) != NULL || p->up != NULL || p->idle_hold.armed)
		return;
	if (p->out == NULL)
		p->out = session_new(p, true);
	if (p->out->fsm.state != FSM_IDLE)
		return;
	session_event(p->out, start_event(p));
}

static void
on_idle_hold(void *arg, uint64_t now)
{
	peer_start(arg);
}

static void
on_limit_hold(void *arg, uint64_t now)
{
	peer_clear_limit(arg, "its time is over", false);
}

static void
on_sweep_deadline(void *arg, uint64_t now)
{
	struct peer *p = arg;

	/* No EoRR within the stale time (RFC 7313 4): sweep. */
	for (enum fam f = FAM_INET; f < FAM_N; f++)
		if (p->borr[f] && !p->sweep_deadline[f].armed) {
			p->borr[f] = false;
			p->sweeping[f] = true;
		}
}

static void
on_quota_end(void *arg, uint64_t now_ms)
{
	log_quota_end(arg);
}

struct peer *
peer_new(struct engine *eng, const struct conf_neighbor *conf)
{
	struct peer *p = mem_alloc(sizeof *p);

	p->eng = eng;
	p->conf = conf;
	for (p->num = 1; eng->by_num[p->num] != NULL; p->num++)
		;
	eng->by_num[p->num] = p;
	timer_init(&p->idle_hold, "IdleHoldTimer", on_idle_hold, p);
	timer_init(&p->limit_hold, "LimitHoldTimer", on_limit_hold, p);
	timer_init(&p->quota.end, "LogTimer", on_quota_end, p);
	for (enum fam f = FAM_INET; f < FAM_N; f++)
		timer_init(
		    &p->sweep_deadline[f], "StaleTimer", on_sweep_deadline, p);
	p->evidence = evidence_new(eng, &conf->addr);
	restart_init(p);
	drain_peer_init(p);
	p->adjin = adjin_new(eng->rib, p->num);
	p->reimport_fam = FAM_N;
	p->facts.irr = NULL;
	peer_update_facts(p);
	TAILQ_INSERT_TAIL(&eng->peers, p, entry);
	return p;
}

void
peer_free(struct peer *p)
{
	struct engine *eng = p->eng;

	control_forget_peer(eng->control, p->num);
	peer_close(p);
	peer_reap(p);
	timer_stop(&eng->timers, &p->idle_hold);
	timer_stop(&eng->timers, &p->limit_hold);
	timer_stop(&eng->timers, &p->quota.end);
	restart_fini(p);
	drain_peer_fini(p);
	for (enum fam f = FAM_INET; f < FAM_N; f++)
		timer_stop(&eng->timers, &p->sweep_deadline[f]);
	if (p->out != NULL)
		session_free(p->out);
	if (p->reimport != NULL)
		adjin_walk_free(p->reimport);
	evidence_free(p->evidence);
	adjin_free(p->adjin);
	free((void *)(uintptr_t)p->facts.local);
	free((void *)(uintptr_t)p->facts.allow);
	eng->by_num[p->num] = NULL;
	free(p);
}

/* It dials, or waits to be dialled, and is to do the other: peer_start(). */
static void
stop_waiting(struct peer *p)
{
	uint32_t idle_s = p->idle_s;

	if (p->out == NULL || p->out->fsm.state == FSM_IDLE ||
	    p->out->fsm.state >= FSM_OPENSENT)
		return;
	stop_dialling(p);
	/* It was no error. */
	timer_stop(&p->eng->timers, &p->idle_hold);
	p->idle_s = idle_s;
}

void
peer_set_conf(struct peer *p, const struct conf_neighbor *conf)
{
	bool other = !addr_eq(&p->conf->next_hop_self, &conf->next_hop_self);
	bool passive = p->conf->passive != conf->passive;
	struct rib_peer rp = *rib_peer_get(p->eng->rib, p->num);

	p->conf = conf;
	if (passive)
		stop_waiting(p);
	rp.weight = conf->weight;
	rib_peer_set(p->eng->rib, p->num, &rp);
	if (other)
		peer_next_hops(p);
	peer_update_facts(p);
	peer_limit_conf(p);
}

/* ---- ending ----------------------------------------------------------- */

static void
bury(struct peer *p, struct session *s)
{
	s->next_dead = p->dead;
	p->dead = s;
}

void
peer_reap(struct peer *p)
{
	struct session *s;

	while ((s = p->dead) != NULL) {
		p->dead = s->next_dead;
		session_free(s);
	}
	if (p->out != NULL)
		session_rest(p->out);
}

void
peer_stop(struct peer *p, uint8_t sub, const char *text, bool again)
{
	enum fsm_event ev = again ? EV08_AUTO_STOP : EV02_MANUAL_STOP;
	struct session *all[] = { p->up, p->in, p->out };
	uint8_t data[256];
	size_t n = 0;

	if (text != NULL && (sub == CEASE_SHUTDOWN || sub == CEASE_RESET))
		n = wire_shutdown_text(data, sizeof data, text, 255);
	timer_stop(&p->eng->timers, &p->idle_hold);
	for (int i = 0; i < 3; i++)
		if (all[i] != NULL && all[i]->fsm.state != FSM_IDLE)
			session_stop(all[i], ev, NOTIF_CEASE, sub,
			    n > 0 ? data : NULL, n);
	if (!again && (p->stale[FAM_INET] || p->stale[FAM_INET6]))
		restart_forget(p);
	if (again && p->up == NULL && !p->idle_hold.armed)
		peer_start(p);
}

void
peer_clear(struct peer *p, const char *text, bool hard)
{
	p->idle_s = 0;
	p->hard_reset = hard;
	peer_stop(p, CEASE_RESET, text, true);
	p->hard_reset = false;
}

void
peer_close(struct peer *p)
{
	struct session *all[] = { p->up, p->in, p->out };

	timer_stop(&p->eng->timers, &p->idle_hold);
	for (int i = 0; i < 3; i++)
		if (all[i] != NULL && all[i]->fd != -1)
			session_event(all[i], EV18_TCP_FAILS);
	timer_stop(&p->eng->timers, &p->idle_hold);
}

/* ---- the FSM's news --------------------------------------------------- */

static void
remember_step(struct peer *p, const struct session *s, enum fsm_event ev,
    const struct fsm_out *o)
{
	struct peer_step *st = &p->step[p->nstep++ % PEER_STEPS];

	st->when_s = clock_real_s();
	st->from = (uint8_t)o->from;
	st->to = (uint8_t)o->next;
	st->event = (uint8_t)ev;
	st->dialled = s->dialled;
}

static void
step_event(struct peer *p, enum fsm_event ev, const struct fsm_out *o)
{
	enum event_type t = o->next == FSM_ESTABLISHED ? EVENT_PEER_UP
	    : o->from == FSM_ESTABLISHED               ? EVENT_PEER_DOWN
						       : EVENT_PEER_STATE;
	bool say = t != EVENT_PEER_STATE && p->eng->conf->log.session_events;
	struct log_word w[] = { { "from", fsm_state_name(o->from) },
		{ "to", fsm_state_name(o->next) },
		{ "reason", fsm_event_name(ev) }, { NULL, NULL } };

	event(p->eng->events, t, say ? LOG_L_INFO : LOG_L_DEBUG, p, w,
	    "state change %s -> %s, reason: %s", w[0].value, w[1].value,
	    w[2].value);
}

static void
changed(struct peer *p)
{
	p->last_change_s = clock_real_s();
	p->last_change_ms = p->eng->now_ms;
}

/* As another connection decides: nothing failed, so nothing is counted. */
static void
stop_dialling(struct peer *p)
{
	uint32_t retries = p->retries;

	session_event(p->out, EV08_AUTO_STOP);
	p->retries = retries;
}

static void
went_up(struct peer *p, struct session *s)
{
	if (p->in == s)
		p->in = NULL;
	if (p->out == s)
		p->out = NULL;
	p->up = s;
	p->up_ms = p->update_ms = p->eng->now_ms;
	p->was_quiet = false;
	p->established_count++;
	p->why[0] = '\0';
	changed(p);
	timer_stop(&p->eng->timers, &p->idle_hold);
	/* Nobody needs to dial any more. */
	if (p->out != NULL && p->out->fsm.state < FSM_OPENSENT)
		stop_dialling(p);
	peer_rib_up(p, s);
}

static void
went_down(struct peer *p, struct session *s)
{
	if (p->eng->now_ms - p->up_ms >= PEER_STABLE_S * 1000)
		p->idle_s = 0;
	p->up = NULL;
	changed(p);
	peer_rib_down(p, s);
	bury(p, s);
}

/* A connection is over: begin again, at once or after the idle hold. */
static void
begin_again(struct peer *p, enum fsm_event ev, enum fsm_state from)
{
	bool other = p->up != NULL || state_of(p->in) >= FSM_OPENSENT ||
	    state_of(p->out) >= FSM_OPENSENT;

	if (peer_forbidden(p) != NULL)
		return;
	if (other || ev == EV23_COLLISION_DUMP || p->idle_hold.armed)
		return;
	/* They changed their mind; we still wait or dial. */
	if (ev == EV18_TCP_FAILS && from < FSM_ESTABLISHED &&
	    state_of(p->out) != FSM_IDLE)
		return;
	p->idle_s = p->idle_s == 0 ? PEER_IDLE_MIN_S : p->idle_s * 2;
	if (p->idle_s > PEER_IDLE_MAX_S)
		p->idle_s = PEER_IDLE_MAX_S;
	timer_set(&p->eng->timers, &p->idle_hold, p->eng->now_ms,
	    p->idle_s * 1000ull);
	/* The hold is the peer's, not one connection's. */
	if (state_of(p->out) != FSM_IDLE)
		stop_dialling(p);
}

void
peer_step(struct peer *p, struct session *s, enum fsm_event ev,
    const struct fsm_out *o)
{
	if (o->acts & A_CRC_ZERO)
		p->retries = 0;
	if (o->acts & A_CRC_INC)
		p->retries++;
	if (o->from == o->next)
		return;
	remember_step(p, s, ev, o);
	/* Once without capabilities, then with them again. */
	if (o->from >= FSM_OPENSENT && o->next < FSM_OPENSENT &&
	    !s->sent.caps.any)
		p->no_caps = false;
	step_event(p, ev, o);
	if (o->next == FSM_ESTABLISHED) {
		went_up(p, s);
		return;
	}
	if (o->from == FSM_ESTABLISHED)
		went_down(p, s);
	/* An accepted session lives as long as its connection. */
	if (s == p->in && s->fd == -1) {
		p->in = NULL;
		bury(p, s);
	}
	if (s->fd == -1 && (o->next == FSM_IDLE || !s->dialled))
		begin_again(p, ev, o->from);
}

/* ---- two connections -------------------------------------------------- */

bool
peer_collision(struct peer *p, struct session *s)
{
	struct session *all[] = { p->up, p->in, p->out };
	struct collide c = { .local_id = p->eng->conf->router_id,
		.remote_id = s->received.id,
		.local_as = p->eng->conf->as,
		.remote_as = p->conf->remote_as };

	for (int i = 0; i < 3; i++) {
		struct session *o = all[i];

		if (o == NULL || o == s)
			continue;
		c.other = o->fsm.state;
		c.other_dialled = o->dialled;
		c.other_open_seen = o->open_seen;
		c.peer_restarts = o == p->up && o->received.caps.gr &&
		    (o->received.caps.gr_fam[FAM_INET] ||
			o->received.caps.gr_fam[FAM_INET6]);
		switch (collide_check(&c)) {
		case COLLIDE_NONE:
			break;
		case COLLIDE_CLOSE_OTHER:
			session_stop(o, EV23_COLLISION_DUMP, NOTIF_CEASE,
			    CEASE_COLLISION, NULL, 0);
			break;
		case COLLIDE_REPLACE:
			session_event(o, EV18_TCP_FAILS);
			break;
		case COLLIDE_CLOSE_NEW:
			session_stop(s, EV23_COLLISION_DUMP, NOTIF_CEASE,
			    CEASE_COLLISION, NULL, 0);
			return false;
		}
	}
	timer_stop(&p->eng->timers, &p->idle_hold);
	return true;
}

/* cease: the subcode of what it is told, 0: nothing. */
static void
refuse(struct peer *p, int fd, uint8_t cease, const char *why)
{
	/* As often as it likes to try: one a minute is logged. */
	p->refused++;
	if (p->refused_said_ms == 0 ||
	    p->eng->now_ms - p->refused_said_ms >= PEER_REFUSED_MS) {
		p->refused_said_ms = p->eng->now_ms;
		log_peer(p, LOG_L_INFO,
		    "connection refused: %s (%llu so far, one a minute is "
		    "logged)",
		    why, (unsigned long long)p->refused);
	}
	if (cease != 0)
		session_refuse(p->eng, fd, NOTIF_CEASE, cease);
	else
		close(fd);
}

void
peer_sock_opts(const struct conf_neighbor *c, struct sock_opts *o)
{
	*o = (struct sock_opts){ .local = c->local_addr,
		.ttl = c->multihop,
		.min_ttl =
		    (uint8_t)(c->ttl_security > 0 ? 256 - c->ttl_security : 0),
		.md5_key = c->md5.key,
		.md5_len = c->md5.len,
		.nao = c->nao };
	for (size_t i = 0; i < c->nao; i++)
		o->ao[i] = (struct sock_ao_key){ .send_id = c->ao[i].send_id,
			.recv_id = c->ao[i].recv_id,
			.cmac = c->ao[i].cmac,
			.len = c->ao[i].key.len,
			.key = c->ao[i].key.key };
}

void
peer_accept(struct peer *p, int fd)
{
	const char *no = peer_forbidden(p);
	struct sock_opts o;
	int err;

	peer_sock_opts(p->conf, &o);

	if (no != NULL) {
		refuse(p, fd, 0, no);
		return;
	}
	if (p->idle_hold.armed) {
		refuse(p, fd, 0, "its idle hold after an error still runs");
		return;
	}
	if ((err = p->eng->world.accepted(fd, &o, &p->syn_ttl)) != 0) {
		refuse(p, fd, 0, strerror(-err));
		return;
	}
	if (o.min_ttl > 0 && p->syn_ttl != 0 && p->syn_ttl < o.min_ttl) {
		snprintf(p->why, sizeof p->why,
		    "TTL %u seen, at least %u required: ttl-security is on "
		    "here, the peer must send TTL 255",
		    p->syn_ttl, o.min_ttl);
		refuse(p, fd, 0, p->why);
		return;
	}
	if (p->in != NULL && p->in->open_seen) {
		refuse(p, fd, CEASE_COLLISION,
		    "another one that it dialled is being opened");
		return;
	}
	if (p->in != NULL) /* it forgot the older one, or it is stuck */
		session_event(p->in, EV18_TCP_FAILS);
	timer_stop(&p->eng->timers, &p->idle_hold);
	p->in = session_new(p, false);
	session_accepted(p->in, fd);
}

void
peer_accept_failed(struct peer *p, struct session *s)
{
	if (p->in == s)
		p->in = NULL;
	bury(p, s);
}

/* ---- what a session asks ---------------------------------------------- */

void
peer_want(const struct peer *p, struct neg_want *w)
{
	const struct conf_neighbor *c = p->conf;

	*w = (struct neg_want){ .local_as = p->eng->conf->as,
		.peer_as = c->remote_as,
		.id = p->eng->conf->router_id,
		.hold_s = c->hold_s,
		.hold_min_s = c->hold_min_s,
		.refresh = true,
		.enhanced_refresh = true,
		.ext_msg = c->ext_msg,
		.ext_nexthop = c->ext_nexthop,
		.gr = c->gr.on,
		.gr_restarting = p->eng->restarting,
		.gr_notification = c->gr.notification,
		.gr_time_s = c->gr.restart_s,
		.as4 = true,
		.role = c->role,
		.role_strict = c->role_strict,
		/* A guard refuses AS_SET, so that it shows as what it is. */
		.allow_as_set = true,
		.require = c->require };
	memcpy(w->fam, c->fam, sizeof w->fam);
	for (enum fam f = FAM_INET; f < FAM_N; f++)
		w->gr_fwd[f] = restart_forwarding(p, f);
}

void
peer_open(struct peer *p, struct wire_open *o)
{
	struct neg_want w;

	peer_want(p, &w);
	negotiate_open(&w, p->no_caps, o);
}

uint32_t
peer_retry_s(const struct peer *p)
{
	return p->conf->connect_retry_s;
}

/* What an errno of connect() means here, and what is to be done.  sent: a SYN
 * left, so the answer is somebody else's. */
static void
dial_failed(struct peer *p, int err, bool sent)
{
	bool on_link = engine_on_link(p->eng, &p->conf->addr);
	const char *why;

	switch (err) {
	case ENETUNREACH:
		why = sent ? "a router on the way has no route to it"
			   : "no route leads to it: the link's address or "
			     "the route to the neighbor is missing here";
		break;
	case EHOSTUNREACH:
		why = !sent    ? "a route of this machine forbids it (ip "
				 "route get)"
		    : !on_link ? "a router on the way says that it cannot be "
				 "reached"
		    : p->conf->addr.fam == FAM_INET6
		    ? "it does not answer neighbor discovery: another "
		      "address, VLAN or cable, or it is switched off"
		    : "it does not answer ARP: another address, VLAN or "
		      "cable, or it is switched off";
		break;
	case ECONNREFUSED:
		why = "it refuses the connection: it runs no BGP, or has no "
		      "neighbor with our address";
		break;
	case ETIMEDOUT:
		why = p->conf->multihop > 0
		    ? "no answer: a packet filter, no way back to us, or "
		      "more hops than multihop allows"
		    : "no answer: a packet filter, or no way back to us";
		break;
	case EADDRNOTAVAIL:
		why = "local-address is no address of this machine";
		break;
	default:
		why = strerror(err);
		break;
	}
	snprintf(p->why, sizeof p->why, "connecting failed: %s", why);
}

void
peer_tcp_lost(struct peer *p, struct session *s, int err)
{
	if (err == 0)
		strlcpy(
		    p->why, "the peer closed the connection", sizeof p->why);
	else if (s->fd == -1 || s->fsm.state < FSM_OPENSENT)
		dial_failed(p, err, s->fd != -1);
	else
		snprintf(p->why, sizeof p->why, "connection lost: %s",
		    strerror(err));
	log_peer(p, s->fsm.state == FSM_ESTABLISHED ? LOG_L_WARN : LOG_L_DEBUG,
	    "%s", p->why);
}

/* ---- counters and evidence -------------------------------------------- */

/* RFC 4724 2: nothing at all, or MP_UNREACH_NLRI with AFI and SAFI only. */
static bool
is_eor(const uint8_t *msg, size_t len)
{
	uint8_t flags, type;
	struct cur c;
	uint16_t n;

	cur_init(&c, msg, len);
	if (!cur_skip(&c, WIRE_HDR_LEN) || !cur_u16(&c, &n) || n != 0 ||
	    !cur_u16(&c, &n) || n != cur_left(&c))
		return false;
	if (n == 0)
		return true;
	if (!cur_u8(&c, &flags) || !cur_u8(&c, &type) ||
	    type != ATTR_MP_UNREACH)
		return false;
	if (flags & AF_EXTLEN ? !cur_skip(&c, 2) : !cur_skip(&c, 1))
		return false;
	return cur_left(&c) == 3;
}

static void
count(struct peer_msgs *m, const uint8_t *msg, size_t len)
{
	uint8_t type = msg[WIRE_HDR_LEN - 1];

	if (type < MSG_N)
		m->msg[type]++;
	m->total++;
	if (type == MSG_UPDATE && len < 40 && is_eor(msg, len))
		m->eor++;
	if (type == MSG_ROUTE_REFRESH && len >= WIRE_HDR_LEN + 4 &&
	    msg[WIRE_HDR_LEN + 2] < 3)
		m->refresh[msg[WIRE_HDR_LEN + 2]]++;
}

static void
trace(struct peer *p, const struct session *s, const char *arrow,
    const uint8_t *msg, size_t len)
{
	char line[1000], octets[8];
	struct log_word w[] = { { "direction", arrow },
		{ "type", wire_type_name(msg[WIRE_HDR_LEN - 1]) },
		{ "length", octets },
		{ "connection", s->dialled ? "ours" : "its" }, { NULL, NULL } };

	if (!log_enabled(LOG_L_DEBUG) && p->traced == 0)
		return;
	if (wire_dump(msg, len,
		s->fsm.state == FSM_ESTABLISHED ? &s->neg.wire : NULL, line,
		sizeof line) >= sizeof line)
		memcpy(line + sizeof line - 4, "...", 4);
	if (p->traced == 0) {
		log_peer(p, LOG_L_DEBUG, "%s %s", arrow, line);
		return;
	}
	snprintf(octets, sizeof octets, "%zu", len);
	event(p->eng->events, EVENT_MESSAGE, LOG_L_DEBUG, p, w, "%s %s", arrow,
	    line);
}

void
peer_count_sent(
    struct peer *p, struct session *s, const uint8_t *msg, size_t len)
{
	p->last_write_ms = p->eng->now_ms;
	count(&p->tx, msg, len);
	trace(p, s, "sent", msg, len);
}

void
peer_count_received(
    struct peer *p, struct session *s, const uint8_t *msg, size_t len)
{
	p->last_read_ms = p->eng->now_ms;
	if (msg[WIRE_HDR_LEN - 1] == MSG_UPDATE) {
		p->was_quiet |= is_quiet(p);
		p->update_ms = p->eng->now_ms;
	}
	count(&p->rx, msg, len);
	trace(p, s, "received", msg, len);
}

/* why: what is wrong with what it answers, or NULL. */
static void
notif_event(struct peer *p, const struct peer_notif *k, const char *why)
{
	char code[8], sub[8];
	struct log_word w[] = { { "direction", k->sent ? "sent" : "received" },
		{ "code", code }, { "subcode", sub },
		{ "shutdown_message", k->text }, { NULL, NULL } };

	snprintf(code, sizeof code, "%u", k->code);
	snprintf(sub, sizeof sub, "%u", k->sub);
	event(p->eng->events, EVENT_NOTIFICATION, LOG_L_WARN, p, w,
	    "%s (%u/%u)%s%s", p->why, k->code, k->sub, why != NULL ? ": " : "",
	    why != NULL ? why : "");
}

void
peer_notification(struct peer *p, struct session *s, bool sent,
    const uint8_t *body, size_t len)
{
	struct peer_notif *k = &p->notif[p->nnotif++ % PEER_NOTIFS];
	const char *sub;
	bool said;
	struct wire_notif n;
	struct cur c;

	cur_init(&c, body, len);
	wire_notif_parse(&c, &n);
	p->notif_total[sent][n.code < PEER_NOTIF_CODES ? n.code : 0]
		      [n.sub < PEER_NOTIF_SUBS ? n.sub : 0]++;
	sub = wire_notif_subname(n.code, n.sub);
	said = n.text[0] != '\0';
	*k = (struct peer_notif){ .when_s = clock_real_s(),
		.sent = sent,
		.code = n.code,
		.sub = n.sub,
		.hard = n.hard,
		.len = n.len };
	if (n.len > 0)
		memcpy(k->data, n.data,
		    n.len < sizeof k->data ? n.len : sizeof k->data);
	strlcpy(k->text, n.text, sizeof k->text);
	s->notified = true;
	s->hard =
	    n.hard || (n.code == NOTIF_CEASE && n.sub == CEASE_HARD_RESET);
	snprintf(p->why, sizeof p->why, "%s NOTIFICATION %s%s%s%s%.120s%s",
	    sent ? "we sent" : "the peer sent", wire_notif_name(n.code),
	    *sub != '\0' ? ", " : "", sub, said ? ": \"" : "", n.text,
	    said ? "\"" : "");
	notif_event(p, k, sent ? s->err.why : NULL);
	if (!sent && n.code == NOTIF_OPEN && n.sub == OPEN_BAD_AS) {
		char as[64];

		snprintf(as, sizeof as, ": it expects another AS than our %u",
		    p->eng->conf->as);
		strlcat(p->why, as, sizeof p->why);
	}
	/* What is wrong with it, and not only the code's name. */
	if (sent && s->err.why != NULL) {
		strlcat(p->why, ": ", sizeof p->why);
		strlcat(p->why, s->err.why, sizeof p->why);
	}
	/* Once without capabilities when the peer knows no parameters. */
	if (!sent)
		p->no_caps = !p->no_caps && n.code == NOTIF_OPEN &&
		    n.sub == OPEN_BAD_PARAM;
	if (!sent && p->no_caps)
		log_peer(p, LOG_L_WARN,
		    "it knows no optional parameters: our next OPEN goes "
		    "without capabilities");
}

/* Of what comes again and again every doubling is told. */
static bool
worth_a_line(uint64_t count)
{
	return (count & (count - 1)) == 0;
}

void
peer_bad_message(struct peer *p, const struct session *s,
    const struct wire_err *e, const struct cur *msg)
{
	uint64_t count = evidence_add(p->evidence, s, e, msg);

	p->malformed[WIRE_RESET]++;
	if (worth_a_line(count))
		log_peer(p, LOG_L_WARN, "bad message at octet %zu: %s (%s)",
		    e->at, e->why != NULL ? e->why : "malformed",
		    e->rfc != NULL ? e->rfc : "RFC 4271 6");
}

/* RFC 7606 6: the prefixes belong into the log; the first ones will do. */
static size_t
print_prefixes(struct cur c, enum fam f, char *buf, size_t n)
{
	enum {
		MOST = 8
	};
	char text[PFX_STRLEN];
	struct pfx pfx;
	size_t many = 0;

	for (; wire_nlri_next(&c, f, &pfx); many++) {
		if (many >= MOST)
			continue;
		strlcat(buf, " ", n);
		strlcat(buf, pfx_print(&pfx, text, sizeof text), n);
	}
	return many > MOST ? many - MOST : 0;
}

void
peer_malformed(struct peer *p, const struct session *s, const struct update *u,
    const struct cur *msg)
{
	static const char *const did[] = { "accepted", "attribute discarded",
		"treated as withdraw", "session reset" };
	uint64_t count = evidence_add(p->evidence, s, &u->err, msg);
	char text[16 * (PFX_STRLEN + 1) + 64] = "", more[32];
	size_t n;

	p->malformed[u->verdict]++;
	if (!worth_a_line(count))
		return;
	if (u->verdict != WIRE_RESET) {
		n = print_prefixes(u->nlri, FAM_INET, text, sizeof text) +
		    print_prefixes(
			u->mp_reach, u->mp_reach_fam, text, sizeof text);
		snprintf(more, sizeof more, " and %zu more", n);
		if (n > 0)
			strlcat(text, more, sizeof text);
	}
	log_peer(p, LOG_L_WARN,
	    "malformed UPDATE at octet %zu (attribute %u): %s (%s), %s%s%s",
	    u->err.at, u->err.attr,
	    u->err.why != NULL ? u->err.why : "malformed",
	    u->err.rfc != NULL ? u->err.rfc : "RFC 7606", did[u->verdict],
	    text[0] != '\0' ? ":" : "", text);
}

void
peer_room(struct peer *p)
{
	if (p->member == NULL)
		return;
	adjout_resume(p->member);
	p->group->more = true;
}
