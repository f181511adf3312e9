/* The frames of a refresh. ARP: sender IP 0 (RFC 5227 section 2.1.1), so that nobody's cache learns
 * from it; ND: the link-local address that the PE's MAC makes (RFC 4291 appendix A), since an NS
 * from :: would be DAD. */
#include "proxyarp/probe.h"

#include "proxyarp/wire_frame.h"

_Static_assert(PROBE_MAX >= WIRE_ND_LEN, "the longer of the two");

size_t probe_build(struct mac from, struct mac to, struct ip ip, uint8_t out[static PROBE_MAX])
{
	uint8_t own[16];

	if (ip.family == 4)
		return wire_arp(&(struct wire_arp){.dst = to.b, .src = from.b, .opcode = 1, .target_ip = ip.b}, out);
	wire_link_local(from.b, own);
	return wire_nd(&(struct wire_nd){.dst = to.b,
			       .src = from.b,
			       .ip_src = own,
			       .ip_dst = ip.b,
			       .target = ip.b,
			       .type = WIRE_NS},
		out);
}
