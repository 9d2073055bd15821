/*
 * fuzz_engine.c -- a whole speaker with a hostile neighbor: octets from the
 * connection down to the RIB, the FIB in memory and what is told back, with
 * the virtual clock of tests/sim.
 *
 * Input: an octet of options, then records of a kind octet, a length octet and
 * so many octets.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/mem.h"
#include "tests/fuzz/must.h"
#include "tests/sim/sim.h"

enum kind {
	K_RAW, /* octets as they are */
	K_UPDATE, /* the body of an UPDATE, header and length put in front */
	K_MESSAGE, /* a type octet and a body */
	K_ATTRS, /* attributes; ours are put around them, with a prefix */
	K_TIME, /* seconds go by, the sum of the octets */
	K_CLOSE, /* the connection goes; another one comes */
	K_CLEAR, /* an operator */
	K_REFRESH_OUT,
	K_N
};

/* The options: what the limit does, and graceful restart on both sides. */
enum {
	OPT_ACTION = 7,
	OPT_GR = 8,
	OPT_GR_NOTIFICATION = 16,
};

static const char *const action[] = { "restart 1m", "discard", "freeze 1m",
	"stop" };

static char *
conf(uint8_t opt)
{
	return mem_printf(
	    "syntax 1;\n"
	    "global { as 52580; router-id 192.0.2.1; hold-time-min 3s; %s }\n"
	    "prefix-set azion { 185.23.12.0/24; 2a02:26f0::/32; }\n"
	    "prefix-set p { 193.64.0.0/12 or-longer;"
	    " 2001:600::/23 or-longer; }\n"
	    "policy in { rule all { set local-pref 200; accept; } }\n"
	    "policy out { rule all { accept; } }\n"
	    "network 185.23.12.0/24;\n"
	    "network 2a02:26f0::/32;\n"
	    "neighbor 192.0.2.2 { remote-as 719; passive yes;"
	    " family [ inet, inet6 ]; local-address 192.0.2.1;"
	    " import policy in; export policy out;"
	    " next-hop peer 2001:db8::2; next-hop self 2001:db8::1;"
	    " irr prefix-set p; max-prefix 20 action %s; }\n",
	    opt & OPT_GR ? "graceful-restart { restart-time 20s; }" : "",
	    action[(opt & OPT_ACTION) % 4]);
}

static const char idle[] = "syntax 1;\n"
			   "global { as 719; router-id 192.0.2.2; }\n";

enum {
	LIMIT = 20
};

static int fd = -1;
static uint8_t options;

static void
say(const void *p, size_t n)
{
	if (fd != -1 && send(fd, p, n, MSG_NOSIGNAL) == -1) {
		close(fd);
		fd = -1;
	}
}

/* A new connection, with a good OPEN and KEEPALIVE of the neighbor. */
static void
dial(void)
{
	struct wire_open o = { .version = 4,
		.my_as = 719,
		.hold_s = 90,
		.id = 0xc0000202,
		.caps = { .any = true,
		    .as4 = true,
		    .as4_as = 719,
		    .refresh = true,
		    .enhanced_refresh = true,
		    .gr = options & OPT_GR,
		    .gr_notification = options & OPT_GR_NOTIFICATION,
		    .gr_time_s = 20,
		    .gr_fam = { [FAM_INET] = true, [FAM_INET6] = true },
		    .gr_fwd = { [FAM_INET] = true },
		    .mp = { [FAM_INET] = true, [FAM_INET6] = true } } };
	uint8_t mem[WIRE_MAX];
	struct wbuf w;
	int sv[2];

	if (fd != -1)
		close(fd);
	MUST(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, sv) == 0);
	fd = sv[0];
	sim_accept(SIM_A, sv[1]);
	wbuf_init(&w, mem, sizeof mem);
	wire_open_write(&w, &o);
	wire_keepalive_write(&w);
	say(mem, w.len);
}

