/*
 * fibd.c -- ana-fibd: the one privileged program.  It holds the kernel routes
 * that are ours, binds the BGP port, and does nothing that its arguments do
 * not permit, whatever the speaker asks (structure.md 2.3).
 *
 * One loop over three descriptors; the kernel's news come first, then the
 * speaker's requests in bounds, then a slice of what is left to do.
 */
#include "platform/fibd/fibd.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <malloc.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "platform/notify.h"

enum {
	KEEP_S = 180, /* before any HELLO */
	RETRY_MS = 1000,
	COUNT_MS = 2000, /* between two looks at the links' counters */
	ADOPT_AT_ONCE = 20000, /* routes; nearly always that is all */
	TELL_MS = 5000, /* the service manager, and as often as it wants it */
};

static volatile sig_atomic_t stop;

uint64_t
fibd_now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

static void
on_signal(int sig)
{
	(void)sig;
	stop = 1;
}

/* The regular course: in a lab the speaker's own log tells it. */
#define news(d, ...) \
	do { \
		if ((d)->opt.fd < 0) \
			helper_log(__VA_ARGS__); \
	} while (0)

/* ---- news of the kernel --------------------------------------------- */

static void
on_link(void *arg, const struct nlwatch_link *l)
{
	struct fibd *d = arg;

	d->look = true;
	/* With it go IPv4 routes without a word; and without a trace, if it is
	 * up again before we look.  Objects are looked at in any case. */
	if (!l->up && d->table != NULL && !table_has_objects(d->table))
		d->resync = true;
	speaker_link(d->speaker, l);
}

static void
on_traffic(void *arg, const struct nlwatch_traffic *t)
{
	struct fibd *d = arg;

	speaker_traffic(d->speaker, t);
}

static void
on_addr(void *arg, const struct nlwatch_addr *a, bool added)
{
	struct fibd *d = arg;

	/* With an address the kernel drops routes, not always with a word. */
	d->look = true;
	d->resync = d->resync || !added;
	speaker_addr(d->speaker, a, added);
}

static void
on_route(void *arg, const struct nlroute_route *r, bool deleted)
{
	struct fibd *d = arg;

	d->renew = d->renew || r->protocol != d->fences.protocol;
	if (d->table != NULL)
		table_on_route(d->table, r, deleted);
}

static void
on_object(void *arg)
{
	struct fibd *d = arg;

	d->look = true;
}

/* Events were lost: our knowledge is void. */
static void
on_overrun(void *arg)
{
	struct fibd *d = arg;

	d->resync = d->lost = true;
}

static const struct nlwatch_events watch_events = {
	.link = on_link,
	.traffic = on_traffic,
	.addr = on_addr,
	.route = on_route,
	.object = on_object,
	.overrun = on_overrun,
};

static void
table_failed(void *arg, uint32_t seq, int err, const char *text)
{
	struct fibd *d = arg;

	speaker_failed(d->speaker, seq, err, text);
}

static void
table_state(void *arg, const struct pfx *p, uint8_t what)
{
	struct fibd *d = arg;

	speaker_state(d->speaker, p, what);
}

static void
table_swept(void *arg, enum fam fam, bool flushed, uint32_t removed)
{
	struct fibd *d = arg;

	helper_log("%s: %u routes %s", fam_name(fam), removed,
	    flushed ? "removed" : "swept");
	speaker_swept(d->speaker, fam, flushed, removed);
}

static void
table_overrun(void *arg)
{
	struct fibd *d = arg;

	helper_log("an answer of the kernel was lost; looked again");
	speaker_overrun(d->speaker);
}

static const struct table_events table_events = {
	.failed = table_failed,
	.state = table_state,
	.swept = table_swept,
	.overrun = table_overrun,
};

/* ---- the speaker comes and goes ------------------------------------- */

void
fibd_hello(struct fibd *d, const struct fibd_hello *h)
{
	table_hello(d->table, h);
	d->keep_s = h->keep_s;
	d->keep_until_ms = fibd_now_ms() + (uint64_t)h->keep_s * 1000;
	d->reconcile_s = h->reconcile_s;
	d->reconcile_at_ms = h->reconcile_s == 0
	    ? 0
	    : fibd_now_ms() + (uint64_t)h->reconcile_s * 1000;
	d->count_at_ms = fibd_now_ms();
	news(d,
	    "speaker: hello, table %u, metric %u, keep %u s; %u IPv4 and "
	    "%u IPv6 routes are there",
	    h->table, h->metric, h->keep_s, table_count(d->table, FAM_INET),
	    table_count(d->table, FAM_INET6));
}

