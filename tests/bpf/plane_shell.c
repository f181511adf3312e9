/* A data plane by hand: one command a line on stdin, one line of JSON back, so that tests can be a
 * process that owns a plane, dies with it, or finds one. Numbers are layout.h's.
 *
 *   open PLANE DIR BINDINGS MACS PORTS          close keep|drop
 *   port IFINDEX LAN SLOT KIND FLAGS UNKNOWN NSOPTION FLOODCLASSES INBPS OUTBPS INBURST OUTBURST [RULES POLICEDIN POLICEDOUT]
 *   attach IFINDEX XDP                          del IFINDEX
 *   policer SLOT WAY GROUP RATE BURST UNIT      vtep VNI IP        unvtep VNI IP
 *   bind LAN IP MAC FLAGS IFINDEX               unbind LAN IP
 *   mac LAN MAC IFINDEX HOME FLAGS              unmac LAN MAC
 *   counters SLOT    would SLOT    zero SLOT    events    tables    send IFINDEX HEX
 *
 * QUELL_LOG=bpf=debug shows what libbpf and the kernel's verifier say.
 */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/ip.h"
#include "lib/log.h"
#include "lib/mac.h"
#include "proxyarp/plane.h"
#include "proxyarp/table.h"
#include "proxyarp/verdict.h"

static const struct plane_ops *ops;
static struct plane *plane;

static int open_plane(char **w, int n)
{
	static const struct plane_ops *const all[] = {&plane_bpf, &plane_packet, &plane_null};
	bool adopted = false;
	int err;

	if (n != 6)
		return -EINVAL;
	struct plane_limits limits = {(uint32_t)atoi(w[3]), (uint32_t)atoi(w[3]),
		(uint32_t)atoi(w[4]), (uint32_t)atoi(w[5]), 64};
	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		if (!strcmp(all[i]->name, w[1]))
			ops = all[i];
	if (!ops)
		return -EINVAL;
	err = ops->open(w[2], &limits, &plane, &adopted);
	if (!err)
		printf("{\"result\": 0, \"adopted\": %s}\n", adopted ? "true" : "false");
	return err ? err : 1;
}

static int set_port(char **w, int n)
{
	uint64_t v[16] = {0};

	if (n != 13 && n != 16)
		return -EINVAL;
	for (int i = 1; i < n; i++)
		v[i] = strtoull(w[i], NULL, 0);
	struct layout_port p = {.lan = (uint32_t)v[2],
		.slot = (uint32_t)v[3],
		.kind = (uint8_t)v[4],
		.flags = (uint8_t)v[5],
		.unknown_target = (uint8_t)v[6],
		.ns_option = (uint8_t)v[7],
		.flood_classes = v[8],
		.policed = {(uint8_t)((v[9] != 0) | v[14]), (uint8_t)((v[10] != 0) | v[15])},
		.rules = v[13]};
	for (int d = 0; d < DIR_COUNT; d++) {
		struct layout_policer all = {.rate = v[9 + d], .burst = (uint32_t)v[11 + d]};
		int err = ops->policer_set(plane, p.slot, (enum frame_dir)d, POLICE_ALL, &all);
		if (err)
			return err;
	}
	return ops->port_set(plane, (uint32_t)v[1], &p);
}

static int set_policer(char **w, int n)
{
	struct layout_policer v;

	if (n != 7)
		return -EINVAL;
	v = (struct layout_policer){
		strtoull(w[4], NULL, 0), (uint32_t)strtoul(w[5], NULL, 0), (uint32_t)atoi(w[6])};
	return ops->policer_set(plane, (uint32_t)atoi(w[1]), (enum frame_dir)atoi(w[2]),
		(enum layout_police)atoi(w[3]), &v);
}

static int set_vtep(char **w, int n, bool set)
{
	struct layout_vtep_key k;
	struct ip ip;

	if (n != 3 || ip_parse(w[2], &ip))
		return -EINVAL;
	k = table_vtep_key((uint32_t)atoi(w[1]), ip);
	return set ? ops->vtep_set(plane, &k) : ops->vtep_del(plane, &k);
}

static int bind(char **w, int n)
{
	bool set = n == 6;
	struct layout_bind v = {0};
	struct mac mac = {{0}};
	struct ip ip;

	if ((n != 6 && n != 3) || ip_parse(w[2], &ip) || (set && mac_parse(w[3], &mac)))
		return -EINVAL;
	memcpy(v.mac, mac.b, 6);
	v.flags = set ? (uint8_t)atoi(w[4]) : 0;
	v.ifindex = set ? (uint32_t)atoi(w[5]) : 0;
	if (ip.family == 4) {
		struct layout_key4 k = {.lan = (uint32_t)atoi(w[1])};
		memcpy(k.ip, ip.b, 4);
		return set ? ops->bind4_set(plane, &k, &v) : ops->bind4_del(plane, &k);
	}
	struct layout_key6 k = {.lan = (uint32_t)atoi(w[1])};
	memcpy(k.ip, ip.b, 16);
	return set ? ops->bind6_set(plane, &k, &v) : ops->bind6_del(plane, &k);
}

