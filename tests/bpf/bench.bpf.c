/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0
 *
 * The data plane's own programs under a stopwatch: a test run repeats on one buffer, which the
 * answer overwrites, so each round puts the next request there. bench_tc_nothing and
 * bench_xdp_nothing do only that, to be subtracted.
 */
#include "proxyarp/linux/quell.bpf.c"

/* In this order, zero at first: bench.c writes them. */
struct {
	__u8 request[88];  /* behind two octets, so that it is aligned as answers are */
	__u32 request_len; /* 42: ARP; 86: NS */
	__u32 targets, answered, at;
} bench;

/* Target number `at` stands in the last two octets of the address; an NS's checksum follows it. */
static __always_inline void next_request(void)
{
	__u32 n = bench.at + 1 < bench.targets ? bench.at + 1 : 0, sum;

	if (bench.request_len == 42) {
		*(__u16 *)(bench.request + 42) = BE16(n);
	} else {
		sum = BE16(*(__u16 *)(bench.request + 58)) + bench.at + 0xffff - n;
		sum = (sum & 0xffff) + (sum >> 16);
		sum = (sum & 0xffff) + (sum >> 16);
		*(__u16 *)(bench.request + 58) = BE16(sum);
		*(__u16 *)(bench.request + 78) = BE16(n);
	}
	bench.at = n;
}

static __always_inline void put_skb(struct __sk_buff *skb)
{
	next_request();
	if (bench.request_len == 42)
		bpf_skb_store_bytes(skb, 0, bench.request + 2, 42, 0);
	else
		bpf_skb_store_bytes(skb, 0, bench.request + 2, 86, 0);
}

static __always_inline void put_xdp(struct xdp_md *xdp)
{
	next_request();
	if (bench.request_len == 42)
		bpf_xdp_store_bytes(xdp, 0, bench.request + 2, 42);
	else
		bpf_xdp_store_bytes(xdp, 0, bench.request + 2, 86);
}

SEC("tc")
int bench_tc(struct __sk_buff *skb)
{
	bench.answered += tc_in(skb, PORT_MEMBER) == TC_ACT_REDIRECT;
	put_skb(skb);
	return 0;
}

SEC("tc")
int bench_tc_nothing(struct __sk_buff *skb)
{
	put_skb(skb);
	return 0;
}

SEC("xdp")
int bench_xdp(struct xdp_md *xdp)
{
	bench.answered += xdp_in(xdp) == XDP_TX;
	put_xdp(xdp);
	return 0;
}

SEC("xdp")
int bench_xdp_nothing(struct xdp_md *xdp)
{
	put_xdp(xdp);
	return 0;
}
