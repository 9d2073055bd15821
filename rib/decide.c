#include "rib/decide.h"

#include <stdlib.h>

#include "lib/mem.h"

static uint32_t
local_pref(const struct decide_route *r)
{
	return r->attrs->has & 1 << HAS_LOCAL_PREF ? r->attrs->local_pref
						   : DECIDE_LOCAL_PREF;
}

/* No ORIGIN at all (a route of ours) is the best one. */
static unsigned int
origin(const struct decide_route *r)
{
	return r->attrs->has & 1 << HAS_ORIGIN ? r->attrs->origin : 0;
}

static unsigned int
path_length(const struct decide_route *r)
{
	return aspath_length(r->attrs->as_path);
}

/* (c): a route without MED has the lowest possible one. */
static uint32_t
med(const struct decide_route *r)
{
	return r->attrs->has & 1 << HAS_MED ? r->attrs->med : 0;
}

/*
 * neighborAS(): the AS that the route was learned from, by whichever speaker
 * of ours, is the leftmost of its path; 0 for those of our own AS.
 */
static uint32_t
neighbour_as(const struct decide_route *r)
{
	uint32_t as = aspath_first(r->attrs->as_path);

	if (as != 0 || r->local || r->internal)
		return as;
	return r->peer_as;
}

/* (f), where ORIGINATOR_ID takes the place of the router's (RFC 4456 9). */
static uint32_t
router_id(const struct decide_route *r)
{
	return r->attrs->has & 1 << HAS_ORIGINATOR_ID ? r->attrs->originator_id
						      : r->router_id;
}

static int
cmp(uint32_t a, uint32_t b)
{
	return a < b ? -1 : a > b;
}

/* <0: a is better at this step, by the two routes alone. */
static int
step_cmp(enum decide_why step, const struct decide_route *a,
    const struct decide_route *b)
{
	switch (step) {
	case DECIDE_WEIGHT:
		return cmp(b->weight, a->weight);
	case DECIDE_LOCAL_PREF_LOST:
		return cmp(local_pref(b), local_pref(a));
	case DECIDE_LOCAL:
		return cmp(b->local, a->local);
	case DECIDE_AS_PATH:
		return cmp(path_length(a), path_length(b));
	case DECIDE_ORIGIN:
		return cmp(origin(a), origin(b));
	case DECIDE_MED:
		return neighbour_as(a) == neighbour_as(b) ? cmp(med(a), med(b))
							  : 0;
	case DECIDE_EXTERNAL:
		return cmp(a->internal, b->internal);
	case DECIDE_COST:
		return cmp(a->cost, b->cost);
	case DECIDE_ROUTER_ID:
		return cmp(router_id(a), router_id(b));
	case DECIDE_CLUSTER_LIST:
		return cmp(
		    a->attrs->cluster_list.len, b->attrs->cluster_list.len);
	case DECIDE_PEER_ADDR:
		return addr_cmp(&a->peer_addr, &b->peer_addr);
	case DECIDE_BEST:
	case DECIDE_INELIGIBLE:
	case DECIDE_N:
		break;
	}
	return 0;
}

int
decide_tiebreak(const struct decide_route *a, const struct decide_route *b)
{
	for (unsigned int s = DECIDE_ROUTER_ID; s < DECIDE_N; s++) {
		int c = step_cmp((enum decide_why)s, a, b);

		if (c != 0)
			return c;
	}
	return 0;
}

static int
group_cmp(const void *a, const void *b)
{
	const struct decide_route *x = *(const struct decide_route *const *)a;
	const struct decide_route *y = *(const struct decide_route *const *)b;
	int c = cmp(neighbour_as(x), neighbour_as(y));

	return c != 0 ? c : cmp(med(x), med(y));
}

/*
 * (c): of those of one neighbouring AS only the ones with its lowest MED stay.
 * Sorted by AS and MED, so that it costs n log n whatever the neighbours are.
 */
