/*
 * aspath.c -- AS_PATH: checked, brought to four octets an AS, merged with
 * AS4_PATH, written for either kind of session (RFC 4271 5.1.2, RFC 6793).
 * Inside, a path is segments of type, count and count x 4 octets.
 */
#include "bgpd/wire/codec.h"

#include <string.h>

enum {
	SEG_MAX = 255,
	AS2_MAX = 65535
};

/* What a walk over a path as received has found. */
struct scan {
	size_t segs, asns;
	bool confed, set, zero; /* seen, first at: */
	struct cur at_confed, at_set, at_zero, at_bad;
	const char *bad; /* broken structure */
};

static bool
note(bool *seen, struct cur *where, const struct cur *at)
{
	if (!*seen)
		*where = *at;
	*seen = true;
	return true;
}

static bool
scan_as(struct cur *seg, bool as4, uint32_t *as)
{
	uint16_t v;

	if (as4)
		return cur_u32(seg, as);
	if (!cur_u16(seg, &v))
		return false;
	*as = v;
	return true;
}

static const char *
scan_seg(struct cur *c, bool as4, struct scan *s)
{
	struct cur at = *c, seg;
	uint8_t type, count;
	uint32_t as;

	s->at_bad = at;
	if (!cur_u8(c, &type) || !cur_u8(c, &count))
		return "one octet is left behind the last path segment";
	if (type < SEG_SET || type > SEG_CONFED_SET)
		return "the path segment type is not known";
	if (count == 0)
		return "the path segment is empty";
	if (!cur_sub(c, count * (as4 ? 4u : 2u), &seg))
		return "the path segment runs over its attribute";
	if (type == SEG_CONFED_SEQUENCE || type == SEG_CONFED_SET)
		note(&s->confed, &s->at_confed, &at);
	else if (type == SEG_SET)
		note(&s->set, &s->at_set, &at);
	s->segs++;
	s->asns += count;
	for (at = seg; scan_as(&seg, as4, &as); at = seg)
		if (as == 0)
			note(&s->zero, &s->at_zero, &at);
	return NULL;
}

static void
scan(struct cur c, bool as4, struct scan *s)
{
	memset(s, 0, sizeof *s);
	while (cur_left(&c) > 0 && s->bad == NULL)
		s->bad = scan_seg(&c, as4, s);
}

/* A path of two-octet ASNs, checked, with four octets each. */
static struct octets
widen(struct cur c, const struct scan *s, struct arena *arena)
{
	size_t len = 2 * s->segs + 4 * s->asns;
	struct wbuf w;
	uint8_t type, count;
	uint16_t as;

	wbuf_init(&w, arena_get(arena, len), len);
	while (cur_u8(&c, &type) && cur_u8(&c, &count)) {
		wbuf_u8(&w, type);
		wbuf_u8(&w, count);
		for (; count > 0 && cur_u16(&c, &as); count--)
			wbuf_u32(&w, as);
	}
	return (struct octets){ w.p, (uint16_t)w.len };
}

enum wire_verdict
aspath_parse(struct attr_ctx *x, struct cur *val)
{
	static const struct fault confed = { WIRE_WITHDRAW, UPD_AS_PATH,
		"AS_PATH has a confederation segment", "RFC 5065 5" };
	static const struct fault set = { WIRE_WITHDRAW, UPD_AS_PATH,
		"AS_PATH has an AS_SET", "RFC 9774 3" };
	static const struct fault zero = { WIRE_WITHDRAW, UPD_AS_PATH,
		"AS_PATH has AS 0", "RFC 7607 2" };
	static const struct fault long_ = { WIRE_WITHDRAW, UPD_AS_PATH,
		"AS_PATH is too long for four octets an AS", "RFC 6793 4.2.3" };
	struct attrs *a = &x->upd->attrs;
	bool as4 = x->neg->as4;
	struct scan s;

	scan(*val, as4, &s);
	if (s.bad != NULL)
		return attr_fault(x, &s.at_bad,
		    &(struct fault){
			WIRE_WITHDRAW, UPD_AS_PATH, s.bad, "RFC 7606 7.2" });
	if (s.confed)
		return attr_fault(x, &s.at_confed, &confed);
	if (s.set && !x->neg->allow_as_set)
		return attr_fault(x, &s.at_set, &set);
	if (s.zero)
		return attr_fault(x, &s.at_zero, &zero);
	if (2 * s.segs + 4 * s.asns > UINT16_MAX)
		return attr_fault(x, val, &long_);
	if (as4)
		a->as_path = (struct octets){ val->p, (uint16_t)cur_left(val) };
	else
		a->as_path = widen(*val, &s, x->arena);
	a->has |= 1u << HAS_AS_PATH;
	return WIRE_OK;
}

