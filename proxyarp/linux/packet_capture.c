/* The packet plane's sockets: two captures a port, since a record does not tell its direction. Immediate mode, which is TPACKET_V2:
 * a block's time-out would cost an answer 0.9 ms. Answers, and what we send on, leave through the socket that captures the way
 * out, because a packet socket does not hear itself; its mark tells the gate that they are ours.
 *
 * Plain unicast data, a peering LAN's whole traffic, is filtered out in the kernel: see packet_gate.h for what is plain. The
 * filter is written out, since it has to be just what the gate says, and libpcap's language cannot be told to go on where a
 * frame is too short.
 */
#include "proxyarp/linux/packet_parts.h"

#include <errno.h>
#include <linux/filter.h>
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

static void on_frame(u_char *arg, const struct pcap_pkthdr *h, const u_char *octets)
{
	struct capture *c = (struct capture *)arg;

	packet_judge(c->port, c->dir, SOURCE_SOCKET, octets, h->caplen, h->len);
}

void packet_capture_close(struct capture *c)
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

int packet_capture_open(struct port *port)
{
	int r = port->out.pcap ? 0 : open_capture(&port->out);

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
