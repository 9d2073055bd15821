/* Drains and maintenance between two speakers, on a virtual clock. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bgpd/commit.h"
#include "bgpd/state.h"
#include "lib/mem.h"
#include "tests/sim/sim.h"

static char text[65536];

/* A, with these blocks: announces 185.23.12.0/24, takes B's. */
static const char *
conf_a(const char *more)
{
	snprintf(text, sizeof text,
	    "syntax 1;\n"
	    "global { as 52580; router-id 192.0.2.1;"
	    " shutdown-reason \"bye\"; }\n"
	    "prefix-set p { 193.64.0.0/15 or-longer; }\n"
	    "policy in { rule all { set local-pref 200; accept; } }\n"
	    "policy out { rule all { set med 5; accept; } }\n"
	    "network 185.23.12.0/24;\n"
	    "neighbor 192.0.2.2 { remote-as 719; local-address 192.0.2.1;"
	    " family [ inet ]; import policy in; export policy out;"
	    " irr prefix-set p; weight 7; }\n"
	    "%s\n",
	    more);
	return text;
}

static const char *const conf_b =
    "syntax 1;\n"
    "global { as 719; router-id 192.0.2.2; }\n"
    "policy all { rule all { accept; } }\n"
    "prefix-set az { 185.23.12.0/22 or-longer; }\n"
    "network 193.64.0.0/16;\n"
    "neighbor 192.0.2.1 { remote-as 52580; local-address 192.0.2.2;"
    " family [ inet ]; import policy all; export policy all;"
    " graceful-shutdown ignore; irr prefix-set az; }\n";

static struct engine *
a(void)
{
	return sim.eng[SIM_A];
}

static struct peer *
pa(void)
{
	return sim_peer(SIM_A);
}

/* What that speaker has of the other one's network; false: nothing. */
static bool
has(int who, struct attrs *out)
{
	struct engine *eng = sim.eng[who];
	struct rib_path rp;
	struct pfx pfx;

	assert_true(
	    pfx_parse(who == SIM_A ? "193.64.0.0/16" : "185.23.12.0/24", &pfx));
	if (!adjin_find(sim_peer(who)->adjin, &pfx, &rp))
		return false;
	attrs_get(eng->attrs, rp.attrs, out);
	return true;
}

/* As configured, on both sides. */
static bool
normal(void)
{
	struct attrs at;

	return pa()->up != NULL && has(SIM_B, &at) &&
	    !comm_has(at.comms, COMM_GRACEFUL_SHUTDOWN) &&
	    aspath_length(at.as_path) == 1 && at.med == 5 && has(SIM_A, &at) &&
	    at.local_pref == 200 && at.weight == 0;
}

/* GRACEFUL_SHUTDOWN there, the last choice here. */
static bool
drained(void)
{
	struct attrs at;

	return pa()->up != NULL && has(SIM_B, &at) &&
	    comm_has(at.comms, COMM_GRACEFUL_SHUTDOWN) && has(SIM_A, &at) &&
	    at.local_pref == 0 && at.weight == 1;
}

static bool
withdrawn(void)
{
	struct attrs at;

	return pa()->up != NULL && !has(SIM_B, &at) && has(SIM_A, &at) &&
	    at.local_pref == 0;
}

static bool
down(void)
{
	return pa()->up == NULL;
}

static void
begin(const char *more)
{
	sim_start(conf_a(more), conf_b);
	assert_true(sim_run_until(normal, 300));
}

