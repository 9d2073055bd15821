/* Each fence of ana-fibd: what is permitted passes, its neighbor does not. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "platform/fibd/fibd_check.h"
#include "tests/unit/text.h"

static struct fibd_fences fences;
static char text[FIBD_TEXT];

static struct fibd_addr
raw(const char *s, unsigned int len)
{
	struct addr a = A(s);
	struct fibd_addr r = { .fam = a.fam, .len = (uint8_t)len };

	memcpy(r.o, a.o, sizeof r.o);
	return r;
}

static int
init(void **state)
{
	fibd_fences_init(&fences);
	fences.table[fences.ntable++] = 254;
	fences.netns = 4711;
	text[0] = '\0';
	return 0;
}

static int
route(const char *s)
{
	struct pfx p = P(s);

	return fibd_check_route(&fences, &p, p.addr.fam, true, 0, text);
}

static void
test_default_route(void **state)
{
	assert_int_equal(route("0.0.0.0/0"), EPERM);
	assert_non_null(strstr(text, "default"));
	assert_int_equal(route("::/0"), EPERM);
	assert_non_null(strstr(text, "default"));
	/* The minimum must be opened by the operator; each family alone. */
	fences.min[FAM_INET] = 1;
	assert_int_equal(route("0.0.0.0/0"), EPERM);
	fences.min[FAM_INET] = 0;
	assert_int_equal(route("0.0.0.0/0"), 0);
	assert_int_equal(route("::/0"), EPERM);
	/* It covers whatever is protected. */
	fences.protected[fences.nprotected++] = P("8.8.8.0/24");
	assert_int_equal(route("0.0.0.0/0"), EPERM);
}

static void
test_lengths(void **state)
{
	for (enum fam fam = FAM_INET; fam < FAM_N; fam++)
		for (unsigned int len = 1; len <= fam_bits(fam); len++) {
			struct addr a =
			    A(fam == FAM_INET ? "20.0.0.0" : "2a00::");
			struct pfx p;
			bool good = len >= (fam == FAM_INET ? 8 : 16) &&
			    len <= (fam == FAM_INET ? 24 : 48);

			assert_true(pfx_make(&p, &a, len));
			assert_int_equal(
			    fibd_check_route(&fences, &p, fam, true, 0, text),
			    good ? 0 : EPERM);
		}
}

static void
test_martians(void **state)
{
	static const char *const bad[] = { "0.0.0.0/8", "10.0.0.0/8",
		"10.255.255.0/24", "100.64.0.0/10", "127.0.0.0/8",
		"169.254.0.0/16", "172.16.0.0/12", "172.31.0.0/16",
		"192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24",
		"192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24",
		"203.0.113.0/24", "224.0.0.0/8", "239.0.0.0/8", "240.0.0.0/8",
		"255.255.255.0/24", "::/16", "64::/16", "64:ff9b::/32",
		"1000::/16", "4000::/16", "8000::/16", "fc00::/16", "fe80::/16",
		"ff00::/16", "2001::/32", "2001:1ff::/32", "2001:db8::/32",
		"2001:db8:1::/48", "2002::/16", "3ffe::/16", "3fff::/20",
		"3fff:fff::/32" };
	static const char *const good[] = { "1.0.0.0/8", "9.0.0.0/8",
		"11.0.0.0/8", "100.63.0.0/16", "100.128.0.0/16", "128.0.0.0/8",
		"172.15.0.0/16", "172.32.0.0/16", "192.0.1.0/24",
		"192.0.3.0/24", "192.167.0.0/16", "198.17.0.0/16",
		"198.20.0.0/16", "198.51.101.0/24", "203.0.112.0/24",
		"203.0.114.0/24", "223.0.0.0/8", "2000::/16", "2001:200::/32",
		"2001:db7::/32", "2001:db9::/32", "2003::/16", "2a00::/16",
		"3ffd::/16", "3fff:1000::/32" };
	struct pfx p;

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		p = P(bad[i]);
		if (!fibd_check_martian(&p))
			fail_msg("%s is no martian", bad[i]);
		assert_int_equal(route(bad[i]), EPERM);
	}
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
		if (route(good[i]) != 0)
			fail_msg("%s: %s", good[i], text);
	/* What covers martian space and more is a matter of length alone. */
	assert_int_equal(route("192.0.0.0/16"), 0);
}

