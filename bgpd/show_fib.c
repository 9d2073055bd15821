/* show_fib.c -- the kernel's side: routes, next hops, interfaces. */
#include <stdio.h>
#include <string.h>

#include "bgpd/engine.h"
#include "bgpd/session.h"
#include "bgpd/show_cmd.h"

/* ---- routes ----------------------------------------------------------- */

static void
put_route(struct show *s, const struct fibsync_route *r)
{
	const struct conf_fib *c = &s->eng->conf->fib;
	struct out *o = s->out;
	char pfx[PFX_STRLEN], gw[ADDR_STRLEN], dev[72], err[512] = "";

	pfx_print(&r->pfx, pfx, sizeof pfx);
	addr_print(&r->nh[0].addr, gw, sizeof gw);
	if (r->text != NULL && *r->text != '\0')
		out_safe(r->text, err, sizeof err);
	else if (r->err != 0)
		strlcpy(err, strerror(r->err), sizeof err);
	for (size_t i = 0; i < r->nnh; i++) {
		char a[ADDR_STRLEN];

		addr_print(&r->nh[i].addr, a, sizeof a);
		show_ifname(s->eng, r->nh[i].ifindex, dev, sizeof dev);
		if (i > 0)
			out_text(
			    o, "%-5s %4s %-20s %-15s %s\n", "", "", "", a, dev);
		else
			out_text(o, "%-5s %4u %-20s %-15s %-12s %s%s%s\n",
			    r->state == FIBSYNC_INSTALLED ? "*B" : "B",
			    c->metric, pfx, a, dev,
			    fibsync_state_name(r->state),
			    *err != '\0' ? ": " : "", err);
	}
	out_obj(o, NULL);
	out_str(o, "prefix", pfx);
	out_u64(o, "priority", c->metric);
	out_str(o, "origin", "bgp");
	out_bool(o, "used_by_nexthop", false);
	out_bool(o, "blackhole", false);
	out_bool(o, "reject", false);
	out_str(o, "nexthop", gw);
	out_str(o, "state", fibsync_state_name(r->state));
	if (*err != '\0')
		out_str(o, "error", err);
	out_arr(o, "nexthops");
	for (size_t i = 0; i < r->nnh; i++) {
		out_obj(o, NULL);
		out_str(
		    o, "address", addr_print(&r->nh[i].addr, gw, sizeof gw));
		out_str(o, "interface",
		    show_ifname(s->eng, r->nh[i].ifindex, dev, sizeof dev));
		out_u64(o, "weight", r->nh[i].weight);
		out_end(o);
	}
	out_end(o);
	out_end(o);
	s->rows++;
}

static void
fib_legend(struct show *s)
{
	if (s->eng->decoupled)
		out_text(s->out,
		    "decoupled: the kernel's table is left as it is until "
		    "\"fib couple\"\n");
	out_text(s->out,
	    "flags: * = in the kernel's table, B = BGP\n\n"
	    "%-5s %4s %-20s %-15s %-12s %s\n",
	    "flags", "prio", "destination", "gateway", "interface", "state");
}

/* The longest one of ours that covers the address. */
static bool
fib_longest(const struct show *s, struct fibsync_route *r)
{
	const struct pfx *want = &s->req.prefix;
	struct pfx p;

	for (int len = want->len; len >= 0; len--) {
		pfx_make(&p, &want->addr, (unsigned int)len);
		if (fibsync_get(s->eng->fibsync, &p, r) != FIBSYNC_NONE)
			return true;
		if (!s->req.is_addr)
			return false;
	}
	return false;
}

/* All are asked for, or the prefix, or what covers the address. */
static bool
is_asked(const struct show *s, const struct pfx *p)
{
	return !s->req.has_prefix ||
	    (s->req.is_addr ? pfx_has(p, &s->req.prefix.addr)
			    : pfx_eq(p, &s->req.prefix));
}

/* What others did to our routes: at most FIBSYNC_DRIFTS, one slice. */
static void
put_drift(struct show *s)
{
	static const char *const what[] = {
		[FIB_CONFLICT] = "conflict",
		[FIB_GONE] = "removed",
		[FIB_CHANGED] = "changed",
		[FIB_PUTBACK] = "put-back",
	};
	static const char *const sentence[] = {
		[FIB_CONFLICT] = "a foreign route took its place",
		[FIB_GONE] = "removed by somebody else",
		[FIB_CHANGED] = "changed by somebody else, corrected",
		[FIB_PUTBACK] = "removed by somebody else, put back",
	};
	const struct fibsync_drift *d;
	struct fibsync_stats st;
	struct out *o = s->out;

	fibsync_get_stats(s->eng->fibsync, &st);
	out_text(o,
	    "%llu changes of our routes by others were corrected, %llu "
	    "conflicts met, events lost %llu times\n\n%-20s %-43s %s\n",
	    (unsigned long long)(st.drift[FAM_INET] + st.drift[FAM_INET6]),
	    (unsigned long long)st.conflicts, (unsigned long long)st.overruns,
	    "time", "destination", "what");
	for (size_t i = 0; (d = fibsync_drift_at(s->eng->fibsync, i)) != NULL;
	     i++) {
		char pfx[PFX_STRLEN], t[64];

		if (!is_asked(s, &d->pfx))
			continue;
		show_time(d->at_s, t, sizeof t);
		pfx_print(&d->pfx, pfx, sizeof pfx);
		out_text(o, "%-20s %-43s %s\n", t, pfx, sentence[d->what]);
		out_obj(o, NULL);
		out_str(o, "prefix", pfx);
		out_str(o, "time", t);
		out_str(o, "what", what[d->what]);
		out_end(o);
	}
}

