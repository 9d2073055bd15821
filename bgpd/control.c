#include "bgpd/control.h"

#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "bgpd/commit.h"
#include "bgpd/engine.h"
#include "bgpd/log.h"
#include "bgpd/show.h"
#include "bgpd/show_cmd.h"
#include "lib/ctlproto.h"
#include "lib/mem.h"

enum {
	CLIENTS = 32, /* on one socket, unless configured */
	TX_HIGH = 64 * 1024, /* an answer waits when so much is not sent */
	ROWS = 256, /* of an answer, in one turn */
	PART = 32, /* of them, before what they are is queued */
	IDLE_MS = 60 * 1000, /* a client that neither asks nor reads */
};

#define ADMIN_GROUP "ana-bgpd-admin"

struct gate {
	int fd;
	char *path;
	bool read_only;
	unsigned int nclient, max;
	uint64_t nrefused, refused_minute;
	struct ev_io *io;
	struct control *ctl;
};

struct client {
	LIST_ENTRY(client) entry;
	struct control *ctl;
	struct gate *gate;
	int fd;
	uid_t uid;
	struct ev_io *io;
	struct timer idle;
	uint8_t in[CTL_REQUEST_MAX];
	size_t in_len;
	bool asked, answered;
	struct show show;
	uint8_t *tx;
	size_t tx_pos, tx_len, tx_cap;
};

struct control {
	struct engine *eng;
	struct gate *gate;
	size_t ngate;
	LIST_HEAD(, client) clients;
};

/* ---- clients ---------------------------------------------------------- */

static void
client_free(struct client *c)
{
	show_end(&c->show);
	out_free(c->show.out);
	if (c->show.file != -1)
		close(c->show.file);
	timer_stop(&c->ctl->eng->timers, &c->idle);
	ev_io_free(c->io);
	close(c->fd);
	LIST_REMOVE(c, entry);
	c->gate->nclient--;
	free(c->tx);
	free(c);
}

static void
on_idle(void *arg, uint64_t now)
{
	client_free(arg);
}

static void
frame(struct client *c, enum ctl_type type, const void *p, size_t n)
{
	uint8_t head[CTL_HEAD_LEN];

	/* A slow reader never has all: what it has makes room first. */
	if (c->tx_len + n + CTL_HEAD_LEN > c->tx_cap && c->tx_pos > 0) {
		c->tx_len -= c->tx_pos;
		memmove(c->tx, c->tx + c->tx_pos, c->tx_len);
		c->tx_pos = 0;
	}
	if (c->tx_len + n + CTL_HEAD_LEN > c->tx_cap) {
		c->tx_cap = c->tx_cap + c->tx_cap / 2 + n + CTL_HEAD_LEN;
		c->tx = mem_realloc(c->tx, c->tx_cap, 1);
	}
	ctl_frame_write(head, type, n);
	memcpy(c->tx + c->tx_len, head, CTL_HEAD_LEN);
	memcpy(c->tx + c->tx_len + CTL_HEAD_LEN, p, n);
	c->tx_len += n + CTL_HEAD_LEN;
}

/* Ends the answer: what `out` still has, an error's sentence, the code. */
static void
answer(struct client *c)
{
	uint8_t code = (uint8_t)c->show.code;
	const void *p;
	size_t n;

	if (c->show.out != NULL) {
		p = out_pending(c->show.out, &n);
		if (n > 0)
			frame(c, CTL_OUT, p, n);
		out_drained(c->show.out, n);
	}
	if (c->show.err[0] != '\0') {
		strlcat(c->show.err, "\n", sizeof c->show.err);
		frame(c, CTL_ERR, c->show.err, strlen(c->show.err));
	}
	frame(c, CTL_EXIT, &code, 1);
	c->answered = true;
}

/* ---- commands that do something --------------------------------------- */

static void
done(struct show *s, enum cmd_exit code, const char *text)
{
	s->code = code;
	if (out_is_json(s->out)) {
		out_obj(s->out, NULL);
		out_str(s->out, "status", code == CMD_DONE ? "OK" : "FAILED");
		if (code != CMD_DONE)
			out_str(s->out, "error", text);
		show_ana(s);
		out_end(s->out);
	} else if (code == CMD_DONE)
		out_text(s->out, "%s\n", text);
	else
		strlcpy(s->err, text, sizeof s->err);
}