static void
test_allowed(void **state)
{
	fences.allowed[fences.nallowed++] = P("100.64.0.0/12");
	fences.allowed[fences.nallowed++] = P("2001:db8::/32");
	assert_int_equal(route("100.64.0.0/12"), 0);
	assert_int_equal(route("100.64.1.0/24"), 0);
	assert_int_equal(route("2001:db8:1::/48"), 0);
	assert_int_equal(route("100.64.0.0/10"), EPERM);
	assert_int_equal(route("100.80.0.0/16"), EPERM);
	/* -a opens martian space, not the lengths. */
	assert_int_equal(route("100.64.1.0/25"), EPERM);
}

static void
test_protected(void **state)
{
	fences.protected[fences.nprotected++] = P("20.1.0.0/16");
	fences.protected[fences.nprotected++] = P("2a00:1::/40");
	fences.allowed[fences.nallowed++] = P("20.1.0.0/16");
	assert_int_equal(route("20.1.0.0/16"), EPERM);
	assert_int_equal(route("20.1.2.0/24"), EPERM);
	assert_int_equal(route("20.0.0.0/15"), EPERM);
	assert_int_equal(route("20.0.0.0/8"), EPERM);
	assert_int_equal(route("20.0.0.0/16"), 0);
	assert_int_equal(route("20.2.0.0/24"), 0);
	assert_int_equal(route("2a00:1:12::/48"), EPERM);
	assert_int_equal(route("2a00::/16"), EPERM);
	assert_int_equal(route("2a00:1:100::/40"), 0);
}

static void
test_cap_and_sets(void **state)
{
	struct pfx p4 = P("20.0.0.0/8"), p6 = P("2a00::/16");

	fences.max_routes = 5;
	assert_int_equal(
	    fibd_check_route(&fences, &p4, FAM_INET, true, 4, text), 0);
	assert_int_equal(
	    fibd_check_route(&fences, &p4, FAM_INET, true, 5, text), ENOSPC);
	/* A route that is there may change. */
	assert_int_equal(
	    fibd_check_route(&fences, &p4, FAM_INET, false, 5, text), 0);
	assert_int_equal(
	    fibd_check_route(&fences, &p4, FAM_NONE, true, 0, text), ENOENT);
	assert_int_equal(
	    fibd_check_route(&fences, &p4, FAM_INET6, true, 0, text), 0);
	assert_int_equal(
	    fibd_check_route(&fences, &p6, FAM_INET, true, 0, text), EINVAL);
}

static struct fibd_hello
good_hello(void)
{
	return (struct fibd_hello){ .netns = 4711,
		.table = 254,
		.metric = 20,
		.keep_s = 180,
		.protocol = 179 };
}

static void
test_hello(void **state)
{
	struct fibd_hello h = good_hello();

	assert_int_equal(fibd_check_hello(&fences, &h, text), 0);
	h.src4 = raw("203.0.113.1", 32);
	h.src6 = raw("2001:db8::1", 128);
	assert_int_equal(fibd_check_hello(&fences, &h, text), 0);
	h.src4 = raw("2001:db8::1", 128);
	assert_int_equal(fibd_check_hello(&fences, &h, text), EINVAL);
	h.src4 = raw("127.0.0.1", 32);
	assert_int_equal(fibd_check_hello(&fences, &h, text), EINVAL);
	h = good_hello();
	h.src6 = raw("fe80::1", 128);
	assert_int_equal(fibd_check_hello(&fences, &h, text), EINVAL);
	h = good_hello();
	h.protocol = 12;
	assert_int_equal(fibd_check_hello(&fences, &h, text), EPERM);
	h = good_hello();
	h.table = 255;
	assert_int_equal(fibd_check_hello(&fences, &h, text), EPERM);
	fences.table[fences.ntable++] = 255;
	assert_int_equal(fibd_check_hello(&fences, &h, text), 0);
	h = good_hello();
	h.metric = 0;
	assert_int_equal(fibd_check_hello(&fences, &h, text), EINVAL);
	h = good_hello();
	h.keep_s = 3600;
	assert_int_equal(fibd_check_hello(&fences, &h, text), 0);
	h.keep_s = 3601;
	assert_int_equal(fibd_check_hello(&fences, &h, text), EPERM);
	h = good_hello();
	h.netns = 4712;
	assert_int_equal(fibd_check_hello(&fences, &h, text), EPERM);
	assert_non_null(strstr(text, "namespace"));
}

