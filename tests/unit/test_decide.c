#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "rib/decide.h"

static const uint8_t path_a[] = { 2, 2, 0, 0, 0, 1, 0, 0, 0, 2 };
static const uint8_t path_b[] = { 2, 2, 0, 0, 0, 5, 0, 0, 0, 2 };
static const uint8_t path_long[] = { 2, 3, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3 };
static const uint8_t path_set[] = { 2, 1, 0, 0, 0, 1, 1, 2, 0, 0, 0, 2, 0, 0, 0,
	3 };
static const uint8_t clusters[8];

struct pair {
	struct attrs attrs[2];
	struct decide_route r[2];
};

static struct pair
pair(void)
{
	struct pair p;

	memset(&p, 0, sizeof p);
	for (int i = 0; i < 2; i++) {
		p.attrs[i].has = 1 << HAS_ORIGIN | 1 << HAS_AS_PATH;
		p.attrs[i].as_path = (struct octets){ path_a, sizeof path_a };
		p.r[i].router_id = 10;
		p.r[i].peer_as = 1;
		p.r[i].peer_addr = addr_v4(20);
	}
	return p;
}

/* r[0] was made the better one at step `why`. */
static void
expect(struct pair *p, enum decide_why why)
{
	struct decide_route turned[2];
	enum decide_why lost[2];

	for (int i = 0; i < 2; i++)
		p->r[i].attrs = &p->attrs[i];
	assert_int_equal(decide_best(p->r, 2, lost), 0);
	assert_int_equal(lost[0], DECIDE_BEST);
	if (why == DECIDE_BEST)
		return;
	assert_int_equal(lost[1], why);
	turned[0] = p->r[1];
	turned[1] = p->r[0];
	assert_int_equal(decide_best(turned, 2, lost), 1);
}

static void
each_step(void **state)
{
	struct pair p = pair();

	expect(&p, DECIDE_BEST);
	/* From the last step to the first: each beats all after it. */
	p.r[1].peer_addr = addr_v4(21);
	expect(&p, DECIDE_PEER_ADDR);
	p.r[0].peer_addr = addr_v4(22);
	p.attrs[0].cluster_list = (struct octets){ clusters, 4 };
	p.attrs[1].cluster_list = (struct octets){ clusters, 8 };
	expect(&p, DECIDE_CLUSTER_LIST);
	p.r[0].router_id = 9;
	p.attrs[0].cluster_list.len = 8;
	p.attrs[1].cluster_list.len = 4;
	expect(&p, DECIDE_ROUTER_ID);
	p.r[0].router_id = 11;
	p.r[1].cost = 1;
	expect(&p, DECIDE_COST);
	p.r[0].cost = 2;
	p.r[1].internal = true;
	expect(&p, DECIDE_EXTERNAL);
	p.r[0].internal = true;
	p.r[1].internal = false;
	p.attrs[1].has |= 1 << HAS_MED;
	p.attrs[1].med = 1;
	expect(&p, DECIDE_MED);
	p.attrs[0].has |= 1 << HAS_MED;
	p.attrs[0].med = 2;
	p.attrs[1].origin = ORIGIN_INCOMPLETE;
	expect(&p, DECIDE_ORIGIN);
	p.attrs[0].origin = ORIGIN_INCOMPLETE;
	p.attrs[1].origin = ORIGIN_IGP;
	p.attrs[1].as_path = (struct octets){ path_long, sizeof path_long };
	expect(&p, DECIDE_AS_PATH);
	p.attrs[0].as_path = p.attrs[1].as_path;
	p.attrs[1].as_path.len = 0;
	p.r[0].local = true;
	expect(&p, DECIDE_LOCAL);
	p.r[0].local = false;
	p.attrs[0].has |= 1 << HAS_LOCAL_PREF;
	p.attrs[0].local_pref = 101;
	expect(&p, DECIDE_LOCAL_PREF_LOST);
	p.attrs[0].local_pref = 50;
	p.r[0].weight = 1;
	expect(&p, DECIDE_WEIGHT);
}

static void
details(void **state)
{
	struct pair p = pair();

	/* A set counts one (9.1.2.2 (a)). */
	p.attrs[0].as_path = (struct octets){ path_set, sizeof path_set };
	p.r[1].router_id = 11;
	expect(&p, DECIDE_ROUTER_ID);
	/* ORIGINATOR_ID stands for the router's (RFC 4456 9). */
	p = pair();
	p.r[0].router_id = 30;
	p.attrs[0].has |= 1 << HAS_ORIGINATOR_ID;
	p.attrs[0].originator_id = 3;
	expect(&p, DECIDE_ROUTER_ID);
	/* MED is not compared between neighbouring AS. */
	p = pair();
	p.attrs[0].has |= 1 << HAS_MED;
	p.attrs[0].med = 1000;
	p.attrs[1].as_path = (struct octets){ path_b, sizeof path_b };
	p.r[1].cost = 1;
	expect(&p, DECIDE_COST);
}

/* The case where comparing two at a time depends on the order. */
static void
med_by_group(void **state)
{
	static const size_t order[6][3] = { { 0, 1, 2 }, { 0, 2, 1 },
		{ 1, 0, 2 }, { 1, 2, 0 }, { 2, 0, 1 }, { 2, 1, 0 } };
	struct attrs a[3];
	struct decide_route r[3], t[3];
	enum decide_why lost[3];

	memset(a, 0, sizeof a);
	memset(r, 0, sizeof r);
	for (uint32_t i = 0; i < 3; i++) {
		a[i].has = 1 << HAS_AS_PATH | 1 << HAS_MED;
		a[i].as_path = (struct octets){ i == 1 ? path_b : path_a, 10 };
		r[i].attrs = &a[i];
	}
	a[0].med = 10; /* AS 1, router 1: loses to the third in its group */
	r[0].router_id = 1;
	a[1].med = 50; /* AS 5, router 2 */
	r[1].router_id = 2;
	a[2].med = 5; /* AS 1, router 3 */
	r[2].router_id = 3;
	for (size_t i = 0; i < 6; i++) {
		size_t best;

		for (size_t k = 0; k < 3; k++)
			t[k] = r[order[i][k]];
		best = decide_best(t, 3, lost);
		assert_int_equal(order[i][best], 1);
		for (size_t k = 0; k < 3; k++) {
			assert_int_equal(lost[k],
			    order[i][k] == 0       ? DECIDE_MED
				: order[i][k] == 1 ? DECIDE_BEST
						   : DECIDE_ROUTER_ID);
			assert_int_equal(
			    decide_multipath(lost[k]), order[i][k] != 0);
		}
	}
}

static void
names(void **state)
{
	for (unsigned int i = 0; i < DECIDE_N; i++) {
		assert_non_null(decide_why_name((enum decide_why)i));
		assert_true(*decide_why_text((enum decide_why)i) != '\0');
	}
	assert_string_equal(decide_why_name(DECIDE_MED), "med");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_step),
		cmocka_unit_test(details),
		cmocka_unit_test(med_by_group),
		cmocka_unit_test(names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
