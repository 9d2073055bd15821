#include "lib/cmd.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "lib/out.h"
#include "lib/out_buf.h"

enum type {
	T_FLAG,
	T_NEIGHBOR,
	T_PREFIX,
	T_REASON,
	T_TEXT,
	T_CURSOR,
	T_COUNT,
	T_INPUT, /* before T_FILE: it is what a path's FILE means */
	T_FILE,
	T_LEVEL,
	T_SET,
	T_ASPATH,
	T_COMMS,
	T_TIME,
	T_WHEN,
	T_IF, /* several words, may be repeated */
	T_N
};

/* A word of its own, a word and a value, or (word NULL) a bare value. */
struct cmd_arg {
	const char *word;
	enum type type;
	size_t flag; /* T_FLAG: which member of struct cmd_req */
	unsigned int group; /* not 0: only one of its group */
};

/* clang-format off */
static const char *const placeholder[T_N] = {
	[T_NEIGHBOR]	= "NEIGHBOR",
	[T_PREFIX]	= "PREFIX",
	[T_REASON]	= "REASON",
	[T_TEXT]	= "TEXT",
	[T_CURSOR]	= "CURSOR",
	[T_COUNT]	= "COUNT",
	[T_FILE]	= "FILE",
	[T_LEVEL]	= "LEVEL",
	[T_INPUT]	= "FILE",
	[T_SET]		= "NAME",
	[T_ASPATH]	= "PATH",
	[T_COMMS]	= "COMMUNITIES",
	[T_TIME]	= "TIME",
	[T_WHEN]	= "WHEN",
	[T_IF]		= "CONDITION",
};
static const char *const level_name[] = {
	[CMD_LEVEL_ERROR]	= "error",
	[CMD_LEVEL_WARNING]	= "warning",
	[CMD_LEVEL_INFO]	= "info",
	[CMD_LEVEL_DEBUG]	= "debug",
};

#define FLAG(name)	{ #name, T_FLAG, offsetof(struct cmd_req, name) }
#define ONE_OF(g, name)	{ #name, T_FLAG, offsetof(struct cmd_req, name), g }
#define VALUE(name, t)	{ name, t }
#define BARE(t)		{ NULL, t }
#define ARGS(...)	(const struct cmd_arg[]){ __VA_ARGS__, { NULL, T_FLAG } }

