#include "platform/fibd/fibd_check.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/*
 * Space that no partner's subscribers can have: the IANA special-purpose
 * registries (RFC 6890), class D and E; for IPv6 all but global unicast
 * (2000::/3), and what is special in that.
 */
/* clang-format off */
static const struct {
	uint8_t fam, len, o[6];
} martian[] = {
	{ FAM_INET,   8, { 0 } },		/* RFC 791 this network */
	{ FAM_INET,   8, { 10 } },		/* RFC 1918 */
	{ FAM_INET,  10, { 100, 64 } },		/* RFC 6598 */
	{ FAM_INET,   8, { 127 } },		/* RFC 1122 */
	{ FAM_INET,  16, { 169, 254 } },	/* RFC 3927 */
	{ FAM_INET,  12, { 172, 16 } },		/* RFC 1918 */
	{ FAM_INET,  24, { 192, 0, 0 } },	/* RFC 6890 */
	{ FAM_INET,  24, { 192, 0, 2 } },	/* RFC 5737 */
	{ FAM_INET,  24, { 192, 88, 99 } },	/* RFC 7526 */
	{ FAM_INET,  16, { 192, 168 } },	/* RFC 1918 */
	{ FAM_INET,  15, { 198, 18 } },		/* RFC 2544 */
	{ FAM_INET,  24, { 198, 51, 100 } },	/* RFC 5737 */
	{ FAM_INET,  24, { 203, 0, 113 } },	/* RFC 5737 */
	{ FAM_INET,   4, { 224 } },		/* RFC 5771 */
	{ FAM_INET,   4, { 240 } },		/* RFC 1112 */
	{ FAM_INET6,  3, { 0x00 } },
	{ FAM_INET6,  2, { 0x40 } },
	{ FAM_INET6,  1, { 0x80 } },
	{ FAM_INET6, 23, { 0x20, 0x01, 0x00 } },	/* RFC 2928 */
	{ FAM_INET6, 32, { 0x20, 0x01, 0x0d, 0xb8 } },	/* RFC 3849 */
	{ FAM_INET6, 16, { 0x20, 0x02 } },		/* RFC 7526 */
	{ FAM_INET6, 16, { 0x3f, 0xfe } },		/* RFC 3701 */
	{ FAM_INET6, 20, { 0x3f, 0xff, 0x00 } },	/* RFC 9637 */
};
/* clang-format on */

static int refuse(int err, char *text, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static int
refuse(int err, char *text, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, FIBD_TEXT, fmt, ap);
	va_end(ap);
	return err;
}

void
fibd_fences_init(struct fibd_fences *f)
{
	memset(f, 0, sizeof *f);
	f->protocol = 179;
	f->port = 179;
	f->min[FAM_INET] = 8;
	f->max[FAM_INET] = 24;
	f->min[FAM_INET6] = 16;
	f->max[FAM_INET6] = 48;
	f->max_routes = 20000;
	f->keep_max_s = 3600;
}

bool
fibd_check_martian(const struct pfx *p)
{
	for (size_t i = 0; i < sizeof martian / sizeof martian[0]; i++) {
		struct pfx m = { .addr.fam = martian[i].fam,
			.len = martian[i].len };

		/* The first octet tells most apart, and every route is asked.
		 */
		unsigned int mask = martian[i].len < 8
		    ? 0xff00u >> martian[i].len & 0xff
		    : 0xff;

		if (martian[i].fam != p->addr.fam || martian[i].len > p->len ||
		    ((martian[i].o[0] ^ p->addr.o[0]) & mask) != 0)
			continue;
		memcpy(m.addr.o, martian[i].o, sizeof martian[i].o);
		if (pfx_covers(&m, p))
			return true;
	}
	return false;
}

int
fibd_check_record(const void *rec, size_t left, char text[FIBD_TEXT])
{
	struct fibd_hdr h;

	if (left < sizeof h)
		return refuse(EPROTO, text, "%zu octets are no record", left);
	memcpy(&h, rec, sizeof h);
	if (h.version < FIBD_VERSION_MIN || h.version > FIBD_VERSION)
		return refuse(EPROTO, text,
		    "records of version %u; "
		    "ana-fibd speaks %u to %u",
		    h.version, FIBD_VERSION_MIN, FIBD_VERSION);
	if (h.type == 0 || h.type > FIBD_NH_UNWATCH)
		return refuse(EPROTO, text,
		    "record type %u is not one that "
		    "a speaker sends",
		    h.type);
	if (h.size != fibd_size(h.type) || h.size > left)
		return refuse(EPROTO, text,
		    "a record of type %u has %u "
		    "octets, not %u",
		    h.type, h.size, fibd_size(h.type));
	return 0;
}

