/* ana-bgpd: arguments, privileges, the loop. */
#include <cap-ng.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <libgen.h>
#include <limits.h>
#include <malloc.h>
#include <nss.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bgpd/commit.h"
#include "bgpd/control.h"
#include "bgpd/engine.h"
#include "bgpd/log.h"
#include "bgpd/sandbox.h"
#include "bgpd/service.h"
#include "lib/mem.h"
#include "platform/clock.h"
#include "platform/notify.h"
#include "policy/pfxfile.h"

enum {
	FIBD_ARGS = 64
};

struct args {
	bool foreground, check, verbose, trace, json;
	bool own_dirs; /* -R or -S: a lab */
	const char *conf, *run, *state, *user, *fibd_args;
	struct engine_opts o;
	uid_t uid;
	gid_t gid;
};

static void __attribute__((noreturn)) usage(void)
{
	fprintf(stderr,
	    "usage: ana-bgpd [-dnvTVj] [-f FILE] [-F kernel|memory] [-p PORT]\n"
	    "                [-u USER] [-R DIR] [-S DIR] [-A ARGUMENTS]\n");
	exit(2);
}

static uint16_t
port(const char *text)
{
	const char *err;
	long long n = strtonum(text, 1, 65535, &err);

	if (err != NULL)
		fatalx("-p %s: the port is %s (1 to 65535)", text, err);
	return (uint16_t)n;
}

static void
parse_args(struct args *a, int argc, char **argv)
{
	int c;

	while ((c = getopt(argc, argv, "dnvTVjf:F:p:u:R:S:A:")) != -1)
		switch (c) {
		case 'd':
			a->foreground = true;
			break;
		case 'n':
			a->check = true;
			break;
		case 'v':
			a->verbose = true;
			break;
		case 'T':
			a->trace = true;
			break;
		case 'j':
			a->json = true;
			break;
		case 'V':
			printf("ana-bgpd %s\n", ANA_VERSION);
			exit(0);
		case 'f':
			a->conf = optarg;
			break;
		case 'p':
			a->o.port = port(optarg);
			break;
		case 'u':
			a->user = optarg;
			break;
		case 'R':
			a->run = optarg;
			a->own_dirs = true;
			break;
		case 'S':
			a->state = optarg;
			a->own_dirs = true;
			break;
		case 'A':
			a->fibd_args = optarg;
			break;
		case 'F':
			if (strcmp(optarg, "memory") == 0)
				a->o.memory = true;
			else if (strcmp(optarg, "kernel") != 0)
				fatalx("-F %s: it is kernel or memory", optarg);
			break;
		default:
			usage();
		}
	if (optind != argc)
		usage();
}

/* ---- the configuration ------------------------------------------------ */

/* A lab's log files lie beside its state. */
static const char *
log_dir(const struct args *a)
{
	return a->own_dirs ? a->state : "/var/log/ana-bgpd";
}

static void
reader(const struct args *a, struct conf_reader *r)
{
	*r = (struct conf_reader){ .run_dir = a->run,
		.state_dir = a->state,
		.log_dir = log_dir(a),
		.uid = a->uid,
		.gid = a->gid,
		.check = a->check,
		.fib_memory = a->o.memory,
		.now_s = clock_real_s() };
	conf_reader_files(r);
}

static struct conf *
load(const struct args *a, const struct conf_reader *r, int *status)
{
	struct diag_list dl;
	struct conf *c;
	char *text;

	diag_list_init(&dl);
	c = conf_load(r, a->conf, &dl);
	text = a->json ? diag_list_json(&dl)
		       : diag_list_text(&dl, c != NULL ? NULL : "not usable");
	if (a->json)
		printf("%s\n", text);
	else
		fputs(text, stderr);
	*status = c == NULL;
	free(text);
	diag_list_fini(&dl);
	return c;
}

static int
check(const struct args *a)
{
	int status;
	struct conf_reader r;
	struct conf *c;
	char *text;

	reader(a, &r);
	c = load(a, &r, &status);

	if (c != NULL && a->verbose) {
		text = conf_print(c, 0);
		fputs(text, stdout);
		free(text);
	} else if (c != NULL && !a->json)
		printf("%s: configuration OK\n", a->conf);
	conf_free(c);
	return status;
}

/* ---- privileges ------------------------------------------------------- */

static void
find_user(struct args *a)
{
	struct passwd *pw;

	a->uid = getuid();
	a->gid = getgid();
	if (a->uid != 0)
		return;
	if ((pw = getpwnam(a->user)) == NULL)
		fatalx("user %s does not exist: create it (systemd-sysusers, "
		       "or useradd --system %s), or name another with -u",
		    a->user, a->user);
	if (pw->pw_uid == 0)
		fatalx(
		    "-u %s is root: the speaker never runs as root", a->user);
	a->uid = pw->pw_uid;
	a->gid = pw->pw_gid;
}