static const struct cmd table[] = {
	{ CMD_SHOW_SUMMARY, 0, "show", NULL,
	  "one line a neighbor: state, messages, routes" },
	{ CMD_SHOW_SUMMARY, 0, "show summary", ARGS(FLAG(terse)),
	  "the same; terse: name, AS number, state only" },
	{ CMD_SHOW_NEIGHBOR, 0, "show neighbor", ARGS(BARE(T_NEIGHBOR)),
	  "all about each neighbor, or about one" },
	{ CMD_SHOW_RIB, 0, "show rib",
	  ARGS(ONE_OF(1, in), ONE_OF(1, out), VALUE("neighbor", T_NEIGHBOR),
	      BARE(T_PREFIX), FLAG(best), FLAG(detail)),
	  "routes; in: as received, out: as announced" },
	{ CMD_SHOW_REJECTED, 0, "show rejected",
	  ARGS(VALUE("neighbor", T_NEIGHBOR), VALUE("reason", T_REASON)),
	  "routes that were refused, and why" },
	{ CMD_SHOW_FIB, 0, "show fib",
	  ARGS(ONE_OF(1, drift), ONE_OF(1, conflicts), BARE(T_PREFIX)),
	  "routes in the kernel's table and their state" },
	{ CMD_SHOW_NEXTHOP, 0, "show nexthop", NULL,
	  "next hops and whether they can be reached" },
	{ CMD_SHOW_INTERFACES, 0, "show interfaces", NULL,
	  "network interfaces as the daemon sees them" },
	{ CMD_SHOW_VERSION, 0, "show version", NULL,
	  "version, time since start, configuration" },
	{ CMD_SHOW_ERRORS, 0, "show errors neighbor NEIGHBOR",
	  ARGS(VALUE("pcap", T_FILE)),
	  "messages in error, NOTIFICATIONs; pcap: as a capture file" },
	{ CMD_SHOW_LOOP, 0, "show loop", NULL,
	  "time that each stage of the daemon takes" },
	{ CMD_SHOW_MEMORY, 0, "show memory", NULL,
	  "memory that each part of the daemon uses" },
	{ CMD_SHOW_CONFIG, 0, "show config",
	  ARGS(ONE_OF(1, canonical), ONE_OF(1, defaults)),
	  "the configuration in force; defaults: all values" },
	{ CMD_SHOW_SETS, 0, "show sets", ARGS(BARE(T_SET)),
	  "prefix sets: size, sources, digest, age" },
	{ CMD_SHOW_METRICS, 0, "show metrics", ARGS(FLAG(prometheus)),
	  "all numbers for the monitoring, as OpenMetrics text" },
	{ CMD_SHOW_POLICY, 0, "show policy", ARGS(BARE(T_SET)),
	  "the rules of each policy, or of one, and their hits" },
	{ CMD_SHOW_ANNOUNCEMENTS, 0, "show announcements", ARGS(BARE(T_PREFIX)),
	  "our networks: tracks, since when, flaps, who is told what" },
	{ CMD_EXPLAIN, 0, "explain PREFIX", ARGS(VALUE("neighbor", T_NEIGHBOR)),
	  "why a prefix is taken or not, chosen or not, told or not" },
	{ CMD_TEST_ROUTE, 0, "test route PREFIX",
	  ARGS(VALUE("as-path", T_ASPATH), VALUE("community", T_COMMS),
	      VALUE("neighbor", T_NEIGHBOR)),
	  "run an invented route of a neighbor through the policy" },
	{ CMD_SHOW_HISTORY, 0, "show history",
	  ARGS(VALUE("neighbor", T_NEIGHBOR)),
	  "state changes and NOTIFICATIONs of both sides" },
	{ CMD_SHOW_SUPPORT, 0, "show support", NULL,
	  "everything that a ticket needs, without secrets" },
	{ CMD_NEIGHBOR_CLEAR, CMD_ADMIN, "neighbor NEIGHBOR clear",
	  ARGS(FLAG(hard), BARE(T_TEXT)),
	  "end the session; it comes back; hard: no stale routes" },
	{ CMD_NEIGHBOR_DOWN, CMD_ADMIN, "neighbor NEIGHBOR down",
	  ARGS(BARE(T_TEXT)),
	  "end the session and keep it down" },
	{ CMD_NEIGHBOR_UP, CMD_ADMIN, "neighbor NEIGHBOR up", NULL,
	  "let a session that is down come up" },
	{ CMD_NEIGHBOR_REFRESH, CMD_ADMIN, "neighbor NEIGHBOR refresh",
	  ARGS(ONE_OF(1, in), ONE_OF(1, out)),
	  "ask for all routes again, or send them again" },
	{ CMD_NEIGHBOR_CLEAR_LIMIT, CMD_ADMIN, "neighbor NEIGHBOR clear-limit",
	  NULL,
	  "end the hold after a prefix limit was reached" },
	{ CMD_NETWORK_ANNOUNCE, CMD_ADMIN, "network announce PREFIX",
	  ARGS(FLAG(persistent)),
	  "announce a prefix of ours, or take a withdraw back" },
	{ CMD_NETWORK_ANNOUNCE, CMD_ADMIN, "network add PREFIX",
	  ARGS(FLAG(persistent)),
	  "the same" },
	{ CMD_NETWORK_WITHDRAW, CMD_ADMIN, "network withdraw PREFIX",
	  ARGS(FLAG(persistent), BARE(T_TEXT)),
	  "withdraw a prefix of ours, until announced again" },
	{ CMD_NETWORK_WITHDRAW, CMD_ADMIN, "network delete PREFIX",
	  ARGS(FLAG(persistent), BARE(T_TEXT)),
	  "the same" },
	{ CMD_TRACK_UP, CMD_ADMIN, "track NAME up", ARGS(BARE(T_TEXT)),
	  "the service of a lease is up; refresh it in time" },
	{ CMD_TRACK_REFRESH, CMD_ADMIN, "track NAME refresh", NULL,
	  "the service is still up" },
	{ CMD_TRACK_DOWN, CMD_ADMIN, "track NAME down", ARGS(BARE(T_TEXT)),
	  "the service of a lease is down" },
	{ CMD_DRAIN_PREFIX, CMD_ADMIN, "drain prefix PREFIX",
	  ARGS(BARE(T_TIME), BARE(T_TEXT)),
	  "announce our network as going away, then withdraw it" },
	{ CMD_DRAIN_NEIGHBOR, CMD_ADMIN, "drain neighbor NEIGHBOR",
	  ARGS(BARE(T_TIME), BARE(T_TEXT)),
	  "move the traffic off a neighbor, both ways" },
	{ CMD_DRAIN_ALL, CMD_ADMIN, "drain all",
	  ARGS(BARE(T_TIME), BARE(T_TEXT)),
	  "move the traffic off all neighbors, both ways" },
	{ CMD_UNDRAIN_PREFIX, CMD_ADMIN, "undrain prefix PREFIX", NULL,
	  "announce our network as before" },
	{ CMD_UNDRAIN_NEIGHBOR, CMD_ADMIN, "undrain neighbor NEIGHBOR", NULL,
	  "end the drain of a neighbor" },
	{ CMD_UNDRAIN_ALL, CMD_ADMIN, "undrain all", NULL,
	  "end every drain, of single neighbors and networks, too" },
	{ CMD_SHOW_DRAIN, 0, "show drain", NULL,
	  "what is drained, by whom, why and until when" },
	{ CMD_MAINTENANCE_START, CMD_ADMIN, "maintenance start",
	  ARGS(VALUE("until", T_WHEN), BARE(T_TEXT)),
	  "drain all, wait for the traffic, end all sessions" },
	{ CMD_MAINTENANCE_STOP, CMD_ADMIN, "maintenance stop", NULL,
	  "bring everything back, from any step" },
	{ CMD_MAINTENANCE_SHOW, 0, "maintenance show", NULL,
	  "the step of the maintenance and what it waits for" },
	{ CMD_FIB_COUPLE, CMD_ADMIN, "fib couple", NULL,
	  "bring the kernel's table up to date again" },
	{ CMD_FIB_DECOUPLE, CMD_ADMIN, "fib decouple",
	  ARGS(ONE_OF(1, keep), ONE_OF(1, remove)),
	  "leave the kernel's table as it is, or empty" },
	{ CMD_RELOAD, CMD_ADMIN, "reload",
	  ARGS({ "-n", T_FLAG, offsetof(struct cmd_req, dry_run) },
	      VALUE("if", T_IF)),
	  "read the configuration and apply it; -n: what would change" },
	{ CMD_RELOAD_CONFIRM, CMD_ADMIN, "reload confirm",
	  ARGS(BARE(T_TIME), VALUE("if", T_IF)),
	  "reload, and go back unless confirmed in time; or confirm" },
	{ CMD_RELOAD_UNDO, CMD_ADMIN, "reload undo", NULL,
	  "back to the configuration before the last reload" },
	{ CMD_DIFF, CMD_ADMIN, "diff FILE", NULL,
	  "what a reload with this file would change" },
	{ CMD_CHECK_FILE, CMD_ADMIN, "check FILE", NULL,
	  "problems of a configuration file, and what it changes" },
	{ CMD_SET_LOAD, CMD_ADMIN | CMD_IN_FULL, "set load NAME", ARGS(BARE(T_INPUT)),
	  "replace a set's lists by FILE, or read its own again" },
	{ CMD_SET_DIFF, CMD_ADMIN | CMD_IN_FULL, "set diff NAME FILE", NULL,
	  "what \"set load\" would add and remove" },
	{ CMD_CHECK_HEALTH, 0, "check health", NULL,
	  "one line, and exit code 5 when something is degraded" },
	{ CMD_LOG_LEVEL, CMD_ADMIN, "log level LEVEL", NULL,
	  "error, warning, info or debug; until the next reload" },
	{ CMD_WATCH, 0, "watch",
	  ARGS(FLAG(peers), FLAG(routes), FLAG(fib), FLAG(limits),
	      FLAG(config), FLAG(announcements), VALUE("from", T_CURSOR)),
	  "events as they happen; with -j one JSON object a line" },
	{ CMD_TRACE, CMD_ADMIN, "trace neighbor NEIGHBOR", NULL,
	  "its messages as they come and go, one line each" },
	{ CMD_TOP, 0, "top", ARGS({ "--batch", T_FLAG,
	      offsetof(struct cmd_req, batch) }, VALUE("-n", T_COUNT)),
	  "a screen with all neighbors and the last events" },
	{ CMD_COMPLETION, CMD_AT_CLIENT, "completion",
	  ARGS(ONE_OF(1, bash), ONE_OF(1, zsh)),
	  "the rules by which a shell completes these commands" },
	{ CMD_SHUTDOWN, CMD_ADMIN | CMD_IN_FULL, "shutdown", ARGS(BARE(T_TEXT)),
	  "end the daemon and remove its routes from the kernel" },
	{ CMD_HELP, CMD_AT_CLIENT, "help", NULL,
	  "this list" },
};
/* clang-format on */

