/*
 * service.h -- what the service manager hears of the speaker while it runs:
 * one line about its state, and that the loop turns (platform/notify.h).
 */
#ifndef SERVICE_H
#define SERVICE_H

#include "lib/timer.h"

struct engine;

struct service {
	struct engine *eng;
	struct timer tell;
	char said[1024];
};

/* The speaker is ready.  The storage must outlive the engine's turns. */
void service_start(struct service *, struct engine *);

#endif /* SERVICE_H */
