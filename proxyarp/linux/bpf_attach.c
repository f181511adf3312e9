/* Putting the BPF plane's programs on interfaces, and taking them off.
 *
 * tc: a clsact qdisc and one direct-action filter each way, at a priority and handle of our own, so
 * that putting it there again replaces it in place: there is no moment without a program. TCX would
 * be neater but is not in Debian 12's 6.1; filters of clsact outlive their loader just as well. An
 * operator's filters at other priorities are left alone.
 *
 * XDP is an accelerator: where it cannot be, the port works without, and the log says so. Never
 * replaces a program that is not ours. The kernel gives only the id of what is there, so what we
 * put on an interface is pinned as xdp_<ifindex>; the new pin is made before the program is put
 * there, so ours is always known again.
 */
#include <errno.h>
#include <linux/ethtool.h>
#include <linux/if_link.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
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
#include <netlink/netlink.h>

#include "lib/log.h"
#include "proxyarp/linux/bpf.h"

#define FILTER_PRIORITY 5117
#define FILTER_HANDLE 1
#define PROGRAM_PREFIX "quell_" /* libbpf names a filter after its program */

static const char *name_of(uint32_t ifindex, char buf[IF_NAMESIZE])
{
	if (!if_indextoname(ifindex, buf))
		snprintf(buf, IF_NAMESIZE, "#%u", ifindex);
	return buf;
}

/* --- what hangs on a hook --- */

struct filters {
	uint32_t ours; /* the id of our program in our place; 0: it is not there */
	bool taken;    /* our place, by a filter that is not ours */
	bool others;   /* any that is not ours */
	bool before;   /* and comes before ours */
};

static int filters_row(struct nl_msg *msg, void *arg)
{
	struct nlmsghdr *h = nlmsg_hdr(msg);
	struct tcmsg *t = nlmsg_data(h);
	struct nlattr *attrs[TCA_MAX + 1], *bpf[TCA_BPF_MAX + 1];
	struct filters *f = arg;
	const char *name = NULL;

	if (h->nlmsg_type != RTM_NEWTFILTER || nlmsg_parse(h, sizeof *t, attrs, TCA_MAX, NULL))
		return NL_SKIP;
	if (!t->tcm_handle) /* the priority itself, not a filter in it */
		return NL_OK;
	if (attrs[TCA_KIND] && attrs[TCA_OPTIONS] &&
		!strcmp(nla_get_string(attrs[TCA_KIND]), "bpf") &&
		!nla_parse_nested(bpf, TCA_BPF_MAX, attrs[TCA_OPTIONS], NULL) && bpf[TCA_BPF_NAME])
		name = nla_get_string(bpf[TCA_BPF_NAME]);
	bool place =
		TC_H_MAJ(t->tcm_info) >> 16 == FILTER_PRIORITY && t->tcm_handle == FILTER_HANDLE;
	if (name && !strncmp(name, PROGRAM_PREFIX, strlen(PROGRAM_PREFIX))) {
		if (place && bpf[TCA_BPF_ID])
			f->ours = nla_get_u32(bpf[TCA_BPF_ID]);
		return NL_OK;
	}
	f->others = true;
	f->before |= TC_H_MAJ(t->tcm_info) >> 16 < FILTER_PRIORITY;
	if (place)
		f->taken = true;
	return NL_OK;
}

/* 0, or -errno; an interface or hook that is not there has no filters. */
static int filters_of(uint32_t ifindex, uint32_t parent, struct filters *f)
{
	struct tcmsg t = {
		.tcm_family = AF_UNSPEC, .tcm_ifindex = (int)ifindex, .tcm_parent = parent};
	struct nl_sock *s = nl_socket_alloc();
	int err = s ? nl_connect(s, NETLINK_ROUTE) : -NLE_NOMEM;

	if (!err)
		err = nl_socket_modify_cb(s, NL_CB_VALID, NL_CB_CUSTOM, filters_row, f);
	if (!err)
		err = nl_send_simple(s, RTM_GETTFILTER, NLM_F_DUMP, &t, sizeof t);
	if (err >= 0)
		err = nl_recvmsgs_default(s);
	if (s)
		nl_socket_free(s);
	return err == -NLE_NOMEM ? -ENOMEM : 0;
}

static uint32_t program_id(int fd)
{
	struct bpf_prog_info info = {0};
	uint32_t len = sizeof info;

	return fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &len) ? 0 : info.id;
}

/* --- tc --- */

