/* Putting the BPF plane's programs on interfaces, looking whether they are still there, and taking them off.
 *
 * tc: a clsact qdisc and one direct-action filter each way, at a priority and handle of our own, so
 * that putting it there again replaces it in place: there is no moment without a program. TCX would
 * be neater but is not in Debian 12's 6.1; filters of clsact outlive their loader just as well. An
 * operator's filters at other priorities are left alone. What others have put before ours, in clsact, TCX or XDP, may take
 * frames away from us: that cannot be repaired, so it is told.
 *
 * Called for each port every few seconds: while nothing has changed that is two dumps of a hook's filters and one
 * look at the link, on a socket that stays open.
 */
#include <errno.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
#define TCX_INGRESS 46		/* enum bpf_attach_type of 6.6 */

const char *bpf_name_of(uint32_t ifindex, char buf[IF_NAMESIZE])
{
	if (!if_indextoname(ifindex, buf))
		snprintf(buf, IF_NAMESIZE, "#%u", ifindex);
	return buf;
}

uint32_t bpf_program_id(int fd)
{
	struct bpf_prog_info info = {0};
	uint32_t len = sizeof info;

	return fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &len) ? 0 : info.id;
}

/* --- questions to rtnetlink --- */

int bpf_ask(struct plane *p, int type, int flags, void *body, size_t len,
	int (*row)(struct nl_msg *, void *), void *arg)
{
	int err = 0;

	if (!p->nl) {
		p->nl = nl_socket_alloc();
		if (!p->nl)
			return -ENOMEM;
		nl_socket_disable_auto_ack(p->nl);
		(void)nl_socket_enable_msg_peek(p->nl);
		err = nl_connect(p->nl, NETLINK_ROUTE);
	}
	if (!err)
		err = nl_socket_modify_cb(p->nl, NL_CB_VALID, NL_CB_CUSTOM, row, arg);
	if (!err)
		err = nl_send_simple(p->nl, type, flags, body, len);
	if (err >= 0)
		err = nl_recvmsgs_default(p->nl);
	if (err >= 0)
		return 0;
	nl_socket_free(p->nl); /* whatever else it was going to say */
	p->nl = NULL;
	return err == -NLE_NOMEM ? -ENOMEM : err == -NLE_NODEV || err == -NLE_OBJ_NOTFOUND ? -ENODEV : -EIO;
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

static uint32_t hook_parent(enum bpf_tc_attach_point way)
{
	return TC_H_MAKE(TC_H_CLSACT, way == BPF_TC_INGRESS ? TC_H_MIN_INGRESS : TC_H_MIN_EGRESS);
}

/* 0, or -errno; an interface or hook that is not there has no filters. */
static int filters_of(struct plane *p, uint32_t ifindex, enum bpf_tc_attach_point way, struct filters *f)
{
	struct tcmsg t = {
		.tcm_family = AF_UNSPEC, .tcm_ifindex = (int)ifindex, .tcm_parent = hook_parent(way)};
	int err;

	*f = (struct filters){0};
	err = bpf_ask(p, RTM_GETTFILTER, NLM_F_DUMP, &t, sizeof t, filters_row, f);
	return err == -ENOMEM ? err : 0;
}

/* Programs on TCX run before those of clsact. Kernels without it say so. */
static bool has_tcx(uint32_t ifindex, enum bpf_tc_attach_point way)
{
	uint32_t n = 0;

	return bpf_prog_query((int)ifindex,
		       (enum bpf_attach_type)(TCX_INGRESS + (way == BPF_TC_EGRESS)), 0, NULL, NULL, &n) == 0 &&
	       n > 0;
}

/* --- tc --- */

static const enum bpf_tc_attach_point ways[] = {BPF_TC_EGRESS, BPF_TC_INGRESS};

static int tc_put(uint32_t ifindex, enum bpf_tc_attach_point way, int prog)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)ifindex, .attach_point = way);
	LIBBPF_OPTS(bpf_tc_opts, opts, .prog_fd = prog, .flags = BPF_TC_F_REPLACE,
		.handle = FILTER_HANDLE, .priority = FILTER_PRIORITY);

	return bpf_tc_attach(&hook, &opts);
}

static void tc_take(uint32_t ifindex, enum bpf_tc_attach_point way)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)ifindex, .attach_point = way);
	LIBBPF_OPTS(bpf_tc_opts, opts, .handle = FILTER_HANDLE, .priority = FILTER_PRIORITY);

	(void)bpf_tc_detach(&hook, &opts); /* -ENOENT: not there */
}

/* The program for a way; NULL: none. */
static struct bpf_program *program_for(
	struct plane *p, enum layout_port_kind kind, enum bpf_tc_attach_point way)
{
	bool in = way == BPF_TC_INGRESS;

	switch (kind) {
	case PORT_UNDERLAY:
		return in ? p->skel->progs.quell_underlay_in : NULL;
	case PORT_FABRIC:
		return in ? p->skel->progs.quell_fabric_in : p->skel->progs.quell_fabric_out;
	default:
		return in ? p->skel->progs.quell_member_in : p->skel->progs.quell_member_out;
	}
}

