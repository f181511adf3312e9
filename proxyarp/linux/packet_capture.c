/* The packet plane's sockets: two captures a port, since a record does not tell its direction. Immediate mode, which is TPACKET_V2:
 * a block's time-out would cost an answer 0.9 ms. Answers, and what we send on, leave through a third socket that the second does
 * not hear; its mark tells the gate that they are ours.
 *
 * Plain unicast data, a peering LAN's whole traffic, is filtered out in the kernel: see packet_gate.h for what is plain. The
 * filter is written out, since it has to be just what the gate says, and libpcap's language cannot be told to go on where a
 * frame is too short.
 */
#include "proxyarp/linux/packet_parts.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "lib/text.h"

#define HEADERS 32   /* a VLAN tag, and what a driver may add */
#define SNAPLEN 1536 /* at least */
#define SNAPLEN_MAX 9234
#define RING_IN (2 << 20)
#define RING_OUT (256 << 10)
#define BATCH 256 /* frames of one capture a poll() */
#define LOSS_EVERY_NS 1000000000ULL

#define LOAD8(at) BPF_STMT(BPF_LD | BPF_B | BPF_ABS, at)
#define LOAD16(at) BPF_STMT(BPF_LD | BPF_H | BPF_ABS, at)
#define IF_EQ(value, yes, no) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, yes, no)
#define IF_GE(value, yes, no) BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, value, yes, no)
#define WANTED BPF_STMT(BPF_RET | BPF_K, 0xffffffff)
#define PLAIN BPF_STMT(BPF_RET | BPF_K, 0)

/* A load past the end of a frame ends the program with "plain", as it ends the gate's rule without a match. */
static const struct sock_filter program_of[] = {
	/* 0 */ BPF_STMT(BPF_LD | BPF_B | BPF_ABS, (uint32_t)(SKF_AD_OFF + SKF_AD_VLAN_TAG_PRESENT)),
	IF_EQ(0, 0, 31 - 2), /* tagged */
	LOAD8(0),
	BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 1, 31 - 4, 0), /* to a group */
	LOAD16(12),
	IF_EQ(0x0800, 2, 0),
	IF_EQ(0x86dd, 9, 0),
	WANTED,
	/* 8: IPv4: ICMP behind options, or of type 5, 9, 10 */
	LOAD8(14 + 9),
	IF_EQ(1, 0, 32 - 10),
	LOAD8(14),
	IF_EQ(0x45, 0, 31 - 12),
	LOAD8(14 + 20),
	IF_EQ(5, 31 - 14, 0),
	IF_EQ(9, 31 - 15, 0),
	IF_EQ(10, 31 - 16, 32 - 16),
	/* 16: IPv6: ICMPv6 of types 133 - 137; others behind extension headers, with hop limit 255 */
	LOAD8(14 + 6),
	IF_EQ(58, 10, 0),
	IF_EQ(0, 7, 0),
	IF_EQ(43, 6, 0),
	IF_EQ(44, 5, 0),
	IF_EQ(51, 4, 0),
	IF_EQ(60, 3, 0),
	IF_EQ(135, 2, 0),
	IF_EQ(139, 1, 0),
	IF_EQ(140, 0, 32 - 26),
	LOAD8(14 + 7),
	IF_EQ(255, 31 - 28, 32 - 28),
	/* 28 */ LOAD8(14 + 40),
	IF_GE(133, 0, 32 - 30),
	IF_GE(138, 32 - 31, 0),
	/* 31 */ WANTED,
	/* 32 */ PLAIN,
};

/* Where what a frame asks for stands, if it is an ARP request or an NS; what it really is, the verdict says. */
static struct ip asks_for(const uint8_t *frame, size_t len)
{
	if (len >= 42 && frame[12] == 0x08 && frame[13] == 0x06)
		return ip_v4(frame + 38);
	if (len >= 78 && frame[12] == 0x86 && frame[13] == 0xdd && frame[20] == 58)
		return ip_v6(frame + 62);
	return (struct ip){0};
}

