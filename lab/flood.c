/* The lab's noisy member: sends the mix of lab/frames.h out of one interface at a set bit rate, or
 * asks for known neighbours at a set rate and counts the answers.
 *
 * It speaks as the member it is run at (its MAC, IPv4 and IPv6), through AF_PACKET beside the
 * kernel's own stack. The neighbours it asks for are read from a file, one "MAC IPv4 IPv6" a line;
 * every address of the LAN that is in no line is unassigned. The rate counts the octets of whole
 * frames without FCS.
 *
 * Mode `flood`: a round of 1000 frames in exactly the mix's shares, shuffled, built once and sent
 * over and over, each frame when its bits are due. Mode `arp-rate`: N requests a second, ARP and NS
 * in turn, round-robin over the neighbours; at the end, and after a second of grace, the requests
 * that got no answer are counted one by one.
 *
 * Prints one JSON object.
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
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "lab/frames.h"

#define ROUND 1000
#define NEIGHBORS_MAX 20000
#define NSEC 1000000000LL
#define GRACE_NS NSEC
#define SLOWEST_US 100000

static const char *const kind_names[] = {
#define NAME_ROW(sym, token, share) token,
	FLOOD_KINDS(NAME_ROW)};
static const unsigned kind_shares[] = {
#define SHARE_ROW(sym, token, share) share,
	FLOOD_KINDS(SHARE_ROW)};

static struct {
	const char *iface, *neighbors, *mode;
	struct host me;
	struct prefix lan4, lan6;
	double rate; /* flood: bits/s; arp-rate: requests/s */
	double seconds;
	unsigned seed;
} opt = {.mode = "flood", .rate = 1.5e6, .seconds = 10, .seed = 1};

static struct host *neighbors;
static size_t neighbor_count;
static volatile sig_atomic_t stop;

static void on_signal(int sig)
{
	(void)sig;
	stop = 1;
}

static void die(const char *what)
{
	fprintf(stderr, "flood: %s: %s\n", what, strerror(errno));
	exit(1);
}

static int64_t now_ns(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * NSEC + ts.tv_nsec;
}

static void sleep_until(int64_t when)
{
	struct timespec ts = {.tv_sec = when / NSEC, .tv_nsec = when % NSEC};
	while (!stop && clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL) == EINTR)
		;
}

/* xorshift: the same seed gives the same flood. */
static uint32_t random_u32(void)
{
	static uint64_t x;
	if (!x)
		x = 88172645463325252ull ^ ((uint64_t)opt.seed << 20);
	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	return (uint32_t)(x >> 16);
}

static void read_neighbors(void)
{
	FILE *f = fopen(opt.neighbors, "r");
	if (!f)
		die(opt.neighbors);
	neighbors = calloc(NEIGHBORS_MAX, sizeof(*neighbors));
	if (!neighbors)
		die("memory");
	char mac[64], a[64], b[64];
	while (neighbor_count < NEIGHBORS_MAX && fscanf(f, "%63s %63s %63s", mac, a, b) == 3) {
		struct host *h = &neighbors[neighbor_count];
		if (mac_parse(mac, &h->mac) || ip_parse(a, &h->ip4) || ip_parse(b, &h->ip6)) {
			fprintf(stderr, "flood: %s: bad line %zu\n", opt.neighbors,
				neighbor_count + 1);
			exit(1);
		}
		if (!mac_eq(h->mac, opt.me.mac))
			neighbor_count++;
	}
	fclose(f);
}

static bool assigned(const struct host *h)
{
	if (ip_eq(h->ip4, opt.me.ip4))
		return true;
	for (size_t i = 0; i < neighbor_count; i++)
		if (ip_eq(h->ip4, neighbors[i].ip4))
			return true;
	return false;
}

