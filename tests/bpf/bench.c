/* Nanoseconds of one answer, program alone: `bench bench.bpf.o [BINDINGS]`. The asker is registered and its
 * targets are asked for in turn, or one alone (`hot`), with all rules on; `policed` is the same with every bucket there
 * is, `dynamic` that with learned bindings, so that each frame is an event that was told a moment ago. */
#define _GNU_SOURCE /* CPU_SET */
#include <linux/bpf.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "proxyarp/layout.h"
#include "proxyarp/linux/bpf_scratch.h"
#include "tests/proxyarp/frames.h"

#define ROUNDS 20000
#define KINDS 4

static struct bpf_object *obj;

static int map(const char *name)
{
	return bpf_object__find_map_fd_by_name(obj, name);
}

static int program(const char *name)
{
	return bpf_program__fd(bpf_object__find_program_by_name(obj, name));
}

static void load(const char *path, uint32_t bindings)
{
	obj = bpf_object__open_file(path, NULL);
	if (!obj)
		exit(1);
	for (const char **m = (const char *[]){"bind4", "bind6", "macs", "ports", NULL}; *m; m++)
		bpf_map__set_max_entries(bpf_object__find_map_by_name(obj, *m), bindings + 16);
	bpf_map__set_max_entries(
		bpf_object__find_map_by_name(obj, "policers"), POLICER_INDEX(1, 0, 0));
	if (bpf_object__load(obj))
		exit(1);
}

/* 10 Gbit/s and bursts of 100 ms: never empty, as they are for the frames of a decent member. */
static void fill_policers(void)
{
	const struct bpf_policer p = {.conf = {10000000000, 125000000, UNIT_BITS},
		.each_ns = (8 << POLICER_SHIFT) / 10,
		.burst_ns = 100000000};

	for (uint32_t row = 0; row < POLICER_INDEX(1, 0, 0); row++)
		bpf_map_update_elem(map("policers"), &row, &p, BPF_ANY);
}

static void fill(uint32_t bindings, uint8_t flags, bool policed)
{
	struct layout_port port = {.lan = 100, .kind = PORT_MEMBER, .flags = PORT_CLOSED};
	uint32_t lo = 1, zero = 0;
	uint64_t generation = 1;

	if (policed) {
		memset(port.policed, (1 << POLICE_COUNT) - 1, sizeof port.policed);
		fill_policers();
	}

	bpf_map_update_elem(map("generation"), &zero, &generation, BPF_ANY);
	bpf_map_update_elem(map("ports"), &lo, &port, BPF_ANY);
	for (uint32_t n = 0; n < bindings + 1; n++) {
		bool asker = n == bindings;
		struct layout_key4 k4 = {100, {198, 18, (uint8_t)(n >> 8), (uint8_t)n}};
		struct layout_key6 k6 = {
			100, {0x20, 1, 0x0d, 0xb8, [14] = (uint8_t)(n >> 8), (uint8_t)n}};
		struct layout_bind b = {
			{2, 0, 1, 0, (uint8_t)(n >> 8), (uint8_t)n}, flags, 0, asker ? lo : 7};
		struct layout_mac_key km = {.lan = 100};
		struct layout_mac m = {b.ifindex, b.ifindex, MAC_STATIC, {0}};

		if (asker) {
			memcpy(k4.ip, (uint8_t[]){198, 19, 0, 1}, 4);
			memcpy(k6.ip + 13, (uint8_t[]){1, 0, 0}, 3);
			memcpy(b.mac, (uint8_t[]){2, 0, 0, 0, 0, 'A'}, 6);
		}
		memcpy(km.mac, b.mac, 6);
		bpf_map_update_elem(map("bind4"), &k4, &b, BPF_ANY);
		bpf_map_update_elem(map("bind6"), &k6, &b, BPF_ANY);
		bpf_map_update_elem(map("macs"), &km, &m, BPF_ANY);
	}
}

/* .bss: request, request_len, targets, answered, at */
struct bss {
	uint8_t request[88];
	uint32_t request_len, targets, answered, at;
};

static uint32_t run(const char *prog, const struct frame_made *m, uint32_t bindings, bool expect)
{
	uint32_t zero = 0, best = ~0u;
	uint8_t out[256];
	struct bpf_map *bss = bpf_object__find_map_by_name(obj, "bench.bss");

	for (int i = 0; i < 50; i++) {
		struct bss b = {.request_len = (uint32_t)m->len, .targets = bindings};
		LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = m->b,
			.data_size_in = (uint32_t)m->len, .data_out = out,
			.data_size_out = sizeof out, .repeat = ROUNDS);

		memcpy(b.request + 2, m->b, m->len);
		bpf_map_update_elem(bpf_map__fd(bss), &zero, &b, BPF_ANY);
		if (bpf_prog_test_run_opts(program(prog), &opts)) {
			perror(prog);
			exit(1);
		}
		bpf_map_lookup_elem(bpf_map__fd(bss), &zero, &b);
		if (expect && b.answered != ROUNDS) {
			fprintf(stderr, "%s: %u answers to %u requests\n", prog, b.answered,
				ROUNDS);
			exit(1);
		}
		if (opts.duration < best)
			best = opts.duration;
	}
	return best;
}

int main(int argc, char **argv)
{
	static const struct frame_spec specs[] = {
		ARP(.from = "198.19.0.1", .to = "198.18.0.0"),
		NS(.from = "2001:db8::1:0", .target = "2001:db8::", .hex = "0101 020000000041"),
	};
	static const uint32_t sizes[] = {1000, 10000, 60000};
	static const struct {
		const char *name;
		bool hot, policed;
		uint8_t flags;
	} kinds[] = {
		{"hot", true, false, BIND_STATIC},
		{"static", false, false, BIND_STATIC},
		{"policed", false, true, BIND_STATIC},
		{"dynamic", false, true, 0},
	};
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(0, &one);
	sched_setaffinity(0, sizeof one, &one);
	printf("%-9s %9s %8s %8s %8s %8s\n", "bindings", "", "tc ARP", "tc NS", "XDP ARP",
		"XDP NS");
	for (size_t i = 0; argc >= 2 && i < 3 * KINDS; i++) {
		uint32_t bindings = sizes[i / KINDS], ns[4];
		size_t k = i % KINDS;

		if (argc > 2 && (uint32_t)atoi(argv[2]) != bindings)
			continue;
		load(argv[1], bindings);
		fill(bindings, kinds[k].flags, kinds[k].policed);
		for (size_t j = 0; j < 4; j++) {
			struct frame_made m = frame_make(&specs[j & 1]);
			uint32_t targets = kinds[k].hot ? 1 : bindings;
			ns[j] = run(j < 2 ? "bench_tc" : "bench_xdp", &m, targets, true) -
				run(j < 2 ? "bench_tc_nothing" : "bench_xdp_nothing", &m, targets, false);
		}
		printf("%-9u %9s %8u %8u %8u %8u\n", bindings, kinds[k].name, ns[0], ns[1], ns[2], ns[3]);
		bpf_object__close(obj);
	}
	return 0;
}
