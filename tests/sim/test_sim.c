/* Whole sessions between two speakers, on a virtual clock. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bgpd/log.h"
#include "bgpd/plan.h"
#include "bgpd/sets.h"
#include "bgpd/show.h"
#include "lib/mem.h"
#include "tests/sim/sim.h"

#define A_HEAD \
	"syntax 1;\n" \
	"global { as 52580; router-id 192.0.2.1; }\n" \
	"prefix-set azion { 185.23.12.0/24; }\n" \
	"policy in { rule all { accept; } }\n" \
	"policy out { rule all { accept; } }\n" \
	"network 185.23.12.0/24;\n"
#define A_PEER(more) \
	"neighbor 192.0.2.2 { remote-as 719; local-address 192.0.2.1;" \
	" family [ inet ]; import policy in; export policy out;" \
	" irr prefix-set p; " more " }\n"
#define A_SET "prefix-set p { 193.64.0.0/15 or-longer; }\n"
#define A_CONF A_HEAD A_SET A_PEER("")

#define B_HEAD(id) \
	"syntax 1;\n" \
	"global { as 719; router-id " id "; }\n" \
	"policy all { rule all { accept; } }\n" \
	"prefix-set az { 185.23.12.0/24; }\n"
#define B_PEER(more) \
	"neighbor 192.0.2.1 { remote-as 52580; local-address 192.0.2.2;" \
	" family [ inet ]; import policy all; export policy all;" \
	" irr prefix-set az; send-max-prefix 100000; " more " }\n"
#define B_NETS "network 193.64.0.0/16;\nnetwork 193.65.0.0/16;\n"
#define B_CONF B_HEAD("192.0.2.2") B_PEER("") B_NETS

static bool
both_up(void)
{
	return sim_peer(SIM_A)->up != NULL && sim_peer(SIM_B)->up != NULL;
}

static bool
a_down(void)
{
	return sim_peer(SIM_A)->up == NULL;
}

static const struct peer_notif *
last_notif(int who)
{
	struct peer *p = sim_peer(who);

	return &p->notif[(p->nnotif + PEER_NOTIFS - 1) % PEER_NOTIFS];
}

static uint32_t
received(int who)
{
	return adjin_received(sim_peer(who)->adjin);
}

static uint32_t
accepted_of(int who)
{
	return adjin_count(sim_peer(who)->adjin, FAM_INET)->accepted;
}

static bool
a_has_two(void)
{
	return received(SIM_A) == 2 && accepted_of(SIM_A) == 2 &&
	    fib_mem_count(sim.eng[SIM_A]->fib, FAM_INET) == 2;
}

static bool
routes_both_ways(void)
{
	return both_up() && a_has_two() && accepted_of(SIM_B) == 1;
}

/* Both dial at once; one connection survives, whoever has the higher id. */
static void
test_up_and_routes(void **state)
{
	sim_start(A_CONF, B_CONF);
	assert_true(sim_run_until(routes_both_ways, 120));
	sim_run(300);
	assert_int_equal(sim_peer(SIM_A)->established_count, 1);
	assert_int_equal(sim_peer(SIM_B)->established_count, 1);
	assert_true(sim_peer(SIM_A)->eor_received[FAM_INET]);
	assert_null(sim_peer(SIM_A)->in);
	assert_true(sim_peer(SIM_B)->up->dialled); /* 6.8: higher id's */
	sim_end();
}

static void
test_collision_lower_id(void **state)
{
	sim_start(A_CONF, B_HEAD("1.2.3.4") B_PEER("") B_NETS);
	assert_true(sim_run_until(routes_both_ways, 120));
	assert_true(sim_peer(SIM_A)->up->dialled);
	sim_end();
}

static void
test_one_passive(void **state)
{
	sim_start(A_HEAD A_SET A_PEER("passive yes;"), B_CONF);
	assert_true(sim_run_until(routes_both_ways, 120));
	assert_int_equal(sim.dials[SIM_A], 0);
	sim_end();
}

/* RFC 4271 6.5: a peer that says nothing for the hold time is dropped. */
static void
test_hold_timer(void **state)
{
	uint64_t t;

	sim_start(A_CONF, B_CONF);
	assert_true(sim_run_until(routes_both_ways, 120));
	sim.frozen[SIM_B] = true;
	t = sim_now_s();
	assert_true(sim_run_until(a_down, 95));
	assert_in_range(sim_now_s() - t, 60, 91);
	sim_run(1);
	assert_int_equal(received(SIM_A), 0);
	assert_int_equal(fib_mem_count(sim.eng[SIM_A]->fib, FAM_INET), 0);
	assert_int_equal(last_notif(SIM_A)->code, NOTIF_HOLD);
	sim.frozen[SIM_B] = false;
	assert_true(sim_run_until(routes_both_ways, 300));
	sim_end();
}

/* Max-prefix: one too many ends the session for the time of its action. */
static void
test_max_prefix(void **state)
{
	char *nets = mem_strdup(""), *conf;
	uint64_t t;

	for (int i = 0; i < 4; i++) {
		char *more = mem_printf("%snetwork 193.64.%d.0/24;\n", nets, i);

		free(nets);
		nets = more;
	}
	conf = mem_printf("%s%s", B_HEAD("192.0.2.2") B_PEER(""), nets);
	sim_start(
	    A_HEAD A_SET A_PEER("max-prefix 3 action restart 10m;"), conf);
	t = sim_now_s();
	sim_run(60);
	assert_true(sim_peer(SIM_A)->limit.tripped);
	assert_null(sim_peer(SIM_A)->up);
	assert_int_equal(received(SIM_A), 0);
	assert_int_equal(sim_peer(SIM_B)->established_count, 1);
	sim_run(500);
	assert_int_equal(sim_peer(SIM_A)->limit.trips[FAM_NONE], 1);
	sim_run(700 - (sim_now_s() - t) + 60);
	assert_int_equal(sim_peer(SIM_A)->limit.trips[FAM_NONE], 2);
	/* The second hold is twice as long. */
	assert_int_equal(sim_peer(SIM_A)->limit.hold_s, 1200);
	sim_end();
	free(conf);
	free(nets);
}

static bool
one_accepted(void)
{
	return accepted_of(SIM_A) == 1 && received(SIM_A) == 2 &&
	    fib_mem_count(sim.eng[SIM_A]->fib, FAM_INET) == 1;
}

/* A narrower set refuses what stands in the Adj-RIB-In, without a reset. */
static void
test_reload_set(void **state)
{
	sim_start(A_CONF, B_CONF);
	assert_true(sim_run_until(routes_both_ways, 120));
	assert_true(sim_reload(
	    SIM_A, A_HEAD "prefix-set p { 193.64.0.0/16; }\n" A_PEER("")));
	assert_true(sim_run_until(one_accepted, 5));
	assert_true(sim_reload(SIM_A, A_CONF));
	assert_true(sim_run_until(a_has_two, 5));
	assert_int_equal(sim_peer(SIM_A)->established_count, 1);
	/* A bad file changes nothing. */
	assert_false(sim_reload(SIM_A, A_HEAD A_SET A_PEER("max-prefx 3;")));
	assert_true(both_up());
	sim_end();
}

