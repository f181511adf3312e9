/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0
 *
 * Who may speak at a port: docs/verdict.md, steps 4 (the source MAC) and 6 (the addresses that it
 * speaks for).
 */
#pragma once
#include "proxyarp/linux/bpf_verdict_parts.h"

/* Step 4. True: go on; else v->outcome. */
static __always_inline int source_good(
	struct bpf_frame *f, const struct layout_port *port, __u32 ifindex, struct verdict *v)
{
	struct layout_mac *m, *to;
	__u32 loop;

	v->outcome = OUTCOME_SPOOF_MAC;
	if (mac_is_group(f->src) || !f->src)
		return 0;
	m = mac_find(port->lan, f->src);
	if (m && m->ifindex == ifindex) {
		if (m->flags & MAC_REPORT)
			tell_put(&f->tell, EVENT_MAC);
		if (m->flags & MAC_DOWN)
			m->flags &= ~MAC_DOWN;
		return 1;
	}
	if (!m && !(port->flags & PORT_CLOSED)) {
		tell_put(&f->tell, EVENT_MAC);
		return 1;
	}
	loop = m && m->flags & (MAC_SELF | MAC_TRAP);
	if (m && !loop) {
		if (m->home == ifindex || !((port->flags & PORT_CLOSED) || (m->flags & MAC_STATIC))) {
			tell_put(&f->tell, EVENT_MOVED);
			v->outcome = OUTCOME_MOVED;
			return 0;
		}
		to = mac_find(port->lan, f->dst);
		loop = to && to->ifindex == ifindex;
	}
	if (loop && spoofs(f, port, v, RULE_LOOP, OUTCOME_LOOP, 0))
		return 0;
	return !spoofs(f, port, v, RULE_SOURCE_MAC, OUTCOME_SPOOF_MAC, 0);
}

/* A link-local address that is made from a MAC (RFC 4291 appendix A) that is known, and behind another port. */
static __always_inline int made_from_another(
	const struct bpf_frame *f, const struct layout_port *port, __u32 ifindex)
{
	const __u8 *id = (const __u8 *)address6(f, 1) + 8;
	struct layout_mac *m;
	__u64 mac = (__u64)(id[0] ^ 2) | (__u64)id[1] << 8 | (__u64)id[2] << 16 | (__u64)id[5] << 24 |
		    (__u64)id[6] << 32 | (__u64)id[7] << 40;

	if (id[3] != 0xff || id[4] != 0xfe || mac == f->src)
		return 0;
	m = mac_find(port->lan, mac);
	return m && m->ifindex != ifindex;
}

/* "Speaks for" of step 6. True: go on; else v->outcome. */
static __always_inline int speaker_good(
	struct bpf_frame *f, const struct layout_port *port, __u32 ifindex, struct verdict *v)
{
	struct layout_bind *b = bind_find(f, port->lan, 1);
	int link_local = !class_in(f->cls, CLASSES_ARP) && ip6_is_link_local(address6(f, 1));
	int good, report = 1;

	if (b && !(b->flags & BIND_SPONGE)) {
		__u32 own = mac_of(b->mac) == f->src;

		good = b->ifindex == ifindex && (own || b->flags & BIND_ALT || !(b->flags & BIND_STATIC));
		if (good)
			report = !(b->flags & BIND_STATIC) || !own;
		else
			good = !(b->flags & BIND_STATIC || port->flags & PORT_CLOSED) &&
			       !(link_local && made_from_another(f, port, ifindex));
	} else {
		good = link_local ? !made_from_another(f, port, ifindex) : !(port->flags & PORT_CLOSED);
	}
	if (!good)
		return !spoofs(f, port, v,
			class_in(f->cls, CLASSES_REPLY) ? RULE_PROXY_ARP : RULE_ADDRESS, OUTCOME_SPOOF_IP,
			1);
	if (report && !v->passed && !class_in(f->cls, CLASSES_NS) && may_tell(f))
		tell_address(&f->tell, f, EVENT_BINDING, 1);
	return 1;
}

/* --- speakers this CPU found good, with nothing to tell --- */

/* The address that a frame from an ARP sender or NS source speaks for; 0: none, and then the MAC
 * alone is remembered. */
static __always_inline __u32 speaker_family(const struct bpf_frame *f)
{
	if (class_in(f->cls, CLASSES_ARP))
		return f->sender4 ? 4 : 0;
	return f->cls == CLASS_NS || f->cls == CLASS_NS_UNICAST ? 6 : 0;
}

static __always_inline struct bpf_cached_speaker *speaker_row(
	const struct bpf_frame *f, __u32 family)
{
	__u32 ip = family == 4 ? f->sender4 : family == 6 ? f->nd_src[3] : 0;
	__u32 row = (f->src >> 40 ^ f->src >> 29 ^ ip >> 24 ^ ip >> 14) % CACHED_SPEAKERS;

	return bpf_map_lookup_elem(&cached_speakers, &row);
}

static __always_inline int speaker_known(const struct bpf_cached_speaker *c,
	const struct bpf_frame *f, __u32 family, __u32 ifindex, __u32 generation)
{
	if (!c || c->mac != f->src || c->ifindex != ifindex || c->generation != generation ||
		c->family != family)
		return 0;
	if (family == 4)
		return c->ip[0] == f->sender4;
	return !family || (c->ip[0] == f->nd_src[0] && c->ip[1] == f->nd_src[1] &&
				  c->ip[2] == f->nd_src[2] && c->ip[3] == f->nd_src[3]);
}

static __always_inline void speaker_remember(struct bpf_cached_speaker *c, const struct bpf_frame *f,
	__u32 family, __u32 ifindex, const struct verdict *v)
{
	__u32 generation = v->generation;

	if (!c || !generation || f->tell.type || v->passed)
		return;
	c->mac = f->src;
	c->ifindex = ifindex;
	c->generation = generation;
	c->family = family;
	if (family == 4)
		c->ip[0] = f->sender4;
	else if (family == 6)
		__builtin_memcpy(c->ip, f->nd_src, 16);
}
