/*
 * mem.h -- memory that is there or ends the process with a clear line
 * (structure.md habit 8): no caller checks for NULL.  And a slab: objects of
 * one size in an array that grows, named by 32-bit numbers from 1 on.
 */
#ifndef MEM_H
#define MEM_H

#include <stddef.h>
#include <stdint.h>

/* Ends the process: n octets are not to be had. */
void mem_none(size_t n) __attribute__((noreturn));
void *mem_alloc(size_t); /* zeroed */
void *mem_realloc(void *, size_t n, size_t size);
char *mem_strdup(const char *);
char *mem_printf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/*
 * Objects stay where they are while others come and go, in chunks: a pointer
 * from slab_at() lives until its number is freed.
 */
enum {
	SLAB_SHIFT = 10,
	SLAB_CHUNK = 1 << SLAB_SHIFT
};

struct slab {
	void **chunk;
	uint32_t nchunk, used, free, count;
	uint32_t size;
};

void slab_init(struct slab *, size_t object_size);
void slab_fini(struct slab *);
/* A zeroed object's number, never 0. */
uint32_t slab_new(struct slab *);
void slab_del(struct slab *, uint32_t);
static inline void *
slab_at(const struct slab *s, uint32_t n)
{
	return (char *)s->chunk[n >> SLAB_SHIFT] +
	    (size_t)(n & (SLAB_CHUNK - 1)) * s->size;
}
size_t slab_memory(const struct slab *);

#endif /* MEM_H */
