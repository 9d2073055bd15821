/* test_negotiate.c -- pairs of OPENs: what is agreed, what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "bgpd/fsm/negotiate.h"

/* One side of the pair; a case changes what it is about. */
struct pair {
	struct neg_want want;
	struct wire_open peer;
	bool no_caps; /* our OPEN goes without */
};

static void
usual(struct pair *p)
{
	*p = (struct pair){
		.want = {
			.local_as = 52580, .peer_as = 64500,
			.id = 0x0a000001, .hold_s = 90, .hold_min_s = 9,
			.fam = { [FAM_INET] = true, [FAM_INET6] = true },
			.refresh = true, .enhanced_refresh = true,
			.as4 = true, .role = ROLE_NONE,
			.gr = true, .gr_notification = true, .gr_time_s = 120,
		},
		.peer = {
			.version = 4, .my_as = 64500, .as = 64500,
			.hold_s = 180, .id = 0x0a000002,
			.caps = {
				.any = true, .mp_there = true,
				.mp = { [FAM_INET] = true, [FAM_INET6] = true },
				.refresh = true, .as4 = true, .as4_as = 64500,
				.role = ROLE_NONE,
			},
		},
	};
}

static enum wire_verdict
talk(const struct pair *p, struct negotiated *n, struct wire_err *err)
{
	struct wire_open sent;

	memset(n, 0xee, sizeof(*n));
	memset(err, 0xee, sizeof(*err));
	negotiate_open(&p->want, p->no_caps, &sent);
	return negotiate(&p->want, &sent, &p->peer, n, err);
}

/* ---- refusals: one change to the usual pair each ---- */

static void
as_other(struct pair *p)
{
	p->peer.as = p->peer.caps.as4_as = 64501;
}
static void
as_other_hold_low(struct pair *p)
{
	as_other(p);
	p->peer.hold_s = 3;
}
static void
hold_zero(struct pair *p)
{
	p->peer.hold_s = 0;
}
static void
hold_low(struct pair *p)
{
	p->peer.hold_s = 8;
}
static void
hold_low_id_ours(struct pair *p)
{
	p->want.peer_as = p->peer.as = 52580;
	p->peer.id = p->want.id;
	p->peer.hold_s = 8;
}
static void
id_ours_internal(struct pair *p)
{
	hold_low_id_ours(p);
	p->peer.hold_s = 90;
	p->peer.caps.mp[FAM_INET] = p->peer.caps.mp[FAM_INET6] = false;
}
static void
role_two(struct pair *p)
{
	p->want.role = ROLE_PEER;
	p->peer.caps.role_there = p->peer.caps.role_conflict = true;
	p->peer.caps.role = ROLE_PEER;
}
static void
role_undefined(struct pair *p)
{
	p->want.role = ROLE_PEER;
	p->peer.caps.role_there = true;
	p->peer.caps.role = 5;
}
static void
role_strict(struct pair *p)
{
	p->want.role = ROLE_CUSTOMER;
	p->want.role_strict = true;
}
static void
role_before_family(struct pair *p)
{
	role_strict(p);
	p->want.fam[FAM_INET] = false;
	p->peer.caps.mp[FAM_INET6] = false;
}
static void
no_family(struct pair *p)
{
	p->want.fam[FAM_INET] = false;
	p->peer.caps.mp[FAM_INET6] = false;
}
static void
no_family_without_caps(struct pair *p)
{
	p->want.fam[FAM_INET] = false;
	p->peer.caps = (struct wire_caps){ .role = ROLE_NONE };
}
static void
no_family_foreign(struct pair *p)
{
	/* L2VPN only: that is no IPv4 unicast */
	p->want.fam[FAM_INET6] = false;
	p->peer.caps.mp[FAM_INET] = p->peer.caps.mp[FAM_INET6] = false;
}
static void
no_family_fallback(struct pair *p)
{
	/* Our OPEN without capabilities offered IPv4 only. */
	p->no_caps = true;
	p->want.fam[FAM_INET] = false;
}
static void
no_family_need_gr(struct pair *p)
{
	no_family(p);
	p->want.require = 1u << REQ_GR;
}
static void
need_all(struct pair *p)
{
	p->want.require = (1u << (REQ_EXT_NEXTHOP + 1)) - 1;
	p->want.role = ROLE_PEER;
	p->peer.caps = (struct wire_caps){ .role = ROLE_NONE };
}
static void
need_refresh_inet6(struct pair *p)
{
	p->want.require = 1u << REQ_REFRESH | 1u << REQ_INET6;
	p->peer.caps.refresh = false;
	p->peer.caps.mp[FAM_INET6] = false;
}
static void
need_role(struct pair *p)
{
	p->want.require = 1u << REQ_ROLE;
	p->want.role = ROLE_CUSTOMER;
}
static void
need_enhanced(struct pair *p)
{
	p->want.require = 1u << REQ_ENHANCED_REFRESH;
}
static void
need_gr(struct pair *p)
{
	p->want.require = 1u << REQ_GR;
	p->want.fam[FAM_INET6] = false;
}
static void
need_ext_msg(struct pair *p)
{
	p->want.require = 1u << REQ_EXT_MSG;
}
static void
need_inet(struct pair *p)
{
	p->want.require = 1u << REQ_INET;
	p->peer.caps.mp[FAM_INET] = false;
}

