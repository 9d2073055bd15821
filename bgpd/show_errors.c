/* show_errors.c -- what was wrong with what a neighbor sent, octet by octet. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bgpd/engine.h"
#include "bgpd/evidence.h"
#include "bgpd/show_cmd.h"
#include "bgpd/show_peer.h"

enum {
	ROW = 16, /* octets in a line */
	BEFORE = 8, /* lines in front of the octet at fault */
	LINES = 32, /* of one message; the pcap file has the rest */
	DUMP_LEN = 2048,
};

static const struct {
	const char *key, *title, *did;
} verdict[] = {
	[WIRE_DISCARD] = { "discard", "attribute discarded",
	    "the attribute was discarded" },
	[WIRE_WITHDRAW] = { "withdraw", "treated as withdrawn",
	    "its prefixes were treated as withdrawn" },
	[WIRE_RESET] = { "reset", "session ended", "the session was ended" },
};

/* ---- one message ------------------------------------------------------ */

/* "00 12>03<40": the marks stand where a blank stood, so columns stay. */
static void
hex_line(struct out *o, const struct evidence_item *e, size_t at)
{
	char hex[3 * ROW + 2], text[ROW + 1];
	size_t n = e->kept - at < ROW ? e->kept - at : ROW;

	memset(hex, ' ', sizeof hex);
	for (size_t i = 0; i < n; i++) {
		uint8_t v = e->msg[at + i];
		bool here = at + i == e->at, was = i > 0 && at + i - 1 == e->at;

		snprintf(hex + 3 * i, 4, "%c%02x",
		    here      ? '>'
			: was ? '<'
			      : ' ',
		    v);
		/* Only what no terminal takes for more than a letter. */
		text[i] = v >= 0x20 && v < 0x7f ? (char)v : '.';
	}
	hex[3 * n] = e->at == at + n - 1 ? '<' : ' ';
	hex[3 * ROW + 1] = '\0';
	text[n] = '\0';
	out_text(o, "      %04zx %s |%s|\n", at, hex, text);
}

static void
hex_text(struct out *o, const struct evidence_item *e)
{
	size_t lines = (e->kept + ROW - 1) / ROW, from = 0, at = e->at / ROW;

	if (lines > LINES && at > BEFORE)
		from =
		    at - BEFORE < lines - LINES ? at - BEFORE : lines - LINES;
	if (from > 0)
		out_text(o, "      ...\n");
	for (size_t i = from; i < lines && i < from + LINES; i++)
		hex_line(o, e, i * ROW);
	if (from + LINES < lines || e->kept < e->len)
		out_text(o, "      ...\n");
}

static const char *
decoded(const struct evidence_item *e, char *buf, size_t n)
{
	size_t len =
	    wire_dump(e->msg, e->kept, e->agreed ? &e->neg : NULL, buf, n);

	if (len >= n)
		memcpy(buf + n - 4, "...", 4);
	return buf;
}

static void
item_text(struct out *o, const struct evidence_item *e)
{
	char t[OUT_TIME_LEN], when[32], line[DUMP_LEN];
	char why[4 * sizeof e->why], rfc[4 * sizeof e->rfc];
	int64_t last_s = e->last_ms / 1000;

	out_text(o, "\n  %s, %s ago", show_time(last_s, when, sizeof when),
	    show_ago(last_s, t, sizeof t));
	if (e->count > 1)
		out_text(o, ", %llu times since %s",
		    (unsigned long long)e->count,
		    show_time(e->first_ms / 1000, when, sizeof when));
	out_text(o, ": octet %zu of %zu", e->at, e->len);
	if (e->attr != 0)
		out_text(o, ", attribute %u", e->attr);
	/* Out of a file, perhaps. */
	out_text(o, ": %s (%s); %s", out_safe(e->why, why, sizeof why),
	    out_safe(e->rfc, rfc, sizeof rfc), verdict[e->verdict].did);
	if (e->verdict == WIRE_RESET)
		out_text(o, ", NOTIFICATION %u/%u", e->code, e->sub);
	out_text(o, "\n    %s\n", decoded(e, line, sizeof line));
	hex_text(o, e);
}

