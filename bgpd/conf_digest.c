/*
 * conf_digest.c -- SHA-256 of what a set or a configuration was made from; by
 * libmd, 6 kB of code: OpenSSL would cost 3 MB at rest.
 */
#include <sys/types.h>
#include <sha2.h>

#include <stdlib.h>

#include "bgpd/conf.h"
#include "lib/mem.h"

struct conf_digest {
	SHA2_CTX ctx;
};

_Static_assert(CONF_DIGEST_LEN == SHA256_DIGEST_STRING_LENGTH, "in hex");

void
conf_digest(const void *data, size_t len, char out[CONF_DIGEST_LEN])
{
	SHA256Data(data, len, out);
}

struct conf_digest *
conf_digest_begin(void)
{
	struct conf_digest *d = mem_alloc(sizeof(*d));

	SHA256Init(&d->ctx);
	return d;
}

void
conf_digest_add(struct conf_digest *d, const void *data, size_t len)
{
	SHA256Update(&d->ctx, data, len);
}

void
conf_digest_end(struct conf_digest *d, char out[CONF_DIGEST_LEN])
{
	SHA256End(&d->ctx, out);
	free(d);
}