/* One neighbor: community, prepend, MED, then nothing; and back. */
static void
test_neighbor(void **state)
{
	struct attrs at;

	begin("drain { prepend 2; med 500; time 1h; }");
	drain_start(a(), pa(), 120, "uid 0", "work");
	assert_true(sim_run_until(drained, 5));
	assert_true(has(SIM_B, &at));
	assert_int_equal(aspath_length(at.as_path), 3);
	assert_int_equal(at.med, 500);
	assert_int_equal(at.comms.len, 2 * 4); /* NO_EXPORT, too */
	sim_run(110);
	assert_true(drained());
	assert_true(sim_run_until(withdrawn, 10));
	sim_run(86400);
	assert_true(withdrawn());
	assert_true(drain_stop(a(), pa(), "uid 0"));
	assert_true(sim_run_until(normal, 5));
	assert_false(drain_stop(a(), pa(), "uid 0"));
	/* One session all the time. */
	assert_int_equal(pa()->established_count, 1);
	/* Never withdrawn; a second one begins anew; it ends in each state. */
	drain_start(a(), pa(), 0, "uid 0", NULL);
	sim_run(86400);
	assert_true(drained());
	drain_start(a(), pa(), 10, "uid 0", NULL);
	assert_true(sim_run_until(withdrawn, 11));
	drain_start(a(), pa(), 10, "uid 0", NULL);
	assert_true(sim_run_until(drained, 5));
	assert_true(drain_stop(a(), pa(), "uid 0"));
	sim_run(60);
	assert_true(normal());
	sim_end();
}

/* All and one are two drains: what is left of them counts. */
static void
test_all_and_one(void **state)
{
	begin("");
	drain_start(a(), NULL, 100, "uid 0", NULL);
	drain_start(a(), pa(), 0, "uid 0", NULL);
	assert_true(sim_run_until(withdrawn, 101));
	assert_true(drain_stop(a(), NULL, "uid 0"));
	assert_true(sim_run_until(drained, 5));
	assert_true(drain_stop(a(), pa(), "uid 0"));
	assert_true(sim_run_until(normal, 5));
	/* The configuration's part is in force on a reload. */
	drain_start(a(), NULL, 0, "uid 0", NULL);
	assert_true(sim_run_until(drained, 5));
	assert_true(sim_reload(SIM_A, conf_a("drain { prepend 4; }")));
	sim_run(5);
	assert_true(drained());
	{
		struct attrs at;

		assert_true(has(SIM_B, &at));
		assert_int_equal(aspath_length(at.as_path), 5);
	}
	assert_int_equal(pa()->established_count, 1);
	sim_end();
}

/* ---- maintenance ------------------------------------------------------- */

#define MAINT \
	"maintenance { drain-time 60s; wait 10m; traffic-below 1M;" \
	" shutdown-reason \"moving\"; }"

/* The link of the session carries so much; -1: it is not known. */
static void
traffic(int64_t bps)
{
	struct engine *eng = a();

	eng->naddr = eng->nlink = 1;
	eng->addr[0] = (struct engine_addr){
		.ifindex = 7, .addr = sim.addr[SIM_A], .len = 24
	};
	eng->link[0] = (struct engine_link){ .l = { .ifindex = 7 },
		.rated = bps >= 0,
		.rx_bps = bps > 0 ? (uint64_t)bps / 2 : 0,
		.tx_bps = bps > 0 ? (uint64_t)(bps - bps / 2) : 0 };
}

static enum maint_state
step(void)
{
	return a()->maint.m.state;
}

static bool
is_stopped(void)
{
	return step() == MAINT_STOPPED && down();
}

static bool
is_idle(void)
{
	return step() == MAINT_IDLE;
}

static const struct peer_notif *
last_sent(void)
{
	return &pa()->notif[(pa()->nnotif + PEER_NOTIFS - 1) % PEER_NOTIFS];
}

