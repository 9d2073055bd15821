/* show_peer_json.c -- one neighbor as OpenBGPD's JSON object, extended. */
#include <stdio.h>
#include <string.h>

#include "bgpd/engine.h"
#include "bgpd/show_cmd.h"
#include "bgpd/show_peer.h"
#include "policy/pfxset.h"

void
show_peer_json_head(struct show *s, const struct peer *p)
{
	const struct conf_neighbor *c = p->conf;
	struct out *o = s->out;
	char a[ADDR_STRLEN];
	struct addr id;

	out_strf(o, "remote_as", "%u", c->remote_as);
	if (c->description != NULL)
		out_str(o, "description", c->description);
	if (c->group != NULL)
		out_str(o, "group", c->group);
	out_str(o, "remote_addr", addr_print(&c->addr, a, sizeof a));
	if (p->up != NULL) {
		id = addr_v4(p->up->received.id);
		out_str(o, "bgpid", addr_print(&id, a, sizeof a));
	}
	out_str(o, "state", fsm_state_name(peer_state(p)));
	out_span(o, "last_updown", show_peer_updown(p));
	out_str(o, "admin_state", p->admin_down || !c->enabled ? "down" : "up");
}

/* ---- capabilities ----------------------------------------------------- */

static void
json_caps(struct out *o, const char *key, const struct wire_caps *c)
{
	out_obj(o, key);
	out_bool(o, "as4byte", c->as4);
	out_bool(o, "refresh", c->refresh);
	out_bool(o, "enhanced_refresh", c->enhanced_refresh);
	out_bool(o, "extended_message", c->ext_msg);
	out_arr(o, "multiprotocol");
	for (enum fam f = FAM_INET; f < FAM_N; f++)
		if (c->mp[f])
			out_str(o, NULL, fam_name(f));
	out_end(o);
	if (c->gr) {
		out_obj(o, "graceful_restart");
		out_bool(o, "eor", true);
		out_bool(o, "restart", c->gr_restart);
		out_u64(o, "timeout", c->gr_time_s);
		out_bool(o, "graceful_notification", c->gr_notification);
		out_arr(o, "protocols");
		for (enum fam f = FAM_INET; f < FAM_N; f++) {
			if (!c->gr_fam[f])
				continue;
			out_obj(o, NULL);
			out_str(o, "family", fam_name(f));
			out_bool(o, "preserved", c->gr_fwd[f]);
			out_end(o);
		}
		out_end(o);
		out_end(o);
	}
	if (c->role_there) {
		out_str(o, "open_policy", "present");
		out_str(o, "open_policy_role", show_role(c->role));
	}
	if (c->ext_nexthop)
		out_bool(o, "extended_nexthop", true);
	out_end(o);
}

/* ---- config ----------------------------------------------------------- */

static void
json_config(struct out *o, struct peer *p)
{
	const struct conf_neighbor *c = p->conf;
	const struct conf_limit *in = &c->limit[CONF_RECEIVED][FAM_NONE];
	const struct conf_limit *out = &c->limit[CONF_ANNOUNCED][FAM_NONE];
	bool on = !(c->guard_off & GUARD_BIT(GUARD_MAX_PREFIX));
	struct wire_open open = { 0 };

	out_obj(o, "config");
	out_bool(o, "template", false);
	out_bool(o, "cloned", false);
	out_bool(o, "passive", c->passive);
	out_bool(o, "down", p->admin_down || !c->enabled);
	out_bool(o, "multihop", c->multihop > 0);
	if (c->multihop > 0)
		out_u64(o, "multihop_distance", c->multihop);
	if (on && in->max != 0) {
		out_u64(o, "max_prefix", in->max);
		/* Minutes, as there. */
		if (in->action == CONF_LIMIT_RESTART)
			out_u64(o, "max_prefix_restart", in->time_s / 60);
	}
	if (on && out->max != 0)
		out_u64(o, "max_out_prefix", out->max);
	if (c->md5.len > 0 || c->md5_file != NULL)
		out_str(o, "authentication", "MD5");
	else if (c->nao > 0)
		out_str(o, "authentication", "TCP-AO");
	out_bool(o, "ttl_security", c->ttl_security > 0);
	out_u64(o, "holdtime", c->hold_s);
	out_u64(o, "min_holdtime", c->hold_min_s);
	if (c->role != ROLE_NONE)
		out_str(o, "role", show_role(c->role));
	if (c->role != ROLE_NONE)
		out_bool(o, "role_strict", c->role_strict);
	out_bool(o, "announce_capabilities", !p->no_caps);
	peer_open(p, &open);
	json_caps(o, "capabilities", &open.caps);
	out_end(o);
}

