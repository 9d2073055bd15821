/*
 * auth.h -- TCP MD5 keys and GTSM of the peers: keys on listeners and live
 * connections, never a connection without the key that is configured, and
 * why a peer with the wrong key or TTL, of which nothing arrives, is not up.
 */
#ifndef AUTH_H
#define AUTH_H

#include <stddef.h>

struct auth;
struct engine;
struct peer;

/* Watches the kernel's counters. */
struct auth *auth_new(struct engine *);
void auth_free(struct auth *);

/*
 * The peer's key, or none, on the listeners.  Where the kernel refuses it,
 * peer->key_why says so and the peer stays down.
 */
void auth_listen(struct peer *);
/* A new key on its connections as well: they stay. */
void auth_rekey(struct peer *);
/* What probably keeps it from coming up, "" when nothing is known. */
const char *auth_hint(const struct peer *, char *, size_t);

#endif /* AUTH_H */
