/*
 * sock.h -- TCP sockets of BGP sessions: every setsockopt of the speaker
 * stands behind this.  All descriptors are non-blocking and close-on-exec.
 * Functions return 0 or a descriptor, or a negative errno.
 */
#ifndef SOCK_H
#define SOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "lib/addr.h"

enum {
	SOCK_AO_MAX = 8
};

/* A key of TCP-AO (RFC 5925); the octets are borrowed. */
struct sock_ao_key {
	uint8_t send_id, recv_id;
	bool cmac; /* AES-128-CMAC-96, else HMAC-SHA-1-96 */
	uint8_t len;
	const uint8_t *key;
};

/* What differs between neighbors; all optional. */
struct sock_opts {
	struct addr local; /* source address, or none */
	uint8_t ttl; /* of what is sent; 0: 255 */
	uint8_t min_ttl; /* GTSM (RFC 5082): drop what is lower; 0: off */
	const uint8_t *md5_key; /* RFC 2385; borrowed */
	size_t md5_len;
	struct sock_ao_key ao[SOCK_AO_MAX]; /* the first is to be used */
	size_t nao;
};

/* An interface's address and mask as getifaddrs() has them, NULL included. */
bool sock_ifaddr(const struct sockaddr *, const struct sockaddr *mask,
    struct addr *, unsigned int *len);

/* Starts to connect; the result comes with writability, sock_result(). */
int sock_dial(const struct addr *, uint16_t port, const struct sock_opts *);
/* 0, or the negative errno that a connect ended with. */
int sock_result(int fd);

/* Binds without listening; only where ana-fibd does not (-F memory). */
int sock_bind(const struct addr *, uint16_t port);
/* Prepares a bound socket (ours or ana-fibd's) and listens, last. */
int sock_listen(int fd);
/*
 * The peer's key on a listener, or a new key on a connection, which then goes
 * on with it; key NULL removes it.
 */
int sock_md5(int fd, const struct addr *peer, const uint8_t *key, size_t len);
/* 0; -ENOPROTOOPT: this kernel has no TCP-AO. */
int sock_ao_probe(void);
/*
 * The peer's keys on a listener, or on a connection that has some: adds what
 * is new, removes what is only in `old`, and asks on a connection for the
 * first.
 */
int sock_ao(int fd, const struct addr *peer, const struct sock_ao_key *,
    size_t n, const struct sock_ao_key *old, size_t nold, bool connection);
/* The next connection, the caller's to close; -EAGAIN when nobody waits. */
int sock_accept(int fd, struct addr *remote, uint16_t *port);
/* On an accepted socket; the TTL of the SYN is in *syn_ttl, 0 if unknown. */
int sock_accepted(int fd, const struct sock_opts *, uint8_t *syn_ttl);
/* The ends of a connection. */
int sock_local(int fd, struct addr *, uint16_t *port);
int sock_remote(int fd, struct addr *, uint16_t *port);

#endif /* SOCK_H */