static struct peer *
named_peer(struct show *s)
{
	struct peer *p = show_peer(s);
	char text[sizeof s->err];

	if (p == NULL) {
		strlcpy(text, s->err, sizeof text);
		done(s, s->code, text);
	}
	return p;
}

static void
do_clear(struct show *s)
{
	struct peer *p = named_peer(s);

	if (p == NULL)
		return;
	peer_clear(p, s->req.text, s->req.hard);
	done(s, CMD_DONE, "session cleared");
}

static void
do_down(struct show *s)
{
	struct peer *p = named_peer(s);

	if (p == NULL)
		return;
	p->admin_down = true;
	strlcpy(p->down_text, s->req.text != NULL ? s->req.text : "",
	    sizeof p->down_text);
	peer_stop(p, CEASE_SHUTDOWN, s->req.text, false);
	done(s, CMD_DONE, "session down until \"neighbor X up\" or a restart");
}

static void
do_up(struct show *s)
{
	struct peer *p = named_peer(s);

	if (p == NULL)
		return;
	p->admin_down = false;
	p->down_text[0] = '\0';
	p->idle_s = 0;
	timer_stop(&s->eng->timers, &p->idle_hold);
	peer_clear_limit(p, "an operator says \"up\"", true);
	peer_start(p);
	if (!p->conf->enabled)
		done(s, CMD_REFUSED,
		    "the configuration says \"enabled no\" for it");
	else if (drain_holds(s->eng))
		done(s, CMD_REFUSED,
		    "the maintenance ended all sessions; \"maintenance stop\" "
		    "brings this one back with the others");
	else
		done(s, CMD_DONE,
		    p->up != NULL ? "the session is up already"
				  : "session starting");
}

static void
do_refresh(struct show *s)
{
	struct peer *p = named_peer(s);
	bool both = !s->req.in && !s->req.out;

	if (p == NULL)
		return;
	if (p->up == NULL) {
		done(s, CMD_REFUSED, "the session is not established");
		return;
	}
	if ((both || s->req.in) && !peer_ask_refresh(p)) {
		done(s, CMD_REFUSED, "neighbor does not have this capability");
		return;
	}
	if (both || s->req.out)
		peer_send_again(p);
	done(s, CMD_DONE, "refresh under way");
}

static void
do_clear_limit(struct show *s)
{
	struct peer *p = named_peer(s);
	bool started;

	if (p == NULL)
		return;
	if (!p->limit.tripped && !p->limit.frozen) {
		done(s, CMD_REFUSED, "it is not held by a prefix limit");
		return;
	}
	started = p->limit.tripped;
	peer_clear_limit(p, "an operator says \"clear-limit\"", true);
	done(s, CMD_DONE,
	    started ? "hold ended, session starting"
		    : "hold ended, new prefixes come in up to the limit");
}

static void
drained(struct show *s, uint32_t time_s)
{
	char text[160];

	if (time_s == 0)
		strlcpy(text, "drained until \"undrain\"", sizeof text);
	else
		snprintf(text, sizeof text,
		    "drained; in %u s nothing is announced any more, until "
		    "\"undrain\"",
		    time_s);
	done(s, CMD_DONE, text);
}

static struct announce_net *
named_network(struct show *s)
{
	struct announce_net *n =
	    announce_find(s->eng->announce, &s->req.prefix);

	if (s->req.is_addr || n == NULL) {
		done(s, CMD_NOT_FOUND,
		    "that is none of our networks (show announcements lists "
		    "them)");
		return NULL;
	}
	return n;
}

static void
do_drain_prefix(struct show *s)
{
	const struct conf_drain *c = &s->eng->conf->drain;
	struct announce_net *n = named_network(s);
	struct announce_drain d = { .prepend = c->prepend,
		.med_set = c->med_set,
		.med = c->med,
		.reason = s->req.text,
		.who = s->who };
	uint32_t time_s = s->req.time_s;

	if (n == NULL)
		return;
	if (time_s == 0)
		time_s =
		    n->added || n->absent ? c->time_s : n->conf.drain_ms / 1000;
	d.time_ms = time_s == 0 ? UINT64_MAX : time_s * UINT64_C(1000);
	announce_drain(s->eng->announce, n, &d, s->eng->now_ms);
	engine_announce_run(s->eng);
	engine_announce_save(s->eng);
	drained(s, time_s);
}