static bool
b_has_two(void)
{
	return accepted_of(SIM_B) == 2;
}

static void
test_reload_network(void **state)
{
	sim_start(A_CONF,
	    B_HEAD("192.0.2.2") "prefix-set az2 { 185.23.12.0/24 or-longer; "
				"185.23.13.0/24; }\n"
				"neighbor 192.0.2.1 { remote-as 52580; family "
				"[ inet ];"
				" import policy all; export policy all;"
				" irr prefix-set az2; }\n" B_NETS);
	assert_true(sim_run_until(routes_both_ways, 120));
	assert_true(sim_reload(SIM_A,
	    "syntax 1;\n"
	    "global { as 52580; router-id 192.0.2.1; }\n"
	    "prefix-set azion { 185.23.12.0/24; 185.23.13.0/24; }\n"
	    "policy in { rule all { accept; } }\n"
	    "policy out { rule all { accept; } }\n"
	    "network 185.23.12.0/24; network 185.23.13.0/24;\n" A_SET A_PEER(
		"")));
	assert_true(sim_run_until(b_has_two, 5));
	assert_int_equal(sim_peer(SIM_B)->established_count, 1);
	sim_end();
}

/* Neighbor removed and added again: its routes go and come. */
static void
test_reload_neighbor(void **state)
{
	sim_start(A_CONF, B_CONF);
	assert_true(sim_run_until(routes_both_ways, 120));
	assert_true(sim_reload(SIM_A, A_HEAD A_SET));
	sim_run(5);
	assert_true(TAILQ_EMPTY(&sim.eng[SIM_A]->peers));
	assert_int_equal(fib_mem_count(sim.eng[SIM_A]->fib, FAM_INET), 0);
	assert_int_equal(last_notif(SIM_B)->sub, CEASE_DECONFIGURED);
	assert_true(sim_reload(SIM_A, A_CONF));
	assert_true(sim_run_until(routes_both_ways, 300));
	sim_end();
}

/* The shutdown text reaches the other side (RFC 9003). */
static void
test_admin_down(void **state)
{
	struct peer *p;

	sim_start(A_CONF, B_CONF);
	assert_true(sim_run_until(routes_both_ways, 120));
	p = sim_peer(SIM_A);
	p->admin_down = true;
	peer_stop(p, CEASE_SHUTDOWN, "ticket 42", false);
	sim_run(600);
	assert_null(p->up);
	assert_string_equal(last_notif(SIM_B)->text, "ticket 42");
	assert_int_equal(last_notif(SIM_B)->sub, CEASE_SHUTDOWN);
	p->admin_down = false;
	peer_start(p);
	assert_true(sim_run_until(routes_both_ways, 300));
	sim_end();
}

/* Errors make the idle hold grow, so that nobody is stormed. */
static void
test_back_off(void **state)
{
	sim_start(A_HEAD A_SET A_PEER("passive no;"),
	    "syntax 1;\n"
	    "global { as 3292; router-id 192.0.2.2; }\n"
	    "neighbor 192.0.2.1 { remote-as 52580; passive yes; }\n");
	sim_run(3600);
	assert_null(sim_peer(SIM_A)->up);
	assert_int_equal(sim_peer(SIM_A)->idle_s, PEER_IDLE_MAX_S);
	assert_in_range(sim.dials[SIM_A], 20, 80);
	assert_int_equal(last_notif(SIM_A)->code, NOTIF_OPEN);
	assert_int_equal(last_notif(SIM_A)->sub, OPEN_BAD_AS);
	sim_end();
}

/* The same for a neighbor that dials us with a wrong AS all the time. */
static void
test_back_off_passive(void **state)
{
	sim_start(A_HEAD A_SET A_PEER("passive yes;"),
	    "syntax 1;\n"
	    "global { as 3292; router-id 192.0.2.2; connect-retry 1s; }\n"
	    "neighbor 192.0.2.1 { remote-as 52580; }\n");
	sim_run(3600);
	assert_int_equal(sim_peer(SIM_A)->idle_s, PEER_IDLE_MAX_S);
	assert_in_range(sim_peer(SIM_A)->nnotif, 10, 80);
	sim_end();
}

/* A neighbor that hangs up before it says anything is no error of ours. */
static void
test_hang_up(void **state)
{
	struct session *in;

	sim_start(A_CONF, B_CONF);
	sim.cut = true;
	sim_run(60);
	for (int i = 0; i < 5; i++) {
		int sv[2];

		assert_int_equal(
		    socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, sv), 0);
		sim_accept(SIM_A, sv[1]);
		in = sim_peer(SIM_A)->in;
		assert_non_null(in);
		assert_int_equal(in->fsm.state, FSM_OPENSENT);
		close(sv[0]);
		sim_run(1);
		assert_null(sim_peer(SIM_A)->in);
	}
	assert_int_equal(sim_peer(SIM_A)->idle_s, 0);
	assert_false(sim_peer(SIM_A)->idle_hold.armed);
	sim.cut = false;
	assert_true(sim_run_until(routes_both_ways, 40));
	sim_end();
}

/* Says it as the neighbor would; the connection is a pipe. */
static void
say(int fd, const struct wbuf *w)
{
	assert_false(w->over);
	assert_int_equal(write(fd, w->p, w->len), w->len);
}

/*
 * One UPDATE with prefixes in NLRI and in MP_REACH_NLRI: the limit ends the
 * session, and with it the buffer that the message lies in, in its middle.
 */