static void
test_records(void **state)
{
	unsigned char rec[FIBD_REC_MAX + 8] = { 0 };
	struct fibd_hdr h = { FIBD_VERSION, 0, 0, 1 };

	for (unsigned int type = 0; type < 256; type++) {
		bool mine = type >= FIBD_HELLO && type <= FIBD_NH_UNWATCH;

		h.type = (uint8_t)type;
		h.size = fibd_size(type);
		memcpy(rec, &h, sizeof h);
		assert_int_equal(fibd_check_record(rec, sizeof rec, text),
		    mine ? 0 : EPROTO);
		if (!mine)
			continue;
		assert_int_equal(h.size % 8, 0);
		assert_true(h.size <= FIBD_REC_MAX);
		assert_int_equal(fibd_check_record(rec, h.size, text), 0);
		assert_int_equal(
		    fibd_check_record(rec, h.size - 1U, text), EPROTO);
		h.size += 8;
		memcpy(rec, &h, sizeof h);
		assert_int_equal(
		    fibd_check_record(rec, sizeof rec, text), EPROTO);
	}
	for (size_t n = 0; n < sizeof h; n++)
		assert_int_equal(fibd_check_record(rec, n, text), EPROTO);
	h = (struct fibd_hdr){ FIBD_VERSION + 1, FIBD_HELLO,
		sizeof(struct fibd_hello), 1 };
	memcpy(rec, &h, sizeof h);
	assert_int_equal(fibd_check_record(rec, sizeof rec, text), EPROTO);
	assert_non_null(strstr(text, "version"));
}

static void
test_prefix_form(void **state)
{
	struct fibd_addr r = raw("20.1.0.0", 16);
	struct pfx p;

	assert_int_equal(fibd_check_pfx(&r, &p, text), 0);
	assert_int_equal(p.len, 16);
	r.len = 15; /* 20.1/15 has a bit behind its length */
	assert_int_equal(fibd_check_pfx(&r, &p, text), EINVAL);
	r.len = 33;
	assert_int_equal(fibd_check_pfx(&r, &p, text), EINVAL);
	r = raw("20.1.0.0", 16);
	r.o[15] = 1;
	assert_int_equal(fibd_check_pfx(&r, &p, text), EINVAL);
	r = raw("2a00::", 129);
	assert_int_equal(fibd_check_pfx(&r, &p, text), EINVAL);
	r.fam = 3;
	assert_int_equal(fibd_check_pfx(&r, &p, text), EINVAL);
	r.fam = 0;
	assert_int_equal(fibd_check_pfx(&r, &p, text), EINVAL);
}

static int
next_hop(
    const char *s, uint8_t flags, const char *link, bool connected, bool own)
{
	struct fibd_nh_facts k = { link, connected, own };
	struct addr a = A(s);

	return fibd_check_nh(&fences, &a, flags, &k, text);
}

