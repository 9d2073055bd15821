#include "bgpd/evidence.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bgpd/engine.h"
#include "bgpd/log.h"
#include "lib/mem.h"
#include "lib/pcap.h"
#include "platform/clock.h"

enum {
	SAVE_MS = 1000, /* the file is written at most once in this time */
	NOTE_MAX = 704,
	SYSLOG_PORT = 514,
	FILE_MAX = PCAP_HEAD_LEN +
	    EVIDENCE_N * (2 * PCAP_PKT_MAX + NOTE_MAX + EVIDENCE_KEEP),
};

struct evidence {
	struct engine *eng;
	struct evidence_item item[EVIDENCE_N]; /* order 0: free */
	uint64_t order;
	char *path; /* NULL: nowhere to keep it */
	struct timer save;
	bool dirty, failed; /* failed: said already */
	uint64_t saved_ms; /* 0: never */
};

/* ---- notes: what the octets alone do not say ---------------------------- */

enum {
	NEG_AS4 = 1,
	NEG_INET = 2,
	NEG_INET6 = 4,
	NEG_NEXTHOP = 8,
	NEG_EXT = 16,
	NEG_INTERNAL = 32,
	NEG_AGREED = 64,
};

static unsigned int
neg_pack(const struct evidence_item *e)
{
	const struct wire_neg *n = &e->neg;

	return (n->as4 ? NEG_AS4 : 0u) | (n->mp[FAM_INET] ? NEG_INET : 0u) |
	    (n->mp[FAM_INET6] ? NEG_INET6 : 0u) |
	    (n->ext_nexthop ? NEG_NEXTHOP : 0u) | (n->ext_rx ? NEG_EXT : 0u) |
	    (n->internal ? NEG_INTERNAL : 0u) | (e->agreed ? NEG_AGREED : 0u);
}

static void
neg_unpack(struct evidence_item *e, unsigned int v)
{
	e->agreed = v & NEG_AGREED;
	e->neg = (struct wire_neg){ .as4 = v & NEG_AS4,
		.mp = { [FAM_INET] = v & NEG_INET,
		    [FAM_INET6] = v & NEG_INET6 },
		.ext_nexthop = v & NEG_NEXTHOP,
		.ext_rx = v & NEG_EXT,
		.internal = v & NEG_INTERNAL,
		.allow_as_set = true };
}

static int
note_print(const struct evidence_item *e, char *buf, size_t n)
{
	return snprintf(buf, n,
	    "<28>ana-bgpd: octet %zu of %zu, attribute %u: \"%s\" (%s); "
	    "verdict %u, NOTIFICATION %u/%u, count %" PRIu64 ", first %" PRId64
	    ", last %" PRId64 ", session %02x",
	    e->at, e->len, e->attr, e->why, e->rfc, (unsigned int)e->verdict,
	    e->code, e->sub, e->count, e->first_ms, e->last_ms, neg_pack(e));
}

/* What the file's seconds of 32 bits can say. */
static bool
is_time(int64_t ms)
{
	return ms >= 0 && ms / 1000 <= UINT32_MAX;
}

/* The reverse, of a file that anybody may have changed. */
static bool
note_parse(const struct cur *c, struct evidence_item *e)
{
	unsigned int verdict, code, sub, attr, neg;
	char text[NOTE_MAX];
	int n;

	if (cur_left(c) >= sizeof text)
		return false;
	memcpy(text, c->p, cur_left(c));
	text[cur_left(c)] = '\0';
	n = sscanf(text,
	    "<28>ana-bgpd: octet %zu of %zu, attribute %u: \"%287[^\"]\" "
	    "(%31[^)]); "
	    "verdict %u, NOTIFICATION %u/%u, count %" SCNu64 ", first %" SCNd64
	    ", last %" SCNd64 ", session %x",
	    &e->at, &e->len, &attr, e->why, e->rfc, &verdict, &code, &sub,
	    &e->count, &e->first_ms, &e->last_ms, &neg);
	if (n != 12 || verdict < WIRE_DISCARD || verdict > WIRE_RESET ||
	    e->len > WIRE_MAX_EXT || !is_time(e->first_ms) ||
	    !is_time(e->last_ms))
		return false;
	e->verdict = (enum wire_verdict)verdict;
	e->code = (uint8_t)code;
	e->sub = (uint8_t)sub;
	e->attr = (uint8_t)attr;
	neg_unpack(e, neg);
	return true;
}

