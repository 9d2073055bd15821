/* Announcements on a virtual clock. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "bgpd/announce/announce.h"
#include "bgpd/announce_state.h"
#include "tests/unit/text.h"

enum {
	S = 1000, /* a second */
	NET = 8,
	TRACK = 8
};

/* One speaker's announcements; what was taken last of each network. */
struct world {
	struct announce *a;
	struct track_conf track[TRACK];
	struct announce_net_conf net[NET];
	struct announce_conf conf;
	uint64_t now;
	unsigned int taken, gone;
};

static void
run(struct world *w)
{
	struct announce_net *n;

	announce_run(w->a, w->now);
	while ((n = announce_take(w->a)) != NULL) {
		w->taken++;
		w->gone += n->gone;
	}
	assert_true(announce_next(w->a) > w->now);
}

/* Goes on to that moment, stopping at each deadline. */
static void
go(struct world *w, uint64_t to)
{
	while (announce_next(w->a) <= to) {
		w->now = announce_next(w->a);
		run(w);
	}
	w->now = to;
	run(w);
}

static void
tell(struct world *w, unsigned int track, bool good)
{
	announce_result(
	    w->a, w->a->track[track], good, good ? "good" : "bad", w->now);
	run(w);
}

static const struct announce_net *
net(const struct world *w, unsigned int i)
{
	const struct announce_net *n = announce_find(w->a, &w->net[i].pfx);

	assert_non_null(n);
	return n;
}

static bool
told(const struct world *w, unsigned int i)
{
	return net(w, i)->how.told;
}

#define is(w, i, s, c) \
	do { \
		assert_int_equal(net(w, i)->state, (s)); \
		assert_int_equal(net(w, i)->cause, (c)); \
	} while (0)

static const uint32_t index_of[TRACK] = { 0, 1, 2, 3, 4, 5, 6, 7 };

/* n networks with a track each; the clock stands at 100 s. */
static void
begin(struct world *w, unsigned int n)
{
	static const char *const name[TRACK] = { "t0", "t1", "t2", "t3", "t4",
		"t5", "t6", "t7" };
	char text[32];

	*w = (struct world){ .a = announce_new(), .now = 100 * S };
	for (unsigned int i = 0; i < n; i++) {
		snprintf(text, sizeof text, "192.0.%u.0/24", i);
		w->track[i] = (struct track_conf){ .key = name[i] };
		w->net[i] = (struct announce_net_conf){
			.pfx = P(text), .track = &index_of[i], .ntrack = 1
		};
	}
	w->conf = (struct announce_conf){
		.track = w->track, .ntrack = n, .net = w->net, .nnet = n
	};
}

static void
apply(struct world *w)
{
	announce_conf(w->a, &w->conf, w->now);
	run(w);
}

static void
end(struct world *w)
{
	announce_free(w->a);
}

/* ---- tests -------------------------------------------------------------- */

static void
test_no_tracks(void **state)
{
	struct world w;

	begin(&w, 2);
	w.net[0].ntrack = w.net[1].ntrack = 0;
	w.net[0].up_delay_ms = 60 * S; /* of tracks, and there are none */
	apply(&w);
	is(&w, 0, ANNOUNCE_UP, ANNOUNCE_HEALTHY);
	assert_true(told(&w, 1));
	assert_int_equal(w.taken, 2);
	/* A reload without the second. */
	w.conf.nnet = 1;
	w.taken = 0;
	apply(&w);
	assert_int_equal(w.gone, 1);
	assert_null(announce_find(w.a, &w.net[1].pfx));
	assert_true(told(&w, 0));
	end(&w);
}