static void
speaker_left(struct fibd *d)
{
	speaker_free(d->speaker);
	d->speaker = NULL;
	table_hello(d->table, NULL);
	d->keep_until_ms = fibd_now_ms() + (uint64_t)d->keep_s * 1000;
	news(d, "speaker: gone; %u IPv4 and %u IPv6 routes stay for %u s",
	    table_count(d->table, FAM_INET), table_count(d->table, FAM_INET6),
	    d->keep_s);
	if (d->opt.fd >= 0)
		stop = 1; /* we were its own */
}

static void
accept_speaker(struct fibd *d)
{
	int fd =
	    accept4(d->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct ucred who = { 0 };
	socklen_t len = sizeof who;
	char text[FIBD_TEXT];

	if (fd < 0)
		return;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &len) < 0 ||
	    who.uid != d->speaker_uid) {
		snprintf(text, sizeof text, "user %u is not the speaker's (-u)",
		    who.uid);
		helper_log("refused: %s", text);
		speaker_refuse(fd, EPERM, text);
	} else if (d->speaker != NULL) {
		helper_log("refused: a second speaker, process %d", who.pid);
		speaker_refuse(fd, EBUSY, "another speaker is connected");
	} else
		d->speaker = speaker_new(d, fd);
}

/* ---- the service manager --------------------------------------------- */

/*
 * A step of the loop: one that does not come round is not told of.  READY=1
 * each time makes good one that the manager was too busy to take.
 */
static void
tell(struct fibd *d, uint64_t now)
{
	static char said[256];
	char lines[sizeof said];
	uint32_t every = notify_watchdog_ms();

	snprintf(lines, sizeof lines,
	    "READY=1\nSTATUS=%u IPv4 and %u IPv6 routes, %s",
	    table_count(d->table, FAM_INET), table_count(d->table, FAM_INET6),
	    d->speaker != NULL ? "the speaker is connected"
			       : "no speaker is connected");
	if (strcmp(lines, said) != 0 && notify(lines))
		strlcpy(said, lines, sizeof said);
	if (every != 0)
		notify("WATCHDOG=1");
	d->tell_at_ms = now + (every != 0 && every < TELL_MS ? every : TELL_MS);
}

/* ---- the loop ------------------------------------------------------- */

static uint64_t
earliest(uint64_t a, uint64_t b)
{
	return a == 0 ? b : b == 0 || a < b ? a : b;
}

static int
wait_ms(const struct fibd *d, bool busy)
{
	uint64_t due = earliest(earliest(d->keep_until_ms, d->reconcile_at_ms),
	    earliest(d->tell_at_ms, table_due_ms(d->table)));
	uint64_t now = fibd_now_ms();

	if (d->speaker != NULL)
		due = earliest(due, d->count_at_ms);
	if (busy)
		return 0;
	if (d->resync)
		return RETRY_MS;
	if (due == 0)
		return -1;
	return due <= now ? 0
			  : (int)(due - now > 3600000 ? 3600000 : due - now);
}

/* What we use ourselves: the speaker may look at no process but its own. */
static void
tell_usage(struct fibd *d)
{
	struct fibd_usage u = { .start_s = (uint64_t)d->start_s };
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	unsigned long long size, resident;
	char text[128];
	ssize_t n = pread(d->statm_fd, text, sizeof text - 1, 0);
	struct timespec cpu;

	text[n > 0 ? n : 0] = '\0';
	if (sscanf(text, "%llu %llu", &size, &resident) == 2) {
		u.virtual = size * page;
		u.resident = resident * page;
	}
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu);
	u.cpu_us =
	    (uint64_t)cpu.tv_sec * 1000000 + (uint64_t)cpu.tv_nsec / 1000;
	speaker_usage(d->speaker, &u);
}

static void
timers(struct fibd *d)
{
	uint64_t now = fibd_now_ms();

	if (d->keep_until_ms != 0 && d->keep_until_ms <= now) {
		d->keep_until_ms = 0;
		table_sweep(d->table, FAM_INET, false, false);
		table_sweep(d->table, FAM_INET6, false, false);
	}
	if (d->reconcile_at_ms != 0 && d->reconcile_at_ms <= now) {
		d->reconcile_at_ms = now + (uint64_t)d->reconcile_s * 1000;
		table_resync(d->table, false);
	}
	if (d->speaker != NULL && d->count_at_ms <= now) {
		d->count_at_ms = now + COUNT_MS;
		table_flush(d->table); /* the socket is used */
		nlwatch_count(d->watch);
		tell_usage(d);
	}
	if (d->tell_at_ms != 0 && d->tell_at_ms <= now)
		tell(d, now);
}

