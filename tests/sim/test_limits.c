/* Max-prefix between two speakers, on a virtual clock. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "bgpd/state.h"
#include "lib/mem.h"
#include "tests/sim/sim.h"

static char text[2][65536];

/* A, with these statements in its one neighbor. */
static const char *
conf_a(const char *more)
{
	snprintf(text[0], sizeof text[0],
	    "syntax 1;\n"
	    "global { as 52580; router-id 192.0.2.1; }\n"
	    "prefix-set azion { 185.23.12.0/22 or-longer; }\n"
	    "prefix-set p { 193.64.0.0/15 or-longer;"
	    " 2a01:4f8::/32 or-longer; }\n"
	    "policy in { rule no { match prefix in odd; reject; }"
	    " rule all { accept; } }\n"
	    "prefix-set odd { 193.65.0.0/16 or-longer; }\n"
	    "policy out { rule all { accept; } }\n"
	    "network 185.23.12.0/24; network 185.23.13.0/24;"
	    " network 185.23.14.0/24;\n"
	    "neighbor 192.0.2.2 { remote-as 719; local-address 192.0.2.1;"
	    " family [ inet, inet6 ]; next-hop self 2001:db8::1;"
	    " next-hop peer 2001:db8::2; import policy in; export policy out;"
	    " irr prefix-set p; %s }\n",
	    more);
	return text[0];
}

#define CONF_B \
	"syntax 1;\n" \
	"global { as 719; router-id 192.0.2.2; }\n" \
	"policy all { rule all { accept; } }\n" \
	"prefix-set az { 185.23.12.0/22 or-longer; }\n"

/* B announces 193.64.FROM.0/24 to 193.64.TO.0/24, and `odd` refused ones. */
static const char *
conf_b(int from, int to, int odd)
{
	FILE *f = fmemopen(text[1], sizeof text[1], "w");

	fprintf(f,
	    CONF_B
	    "neighbor 192.0.2.1 { remote-as 52580; local-address 192.0.2.2;"
	    " family [ inet ]; import policy all; export policy all;"
	    " irr prefix-set az; send-max-prefix 1000; }\n");
	for (int i = from; i <= to; i++)
		fprintf(f, "network 193.64.%d.0/24;\n", i);
	for (int i = 0; i < odd; i++)
		fprintf(f, "network 193.65.%d.0/24;\n", i);
	fclose(f);
	return text[1];
}

/* B announces so many of each family. */
static const char *
conf_b_both(int inet, int inet6)
{
	FILE *f = fmemopen(text[1], sizeof text[1], "w");

	fprintf(f,
	    CONF_B
	    "neighbor 192.0.2.1 { remote-as 52580; local-address 192.0.2.2;"
	    " family [ inet, inet6 ]; next-hop self 2001:db8::2;"
	    " next-hop peer 2001:db8::1; import policy all;"
	    " export policy all; irr prefix-set az; }\n");
	for (int i = 0; i < inet; i++)
		fprintf(f, "network 193.64.%d.0/24;\n", i);
	for (int i = 0; i < inet6; i++)
		fprintf(f, "network 2a01:4f8:%d::/48;\n", i);
	fclose(f);
	return text[1];
}

static struct peer *
a(void)
{
	return sim_peer(SIM_A);
}

/* How often the limit was reached that was reached last. */
static uint32_t
trips(const struct peer *p)
{
	return p->limit.trips[p->limit.fam];
}

static const struct adjin_count *
count(void)
{
	return adjin_count(a()->adjin, FAM_INET);
}

static size_t
in_fib(void)
{
	return fib_mem_count(sim.eng[SIM_A]->fib, FAM_INET);
}

/* -1: not there, 0: there, 1: held. */
static int
stands(int third)
{
	struct rib_path rp;
	struct pfx pfx;
	char s[32];

	snprintf(s, sizeof s, "193.64.%d.0/24", third);
	assert_true(pfx_parse(s, &pfx));
	if (!adjin_find(a()->adjin, &pfx, &rp))
		return -1;
	return rp.held;
}

static const struct peer_notif *
last_sent(void)
{
	return &a()->notif[(a()->nnotif + PEER_NOTIFS - 1) % PEER_NOTIFS];
}

