/*
 * evidence.h -- the last messages of a peer that were not as they should be:
 * their octets, the one at fault, the rule broken, what was done about it.
 * A bounded ring, and its copy in a file of the state directory: a pcap file,
 * where a syslog packet in front of each message says the rest in words.
 */
#ifndef EVIDENCE_H
#define EVIDENCE_H

#include "bgpd/wire/wire.h"

struct engine;
struct evidence;
struct session;

enum {
	EVIDENCE_N = 16, /* kept of a peer */
	EVIDENCE_ALIKE = 4, /* of them, those that break the same rule */
	EVIDENCE_KEEP = 4096, /* octets of a message */
};

struct evidence_item {
	int64_t first_ms, last_ms; /* real time */
	uint64_t count; /* the same octets came so often */
	enum wire_verdict verdict;
	uint8_t code, sub; /* of the NOTIFICATION, when it is a reset */
	uint8_t attr; /* attribute type at fault, 0: none */
	size_t at; /* octet at fault, from the start of the message */
	size_t len, kept; /* as it came; what there is of it */
	uint8_t *msg;
	bool agreed; /* neg is what both OPENs agreed on */
	struct wire_neg neg;
	struct addr src, dst;
	uint16_t sport, dport;
	char why[288], rfc[32];
	uint64_t order;
};

/* What the file has of earlier runs is taken up. */
struct evidence *evidence_new(struct engine *, const struct addr *peer);
/* Writes what is not written yet. */
void evidence_free(struct evidence *);
/* One more; returns how often these octets came by now. */
uint64_t evidence_add(struct evidence *, const struct session *,
    const struct wire_err *, const struct cur *msg);
/* The i-th, the last one first; NULL beyond the end. */
const struct evidence_item *evidence_get(
    const struct evidence *, unsigned int i);
/* The whole as a pcap file; the caller frees it. */
uint8_t *evidence_pcap(const struct evidence *, size_t *len);

#endif /* EVIDENCE_H */
