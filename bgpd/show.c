/* show.c -- the frame of every answer, and the answers about ourselves. */
#include "bgpd/show.h"

#include <malloc.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "bgpd/commit.h"
#include "bgpd/engine.h"
#include "bgpd/plan.h"
#include "bgpd/sets.h"
#include "bgpd/sets_find.h"
#include "bgpd/show_cmd.h"
#include "bgpd/show_peer.h"
#include "bgpd/trackd.h"
#include "platform/clock.h"
#include "policy/asnset.h"
#include "policy/martian.h"
#include "policy/pfxset.h"

/* ---- small things ----------------------------------------------------- */

bool
show_fail(struct show *s, enum cmd_exit code, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(s->err, sizeof s->err, fmt, ap);
	va_end(ap);
	s->code = code;
	return false;
}

struct peer *
show_peer(struct show *s)
{
	const char *word = s->req.neighbor;
	struct peer *p, *found = NULL;
	char a[ADDR_STRLEN], b[ADDR_STRLEN], safe[256];
	struct addr addr;
	bool by_addr = addr_parse(word, &addr);

	TAILQ_FOREACH (p, &s->eng->peers, entry) {
		if (by_addr ? !addr_eq(&p->conf->addr, &addr)
			    : p->conf->description == NULL ||
			    strcmp(p->conf->description, word) != 0)
			continue;
		if (found != NULL) {
			show_fail(s, CMD_USAGE,
			    "%s is the description of several neighbors, %s "
			    "and %s among them: use the address",
			    out_safe(word, safe, sizeof safe),
			    addr_print(&found->conf->addr, a, sizeof a),
			    addr_print(&p->conf->addr, b, sizeof b));
			return NULL;
		}
		found = p;
	}
	if (found == NULL)
		show_fail(s, CMD_NOT_FOUND,
		    "no such neighbor: %s (ana-bgpctl show lists them)",
		    out_safe(word, safe, sizeof safe));
	return found;
}

bool
show_only(struct show *s)
{
	const struct peer *p;

	if (s->req.neighbor == NULL)
		return true;
	if ((p = show_peer(s)) == NULL)
		return false;
	s->only = p->num;
	return true;
}

struct peer *
show_next_peer(const struct engine *eng, unsigned int after)
{
	struct peer *p, *next = NULL;

	TAILQ_FOREACH (p, &eng->peers, entry)
		if (p->num > after && (next == NULL || p->num < next->num))
			next = p;
	return next;
}

const char *
show_name(const struct show *s, const struct peer *p, char *buf, size_t n)
{
	if (s->req.numeric || p->conf->description == NULL)
		return addr_print(&p->conf->addr, buf, n);
	return out_safe(p->conf->description, buf, n);
}

void
show_name_head(struct show *s, const char *title)
{
	const int least = 20, most = 64;
	char name[256];
	struct peer *p;
	int n;

	s->name_columns = least;
	TAILQ_FOREACH (p, &s->eng->peers, entry) {
		n = out_columns(show_name(s, p, name, sizeof name));
		if (n > s->name_columns)
			s->name_columns = n < most ? n : most;
	}
	show_name_put(s, title);
}

void
show_name_put(struct show *s, const char *name)
{
	out_text(s->out, "%-*s ", out_width(name, s->name_columns), name);
}

int64_t
show_since(int64_t when_s)
{
	int64_t sec = clock_real_s() - when_s;

	if (when_s == 0)
		return -1;
	return sec < 0 ? 0 : sec; /* the clock may have been set back */
}

const char *
show_ago(int64_t when_s, char *buf, size_t n)
{
	return out_timeframe(show_since(when_s), buf, n);
}

const char *
show_time(int64_t when_s, char *buf, size_t n)
{
	time_t t = (time_t)when_s;
	struct tm tm;

	gmtime_r(&t, &tm);
	strftime(buf, n, "%Y-%m-%dT%H:%M:%SZ", &tm);
	return buf;
}

const char *
show_hex(const uint8_t *p, size_t len, char *buf, size_t cap)
{
	static const char digit[] = "0123456789abcdef";
	size_t n = 0;

	for (size_t i = 0; i < len && n + 3 <= cap; i++) {
		buf[n++] = digit[p[i] >> 4];
		buf[n++] = digit[p[i] & 15];
	}
	buf[n] = '\0';
	return buf;
}