static void
test_delays(void **state)
{
	struct world w;

	begin(&w, 1);
	w.net[0].up_delay_ms = 20 * S;
	w.net[0].down_delay_ms = 3 * S;
	apply(&w);
	is(&w, 0, ANNOUNCE_WITHDRAWN, ANNOUNCE_SETTLING);
	assert_true(announce_settling(w.a));
	tell(&w, 0, true);
	assert_false(announce_settling(w.a));
	is(&w, 0, ANNOUNCE_WITHDRAWN, ANNOUNCE_UP_DELAY);
	assert_int_equal(net(&w, 0)->until_ms, 120 * S);
	go(&w, 120 * S - 1);
	assert_false(told(&w, 0));
	go(&w, 120 * S);
	is(&w, 0, ANNOUNCE_UP, ANNOUNCE_HEALTHY);
	/* A short fault is not told. */
	tell(&w, 0, false);
	is(&w, 0, ANNOUNCE_UP, ANNOUNCE_DOWN_DELAY);
	go(&w, 123 * S - 1);
	tell(&w, 0, true);
	is(&w, 0, ANNOUNCE_UP, ANNOUNCE_HEALTHY);
	go(&w, 200 * S);
	assert_true(told(&w, 0));
	assert_int_equal(net(&w, 0)->flaps, 0);
	/* A long one is. */
	tell(&w, 0, false);
	go(&w, 203 * S);
	is(&w, 0, ANNOUNCE_WITHDRAWN, ANNOUNCE_TRACKS);
	assert_int_equal(net(&w, 0)->flaps, 1);
	/* The up delay begins anew with each fault. */
	tell(&w, 0, true);
	go(&w, 222 * S);
	tell(&w, 0, false);
	tell(&w, 0, true);
	go(&w, 241 * S);
	assert_false(told(&w, 0));
	go(&w, 242 * S);
	assert_true(told(&w, 0));
	end(&w);
}

static void
test_rise_fall(void **state)
{
	struct world w;

	begin(&w, 1);
	w.track[0].rise = 2;
	w.track[0].fall = 3;
	apply(&w);
	tell(&w, 0, true); /* the first one says what it is */
	assert_true(told(&w, 0));
	for (int i = 0; i < 10; i++) { /* never three in a row */
		tell(&w, 0, false);
		tell(&w, 0, false);
		tell(&w, 0, true);
	}
	assert_true(told(&w, 0));
	tell(&w, 0, false);
	tell(&w, 0, false);
	assert_true(told(&w, 0));
	tell(&w, 0, false);
	assert_false(told(&w, 0));
	tell(&w, 0, true);
	assert_false(told(&w, 0));
	tell(&w, 0, true);
	assert_true(told(&w, 0));
	assert_int_equal(w.a->track[0]->flaps, 1);
	end(&w);
}

static void
test_need(void **state)
{
	/* need, and how many of three up make it */
	static const unsigned int all[][2] = { { 0, 3 }, { 1, 1 }, { 2, 2 },
		{ 3, 3 }, { 9, 3 } };
	struct world w;

	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
		begin(&w, 3);
		w.conf.nnet = 1;
		w.net[0].ntrack = 3;
		w.net[0].need = all[i][0];
		apply(&w);
		for (unsigned int up = 0; up <= 3; up++) {
			for (unsigned int t = 0; t < 3; t++)
				tell(&w, t, t < up);
			assert_int_equal(told(&w, 0), up >= all[i][1]);
		}
		for (unsigned int t = 0; t < 3; t++)
			tell(&w, t, false);
		assert_false(told(&w, 0));
		end(&w);
	}
}

static void
test_unknown(void **state)
{
	struct world w;

	/* Nobody ever looks: it is down, and not waited for any longer. */
	begin(&w, 1);
	apply(&w);
	go(&w, w.now + TRACK_SETTLE_MS - 1);
	assert_true(announce_settling(w.a));
	go(&w, w.now + 1);
	assert_false(announce_settling(w.a));
	is(&w, 0, ANNOUNCE_WITHDRAWN, ANNOUNCE_TRACKS);
	end(&w);
	/* A track that a reload adds takes nothing away until it is known. */
	begin(&w, 2);
	w.conf.nnet = 1;
	apply(&w);
	tell(&w, 0, true);
	assert_true(told(&w, 0));
	w.net[0].ntrack = 2;
	apply(&w);
	is(&w, 0, ANNOUNCE_UP, ANNOUNCE_SETTLING);
	tell(&w, 1, false);
	assert_false(told(&w, 0));
	end(&w);
}

