/*
 * fuzz_update.c -- any octets as the body of an UPDATE, under the options of
 * the first octet.  What is taken is written and must parse to the same.
 */
#include "tests/fuzz/wire_check.h"

static bool
octets_eq(struct octets a, struct octets b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.p, b.p, a.len) == 0);
}

static void
attrs_eq(const struct attrs *a, const struct attrs *b)
{
	uint32_t nh = 1u << HAS_NEXT_HOP;

	MUST((a->has & ~nh) == (b->has & ~nh));
	MUST(a->origin == b->origin);
	MUST(a->med == b->med);
	MUST(a->local_pref == b->local_pref);
	MUST(a->aggr_as == b->aggr_as);
	MUST(addr_eq(&a->aggr_id, &b->aggr_id));
	MUST(a->originator_id == b->originator_id);
	MUST(a->otc == b->otc);
	MUST(octets_eq(a->as_path, b->as_path));
	MUST(octets_eq(a->comms, b->comms));
	MUST(octets_eq(a->ext_comms, b->ext_comms));
	MUST(octets_eq(a->large_comms, b->large_comms));
	MUST(octets_eq(a->cluster_list, b->cluster_list));
	MUST(octets_eq(a->unknown, b->unknown));
}

/* All prefixes of a list; they are masked and as long as they may be. */
static size_t
pfxs(struct cur c, enum fam f, struct pfx **out)
{
	struct pfx p, again;
	size_t n = 0;

	*out = calloc(cur_left(&c) + 1, sizeof p);
	MUST(*out != NULL);
	while (wire_nlri_next(&c, f, &p)) {
		MUST(p.addr.fam == f && p.len <= fam_bits(f));
		MUST(pfx_make(&again, &p.addr, p.len) && pfx_eq(&again, &p));
		(*out)[n++] = p;
	}
	MUST(cur_left(&c) == 0);
	return n;
}

/* What was written: one message, of the same attributes and prefixes. */
static void
read_back(const struct wbuf *w, const struct wire_neg *neg,
    const struct attrs *a, enum fam f, const struct pfx *p, size_t n)
{
	uint8_t *exact = malloc(w->len);
	struct arena arena;
	struct update u;
	struct wire_err e;
	struct wire_hdr h;
	struct cur in, body;
	struct pfx *q;

	MUST(exact != NULL);
	memcpy(exact, w->p, w->len);
	arena_init(&arena);
	cur_init(&in, exact, w->len);
	MUST(wire_frame(&in, neg->ext_tx, &h, &body, &e) == FRAME_MSG);
	MUST(cur_left(&in) == 0 && h.type == MSG_UPDATE);
	MUST(wire_update_parse(&body, neg, &u, &arena) == WIRE_OK);
	attrs_eq(&u.attrs, a);
	if (cur_left(&u.nlri) > 0) {
		MUST(addr_eq(&u.attrs.nexthop, &a->nexthop));
		MUST(pfxs(u.nlri, FAM_INET, &q) == n && f == FAM_INET);
	} else {
		MUST(addr_eq(&u.mp_nexthop, &a->nexthop));
		MUST(addr_eq(&u.mp_nexthop_ll, &a->nexthop_ll));
		MUST(u.mp_reach_fam == f);
		MUST(pfxs(u.mp_reach, f, &q) == n);
	}
	for (size_t i = 0; i < n; i++)
		MUST(pfx_eq(&p[i], &q[i]));
	free(q);
	arena_fini(&arena);
	free(exact);
}

static void
write_back(const struct wire_neg *neg, const struct attrs *a, enum fam f,
    struct cur list)
{
	static uint8_t buf[WIRE_MAX_EXT];
	size_t n, done = 0, k;
	struct pfx *p;
	struct wbuf w;

	n = pfxs(list, f, &p);
	while (done < n) {
		wbuf_init(&w, buf, sizeof buf);
		k = wire_update_write(&w, neg, a, f, p + done, n - done);
		MUST(!w.over && k <= n - done);
		if (k == 0) { /* AS4_PATH may have made it too long */
			MUST(w.len == 0);
			break;
		}
		read_back(&w, neg, a, f, p + done, k);
		done += k;
	}
	free(p);
}

static void
withdraw_back(const struct wire_neg *neg, enum fam f, struct cur list)
{
	static uint8_t buf[WIRE_MAX_EXT];
	size_t n, done = 0, k;
	struct pfx *p;
	struct wbuf w;

	n = pfxs(list, f, &p);
	for (; done < n; done += k) {
		wbuf_init(&w, buf, sizeof buf);
		k = wire_withdraw_write(&w, neg, f, p + done, n - done);
		MUST(k > 0 && !w.over && w.len <= sizeof buf);
	}
	free(p);
}

static void
good(const struct update *u, const struct wire_neg *neg)
{
	struct attrs mp = u->attrs;
	uint32_t as;
	uint8_t type;
	size_t pos = 0, n = 0;

	while (aspath_next(u->attrs.as_path, &pos, &as, &type)) {
		MUST(as != 0 && (type == SEG_SEQUENCE || type == SEG_SET));
		n++;
	}
	MUST(n >= aspath_length(u->attrs.as_path));
	write_back(neg, &u->attrs, FAM_INET, u->nlri);
	mp.nexthop = u->mp_nexthop;
	mp.nexthop_ll = u->mp_nexthop_ll;
	/* IPv4 with an IPv4 next hop goes to the NLRI field: no second one. */
	if (u->mp_reach_fam != FAM_NONE)
		write_back(neg, &mp, u->mp_reach_fam, u->mp_reach);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct wire_neg neg;
	struct arena arena;
	struct update u;
	struct cur body;
	uint8_t *msg;
	size_t len;

	if (size < 5 || size > WIRE_MAX_EXT - 100)
		return 0;
	neg = (struct wire_neg){ .as4 = !(data[0] & 1),
		.internal = data[0] & 2,
		.ext_rx = data[0] & 4,
		.ext_tx = data[0] & 4,
		.allow_as_set = data[0] & 8,
		.mp = { false, !(data[0] & 16), !(data[0] & 32) },
		.ext_nexthop = data[0] & 64 };
	len = WIRE_HDR_LEN + size - 1;
	msg = msg_new(MSG_UPDATE, data + 1, size - 1);
	arena_init(&arena);
	cur_init(&body, msg + WIRE_HDR_LEN, size - 1);
	MUST(wire_update_parse(&body, &neg, &u, &arena) == u.verdict);
	if (u.verdict != WIRE_OK)
		check_err(&u.err, msg, len);
	if (u.verdict != WIRE_RESET) {
		withdraw_back(&neg, FAM_INET, u.withdrawn);
		withdraw_back(&neg, FAM_INET, u.nlri);
		withdraw_back(&neg, u.mp_unreach_fam, u.mp_unreach);
		withdraw_back(&neg, u.mp_reach_fam, u.mp_reach);
	}
	if (u.verdict < WIRE_WITHDRAW)
		good(&u, &neg);
	if (len < 2000)
		check_dump(msg, len, &neg);
	arena_fini(&arena);
	free(msg);
	return 0;
}
