/*
 * reason.h -- the stable numbers behind every refusal, and the guards' words.
 *
 * 0 to 15 are arouteserver's reject reasons (a looking glass knows them), from
 * 1000 on they are ours.  A number is never given another meaning.  The rib
 * keeps them as plain numbers; counters use the dense index.
 */
#ifndef REASON_H
#define REASON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum reason {
	REASON_NONE = 0, /* not refused (there: "generic") */
	REASON_PATH_LENGTH = 1,
	REASON_BOGON_PREFIX = 2,
	REASON_OWN_PREFIX = 3,
	REASON_AFI = 4,
	REASON_NEXT_HOP = 5,
	REASON_FIRST_AS = 6,
	REASON_BOGON_ASN = 7,
	REASON_PEER_LOCK = 8,
	REASON_ORIGIN_NOT_IN_SET = 9,
	REASON_NOT_GLOBAL = 10,
	REASON_CLIENT_BLACKLIST = 11,
	REASON_NOT_IN_SET = 12,
	REASON_LENGTH = 13,
	REASON_RPKI = 14,
	REASON_NEVER_VIA_RS = 15,
	REASON_DEFAULT_ROUTE = 1000,
	REASON_NO_SET = 1001,
	REASON_RULE = 1002,
	REASON_LOOP = 1003,
	REASON_ASPA = 1004,
	REASON_OTC = 1005,
	REASON_MALFORMED = 1006,
	REASON_PEER_ASN = 1007,
	REASON_AS_SET = 1008,
	REASON_OVER_LIMIT = 1009,
	REASON_FROZEN = 1010,
	REASON_NO_RULE = 1011,
	/* Outbound only: why a route is not announced to a neighbor. */
	REASON_EXPORT_GUARD = 1012,
	REASON_WELL_KNOWN = 1013,
	REASON_IBGP_SPLIT = 1014,
	REASON_NO_NEXT_HOP = 1015,
	REASON_DRAINED = 1016,
	REASON_IS_NEXT_HOP = 1017,
	REASON_UNKNOWN = 65535,
};

/* Room for a counter of each: reason_index() is below it. */
#define REASON_COUNT 35

/* Dense and stable within one build; an unknown number has that of 65535. */
unsigned int reason_index(uint16_t reason);
/* The inverse; REASON_UNKNOWN beyond the end. */
uint16_t reason_at(unsigned int index);
/* "default-route": snake-free word for JSON keys, metrics, the command line. */
const char *reason_name(uint16_t reason);
/* "default route": one sentence without a full stop; never NULL. */
const char *reason_text(uint16_t reason);
/* By name or decimal number. */
bool reason_find(const char *word, uint16_t *reason);

/* The guards in their order of work (interfaces.md 6.5). */
enum guard {
	GUARD_NONE,
	GUARD_MALFORMED, /* always on */
	GUARD_MAX_LENGTH,
	GUARD_DEFAULT_ROUTE,
	GUARD_BOGON_PREFIXES,
	GUARD_OWN_PREFIXES,
	GUARD_BOGON_ASNS,
	GUARD_FIRST_AS,
	GUARD_LOOP,
	GUARD_AS_SET,
	GUARD_PATH_LENGTH,
	GUARD_NEXT_HOP,
	GUARD_PUBLIC_ASN,
	GUARD_IRR,
	GUARD_PEER_LOCK,
	GUARD_OTC,
	GUARD_RPKI,
	GUARD_ASPA,
	GUARD_MAX_PREFIX,
	GUARD_EXPORT,
	GUARD_N,
};

/* One in a mask of guards that are switched off. */
#define GUARD_BIT(g) (1u << (g))

/* What `reject`, `require` and `no` call it: "max-length"; "" for NONE. */
const char *reason_guard_word(enum guard);
/* GUARD_NONE when there is none of that word. */
enum guard reason_guard_find(const char *word);

#endif /* REASON_H */