/* ---- statistics ------------------------------------------------------- */

static int64_t
ms_ago(const struct peer *p, uint64_t when_ms)
{
	return when_ms == 0 ? -1 : (int64_t)(p->eng->now_ms - when_ms) / 1000;
}

static void
json_messages(struct out *o, const char *key, const struct peer_msgs *m)
{
	out_obj(o, key);
	out_u64(o, "open", m->msg[MSG_OPEN]);
	out_u64(o, "notifications", m->msg[MSG_NOTIFICATION]);
	out_u64(o, "updates", m->msg[MSG_UPDATE]);
	out_u64(o, "keepalives", m->msg[MSG_KEEPALIVE]);
	out_u64(o, "route_refresh", m->msg[MSG_ROUTE_REFRESH]);
	out_u64(o, "total", m->total);
	out_end(o);
}

static void
json_updates(struct out *o, const char *key, const struct peer_msgs *m)
{
	out_obj(o, key);
	out_u64(o, "updates", m->updates);
	out_u64(o, "withdraws", m->withdraws);
	out_u64(o, "eor", m->eor);
	out_end(o);
}

static void
json_refreshes(struct out *o, const char *key, const struct peer_msgs *m)
{
	out_obj(o, key);
	out_u64(o, "request", m->refresh[0]);
	out_u64(o, "borr", m->refresh[1]);
	out_u64(o, "eorr", m->refresh[2]);
	out_end(o);
}

static void
json_routes(struct show *s, const struct peer *p)
{
	static const char *const key[FAM_N] = { NULL, "inet", "inet6" };
	struct out *o = s->out;
	struct adjin_reason r;

	out_obj(o, "routes");
	out_u64(o, "reimported", p->reimported);
	for (enum fam f = FAM_INET; f < FAM_N; f++) {
		const struct adjin_count *n = adjin_count(p->adjin, f);

		out_obj(o, key[f]);
		out_u64(o, "received", n->received);
		out_u64(o, "accepted", n->accepted);
		out_u64(o, "rejected", n->rejected);
		out_u64(o, "best", s->best[f]);
		out_u64(o, "fib", s->in_fib[f]);
		out_u64(o, "stale", n->stale);
		out_u64(o, "malformed", n->malformed);
		out_u64(o, "held", n->held);
		out_u64(o, "advertised", show_peer_told(p, f));
		out_end(o);
	}
	out_end(o);
	out_obj(o, "rejects");
	for (unsigned int i = 0; adjin_reason(p->adjin, i, &r); i++)
		out_u64(o, reason_name(r.reason),
		    (uint64_t)r.now[FAM_INET] + r.now[FAM_INET6]);
	out_end(o);
}

static void
json_queue(struct out *o, const struct peer *p)
{
	const struct session *ses = peer_session(p);

	out_obj(o, "queue");
	out_obj(o, "count");
	out_u64(o, "ibuf_queue", 0);
	out_u64(o, "rib_entry", 0);
	out_end(o);
	out_obj(o, "size");
	out_u64(o, "ibuf_queue", ses != NULL ? ses->rx_len : 0);
	out_u64(o, "obuf_queue", ses != NULL ? session_queued(ses) : 0);
	out_end(o);
	out_end(o);
}

