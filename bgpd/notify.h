/* notify.h -- tells the service manager (sd_notify's protocol); no-op alone. */
#ifndef NOTIFY_H
#define NOTIFY_H

void notify(const char *state);

#endif /* NOTIFY_H */
