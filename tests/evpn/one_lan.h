/* One LAN of our own, 10.99.0.2, for a test file: made anew for each test. */
#pragma once
#include <errno.h>

#include "tests/evpn/world.h"

#define MM1 "0600000000000001"
#define MM2 "0600000000000002"
#define MM_MAX "06000000ffffffff"
#define STICKY "0600010000000000"
#define ND_R "0608010000000000"
#define ND_I "0608080000000000"
#define ND_ROI "06080b0000000000"

static struct lans *ls;
static struct lan *lan;

static inline void up(void)
{
	struct lan_config c = world_config();

	ls = world_new(&c, &lan);
}

static inline void down(void)
{
	lans_free(ls);
}

static inline int add(unsigned mac, const char *ip, uint8_t flags, bool claim)
{
	return lan_local_add(lan, mac_n(mac), ip_of(ip), flags, claim);
}

static inline struct lan_stats stats(void)
{
	struct lan_stats s;

	lan_stats(lan, &s);
	return s;
}
