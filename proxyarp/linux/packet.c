/* The packet plane: verdicts in user space, for kernels that load no BPF programs.
 *
 * Each port has sockets that hear what comes and goes (packet_capture.c), and a gate that holds it back (packet_gate.c): between
 * them the frames of which a peering LAN wants to know more than their addresses come up here, are judged (packet_judge.c), and
 * those that may go on are sent on by us. Members' own traffic passes in the kernel, which counts it.
 *
 * What differs from the BPF plane: nothing outlives the process (close(keep) keeps nothing, a restart begins empty, and after a
 * crash the ports are as the bridge's knobs leave them). What floods, or goes where the gate has no rule for, costs a turn through
 * user space; of what comes too fast, frames are lost to the ledger, and to nobody if they would have gone nowhere. What is for
 * the PE's own MAC passes the gate from a MAC of that port whatever address it speaks for, and the PE's own stack hears no
 * floods. In dry run the gate lets everything go: unicast-forward is one of the things that only would be, and what leaves a port
 * is counted as delivered, whatever would have become of it. A filter of others that stands before the gate is not looked for.
 *
 * Without nftables in the kernel, or a build without libnftables, there is no gate. What is called dropped is then dropped by the
 * bridge, told so by the knobs of bridge.h and the static FDB entries. So, with closed ports and these knobs set on every port:
 *
 *   holds      unknown-target, own-target, free-probe, absorbed, hygiene, malformed, ns-option, unknown-unicast of group-addressed
 *              and unknown frames: floods are off, they go nowhere but to the bridge device itself. spoof-mac: `locked`.
 *   does not   spoof-ip, sender-mismatch, malformed and hygiene of unicast frames between registered MACs, and tagged ones:
 *              counted and told, yet the bridge delivers them. Quarantine: shut the port instead. flood_classes and
 *              unknown_target flood: with the flood knobs on the bridge floods everything. What the bridge device itself sends
 *              floods whatever the knobs say. Policing and underlay ports: refused (-EOPNOTSUPP) rather than promised.
 *
 * and the ledger has no classes ipv4 and ipv6.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "proxyarp/linux/packet_parts.h"

/* The same gates as the BPF plane's: see there. */
static const uint32_t budget_rates[BUDGETS] = {[BUDGET_LEARN] = 256, [BUDGET_SPOOF] = 16, [BUDGET_ASK] = 128};
#define ALL_RATE 16384
#define BURST_SEC 4

/* At the end of the loop's turn: all that it changes goes at once, and nobody is told of it sooner. */
#define FLUSH_NS 1

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000ULL + (uint64_t)ts.tv_nsec;
}

struct port *packet_find_port(const struct plane *p, uint32_t ifindex)
{
	for (struct port *port = p->ports; port; port = port->next)
		if (port->ifindex == ifindex && !port->gone)
			return port;
	return NULL;
}

/* --- the table of operations --- */

static void packet_close(struct plane *p, bool keep)
{
	struct port *port;

	(void)keep;
	while ((port = p->ports)) {
		p->ports = port->next;
		packet_capture_close(&port->in);
		packet_capture_close(&port->out);
		free(port);
	}
	gate_close(p->gate);
	for (uint32_t i = 0; p->slots && i < p->slot_count; i++)
		free(p->slots[i]);
	free(p->slots);
	free(p->seen);
	tables_free(&p->t);
	if (p->retry >= 0)
		close(p->retry);
	if (p->flush >= 0)
		close(p->flush);
	if (p->epoll >= 0)
		close(p->epoll);
	free(p);
}

static bool watch(const struct plane *p, int fd, const void *what)
{
	struct epoll_event ev = {.events = EPOLLIN, .data.ptr = (void *)(uintptr_t)what};

	return fd >= 0 && epoll_ctl(p->epoll, EPOLL_CTL_ADD, fd, &ev) == 0;
}

