#include "rib/nexthop.h"

#include <stdlib.h>
#include <sys/queue.h>
#include <sys/tree.h>

#include "lib/mem.h"

struct node {
	struct nexthop hop;
	RB_ENTRY(node) entry;
	TAILQ_ENTRY(node) wish;
	uint32_t id;
	bool pending; /* its state changed, its routes were not looked at */
	bool queued; /* on the list of wishes */
	bool told; /* the last wish that was taken said "wanted" */
	bool old; /* not watched any more: its state says nothing of now */
};
RB_HEAD(node_tree, node);
TAILQ_HEAD(node_list, node);

struct nexthops {
	struct slab slab;
	struct node_tree tree;
	struct node_list wishes;
	struct node *last; /* looked up last: routes come in runs */
	bool any_new;
};

static int
node_cmp(const struct node *a, const struct node *b)
{
	int c = addr_cmp(&a->hop.addr, &b->hop.addr);

	return c != 0 ? c : addr_cmp(&a->hop.ll, &b->hop.ll);
}

RB_GENERATE_INTERNAL(
    node_tree, node, entry, node_cmp, static __attribute__((unused)))

struct nexthops *
nexthops_new(void)
{
	struct nexthops *t = mem_alloc(sizeof *t);

	slab_init(&t->slab, sizeof(struct node));
	RB_INIT(&t->tree);
	TAILQ_INIT(&t->wishes);
	return t;
}

void
nexthops_free(struct nexthops *t)
{
	if (t == NULL)
		return;
	slab_fini(&t->slab);
	free(t);
}

size_t
nexthops_count(const struct nexthops *t)
{
	return t->slab.count;
}

size_t
nexthops_memory(const struct nexthops *t)
{
	return sizeof *t + slab_memory(&t->slab);
}

static struct node *
node_at(const struct nexthops *t, uint32_t id)
{
	return slab_at(&t->slab, id);
}

static struct node *
node_find(
    const struct nexthops *t, const struct addr *addr, const struct addr *ll)
{
	struct node key = { .hop.addr = *addr, .hop.ll = *ll };
	struct node_tree head = t->tree;

	if (t->last != NULL && node_cmp(t->last, &key) == 0)
		return t->last;
	return RB_FIND(node_tree, &head, &key);
}

uint32_t
nexthop_get(struct nexthops *t, const struct addr *addr, const struct addr *ll)
{
	struct node *n = node_find(t, addr, ll);

	if (n == NULL) {
		uint32_t id = slab_new(&t->slab);

		n = node_at(t, id);
		n->id = id;
		n->hop.addr = *addr;
		n->hop.ll = *ll;
		n->hop.cost = NEXTHOP_NO_COST;
		RB_INSERT(node_tree, &t->tree, n);
	}
	t->last = n;
	n->hop.refs++;
	return n->id;
}

/* Nobody names it, and nobody has to be told that it is not wanted. */
static void
maybe_drop(struct nexthops *t, struct node *n)
{
	if (n->hop.refs > 0 || n->hop.users > 0 || n->told)
		return;
	if (n->queued)
		TAILQ_REMOVE(&t->wishes, n, wish);
	RB_REMOVE(node_tree, &t->tree, n);
	if (t->last == n)
		t->last = NULL;
	slab_del(&t->slab, n->id);
}

void
nexthop_unref(struct nexthops *t, uint32_t id)
{
	struct node *n = node_at(t, id);

	n->hop.refs--;
	maybe_drop(t, n);
}

const struct nexthop *
nexthop_at(const struct nexthops *t, uint32_t id)
{
	return id == 0 ? NULL : &node_at(t, id)->hop;
}

uint32_t
nexthop_next(const struct nexthops *t, uint32_t id)
{
	struct node_tree head = t->tree;
	const struct node *n = id == 0
	    ? RB_MIN(node_tree, &head)
	    : RB_NEXT(node_tree, &head, node_at(t, id));

	return n == NULL ? 0 : n->id;
}

