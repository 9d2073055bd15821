/*
 * filter_rate.c -- what one import decision costs beyond the look-up in the
 * prefix set: all guards and five rules, for sets of 1,000 and of 300,000
 * prefixes; asked for each prefix alone, and for messages of five.  A look-up
 * waits for memory; so that the ones of the first column do not wait together,
 * which those of decisions cannot, each needs the answer of the one before.
 * By hand:
 *
 *	build/release/filter_rate
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "policy/import.h"
#include "policy/pfxset.h"

enum {
	LOCAL = 52580,
	PEER = 3215,
	RULES = 5,
	ROUTES = 1 << 16,
	ROUNDS = 64,
	MESSAGE = 5,
};

/* Kept from the compiler. */
static volatile unsigned int accepted;
static volatile unsigned int zero;

static double
now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* The same each time; /16 to /24 of public space. */
static struct pfx
any_prefix(uint64_t *seed)
{
	struct addr a;
	struct pfx p;

	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	a = addr_v4((11u << 24) + (uint32_t)(*seed >> 33) % (80u << 24));
	pfx_make(&p, &a, 16 + (unsigned int)(*seed >> 60) % 9);
	return p;
}

static struct policy *
rules(void)
{
	struct policy *p = policy_new("in");

	for (uint32_t i = 0; i < RULES; i++) {
		struct rule_match m = { .type = MATCH_COMMUNITY,
			.comm = { .v = { PEER << 16 | (i + 1) } } };
		struct rule *r = policy_add(p, "r", "bench:1");

		r->verdict = RULE_ACCEPT;
		if (i + 1 < RULES)
			policy_add_match(r, &m);
	}
	return p;
}

static double
lookups(const struct pfxset *s, const struct pfx *pfx)
{
	unsigned int none = zero, hit = 0;
	double from = now_ns();

	for (unsigned int i = 0; i < ROUNDS * ROUTES; i++) {
		hit = pfxset_match(s, &pfx[(i + hit * none) % ROUTES]);
		accepted += hit;
	}
	return (now_ns() - from) / ROUNDS / ROUTES;
}

static double
decisions(const struct import_facts *f, const struct pfx *pfx,
    const struct attrs *a, unsigned int message)
{
	struct import_run run;
	struct import_result res;
	struct arena arena;
	double from = now_ns();

	arena_init(&arena);
	for (unsigned int i = 0; i < ROUNDS * ROUTES; i++) {
		if (message == 1) {
			arena_reset(&arena);
			accepted += import_check(f, &pfx[i % ROUTES], a, &arena,
					&res) == REASON_NONE;
			continue;
		}
		if (i % message == 0) {
			arena_reset(&arena);
			import_begin(&run, f, a, &arena);
		}
		accepted +=
		    import_next(&run, &pfx[i % ROUTES])->reason == REASON_NONE;
	}
	arena_fini(&arena);
	return (now_ns() - from) / ROUNDS / ROUTES;
}

static void
measure(size_t entries, const struct import_facts *facts, const struct attrs *a)
{
	static struct pfx pfx[ROUTES];
	struct import_facts f = *facts;
	struct pfxset *s = pfxset_new("s");
	uint64_t seed = 4;
	double look, one, five;

	for (size_t i = 0; i < entries; i++) {
		struct pfx p = any_prefix(&seed);

		pfxset_add(s, &p, p.len, 24);
	}
	for (size_t i = 0, again = 4; i < ROUTES; i++) {
		if (i % entries == 0)
			again = 4;
		pfx[i] = any_prefix(&again);
	}
	f.irr = s;
	look = lookups(s, pfx);
	one = decisions(&f, pfx, a, 1);
	five = decisions(&f, pfx, a, MESSAGE);
	printf("%10zu %10.0f %10.0f %10.0f %10.0f %10.0f\n", entries, look, one,
	    one - look, five, five - look);
	pfxset_free(s);
}

int
main(void)
{
	static const uint8_t path[] = { SEG_SEQUENCE, 3, 0, 0, PEER >> 8,
		PEER & 255, 0, 0, 0x15, 0x87, 0, 0, 0x20, 0xf2 };
	struct addr local = addr_v4(0xc2020002);
	struct pfxset *own = pfxset_new("azion");
	struct policy *policy = rules();
	struct import_facts f = { .local_as = LOCAL,
		.peer_as = PEER,
		.role = ROLE_PEER,
		.max_len = { 0, 24, 48 },
		.max_path = 32,
		.neighbor = addr_v4(0xc2020001),
		.local = &local,
		.nlocal = 1,
		.own = own,
		.policy = policy };
	struct attrs a = { .has = 1u << HAS_ORIGIN | 1u << HAS_AS_PATH |
		    1u << HAS_NEXT_HOP,
		.as_path = { path, sizeof(path) },
		.nexthop = addr_v4(0xc2020001) };
	struct pfx p;

	if (pfx_parse("179.191.160.0/20", &p))
		pfxset_add(own, &p, 20, 24);
	f.peer[FAM_INET] = f.neighbor;
	printf("ns a route, processor time\n%10s %10s %10s %10s %10s %10s\n",
	    "entries", "look-up", "decision", "beyond", "in fives", "beyond");
	measure(1000, &f, &a);
	measure(300000, &f, &a);
	pfxset_free(own);
	policy_free(policy);
	return accepted == 0;
}
