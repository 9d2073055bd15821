/* show_route.h -- one route as a line, as a block, as a JSON object. */
#ifndef SHOW_ROUTE_H
#define SHOW_ROUTE_H

#include "rib/locrib.h"

struct show;
struct peer;

enum show_view {
	VIEW_LOC,
	VIEW_IN,
	VIEW_OUT,
	VIEW_REJECTED
};

struct show_route {
	enum show_view view;
	struct pfx pfx;
	/* Of VIEW_OUT the one that it was made from; since 0: not known. */
	struct rib_path path;
	uint32_t attrs; /* those to show; 0: none (malformed) */
	const struct peer *peer; /* whose it is, or who is told; NULL: ours */
};

void show_route_legend(struct show *);
void show_route_put(struct show *, const struct show_route *);

/* "as path 52580, med 0, communities no-export": in one line. */
void show_route_attrs(const struct attrs *, char *buf, size_t);

#endif /* SHOW_ROUTE_H */
