/* The frames of a noisy peering LAN, one builder a kind: what members of exchanges are seen to
 * send, with right lengths and checksums and with the sender's own MAC and addresses, so that only
 * what they are makes them unwelcome.
 */
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "lib/ip.h"
#include "lib/mac.h"

#define FRAME_MAX 512

struct host {
	struct mac mac;
	struct ip ip4, ip6;
};

/* X(symbol, token, share of the mix in 1/1000 of the frames) */
#define FLOOD_KINDS(X)                                                                             \
	X(ARP_UNASSIGNED, "arp-unassigned", 440)                                                   \
	X(ARP_KNOWN, "arp-known", 300)                                                             \
	X(NS_UNASSIGNED, "ns-unassigned", 60)                                                      \
	X(NS_KNOWN, "ns-known", 55)                                                                \
	X(GARP, "garp", 30)                                                                        \
	X(ARP_PROBE, "arp-probe", 8)                                                               \
	X(NA_UNSOLICITED, "na-unsolicited", 7)                                                     \
	X(RA, "ra", 5)                                                                             \
	X(MLD, "mld", 15)                                                                          \
	X(STP, "stp", 15)                                                                          \
	X(PVST, "pvst", 5)                                                                         \
	X(LLDP, "lldp", 3)                                                                         \
	X(CDP, "cdp", 3)                                                                           \
	X(DHCP, "dhcp", 7)                                                                         \
	X(DHCP6, "dhcp6", 4)                                                                       \
	X(MDNS, "mdns", 10)                                                                        \
	X(SSDP, "ssdp", 8)                                                                         \
	X(OSPF, "ospf", 6)                                                                         \
	X(PIM, "pim", 4)                                                                           \
	X(NETBIOS, "netbios", 7)                                                                   \
	X(UNKNOWN_UNICAST, "unknown-unicast", 8)

#define FLOOD_ENUM_ROW(sym, token, share) FLOOD_##sym,
enum flood_kind { FLOOD_KINDS(FLOOD_ENUM_ROW) FLOOD_COUNT };

/* Writes one frame of a kind from `me` into buf: to or about `target` for the kinds that have one
 * (an assigned or an unassigned neighbour), to groups for the rest. Returns its length without FCS,
 * at least 60. */
size_t frame_build(enum flood_kind kind, const struct host *me, const struct host *target,
	uint8_t buf[FRAME_MAX]);
