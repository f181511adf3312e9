/* The lab's measuring member: counts every frame that arrives at one interface, by class, from an
 * AF_PACKET socket that stands before the kernel's own stack and sees what the wire delivered.
 *
 * It is the independent side of the ledger: what the agent's egress program says it delivered to a
 * port, this counts behind the port. Frames are told apart by whose they are: `own` (to the
 * interface's own MAC), `group` (broadcast and multicast), `other` (unicast to a MAC of somebody
 * else), and `out` (sent by the member itself).
 *
 * `span` is the time in seconds from the first frame to the last.
 *
 * Prints a line "ready" once it sees, then one JSON object a line: at each SIGUSR1, and at the end
 * (SIGTERM, SIGINT or
 * --seconds). With --registry FILE (lines of "MAC IPv4 IPv6") every ARP reply and every NA that arrives is held against
 * it: `wrong` counts those that name another MAC for an address that is in it. `lost` counts frames that the socket had no room for; a measurement is good only when
 * it is 0. With --pcap FILE all that is counted is written there too, for `quell audit`: the very frames, so that two who count
 * can be held against each other.
 */
#define _GNU_SOURCE /* ppoll */

#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "lib/ip.h"
#include "lib/mac.h"
#include "proxyarp/verdict.h"

#define BUFFER_OCTETS (64 << 20)

enum whose { OWN, GROUP, OTHER, OUT, WHOSE_COUNT };
static const char *const whose_names[] = {"own", "group", "other", "out"};

static struct {
	uint64_t frames, octets;
} counted[WHOSE_COUNT][CLASS_COUNT];

static struct entry {
	struct mac mac;
	struct ip ip4, ip6;
} * registry;
static size_t entries;

static FILE *capture;
static struct timespec first, last; /* of the frames */
static uint64_t lost, wrong;
static struct mac own;
static volatile sig_atomic_t stop, report;

static void on_signal(int sig)
{
	if (sig == SIGUSR1)
		report = 1;
	else
		stop = 1;
}

static void die(const char *what)
{
	fprintf(stderr, "count: %s: %s\n", what, strerror(errno));
	exit(1);
}

static int open_socket(const char *iface, bool out)
{
	/* Protocol 0 until bind(): a socket that hears everything hears other interfaces before it.
	 */
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		die("socket");
	struct ifreq ifr = {0};
	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", iface);
	if (ioctl(fd, SIOCGIFHWADDR, &ifr))
		die(iface);
	memcpy(own.b, ifr.ifr_hwaddr.sa_data, 6);
	if (ioctl(fd, SIOCGIFINDEX, &ifr))
		die(iface);
	struct sockaddr_ll at = {.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_ALL),
		.sll_ifindex = ifr.ifr_ifindex};
	struct packet_mreq promiscuous = {
		.mr_ifindex = ifr.ifr_ifindex, .mr_type = PACKET_MR_PROMISC};
	int one = 1, size = BUFFER_OCTETS;
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)))
		die("SO_RCVBUFFORCE");
	if (setsockopt(fd, SOL_PACKET, PACKET_AUXDATA, &one, sizeof(one)))
		die("PACKET_AUXDATA");
	if (setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &one, sizeof(one)))
		die("SO_TIMESTAMPNS");
	if (!out && setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &one, sizeof(one)))
		die("PACKET_IGNORE_OUTGOING");
	if (setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &promiscuous, sizeof(promiscuous)))
		die("PACKET_MR_PROMISC");
	if (bind(fd, (struct sockaddr *)&at, sizeof(at)))
		die("bind");
	return fd;
}

/* What comes with a frame: its length on the wire, the tag that the kernel took off, and when. */
struct beside {
	struct tpacket_auxdata aux;
	struct timespec at;
};

static struct beside read_beside(struct msghdr *m, size_t have)
{
	struct beside b = {.aux = {.tp_len = (uint32_t)have}};

	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		if (c->cmsg_level == SOL_PACKET && c->cmsg_type == PACKET_AUXDATA)
			memcpy(&b.aux, CMSG_DATA(c), sizeof(b.aux));
		else if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMPNS)
			memcpy(&b.at, CMSG_DATA(c), sizeof(b.at));
	}
	return b;
}

