#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "lib/trie.h"
#include "tests/unit/text.h"

static void
put(struct trie *t, const char *s, uint32_t val, uint32_t old)
{
	struct pfx p = P(s);

	assert_int_equal(trie_put(t, &p, val), old);
}

static uint32_t
get(const struct trie *t, const char *s)
{
	struct pfx p = P(s);

	return trie_get(t, &p);
}

static uint32_t
del(struct trie *t, const char *s)
{
	struct pfx p = P(s);

	return trie_del(t, &p);
}

static void
test_exact(void **state)
{
	struct trie *t = trie_new(FAM_INET);

	assert_int_equal(get(t, "0.0.0.0/0"), 0);
	put(t, "0.0.0.0/0", 1, 0);
	put(t, "192.0.2.0/24", 2, 0);
	put(t, "192.0.2.0/25", 3, 0);
	put(t, "192.0.2.128/25", 4, 0);
	put(t, "255.255.255.255/32", 5, 0);
	put(t, "192.0.2.0/24", 6, 2);
	assert_int_equal(trie_count(t), 5);
	assert_int_equal(get(t, "192.0.2.0/24"), 6);
	assert_int_equal(get(t, "192.0.2.0/23"), 0);
	assert_int_equal(get(t, "192.0.2.128/25"), 4);
	assert_int_equal(get(t, "255.255.255.255/32"), 5);
	assert_int_equal(get(t, "255.255.255.254/32"), 0);
	assert_int_equal(get(t, "2001:db8::/32"), 0);
	assert_int_equal(del(t, "2001:db8::/32"), 0);
	assert_int_equal(del(t, "192.0.2.0/24"), 6);
	assert_int_equal(del(t, "192.0.2.0/24"), 0);
	assert_int_equal(get(t, "192.0.2.0/25"), 3);
	assert_int_equal(del(t, "0.0.0.0/0"), 1);
	assert_int_equal(trie_count(t), 3);
	trie_free(t);
}

static void
test_covering(void **state)
{
	struct trie *t = trie_new(FAM_INET6);
	struct pfx at = P("2001:db8:1:2::1/128"), other = P("10.0.0.0/8");

	put(t, "::/0", 1, 0);
	put(t, "2001:db8::/32", 2, 0);
	put(t, "2001:db8:1::/48", 3, 0);
	put(t, "2001:db8:2::/48", 4, 0);
	assert_int_equal(trie_longest(t, &at, &at), 3);
	assert_int_equal(at.len, 48);
	assert_int_equal(trie_longest(t, &at, NULL), 3);
	assert_int_equal(trie_shorter(t, &at, &at), 2);
	assert_int_equal(trie_shorter(t, &at, &at), 1);
	assert_int_equal(trie_shorter(t, &at, &at), 0);
	assert_int_equal(trie_longest(t, &other, NULL), 0);
	assert_int_equal(trie_shorter(t, &other, NULL), 0);
	trie_free(t);
}

static void
test_walk(void **state)
{
	static const char *const order[] = { "0.0.0.0/0", "10.0.0.0/8",
		"10.0.0.0/9", "10.0.0.0/32", "10.128.0.0/9", "128.0.0.0/1" };
	struct trie *t = trie_new(FAM_INET);
	struct pfx at = { 0 };

	assert_int_equal(trie_next(t, &at), 0);
	for (uint32_t i = 6; i-- > 0;)
		put(t, order[i], i + 1, 0);
	for (uint32_t i = 0; i < 6; i++) {
		char b[PFX_STRLEN];

		assert_int_equal(trie_next(t, &at), i + 1);
		assert_string_equal(pfx_print(&at, b, sizeof b), order[i]);
	}
	assert_int_equal(trie_next(t, &at), 0);
	/* From a prefix that is not, or no longer, in the trie. */
	at = P("10.0.0.0/9");
	assert_int_equal(trie_del(t, &at), 3);
	assert_int_equal(trie_next(t, &at), 4);
	at = P("10.0.0.0/7");
	assert_int_equal(trie_next(t, &at), 2);
	at = P("2001:db8::/32");
	assert_int_equal(trie_next(t, &at), 0);
	trie_free(t);
	/* IPv4 comes before IPv6. */
	t = trie_new(FAM_INET6);
	put(t, "::/0", 7, 0);
	at = P("255.0.0.0/8");
	assert_int_equal(trie_next(t, &at), 7);
	trie_free(t);
}

/* What is freed is used again: a flapping table must not grow. */
static void
test_memory(void **state)
{
	struct trie *t = trie_new(FAM_INET);
	size_t before = 0;

	for (int round = 0; round < 3; round++) {
		for (uint32_t i = 0; i < 10000; i++) {
			struct addr a = addr_v4(i * 2654435761U);
			struct pfx p;

			assert_true(pfx_make(&p, &a, 24));
			trie_put(t, &p, i + 1);
		}
		if (round > 0)
			assert_int_equal(trie_memory(t), before);
		before = trie_memory(t);
		for (struct pfx at = { 0 }; trie_next(t, &at) != 0;)
			assert_int_not_equal(trie_del(t, &at), 0);
		assert_int_equal(trie_count(t), 0);
	}
	/* A fork and a leaf each. */
	assert_in_range(before, 10000, 10000 * (8 + 12) + 200);
	trie_free(t);
	trie_free(NULL);
}

/* A trie that grows gets its index by itself; nothing is lost on the way. */
static void
test_large(void **state)
{
	enum {
		MANY = 300000
	};
	struct trie *t = trie_new(FAM_INET);
	struct pfx at = { 0 }, last = { 0 }, p;
	struct addr a;
	uint32_t n = 0, indexes = 0;
	size_t before;

	put(t, "0.0.0.0/0", MANY + 1, 0);
	put(t, "128.0.0.0/1", MANY + 2, 0);
	put(t, "255.255.0.0/16", MANY + 3, 0);
	for (uint32_t i = 0; i < MANY; i++) {
		a = addr_v4(i * 40503U << 8);
		assert_true(pfx_make(&p, &a, 24));
		before = trie_memory(t);
		assert_int_equal(trie_put(t, &p, i + 1), 0);
		indexes += trie_memory(t) > before + 100000;
	}
	assert_int_equal(indexes, 2);
	for (uint32_t i = 0; i < MANY; i++) {
		a = addr_v4((i * 40503U << 8) + 1);
		assert_true(pfx_make(&p, &a, 32));
		assert_int_equal(trie_longest(t, &p, &p), i + 1);
		assert_int_equal(trie_get(t, &p), i + 1);
		assert_int_equal(trie_shorter(t, &p, &p),
		    (a.o[0] == 255 && a.o[1] == 255) ? MANY + 3
			: a.o[0] & 0x80              ? MANY + 2
						     : MANY + 1);
	}
	for (; trie_next(t, &at) != 0; n++) {
		assert_true(n == 0 || pfx_cmp(&last, &at) < 0);
		last = at;
	}
	assert_int_equal(n, MANY + 3);
	/* A fork and a leaf each, and the index. */
	assert_in_range(
	    trie_memory(t), 4 << 20, (4 << 20) + (8 + 12) * MANY + 200);
	trie_free(t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_exact),
		cmocka_unit_test(test_covering),
		cmocka_unit_test(test_walk),
		cmocka_unit_test(test_memory),
		cmocka_unit_test(test_large),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
