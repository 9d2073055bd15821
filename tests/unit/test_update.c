/*
 * UPDATE: its sections, prefixes, End-of-RIB, what is missing; and writing:
 * what is written must parse to the same.  errors.md "UPDATE frame".
 */
#include <stdlib.h>

#include "tests/unit/wire_help.h"

#define MUST "40 01 01 00 40 02 06 0201 0000fdea "
#define NH "40 03 04 c0000201 "
#define REACH6 \
	"80 0e 1a 0002 01 10 20010db8000000000000000000000001 00 20 20010db8 "
#define EMPTY6 "80 0e 15 0002 01 10 20010db8000000000000000000000001 00 "

enum {
	EXT = 0,
	INT = 1,
	NO4 = 2,
	NO6 = 4
};

static struct bytes b;
static struct arena arena;

static struct wire_neg
neg_of(unsigned int opt)
{
	return (struct wire_neg){ .as4 = true,
		.internal = opt & INT,
		.mp = { false, !(opt & NO4), !(opt & NO6) } };
}

static struct update
parse(unsigned int opt, const char *withdrawn, const char *attrs,
    const char *nlri)
{
	struct wire_neg neg = neg_of(opt);
	struct update u;
	struct cur c;

	upd_make(&b, withdrawn, attrs, nlri);
	c = body_of(&b);
	arena_reset(&arena);
	wire_update_parse(&c, &neg, &u, &arena);
	return u;
}

/* ---- verdicts --------------------------------------------------------- */

struct row {
	const char *name;
	unsigned int opt;
	const char *withdrawn, *attrs, *nlri;
	enum wire_verdict want;
	uint8_t sub;
	const char *rfc;
	size_t at;
};

#define OK WIRE_OK, 0, NULL, 0

