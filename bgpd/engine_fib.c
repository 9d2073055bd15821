/* The engine's side of ana-fibd: what it tells, and what is asked of it. */
#include <errno.h>
#include <ifaddrs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bgpd/engine.h"
#include "bgpd/log.h"
#include "platform/clock.h"
#include "platform/sock.h"

enum {
	FIB_RETRY_MS = 1000,
	SET_RETRY_MS = 1000,
};

/* ---- links and addresses ---------------------------------------------- */

static void want_all(struct engine *);

static struct engine_link *
link_at(struct engine *eng, uint32_t ifindex)
{
	for (size_t i = 0; i < eng->nlink; i++)
		if (eng->link[i].l.ifindex == ifindex)
			return &eng->link[i];
	return NULL;
}

const struct engine_link *
engine_link(const struct engine *eng, uint32_t ifindex)
{
	return link_at((struct engine *)(uintptr_t)eng, ifindex);
}

const struct engine_link *
engine_link_of(const struct engine *eng, const struct addr *local)
{
	for (size_t i = 0; i < eng->naddr; i++)
		if (addr_eq(&eng->addr[i].addr, local))
			return engine_link(eng, eng->addr[i].ifindex);
	return NULL;
}

static void
on_link(void *arg, const struct fib_link *l)
{
	struct engine *eng = arg;
	struct engine_link *k = link_at(eng, l->ifindex);
	bool other_speed;

	if (l->gone) {
		if (k != NULL)
			*k = eng->link[--eng->nlink];
		return;
	}
	if (k == NULL) {
		if (eng->nlink == ENGINE_LINKS_MAX)
			return;
		k = &eng->link[eng->nlink++];
		*k = (struct engine_link){ .l = *l };
	} else if (k->l.carrier != l->carrier)
		log_info("interface %s: carrier %s", l->name,
		    l->carrier ? "there" : "lost");
	/* One that was down is not in any set yet: its speed is new then. */
	other_speed =
	    k->l.carrier && l->carrier && k->l.speed_mbps != l->speed_mbps;
	k->l = *l;
	if (other_speed && eng->conf->fib.by_speed)
		want_all(eng);
}

/* Bits a second; 0 where the counter went back, as that of a new driver. */
static uint64_t
bps(uint64_t was, uint64_t now, uint64_t ms)
{
	return now > was ? (now - was) * 8000 / ms : 0;
}

static void
on_traffic(void *arg, const struct fib_traffic *t)
{
	struct engine_link *k = link_at(arg, t->ifindex);

	if (k == NULL || t->at_ms <= k->t.at_ms)
		return;
	if (k->t.at_ms != 0) {
		uint64_t ms = t->at_ms - k->t.at_ms;

		k->rated = true;
		k->rx_bps = bps(k->t.rx_octets, t->rx_octets, ms);
		k->tx_bps = bps(k->t.tx_octets, t->tx_octets, ms);
	}
	k->t = *t;
}

static void
on_usage(void *arg, const struct fib_usage *u)
{
	struct engine *eng = arg;

	eng->fib_usage = *u;
}

static void
keep_addr(struct engine *eng, uint32_t ifindex, const struct addr *a,
    unsigned int len, bool added)
{
	size_t i;

	for (i = 0; i < eng->naddr; i++)
		if (eng->addr[i].ifindex == ifindex &&
		    addr_eq(&eng->addr[i].addr, a))
			break;
	if (!added) {
		if (i < eng->naddr)
			eng->addr[i] = eng->addr[--eng->naddr];
		return;
	}
	if (i == ENGINE_ADDRS_MAX)
		return;
	if (i == eng->naddr)
		eng->naddr++;
	eng->addr[i] = (struct engine_addr){ ifindex, *a, (uint8_t)len };
}

static void
on_addr(void *arg, uint32_t ifindex, const struct addr *a, unsigned int len,
    bool added)
{
	struct engine *eng = arg;
	bool news = false;
	struct peer *p;

	engine_announce_links(eng);
	keep_addr(eng, ifindex, a, len, added);
	TAILQ_FOREACH (p, &eng->peers, entry)
		news |= peer_addresses(p, added ? NULL : a);
	if (news)
		engine_regroup(eng);
}

bool
engine_local_addr(const struct engine *eng, const struct addr *on, enum fam fam,
    struct addr *out)
{
	uint32_t ifindex = 0;