const char *
show_ifname(const struct engine *eng, uint32_t ifindex, char *buf, size_t n)
{
	const struct engine_link *k = engine_link(eng, ifindex);

	if (k != NULL)
		return out_safe_n(
		    k->l.name, strnlen(k->l.name, sizeof k->l.name), buf, n);
	snprintf(buf, n, "#%u", ifindex);
	return buf;
}

const char *
show_host(const struct engine *eng, char *buf, size_t n)
{
	*buf = '\0';
	if (eng->conf->hostname != NULL)
		strlcpy(buf, eng->conf->hostname, n);
	else
		gethostname(buf, n - 1);
	buf[n - 1] = '\0';
	return buf;
}

/* The first two numbers of /proc/self/statm; opened before the sandbox. */
bool
show_pages(const struct engine *eng, uint64_t *virtual, uint64_t *resident)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	unsigned long long size, in;
	char text[128];
	ssize_t n = -1;

	if (eng->statm_fd != -1)
		n = pread(eng->statm_fd, text, sizeof text - 1, 0);
	if (n <= 0)
		return false;
	text[n] = '\0';
	if (sscanf(text, "%llu %llu", &size, &in) != 2)
		return false;
	*virtual = size * page;
	*resident = in * page;
	return true;
}

void
show_alarms(struct show *s)
{
	char line[2048];

	if (commit_alarm(s->eng)[0] != '\0')
		out_text(s->out, "ALARM: %s\n", commit_alarm(s->eng));
	show_maintenance_line(s->eng, line, sizeof line);
	if (*line != '\0')
		out_text(s->out, "%s\n", line);
}

void
show_walk_begin(struct show *s, struct peer *p, enum fam fam)
{
	show_walk_end(s);
	s->fam = fam;
	s->walk = adjin_walk_new(p->adjin, fam);
	s->walk_peer = p->num;
}

void
show_walk_end(struct show *s)
{
	adjin_walk_free(s->walk);
	s->walk = NULL;
	s->walk_peer = 0;
}

/* ---- version ---------------------------------------------------------- */

static void
count_peers(const struct engine *eng, unsigned int *up, unsigned int *all)
{
	const struct peer *p;

	*up = *all = 0;
	TAILQ_FOREACH (p, &eng->peers, entry) {
		++*all;
		*up += p->up != NULL;
	}
}

static bool
head_version(struct show *s)
{
	const struct engine *eng = s->eng;
	struct out *o = s->out;
	char id[ADDR_STRLEN], t[OUT_TIME_LEN], when[32], path[1024];
	struct addr rid = addr_v4(eng->conf->router_id);
	struct fibsync_stats st;
	unsigned int up, all;

	fibsync_get_stats(eng->fibsync, &st);
	addr_print(&rid, id, sizeof id);
	count_peers(eng, &up, &all);
	out_safe(eng->opts.conf_path, path, sizeof path);
	out_text(o, "ana-bgpd %s\n", ANA_VERSION);
	out_text(o, "  AS%u, router-id %s%s\n", eng->conf->as, id,
	    eng->conf->lab_mode ? ", LAB MODE: documentation numbers are "
				  "accepted"
				: "");
	out_text(o, "  Started %s, %s ago\n",
	    show_time(eng->start_s, when, sizeof when),
	    show_ago(eng->start_s, t, sizeof t));
	out_text(o, "  Configuration %s, generation %u", path, eng->generation);
	if (eng->reload_s != 0)
		out_text(o, ", last reload %s ago %s",
		    show_ago(eng->reload_s, t, sizeof t),
		    eng->reload_ok ? "went well" : "FAILED");
	out_text(o, "\n  Neighbors %u of %u up\n", up, all);
	if (commit_alarm(eng)[0] != '\0')
		out_text(o, "  ALARM: %s\n", commit_alarm(eng));
	if (commit_left(eng) >= 0)
		out_text(o,
		    "  The reload waits to be confirmed for %lld s more\n",
		    (long long)commit_left(eng));
	out_text(o, "  Kernel routes: %s\n",
	    eng->opts.memory     ? "memory only (-F memory)"
		: eng->decoupled ? "decoupled by an operator"
		: eng->fib_ready ? "ana-fibd is there"
				 : eng->fib_why);
	out_text(o, "  Bogons: %s\n", martian_dates());
	out_str(o, "version", ANA_VERSION);
	out_str(o, "bogons", martian_dates());
	out_strf(o, "as", "%u", eng->conf->as);
	out_str(o, "router_id", id);
	out_bool(o, "lab_mode", eng->conf->lab_mode);
	out_str(o, "started", show_time(eng->start_s, when, sizeof when));
	out_span(o, "uptime", show_since(eng->start_s));
	out_obj(o, "config");
	out_str(o, "path", eng->opts.conf_path);
	out_u64(o, "generation", eng->generation);
	out_bool(o, "last_reload_ok", eng->reload_s == 0 || eng->reload_ok);
	out_span(o, "last_reload", show_since(eng->reload_s));
	out_str(o, "alarm", commit_alarm(eng));
	out_i64(o, "confirm_left_sec", commit_left(eng));
	out_end(o);
	out_u64(o, "neighbors_up", up);
	out_u64(o, "neighbors", all);
	out_obj(o, "fib");
	out_str(o, "kind", eng->opts.memory ? "memory" : "kernel");
	out_bool(o, "ready", eng->fib_ready);
	out_bool(o, "coupled", !eng->decoupled);
	if (!eng->fib_ready)
		out_str(o, "error", eng->fib_why);
	out_u64(o, "drift", st.drift[FAM_INET] + st.drift[FAM_INET6]);
	out_u64(o, "conflicts", st.conflicts);
	out_u64(o, "overruns", st.overruns);
	out_end(o);
	return false;
}

