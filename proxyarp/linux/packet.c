/* The packet plane: verdicts in user space on what libpcap shows of each port, for kernels without
 * BPF.
 *
 * A capture sees copies: it can answer, count and learn, and cannot drop. What it calls dropped is
 * dropped by the bridge, told so by the knobs of bridge.h and the static FDB entries. So, with
 * closed ports and these knobs set on every port of the bridge:
 *
 *   holds        unknown-target, own-target, free-probe, absorbed, hygiene, malformed, ns-option,
 * unknown-unicast of group-addressed and unknown frames: floods are off, they go nowhere but to the
 * bridge device itself. spoof-mac: `locked`. does not     spoof-ip, sender-mismatch, malformed and
 * hygiene of unicast frames between registered MACs, and tagged ones: counted and told, yet the
 * bridge delivers them. Quarantine: shut the port instead. flood_classes and unknown_target flood:
 * with the flood knobs on the bridge floods everything, not those alone. What the bridge device
 * itself sends (the PE's own MLD, NS, ARP) floods whatever the knobs say. Policing: port_set()
 * refuses it (-EOPNOTSUPP) rather than promise it.
 *
 * In is counted as judged, out as seen: what a capture shows leaving has left, so it is `delivered`
 * whatever verdict_out() would have said. Unicast IPv4 and IPv6 are filtered out in the kernel but
 * for neighbour discovery (a peering LAN's whole traffic would come up here), so the ledger has no
 * classes ipv4 and ipv6, and a MAC is not seen by its traffic alone. A frame too many for the ring
 * is lost to the ledger, and logged, not to the LAN.
 *
 * Two captures a port, since a record does not tell its direction. Immediate mode, which is
 * TPACKET_V2: a block's time-out would cost an answer 0.9 ms. Answers leave through the socket that
 * captures the way out, because a packet socket does not hear itself; they are counted when sent.
 * Nothing outlives the process: close(keep) keeps nothing, and a restart begins empty.
 */
#include <errno.h>
#include <net/if.h>
#include <pcap/pcap.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "lib/bucket.h"
#include "lib/log.h"
#include "lib/siphash.h"
#include "lib/text.h"
#include "proxyarp/plane.h"
#include "proxyarp/verdict.h"

#define SNAPLEN 512 /* a valid ND message is at most 256 octets of ICMPv6 */
#define RING_IN (512 << 10)
#define RING_OUT (256 << 10)
#define BATCH 256 /* frames of one capture a poll() */
#define LOSS_EVERY_NS 1000000000ULL

/* The same gates as the BPF plane's: see there. */
#define SEEN 8192
#define SEEN_NS 1000000000ULL
#define LEARN_RATE 256
#define SPOOF_RATE 16
#define ALL_RATE 16384
#define BURST_SEC 4

static const char wanted[] = "ether[0] & 1 = 1 or not (ip or ip6) or "
			     "(icmp6 and ip6[40] >= 133 and ip6[40] <= 137) or vlan";

struct capture {
	struct port *port;
	pcap_t *pcap;
	enum frame_dir dir;
	uint32_t lost;
};

struct port {
	struct port *next;
	struct plane *p;
	uint32_t ifindex;
	bool gone; /* taken off while its frames were being read */
	struct capture in, out;
	struct bucket learn, spoof;
};

struct seen_key {
	uint32_t lan, ifindex;
	uint8_t type, flags, mac[6], ip[16];
};

/* One place for a key: another one there only loses the memory of it. */
struct seen {
	struct seen_key k;
	uint64_t when_ns;
};

struct slot {
	struct layout_counter c[DIR_COUNT][CLASS_COUNT][OUTCOME_COUNT];
};

struct plane {
	struct tables t;
	struct port *ports;
	struct slot **slots;
	uint32_t slot_count;
	int epoll;
	int retry; /* a timer: runs while a port lacks a capture */
	bool polling;
	uint64_t now_ns, losses_ns;
	struct bucket all;
	struct seen *seen;
	struct log_limit log_loss, log_fault;
	void (*fn)(void *, const struct layout_event *);
	void *arg;
};

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000ULL + (uint64_t)ts.tv_nsec;
}

static struct port *find_port(const struct plane *p, uint32_t ifindex)
{
	for (struct port *port = p->ports; port; port = port->next)
		if (port->ifindex == ifindex && !port->gone)
			return port;
	return NULL;
}

/* --- the ledger and the events --- */

static void count(struct plane *p, uint32_t ifindex, enum frame_dir dir, enum frame_class cls,
	enum frame_outcome o, size_t octets)
{
	const struct layout_port *lp = tables_port(&p->t, ifindex);
	struct layout_counter *c;