/* Stop: down until somebody says so, with the Cease of RFC 4486. */
static void
test_stop(void **state)
{
	static const uint8_t data[] = { 0, 1, 1, 0, 0, 0, 3 };

	sim_start(conf_a("max-prefix 3 action stop;"), conf_b(0, 4, 0));
	sim_run(60);
	assert_true(a()->limit.tripped);
	assert_int_equal(last_sent()->code, NOTIF_CEASE);
	assert_int_equal(last_sent()->sub, CEASE_MAX_PREFIX);
	assert_int_equal(last_sent()->len, sizeof data);
	assert_memory_equal(last_sent()->data, data, sizeof data);
	assert_int_equal(a()->limit.max, 3);
	assert_int_equal(a()->limit.count, 4);
	assert_int_equal(a()->limit.counter, CONF_RECEIVED);
	assert_int_equal(a()->limit.nfirst, 2);
	sim_run(2 * 86400);
	assert_null(a()->up);
	assert_int_equal(a()->established_count, 1);
	assert_int_equal(in_fib(), 0);
	/* An operator: it comes up, and trips again. */
	peer_clear_limit(a(), "test", true);
	sim_run(200);
	assert_int_equal(a()->established_count, 2);
	assert_true(a()->limit.tripped);
	/* A raised limit ends the hold. */
	assert_true(sim_reload(SIM_A, conf_a("max-prefix 5 action stop;")));
	sim_run(200);
	assert_non_null(a()->up);
	assert_int_equal(count()->accepted, 5);
	sim_end();
}

/* The hold doubles with each trip, up to a day; a quiet day forgets. */
static void
test_restart_grows(void **state)
{
	uint32_t want = 3600;

	sim_start(conf_a("max-prefix 3 action restart 1h;"), conf_b(0, 4, 0));
	sim_run(60);
	for (int i = 0; i < 7; i++) {
		assert_true(a()->limit.tripped);
		assert_int_equal(a()->limit.hold_s, want);
		assert_int_equal(trips(a()), i + 1);
		sim_run(want + 120);
		want = want > 43200 ? 86400 : 2 * want;
	}
	assert_int_equal(want, 86400);
	assert_true(sim_reload(SIM_B, conf_b(0, 2, 0)));
	sim_run(86400 + 300);
	assert_non_null(a()->up);
	assert_int_equal(count()->accepted, 3);
	sim_run(2 * 86400);
	assert_true(sim_reload(SIM_B, conf_b(0, 4, 0)));
	sim_run(10);
	assert_int_equal(a()->limit.hold_s, 3600);
	sim_end();
}

/* Refused ones count, too: a leak of what is refused anyway trips. */
static void
test_counts_rejected(void **state)
{
	sim_start(conf_a("max-prefix 3 action stop;"), conf_b(0, 0, 4));
	sim_run(60);
	assert_true(a()->limit.tripped);
	sim_end();
}

/* Discard: the oldest stay, the next in line comes in when there is room. */
static void
test_discard(void **state)
{
	sim_start(conf_a("max-prefix 3 action discard;"), conf_b(0, 2, 0));
	sim_run(60);
	assert_int_equal(count()->accepted, 3);
	assert_true(sim_reload(SIM_B, conf_b(0, 4, 0)));
	sim_run(5);
	assert_true(sim_reload(SIM_B, conf_b(0, 5, 0)));
	sim_run(5);
	assert_int_equal(count()->received, 3);
	assert_int_equal(count()->accepted, 3);
	assert_int_equal(count()->held, 3);
	assert_int_equal(stands(2), 0);
	assert_int_equal(stands(3), 1);
	assert_int_equal(in_fib(), 3);
	assert_non_null(a()->up);
	assert_int_equal(a()->limit.nfirst, 3);
	/* Two go: the two that came first come in, not the last. */
	assert_true(sim_reload(SIM_B, conf_b(2, 5, 0)));
	sim_run(5);
	assert_int_equal(stands(3), 0);
	assert_int_equal(stands(4), 0);
	assert_int_equal(stands(5), 1);
	assert_int_equal(in_fib(), 3);
	/* A raised limit lets the rest in, and the session never bounced. */
	assert_true(sim_reload(SIM_A, conf_a("max-prefix 9 action discard;")));
	sim_run(5);
	assert_int_equal(count()->held, 0);
	assert_int_equal(in_fib(), 4);
	assert_int_equal(a()->established_count, 1);
	sim_end();
}

