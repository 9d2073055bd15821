/* show_peer.c -- one neighbor as a block of text, in bgpctl's order. */
#include "bgpd/show_peer.h"

#include <stdio.h>
#include <string.h>

#include "bgpd/auth.h"
#include "bgpd/engine.h"
#include "bgpd/show_cmd.h"
#include "platform/clock.h"
#include "policy/pfxset.h"

/* ---- what both forms need --------------------------------------------- */

int64_t
show_peer_updown(const struct peer *p)
{
	if (p->last_change_s == 0)
		return -1;
	return (int64_t)(p->eng->now_ms - p->last_change_ms) / 1000;
}

const struct peer_notif *
show_peer_notif(const struct peer *p, unsigned int i)
{
	if (i >= p->nnotif || i >= PEER_NOTIFS)
		return NULL;
	return &p->notif[(p->nnotif - 1 - i) % PEER_NOTIFS];
}

const struct peer_step *
show_peer_step(const struct peer *p, unsigned int i)
{
	if (i >= p->nstep || i >= PEER_STEPS)
		return NULL;
	return &p->step[(p->nstep - 1 - i) % PEER_STEPS];
}

uint32_t
show_peer_accepted(const struct peer *p)
{
	return adjin_count(p->adjin, FAM_INET)->accepted +
	    adjin_count(p->adjin, FAM_INET6)->accepted;
}

uint32_t
show_peer_rejected(const struct peer *p)
{
	return adjin_count(p->adjin, FAM_INET)->rejected +
	    adjin_count(p->adjin, FAM_INET6)->rejected;
}

uint32_t
show_peer_max(const struct peer *p)
{
	if (p->conf->guard_off & GUARD_BIT(GUARD_MAX_PREFIX))
		return 0;
	return p->conf->limit[CONF_RECEIVED][FAM_NONE].max;
}

const char *
show_peer_marks(const struct peer *p)
{
	const char *const mark[2][3] = { { "", " (over the limit)",
					     " (frozen)" },
		{ " (drained)", " (drained) (over the limit)",
		    " (drained) (frozen)" } };

	return mark[p->facts.drained][p->limit.frozen ? 2
		: peer_limit_holds(p)                 ? 1
						      : 0];
}

const struct peer_notif *
show_peer_last(const struct peer *p, bool sent)
{
	const struct peer_notif *n;

	for (unsigned int i = 0; (n = show_peer_notif(p, i)) != NULL; i++)
		if (n->sent == sent)
			return n;
	return NULL;
}

size_t
show_notif_kept(const struct peer_notif *n)
{
	return n->len < sizeof n->data ? n->len : sizeof n->data;
}

const char *
show_notif_print(const struct peer_notif *n, char *buf, size_t cap)
{
	const char *sub = wire_notif_subname(n->code, n->sub);

	/* Its text was made safe when it came (wire_notif_parse). */
	snprintf(buf, cap, "%s%s%s%s%s%s%s", wire_notif_name(n->code),
	    *sub != '\0' ? ", " : "", sub, n->hard ? " (hard reset)" : "",
	    n->text[0] != '\0' ? ": \"" : "", n->text,
	    n->text[0] != '\0' ? "\"" : "");
	return buf;
}

void
show_peer_agreed(const struct session *s, struct wire_caps *c)
{
	const struct negotiated *n = &s->neg;

	*c = (struct wire_caps){ .any = true,
		.mp_there = true,
		.refresh = n->refresh,
		.enhanced_refresh = n->enhanced_refresh,
		.ext_nexthop = n->wire.ext_nexthop,
		.ext_msg = n->wire.ext_rx && n->wire.ext_tx,
		.as4 = n->wire.as4,
		.role_there = n->remote_role != ROLE_NONE,
		.role = n->remote_role,
		.gr = n->gr,
		.gr_notification = n->gr_notification,
		.gr_time_s = n->gr_peer_time_s };
	for (enum fam f = FAM_INET; f < FAM_N; f++) {
		c->mp[f] = n->wire.mp[f];
		c->gr_fam[f] = n->gr_peer_fam[f];
		c->gr_fwd[f] = n->gr_peer_fwd[f];
	}
}