/* An address of the LAN that nobody has; the MAC goes with unknown unicast. */
static struct host unassigned(void)
{
	struct host h = {.ip4 = opt.lan4.ip, .ip6 = opt.lan6.ip};
	uint32_t hosts = UINT32_MAX >> opt.lan4.len;
	uint32_t r;
	do {
		r = random_u32();
		h.ip4 = ip_v4_u32(ip_to_u32(opt.lan4.ip) + 1 + r % (hosts - 1));
	} while (assigned(&h));
	memcpy(h.ip6.b + 12, (const uint8_t[]){0xde, 0xad}, 2);
	memcpy(h.ip6.b + 14, &r, 2);
	h.mac = (struct mac){{0x02, 0x00, 0x5e, 0xee, (uint8_t)(r >> 8), (uint8_t)r}};
	return h;
}

static struct host target_of(enum flood_kind kind, unsigned n)
{
	switch (kind) {
	case FLOOD_ARP_KNOWN:
	case FLOOD_NS_KNOWN:
		return neighbors[n % neighbor_count];
	case FLOOD_ARP_PROBE: /* half for its own address, as a booting router does, half for a free
				 one */
		return n & 1 ? unassigned() : opt.me;
	default:
		return unassigned();
	}
}

static int open_socket(uint16_t protocol)
{
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	if (fd < 0)
		die("socket");
	struct sockaddr_ll to = {.sll_family = AF_PACKET,
		.sll_protocol = htons(protocol),
		.sll_ifindex = (int)if_nametoindex(opt.iface)};
	if (!to.sll_ifindex)
		die(opt.iface);
	int size = 16 << 20;
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &(int){1}, sizeof(int));
	if (bind(fd, (struct sockaddr *)&to, sizeof(to)))
		die("bind");
	return fd;
}

static void flood(void)
{
	static uint8_t frames[ROUND][FRAME_MAX];
	static size_t len[ROUND];
	static enum flood_kind kind[ROUND];
	uint64_t sent[FLOOD_COUNT] = {0}, octets = 0, total = 0, refused = 0;
	size_t n = 0;
	for (int k = 0; k < FLOOD_COUNT; k++)
		for (unsigned i = 0; i < kind_shares[k] && n < ROUND; i++)
			kind[n++] = (enum flood_kind)k;
	for (size_t i = n - 1; i > 0; i--) {
		size_t j = random_u32() % (i + 1);
		enum flood_kind t = kind[i];
		kind[i] = kind[j];
		kind[j] = t;
	}
	for (size_t i = 0; i < n; i++) {
		struct host target = target_of(kind[i], (unsigned)i);
		len[i] = frame_build(kind[i], &opt.me, &target, frames[i]);
	}
	int fd = open_socket(0);
	int64_t start = now_ns(), end = start + (int64_t)(opt.seconds * (double)NSEC);
	for (size_t i = 0; !stop; i = (i + 1) % n) {
		int64_t due = start + (int64_t)((double)octets * 8 / opt.rate * (double)NSEC);
		if (due >= end)
			break;
		sleep_until(due);
		octets += len[i];
		if (send(fd, frames[i], len[i], 0) < 0) {
			refused++;
			continue;
		}
		sent[kind[i]]++;
		total++;
	}
	printf("{\"seconds\": %.3f, \"frames\": %" PRIu64 ", \"octets\": %" PRIu64
	       ", \"refused\": %" PRIu64 ", \"sent\": {",
		(double)(now_ns() - start) / (double)NSEC, total, octets, refused);
	for (int k = 0; k < FLOOD_COUNT; k++)
		printf("%s\"%s\": %" PRIu64, k ? ", " : "", kind_names[k], sent[k]);
	printf("}}\n");
}

/* One address asked for: how many requests wait for an answer, and since when the oldest does. */
struct asked {
	uint32_t waiting;
	int64_t since;
};

struct tally {
	uint64_t asked, answered, surplus;
	int64_t worst_ns, worst_gap_ns, last_answer;
	uint64_t took[SLOWEST_US + 1]; /* answers by the microseconds they took */
	struct asked *asked4, *asked6; /* a row a neighbour */
};