/* Nothing grows without bound: ten times the limit held, one more restarts. */
static void
test_flood(void **state)
{
	sim_start(conf_a("max-prefix 2 action discard;"), conf_b(0, 21, 0));
	sim_run(60);
	assert_non_null(a()->up);
	assert_int_equal(count()->held, 20);
	assert_true(sim_reload(SIM_B, conf_b(0, 22, 0)));
	sim_run(5);
	assert_null(a()->up);
	assert_true(a()->limit.tripped);
	assert_int_equal(a()->limit.hold_s, 1800);
	assert_int_equal(count()->held, 0);
	assert_int_equal(last_sent()->sub, CEASE_MAX_PREFIX);
	sim_run(2000);
	assert_int_equal(trips(a()), 2);
	sim_end();
}

/* Freeze: what is there stays and may go and change, nothing new comes in. */
static void
test_freeze(void **state)
{
	sim_start(conf_a("max-prefix 3 action freeze 10m;"), conf_b(0, 2, 0));
	sim_run(60);
	assert_true(sim_reload(SIM_B, conf_b(0, 4, 0)));
	sim_run(5);
	assert_true(a()->limit.frozen);
	assert_int_equal(count()->accepted, 3);
	assert_int_equal(count()->held, 2);
	/* A withdrawal goes on; its place stays empty. */
	assert_true(sim_reload(SIM_B, conf_b(1, 4, 0)));
	sim_run(5);
	assert_int_equal(stands(0), -1);
	assert_int_equal(count()->accepted, 2);
	assert_int_equal(count()->held, 2);
	assert_int_equal(in_fib(), 2);
	/* The time is over: the first comes in, and it freezes again. */
	sim_run(600);
	assert_int_equal(count()->accepted, 3);
	assert_int_equal(stands(3), 0);
	assert_int_equal(stands(4), 1);
	assert_true(a()->limit.frozen);
	assert_int_equal(trips(a()), 2);
	/* Within the limit again, and an operator ends it. */
	assert_true(sim_reload(SIM_B, conf_b(2, 4, 0)));
	sim_run(5);
	peer_clear_limit(a(), "test", true);
	sim_run(5);
	assert_false(a()->limit.frozen);
	assert_int_equal(count()->accepted, 3);
	assert_int_equal(count()->held, 0);
	assert_int_equal(a()->established_count, 1);
	sim_end();
}

static void
has(uint32_t inet, uint32_t held, uint32_t inet6, uint32_t held6)
{
	const struct adjin_count *six = adjin_count(a()->adjin, FAM_INET6);

	sim_run(5);
	assert_int_equal(count()->accepted, inet);
	assert_int_equal(count()->held, held);
	assert_int_equal(six->accepted, inet6);
	assert_int_equal(six->held, held6);
}

/* A family's limit freezes that family; both families' freeze everything. */
static void
test_freeze_of_a_family(void **state)
{
	sim_start(conf_a("max-prefix inet 3 action freeze;"
			 " max-prefix inet6 3 action freeze;"),
	    conf_b_both(3, 1));
	sim_run(60);
	for (int i = 0; i < 2; i++) {
		has(3, 0, 1, 0);
		assert_true(sim_reload(SIM_B, conf_b_both(4, 1)));
		has(3, 1, 1, 0);
		assert_true(a()->limit.frozen);
		assert_true(sim_reload(SIM_B, conf_b_both(4, 2)));
		has(3, 1, 2, 0);
		assert_true(sim_reload(SIM_B, conf_b_both(4, 4)));
		has(3, 1, 3, 1);
		/* Below its limit again, and nothing comes in. */
		assert_true(sim_reload(SIM_B, conf_b_both(4, 1)));
		has(3, 1, 1, 0);
		assert_true(sim_reload(SIM_B, conf_b_both(4, 2)));
		has(3, 1, 1, 1);
		assert_true(sim_reload(SIM_B, conf_b_both(3, 1)));
		has(3, 0, 1, 0);
		peer_clear_limit(a(), "test", true);
		assert_false(a()->limit.frozen);
	}
	sim_end();
}

