/*
 * fibd_check.h -- may the speaker ask for this?  Pure.  What is permitted
 * comes from ana-fibd's arguments alone; every record is checked here before
 * anything is done with it, whoever sent it.
 *
 * Each returns 0, or an errno with one sentence for both sides in text.
 */
#ifndef FIBD_CHECK_H
#define FIBD_CHECK_H

#include "lib/pfx.h"
#include "platform/fibd_proto.h"

enum {
	FENCE_LIST = 64, /* -a, -g */
	FENCE_TABLES = 8,
	FENCE_IFACES = 16,
};

struct fibd_fences {
	uint8_t protocol;
	uint16_t port;
	uint32_t table[FENCE_TABLES];
	unsigned int ntable;
	uint8_t min[FAM_N], max[FAM_N];
	struct pfx allowed[FENCE_LIST], protected[FENCE_LIST];
	unsigned int nallowed, nprotected;
	char onlink[FENCE_IFACES][16];
	unsigned int nonlink;
	uint32_t max_routes;
	uint32_t keep_max_s;
	uint64_t netns;
};

/* What the kernel says about a next hop. */
struct fibd_nh_facts {
	const char *link; /* the interface's name, NULL: there is none */
	bool connected; /* in a connected prefix of it */
	bool own; /* it is this machine */
};

/* The arguments' defaults. */
void fibd_fences_init(struct fibd_fences *);
/* True: special-purpose (RFC 6890) or no unicast; only -a permits that. */
bool fibd_check_martian(const struct pfx *);

/* A speaker's record of whole size, version and type, nothing behind it. */
int fibd_check_record(const void *, size_t left, char text[FIBD_TEXT]);
/* What it wants to be, and which namespace it is in. */
int fibd_check_hello(const struct fibd_fences *, const struct fibd_hello *,
    char text[FIBD_TEXT]);
/* A well-formed prefix; masked bits are refused, not cleared. */
int fibd_check_pfx(
    const struct fibd_addr *, struct pfx *, char text[FIBD_TEXT]);
/* set_fam: of the named set, FAM_NONE: unknown.  count: routes of ours, if
 * this one is new. */
int fibd_check_route(const struct fibd_fences *, const struct pfx *,
    enum fam set_fam, bool is_new, uint32_t count, char text[FIBD_TEXT]);
/* The record's own form; then each of its next hops. */
int fibd_check_nhset(const struct fibd_nhset *, char text[FIBD_TEXT]);
int fibd_check_nh(const struct fibd_fences *, const struct addr *,
    uint8_t flags, const struct fibd_nh_facts *, char text[FIBD_TEXT]);
/* count: how many it has already. */
int fibd_check_listen(
    const struct fibd_req *, unsigned int count, char text[FIBD_TEXT]);
int fibd_check_watch(
    const struct fibd_req *, unsigned int count, char text[FIBD_TEXT]);

#endif /* FIBD_CHECK_H */