/* ---- health ----------------------------------------------------------- */

/* engine_ready() says who is not up; this adds why. */
static void
add_why(const struct engine *eng, char *buf, size_t n)
{
	char name[256], why[SHOW_WHY_LEN];
	const struct peer *p;

	TAILQ_FOREACH (p, &eng->peers, entry) {
		peer_name(p, name, sizeof name);
		if (p->up != NULL || strncmp(buf, name, strlen(name)) != 0 ||
		    *show_peer_why(p, why, sizeof why) == '\0')
			continue;
		strlcat(buf, ": ", n);
		strlcat(buf, why, n);
		return;
	}
}

/* It, or for IPv6 the address that goes with it.  Of so many links or addresses
 * not all are known. */
static bool
link_is_down(const struct engine *eng, const struct addr *local,
    const struct engine_link **k)
{
	*k = engine_link_of(eng, local);
	if (*k != NULL)
		return !(*k)->l.carrier;
	return eng->naddr > 0 && eng->naddr < ENGINE_ADDRS_MAX &&
	    eng->nlink < ENGINE_LINKS_MAX;
}

/* TCP holds for a while, where nothing goes through any more. */
static void
link_alarm(const struct engine *eng, char *buf, size_t n)
{
	const struct engine_link *k;
	const struct peer *p;
	char name[256];

	TAILQ_FOREACH (p, &eng->peers, entry) {
		if (p->up == NULL || p->conf->multihop != 0)
			continue;
		if (!link_is_down(eng, &p->up->local, &k))
			continue;
		peer_name(p, name, sizeof name);
		snprintf(buf, n,
		    "the link %s%sto %s is down; its session ends with the "
		    "hold time",
		    k != NULL ? k->l.name : "", k != NULL ? " " : "", name);
	}
}

void
show_health(const struct engine *eng, struct show_health *h)
{
	char why[sizeof h->why / 4], line[512];

	h->ready = engine_ready(eng, why, sizeof why / 2);
	count_peers(eng, &h->up, &h->all);
	if (h->ready)
		snprintf(why, sizeof why,
		    "%u of %u neighbors up, all routes in place", h->up,
		    h->all);
	else if (eng->fib_ready)
		add_why(eng, why, sizeof why / 2);
	sets_alarm(eng, h->alarm, sizeof h->alarm);
	link_alarm(eng, h->alarm, sizeof h->alarm);
	if (eng->reload_s != 0 && !eng->reload_ok)
		snprintf(h->alarm, sizeof h->alarm,
		    "the last reload failed, what ran before it still runs: "
		    "\"ana-bgpctl check %.200s\" says what is wrong; then "
		    "\"ana-bgpctl reload\"",
		    eng->opts.conf_path);
	if (*trackd_client_why(eng->trackd) != '\0')
		snprintf(h->alarm, sizeof h->alarm, "ana-trackd %s",
		    trackd_client_why(eng->trackd));
	if (eng->announce->kept > 0)
		snprintf(h->alarm, sizeof h->alarm,
		    "%u networks fail and stay announced, as min-healthy says",
		    eng->announce->kept);
	if (commit_alarm(eng)[0] != '\0')
		strlcpy(h->alarm, commit_alarm(eng), sizeof h->alarm);
	show_maintenance_line(eng, line, sizeof line);
	if (line[0] != '\0') {
		strlcat(why, "; ", sizeof why);
		strlcat(why, line, sizeof why);
	}
	if (h->alarm[0] != '\0') {
		strlcat(why, "; ALARM: ", sizeof why);
		strlcat(why, h->alarm, sizeof why);
	}
	h->ok = h->ready && h->alarm[0] == '\0' && line[0] == '\0';
	out_safe(why, h->why, sizeof h->why);
}