/* A session that comes anew in a freeze gets up to the limit, no more. */
static void
test_freeze_new_session(void **state)
{
	sim_start(conf_a("max-prefix 3 action freeze;"), conf_b(0, 4, 0));
	sim_run(60);
	assert_true(a()->limit.frozen);
	peer_stop(a(), CEASE_RESET, NULL, true);
	sim_run(200);
	assert_non_null(a()->up);
	assert_true(a()->limit.frozen);
	assert_int_equal(count()->accepted, 3);
	assert_int_equal(count()->held, 2);
	sim_run(3 * 86400);
	assert_true(a()->limit.frozen);
	sim_end();
}

/* The accepted counter: refused ones do not count in it. */
static void
test_accepted(void **state)
{
	sim_start(
	    conf_a("max-prefix accepted 2 action discard;"), conf_b(0, 3, 5));
	sim_run(60);
	assert_int_equal(count()->accepted, 2);
	assert_int_equal(count()->rejected, 5);
	assert_int_equal(count()->held, 2);
	assert_true(sim_reload(SIM_B, conf_b(1, 3, 5)));
	sim_run(5);
	assert_int_equal(count()->accepted, 2);
	assert_int_equal(stands(2), 0);
	assert_int_equal(stands(3), 1);
	sim_end();

	sim_start(
	    conf_a("max-prefix accepted inet 2 action stop;"), conf_b(0, 1, 5));
	sim_run(60);
	assert_non_null(a()->up);
	assert_true(sim_reload(SIM_B, conf_b(0, 2, 5)));
	sim_run(5);
	assert_true(a()->limit.tripped);
	assert_int_equal(a()->limit.counter, CONF_ACCEPTED);
	assert_int_equal(a()->limit.fam, FAM_INET);
	sim_end();
}

/* Warn: everything comes in, the levels are told once each. */
static void
test_warn(void **state)
{
	sim_start(
	    conf_a("max-prefix 4 warn 50% action warn;"), conf_b(0, 1, 0));
	sim_run(60);
	assert_int_equal(a()->limit.warned[CONF_RECEIVED][FAM_NONE], 1);
	assert_true(sim_reload(SIM_B, conf_b(0, 9, 0)));
	sim_run(5);
	assert_int_equal(count()->accepted, 10);
	assert_int_equal(a()->limit.warned[CONF_RECEIVED][FAM_NONE], 2);
	assert_true(sim_reload(SIM_B, conf_b(0, 0, 0)));
	sim_run(5);
	assert_int_equal(a()->limit.warned[CONF_RECEIVED][FAM_NONE], 0);
	sim_end();
}

/* What we send has a ceiling; what goes makes room. */
static void
test_announced(void **state)
{
	struct adjout_stats st;

	sim_start(conf_a("send-max-prefix 2;"), conf_b(0, 0, 0));
	sim_run(60);
	assert_int_equal(
	    adjin_count(sim_peer(SIM_B)->adjin, FAM_INET)->received, 2);
	adjout_stats(adjout_group(a()->member), &st);
	assert_int_equal(st.refused[FAM_INET], 1);
	assert_int_equal(a()->limit.warned[CONF_ANNOUNCED][FAM_NONE], 2);
	assert_true(sim_reload(SIM_A, conf_a("send-max-prefix 3;")));
	sim_run(5);
	assert_int_equal(
	    adjin_count(sim_peer(SIM_B)->adjin, FAM_INET)->received, 3);
	assert_true(sim_reload(SIM_A, conf_a("send-max-prefix 1;")));
	sim_run(5);
	assert_int_equal(
	    adjin_count(sim_peer(SIM_B)->adjin, FAM_INET)->received, 1);
	sim_end();
}

/* ---- several peers ---------------------------------------------------- */

enum {
	MANY = 4,
	MANY_PFX = 40
};

struct model {
	int state[MANY_PFX]; /* -1: not there, 0: counted, 1: held */
	int line[MANY_PFX], nline; /* the held ones, the oldest first */
	uint32_t in, max;
};