static bool
head_fib(struct show *s)
{
	struct fibsync_route r;
	char text[PFX_STRLEN];

	s->fam = FAM_INET;
	if (s->req.drift) {
		put_drift(s);
		return false;
	}
	if (!s->req.has_prefix || s->req.conflicts) {
		if (!s->eng->fib_ready)
			show_fail(s, CMD_DONE,
			    "ana-fibd is not there: %s; no state of these "
			    "routes is confirmed",
			    s->eng->fib_why);
		fib_legend(s);
		return true;
	}
	if (!fib_longest(s, &r))
		return show_fail(s, CMD_NOT_FOUND,
		    "no route of ours in the kernel's table for %s",
		    s->req.is_addr
			? addr_print(&s->req.prefix.addr, text, sizeof text)
			: pfx_print(&s->req.prefix, text, sizeof text));
	fib_legend(s);
	put_route(s, &r);
	return false;
}

static bool
rows_fib(struct show *s, unsigned int budget)
{
	struct fibsync_route r;

	while (budget > 0) {
		if (!fibsync_next(s->eng->fibsync, s->fam, &s->at, &r)) {
			if (s->fam == FAM_INET6)
				return false;
			s->fam = FAM_INET6;
			memset(&s->at, 0, sizeof s->at);
			continue;
		}
		budget--;
		if (!s->req.conflicts ||
		    (r.state == FIBSYNC_CONFLICT && is_asked(s, &r.pfx)))
			put_route(s, &r);
	}
	return true;
}

/* ---- interfaces ------------------------------------------------------- */

/* The next neighbor whose session is over the link. */
static const struct peer *
link_peer(
    const struct engine *eng, const struct fib_link *l, const struct peer *p)
{
	for (p = p == NULL ? TAILQ_FIRST(&eng->peers) : TAILQ_NEXT(p, entry);
	     p != NULL; p = TAILQ_NEXT(p, entry))
		for (size_t i = 0; p->up != NULL && i < eng->naddr; i++)
			if (eng->addr[i].ifindex == l->ifindex &&
			    addr_eq(&eng->addr[i].addr, &p->up->local))
				return p;
	return NULL;
}

static void
put_link(struct show *s, const struct engine_link *k)
{
	const struct engine *eng = s->eng;
	const struct fib_link *l = &k->l;
	struct out *o = s->out;
	const struct peer *p;
	char name[72], a[ADDR_STRLEN];

	show_ifname(eng, l->ifindex, name, sizeof name);
	out_str(o, "name", name);
	out_u64(o, "rdomain", 0);
	out_bool(o, "is_up", l->up);
	out_bool(o, "nh_reachable", l->up && l->carrier);
	out_str(o, "linkstate", l->carrier ? "active" : "no carrier");
	if (l->speed_mbps != 0)
		out_u64(o, "baudrate", l->speed_mbps * 1000000ull);
	out_u64(o, "ifindex", l->ifindex);
	if (k->t.at_ms != 0) {
		out_u64(o, "rx_octets", k->t.rx_octets);
		out_u64(o, "tx_octets", k->t.tx_octets);
	}
	if (k->rated) {
		out_u64(o, "rx_bits_per_second", k->rx_bps);
		out_u64(o, "tx_bits_per_second", k->tx_bps);
	}
	out_arr(o, "addresses");
	for (size_t i = 0; i < eng->naddr; i++)
		if (eng->addr[i].ifindex == l->ifindex)
			out_strf(o, NULL, "%s/%u",
			    addr_print(&eng->addr[i].addr, a, sizeof a),
			    eng->addr[i].len);
	out_end(o);
	out_arr(o, "neighbors");
	for (p = NULL; (p = link_peer(eng, l, p)) != NULL;)
		out_str(o, NULL, addr_print(&p->conf->addr, a, sizeof a));
	out_end(o);
}

/* "12.3 Mbit/s" */
static const char *
rate(uint64_t bps, char *buf, size_t n)
{
	static const char *const unit[] = { "", "k", "M", "G", "T" };
	double v = (double)bps;
	size_t u = 0;

	while (v >= 1000 && u + 1 < sizeof unit / sizeof unit[0]) {
		v /= 1000;
		u++;
	}
	snprintf(buf, n, u == 0 ? "%.0f %sbit/s" : "%.1f %sbit/s", v, unit[u]);
	return buf;
}