static bool
undrain_network(struct engine *eng, struct announce_net *n)
{
	if (!n->draining)
		return false;
	announce_undrain(eng->announce, n);
	engine_announce_run(eng);
	engine_announce_save(eng);
	return true;
}

static void
do_undrain_prefix(struct show *s)
{
	struct announce_net *n = named_network(s);

	if (n == NULL)
		return;
	if (undrain_network(s->eng, n))
		done(s, CMD_DONE, "no longer drained");
	else
		done(s, CMD_REFUSED, "no operator drains it");
}

/* The time given, or the configured one; and what follows from it. */
static void
drain(struct show *s, struct peer *p)
{
	uint32_t time_s =
	    s->req.time_s != 0 ? s->req.time_s : s->eng->conf->drain.time_s;

	drain_start(s->eng, p, time_s, s->who, s->req.text);
	drained(s, time_s);
}

static void
do_drain_neighbor(struct show *s)
{
	struct peer *p = named_peer(s);

	if (p != NULL)
		drain(s, p);
}

static void
do_drain_all(struct show *s)
{
	drain(s, NULL);
}

/* What still drains it, or all; "" when nothing does. */
static const char *
still_drained(const struct engine *eng, const struct peer *p)
{
	if (maint_drains(&eng->maint.m))
		return "; the maintenance still drains all (maintenance stop)";
	if (p != NULL && eng->drain.since_s != 0)
		return "; all neighbors are still drained (undrain all)";
	return "";
}

static void
undrained(struct show *s, bool was, const struct peer *p)
{
	char text[160];

	snprintf(text, sizeof text, "%s%s",
	    was             ? "no longer drained"
		: p == NULL ? "nothing was drained"
			    : "it was not drained by itself",
	    still_drained(s->eng, p));
	done(s, was ? CMD_DONE : CMD_REFUSED, text);
}

static void
do_undrain_neighbor(struct show *s)
{
	struct peer *p = named_peer(s);

	if (p != NULL)
		undrained(s, drain_stop(s->eng, p, s->who), p);
}

static void
do_undrain_all(struct show *s)
{
	bool was = drain_stop(s->eng, NULL, s->who);
	struct peer *p;

	TAILQ_FOREACH (p, &s->eng->peers, entry)
		was |= drain_stop(s->eng, p, s->who);
	/* An absent one leaves the list. */
	for (size_t i = s->eng->announce->nnet; i-- > 0;)
		was |= undrain_network(s->eng, s->eng->announce->net[i]);
	undrained(s, was, NULL);
}

static void
do_maintenance_start(struct show *s)
{
	const struct cmd_req *r = &s->req;
	int64_t now = engine_real_s(s->eng),
		end = r->until_from_now ? now + r->until_s : r->until_s;
	char text[256], when[32], until[64] = "";

	if (r->has_until && end <= now) {
		snprintf(text, sizeof text, "until %s is past: it is %s here",
		    show_time(end, until, sizeof until),
		    show_time(now, when, sizeof when));
		done(s, CMD_REFUSED, text);
		return;
	}
	if (r->has_until && end - now > MAINT_LONGEST_S) {
		done(s, CMD_REFUSED,
		    "a maintenance ends within 30 days, or by \"maintenance "
		    "stop\" when nothing is said");
		return;
	}
	if (r->has_until)
		snprintf(until, sizeof until, " at %s or",
		    show_time(end, when, sizeof when));
	drain_maintenance_start(
	    s->eng, r->has_until ? end : 0, s->who, r->text);
	snprintf(text, sizeof text,
	    "maintenance: %s; it ends%s by \"maintenance stop\"",
	    maint_state_name(s->eng->maint.m.state), until);
	done(s, CMD_DONE, text);
}

static void
do_maintenance_stop(struct show *s)
{
	if (drain_maintenance_stop(s->eng, s->who))
		done(s, CMD_DONE,
		    "sessions and routes come back, then the drain ends");
	else
		done(s, CMD_REFUSED,
		    s->eng->maint.m.state == MAINT_UNDOING
			? "it is being undone already"
			: "there is no maintenance");
}

