/*
 * update.c -- the sections of an UPDATE, prefixes, the two MP attributes,
 * End-of-RIB: RFC 4271 4.3 and 6.3, 4760, 8950, 4724 2, 7606.
 *
 * Prefixes are checked once, as octets, and handed out as cursors; nothing is
 * copied.
 */
#include "bgpd/wire/codec.h"

#include <string.h>

enum {
	SAFI_UNICAST = 1
};

static const struct cur no_octets = { (const uint8_t *)"",
	(const uint8_t *)"" };

/* Every prefix fits; else false with *bad where the first stands that fails. */
static bool
nlri_check(struct cur c, enum fam f, struct cur *bad)
{
	unsigned int bits = fam_bits(f);
	uint8_t len;

	for (*bad = c; cur_u8(&c, &len); *bad = c)
		if (len > bits || !cur_skip(&c, (len + 7u) / 8))
			return false;
	return true;
}

bool
wire_nlri_next(struct cur *c, enum fam f, struct pfx *p)
{
	unsigned int n;
	uint8_t len;

	if (!cur_u8(c, &len) || len > fam_bits(f))
		return false;
	memset(p, 0, sizeof *p);
	p->addr.fam = (uint8_t)f;
	p->len = len;
	n = (len + 7u) / 8;
	if (!cur_bytes(c, p->addr.o, n))
		return false;
	/* "The value of trailing bits is irrelevant" (RFC 4271 4.3) */
	if (len % 8 != 0)
		p->addr.o[n - 1] &= (uint8_t)(0xff00 >> len % 8);
	return true;
}

/* ---- MP_REACH_NLRI, MP_UNREACH_NLRI ----------------------------------- */

static bool
afi_cut(struct cur *c, enum fam *f)
{
	uint16_t afi;
	uint8_t safi;

	if (!cur_u16(c, &afi) || !cur_u8(c, &safi))
		return false;
	*f = fam_of(afi, safi);
	return true;
}

/* RFC 2545 3, RFC 8950 3: which lengths a next hop of the family may have. */
static bool
nexthop_fits(const struct attr_ctx *x, enum fam f, size_t len)
{
	if (f == FAM_INET && len == 4)
		return true;
	if (f == FAM_INET && !x->neg->ext_nexthop)
		return false;
	return len == 16 || len == 32;
}

static enum wire_verdict
nexthop_parse(struct attr_ctx *x, struct cur *nh)
{
	static const struct fault value = { WIRE_WITHDRAW, UPD_OPTIONAL,
		"MP_REACH_NLRI's next hop is no host address", "RFC 4760 3" };
	struct update *u = x->upd;
	struct cur at = *nh;
	struct addr ll;

	if (cur_left(nh) == 4)
		addr_set(&u->mp_nexthop, FAM_INET, nh->p);
	else
		addr_set(&u->mp_nexthop, FAM_INET6, nh->p);
	if (!addr_is_host(&u->mp_nexthop))
		return attr_fault(x, &at, &value);
	if (cur_left(nh) == 32 && cur_skip(nh, 16)) {
		addr_set(&ll, FAM_INET6, nh->p);
		/* Anything else there is ignored (RFC 2545 3). */
		if (addr_is_linklocal(&ll))
			u->mp_nexthop_ll = ll;
	}
	return WIRE_OK;
}

enum wire_verdict
mp_reach_parse(struct attr_ctx *x, struct cur *val)
{
	static const struct fault over = { WIRE_RESET, UPD_OPTIONAL,
		"MP_REACH_NLRI's next hop runs over it", "RFC 7606 7.11" };
	static const struct fault nhlen = { WIRE_RESET, UPD_OPTIONAL,
		"MP_REACH_NLRI's next hop has a wrong length",
		"RFC 7606 7.11" };
	static const struct fault nlri = { WIRE_RESET, UPD_OPTIONAL,
		"a prefix of MP_REACH_NLRI is too long", "RFC 7606 5.3" };
	struct update *u = x->upd;
	struct cur at, nh, bad;
	uint8_t len, reserved;
	bool whole;
	enum fam f;

	if (!afi_cut(val, &f))
		return attr_fault(x, val, &over);
	at = *val;
	whole = cur_u8(val, &len) && cur_sub(val, len, &nh) &&
	    cur_u8(val, &reserved);
	x->mp_there = whole && cur_left(val) > 0;
	if (f == FAM_NONE) {
		u->unnegotiated = true;
		return WIRE_OK;
	}
	if (!whole)
		return attr_fault(x, &at, &over);
	if (!nexthop_fits(x, f, len))
		return attr_fault(x, &at, &nhlen);
	if (!nlri_check(*val, f, &bad))
		return attr_fault(x, &bad, &nlri);
	if (!x->neg->mp[f]) {
		u->unnegotiated = true;
		return WIRE_OK;
	}
	u->mp_reach = *val;
	u->mp_reach_fam = f;
	return nexthop_parse(x, &nh);
}

