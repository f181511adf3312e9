/* The alarms of the LANs: the latest ones, for `quell show alarms`. One that is the same as one of the latest is
 * counted there, so that what repeats does not push out the rest. */
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "lib/ip.h"
#include "lib/mac.h"

#define ALARMS_KEPT 256

struct quelld_alarm {
	char lan[32];
	const char *what; /* constant */
	struct mac mac;   /* zero: of none */
	struct ip ip;     /* family 0: of none */
	struct ip vtep;   /* the PE; family 0: not known */
	uint64_t first_ms, last_ms, count;
};

struct quelld_alarms {
	struct quelld_alarm ring[ALARMS_KEPT];
	size_t next, kept;
	uint64_t total;
};

/* `lan` by name, `now_ms` in first_ms; count and last_ms are seen to. */
void quelld_alarms_add(struct quelld_alarms *a, const struct quelld_alarm *alarm);
/* The i-th latest, or NULL. */
const struct quelld_alarm *quelld_alarms_at(const struct quelld_alarms *a, size_t i);
