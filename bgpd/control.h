/*
 * control.h -- the control sockets: admin, and read-only for every `show`.
 * The protocol is lib/ctlproto.h's, the commands are lib/cmd.h's.  A client
 * that stalls keeps only its own bounded buffer waiting.
 */
#ifndef CONTROL_H
#define CONTROL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct control;
struct engine;

/*
 * Makes the sockets of the configuration (or the two built-in ones below the
 * run directory).  NULL: *why says which could not be made.
 */
struct control *control_new(struct engine *, char *why, size_t);
void control_free(struct control *);
/* A slice of each answer under way; true: more can be written at once. */
bool control_run(struct control *);
/* The i-th socket: its path, clients now, those refused; false after the
 * last. */
bool control_socket(const struct control *, size_t i, const char **path,
    unsigned int *clients, uint64_t *refused);
/* An answer has not left yet.  NULL: no. */
bool control_busy(const struct control *);
/* A peer is about to be freed. */
void control_forget_peer(struct control *, uint16_t peer);

#endif /* CONTROL_H */