enum wire_verdict
mp_unreach_parse(struct attr_ctx *x, struct cur *val)
{
	static const struct fault nlri = { WIRE_RESET, UPD_OPTIONAL,
		"a prefix of MP_UNREACH_NLRI is too long", "RFC 7606 5.3" };
	struct update *u = x->upd;
	struct cur bad;
	enum fam f;

	if (!afi_cut(val, &f))
		return attr_fault(x, val, &nlri);
	if (f != FAM_NONE && !nlri_check(*val, f, &bad))
		return attr_fault(x, &bad, &nlri);
	if (f == FAM_NONE || !x->neg->mp[f]) {
		u->unnegotiated = true;
		return WIRE_OK;
	}
	x->mp_unreach_empty = cur_left(val) == 0;
	u->mp_unreach = *val;
	u->mp_unreach_fam = f;
	return WIRE_OK;
}

/* ---- the message ------------------------------------------------------ */

static enum wire_verdict
frame_bad(
    struct update *u, uint8_t sub, size_t at, const char *why, const char *rfc)
{
	u->verdict = err_reset(&u->err, NOTIF_UPDATE, sub, why, rfc);
	u->err.at = at;
	return WIRE_RESET;
}

/* RFC 4724 2 */
static enum fam
eor_of(const struct attr_ctx *x, const struct cur *attrs)
{
	const struct update *u = x->upd;

	if (x->nlri_there || cur_left(&u->withdrawn) > 0 ||
	    u->verdict != WIRE_OK)
		return FAM_NONE;
	if (cur_left(attrs) == 0)
		return x->neg->mp[FAM_INET] ? FAM_INET : FAM_NONE;
	if (x->count == 1 && x->mp_unreach_empty)
		return u->mp_unreach_fam;
	return FAM_NONE;
}

/*
 * RFC 7606 5.2: nothing is announced, so what is to be withdrawn is not known:
 * the only way left is a reset.
 */
static void
harden(struct attr_ctx *x)
{
	struct wire_err *e = &x->upd->err;

	if (x->upd->verdict != WIRE_WITHDRAW || x->nlri_there || x->mp_there ||
	    !x->other)
		return;
	x->upd->verdict = e->verdict = WIRE_RESET;
	e->sub = UPD_MALFORMED;
	e->data = NULL;
	e->len = 0;
	e->rfc = "RFC 7606 5.2";
}

static enum wire_verdict
sections(struct cur *body, struct cur *withdrawn, struct cur *attrs,
    struct update *u, const struct cur *all)
{
	struct cur at = *body;
	uint16_t len;

	if (!cur_u16(body, &len) || !cur_sub(body, len, withdrawn))
		return frame_bad(u, UPD_MALFORMED, err_at(all, &at),
		    "the withdrawn routes run over the message", "RFC 7606 3b");
	at = *body;
	if (!cur_u16(body, &len) || !cur_sub(body, len, attrs))
		return frame_bad(u, UPD_MALFORMED, err_at(all, &at),
		    "the path attributes run over the message", "RFC 7606 3b");
	return WIRE_OK;
}

enum wire_verdict
wire_update_parse(struct cur *body, const struct wire_neg *neg,
    struct update *u, struct arena *arena)
{
	struct attr_ctx x = {
		.neg = neg, .upd = u, .arena = arena, .body = *body
	};
	struct cur attrs, bad;

	memset(u, 0, sizeof *u);
	u->withdrawn = u->nlri = u->mp_unreach = u->mp_reach = no_octets;
	if (sections(body, &u->withdrawn, &attrs, u, &x.body) != WIRE_OK)
		return WIRE_RESET;
	u->nlri = *body;
	body->p = body->end;
	x.nlri_there = cur_left(&u->nlri) > 0;
	if (!nlri_check(u->withdrawn, FAM_INET, &bad))
		return frame_bad(u, UPD_NETWORK, err_at(&x.body, &bad),
		    "a withdrawn prefix is too long", "RFC 7606 5.3");
	attrs_parse(&x, attrs);
	if (u->verdict == WIRE_RESET)
		return WIRE_RESET;
	if (!nlri_check(u->nlri, FAM_INET, &bad))
		return frame_bad(u, UPD_NETWORK, err_at(&x.body, &bad),
		    "a prefix is too long", "RFC 7606 5.3");
	harden(&x);
	u->eor = eor_of(&x, &attrs);
	if (!neg->mp[FAM_INET]) {
		if (x.nlri_there || cur_left(&u->withdrawn) > 0)
			u->unnegotiated = true;
		u->nlri = u->withdrawn = no_octets;
	}
	return u->verdict;
}

/* ---- writing ---------------------------------------------------------- */

static bool
pfx_put(struct wbuf *w, const struct pfx *p, size_t keep)
{
	size_t n = (p->len + 7u) / 8;

	if (wbuf_room(w) < 1 + n + keep)
		return false;
	wbuf_u8(w, p->len);
	wbuf_bytes(w, p->addr.o, n);
	return true;
}

