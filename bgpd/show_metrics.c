/*
 * show_metrics.c -- every number for the monitoring, in OpenMetrics text; with
 * the word `prometheus` in the older text format 0.0.4 (a counter's name has
 * _total in its TYPE line too, infos and statesets are gauges), which is what
 * node_exporter's textfile collector and promtool read.
 *
 * What is one number, or some in fixed places, is read into a view of the
 * daemon and of each neighbor; one table says where in it a metric lies and by
 * which labels.  What has labels of its own is a function.  A family is written
 * at once, with its HELP and TYPE, so that it never breaks apart.  The names of
 * part A, their labels and meaning are those of OpenBGPD; what is ours begins
 * with ana_.
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

#define NOTHING UINT64_MAX /* in a view: there is no such sample */

enum {
	LABELS = 12,
	LABEL_OCTETS = 4096,
	FAMILIES = 2, /* of a view: inet, inet6 */
	STATES = 6,
	MESSAGES = 5,
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
	uint64_t one, ready, traffic, lab, generation, reload_ok, reload_s,
	    restarting;
	uint64_t octets[TYPES], objects[TYPES], references;
	uint64_t set_octets, set_objects, sets, queue_octets, queue_objects;
	uint64_t turns, stage_us[STAGE_N], stage_max_us[STAGE_N], turn_max_us;
	uint64_t fib_up, fib[FAMILIES][3], fib_pending, fib_drift[FAMILIES];
	uint64_t fib_conflicts, fib_overruns, strangers, networks_kept;
	uint64_t cpu_us, start_s, resident, virtual, heap;
};

struct peer_view {
	uint64_t one, state[STATES], state_raw, changed, last_read, last_write;
	uint64_t told, received, msg_tx[MESSAGES], msg_rx[MESSAGES];
	uint64_t updates_tx, updates_rx, updates_pending;
	uint64_t withdraws_tx, withdraws_rx, withdraws_pending;
	uint64_t refresh_tx[3], refresh_rx[3], queue_objects, queue_octets[2];
	uint64_t up, admin_down, drained, established, flaps, exceeded, tripped;
	uint64_t routes[FAMILIES][ROUTES], malformed[3];
	uint64_t stale[FAMILIES], converged_us[FAMILIES];
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
	by_message = { "messages", MESSAGES, { "open", "notification", "update",
	    "keepalive", "route_refresh" } },
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
	by_process = { "process", 1, { "bgpd" } };
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
	struct own_view own;
	/* By peer number; best and fib are counted by a walk before. */
	struct peer_view *peer;
	uint16_t npeer;
};

/* One of three: samples out of a view, of a histogram, or of a function. */
struct metric {
	const char *name;
	enum kind kind;
	const char *help;
	bool of_peer, us;
	size_t at; /* in the view, or of the histogram in struct engine */
	const struct dimension *by[2]; /* the outer one first */
	void (*own)(struct metrics *);
	void (*of)(struct metrics *, struct peer *);
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
	if (!show_pages(eng, &v->virtual, &v->resident))
		v->virtual = v->resident = NOTHING;
}

static void
view_own(struct engine *eng, struct own_view *v)
{
	const struct engine_loop *l = &eng->loop;
	struct fibsync_stats st;
	char why[512];

	*v = (struct own_view){ .one = 1,
		.ready = engine_ready(eng, why, sizeof why),
		.lab = eng->conf->lab_mode,
		.generation = eng->generation,
		.reload_ok = eng->reload_s == 0 || eng->reload_ok,
		.reload_s = (uint64_t)(eng->reload_s != 0 ? eng->reload_s
							  : eng->start_s),
		.restarting = eng->restarting,
		.turns = l->turns,
		.turn_max_us = l->max_turn_us,
		.fib_up = eng->fib_ready,
		.strangers = eng->strangers,
		.networks_kept = eng->announce->kept,
		.cpu_us = clock_cpu_us(),
		.start_s = (uint64_t)eng->start_s };
	memcpy(v->stage_us, l->us, sizeof v->stage_us);
	memcpy(v->stage_max_us, l->max_us, sizeof v->stage_max_us);
	fibsync_get_stats(eng->fibsync, &st);
	for (int i = 0; i < FAMILIES; i++) {
		v->fib[i][0] = st.wanted[FAM_INET + i];
		v->fib[i][1] = st.installed[FAM_INET + i];
		v->fib[i][2] = st.failed[FAM_INET + i];
		v->fib_drift[i] = st.drift[FAM_INET + i];
	}
	v->fib_pending = st.pending;
	v->fib_conflicts = st.conflicts;
	v->fib_overruns = st.overruns;
	view_memory(eng, v);
	if (drain_traffic(eng, &v->traffic))
		v->traffic /= 8; /* bits */
	else
		v->traffic = NOTHING;
}