static bool
table_permitted(const struct fibd_fences *f, uint32_t table)
{
	for (unsigned int i = 0; i < f->ntable; i++)
		if (f->table[i] == table)
			return true;
	return false;
}

static bool
src_good(const struct fibd_addr *src, enum fam fam)
{
	struct addr a;

	if (src->fam == FAM_NONE)
		return true;
	if (src->fam != fam)
		return false;
	addr_set(&a, fam, src->o);
	return addr_is_host(&a) && !addr_is_linklocal(&a);
}

int
fibd_check_hello(const struct fibd_fences *f, const struct fibd_hello *h,
    char text[FIBD_TEXT])
{
	if (h->netns != f->netns)
		return refuse(EPERM, text,
		    "the speaker runs in another "
		    "network namespace than ana-fibd");
	if (h->protocol != f->protocol)
		return refuse(EPERM, text,
		    "protocol %u is asked for, "
		    "ana-fibd's is %u (-P)",
		    h->protocol, f->protocol);
	if (!table_permitted(f, h->table))
		return refuse(EPERM, text,
		    "table %u is not one of "
		    "ana-fibd's (-t)",
		    h->table);
	if (h->metric == 0)
		return refuse(EINVAL, text,
		    "metric 0 is the kernel's own "
		    "routes'");
	if (h->keep_s > f->keep_max_s)
		return refuse(EPERM, text,
		    "keep time %u s is longer than "
		    "ana-fibd's %u s (-k)",
		    h->keep_s, f->keep_max_s);
	if (h->recursive > 1)
		return refuse(EINVAL, text, "recursive is 0 or 1");
	if (!src_good(&h->src4, FAM_INET) || !src_good(&h->src6, FAM_INET6))
		return refuse(EINVAL, text,
		    "a preferred source is no "
		    "address of a host");
	return 0;
}

static int
check_addr(const struct fibd_addr *in, struct addr *a, char text[FIBD_TEXT])
{
	if (in->fam != FAM_INET && in->fam != FAM_INET6)
		return refuse(EINVAL, text, "family %u is not known", in->fam);
	addr_set(a, in->fam, in->o);
	if (memcmp(a->o, in->o, sizeof a->o) != 0)
		return refuse(EINVAL, text, "octets behind an IPv4 address");
	return 0;
}

int
fibd_check_pfx(const struct fibd_addr *in, struct pfx *p, char text[FIBD_TEXT])
{
	struct addr a;
	int err = check_addr(in, &a, text);

	if (err != 0)
		return err;
	if (!pfx_make(p, &a, in->len))
		return refuse(
		    EINVAL, text, "prefix length %u is too long", in->len);
	if (!addr_eq(&a, &p->addr))
		return refuse(EINVAL, text,
		    "bits are set behind the "
		    "prefix length");
	return 0;
}

static bool
inside(const struct pfx *list, unsigned int n, const struct pfx *p)
{
	for (unsigned int i = 0; i < n; i++)
		if (pfx_covers(&list[i], p))
			return true;
	return false;
}

int
fibd_check_route(const struct fibd_fences *f, const struct pfx *p,
    enum fam set_fam, bool is_new, uint32_t count, char text[FIBD_TEXT])
{
	enum fam fam = p->addr.fam;
	char b[PFX_STRLEN], c[PFX_STRLEN];

	/* With a minimum of 0 the operator has opened it in the open. */
	if (p->len == 0 && f->min[fam] != 0)
		return refuse(EPERM, text,
		    "a default route is refused "
		    "(-%c)",
		    fam == FAM_INET ? '4' : '6');
	if (p->len < f->min[fam] || p->len > f->max[fam])
		return refuse(EPERM, text,
		    "%s: only lengths %u to %u are "
		    "permitted (-%c)",
		    pfx_print(p, b, sizeof b), f->min[fam], f->max[fam],
		    fam == FAM_INET ? '4' : '6');
	for (unsigned int i = 0; i < f->nprotected; i++)
		if (pfx_covers(&f->protected[i], p) ||
		    pfx_covers(p, &f->protected[i]))
			return refuse(EPERM, text,
			    "%s overlaps the "
			    "protected %s (-g)",
			    pfx_print(p, b, sizeof b),
			    pfx_print(&f->protected[i], c, sizeof c));
	if (fibd_check_martian(p) && !inside(f->allowed, f->nallowed, p))
		return refuse(EPERM, text, "%s is martian space (-a)",
		    pfx_print(p, b, sizeof b));
	if (set_fam == FAM_NONE)
		return refuse(ENOENT, text, "unknown next-hop set");
	/* IPv4 over an IPv6 next hop is fine (RFC 8950). */
	if (fam == FAM_INET6 && set_fam != FAM_INET6)
		return refuse(EINVAL, text,
		    "an IPv6 route with IPv4 next "
		    "hops");
	if (is_new && count >= f->max_routes)
		return refuse(ENOSPC, text,
		    "there are %u routes already, "
		    "the cap (-n)",
		    count);
	return 0;
}

