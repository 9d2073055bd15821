/*
 * show_metrics.c -- every number for the monitoring, in OpenMetrics text; with
 * the word `prometheus` in the older text format 0.0.4 (a counter's name has
 * _total in its TYPE line too, infos and statesets are gauges), which is what
 * node_exporter's textfile collector and promtool read.
 *
 * One table says what there is; each row is written at once, with its HELP and
 * TYPE, so that a family never breaks apart.  The names of part A, their
 * labels and meaning are those of OpenBGPD; what is ours begins with ana_.
 */
#include <malloc.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "bgpd/control.h"
#include "bgpd/engine.h"
#include "bgpd/sets.h"
#include "bgpd/show_cmd.h"
#include "bgpd/show_peer.h"
#include "lib/mem.h"
#include "platform/clock.h"
#include "policy/pfxset.h"

enum kind {
	GAUGE,
	COUNTER,
	INFO,
	STATESET
};

enum {
	LABELS = 12,
	LABEL_OCTETS = 4096,
	PEER_LABELS = 4
};

struct metrics {
	struct out *o;
	struct engine *eng;
	const struct metric *row;
	bool prometheus;
	struct {
		const char *key, *value;
	} label[LABELS];
	unsigned int nlabel;
	char text[LABEL_OCTETS]; /* values of labels that were made here */
	size_t used;
	uint64_t begun_us;
	/* Counted by a walk before: by peer number. */
	struct metrics_peer {
		uint32_t best[FAM_N], in_fib[FAM_N];
	} * peer;
	uint16_t npeer;
};

struct metric {
	const char *name;
	enum kind kind;
	const char *help;
	/* One of the two: all samples of the family, or one a peer. */
	void (*all)(struct metrics *);
	void (*one)(struct metrics *, struct peer *);
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

static const char *
suffix(const struct metrics *m)
{
	switch (m->row->kind) {
	case COUNTER:
		return "_total";
	case INFO:
		return "_info";
	case GAUGE:
	case STATESET:
		break;
	}
	return "";
}

/* Writes one sample and takes the labels beyond the first `keep` back. */
static void
sample(struct metrics *m, const char *value, unsigned int keep)
{
	struct out *o = m->o;

	out_text(o, "%s%s", m->row->name, suffix(m));
	for (unsigned int i = 0; i < m->nlabel; i++) {
		out_text(o, i == 0 ? "{" : ",");
		put_label(o, m->label[i].key, m->label[i].value);
	}
	out_text(o, "%s %s\n", m->nlabel > 0 ? "}" : "", value);
	out_obj(o, NULL);
	out_obj(o, "labels");
	for (unsigned int i = 0; i < m->nlabel; i++)
		out_str(o, m->label[i].key, m->label[i].value);
	out_end(o);
	out_str(o, "value", value);
	out_end(o);
	m->nlabel = keep;
	if (keep == 0)
		m->used = 0;
}

static void
number(struct metrics *m, uint64_t v, unsigned int keep)
{
	char text[24];

	snprintf(text, sizeof text, "%llu", (unsigned long long)v);
	sample(m, text, keep);
}

static void
seconds(struct metrics *m, uint64_t us, unsigned int keep)
{
	char text[40];

	snprintf(text, sizeof text, "%llu.%06llu",
	    (unsigned long long)us / 1000000, (unsigned long long)us % 1000000);
	sample(m, text, keep);
}

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
}

/* A peer's plain number. */
static void
of_peer(struct metrics *m, uint64_t v)
{
	number(m, v, PEER_LABELS);
}

static void
of_family(struct metrics *m, enum fam f, const char *state, uint64_t v,
    unsigned int keep)
{
	label(m, "family", f == FAM_INET ? "inet" : "inet6");
	if (state != NULL)
		label(m, "state", state);
	number(m, v, keep);
}

/* ---- about ourselves -------------------------------------------------- */

static void
m_bgpd(struct metrics *m)
{
	const struct conf *c = m->eng->conf;
	struct utsname u;
	char host[256] = "";

	gethostname(host, sizeof host - 1);
	label(m, "nodename", c->hostname != NULL ? c->hostname : host);
	if (uname(&u) == 0)
		labelf(m, "domainname", "%s", u.domainname);
	label(m, "release", ANA_VERSION);
	number(m, 1, 0);
}

