#include "platform/sock.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <string.h>
#include <unistd.h>

/* Headers older than Linux 6.7: its interface, for the probe to find out. */
#ifndef TCP_AO_ADD_KEY
#define TCP_AO_ADD_KEY 38
#define TCP_AO_DEL_KEY 39
#define TCP_AO_INFO 40

struct tcp_ao_add {
	struct sockaddr_storage addr;
	char alg_name[64];
	int32_t ifindex;
	uint32_t set_current : 1, set_rnext : 1, reserved : 30;
	uint16_t reserved2;
	uint8_t prefix, sndid, rcvid, maclen, keyflags, keylen;
	uint8_t key[80];
} __attribute__((aligned(8)));

struct tcp_ao_del {
	struct sockaddr_storage addr;
	int32_t ifindex;
	uint32_t set_current : 1, set_rnext : 1, del_async : 1, reserved : 29;
	uint16_t reserved2;
	uint8_t prefix, sndid, rcvid, current_key, rnext, keyflags;
} __attribute__((aligned(8)));

struct tcp_ao_info_opt {
	uint32_t set_current : 1, set_rnext : 1, ao_required : 1,
	    set_counters : 1, accept_icmps : 1, reserved : 27;
	uint16_t reserved2;
	uint8_t current_key, rnext;
	uint64_t pkt_good, pkt_bad, pkt_key_not_found, pkt_ao_required,
	    pkt_dropped_icmp;
} __attribute__((aligned(8)));
#endif
_Static_assert(sizeof(struct tcp_ao_add) == 288 &&
	sizeof(struct tcp_ao_del) == 144 &&
	sizeof(struct tcp_ao_info_opt) == 48,
    "the kernel's structs");

#ifndef IPV6_MINHOPCOUNT
#define IPV6_MINHOPCOUNT 73
#endif

enum {
	TTL_BGP = 255,
	DSCP_CS6 = 48 << 2,
	AO_MAC_LEN = 12, /* RFC 5926: 96 bits */
};

/* The address as the kernel wants it; returns the length. */
static socklen_t
put_addr(const struct addr *a, uint16_t port, struct sockaddr_storage *ss)
{
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)(void *)ss;
	struct sockaddr_in *in = (struct sockaddr_in *)(void *)ss;

	memset(ss, 0, sizeof *ss);
	if (a->fam == FAM_INET6) {
		in6->sin6_family = AF_INET6;
		in6->sin6_port = htons(port);
		memcpy(&in6->sin6_addr, a->o, 16);
		return sizeof *in6;
	}
	in->sin_family = AF_INET;
	in->sin_port = htons(port);
	memcpy(&in->sin_addr, a->o, 4);
	return sizeof *in;
}

/* The reverse; false for another family. */
static bool
take_addr(const struct sockaddr_storage *ss, struct addr *a, uint16_t *port)
{
	const struct sockaddr_in6 *in6 = (const void *)ss;
	const struct sockaddr_in *in = (const void *)ss;

	if (ss->ss_family == AF_INET6) {
		addr_set(a, FAM_INET6, &in6->sin6_addr);
		*port = ntohs(in6->sin6_port);
	} else if (ss->ss_family == AF_INET) {
		addr_set(a, FAM_INET, &in->sin_addr);
		*port = ntohs(in->sin_port);
	} else
		return false;
	return true;
}

static bool
from_sockaddr(const struct sockaddr *sa, struct addr *a)
{
	struct sockaddr_storage ss = { 0 };
	uint16_t port;

	if (sa == NULL ||
	    (sa->sa_family != AF_INET && sa->sa_family != AF_INET6))
		return false;
	memcpy(&ss, sa,
	    sa->sa_family == AF_INET6 ? sizeof(struct sockaddr_in6)
				      : sizeof(struct sockaddr_in));
	return take_addr(&ss, a, &port);
}

bool
sock_ifaddr(const struct sockaddr *sa, const struct sockaddr *mask,
    struct addr *a, unsigned int *len)
{
	struct addr m;

