#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "platform/fibd/fibd.h"

static void __attribute__((noreturn)) usage(void)
{
	fprintf(stderr,
	    "usage: ana-fibd [-dXV] [-4 min-max] [-6 min-max] [-a prefix] "
	    "[-g prefix]\n"
	    "                [-i fd] [-k seconds] [-n routes] "
	    "[-o interface] [-P protocol]\n"
	    "                [-p port] [-s path] [-t table] [-U user] "
	    "[-u user]\n");
	exit(2);
}

static unsigned int
number(char opt, const char *s, long long min, long long max)
{
	const char *why;
	long long n = strtonum(s, min, max, &why);

	if (why != NULL) {
		fprintf(stderr,
		    "ana-fibd: -%c %s: %s; it is a number from "
		    "%lld to %lld\n",
		    opt, s, why, min, max);
		exit(2);
	}
	return (unsigned int)n;
}

static void
range(struct fibd_fences *f, char opt, const char *s, enum fam fam)
{
	unsigned int bits = fam_bits(fam);
	char min[8];
	const char *dash = strchr(s, '-');

	if (dash == NULL || (size_t)(dash - s) >= sizeof min) {
		fprintf(stderr,
		    "ana-fibd: -%c %s: two lengths are needed, "
		    "as in -%c %s\n",
		    opt, s, opt, fam == FAM_INET ? "8-24" : "16-48");
		exit(2);
	}
	memcpy(min, s, (size_t)(dash - s));
	min[dash - s] = '\0';
	f->min[fam] = (uint8_t)number(opt, min, 0, bits);
	f->max[fam] = (uint8_t)number(opt, dash + 1, f->min[fam], bits);
}

static void
too_many(char opt)
{
	fprintf(stderr, "ana-fibd: -%c: too many of them\n", opt);
	exit(2);
}

static void
prefix(char opt, const char *s, struct pfx *list, unsigned int *n)
{
	if (*n == FENCE_LIST)
		too_many(opt);
	if (!pfx_parse(s, &list[*n])) {
		fprintf(stderr,
		    "ana-fibd: -%c %s: not a prefix (address/"
		    "length, no bits behind the length)\n",
		    opt, s);
		exit(2);
	}
	++*n;
}

/* 255 (local) and 0 are the kernel's. */
static uint32_t
table_number(const char *s)
{
	uint32_t n;

	if (strcmp(s, "main") == 0)
		return 254;
	if (strcmp(s, "default") == 0)
		return 253;
	n = number('t', s, 1, UINT32_MAX);
	if (n == 255) {
		fprintf(stderr,
		    "ana-fibd: -t 255: the table \"local\" "
		    "belongs to the kernel\n");
		exit(2);
	}
	return n;
}

static void
iface(struct fibd_fences *f, const char *s)
{
	if (f->nonlink == FENCE_IFACES)
		too_many('o');
	if (strlcpy(f->onlink[f->nonlink], s, sizeof f->onlink[0]) >=
	    sizeof f->onlink[0]) {
		fprintf(stderr,
		    "ana-fibd: -o %s: an interface's name is "
		    "shorter\n",
		    s);
		exit(2);
	}
	f->nonlink++;
}

/* What only tests ask for; not in the manual page's list of arguments. */
static void
test_option(struct fibd_options *o, const char *s)
{
	if (strcmp(s, "plain") == 0)
		o->plain = true;
	else if (strncmp(s, "rcvbuf=", 7) == 0)
		o->rcvbuf = (int)number('T', s + 7, 1, 1 << 30);
	else
		usage();
}

static void
fence(struct fibd_fences *f, int c, const char *s)
{
	switch (c) {
	case '4':
		range(f, '4', s, FAM_INET);
		break;
	case '6':
		range(f, '6', s, FAM_INET6);
		break;
	case 'P': /* up to 4: redirects, the kernel, boot, the administrator */
		f->protocol = (uint8_t)number('P', s, 5, 255);
		break;
	case 'a':
		prefix('a', s, f->allowed, &f->nallowed);
		break;
	case 'g':
		prefix('g', s, f->protected, &f->nprotected);
		break;
	case 'k':
		f->keep_max_s = number('k', s, 0, 7 * 86400);
		break;
	case 'n':
		f->max_routes = number('n', s, 1, 50000000);
		break;
	case 'o':
		iface(f, s);
		break;
	case 'p':
		f->port = (uint16_t)number('p', s, 1, 65535);
		break;
	case 't':
		if (f->ntable == FENCE_TABLES)
			too_many('t');
		f->table[f->ntable++] = table_number(s);
		break;
	default:
		usage();
	}
}

void
fibd_args(int argc, char **argv, struct fibd_options *o, struct fibd_fences *f)
{
	int c;

	*o = (struct fibd_options){ .path = "/run/ana-fibd/fibd.sock",
		.user = "_ana-bgpd",
		.own = "_ana-fibd",
		.fd = -1 };
	fibd_fences_init(f);
	while ((c = getopt(argc, argv, "4:6:P:T:U:VXa:dg:i:k:n:o:p:s:t:u:")) !=
	    -1) {
		if (c == 'T')
			test_option(o, optarg);
		else if (c == 'U')
			o->own = optarg;
		else if (c == 'X')
			o->remove = true;
		else if (c == 'd')
			o->foreground = true;
		else if (c == 'i')
			o->fd = (int)number('i', optarg, 3, 65535);
		else if (c == 's')
			o->path = optarg;
		else if (c == 'u')
			o->user = optarg;
		else if (c == 'V') {
			printf("ana-fibd %s, records of version %d\n",
			    ANA_VERSION, FIBD_VERSION);
			exit(0);
		} else
			fence(f, c, optarg);
	}
	if (optind != argc)
		usage();
	if (o->fd >= 0)
		o->foreground = true; /* its speaker waits for it */
	if (f->ntable == 0)
		f->table[f->ntable++] = 254;
}