#define MP4 "\x01\x04\x00\x01\x00\x01"
#define MP6 "\x01\x04\x00\x02\x00\x01"
#define DATA(s) (s), sizeof(s) - 1

/* clang-format off */
static const struct {
	void (*change)(struct pair *);
	uint8_t sub;
	size_t at;
	const char *data;
	size_t len;
	const char *why; /* a word of it */
} refused[] = {
	{ as_other, 2, 20, DATA(""), "AS" },
	{ as_other_hold_low, 2, 20, DATA(""), "AS" },
	{ hold_zero, 6, 22, DATA(""), "no hold time" },
	{ hold_low, 6, 22, DATA(""), "below" },
	{ hold_low_id_ours, 6, 22, DATA(""), "below" },
	{ id_ours_internal, 3, 24, DATA(""), "identifier" },
	{ role_two, 11, 28, DATA(""), "two different roles" },
	{ role_undefined, 11, 28, DATA(""), "not defined" },
	{ role_strict, 11, 28, DATA(""), "strict" },
	{ role_before_family, 11, 28, DATA(""), "strict" },
	{ no_family, 7, 28, DATA(MP6), "no address family" },
	{ no_family_without_caps, 7, 28, DATA(MP6), "no address family" },
	{ no_family_foreign, 7, 28, DATA(MP4), "no address family" },
	{ no_family_fallback, 7, 28, DATA(MP6), "no address family" },
	{ need_all, 7, 28, DATA(MP6 "\x02\x00" "\x05\x06\x00\x01\x00\x01\x00\x02"
		"\x06\x00" "\x09\x01\x04"
		"\x40\x0a\x00\x78\x00\x01\x01\x00\x00\x02\x01\x00"
		"\x41\x04\x00\x00\xcd\x64" "\x46\x00"),
		"the peer lacks required capabilities: 4-octet AS number, route "
		"refresh, enhanced route refresh, BGP role, graceful restart, "
		"extended messages, IPv6 unicast, extended next hop" },
	{ need_refresh_inet6, 7, 28, DATA(MP6 "\x02\x00"),
		"capabilities: route refresh, IPv6 unicast" },
	{ no_family_need_gr, 7, 28, DATA(MP6 "\x40\x06\x00\x78\x00\x02\x01\x00"),
		"no address family in common; the peer lacks required capabilities: graceful restart" },
	{ need_role, 7, 28, DATA("\x09\x01\x03"), "BGP role" },
	{ need_enhanced, 7, 28, DATA("\x46\x00"), "enhanced route refresh" },
	{ need_gr, 7, 28, DATA("\x40\x06\x00\x78\x00\x01\x01\x00"), "graceful" },
	{ need_ext_msg, 7, 28, DATA("\x06\x00"), "extended messages" },
	{ need_inet, 7, 28, DATA(MP4), "IPv4 unicast" },
};
/* clang-format on */

static void
refusals(void **state)
{
	size_t i;

	for (i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		struct negotiated n;
		struct wire_err err;
		struct pair p;

		usual(&p);
		refused[i].change(&p);
		if (talk(&p, &n, &err) != WIRE_RESET)
			fail_msg("case %zu was not refused", i);
		assert_int_equal(err.verdict, WIRE_RESET);
		assert_int_equal(err.code, NOTIF_OPEN);
		if (err.sub != refused[i].sub || err.at != refused[i].at ||
		    strstr(err.why, refused[i].why) == NULL)
			fail_msg("case %zu: 2/%u at %zu: %s", i, err.sub,
			    err.at, err.why);
		assert_non_null(strstr(err.rfc, "RFC "));
		assert_null(err.data);
		if (err.len != refused[i].len ||
		    memcmp(err.buf, refused[i].data, err.len) != 0)
			fail_msg("case %zu: data of %zu octets", i, err.len);
	}
}

