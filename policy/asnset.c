/* asnset.c -- a sorted array, grown by insertion: sets are small. */
#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"
#include "policy/asnset.h"

struct asnset {
	uint32_t *as;
	size_t n, cap;
};

struct asnset *
asnset_new(void)
{
	return mem_alloc(sizeof(struct asnset));
}

void
asnset_free(struct asnset *s)
{
	if (s == NULL)
		return;
	free(s->as);
	free(s);
}

/* Where as is, or where it belongs. */
static size_t
position(const struct asnset *s, uint32_t as)
{
	size_t lo = 0, hi = s->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (s->as[mid] < as)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

void
asnset_add(struct asnset *s, uint32_t as)
{
	size_t i = position(s, as);

	if (i < s->n && s->as[i] == as)
		return;
	if (s->n == s->cap) {
		s->cap = s->cap != 0 ? s->cap * 2 : 8;
		s->as = mem_realloc(s->as, s->cap, sizeof(*s->as));
	}
	memmove(&s->as[i + 1], &s->as[i], (s->n - i) * sizeof(*s->as));
	s->as[i] = as;
	s->n++;
}

bool
asnset_has(const struct asnset *s, uint32_t as)
{
	size_t i = position(s, as);

	return i < s->n && s->as[i] == as;
}

size_t
asnset_count(const struct asnset *s)
{
	return s->n;
}

uint32_t
asnset_at(const struct asnset *s, size_t n)
{
	return s->as[n];
}
