/* The verdict, frame by frame: docs/verdict.md as a table. */
#include <check.h>
#include <stdio.h>

#include "proxyarp/verdict.h"
#include "world.h"

#define EV(e) EVENT_##e

struct row {
	const char *text;
	uint32_t port;
	struct frame_spec frame;
	enum frame_class cls;
	enum frame_outcome outcome;
	int event; /* 0: none */
};

#define V4A "198.18.0.1"
#define V4B "198.18.0.2"
#define V4C "198.18.0.3"
#define V4R "198.18.0.9"
#define FREE4 "198.18.0.77"
#define V6A "2001:db8::1"
#define V6B "2001:db8::2"
#define V6C "2001:db8::3"
#define V6R "2001:db8::9"
#define FREE6 "2001:db8::77"
#define SLL_A "0101 020000000041"
#define SLL_R "0101 020000000052"
#define TLL_A "0201 020000000041"
#define TLL_B "0201 020000000042"
#define NONCE "0e01 010203040506"
#define ZEROS16 "00000000000000000000000000000000"
#define ROUTER16 "fe800000000000000000000000000009"
#define GLOBAL16 "20010db8000000000000000000000009"
#define GROUP16 "ff020000000000000000000000000001"

static const struct row rows_in[] = {
	/* ARP requests */
	{"known target, other port", 10, ARP(.from = V4A, .to = V4B), CLASS_ARP_REQUEST, OUTCOME_ANSWERED, 0},
	{"known target, behind another PE", 10, ARP(.from = V4A, .to = V4R), CLASS_ARP_REQUEST, OUTCOME_ANSWERED, 0},
	{"known target, open port's", 10, ARP(.from = V4A, .to = V4C), CLASS_ARP_REQUEST, OUTCOME_ANSWERED, 0},
	{"trailer of 18", 10, ARP(.from = V4A, .to = V4B, .cut = -18), CLASS_ARP_REQUEST, OUTCOME_ANSWERED, 0},
	{"to a multicast MAC", 10, ARP(.dst = 'm', .from = V4A, .to = V4B), CLASS_ARP_REQUEST, OUTCOME_ANSWERED, 0},
	{"unknown target", 10, ARP(.from = V4A, .to = FREE4), CLASS_ARP_REQUEST, OUTCOME_UNKNOWN_TARGET, 0},
	{"silent target", 10, ARP(.from = V4A, .to = "198.18.0.8"), CLASS_ARP_REQUEST, OUTCOME_UNKNOWN_TARGET, 0},
	{"unknown target, policy sponge", 11, ARP(.src = 'B', .from = V4B, .to = FREE4), CLASS_ARP_REQUEST, OUTCOME_UNKNOWN_TARGET, 0},
	{"unknown target, policy police", 14, ARP(.src = 'D', .from = "198.18.0.4", .to = FREE4), CLASS_ARP_REQUEST, OUTCOME_FLOODED, 0},
	{"silent target, policy police", 14, ARP(.src = 'D', .from = "198.18.0.4", .to = "198.18.0.8"), CLASS_ARP_REQUEST, OUTCOME_FLOODED, 0},
	{"target behind the same port", 10, ARP(.from = V4A, .to = "198.18.0.7"), CLASS_ARP_REQUEST, OUTCOME_OWN_TARGET, 0},
	{"second MAC of the port asks for the first's", 10, ARP(.src = 'a', .from = "198.18.0.7", .to = V4A), CLASS_ARP_REQUEST, OUTCOME_OWN_TARGET, EV(BINDING)},
	{"second MAC speaks for a binding that allows it", 10, ARP(.src = 'a', .from = "198.18.0.7", .to = V4B), CLASS_ARP_REQUEST, OUTCOME_ANSWERED, EV(BINDING)},
	{"first MAC of such a binding", 10, ARP(.from = "198.18.0.7", .to = V4B), CLASS_ARP_REQUEST, OUTCOME_ANSWERED, 0},
	{"second MAC speaks for a binding that does not", 10, ARP(.src = 'a', .from = V4A, .to = V4B), CLASS_ARP_REQUEST, OUTCOME_SPOOF_IP, EV(SPOOF)},
	{"another port's address", 10, ARP(.from = V4B, .to = V4R), CLASS_ARP_REQUEST, OUTCOME_SPOOF_IP, EV(SPOOF)},
	{"a remote address", 10, ARP(.from = V4R, .to = V4B), CLASS_ARP_REQUEST, OUTCOME_SPOOF_IP, EV(SPOOF)},
	{"an address nobody has, closed", 10, ARP(.from = FREE4, .to = V4B), CLASS_ARP_REQUEST, OUTCOME_SPOOF_IP, EV(SPOOF)},
	{"another's sender hardware address", 10, ARP(.sha = 'B', .from = V4A, .to = V4B), CLASS_ARP_REQUEST, OUTCOME_SENDER_MISMATCH, 0},
	{"not this port's MAC", 10, ARP(.src = 'B', .from = V4A, .to = V4B), CLASS_ARP_REQUEST, OUTCOME_SPOOF_MAC, EV(SPOOF)},
	{"the bridge's MAC", 10, ARP(.src = 'S', .from = V4A, .to = V4B), CLASS_ARP_REQUEST, OUTCOME_SPOOF_MAC, EV(SPOOF)},
	{"nobody's MAC, closed", 10, ARP(.src = 'U', .from = V4A, .to = V4B), CLASS_ARP_REQUEST, OUTCOME_SPOOF_MAC, EV(SPOOF)},
	{"a remote MAC, closed", 10, ARP(.src = 'R', .from = V4A, .to = V4B), CLASS_ARP_REQUEST, OUTCOME_SPOOF_MAC, EV(SPOOF)},
	{"group source", 10, ARP(.src = 'g', .from = V4A, .to = V4B), CLASS_ARP_REQUEST, OUTCOME_SPOOF_MAC, 0},
	{"zero source", 10, ARP(.src = '0', .from = V4A, .to = V4B), CLASS_ARP_REQUEST, OUTCOME_SPOOF_MAC, 0},
	{"registered here, elsewhere now", 10, ARP(.src = 'H', .from = V4A, .to = V4B), CLASS_ARP_REQUEST, OUTCOME_MOVED, EV(MOVED)},
	{"awaited MAC", 10, ARP(.src = 'P', .to = FREE4, .from = "198.18.0.7"), CLASS_ARP_REQUEST, OUTCOME_UNKNOWN_TARGET, EV(BINDING)},
	{"quarantine", 13, ARP(.from = V4A, .to = V4B), CLASS_ARP_REQUEST, OUTCOME_QUARANTINE, 0},
	{"port that is not ours", 99, ARP(.from = V4A, .to = V4B), CLASS_ARP_REQUEST, OUTCOME_ERROR, 0},
	/* on an open port */
	{"open, known", 12, ARP(.src = 'C', .from = V4C, .to = V4B), CLASS_ARP_REQUEST, OUTCOME_ANSWERED, EV(BINDING)},
	{"open, new address", 12, ARP(.src = 'C', .from = FREE4, .to = V4B), CLASS_ARP_REQUEST, OUTCOME_ANSWERED, EV(BINDING)},
	{"open, new MAC, new address", 12, ARP(.src = 'U', .from = FREE4, .to = V4B), CLASS_ARP_REQUEST, OUTCOME_ANSWERED, EV(BINDING)},
	{"open, new MAC takes a learned address", 12, ARP(.src = 'U', .from = V4C, .to = V4B), CLASS_ARP_REQUEST, OUTCOME_ANSWERED, EV(BINDING)},
	{"open, a remote address", 12, ARP(.src = 'C', .from = V4R, .to = V4B), CLASS_ARP_REQUEST, OUTCOME_ANSWERED, EV(BINDING)},
	{"open, a registered address", 12, ARP(.src = 'C', .from = V4A, .to = V4B), CLASS_ARP_REQUEST, OUTCOME_SPOOF_IP, EV(SPOOF)},
	{"open, a remote MAC", 12, ARP(.src = 'R', .from = V4R, .to = V4B), CLASS_ARP_REQUEST, OUTCOME_MOVED, EV(MOVED)},
	{"open, a registered MAC", 12, ARP(.src = 'A', .from = V4A, .to = V4B), CLASS_ARP_REQUEST, OUTCOME_SPOOF_MAC, EV(SPOOF)},
	{"open, new MAC, malformed", 12, ARP(.src = 'U', .from = FREE4, .to = V4B, .cut = 1), CLASS_ARP_BAD, OUTCOME_MALFORMED, EV(MAC)},
	{"open, a learned MAC of another port", 10, ARP(.src = 'C', .from = V4C, .to = V4B), CLASS_ARP_REQUEST, OUTCOME_SPOOF_MAC, EV(SPOOF)},
	/* probes, announcements, replies, unicast */
	{"probe for another's", 10, ARP(.from = "0.0.0.0", .to = V4B), CLASS_ARP_PROBE, OUTCOME_ANSWERED, 0},
	{"probe for its own", 10, ARP(.from = "0.0.0.0", .to = V4A), CLASS_ARP_PROBE, OUTCOME_OWN_TARGET, 0},
	{"probe for a free one", 10, ARP(.from = "0.0.0.0", .to = FREE4), CLASS_ARP_PROBE, OUTCOME_FREE_PROBE, EV(PROBE)},
	{"probe for a free one, policy police", 14, ARP(.src = 'D', .from = "0.0.0.0", .to = FREE4), CLASS_ARP_PROBE, OUTCOME_FLOODED, EV(PROBE)},
	{"probe from an awaited MAC", 10, ARP(.src = 'P', .from = "0.0.0.0", .to = FREE4), CLASS_ARP_PROBE, OUTCOME_FREE_PROBE, EV(PROBE)},
	{"probe for a silent one", 10, ARP(.from = "0.0.0.0", .to = "198.18.0.8"), CLASS_ARP_PROBE, OUTCOME_FREE_PROBE, EV(PROBE)},
	{"probe, unicast", 10, ARP(.dst = 'B', .from = "0.0.0.0", .to = V4B), CLASS_ARP_UNICAST, OUTCOME_FORWARDED, 0},
	{"probe for 0.0.0.0", 10, ARP(.from = "0.0.0.0", .to = "0.0.0.0"), CLASS_ARP_PROBE, OUTCOME_FREE_PROBE, EV(PROBE)},
	{"gratuitous request", 10, ARP(.from = V4A, .to = V4A), CLASS_ARP_GRATUITOUS, OUTCOME_ABSORBED, 0},
	{"gratuitous reply", 10, ARP(.op = 2, .from = V4A, .to = V4A), CLASS_ARP_GRATUITOUS, OUTCOME_ABSORBED, 0},
	{"gratuitous, spoofed", 10, ARP(.from = V4B, .to = V4B), CLASS_ARP_GRATUITOUS, OUTCOME_SPOOF_IP, EV(SPOOF)},
	{"gratuitous, open, new", 12, ARP(.src = 'C', .from = FREE4, .to = FREE4), CLASS_ARP_GRATUITOUS, OUTCOME_ABSORBED, EV(BINDING)},
	{"gratuitous, may flood", 16, ARP(.src = 'F', .from = "198.18.0.6", .to = "198.18.0.6"), CLASS_ARP_GRATUITOUS, OUTCOME_FLOODED, 0},
	{"gratuitous, may flood, spoofed", 16, ARP(.src = 'F', .from = "198.18.0.66", .to = "198.18.0.66"), CLASS_ARP_GRATUITOUS, OUTCOME_SPOOF_IP, EV(SPOOF)},
	{"reply", 10, ARP(.op = 2, .dst = 'B', .from = V4A, .to = V4B), CLASS_ARP_REPLY, OUTCOME_FORWARDED, 0},
	{"reply to nobody's MAC", 10, ARP(.op = 2, .dst = 'U', .from = V4A, .to = V4B), CLASS_ARP_REPLY, OUTCOME_UNKNOWN_UNICAST, 0},
	{"reply, broadcast", 10, ARP(.op = 2, .from = V4A, .to = V4B), CLASS_ARP_REPLY_BCAST, OUTCOME_ABSORBED, 0},
	{"reply with sender zero", 10, ARP(.op = 2, .dst = 'B', .from = "0.0.0.0", .to = V4B), CLASS_ARP_REPLY, OUTCOME_FORWARDED, 0},
	{"reply, spoofed", 10, ARP(.op = 2, .dst = 'B', .from = V4R, .to = V4B), CLASS_ARP_REPLY, OUTCOME_SPOOF_IP, EV(SPOOF)},
	{"unicast request", 10, ARP(.dst = 'B', .from = V4A, .to = V4B), CLASS_ARP_UNICAST, OUTCOME_FORWARDED, 0},
	{"unicast request to the remote", 10, ARP(.dst = 'R', .from = V4A, .to = V4R), CLASS_ARP_UNICAST, OUTCOME_FORWARDED, 0},
	{"unicast request to the bridge", 10, ARP(.dst = 'S', .from = V4A, .to = V4R), CLASS_ARP_UNICAST, OUTCOME_LOCAL, 0},
	{"unicast request to nobody", 14, ARP(.src = 'D', .dst = 'U', .from = "198.18.0.4", .to = V4R), CLASS_ARP_UNICAST, OUTCOME_FLOODED, 0},
	/* bad ARP */
	{"41 octets", 10, ARP(.from = V4A, .to = V4B, .cut = 1), CLASS_ARP_BAD, OUTCOME_MALFORMED, 0},
	{"14 octets", 10, ARP(.from = V4A, .to = V4B, .cut = 28), CLASS_ARP_BAD, OUTCOME_MALFORMED, 0},
	{"13 octets", 10, ARP(.from = V4A, .to = V4B, .cut = 29), CLASS_RUNT, OUTCOME_MALFORMED, 0},
	{"hardware type 6", 10, ARP(.from = V4A, .to = V4B, .patch_at = 15, .patch = 6), CLASS_ARP_BAD, OUTCOME_MALFORMED, 0},
	{"protocol type 0x0801", 10, ARP(.from = V4A, .to = V4B, .patch_at = 17, .patch = 1), CLASS_ARP_BAD, OUTCOME_MALFORMED, 0},
	{"hardware length 8", 10, ARP(.from = V4A, .to = V4B, .patch_at = 18, .patch = 8), CLASS_ARP_BAD, OUTCOME_MALFORMED, 0},
	{"protocol length 16", 10, ARP(.from = V4A, .to = V4B, .patch_at = 19, .patch = 16), CLASS_ARP_BAD, OUTCOME_MALFORMED, 0},
	{"opcode 0", 10, ARP(.from = V4A, .to = V4B, .patch_at = 21, .patch = 0), CLASS_ARP_BAD, OUTCOME_MALFORMED, 0},
	{"opcode 3 (RARP)", 10, ARP(.op = 3, .from = V4A, .to = V4B), CLASS_ARP_BAD, OUTCOME_MALFORMED, 0},
	{"bad, from nobody's MAC", 10, ARP(.src = 'U', .op = 3, .from = V4A, .to = V4B), CLASS_ARP_BAD, OUTCOME_SPOOF_MAC, EV(SPOOF)},

	/* NS */
	{"NS known", 10, NS(.from = V6A, .target = V6B, .hex = SLL_A), CLASS_NS, OUTCOME_ANSWERED, 0},
	{"NS known, remote", 10, NS(.from = V6A, .target = V6R, .hex = SLL_A), CLASS_NS, OUTCOME_ANSWERED, 0},
	{"NS known, no option", 10, NS(.from = V6A, .target = V6B), CLASS_NS, OUTCOME_ANSWERED, 0},
	{"NS known, nonce", 10, NS(.from = V6A, .target = V6B, .hex = SLL_A NONCE), CLASS_NS, OUTCOME_ANSWERED, 0},
	{"NS known, trailer", 10, NS(.from = V6A, .target = V6B, .hex = SLL_A, .cut = -6), CLASS_NS, OUTCOME_ANSWERED, 0},
	{"NS from a link-local", 10, NS(.from = "fe80::a", .target = V6B, .hex = SLL_A), CLASS_NS, OUTCOME_ANSWERED, 0},
	{"NS from a new link-local", 10, NS(.from = "fe80::abcd", .target = V6B, .hex = SLL_A), CLASS_NS, OUTCOME_ANSWERED, 0},
	{"NS from the second MAC, a learned link-local", 10, NS(.src = 'a', .from = "fe80::a", .target = V6B), CLASS_NS, OUTCOME_ANSWERED, 0},
	{"NA from the second MAC, a learned link-local", 10, NA(.src = 'a', .dst = 'n', .from = "fe80::a", .to = "ff02::1", .target = "fe80::a", .flags = 0x20), CLASS_NA_UNSOLICITED, OUTCOME_ABSORBED, EV(BINDING)},
	{"NS from the link-local made from its MAC", 10, NS(.from = "fe80::ff:fe00:41", .target = V6B), CLASS_NS, OUTCOME_ANSWERED, 0},
	{"NS from the link-local made from the port's other MAC", 10, NS(.from = "fe80::ff:fe00:61", .target = V6B), CLASS_NS, OUTCOME_ANSWERED, 0},
	{"NS from the link-local made from nobody's MAC", 10, NS(.from = "fe80::ff:fe00:55", .target = V6B), CLASS_NS, OUTCOME_ANSWERED, 0},
	{"NS from the link-local made from another port's MAC", 10, NS(.from = "fe80::ff:fe00:42", .target = V6C), CLASS_NS, OUTCOME_SPOOF_IP, EV(SPOOF)},
	{"NS from the link-local made from a remote MAC", 10, NS(.from = "fe80::ff:fe00:52", .target = V6B), CLASS_NS, OUTCOME_SPOOF_IP, EV(SPOOF)},
	{"NS from the link-local made from the bridge's MAC", 10, NS(.from = "fe80::ff:fe00:53", .target = V6B), CLASS_NS, OUTCOME_SPOOF_IP, EV(SPOOF)},
	{"NA for the link-local made from another port's MAC, open", 12, NA(.src = 'C', .dst = 'A', .from = V6C, .to = V6A, .target = "fe80::ff:fe00:42", .flags = 0x20), CLASS_NA, OUTCOME_SPOOF_IP, EV(SPOOF)},
	{"NA for a global address that looks so, open", 12, NA(.src = 'C', .dst = 'A', .from = V6C, .to = V6A, .target = "2001:db8::ff:fe00:42", .flags = 0x20), CLASS_NA, OUTCOME_FORWARDED, EV(BINDING)},
	{"NS from another's link-local", 11, NS(.src = 'B', .from = "fe80::a", .target = V6A), CLASS_NS, OUTCOME_SPOOF_IP, EV(SPOOF)},
	{"NS unknown", 10, NS(.from = V6A, .target = FREE6, .hex = SLL_A), CLASS_NS, OUTCOME_UNKNOWN_TARGET, 0},
	{"NS silent", 10, NS(.from = V6A, .target = "2001:db8::8", .hex = SLL_A), CLASS_NS, OUTCOME_UNKNOWN_TARGET, 0},
	{"NS own", 10, NS(.from = V6A, .target = "fe80::a", .hex = SLL_A), CLASS_NS, OUTCOME_OWN_TARGET, 0},
	{"NS spoofed source", 10, NS(.from = V6B, .target = V6R, .hex = SLL_A), CLASS_NS, OUTCOME_SPOOF_IP, EV(SPOOF)},
	{"NS unknown source", 10, NS(.from = FREE6, .target = V6R, .hex = SLL_A), CLASS_NS, OUTCOME_SPOOF_IP, EV(SPOOF)},
	{"NS another's option", 10, NS(.from = V6A, .target = V6B, .hex = SLL_R), CLASS_NS, OUTCOME_SENDER_MISMATCH, 0},
	{"NS second option lies", 10, NS(.from = V6A, .target = V6B, .hex = SLL_A SLL_R), CLASS_NS, OUTCOME_SENDER_MISMATCH, 0},
	{"NS with a target option of another: odd, reply", 10, NS(.from = V6A, .target = V6B, .hex = SLL_A TLL_B), CLASS_NS, OUTCOME_ANSWERED, 0},
	{"NS odd option, reply", 10, NS(.from = V6A, .target = V6B, .hex = SLL_A "2501 000000000000"), CLASS_NS, OUTCOME_ANSWERED, 0},
	{"NS odd option, discard", 15, NS(.src = 'E', .from = "2001:db8::e", .target = V6B, .hex = "2501 000000000000"), CLASS_NS, OUTCOME_NS_OPTION, 0},
	{"NS odd option, forward", 16, NS(.src = 'F', .from = "2001:db8::f", .target = V6B, .hex = "2501 000000000000"), CLASS_NS, OUTCOME_FLOODED, 0},
	{"NS nonce, discard", 15, NS(.src = 'E', .from = "2001:db8::e", .target = V6B, .hex = NONCE), CLASS_NS, OUTCOME_ANSWERED, 0},
	{"DAD odd option, discard", 15, NS(.src = 'E', .from = "::", .target = V6B, .hex = "2501 000000000000"), CLASS_NS_DAD, OUTCOME_NS_OPTION, 0},
	{"NS open, learned source", 12, NS(.src = 'C', .from = V6C, .target = V6B), CLASS_NS, OUTCOME_ANSWERED, 0},
	{"NS open, new source: no entry from NS", 12, NS(.src = 'C', .from = FREE6, .target = V6B), CLASS_NS, OUTCOME_ANSWERED, 0},
	{"NS open, new MAC", 12, NS(.src = 'U', .from = FREE6, .target = V6B), CLASS_NS, OUTCOME_ANSWERED, EV(MAC)},
	{"NS unicast", 10, NS(.dst = 'B', .from = V6A, .to = V6B, .target = V6B, .hex = SLL_A), CLASS_NS_UNICAST, OUTCOME_FORWARDED, 0},
	{"NS unicast, spoofed", 10, NS(.dst = 'B', .from = V6R, .to = V6B, .target = V6B), CLASS_NS_UNICAST, OUTCOME_SPOOF_IP, EV(SPOOF)},
	{"DAD of another's", 10, NS(.from = "::", .target = V6B), CLASS_NS_DAD, OUTCOME_ANSWERED, 0},
	{"DAD of another's, nonce", 10, NS(.from = "::", .target = V6B, .hex = NONCE), CLASS_NS_DAD, OUTCOME_ANSWERED, 0},
	{"DAD of its own", 10, NS(.from = "::", .target = V6A), CLASS_NS_DAD, OUTCOME_OWN_TARGET, 0},
	{"DAD of a free one", 10, NS(.from = "::", .target = FREE6), CLASS_NS_DAD, OUTCOME_FREE_PROBE, EV(PROBE)},
	{"DAD of a free one, police", 14, NS(.src = 'D', .from = "::", .target = FREE6), CLASS_NS_DAD, OUTCOME_FLOODED, EV(PROBE)},
	{"DAD to a unicast MAC", 10, NS(.dst = 'B', .from = "::", .target = V6B), CLASS_NS_DAD, OUTCOME_ANSWERED, 0},
	/* bad ND */
	{"DAD with a source option", 10, NS(.from = "::", .target = V6B, .hex = SLL_A), CLASS_ND_BAD, OUTCOME_MALFORMED, 0},
	{"DAD to all nodes", 10, NS(.from = "::", .to = "ff02::1", .target = V6B), CLASS_ND_BAD, OUTCOME_MALFORMED, 0},
	{"DAD to unicast", 10, NS(.from = "::", .to = V6B, .target = V6B), CLASS_ND_BAD, OUTCOME_MALFORMED, 0},
	{"hop limit 254", 10, NS(.from = V6A, .target = V6B, .hop = 254), CLASS_ND_BAD, OUTCOME_MALFORMED, 0},
	{"hop limit 1", 10, NS(.from = V6A, .target = V6B, .hop = 1), CLASS_ND_BAD, OUTCOME_MALFORMED, 0},
	{"code 1", 10, NS(.from = V6A, .target = V6B, .code = 1), CLASS_ND_BAD, OUTCOME_MALFORMED, 0},
	{"checksum", 10, NS(.from = V6A, .target = V6B, .hex = SLL_A, .bad_sum = 1), CLASS_ND_BAD, OUTCOME_MALFORMED, 0},
	{"checksum, DAD", 10, NS(.from = "::", .target = V6B, .bad_sum = 0x100), CLASS_ND_BAD, OUTCOME_MALFORMED, 0},
	{"multicast target", 10, NS(.from = V6A, .to = "ff02::1", .target = "ff02::1"), CLASS_ND_BAD, OUTCOME_MALFORMED, 0},
	{"multicast source", 10, NS(.from = "ff02::2", .target = V6B), CLASS_ND_BAD, OUTCOME_MALFORMED, 0},
	{"option of length zero", 10, NS(.from = V6A, .target = V6B, .hex = "0100 020000000041"), CLASS_ND_BAD, OUTCOME_MALFORMED, 0},
	{"second option of length zero", 10, NS(.from = V6A, .target = V6B, .hex = SLL_A "0e00 000000000000"), CLASS_ND_BAD, OUTCOME_MALFORMED, 0},
	{"option past the end", 10, NS(.from = V6A, .target = V6B, .hex = "0102 020000000041"), CLASS_ND_BAD, OUTCOME_MALFORMED, 0},
	{"option of one octet", 10, NS(.from = V6A, .target = V6B, .hex = SLL_A "01"), CLASS_ND_BAD, OUTCOME_MALFORMED, 0},
	{"option of four octets", 10, NS(.from = V6A, .target = V6B, .hex = "01010200"), CLASS_ND_BAD, OUTCOME_MALFORMED, 0},
	{"payload length too long", 10, NS(.from = V6A, .target = V6B, .hex = SLL_A, .plen = 8), CLASS_ND_BAD, OUTCOME_MALFORMED, 0},
	{"payload length short: option is a trailer", 10, NS(.from = V6A, .target = V6B, .hex = SLL_R, .plen = -8), CLASS_NS, OUTCOME_ANSWERED, 0},
	{"payload of 23", 10, NS(.from = V6A, .target = V6B, .plen = -1), CLASS_ND_BAD, OUTCOME_MALFORMED, 0},
	{"payload of 0", 10, NS(.from = V6A, .target = V6B, .plen = -24), CLASS_ND_BAD, OUTCOME_MALFORMED, 0},
	{"cut by one", 10, NS(.from = V6A, .target = V6B, .hex = SLL_A, .cut = 1), CLASS_ND_BAD, OUTCOME_MALFORMED, 0},
	{"cut behind 4 octets of ICMPv6", 10, NS(.from = V6A, .target = V6B, .cut = 20), CLASS_ND_BAD, OUTCOME_MALFORMED, 0},
	{"cut behind 3 octets of ICMPv6", 10, NS(.from = V6A, .target = V6B, .cut = 21), CLASS_IP6_MULTICAST, OUTCOME_HYGIENE, 0},
	{"version 4 in an IPv6 frame", 10, NS(.from = V6A, .target = V6B, .patch_at = 14, .patch = 0x40), CLASS_IP6_MULTICAST, OUTCOME_HYGIENE, 0},
	{"bad, unicast", 10, NS(.dst = 'B', .from = V6A, .target = V6B, .bad_sum = 1), CLASS_ND_BAD, OUTCOME_MALFORMED, 0},
	{"32 options: 280 octets", 10, NS(.from = V6A, .target = V6B, .hex = "0e20" ZEROS16 ZEROS16 ZEROS16 ZEROS16 ZEROS16 ZEROS16 ZEROS16 ZEROS16 ZEROS16 ZEROS16 ZEROS16 ZEROS16 ZEROS16 ZEROS16 ZEROS16 "0000000000000000000000000000"), CLASS_ND_BAD, OUTCOME_MALFORMED, 0},
	/* NA */
	{"NA to the asker", 10, NA(.dst = 'B', .from = V6A, .to = V6B, .target = V6A, .flags = 0xe0, .hex = TLL_A), CLASS_NA, OUTCOME_FORWARDED, 0},
	{"NA new link-local", 10, NA(.dst = 'B', .from = "fe80::b", .to = V6B, .target = "fe80::b", .flags = 0xe0, .hex = TLL_A), CLASS_NA, OUTCOME_FORWARDED, EV(BINDING)},
	{"NA unsolicited", 10, NA(.dst = 'n', .from = V6A, .to = "ff02::1", .target = V6A, .flags = 0xa0, .hex = TLL_A), CLASS_NA_UNSOLICITED, OUTCOME_ABSORBED, 0},
	{"NA unsolicited, may flood", 16, NA(.src = 'F', .dst = 'n', .from = "2001:db8::f", .to = "ff02::1", .target = "2001:db8::f", .flags = 0x20), CLASS_NA_UNSOLICITED, OUTCOME_FLOODED, 0},
	{"NA spoofed", 10, NA(.dst = 'n', .from = V6A, .to = "ff02::1", .target = V6B, .flags = 0x20, .hex = TLL_A), CLASS_NA_UNSOLICITED, OUTCOME_SPOOF_IP, EV(SPOOF)},
	{"NA another's option", 10, NA(.dst = 'n', .from = V6A, .to = "ff02::1", .target = V6A, .flags = 0x20, .hex = TLL_B), CLASS_NA_UNSOLICITED, OUTCOME_SENDER_MISMATCH, 0},
	{"NA with a lying source option: not looked at", 10, NA(.dst = 'n', .from = V6A, .to = "ff02::1", .target = V6A, .flags = 0x20, .hex = SLL_R), CLASS_NA_UNSOLICITED, OUTCOME_ABSORBED, 0},
	{"NA multicast and S", 10, NA(.dst = 'n', .from = V6A, .to = "ff02::1", .target = V6A, .flags = 0x60, .hex = TLL_A), CLASS_ND_BAD, OUTCOME_MALFORMED, 0},
	{"NA multicast target", 10, NA(.dst = 'n', .from = V6A, .to = "ff02::1", .target = "ff02::5"), CLASS_ND_BAD, OUTCOME_MALFORMED, 0},
	{"NA open, learned", 12, NA(.src = 'C', .dst = 'n', .from = V6C, .to = "ff02::1", .target = FREE6, .flags = 0xa0), CLASS_NA_UNSOLICITED, OUTCOME_ABSORBED, EV(BINDING)},
	{"NA to nobody", 10, NA(.dst = 'U', .from = V6A, .to = V6B, .target = V6A, .flags = 0x60), CLASS_NA, OUTCOME_UNKNOWN_UNICAST, 0},
	/* other ICMPv6 */
	{"RS", 10, ND(.op = 133, .dst = 'n', .from = "fe80::a", .to = "ff02::2", .hex = SLL_A), CLASS_RS, OUTCOME_HYGIENE, 0},
	{"RS from ::", 10, ND(.op = 133, .dst = 'n', .from = "::", .to = "ff02::2"), CLASS_RS, OUTCOME_HYGIENE, 0},
	{"RS from :: with an option", 10, ND(.op = 133, .dst = 'n', .from = "::", .to = "ff02::2", .hex = SLL_A), CLASS_ND_BAD, OUTCOME_MALFORMED, 0},
	{"RA", 10, ND(.op = 134, .dst = 'n', .from = "fe80::a", .to = "ff02::1", .hex = "0000000000000000"), CLASS_RA, OUTCOME_HYGIENE, 0},
	{"RA unicast", 10, ND(.op = 134, .dst = 'B', .from = "fe80::a", .to = V6B, .hex = "0000000000000000"), CLASS_RA, OUTCOME_HYGIENE, 0},
	{"RA of a global source", 10, ND(.op = 134, .dst = 'n', .from = V6A, .to = "ff02::1", .hex = "0000000000000000"), CLASS_ND_BAD, OUTCOME_MALFORMED, 0},
	{"RA of 8 octets", 10, ND(.op = 134, .dst = 'n', .from = "fe80::a", .to = "ff02::1"), CLASS_ND_BAD, OUTCOME_MALFORMED, 0},
	{"redirect", 10, ND(.op = 137, .dst = 'B', .from = "fe80::a", .to = V6B, .hex = ZEROS16 ZEROS16), CLASS_REDIRECT, OUTCOME_HYGIENE, 0},
	{"redirect to a router", 10, ND(.op = 137, .dst = 'B', .from = "fe80::a", .to = V6B, .hex = ROUTER16 GLOBAL16), CLASS_REDIRECT, OUTCOME_HYGIENE, 0},
	{"redirect to the destination itself", 10, ND(.op = 137, .dst = 'B', .from = "fe80::a", .to = V6B, .hex = GLOBAL16 GLOBAL16), CLASS_REDIRECT, OUTCOME_HYGIENE, 0},
	{"redirect to a global target", 10, ND(.op = 137, .dst = 'B', .from = "fe80::a", .to = V6B, .hex = GLOBAL16 ZEROS16), CLASS_ND_BAD, OUTCOME_MALFORMED, 0},
	{"redirect of a group", 10, ND(.op = 137, .dst = 'B', .from = "fe80::a", .to = V6B, .hex = ROUTER16 GROUP16), CLASS_ND_BAD, OUTCOME_MALFORMED, 0},
	{"redirect of a global source", 10, ND(.op = 137, .dst = 'B', .from = V6A, .to = V6B, .hex = ZEROS16 ZEROS16), CLASS_ND_BAD, OUTCOME_MALFORMED, 0},
	{"MLD behind hop-by-hop", 10, IP6(.dst = 'n', .op = 0, .from = "fe80::a", .to = "ff02::16", .hop = 1, .hex = "3a00 050200000100 8f000000 00000000"), CLASS_MLD, OUTCOME_HYGIENE, 0},
	{"MLD plain", 10, IP6(.dst = 'n', .op = 58, .from = "fe80::a", .to = "ff02::16", .hop = 1, .hex = "82000000"), CLASS_MLD, OUTCOME_HYGIENE, 0},
	{"MLD behind hop-by-hop, 3 octets", 10, IP6(.dst = 'n', .op = 0, .from = "fe80::a", .to = "ff02::16", .hex = "3a00 050200000100 8f0000"), CLASS_IP6_MULTICAST, OUTCOME_HYGIENE, 0},
	{"MLD to a unicast MAC", 10, IP6(.dst = 'B', .op = 58, .from = "fe80::a", .to = "ff02::16", .hex = "82000000"), CLASS_IP6_UNICAST, OUTCOME_FORWARDED, 0},
	{"echo to all nodes", 10, IP6(.dst = 'n', .op = 58, .from = V6A, .to = "ff02::1", .hex = "80000000 00000000"), CLASS_IP6_MULTICAST, OUTCOME_HYGIENE, 0},
	/* ND behind extension headers */
	{"NA behind hop-by-hop", 10, IP6(.dst = 'B', .op = 0, .from = V6A, .to = V6B, .hex = "3a00010400000000 88000000e0000000 20010db8000000000000000000000003 0201020000000041"), CLASS_ND_BAD, OUTCOME_MALFORMED, 0},
	{"NA behind options", 10, IP6(.dst = 'B', .op = 60, .from = V6A, .to = V6B, .hex = "3a00010400000000 88000000e0000000 20010db8000000000000000000000003 0201020000000041"), CLASS_ND_BAD, OUTCOME_MALFORMED, 0},
	{"NA behind an atomic fragment header", 10, IP6(.dst = 'B', .op = 44, .from = V6A, .to = V6B, .hex = "3a00000000000001 88000000e0000000 20010db8000000000000000000000003 0201020000000041"), CLASS_ND_BAD, OUTCOME_MALFORMED, 0},
	{"NA begins in the first fragment", 10, IP6(.dst = 'B', .op = 44, .from = V6A, .to = V6B, .hex = "3a00000100000001 88000000e0000000 20010db8000000000000000000000003 0201020000000041"), CLASS_ND_BAD, OUTCOME_MALFORMED, 0},
	{"a later fragment", 10, IP6(.dst = 'B', .op = 44, .from = V6A, .to = V6B, .hex = "3a00000800000001 88000000e0000000 20010db8000000000000000000000003 0201020000000041"), CLASS_IP6_UNICAST, OUTCOME_FORWARDED, 0},
	{"NA behind AH", 10, IP6(.dst = 'B', .op = 51, .from = V6A, .to = V6B, .hex = "3a04000000000001 00000001 000000000000000000000000 88000000e0000000 20010db8000000000000000000000003 0201020000000041"), CLASS_ND_BAD, OUTCOME_MALFORMED, 0},
	{"NA behind routing and options", 10, IP6(.dst = 'B', .op = 43, .from = V6A, .to = V6B, .hex = "3c00000000000000 3a00010400000000 88000000e0000000 20010db8000000000000000000000003 0201020000000041"), CLASS_ND_BAD, OUTCOME_MALFORMED, 0},
	{"NA behind seven", 10, IP6(.dst = 'B', .op = 60, .from = V6A, .to = V6B, .hex = "3c00010400000000 3c00010400000000 3c00010400000000 3c00010400000000 3c00010400000000 3c00010400000000 3a00010400000000 88000000e0000000 20010db8000000000000000000000003 0201020000000041"), CLASS_ND_BAD, OUTCOME_MALFORMED, 0},
	{"echo behind seven", 10, IP6(.dst = 'B', .op = 60, .from = V6A, .to = V6B, .hex = "3c00010400000000 3c00010400000000 3c00010400000000 3c00010400000000 3c00010400000000 3c00010400000000 3a00010400000000 80000000"), CLASS_IP6_UNICAST, OUTCOME_FORWARDED, 0},
	{"echo behind eight", 10, IP6(.dst = 'B', .op = 60, .from = V6A, .to = V6B, .hex = "3c00010400000000 3c00010400000000 3c00010400000000 3c00010400000000 3c00010400000000 3c00010400000000 3c00010400000000 3a00010400000000 80000000"), CLASS_ND_BAD, OUTCOME_MALFORMED, 0},
	{"TCP behind options", 10, IP6(.dst = 'B', .op = 60, .from = V6A, .to = V6B, .hex = "0600010400000000 0102030405"), CLASS_IP6_UNICAST, OUTCOME_FORWARDED, 0},
	{"options cut", 10, IP6(.dst = 'B', .op = 60, .from = V6A, .to = V6B, .hex = "3a000104000000"), CLASS_ND_BAD, OUTCOME_MALFORMED, 0},
	{"options, and nothing behind", 10, IP6(.dst = 'B', .op = 60, .from = V6A, .to = V6B, .hex = "3a00010400000000"), CLASS_ND_BAD, OUTCOME_MALFORMED, 0},
	{"options with hop limit 64, and nothing behind", 10, IP6(.dst = 'B', .op = 60, .from = V6A, .to = V6B, .hop = 64, .hex = "3a00010400000000"), CLASS_IP6_UNICAST, OUTCOME_FORWARDED, 0},
	{"NA behind options, to a group", 10, IP6(.dst = 'n', .op = 60, .from = V6A, .to = "ff02::1", .hex = "3a00010400000000 88000000e0000000 20010db8000000000000000000000003 0201020000000041"), CLASS_ND_BAD, OUTCOME_MALFORMED, 0},
	{"NS behind hop-by-hop, to a group", 10, IP6(.dst = 'n', .op = 0, .from = V6A, .to = "ff02::1", .hex = "3a00010400000000 8700000000000000 20010db8000000000000000000000002"), CLASS_ND_BAD, OUTCOME_MALFORMED, 0},
	/* IP and the rest */
	{"IPv4", 10, IP4(.dst = 'B', .op = 6), CLASS_IP4_UNICAST, OUTCOME_FORWARDED, 0},
	{"IPv4 to the remote", 10, IP4(.dst = 'R', .op = 6), CLASS_IP4_UNICAST, OUTCOME_FORWARDED, 0},
	{"IPv4 to the bridge", 10, IP4(.dst = 'S', .op = 6), CLASS_IP4_UNICAST, OUTCOME_LOCAL, 0},
	{"IPv4 to the same port", 10, IP4(.dst = 'a', .op = 6), CLASS_IP4_UNICAST, OUTCOME_SAME_PORT, 0},
	{"IPv4 to a port that is down", 10, IP4(.dst = 'X', .op = 6), CLASS_IP4_UNICAST, OUTCOME_UNKNOWN_UNICAST, 0},
	{"IPv4 to a port that is down, police", 14, IP4(.src = 'D', .dst = 'X', .op = 6), CLASS_IP4_UNICAST, OUTCOME_UNKNOWN_UNICAST, 0},
	{"fabric: IPv4 to a port that is down", 20, IP4(.src = 'R', .dst = 'X', .op = 6), CLASS_IP4_UNICAST, OUTCOME_UNKNOWN_UNICAST, 0},
	{"IPv4 to nobody", 10, IP4(.dst = 'U', .op = 6), CLASS_IP4_UNICAST, OUTCOME_UNKNOWN_UNICAST, 0},
	{"IPv4 to nobody, police", 14, IP4(.src = 'D', .dst = 'U', .op = 6), CLASS_IP4_UNICAST, OUTCOME_FLOODED, 0},
	{"IPv4 spoofed MAC", 10, IP4(.src = 'B', .dst = 'R', .op = 6), CLASS_IP4_UNICAST, OUTCOME_SPOOF_MAC, EV(SPOOF)},
	{"IPv4 from an awaited MAC", 10, IP4(.src = 'P', .dst = 'B', .op = 6), CLASS_IP4_UNICAST, OUTCOME_FORWARDED, EV(MAC)},
	{"IPv4 of one octet, unicast", 10, RAW(.dst = 'B', .hex = "0800 45"), CLASS_IP4_UNICAST, OUTCOME_FORWARDED, 0},
	{"IPv4 broadcast", 10, IP4(.op = 6), CLASS_IP4_BROADCAST, OUTCOME_HYGIENE, 0},
	{"IPv4 multicast", 10, IP4(.dst = 'm', .op = 6), CLASS_IP4_MULTICAST, OUTCOME_HYGIENE, 0},
	{"IGMP", 10, IP4(.dst = 'm', .op = 2), CLASS_IGMP, OUTCOME_HYGIENE, 0},
	{"IGMP, second fragment", 10, IP4(.dst = 'm', .op = 2, .fragment = 185), CLASS_IP4_MULTICAST, OUTCOME_HYGIENE, 0},
	{"IGMP, first fragment", 10, IP4(.dst = 'm', .op = 2, .fragment = 0x2000), CLASS_IGMP, OUTCOME_HYGIENE, 0},
	{"OSPF", 10, IP4(.dst = 'm', .op = 89), CLASS_OSPF, OUTCOME_HYGIENE, 0},
	{"PIM", 10, IP4(.dst = 'm', .op = 103), CLASS_PIM, OUTCOME_HYGIENE, 0},
	{"DHCP", 10, IP4(.op = 17, .hex = "0044 0043 0008 0000"), CLASS_DHCP4, OUTCOME_HYGIENE, 0},
	{"DHCP cut to 7 octets", 10, IP4(.op = 17, .hex = "0044 0043 0008 00"), CLASS_IP4_BROADCAST, OUTCOME_HYGIENE, 0},
	{"DHCP behind options", 10, IP4(.op = 17, .hex = "01010101 0044 0043 0008 0000", .patch_at = 14, .patch = 0x46), CLASS_DHCP4, OUTCOME_HYGIENE, 0},
	{"IHL 4", 10, IP4(.op = 2, .patch_at = 14, .patch = 0x44), CLASS_IP4_BROADCAST, OUTCOME_HYGIENE, 0},
	{"IHL past the end", 10, IP4(.op = 2, .patch_at = 14, .patch = 0x46), CLASS_IP4_BROADCAST, OUTCOME_HYGIENE, 0},
	{"mDNS", 10, IP4(.dst = 'm', .op = 17, .hex = "14e9 14e9 0008 0000"), CLASS_MDNS, OUTCOME_HYGIENE, 0},
	{"SSDP", 10, IP4(.dst = 'm', .op = 17, .hex = "c000 076c 0008 0000"), CLASS_SSDP, OUTCOME_HYGIENE, 0},
	{"NetBIOS", 10, IP4(.op = 17, .hex = "0089 0089 0008 0000"), CLASS_NETBIOS, OUTCOME_HYGIENE, 0},
	{"NetBIOS datagram", 10, IP4(.op = 17, .hex = "c000 008a 0008 0000"), CLASS_NETBIOS, OUTCOME_HYGIENE, 0},
	{"UDP of no name", 10, IP4(.op = 17, .hex = "c000 c001 0008 0000"), CLASS_IP4_BROADCAST, OUTCOME_HYGIENE, 0},
	{"IPv6", 10, IP6(.dst = 'B', .op = 6, .from = V6A, .to = V6B), CLASS_IP6_UNICAST, OUTCOME_FORWARDED, 0},
	{"IPv6 of nothing, unicast", 10, RAW(.dst = 'B', .hex = "86dd"), CLASS_IP6_UNICAST, OUTCOME_FORWARDED, 0},
	{"IPv6 of nothing, multicast", 10, RAW(.dst = 'n', .hex = "86dd"), CLASS_IP6_MULTICAST, OUTCOME_HYGIENE, 0},
	{"DHCPv6", 10, IP6(.dst = 'n', .op = 17, .from = "fe80::a", .to = "ff02::1:2", .hex = "0222 0223 0008 0000"), CLASS_DHCP6, OUTCOME_HYGIENE, 0},
	{"mDNS, IPv6", 10, IP6(.dst = 'n', .op = 17, .from = "fe80::a", .to = "ff02::fb", .hex = "14e9 14e9 0008 0000"), CLASS_MDNS, OUTCOME_HYGIENE, 0},
	{"SSDP, IPv6", 10, IP6(.dst = 'n', .op = 17, .from = "fe80::a", .to = "ff02::c", .hex = "c000 076c 0008 0000"), CLASS_SSDP, OUTCOME_HYGIENE, 0},
	{"OSPFv3", 10, IP6(.dst = 'n', .op = 89, .from = "fe80::a", .to = "ff02::5"), CLASS_OSPF, OUTCOME_HYGIENE, 0},
	{"PIM, IPv6", 10, IP6(.dst = 'n', .op = 103, .from = "fe80::a", .to = "ff02::d"), CLASS_PIM, OUTCOME_HYGIENE, 0},
	{"STP", 10, RAW(.dst = 't', .hex = "0026 424203 00000000"), CLASS_STP, OUTCOME_HYGIENE, 0},
	{"PVST", 10, RAW(.dst = 'c', .hex = "0032 aaaa03 00000c 010b 0000"), CLASS_STP, OUTCOME_HYGIENE, 0},
	{"42/42 to others", 10, RAW(.dst = '*', .hex = "0026 424203 00000000"), CLASS_LLC, OUTCOME_HYGIENE, 0},
	{"CDP", 10, RAW(.dst = 'c', .hex = "0032 aaaa03 00000c 2000 0000"), CLASS_CDP, OUTCOME_HYGIENE, 0},
	{"DTP", 10, RAW(.dst = 'c', .hex = "0032 aaaa03 00000c 2004"), CLASS_CDP, OUTCOME_HYGIENE, 0},
	{"VTP", 10, RAW(.dst = 'c', .hex = "0032 aaaa03 00000c 2003"), CLASS_CDP, OUTCOME_HYGIENE, 0},
	{"UDLD", 10, RAW(.dst = 'c', .hex = "0032 aaaa03 00000c 0111"), CLASS_CDP, OUTCOME_HYGIENE, 0},
	{"SNAP cut", 10, RAW(.dst = 'c', .hex = "0032 aaaa03 00000c 01"), CLASS_LLC, OUTCOME_HYGIENE, 0},
	{"IS-IS", 10, RAW(.dst = 't', .hex = "0100 fefe03 83"), CLASS_LLC, OUTCOME_HYGIENE, 0},
	{"length field only", 10, RAW(.dst = 't', .hex = "0000"), CLASS_LLC, OUTCOME_HYGIENE, 0},
	{"LLDP", 10, RAW(.dst = 't', .hex = "88cc 0207"), CLASS_LLDP, OUTCOME_HYGIENE, 0},
	{"LLDP, may flood", 16, RAW(.dst = 't', .src = 'F', .hex = "88cc 0207"), CLASS_LLDP, OUTCOME_FLOODED, 0},
	{"LLDP, may flood, spoofed", 16, RAW(.dst = 't', .src = 'B', .hex = "88cc 0207"), CLASS_LLDP, OUTCOME_SPOOF_MAC, EV(SPOOF)},
	{"PPPoE", 10, RAW(.dst = 'B', .hex = "8863 11"), CLASS_ETHERTYPE, OUTCOME_HYGIENE, 0},
	{"0x0600", 10, RAW(.dst = 'B', .hex = "0600 11"), CLASS_ETHERTYPE, OUTCOME_HYGIENE, 0},
	{"tag in band", 10, RAW(.dst = '*', .hex = "8100 0001 0806"), CLASS_TAGGED, OUTCOME_HYGIENE, 0},
	{"provider tag", 10, RAW(.dst = '*', .hex = "88a8 0001 0806"), CLASS_TAGGED, OUTCOME_HYGIENE, 0},
	{"old provider tag", 10, RAW(.dst = '*', .hex = "9100 0001 0806"), CLASS_TAGGED, OUTCOME_HYGIENE, 0},
	{"tag in metadata", 10, ARP(.from = V4A, .to = V4B, .tagged = true), CLASS_TAGGED, OUTCOME_HYGIENE, 0},

	/* the fabric */
	{"fabric: known, asker known", 20, ARP(.src = 'R', .from = V4R, .to = V4A), CLASS_ARP_REQUEST, OUTCOME_ANSWERED, 0},
	{"fabric: known, asker moved away from here", 20, ARP(.src = 'H', .from = V4R, .to = V4A), CLASS_ARP_REQUEST, OUTCOME_ANSWERED, 0},
	{"fabric: known, asker unknown", 20, ARP(.src = 'U', .from = V4R, .to = V4A), CLASS_ARP_REQUEST, OUTCOME_FOREIGN_VTEP, 0},
	{"fabric: known, asker is here", 20, ARP(.src = 'B', .from = V4B, .to = V4A), CLASS_ARP_REQUEST, OUTCOME_FOREIGN_VTEP, 0},
	{"fabric: the owner asks for itself", 20, ARP(.src = 'A', .from = "0.0.0.0", .to = V4A), CLASS_ARP_PROBE, OUTCOME_OWN_TARGET, 0},
	{"fabric: target is remote", 20, ARP(.src = 'U', .from = V4B, .to = V4R), CLASS_ARP_REQUEST, OUTCOME_OWN_TARGET, 0},
	{"fabric: unknown target", 20, ARP(.src = 'R', .from = V4R, .to = FREE4), CLASS_ARP_REQUEST, OUTCOME_UNKNOWN_TARGET, 0},
	{"fabric: unknown target floods", 21, ARP(.src = 'R', .from = V4R, .to = FREE4), CLASS_ARP_REQUEST, OUTCOME_FLOODED, 0},
	{"fabric: free probe tells nobody", 20, ARP(.src = 'R', .from = "0.0.0.0", .to = FREE4), CLASS_ARP_PROBE, OUTCOME_FREE_PROBE, 0},
	{"fabric: silent target", 20, ARP(.src = 'R', .from = V4R, .to = "198.18.0.8"), CLASS_ARP_REQUEST, OUTCOME_UNKNOWN_TARGET, 0},
	{"fabric: probe", 20, ARP(.src = 'R', .from = "0.0.0.0", .to = V4A), CLASS_ARP_PROBE, OUTCOME_ANSWERED, 0},
	{"fabric: another's address is not judged", 20, ARP(.src = 'R', .from = V4B, .to = V4A), CLASS_ARP_REQUEST, OUTCOME_ANSWERED, 0},
	{"fabric: mismatch", 20, ARP(.src = 'R', .sha = 'B', .from = V4R, .to = V4A), CLASS_ARP_REQUEST, OUTCOME_SENDER_MISMATCH, 0},
	{"fabric: gratuitous is not learned", 20, ARP(.src = 'R', .from = FREE4, .to = FREE4), CLASS_ARP_GRATUITOUS, OUTCOME_ABSORBED, 0},
	{"fabric: bad", 20, ARP(.src = 'R', .op = 9, .from = V4R, .to = V4A), CLASS_ARP_BAD, OUTCOME_MALFORMED, 0},
	{"fabric: runt", 20, RAW(.src = 'R', .hex = "08"), CLASS_RUNT, OUTCOME_MALFORMED, 0},
	{"fabric: group source, unicast", 20, IP4(.src = 'g', .dst = 'A', .op = 6), CLASS_IP4_UNICAST, OUTCOME_FORWARDED, 0},
	{"fabric: NS", 20, NS(.src = 'R', .from = V6R, .target = V6A, .hex = SLL_R), CLASS_NS, OUTCOME_ANSWERED, 0},
	{"fabric: DAD", 20, NS(.src = 'R', .from = "::", .target = V6A), CLASS_NS_DAD, OUTCOME_ANSWERED, 0},
	{"fabric: DAD, nobody knows the asker", 20, NS(.src = 'U', .from = "::", .target = V6A), CLASS_NS_DAD, OUTCOME_FOREIGN_VTEP, 0},
	{"fabric: NS odd option", 20, NS(.src = 'R', .from = V6R, .target = V6A, .hex = "2501 000000000000"), CLASS_NS, OUTCOME_NS_OPTION, 0},
	{"fabric: NA unsolicited", 20, NA(.src = 'R', .dst = 'n', .from = V6R, .to = "ff02::1", .target = V6R, .flags = 0x20), CLASS_NA_UNSOLICITED, OUTCOME_ABSORBED, 0},
	{"fabric: RA", 20, ND(.src = 'R', .op = 134, .dst = 'n', .from = "fe80::9", .to = "ff02::1", .hex = "0000000000000000"), CLASS_RA, OUTCOME_HYGIENE, 0},
	{"fabric: LLDP", 21, RAW(.src = 'R', .dst = 't', .hex = "88cc 0207"), CLASS_LLDP, OUTCOME_FLOODED, 0},
	{"fabric: IPv4 to a member", 20, IP4(.src = 'R', .dst = 'A', .op = 6), CLASS_IP4_UNICAST, OUTCOME_FORWARDED, 0},
	{"fabric: IPv4 to the bridge", 20, IP4(.src = 'R', .dst = 'S', .op = 6), CLASS_IP4_UNICAST, OUTCOME_LOCAL, 0},
	{"fabric: IPv4 to a remote", 20, IP4(.src = 'U', .dst = 'R', .op = 6), CLASS_IP4_UNICAST, OUTCOME_SAME_PORT, 0},
	{"fabric: IPv4 to nobody", 20, IP4(.src = 'R', .dst = 'U', .op = 6), CLASS_IP4_UNICAST, OUTCOME_UNKNOWN_UNICAST, 0},
	{"fabric: IPv4 to nobody, floods", 21, IP4(.src = 'R', .dst = 'U', .op = 6), CLASS_IP4_UNICAST, OUTCOME_FLOODED, 0},
	{"fabric: reply to a member", 20, ARP(.src = 'R', .op = 2, .dst = 'A', .from = V4R, .to = V4A), CLASS_ARP_REPLY, OUTCOME_FORWARDED, 0},
};

