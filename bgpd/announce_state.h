/*
 * announce_state.h -- what is kept of announcements over a restart, as text in
 * the configuration's grammar.  All times are ages or what is left, against
 * the clock's value when it was written.
 */
#ifndef ANNOUNCE_STATE_H
#define ANNOUNCE_STATE_H

#include <stddef.h>
#include <stdint.h>

#include "bgpd/announce/announce.h"

/* Allocated; NULL: there is nothing to keep.  boot is the system's name for
 * this boot, "" when there is none. */
char *announce_state_print(
    const struct announce *, const char *boot, uint64_t now_ms);

/*
 * Takes over what there is of networks and tracks that are configured, and
 * what was added for good.  now_ms of the same clock, or of a later boot's: one
 * of another name, or a clock that went backwards, is one, and then nothing is
 * known of tracks, and of networks what was commanded only.  Returns false when
 * the text is damaged; what can be read of it is used.
 */
bool announce_state_parse(struct announce *, const char *text, size_t len,
    const char *boot, uint64_t now_ms);

#endif /* ANNOUNCE_STATE_H */