static void
test_next_hop(void **state)
{
	assert_int_equal(next_hop("10.0.0.2", 0, "v0", true, false), 0);
	assert_int_equal(
	    next_hop("10.0.0.2", 0, "v0", false, false), EHOSTUNREACH);
	assert_int_equal(next_hop("10.0.0.2", 0, NULL, true, false), ENODEV);
	assert_int_equal(next_hop("10.0.0.2", 0, "v0", true, true), EINVAL);
	assert_int_equal(next_hop("fe80::2", 0, "v0", false, false), 0);
	/* IPv4 has no such thing without a connected prefix. */
	assert_int_equal(
	    next_hop("169.254.0.2", 0, "v0", false, false), EHOSTUNREACH);
	assert_int_equal(next_hop("0.0.0.0", 0, "v0", true, false), EINVAL);
	assert_int_equal(next_hop("127.0.0.1", 0, "v0", true, false), EINVAL);
	assert_int_equal(next_hop("224.0.0.5", 0, "v0", true, false), EINVAL);
	assert_int_equal(next_hop("ff02::1", 0, "v0", true, false), EINVAL);
	assert_int_equal(
	    next_hop("::ffff:10.0.0.2", 0, "v0", true, false), EINVAL);
	/* on-link: only where -o permits it */
	assert_int_equal(
	    next_hop("10.9.0.2", FIBD_NH_ONLINK, "v0", false, false), EPERM);
	strlcpy(fences.onlink[fences.nonlink++], "v0", 16);
	assert_int_equal(
	    next_hop("10.9.0.2", FIBD_NH_ONLINK, "v0", false, false), 0);
	assert_int_equal(
	    next_hop("10.9.0.2", FIBD_NH_ONLINK, "v01", false, false), EPERM);
	assert_int_equal(
	    next_hop("10.9.0.2", 0, "v0", false, false), EHOSTUNREACH);
}

static void
test_set_form(void **state)
{
	struct fibd_nhset r = { .set = 1,
		.fam = FAM_INET,
		.n = 2,
		.nh = { { .o = { 10 }, .ifindex = 1, .weight = 1 },
		    { .o = { 10, 1 }, .ifindex = 1, .weight = 255 } } };

	assert_int_equal(fibd_check_nhset(&r, text), 0);
	r.set = 0;
	assert_int_equal(fibd_check_nhset(&r, text), EINVAL);
	r.set = FIBD_SETS + 1;
	assert_int_equal(fibd_check_nhset(&r, text), EINVAL);
	r.set = FIBD_SETS;
	assert_int_equal(fibd_check_nhset(&r, text), 0);
	r.fam = 0;
	assert_int_equal(fibd_check_nhset(&r, text), EINVAL);
	r.fam = FAM_INET;
	r.n = 0;
	assert_int_equal(fibd_check_nhset(&r, text), EINVAL);
	r.n = FIBD_NH + 1;
	assert_int_equal(fibd_check_nhset(&r, text), EINVAL);
	r.n = 3; /* the third has weight 0 */
	assert_int_equal(fibd_check_nhset(&r, text), EINVAL);
	r.n = 2;
	r.nh[1].flags = 2;
	assert_int_equal(fibd_check_nhset(&r, text), EINVAL);
	r.nh[1].flags = 0;
	r.nh[1].o[1] = 0; /* the first again */
	assert_int_equal(fibd_check_nhset(&r, text), EINVAL);
	r.nh[1].ifindex = 2;
	assert_int_equal(fibd_check_nhset(&r, text), 0);
}

static void
test_listen_and_watch(void **state)
{
	struct fibd_req r = { .a = raw("0.0.0.0", 32) };

	assert_int_equal(fibd_check_listen(&r, 0, text), 0);
	assert_int_equal(fibd_check_listen(&r, FIBD_LISTEN - 1, text), 0);
	assert_int_equal(fibd_check_listen(&r, FIBD_LISTEN, text), ENOSPC);
	r.a = raw("224.0.0.1", 32);
	assert_int_equal(fibd_check_listen(&r, 0, text), EINVAL);
	r.a = raw("::ffff:1.2.3.4", 128);
	assert_int_equal(fibd_check_listen(&r, 0, text), EINVAL);
	r.a = raw("fe80::1", 128);
	assert_int_equal(fibd_check_listen(&r, 0, text), EINVAL);
	assert_int_equal(fibd_check_watch(&r, 0, text), EINVAL);
	r.a.ifindex = 3;
	assert_int_equal(fibd_check_listen(&r, 0, text), 0);
	assert_int_equal(fibd_check_watch(&r, 0, text), 0);
	assert_int_equal(fibd_check_watch(&r, FIBD_WATCH - 1, text), 0);
	assert_int_equal(fibd_check_watch(&r, FIBD_WATCH, text), ENOSPC);
	r.a.fam = 9;
	assert_int_equal(fibd_check_watch(&r, 0, text), EINVAL);
}