struct row_out {
	const char *text;
	uint32_t port, mark;
	struct frame_spec frame;
	enum frame_outcome outcome;
};

static const struct row_out rows_out[] = {
	{"unicast to the port's MAC", 10, 0, IP4(.src = 'B', .dst = 'A', .op = 6), OUTCOME_DELIVERED},
	{"unicast to another's MAC", 10, 0, IP4(.src = 'B', .dst = 'D', .op = 6), OUTCOME_UNKNOWN_UNICAST},
	{"unicast to nobody's MAC", 10, 0, IP4(.src = 'B', .dst = 'U', .op = 6), OUTCOME_UNKNOWN_UNICAST},
	{"unicast to nobody's MAC that a rule lets flood", 10, MARK_FLOOD, IP4(.src = 'B', .dst = 'U', .op = 6), OUTCOME_DELIVERED},
	{"unicast to the bridge's MAC", 10, 0, IP4(.src = 'B', .dst = 'S', .op = 6), OUTCOME_UNKNOWN_UNICAST},
	{"broadcast", 10, 0, ARP(.src = 'B', .from = V4B, .to = V4A), OUTCOME_UNAUTHORISED},
	{"broadcast that a rule lets flood", 10, MARK_FLOOD | 0x12, ARP(.src = 'B', .from = V4B, .to = V4A), OUTCOME_DELIVERED},
	{"multicast", 10, 0x1234, IP6(.src = 'B', .dst = 'n', .op = 6, .from = V6B, .to = "ff02::1"), OUTCOME_UNAUTHORISED},
	{"our answer", 10, MARK_ANSWER, ARP(.src = 'B', .op = 2, .dst = 'A', .from = V4B, .to = V4A), OUTCOME_ANSWER},
	{"our answer in quarantine", 13, MARK_ANSWER, ARP(.src = 'B', .op = 2, .dst = 'A', .from = V4B, .to = V4A), OUTCOME_ANSWER},
	{"our probe", 10, MARK_PROBE, ARP(.src = 'S', .from = "0.0.0.0", .to = V4A), OUTCOME_PROBE},
	{"quarantine", 13, 0, IP4(.src = 'B', .dst = 'A', .op = 6), OUTCOME_QUARANTINE},
	{"quarantine, may flood", 13, MARK_FLOOD, ARP(.src = 'B', .from = V4B, .to = V4A), OUTCOME_QUARANTINE},
	{"runt", 10, 0, RAW(.src = 'B', .hex = "08"), OUTCOME_MALFORMED},
	{"fabric: to a remote", 20, 0, IP4(.src = 'B', .dst = 'R', .op = 6), OUTCOME_DELIVERED},
	{"fabric: to a member", 20, 0, IP4(.src = 'B', .dst = 'A', .op = 6), OUTCOME_UNKNOWN_UNICAST},
	{"fabric: broadcast", 20, 0, ARP(.src = 'B', .from = V4B, .to = V4A), OUTCOME_UNAUTHORISED},
	{"fabric: our answer", 20, MARK_ANSWER, ARP(.src = 'A', .op = 2, .dst = 'R', .from = V4A, .to = V4R), OUTCOME_ANSWER},
	{"not ours", 99, 0, ARP(.src = 'B', .from = V4B, .to = V4A), OUTCOME_ERROR},
};