static void
test_maintenance(void **state)
{
	begin(MAINT);
	traffic(50000000);
	drain_maintenance_start(a(), 0, "uid 0", NULL);
	assert_true(sim_run_until(drained, 5));
	assert_int_equal(step(), MAINT_DRAINING);
	/* Little traffic does not shorten the drain. */
	traffic(0);
	sim_run(50);
	assert_int_equal(step(), MAINT_DRAINING);
	traffic(1000000);
	sim_run(100);
	assert_int_equal(step(), MAINT_WAITING);
	assert_true(drained());
	traffic(999999);
	assert_true(sim_run_until(is_stopped, 15));
	assert_int_equal(last_sent()->code, NOTIF_CEASE);
	assert_int_equal(last_sent()->sub, CEASE_SHUTDOWN);
	assert_string_equal(last_sent()->text, "moving");
	/* Nobody gets in; nothing of it is forwarded on. */
	sim_run(86400);
	assert_true(is_stopped());
	assert_int_equal(pa()->established_count, 1);
	assert_int_equal(fib_mem_count(a()->fib, FAM_INET), 0);
	/* Back, drained first. */
	assert_true(drain_maintenance_stop(a(), "uid 0"));
	assert_true(sim_run_until(drained, 60));
	assert_true(sim_run_until(is_idle, 10));
	assert_true(sim_run_until(normal, 5));
	assert_int_equal(fib_mem_count(a()->fib, FAM_INET), 1);
	assert_false(drain_maintenance_stop(a(), "uid 0"));
	sim_end();
}

/* The withdrawals go before the sessions do. */
static void
test_told_first(void **state)
{
	uint64_t was;

	begin(MAINT);
	traffic(0);
	was = sim_peer(SIM_B)->rx.withdraws;
	drain_maintenance_start(a(), 0, "uid 0", "text");
	assert_true(sim_run_until(is_stopped, 100));
	assert_int_equal(sim_peer(SIM_B)->rx.withdraws, was + 1);
	assert_string_equal(last_sent()->text, "text");
	sim_end();
}

/* Traffic that does not go, or is not known: the wait ends it. */
static void
test_wait(void **state)
{
	/* No link, one that was not counted twice yet, one that carries. */
	for (int known = 0; known < 3; known++) {
		begin(MAINT);
		if (known > 0)
			traffic(known == 1 ? -1 : 5000000);
		drain_maintenance_start(a(), 0, "uid 0", NULL);
		sim_run(60 + 590);
		assert_int_equal(step(), MAINT_WAITING);
		assert_true(drained());
		assert_true(sim_run_until(is_stopped, 20));
		sim_end();
	}
}

/* The end given, and a stop, in each step. */
static void
test_undo_each(void **state)
{
	static const unsigned int after[] = { 1, 30, 61, 300, 661, 700, 5000 };

	for (size_t i = 0; i < sizeof after / sizeof after[0]; i++)
		for (int by_end = 0; by_end < 2; by_end++) {
			begin(MAINT);
			traffic(5000000);
			drain_maintenance_start(a(),
			    by_end ? engine_real_s(a()) + after[i] : 0, "uid 0",
			    NULL);
			sim_run(after[i]);
			if (!by_end)
				assert_true(
				    drain_maintenance_stop(a(), "uid 0"));
			assert_true(sim_run_until(is_idle, 200));
			assert_true(sim_run_until(normal, 5));
			assert_int_equal(a()->maint.end_s, 0);
			sim_end();
		}
}

/* Begun again while it is undone; with another end while it runs. */
static void
test_again(void **state)
{
	begin(MAINT);
	traffic(0);
	drain_maintenance_start(a(), 0, "uid 0", NULL);
	assert_true(sim_run_until(is_stopped, 100));
	drain_maintenance_start(a(), engine_real_s(a()) + 500, "uid 1", "x");
	assert_string_equal(a()->maint.who, "uid 1");
	assert_true(is_stopped());
	sim_run(400);
	assert_true(is_stopped());
	assert_true(drain_maintenance_stop(a(), "uid 0"));
	drain_maintenance_start(a(), 0, "uid 0", NULL);
	assert_int_equal(step(), MAINT_DRAINING);
	sim_run(20);
	assert_true(drained());
	assert_true(sim_run_until(is_stopped, 100));
	sim_end();
}