/* Made when we are root and it is a lab's; must be there otherwise. */
static void
need_dir(const struct args *a, const char *dir, const char *option)
{
	struct stat st;

	if (a->own_dirs && mkdir(dir, 0755) == 0 && getuid() == 0 &&
	    chown(dir, a->uid, a->gid) == -1)
		fatalx("directory %s: %s", dir, strerror(errno));
	if (stat(dir, &st) == -1)
		fatalx("directory %s: %s; create it for user %s or name "
		       "another with %s",
		    dir, strerror(errno), a->user, option);
	if (!S_ISDIR(st.st_mode))
		fatalx("%s is not a directory (%s)", dir, option);
	if (getuid() == 0 && a->own_dirs && st.st_uid != a->uid &&
	    chown(dir, a->uid, a->gid) == -1)
		fatalx("directory %s: %s", dir, strerror(errno));
	if (getuid() != 0 && access(dir, W_OK) == -1)
		fatalx("directory %s is not writable by this user; give it "
		       "to the user or name another with %s",
		    dir, option);
}

/* ana-fibd stands beside us, installed or in a build directory. */
static void
fibd_program(char *path, size_t size)
{
	ssize_t n = readlink("/proc/self/exe", path, size - 1);
	char *slash;

	path[n > 0 ? n : 0] = '\0';
	if ((slash = strrchr(path, '/')) == NULL ||
	    (size_t)(slash - path) + sizeof "/ana-fibd" > size)
		fatalx("the directory of ana-bgpd, where ana-fibd should be, "
		       "is not known");
	strlcpy(slash, "/ana-fibd", size - (size_t)(slash - path));
}

static void __attribute__((noreturn)) become_fibd(const struct args *a, int fd)
{
	char *argv[FIBD_ARGS] = { mem_strdup("ana-fibd"), mem_strdup("-i"),
		mem_printf("%d", fd), mem_strdup("-p"),
		mem_printf("%u", a->o.port), mem_strdup("-u"),
		mem_strdup(a->user) };
	char *words, *w, path[PATH_MAX];
	int n = 7;

	words = mem_strdup(a->fibd_args != NULL ? a->fibd_args : "");
	while ((w = strsep(&words, " ")) != NULL && n < FIBD_ARGS - 1)
		if (*w != '\0')
			argv[n++] = w;
	fibd_program(path, sizeof path);
	execv(path, argv);
	fatalx("cannot start %s: %s", path, strerror(errno));
}

/* A lab: no ana-fibd service, but we are root and may start one. */
static void
start_fibd(struct args *a)
{
	int sv[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, sv) == -1)
		fatalx("socketpair: %s", strerror(errno));
	switch (fork()) {
	case -1:
		fatalx("fork: %s", strerror(errno));
	case 0:
		close(sv[0]);
		setsid();
		become_fibd(a, sv[1]);
	default:
		break;
	}
	close(sv[1]);
	fcntl(sv[0], F_SETFD, FD_CLOEXEC);
	fcntl(sv[0], F_SETFL, O_NONBLOCK);
	a->o.fibd_fd = sv[0];
}

static void
drop_privileges(const struct args *a)
{
	if (getuid() != 0)
		return;
	if (initgroups(a->user, a->gid) == -1)
		fatalx("groups of %s: %s", a->user, strerror(errno));
	capng_clear(CAPNG_SELECT_BOTH);
	if (setresgid(a->gid, a->gid, a->gid) == -1 ||
	    setresuid(a->uid, a->uid, a->uid) == -1)
		fatalx("cannot become user %s: %s", a->user, strerror(errno));
	capng_apply(CAPNG_SELECT_CAPS);
	if (setuid(0) == 0)
		fatalx("root could be had back after it was dropped");
}

/* ---- running ---------------------------------------------------------- */

static void
on_term(void *arg, int signo)
{
	struct engine *eng = arg;

	log_info("%s: stopping", strsignal(signo));
	engine_stop(eng, eng->conf->shutdown_reason, !eng->conf->fib.keep);
}

static void
on_hup(void *arg, int signo)
{
	commit_hup(arg);
}

static void
on_child(void *arg, int signo)
{
	/* Only a lab's own ana-fibd; its socket tells the rest. */
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
}

/* It ends with us: its last words come before ours. */
static void
reap_fibd(void)
{
	for (int i = 0; i < 100 && waitpid(-1, NULL, WNOHANG) == 0; i++)
		poll(NULL, 0, 10);
}