/* clang-format off */
static const struct row rows[] = {
	{ "announce", EXT, "", MUST NH, "08 0a", OK },
	{ "withdraw", EXT, "08 0a", "", "", OK },
	{ "both", EXT, "08 0a", MUST NH, "08 0b", OK },
	{ "attributes for nothing", EXT, "", MUST NH, "", OK },
	{ "all four fields", EXT, "08 0a", MUST NH REACH6 "80 0f 08 0002 01 20 20010db9", "08 0b", OK },
	{ "any order", EXT, "", REACH6 NH MUST, "08 0a", OK },
	{ "default", EXT, "", MUST NH, "00", OK },
	{ "/32", EXT, "", MUST NH, "20 0a000001", OK },
	{ "multicast, loopback, class E", EXT, "", MUST NH, "08 e0 08 7f 08 f0", OK },
	{ "same prefix twice", EXT, "", MUST NH, "08 0a 08 0a", OK },

	/* prefixes */
	{ "/33", EXT, "", MUST NH, "21 0a00000000", WIRE_RESET, UPD_NETWORK, "RFC 7606 5.3", 43 },
	{ "/255", EXT, "", MUST NH, "08 0a ff", WIRE_RESET, UPD_NETWORK, "RFC 7606 5.3", 45 },
	{ "prefix runs over", EXT, "", MUST NH, "18 0a00", WIRE_RESET, UPD_NETWORK, "RFC 7606 5.3", 43 },
	{ "withdrawn /33", EXT, "21 0a00000000", "", "", WIRE_RESET, UPD_NETWORK, "RFC 7606 5.3", 21 },
	{ "withdrawn runs over", EXT, "08 0a 18 0a00", "", "", WIRE_RESET, UPD_NETWORK, "RFC 7606 5.3", 23 },
	{ "/33, family not negotiated", NO4, "", MUST NH, "21 0a00000000", WIRE_RESET, UPD_NETWORK, "RFC 7606 5.3", 43 },
	{ "reset behind a withdraw", EXT, "", MUST NH "80 04 00", "21 0a00000000", WIRE_RESET, UPD_NETWORK, "RFC 7606 5.3", 46 },

	/* what is missing */
	{ "no ORIGIN", EXT, "", "40 02 06 0201 0000fdea " NH, "08 0a", WIRE_WITHDRAW, UPD_MISSING, "RFC 7606 3d", 39 },
	{ "no AS_PATH", EXT, "", "40 01 01 00 " NH, "08 0a", WIRE_WITHDRAW, UPD_MISSING, "RFC 7606 3d", 34 },
	{ "no NEXT_HOP", EXT, "", MUST, "08 0a", WIRE_WITHDRAW, UPD_MISSING, "RFC 7606 3d", 36 },
	{ "nothing at all", EXT, "", "", "08 0a", WIRE_WITHDRAW, UPD_MISSING, "RFC 7606 3d", 23 },
	{ "no ORIGIN, MP", EXT, "", "40 02 06 0201 0000fdea " REACH6, "", WIRE_WITHDRAW, UPD_MISSING, "RFC 7606 3d", 61 },
	{ "no NEXT_HOP, MP only", EXT, "", MUST REACH6, "", OK },
	{ "no NEXT_HOP, MP and NLRI", EXT, "", MUST REACH6, "08 0a", WIRE_WITHDRAW, UPD_MISSING, "RFC 7606 3d", 65 },
	{ "no ORIGIN, MP without prefix", EXT, "", EMPTY6, "", OK },
	{ "no LOCAL_PREF, external", EXT, "", MUST NH, "08 0a", OK },
	{ "no LOCAL_PREF, internal", INT, "", MUST NH, "08 0a", WIRE_WITHDRAW, UPD_MISSING, "RFC 4271 5.1.5", 43 },
	{ "no LOCAL_PREF, internal, MP", INT, "", MUST REACH6, "", WIRE_WITHDRAW, UPD_MISSING, "RFC 4271 5.1.5", 65 },
	{ "no LOCAL_PREF, internal, withdraw", INT, "08 0a", MUST, "", OK },
	{ "malformed is not missing", EXT, "", "40 01 00 40 02 06 0201 0000fdea " NH, "08 0a", WIRE_WITHDRAW, UPD_LENGTH, "RFC 7606 7.1", 26 },

	/* RFC 7606 5.2: no prefix announced, and a withdraw asked for */
	{ "withdraw without NLRI", EXT, "", MUST "80 04 00", "", WIRE_RESET, UPD_MALFORMED, "RFC 7606 5.2", 39 },
	{ "... with withdrawn", EXT, "08 0a", MUST "80 04 00", "", WIRE_RESET, UPD_MALFORMED, "RFC 7606 5.2", 41 },
	{ "... with MP_UNREACH", EXT, "", "80 04 00 80 0f 08 0002 01 20 20010db8", "", WIRE_RESET, UPD_MALFORMED, "RFC 7606 5.2", 26 },
	{ "... with an empty MP_REACH", EXT, "", EMPTY6 "80 04 00", "", WIRE_RESET, UPD_MALFORMED, "RFC 7606 5.2", 50 },
	{ "... with MP_REACH", EXT, "", MUST REACH6 "80 04 00", "", WIRE_WITHDRAW, UPD_LENGTH, "RFC 7606 7.4", 68 },
	{ "... of a family not negotiated", NO6, "", MUST REACH6 "80 04 00", "", WIRE_WITHDRAW, UPD_LENGTH, "RFC 7606 7.4", 68 },
	{ "... of a family not known", EXT, "", MUST "80 0e 06 0019 46 00 00 ff 80 04 00", "", WIRE_WITHDRAW, UPD_LENGTH, "RFC 7606 7.4", 48 },
	{ "... IPv4 not negotiated", NO4, "", MUST NH "80 04 00", "08 0a", WIRE_WITHDRAW, UPD_LENGTH, "RFC 7606 7.4", 46 },
	{ "discard stays discard", EXT, "08 0a", "40 06 01 00", "", WIRE_DISCARD, UPD_LENGTH, "RFC 7606 7.6", 28 },
	{ "overrun without NLRI", EXT, "", "80 0e 30 0002 01", "", WIRE_RESET, UPD_MALFORMED, "RFC 7606 5.2", 23 },
	{ "MP_UNREACH alone runs over", EXT, "", "80 0f 30 0002 01", "", WIRE_RESET, UPD_MALFORMED, "RFC 7606 5.2", 23 },
	{ "an octet left without NLRI", EXT, "", "80 0f 03 0002 01 80", "", WIRE_RESET, UPD_MALFORMED, "RFC 7606 5.2", 29 },

	/* NEXT_HOP's value matters only for the NLRI field */
	{ "bad NEXT_HOP, no NLRI", EXT, "", MUST REACH6 "40 03 04 7f000001", "", OK },
	{ "bad NEXT_HOP length, no NLRI", EXT, "", MUST REACH6 "40 03 03 7f0000", "", WIRE_WITHDRAW, UPD_LENGTH, "RFC 7606 7.3", 68 },
};
/* clang-format on */

