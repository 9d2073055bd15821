#include "bgpd/state.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bgpd/conf_tree.h"
#include "bgpd/engine.h"
#include "bgpd/log.h"
#include "lib/mem.h"

#define LIMITS "limits.state"
#define DRAINS "drain.state"

enum {
	FILE_MAX = 4 * 1024 * 1024,
};

/* ---- files ------------------------------------------------------------ */

static int
write_all(int fd, const char *p, size_t len)
{
	ssize_t n;

	while (len > 0) {
		n = write(fd, p, len);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return -errno;
		p += n;
		len -= (size_t)n;
	}
	return fsync(fd) == -1 ? -errno : 0;
}

/* A rename is only there after a power cut when its directory is. */
static int
sync_dir(const char *dir)
{
	int err = 0, fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd == -1)
		return -errno;
	if (fsync(fd) == -1)
		err = -errno;
	close(fd);
	return err;
}

int
state_write(const char *dir, const char *name, const char *text, size_t len)
{
	char *path, *beside;
	int fd, err;

	if (dir == NULL)
		return 0;
	path = mem_printf("%s/%s", dir, name);
	beside = mem_printf("%s/.%s.new", dir, name);
	fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW,
	    0640);
	err = fd == -1 ? -errno : write_all(fd, text, len);
	if (fd != -1)
		close(fd);
	if (err == 0 && rename(beside, path) == -1)
		err = -errno;
	if (err == 0)
		err = sync_dir(dir);
	else if (fd != -1)
		unlink(beside);
	free(path);
	free(beside);
	return err;
}

void
state_remove(const char *dir, const char *name)
{
	char *path;

	if (dir == NULL)
		return;
	path = mem_printf("%s/%s", dir, name);
	unlink(path);
	free(path);
}

static int
read_all(int fd, char **text, size_t *len)
{
	struct stat st;
	ssize_t n;
	char *p;

	if (fstat(fd, &st) == -1)
		return -errno;
	if (!S_ISREG(st.st_mode) || st.st_size > FILE_MAX)
		return -EFBIG;
	p = mem_alloc((size_t)st.st_size + 1);
	n = read(fd, p, (size_t)st.st_size);
	if (n == -1) {
		free(p);
		return -errno;
	}
	p[n] = '\0';
	*text = p;
	*len = (size_t)n;
	return 0;
}

int
state_read(const char *dir, const char *name, char **text, size_t *len)
{
	char *path;
	int fd, err;

	if (dir == NULL)
		return -ENOENT;
	path = mem_printf("%s/%s", dir, name);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	err = fd == -1 ? -errno : read_all(fd, text, len);
	if (fd != -1)
		close(fd);
	free(path);
	return err;
}

/* ---- limit holds ------------------------------------------------------ */

static const char *const trips[FAM_N] = { "trips", "trips-inet",
	"trips-inet6" };

static void
put_limit(FILE *f, const struct peer *p)
{
	const struct peer_limit *l = &p->limit;
	char text[PFX_STRLEN];

	addr_print(&p->conf->addr, text, sizeof text);
	fprintf(f, "limit %s {\n", text);
	fprintf(f, "\tstate %s;\n",
	    l->tripped      ? "down"
		: l->frozen ? "frozen"
			    : "over");
	fprintf(f, "\taction %s;\n",
	    conf_limit_action_name((enum conf_limit_action)l->action));
	fprintf(f, "\tcounter %s;\n",
	    peer_counter_name((enum conf_counter)l->counter));
	fprintf(f, "\tfamily %s;\n",
	    l->fam == FAM_NONE       ? "all"
		: l->fam == FAM_INET ? "inet"
				     : "inet6");
	fprintf(f, "\tmax %u;\n\tcount %u;\n", l->max, l->count);
	fprintf(f, "\tsince %" PRId64 ";\n\tuntil %" PRId64 ";\n", l->since_s,
	    l->until_s);
	fprintf(
	    f, "\ttripped %" PRId64 ";\n\thold %u;\n", l->tripped_s, l->hold_s);
	for (int i = 0; i < FAM_N; i++)
		fprintf(f, "\t%s %u;\n", trips[i], l->trips[i]);
	for (size_t i = 0; i < l->nfirst; i++)
		fprintf(f, "\tprefix %s;\n",
		    pfx_print(&l->first[i], text, sizeof text));
	fprintf(f, "}\n");
}

/* Writes what put() has to say; what: "a limit's hold". */
static void
save(struct engine *eng, const char *name, void (*put)(FILE *, struct engine *),
    const char *what)
{
	char *text = NULL;
	size_t len = 0;
	FILE *f;
	int err;

	if (eng->opts.state_dir == NULL)
		return;
	if ((f = open_memstream(&text, &len)) == NULL)
		fatalx("no memory for %s", name);
	put(f, eng);
	fclose(f);
	err = state_write(eng->opts.state_dir, name, text, len);
	free(text);
	if (err == 0)
		return;
	log_warnx("%s/%s cannot be written: %s; %s would not outlive a restart",
	    eng->opts.state_dir, name, strerror(-err), what);
	timer_set(&eng->timers, &eng->state_retry, eng->now_ms, STATE_RETRY_MS);
}