/* A neighbor that never comes back does not hold the others drained. */
static void
test_never_back(void **state)
{
	begin(MAINT);
	traffic(0);
	drain_maintenance_start(a(), 0, "uid 0", NULL);
	assert_true(sim_run_until(is_stopped, 100));
	sim.cut = true;
	assert_true(drain_maintenance_stop(a(), "uid 0"));
	sim_run(100);
	assert_int_equal(step(), MAINT_UNDOING);
	assert_true(sim_run_until(is_idle, 30));
	assert_int_equal(a()->maint.m.why, MAINT_BY_TIME);
	sim.cut = false;
	assert_true(sim_run_until(normal, 300));
	sim_end();
}

/* ---- over a restart ---------------------------------------------------- */

static char dir[32];

static int
make_dir(void **state)
{
	strlcpy(dir, "/tmp/ana-sim-drain-XXXXXX", sizeof dir);
	sim_state_dir = mkdtemp(dir);
	return sim_state_dir == NULL;
}

static int
remove_dir(void **state)
{
	state_remove(dir, "drain.state");
	state_remove(dir, "limits.state");
	state_remove(dir, "confirmed.conf");
	state_remove(dir, "previous.conf");
	sim_state_dir = NULL;
	sim_skew_s = 0;
	return rmdir(dir);
}

/* Killed in each step and each kind of drain: the next process goes on. */
static void
test_kill(void **state)
{
	begin("");
	drain_start(a(), pa(), 1000, "uid 3", "a \"b\" \\c");
	assert_true(sim_run_until(drained, 5));
	sim_run(300);
	sim_kill(SIM_A);
	sim_run(100);
	sim_boot(SIM_A, conf_a(""), false);
	assert_string_equal(pa()->drain.who, "uid 3");
	assert_string_equal(pa()->drain.why, "a \"b\" \\c");
	assert_true(sim_run_until(drained, 100));
	/* What was left of its time. */
	sim_run(480);
	assert_true(drained());
	assert_true(sim_run_until(withdrawn, 130));
	sim_kill(SIM_A);
	sim_boot(SIM_A, conf_a(""), false);
	assert_true(sim_run_until(withdrawn, 200));
	assert_true(drain_stop(a(), pa(), "uid 0"));
	assert_true(sim_run_until(normal, 5));
	drain_start(a(), NULL, 0, "uid 0", NULL);
	sim_kill(SIM_A);
	sim_boot(SIM_A, conf_a(""), false);
	assert_true(sim_run_until(drained, 200));
	assert_true(drain_stop(a(), NULL, "uid 0"));
	assert_true(sim_run_until(normal, 5));
	sim_kill(SIM_A);
	sim_boot(SIM_A, conf_a(""), false);
	assert_true(sim_run_until(normal, 200));
	sim_end();
}

static bool
stopping(void)
{
	return step() == MAINT_STOPPING;
}

static void
again(void)
{
	sim_kill(SIM_A);
	sim_boot(SIM_A, conf_a(MAINT), false);
	traffic(5000000);
}

static void
test_kill_maintenance(void **state)
{
	begin(MAINT);
	traffic(5000000);
	drain_maintenance_start(a(), 0, "uid 0", "why");
	sim_run(30);
	again();
	assert_int_equal(step(), MAINT_DRAINING);
	assert_true(sim_run_until(drained, 20));
	sim_run(40);
	assert_int_equal(step(), MAINT_WAITING);
	again();
	assert_int_equal(step(), MAINT_WAITING);
	assert_true(sim_run_until(drained, 100));
	assert_string_equal(a()->maint.why, "why");
	assert_true(sim_run_until(stopping, 700));
	again();
	/* The process took the sessions along: they stay away. */
	assert_int_equal(step(), MAINT_STOPPED);
	sim_run(1000);
	assert_true(is_stopped());
	assert_int_equal(pa()->established_count, 0);
	again();
	sim_run(1000);
	assert_true(is_stopped());
	assert_int_equal(pa()->established_count, 0);
	/* Stale routes in the kernel do not wait for anybody. */
	assert_int_equal(fib_mem_count(a()->fib, FAM_INET), 0);
	assert_true(drain_maintenance_stop(a(), "uid 0"));
	again();
	assert_int_equal(step(), MAINT_UNDOING);
	assert_true(sim_run_until(is_idle, 200));
	assert_true(sim_run_until(normal, 5));
	again();
	assert_int_equal(step(), MAINT_IDLE);
	assert_true(sim_run_until(normal, 200));
	sim_end();
}