static void
test_limit_inside_update(void **state)
{
	static const uint8_t as_path[] = { SEG_SEQUENCE, 1, 0, 0, 2, 0xcf };
	struct wire_open o = { .version = 4,
		.my_as = 719,
		.hold_s = 90,
		.id = 0xc0000202,
		.caps = { .any = true,
		    .as4 = true,
		    .as4_as = 719,
		    .mp = { [FAM_INET] = true, [FAM_INET6] = true } } };
	struct attrs a = { .has = 1u << HAS_ORIGIN | 1u << HAS_AS_PATH |
		    1u << HAS_NEXT_HOP,
		.as_path = { as_path, sizeof as_path } };
	struct wire_neg neg = { .as4 = true,
		.mp = { [FAM_INET] = true, [FAM_INET6] = true } };
	struct pfx p4[4], p6;
	uint8_t mem[WIRE_MAX], mp[64];
	struct wbuf w;
	size_t mplen;
	int sv[2];

	sim_start(A_HEAD A_SET
	    "neighbor 192.0.2.2 { remote-as 719; passive yes;"
	    " local-address 192.0.2.1; import policy in;"
	    " export policy out; irr prefix-set p;"
	    " family [ inet, inet6 ]; max-prefix 3; }\n",
	    B_CONF);
	sim.cut = true;
	sim.frozen[SIM_B] = true;
	assert_int_equal(
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, sv), 0);
	sim_run(1);
	sim_accept(SIM_A, sv[1]);
	wbuf_init(&w, mem, sizeof mem);
	wire_open_write(&w, &o);
	wire_keepalive_write(&w);
	say(sv[0], &w);
	sim_run(1);
	assert_non_null(sim_peer(SIM_A)->up);

	/* The IPv6 message's MP_REACH_NLRI goes into the IPv4 message. */
	assert_true(addr_parse("2001:db8::2", &a.nexthop));
	assert_true(pfx_parse("2001:db8:1::/48", &p6));
	wbuf_init(&w, mem, sizeof mem);
	assert_int_equal(wire_update_write(&w, &neg, &a, FAM_INET6, &p6, 1), 1);
	mplen = mem[WIRE_HDR_LEN + 4] & AF_EXTLEN
	    ? 4 + (size_t)mem[WIRE_HDR_LEN + 4 + 3]
	    : 3 + (size_t)mem[WIRE_HDR_LEN + 4 + 2];
	memcpy(mp, mem + WIRE_HDR_LEN + 4, mplen);
	for (int i = 0; i < 4; i++) {
		struct addr net = addr_v4(0xc1400000u + ((uint32_t)i << 8));

		assert_true(pfx_make(&p4[i], &net, 24));
	}
	a.nexthop = addr_v4(0xc0000202);
	wbuf_init(&w, mem, sizeof mem);
	assert_int_equal(wire_update_write(&w, &neg, &a, FAM_INET, p4, 4), 4);
	memmove(mem + WIRE_HDR_LEN + 4 + mplen, mem + WIRE_HDR_LEN + 4,
	    w.len - WIRE_HDR_LEN - 4);
	memcpy(mem + WIRE_HDR_LEN + 4, mp, mplen);
	w.len += mplen;
	wbuf_put16(&w, 16, (uint16_t)w.len);
	wbuf_put16(&w, WIRE_HDR_LEN + 2,
	    (uint16_t)((mem[WIRE_HDR_LEN + 2] << 8 | mem[WIRE_HDR_LEN + 3]) +
		mplen));
	say(sv[0], &w);
	sim_run(1);
	assert_null(sim_peer(SIM_A)->up);
	assert_int_equal(last_notif(SIM_A)->sub, CEASE_MAX_PREFIX);
	close(sv[0]);
	sim_end();
}

/* Nobody there: the retries do not grow, and it is back within one. */
static void
test_unreachable(void **state)
{
	sim_start(A_CONF, B_CONF);
	sim.cut = true;
	sim_run(3600);
	assert_in_range(sim.dials[SIM_A], 100, 200);
	sim.cut = false;
	assert_true(sim_run_until(routes_both_ways, 40));
	sim_end();
}

/* Route refresh: everything comes again, nothing changes. */
static void
test_refresh(void **state)
{
	uint64_t before;

	sim_start(A_CONF, B_CONF);
	assert_true(sim_run_until(routes_both_ways, 120));
	before = sim_peer(SIM_A)->rx.updates;
	assert_true(peer_ask_refresh(sim_peer(SIM_A)));
	sim_run(5);
	assert_int_equal(sim_peer(SIM_A)->rx.updates, before + 2);
	assert_int_equal(sim_peer(SIM_A)->rx.refresh[REFRESH_BORR], 1);
	assert_int_equal(sim_peer(SIM_A)->rx.refresh[REFRESH_EORR], 1);
	assert_true(routes_both_ways());
	sim_end();
}

/* A next hop that goes takes its routes along, and brings them back. */
static bool
fib_empty(void)
{
	return fib_mem_count(sim.eng[SIM_A]->fib, FAM_INET) == 0;
}

static void
test_next_hop(void **state)
{
	sim_start(A_CONF, B_CONF);
	assert_true(sim_run_until(routes_both_ways, 120));
	fib_mem_nh_state(sim.eng[SIM_A]->fib, &sim.addr[SIM_B], false, 0);
	assert_true(sim_run_until(fib_empty, 5));
	assert_int_equal(accepted_of(SIM_A), 2);
	fib_mem_nh_state(sim.eng[SIM_A]->fib, &sim.addr[SIM_B], true, 1);
	assert_true(sim_run_until(a_has_two, 5));
	sim_end();
}

/* `fib max-routes` keeps the rest out of the kernel, not out of the RIB. */
static bool
one_installed(void)
{
	return accepted_of(SIM_A) == 2 &&
	    fib_mem_count(sim.eng[SIM_A]->fib, FAM_INET) == 1;
}

static bool
only_second(void)
{
	struct pfx second;

	return pfx_parse("193.65.0.0/16", &second) && accepted_of(SIM_A) == 1 &&
	    fib_mem_route(sim.eng[SIM_A]->fib, &second) != 0;
}

static void
test_max_routes(void **state)
{
	struct fibsync_stats st;

	sim_start(A_CONF "fib { max-routes 1; }\n", B_CONF);
	assert_true(sim_run_until(one_installed, 120));
	fibsync_get_stats(sim.eng[SIM_A]->fibsync, &st);
	assert_int_equal(st.failed[FAM_INET], 1);
	/* The other one comes in when there is room. */
	assert_true(sim_reload(
	    SIM_B, B_HEAD("192.0.2.2") B_PEER("") "network 193.65.0.0/16;\n"));
	assert_true(sim_run_until(only_second, 5));
	assert_true(sim_reload(SIM_B, B_CONF));
	assert_true(sim_run_until(one_installed, 5));
	assert_true(sim_reload(SIM_A, A_CONF));
	assert_true(sim_run_until(a_has_two, 5));
	/* Lowered: what is there stays. */
	assert_true(sim_reload(SIM_A, A_CONF "fib { max-routes 1; }\n"));
	sim_run(5);
	assert_true(a_has_two());
	sim_end();
}

/* ---- a table ------------------------------------------------------------ */

enum {
	TABLE = 30000
};

static bool
a_has_table(void)
{
	return accepted_of(SIM_A) == TABLE;
}

static bool
b_is_told(void)
{
	return sim_peer(SIM_B)->up != NULL && accepted_of(SIM_B) == 1;
}

/*
 * Sent faster than A can decide: what waits in A stays below one room's worth
 * of the shortest prefixes, whatever has arrived, so a change of somebody else
 * does not queue behind the table.
 */