static int packet_open(
	const char *dir, const struct plane_limits *l, struct plane **ret, bool *ret_adopted)
{
	struct plane *p = calloc(1, sizeof *p);

	(void)dir;
	if (!p)
		return -ENOMEM;
	tables_init(&p->t, l->bindings4, l->bindings6, l->macs, l->ports, l->vteps);
	p->epoll = epoll_create1(EPOLL_CLOEXEC);
	p->retry = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	p->flush = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	p->slot_count = l->ports;
	p->slots = calloc(l->ports, sizeof *p->slots);
	p->seen = calloc(SEEN, sizeof *p->seen);
	p->now_ns = now_ns();
	for (int i = 0; i < BUDGETS; i++)
		p->budget[i] = bucket_of(ALL_RATE, ALL_RATE * BURST_SEC, p->now_ns);
	p->log_loss = LOG_LIMIT(2, 10000);
	p->log_fault = LOG_LIMIT(5, 10000);
	if (p->epoll < 0 || !p->slots || !p->seen || !watch(p, p->retry, &p->retry) || !watch(p, p->flush, &p->flush)) {
		packet_close(p, false);
		return -ENOMEM;
	}
	/* Without one it is as packet.c's head says. */
	if (gate_open(&p->t, &p->gate) == 0 && !watch(p, gate_fd(p->gate), &p->gate)) {
		packet_close(p, false);
		return -ENOMEM;
	}
	*ret = p;
	*ret_adopted = false;
	return 0;
}

/* What is queued for the gate goes at the next poll(). */
static void flush_soon(struct plane *p)
{
	const struct itimerspec soon = {.it_value = {.tv_nsec = FLUSH_NS}};

	if (!p->gate || p->polling || p->flushing || !gate_dirty(p->gate))
		return;
	p->flushing = true;
	(void)timerfd_settime(p->flush, 0, &soon, NULL);
}

static struct slot *slot(struct plane *p, uint32_t i)
{
	if (i < p->slot_count && !p->slots[i])
		p->slots[i] = calloc(1, sizeof(struct slot));
	return i < p->slot_count ? p->slots[i] : NULL;
}

static int packet_port_set(struct plane *p, uint32_t ifindex, const struct layout_port *v)
{
	if (v->slot >= p->slot_count)
		return -ENOSPC;
	if (!p->gate && (v->unknown_target == UNKNOWN_POLICE || v->policed[DIR_OUT] || v->kind == PORT_UNDERLAY))
		return -EOPNOTSUPP;
	if (!slot(p, v->slot))
		return -ENOMEM;
	int r = tables_port_set(&p->t, ifindex, v);
	if (r == 0 && p->gate)
		gate_port_set(p->gate, ifindex, v);
	flush_soon(p);
	return r;
}

static int packet_policer_set(struct plane *p, uint32_t i, enum frame_dir dir,
	enum layout_police group, const struct layout_policer *v)
{
	struct slot *s = slot(p, i);
	struct layout_policer conf = v ? *v : (struct layout_policer){0};

	if (!s)
		return i < p->slot_count ? -ENOMEM : -ENOSPC;
	if (!p->gate && conf.rate)
		return -EOPNOTSUPP;
	struct policer *police = &s->police[dir][group];
	if (memcmp(&police->conf, &conf, sizeof conf) == 0)
		return 0;
	uint64_t burst = conf.unit == UNIT_PACKETS ? conf.burst : conf.burst * 8ULL;
	*police = (struct policer){conf, bucket_of(conf.rate, burst ? burst : 1, now_ns())};
	return 0;
}

static int packet_port_attach(struct plane *p, uint32_t ifindex, bool xdp)
{
	struct port *port = packet_find_port(p, ifindex);
	int r;

	(void)xdp; /* an accelerator of the other plane */
	if (!tables_port(&p->t, ifindex))
		return -ENOENT;
	if (!port) {
		port = calloc(1, sizeof *port);
		if (!port)
			return -ENOMEM;
		*port = (struct port){.next = p->ports,
			.p = p,
			.ifindex = ifindex,
			.in = {.port = port, .dir = DIR_IN},
			.out = {.port = port, .dir = DIR_OUT},
			.sender = -1};
		for (int i = 0; i < BUDGETS; i++)
			port->budget[i] = bucket_of(budget_rates[i], budget_rates[i] * BURST_SEC, p->now_ns);
		p->ports = port;
	}
	r = p->gate ? gate_attach(p->gate, ifindex) : 0;
	if (r == 0)
		r = packet_capture_open(port);
	if (r != -ENETDOWN)
		return r;
	packet_retry_later(p);
	return 0;
}

