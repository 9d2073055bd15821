#include "bgpd/log.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "bgpd/engine.h"
#include "bgpd/peer.h"
#include "lib/out.h"
#include "platform/clock.h"

#define JOURNAL_SOCKET "/run/systemd/journal/socket"
#define SYSLOG_SOCKET "/dev/log"

enum {
	MINUTE_MS = 60 * 1000,
	LINE_LEN = 2048,
	RECORD_LEN = 8192 /* a line with all its keys */
};

/* One line on its way out. */
struct record {
	enum log_level level;
	const char *file; /* of the source */
	int line;
	const struct peer *peer;
	const struct log_event *event;
	char text[LINE_LEN];
};

/* No lock and no thread: the one place that logs. */
static struct {
	enum log_level level;
	enum log_to to;
	bool json;
	bool stream; /* standard error is the journal's: wants <N> */
	int fd, sock; /* of the file; for journal and syslog */
	uint64_t lost, lost_all; /* lines: not told yet; since the start */
	bool cut; /* the last line was written in part */
} out = { .level = LOG_L_INFO, .fd = -1, .sock = -1 };

static const int prio[] = { [LOG_L_ERROR] = LOG_ERR,
	[LOG_L_WARN] = LOG_WARNING,
	[LOG_L_INFO] = LOG_INFO,
	[LOG_L_DEBUG] = LOG_DEBUG };
static const char *const word[] = { [LOG_L_ERROR] = "error",
	[LOG_L_WARN] = "warning",
	[LOG_L_INFO] = "info",
	[LOG_L_DEBUG] = "debug" };

void
log_init(enum log_level l, const struct log_dest *d)
{
	int fd = -1;

	/* The zone is read now: not any more in the sandbox. */
	tzset();
	out.level = l;
	out.json = d->json;
	out.to = d->to;
	if (out.sock == -1)
		out.sock = socket(
		    AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (d->to == LOG_TO_FILE)
		fd = open(d->file,
		    O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK,
		    0640);
	if (out.fd != -1)
		close(out.fd);
	out.fd = fd;
	if (d->to == LOG_TO_FILE && fd == -1)
		log_warn("log file %s cannot be opened, standard error is used",
		    d->file);
}

/* systemd names device and inode of the stream that it gave us. */
static bool
is_journal(const char *name)
{
	unsigned long long dev, ino;
	struct stat st;

	return name != NULL && sscanf(name, "%llu:%llu", &dev, &ino) == 2 &&
	    fstat(STDERR_FILENO, &st) == 0 && st.st_dev == dev &&
	    st.st_ino == ino;
}

enum log_to
log_default(const char *journal_stream, bool background)
{
	out.stream = is_journal(journal_stream);
	if (out.stream)
		return LOG_TO_JOURNAL;
	return background ? LOG_TO_SYSLOG : LOG_TO_STDERR;
}

void
log_set_level(enum log_level l)
{
	out.level = l;
}

uint64_t
log_lost(void)
{
	return out.lost_all;
}

bool
log_enabled(enum log_level l)
{
	return l != LOG_L_NONE && l <= out.level;
}

/* ---- the forms of a line ---------------------------------------------- */

size_t
log_one_line(const struct out *o, char *buf, size_t size)
{
	size_t n, k = 0;
	const char *p = out_pending(o, &n);

	for (size_t i = 0; i < n && k + 1 < size; i++)
		if (p[i] != '\n' && p[i] != '\t')
			buf[k++] = p[i];
	buf[k] = '\0';
	return k;
}

void
log_stamp(char *buf, size_t n)
{
	int64_t ms = clock_real_ms();
	time_t sec = (time_t)(ms / 1000);
	char day[32];
	struct tm tm;

	gmtime_r(&sec, &tm);
	strftime(day, sizeof day, "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(buf, n, "%s.%03dZ", day, (int)(ms % 1000));
}

void
log_put_about(struct out *o, const struct peer *p, const struct log_word *w)
{
	char a[ADDR_STRLEN];

	if (p != NULL) {
		out_obj(o, "neighbor");
		out_str(
		    o, "remote_addr", addr_print(&p->conf->addr, a, sizeof a));
		out_strf(o, "remote_as", "%u", p->conf->remote_as);
		if (p->conf->description != NULL)
			out_str(o, "description", p->conf->description);
		out_end(o);
	}
	for (; w != NULL && w->key != NULL; w++)
		out_str(o, w->key, w->value);
}

static size_t
write_json(const struct record *r, char *buf, size_t size)
{
	struct out *o = out_new(true);
	char when[40];
	size_t n;

	log_stamp(when, sizeof when);
	out_obj(o, NULL);
	out_str(o, "time", when);
	out_str(o, "level", word[r->level]);
	out_str(o, "message", r->text);
	if (r->event != NULL)
		out_str(o, "event", r->event->name);
	log_put_about(o, r->peer, r->event != NULL ? r->event->word : NULL);
	out_end(o);
	n = log_one_line(o, buf, size);
	out_free(o);
	return n;
}

/* For people, files and syslog; `when` only where nobody else stamps. */
static size_t
write_text(const struct record *r, bool when, char *buf, size_t size)
{
	char time[40];
	int n;

	if (out.json)
		return write_json(r, buf, size);
	log_stamp(time, sizeof time);
	n = when
	    ? snprintf(buf, size, "%s %s: %s", time, word[r->level], r->text)
	    : snprintf(buf, size, "%s", r->text);
	return (size_t)n < size ? (size_t)n : size - 1;
}

/* ---- the outputs ------------------------------------------------------ */

static bool
datagram(const char *path, const char *p, size_t n)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };

	strlcpy(sun.sun_path, path, sizeof sun.sun_path);
	return sendto(out.sock, p, n, MSG_NOSIGNAL, (struct sockaddr *)&sun,
		   sizeof sun) == (ssize_t)n;
}