static void
test_table_waits(void **state)
{
	static char b[TABLE * 32];
	struct rib_stats st;
	size_t most = 0;
	int n = snprintf(b, sizeof b, "%s", B_HEAD("192.0.2.2") B_PEER(""));

	sim_start(A_HEAD "prefix-set p { 24.0.0.0/8 or-longer; }\n" A_PEER(
		      "max-prefix 100000;"),
	    b);
	assert_true(sim_run_until(b_is_told, 120));
	for (int i = 0; i < TABLE; i++)
		n += snprintf(b + n, sizeof b - (size_t)n,
		    "network 24.%d.%d.0/24;\n", i / 256, i % 256);
	assert_true(sim_reload(SIM_B, b));
	for (int turns = 0; !a_has_table(); turns++) {
		assert_true(turns < 10000);
		for (int i = 0; i < 4; i++)
			sim_turn(SIM_B);
		sim_turn(SIM_A);
		rib_stats(sim.eng[SIM_A]->rib, &st);
		most = st.dirty > most ? st.dirty : most;
	}
	assert_in_range(most, 1, SESSION_RX / 4);
	sim_end();
}

/* ---- graceful restart --------------------------------------------------- */

#define GR "graceful-restart { restart-time 60s; stale-time 100s; } "
#define GR_NO_N \
	"graceful-restart { restart-time 60s; stale-time 100s; " \
	"notification no; } "
#define A_GR A_HEAD A_SET A_PEER(GR)
#define B_GR B_HEAD("192.0.2.2") B_PEER(GR) B_NETS

static bool
settled(void)
{
	return routes_both_ways() && sim.eng[SIM_A]->ended[FAM_INET] &&
	    sim.eng[SIM_B]->ended[FAM_INET] &&
	    adjin_count(sim_peer(SIM_A)->adjin, FAM_INET)->stale == 0 &&
	    adjin_count(sim_peer(SIM_B)->adjin, FAM_INET)->stale == 0;
}

static uint32_t
stale_of(int who)
{
	return adjin_count(sim_peer(who)->adjin, FAM_INET)->stale;
}

static void
gr_start(const char *a, const char *b)
{
	sim_start(a, b);
	assert_true(sim_run_until(settled, 300));
}

/* The peer is killed: its routes stay, and stay used, until it renews them. */
static void
test_gr_helper(void **state)
{
	gr_start(A_GR, B_GR);
	sim_kill(SIM_B);
	sim_run(30);
	assert_null(sim_peer(SIM_A)->up);
	assert_int_equal(stale_of(SIM_A), 2);
	assert_true(a_has_two());
	/* One network is no more. */
	sim_boot(SIM_B,
	    B_HEAD("192.0.2.2") B_PEER(GR) "network 193.64.0.0/16;\n", false);
	assert_true(sim_run_until(both_up, 40));
	assert_true(sim_peer(SIM_A)->up->neg.gr_peer_restarting);
	sim_run(5);
	assert_int_equal(stale_of(SIM_A), 0);
	assert_int_equal(received(SIM_A), 1);
	assert_int_equal(fib_mem_count(sim.eng[SIM_A]->fib, FAM_INET), 1);
	assert_false(sim_peer(SIM_A)->retain_timer.armed);
	sim_end();
}

/* It never comes back: gone after its restart time. */
static void
test_gr_restart_time(void **state)
{
	gr_start(A_GR, B_GR);
	sim_kill(SIM_B);
	sim_run(58);
	assert_true(a_has_two());
	sim_run(4);
	assert_int_equal(received(SIM_A), 0);
	assert_true(fib_empty());
	sim_end();
}

/* It comes back from a boot: the kernel's routes were lost, ours of it go. */
static void
test_gr_forwarding_lost(void **state)
{
	gr_start(A_GR, B_GR);
	sim_kill(SIM_B);
	sim_run(10);
	sim_boot(SIM_B, B_HEAD("192.0.2.2") B_PEER(GR), true);
	assert_true(sim_run_until(both_up, 40));
	sim_run(1);
	assert_int_equal(received(SIM_A), 0);
	sim_end();
}

/* Back without the capability, or without the family: at once too. */
static void
test_gr_capability_gone(void **state)
{
	gr_start(A_GR, B_GR);
	sim_kill(SIM_B);
	sim_run(10);
	sim_boot(SIM_B, B_HEAD("192.0.2.2") B_PEER(""), false);
	assert_true(sim_run_until(both_up, 40));
	sim_run(1);
	assert_int_equal(received(SIM_A), 0);
	sim_end();
}

/* Our own restart, from both sides: B keeps ours, our kernel keeps B's, and
 * the Restart State and Forwarding State bits say so. */
static void
restarting_speaker(bool term)
{
	unsigned int notified;

	gr_start(A_GR, B_GR);
	notified = sim_peer(SIM_B)->nnotif;
	if (term)
		sim_term(SIM_A);
	else
		sim_kill(SIM_A);
	assert_int_equal(sim.nkernel[SIM_A], 2);
	sim_run(20);
	assert_int_equal(sim_peer(SIM_B)->nnotif, notified);
	assert_int_equal(stale_of(SIM_B), 1);
	sim_boot(SIM_A, A_GR, false);
	sim_run(0);
	assert_true(sim_run_until(settled, 60));
	assert_true(sim_peer(SIM_B)->up->received.caps.gr_restart);
	assert_true(sim_peer(SIM_B)->up->received.caps.gr_fwd[FAM_INET]);
	assert_false(sim_peer(SIM_A)->up->received.caps.gr_restart);
	assert_true(sim_peer(SIM_A)->up->received.caps.gr_fwd[FAM_INET]);
	assert_false(sim.eng[SIM_A]->restarting);
	sim_end();
}

static void
test_gr_own_restart(void **state)
{
	restarting_speaker(false);
	restarting_speaker(true);
}

/* Nobody comes: the kernel's routes stay until the deadline, not longer. */
static void
test_gr_own_deadline(void **state)
{
	gr_start(A_GR, B_GR);
	sim_kill(SIM_A);
	sim_kill(SIM_B);
	sim_boot(SIM_A, A_GR, false);
	sim_run(58);
	assert_true(sim.eng[SIM_A]->restarting);
	assert_int_equal(fib_mem_count(sim.eng[SIM_A]->fib, FAM_INET), 2);
	sim_run(4);
	assert_false(sim.eng[SIM_A]->restarting);
	assert_true(fib_empty());
	sim_end();
}

/* Both at once: neither waits for the other (RFC 4724 4.1). */
static void
test_gr_both_restart(void **state)
{
	gr_start(A_GR, B_GR);
	sim_kill(SIM_A);
	sim_kill(SIM_B);
	sim_run(5);
	sim_boot(SIM_A, A_GR, false);
	sim_boot(SIM_B, B_GR, false);
	assert_true(sim_run_until(settled, 40));
	sim_end();
}

