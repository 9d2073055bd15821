#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "lib/addr.h"
#include "platform/trackd/trackd_check.h"

static struct trackd_set
good(uint8_t kind)
{
	struct trackd_set s = { .h = { TRACKD_VERSION, TRACKD_SET, sizeof s,
				    7 },
		.kind = kind,
		.interval_ms = 1000,
		.timeout_ms = 1000 };

	if (kind == TRACKD_EXEC)
		strlcpy(s.name, "check-web", sizeof s.name);
	else {
		s.fam = FAM_INET;
		s.port = 80;
		strlcpy(s.name, "/", sizeof s.name);
	}
	return s;
}

static const char *
check(const struct trackd_set *s)
{
	return trackd_check(s, sizeof *s);
}

static void
test_good(void **state)
{
	struct trackd_hello h = { .h = { TRACKD_VERSION, TRACKD_HELLO, sizeof h,
				      0 } };
	struct trackd_end e = { .h = {
				    TRACKD_VERSION, TRACKD_END, sizeof e, 0 } };
	struct trackd_set s;

	assert_null(trackd_check(&h, sizeof h));
	assert_null(trackd_check(&e, sizeof e));
	for (uint8_t kind = TRACKD_TCP; kind <= TRACKD_EXEC; kind++) {
		s = good(kind);
		assert_null(check(&s));
	}
}

static void
test_frame(void **state)
{
	struct trackd_set s = good(TRACKD_TCP);

	for (size_t n = 0; n < sizeof s; n++)
		assert_non_null(trackd_check(&s, n));
	s.h.version++;
	assert_non_null(check(&s));
	s = good(TRACKD_TCP);
	s.h.size--;
	assert_non_null(check(&s));
	for (unsigned int type = 0; type < 256; type++) {
		s = good(TRACKD_TCP);
		s.h.type = (uint8_t)type;
		if (type != TRACKD_SET)
			assert_non_null(check(&s));
	}
}

static void
test_set(void **state)
{
	struct trackd_set s;

#define BAD(k, what) \
	do { \
		s = good(k); \
		what; \
		assert_non_null(check(&s)); \
	} while (0)
	BAD(TRACKD_TCP, s.h.id = 0);
	BAD(TRACKD_TCP, s.kind = 0);
	BAD(TRACKD_TCP, s.kind = 4);
	BAD(TRACKD_TCP, s.port = 0);
	BAD(TRACKD_TCP, s.fam = 0);
	BAD(TRACKD_TCP, s.fam = 3);
	BAD(TRACKD_TCP, s.source_fam = FAM_INET6);
	BAD(TRACKD_TCP, s.interval_ms = 99);
	BAD(TRACKD_TCP, s.interval_ms = UINT32_MAX);
	BAD(TRACKD_TCP, s.timeout_ms = 0);
	BAD(TRACKD_TCP, s.timeout_ms = 600001);
	BAD(TRACKD_HTTP, memset(s.name, 'x', sizeof s.name));
	BAD(TRACKD_HTTP, memset(s.host, 'x', sizeof s.host));
	BAD(TRACKD_HTTP, strlcpy(s.name, "x", sizeof s.name));
	BAD(TRACKD_HTTP, strlcpy(s.name, "/a b", sizeof s.name));
	BAD(TRACKD_HTTP, strlcpy(s.name, "/\r\nX: y", sizeof s.name));
	BAD(TRACKD_HTTP, strlcpy(s.host, "a\nb", sizeof s.host));
}

static void
test_program(void **state)
{
	static const char *const bad[] = { "", ".", "..", ".x", "../x", "/x",
		"x/y", "a b", "a\n", "$x", "x;y" };
	char why[64];

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		struct trackd_set s = good(TRACKD_EXEC);

		strlcpy(s.name, bad[i], sizeof s.name);
		snprintf(why, sizeof why, "\"%s\"", bad[i]);
		if (check(&s) == NULL)
			fail_msg("%s was taken", why);
	}
	assert_true(trackd_check_program("http_8080.sh"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_frame),
		cmocka_unit_test(test_set),
		cmocka_unit_test(test_program),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
