/*
 * service.c -- told by a timer of the loop, never beside it: where one turn
 * does not end, no WATCHDOG=1 goes out.
 */
#include "bgpd/service.h"

#include <stdio.h>
#include <string.h>

#include "bgpd/engine.h"
#include "bgpd/show.h"
#include "platform/notify.h"

enum {
	TELL_MS = 5000 /* and as often as the watchdog wants it */
};

static uint32_t
accepted(const struct engine *eng)
{
	const struct peer *p;
	uint32_t n = 0;

	TAILQ_FOREACH (p, &eng->peers, entry)
		for (enum fam f = FAM_INET; f < FAM_N; f++)
			n += adjin_count(p->adjin, f)->accepted;
	return n;
}

/*
 * READY=1 each time: it changes nothing for a manager that knows, and makes
 * good one that could not be told.
 */
static void
tell_state(struct service *s)
{
	char lines[sizeof s->said];
	struct show_health h;

	show_health(s->eng, &h);
	snprintf(lines, sizeof lines,
	    "READY=1\nSTATUS=%u of %u neighbors up, %u prefixes "
	    "accepted%s%.600s",
	    h.up, h.all, accepted(s->eng), h.ok ? "" : "; ", h.ok ? "" : h.why);
	if (strcmp(lines, s->said) != 0 && notify(lines))
		strlcpy(s->said, lines, sizeof s->said);
}

static void
tell(void *arg, uint64_t now_ms)
{
	struct service *s = arg;
	uint32_t every = notify_watchdog_ms();

	if (!s->eng->stop && s->eng->reloads == 0)
		tell_state(s);
	if (every != 0)
		notify("WATCHDOG=1");
	timer_set(&s->eng->timers, &s->tell, now_ms,
	    every != 0 && every < TELL_MS ? every : TELL_MS);
}

void
service_start(struct service *s, struct engine *eng)
{
	*s = (struct service){ .eng = eng };
	timer_init(&s->tell, "service manager", tell, s);
	tell(s, eng->now_ms);
}
