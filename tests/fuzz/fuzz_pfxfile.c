/*
 * fuzz_pfxfile.c -- any octets as a prefix list.  What is taken is printed in
 * the plain format and must give the same set again; what is not must have a
 * sentence that a terminal can show.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/asnset.h"
#include "policy/pfxfile.h"
#include "tests/fuzz/must.h"

static void
check_error(const uint8_t *data, size_t size, const struct pfxfile *res)
{
	size_t i, lines = 1;

	for (i = 0; i < size; i++)
		lines += data[i] == '\n';
	MUST(res->error[0] != '\0');
	MUST(memchr(res->error, '\0', sizeof(res->error)) != NULL);
	for (i = 0; res->error[i] != '\0'; i++)
		MUST(res->error[i] >= ' ' && res->error[i] <= '~');
	MUST(res->line <= lines);
}

static void
check_same(const struct pfxset *a, const struct pfxset *b)
{
	struct pfxset_entry x = { .lo = 0 }, y = { .lo = 0 };

	while (pfxset_next(a, &x)) {
		MUST(pfxset_next(b, &y));
		MUST(pfx_eq(&x.pfx, &y.pfx) && x.lo == y.lo && x.hi == y.hi);
	}
	MUST(!pfxset_next(b, &y));
}

/* Each entry is checked and printed as a line of the plain format. */
static char *
print(const struct pfxset *s, size_t *len)
{
	struct pfxset_entry e = { .lo = 0 };
	char *text = NULL, buf[PFX_STRLEN];
	FILE *f = open_memstream(&text, len);

	MUST(f != NULL);
	while (pfxset_next(s, &e)) {
		struct pfx p;

		MUST(e.pfx.len <= e.lo && e.lo <= e.hi);
		MUST(e.hi <= fam_bits((enum fam)e.pfx.addr.fam));
		MUST(pfx_make(&p, &e.pfx.addr, e.lo) && pfxset_match(s, &p));
		fprintf(f, "%s %u %u\n", pfx_print(&e.pfx, buf, sizeof(buf)),
		    e.lo, e.hi);
	}
	MUST(fclose(f) == 0);
	return text;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pfxset *s = pfxset_new("s"), *again = pfxset_new("again");
	const struct asnset *asns;
	struct pfxfile res, res2;
	size_t len;
	char *text;

	if (pfxfile_parse((const char *)data, size, s, &res)) {
		MUST(res.error[0] == '\0' && res.line == 0);
		MUST(pfxset_count(s, FAM_INET) <= res.inet);
		MUST(pfxset_count(s, FAM_INET6) <= res.inet6);
		MUST((pfxset_count(s, FAM_INET) == 0) == (res.inet == 0));
		MUST((pfxset_count(s, FAM_INET6) == 0) == (res.inet6 == 0));
		asns = pfxset_origins(s);
		MUST((asns != NULL ? asnset_count(asns) : 0) <= res.asns);
		text = print(s, &len);
		MUST(pfxfile_parse(text, len, again, &res2));
		MUST(res2.format == PFXFILE_PLAIN);
		check_same(s, again);
		free(text);
	} else
		check_error(data, size, &res);
	pfxset_free(s);
	pfxset_free(again);
	return 0;
}