static void
test_table(void **state)
{
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const struct row *r = &rows[i];
		struct update u;

		print_message("# %s\n", r->name);
		u = parse(r->opt, r->withdrawn, r->attrs, r->nlri);
		assert_int_equal(u.verdict, r->want);
		if (r->want == WIRE_OK)
			continue;
		assert_int_equal(u.err.verdict, r->want);
		assert_int_equal(u.err.code, NOTIF_UPDATE);
		assert_int_equal(u.err.sub, r->sub);
		assert_string_equal(u.err.rfc, r->rfc);
		assert_int_equal(u.err.at, r->at);
		assert_non_null(u.err.why);
		if (r->want == WIRE_RESET)
			assert_int_equal(u.err.len, 0);
	}
}

/* 3/3 names the type that is missing. */
static void
test_missing_data(void **state)
{
	struct update u = parse(EXT, "", MUST, "08 0a");

	assert_hex(err_data(&u.err), u.err.len, "03");
	assert_int_equal(u.err.attr, ATTR_NEXT_HOP);
}

/* Every length that does not fit is 3/1: RFC 7606 3b. */
static void
test_sections(void **state)
{
	/* clang-format off */
	static const struct { const char *body; size_t at; } t[] = {
		{ "0001 0000", 21 },	/* cuts into the next length */
		{ "0005 0000 00", 19 },
		{ "ffff 0000", 19 },
		{ "0000 0001", 21 },
		{ "0000 ffff 00", 21 },
		{ "0002 08 0a 00", 23 },
	};
	/* clang-format on */

	for (size_t i = 0; i < sizeof t / sizeof t[0]; i++) {
		struct wire_neg neg = neg_of(EXT);
		struct update u;
		struct cur c;

		msg_make(&b, MSG_UPDATE, t[i].body);
		c = body_of(&b);
		assert_int_equal(
		    wire_update_parse(&c, &neg, &u, &arena), WIRE_RESET);
		assert_int_equal(u.err.code, NOTIF_UPDATE);
		assert_int_equal(u.err.sub, UPD_MALFORMED);
		assert_int_equal(u.err.len, 0);
		if (i > 0)
			assert_int_equal(u.err.at, t[i].at);
	}
}

static void
test_eor(void **state)
{
	/* clang-format off */
	static const struct {
		unsigned int opt; const char *w, *a, *n; enum fam want;
	} t[] = {
		{ EXT, "", "", "", FAM_INET },
		{ NO4, "", "", "", FAM_NONE },
		{ EXT, "", "80 0f 03 0002 01", "", FAM_INET6 },
		{ EXT, "", "90 0f 0003 0002 01", "", FAM_INET6 },
		{ EXT, "", "80 0f 03 0001 01", "", FAM_INET },
		{ NO6, "", "80 0f 03 0002 01", "", FAM_NONE },
		{ EXT, "", "80 0f 03 0001 02", "", FAM_NONE },
		{ EXT, "", "80 0f 04 0002 01 00", "", FAM_NONE },
		{ EXT, "08 0a", "", "", FAM_NONE },
		{ EXT, "08 0a", "80 0f 03 0002 01", "", FAM_NONE },
		{ EXT, "", "80 0f 03 0002 01 80 04 04 00000000", "", FAM_NONE },
		{ EXT, "", MUST NH, "", FAM_NONE },
		{ EXT, "", MUST NH, "08 0a", FAM_NONE },
	};
	/* clang-format on */

	for (size_t i = 0; i < sizeof t / sizeof t[0]; i++)
		assert_int_equal(
		    parse(t[i].opt, t[i].w, t[i].a, t[i].n).eor, t[i].want);
}

static void
test_not_negotiated(void **state)
{
	struct update u = parse(NO4, "08 0a", MUST NH, "08 0b");

	assert_int_equal(u.verdict, WIRE_OK);
	assert_true(u.unnegotiated);
	assert_int_equal(cur_left(&u.nlri), 0);
	assert_int_equal(cur_left(&u.withdrawn), 0);
	u = parse(NO6, "", "80 0f 08 0002 01 20 20010db8", "");
	assert_true(u.unnegotiated);
	assert_int_equal(cur_left(&u.mp_unreach), 0);
	assert_false(parse(EXT, "08 0a", MUST NH REACH6, "08 0b").unnegotiated);
}

