#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <time.h>

#include "platform/fibd/fibd.h"

static bool on_stderr = true;

/* The connection is made now: there is no connect() in the sandbox. */
void
fibd_log_open(bool foreground)
{
	on_stderr = foreground;
	tzset();
	if (!foreground)
		openlog("ana-fibd", LOG_PID | LOG_NDELAY, LOG_DAEMON);
}

void
fibd_log(const char *fmt, ...)
{
	char line[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof line, fmt, ap);
	va_end(ap);
	if (on_stderr)
		fprintf(stderr, "ana-fibd: %s\n", line);
	else
		syslog(LOG_NOTICE, "%s", line);
}

void
fibd_die(const char *fmt, ...)
{
	char line[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof line, fmt, ap);
	va_end(ap);
	fprintf(stderr, "ana-fibd: %s\n", line);
	exit(1);
}
