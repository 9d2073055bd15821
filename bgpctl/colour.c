#include "bgpctl/colour.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/out.h"

enum {
	WORDS = 5 /* AS, messages both ways, queue, time: in `show` */
};

static int name_columns; /* of the table under way */

bool
colour_wanted(void)
{
	const char *no = getenv("NO_COLOR");

	return isatty(STDOUT_FILENO) && (no == NULL || *no == '\0');
}

bool
colour_head(const char *line)
{
	const char *as = strstr(line, "      AS ");

	if (strncmp(line, "Neighbor  ", 10) != 0 || as == NULL)
		return false;
	name_columns = (int)(as - line) - 1;
	return true;
}

size_t
colour_name_len(const char *row)
{
	int n = out_fit(row, name_columns);

	return row[n] == ' ' ? (size_t)n : strcspn(row, " ");
}

const char *
colour_of_row(const char *row, unsigned int words, const char **state)
{
	unsigned int in, limit;
	int n;

	row += colour_name_len(row);
	while (words-- > 0) {
		row += strspn(row, " ");
		row += strcspn(row, " ");
	}
	*state = row + strspn(row, " ");
	n = sscanf(*state, "%u/%u", &in, &limit);
	if (n < 1)
		return COLOUR_RED; /* the state's name */
	return n == 2 && (uint64_t)in * 5 > (uint64_t)limit * 4 ? COLOUR_YELLOW
								: COLOUR_GREEN;
}

/* "118/250        112      6": how many are refused, when any is. */
static const char *
rejected(const char *state)
{
	for (int i = 0; i < 2; i++) {
		state += strcspn(state, " ");
		state += strspn(state, " ");
	}
	return *state >= '1' && *state <= '9' ? state : NULL;
}

void
colour_put(const char *line)
{
	static const char is[] = "  BGP state = ";
	static bool table;
	const char *state, *colour, *more;
	int n;

	if (strncmp(line, is, sizeof is - 1) == 0) {
		state = line + sizeof is - 1;
		n = (int)strcspn(state, ",");
		printf("%s%s%.*s%s%s\n", is,
		    strncmp(state, "Established", 11) == 0 ? COLOUR_GREEN
							   : COLOUR_RED,
		    n, state, COLOUR_END, state + n);
		return;
	}
	if (!table) {
		table = colour_head(line);
		printf("%s\n", line);
		return;
	}
	colour = colour_of_row(line, WORDS, &state);
	n = *state >= '0' && *state <= '9' ? (int)strcspn(state, " ")
					   : (int)strlen(state);
	printf("%.*s%s%.*s%s", (int)(state - line), line, colour, n, state,
	    COLOUR_END);
	more = *state >= '0' && *state <= '9' ? rejected(state) : NULL;
	state += n;
	if (more != NULL) {
		n = (int)strcspn(more, " ");
		printf("%.*s%s%.*s%s", (int)(more - state), state,
		    COLOUR_YELLOW, n, more, COLOUR_END);
		state = more + n;
	}
	printf("%s\n", state);
}
