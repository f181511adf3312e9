/* Requests for known neighbours at one member's interface, as fast as the kernel makes them or at a set rate, and
 * what came back of them; or one at a time, and how long each answer took.
 *
 *   offer --iface eth0 --object offer.bpf.o --kind arp|ns --targets N [--cpu N] [--length OCTETS]
 *         --seconds S [--rate PER_SECOND]      (then an ARP request has the time behind it, if it is that long)
 *         --attack --seconds S                 (random targets, MACs and senders; ARP requests are 86 octets long)
 *         --latency COUNT [--sleep]      (sleeps until the answer comes; else looks for it all the time)
 *
 * The member is 02:00:5e:00:00:01, --ip4 (198.19.0.1), --ip6 (2001:db8:100::1:1); neighbour n has n in the last two octets of
 * 02:01:00:00:00:00, 198.18.0.0 and 2001:db8:100::. An XDP program at this end takes the answers: where the other end answers by
 * XDP_TX there has to be one. Prints one JSON object. Needs an interface that takes XDP frames (veth: an XDP program
 * or GRO at the other end).
 */
#define _GNU_SOURCE /* CPU_SET */
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <limits.h>
#include <linux/if_link.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#define NSEC 1000000000ULL
#define BATCH 64
#define FRAME_MAX 1514
#define REQUEST_MAX 128
#define ND_AT 14 + 40

static struct {
	const char *iface, *object;
	bool ns, sleeps, attack;
	const char *ip4, *ip6;
	uint32_t targets, latency, length;
	int cpu;
	double seconds, rate;
} opt = {.targets = 1000, .cpu = -1, .seconds = 1};

/* As in offer.bpf.c. */
struct state {
	uint8_t request[REQUEST_MAX];
	uint32_t len, targets, ifindex, at;
	uint64_t gap_ns, offered, answered, wrong, other, started_ns, timed_ns, timed;
};

static void die(const char *what, int err)
{
	fprintf(stderr, "offer: %s: %s\n", what, strerror(err < 0 ? -err : err));
	exit(1);
}

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * NSEC + (uint64_t)t.tv_nsec;
}

/* --- the request, to neighbour 0 --- */

static const uint8_t asker_mac[6] = {2, 0, 0x5e, 0, 0, 1};

static uint32_t arp_request(uint8_t *p)
{
	static const uint8_t head[] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0x5e, 0, 0, 1, 8,
		6, 0, 1, 8, 0, 6, 4, 0, 1, 2, 0, 0x5e, 0, 0, 1, 198, 19, 0, 1, 0, 0, 0, 0, 0, 0,
		198, 18, 0, 0};

	memcpy(p, head, sizeof head);
	if (opt.ip4 && inet_pton(AF_INET, opt.ip4, p + 28) != 1)
		die(opt.ip4, EINVAL);
	return sizeof head;
}

static uint16_t checksum(const uint8_t *p, size_t len, uint32_t sum)
{
	for (size_t i = 0; i < len; i += 2)
		sum += (uint32_t)(p[i] << 8 | p[i + 1]);
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t) ~(sum + (sum >> 16));
}

/* One group for all: which of the solicited-node groups a target is in matters to nobody on the way. */
static uint32_t solicitation(uint8_t *p)
{
	static const uint8_t net[] = {0x20, 1, 0x0d, 0xb8, 1};
	uint8_t *ip = p + ETH_HLEN, *nd = p + ND_AT;
	uint16_t sum;

	memcpy(p, (uint8_t[]){0x33, 0x33, 0xff, 0, 0, 1, 2, 0, 0x5e, 0, 0, 1, 0x86, 0xdd},
		ETH_HLEN);
	memcpy(ip, (uint8_t[]){0x60, 0, 0, 0, 0, 32, 58, 255}, 8);
	memcpy(ip + 8, net, sizeof net);
	memcpy(ip + 8 + 12, (uint8_t[]){0, 1, 0, 1}, 4);
	if (opt.ip6 && inet_pton(AF_INET6, opt.ip6, ip + 8) != 1)
		die(opt.ip6, EINVAL);
	memcpy(ip + 24, (uint8_t[]){0xff, 2, [11] = 1, 0xff, 0, 0, 1}, 16);
	nd[0] = 135;
	memcpy(nd + 8, net, sizeof net);
	nd[24] = nd[25] = 1;
	memcpy(nd + 26, asker_mac, 6);
	sum = checksum(ip + 8, 32 + 32, 32 + 58);
	nd[2] = (uint8_t)(sum >> 8);
	nd[3] = (uint8_t)sum;
	return ND_AT + 32;
}

