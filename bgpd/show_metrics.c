/*
 * show_metrics.c -- every number for the monitoring, in OpenMetrics text; with
 * the word `prometheus` in the older text format 0.0.4 (a counter's name has
 * _total in its TYPE line too, infos and statesets are gauges), which is what
 * node_exporter's textfile collector and promtool read.
 *
 * One table says where a metric lies and by which labels: in the engine, in
 * each peer, or, what is nobody's member, in a view of either.  What has labels
 * of its own is a function.  A family is written at once, with its HELP and
 * TYPE, so that it never breaks apart.  The names of part A, their labels and
 * meaning are those of OpenBGPD; what is ours begins with ana_.
 */
#include <malloc.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "bgpd/commit.h"
#include "bgpd/control.h"
#include "bgpd/engine.h"
#include "bgpd/sets.h"
#include "bgpd/show_cmd.h"
#include "bgpd/show_peer.h"
#include "lib/mem.h"
#include "platform/clock.h"
#include "policy/pfxset.h"
#include "revision.h"

#define NOTHING UINT64_MAX /* in a view: there is no such sample */

enum {
	LABELS = 12,
	LABEL_OCTETS = 4096,
	FAMILIES = 2, /* of a view: inet, inet6 */
	STATES = 6,
	ROUTES = 7,
	TYPES = 4,
	/* Own networks that are told apart for each neighbor: a site has ten.
	 */
	SEEN_MAX = 64
};

enum kind {
	GAUGE,
	COUNTER,
	INFO,
	STATESET,
	HISTOGRAM,
	US = 8 /* of a row: microseconds there, seconds here */
};

/* ---- the views -------------------------------------------------------- */

struct own_view {
	uint64_t one, ready, traffic, lab, reload_ok, reload_s, networks_kept;
	uint64_t octets[TYPES], objects[TYPES], references;
	uint64_t set_octets, set_objects, sets, queue_octets, queue_objects;
	uint64_t fib[FAMILIES][3], log_lost;
	struct fibsync_stats sync;
	uint64_t cpu_us[2], start_s[2], resident[2], virtual[2], heap;
};

struct peer_view {
	uint64_t one, state[STATES], state_raw, changed, last_read, last_write;
	uint64_t told, received, updates_tx, withdraws_tx;
	uint64_t updates_pending, withdraws_pending;
	uint64_t queue_objects, queue_octets[2], up, admin_down, flaps;
	uint64_t routes[FAMILIES][ROUTES], converged_us[FAMILIES];
};

/* A label, and its values in the order of the view. */
struct dimension {
	const char *key;
	unsigned int n;
	const char *value[8];
};

/* clang-format off */
static const struct dimension
	by_family = { "family", FAMILIES, { "inet", "inet6" } },
	by_state = { "bgpd_peer_state", STATES, { "Idle", "Connect", "Active",
	    "OpenSent", "OpenConfirm", "Established" } },
	by_message = { "messages", MSG_N - MSG_OPEN, { "open", "update",
	    "notification", "keepalive", "route_refresh" } },
	by_type = { "type", TYPES, { "prefix", "rde_aspath", "adjout_prefix",
	    "nexthop" } },
	by_references = { "type", 1, { "rde_aspath" } },
	by_set = { "type", 1, { "prefix_set" } },
	by_queue = { "type", 2, { "ibuf_queue", "obuf_queue" } },
	by_input = { "type", 1, { "ibuf_queue" } },
	by_stage = { "stage", STAGE_N, { [STAGE_IO] = "io",
	    [STAGE_TIMERS] = "timers", [STAGE_RIB] = "rib",
	    [STAGE_FIB] = "fib", [STAGE_OUT] = "out",
	    [STAGE_CONTROL] = "control" } },
	by_fib = { "state", 3, { "wanted", "installed", "failed" } },
	by_routes = { "state", ROUTES, { "received", "accepted", "rejected",
	    "best", "fib", "stale", "advertised" } },
	by_action = { "action", 3, { "discard", "withdraw", "reset" } },
	by_limit = { "family", FAM_N, { "all", "inet", "inet6" } },
	by_process = { "process", 2, { "bgpd", "fibd" } },
	by_speaker = { "process", 1, { "bgpd" } };
/* clang-format on */

/* ---- one answer ------------------------------------------------------- */

struct metric;

struct metrics {
	struct out *o;
	struct engine *eng;
	const struct metric *row;
	bool prometheus;
	struct {
		const char *key, *value;
	} label[LABELS];
	char text[LABEL_OCTETS]; /* values of labels that were made here */
	/* What a sample leaves: the labels of its neighbor. */
	unsigned int nlabel, peer_labels;
	size_t used, peer_used;
	uint64_t begun_us;
	size_t next; /* of the table */
	unsigned int lines; /* of this slice */
	uint32_t generation; /* that the views are of; 0: not made yet */
	struct own_view own;
	/* By peer number; best and fib are counted by a walk before. */
	struct peer_view *peer;
	uint16_t npeer;
};

/* Samples out of numbers, of a histogram, or of a function. */
struct metric {
	const char *name, *help;
	enum kind kind;
	bool us; /* microseconds there, seconds here */
	enum {
		IN_OWN,
		IN_ENGINE,
		IN_NEIGHBOR,
		IN_PEER
	} in;
	size_t at, size; /* of the first number there */
	const struct dimension *by[2]; /* the outer one first */
	void (*own)(struct metrics *);
	void (*of)(struct metrics *, const struct peer *);
};

/* ---- writing ---------------------------------------------------------- */