/* ---- the file --------------------------------------------------------- */

static void
put_item(struct wbuf *w, const struct evidence_item *e, uint32_t *seq)
{
	char note[NOTE_MAX];
	struct pcap_pkt p = { .when_us = e->last_ms * 1000,
		.src = e->src,
		.dst = e->dst,
		.sport = SYSLOG_PORT,
		.dport = SYSLOG_PORT,
		.proto = PCAP_UDP,
		.data = (const uint8_t *)note };

	note_print(e, note, sizeof note);
	p.len = p.whole = strlen(note);
	pcap_put(w, &p);
	p.proto = PCAP_TCP;
	p.sport = e->sport;
	p.dport = e->dport;
	p.seq = *seq;
	p.data = e->msg;
	p.len = e->kept;
	p.whole = e->len;
	pcap_put(w, &p);
	*seq += (uint32_t)e->len;
}

uint8_t *
evidence_pcap(const struct evidence *ev, size_t *len)
{
	uint8_t *p = mem_alloc(FILE_MAX);
	const struct evidence_item *e;
	uint32_t seq = 1;
	struct wbuf w;

	wbuf_init(&w, p, FILE_MAX);
	pcap_head(&w);
	for (unsigned int i = EVIDENCE_N; i-- > 0;)
		if ((e = evidence_get(ev, i)) != NULL)
			put_item(&w, e, &seq);
	*len = w.len;
	return p;
}

/* No fsync: the loop must not wait for a disk because of a bad peer. */
static bool
write_file(const char *path, const uint8_t *p, size_t len)
{
	char *fresh = mem_printf("%s.new", path);
	int fd = open(
	    fresh, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0640);
	bool good = fd != -1 && write(fd, p, len) == (ssize_t)len;

	if (fd != -1 && close(fd) == -1)
		good = false;
	if (good && rename(fresh, path) == -1)
		good = false;
	free(fresh);
	return good;
}

static void
save(struct evidence *ev)
{
	uint8_t *p;
	size_t len;

	timer_stop(&ev->eng->timers, &ev->save);
	if (!ev->dirty || ev->path == NULL)
		return;
	ev->dirty = false;
	ev->saved_ms = ev->eng->now_ms;
	p = evidence_pcap(ev, &len);
	if (!write_file(ev->path, p, len) && !ev->failed) {
		log_warn("cannot keep messages in error in %s", ev->path);
		ev->failed = true;
	}
	free(p);
}

static void
on_save(void *arg, uint64_t now)
{
	save(arg);
}

/* Not with each message: a peer that sends nothing else costs no more. */
static void
changed(struct evidence *ev)
{
	struct engine *eng = ev->eng;
	uint64_t since = eng->now_ms - ev->saved_ms;

	ev->dirty = true;
	if (ev->saved_ms == 0 || since >= SAVE_MS)
		save(ev);
	else if (!ev->save.armed)
		timer_set(
		    &eng->timers, &ev->save, eng->now_ms, SAVE_MS - since);
}

static void
take_up(struct evidence *ev, struct cur *c)
{
	struct pcap_pkt note, p;
	struct cur text;

	if (!pcap_head_parse(c))
		return;
	for (unsigned int i = 0; i < EVIDENCE_N; i++) {
		struct evidence_item e = { .order = ev->order + 1 };

		if (!pcap_next(c, &note) || note.proto != PCAP_UDP ||
		    !pcap_next(c, &p) || p.proto != PCAP_TCP)
			return;
		cur_init(&text, note.data, note.len);
		if (!note_parse(&text, &e) || p.len > EVIDENCE_KEEP ||
		    p.len > e.len)
			return;
		e.src = p.src;
		e.dst = p.dst;
		e.sport = p.sport;
		e.dport = p.dport;
		e.kept = p.len;
		e.msg = mem_alloc(e.kept + 1);
		memcpy(e.msg, p.data, e.kept);
		ev->item[i] = e;
		ev->order++;
	}
}

