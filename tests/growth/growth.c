/*
 * growth.c -- the way of many routes through wire, policy and rib, from octets
 * to octets, for growth.py, which counts the instructions of measured().
 *
 * usage: growth ROUTES SENDERS RECEIVERS
 * Each sender announces its share of the routes, and has an exact list of four
 * fifths of them: the others are refused.  Each receiver is told the rest; then
 * all of them go.
 */
#include <stdio.h>
#include <stdlib.h>

#include "policy/export.h"
#include "policy/import.h"
#include "policy/pfxset.h"
#include "rib/adjin.h"
#include "rib/adjout.h"
#include "rib/nexthop.h"

enum {
	OWN_AS = 20000,
	PEER_AS = 1000,
	SET = 5, /* prefixes an attribute set, as in a full table */
	BUDGET = 4096,
};

struct world {
	struct arena in, out;
	struct nexthops *hops;
	struct attrs_pool *pool;
	struct rib *rib;
	struct adjout_group *group;
	struct policy *all;
	struct import_facts from;
	struct export_facts to;
	struct adjin **adjin;
	struct pfxset **list;
	unsigned int routes, senders, receivers;
	uint8_t *msg; /* all UPDATEs, each behind its length */
	size_t nmsg;
	unsigned long long told;
};

static const struct wire_neg neg = { .as4 = true, .mp = { false, true, true } };

static void
make_attrs(unsigned int set, uint8_t path[14], struct attrs *a)
{
	uint32_t as[3] = { PEER_AS, 2000 + set % 9000, 11001 + set / 9000 };

	path[0] = SEG_SEQUENCE;
	path[1] = 3;
	for (size_t i = 0; i < 3; i++)
		for (size_t k = 0; k < 4; k++)
			path[2 + 4 * i + k] = (uint8_t)(as[i] >> (24 - 8 * k));
	*a = (struct attrs){ .has = 1 << HAS_ORIGIN | 1 << HAS_AS_PATH |
		    1 << HAS_NEXT_HOP,
		.as_path = { path, 14 },
		.nexthop = addr_v4(0xc1000001) };
}

static void
make_messages(struct world *w)
{
	unsigned int sets = (w->routes + SET - 1) / SET;
	uint8_t path[14];

	w->msg = calloc(sets, WIRE_MAX / 16);
	for (unsigned int s = 0; s < sets; s++) {
		uint8_t *at = w->msg + (size_t)s * (WIRE_MAX / 16);
		struct pfx p[SET] = { 0 };
		struct attrs a;
		struct wbuf b;

		make_attrs(s, path, &a);
		for (unsigned int i = 0; i < SET; i++) {
			p[i].addr = addr_v4((20u << 24) + ((s * SET + i) << 8));
			p[i].len = 24;
			if (i > 0)
				pfxset_add(
				    w->list[s % w->senders], &p[i], 24, 24);
		}
		wbuf_init(&b, at + 2, WIRE_MAX / 16 - 2);
		if (wire_update_write(&b, &neg, &a, FAM_INET, p, SET) != SET)
			abort();
		at[0] = (uint8_t)(b.len >> 8);
		at[1] = (uint8_t)b.len;
	}
	w->nmsg = sets;
}

static uint32_t
export_one(void *arg, const struct pfx *pfx, const struct rib_path *best)
{
	struct world *w = arg;
	struct attrs in, out;
	uint16_t why;

	arena_reset(&w->out);
	attrs_get(w->pool, best->attrs, &in);
	if (!export_check(
		&w->to, pfx, &in, SOURCE_EXTERNAL, &w->out, &out, &why, NULL))
		return 0;
	return attrs_intern(w->pool, &out);
}

static bool
take(void *arg, struct adjout_member *m, const uint8_t *msg, size_t len)
{
	struct world *w = arg;

	w->told++;
	return true;
}

static void
on_best(void *arg, const struct rib_change *c)
{
	struct world *w = arg;

	adjout_mark(w->group, c->dest);
}

static bool
turn(struct world *w)
{
	struct adjout_calls calls = { export_one, take, w };
	bool more = rib_run(w->rib, BUDGET, on_best, w);

	return adjout_run(w->group, BUDGET, &calls) || more;
}