/* AS4_PATH, from a session with two octets an AS only (RFC 6793 6). */
enum wire_verdict
aspath4_parse(struct attr_ctx *x, struct cur *val)
{
	static const struct fault set = { WIRE_WITHDRAW, UPD_AS_PATH,
		"AS4_PATH has an AS_SET", "RFC 9774 3" };
	static const struct fault zero = { WIRE_DISCARD, UPD_AS_PATH,
		"AS4_PATH has AS 0", "RFC 7607 2" };
	struct scan s;

	scan(*val, true, &s);
	if (s.bad != NULL)
		return attr_fault(x, &s.at_bad,
		    &(struct fault){
			WIRE_DISCARD, UPD_AS_PATH, s.bad, "RFC 6793 6" });
	if (s.zero)
		return attr_fault(x, &s.at_zero, &zero);
	if (s.set && !x->neg->allow_as_set)
		return attr_fault(x, &s.at_set, &set);
	x->as4_path = (struct octets){ val->p, (uint16_t)cur_left(val) };
	return WIRE_OK;
}

/* ---- merging ---------------------------------------------------------- */

bool
aspath_seg(struct cur *path, struct aspath_seg *s)
{
	return cur_u8(path, &s->type) && cur_u8(path, &s->count) &&
	    cur_sub(path, s->count * 4u, &s->asns);
}

/*
 * Adds the first n ASNs of the segment, to the sequence that was written last
 * (it starts at *last) if there is one and it has room.
 */
static void
seg_put(
    struct wbuf *w, size_t *last, const struct aspath_seg *s, unsigned int n)
{
	struct cur c = s->asns, some;

	if (!cur_sub(&c, n * 4u, &some))
		return;
	if (w->len > 0 && !w->over && s->type == SEG_SEQUENCE &&
	    w->p[*last] == SEG_SEQUENCE && w->p[*last + 1] + n <= SEG_MAX) {
		w->p[*last + 1] = (uint8_t)(w->p[*last + 1] + n);
	} else {
		*last = w->len;
		wbuf_u8(w, s->type);
		wbuf_u8(w, (uint8_t)n);
	}
	wbuf_bytes(w, some.p, cur_left(&some));
}

struct octets
aspath_merge(struct octets path, struct octets as4, struct arena *arena)
{
	unsigned int have = aspath_length(path), more = aspath_length(as4);
	unsigned int lead, n;
	size_t last = 0, cap = (size_t)path.len + as4.len;
	struct wbuf w;
	struct aspath_seg s;
	struct cur c;

	if (more > have || more == 0)
		return path;
	lead = have - more;
	wbuf_init(&w, arena_get(arena, cap), cap);
	cur_init(&c, path.p, path.len);
	while (lead > 0 && aspath_seg(&c, &s)) {
		n = s.type == SEG_SET || s.count <= lead ? s.count : lead;
		seg_put(&w, &last, &s, n);
		lead -= s.type == SEG_SET ? 1 : n;
	}
	cur_init(&c, as4.p, as4.len);
	while (aspath_seg(&c, &s))
		if (s.type == SEG_SET || s.type == SEG_SEQUENCE)
			seg_put(&w, &last, &s, s.count);
	if (w.over || w.len > UINT16_MAX)
		return path;
	return (struct octets){ w.p, (uint16_t)w.len };
}

