/* The knobs of a bridge port (IFLA_BRPORT_*), by which the kernel is told the same truth as the data plane:
 *
 *   closed member port   learning off  locked on   flood off  mcast_flood off  bcast_flood off  mcast_router off
 *   open member port     learning off  locked off  the rest as above; learning on if the plane does not tell of all MACs: a bridge
 *                        learns as many as a member invents
 *   fabric (vxlan)       learning off  locked off  the rest as above
 *
 * A port whose rule `source-mac` does not drop is not locked; one in dry run stays as it was found.
 *
 * Where a rule lets something flood (bridge_floods()), the flood knobs it needs stay on for every port of that bridge and the data
 * plane's egress program is what holds the rest back.
 *
 * Order is the caller's: FDB entries go in before a port is closed, and come out after it is opened, or members fall into a
 * black hole. What a port was like before is in struct link; bridge_port_original() says what to go back to.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proxyarp/layout.h"

#define KNOB_LEARNING 0x001
#define KNOB_LOCKED 0x002
#define KNOB_FLOOD 0x004       /* unknown unicast */
#define KNOB_MCAST_FLOOD 0x008
#define KNOB_BCAST_FLOOD 0x010
#define KNOB_MCAST_ROUTER 0x020 /* on: as the kernel finds out; off: never */
#define KNOB_NEIGH_SUPPRESS 0x040
#define KNOB_HAIRPIN 0x080
#define KNOB_ISOLATED 0x100
#define KNOB_PROXY_ARP 0x200

#define KNOB_FLOODS (KNOB_FLOOD | KNOB_MCAST_FLOOD | KNOB_BCAST_FLOOD)

/* known: which ones the kernel told, or which ones to set. on: those that are on. */
struct bridge_knobs {
	uint16_t known, on;
};

/* What we want of a port. `floods`: KNOB_FLOOD... bits that a rule needs on this bridge, from bridge_floods(). */
struct bridge_knobs bridge_member_closed(uint16_t floods);
/* learn: nobody else does. */
struct bridge_knobs bridge_member_open(uint16_t floods, bool learn);
struct bridge_knobs bridge_fabric(uint16_t floods);
/* Which floods a port's row in the plane may bring about. */
uint16_t bridge_floods(const struct layout_port *p);

/* True when all that `want` knows, and the kernel has, is so. */
bool bridge_knobs_met(struct bridge_knobs is, struct bridge_knobs want);
/* What to go back to when we leave a port that was found as `found`: that, unless it looks like our own doing (found closed
 * after a crash), then the kernel's defaults - but for the learning of a fabric port, which no EVPN set-up wants. */
struct bridge_knobs bridge_port_original(struct bridge_knobs found, bool fabric);
/* "learning off, locked on, ..." */
#define BRIDGE_KNOBS_TEXT 192
char *bridge_knobs_format(struct bridge_knobs k, char buf[BRIDGE_KNOBS_TEXT]);

struct netlink;
/* Queues the change; `done` (may be NULL) gets the verdict: NETLINK_DONE, NETLINK_GONE, -errno. Knobs that this kernel does not
 * have are left out if `has` (struct link's knobs) does not know them. Read back through the links' LINK_KNOBS. */
int bridge_set(struct netlink *nl, uint32_t ifindex, struct bridge_knobs want, struct bridge_knobs has,
	void (*done)(void *arg, int verdict), void *arg);

struct nlattr;
struct nl_msg;
/* The pure halves: from IFLA_PROTINFO or IFLA_INFO_SLAVE_DATA, and a whole RTM_SETLINK. */
bool bridge_knobs_parse(const struct nlattr *nest, struct bridge_knobs *ret);
int bridge_knobs_build(struct nl_msg *msg, uint32_t ifindex, struct bridge_knobs set);
