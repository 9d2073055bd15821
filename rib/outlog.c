#include "rib/outlog.h"

#include "lib/mem.h"

enum {
	PAGE = 64,
	SLOT_BITS = 8,
	SLOTS = 1 << SLOT_BITS,
	MERGE = SLOTS / 2, /* two chunks with so many entries become one */
};

struct out_page {
	uint32_t used;
	struct out_entry e[PAGE];
};

struct out_chunk {
	uint64_t order; /* of the chain */
	uint32_t prev, next;
	uint16_t used, live;
	uint32_t slot[SLOTS]; /* destinations, 0: a hole */
};

_Static_assert(sizeof(struct out_entry) == 12, "a million of them");

/* ---- entries ---------------------------------------------------------- */

struct out_entry *
outlog_find(const struct outlog *l, uint32_t dest)
{
	uint32_t i = rib_dest_index(dest), n = i / PAGE;
	enum fam fam = rib_dest_fam(dest);
	struct out_page *p = n < l->npage[fam] ? l->page[fam][n] : NULL;

	return p == NULL || !p->e[i % PAGE].held ? NULL : &p->e[i % PAGE];
}

struct out_entry *
outlog_hold(struct outlog *l, uint32_t dest)
{
	uint32_t i = rib_dest_index(dest), n = i / PAGE;
	enum fam fam = rib_dest_fam(dest);
	struct out_entry *e;

	if (n >= l->npage[fam]) {
		uint32_t more = n + 1 + n / 2;

		l->page[fam] =
		    mem_realloc(l->page[fam], more, sizeof *l->page[fam]);
		memset(l->page[fam] + l->npage[fam], 0,
		    (more - l->npage[fam]) * sizeof *l->page[fam]);
		l->memory += (more - l->npage[fam]) * sizeof *l->page[fam];
		l->npage[fam] = more;
	}
	if (l->page[fam][n] == NULL) {
		l->page[fam][n] = mem_alloc(sizeof **l->page[fam]);
		l->memory += sizeof **l->page[fam];
	}
	e = &l->page[fam][n]->e[i % PAGE];
	if (!e->held) {
		memset(e, 0, sizeof *e);
		e->held = 1;
		l->page[fam][n]->used++;
		rib_dest_ref(l->rib, dest);
	}
	return e;
}

static void
page_drop(struct outlog *l, enum fam fam, uint32_t n)
{
	free(l->page[fam][n]);
	l->page[fam][n] = NULL;
	l->memory -= sizeof **l->page[fam];
}

void
outlog_tidy(struct outlog *l, uint32_t dest, struct out_entry *e)
{
	uint32_t n = rib_dest_index(dest) / PAGE;
	enum fam fam = rib_dest_fam(dest);

	if (e->pos != 0 || e->dirty || e->refused)
		return;
	e->held = 0;
	if (--l->page[fam][n]->used == 0)
		page_drop(l, fam, n);
	rib_dest_unref(l->rib, dest);
}

bool
outlog_empty(struct outlog *l, enum fam fam, uint32_t *at)
{
	struct out_page *p;
	uint32_t n;

	while (*at < l->npage[fam] && l->page[fam][*at] == NULL)
		++*at;
	if (*at >= l->npage[fam])
		return false;
	n = *at;
	p = l->page[fam][n];
	for (uint32_t i = 0; i < PAGE; i++) {
		if (!p->e[i].held)
			continue;
		attrs_unref(rib_attrs(l->rib), p->e[i].attrs);
		rib_dest_unref(
		    l->rib, (n * PAGE + i + 1) << 1 | (fam == FAM_INET6));
	}
	page_drop(l, fam, n);
	return true;
}

/* ---- chunks ----------------------------------------------------------- */

static struct out_chunk *
chunk_of(const struct outlog *l, uint32_t pos)
{
	return l->chunk[pos >> SLOT_BITS];
}