static void
put_limits(FILE *f, struct engine *eng)
{
	struct peer *p;

	fprintf(f, "# Written by ana-bgpd: prefix limits that were reached.\n");
	TAILQ_FOREACH (p, &eng->peers, entry)
		if (p->limit.tripped || p->limit.frozen || p->limit.hold_s > 0)
			put_limit(f, p);
}

void
state_save_limits(struct engine *eng)
{
	save(eng, LIMITS, put_limits, "a limit's hold");
}

/* The statement's value as a number, 0 when it is none. */
static int64_t
number(const struct conf_node *n)
{
	const char *s = conf_word_text(n, 1);
	char *end;
	long long v = strtoll(s, &end, 10);

	return *s == '\0' || *end != '\0' || v < 0 ? 0 : (int64_t)v;
}

static uint32_t
number32(const struct conf_node *n)
{
	int64_t v = number(n);

	return v > UINT32_MAX ? UINT32_MAX : (uint32_t)v;
}

/* Word 1 is which of the names; 0 when it is none. */
static uint8_t
choice(const struct conf_node *n, const char *const *name, uint8_t count)
{
	for (uint8_t i = 0; i < count; i++)
		if (conf_word_is(n, 1, name[i]))
			return i;
	return 0;
}

static void
take_statement(struct peer_limit *l, const struct conf_node *n)
{
	static const char *const fam[FAM_N] = { "all", "inet", "inet6" };
	const char *action[CONF_LIMIT_RESTART + 1];
	const char *counter[CONF_COUNTER_N];

	for (int i = 0; i <= CONF_LIMIT_RESTART; i++)
		action[i] = conf_limit_action_name((enum conf_limit_action)i);
	for (int i = 0; i < CONF_COUNTER_N; i++)
		counter[i] = peer_counter_name((enum conf_counter)i);
	for (int i = 0; i < FAM_N; i++)
		if (conf_word_is(n, 0, trips[i]))
			l->trips[i] = number32(n);
	if (conf_word_is(n, 0, "state")) {
		l->tripped = conf_word_is(n, 1, "down");
		l->frozen = conf_word_is(n, 1, "frozen");
	} else if (conf_word_is(n, 0, "action"))
		l->action = choice(n, action, CONF_LIMIT_RESTART + 1);
	else if (conf_word_is(n, 0, "counter"))
		l->counter = choice(n, counter, CONF_COUNTER_N);
	else if (conf_word_is(n, 0, "family"))
		l->fam = choice(n, fam, FAM_N);
	else if (conf_word_is(n, 0, "max"))
		l->max = number32(n);
	else if (conf_word_is(n, 0, "count"))
		l->count = number32(n);
	else if (conf_word_is(n, 0, "since"))
		l->since_s = number(n);
	else if (conf_word_is(n, 0, "until"))
		l->until_s = number(n);
	else if (conf_word_is(n, 0, "tripped"))
		l->tripped_s = number(n);
	else if (conf_word_is(n, 0, "hold"))
		l->hold_s = number32(n);
	else if (conf_word_is(n, 0, "prefix") && l->nfirst < PEER_LIMIT_FIRST &&
	    pfx_parse(conf_word_text(n, 1), &l->first[l->nfirst]))
		l->nfirst++;
}

static void
take_limit(struct engine *eng, const struct conf_node *n)
{
	struct peer_limit l = { 0 };
	struct peer *p = NULL;
	struct addr a;

	if (!conf_word_is(n, 0, "limit"))
		return;
	if (addr_parse(conf_word_text(n, 1), &a))
		p = engine_peer(eng, &a);
	if (p == NULL)
		return; /* no longer configured */
	for (size_t i = 0; i < n->nchild; i++)
		take_statement(&l, n->child[i]);
	peer_limit_restore(p, &l);
}

/* Gives each statement of the file to take(); what: "holds ... are". */
static void
load(struct engine *eng, const char *name,
    void (*take)(struct engine *, const struct conf_node *), const char *what)
{
	struct conf_tree *tree;
	struct diag_list dl;
	char *text, *said;
	size_t len;
	int err = state_read(eng->opts.state_dir, name, &text, &len);

	if (err == -ENOENT)
		return;
	if (err != 0) {
		log_warnx("%s/%s cannot be read: %s; %s forgotten",
		    eng->opts.state_dir, name, strerror(-err), what);
		return;
	}
	diag_list_init(&dl);
	tree = conf_tree_parse(name, text, len, &dl);
	if (dl.nerror > 0) {
		said = diag_list_text(&dl, "what can be read of it is used");
		log_warnx("%s is damaged: %s", name, said);
		free(said);
	}
	for (size_t i = 0; i < tree->root.nchild; i++)
		take(eng, tree->root.child[i]);
	conf_tree_free(tree);
	diag_list_fini(&dl);
	free(text);
}

void
state_load_limits(struct engine *eng)
{
	load(eng, LIMITS, take_limit, "holds of prefix limits are");
}

