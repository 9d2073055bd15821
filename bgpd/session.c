#include "bgpd/session.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bgpd/engine.h"
#include "bgpd/log.h"
#include "bgpd/peer.h"
#include "lib/mem.h"
#include "platform/sock.h"

enum {
	HOLD_LARGE_S = 240, /* RFC 4271 8.2.2 */
	SEND_HOLD_MIN_S = 8 * 60, /* RFC 9687 4.4 */
	LINGER_MS = 3000,
	READ_MAX = 16 * 1024, /* a turn: others wait for what it brings */
	BULK = READ_MAX / 2, /* who sends so much at once sends a table */
	BULK_WAIT_MS = 20, /* at most, while the rest of the turn is behind */
};

/*
 * What is left of a connection that we ended: a last message on its way.
 * Closing at once, with octets of the peer unread, would make the kernel send
 * a reset that can overtake the NOTIFICATION.
 */
struct farewell {
	LIST_ENTRY(farewell) entry;
	struct engine *eng;
	struct ev_io *io;
	struct timer timer;
	uint8_t *tx;
	size_t pos, len;
	int fd;
};

static void
farewell_free(struct farewell *l)
{
	timer_stop(&l->eng->timers, &l->timer);
	ev_io_free(l->io);
	close(l->fd);
	free(l->tx);
	LIST_REMOVE(l, entry);
	l->eng->nlinger--;
	free(l);
}

void
session_farewells_end(struct engine *eng)
{
	while (!LIST_EMPTY(&eng->farewells))
		farewell_free(LIST_FIRST(&eng->farewells));
}

static void
farewell_expired(void *arg, uint64_t now)
{
	farewell_free(arg);
}

static void
farewell_io(void *arg, bool readable, bool writable)
{
	struct farewell *l = arg;
	uint8_t sink[4096];
	ssize_t n;

	if (l->pos < l->len) {
		n = send(l->fd, l->tx + l->pos, l->len - l->pos, MSG_NOSIGNAL);
		if (n > 0)
			l->pos += (size_t)n;
		else if (n == -1 && errno != EAGAIN && errno != EINTR) {
			farewell_free(l);
			return;
		}
		if (l->pos == l->len) {
			shutdown(l->fd, SHUT_WR);
			ev_io_want(l->io, true, false);
		}
	}
	if (!readable)
		return;
	n = recv(l->fd, sink, sizeof sink, 0);
	if (n == 0 || (n == -1 && errno != EAGAIN && errno != EINTR))
		farewell_free(l);
}

/* Takes fd over; sends those octets, then waits for the peer to close. */
static void
farewell_start(struct engine *eng, int fd, const uint8_t *tx, size_t len)
{
	struct farewell *l;

	if (eng->nlinger >= ENGINE_LINGER_MAX) {
		close(fd);
		return;
	}
	l = mem_alloc(sizeof *l);
	l->eng = eng;
	l->fd = fd;
	l->len = len;
	l->tx = mem_alloc(len);
	memcpy(l->tx, tx, len);
	l->io = ev_io_new(eng->ev, fd, farewell_io, l);
	timer_init(&l->timer, "linger", farewell_expired, l);
	timer_set(&eng->timers, &l->timer, eng->now_ms, LINGER_MS);
	LIST_INSERT_HEAD(&eng->farewells, l, entry);
	eng->nlinger++;
	if (len == 0)
		shutdown(fd, SHUT_WR);
	ev_io_want(l->io, true, len > 0);
}

void
session_refuse(struct engine *eng, int fd, uint8_t code, uint8_t sub)
{
	uint8_t msg[WIRE_MAX];
	struct wbuf w;

	wbuf_init(&w, msg, sizeof msg);
	wire_notif_write(&w, code, sub, NULL, 0, false);
	farewell_start(eng, fd, msg, w.len);
}

/* RFC 4271 10: 75 to 100 % of the value, so that peers do not march. */
static uint64_t
jitter_ms(uint64_t s)
{
	return s * 750 + arc4random_uniform((uint32_t)(s * 250) + 1);
}

/* RFC 4271 4.4: at most one a second, with the jitter, too. */
static uint64_t
keepalive_ms(const struct session *s)
{
	uint64_t ms = jitter_ms(s->neg.keepalive_s);

	return ms < 1000 ? 1000 : ms;
}