static void
json_stats(struct show *s, const struct peer *p)
{
	struct out *o = s->out;
	struct adjout_stats st = { .dirty = 0 };
	struct peer_msgs tx = p->tx;

	if (p->member != NULL && !adjout_synced(p->member))
		adjout_stats(adjout_group(p->member), &st);
	out_obj(o, "stats");
	out_span(o, "last_read", ms_ago(p, p->last_read_ms));
	out_span(o, "last_write", ms_ago(p, p->last_write_ms));
	out_obj(o, "prefixes");
	out_u64(o, "sent",
	    (uint64_t)show_peer_told(p, FAM_INET) +
		show_peer_told(p, FAM_INET6));
	out_u64(o, "received", adjin_received(p->adjin));
	out_end(o);
	out_obj(o, "message");
	json_messages(o, "sent", &p->tx);
	json_messages(o, "received", &p->rx);
	out_end(o);
	out_obj(o, "update");
	peer_told(p, &tx.updates, &tx.withdraws);
	json_updates(o, "sent", &tx);
	json_updates(o, "received", &p->rx);
	out_obj(o, "pending");
	out_u64(o, "updates", st.dirty);
	out_u64(o, "withdraws", st.tombstones);
	out_end(o);
	out_end(o);
	out_obj(o, "route-refresh");
	json_refreshes(o, "sent", &p->tx);
	json_refreshes(o, "received", &p->rx);
	out_end(o);
	json_queue(o, p);
	json_routes(s, p);
	out_u64(o, "established", p->established_count);
	out_end(o);
}

/* ---- errors and history ----------------------------------------------- */

void
show_notif_json(struct out *o, const struct peer_notif *n)
{
	char hex[2 * sizeof n->data + 1], what[SHOW_NOTIF_LEN], when[32];

	out_str(o, "direction", n->sent ? "sent" : "received");
	out_u64(o, "code", n->code);
	out_u64(o, "subcode", n->sub);
	out_str(o, "name", show_notif_print(n, what, sizeof what));
	out_str(o, "data_hex",
	    show_hex(n->data, show_notif_kept(n), hex, sizeof hex));
	out_u64(o, "data_length", n->len);
	if (n->text[0] != '\0')
		out_str(o, "shutdown_message", n->text);
	if (n->hard)
		out_bool(o, "hard", true);
	out_str(o, "time", show_time(n->when_s, when, sizeof when));
}

static void
json_errors(struct out *o, const struct peer *p)
{
	const struct peer_notif *sent = show_peer_last(p, true);
	const struct peer_notif *rcvd = show_peer_last(p, false);
	const struct peer_notif *last = show_peer_notif(p, 0);
	char text[SHOW_NOTIF_LEN], why[SHOW_WHY_LEN];

	if (p->admin_down && p->down_text[0] != '\0')
		out_str(o, "my_shutdown_reason", p->down_text);
	if (rcvd != NULL && rcvd->text[0] != '\0')
		out_str(o, "last_shutdown_reason", rcvd->text);
	if (sent != NULL)
		out_str(o, "last_error_sent",
		    show_notif_print(sent, text, sizeof text));
	if (rcvd != NULL)
		out_str(o, "last_error_received",
		    show_notif_print(rcvd, text, sizeof text));
	if (last != NULL) {
		out_obj(o, "last_notification");
		show_notif_json(o, last);
		out_end(o);
	}
	if (p->up == NULL)
		out_str(o, "why_down", show_peer_why(p, why, sizeof why));
}

static void
json_history(struct out *o, const struct peer *p)
{
	const struct peer_step *st;
	char when[32];

	out_arr(o, "history");
	for (unsigned int i = 0;
	     i < SHOW_HISTORY && (st = show_peer_step(p, i)) != NULL; i++) {
		out_obj(o, NULL);
		out_str(o, "time", show_time(st->when_s, when, sizeof when));
		out_str(o, "from", fsm_state_name((enum fsm_state)st->from));
		out_str(o, "to", fsm_state_name((enum fsm_state)st->to));
		out_str(o, "event", fsm_event_name((enum fsm_event)st->event));
		out_bool(o, "dialled", st->dialled);
		out_end(o);
	}
	out_end(o);
}