static void
model_drop(struct model *m, int i)
{
	int k, n = 0;

	for (k = 0; k < m->nline; k++)
		if (m->line[k] != i)
			m->line[n++] = m->line[k];
	m->nline = n;
}

static void
model_put(struct model *m, int i)
{
	if (m->state[i] != -1)
		return;
	m->state[i] = m->in >= m->max;
	if (m->state[i] == 1)
		m->line[m->nline++] = i;
	else
		m->in++;
}

static void
model_del(struct model *m, int i)
{
	if (m->state[i] == 0)
		m->in--;
	model_drop(m, i);
	m->state[i] = -1;
	while (m->nline > 0 && m->in < m->max) {
		m->state[m->line[0]] = 0;
		m->in++;
		model_drop(m, m->line[0]);
	}
}

static struct pfx
many_pfx(int i)
{
	struct pfx p;
	char s[32];

	snprintf(s, sizeof s, "193.64.%d.0/24", i);
	assert_true(pfx_parse(s, &p));
	return p;
}

static void
many_compare(struct peer *const *p, const struct model *m)
{
	struct rib_path rp;
	struct pfx pfx;

	for (int k = 0; k < MANY; k++) {
		assert_int_equal(adjin_received(p[k]->adjin), m[k].in);
		assert_int_equal(
		    adjin_count(p[k]->adjin, FAM_INET)->held, m[k].nline);
		for (int i = 0; i < MANY_PFX; i++) {
			pfx = many_pfx(i);
			assert_int_equal(
			    adjin_find(p[k]->adjin, &pfx, &rp) ? rp.held : -1,
			    m[k].state[i]);
		}
	}
}

static void
many_step(struct peer *p, struct model *m, int i, bool put)
{
	struct engine *eng = p->eng;
	struct attrs at = { .has = 1u << HAS_ORIGIN | 1u << HAS_AS_PATH,
		.nexthop = p->conf->addr };
	struct pfx pfx = many_pfx(i);
	uint32_t id;

	arena_reset(&eng->arena);
	at.as_path =
	    aspath_prepend(at.as_path, p->conf->remote_as, 1, &eng->arena);
	id = attrs_intern(eng->attrs, &at);
	if (put) {
		assert_true(peer_put(p, &pfx, &at, id, false));
		model_put(m, i);
	} else {
		adjin_del(p->adjin, &pfx);
		peer_limit_room(p);
		while (peer_limit_run(p, 3))
			;
		model_del(m, i);
	}
	attrs_unref(eng->attrs, id);
}

/*
 * The same prefixes from several neighbors, in any order: what one of them
 * sends counts for nobody else, whatever their limits are.
 */
static void
test_several_peers(void **state)
{
	unsigned int seed = (unsigned int)(uintptr_t)time(NULL);
	static char conf[8192];
	struct model m[MANY];
	struct peer *p[MANY], *x;
	struct session *s[MANY];
	int n = 0;
	FILE *f = fmemopen(conf, sizeof conf, "w");

	fprintf(f, "%s", conf_a("max-prefix 3 action discard;"));
	for (int k = 3; k < 2 + MANY; k++)
		fprintf(f,
		    "neighbor 192.0.2.%d { remote-as 719; passive yes;"
		    " import policy in; irr prefix-set p; export none;"
		    " max-prefix %d action discard; }\n",
		    k, k * 3);
	fclose(f);
	print_message("# seed %u\n", seed);
	srandom(seed);
	sim_start(conf, conf_b(0, -1, 0));
	TAILQ_FOREACH (x, &sim.eng[SIM_A]->peers, entry) {
		m[n] = (struct model){
			.max = x->conf->limit[CONF_RECEIVED][FAM_NONE].max
		};
		for (int i = 0; i < MANY_PFX; i++)
			m[n].state[i] = -1;
		s[n] = x->up = session_new(x, true);
		p[n++] = x;
	}
	assert_int_equal(n, MANY);
	for (int i = 0; i < 3000; i++) {
		int k = (int)(random() % MANY), j = (int)(random() % MANY_PFX);

		/* Never ten times the smallest limit. */
		many_step(p[k], &m[k], j % (k == 0 ? 30 : MANY_PFX),
		    random() % 5 < 3);
		if (i % 50 == 0)
			many_compare(p, m);
	}
	many_compare(p, m);
	for (int k = 0; k < MANY; k++) {
		assert_false(p[k]->limit.tripped);
		p[k]->up = NULL;
		session_free(s[k]);
	}
	sim_end();
}

