/* The table of links; see link.h.
 *
 * Two kinds of message tell of a bridge port: the link's own (AF_UNSPEC), which has everything, the
 * knobs among it in IFLA_INFO_SLAVE_DATA; and the bridge's (AF_BRIDGE), which comes when a knob
 * changes and has only the knobs, in IFLA_PROTINFO. A RTM_DELLINK of AF_BRIDGE says that a port has
 * left its bridge, not that the link is gone.
 *
 *   message                    row there                     no row
 *   AF_UNSPEC new              replaced, difference told     added, told
 *   AF_UNSPEC del              told, dropped                 nothing
 *   AF_BRIDGE new              master and knobs replaced     nothing: its own message comes
 *   AF_BRIDGE del              no port any more              nothing
 *   sweep of a dump            stale: told, dropped          -
 */
#include "proxyarp/linux/link.h"

#include <errno.h>
#include <linux/if_bridge.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <stdlib.h>
#include <string.h>

#include "lib/hmap.h"
#include "lib/siphash.h"
#include "proxyarp/linux/netlink.h"

#define LINKS_MAX 16384
#ifndef IFF_LOWER_UP
#define IFF_LOWER_UP 0x10000
#endif

/* --- the parser --- */

static const struct nla_policy link_policy[IFLA_MAX + 1] = {
	[IFLA_IFNAME] = {.minlen = 1},
	[IFLA_MTU] = {.type = NLA_U32},
	[IFLA_MASTER] = {.type = NLA_U32},
};

static const struct nla_policy vxlan_policy[IFLA_VXLAN_MAX + 1] = {
	[IFLA_VXLAN_ID] = {.type = NLA_U32},
	[IFLA_VXLAN_LOCAL] = {.minlen = 4},
	[IFLA_VXLAN_LOCAL6] = {.minlen = 16},
	[IFLA_VXLAN_LEARNING] = {.type = NLA_U8},
	[IFLA_VXLAN_PORT] = {.type = NLA_U16},
	[IFLA_VXLAN_COLLECT_METADATA] = {.type = NLA_U8},
};

static const struct nla_policy bridge_policy[IFLA_BR_MAX + 1] = {
	[IFLA_BR_VLAN_FILTERING] = {.type = NLA_U8},
	[IFLA_BR_MCAST_SNOOPING] = {.type = NLA_U8},
};

static bool parse_nest(
	const struct nlattr *nest, struct nlattr **tb, int max, const struct nla_policy *policy)
{
	return nla_parse(tb, max, nla_data(nest), nla_len(nest), policy) >= 0;
}

static bool text_is(const struct nlattr *a, const char *text)
{
	size_t len = a ? strnlen(nla_data(a), (size_t)nla_len(a)) : 0;

	return a && len == strlen(text) && memcmp(nla_data(a), text, len) == 0;
}

static bool parse_vxlan(const struct nlattr *nest, struct link *l)
{
	struct nlattr *tb[IFLA_VXLAN_MAX + 1];

	l->kind = LINK_VXLAN;
	if (!nest)
		return true;
	if (!parse_nest(nest, tb, IFLA_VXLAN_MAX, vxlan_policy))
		return false;
	if (tb[IFLA_VXLAN_ID])
		l->vni = nla_get_u32(tb[IFLA_VXLAN_ID]);
	if (tb[IFLA_VXLAN_LOCAL])
		l->vtep = ip_v4(nla_data(tb[IFLA_VXLAN_LOCAL]));
	else if (tb[IFLA_VXLAN_LOCAL6])
		l->vtep = ip_v6(nla_data(tb[IFLA_VXLAN_LOCAL6]));
	if (ip_is_unspecified(l->vtep))
		l->vtep = (struct ip){0};
	if (tb[IFLA_VXLAN_PORT]) {
		const uint8_t *p = nla_data(tb[IFLA_VXLAN_PORT]);
		l->udp_port = (uint16_t)(p[0] << 8 | p[1]);
	}
	l->vxlan_learning = tb[IFLA_VXLAN_LEARNING] && nla_get_u8(tb[IFLA_VXLAN_LEARNING]);
	l->external =
		tb[IFLA_VXLAN_COLLECT_METADATA] && nla_get_u8(tb[IFLA_VXLAN_COLLECT_METADATA]);
	return true;
}

