/*
 * ana-bgpctl: one command to the daemon, one answer.  What the words mean is
 * checked here first (lib/cmd), so a wrong one costs no connection.
 */
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "bgpctl/colour.h"
#include "bgpctl/completion.h"
#include "bgpctl/top.h"
#include "lib/cmd.h"
#include "lib/ctlproto.h"
#include "lib/out.h"

#define SOCKET_ADMIN "/run/ana-bgpd/control.sock"
#define NAME_ADMIN "control.sock"
#define NAME_READ "restricted.sock"

enum {
	TIMEOUT_S = 10,
	TIMEOUT_MAX_S = 86400,
	BUF_LEN = 65536,
	TRY_MS = 20
};

struct client {
	const char *path;
	char fallback[sizeof((struct sockaddr_un *)0)->sun_path];
	bool may_fall_back, quiet, json;
	const char *file; /* the answer goes there, NULL: standard output */
	int out; /* where it goes, -1: not opened yet */
	int timeout_s, fd; /* the time that the other end may be silent */
	bool total; /* -t was given: the time of all waits together */
	bool endless; /* watch: silence is no fault */
	uint64_t waited_ms;
	struct top_text *sink; /* where the answer's text goes, or NULL */
	bool colour; /* line by line */
	struct top_text line; /* one that has not ended */
	int input; /* the command's FILE, opened by us, for the daemon; -1 */
};

static void
usage(FILE *f)
{
	fprintf(f,
	    "usage: ana-bgpctl [-jnqV] [-s socket] [-t seconds] "
	    "command ...\n");
}

/* What stdio could not write is no answer. */
static enum cmd_exit
written(void)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return CMD_DONE;
	warn("cannot write the answer");
	return CMD_REFUSED;
}

static void
help(void)
{
	char syntax[CMD_SYNTAXLEN];
	const struct cmd *c;

	usage(stdout);
	printf("  -j  answer in JSON\n"
	       "  -n  addresses instead of descriptions\n"
	       "  -q  no output, exit code only\n"
	       "  -s  control socket (default $ANA_BGPD_SOCKET, else "
	       "%s)\n"
	       "  -t  seconds to wait for the daemon, all together "
	       "(default: %d of silence)\n"
	       "  -V  version\n\n"
	       "Words may be shortened while they are unambiguous.\n",
	    SOCKET_ADMIN, TIMEOUT_S);
	for (size_t i = 0; (c = cmd_at(i)) != NULL; i++)
		printf("  %s\n        %s\n",
		    cmd_syntax(c, syntax, sizeof syntax), c->help);
}

static bool
keep(struct top_text *t, const void *p, size_t n)
{
	char *grown = realloc(t->p, t->len + n + 1);

	if (grown == NULL)
		return false;
	memcpy(grown + t->len, p, n);
	t->p = grown;
	t->len += n;
	t->p[t->len] = '\0';
	return true;
}

/* A sentence of our own; in JSON too, unless a part of an answer is out. */
static enum cmd_exit
fail(const struct client *c, enum cmd_exit code, const char *text)
{
	struct out *o;
	const char *p;
	size_t n;

	if (c->quiet)
		return code;
	if (c->sink != NULL) { /* in the place of what came so far */
		c->sink->len = 0;
		keep(c->sink, "ana-bgpctl: ", 12);
		keep(c->sink, text, strlen(text));
		keep(c->sink, "\n", 1);
		return code;
	}
	warnx("%s", text);
	if (!c->json || c->out != -1)
		return code;
	o = out_new(true);
	out_obj(o, NULL);
	out_str(o, "status", "FAILED");
	out_str(o, "error", text);
	out_end(o);
	p = out_pending(o, &n);
	fwrite(p, 1, n, stdout);
	fflush(stdout);
	out_free(o);
	return code;
}

static enum cmd_exit say(const struct client *, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Why there is no answer. */
static enum cmd_exit
say(const struct client *c, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	return fail(c, CMD_UNREACHABLE, text);
}

/* 0, or the errno of connect(). */
static int
try_connect(struct client *c, const char *path)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int error = 0;

	if (strlcpy(sun.sun_path, path, sizeof sun.sun_path) >=
	    sizeof sun.sun_path)
		return ENAMETOOLONG;
	c->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (c->fd == -1)
		return errno;
	for (int ms = 0;; ms += TRY_MS) {
		error = 0;
		if (connect(c->fd, (struct sockaddr *)&sun, sizeof sun) == 0)
			break;
		error = errno;
		/* EAGAIN: its backlog is full; no event says when it is not. */
		if ((error != EAGAIN && error != EINTR) ||
		    ms >= c->timeout_s * 1000)
			break;
		poll(NULL, 0, TRY_MS);
	}
	if (error != 0) {
		close(c->fd);
		c->fd = -1;
	}
	return error;
}

