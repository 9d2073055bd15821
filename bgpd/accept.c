/* Sockets that listen, and whom a connection belongs to. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "bgpd/auth.h"
#include "bgpd/engine.h"
#include "bgpd/log.h"
#include "platform/sock.h"

enum {
	ACCEPTS = 64, /* in one turn */
	STRANGER_MS = 60000,
};

/* At start the program ends with it; later, after a reload, it is shown. */
static void
fail(struct listener *l, int err, const char *text)
{
	struct engine *eng = l->eng;
	char a[ADDR_STRLEN];

	addr_print(&l->addr, a, sizeof a);
	if (text != NULL && *text != '\0') /* ana-fibd's own words */
		snprintf(
		    l->why, sizeof l->why, "cannot listen on %s: %s", a, text);
	else
		snprintf(l->why, sizeof l->why,
		    "cannot listen on %s port %u: %s%s", a, l->port,
		    strerror(err),
		    err == EADDRINUSE   ? "; \"ss -ltnp\" shows who has it"
			: err == EACCES ? "; a port below 1024 needs ana-fibd, "
					  "or another one with -p"
					: "");
	if (eng->listened) {
		log_warnx("%s", l->why);
		return;
	}
	strlcpy(eng->fatal, l->why, sizeof eng->fatal);
	eng->stop = true;
}

/* Nothing is said to a stranger; the log hears of one a minute. */
static void
stranger(struct engine *eng, const struct addr *remote)
{
	char text[ADDR_STRLEN];

	eng->strangers++;
	if (eng->stranger_said_ms != 0 &&
	    eng->now_ms - eng->stranger_said_ms < STRANGER_MS)
		return;
	eng->stranger_said_ms = eng->now_ms;
	log_info("connection from %s refused: no such neighbor is configured "
		 "(%llu such connections so far, one a minute is logged)",
	    addr_print(remote, text, sizeof text),
	    (unsigned long long)eng->strangers);
}

static void
on_accept(void *arg, bool r, bool w)
{
	struct listener *l = arg;
	struct addr remote;
	uint16_t port;
	struct peer *p;
	int fd;

	for (int i = 0; i < ACCEPTS; i++) {
		if ((fd = sock_accept(l->fd, &remote, &port)) < 0)
			return;
		if (l->eng->stop) {
			close(fd);
			continue;
		}
		if ((p = engine_peer(l->eng, &remote)) != NULL) {
			peer_accept(p, fd);
			continue;
		}
		stranger(l->eng, &remote);
		close(fd);
	}
}

void
listener_take(
    struct engine *eng, const struct addr *a, int fd, const char *text)
{
	struct listener *l = NULL;
	struct peer *p;
	int err;

	for (size_t i = 0; i < eng->nlistener; i++)
		if (eng->listener[i].fd == -1 &&
		    addr_eq(&eng->listener[i].addr, a))
			l = &eng->listener[i];
	if (l == NULL) {
		if (fd >= 0)
			close(fd);
		return;
	}
	if (fd < 0) {
		fail(l, -fd, text);
		return;
	}
	l->fd = fd;
	TAILQ_FOREACH (p, &eng->peers, entry)
		if (p->conf->addr.fam == a->fam &&
		    (p->conf->md5_file != NULL || p->conf->nao > 0))
			auth_listen(p, NULL);
	if ((err = sock_listen(fd)) != 0) {
		fail(l, -err, NULL);
		close(fd);
		l->fd = -1;
		return;
	}
	l->why[0] = '\0';
	l->io = ev_io_new(eng->ev, fd, on_accept, l);
	ev_io_want(l->io, true, false);
	eng->listened = true;
}

static void
add(struct engine *eng, const struct addr *a, uint16_t port)
{
	struct listener *l;

	for (size_t i = 0; i < eng->nlistener; i++)
		if (addr_eq(&eng->listener[i].addr, a))
			return;
	if (eng->nlistener == ENGINE_LISTEN_MAX) {
		log_warnx("more than %d listen addresses: the rest is not "
			  "used",
		    ENGINE_LISTEN_MAX);
		return;
	}
	l = &eng->listener[eng->nlistener++];
	*l = (struct listener){ .addr = *a,
		.fd = -1,
		.eng = eng,
		.port = port != 0 ? port : eng->opts.port };
}

void
listeners_start(struct engine *eng)
{
	const struct addr any4 = { .fam = FAM_INET };
	const struct addr any6 = { .fam = FAM_INET6 };
	const struct conf *c = eng->conf;
	struct listener *l;

	for (size_t i = 0; i < c->nlisten; i++)
		add(eng, &c->listen[i].addr, c->listen[i].port);
	if (c->nlisten == 0 && c->nneighbor > 0) {
		add(eng, &any4, 0);
		add(eng, &any6, 0);
	}
	for (size_t i = 0; i < eng->nlistener; i++) {
		l = &eng->listener[i];
		if (l->fd != -1)
			continue;
		if (eng->opts.memory)
			listener_take(eng, &l->addr,
			    eng->world.bind(&l->addr, l->port), NULL);
		else
			eng->fib->ops->listen(eng->fib, &l->addr, 0);
	}
}

void
listeners_stop(struct engine *eng)
{
	for (size_t i = 0; i < eng->nlistener; i++) {
		struct listener *l = &eng->listener[i];

		ev_io_free(l->io);
		l->io = NULL;
		if (l->fd != -1)
			close(l->fd);
		l->fd = -1;
	}
}

int
listeners_key(struct engine *eng, const struct conf_neighbor *now,
    const struct conf_neighbor *was)
{
	const struct conf_neighbor *n = now != NULL ? now : was;
	bool set = now != NULL && now->md5_file != NULL;
	const struct conf_secret *k = &n->md5;
	struct sock_opts new = { 0 }, old = { 0 };
	int err = 0, e;

	if (now != NULL)
		peer_sock_opts(now, &new);
	if (was != NULL)
		peer_sock_opts(was, &old);

	for (size_t i = 0; i < eng->nlistener; i++) {
		struct listener *l = &eng->listener[i];

		if (l->fd == -1 || l->addr.fam != n->addr.fam)
			continue;
		e = sock_md5(l->fd, &n->addr, set ? k->key : NULL, k->len);
		if (e != 0 && (set || e != -ENOENT))
			err = e;
		if (new.nao > 0 || old.nao > 0)
			e = sock_ao(l->fd, &n->addr, new.ao, new.nao, old.ao,
			    old.nao, false);
		if (e != 0 && new.nao > 0)
			err = e;
	}
	return err;
}

int
dial_peer(struct engine *eng, struct peer *p)
{
	struct sock_opts o;

	peer_sock_opts(p->conf, &o);
	return sock_dial(&p->conf->addr, eng->opts.port, &o);
}