const char *
show_role(uint8_t role)
{
	static const char *const name[] = {
		[ROLE_PROVIDER] = "provider",
		[ROLE_RS] = "rs",
		[ROLE_RS_CLIENT] = "rs-client",
		[ROLE_CUSTOMER] = "customer",
		[ROLE_PEER] = "peer",
	};

	return role <= ROLE_PEER ? name[role] : "unknown";
}

uint32_t
show_peer_told(const struct peer *p, enum fam f)
{
	struct adjout_stats st;

	if (p->member == NULL || !p->up->neg.wire.mp[f])
		return 0;
	adjout_stats(adjout_group(p->member), &st);
	return st.prefixes[f];
}

bool
show_peer_timer(const struct peer *p, unsigned int i, const struct timer **t)
{
	const struct session *s = peer_session(p);
	const struct timer *all[] = { &p->idle_hold, &p->limit_hold,
		&p->restart_timer, &p->retain_timer,
		&p->sweep_deadline[FAM_INET], &p->sweep_deadline[FAM_INET6],
		s != NULL ? &s->retry : NULL, s != NULL ? &s->hold : NULL,
		s != NULL ? &s->keepalive : NULL,
		s != NULL ? &s->delay_open : NULL,
		s != NULL ? &s->send_hold : NULL };

	if (i >= (s != NULL ? sizeof all / sizeof all[0] : 6))
		return false;
	*t = all[i];
	return true;
}

/* What it does now, as the end of a sentence. */
static void
doing(const struct peer *p, char *buf, size_t n)
{
	const struct session *s = peer_session(p);
	uint64_t now = p->eng->now_ms, left = TIMER_NEVER;

	buf[0] = '\0';
	if (s != NULL && s->retry.armed)
		left = timer_left(&s->retry, now);
	switch (peer_state(p)) {
	case FSM_IDLE:
		if (p->idle_hold.armed)
			snprintf(buf, n, "the next attempt is in %llu s",
			    (unsigned long long)timer_left(&p->idle_hold, now) /
				    1000 +
				1);
		break;
	case FSM_CONNECT:
		strlcpy(buf, "connecting, no answer yet", n);
		break;
	case FSM_ACTIVE:
		if (p->conf->passive)
			strlcpy(buf,
			    "waiting for the peer to connect "
			    "(passive yes)",
			    n);
		else if (left != TIMER_NEVER)
			snprintf(buf, n,
			    "waiting for the peer to connect, the next "
			    "attempt of ours is in %llu s",
			    (unsigned long long)left / 1000 + 1);
		else
			strlcpy(buf, "waiting for the peer to connect", n);
		break;
	case FSM_OPENSENT:
		strlcpy(buf, "connected, the peer's OPEN has not come yet", n);
		break;
	case FSM_OPENCONFIRM:
		strlcpy(buf,
		    "the OPENs are exchanged, the peer's first "
		    "KEEPALIVE has not come yet",
		    n);
		break;
	case FSM_ESTABLISHED:
	case FSM_NSTATES:
		break;
	}
}

const char *
show_peer_why(const struct peer *p, char *buf, size_t n)
{
	char now[128], why[1024], down[256], hint[256];
	const char *no = peer_forbidden(p);

	buf[0] = '\0';
	if (p->up != NULL)
		return buf;
	if (no == NULL)
		no = p->why;
	doing(p, now, sizeof now);
	auth_hint(p, hint, sizeof hint);
	/* Safe to print: a peer's text in it was escaped when it came. */
	strlcpy(why, strcmp(no, hint) != 0 ? no : "", sizeof why);
	/* What is the matter comes before what it looks like. */
	snprintf(buf, n, "%s%s%s%s%s", hint,
	    *hint != '\0' && (*why != '\0' || *now != '\0') ? "; " : "", why,
	    *why != '\0' && *now != '\0' ? "; " : "", now);
	if (p->admin_down && p->down_text[0] != '\0') {
		strlcat(buf, "; reason given: ", n);
		strlcat(buf, out_safe(p->down_text, down, sizeof down), n);
	}
	if (p->limit.tripped && p->limit.until_s != 0) {
		int64_t left = p->limit.until_s - engine_real_s(p->eng);

		snprintf(down, sizeof down, "; the hold ends in %lld s",
		    (long long)(left > 0 ? left : 0));
		strlcat(buf, down, n);
	}
	return buf;
}

