/*
 * trackd.c -- ana-trackd: one loop over the socket of its one speaker, the
 * probes and the children.
 */
#include "platform/trackd/trackd.h"

#include <errno.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <event2/event.h>

#include "platform/notify.h"
#include "platform/trackd/trackd_check.h"

/* ---- the speaker ------------------------------------------------------- */

static void
speaker_gone(struct trackd *d)
{
	struct probe *p;

	event_free(d->speaker);
	d->speaker = NULL;
	close(d->fd);
	d->fd = -1;
	d->hello = false;
	while ((p = LIST_FIRST(&d->probes)) != NULL)
		probe_free(p);
}

void
trackd_tell(struct probe *p, bool good, const char *text)
{
	struct trackd_result r = { .h = { TRACKD_VERSION, TRACKD_RESULT,
				       sizeof r, p->set.h.id },
		.good = good };

	strlcpy(r.text, text, sizeof r.text);
	/* One that is full loses a result: the next one says it again. */
	(void)send(p->d->fd, &r, sizeof r, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void
answer(int fd, int err, const char *text)
{
	struct trackd_ready r = {
		.h = { TRACKD_VERSION, TRACKD_READY, sizeof r, 0 }, .err = err
	};

	strlcpy(r.text, text, sizeof r.text);
	(void)send(fd, &r, sizeof r, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static const char *
on_hello(struct trackd *d, const struct trackd_hello *h)
{
	if (d->hello)
		return "a second HELLO";
	if (h->netns != 0 && d->netns != 0 && h->netns != d->netns)
		return "the speaker is in another network namespace";
	d->hello = true;
	answer(d->fd, 0, "");
	return NULL;
}

static const char *
on_set(struct trackd *d, const struct trackd_set *s)
{
	struct probe *p;

	LIST_FOREACH (p, &d->probes, entry)
		if (p->set.h.id == s->h.id)
			break;
	if (p != NULL && memcmp(&p->set, s, sizeof *s) == 0) {
		p->listed = true;
		return NULL;
	}
	if (p != NULL)
		probe_free(p);
	if (d->nprobe == TRACKD_TRACKS)
		return "too many tracks";
	probe_new(d, s)->listed = true;
	return NULL;
}

static void
on_end(struct trackd *d)
{
	struct probe *p, *next;

	for (p = LIST_FIRST(&d->probes); p != NULL; p = next) {
		next = LIST_NEXT(p, entry);
		if (!p->listed)
			probe_free(p);
		else
			p->listed = false;
	}
}

static const char *
on_record(struct trackd *d, const void *rec, size_t len)
{
	union {
		struct trackd_hdr h;
		struct trackd_hello hello;
		struct trackd_set set;
	} r;
	const char *why = trackd_check(rec, len);

	if (why != NULL)
		return why;
	memcpy(&r, rec, len);
	if (r.h.type == TRACKD_HELLO)
		return on_hello(d, &r.hello);
	if (!d->hello)
		return "no HELLO came first";
	if (r.h.type == TRACKD_SET)
		return on_set(d, &r.set);
	on_end(d);
	return NULL;
}

static void
on_speaker(evutil_socket_t fd, short what, void *arg)
{
	uint8_t rec[TRACKD_REC_MAX + 1];
	struct trackd *d = arg;
	const char *why;
	ssize_t n;

	(void)what;
	n = recv(fd, rec, sizeof rec, MSG_DONTWAIT);
	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		helper_log("the speaker is gone, its probes end");
		speaker_gone(d);
		return;
	}
	if ((why = on_record(d, rec, (size_t)n)) == NULL)
		return;
	helper_log("the speaker sent %s; closed", why);
	answer(d->fd, EPROTO, why);
	speaker_gone(d);
}

static void
on_accept(evutil_socket_t fd, short what, void *arg)
{
	struct ucred who = { .uid = (uid_t)-1 };
	socklen_t len = sizeof who;
	struct trackd *d = arg;
	char text[TRACKD_TEXT];
	int new = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	(void)what;
	if (new == -1)
		return;
	if (getsockopt(new, SOL_SOCKET, SO_PEERCRED, &who, &len) == -1 ||
	    who.uid != d->speaker_uid)
		snprintf(text, sizeof text, "user %u is not the speaker's (-u)",
		    who.uid);
	else if (d->fd != -1)
		snprintf(text, sizeof text, "another speaker is connected");
	else {
		d->fd = new;
		d->speaker = event_new(
		    d->base, new, EV_READ | EV_PERSIST, on_speaker, d);
		event_add(d->speaker, NULL);
		return;
	}
	helper_log("refused: %s", text);
	answer(new, EPERM, text);
	close(new);
}

/* ---- start ------------------------------------------------------------- */

static void __attribute__((noreturn)) usage(void)
{
	fprintf(stderr,
	    "usage: ana-trackd [-V] [-c children] [-p directory] [-s path] "
	    "[-U user] [-u user]\n");
	exit(2);
}

static void
args(int argc, char **argv, struct trackd_options *o)
{
	const char *why;
	int c;

	while ((c = getopt(argc, argv, "U:Vc:p:s:u:")) != -1) {
		if (c == 'U')
			o->own = optarg;
		else if (c == 'c') {
			o->children =
			    (unsigned int)strtonum(optarg, 1, 256, &why);
			if (why != NULL)
				helper_die("-c %s: a number from 1 to 256 is "
					   "wanted",
				    optarg);
		} else if (c == 'p')
			o->programs = optarg;
		else if (c == 's')
			o->path = optarg;
		else if (c == 'u')
			o->user = optarg;
		else if (c == 'V') {
			printf("ana-trackd %s, records of version %d\n",
			    ANA_VERSION, TRACKD_VERSION);
			exit(0);
		} else
			usage();
	}
	if (optind != argc)
		usage();
}

static void
on_signal(evutil_socket_t sig, short what, void *arg)
{
	struct trackd *d = arg;

	(void)what;
	if (sig == SIGCHLD)
		probe_reap(d);
	else
		event_base_loopbreak(d->base);
}

static void
loop(struct trackd *d)
{
	static const int signals[] = { SIGCHLD, SIGTERM, SIGINT };
	struct event *e[3];

	if ((d->base = event_base_new()) == NULL)
		helper_die("the system offers no way to wait for descriptors");
	d->accept = event_new(
	    d->base, d->listen_fd, EV_READ | EV_PERSIST, on_accept, d);
	event_add(d->accept, NULL);
	for (int i = 0; i < 3; i++) {
		e[i] = evsignal_new(d->base, signals[i], on_signal, d);
		event_add(e[i], NULL);
	}
	signal(SIGPIPE, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	helper_log("ready, programs of %s", d->opt.programs);
	(void)notify("READY=1");
	event_base_dispatch(d->base);
	if (d->fd != -1)
		speaker_gone(d);
	for (int i = 0; i < 3; i++)
		event_free(e[i]);
	event_free(d->accept);
	event_base_free(d->base);
	close(d->listen_fd);
}

int
main(int argc, char **argv)
{
	static struct trackd d = { .listen_fd = -1,
		.fd = -1,
		.opt = { .path = "/run/ana-trackd/trackd.sock",
		    .user = "_ana-bgpd",
		    .own = "_ana-trackd",
		    .programs = "/etc/ana-bgpd/tracks",
		    .children = 16 } };
	struct rlimit files;
	struct stat st;

	args(argc, argv, &d.opt);
	/* A connection for each track, if it must be. */
	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
	d.speaker_uid = helper_speaker(d.opt.user)->pw_uid;
	if (stat("/proc/self/ns/net", &st) == 0)
		d.netns = st.st_ino;
	LIST_INIT(&d.probes);
	/* Anybody may connect, and hear a refusal: who is served is told by
	 * the kernel.  So programs need not be of the speaker's group. */
	d.listen_fd = helper_listen(d.opt.path, 0111);
	notify_open();
	trackd_confine(&d);
	loop(&d);
	return 0;
}