static void
arm(struct session *s, struct timer *t, uint64_t ms)
{
	timer_set(&s->peer->eng->timers, t, s->peer->eng->now_ms, ms);
}

static void
disarm(struct session *s, struct timer *t)
{
	timer_stop(&s->peer->eng->timers, t);
}

static void
on_retry(void *arg, uint64_t now)
{
	struct session *s = arg;

	if (s->connecting)
		peer_tcp_lost(s->peer, s, ETIMEDOUT);
	session_event(s, EV09_RETRY_EXPIRES);
}

static void
on_hold(void *arg, uint64_t now)
{
	session_event(arg, EV10_HOLD_EXPIRES);
}

static void
on_keepalive(void *arg, uint64_t now)
{
	session_event(arg, EV11_KEEPALIVE_EXPIRES);
}

static void
on_delay_open(void *arg, uint64_t now)
{
	session_event(arg, EV12_DELAY_OPEN_EXPIRES);
}

static void
on_send_hold(void *arg, uint64_t now)
{
	session_event(arg, EV29_SEND_HOLD_EXPIRES);
}

struct session *
session_new(struct peer *p, bool dialled)
{
	struct session *s = mem_alloc(sizeof *s);

	s->peer = p;
	s->dialled = dialled;
	s->fd = -1;
	fsm_init(&s->fsm, dialled ? FSM_IDLE : FSM_ACTIVE);
	timer_init(&s->retry, "ConnectRetryTimer", on_retry, s);
	timer_init(&s->hold, "HoldTimer", on_hold, s);
	timer_init(&s->keepalive, "KeepaliveTimer", on_keepalive, s);
	timer_init(&s->delay_open, "DelayOpenTimer", on_delay_open, s);
	timer_init(&s->send_hold, "SendHoldTimer", on_send_hold, s);
	return s;
}

static void
stop_timers(struct session *s)
{
	disarm(s, &s->retry);
	disarm(s, &s->hold);
	disarm(s, &s->keepalive);
	disarm(s, &s->delay_open);
	disarm(s, &s->send_hold);
}

/* said: a NOTIFICATION may be on its way, so let it arrive. */
static void
close_connection(struct session *s, bool said)
{
	if (s->fd == -1)
		return;
	ev_io_free(s->io);
	s->io = NULL;
	if (said)
		farewell_start(s->peer->eng, s->fd, s->tx + s->tx_pos,
		    s->tx_len - s->tx_pos);
	else
		close(s->fd);
	s->fd = -1;
	if (s->unsent)
		LIST_REMOVE(s, unsent_entry);
	s->unsent = s->connecting = false;
	/* rx stays: somebody may be in the middle of one of its messages. */
	free(s->tx);
	s->tx = NULL;
	s->rx_len = s->tx_pos = s->tx_len = s->tx_cap = 0;
	s->open_seen = false;
}

void
session_free(struct session *s)
{
	stop_timers(s);
	close_connection(s, false);
	free(s->rx);
	free(s);
}

void
session_rest(struct session *s)
{
	if (s->fd != -1)
		return;
	free(s->rx);
	s->rx = NULL;
}

/* ---- sending ---------------------------------------------------------- */

static void
want(struct session *s)
{
	ev_io_want(
	    s->io, !s->connecting, s->connecting || s->tx_pos < s->tx_len);
}

size_t
session_queued(const struct session *s)
{
	return s->tx_len - s->tx_pos;
}

bool
session_has_room(const struct session *s)
{
	return s->fd != -1 && session_queued(s) < SESSION_TX_HIGH;
}

static void
tx_reserve(struct session *s, size_t n)
{
	if (s->tx_pos > 0 && s->tx_len + n > s->tx_cap) {
		memmove(s->tx, s->tx + s->tx_pos, s->tx_len - s->tx_pos);
		s->tx_len -= s->tx_pos;
		s->tx_pos = 0;
	}
	if (s->tx_len + n <= s->tx_cap)
		return;
	s->tx_cap = s->tx_len + n < 8192 ? 8192 : 2 * (s->tx_len + n);
	s->tx = mem_realloc(s->tx, s->tx_cap, 1);
}