/* As many as fit, with `keep` octets to spare. */
static size_t
pfxs_put(struct wbuf *w, const struct pfx *p, size_t n, size_t keep)
{
	size_t i = 0;

	while (i < n && pfx_put(w, &p[i], keep))
		i++;
	return i;
}

/* The head of an MP attribute; returns where its length stands. */
static size_t
mp_head(struct wbuf *w, enum attr_type type, enum fam f)
{
	size_t at;

	wbuf_u8(w, AF_OPT | AF_EXTLEN);
	wbuf_u8(w, (uint8_t)type);
	at = wbuf_len16(w);
	wbuf_u16(w, (uint16_t)f);
	wbuf_u8(w, SAFI_UNICAST);
	return at;
}

/* MP_REACH_NLRI first (RFC 7606 5.1), then the others. */
static size_t
mp_reach_put(struct wbuf *w, const struct attr_out *o, enum fam f,
    const struct pfx *p, size_t n)
{
	const struct attrs *a = o->attrs;
	bool two = a->nexthop_ll.fam == FAM_INET6;
	size_t start = w->len, keep, len;

	/* Only a trial tells how much room the others need. */
	attrs_write(o, w);
	keep = w->len - start;
	if (w->over)
		return 0;
	wbuf_cut(w, start);
	len = mp_head(w, ATTR_MP_REACH, f);
	wbuf_u8(w, two ? 32 : 16);
	wbuf_bytes(w, a->nexthop.o, 16);
	if (two)
		wbuf_bytes(w, a->nexthop_ll.o, 16);
	wbuf_u8(w, 0);
	n = pfxs_put(w, p, n, keep);
	wbuf_end16(w, len);
	attrs_write(o, w);
	return n;
}

static size_t
update_put(struct wbuf *w, const struct attr_out *o, enum fam f,
    const struct pfx *p, size_t n)
{
	size_t begin = wire_msg_begin(w, MSG_UPDATE), attrs;

	wbuf_u16(w, 0);
	attrs = wbuf_len16(w);
	if (o->nexthop) {
		attrs_write(o, w);
		wbuf_end16(w, attrs);
		n = pfxs_put(w, p, n, 0);
	} else {
		n = mp_reach_put(w, o, f, p, n);
		wbuf_end16(w, attrs);
	}
	wire_msg_end(w, begin);
	return n;
}

/* No more room than one message to this peer may have (RFC 8654 4). */
static size_t
limit(struct wbuf *w, const struct wire_neg *neg)
{
	size_t cap = w->cap, max = neg->ext_tx ? WIRE_MAX_EXT : WIRE_MAX;

	if (w->cap - w->len > max)
		w->cap = w->len + max;
	return cap;
}

/* Nothing of a message without a prefix stays. */
static size_t
unlimit(struct wbuf *w, size_t cap, size_t begin, size_t n)
{
	if (n == 0 || w->over) {
		wbuf_cut(w, begin);
		n = 0;
	}
	w->cap = cap;
	return n;
}

size_t
wire_update_write(struct wbuf *w, const struct wire_neg *neg,
    const struct attrs *a, enum fam f, const struct pfx *p, size_t n)
{
	struct attr_out o = { neg, a,
		f == FAM_INET && a->nexthop.fam == FAM_INET };
	size_t begin = w->len, cap;

	if (w->over || n == 0 || (!o.nexthop && a->nexthop.fam != FAM_INET6))
		return 0;
	cap = limit(w, neg);
	n = update_put(w, &o, f, p, n);
	return unlimit(w, cap, begin, n);
}

size_t
wire_withdraw_write(struct wbuf *w, const struct wire_neg *neg, enum fam f,
    const struct pfx *p, size_t n)
{
	size_t start = w->len, begin, cap, len, mp;

	if (w->over || n == 0)
		return 0;
	cap = limit(w, neg);
	begin = wire_msg_begin(w, MSG_UPDATE);
	if (f == FAM_INET) {
		len = wbuf_len16(w);
		n = pfxs_put(w, p, n, 2);
		wbuf_end16(w, len);
		wbuf_u16(w, 0);
	} else {
		wbuf_u16(w, 0);
		len = wbuf_len16(w);
		mp = mp_head(w, ATTR_MP_UNREACH, f);
		n = pfxs_put(w, p, n, 0);
		wbuf_end16(w, mp);
		wbuf_end16(w, len);
	}
	wire_msg_end(w, begin);
	return unlimit(w, cap, start, n);
}

void
wire_eor_write(struct wbuf *w, enum fam f)
{
	size_t begin = wire_msg_begin(w, MSG_UPDATE), len, mp;

	wbuf_u16(w, 0);
	len = wbuf_len16(w);
	if (f != FAM_INET) {
		mp = mp_head(w, ATTR_MP_UNREACH, f);
		wbuf_end16(w, mp);
	}
	wbuf_end16(w, len);
	wire_msg_end(w, begin);
}
