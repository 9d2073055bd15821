/* What is written is read back; what is no file of ours is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "lib/pcap.h"

static const uint8_t text[] = "an odd message";

static struct pcap_pkt
packet(enum fam f, enum pcap_proto proto)
{
	struct pcap_pkt p = { .when_us = 1700000000123456,
		.sport = 40000,
		.dport = 179,
		.proto = proto,
		.seq = proto == PCAP_TCP ? 77 : 0,
		.data = text,
		.len = sizeof text,
		.whole = sizeof text };

	assert_true(
	    addr_parse(f == FAM_INET ? "192.0.2.1" : "2001:db8::1", &p.src));
	assert_true(
	    addr_parse(f == FAM_INET ? "192.0.2.2" : "2001:db8::2", &p.dst));
	return p;
}

static void
same(const struct pcap_pkt *a, const struct pcap_pkt *b)
{
	assert_true(a->when_us == b->when_us);
	assert_true(addr_eq(&a->src, &b->src) && addr_eq(&a->dst, &b->dst));
	assert_int_equal(a->sport, b->sport);
	assert_int_equal(a->dport, b->dport);
	assert_int_equal(a->proto, b->proto);
	assert_int_equal(a->seq, b->seq);
	assert_int_equal(a->len, b->len);
	assert_int_equal(a->whole, b->whole);
	assert_memory_equal(a->data, b->data, a->len);
}

static void
test_round(void **state)
{
	static const enum pcap_proto proto[] = { PCAP_TCP, PCAP_UDP };
	uint8_t buf[1024];
	struct pcap_pkt out[8], got;
	struct wbuf w;
	struct cur c;
	int n = 0;

	wbuf_init(&w, buf, sizeof buf);
	pcap_head(&w);
	assert_int_equal(w.len, PCAP_HEAD_LEN);
	for (int f = FAM_INET; f < FAM_N; f++)
		for (int k = 0; k < 2; k++) {
			out[n] = packet((enum fam)f, proto[k]);
			pcap_put(&w, &out[n++]);
			out[n] = packet((enum fam)f, proto[k]);
			out[n].len -= 5; /* cut short */
			pcap_put(&w, &out[n++]);
		}
	assert_false(w.over);
	cur_init(&c, buf, w.len);
	assert_true(pcap_head_parse(&c));
	for (int i = 0; i < n; i++) {
		assert_true(pcap_next(&c, &got));
		same(&out[i], &got);
	}
	assert_false(pcap_next(&c, &got));
	assert_int_equal(cur_left(&c), 0);
}

static uint32_t
sum16(const uint8_t *p, size_t n)
{
	uint32_t s = 0;

	for (size_t i = 0; i < n; i++)
		s += i % 2 == 0 ? (uint32_t)p[i] << 8 : p[i];
	return s;
}

/* RFC 1071: the whole with its checksum sums up to all ones. */
static void
test_checksum(void **state)
{
	struct pcap_pkt p = packet(FAM_INET, PCAP_TCP);
	uint8_t buf[256];
	const uint8_t *ip = buf + 16;
	struct wbuf w;
	uint32_t s;

	wbuf_init(&w, buf, sizeof buf);
	pcap_put(&w, &p);
	s = sum16(ip, 20);
	assert_int_equal((s & 0xffff) + (s >> 16), 0xffff);
	s = sum16(ip + 12, 8) + 6 + (uint32_t)(w.len - 36) +
	    sum16(ip + 20, w.len - 36);
	assert_int_equal((s & 0xffff) + (s >> 16), 0xffff);
}

/* A message of 65,535 octets fits no IP packet: it is shown as cut. */
static void
test_long(void **state)
{
	struct pcap_pkt p = packet(FAM_INET6, PCAP_TCP), got;
	uint8_t buf[256];
	struct wbuf w;
	struct cur c;

	p.whole = 65535;
	wbuf_init(&w, buf, sizeof buf);
	pcap_put(&w, &p);
	cur_init(&c, buf, w.len);
	assert_true(pcap_next(&c, &got));
	assert_int_equal(got.whole, 65535 - 60);
	assert_int_equal(got.len, sizeof text);
}

static void
test_refused(void **state)
{
	struct pcap_pkt p = packet(FAM_INET, PCAP_UDP), got;
	uint8_t good[256], bad[256];
	struct wbuf w;
	struct cur c;

	wbuf_init(&w, good, sizeof good);
	pcap_head(&w);
	pcap_put(&w, &p);
	for (size_t n = 0; n < w.len; n++) {
		/* Heap of the very size: a read beyond is seen by ASan. */
		uint8_t *cut = malloc(n + 1);

		assert_non_null(cut);
		memcpy(cut, good, n);
		cur_init(&c, cut, n);
		assert_false(pcap_head_parse(&c) && pcap_next(&c, &got));
		free(cut);
	}
	memcpy(bad, good, w.len);
	bad[0] ^= 1;
	cur_init(&c, bad, w.len);
	assert_false(pcap_head_parse(&c));
	memcpy(bad, good, w.len);
	bad[PCAP_HEAD_LEN + 16] = 0x46; /* options: not ours */
	cur_init(&c, bad, w.len);
	assert_true(pcap_head_parse(&c));
	assert_false(pcap_next(&c, &got));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round),
		cmocka_unit_test(test_checksum),
		cmocka_unit_test(test_long),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
