/*
 * fuzz_open.c -- any octets as the body of an OPEN.  What is taken must be
 * printable, survive being written, and negotiate to a session or to a
 * NOTIFICATION.  The first octet chooses what we want of the peer.
 */
#include "bgpd/fsm/negotiate.h"
#include "tests/fuzz/wire_check.h"

/*
 * Written, read and written again: the same octets, so nothing of what is
 * written gets lost.  (Octets, because a struct has padding.)
 */
static void
again(const struct wire_open *o)
{
	uint8_t one[512], two[512], *exact;
	struct wire_open back;
	struct wire_err e;
	struct wbuf w, v;
	struct cur c;
	size_t n;

	wbuf_init(&w, one, sizeof one);
	wire_open_write(&w, o);
	MUST(!w.over && w.len <= 29 + 255);
	n = w.len - (size_t)WIRE_HDR_LEN;
	exact = msg_new(MSG_OPEN, one + WIRE_HDR_LEN, n);
	MUST(memcmp(exact, one, w.len) == 0);
	cur_init(&c, exact + WIRE_HDR_LEN, n);
	MUST(wire_open_parse(&c, &back, &e) == WIRE_OK);
	MUST(back.as == o->as && back.caps.bad == 0 && back.caps.unknown == 0);
	/* What it could was not known to us: then nothing is said. */
	back.caps.any = o->caps.any;
	wbuf_init(&v, two, sizeof two);
	wire_open_write(&v, &back);
	MUST(v.len == w.len && memcmp(one, two, w.len) == 0);
	free(exact);
}

static void
meet(const struct wire_open *o, uint8_t opt, const uint8_t *msg, size_t len)
{
	struct neg_want want = { .local_as = 65001,
		.peer_as = opt & 1 ? o->as : 65002,
		.id = 0xc0000201,
		.hold_s = 90,
		.hold_min_s = opt & 2 ? 0 : 3,
		.fam = { false, true, opt & 4 },
		.refresh = true,
		.enhanced_refresh = true,
		.ext_msg = opt & 8,
		.as4 = true,
		.ext_nexthop = opt & 16,
		.role_strict = opt & 32,
		.role = opt & 64 ? ROLE_PEER : ROLE_NONE,
		.gr = opt & 128,
		.gr_notification = true,
		.gr_time_s = 120 };
	struct negotiated n;
	struct wire_open sent;
	struct wire_err e;

	memset(&e, 0, sizeof e);
	negotiate_open(&want, false, &sent);
	if (negotiate(&want, &sent, o, &n, &e) != WIRE_OK) {
		MUST(e.verdict == WIRE_RESET && e.code == NOTIF_OPEN);
		MUST(e.why != NULL);
		return;
	}
	MUST(n.wire.mp[FAM_INET] || n.wire.mp[FAM_INET6]);
	MUST(n.hold_s == 0 || n.hold_s >= 3);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct wire_open o;
	struct wire_err e;
	uint8_t *msg;
	struct cur c;
	size_t len;

	if (size < 1 || size > WIRE_MAX)
		return 0;
	len = WIRE_HDR_LEN + size - 1;
	msg = msg_new(MSG_OPEN, data + 1, size - 1);
	cur_init(&c, msg + WIRE_HDR_LEN, size - 1);
	if (wire_open_parse(&c, &o, &e) == WIRE_OK) {
		MUST(o.as != 0 && o.id != 0 && o.version == 4);
		again(&o);
		meet(&o, data[0], msg, len);
	} else
		check_err(&e, msg, len);
	check_dump(msg, len, NULL);
	free(msg);
	return 0;
}