static void
append(struct session *s, const uint8_t *msg, size_t len)
{
	tx_reserve(s, len);
	memcpy(s->tx + s->tx_len, msg, len);
	s->tx_len += len;
	peer_count_sent(s->peer, s, msg, len);
}

/* Whatever the queue holds; for messages of the session itself. */
static void
queue(struct session *s, const uint8_t *msg, size_t len)
{
	if (s->fd == -1)
		return;
	append(s, msg, len);
	if (s->io != NULL)
		want(s);
}

/* Goes in this turn: who waits for a route waits no longer than that. */
bool
session_send(struct session *s, const uint8_t *msg, size_t len)
{
	if (s->fd == -1)
		return false;
	append(s, msg, len);
	if (!s->unsent)
		LIST_INSERT_HEAD(&s->peer->eng->unsent, s, unsent_entry);
	s->unsent = true;
	return session_has_room(s);
}

static void
send_notification(struct session *s, uint8_t code, uint8_t sub,
    const uint8_t *data, size_t len)
{
	/* RFC 8538 5: what ends the peering, and is no mere interruption. */
	bool hard = s->open_seen && s->neg.gr_notification &&
	    code == NOTIF_CEASE &&
	    (sub == CEASE_MAX_PREFIX || sub == CEASE_SHUTDOWN ||
		sub == CEASE_DECONFIGURED || sub == CEASE_BFD_DOWN ||
		(sub == CEASE_RESET && s->peer->hard_reset));
	uint8_t msg[WIRE_MAX];
	struct wbuf w;

	wbuf_init(&w, msg, sizeof msg);
	wire_notif_write(&w, code, sub, data, len, hard);
	queue(s, msg, w.len);
	peer_notification(
	    s->peer, s, true, msg + WIRE_HDR_LEN, w.len - WIRE_HDR_LEN);
}

static void
send_open(struct session *s)
{
	uint8_t msg[WIRE_MAX];
	struct wbuf w;

	peer_open(s->peer, &s->sent);
	wbuf_init(&w, msg, sizeof msg);
	wire_open_write(&w, &s->sent);
	queue(s, msg, w.len);
}

static void
send_keepalive(struct session *s)
{
	uint8_t msg[WIRE_HDR_LEN];
	struct wbuf w;

	/* It reads nothing: the SendHoldTimer ends it, more would not help. */
	if (session_queued(s) > SESSION_TX_MAX)
		return;
	wbuf_init(&w, msg, sizeof msg);
	wire_keepalive_write(&w);
	queue(s, msg, w.len);
}

/* RFC 9687 4.4. */
static uint64_t
send_hold_ms(const struct session *s)
{
	uint64_t twice = 2 * (uint64_t)s->neg.hold_s;

	return 1000 * (twice > SEND_HOLD_MIN_S ? twice : SEND_HOLD_MIN_S);
}

/* What TCP takes; false: it failed. */
static bool
transmit(struct session *s)
{
	bool had_room = session_has_room(s);
	ssize_t n;

	n = send(s->fd, s->tx + s->tx_pos, s->tx_len - s->tx_pos, MSG_NOSIGNAL);
	if (n == -1)
		return errno == EAGAIN || errno == EINTR;
	s->tx_pos += (size_t)n;
	s->last_write_ms = s->peer->eng->now_ms;
	if (s->tx_pos == s->tx_len) {
		s->tx_pos = s->tx_len = 0;
		if (s->tx_cap > SESSION_TX_KEEP) {
			free(s->tx);
			s->tx = NULL;
			s->tx_cap = 0;
		}
	}
	if (s->send_hold.armed)
		arm(s, &s->send_hold, send_hold_ms(s));
	if (!had_room && session_has_room(s))
		peer_room(s->peer);
	return true;
}

static void
writable(struct session *s)
{
	if (transmit(s))
		want(s);
	else
		session_event(s, EV18_TCP_FAILS);
}

/* What failed is writable() in the next turn, behind what the peer said. */
bool
session_send_all(struct engine *eng)
{
	struct session *s;
	bool room = false;

	while ((s = LIST_FIRST(&eng->unsent)) != NULL) {
		bool had_room = session_has_room(s);

		LIST_REMOVE(s, unsent_entry);
		s->unsent = false;
		if (session_queued(s) > 0)
			transmit(s);
		want(s);
		room |= !had_room && session_has_room(s);
	}
	return room;
}