static int clsact(uint32_t ifindex)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)ifindex,
		.attach_point = BPF_TC_INGRESS | BPF_TC_EGRESS);
	int err = bpf_tc_hook_create(&hook);
	char name[IF_NAMESIZE];

	if (!err || err == -EEXIST)
		return 0;
	if (err != -ENODEV)
		log_error(LOG_BPF, "%s: cannot make the clsact qdisc: %s", bpf_name_of(ifindex, name),
			strerror(-err));
	return err;
}

/* Out first: a frame that the ingress program lets flood carries the mark that the egress asks for, but until the egress
 * program is there others would reach the port. */
static int tc_attach(struct plane *p, struct bpf_port *port, enum layout_port_kind kind)
{
	bool made = false, put = false;
	char name[IF_NAMESIZE];
	int err = 0;

	port->before = false;
	for (size_t i = 0; i < 2 && !err; i++) {
		struct bpf_program *prog = program_for(p, kind, ways[i]);
		const char *word = ways[i] == BPF_TC_INGRESS ? "ingress" : "egress";
		struct filters f;

		if ((err = filters_of(p, port->ifindex, ways[i], &f)))
			break;
		port->before |= prog && (f.before || has_tcx(port->ifindex, ways[i]));
		if (!prog) {
			if (f.ours)
				tc_take(port->ifindex, ways[i]);
			continue;
		}
		if (f.taken) {
			log_error(LOG_BPF, "%s: priority %d on %s belongs to a filter that is not ours",
				bpf_name_of(port->ifindex, name), FILTER_PRIORITY, word);
			return -EEXIST;
		}
		if (f.ours && f.ours == bpf_program_id(bpf_program__fd(prog)))
			continue;
		err = made ? 0 : clsact(port->ifindex);
		made = true;
		if (err)
			return err;
		put = true;
		if ((err = tc_put(port->ifindex, ways[i], bpf_program__fd(prog))))
			log_error(LOG_BPF, "%s: cannot put the program on %s: %s",
				bpf_name_of(port->ifindex, name), word, strerror(-err));
	}
	return err ? err : put;
}

static void tc_detach(struct plane *p, uint32_t ifindex)
{
	LIBBPF_OPTS(bpf_tc_hook, qdisc, .ifindex = (int)ifindex,
		.attach_point = BPF_TC_INGRESS | BPF_TC_EGRESS);
	bool others = false;

	for (size_t i = 0; i < 2; i++) {
		struct filters f;

		if (filters_of(p, ifindex, ways[i], &f) || f.taken) {
			others = true;
			continue;
		}
		tc_take(ifindex, ways[i]);
		others |= f.others;
	}
	if (!others)
		(void)bpf_tc_hook_destroy(&qdisc);
}

/* --- a port --- */

static bool same_port(const void *entry, const void *key)
{
	return ((const struct bpf_port *)entry)->ifindex == *(const uint32_t *)key;
}

static uint64_t port_hash(uint32_t ifindex)
{
	return ifindex * 0x9e3779b97f4a7c15;
}

static struct bpf_port *port_of(struct plane *p, uint32_t ifindex)
{
	struct bpf_port *port;

	if (!p->attached.eq)
		hmap_init(&p->attached, same_port);
	port = hmap_get(&p->attached, port_hash(ifindex), &ifindex);
	if (port)
		return port;
	port = calloc(1, sizeof *port);
	if (port)
		port->ifindex = ifindex;
	if (port && hmap_add(&p->attached, port_hash(ifindex), port)) {
		free(port);
		port = NULL;
	}
	return port;
}

/* Once as it comes, once as it goes. */
static void tell_before(struct bpf_port *port)
{
	bool before = port->before || port->xdp_foreign;
	char name[IF_NAMESIZE];

	if (before == port->told_before)
		return;
	port->told_before = before;
	bpf_name_of(port->ifindex, name);
	if (before)
		log_warning(LOG_BPF,
			"%s: %s of others comes before ours: what it takes or drops is neither judged nor "
			"counted",
			name, port->xdp_foreign ? "an XDP program" : "a filter");
	else
		log_notice(LOG_BPF, "%s: nothing of others comes before ours any more", name);
}

int bpf_attach(struct plane *p, uint32_t ifindex, enum layout_port_kind kind, bool xdp)
{
	struct bpf_port *port = port_of(p, ifindex);
	int put, again;

	if (!port)
		return -ENOMEM;
	put = tc_attach(p, port, kind);
	if (put < 0)
		return put;
	again = bpf_xdp(p, port, xdp && kind == PORT_MEMBER, put);
	tell_before(port);
	bpf_old_attached(p, port, !put);
	port->known = true;
	return (put || again ? PLANE_PUT : 0) | (port->told_before ? PLANE_BEHIND : 0);
}

int bpf_detach(struct plane *p, uint32_t ifindex)
{
	bpf_xdp_detach_ours(p, ifindex);
	tc_detach(p, ifindex);
	if (p->attached.eq)
		free(hmap_del(&p->attached, port_hash(ifindex), &ifindex));
	return 0;
}

void bpf_attached_free(struct plane *p)
{
	struct bpf_port *port;

	hmap_foreach (&p->attached, port)
		free(port);
	hmap_free(&p->attached);
	if (p->nl)
		nl_socket_free(p->nl);
}
