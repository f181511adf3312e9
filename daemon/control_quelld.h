/* quelld's control socket: the questions of docs/feed.md, answered from the views of the floors
 * below. Nothing here changes anything. */
#pragma once
#include <stdint.h>

#include "config/config.h"

struct control_quelld;
struct loop;
struct quelld_lans;
struct speaker;
struct transport;

/* What is shown; all of it must outlive the socket. */
struct control_quelld_views {
	const struct config *config;
	const struct speaker *speaker;
	const struct transport *transport;
	const struct quelld_lans *lans;
	uint64_t started_ms;
};

/* 0, or -errno of the socket. */
int control_quelld_new(struct loop *l, const char *path, const struct control_quelld_views *views,
	struct control_quelld **ret);
void control_quelld_free(struct control_quelld *c);