/* A NOTIFICATION: with the N bit of both as a loss of TCP, else the end. */
static void
test_gr_notification(void **state)
{
	static const struct {
		const char *a, *b;
		uint8_t sub;
		bool kept, clear_hard;
	} row[] = {
		{ A_GR, B_GR, CEASE_RESET, true },
		{ A_GR, B_GR, CEASE_CONFIG, true },
		{ A_GR, B_GR, CEASE_SHUTDOWN, false }, /* a hard reset */
		{ A_GR, B_GR, CEASE_DECONFIGURED, false },
		{ A_GR, B_GR, CEASE_RESET, false, true },
		{ A_GR, B_HEAD("192.0.2.2") B_PEER(GR_NO_N) B_NETS, CEASE_RESET,
		    false, true },
		{ A_GR, B_HEAD("192.0.2.2") B_PEER(GR_NO_N) B_NETS, CEASE_RESET,
		    false },
		{ A_HEAD A_SET A_PEER(GR_NO_N), B_GR, CEASE_RESET, false },
		{ A_GR, B_HEAD("192.0.2.2") B_PEER("") B_NETS, CEASE_RESET,
		    false },
	};

	for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
		gr_start(row[i].a, row[i].b);
		sim.cut = true;
		if (row[i].clear_hard)
			peer_clear(sim_peer(SIM_B), "why", true);
		else
			peer_stop(sim_peer(SIM_B), row[i].sub, "why", true);
		sim_run(2);
		assert_null(sim_peer(SIM_A)->up);
		assert_int_equal(last_notif(SIM_A)->sub, row[i].sub);
		assert_int_equal(
		    last_notif(SIM_A)->hard, !row[i].kept && i < 5);
		assert_string_equal(last_notif(SIM_A)->text,
		    row[i].sub == CEASE_DECONFIGURED ||
			    row[i].sub == CEASE_CONFIG
			? ""
			: "why");
		/* Both sides: who sent it, and who received it. */
		assert_int_equal(received(SIM_A), row[i].kept ? 2 : 0);
		assert_int_equal(received(SIM_B), row[i].kept ? 1 : 0);
		sim.cut = false;
		assert_true(sim_run_until(settled, 300));
		sim_end();
	}
}

/* The hold timer, as RFC 8538 4 has it. */
static void
test_gr_hold_timer(void **state)
{
	gr_start(A_GR, B_GR);
	sim.frozen[SIM_B] = true;
	assert_true(sim_run_until(a_down, 95));
	sim_run(1);
	assert_int_equal(stale_of(SIM_A), 2);
	assert_true(a_has_two());
	sim.frozen[SIM_B] = false;
	assert_true(sim_run_until(settled, 300));
	sim_end();
	gr_start(A_HEAD A_SET A_PEER(GR_NO_N), B_GR);
	sim.frozen[SIM_B] = true;
	assert_true(sim_run_until(a_down, 95));
	sim_run(1);
	assert_int_equal(received(SIM_A), 0);
	sim_end();
}

/* A policy that changes while routes are stale is applied to them, and does
 * not make them fresh. */
static void
test_gr_reload(void **state)
{
	gr_start(A_GR, B_GR);
	sim_kill(SIM_B);
	sim_run(5);
	assert_true(sim_reload(
	    SIM_A, A_HEAD "prefix-set p { 193.64.0.0/16; }\n" A_PEER(GR)));
	assert_true(sim_run_until(one_accepted, 5));
	assert_int_equal(stale_of(SIM_A), 2);
	sim_run(60);
	assert_int_equal(received(SIM_A), 0);
	/* An operator's "down" ends it at once. */
	sim_boot(SIM_B, B_GR, false);
	assert_true(sim_run_until(one_accepted, 100));
	sim_kill(SIM_B);
	sim_run(2);
	assert_int_equal(stale_of(SIM_A), 2);
	sim_peer(SIM_A)->admin_down = true;
	peer_stop(sim_peer(SIM_A), CEASE_SHUTDOWN, NULL, false);
	sim_run(1);
	assert_int_equal(received(SIM_A), 0);
	sim_end();
}

/* So is one that changes together with what bounces a session, though there
 * is none; and routes of another AS are nobody's. */
static void
test_gr_reload_reset(void **state)
{
	gr_start(A_GR, B_GR);
	sim_kill(SIM_B);
	sim_run(5);
	assert_int_equal(stale_of(SIM_A), 2);
	assert_true(sim_reload(SIM_A,
	    A_HEAD
	    "prefix-set p { 193.64.0.0/16; }\n" A_PEER(GR "hold-time 60s;")));
	assert_true(sim_run_until(one_accepted, 5));
	assert_int_equal(stale_of(SIM_A), 2);
	assert_true(sim_reload(SIM_A,
	    A_HEAD A_SET
	    "neighbor 192.0.2.2 { remote-as 720; local-address 192.0.2.1;"
	    " import policy in; export policy out; irr prefix-set p; " GR
	    "}\n"));
	sim_run(1);
	assert_int_equal(received(SIM_A), 0);
	sim_end();
}

/* The set of A has this list now, as by "set load". */
static void
load_set(const char *list)
{
	struct show s = { .eng = sim.eng[SIM_A],
		.out = out_new(false),
		.req = { .id = CMD_SET_LOAD } };
	char path[] = "/tmp/ana-list-XXXXXX", set[] = "p";

	s.file = mkstemp(path);
	assert_int_equal(write(s.file, list, strlen(list)), strlen(list));
	lseek(s.file, 0, SEEK_SET);
	s.req.set = set;
	s.req.input = path;
	while (show_run(&s, 16))
		;
	assert_int_equal(s.code, CMD_DONE);
	show_end(&s);
	out_free(s.out);
	unlink(path);
}

/* So is a list that is loaded meanwhile. */
static void
test_gr_set_load(void **state)
{
	sim_start(A_HEAD "prefix-set p { 193.64.0.0/16; }\n" A_PEER(GR), B_GR);
	load_set("193.65.0.0/16\n");
	assert_true(sim_run_until(settled, 300));
	sim_kill(SIM_B);
	sim_run(5);
	load_set("193.66.0.0/16\n");
	assert_true(sim_run_until(one_accepted, 5));
	assert_int_equal(stale_of(SIM_A), 2);
	sim_end();
}

/* And one of the moment before. */
static void
test_gr_reload_before(void **state)
{
	gr_start(A_GR, B_GR);
	assert_true(sim_reload(
	    SIM_A, A_HEAD "prefix-set p { 193.64.0.0/16; }\n" A_PEER(GR)));
	sim_kill(SIM_B);
	assert_true(sim_run_until(one_accepted, 5));
	assert_int_equal(stale_of(SIM_A), 2);
	sim_end();
}

static unsigned int
events_named(int who, const char *name)
{
	const struct events *es = sim.eng[who]->events;
	struct event_record r = { 0 };
	uint64_t lost;
	unsigned int n = 0;

	while (events_next(es, 1u << EVENT_CONFIG, r.seq, &r, &lost))
		n += strstr(r.json, name) != NULL;
	return n;
}

