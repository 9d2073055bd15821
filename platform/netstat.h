/*
 * netstat.h -- counters of the kernel's TCP (/proc/net/netstat) that say why
 * a connection does not come up.  They are the network namespace's, not one
 * connection's.
 */
#ifndef NETSTAT_H
#define NETSTAT_H

#include <stdbool.h>
#include <stdint.h>

enum netstat_id {
	NETSTAT_MD5_NOT_FOUND, /* a signature was wanted, there was none */
	NETSTAT_MD5_UNEXPECTED, /* none was wanted, there was one */
	NETSTAT_MD5_FAILURE, /* it was wrong */
	NETSTAT_MIN_TTL_DROP, /* below IP_MINTTL or IPV6_MINHOPCOUNT */
	NETSTAT_N
};

/* To be opened before a sandbox closes the way; a negative errno. */
int netstat_open(void);
/* All of them now; false: not to be had. */
bool netstat_read(int fd, uint64_t value[NETSTAT_N]);
/* Of the file's text; counters that the kernel lacks are 0. */
bool netstat_parse(char *text, uint64_t value[NETSTAT_N]);

#endif /* NETSTAT_H */
