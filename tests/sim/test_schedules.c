/*
 * Two speakers in every order of events that is short enough to be tried, and
 * in thousands of random ones.  SIM_SEED=N runs the random ones from one seed,
 * SIM_MOVES=N (up to 8: minutes) tries longer orders of a collision.
 */
#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/mem.h"
#include "tests/random.h"
#include "tests/sim/sim.h"

#define A_CONF(peer) \
	"syntax 1;\n" \
	"global { as 52580; router-id 192.0.2.1; }\n" \
	"policy all { rule all { accept; } }\n" \
	"prefix-set p { 193.64.0.0/14 or-longer; }\n" \
	"network 185.23.12.0/24;\n" \
	"neighbor 192.0.2.2 { remote-as 719; family [ inet ];" \
	" import policy all; export policy all; irr prefix-set p;" \
	" max-prefix 2000; " peer " }\n"
#define B_CONF(id, peer, nets) \
	"syntax 1;\n" \
	"global { as 719; router-id " id "; }\n" \
	"policy all { rule all { accept; } }\n" \
	"prefix-set p { 185.23.12.0/24; }\n" nets \
	"neighbor 192.0.2.1 { remote-as 52580; family [ inet ];" \
	" import policy all; export policy all; irr prefix-set p;" \
	" send-max-prefix 2000; " peer " }\n"
#define TWO "network 193.64.0.0/16;\nnetwork 193.65.0.0/16;\n"
#define GR "graceful-restart { restart-time 60s; } "

static uint32_t want_routes;

static bool
up_with_routes(void)
{
	const struct peer *a = sim_peer(SIM_A), *b = sim_peer(SIM_B);

	return a != NULL && b != NULL && a->up != NULL && b->up != NULL &&
	    a->eor_received[FAM_INET] && b->eor_received[FAM_INET] &&
	    adjin_count(a->adjin, FAM_INET)->accepted == want_routes &&
	    adjin_count(b->adjin, FAM_INET)->accepted == 1 &&
	    adjin_count(a->adjin, FAM_INET)->stale == 0 &&
	    adjin_count(b->adjin, FAM_INET)->stale == 0 &&
	    fib_mem_count(sim.eng[SIM_A]->fib, FAM_INET) == want_routes &&
	    fib_mem_count(sim.eng[SIM_B]->fib, FAM_INET) == 1;
}

/* ---- collisions ------------------------------------------------------- */

enum {
	MOVES = 4,
	LENGTH = 6, /* SIM_MOVES=N: another one */
};

static void
move(unsigned int m)
{
	switch (m) {
	case 0:
	case 1:
		sim_deliver((int)m);
		break;
	default:
		sim_turn((int)m - 2);
		break;
	}
}

static unsigned int twice, orders;

/* Both are on the same connection, and it stays. */
static void
check_one_session(const char *what, unsigned int n)
{
	const struct peer *a, *b;

	if (!sim_run_until(up_with_routes, 200)) {
		print_error("%s %u\n", what, n);
		assert_true(false);
	}
	a = sim_peer(SIM_A);
	b = sim_peer(SIM_B);
	assert_true(a->up->dialled != b->up->dialled);
	sim_run(100);
	/*
	 * 6.8 has orders in which both connections go: the lower identifier's
	 * is Established there, where the other one's OPEN is refused, and
	 * still OpenConfirm here, where its own wins.  They come back after the
	 * shortest idle hold, and only once.  With graceful restart the second
	 * OPEN replaces the first session on both sides, and no route goes.
	 */
	assert_in_range(a->established_count, 1, 2);
	assert_in_range(b->established_count, 1, 2);
	assert_true(a->up_ms < 1003000 && b->up_ms < 1003000);
	twice += a->established_count + b->established_count > 2;
	assert_null(a->in);
	assert_null(b->in);
}

/* Every interleaving of the first moves, so that OPENs, KEEPALIVEs and the
 * second connection meet in each state of the first one. */