/* ---- receiving -------------------------------------------------------- */

/* RFC 6608: the data of an FSM error is the type octet. */
static void
unexpected(struct session *s, enum fsm_event ev, uint8_t type)
{
	static const uint8_t sub[FSM_NSTATES] = {
		[FSM_OPENSENT] = FSM_SUB_OPENSENT,
		[FSM_OPENCONFIRM] = FSM_SUB_OPENCONFIRM,
		[FSM_ESTABLISHED] = FSM_SUB_ESTABLISHED,
	};

	s->err = (struct wire_err){ .buf = { type },
		.len = 1,
		.verdict = WIRE_RESET,
		.code = NOTIF_FSM,
		.sub = sub[s->fsm.state],
		.at = WIRE_HDR_LEN - 1,
		.rfc = "RFC 6608 4",
		.why = "this message is not expected in this state" };
	peer_bad_message(s->peer, s, &s->err, &s->msg);
	session_event(s, ev);
}

static void
on_open(struct session *s, struct cur *body)
{
	bool waits = s->fsm.state == FSM_OPENSENT || s->delay_open.armed;
	enum fsm_event ev = s->delay_open.armed ? EV20_OPEN_DELAYED : EV19_OPEN;
	struct neg_want w;

	if (!waits || s->open_seen) {
		unexpected(s, EV19_OPEN, MSG_OPEN);
		return;
	}
	peer_want(s->peer, &w);
	if (s->delay_open.armed)
		peer_open(s->peer, &s->sent);
	if (wire_open_parse(body, &s->received, &s->err) != WIRE_OK ||
	    negotiate(&w, &s->sent, &s->received, &s->neg, &s->err) !=
		WIRE_OK) {
		peer_bad_message(s->peer, s, &s->err, &s->msg);
		session_event(s, EV22_OPEN_ERR);
		return;
	}
	s->open_seen = true;
	if (peer_collision(s->peer, s))
		session_event(s, ev);
}

static void
on_update(struct session *s, struct cur *body)
{
	struct engine *eng = s->peer->eng;
	struct update upd;

	if (s->fsm.state != FSM_ESTABLISHED) {
		unexpected(s, EV27_UPDATE, MSG_UPDATE);
		return;
	}
	arena_reset(&eng->arena);
	if (wire_update_parse(body, &s->neg.wire, &upd, &eng->arena) != WIRE_OK)
		peer_malformed(s->peer, s, &upd, &s->msg);
	if (upd.verdict == WIRE_RESET) {
		s->err = upd.err;
		session_event(s, EV28_UPDATE_ERR);
		return;
	}
	session_event(s, EV27_UPDATE);
	if (s->fsm.state == FSM_ESTABLISHED)
		peer_update(s->peer, &upd);
}

static void
on_notification(struct session *s, struct cur *body)
{
	bool version = cur_left(body) >= 2 && body->p[0] == NOTIF_OPEN &&
	    body->p[1] == OPEN_BAD_VERSION;

	peer_notification(s->peer, s, false, body->p, cur_left(body));
	session_event(s, version ? EV24_NOTIF_VERSION : EV25_NOTIF);
}

static void
on_refresh(struct session *s, struct cur *body)
{
	struct wire_refresh r;

	if (s->fsm.state != FSM_ESTABLISHED) {
		unexpected(s, EV27_UPDATE, MSG_ROUTE_REFRESH);
		return;
	}
	if (wire_refresh_parse(body, s->received.caps.enhanced_refresh, &r,
		&s->err) != WIRE_OK) {
		peer_bad_message(s->peer, s, &s->err, &s->msg);
		session_event(s, EV28_UPDATE_ERR);
		return;
	}
	session_event(s, EV27_UPDATE);
	if (s->fsm.state == FSM_ESTABLISHED)
		peer_refresh(s->peer, &r);
}