static void ask_for(uint8_t *p, uint32_t n)
{
	uint8_t *at = p + (opt.ns ? 76 : 40);
	uint32_t sum;

	at[0] = (uint8_t)(n >> 8);
	at[1] = (uint8_t)n;
	if (opt.ns) {
		sum = (uint32_t)(uint16_t) ~(p[56] << 8 | p[57]) + n;
		sum = (sum & 0xffff) + (sum >> 16);
		sum = ~sum;
		p[56] = (uint8_t)(sum >> 8);
		p[57] = (uint8_t)sum;
	}
}

/* --- at full rate --- */

static void on_alarm(int sig)
{
	(void)sig;
}

/* One call for the whole time: to begin and to end one costs the kernel tens of milliseconds. The alarm ends it. */
static void offer_all(int prog, struct state *s)
{
	uint8_t frame[FRAME_MAX] = {0};
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame, .data_size_in = opt.length,
		.flags = BPF_F_TEST_XDP_LIVE_FRAMES, .batch_size = BATCH, .repeat = INT_MAX);
	struct itimerval timer = {
		.it_value = {(time_t)opt.seconds,
			(suseconds_t)((opt.seconds - (double)(time_t)opt.seconds) * 1e6)}};
	struct sigaction act = {.sa_handler = on_alarm};
	uint64_t last, before = 0;
	int err;

	s->gap_ns = opt.rate > 0 ? (uint64_t)(NSEC / opt.rate) : 0;
	if (sigaction(SIGALRM, &act, NULL) || setitimer(ITIMER_REAL, &timer, NULL))
		die("timer", errno);
	err = bpf_prog_test_run_opts(prog, &opts);
	if (err && err != -EINTR)
		die("live frames", err);
	/* The last ones are on their way. */
	for (last = now_ns(); now_ns() - last < NSEC / 10; usleep(1000)) {
		uint64_t got = __atomic_load_n(&s->answered, __ATOMIC_RELAXED);
		if (got != before)
			last = now_ns();
		before = got;
	}
	printf("{\"seconds\": %.6f, \"timed\": %" PRIu64 ", \"offered\": %" PRIu64
	       ", \"answered\": %" PRIu64 ", \"wrong\": %" PRIu64 ", \"other\": %" PRIu64 "}\n",
		(double)(s->timed_ns - s->started_ns) / NSEC, s->timed, s->offered, s->answered,
		s->wrong, s->other);
}

/* --- one at a time --- */

static int by_value(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static int packet_socket(void)
{
	struct sockaddr_ll at = {.sll_family = AF_PACKET,
		.sll_protocol = htons(opt.ns ? ETH_P_IPV6 : ETH_P_ARP),
		.sll_ifindex = (int)if_nametoindex(opt.iface)};
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), on = 1;

	if (fd < 0 || setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof on) ||
		bind(fd, (struct sockaddr *)&at, sizeof at))
		die(opt.iface, errno);
	return fd;
}

static bool is_answer(const uint8_t *p, ssize_t len, uint32_t n)
{
	const uint8_t *at = p + (opt.ns ? 76 : 30);

	return len >= (opt.ns ? 86 : 42) && (opt.ns ? p[54] == 136 : p[21] == 2) &&
	       at[0] == (uint8_t)(n >> 8) && at[1] == (uint8_t)n;
}

static void one_by_one(const uint8_t *request)
{
	uint32_t *took = calloc(opt.latency, sizeof *took), lost = 0, got = 0;
	int fd = packet_socket();

	for (uint32_t i = 0; took && i < opt.latency; i++) {
		uint32_t n = i % opt.targets + 1;
		uint8_t frame[FRAME_MAX] = {0}, answer[256];
		bool answered = false;

		memcpy(frame, request, REQUEST_MAX);
		ask_for(frame, n);
		uint64_t start = now_ns(), now;
		if (send(fd, frame, opt.length, 0) < 0)
			die("send", errno);
		do {
			struct pollfd wait = {.fd = fd, .events = POLLIN};
			if (opt.sleeps)
				(void)poll(&wait, 1, 100);
			ssize_t len = recv(fd, answer, sizeof answer, 0);
			now = now_ns();
			answered = len > 0 && is_answer(answer, len, n);
		} while (!answered && now - start < NSEC / 10);
		if (answered)
			took[got++] = (uint32_t)(now - start);
		else
			lost++;
		/* Idle is what is measured: let what the answer has woken go to sleep again. */
		if (opt.sleeps)
			usleep(50);
		for (uint64_t until = now + 50000; now < until; now = now_ns())
			;
	}
	if (!got)
		die("nothing was answered", ETIMEDOUT);
	qsort(took, got, sizeof *took, by_value);
	printf("{\"answered\": %u, \"lost\": %u, \"p50_us\": %.2f, \"p99_us\": %.2f}\n", got, lost,
		took[got / 2] / 1e3, took[(uint64_t)got * 99 / 100] / 1e3);
	free(took);
}

