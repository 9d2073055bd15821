/*
 * One speaker and a peer that is only octets, on the virtual clock: what takes
 * minutes, and would be a guess on a real one.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "tests/random.h"
#include "tests/sim/sim.h"

#define HEAD \
	"syntax 1;\n" \
	"global { as 52580; router-id 192.0.2.1; hold-time-min 0s; }\n" \
	"policy all { rule all { accept; } }\n" NEIGHBOR
#define NEIGHBOR \
	"prefix-set p { 193.64.0.0/14 or-longer; }\n" \
	"neighbor 192.0.2.2 { remote-as 719; family [ inet ]; passive yes;" \
	" import policy all; export policy all; irr prefix-set p; "
#define A_CONF HEAD "}\n"
#define A_GR HEAD "graceful-restart { restart-time 60s; } }\n"
#define NOBODY \
	"syntax 1;\nglobal { as 52580; router-id 192.0.2.1; " \
	"hold-time-min 0s; }\n"
/* Nobody: the octets are in its place. */
#define B_CONF \
	"syntax 1;\nglobal { as 719; router-id 192.0.2.2; }\n" \
	"policy all { rule all { accept; } }\n" \
	"neighbor 192.0.2.1 { remote-as 52580; family [ inet ]; passive yes;" \
	" import policy all; export policy all;" \
	" no require irr \"a lab\"; }\n"

#define MARKER \
	"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"
#define KEEPALIVE MARKER "\0\x13\4"
#define END_OF_RIB MARKER "\0\x17\2\0\0\0\0"
#define REFRESH(sub) MARKER "\0\x17\5\0\1" sub "\1"
/* AS 719, id 192.0.2.2; refresh and enhanced refresh, 4-octet AS. */
#define OPEN(hold) \
	MARKER "\0\x2b\1\4\2\xcf\0" hold \
	       "\xc0\0\2\2\x0e\2\x0c\2\0\x46\0\x41\4" \
	       "\0\0\2\xcf\2\0"
#define OPEN_GR(hold) \
	MARKER "\0\x31\1\4\2\xcf\0" hold \
	       "\xc0\0\2\2\x14\2\x12\2\0\x46\0\x41\4" \
	       "\0\0\2\xcf\x40\6\0\x3c\0\1\1\x80"
/* 193.64.0.0/16, 193.65.0.0/16 */
#define ROUTE(n) \
	MARKER "\0\x2e\2\0\0\0\x14\x40\1\1\0\x40\2\6\2\1\0\0\2\xcf\x40\3\4" \
	       "\xc0\0\2\2\x10\xc1" n
/* With OTC of AS 719. */
#define LEAK(n) \
	MARKER "\0\x35\2\0\0\0\x1b\x40\1\1\0\x40\2\6\2\1\0\0\2\xcf\x40\3\4" \
	       "\xc0\0\2\2\xc0\x23\4\0\0\2\xcf\x10\xc1" n
/* Its ORIGIN is 9. */
#define MALFORMED(n) \
	MARKER "\0\x2e\2\0\0\0\x14\x40\1\1\x9\x40\2\6\2\1\0\0\2\xcf\x40\3\4" \
	       "\xc0\0\2\2\x10\xc1" n
#define WITHDRAW(n) MARKER "\0\x1a\2\0\3\x10\xc1" n "\0\0"

static int raw;
static uint8_t in[1 << 20];
static size_t nin;
static unsigned int keepalives; /* read so far */
static int code, sub; /* of the NOTIFICATION read, -1: none */
static bool closed;

static void
put(const void *octets, size_t n)
{
	assert_int_equal(send(raw, octets, n, MSG_NOSIGNAL), n);
}
#define PUT(text) put(text, sizeof(text) - 1)

/* Whatever it has said until now. */
static void
drain(void)
{
	ssize_t n;
	size_t len;

	while ((n = recv(raw, in + nin, sizeof in - nin, MSG_DONTWAIT)) > 0)
		nin += (size_t)n;
	closed |= n == 0;
	while (nin >= 19 && (len = (size_t)in[16] << 8 | in[17]) <= nin) {
		keepalives += in[18] == MSG_KEEPALIVE;
		if (in[18] == MSG_NOTIFICATION) {
			code = in[19];
			sub = in[20];
		}
		memmove(in, in + len, nin -= len);
	}
}

