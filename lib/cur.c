#include "lib/cur.h"

void
cur_init(struct cur *c, const void *p, size_t n)
{
	static const uint8_t none[1];

	/* An empty list has no address, and NULL + 0 is no C. */
	c->p = p != NULL ? p : none;
	c->end = c->p + n;
}
