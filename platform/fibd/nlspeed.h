/* nlspeed.h -- a link's speed, by ethtool's generic netlink. */
#ifndef NLSPEED_H
#define NLSPEED_H

#include <stdint.h>

struct nlspeed;

/* NULL: this kernel has no ethtool netlink (before 5.6). */
struct nlspeed *nlspeed_open(void);
void nlspeed_close(struct nlspeed *);
/* Mbit/s; 0: not known. */
uint32_t nlspeed_get(struct nlspeed *, uint32_t ifindex);

#endif /* NLSPEED_H */