static void
pass(uint64_t seconds)
{
	sim_run(seconds);
	drain();
}

static void
connect_raw(void)
{
	int sv[2];

	assert_int_equal(
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, sv), 0);
	raw = sv[1];
	nin = keepalives = 0;
	code = sub = -1;
	closed = false;
	sim_accept(SIM_A, sv[0]);
	pass(1);
}

static void
dial(const char *conf)
{
	sim_start(conf, B_CONF);
	/* What it waits for at first is over. */
	sim_run(1);
	connect_raw();
}

static void
hang_up(void)
{
	close(raw);
	sim_end();
}

static struct peer *
a(void)
{
	return sim_peer(SIM_A);
}

static uint32_t
routes(void)
{
	return adjin_count(a()->adjin, FAM_INET)->received;
}

/* RFC 4271 8.2.2: the large value is four minutes. */
static void
test_open_wait(void **state)
{
	dial(A_CONF);
	assert_int_equal(a()->in->fsm.state, FSM_OPENSENT);
	pass(238);
	assert_int_equal(code, -1);
	pass(3);
	assert_int_equal(code, 4);
	assert_int_equal(sub, 0);
	assert_true(closed);
	hang_up();
}

/* Of the negotiated time, from OpenConfirm on. */
static void
test_hold(void **state)
{
	dial(A_CONF);
	PUT(OPEN("\x09"));
	pass(8);
	assert_int_equal(a()->in->fsm.state, FSM_OPENCONFIRM);
	PUT(KEEPALIVE);
	pass(8);
	assert_non_null(a()->up);
	assert_int_equal(code, -1);
	pass(2);
	assert_int_equal(code, 4);
	assert_int_equal(sub, 0);
	hang_up();
}

/* KEEPALIVE, UPDATE and ROUTE-REFRESH, each alone, keep it up. */
static void
test_hold_is_restarted(void **state)
{
	dial(A_CONF);
	PUT(OPEN("\x09") KEEPALIVE);
	for (int what = 0; what < 3; what++) {
		for (int i = 0; i < 10; i++) {
			if (what == 0)
				PUT(KEEPALIVE);
			else if (what == 1)
				PUT(END_OF_RIB);
			else
				PUT(REFRESH("\0"));
			pass(8);
			assert_non_null(a()->up);
		}
	}
	assert_int_equal(code, -1);
	hang_up();
}

/* Neither timer, nor a KEEPALIVE but the one that answers the OPEN. */
static void
test_hold_0(void **state)
{
	dial(A_CONF);
	PUT(OPEN("\0") KEEPALIVE);
	pass(1);
	assert_non_null(a()->up);
	assert_int_equal(keepalives, 1);
	assert_false(a()->up->send_hold.armed);
	pass(100000);
	assert_non_null(a()->up);
	assert_int_equal(keepalives, 1);
	hang_up();
}

/* A third of the hold time, less the jitter, and never twice a second. */
static void
test_keepalives(void **state)
{
	static const struct {
		uint8_t hold;
		unsigned int least, most; /* in 300 s */
	} row[] = { { 90, 10, 14 }, { 9, 100, 134 }, { 3, 299, 301 } };

	for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
		uint8_t msg[] = OPEN("\0");

		dial(A_CONF);
		msg[23] = row[i].hold;
		put(msg, sizeof msg - 1);
		PUT(KEEPALIVE);
		pass(1);
		assert_non_null(a()->up);
		keepalives = 0;
		for (int s = 0; s < 300; s += 2) {
			PUT(KEEPALIVE);
			pass(2);
		}
		assert_in_range(keepalives, row[i].least, row[i].most);
		hang_up();
	}
}

/* RFC 7313 4: an End-of-RR that never comes is not waited for for ever. */
static void
test_no_eorr(void **state)
{
	dial(A_CONF);
	PUT(OPEN("\0") KEEPALIVE ROUTE("\x40") ROUTE("\x41") END_OF_RIB);
	pass(1);
	assert_int_equal(routes(), 2);
	PUT(REFRESH("\1") ROUTE("\x40"));
	pass(100);
	assert_int_equal(routes(), 2);
	pass(400);
	assert_int_equal(routes(), 1);
	hang_up();
}

