/* The backend in memory: answers in order, one turn later, as ana-fibd's. */
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "platform/fib.h"
#include "tests/unit/text.h"

/* What was told, as one line of text. */
struct told {
	char log[4096];
};

static void
note(void *arg, const char *fmt, ...)
{
	struct told *t = arg;
	size_t n = strlen(t->log);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(t->log + n, sizeof t->log - n, fmt, ap);
	va_end(ap);
}

static void
on_ready(void *arg, const struct fib_ready *r)
{
	note(arg, "ready %u %u;", r->adopted[FAM_INET], r->adopted[FAM_INET6]);
}

static void
on_done(void *arg, const struct pfx *p, bool removed, int err, const char *text)
{
	char b[PFX_STRLEN];

	(void)text;
	note(arg, "%s %s %d;", removed ? "del" : "add",
	    pfx_print(p, b, sizeof b), err);
}

static void
on_set_done(void *arg, uint32_t set, bool dropped, int err, const char *text)
{
	(void)text;
	note(arg, "%s %u %d;", dropped ? "drop" : "set", set, err);
}

static void
on_fam_done(void *arg, enum fam fam, bool flushed, uint32_t n, int err)
{
	note(arg, "%s %d %u %d;", flushed ? "flush" : "end", fam, n, err);
}

static void
on_nh_state(void *arg, const struct addr *a, bool reachable, uint32_t ifindex,
    const struct addr *via)
{
	char b[ADDR_STRLEN];

	note(arg, "nh %s %d %u;", addr_print(a, b, sizeof b), reachable,
	    ifindex);
}

static void
on_state(void *arg, const struct pfx *p, enum fib_state s)
{
	char b[PFX_STRLEN];

	note(arg, "state %s %d;", pfx_print(p, b, sizeof b), s);
}

static void
on_room(void *arg)
{
	note(arg, "room;");
}

static const struct fib_events events = {
	.ready = on_ready,
	.done = on_done,
	.set_done = on_set_done,
	.fam_done = on_fam_done,
	.nh_state = on_nh_state,
	.state = on_state,
	.room = on_room,
};

static struct told told;

static struct fib *
open_mem(void)
{
	static const struct fib_hello hello = { .protocol = 179 };
	struct fib *f = fib_open_mem(&events, &told);

	assert_non_null(f);
	assert_int_equal(f->ops->hello(f, &hello), 0);
	return f;
}

static void
turn(struct fib *f, const char *want)
{
	struct pollfd p = { .fd = fib_fd(f), .events = POLLIN };

	told.log[0] = '\0';
	while (poll(&p, 1, 0) == 1)
		fib_readable(f);
	assert_string_equal(told.log, want);
}

static void
set(struct fib *f, uint32_t n, const char *nh)
{
	struct fib_nh h = { .addr = A(nh), .ifindex = 3, .weight = 1 };

	assert_int_equal(f->ops->nhset(f, n, &h, 1), 0);
}

static void
add(struct fib *f, const char *s, uint32_t n)
{
	struct pfx p = P(s);

	assert_int_equal(f->ops->replace(f, &p, n), 0);
}

static void
del(struct fib *f, const char *s)
{
	struct pfx p = P(s);

	assert_int_equal(f->ops->remove(f, &p), 0);
}

static void
test_routes(void **state)
{
	struct fib *f = open_mem();
	struct fib_nh nh[FIB_SET_NH];
	struct pfx p = P("192.0.2.0/24");

	(void)state;
	turn(f, "ready 0 0;");
	set(f, 1, "10.0.0.1");
	add(f, "192.0.2.0/24", 1);
	add(f, "198.51.100.0/24", 2);
	turn(f, "set 1 0;add 192.0.2.0/24 0;add 198.51.100.0/24 2;");
	assert_int_equal(fib_mem_count(f, FAM_INET), 1);
	assert_int_equal(fib_mem_route(f, &p), 1);
	assert_int_equal(fib_mem_set(f, 1, nh), 1);
	assert_int_equal(nh[0].ifindex, 3);
	f->ops->nhset_drop(f, 1);
	del(f, "192.0.2.0/24");
	del(f, "192.0.2.0/24");
	f->ops->nhset_drop(f, 1);
	f->ops->nhset_drop(f, 1);
	turn(f,
	    "drop 1 16;del 192.0.2.0/24 0;del 192.0.2.0/24 2;"
	    "drop 1 0;drop 1 2;");
	assert_int_equal(fib_mem_route(f, &p), 0);
	fib_close(f);
}