/* Keeps it; a persistent one that cannot be kept is said, and no success. */
static void
networks_done(struct show *s, const char *text)
{
	char all[512];

	if (engine_announce_save(s->eng) || !s->req.persistent) {
		done(s, CMD_DONE, text);
		return;
	}
	snprintf(all, sizeof all,
	    "%s; but the state directory cannot be written (the log says "
	    "why): until it can, which is tried every minute, a restart "
	    "forgets this",
	    text);
	done(s, CMD_REFUSED, all);
}

static void
do_announce(struct show *s)
{
	struct engine *eng = s->eng;
	const struct announce_net *n;
	char why[512], text[256];

	if (s->req.is_addr) {
		done(s, CMD_USAGE, "a prefix is wanted, with its length");
		return;
	}
	if (engine_announce_may(eng, &s->req.prefix, why, sizeof why) != NULL) {
		done(s, CMD_REFUSED, why);
		return;
	}
	n = announce_add(
	    eng->announce, &s->req.prefix, s->req.persistent, eng->now_ms);
	if (n == NULL) {
		snprintf(text, sizeof text,
		    "%d networks are announced by command already, or were "
		    "withdrawn and are not configured; configure some of them",
		    ANNOUNCE_ADDED_MAX);
		done(s, CMD_REFUSED, text);
		return;
	}
	engine_announce_run(eng);
	snprintf(text, sizeof text, "%s (%s), %s",
	    announce_state_name(n->state), announce_cause_name(n->cause),
	    !n->added           ? "as the configuration says"
		: n->persistent ? "over restarts too, until withdrawn"
				: "until withdrawn or a restart");
	networks_done(s, text);
}

static void
do_withdraw(struct show *s)
{
	struct engine *eng = s->eng;
	struct announce_net *n = named_network(s);
	bool added;

	if (n == NULL)
		return;
	added =
	    announce_withdraw(eng->announce, n, s->req.persistent, s->req.text);
	engine_announce_run(eng);
	networks_done(s,
	    added ? "withdrawn and forgotten: it was announced by command"
		: s->req.persistent
		? "withdrawn until \"network announce\", over restarts too"
		: "withdrawn until \"network announce\" or a restart");
}

/* A lease: the service itself says how it is. */
static void
lease(struct show *s, bool good, const char *why)
{
	struct engine *eng = s->eng;
	struct track *t = announce_track(eng->announce, s->req.set);
	char text[256];

	if (t == NULL || t->conf.lease_ms == 0) {
		snprintf(text, sizeof text,
		    t == NULL ? "no such track: %s (show announcements lists "
				"those in use)"
			      : "track %s has no lease: what it looks at says "
				"how it is",
		    s->req.set);
		done(s, t == NULL ? CMD_NOT_FOUND : CMD_REFUSED, text);
		return;
	}
	announce_result(eng->announce, t, good,
	    s->req.text != NULL ? s->req.text : why, eng->now_ms);
	engine_announce_run(eng);
	snprintf(text, sizeof text, "track %s is %s%s", t->conf.key,
	    track_state_name(t->state),
	    t->state == TRACK_UP ? ", refresh it in time" : "");
	done(s, CMD_DONE, text);
}

static void
do_track_up(struct show *s)
{
	lease(s, true, "its service says so");
}

static void
do_track_down(struct show *s)
{
	lease(s, false, "its service says so");
}

static void
do_track_refresh(struct show *s)
{
	const struct track *t = announce_track(s->eng->announce, s->req.set);

	if (t != NULL && t->conf.lease_ms != 0 && t->state != TRACK_UP)
		done(s, CMD_REFUSED,
		    "it is not up: the lease was not refreshed in time, or "
		    "there was none; say \"up\"");
	else
		lease(s, true, "refreshed by its service");
}

static void
do_decouple(struct show *s)
{
	engine_fib_decouple(s->eng, s->req.remove);
	done(s, CMD_DONE,
	    s->req.remove
		? "decoupled: our routes are removed from the kernel"
		: "decoupled: the kernel keeps the routes that it has now");
}

static void
do_couple(struct show *s)
{
	if (!s->eng->decoupled) {
		done(s, CMD_REFUSED, "it is not decoupled");
		return;
	}
	engine_fib_couple(s->eng);
	done(s, CMD_DONE, "coupled: the kernel's table is brought up to date");
}