int
fibd_check_nhset(const struct fibd_nhset *r, char text[FIBD_TEXT])
{
	if (r->set == 0 || r->set > FIBD_SETS)
		return refuse(EINVAL, text, "set number %u is not in 1..%u",
		    r->set, FIBD_SETS);
	if (r->fam != FAM_INET && r->fam != FAM_INET6)
		return refuse(EINVAL, text, "family %u is not known", r->fam);
	if (r->n == 0 || r->n > FIBD_NH)
		return refuse(
		    EINVAL, text, "%u next hops, not 1..%u", r->n, FIBD_NH);
	for (unsigned int i = 0; i < r->n; i++) {
		if (r->nh[i].weight == 0)
			return refuse(EINVAL, text, "a weight is 0");
		if ((r->nh[i].flags & ~FIBD_NH_ONLINK) != 0)
			return refuse(
			    EINVAL, text, "unknown flags 0x%x", r->nh[i].flags);
		for (unsigned int k = 0; k < i; k++)
			if (memcmp(r->nh[i].o, r->nh[k].o, sizeof r->nh[i].o) ==
				0 &&
			    r->nh[i].ifindex == r->nh[k].ifindex)
				return refuse(EINVAL, text,
				    "a next hop is "
				    "there twice");
	}
	return 0;
}

static bool
onlink_permitted(const struct fibd_fences *f, const char *link)
{
	for (unsigned int i = 0; i < f->nonlink; i++)
		if (strcmp(f->onlink[i], link) == 0)
			return true;
	return false;
}

int
fibd_check_nh(const struct fibd_fences *f, const struct addr *a, uint8_t flags,
    const struct fibd_nh_facts *k, char text[FIBD_TEXT])
{
	char b[ADDR_STRLEN];

	addr_print(a, b, sizeof b);
	if (!addr_is_host(a) || addr_is_v4mapped(a))
		return refuse(EINVAL, text,
		    "next hop %s is no address of a "
		    "host",
		    b);
	if (k->link == NULL)
		return refuse(ENODEV, text,
		    "next hop %s: there is no such "
		    "interface",
		    b);
	if (k->own)
		return refuse(EINVAL, text, "next hop %s is this machine", b);
	if ((flags & FIBD_NH_ONLINK) != 0) {
		if (!onlink_permitted(f, k->link))
			return refuse(EPERM, text,
			    "next hop %s: on-link is "
			    "not permitted on %s (-o)",
			    b, k->link);
	} else if (!k->connected &&
	    !(a->fam == FAM_INET6 && addr_is_linklocal(a)))
		return refuse(EHOSTUNREACH, text,
		    "next hop %s is in no "
		    "connected prefix of %s",
		    b, k->link);
	return 0;
}

int
fibd_check_listen(
    const struct fibd_req *r, unsigned int count, char text[FIBD_TEXT])
{
	struct addr a;
	int err = check_addr(&r->a, &a, text);

	if (err != 0)
		return err;
	if (!addr_is_unspecified(&a) &&
	    (addr_is_multicast(&a) || addr_is_v4mapped(&a)))
		return refuse(EINVAL, text, "no address to listen on");
	if (addr_is_linklocal(&a) && a.fam == FAM_INET6 && r->a.ifindex == 0)
		return refuse(EINVAL, text,
		    "a link-local address needs its "
		    "interface");
	if (count >= FIBD_LISTEN)
		return refuse(ENOSPC, text,
		    "%u listening sockets were given "
		    "already, the cap",
		    count);
	return 0;
}

int
fibd_check_watch(
    const struct fibd_req *r, unsigned int count, char text[FIBD_TEXT])
{
	struct addr a;
	int err = check_addr(&r->a, &a, text);

	if (err != 0)
		return err;
	if (a.fam == FAM_INET6 && addr_is_linklocal(&a) && r->a.ifindex == 0)
		return refuse(EINVAL, text,
		    "a link-local address needs its "
		    "interface");
	if (count >= FIBD_WATCH)
		return refuse(ENOSPC, text,
		    "%u addresses are watched "
		    "already, the cap",
		    count);
	return 0;
}