/* RFC 7313 4: no BoRR before End-of-RIB of a peer with graceful restart. */
static void
test_early_borr(void **state)
{
	dial(A_GR);
	PUT(OPEN_GR("\0") KEEPALIVE ROUTE("\x40") ROUTE("\x41"));
	PUT(REFRESH("\1") ROUTE("\x40") REFRESH("\2"));
	pass(1000);
	assert_int_equal(routes(), 2);
	PUT(END_OF_RIB REFRESH("\1") ROUTE("\x40") REFRESH("\2"));
	pass(1);
	assert_int_equal(routes(), 1);
	hang_up();
}

static uint32_t
stale(void)
{
	return adjin_count(a()->adjin, FAM_INET)->stale;
}

/* The connection is lost, and another one comes after so many seconds. */
static void
lose(uint64_t seconds)
{
	close(raw);
	sim_run(seconds);
	connect_raw();
}

/* RFC 4724 4.2: lost a second time, half way through.  What was stale already
 * goes, what it had renewed becomes stale. */
static void
test_lost_again(void **state)
{
	dial(A_GR);
	PUT(OPEN_GR("\0") KEEPALIVE ROUTE("\x40") ROUTE("\x41") END_OF_RIB);
	pass(1);
	lose(10);
	assert_int_equal(stale(), 2);
	PUT(OPEN_GR("\0") KEEPALIVE ROUTE("\x40"));
	pass(1);
	assert_int_equal(routes(), 2);
	assert_int_equal(stale(), 1);
	lose(10);
	assert_int_equal(routes(), 1);
	assert_int_equal(stale(), 1);
	/* And a third time, with nothing new. */
	PUT(OPEN_GR("\0") KEEPALIVE);
	pass(1);
	lose(10);
	assert_int_equal(routes(), 0);
	PUT(OPEN_GR("\0") KEEPALIVE ROUTE("\x41") END_OF_RIB);
	pass(1);
	assert_int_equal(routes(), 1);
	assert_int_equal(stale(), 0);
	hang_up();
}

/* Stale routes leave room for others; what is renewed is counted again. */
static void
test_limit_while_stale(void **state)
{
	dial(HEAD "max-prefix 1; graceful-restart { restart-time 60s; } }\n");
	PUT(OPEN_GR("\0") KEEPALIVE ROUTE("\x40") END_OF_RIB);
	pass(1);
	lose(10);
	assert_int_equal(stale(), 1);
	PUT(OPEN_GR("\0") KEEPALIVE ROUTE("\x41"));
	pass(1);
	assert_int_equal(routes(), 2);
	assert_false(a()->limit.tripped);
	PUT(END_OF_RIB);
	pass(1);
	assert_int_equal(routes(), 1);
	/* Both of them are one too many. */
	lose(10);
	PUT(OPEN_GR("\0") KEEPALIVE ROUTE("\x40"));
	pass(1);
	assert_false(a()->limit.tripped);
	PUT(ROUTE("\x41"));
	pass(1);
	assert_true(a()->limit.tripped);
	hang_up();
}

/* Nor is what is renewed let in over a limit that froze meanwhile. */
static void
test_freeze_while_stale(void **state)
{
	dial(HEAD "max-prefix 1 action freeze;"
		  " graceful-restart { restart-time 60s; } }\n");
	PUT(OPEN_GR("\0") KEEPALIVE ROUTE("\x40") END_OF_RIB);
	pass(1);
	lose(10);
	PUT(OPEN_GR("\0") KEEPALIVE ROUTE("\x41") ROUTE("\x42"));
	pass(1);
	assert_true(a()->limit.frozen);
	assert_int_equal(routes(), 2);
	PUT(ROUTE("\x40"));
	pass(1);
	assert_int_equal(routes(), 1);
	PUT(ROUTE("\x41") END_OF_RIB);
	pass(1);
	assert_int_equal(routes(), 1);
	/* What was there, and has room, comes back into its place. */
	lose(10);
	PUT(OPEN_GR("\0") KEEPALIVE ROUTE("\x42") ROUTE("\x40") WITHDRAW("\x42")
		ROUTE("\x41") END_OF_RIB);
	pass(1);
	assert_true(a()->limit.frozen);
	assert_int_equal(routes(), 1);
	hang_up();
}