static void
every_order(const char *a, const char *what, const char *b)
{
	const char *given = getenv("SIM_MOVES");
	unsigned int length =
	    given != NULL ? (unsigned int)atoi(given) : LENGTH;

	want_routes = 2;
	for (unsigned int n = 0; n < 1u << 2 * length; n++, orders++) {
		sim_start(a, b);
		/* Both have dialled. */
		sim_turn(SIM_A);
		sim_turn(SIM_B);
		for (unsigned int i = 0, m = n; i < length; i++, m /= MOVES)
			move(m % MOVES);
		check_one_session(what, n);
		sim_end();
	}
}

static void
test_collisions(void **state)
{
	every_order(A_CONF(""), "192.0.2.2", B_CONF("192.0.2.2", "", TWO));
	every_order(A_CONF(""), "1.2.3.4", B_CONF("1.2.3.4", "", TWO));
	every_order(A_CONF(GR), "192.0.2.2, graceful restart",
	    B_CONF("192.0.2.2", GR, TWO));
	every_order(A_CONF(GR), "1.2.3.4, graceful restart",
	    B_CONF("1.2.3.4", GR, TWO));
	print_message("# %u of %u orders needed a second try\n", twice, orders);
}

/* ---- random schedules ------------------------------------------------- */

static const char *conf_of[SIM_N];

static void
restart(int who)
{
	bool gone = sim.eng[who] == NULL;

	if (!gone && rnd(3) == 0)
		sim_term(who);
	else if (!gone)
		sim_kill(who);
	if (gone || rnd(2) == 0)
		sim_boot(who, conf_of[who], rnd(4) == 0);
}

static void
with_peer(struct peer *p, unsigned int what)
{
	if (what == 0 && p->up != NULL)
		session_event(p->up, EV18_TCP_FAILS);
	else if (what == 1)
		peer_stop(p, CEASE_RESET, "again", true);
	else if (what == 2)
		peer_ask_refresh(p);
	else if (what == 3 && p->up != NULL)
		peer_send_again(p);
	else if (what == 4 && p->up != NULL)
		session_event(p->up, EV10_HOLD_EXPIRES);
	else if (what == 5)
		peer_reimport(p);
}

static void
random_move(void)
{
	int who = (int)rnd(2);

	switch (rnd(16)) {
	case 0:
		restart(who);
		break;
	case 1:
		sim.cut = !sim.cut;
		break;
	case 2:
	case 3:
		sim_tick();
		break;
	case 4:
	case 5:
		sim_deliver(who);
		break;
	case 6:
	case 7:
		if (sim_peer(who) != NULL)
			with_peer(sim_peer(who), rnd(6));
		break;
	case 8:
		sim_run(rnd(40));
		break;
	default:
		sim_turn(who);
		break;
	}
}

static void
one_schedule(unsigned int length)
{
	sim_start(conf_of[SIM_A], conf_of[SIM_B]);
	while (length-- > 0)
		random_move();
	sim.cut = false;
	for (int i = 0; i < SIM_N; i++)
		if (sim.eng[i] == NULL)
			sim_boot(i, conf_of[i], false);
	/* The longest idle hold, and the sweep. */
	assert_true(sim_run_until(up_with_routes, 600));
	sim_run(300);
	assert_true(up_with_routes());
	assert_true(sim.eng[SIM_A]->ended[FAM_INET]);
	assert_false(sim.eng[SIM_A]->restarting);
	assert_false(sim_peer(SIM_A)->retain_timer.armed);
	sim_end();
}

static void
test_random(void **state)
{
	static const char *const a[] = { A_CONF(""), A_CONF(GR),
		A_CONF(GR "delay-open 5s;") };
	static const char *const b[] = { B_CONF("192.0.2.2", "", TWO),
		B_CONF("192.0.2.2", GR, TWO), B_CONF("1.2.3.4", GR, TWO) };
	const char *given = getenv("SIM_SEED");
	uint64_t seed =
	    given != NULL ? strtoull(given, NULL, 0) : (uint64_t)time(NULL);
	unsigned int rounds = given != NULL ? 1 : 2000;

	print_message("# first seed %llu\n", (unsigned long long)seed);
	want_routes = 2;
	for (unsigned int n = 0; n < rounds; n++) {
		rnd_seed(seed + n);
		conf_of[SIM_A] = a[rnd(3)];
		conf_of[SIM_B] = b[rnd(3)];
		/* Told before: a failed assertion does not come back. */
		if (getenv("SIM_TRACE") != NULL || given != NULL)
			print_message(
			    "# seed %llu\n", (unsigned long long)(seed + n));
		sim_note = seed + n;
		one_schedule(20 + rnd(60));
	}
}

