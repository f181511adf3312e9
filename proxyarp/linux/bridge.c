/* The knobs of a bridge port; see bridge.h for what is set to what, and when.
 *
 * One row a knob. IFLA_BRPORT_* are one octet each, 0 or 1, but for MULTICAST_ROUTER, where 0 is
 * "never" and 1 "as the kernel finds out": a port that has heard a querier or PIM is sent all
 * multicast whatever mcast_flood says, so it counts as a flood knob here. LOCKED came with
 * Linux 5.18; a kernel without it does not tell of it, and then it is not set either.
 */
#include "proxyarp/linux/bridge.h"

#include <errno.h>
#include <linux/if_bridge.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "proxyarp/class.h"
#include "proxyarp/layout.h"
#include "proxyarp/linux/netlink.h"

static const struct {
	uint16_t knob;
	uint16_t attr;
	const char *name; /* as bridge(8) says it */
} knob_rows[] = {
	{KNOB_LEARNING, IFLA_BRPORT_LEARNING, "learning"},
	{KNOB_LOCKED, IFLA_BRPORT_LOCKED, "locked"},
	{KNOB_FLOOD, IFLA_BRPORT_UNICAST_FLOOD, "flood"},
	{KNOB_MCAST_FLOOD, IFLA_BRPORT_MCAST_FLOOD, "mcast_flood"},
	{KNOB_BCAST_FLOOD, IFLA_BRPORT_BCAST_FLOOD, "bcast_flood"},
	{KNOB_MCAST_ROUTER, IFLA_BRPORT_MULTICAST_ROUTER, "mcast_router"},
	{KNOB_NEIGH_SUPPRESS, IFLA_BRPORT_NEIGH_SUPPRESS, "neigh_suppress"},
	{KNOB_HAIRPIN, IFLA_BRPORT_MODE, "hairpin"},
	{KNOB_ISOLATED, IFLA_BRPORT_ISOLATED, "isolated"},
	{KNOB_PROXY_ARP, IFLA_BRPORT_PROXYARP, "proxy_arp"},
};
#define KNOB_ROWS (sizeof knob_rows / sizeof knob_rows[0])

/* Those that we ever set; a port keeps the rest as the operator has it. */
#define KNOBS_OURS (KNOB_LEARNING | KNOB_LOCKED | KNOB_FLOODS | KNOB_MCAST_ROUTER)
#define KNOBS_KERNEL_DEFAULT (KNOB_LEARNING | KNOB_FLOODS | KNOB_MCAST_ROUTER)

struct bridge_knobs bridge_member_closed(uint16_t floods)
{
	return (struct bridge_knobs){KNOBS_OURS, KNOB_LOCKED | (floods & KNOB_FLOODS)};
}

struct bridge_knobs bridge_member_open(uint16_t floods, bool learn)
{
	return (struct bridge_knobs){
		KNOBS_OURS, (uint16_t)((learn ? KNOB_LEARNING : 0) | (floods & KNOB_FLOODS))};
}

struct bridge_knobs bridge_fabric(uint16_t floods)
{
	return (struct bridge_knobs){KNOBS_OURS, floods & KNOB_FLOODS};
}

/* Whether a frame may go on although a rule forbids it. What the other rules forbid is unicast, or is judged on. */
static bool lets_go(uint64_t rules)
{
	const uint64_t judged_on = 1ULL << RULE_NONE | 1ULL << RULE_SOURCE_MAC | 1ULL << RULE_PROXY_ARP |
				   1ULL << RULE_ADDRESS | 1ULL << RULE_LOOP | 1ULL << RULE_VXLAN;

	for (int r = 0; r < RULE_COUNT; r++)
		if (RULE_ACTION(rules, r) >= ACTION_COUNT && !(judged_on & 1ULL << r))
			return true;
	return false;
}