#define COUNT(a) ((int)(sizeof(a) / sizeof((a)[0])))

static bool passes(enum frame_outcome o)
{
	return o == OUTCOME_ERROR || outcome_kind(o) == 'F';
}

static struct verdict judge(const struct row *r, const struct frame_made *m, size_t len)
{
	struct tables t;
	struct verdict v;
	/* As large as the frame and no larger: a sanitizer sees a read past its end. */
	uint8_t *copy = malloc(len ? len : 1);

	memcpy(copy, m->b, len);
	world_init(&t);
	verdict_in(&t,
		&(struct verdict_input){.frame = copy,
			.len = len,
			.tag_in_metadata = r->frame.tagged,
			.ifindex = r->port,
			.now_ns = 77},
		&v);
	tables_free(&t);
	free(copy);
	return v;
}

START_TEST(every_frame_in)
{
	const struct row *r = &rows_in[_i];
	struct frame_made m = frame_make(&r->frame);
	struct verdict v = judge(r, &m, m.len);

	ck_assert_msg(v.cls == r->cls, "%s: class %s, not %s", r->text, class_name(v.cls), class_name(r->cls));
	ck_assert_msg(v.outcome == r->outcome, "%s: %s, not %s", r->text, outcome_name(v.outcome),
		outcome_name(r->outcome));
	ck_assert_msg(v.pass == passes(v.outcome), "%s: pass", r->text);
	ck_assert_msg(v.set_mark == (v.outcome == OUTCOME_FLOODED ? MARK_FLOOD : 0), "%s: mark", r->text);
	ck_assert_msg((v.answer_len > 0) == (v.outcome == OUTCOME_ANSWERED), "%s: answer", r->text);
	ck_assert_msg((v.has_event ? v.event.type : 0) == r->event, "%s: event %d, not %d", r->text,
		v.has_event ? v.event.type : 0, r->event);
	if (v.has_event) {
		ck_assert_mem_eq(v.event.mac, m.b + 6, 6);
		ck_assert_uint_eq(v.event.ifindex, r->port);
		ck_assert_uint_eq(v.event.lan, LAN);
		ck_assert_uint_eq(v.event.when_ns, 77);
		ck_assert_uint_eq(v.event.outcome, v.outcome);
		bool has_ip = v.event.type == EVENT_BINDING || v.event.type == EVENT_PROBE ||
			v.outcome == OUTCOME_SPOOF_IP;
		ck_assert_msg((v.event.family != 0) == has_ip, "%s: event family %d", r->text, v.event.family);
	}
}
END_TEST

