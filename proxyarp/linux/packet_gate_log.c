/* What the gate tells: frames by NFLOG (nfnetlink_log), one message each, at once; and its counters, read by the list. */
#include "proxyarp/linux/packet_gate_parts.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_log.h>
#include <linux/netlink.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define RECEIVE_ROOM (4 << 20)
#define COUNTS_FRESH_NS 20000000ULL
#define HOOK_INGRESS 0

static int log_config(int fd, uint16_t type, const void *value, size_t len)
{
	struct {
		struct nlmsghdr h;
		struct nfgenmsg n;
		struct nlattr a;
		uint8_t value[8];
	} m = {
		.h = {.nlmsg_len = (uint32_t)(NLMSG_HDRLEN + sizeof m.n + NLA_HDRLEN + NLA_ALIGN(len)),
			.nlmsg_type = NFNL_SUBSYS_ULOG << 8 | NFULNL_MSG_CONFIG,
			.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK},
		.n = {.nfgen_family = 0, .version = NFNETLINK_V0, .res_id = __builtin_bswap16(LOG_GROUP)},
		.a = {.nla_len = (uint16_t)(NLA_HDRLEN + len), .nla_type = type},
	};
	struct {
		struct nlmsghdr h;
		struct nlmsgerr e;
		uint8_t more[256];
	} answer;

	memcpy(m.value, value, len);
	if (send(fd, &m, m.h.nlmsg_len, 0) < 0 || recv(fd, &answer, sizeof answer, 0) < (ssize_t)(NLMSG_HDRLEN + sizeof answer.e))
		return -errno;
	return answer.h.nlmsg_type == NLMSG_ERROR ? answer.e.error : -EPROTO;
}

int gate_log_open(void)
{
	const struct nfulnl_msg_config_cmd bind_cmd = {NFULNL_CFG_CMD_BIND};
	const struct nfulnl_msg_config_mode mode = {.copy_range = 0xffffffff, .copy_mode = NFULNL_COPY_PACKET};
	const uint32_t at_once = __builtin_bswap32(1);
	const int room = RECEIVE_ROOM;
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER), r;

	if (fd < 0)
		return -errno;
	r = log_config(fd, NFULA_CFG_CMD, &bind_cmd, sizeof bind_cmd);
	if (r == 0)
		r = log_config(fd, NFULA_CFG_MODE, &mode, sizeof mode);
	if (r == 0)
		r = log_config(fd, NFULA_CFG_QTHRESH, &at_once, sizeof at_once);
	if (r == 0 && setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room) < 0)
		r = -errno;
	if (r < 0) {
		close(fd);
		return r;
	}
	return fd;
}

int gate_fd(const struct gate *g)
{
	return g->log;
}

struct logged {
	uint32_t in, out;
	int hook;
	enum gate_why why;
	const uint8_t *header, *payload;
	size_t header_len, payload_len;
};

static void read_attribute(struct logged *l, uint16_t type, const uint8_t *p, size_t len)
{
	uint32_t v = 0;

	if (len >= 4)
		memcpy(&v, p, 4);
	switch (type & NLA_TYPE_MASK) {
	case NFULA_PACKET_HDR:
		l->hook = len >= sizeof(struct nfulnl_msg_packet_hdr) ? p[2] : -1;
		break;
	case NFULA_IFINDEX_INDEV:
		l->in = __builtin_bswap32(v);
		break;
	case NFULA_IFINDEX_OUTDEV:
		l->out = __builtin_bswap32(v);
		break;
	case NFULA_PREFIX:
		l->why = len ? (enum gate_why)p[0] : GATE_DROPPED;
		break;
	case NFULA_HWHEADER:
		l->header = p;
		l->header_len = len;
		break;
	case NFULA_PAYLOAD:
		l->payload = p;
		l->payload_len = len;
		break;
	}
}