static bool parse_bridge(const struct nlattr *nest, struct link *l)
{
	struct nlattr *tb[IFLA_BR_MAX + 1];

	l->kind = LINK_BRIDGE;
	if (!nest)
		return true;
	if (!parse_nest(nest, tb, IFLA_BR_MAX, bridge_policy))
		return false;
	l->vlan_filtering = tb[IFLA_BR_VLAN_FILTERING] && nla_get_u8(tb[IFLA_BR_VLAN_FILTERING]);
	l->mcast_snooping = tb[IFLA_BR_MCAST_SNOOPING] && nla_get_u8(tb[IFLA_BR_MCAST_SNOOPING]);
	return true;
}

static bool parse_linkinfo(const struct nlattr *nest, struct link *l)
{
	struct nlattr *tb[IFLA_INFO_MAX + 1];

	if (!parse_nest(nest, tb, IFLA_INFO_MAX, NULL))
		return false;
	if (text_is(tb[IFLA_INFO_KIND], "vxlan") && !parse_vxlan(tb[IFLA_INFO_DATA], l))
		return false;
	if (text_is(tb[IFLA_INFO_KIND], "bridge") && !parse_bridge(tb[IFLA_INFO_DATA], l))
		return false;
	if (text_is(tb[IFLA_INFO_SLAVE_KIND], "bridge")) {
		l->is_port = true;
		if (tb[IFLA_INFO_SLAVE_DATA] &&
			!bridge_knobs_parse(tb[IFLA_INFO_SLAVE_DATA], &l->knobs))
			return false;
	}
	return true;
}

static bool parse_name(const struct nlattr *a, char ret[LINK_NAME])
{
	size_t len = a ? strnlen(nla_data(a), (size_t)nla_len(a)) : 0;

	if (len == 0)
		return false;
	memcpy(ret, nla_data(a), len < LINK_NAME ? len : LINK_NAME - 1);
	return true;
}

bool link_parse(const void *bytes, size_t len, struct link *ret, bool *ret_partial)
{
	struct nlattr *tb[IFLA_MAX + 1];
	struct ifinfomsg head;
	struct link l = {0};

	if (len < NLMSG_ALIGN(sizeof head) || len > INT32_MAX)
		return false;
	memcpy(&head, bytes, sizeof head);
	if (head.ifi_index <= 0 || (head.ifi_family != AF_UNSPEC && head.ifi_family != AF_BRIDGE))
		return false;
	if (nla_parse(tb, IFLA_MAX,
		    (struct nlattr *)((char *)(uintptr_t)bytes + NLMSG_ALIGN(sizeof head)),
		    (int)(len - NLMSG_ALIGN(sizeof head)), link_policy) < 0)
		return false;
	l.ifindex = (uint32_t)head.ifi_index;
	l.up = head.ifi_flags & IFF_UP;
	l.carrier = head.ifi_flags & IFF_LOWER_UP;
	if (tb[IFLA_MASTER])
		l.master = nla_get_u32(tb[IFLA_MASTER]);
	if (head.ifi_family == AF_BRIDGE) {
		l.is_port = l.master != 0;
		if (tb[IFLA_PROTINFO] && !bridge_knobs_parse(tb[IFLA_PROTINFO], &l.knobs))
			return false;
		*ret = l;
		*ret_partial = true;
		return true;
	}
	if (!parse_name(tb[IFLA_IFNAME], l.name))
		return false;
	if (tb[IFLA_MTU])
		l.mtu = nla_get_u32(tb[IFLA_MTU]);
	if (tb[IFLA_ADDRESS] && nla_len(tb[IFLA_ADDRESS]) == sizeof l.mac.b)
		memcpy(l.mac.b, nla_data(tb[IFLA_ADDRESS]), sizeof l.mac.b);
	if (tb[IFLA_LINKINFO] && !parse_linkinfo(tb[IFLA_LINKINFO], &l))
		return false;
	*ret = l;
	*ret_partial = false;
	return true;
}

