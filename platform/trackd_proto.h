/*
 * trackd_proto.h -- the records between ana-bgpd and ana-trackd.
 *
 * A datagram (SOCK_SEQPACKET) is one record; each type has one fixed size.
 * Integers are in host order: both ends run on one machine.  Everything not
 * used is zero; texts are ended by a zero octet.
 *
 * The speaker says HELLO, is answered by READY, and sends a SET for each probe
 * and an END, again after each change.  A SET that is the same as before
 * changes nothing; what was not set again before END is dropped.  Each probe
 * is made at once, and then at its interval; each gives a RESULT.  With the
 * connection all probes end.
 */
#ifndef TRACKD_PROTO_H
#define TRACKD_PROTO_H

#include <stdbool.h>
#include <stdint.h>

enum {
	TRACKD_VERSION = 1,
	TRACKD_TRACKS = 1024,
	TRACKD_NAME = 128, /* path of a URL, name of a program */
	TRACKD_HOST = 72,
	TRACKD_TEXT = 96,
};

enum trackd_type {
	TRACKD_HELLO = 1,
	TRACKD_SET,
	TRACKD_END,

	TRACKD_READY = 64, /* ana-trackd to speaker */
	TRACKD_RESULT,
};

enum trackd_kind {
	TRACKD_TCP = 1,
	TRACKD_HTTP,
	TRACKD_EXEC,
};

/* First in every record. */
struct trackd_hdr {
	uint8_t version;
	uint8_t type;
	uint16_t size; /* of the whole record: what the type says */
	uint32_t id; /* of the track, 0: none */
};

struct trackd_hello {
	struct trackd_hdr h;
	uint64_t netns; /* 0: not known */
};

struct trackd_set {
	struct trackd_hdr h;
	uint8_t kind;
	uint8_t fam, source_fam; /* enum fam of lib/addr.h; 0: none */
	uint8_t pad;
	uint16_t port;
	uint16_t status; /* that HTTP must have, 0: 200 to 299 */
	uint32_t interval_ms, timeout_ms;
	uint8_t addr[16], source[16];
	char name[TRACKD_NAME];
	char host[TRACKD_HOST]; /* "": the address */
};

struct trackd_end {
	struct trackd_hdr h;
};

struct trackd_ready {
	struct trackd_hdr h;
	int32_t err; /* not 0: refused, text says why, closed after it */
	uint32_t pad;
	char text[TRACKD_TEXT];
};

struct trackd_result {
	struct trackd_hdr h;
	uint8_t good;
	uint8_t pad[7];
	char text[TRACKD_TEXT];
};

/* The size of a type's record; 0 for an unknown type. */
static inline uint16_t
trackd_size(unsigned int type)
{
	switch (type) {
	case TRACKD_HELLO:
		return sizeof(struct trackd_hello);
	case TRACKD_SET:
		return sizeof(struct trackd_set);
	case TRACKD_END:
		return sizeof(struct trackd_end);
	case TRACKD_READY:
		return sizeof(struct trackd_ready);
	case TRACKD_RESULT:
		return sizeof(struct trackd_result);
	default:
		return 0;
	}
}

/* Printable, no blank: it goes into a line of an HTTP request.  A SET with
 * another text ends the connection, so the speaker looks before. */
static inline bool
trackd_is_word(const char *s)
{
	for (; *s != '\0'; s++)
		if (*s <= ' ' || *s > '~')
			return false;
	return true;
}

enum {
	TRACKD_REC_MAX = sizeof(struct trackd_set)
};

#endif /* TRACKD_PROTO_H */