static void reap(struct plane *p)
{
	struct port **at = &p->ports, *port;

	while ((port = *at)) {
		if (!port->gone) {
			at = &port->next;
			continue;
		}
		*at = port->next;
		packet_capture_close(&port->in);
		packet_capture_close(&port->out);
		free(port);
	}
}

static int packet_port_del(struct plane *p, uint32_t ifindex)
{
	struct port *port = packet_find_port(p, ifindex);

	if (port)
		port->gone = true;
	if (!p->polling)
		reap(p);
	int r = tables_port_del(&p->t, ifindex);
	if (p->gate)
		gate_port_del(p->gate, ifindex);
	return r;
}

static void sponge(struct plane *p, uint32_t lan, struct ip ip, bool was, bool is)
{
	if (!p->gate)
		return;
	gate_sponge(p->gate, lan, ip, was, is);
	flush_soon(p);
}

static int packet_bind4_set(
	struct plane *p, const struct layout_key4 *k, const struct layout_bind *v)
{
	const struct layout_bind *had = tables_bind4(&p->t, k->lan, k->ip);
	bool was = had && had->flags & BIND_SPONGE;
	int r = tables_bind4_set(&p->t, k, v);

	if (r == 0)
		sponge(p, k->lan, ip_v4(k->ip), was, v->flags & BIND_SPONGE);
	return r;
}

static int packet_bind4_del(struct plane *p, const struct layout_key4 *k)
{
	const struct layout_bind *had = tables_bind4(&p->t, k->lan, k->ip);

	sponge(p, k->lan, ip_v4(k->ip), had && had->flags & BIND_SPONGE, false);
	return tables_bind4_del(&p->t, k);
}

static int packet_bind6_set(
	struct plane *p, const struct layout_key6 *k, const struct layout_bind *v)
{
	const struct layout_bind *had = tables_bind6(&p->t, k->lan, k->ip);
	bool was = had && had->flags & BIND_SPONGE;
	int r = tables_bind6_set(&p->t, k, v);

	if (r == 0)
		sponge(p, k->lan, ip_v6(k->ip), was, v->flags & BIND_SPONGE);
	return r;
}

static int packet_bind6_del(struct plane *p, const struct layout_key6 *k)
{
	const struct layout_bind *had = tables_bind6(&p->t, k->lan, k->ip);

	sponge(p, k->lan, ip_v6(k->ip), had && had->flags & BIND_SPONGE, false);
	return tables_bind6_del(&p->t, k);
}

static int packet_mac_set(
	struct plane *p, const struct layout_mac_key *k, const struct layout_mac *v)
{
	const struct layout_mac *had = tables_mac(&p->t, k->lan, k->mac);
	struct layout_mac was = had ? *had : (struct layout_mac){0};
	int r = tables_mac_set(&p->t, k, v);

	if (r == 0 && p->gate) {
		gate_mac(p->gate, k, had ? &was : NULL, v);
		flush_soon(p);
	}
	return r;
}

static int packet_mac_del(struct plane *p, const struct layout_mac_key *k)
{
	const struct layout_mac *had = tables_mac(&p->t, k->lan, k->mac);

	if (had && p->gate) {
		gate_mac(p->gate, k, had, NULL);
		flush_soon(p);
	}
	return tables_mac_del(&p->t, k);
}

static int packet_vtep_set(struct plane *p, const struct layout_vtep_key *k)
{
	bool was = tables_vtep_is(&p->t, k);
	int r = tables_vtep_set(&p->t, k);

	if (r == 0 && !was && p->gate) {
		gate_vtep(p->gate, k, true);
		flush_soon(p);
	}
	return r;
}

