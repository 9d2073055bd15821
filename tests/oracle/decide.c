/*
 * RFC 4271 9.1.2.2 written down as its text reads, routes being removed from
 * a set, against decide_best() on random sets of routes.
 */
#include <assert.h>
#include <string.h>

#include "rib/decide.h"
#include "tests/oracle/oracle.h"

enum {
	MAX = 24
};

struct naive {
	uint32_t pref, weight, med, as, cost, id, cluster;
	unsigned int length, origin;
	bool local, internal;
	struct addr peer;
};

static struct attrs attrs[MAX];
static struct decide_route route[MAX];
static struct naive naive[MAX];
static uint8_t path[MAX][2 + 4 * 4], clusters[16];

static void
make_path(size_t i, unsigned int n, unsigned int first)
{
	path[i][0] = SEG_SEQUENCE;
	path[i][1] = (uint8_t)n;
	for (unsigned int k = 0; k < n; k++)
		memcpy(path[i] + 2 + 4 * k,
		    (uint8_t[]){ 0, 0, 0, (uint8_t)(k == 0 ? first : 9) }, 4);
	attrs[i].has |= 1 << HAS_AS_PATH;
	attrs[i].as_path =
	    (struct octets){ path[i], (uint16_t)(n == 0 ? 0 : 2 + 4 * n) };
}

static void
make_route(size_t i)
{
	struct naive *v = &naive[i];
	struct attrs *a = &attrs[i];
	struct decide_route *r = &route[i];

	memset(v, 0, sizeof *v);
	memset(a, 0, sizeof *a);
	memset(r, 0, sizeof *r);
	v->weight = r->weight = rnd(20) == 0;
	v->pref = 100;
	if (rnd(2)) {
		a->has |= 1 << HAS_LOCAL_PREF;
		v->pref = a->local_pref = 100 + (rnd(10) == 0);
	}
	v->local = r->local = rnd(30) == 0;
	v->internal = r->internal = rnd(3) == 0;
	v->length = 2 - (rnd(6) == 0);
	v->as = 1 + rnd(3);
	if (v->internal && rnd(3) == 0)
		v->length = v->as = 0;
	make_path(i, v->length, v->as);
	a->has |= 1 << HAS_ORIGIN;
	v->origin = a->origin = (uint8_t)(rnd(5) == 0);
	if (rnd(3) > 0) {
		a->has |= 1 << HAS_MED;
		v->med = a->med = rnd(3);
	}
	v->cost = r->cost = rnd(4) == 0;
	v->id = r->router_id = rnd(4);
	if (v->internal && rnd(2)) {
		a->has |= 1 << HAS_ORIGINATOR_ID;
		v->id = a->originator_id = rnd(4);
		v->cluster = rnd(3);
		a->cluster_list =
		    (struct octets){ clusters, (uint16_t)(4 * v->cluster) };
	}
	r->peer_as = 77;
	v->peer = r->peer_addr = addr_v4(0x0a000000 + (uint32_t)i * 7 % MAX);
	r->attrs = a;
}

#define REMOVE_WORSE(cond) \
	do { \
		bool gone[MAX] = { false }; \
		for (size_t x_ = 0; x_ < n; x_++) \
			for (size_t y_ = 0; y_ < n; y_++) { \
				const struct naive *a = &naive[x_]; \
				const struct naive *b = &naive[y_]; \
				if (in[x_] && in[y_] && (cond)) \
					gone[y_] = true; \
			} \
		for (size_t x_ = 0; x_ < n; x_++) \
			in[x_] = in[x_] && !gone[x_]; \
	} while (0)

static size_t
naive_best(size_t n, bool equal[MAX])
{
	bool in[MAX];
	size_t i;

	for (i = 0; i < n; i++)
		in[i] = true;
	REMOVE_WORSE(a->weight > b->weight);
	REMOVE_WORSE(a->pref > b->pref);
	REMOVE_WORSE(a->local && !b->local);
	REMOVE_WORSE(a->length < b->length);
	REMOVE_WORSE(a->origin < b->origin);
	REMOVE_WORSE(a->as == b->as && a->med < b->med);
	REMOVE_WORSE(!a->internal && b->internal);
	REMOVE_WORSE(a->cost < b->cost);
	memcpy(equal, in, sizeof in);
	REMOVE_WORSE(a->id < b->id);
	REMOVE_WORSE(a->cluster < b->cluster);
	REMOVE_WORSE(addr_cmp(&a->peer, &b->peer) < 0);
	for (i = 0; !in[i]; i++)
		;
	return i;
}

static void
one_set(void)
{
	size_t n = 1 + rnd(MAX), best, want;
	enum decide_why lost[MAX];
	bool equal[MAX] = { false };

	for (size_t i = 0; i < n; i++)
		make_route(i);
	want = naive_best(n, equal);
	best = decide_best(route, n, lost);
	assert(best == want);
	for (size_t i = 0; i < n; i++) {
		assert(decide_multipath(lost[i]) == equal[i]);
		assert((lost[i] == DECIDE_BEST) == (i == best));
	}
}

int
main(int argc, char **argv)
{
	unsigned long rounds = oracle_begin(argc, argv, 100000);

	for (unsigned long i = 0; i < rounds; i++)
		one_set();
	return 0;
}
