/*
 * ev.h -- descriptors and signals.  The only place that knows libevent;
 * timers are lib/timer.h's and the engine's.
 */
#ifndef EV_H
#define EV_H

#include <stdbool.h>
#include <stdint.h>

struct ev;
struct ev_io;

/* May free its own ev_io.  Called from ev_wait() only. */
typedef void ev_io_fn(void *arg, bool readable, bool writable);
typedef void ev_signal_fn(void *arg, int signo);

typedef void ev_wake_fn(void *arg);

/*
 * NULL when the system has no way to wait.  wake is called when a wait is
 * over, before the first callback: where the caller looks at the clock.
 */
struct ev *ev_new(ev_wake_fn *wake, void *arg);
/* The caller has freed its ev_io before. */
void ev_free(struct ev *);
/* Waits for nothing until ev_io_want(). */
struct ev_io *ev_io_new(struct ev *, int fd, ev_io_fn *, void *arg);
void ev_io_want(struct ev_io *, bool readable, bool writable);
/* NULL is fine.  Does not close the descriptor. */
void ev_io_free(struct ev_io *);
void ev_signal(struct ev *, int signo, ev_signal_fn *, void *arg);
/* Waits for at most timeout_ms (-1: for ever) and calls what is ready. */
void ev_wait(struct ev *, int64_t timeout_ms);

const char *ev_version(void);

#endif /* EV_H */