static struct logged read_logged(const struct nlmsghdr *h)
{
	const uint8_t *p = (const uint8_t *)h + NLMSG_HDRLEN + NLMSG_ALIGN(sizeof(struct nfgenmsg));
	const uint8_t *end = (const uint8_t *)h + h->nlmsg_len;
	struct logged l = {.hook = -1, .why = GATE_DROPPED};

	while (end - p >= NLA_HDRLEN) {
		struct nlattr a;

		memcpy(&a, p, sizeof a);
		if (a.nla_len < NLA_HDRLEN || a.nla_len > end - p)
			break;
		read_attribute(&l, a.nla_type, p + NLA_HDRLEN, a.nla_len - NLA_HDRLEN);
		if (NLA_ALIGN(a.nla_len) >= end - p)
			break;
		p += NLA_ALIGN(a.nla_len);
	}
	return l;
}

unsigned gate_read(struct gate *g, void (*fn)(void *, uint32_t, enum frame_dir, enum gate_why, const uint8_t *, size_t), void *arg)
{
	unsigned lost = 0;

	for (int batch = 0; batch < 256; batch++) {
		ssize_t n = recv(g->log, g->message, sizeof g->message, MSG_DONTWAIT);

		if (n < 0 && errno == ENOBUFS) {
			lost++;
			continue;
		}
		if (n <= 0)
			break;
		for (size_t at = 0; at + NLMSG_HDRLEN <= (size_t)n;) {
			const struct nlmsghdr *h = (const void *)(g->message + at);

			if (h->nlmsg_len < NLMSG_HDRLEN || h->nlmsg_len > (size_t)n - at)
				break;
			at += NLMSG_ALIGN(h->nlmsg_len);
			if (h->nlmsg_type != (NFNL_SUBSYS_ULOG << 8 | NFULNL_MSG_PACKET))
				continue;
			struct logged l = read_logged(h);
			bool in = l.hook == HOOK_INGRESS;
			/* On the way in the kernel has the Ethernet header apart, on the way out before the rest. */
			size_t head = in && l.header_len == ETH_LEN ? ETH_LEN : 0;
			if (!l.payload || l.payload_len > FRAME_MAX || (in && !head))
				continue;
			if (head)
				memcpy(g->frame, l.header, head);
			memcpy(g->frame + head, l.payload, l.payload_len);
			fn(arg, in ? l.in : l.out, in ? DIR_IN : DIR_OUT, l.why, g->frame, head + l.payload_len);
		}
	}
	return lost;
}

static uint64_t clock_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000ULL + (uint64_t)ts.tv_nsec;
}

/* --- what it counts --- */

/* "counter c10i4 {", and on the next line "packets 3 bytes 180" */
static void read_counts(struct gate *g, const char *text)
{
	uint32_t ifindex = 0;
	char which[8] = "";

	for (const char *line = text; line && *line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL) {
		uint64_t packets, bytes;

		if (sscanf(line, " counter c%" SCNu32 "%2[a-z0-9]", &ifindex, which) == 2)
			continue;
		struct gate_port *p = gate_find_port(g, ifindex);
		if (!p || sscanf(line, " packets %" SCNu64 " bytes %" SCNu64, &packets, &bytes) != 2)
			continue;
		for (size_t i = 0; i < GATE_COUNTS; i++)
			if (strcmp(which, gate_count_names[i]) == 0)
				/* On the way in it counts without the Ethernet header. */
				p->counts[i] = (struct layout_counter){packets, bytes + (i < GATE_OUT4 ? ETH_LEN * packets : 0)};
	}
}

void gate_counts(struct gate *g, uint32_t ifindex, struct layout_counter ret[GATE_COUNTS])
{
	const struct gate_port *p = gate_find_port(g, ifindex);
	uint64_t now = clock_ns();

	memset(ret, 0, GATE_COUNTS * sizeof *ret);
	if (!p)
		return;
	if (now - g->counts_ns > COUNTS_FRESH_NS) {
		if (gate_run(g, "list counters table netdev quell") == 0 && g->said)
			read_counts(g, g->said);
		g->counts_ns = clock_ns();
	}
	memcpy(ret, p->counts, sizeof p->counts);
}
