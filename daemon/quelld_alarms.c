#include "daemon/quelld_alarms.h"

#include <string.h>

/* How far back it is looked for one that is the same. */
#define LATEST 32

static struct quelld_alarm *at(struct quelld_alarms *a, size_t i)
{
	return &a->ring[(a->next + ALARMS_KEPT - 1 - i) % ALARMS_KEPT];
}

const struct quelld_alarm *quelld_alarms_at(const struct quelld_alarms *a, size_t i)
{
	return i < a->kept ? at((struct quelld_alarms *)a, i) : NULL;
}

static int same(const struct quelld_alarm *a, const struct quelld_alarm *b)
{
	return a->what == b->what && mac_eq(a->mac, b->mac) && ip_eq(a->ip, b->ip) &&
	       ip_eq(a->vtep, b->vtep) && strcmp(a->lan, b->lan) == 0;
}

void quelld_alarms_add(struct quelld_alarms *a, const struct quelld_alarm *alarm)
{
	a->total++;
	for (size_t i = 0; i < a->kept && i < LATEST; i++)
		if (same(at(a, i), alarm)) {
			at(a, i)->count++;
			at(a, i)->last_ms = alarm->first_ms;
			return;
		}
	a->ring[a->next] = *alarm;
	a->ring[a->next].count = 1;
	a->ring[a->next].last_ms = alarm->first_ms;
	a->next = (a->next + 1) % ALARMS_KEPT;
	a->kept += a->kept < ALARMS_KEPT;
}