/* --- the capture: pcap with nanoseconds, Ethernet --- */

static void open_capture(const char *path)
{
	const uint32_t head[6] = {0xa1b23c4d, 4 << 16 | 2, 0, 0, 65536, 1};

	capture = fopen(path, "we");
	if (!capture || fwrite(head, sizeof(head), 1, capture) != 1)
		die(path);
}

static void capture_one(const uint8_t *frame, size_t have, const struct beside *b)
{
	bool tagged = b->aux.tp_status & TP_STATUS_VLAN_VALID && have >= 12;
	uint16_t tpid = b->aux.tp_status & TP_STATUS_VLAN_TPID_VALID ? b->aux.tp_vlan_tpid : ETHERTYPE_VLAN;
	const uint16_t tag[2] = {htons(tpid), htons(b->aux.tp_vlan_tci)};
	uint32_t more = tagged ? sizeof(tag) : 0;
	const uint32_t head[4] = {(uint32_t)b->at.tv_sec, (uint32_t)b->at.tv_nsec, (uint32_t)have + more,
		b->aux.tp_len + more};

	fwrite(head, sizeof(head), 1, capture);
	fwrite(frame, tagged ? 12 : have, 1, capture);
	if (tagged) {
		fwrite(tag, sizeof(tag), 1, capture);
		fwrite(frame + 12, have - 12, 1, capture);
	}
}

static void read_registry(const char *path)
{
	char mac[64], ip4[64], ip6[64];
	FILE *f = fopen(path, "re");

	if (!f)
		die(path);
	while (fscanf(f, "%63s %63s %63s", mac, ip4, ip6) == 3) {
		struct entry e = {0};

		registry = realloc(registry, (entries + 1) * sizeof(*registry));
		if (!registry || mac_parse(mac, &e.mac) || ip_parse(ip4, &e.ip4) ||
			ip_parse(ip6, &e.ip6)) {
			errno = EINVAL;
			die(path);
		}
		registry[entries++] = e;
	}
	fclose(f);
}

/* Whether an answer names another MAC than the registry does. An NA without its option names the frame's source. */
static bool names_another(const uint8_t *f, size_t len)
{
	bool arp = len >= 42 && f[12] == 8 && f[13] == 6 && f[21] == 2;
	bool na = len >= 78 && f[12] == 0x86 && f[13] == 0xdd && f[20] == 58 && f[54] == 136;
	const uint8_t *mac = arp ? f + 22 : na && len >= 86 && f[78] == 2 ? f + 80 : f + 6;

	for (size_t i = 0; i < entries && (arp || na); i++) {
		const struct entry *e = &registry[i];

		if (arp ? !memcmp(f + 28, e->ip4.b, 4) : !memcmp(f + 62, e->ip6.b, 16))
			return memcmp(mac, e->mac.b, 6);
	}
	return false;
}

static void count_one(const uint8_t *frame, size_t have, size_t len, bool tagged, bool outgoing)
{
	enum frame_class cls = frame_classify(frame, have, tagged);
	struct mac to = {{0}};
	if (have >= 6)
		memcpy(to.b, frame, 6);
	enum whose w = outgoing ? OUT : mac_is_group(to) ? GROUP : mac_eq(to, own) ? OWN : OTHER;
	if (!outgoing && entries && names_another(frame, have))
		wrong++;
	counted[w][cls].frames++;
	counted[w][cls].octets += len;
}

