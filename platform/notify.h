/*
 * notify.h -- what the service manager is told, in the protocol of
 * sd_notify(3): datagrams of lines to the socket $NOTIFY_SOCKET.  Used by each
 * service.  Nothing is told, and nothing fails, where there is no such socket.
 */
#ifndef NOTIFY_H
#define NOTIFY_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Connects, for a sandbox in which no socket can be made any more, and forgets
 * the variables, so that no child uses them.  Once, before notify().
 */
void notify_open(void);
/*
 * Lines such as "READY=1\nSTATUS=text".  Does not wait: false when the manager
 * is too busy to be told now.
 */
bool notify(const char *lines);
/* "RELOADING=1", with the time by which the manager knows it from others. */
void notify_reloading(uint64_t now_us);
/*
 * How often it wants to hear "WATCHDOG=1" from this process, in milliseconds:
 * half of the time after which it acts.  0: never.
 */
uint32_t notify_watchdog_ms(void);

#endif /* NOTIFY_H */