	if (!lp)
		return;
	c = &p->slots[lp->slot]->c[dir][cls][o];
	c->frames++;
	c->octets += octets;
}

static void tell(struct plane *p, struct port *port, const struct layout_event *e)
{
	struct seen_key k;
	struct seen *s;

	memset(&k, 0, sizeof k);
	k.lan = e->lan;
	k.ifindex = e->ifindex;
	k.type = e->type;
	k.flags = e->flags;
	memcpy(k.mac, e->mac, sizeof k.mac);
	memcpy(k.ip, e->ip, sizeof k.ip);
	s = &p->seen[siphash(siphash_process_key(), &k, sizeof k) % SEEN];
	if (memcmp(&s->k, &k, sizeof k) == 0 && p->now_ns - s->when_ns < SEEN_NS)
		return;
	if (!bucket_take(e->type == EVENT_SPOOF ? &port->spoof : &port->learn, 1, p->now_ns) ||
		!bucket_take(&p->all, 1, p->now_ns))
		return;
	*s = (struct seen){k, p->now_ns};
	p->fn(p->arg, e);
}

/* --- frames --- */

static bool send_frame(const struct port *port, const uint8_t *frame, size_t len)
{
	ssize_t n =
		port->out.pcap ? send(pcap_fileno(port->out.pcap), frame, len, MSG_DONTWAIT) : -1;

	return n == (ssize_t)len;
}

static void frame_in(struct port *port, const struct verdict_input *in, size_t octets)
{
	struct plane *p = port->p;
	struct verdict v;

	verdict_in(&p->t, in, &v);
	if (v.answer_len && send_frame(port, v.answer, v.answer_len))
		count(p, port->ifindex, DIR_OUT, frame_classify(v.answer, v.answer_len, false),
			OUTCOME_ANSWER, v.answer_len);
	else if (v.answer_len)
		v.outcome = OUTCOME_ERROR;
	count(p, port->ifindex, DIR_IN, v.cls, v.outcome, octets);
	if (v.has_event)
		tell(p, port, &v.event);
	if (v.has_ask)
		tell(p, port, &v.ask);
}

static void on_frame(u_char *arg, const struct pcap_pkthdr *h, const u_char *octets)
{
	struct capture *c = (struct capture *)arg;
	struct port *port = c->port;
	const struct verdict_input in = {
		.frame = octets,
		.len = h->caplen,
		.ifindex = port->ifindex,
		.now_ns = port->p->now_ns,
	};

	if (c->dir == DIR_IN)
		frame_in(port, &in, h->len);
	else
		count(port->p, port->ifindex, DIR_OUT, frame_classify(octets, h->caplen, false),
			OUTCOME_DELIVERED, h->len);
}

/* --- captures --- */

static void close_capture(struct capture *c)
{
	if (!c->pcap)
		return;
	(void)epoll_ctl(c->port->p->epoll, EPOLL_CTL_DEL, pcap_get_selectable_fd(c->pcap), NULL);
	pcap_close(c->pcap);
	c->pcap = NULL;
}

static int errno_of(int status)
{
	switch (status) {
	case PCAP_ERROR_NO_SUCH_DEVICE:
		return -ENODEV;
	case PCAP_ERROR_PERM_DENIED:
	case PCAP_ERROR_PROMISC_PERM_DENIED:
		return -EPERM;
	case PCAP_ERROR_IFACE_NOT_UP:
		return -ENETDOWN;
	default:
		return -EIO;
	}
}

static int configure(pcap_t *pcap, enum frame_dir dir)
{
	struct bpf_program program;
	char err[PCAP_ERRBUF_SIZE];
	int r;

	if (pcap_set_snaplen(pcap, SNAPLEN) || pcap_set_immediate_mode(pcap, 1) ||
		pcap_set_buffer_size(pcap, dir == DIR_IN ? RING_IN : RING_OUT))
		return -EINVAL;
	r = pcap_activate(pcap);
	if (r < 0)
		return errno_of(r);
	if (pcap_datalink(pcap) != DLT_EN10MB)
		return -EPROTONOSUPPORT;
	if (pcap_setdirection(pcap, dir == DIR_IN ? PCAP_D_IN : PCAP_D_OUT) < 0 ||
		pcap_setnonblock(pcap, 1, err) < 0)
		return -EIO;
	if (pcap_compile(pcap, &program, wanted, 1, PCAP_NETMASK_UNKNOWN) < 0)
		return -EINVAL;
	r = pcap_setfilter(pcap, &program);
	pcap_freecode(&program);
	return r < 0 ? -EIO : 0;
}

