/* What the service manager is told (sd_notify(3)): that the daemon is up, that it stops, and, if it asked for it, that the loop still
 * turns. Without NOTIFY_SOCKET in the environment all of it does nothing. */
#pragma once
#include "daemon/loop.h"

struct notify;

/* Before privileges are dropped: the socket is opened here. Never NULL. */
struct notify *notify_new(struct loop *loop);
/* The daemon is up. From now on a watchdog that was asked for (WATCHDOG_USEC) is told, twice in its time, that it is alive. */
void notify_ready(struct notify *n, const char *status);
void notify_stopping(struct notify *n);
void notify_free(struct notify *n);