	for (size_t i = 0; i < eng->naddr; i++)
		if (addr_eq(&eng->addr[i].addr, on))
			ifindex = eng->addr[i].ifindex;
	for (size_t i = 0; i < eng->naddr; i++) {
		const struct engine_addr *a = &eng->addr[i];

		if (a->ifindex == ifindex && a->addr.fam == fam &&
		    !addr_is_linklocal(&a->addr)) {
			*out = a->addr;
			return true;
		}
	}
	return false;
}

bool
engine_on_link(const struct engine *eng, const struct addr *a)
{
	struct pfx net;

	for (size_t i = 0; i < eng->naddr; i++)
		if (pfx_make(&net, &eng->addr[i].addr, eng->addr[i].len) &&
		    pfx_has(&net, a))
			return true;
	return false;
}

bool
engine_link_local(const struct engine *eng, const struct addr *own,
    const struct addr *peer, struct addr *out)
{
	const struct engine_addr *link = NULL;
	struct pfx net;

	for (size_t i = 0; i < eng->naddr && link == NULL; i++)
		if (addr_eq(&eng->addr[i].addr, own) &&
		    pfx_make(&net, own, eng->addr[i].len) &&
		    pfx_has(&net, peer))
			link = &eng->addr[i];
	for (size_t i = 0; link != NULL && i < eng->naddr; i++) {
		const struct engine_addr *a = &eng->addr[i];

		if (a->ifindex == link->ifindex && a->addr.fam == FAM_INET6 &&
		    addr_is_linklocal(&a->addr)) {
			*out = a->addr;
			return true;
		}
	}
	return false;
}

/* ---- next hops -------------------------------------------------------- */

static void
on_nh_state(void *arg, const struct addr *a, bool reachable, uint32_t ifindex,
    const struct addr *via)
{
	static const struct addr itself = { .fam = FAM_NONE };
	struct engine *eng = arg;
	const struct nexthop *nh;
	char text[ADDR_STRLEN], by[ADDR_STRLEN];
	bool direct = addr_eq(a, via), other;

	for (uint32_t id = 0;
	     (id = nexthop_next_of(eng->nexthops, a, id)) != 0;) {
		nh = nexthop_at(eng->nexthops, id);
		/* Behind a route of others it may still be another's. */
		if (!reachable && nh->reachable && !eng->conf->fib.recursive)
			fibsync_lost(eng->fibsync, a, nh->ifindex);
		other = nexthop_set_via(
		    eng->nexthops, id, direct || !reachable ? &itself : via);
		if (!nexthop_set_state(eng->nexthops, id, reachable, ifindex,
			!reachable   ? NEXTHOP_NO_COST
			    : direct ? 0
				     : 1) &&
		    !other)
			continue;
		log_info("next hop %s is %s%s%s",
		    addr_print(a, text, sizeof text),
		    reachable ? "reachable" : "unreachable",
		    reachable && !direct ? " by " : "",
		    reachable && !direct ? addr_print(via, by, sizeof by) : "");
	}
}

/* Watched is the global address: does any next hop in use have it? */
static bool
in_use(const struct engine *eng, const struct addr *a)
{
	for (uint32_t id = 0;
	     (id = nexthop_next_of(eng->nexthops, a, id)) != 0;)
		if (nexthop_at(eng->nexthops, id)->users > 0)
			return true;
	return false;
}

void
engine_fib_wishes(struct engine *eng)
{
	struct nexthop_wish w;

	if (!eng->fib_ready)
		return;
	while (nexthop_take_wish(eng->nexthops, &w)) {
		if (w.wanted)
			eng->fib->ops->watch(eng->fib, &w.addr, 0);
		else if (!in_use(eng, &w.addr))
			eng->fib->ops->unwatch(eng->fib, &w.addr, 0);
	}
}

bool
engine_fib_hops_known(const struct engine *eng)
{
	const struct nexthop *nh;

	for (uint32_t id = 0; (id = nexthop_next(eng->nexthops, id)) != 0;) {
		nh = nexthop_at(eng->nexthops, id);
		if (nh->users > 0 && !nh->known)
			return false;
	}
	return true;
}

/* After a new HELLO nothing is watched any more. */
static void
watch_all(struct engine *eng)
{
	const struct nexthop *nh;

	for (uint32_t id = 0; (id = nexthop_next(eng->nexthops, id)) != 0;) {
		nh = nexthop_at(eng->nexthops, id);
		if (nh->users > 0)
			eng->fib->ops->watch(eng->fib, &nh->addr, 0);
	}
}

/* ---- routes ----------------------------------------------------------- */

