#include "lib/mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The one pure place that ends the process: there is nothing left to do. */
void
mem_none(size_t n)
{
	fprintf(stderr,
	    "out of memory: %zu octets were refused by the "
	    "system; ending\n",
	    n);
	abort();
}

static void *
must(void *p, size_t n)
{
	if (p == NULL)
		mem_none(n);
	return p;
}

void *
mem_alloc(size_t n)
{
	return must(calloc(1, n > 0 ? n : 1), n);
}

void *
mem_realloc(void *p, size_t n, size_t size)
{
	return must(reallocarray(p, n > 0 ? n : 1, size), n * size);
}

char *
mem_strdup(const char *s)
{
	return must(strdup(s), strlen(s));
}

char *
mem_printf(const char *fmt, ...)
{
	va_list ap;
	char *s;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&s, fmt, ap);
	va_end(ap);
	return must(n < 0 ? NULL : s, 0);
}

void
slab_init(struct slab *s, size_t object_size)
{
	memset(s, 0, sizeof *s);
	s->size = (uint32_t)(object_size < 4 ? 4 : object_size);
	s->used = 1; /* number 0 means none */
}

void
slab_fini(struct slab *s)
{
	for (uint32_t i = 0; i < s->nchunk; i++)
		free(s->chunk[i]);
	free(s->chunk);
	memset(s, 0, sizeof *s);
}

uint32_t
slab_new(struct slab *s)
{
	uint32_t n = s->free;

	if (n != 0)
		memcpy(&s->free, slab_at(s, n), sizeof s->free);
	else {
		n = s->used;
		if (n >> SLAB_SHIFT >= s->nchunk) {
			s->chunk = mem_realloc(
			    s->chunk, s->nchunk + 1, sizeof *s->chunk);
			s->chunk[s->nchunk++] = must(
			    aligned_alloc(64, SLAB_CHUNK * (size_t)s->size),
			    SLAB_CHUNK * (size_t)s->size);
		}
		s->used++;
	}
	s->count++;
	memset(slab_at(s, n), 0, s->size);
	return n;
}

void
slab_del(struct slab *s, uint32_t n)
{
	memcpy(slab_at(s, n), &s->free, sizeof s->free);
	s->free = n;
	s->count--;
}

size_t
slab_memory(const struct slab *s)
{
	return (size_t)s->nchunk *
	    (SLAB_CHUNK * (size_t)s->size + sizeof *s->chunk);
}
