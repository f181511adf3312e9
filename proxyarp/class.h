/* The words of the ledger: what a frame is (its class, seen from the frame's octets alone), and what became of it
 * (its outcome). Shared by the C verdict, the BPF programs, the CLI, captures and reports, so it includes nothing.
 * Adding one is adding a row; the numbers are an ABI of pinned maps: see LAYOUT_VERSION in layout.h.
 *
 * And the rules of a peering LAN: what a member may send. They are those that exchanges publish; the number is their place in
 * the usual list (0: not in it; number 16, do not announce the peering LAN's prefix, is BGP's and nothing that a port shows).
 */
#pragma once

/* X(symbol, token, rule): the rule that forbids the class in a peering LAN; NONE: it may be sent, within the other rules */
#define FRAME_CLASSES(X)                                                                           \
	X(ARP_REQUEST, "arp-request", NONE)	    /* broadcast/multicast, sender IP set, target another */ \
	X(ARP_PROBE, "arp-probe", NONE)		    /* RFC 5227: request with sender IP 0 */              \
	X(ARP_GRATUITOUS, "arp-gratuitous", NONE)   /* request or reply with sender IP = target IP */     \
	X(ARP_UNICAST, "arp-unicast", NONE)	    /* request to a unicast MAC (NUD-like) */             \
	X(ARP_REPLY, "arp-reply", NONE)		    /* unicast reply */                                   \
	X(ARP_REPLY_BCAST, "arp-reply-bcast", NONE) /* reply to a group MAC, not gratuitous */            \
	X(ARP_BAD, "arp-bad", MALFORMED)	    /* not RFC 826 Ethernet/IPv4, truncated, other opcode */ \
	X(NS, "ns", NONE)			    /* multicast NS with a source */                      \
	X(NS_DAD, "ns-dad", NONE)		    /* NS from :: */                                      \
	X(NS_UNICAST, "ns-unicast", NONE)	    /* NS to a unicast MAC (NUD) */                       \
	X(NA, "na", NONE)			    /* to a unicast MAC */                                \
	X(NA_UNSOLICITED, "na-unsolicited", NONE)   /* to a group MAC */                                  \
	X(ND_BAD, "nd-bad", MALFORMED)		    /* ND failing RFC 4861's validity rules, or hidden (RFC 6980, 7113) */ \
	X(RS, "rs", RA)                                                                            \
	X(RA, "ra", RA)                                                                            \
	X(REDIRECT, "redirect", REDIRECT)	    /* ICMPv6 137 */                                      \
	X(MLD, "mld", MULTICAST_ROUTING)	    /* ICMPv6 130-132, 143 */                             \
	X(IGMP, "igmp", MULTICAST_ROUTING)	    /* DVMRP too */                                       \
	X(DHCP4, "dhcp4", DHCP)			    /* UDP 67/68 */                                       \
	X(DHCP6, "dhcp6", DHCP)			    /* UDP 546/547 */                                     \
	X(MDNS, "mdns", MULTICAST)		    /* UDP 5353, either family, group MAC */              \
	X(SSDP, "ssdp", MULTICAST)		    /* UDP 1900, group MAC */                             \
	X(NETBIOS, "netbios", BROADCAST)	    /* UDP 137/138, group MAC */                          \
	X(OSPF, "ospf", ROUTING)		    /* protocol 89, group MAC */                          \
	X(PIM, "pim", MULTICAST_ROUTING)	    /* protocol 103, group MAC */                         \
	X(IP4_UNICAST, "ipv4", NONE)		    /* IPv4 to a unicast MAC */                           \
	X(IP4_MULTICAST, "ipv4-multicast", MULTICAST) /* other IPv4 to a group MAC but broadcast */       \
	X(IP4_BROADCAST, "ipv4-broadcast", BROADCAST) /* other IPv4 to the broadcast MAC */               \
	X(IP6_UNICAST, "ipv6", NONE)                                                               \
	X(IP6_MULTICAST, "ipv6-multicast", MULTICAST)                                              \
	X(STP, "stp", STP)			    /* 802.2 LLC 42/42 to 01:80:c2:00:00:00 or PVST SNAP */ \
	X(LLDP, "lldp", DISCOVERY)		    /* 0x88cc */                                          \
	X(CDP, "cdp", DISCOVERY)		    /* SNAP: CDP, EDP, FDP */                             \
	X(LLC, "llc", ETHERNET)			    /* any other 802.3 length frame */                    \
	X(TAGGED, "tagged", ETHERTYPE)		    /* 802.1Q/ad tag, in band or in metadata */           \
	X(ETHERTYPE, "ethertype", ETHERTYPE)	    /* anything but 0x0800, 0x0806, 0x86dd and those with a class */ \
	X(RUNT, "runt", MALFORMED)		    /* shorter than an Ethernet header */                 \
	X(VTP, "vtp", VTP)			    /* SNAP: VTP, DTP, UDLD, PAgP */                      \
	X(MNDP, "mndp", DISCOVERY)		    /* UDP 5678, group MAC */                             \
	X(ISIS, "is-is", ROUTING)		    /* LLC fe/fe */                                       \
	X(EIGRP, "eigrp", ROUTING)		    /* protocol 88 (EIGRP) or 9 (IGRP), group MAC */      \
	X(RIP, "rip", ROUTING)			    /* UDP 520, 521, group MAC */                         \
	X(LOOP_TEST, "loop-test", KEEPALIVE)	    /* 0x9000, 0x8899, MOP 0x6001 - 0x6004 */             \
	X(ICMP_REDIRECT, "icmp-redirect", REDIRECT) /* ICMPv4 type 5, to any MAC */                       \
	X(IRDP, "irdp", REDIRECT)		    /* ICMPv4 types 9 and 10, RFC 1256 */