/* 0: it was there; 1: it is there now. */
static int tc_put(uint32_t ifindex, enum bpf_tc_attach_point way, int prog)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)ifindex, .attach_point = way);
	LIBBPF_OPTS(bpf_tc_opts, opts, .prog_fd = prog, .flags = BPF_TC_F_REPLACE,
		.handle = FILTER_HANDLE, .priority = FILTER_PRIORITY);
	const char *word = way == BPF_TC_INGRESS ? "ingress" : "egress";
	struct filters f = {0};
	char name[IF_NAMESIZE];
	int err;

	err = filters_of(ifindex,
		TC_H_MAKE(TC_H_CLSACT, way == BPF_TC_INGRESS ? TC_H_MIN_INGRESS : TC_H_MIN_EGRESS),
		&f);
	if (!err && f.taken) {
		log_error(LOG_BPF, "%s: priority %d on %s belongs to a filter that is not ours",
			name_of(ifindex, name), FILTER_PRIORITY, word);
		return -EEXIST;
	}
	if (!err && f.ours && f.ours == program_id(prog))
		return 0;
	if (!err)
		err = bpf_tc_attach(&hook, &opts);
	if (err)
		log_error(LOG_BPF, "%s: cannot put the program on %s: %s", name_of(ifindex, name),
			word, strerror(-err));
	else if (f.before)
		log_warning(LOG_BPF,
			"%s: a filter of others on %s comes before ours: what it accepts or drops "
			"is neither judged nor counted",
			name_of(ifindex, name), word);
	return err ? err : 1;
}

static int tc_attach(struct plane *p, uint32_t ifindex, enum layout_port_kind kind)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)ifindex,
		.attach_point = BPF_TC_INGRESS | BPF_TC_EGRESS);
	struct bpf_program *in = p->skel->progs.quell_member_in,
			   *out = p->skel->progs.quell_member_out;
	char name[IF_NAMESIZE];
	int err = bpf_tc_hook_create(&hook);

	if (err && err != -EEXIST) {
		log_error(LOG_BPF, "%s: cannot make the clsact qdisc: %s", name_of(ifindex, name),
			strerror(-err));
		return err;
	}
	if (kind == PORT_UNDERLAY)
		return tc_put(ifindex, BPF_TC_INGRESS, bpf_program__fd(p->skel->progs.quell_underlay_in));
	if (kind == PORT_FABRIC) {
		in = p->skel->progs.quell_fabric_in;
		out = p->skel->progs.quell_fabric_out;
	}
	/* Out first: a frame that the ingress program lets flood carries the mark that the egress
	 * asks for, but until the egress program is there others would reach the port. */
	int put = tc_put(ifindex, BPF_TC_EGRESS, bpf_program__fd(out));
	err = put < 0 ? put : tc_put(ifindex, BPF_TC_INGRESS, bpf_program__fd(in));
	return err < 0 ? err : err | put;
}

static void tc_detach(uint32_t ifindex)
{
	static const enum bpf_tc_attach_point ways[] = {BPF_TC_INGRESS, BPF_TC_EGRESS};
	LIBBPF_OPTS(bpf_tc_hook, qdisc, .ifindex = (int)ifindex,
		.attach_point = BPF_TC_INGRESS | BPF_TC_EGRESS);
	struct filters left = {0};

	for (size_t i = 0; i < 2; i++) {
		LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)ifindex, .attach_point = ways[i]);
		LIBBPF_OPTS(
			bpf_tc_opts, opts, .handle = FILTER_HANDLE, .priority = FILTER_PRIORITY);
		uint32_t parent = TC_H_MAKE(TC_H_CLSACT,
			ways[i] == BPF_TC_INGRESS ? TC_H_MIN_INGRESS : TC_H_MIN_EGRESS);
		struct filters f = {0};

		if (filters_of(ifindex, parent, &f) || f.taken) {
			left.others = true;
			continue;
		}
		(void)bpf_tc_detach(&hook, &opts); /* -ENOENT: not there */
		left.others |= f.others;
	}
	if (!left.others)
		(void)bpf_tc_hook_destroy(&qdisc);
}

/* --- XDP --- */

/* What hangs there: its id (0: nothing) and its mode; *ret_fd: it is ours, by this descriptor, else
 * -1. */
static int xdp_find(
	struct plane *p, uint32_t ifindex, uint32_t *ret_id, uint32_t *ret_mode, int *ret_fd)
{
	LIBBPF_OPTS(bpf_xdp_query_opts, q);
	char pins[2][32];
	int err = bpf_xdp_query((int)ifindex, 0, &q);

