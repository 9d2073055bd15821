/*
 * pcap.h -- packets in the classic pcap form, link type RAW (an IP header is
 * the first thing), so that tcpdump and Wireshark show what we kept.  Reads
 * back what it writes, and refuses all else.
 */
#ifndef PCAP_H
#define PCAP_H

#include "lib/addr.h"
#include "lib/cur.h"
#include "lib/wbuf.h"

enum {
	PCAP_HEAD_LEN = 24,
	PCAP_PKT_MAX = 16 + 40 + 20, /* what a packet costs beside its data */
};

enum pcap_proto {
	PCAP_TCP = 6,
	PCAP_UDP = 17
};

/* Both addresses are of one family. */
struct pcap_pkt {
	int64_t when_us; /* real time */
	struct addr src, dst;
	uint16_t sport, dport;
	enum pcap_proto proto;
	uint32_t seq; /* TCP */
	const uint8_t *data; /* borrowed */
	size_t len, whole; /* of data; as it was on the wire, at least len */
};

void pcap_head(struct wbuf *);
void pcap_put(struct wbuf *, const struct pcap_pkt *);
/* False: not such a file. */
bool pcap_head_parse(struct cur *);
/* The next packet; false at the end, or where it is no packet of ours. */
bool pcap_next(struct cur *, struct pcap_pkt *);

#endif /* PCAP_H */