/* X(symbol, token, number, text) */
#define FRAME_RULES(X)                                                                             \
	X(NONE, "none", 0, "")                                                                     \
	X(ETHERNET, "ethernet-ii", 1, "Ethernet II only, no LLC or SNAP")                          \
	X(ETHERTYPE, "ethertype", 2, "only IPv4, ARP and IPv6, untagged")                          \
	X(SOURCE_MAC, "source-mac", 3, "one source MAC, the registered one")                       \
	X(PROXY_ARP, "proxy-arp", 4, "no answers for the addresses of others")                     \
	X(MULTICAST, "multicast", 5, "unicast only, but for ARP and neighbour discovery")          \
	X(STP, "stp", 6, "no spanning tree")                                                       \
	X(DISCOVERY, "discovery", 7, "no CDP, EDP, LLDP, MNDP")                                    \
	X(VTP, "vtp", 8, "no VTP, DTP, UDLD")                                                      \
	X(ROUTING, "routing", 9, "no OSPF, IS-IS, IGRP, EIGRP, RIP")                               \
	X(DHCP, "dhcp", 10, "no BOOTP or DHCP")                                                    \
	X(MULTICAST_ROUTING, "multicast-routing", 11, "no PIM, DVMRP, IGMP, MLD")                  \
	X(REDIRECT, "redirect", 12, "no ICMP redirects, no IRDP")                                  \
	X(RA, "router-advertisement", 13, "no router advertisements or solicitations")             \
	X(KEEPALIVE, "keepalive", 14, "no layer 2 keepalives, loop tests, MOP")                    \
	X(BROADCAST, "broadcast", 15, "no (directed) broadcast but ARP")                           \
	X(ADDRESS, "assigned-address", 17, "only the assigned address")                            \
	X(SENDER, "sender", 0, "hardware addresses in ARP and ND are the frame's source")          \
	X(MALFORMED, "malformed", 0, "ARP and ND as RFC 826 and 4861 have them, nothing hidden")   \
	X(LOOP, "loop", 0, "nothing comes back that the exchange sent out")                        \
	X(VXLAN, "vxlan", 0, "no VXLAN to the exchange's own address")

/* X(symbol, token, kind): kind F: it went on, A: answered, D: dropped, P: policed */
#define FRAME_OUTCOMES(X)                                                                          \
	X(FORWARDED, "forwarded", F)	       /* in: handed to the bridge, for one known owner */        \
	X(FLOODED, "flooded", F)	       /* in: handed to the bridge by a rule that lets it flood */ \
	X(LOCAL, "local", F)		       /* in: for this PE's own MAC (the bridge's) */              \
	X(DELIVERED, "delivered", F)	       /* out: left the port */                                   \
	X(ANSWER, "answer", F)		       /* out: our own answer left the port */                     \
	X(PROBE, "probe", F)		       /* out: our own probe, GARP or refresh left the port */     \
	X(ANSWERED, "answered", A)	       /* in: answered by the same port, goes nowhere else */      \
	X(SPONGED, "sponged", A)	       /* in: answered with the sponge's MAC, or that of a duplicate address */ \
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
	X(ERROR, "error", D)		       /* a helper failed; never expected */                      \
	X(WOULD, "would", F)		       /* dry run: it went on, and would not have; what of it, in the plane's `would` */ \
	X(UNICAST_FORWARDED, "unicast-forwarded", F) /* in: a request sent on to the owner's MAC alone, RFC 9161 3.4 */ \
	X(TRAPPED, "trapped", D)	       /* in: to the sponge's MAC, or that of a duplicate address */ \
	X(LOOP, "loop", D)		       /* in: the exchange sent this out itself */                \
	X(VXLAN, "vxlan", D)		       /* in: VXLAN to the PE's own MAC from a member */          \
	X(UNKNOWN_VTEP, "unknown-vtep", D)     /* underlay in: VXLAN of one of our LANs from a VTEP that is not in it */ \
	X(FOREIGN_VNI, "foreign-vni", D)       /* underlay in: VXLAN to us, of no LAN here */

#define CLASS_ENUM_ROW(sym, token, rule) CLASS_##sym,
#define RULE_ENUM_ROW(sym, token, number, text) RULE_##sym,
#define OUTCOME_ENUM_ROW(sym, token, kind) OUTCOME_##sym,

enum frame_class { FRAME_CLASSES(CLASS_ENUM_ROW) CLASS_COUNT };
enum frame_outcome { FRAME_OUTCOMES(OUTCOME_ENUM_ROW) OUTCOME_COUNT };
enum frame_rule { FRAME_RULES(RULE_ENUM_ROW) RULE_COUNT };
enum frame_dir { DIR_IN, DIR_OUT, DIR_COUNT };

#define CLASS_BIT(c) (1ULL << (c))