static size_t
keep_lowest_med(
    const struct decide_route *r, size_t n, size_t left, enum decide_why *lost)
{
	const struct decide_route *few[16], **v = few;
	size_t k = 0, first = 0;

	if (left > 16)
		v = mem_alloc(left * sizeof *v);
	for (size_t i = 0; i < n; i++)
		if (lost[i] == DECIDE_BEST)
			v[k++] = &r[i];
	qsort(v, k, sizeof *v, group_cmp);
	for (size_t i = 1; i < k; i++) {
		if (neighbour_as(v[i]) != neighbour_as(v[first]))
			first = i;
		else if (med(v[i]) != med(v[first])) {
			lost[v[i] - r] = DECIDE_MED;
			left--;
		}
	}
	if (v != few)
		free(v);
	return left;
}

/* Those worse than the best of this step are out; returns how many stay. */
static size_t
keep_best(enum decide_why step, const struct decide_route *r, size_t n,
    enum decide_why *lost)
{
	const struct decide_route *best = NULL;
	size_t left = 0;

	for (size_t i = 0; i < n; i++)
		if (lost[i] == DECIDE_BEST &&
		    (best == NULL || step_cmp(step, &r[i], best) < 0))
			best = &r[i];
	for (size_t i = 0; i < n; i++) {
		if (lost[i] != DECIDE_BEST)
			continue;
		if (step_cmp(step, best, &r[i]) < 0)
			lost[i] = step;
		else
			left++;
	}
	return left;
}

size_t
decide_best(const struct decide_route *r, size_t n, enum decide_why *lost)
{
	size_t left = n, best;

	for (size_t i = 0; i < n; i++)
		lost[i] = DECIDE_BEST;
	for (unsigned int s = DECIDE_WEIGHT; s < DECIDE_N && left > 1; s++)
		left = s == DECIDE_MED
		    ? keep_lowest_med(r, n, left, lost)
		    : keep_best((enum decide_why)s, r, n, lost);
	for (best = 0; lost[best] != DECIDE_BEST; best++)
		;
	/* Equal in all: two sessions with one address cannot be. */
	for (size_t i = best + 1; i < n; i++)
		if (lost[i] == DECIDE_BEST)
			lost[i] = DECIDE_PEER_ADDR;
	return best;
}

bool
decide_multipath(enum decide_why lost)
{
	return lost == DECIDE_BEST || lost >= DECIDE_ROUTER_ID;
}

/* clang-format off */
static const struct {
	const char *name, *text;
} why_names[DECIDE_N] = {
	[DECIDE_BEST] = { "best", "it is the best one" },
	[DECIDE_INELIGIBLE] = { "ineligible",
	    "it is not a candidate, RFC 4271 9.1.2" },
	[DECIDE_WEIGHT] = { "weight",
	    "its neighbor has the lower weight, RFC 4271 9.1.1" },
	[DECIDE_LOCAL_PREF_LOST] = { "local-pref",
	    "its LOCAL_PREF is lower, RFC 4271 9.1.1" },
	[DECIDE_LOCAL] = { "local", "another one is originated here" },
	[DECIDE_AS_PATH] = { "as-path",
	    "its AS path is longer, RFC 4271 9.1.2.2 (a)" },
	[DECIDE_ORIGIN] = { "origin",
	    "its ORIGIN is higher, RFC 4271 9.1.2.2 (b)" },
	[DECIDE_MED] = { "med",
	    "its MED is higher, RFC 4271 9.1.2.2 (c)" },
	[DECIDE_EXTERNAL] = { "external",
	    "it is internal, another one external, RFC 4271 9.1.2.2 (d)" },
	[DECIDE_COST] = { "cost",
	    "its next hop is farther away, RFC 4271 9.1.2.2 (e)" },
	[DECIDE_ROUTER_ID] = { "router-id",
	    "its BGP identifier is higher, RFC 4271 9.1.2.2 (f)" },
	[DECIDE_CLUSTER_LIST] = { "cluster-list",
	    "its CLUSTER_LIST is longer, RFC 4456 9" },
	[DECIDE_PEER_ADDR] = { "peer-address",
	    "its neighbor's address is higher, RFC 4271 9.1.2.2 (g)" },
};
/* clang-format on */

const char *
decide_why_name(enum decide_why w)
{
	return w < DECIDE_N ? why_names[w].name : "none";
}

const char *
decide_why_text(enum decide_why w)
{
	return w < DECIDE_N ? why_names[w].text : "";
}