static void
test_lease(void **state)
{
	struct world w;

	begin(&w, 1);
	w.track[0].lease_ms = 15 * S;
	apply(&w);
	tell(&w, 0, true);
	for (int i = 0; i < 20; i++) {
		go(&w, w.now + 14 * S);
		tell(&w, 0, true);
		assert_true(told(&w, 0));
	}
	go(&w, w.now + 15 * S - 1);
	assert_true(told(&w, 0));
	go(&w, w.now + 1);
	is(&w, 0, ANNOUNCE_WITHDRAWN, ANNOUNCE_TRACKS);
	assert_string_equal(w.a->track[0]->why, "not refreshed in time");
	tell(&w, 0, true);
	assert_true(told(&w, 0));
	tell(&w, 0, false);
	assert_false(told(&w, 0));
	end(&w);
}

/* Who probes is gone: the last state holds for a while. */
static void
test_overdue(void **state)
{
	struct world w;

	begin(&w, 1);
	w.track[0].due_ms = 10 * S;
	w.track[0].keep_ms = 60 * S;
	apply(&w);
	tell(&w, 0, true);
	go(&w, w.now + 10 * S);
	assert_true(w.a->track[0]->overdue);
	assert_true(told(&w, 0));
	tell(&w, 0, true); /* back in time */
	assert_false(w.a->track[0]->overdue);
	go(&w, w.now + 70 * S - 1);
	assert_true(told(&w, 0));
	go(&w, w.now + 1);
	assert_false(told(&w, 0));
	tell(&w, 0, true);
	assert_true(told(&w, 0));
	end(&w);
}

static void
test_damping(void **state)
{
	struct world w;
	uint32_t before;

	begin(&w, 1);
	w.net[0].half_life_ms = 60 * S;
	w.net[0].suppress = 3000;
	w.net[0].reuse = 1000;
	apply(&w);
	tell(&w, 0, true);
	for (int i = 0; i < 3; i++) {
		assert_true(told(&w, 0));
		tell(&w, 0, false);
		go(&w, w.now + 100);
		tell(&w, 0, true);
	}
	is(&w, 0, ANNOUNCE_UP, ANNOUNCE_HEALTHY); /* some is forgotten */
	tell(&w, 0, false);
	tell(&w, 0, true);
	is(&w, 0, ANNOUNCE_WITHDRAWN, ANNOUNCE_DAMPED);
	assert_in_range(announce_penalty(net(&w, 0), w.now), 3900, 4000);
	/* Half is forgotten in a half-life, and it only falls. */
	before = announce_penalty(net(&w, 0), w.now);
	for (uint64_t t = w.now; t < w.now + 300 * S; t += 500) {
		uint32_t p = announce_penalty(net(&w, 0), t);

		assert_true(p <= before);
		before = p;
	}
	assert_in_range(
	    announce_penalty(net(&w, 0), w.now + 60 * S), 1950, 2000);
	assert_in_range(net(&w, 0)->until_ms, w.now + 118 * S, w.now + 120 * S);
	go(&w, net(&w, 0)->until_ms - 1);
	assert_false(told(&w, 0));
	go(&w, w.now + 1);
	is(&w, 0, ANNOUNCE_UP, ANNOUNCE_HEALTHY);
	/* A thousand flaps are held for a bounded time. */
	for (int i = 0; i < 1000; i++) {
		tell(&w, 0, false);
		tell(&w, 0, true);
		go(&w, w.now + 10);
	}
	is(&w, 0, ANNOUNCE_WITHDRAWN, ANNOUNCE_DAMPED);
	assert_int_equal(w.a->track[0]->flaps, 1004);
	assert_true(
	    announce_penalty(net(&w, 0), w.now) <= ANNOUNCE_PENALTY_MAX);
	go(&w, w.now + 5 * 60 * S);
	assert_true(told(&w, 0));
	end(&w);
}