	if (err)
		return err;
	*ret_id = q.prog_id ? q.prog_id : q.drv_prog_id ? q.drv_prog_id : q.skb_prog_id;
	*ret_mode = q.attach_mode == XDP_ATTACHED_SKB ? XDP_FLAGS_SKB_MODE : XDP_FLAGS_DRV_MODE;
	*ret_fd = -1;
	snprintf(pins[0], sizeof pins[0], "xdp_%u", ifindex);
	snprintf(pins[1], sizeof pins[1], "xdp_%u_new", ifindex);
	for (size_t i = 0; *ret_id && i < 2; i++) {
		int fd = bpf_dir_get(p, pins[i]);

		if (fd >= 0 && program_id(fd) == *ret_id) {
			*ret_fd = fd;
			return 0;
		}
		if (fd >= 0)
			close(fd);
	}
	return 0;
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

static bool is_veth(uint32_t ifindex)
{
	struct ethtool_drvinfo info = {.cmd = ETHTOOL_GDRVINFO};

	return ethtool(ifindex, &info) == 0 && !strcmp(info.driver, "veth");
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
			name_of(ifindex, name));
	else
		log_notice(
			LOG_BPF, "%s: rx-vlan-offload turned off for XDP", name_of(ifindex, name));
}

static int xdp_put(uint32_t ifindex, int prog, uint32_t mode, int old)
{
	LIBBPF_OPTS(bpf_xdp_attach_opts, opts, .old_prog_fd = old);

	if (old < 0)
		return bpf_xdp_attach((int)ifindex, prog, mode | XDP_FLAGS_UPDATE_IF_NOEXIST, NULL);
	return bpf_xdp_attach((int)ifindex, prog, mode | XDP_FLAGS_REPLACE, &opts);
}

static void xdp_attach(struct plane *p, uint32_t ifindex)
{
	int prog = bpf_program__fd(p->skel->progs.quell_member_xdp), old = -1, err;
	char name[IF_NAMESIZE], pin[32], fresh[32];
	uint32_t id, mode;

	name_of(ifindex, name);
	err = xdp_find(p, ifindex, &id, &mode, &old);
	if (!err && id && old < 0) {
		log_warning(LOG_BPF, "%s: another XDP program is there: not accelerated", name);
		return;
	}
	snprintf(pin, sizeof pin, "xdp_%u", ifindex);
	snprintf(fresh, sizeof fresh, "xdp_%u_new", ifindex);
	if (!err)
		err = bpf_dir_pin(p, prog, fresh);
	if (!err && old >= 0) {
		err = xdp_put(ifindex, prog, mode, old);
	} else if (!err) {
		/* A veth sends what XDP_TX gives it only if its other end has an XDP program too,
		 * and says nothing if it has none; the generic mode sends always. */
		err = is_veth(ifindex) ? -EOPNOTSUPP
				       : xdp_put(ifindex, prog, XDP_FLAGS_DRV_MODE, -1);
		if (err)
			err = xdp_put(ifindex, prog, XDP_FLAGS_SKB_MODE, -1);
	}
	if (!err)
		tags_in_band(ifindex);
	if (!err)
		err = bpf_dir_pin(p, prog, pin);
	bpf_dir_unpin(p, fresh);
	if (old >= 0)
		close(old);
	if (err)
		log_warning(LOG_BPF, "%s: no XDP here, not accelerated: %s", name, strerror(-err));
}

static bool xdp_pinned(struct plane *p, uint32_t ifindex)
{
	char pin[32];

	for (size_t i = 0; i < 2; i++) {
		snprintf(pin, sizeof pin, i ? "xdp_%u_new" : "xdp_%u", ifindex);
		int fd = bpf_dir_get(p, pin);
		if (fd == -ENOENT)
			continue;
		if (fd >= 0)
			close(fd);
		return true;
	}
	return false;
}

static void xdp_detach(struct plane *p, uint32_t ifindex)
{
	LIBBPF_OPTS(bpf_xdp_attach_opts, opts);
	uint32_t id, mode;
	char pin[32];
	int old = -1;

	/* To ask what hangs there costs the kernel a dump of all links. */
	if (!xdp_pinned(p, ifindex))
		return;
	snprintf(pin, sizeof pin, "xdp_%u", ifindex);
	if (!xdp_find(p, ifindex, &id, &mode, &old) && old >= 0) {
		opts.old_prog_fd = old;
		(void)bpf_xdp_detach((int)ifindex, mode, &opts);
		close(old);
	}
	bpf_dir_unpin(p, pin);
}

/* --- a port --- */

int bpf_attach(struct plane *p, uint32_t ifindex, enum layout_port_kind kind, bool xdp)
{
	int put = tc_attach(p, ifindex, kind);

	if (put < 0)
		return put;
	if (!xdp || kind != PORT_MEMBER)
		xdp_detach(p, ifindex);
	else if (put) /* else XDP was tried when those were put there */
		xdp_attach(p, ifindex);
	return put;
}

int bpf_detach(struct plane *p, uint32_t ifindex)
{
	xdp_detach(p, ifindex);
	tc_detach(ifindex);
	return 0;
}
