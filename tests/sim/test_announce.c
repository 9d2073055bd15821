/* Two whole speakers and the tracks of one of them, on a virtual clock. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/mem.h"
#include "tests/sim/sim.h"

#define B_CONF \
	"syntax 1;\nglobal { as 719; router-id 192.0.2.2; }\n" \
	"policy all { rule all { accept; } }\n" \
	"prefix-set az { 185.23.12.0/24; }\n" \
	"neighbor 192.0.2.1 { remote-as 52580; local-address 192.0.2.2;" \
	" family [ inet ]; import policy all; export policy all;" \
	" irr prefix-set az; graceful-restart { } }\n"
#define A_CONF(net) \
	"syntax 1;\nglobal { as 52580; router-id 192.0.2.1; }\n" \
	"prefix-set p { 193.64.0.0/15 or-longer; }\n" \
	"policy all { rule all { accept; } }\n" net \
	"neighbor 192.0.2.2 { remote-as 719; local-address 192.0.2.1;" \
	" family [ inet ]; import policy all; export policy all;" \
	" irr prefix-set p; graceful-restart { } }\n"
#define LEASE \
	A_CONF("track web { lease 30s; }\n" \
	       "network 185.23.12.0/24 { track web; up-delay 20s;" \
	       " down-delay 5s; }\n")

static char dir[] = "/tmp/ana-sim-XXXXXX", *file, *file_conf;

static bool
b_has(void)
{
	return adjin_count(sim_peer(SIM_B)->adjin, FAM_INET)->accepted == 1;
}

static bool
b_lacks(void)
{
	return adjin_count(sim_peer(SIM_B)->adjin, FAM_INET)->accepted == 0;
}

static bool
both_up(void)
{
	return sim_peer(SIM_A)->up != NULL && sim_peer(SIM_B)->up != NULL;
}

/* As a service does, whose clock is the machine's. */
static void
touch(void)
{
	struct timespec t[2] = { { .tv_sec = engine_real_s(sim.eng[SIM_A]) },
		{ .tv_sec = engine_real_s(sim.eng[SIM_A]) } };
	int fd = open(file, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	assert_true(fd != -1);
	assert_int_equal(futimens(fd, t), 0);
	close(fd);
}

static void
say(bool up)
{
	struct engine *eng = sim.eng[SIM_A];

	announce_result(eng->announce, announce_track(eng->announce, "web"), up,
	    "said", eng->now_ms);
}

/* Ten seconds at a time, with a touch in each. */
static void
serve(unsigned int times)
{
	while (times-- > 0) {
		touch();
		sim_run(10);
	}
}

static void
test_file(void **state)
{
	sim_start(file_conf, B_CONF);
	assert_true(sim_run_until(both_up, 60));
	sim_run(60);
	assert_true(b_lacks());
	serve(2);
	assert_true(b_lacks()); /* up-delay */
	serve(2);
	assert_true(b_has());
	/* The clock jumps, to and fro: the service lives all the same. */
	sim_skew_s = 86400;
	serve(3);
	assert_true(b_has());
	sim_skew_s = -86400;
	serve(3);
	assert_true(b_has());
	/* Between two touches, and then it is dead, by the time that passes. */
	sim_skew_s = 0;
	sim_run(4);
	assert_true(b_has());
	sim_run(20);
	assert_true(b_lacks());
	sim_skew_s = -86400;
	sim_run(60);
	assert_true(b_lacks());
	sim_skew_s = 0;
	serve(4);
	assert_true(b_has());
	assert_int_equal(unlink(file), 0);
	sim_run(3);
	assert_true(b_lacks());
	sim_end();
}

static void
test_lease(void **state)
{
	sim_start(LEASE, B_CONF);
	assert_true(sim_run_until(both_up, 60));
	say(true);
	sim_run(19);
	assert_true(b_lacks());
	sim_run(2);
	assert_true(b_has());
	for (int i = 0; i < 20; i++) {
		say(true);
		sim_run(29);
		assert_true(b_has());
	}
	/* It ends 30 s after the last word, and 5 s are waited then. */
	sim_run(5);
	assert_true(b_has());
	sim_run(2);
	assert_true(b_lacks());
	sim_end();
}

/* Killed in each state: up, within the down delay, within the up delay, and
 * with a lease that ends meanwhile. */
static void
test_killed(void **state)
{
	sim_start(LEASE, B_CONF);
	assert_true(sim_run_until(both_up, 60));
	say(true);
	sim_run(25);
	assert_true(b_has());
	say(true);
	sim_run(2);
	sim_kill(SIM_A);
	sim_run(3);
	sim_boot(SIM_A, LEASE, false);
	assert_true(sim_run_until(both_up, 120));
	sim_run(2);
	assert_true(b_has()); /* without another up-delay */
	/* The rest of the lease, from its last word on. */
	sim_run(10);
	assert_true(b_has());
	sim_run(25);
	assert_true(b_lacks());

	say(true);
	sim_run(10);
	sim_kill(SIM_A); /* in the middle of the up-delay */
	sim_boot(SIM_A, LEASE, false);
	assert_true(sim_run_until(both_up, 120));
	say(true);
	assert_true(b_lacks());
	sim_run(25);
	assert_true(b_has());

	say(false);
	sim_run(2);
	sim_kill(SIM_A); /* in the middle of the down-delay */
	sim_boot(SIM_A, LEASE, false);
	assert_true(sim_run_until(both_up, 120));
	sim_run(6);
	assert_true(b_lacks());

	/* A lease that ends while nobody is there. */
	say(true);
	sim_run(25);
	assert_true(b_has());
	sim_kill(SIM_A);
	sim_run(60);
	sim_boot(SIM_A, LEASE, false);
	assert_true(sim_run_until(both_up, 120));
	sim_run(8);
	assert_true(b_lacks());
	sim_end();
}

#define DRAINS \
	A_CONF("track web { lease 30s; }\n" \
	       "network 185.23.12.0/24 { track web; on-fail drain;" \
	       " drain-time 60s; }\n")

/* Killed while it drains: it goes on draining for the rest of the time. */
static void
test_killed_draining(void **state)
{
	const struct announce_net *n;

	sim_start(DRAINS, B_CONF);
	assert_true(sim_run_until(both_up, 60));
	say(true);
	sim_run(2);
	assert_true(b_has());
	say(false);
	sim_run(20);
	assert_true(b_has());
	sim_kill(SIM_A);
	sim_boot(SIM_A, DRAINS, false);
	assert_true(sim_run_until(both_up, 120));
	sim_run(5);
	n = sim.eng[SIM_A]->announce->net[0];
	assert_int_equal(n->state, ANNOUNCE_DRAINING);
	assert_true(n->how.gshut);
	assert_true(b_has());
	sim_run(40);
	assert_true(b_lacks());
	sim_kill(SIM_A);
	sim_boot(SIM_A, DRAINS, false);
	assert_true(sim_run_until(both_up, 120));
	sim_run(5);
	assert_true(b_lacks());
	sim_end();
}

/* What could not be written is, once there is room again. */
static void
test_kept_later(void **state)
{
	char away[sizeof dir + 5];
	struct engine *eng;
	const char *plain = A_CONF("network 185.23.12.0/24;\n");

	snprintf(away, sizeof away, "%s.away", dir);
	sim_start(plain, B_CONF);
	assert_true(sim_run_until(b_has, 60));
	eng = sim.eng[SIM_A];
	assert_int_equal(rename(dir, away), 0);
	announce_withdraw(eng->announce, eng->announce->net[0], true, NULL);
	engine_announce_run(eng);
	assert_false(engine_announce_save(eng));
	assert_int_equal(rename(away, dir), 0);
	sim_run(61);
	sim_kill(SIM_A);
	sim_boot(SIM_A, plain, false);
	assert_true(sim_run_until(both_up, 120));
	sim_run(10);
	assert_true(b_lacks());
	sim_end();
}

static int
setup(void **state)
{
	sim_skew_s = 0;
	sim_state_dir = dir;
	return 0;
}

static int
teardown(void **state)
{
	char *path = mem_printf("%s/announce.state", dir);

	unlink(path);
	free(path);
	unlink(file);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_file, setup, teardown),
		cmocka_unit_test_setup_teardown(test_lease, setup, teardown),
		cmocka_unit_test_setup_teardown(test_killed, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    test_killed_draining, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    test_kept_later, setup, teardown),
	};
	int bad;

	if (mkdtemp(dir) == NULL)
		return 1;
	file = mem_printf("%s/health", dir);
	file_conf = mem_printf(
	    A_CONF("network 185.23.12.0/24 { track file \"%s\" max-age 15s;"
		   " up-delay 25s; }\n"),
	    file);
	bad = cmocka_run_group_tests(tests, NULL, NULL);
	free(file);
	free(file_conf);
	rmdir(dir);
	return bad;
}