static int set_mac(char **w, int n)
{
	struct layout_mac_key k = {0};
	struct layout_mac v = {0};
	struct mac mac;

	if ((n != 6 && n != 3) || mac_parse(w[2], &mac))
		return -EINVAL;
	k.lan = (uint32_t)atoi(w[1]);
	memcpy(k.mac, mac.b, 6);
	if (n == 3)
		return ops->mac_del(plane, &k);
	v.ifindex = (uint32_t)atoi(w[3]);
	v.home = (uint32_t)atoi(w[4]);
	v.flags = (uint8_t)atoi(w[5]);
	return ops->mac_set(plane, &k, &v);
}

static int print_counters(char **w, int n)
{
	static struct layout_counter c[DIR_COUNT][CLASS_COUNT][OUTCOME_COUNT];
	const char *comma = "";
	int err = n == 2 ? ops->counters(plane, (uint32_t)atoi(w[1]), c) : -EINVAL;

	if (err)
		return err;
	printf("{\"result\": 0, \"rows\": [");
	for (int d = 0; d < DIR_COUNT; d++)
		for (int i = 0; i < CLASS_COUNT; i++)
			for (int o = 0; o < OUTCOME_COUNT; o++) {
				if (!c[d][i][o].frames)
					continue;
				printf("%s[\"%s\", \"%s\", \"%s\", %" PRIu64 ", %" PRIu64 "]",
					comma, d == DIR_IN ? "in" : "out",
					class_name((enum frame_class)i),
					outcome_name((enum frame_outcome)o), c[d][i][o].frames,
					c[d][i][o].octets);
				comma = ", ";
			}
	printf("]}\n");
	return 1;
}

static void print_row(void *arg, enum frame_dir dir, enum frame_class cls, enum frame_outcome would,
	const struct layout_counter *c)
{
	const char **comma = arg;

	printf("%s[\"%s\", \"%s\", \"%s\", %" PRIu64 ", %" PRIu64 "]", *comma, dir == DIR_IN ? "in" : "out",
		class_name(cls), outcome_name(would), c->frames, c->octets);
	*comma = ", ";
}

static int print_would(char **w, int n)
{
	const char *comma = "";
	int err;

	if (n != 2)
		return -EINVAL;
	printf("{\"rows\": [");
	err = ops->would_each(plane, (uint32_t)atoi(w[1]), print_row, &comma);
	printf("], \"result\": %d}\n", err);
	return 1;
}

static void print_event(void *arg, const struct layout_event *e)
{
	struct ip ip = {.family = e->family};
	char ip_text[IP_TEXT] = "", mac_text[MAC_TEXT];
	const char **comma = arg;
	struct mac mac;

	memcpy(ip.b, e->ip, 16);
	memcpy(mac.b, e->mac, 6);
	if (e->family)
		ip_format(ip, ip_text);
	printf("%s{\"type\": %d, \"lan\": %u, \"ifindex\": %u, \"mac\": \"%s\", \"ip\": \"%s\", "
	       "\"flags\": %d, \"rule\": \"%s\", "
	       "\"outcome\": \"%s\"}",
		*comma, e->type, e->lan, e->ifindex, mac_format(mac, mac_text), ip_text, e->flags, rule_name((enum frame_rule)e->rule),
		outcome_name((enum frame_outcome)e->outcome));
	*comma = ", ";
}

/* --- events --- */

static struct layout_event *events;
static size_t event_count, event_room;

static void keep_event(void *arg, const struct layout_event *e)
{
	(void)arg;
	if (event_count == event_room) {
		event_room = event_room ? 2 * event_room : 64;
		events = reallocarray(events, event_room, sizeof *events);
		if (!events)
			abort();
	}
	events[event_count++] = *e;
}

/* What waits for the plane; false: nothing did. */
static bool serve(int wait_ms)
{
	struct pollfd fd = {.fd = ops->fd(plane), .events = POLLIN};

	return poll(&fd, 1, wait_ms) == 1 && ops->poll(plane, keep_event, NULL) == 0;
}

/* Waits a moment for the first: an event is there before its frame has reached anybody, but not
 * before it was sent. */
static int print_events(void)
{
	const char *comma = "";

	while (!event_count && serve(200))
		;
	printf("{\"result\": 0, \"rows\": [");
	for (size_t i = 0; i < event_count; i++)
		print_event(&comma, &events[i]);
	event_count = 0;
	printf("]}\n");
	return 1;
}

/* The packet plane's frames are ours to carry, also while nobody asks. */
static bool next_line(char *line, int size)
{
	while (plane && ops == &plane_packet) {
		struct pollfd in = {.fd = STDIN_FILENO, .events = POLLIN};

		while (serve(0))
			;
		if (poll((struct pollfd[]){in, {.fd = ops->fd(plane), .events = POLLIN}}, 2, -1) < 0)
			return false;
		if (poll(&in, 1, 0) == 1) {
			while (serve(0))
				;
			break;
		}
	}
	return fgets(line, size, stdin);
}