static bool
head_interfaces(struct show *s)
{
	out_text(s->out, "%-15s %-9s %-9s %-7s %s\n", "Interface", "rdomain",
	    "Nexthop", "Flags", "Link state");
	return true;
}

/* A table of ENGINE_LINKS_MAX at most: one slice. */
static bool
rows_interfaces(struct show *s, unsigned int budget)
{
	const struct engine *eng = s->eng;
	struct out *o = s->out;
	char name[72], a[ADDR_STRLEN], peer[1024], in[32], out[32];
	const struct peer *p;

	for (size_t i = 0; i < eng->nlink; i++) {
		const struct engine_link *k = &eng->link[i];
		const struct fib_link *l = &k->l;

		out_text(o, "%-15s %-9u %-9s %-7s %s",
		    show_ifname(eng, l->ifindex, name, sizeof name), 0,
		    l->up && l->carrier ? "ok" : "invalid", l->up ? "UP" : "",
		    l->carrier ? "active" : "no carrier");
		if (l->speed_mbps != 0)
			out_text(o, ", %u Mbit/s", l->speed_mbps);
		if (k->rated)
			out_text(o, ", %s in, %s out",
			    rate(k->rx_bps, in, sizeof in),
			    rate(k->tx_bps, out, sizeof out));
		for (size_t n = 0; n < eng->naddr; n++)
			if (eng->addr[n].ifindex == l->ifindex)
				out_text(o, ", %s/%u",
				    addr_print(&eng->addr[n].addr, a, sizeof a),
				    eng->addr[n].len);
		for (p = NULL; (p = link_peer(eng, l, p)) != NULL;) {
			out_text(o, ", neighbor %s",
			    show_name(s, p, peer, sizeof peer));
		}
		out_text(o, "\n");
		out_obj(o, NULL);
		put_link(s, k);
		out_end(o);
	}
	return false;
}

/* ---- next hops -------------------------------------------------------- */

static bool
head_nexthop(struct show *s)
{
	out_text(s->out,
	    "Flags: * = nexthop valid\n\n"
	    "%-5s %-32s %-15s %8s %8s %s\n",
	    "Flags", "Nexthop", "Interface", "Attrs", "Routes", "State");
	return true;
}

static void
put_nexthop(struct show *s, const struct nexthop *nh)
{
	struct out *o = s->out;
	char a[ADDR_STRLEN], ll[ADDR_STRLEN], via[ADDR_STRLEN], dev[72] = "-";
	const struct engine_link *k;

	addr_print(&nh->addr, a, sizeof a);
	addr_print(&nh->ll, ll, sizeof ll);
	if (nh->reachable && nh->ifindex != 0)
		show_ifname(s->eng, nh->ifindex, dev, sizeof dev);
	addr_print(&nh->via, via, sizeof via);
	out_text(o, "%-5s %-32s %-15s %8u %8u %s%s%s\n",
	    nh->reachable ? "*" : "", a, dev, nh->refs, nh->users,
	    nh->reachable       ? "reachable"
		: nh->users > 0 ? "not reachable"
				: "not looked at: no accepted route uses it",
	    nh->via.fam != FAM_NONE ? " by " : "",
	    nh->via.fam != FAM_NONE ? via : "");
	out_obj(o, NULL);
	out_str(o, "address", a);
	out_bool(o, "valid", nh->reachable);
	if (nh->reachable)
		out_bool(o, "connected", nh->cost == 0);
	if (nh->via.fam != FAM_NONE)
		out_str(o, "via", via);
	if (nh->ll.fam != FAM_NONE)
		out_str(o, "link_local", ll);
	if (nh->reachable && nh->ifindex != 0) {
		k = engine_link(s->eng, nh->ifindex);
		out_obj(o, "interface");
		if (k != NULL)
			put_link(s, k);
		else
			out_str(o, "name", dev);
		out_end(o);
	}
	out_u64(o, "attribute_sets", nh->refs);
	out_u64(o, "routes", nh->users);
	out_end(o);
}

/*
 * In one slice: a number may be freed between two, and they are few (a next
 * hop that is not the peer's own address is refused).
 */
static bool
rows_nexthop(struct show *s, unsigned int budget)
{
	uint32_t id = 0;

	while ((id = nexthop_next(s->eng->nexthops, id)) != 0)
		put_nexthop(s, nexthop_at(s->eng->nexthops, id));
	return false;
}

const struct show_cmd show_cmd_fib = { "fib", head_fib, rows_fib };
const struct show_cmd show_cmd_interfaces = { "interfaces", head_interfaces,
	rows_interfaces };
const struct show_cmd show_cmd_nexthop = { "nexthops", head_nexthop,
	rows_nexthop };
