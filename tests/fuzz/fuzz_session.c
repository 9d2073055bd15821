/*
 * fuzz_session.c -- octets -> frames -> events -> FSM -> actions, with what
 * must hold after each step.  The double of the session here keeps timers as
 * flags and checks everything that it "sends" by reading it back.
 *
 * Input: an octet of options, then records.  The first octet of a record says
 * what happens: below 0x40 an event of the operator, the timers or TCP (those
 * that cannot happen now are skipped); from 0x40 on octets arrive, as many as
 * the two octets behind it say, at most.
 */
#include <string.h>

#include "bgpd/fsm/fsm.h"
#include "bgpd/fsm/negotiate.h"
#include "bgpd/wire/wire.h"
#include "tests/fuzz/must.h"

enum {
	OPT_PASSIVE = 1,
	OPT_DELAY = 2,
	OPT_EXT = 4,
	OPT_INTERNAL = 8,
	OPT_NO_CAPS = 16,
	OPT_STRICT = 32,
	OPT_HOLD0 = 64
};

struct sess {
	struct fsm f;
	struct neg_want want;
	struct wire_open sent;
	struct negotiated neg;
	struct wire_err err; /* of the event, for A_NOTIFY_EV */
	struct arena *arena;
	uint8_t opt, type; /* of the message at hand, 0: none */
	bool tcp, retry, delay, hold, ka, sendhold, up, open_sent, agreed;
	bool saw_keepalive;
	size_t rxlen;
	uint8_t rx[WIRE_MAX_EXT];
};

/* What we send must be one whole message of ours, read back. */
static void
check_sent(const struct wbuf *w, enum wire_type type)
{
	struct wire_err err;
	struct wire_hdr h;
	struct cur in, body;

	MUST(!w->over);
	cur_init(&in, w->p, w->len);
	MUST(wire_frame(&in, false, &h, &body, &err) == FRAME_MSG);
	MUST(h.type == type && cur_left(&in) == 0);
}

static void
send_notification(const struct sess *s, const struct fsm_out *out)
{
	const struct wire_err *e = &s->err;
	uint8_t buf[WIRE_MAX], code = out->code, sub = out->sub;
	const uint8_t *data = NULL;
	struct wire_notif n;
	struct cur c;
	struct wbuf w;
	size_t len = 0;

	if ((out->acts & A_NOTIFY_EV) && e->code != 0) {
		code = e->code;
		sub = e->sub;
		data = e->data != NULL ? e->data : e->buf;
		len = e->len;
	} else if (code == NOTIF_FSM && s->type != 0) {
		data = &s->type;
		len = 1;
	}
	MUST(code >= NOTIF_HEADER && code <= NOTIF_SEND_HOLD);
	wbuf_init(&w, buf, sizeof(buf));
	wire_notif_write(&w, code, sub, data, len, false);
	check_sent(&w, MSG_NOTIFICATION);
	cur_init(&c, buf + WIRE_HDR_LEN, w.len - WIRE_HDR_LEN);
	wire_notif_parse(&c, &n);
	MUST(n.code == code && n.sub == sub && n.len <= len);
}

static void
send_open(struct sess *s)
{
	struct wire_open back;
	struct wire_err err;
	uint8_t buf[WIRE_MAX];
	struct wbuf w;
	struct cur c;

	negotiate_open(&s->want, s->opt & OPT_NO_CAPS, &s->sent);
	wbuf_init(&w, buf, sizeof(buf));
	wire_open_write(&w, &s->sent);
	check_sent(&w, MSG_OPEN);
	cur_init(&c, buf + WIRE_HDR_LEN, w.len - WIRE_HDR_LEN);
	MUST(wire_open_parse(&c, &back, &err) == WIRE_OK);
	MUST(back.as == s->sent.as && back.hold_s == s->sent.hold_s);
	s->open_sent = true;
}

static void
send_keepalive(void)
{
	uint8_t buf[WIRE_HDR_LEN];
	struct wbuf w;

	wbuf_init(&w, buf, sizeof(buf));
	wire_keepalive_write(&w);
	check_sent(&w, MSG_KEEPALIVE);
}

/* A_CLOSE: the timers have actions of their own. */
static void
connection_gone(struct sess *s)
{
	s->tcp = s->open_sent = s->agreed = s->saw_keepalive = false;
	s->rxlen = 0;
}