/* What the news of the kernel mean for sets and next hops. */
static void
look(struct fibd *d)
{
	bool lost = d->lost, resync = d->resync;

	table_flush(d->table); /* before the socket is used for a dump */
	d->lost = d->resync = false;
	if (lost && nlwatch_scan(d->watch) != 0)
		d->lost = d->resync = true; /* once more, a moment later */
	/* Sets and next hops first: they are few, and they are what a link
	 * takes along. */
	table_verify(d->table);
	d->look = false;
	speaker_look(d->speaker);
	if (resync)
		table_resync(d->table, lost);
	if (lost) {
		helper_log("events of the kernel were lost; looked again");
		speaker_overrun(d->speaker);
	}
}

static void
serve(struct fibd *d, short revents)
{
	bool good = true;

	if ((revents & (POLLIN | POLLHUP | POLLERR)) != 0 &&
	    speaker_wants_read(d->speaker))
		good = speaker_readable(d->speaker);
	if (good && speaker_wants_write(d->speaker))
		good = speaker_writable(d->speaker);
	/* What one that has gone still asked for while routes are adopted: its
	 * successor asks again, and would have to wait for it. */
	if (!good || (revents & POLLERR) != 0 ||
	    ((revents & POLLHUP) != 0 && !speaker_wants_read(d->speaker)))
		speaker_left(d);
}

static void
say_adopted(struct fibd *d)
{
	d->adopting = false;
	news(d, "%u IPv4 and %u IPv6 routes adopted, that was all",
	    table_count(d->table, FAM_INET), table_count(d->table, FAM_INET6));
}

static bool
turn(struct fibd *d, const sigset_t *mask, bool busy)
{
	struct pollfd p[3] = {
		{ .fd = nlwatch_fd(d->watch), .events = POLLIN },
		{ .fd = d->listen_fd, .events = POLLIN },
		{ .fd = -1 },
	};
	bool reads = d->speaker != NULL && speaker_wants_read(d->speaker);
	bool held = reads && speaker_holds(d->speaker), more = false;
	int ms = wait_ms(d, busy || held);
	struct timespec ts = { ms / 1000, ms % 1000 * 1000000L };

	if (d->speaker != NULL) {
		p[2].fd = speaker_fd(d->speaker);
		p[2].events = (short)((reads ? POLLIN : 0) |
		    (speaker_wants_write(d->speaker) ? POLLOUT : 0));
	}
	if (ppoll(p, 3, ms < 0 ? NULL : &ts, mask) < 0)
		return busy;
	if (held)
		p[2].revents |= POLLIN;
	if (p[0].revents != 0)
		more = nlwatch_read(d->watch);
	if (d->look || d->resync)
		look(d);
	else if (d->renew && speaker_recurses(d->speaker))
		speaker_look(d->speaker);
	d->renew = false;
	if (d->speaker != NULL && p[2].revents != 0)
		serve(d, p[2].revents);
	if (p[1].revents != 0)
		accept_speaker(d);
	timers(d);
	more = table_work(d->table, fibd_now_ms()) || more;
	if (d->adopting && !table_adopting(d->table))
		say_adopted(d);
	return more;
}

static void
loop(struct fibd *d)
{
	struct sigaction sa = { .sa_handler = on_signal };
	sigset_t blocked, mask;
	bool busy = true;

	sigemptyset(&blocked);
	sigaddset(&blocked, SIGTERM);
	sigaddset(&blocked, SIGINT);
	sigprocmask(SIG_BLOCK, &blocked, &mask);
	sigdelset(&mask, SIGTERM);
	sigdelset(&mask, SIGINT);
	sigaction(SIGTERM, &sa, NULL);
	sigaction(SIGINT, &sa, NULL);
	sa.sa_handler = SIG_IGN;
	sigaction(SIGPIPE, &sa, NULL);
	sigaction(SIGHUP, &sa, NULL);
	while (!stop)
		busy = turn(d, &mask, busy);
}

/* ---- start ---------------------------------------------------------- */

static void
listen_path(struct fibd *d)
{
	const struct passwd *pw = helper_speaker(d->opt.user);
	const char *path = d->opt.path;

	d->speaker_uid = pw->pw_uid;
	d->listen_fd = helper_listen(path, 0117);
	/* Elsewhere the unit's Group= does it. */
	if (geteuid() == 0 && chown(path, (uid_t)-1, pw->pw_gid) < 0)
		helper_die("%s cannot be given to group %u: %s", path,
		    pw->pw_gid, strerror(errno));
}

static void
use_fd(struct fibd *d)
{
	int type = 0;
	socklen_t len = sizeof type;

	if (getsockopt(d->opt.fd, SOL_SOCKET, SO_TYPE, &type, &len) < 0 ||
	    type != SOCK_SEQPACKET)
		helper_die("descriptor %d (-i) is no connection with a speaker",
		    d->opt.fd);
	fcntl(d->opt.fd, F_SETFD, FD_CLOEXEC);
	d->speaker = speaker_new(d, d->opt.fd);
}

