/* conf_text.h -- for tests: a configuration that is one text in memory. */
#ifndef CONF_TEXT_H
#define CONF_TEXT_H

#include <errno.h>
#include <string.h>

#include "bgpd/conf.h"

/* The read of a conf_reader whose arg is the text of /t/t.conf. */
static inline int
read_text(void *arg, const char *path, struct conf_file *out)
{
	const char *text = arg;

	if (strcmp(path, "/t/t.conf") != 0)
		return -ENOENT;
	*out = (struct conf_file){ .data = strdup(text), .len = strlen(text) };
	return 0;
}

/* Its glob: there is nothing else. */
static inline int
no_glob(void *arg, const char *pattern, char ***paths, size_t *n)
{
	*paths = NULL;
	*n = 0;
	return 0;
}

#endif /* CONF_TEXT_H */