/* ---- session, policy -------------------------------------------------- */

static void
json_end(struct out *o, const char *key, const struct addr *a, uint16_t port,
    const struct wire_caps *c)
{
	char text[ADDR_STRLEN];

	out_obj(o, key);
	out_str(o, "address", addr_print(a, text, sizeof text));
	out_u64(o, "port", port);
	if (c != NULL)
		json_caps(o, "capabilities", c);
	out_end(o);
}

static void
json_session(struct out *o, const struct peer *p)
{
	const struct session *s = peer_session(p);
	bool agreed = s != NULL && s->fsm.state >= FSM_OPENCONFIRM;
	struct wire_caps both;

	if (s == NULL || s->fsm.state < FSM_OPENSENT)
		return;
	out_obj(o, "session");
	out_u64(o, "holdtime", agreed ? s->neg.hold_s : p->conf->hold_s);
	out_u64(
	    o, "keepalive", agreed ? s->neg.keepalive_s : p->conf->hold_s / 3);
	json_end(o, "local", &s->local, s->local_port, &s->sent.caps);
	json_end(o, "remote", &s->remote, s->remote_port,
	    s->open_seen ? &s->received.caps : NULL);
	if (agreed) {
		show_peer_agreed(s, &both);
		json_caps(o, "capabilities", &both);
		if (s->neg.remote_role != ROLE_NONE)
			out_str(
			    o, "remote_role", show_role(s->neg.remote_role));
		if (s->neg.local_role != ROLE_NONE)
			out_str(o, "local_role", show_role(s->neg.local_role));
	}
	out_end(o);
}

static void
json_hold(struct out *o, const struct peer *p)
{
	const struct peer_limit *h = &p->limit;
	char text[PFX_STRLEN];

	out_obj(o, "hold");
	out_str(o, "counter", peer_counter_name((enum conf_counter)h->counter));
	out_str(o, "family",
	    h->fam == FAM_NONE ? "all" : fam_name((enum fam)h->fam));
	out_str(o, "action",
	    conf_limit_action_name((enum conf_limit_action)h->action));
	out_u64(o, "limit", h->max);
	out_u64(o, "count", h->count);
	out_str(o, "since", show_time(h->since_s, text, sizeof text));
	if (h->until_s != 0)
		out_str(o, "until", show_time(h->until_s, text, sizeof text));
	out_arr(o, "prefixes");
	for (size_t i = 0; i < h->nfirst; i++)
		out_str(o, NULL, pfx_print(&h->first[i], text, sizeof text));
	out_end(o);
	out_end(o);
}

static void
json_restart(struct out *o, const struct peer *p)
{
	static const char *const key[FAM_N] = { NULL, "inet", "inet6" };
	const struct conf_gr *gr = &p->conf->gr;
	uint64_t now = p->eng->now_ms;

	out_obj(o, "graceful_restart");
	out_bool(o, "enabled", gr->on);
	out_u64(o, "restart_time", gr->restart_s);
	out_u64(o, "stale_time", gr->stale_s);
	out_bool(o, "notification", gr->notification);
	out_obj(o, "kept");
	for (enum fam f = FAM_INET; f < FAM_N; f++)
		if (p->stale[f])
			out_u64(o, key[f], adjin_count(p->adjin, f)->stale);
	out_end(o);
	if (p->restart_timer.armed)
		out_u64(o, "restart_due",
		    timer_left(&p->restart_timer, now) / 1000);
	if (p->retain_timer.armed)
		out_u64(
		    o, "stale_due", timer_left(&p->retain_timer, now) / 1000);
	out_end(o);
}

