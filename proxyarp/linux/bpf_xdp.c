/* XDP, the BPF plane's accelerator: where it cannot be, the port works without, and the log says so once.
 *
 * A program that is not ours is never replaced. The kernel gives only the id of what is there, so what we put on an
 * interface is pinned as xdp_<ifindex>; the new pin is made before the program is put there, so ours is always
 * known again, by an agent of another layout too.
 *
 * Not on a bond: the kernel would run it on the bond's interfaces, under their indices, which are no ports.
 */
#include <errno.h>
#include <linux/ethtool.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <netlink/attr.h>
#include <netlink/msg.h>

#include "lib/log.h"
#include "proxyarp/linux/bpf.h"

/* --- what is there --- */

struct xdp {
	uint32_t id; /* 0: nothing */
	uint32_t mode;
};

static int link_row(struct nl_msg *msg, void *arg)
{
	struct nlattr *attrs[IFLA_MAX + 1], *x[IFLA_XDP_MAX + 1];
	struct nlmsghdr *h = nlmsg_hdr(msg);
	struct xdp *ret = arg;

	if (h->nlmsg_type != RTM_NEWLINK ||
		nlmsg_parse(h, sizeof(struct ifinfomsg), attrs, IFLA_MAX, NULL) || !attrs[IFLA_XDP] ||
		nla_parse_nested(x, IFLA_XDP_MAX, attrs[IFLA_XDP], NULL))
		return NL_OK;
	for (int i = IFLA_XDP_PROG_ID; i <= IFLA_XDP_SKB_PROG_ID && !ret->id; i++)
		if (x[i] && nla_len(x[i]) >= 4)
			ret->id = nla_get_u32(x[i]);
	ret->mode = x[IFLA_XDP_ATTACHED] && nla_get_u8(x[IFLA_XDP_ATTACHED]) == XDP_ATTACHED_SKB
			    ? XDP_FLAGS_SKB_MODE
			    : XDP_FLAGS_DRV_MODE;
	return NL_OK;
}

/* One link, not libbpf's dump of them all. */
static int xdp_find(struct plane *p, uint32_t ifindex, struct xdp *ret)
{
	struct ifinfomsg i = {.ifi_family = AF_UNSPEC, .ifi_index = (int)ifindex};

	*ret = (struct xdp){0};
	return bpf_ask(p, RTM_GETLINK, 0, &i, sizeof i, link_row, ret);
}

/* The descriptor of the program that we have put there once, if it is `id`; else -1. */
static int xdp_ours(struct plane *p, uint32_t ifindex, uint32_t id)
{
	char pins[2][32];

	snprintf(pins[0], sizeof pins[0], "xdp_%u", ifindex);
	snprintf(pins[1], sizeof pins[1], "xdp_%u_new", ifindex);
	for (size_t i = 0; i < 2; i++) {
		int fd = bpf_old_program(p, pins[i], id);

		if (fd >= 0)
			return fd;
	}
	return -1;
}

static int ethtool(uint32_t ifindex, void *data)
{
	struct ifreq req = {.ifr_data = data};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), err;

	if (fd < 0)
		return -errno;
	err = if_indextoname(ifindex, req.ifr_name) && ioctl(fd, SIOCETHTOOL, &req) == 0 ? 0
											 : -errno;
	close(fd);
	return err;
}

static bool driver_is(uint32_t ifindex, const char *driver)
{
	struct ethtool_drvinfo info = {.cmd = ETHTOOL_GDRVINFO};

	return ethtool(ifindex, &info) == 0 && !strcmp(info.driver, driver);
}

/* XDP sees no VLAN tag that the NIC has taken off, and would answer a tagged request as if it were
 * not. What is turned off here stays off. (Between veth ends a tag may travel beside the frame
 * whatever this says.) */
static void tags_in_band(uint32_t ifindex)
{
	struct ethtool_value flags = {.cmd = ETHTOOL_GFLAGS};
	char name[IF_NAMESIZE];

	if (ethtool(ifindex, &flags) || !(flags.data & ETH_FLAG_RXVLAN))
		return;
	flags.cmd = ETHTOOL_SFLAGS;
	flags.data &= ~(uint32_t)ETH_FLAG_RXVLAN;
	if (ethtool(ifindex, &flags))
		log_warning(LOG_BPF,
			"%s: cannot turn off rx-vlan-offload: XDP answers tagged requests",
			bpf_name_of(ifindex, name));
	else
		log_notice(
			LOG_BPF, "%s: rx-vlan-offload turned off for XDP", bpf_name_of(ifindex, name));
}

