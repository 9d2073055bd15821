/*
 * test_fsm.c -- paths through the machine, with a small double of the session
 * that keeps what the actions would leave behind.  Each cell by itself is the
 * subject of tests/fsm.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "bgpd/fsm/fsm.h"

/* What a session would hold. */
struct sim {
	struct fsm f;
	struct fsm_out out;
	bool tcp, retry, hold, hold_large, ka, delay, sendhold, up;
	unsigned int crc, damp, opens, kas, notifs, dials, updates;
	unsigned int code, sub; /* of the last NOTIFICATION */
};

static void
apply_stops(struct sim *s, uint32_t a)
{
	if (a & (A_NOTIFY | A_NOTIFY_EV)) {
		assert_true(s->out.code != 0);
		s->notifs++;
		s->code = s->out.code;
		s->sub = s->out.sub;
	}
	if (a & A_CLOSE)
		s->tcp = false;
	if (a & A_RETRY_STOP)
		s->retry = false;
	if (a & A_RETRY_START)
		s->retry = true;
	if (a & A_HOLD_STOP)
		s->hold = s->hold_large = false;
	if (a & A_DELAY_STOP)
		s->delay = false;
	if (a & A_DELAY_START)
		s->delay = true;
	if (a & A_CRC_ZERO)
		s->crc = 0;
	s->crc += (a & A_CRC_INC) != 0;
	s->dials += (a & A_DIAL) != 0;
}

static void
apply(struct sim *s)
{
	uint32_t a = s->out.acts;

	apply_stops(s, a);
	s->opens += (a & A_SEND_OPEN) != 0;
	if (a & A_HOLD_LARGE)
		s->hold = s->hold_large = true;
	s->kas += (a & A_SEND_KA) != 0;
	if (a & A_HOLD_START) {
		s->hold = true;
		s->hold_large = false;
	}
	if (a & A_KA_START)
		s->ka = true;
	if (a & A_SENDHOLD_START)
		s->sendhold = true;
	if (a & A_ESTABLISHED)
		s->up = true;
	s->updates += (a & A_UPDATE) != 0;
	s->damp += (a & A_DAMP) != 0;
	if (a & A_DROP)
		s->tcp = s->hold = s->hold_large = s->ka = s->delay =
		    s->sendhold = s->up = false;
}

static void
step(struct sim *s, enum fsm_event ev)
{
	if (ev == EV16_TCP_ACKED || ev == EV17_TCP_CONFIRMED ||
	    ev == EV30_TCP_UP_DELAY)
		s->tcp = true;
	if (ev == EV18_TCP_FAILS)
		s->tcp = false;
	fsm_step(&s->f, ev, &s->out);
	apply(s);
}

/* What must hold in a state, however it was reached. */
static void
check_rest(const struct sim *s)
{
	switch (s->f.state) {
	case FSM_IDLE:
		assert_false(s->tcp || s->hold || s->ka || s->delay ||
		    s->sendhold || s->up);
		break;
	case FSM_CONNECT:
	case FSM_ACTIVE:
		assert_false(s->hold || s->ka || s->sendhold || s->up);
		/* Something always gets us out. */
		assert_true(s->retry || s->delay);
		break;
	case FSM_OPENSENT:
		assert_true(s->tcp && s->hold && s->hold_large);
		assert_false(s->ka || s->sendhold || s->up || s->retry);
		break;
	case FSM_OPENCONFIRM:
		assert_true(s->tcp && s->hold && !s->hold_large && s->ka);
		assert_false(s->sendhold || s->up || s->retry || s->delay);
		break;
	case FSM_ESTABLISHED:
		assert_true(s->tcp && s->hold && s->ka && s->sendhold && s->up);
		assert_false(s->retry || s->delay || s->hold_large);
		break;
	case FSM_NSTATES:
	default:
		fail();
	}
}

static void
run(struct sim *s, const enum fsm_event *ev, enum fsm_state want)
{
	for (; *ev != 0; ev++) {
		step(s, *ev);
		check_rest(s);
	}
	assert_string_equal(fsm_state_name(s->f.state), fsm_state_name(want));
}
#define RUN(s, want, ...) \
	run(s, (const enum fsm_event[]){ __VA_ARGS__, 0 }, want)

static void
establish(struct sim *s)
{
	memset(s, 0, sizeof(*s));
	fsm_init(&s->f, FSM_IDLE);
	RUN(s, FSM_ESTABLISHED, EV03_AUTO_START, EV16_TCP_ACKED, EV19_OPEN,
	    EV26_KEEPALIVE);
}

