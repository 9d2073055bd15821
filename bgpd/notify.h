/* notify.h -- tells the service manager (sd_notify's protocol). */
#ifndef NOTIFY_H
#define NOTIFY_H

/* path: $NOTIFY_SOCKET, borrowed; NULL: nobody wants to know. */
void notify_init(const char *path);
void notify(const char *state);

#endif /* NOTIFY_H */