/* Never the last one; no mark stands in it any more. */
static void
chunk_del(struct outlog *l, uint32_t n)
{
	struct out_chunk *c = l->chunk[n];

	if (c->prev != 0)
		l->chunk[c->prev]->next = c->next;
	else
		l->first = c->next;
	l->chunk[c->next]->prev = c->prev;
	l->memory -= sizeof *c + sizeof *l->chunk;
	free(c);
	l->chunk[n] = NULL;
	idq_push(&l->free, n);
}

/* What of chunk n stood in front of slot s stands now in front of to[s]. */
static void
move_marks(struct outlog *l, uint32_t n, const uint32_t to[SLOTS + 1])
{
	struct out_mark *m;

	LIST_FOREACH (m, &l->marks, entry)
		if (m->pos >> SLOT_BITS == n)
			m->pos = to[m->pos & (SLOTS - 1)];
}

/* Appends what is live in chunk `from` to the slots; fills in where it went. */
static void
gather(struct outlog *l, uint32_t from, uint32_t into, uint32_t *slot,
    uint32_t *k, uint32_t to[SLOTS + 1])
{
	const struct out_chunk *c = l->chunk[from];

	for (uint32_t s = 0; s < SLOTS; s++) {
		to[s] = into << SLOT_BITS | *k;
		if (s >= c->used || c->slot[s] == 0)
			continue;
		outlog_find(l, c->slot[s])->pos = to[s];
		slot[(*k)++] = c->slot[s];
	}
	to[SLOTS] = into << SLOT_BITS | *k;
}

/* The next chunk's entries move into this one; both are sparse. */
static void
chunk_merge(struct outlog *l, uint32_t n)
{
	uint32_t slot[SLOTS], to[SLOTS + 1], k = 0;
	struct out_chunk *c = l->chunk[n];
	uint32_t next = c->next;

	gather(l, n, n, slot, &k, to);
	move_marks(l, n, to);
	gather(l, next, n, slot, &k, to);
	move_marks(l, next, to);
	memcpy(c->slot, slot, k * sizeof *slot);
	c->used = c->live = (uint16_t)k;
	chunk_del(l, next);
}

static bool
mergeable(const struct outlog *l, uint32_t n)
{
	const struct out_chunk *c = n == 0 ? NULL : l->chunk[n];

	return c != NULL && c->next != 0 && c->next != l->last &&
	    c->live + l->chunk[c->next]->live <= MERGE;
}

/* A chunk lost an entry. */
static void
chunk_shrink(struct outlog *l, uint32_t n)
{
	struct out_chunk *c = l->chunk[n];

	if (n == l->last)
		return;
	if (c->live == 0) {
		uint32_t to[SLOTS + 1];

		for (uint32_t s = 0; s <= SLOTS; s++)
			to[s] = c->next << SLOT_BITS;
		move_marks(l, n, to);
		chunk_del(l, n);
	} else if (mergeable(l, n))
		chunk_merge(l, n);
	else if (mergeable(l, c->prev))
		chunk_merge(l, c->prev);
}

static void
chunk_add(struct outlog *l)
{
	uint32_t n = idq_pop(&l->free), full = l->last;
	struct out_chunk *c;

	if (n == 0) {
		n = l->nchunk == 0 ? 1 : l->nchunk;
		l->nchunk = n + 1;
		l->chunk = mem_realloc(l->chunk, l->nchunk, sizeof *l->chunk);
		l->chunk[0] = NULL;
	}
	c = l->chunk[n] = mem_realloc(NULL, 1, sizeof *c);
	l->memory += sizeof *c + sizeof *l->chunk;
	c->order = ++l->order;
	c->used = c->live = 0;
	c->prev = l->last;
	c->next = 0;
	if (l->last != 0)
		l->chunk[l->last]->next = n;
	else
		l->first = n;
	l->last = n;
	/* As the last one it was left alone. */
	if (full != 0 && l->chunk[full]->live <= MERGE)
		chunk_shrink(l, full);
}

/* ---- the log ---------------------------------------------------------- */