static void
dialled(void **state)
{
	struct sim s;

	establish(&s);
	assert_int_equal(s.dials, 1);
	assert_int_equal(s.opens, 1);
	assert_int_equal(s.kas, 1);
	assert_int_equal(s.notifs, 0);
	RUN(&s, FSM_ESTABLISHED, EV27_UPDATE, EV11_KEEPALIVE_EXPIRES,
	    EV26_KEEPALIVE, EV27_UPDATE);
	assert_int_equal(s.updates, 2);
	assert_int_equal(s.kas, 2);
}

static void
accepted(void **state)
{
	struct sim s = { 0 };

	fsm_init(&s.f, FSM_IDLE);
	RUN(&s, FSM_ACTIVE, EV05_AUTO_START_PASSIVE);
	assert_int_equal(s.dials, 0);
	RUN(&s, FSM_ESTABLISHED, EV17_TCP_CONFIRMED, EV19_OPEN, EV26_KEEPALIVE);
	assert_int_equal(s.opens, 1);
}

/* DelayOpen: the peer's OPEN comes first, or the timer ends. */
static void
delay_open(void **state)
{
	struct sim s = { 0 };

	fsm_init(&s.f, FSM_IDLE);
	RUN(&s, FSM_CONNECT, EV03_AUTO_START, EV30_TCP_UP_DELAY);
	assert_int_equal(s.opens, 0);
	RUN(&s, FSM_OPENCONFIRM, EV20_OPEN_DELAYED);
	assert_int_equal(s.opens, 1);
	assert_int_equal(s.kas, 1);

	memset(&s, 0, sizeof(s));
	RUN(&s, FSM_OPENSENT, EV05_AUTO_START_PASSIVE, EV30_TCP_UP_DELAY,
	    EV12_DELAY_OPEN_EXPIRES);
	assert_false(s.delay);

	/* The connection goes while we wait. */
	memset(&s, 0, sizeof(s));
	RUN(&s, FSM_ACTIVE, EV03_AUTO_START, EV30_TCP_UP_DELAY, EV18_TCP_FAILS);
	assert_true(s.retry && !s.delay);
}

/* Nobody answers: dial, wait, dial again; the peer's own call is taken. */
static void
dial_again(void **state)
{
	struct sim s = { 0 };

	fsm_init(&s.f, FSM_IDLE);
	RUN(&s, FSM_CONNECT, EV03_AUTO_START, EV18_TCP_FAILS,
	    EV09_RETRY_EXPIRES, EV09_RETRY_EXPIRES);
	assert_int_equal(s.dials, 3);
	assert_int_equal(s.crc, 0);
	RUN(&s, FSM_OPENSENT, EV18_TCP_FAILS, EV17_TCP_CONFIRMED);
	/* Lost again before the peer's OPEN: not a fault of the peering. */
	RUN(&s, FSM_ACTIVE, EV18_TCP_FAILS);
	assert_int_equal(s.crc, 0);
}

/* What ends an Established session, what it says, what is counted. */
static void
ends(void **state)
{
	static const struct {
		enum fsm_event ev;
		unsigned int notifs, code, sub, crc, damp;
	} t[] = {
		{ EV02_MANUAL_STOP, 1, 6, 2, 0, 0 },
		{ EV08_AUTO_STOP, 1, 6, 0, 1, 1 },
		{ EV10_HOLD_EXPIRES, 1, 4, 0, 1, 1 },
		{ EV18_TCP_FAILS, 0, 0, 0, 1, 1 },
		{ EV19_OPEN, 1, 5, 3, 1, 1 },
		{ EV22_OPEN_ERR, 1, 5, 3, 1, 1 },
		{ EV21_HDR_ERR, 1, 1, 0, 1, 1 },
		{ EV23_COLLISION_DUMP, 1, 6, 7, 1, 0 },
		{ EV24_NOTIF_VERSION, 0, 0, 0, 1, 1 },
		{ EV25_NOTIF, 0, 0, 0, 1, 1 },
		{ EV28_UPDATE_ERR, 1, 3, 0, 1, 1 },
		{ EV29_SEND_HOLD_EXPIRES, 1, 8, 0, 1, 1 },
	};
	struct sim s;
	size_t i;

	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		establish(&s);
		RUN(&s, FSM_IDLE, t[i].ev);
		assert_int_equal(s.notifs, t[i].notifs);
		assert_int_equal(s.code, t[i].code);
		assert_int_equal(s.sub, t[i].sub);
		assert_int_equal(s.crc, t[i].crc);
		assert_int_equal(s.damp, t[i].damp);
		assert_false(s.retry);
	}
}

/* RFC 6608: the subcode says in which state the message came. */
static void
unexpected(void **state)
{
	struct sim s;

	establish(&s);
	fsm_init(&s.f, FSM_OPENSENT);
	step(&s, EV27_UPDATE);
	assert_int_equal(s.code << 8 | s.sub, 0x501);
	establish(&s);
	fsm_init(&s.f, FSM_OPENCONFIRM);
	step(&s, EV19_OPEN);
	assert_int_equal(s.code << 8 | s.sub, 0x502);
	establish(&s);
	step(&s, EV20_OPEN_DELAYED);
	assert_int_equal(s.code << 8 | s.sub, 0x503);
}