static void count4(void *arg, const struct layout_key4 *k, const struct layout_bind *v)
{
	(void)k, (void)v;
	((int *)arg)[0]++;
}

static void count6(void *arg, const struct layout_key6 *k, const struct layout_bind *v)
{
	(void)k, (void)v;
	((int *)arg)[1]++;
}

static void count_mac(void *arg, const struct layout_mac_key *k, const struct layout_mac *v)
{
	(void)k, (void)v;
	((int *)arg)[2]++;
}

static void count_port(void *arg, uint32_t ifindex, const struct layout_port *v)
{
	(void)ifindex, (void)v;
	((int *)arg)[3]++;
}

static void count_vtep(void *arg, const struct layout_vtep_key *k)
{
	(void)k;
	++*(int *)arg;
}

static int print_tables(void)
{
	int n[5] = {0};

	ops->bind4_each(plane, count4, n);
	ops->bind6_each(plane, count6, n);
	ops->mac_each(plane, count_mac, n);
	ops->port_each(plane, count_port, n);
	if (ops->vtep_each)
		ops->vtep_each(plane, count_vtep, n + 4);
	printf("{\"result\": 0, \"bind4\": %d, \"bind6\": %d, \"macs\": %d, \"ports\": %d, \"vteps\": %d}\n", n[0],
		n[1], n[2], n[3], n[4]);
	return 1;
}

static int send_hex(char **w, int n)
{
	uint8_t frame[2048];
	size_t len = 0;

	if (n != 3)
		return -EINVAL;
	for (const char *s = w[2]; s[0] && s[1] && len < sizeof frame; s += 2) {
		char pair[3] = {s[0], s[1], 0};
		frame[len++] = (uint8_t)strtoul(pair, NULL, 16);
	}
	return ops->send(plane, (uint32_t)atoi(w[1]), frame, len);
}

static int attach(uint32_t ifindex, bool xdp)
{
	int r = ops->port_attach(plane, ifindex, xdp);

	if (r >= 0)
		printf("{\"result\": 0, \"put\": %s, \"behind\": %s}\n", r & PLANE_PUT ? "true" : "false",
			r & PLANE_BEHIND ? "true" : "false");
	return r < 0 ? r : 1;
}

/* 1: has answered itself; else the result. */
static int run(char **w, int n)
{
	if (!strcmp(w[0], "open"))
		return open_plane(w, n);
	if (!plane)
		return -ENOENT;
	if (!strcmp(w[0], "close")) {
		ops->close(plane, n == 2 && !strcmp(w[1], "keep"));
		plane = NULL;
		return 0;
	}
	if (!strcmp(w[0], "port"))
		return set_port(w, n);
	if (!strcmp(w[0], "attach"))
		return n == 3 ? attach((uint32_t)atoi(w[1]), atoi(w[2])) : -EINVAL;
	if (!strcmp(w[0], "del"))
		return n == 2 ? ops->port_del(plane, (uint32_t)atoi(w[1])) : -EINVAL;
	if (!strcmp(w[0], "bind") || !strcmp(w[0], "unbind"))
		return bind(w, n);
	if (!strcmp(w[0], "mac") || !strcmp(w[0], "unmac"))
		return set_mac(w, n);
	if (!strcmp(w[0], "policer"))
		return set_policer(w, n);
	if (!strcmp(w[0], "vtep") || !strcmp(w[0], "unvtep"))
		return set_vtep(w, n, w[0][0] == 'v');
	if (!strcmp(w[0], "would"))
		return print_would(w, n);
	if (!strcmp(w[0], "counters"))
		return print_counters(w, n);
	if (!strcmp(w[0], "zero"))
		return n == 2 ? ops->counters_zero(plane, (uint32_t)atoi(w[1])) : -EINVAL;
	if (!strcmp(w[0], "events"))
		return print_events();
	if (!strcmp(w[0], "tables"))
		return print_tables();
	if (!strcmp(w[0], "send"))
		return send_hex(w, n);
	return -EINVAL;
}

int main(void)
{
	char line[8192], *w[16];
	const char *levels = getenv("QUELL_LOG");

	if (levels && log_set_from_text(levels))
		return 2;
	while (next_line(line, sizeof line)) {
		int n = 0, result;

		for (char *s = strtok(line, " \n"); s && n < 16; s = strtok(NULL, " \n"))
			w[n++] = s;
		result = n ? run(w, n) : -EINVAL;
		/* What it queues for the kernel is there when we say so. */
		while (plane && ops == &plane_packet && serve(1))
			;
		if (result <= 0)
			printf("{\"result\": %d}\n", result);
		fflush(stdout);
	}
	if (plane)
		ops->close(plane, true);
	return 0;
}
