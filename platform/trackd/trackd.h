/*
 * trackd.h -- ana-trackd: makes the probes that announcements hang on, so that
 * the speaker need not.  It has no privilege and no configuration but its
 * arguments; programs are those of one directory, and the speaker can only name
 * them.
 */
#ifndef TRACKD_H
#define TRACKD_H

#include <sys/queue.h>
#include <sys/types.h>

#include <stdbool.h>
#include <stdint.h>

#include "platform/helper.h"
#include "platform/trackd_proto.h"

struct event;
struct event_base;
struct evhttp_connection;

struct trackd_options {
	const char *path; /* of the socket */
	const char *user; /* the speaker's */
	const char *own; /* ours, when started as root */
	const char *programs; /* their directory */
	unsigned int children; /* at most, at a time */
};

struct probe {
	LIST_ENTRY(probe) entry;
	struct trackd *d;
	struct trackd_set set;
	bool listed; /* set again since the last END */
	bool running;
	struct event *next, *late; /* the next one is due; it took too long */
	struct event *io; /* of a TCP connection */
	int fd;
	struct evhttp_connection *http;
	pid_t pid; /* of the program, 0: none */
	bool waits; /* for another program to end */
};
LIST_HEAD(probe_list, probe);

struct trackd {
	struct trackd_options opt;
	struct event_base *base;
	uid_t speaker_uid;
	uint64_t netns;
	int listen_fd, fd; /* fd: the speaker, -1: none */
	struct event *accept, *speaker;
	bool hello;
	struct probe_list probes;
	unsigned int nprobe, nchild;
};

/* Sends a result; a speaker that does not read is closed. */
void trackd_tell(struct probe *, bool good, const char *text);

/* probe.c */
/* Begins at once. */
struct probe *probe_new(struct trackd *, const struct trackd_set *);
/* Ends what it is about. */
void probe_free(struct probe *);
/* A child has ended; and what it left behind is killed. */
void probe_reap(struct trackd *);

/* trackd_sandbox.c */
/* Everything that programs and probes do not need, for good. */
void trackd_confine(const struct trackd *);

#endif /* TRACKD_H */