/* One "KEY=value" of the journal's protocol; a value has no newline. */
static void
field(char *buf, size_t size, const char *key, const char *value)
{
	size_t n = strlen(buf), len = strlen(key) + strlen(value) + 2;

	if (len < size - n)
		snprintf(buf + n, size - n, "%s=%s\n", key, value);
}

static void
field_u(char *buf, size_t size, const char *key, uint32_t v)
{
	char text[12];

	snprintf(text, sizeof text, "%u", v);
	field(buf, size, key, text);
}

/* "shutdown_message" of a record is ANA_SHUTDOWN_MESSAGE of the journal. */
static void
field_word(char *buf, size_t size, const struct log_word *w)
{
	char key[64] = "ANA_", value[1024];

	strlcat(key, w->key, sizeof key);
	for (char *s = key; *s != '\0'; s++)
		*s = (char)toupper((unsigned char)*s);
	strlcpy(value, w->value, sizeof value);
	out_clean(value);
	field(buf, size, key, value);
}

static bool
to_journal(const struct record *r)
{
	char buf[RECORD_LEN] = "", a[ADDR_STRLEN];
	const struct conf_neighbor *c;
	enum {
		SIZE = sizeof buf
	};

	field(buf, SIZE, "MESSAGE", r->text);
	field_u(buf, SIZE, "PRIORITY", (uint32_t)prio[r->level]);
	field(buf, SIZE, "SYSLOG_IDENTIFIER", "ana-bgpd");
	field(buf, SIZE, "CODE_FILE", r->file);
	field_u(buf, SIZE, "CODE_LINE", (uint32_t)r->line);
	if (r->peer != NULL) {
		c = r->peer->conf;
		field(buf, SIZE, "ANA_PEER", addr_print(&c->addr, a, sizeof a));
		field_u(buf, SIZE, "ANA_PEER_AS", c->remote_as);
		if (c->description != NULL)
			field(buf, SIZE, "ANA_DESCR", c->description);
	}
	if (r->event != NULL) {
		field(buf, SIZE, "ANA_EVENT", r->event->name);
		field(buf, SIZE, "MESSAGE_ID", r->event->id);
		for (const struct log_word *w = r->event->word;
		     w != NULL && w->key != NULL; w++)
			field_word(buf, SIZE, w);
	}
	return datagram(JOURNAL_SOCKET, buf, strlen(buf));
}

/* As libc's syslog(), which waits for a full socket. */
static bool
to_syslog(const struct record *r)
{
	char buf[RECORD_LEN], when[32];
	time_t sec = (time_t)clock_real_s();
	struct tm tm;
	int n;

	localtime_r(&sec, &tm);
	strftime(when, sizeof when, "%b %e %H:%M:%S", &tm);
	n = snprintf(buf, sizeof buf,
	    "<%d>%s ana-bgpd[%d]: ", LOG_DAEMON | prio[r->level], when,
	    (int)getpid());
	return datagram(SYSLOG_SOCKET, buf,
	    (size_t)n + write_text(r, false, buf + n, sizeof buf - (size_t)n));
}

/*
 * Never waits for a reader.  O_NONBLOCK on standard error would be that of
 * everybody who has it, so poll() says how much goes in: PIPE_BUF octets.
 */
static bool
write_now(int fd, const char *p, size_t n)
{
	struct pollfd f = { .fd = fd, .events = POLLOUT };

	while (n > 0) {
		ssize_t done;

		if (poll(&f, 1, 0) != 1 || !(f.revents & POLLOUT))
			return false;
		done = write(fd, p, n < PIPE_BUF ? n : PIPE_BUF);
		if (done <= 0)
			return false;
		out.cut = done < (ssize_t)n;
		p += done;
		n -= (size_t)done;
	}
	return true;
}

static bool
to_fd(const struct record *r, int fd)
{
	bool stream = out.stream && fd == STDERR_FILENO;
	char buf[RECORD_LEN + 2];
	size_t n = 0;

	if (out.cut)
		buf[n++] = '\n';
	if (stream)
		n += (size_t)snprintf(buf + n, 8, "<%d>", prio[r->level]);
	n += write_text(r, !stream, buf + n, RECORD_LEN - n);
	buf[n++] = '\n';
	return write_now(fd, buf, n);
}