static void
item_json(struct out *o, const struct evidence_item *e)
{
	char line[DUMP_LEN], when[32], hex[2 * EVIDENCE_KEEP + 1];
	char a[ADDR_STRLEN];

	out_obj(o, NULL);
	out_str(o, "time", show_time(e->last_ms / 1000, when, sizeof when));
	out_str(
	    o, "first_time", show_time(e->first_ms / 1000, when, sizeof when));
	out_u64(o, "count", e->count);
	out_str(o, "reaction", verdict[e->verdict].key);
	if (e->verdict == WIRE_RESET) {
		out_u64(o, "error_code", e->code);
		out_u64(o, "error_subcode", e->sub);
	}
	out_str(o, "why", e->why);
	out_str(o, "rfc", e->rfc);
	if (e->attr != 0)
		out_u64(o, "attribute", e->attr);
	out_u64(o, "octet", e->at);
	out_u64(o, "length", e->len);
	out_str(o, "source", addr_print(&e->src, a, sizeof a));
	out_u64(o, "source_port", e->sport);
	out_str(o, "decoded", decoded(e, line, sizeof line));
	out_str(o, "octets", show_hex(e->msg, e->kept, hex, sizeof hex));
	out_end(o);
}

/* ---- NOTIFICATIONs ---------------------------------------------------- */

static void
notif_text(struct out *o, const struct peer_notif *n)
{
	char t[OUT_TIME_LEN], when[32], hex[2 * 64 + 1], what[SHOW_NOTIF_LEN];

	out_text(o, "  %s, %s ago: %s (%u/%u) %s\n",
	    show_time(n->when_s, when, sizeof when),
	    show_ago(n->when_s, t, sizeof t), n->sent ? "sent" : "received",
	    n->code, n->sub, show_notif_print(n, what, sizeof what));
	if (n->len > 0)
		out_text(o, "    data (%zu octets): %s%s\n", n->len,
		    show_hex(n->data, show_notif_kept(n), hex, sizeof hex),
		    n->len > sizeof n->data ? "..." : "");
}

/* ---- the answer ------------------------------------------------------- */

static void
errors_text(struct show *s, const struct peer *p)
{
	const struct evidence_item *e;
	const struct peer_notif *n;
	struct out *o = s->out;
	char name[256];

	out_text(o, "Neighbor %s, AS%u\n\n", show_name(s, p, name, sizeof name),
	    p->conf->remote_as);
	out_text(o, "  Messages in error, by reaction (RFC 7606):\n");
	for (int v = WIRE_DISCARD; v <= WIRE_RESET; v++)
		out_text(o, "  %-22s %10llu\n", verdict[v].title,
		    (unsigned long long)p->malformed[v]);
	out_text(o, "\n  NOTIFICATIONs, the last one first:\n");
	for (unsigned int i = 0; (n = show_peer_notif(p, i)) != NULL; i++)
		notif_text(o, n);
	if (p->nnotif == 0)
		out_text(o, "  none\n");
	out_text(o,
	    "\n  Messages in error, the last one first, the octet at "
	    "fault between > and <:\n");
	for (unsigned int i = 0; (e = evidence_get(p->evidence, i)) != NULL;
	     i++)
		item_text(o, e);
	if (evidence_get(p->evidence, 0) == NULL)
		out_text(o, "  none\n");
}

static void
errors_json(struct show *s, const struct peer *p)
{
	const struct evidence_item *e;
	const struct peer_notif *n;
	struct out *o = s->out;

	out_obj(o, NULL);
	show_peer_json_head(s, p);
	out_obj(o, "malformed");
	for (int v = WIRE_DISCARD; v <= WIRE_RESET; v++)
		out_u64(o, verdict[v].key, p->malformed[v]);
	out_end(o);
	out_arr(o, "notifications");
	for (unsigned int i = 0; (n = show_peer_notif(p, i)) != NULL; i++) {
		out_obj(o, NULL);
		show_notif_json(o, n);
		out_end(o);
	}
	out_end(o);
	out_arr(o, "messages");
	for (unsigned int i = 0; (e = evidence_get(p->evidence, i)) != NULL;
	     i++)
		item_json(o, e);
	out_end(o);
	out_end(o);
}

static bool
rows_errors(struct show *s, unsigned int budget)
{
	const struct peer *p = s->eng->by_num[s->only];
	uint8_t *pcap;
	size_t n;

	if (s->req.file != NULL) {
		pcap = evidence_pcap(p->evidence, &n);
		out_raw(s->out, pcap, n);
		free(pcap);
	} else if (out_is_json(s->out))
		errors_json(s, p);
	else
		errors_text(s, p);
	return false;
}

const struct show_cmd show_cmd_errors = { "neighbors", show_only, rows_errors };