/* RFC 7606: what comes malformed leaves its place to what is held back. */
static void
test_room_by_malformed(void **state)
{
	dial(HEAD "max-prefix 1 action discard; }\n");
	PUT(OPEN("\0") KEEPALIVE ROUTE("\x40") ROUTE("\x41"));
	pass(1);
	assert_int_equal(adjin_count(a()->adjin, FAM_INET)->held, 1);
	PUT(MALFORMED("\x40"));
	pass(1);
	assert_int_equal(routes(), 1);
	assert_int_equal(adjin_count(a()->adjin, FAM_INET)->held, 0);
	hang_up();
}

/* A refresh can come again and again. */
static void
test_limit_in_refresh(void **state)
{
	dial(HEAD "max-prefix 1; graceful-restart { restart-time 60s; } }\n");
	PUT(OPEN_GR("\0") KEEPALIVE ROUTE("\x40") END_OF_RIB);
	pass(1);
	PUT(REFRESH("\1") ROUTE("\x41"));
	pass(1);
	assert_true(a()->limit.tripped);
	hang_up();
}

/* RFC 7313 4: what a reload holds back meanwhile is not renewed by that. */
static void
test_held_in_refresh(void **state)
{
	static const char odd[] =
	    "syntax 1;\n"
	    "global { as 52580; router-id 192.0.2.1; hold-time-min 0s; }\n"
	    "prefix-set odd { 193.65.0.0/16; }\n"
	    "policy all { rule odd { match prefix in odd; reject; }"
	    " rule all { accept; } }\n" NEIGHBOR
	    "max-prefix accepted 1 action discard; }\n";

	dial(odd);
	PUT(OPEN("\0") KEEPALIVE ROUTE("\x40") ROUTE("\x41") REFRESH("\1"));
	pass(1);
	assert_int_equal(stale(), 2);
	assert_true(sim_reload(
	    SIM_A, HEAD "max-prefix accepted 1 action discard; }\n"));
	pass(1);
	assert_int_equal(adjin_count(a()->adjin, FAM_INET)->held, 1);
	PUT(ROUTE("\x40") REFRESH("\2") WITHDRAW("\x40"));
	pass(1);
	assert_int_equal(routes(), 0);
	hang_up();
}

/* A reload that takes a family away takes what is kept of it, too. */
static void
test_family_gone(void **state)
{
	static const char six[] =
	    NOBODY "policy all { rule all { accept; } }\n"
		   "neighbor 192.0.2.2 { remote-as 719; family [ inet6 ];"
		   " passive yes; next-hop self 2001:db8::1;"
		   " next-hop peer 2001:db8::2; import policy all;"
		   " export policy all; no require irr \"a lab\";"
		   " graceful-restart { restart-time 60s; } }\n";

	dial(A_GR);
	PUT(OPEN_GR("\0") KEEPALIVE ROUTE("\x40") ROUTE("\x41") END_OF_RIB);
	pass(1);
	close(raw);
	sim_run(2);
	assert_int_equal(stale(), 2);
	assert_true(sim_reload(SIM_A, six));
	sim_run(2);
	assert_int_equal(routes(), 0);
	sim_end();
}

/* What bounces a session can be what a route is judged by, too (RFC 9234 5). */
static void
test_role_while_away(void **state)
{
	const struct adjin_count *c;

	dial(A_GR);
	PUT(OPEN_GR("\0") KEEPALIVE LEAK("\x40") END_OF_RIB);
	pass(1);
	c = adjin_count(a()->adjin, FAM_INET);
	assert_int_equal(c->accepted, 1);
	close(raw);
	sim_run(2);
	assert_true(sim_reload(SIM_A,
	    HEAD "role provider; graceful-restart { restart-time 60s; } }\n"));
	sim_run(2);
	assert_int_equal(c->stale, 1);
	assert_int_equal(c->accepted, 0);
	sim_end();
}

/*
 * RFC 7313 4: a BoRR right behind an EoRR, or an End-of-RIB after a graceful
 * restart: what is swept then is not what was just told.
 */
