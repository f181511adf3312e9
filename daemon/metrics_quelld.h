/* quelld's /metrics: the RIB, the neighbours, the peering LANs, the feed, the monitoring stations. */
#pragma once
#include "daemon/http.h"

struct quelld;

void metrics_quelld(const struct quelld *q, const struct http_request *r, struct http_answer *ret);