/* Cut anywhere, a frame is never answered unless what is left is whole, and never reads past its end. */
START_TEST(every_truncation)
{
	const struct row *r = &rows_in[_i];
	struct frame_made m = frame_make(&r->frame);

	for (size_t len = 0; len < m.len; len++) {
		struct verdict v = judge(r, &m, len);
		if (len < 14)
			ck_assert_int_eq(v.cls, CLASS_RUNT);
		if (v.outcome == OUTCOME_ANSWERED)
			ck_assert_msg(len >= (v.cls <= CLASS_ARP_BAD ? 42u : 78u), "%s: %zu octets",
				r->text, len);
	}
}
END_TEST

START_TEST(every_frame_out)
{
	const struct row_out *r = &rows_out[_i];
	struct frame_made m = frame_make(&r->frame);
	struct tables t;
	struct verdict v;

	world_init(&t);
	verdict_out(&t,
		&(struct verdict_input){.frame = m.b, .len = m.len, .mark = r->mark, .ifindex = r->port}, &v);
	tables_free(&t);
	ck_assert_msg(v.outcome == r->outcome, "%s: %s, not %s", r->text, outcome_name(v.outcome),
		outcome_name(r->outcome));
	ck_assert_msg(v.pass == passes(v.outcome), "%s: pass", r->text);
	ck_assert(!v.has_event && v.answer_len == 0 && v.set_mark == 0);
}
END_TEST

