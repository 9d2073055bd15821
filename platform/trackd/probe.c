/* probe.c -- one probe: TCP, HTTP or a program; and its time limit. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <event2/event.h>
#include <event2/http.h>
#include <netinet/in.h>

#include "lib/addr.h"
#include "lib/mem.h"
#include "platform/trackd/trackd.h"
#include "platform/trackd/trackd_check.h"

enum {
	BODY_MAX = 64 * 1024,
	HEADERS_MAX = 8 * 1024,
	/* Of one program, and of all together for processes. */
	LIMIT_PROCESSES = 128,
	LIMIT_FILES = 64,
	LIMIT_FILE_SIZE = 1 << 20,
	LIMIT_MEMORY = 1 << 29,
};

static void
arm(struct event *e, uint32_t ms)
{
	struct timeval tv = { ms / 1000, ms % 1000 * 1000 };

	evtimer_add(e, &tv);
}

/* Whatever is under way ends. */
static void
stop(struct probe *p)
{
	evtimer_del(p->late);
	if (p->io != NULL)
		event_free(p->io);
	p->io = NULL;
	if (p->fd != -1)
		close(p->fd);
	p->fd = -1;
	if (p->http != NULL)
		evhttp_connection_free(p->http);
	p->http = NULL;
	/* Just born, it may not lead a group of its own yet. */
	if (p->pid != 0 && kill(-p->pid, SIGKILL) == -1)
		kill(p->pid, SIGKILL);
	p->waits = p->running = false;
}

static void
done(struct probe *p, bool good, const char *text)
{
	stop(p);
	trackd_tell(p, good, text);
}

static void
on_late(evutil_socket_t fd, short what, void *arg)
{
	struct probe *p = arg;
	char text[TRACKD_TEXT];

	(void)fd, (void)what;
	if (p->waits)
		snprintf(text, sizeof text,
		    "%u programs run already, which is the limit (-c)",
		    p->d->nchild);
	else
		snprintf(text, sizeof text, "no answer within %u ms%s",
		    p->set.timeout_ms, p->pid != 0 ? ", killed" : "");
	done(p, false, text);
}

/* ---- TCP --------------------------------------------------------------- */

static socklen_t
sockaddr(
    struct sockaddr_storage *ss, uint8_t fam, const uint8_t *o, uint16_t port)
{
	struct sockaddr_in *s4 = (struct sockaddr_in *)ss;
	struct sockaddr_in6 *s6 = (struct sockaddr_in6 *)ss;

	memset(ss, 0, sizeof *ss);
	if (fam == FAM_INET) {
		s4->sin_family = AF_INET;
		s4->sin_port = htons(port);
		memcpy(&s4->sin_addr, o, 4);
		return sizeof *s4;
	}
	s6->sin6_family = AF_INET6;
	s6->sin6_port = htons(port);
	memcpy(&s6->sin6_addr, o, 16);
	return sizeof *s6;
}

static void
on_connected(evutil_socket_t fd, short what, void *arg)
{
	socklen_t len = sizeof(int);
	int err = 0;

	(void)what;
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len) == -1)
		err = errno;
	done(arg, err == 0, err == 0 ? "connected" : strerror(err));
}