static unsigned int
bit(const struct pfx *p, unsigned int n)
{
	return p->addr.o[n / 8] >> (7 - n % 8) & 1;
}

/*
 * Whatever is asked for and permitted is inside every fence, said once more
 * in other words: bit by bit, without pfx_covers().
 */
static bool
overlaps(const struct pfx *a, const struct pfx *b, unsigned int bits)
{
	if (a->addr.fam != b->addr.fam)
		return false;
	for (unsigned int i = 0; i < bits; i++)
		if (bit(a, i) != bit(b, i))
			return false;
	return true;
}

static void
test_property(void **state)
{
	const char *env = getenv("SEED");
	unsigned int seed = env != NULL ? (unsigned int)strtoul(env, NULL, 10)
					: (unsigned int)getpid();
	unsigned int passed = 0;

	print_message("# seed %u\n", seed);
	srandom(seed);
	fences.protected[fences.nprotected++] = P("20.1.0.0/16");
	fences.protected[fences.nprotected++] = P("2a00:1::/40");
	for (int i = 0; i < 200000; i++) {
		enum fam fam = random() % 2 == 0 ? FAM_INET : FAM_INET6;
		struct addr a = { .fam = (uint8_t)fam };
		struct pfx p;
		const struct pfx *g;

		for (unsigned int k = 0; k < fam_bits(fam) / 8; k++)
			a.o[k] = (uint8_t)random();
		if (fam == FAM_INET && random() % 4 == 0) {
			a.o[0] = 20;
			a.o[1] = (uint8_t)(random() % 3);
		} else if (fam == FAM_INET6)
			a.o[0] = 0x20 + (uint8_t)(random() % 11);
		pfx_make(&p, &a, (unsigned int)random() % (fam_bits(fam) + 1));
		if (fibd_check_route(&fences, &p, fam, true, 0, text) != 0)
			continue;
		passed++;
		assert_in_range(
		    p.len, fam == FAM_INET ? 8 : 16, fam == FAM_INET ? 24 : 48);
		g = &fences.protected[fam == FAM_INET ? 0 : 1];
		assert_false(overlaps(&p, g, p.len < g->len ? p.len : g->len));
		if (fam == FAM_INET) {
			assert_true(p.addr.o[0] != 0 && p.addr.o[0] != 10 &&
			    p.addr.o[0] != 127 && p.addr.o[0] < 224);
			assert_false(p.len >= 16 && p.addr.o[0] == 192 &&
			    p.addr.o[1] == 168);
		} else
			assert_int_equal(p.addr.o[0] >> 5, 1);
	}
	assert_true(passed > 1000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_default_route, init),
		cmocka_unit_test_setup(test_lengths, init),
		cmocka_unit_test_setup(test_martians, init),
		cmocka_unit_test_setup(test_allowed, init),
		cmocka_unit_test_setup(test_protected, init),
		cmocka_unit_test_setup(test_cap_and_sets, init),
		cmocka_unit_test_setup(test_hello, init),
		cmocka_unit_test_setup(test_records, init),
		cmocka_unit_test_setup(test_prefix_form, init),
		cmocka_unit_test_setup(test_next_hop, init),
		cmocka_unit_test_setup(test_set_form, init),
		cmocka_unit_test_setup(test_listen_and_watch, init),
		cmocka_unit_test_setup(test_property, init),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
