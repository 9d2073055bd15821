/*
 * asregex.h -- regular expressions over AS paths, whose letters are whole AS
 * numbers: "64500" is that AS and never a part of another number.
 *
 *	64500		that AS		.		any AS
 *	[64512-65534]	one of a range, or of several: [1 3-5]
 *	( | )		alternatives	* + ?		repetition
 *	^ $		begin and end of the path
 *	_ or a space	between two numbers; means nothing else
 *
 * An expression without ^ or $ matches anywhere.  Compiled into a state
 * machine that is walked with all its states at once: a path costs its length
 * times the size of the expression, whatever a peer sends.
 */
#ifndef ASREGEX_H
#define ASREGEX_H

#include "bgpd/wire/wire.h"

struct asregex;

/* NULL: *why says what is wrong, at the offset *at. */
struct asregex *asregex_new(const char *, const char **why, size_t *at);
void asregex_free(struct asregex *);
/* An AS_SET counts as its members, one after the other. */
bool asregex_match(const struct asregex *, struct octets as_path);

#endif /* ASREGEX_H */
