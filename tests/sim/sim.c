#include "tests/sim/sim.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bgpd/log.h"
#include "lib/mem.h"

struct sim sim;
uint64_t sim_note;
const char *sim_state_dir;
int64_t sim_skew_s;

static uint64_t now_us;
static int turning; /* whose code runs */

enum {
	IDLE_TURNS = 3
}; /* turns without work before the clock may move */

static uint64_t
clock_virtual(void)
{
	return now_us;
}

static int64_t
real_virtual(void)
{
	return 1700000000 + (int64_t)(now_us / 1000000) + sim_skew_s;
}

static int
whose(const struct engine *eng)
{
	return eng == sim.eng[SIM_A] ? SIM_A : SIM_B;
}

static int
dial(struct engine *eng, struct peer *p)
{
	int me = whose(eng), sv[2];

	sim.dials[me]++;
	if (sim.cut || sim.waiting[me] != -1)
		return -EHOSTUNREACH;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0,
		sv) == -1)
		return -errno;
	sim.waiting[me] = sv[1];
	return sv[0];
}

/* What was dialled in the turn before: so two may dial at once. */
static void
deliver(int from)
{
	int fd = sim.waiting[from];
	struct peer *there;

	sim.waiting[from] = -1;
	if (fd == -1)
		return;
	turning = !from;
	there = sim.eng[!from] != NULL
	    ? engine_peer(sim.eng[!from], &sim.addr[from])
	    : NULL;
	if (there == NULL)
		close(fd);
	else
		peer_accept(there, fd);
}

static int
accepted(int fd, const struct sock_opts *o, uint8_t *ttl)
{
	*ttl = 255;
	return 0;
}

static int
local(int fd, struct addr *a, uint16_t *port)
{
	*a = sim.addr[turning];
	*port = 179;
	return 0;
}

static int
remote(int fd, struct addr *a, uint16_t *port)
{
	*a = sim.addr[!turning];
	*port = 40000;
	return 0;
}

/* Nobody will come: some port of the loopback. */
static int
bind_somewhere(const struct addr *a, uint16_t port)
{
	struct addr lo = addr_v4(0x7f000001);

	return sock_bind(&lo, 0);
}

/* One link, 192.0.2.0/24, on which both stand. */
static void
connected(struct engine *eng)
{
	struct pfx link;

	if (pfx_parse("192.0.2.0/24", &link))
		fib_mem_connected(eng->fib, &link, 1);
	for (size_t i = 0; i < sim.nkernel[turning]; i++)
		fib_mem_adopt(eng->fib, &sim.kernel[turning][i]);
}

static const struct engine_world world = {
	.connected = connected,
	.bind = bind_somewhere,
	.clock_us = clock_virtual,
	.real_s = real_virtual,
	.dial = dial,
	.accepted = accepted,
	.local = local,
	.remote = remote,
};

static int
read_text(void *arg, const char *path, struct conf_file *f)
{
	/* The one prefix list there is; it is as old as the run. */
	const char *text =
	    strstr(path, "/list") != NULL ? "193.64.0.0/15 15 32\n" : arg;

	*f = (struct conf_file){ .data = mem_strdup(text),
		.len = strlen(text),
		.mtime = real_virtual(),
		.mode = 0600,
		.uid = getuid() };
	return 0;
}

static int
no_glob(void *arg, const char *pattern, char ***paths, size_t *n)
{
	*paths = NULL;
	*n = 0;
	return 0;
}

struct conf *
sim_conf(const char *text)
{
	struct conf_reader r = { .read = read_text,
		.glob = no_glob,
		.arg = (void *)(uintptr_t)text,
		.dir = "/",
		.uid = getuid(),
		.fib_memory = true };
	struct diag_list dl;
	struct conf *c;
	char *said;

	diag_list_init(&dl);
	c = conf_load(&r, "/sim.conf", &dl);
	said = diag_list_text(&dl, NULL);
	if (c == NULL)
		fputs(said, stderr);
	free(said);
	diag_list_fini(&dl);
	return c;
}

static void
boot(int who, const char *text)
{
	struct engine_opts o = { .memory = true,
		.port = 179,
		.fibd_fd = -1,
		.conf_path = "/sim.conf",
		.run_dir = "/",
		.state_dir = sim_state_dir };
	struct conf *c = sim_conf(text);

	if (c == NULL)
		abort();
	sim.waiting[who] = -1;
	sim.eng[who] = engine_new(&o, c, &world);
	log_set_level(getenv("SIM_TRACE") == NULL ? LOG_L_ERROR : LOG_L_DEBUG);
}

static void
start(int who)
{
	char why[256];

	turning = who;
	if (!engine_start(sim.eng[who], why, sizeof why))
		abort();
}

void
sim_start(const char *a, const char *b)
{
	const char *text[SIM_N] = { a, b };

	memset(&sim, 0, sizeof sim);
	now_us = 1000000000;
	for (int i = 0; i < SIM_N; i++) {
		sim.addr[i] = addr_v4(0xc0000201u + (uint32_t)i);
		boot(i, text[i]);
	}
	for (int i = 0; i < SIM_N; i++)
		start(i);
}

static void
forget_kernel(int who)
{
	free(sim.kernel[who]);
	sim.kernel[who] = NULL;
	sim.nkernel[who] = 0;
}