/*
 * All prefixes of a message are seen at once: whatever their order in it, the
 * lowest stay, and the next one comes in when there is room (and, after a
 * freeze, an operator says so).
 */
static void
one_message(const char *limit)
{
	static const uint8_t order[][5] = { { 3, 9, 1, 200, 7 },
		{ 200, 9, 7, 3, 1 }, { 1, 3, 7, 9, 200 } };
	static const int want[] = { 1, 3, 7, 9, 200 };

	for (size_t k = 0; k < sizeof order / sizeof order[0]; k++) {
		struct update u = { .verdict = WIRE_OK };
		struct session *s;
		struct rib_path rp;
		uint8_t nlri[20];
		struct pfx pfx;
		struct peer *p;

		sim_start(conf_a(limit), conf_b(0, -1, 0));
		p = a();
		s = p->up = session_new(p, true);
		for (size_t i = 0; i < 5; i++)
			memcpy(&nlri[4 * i],
			    (uint8_t[]){ 24, 193, 64, order[k][i] }, 4);
		cur_init(&u.nlri, nlri, sizeof nlri);
		cur_init(&u.withdrawn, NULL, 0);
		u.mp_reach = u.mp_unreach = u.withdrawn;
		u.attrs =
		    (struct attrs){ .has = 1u << HAS_ORIGIN | 1u << HAS_AS_PATH,
			    .nexthop = p->conf->addr };
		u.attrs.as_path = aspath_prepend(
		    u.attrs.as_path, p->conf->remote_as, 1, &p->eng->arena);
		peer_update(p, &u);
		for (int i = 0; i < 5; i++) {
			pfx = many_pfx(want[i]);
			assert_true(adjin_find(p->adjin, &pfx, &rp));
			assert_int_equal(rp.held, i >= 3);
		}
		/* RFC 4271 4.3: withdrawn and announced is announced. */
		u.withdrawn = u.nlri;
		peer_update(p, &u);
		for (int i = 0; i < 5; i++) {
			pfx = many_pfx(want[i]);
			assert_true(adjin_find(p->adjin, &pfx, &rp));
			assert_int_equal(rp.held, i >= 3);
		}
		pfx = many_pfx(1);
		adjin_del(p->adjin, &pfx);
		peer_clear_limit(p, "test", true);
		peer_limit_room(p);
		while (peer_limit_run(p, 3))
			;
		pfx = many_pfx(9);
		assert_true(adjin_find(p->adjin, &pfx, &rp));
		assert_false(rp.held);
		p->up = NULL;
		session_free(s);
		sim_end();
	}
}

static void
test_one_message(void **state)
{
	one_message("max-prefix 3 action discard;");
	one_message("max-prefix 3 action freeze;");
	one_message("max-prefix accepted inet 3 action freeze;");
}

/* ---- over a restart --------------------------------------------------- */

static char dir[32];

static void
forget(void)
{
	char path[64];

	snprintf(path, sizeof path, "%s/limits.state", dir);
	unlink(path);
}

static char *
state_text(void)
{
	char *s;
	size_t n;

	assert_int_equal(state_read(dir, "limits.state", &s, &n), 0);
	return s;
}