const char *
show_peer_reason(const struct peer *p, char *buf, size_t n)
{
	const struct peer_notif *k = show_peer_notif(p, 0);
	const struct peer_step *st;
	unsigned int i = 0;

	if (p->up == NULL)
		return show_peer_why(p, buf, n);
	while ((st = show_peer_step(p, i++)) != NULL)
		if (st->from == FSM_ESTABLISHED)
			break;
	buf[0] = '\0';
	if (k != NULL && (st == NULL || k->when_s >= st->when_s)) {
		strlcpy(buf, k->sent ? "we sent " : "the peer sent ", n);
		show_notif_print(k, buf + strlen(buf), n - strlen(buf));
	} else if (st != NULL)
		strlcpy(buf, fsm_event_name((enum fsm_event)st->event), n);
	return buf;
}

/* ---- the block -------------------------------------------------------- */

static void
text_limit(struct out *o, const char *counter, const char *fam,
    const struct conf_limit *l, bool off)
{
	out_text(o, " Max-prefix %s%s%s: %u, warn at %u%%, action %s", counter,
	    *fam != '\0' ? " " : "", fam, l->max, l->warn_pct,
	    conf_limit_action_name((enum conf_limit_action)l->action));
	if (l->time_s > 0)
		out_text(o, " %u s", l->time_s);
	out_text(o, "%s\n", off ? " (SWITCHED OFF)" : "");
}

/* The record of a hold: what happened, what is held, until when. */
static void
text_hold(struct out *o, const struct peer *p)
{
	const struct peer_limit *h = &p->limit;
	char when[32], pfx[PFX_STRLEN];

	out_text(o, " Max-prefix reached %s: %u %s%s%s, the limit is %u",
	    show_time(h->since_s, when, sizeof when), h->count,
	    peer_counter_name((enum conf_counter)h->counter),
	    h->fam != FAM_NONE ? " in " : "",
	    h->fam != FAM_NONE ? fam_name((enum fam)h->fam) : "", h->max);
	out_text(o, ", action %s\n",
	    conf_limit_action_name((enum conf_limit_action)h->action));
	if (h->tripped || h->frozen)
		out_text(o, "  %s until %s\n",
		    h->tripped ? "Held down" : "FROZEN, new prefixes held back",
		    h->until_s == 0
			? "an operator ends it (neighbor X clear-limit)"
			: show_time(h->until_s, when, sizeof when));
	out_text(o, "  First that did not come in:");
	for (size_t i = 0; i < h->nfirst; i++)
		out_text(o, " %s", pfx_print(&h->first[i], pfx, sizeof pfx));
	out_text(o, "\n");
}

static void
text_limits(struct show *s, const struct peer *p)
{
	bool off = p->conf->guard_off & GUARD_BIT(GUARD_MAX_PREFIX);

	for (int k = 0; k < CONF_COUNTER_N; k++)
		for (int f = FAM_NONE; f < FAM_N; f++)
			if (p->conf->limit[k][f].max != 0)
				text_limit(s->out,
				    peer_counter_name((enum conf_counter)k),
				    f != FAM_NONE ? fam_name((enum fam)f) : "",
				    &p->conf->limit[k][f], off);
	if (peer_limit_holds(p))
		text_hold(s->out, p);
}