static void
release_all(struct sess *s)
{
	connection_gone(s);
	s->delay = s->hold = s->ka = s->sendhold = s->up = false;
}

static void
apply_timers(struct sess *s, uint32_t a)
{
	bool timed = !s->agreed || s->neg.hold_s != 0;

	if (a & A_RETRY_STOP)
		s->retry = false;
	if (a & A_RETRY_START)
		s->retry = true;
	if (a & A_HOLD_STOP)
		s->hold = false;
	if (a & A_DELAY_STOP)
		s->delay = false;
	if (a & A_DELAY_START)
		s->delay = true;
	if (a & A_HOLD_LARGE)
		s->hold = true;
	if (a & A_HOLD_START)
		s->hold = timed;
	if (a & A_KA_START)
		s->ka = timed;
	if (a & A_SENDHOLD_START)
		s->sendhold = timed;
}

static void
apply(struct sess *s, const struct fsm_out *out)
{
	uint32_t a = out->acts;

	MUST((a & (A_NOTIFY | A_NOTIFY_EV)) == 0 || (a & A_DROP) != 0);
	MUST((a & A_NOTIFY) == 0 || (a & A_NOTIFY_EV) == 0);
	if ((a & (A_NOTIFY | A_NOTIFY_EV)) && s->tcp)
		send_notification(s, out);
	if (a & A_CLOSE)
		connection_gone(s);
	apply_timers(s, a);
	if (a & A_DIAL)
		MUST(!s->tcp && out->next == FSM_CONNECT);
	if (a & A_SEND_OPEN) {
		MUST(s->tcp && !s->open_sent);
		send_open(s);
	}
	if (a & A_SEND_KA) {
		MUST(s->tcp && s->open_sent && s->agreed);
		send_keepalive();
	}
	if (a & A_ESTABLISHED) {
		MUST(out->from == FSM_OPENCONFIRM && !s->up);
		s->up = true;
	}
	if (a & A_UPDATE)
		MUST(s->up);
	if (a & A_DROP) {
		MUST(out->next == FSM_IDLE);
		release_all(s);
	}
}

/* What must hold in the state, however it was reached. */
static void
check_rest(const struct sess *s)
{
	bool timed = s->neg.hold_s != 0;

	switch (s->f.state) {
	case FSM_IDLE:
		MUST(!s->tcp && !s->delay && !s->hold && !s->ka && !s->up);
		break;
	case FSM_CONNECT:
	case FSM_ACTIVE:
		MUST(!s->hold && !s->ka && !s->up && !s->open_sent);
		MUST(s->retry || s->delay);
		break;
	case FSM_OPENSENT:
		MUST(s->tcp && s->open_sent && s->hold && !s->agreed);
		break;
	case FSM_OPENCONFIRM:
		MUST(s->tcp && s->open_sent && s->agreed && !s->up);
		MUST(s->hold == timed && s->ka == timed);
		break;
	case FSM_ESTABLISHED:
		MUST(s->tcp && s->open_sent && s->agreed && s->up);
		MUST(s->saw_keepalive);
		MUST(s->hold == timed && s->ka == timed);
		MUST(s->sendhold == timed);
		break;
	case FSM_NSTATES:
	default:
		MUST(false);
	}
}

static void
step(struct sess *s, enum fsm_event ev)
{
	struct fsm_out out;
	enum fsm_state from = s->f.state;

	fsm_step(&s->f, ev, &out);
	MUST(out.from == from && out.next == s->f.state);
	MUST((unsigned int)out.next < FSM_NSTATES);
	if (ev == EV24_NOTIF_VERSION || ev == EV25_NOTIF)
		MUST((out.acts & (A_NOTIFY | A_NOTIFY_EV)) == 0);
	apply(s, &out);
	check_rest(s);
	s->err.code = 0;
}

static void
walk_nlri(struct cur c, enum fam fam)
{
	struct pfx p;

	while (wire_nlri_next(&c, fam, &p))
		MUST(p.len <= fam_bits(fam));
}

