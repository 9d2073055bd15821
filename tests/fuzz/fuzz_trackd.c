/*
 * fuzz_trackd.c -- any octets as a datagram from the speaker to ana-trackd.
 * What the check lets pass is said again here in other words: whole, texts that
 * end, a program's name that leads nowhere else, no second line in a request.
 */
#include <string.h>

#include "platform/trackd/trackd_check.h"
#include "tests/fuzz/must.h"

static void
set(const struct trackd_set *s)
{
	size_t name = strnlen(s->name, sizeof s->name),
	       host = strnlen(s->host, sizeof s->host);

	MUST(s->h.id != 0);
	MUST(name > 0 && name < sizeof s->name && host < sizeof s->host);
	MUST(s->interval_ms >= 100 && s->timeout_ms >= 100);
	MUST(s->timeout_ms <= 600000);
	if (s->kind == TRACKD_EXEC) {
		MUST(memchr(s->name, '/', name) == NULL);
		MUST(s->name[0] != '.');
		return;
	}
	MUST(s->kind == TRACKD_TCP || s->kind == TRACKD_HTTP);
	MUST(s->port != 0 && (s->fam == 1 || s->fam == 2));
	if (s->kind == TRACKD_HTTP)
		for (const char *p = "\r\n \t"; *p != '\0'; p++)
			MUST(memchr(s->name, *p, name) == NULL &&
			    memchr(s->host, *p, host) == NULL);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct trackd_set s;
	struct trackd_hdr h;
	const char *why = trackd_check(data, len);

	if (why != NULL) {
		MUST(why[0] != '\0');
		return 0;
	}
	MUST(len >= sizeof h);
	memcpy(&h, data, sizeof h);
	MUST(h.size == len && h.version == TRACKD_VERSION);
	MUST(h.type != TRACKD_READY && h.type != TRACKD_RESULT);
	if (h.type != TRACKD_SET)
		return 0;
	MUST(len == sizeof s);
	memcpy(&s, data, sizeof s);
	/* TCP has no name. */
	if (s.kind == TRACKD_TCP && s.name[0] == '\0')
		memcpy(s.name, "/", 2);
	set(&s);
	return 0;
}