static void
test_on_fail(void **state)
{
	static const enum announce_fail all[] = { ANNOUNCE_FAIL_DRAIN,
		ANNOUNCE_FAIL_PREPEND, ANNOUNCE_FAIL_MED };
	struct world w;

	begin(&w, 3);
	for (int i = 0; i < 3; i++) {
		w.net[i].on_fail = all[i];
		w.net[i].fail_value = 3;
		w.net[i].drain_ms = 120 * S;
	}
	apply(&w);
	for (unsigned int i = 0; i < 3; i++)
		assert_false(told(&w, i)); /* never known to be good */
	for (unsigned int i = 0; i < 3; i++)
		tell(&w, i, true);
	for (unsigned int i = 0; i < 3; i++) {
		is(&w, i, ANNOUNCE_UP, ANNOUNCE_HEALTHY);
		assert_false(net(&w, i)->how.gshut);
		tell(&w, i, false);
	}
	is(&w, 0, ANNOUNCE_DRAINING, ANNOUNCE_TRACKS);
	assert_true(net(&w, 0)->how.gshut);
	is(&w, 1, ANNOUNCE_DEGRADED, ANNOUNCE_TRACKS);
	assert_int_equal(net(&w, 1)->how.prepend, 3);
	is(&w, 2, ANNOUNCE_DEGRADED, ANNOUNCE_TRACKS);
	assert_true(net(&w, 2)->how.med_set);
	assert_int_equal(net(&w, 2)->how.med, 3);
	go(&w, w.now + 120 * S - 1);
	assert_true(told(&w, 0));
	go(&w, w.now + 1);
	is(&w, 0, ANNOUNCE_WITHDRAWN, ANNOUNCE_TRACKS);
	is(&w, 1, ANNOUNCE_DEGRADED, ANNOUNCE_TRACKS);
	for (unsigned int i = 0; i < 3; i++) {
		tell(&w, i, true);
		is(&w, i, ANNOUNCE_UP, ANNOUNCE_HEALTHY);
		assert_int_equal(net(&w, i)->how.prepend, 0);
		assert_false(net(&w, i)->how.med_set);
	}
	/* What is good again within the drain was never away. */
	tell(&w, 0, false);
	go(&w, w.now + 60 * S);
	tell(&w, 0, true);
	is(&w, 0, ANNOUNCE_UP, ANNOUNCE_HEALTHY);
	end(&w);
}

static void
test_operator(void **state)
{
	struct announce_drain d = {
		.time_ms = 60 * S, .prepend = 2, .reason = "ticket 42"
	};
	struct announce_net *n;
	struct world w;

	begin(&w, 1);
	w.net[0].on_fail = ANNOUNCE_FAIL_DRAIN;
	w.net[0].drain_ms = 60 * S;
	apply(&w);
	tell(&w, 0, true);
	n = announce_find(w.a, &w.net[0].pfx);
	announce_drain(w.a, n, &d, w.now);
	run(&w);
	is(&w, 0, ANNOUNCE_DRAINING, ANNOUNCE_OPERATOR);
	assert_true(n->how.gshut);
	assert_int_equal(n->how.prepend, 2);
	assert_string_equal(n->drain_reason, "ticket 42");
	go(&w, w.now + 60 * S);
	is(&w, 0, ANNOUNCE_WITHDRAWN, ANNOUNCE_OPERATOR);
	announce_undrain(w.a, n);
	run(&w);
	is(&w, 0, ANNOUNCE_UP, ANNOUNCE_HEALTHY);
	/* What fails while it is drained goes at once. */
	announce_drain(w.a, n, &d, w.now);
	run(&w);
	tell(&w, 0, false);
	is(&w, 0, ANNOUNCE_WITHDRAWN, ANNOUNCE_TRACKS);
	announce_undrain(w.a, n);
	tell(&w, 0, true);
	/* Withdrawn, and taken back. */
	assert_false(announce_withdraw(w.a, n, false, "ticket 43"));
	run(&w);
	is(&w, 0, ANNOUNCE_WITHDRAWN, ANNOUNCE_COMMAND);
	tell(&w, 0, false);
	assert_ptr_equal(announce_add(w.a, &w.net[0].pfx, false, w.now), n);
	run(&w);
	is(&w, 0, ANNOUNCE_WITHDRAWN, ANNOUNCE_TRACKS);
	tell(&w, 0, true);
	is(&w, 0, ANNOUNCE_UP, ANNOUNCE_HEALTHY);
	end(&w);
}