static void
m_build(struct metrics *m)
{
	label(m, "version", ANA_VERSION);
	label(m, "libevent", ev_version());
	number(m, 1, 0);
}

static void
m_scrape(struct metrics *m)
{
	seconds(m, m->eng->world.clock_us() - m->begun_us, 0);
}

static void
m_up(struct metrics *m)
{
	number(m, 1, 0);
}

static void
m_ready(struct metrics *m)
{
	char why[512];

	number(m, engine_ready(m->eng, why, sizeof why), 0);
}

static void
m_generation(struct metrics *m)
{
	number(m, m->eng->generation, 0);
}

static void
m_reload_ok(struct metrics *m)
{
	number(m, m->eng->reload_s == 0 || m->eng->reload_ok, 0);
}

static void
m_reload_time(struct metrics *m)
{
	number(m,
	    (uint64_t)(m->eng->reload_s != 0 ? m->eng->reload_s
					     : m->eng->start_s),
	    0);
}

static void
m_lab(struct metrics *m)
{
	number(m, m->eng->conf->lab_mode, 0);
}

static void
m_strangers(struct metrics *m)
{
	number(m, m->eng->strangers, 0);
}

static void
m_clients(struct metrics *m)
{
	number(m, control_clients(m->eng->control), 0);
}

static void
m_turns(struct metrics *m)
{
	number(m, m->eng->loop.turns, 0);
}

static const char *const stage_name[STAGE_N] = {
	[STAGE_IO] = "io",
	[STAGE_TIMERS] = "timers",
	[STAGE_RIB] = "rib",
	[STAGE_FIB] = "fib",
	[STAGE_OUT] = "out",
	[STAGE_CONTROL] = "control",
};

static void
m_stages(struct metrics *m)
{
	for (int i = 0; i < STAGE_N; i++) {
		label(m, "stage", stage_name[i]);
		seconds(m, m->eng->loop.us[i], 0);
	}
}

static void
m_stage_max(struct metrics *m)
{
	for (int i = 0; i < STAGE_N; i++) {
		label(m, "stage", stage_name[i]);
		seconds(m, m->eng->loop.max_us[i], 0);
	}
}

static void
m_turn_max(struct metrics *m)
{
	seconds(m, m->eng->loop.max_turn_us, 0);
}

static void
m_cpu(struct metrics *m)
{
	label(m, "process", "bgpd");
	seconds(m, clock_cpu_us(), 0);
}

static void
m_started(struct metrics *m)
{
	label(m, "process", "bgpd");
	number(m, (uint64_t)m->eng->start_s, 0);
}

/* The second number of /proc/self/statm; opened before the sandbox. */
static void
m_resident(struct metrics *m)
{
	unsigned long long size, pages;
	char text[128];
	ssize_t n = -1;

	if (m->eng->statm_fd != -1)
		n = pread(m->eng->statm_fd, text, sizeof text - 1, 0);
	if (n <= 0)
		return;
	text[n] = '\0';
	if (sscanf(text, "%llu %llu", &size, &pages) != 2)
		return;
	label(m, "process", "bgpd");
	number(m, pages * (unsigned long long)sysconf(_SC_PAGESIZE), 0);
}

static void
m_heap(struct metrics *m)
{
	struct mallinfo2 heap = mallinfo2();

	label(m, "process", "bgpd");
	number(m, heap.uordblks + heap.hblkhd, 0);
}

/* ---- the RIB ---------------------------------------------------------- */

struct usage {
	const char *type;
	uint64_t octets, objects, references;
	bool counted; /* has references */
};

static unsigned int
usages(struct engine *eng, struct usage u[4])
{
	const struct export_group *g;
	struct rib_stats rib;
	struct attrs_stats attrs;
	struct adjout_stats out;

	rib_stats(eng->rib, &rib);
	attrs_stats(eng->attrs, &attrs);
	u[0] = (struct usage){ "prefix", rib.memory,
		rib.paths[FAM_INET] + rib.paths[FAM_INET6], 0, false };
	u[1] = (struct usage){ "rde_aspath", attrs.memory, attrs.sets,
		attrs.refs, true };
	u[2] = (struct usage){ "adjout_prefix", 0, 0, 0, false };
	TAILQ_FOREACH (g, &eng->groups, entry) {
		adjout_stats(g->out, &out);
		u[2].octets += out.memory;
		u[2].objects +=
		    out.prefixes[FAM_INET] + out.prefixes[FAM_INET6];
	}
	u[3] = (struct usage){ "nexthop", nexthops_memory(eng->nexthops),
		nexthops_count(eng->nexthops), 0, false };
	return 4;
}