/* ---- what passes ---- */

static void
plain(void **state)
{
	struct negotiated n;
	struct wire_err err;
	struct pair p;

	usual(&p);
	assert_int_equal(talk(&p, &n, &err), WIRE_OK);
	assert_true(n.wire.mp[FAM_INET] && n.wire.mp[FAM_INET6]);
	assert_true(n.wire.as4 && n.refresh);
	assert_false(n.enhanced_refresh || n.wire.ext_rx || n.wire.ext_tx ||
	    n.wire.ext_nexthop || n.wire.internal || n.wire.allow_as_set ||
	    n.gr || n.gr_notification);
	assert_false(n.wire.mp[FAM_NONE] || n.wire.addpath_rx[FAM_INET]);
	assert_int_equal(n.hold_s, 90);
	assert_int_equal(n.keepalive_s, 30);
	assert_int_equal(n.local_role, ROLE_NONE);
	assert_int_equal(n.remote_role, ROLE_NONE);
}

static void
hold_times(void **state)
{
	static const struct {
		uint16_t ours, least, theirs, hold, keepalive;
	} t[] = {
		{ 90, 9, 180, 90, 30 },
		{ 90, 9, 30, 30, 10 },
		{ 90, 9, 9, 9, 3 },
		{ 90, 3, 3, 3, 1 },
		{ 90, 0, 5, 5, 1 },
		{ 1, 0, 90, 1, 1 },
		{ 90, 0, 0, 0, 0 },
		{ 0, 0, 90, 0, 0 },
		{ 65535, 3, 65535, 65535, 21845 },
	};
	struct negotiated n;
	struct wire_err err;
	struct pair p;
	size_t i;

	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		usual(&p);
		p.want.hold_s = t[i].ours;
		p.want.hold_min_s = t[i].least;
		p.peer.hold_s = t[i].theirs;
		assert_int_equal(talk(&p, &n, &err), WIRE_OK);
		assert_int_equal(n.hold_s, t[i].hold);
		assert_int_equal(n.keepalive_s, t[i].keepalive);
	}
}

/* An old peer: no capability at all (RFC 4760 8, RFC 6793 4.2). */
static void
old_peer(void **state)
{
	struct negotiated n;
	struct wire_err err;
	struct pair p;

	usual(&p);
	p.peer.caps = (struct wire_caps){ .role = ROLE_NONE };
	assert_int_equal(talk(&p, &n, &err), WIRE_OK);
	assert_true(n.wire.mp[FAM_INET]);
	assert_false(n.wire.mp[FAM_INET6] || n.wire.as4 || n.refresh);

	/* Capabilities, but no Multiprotocol among them: the same. */
	p.peer.caps.any = p.peer.caps.refresh = true;
	assert_int_equal(talk(&p, &n, &err), WIRE_OK);
	assert_true(n.wire.mp[FAM_INET] && n.refresh);
	assert_false(n.wire.mp[FAM_INET6]);

	/* A family that only the peer has, or only we, is not agreed on. */
	usual(&p);
	p.want.fam[FAM_INET] = false;
	assert_int_equal(talk(&p, &n, &err), WIRE_OK);
	assert_true(n.wire.mp[FAM_INET6] && !n.wire.mp[FAM_INET]);
	usual(&p);
	p.peer.caps.mp[FAM_INET] = false;
	assert_int_equal(talk(&p, &n, &err), WIRE_OK);
	assert_true(n.wire.mp[FAM_INET6] && !n.wire.mp[FAM_INET]);
}

/* After 2/4: what we did not send is not agreed on. */
static void
without_caps(void **state)
{
	struct negotiated n;
	struct wire_err err;
	struct pair p;

	usual(&p);
	p.no_caps = true;
	p.want.ext_msg = p.peer.caps.ext_msg = true;
	p.peer.caps.gr = true;
	assert_int_equal(talk(&p, &n, &err), WIRE_OK);
	assert_true(n.wire.mp[FAM_INET]);
	assert_false(
	    n.wire.mp[FAM_INET6] || n.wire.as4 || n.wire.ext_rx || n.gr);
}