/* Who drains and who withdraws have a text each, which ends with it. */
static void
test_reasons(void **state)
{
	struct announce_drain d = { .time_ms = 60 * S, .reason = "drain 42" };
	struct announce_net *n;
	struct world w;

	begin(&w, 1);
	apply(&w);
	n = announce_find(w.a, &w.net[0].pfx);
	announce_withdraw(w.a, n, false, "ticket 43");
	announce_drain(w.a, n, &d, w.now);
	assert_string_equal(n->withdraw_reason, "ticket 43");
	assert_string_equal(n->drain_reason, "drain 42");
	announce_undrain(w.a, n);
	assert_string_equal(n->withdraw_reason, "ticket 43");
	assert_string_equal(n->drain_reason, "");
	announce_drain(w.a, n, &d, w.now);
	announce_add(w.a, &w.net[0].pfx, false, w.now);
	assert_string_equal(n->withdraw_reason, "");
	assert_string_equal(n->drain_reason, "drain 42");
	end(&w);
}

/* What a file with these commands leaves of their texts, and what is written
 * of it then. */
static void
kept(const char *commands, const char *withdraw, const char *drain)
{
	const struct announce_net *n;
	struct world w;
	char *text = NULL;

	assert_true(asprintf(&text, "clock 1; network 192.0.0.0/24 { %s }",
			commands) > 0);
	for (int i = 0; i < 2; i++) {
		begin(&w, 1);
		apply(&w);
		assert_true(
		    announce_state_parse(w.a, text, strlen(text), "", w.now));
		n = net(&w, 0);
		assert_string_equal(n->withdraw_reason, withdraw);
		assert_string_equal(n->drain_reason, drain);
		free(text);
		text = announce_state_print(w.a, "", w.now);
		assert_non_null(text);
		end(&w);
	}
	free(text);
}

/* A later boot that has run for longer: the service of a lease is to say so
 * once more. */
static void
test_another_boot(void **state)
{
	static const char *const boot[] = { "one", "two", "" };
	static const char text[] =
	    "clock 1000; boot \"one\"; network 192.0.0.0/24 { state announced; "
	    "healthy yes; settled yes; draining always; }";

	for (int i = 0; i < 3; i++) {
		struct world w;

		begin(&w, 1);
		apply(&w);
		assert_true(announce_state_parse(
		    w.a, text, strlen(text), boot[i], w.now));
		assert_int_equal(net(&w, 0)->settled, i != 1);
		assert_true(net(&w, 0)->draining);
		end(&w);
	}
}

static void
test_reasons_kept(void **state)
{
	kept("withdrawn; withdraw-reason \"t 43\"; draining always; "
	     "drain-reason \"d 42\";",
	    "t 43", "d 42");
	kept("withdrawn; withdraw-reason \"t 43\"; draining always;", "t 43",
	    "");
	kept("withdrawn; draining always; drain-reason \"d 42\";", "", "d 42");
	/* As it was written when both had one. */
	kept("withdrawn; reason \"t 43\";", "t 43", "");
	kept("draining always; reason \"d 42\";", "", "d 42");
	kept("withdrawn; draining always; reason \"x\";", "x", "x");
	kept("reason \"x\";", "", "");
}

static void
test_added(void **state)
{
	struct pfx p = P("198.51.100.0/24"), q;
	struct announce_net *n;
	struct world w;
	char text[32];

	begin(&w, 2);
	apply(&w);
	n = announce_add(w.a, &p, true, w.now);
	run(&w);
	assert_true(n->how.told && n->added && n->persistent);
	/* It outlives a reload; one that configures it takes it over. */
	apply(&w);
	assert_ptr_equal(announce_find(w.a, &p), n);
	assert_true(n->how.told);
	w.net[1].pfx = p;
	w.net[1].ntrack = 0;
	apply(&w);
	assert_ptr_equal(announce_find(w.a, &p), n);
	assert_false(n->added);
	w.conf.nnet = 1;
	apply(&w);
	assert_null(announce_find(w.a, &p));
	/* So many and no more. */
	for (int i = 0; i < ANNOUNCE_ADDED_MAX; i++) {
		snprintf(text, sizeof text, "203.0.%d.0/24", i);
		q = P(text);
		assert_non_null(announce_add(w.a, &q, false, w.now));
	}
	assert_null(announce_add(w.a, &p, false, w.now));
	w.gone = 0;
	q = P("203.0.7.0/24");
	assert_true(
	    announce_withdraw(w.a, announce_find(w.a, &q), false, NULL));
	run(&w);
	assert_int_equal(w.gone, 1);
	assert_non_null(announce_add(w.a, &p, false, w.now));
	end(&w);
}