static int packet_vtep_del(struct plane *p, const struct layout_vtep_key *k)
{
	bool was = tables_vtep_is(&p->t, k);

	tables_vtep_del(&p->t, k);
	if (was && p->gate) {
		gate_vtep(p->gate, k, false);
		flush_soon(p);
	}
	return 0;
}

static void packet_bind4_each(struct plane *p,
	void (*fn)(void *, const struct layout_key4 *, const struct layout_bind *), void *arg)
{
	struct table_bind4 *e;

	hmap_foreach (&p->t.bind4, e)
		fn(arg, &e->k, &e->v);
}

static void packet_bind6_each(struct plane *p,
	void (*fn)(void *, const struct layout_key6 *, const struct layout_bind *), void *arg)
{
	struct table_bind6 *e;

	hmap_foreach (&p->t.bind6, e)
		fn(arg, &e->k, &e->v);
}

static void packet_mac_each(struct plane *p,
	void (*fn)(void *, const struct layout_mac_key *, const struct layout_mac *), void *arg)
{
	struct table_mac *e;

	hmap_foreach (&p->t.macs, e)
		fn(arg, &e->k, &e->v);
}

static void packet_port_each(
	struct plane *p, void (*fn)(void *, uint32_t, const struct layout_port *), void *arg)
{
	struct table_port *e;

	hmap_foreach (&p->t.ports, e)
		fn(arg, e->ifindex, &e->v);
}

/* Where the gate's counts stand in the ledger. */
static const struct {
	enum frame_dir dir;
	enum frame_class cls;
	enum frame_outcome o;
} gate_rows[GATE_COUNTS] = {
	[GATE_IN4] = {DIR_IN, CLASS_IP4_UNICAST, OUTCOME_FORWARDED},
	[GATE_IN6] = {DIR_IN, CLASS_IP6_UNICAST, OUTCOME_FORWARDED},
	[GATE_LOCAL4] = {DIR_IN, CLASS_IP4_UNICAST, OUTCOME_LOCAL},
	[GATE_LOCAL6] = {DIR_IN, CLASS_IP6_UNICAST, OUTCOME_LOCAL},
	[GATE_OUT4] = {DIR_OUT, CLASS_IP4_UNICAST, OUTCOME_DELIVERED},
	[GATE_OUT6] = {DIR_OUT, CLASS_IP6_UNICAST, OUTCOME_DELIVERED},
};

static bool has_slot(const struct port *port, uint32_t i)
{
	const struct layout_port *lp = tables_port(&port->p->t, port->ifindex);

	return lp && lp->slot == i && !port->gone;
}

static int packet_counters(
	struct plane *p, uint32_t i, struct layout_counter (*out)[CLASS_COUNT][OUTCOME_COUNT])
{
	struct layout_counter kernel[GATE_COUNTS];

	if (i >= p->slot_count)
		return -EINVAL;
	if (!p->slots[i]) {
		memset(out, 0, sizeof p->slots[i]->c);
		return 0;
	}
	memcpy(out, p->slots[i]->c, sizeof p->slots[i]->c);
	for (struct port *port = p->ports; port && p->gate; port = port->next) {
		if (!has_slot(port, i))
			continue;
		gate_counts(p->gate, port->ifindex, kernel);
		for (int k = 0; k < GATE_COUNTS; k++) {
			struct layout_counter *c = &out[gate_rows[k].dir][gate_rows[k].cls][gate_rows[k].o];
			c->frames += kernel[k].frames - port->base[k].frames;
			c->octets += kernel[k].octets - port->base[k].octets;
		}
	}
	return 0;
}

static int packet_would_each(struct plane *p, uint32_t i,
	void (*fn)(void *, enum frame_dir, enum frame_class, enum frame_outcome, const struct layout_counter *), void *arg)
{
	if (i >= p->slot_count)
		return -EINVAL;
	for (int d = 0; p->slots[i] && d < DIR_COUNT; d++)
		for (int c = 0; c < CLASS_COUNT; c++)
			for (int o = 0; o < OUTCOME_COUNT; o++)
				if (p->slots[i]->would[d][c][o].frames)
					fn(arg, (enum frame_dir)d, (enum frame_class)c, (enum frame_outcome)o,
						&p->slots[i]->would[d][c][o]);
	return 0;
}

