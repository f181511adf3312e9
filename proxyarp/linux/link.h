/* The box's network interfaces as the kernel tells them (rtnetlink RTM_NEWLINK, RTM_DELLINK): bridges, their ports, vxlan
 * devices. The parser is pure; the table tells what changed through one hook. A link is known by its ifindex; names are
 * the kernel's word at the moment.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/ip.h"
#include "lib/mac.h"
#include "proxyarp/linux/bridge.h"

#define LINK_NAME 16 /* IFNAMSIZ, with the NUL */

enum link_kind { LINK_OTHER, LINK_BRIDGE, LINK_VXLAN };

struct link {
	uint32_t ifindex;
	uint32_t master; /* 0: none */
	char name[LINK_NAME];
	struct mac mac; /* zero: not an Ethernet address */
	uint32_t mtu;
	enum link_kind kind;
	bool up;      /* IFF_UP: the operator's wish */
	bool carrier; /* IFF_LOWER_UP */
	/* a bridge */
	bool vlan_filtering, mcast_snooping;
	/* a vxlan device */
	uint32_t vni;
	struct ip vtep; /* local; family 0: none set */
	uint16_t udp_port;
	bool vxlan_learning;
	bool external; /* collect metadata: one device for many VNIs, which quell does not drive */
	/* a port of a bridge */
	bool is_port;
	struct bridge_knobs knobs;
};

/* What a hook is called for; several may come at once. */
#define LINK_ADDED 0x001
#define LINK_REMOVED 0x002
#define LINK_JOINED 0x004 /* is a port of now->master */
#define LINK_LEFT 0x008	  /* was a port of was->master; from one bridge to another: both */
#define LINK_RENAMED 0x010
#define LINK_UP 0x020	/* up and carrier, both at last */
#define LINK_DOWN 0x040 /* one of them gone */
#define LINK_MAC 0x080
#define LINK_KNOBS 0x100 /* knobs of the port */
#define LINK_CONFIG 0x200 /* MTU, VNI, VTEP, UDP port, learning, filtering, kind */

/* ADDED: was is NULL; with JOINED and UP if it is so. REMOVED: now is NULL; with LEFT and DOWN if it was. */
struct link_hooks {
	void (*changed)(void *arg, uint32_t what, const struct link *was, const struct link *now);
	void *arg;
};

static inline bool link_is_up(const struct link *l)
{
	return l->up && l->carrier;
}

struct netlink;
struct links;

/* At most `max` links are kept (0: 16384); the rest is counted. Registers with the engine. */
int links_open(struct netlink *nl, const struct link_hooks *hooks, uint32_t max, struct links **ret);
void links_close(struct links *ls); /* after netlink_close() */
/* Borrowed until the return to the event loop. NULL: not there. */
const struct link *links_get(const struct links *ls, uint32_t ifindex);
const struct link *links_find(const struct links *ls, const char *name);
void links_each(const struct links *ls, void (*fn)(void *arg, const struct link *l), void *arg);
uint64_t links_refused(const struct links *ls);

/* The pure half: one message's fixed header and attributes. `partial`: a message of the bridge (AF_BRIDGE), which tells of
 * ifindex, master and knobs only. False: malformed. */
bool link_parse(const void *bytes, size_t len, struct link *ret, bool *ret_partial);
/* What differs, as LINK_* bits; either may be NULL. */
uint32_t link_diff(const struct link *was, const struct link *now);
