/* asnset.h -- a named set of AS numbers (`as-set`, origins of a filter). */
#ifndef ASNSET_H
#define ASNSET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct asnset;

struct asnset *asnset_new(void);
void asnset_free(struct asnset *);
/* Doubles count once. */
void asnset_add(struct asnset *, uint32_t as);
bool asnset_has(const struct asnset *, uint32_t as);
size_t asnset_count(const struct asnset *);
/* In ascending order; 0 <= n < count. */
uint32_t asnset_at(const struct asnset *, size_t n);

#endif /* ASNSET_H */