/* --- what changed --- */

static bool config_differs(const struct link *a, const struct link *b)
{
	return a->mtu != b->mtu || a->kind != b->kind || a->vlan_filtering != b->vlan_filtering ||
	       a->mcast_snooping != b->mcast_snooping || a->vni != b->vni ||
	       !ip_eq(a->vtep, b->vtep) || a->udp_port != b->udp_port ||
	       a->vxlan_learning != b->vxlan_learning || a->external != b->external;
}

uint32_t link_diff(const struct link *was, const struct link *now)
{
	static const struct link nothing;
	const struct link *a = was ? was : &nothing, *b = now ? now : &nothing;
	uint32_t what = 0;

	if (!was)
		what |= LINK_ADDED;
	if (!now)
		what |= LINK_REMOVED;
	if (a->is_port && (!b->is_port || a->master != b->master))
		what |= LINK_LEFT;
	if (b->is_port && (!a->is_port || a->master != b->master))
		what |= LINK_JOINED;
	if (link_is_up(b) && !link_is_up(a))
		what |= LINK_UP;
	if (link_is_up(a) && !link_is_up(b))
		what |= LINK_DOWN;
	if (!was || !now)
		return what;
	if (strcmp(a->name, b->name) != 0)
		what |= LINK_RENAMED;
	if (!mac_eq(a->mac, b->mac))
		what |= LINK_MAC;
	if (b->is_port && !(what & LINK_JOINED) &&
		(a->knobs.known != b->knobs.known || a->knobs.on != b->knobs.on))
		what |= LINK_KNOBS;
	if (config_differs(a, b))
		what |= LINK_CONFIG;
	return what;
}

/* --- the table --- */

struct row {
	struct link link;
	bool stale;
};

struct links {
	struct netlink_table table;
	struct link_hooks hooks;
	struct hmap map;
	uint32_t max;
	uint64_t refused;
};

static bool row_eq(const void *entry, const void *key)
{
	return ((const struct row *)entry)->link.ifindex == *(const uint32_t *)key;
}

static uint64_t hash_of(uint32_t ifindex)
{
	return siphash(siphash_process_key(), &ifindex, sizeof ifindex);
}

static struct row *find_row(const struct links *ls, uint32_t ifindex)
{
	return hmap_get(&ls->map, hash_of(ifindex), &ifindex);
}

static void tell(struct links *ls, const struct link *was, const struct link *now)
{
	uint32_t what = link_diff(was, now);

	if (what && ls->hooks.changed)
		ls->hooks.changed(ls->hooks.arg, what, was, now);
}

static void add_row(struct links *ls, const struct link *l)
{
	struct row *row;

	if (ls->map.count >= ls->max || !(row = calloc(1, sizeof *row))) {
		ls->refused++;
		return;
	}
	row->link = *l;
	if (hmap_add(&ls->map, hash_of(l->ifindex), row) < 0) {
		free(row);
		ls->refused++;
		return;
	}
	tell(ls, NULL, &row->link);
}

static void replace_row(struct links *ls, struct row *row, const struct link *l)
{
	struct link was = row->link;

	row->link = *l;
	row->stale = false;
	tell(ls, &was, &row->link);
}

static void drop_row(struct links *ls, struct row *row)
{
	struct link was = row->link;

	hmap_del(&ls->map, hash_of(was.ifindex), &was.ifindex);
	free(row);
	tell(ls, &was, NULL);
}