struct row_answer {
	const char *text;
	uint32_t port;
	struct frame_spec frame;
	const char *hex;
};

/* The checksums below were computed with scapy. */
static const struct row_answer answers[] = {
	{"ARP", 10, ARP(.from = V4A, .to = V4B, .cut = -18),
		"020000000041 020000000042 0806 0001 0800 0604 0002 020000000042 c6120002 020000000041 c6120001"},
	{"ARP probe", 10, ARP(.from = "0.0.0.0", .to = V4B),
		"020000000041 020000000042 0806 0001 0800 0604 0002 020000000042 c6120002 020000000041 00000000"},
	{"NS, router", 10, NS(.from = V6A, .target = V6B, .hex = SLL_A NONCE),
		"020000000041 020000000042 86dd 60000000 0020 3a ff 20010db8000000000000000000000002"
		"20010db8000000000000000000000001 8800 0a31 e0000000 20010db8000000000000000000000002"
		"0201 020000000042"},
	{"NS, host", 10, NS(.from = V6A, .target = V6R),
		"020000000041 020000000052 86dd 60000000 0020 3a ff 20010db8000000000000000000000009"
		"20010db8000000000000000000000001 8800 8a13 60000000 20010db8000000000000000000000009"
		"0201 020000000052"},
	{"DAD", 10, NS(.from = "::", .target = V6B),
		"333300000001 020000000042 86dd 60000000 0020 3a ff 20010db8000000000000000000000002"
		"ff020000000000000000000000000001 8800 78e7 a0000000 20010db8000000000000000000000002"
		"0201 020000000042"},
	{"DAD over the fabric", 20, NS(.src = 'R', .from = "::", .target = V6A),
		"020000000052 020000000041 86dd 60000000 0020 3a ff 20010db8000000000000000000000001"
		"ff020000000000000000000000000001 8800 78ea a0000000 20010db8000000000000000000000001"
		"0201 020000000041"},
};