static void
receive(struct world *w, size_t from, const uint8_t *msg, size_t len)
{
	struct adjin *ai = w->adjin[from];
	const struct import_result *res;
	struct import_run run;
	struct update u;
	struct cur body;
	struct pfx pfx;
	uint32_t id, refused = 0;

	arena_reset(&w->in);
	cur_init(&body, msg + WIRE_HDR_LEN, len - WIRE_HDR_LEN);
	if (wire_update_parse(&body, &neg, &u, &w->in) != WIRE_OK)
		abort();
	id = attrs_intern(w->pool, &u.attrs);
	w->from.irr = w->list[from];
	import_begin(&run, &w->from, &u.attrs, &w->in);
	while (wire_nlri_next(&u.nlri, FAM_INET, &pfx)) {
		struct adjin_route r = { .attrs_in = id };

		res = import_next(&run, &pfx);
		r.reason = res->reason;
		r.attrs = res->reason == REASON_NONE ? id : 0;
		refused += res->reason == REASON_NOT_IN_SET;
		if (adjin_put(ai, &pfx, &r, 1) != ADJIN_NEW)
			abort();
	}
	if (refused != 1)
		abort();
	attrs_unref(w->pool, id);
}

__attribute__((noinline, used)) static void
measured(struct world *w)
{
	for (size_t i = 0; i < w->nmsg; i++) {
		const uint8_t *m = w->msg + i * (WIRE_MAX / 16);

		receive(w, i % w->senders, m + 2, (size_t)m[0] << 8 | m[1]);
		if (i % 512 == 511)
			turn(w);
	}
	while (turn(w))
		;
	for (unsigned int i = 0; i < w->senders; i++)
		while (adjin_flush(w->adjin[i], BUDGET))
			turn(w);
	while (turn(w))
		;
}

static void
begin(struct world *w)
{
	static const uint8_t key[16] = { 1 };
	struct addr peer = addr_v4(0xc1000001);

	arena_init(&w->in);
	arena_init(&w->out);
	w->hops = nexthops_new();
	w->pool = attrs_pool_new(key, w->hops);
	w->rib = rib_new(w->pool);
	w->group = adjout_group_new(w->rib, NULL);
	w->all = policy_new("all");
	policy_add(w->all, "all", NULL)->verdict = RULE_ACCEPT;
	nexthop_set_state(w->hops,
	    nexthop_get(w->hops, &peer, &(struct addr){ 0 }), true, 1, 0);
	w->from = (struct import_facts){ .local_as = OWN_AS,
		.peer_as = PEER_AS,
		.max_path = 32,
		.policy = w->all,
		.neighbor = peer };
	w->from.max_len[FAM_INET] = 24;
	w->from.peer[FAM_INET] = peer;
	w->to = (struct export_facts){ .local_as = OWN_AS,
		.peer_as = 1001,
		.off = GUARD_BIT(GUARD_EXPORT),
		.policy = w->all };
	w->to.next_hop[FAM_INET] = addr_v4(0xc1000002);
	w->adjin = calloc(w->senders, sizeof(struct adjin *));
	w->list = calloc(w->senders, sizeof(struct pfxset *));
	for (unsigned int i = 0; i < w->senders; i++) {
		struct rib_peer p = {
			.as = PEER_AS, .router_id = i + 1, .addr = peer
		};

		rib_peer_set(w->rib, (uint16_t)(i + 1), &p);
		w->adjin[i] = adjin_new(w->rib, (uint16_t)(i + 1));
		w->list[i] = pfxset_new("exact");
	}
	for (unsigned int i = 0; i < w->receivers; i++)
		adjout_join(w->group, (uint16_t)(w->senders + i + 1), &neg, w);
	while (turn(w))
		;
}

int
main(int argc, char **argv)
{
	static struct world w;

	if (argc != 4)
		return 2;
	w.routes = (unsigned int)atoi(argv[1]);
	w.senders = (unsigned int)atoi(argv[2]);
	w.receivers = (unsigned int)atoi(argv[3]);
	if (w.routes == 0 || w.senders == 0)
		return 2;
	begin(&w);
	make_messages(&w);
	w.told = 0;
	measured(&w);
	/* Each receiver was told each set, and that it went. */
	if (w.told < (unsigned long long)w.nmsg * w.receivers)
		return 1;
	printf("%llu messages\n", w.told);
	return 0;
}