static void
test_borr_behind_end(void **state)
{
	dial(A_GR);
	PUT(OPEN_GR("\0") KEEPALIVE ROUTE("\x40") ROUTE("\x41") END_OF_RIB);
	pass(1);
	PUT(REFRESH("\1") ROUTE("\x40") REFRESH("\2") REFRESH("\1"));
	pass(1);
	assert_int_equal(routes(), 1);
	PUT(ROUTE("\x40") REFRESH("\2"));
	pass(1);
	assert_int_equal(routes(), 1);
	lose(10);
	PUT(OPEN_GR("\0") KEEPALIVE ROUTE("\x41") END_OF_RIB REFRESH("\1"));
	pass(1);
	assert_int_equal(routes(), 1);
	hang_up();
}

/* RFC 4724 4.2: what a refresh had not renewed yet is no older than the rest
 * when the connection is lost. */
static void
test_lost_in_refresh(void **state)
{
	dial(A_GR);
	PUT(OPEN_GR("\0") KEEPALIVE ROUTE("\x40") ROUTE("\x41") END_OF_RIB);
	pass(1);
	PUT(REFRESH("\1") ROUTE("\x40"));
	pass(1);
	assert_int_equal(stale(), 1);
	lose(10);
	assert_int_equal(routes(), 2);
	assert_int_equal(stale(), 2);
	hang_up();
}

/* RFC 7606: what is malformed counts against no limit, and has an end. */
static void
test_malformed_table(void **state)
{
	enum {
		EACH = 200,
		ALL = 100 * EACH
	};
	const struct adjin_count *c;
	uint8_t msg[43 + 4 * EACH] =
	    MARKER "\3\x4b\2\0\0\0\x14\x40\1\1\x9\x40\2\6\2\1\0\0\2\xcf"
		   "\x40\3\4\xc0\0\2\2";

	dial(A_CONF);
	PUT(OPEN("\0") KEEPALIVE ROUTE("\x40"));
	pass(1);
	assert_int_equal(routes(), 1);
	c = adjin_count(a()->adjin, FAM_INET);
	for (unsigned int i = 0; i < ALL; i++) {
		uint8_t at[] = { 24, 193, (uint8_t)(64 + (i >> 8)),
			(uint8_t)i };

		memcpy(msg + 43 + i % EACH * 4, at, 4);
		if (i % EACH < EACH - 1)
			continue;
		put(msg, sizeof msg);
		pass(1);
	}
	assert_non_null(a()->up);
	assert_int_equal(routes(), 1);
	assert_int_equal(c->malformed, 10000);
	/* A good one goes, whether there is room to show it or not. */
	memcpy(msg + 16, "\0\x2e", 2);
	memcpy(msg + 43, "\x10\xc1\x40", 3);
	put(msg, 46);
	pass(1);
	assert_int_equal(routes(), 0);
	assert_int_equal(c->malformed, 10000);
	hang_up();
}

/* A neighbor that is removed while its routes are stale leaves no timer. */
static void
test_removed_while_stale(void **state)
{
	dial(A_GR);
	PUT(OPEN_GR("\0") KEEPALIVE ROUTE("\x40") END_OF_RIB);
	pass(1);
	close(raw);
	sim_run(5);
	assert_int_equal(stale(), 1);
	assert_true(sim_reload(SIM_A, NOBODY));
	sim_run(1000);
	assert_null(sim_peer(SIM_A));
	sim_end();
}

static bool
ready(const char *says)
{
	char why[256] = "";
	bool yes = engine_ready(sim.eng[SIM_A], why, sizeof why);

	if (!yes)
		assert_non_null(strstr(why, says));
	return yes;
}

/* Who promised no End-of-RIB has told all when it is quiet, or after 120 s. */
static void
test_ready_without_eor(void **state)
{
	dial(A_CONF);
	assert_false(ready("OpenSent"));
	PUT(OPEN("\0") KEEPALIVE ROUTE("\x40"));
	pass(8);
	PUT(ROUTE("\x41") KEEPALIVE);
	pass(8);
	assert_false(ready("may have more to send"));
	PUT(KEEPALIVE);
	pass(3);
	assert_true(ready(""));
	PUT(ROUTE("\x40")); /* it stays ready */
	pass(1);
	assert_true(ready(""));
	close(raw);
	sim_run(10);
	connect_raw(); /* and begins anew with the session */
	PUT(OPEN("\0") KEEPALIVE);
	pass(1);
	assert_false(ready("may have more to send"));
	hang_up();

	dial(A_CONF);
	PUT(OPEN("\0") KEEPALIVE);
	pass(1);
	for (int s = 0; s <= 125; s += 5) {
		assert_int_equal(s >= 120, ready("may have more to send"));
		PUT(ROUTE("\x40"));
		pass(5);
	}
	hang_up();

	dial(A_CONF);
	PUT(OPEN("\0") KEEPALIVE END_OF_RIB);
	pass(1);
	assert_true(ready(""));
	hang_up();
}