/* What is written reads back as the same, whatever it was read from. */
static void
stable(const char *text)
{
	struct world w;
	char *one, *two;

	begin(&w, 1);
	apply(&w);
	assert_true(announce_state_parse(w.a, text, strlen(text), "", w.now));
	one = announce_state_print(w.a, "", w.now);
	end(&w);
	begin(&w, 1);
	apply(&w);
	assert_true(announce_state_parse(w.a, one, strlen(one), "", w.now));
	two = announce_state_print(w.a, "", w.now);
	assert_string_equal(one, two);
	free(one);
	free(two);
	end(&w);
}

/* Of one network twice, as no file of ours says it. */
static void
test_said_twice(void **state)
{
	static const char *const what[] = { "withdrawn;", "draining always;",
		"draining until; left 5;", "added;", "added; draining always;",
		"" };
	char text[512];

	for (int i = 0; i < 6; i++)
		for (int k = 0; k < 6; k++)
			for (int l = 0; l < 6; l++) {
				snprintf(text, sizeof text,
				    "clock 1000; network 203.0.113.0/24 { %s } "
				    "network 203.0.113.0/24 { state announced; "
				    "healthy yes; age 7; flaps 1; %s } network "
				    "203.0.113.0/24 { %s }",
				    what[i], what[k], what[l]);
				stable(text);
			}
}

/* A configuration without the network, and back, changes no command. */
static void
test_commands_outlive(void **state)
{
	struct announce_drain d = { .time_ms = UINT64_MAX, .prepend = 2 };
	struct world w;
	char *text;

	begin(&w, 3);
	for (int i = 0; i < 3; i++)
		w.net[i].ntrack = 0;
	apply(&w);
	announce_withdraw(
	    w.a, announce_find(w.a, &w.net[1].pfx), true, "ticket 7");
	announce_drain(w.a, announce_find(w.a, &w.net[2].pfx), &d, w.now);
	run(&w);
	w.conf.nnet = 1;
	for (int i = 0; i < 2; i++) {
		apply(&w);
		is(&w, 1, ANNOUNCE_WITHDRAWN, ANNOUNCE_COMMAND);
		is(&w, 2, ANNOUNCE_WITHDRAWN, ANNOUNCE_COMMAND);
		assert_true(net(&w, 2)->absent && !net(&w, 2)->how.told);
		if (i == 1)
			break;
		/* Over a restart, too. */
		text = announce_state_print(w.a, "", w.now);
		end(&w);
		begin(&w, 3);
		for (int k = 0; k < 3; k++)
			w.net[k].ntrack = 0;
		w.conf.nnet = 1;
		apply(&w);
		assert_true(
		    announce_state_parse(w.a, text, strlen(text), "", w.now));
		free(text);
	}
	w.conf.nnet = 3;
	apply(&w);
	is(&w, 1, ANNOUNCE_WITHDRAWN, ANNOUNCE_COMMAND);
	assert_true(net(&w, 1)->persistent && !net(&w, 1)->absent);
	assert_string_equal(net(&w, 1)->withdraw_reason, "ticket 7");
	is(&w, 2, ANNOUNCE_DRAINING, ANNOUNCE_OPERATOR);
	assert_int_equal(net(&w, 2)->how.prepend, 2);
	/* Unless they were taken back meanwhile. */
	w.conf.nnet = 1;
	apply(&w);
	announce_undrain(w.a, announce_find(w.a, &w.net[2].pfx));
	run(&w);
	assert_null(announce_find(w.a, &w.net[2].pfx));
	assert_ptr_equal(
	    announce_add(w.a, &w.net[1].pfx, false, w.now), net(&w, 1));
	run(&w);
	is(&w, 1, ANNOUNCE_UP, ANNOUNCE_HEALTHY);
	assert_true(net(&w, 1)->added);
	w.conf.nnet = 3;
	apply(&w);
	is(&w, 1, ANNOUNCE_UP, ANNOUNCE_HEALTHY);
	is(&w, 2, ANNOUNCE_UP, ANNOUNCE_HEALTHY);
	assert_int_equal(w.a->nadded, 0);
	end(&w);
}