/* In three passes, so that one frame's wait for memory is another's, too. */
static void judge_waiting(struct capture *c)
{
	struct plane *p = c->port->p;
	struct waiting *w = &p->waiting;
	const struct layout_port *lp = tables_port(&p->t, c->port->ifindex);
	uint64_t hashes[WAITING];
	uint8_t families[WAITING];

	for (unsigned i = 0; lp && w->count > 1 && i < w->count; i++) {
		struct ip ip = asks_for(w->frame[i], w->len[i]);
		families[i] = ip.family;
		if (ip.family)
			hashes[i] = tables_bind_slot_soon(&p->t, lp->lan, ip);
	}
	for (unsigned i = 0; lp && w->count > 1 && i < w->count; i++)
		if (families[i])
			tables_bind_soon(&p->t, families[i], hashes[i]);
	for (unsigned i = 0; i < w->count; i++)
		packet_judge(c->port, c->dir, SOURCE_SOCKET, w->frame[i], w->len[i], w->len[i]);
	w->count = 0;
}

static void on_frame(u_char *arg, const struct pcap_pkthdr *h, const u_char *octets)
{
	struct capture *c = (struct capture *)arg;
	struct waiting *w = &c->port->p->waiting;

	if (h->len > WAITING_LEN || h->caplen != h->len) {
		judge_waiting(c);
		packet_judge(c->port, c->dir, SOURCE_SOCKET, octets, h->caplen, h->len);
		return;
	}
	memcpy(w->frame[w->count], octets, h->len);
	w->len[w->count++] = (uint8_t)h->len;
	if (w->count == WAITING)
		judge_waiting(c);
}

void packet_capture_close(struct capture *c)
{
	if (!c->pcap)
		return;
	(void)epoll_ctl(c->port->p->epoll, EPOLL_CTL_DEL, pcap_get_selectable_fd(c->pcap), NULL);
	pcap_close(c->pcap);
	c->pcap = NULL;
	if (c->dir == DIR_OUT && c->port->sender >= 0) {
		close(c->port->sender);
		c->port->sender = -1;
	}
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

/* All of a frame is wanted: it may have to be sent on. */
static int longest(const char *name)
{
	struct ifreq ifr = {0};
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0), len = SNAPLEN;

	memcpy(ifr.ifr_name, name, strnlen(name, IF_NAMESIZE - 1));
	if (fd >= 0 && ioctl(fd, SIOCGIFMTU, &ifr) == 0 && ifr.ifr_mtu + HEADERS > len)
		len = ifr.ifr_mtu + HEADERS;
	if (fd >= 0)
		close(fd);
	return len < SNAPLEN_MAX ? len : SNAPLEN_MAX;
}

#define PROGRAM (sizeof program_of / sizeof program_of[0])

/* libpcap would have both directions copied to it, and look away in user space. */
static void make_filter(enum frame_dir dir, struct sock_filter ret[static PROGRAM + 2])
{
	const struct sock_filter plain = IF_EQ(PACKET_OUTGOING, dir == DIR_IN ? PROGRAM - 1 : 0, dir == DIR_IN ? 0 : PROGRAM - 1);

	ret[0] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_B | BPF_ABS, (uint32_t)(SKF_AD_OFF + SKF_AD_PKTTYPE));
	ret[1] = plain;
	memcpy(ret + 2, program_of, sizeof program_of);
}

