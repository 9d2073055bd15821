/*
 * attr.c -- the loop over the path attributes.  The order of the checks is
 * RFC 7606's: header and length fit, seen before, known, flags, peer kind,
 * length, value; the first that fails decides for its attribute, and the
 * strongest verdict for the message, so the loop goes on after all but a
 * reset.
 */
#include "bgpd/wire/codec.h"

#include <string.h>

enum {
	ATTR_MAX = 256
};

enum wire_verdict
attr_fault(struct attr_ctx *x, const struct cur *c, const struct fault *f)
{
	struct update *u = x->upd;

	if (f->verdict == WIRE_DISCARD && u->ndiscarded < sizeof u->discarded)
		u->discarded[u->ndiscarded++] = x->type;
	if (f->verdict <= u->verdict)
		return f->verdict;
	u->verdict = f->verdict;
	u->err = (struct wire_err){ .verdict = f->verdict,
		.code = NOTIF_UPDATE,
		.sub = f->sub,
		.attr = x->type,
		.at = err_at(&x->body, c),
		.why = f->why,
		.rfc = f->rfc };
	/* RFC 4271 6.3: the erroneous attribute; a malformed list has none. */
	if (f->sub != UPD_MALFORMED) {
		u->err.data = x->whole.p;
		u->err.len = cur_left(&x->whole);
	}
	return f->verdict;
}

/* NULL: not known to us. */
static const struct attr_spec *
row_of(uint8_t type)
{
	if (type >= ATTR_NSPEC || attr_spec[type].name == NULL)
		return NULL;
	return &attr_spec[type];
}

void
attr_head(struct wbuf *w, uint8_t flags, uint8_t type, size_t len)
{
	if (len > UINT8_MAX) {
		wbuf_u8(w, flags | AF_EXTLEN);
		wbuf_u8(w, type);
		wbuf_u16(w, (uint16_t)len);
	} else {
		wbuf_u8(w, flags);
		wbuf_u8(w, type);
		wbuf_u8(w, (uint8_t)len);
	}
}

/* Cuts one attribute out, with its header in x->whole. */
static bool
cut(struct attr_ctx *x, struct cur *c, struct cur *val)
{
	uint16_t len16;
	uint8_t len;

	x->whole = *c;
	x->type = 0;
	if (!cur_u8(c, &x->flags) || !cur_u8(c, &x->type))
		return false;
	if (x->flags & AF_EXTLEN) {
		if (!cur_u16(c, &len16) || !cur_sub(c, len16, val))
			return false;
	} else if (!cur_u8(c, &len) || !cur_sub(c, len, val))
		return false;
	x->whole.end = val->end;
	return true;
}

static bool
seen_before(struct attr_ctx *x)
{
	uint32_t bit = 1u << x->type % 32, *word = &x->seen[x->type / 32];
	bool was = *word & bit;

	*word |= bit;
	return was;
}

static bool
seen(const struct attr_ctx *x, uint8_t type)
{
	return x->seen[type / 32] & 1u << type % 32;
}

/* RFC 4271 6.3, 9: passed on if it is transitive, else dropped in silence. */
static enum wire_verdict
unknown(struct attr_ctx *x)
{
	static const struct fault wellknown = { WIRE_RESET,
		UPD_UNKNOWN_WELLKNOWN, "a well-known attribute is not known",
		"RFC 4271 6.3" };
	static const struct fault reserved = { WIRE_DISCARD, UPD_OPTIONAL,
		"attribute type 0 is reserved", "RFC 4271 4.3" };

	if (!(x->flags & AF_OPT))
		return attr_fault(x, &x->whole, &wellknown);
	if (x->type == 0)
		return attr_fault(x, &x->whole, &reserved);
	if (!(x->flags & AF_TRANS))
		return WIRE_OK;
	if (x->unknown == NULL)
		x->unknown = arena_get(x->arena, ATTR_MAX * sizeof *x->unknown);
	x->unknown[x->nunknown++] = x->whole;
	return WIRE_OK;
}

static enum wire_verdict
known(struct attr_ctx *x, const struct attr_spec *s, struct cur *val)
{
	size_t len = cur_left(val);

	if ((x->flags ^ s->flags) & (AF_OPT | AF_TRANS))
		return attr_fault(x, &x->whole, &s->flag);
	if ((s->kind == KIND_INTERNAL && !x->neg->internal) ||
	    (s->kind == KIND_AS2 && x->neg->as4))
		return attr_fault(x, &x->whole, &s->peer);
	if (len < s->min || len > s->max || len % s->unit != 0)
		return attr_fault(x, val, &s->length);
	return s->parse(x, val);
}

static enum wire_verdict
attr_parse(struct attr_ctx *x, struct cur *val)
{
	static const struct fault twice = { WIRE_RESET, UPD_MALFORMED,
		"an MP attribute is there twice", "RFC 7606 3g" };
	const struct attr_spec *s = row_of(x->type);
	bool mp = x->type == ATTR_MP_REACH || x->type == ATTR_MP_UNREACH;

	x->count++;
	if (x->type != ATTR_MP_UNREACH)
		x->other = true;
	if (seen_before(x))
		return mp ? attr_fault(x, &x->whole, &twice) : WIRE_OK;
	return s != NULL ? known(x, s, val) : unknown(x);
}