static int xdp_put(uint32_t ifindex, int prog, uint32_t mode, int old)
{
	LIBBPF_OPTS(bpf_xdp_attach_opts, opts, .old_prog_fd = old);

	if (old < 0)
		return bpf_xdp_attach((int)ifindex, prog, mode | XDP_FLAGS_UPDATE_IF_NOEXIST, NULL);
	return bpf_xdp_attach((int)ifindex, prog, mode | XDP_FLAGS_REPLACE, &opts);
}

/* --- putting it there --- */

static int xdp_new(uint32_t ifindex, int prog)
{
	int err;

	if (driver_is(ifindex, "bonding"))
		return -EMEDIUMTYPE;
	/* A veth sends what XDP_TX gives it only if its other end has an XDP program too, and says nothing if it has none;
	 * the generic mode sends always. */
	err = driver_is(ifindex, "veth") ? -EOPNOTSUPP : xdp_put(ifindex, prog, XDP_FLAGS_DRV_MODE, -1);
	return err ? xdp_put(ifindex, prog, XDP_FLAGS_SKB_MODE, -1) : 0;
}

/* `old`: ours, to be replaced, in `mode`; -1: nothing is there. */
static int xdp_attach(struct plane *p, uint32_t ifindex, uint32_t mode, int old)
{
	int prog = bpf_program__fd(p->skel->progs.quell_member_xdp), err;
	char pin[32], fresh[32];

	snprintf(pin, sizeof pin, "xdp_%u", ifindex);
	snprintf(fresh, sizeof fresh, "xdp_%u_new", ifindex);
	err = bpf_dir_pin(p, prog, fresh);
	if (!err)
		err = old >= 0 ? xdp_put(ifindex, prog, mode, old) : xdp_new(ifindex, prog);
	if (!err)
		tags_in_band(ifindex);
	if (!err)
		err = bpf_dir_pin(p, prog, pin);
	bpf_dir_unpin(p, fresh);
	return err;
}

static void xdp_failed(struct bpf_port *port, int err)
{
	char name[IF_NAMESIZE];

	if (err == port->xdp_err)
		return;
	port->xdp_err = err;
	if (err)
		log_warning(LOG_BPF, "%s: not accelerated: %s", bpf_name_of(port->ifindex, name),
			err == -EMEDIUMTYPE ? "XDP would run on the bond's interfaces, not on the bond"
			: err == -EEXIST    ? "another XDP program is there"
					    : strerror(-err));
}

int bpf_xdp(struct plane *p, struct bpf_port *port, bool wanted, bool first)
{
	uint32_t current = bpf_program_id(bpf_program__fd(p->skel->progs.quell_member_xdp));
	struct xdp x;
	int old, err;

	port->xdp_foreign = false;
	if (xdp_find(p, port->ifindex, &x))
		return 0;
	if (x.id == current && wanted)
		return 0;
	old = x.id ? xdp_ours(p, port->ifindex, x.id) : -1;
	port->xdp_foreign = x.id && old < 0;
	if (!wanted) {
		if (old >= 0) {
			close(old);
			bpf_xdp_detach_ours(p, port->ifindex);
		}
		port->xdp = false;
		port->xdp_err = 0;
		return 0;
	}
	/* What failed is tried again when the tc programs were put there anew: a driver may take its queues down for each try. */
	if (!x.id && port->xdp_err && port->xdp_err != -EEXIST && !first)
		return 0;
	err = port->xdp_foreign ? -EEXIST : xdp_attach(p, port->ifindex, x.mode, old);
	if (old >= 0)
		close(old);
	xdp_failed(port, err);
	bool again = port->xdp && old < 0 && !err;
	port->xdp = !err;
	return again;
}

void bpf_xdp_detach_ours(struct plane *p, uint32_t ifindex)
{
	LIBBPF_OPTS(bpf_xdp_attach_opts, opts);
	char pin[32];
	struct xdp x;

	if (!xdp_find(p, ifindex, &x) && x.id) {
		int old = xdp_ours(p, ifindex, x.id);

		if (old >= 0) {
			opts.old_prog_fd = old;
			(void)bpf_xdp_detach((int)ifindex, x.mode, &opts);
			close(old);
		}
	}
	snprintf(pin, sizeof pin, "xdp_%u", ifindex);
	bpf_dir_unpin(p, pin);
}
