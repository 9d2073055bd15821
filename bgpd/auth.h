/*
 * auth.h -- keys (TCP MD5, TCP-AO) and GTSM of the peers: keys on listeners and
 * live connections, never a connection without the key that is configured, and
 * why a peer with the wrong key or TTL, of which nothing arrives, is not up.
 */
#ifndef AUTH_H
#define AUTH_H

#include <stddef.h>

struct auth;
struct conf_neighbor;
struct engine;
struct peer;

/* Watches the kernel's counters. */
struct auth *auth_new(struct engine *);
void auth_free(struct auth *);

/*
 * The peer's keys, or none, on the listeners, instead of those that it was
 * with (or NULL).  Where the kernel refuses them, or has no TCP-AO,
 * peer->key_why says so and the peer stays down.
 */
void auth_listen(struct peer *, const struct conf_neighbor *was);
/* New keys on its connections as well: they stay. */
void auth_rekey(struct peer *, const struct conf_neighbor *was);
/* What probably keeps it from coming up, "" when nothing is known. */
const char *auth_hint(const struct peer *, char *, size_t);

#endif /* AUTH_H */
