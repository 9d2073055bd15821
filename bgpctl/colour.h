/* colour.h -- what a terminal sees in colour: the state of a session. */
#ifndef COLOUR_H
#define COLOUR_H

#include <stdbool.h>
#include <stddef.h>

#define COLOUR_RED "\033[31m"
#define COLOUR_GREEN "\033[32m"
#define COLOUR_YELLOW "\033[33m"
#define COLOUR_END "\033[0m"

/* Is standard output a terminal, and $NO_COLOR not set? */
bool colour_wanted(void);
/* Is it the head of a table of neighbors?  Where their names end is remembered
 * for what is asked of its rows. */
bool colour_head(const char *line);
/* How long the neighbor's name in a table's row is: up to its AS number. */
size_t colour_name_len(const char *row);
/*
 * The colour of a row by its state, which stands behind the name and so many
 * words: red when down, yellow from 80 % of its limit on, else green.  *state
 * is where that begins.
 */
const char *colour_of_row(
    const char *row, unsigned int words, const char **state);
/* A line of `show` or `show neighbor`, without its end, to standard output. */
void colour_put(const char *line);

#endif /* COLOUR_H */