static void
view_messages(const struct peer_msgs *c, uint64_t n[MESSAGES])
{
	static const enum wire_type type[MESSAGES] = { MSG_OPEN,
		MSG_NOTIFICATION, MSG_UPDATE, MSG_KEEPALIVE,
		MSG_ROUTE_REFRESH };

	for (int i = 0; i < MESSAGES; i++)
		n[i] = c->msg[type[i]];
}

static void
view_session(struct peer *p, struct peer_view *v)
{
	/* 0 is None there: a template, which we have not. */
	static const uint8_t raw[FSM_NSTATES] = { [FSM_IDLE] = 1,
		[FSM_CONNECT] = 2,
		[FSM_ACTIVE] = 3,
		[FSM_OPENSENT] = 4,
		[FSM_OPENCONFIRM] = 5,
		[FSM_ESTABLISHED] = 6 };
	const struct session *s = peer_session(p);
	uint64_t now = p->eng->now_ms;

	v->one = 1;
	v->state_raw = raw[peer_state(p)];
	v->state[v->state_raw - 1] = 1;
	v->changed =
	    p->last_change_s == 0 ? NOTHING : (uint64_t)show_peer_updown(p);
	v->last_read =
	    p->last_read_ms == 0 ? NOTHING : (now - p->last_read_ms) / 1000;
	v->last_write =
	    p->last_write_ms == 0 ? NOTHING : (now - p->last_write_ms) / 1000;
	view_messages(&p->tx, v->msg_tx);
	view_messages(&p->rx, v->msg_rx);
	memcpy(v->refresh_tx, p->tx.refresh, sizeof v->refresh_tx);
	memcpy(v->refresh_rx, p->rx.refresh, sizeof v->refresh_rx);
	v->queue_octets[0] = s != NULL ? s->rx_len : 0;
	v->queue_octets[1] = s != NULL ? session_queued(s) : 0;
	v->queue_objects = v->queue_octets[0] > 0;
	v->up = p->up != NULL;
	v->admin_down = p->admin_down || !p->conf->enabled;
	v->drained = p->facts.drained;
	v->established = p->established_count;
	v->flaps = p->established_count - v->up;
	v->exceeded = p->limit.trips;
	v->tripped = p->limit.tripped;
	v->malformed[0] = p->malformed[WIRE_DISCARD];
	v->malformed[1] = p->malformed[WIRE_WITHDRAW];
	v->malformed[2] = p->malformed[WIRE_RESET];
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
	v->updates_rx = p->rx.updates;
	v->withdraws_rx = p->rx.withdraws;
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
		v->stale[i] = p->stale[f];
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
	label(m, "libevent", ev_version());
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

static void
m_clients(struct metrics *m)
{
	unsigned int n;
	const char *path;
	uint64_t refused;

	for (size_t i = 0;
	     control_socket(m->eng->control, i, &path, &n, &refused); i++) {
		label(m, "socket", path);
		number(m, n);
	}
}

static void
m_clients_refused(struct metrics *m)
{
	unsigned int n;
	const char *path;
	uint64_t refused;

	for (size_t i = 0;
	     control_socket(m->eng->control, i, &path, &n, &refused); i++) {
		label(m, "socket", path);
		number(m, refused);
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

	for (size_t i = 0; i < c->nset; i++) {
		if (c->set[i].oldest == 0)
			continue;
		label(m, "set", c->set[i].name);
		number(m, (uint64_t)show_since(c->set[i].oldest));
	}
}

static void
m_set_old(struct metrics *m)
{
	const struct conf *c = m->eng->conf;

	for (size_t i = 0; i < c->nset; i++) {
		if (c->set[i].max_age_s == 0)
			continue;
		label(m, "set", c->set[i].name);
		number(m, sets_is_old(m->eng, &c->set[i]));
	}
}

static void
m_networks(struct metrics *m)
{
	const struct announce *a = m->eng->announce;
	char text[PFX_STRLEN];

	for (size_t i = 0; i < a->nnet; i++) {
		label(m, "prefix",
		    pfx_print(&a->net[i]->conf.pfx, text, sizeof text));
		number(m, a->net[i]->how.told);
	}
}

static void
m_transitions(struct metrics *m)
{
	const struct announce *a = m->eng->announce;
	char text[PFX_STRLEN];

	for (size_t i = 0; i < a->nnet; i++) {
		label(m, "prefix",
		    pfx_print(&a->net[i]->conf.pfx, text, sizeof text));
		number(m, a->net[i]->transitions);
	}
}

static void
m_tracks(struct metrics *m)
{
	const struct announce *a = m->eng->announce;
	char text[PFX_STRLEN];

	for (size_t i = 0; i < a->nnet; i++)
		for (size_t k = 0; k < a->net[i]->conf.ntrack; k++) {
			label(m, "prefix",
			    pfx_print(&a->net[i]->conf.pfx, text, sizeof text));
			label(m, "track", a->net[i]->track[k]->conf.key);
			number(m, a->net[i]->track[k]->state == TRACK_UP);
		}
}

static void
p_notifications(struct metrics *m, struct peer *p)
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
p_last_reset(struct metrics *m, struct peer *p)
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
p_max_prefix(struct metrics *m, struct peer *p)
{
	const struct conf_limit *l = p->conf->limit[CONF_RECEIVED];

	if (p->conf->guard_off & GUARD_BIT(GUARD_MAX_PREFIX))
		return;
	for (int f = FAM_NONE; f < FAM_N; f++) {
		if (l[f].max == 0)
			continue;
		label(m, "family",
		    f == FAM_NONE       ? "all"
			: f == FAM_INET ? "inet"
					: "inet6");
		number(m, l[f].max);
	}
}

static void
rejects(struct metrics *m, struct peer *p, bool now)
{
	struct adjin_reason r;

	for (unsigned int i = 0; adjin_reason(p->adjin, i, &r); i++)
		for (enum fam f = FAM_INET; f < FAM_N; f++) {
			if (r.total[f] == 0)
				continue;
			family_label(m, f);
			label(m, "reason", reason_name(r.reason));
			number(m, now ? r.now[f] : r.total[f]);
		}
}

static void
p_rejected(struct metrics *m, struct peer *p)
{
	rejects(m, p, true);
}

static void
p_rejects(struct metrics *m, struct peer *p)
{
	rejects(m, p, false);
}

static void
p_policy_off(struct metrics *m, struct peer *p)
{
	for (int g = GUARD_NONE + 1; g < GUARD_N; g++) {
		if (!(p->conf->guard_off & GUARD_BIT(g)))
			continue;
		label(m, "check", reason_guard_word((enum guard)g));
		number(m, 1);
	}
}

/* Is each network of ours announced to this neighbor? */
static void
p_seen(struct metrics *m, struct peer *p)
{
	const struct announce *a = m->eng->announce;
	char text[PFX_STRLEN];
	uint32_t attrs;

	for (size_t i = 0; i < a->nnet && i < SEEN_MAX; i++) {
		label(m, "prefix",
		    pfx_print(&a->net[i]->conf.pfx, text, sizeof text));
		label(m, "direction", "advertised");
		number(m,
		    p->member != NULL &&
			adjout_find(p->member, &a->net[i]->conf.pfx, &attrs));
	}
}

/* ---- the table -------------------------------------------------------- */

/* clang-format off */
#define ROW(name, k, help, of_peer, at, ...) \
	{ name, (enum kind)((k) & ~US), help, of_peer, ((k) & US) != 0, at, \
	    __VA_ARGS__ }
#define OWN_BY(name, k, member, by, by2, help) \
	ROW(name, k, help, false, offsetof(struct own_view, member), \
	    { by, by2 })
#define PEER_BY(name, k, member, by, by2, help) \
	ROW(name, k, help, true, offsetof(struct peer_view, member), \
	    { by, by2 })
#define OWN(name, k, member, help) OWN_BY(name, k, member, NULL, NULL, help)
#define PEER(name, k, member, help) PEER_BY(name, k, member, NULL, NULL, help)
#define HIST(name, member, help) \
	ROW(name, HISTOGRAM, help, false, offsetof(struct engine, member))
#define OWN_FN(name, k, fn, help) \
	ROW(name, k, help, false, 0, .own = fn)
#define PEER_FN(name, k, fn, help) \
	ROW(name, k, help, true, 0, .of = fn)

static const struct metric table[] = {
	OWN_FN("bgpd", INFO, m_bgpd,
	    "Host and release of the daemon."),
	PEER("bgpd_peer", INFO, one,
	    "One for each configured neighbor."),
	PEER_BY("bgpd_peer_state", STATESET, state, &by_state, NULL,
	    "State of the session by name."),
	PEER("bgpd_peer_state_raw", GAUGE, state_raw,
	    "State of the session: 1 Idle, 2 Connect, 3 Active, 4 "
	    "OpenSent, 5 OpenConfirm, 6 Established."),
	PEER("bgpd_peer_last_change_seconds", GAUGE, changed,
	    "Time since the session went up or down."),
	PEER("bgpd_peer_last_read_seconds", GAUGE, last_read,
	    "Time since the last message was received."),
	PEER("bgpd_peer_last_write_seconds", GAUGE, last_write,
	    "Time since the last message was sent."),
	PEER("bgpd_peer_prefixes_transmit", GAUGE, told,
	    "Prefixes announced to the neighbor now."),
	PEER("bgpd_peer_prefixes_receive", GAUGE, received,
	    "Prefixes received from the neighbor now, refused ones "
	    "included."),
	PEER_BY("bgpd_peer_message_transmit",
	    COUNTER, msg_tx, &by_message, NULL,
	    "Messages sent, by type."),
	PEER_BY("bgpd_peer_message_receive", COUNTER, msg_rx, &by_message, NULL,
	    "Messages received, by type."),
	PEER("bgpd_peer_update_transmit", COUNTER, updates_tx,
	    "Prefixes announced in UPDATE messages sent."),
	PEER("bgpd_peer_update_receive", COUNTER, updates_rx,
	    "Prefixes announced in UPDATE messages received."),
	PEER("bgpd_peer_update_pending", GAUGE, updates_pending,
	    "Prefixes that wait to be announced."),
	PEER("bgpd_peer_withdraw_transmit", COUNTER, withdraws_tx,
	    "Prefixes withdrawn in UPDATE messages sent."),
	PEER("bgpd_peer_withdraw_receive", COUNTER, withdraws_rx,
	    "Prefixes withdrawn in UPDATE messages received."),
	PEER("bgpd_peer_withdraw_pending", GAUGE, withdraws_pending,
	    "Prefixes that wait to be withdrawn."),
	PEER("bgpd_peer_route_refresh_req_transmit", COUNTER, refresh_tx[0],
	    "ROUTE-REFRESH requests sent."),
	PEER("bgpd_peer_route_refresh_req_receive", COUNTER, refresh_rx[0],
	    "ROUTE-REFRESH requests received."),
	PEER("bgpd_peer_route_refresh_borr_transmit", COUNTER, refresh_tx[1],
	    "Beginnings of a route refresh sent."),
	PEER("bgpd_peer_route_refresh_borr_receive", COUNTER, refresh_rx[1],
	    "Beginnings of a route refresh received."),
	PEER("bgpd_peer_route_refresh_eorr_transmit", COUNTER, refresh_tx[2],
	    "Ends of a route refresh sent."),
	PEER("bgpd_peer_route_refresh_eorr_receive", COUNTER, refresh_rx[2],
	    "Ends of a route refresh received."),
	PEER_BY("bgpd_peer_queue_usage_objects", GAUGE,
	    queue_objects, &by_input, NULL,
	    "Messages of the neighbor that are not complete yet."),
	PEER_BY("bgpd_peer_queue_memory_usage_bytes", GAUGE,
	    queue_octets, &by_queue, NULL,
	    "Octets received and not worked on, or waiting to be sent."),
	OWN_BY("bgpd_rde_memory_usage_bytes", GAUGE, octets, &by_type, NULL,
	    "Memory of the routes, by what uses it."),
	OWN_BY("bgpd_rde_memory_usage_objects", GAUGE, objects, &by_type, NULL,
	    "Objects of the routes, by type."),
	OWN_BY("bgpd_rde_memory_usage_references", GAUGE,
	    references, &by_references, NULL,
	    "References to shared objects, by type."),
	OWN_BY("bgpd_rde_set_usage_bytes", GAUGE, set_octets, &by_set, NULL,
	    "Memory of the prefix sets."),
	OWN_BY("bgpd_rde_set_usage_objects", GAUGE, set_objects, &by_set, NULL,
	    "Entries of the prefix sets."),
	OWN_BY("bgpd_rde_set_usage_tables", GAUGE, sets, &by_set, NULL,
	    "Number of prefix sets."),
	OWN_BY("bgpd_rde_queue_bytes", GAUGE, queue_octets, &by_input, NULL,
	    "Octets received and not worked on, of all neighbors."),
	OWN_BY("bgpd_rde_queue_objects", GAUGE, queue_objects, &by_input, NULL,
	    "Messages that are not complete yet, of all neighbors."),
	OWN("bgpd_rde_evloop", COUNTER, turns,
	    "Turns of the event loop."),
	OWN_BY("bgpd_rde_evloop_seconds", COUNTER | US,
	    stage_us, &by_stage, NULL,
	    "Time spent in each stage of the event loop."),
	OWN_FN("ana_bgpd_build", INFO, m_build,
	    "Version of the program and of its library."),
	OWN("ana_bgpd_up", GAUGE, one,
	    "1: the daemon answers."),
	OWN("ana_bgpd_ready", GAUGE, ready,
	    "1 when every neighbor's End-of-RIB is in and the kernel's "
	    "table is as it should be."),
	OWN_FN("ana_bgpd_maintenance", STATESET, m_maintenance,
	    "The step of the maintenance, idle when there is none."),
	OWN("ana_bgpd_partner_traffic_bytes_per_second", GAUGE, traffic,
	    "What the links to the neighbors carry in both directions."),
	OWN("ana_bgpd_lab_mode", GAUGE, lab,
	    "1 when documentation numbers are accepted."),
	OWN("ana_bgpd_restarting", GAUGE, restarting,
	    "1 while the selection of routes waits after a graceful "
	    "restart of ours."),
	OWN("ana_bgpd_config_generation", GAUGE, generation,
	    "Number of the configuration in force, from 1."),
	OWN("ana_bgpd_config_last_reload_success", GAUGE, reload_ok,
	    "0 when the last reload was refused."),
	OWN("ana_bgpd_config_last_reload_timestamp_seconds", GAUGE, reload_s,
	    "Time of the last reload, or of the start."),
	OWN_FN("ana_bgpd_config_hash", INFO, m_config_hash,
	    "Digest of the configuration in force, in its canonical "
	    "form."),
	PEER("ana_bgpd_peer_up", GAUGE, up,
	    "1 when the session is established."),
	PEER("ana_bgpd_peer_admin_down", GAUGE, admin_down,
	    "1 when an operator or the configuration keeps it down."),
	PEER("ana_bgpd_peer_drained", GAUGE, drained,
	    "1 while the neighbor is drained, by a command or a maintenance."),
	PEER("ana_bgpd_peer_established", COUNTER, established,
	    "How often the session was established."),
	PEER("ana_bgpd_peer_flaps", COUNTER, flaps,
	    "How often an established session ended."),
	PEER_FN("ana_bgpd_peer_notifications", COUNTER, p_notifications,
	    "NOTIFICATION messages, by direction, code and subcode."),
	PEER_FN("ana_bgpd_peer_last_reset", INFO, p_last_reset,
	    "The last NOTIFICATION of the neighbor's sessions."),
	PEER_BY("ana_bgpd_peer_routes", GAUGE, routes, &by_family, &by_routes,
	    "Routes by family: received, accepted, rejected, best, in "
	    "the kernel, stale, advertised."),
	PEER_FN("ana_bgpd_peer_max_prefix", GAUGE, p_max_prefix,
	    "Limit of received prefixes; family all: the session's."),
	PEER("ana_bgpd_peer_max_prefix_exceeded", COUNTER, exceeded,
	    "How often the session went over its prefix limit."),
	PEER("ana_bgpd_peer_max_prefix_tripped", GAUGE, tripped,
	    "1 while a prefix limit holds the session down."),
	PEER_FN("ana_bgpd_peer_rejected", GAUGE, p_rejected,
	    "Routes that stand refused, by reason."),
	PEER_FN("ana_bgpd_peer_rejects", COUNTER, p_rejects,
	    "Routes refused since the start, by reason."),
	PEER_BY("ana_bgpd_peer_malformed", COUNTER, malformed, &by_action, NULL,
	    "Messages in error, by the reaction (RFC 7606)."),
	PEER_BY("ana_bgpd_peer_restarting", GAUGE, stale, &by_family, NULL,
	    "1 while stale routes of the neighbor are kept (graceful "
	    "restart)."),
	PEER_BY("ana_bgpd_peer_convergence_seconds", GAUGE | US,
	    converged_us, &by_family, NULL,
	    "From Established until the End-of-RIB was in and all "
	    "before it decided and in the kernel."),
	PEER_FN("ana_bgpd_prefix_seen", GAUGE, p_seen,
	    "1 when the network of ours is announced to the neighbor."),
	PEER_FN("ana_bgpd_peer_policy_off", GAUGE, p_policy_off,
	    "1 for each check that the configuration switches off."),
	OWN_FN("ana_bgpd_policy_rule_hits", COUNTER, m_rule_hits,
	    "Routes that a rule decided, since the last reload."),
	OWN_FN("ana_bgpd_filter_set_entries", GAUGE, m_set_entries,
	    "Prefixes of a set, by family; 0: it is not loaded."),
	OWN_FN("ana_bgpd_filter_set_age_seconds", GAUGE, m_set_age,
	    "Age of the oldest file of a set."),
	OWN_FN("ana_bgpd_filter_set_old", GAUGE, m_set_old,
	    "1 when a set is older than its max-age."),
	OWN_FN("ana_bgpd_network_announced", GAUGE, m_networks,
	    "1 for each prefix of ours that is announced, else 0."),
	OWN_FN("ana_bgpd_network_track_up", GAUGE, m_tracks,
	    "1 for each track of a prefix of ours that is up, else 0."),
	OWN_FN("ana_bgpd_network_transitions", COUNTER, m_transitions,
	    "Changes from announced to withdrawn and back, since the start."),
	OWN("ana_bgpd_network_kept", GAUGE, networks_kept,
	    "Prefixes that fail and stay announced because of min-healthy."),
	OWN("ana_bgpd_fib_up", GAUGE, fib_up,
	    "1 when ana-fibd is there, or memory stands in for it."),
	OWN_BY("ana_bgpd_fib_routes", GAUGE, fib, &by_family, &by_fib,
	    "Routes of the kernel's table by family: wanted, installed, "
	    "failed."),
	OWN("ana_bgpd_fib_pending", GAUGE, fib_pending,
	    "Routes not asked for or not answered yet."),
	OWN_FN("ana_bgpd_fib_errors", COUNTER, m_fib_errors,
	    "Requests that the kernel or ana-fibd refused."),
	OWN_BY("ana_bgpd_fib_drift", COUNTER, fib_drift, &by_family, NULL,
	    "Routes of ours that somebody else changed, and were "
	    "repaired."),
	OWN("ana_bgpd_fib_conflicts", COUNTER, fib_conflicts,
	    "Foreign routes met in the place of ours."),
	OWN("ana_bgpd_fib_overruns", COUNTER, fib_overruns,
	    "Times that the kernel's events were lost and the table was "
	    "read again."),
	HIST("ana_bgpd_fib_install_seconds", installs,
	    "From the request for a route until the answer, of one "
	    "route at a time."),
	OWN("ana_bgpd_event_loop_turn_max_seconds", GAUGE | US, turn_max_us,
	    "The longest turn of the event loop."),
	OWN_BY("ana_bgpd_event_loop_stage_max_seconds", GAUGE | US,
	    stage_max_us, &by_stage, NULL,
	    "The longest run of each stage."),
	HIST("ana_bgpd_event_loop_lag_seconds", loop.turn,
	    "Length of a turn of the event loop: how long a message may "
	    "have waited."),
	HIST("ana_bgpd_update_process_seconds", updates,
	    "Time that an UPDATE took: parsing, policy, Adj-RIB-In."),
	OWN_FN("ana_bgpd_control_clients", GAUGE, m_clients,
	    "Clients of the control sockets now."),
	OWN_FN("ana_bgpd_control_refused", COUNTER, m_clients_refused,
	    "Clients refused because there were too many."),
	OWN("ana_bgpd_unknown_connections", COUNTER, strangers,
	    "Connections from addresses that are no neighbor's."),
	OWN_BY("process_cpu_seconds", COUNTER | US, cpu_us, &by_process, NULL,
	    "Processor time used."),
	OWN_BY("process_start_time_seconds", GAUGE, start_s, &by_process, NULL,
	    "Time of the start."),
	OWN_BY("process_resident_memory_bytes", GAUGE,
	    resident, &by_process, NULL,
	    "Resident memory."),
	OWN_BY("process_virtual_memory_bytes",
	    GAUGE, virtual, &by_process, NULL,
	    "Virtual memory."),
	OWN_BY("process_heap_bytes", GAUGE, heap, &by_process, NULL,
	    "Memory in use, by the allocator."),
	OWN_FN("bgpd_scrape_seconds", GAUGE | US, m_scrape,
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

static void
from_view(struct metrics *m, const void *view)
{
	const struct metric *r = m->row;
	const uint64_t *v =
	    (const uint64_t *)(const void *)((const char *)view + r->at);
	unsigned int n = r->by[0] != NULL ? r->by[0]->n : 1;
	unsigned int inner = r->by[1] != NULL ? r->by[1]->n : 1;

	for (unsigned int i = 0; i < n * inner; i++) {
		if (v[i] == NOTHING)
			continue;
		if (r->by[0] != NULL)
			label(m, r->by[0]->key, r->by[0]->value[i / inner]);
		if (r->by[1] != NULL)
			label(m, r->by[1]->key, r->by[1]->value[i % inner]);
		value(m, v[i]);
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
		histogram(m,
		    (const struct hist *)(const void *)((char *)m->eng +
			r->at));
	else if (!r->of_peer)
		from_view(m, &m->own);
	else
		TAILQ_FOREACH (p, &m->eng->peers, entry) {
			/* One that came during the walk waits. */
			if (p->num >= m->npeer)
				continue;
			peer_labels(m, p);
			if (r->of != NULL)
				r->of(m, p);
			else
				from_view(m, &m->peer[p->num]);
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

/*
 * First a walk over each peer's routes, in slices, then the table, all in one:
 * some microseconds a line, and never a family that breaks apart.
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
	view_own(s->eng, &m->own);
	TAILQ_FOREACH (p, &s->eng->peers, entry)
		if (p->num < m->npeer) {
			view_session(p, &m->peer[p->num]);
			view_routes(p, &m->peer[p->num]);
		}
	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
		family(m, &table[i]);
	if (!m->prometheus)
		out_text(s->out, "# EOF\n");
	return false;
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
