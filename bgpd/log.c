#include "bgpd/log.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <time.h>

#include "bgpd/peer.h"
#include "platform/clock.h"

static enum log_level level = LOG_L_INFO;
static bool use_syslog, use_journal;

static const int prio[] = { LOG_ERR, LOG_WARNING, LOG_INFO, LOG_DEBUG };
static const char *const word[] = { "error", "warning", "info", "debug" };

void
log_init(enum log_level l, bool to_syslog)
{
	level = l;
	use_syslog = to_syslog;
	if (to_syslog)
		openlog("ana-bgpd", LOG_PID | LOG_NDELAY, LOG_DAEMON);
}

void
log_to_journal(void)
{
	use_journal = true;
}

void
log_set_level(enum log_level l)
{
	level = l;
}

bool
log_enabled(enum log_level l)
{
	return l <= level;
}

/* A log line must stay one line, whatever a peer sent. */
static void
clean(char *s)
{
	for (; *s != '\0'; s++)
		if ((unsigned char)*s < ' ' || *s == 0x7f)
			*s = '?';
}

static void
emit(enum log_level l, char *text)
{
	int64_t ms = clock_real_ms();
	time_t sec = (time_t)(ms / 1000);
	struct tm tm;
	char when[32];

	clean(text);
	if (use_syslog) {
		syslog(prio[l], "%s", text);
		return;
	}
	/* The journal stamps by itself and takes the level from <N>. */
	if (use_journal) {
		fprintf(stderr, "<%d>%s\n", prio[l], text);
		return;
	}
	gmtime_r(&sec, &tm);
	strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%S", &tm);
	fprintf(stderr, "%s.%03ldZ %s: %s\n", when, (long)(ms % 1000), word[l],
	    text);
}

__attribute__((format(printf, 4, 0))) static void
vlog(enum log_level l, const char *head, const char *tail, const char *fmt,
    va_list ap)
{
	char text[2048];
	int n = snprintf(text, sizeof text, "%s", head);

	if (n < 0 || (size_t)n >= sizeof text)
		return;
	vsnprintf(text + n, sizeof text - (size_t)n, fmt, ap);
	strlcat(text, tail, sizeof text);
	emit(l, text);
}

#define SAY(l, head, tail) \
	do { \
		va_list ap; \
\
		if (!log_enabled(l)) \
			return; \
		va_start(ap, fmt); \
		vlog(l, head, tail, fmt, ap); \
		va_end(ap); \
	} while (0)

void
log_warn(const char *fmt, ...)
{
	char tail[128];

	snprintf(tail, sizeof tail, ": %s", strerror(errno));
	SAY(LOG_L_WARN, "", tail);
}

void
log_warnx(const char *fmt, ...)
{
	SAY(LOG_L_WARN, "", "");
}

void
log_info(const char *fmt, ...)
{
	SAY(LOG_L_INFO, "", "");
}

void
log_debug(const char *fmt, ...)
{
	SAY(LOG_L_DEBUG, "", "");
}

void
log_peer(const struct peer *p, enum log_level l, const char *fmt, ...)
{
	char head[256];

	if (!log_enabled(l))
		return;
	peer_name(p, head, sizeof head);
	strlcat(head, ": ", sizeof head);
	SAY(l, head, "");
}

void
fatalx(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vlog(LOG_L_ERROR, "ana-bgpd: ", "", fmt, ap);
	va_end(ap);
	exit(1);
}
