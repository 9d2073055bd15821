#include "bgpd/auth.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bgpd/engine.h"
#include "bgpd/log.h"
#include "lib/mem.h"
#include "platform/netstat.h"
#include "platform/sock.h"

enum {
	SAMPLE_MS = 5000,
	SAMPLES = 12, /* a minute of them */
};

/* The counters of the last minute. */
struct auth {
	struct engine *eng;
	struct timer timer;
	int fd;
	uint64_t sample[SAMPLES][NETSTAT_N];
	unsigned int n;
};

/* ---- keys ------------------------------------------------------------- */

static const char *
kind(const struct conf_neighbor *c)
{
	return c->nao > 0 ? "TCP-AO keys" : "TCP MD5 key";
}

static void
refused(struct peer *p, int err)
{
	snprintf(p->key_why, sizeof p->key_why,
	    "the kernel refused its %s (%s%s), and no unsigned connection "
	    "is made or taken",
	    kind(p->conf), strerror(-err),
	    err == -ENOMEM ? ": net.core.optmem_max is too small for so many "
			     "keys"
			   : "");
	log_peer(p, LOG_L_ERROR, "%s", p->key_why);
}

/* A key that is configured can be used; else it is said why not. */
static bool
usable(struct peer *p)
{
	const struct conf_neighbor *c = p->conf;
	bool all = c->md5_file == NULL || c->md5.len > 0;
	int err;

	for (size_t i = 0; i < c->nao; i++)
		all = all && c->ao[i].key.len > 0;
	if (!all) {
		snprintf(p->key_why, sizeof p->key_why,
		    "its %s could not be read, and no unsigned connection "
		    "is made or taken",
		    kind(c));
		return false;
	}
	if (c->nao == 0 || (err = sock_ao_probe()) == 0)
		return true;
	snprintf(p->key_why, sizeof p->key_why,
	    "it has tcp-ao, and this kernel has none (%s; it needs Linux 6.7 "
	    "with CONFIG_TCP_AO): no connection is made or taken",
	    strerror(-err));
	log_peer(p, LOG_L_ERROR, "%s", p->key_why);
	return false;
}

void
auth_listen(struct peer *p, const struct conf_neighbor *was)
{
	int err;

	p->key_why[0] = '\0';
	if (!usable(p))
		return;
	err = listeners_key(p->eng, p->conf, was);
	if (err != 0)
		refused(p, err);
}

void
auth_rekey(struct peer *p, const struct conf_neighbor *was)
{
	struct session *all[] = { p->up, p->in, p->out };
	const struct conf_secret *k = &p->conf->md5;
	const struct addr *a = &p->conf->addr;
	struct sock_opts new, old;
	int err = 0;

	peer_sock_opts(p->conf, &new);
	peer_sock_opts(was, &old);
	for (int i = 0; i < 3 && err == 0; i++) {
		if (all[i] == NULL || all[i]->fd == -1)
			continue;
		if (new.nao > 0)
			err = sock_ao(all[i]->fd, a, new.ao, new.nao, old.ao,
			    old.nao, true);
		else
			err = sock_md5(all[i]->fd, a, k->key, k->len);
	}
	if (err == 0) {
		log_peer(p, LOG_L_INFO, "new %s in force, the session stays",
		    kind(p->conf));
		return;
	}
	refused(p, err);
	peer_stop(p, CEASE_CONFIG, NULL, false);
}

/* ---- what the kernel dropped ------------------------------------------ */

static void
tell(struct engine *eng)
{
	struct peer *p;
	char hint[256];

	TAILQ_FOREACH (p, &eng->peers, entry) {
		if (p->up != NULL)
			p->hinted = false;
		else if (!p->hinted &&
		    auth_hint(p, hint, sizeof hint)[0] != '\0') {
			log_peer(p, LOG_L_WARN, "not up: %s", hint);
			p->hinted = true;
		}
	}
}

static void
on_sample(void *arg, uint64_t now)
{
	struct auth *a = arg;

	timer_set(&a->eng->timers, &a->timer, now, SAMPLE_MS);
	if (netstat_read(a->fd, a->sample[a->n % SAMPLES]))
		a->n++;
	tell(a->eng);
}

struct auth *
auth_new(struct engine *eng)
{
	struct auth *a = mem_alloc(sizeof *a);

	a->eng = eng;
	a->fd = netstat_open();
	timer_init(&a->timer, "AuthTimer", on_sample, a);
	if (a->fd >= 0)
		on_sample(a, eng->now_ms);
	return a;
}

void
auth_free(struct auth *a)
{
	if (a == NULL)
		return;
	timer_stop(&a->eng->timers, &a->timer);
	if (a->fd >= 0)
		close(a->fd);
	free(a);
}

/* By how much each counter rose in the last minute. */
static bool
recent(const struct auth *a, uint64_t rise[NETSTAT_N])
{
	const uint64_t *old;
	bool any = false;

	if (a == NULL || a->n == 0 || !netstat_read(a->fd, rise))
		return false;
	old = a->sample[a->n < SAMPLES ? 0 : a->n % SAMPLES];
	for (int i = 0; i < NETSTAT_N; i++) {
		rise[i] -= rise[i] < old[i] ? rise[i] : old[i];
		any |= rise[i] > 0;
	}
	return any;
}

static unsigned int
min_ttl(const struct peer *p)
{
	return p->conf->ttl_security > 0 ? 256u - p->conf->ttl_security : 0;
}

const char *
auth_hint(const struct peer *p, char *buf, size_t n)
{
	bool md5 = p->conf->md5_file != NULL;
	uint64_t rise[NETSTAT_N];
	unsigned int ttl = min_ttl(p);

	buf[0] = '\0';
	/* It is down for a better reason. */
	if (!p->conf->enabled || p->admin_down || p->limit.tripped ||
	    p->key_why[0] != '\0')
		return buf;
	if (ttl > 0 && p->syn_ttl != 0 && p->syn_ttl < ttl) {
		snprintf(buf, n,
		    "TTL %u seen, at least %u required: ttl-security is on "
		    "here, the peer must send TTL 255",
		    p->syn_ttl, ttl);
		return buf;
	}
	if (peer_state(p) > FSM_ACTIVE || !recent(p->eng->auth, rise))
		return buf;
	if (md5 && rise[NETSTAT_MD5_FAILURE] > 0)
		snprintf(buf, n,
		    "TCP MD5 mismatch likely: the kernel dropped %" PRIu64
		    " segments with a wrong signature in the last minute; "
		    "compare the keys",
		    rise[NETSTAT_MD5_FAILURE]);
	else if (md5 && rise[NETSTAT_MD5_NOT_FOUND] > 0)
		snprintf(buf, n,
		    "TCP MD5 mismatch likely: the kernel dropped %" PRIu64
		    " segments without a signature in the last minute; the "
		    "peer seems to have no key",
		    rise[NETSTAT_MD5_NOT_FOUND]);
	else if (!md5 && rise[NETSTAT_MD5_UNEXPECTED] > 0)
		snprintf(buf, n,
		    "TCP MD5 mismatch likely: the kernel dropped %" PRIu64
		    " signed segments in the last minute, and no key is "
		    "configured here (tcp-md5)",
		    rise[NETSTAT_MD5_UNEXPECTED]);
	else if (ttl > 0 && rise[NETSTAT_MIN_TTL_DROP] > 0)
		snprintf(buf, n,
		    "TTL too low: the kernel dropped %" PRIu64
		    " segments with a TTL below %u in the last minute; "
		    "ttl-security is on here, the peer must send TTL 255",
		    rise[NETSTAT_MIN_TTL_DROP], ttl);
	return buf;
}