static void
test_persistent(void **state)
{
	char *s;

	sim_start(conf_a("max-prefix 3 action restart 1h;"), conf_b(0, 4, 0));
	sim_run(60);
	assert_true(a()->limit.tripped);
	s = state_text();
	assert_non_null(strstr(s, "limit 192.0.2.2 {"));
	assert_non_null(strstr(s, "prefix 193.64.3.0/24;"));
	free(s);
	sim_end();
	/* Both start again, the clock 10 minutes on (sim time begins anew). */
	sim_skew_s += 600;
	sim_start(conf_a("max-prefix 3 action restart 1h;"), conf_b(0, 2, 0));
	sim_run(2500);
	assert_true(a()->limit.tripped);
	assert_int_equal(trips(a()), 1);
	assert_int_equal(a()->limit.count, 4);
	assert_int_equal(a()->limit.nfirst, 2);
	assert_int_equal(a()->established_count, 0);
	assert_int_equal(sim.dials[SIM_A], 0);
	sim_run(1000);
	assert_false(a()->limit.tripped);
	assert_non_null(a()->up);
	sim_end();
	/* Over, but not forgotten: the next one is twice as long. */
	sim_skew_s += 7200;
	sim_start(conf_a("max-prefix 3 action restart 1h;"), conf_b(0, 4, 0));
	sim_run(60);
	assert_true(a()->limit.tripped);
	assert_int_equal(a()->limit.hold_s, 7200);
	sim_end();
	/* A clock that went backwards: the whole time again. */
	sim_skew_s -= 86400;
	sim_start(conf_a("max-prefix 3 action restart 1h;"), conf_b(0, 2, 0));
	sim_run(7100);
	assert_true(a()->limit.tripped);
	sim_run(300);
	assert_non_null(a()->up);
	sim_end();
	forget();
}

static void
test_persistent_stop(void **state)
{
	char *s;

	sim_start(conf_a("max-prefix 3 action stop;"), conf_b(0, 4, 0));
	sim_run(60);
	sim_end();
	sim_start(conf_a("max-prefix 3 action stop;"), conf_b(0, 4, 0));
	sim_run(86400);
	assert_true(a()->limit.tripped);
	/* An operator's word is kept, too. */
	peer_clear_limit(a(), "test", true);
	s = state_text();
	assert_null(strstr(s, "192.0.2.2"));
	free(s);
	sim_end();
	/* A limit that was raised meanwhile holds nobody. */
	sim_start(conf_a("max-prefix 3 action stop;"), conf_b(0, 4, 0));
	sim_run(60);
	assert_true(a()->limit.tripped);
	sim_end();
	sim_start(conf_a("max-prefix 9 action stop;"), conf_b(0, 4, 0));
	sim_run(60);
	assert_non_null(a()->up);
	assert_false(a()->limit.tripped);
	sim_end();
	forget();
}

/* A damaged file: what can be read counts, the rest harms nothing. */
static void
test_damaged_state(void **state)
{
	static const char bad[] =
	    "limit 192.0.2.2 { state down; action stop; max 3; count x;\n"
	    "  since 99999999999999999999; prefix 1.2.3.4; family both;\n"
	    "  counter 7; hold 99999999999; }\n"
	    "limit 192.0.2.9 { state down; }\nlimit nonsense { ; }\n"
	    "lim { } } {{{ \x01\xff";

	assert_int_equal(
	    state_write(dir, "limits.state", bad, sizeof bad - 1), 0);
	sim_start(conf_a("max-prefix 3 action stop;"), conf_b(0, 2, 0));
	sim_run(60);
	assert_true(a()->limit.tripped);
	assert_int_equal(a()->limit.max, 3);
	assert_int_equal(a()->limit.nfirst, 0);
	assert_int_equal(a()->limit.hold_s, UINT32_MAX);
	sim_end();
	forget();
}

static int
make_dir(void **state)
{
	strlcpy(dir, "/tmp/ana-sim-XXXXXX", sizeof dir);
	if (mkdtemp(dir) == NULL)
		return -1;
	sim_state_dir = dir;
	sim_skew_s = 0;
	return 0;
}

static int
drop_dir(void **state)
{
	forget();
	sim_state_dir = NULL;
	return rmdir(dir);
}

#define KEPT(f) cmocka_unit_test_setup_teardown(f, make_dir, drop_dir)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_stop),
		cmocka_unit_test(test_restart_grows),
		cmocka_unit_test(test_counts_rejected),
		cmocka_unit_test(test_discard),
		cmocka_unit_test(test_flood),
		cmocka_unit_test(test_freeze),
		cmocka_unit_test(test_freeze_of_a_family),
		cmocka_unit_test(test_freeze_new_session),
		cmocka_unit_test(test_accepted),
		cmocka_unit_test(test_warn),
		cmocka_unit_test(test_announced),
		cmocka_unit_test(test_several_peers),
		cmocka_unit_test(test_one_message),
		KEPT(test_persistent),
		KEPT(test_persistent_stop),
		KEPT(test_damaged_state),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
