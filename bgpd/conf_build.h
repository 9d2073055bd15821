/*
 * conf_build.h -- tree to struct conf, in three files: conf_check.c (global
 * blocks, networks), conf_policy.c (sets, policies), conf_neighbor.c
 * (templates, neighbors).  Internal to them.
 */
#ifndef CONF_BUILD_H
#define CONF_BUILD_H

#include "bgpd/conf_tree.h"

struct build {
	const struct conf_reader *r;
	struct conf_tree *tree;
	struct diag_list *diags;
	struct conf *c;
	/* Parallel to c->set ...: was it named by anything? */
	bool *set_used, *asset_used, *commset_used, *policy_used, *pathset_used,
	    *commtable_used;
	size_t set; /* whose files are read now */
	struct conf_set_work *set_work; /* NULL: not begun */
	/* peering-policy's max-prefix. */
	struct conf_limit limit;
};

/* The block's statement of that row, not bad; NULL: not written. */
const struct conf_node *build_get(const struct conf_node *, const char *name);
/* An error about the word; hint is taken, may be NULL. */
void build_error(struct build *, const struct conf_pos *, const char *code,
    char *hint, const char *fmt, ...) __attribute__((format(printf, 5, 6)));
void build_warn(struct build *, const struct conf_pos *, const char *code,
    char *hint, const char *fmt, ...) __attribute__((format(printf, 5, 6)));
/* A word that is known and not built yet. */
void build_not_built(struct build *, const struct conf_word *);
/* Puts the diagnostic for a name that is not there, unless it was bad. */
void build_undefined(
    struct build *, const struct conf_word *, const char *kind);

/* conf_store.c: before the sets */
void build_store(struct build *);

/* conf_policy.c */
void build_sets(struct build *);
/* Their lists, about so many entries; true: more are left. */
bool build_set_files(struct build *, size_t entries);
void build_policies(struct build *);
/* By word; marks it as used; NULL after a diagnostic. */
const struct conf_set *build_set(struct build *, const struct conf_word *);
const struct conf_asset *build_asset(struct build *, const struct conf_word *);
const struct conf_policy *build_policy(
    struct build *, const struct conf_word *);
void build_unused(struct build *);

/* conf_track.c */
void build_tracks(struct build *);
/* What of the network's block hangs on tracks. */
void build_network_tracks(
    struct build *, const struct conf_node *, struct announce_net_conf *);
void conf_track_fini(struct conf_track *);

/* conf_check.c */
/* What the block (NULL: none) says; the rest stays. */
void build_gr(const struct conf_node *, struct conf_gr *);

/* Where in c->by_addr the neighbor is, or would be. */
size_t build_neighbor_place(const struct conf *, const struct addr *);

/* conf_neighbor.c */
/* Does the block say "no" to the statements of that name? */
bool build_taken_away(const struct conf_node *, const char *name);
void build_neighbors(struct build *);
/* "N [warn P%] [action A [T]]" from word at on. */
void build_limit(
    struct build *, const struct conf_node *, size_t at, struct conf_limit *);

#endif /* CONF_BUILD_H */
