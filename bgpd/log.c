#include "bgpd/log.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <time.h>

#include "bgpd/peer.h"
#include "lib/out.h"
#include "platform/clock.h"

static enum log_level level = LOG_L_INFO;
static bool use_syslog, use_journal, use_json;
static FILE *file; /* NULL: standard error */

static const int prio[] = { LOG_ERR, LOG_WARNING, LOG_INFO, LOG_DEBUG };
static const char *const word[] = { "error", "warning", "info", "debug" };

void
log_init(enum log_level l, const struct log_dest *d)
{
	FILE *f = NULL;

	level = l;
	use_syslog = d->syslog;
	use_json = d->json;
	if (d->syslog)
		openlog("ana-bgpd", LOG_PID | LOG_NDELAY, LOG_DAEMON);
	if (d->file != NULL && (f = fopen(d->file, "ae")) == NULL)
		log_warn("log file %s cannot be opened, standard error is used",
		    d->file);
	if (file != NULL)
		fclose(file);
	file = f;
	if (file != NULL)
		setvbuf(file, NULL, _IOLBF, 0);
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

/* One object a line. */
static void
emit_json(enum log_level l, const char *when, int ms, const char *text)
{
	struct out *o = out_new(true);
	const char *p;
	size_t n;

	out_obj(o, NULL);
	out_strf(o, "time", "%s.%03dZ", when, ms);
	out_str(o, "level", word[l]);
	out_str(o, "message", text);
	out_end(o);
	p = out_pending(o, &n);
	for (size_t i = 0; i + 1 < n; i++)
		fputc(p[i] == '\n' || p[i] == '\t' ? ' ' : p[i],
		    file != NULL ? file : stderr);
	fputc('\n', file != NULL ? file : stderr);
	out_free(o);
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
	if (use_journal && file == NULL) {
		fprintf(stderr, "<%d>%s\n", prio[l], text);
		return;
	}
	gmtime_r(&sec, &tm);
	strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%S", &tm);
	if (use_json)
		emit_json(l, when, (int)(ms % 1000), text);
	else
		fprintf(file != NULL ? file : stderr, "%s.%03dZ %s: %s\n", when,
		    (int)(ms % 1000), word[l], text);
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