/* ---- drains, maintenance ---------------------------------------------- */

static void
put_text(FILE *f, const char *key, const char *s)
{
	fprintf(f, "\t%s ", key);
	conf_quote(f, s);
	fprintf(f, ";\n");
}

static void
put_drain(FILE *f, const char *of, const struct drain *d)
{
	if (d->since_s == 0)
		return;
	fprintf(f,
	    "drain %s {\n\tsince %" PRId64 ";\n\twithdraw %" PRId64 ";\n", of,
	    d->since_s, d->withdraw_s);
	fprintf(f, "\twithdrawn %s;\n", d->withdrawn ? "yes" : "no");
	put_text(f, "by", d->who);
	put_text(f, "reason", d->why);
	fprintf(f, "}\n");
}

static void
put_drains(FILE *f, struct engine *eng)
{
	const struct maintenance *m = &eng->maint;
	char text[ADDR_STRLEN];
	struct peer *p;

	fprintf(f, "# Written by ana-bgpd: what is drained, maintenance.\n");
	put_drain(f, "all", &eng->drain);
	TAILQ_FOREACH (p, &eng->peers, entry)
		put_drain(f, addr_print(&p->conf->addr, text, sizeof text),
		    &p->drain);
	if (m->m.state == MAINT_IDLE)
		return;
	fprintf(
	    f, "maintenance {\n\tstate %s;\n", maint_state_name(m->m.state));
	fprintf(f, "\tsince %" PRId64 ";\n\tstep-since %" PRId64 ";\n",
	    m->since_s, m->state_s);
	fprintf(f, "\tstep-until %" PRId64 ";\n\tuntil %" PRId64 ";\n",
	    drain_maintenance_until(eng), m->end_s);
	put_text(f, "by", m->who);
	put_text(f, "reason", m->why);
	fprintf(f, "}\n");
}

void
state_save_drains(struct engine *eng)
{
	save(eng, DRAINS, put_drains, "a drain, a maintenance");
}

static void
on_retry(void *arg, uint64_t now)
{
	(void)now;
	state_save_limits(arg);
	state_save_drains(arg);
}

void
state_start(struct engine *eng)
{
	timer_init(&eng->state_retry, "StateTimer", on_retry, eng);
}

static void
take_drain(struct engine *eng, const struct conf_node *n)
{
	struct drain d = { 0 };
	struct peer *p = NULL;
	struct addr a;

	if (addr_parse(conf_word_text(n, 1), &a))
		p = engine_peer(eng, &a);
	if (p == NULL && !conf_word_is(n, 1, "all"))
		return; /* no longer configured */
	for (size_t i = 0; i < n->nchild; i++) {
		const struct conf_node *c = n->child[i];

		if (conf_word_is(c, 0, "since"))
			d.since_s = number(c);
		else if (conf_word_is(c, 0, "withdraw"))
			d.withdraw_s = number(c);
		else if (conf_word_is(c, 0, "withdrawn"))
			d.withdrawn = conf_word_is(c, 1, "yes");
		else if (conf_word_is(c, 0, "by"))
			strlcpy(d.who, conf_word_text(c, 1), sizeof d.who);
		else if (conf_word_is(c, 0, "reason"))
			strlcpy(d.why, conf_word_text(c, 1), sizeof d.why);
	}
	if (d.since_s != 0)
		drain_restore(eng, p != NULL ? &p->drain : &eng->drain, &d);
}

static void
take_maintenance(struct engine *eng, const struct conf_node *n)
{
	struct maintenance m = { 0 };
	int64_t until_s = 0;

	for (size_t i = 0; i < n->nchild; i++) {
		const struct conf_node *c = n->child[i];

		if (conf_word_is(c, 0, "state"))
			m.m.state = maint_state_find(conf_word_text(c, 1));
		else if (conf_word_is(c, 0, "since"))
			m.since_s = number(c);
		else if (conf_word_is(c, 0, "step-since"))
			m.state_s = number(c);
		else if (conf_word_is(c, 0, "step-until"))
			until_s = number(c);
		else if (conf_word_is(c, 0, "until"))
			m.end_s = number(c);
		else if (conf_word_is(c, 0, "by"))
			strlcpy(m.who, conf_word_text(c, 1), sizeof m.who);
		else if (conf_word_is(c, 0, "reason"))
			strlcpy(m.why, conf_word_text(c, 1), sizeof m.why);
	}
	if (m.m.state < MAINT_N)
		drain_restore_maintenance(eng, &m, until_s);
}

static void
take_any_drain(struct engine *eng, const struct conf_node *n)
{
	if (conf_word_is(n, 0, "drain"))
		take_drain(eng, n);
	else if (conf_word_is(n, 0, "maintenance"))
		take_maintenance(eng, n);
}

void
state_load_drains(struct engine *eng)
{
	struct peer *p;

	load(eng, DRAINS, take_any_drain, "drains and a maintenance are");
	TAILQ_FOREACH (p, &eng->peers, entry)
		peer_update_facts(p);
}
