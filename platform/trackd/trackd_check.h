/* trackd_check.h -- is a record of the speaker's one that may be obeyed? */
#ifndef TRACKD_CHECK_H
#define TRACKD_CHECK_H

#include <stdbool.h>
#include <stddef.h>

#include "platform/trackd_proto.h"

/* NULL: it may, and is whole; else a sentence. */
const char *trackd_check(const void *record, size_t len);
/* A name that cannot lead out of the programs' directory. */
bool trackd_check_program(const char *);

#endif /* TRACKD_CHECK_H */
