/* trackd.h -- the speaker's side of ana-trackd, which makes its probes. */
#ifndef TRACKD_CLIENT_H
#define TRACKD_CLIENT_H

struct engine;
struct trackd_client;

struct trackd_client *trackd_client_new(struct engine *);
/* NULL is fine. */
void trackd_client_free(struct trackd_client *);
/* The configuration's tracks are others: tells ana-trackd, when it is there. */
void trackd_client_conf(struct trackd_client *);
/* Why it is not there though tracks need it; "": it is, or none does. */
const char *trackd_client_why(const struct trackd_client *);

#endif /* TRACKD_CLIENT_H */