static enum cmd_exit
unreachable(const struct client *c, int error)
{
	const char *advice;
	struct stat st;

	switch (error) {
	case ENOENT:
		advice = "is ana-bgpd running? (systemctl status ana-bgpd; "
			 "-s names another socket)";
		break;
	case ECONNREFUSED:
		if (stat(c->path, &st) == 0 && !S_ISSOCK(st.st_mode)) {
			advice = "it is no socket; name control.sock or "
				 "restricted.sock";
			break;
		}
		advice = "ana-bgpd has ended; start it (systemctl start "
			 "ana-bgpd)";
		break;
	case EACCES:
	case EPERM:
		advice = "be root or a member of the group ana-bgpd-admin";
		break;
	case EAGAIN:
		advice = "ana-bgpd does not take connections; look at its log";
		break;
	default:
		advice = "-s names another socket";
	}
	return say(
	    c, "cannot reach %s: %s; %s", c->path, strerror(error), advice);
}

static enum cmd_exit
reach(struct client *c, bool reads)
{
	int error = try_connect(c, c->path);

	if ((error == EACCES || error == EPERM || error == ENOENT) && reads &&
	    c->may_fall_back && try_connect(c, c->fallback) == 0) {
		if (!c->quiet)
			warnx("%s: %s; asking the read-only %s", c->path,
			    strerror(error), c->fallback);
		c->path = c->fallback;
		error = 0;
	}
	return error == 0 ? CMD_DONE : unreachable(c, error);
}

static uint64_t
now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

/* Waits for the event as long as the other end may take. */
static enum cmd_exit
await(struct client *c, short event)
{
	struct pollfd p = { .fd = c->fd, .events = event };
	int n;

	uint64_t start = now_ms();
	int64_t left = c->timeout_s * 1000ll;

	if (c->total)
		left -= (int64_t)c->waited_ms;
	if (c->endless && !c->total)
		left = -1;
	else if (left < 0)
		left = 0;
	while ((n = poll(&p, 1, (int)left)) == -1 && errno == EINTR)
		continue;
	c->waited_ms += now_ms() - start;
	if (n == -1)
		return say(c, "poll: %s", strerror(errno));
	if (n == 0)
		return say(c,
		    "no answer from %s for %d s; -t waits longer, and the "
		    "daemon's log may say what it does",
		    c->path, c->timeout_s);
	return CMD_DONE;
}

/* The first octets take the descriptor of the command's file along. */
static ssize_t
send_part(struct client *c, const uint8_t *p, size_t n, bool first)
{
	union {
		struct cmsghdr head;
		char buf[CMSG_SPACE(sizeof(int))];
	} u = { .buf = { 0 } };
	struct iovec iov = { (void *)(uintptr_t)p, n };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (first && c->input != -1) {
		m.msg_control = u.buf;
		m.msg_controllen = sizeof u.buf;
		u.head.cmsg_level = SOL_SOCKET;
		u.head.cmsg_type = SCM_RIGHTS;
		u.head.cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(&u.head), &c->input, sizeof(int));
	}
	return sendmsg(c->fd, &m, MSG_NOSIGNAL);
}

static enum cmd_exit
send_request(struct client *c, const struct wbuf *w)
{
	size_t at = 0;
	enum cmd_exit e;

	while (at < w->len) {
		ssize_t n = send_part(c, w->p + at, w->len - at, at == 0);

		if (n >= 0)
			at += (size_t)n;
		else if (errno == EPIPE || errno == ECONNRESET)
			return CMD_DONE; /* it may have said why */
		else if (errno != EAGAIN && errno != EINTR)
			return say(c, "%s: %s", c->path, strerror(errno));
		else if ((e = await(c, POLLOUT)) != CMD_DONE)
			return e;
	}
	return CMD_DONE;
}

/* Octets of the answer; *n is 0 at its end. */
static enum cmd_exit
receive(struct client *c, void *buf, size_t *n)
{
	enum cmd_exit e;
	ssize_t got;

	for (;;) {
		if ((e = await(c, POLLIN)) != CMD_DONE)
			return e;
		got = recv(c->fd, buf, BUF_LEN, 0);
		if (got >= 0)
			break;
		if (errno == ECONNRESET)
			got = 0;
		else if (errno != EAGAIN && errno != EINTR)
			return say(c, "%s: %s", c->path, strerror(errno));
		if (got == 0)
			break;
	}
	*n = (size_t)got;
	return CMD_DONE;
}

