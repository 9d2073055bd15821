/*
 * show_rib.c -- routes: the Loc-RIB, what came in, what went out, what was
 * refused.  A row is printed from what the RIB says at that moment; between
 * two slices only a prefix is kept.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bgpd/engine.h"
#include "bgpd/show_cmd.h"
#include "bgpd/show_route.h"
#include "policy/reason.h"

enum {
	LOOKS = 16, /* destinations without a row that one row is worth */
};

static enum show_view
view_of(const struct show *s)
{
	if (s->req.id == CMD_SHOW_REJECTED)
		return VIEW_REJECTED;
	if (s->req.in)
		return VIEW_IN;
	return s->req.out ? VIEW_OUT : VIEW_LOC;
}

/* ---- which rows ------------------------------------------------------- */

static bool
wanted(const struct show *s, const struct rib_path *p)
{
	if (s->only != 0 && p->peer != s->only)
		return false;
	if (s->req.best && !p->best)
		return false;
	switch (view_of(s)) {
	case VIEW_LOC:
		return p->reason == REASON_NONE && !p->malformed && !p->held;
	case VIEW_IN:
		return p->peer != RIB_LOCAL;
	case VIEW_REJECTED:
		return p->reason != REASON_NONE &&
		    (s->req.reason == NULL || p->reason == s->reason);
	case VIEW_OUT:
		break;
	}
	return false;
}

static void
put_row(struct show *s, const struct show_route *r)
{
	/* Of a prefix that is not there, no head either. */
	if (s->rows++ == 0 && s->req.has_prefix && !s->req.detail)
		show_route_legend(s);
	show_route_put(s, r);
}

static void
put_path(struct show *s, const struct pfx *pfx, const struct rib_path *p)
{
	struct show_route r = { .view = view_of(s), .pfx = *pfx, .path = *p };

	r.attrs = r.view == VIEW_LOC ? p->attrs : p->attrs_in;
	r.peer = p->peer != RIB_LOCAL ? s->eng->by_num[p->peer] : NULL;
	put_row(s, &r);
}

/* All paths of one destination; how many rows. */
static unsigned int
put_dest(struct show *s, uint32_t dest, const struct pfx *pfx)
{
	struct rib_path p;
	uint32_t it = 0;
	unsigned int n = 0;

	while (rib_paths(s->eng->rib, dest, &it, &p))
		if (wanted(s, &p)) {
			put_path(s, pfx, &p);
			n++;
		}
	return n;
}

static void
put_told(struct show *s, struct peer *to, const struct pfx *pfx, uint32_t attrs)
{
	struct show_route r = {
		.view = VIEW_OUT, .pfx = *pfx, .attrs = attrs, .peer = to
	};
	uint32_t dest = rib_find(s->eng->rib, pfx);

	/* The one it was made from; gone when a withdrawal is on its way. */
	r.path.peer = to->num;
	if (dest != 0)
		rib_best(s->eng->rib, dest, &r.path);
	put_row(s, &r);
}

/* ---- one prefix ------------------------------------------------------- */

/* Rows of exactly this destination, in the view that was asked for. */
static unsigned int
put_exact(struct show *s, uint32_t dest, const struct pfx *pfx)
{
	unsigned int n = 0, num = 0;
	uint32_t attrs;
	struct peer *p;

	if (view_of(s) != VIEW_OUT)
		return put_dest(s, dest, pfx);
	while ((p = show_next_peer(s->eng, num)) != NULL) {
		num = p->num;
		if ((s->only != 0 && s->only != num) || p->member == NULL ||
		    !adjout_find(p->member, pfx, &attrs))
			continue;
		put_told(s, p, pfx, attrs);
		n++;
	}
	return n;
}

/*
 * An address: the longest prefix that covers it and has a row; a prefix: that
 * one.
 */
static bool
lookup(struct show *s)
{
	const struct pfx *want = &s->req.prefix;
	char text[PFX_STRLEN];
	struct pfx at = *want, shorter;
	uint32_t dest;
	bool any = false;

	dest = s->req.is_addr ? rib_longest(s->eng->rib, want, &at)
			      : rib_find(s->eng->rib, want);
	while (dest != 0) {
		any = true;
		if (put_exact(s, dest, &at) > 0 || !s->req.is_addr)
			break;
		dest = rib_shorter(s->eng->rib, &at, &shorter);
		at = shorter;
	}
	if (s->rows > 0)
		return false;
	if (s->req.is_addr)
		addr_print(&want->addr, text, sizeof text);
	else
		pfx_print(want, text, sizeof text);
	return show_fail(s, CMD_NOT_FOUND, "no such route: %s%s", text,
	    any && view_of(s) == VIEW_LOC && s->only == 0
		? " is not in use, but was received (show rib in says why)"
		: "");
}

