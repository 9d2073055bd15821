/* show_plan.c -- what a configuration would change: diff, check, reload -n. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bgpd/commit.h"
#include "bgpd/engine.h"
#include "bgpd/log.h"
#include "bgpd/plan.h"
#include "bgpd/show_cmd.h"
#include "lib/mem.h"
#include "platform/clock.h"

/* Is it worked out first what would change? */
static bool
plans(const struct cmd_req *r)
{
	return r->id == CMD_DIFF || r->id == CMD_CHECK_FILE ||
	    (r->id == CMD_RELOAD &&
		(r->dry_run || r->if_accepted || r->if_sessions));
}

bool
show_slices(const struct cmd_req *r)
{
	return r->id == CMD_DIFF || r->id == CMD_CHECK_FILE ||
	    r->id == CMD_RELOAD || r->id == CMD_RELOAD_UNDO ||
	    (r->id == CMD_RELOAD_CONFIRM && r->time_s != 0);
}

static void
list_problems(struct out *o, const struct diag_list *dl)
{
	out_arr(o, "problems");
	for (size_t i = 0; i < dl->n; i++) {
		const struct diag *d = &dl->d[i];

		out_obj(o, NULL);
		out_str(o, "file", d->pos.file != NULL ? d->pos.file : "");
		out_u64(o, "line", d->pos.line);
		out_u64(o, "col", d->pos.col);
		out_u64(o, "len", d->pos.len);
		out_str(o, "severity",
		    d->severity == DIAG_ERROR ? "error" : "warning");
		out_str(o, "code", d->code);
		out_str(o, "message", d->message);
		if (d->hint != NULL)
			out_str(o, "hint", d->hint);
		out_end(o);
	}
	out_end(o);
}

static void
put_problems(struct out *o, const struct diag_list *dl, bool good)
{
	char *text = diag_list_text(dl,
	    good ? "the file can be used" : "running configuration unchanged");

	out_text(o, "%s", text);
	free(text);
	list_problems(o, dl);
}

static bool
head(struct show *s)
{
	char why[256];

	if (s->req.input != NULL && s->file == -1)
		return show_fail(s, CMD_USAGE,
		    "no descriptor of %s came along: this ana-bgpctl is too "
		    "old",
		    s->req.input);
	if (s->req.id == CMD_RELOAD_UNDO) {
		s->load = commit_load_undo(s->eng, why, sizeof why);
		return s->load != NULL || show_fail(s, CMD_REFUSED, "%s", why);
	}
	if (s->req.input == NULL && !s->req.dry_run)
		s->load = commit_load_reload(s->eng);
	else
		s->load = commit_load_file(
		    s->eng, s->req.input != NULL ? s->file : -1, s->req.input);
	return true;
}

static bool
plan_begin(struct show *s)
{
	struct conf *c = commit_load_take(s->load);

	put_problems(s->out, commit_load_problems(s->load), c != NULL);
	if (c == NULL)
		return show_fail(s, CMD_REFUSED, "not usable");
	s->plan = plan_new(s->eng, c);
	return true;
}

/* ---- the answer ------------------------------------------------------- */

static const char *
fate(const struct plan_session *x)
{
	switch (x->what) {
	case CONF_ADDED:
		return "is added";
	case CONF_REMOVED:
		return x->up ? "is removed: its session ends" : "is removed";
	case CONF_RESET:
		return x->up ? "bounces or ends" : "changes (it is down)";
	case CONF_LIVE:
	case CONF_SAME:
		break;
	}
	return "changes without a bounce";
}

static void
put_sessions(struct out *o, const struct plan_result *r)
{
	char addr[ADDR_STRLEN], name[512];
	unsigned int end = 0;

	for (size_t i = 0; i < r->nsession; i++)
		end += r->session[i].up &&
		    (r->session[i].what == CONF_RESET ||
			r->session[i].what == CONF_REMOVED);
	out_text(o, "Sessions: %u end or bounce, %u stay up\n", end, r->kept);
	out_u64(o, "sessions_reset", end);
	out_u64(o, "sessions_kept", r->kept);
	out_arr(o, "sessions");
	for (size_t i = 0; i < r->nsession; i++) {
		const struct plan_session *x = &r->session[i];

		addr_print(&x->addr, addr, sizeof addr);
		out_text(o, "  neighbor %s (%s) %s\n", addr,
		    out_safe(x->name, name, sizeof name), fate(x));
		out_obj(o, NULL);
		out_str(o, "neighbor", addr);
		out_str(o, "name", x->name);
		out_str(o, "effect", fate(x));
		out_bool(o, "reset",
		    x->up &&
			(x->what == CONF_RESET || x->what == CONF_REMOVED));
		out_end(o);
	}
	out_end(o);
}