static void take_answer(struct tally *t, const uint8_t *f, size_t len, int64_t now)
{
	struct asked *a = NULL;
	bool is_arp = len >= 42 && f[12] == 8 && f[13] == 6 && f[21] == 2;
	bool is_na = len >= 78 && f[12] == 0x86 && f[13] == 0xdd && f[20] == 58 && f[54] == 136;
	for (size_t i = 0; !a && (is_arp || is_na) && i < neighbor_count; i++) {
		const struct host *h = &neighbors[i];
		if (is_arp && !memcmp(f + 28, h->ip4.b, 4) && !memcmp(f + 22, h->mac.b, 6))
			a = &t->asked4[i];
		if (is_na && !memcmp(f + 62, h->ip6.b, 16) && len >= 86 &&
			!memcmp(f + 80, h->mac.b, 6))
			a = &t->asked6[i];
	}
	if (!a)
		return;
	if (!a->waiting) {
		t->surplus++;
		return;
	}
	a->waiting--;
	t->answered++;
	int64_t took = now - a->since;
	if (took > t->worst_ns)
		t->worst_ns = took;
	t->took[took / 1000 < SLOWEST_US ? took / 1000 : SLOWEST_US]++;
	if (t->last_answer && now - t->last_answer > t->worst_gap_ns)
		t->worst_gap_ns = now - t->last_answer;
	t->last_answer = now;
	a->since = now;
}

static void take_answers(struct tally *t, int fd, int64_t until)
{
	for (;;) {
		int64_t left = until - now_ns();
		struct pollfd p = {.fd = fd, .events = POLLIN};
		struct timespec ts = {.tv_sec = left > 0 ? left / NSEC : 0,
			.tv_nsec = left > 0 ? left % NSEC : 0};
		if (ppoll(&p, 1, &ts, NULL) <= 0) {
			if (stop || left <= 0)
				return;
			continue;
		}
		uint8_t f[2048];
		ssize_t len = recv(fd, f, sizeof(f), MSG_DONTWAIT);
		if (len > 0)
			take_answer(t, f, (size_t)len, now_ns());
	}
}

static void ask(struct tally *t, int fd, uint64_t n)
{
	size_t i = n / 2 % neighbor_count;
	bool v6 = n & 1;
	uint8_t f[FRAME_MAX];
	size_t len = frame_build(v6 ? FLOOD_NS_KNOWN : FLOOD_ARP_KNOWN, &opt.me, &neighbors[i], f);
	struct asked *a = v6 ? &t->asked6[i] : &t->asked4[i];
	int64_t now = now_ns();
	if (send(fd, f, len, 0) < 0)
		return;
	if (!a->waiting++)
		a->since = now;
	t->asked++;
}

/* Of all answers, this share came within so many milliseconds. */
static double within_ms(const struct tally *t, double share)
{
	uint64_t n = 0;
	size_t us = 0;

	while (us < SLOWEST_US && (double)(n += t->took[us]) < share * (double)t->answered)
		us++;
	return (double)us / 1e3;
}