enum {
	NCMD = sizeof table / sizeof table[0],
	DAY_S = 86400,
	LIST_LEN = CMD_ERRLEN / 2,
};
_Static_assert(NCMD <= 64, "candidates are a mask of 64 bits");

const struct cmd *
cmd_at(size_t i)
{
	return i < NCMD ? &table[i] : NULL;
}

const struct cmd *
cmd_find(enum cmd_id id)
{
	size_t i = 0;

	while (i + 1 < NCMD && table[i].id != id)
		i++;
	return &table[i];
}

static bool
is_last(const struct cmd_arg *a)
{
	return a->word == NULL && a->type == T_FLAG;
}

const char *
cmd_syntax(const struct cmd *c, char *buf, size_t n)
{
	unsigned int group = 0;

	strlcpy(buf, c->path, n);
	for (const struct cmd_arg *a = c->arg; a != NULL && !is_last(a); a++) {
		bool more = a->group != 0 && a[1].group == a->group;

		strlcat(buf, group != 0 && group == a->group ? "|" : " [", n);
		if (a->word != NULL)
			strlcat(buf, a->word, n);
		if (a->word != NULL && a->type != T_FLAG)
			strlcat(buf, " ", n);
		if (a->type != T_FLAG)
			strlcat(buf, placeholder[a->type], n);
		if (!more)
			strlcat(buf, "]", n);
		group = a->group;
	}
	return buf;
}