static int configure(pcap_t *pcap, const char *name, enum frame_dir dir)
{
	struct sock_filter filter[PROGRAM + 2];
	const struct sock_fprog program = {.len = PROGRAM + 2, .filter = filter};
	const uint32_t mark = MARK_ANSWER, ignore = dir == DIR_IN;
	char err[PCAP_ERRBUF_SIZE];
	int r;

	make_filter(dir, filter);
	if (pcap_set_snaplen(pcap, longest(name)) || pcap_set_immediate_mode(pcap, 1) ||
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
	if (setsockopt(pcap_fileno(pcap), SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) < 0 ||
		setsockopt(pcap_fileno(pcap), SOL_SOCKET, SO_MARK, &mark, sizeof mark) < 0)
		return -errno;
	/* Or each answer is shown to the socket of the way in; not there before Linux 4.20. */
	(void)setsockopt(pcap_fileno(pcap), SOL_PACKET, PACKET_IGNORE_OUTGOING, &ignore, sizeof ignore);
	return 0;
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
	r = configure(pcap, name, c->dir);
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
void packet_retry_later(struct plane *p)
{
	const struct itimerspec every = {.it_interval = {.tv_sec = 1}, .it_value = {.tv_sec = 1}};

	(void)timerfd_settime(p->retry, 0, &every, NULL);
}

/* One fanout group in which everything is the first one's. */
static int join(int first, int second)
{
	const struct sock_filter to_first = BPF_STMT(BPF_RET | BPF_K, 0);
	const struct sock_fprog program = {.len = 1, .filter = (struct sock_filter *)&to_first};
	int group = (PACKET_FANOUT_CBPF | PACKET_FANOUT_FLAG_UNIQUEID) << 16;
	socklen_t len = sizeof group;

	if (setsockopt(first, SOL_PACKET, PACKET_FANOUT, &group, sizeof group) < 0 ||
		setsockopt(first, SOL_PACKET, PACKET_FANOUT_DATA, &program, sizeof program) < 0 ||
		getsockopt(first, SOL_PACKET, PACKET_FANOUT, &group, &len) < 0)
		return -errno;
	group = (group & 0xffff) | PACKET_FANOUT_CBPF << 16;
	return setsockopt(second, SOL_PACKET, PACKET_FANOUT, &group, sizeof group) < 0 ? -errno : 0;
}

/* A socket that somebody waits on looks for who waits whenever a frame of its is freed, which is a tenth of what an answer costs.
 * So what we send has one of its own; the capture must not hear that either, and of its own group it does not. */
static int open_sender(struct port *port)
{
	const struct sock_filter nothing = PLAIN;
	const struct sock_fprog program = {.len = 1, .filter = (struct sock_filter *)&nothing};
	const struct sockaddr_ll at = {
		.sll_family = AF_PACKET, .sll_ifindex = (int)port->ifindex, .sll_protocol = htons(ETH_P_ALL)};
	const uint32_t mark = MARK_ANSWER;
	int heard = pcap_fileno(port->out.pcap);
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) == 0 &&
		setsockopt(fd, SOL_SOCKET, SO_MARK, &mark, sizeof mark) == 0 &&
		bind(fd, (const struct sockaddr *)&at, sizeof at) == 0 && join(heard, fd) == 0)
		return fd;
	if (fd >= 0)
		close(fd);
	/* A kernel without such groups: then by the capture's own. */
	return fcntl(heard, F_DUPFD_CLOEXEC, 0);
}

int packet_capture_open(struct port *port)
{
	int r = port->out.pcap ? 0 : open_capture(&port->out);

	if (r == 0 && port->sender < 0)
		port->sender = open_sender(port);
	if (r == 0 && !port->in.pcap)
		r = open_capture(&port->in);
	return r;
}

static void capture_fault(struct capture *c)
{
	char text[128];
	const char *said = pcap_geterr(c->pcap);

	log_limited(&c->port->p->log_fault, c->port->p->now_ns / 1000000, LOG_PROXYARP,
		LOG_LEVEL_WARNING, "capture on interface %u ended: %s", c->port->ifindex,
		text_escape(text, sizeof text, said, strlen(said)));
	packet_capture_close(c);
	packet_retry_later(c->port->p);
}

void packet_capture_read(struct capture *c)
{
	int n = pcap_dispatch(c->pcap, BATCH, on_frame, (u_char *)c);

	judge_waiting(c);
	packet_answers_send(c->port);
	if (n < 0)
		capture_fault(c);
}

void packet_capture_losses(struct plane *p)
{
	uint64_t lost = p->lost;

	if (p->now_ns - p->losses_ns < LOSS_EVERY_NS)
		return;
	p->losses_ns = p->now_ns;
	p->lost = 0;
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