/* ---- writing ---------------------------------------------------------- */

static bool
needs_as4(struct octets path)
{
	size_t pos = 0;
	uint32_t as;
	uint8_t type;

	while (aspath_next(path, &pos, &as, &type))
		if (as > AS2_MAX)
			return true;
	return false;
}

/* To a peer that knows two octets an AS only (RFC 6793 4.2.2). */
static void
write_as2(struct wbuf *w, struct octets path)
{
	size_t len = 0;
	struct cur c;
	struct aspath_seg s;
	uint32_t as;

	cur_init(&c, path.p, path.len);
	while (aspath_seg(&c, &s))
		len += 2u + s.count * 2u;
	attr_head(w, AF_TRANS, ATTR_AS_PATH, len);
	cur_init(&c, path.p, path.len);
	while (aspath_seg(&c, &s)) {
		wbuf_u8(w, s.type);
		wbuf_u8(w, s.count);
		while (cur_u32(&s.asns, &as))
			wbuf_u16(
			    w, as > AS2_MAX ? WIRE_AS_TRANS : (uint16_t)as);
	}
}

void
aspath_write(const struct attr_out *o, struct wbuf *w)
{
	struct octets path = o->attrs->as_path;

	if (!(o->attrs->has & 1u << HAS_AS_PATH))
		return;
	if (!o->neg->as4) {
		write_as2(w, path);
		return;
	}
	attr_head(w, AF_TRANS, ATTR_AS_PATH, path.len);
	wbuf_bytes(w, path.p, path.len);
}

void
aspath4_write(const struct attr_out *o, struct wbuf *w)
{
	struct octets path = o->attrs->as_path;

	if (o->neg->as4 || !(o->attrs->has & 1u << HAS_AS_PATH) ||
	    !needs_as4(path))
		return;
	attr_head(w, AF_OPT | AF_TRANS, ATTR_AS4_PATH, path.len);
	wbuf_bytes(w, path.p, path.len);
}

/* ---- questions -------------------------------------------------------- */

unsigned int
aspath_length(struct octets path)
{
	unsigned int n = 0;
	struct cur c;
	struct aspath_seg s;

	cur_init(&c, path.p, path.len);
	while (aspath_seg(&c, &s))
		n += s.type == SEG_SEQUENCE ? s.count : s.type == SEG_SET;
	return n;
}

uint32_t
aspath_first(struct octets path)
{
	struct cur c;
	struct aspath_seg s;
	uint32_t as;

	cur_init(&c, path.p, path.len);
	if (!aspath_seg(&c, &s) || s.type != SEG_SEQUENCE ||
	    !cur_u32(&s.asns, &as))
		return 0;
	return as;
}

uint32_t
aspath_origin(struct octets path)
{
	uint32_t as = 0;
	struct cur c;
	struct aspath_seg s;

	cur_init(&c, path.p, path.len);
	while (aspath_seg(&c, &s)) {
		as = 0;
		if (s.type != SEG_SEQUENCE || s.count == 0 ||
		    !cur_skip(&s.asns, (s.count - 1) * 4u) ||
		    !cur_u32(&s.asns, &as))
			as = 0;
	}
	return as;
}

bool
aspath_has(struct octets path, uint32_t want)
{
	struct cur c;
	struct aspath_seg s;
	uint32_t as;

	cur_init(&c, path.p, path.len);
	while (aspath_seg(&c, &s))
		while (cur_u32(&s.asns, &as))
			if (as == want)
				return true;
	return false;
}

bool
aspath_has_set(struct octets path)
{
	struct cur c;
	struct aspath_seg s;

	cur_init(&c, path.p, path.len);
	while (aspath_seg(&c, &s))
		if (s.type == SEG_SET || s.type == SEG_CONFED_SET)
			return true;
	return false;
}