static void
do_confirm(struct show *s)
{
	if (s->req.if_sessions || s->req.if_accepted)
		done(s, CMD_USAGE,
		    "a condition is judged at the end of a time: reload "
		    "confirm 120s if ...");
	else if (commit_confirm(s->eng))
		done(s, CMD_DONE, "confirmed");
	else
		done(s, CMD_REFUSED, "no reload waits to be confirmed");
}

static void
do_log_level(struct show *s)
{
	log_set_level((enum log_level)s->req.level);
	done(s, CMD_DONE, "log level set until the next reload");
}

static void
do_shutdown(struct show *s)
{
	engine_stop(s->eng,
	    s->req.text != NULL ? s->req.text : s->eng->conf->shutdown_reason,
	    true);
	done(s, CMD_DONE, "stopping: sessions ended, kernel routes removed");
}

static void (*const action[CMD_N])(struct show *) = {
	[CMD_NEIGHBOR_CLEAR] = do_clear,
	[CMD_NEIGHBOR_DOWN] = do_down,
	[CMD_NEIGHBOR_UP] = do_up,
	[CMD_NEIGHBOR_REFRESH] = do_refresh,
	[CMD_NEIGHBOR_CLEAR_LIMIT] = do_clear_limit,
	[CMD_NETWORK_ANNOUNCE] = do_announce,
	[CMD_NETWORK_WITHDRAW] = do_withdraw,
	[CMD_TRACK_UP] = do_track_up,
	[CMD_TRACK_REFRESH] = do_track_refresh,
	[CMD_TRACK_DOWN] = do_track_down,
	[CMD_DRAIN_PREFIX] = do_drain_prefix,
	[CMD_UNDRAIN_PREFIX] = do_undrain_prefix,
	[CMD_DRAIN_NEIGHBOR] = do_drain_neighbor,
	[CMD_DRAIN_ALL] = do_drain_all,
	[CMD_UNDRAIN_NEIGHBOR] = do_undrain_neighbor,
	[CMD_UNDRAIN_ALL] = do_undrain_all,
	[CMD_MAINTENANCE_START] = do_maintenance_start,
	[CMD_MAINTENANCE_STOP] = do_maintenance_stop,
	[CMD_FIB_COUPLE] = do_couple,
	[CMD_FIB_DECOUPLE] = do_decouple,
	[CMD_RELOAD_CONFIRM] = do_confirm,
	[CMD_LOG_LEVEL] = do_log_level,
	[CMD_SHUTDOWN] = do_shutdown,
};

/* ---- requests --------------------------------------------------------- */

static void
refuse(struct client *c, enum cmd_exit code, const char *text)
{
	c->show.code = code;
	strlcpy(c->show.err, text, sizeof c->show.err);
	if (c->show.out != NULL && out_is_json(c->show.out)) {
		out_obj(c->show.out, NULL);
		out_str(c->show.out, "status", "FAILED");
		out_str(c->show.out, "error", text);
		show_ana(&c->show);
		out_end(c->show.out);
	}
	answer(c);
}

/* Who asks to change what, as the words came. */
static void
log_admin(const struct client *c, const struct ctl_request *r)
{
	char all[512] = "", word[300];

	for (size_t i = 0; i < r->n; i++) {
		strlcat(all, " ", sizeof all);
		strlcat(
		    all, out_safe(r->word[i], word, sizeof word), sizeof all);
	}
	log_info("control: %s asked by uid %u:%s",
	    cmd_find(c->show.req.id)->path, c->uid, all);
}

static void
begin(struct client *c, const struct ctl_request *r)
{
	struct show *s = &c->show;
	char err[CMD_ERRLEN];
	bool good;

	good = cmd_parse(r->n, r->word, &s->req, err) == CMD_DONE;
	s->eng = c->ctl->eng;
	/* A watch and a trace write whole lines, also of JSON. */
	s->out = out_new(s->req.json && s->req.file == NULL &&
	    (!good || (s->req.id != CMD_WATCH && s->req.id != CMD_TRACE)));
	if (!good) {
		refuse(c, CMD_USAGE, err);
		return;
	}
	if (c->gate->read_only && cmd_find(s->req.id)->flags & CMD_ADMIN) {
		refuse(c, CMD_REFUSED,
		    "permission denied: this is the read-only socket");
		return;
	}
	if (cmd_find(s->req.id)->flags & CMD_ADMIN)
		log_admin(c, r);
	if (action[s->req.id] == NULL || show_slices(&s->req))
		return; /* control_run() writes it in slices */
	snprintf(s->who, sizeof s->who, "uid %u", c->uid);
	action[s->req.id](s);
	answer(c);
}

