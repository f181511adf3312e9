/* One entry of a forwarding table, from and to rtnetlink; see fdb.h.
 *
 * The kernel tells of three tables with one message: the bridge's (NDA_MASTER is there), the vxlan
 * device's (NTF_SELF, with NDA_DST or NDA_NH_ID), and any device's own address lists (NTF_SELF,
 * without), which nobody here cares about.
 */
#include <errno.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <string.h>
#include <sys/socket.h>

#include "proxyarp/linux/fdb.h"

static const struct nla_policy entry_policy[NDA_MAX + 1] = {
	[NDA_DST] = {.minlen = 4, .maxlen = 16},
	[NDA_LLADDR] = {.minlen = 6, .maxlen = 6},
	[NDA_VLAN] = {.type = NLA_U16},
	[NDA_VNI] = {.type = NLA_U32},
	[NDA_MASTER] = {.type = NLA_U32},
	[NDA_NH_ID] = {.type = NLA_U32},
};

static bool parse_dst(const struct nlattr *a, struct ip *ret)
{
	if (nla_len(a) == 4)
		*ret = ip_v4(nla_data(a));
	else if (nla_len(a) == 16)
		*ret = ip_v6(nla_data(a));
	else
		return false;
	return true;
}

bool fdb_parse(const void *bytes, size_t len, struct fdb_entry *ret)
{
	struct nlattr *tb[NDA_MAX + 1];
	struct ndmsg head;
	struct fdb_entry e = {0};

	if (len < NLMSG_ALIGN(sizeof head) || len > INT32_MAX)
		return false;
	memcpy(&head, bytes, sizeof head);
	if (head.ndm_family != AF_BRIDGE || head.ndm_ifindex <= 0)
		return false;
	if (nla_parse(tb, NDA_MAX,
		    (struct nlattr *)((char *)(uintptr_t)bytes + NLMSG_ALIGN(sizeof head)),
		    (int)(len - NLMSG_ALIGN(sizeof head)), entry_policy) < 0)
		return false;
	if (!tb[NDA_LLADDR])
		return false;
	memcpy(e.mac.b, nla_data(tb[NDA_LLADDR]), sizeof e.mac.b);
	e.where = head.ndm_flags & NTF_SELF ? FDB_VXLAN : FDB_BRIDGE;
	e.ifindex = (uint32_t)head.ndm_ifindex;
	e.state = head.ndm_state;
	e.flags = head.ndm_flags;
	if (tb[NDA_MASTER])
		e.master = nla_get_u32(tb[NDA_MASTER]);
	if (tb[NDA_VLAN])
		e.vlan = nla_get_u16(tb[NDA_VLAN]);
	if (tb[NDA_VNI])
		e.vni = nla_get_u32(tb[NDA_VNI]);
	if (tb[NDA_NH_ID])
		e.nhid = nla_get_u32(tb[NDA_NH_ID]);
	if (tb[NDA_DST] && !parse_dst(tb[NDA_DST], &e.dst))
		return false;
	*ret = e;
	return true;
}

int fdb_build(struct nl_msg *msg, const struct fdb_entry *e)
{
	struct ndmsg head = {
		.ndm_family = AF_BRIDGE,
		.ndm_ifindex = (int)e->ifindex,
		.ndm_state = e->state,
		.ndm_flags = e->flags,
	};

	if (nlmsg_append(msg, &head, sizeof head, NLMSG_ALIGNTO) < 0 ||
		nla_put(msg, NDA_LLADDR, sizeof e->mac.b, e->mac.b) < 0 ||
		(e->dst.family && nla_put(msg, NDA_DST, (int)ip_len(e->dst), e->dst.b) < 0) ||
		(e->vlan && nla_put_u16(msg, NDA_VLAN, e->vlan) < 0))
		return -ENOMEM;
	return 0;
}

bool fdb_is_dynamic(const struct fdb_entry *e)
{
	return e->where == FDB_BRIDGE && !(e->state & (NUD_PERMANENT | NUD_NOARP)) &&
	       !(e->flags & NTF_EXT_LEARNED);
}
