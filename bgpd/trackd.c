#include "bgpd/trackd.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "bgpd/engine.h"
#include "bgpd/log.h"
#include "lib/mem.h"
#include "platform/trackd_proto.h"

enum {
	RETRY_MS = 1000,
	READY_MS = 5000, /* to answer HELLO */
};

struct trackd_client {
	struct engine *eng;
	int fd; /* -1: not there */
	struct ev_io *io;
	struct timer retry; /* of the connection, or while READY is awaited */
	bool ready, lost;
	size_t at; /* the next of the configuration's tracks to be told of */
	bool ended; /* all were, and END too */
	uint32_t number; /* given out last */
	char why[192];
};

static bool
wanted(const struct engine *eng)
{
	for (size_t i = 0; i < eng->conf->ntrack; i++)
		if (conf_track_probes(&eng->conf->track[i]))
			return true;
	return false;
}

static void
lost(struct trackd_client *c, const char *why)
{
	if (strcmp(c->why, why) != 0)
		log_warnx("ana-trackd: %s; probes keep their last state for a "
			  "while",
		    why);
	strlcpy(c->why, why, sizeof c->why);
	ev_io_free(c->io);
	c->io = NULL;
	if (c->fd != -1)
		close(c->fd);
	c->fd = -1;
	c->ready = false;
	timer_set(&c->eng->timers, &c->retry, c->eng->now_ms, RETRY_MS);
}

/* ---- what is asked ----------------------------------------------------- */

static void
fill(const struct conf_track *t, uint32_t id, struct trackd_set *s)
{
	static const uint8_t kind[] = { [CONF_TRACK_TCP] = TRACKD_TCP,
		[CONF_TRACK_HTTP] = TRACKD_HTTP,
		[CONF_TRACK_EXEC] = TRACKD_EXEC };

	memset(s, 0, sizeof *s);
	s->h = (struct trackd_hdr){ TRACKD_VERSION, TRACKD_SET, sizeof *s, id };
	s->kind = kind[t->kind];
	s->fam = t->addr.fam;
	s->source_fam = t->source.fam;
	s->port = t->port;
	s->status = t->status;
	s->interval_ms = 1000 * t->interval_s;
	s->timeout_ms = 1000 * t->timeout_s;
	memcpy(s->addr, t->addr.o, sizeof s->addr);
	memcpy(s->source, t->source.o, sizeof s->source);
	if (t->path != NULL)
		strlcpy(s->name, t->path, sizeof s->name);
	if (t->host != NULL)
		strlcpy(s->host, t->host, sizeof s->host);
}

static bool
put(struct trackd_client *c, const void *rec, size_t len)
{
	return send(c->fd, rec, len, MSG_NOSIGNAL | MSG_DONTWAIT) ==
	    (ssize_t)len;
}

/* As many as its socket takes; the rest when it is writable again. */
static void
tell(struct trackd_client *c)
{
	const struct conf *conf = c->eng->conf;
	struct trackd_end end = { .h = { TRACKD_VERSION, TRACKD_END, sizeof end,
				      0 } };
	struct trackd_set s;

	for (; c->ready && c->at < conf->ntrack; c->at++) {
		struct track *t = c->eng->announce->track[c->at];

		if (!conf_track_probes(&conf->track[c->at]))
			continue;
		if (t->number == 0)
			t->number = ++c->number;
		fill(&conf->track[c->at], t->number, &s);
		if (!put(c, &s, sizeof s))
			break;
	}
	if (c->ready && !c->ended && c->at == conf->ntrack)
		c->ended = put(c, &end, sizeof end);
	if (c->io != NULL)
		ev_io_want(c->io, true, c->ready && !c->ended);
}

void
trackd_client_conf(struct trackd_client *c)
{
	c->at = 0;
	c->ended = false;
	if (c->fd != -1)
		tell(c);
	else if (!c->retry.armed && wanted(c->eng))
		timer_set(&c->eng->timers, &c->retry, c->eng->now_ms, 0);
}

/* ---- what is answered -------------------------------------------------- */