static int packet_counters_zero(struct plane *p, uint32_t i)
{
	if (i >= p->slot_count)
		return -EINVAL;
	if (p->slots[i]) {
		memset(p->slots[i]->c, 0, sizeof p->slots[i]->c);
		memset(p->slots[i]->would, 0, sizeof p->slots[i]->would);
	}
	for (struct port *port = p->ports; port && p->gate; port = port->next)
		if (has_slot(port, i))
			gate_counts(p->gate, port->ifindex, port->base);
	return 0;
}

static int packet_fd(struct plane *p)
{
	return p->epoll;
}

static void retry(struct plane *p)
{
	const struct itimerspec never = {0};
	uint64_t expired;
	bool all = true;

	if (read(p->retry, &expired, sizeof expired) < 0)
		return;
	for (struct port *port = p->ports; port; port = port->next)
		all &= packet_capture_open(port) == 0;
	if (all)
		(void)timerfd_settime(p->retry, 0, &never, NULL);
}

static void on_gate(void *arg, uint32_t ifindex, enum frame_dir dir, enum gate_why why, const uint8_t *frame, size_t len)
{
	struct port *port = packet_find_port(arg, ifindex);

	if (port)
		packet_judge(port, dir,
			why == GATE_TOLD     ? SOURCE_COPY
			: why == GATE_WOULD ? SOURCE_WOULD
					     : SOURCE_GATE,
			frame, len, len);
}

static void turn(struct plane *p, void *what)
{
	uint64_t expired;

	p->now_ns = now_ns();
	if (what == &p->retry) {
		retry(p);
	} else if (what == &p->flush) {
		(void)!read(p->flush, &expired, sizeof expired);
	} else if (what == &p->gate) {
		p->lost += gate_read(p->gate, on_gate, p);
	} else {
		struct capture *c = what;
		if (!c->port->gone && c->pcap)
			packet_capture_read(c);
	}
}

static int packet_poll(struct plane *p, void (*fn)(void *, const struct layout_event *), void *arg)
{
	struct epoll_event ready[64];
	int n = epoll_wait(p->epoll, ready, 64, 0);

	if (n < 0)
		return errno == EINTR ? 0 : -errno;
	p->fn = fn;
	p->arg = arg;
	p->polling = true;
	p->flushing = false;
	for (int i = 0; i < n; i++)
		turn(p, ready[i].data.ptr);
	p->polling = false;
	reap(p);
	packet_capture_losses(p);
	return p->gate ? gate_flush(p->gate) : 0;
}

static int packet_send(struct plane *p, uint32_t ifindex, const uint8_t *frame, size_t len)
{
	struct port *port = packet_find_port(p, ifindex);

	if (!port)
		return -ENOENT;
	return packet_send_counted(port, frame, len, OUTCOME_PROBE) ? 0 : -EIO;
}

const struct plane_ops plane_packet = {
	.name = "packet",
	.open = packet_open,
	.close = packet_close,
	.port_set = packet_port_set,
	.policer_set = packet_policer_set,
	.port_attach = packet_port_attach,
	.port_del = packet_port_del,
	.bind4_set = packet_bind4_set,
	.bind4_del = packet_bind4_del,
	.bind6_set = packet_bind6_set,
	.bind6_del = packet_bind6_del,
	.mac_set = packet_mac_set,
	.mac_del = packet_mac_del,
	.vtep_set = packet_vtep_set,
	.vtep_del = packet_vtep_del,
	.bind4_each = packet_bind4_each,
	.bind6_each = packet_bind6_each,
	.mac_each = packet_mac_each,
	.port_each = packet_port_each,
	.counters = packet_counters,
	.would_each = packet_would_each,
	.counters_zero = packet_counters_zero,
	.fd = packet_fd,
	.poll = packet_poll,
	.send = packet_send,
};
