/*
 * top.c -- draws what `top` and other commands answer.  The daemon makes the
 * text of a frame; here lines are chosen, cut to the terminal and coloured.
 */
#include "bgpctl/top.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "bgpctl/colour.h"
#include "lib/out.h"

enum {
	FRAME_MS = 1000,
	ESCAPE_MS = 50, /* the rest of an arrow's octets */
	NAME_LEN = 256,
	WORDS = 4 /* AS, two paces, time: before the state */
};

struct top {
	top_ask_fn *ask;
	void *arg;
	enum {
		TABLE,
		DETAIL,
		REJECTED,
		HISTORY,
		HELP
	} view;
	bool events; /* what is drawn now stands below the table */
	bool colour, paused, quit, by_name, typing;
	int selected; /* row of the table */
	int skip; /* lines of another view that are above the screen */
	char name[NAME_LEN]; /* of the row selected: what to ask about */
	char filter[NAME_LEN];
	int rows, columns, drawn;
	struct top_text text;
};

static const char help_text[] =
    "q        end\n"
    "up, down choose a neighbor; move through a text\n"
    "Enter    all about it, and back\n"
    "r        its refused routes, and back\n"
    "s        sort by name, or as configured\n"
    "f        show only names that contain what is typed, Enter ends\n"
    "e        the last state changes and NOTIFICATIONs, and back\n"
    "p        pause\n"
    "?        this text, and back\n";

static volatile sig_atomic_t ended;

static void
on_signal(int sig)
{
	ended = 1;
}

static void
size(struct top *t)
{
	struct winsize w;

	t->rows = 24;
	t->columns = 80;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) == 0 && w.ws_row > 0) {
		t->rows = w.ws_row;
		t->columns = w.ws_col;
	}
}

static const char *
colour_of_head(const char *line)
{
	static const struct {
		const char *word, *colour;
	} alarm[] = { { "NOT READY", COLOUR_RED },
		{ "is NOT there", COLOUR_RED }, { "FAILED", COLOUR_RED },
		{ "ALARM", COLOUR_RED }, { "TOO OLD", COLOUR_YELLOW } };

	for (size_t i = 0; i < sizeof alarm / sizeof alarm[0]; i++)
		if (strstr(line, alarm[i].word) != NULL)
			return alarm[i].colour;
	return "";
}

static void
draw(struct top *t, const char *line, bool row, bool selected)
{
	char buf[1024];
	const char *state;

	if (t->drawn >= t->rows - 1)
		return;
	t->drawn++;
	snprintf(buf, sizeof buf, "%.*s", out_fit(line, t->columns), line);
	printf("%s%s%s%s\033[K\r\n", selected ? "\033[7m" : "",
	    !t->colour ? ""
		: row  ? colour_of_row(line, WORDS, &state)
		: t->view == TABLE && !t->events ? colour_of_head(line)
						 : "",
	    buf, t->colour || selected ? "\033[0m" : "");
}