static void
json_limits(struct out *o, const struct peer *p)
{
	const struct conf_limit *l = &p->conf->limit[CONF_RECEIVED][FAM_NONE];

	out_obj(o, "max_prefix");
	out_u64(o, "limit",
	    p->conf->guard_off & GUARD_BIT(GUARD_MAX_PREFIX) ? 0 : l->max);
	out_u64(o, "percent", l->warn_pct);
	out_str(o, "action",
	    conf_limit_action_name((enum conf_limit_action)l->action));
	out_bool(o, "tripped", p->limit.tripped);
	out_bool(o, "frozen", p->limit.frozen);
	out_u64(o, "exceeded",
	    (uint64_t)p->limit.trips[FAM_NONE] + p->limit.trips[FAM_INET] +
		p->limit.trips[FAM_INET6]);
	if (peer_limit_holds(p))
		json_hold(o, p);
	out_end(o);
	out_arr(o, "limits");
	for (int k = 0; k < CONF_COUNTER_N; k++)
		for (int f = FAM_NONE; f < FAM_N; f++) {
			l = &p->conf->limit[k][f];
			if (l->max == 0)
				continue;
			out_obj(o, NULL);
			out_str(o, "counter",
			    peer_counter_name((enum conf_counter)k));
			out_str(o, "family",
			    f == FAM_NONE ? "all" : fam_name((enum fam)f));
			out_u64(o, "limit", l->max);
			out_u64(o, "percent", l->warn_pct);
			out_str(o, "action",
			    conf_limit_action_name(
				(enum conf_limit_action)l->action));
			out_u64(o, "time_sec", l->time_s);
			out_end(o);
		}
	out_end(o);
}

static void
json_policy(struct out *o, const struct peer *p)
{
	const struct conf_neighbor *c = p->conf;

	out_obj(o, "policy");
	if (c->import != NULL)
		out_str(o, "import", c->import->name);
	if (c->export != NULL)
		out_str(o, "export", c->export->name);
	out_bool(o, "fib", c->fib);
	out_arr(o, "off");
	for (int g = GUARD_NONE + 1; g < GUARD_N; g++) {
		if (!(c->guard_off & GUARD_BIT(g)))
			continue;
		out_obj(o, NULL);
		out_str(o, "guard", reason_guard_word((enum guard)g));
		if (c->guard_off_why[g] != NULL)
			out_str(o, "reason", c->guard_off_why[g]);
		out_end(o);
	}
	out_end(o);
	out_arr(o, "allow");
	for (size_t k = 0; k < c->nallow; k++)
		out_str(o, NULL, c->allow[k]->name);
	out_end(o);
	out_end(o);
	if (c->irr == NULL)
		return;
	out_obj(o, "filter");
	out_str(o, "set", c->irr->name);
	out_bool(o, "loaded", c->irr->entries > 0);
	out_u64(o, "entries", c->irr->entries);
	out_str(o, "serial", pfxset_digest(c->irr->set));
	out_i64(o, "age_sec", show_since(c->irr->oldest));
	out_str(
	    o, "source", c->irr->nfile > 0 ? c->irr->file[0] : "configuration");
	out_end(o);
}

static void
json_timers(struct out *o, const struct peer *p)
{
	const struct timer *t;

	out_arr(o, "timers");
	for (unsigned int i = 0; show_peer_timer(p, i, &t); i++) {
		if (!t->armed)
			continue;
		out_obj(o, NULL);
		out_str(o, "name", t->name);
		out_i64(
		    o, "due", (int64_t)timer_left(t, p->eng->now_ms) / 1000);
		out_end(o);
	}
	out_end(o);
}

void
show_peer_json(struct show *s, struct peer *p)
{
	struct out *o = s->out;

	out_obj(o, NULL);
	show_peer_json_head(s, p);
	show_drain_json(s, p);
	json_config(o, p);
	json_stats(s, p);
	json_errors(o, p);
	json_session(o, p);
	json_restart(o, p);
	json_limits(o, p);
	json_policy(o, p);
	json_history(o, p);
	json_timers(o, p);
	out_end(o);
}
