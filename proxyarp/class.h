/* The words of the ledger: what a frame is (its class, seen from the frame's octets alone), and what became of it
 * (its outcome). Shared by the C verdict, the BPF programs, the CLI, captures and reports, so it includes nothing.
 * Adding one is adding a row; the numbers are an ABI of pinned maps: see LAYOUT_VERSION in layout.h.
 */
#pragma once

/* X(symbol, token) */
#define FRAME_CLASSES(X)                                                                           \
	X(ARP_REQUEST, "arp-request")	     /* broadcast/multicast, sender IP set, target another */     \
	X(ARP_PROBE, "arp-probe")	     /* RFC 5227: request with sender IP 0 */                     \
	X(ARP_GRATUITOUS, "arp-gratuitous")  /* request or reply with sender IP = target IP */            \
	X(ARP_UNICAST, "arp-unicast")	     /* request to a unicast MAC (NUD-like) */                    \
	X(ARP_REPLY, "arp-reply")	     /* unicast reply */                                          \
	X(ARP_REPLY_BCAST, "arp-reply-bcast") /* reply to a group MAC, not gratuitous */                  \
	X(ARP_BAD, "arp-bad")		     /* not RFC 826 Ethernet/IPv4, truncated, other opcode */     \
	X(NS, "ns")			     /* multicast NS with a source */                             \
	X(NS_DAD, "ns-dad")		     /* NS from :: */                                             \
	X(NS_UNICAST, "ns-unicast")	     /* NS to a unicast MAC (NUD) */                              \
	X(NA, "na")			     /* to a unicast MAC */                                       \
	X(NA_UNSOLICITED, "na-unsolicited")  /* to a group MAC */                                         \
	X(ND_BAD, "nd-bad")		     /* NS/NA/RS/RA/redirect failing RFC 4861's validity rules */ \
	X(RS, "rs")                                                                                \
	X(RA, "ra")                                                                                \
	X(REDIRECT, "redirect")		     /* ICMPv6 137 */                                             \
	X(MLD, "mld")			     /* ICMPv6 130-132, 143 */                                    \
	X(IGMP, "igmp")                                                                            \
	X(DHCP4, "dhcp4")		     /* UDP 67/68 */                                              \
	X(DHCP6, "dhcp6")		     /* UDP 546/547 */                                            \
	X(MDNS, "mdns")			     /* UDP 5353, either family, group MAC */                     \
	X(SSDP, "ssdp")			     /* UDP 1900, group MAC */                                    \
	X(NETBIOS, "netbios")		     /* UDP 137/138, group MAC */                                 \
	X(OSPF, "ospf")			     /* protocol 89, group MAC */                                 \
	X(PIM, "pim")			     /* protocol 103, group MAC */                                \
	X(IP4_UNICAST, "ipv4")		     /* IPv4 to a unicast MAC */                                  \
	X(IP4_MULTICAST, "ipv4-multicast")   /* other IPv4 to a group MAC but broadcast */                \
	X(IP4_BROADCAST, "ipv4-broadcast")   /* other IPv4 to the broadcast MAC */                        \
	X(IP6_UNICAST, "ipv6")                                                                     \
	X(IP6_MULTICAST, "ipv6-multicast")                                                         \
	X(STP, "stp")			     /* 802.2 LLC 42/42 to 01:80:c2:00:00:00 or PVST SNAP */      \
	X(LLDP, "lldp")			     /* 0x88cc */                                                 \
	X(CDP, "cdp")			     /* SNAP 00000c 2000 and kin to 01:00:0c:cc:cc:cc */          \
	X(LLC, "llc")			     /* any other 802.3 length frame */                           \
	X(TAGGED, "tagged")		     /* 802.1Q/ad tag, in band or in metadata */                  \
	X(ETHERTYPE, "ethertype")	     /* anything but 0x0800, 0x0806, 0x86dd, 0x88cc, tags */      \
	X(RUNT, "runt")			     /* shorter than an Ethernet header */

/* X(symbol, token, kind): kind F: it went on, A: answered, D: dropped, P: policed */
#define FRAME_OUTCOMES(X)                                                                          \
	X(FORWARDED, "forwarded", F)	       /* in: handed to the bridge, for one known owner */        \
	X(FLOODED, "flooded", F)	       /* in: handed to the bridge by a rule that lets it flood */ \
	X(LOCAL, "local", F)		       /* in: for this PE's own MAC (the bridge's) */              \
	X(DELIVERED, "delivered", F)	       /* out: left the port */                                   \
	X(ANSWER, "answer", F)		       /* out: our own answer left the port */                     \
	X(PROBE, "probe", F)		       /* out: our own probe, GARP or refresh left the port */     \
	X(ANSWERED, "answered", A)	       /* in: answered by the same port, goes nowhere else */      \
	X(SPONGED, "sponged", A)	       /* in: answered for an unassigned target */                 \
	X(UNKNOWN_TARGET, "unknown-target", D) /* in: nobody has that address */                           \
	X(OWN_TARGET, "own-target", D)	       /* in: the owner is the asker, or behind the asker's port */ \
	X(FREE_PROBE, "free-probe", D)	       /* in: probe or DAD for an address nobody has */            \
	X(ABSORBED, "absorbed", D)	       /* in: gratuitous ARP or unsolicited NA: learned, not flooded */ \
	X(SPOOF_MAC, "spoof-mac", D)	       /* in: source MAC is not this port's */                     \
	X(SPOOF_IP, "spoof-ip", D)	       /* in: ARP/ND speaks for an address that is not this port's */ \
	X(SENDER_MISMATCH, "sender-mismatch", D) /* in: ARP sha or ND link-layer option differs from the frame's source */ \
	X(MALFORMED, "malformed", D)	       /* in: class arp-bad, nd-bad, runt */                       \
	X(HYGIENE, "hygiene", D)	       /* in: a class that has no business in a peering LAN */     \
	X(NS_OPTION, "ns-option", D)	       /* in: NS with unknown options, policy discard */           \
	X(UNKNOWN_UNICAST, "unknown-unicast", D) /* in: destination MAC is nobody's; out: not this port's */ \
	X(SAME_PORT, "same-port", D)	       /* in: destination is behind the same port */               \
	X(MOVED, "moved", D)		       /* in: the source MAC is elsewhere now; reported, then claimed back */ \
	X(QUARANTINE, "quarantine", D)                                                             \
	X(UNAUTHORISED, "unauthorised", D)     /* out: BUM that no rule let flood */                       \
	X(FOREIGN_VTEP, "foreign-vtep", D)     /* fabric in: a sender that EVPN does not know */           \
	X(POLICED_IN, "policed-in", P)                                                             \
	X(POLICED_OUT, "policed-out", P)                                                           \
	X(ERROR, "error", D)		       /* a helper failed; never expected */

#define CLASS_ENUM_ROW(sym, token) CLASS_##sym,
#define OUTCOME_ENUM_ROW(sym, token, kind) OUTCOME_##sym,

enum frame_class { FRAME_CLASSES(CLASS_ENUM_ROW) CLASS_COUNT };
enum frame_outcome { FRAME_OUTCOMES(OUTCOME_ENUM_ROW) OUTCOME_COUNT };
enum frame_dir { DIR_IN, DIR_OUT, DIR_COUNT };

#define CLASS_BIT(c) (1ULL << (c))
