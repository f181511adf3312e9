/* What comes in: the routes of an UPDATE, checked and put into the RIB. */
#pragma once
#include <stdint.h>

#include "bgp/error.h"

struct session;
struct update;

/* 0; -EBADMSG: the session is to end with *ret as NOTIFICATION (a broken NLRI, or more routes than
 * allowed). */
int import_update(struct session *se, const struct update *u, struct bgp_error *ret);