static void
as_numbers(void **state)
{
	struct negotiated n;
	struct wire_err err;
	struct wire_open o;
	struct pair p;

	/* Theirs does not fit into two octets. */
	usual(&p);
	p.want.peer_as = p.peer.as = p.peer.caps.as4_as = 4200000001;
	p.peer.my_as = WIRE_AS_TRANS;
	assert_int_equal(talk(&p, &n, &err), WIRE_OK);
	assert_true(n.wire.as4);

	/* Ours does not. */
	p.want.local_as = 4200000001;
	negotiate_open(&p.want, false, &o);
	assert_int_equal(o.my_as, WIRE_AS_TRANS);
	assert_int_equal(o.as, 4200000001);
	assert_int_equal(o.caps.as4_as, 4200000001);
	assert_int_equal(talk(&p, &n, &err), WIRE_OK);
	assert_true(n.wire.internal);

	/* The 4-octet number must be equal, not its lower half. */
	usual(&p);
	p.peer.as = p.peer.caps.as4_as = 64500 + (1u << 16);
	assert_int_equal(talk(&p, &n, &err), WIRE_RESET);
	assert_int_equal(err.sub, OPEN_BAD_AS);
}

/* RFC 6286: any number, equal ones too, on an external session. */
static void
identifiers(void **state)
{
	static const uint32_t id[] = { 0xe0000001, 0xffffffff, 0x7f000001, 1,
		0x0a000001 };
	struct negotiated n;
	struct wire_err err;
	struct pair p;
	size_t i;

	for (i = 0; i < sizeof(id) / sizeof(id[0]); i++) {
		usual(&p);
		p.peer.id = id[i];
		assert_int_equal(talk(&p, &n, &err), WIRE_OK);
	}
}

/* RFC 9234 4.2, table 2: every pair of roles. */
static void
roles(void **state)
{
	struct negotiated n;
	struct wire_err err;
	struct pair p;
	uint8_t a, b;

	for (a = ROLE_PROVIDER; a <= ROLE_PEER; a++) {
		for (b = ROLE_PROVIDER; b <= ROLE_PEER; b++) {
			bool ok = (a == ROLE_PEER && b == ROLE_PEER) ||
			    (a == ROLE_PROVIDER && b == ROLE_CUSTOMER) ||
			    (a == ROLE_CUSTOMER && b == ROLE_PROVIDER) ||
			    (a == ROLE_RS && b == ROLE_RS_CLIENT) ||
			    (a == ROLE_RS_CLIENT && b == ROLE_RS);

			usual(&p);
			p.want.role = a;
			p.peer.caps.role_there = true;
			p.peer.caps.role = b;
			if ((talk(&p, &n, &err) == WIRE_OK) != ok)
				fail_msg("roles %u and %u", a, b);
			if (!ok) {
				assert_int_equal(err.sub, OPEN_ROLE_MISMATCH);
				continue;
			}
			assert_int_equal(n.local_role, a);
			assert_int_equal(n.remote_role, b);
		}
	}
}

static void
roles_ignored(void **state)
{
	struct negotiated n;
	struct wire_err err;
	struct wire_open o;
	struct pair p;

	/* Not sent, not strict: ours counts. */
	usual(&p);
	p.want.role = ROLE_CUSTOMER;
	assert_int_equal(talk(&p, &n, &err), WIRE_OK);
	assert_int_equal(n.local_role, ROLE_CUSTOMER);
	assert_int_equal(n.remote_role, ROLE_NONE);
	/* None configured here. */
	usual(&p);
	p.peer.caps.role_there = true;
	p.peer.caps.role = 77;
	assert_int_equal(talk(&p, &n, &err), WIRE_OK);
	assert_int_equal(n.local_role, ROLE_NONE);
	/* An internal session has none, strict or not, required or not. */
	usual(&p);
	p.want.peer_as = p.peer.as = p.peer.caps.as4_as = 52580;
	p.want.role = ROLE_PEER;
	p.want.role_strict = true;
	p.want.require = 1u << REQ_ROLE;
	negotiate_open(&p.want, false, &o);
	assert_false(o.caps.role_there);
	assert_int_equal(talk(&p, &n, &err), WIRE_OK);
	assert_int_equal(n.local_role, ROLE_NONE);
	assert_true(n.wire.internal);
}

/* RFC 8654 4: each direction is its receiver's. */
static void
extended_messages(void **state)
{
	struct negotiated n;
	struct wire_err err;
	struct pair p;
	unsigned int i;

	for (i = 0; i < 4; i++) {
		usual(&p);
		p.want.ext_msg = i & 1;
		p.peer.caps.ext_msg = i & 2;
		assert_int_equal(talk(&p, &n, &err), WIRE_OK);
		assert_int_equal(n.wire.ext_rx, (i & 1) != 0);
		assert_int_equal(n.wire.ext_tx, i == 3);
	}
}