/* Who promised it has not before it is here. */
static void
test_ready_by_eor(void **state)
{
	dial(A_GR);
	PUT(OPEN_GR("\0") KEEPALIVE ROUTE("\x40"));
	pass(1000);
	assert_false(ready("has not sent its End-of-RIB"));
	PUT(END_OF_RIB);
	pass(1);
	assert_true(ready(""));
	hang_up();
}

/* 8.2.2, event 24: the counter stays; event 25 counts. */
static void
test_retry_counter(void **state)
{
	for (int i = 0; i < 2; i++) {
		uint32_t before;

		dial(A_CONF);
		before = a()->retries;
		put(i == 0 ? MARKER "\0\x15\3\2\1" : MARKER "\0\x15\3\6\5", 21);
		pass(1);
		assert_true(closed);
		assert_int_equal(code, -1);
		assert_int_equal(a()->retries, before + (uint32_t)i);
		hang_up();
	}
}

/* Others wait for a turn: of a table it takes a piece, and what is to be told
 * of that goes before the next one. */
static void
test_turn(void **state)
{
	static uint8_t table[1000 * (sizeof ROUTE("\x40") - 1)];
	size_t n = sizeof table / 1000;
	uint64_t before;

	dial(A_CONF);
	PUT(OPEN("\0") KEEPALIVE);
	pass(1);
	assert_non_null(a()->up);
	PUT(REFRESH("\0"));
	sim_turn(SIM_A);
	assert_true(recv(raw, in, sizeof in, MSG_DONTWAIT) > 0);
	before = a()->rx.updates;
	for (size_t i = 0; i < 1000; i++)
		memcpy(table + i * n, ROUTE("\x40"), n);
	put(table, 1000 * n);
	sim_turn(SIM_A);
	assert_in_range(a()->rx.updates - before, 1, 400);
	pass(1);
	assert_int_equal(a()->rx.updates - before, 1000);
	hang_up();
}

/* ---- limits against a plain model -------------------------------------- */

/*
 * Announcements, withdrawals, malformed routes, losses, refreshes and reloads
 * in any order, one a turn, and a table of what must stand there then.
 */
enum {
	NPFX = 9,
	STEPS = 120
};

struct cell {
	enum {
		NONE,
		LIVE,
		HELD,
		MALF
	} at;
	bool stale, rejected;
	int order; /* of held ones */
};

static struct model {
	struct cell c[NPFX];
	unsigned int max, frozen_max;
	uint8_t action;
	bool accepted; /* what is limited; else all that is received */
	bool gr, odd; /* odd: every third one is rejected */
	bool spared, kept, eor, borr;
	bool frozen, fill, tripped;
	int first, last;
} m;

static const char *
model_conf(void)
{
	static const char *const action[] = { [CONF_LIMIT_DISCARD] = "discard",
		[CONF_LIMIT_FREEZE] = "freeze",
		[CONF_LIMIT_RESTART] = "restart 1h" };
	static char text[2048];

	snprintf(text, sizeof text,
	    "syntax 1;\n"
	    "global { as 52580; router-id 192.0.2.1; hold-time-min 0s; }\n"
	    "prefix-set odd { 193.64.1.0/24; 193.64.4.0/24; 193.64.7.0/24; }\n"
	    "policy all { %s rule all { accept; } }\n" NEIGHBOR
	    " max-prefix %s %u action %s;"
	    " graceful-restart { restart-time 60s; stale-time 1h; } }\n",
	    m.odd ? "rule odd { match prefix in odd; reject; }" : "",
	    m.accepted ? "accepted" : "", m.max, action[m.action]);
	return text;
}

static bool
model_counts(const struct cell *c, bool accepted)
{
	return c->at == LIVE && !(c->stale && m.spared) &&
	    !(accepted && c->rejected);
}