/* One line for cron, a load balancer, the watchdog; the exit code tells. */
static bool
head_health(struct show *s)
{
	struct show_health h;

	show_health(s->eng, &h);
	out_text(s->out, "%s: %s\n", h.ok ? "ok" : "degraded", h.why);
	out_str(s->out, "health", h.ok ? "ok" : "degraded");
	out_bool(s->out, "ready", h.ready);
	out_str(s->out, "alarm", h.alarm);
	out_str(s->out, "maintenance", maint_state_name(s->eng->maint.m.state));
	out_str(s->out, "reason", h.why);
	out_u64(s->out, "neighbors_up", h.up);
	out_u64(s->out, "neighbors", h.all);
	s->code = h.ok ? CMD_DONE : CMD_DEGRADED;
	return false;
}

/* ---- loop ------------------------------------------------------------- */

static bool
head_loop(struct show *s)
{
	static const char *const stage[STAGE_N] = {
		[STAGE_IO] = "io",
		[STAGE_TIMERS] = "timers",
		[STAGE_RIB] = "rib",
		[STAGE_FIB] = "fib",
		[STAGE_OUT] = "out",
		[STAGE_CONTROL] = "control",
	};
	const struct engine_loop *l = &s->eng->loop;
	struct out *o = s->out;

	out_text(o, "%llu turns, the longest took %llu us\n",
	    (unsigned long long)l->turns, (unsigned long long)l->max_turn_us);
	out_text(o, "configurations and sets were read in %llu slices\n\n",
	    (unsigned long long)l->load_slices);
	out_text(o, "%-10s %14s %12s\n", "Stage", "Total us", "Longest us");
	out_obj(o, "evloop");
	out_u64(o, "count", l->turns);
	out_u64(o, "max_turn_usec", l->max_turn_us);
	out_u64(o, "load_slices", l->load_slices);
	for (int i = 0; i < STAGE_N; i++) {
		out_text(o, "%-10s %14llu %12llu\n", stage[i],
		    (unsigned long long)l->us[i],
		    (unsigned long long)l->max_us[i]);
		out_obj(o, stage[i]);
		out_u64(o, "usec", l->us[i]);
		out_u64(o, "max_usec", l->max_us[i]);
		out_end(o);
	}
	out_end(o);
	return false;
}

/* ---- memory ----------------------------------------------------------- */

struct memory {
	struct out *o;
	size_t total;
};

static void
owner(struct memory *m, const char *key, const char *what, uint64_t count,
    size_t size)
{
	m->total += size;
	out_text(m->o, "%10llu %-32s %12zu octets\n", (unsigned long long)count,
	    what, size);
	out_obj(m->o, key);
	out_u64(m->o, "count", count);
	out_u64(m->o, "size", size);
	out_end(m->o);
}