static void
m_memory_octets(struct metrics *m)
{
	struct usage u[4];
	unsigned int n = usages(m->eng, u);

	for (unsigned int i = 0; i < n; i++) {
		label(m, "type", u[i].type);
		number(m, u[i].octets, 0);
	}
}

static void
m_memory_objects(struct metrics *m)
{
	struct usage u[4];
	unsigned int n = usages(m->eng, u);

	for (unsigned int i = 0; i < n; i++) {
		label(m, "type", u[i].type);
		number(m, u[i].objects, 0);
	}
}

static void
m_memory_references(struct metrics *m)
{
	struct usage u[4];
	unsigned int n = usages(m->eng, u);

	for (unsigned int i = 0; i < n; i++) {
		if (!u[i].counted)
			continue;
		label(m, "type", u[i].type);
		number(m, u[i].references, 0);
	}
}

static void
m_set_octets(struct metrics *m)
{
	const struct conf *c = m->eng->conf;
	uint64_t n = 0;

	for (size_t i = 0; i < c->nset; i++)
		if (c->set[i].set != NULL)
			n += pfxset_memory(c->set[i].set);
	label(m, "type", "prefix_set");
	number(m, n, 0);
}

static void
m_set_objects(struct metrics *m)
{
	const struct conf *c = m->eng->conf;
	uint64_t n = 0;

	for (size_t i = 0; i < c->nset; i++)
		n += c->set[i].entries;
	label(m, "type", "prefix_set");
	number(m, n, 0);
}

static void
m_set_tables(struct metrics *m)
{
	label(m, "type", "prefix_set");
	number(m, m->eng->conf->nset, 0);
}

static void
queued(struct engine *eng, uint64_t *octets, uint64_t *messages)
{
	const struct session *s;
	const struct peer *p;

	*octets = *messages = 0;
	TAILQ_FOREACH (p, &eng->peers, entry) {
		s = peer_session(p);
		if (s == NULL)
			continue;
		*octets += s->rx_len;
		*messages += s->rx_len > 0;
	}
}

static void
m_queue_octets(struct metrics *m)
{
	uint64_t octets, n;

	queued(m->eng, &octets, &n);
	label(m, "type", "ibuf_queue");
	number(m, octets, 0);
}

static void
m_queue_objects(struct metrics *m)
{
	uint64_t octets, n;

	queued(m->eng, &octets, &n);
	label(m, "type", "ibuf_queue");
	number(m, n, 0);
}

/* ---- the kernel's table ----------------------------------------------- */

static void
m_fib_routes(struct metrics *m)
{
	struct fibsync_stats st;

	fibsync_get_stats(m->eng->fibsync, &st);
	for (enum fam f = FAM_INET; f < FAM_N; f++) {
		of_family(m, f, "wanted", st.wanted[f], 0);
		of_family(m, f, "installed", st.installed[f], 0);
		of_family(m, f, "failed", st.failed[f], 0);
	}
}

static void
m_fib_up(struct metrics *m)
{
	number(m, m->eng->fib_ready, 0);
}

#define FIB_NUMBER(fn, member) \
	static void fn(struct metrics *m) \
	{ \
		struct fibsync_stats st; \
\
		fibsync_get_stats(m->eng->fibsync, &st); \
		number(m, st.member, 0); \
	}

FIB_NUMBER(m_fib_pending, pending)
FIB_NUMBER(m_fib_errors, errors)
FIB_NUMBER(m_fib_drift, drift)
FIB_NUMBER(m_fib_overruns, overruns)

/* ---- policy ----------------------------------------------------------- */

static void
m_rule_hits(struct metrics *m)
{
	const struct conf *c = m->eng->conf;

	for (size_t i = 0; i < c->npolicy; i++)
		for (size_t k = 0; k < c->policy[i].rules->nrule; k++) {
			const struct rule *r = c->policy[i].rules->rule[k];

			label(m, "policy", c->policy[i].name);
			label(m, "rule", r->name != NULL ? r->name : "");
			number(m, m->eng->rule_hits[r->hit], 0);
		}
}