static void drain(int fd)
{
	static uint8_t frame[65536];
	for (;;) {
		uint8_t control[CMSG_SPACE(sizeof(struct tpacket_auxdata)) + CMSG_SPACE(sizeof(struct timespec))];
		struct sockaddr_ll from;
		struct iovec iov = {.iov_base = frame, .iov_len = sizeof(frame)};
		struct msghdr m = {.msg_name = &from,
			.msg_namelen = sizeof(from),
			.msg_iov = &iov,
			.msg_iovlen = 1,
			.msg_control = control,
			.msg_controllen = sizeof(control)};
		ssize_t have = recvmsg(fd, &m, 0);
		if (have < 0)
			return;
		struct beside b = read_beside(&m, (size_t)have);
		first = first.tv_sec ? first : b.at;
		last = b.at;
		count_one(frame, (size_t)have, b.aux.tp_len, b.aux.tp_status & TP_STATUS_VLAN_VALID,
			from.sll_pkttype == PACKET_OUTGOING);
		if (capture)
			capture_one(frame, (size_t)have, &b);
	}
}

static void print_report(int fd, double seconds)
{
	struct tpacket_stats s = {0};
	getsockopt(fd, SOL_PACKET, PACKET_STATISTICS, &s, &(socklen_t){sizeof(s)});
	lost += s.tp_drops;
	printf("{\"seconds\": %.3f, \"span\": %.6f, \"lost\": %" PRIu64 ", \"wrong\": %" PRIu64, seconds,
		(double)(last.tv_sec - first.tv_sec) + (double)(last.tv_nsec - first.tv_nsec) / 1e9, lost, wrong);
	for (int w = 0; w < WHOSE_COUNT; w++) {
		const char *sep = "";
		printf(", \"%s\": {", whose_names[w]);
		for (int c = 0; c < CLASS_COUNT; c++) {
			if (!counted[w][c].frames)
				continue;
			printf("%s\"%s\": [%" PRIu64 ", %" PRIu64 "]", sep,
				class_name((enum frame_class)c), counted[w][c].frames,
				counted[w][c].octets);
			sep = ", ";
		}
		printf("}");
	}
	/* What is told is also in the capture. */
	if (capture && fflush(capture))
		die("capture");
	printf("}\n");
	fflush(stdout);
}

static double now_sec(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
	static const struct option longs[] = {{"iface", 1, NULL, 'i'}, {"seconds", 1, NULL, 's'},
		{"out", 0, NULL, 'o'}, {"registry", 1, NULL, 'r'}, {"pcap", 1, NULL, 'p'}, {0}};
	const char *iface = NULL;
	double seconds = 0;
	bool out = false;
	for (int c; (c = getopt_long(argc, argv, "", longs, NULL)) != -1;) {
		if (c == 'i')
			iface = optarg;
		else if (c == 's')
			seconds = atof(optarg);
		else if (c == 'o')
			out = true;
		else if (c == 'r')
			read_registry(optarg);
		else if (c == 'p')
			open_capture(optarg);
		else
			iface = NULL, optind = argc;
	}
	if (!iface || optind != argc) {
		fprintf(stderr,
			"usage: count --iface NAME [--seconds S] [--out] [--registry FILE] [--pcap FILE]\n");
		return 2;
	}
	/* Signals arrive in ppoll() only, so that none is lost between a look and a wait. */
	struct sigaction sa = {.sa_handler = on_signal};
	sigset_t block, open_mask;
	sigemptyset(&block);
	for (const int *s = (const int[]){SIGTERM, SIGINT, SIGUSR1, 0}; *s; s++) {
		sigaction(*s, &sa, NULL);
		sigaddset(&block, *s);
	}
	sigprocmask(SIG_BLOCK, &block, &open_mask);
	int fd = open_socket(iface, out);
	double start = now_sec();
	printf("ready\n");
	fflush(stdout);
	while (!stop && (seconds <= 0 || now_sec() - start < seconds)) {
		struct pollfd p = {.fd = fd, .events = POLLIN};
		struct timespec wait = {.tv_nsec = 100000000};
		ppoll(&p, 1, &wait, &open_mask);
		drain(fd);
		if (report) {
			report = 0;
			print_report(fd, now_sec() - start);
		}
	}
	drain(fd);
	print_report(fd, now_sec() - start);
	close(fd);
	return 0;
}