static enum fsm_event
on_open(struct sess *s, struct cur *body)
{
	struct wire_open o;

	/* A second one: RFC 6608 4, whatever it holds. */
	if (s->f.state == FSM_OPENCONFIRM || s->f.state == FSM_ESTABLISHED)
		return EV19_OPEN;
	if (!s->open_sent)
		negotiate_open(&s->want, s->opt & OPT_NO_CAPS, &s->sent);
	if (wire_open_parse(body, &o, &s->err) != WIRE_OK ||
	    negotiate(&s->want, &s->sent, &o, &s->neg, &s->err) != WIRE_OK) {
		MUST(s->err.verdict == WIRE_RESET && s->err.why != NULL);
		MUST(s->err.code == NOTIF_OPEN || s->err.code == NOTIF_HEADER);
		return EV22_OPEN_ERR;
	}
	MUST(s->neg.wire.mp[FAM_INET] || s->neg.wire.mp[FAM_INET6]);
	MUST(s->neg.hold_s == 0 || s->neg.hold_s >= 3);
	MUST((s->neg.keepalive_s == 0) == (s->neg.hold_s == 0));
	s->agreed = s->f.state == FSM_OPENSENT || s->delay;
	return s->delay ? EV20_OPEN_DELAYED : EV19_OPEN;
}

static enum fsm_event
on_update(struct sess *s, struct cur *body)
{
	struct update u;

	if (s->f.state != FSM_ESTABLISHED)
		return EV27_UPDATE;
	if (wire_update_parse(body, &s->neg.wire, &u, s->arena) == WIRE_RESET) {
		s->err = u.err;
		MUST(s->err.code != 0 && s->err.why != NULL);
		return EV28_UPDATE_ERR;
	}
	walk_nlri(u.withdrawn, FAM_INET);
	walk_nlri(u.nlri, FAM_INET);
	walk_nlri(u.mp_unreach, u.mp_unreach_fam);
	walk_nlri(u.mp_reach, u.mp_reach_fam);
	return EV27_UPDATE;
}

static enum fsm_event
on_refresh(struct sess *s, struct cur *body)
{
	struct wire_refresh r;

	if (s->f.state == FSM_ESTABLISHED &&
	    wire_refresh_parse(body, s->neg.enhanced_refresh, &r, &s->err) !=
		WIRE_OK)
		return EV28_UPDATE_ERR;
	return EV27_UPDATE;
}

static void
message(struct sess *s, struct cur *body)
{
	struct wire_notif n;

	switch (s->type) {
	case MSG_OPEN:
		step(s, on_open(s, body));
		break;
	case MSG_UPDATE:
		step(s, on_update(s, body));
		break;
	case MSG_NOTIFICATION:
		wire_notif_parse(body, &n);
		MUST(memchr(n.text, '\0', sizeof(n.text)) != NULL);
		step(s,
		    n.code == NOTIF_OPEN && n.sub == OPEN_BAD_VERSION
			? EV24_NOTIF_VERSION
			: EV25_NOTIF);
		break;
	case MSG_KEEPALIVE:
		s->saw_keepalive |= s->f.state == FSM_OPENCONFIRM;
		step(s, EV26_KEEPALIVE);
		break;
	case MSG_ROUTE_REFRESH:
		step(s, on_refresh(s, body));
		break;
	default:
		MUST(false);
	}
}

/* All whole messages of the buffer, as long as the connection lives. */
static void
frames(struct sess *s)
{
	struct cur in, body;
	struct wire_hdr h;
	enum wire_frame got;

	while (s->tcp) {
		cur_init(&in, s->rx, s->rxlen);
		got = wire_frame(&in, s->opt & OPT_EXT, &h, &body, &s->err);
		if (got == FRAME_MORE) {
			MUST(s->rxlen < sizeof(s->rx));
			s->err.code = 0;
			return;
		}
		if (got == FRAME_BAD) {
			MUST(s->err.code == NOTIF_HEADER && s->err.sub >= 1 &&
			    s->err.sub <= 3);
			step(s, EV21_HDR_ERR);
			MUST(s->f.state == FSM_IDLE);
			return;
		}
		MUST(h.len >= WIRE_HDR_LEN && h.len <= s->rxlen);
		MUST(cur_left(&body) == (size_t)h.len - WIRE_HDR_LEN);
		s->type = h.type;
		s->err.code = 0;
		message(s, &body);
		arena_reset(s->arena);
		s->type = 0;
		if (s->rxlen == 0)
			return;
		s->rxlen -= h.len;
		memmove(s->rx, s->rx + h.len, s->rxlen);
	}
}