uint16_t bridge_floods(const struct layout_port *p)
{
	uint16_t floods = 0;

	/* Of what may flood one cannot tell by which kind of group address: some send to either. */
	if (p->flood_classes || lets_go(p->rules) || p->ns_option == NS_OPTION_FORWARD)
		floods |= KNOB_MCAST_FLOOD | KNOB_BCAST_FLOOD;
	if (p->unknown_target == UNKNOWN_FLOOD || p->unknown_target == UNKNOWN_POLICE ||
		p->flags & PORT_DRY)
		floods |= KNOB_FLOODS;
	return floods;
}

bool bridge_knobs_met(struct bridge_knobs is, struct bridge_knobs want)
{
	return ((is.on ^ want.on) & is.known & want.known) == 0;
}

struct bridge_knobs bridge_port_original(struct bridge_knobs found, bool fabric)
{
	uint16_t ours = found.known & KNOBS_OURS;
	bool floods_off = (found.on & KNOB_FLOODS) == 0;
	bool member = (found.on & KNOB_LOCKED) && !(found.on & KNOB_LEARNING);
	uint16_t back = KNOBS_KERNEL_DEFAULT & ours;
	bool silenced = (found.known & KNOB_MCAST_ROUTER) && !(found.on & KNOB_MCAST_ROUTER);

	if (fabric)
		back = (uint16_t)((back & ~KNOB_LEARNING) | (found.on & KNOB_LEARNING));
	if (!member && !silenced && !floods_off)
		back = found.on & ours;
	return (struct bridge_knobs){ours, back};
}

char *bridge_knobs_format(struct bridge_knobs k, char buf[BRIDGE_KNOBS_TEXT])
{
	size_t at = 0;

	buf[0] = '\0';
	for (size_t i = 0; i < KNOB_ROWS; i++) {
		if (!(k.known & knob_rows[i].knob))
			continue;
		at += (size_t)snprintf(buf + at, BRIDGE_KNOBS_TEXT - at, "%s%s %s", at ? ", " : "",
			knob_rows[i].name, k.on & knob_rows[i].knob ? "on" : "off");
	}
	return buf;
}

bool bridge_knobs_parse(const struct nlattr *nest, struct bridge_knobs *ret)
{
	struct nlattr *tb[IFLA_BRPORT_MAX + 1];
	struct bridge_knobs k = {0, 0};

	if (nla_parse(tb, IFLA_BRPORT_MAX, nla_data(nest), nla_len(nest), NULL) < 0)
		return false;
	for (size_t i = 0; i < KNOB_ROWS; i++) {
		const struct nlattr *a = tb[knob_rows[i].attr];

		if (!a)
			continue;
		if (nla_len(a) < 1)
			return false;
		k.known |= knob_rows[i].knob;
		if (nla_get_u8(a))
			k.on |= knob_rows[i].knob;
	}
	*ret = k;
	return true;
}

int bridge_knobs_build(struct nl_msg *msg, uint32_t ifindex, struct bridge_knobs set)
{
	struct ifinfomsg head = {.ifi_family = AF_BRIDGE, .ifi_index = (int)ifindex};
	struct nlattr *nest;

	if (nlmsg_append(msg, &head, sizeof head, NLMSG_ALIGNTO) < 0)
		return -ENOMEM;
	nest = nla_nest_start(msg, IFLA_PROTINFO | NLA_F_NESTED);
	if (!nest)
		return -ENOMEM;
	for (size_t i = 0; i < KNOB_ROWS; i++)
		if ((set.known & knob_rows[i].knob) &&
			nla_put_u8(msg, knob_rows[i].attr, !!(set.on & knob_rows[i].knob)) < 0)
			return -ENOMEM;
	nla_nest_end(msg, nest);
	return 0;
}

int bridge_set(struct netlink *nl, uint32_t ifindex, struct bridge_knobs want,
	struct bridge_knobs has, void (*done)(void *arg, int verdict), void *arg)
{
	struct nl_msg *msg;
	int r;

	want.known &= has.known;
	msg = nlmsg_alloc_simple(RTM_SETLINK, 0);
	if (!msg)
		return -ENOMEM;
	r = bridge_knobs_build(msg, ifindex, want);
	if (r < 0) {
		nlmsg_free(msg);
		return r;
	}
	return netlink_request(nl, msg, done, arg);
}