static void
on_message(struct session *s, const struct wire_hdr *h, struct cur *body)
{
	peer_count_received(s->peer, s, s->msg.p, cur_left(&s->msg));
	switch (h->type) {
	case MSG_OPEN:
		on_open(s, body);
		break;
	case MSG_UPDATE:
		on_update(s, body);
		break;
	case MSG_NOTIFICATION:
		on_notification(s, body);
		break;
	case MSG_KEEPALIVE:
		if (s->fsm.state == FSM_OPENSENT)
			unexpected(s, EV26_KEEPALIVE, MSG_KEEPALIVE);
		else
			session_event(s, EV26_KEEPALIVE);
		break;
	default:
		on_refresh(s, body);
		break;
	}
}

/* Every whole message of the receive buffer. */
static void
consume(struct session *s)
{
	struct cur in, body;
	enum wire_frame f;
	struct wire_hdr h;

	cur_init(&in, s->rx, s->rx_len);
	for (;;) {
		s->msg = in;
		f = wire_frame(&in, s->sent.caps.ext_msg, &h, &body, &s->err);
		if (f != FRAME_MSG)
			break;
		s->msg.end = in.p;
		on_message(s, &h, &body);
		if (s->fd == -1)
			return;
	}
	if (f == FRAME_BAD) {
		peer_bad_message(s->peer, s, &s->err, &s->msg);
		session_event(s, EV21_HDR_ERR);
		return;
	}
	s->rx_len = cur_left(&in);
	memmove(s->rx, in.p, s->rx_len);
}

/* The same, timed: what each UPDATE of them took, all told. */
static void
consume_timed(struct session *s)
{
	struct engine *eng = s->peer->eng;
	const uint64_t *n = &s->peer->rx.msg[MSG_UPDATE], before = *n;
	uint64_t start = eng->world.clock_us();

	consume(s);
	if (*n > before)
		hist_add(&eng->updates,
		    (eng->world.clock_us() - start) / (*n - before),
		    *n - before);
}

/*
 * What is read must be decided and told: a table that is read faster than that
 * would stand between a change of another peer and those who wait for it.  So
 * it stays with TCP for a while; the hold timer cannot notice.
 */
static bool
must_wait(const struct session *s)
{
	const struct engine *eng = s->peer->eng;

	return s->bulk && eng->behind &&
	    eng->now_ms - s->last_read_ms < BULK_WAIT_MS;
}

static void
readable(struct session *s)
{
	size_t room = SESSION_RX - s->rx_len;
	ssize_t n;

	if (must_wait(s))
		return;
	n = recv(
	    s->fd, s->rx + s->rx_len, room < READ_MAX ? room : READ_MAX, 0);
	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		peer_tcp_lost(s->peer, s, n == 0 ? 0 : errno);
		session_event(s, EV18_TCP_FAILS);
		return;
	}
	s->bulk = n >= BULK;
	s->rx_len += (size_t)n;
	s->last_read_ms = s->peer->eng->now_ms;
	consume_timed(s);
}

static void
connected(struct session *s)
{
	const struct engine_world *world = &s->peer->eng->world;
	int err = sock_result(s->fd);

	s->connecting = false;
	if (err == 0)
		err = world->local(s->fd, &s->local, &s->local_port);
	if (err == 0)
		err = world->remote(s->fd, &s->remote, &s->remote_port);
	if (err != 0) {
		peer_tcp_lost(s->peer, s, -err);
		session_event(s, EV18_TCP_FAILS);
		return;
	}
	want(s);
	session_event(s,
	    s->peer->conf->delay_open_s > 0 ? EV30_TCP_UP_DELAY
					    : EV16_TCP_ACKED);
}

static void
on_io(void *arg, bool r, bool w)
{
	struct session *s = arg;

	if (s->connecting) {
		connected(s);
		return;
	}
	/* First what the peer said: its NOTIFICATION may be the reason why
	 * nothing can be written any more. */
	if (r)
		readable(s);
	if (w && s->fd != -1 && !s->connecting && s->tx_pos < s->tx_len)
		writable(s);
}

/* ---- the FSM's actions ------------------------------------------------ */

static void
take_fd(struct session *s, int fd, bool connecting)
{
	s->fd = fd;
	s->connecting = connecting;
	s->notified = s->hard = false;
	if (s->rx == NULL)
		s->rx = mem_realloc(NULL, SESSION_RX, 1);
	s->io = ev_io_new(s->peer->eng->ev, fd, on_io, s);
	want(s);
}