/* A list becomes too old while nothing happens: told once, by a timer. */
static void
test_list_becomes_old(void **state)
{
	char why[256];

	sim_start(A_HEAD
	    "prefix-set p { file \"list\"; max-age 2h; }\n" A_PEER(""),
	    B_CONF);
	assert_true(sim_run_until(both_up, 120));
	sim_run(7000 - sim_now_s());
	sets_alarm(sim.eng[SIM_A], why, sizeof why);
	assert_string_equal(why, "");
	assert_int_equal(events_named(SIM_A, "set_old"), 0);
	sim_run(400);
	sets_alarm(sim.eng[SIM_A], why, sizeof why);
	assert_string_equal(why, "prefix-set p is older than its max-age");
	assert_int_equal(events_named(SIM_A, "set_old"), 1);
	sim_run(4 * 3600);
	assert_int_equal(events_named(SIM_A, "set_old"), 1);
	assert_true(both_up());
	sim_end();
}

/* Of a set in the state directory, its "copy" or "list". */
static bool
is_kept(const char *kind)
{
	char path[256];
	bool any = false;
	glob_t g;

	snprintf(path, sizeof path, "%s/set-*.%s", sim_state_dir, kind);
	if (glob(path, 0, NULL, &g) == 0)
		any = g.gl_pathc > 0;
	globfree(&g);
	return any;
}

/* What of a set could not be written is, once there is room again. */
static void
test_set_kept_later(void **state)
{
	char dir[] = "/tmp/ana-sim-XXXXXX", away[sizeof dir + 5], cmd[64];
	struct conf_file f = { .data = mem_strdup("x"), .len = 1 };
	struct conf_set *s;

	assert_non_null(mkdtemp(dir));
	snprintf(away, sizeof away, "%s.away", dir);
	sim_state_dir = dir;
	sim_start(
	    A_HEAD "prefix-set p { file \"list\"; }\n" A_PEER(""), B_CONF);
	assert_int_equal(rename(dir, away), 0);
	sim_run(5);
	s = &sim.eng[SIM_A]->conf->set[1];
	assert_string_equal(s->name, "p");
	s->loaded = mem_strdup("by hand");
	sets_keep_list(sim.eng[SIM_A], s, &f);
	assert_int_equal(rename(away, dir), 0);
	sim_run(50);
	assert_false(is_kept("copy") || is_kept("list"));
	sim_run(15);
	assert_true(is_kept("copy"));
	assert_true(is_kept("list"));
	sim_end();
	free(f.data);
	sim_state_dir = NULL;
	snprintf(cmd, sizeof cmd, "rm -r %s", dir);
	assert_int_equal(system(cmd), 0);
}

static unsigned int
lines_with(const char *path, const char *what)
{
	FILE *f = fopen(path, "r");
	unsigned int n = 0;
	char line[512];

	assert_non_null(f);
	while (fgets(line, sizeof line, f) != NULL)
		n += strstr(line, what) != NULL;
	fclose(f);
	return n;
}

/* What one neighbor may log in a minute; that lines are missing is said. */
static void
test_log_quota(void **state)
{
	char path[] = "/tmp/ana-log-XXXXXX";
	struct log_dest file = { .to = LOG_TO_FILE, .file = path };
	struct log_dest none = { .to = LOG_TO_STDERR };

	close(mkstemp(path));
	sim_start(A_CONF, B_CONF);
	assert_true(sim_run_until(both_up, 120));
	sim_run(120);
	log_init(LOG_L_INFO, &file);
	for (int i = 0; i < LOG_PEER_MAX + 50; i++)
		log_peer(sim_peer(SIM_A), LOG_L_INFO, "one of many");
	log_peer(sim_peer(SIM_B), LOG_L_INFO, "another one");
	assert_int_equal(lines_with(path, "one of many"), LOG_PEER_MAX);
	assert_int_equal(lines_with(path, "another one"), 1);
	assert_int_equal(lines_with(path, "suppressed"), 0);
	sim_run(61);
	assert_int_equal(lines_with(path, "50 lines suppressed"), 1);
	log_peer(sim_peer(SIM_A), LOG_L_INFO, "one of many");
	assert_int_equal(lines_with(path, "one of many"), LOG_PEER_MAX + 1);
	sim_run(120);
	assert_int_equal(lines_with(path, "suppressed"), 1);
	sim_end();
	log_init(LOG_L_ERROR, &none);
	unlink(path);
}

/* As ana-fibd tells it: an address of A's link. */
static void
tell_address(const char *text, unsigned int len, bool added)
{
	const struct fib *f = sim.eng[SIM_A]->fib;
	struct addr a;

	assert_true(addr_parse(text, &a));
	f->ev->addr(f->arg, 1, &a, len, added);
}

static void
tell_link_of(uint32_t ifindex, bool carrier)
{
	const struct fib *f = sim.eng[SIM_A]->fib;
	struct fib_link l = { .ifindex = ifindex,
		.up = true,
		.carrier = carrier,
		.name = "eth1" };

	f->ev->link(f->arg, &l);
}

static void
tell_link(bool carrier)
{
	tell_link_of(1, carrier);
}

/* A link that is down is no good health, though its session still holds. */
static void
test_health_of_link(void **state)
{
	struct show_health h;

	sim_start(A_CONF, B_CONF);
	assert_true(sim_run_until(settled, 120));
	show_health(sim.eng[SIM_A], &h);
	assert_true(h.ok);
	tell_link(true);
	tell_address("192.0.2.1", 24, true);
	show_health(sim.eng[SIM_A], &h);
	assert_true(h.ok);
	tell_link(false);
	show_health(sim.eng[SIM_A], &h);
	assert_true(h.ready);
	assert_false(h.ok);
	assert_non_null(strstr(h.alarm, "the link eth1 to neighbor 192.0.2.2"));
	tell_link(true);
	/* As that of IPv6 does. */
	tell_address("192.0.2.1", 24, false);
	tell_address("192.0.2.9", 24, true);
	show_health(sim.eng[SIM_A], &h);
	assert_false(h.ok);
	tell_address("192.0.2.1", 24, true);
	show_health(sim.eng[SIM_A], &h);
	assert_true(h.ok);
	sim_end();
}

/* A link that there is no room for is not down. */
static void
test_health_of_many_links(void **state)
{
	const struct fib *f;
	struct show_health h;

	sim_start(A_CONF, B_CONF);
	assert_true(sim_run_until(settled, 120));
	for (uint32_t i = 0; i < ENGINE_LINKS_MAX; i++)
		tell_link_of(2 + i, true);
	f = sim.eng[SIM_A]->fib;
	f->ev->addr(f->arg, 2 + ENGINE_LINKS_MAX, &sim_peer(SIM_A)->up->local,
	    24, true);
	show_health(sim.eng[SIM_A], &h);
	assert_true(h.ok);
	sim_end();
}

