/* Very many sessions with a short hold time, while routes change: holds them for some time and says
 * in a line of JSON what became of them.
 *
 *   hold REFLECTOR FIRST-ADDRESS SESSIONS HOLD-SECONDS SECONDS CHANGES-A-SECOND
 *
 * Each change is one route of one session, and every other session is told. "silence": the longest
 * time in which a session heard nothing, so how near to its hold timer any of them came. "latency":
 * from a change until the last of all sessions was told.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/bench/peer.h"
#include "tests/bench/routes.h"

#define UP_NS 60000000000ull
#define TURN_US 2000

static struct peers peers;
static uint64_t silence_ns;

static void look_for_silence(void)
{
	uint64_t now = clock_ns();

	for (size_t i = 0; i < peers.count; i++)
		if (now - peers.peer[i].heard_ns > silence_ns && now > peers.peer[i].heard_ns)
			silence_ns = now - peers.peer[i].heard_ns;
}

static int by_size(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/* Of the changes that everybody was told of; the median and the 99th percentile in ms. */
static uint32_t latencies(uint32_t changes, double *ret_median, double *ret_p99)
{
	static uint64_t ns[PROBES_MAX];
	uint32_t n = 0;

	for (uint32_t k = 0; k < changes; k++)
		if (peers.probe[k].told + 1 >= peers.count)
			ns[n++] = peers.probe[k].last_ns - peers.probe[k].sent_ns;
	qsort(ns, n, sizeof(*ns), by_size);
	*ret_median = n ? (double)ns[n / 2] / 1e6 : 0;
	*ret_p99 = n ? (double)ns[n - 1 - n / 100] / 1e6 : 0;
	return n;
}

static uint32_t churn(uint64_t seconds, uint32_t rate)
{
	uint64_t start = clock_ns(), end = start + seconds * 1000000000u, next = start;
	uint32_t k = 0;
	uint8_t buf[512];

	while (clock_ns() < end && !peers.error[0]) {
		if (clock_ns() >= next && k < PROBES_MAX) {
			struct peer *p = &peers.peer[k % peers.count];
			size_t len = routes_probe(buf, sizeof(buf), k, 1, p->address);
			peers.probe[k++].sent_ns = clock_ns();
			peer_send(&peers, p, buf, len);
			next += 1000000000u / rate;
		}
		peers_turn(&peers, TURN_US);
		look_for_silence();
	}
	/* The last ones are still on their way. */
	for (end = clock_ns() + 1000000000u; clock_ns() < end && !peers.error[0];)
		peers_turn(&peers, TURN_US);
	return k;
}

int main(int argc, char **argv)
{
	uint32_t address[2], changes, all;
	double median, p99;
	uint64_t up_ns = clock_ns();
	size_t up = 0;

	if (argc != 7 || inet_pton(AF_INET, argv[1], &address[0]) != 1 ||
		inet_pton(AF_INET, argv[2], &address[1]) != 1 || strtoul(argv[6], NULL, 10) == 0) {
		fprintf(stderr, "usage: hold REFLECTOR FIRST-ADDRESS SESSIONS HOLD-SECONDS SECONDS "
				"CHANGES-A-SECOND\n");
		return 2;
	}
	peers_init(&peers, ntohl(address[0]), 179, ntohl(address[1]), strtoul(argv[3], NULL, 10));
	peers.hold_sec = (uint16_t)strtoul(argv[4], NULL, 10);
	for (size_t i = 0; i < peers.count; i++)
		peers.peer[i].is_client = true;
	if (!peers_up(&peers, 0, peers.count, clock_ns() + UP_NS)) {
		printf("{\"error\": \"%s\"}\n", peers.error[0] ? peers.error : "not all are up");
		return 1;
	}
	up_ns = clock_ns() - up_ns;
	puts("{\"up\": true}");
	fflush(stdout);
	changes = churn(strtoul(argv[5], NULL, 10), (uint32_t)strtoul(argv[6], NULL, 10));
	all = latencies(changes, &median, &p99);
	for (size_t i = 0; i < peers.count; i++)
		up += peers.peer[i].state == PEER_UP;
	printf("{\"sessions\": %zu, \"established_s\": %.2f, \"changes\": %u, \"told_all\": %u, "
	       "\"median_ms\": %.2f, \"p99_ms\": %.2f, \"silence_s\": %.2f, \"error\": \"%s\"}\n",
		up, (double)up_ns / 1e9, changes, all, median, p99, (double)silence_ns / 1e9,
		peers.error);
	return peers.error[0] != 0;
}