/* Its end passes while the speaker is away, or the clock is set meanwhile. */
static void
test_kill_and_end(void **state)
{
	begin(MAINT);
	traffic(0);
	drain_maintenance_start(a(), engine_real_s(a()) + 600, "uid 0", NULL);
	assert_true(sim_run_until(is_stopped, 100));
	sim_kill(SIM_A);
	sim_run(600);
	sim_boot(SIM_A, conf_a(MAINT), false);
	assert_true(sim_run_until(is_idle, 200));
	assert_true(sim_run_until(normal, 60));
	traffic(0);
	drain_maintenance_start(a(), engine_real_s(a()) + 600, "uid 0", NULL);
	assert_true(sim_run_until(is_stopped, 100));
	/* An hour of the day: the clock that shows it was set. */
	sim_skew_s += 3600;
	assert_true(sim_run_until(is_idle, 200));
	/* Back again, in the midst of a step: that one from its beginning. */
	drain_maintenance_start(a(), 0, "uid 0", NULL);
	sim_run(30);
	sim_kill(SIM_A);
	sim_skew_s -= 7200;
	sim_boot(SIM_A, conf_a(MAINT), false);
	assert_int_equal(step(), MAINT_DRAINING);
	sim_run(57);
	assert_int_equal(step(), MAINT_DRAINING);
	sim_run(5);
	assert_int_equal(step(), MAINT_WAITING);
	sim_end();
}

/* What could not be written is, once there is room again. */
static void
test_kept_later(void **state)
{
	begin("");
	assert_int_equal(rmdir(dir), 0);
	drain_start(a(), pa(), 1000, "uid 3", NULL);
	assert_true(sim_run_until(drained, 5));
	assert_int_equal(mkdir(dir, 0700), 0);
	sim_run(61);
	sim_kill(SIM_A);
	sim_boot(SIM_A, conf_a(""), false);
	assert_true(sim_run_until(drained, 100));
	sim_end();
}

static bool
kept(const char *name)
{
	char path[sizeof dir + 32];

	snprintf(path, sizeof path, "%s/%s", dir, name);
	return access(path, R_OK) == 0;
}

/* Likewise what a restart needs to know of the configuration. */
static void
test_commit_kept_later(void **state)
{
	static const struct commit_opts window = { .confirm_s = 1000 };
	char why[256];
	struct conf *c;

	begin("");
	assert_int_equal(rmdir(dir), 0);
	a()->commit = commit_new(a(), "");
	c = sim_conf(conf_a(""));
	assert_true(commit_apply(a(), c, &window, why, sizeof why));
	assert_int_equal(mkdir(dir, 0700), 0);
	sim_run(61);
	assert_true(kept("confirmed.conf"));
	assert_true(kept("previous.conf"));
	assert_true(kept("commit.state"));
	assert_true(commit_confirm(a()));
	assert_false(kept("commit.state"));
	sim_end();
}

/* The window's time is none of the hour, and what was undone stays so whatever
 * the clock says at the next start. */