/* A backslash, a quotation mark and a newline are escaped, no more. */
static void
put_label(struct out *o, const char *key, const char *v)
{
	char text[2 * 256 + 1];
	size_t n = 0;

	for (; *v != '\0' && n + 3 <= sizeof text; v++) {
		if (*v == '\\' || *v == '"' || *v == '\n')
			text[n++] = '\\';
		text[n++] = *v == '\n' ? 'n' : *v;
	}
	text[n] = '\0';
	out_text(o, "%s=\"%s\"", key, text);
}

static void
label(struct metrics *m, const char *key, const char *value)
{
	if (m->nlabel == LABELS)
		return;
	m->label[m->nlabel].key = key;
	m->label[m->nlabel++].value = value;
}

/* A label whose value is made here and lives until the family is written. */
static void labelf(struct metrics *, const char *key, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static void
labelf(struct metrics *m, const char *key, const char *fmt, ...)
{
	char *at = m->text + m->used;
	size_t left = sizeof m->text - m->used;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(at, left, fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= left)
		return;
	m->used += (size_t)n + 1;
	label(m, key, at);
}

/* Writes one sample and takes the labels beyond the neighbor's back. */
static void
sample_as(struct metrics *m, const char *suffix, const char *value)
{
	struct out *o = m->o;

	out_text(o, "%s%s", m->row->name, suffix);
	for (unsigned int i = 0; i < m->nlabel; i++) {
		out_text(o, i == 0 ? "{" : ",");
		put_label(o, m->label[i].key, m->label[i].value);
	}
	out_text(o, "%s %s\n", m->nlabel > 0 ? "}" : "", value);
	out_obj(o, NULL);
	if (m->row->kind == HISTOGRAM)
		out_str(o, "suffix", suffix);
	out_obj(o, "labels");
	for (unsigned int i = 0; i < m->nlabel; i++)
		out_str(o, m->label[i].key, m->label[i].value);
	out_end(o);
	out_str(o, "value", value);
	out_end(o);
	m->lines++;
	m->nlabel = m->peer_labels;
	m->used = m->peer_used;
}

static const char *const suffix[] = { [GAUGE] = "",
	[COUNTER] = "_total",
	[INFO] = "_info",
	[STATESET] = "",
	[HISTOGRAM] = "" };

static void
number(struct metrics *m, uint64_t v)
{
	char text[24];

	snprintf(text, sizeof text, "%llu", (unsigned long long)v);
	sample_as(m, suffix[m->row->kind], text);
}

static const char *
seconds(uint64_t us, char *buf, size_t n)
{
	snprintf(buf, n, "%llu.%06llu", (unsigned long long)us / 1000000,
	    (unsigned long long)us % 1000000);
	return buf;
}

/* What stands in a view. */
static void
value(struct metrics *m, uint64_t v)
{
	char text[40];

	if (m->row->us)
		sample_as(
		    m, suffix[m->row->kind], seconds(v, text, sizeof text));
	else
		number(m, v);
}

static void
histogram(struct metrics *m, const struct hist *h)
{
	uint64_t n = 0;
	char text[40];

	for (unsigned int i = 0; i <= HIST_N; i++) {
		n += h->n[i];
		if (i < HIST_N) {
			snprintf(text, sizeof text, "%g",
			    (double)hist_bound(i) / 1e6);
			labelf(m, "le", "%s%s", text,
			    strpbrk(text, ".e") == NULL ? ".0" : "");
		} else
			label(m, "le", "+Inf");
		snprintf(text, sizeof text, "%llu", (unsigned long long)n);
		sample_as(m, "_bucket", text);
	}
	sample_as(m, "_sum", seconds(h->sum_us, text, sizeof text));
	snprintf(text, sizeof text, "%llu", (unsigned long long)n);
	sample_as(m, "_count", text);
}

/* The labels of each sample of this neighbor. */
static void
peer_labels(struct metrics *m, const struct peer *p)
{
	const struct conf_neighbor *c = p->conf;
	char a[ADDR_STRLEN], name[256];

	m->nlabel = 0;
	m->used = 0;
	labelf(m, "remote_addr", "%s", addr_print(&c->addr, a, sizeof a));
	labelf(m, "remote_as", "%u", c->remote_as);
	labelf(m, "description", "%s",
	    out_safe(c->description != NULL ? c->description : "", name,
		sizeof name));
	labelf(m, "group", "%s",
	    out_safe(c->group != NULL ? c->group : "", name, sizeof name));
	m->peer_labels = m->nlabel;
	m->peer_used = m->used;
}

static void
no_labels(struct metrics *m)
{
	m->nlabel = m->peer_labels = 0;
	m->used = m->peer_used = 0;
}

/* "inet", "inet6"; "" for FAM_NONE */
static void
family_label(struct metrics *m, enum fam f)
{
	label(m, "family", f == FAM_NONE ? "" : by_family.value[f - FAM_INET]);
}

/* ---- reading the views ------------------------------------------------ */

static void
view_memory(const struct engine *eng, struct own_view *v)
{
	const struct conf *c = eng->conf;
	struct mallinfo2 heap = mallinfo2();
	const struct export_group *g;
	const struct session *s;
	const struct peer *p;
	struct rib_stats rib;
	struct attrs_stats attrs;
	struct adjout_stats out;

	rib_stats(eng->rib, &rib);
	attrs_stats(eng->attrs, &attrs);
	v->octets[0] = rib.memory;
	v->objects[0] = rib.paths[FAM_INET] + rib.paths[FAM_INET6];
	v->octets[1] = attrs.memory;
	v->objects[1] = attrs.sets;
	v->references = attrs.refs;
	TAILQ_FOREACH (g, &eng->groups, entry) {
		adjout_stats(g->out, &out);
		v->octets[2] += out.memory;
		v->objects[2] +=
		    out.prefixes[FAM_INET] + out.prefixes[FAM_INET6];
	}
	v->octets[3] = nexthops_memory(eng->nexthops);
	v->objects[3] = nexthops_count(eng->nexthops);
	v->sets = c->nset;
	for (size_t i = 0; i < c->nset; i++) {
		v->set_objects += c->set[i].entries;
		if (c->set[i].set != NULL)
			v->set_octets += pfxset_memory(c->set[i].set);
	}
	TAILQ_FOREACH (p, &eng->peers, entry) {
		if ((s = peer_session(p)) == NULL)
			continue;
		v->queue_octets += s->rx_len;
		v->queue_objects += s->rx_len > 0;
	}
	v->heap = heap.uordblks + heap.hblkhd;
}

static void
view_own(struct engine *eng, struct own_view *v)
{
	const struct fib_usage *u = &eng->fib_usage;
	char why[512];

	*v = (struct own_view){ .one = 1,
		.ready = engine_ready(eng, why, sizeof why),
		.lab = eng->conf->lab_mode,
		.reload_ok = eng->reload_s == 0 || eng->reload_ok,
		.reload_s = (uint64_t)(eng->reload_s != 0 ? eng->reload_s
							  : eng->start_s),
		.networks_kept = eng->announce->kept,
		.log_lost = log_lost(),
		.cpu_us = { clock_cpu_us(), u->cpu_us },
		.start_s = { (uint64_t)eng->start_s, u->start_s },
		.virtual = { NOTHING, u->virtual },
		.resident = { NOTHING, u->resident } };
	fibsync_get_stats(eng->fibsync, &v->sync);
	for (int i = 0; i < FAMILIES; i++) {
		v->fib[i][0] = v->sync.wanted[FAM_INET + i];
		v->fib[i][1] = v->sync.installed[FAM_INET + i];
		v->fib[i][2] = v->sync.failed[FAM_INET + i];
	}
	show_pages(eng, &v->virtual[0], &v -> resident[0]);
	if (u->start_s == 0) /* it is not there */
		v->cpu_us[1] = v->start_s[1] = v->virtual
						   [1] = v->resident
							     [1] = NOTHING;
	view_memory(eng, v);
	if (drain_traffic(eng, &v->traffic))
		v->traffic /= 8; /* bits */
	else
		v->traffic = NOTHING;
}

/* Whole seconds since; NOTHING when it never was. */
static uint64_t
ago(const struct peer *p, uint64_t ms)
{
	return ms == 0 ? NOTHING : (p->eng->now_ms - ms) / 1000;
}

static void
view_session(struct peer *p, struct peer_view *v)
{
	const struct session *s = peer_session(p);

	v->one = 1;
	v->state[peer_state(p)] = 1;
	/* 0 is None there: a template, which we have not. */
	v->state_raw = peer_state(p) + 1;
	v->changed =
	    p->last_change_s == 0 ? NOTHING : (uint64_t)show_peer_updown(p);
	v->last_read = ago(p, p->last_read_ms);
	v->last_write = ago(p, p->last_write_ms);
	v->queue_octets[0] = s != NULL ? s->rx_len : 0;
	v->queue_octets[1] = s != NULL ? session_queued(s) : 0;
	v->queue_objects = v->queue_octets[0] > 0;
	v->up = p->up != NULL;
	v->admin_down = p->admin_down || !p->conf->enabled;
	v->flaps = p->established_count - v->up;
}

/* All but what the walk counted: best, and in the kernel. */
static void
view_routes(struct peer *p, struct peer_view *v)
{
	struct adjout_stats st = { .dirty = 0 };

	if (p->member != NULL && !adjout_synced(p->member))
		adjout_stats(adjout_group(p->member), &st);
	v->updates_pending = st.dirty;
	v->withdraws_pending = st.tombstones;
	peer_told(p, &v->updates_tx, &v->withdraws_tx);
	v->received = adjin_received(p->adjin);
	for (int i = 0; i < FAMILIES; i++) {
		enum fam f = (enum fam)(FAM_INET + i);
		const struct adjin_count *n = adjin_count(p->adjin, f);

		v->routes[i][0] = n->received;
		v->routes[i][1] = n->accepted;
		v->routes[i][2] = n->rejected;
		v->routes[i][5] = n->stale;
		v->routes[i][6] = show_peer_told(p, f);
		v->told += v->routes[i][6];
		v->converged_us[i] = p->converged_ms[f] == 0
		    ? NOTHING
		    : (p->converged_ms[f] - 1) * 1000;
	}
}

/* ---- what has labels of its own --------------------------------------- */

static void
m_bgpd(struct metrics *m)
{
	struct utsname u;
	char host[256];

	label(m, "nodename", show_host(m->eng, host, sizeof host));
	if (uname(&u) == 0)
		labelf(m, "domainname", "%s", u.domainname);
	label(m, "release", ANA_VERSION);
	number(m, 1);
}

static void
m_build(struct metrics *m)
{
	label(m, "version", ANA_VERSION);
	label(m, "revision", ANA_REVISION);
	label(m, "libevent", ev_version());
	label(m, "libmd", ANA_LIBMD);
	number(m, 1);
}

static void
m_scrape(struct metrics *m)
{
	value(m, m->eng->world.clock_us() - m->begun_us);
}

static void
m_maintenance(struct metrics *m)
{
	for (int s = 0; s < MAINT_N; s++) {
		label(m, "ana_bgpd_maintenance",
		    maint_state_name((enum maint_state)s));
		number(m, m->eng->maint.m.state == (enum maint_state)s);
	}
}

static void
m_config_hash(struct metrics *m)
{
	struct engine *eng = m->eng;

	if (eng->conf_hash_of != eng->generation) {
		commit_digest(eng->conf, eng->conf_hash);
		eng->conf_hash_of = eng->generation;
	}
	label(m, "sha256", eng->conf_hash);
	number(m, 1);
}

/* Clients now, or those refused. */
static void
m_clients(struct metrics *m)
{
	unsigned int n;
	const char *path;
	uint64_t refused;

	for (size_t i = 0;
	     control_socket(m->eng->control, i, &path, &n, &refused); i++) {
		label(m, "socket", path);
		number(m, m->row->kind == COUNTER ? refused : n);
	}
}

static void
m_fib_errors(struct metrics *m)
{
	struct fibsync_error e;

	for (unsigned int i = 0; fibsync_error(m->eng->fibsync, i, &e); i++)
		for (int f = FAM_NONE; f < FAM_N; f++) {
			if (e.n[f] == 0)
				continue;
			family_label(m, (enum fam)f);
			label(m, "errno",
			    e.err == 0 ? "other"
				: strerrorname_np(e.err) != NULL
				? strerrorname_np(e.err)
				: "unknown");
			number(m, e.n[f]);
		}
}

static void
m_rule_hits(struct metrics *m)
{
	const struct conf *c = m->eng->conf;

	for (size_t i = 0; i < c->npolicy; i++)
		for (size_t k = 0; k < c->policy[i].rules->nrule; k++) {
			const struct rule *r = c->policy[i].rules->rule[k];

			label(m, "policy", c->policy[i].name);
			label(m, "rule", r->name != NULL ? r->name : "");
			number(m, m->eng->rule_hits[r->hit]);
		}
}

static void
m_set_entries(struct metrics *m)
{
	const struct conf *c = m->eng->conf;

	for (size_t i = 0; i < c->nset; i++)
		for (enum fam f = FAM_INET; f < FAM_N; f++) {
			label(m, "set", c->set[i].name);
			family_label(m, f);
			number(m,
			    c->set[i].set != NULL
				? pfxset_count(c->set[i].set, f)
				: 0);
		}
}

static void
m_set_age(struct metrics *m)
{
	const struct conf *c = m->eng->conf;

	for (size_t i = 0; i < c->nset; i++)
		if (c->set[i].oldest != 0) {
			label(m, "set", c->set[i].name);
			number(m, (uint64_t)show_since(c->set[i].oldest));
		}
}

static void
m_set_old(struct metrics *m)
{
	const struct conf *c = m->eng->conf;

	for (size_t i = 0; i < c->nset; i++)
		if (c->set[i].max_age_s != 0) {
			label(m, "set", c->set[i].name);
			number(m, sets_is_old(m->eng, &c->set[i]));
		}
}

static void
prefix_label(struct metrics *m, const struct announce_net *n)
{
	char text[PFX_STRLEN];

	labelf(m, "prefix", "%s", pfx_print(&n->conf.pfx, text, sizeof text));
}

/* Is it announced, or how often did that change? */
static void
m_networks(struct metrics *m)
{
	const struct announce *a = m->eng->announce;

	for (size_t i = 0; i < a->nnet; i++) {
		if (a->net[i]->absent)
			continue;
		prefix_label(m, a->net[i]);
		number(m,
		    m->row->kind == COUNTER ? a->net[i]->transitions
					    : a->net[i]->how.told);
	}
}

static void
m_tracks(struct metrics *m)
{
	const struct announce *a = m->eng->announce;

	for (size_t i = 0; i < a->nnet; i++)
		for (size_t k = 0; k < a->net[i]->conf.ntrack; k++) {
			prefix_label(m, a->net[i]);
			label(m, "track", a->net[i]->track[k]->conf.key);
			number(m, a->net[i]->track[k]->state == TRACK_UP);
		}
}

static void
p_notifications(struct metrics *m, const struct peer *p)
{
	for (int sent = 0; sent < 2; sent++)
		for (unsigned int c = 0; c < PEER_NOTIF_CODES; c++)
			for (unsigned int s = 0; s < PEER_NOTIF_SUBS; s++) {
				uint32_t n = p->notif_total[sent][c][s];

				if (n == 0)
					continue;
				label(
				    m, "direction", sent ? "sent" : "received");
				labelf(m, "code", "%u", c);
				labelf(m, "subcode", "%u", s);
				number(m, n);
			}
}

static void
p_last_reset(struct metrics *m, const struct peer *p)
{
	const struct peer_notif *n = show_peer_notif(p, 0);

	if (n == NULL)
		return;
	label(m, "direction", n->sent ? "sent" : "received");
	labelf(m, "code", "%u", n->code);
	labelf(m, "subcode", "%u", n->sub);
	label(m, "reason",
	    *wire_notif_subname(n->code, n->sub) != '\0'
		? wire_notif_subname(n->code, n->sub)
		: wire_notif_name(n->code));
	number(m, 1);
}

static void
p_max_prefix(struct metrics *m, const struct peer *p)
{
	const struct conf_limit *l = p->conf->limit[CONF_RECEIVED];

	if (p->conf->guard_off & GUARD_BIT(GUARD_MAX_PREFIX))
		return;
	for (int f = FAM_NONE; f < FAM_N; f++) {
		if (l[f].max == 0)
			continue;
		label(m, "family", by_limit.value[f]);
		number(m, l[f].max);
	}
}

/* Those that stand refused, or all since the start. */
static void
p_rejects(struct metrics *m, const struct peer *p)
{
	struct adjin_reason r;

	for (unsigned int i = 0; adjin_reason(p->adjin, i, &r); i++)
		for (enum fam f = FAM_INET; f < FAM_N; f++) {
			if (r.total[f] == 0)
				continue;
			family_label(m, f);
			label(m, "reason", reason_name(r.reason));
			number(
			    m, m->row->kind == COUNTER ? r.total[f] : r.now[f]);
		}
}

static void
p_policy_off(struct metrics *m, const struct peer *p)
{
	for (int g = GUARD_NONE + 1; g < GUARD_N; g++) {
		if (!(p->conf->guard_off & GUARD_BIT(g)))
			continue;
		label(m, "check", reason_guard_word((enum guard)g));
		number(m, 1);
	}
}

/* Is each network of ours announced to this neighbor, or by it? */
static void
p_seen(struct metrics *m, const struct peer *p)
{
	const struct announce *a = m->eng->announce;
	struct rib_path path;
	uint32_t attrs;

	for (size_t i = 0; i < a->nnet && i < SEEN_MAX; i++) {
		const struct pfx *pfx = &a->net[i]->conf.pfx;

		if (a->net[i]->absent)
			continue;
		prefix_label(m, a->net[i]);
		label(m, "direction", "advertised");
		number(m,
		    p->member != NULL && adjout_find(p->member, pfx, &attrs));
		prefix_label(m, a->net[i]);
		label(m, "direction", "received");
		number(m, adjin_find(p->adjin, pfx, &path));
	}
}

/* ---- the table -------------------------------------------------------- */

/* clang-format off */
#define IN(where, type, member) \
	where, offsetof(struct type, member), \
	    sizeof((struct type *)NULL)->member
#define OWN(member) IN(IN_OWN, own_view, member)
#define ENG(member) IN(IN_ENGINE, engine, member)
#define NBR(member) IN(IN_NEIGHBOR, peer_view, member)
#define PEER(member) IN(IN_PEER, peer, member)
#define ROW(name, k, in, help, ...) \
	{ name, help, (enum kind)((k) & ~US), ((k) & US) != 0, in, \
	    { __VA_ARGS__ } }
#define FN(name, k, whose, fn, help) \
	{ name, help, (enum kind)((k) & ~US), ((k) & US) != 0, .whose = fn }

static const struct metric table[] = {
	FN("bgpd", INFO, own, m_bgpd, "Host and release of the daemon."),
	ROW("bgpd_peer", INFO, NBR(one), "One for each configured neighbor."),
	ROW("bgpd_peer_state", STATESET, NBR(state[0]),
	    "State of the session by name.", &by_state),
	ROW("bgpd_peer_state_raw", GAUGE, NBR(state_raw),
	    "State of the session: 1 Idle, 2 Connect, 3 Active, 4 OpenSent, 5 "
	    "OpenConfirm, 6 Established."),
	ROW("bgpd_peer_last_change_seconds", GAUGE, NBR(changed),
	    "Time since the session went up or down."),
	ROW("bgpd_peer_last_read_seconds", GAUGE, NBR(last_read),
	    "Time since the last message was received."),
	ROW("bgpd_peer_last_write_seconds", GAUGE, NBR(last_write),
	    "Time since the last message was sent."),
	ROW("bgpd_peer_prefixes_transmit", GAUGE, NBR(told),
	    "Prefixes announced to the neighbor now."),
	ROW("bgpd_peer_prefixes_receive", GAUGE, NBR(received),
	    "Prefixes received from the neighbor now, refused ones included."),
	ROW("bgpd_peer_message_transmit", COUNTER, PEER(tx.msg[MSG_OPEN]),
	    "Messages sent, by type.", &by_message),
	ROW("bgpd_peer_message_receive", COUNTER, PEER(rx.msg[MSG_OPEN]),
	    "Messages received, by type.", &by_message),
	ROW("bgpd_peer_update_transmit", COUNTER, NBR(updates_tx),
	    "Prefixes announced in UPDATE messages sent."),
	ROW("bgpd_peer_update_receive", COUNTER, PEER(rx.updates),
	    "Prefixes announced in UPDATE messages received."),
	ROW("bgpd_peer_update_pending", GAUGE, NBR(updates_pending),
	    "Prefixes that wait to be announced."),
	ROW("bgpd_peer_withdraw_transmit", COUNTER, NBR(withdraws_tx),
	    "Prefixes withdrawn in UPDATE messages sent."),
	ROW("bgpd_peer_withdraw_receive", COUNTER, PEER(rx.withdraws),
	    "Prefixes withdrawn in UPDATE messages received."),
	ROW("bgpd_peer_withdraw_pending", GAUGE, NBR(withdraws_pending),
	    "Prefixes that wait to be withdrawn."),
	ROW("bgpd_peer_route_refresh_req_transmit", COUNTER,
	    PEER(tx.refresh[0]), "ROUTE-REFRESH requests sent."),
	ROW("bgpd_peer_route_refresh_req_receive", COUNTER, PEER(rx.refresh[0]),
	    "ROUTE-REFRESH requests received."),
	ROW("bgpd_peer_route_refresh_borr_transmit", COUNTER,
	    PEER(tx.refresh[1]), "Beginnings of a route refresh sent."),
	ROW("bgpd_peer_route_refresh_borr_receive", COUNTER,
	    PEER(rx.refresh[1]), "Beginnings of a route refresh received."),
	ROW("bgpd_peer_route_refresh_eorr_transmit", COUNTER,
	    PEER(tx.refresh[2]), "Ends of a route refresh sent."),
	ROW("bgpd_peer_route_refresh_eorr_receive", COUNTER,
	    PEER(rx.refresh[2]), "Ends of a route refresh received."),
	ROW("bgpd_peer_queue_usage_objects", GAUGE, NBR(queue_objects),
	    "Messages of the neighbor that are not complete yet.", &by_input),
	ROW("bgpd_peer_queue_memory_usage_bytes", GAUGE, NBR(queue_octets[0]),
	    "Octets received and not worked on, or waiting to be sent.",
	    &by_queue),
	ROW("bgpd_rde_memory_usage_bytes", GAUGE, OWN(octets[0]),
	    "Memory of the routes, by what uses it.", &by_type),
	ROW("bgpd_rde_memory_usage_objects", GAUGE, OWN(objects[0]),
	    "Objects of the routes, by type.", &by_type),
	ROW("bgpd_rde_memory_usage_references", GAUGE, OWN(references),
	    "References to shared objects, by type.", &by_references),
	ROW("bgpd_rde_set_usage_bytes", GAUGE, OWN(set_octets),
	    "Memory of the prefix sets.", &by_set),
	ROW("bgpd_rde_set_usage_objects", GAUGE, OWN(set_objects),
	    "Entries of the prefix sets.", &by_set),
	ROW("bgpd_rde_set_usage_tables", GAUGE, OWN(sets),
	    "Number of prefix sets.", &by_set),
	ROW("bgpd_rde_queue_bytes", GAUGE, OWN(queue_octets),
	    "Octets received and not worked on, of all neighbors.", &by_input),
	ROW("bgpd_rde_queue_objects", GAUGE, OWN(queue_objects),
	    "Messages that are not complete yet, of all neighbors.", &by_input),
	ROW("bgpd_rde_evloop", COUNTER, ENG(loop.turns),
	    "Turns of the event loop."),
	ROW("bgpd_rde_evloop_seconds", COUNTER | US, ENG(loop.us[0]),
	    "Time spent in each stage of the event loop.", &by_stage),
	FN("ana_bgpd_build", INFO, own, m_build,
	    "Version and commit of the program, and versions of its libraries."),
	ROW("ana_bgpd_up", GAUGE, OWN(one), "1: the daemon answers."),
	ROW("ana_bgpd_ready", GAUGE, OWN(ready),
	    "1 when every neighbor is up and has sent its routes, and the "
	    "kernel's table is as it should be."),
	FN("ana_bgpd_maintenance", STATESET, own, m_maintenance,
	    "The step of the maintenance, idle when there is none."),
	ROW("ana_bgpd_partner_traffic_bytes_per_second", GAUGE, OWN(traffic),
	    "What the links to the neighbors carry in both directions."),
	ROW("ana_bgpd_lab_mode", GAUGE, OWN(lab),
	    "1 when documentation numbers are accepted."),
	ROW("ana_bgpd_restarting", GAUGE, ENG(restarting),
	    "1 while the selection of routes waits after a graceful restart of "
	    "ours."),
	ROW("ana_bgpd_config_generation", GAUGE, ENG(generation),
	    "Number of the configuration in force, from 1."),
	ROW("ana_bgpd_config_last_reload_success", GAUGE, OWN(reload_ok),
	    "0 when the last reload was refused."),
	ROW("ana_bgpd_config_last_reload_timestamp_seconds", GAUGE,
	    OWN(reload_s), "Time of the last reload, or of the start."),
	FN("ana_bgpd_config_hash", INFO, own, m_config_hash,
	    "Digest of the configuration in force, in its canonical form."),
	ROW("ana_bgpd_peer_up", GAUGE, NBR(up),
	    "1 when the session is established."),
	ROW("ana_bgpd_peer_admin_down", GAUGE, NBR(admin_down),
	    "1 when an operator or the configuration keeps it down."),
	ROW("ana_bgpd_peer_drained", GAUGE, PEER(facts.drained),
	    "1 while the neighbor is drained, by a command or a maintenance."),
	ROW("ana_bgpd_peer_established", COUNTER, PEER(established_count),
	    "How often the session was established."),
	ROW("ana_bgpd_peer_flaps", COUNTER, NBR(flaps),
	    "How often an established session ended."),
	FN("ana_bgpd_peer_notifications", COUNTER, of, p_notifications,
	    "NOTIFICATION messages, by direction, code and subcode."),
	FN("ana_bgpd_peer_last_reset", INFO, of, p_last_reset,
	    "The last NOTIFICATION of the neighbor's sessions."),
	ROW("ana_bgpd_peer_routes", GAUGE, NBR(routes[0][0]),
	    "Routes by family: received, accepted, rejected, best, in the "
	    "kernel, stale, advertised.", &by_family, &by_routes),
	FN("ana_bgpd_peer_max_prefix", GAUGE, of, p_max_prefix,
	    "Limit of received prefixes; family all: the session's."),
	ROW("ana_bgpd_peer_max_prefix_exceeded", COUNTER, PEER(limit.trips[0]),
	    "How often a prefix limit was reached; family all: the session's.",
	    &by_limit),
	ROW("ana_bgpd_peer_max_prefix_tripped", GAUGE, PEER(limit.tripped),
	    "1 while a prefix limit holds the session down."),
	FN("ana_bgpd_peer_rejected", GAUGE, of, p_rejects,
	    "Routes that stand refused, by reason."),
	FN("ana_bgpd_peer_rejects", COUNTER, of, p_rejects,
	    "Routes refused since the start, by reason."),
	ROW("ana_bgpd_peer_malformed", COUNTER, PEER(malformed[WIRE_DISCARD]),
	    "Messages in error, by the reaction (RFC 7606).", &by_action),
	ROW("ana_bgpd_peer_restarting", GAUGE, PEER(stale[FAM_INET]),
	    "1 while stale routes of the neighbor are kept (graceful restart).",
	    &by_family),
	ROW("ana_bgpd_peer_convergence_seconds", GAUGE | US,
	    NBR(converged_us[0]), "From Established until the End-of-RIB was "
	    "in and all before it decided and in the kernel.", &by_family),
	FN("ana_bgpd_prefix_seen", GAUGE, of, p_seen,
	    "1 when the network of ours is announced to the neighbor, or by "
	    "it."),
	FN("ana_bgpd_peer_policy_off", GAUGE, of, p_policy_off,
	    "1 for each check that the configuration switches off."),
	FN("ana_bgpd_policy_rule_hits", COUNTER, own, m_rule_hits,
	    "Routes that a rule decided, since it is there by this name."),
	FN("ana_bgpd_filter_set_entries", GAUGE, own, m_set_entries,
	    "Prefixes of a set, by family; 0: it is not loaded."),
	FN("ana_bgpd_filter_set_age_seconds", GAUGE, own, m_set_age,
	    "Age of the oldest file of a set."),
	FN("ana_bgpd_filter_set_old", GAUGE, own, m_set_old,
	    "1 when a set is older than its max-age."),
	FN("ana_bgpd_network_announced", GAUGE, own, m_networks,
	    "1 for each prefix of ours that is announced, else 0."),
	FN("ana_bgpd_network_track_up", GAUGE, own, m_tracks,
	    "1 for each track of a prefix of ours that is up, else 0."),
	FN("ana_bgpd_network_transitions", COUNTER, own, m_networks,
	    "Changes from announced to withdrawn and back, since the start."),
	ROW("ana_bgpd_network_kept", GAUGE, OWN(networks_kept),
	    "Prefixes that fail and stay announced because of min-healthy."),
	ROW("ana_bgpd_fib_up", GAUGE, ENG(fib_ready),
	    "1 when ana-fibd is there, or memory stands in for it."),
	ROW("ana_bgpd_fib_routes", GAUGE, OWN(fib[0][0]),
	    "Routes of the kernel's table by family: wanted, installed, failed.",
	    &by_family, &by_fib),
	ROW("ana_bgpd_fib_pending", GAUGE, OWN(sync.pending),
	    "Routes not asked for or not answered yet."),
	FN("ana_bgpd_fib_errors", COUNTER, own, m_fib_errors,
	    "Requests that the kernel or ana-fibd refused."),
	ROW("ana_bgpd_fib_drift", COUNTER, OWN(sync.drift[FAM_INET]),
	    "Routes of ours that somebody else changed, and were repaired.",
	    &by_family),
	ROW("ana_bgpd_fib_conflicts", COUNTER, OWN(sync.conflicts),
	    "Foreign routes met in the place of ours."),
	ROW("ana_bgpd_fib_overruns", COUNTER, OWN(sync.overruns),
	    "Times that the kernel's events were lost and the table was read "
	    "again."),
	ROW("ana_bgpd_fib_install_seconds", HISTOGRAM, ENG(installs),
	    "From the request for a route until the answer, of one route at a "
	    "time."),
	ROW("ana_bgpd_event_loop_turn_max_seconds", GAUGE | US,
	    ENG(loop.max_turn_us), "The longest turn of the event loop."),
	ROW("ana_bgpd_event_loop_stage_max_seconds", GAUGE | US,
	    ENG(loop.max_us[0]), "The longest run of each stage.", &by_stage),
	ROW("ana_bgpd_event_loop_lag_seconds", HISTOGRAM, ENG(loop.turn),
	    "Length of a turn of the event loop: how long a message may have "
	    "waited."),
	ROW("ana_bgpd_update_process_seconds", HISTOGRAM, ENG(updates),
	    "Time that an UPDATE took: parsing, policy, Adj-RIB-In."),
	FN("ana_bgpd_control_clients", GAUGE, own, m_clients,
	    "Clients of the control sockets now."),
	FN("ana_bgpd_control_refused", COUNTER, own, m_clients,
	    "Clients refused because there were too many."),
	ROW("ana_bgpd_log_lost", COUNTER, OWN(log_lost),
	    "Lines that the log did not take because nobody read them."),
	ROW("ana_bgpd_unknown_connections", COUNTER, ENG(strangers),
	    "Connections from addresses that are no neighbor's."),
	ROW("process_cpu_seconds", COUNTER | US, OWN(cpu_us[0]),
	    "Processor time used.", &by_process),
	ROW("process_start_time_seconds", GAUGE, OWN(start_s[0]),
	    "Time of the start.", &by_process),
	ROW("process_resident_memory_bytes", GAUGE, OWN(resident[0]),
	    "Resident memory.", &by_process),
	ROW("process_virtual_memory_bytes", GAUGE, OWN(virtual[0]),
	    "Virtual memory.", &by_process),
	ROW("process_heap_bytes", GAUGE, OWN(heap),
	    "Memory in use, by the allocator.", &by_speaker),
	FN("bgpd_scrape_seconds", GAUGE | US, own, m_scrape,
	    "Time that this answer took."),
};
/* clang-format on */

/* ---- the answer ------------------------------------------------------- */

static const char *
type_name(const struct metrics *m)
{
	static const char *const name[] = { [GAUGE] = "gauge",
		[COUNTER] = "counter",
		[INFO] = "info",
		[STATESET] = "stateset",
		[HISTOGRAM] = "histogram" };
	bool old = m->row->kind == INFO || m->row->kind == STATESET;

	return name[m->prometheus && old ? GAUGE : m->row->kind];
}

/* One of an array of numbers, of the size that the row says. */
static uint64_t
at(const struct metric *r, const void *base, unsigned int i)
{
	const char *p = (const char *)base + r->at + i * r->size;
	uint32_t u32;
	uint64_t u64;

	if (r->size == sizeof(bool))
		return *(const bool *)p;
	if (r->size == sizeof u32) {
		memcpy(&u32, p, sizeof u32);
		return u32;
	}
	memcpy(&u64, p, sizeof u64);
	return u64;
}

static void
numbers(struct metrics *m, const void *base)
{
	const struct metric *r = m->row;
	unsigned int n = r->by[0] != NULL ? r->by[0]->n : 1;
	unsigned int inner = r->by[1] != NULL ? r->by[1]->n : 1;

	for (unsigned int i = 0; i < n * inner; i++) {
		uint64_t v = at(r, base, i);

		if (v == NOTHING)
			continue;
		if (r->by[0] != NULL)
			label(m, r->by[0]->key, r->by[0]->value[i / inner]);
		if (r->by[1] != NULL)
			label(m, r->by[1]->key, r->by[1]->value[i % inner]);
		value(m, v);
	}
}

static void
samples(struct metrics *m)
{
	const struct metric *r = m->row;
	struct peer *p;

	no_labels(m);
	if (r->own != NULL)
		r->own(m);
	else if (r->kind == HISTOGRAM)
		histogram(m, (const void *)((const char *)m->eng + r->at));
	else if (r->of == NULL && r->in < IN_NEIGHBOR)
		numbers(m, r->in == IN_ENGINE ? (void *)m->eng : &m->own);
	else
		TAILQ_FOREACH (p, &m->eng->peers, entry) {
			/* One that came during the walk waits. */
			if (p->num >= m->npeer)
				continue;
			peer_labels(m, p);
			if (r->of != NULL)
				r->of(m, p);
			else
				numbers(m,
				    r->in == IN_PEER ? (void *)p
						     : &m->peer[p->num]);
		}
}

static void
family(struct metrics *m, const struct metric *row)
{
	const char *tail = m->prometheus ? suffix[row->kind] : "";

	m->row = row;
	out_text(m->o, "# HELP %s%s %s\n", row->name, tail, row->help);
	out_text(m->o, "# TYPE %s%s %s\n", row->name, tail, type_name(m));
	out_obj(m->o, NULL);
	out_str(m->o, "name", row->name);
	out_str(m->o, "type", type_name(m));
	out_str(m->o, "help", row->help);
	out_arr(m->o, "samples");
	samples(m);
	out_end(m->o);
	out_end(m->o);
}

static bool
head_metrics(struct show *s)
{
	struct metrics *m = s->metrics = mem_alloc(sizeof *m);
	const struct peer *p;

	m->o = s->out;
	m->eng = s->eng;
	m->prometheus = s->req.prometheus;
	m->begun_us = s->eng->world.clock_us();
	TAILQ_FOREACH (p, &s->eng->peers, entry)
		if (p->num >= m->npeer)
			m->npeer = (uint16_t)(p->num + 1);
	m->peer = mem_alloc(((size_t)m->npeer + 1) * sizeof *m->peer);
	return true;
}

/* Of one moment; after a reload anew, because neighbors are others. */
static void
make_views(struct metrics *m)
{
	struct peer *p;

	if (m->generation == m->eng->generation)
		return;
	m->generation = m->eng->generation;
	view_own(m->eng, &m->own);
	TAILQ_FOREACH (p, &m->eng->peers, entry)
		if (p->num < m->npeer) {
			view_session(p, &m->peer[p->num]);
			view_routes(p, &m->peer[p->num]);
		}
}

/*
 * First a walk over each peer's routes, then the table: some microseconds a
 * line, so that with many neighbors it is told in slices, too.  None of them
 * ends inside of a family, which must not break apart.
 */
static bool
rows_metrics(struct show *s, unsigned int budget)
{
	struct metrics *m = s->metrics;
	unsigned int looks = budget * 32;
	struct peer_view *v;
	struct peer *p;

	while ((p = show_next_peer(s->eng, s->peer)) != NULL) {
		if (show_count_routes(s, p, &looks))
			return true;
		v = p->num < m->npeer ? &m->peer[p->num] : NULL;
		for (int i = 0; v != NULL && i < FAMILIES; i++) {
			v->routes[i][3] = s->best[FAM_INET + i];
			v->routes[i][4] = s->in_fib[FAM_INET + i];
		}
		s->peer = p->num;
	}
	make_views(m);
	for (m->lines = 0; m->lines < budget;) {
		family(m, &table[m->next]);
		if (++m->next == sizeof table / sizeof table[0]) {
			if (!m->prometheus)
				out_text(s->out, "# EOF\n");
			return false;
		}
	}
	return true;
}

void
show_metrics_free(struct metrics *m)
{
	if (m == NULL)
		return;
	free(m->peer);
	free(m);
}

const struct show_cmd show_cmd_metrics = { "metrics", head_metrics,
	rows_metrics };