/* Copies what is passed on, by ascending type (RFC 4271 5). */
static void
unknown_keep(struct attr_ctx *x)
{
	struct octets *out = &x->upd->attrs.unknown;
	size_t total = 0;
	struct wbuf w;

	for (unsigned int i = 0; i < x->nunknown; i++) {
		struct cur c = x->unknown[i];
		unsigned int k = i;

		total += cur_left(&c);
		for (; k > 0 && x->unknown[k - 1].p[1] > c.p[1]; k--)
			x->unknown[k] = x->unknown[k - 1];
		x->unknown[k] = c;
	}
	wbuf_init(&w, arena_get(x->arena, total), total);
	for (unsigned int i = 0; i < x->nunknown; i++) {
		struct cur c = x->unknown[i];
		uint8_t flags;

		if (!cur_u8(&c, &flags))
			continue;
		/* The lower four bits "MUST be zero when sent" (4.3). */
		flags &= AF_OPT | AF_TRANS | AF_EXTLEN;
		wbuf_u8(&w, flags | AF_PARTIAL);
		wbuf_bytes(&w, c.p, cur_left(&c));
	}
	*out = (struct octets){ w.p, (uint16_t)w.len };
}

/* RFC 6793 4.2.3: what an old speaker handed through of the new ones. */
static void
as4_merge(struct attr_ctx *x)
{
	struct attrs *a = &x->upd->attrs;

	if (x->as4_aggr_there && a->has & 1u << HAS_AGGREGATOR) {
		if (a->aggr_as != WIRE_AS_TRANS)
			return;
		a->aggr_as = x->as4_aggr_as;
		a->aggr_id = x->as4_aggr_id;
	}
	if (x->as4_path.len > 0 && a->has & 1u << HAS_AS_PATH)
		a->as_path = aspath_merge(a->as_path, x->as4_path, x->arena);
}

/* Mandatory with reachable prefixes: RFC 7606 3d. */
static void
missing(struct attr_ctx *x, const struct cur *at)
{
	static const struct {
		uint8_t type;
		const char *why;
	} must[] = {
		{ ATTR_ORIGIN, "ORIGIN is missing" },
		{ ATTR_AS_PATH, "AS_PATH is missing" },
		{ ATTR_NEXT_HOP, "NEXT_HOP is missing" },
		{ ATTR_LOCAL_PREF, "LOCAL_PREF is missing, internal peer" },
	};

	for (size_t i = 0; i < sizeof must / sizeof must[0]; i++) {
		uint8_t type = must[i].type;

		if (seen(x, type) ||
		    (type == ATTR_NEXT_HOP && !x->nlri_there) ||
		    (type == ATTR_LOCAL_PREF && !x->neg->internal))
			continue;
		x->type = type;
		attr_fault(x, at,
		    &(struct fault){ WIRE_WITHDRAW, UPD_MISSING, must[i].why,
			type == ATTR_LOCAL_PREF ? "RFC 4271 5.1.5"
						: "RFC 7606 3d" });
		/* The data of 3/3 is the type code (RFC 4271 6.3). */
		if (x->upd->err.sub == UPD_MISSING &&
		    x->upd->err.attr == type) {
			x->upd->err.data = NULL;
			x->upd->err.buf[0] = type;
			x->upd->err.len = 1;
		}
	}
}

void
attrs_parse(struct attr_ctx *x, struct cur c)
{
	static const struct fault overrun = { WIRE_WITHDRAW, UPD_MALFORMED,
		"the last attribute runs over the attributes", "RFC 7606 4" };
	struct cur val;

	while (cur_left(&c) > 0) {
		if (!cut(x, &c, &val)) {
			/* Might have been any attribute. */
			x->other = true;
			x->count++;
			attr_fault(x, &x->whole, &overrun);
			break;
		}
		if (attr_parse(x, &val) == WIRE_RESET)
			return;
	}
	if (x->nlri_there || x->mp_there)
		missing(x, &c);
	if (x->nunknown > 0)
		unknown_keep(x);
	if (!x->neg->as4)
		as4_merge(x);
}

/* ---- writing ---------------------------------------------------------- */

/* The unknown ones of a type below `type`, whole as they are kept. */
static void
unknown_write(struct wbuf *w, struct cur *c, unsigned int type)
{
	struct cur at = *c, next = *c, whole;
	uint8_t flags, t, len;
	uint16_t len16;

	while (cur_u8(&next, &flags) && cur_u8(&next, &t) && t < type) {
		if (!(flags & AF_EXTLEN)) {
			if (!cur_u8(&next, &len))
				return;
			len16 = len;
		} else if (!cur_u16(&next, &len16))
			return;
		if (!cur_skip(&next, len16) ||
		    !cur_sub(&at, cur_left(&at) - cur_left(&next), &whole))
			return;
		wbuf_bytes(w, whole.p, cur_left(&whole));
		*c = at = next;
	}
}

void
attrs_write(const struct attr_out *o, struct wbuf *w)
{
	struct cur rest;

	cur_init(&rest, o->attrs->unknown.p, o->attrs->unknown.len);
	for (unsigned int type = 1; type < ATTR_NSPEC; type++) {
		if (attr_spec[type].write == NULL)
			continue;
		if (cur_left(&rest) > 0)
			unknown_write(w, &rest, type);
		attr_spec[type].write(o, w);
	}
	unknown_write(w, &rest, ATTR_MAX);
}