void
outlog_init(struct outlog *l, struct rib *rib)
{
	memset(l, 0, sizeof *l);
	l->rib = rib;
	LIST_INIT(&l->marks);
	chunk_add(l);
}

void
outlog_fini(struct outlog *l)
{
	for (uint32_t n = 1; n < l->nchunk; n++)
		free(l->chunk[n]);
	free(l->chunk);
	for (enum fam f = FAM_INET; f < FAM_N; f++)
		free(l->page[f]);
	idq_fini(&l->free);
}

void
outlog_append(struct outlog *l, uint32_t dest, struct out_entry *e)
{
	struct out_chunk *c = l->chunk[l->last];

	if (c->used == SLOTS) {
		chunk_add(l);
		c = l->chunk[l->last];
	}
	e->pos = l->last << SLOT_BITS | c->used;
	c->slot[c->used++] = dest;
	c->live++;
}

void
outlog_remove(struct outlog *l, struct out_entry *e)
{
	uint32_t n = e->pos >> SLOT_BITS;
	struct out_chunk *c = l->chunk[n];

	c->slot[e->pos & (SLOTS - 1)] = 0;
	c->live--;
	e->pos = 0;
	chunk_shrink(l, n);
}

/* ---- marks ------------------------------------------------------------ */

static void
mark_set(struct outlog *l, struct out_mark *m, uint32_t pos)
{
	if (m->pos == 0)
		LIST_INSERT_HEAD(&l->marks, m, entry);
	m->pos = pos;
}

/*
 * Behind the last slot of a full chunk there is no number: such a place is
 * the start of the next chunk, which is made when it is not there.
 */
static uint32_t
place(struct outlog *l, uint32_t n, uint32_t slot)
{
	if (slot < SLOTS)
		return n << SLOT_BITS | slot;
	if (n == l->last) {
		chunk_add(l);
		return l->last << SLOT_BITS;
	}
	return l->chunk[n]->next << SLOT_BITS;
}

void
outmark_head(struct outlog *l, struct out_mark *m)
{
	mark_set(l, m, l->first << SLOT_BITS);
}

void
outmark_tail(struct outlog *l, struct out_mark *m)
{
	mark_set(l, m, place(l, l->last, l->chunk[l->last]->used));
}

void
outmark_copy(struct outlog *l, struct out_mark *m, const struct out_mark *from)
{
	mark_set(l, m, from->pos);
}

void
outmark_off(struct out_mark *m)
{
	if (m->pos != 0)
		LIST_REMOVE(m, entry);
	m->pos = 0;
}

int
outmark_cmp(
    const struct outlog *l, const struct out_mark *a, const struct out_mark *b)
{
	uint64_t x = chunk_of(l, a->pos)->order, y = chunk_of(l, b->pos)->order;

	if (x != y)
		return x < y ? -1 : 1;
	return a->pos < b->pos ? -1 : a->pos > b->pos;
}

bool
outmark_at_tail(const struct outlog *l, const struct out_mark *m)
{
	const struct out_chunk *c = chunk_of(l, m->pos);

	for (uint32_t s = m->pos & (SLOTS - 1); s < c->used; s++)
		if (c->slot[s] != 0)
			return false;
	/* Only the last chunk may be without an entry. */
	return c->next == 0 || l->chunk[c->next]->live == 0;
}

uint32_t
outmark_step(struct outlog *l, struct out_mark *m, const struct out_mark *stop)
{
	for (;;) {
		uint32_t n = m->pos >> SLOT_BITS, s = m->pos & (SLOTS - 1);
		const struct out_chunk *c = l->chunk[n];
		uint32_t dest;

		if (stop != NULL && outmark_cmp(l, m, stop) >= 0)
			return 0;
		if (s >= c->used) {
			if (c->next == 0)
				return 0;
			m->pos = c->next << SLOT_BITS;
			continue;
		}
		dest = c->slot[s];
		m->pos = place(l, n, s + 1); /* c may be gone */
		if (dest != 0)
			return dest;
	}
}
