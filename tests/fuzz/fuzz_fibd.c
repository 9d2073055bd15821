/*
 * fuzz_fibd.c -- any octets as a datagram from the speaker, through the
 * fences of ana-fibd.  What they let pass is said again here in other words:
 * no default, lengths and martian space as permitted, no protected prefix, a
 * next hop that is a host's address.  The first octet chooses the fences.
 */
#include <string.h>

#include "platform/fibd/fibd_check.h"
#include "tests/fuzz/must.h"

static void
fences(struct fibd_fences *f, uint8_t opt)
{
	fibd_fences_init(f);
	f->table[f->ntable++] = 254;
	f->netns = 4711;
	if (opt & 1)
		pfx_parse("20.1.0.0/16", &f->protected[f->nprotected++]);
	if (opt & 2)
		pfx_parse("2a00::/32", &f->protected[f->nprotected++]);
	if (opt & 4)
		pfx_parse("10.0.0.0/8", &f->allowed[f->nallowed++]);
	if (opt & 8)
		strlcpy(f->onlink[f->nonlink++], "v0", sizeof f->onlink[0]);
}

static void
route(const struct fibd_fences *f, const struct fibd_route *r, uint8_t opt)
{
	char text[FIBD_TEXT];
	struct pfx p, ten;

	if (fibd_check_pfx(&r->a, &p, text) != 0)
		return;
	MUST(p.len <= fam_bits(p.addr.fam));
	if (fibd_check_route(f, &p, p.addr.fam, true, r->set, text) != 0) {
		MUST(memchr(text, '\0', sizeof text) != NULL);
		MUST(text[0] != '\0');
		return;
	}
	MUST(r->set < f->max_routes);
	MUST(p.len >= 8 && p.len <= 48);
	pfx_parse("10.0.0.0/8", &ten);
	MUST(!fibd_check_martian(&p) ||
	    ((opt & 4) != 0 && pfx_covers(&ten, &p)));
	for (unsigned int i = 0; i < f->nprotected; i++)
		MUST(!pfx_covers(&f->protected[i], &p) &&
		    !pfx_covers(&p, &f->protected[i]));
}

static void
nhset(const struct fibd_fences *f, const struct fibd_nhset *r, uint8_t opt)
{
	char text[FIBD_TEXT];

	if (fibd_check_nhset(r, text) != 0)
		return;
	MUST(
	    r->n >= 1 && r->n <= FIBD_NH && r->set >= 1 && r->set <= FIBD_SETS);
	for (unsigned int i = 0; i < r->n; i++) {
		struct fibd_nh_facts k = { opt & 16 ? "v0" : "v1", opt & 32,
			false };
		struct addr a;

		addr_set(&a, r->fam, r->nh[i].o);
		if (fibd_check_nh(f, &a, r->nh[i].flags, &k, text) != 0)
			continue;
		MUST(addr_is_host(&a));
		MUST(k.connected || addr_is_linklocal(&a) ||
		    ((opt & 8) != 0 && (opt & 16) != 0));
	}
}

static void
hello(const struct fibd_fences *f, const struct fibd_hello *h)
{
	char text[FIBD_TEXT];

	if (fibd_check_hello(f, h, text) == 0)
		MUST(h->protocol == 179 && h->table == 254 && h->metric != 0 &&
		    h->keep_s <= 3600 && h->netns == 4711);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char text[FIBD_TEXT];
	struct fibd_fences f;
	uint8_t opt;

	if (size < 1)
		return 0;
	opt = data[0];
	fences(&f, opt);
	for (data++, size--; size > 0;) {
		union {
			struct fibd_hdr h;
			struct fibd_hello hello;
			struct fibd_route route;
			struct fibd_nhset nhset;
			struct fibd_req req;
			uint8_t o[FIBD_REC_MAX];
		} r;

		if (fibd_check_record(data, size, text) != 0)
			return 0;
		memset(&r, 0, sizeof r);
		memcpy(&r.h, data, sizeof r.h);
		MUST(r.h.size <= size && r.h.size <= sizeof r);
		memcpy(&r, data, r.h.size);
		if (r.h.type == FIBD_HELLO)
			hello(&f, &r.hello);
		else if (r.h.type == FIBD_ROUTE_REPLACE)
			route(&f, &r.route, opt);
		else if (r.h.type == FIBD_NHSET)
			nhset(&f, &r.nhset, opt);
		else if (r.h.type == FIBD_LISTEN_REQ)
			(void)fibd_check_listen(&r.req, opt, text);
		else if (r.h.type == FIBD_NH_WATCH)
			(void)fibd_check_watch(&r.req, opt, text);
		data += r.h.size;
		size -= r.h.size;
	}
	return 0;
}