/*
 * *pos: where the next AS stands, how many its segment still has, and of what
 * type that is, in 16, 8 and 8 bits.
 */
bool
aspath_next(struct octets path, size_t *pos, uint32_t *as, uint8_t *segtype)
{
	uint8_t left = (uint8_t)(*pos >> 16), type = (uint8_t)(*pos >> 24);
	size_t off = *pos & UINT16_MAX;
	struct cur c;

	cur_init(&c, path.p, path.len);
	if (!cur_skip(&c, off))
		return false;
	while (left == 0)
		if (!cur_u8(&c, &type) || !cur_u8(&c, &left))
			return false;
	if (!cur_u32(&c, as))
		return false;
	*segtype = type;
	*pos = (path.len - cur_left(&c)) | (size_t)(left - 1) << 16 |
	    (size_t)type << 24;
	return true;
}

/* How many of n more ASNs a path can hold, with their segments' heads. */
static unsigned int
clamp(struct octets path, unsigned int n)
{
	size_t room = UINT16_MAX - (size_t)path.len;
	size_t most = room / (2 + 4 * SEG_MAX) * SEG_MAX;
	size_t rest = room % (2 + 4 * SEG_MAX);

	if (rest > 2)
		most += (rest - 2) / 4;
	return n < most ? n : (unsigned int)most;
}

struct octets
aspath_prepend(
    struct octets path, uint32_t as, unsigned int n, struct arena *arena)
{
	unsigned int join = 0, now;
	struct cur rest;
	struct aspath_seg first;
	struct wbuf w;
	size_t cap;

	/* A path so long that this cuts anything fits no message anyway. */
	n = clamp(path, n);
	if (n == 0)
		return path;
	cap = path.len + 4u * n + 2u * (n / SEG_MAX + 1);
	wbuf_init(&w, arena_get(arena, cap), cap);
	cur_init(&rest, path.p, path.len);
	if (aspath_seg(&rest, &first) && first.type == SEG_SEQUENCE)
		join = (unsigned int)SEG_MAX - first.count;
	else
		cur_init(&rest, path.p, path.len);
	if (join > n)
		join = n;
	for (n -= join; n > 0; n -= now) {
		now = n % SEG_MAX != 0 ? n % SEG_MAX : SEG_MAX;
		wbuf_u8(&w, SEG_SEQUENCE);
		wbuf_u8(&w, (uint8_t)now);
		for (unsigned int i = 0; i < now; i++)
			wbuf_u32(&w, as);
	}
	if (cur_left(&rest) < path.len) {
		wbuf_u8(&w, SEG_SEQUENCE);
		wbuf_u8(&w, (uint8_t)(first.count + join));
		for (; join > 0; join--)
			wbuf_u32(&w, as);
		wbuf_bytes(&w, first.asns.p, cur_left(&first.asns));
	}
	wbuf_bytes(&w, rest.p, cur_left(&rest));
	return (struct octets){ w.p, (uint16_t)w.len };
}

size_t
aspath_print(struct octets path, char *buf, size_t n)
{
	static const char *const open[] = { "?[", "{", "", "(", "[" };
	static const char *const shut[] = { "]", " }", "", " )", " ]" };
	struct cur c;
	struct aspath_seg s;
	struct txt t;
	uint32_t as;

	txt_init(&t, buf, n);
	cur_init(&c, path.p, path.len);
	while (aspath_seg(&c, &s)) {
		unsigned int k = s.type <= SEG_CONFED_SET ? s.type : 0;

		if (t.len > 0)
			txt_char(&t, ' ');
		txt_str(&t, open[k]);
		for (bool first = k == SEG_SEQUENCE; cur_u32(&s.asns, &as);
		     first = false) {
			if (!first)
				txt_char(&t, ' ');
			txt_u32(&t, as);
		}
		txt_str(&t, shut[k]);
	}
	return t.len;
}