static void
text_head(struct show *s, const struct peer *p)
{
	const struct conf_neighbor *c = p->conf;
	const struct session *ses = peer_session(p);
	struct addr id;
	char a[ADDR_STRLEN], text[1024];
	struct out *o = s->out;

	out_text(o, "BGP neighbor is %s, remote AS %u%s",
	    addr_print(&c->addr, a, sizeof a), c->remote_as,
	    c->passive ? ", Passive" : "");
	if (c->multihop > 0)
		out_text(o, ", Multihop (%u)", c->multihop);
	out_text(o, "\n");
	if (c->description != NULL)
		out_text(o, " Description: %s\n",
		    out_safe(c->description, text, sizeof text));
	text_limits(s, p);
	if (ses != NULL && ses->open_seen) {
		id = addr_v4(ses->received.id);
		addr_print(&id, a, sizeof a);
	} else
		strlcpy(a, "unknown", sizeof a);
	out_text(o, "  BGP version 4, remote router-id %s", a);
	id = addr_v4(p->eng->conf->router_id);
	out_text(o, ", local router-id %s, local AS %u\n",
	    addr_print(&id, a, sizeof a), p->eng->conf->as);
}

static void
text_state(struct show *s, const struct peer *p)
{
	char t[OUT_TIME_LEN], why[SHOW_WHY_LEN];
	uint64_t now = p->eng->now_ms;
	struct out *o = s->out;

	out_text(o, "  BGP state = %s%s", fsm_state_name(peer_state(p)),
	    p->admin_down || !p->conf->enabled ? ", marked down" : "");
	if (p->last_change_s != 0)
		out_text(o, ", %s for %s", p->up != NULL ? "up" : "down",
		    out_timeframe(show_peer_updown(p), t, sizeof t));
	out_text(o, ", established %u times\n", p->established_count);
	if (p->up == NULL)
		out_text(
		    o, "  Not up: %s\n", show_peer_why(p, why, sizeof why));
	show_drain_text(s, p);
	out_text(o, "  Last read %s, holdtime %us, keepalive interval %us\n",
	    out_timeframe(p->last_read_ms == 0
		    ? -1
		    : (int64_t)(now - p->last_read_ms) / 1000,
		t, sizeof t),
	    p->up != NULL ? p->up->neg.hold_s : p->conf->hold_s,
	    p->up != NULL ? p->up->neg.keepalive_s : p->conf->hold_s / 3);
	out_text(o, "  Last write %s\n",
	    out_timeframe(p->last_write_ms == 0
		    ? -1
		    : (int64_t)(now - p->last_write_ms) / 1000,
		t, sizeof t));
	if (p->conf->ttl_security > 0)
		out_text(o, "  TTL security: %u hops\n", p->conf->ttl_security);
	else {
		out_text(o, "  TTL security: off");
		if (p->conf->no_ttl_security != NULL)
			out_text(o, " (%s)", p->conf->no_ttl_security);
		if (p->syn_ttl != 0)
			out_text(o, "; its last connection came with TTL %u",
			    p->syn_ttl);
		out_text(o, "\n");
	}
	if (p->conf->md5.len > 0 || p->conf->md5_file != NULL)
		out_text(o, "  Authentication: TCP MD5 signature\n");
	for (size_t i = 0; i < p->conf->nao; i++)
		out_text(o,
		    "  Authentication: TCP-AO key %u (receive %u), %s%s\n",
		    p->conf->ao[i].send_id, p->conf->ao[i].recv_id,
		    p->conf->ao[i].cmac ? "aes-128-cmac" : "hmac-sha-1",
		    i == 0 ? ", asked for" : "");
}

