/*
 * conf_digest.c -- SHA-256 of what a set or a configuration was made from; by
 * libmd, which libbsd needs anyway: OpenSSL would cost 3 MB at rest.
 */
#include <sys/types.h>
#include <sha2.h>

#include "bgpd/conf.h"

_Static_assert(CONF_DIGEST_LEN == SHA256_DIGEST_STRING_LENGTH, "in hex");

void
conf_digest(const void *data, size_t len, char out[CONF_DIGEST_LEN])
{
	SHA256Data(data, len, out);
}