START_TEST(every_answer)
{
	const struct row_answer *a = &answers[_i];
	struct frame_made m = frame_make(&a->frame), want = {.len = 0};
	struct tables t;
	struct verdict v;

	frame_hex(&want, a->hex);
	world_init(&t);
	verdict_in(&t, &(struct verdict_input){.frame = m.b, .len = m.len, .ifindex = a->port}, &v);
	tables_free(&t);
	ck_assert_uint_eq(v.answer_len, want.len);
	if (want.len == VERDICT_ANSWER_MAX)
		ck_assert_msg(memcmp(v.answer + 56, want.b + 56, 2) == 0, "%s: checksum %02x%02x", a->text,
			v.answer[56], v.answer[57]);
	ck_assert_mem_eq(v.answer, want.b, want.len);
	enum frame_class c = frame_classify(v.answer, v.answer_len, false);
	ck_assert(c == CLASS_ARP_REPLY || c == CLASS_NA || c == CLASS_NA_UNSOLICITED);
}
END_TEST

START_TEST(na_flags_in_events)
{
	static const struct frame_spec s = NA(
		.src = 'C', .dst = 'n', .from = V6C, .to = "ff02::1", .target = FREE6, .flags = 0xa0);
	struct frame_made m = frame_make(&s);
	struct tables t;
	struct verdict v;
	struct ip ip = frame_ip(FREE6);

	world_init(&t);
	verdict_in(&t, &(struct verdict_input){.frame = m.b, .len = m.len, .ifindex = 12}, &v);
	tables_free(&t);
	ck_assert_int_eq(v.event.flags, EVENT_NA | EVENT_NA_ROUTER | EVENT_NA_OVERRIDE);
	ck_assert_int_eq(v.event.family, 6);
	ck_assert_mem_eq(v.event.ip, ip.b, 16);
}
END_TEST