static void
text_caps(struct out *o, const char *title, const struct wire_caps *c)
{
	const char *sep = "";

	out_text(o, "\n  %s:\n", title);
	if (!c->any)
		out_text(o, "    none\n");
	if (c->mp_there) {
		out_text(o, "    Multiprotocol extensions: ");
		for (enum fam f = FAM_INET; f < FAM_N; f++)
			if (c->mp[f]) {
				out_text(o, "%s%s", sep, fam_name(f));
				sep = ", ";
			}
		out_text(o, "\n");
	}
	if (c->as4)
		out_text(o, "    4-byte AS numbers\n");
	if (c->refresh)
		out_text(o, "    Route Refresh\n");
	if (c->enhanced_refresh)
		out_text(o, "    Enhanced Route Refresh\n");
	if (c->ext_msg)
		out_text(o, "    Extended message\n");
	if (c->ext_nexthop)
		out_text(o, "    IPv4 over an IPv6 next hop\n");
	if (c->gr) {
		out_text(o, "    Graceful Restart: %u s%s%s", c->gr_time_s,
		    c->gr_restart ? ", restarted" : "",
		    c->gr_notification ? ", graceful notification" : "");
		for (enum fam f = FAM_INET; f < FAM_N; f++)
			if (c->gr_fam[f])
				out_text(o, ", %s%s", fam_name(f),
				    c->gr_fwd[f] ? " preserved" : "");
		out_text(o, "\n");
	}
	if (c->role_there)
		out_text(o, "    Open Policy role %s\n", show_role(c->role));
}

static void
text_restart(struct show *s, const struct peer *p)
{
	const struct conf_gr *gr = &p->conf->gr;
	struct out *o = s->out;
	uint64_t now = p->eng->now_ms;

	if (gr->on)
		out_text(o,
		    "  Graceful restart: restart time %u s, stale time %u s, "
		    "%s\n",
		    gr->restart_s, gr->stale_s,
		    gr->notification ? "also after a NOTIFICATION"
				     : "not after a NOTIFICATION");
	else
		out_text(o, "  Graceful restart: off\n");
	for (enum fam f = FAM_INET; f < FAM_N; f++) {
		if (!p->stale[f])
			continue;
		out_text(o, "    %s: %u stale routes of the last session kept",
		    fam_name(f), adjin_count(p->adjin, f)->stale);
		if (p->restart_timer.armed)
			out_text(o, ", the peer has %llu s to come back",
			    (unsigned long long)timer_left(
				&p->restart_timer, now) /
				1000);
		out_text(o, ", %llu s left\n",
		    (unsigned long long)timer_left(&p->retain_timer, now) /
			1000);
	}
}

static void
text_roles(struct out *o, const struct peer *p)
{
	if (p->conf->role == ROLE_NONE)
		return;
	out_text(o, "  Role: %s%s", show_role(p->conf->role),
	    p->conf->role_strict ? " (strict)" : "");
	if (p->up == NULL)
		out_text(o, "\n");
	else if (p->up->neg.remote_role == ROLE_NONE)
		out_text(o, ", the peer did not tell its own\n");
	else
		out_text(
		    o, ", the peer is %s\n", show_role(p->up->neg.remote_role));
}

static void
text_session_caps(struct show *s, const struct peer *p)
{
	const struct session *ses = peer_session(p);
	struct wire_caps both;

	if (ses == NULL || ses->fsm.state < FSM_OPENSENT)
		return;
	text_caps(s->out, "Announced capabilities", &ses->sent.caps);
	if (!ses->open_seen)
		return;
	text_caps(s->out, "Neighbor capabilities", &ses->received.caps);
	if (ses->fsm.state < FSM_OPENCONFIRM)
		return;
	show_peer_agreed(ses, &both);
	text_caps(s->out, "Negotiated capabilities", &both);
}

static void
text_pair(struct out *o, const char *what, uint64_t sent, uint64_t rcvd)
{
	out_text(o, "  %-15s %10llu %10llu\n", what, (unsigned long long)sent,
	    (unsigned long long)rcvd);
}