static void arp_rate(void)
{
	static struct tally t;

	t = (struct tally){.asked4 = calloc(neighbor_count, sizeof(struct asked)),
		.asked6 = calloc(neighbor_count, sizeof(struct asked))};
	if (!t.asked4 || !t.asked6)
		die("memory");
	int fd = open_socket(ETH_P_ALL);
	int64_t start = now_ns();
	uint64_t all = (uint64_t)(opt.rate * opt.seconds);
	for (uint64_t n = 0; n < all && !stop; n++) {
		ask(&t, fd, n);
		take_answers(&t, fd, start + (int64_t)((double)(n + 1) / opt.rate * (double)NSEC));
	}
	stop = 0;
	take_answers(&t, fd, now_ns() + GRACE_NS);
	struct tpacket_stats lost = {0};
	getsockopt(fd, SOL_PACKET, PACKET_STATISTICS, &lost, &(socklen_t){sizeof(lost)});
	printf("{\"asked\": %" PRIu64 ", \"answered\": %" PRIu64 ", \"unanswered\": %" PRIu64
	       ", \"surplus\": %" PRIu64 ", \"p50_ms\": %.3f, \"p99_ms\": %.3f, \"worst_ms\": "
					 "%.3f, \"worst_gap_ms\": %.3f, \"lost\": %u}\n",
		t.asked, t.answered, t.asked - t.answered, t.surplus, within_ms(&t, 0.5),
		within_ms(&t, 0.99), (double)t.worst_ns / 1e6, (double)t.worst_gap_ns / 1e6,
		lost.tp_drops);
	free(t.asked4);
	free(t.asked6);
}

static void usage(void)
{
	fprintf(stderr, "usage: flood --iface NAME --mac MAC --ip4 IP --ip6 IP --neighbors FILE\n"
			"             [--lan4 PREFIX] [--lan6 PREFIX] [--mode flood|arp-rate]\n"
			"             [--rate BITS/S or REQUESTS/S] [--seconds S] [--seed N]\n");
	exit(2);
}

static void read_options(int argc, char **argv)
{
	static const struct option longs[] = {{"iface", 1, NULL, 'i'}, {"mac", 1, NULL, 'm'},
		{"ip4", 1, NULL, '4'}, {"ip6", 1, NULL, '6'}, {"neighbors", 1, NULL, 'n'},
		{"lan4", 1, NULL, 'L'}, {"lan6", 1, NULL, 'M'}, {"mode", 1, NULL, 'o'},
		{"rate", 1, NULL, 'r'}, {"seconds", 1, NULL, 's'}, {"seed", 1, NULL, 'S'}, {0}};
	int bad = prefix_parse("198.18.0.0/21", &opt.lan4) |
		  prefix_parse("2001:db8:100::/64", &opt.lan6);
	for (int c; (c = getopt_long(argc, argv, "", longs, NULL)) != -1;) {
		switch (c) {
		case 'i':
			opt.iface = optarg;
			break;
		case 'm':
			bad |= mac_parse(optarg, &opt.me.mac);
			break;
		case '4':
			bad |= ip_parse(optarg, &opt.me.ip4);
			break;
		case '6':
			bad |= ip_parse(optarg, &opt.me.ip6);
			break;
		case 'n':
			opt.neighbors = optarg;
			break;
		case 'L':
			bad |= prefix_parse(optarg, &opt.lan4);
			break;
		case 'M':
			bad |= prefix_parse(optarg, &opt.lan6);
			break;
		case 'o':
			opt.mode = optarg;
			break;
		case 'r':
			opt.rate = atof(optarg);
			break;
		case 's':
			opt.seconds = atof(optarg);
			break;
		case 'S':
			opt.seed = (unsigned)atoi(optarg);
			break;
		default:
			usage();
		}
	}
	if (bad || optind != argc || !opt.iface || !opt.neighbors || opt.me.ip4.family != 4 ||
		opt.me.ip6.family != 6 || opt.rate <= 0 || opt.seconds <= 0 || opt.lan4.len > 28 ||
		opt.lan6.len > 96)
		usage();
}

int main(int argc, char **argv)
{
	read_options(argc, argv);
	read_neighbors();
	if (!neighbor_count) {
		fprintf(stderr, "flood: %s: no neighbours but myself\n", opt.neighbors);
		return 1;
	}
	struct sigaction sa = {.sa_handler = on_signal};
	sigaction(SIGTERM, &sa, NULL);
	sigaction(SIGINT, &sa, NULL);
	if (!strcmp(opt.mode, "flood"))
		flood();
	else if (!strcmp(opt.mode, "arp-rate"))
		arp_rate();
	else
		usage();
	free(neighbors);
	return 0;
}