static void
open_kernel(struct fibd *d)
{
	struct stat st;
	int err;

	if (stat("/proc/self/ns/net", &st) < 0)
		helper_die(
		    "/proc is not there: which network namespace this is "
		    "cannot be told");
	d->fences.netns = st.st_ino;
	err = nlroute_open(&d->nl, d->opt.rcvbuf);
	if (err == 0)
		err = nlwatch_open(
		    &d->watch, d->nl, d->opt.rcvbuf, &watch_events, d);
	if (err != 0)
		helper_die("the kernel's routing socket cannot be used: %s",
		    strerror(-err));
	d->table = table_new(d->nl, d->watch, &d->fences, &table_events, d);
	if (d->opt.plain)
		table_plain(d->table);
	err = table_adopt(d->table, ADOPT_AT_ONCE);
	if (err != 0)
		helper_die(
		    "the kernel's routes cannot be read: %s", strerror(-err));
	d->adopting = table_adopting(d->table);
}

/*
 * With the default of this setting the kernel sends a notification for each
 * route of a set that changes: 0.75 s for a million, instead of nothing.
 * Where /proc/sys is hidden from us nothing is said.
 */
static void
say_compat_mode(const struct fibd *d)
{
	int fd = open(
	    "/proc/sys/net/ipv4/nexthop_compat_mode", O_RDONLY | O_CLOEXEC);
	char c = '0';

	if (fd < 0)
		return;
	if (read(fd, &c, 1) == 1 && c == '1' && table_has_objects(d->table))
		news(d,
		    "net.ipv4.nexthop_compat_mode is 1: a change of next hops "
		    "takes a moment for each route; 0 is better for a full "
		    "table");
	close(fd);
}

/* -X: all that carries our number goes. */
static int
remove_all(struct fibd *d)
{
	uint32_t n;

	while (table_adopting(d->table) && table_work(d->table, fibd_now_ms()))
		continue;
	n = table_count(d->table, FAM_INET) + table_count(d->table, FAM_INET6);
	table_hello(d->table, NULL);
	table_sweep(d->table, FAM_INET, true, false);
	table_sweep(d->table, FAM_INET6, true, false);
	while (table_work(d->table, fibd_now_ms()))
		continue;
	printf("ana-fibd: %u routes were removed\n", n);
	return table_adopting(d->table) ||
	    table_count(d->table, FAM_INET) +
		table_count(d->table, FAM_INET6) !=
	    0;
}

static void
fini(struct fibd *d)
{
	speaker_free(d->speaker);
	table_free(d->table);
	nlwatch_close(d->watch);
	nlroute_close(d->nl);
	if (d->listen_fd >= 0)
		close(d->listen_fd);
}

int
main(int argc, char **argv)
{
	static struct fibd d = { .listen_fd = -1, .keep_s = KEEP_S };
	int status = 0;

	mallopt(M_TOP_PAD, 0); /* room ahead would be cleared, and so used */
	fibd_args(argc, argv, &d.opt, &d.fences);
	/* Before the sandbox; one that a speaker started answers to it. */
	if (d.opt.fd < 0)
		notify_open();
	d.start_s = time(NULL);
	d.statm_fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
	if (!d.opt.remove && d.opt.fd < 0)
		listen_path(&d);
	if (d.opt.fd >= 0)
		use_fd(&d);
	fibd_drop(&d.opt, !d.opt.remove);
	open_kernel(&d);
	if (d.opt.remove)
		status = remove_all(&d);
	else {
		if (!d.opt.foreground && daemon(0, 0) < 0)
			helper_die(
			    "cannot go to the background: %s", strerror(errno));
		if (!d.opt.foreground)
			helper_syslog();
		news(&d, "ready: %u IPv4 and %u IPv6 routes adopted%s, %s",
		    table_count(d.table, FAM_INET),
		    table_count(d.table, FAM_INET6),
		    d.adopting ? ", more to come" : "",
		    table_has_objects(d.table) ? "nexthop objects"
					       : "plain multipath routes");
		say_compat_mode(&d);
		fibd_confine(&d);
		malloc_trim(0); /* what the start needed once */
		d.keep_until_ms = fibd_now_ms() + KEEP_S * 1000;
		if (d.opt.fd < 0)
			tell(&d, fibd_now_ms());
		loop(&d);
		notify("STOPPING=1");
		news(&d, "end; %u IPv4 and %u IPv6 routes stay",
		    table_count(d.table, FAM_INET),
		    table_count(d.table, FAM_INET6));
	}
	fini(&d);
	return status;
}