/* One that comes again waits for its tracks, like a new one. */
static void
test_absent_tracks(void **state)
{
	struct announce_drain d = { .time_ms = UINT64_MAX };
	struct world w;

	begin(&w, 2);
	apply(&w);
	tell(&w, 1, true);
	announce_drain(w.a, announce_find(w.a, &w.net[1].pfx), &d, w.now);
	run(&w);
	is(&w, 1, ANNOUNCE_DRAINING, ANNOUNCE_OPERATOR);
	w.conf.nnet = w.conf.ntrack = 1;
	apply(&w);
	is(&w, 1, ANNOUNCE_WITHDRAWN, ANNOUNCE_COMMAND);
	go(&w, 200 * S);
	w.conf.nnet = w.conf.ntrack = 2;
	apply(&w);
	is(&w, 1, ANNOUNCE_WITHDRAWN, ANNOUNCE_SETTLING);
	tell(&w, 1, true);
	is(&w, 1, ANNOUNCE_DRAINING, ANNOUNCE_OPERATOR);
	end(&w);
}

/* So many and no more. */
static void
test_absent_max(void **state)
{
	char text[(ANNOUNCE_ADDED_MAX + 1) * 48];
	struct world w;
	size_t n = 0;

	for (int i = 0; i <= ANNOUNCE_ADDED_MAX; i++)
		n += (size_t)snprintf(text + n, sizeof text - n,
		    "network 10.%d.%d.0/24 { withdrawn; } ", i / 256, i % 256);
	stable(text);
	/* Another one is as if nobody had said anything. */
	begin(&w, 2);
	apply(&w);
	assert_true(announce_state_parse(w.a, text, n, "", w.now));
	assert_int_equal(w.a->nadded, ANNOUNCE_ADDED_MAX);
	announce_withdraw(w.a, announce_find(w.a, &w.net[1].pfx), true, "");
	w.conf.nnet = 1;
	apply(&w);
	assert_null(announce_find(w.a, &w.net[1].pfx));
	end(&w);
}

static unsigned int
count(const struct world *w, unsigned int n)
{
	unsigned int sum = 0;

	for (unsigned int i = 0; i < n; i++)
		sum += told(w, i);
	return sum;
}

static void
test_guard(void **state)
{
	struct world w;

	begin(&w, 4);
	w.conf.min_healthy_pct = 50;
	apply(&w);
	/* At the start nothing is kept that never was. */
	assert_int_equal(count(&w, 4), 0);
	for (unsigned int i = 0; i < 4; i++)
		tell(&w, i, true);
	assert_int_equal(count(&w, 4), 4);
	/* One after the other: the last two stay. */
	for (unsigned int i = 0; i < 4; i++) {
		go(&w, w.now + S);
		tell(&w, i, false);
	}
	assert_false(told(&w, 0));
	assert_false(told(&w, 1));
	is(&w, 2, ANNOUNCE_UP, ANNOUNCE_GUARD);
	is(&w, 3, ANNOUNCE_UP, ANNOUNCE_GUARD);
	assert_int_equal(w.a->kept, 2);
	/* One that is good again takes the place of a bad one. */
	tell(&w, 0, true);
	assert_true(told(&w, 0));
	assert_false(told(&w, 2));
	is(&w, 3, ANNOUNCE_UP, ANNOUNCE_GUARD);
	tell(&w, 1, true);
	assert_int_equal(w.a->kept, 0);
	assert_int_equal(count(&w, 4), 2);
	/* At once. */
	for (unsigned int i = 0; i < 4; i++)
		tell(&w, i, true);
	for (unsigned int i = 0; i < 4; i++)
		announce_result(w.a, w.a->track[i], false, "", w.now);
	run(&w);
	assert_int_equal(count(&w, 4), 2);
	/* What an operator takes away is none of its matter. */
	announce_withdraw(w.a, announce_find(w.a, &w.net[0].pfx), false, "");
	announce_withdraw(w.a, announce_find(w.a, &w.net[1].pfx), false, "");
	announce_withdraw(w.a, announce_find(w.a, &w.net[2].pfx), false, "");
	run(&w);
	assert_true(count(&w, 4) <= 1);
	end(&w);
}