static void
test_nlri(void **state)
{
	static const char *const want[] = { "0.0.0.0/0", "10.0.0.0/8",
		"10.160.0.0/11", "192.0.2.0/24", "192.0.2.1/32" };
	struct update u =
	    parse(EXT, "", MUST NH, "00 08 0a 0b 0abf 18 c00002 20 c0000201");
	char text[PFX_STRLEN];
	struct pfx p;

	for (size_t i = 0; i < 5; i++) {
		assert_true(wire_nlri_next(&u.nlri, FAM_INET, &p));
		assert_string_equal(pfx_print(&p, text, sizeof text), want[i]);
	}
	assert_false(wire_nlri_next(&u.nlri, FAM_INET, &p));
}

static void
test_nlri6(void **state)
{
	static const char *const want[] = { "2001:db8:fff8::/45",
		"2001:db8::1/128", "::/0" };
	struct update u = parse(EXT, "",
	    "80 0f 1c 0002 01 2d 20010db8ffff"
	    "80 20010db8000000000000000000000001 00",
	    "");
	char text[PFX_STRLEN];
	struct pfx p;

	assert_int_equal(u.verdict, WIRE_OK);
	for (size_t i = 0; i < 3; i++) {
		assert_true(
		    wire_nlri_next(&u.mp_unreach, u.mp_unreach_fam, &p));
		assert_string_equal(pfx_print(&p, text, sizeof text), want[i]);
	}
	assert_false(wire_nlri_next(&u.mp_unreach, u.mp_unreach_fam, &p));
}

/* ---- writing ---------------------------------------------------------- */

static uint8_t out[70000];
static struct bytes path, comms;

static void
octets_eq(struct octets a, struct octets b2)
{
	assert_int_equal(a.len, b2.len);
	if (a.len > 0)
		assert_memory_equal(a.p, b2.p, a.len);
}

/* Without the next hop, which may come from either attribute. */
static void
attrs_eq(const struct attrs *a, const struct attrs *c)
{
	uint32_t nh = 1u << HAS_NEXT_HOP;

	assert_int_equal(a->has & ~nh, c->has & ~nh);
	assert_int_equal(a->origin, c->origin);
	assert_int_equal(a->med, c->med);
	assert_int_equal(a->local_pref, c->local_pref);
	assert_int_equal(a->aggr_as, c->aggr_as);
	assert_true(addr_eq(&a->aggr_id, &c->aggr_id));
	assert_int_equal(a->originator_id, c->originator_id);
	assert_int_equal(a->otc, c->otc);
	octets_eq(a->as_path, c->as_path);
	octets_eq(a->comms, c->comms);
	octets_eq(a->ext_comms, c->ext_comms);
	octets_eq(a->large_comms, c->large_comms);
	octets_eq(a->cluster_list, c->cluster_list);
	octets_eq(a->unknown, c->unknown);
}

/* All that an attribute set can hold. */
static struct attrs
attrs_all(void)
{
	struct attrs a = { .med = 7,
		.local_pref = 200,
		.aggr_as = 70000,
		.originator_id = 0x0a000001,
		.otc = 65002,
		.origin = ORIGIN_INCOMPLETE };

	for (int h = 0; h <= HAS_PARTIAL_OTC; h++)
		if (h != HAS_NEXT_HOP)
			a.has |= 1u << h;
	a.aggr_id = addr_v4(0xc0000207);
	path.n = comms.n = 0;
	hex_add(&path, "0203 0000fdea 00011170 00000009");
	a.as_path = (struct octets){ path.p, (uint16_t)path.n };
	hex_add(&comms,
	    "fdea0001 fdea0002 00000000 00000000 00000000 00000001"
	    "e016 02 bbcc f017 0001 ee e063 00 e080 01 aa");
	a.comms = (struct octets){ comms.p, 8 };
	a.ext_comms = (struct octets){ comms.p, 16 };
	a.large_comms = (struct octets){ comms.p, 24 };
	a.cluster_list = (struct octets){ comms.p, 4 };
	a.unknown = (struct octets){ comms.p + 24, (uint16_t)(comms.n - 24) };
	return a;
}

