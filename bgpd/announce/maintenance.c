/* maintenance.c -- the steps of a maintenance; see maintenance.h. */
#include "bgpd/announce/maintenance.h"

#include <string.h>

static const char *const names[MAINT_N] = {
	[MAINT_IDLE] = "idle",
	[MAINT_DRAINING] = "draining",
	[MAINT_WAITING] = "waiting",
	[MAINT_STOPPING] = "stopping",
	[MAINT_STOPPED] = "stopped",
	[MAINT_UNDOING] = "undoing",
};

const char *
maint_state_name(enum maint_state s)
{
	return s < MAINT_N ? names[s] : "";
}

enum maint_state
maint_state_find(const char *name)
{
	enum maint_state s = MAINT_IDLE;

	while (s < MAINT_N && strcmp(names[s], name) != 0)
		s++;
	return s;
}

const char *
maint_why_text(enum maint_why w)
{
	static const char *const text[] = {
		[MAINT_BY_COMMAND] = "an operator says so",
		[MAINT_BY_TIME] = "the time of the step is over",
		[MAINT_BY_TRAFFIC] = "the traffic is low enough",
		[MAINT_BY_DONE] = "all is done",
		[MAINT_BY_END] = "the time of the maintenance is over",
	};

	return w <= MAINT_BY_END ? text[w] : "";
}

static uint64_t
after(uint64_t now, uint64_t ms)
{
	return ms > MAINT_NEVER - now ? MAINT_NEVER : now + ms;
}

static void
enter(struct maint *m, enum maint_state s, enum maint_why why, uint64_t now,
    uint64_t until)
{
	m->state = s;
	m->why = why;
	m->since_ms = now;
	m->until_ms = until;
	m->quiet_ms = 0;
}

static void
undo(struct maint *m, enum maint_why why, uint64_t now)
{
	m->end_ms = MAINT_NEVER;
	enter(m, MAINT_UNDOING, why, now, after(now, MAINT_BACK_MS));
}

void
maint_start(
    struct maint *m, const struct maint_conf *c, uint64_t end_ms, uint64_t now)
{
	m->end_ms = end_ms;
	if (m->state == MAINT_IDLE || m->state == MAINT_UNDOING)
		enter(m, MAINT_DRAINING, MAINT_BY_COMMAND, now,
		    after(now, c->drain_ms));
}

bool
maint_stop(struct maint *m, uint64_t now)
{
	if (m->state == MAINT_IDLE || m->state == MAINT_UNDOING)
		return false;
	undo(m, MAINT_BY_COMMAND, now);
	return true;
}

/* Low for long enough, and not for one look only? */
static bool
quiet(struct maint *m, const struct maint_conf *c, const struct maint_facts *f,
    uint64_t now)
{
	if (!f->rated || f->bps >= c->below_bps) {
		m->quiet_ms = 0;
		return false;
	}
	if (m->quiet_ms == 0)
		m->quiet_ms = now;
	return now - m->quiet_ms >= MAINT_QUIET_MS;
}

bool
maint_run(struct maint *m, const struct maint_conf *c,
    const struct maint_facts *f, uint64_t now)
{
	bool over = now >= m->until_ms, low;

	if (m->state == MAINT_IDLE)
		return false;
	if (now >= m->end_ms && m->state != MAINT_UNDOING) {
		undo(m, MAINT_BY_END, now);
		return true;
	}
	switch (m->state) {
	case MAINT_DRAINING:
		if (!over)
			return false;
		enter(m, MAINT_WAITING, MAINT_BY_TIME, now,
		    after(now, c->wait_ms));
		return true;
	case MAINT_WAITING:
		low = quiet(m, c, f, now);
		if (!low && !over)
			return false;
		enter(m, MAINT_STOPPING, low ? MAINT_BY_TRAFFIC : MAINT_BY_TIME,
		    now, after(now, MAINT_TELL_MS));
		return true;
	case MAINT_STOPPING:
		if (!f->told && !over)
			return false;
		enter(m, MAINT_STOPPED, f->told ? MAINT_BY_DONE : MAINT_BY_TIME,
		    now, MAINT_NEVER);
		return true;
	case MAINT_UNDOING:
		if (!f->back && !over)
			return false;
		enter(m, MAINT_IDLE, f->back ? MAINT_BY_DONE : MAINT_BY_TIME,
		    now, MAINT_NEVER);
		return true;
	case MAINT_IDLE:
	case MAINT_STOPPED:
	case MAINT_N:
		break;
	}
	return false;
}

void
maint_restore(struct maint *m, const struct maint *from, uint64_t now)
{
	*m = *from;
	m->quiet_ms = 0;
	/* The end of the process was the end of the sessions. */
	if (m->state == MAINT_STOPPING)
		enter(m, MAINT_STOPPED, MAINT_BY_DONE, now, MAINT_NEVER);
}

bool
maint_drains(const struct maint *m)
{
	return m->state != MAINT_IDLE;
}

bool
maint_withdraws(const struct maint *m)
{
	return m->state == MAINT_STOPPING || m->state == MAINT_STOPPED;
}

bool
maint_holds(const struct maint *m)
{
	return m->state == MAINT_STOPPED;
}