/* No answer holds the loop up: many policies are told in slices. */
static void
test_show_policies(void **state)
{
	struct show s = { .file = -1, .req = { .id = CMD_SHOW_POLICY } };
	unsigned int slices = 1, told = 0;
	char *conf = NULL, *text;
	size_t size;
	FILE *f = open_memstream(&conf, &size);

	assert_non_null(f);
	fputs(A_CONF, f);
	for (int i = 0; i < 100; i++)
		fprintf(f, "policy x%d { rule a { accept; } }\n", i);
	fclose(f);
	sim_start(conf, B_CONF);
	s.eng = sim.eng[SIM_A];
	s.out = out_new(false);
	for (; show_run(&s, 16); slices++)
		;
	assert_int_equal(s.code, CMD_DONE);
	assert_in_range(slices, 10, 100);
	out_raw(s.out, "", 1);
	text = (char *)(uintptr_t)out_pending(s.out, &size);
	while ((text = strstr(text, "policy x")) != NULL) {
		text++;
		told++;
	}
	assert_int_equal(told, 100);
	show_end(&s);
	out_free(s.out);
	free(conf);
	sim_end();
}

/* Nor does the answer for the monitoring, which breaks no family apart. */
static void
test_show_metrics(void **state)
{
	struct show s = { .file = -1, .req = { .id = CMD_SHOW_METRICS } };
	unsigned int slices = 0;
	char *conf = NULL, *line, *save, family[100] = "";
	const char *text;
	bool more;
	size_t size;
	FILE *f = open_memstream(&conf, &size);

	assert_non_null(f);
	fputs(A_CONF, f);
	for (int i = 0; i < 100; i++)
		fprintf(f,
		    "neighbor 192.0.2.%d { remote-as 719; enabled no; }\n",
		    i + 100);
	fclose(f);
	sim_start(conf, B_CONF);
	s.eng = sim.eng[SIM_A];
	s.out = out_new(false);
	do {
		more = show_run(&s, 256);
		out_raw(s.out, "", 1);
		text = out_pending(s.out, &size);
		assert_in_range(size, 2, 256 * 1024);
		assert_int_equal(text[0], '#');
		line = mem_strdup(text);
		out_drained(s.out, size);
		text = strtok_r(line, "\n", &save);
		for (; text != NULL; text = strtok_r(NULL, "\n", &save))
			if (strncmp(text, "# TYPE ", 7) == 0) {
				strlcpy(family, text + 7, sizeof family);
				family[strcspn(family, " ")] = '\0';
			} else if (text[0] != '#')
				assert_memory_equal(
				    text, family, strlen(family));
		free(line);
		family[0] = '\0';
		slices++;
	} while (more);
	assert_int_equal(s.code, CMD_DONE);
	assert_in_range(slices, 10, 100);
	show_end(&s);
	out_free(s.out);
	free(conf);
	sim_end();
}

static bool
b_has_inet6(void)
{
	return adjin_count(sim_peer(SIM_B)->adjin, FAM_INET6)->received == 1;
}

#define A_BOTH(more) \
	"syntax 1;\n" \
	"global { as 52580; router-id 192.0.2.1; }\n" \
	"prefix-set azion { 2804:1f4a::/32; }\n" \
	"policy all { rule all { accept; } }\n" \
	"network 2804:1f4a::/32;\n" \
	"neighbor 192.0.2.2 { remote-as 719; local-address 192.0.2.1;" \
	" family [ inet, inet6 ]; import policy all; export policy all;" \
	" no require irr \"a lab\"; " more " }\n"
#define B_BOTH \
	"syntax 1;\n" \
	"global { as 719; router-id 192.0.2.2; }\n" \
	"policy all { rule all { accept; } }\n" \
	"neighbor 192.0.2.1 { remote-as 52580; local-address 192.0.2.2;" \
	" family [ inet, inet6 ]; next-hop self 2001:db8::2;" \
	" import policy all; export policy all;" \
	" no require irr \"a lab\"; }\n"

/* The next hop of the other family is the link's address of it, which may
 * come when the session is up already. */
static void
test_late_address(void **state)
{
	sim_start(A_BOTH(""), B_BOTH);
	tell_address("192.0.2.1", 24, true);
	assert_true(sim_run_until(both_up, 120));
	sim_run(5);
	assert_false(b_has_inet6());
	tell_address("2001:db8::1", 64, true);
	assert_true(sim_run_until(b_has_inet6, 5));
	/* And go: nobody may be sent to an address that is none any more. */
	tell_address("2001:db8::1", 64, false);
	sim_run(5);
	assert_false(b_has_inet6());
	tell_address("2001:db8::7", 64, true);
	assert_true(sim_run_until(b_has_inet6, 5));
	assert_int_equal(sim_peer(SIM_A)->established_count, 1);
	sim_end();
}

/* Whom B has been told to send to. */
static bool
b_has_next_hop(const char *text)
{
	struct engine *eng = sim.eng[SIM_B];
	struct rib_path rp;
	struct attrs at;
	struct addr a;
	struct pfx p;

	assert_true(addr_parse(text, &a) && pfx_parse("2804:1f4a::/32", &p));
	if (!adjin_find(sim_peer(SIM_B)->adjin, &p, &rp))
		return false;
	attrs_get(eng->attrs, rp.attrs_in, &at);
	return addr_eq(&at.nexthop, &a);
}

/* A change of "next-hop self" is told within the session. */
static void
test_next_hop_self(void **state)
{
	sim_start(A_BOTH("next-hop self 2001:db8::1;"), B_BOTH);
	assert_true(sim_run_until(b_has_inet6, 120));
	assert_true(b_has_next_hop("2001:db8::1"));
	assert_true(sim_reload(SIM_A, A_BOTH("next-hop self 2001:db8::9;")));
	sim_run(5);
	assert_true(b_has_next_hop("2001:db8::9"));
	assert_true(sim_reload(SIM_A, A_BOTH("")));
	sim_run(5);
	assert_false(b_has_inet6());
	assert_int_equal(sim_peer(SIM_A)->established_count, 1);
	sim_end();
}

/* So is a weight in force at once, without the session. */
static void
test_weight(void **state)
{
	const struct rib *rib;
	uint16_t num;

	sim_start(A_CONF, B_CONF);
	assert_true(sim_run_until(routes_both_ways, 120));
	rib = sim.eng[SIM_A]->rib;
	num = sim_peer(SIM_A)->num;
	assert_int_equal(rib_peer_get(rib, num)->weight, 0);
	assert_true(sim_reload(SIM_A, A_HEAD A_SET A_PEER("weight 7;")));
	assert_int_equal(rib_peer_get(rib, num)->weight, 7);
	sim_run(1);
	assert_int_equal(sim_peer(SIM_A)->established_count, 1);
	sim_end();
}