static void
begin_tcp(struct probe *p)
{
	const struct trackd_set *s = &p->set;
	struct sockaddr_storage to, from;
	socklen_t len = sockaddr(&to, s->fam, s->addr, s->port);

	p->fd = socket(s->fam == FAM_INET ? AF_INET : AF_INET6,
	    SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (p->fd == -1 ||
	    (s->source_fam != FAM_NONE &&
		bind(p->fd, (struct sockaddr *)&from,
		    sockaddr(&from, s->fam, s->source, 0)) == -1) ||
	    (connect(p->fd, (struct sockaddr *)&to, len) == -1 &&
		errno != EINPROGRESS)) {
		done(p, false, strerror(errno));
		return;
	}
	p->io = event_new(p->d->base, p->fd, EV_WRITE, on_connected, p);
	event_add(p->io, NULL);
}

/* ---- HTTP -------------------------------------------------------------- */

static void
free_later(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	evhttp_connection_free(arg);
}

static void
on_answer(struct evhttp_request *req, void *arg)
{
	static const struct timeval now;
	struct probe *p = arg;
	int code = req != NULL ? evhttp_request_get_response_code(req) : 0;
	bool good = p->set.status != 0 ? code == p->set.status
				       : code >= 200 && code <= 299;
	char text[TRACKD_TEXT] =
	    "no connection, or no HTTP answer of at most 64 KB";

	if (code != 0)
		snprintf(text, sizeof text, "HTTP status %d", code);
	/* We are inside of it: it goes when its callback is over. */
	event_base_once(p->d->base, -1, EV_TIMEOUT, free_later, p->http, &now);
	p->http = NULL;
	done(p, good, text);
}

static void
begin_http(struct probe *p)
{
	const struct trackd_set *s = &p->set;
	char to[ADDR_STRLEN], from[ADDR_STRLEN], host[ADDR_STRLEN + 16];
	struct evhttp_request *req;
	struct evkeyvalq *h;
	struct addr a;

	addr_set(&a, (enum fam)s->fam, s->addr);
	addr_print(&a, to, sizeof to);
	snprintf(host, sizeof host, s->fam == FAM_INET6 ? "[%s]:%u" : "%s:%u",
	    to, s->port);
	p->http = evhttp_connection_base_new(p->d->base, NULL, to, s->port);
	if (p->http == NULL ||
	    (req = evhttp_request_new(on_answer, p)) == NULL) {
		done(p, false, "no memory for the request");
		return;
	}
	evhttp_connection_set_max_body_size(p->http, BODY_MAX);
	evhttp_connection_set_max_headers_size(p->http, HEADERS_MAX);
	if (s->source_fam != FAM_NONE) {
		addr_set(&a, (enum fam)s->fam, s->source);
		evhttp_connection_set_local_address(
		    p->http, addr_print(&a, from, sizeof from));
	}
	h = evhttp_request_get_output_headers(req);
	evhttp_add_header(h, "Host", s->host[0] != '\0' ? s->host : host);
	evhttp_add_header(h, "Connection", "close");
	evhttp_add_header(h, "User-Agent", "ana-trackd");
	if (evhttp_make_request(p->http, req, EVHTTP_REQ_GET, s->name) != 0 &&
	    p->http != NULL)
		done(p, false, "the request could not be made");
}

/* ---- programs ---------------------------------------------------------- */

/* The administrator's alone: nobody else may have written it. */
static const char *
untrusted(const char *path, mode_t kind)
{
	struct stat st;

	if (lstat(path, &st) == -1)
		return strerror(errno);
	if ((st.st_mode & S_IFMT) != kind)
		return "it is no plain file (or no directory)";
	if (st.st_uid != 0 || (st.st_mode & 022) != 0)
		return "it is not root's, or others may write it";
	return NULL;
}

static void
limit(int what, rlim_t most)
{
	struct rlimit l = { most, most };

	setrlimit(what, &l);
}

static void __attribute__((noreturn))
become(const struct probe *p, const char *path)
{
	char *argv[] = { mem_strdup(path), NULL };
	char *env[] = { mem_strdup("PATH=/usr/sbin:/usr/bin:/sbin:/bin"),
		mem_strdup("LC_ALL=C"), mem_printf("ANA_TRACK=%s", p->set.name),
		NULL };
	sigset_t none;
	int null = open("/dev/null", O_RDWR);

	setsid();
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	for (int sig = 1; sig < NSIG; sig++)
		signal(sig, SIG_DFL);
	for (int fd = 0; fd <= 2; fd++)
		dup2(null, fd);
	closefrom(3);
	limit(RLIMIT_CORE, 0);
	limit(RLIMIT_NPROC, LIMIT_PROCESSES);
	limit(RLIMIT_NOFILE, LIMIT_FILES);
	limit(RLIMIT_FSIZE, LIMIT_FILE_SIZE);
	limit(RLIMIT_AS, LIMIT_MEMORY);
	limit(RLIMIT_CPU, p->set.timeout_ms / 1000 + 1);
	execve(path, argv, env);
	_exit(127);
}

static void
begin_program(struct probe *p)
{
	const char *dir = p->d->opt.programs, *why, *what = "directory";
	char *path, text[TRACKD_TEXT];

	if (p->pid != 0 || p->d->nchild >= p->d->opt.children) {
		p->waits = true; /* probe_reap() comes back to it */
		return;
	}
	p->waits = false;
	path = mem_printf("%s/%s", dir, p->set.name);
	why = untrusted(dir, S_IFDIR);
	if (why == NULL) {
		what = "program";
		why = untrusted(path, S_IFREG);
	}
	if (why == NULL && (p->pid = fork()) == -1) {
		p->pid = 0;
		why = strerror(errno);
	}
	if (why == NULL && p->pid == 0)
		become(p, path);
	free(path);
	if (why == NULL) {
		p->d->nchild++;
		return;
	}
	snprintf(text, sizeof text, "its %s: %s", what, why);
	done(p, false, text);
}

static void
ended(struct probe *p, int status)
{
	char text[TRACKD_TEXT];

	kill(-p->pid, SIGKILL); /* what it left behind */
	p->pid = 0;
	p->d->nchild--;
	if (!p->running)
		return; /* killed, and told so */
	if (WIFSIGNALED(status))
		snprintf(
		    text, sizeof text, "ended by signal %d", WTERMSIG(status));
	else if (WEXITSTATUS(status) == 127)
		snprintf(text, sizeof text,
		    "exit status 127: it may be that "
		    "it cannot be run");
	else
		snprintf(
		    text, sizeof text, "exit status %d", WEXITSTATUS(status));
	done(p, WIFEXITED(status) && WEXITSTATUS(status) == 0, text);
}

/* Children that are none of our programs have lost their parent: they tried to
 * outlive it. */
static void
kill_orphans(struct trackd *d)
{
	char path[64];
	struct probe *p;
	FILE *f;
	int pid;

	snprintf(path, sizeof path, "/proc/self/task/%d/children", getpid());
	if ((f = fopen(path, "re")) == NULL)
		return;
	while (fscanf(f, "%d", &pid) == 1) {
		LIST_FOREACH (p, &d->probes, entry)
			if (p->pid == pid)
				break;
		if (p == NULL)
			kill(pid, SIGKILL);
	}
	fclose(f);
}

void
probe_reap(struct trackd *d)
{
	struct probe *p;
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		LIST_FOREACH (p, &d->probes, entry)
			if (p->pid == pid) {
				ended(p, status);
				break;
			}
	kill_orphans(d);
	LIST_FOREACH (p, &d->probes, entry)
		if (p->waits)
			begin_program(p);
}

/* ---- any --------------------------------------------------------------- */

static void
on_next(evutil_socket_t fd, short what, void *arg)
{
	struct probe *p = arg;

	(void)fd, (void)what;
	arm(p->next, p->set.interval_ms);
	if (p->running)
		return; /* its timeout is longer than its interval */
	p->running = true;
	arm(p->late, p->set.timeout_ms);
	if (p->set.kind == TRACKD_TCP)
		begin_tcp(p);
	else if (p->set.kind == TRACKD_HTTP)
		begin_http(p);
	else
		begin_program(p);
}

struct probe *
probe_new(struct trackd *d, const struct trackd_set *s)
{
	struct probe *p = mem_alloc(sizeof *p);

	p->d = d;
	p->set = *s;
	p->fd = -1;
	p->next = evtimer_new(d->base, on_next, p);
	p->late = evtimer_new(d->base, on_late, p);
	LIST_INSERT_HEAD(&d->probes, p, entry);
	d->nprobe++;
	arm(p->next, 0);
	return p;
}

void
probe_free(struct probe *p)
{
	stop(p);
	/* Its program is an orphan now, killed or about to be. */
	if (p->pid != 0)
		p->d->nchild--;
	event_free(p->next);
	event_free(p->late);
	LIST_REMOVE(p, entry);
	p->d->nprobe--;
	free(p);
}