uint32_t
nexthop_next_of(const struct nexthops *t, const struct addr *a, uint32_t id)
{
	struct node key = { .hop.addr = *a };
	struct node_tree head = t->tree;
	const struct node *n = id == 0
	    ? RB_NFIND(node_tree, &head, &key)
	    : RB_NEXT(node_tree, &head, node_at(t, id));

	return n != NULL && addr_eq(&n->hop.addr, a) ? n->id : 0;
}

static void
wish(struct nexthops *t, struct node *n)
{
	if (!n->queued) {
		n->queued = true;
		TAILQ_INSERT_TAIL(&t->wishes, n, wish);
	}
}

/* One with the same global address that is watched, or NULL. */
static const struct node *
watched(const struct nexthops *t, const struct node *n)
{
	for (uint32_t id = 0;
	     (id = nexthop_next_of(t, &n->hop.addr, id)) != 0;) {
		const struct node *o = node_at(t, id);

		if (o != n && o->told && o->hop.known)
			return o;
	}
	return NULL;
}

static void
forget(struct node *n)
{
	n->hop.known = n->hop.reachable = false;
	n->hop.ifindex = 0;
	n->hop.cost = NEXTHOP_NO_COST;
	n->hop.via = (struct addr){ 0 };
}

void
nexthop_use(struct nexthops *t, uint32_t id)
{
	struct node *n = node_at(t, id);
	const struct node *o;

	if (n->hop.users++ > 0)
		return;
	wish(t, n);
	o = watched(t, n);
	if (n->old)
		forget(n);
	n->old = false;
	if (o == NULL)
		return;
	n->hop.known = true;
	n->hop.reachable = o->hop.reachable;
	n->hop.ifindex = o->hop.ifindex;
	n->hop.cost = o->hop.cost;
	n->hop.via = o->hop.via;
}

void
nexthop_unuse(struct nexthops *t, uint32_t id)
{
	struct node *n = node_at(t, id);

	if (--n->hop.users == 0) {
		wish(t, n);
		maybe_drop(t, n);
	}
}

/* All of an address are told what is watched of one. */
static void
set_old(struct nexthops *t, const struct addr *a)
{
	for (uint32_t id = 0; (id = nexthop_next_of(t, a, id)) != 0;)
		if (node_at(t, id)->hop.users == 0)
			node_at(t, id)->old = true;
}

bool
nexthop_take_wish(struct nexthops *t, struct nexthop_wish *w)
{
	struct node *n;

	while ((n = TAILQ_FIRST(&t->wishes)) != NULL) {
		bool wanted = n->hop.users > 0, news = n->told != wanted;

		TAILQ_REMOVE(&t->wishes, n, wish);
		n->queued = false;
		w->addr = n->hop.addr;
		w->ll = n->hop.ll;
		w->wanted = n->told = wanted;
		if (news && !wanted)
			set_old(t, &w->addr);
		maybe_drop(t, n);
		if (news)
			return true;
	}
	return false;
}

bool
nexthop_set_state(struct nexthops *t, uint32_t id, bool reachable,
    uint32_t ifindex, uint32_t cost)
{
	struct node *n = node_at(t, id);
	struct nexthop *h = &n->hop;

	h->known = true;
	if (h->reachable == reachable && h->ifindex == ifindex &&
	    h->cost == cost)
		return false;
	h->reachable = reachable;
	h->ifindex = ifindex;
	h->cost = cost;
	n->pending = true;
	t->any_new = true;
	return true;
}

bool
nexthop_set_via(struct nexthops *t, uint32_t id, const struct addr *via)
{
	struct node *n = node_at(t, id);

	if (addr_eq(&n->hop.via, via))
		return false;
	n->hop.via = *via;
	n->pending = true;
	t->any_new = true;
	return true;
}

bool
nexthop_pending(const struct nexthops *t, uint32_t id)
{
	return id != 0 && node_at(t, id)->pending;
}

bool
nexthops_any_new(struct nexthops *t)
{
	bool any = t->any_new;

	t->any_new = false;
	return any;
}

void
nexthops_settled(struct nexthops *t)
{
	struct node *n;

	RB_FOREACH (n, node_tree, &t->tree)
		n->pending = false;
}