/* ---- a thousand flaps ------------------------------------------------- */

static bool
a_flapped(void)
{
	return sim_peer(SIM_A)->up == NULL;
}

static size_t
in_use(void)
{
	return mallinfo2().uordblks;
}

/* A thousand networks of B. */
static void
start_thousand(void)
{
	char *nets = NULL, *conf;
	size_t size = 0;
	FILE *f = open_memstream(&nets, &size);

	for (int i = 0; i < 1000; i++)
		fprintf(f, "network 193.%d.%d.0/24;\n", 64 + i / 256, i % 256);
	fclose(f);
	conf = mem_printf("%s%s", B_CONF("192.0.2.2", "", ""), nets);
	want_routes = 1000;
	sim_start(A_CONF(""), conf);
	free(conf);
	free(nets);
}

static void
test_flaps(void **state)
{
	size_t before = 0, after;

	start_thousand();
	for (int i = 0; i < 1000; i++) {
		assert_true(sim_run_until(up_with_routes, 400));
		/* The rings of what happened are full. */
		if (i == 400)
			before = in_use();
		if (i % 2 == 0)
			session_event(sim_peer(SIM_A)->up, EV18_TCP_FAILS);
		else
			peer_stop(sim_peer(SIM_B), CEASE_RESET, NULL, true);
		assert_true(sim_run_until(a_flapped, 10));
	}
	assert_true(sim_run_until(up_with_routes, 400));
	after = in_use();
	print_message("# %zu octets in use after 400 flaps, %zu after 1000\n",
	    before, after);
	/* What grows with each flap would be a thousand times as much. */
	assert_true(after < before + 64 * 1024);
	assert_int_equal(sim_peer(SIM_A)->established_count, 1001);
	sim_end();
}

/* ---- what an OPEN may lack -------------------------------------------- */

static const struct peer_notif *
last_notif(int who)
{
	struct peer *p = sim_peer(who);

	return &p->notif[(p->nnotif + PEER_NOTIFS - 1) % PEER_NOTIFS];
}

/* Refused with the code, and with the name of what is missing. */
static void
refused(const char *a, const char *b, uint8_t sub, const char *words)
{
	sim_start(a, b);
	sim_run(5);
	assert_null(sim_peer(SIM_A)->up);
	assert_int_equal(last_notif(SIM_B)->code, NOTIF_OPEN);
	assert_int_equal(last_notif(SIM_B)->sub, sub);
	if (strstr(sim_peer(SIM_A)->why, words) == NULL)
		print_error(
		    "\"%s\" lacks \"%s\"\n", sim_peer(SIM_A)->why, words);
	assert_non_null(strstr(sim_peer(SIM_A)->why, words));
	sim_end();
}

static void
test_require(void **state)
{
	refused(A_CONF("require capability [ graceful-restart ];"),
	    B_CONF("192.0.2.2", "", TWO), OPEN_BAD_CAP, "graceful restart");
	refused(A_CONF("require capability [ extended-message ];"),
	    B_CONF("192.0.2.2", "extended-message no;", TWO), OPEN_BAD_CAP,
	    "extended messages");
	refused(A_CONF("role customer strict;"), B_CONF("192.0.2.2", "", TWO),
	    OPEN_ROLE_MISMATCH, "strict");
	refused(A_CONF("role customer;"),
	    B_CONF("192.0.2.2", "role customer;", TWO), OPEN_ROLE_MISMATCH,
	    "role");
	want_routes = 2;
	sim_start(A_CONF("role customer strict;"),
	    B_CONF("192.0.2.2", "role provider strict;", TWO));
	assert_true(sim_run_until(up_with_routes, 60));
	assert_int_equal(sim_peer(SIM_A)->up->neg.remote_role, ROLE_PROVIDER);
	sim_end();
}