static bool
may_install(const struct engine *eng, uint16_t peer)
{
	return peer != RIB_LOCAL && eng->by_num[peer] != NULL &&
	    eng->by_num[peer]->conf->fib;
}

/* By the links' speeds, if all are known. */
static void
weigh(const struct engine *eng, struct fib_nh *nh, size_t n)
{
	uint32_t speed[FIB_SET_NH];

	for (size_t i = 0; i < n; i++) {
		const struct engine_link *k = engine_link(eng, nh[i].ifindex);

		speed[i] = k != NULL ? k->l.speed_mbps : 0;
	}
	fibsync_weigh(nh, speed, n);
}

/* The next hops of the best path and of its equals, each once. */
static size_t
next_hops(const struct engine *eng, uint32_t dest, struct fib_nh *out)
{
	struct rib_path p;
	uint32_t it = 0;
	size_t n = 0, i;

	while (n < FIB_SET_NH && rib_paths(eng->rib, dest, &it, &p)) {
		const struct nexthop *nh;
		const struct addr *a;

		if (!(p.best || p.ecmp) || !may_install(eng, p.peer))
			continue;
		nh = nexthop_at(
		    eng->nexthops, attrs_nexthop(eng->attrs, p.attrs));
		if (nh == NULL)
			continue;
		a = nh->via.fam != FAM_NONE ? &nh->via : &nh->addr;
		/* A set has one family: the best path's, which comes first
		 * (an IPv4 route may have an IPv6 next hop, RFC 8950). */
		if (n > 0 && a->fam != out[0].addr.fam)
			continue;
		for (i = 0; i < n; i++)
			if (addr_eq(&out[i].addr, a) &&
			    out[i].ifindex == nh->ifindex)
				break;
		if (i == n)
			out[n++] = (struct fib_nh){
				.addr = *a, .ifindex = nh->ifindex, .weight = 1
			};
	}
	if (n > 1 && eng->conf->fib.by_speed)
		weigh(eng, out, n);
	return n;
}

static void
want(struct engine *eng, uint32_t dest, const struct pfx *pfx, uint16_t best)
{
	struct fib_nh nh[FIB_SET_NH];
	size_t n = 0;

	/* What is announced as ours is never also forwarded elsewhere. */
	if (best != RIB_LOCAL)
		n = next_hops(eng, dest, nh);
	fibsync_want(eng->fibsync, pfx, nh, n, best);
}

void
engine_fib_best(struct engine *eng, const struct rib_change *c)
{
	if (c->new_attrs == 0)
		fibsync_want(eng->fibsync, c->pfx, NULL, 0, c->old_peer);
	else
		want(eng, c->dest, c->pfx, c->new_peer);
}

static void
want_all(struct engine *eng)
{
	struct rib_path best;
	struct pfx at;
	uint32_t dest;

	for (enum fam f = FAM_INET; f < FAM_N; f++) {
		memset(&at, 0, sizeof at);
		while ((dest = rib_next(eng->rib, f, &at)) != 0)
			if (rib_best(eng->rib, dest, &best))
				want(eng, dest, &at, best.peer);
	}
}

void
engine_fib_conf(struct engine *eng, const struct conf *old)
{
	const struct conf_fib *a = &old->fib, *b = &eng->conf->fib;

	if (a->table != b->table || a->protocol != b->protocol ||
	    a->metric != b->metric)
		log_warnx("fib table, protocol and metric are in force after "
			  "a restart only");
	want_all(eng);
}

static bool
all_have_eor(const struct engine *eng)
{
	const struct peer *p;

	TAILQ_FOREACH (p, &eng->peers, entry)
		if (p->conf->enabled && !peer_has_eor(p))
			return false;
	return true;
}

/* All that will be asked for has been: forwarding hangs on it, so a peer that
 * is only quiet has the whole time. */
static bool
may_sweep(const struct engine *eng, bool more)
{
	char why[64];

	if (!eng->fib_ready || eng->stop || eng->ended[FAM_INET] || more ||
	    eng->restarting || eng->rib_more || eng->decoupled ||
	    !engine_fib_hops_known(eng))
		return false;
	return (all_have_eor(eng) && engine_ready(eng, why, sizeof why)) ||
	    (eng->select_over && fibsync_settled(eng->fibsync));
}

/* Everything that will come has come: what nobody renewed since HELLO is
 * swept. */
static void
sweep(struct engine *eng)
{
	for (enum fam f = FAM_INET; f < FAM_N; f++) {
		if (eng->fib_ready && !eng->ended[f])
			eng->ended[f] = eng->fib->ops->end(eng->fib, f) == 0;
	}
}