static void
memory_rib(const struct engine *eng, struct memory *m)
{
	const struct export_group *g;
	struct rib_stats rib;
	struct attrs_stats attrs;
	struct adjout_stats out;
	uint64_t n = 0;
	size_t size = 0;

	rib_stats(eng->rib, &rib);
	attrs_stats(eng->attrs, &attrs);
	owner(m, "prefix", "prefixes and paths",
	    rib.paths[FAM_INET] + rib.paths[FAM_INET6], rib.memory);
	m->total += attrs.memory;
	out_text(m->o, "%10zu %-32s %12zu octets, %llu references\n",
	    attrs.sets, "attribute sets", attrs.memory,
	    (unsigned long long)attrs.refs);
	out_obj(m->o, "rde_aspath");
	out_u64(m->o, "count", attrs.sets);
	out_u64(m->o, "size", attrs.memory);
	out_u64(m->o, "references", attrs.refs);
	out_end(m->o);
	TAILQ_FOREACH (g, &eng->groups, entry) {
		adjout_stats(g->out, &out);
		n += out.prefixes[FAM_INET] + out.prefixes[FAM_INET6];
		size += out.memory;
	}
	owner(m, "adjout_prefix", "prefixes announced", n, size);
	owner(m, "nexthop", "next hops", nexthops_count(eng->nexthops),
	    nexthops_memory(eng->nexthops));
}

static void
memory_queues(const struct engine *eng, struct memory *m)
{
	struct fibsync_stats st;
	const struct peer *p;
	uint64_t n = 0;
	size_t size = 0;

	TAILQ_FOREACH (p, &eng->peers, entry) {
		const struct session *all[] = { p->up, p->in, p->out };

		for (int i = 0; i < 3; i++) {
			if (all[i] == NULL)
				continue;
			n++;
			size += sizeof *all[i] + all[i]->tx_cap + SESSION_RX;
		}
		size += sizeof *p;
	}
	fibsync_get_stats(eng->fibsync, &st);
	owner(m, "fib", "routes wanted in the kernel",
	    st.wanted[FAM_INET] + st.wanted[FAM_INET6],
	    fibsync_memory(eng->fibsync));
	owner(m, "engine", "the daemon's own tables", 1, sizeof *eng);
	owner(m, "session", "sessions with their buffers", n, size);
	owner(m, "events", "events kept for watch", events_last(eng->events),
	    events_memory(eng->events));
}

static bool
head_memory(struct show *s)
{
	const struct engine *eng = s->eng;
	struct memory m = { s->out, 0 };
	size_t sets = 0;
	struct mallinfo2 heap = mallinfo2();

	out_obj(s->out, "memory");
	memory_rib(eng, &m);
	memory_queues(eng, &m);
	out_obj(s->out, "total");
	out_u64(s->out, "size", m.total);
	out_end(s->out);
	out_end(s->out);
	for (size_t i = 0; i < eng->conf->nset; i++)
		sets += pfxset_memory(eng->conf->set[i].set);
	out_obj(s->out, "sets");
	owner(&m, "prefix_set", "prefix sets", eng->conf->nset, sets);
	out_obj(s->out, "total");
	out_u64(s->out, "size", sets);
	out_end(s->out);
	out_end(s->out);
	out_text(s->out, "%10s %-32s %12zu octets\n", "", "all of the above",
	    m.total);
	out_text(s->out, "%10s %-32s %12zu octets\n", "",
	    "in use, by the allocator", heap.uordblks + heap.hblkhd);
	out_u64(s->out, "heap", heap.uordblks + heap.hblkhd);
	return false;
}

/* ---- configuration ---------------------------------------------------- */

static bool
head_config(struct show *s)
{
	char *text = conf_print(s->eng->conf,
	    s->req.canonical      ? 0
		: s->req.defaults ? CONF_PRINT_ORIGIN | CONF_PRINT_DEFAULTS
				  : CONF_PRINT_ORIGIN);

	out_text(s->out, "%s", text);
	out_str(s->out, "path", s->eng->opts.conf_path);
	out_str(s->out, "config", text);
	free(text);
	return false;
}

/* ---- the frame -------------------------------------------------------- */

static const struct show_cmd show_cmd_version = { NULL, head_version, NULL },
			     show_cmd_health = { NULL, head_health, NULL },
			     show_cmd_loop = { NULL, head_loop, NULL },
			     show_cmd_memory = { NULL, head_memory, NULL },
			     show_cmd_config = { NULL, head_config, NULL };