static void
m_set_entries(struct metrics *m)
{
	const struct conf *c = m->eng->conf;

	for (size_t i = 0; i < c->nset; i++)
		for (enum fam f = FAM_INET; f < FAM_N; f++) {
			label(m, "set", c->set[i].name);
			label(m, "family", f == FAM_INET ? "inet" : "inet6");
			number(m,
			    c->set[i].set != NULL
				? pfxset_count(c->set[i].set, f)
				: 0,
			    0);
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
		number(m, (uint64_t)show_since(c->set[i].oldest), 0);
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
		number(m, sets_is_old(m->eng, &c->set[i]), 0);
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
		number(m, a->net[i]->how.told, 0);
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
		number(m, a->net[i]->transitions, 0);
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
			number(m, a->net[i]->track[k]->state == TRACK_UP, 0);
		}
}

static void
m_kept(struct metrics *m)
{
	number(m, m->eng->announce->kept, 0);
}

/* ---- peers: part A ---------------------------------------------------- */

static void
p_info(struct metrics *m, struct peer *p)
{
	of_peer(m, 1);
}

static void
p_state(struct metrics *m, struct peer *p)
{
	static const enum fsm_state all[] = { FSM_IDLE, FSM_CONNECT, FSM_ACTIVE,
		FSM_OPENSENT, FSM_OPENCONFIRM, FSM_ESTABLISHED };

	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
		label(m, "bgpd_peer_state", fsm_state_name(all[i]));
		of_peer(m, peer_state(p) == all[i]);
	}
}

/* 0 is None there: a template, which we have not. */
static void
p_state_raw(struct metrics *m, struct peer *p)
{
	static const uint8_t raw[FSM_NSTATES] = { [FSM_IDLE] = 1,
		[FSM_CONNECT] = 2,
		[FSM_ACTIVE] = 3,
		[FSM_OPENSENT] = 4,
		[FSM_OPENCONFIRM] = 5,
		[FSM_ESTABLISHED] = 6 };

	of_peer(m, raw[peer_state(p)]);
}

static void
p_changed(struct metrics *m, struct peer *p)
{
	if (p->last_change_s != 0)
		of_peer(m, (uint64_t)show_peer_updown(p));
}

/* A moment of the monotonic clock; 0: there was none yet. */
static void
ago(struct metrics *m, uint64_t when_ms)
{
	if (when_ms != 0)
		of_peer(m, (m->eng->now_ms - when_ms) / 1000);
}

static void
p_last_read(struct metrics *m, struct peer *p)
{
	ago(m, p->last_read_ms);
}

static void
p_last_write(struct metrics *m, struct peer *p)
{
	ago(m, p->last_write_ms);
}

static void
p_prefixes_tx(struct metrics *m, struct peer *p)
{
	of_peer(m,
	    (uint64_t)show_peer_told(p, FAM_INET) +
		show_peer_told(p, FAM_INET6));
}

static void
p_prefixes_rx(struct metrics *m, struct peer *p)
{
	of_peer(m, adjin_received(p->adjin));
}

static void
messages(struct metrics *m, const struct peer_msgs *c)
{
	static const struct {
		enum wire_type type;
		const char *name;
	} all[] = { { MSG_OPEN, "open" }, { MSG_NOTIFICATION, "notification" },
		{ MSG_UPDATE, "update" }, { MSG_KEEPALIVE, "keepalive" },
		{ MSG_ROUTE_REFRESH, "route_refresh" } };

	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
		label(m, "messages", all[i].name);
		of_peer(m, c->msg[all[i].type]);
	}
}

static void
p_messages_tx(struct metrics *m, struct peer *p)
{
	messages(m, &p->tx);
}

static void
p_messages_rx(struct metrics *m, struct peer *p)
{
	messages(m, &p->rx);
}

static void
p_updates_tx(struct metrics *m, struct peer *p)
{
	uint64_t updates, withdraws;

	peer_told(p, &updates, &withdraws);
	of_peer(m, updates);
}

static void
p_withdraws_tx(struct metrics *m, struct peer *p)
{
	uint64_t updates, withdraws;

	peer_told(p, &updates, &withdraws);
	of_peer(m, withdraws);
}