/* False: it is busy or full.  One that is not there is replaced. */
static bool
put(const struct record *r)
{
	bool busy;

	switch (out.to) {
	case LOG_TO_FILE:
		if (out.fd != -1)
			return to_fd(r, out.fd);
		break;
	case LOG_TO_JOURNAL:
	case LOG_TO_SYSLOG:
		if (out.to == LOG_TO_JOURNAL ? to_journal(r) : to_syslog(r))
			return true;
		busy = errno == EAGAIN || errno == ENOBUFS;
		if (busy)
			return false;
		break;
	case LOG_TO_STDERR:
		break;
	}
	return to_fd(r, STDERR_FILENO);
}

static void
emit(struct record *r)
{
	struct record gap = {
		.level = LOG_L_WARN, .file = r->file, .line = r->line
	};
	int saved = errno;

	out_clean(r->text);
	if (out.lost > 0) {
		snprintf(gap.text, sizeof gap.text,
		    "%llu lines before this one are lost: the log did not "
		    "take them",
		    (unsigned long long)out.lost);
		if (put(&gap))
			out.lost = 0;
	}
	if (!put(r)) {
		out.lost++;
		out.lost_all++;
	}
	errno = saved;
}

/* ---- what the daemon says --------------------------------------------- */

/* Of the source, below its top: "../../bgpd/peer.c" is bgpd/peer.c. */
static const char *
below_top(const char *file)
{
	while (strncmp(file, "../", 3) == 0)
		file += 3;
	return file;
}

void
log_at(const char *file, int line, enum log_level l, bool with_errno,
    const char *fmt, ...)
{
	struct record r = { .level = l, .file = below_top(file), .line = line };
	int err = errno;
	va_list ap;

	if (!log_enabled(l))
		return;
	va_start(ap, fmt);
	vsnprintf(r.text, sizeof r.text, fmt, ap);
	va_end(ap);
	if (with_errno) {
		strlcat(r.text, ": ", sizeof r.text);
		strlcat(r.text, strerror(err), sizeof r.text);
	}
	emit(&r);
}

static void
emit_peer(struct record *r, const char *text)
{
	peer_name(r->peer, r->text, sizeof r->text);
	strlcat(r->text, ": ", sizeof r->text);
	strlcat(r->text, text, sizeof r->text);
	emit(r);
}

void
log_quota_end(struct peer *p)
{
	struct log_quota *q = &p->quota;
	struct record r = { .level = LOG_L_WARN,
		.file = below_top(__FILE__),
		.line = __LINE__,
		.peer = p };
	char text[96];

	snprintf(text, sizeof text,
	    "%u lines suppressed: more than %d in a minute", q->left_out,
	    LOG_PEER_MAX);
	if (q->left_out > 0 && log_enabled(LOG_L_WARN))
		emit_peer(&r, text);
	q->left_out = q->said[0] = q->said[1] = 0;
}

/* A neighbor that talks without end does not fill the disk. */
static bool
may_say(struct peer *p, enum log_level l, bool event)
{
	struct log_quota *q = &p->quota;
	uint64_t now = p->eng->now_ms;

	if (l == LOG_L_DEBUG)
		return true;
	if (now - q->since_ms >= MINUTE_MS) {
		timer_stop(&p->eng->timers, &q->end);
		log_quota_end(p);
		q->since_ms = now;
	}
	if (q->said[event] < LOG_PEER_MAX) {
		q->said[event]++;
		return true;
	}
	if (q->left_out++ == 0)
		timer_set(&p->eng->timers, &q->end, now,
		    q->since_ms + MINUTE_MS - now);
	return false;
}

void
log_peer_at(const char *file, int line, struct peer *p, enum log_level l,
    const char *fmt, ...)
{
	struct record r = {
		.level = l, .file = below_top(file), .line = line, .peer = p
	};
	char text[LINE_LEN];
	va_list ap;

	if (!log_enabled(l) || !may_say(p, l, false))
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	emit_peer(&r, text);
}

void
log_event_at(const char *file, int line, struct peer *p, enum log_level l,
    const struct log_event *ev, const char *text)
{
	struct record r = { .level = l,
		.file = below_top(file),
		.line = line,
		.peer = p,
		.event = ev };

	if (!log_enabled(l) || (p != NULL && !may_say(p, l, true)))
		return;
	if (p != NULL) {
		emit_peer(&r, text);
		return;
	}
	strlcpy(r.text, text, sizeof r.text);
	emit(&r);
}

void
fatalx(const char *fmt, ...)
{
	struct record r = { .level = LOG_L_ERROR,
		.file = below_top(__FILE__),
		.line = __LINE__,
		.text = "ana-bgpd: " };
	size_t n = strlen(r.text);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(r.text + n, sizeof r.text - n, fmt, ap);
	va_end(ap);
	emit(&r);
	exit(1);
}