/* ---- one parse ---- */

struct parse {
	size_t n, at;
	const char *const *word;
	struct cmd_req *req;
	char *err;
	uint64_t seen; /* arguments of the command that were given */
};

static enum cmd_exit usage(struct parse *, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

static enum cmd_exit
usage(struct parse *p, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(p->err, CMD_ERRLEN, fmt, ap);
	va_end(ap);
	return CMD_USAGE;
}

/* A word as it may be shown: quoted, printable, not endless. */
struct shown {
	char s[72];
};

static const char *
show(struct shown *b, const char *word)
{
	b->s[0] = '"';
	out_safe(word, b->s + 1, 64);
	strlcat(b->s, "\"", sizeof b->s);
	return b->s;
}

/* The pos-th word of a command's path; false when it has fewer. */
static bool
path_word(const struct cmd *c, size_t pos, const char **w, size_t *len)
{
	const char *s = c->path;

	for (; pos > 0; pos--) {
		s += strcspn(s, " ");
		if (*s++ == '\0')
			return false;
	}
	*w = s;
	*len = strcspn(s, " ");
	return true;
}

static bool
is_placeholder(const char *w)
{
	return w[0] >= 'A' && w[0] <= 'Z';
}

/* Two commands may go on with the same word: it is listed once. */
static void
list_add(char *list, const char *w, size_t len)
{
	size_t at = 0;

	while (list[at] != '\0') {
		size_t n = strcspn(list + at + 2, ",");

		if (n == len && memcmp(list + at + 2, w, len) == 0)
			return;
		at += 2 + n;
	}
	snprintf(list + at, LIST_LEN - at, ", %.*s", (int)len, w);
}

/* What may come at the pos-th place, for a sentence: ", a, b, c". */
static void
list_words(uint64_t mask, size_t pos, const char *begin, char *list)
{
	for (size_t i = 0; i < NCMD; i++) {
		const char *w;
		size_t len;

		if ((mask >> i & 1) != 0 &&
		    path_word(&table[i], pos, &w, &len) &&
		    strncmp(w, begin, strlen(begin)) == 0)
			list_add(list, w, len);
	}
}

static void
list_args(const struct cmd *c, const char *begin, char *list)
{
	for (const struct cmd_arg *a = c->arg; a != NULL && !is_last(a); a++) {
		const char *w =
		    a->word != NULL ? a->word : placeholder[a->type];

		if (strncmp(w, begin, strlen(begin)) == 0)
			list_add(list, w, strlen(w));
	}
}

static enum cmd_exit
ambiguous(struct parse *p, const char *list)
{
	struct shown b;

	return usage(p, "%s is ambiguous; it may be: %s",
	    show(&b, p->word[p->at]), list + 2);
}

static enum cmd_exit
bad_value(struct parse *p, enum type t)
{
	struct shown b;
	const char *w = p->word[p->at];
	struct pfx loose;
	char good[PFX_STRLEN];

	if (t == T_PREFIX && pfx_parse_loose(w, &loose))
		return usage(p,
		    "%s has address bits after its length; "
		    "did you mean %s?",
		    show(&b, w), pfx_print(&loose, good, sizeof good));
	if (t == T_PREFIX)
		return usage(
		    p, "%s is neither a prefix nor an address", show(&b, w));
	if (t == T_COUNT)
		return usage(p, "%s is no number from 1 on", show(&b, w));
	if (t == T_LEVEL)
		return usage(p,
		    "%s is no log level; these are: error, warning, "
		    "info, debug",
		    show(&b, w));
	if (t == T_TIME)
		return usage(p,
		    "%s is no time; write 120s or 5m, at most a day",
		    show(&b, w));
	if (t == T_WHEN)
		return usage(p,
		    "%s is no end; write 2h, or 2026-11-22T18:00Z (UTC), at "
		    "most 30 days",
		    show(&b, w));
	if (t == T_IF)
		return usage(p,
		    "%s is no condition; these are: sessions up, accepted "
		    "within PERCENT%%",
		    show(&b, w));
	if (t == T_TEXT)
		return usage(p,
		    "the text for the peer must be printable UTF-8 of 1 to "
		    "%d octets (RFC 9003)",
		    CMD_TEXT_MAX);
	return usage(p, "the %s must not be empty", placeholder[t]);
}

static bool
text_is_good(const char *s)
{
	const uint8_t *p = (const uint8_t *)s;
	size_t n = strlen(s), len;
	uint32_t code;

	if (n == 0 || n > CMD_TEXT_MAX)
		return false;
	for (; n > 0; p += len, n -= len)
		if ((len = out_utf8(p, n, &code)) == 0 || out_is_control(code))
			return false;
	return true;
}

static bool
prefix(const char *w, struct cmd_req *r)
{
	struct addr a;

	if (addr_parse(w, &a)) {
		r->is_addr = true;
		return pfx_make(&r->prefix, &a, fam_bits(a.fam));
	}
	return pfx_parse(w, &r->prefix);
}

static bool
level(const char *w, struct cmd_req *r)
{
	size_t n = strlen(w);

	for (unsigned int i = 0; n > 0 && i <= CMD_LEVEL_DEBUG; i++)
		if (strncmp(level_name[i], w, n) == 0) {
			r->level = (enum cmd_level)i;
			return true;
		}
	return false;
}

/* "120", "120s", "5m", "1h": up to a day, or so much; then "2d", too. */
static bool
span(const char *w, uint32_t max, uint32_t *out)
{
	uint32_t n = 0, unit = 1;
	const char *s;

	for (s = w; *s >= '0' && *s <= '9' && n <= max; s++)
		n = n * 10 + (uint32_t)(*s - '0');
	if (s == w)
		return false;
	if (*s == 'm' || *s == 'h')
		unit = *s == 'm' ? 60 : 3600;
	else if (*s == 'd' && max > DAY_S)
		unit = DAY_S;
	if (*s == 's' || unit > 1)
		s++;
	if (*s != '\0' || n == 0 || n > max / unit)
		return false;
	*out = n * unit;
	return true;
}

/* Digits of a date, all of them, behind `sep` (0: nothing). */
static bool
part(const char **s, char sep, int digits, int *out)
{
	*out = 0;
	if (sep != '\0' && *(*s)++ != sep)
		return false;
	for (; digits > 0; digits--, (*s)++) {
		if (**s < '0' || **s > '9')
			return false;
		*out = *out * 10 + (**s - '0');
	}
	return true;
}

/* Days from 1970 on; y from 1 on. */
static int64_t
days(int64_t y, int m, int d)
{
	/* A year that begins in March has its leap day at its end. */
	if (m < 3)
		y--;
	m = (m + 9) % 12;
	return 365 * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + d -
	    719469;
}

/* "2026-11-22T18:00Z", with seconds if wanted. */
static bool
date(const char *w, int64_t *out)
{
	static const int len[] = { 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30,
		31 };
	int y, mon, d, h, min, s = 0;

	if (!part(&w, 0, 4, &y) || !part(&w, '-', 2, &mon) ||
	    !part(&w, '-', 2, &d) || !part(&w, 'T', 2, &h) ||
	    !part(&w, ':', 2, &min))
		return false;
	if (*w == ':' && !part(&w, ':', 2, &s))
		return false;
	if (strcmp(w, "Z") != 0 || y < 1970 || mon < 1 || mon > 12 || d < 1 ||
	    d > len[mon - 1] || h > 23 || min > 59 || s > 59)
		return false;
	if (mon == 2 && d == 29 &&
	    (y % 4 != 0 || (y % 100 == 0 && y % 400 != 0)))
		return false;
	*out = days(y, mon, d) * DAY_S + h * 3600 + min * 60 + s;
	return true;
}

static bool
when(const char *w, struct cmd_req *r)
{
	uint32_t s;

	r->has_until = true;
	r->until_from_now = span(*w == '+' ? w + 1 : w, 30 * DAY_S, &s);
	if (r->until_from_now) {
		r->until_s = s;
		return true;
	}
	return date(w, &r->until_s);
}

/* "sessions up", "accepted within 10%"; leaves the last word to value(). */
static bool
condition(struct parse *p)
{
	const char *const *w = &p->word[p->at];
	size_t left = p->n - p->at;
	uint32_t n = 0;
	const char *s;

	if (left >= 2 && strcmp(w[0], "sessions") == 0 &&
	    strcmp(w[1], "up") == 0) {
		p->req->if_sessions = true;
		p->at++;
		return true;
	}
	if (left < 3 || strcmp(w[0], "accepted") != 0 ||
	    strcmp(w[1], "within") != 0)
		return false;
	for (s = w[2]; *s >= '0' && *s <= '9' && n <= 100; s++)
		n = n * 10 + (uint32_t)(*s - '0');
	if (s == w[2] || n > 100 || strcmp(s, "%") != 0)
		return false;
	p->req->if_accepted = true;
	p->req->within = (uint8_t)n;
	p->at += 2;
	return true;
}

static bool
count(const char *w, struct cmd_req *r)
{
	uint32_t n = 0;

	for (; *w >= '0' && *w <= '9' && n < 100000; w++)
		n = n * 10 + (uint32_t)(*w - '0');
	r->count = n;
	return *w == '\0' && n > 0;
}

/* Takes the word as a value. */
static enum cmd_exit
value(struct parse *p, enum type t)
{
	const char *w = p->word[p->at];
	struct cmd_req *r = p->req;
	bool good = false;

	switch (t) {
	case T_NEIGHBOR:
		r->neighbor = w;
		good = w[0] != '\0';
		break;
	case T_REASON:
		r->reason = w;
		good = w[0] != '\0';
		break;
	case T_FILE:
		r->file = w;
		good = w[0] != '\0';
		break;
	case T_COUNT:
		good = count(w, r);
		break;
	case T_CURSOR:
		r->cursor = w;
		good = w[0] != '\0';
		break;
	case T_TEXT:
		r->text = w;
		good = text_is_good(w);
		break;
	case T_PREFIX:
		good = r->has_prefix = prefix(w, r);
		break;
	case T_LEVEL:
		good = level(w, r);
		break;
	case T_INPUT:
		r->input = w;
		good = w[0] != '\0';
		break;
	case T_SET:
		r->set = w;
		good = w[0] != '\0';
		break;
	case T_ASPATH:
		r->as_path = w;
		good = true;
		break;
	case T_COMMS:
		r->community = w;
		good = true;
		break;
	case T_TIME:
		good = span(w, DAY_S, &r->time_s);
		break;
	case T_WHEN:
		good = when(w, r);
		break;
	case T_IF:
		good = condition(p);
		break;
	case T_FLAG:
	case T_N:
		break;
	}
	if (!good)
		return bad_value(p, t);
	p->at++;
	return CMD_DONE;
}

static enum type
placeholder_type(const char *w, size_t len)
{
	for (enum type t = T_NEIGHBOR; t < T_N; t++)
		if (strlen(placeholder[t]) == len &&
		    memcmp(placeholder[t], w, len) == 0)
			return t;
	return T_N;
}

/* Which of the candidates have this word at that place? */
enum how {
	EXACT,
	SHORT,
	PLACE
};

static uint64_t
matches(uint64_t mask, size_t pos, const char *word, enum how how)
{
	size_t n = strlen(word);
	uint64_t found = 0;

	for (size_t i = 0; i < NCMD; i++) {
		const char *w;
		size_t len;
		bool yes = false;

		if ((mask >> i & 1) == 0 ||
		    !path_word(&table[i], pos, &w, &len))
			continue;
		if (how == PLACE)
			yes = is_placeholder(w);
		else if (!is_placeholder(w) && n > 0 && n <= len &&
		    memcmp(w, word, n) == 0)
			yes = how == EXACT
			    ? n == len
			    : !(pos == 0 && (table[i].flags & CMD_IN_FULL));
		if (yes)
			found |= (uint64_t)1 << i;
	}
	return found;
}

/* More than one different word at that place? */
static bool
differ(uint64_t mask, size_t pos)
{
	const char *first = NULL, *w;
	size_t flen = 0, len;

	for (size_t i = 0; i < NCMD; i++) {
		if ((mask >> i & 1) == 0 ||
		    !path_word(&table[i], pos, &w, &len))
			continue;
		if (first != NULL && (len != flen || memcmp(w, first, len)))
			return true;
		first = w;
		flen = len;
	}
	return false;
}

/* The candidate whose path ends here, or NULL. */
static const struct cmd *
complete(uint64_t mask, size_t pos)
{
	const char *w;
	size_t len;

	for (size_t i = 0; i < NCMD; i++)
		if ((mask >> i & 1) != 0 &&
		    !path_word(&table[i], pos, &w, &len))
			return &table[i];
	return NULL;
}

/*
 * Walks the paths: narrows the mask down word by word, as far as words fit.
 */
static enum cmd_exit
path(struct parse *p, uint64_t *mask, size_t *pos)
{
	char list[LIST_LEN] = "";
	enum cmd_exit e;

	for (*pos = 0; p->at < p->n; (*pos)++) {
		const char *word = p->word[p->at];
		uint64_t fit = matches(*mask, *pos, word, EXACT);

		if (fit == 0 &&
		    (fit = matches(*mask, *pos, word, SHORT)) != 0 &&
		    differ(fit, *pos)) {
			list_words(fit, *pos, word, list);
			return ambiguous(p, list);
		}
		if (fit == 0 &&
		    (fit = matches(*mask, *pos, word, PLACE)) != 0) {
			const char *w = "";
			size_t len = 0, i = 0;

			while ((fit >> i & 1) == 0)
				i++;
			path_word(&table[i], *pos, &w, &len);
			e = value(p, placeholder_type(w, len));
			if (e != CMD_DONE)
				return e;
			*mask = fit;
			continue;
		}
		if (fit == 0)
			return CMD_DONE;
		*mask = fit;
		p->at++;
	}
	return CMD_DONE;
}

/* A value by itself: what looks like a time is one, if one may come. */
static const struct cmd_arg *
bare_find(const struct cmd *c, const char *word)
{
	const struct cmd_arg *a;

	for (a = c->arg; a != NULL && !is_last(a); a++)
		if (a->word == NULL &&
		    (a->type != T_TIME || a[1].type != T_TEXT ||
			(*word >= '0' && *word <= '9')))
			return a;
	return NULL;
}

/* Which argument begins with this word, behind "--" if one likes; NULL: none,
 * or *many fit. */
static const struct cmd_arg *
arg_find(const struct cmd *c, const char *word, bool *many)
{
	const struct cmd_arg *a, *found = NULL;
	const char *given = word;
	size_t n;

	*many = false;
	if (c->id == CMD_MAINTENANCE_START && strncmp(word, "--", 2) == 0)
		word += 2;
	n = strlen(word);
	for (a = c->arg; n > 0 && a != NULL && !is_last(a); a++) {
		if (a->word == NULL || strncmp(a->word, word, n) != 0)
			continue;
		if (a->word[n] == '\0') {
			*many = false;
			return a;
		}
		*many = found != NULL;
		found = a;
	}
	if (found != NULL)
		return *many ? NULL : found;
	return bare_find(c, given);
}

static enum cmd_exit
arg_once(struct parse *p, const struct cmd *c, const struct cmd_arg *a)
{
	struct shown b;

	for (size_t i = 0; !is_last(&c->arg[i]); i++) {
		const struct cmd_arg *o = &c->arg[i];

		if ((p->seen >> i & 1) == 0 || o->type == T_IF)
			continue;
		if (o == a && a->type == T_TEXT)
			return usage(p,
			    "%s is one word too many: a text of several words "
			    "stands in quotes",
			    show(&b, p->word[p->at]));
		if (o == a)
			return usage(p, "%s is one too many: %s is given twice",
			    show(&b, p->word[p->at]),
			    a->word != NULL ? a->word : placeholder[a->type]);
		if (a->group != 0 && o->group == a->group)
			return usage(p, "\"%s\" and \"%s\" exclude each other",
			    o->word, a->word);
	}
	p->seen |= (uint64_t)1 << (a - c->arg);
	return CMD_DONE;
}

static enum cmd_exit
unknown(struct parse *p, uint64_t mask, size_t pos, const struct cmd *c)
{
	char list[LIST_LEN] = "";
	struct shown b;
	const char *word = p->word[p->at];

	list_words(mask, pos, "", list);
	if (c != NULL)
		list_args(c, "", list);
	if (list[0] == '\0')
		return usage(p, "%s is one word too many after \"%s\"",
		    show(&b, word), c != NULL ? c->path : "");
	return usage(p, "%s is no word that may stand here; these are: %s",
	    show(&b, word), list + 2);
}

static enum cmd_exit
args(struct parse *p, uint64_t mask, size_t pos, const struct cmd *c)
{
	const struct cmd_arg *a;
	enum cmd_exit e;
	bool many;

	while (p->at < p->n) {
		a = arg_find(c, p->word[p->at], &many);
		if (many) {
			char list[LIST_LEN] = "";

			list_args(c, p->word[p->at], list);
			return ambiguous(p, list);
		}
		if (a == NULL)
			return unknown(p, mask, pos, c);
		if ((e = arg_once(p, c, a)) != CMD_DONE)
			return e;
		if (a->type == T_FLAG) {
			*(bool *)((char *)p->req + a->flag) = true;
			p->at++;
			continue;
		}
		if (a->word != NULL && ++p->at == p->n)
			return usage(p, "\"%s\" wants a %s after it", a->word,
			    placeholder[a->type]);
		if ((e = value(p, a->type)) != CMD_DONE)
			return e;
	}
	return CMD_DONE;
}

bool
cmd_word_at(const struct cmd *c, size_t i, struct cmd_word *w)
{
	size_t n = 0;

	w->optional = false;
	if (path_word(c, i, &w->word, &w->len)) {
		w->value = is_placeholder(w->word) ? w->word : NULL;
		return true;
	}
	while (path_word(c, n, &w->word, &w->len))
		n++;
	for (const struct cmd_arg *a = c->arg; a != NULL && !is_last(a);
	     a++, n++) {
		if (n < i)
			continue;
		w->value = a->type == T_FLAG ? NULL : placeholder[a->type];
		w->word = a->word != NULL ? a->word : w->value;
		w->len = strlen(w->word);
		w->optional = true;
		return true;
	}
	return false;
}

enum cmd_exit
cmd_parse(size_t n, const char *const *word, struct cmd_req *r, char *err)
{
	struct parse p = { n, 0, word, r, err, 0 };
	uint64_t mask = ((uint64_t)1 << NCMD) - 1;
	char list[LIST_LEN] = "";
	const struct cmd *c;
	enum cmd_exit e;
	size_t pos;

	memset(r, 0, sizeof *r);
	err[0] = '\0';
	for (; p.at < n; p.at++)
		if (strcmp(word[p.at], "-j") == 0)
			r->json = true;
		else if (strcmp(word[p.at], "-n") == 0)
			r->numeric = true;
		else
			break;
	if ((e = path(&p, &mask, &pos)) != CMD_DONE)
		return e;
	c = complete(mask, pos);
	if (p.at < n && (c == NULL || pos == 0))
		return unknown(&p, mask, pos, NULL);
	if (c == NULL) {
		list_words(mask, pos, "", list);
		return usage(&p, "the command is not complete; next comes: %s",
		    list + 2);
	}
	r->id = c->id;
	/* Once a path is complete a longer one is none of its arguments. */
	return args(&p, mask, pos, c);
}