static struct adjout_stats
pending(const struct peer *p)
{
	struct adjout_stats st = { .dirty = 0 };

	if (p->member != NULL && !adjout_synced(p->member))
		adjout_stats(adjout_group(p->member), &st);
	return st;
}

static void
p_updates_pending(struct metrics *m, struct peer *p)
{
	of_peer(m, pending(p).dirty);
}

static void
p_withdraws_pending(struct metrics *m, struct peer *p)
{
	of_peer(m, pending(p).tombstones);
}

#define PEER_NUMBER(fn, expr) \
	static void fn(struct metrics *m, struct peer *p) \
	{ \
		of_peer(m, expr); \
	}

PEER_NUMBER(p_updates_rx, p->rx.updates)
PEER_NUMBER(p_withdraws_rx, p->rx.withdraws)
PEER_NUMBER(p_req_tx, p->tx.refresh[0])
PEER_NUMBER(p_req_rx, p->rx.refresh[0])
PEER_NUMBER(p_borr_tx, p->tx.refresh[1])
PEER_NUMBER(p_borr_rx, p->rx.refresh[1])
PEER_NUMBER(p_eorr_tx, p->tx.refresh[2])
PEER_NUMBER(p_eorr_rx, p->rx.refresh[2])

static void
p_queue_objects(struct metrics *m, struct peer *p)
{
	const struct session *s = peer_session(p);

	label(m, "type", "ibuf_queue");
	of_peer(m, s != NULL && s->rx_len > 0);
}

static void
p_queue_octets(struct metrics *m, struct peer *p)
{
	const struct session *s = peer_session(p);

	label(m, "type", "ibuf_queue");
	of_peer(m, s != NULL ? s->rx_len : 0);
	label(m, "type", "obuf_queue");
	of_peer(m, s != NULL ? session_queued(s) : 0);
}

/* ---- peers: part B ---------------------------------------------------- */

PEER_NUMBER(p_up, p->up != NULL)
PEER_NUMBER(p_admin_down, p->admin_down || !p->conf->enabled)
PEER_NUMBER(p_established, p->established_count)
PEER_NUMBER(p_flaps, p->established_count - (p->up != NULL))
PEER_NUMBER(p_exceeded, p->limit.trips)
PEER_NUMBER(p_tripped, p->limit.tripped)

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
				of_peer(m, n);
				peer_labels(m, p);
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
	of_peer(m, 1);
}

static void
p_routes(struct metrics *m, struct peer *p)
{
	const struct metrics_peer *w =
	    p->num < m->npeer ? &m->peer[p->num] : NULL;

	for (enum fam f = FAM_INET; f < FAM_N; f++) {
		const struct adjin_count *n = adjin_count(p->adjin, f);

		of_family(m, f, "received", n->received, PEER_LABELS);
		of_family(m, f, "accepted", n->accepted, PEER_LABELS);
		of_family(m, f, "rejected", n->rejected, PEER_LABELS);
		of_family(
		    m, f, "best", w != NULL ? w->best[f] : 0, PEER_LABELS);
		of_family(
		    m, f, "fib", w != NULL ? w->in_fib[f] : 0, PEER_LABELS);
		of_family(m, f, "stale", n->stale, PEER_LABELS);
		of_family(
		    m, f, "advertised", show_peer_told(p, f), PEER_LABELS);
	}
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
		of_peer(m, l[f].max);
	}
}

static void
p_rejected(struct metrics *m, struct peer *p)
{
	struct adjin_reason r;

	for (unsigned int i = 0; adjin_reason(p->adjin, i, &r); i++) {
		label(m, "reason", reason_name(r.reason));
		of_peer(m, r.now);
	}
}

static void
p_rejects(struct metrics *m, struct peer *p)
{
	struct adjin_reason r;

	for (unsigned int i = 0; adjin_reason(p->adjin, i, &r); i++) {
		label(m, "reason", reason_name(r.reason));
		of_peer(m, r.total);
	}
}

static void
p_malformed(struct metrics *m, struct peer *p)
{
	label(m, "action", "discard");
	of_peer(m, p->malformed[WIRE_DISCARD]);
	label(m, "action", "withdraw");
	of_peer(m, p->malformed[WIRE_WITHDRAW]);
	label(m, "action", "reset");
	of_peer(m, p->malformed[WIRE_RESET]);
}