static void
text_statistics(struct show *s, const struct peer *p)
{
	const struct peer_msgs *tx = &p->tx, *rx = &p->rx;
	uint64_t updates, withdraws;
	struct out *o = s->out;

	peer_told(p, &updates, &withdraws);
	out_text(o, "\n  Message statistics:\n  %-15s %-10s %s\n", "", "Sent",
	    "Received");
	text_pair(o, "Opens", tx->msg[MSG_OPEN], rx->msg[MSG_OPEN]);
	text_pair(o, "Notifications", tx->msg[MSG_NOTIFICATION],
	    rx->msg[MSG_NOTIFICATION]);
	text_pair(o, "Updates", tx->msg[MSG_UPDATE], rx->msg[MSG_UPDATE]);
	text_pair(
	    o, "Keepalives", tx->msg[MSG_KEEPALIVE], rx->msg[MSG_KEEPALIVE]);
	text_pair(o, "Route Refresh", tx->msg[MSG_ROUTE_REFRESH],
	    rx->msg[MSG_ROUTE_REFRESH]);
	text_pair(o, "Total", tx->total, rx->total);
	out_text(o, "\n  Update statistics:\n  %-15s %-10s %s\n", "", "Sent",
	    "Received");
	text_pair(o, "Prefixes",
	    (uint64_t)show_peer_told(p, FAM_INET) +
		show_peer_told(p, FAM_INET6),
	    adjin_received(p->adjin));
	text_pair(o, "Updates", updates, rx->updates);
	text_pair(o, "Withdraws", withdraws, rx->withdraws);
	text_pair(o, "End-of-Rib", tx->eor, rx->eor);
	out_text(o, "\n  Route Refresh statistics:\n  %-15s %-10s %s\n", "",
	    "Sent", "Received");
	text_pair(o, "Request", tx->refresh[0], rx->refresh[0]);
	text_pair(o, "Begin of RR", tx->refresh[1], rx->refresh[1]);
	text_pair(o, "End of RR", tx->refresh[2], rx->refresh[2]);
}

static void
text_routes(struct show *s, const struct peer *p)
{
	const struct adjin_count *n[FAM_N] = { NULL,
		adjin_count(p->adjin, FAM_INET),
		adjin_count(p->adjin, FAM_INET6) };
	struct adjin_reason r;
	struct out *o = s->out;

	out_text(o, "\n  Routes:\n  %-15s %-10s %s\n", "", "IPv4", "IPv6");
	text_pair(o, "Received", n[1]->received, n[2]->received);
	text_pair(o, "Accepted", n[1]->accepted, n[2]->accepted);
	text_pair(o, "Rejected", n[1]->rejected, n[2]->rejected);
	text_pair(o, "Best", s->best[1], s->best[2]);
	text_pair(o, "In the kernel", s->in_fib[1], s->in_fib[2]);
	text_pair(o, "Stale", n[1]->stale, n[2]->stale);
	text_pair(o, "Malformed", n[1]->malformed, n[2]->malformed);
	text_pair(o, "Held back", n[1]->held, n[2]->held);
	text_pair(o, "Advertised", show_peer_told(p, FAM_INET),
	    show_peer_told(p, FAM_INET6));
	if (!adjin_reason(p->adjin, 0, &r))
		return;
	out_text(o, "\n  Rejected by reason:\n  %-20s %-10s %s\n", "", "Now",
	    "So far");
	for (unsigned int i = 0; adjin_reason(p->adjin, i, &r); i++)
		out_text(o, "  %-20s %10u %10llu\n", reason_name(r.reason),
		    r.now[FAM_INET] + r.now[FAM_INET6],
		    (unsigned long long)(r.total[FAM_INET] +
			r.total[FAM_INET6]));
}