static void
test_commit_clock(void **state)
{
	static const struct commit_opts window = { .confirm_s = 1000 };
	char why[256], *said;
	size_t len;

	begin("");
	a()->commit = commit_new(a(), "");
	assert_true(
	    commit_apply(a(), sim_conf(conf_a("")), &window, why, sizeof why));
	sim_run(600);
	assert_in_range(commit_left(a()), 390, 400);
	sim_run(401);
	assert_int_equal(commit_left(a()), -1);
	assert_non_null(strstr(commit_alarm(a()), "was not confirmed"));
	assert_int_equal(state_read(dir, "commit.state", &said, &len), 0);
	assert_non_null(strstr(said, "until 0;"));
	free(said);
	state_remove(dir, "commit.state");
	sim_end();
}

/* A file that is being read for a SIGHUP when it is undone is not read again
 * behind it. */
static void
test_undo_in_reload(void **state)
{
	static const struct commit_opts now;
	struct commit_load *l;
	char path[64], why[256];
	const char *file;

	begin("");
	file = conf_a("network 185.23.13.0/24;");
	assert_int_equal(state_write(dir, "new.conf", file, strlen(file)), 0);
	snprintf(path, sizeof path, "%s/new.conf", dir);
	assert_int_equal(chmod(path, 0600), 0);
	a()->opts.conf_path = path;
	a()->commit = commit_new(a(), "");
	assert_true(
	    commit_apply(a(), sim_conf(conf_a("")), &now, why, sizeof why));
	commit_hup(a());
	l = commit_load_undo(a(), why, sizeof why);
	while (commit_load_run(l))
		;
	commit_back(a(), commit_load_take(l), "undone");
	commit_load_free(l);
	sim_run(5);
	assert_int_equal(a()->conf->nnetwork, 1);
	/* One that comes later is another matter. */
	commit_hup(a());
	sim_run(5);
	assert_int_equal(a()->conf->nnetwork, 2);
	sim_end();
	state_remove(dir, "new.conf");
	state_remove(dir, "commit.state");
}

/* A neighbor that is removed, or was not there at all. */
static void
test_forgotten(void **state)
{
	const char *file = "drain 192.0.2.77 { since 1; reason \"x\"; }\n"
			   "drain all { since 1700001000; by \"uid 0\"; }\n"
			   "maintenance { state nonsense; }\n"
			   "broken {";

	/* B has no state of its own. */
	sim_state_dir = NULL;
	begin("");
	assert_int_equal(
	    state_write(dir, "drain.state", file, strlen(file)), 0);
	sim_kill(SIM_A);
	sim_state_dir = dir;
	sim_boot(SIM_A, conf_a(""), false);
	assert_int_equal(step(), MAINT_IDLE);
	assert_true(sim_run_until(drained, 300));
	assert_true(drain_stop(a(), NULL, "uid 0"));
	drain_start(a(), pa(), 0, "uid 0", NULL);
	assert_true(sim_run_until(drained, 5));
	assert_true(sim_reload(
	    SIM_A, "syntax 1; global { as 52580; router-id 192.0.2.1; }"));
	sim_run(5);
	assert_true(sim_reload(SIM_A, conf_a("")));
	assert_true(sim_run_until(normal, 300));
	sim_kill(SIM_A);
	sim_boot(SIM_A, conf_a(""), false);
	assert_true(sim_run_until(normal, 300));
	sim_end();
}

int
main(void)
{
#define KEPT(f) cmocka_unit_test_setup_teardown(f, make_dir, remove_dir)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_neighbor),
		cmocka_unit_test(test_all_and_one),
		cmocka_unit_test(test_maintenance),
		cmocka_unit_test(test_told_first),
		cmocka_unit_test(test_wait),
		cmocka_unit_test(test_undo_each),
		cmocka_unit_test(test_again),
		cmocka_unit_test(test_never_back),
		KEPT(test_kill),
		KEPT(test_kill_maintenance),
		KEPT(test_kill_and_end),
		KEPT(test_kept_later),
		KEPT(test_commit_kept_later),
		KEPT(test_commit_clock),
		KEPT(test_undo_in_reload),
		KEPT(test_forgotten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