static void
asked(struct client *c)
{
	struct ctl_request r;
	enum ctl_verdict v = ctl_request_parse(c->in, c->in_len, &r);

	if (v == CTL_MORE)
		return;
	c->asked = true;
	if (v != CTL_OK)
		refuse(c, CMD_USAGE, ctl_verdict_text(v));
	else
		begin(c, &r);
}

/* Octets of the request, and at most one descriptor: the command's FILE. */
static ssize_t
receive(struct client *c)
{
	union {
		struct cmsghdr head;
		char buf[CMSG_SPACE(sizeof(int))];
	} u;
	struct iovec iov = { c->in + c->in_len, sizeof c->in - c->in_len };
	struct msghdr m = { .msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = u.buf,
		.msg_controllen = sizeof u.buf };
	ssize_t n = recvmsg(c->fd, &m, MSG_CMSG_CLOEXEC);
	struct cmsghdr *h = n >= 0 ? CMSG_FIRSTHDR(&m) : NULL;

	if (h != NULL && h->cmsg_level == SOL_SOCKET &&
	    h->cmsg_type == SCM_RIGHTS &&
	    h->cmsg_len == CMSG_LEN(sizeof(int))) {
		if (c->show.file != -1)
			close(c->show.file);
		memcpy(&c->show.file, CMSG_DATA(h), sizeof(int));
	}
	return n;
}

static void
on_client(void *arg, bool readable, bool writable)
{
	struct client *c = arg;
	struct engine *eng = c->ctl->eng;
	char junk[256];
	ssize_t n;

	timer_set(&eng->timers, &c->idle, eng->now_ms, IDLE_MS);
	if (readable && c->asked) {
		/* Nothing is to come any more but the end. */
		n = recv(c->fd, junk, sizeof junk, 0);
		if (n == 0 || (n == -1 && errno != EAGAIN)) {
			client_free(c);
			return;
		}
	} else if (readable) {
		n = receive(c);
		if (n == 0 || (n == -1 && errno != EAGAIN)) {
			client_free(c);
			return;
		}
		if (n > 0) {
			c->in_len += (size_t)n;
			asked(c);
		}
	}
	if (writable && c->tx_pos < c->tx_len) {
		n = send(c->fd, c->tx + c->tx_pos, c->tx_len - c->tx_pos,
		    MSG_NOSIGNAL);
		if (n == -1 && errno != EAGAIN) {
			client_free(c);
			return;
		}
		c->tx_pos += n > 0 ? (size_t)n : 0;
	}
	if (c->tx_pos == c->tx_len) {
		c->tx_pos = c->tx_len = 0;
		if (c->answered) {
			client_free(c);
			return;
		}
	}
	ev_io_want(c->io, !c->asked || c->show.waiting, c->tx_len > 0);
}

/* What the answer has so far, in frames. */
static void
queue(struct client *c)
{
	size_t n;
	const void *p = out_pending(c->show.out, &n);

	while (n > 0) {
		size_t part = n < CTL_PAYLOAD_GOOD ? n : CTL_PAYLOAD_GOOD;

		frame(c, CTL_OUT, p, part);
		out_drained(c->show.out, part);
		p = out_pending(c->show.out, &n);
	}
}

/* One slice of an answer; true: it could go on at once. */
static bool
run_client(struct client *c)
{
	/* A section of a ticket's text costs more than a row. */
	int rows = c->show.req.id == CMD_SHOW_SUPPORT ? PART : ROWS;
	bool more = true;

	if (!c->asked || c->answered || c->tx_len - c->tx_pos > TX_HIGH)
		return false;
	c->show.waiting = false;
	for (; rows > 0 && more && !c->show.waiting &&
	     c->tx_len - c->tx_pos <= TX_HIGH;
	     rows -= PART) {
		more = show_run(&c->show, PART);
		queue(c);
	}
	if (!more)
		answer(c);
	/* One that waits for events is not idle, and may go away. */
	if (c->show.waiting && c->tx_len == 0)
		timer_stop(&c->ctl->eng->timers, &c->idle);
	else if (!c->idle.armed)
		timer_set(&c->ctl->eng->timers, &c->idle, c->ctl->eng->now_ms,
		    IDLE_MS);
	ev_io_want(c->io, c->show.waiting, c->tx_len > 0);
	return more && !c->show.waiting && c->tx_len - c->tx_pos <= TX_HIGH;
}