static bool
model_room(const struct cell *c, bool accepted)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < NPFX; i++)
		n += model_counts(&m.c[i], accepted);
	return n < m.max || model_counts(c, accepted);
}

static void
model_flush(void)
{
	memset(m.c, 0, sizeof m.c);
	m.kept = m.borr = false;
}

static void
model_over(struct cell *c, bool again)
{
	struct cell was = *c;

	if (m.action == CONF_LIMIT_RESTART) {
		m.tripped = true;
		model_flush();
		return;
	}
	if (m.action == CONF_LIMIT_FREEZE && !m.frozen) {
		m.frozen = true;
		m.frozen_max = m.max;
	}
	m.fill = false;
	*c = (struct cell){
		.at = HELD, .stale = was.stale && again, .order = was.order
	};
	if (c->stale)
		c->order = m.first--;
	else if (was.at != HELD || was.stale)
		c->order = m.last++;
}

static void
model_put(unsigned int i, bool again)
{
	struct cell *c = &m.c[i];
	bool stale = c->stale && again, rejected = m.odd && i % 3 == 1;
	bool room = again || m.accepted || model_room(c, false);

	if (m.frozen && !m.fill && !again)
		room = room && c->at == LIVE;
	if (room && m.accepted && !rejected)
		room = model_room(c, true) || (stale && m.spared);
	if (room)
		*c = (struct cell){ LIVE, stale, rejected, 0 };
	else
		model_over(c, again);
}

/* What is held comes in from the front; what is stale is renewed first. */
static void
model_let_in(void)
{
	struct cell *f;

	do {
		f = NULL;
		for (unsigned int i = 0; i < NPFX; i++)
			if (m.c[i].at == HELD &&
			    (f == NULL || m.c[i].order < f->order))
				f = &m.c[i];
		if (f == NULL || f->stale || m.frozen)
			return;
		model_put((unsigned int)(f - m.c), false);
	} while (f->at != HELD);
}

static void
model_sweep(void)
{
	for (unsigned int i = 0; i < NPFX; i++)
		if (m.c[i].stale)
			memset(&m.c[i], 0, sizeof m.c[i]);
}

static void
model_mark(bool spared)
{
	m.spared = spared;
	for (unsigned int i = 0; i < NPFX; i++)
		m.c[i].stale = m.c[i].at != NONE;
}

static void
model_up(void)
{
	m.gr = rnd(4) > 0;
	/* It forwarded on nothing that it does not speak of. */
	if (m.kept && !m.gr) {
		model_sweep();
		m.kept = false;
	}
	if (m.gr)
		PUT(OPEN_GR("\0") KEEPALIVE);
	else
		PUT(OPEN("\0") KEEPALIVE);
	pass(1);
	assert_non_null(a()->up);
	m.eor = m.borr = false;
	m.fill = m.frozen;
}

static void
model_lose(void)
{
	a()->idle_s = 0;
	lose(10);
	if (!m.gr)
		model_flush();
	else {
		if (m.kept)
			model_sweep();
		model_mark(true);
		m.kept = true;
	}
	model_up();
}

static void
model_op(void)
{
	unsigned int i = rnd(NPFX), what = rnd(100);
	char route[] = MARKER "\0\x2f\2\0\0\0\x14\x40\1\1\0\x40\2\6\2\1\0\0\2"
			      "\xcf\x40\3\4\xc0\0\2\2\x18\xc1\x40";
	char withdraw[] = MARKER "\0\x1b\2\0\4\x18\xc1\x40\0\0";

	route[46] = (char)i;
	if (what < 60) {
		if (what < 5)
			route[26] = 9;
		put(route, 47);
		if (what >= 5)
			model_put(i, false);
		else
			m.c[i] = (struct cell){ .at = MALF };
	} else if (what < 78) {
		withdraw[24] = (char)i;
		put(withdraw, 27);
		memset(&m.c[i], 0, sizeof m.c[i]);
	} else if (what < 82) {
		PUT(END_OF_RIB);
		if (m.kept)
			model_sweep();
		m.kept = m.fill = false;
		m.eor = true;
	} else if (what < 86) {
		PUT(REFRESH("\1"));
		if (!m.gr || m.eor) {
			model_mark(false);
			m.borr = true;
		}
	} else if (what < 89) {
		PUT(REFRESH("\2"));
		if (m.borr)
			model_sweep();
		m.borr = false;
	} else if (what < 93)
		model_lose();
	else if (what < 96) {
		m.odd = !m.odd;
		assert_true(sim_reload(SIM_A, model_conf()));
		for (i = 0; i < NPFX && !m.tripped; i++)
			if (m.c[i].at == LIVE)
				model_put(i, true);
	} else {
		peer_clear_limit(a(), "test", true);
		m.frozen = m.fill = false;
	}
	pass(1);
	model_let_in();
}