static void
graceful_restart(void **state)
{
	struct negotiated n;
	struct wire_err err;
	struct wire_open o;
	struct pair p;

	usual(&p);
	p.want.gr_restarting = true;
	p.want.gr_fwd[FAM_INET] = true;
	negotiate_open(&p.want, false, &o);
	assert_true(o.caps.gr && o.caps.gr_restart && o.caps.gr_notification);
	assert_true(o.caps.gr_fwd[FAM_INET] && !o.caps.gr_fwd[FAM_INET6]);
	assert_true(o.caps.gr_fam[FAM_INET] && o.caps.gr_fam[FAM_INET6]);
	assert_int_equal(o.caps.gr_time_s, 120);

	p.peer.caps.gr = p.peer.caps.gr_restart = true;
	p.peer.caps.gr_time_s = 77;
	p.peer.caps.gr_fam[FAM_INET] = p.peer.caps.gr_fwd[FAM_INET] = true;
	p.peer.caps.gr_fam[FAM_INET6] = true;
	p.peer.caps.mp[FAM_INET6] = false;
	assert_int_equal(talk(&p, &n, &err), WIRE_OK);
	assert_true(n.gr && n.gr_peer_restarting && !n.gr_notification);
	assert_int_equal(n.gr_peer_time_s, 77);
	assert_true(n.gr_peer_fam[FAM_INET] && n.gr_peer_fwd[FAM_INET]);
	/* Not a family of this session. */
	assert_false(n.gr_peer_fam[FAM_INET6]);
	p.peer.caps.gr_notification = true;
	assert_int_equal(talk(&p, &n, &err), WIRE_OK);
	assert_true(n.gr_notification);
	p.want.gr = false;
	assert_int_equal(talk(&p, &n, &err), WIRE_OK);
	assert_false(n.gr || n.gr_peer_restarting || n.gr_peer_fam[FAM_INET]);
}

/* What we send, as octets. */
static void
our_open(void **state)
{
	static const uint8_t with[] = { /* version, AS, hold, identifier */
		4, 0xcd, 0x64, 0, 90, 10, 0, 0, 1, 36, 2, 34, 1, 4, 0, 1, 0, 1,
		1, 4, 0, 2, 0, 1, 2, 0, 64, 10, 0x40, 120, 0, 1, 1, 0, 0, 2, 1,
		0, 65, 4, 0, 0, 0xcd, 0x64, 70, 0
	};
	static const uint8_t without[] = { 4, 0xcd, 0x64, 0, 90, 10, 0, 0, 1,
		0 };
	uint8_t buf[256];
	struct wire_open o;
	struct wbuf b;
	struct pair p;

	usual(&p);
	negotiate_open(&p.want, false, &o);
	wbuf_init(&b, buf, sizeof(buf));
	wire_open_write(&b, &o);
	assert_int_equal(b.len, WIRE_HDR_LEN + sizeof(with));
	assert_memory_equal(buf + WIRE_HDR_LEN, with, sizeof(with));

	negotiate_open(&p.want, true, &o);
	wbuf_init(&b, buf, sizeof(buf));
	wire_open_write(&b, &o);
	assert_int_equal(b.len, WIRE_HDR_LEN + sizeof(without));
	assert_memory_equal(buf + WIRE_HDR_LEN, without, sizeof(without));
}

/* RFC 4760 8: another family's Multiprotocol capability is one. */
static void
foreign_family(void **state)
{
	static const uint8_t body[] = { 4, 0xfb, 0xf4, 0, 90, 10, 0, 0, 2, 8, 2,
		6, 1, 4, 0, 25, 0, 70 };
	struct negotiated n;
	struct wire_err err;
	struct pair p;
	struct cur c;

	usual(&p);
	cur_init(&c, body, sizeof(body));
	assert_int_equal(wire_open_parse(&c, &p.peer, &err), WIRE_OK);
	assert_int_equal(talk(&p, &n, &err), WIRE_RESET);
	assert_int_equal(err.sub, OPEN_BAD_CAP);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refusals),
		cmocka_unit_test(plain),
		cmocka_unit_test(hold_times),
		cmocka_unit_test(old_peer),
		cmocka_unit_test(without_caps),
		cmocka_unit_test(as_numbers),
		cmocka_unit_test(identifiers),
		cmocka_unit_test(roles),
		cmocka_unit_test(roles_ignored),
		cmocka_unit_test(extended_messages),
		cmocka_unit_test(graceful_restart),
		cmocka_unit_test(our_open),
		cmocka_unit_test(foreign_family),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