static const char *
limit_does(const struct plan_limit *l)
{
	if (plan_limit_ends(l))
		return "its session would end";
	return l->action == CONF_LIMIT_WARN ? "a warning"
	    : l->counter == CONF_ANNOUNCED  ? "the rest would be kept back"
					    : "the rest would be held back";
}

static void
put_limits(struct out *o, const struct plan_result *r)
{
	char addr[ADDR_STRLEN], name[512];

	out_arr(o, "limits");
	for (size_t i = 0; i < r->nlimit; i++) {
		const struct plan_limit *l = &r->limit[i];
		const char *fam = l->fam == FAM_NONE ? "" : fam_name(l->fam);

		addr_print(&l->addr, addr, sizeof addr);
		out_text(o,
		    "Limit: neighbor %s (%s) would be at %u %s prefixes%s%s, "
		    "the limit is %u: %s\n",
		    addr, out_safe(l->name, name, sizeof name), l->count,
		    peer_counter_name(l->counter), fam[0] != '\0' ? " of " : "",
		    fam, l->max, limit_does(l));
		out_obj(o, NULL);
		out_str(o, "neighbor", addr);
		out_str(o, "name", l->name);
		out_str(o, "counter", peer_counter_name(l->counter));
		if (fam[0] != '\0')
			out_str(o, "family", fam);
		out_u64(o, "count", l->count);
		out_u64(o, "limit", l->max);
		out_str(o, "action", conf_limit_action_name(l->action));
		out_bool(o, "ends_session", plan_limit_ends(l));
		out_end(o);
	}
	out_end(o);
}

static void
put_rows(struct out *o, const struct plan_result *r, enum plan_what w)
{
	unsigned long long n = r->count[w];
	char pfx[PFX_STRLEN], addr[ADDR_STRLEN];

	out_text(o, "Routes %s: %llu%s\n", plan_what_name(w), n,
	    n > PLAN_ROWS ? ", the first 20:" : "");
	out_obj(o, plan_what_key(w));
	out_u64(o, "count", n);
	out_arr(o, "first");
	for (uint64_t i = 0; i < n && i < PLAN_ROWS; i++) {
		const struct plan_row *row = &r->row[w][i];

		pfx_print(&row->pfx, pfx, sizeof pfx);
		addr[0] = '\0';
		if (row->neighbor.fam != FAM_NONE)
			addr_print(&row->neighbor, addr, sizeof addr);
		out_text(o, "  %-20s%s%s%s%s\n", pfx,
		    addr[0] != '\0' ? " neighbor " : "", addr,
		    row->why != NULL ? ": " : "",
		    row->why != NULL ? row->why : "");
		out_obj(o, NULL);
		out_str(o, "prefix", pfx);
		if (addr[0] != '\0')
			out_str(o, "neighbor", addr);
		if (row->why != NULL)
			out_str(o, "reason", row->why);
		out_end(o);
	}
	out_end(o);
	out_end(o);
}

static void
put(struct show *s, const struct plan_result *r)
{
	struct out *o = s->out;

	if (s->req.id != CMD_CHECK_FILE)
		for (size_t i = 0; i < r->nline; i++)
			out_text(o, "%s\n", r->line[i]);
	if (r->nline == 0)
		out_text(o, "The configuration is the one in force.\n");
	out_arr(o, "changes");
	for (size_t i = 0; i < r->nline; i++)
		out_str(o, NULL, r->line[i]);
	out_end(o);
	put_sessions(o, r);
	put_limits(o, r);
	out_text(o, "Accepted routes: %llu now, %llu then\n",
	    (unsigned long long)r->accepted_now,
	    (unsigned long long)r->accepted_then);
	out_u64(o, "accepted_now", r->accepted_now);
	out_u64(o, "accepted_then", r->accepted_then);
	out_obj(o, "routes");
	for (int w = 0; w < PLAN_N; w++)
		put_rows(o, r, (enum plan_what)w);
	out_end(o);
}

/* ---- reload if ... ---------------------------------------------------- */