static void
receive(struct sess *s, struct cur *c)
{
	while (s->tcp && cur_left(c) > 0) {
		size_t n = cur_left(c), room = sizeof(s->rx) - s->rxlen;

		if (n > room)
			n = room;
		MUST(n > 0);
		MUST(cur_bytes(c, s->rx + s->rxlen, n));
		s->rxlen += n;
		frames(s);
	}
}

static void
tcp_up(struct sess *s, bool dialled)
{
	if (s->tcp) /* a second connection has its own FSM */
		return;
	if (dialled && s->f.state != FSM_CONNECT)
		return;
	s->tcp = true;
	if (s->opt & OPT_DELAY)
		step(s, EV30_TCP_UP_DELAY);
	else
		step(s, dialled ? EV16_TCP_ACKED : EV17_TCP_CONFIRMED);
}

static void
start(struct sess *s, bool damped)
{
	bool passive = s->opt & OPT_PASSIVE;

	if (damped)
		step(s,
		    passive ? EV07_AUTO_START_DAMP_PASSIVE
			    : EV06_AUTO_START_DAMP);
	else
		step(s, passive ? EV05_AUTO_START_PASSIVE : EV03_AUTO_START);
}

/* A timer rings only when it runs. */
static void
rings(struct sess *s, bool *timer, enum fsm_event ev)
{
	if (!*timer)
		return;
	*timer = false;
	step(s, ev);
}

static void
happens(struct sess *s, uint8_t what)
{
	switch (what % 14) {
	case 0:
	case 1:
		start(s, what % 14);
		break;
	case 2:
		step(s, EV02_MANUAL_STOP);
		break;
	case 3:
		step(s, EV08_AUTO_STOP);
		break;
	case 4:
		if (s->f.state == FSM_CONNECT || s->f.state == FSM_ACTIVE)
			rings(s, &s->retry, EV09_RETRY_EXPIRES);
		break;
	case 5:
		rings(s, &s->hold, EV10_HOLD_EXPIRES);
		break;
	case 6:
		rings(s, &s->ka, EV11_KEEPALIVE_EXPIRES);
		break;
	case 7:
		rings(s, &s->delay, EV12_DELAY_OPEN_EXPIRES);
		break;
	case 8:
		rings(s, &s->sendhold, EV29_SEND_HOLD_EXPIRES);
		break;
	case 9:
		if (s->f.state == FSM_IDLE)
			step(s, EV13_IDLE_HOLD_EXPIRES);
		break;
	case 10:
	case 11:
		tcp_up(s, what % 14 == 10);
		break;
	case 12:
		if (s->tcp || s->f.state == FSM_CONNECT)
			step(s, EV18_TCP_FAILS);
		break;
	case 13:
		step(s, EV23_COLLISION_DUMP);
		break;
	default:
		MUST(false);
	}
}

static void
configure(struct sess *s, uint8_t opt)
{
	s->opt = opt;
	s->want = (struct neg_want){
		.local_as = 52580,
		.peer_as = opt & OPT_INTERNAL ? 52580 : 64500,
		.id = 0x0a000001,
		.hold_s = 90,
		.hold_min_s = opt & OPT_HOLD0 ? 0 : 9,
		.fam = { [FAM_INET] = true, [FAM_INET6] = true },
		.refresh = true,
		.enhanced_refresh = true,
		.ext_msg = opt & OPT_EXT,
		.as4 = true,
		.ext_nexthop = true,
		.role = ROLE_CUSTOMER,
		.role_strict = opt & OPT_STRICT,
		.gr = true,
		.gr_notification = true,
		.gr_time_s = 120,
	};
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct sess s; /* 64 KiB of buffer: not for the stack */
	struct arena arena;
	struct cur c, chunk;
	uint8_t what;
	uint16_t n;

	if (size == 0)
		return 0;
	memset(&s, 0, sizeof(s));
	arena_init(&arena);
	s.arena = &arena;
	configure(&s, data[0]);
	fsm_init(&s.f, FSM_IDLE);
	cur_init(&c, data + 1, size - 1);
	while (cur_u8(&c, &what)) {
		if (what < 0x40) {
			happens(&s, what);
			continue;
		}
		if (!cur_u16(&c, &n))
			break;
		if (!cur_sub(&c, n, &chunk))
			MUST(cur_sub(&c, cur_left(&c), &chunk));
		receive(&s, &chunk);
	}
	arena_fini(&arena);
	return 0;
}
