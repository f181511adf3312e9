/* The BPF programs and the C verdict on the same bytes, at any port of a small peering LAN (tests/bpf/diff.h): a difference
 * aborts. What is reached is seen in the C one. Needs the right to load BPF; without it nothing is compared.
 *
 * Octet 0: the port; 1: direction, XDP, mark, whether the port's settings follow (19 octets); the rest is the frame.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/bpf/diff.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define SETTINGS 19

static bool ready(void)
{
	static int state; /* 1: yes, -1: no */

	if (state)
		return state > 0;
	int err = diff_open();
	state = err ? -1 : 1;
	if (err)
		fprintf(stderr, "SKIP: BPF cannot be loaded here: %s\n", strerror(-err));
	else
		atexit(diff_close);
	return !err;
}

static void set_port(uint32_t ifindex, const struct layout_port *port)
{
	(void)tables_port_set(&diff_tables, ifindex, port);
	(void)plane_bpf.port_set(diff_plane, ifindex, port);
}

static struct layout_port settings(const uint8_t *d, struct layout_port p)
{
	p.flags = d[0] & 0x3f;
	p.unknown_target = d[1] & 3;
	p.ns_option = d[1] >> 2 & 3;
	memcpy(&p.rules, d + 2, 8);
	memcpy(&p.flood_classes, d + 10, 8);
	p.policed[DIR_IN] = p.policed[DIR_OUT] = d[18];
	return p;
}

static void compare(const struct frame_made *m, uint32_t port, uint8_t how)
{
	static const uint32_t marks[8] = {0, MARK_ANSWER, MARK_FLOOD, MARK_PROBE, 0x1234, MARK_FLOOD | 7};

	if (how & 1)
		diff_compare(m, port, DIR_OUT, marks[how >> 2 & 7]);
	else if (how & 2 && diff_is_member(port))
		diff_compare_xdp(m, port);
	else
		diff_compare(m, port, DIR_IN, marks[how >> 2 & 7]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct frame_made m;
	bool sets = size > 1 && data[1] & 0x80;
	size_t at = sets ? 2 + SETTINGS : 2;

	if (size < at || size - at > 1500 || !ready())
		return 0;
	uint32_t port = diff_ports[data[0] % DIFF_PORTS];
	const struct layout_port *found = tables_port(&diff_tables, port);
	struct layout_port was = found ? *found : (struct layout_port){0}, now;

	m.len = size - at;
	memcpy(m.b, data + at, m.len);
	if (!diff_can_run(&m))
		return 0;
	sets = sets && found;
	if (sets) {
		now = settings(data + 2, was);
		set_port(port, &now);
	}
	compare(&m, port, data[1]);
	if (sets)
		set_port(port, &was);
	return 0;
}