static int open_capture(struct capture *c)
{
	struct epoll_event ev = {.events = EPOLLIN, .data.ptr = c};
	char err[PCAP_ERRBUF_SIZE], name[IF_NAMESIZE];
	pcap_t *pcap;
	int r;

	if (!if_indextoname(c->port->ifindex, name))
		return -ENODEV;
	pcap = pcap_create(name, err);
	if (!pcap)
		return -ENOMEM;
	r = configure(pcap, c->dir);
	if (r == 0 &&
		epoll_ctl(c->port->p->epoll, EPOLL_CTL_ADD, pcap_get_selectable_fd(pcap), &ev) < 0)
		r = -errno;
	if (r < 0) {
		pcap_close(pcap);
		return r;
	}
	c->pcap = pcap;
	c->lost = 0;
	return 0;
}

/* A port that is down cannot be captured on, and going down ends a capture: tried again every
 * second. */
static void retry_later(struct plane *p)
{
	const struct itimerspec every = {.it_interval = {.tv_sec = 1}, .it_value = {.tv_sec = 1}};

	(void)timerfd_settime(p->retry, 0, &every, NULL);
}

static int open_port(struct port *port)
{
	int r = port->out.pcap ? 0 : open_capture(&port->out);

	if (r == 0 && !port->in.pcap)
		r = open_capture(&port->in);
	return r;
}

static void retry(struct plane *p)
{
	const struct itimerspec never = {0};
	uint64_t expired;
	bool all = true;

	if (read(p->retry, &expired, sizeof expired) < 0)
		return;
	for (struct port *port = p->ports; port; port = port->next)
		all &= open_port(port) == 0;
	if (all)
		(void)timerfd_settime(p->retry, 0, &never, NULL);
}

static void capture_fault(struct capture *c)
{
	char text[128];
	const char *said = pcap_geterr(c->pcap);

	log_limited(&c->port->p->log_fault, c->port->p->now_ns / 1000000, LOG_PROXYARP,
		LOG_LEVEL_WARNING, "capture on interface %u ended: %s", c->port->ifindex,
		text_escape(text, sizeof text, said, strlen(said)));
	close_capture(c);
	retry_later(c->port->p);
}

static void read_losses(struct plane *p)
{
	uint64_t lost = 0;

	if (p->now_ns - p->losses_ns < LOSS_EVERY_NS)
		return;
	p->losses_ns = p->now_ns;
	for (struct port *port = p->ports; port; port = port->next) {
		struct capture *both[] = {&port->in, &port->out};

		for (int i = 0; i < 2; i++) {
			struct pcap_stat st;

			if (!both[i]->pcap || pcap_stats(both[i]->pcap, &st) < 0)
				continue;
			lost += st.ps_drop - both[i]->lost;
			both[i]->lost = st.ps_drop;
		}
	}
	if (lost)
		log_limited(&p->log_loss, p->now_ns / 1000000, LOG_PROXYARP, LOG_LEVEL_WARNING,
			"%llu frames came too fast to be answered or counted",
			(unsigned long long)lost);
}

/* --- the table of operations --- */

static void packet_close(struct plane *p, bool keep)
{
	struct port *port;

	(void)keep;
	while ((port = p->ports)) {
		p->ports = port->next;
		close_capture(&port->in);
		close_capture(&port->out);
		free(port);
	}
	for (uint32_t i = 0; p->slots && i < p->slot_count; i++)
		free(p->slots[i]);
	free(p->slots);
	free(p->seen);
	tables_free(&p->t);
	if (p->retry >= 0)
		close(p->retry);
	if (p->epoll >= 0)
		close(p->epoll);
	free(p);
}

static int packet_open(
	const char *dir, const struct plane_limits *l, struct plane **ret, bool *ret_adopted)
{
	struct plane *p = calloc(1, sizeof *p);
	struct epoll_event ev = {.events = EPOLLIN, .data.ptr = NULL};

	(void)dir;
	if (!p)
		return -ENOMEM;
	tables_init(&p->t, l->bindings4, l->bindings6, l->macs, l->ports, l->vteps);
	p->epoll = epoll_create1(EPOLL_CLOEXEC);
	p->retry = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	p->slot_count = l->ports;
	p->slots = calloc(l->ports, sizeof *p->slots);
	p->seen = calloc(SEEN, sizeof *p->seen);
	p->now_ns = now_ns();
	p->all = bucket_of(ALL_RATE, ALL_RATE * BURST_SEC, p->now_ns);
	p->log_loss = LOG_LIMIT(2, 10000);
	p->log_fault = LOG_LIMIT(5, 10000);
	if (p->epoll < 0 || p->retry < 0 || !p->slots || !p->seen ||
		epoll_ctl(p->epoll, EPOLL_CTL_ADD, p->retry, &ev) < 0) {
		packet_close(p, false);
		return -ENOMEM;
	}
	*ret = p;
	*ret_adopted = false;
	return 0;
}

