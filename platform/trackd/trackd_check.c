#include "platform/trackd/trackd_check.h"

#include <string.h>

#include "lib/addr.h"

bool
trackd_check_program(const char *name)
{
	static const char ok[] = "abcdefghijklmnopqrstuvwxyz"
				 "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.:-";

	return name[0] != '\0' && name[0] != '.' &&
	    strspn(name, ok) == strlen(name);
}

static const char *
check_set(const struct trackd_set *s)
{
	bool net = s->kind == TRACKD_TCP || s->kind == TRACKD_HTTP;

	if (s->h.id == 0)
		return "a track without a number";
	if (!net && s->kind != TRACKD_EXEC)
		return "an unknown kind of probe";
	if (memchr(s->name, '\0', sizeof s->name) == NULL ||
	    memchr(s->host, '\0', sizeof s->host) == NULL)
		return "a text without an end";
	if (s->interval_ms < 100 || s->interval_ms > 86400000 ||
	    s->timeout_ms < 100 || s->timeout_ms > 600000)
		return "an interval or a timeout out of bounds";
	if (net &&
	    (s->port == 0 || (s->fam != FAM_INET && s->fam != FAM_INET6) ||
		(s->source_fam != FAM_NONE && s->source_fam != s->fam)))
		return "an address that is none";
	if (s->kind == TRACKD_HTTP &&
	    (s->name[0] != '/' || !trackd_is_word(s->name) ||
		!trackd_is_word(s->host)))
		return "a path or a host that is none";
	if (s->kind == TRACKD_EXEC && !trackd_check_program(s->name))
		return "a program's name that is none";
	return NULL;
}

const char *
trackd_check(const void *record, size_t len)
{
	struct trackd_set s;
	struct trackd_hdr h;

	if (len < sizeof h)
		return "a record that is too short";
	memcpy(&h, record, sizeof h);
	if (h.version != TRACKD_VERSION)
		return "a record of another version";
	if (h.type != TRACKD_HELLO && h.type != TRACKD_SET &&
	    h.type != TRACKD_END)
		return "an unknown record";
	if (h.size != len || len != trackd_size(h.type))
		return "a record of a wrong size";
	if (h.type != TRACKD_SET)
		return NULL;
	memcpy(&s, record, sizeof s);
	return check_set(&s);
}