/* The whole message, to the octet. */
static void
test_write_octets(void **state)
{
	struct wire_neg neg = { .as4 = true, .mp = { false, true, true } };
	struct attrs a = attrs_all();
	struct pfx p[2];
	struct wbuf w;

	assert_true(pfx_parse("10.0.0.0/8", &p[0]));
	assert_true(pfx_parse("192.0.2.0/24", &p[1]));
	a.nexthop = addr_v4(0xc0000201);
	a.has &= ~(1u << HAS_PARTIAL_COMMS);
	wbuf_init(&w, out, sizeof out);
	assert_int_equal(wire_update_write(&w, &neg, &a, FAM_INET, p, 2), 2);
	assert_hex(out, w.len,
	    "ffffffffffffffffffffffffffffffff 00b4 02"
	    "0000 0097 40 01 01 02 40 02 0e 0203 0000fdea 00011170 00000009"
	    "40 03 04 c0000201 80 04 04 00000007 40 05 04 000000c8 40 06 00"
	    "e0 07 08 00011170 c0000207 c0 08 08 fdea0001 fdea0002"
	    "80 09 04 0a000001 80 0a 04 fdea0001"
	    "e0 10 10 fdea0001 fdea0002 00000000 00000000"
	    "e0 16 02 bbcc f0 17 0001 ee"
	    "e0 20 18 fdea0001 fdea0002 00000000 00000000 00000000 00000001"
	    "e0 23 04 0000fdea e0 63 00 e0 80 01 aa"
	    "08 0a 18 c00002");
}

static void
test_write_as2(void **state)
{
	struct wire_neg neg = { .mp = { false, true, true } };
	struct attrs a = { .has = 1 << HAS_ORIGIN | 1 << HAS_AS_PATH |
		    1 << HAS_AGGREGATOR,
		.aggr_as = 70000 };
	struct pfx p;
	struct wbuf w;

	attrs_all();
	assert_true(pfx_parse("10.0.0.0/8", &p));
	a.aggr_id = addr_v4(0xc0000207);
	a.nexthop = addr_v4(0xc0000201);
	a.as_path = (struct octets){ path.p, (uint16_t)path.n };
	wbuf_init(&w, out, sizeof out);
	assert_int_equal(wire_update_write(&w, &neg, &a, FAM_INET, &p, 1), 1);
	assert_hex(out, w.len,
	    "ffffffffffffffffffffffffffffffff 0054 02"
	    "0000 003b 40 01 01 00 40 02 08 0203 fdea 5ba0 0009"
	    "40 03 04 c0000201 c0 07 06 5ba0 c0000207"
	    "c0 11 0e 0203 0000fdea 00011170 00000009"
	    "c0 12 08 00011170 c0000207 08 0a");
	/* Neither of the new ones where two octets suffice (RFC 6793 4.2.2). */
	path.p[7] = 0;
	a.aggr_as = 65002;
	wbuf_init(&w, out, sizeof out);
	assert_int_equal(wire_update_write(&w, &neg, &a, FAM_INET, &p, 1), 1);
	assert_hex(out + 27, w.len - 27,
	    "40 02 08 0203 fdea 1170 0009 40 03 04 c0000201"
	    "c0 07 06 fdea c0000207 08 0a");
}

/* MP_REACH_NLRI stands first (RFC 7606 5.1). */
static void
test_write_mp(void **state)
{
	struct wire_neg neg = { .as4 = true, .mp = { false, true, true } };
	struct attrs a = { .has = 1 << HAS_ORIGIN | 1 << HAS_AS_PATH };
	struct pfx p;
	struct wbuf w;

	assert_true(addr_parse("2001:db8::1", &a.nexthop));
	assert_true(pfx_parse("2001:db8::/32", &p));
	wbuf_init(&w, out, sizeof out);
	assert_int_equal(wire_update_write(&w, &neg, &a, FAM_INET6, &p, 1), 1);
	assert_hex(out, w.len,
	    "ffffffffffffffffffffffffffffffff 003c 02"
	    "0000 0025 90 0e 001a 0002 01 10"
	    "20010db8000000000000000000000001 00 20 20010db8"
	    "40 01 01 00 40 02 00");
	assert_true(addr_parse("fe80::1", &a.nexthop_ll));
	wbuf_init(&w, out, sizeof out);
	assert_int_equal(wire_update_write(&w, &neg, &a, FAM_INET6, &p, 1), 1);
	assert_hex(out + 25, 39,
	    "002a 0002 01 20"
	    "20010db8000000000000000000000001 fe800000000000000000000000000001"
	    "00");
	/* A next hop that is none of the family. */
	wbuf_init(&w, out, sizeof out);
	a.nexthop = addr_v4(0xc0000201);
	assert_int_equal(wire_update_write(&w, &neg, &a, FAM_INET6, &p, 1), 0);
	a.nexthop = (struct addr){ 0 };
	assert_int_equal(wire_update_write(&w, &neg, &a, FAM_INET, &p, 1), 0);
	assert_int_equal(w.len, 0);
}