static void
dial(struct session *s)
{
	struct engine *eng = s->peer->eng;
	int fd = eng->world.dial(eng, s->peer);

	if (fd < 0) {
		peer_tcp_lost(s->peer, s, -fd);
		s->next_event = EV18_TCP_FAILS;
		return;
	}
	take_fd(s, fd, true);
}

static void
notify(struct session *s, const struct fsm_out *o)
{
	const struct wire_err *e = &s->err;
	const uint8_t *data = e->data != NULL ? e->data : e->buf;

	if (s->fd == -1 || s->connecting)
		return;
	if (o->acts & A_NOTIFY_EV || e->code != 0)
		send_notification(s, e->code, e->sub, data, e->len);
	else if (o->acts & A_NOTIFY)
		send_notification(s, o->code, o->sub, data, e->len);
}

static void
timer_actions(struct session *s, uint32_t a)
{
	if (a & A_RETRY_STOP)
		disarm(s, &s->retry);
	if (a & A_RETRY_START && !s->peer->conf->passive)
		arm(s, &s->retry, jitter_ms(peer_retry_s(s->peer)));
	if (a & A_HOLD_STOP)
		disarm(s, &s->hold);
	if (a & A_DELAY_STOP)
		disarm(s, &s->delay_open);
	if (a & A_DELAY_START)
		arm(s, &s->delay_open, jitter_ms(s->peer->conf->delay_open_s));
}

static void
start_actions(struct session *s, uint32_t a)
{
	if (a & A_HOLD_LARGE)
		arm(s, &s->hold, HOLD_LARGE_S * 1000ull);
	if (a & A_SEND_KA)
		send_keepalive(s);
	if (a & A_HOLD_START && s->neg.hold_s > 0)
		arm(s, &s->hold, s->neg.hold_s * 1000ull);
	else if (a & A_HOLD_START)
		disarm(s, &s->hold);
	if (a & A_KA_START && s->neg.keepalive_s > 0)
		arm(s, &s->keepalive, keepalive_ms(s));
	else if (a & A_KA_START)
		disarm(s, &s->keepalive);
	if (a & A_SENDHOLD_START && s->neg.hold_s > 0)
		arm(s, &s->send_hold, send_hold_ms(s));
}

/* The one place that carries out what the FSM asks for, in its bits' order. */
static void
session_apply(struct session *s, const struct fsm_out *o)
{
	uint32_t a = o->acts;

	if (a & (A_NOTIFY | A_NOTIFY_EV))
		notify(s, o);
	if (a & (A_CLOSE | A_DROP)) {
		close_connection(s, a & (A_NOTIFY | A_NOTIFY_EV));
		stop_timers(s);
	}
	timer_actions(s, a);
	if (a & A_DIAL)
		dial(s);
	if (a & A_SEND_OPEN)
		send_open(s);
	start_actions(s, a);
}

void
session_event(struct session *s, enum fsm_event ev)
{
	struct peer *p = s->peer;
	struct fsm_out out;

	while (ev != 0) {
		s->next_event = 0;
		fsm_step(&s->fsm, ev, &out);
		session_apply(s, &out);
		peer_step(p, s, ev, &out);
		ev = s->next_event;
	}
	memset(&s->err, 0, sizeof s->err);
}

void
session_accepted(struct session *s, int fd)
{
	const struct engine_world *world = &s->peer->eng->world;

	if (world->local(fd, &s->local, &s->local_port) != 0 ||
	    world->remote(fd, &s->remote, &s->remote_port) != 0) {
		close(fd);
		peer_accept_failed(s->peer, s);
		return;
	}
	take_fd(s, fd, false);
	session_event(s,
	    s->peer->conf->delay_open_s > 0 ? EV30_TCP_UP_DELAY
					    : EV17_TCP_CONFIRMED);
}

void
session_stop(struct session *s, enum fsm_event ev, uint8_t code, uint8_t sub,
    const uint8_t *data, size_t len)
{
	s->err = (struct wire_err){ .verdict = WIRE_RESET,
		.code = code,
		.sub = sub,
		.data = data,
		.len = data != NULL ? len : 0 };
	session_event(s, ev);
}