static void port_message(struct links *ls, struct row *row, bool del, const struct link *partial)
{
	struct link l = row->link;

	/* Other drivers answer in this family too (embedded switches); only the bridge names a
	 * master. */
	if (!partial->is_port || (del && l.master != partial->master))
		return;
	l.is_port = !del;
	l.master = del ? 0 : partial->master;
	if (del)
		l.knobs = (struct bridge_knobs){0, 0};
	else if (partial->knobs.known)
		l.knobs = partial->knobs;
	replace_row(ls, row, &l);
}

static bool on_message(void *arg, bool del, bool dump, const void *bytes, size_t len)
{
	struct links *ls = arg;
	struct link l;
	struct row *row;
	bool partial;

	(void)dump;
	if (!link_parse(bytes, len, &l, &partial))
		return false;
	row = find_row(ls, l.ifindex);
	if (partial && row)
		port_message(ls, row, del, &l);
	else if (partial)
		return true;
	else if (del && row)
		drop_row(ls, row);
	else if (!del && row)
		replace_row(ls, row, &l);
	else if (!del)
		add_row(ls, &l);
	return true;
}

static void on_mark(void *arg)
{
	struct links *ls = arg;
	struct row *row;

	hmap_foreach (&ls->map, row)
		row->stale = true;
}

static bool drop_stale(void *entry, void *arg)
{
	struct row *row = entry;
	struct row ***gone = arg;

	if (row->stale)
		*(*gone)++ = row;
	return row->stale;
}

static void on_sweep(void *arg)
{
	struct links *ls = arg;
	struct row **gone = calloc(ls->map.count + 1, sizeof *gone), **end = gone;

	if (!gone)
		return;
	/* Out of the map first, told afterwards: a hook may ask for links. */
	hmap_sweep(&ls->map, drop_stale, &end);
	for (struct row **r = gone; r < end; r++) {
		tell(ls, &(*r)->link, NULL);
		free(*r);
	}
	free(gone);
}

static int build_dump(void *arg, struct nl_msg *msg)
{
	struct ifinfomsg head = {.ifi_family = AF_UNSPEC};

	(void)arg;
	if (nlmsg_append(msg, &head, sizeof head, NLMSG_ALIGNTO) < 0 ||
		nla_put_u32(msg, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS) < 0)
		return -ENOMEM;
	return 0;
}

int links_open(struct netlink *nl, const struct link_hooks *hooks, uint32_t max, struct links **ret)
{
	struct links *ls = calloc(1, sizeof *ls);
	int r;

	if (!ls)
		return -ENOMEM;
	ls->hooks = *hooks;
	ls->max = max ? max : LINKS_MAX;
	hmap_init(&ls->map, row_eq);
	ls->table = (struct netlink_table){
		.name = "links",
		.group = RTNLGRP_LINK,
		.new_type = RTM_NEWLINK,
		.del_type = RTM_DELLINK,
		.get_type = RTM_GETLINK,
		.dump = build_dump,
		.mark = on_mark,
		.message = on_message,
		.sweep = on_sweep,
		.arg = ls,
	};
	r = netlink_add_table(nl, &ls->table);
	if (r < 0) {
		links_close(ls);
		return r;
	}
	*ret = ls;
	return 0;
}

void links_close(struct links *ls)
{
	struct row *row;

	if (!ls)
		return;
	hmap_foreach (&ls->map, row)
		free(row);
	hmap_free(&ls->map);
	free(ls);
}

const struct link *links_get(const struct links *ls, uint32_t ifindex)
{
	const struct row *row = find_row(ls, ifindex);

	return row ? &row->link : NULL;
}

const struct link *links_find(const struct links *ls, const char *name)
{
	const struct row *row;

	hmap_foreach (&ls->map, row)
		if (strcmp(row->link.name, name) == 0)
			return &row->link;
	return NULL;
}

void links_each(const struct links *ls, void (*fn)(void *arg, const struct link *l), void *arg)
{
	const struct row *row;

	hmap_foreach (&ls->map, row)
		fn(arg, &row->link);
}

uint64_t links_refused(const struct links *ls)
{
	return ls->refused;
}