static const struct show_cmd *const command[CMD_N] = {
	[CMD_SHOW_SUMMARY] = &show_cmd_summary,
	[CMD_SHOW_NEIGHBOR] = &show_cmd_neighbor,
	[CMD_SHOW_RIB] = &show_cmd_rib,
	[CMD_SHOW_REJECTED] = &show_cmd_rejected,
	[CMD_SHOW_FIB] = &show_cmd_fib,
	[CMD_SHOW_NEXTHOP] = &show_cmd_nexthop,
	[CMD_SHOW_INTERFACES] = &show_cmd_interfaces,
	[CMD_SHOW_VERSION] = &show_cmd_version,
	[CMD_SHOW_ERRORS] = &show_cmd_errors,
	[CMD_SHOW_LOOP] = &show_cmd_loop,
	[CMD_SHOW_MEMORY] = &show_cmd_memory,
	[CMD_SHOW_CONFIG] = &show_cmd_config,
	[CMD_SHOW_POLICY] = &show_cmd_policy,
	[CMD_SHOW_ANNOUNCEMENTS] = &show_cmd_announcements,
	[CMD_EXPLAIN] = &show_cmd_explain,
	[CMD_TEST_ROUTE] = &show_cmd_test_route,
	[CMD_SHOW_METRICS] = &show_cmd_metrics,
	[CMD_SHOW_DRAIN] = &show_cmd_drain,
	[CMD_MAINTENANCE_SHOW] = &show_cmd_maintenance,
	[CMD_SHOW_HISTORY] = &show_cmd_history,
	[CMD_SHOW_SUPPORT] = &show_cmd_support,
	[CMD_WATCH] = &show_cmd_watch,
	[CMD_TRACE] = &show_cmd_trace,
	[CMD_TOP] = &show_cmd_top,
	[CMD_CHECK_HEALTH] = &show_cmd_health,
	[CMD_DIFF] = &show_cmd_plan,
	[CMD_SHOW_SETS] = &show_cmd_sets,
	[CMD_SET_LOAD] = &show_cmd_set_load,
	[CMD_SET_DIFF] = &show_cmd_set_diff,
	[CMD_CHECK_FILE] = &show_cmd_plan,
	[CMD_RELOAD] = &show_cmd_plan,
	[CMD_RELOAD_CONFIRM] = &show_cmd_plan,
	[CMD_RELOAD_UNDO] = &show_cmd_plan,
};

static void
finish(struct show *s)
{
	show_walk_end(s);
	if (s->listing)
		out_end(s->out);
	if (s->key != NULL) { /* a part of an answer */
		out_end(s->out);
		return;
	}
	if (s->code != CMD_DONE && s->err[0] != '\0')
		out_str(s->out, "error", s->err);
	show_ana(s);
	out_end(s->out);
}

void
show_ana(struct show *s)
{
	char name[256], when[32];

	out_obj(s->out, "ana");
	out_str(s->out, "version", ANA_VERSION);
	out_str(s->out, "hostname", show_host(s->eng, name, sizeof name));
	out_str(s->out, "time", show_time(clock_real_s(), when, sizeof when));
	out_u64(s->out, "generation", s->eng->generation);
	out_end(s->out);
}

bool
show_run(struct show *s, unsigned int budget)
{
	const struct show_cmd *c = command[s->req.id];

	if (c == NULL) {
		show_fail(s, CMD_USAGE, "ana-bgpctl answers that by itself");
		return false;
	}
	if (!s->begun) {
		s->begun = true;
		out_obj(s->out, s->key);
		s->listing = c->list != NULL;
		if (s->listing)
			out_arr(s->out, c->list);
		if (!c->head(s)) {
			finish(s);
			return false;
		}
	}
	if (!s->gone && c->rows(s, budget))
		return true;
	if (s->gone)
		show_fail(s, CMD_NOT_FOUND,
		    "the neighbor was removed from the configuration "
		    "meanwhile");
	finish(s);
	return false;
}

void
show_end(struct show *s)
{
	plan_free(s->plan);
	s->plan = NULL;
	commit_load_free(s->load);
	s->load = NULL;
	sets_find_free(s->find);
	s->find = NULL;
	sets_work_free(s->set_work);
	s->set_work = NULL;
	show_walk_end(s);
	show_metrics_free(s->metrics);
	s->metrics = NULL;
	show_support_free(s->support);
	s->support = NULL;
	if (s->routes_wanted)
		events_want_routes(s->eng->events, false);
	s->routes_wanted = false;
	if (s->traces && !s->gone)
		s->eng->by_num[s->only]->traced--;
	s->traces = false;
}

void
show_forget_peer(struct show *s, uint16_t peer)
{
	show_support_forget_peer(s->support, peer);
	if (s->walk_peer == peer)
		show_walk_end(s);
	if (s->only == peer)
		s->gone = true;
}
