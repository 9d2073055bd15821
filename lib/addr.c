#include "lib/addr.h"

#include <arpa/inet.h>
#include <string.h>

const char *
fam_name(enum fam f)
{
	static const char *const name[FAM_N] = {
		[FAM_NONE] = "none",
		[FAM_INET] = "IPv4 unicast",
		[FAM_INET6] = "IPv6 unicast",
	};

	return f < FAM_N ? name[f] : "unknown";
}

bool
addr_parse(const char *s, struct addr *a)
{
	uint8_t o[16];

	if (inet_pton(AF_INET, s, o) == 1)
		addr_set(a, FAM_INET, o);
	else if (inet_pton(AF_INET6, s, o) == 1)
		addr_set(a, FAM_INET6, o);
	else
		return false;
	return true;
}

/* Whole tables and lists are printed: inet_ntop() takes ten times as long. */
static size_t
print_v4(const uint8_t o[4], char text[INET_ADDRSTRLEN])
{
	char *p = text;

	for (int i = 0; i < 4; i++) {
		if (o[i] >= 100)
			*p++ = (char)('0' + o[i] / 100);
		if (o[i] >= 10)
			*p++ = (char)('0' + o[i] / 10 % 10);
		*p++ = (char)('0' + o[i] % 10);
		*p++ = '.';
	}
	p[-1] = '\0';
	return (size_t)(p - text);
}

const char *
addr_print(const struct addr *a, char *buf, size_t n)
{
	char text[INET_ADDRSTRLEN] = "none";
	size_t len = sizeof "none";

	if (n == 0)
		return buf;
	if (a->fam == FAM_INET6) {
		if (inet_ntop(AF_INET6, a->o, buf, (socklen_t)n) == NULL)
			buf[0] = '\0';
		return buf;
	}
	if (a->fam == FAM_INET)
		len = print_v4(a->o, text);
	memcpy(buf, text, n < len ? n : len);
	buf[n - 1] = '\0';
	return buf;
}

struct addr
addr_v4(uint32_t v)
{
	struct addr a = { .fam = FAM_INET,
		.o = { (uint8_t)(v >> 24), (uint8_t)(v >> 16),
		    (uint8_t)(v >> 8), (uint8_t)v } };

	return a;
}

uint32_t
addr_to_v4(const struct addr *a)
{
	return (uint32_t)a->o[0] << 24 | (uint32_t)a->o[1] << 16 |
	    (uint32_t)a->o[2] << 8 | a->o[3];
}

int
addr_cmp(const struct addr *a, const struct addr *b)
{
	if (a->fam != b->fam)
		return a->fam < b->fam ? -1 : 1;
	return memcmp(a->o, b->o, sizeof a->o);
}

bool
addr_eq(const struct addr *a, const struct addr *b)
{
	return addr_cmp(a, b) == 0;
}

static bool
zero(const uint8_t *p, size_t n)
{
	while (n > 0 && p[n - 1] == 0)
		n--;
	return n == 0;
}

bool
addr_is_unspecified(const struct addr *a)
{
	return a->fam != FAM_NONE && zero(a->o, 16);
}

bool
addr_is_loopback(const struct addr *a)
{
	if (a->fam == FAM_INET)
		return a->o[0] == 127;
	return a->fam == FAM_INET6 && zero(a->o, 15) && a->o[15] == 1;
}

bool
addr_is_multicast(const struct addr *a)
{
	if (a->fam == FAM_INET)
		return a->o[0] >> 4 == 14;
	return a->fam == FAM_INET6 && a->o[0] == 0xff;
}

bool
addr_is_linklocal(const struct addr *a)
{
	if (a->fam == FAM_INET)
		return a->o[0] == 169 && a->o[1] == 254;
	return a->fam == FAM_INET6 && a->o[0] == 0xfe &&
	    (a->o[1] & 0xc0) == 0x80;
}

bool
addr_is_v4mapped(const struct addr *a)
{
	return a->fam == FAM_INET6 && zero(a->o, 10) && a->o[10] == 0xff &&
	    a->o[11] == 0xff;
}

bool
addr_is_host(const struct addr *a)
{
	if (a->fam == FAM_INET)
		return a->o[0] != 0 && a->o[0] != 127 && a->o[0] < 224;
	return a->fam == FAM_INET6 && !addr_is_unspecified(a) &&
	    !addr_is_loopback(a) && !addr_is_multicast(a);
}