static int
by_line(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void
take_name(struct top *t, const char *row)
{
	size_t n = colour_name_len(row);

	if (n >= sizeof t->name)
		n = sizeof t->name - 1;
	memcpy(t->name, row, n);
	while (n > 0 && t->name[n - 1] == ' ')
		n--;
	t->name[n] = '\0';
}

static void
draw_table(struct top *t, char **row, int n)
{
	int shown = 0, room = t->rows - 1 - t->drawn, first = 0;

	if (t->by_name)
		qsort(row, (size_t)n, sizeof *row, by_line);
	for (int i = 0; i < n; i++)
		if (t->filter[0] == '\0' || strstr(row[i], t->filter) != NULL)
			row[shown++] = row[i];
	if (t->selected >= shown)
		t->selected = shown > 0 ? shown - 1 : 0;
	/* The selected one is always seen. */
	if (room > 0 && t->selected >= room)
		first = t->selected - room + 1;
	for (int i = first; i < shown; i++) {
		if (i == t->selected)
			take_name(t, row[i]);
		draw(t, row[i], true, i == t->selected);
	}
}

/* Not beyond the end. */
static void
bound_skip(struct top *t)
{
	int lines = 0, most;

	for (const char *p = t->text.p; (p = strchr(p, '\n')) != NULL; p++)
		lines++;
	most = lines > t->rows - 1 ? lines - (t->rows - 1) : 0;
	if (t->skip > most)
		t->skip = most;
}

/* Splits the text into lines; those between the head and a blank are rows. */
static void
draw_text(struct top *t)
{
	char *save = NULL, *row[4096];
	int n = 0, skip;
	bool table = false;

	t->events = false;
	bound_skip(t);
	skip = t->view != TABLE ? t->skip : 0;
	for (char *line = t->text.p; line != NULL; line = save) {
		save = strchr(line, '\n');
		if (save != NULL)
			*save++ = '\0';
		if (skip-- > 0)
			continue;
		if (table && *line != '\0' && n < 4096) {
			row[n++] = line;
			continue;
		}
		if (table) {
			draw_table(t, row, n);
			table = false;
			t->events = true;
		}
		draw(t, line, false, false);
		table = t->view == TABLE && colour_head(line);
	}
	if (table)
		draw_table(t, row, n);
}

static enum cmd_exit
fetch(struct top *t)
{
	const char *table[] = { "top" };
	const char *detail[] = { "show", "neighbor", t->name };
	const char *rejected[] = { "show", "rejected", "neighbor", t->name };

	const char *history[] = { "show", "history" };

	t->text.len = 0;
	if (t->view == HISTORY)
		return t->ask(t->arg, 2, history, &t->text);
	if (t->view == DETAIL)
		return t->ask(t->arg, 3, detail, &t->text);
	if (t->view == REJECTED)
		return t->ask(t->arg, 4, rejected, &t->text);
	return t->ask(t->arg, 1, table, &t->text);
}

static void
frame(struct top *t)
{
	size(t);
	t->drawn = 0;
	printf("\033[H");
	if (t->view == HELP) {
		free(t->text.p);
		t->text.p = strdup(help_text);
		t->text.len = sizeof help_text - 1;
	} else
		fetch(t);
	if (t->text.p != NULL)
		draw_text(t);
	printf("\033[J");
}

static void
footer(const struct top *t)
{
	printf("\033[%d;1H\033[K", t->rows);
	if (t->typing || t->filter[0] != '\0')
		printf("filter: %s", t->filter);
	else
		printf(
		    "%s", t->paused ? "paused (p goes on)" : "q end  ? help");
	fflush(stdout);
}

static void
type(struct top *t, char key)
{
	size_t n = strlen(t->filter);

	if (key == '\r' || key == '\n')
		t->typing = false;
	else if ((key == 0x7f || key == '\b') && n > 0)
		t->filter[n - 1] = '\0';
	else if ((unsigned char)key >= ' ' && key != 0x7f &&
	    n + 1 < sizeof t->filter) {
		t->filter[n] = key;
		t->filter[n + 1] = '\0';
	}
}

static void
toggle(struct top *t, int view)
{
	t->view = (int)t->view == view ? TABLE : view;
	t->skip = 0;
}

static void
key(struct top *t, char k)
{
	switch (k) {
	case 'q':
		t->quit = true;
		break;
	case '?':
		toggle(t, HELP);
		break;
	case 'r':
		toggle(t, REJECTED);
		break;
	case '\r':
	case '\n':
		toggle(t, DETAIL);
		break;
	case 'e':
		toggle(t, HISTORY);
		break;
	case 's':
		t->by_name = !t->by_name;
		break;
	case 'f':
		t->typing = true;
		t->filter[0] = '\0';
		break;
	case 'p':
		t->paused = !t->paused;
		break;
	default:
		break;
	}
}

/* One key: a frame comes before the next, which is about what it shows. */
static void
keys(struct top *t)
{
	struct pollfd p = { .fd = STDIN_FILENO, .events = POLLIN };
	char k[3];

	if (read(STDIN_FILENO, k, 1) <= 0) {
		t->quit = true;
		return;
	}
	if (t->typing)
		type(t, k[0]);
	else if (k[0] != '\033')
		key(t, k[0]);
	else if (poll(&p, 1, ESCAPE_MS) > 0 &&
	    read(STDIN_FILENO, k + 1, 2) == 2 && (k[1] == '[' || k[1] == 'O')) {
		int *at = t->view == TABLE ? &t->selected : &t->skip;

		if (k[2] == 'A' && *at > 0)
			--*at;
		if (k[2] == 'B')
			++*at;
	}
}

static enum cmd_exit
batch(struct top *t, uint32_t count)
{
	enum cmd_exit e = CMD_DONE;

	for (uint32_t i = 0; i < count && e == CMD_DONE && !ended; i++) {
		if (i > 0)
			poll(NULL, 0, FRAME_MS);
		e = fetch(t);
		if (e == CMD_DONE)
			printf("%s%s", i > 0 ? "\n" : "", t->text.p);
		else if (t->text.p != NULL)
			fputs(t->text.p, stderr);
		fflush(stdout);
	}
	return e;
}

static void
screen(struct top *t)
{
	struct pollfd p = { .fd = STDIN_FILENO, .events = POLLIN };
	struct termios old, raw;

	if (tcgetattr(STDIN_FILENO, &old) == -1)
		return;
	raw = old;
	raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	tcsetattr(STDIN_FILENO, TCSANOW, &raw);
	printf("\033[?1049h\033[?25l");
	while (!t->quit && !ended) {
		if (!t->paused || t->view == HELP)
			frame(t);
		footer(t);
		if (poll(&p, 1, FRAME_MS) > 0)
			keys(t);
	}
	printf("\033[?25h\033[?1049l");
	fflush(stdout);
	tcsetattr(STDIN_FILENO, TCSANOW, &old);
}

enum cmd_exit
top_run(const struct cmd_req *r, top_ask_fn *ask, void *arg)
{
	struct top t = { .ask = ask, .arg = arg };
	struct sigaction sa = { .sa_handler = on_signal };
	enum cmd_exit e = CMD_DONE;

	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
	t.colour = colour_wanted();
	if (r->batch)
		e = batch(&t, r->count > 0 ? r->count : 1);
	else if (!isatty(STDOUT_FILENO) || !isatty(STDIN_FILENO)) {
		fprintf(stderr,
		    "ana-bgpctl: top needs a terminal; --batch "
		    "prints frames\n");
		return CMD_USAGE;
	} else if ((e = fetch(&t)) == CMD_DONE)
		screen(&t);
	else if (t.text.p != NULL)
		fputs(t.text.p, stderr);
	free(t.text.p);
	return e;
}