START_TEST(names_and_numbers)
{
	for (int c = 0; c < CLASS_COUNT; c++)
		ck_assert_int_eq(class_find(class_name(c)), c);
	for (int o = 0; o < OUTCOME_COUNT; o++)
		ck_assert_int_eq(outcome_find(outcome_name(o)), o);
	ck_assert_int_lt(class_find("no-such"), 0);
	ck_assert_int_lt(outcome_find(""), 0);
	ck_assert_int_eq(outcome_kind(OUTCOME_ANSWERED), 'A');
	ck_assert_int_eq(outcome_kind(OUTCOME_POLICED_OUT), 'P');
}
END_TEST

/* Every class and every outcome that a verdict alone can give stands in the tables above. */
START_TEST(nothing_is_left_out)
{
	bool classes[CLASS_COUNT] = {false}, outcomes[OUTCOME_COUNT] = {false};

	for (int i = 0; i < COUNT(rows_in); i++) {
		classes[rows_in[i].cls] = true;
		outcomes[rows_in[i].outcome] = true;
	}
	for (int i = 0; i < COUNT(rows_out); i++)
		outcomes[rows_out[i].outcome] = true;
	for (int c = 0; c < CLASS_VTP; c++)
		ck_assert_msg(classes[c], "no frame of class %s", class_name(c));
	for (int o = 0; o < OUTCOME_WOULD; o++) {
		bool elsewhere = o == OUTCOME_SPONGED || o == OUTCOME_POLICED_IN || o == OUTCOME_POLICED_OUT;
		ck_assert_msg(outcomes[o] != elsewhere, "outcome %s", outcome_name(o));
	}
	ck_assert_int_ge(COUNT(rows_in), 120);
}
END_TEST