static void
text_policy(struct show *s, const struct peer *p)
{
	const struct conf_neighbor *c = p->conf;
	const struct conf_set *irr = c->irr;
	struct out *o = s->out;
	char t[OUT_TIME_LEN];

	out_text(o, "\n  Policy:\n    import %s, export %s%s\n",
	    c->import != NULL ? c->import->name : "none (nothing is taken)",
	    c->export != NULL ? c->export->name : "none (nothing is told)",
	    c->fib ? "" : ", its routes do not go to the kernel");
	for (int g = GUARD_NONE + 1; g < GUARD_N; g++)
		if (c->guard_off & GUARD_BIT(g))
			out_text(o, "    OFF: %s%s%s%s\n",
			    reason_guard_word((enum guard)g),
			    c->guard_off_why[g] != NULL ? " (" : "",
			    c->guard_off_why[g] != NULL ? c->guard_off_why[g]
							: "",
			    c->guard_off_why[g] != NULL ? ")" : "");
	for (size_t i = 0; i < c->nallow; i++)
		out_text(o,
		    "    HOLE: prefix-set %s, %zu prefixes, is let through by "
		    "bogon-prefixes\n",
		    c->allow[i]->name, c->allow[i]->entries);
	if (irr == NULL) {
		out_text(o, "  Filter: none configured%s\n",
		    c->guard_off & GUARD_BIT(GUARD_IRR) || c->internal
			? ""
			: ", so nothing is imported");
		return;
	}
	out_text(o, "  Filter: prefix-set %s, %zu prefixes%s", irr->name,
	    irr->entries,
	    irr->entries == 0 ? ", NOT LOADED: nothing is imported" : "");
	if (irr->oldest != 0)
		out_text(o, ", %s old", show_ago(irr->oldest, t, sizeof t));
	if (irr->max_age_s != 0 &&
	    show_since(irr->oldest) > (int64_t)irr->max_age_s)
		out_text(o, " (older than its max-age)");
	out_text(o, "\n");
}

static void
text_history(struct show *s, const struct peer *p)
{
	const struct peer_notif *n;
	const struct peer_step *st;
	char what[SHOW_NOTIF_LEN], t[OUT_TIME_LEN], when[32];
	struct out *o = s->out;

	for (int sent = 1; sent >= 0; sent--) {
		n = show_peer_last(p, sent);
		if (n != NULL)
			out_text(o, "  Last error %s: %s (%u/%u), %s ago\n",
			    sent ? "sent" : "received",
			    show_notif_print(n, what, sizeof what), n->code,
			    n->sub, show_ago(n->when_s, t, sizeof t));
	}
	out_text(o, "  Last state changes:\n");
	for (unsigned int i = 0;
	     i < SHOW_HISTORY && (st = show_peer_step(p, i)) != NULL; i++)
		out_text(o, "    %s %-11s -> %-11s %s (%s)\n",
		    show_time(st->when_s, when, sizeof when),
		    fsm_state_name((enum fsm_state)st->from),
		    fsm_state_name((enum fsm_state)st->to),
		    fsm_event_name((enum fsm_event)st->event),
		    st->dialled ? "our connection" : "its connection");
	if (p->nstep == 0)
		out_text(o, "    none\n");
}

static void
text_timers(struct show *s, const struct peer *p)
{
	const struct timer *t;
	char left[OUT_TIME_LEN];

	out_text(s->out, "  Timers that run:\n");
	for (unsigned int i = 0; show_peer_timer(p, i, &t); i++)
		if (t->armed)
			out_text(s->out, "    %-20s due in %s\n", t->name,
			    out_timeframe(
				(int64_t)timer_left(t, p->eng->now_ms) / 1000,
				left, sizeof left));
}

static void
text_hosts(struct show *s, const struct peer *p)
{
	const struct session *ses = peer_session(p);
	char a[ADDR_STRLEN];

	if (ses == NULL || ses->fsm.state < FSM_OPENSENT)
		return;
	out_text(s->out, "  Local host:  %20s, Local port:  %5u\n",
	    addr_print(&ses->local, a, sizeof a), ses->local_port);
	out_text(s->out, "  Remote host: %20s, Remote port: %5u\n",
	    addr_print(&ses->remote, a, sizeof a), ses->remote_port);
}

void
show_peer_text(struct show *s, struct peer *p)
{
	text_head(s, p);
	text_state(s, p);
	text_restart(s, p);
	text_roles(s->out, p);
	text_session_caps(s, p);
	text_statistics(s, p);
	text_routes(s, p);
	text_policy(s, p);
	out_text(s->out, "\n");
	text_history(s, p);
	text_timers(s, p);
	text_hosts(s, p);
	out_text(s->out, "\n");
}