static void
test_restart(void **state)
{
	static const struct fib_hello hello = { .protocol = 179 };
	struct fib *f = open_mem();

	(void)state;
	set(f, 1, "10.0.0.1");
	set(f, 2, "2001:db8::1");
	add(f, "192.0.2.0/24", 1);
	add(f, "198.51.100.0/24", 1);
	add(f, "2001:db8:1::/48", 2);
	turn(f,
	    "ready 0 0;set 1 0;set 2 0;add 192.0.2.0/24 0;"
	    "add 198.51.100.0/24 0;add 2001:db8:1::/48 0;");
	/* A new HELLO: adopted, set numbers forgotten, swept at the end. */
	f->ops->hello(f, &hello);
	add(f, "192.0.2.0/24", 1);
	set(f, 1, "10.0.0.2");
	add(f, "192.0.2.0/24", 1);
	f->ops->end(f, FAM_INET);
	f->ops->nhset_drop(f, 1);
	f->ops->flush(f, FAM_INET6);
	turn(f,
	    "ready 2 1;add 192.0.2.0/24 2;set 1 0;add 192.0.2.0/24 0;"
	    "end 1 1 0;drop 1 16;flush 2 1 0;");
	assert_int_equal(fib_mem_count(f, FAM_INET), 1);
	assert_int_equal(fib_mem_count(f, FAM_INET6), 0);
	fib_close(f);
}

static void
test_next_hops(void **state)
{
	struct fib *f = open_mem();
	struct pfx net = P("10.0.0.0/30");
	struct addr in = A("10.0.0.2"), out = A("10.0.1.2"), ll = A("fe80::1");

	(void)state;
	fib_mem_connected(f, &net, 7);
	turn(f, "ready 0 0;");
	f->ops->watch(f, &in, 0);
	f->ops->watch(f, &out, 0);
	f->ops->watch(f, &ll, 9);
	turn(f, "nh 10.0.0.2 1 7;nh 10.0.1.2 0 0;nh fe80::1 1 9;");
	fib_mem_link(f, 7, false);
	turn(f, "nh 10.0.0.2 0 0;");
	fib_mem_link(f, 7, true);
	fib_mem_nh_state(f, &out, true, 4);
	turn(f, "nh 10.0.0.2 1 7;nh 10.0.1.2 1 4;");
	f->ops->unwatch(f, &in, 0);
	fib_mem_link(f, 7, false);
	turn(f, "");
	fib_close(f);
}

static void
test_conflict_failure_room(void **state)
{
	struct fib *f = open_mem();
	struct pfx p = P("192.0.2.0/24");

	(void)state;
	fib_mem_foreign(f, &p, true);
	set(f, 1, "10.0.0.1");
	add(f, "192.0.2.0/24", 1);
	turn(f,
	    "ready 0 0;set 1 0;add 192.0.2.0/24 17;"
	    "state 192.0.2.0/24 0;");
	assert_int_equal(fib_mem_route(f, &p), 0);
	fib_mem_foreign(f, &p, false);
	turn(f, "state 192.0.2.0/24 3;");
	assert_int_equal(fib_mem_route(f, &p), 1);
	fib_mem_fail(f, 1, ENOMEM);
	add(f, "192.0.2.0/24", 1);
	add(f, "192.0.2.0/24", 1);
	turn(f, "add 192.0.2.0/24 12;add 192.0.2.0/24 0;");
	fib_mem_limit(f, 2);
	del(f, "192.0.2.0/24");
	del(f, "192.0.2.0/24");
	assert_int_equal(f->ops->remove(f, &p), -EAGAIN);
	turn(f, "del 192.0.2.0/24 0;del 192.0.2.0/24 2;room;");
	assert_int_equal(f->ops->remove(f, &p), 0);
	fib_close(f);
}

static void
test_misuse(void **state)
{
	struct fib *f = fib_open_mem(&events, &told);
	struct pfx p = P("192.0.2.0/24");
	struct addr none = { .fam = FAM_NONE };
	struct fib_nh mixed[2] = { { .addr = A("10.0.0.1") },
		{ .addr = A("fe80::1") } };

	(void)state;
	assert_int_equal(f->ops->replace(f, &p, 1), -ENOTCONN);
	assert_int_equal(f->ops->watch(f, &none, 0), -EINVAL);
	assert_int_equal(f->ops->nhset(f, 0, mixed, 1), -EINVAL);
	assert_int_equal(f->ops->nhset(f, 4096, mixed, 1), -EINVAL);
	assert_int_equal(f->ops->nhset(f, 1, mixed, 17), -EINVAL);
	assert_int_equal(f->ops->nhset(f, 1, mixed, 2), -EINVAL);
	fib_close(f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_routes),
		cmocka_unit_test(test_restart),
		cmocka_unit_test(test_next_hops),
		cmocka_unit_test(test_conflict_failure_room),
		cmocka_unit_test(test_misuse),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
