#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "policy/asnset.h"
#include "policy/pfxset.h"
#include "tests/unit/text.h"

static void
add(struct pfxset *s, const char *text, unsigned int lo, unsigned int hi)
{
	struct pfx p = P(text);

	assert_true(pfxset_add(s, &p, lo, hi));
}

static bool
match(const struct pfxset *s, const char *text)
{
	struct pfx p = P(text);

	return pfxset_match(s, &p);
}

static void
test_empty(void **state)
{
	struct pfxset *s = pfxset_new("nothing");
	struct pfxset_entry e = { .lo = 0 };
	struct pfx none = { .len = 0 };

	assert_string_equal(pfxset_name(s), "nothing");
	assert_false(match(s, "0.0.0.0/0"));
	assert_false(match(s, "2001:db8::/32"));
	assert_false(pfxset_match(s, &none));
	assert_false(pfxset_covers(s, &none));
	assert_int_equal(pfxset_count(s, FAM_INET), 0);
	assert_int_equal(pfxset_count(s, FAM_NONE), 0);
	assert_false(pfxset_next(s, &e));
	pfxset_free(s);
	pfxset_free(NULL);
}

static void
test_ranges(void **state)
{
	struct pfxset *s = pfxset_new("s");

	add(s, "192.0.2.0/24", 24, 24);
	add(s, "198.51.0.0/16", 16, 32); /* or longer */
	add(s, "10.0.0.0/8", 16, 24);
	add(s, "203.0.112.0/22", 22, 24); /* le 24 */
	add(s, "2001:db8::/32", 32, 48);
	assert_true(match(s, "192.0.2.0/24"));
	assert_false(match(s, "192.0.2.0/25"));
	assert_false(match(s, "192.0.2.0/23"));
	assert_true(match(s, "198.51.0.0/16"));
	assert_true(match(s, "198.51.255.255/32"));
	assert_false(match(s, "198.50.0.0/15"));
	assert_false(match(s, "10.0.0.0/8"));
	assert_false(match(s, "10.0.0.0/15"));
	assert_true(match(s, "10.0.0.0/16"));
	assert_true(match(s, "10.255.255.0/24"));
	assert_false(match(s, "10.255.255.0/25"));
	assert_true(match(s, "203.0.112.0/22"));
	assert_true(match(s, "203.0.115.0/24"));
	assert_false(match(s, "203.0.115.0/25"));
	assert_true(match(s, "2001:db8::/32"));
	assert_true(match(s, "2001:db8:ffff::/48"));
	assert_false(match(s, "2001:db8:ffff::/49"));
	assert_false(match(s, "2001:db9::/32"));
	assert_int_equal(pfxset_count(s, FAM_INET), 4);
	assert_int_equal(pfxset_count(s, FAM_INET6), 1);
	pfxset_free(s);
}

/* An entry inside another one must not hide it. */
static void
test_nested(void **state)
{
	struct pfxset *s = pfxset_new("s");

	add(s, "10.0.0.0/8", 8, 24);
	add(s, "10.1.0.0/16", 16, 16);
	assert_true(match(s, "10.1.2.0/24"));
	assert_true(match(s, "10.1.0.0/16"));
	assert_false(match(s, "10.1.2.0/25"));
	pfxset_free(s);
}

static void
test_same_prefix_adds_up(void **state)
{
	struct pfxset *s = pfxset_new("s");
	struct pfxset_entry e = { .lo = 0 };

	add(s, "10.0.0.0/8", 8, 8);
	add(s, "10.0.0.0/8", 20, 24);
	add(s, "10.0.0.0/8", 20, 22);
	assert_int_equal(pfxset_count(s, FAM_INET), 1);
	assert_true(match(s, "10.0.0.0/8"));
	assert_false(match(s, "10.0.0.0/19"));
	assert_true(match(s, "10.0.0.0/20"));
	assert_true(match(s, "10.0.0.0/24"));
	assert_false(match(s, "10.0.0.0/25"));
	assert_true(pfxset_next(s, &e));
	assert_int_equal(e.lo, 8);
	assert_int_equal(e.hi, 8);
	assert_true(pfxset_next(s, &e));
	assert_int_equal(e.lo, 20);
	assert_int_equal(e.hi, 24);
	assert_false(pfxset_next(s, &e));
	/* The gap is closed: one range again. */
	add(s, "10.0.0.0/8", 9, 19);
	memset(&e, 0, sizeof(e));
	assert_true(pfxset_next(s, &e));
	assert_int_equal(e.lo, 8);
	assert_int_equal(e.hi, 24);
	assert_false(pfxset_next(s, &e));
	pfxset_free(s);
}

static void
test_bad_ranges(void **state)
{
	struct pfxset *s = pfxset_new("s");
	struct pfx p4 = P("10.0.0.0/8"), p6 = P("2001:db8::/32"), none = { 0 };

	assert_false(pfxset_add(s, &p4, 7, 8));
	assert_false(pfxset_add(s, &p4, 10, 9));
	assert_false(pfxset_add(s, &p4, 8, 33));
	assert_false(pfxset_add(s, &p6, 32, 129));
	assert_false(pfxset_add(s, &none, 0, 0));
	assert_true(pfxset_add(s, &p6, 128, 128));
	assert_int_equal(pfxset_count(s, FAM_INET), 0);
	assert_true(match(s, "2001:db8::/128"));
	assert_false(match(s, "2001:db8::/127"));
	pfxset_free(s);
}