static int packet_port_set(struct plane *p, uint32_t ifindex, const struct layout_port *v)
{
	if (v->slot >= p->slot_count)
		return -EINVAL;
	if (v->unknown_target == UNKNOWN_POLICE || v->policed[DIR_OUT])
		return -EOPNOTSUPP;
	if (!p->slots[v->slot] && !(p->slots[v->slot] = calloc(1, sizeof(struct slot))))
		return -ENOMEM;
	return tables_port_set(&p->t, ifindex, v);
}

static int packet_policer_set(struct plane *p, uint32_t slot, enum frame_dir dir,
	enum layout_police group, const struct layout_policer *v)
{
	(void)p;
	(void)slot;
	(void)dir;
	(void)group;
	return v && v->rate ? -EOPNOTSUPP : 0;
}

static int packet_port_attach(struct plane *p, uint32_t ifindex, bool xdp)
{
	struct port *port = find_port(p, ifindex);
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
			.learn = bucket_of(LEARN_RATE, LEARN_RATE * BURST_SEC, p->now_ns),
			.spoof = bucket_of(SPOOF_RATE, SPOOF_RATE * BURST_SEC, p->now_ns)};
		p->ports = port;
	}
	r = open_port(port);
	if (r != -ENETDOWN)
		return r;
	retry_later(p);
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
		close_capture(&port->in);
		close_capture(&port->out);
		free(port);
	}
}

static int packet_port_del(struct plane *p, uint32_t ifindex)
{
	struct port *port = find_port(p, ifindex);

	if (port)
		port->gone = true;
	if (!p->polling)
		reap(p);
	return tables_port_del(&p->t, ifindex);
}

static int packet_bind4_set(
	struct plane *p, const struct layout_key4 *k, const struct layout_bind *v)
{
	return tables_bind4_set(&p->t, k, v);
}

static int packet_bind4_del(struct plane *p, const struct layout_key4 *k)
{
	return tables_bind4_del(&p->t, k);
}

static int packet_bind6_set(
	struct plane *p, const struct layout_key6 *k, const struct layout_bind *v)
{
	return tables_bind6_set(&p->t, k, v);
}

static int packet_bind6_del(struct plane *p, const struct layout_key6 *k)
{
	return tables_bind6_del(&p->t, k);
}

static int packet_mac_set(
	struct plane *p, const struct layout_mac_key *k, const struct layout_mac *v)
{
	return tables_mac_set(&p->t, k, v);
}

static int packet_mac_del(struct plane *p, const struct layout_mac_key *k)
{
	return tables_mac_del(&p->t, k);
}

static int packet_vtep_set(struct plane *p, const struct layout_vtep_key *k)
{
	return tables_vtep_set(&p->t, k);
}

static int packet_vtep_del(struct plane *p, const struct layout_vtep_key *k)
{
	return tables_vtep_del(&p->t, k);
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

static int packet_counters(
	struct plane *p, uint32_t slot, struct layout_counter (*out)[CLASS_COUNT][OUTCOME_COUNT])
{
	if (slot >= p->slot_count)
		return -EINVAL;
	if (p->slots[slot])
		memcpy(out, p->slots[slot]->c, sizeof p->slots[slot]->c);
	else
		memset(out, 0, sizeof(struct slot));
	return 0;
}

static int packet_counters_zero(struct plane *p, uint32_t slot)
{
	if (slot >= p->slot_count)
		return -EINVAL;
	if (p->slots[slot])
		memset(p->slots[slot], 0, sizeof(struct slot));
	return 0;
}

static int packet_fd(struct plane *p)
{
	return p->epoll;
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
	for (int i = 0; i < n; i++) {
		struct capture *c = ready[i].data.ptr;

		p->now_ns = now_ns();
		if (!c)
			retry(p);
		else if (!c->port->gone && c->pcap &&
			 pcap_dispatch(c->pcap, BATCH, on_frame, (u_char *)c) < 0)
			capture_fault(c);
	}
	p->polling = false;
	reap(p);
	read_losses(p);
	return 0;
}

static int packet_send(struct plane *p, uint32_t ifindex, const uint8_t *frame, size_t len)
{
	struct port *port = find_port(p, ifindex);

	if (!port)
		return -ENOENT;
	if (!send_frame(port, frame, len))
		return -EIO;
	count(p, ifindex, DIR_OUT, frame_classify(frame, len, false), OUTCOME_PROBE, len);
	return 0;
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
	.counters_zero = packet_counters_zero,
	.fd = packet_fd,
	.poll = packet_poll,
	.send = packet_send,
};
