/*
 * fuzz_announce.c -- any text as the state that was kept of announcements.
 * Whatever it says: what is told follows from commands and tracks, deadlines
 * end, and what is written of it reads back as the same.
 */
#include <stdlib.h>
#include <string.h>

#include "bgpd/announce_state.h"
#include "tests/fuzz/must.h"

enum {
	NOW = 1000000
};

static struct announce *
make(void)
{
	static const uint32_t index[] = { 0, 1 };
	static const struct track_conf track[] = {
		{ .key = "web", .rise = 2, .fall = 3, .lease_ms = 15000 },
		{ .key = "file /x \"y\"", .due_ms = 1000, .keep_ms = 1000 },
	};
	struct announce_net_conf net[] = {
		{ .track = index,
		    .ntrack = 2,
		    .need = 1,
		    .up_delay_ms = 1000,
		    .half_life_ms = 60000,
		    .suppress = 3000,
		    .reuse = 1000 },
		{ .track = index + 1,
		    .ntrack = 1,
		    .on_fail = ANNOUNCE_FAIL_DRAIN,
		    .drain_ms = 120000 },
		{ .ntrack = 0 },
	};
	struct announce_conf c = {
		.track = track, .ntrack = 2, .net = net, .nnet = 3
	};
	struct announce *a = announce_new();

	pfx_parse("192.0.2.0/24", &net[0].pfx);
	pfx_parse("2001:db8::/32", &net[1].pfx);
	pfx_parse("198.51.100.0/24", &net[2].pfx);
	announce_conf(a, &c, NOW);
	return a;
}

static void
run(struct announce *a, uint64_t to)
{
	uint64_t now = NOW;

	for (int i = 0; i < 10000; i++) {
		announce_run(a, now);
		while (announce_take(a) != NULL)
			continue;
		MUST(announce_next(a) > now);
		if (announce_next(a) > to)
			return;
		now = announce_next(a);
	}
	MUST(!"the deadlines end");
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct announce *a = make(), *b = make();
	char *one, *two;

	announce_state_parse(a, (const char *)data, len, "b", NOW);
	for (size_t i = 0; i < a->nnet; i++) {
		MUST(!pfx_is_default(&a->net[i]->conf.pfx));
		MUST(!a->net[i]->added || a->net[i]->persistent);
	}
	MUST(a->nnet <= 3 + ANNOUNCE_ADDED_MAX);
	one = announce_state_print(a, "b", NOW);
	MUST(
	    one != NULL && announce_state_parse(b, one, strlen(one), "b", NOW));
	two = announce_state_print(b, "b", NOW);
	MUST(strcmp(one, two) == 0);
	free(one);
	free(two);
	run(a, NOW + 3600000);
	/* Nobody looked for an hour: what hangs on it is down. */
	for (size_t i = 0; i < a->nnet; i++) {
		const struct announce_net *n = a->net[i];

		MUST(!n->how.told || (n->conf.ntrack == 0 && !n->withdrawn));
	}
	announce_free(a);
	announce_free(b);
	return 0;
}