static void
p_policy_off(struct metrics *m, struct peer *p)
{
	for (int g = GUARD_NONE + 1; g < GUARD_N; g++) {
		if (!(p->conf->guard_off & GUARD_BIT(g)))
			continue;
		label(m, "check", reason_guard_word((enum guard)g));
		of_peer(m, 1);
	}
}

/* ---- the table -------------------------------------------------------- */

/* clang-format off */
#define ALL(name, kind, fn, help) { name, kind, help, fn, NULL }
#define ONE(name, kind, fn, help) { name, kind, help, NULL, fn }

static const struct metric table[] = {
	ALL("bgpd", INFO, m_bgpd,
	    "Host and release of the daemon."),
	ONE("bgpd_peer", INFO, p_info,
	    "One for each configured neighbor."),
	ONE("bgpd_peer_state", STATESET, p_state,
	    "State of the session by name."),
	ONE("bgpd_peer_state_raw", GAUGE, p_state_raw,
	    "State of the session: 1 Idle, 2 Connect, 3 Active, 4 OpenSent, "
	    "5 OpenConfirm, 6 Established."),
	ONE("bgpd_peer_last_change_seconds", GAUGE, p_changed,
	    "Time since the session went up or down."),
	ONE("bgpd_peer_last_read_seconds", GAUGE, p_last_read,
	    "Time since the last message was received."),
	ONE("bgpd_peer_last_write_seconds", GAUGE, p_last_write,
	    "Time since the last message was sent."),
	ONE("bgpd_peer_prefixes_transmit", GAUGE, p_prefixes_tx,
	    "Prefixes announced to the neighbor now."),
	ONE("bgpd_peer_prefixes_receive", GAUGE, p_prefixes_rx,
	    "Prefixes received from the neighbor now, refused ones included."),
	ONE("bgpd_peer_message_transmit", COUNTER, p_messages_tx,
	    "Messages sent, by type."),
	ONE("bgpd_peer_message_receive", COUNTER, p_messages_rx,
	    "Messages received, by type."),
	ONE("bgpd_peer_update_transmit", COUNTER, p_updates_tx,
	    "Prefixes announced in UPDATE messages sent."),
	ONE("bgpd_peer_update_receive", COUNTER, p_updates_rx,
	    "Prefixes announced in UPDATE messages received."),
	ONE("bgpd_peer_update_pending", GAUGE, p_updates_pending,
	    "Prefixes that wait to be announced."),
	ONE("bgpd_peer_withdraw_transmit", COUNTER, p_withdraws_tx,
	    "Prefixes withdrawn in UPDATE messages sent."),
	ONE("bgpd_peer_withdraw_receive", COUNTER, p_withdraws_rx,
	    "Prefixes withdrawn in UPDATE messages received."),
	ONE("bgpd_peer_withdraw_pending", GAUGE, p_withdraws_pending,
	    "Prefixes that wait to be withdrawn."),
	ONE("bgpd_peer_route_refresh_req_transmit", COUNTER, p_req_tx,
	    "ROUTE-REFRESH requests sent."),
	ONE("bgpd_peer_route_refresh_req_receive", COUNTER, p_req_rx,
	    "ROUTE-REFRESH requests received."),
	ONE("bgpd_peer_route_refresh_borr_transmit", COUNTER, p_borr_tx,
	    "Beginnings of a route refresh sent."),
	ONE("bgpd_peer_route_refresh_borr_receive", COUNTER, p_borr_rx,
	    "Beginnings of a route refresh received."),
	ONE("bgpd_peer_route_refresh_eorr_transmit", COUNTER, p_eorr_tx,
	    "Ends of a route refresh sent."),
	ONE("bgpd_peer_route_refresh_eorr_receive", COUNTER, p_eorr_rx,
	    "Ends of a route refresh received."),
	ONE("bgpd_peer_queue_usage_objects", GAUGE, p_queue_objects,
	    "Messages of the neighbor that are not complete yet."),
	ONE("bgpd_peer_queue_memory_usage_bytes", GAUGE, p_queue_octets,
	    "Octets received and not worked on, or waiting to be sent."),
	ALL("bgpd_rde_memory_usage_bytes", GAUGE, m_memory_octets,
	    "Memory of the routes, by what uses it."),
	ALL("bgpd_rde_memory_usage_objects", GAUGE, m_memory_objects,
	    "Objects of the routes, by type."),
	ALL("bgpd_rde_memory_usage_references", GAUGE, m_memory_references,
	    "References to shared objects, by type."),
	ALL("bgpd_rde_set_usage_bytes", GAUGE, m_set_octets,
	    "Memory of the prefix sets."),
	ALL("bgpd_rde_set_usage_objects", GAUGE, m_set_objects,
	    "Entries of the prefix sets."),
	ALL("bgpd_rde_set_usage_tables", GAUGE, m_set_tables,
	    "Number of prefix sets."),
	ALL("bgpd_rde_queue_bytes", GAUGE, m_queue_octets,
	    "Octets received and not worked on, of all neighbors."),
	ALL("bgpd_rde_queue_objects", GAUGE, m_queue_objects,
	    "Messages that are not complete yet, of all neighbors."),
	ALL("bgpd_rde_evloop", COUNTER, m_turns,
	    "Turns of the event loop."),
	ALL("bgpd_rde_evloop_seconds", COUNTER, m_stages,
	    "Time spent in each stage of the event loop."),
	ALL("ana_bgpd_build", INFO, m_build,
	    "Version of the program and of its library."),
	ALL("ana_bgpd_up", GAUGE, m_up,
	    "1: the daemon answers."),
	ALL("ana_bgpd_ready", GAUGE, m_ready,
	    "1 when every neighbor's End-of-RIB is in and the kernel's table "
	    "is as it should be."),
	ALL("ana_bgpd_lab_mode", GAUGE, m_lab,
	    "1 when documentation numbers are accepted."),
	ALL("ana_bgpd_config_generation", GAUGE, m_generation,
	    "Number of the configuration in force, from 1."),
	ALL("ana_bgpd_config_last_reload_success", GAUGE, m_reload_ok,
	    "0 when the last reload was refused."),
	ALL("ana_bgpd_config_last_reload_timestamp_seconds", GAUGE,
	    m_reload_time,
	    "Time of the last reload, or of the start."),
	ONE("ana_bgpd_peer_up", GAUGE, p_up,
	    "1 when the session is established."),
	ONE("ana_bgpd_peer_admin_down", GAUGE, p_admin_down,
	    "1 when an operator or the configuration keeps it down."),
	ONE("ana_bgpd_peer_established", COUNTER, p_established,
	    "How often the session was established."),
	ONE("ana_bgpd_peer_flaps", COUNTER, p_flaps,
	    "How often an established session ended."),
	ONE("ana_bgpd_peer_notifications", COUNTER, p_notifications,
	    "NOTIFICATION messages, by direction, code and subcode."),
	ONE("ana_bgpd_peer_last_reset", INFO, p_last_reset,
	    "The last NOTIFICATION of the neighbor's sessions."),
	ONE("ana_bgpd_peer_routes", GAUGE, p_routes,
	    "Routes by family: received, accepted, rejected, best, in the "
	    "kernel, stale, advertised."),
	ONE("ana_bgpd_peer_max_prefix", GAUGE, p_max_prefix,
	    "Limit of received prefixes; family all: the session's."),
	ONE("ana_bgpd_peer_max_prefix_exceeded", COUNTER, p_exceeded,
	    "How often the session went over its prefix limit."),
	ONE("ana_bgpd_peer_max_prefix_tripped", GAUGE, p_tripped,
	    "1 while a prefix limit holds the session down."),
	ONE("ana_bgpd_peer_rejected", GAUGE, p_rejected,
	    "Routes that stand refused, by reason."),
	ONE("ana_bgpd_peer_rejects", COUNTER, p_rejects,
	    "Routes refused since the start, by reason."),
	ONE("ana_bgpd_peer_malformed", COUNTER, p_malformed,
	    "Messages in error, by the reaction (RFC 7606)."),
	ONE("ana_bgpd_peer_policy_off", GAUGE, p_policy_off,
	    "1 for each check that the configuration switches off."),
	ALL("ana_bgpd_policy_rule_hits", COUNTER, m_rule_hits,
	    "Routes that a rule decided, since the last reload."),
	ALL("ana_bgpd_filter_set_entries", GAUGE, m_set_entries,
	    "Prefixes of a set, by family; 0: it is not loaded."),
	ALL("ana_bgpd_filter_set_age_seconds", GAUGE, m_set_age,
	    "Age of the oldest file of a set."),
	ALL("ana_bgpd_filter_set_old", GAUGE, m_set_old,
	    "1 when a set is older than its max-age."),
	ALL("ana_bgpd_network_announced", GAUGE, m_networks,
	    "1 for each prefix of ours that is announced, else 0."),
	ALL("ana_bgpd_network_track_up", GAUGE, m_tracks,
	    "1 for each track of a prefix of ours that is up, else 0."),
	ALL("ana_bgpd_network_transitions", COUNTER, m_transitions,
	    "Changes from announced to withdrawn and back, since the start."),
	ALL("ana_bgpd_network_kept", GAUGE, m_kept,
	    "Prefixes that fail and stay announced because of min-healthy."),
	ALL("ana_bgpd_fib_up", GAUGE, m_fib_up,
	    "1 when ana-fibd is there, or memory stands in for it."),
	ALL("ana_bgpd_fib_routes", GAUGE, m_fib_routes,
	    "Routes of the kernel's table by family: wanted, installed, "
	    "failed."),
	ALL("ana_bgpd_fib_pending", GAUGE, m_fib_pending,
	    "Routes not asked for or not answered yet."),
	ALL("ana_bgpd_fib_errors", COUNTER, m_fib_errors,
	    "Requests that the kernel or ana-fibd refused."),
	ALL("ana_bgpd_fib_drift", COUNTER, m_fib_drift,
	    "Routes of ours that somebody else changed, and were repaired."),
	ALL("ana_bgpd_fib_overruns", COUNTER, m_fib_overruns,
	    "Times that the kernel's events were lost and the table was read "
	    "again."),
	ALL("ana_bgpd_event_loop_turn_max_seconds", GAUGE, m_turn_max,
	    "The longest turn of the event loop."),
	ALL("ana_bgpd_event_loop_stage_max_seconds", GAUGE, m_stage_max,
	    "The longest run of each stage."),
	ALL("ana_bgpd_control_clients", GAUGE, m_clients,
	    "Clients of the control sockets."),
	ALL("ana_bgpd_unknown_connections", COUNTER, m_strangers,
	    "Connections from addresses that are no neighbor's."),
	ALL("process_cpu_seconds", COUNTER, m_cpu,
	    "Processor time used."),
	ALL("process_start_time_seconds", GAUGE, m_started,
	    "Time of the start."),
	ALL("process_resident_memory_bytes", GAUGE, m_resident,
	    "Resident memory."),
	ALL("process_heap_bytes", GAUGE, m_heap,
	    "Memory in use, by the allocator."),
	ALL("bgpd_scrape_seconds", GAUGE, m_scrape,
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
		[STATESET] = "stateset" };

	if (m->prometheus && m->row->kind != COUNTER)
		return "gauge";
	return name[m->row->kind];
}

static void
family(struct metrics *m, const struct metric *row)
{
	const char *tail;
	struct peer *p;

	m->row = row;
	tail = m->prometheus ? suffix(m) : "";
	out_text(m->o, "# HELP %s%s %s\n", row->name, tail, row->help);
	out_text(m->o, "# TYPE %s%s %s\n", row->name, tail, type_name(m));
	out_obj(m->o, NULL);
	out_str(m->o, "name", row->name);
	out_str(m->o, "type", type_name(m));
	out_str(m->o, "help", row->help);
	out_arr(m->o, "samples");
	m->nlabel = 0;
	m->used = 0;
	if (row->all != NULL)
		row->all(m);
	else
		TAILQ_FOREACH (p, &m->eng->peers, entry) {
			peer_labels(m, p);
			row->one(m, p);
		}
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
	struct peer *p;

	while ((p = show_next_peer(s->eng, s->peer)) != NULL) {
		if (show_count_routes(s, p, &looks))
			return true;
		if (p->num < m->npeer) {
			memcpy(m->peer[p->num].best, s->best, sizeof s->best);
			memcpy(m->peer[p->num].in_fib, s->in_fib,
			    sizeof s->in_fib);
		}
		s->peer = p->num;
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
