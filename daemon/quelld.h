/* quelld's parts, for the files that work on more than one of them: quelld.c makes them, the control socket shows and
 * changes them. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "config/config.h"
#include "daemon/cmdline.h"
#include "daemon/pidlock.h"
#include "daemon/priv.h"
#include "daemon/registries.h"

struct bmp_client;
struct control_quelld;
struct http_server;
struct loop;
struct quelld_lans;
struct quelld_policy;
struct speaker;
struct transport;

struct quelld {
	struct cmdline cmdline;
	struct config *config; /* what is in force */
	struct registries registries; /* the same, of its LANs */
	struct loop *loop;
	struct speaker *speaker;
	struct transport *transport;
	struct quelld_lans *lans;
	struct quelld_policy *policy;
	struct bmp_client *bmp;
	struct control_quelld *control;
	struct notify *notify;
	struct http_server *http;
	struct pidlock lock;
	struct priv_user user;
	uid_t feed_user;
	uint64_t started_ms;
	bool stopping; /* and no more to be changed */
};
