/*
 * One speaker and a peer that is only octets, on the virtual clock: what takes
 * minutes, and would be a guess on a real one.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

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
