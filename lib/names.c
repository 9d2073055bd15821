#include "lib/names.h"

#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"

/* Where the name is, or the free slot where it belongs. */
static uint32_t *
slot(const struct names *t, const char *name)
{
	uint64_t h = 14695981039346656037u; /* FNV-1a */
	size_t i;

	for (const char *s = name; *s != '\0'; s++)
		h = (h ^ (uint8_t)*s) * 1099511628211u;
	for (i = h ^ h >> 32;; i++) {
		uint32_t *at = &t->slot[i & (t->cap - 1)];

		if (*at == 0 || strcmp(t->name[*at - 1], name) == 0)
			return at;
	}
}

static void
grow(struct names *t)
{
	free(t->slot);
	t->cap = t->cap != 0 ? t->cap * 2 : 16;
	t->slot = mem_alloc(t->cap * sizeof *t->slot);
	t->name = mem_realloc(t->name, t->cap, sizeof *t->name);
	for (size_t i = 0; i < t->n; i++)
		*slot(t, t->name[i]) = (uint32_t)i + 1;
}

size_t
names_add(struct names *t, const char *name)
{
	uint32_t *at;

	if (2 * t->n >= t->cap)
		grow(t);
	at = slot(t, name);
	if (*at == 0) {
		t->name[t->n++] = name;
		*at = (uint32_t)t->n;
	}
	return *at - 1;
}

size_t
names_find(const struct names *t, const char *name)
{
	uint32_t at = t->cap != 0 ? *slot(t, name) : 0;

	return at != 0 ? at - 1 : NAMES_NONE;
}

void
names_fini(struct names *t)
{
	free(t->slot);
	free(t->name);
	*t = (struct names){ 0 };
}