/* The counter outlives the falls, not the operator's stop. */
static void
counter(void **state)
{
	struct sim s;

	establish(&s);
	RUN(&s, FSM_CONNECT, EV25_NOTIF, EV13_IDLE_HOLD_EXPIRES,
	    EV06_AUTO_START_DAMP);
	assert_int_equal(s.crc, 1);
	RUN(&s, FSM_CONNECT, EV16_TCP_ACKED, EV22_OPEN_ERR,
	    EV06_AUTO_START_DAMP);
	assert_int_equal(s.crc, 2);
	assert_int_equal(s.damp, 2);
	RUN(&s, FSM_IDLE, EV02_MANUAL_STOP);
	assert_int_equal(s.crc, 0);
	assert_false(s.retry);
}

/* Idle refuses connections and ignores the rest. */
static void
idle(void **state)
{
	unsigned int ev;

	for (ev = EV08_AUTO_STOP; ev <= EV_MAX; ev++) {
		struct sim s = { 0 };

		step(&s, (enum fsm_event)ev);
		check_rest(&s);
		assert_int_equal(s.f.state, FSM_IDLE);
		assert_int_equal(s.notifs + s.crc + s.opens, 0);
	}
}

/*
 * Random events, fixed seed: the invariants of check_rest() hold on every
 * path, Established is entered only by a KEEPALIVE after an OPEN.
 */
static void
random_walk(void **state)
{
	uint32_t x = 20060101;
	struct sim s = { 0 };
	unsigned int i, established = 0;

	print_message("# seed %u\n", (unsigned int)x);
	for (i = 0; i < 200000; i++) {
		enum fsm_event ev;

		x ^= x << 13;
		x ^= x >> 17;
		x ^= x << 5;
		/* Often what leads on, else anything. */
		ev = (enum fsm_event)(1 + x % EV_MAX);
		if ((x >> 8 & 3) != 0) {
			static const uint8_t on[FSM_NSTATES] = {
				EV03_AUTO_START, EV16_TCP_ACKED,
				EV17_TCP_CONFIRMED, EV19_OPEN, EV26_KEEPALIVE,
				EV27_UPDATE
			};

			ev = (enum fsm_event)on[s.f.state];
		}
		/* A second connection has its own; no timer we do not have. */
		if (ev == EV12_DELAY_OPEN_EXPIRES || ev == EV20_OPEN_DELAYED) {
			if (!s.delay)
				continue;
			s.delay = ev == EV20_OPEN_DELAYED;
		} else if (s.delay &&
		    (ev == EV16_TCP_ACKED || ev == EV17_TCP_CONFIRMED)) {
			continue;
		}
		step(&s, ev);
		check_rest(&s);
		if (s.out.acts & A_ESTABLISHED) {
			established++;
			assert_int_equal(s.out.from, FSM_OPENCONFIRM);
			assert_int_equal(ev, EV26_KEEPALIVE);
		}
		if (s.out.next == FSM_OPENCONFIRM &&
		    s.out.from != FSM_OPENCONFIRM)
			assert_true(ev == EV19_OPEN || ev == EV20_OPEN_DELAYED);
	}
	assert_true(established > 1000);
}

static void
names(void **state)
{
	char buf[64];
	unsigned int ev;

	for (ev = 1; ev <= EV_MAX; ev++)
		assert_true(fsm_event_name((enum fsm_event)ev)[0] != '?');
	assert_string_equal(fsm_event_name((enum fsm_event)0), "?");
	assert_string_equal(fsm_event_name((enum fsm_event)99), "?");
	assert_string_equal(fsm_state_name(FSM_OPENCONFIRM), "OpenConfirm");
	assert_string_equal(fsm_state_name(FSM_NSTATES), "?");
	assert_string_equal(fsm_acts_print(0, buf, sizeof(buf)), "-");
	assert_string_equal(
	    fsm_acts_print(A_DROP | A_NOTIFY | A_CRC_INC, buf, sizeof(buf)),
	    "NOTIFY|CRC_INC|DROP");
	assert_string_equal(
	    fsm_acts_print(A_DROP | A_NOTIFY, buf, 9), "NOTIFY|D");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(dialled),
		cmocka_unit_test(accepted),
		cmocka_unit_test(delay_open),
		cmocka_unit_test(dial_again),
		cmocka_unit_test(ends),
		cmocka_unit_test(unexpected),
		cmocka_unit_test(counter),
		cmocka_unit_test(idle),
		cmocka_unit_test(random_walk),
		cmocka_unit_test(names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