/* --- set-up --- */

static void arguments(int argc, char **argv)
{
	static const struct option long_options[] = {{"iface", 1, NULL, 'i'},
		{"object", 1, NULL, 'o'}, {"kind", 1, NULL, 'k'}, {"targets", 1, NULL, 't'},
		{"cpu", 1, NULL, 'c'}, {"length", 1, NULL, 'l'}, {"seconds", 1, NULL, 'n'},
		{"rate", 1, NULL, 'r'}, {"latency", 1, NULL, 'y'}, {"sleep", 0, NULL, 'p'},
		{"attack", 0, NULL, 'a'}, {"ip4", 1, NULL, '4'}, {"ip6", 1, NULL, '6'}, {0}};
	int c;

	while ((c = getopt_long(argc, argv, "", long_options, NULL)) != -1)
		switch (c) {
		case 'i':
			opt.iface = optarg;
			break;
		case 'o':
			opt.object = optarg;
			break;
		case 'k':
			opt.ns = !strcmp(optarg, "ns");
			break;
		case 't':
			opt.targets = (uint32_t)atoi(optarg);
			break;
		case 'c':
			opt.cpu = atoi(optarg);
			break;
		case 'l':
			opt.length = (uint32_t)atoi(optarg);
			break;
		case 'n':
			opt.seconds = atof(optarg);
			break;
		case 'r':
			opt.rate = atof(optarg);
			break;
		case 'y':
			opt.latency = (uint32_t)atoi(optarg);
			break;
		case 'a':
			opt.attack = true;
			break;
		case '4':
			opt.ip4 = optarg;
			break;
		case '6':
			opt.ip6 = optarg;
			break;
		case 'p':
			opt.sleeps = true;
			break;
		default:
			exit(2);
		}
	if (!opt.iface || !opt.object || !opt.targets || opt.targets > 65535 ||
		opt.length > FRAME_MAX) {
		fprintf(stderr, "offer: see the head of offer.c\n");
		exit(2);
	}
}

static void pin_to_cpu(void)
{
	cpu_set_t one;

	if (opt.cpu < 0)
		return;
	CPU_ZERO(&one);
	CPU_SET((size_t)opt.cpu, &one);
	if (sched_setaffinity(0, sizeof one, &one))
		die("sched_setaffinity", errno);
}

/* The programs' variables are a map that can be mapped. */
static struct state *state_of(struct bpf_object *obj)
{
	struct bpf_map *map;
	void *p = MAP_FAILED;

	bpf_object__for_each_map(map, obj) if (strstr(bpf_map__name(map), ".bss")) p = mmap(NULL,
		sizeof(struct state), PROT_READ | PROT_WRITE, MAP_SHARED, bpf_map__fd(map), 0);
	if (p == MAP_FAILED)
		die("variables", errno);
	return p;
}

static int program(struct bpf_object *obj, const char *name)
{
	return bpf_program__fd(bpf_object__find_program_by_name(obj, name));
}

int main(int argc, char **argv)
{
	struct bpf_object *obj;
	struct state *s;
	int ifindex, err;

	arguments(argc, argv);
	pin_to_cpu();
	libbpf_set_print(NULL);
	ifindex = (int)if_nametoindex(opt.iface);
	obj = bpf_object__open_file(opt.object, NULL);
	if (!ifindex || !obj)
		die(ifindex ? opt.object : opt.iface, errno);
	if (bpf_object__load(obj))
		die("load", errno);
	s = state_of(obj);
	s->len = opt.ns ? solicitation(s->request) : arp_request(s->request);
	if (opt.length < s->len)
		opt.length = s->len;
	if (opt.attack && opt.length < ND_AT + 32)
		opt.length = ND_AT + 32;
	s->targets = opt.targets;
	s->ifindex = (uint32_t)ifindex;
	err = bpf_xdp_attach(
		ifindex, program(obj, opt.latency ? "pass" : "sink"), XDP_FLAGS_DRV_MODE, NULL);
	if (err)
		die("attach", err);
	if (opt.latency)
		one_by_one(s->request);
	else
		offer_all(program(obj, opt.attack ? "attack" : "offer"), s);
	(void)bpf_xdp_detach(ifindex, XDP_FLAGS_DRV_MODE, NULL);
	bpf_object__close(obj);
	return 0;
}
