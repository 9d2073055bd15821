/*
 * reason.c -- the table of reasons and the table of guards, nothing else.
 * The order of the rows is the dense index: it is no contract beyond one
 * build, but a number, once given away, stays what it is.
 */
#include <string.h>

#include "policy/reason.h"

struct row {
	uint16_t reason;
	const char *name, *text;
};

/* clang-format off */
static const struct row rows[] = {
	{ REASON_NONE, "accepted",
	    "accepted" },
	{ REASON_PATH_LENGTH, "as-path-length",
	    "the AS path is longer than the limit" },
	{ REASON_BOGON_PREFIX, "bogon-prefix",
	    "the prefix is in special-purpose address space" },
	{ REASON_OWN_PREFIX, "own-prefix",
	    "the prefix is one of our own" },
	{ REASON_AFI, "invalid-afi",
	    "the address family was not agreed on" },
	{ REASON_NEXT_HOP, "next-hop",
	    "the next hop is not the address of the peer" },
	{ REASON_FIRST_AS, "first-as",
	    "the AS path does not begin with the AS of the peer" },
	{ REASON_BOGON_ASN, "bogon-asn",
	    "an AS number in the path is not a public one" },
	{ REASON_PEER_LOCK, "peer-lock",
	    "a transit-free network is in the path behind the peer" },
	{ REASON_ORIGIN_NOT_IN_SET, "origin-not-in-set",
	    "the origin AS is not in the filter of the peer" },
	{ REASON_NOT_GLOBAL, "not-global",
	    "the IPv6 prefix is outside global unicast space, 2000::/3" },
	{ REASON_CLIENT_BLACKLIST, "client-blacklist",
	    "the prefix is refused for this peer" },
	{ REASON_NOT_IN_SET, "not-in-set",
	    "the prefix is not in the filter of the peer" },
	{ REASON_LENGTH, "prefix-length",
	    "the prefix is longer than what is taken" },
	{ REASON_RPKI, "rpki-invalid",
	    "a ROA covers the prefix, and none permits this origin and length"
	},
	{ REASON_NEVER_VIA_RS, "never-via-route-server",
	    "a network in the path does not use route servers" },
	{ REASON_DEFAULT_ROUTE, "default-route",
	    "a default route is not taken" },
	{ REASON_NO_SET, "no-filter",
	    "no filter is loaded for the peer, so nothing of it is taken" },
	{ REASON_RULE, "policy-rule",
	    "a rule of the policy rejects it" },
	{ REASON_LOOP, "as-loop",
	    "the route has been here before (our own AS or identifier)" },
	{ REASON_ASPA, "aspa-invalid",
	    "the AS path contradicts the providers named by ASPA" },
	{ REASON_OTC, "otc-leak",
	    "a route leak by its Only to Customer attribute (RFC 9234)" },
	{ REASON_MALFORMED, "malformed",
	    "its attributes were malformed, treated as withdrawn (RFC 7606)" },
	{ REASON_PEER_ASN, "peer-asn",
	    "the AS number of the peer is not a public one" },
	{ REASON_AS_SET, "as-set-in-path",
	    "the AS path contains an AS_SET (RFC 9774)" },
	{ REASON_OVER_LIMIT, "over-limit",
	    "held back: the peer sends more prefixes than its limit" },
	{ REASON_FROZEN, "frozen",
	    "held back: the peer is frozen since it went over its limit" },
	{ REASON_NO_RULE, "no-rule",
	    "no rule of a policy accepts it (RFC 8212)" },
	{ REASON_EXPORT_GUARD, "export-guard",
	    "not of our own set or not originated here" },
	{ REASON_WELL_KNOWN, "well-known-community",
	    "a well-known community forbids to announce it to this neighbor" },
	{ REASON_IBGP_SPLIT, "ibgp-split",
	    "learned from an internal neighbor, not told to another one" },
	{ REASON_NO_NEXT_HOP, "no-next-hop",
	    "no address of ours in its family to be the next hop" },
	{ REASON_DRAINED, "drained",
	    "the neighbor is drained, and nothing is told any more" },
	{ REASON_IS_NEXT_HOP, "is-next-hop",
	    "its next hop is the neighbor's own address" },
	{ REASON_UNKNOWN, "unknown",
	    "for an unknown reason" },
};

static const char *const words[GUARD_N] = {
	[GUARD_NONE]		= "",
	[GUARD_MALFORMED]	= "malformed",
	[GUARD_MAX_LENGTH]	= "max-length",
	[GUARD_DEFAULT_ROUTE]	= "default-route",
	[GUARD_BOGON_PREFIXES]	= "bogon-prefixes",
	[GUARD_OWN_PREFIXES]	= "own-prefixes",
	[GUARD_BOGON_ASNS]	= "bogon-asns",
	[GUARD_FIRST_AS]	= "first-as",
	[GUARD_LOOP]		= "loop",
	[GUARD_AS_SET]		= "as-set-in-path",
	[GUARD_PATH_LENGTH]	= "as-path-length",
	[GUARD_NEXT_HOP]	= "next-hop-is-peer",
	[GUARD_PUBLIC_ASN]	= "public-asn",
	[GUARD_IRR]		= "irr",
	[GUARD_PEER_LOCK]	= "peer-lock",
	[GUARD_OTC]		= "otc",
	[GUARD_RPKI]		= "rpki",
	[GUARD_ASPA]		= "aspa",
	[GUARD_MAX_PREFIX]	= "max-prefix",
	[GUARD_EXPORT]		= "export-guard",
};
/* clang-format on */

_Static_assert(
    sizeof(rows) / sizeof(rows[0]) == REASON_COUNT, "REASON_COUNT is wrong");

unsigned int
reason_index(uint16_t reason)
{
	unsigned int i;

	for (i = 0; i < REASON_COUNT - 1; i++)
		if (rows[i].reason == reason)
			break;
	return i;
}

uint16_t
reason_at(unsigned int index)
{
	return index < REASON_COUNT ? rows[index].reason : REASON_UNKNOWN;
}

const char *
reason_name(uint16_t reason)
{
	return rows[reason_index(reason)].name;
}

const char *
reason_text(uint16_t reason)
{
	return rows[reason_index(reason)].text;
}

bool
reason_find(const char *word, uint16_t *reason)
{
	unsigned long n = 0;
	const char *p;
	unsigned int i;

	for (i = 0; i < REASON_COUNT; i++)
		if (strcmp(rows[i].name, word) == 0) {
			*reason = rows[i].reason;
			return true;
		}
	for (p = word; *p >= '0' && *p <= '9' && n <= UINT16_MAX; p++)
		n = n * 10 + (unsigned long)(*p - '0');
	if (p == word || *p != '\0' || n > UINT16_MAX ||
	    reason_at(reason_index((uint16_t)n)) != n)
		return false;
	*reason = (uint16_t)n;
	return true;
}

const char *
reason_guard_word(enum guard g)
{
	return (unsigned int)g < GUARD_N ? words[g] : "";
}

enum guard
reason_guard_find(const char *word)
{
	int g;

	for (g = GUARD_NONE + 1; g < GUARD_N; g++)
		if (strcmp(words[g], word) == 0)
			return (enum guard)g;
	return GUARD_NONE;
}
