/* completion.h -- shell completion, printed from the table of commands. */
#ifndef COMPLETION_H
#define COMPLETION_H

#include "lib/cmd.h"

/* `completion bash` or `completion zsh`, to standard output; false: which? */
bool completion(const struct cmd_req *);

#endif /* COMPLETION_H */
