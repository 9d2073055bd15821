/* fibd.h -- what ana-fibd's own files share. */
#ifndef FIBD_H
#define FIBD_H

#include <sys/types.h>

#include "platform/fibd/fibd_check.h"
#include "platform/fibd/nlwatch.h"
#include "platform/fibd/table.h"
#include "platform/helper.h"

struct fibd_options {
	const char *path; /* -s */
	const char *user; /* -u: who may connect */
	const char *own; /* -U: who to be */
	int fd; /* -i: the connection itself, -1: none */
	int rcvbuf; /* tests */
	bool remove; /* -X */
	bool foreground; /* -d */
	bool plain; /* tests: no nexthop objects */
};

struct speaker;

struct fibd {
	struct fibd_options opt;
	struct fibd_fences fences;
	uid_t speaker_uid;
	int listen_fd;
	int statm_fd; /* /proc/self/statm, -1: none */
	int64_t start_s; /* of the real clock */
	struct nlroute *nl;
	struct nlwatch *watch;
	struct table *table;
	struct speaker *speaker; /* NULL: none is connected */
	uint64_t keep_until_ms; /* stale routes; 0: none waits */
	uint32_t keep_s;
	uint64_t reconcile_at_ms; /* 0: never */
	uint32_t reconcile_s;
	uint64_t count_at_ms; /* links' counters, for a speaker */
	uint64_t tell_at_ms; /* the service manager; 0: never */
	bool adopting; /* and it was not said yet that it is over */
	bool look; /* links, addresses or objects changed */
	bool renew; /* routes of others changed, by which next hops are had */
	bool resync; /* compare all routes, too */
	bool lost; /* events were lost: the speaker must hear of it */
};

/* fibd_args.c; ends the process on a usage error. */
void fibd_args(
    int argc, char **argv, struct fibd_options *, struct fibd_fences *);

/* fibd_sandbox.c: own user, two capabilities, no new privileges; then the
 * system calls.  End the process when they cannot. */
void fibd_drop(const struct fibd_options *, bool will_listen);
void fibd_confine(const struct fibd *);

/* speaker.c: the one connection. */
struct speaker *speaker_new(struct fibd *, int fd);
void speaker_free(struct speaker *);
int speaker_fd(const struct speaker *);
bool speaker_wants_write(const struct speaker *);
/* Not while too much waits for it, or a request of it for the adoption. */
bool speaker_wants_read(const struct speaker *);
/* Requests were read that are not worked off. */
bool speaker_holds(const struct speaker *);
/* False: it has gone, or must go. */
bool speaker_readable(struct speaker *);
bool speaker_writable(struct speaker *);
/* Tells somebody who may not stay why, and closes. */
void speaker_refuse(int fd, int err, const char *text);
/* Next hops are looked at again; what changed is told. */
void speaker_look(struct speaker *);
/* Routes of others matter to its next hops. */
bool speaker_recurses(const struct speaker *);
/* s may be NULL here: nobody to tell. */
void speaker_link(struct speaker *, const struct nlwatch_link *);
void speaker_traffic(struct speaker *, const struct nlwatch_traffic *);
void speaker_usage(struct speaker *, const struct fibd_usage *);
void speaker_addr(struct speaker *, const struct nlwatch_addr *, bool added);
void speaker_failed(struct speaker *, uint32_t seq, int err, const char *text);
void speaker_state(struct speaker *, const struct pfx *, uint8_t what);
void speaker_swept(struct speaker *, enum fam, bool flushed, uint32_t removed);
void speaker_overrun(struct speaker *);

/* fibd.c */
uint64_t fibd_now_ms(void);
/* A checked HELLO. */
void fibd_hello(struct fibd *, const struct fibd_hello *);

#endif /* FIBD_H */