bool
engine_fib_run(struct engine *eng, unsigned int budget)
{
	bool more = false;

	/* What a stop takes from the RIB stays in the kernel: it is kept for
	 * the next run, or flushed as a whole. */
	if (eng->fib_ready && !eng->stop && !eng->decoupled)
		more = fibsync_run(eng->fibsync, eng->fib, budget);
	if (fibsync_timed(eng->fibsync) == NULL)
		eng->timed_us = 0;
	else if (eng->timed_us == 0)
		eng->timed_us = eng->world.clock_us();
	if (fibsync_refused(eng->fibsync) && !eng->set_retry.armed)
		timer_set(
		    &eng->timers, &eng->set_retry, eng->now_ms, SET_RETRY_MS);
	if (may_sweep(eng, more)) {
		timer_stop(&eng->timers, &eng->select_deadline);
		sweep(eng);
	}
	if (eng->fib_io != NULL)
		ev_io_want(eng->fib_io, true, fib_wants_write(eng->fib));
	return more;
}

static void
on_select_deadline(void *arg, uint64_t now)
{
	struct engine *eng = arg;

	restart_end(eng, "as the time is over");
	if (eng->decoupled)
		return; /* engine_fib_couple() sets it again */
	log_info("not every neighbor is back in %u s: routes of the last run "
		 "that nobody announced again are removed now",
	    restart_deadline_s(eng));
	eng->select_over = true;
}

static void
on_fam_done(void *arg, enum fam f, bool flushed, uint32_t removed, int err)
{
	struct engine *eng = arg;

	if (err != 0)
		log_warnx("removing kernel routes (%s): %s", fam_name(f),
		    strerror(err));
	else if (removed > 0)
		log_info("%u kernel routes removed (%s), %s", removed,
		    fam_name(f), flushed ? "as asked" : "not announced again");
	if (flushed)
		eng->flushed[f] = true;
}

void
engine_fib_flush(struct engine *eng)
{
	for (enum fam f = FAM_INET; f < FAM_N; f++) {
		eng->flushed[f] = false;
		if (eng->fib_ready)
			eng->fib->ops->flush(eng->fib, f);
	}
}

void
engine_fib_decouple(struct engine *eng, bool remove)
{
	eng->decoupled = true;
	if (!remove)
		return;
	/* What is there now goes; all will be asked for afresh. */
	engine_fib_flush(eng);
	fibsync_down(eng->fibsync);
}

void
engine_fib_couple(struct engine *eng)
{
	eng->decoupled = false;
	if (eng->fib_ready && !eng->ended[FAM_INET])
		timer_set(&eng->timers, &eng->select_deadline, eng->now_ms,
		    ENGINE_SELECT_S * 1000ull);
}

bool
engine_fib_flushed(const struct engine *eng)
{
	return !eng->stop_flush || !eng->fib_ready ||
	    (eng->flushed[FAM_INET] && eng->flushed[FAM_INET6]);
}

/*
 * A flush of the table by somebody else is a million events: the first few of
 * a second are told one by one, the others as a number.
 */
static bool
may_say(struct engine *eng)
{
	int64_t now_s = clock_real_s();
	enum {
		LINES = 20
	};

	if (now_s != eng->fib_said_s) {
		if (eng->fib_said > LINES)
			log_warnx("%u more lines about kernel routes are left "
				  "out; see show fib",
			    eng->fib_said - LINES);
		eng->fib_said_s = now_s;
		eng->fib_said = 0;
	}
	return eng->fib_said++ < LINES;
}

static void
fib_event(struct engine *eng, enum event_type t, const struct pfx *p,
    const char *what)
{
	char buf[PFX_STRLEN];
	struct log_word w[] = { { "prefix", pfx_print(p, buf, sizeof buf) },
		{ NULL, NULL } };

	event(eng->events, t, may_say(eng) ? LOG_L_WARN : LOG_L_NONE, NULL, w,
	    "kernel route %s: %s", buf, what);
}

static void
on_done(void *arg, const struct pfx *p, bool removed, int err, const char *text)
{
	struct engine *eng = arg;

	fibsync_done(eng->fibsync, p, removed, err, text);
	if (eng->timed_us != 0 && fibsync_timed(eng->fibsync) == NULL) {
		hist_add(
		    &eng->installs, eng->world.clock_us() - eng->timed_us, 1);
		eng->timed_us = 0;
	}
	if (err != 0 && !removed)
		fib_event(eng, EVENT_FIB_FAILED, p,
		    text != NULL && *text != '\0' ? text : strerror(err));
}