	if (!from_sockaddr(sa, a) || !from_sockaddr(mask, &m))
		return false;
	*len = 0;
	for (int i = 0; i < 16; i++)
		*len += (unsigned int)__builtin_popcount(m.o[i]);
	return true;
}

static int
set_int(int fd, int level, int name, int value)
{
	if (setsockopt(fd, level, name, &value, sizeof value) == -1)
		return -errno;
	return 0;
}

/* TTL 255 unless asked: it serves a peer with GTSM and hurts none without. */
static int
set_ttl(int fd, enum fam f, uint8_t ttl)
{
	int v = ttl != 0 ? ttl : TTL_BGP;

	if (f == FAM_INET6)
		return set_int(fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS, v);
	return set_int(fd, IPPROTO_IP, IP_TTL, v);
}

static int
set_ip(int fd, enum fam f, uint8_t ttl)
{
	int err = set_ttl(fd, f, ttl);

	if (f == FAM_INET6) {
		if (err == 0)
			err = set_int(fd, IPPROTO_IPV6, IPV6_TCLASS, DSCP_CS6);
		return err;
	}
	if (err == 0)
		err = set_int(fd, IPPROTO_IP, IP_TOS, DSCP_CS6);
	return err;
}

static int
set_min_ttl(int fd, enum fam f, uint8_t ttl)
{
	if (ttl == 0)
		return 0;
	if (f == FAM_INET6)
		return set_int(fd, IPPROTO_IPV6, IPV6_MINHOPCOUNT, ttl);
	return set_int(fd, IPPROTO_IP, IP_MINTTL, ttl);
}

static int
set_md5(int fd, const struct addr *peer, const uint8_t *key, size_t len)
{
	struct tcp_md5sig sig;
	int err = 0;

	memset(&sig, 0, sizeof sig);
	if (len > sizeof sig.tcpm_key)
		return -EINVAL;
	put_addr(peer, 0, &sig.tcpm_addr);
	sig.tcpm_keylen = (uint16_t)len;
	if (len > 0)
		memcpy(sig.tcpm_key, key, len);
	if (setsockopt(fd, IPPROTO_TCP, TCP_MD5SIG, &sig, sizeof sig) == -1)
		err = -errno;
	explicit_bzero(&sig, sizeof sig);
	return err;
}

/* ---- TCP-AO ------------------------------------------------------------ */

static const char *
ao_alg(const struct sock_ao_key *k)
{
	return k->cmac ? "cmac(aes128)" : "hmac(sha1)";
}

/* first: the connection begins with it, and asks for it. */
static int
ao_add(int fd, const struct addr *peer, const struct sock_ao_key *k, bool first)
{
	struct tcp_ao_add a;
	int err = 0;

	memset(&a, 0, sizeof a);
	if (k->len == 0 || k->len > sizeof a.key)
		return -EINVAL;
	put_addr(peer, 0, &a.addr);
	strlcpy(a.alg_name, ao_alg(k), sizeof a.alg_name);
	a.set_current = a.set_rnext = first;
	a.prefix = peer->fam == FAM_INET6 ? 128 : 32;
	a.sndid = k->send_id;
	a.rcvid = k->recv_id;
	a.maclen = AO_MAC_LEN;
	a.keylen = k->len;
	memcpy(a.key, k->key, k->len);
	if (setsockopt(fd, IPPROTO_TCP, TCP_AO_ADD_KEY, &a, sizeof a) == -1)
		err = -errno;
	explicit_bzero(&a, sizeof a);
	return err == -EEXIST ? 0 : err;
}

/* next: what a connection that still uses it goes on with, or NULL. */
static int
ao_del(int fd, const struct addr *peer, const struct sock_ao_key *k,
    const struct sock_ao_key *next)
{
	struct tcp_ao_del d;

	memset(&d, 0, sizeof d);
	put_addr(peer, 0, &d.addr);
	d.prefix = peer->fam == FAM_INET6 ? 128 : 32;
	d.sndid = k->send_id;
	d.rcvid = k->recv_id;
	if (next != NULL) {
		d.set_current = d.set_rnext = 1;
		d.current_key = next->send_id;
		d.rnext = next->recv_id;
	}
	if (setsockopt(fd, IPPROTO_TCP, TCP_AO_DEL_KEY, &d, sizeof d) == -1 &&
	    errno != ENOENT)
		return -errno;
	return 0;
}