/* "" when it may go into force. */
static void
judge(const struct cmd_req *q, const struct plan_result *r, char *why, size_t n)
{
	uint64_t a = r->accepted_now, b = r->accepted_then;

	why[0] = '\0';
	for (size_t i = 0; q->if_sessions && i < r->nsession; i++)
		if (r->session[i].up &&
		    (r->session[i].what == CONF_RESET ||
			r->session[i].what == CONF_REMOVED))
			snprintf(why, n,
			    "refused: the session of %.200s would not stay up",
			    r->session[i].name);
	for (size_t i = 0; q->if_sessions && i < r->nlimit; i++)
		if (plan_limit_ends(&r->limit[i]))
			snprintf(why, n,
			    "refused: %.200s would be over its limit of %u %s "
			    "prefixes",
			    r->limit[i].name, r->limit[i].max,
			    peer_counter_name(r->limit[i].counter));
	if (q->if_accepted && (a > b ? a - b : b - a) * 100 > a * q->within)
		snprintf(why, n,
		    "refused: %llu routes would be accepted, %llu are, which "
		    "is not within %u %%",
		    (unsigned long long)b, (unsigned long long)a, q->within);
}

static void
apply(struct show *s)
{
	static const struct commit_opts now;
	char why[512];

	judge(&s->req, plan_result(s->plan), why, sizeof why);
	if (why[0] == '\0' &&
	    commit_apply(s->eng, plan_take(s->plan), &now, why, sizeof why)) {
		s->eng->reload_s = clock_real_s();
		s->eng->reload_ok = true;
		out_text(s->out, "configuration in force\n");
		log_info("reload of %s done, generation %u",
		    s->eng->opts.conf_path, s->eng->generation);
	}
	if (why[0] != '\0')
		show_fail(s, CMD_REFUSED, "%s; nothing was changed", why);
}

/* ---- without a plan --------------------------------------------------- */

static void
done(struct show *s, const char *text)
{
	out_text(s->out, "%s\n", text);
	out_str(s->out, "status", "OK");
	out_str(s->out, "text", text);
}

static void
reload(struct show *s)
{
	struct commit_opts o = { .confirm_s = s->req.time_s,
		.if_sessions = s->req.if_sessions,
		.if_accepted = s->req.if_accepted,
		.within = s->req.within };
	const struct diag_list *dl = commit_load_problems(s->load);
	char *warnings = NULL, text[160];
	char *bad = commit_reload(s->eng, s->load, &o, &warnings);

	if (bad == NULL) {
		snprintf(text, sizeof text,
		    o.confirm_s == 0 ? "configuration in force"
			: o.if_sessions || o.if_accepted
			? "configuration in force; in %u s it is confirmed if "
			  "the conditions hold then, else undone"
			: "configuration in force; undone in %u s unless "
			  "\"ana-bgpctl reload confirm\"",
		    o.confirm_s);
		done(s, text);
		out_text(s->out, "%s", warnings);
	} else {
		if (dl->nerror > 0)
			out_text(s->out, "%s", bad);
		out_str(s->out, "status", "FAILED");
		show_fail(s, CMD_REFUSED, "%s; nothing was changed",
		    dl->nerror > 0 ? "reload failed" : bad);
	}
	list_problems(s->out, dl);
	free(bad);
	free(warnings);
}

static void
undo(struct show *s)
{
	struct conf *c = commit_load_take(s->load);
	char *problems;

	if (c != NULL) {
		commit_back(s->eng, c, "undone");
		done(s,
		    "the earlier configuration is in force; the file still has "
		    "the other one");
		return;
	}
	problems = diag_list_text(
	    commit_load_problems(s->load), "running configuration unchanged");
	show_fail(s, CMD_REFUSED,
	    "the earlier configuration cannot be used any more: %s", problems);
	free(problems);
}

static bool
slice(struct show *s, unsigned int budget)
{
	if (s->plan == NULL) {
		if (commit_load_run(s->load))
			return true;
		if (plans(&s->req))
			return plan_begin(s);
		if (s->req.id == CMD_RELOAD_UNDO)
			undo(s);
		else
			reload(s);
		return false;
	}
	/* A destination is a small part of the work of a row. */
	if (plan_run(s->plan, 4 * budget))
		return true;
	if (plan_stale(s->plan)) {
		show_fail(s, CMD_REFUSED,
		    "another configuration came into force meanwhile; ask "
		    "again");
		return false;
	}
	put(s, plan_result(s->plan));
	if (s->req.id == CMD_RELOAD && !s->req.dry_run)
		apply(s);
	return false;
}

static bool
rows(struct show *s, unsigned int budget)
{
	if (slice(s, budget))
		return true;
	commit_load_free(s->load); /* a reload is over before it is read */
	s->load = NULL;
	return false;
}

const struct show_cmd show_cmd_plan = { NULL, head, rows };