static void
on_set_done(void *arg, uint32_t set, bool dropped, int err, const char *text)
{
	struct engine *eng = arg;

	fibsync_set_done(eng->fibsync, set, dropped, err);
	if (err != 0 && !dropped)
		log_warnx("next hop set %u refused: %s", set,
		    text != NULL && *text != '\0' ? text : strerror(err));
}

static void
on_state(void *arg, const struct pfx *p, enum fib_state st)
{
	static const char *const what[] = {
		[FIB_CONFLICT] = "a foreign route stands in its place",
		[FIB_GONE] = "removed by somebody else",
		[FIB_CHANGED] = "changed by somebody else, corrected",
		[FIB_PUTBACK] = "was missing, put back",
	};
	struct engine *eng = arg;

	if (!fibsync_told(eng->fibsync, p, st, clock_real_s()) &&
	    st == FIB_PUTBACK)
		return; /* it had waited, as show fib said */
	fib_event(eng,
	    st == FIB_CONFLICT ? EVENT_FIB_CONFLICT : EVENT_FIB_DRIFT, p,
	    what[st]);
}

static void
on_overrun(void *arg)
{
	struct engine *eng = arg;

	fibsync_overrun(eng->fibsync);
	event(eng->events, EVENT_FIB_OVERRUN, LOG_L_WARN, NULL, NULL,
	    "ana-fibd lost events of the kernel and looked again");
}

/* ---- the connection --------------------------------------------------- */

static void
on_ready(void *arg, const struct fib_ready *r)
{
	struct engine *eng = arg;
	struct peer *p;

	event(eng->events, EVENT_FIB_READY,
	    eng->opts.memory ? LOG_L_NONE : LOG_L_INFO, NULL, NULL,
	    "ana-fibd is there: %u IPv4 and %u IPv6 routes of the last run "
	    "adopted%s",
	    r->adopted[FAM_INET], r->adopted[FAM_INET6],
	    r->adopting ? ", more to come" : "");
	eng->fib_ready = true;
	eng->fib_ready_ms = eng->now_ms;
	eng->fib_info = *r;
	eng->fib_why[0] = '\0';
	/* Once all were in, the RIB is the truth also after a restart of
	 * ana-fibd, whoever is down now. */
	eng->select_over =
	    eng->fib_known && (eng->select_over || eng->ended[FAM_INET]);
	eng->ended[FAM_INET] = eng->ended[FAM_INET6] = false;
	timer_set(&eng->timers, &eng->select_deadline, eng->now_ms,
	    restart_deadline_s(eng) * 1000ull);
	restart_begin(eng);
	fibsync_ready(eng->fibsync);
	watch_all(eng);
	listeners_start(eng);
	TAILQ_FOREACH (p, &eng->peers, entry)
		peer_start(p);
}

static void
on_down(void *arg, const char *sentence)
{
	struct engine *eng = arg;

	if (strcmp(eng->fib_why, sentence) != 0)
		event(eng->events, EVENT_FIB_LOST, LOG_L_WARN, NULL, NULL,
		    "ana-fibd: %s", sentence);
	strlcpy(eng->fib_why, sentence, sizeof eng->fib_why);
	eng->fib_ready = false;
	fibsync_down(eng->fibsync);
	/* Closed by on_fib_io() when the callback is over. */
	eng->fib_lost = true;
}

static void
on_listener(
    void *arg, const struct addr *a, uint32_t ifindex, int fd, const char *text)
{
	listener_take(arg, a, fd, text);
}

static const struct fib_events events = {
	.ready = on_ready,
	.down = on_down,
	.done = on_done,
	.set_done = on_set_done,
	.fam_done = on_fam_done,
	.nh_state = on_nh_state,
	.link = on_link,
	.traffic = on_traffic,
	.usage = on_usage,
	.addr = on_addr,
	.state = on_state,
	.overrun = on_overrun,
	.listener = on_listener,
};

static void
lost(struct engine *eng)
{
	eng->fib_lost = false;
	eng->fib_usage.start_s = 0;
	ev_io_free(eng->fib_io);
	eng->fib_io = NULL;
	fib_close(eng->fib);
	eng->fib = NULL;
	if (eng->opts.fibd_fd == -1) {
		timer_set(
		    &eng->timers, &eng->fib_retry, eng->now_ms, FIB_RETRY_MS);
		return;
	}
	/* Our own, in a lab: it said why; there is nothing to wait for. */
	if (!eng->listened && !eng->stop) {
		snprintf(eng->fatal, sizeof eng->fatal,
		    "the ana-fibd that was started here ended: %.200s",
		    eng->fib_why);
		eng->stop = true;
	}
}