/* RFC 5925 3.1: the peer sends with the key whose id we ask for; ours follows
 * what it asks for. */
static int
ao_ask(int fd, const struct sock_ao_key *k)
{
	struct tcp_ao_info_opt o;

	memset(&o, 0, sizeof o);
	o.set_rnext = 1;
	o.rnext = k->recv_id;
	if (setsockopt(fd, IPPROTO_TCP, TCP_AO_INFO, &o, sizeof o) == -1)
		return -errno;
	return 0;
}

/* The connection is a signed one. */
static int
ao_there(int fd)
{
	struct tcp_ao_info_opt o;
	socklen_t n = sizeof o;

	memset(&o, 0, sizeof o);
	if (getsockopt(fd, IPPROTO_TCP, TCP_AO_INFO, &o, &n) == -1)
		return -errno;
	return 0;
}

static bool
ao_has(const struct sock_ao_key *k, size_t n, const struct sock_ao_key *one)
{
	for (size_t i = 0; i < n; i++)
		if (k[i].send_id == one->send_id &&
		    k[i].recv_id == one->recv_id)
			return true;
	return false;
}

int
sock_ao_probe(void)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_TCP), err;

	if (fd == -1)
		return -errno;
	err = ao_there(fd); /* ENOENT: it is known, there are no keys */
	close(fd);
	return err == -ENOENT ? 0 : err;
}

int
sock_ao(int fd, const struct addr *peer, const struct sock_ao_key *k, size_t n,
    const struct sock_ao_key *old, size_t nold, bool connection)
{
	int err = 0;

	for (size_t i = 0; i < n && err == 0; i++)
		if (!connection || !ao_has(old, nold, &k[i]))
			err = ao_add(fd, peer, &k[i], false);
	if (connection && n > 0 && err == 0)
		err = ao_ask(fd, &k[0]);
	for (size_t i = 0; i < nold && err == 0; i++)
		if (!ao_has(k, n, &old[i]))
			err = ao_del(fd, peer, &old[i],
			    connection && n > 0 ? &k[0] : NULL);
	return err;
}

static int
new_socket(const struct addr *a)
{
	int fd = socket(a->fam == FAM_INET6 ? AF_INET6 : AF_INET,
	    SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);

	return fd == -1 ? -errno : fd;
}

static int
dial(
    int fd, const struct addr *remote, uint16_t port, const struct sock_opts *o)
{
	struct sockaddr_storage ss;
	socklen_t n;
	int err;

	if ((err = set_ip(fd, remote->fam, o->ttl)) != 0 ||
	    (err = set_min_ttl(fd, remote->fam, o->min_ttl)) != 0)
		return err;
	if (o->md5_len > 0 &&
	    (err = set_md5(fd, remote, o->md5_key, o->md5_len)) != 0)
		return err;
	for (size_t i = 0; i < o->nao; i++)
		if ((err = ao_add(fd, remote, &o->ao[i], i == 0)) != 0)
			return err;
	set_int(fd, IPPROTO_TCP, TCP_NODELAY, 1);
	if (o->local.fam != FAM_NONE) {
		n = put_addr(&o->local, 0, &ss);
		if (bind(fd, (struct sockaddr *)&ss, n) == -1)
			return -errno;
	}
	n = put_addr(remote, port, &ss);
	if (connect(fd, (struct sockaddr *)&ss, n) == -1 &&
	    errno != EINPROGRESS)
		return -errno;
	return 0;
}