static void
test_walk(void **state)
{
	static const char *const want[] = { "10.0.0.0/8", "10.0.0.0/9 10-11",
		"192.0.2.0/24", "::/0 0-128", "2001:db8::/32" };
	struct pfxset *s = pfxset_new("s");
	struct pfxset_entry e = { .lo = 0 };
	char buf[PFX_STRLEN + 16];
	size_t n = 0;

	add(s, "2001:db8::/32", 32, 32);
	add(s, "::/0", 0, 128);
	add(s, "192.0.2.0/24", 24, 24);
	add(s, "10.0.0.0/9", 10, 11);
	add(s, "10.0.0.0/8", 8, 8);
	while (pfxset_next(s, &e)) {
		assert_true(n < 5);
		pfxset_entry_print(&e, buf, sizeof(buf));
		assert_string_equal(buf, want[n]);
		n++;
	}
	assert_int_equal(n, 5);
	pfxset_free(s);
}

static void
test_nearest(void **state)
{
	struct pfxset *s = pfxset_new("s");
	struct pfxset_entry e;
	struct pfx p;
	char buf[PFX_STRLEN + 16];

	add(s, "10.0.0.0/8", 8, 8);
	add(s, "10.1.0.0/16", 16, 16);
	add(s, "10.1.0.0/16", 24, 24);
	p = P("10.1.2.0/25");
	assert_true(pfxset_nearest(s, &p, &e));
	pfxset_entry_print(&e, buf, sizeof(buf));
	assert_string_equal(buf, "10.1.0.0/16 24-24");
	p = P("10.2.0.0/16");
	assert_true(pfxset_nearest(s, &p, &e));
	pfxset_entry_print(&e, buf, sizeof(buf));
	assert_string_equal(buf, "10.0.0.0/8");
	p = P("0.0.0.0/0");
	assert_true(pfxset_nearest(s, &p, &e));
	pfxset_entry_print(&e, buf, sizeof(buf));
	assert_string_equal(buf, "10.0.0.0/8");
	p = P("11.0.0.0/8");
	assert_false(pfxset_nearest(s, &p, &e));
	p = P("2001:db8::/32");
	assert_false(pfxset_nearest(s, &p, &e));
	pfxset_free(s);
}

static void
test_covers(void **state)
{
	struct pfxset *s = pfxset_new("s");
	struct pfx p;

	add(s, "192.0.2.0/24", 24, 24);
	p = P("192.0.2.128/25");
	assert_true(pfxset_covers(s, &p));
	assert_false(pfxset_match(s, &p));
	p = P("192.0.2.0/23");
	assert_false(pfxset_covers(s, &p));
	pfxset_free(s);
}

static void
test_origins(void **state)
{
	struct pfxset *s = pfxset_new("s");
	const struct asnset *o;

	assert_true(pfxset_origin_ok(s, 64500));
	assert_null(pfxset_origins(s));
	pfxset_add_origin(s, 64502);
	pfxset_add_origin(s, 64500);
	pfxset_add_origin(s, 4200000000);
	pfxset_add_origin(s, 64500);
	assert_true(pfxset_origin_ok(s, 64500));
	assert_true(pfxset_origin_ok(s, 4200000000));
	assert_false(pfxset_origin_ok(s, 64501));
	assert_false(pfxset_origin_ok(s, 0));
	o = pfxset_origins(s);
	assert_int_equal(asnset_count(o), 3);
	assert_int_equal(asnset_at(o, 0), 64500);
	assert_int_equal(asnset_at(o, 2), 4200000000);
	pfxset_free(s);
}

static void
test_digest(void **state)
{
	struct pfxset *s = pfxset_new("s");

	assert_string_equal(pfxset_digest(s), "");
	pfxset_set_digest(s, "sha256 00ff");
	pfxset_set_digest(s, "sha256 11ee");
	assert_string_equal(pfxset_digest(s), "sha256 11ee");
	assert_true(pfxset_memory(s) > 0);
	pfxset_free(s);
}

static void
add_one(struct pfxset *s, const char *text)
{
	struct pfx p;

	assert_true(pfx_parse(text, &p));
	assert_true(pfxset_add(s, &p, p.len, p.len));
}

static bool
has(const struct pfxset *s, const char *text)
{
	struct pfx p;

	assert_true(pfx_parse(text, &p));
	return pfxset_match(s, &p);
}

/* Who points to a set sees its new content; names stay where they are. */
static void
test_swap_and_share(void **state)
{
	struct pfxset *a = pfxset_new("a"), *b = pfxset_new("b");
	struct pfxset *c = pfxset_new("c");

	assert_true(pfxset_empty(a));
	add_one(a, "192.0.2.0/24");
	add_one(b, "2001:db8::/32");
	pfxset_add_origin(b, 64500);
	assert_false(pfxset_empty(a) || pfxset_empty(b));
	pfxset_swap(a, b);
	assert_string_equal(pfxset_name(a), "a");
	assert_true(has(a, "2001:db8::/32") && !has(a, "192.0.2.0/24"));
	assert_true(has(b, "192.0.2.0/24") && pfxset_origins(b) == NULL);
	assert_false(pfxset_origin_ok(a, 64501));
	pfxset_share(c, a);
	assert_true(pfxset_shares(a, c) && !pfxset_shares(a, b));
	/* One of the two takes other content, or goes. */
	pfxset_swap(a, b);
	assert_true(has(c, "2001:db8::/32") && has(a, "192.0.2.0/24"));
	pfxset_free(b);
	assert_true(has(c, "2001:db8::/32"));
	assert_string_equal(pfxset_name(c), "c");
	pfxset_free(c);
	pfxset_free(a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_ranges),
		cmocka_unit_test(test_nested),
		cmocka_unit_test(test_same_prefix_adds_up),
		cmocka_unit_test(test_bad_ranges),
		cmocka_unit_test(test_walk),
		cmocka_unit_test(test_nearest),
		cmocka_unit_test(test_covers),
		cmocka_unit_test(test_origins),
		cmocka_unit_test(test_digest),
		cmocka_unit_test(test_swap_and_share),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