static void
load(struct evidence *ev)
{
	int fd = open(ev->path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	uint8_t *p;
	struct cur c;
	ssize_t n;

	if (fd == -1)
		return;
	p = mem_alloc(FILE_MAX);
	n = read(fd, p, FILE_MAX);
	close(fd);
	if (n > 0) {
		cur_init(&c, p, (size_t)n);
		take_up(ev, &c);
	}
	free(p);
}

/* ---- the ring --------------------------------------------------------- */

struct evidence *
evidence_new(struct engine *eng, const struct addr *peer)
{
	struct evidence *ev = mem_alloc(sizeof *ev);
	char a[ADDR_STRLEN];

	ev->eng = eng;
	timer_init(&ev->save, "EvidenceTimer", on_save, ev);
	if (eng->opts.state_dir != NULL) {
		ev->path = mem_printf("%s/evidence-%s.pcap",
		    eng->opts.state_dir, addr_print(peer, a, sizeof a));
		load(ev);
	}
	return ev;
}

void
evidence_free(struct evidence *ev)
{
	save(ev);
	timer_stop(&ev->eng->timers, &ev->save);
	for (unsigned int i = 0; i < EVIDENCE_N; i++)
		free(ev->item[i].msg);
	free(ev->path);
	free(ev);
}

static bool
alike(const struct evidence_item *a, const struct evidence_item *b)
{
	return a->verdict == b->verdict && a->attr == b->attr &&
	    strcmp(a->why, b->why) == 0;
}

/*
 * The slot for e: that of the same octets; a free one; the oldest of its own
 * rule when there are several already, so that one fault does not push the
 * others out; the oldest.
 */
static struct evidence_item *
slot(struct evidence *ev, const struct evidence_item *e, const uint8_t *msg)
{
	struct evidence_item *oldest = NULL, *kin = NULL, *empty = NULL;
	unsigned int n = 0;

	for (unsigned int i = 0; i < EVIDENCE_N; i++) {
		struct evidence_item *o = &ev->item[i];

		if (o->order == 0) {
			empty = o;
			continue;
		}
		if (oldest == NULL || o->order < oldest->order)
			oldest = o;
		if (!alike(o, e))
			continue;
		n++;
		if (kin == NULL || o->order < kin->order)
			kin = o;
		if (o->len == e->len && o->kept == e->kept &&
		    memcmp(o->msg, msg, o->kept) == 0)
			return o;
	}
	if (n >= EVIDENCE_ALIKE)
		return kin;
	return empty != NULL ? empty : oldest;
}

uint64_t
evidence_add(struct evidence *ev, const struct session *s,
    const struct wire_err *err, const struct cur *msg)
{
	struct evidence_item e = { .verdict = err->verdict,
		.code = err->code,
		.sub = err->sub,
		.attr = err->attr,
		.at = err->at,
		.len = cur_left(msg),
		.agreed = s->fsm.state == FSM_ESTABLISHED,
		.neg = s->neg.wire,
		.src = s->remote,
		.dst = s->local,
		.sport = s->remote_port,
		.dport = s->local_port,
		.order = ++ev->order };
	struct evidence_item *o;

	e.kept = e.len < EVIDENCE_KEEP ? e.len : EVIDENCE_KEEP;
	strlcpy(e.why, err->why != NULL ? err->why : "malformed", sizeof e.why);
	strlcpy(
	    e.rfc, err->rfc != NULL ? err->rfc : "RFC 4271 6", sizeof e.rfc);
	e.first_ms = e.last_ms = clock_real_ms();
	o = slot(ev, &e, msg->p);
	if (o->order != 0 && alike(o, &e) && o->len == e.len &&
	    o->kept == e.kept && memcmp(o->msg, msg->p, e.kept) == 0) {
		e.first_ms = o->first_ms;
		e.count = o->count;
	}
	e.count++;
	free(o->msg);
	e.msg = mem_alloc(e.kept + 1);
	memcpy(e.msg, msg->p, e.kept);
	*o = e;
	changed(ev);
	return e.count;
}

const struct evidence_item *
evidence_get(const struct evidence *ev, unsigned int i)
{
	const struct evidence_item *best = NULL;
	uint64_t below = UINT64_MAX;

	for (i++; i > 0; i--) {
		best = NULL;
		for (unsigned int k = 0; k < EVIDENCE_N; k++)
			if (ev->item[k].order != 0 &&
			    ev->item[k].order < below &&
			    (best == NULL || ev->item[k].order > best->order))
				best = &ev->item[k];
		if (best == NULL)
			return NULL;
		below = best->order;
	}
	return best;
}