static void
message(uint8_t type, const uint8_t *body, size_t n)
{
	uint8_t mem[WIRE_HDR_LEN + 512];
	struct wbuf w;

	wbuf_init(&w, mem, sizeof mem);
	for (int i = 0; i < 16; i++)
		wbuf_u8(&w, 0xff);
	wbuf_u16(&w, (uint16_t)(WIRE_HDR_LEN + n));
	wbuf_u8(&w, type);
	wbuf_bytes(&w, body, n);
	say(mem, w.len);
}

static void
attributes(const uint8_t *p, size_t n)
{
	static const uint8_t ours[] = { 0x40, 1, 1, 0, 0x40, 2, 6, 2, 1, 0, 0,
		2, 0xcf, 0x40, 3, 4, 192, 0, 2, 2 };
	static const uint8_t nlri[] = { 24, 193, 65, 1, 24, 193, 65, 2 };
	uint8_t mem[512];
	struct wbuf w;

	wbuf_init(&w, mem, sizeof mem);
	wbuf_u16(&w, 0);
	wbuf_u16(&w, (uint16_t)(sizeof ours + n));
	wbuf_bytes(&w, ours, sizeof ours);
	wbuf_bytes(&w, p, n);
	wbuf_bytes(&w, nlri, sizeof nlri);
	message(MSG_UPDATE, mem, w.len);
}

static void
seconds(const uint8_t *p, size_t n)
{
	uint64_t s = 0;

	while (n-- > 0)
		s += p[n];
	sim_run(s);
}

static void
drain(void)
{
	uint8_t sink[65536];

	while (fd != -1 && recv(fd, sink, sizeof sink, 0) > 0)
		;
}

/* Whatever was said, this holds. */
static void
check(void)
{
	const struct engine *eng = sim.eng[SIM_A];
	struct peer *p = sim_peer(SIM_A);
	struct rib_stats st;

	MUST(adjin_received(p->adjin) <= LIMIT);
	rib_stats(eng->rib, &st);
	for (enum fam f = FAM_INET; f < FAM_N; f++) {
		/* Our own network is one of the best, and not in the FIB. */
		MUST(st.best[f] >= 1);
		MUST(fib_mem_count(eng->fib, f) <= st.best[f] - 1);
		MUST(adjin_count(p->adjin, f)->accepted <= LIMIT);
	}
	MUST(p->up == NULL || p->up->fsm.state == FSM_ESTABLISHED);
}

static void
record(enum kind k, const uint8_t *p, size_t n)
{
	struct peer *peer = sim_peer(SIM_A);

	switch (k) {
	case K_RAW:
		say(p, n);
		break;
	case K_UPDATE:
		message(MSG_UPDATE, p, n);
		break;
	case K_MESSAGE:
		if (n > 0)
			message(p[0], p + 1, n - 1);
		break;
	case K_ATTRS:
		attributes(p, n);
		break;
	case K_TIME:
		seconds(p, n);
		break;
	case K_CLOSE:
		dial();
		break;
	case K_CLEAR:
		peer_stop(peer, CEASE_RESET, "fuzz", true);
		break;
	case K_REFRESH_OUT:
		if (peer->up != NULL)
			peer_send_again(peer);
		break;
	case K_N:
		break;
	}
	sim_run(0);
	drain();
	sim_run(1);
	check();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cur in, body;
	uint8_t kind, len;
	char *text;

	cur_init(&in, data, size < 4096 ? size : 4096);
	if (!cur_u8(&in, &options))
		return 0;
	text = conf(options);
	sim_start(text, idle);
	sim.cut = true;
	sim.frozen[SIM_B] = true;
	sim_run(1);
	dial();
	sim_run(1);
	while (cur_u8(&in, &kind) && cur_u8(&in, &len)) {
		size_t n = len < cur_left(&in) ? len : cur_left(&in);

		if (cur_sub(&in, n, &body))
			record((enum kind)(kind % K_N), body.p, n);
	}
	if (fd != -1)
		close(fd);
	fd = -1;
	sim_run(1);
	check();
	sim_end();
	free(text);
	return 0;
}