static void
model_check(void)
{
	for (unsigned int i = 0; i < NPFX; i++) {
		const struct cell *c = &m.c[i];
		struct addr at = { .fam = FAM_INET,
			.o = { 193, 64, (uint8_t)i } };
		struct rib_path rp = { 0 };
		struct pfx pfx;
		bool there;

		pfx_make(&pfx, &at, 24);
		there = adjin_find(a()->adjin, &pfx, &rp);
		if (there != (c->at != NONE) || rp.held != (c->at == HELD) ||
		    rp.malformed != (c->at == MALF) || rp.stale != c->stale)
			print_message("# prefix %u: there %d held %d malformed "
				      "%d stale %d, should be %d stale %d\n",
			    i, there, rp.held, rp.malformed, rp.stale, c->at,
			    c->stale);
		assert_int_equal(there, c->at != NONE);
		assert_int_equal(rp.held, c->at == HELD);
		assert_int_equal(rp.malformed, c->at == MALF);
		assert_int_equal(rp.stale, c->stale);
		if (c->at == LIVE)
			assert_int_equal(rp.reason != 0, c->rejected);
	}
	assert_int_equal(a()->limit.tripped, m.tripped);
	assert_int_equal(a()->limit.frozen, m.frozen);
}

static void
model_round(void)
{
	static const uint8_t action[] = { CONF_LIMIT_DISCARD, CONF_LIMIT_FREEZE,
		CONF_LIMIT_RESTART };

	m = (struct model){
		.max = 1 + rnd(4), .action = action[rnd(3)], .accepted = rnd(2)
	};
	dial(model_conf());
	model_up();
	for (unsigned int n = 0; n < STEPS; n++) {
		model_op();
		model_check();
		if (!m.tripped)
			continue;
		peer_clear_limit(a(), "test", true);
		m.tripped = false;
		a()->idle_s = 0;
		lose(10);
		model_up();
	}
	hang_up();
}

static void
test_limit_model(void **state)
{
	const char *given = getenv("SIM_SEED");
	uint64_t seed =
	    given != NULL ? strtoull(given, NULL, 0) : (uint64_t)time(NULL);

	print_message("# first seed %llu\n", (unsigned long long)seed);
	for (unsigned int n = 0; n < (given != NULL ? 1 : 100); n++) {
		rnd_seed(seed + n);
		print_message("# seed %llu\n", (unsigned long long)(seed + n));
		model_round();
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_open_wait),
		cmocka_unit_test(test_hold),
		cmocka_unit_test(test_hold_is_restarted),
		cmocka_unit_test(test_hold_0),
		cmocka_unit_test(test_keepalives),
		cmocka_unit_test(test_no_eorr),
		cmocka_unit_test(test_early_borr),
		cmocka_unit_test(test_lost_again),
		cmocka_unit_test(test_limit_while_stale),
		cmocka_unit_test(test_freeze_while_stale),
		cmocka_unit_test(test_room_by_malformed),
		cmocka_unit_test(test_limit_in_refresh),
		cmocka_unit_test(test_held_in_refresh),
		cmocka_unit_test(test_limit_model),
		cmocka_unit_test(test_family_gone),
		cmocka_unit_test(test_role_while_away),
		cmocka_unit_test(test_borr_behind_end),
		cmocka_unit_test(test_lost_in_refresh),
		cmocka_unit_test(test_malformed_table),
		cmocka_unit_test(test_removed_while_stale),
		cmocka_unit_test(test_ready_without_eor),
		cmocka_unit_test(test_ready_by_eor),
		cmocka_unit_test(test_retry_counter),
		cmocka_unit_test(test_turn),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
