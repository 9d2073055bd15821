/* show_peer.h -- what is to be said about one neighbor, for show*.c alone. */
#ifndef SHOW_PEER_H
#define SHOW_PEER_H

#include "bgpd/peer.h"
#include "bgpd/show.h"

enum {
	SHOW_NOTIF_LEN = 2600,
	SHOW_WHY_LEN = 1400,
	SHOW_HISTORY = 5
};

/* show_peer.c: text, and what both need */
void show_peer_text(struct show *, struct peer *);
/* Seconds since it went up or down; -1: never was up. */
int64_t show_peer_updown(const struct peer *);
/* Why it is not up, and what happens next, as one sentence; "" when up. */
const char *show_peer_why(const struct peer *, char *buf, size_t);
/* What ended its last session or attempt; when it is up, the one before; "". */
const char *show_peer_reason(const struct peer *, char *buf, size_t);
/* Prefixes of both families, and how many it may send; 0: any number. */
uint32_t show_peer_accepted(const struct peer *);
uint32_t show_peer_rejected(const struct peer *);
uint32_t show_peer_max(const struct peer *);
/* " (drained) (frozen)": what is not as usual although it is up; or "". */
const char *show_peer_marks(const struct peer *);
/* The i-th NOTIFICATION or state change, the last one first, or NULL. */
const struct peer_notif *show_peer_notif(const struct peer *, unsigned int i);
const struct peer_step *show_peer_step(const struct peer *, unsigned int i);
/* The last one that was sent, or received; NULL: none is kept. */
const struct peer_notif *show_peer_last(const struct peer *, bool sent);
/* "Cease, Administrative Shutdown: \"maintenance\"" */
const char *show_notif_print(const struct peer_notif *, char *buf, size_t);
size_t show_notif_kept(const struct peer_notif *);
/* What both sides have, in the form of what one side has. */
void show_peer_agreed(const struct session *, struct wire_caps *);
const char *show_role(uint8_t role);
/* What the peer is told now. */
uint32_t show_peer_told(const struct peer *, enum fam);
/* The i-th timer of the peer or its session; false after the last. */
bool show_peer_timer(
    const struct peer *, unsigned int i, const struct timer **);

/* show_drain.c: who drains it, why, until when; nothing when nobody does. */
void show_drain_text(struct show *, const struct peer *);
void show_drain_json(struct show *, const struct peer *);

/* show_peer_json.c */
void show_peer_json(struct show *, struct peer *);
/* What `show summary` says too: the open object's first members. */
void show_peer_json_head(struct show *, const struct peer *);
void show_notif_json(struct out *, const struct peer_notif *);

#endif /* SHOW_PEER_H */