/* ---- walks ------------------------------------------------------------ */

/* Of one neighbor: its Adj-RIB-In, family by family. */
static bool
rows_adjin(struct show *s, unsigned int budget)
{
	struct peer *p = s->eng->by_num[s->only];
	unsigned int looks = budget * LOOKS;
	struct rib_path path;
	struct pfx pfx;

	if (s->walk == NULL)
		show_walk_begin(s, p, FAM_INET);
	while (budget > 0) {
		switch (adjin_walk_next(s->walk, &looks, &pfx, &path)) {
		case ADJIN_STEP_LATER:
			return true;
		case ADJIN_STEP_ROUTE:
			if (wanted(s, &path)) {
				put_path(s, &pfx, &path);
				budget--;
			}
			break;
		case ADJIN_STEP_END:
			if (s->fam == FAM_INET6)
				return false;
			show_walk_begin(s, p, FAM_INET6);
			break;
		}
	}
	return true;
}

/* Of everybody: the destinations, family by family. */
static bool
rows_dests(struct show *s, unsigned int budget)
{
	unsigned int looks = budget * LOOKS, n;
	uint32_t dest;

	while (budget > 0 && looks-- > 0) {
		dest = rib_next(s->eng->rib, s->fam, &s->at);
		if (dest == 0 && s->fam == FAM_INET6)
			return false;
		if (dest == 0) {
			s->fam = FAM_INET6;
			memset(&s->at, 0, sizeof s->at);
			continue;
		}
		n = put_dest(s, dest, &s->at);
		budget -= n < budget ? n : budget;
	}
	return true;
}

/* What s->peer's successor is told; true: not all of it yet. */
static bool
rows_of_member(struct show *s, struct peer *p, unsigned int *budget)
{
	unsigned int looks = *budget * LOOKS;
	uint32_t attrs;

	while (p->member != NULL && *budget > 0) {
		attrs = adjout_next(p->member, s->fam, &s->at, &looks);
		if (attrs != 0) {
			put_told(s, p, &s->at, attrs);
			--*budget;
		} else if (looks == 0) {
			*budget = 0;
		} else if (s->fam == FAM_INET) {
			s->fam = FAM_INET6;
			memset(&s->at, 0, sizeof s->at);
		} else
			return false;
	}
	return p->member != NULL;
}

static bool
rows_out(struct show *s, unsigned int budget)
{
	struct peer *p;

	while (budget > 0) {
		p = s->only != 0 ? s->eng->by_num[s->only]
				 : show_next_peer(s->eng, s->peer);
		if (p == NULL)
			return false;
		if (rows_of_member(s, p, &budget))
			return true;
		if (s->only != 0)
			return false;
		s->peer = p->num;
		s->fam = FAM_INET;
		memset(&s->at, 0, sizeof s->at);
	}
	return true;
}

static bool
rows_rib(struct show *s, unsigned int budget)
{
	if (view_of(s) == VIEW_OUT)
		return rows_out(s, budget);
	return s->only != 0 ? rows_adjin(s, budget) : rows_dests(s, budget);
}

/* ---- what stands above ------------------------------------------------ */

static bool
head_rib(struct show *s)
{
	const struct peer *p;
	char name[256];

	if (!show_only(s))
		return false;
	s->fam = FAM_INET;
	p = s->eng->by_num[s->only];
	if (s->req.out && p != NULL && p->member == NULL)
		return show_fail(s, CMD_DONE,
		    "neighbor %s is not established: nothing is announced "
		    "to it",
		    show_name(s, p, name, sizeof name));
	if (s->req.has_prefix)
		return lookup(s);
	if (!s->req.detail)
		show_route_legend(s);
	return true;
}

static bool
head_rejected(struct show *s)
{
	char word[256], names[CMD_ERRLEN - 300] = "";

	if (s->req.reason != NULL && !reason_find(s->req.reason, &s->reason)) {
		for (unsigned int i = 1; i < REASON_COUNT; i++) {
			strlcat(names, i > 1 ? ", " : "", sizeof names);
			strlcat(names, reason_name(reason_at(i)), sizeof names);
		}
		return show_fail(s, CMD_USAGE,
		    "no such reason: %s; these are: %s",
		    out_safe(s->req.reason, word, sizeof word), names);
	}
	if (!show_only(s))
		return false;
	s->fam = FAM_INET;
	out_text(s->out, "%-20s %-20s ", "destination", "reason");
	show_name_head(s, "neighbor");
	out_text(s->out, "%-8s %s\n", "since", "why");
	return true;
}

const struct show_cmd show_cmd_rib = { "rib", head_rib, rows_rib };
const struct show_cmd show_cmd_rejected = { "rib", head_rejected, rows_rib };