/* A hold time below the minimum: 2/6. */
static void
test_hold_min(void **state)
{
	refused(A_CONF("hold-time-min 60s;"),
	    B_CONF("192.0.2.2", "hold-time 30s;", TWO), OPEN_BAD_HOLD,
	    "minimum");
}

/* DelayOpen: the other side's OPEN is waited for, and need not be. */
static void
test_delay_open(void **state)
{
	const struct peer *a;

	want_routes = 2;
	sim_start(A_CONF("delay-open 20s; passive yes;"),
	    B_CONF("192.0.2.2", "", TWO));
	assert_true(sim_run_until(up_with_routes, 10));
	a = sim_peer(SIM_A);
	assert_int_equal(a->step[1].event, EV20_OPEN_DELAYED);
	sim_end();
	/* Both wait: the first timer that ends makes one speak. */
	sim_start(A_CONF("delay-open 20s;"),
	    B_CONF("192.0.2.2", "delay-open 20s;", TWO));
	sim_run(14);
	assert_null(sim_peer(SIM_A)->up);
	assert_true(sim_run_until(up_with_routes, 60));
	sim_end();
}

/* RFC 5492: refused for its parameters (2/4), an OPEN goes without once. */
static void
test_without_capabilities(void **state)
{
	struct peer *b;

	want_routes = 2;
	sim_start(A_CONF(""), B_CONF("192.0.2.2", "passive yes;", TWO));
	b = sim_peer(SIM_B);
	while (b->in == NULL) {
		sim_turn(SIM_A);
		sim_turn(SIM_B);
		sim_deliver(SIM_A);
	}
	assert_int_equal(b->in->fsm.state, FSM_OPENSENT);
	session_stop(b->in, EV22_OPEN_ERR, NOTIF_OPEN, OPEN_BAD_PARAM, NULL, 0);
	assert_true(sim_run_until(up_with_routes, 60));
	assert_false(b->up->received.caps.any);
	assert_false(b->up->neg.wire.as4);
	session_event(b->up, EV18_TCP_FAILS);
	sim_run(1);
	assert_true(sim_run_until(up_with_routes, 60));
	assert_true(b->up->received.caps.any);
	sim_end();
}

/* RFC 9687: A reads nothing any more, yet seems alive; B ends it, and A's
 * routes are gone from B. */
static void
test_send_hold(void **state)
{
	uint64_t since;
	struct peer *a, *b;

	start_thousand();
	assert_true(sim_run_until(up_with_routes, 60));
	a = sim_peer(SIM_A);
	b = sim_peer(SIM_B);
	since = sim_now_s();
	while (b->up != NULL && sim_now_s() - since < 3000) {
		if (session_has_room(b->up))
			peer_send_again(b);
		/* What waits for it is bounded, however often it asks. */
		assert_true(session_queued(b->up) <= SESSION_TX_MAX);
		timer_stop(&sim.eng[SIM_A]->timers, &a->up->hold);
		ev_io_want(a->up->io, false, true);
		sim_turn(SIM_A);
		sim_turn(SIM_B);
		if (!session_has_room(b->up != NULL ? b->up : a->up))
			sim_tick();
	}
	assert_null(b->up);
	assert_in_range(sim_now_s() - since, 480, 700);
	assert_int_equal(last_notif(SIM_B)->code, NOTIF_SEND_HOLD);
	assert_true(last_notif(SIM_B)->sent);
	sim_turn(SIM_B);
	assert_int_equal(adjin_received(b->adjin), 0);
	sim_end();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_collisions),
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_flaps),
		cmocka_unit_test(test_require),
		cmocka_unit_test(test_hold_min),
		cmocka_unit_test(test_delay_open),
		cmocka_unit_test(test_without_capabilities),
		cmocka_unit_test(test_send_hold),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