static void
run(struct args *a, struct conf *conf, const char *alarm)
{
	struct sandbox_dirs dirs = {
		.state = a->state, .run = a->run, .log = log_dir(a)
	};
	char *dir = mem_strdup(a->conf), why[256];
	struct engine *eng;
	struct service service;
	bool landlock;

	dirs.conf = dirname(dir);
	eng = engine_new(&a->o, conf, NULL);
	if (a->trace)
		log_set_level(LOG_L_DEBUG);
	ev_signal(eng->ev, SIGTERM, on_term, eng);
	ev_signal(eng->ev, SIGINT, on_term, eng);
	ev_signal(eng->ev, SIGHUP, on_hup, eng);
	ev_signal(eng->ev, SIGCHLD, on_child, eng);
	if ((eng->control = control_new(eng, why, sizeof why)) == NULL ||
	    !engine_start(eng, why, sizeof why))
		fatalx("%s", why);
	if (!sandbox_enter(&dirs, &landlock, why, sizeof why))
		fatalx("%s", why);
	eng->commit = commit_new(eng, alarm);
	log_info("ana-bgpd %s started, AS%u, %zu neighbors%s%s", ANA_VERSION,
	    conf->as, conf->nneighbor, landlock ? "" : ", without Landlock",
	    conf->lab_mode ? ", LAB MODE: documentation numbers accepted" : "");
	service_start(&service, eng);
	malloc_trim(0); /* what the start needed once */
	engine_run(eng);
	strlcpy(why, eng->fatal, sizeof why);
	control_free(eng->control);
	eng->control = NULL;
	engine_free(eng);
	reap_fibd();
	free(dir);
	if (why[0] != '\0')
		fatalx("%s", why);
	log_info("ana-bgpd stopped");
}

/* What is closed here would be a socket, and the log be written into it. */
static void
fill_standard(void)
{
	int fd;

	while ((fd = open("/dev/null", O_RDWR)) != -1 && fd <= STDERR_FILENO)
		;
	if (fd != -1)
		close(fd);
}

int
main(int argc, char **argv)
{
	struct args a = { .conf = "/etc/ana-bgpd/ana-bgpd.conf",
		.run = "/run/ana-bgpd",
		.state = "/var/lib/ana-bgpd",
		.user = "_ana-bgpd",
		.o = { .port = 179, .fibd_fd = -1 } };
	char fibd[PATH_MAX], trackd[PATH_MAX], conf_path[PATH_MAX], alarm[512];
	char none[CONF_DIGEST_LEN];
	struct conf_reader r;
	struct conf *conf;
	int status;

	fill_standard();
	/* Users and groups are those of the system's own files: no directory
	 * server is waited for, and no code of one loaded. */
	__nss_configure_lookup("passwd", "files");
	__nss_configure_lookup("group", "files");
	__nss_configure_lookup("initgroups", "files");
	parse_args(&a, argc, argv);
	notify_open();
	a.o.log_to = log_default(getenv("JOURNAL_STREAM"), !a.foreground);
	pfxfile_seed(arc4random());
	umask(0027);
	/* The loop never changes directory, but says what it reads in full. */
	if (realpath(a.conf, conf_path) != NULL)
		a.conf = conf_path;
	if (a.check) {
		a.uid = getuid();
		a.gid = getgid();
		return check(&a);
	}
	find_user(&a);
	reader(&a, &r);
	conf =
	    commit_boot(&r, a.conf, load(&a, &r, &status), alarm, sizeof alarm);
	if (conf == NULL)
		return status;
	/* It reads its own configuration once: not in the sandbox. */
	conf_digest("", 0, none);
	need_dir(&a, a.run, "-R");
	need_dir(&a, a.state, "-S");
	snprintf(fibd, sizeof fibd, "%s/fibd.sock",
	    a.own_dirs ? a.run : "/run/ana-fibd");
	a.o.fibd_path = fibd;
	snprintf(trackd, sizeof trackd, "%s/trackd.sock",
	    a.own_dirs ? a.run : "/run/ana-trackd");
	a.o.trackd_path = trackd;
	a.o.conf_path = a.conf;
	a.o.run_dir = a.run;
	a.o.state_dir = a.state;
	a.o.log_dir = log_dir(&a);
	a.o.netns = fib_netns();
	clock_boot(a.o.boot, sizeof a.o.boot);
	signal(SIGPIPE, SIG_IGN);
	if (!a.o.memory && getuid() == 0 && access(fibd, F_OK) == -1)
		start_fibd(&a);
	drop_privileges(&a);
	if (!a.foreground && daemon(1, 0) == -1)
		fatalx("cannot go into the background: %s", strerror(errno));
	run(&a, conf, alarm);
	return 0;
}