static void
on_result(struct trackd_client *c, const struct trackd_result *r)
{
	struct announce *a = c->eng->announce;
	char text[TRACKD_TEXT];

	memcpy(text, r->text, sizeof text);
	text[sizeof text - 1] = '\0';
	for (size_t i = 0; i < a->ntrack; i++)
		if (r->h.id != 0 && a->track[i]->number == r->h.id) {
			announce_result(
			    a, a->track[i], r->good != 0, text, c->eng->now_ms);
			return;
		}
}

static const char *
on_record(struct trackd_client *c, const uint8_t *rec, size_t len)
{
	struct trackd_ready ready;
	struct trackd_result r;

	memcpy(&r.h, rec, len < sizeof r.h ? len : sizeof r.h);
	if (len < sizeof r.h || r.h.version != TRACKD_VERSION ||
	    r.h.size != len || len != trackd_size(r.h.type))
		return "it sent a record that is none; its version may be "
		       "another";
	if (r.h.type == TRACKD_RESULT && c->ready) {
		memcpy(&r, rec, sizeof r);
		on_result(c, &r);
		return NULL;
	}
	if (r.h.type != TRACKD_READY)
		return "it sent a record that it must not";
	memcpy(&ready, rec, sizeof ready);
	if (ready.err != 0) {
		ready.text[sizeof ready.text - 1] = '\0';
		snprintf(
		    c->why, sizeof c->why, "it refused us: %s", ready.text);
		return c->why;
	}
	log_info("ana-trackd is there");
	c->why[0] = '\0';
	c->ready = true;
	timer_stop(&c->eng->timers, &c->retry);
	trackd_client_conf(c);
	return NULL;
}

static void
on_io(void *arg, bool readable, bool writable)
{
	uint8_t rec[sizeof(struct trackd_set) + 1];
	struct trackd_client *c = arg;
	char why[sizeof c->why];
	const char *bad = NULL;
	ssize_t n;

	if (writable)
		tell(c);
	for (int i = 0; readable && i < 64 && bad == NULL; i++) {
		n = recv(c->fd, rec, sizeof rec, MSG_DONTWAIT);
		if (n == -1 && (errno == EAGAIN || errno == EINTR))
			return;
		bad = n <= 0 ? "it is gone" : on_record(c, rec, (size_t)n);
	}
	if (bad == NULL)
		return;
	strlcpy(why, bad, sizeof why);
	if (bad == c->why)
		c->why[0] = '\0'; /* said by lost() */
	lost(c, why);
}

/* ---- the connection ---------------------------------------------------- */

static void
on_retry(void *arg, uint64_t now)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	struct trackd_client *c = arg;
	const char *path = c->eng->opts.trackd_path;
	struct trackd_hello h = { .h = { TRACKD_VERSION, TRACKD_HELLO, sizeof h,
				      0 },
		.netns = c->eng->opts.netns };
	char why[sizeof c->why];

	(void)now;
	if (c->fd != -1) {
		lost(c, "does not answer");
		return;
	}
	if (path == NULL || !wanted(c->eng))
		return;
	c->fd =
	    socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	strlcpy(sun.sun_path, path, sizeof sun.sun_path);
	if (c->fd == -1 ||
	    connect(c->fd, (struct sockaddr *)&sun, sizeof sun) == -1 ||
	    !put(c, &h, sizeof h)) {
		snprintf(why, sizeof why, "cannot be reached at %.80s: %s",
		    path, strerror(errno));
		lost(c, why);
		return;
	}
	c->io = ev_io_new(c->eng->ev, c->fd, on_io, c);
	ev_io_want(c->io, true, false);
	timer_set(&c->eng->timers, &c->retry, c->eng->now_ms, READY_MS);
}

const char *
trackd_client_why(const struct trackd_client *c)
{
	return wanted(c->eng) && !c->ready ? c->why : "";
}

struct trackd_client *
trackd_client_new(struct engine *eng)
{
	struct trackd_client *c = mem_alloc(sizeof *c);

	c->eng = eng;
	c->fd = -1;
	timer_init(&c->retry, "TrackdTimer", on_retry, c);
	return c;
}

void
trackd_client_free(struct trackd_client *c)
{
	if (c == NULL)
		return;
	timer_stop(&c->eng->timers, &c->retry);
	ev_io_free(c->io);
	if (c->fd != -1)
		close(c->fd);
	free(c);
}
