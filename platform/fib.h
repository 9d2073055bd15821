/*
 * fib.h -- what the speaker may ask of the kernel's routing table, and what
 * it is told.  Two backends: ana-fibd through its socket (fib_client.c), and
 * memory (fib_mem.c: tests, `-F memory`, dry runs).
 *
 * Nothing here blocks.  An op queues one fixed-size record and returns 0, or
 * -EAGAIN when the queue is full: the caller keeps its mark and is called
 * back through room().  Other negative numbers mean that the request itself
 * is wrong (-EINVAL) or that there is no ana-fibd (-ENOTCONN).
 *
 * Callbacks come only out of fib_readable() and fib_writable(), never out of
 * an op; they may call any op except close.
 */
#ifndef FIB_H
#define FIB_H

#include "lib/pfx.h"

struct fib;

enum {
	FIB_SET_NH = 16, /* next hops in a set, at most */
	FIB_SET_MAX = 4095, /* set numbers are 1..FIB_SET_MAX */
	FIB_WATCH_MAX = 1024, /* watched addresses */
	FIB_LISTEN_MAX = 8,
};

#define FIB_NH_ONLINK 1 /* no connected prefix needed; ana-fibd's -o */

struct fib_nh {
	struct addr addr;
	uint32_t ifindex;
	uint8_t weight; /* relative, 1..255; 0 counts as 1 */
	uint8_t flags;
};

/*
 * Must be permitted by ana-fibd's arguments, else down() tells the reason.
 * It may be said again after ready(), with other values: every route is then
 * stale and every set number unknown until asked for again.
 */
struct fib_hello {
	uint8_t protocol;
	uint32_t table; /* 254 is main */
	uint32_t metric; /* not 0 */
	struct addr src4; /* preferred source, FAM_NONE: the kernel's choice */
	struct addr src6;
	uint32_t keep_s; /* routes outlive the speaker by so much */
	uint32_t reconcile_s; /* look for silent drift so often; 0: never */
	uint64_t netns; /* fib_netns(), read before the sandbox */
	/* Watched addresses may be reached over routes of others (static, an
	 * IGP), a default route and our own excepted. */
	bool recursive;
};

struct fib_ready {
	/* Routes of ours that were there already, by enum fam.  They are
	 * stale: forwarded by, and swept by end() unless asked for again. */
	uint32_t adopted[FAM_N];
	bool adopting; /* it goes on: at least so many */
	uint32_t max_routes; /* both families */
	uint32_t keep_max_s;
	uint16_t port;
	uint8_t min_len[FAM_N], max_len[FAM_N];
	bool nexthop_objects; /* false: plain multipath routes */
};

enum fib_state {
	FIB_CONFLICT, /* a foreign route has that place: ours is not there; it
		       * is put there when the foreign one goes */
	FIB_GONE, /* somebody removed ours, and it could not be put back */
	FIB_CHANGED, /* somebody changed ours; it was corrected */
	FIB_PUTBACK, /* ours was missing; it is there (again) */
};

struct fib_link {
	uint32_t ifindex;
	uint32_t speed_mbps; /* 0: not known */
	bool up; /* administratively */
	bool carrier;
	bool gone; /* the interface does not exist any longer */
	char name[16];
};

/* What the kernel has counted on a link since it exists. */
struct fib_traffic {
	uint32_t ifindex;
	uint64_t at_ms; /* monotonic */
	uint64_t rx_octets, tx_octets;
};

/* What ana-fibd itself uses; start_s is of the real clock. */
struct fib_usage {
	uint64_t cpu_us, start_s;
	uint64_t virtual, resident; /* octets, 0: not known */
};

/* Any member may be NULL.  Text is valid during the call only. */
struct fib_events {
	void (*ready)(void *arg, const struct fib_ready *);
	/* Not connected any longer, or refused; what was queued is forgotten.
	 * The caller closes, and may open again a second later. */
	void (*down)(void *arg, const char *sentence);
	/*
	 * Once for each replace() and remove(), in the order they were asked.
	 * err 0: as asked.  EPERM: a fence of ana-fibd, text says which.
	 * EEXIST: a foreign route is there.  ENETDOWN: no next hop of the set
	 * can be used now; it is kept, and written when one can.  Others are
	 * the kernel's.  For a remove, ENOENT: there was none of ours.
	 */
	void (*done)(void *arg, const struct pfx *, bool removed, int err,
	    const char *text);
	/* Once for each nhset() and nhset_drop(); in the order of done(). */
	void (*set_done)(
	    void *arg, uint32_t set, bool dropped, int err, const char *text);
	/* Once for each end() and flush(): the routes are gone. */
	void (*fam_done)(
	    void *arg, enum fam, bool flushed, uint32_t removed, int err);
	/* Answers each watch(), then each change.  ifindex 0: none.  via: the
	 * neighbor on that link that it is sent to; the address itself unless
	 * recursive. */
	void (*nh_state)(void *arg, const struct addr *, bool reachable,
	    uint32_t ifindex, const struct addr *via);
	/* All links and addresses after ready(), then each change. */
	void (*link)(void *arg, const struct fib_link *);
	/* Of each link, every two seconds. */
	void (*traffic)(void *arg, const struct fib_traffic *);
	/* Every two seconds. */
	void (*usage)(void *arg, const struct fib_usage *);
	/* The address of this machine and its connected prefix's length. */
	void (*addr)(void *arg, uint32_t ifindex, const struct addr *,
	    unsigned int len, bool added);
	void (*state)(void *arg, const struct pfx *, enum fib_state);
	/* ana-fibd lost events of the kernel and has looked again.  Links,
	 * addresses and next hop states follow afresh; ask dirty routes again.
	 */
	void (*overrun)(void *arg);
	void (*room)(void *arg);
	/* Answers listen(): a bound socket, now the callee's, on which TTL,
	 * keys and listen(2) are still to be set; or -errno and why. */
	void (*listener)(void *arg, const struct addr *, uint32_t ifindex,
	    int fd, const char *text);
};

