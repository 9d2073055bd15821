/*
 * helper.h -- what the speaker's helpers, ana-fibd and ana-trackd, begin with:
 * words, and the socket on which they wait for their one speaker.
 */
#ifndef HELPER_H
#define HELPER_H

#include <sys/types.h>

struct passwd;

/* Lines go to syslog from now on.  Connects at once: there may be no connect()
 * in a sandbox. */
void helper_syslog(void);
/* One line an event: on stderr, under the program's name, or to syslog. */
void helper_log(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* One plain sentence on stderr, and the end with status 1. */
void helper_die(const char *fmt, ...)
    __attribute__((format(printf, 1, 2), noreturn));

/*
 * A user of /etc/passwd, as getpwnam(3) has it, or NULL.  No directory server
 * is waited for, and no code of one loaded into a program with rights.
 */
const struct passwd *helper_user(const char *name);
/* Likewise of -u USER; without one the end. */
const struct passwd *helper_speaker(const char *user);
/*
 * Listens for records (SOCK_SEQPACKET) at that path, in place of what a dead
 * one left there; mask is the umask for the socket.  Returns the descriptor,
 * close-on-exec and non-blocking; ends the process where it cannot.
 */
int helper_listen(const char *path, mode_t mask);

#endif /* HELPER_H */