static void
fill(struct pfx *p, size_t n, enum fam f)
{
	for (size_t i = 0; i < n; i++) {
		struct addr a = addr_v4(0x0a000000);

		if (f == FAM_INET6)
			assert_true(addr_parse("2001:db8::", &a));
		a.o[4 - (f == FAM_INET ? 2 : 0)] = (uint8_t)(i >> 8);
		a.o[5 - (f == FAM_INET ? 4 : 0)] = (uint8_t)i;
		assert_true(pfx_make(&p[i], &a,
		    (unsigned int)(f == FAM_INET ? 24 : 48) - i % 5));
	}
}

/* One message of the stream; its body. */
static struct cur
take(struct cur *in, bool ext)
{
	struct wire_err e;
	struct wire_hdr h;
	struct cur body;

	assert_int_equal(wire_frame(in, ext, &h, &body, &e), FRAME_MSG);
	assert_int_equal(h.type, MSG_UPDATE);
	assert_true(h.len <= (ext ? WIRE_MAX_EXT : WIRE_MAX));
	return body;
}

static size_t
same_pfxs(struct cur c, enum fam f, const struct pfx *p)
{
	struct pfx q;
	size_t n = 0;

	while (wire_nlri_next(&c, f, &q))
		assert_true(pfx_eq(&q, &p[n++]));
	return n;
}

/* Everything written parses to the same, on every kind of session. */
static void
round_trip(unsigned int bits, enum fam f)
{
	static struct pfx p[6000];
	struct wire_neg neg = { .as4 = bits & 1,
		.ext_tx = bits & 2,
		.ext_nexthop = true,
		.internal = true,
		.mp = { false, true, true } };
	struct attrs a = attrs_all();
	size_t done = 0, n = sizeof p / sizeof p[0];

	fill(p, n, f);
	if (f == FAM_INET && !(bits & 4))
		a.nexthop = addr_v4(0xc0000201);
	else
		assert_true(addr_parse("2001:db8::1", &a.nexthop));
	if (bits & 4)
		assert_true(addr_parse("fe80::1", &a.nexthop_ll));
	while (done < n) {
		struct update u;
		struct cur in, body;
		struct wbuf w;
		size_t k;

		wbuf_init(&w, out, sizeof out);
		k = wire_update_write(&w, &neg, &a, f, p + done, n - done);
		assert_true(k > 0 && !w.over);
		/* Full: not even a short prefix more. */
		if (done + k < n)
			assert_true(w.len + 7 >
			    (size_t)(neg.ext_tx ? WIRE_MAX_EXT : WIRE_MAX));
		cur_init(&in, out, w.len);
		body = take(&in, neg.ext_tx);
		arena_reset(&arena);
		assert_int_equal(
		    wire_update_parse(&body, &neg, &u, &arena), WIRE_OK);
		attrs_eq(&u.attrs, &a);
		if (a.nexthop.fam == FAM_INET) {
			assert_true(addr_eq(&u.attrs.nexthop, &a.nexthop));
			assert_int_equal(same_pfxs(u.nlri, f, p + done), k);
		} else {
			assert_true(addr_eq(&u.mp_nexthop, &a.nexthop));
			assert_true(addr_eq(&u.mp_nexthop_ll, &a.nexthop_ll));
			assert_int_equal(u.mp_reach_fam, f);
			assert_int_equal(same_pfxs(u.mp_reach, f, p + done), k);
		}
		done += k;
	}
}

static void
test_round_trip(void **state)
{
	for (unsigned int bits = 0; bits < 8; bits++) {
		round_trip(bits, FAM_INET);
		round_trip(bits, FAM_INET6);
	}
}