START_TEST(tables_are_bounded)
{
	struct tables t;
	struct layout_bind v = {.ifindex = 1};
	struct layout_key4 k = {.lan = 1};

	tables_init(&t, 2, 2, 2, 2, 2);
	for (int i = 0; i < 2; i++) {
		k.ip[3] = (uint8_t)i;
		ck_assert_int_eq(tables_bind4_set(&t, &k, &v), 0);
		ck_assert_int_eq(tables_bind4_set(&t, &k, &v), 0);
	}
	k.ip[3] = 2;
	ck_assert_int_eq(tables_bind4_set(&t, &k, &v), -28);
	ck_assert_ptr_null(tables_bind4(&t, 1, k.ip));
	k.ip[3] = 0;
	ck_assert_int_eq(tables_bind4_del(&t, &k), 0);
	ck_assert_int_eq(tables_bind4_del(&t, &k), 0);
	k.ip[3] = 2;
	ck_assert_int_eq(tables_bind4_set(&t, &k, &v), 0);
	ck_assert_ptr_nonnull(tables_bind4(&t, 1, k.ip));
	ck_assert_ptr_null(tables_bind4(&t, 2, k.ip));
	tables_free(&t);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("verdict");
	TCase *c = tcase_create("frames");

	tcase_add_loop_test(c, every_frame_in, 0, COUNT(rows_in));
	tcase_add_loop_test(c, every_truncation, 0, COUNT(rows_in));
	tcase_add_loop_test(c, every_frame_out, 0, COUNT(rows_out));
	tcase_add_loop_test(c, every_answer, 0, COUNT(answers));
	tcase_add_test(c, na_flags_in_events);
	tcase_add_test(c, names_and_numbers);
	tcase_add_test(c, nothing_is_left_out);
	tcase_add_test(c, tables_are_bounded);
	suite_add_tcase(s, c);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? 1 : 0;
}