bool
control_run(struct control *ctl)
{
	struct client *c;
	bool more = false;

	LIST_FOREACH (c, &ctl->clients, entry)
		more |= run_client(c);
	return more;
}

bool
control_socket(const struct control *ctl, size_t i, const char **path,
    unsigned int *clients, uint64_t *refused)
{
	if (ctl == NULL || i >= ctl->ngate)
		return false;
	*path = ctl->gate[i].path;
	*clients = ctl->gate[i].nclient;
	*refused = ctl->gate[i].nrefused;
	return true;
}

bool
control_busy(const struct control *ctl)
{
	const struct client *c;

	if (ctl == NULL)
		return false;
	LIST_FOREACH (c, &ctl->clients, entry)
		if (c->tx_pos < c->tx_len)
			return true;
	return false;
}

void
control_forget_peer(struct control *ctl, uint16_t peer)
{
	struct client *c;

	if (ctl == NULL)
		return;
	LIST_FOREACH (c, &ctl->clients, entry)
		show_forget_peer(&c->show, peer);
}

/* ---- sockets ---------------------------------------------------------- */

/*
 * Says so, as far as that goes without waiting, and in the log once a minute.
 */
static void
too_many(struct gate *g, int fd)
{
	uint8_t buf[256];
	char text[160];
	int n = snprintf(text, sizeof text,
	    "%u clients are asking already; try again (control { socket { "
	    "max-clients } })\n",
	    g->max);
	uint64_t minute = g->ctl->eng->now_ms / 60000 + 1;

	ctl_frame_write(buf, CTL_ERR, (size_t)n);
	memcpy(buf + CTL_HEAD_LEN, text, (size_t)n);
	ctl_frame_write(buf + CTL_HEAD_LEN + n, CTL_EXIT, 1);
	buf[2 * CTL_HEAD_LEN + n] = CMD_UNREACHABLE;
	send(fd, buf, 2 * CTL_HEAD_LEN + (size_t)n + 1, MSG_NOSIGNAL);
	close(fd);
	g->nrefused++;
	if (g->refused_minute == minute)
		return;
	g->refused_minute = minute;
	log_warnx("control socket %s: %u clients are the most, %llu refused "
		  "since the start",
	    g->path, g->max, (unsigned long long)g->nrefused);
}

static void
on_gate(void *arg, bool r, bool w)
{
	struct gate *g = arg;
	struct control *ctl = g->ctl;
	struct ucred cred = { .uid = (uid_t)-1 };
	socklen_t n = sizeof cred;
	struct client *c;
	int fd = accept4(g->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd == -1)
		return;
	if (g->nclient == g->max) {
		too_many(g, fd);
		return;
	}
	getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &n);
	c = mem_alloc(sizeof *c);
	c->ctl = ctl;
	c->fd = fd;
	c->gate = g;
	c->uid = cred.uid;
	c->show.file = -1;
	timer_init(&c->idle, "control", on_idle, c);
	timer_set(&ctl->eng->timers, &c->idle, ctl->eng->now_ms, IDLE_MS);
	c->io = ev_io_new(ctl->eng->ev, fd, on_client, c);
	ev_io_want(c->io, true, false);
	LIST_INSERT_HEAD(&ctl->clients, c, entry);
	g->nclient++;
}

static bool
gate_fail(const char *path, const char *what, char *why, size_t n)
{
	snprintf(
	    why, n, "control socket %s: %s: %s", path, what, strerror(errno));
	return false;
}

/*
 * What is left of a speaker that was killed goes; the socket of one that
 * lives stays with it, or nobody could ask it any more.
 */