/* As after a restart: neither is taken away what is good, nor told what is
 * not, before somebody looked. */
static void
test_restore(void **state)
{
	struct announce_net was[2];
	struct world w;

	begin(&w, 2);
	w.net[0].up_delay_ms = w.net[1].up_delay_ms = 20 * S;
	apply(&w);
	tell(&w, 0, true);
	tell(&w, 1, false);
	go(&w, w.now + 20 * S);
	is(&w, 0, ANNOUNCE_UP, ANNOUNCE_HEALTHY);
	was[0] = *net(&w, 0);
	was[1] = *net(&w, 1);
	end(&w);

	begin(&w, 2);
	w.net[0].up_delay_ms = w.net[1].up_delay_ms = 20 * S;
	w.track[0].fall = 2;
	w.now = 130 * S;
	announce_conf(w.a, &w.conf, w.now);
	for (unsigned int i = 0; i < 2; i++) {
		track_restore(w.a->track[i], i == 0 ? TRACK_UP : TRACK_DOWN,
		    110 * S, 0, 0, 0, w.now);
		announce_restore(
		    w.a, announce_find(w.a, &w.net[i].pfx), &was[i]);
	}
	run(&w);
	is(&w, 0, ANNOUNCE_UP, ANNOUNCE_HEALTHY); /* without the delay */
	is(&w, 1, ANNOUNCE_WITHDRAWN, ANNOUNCE_TRACKS);
	assert_true(announce_settling(w.a));
	tell(&w, 1, false);
	assert_true(announce_settling(w.a));
	tell(&w, 0, false); /* it died meanwhile; one look is not enough */
	assert_true(announce_settling(w.a));
	tell(&w, 0, false);
	assert_false(announce_settling(w.a));
	assert_false(told(&w, 0));
	end(&w);
}

/*
 * Random results, commands, reloads and waits.  What must hold at each step:
 * a network with failing tracks for longer than all delays is not told, a good
 * one is, and no deadline is forgotten.
 */
static void
test_random(void **state)
{
	struct world w;

	srandom(7);
	begin(&w, 4);
	for (unsigned int i = 0; i < 4; i++) {
		w.net[i].up_delay_ms = i * 2 * S;
		w.net[i].down_delay_ms = i * S;
		w.net[i].on_fail =
		    i & 1 ? ANNOUNCE_FAIL_DRAIN : ANNOUNCE_FAIL_WITHDRAW;
		w.net[i].drain_ms = 5 * S;
	}
	apply(&w);
	for (int round = 0; round < 20000; round++) {
		unsigned int i = (unsigned int)random() & 3;

		switch (random() % 8) {
		case 0:
			apply(&w);
			break;
		case 1:
			go(&w, w.now + (uint64_t)random() % (10 * S));
			break;
		case 2:
			go(&w, w.now + 20 * S);
			for (unsigned int k = 0; k < 4; k++)
				assert_int_equal(told(&w, k),
				    w.a->track[k]->state == TRACK_UP);
			break;
		default:
			tell(&w, i, random() & 1);
		}
		for (unsigned int k = 0; k < 4; k++)
			assert_true(told(&w, k) ||
			    net(&w, k)->state == ANNOUNCE_WITHDRAWN);
	}
	end(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_tracks),
		cmocka_unit_test(test_delays),
		cmocka_unit_test(test_rise_fall),
		cmocka_unit_test(test_need),
		cmocka_unit_test(test_unknown),
		cmocka_unit_test(test_lease),
		cmocka_unit_test(test_overdue),
		cmocka_unit_test(test_damping),
		cmocka_unit_test(test_on_fail),
		cmocka_unit_test(test_operator),
		cmocka_unit_test(test_reasons),
		cmocka_unit_test(test_reasons_kept),
		cmocka_unit_test(test_another_boot),
		cmocka_unit_test(test_added),
		cmocka_unit_test(test_said_twice),
		cmocka_unit_test(test_commands_outlive),
		cmocka_unit_test(test_absent_tracks),
		cmocka_unit_test(test_absent_max),
		cmocka_unit_test(test_guard),
		cmocka_unit_test(test_restore),
		cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