/* Who waited for its neighbor dials when a reload says so, and not before. */
static void
test_passive_no_more(void **state)
{
	sim_start(A_HEAD A_SET A_PEER("passive yes;"),
	    B_HEAD("192.0.2.2") B_PEER("passive yes;") B_NETS);
	sim_run(300);
	assert_int_equal(sim.dials[SIM_A], 0);
	assert_true(sim_reload(SIM_A, A_CONF));
	assert_true(sim_run_until(routes_both_ways, 30));
	assert_int_equal(sim.dials[SIM_A], 1);
	sim_end();
	sim_start(A_CONF, B_CONF);
	sim.cut = true;
	sim_run(300);
	assert_true(sim_reload(SIM_A, A_HEAD A_SET A_PEER("passive yes;")));
	sim.dials[SIM_A] = 0;
	sim_run(1000);
	assert_int_equal(sim.dials[SIM_A], 0);
	sim_end();
}

/* A rule may ask for the group of a neighbor: another one is another answer. */
static void
test_group(void **state)
{
#define A_GROUP(more) \
	"syntax 1;\n" \
	"global { as 52580; router-id 192.0.2.1; }\n" \
	"policy in { rule g { match group \"x\"; accept; } }\n" \
	"policy out { rule all { accept; } }\n" A_SET \
	A_PEER(more)
	sim_start(A_GROUP(""), B_CONF);
	assert_true(sim_run_until(both_up, 120));
	sim_run(5);
	assert_int_equal(received(SIM_A), 2);
	assert_int_equal(accepted_of(SIM_A), 0);
	assert_true(sim_reload(SIM_A, A_GROUP("group \"x\";")));
	sim_run(5);
	assert_int_equal(accepted_of(SIM_A), 2);
	sim_end();
}

/* How many lines of that kind a dry run of the text has for A. */
static uint64_t
planned(const char *text, enum plan_what what)
{
	struct plan *pl = plan_new(sim.eng[SIM_A], sim_conf(text));
	uint64_t n;

	while (plan_run(pl, 1000))
		;
	n = plan_result(pl)->count[what];
	plan_free(pl);
	return n;
}

/* A dry run decides as the speaker does: by the weight that a rule set. */
static void
test_plan_weight(void **state)
{
#define A_WEIGHT \
	"syntax 1;\n" \
	"global { as 52580; router-id 192.0.2.1; }\n" \
	"policy in { rule w { set weight 5; accept; } }\n" \
	"policy out { rule all { accept; } }\n" \
	"network 193.64.0.0/16;\n" A_SET A_PEER( \
	    "no reject own-prefixes \"x\";")
	sim_start(A_WEIGHT, B_CONF);
	assert_true(sim_run_until(both_up, 120));
	sim_run(5);
	assert_int_equal(accepted_of(SIM_A), 2);
	assert_int_equal(fib_mem_count(sim.eng[SIM_A]->fib, FAM_INET), 2);
	assert_int_equal(planned(A_WEIGHT, PLAN_REMOVED), 0);
	sim_end();
}

/* A dry run tells with the next hop that it has then. */
static void
test_plan_next_hop(void **state)
{
#define A_HOP(hop) \
	"syntax 1;\n" \
	"global { as 52580; router-id 192.0.2.1; }\n" \
	"prefix-set azion { 2a00:f820::/32; }\n" \
	"policy in { rule all { accept; } }\n" \
	"policy out { rule all { accept; } }\n" \
	"network 2a00:f820::/32;\n" A_SET \
	"neighbor 192.0.2.2 { remote-as 719; local-address 192.0.2.1;" \
	" family [ inet, inet6 ]; import policy in; export policy out;" \
	" next-hop peer 2001:db8::2; irr prefix-set p; " hop " }\n"
	sim_start(A_HOP("next-hop self 2001:db8::1;"),
	    B_HEAD("192.0.2.2") "neighbor 192.0.2.1 { remote-as 52580;"
				" local-address 192.0.2.2; family [ inet, inet6"
				" ]; next-hop self 2001:db8::2;"
				" next-hop peer 2001:db8::1;"
				" import policy all; export policy all;"
				" irr prefix-set az; }\n");
	assert_true(sim_run_until(both_up, 120));
	sim_run(5);
	assert_int_equal(
	    planned(A_HOP("next-hop self 2001:db8::1;"), PLAN_REANNOUNCED), 0);
	assert_int_equal(
	    planned(A_HOP("next-hop self 2001:db8::7;"), PLAN_REANNOUNCED), 1);
	assert_int_equal(planned(A_HOP(""), PLAN_WITHDRAWN), 1);
	/* And so it comes. */
	assert_true(sim_reload(SIM_A, A_HOP("next-hop self 2001:db8::7;")));
	sim_run(5);
	assert_int_equal(
	    planned(A_HOP("next-hop self 2001:db8::7;"), PLAN_REANNOUNCED), 0);
	sim_end();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_list_becomes_old),
		cmocka_unit_test(test_set_kept_later),
		cmocka_unit_test(test_log_quota),
		cmocka_unit_test(test_up_and_routes),
		cmocka_unit_test(test_collision_lower_id),
		cmocka_unit_test(test_one_passive),
		cmocka_unit_test(test_hold_timer),
		cmocka_unit_test(test_max_prefix),
		cmocka_unit_test(test_reload_set),
		cmocka_unit_test(test_reload_network),
		cmocka_unit_test(test_reload_neighbor),
		cmocka_unit_test(test_admin_down),
		cmocka_unit_test(test_back_off),
		cmocka_unit_test(test_back_off_passive),
		cmocka_unit_test(test_hang_up),
		cmocka_unit_test(test_limit_inside_update),
		cmocka_unit_test(test_unreachable),
		cmocka_unit_test(test_refresh),
		cmocka_unit_test(test_next_hop),
		cmocka_unit_test(test_max_routes),
		cmocka_unit_test(test_table_waits),
		cmocka_unit_test(test_gr_helper),
		cmocka_unit_test(test_gr_restart_time),
		cmocka_unit_test(test_gr_forwarding_lost),
		cmocka_unit_test(test_gr_capability_gone),
		cmocka_unit_test(test_gr_own_restart),
		cmocka_unit_test(test_gr_own_deadline),
		cmocka_unit_test(test_gr_both_restart),
		cmocka_unit_test(test_gr_notification),
		cmocka_unit_test(test_gr_hold_timer),
		cmocka_unit_test(test_gr_reload),
		cmocka_unit_test(test_gr_reload_reset),
		cmocka_unit_test(test_gr_set_load),
		cmocka_unit_test(test_gr_reload_before),
		cmocka_unit_test(test_health_of_link),
		cmocka_unit_test(test_health_of_many_links),
		cmocka_unit_test(test_show_policies),
		cmocka_unit_test(test_show_metrics),
		cmocka_unit_test(test_late_address),
		cmocka_unit_test(test_next_hop_self),
		cmocka_unit_test(test_weight),
		cmocka_unit_test(test_passive_no_more),
		cmocka_unit_test(test_group),
		cmocka_unit_test(test_plan_weight),
		cmocka_unit_test(test_plan_next_hop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
