/*
 * ctlproto.h -- the protocol of the control sockets, for both ends.
 *
 * A request: a version octet, each word of the command ended by NUL, an empty
 * word.  Options (-j, -n) are words in front.  One request a connection.
 *
 * The answer: frames of a type octet, three octets of length (network order)
 * and a payload.  The last is an X, so that an exit code follows an answer of
 * any length; an answer without it broke off.
 */
#ifndef CTLPROTO_H
#define CTLPROTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/wbuf.h"

enum {
	CTL_VERSION = 1,
	CTL_REQUEST_MAX = 8192, /* octets, all told */
	CTL_WORDS_MAX = 64,
	CTL_HEAD_LEN = 4,
	CTL_PAYLOAD_MAX = 0xffffff, /* what a reader must take */
	CTL_PAYLOAD_GOOD = 32768, /* what a writer should keep to */
};

enum ctl_type {
	CTL_OUT = 'O', /* for standard output */
	CTL_ERR = 'E', /* for standard error */
	CTL_EXIT = 'X', /* one octet: enum cmd_exit of lib/cmd.h */
};

/* ---- request ---- */

enum ctl_verdict {
	CTL_OK,
	CTL_MORE, /* not whole yet */
	CTL_BAD_VERSION,
	CTL_TOO_LONG,
	CTL_TOO_MANY,
	CTL_EMPTY, /* no word at all */
	CTL_TRAILING, /* octets after the end */
};

/* The words lie in the buffer that was parsed. */
struct ctl_request {
	uint8_t version;
	size_t n;
	const char *word[CTL_WORDS_MAX];
};

/* Looks at all octets that have come so far, from the first on. */
enum ctl_verdict ctl_request_parse(
    const void *, size_t len, struct ctl_request *);
/*
 * CTL_OK; CTL_TOO_MANY, CTL_TOO_LONG (wbuf.over), or CTL_EMPTY also when one
 * of the words is empty: the protocol cannot carry it.
 */
enum ctl_verdict ctl_request_write(
    struct wbuf *, size_t n, const char *const *word);
/* A sentence for the other end; "" for CTL_OK and CTL_MORE. */
const char *ctl_verdict_text(enum ctl_verdict);

/* ---- answer ---- */

struct ctl_frame {
	enum ctl_type type;
	uint32_t len;
};

void ctl_frame_write(uint8_t head[CTL_HEAD_LEN], enum ctl_type, size_t len);
/* False: an unknown type, or an X of a length that is not 1. */
bool ctl_frame_parse(const uint8_t head[CTL_HEAD_LEN], struct ctl_frame *);

#endif /* CTLPROTO_H */