static void
test_withdraw(void **state)
{
	static struct pfx p[6000];

	for (unsigned int bits = 0; bits < 4; bits++) {
		enum fam f = bits & 1 ? FAM_INET6 : FAM_INET;
		struct wire_neg neg = { .as4 = true,
			.ext_tx = bits & 2,
			.mp = { false, true, true } };
		size_t done = 0, n = sizeof p / sizeof p[0], k;

		fill(p, n, f);
		for (; done < n; done += k) {
			struct update u;
			struct cur in, body;
			struct wbuf w;

			wbuf_init(&w, out, sizeof out);
			k = wire_withdraw_write(
			    &w, &neg, f, p + done, n - done);
			assert_true(k > 0 && !w.over);
			cur_init(&in, out, w.len);
			body = take(&in, neg.ext_tx);
			assert_int_equal(
			    wire_update_parse(&body, &neg, &u, &arena),
			    WIRE_OK);
			assert_int_equal(u.attrs.has, 0);
			assert_int_equal(u.eor, FAM_NONE);
			assert_int_equal(same_pfxs(f == FAM_INET ? u.withdrawn
								 : u.mp_unreach,
					     f, p + done),
			    k);
		}
	}
}

/* Several messages into one buffer till it is full; nothing half is left. */
static void
test_write_room(void **state)
{
	struct wire_neg neg = { .as4 = true, .mp = { false, true, true } };
	struct attrs a = attrs_all();
	struct pfx p;
	struct wbuf w;

	assert_true(pfx_parse("10.0.0.0/8", &p));
	for (int six = 0; six < 2; six++) {
		enum fam f = six ? FAM_INET6 : FAM_INET;

		a.nexthop = addr_v4(0xc0000201);
		if (six) {
			assert_true(addr_parse("2001:db8::1", &a.nexthop));
			assert_true(pfx_parse("2001:db8::/32", &p));
		}
		wbuf_init(&w, out, sizeof out);
		assert_int_equal(wire_update_write(&w, &neg, &a, f, &p, 1), 1);
		for (size_t room = 0; room < w.len; room++) {
			struct wbuf small;

			wbuf_init(&small, out + 1000, room);
			assert_int_equal(
			    wire_update_write(&small, &neg, &a, f, &p, 1), 0);
			assert_int_equal(small.len, 0);
			assert_int_equal(small.cap, room);
			assert_false(small.over);
		}
		wbuf_init(&w, out, 30);
		assert_int_equal(wire_update_write(&w, &neg, &a, f, &p, 0), 0);
	}
}

/* Prefixes never take the room of what comes behind them. */
static void
test_withdraw_room(void **state)
{
	struct wire_neg neg = { .as4 = true, .mp = { false, true, true } };
	struct pfx p[4];

	for (unsigned int six = 0; six < 2; six++) {
		enum fam f = six ? FAM_INET6 : FAM_INET;
		size_t head = six ? 30 : 23, one = six ? 7 : 4;

		for (size_t i = 0; i < 4; i++)
			assert_true(pfx_parse(
			    six ? "2001:db8:1::/48" : "192.0.2.0/24", &p[i]));
		for (size_t room = 0; room < head + 5 * one; room++) {
			size_t want =
			    room < head + one ? 0 : (room - head) / one;
			struct wbuf w;

			wbuf_init(&w, out, room);
			assert_int_equal(wire_withdraw_write(&w, &neg, f, p, 4),
			    want < 4 ? want : 4);
			assert_false(w.over);
			assert_int_equal(w.len,
			    want == 0 ? 0 : head + (want < 4 ? want : 4) * one);
		}
	}
}

static void
test_write_eor(void **state)
{
	struct wbuf w;

	wbuf_init(&w, out, sizeof out);
	wire_eor_write(&w, FAM_INET);
	assert_hex(
	    out, w.len, "ffffffffffffffffffffffffffffffff 0017 02 0000 0000");
	wbuf_init(&w, out, sizeof out);
	wire_eor_write(&w, FAM_INET6);
	assert_hex(out, w.len,
	    "ffffffffffffffffffffffffffffffff 001e 02"
	    "0000 0007 90 0f 0003 0002 01");
}

static int
setup(void **state)
{
	arena_init(&arena);
	return 0;
}

static int
teardown(void **state)
{
	arena_fini(&arena);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_missing_data),
		cmocka_unit_test(test_sections),
		cmocka_unit_test(test_eor),
		cmocka_unit_test(test_not_negotiated),
		cmocka_unit_test(test_nlri),
		cmocka_unit_test(test_nlri6),
		cmocka_unit_test(test_write_octets),
		cmocka_unit_test(test_write_as2),
		cmocka_unit_test(test_write_mp),
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_withdraw),
		cmocka_unit_test(test_write_room),
		cmocka_unit_test(test_withdraw_room),
		cmocka_unit_test(test_write_eor),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