/* Only when there is something to write: a refusal makes no file. */
static bool
open_out(struct client *c)
{
	if (c->file == NULL || strcmp(c->file, "-") == 0)
		c->out = STDOUT_FILENO;
	else if (c->out == -1)
		c->out = open(
		    c->file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
	if (c->out == -1)
		warn("cannot write %s", c->file);
	return c->out != -1;
}

static bool
print(int fd, const uint8_t *p, size_t n)
{
	while (n > 0) {
		ssize_t done = write(fd, p, n);

		if (done == -1 && errno == EINTR)
			continue;
		if (done == -1) {
			warn("cannot write the answer");
			return false;
		}
		p += done;
		n -= (size_t)done;
	}
	return true;
}

/* Whole lines; the last of an answer has its end. */
static bool
paint(struct client *c, const uint8_t *p, size_t n)
{
	char *from, *end;

	if (!keep(&c->line, p, n))
		return false;
	from = c->line.p;
	while ((end = strchr(from, '\n')) != NULL) {
		*end = '\0';
		colour_put(from);
		from = end + 1;
	}
	c->line.len -= (size_t)(from - c->line.p);
	memmove(c->line.p, from, c->line.len + 1);
	return written() == CMD_DONE;
}

static bool
show(struct client *c, enum ctl_type type, const uint8_t *p, size_t n)
{
	if (c->sink != NULL)
		return keep(c->sink, p, n);
	if (c->quiet && (c->file == NULL || type != CTL_OUT))
		return true;
	if (type != CTL_OUT)
		return print(STDERR_FILENO, p, n);
	if (c->colour)
		return paint(c, p, n);
	return open_out(c) && print(c->out, p, n);
}

/* Where in the stream of frames we are. */
struct frames {
	uint8_t head[CTL_HEAD_LEN];
	size_t have; /* octets of the head */
	struct ctl_frame frame;
	uint32_t left; /* octets of the payload */
};

/* Takes octets; true: *code is what to end with. */
static bool
take(struct client *c, struct frames *f, const uint8_t *p, size_t n,
    enum cmd_exit *code)
{
	while (n > 0) {
		size_t part;

		if (f->left == 0) {
			f->head[f->have++] = *p++;
			n--;
			if (f->have < CTL_HEAD_LEN)
				continue;
			f->have = 0;
			if (!ctl_frame_parse(f->head, &f->frame)) {
				*code = say(c,
				    "what answers on %s does not "
				    "speak the protocol of ana-bgpd",
				    c->path);
				return true;
			}
			f->left = f->frame.len;
			continue;
		}
		if (f->frame.type == CTL_EXIT) {
			*code = *p <= CMD_DEGRADED ? (enum cmd_exit) * p
						   : CMD_REFUSED;
			return true;
		}
		part = n < f->left ? n : f->left;
		if (!show(c, f->frame.type, p, part)) {
			*code = CMD_REFUSED;
			return true;
		}
		p += part;
		n -= part;
		f->left -= (uint32_t)part;
	}
	return false;
}

static enum cmd_exit
read_answer(struct client *c)
{
	static uint8_t buf[BUF_LEN];
	struct frames f = { .have = 0 };
	enum cmd_exit e;
	size_t n = 0;

	do {
		if ((e = receive(c, buf, &n)) != CMD_DONE)
			return e;
		if (n == 0)
			return say(c,
			    "the answer broke off: ana-bgpd ended the "
			    "connection to %s before it was whole",
			    c->path);
	} while (!take(c, &f, buf, n, &e));
	return e;
}

/* Which socket, and whether its read-only sibling may stand in for it. */
static void
choose_socket(struct client *c, const char *option)
{
	const char *env = getenv("ANA_BGPD_SOCKET"), *name;
	size_t dir;

	c->path = option != NULL            ? option
	    : env != NULL && env[0] != '\0' ? env
					    : SOCKET_ADMIN;
	name = strrchr(c->path, '/');
	name = name != NULL ? name + 1 : c->path;
	dir = (size_t)(name - c->path);
	if (option != NULL || strcmp(name, NAME_ADMIN) != 0 ||
	    dir + sizeof NAME_READ > sizeof c->fallback)
		return;
	memcpy(c->fallback, c->path, dir);
	memcpy(c->fallback + dir, NAME_READ, sizeof NAME_READ);
	c->may_fall_back = true;
}

static enum cmd_exit
ask(struct client *c, size_t n, const char *const *word, bool reads)
{
	uint8_t buf[CTL_REQUEST_MAX];
	enum ctl_verdict v;
	enum cmd_exit e;
	struct wbuf w;

	wbuf_init(&w, buf, sizeof buf);
	if ((v = ctl_request_write(&w, n, word)) != CTL_OK) {
		return fail(c, CMD_USAGE, ctl_verdict_text(v));
	}
	if ((e = reach(c, reads)) != CMD_DONE ||
	    (e = send_request(c, &w)) != CMD_DONE)
		return e;
	return read_answer(c);
}

/* Each frame of top is a request of its own. */
static enum cmd_exit
ask_again(void *arg, size_t n, const char *const *word, struct top_text *t)
{
	struct client *c = arg;
	enum cmd_exit e;

	c->sink = t;
	c->waited_ms = 0;
	e = ask(c, n, word, true);
	if (c->fd != -1)
		close(c->fd);
	c->fd = -1;
	return e;
}

/* The command line: words for the daemon (options in front), the rest for us.
 */
struct line {
	const char *socket, *word[CTL_WORDS_MAX];
	size_t n;
};

/* False: nothing is left to do but to end with *code. */
static bool
options(int argc, char **argv, struct client *c, struct line *l,
    enum cmd_exit *code)
{
	bool numeric = false;
	const char *bad;
	int opt;

	*code = CMD_USAGE;
	while ((opt = getopt(argc, argv, "+jnqVs:t:")) != -1)
		switch (opt) {
		case 'j':
			c->json = true;
			break;
		case 'n':
			numeric = true;
			break;
		case 'q':
			c->quiet = true;
			break;
		case 'V':
			printf("ana-bgpctl %s\n", ANA_VERSION);
			*code = written();
			return false;
		case 's':
			l->socket = optarg;
			break;
		case 't':
			c->timeout_s =
			    (int)strtonum(optarg, 1, TIMEOUT_MAX_S, &bad);
			c->total = true;
			if (bad == NULL)
				break;
			warnx("-t %s: %s (1 to %d seconds)", optarg, bad,
			    TIMEOUT_MAX_S);
			return false;
		default:
			usage(stderr);
			return false;
		}
	if (c->json)
		l->word[l->n++] = "-j";
	if (numeric)
		l->word[l->n++] = "-n";
	for (int i = optind; i < argc && l->n < CTL_WORDS_MAX; i++)
		l->word[l->n++] = argv[i];
	if (optind == argc)
		usage(stderr);
	return optind < argc;
}

/*
 * A standard descriptor that is closed would be the next one opened: the
 * answer would go into the socket that it came from.  Writing here fails.
 */
static void
fill_standard(void)
{
	int fd;

	while ((fd = open("/dev/null", O_RDONLY | O_CLOEXEC)) != -1 &&
	    fd <= STDERR_FILENO)
		;
	if (fd != -1)
		close(fd);
}

int
main(int argc, char **argv)
{
	struct client c = {
		.timeout_s = TIMEOUT_S, .fd = -1, .out = -1, .input = -1
	};
	struct line l = { .n = 0 };
	enum cmd_exit code;
	char why[CMD_ERRLEN];
	struct cmd_req req;
	unsigned int flags;

	fill_standard();
	if (!options(argc, argv, &c, &l, &code))
		return code;
	if (cmd_parse(l.n, l.word, &req, why) != CMD_DONE)
		return fail(&c, CMD_USAGE, why);
	flags = cmd_find(req.id)->flags;
	if (flags & CMD_AT_CLIENT) {
		if (req.id != CMD_COMPLETION)
			help();
		else if (!completion(&req))
			return CMD_USAGE;
		return written();
	}
	c.endless = req.id == CMD_WATCH || req.id == CMD_TRACE;
	c.file = req.file;
	/* With the caller's rights, not the daemon's. */
	if (req.input != NULL &&
	    (c.input = open(req.input, O_RDONLY | O_CLOEXEC)) == -1) {
		snprintf(why, sizeof why, "%s: %s", req.input, strerror(errno));
		return fail(&c, CMD_USAGE, why);
	}
	c.colour = !req.json && !req.terse && colour_wanted() &&
	    (req.id == CMD_SHOW_SUMMARY || req.id == CMD_SHOW_NEIGHBOR);
	choose_socket(&c, l.socket);
	if (req.id == CMD_TOP && !req.json)
		return top_run(&req, ask_again, &c);
	code = ask(&c, l.n, l.word, !(flags & CMD_ADMIN));
	free(c.line.p);
	return code;
}