void
sim_kill(int who)
{
	struct engine *eng = sim.eng[who];
	struct fibsync_route r;
	struct pfx at = { 0 };
	size_t n = 0;

	forget_kernel(who);
	sim.kernel[who] = mem_alloc(
	    (fib_mem_count(eng->fib, FAM_INET) + 1) * sizeof(struct pfx));
	while (fibsync_next(eng->fibsync, FAM_INET, &at, &r))
		if (fib_mem_route(eng->fib, &at) != 0)
			sim.kernel[who][n++] = at;
	sim.nkernel[who] = n;
	turning = who;
	if (sim.waiting[who] != -1)
		close(sim.waiting[who]);
	sim.waiting[who] = -1;
	engine_free(eng);
	sim.eng[who] = NULL;
}

void
sim_term(int who)
{
	struct engine *eng = sim.eng[who];

	turning = who;
	engine_stop(eng, eng->conf->shutdown_reason, !eng->conf->fib.keep);
	for (int i = 0; i < 10; i++)
		engine_turn(eng, false);
	sim_kill(who);
}

void
sim_boot(int who, const char *text, bool forgotten)
{
	if (forgotten)
		forget_kernel(who);
	boot(who, text);
	start(who);
}

void
sim_end(void)
{
	for (int i = 0; i < SIM_N; i++) {
		if (sim.waiting[i] != -1)
			close(sim.waiting[i]);
		turning = i;
		if (sim.eng[i] != NULL)
			engine_free(sim.eng[i]);
		sim.eng[i] = NULL;
		forget_kernel(i);
	}
}

uint64_t
sim_now_s(void)
{
	return (now_us - 1000000000) / 1000000;
}

static void
turn(int who)
{
	turning = who;
	if (sim.eng[who] != NULL && !sim.frozen[who])
		engine_turn(sim.eng[who], false);
}

/* The next deadline of those that are not frozen, in microseconds. */
static uint64_t
next_us(void)
{
	uint64_t next = TIMER_NEVER, t;

	for (int i = 0; i < SIM_N; i++) {
		t = sim.frozen[i] || sim.eng[i] == NULL
		    ? TIMER_NEVER
		    : timer_next(&sim.eng[i]->timers);
		if (t != TIMER_NEVER && t * 1000 < next)
			next = t * 1000;
	}
	return next;
}

/* Changes whenever something happened between the two. */
static uint64_t
activity(void)
{
	uint64_t n = 0;
	struct peer *p;

	for (int i = 0; i < SIM_N; i++) {
		n += sim.dials[i];
		if (sim.eng[i] == NULL)
			continue;
		TAILQ_FOREACH (p, &sim.eng[i]->peers, entry)
			n += p->rx.total + p->tx.total + p->nstep;
	}
	return n;
}

static bool
busy(void)
{
	for (int i = 0; i < SIM_N; i++)
		if (sim.waiting[i] != -1 ||
		    (sim.eng[i] != NULL && !sim.frozen[i] &&
			sim.eng[i]->loop.more))
			return true;
	return false;
}

static void
step(uint64_t end_us)
{
	uint64_t next, before;

	for (int idle = 0; idle < IDLE_TURNS; idle++) {
		before = activity();
		for (int i = 0; i < SIM_N; i++)
			deliver(i);
		for (int i = 0; i < SIM_N; i++)
			turn(i);
		if (busy() || activity() != before)
			idle = -1;
	}
	next = next_us();
	if (next > now_us)
		now_us = next < end_us ? next : end_us;
	/* What a test does before the next turn happens now. */
	for (int i = 0; i < SIM_N; i++)
		if (sim.eng[i] != NULL)
			sim.eng[i]->now_ms = now_us / 1000;
}

void
sim_deliver(int from)
{
	deliver(from);
}

void
sim_turn(int who)
{
	turn(who);
}

void
sim_tick(void)
{
	uint64_t next = next_us();

	if (next != TIMER_NEVER && next > now_us)
		now_us = next;
}

static bool
never(void)
{
	return false;
}

/* What a failed wait needs to be understood. */
static void
dump(void)
{
	struct adjin_reason r;

	if (sim_note != 0)
		fprintf(
		    stderr, "# SIM_SEED=%llu\n", (unsigned long long)sim_note);
	for (int i = 0; i < SIM_N; i++) {
		struct peer *p = sim_peer(i);

		if (p == NULL)
			continue;
		fprintf(stderr,
		    "# %c after %llu s: %s, received %u, accepted %u, FIB %zu, "
		    "why \"%s\"\n",
		    'A' + i, (unsigned long long)sim_now_s(),
		    fsm_state_name(peer_state(p)), adjin_received(p->adjin),
		    adjin_count(p->adjin, FAM_INET)->accepted,
		    fib_mem_count(sim.eng[i]->fib, FAM_INET), p->why);
		for (unsigned int k = 0; adjin_reason(p->adjin, k, &r); k++)
			fprintf(stderr, "#   refused %u: reason %u\n",
			    r.now[FAM_INET] + r.now[FAM_INET6], r.reason);
	}
}

bool
sim_run_until(bool (*until)(void), uint64_t within_s)
{
	uint64_t end = now_us + within_s * 1000000;

	while (!until()) {
		if (now_us >= end) {
			if (until != never)
				dump();
			return false;
		}
		step(end);
	}
	return true;
}

void
sim_run(uint64_t seconds)
{
	sim_run_until(never, seconds);
}

bool
sim_reload(int who, const char *text)
{
	struct conf *c = sim_conf(text);

	if (c == NULL)
		return false;
	turning = who;
	engine_apply(sim.eng[who], c);
	log_set_level(getenv("SIM_TRACE") == NULL ? LOG_L_ERROR : LOG_L_DEBUG);
	return true;
}

void
sim_accept(int who, int fd)
{
	turning = who;
	peer_accept(sim_peer(who), fd);
}

struct peer *
sim_peer(int who)
{
	return sim.eng[who] != NULL ? TAILQ_FIRST(&sim.eng[who]->peers) : NULL;
}
