/* test_collide.c -- RFC 4271 6.8 and RFC 6286 2.3: every pair of connections.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "bgpd/fsm/negotiate.h"

enum {
	LOWER,
	HIGHER,
	EQUAL_AS_LOWER,
	EQUAL_AS_HIGHER,
	EQUAL_ALL,
	NCMP
};

/* Ours against theirs; the first differs in a bit that is the sign's. */
static const struct {
	uint32_t local_id, remote_id, local_as, remote_as;
} facts[NCMP] = {
	[LOWER] = { 0x7f000001, 0x80000001, 64512, 64500 },
	[HIGHER] = { 0xc0000201, 0x0a000001, 64500, 64512 },
	[EQUAL_AS_LOWER] = { 7, 7, 64500, 0x80000000 },
	[EQUAL_AS_HIGHER] = { 7, 7, 0x80000000, 64500 },
	[EQUAL_ALL] = { 7, 7, 64500, 64500 },
};

#define N COLLIDE_NONE
#define OTHER COLLIDE_CLOSE_OTHER
#define NEW COLLIDE_CLOSE_NEW
#define REPL COLLIDE_REPLACE

/* clang-format off */
static const struct {
	enum fsm_state other;
	bool open_seen, restarts, dialled;
	enum collide_verdict want[NCMP]; /* lower, higher, equal ids: AS */
} cases[] = {
	/* Nothing to collide with, whatever is known. */
	{ FSM_IDLE,		0, 0, 0, { N, N, N, N, N } },
	{ FSM_IDLE,		1, 1, 1, { N, N, N, N, N } },
	{ FSM_CONNECT,		0, 0, 0, { N, N, N, N, N } },
	{ FSM_CONNECT,		1, 1, 1, { N, N, N, N, N } },
	{ FSM_ACTIVE,		0, 0, 0, { N, N, N, N, N } },
	{ FSM_ACTIVE,		1, 1, 1, { N, N, N, N, N } },
	/* OpenSent counts when the identifier is known. */
	{ FSM_OPENSENT,		0, 0, 0, { N, N, N, N, N } },
	{ FSM_OPENSENT,		0, 1, 1, { N, N, N, N, N } },
	{ FSM_OPENSENT,		1, 0, 1, { OTHER, NEW, OTHER, NEW, OTHER } },
	{ FSM_OPENSENT,		1, 0, 0, { NEW, OTHER, NEW, OTHER, NEW } },
	/* The other one, dialled by us, goes when the peer is higher. */
	{ FSM_OPENCONFIRM,	1, 0, 1, { OTHER, NEW, OTHER, NEW, OTHER } },
	{ FSM_OPENCONFIRM,	1, 0, 0, { NEW, OTHER, NEW, OTHER, NEW } },
	{ FSM_OPENCONFIRM,	0, 1, 1, { OTHER, NEW, OTHER, NEW, OTHER } },
	{ FSM_OPENCONFIRM,	0, 1, 0, { NEW, OTHER, NEW, OTHER, NEW } },
	/* Established stays, unless the peer restarts gracefully. */
	{ FSM_ESTABLISHED,	1, 0, 1, { NEW, NEW, NEW, NEW, NEW } },
	{ FSM_ESTABLISHED,	1, 0, 0, { NEW, NEW, NEW, NEW, NEW } },
	{ FSM_ESTABLISHED,	1, 1, 1, { REPL, REPL, REPL, REPL, REPL } },
	{ FSM_ESTABLISHED,	1, 1, 0, { REPL, REPL, REPL, REPL, REPL } },
};
/* clang-format on */

static struct collide
make(unsigned int cmp)
{
	return (struct collide){
		.local_id = facts[cmp].local_id,
		.remote_id = facts[cmp].remote_id,
		.local_as = facts[cmp].local_as,
		.remote_as = facts[cmp].remote_as,
	};
}

static void
every_pair(void **state)
{
	size_t i;
	unsigned int cmp;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		for (cmp = 0; cmp < NCMP; cmp++) {
			struct collide c = make(cmp);

			c.other = cases[i].other;
			c.other_open_seen = cases[i].open_seen;
			c.peer_restarts = cases[i].restarts;
			c.other_dialled = cases[i].dialled;
			if (collide_check(&c) != cases[i].want[cmp])
				fail_msg("case %zu, ids %u: %d", i, cmp,
				    (int)collide_check(&c));
		}
	}
}

/*
 * Both speakers decide by themselves, whichever OPEN comes first, and must
 * keep the same connection: else both go.
 */
static void
both_sides_agree(void **state)
{
	unsigned int cmp, other;

	for (cmp = 0; cmp < EQUAL_ALL; cmp++) {
		for (other = 0; other < 4; other++) {
			struct collide a = make(cmp), b = make(cmp);
			bool a_keeps_a, b_keeps_a;

			/* B sees it the other way round. */
			b.local_id = a.remote_id, b.remote_id = a.local_id;
			b.local_as = a.remote_as, b.remote_as = a.local_as;
			a.other = b.other = FSM_OPENCONFIRM;
			a.other_dialled = other & 1;
			b.other_dialled = other & 2;
			a_keeps_a = (collide_check(&a) == COLLIDE_CLOSE_NEW) ==
			    a.other_dialled;
			b_keeps_a = (collide_check(&b) == COLLIDE_CLOSE_NEW) !=
			    b.other_dialled;
			assert_int_equal(a_keeps_a, b_keeps_a);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_pair),
		cmocka_unit_test(both_sides_agree),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