static bool
gate_clear(int fd, const struct sockaddr_un *sun, char *why, size_t n)
{
	const char *path = sun->sun_path;
	struct stat st;

	if (lstat(path, &st) == -1)
		return true;
	if (!S_ISSOCK(st.st_mode)) {
		snprintf(why, n,
		    "control socket %s: a file that is no socket is there; "
		    "remove it, or name another in control { socket }",
		    path);
		return false;
	}
	if (connect(fd, (const struct sockaddr *)sun, sizeof *sun) == 0 ||
	    errno == EAGAIN) {
		snprintf(why, n,
		    "control socket %s: another ana-bgpd answers there; stop "
		    "that one first, or name other directories with -R and -S",
		    path);
		return false;
	}
	if (unlink(path) == -1)
		return gate_fail(path, "cannot be removed", why, n);
	return true;
}

static bool
gate_open(struct control *ctl, const struct conf_socket *s, char *why, size_t n)
{
	struct gate *g = &ctl->gate[ctl->ngate];
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	struct group *gr;

	if (strlcpy(sun.sun_path, s->path, sizeof sun.sun_path) >=
	    sizeof sun.sun_path) {
		errno = ENAMETOOLONG;
		return gate_fail(s->path, "cannot be used", why, n);
	}
	g->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (g->fd == -1)
		return gate_fail(s->path, "cannot be made", why, n);
	ctl->ngate++;
	if (!gate_clear(g->fd, &sun, why, n))
		return false;
	if (bind(g->fd, (struct sockaddr *)&sun, sizeof sun) == -1)
		return gate_fail(s->path, "cannot be made", why, n);
	g->path = mem_strdup(s->path);
	if (s->group != NULL) {
		gr = getgrnam(s->group);
		if (gr == NULL || chown(s->path, (uid_t)-1, gr->gr_gid) == -1)
			log_warnx("control socket %s: group %s %s, only its "
				  "owner can use it",
			    s->path, s->group,
			    gr == NULL ? "does not exist" : "could not be set");
	}
	if (chmod(s->path, s->mode) == -1)
		return gate_fail(s->path, "mode", why, n);
	if (listen(g->fd, 64) == -1)
		return gate_fail(s->path, "cannot listen", why, n);
	g->ctl = ctl;
	g->read_only = s->read_only;
	g->max = s->max_clients > 0 ? s->max_clients : CLIENTS;
	g->io = ev_io_new(ctl->eng->ev, g->fd, on_gate, g);
	ev_io_want(g->io, true, false);
	return true;
}

struct control *
control_new(struct engine *eng, char *why, size_t n)
{
	const struct conf *conf = eng->conf;
	struct control *ctl = mem_alloc(sizeof *ctl);
	struct conf_socket builtin[2] = { { .mode = 0660 },
		{ .mode = 0666, .read_only = true, .max_clients = 16 } };
	char admin[] = ADMIN_GROUP;
	const struct conf_socket *s = conf->sock;
	size_t ns = conf->nsock;
	bool good = true;

	ctl->eng = eng;
	LIST_INIT(&ctl->clients);
	builtin[0].path = mem_printf("%s/control.sock", eng->opts.run_dir);
	builtin[1].path = mem_printf("%s/restricted.sock", eng->opts.run_dir);
	if (ns == 0) {
		/* Only a system that knows the group gets it. */
		if (getgrnam(ADMIN_GROUP) != NULL)
			builtin[0].group = admin;
		s = builtin;
		ns = 2;
	}
	ctl->gate = mem_alloc(ns * sizeof *ctl->gate);
	for (size_t i = 0; good && i < ns; i++)
		good = gate_open(ctl, &s[i], why, n);
	free(builtin[0].path);
	free(builtin[1].path);
	if (good)
		return ctl;
	control_free(ctl);
	return NULL;
}

void
control_free(struct control *ctl)
{
	if (ctl == NULL)
		return;
	while (!LIST_EMPTY(&ctl->clients))
		client_free(LIST_FIRST(&ctl->clients));
	for (size_t i = 0; i < ctl->ngate; i++) {
		ev_io_free(ctl->gate[i].io);
		close(ctl->gate[i].fd);
		if (ctl->gate[i].path != NULL)
			unlink(ctl->gate[i].path);
		free(ctl->gate[i].path);
	}
	free(ctl->gate);
	free(ctl);
}
