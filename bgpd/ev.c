#include "bgpd/ev.h"

#include <event2/event.h>
#include <event2/event_struct.h>
#include <stdlib.h>

#include "lib/mem.h"

enum {
	EV_SIGNALS = 8
};

struct ev_sig {
	struct event event;
	ev_signal_fn *fn;
	void *arg;
};

struct ev {
	struct event_base *base;
	struct event *wake; /* the one timer: bounds ev_wait() */
	struct ev_sig sig[EV_SIGNALS];
	int nsig;
	ev_wake_fn *on_wake;
	void *wake_arg;
	bool woken;
};

struct ev_io {
	struct event event;
	struct ev *ev;
	ev_io_fn *fn;
	void *arg;
	int fd;
	short want;
	bool added;
};

static void
on_wake(evutil_socket_t fd, short what, void *arg)
{
}

struct ev *
ev_new(ev_wake_fn *wake, void *arg)
{
	struct ev *ev = mem_alloc(sizeof *ev);

	ev->on_wake = wake;
	ev->wake_arg = arg;
	if ((ev->base = event_base_new()) == NULL) {
		free(ev);
		return NULL;
	}
	ev->wake = evtimer_new(ev->base, on_wake, NULL);
	return ev;
}

void
ev_free(struct ev *ev)
{
	for (int i = 0; i < ev->nsig; i++)
		event_del(&ev->sig[i].event);
	event_free(ev->wake);
	event_base_free(ev->base);
	free(ev);
}

static void
woke(struct ev *ev)
{
	if (!ev->woken)
		ev->on_wake(ev->wake_arg);
	ev->woken = true;
}

static void
on_io(evutil_socket_t fd, short what, void *arg)
{
	struct ev_io *io = arg;

	woke(io->ev);
	io->fn(io->arg, what & EV_READ, what & EV_WRITE);
}

struct ev_io *
ev_io_new(struct ev *ev, int fd, ev_io_fn *fn, void *arg)
{
	struct ev_io *io = mem_alloc(sizeof *io);

	io->ev = ev;
	io->fd = fd;
	io->fn = fn;
	io->arg = arg;
	return io;
}

void
ev_io_want(struct ev_io *io, bool readable, bool writable)
{
	short want =
	    (short)((readable ? EV_READ : 0) | (writable ? EV_WRITE : 0));

	if (io->added && io->want == want)
		return;
	if (io->added)
		event_del(&io->event);
	io->want = want;
	io->added = want != 0;
	if (!io->added)
		return;
	event_assign(&io->event, io->ev->base, io->fd,
	    (short)(want | EV_PERSIST), on_io, io);
	event_add(&io->event, NULL);
}

void
ev_io_free(struct ev_io *io)
{
	if (io == NULL)
		return;
	if (io->added)
		event_del(&io->event);
	free(io);
}

static void
on_signal(evutil_socket_t signo, short what, void *arg)
{
	struct ev_sig *s = arg;

	s->fn(s->arg, (int)signo);
}

void
ev_signal(struct ev *ev, int signo, ev_signal_fn *fn, void *arg)
{
	struct ev_sig *s;

	if (ev->nsig == EV_SIGNALS)
		abort(); /* a programmer's mistake: the table is too small */
	s = &ev->sig[ev->nsig++];
	s->fn = fn;
	s->arg = arg;
	event_assign(
	    &s->event, ev->base, signo, EV_SIGNAL | EV_PERSIST, on_signal, s);
	event_add(&s->event, NULL);
}

void
ev_wait(struct ev *ev, int64_t timeout_ms)
{
	struct timeval tv = { timeout_ms / 1000, timeout_ms % 1000 * 1000 };

	ev->woken = false;
	if (timeout_ms == 0) {
		event_base_loop(ev->base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
		return;
	}
	if (timeout_ms > 0)
		evtimer_add(ev->wake, &tv);
	event_base_loop(ev->base, EVLOOP_ONCE);
	evtimer_del(ev->wake);
}

const char *
ev_version(void)
{
	return event_get_version();
}