struct fib_ops {
	int (*hello)(struct fib *, const struct fib_hello *);
	/* addr: 0.0.0.0, :: or an address; ifindex 0: all.  The port is
	 * ana-fibd's. */
	int (*listen)(struct fib *, const struct addr *, uint32_t ifindex);
	/* Makes or changes a set: all next hops of one family, 1..FIB_SET_NH.
	 * Routes that name it follow at once. */
	int (*nhset)(
	    struct fib *, uint32_t set, const struct fib_nh *, size_t n);
	/* The number is free then.  EBUSY in set_done(): routes that ana-fibd
	 * has keep its next hops. */
	int (*nhset_drop)(struct fib *, uint32_t set);
	int (*replace)(struct fib *, const struct pfx *, uint32_t set);
	int (*remove)(struct fib *, const struct pfx *);
	/* Sweeps what was not asked for since hello(). */
	int (*end)(struct fib *, enum fam);
	/* Removes all of ours. */
	int (*flush)(struct fib *, enum fam);
	/* ifindex: needed for a link-local address, else 0. */
	int (*watch)(struct fib *, const struct addr *, uint32_t ifindex);
	int (*unwatch)(struct fib *, const struct addr *, uint32_t ifindex);
	int (*fd)(const struct fib *);
	bool (*wants_write)(const struct fib *);
	void (*readable)(struct fib *);
	void (*writable)(struct fib *);
	void (*close)(struct fib *);
};

/* The head of each backend's object. */
struct fib {
	const struct fib_ops *ops;
	const struct fib_events *ev;
	void *arg;
};

/*
 * Connects to ana-fibd's socket; NULL with errno set when nobody is there.
 * The events table must outlive the object.
 */
struct fib *fib_open_client(
    const char *path, const struct fib_events *, void *arg);
/* The same on a connected SOCK_SEQPACKET descriptor, which it owns then. */
struct fib *fib_open_fd(int fd, const struct fib_events *, void *arg);
/* This process's network namespace, for the HELLO; 0 when not known. */
uint64_t fib_netns(void);

/* The backend in memory: its descriptor is readable while events wait. */
struct fib *fib_open_mem(const struct fib_events *, void *arg);
/* Next hops inside a connected prefix are reachable (through ifindex). */
void fib_mem_connected(struct fib *, const struct pfx *, uint32_t ifindex);
/* Before hello(): a route that a speaker before left in the table. */
void fib_mem_adopt(struct fib *, const struct pfx *);
/* Overrides a watched address; tells nh_state(). */
void fib_mem_nh_state(
    struct fib *, const struct addr *, bool reachable, uint32_t ifindex);
/* Takes a link down or up: next hops through it follow, link() is told. */
void fib_mem_link(struct fib *, uint32_t ifindex, bool up);
/* A foreign route: asking for that prefix is EEXIST and a conflict. */
void fib_mem_foreign(struct fib *, const struct pfx *, bool there);
/* The next n route requests fail with err. */
void fib_mem_fail(struct fib *, unsigned int n, int err);
/* At most n requests wait until fib_readable() is called; 0: no limit. */
void fib_mem_limit(struct fib *, size_t n);
/* The table: routes of a family; the set of a route, 0 when there is none;
 * the set's next hops (count returned, at most FIB_SET_NH copied). */
size_t fib_mem_count(const struct fib *, enum fam);
uint32_t fib_mem_route(const struct fib *, const struct pfx *);
size_t fib_mem_set(const struct fib *, uint32_t set, struct fib_nh *);

static inline int
fib_fd(const struct fib *f)
{
	return f->ops->fd(f);
}

static inline bool
fib_wants_write(const struct fib *f)
{
	return f->ops->wants_write(f);
}

static inline void
fib_readable(struct fib *f)
{
	f->ops->readable(f);
}

static inline void
fib_writable(struct fib *f)
{
	f->ops->writable(f);
}

/* Leaves the routes in place.  NULL is fine. */
static inline void
fib_close(struct fib *f)
{
	if (f != NULL)
		f->ops->close(f);
}

#endif /* FIB_H */