static void
on_fib_io(void *arg, bool r, bool w)
{
	struct engine *eng = arg;

	if (w)
		fib_writable(eng->fib);
	if (r && !eng->fib_lost)
		fib_readable(eng->fib);
	if (eng->fib_lost)
		lost(eng);
}

static void
hello(struct engine *eng)
{
	const struct conf_fib *c = &eng->conf->fib;
	struct fib_hello h = { .protocol = c->protocol,
		.table = c->table,
		.metric = c->metric,
		.src4 = c->prefer_source[FAM_INET],
		.src6 = c->prefer_source[FAM_INET6],
		.keep_s = c->keep_s,
		.reconcile_s = c->reconcile_s,
		.netns = eng->opts.netns,
		.recursive = c->recursive };

	eng->fib_io = ev_io_new(eng->ev, fib_fd(eng->fib), on_fib_io, eng);
	eng->fib->ops->hello(eng->fib, &h);
	ev_io_want(eng->fib_io, true, fib_wants_write(eng->fib));
}

static void
connect_fibd(struct engine *eng)
{
	char sentence[sizeof eng->fib_why];

	eng->fib = fib_open_client(eng->opts.fibd_path, &events, eng);
	if (eng->fib != NULL) {
		/* It tells all that there are: what went meanwhile is gone. */
		eng->nlink = eng->naddr = 0;
		hello(eng);
		return;
	}
	snprintf(sentence, sizeof sentence,
	    "cannot reach ana-fibd at %s: %s; is ana-fibd running?",
	    eng->opts.fibd_path, strerror(errno));
	if (strcmp(eng->fib_why, sentence) != 0)
		log_warnx("%s", sentence);
	strlcpy(eng->fib_why, sentence, sizeof eng->fib_why);
	timer_set(&eng->timers, &eng->fib_retry, eng->now_ms, FIB_RETRY_MS);
}

static void
on_retry(void *arg, uint64_t now)
{
	connect_fibd(arg);
}

static void
on_set_retry(void *arg, uint64_t now)
{
	struct engine *eng = arg;

	(void)now;
	fibsync_retry(eng->fibsync);
	if (fibsync_take_room(eng->fibsync))
		want_all(eng);
}

void
engine_fib_init(struct engine *eng)
{
	timer_init(&eng->set_retry, "FibRefusedTimer", on_set_retry, eng);
	timer_init(&eng->fib_retry, "FibRetryTimer", on_retry, eng);
	timer_init(&eng->select_deadline, "SelectionDeadline",
	    on_select_deadline, eng);
}

/* Without a kernel: what stands in the subnet of an interface is reachable. */
void
engine_fib_connected(struct engine *eng)
{
	struct ifaddrs *list, *i;
	unsigned int len;
	struct addr a;
	struct pfx p;
	uint32_t n = 0;

	if (getifaddrs(&list) == -1)
		return;
	for (i = list; i != NULL; i = i->ifa_next) {
		n++;
		if (!sock_ifaddr(i->ifa_addr, i->ifa_netmask, &a, &len) ||
		    !pfx_make(&p, &a, len))
			continue;
		on_addr(eng, n, &a, len, true);
		fib_mem_connected(eng->fib, &p, n);
	}
	freeifaddrs(list);
}

bool
engine_fib_open(struct engine *eng, char *why, size_t n)
{
	if (!eng->opts.memory && eng->opts.fibd_fd == -1) {
		connect_fibd(eng);
		return true;
	}
	eng->fib = eng->opts.memory
	    ? fib_open_mem(&events, eng)
	    : fib_open_fd(eng->opts.fibd_fd, &events, eng);
	if (eng->fib == NULL) {
		snprintf(why, n, "no way to the kernel's table: %s",
		    strerror(errno));
		return false;
	}
	if (eng->opts.memory)
		eng->world.connected(eng);
	hello(eng);
	return true;
}

void
engine_fib_close(struct engine *eng)
{
	timer_stop(&eng->timers, &eng->fib_retry);
	timer_stop(&eng->timers, &eng->set_retry);
	timer_stop(&eng->timers, &eng->select_deadline);
	ev_io_free(eng->fib_io);
	fib_close(eng->fib);
	eng->fib_io = NULL;
	eng->fib = NULL;
}
