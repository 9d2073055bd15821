#include "bgpd/announce/track.h"

#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"

const char *
track_state_name(enum track_state s)
{
	static const char *const name[] = { [TRACK_UNKNOWN] = "unknown",
		[TRACK_DOWN] = "down",
		[TRACK_UP] = "up" };

	return name[s];
}

void
track_init(struct track *t, const struct track_conf *c, uint64_t now_ms)
{
	*t = (struct track){ .conf = *c,
		.since_ms = (int64_t)now_ms,
		.settle_ms = now_ms + TRACK_SETTLE_MS,
		.deadline_ms = UINT64_MAX,
		/* Nobody looks at a lease: there is nothing to wait for. */
		.confirmed = c->lease_ms != 0 };
	t->conf.key = mem_strdup(c->key);
	strlcpy(t->why, "not seen yet", sizeof t->why);
}

void
track_fini(struct track *t)
{
	free((void *)(uintptr_t)t->conf.key);
}

void
track_set_conf(struct track *t, const struct track_conf *c)
{
	const char *key = t->conf.key;

	t->conf = *c;
	t->conf.key = key;
}

static bool
become(struct track *t, enum track_state s, uint64_t now_ms)
{
	t->against = 0;
	if (t->state == s)
		return false;
	if (t->state == TRACK_UP)
		t->flaps++;
	t->state = s;
	t->since_ms = (int64_t)now_ms;
	t->mark = true;
	return true;
}

/* What a good or any result begins: the lease, or the wait for the next. */
static void
await(struct track *t, uint64_t now_ms)
{
	if (t->conf.lease_ms != 0)
		t->deadline_ms = t->state == TRACK_UP
		    ? now_ms + t->conf.lease_ms
		    : UINT64_MAX;
	else
		t->deadline_ms =
		    t->conf.due_ms != 0 ? now_ms + t->conf.due_ms : UINT64_MAX;
}

void
track_restore(struct track *t, enum track_state s, int64_t since_ms,
    uint32_t flaps, uint8_t against, uint64_t lease_left_ms, uint64_t now_ms)
{
	t->state = s;
	t->since_ms = since_ms;
	t->seen_ms = (int64_t)now_ms;
	t->flaps = flaps;
	t->against = against;
	t->settle_ms = now_ms + TRACK_SETTLE_MS;
	await(t, now_ms);
	if (t->conf.lease_ms != 0 && s == TRACK_UP) {
		if (lease_left_ms < t->conf.lease_ms)
			t->deadline_ms = now_ms + lease_left_ms;
		/* Nobody looks at it: its owner has said so, and may be trusted
		 * for the rest of the lease. */
		t->confirmed = true;
	}
	strlcpy(t->why, "as before the restart", sizeof t->why);
}

bool
track_result(struct track *t, bool good, const char *why, uint64_t now_ms)
{
	enum track_state s = good ? TRACK_UP : TRACK_DOWN;
	uint8_t need = good ? t->conf.rise : t->conf.fall;
	bool other = false;

	strlcpy(t->why, why, sizeof t->why);
	t->seen_ms = (int64_t)now_ms;
	t->overdue = false;
	if (t->state == s)
		t->against = 0;
	else if (t->state == TRACK_UNKNOWN || ++t->against >= need)
		other = become(t, s, now_ms);
	t->confirmed |= t->state == s;
	await(t, now_ms);
	return other;
}

bool
track_run(struct track *t, uint64_t now_ms)
{
	if (t->state == TRACK_UNKNOWN && now_ms >= t->settle_ms) {
		t->confirmed = true;
		strlcpy(t->why, "nobody looked at it", sizeof t->why);
		return become(t, TRACK_DOWN, now_ms);
	}
	if (!t->confirmed && now_ms >= t->settle_ms)
		t->confirmed = true; /* what was kept has to do */
	if (now_ms < t->deadline_ms)
		return false;
	t->deadline_ms = UINT64_MAX;
	if (t->conf.lease_ms != 0) {
		strlcpy(t->why, "not refreshed in time", sizeof t->why);
		return become(t, TRACK_DOWN, now_ms);
	}
	if (!t->overdue) {
		t->overdue = t->mark = true;
		t->deadline_ms = now_ms + t->conf.keep_ms;
		strlcpy(t->why, "no result comes, the last one is kept",
		    sizeof t->why);
		return false;
	}
	strlcpy(t->why, "no result came for too long", sizeof t->why);
	return become(t, TRACK_DOWN, now_ms);
}

uint64_t
track_next(const struct track *t)
{
	uint64_t next = t->deadline_ms;

	if ((!t->confirmed || t->state == TRACK_UNKNOWN) && t->settle_ms < next)
		next = t->settle_ms;
	return next;
}
