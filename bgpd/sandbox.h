/* sandbox.h -- what the speaker gives up before it hears from the network. */
#ifndef SANDBOX_H
#define SANDBOX_H

#include <stdbool.h>
#include <stddef.h>

struct sandbox_dirs {
	const char *conf, *state, *run, *log; /* NULL: none */
};

/*
 * No new privileges, no capability, a system call filter, and Landlock where
 * the kernel has it (*landlock).  False: *why says what failed.
 */
bool sandbox_enter(
    const struct sandbox_dirs *, bool *landlock, char *why, size_t);

#endif /* SANDBOX_H */