int
sock_dial(const struct addr *remote, uint16_t port, const struct sock_opts *o)
{
	int fd = new_socket(remote), err;

	if (fd < 0)
		return fd;
	if ((err = dial(fd, remote, port, o)) != 0) {
		close(fd);
		return err;
	}
	return fd;
}

int
sock_result(int fd)
{
	socklen_t n = sizeof(int);
	int err;

	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &n) == -1)
		return -errno;
	return -err;
}

int
sock_bind(const struct addr *a, uint16_t port)
{
	struct sockaddr_storage ss;
	socklen_t n = put_addr(a, port, &ss);
	int fd = new_socket(a), err;

	if (fd < 0)
		return fd;
	set_int(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	if (a->fam == FAM_INET6)
		set_int(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
	if (bind(fd, (struct sockaddr *)&ss, n) == -1) {
		err = -errno;
		close(fd);
		return err;
	}
	return fd;
}

int
sock_listen(int fd)
{
	struct sockaddr_storage ss;
	socklen_t n = sizeof ss;
	int err;

	if (getsockname(fd, (struct sockaddr *)&ss, &n) == -1)
		return -errno;
	err = set_ip(fd, ss.ss_family == AF_INET6 ? FAM_INET6 : FAM_INET, 0);
	if (err != 0)
		return err;
	set_int(fd, IPPROTO_TCP, TCP_SAVE_SYN, 1);
	/* A hundred partners may come at once; the system cuts it down. */
	return listen(fd, 4096) == -1 ? -errno : 0;
}

int
sock_md5(int fd, const struct addr *peer, const uint8_t *key, size_t len)
{
	return set_md5(fd, peer, key, key != NULL ? len : 0);
}

int
sock_accept(int fd, struct addr *remote, uint16_t *port)
{
	struct sockaddr_storage ss;
	socklen_t n = sizeof ss;
	int c = accept4(
	    fd, (struct sockaddr *)&ss, &n, SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (c == -1)
		return -errno;
	if (!take_addr(&ss, remote, port)) {
		close(c);
		return -EAFNOSUPPORT;
	}
	return c;
}

int
sock_accepted(int fd, const struct sock_opts *o, uint8_t *syn_ttl)
{
	struct addr remote;
	uint8_t syn[256];
	socklen_t n = sizeof syn;
	uint16_t port;
	int err;

	*syn_ttl = 0;
	if (getsockopt(fd, IPPROTO_TCP, TCP_SAVED_SYN, syn, &n) == 0) {
		if (n >= 20 && syn[0] >> 4 == 4)
			*syn_ttl = syn[8];
		else if (n >= 40 && syn[0] >> 4 == 6)
			*syn_ttl = syn[7];
	}
	if ((err = sock_remote(fd, &remote, &port)) != 0)
		return err;
	/*
	 * It has the listener's key already, unless it came before that was
	 * set: from here on nothing unsigned is taken.
	 */
	if (o->md5_len > 0 &&
	    (err = set_md5(fd, &remote, o->md5_key, o->md5_len)) != 0)
		return err;
	/* These cannot be added to it any more. */
	if (o->nao > 0 && (err = ao_there(fd)) != 0)
		return err;
	set_int(fd, IPPROTO_TCP, TCP_NODELAY, 1);
	if ((err = set_ttl(fd, remote.fam, o->ttl)) != 0)
		return err;
	return set_min_ttl(fd, remote.fam, o->min_ttl);
}

int
sock_local(int fd, struct addr *a, uint16_t *port)
{
	struct sockaddr_storage ss;
	socklen_t n = sizeof ss;

	if (getsockname(fd, (struct sockaddr *)&ss, &n) == -1)
		return -errno;
	return take_addr(&ss, a, port) ? 0 : -EAFNOSUPPORT;
}

int
sock_remote(int fd, struct addr *a, uint16_t *port)
{
	struct sockaddr_storage ss;
	socklen_t n = sizeof ss;

	if (getpeername(fd, (struct sockaddr *)&ss, &n) == -1)
		return -errno;
	return take_addr(&ss, a, port) ? 0 : -EAFNOSUPPORT;
}
