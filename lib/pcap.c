#include "lib/pcap.h"

enum {
	MAGIC = 0xa1b2c3d4, /* microseconds, the octet order of the writer */
	LINKTYPE_RAW = 101,
	SNAPLEN = 65535,
	IP4_LEN = 20,
	IP6_LEN = 40,
	TCP_LEN = 20,
	UDP_LEN = 8,
	TCP_PSH_ACK = 0x18,
	TTL = 255,
	USEC = 1000000,
};

static size_t
ip_len(enum fam f)
{
	return f == FAM_INET6 ? IP6_LEN : IP4_LEN;
}

static size_t
l4_len(enum pcap_proto p)
{
	return p == PCAP_TCP ? TCP_LEN : UDP_LEN;
}

void
pcap_head(struct wbuf *w)
{
	wbuf_u32(w, MAGIC);
	wbuf_u16(w, 2);
	wbuf_u16(w, 4);
	wbuf_u32(w, 0);
	wbuf_u32(w, 0);
	wbuf_u32(w, SNAPLEN);
	wbuf_u32(w, LINKTYPE_RAW);
}

/* RFC 1071; an odd length only in the last piece. */
static uint32_t
sum(uint32_t s, const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		s += i % 2 == 0 ? (uint32_t)p[i] << 8 : p[i];
	return s;
}

static uint16_t
fold(uint32_t s)
{
	while (s > 0xffff)
		s = (s & 0xffff) + (s >> 16);
	return (uint16_t)~s;
}

static void
put_ip4(struct wbuf *w, const struct pcap_pkt *p, size_t total)
{
	size_t at = w->len;

	wbuf_u8(w, 0x45);
	wbuf_u8(w, 0xc0);
	wbuf_u16(w, (uint16_t)total);
	wbuf_u32(w, 0x4000); /* don't fragment */
	wbuf_u8(w, TTL);
	wbuf_u8(w, (uint8_t)p->proto);
	wbuf_u16(w, 0);
	wbuf_bytes(w, p->src.o, 4);
	wbuf_bytes(w, p->dst.o, 4);
	if (!w->over)
		wbuf_put16(w, at + 10, fold(sum(0, w->p + at, IP4_LEN)));
}

static void
put_ip6(struct wbuf *w, const struct pcap_pkt *p, size_t total)
{
	wbuf_u32(w, 0x6c000000);
	wbuf_u16(w, (uint16_t)(total - IP6_LEN));
	wbuf_u8(w, (uint8_t)p->proto);
	wbuf_u8(w, TTL);
	wbuf_bytes(w, p->src.o, 16);
	wbuf_bytes(w, p->dst.o, 16);
}

/* Returns where the checksum stands. */
static size_t
put_l4(struct wbuf *w, const struct pcap_pkt *p, size_t len)
{
	wbuf_u16(w, p->sport);
	wbuf_u16(w, p->dport);
	if (p->proto == PCAP_UDP) {
		wbuf_u16(w, (uint16_t)len);
		wbuf_u16(w, 0);
		return w->len - 2;
	}
	wbuf_u32(w, p->seq);
	wbuf_u32(w, 1);
	wbuf_u8(w, TCP_LEN / 4 << 4);
	wbuf_u8(w, TCP_PSH_ACK);
	wbuf_u16(w, UINT16_MAX);
	wbuf_u32(w, 0);
	return w->len - 4;
}

void
pcap_put(struct wbuf *w, const struct pcap_pkt *p)
{
	size_t head = ip_len((enum fam)p->src.fam) + l4_len(p->proto);
	size_t total = head + p->whole, at, ck, bits = p->src.fam == FAM_INET6;
	uint32_t s;

	/* An extended message (RFC 8654) fits no one packet: cut short. */
	if (total > UINT16_MAX)
		total = UINT16_MAX;
	wbuf_u32(w, (uint32_t)(p->when_us / USEC));
	wbuf_u32(w, (uint32_t)(p->when_us % USEC));
	wbuf_u32(w, (uint32_t)(head + p->len));
	wbuf_u32(w, (uint32_t)total);
	if (p->src.fam == FAM_INET6)
		put_ip6(w, p, total);
	else
		put_ip4(w, p, total);
	at = w->len;
	ck = put_l4(w, p, l4_len(p->proto) + p->whole);
	wbuf_bytes(w, p->data, p->len);
	/* Of a message that was cut nobody can make one, nor check it. */
	if (w->over || p->len != p->whole)
		return;
	s = sum((uint32_t)p->proto, p->src.o, bits ? 16 : 4);
	s = sum(s + (uint32_t)(w->len - at), p->dst.o, bits ? 16 : 4);
	wbuf_put16(w, ck, fold(sum(s, w->p + at, w->len - at)));
}

/* ---- reading ---------------------------------------------------------- */

bool
pcap_head_parse(struct cur *c)
{
	uint32_t magic, snap, link;

	return cur_u32(c, &magic) && cur_skip(c, 12) && cur_u32(c, &snap) &&
	    cur_u32(c, &link) && magic == MAGIC && link == LINKTYPE_RAW;
}

static bool
get_ip(struct cur *c, struct pcap_pkt *p, size_t *total)
{
	bool six = cur_left(c) > 0 && c->p[0] >> 4 == 6;
	uint8_t proto, o[2][16];
	uint16_t len;

	if (six) {
		if (!cur_skip(c, 4) || !cur_u16(c, &len) ||
		    !cur_u8(c, &proto) || !cur_skip(c, 1) ||
		    !cur_bytes(c, o[0], 16) || !cur_bytes(c, o[1], 16))
			return false;
		*total = len;
	} else {
		if (cur_left(c) < IP4_LEN || c->p[0] != 0x45 ||
		    !cur_skip(c, 2) || !cur_u16(c, &len) || !cur_skip(c, 5) ||
		    !cur_u8(c, &proto) || !cur_skip(c, 2) ||
		    !cur_bytes(c, o[0], 4) || !cur_bytes(c, o[1], 4) ||
		    len < IP4_LEN)
			return false;
		*total = len - (size_t)IP4_LEN;
	}
	if (proto != PCAP_TCP && proto != PCAP_UDP)
		return false;
	p->proto = (enum pcap_proto)proto;
	addr_set(&p->src, six ? FAM_INET6 : FAM_INET, o[0]);
	addr_set(&p->dst, six ? FAM_INET6 : FAM_INET, o[1]);
	return true;
}

bool
pcap_next(struct cur *c, struct pcap_pkt *p)
{
	uint32_t sec, usec, len, whole;
	size_t total, head;
	struct cur pkt;

	*p = (struct pcap_pkt){ .when_us = 0 };
	if (!cur_u32(c, &sec) || !cur_u32(c, &usec) || !cur_u32(c, &len) ||
	    !cur_u32(c, &whole) || !cur_sub(c, len, &pkt) ||
	    !get_ip(&pkt, p, &total) || !cur_u16(&pkt, &p->sport) ||
	    !cur_u16(&pkt, &p->dport))
		return false;
	if (p->proto == PCAP_TCP && !cur_u32(&pkt, &p->seq))
		return false;
	head = l4_len(p->proto);
	if (!cur_skip(&pkt, p->proto == PCAP_TCP ? TCP_LEN - 8 : UDP_LEN - 4) ||
	    total < head)
		return false;
	p->when_us = (int64_t)sec * USEC + usec % USEC;
	p->data = pkt.p;
	p->len = cur_left(&pkt);
	p->whole = total - head;
	return p->len <= p->whole;
}
