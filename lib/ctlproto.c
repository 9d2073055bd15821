#include "lib/ctlproto.h"

#include <assert.h>
#include <string.h>

enum ctl_verdict
ctl_request_parse(const void *buf, size_t len, struct ctl_request *r)
{
	const char *p = buf, *end = p + len;

	r->n = 0;
	if (len == 0)
		return CTL_MORE;
	r->version = (uint8_t)*p++;
	/* What follows may mean anything in another version. */
	if (r->version != CTL_VERSION)
		return CTL_BAD_VERSION;
	while (p < end) {
		const char *nul = memchr(p, '\0', (size_t)(end - p));

		if (nul == NULL)
			break;
		if (nul == p) {
			if (r->n == 0)
				return CTL_EMPTY;
			if (len > CTL_REQUEST_MAX)
				return CTL_TOO_LONG;
			return nul + 1 == end ? CTL_OK : CTL_TRAILING;
		}
		if (r->n == CTL_WORDS_MAX)
			return CTL_TOO_MANY;
		r->word[r->n++] = p;
		p = nul + 1;
	}
	return len >= CTL_REQUEST_MAX ? CTL_TOO_LONG : CTL_MORE;
}

enum ctl_verdict
ctl_request_write(struct wbuf *w, size_t n, const char *const *word)
{
	size_t before = w->len;

	if (n == 0)
		return CTL_EMPTY;
	if (n > CTL_WORDS_MAX)
		return CTL_TOO_MANY;
	wbuf_u8(w, CTL_VERSION);
	for (size_t i = 0; i < n; i++) {
		if (word[i][0] == '\0') {
			wbuf_cut(w, before);
			return CTL_EMPTY;
		}
		wbuf_bytes(w, word[i], strlen(word[i]) + 1);
	}
	wbuf_u8(w, 0);
	return w->over || w->len - before > CTL_REQUEST_MAX ? CTL_TOO_LONG
							    : CTL_OK;
}

const char *
ctl_verdict_text(enum ctl_verdict v)
{
	switch (v) {
	case CTL_BAD_VERSION:
		return "the request is of another version of the control "
		       "protocol; use the ana-bgpctl of the daemon's release";
	case CTL_TOO_LONG:
		return "the request is longer than 8192 octets";
	case CTL_TOO_MANY:
		return "the request has more than 64 words";
	case CTL_EMPTY:
		return "the request has no word, or an empty one";
	case CTL_TRAILING:
		return "octets follow the end of the request";
	case CTL_OK:
	case CTL_MORE:
		break;
	}
	return "";
}

void
ctl_frame_write(uint8_t head[CTL_HEAD_LEN], enum ctl_type type, size_t len)
{
	assert(len <= CTL_PAYLOAD_MAX);
	head[0] = (uint8_t)type;
	head[1] = (uint8_t)(len >> 16);
	head[2] = (uint8_t)(len >> 8);
	head[3] = (uint8_t)len;
}

bool
ctl_frame_parse(const uint8_t head[CTL_HEAD_LEN], struct ctl_frame *f)
{
	f->type = (enum ctl_type)head[0];
	f->len = (uint32_t)head[1] << 16 | (uint32_t)head[2] << 8 | head[3];
	return f->type == CTL_OUT || f->type == CTL_ERR ||
	    (f->type == CTL_EXIT && f->len == 1);
}
