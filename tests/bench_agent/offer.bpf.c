/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0
 *
 * The generator's programs. `offer` makes one request and sends it through the interface; the kernel runs
 * it in a loop on pages of its own (BPF_F_TEST_XDP_LIVE_FRAMES), so that a request costs some tens of
 * nanoseconds and is a real frame all the same. An answer overwrites its request and the page comes back, so the
 * whole request is written each time. `attack` is the same with what a member does who means harm. `sink` counts what comes back, checks it, and drops it; `pass`
 * is there because XDP_TX at the other end of a veth reaches only an end that has a program; `drop` stands at that
 * other end for what the way there costs.
 *
 * Neighbour n (1 to `targets`) has n in the last two octets of its MAC, its IPv4 and its IPv6 address.
 */
#include <linux/bpf.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#define ARP_LEN 42
#define ND_LEN 86

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* Written and read by offer.c. */
struct {
	__u8 request[128]; /* to neighbour 0 */
	__u32 len, targets, ifindex, at;
	__u64 gap_ns; /* between two requests; 0: none */
	__u64 offered, answered, wrong, other;
	__u64 started_ns, timed_ns,
		timed; /* the clock at the first request, and at the last of which that is known */
} state;

/* 0: not yet. */
static __always_inline __u32 next(void)
{
	__u64 now;

	if (state.gap_ns || !(state.offered % 64)) {
		now = bpf_ktime_get_ns();
		if (!state.started_ns)
			state.started_ns = now;
		if (now < state.started_ns + state.offered * state.gap_ns)
			return 0;
		state.timed_ns = now;
		state.timed = state.offered;
	}
	state.offered++;
	state.at = state.at < state.targets ? state.at + 1 : 1;
	return state.at;
}

static __always_inline void copy(__u8 *p, __u32 len)
{
	for (__u32 i = 0; i + 2 <= len; i += 2)
		*(__u16 *)(p + i) = *(const __u16 *)(state.request + i);
}

SEC("xdp")
int offer(struct xdp_md *xdp)
{
	__u8 *p = (void *)(long)xdp->data, *end = (void *)(long)xdp->data_end;
	__u32 n = next(), sum;
	__u64 when;

	if (!n)
		return XDP_DROP;
	if (state.len == ND_LEN) {
		if (p + ND_LEN > end)
			return XDP_DROP;
		copy(p, ND_LEN);
		sum = (__u16)~bpf_ntohs(*(const __u16 *)(state.request + 56)) + n;
		sum = (sum & 0xffff) + (sum >> 16);
		*(__u16 *)(p + 76) = bpf_htons(n);
		*(__u16 *)(p + 56) = bpf_htons((__u16) ~(sum + (sum >> 16)));
	} else {
		if (p + ARP_LEN > end)
			return XDP_DROP;
		copy(p, ARP_LEN);
		*(__u16 *)(p + 40) = bpf_htons(n);
		if (state.gap_ns && p + ARP_LEN + sizeof when <= end) {
			when = bpf_cpu_to_be64(state.timed_ns);
			__builtin_memcpy(p + ARP_LEN, &when, sizeof when);
		}
	}
	return (int)bpf_redirect(state.ifindex, 0);
}

/* Writes 16 bits; what a checksum over them grows by, before it is folded. */
static __always_inline __u32 put(__u8 *p, __u32 value)
{
	__u32 was = bpf_ntohs(*(__u16 *)p);

	*(__u16 *)p = bpf_htons(value);
	return (value & 0xffff) + 0xffff - was;
}

/* At random: any target; another's MAC; another's address. */
SEC("xdp")
int attack(struct xdp_md *xdp)
{
	__u8 *p = (void *)(long)xdp->data, *end = (void *)(long)xdp->data_end;
	__u32 r = bpf_get_prandom_u32(), nd = state.len == ND_LEN, sum = 0;

	if (p + ND_LEN > end)
		return XDP_DROP;
	copy(p, ND_LEN);
	next();
	sum += put(nd ? p + 76 : p + 40, r >> 16);
	if (r % 3 == 1) {
		put(p + 10, r >> 8);
		sum += put(nd ? p + 84 : p + 26, r >> 8);
	} else if (r % 3 == 2) {
		sum += put(nd ? p + 36 : p + 30, r >> 8);
	}
	if (nd) {
		sum += (__u16)~bpf_ntohs(*(__u16 *)(p + 56));
		sum = (sum & 0xffff) + (sum >> 16);
		sum = (sum & 0xffff) + (sum >> 16);
		*(__u16 *)(p + 56) = bpf_htons((__u16)~sum);
	}
	return (int)bpf_redirect(state.ifindex, 0);
}

static __always_inline void seen(const __u8 *p, const __u8 *end)
{
	const __u16 *answered_for, *mac;

	if (p + ARP_LEN <= end && *(const __u16 *)(p + 12) == bpf_htons(0x0806) && p[21] == 2) {
		mac = (const __u16 *)(p + 26);
		answered_for = (const __u16 *)(p + 30);
	} else if (p + ND_LEN <= end && *(const __u16 *)(p + 12) == bpf_htons(0x86dd) &&
		   p[54] == 136) {
		mac = (const __u16 *)(p + 84);
		answered_for = (const __u16 *)(p + 76);
	} else {
		state.other++;
		return;
	}
	state.answered++;
	if (*mac != *answered_for || *(const __u16 *)(p + 10) != *mac)
		state.wrong++;
}

SEC("xdp")
int sink(struct xdp_md *xdp)
{
	seen((void *)(long)xdp->data, (void *)(long)xdp->data_end);
	return XDP_DROP;
}

SEC("xdp")
int pass(struct xdp_md *xdp)
{
	(void)xdp;
	return XDP_PASS;
}

SEC("xdp")
int drop(struct xdp_md *xdp)
{
	(void)xdp;
	return XDP_DROP;
}
