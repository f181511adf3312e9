/* A small peering LAN, VNI 100, for verdict tests.
 *
 *   port 10  member, closed       MACs A, a (both registered), P (awaited), H (registered here, now elsewhere)
 *   port 11  member, closed       MAC B
 *   port 12  member, open         MAC C (learned)
 *   port 13  member, quarantined
 *   port 14  member, closed, unknown targets flood; MAC D
 *   port 15  member, closed, NS options discard; MAC E
 *   port 16  member, closed, NS options forward, floods LLDP and announcements; MAC F
 *   port 20  the fabric: MAC R behind another PE; port 21: a fabric that floods unknown targets
 *   MAC X is at a port that is down; MAC S is the bridge's own; U is nobody's
 */
#pragma once
#include "frames.h"
#include "proxyarp/table.h"

#define LAN 100

static inline void world_mac(struct tables *t, char m, uint32_t ifindex, uint32_t home, uint8_t flags)
{
	struct layout_mac_key k = {.lan = LAN};
	struct layout_mac v = {.ifindex = ifindex, .home = home, .flags = flags};

	memcpy(k.mac, frame_mac(m).b, 6);
	tables_mac_set(t, &k, &v);
}

static inline void world_bind(struct tables *t, const char *text, char m, uint32_t ifindex, uint8_t flags)
{
	struct ip ip = frame_ip(text);
	struct layout_bind v = {.ifindex = ifindex, .flags = flags};

	memcpy(v.mac, frame_mac(m).b, 6);
	if (ip.family == 4) {
		struct layout_key4 k = {.lan = LAN};
		memcpy(k.ip, ip.b, 4);
		tables_bind4_set(t, &k, &v);
	} else {
		struct layout_key6 k = {.lan = LAN};
		memcpy(k.ip, ip.b, 16);
		tables_bind6_set(t, &k, &v);
	}
}

static inline void world_port(struct tables *t, uint32_t ifindex, uint8_t kind, uint8_t flags,
	uint8_t unknown, uint8_t ns_option, uint64_t flood)
{
	struct layout_port p = {.lan = LAN,
		.slot = ifindex,
		.kind = kind,
		.flags = flags,
		.unknown_target = unknown,
		.ns_option = ns_option,
		.fabric_ifindex = 20,
		.flood_classes = flood};

	tables_port_set(t, ifindex, &p);
}

static inline void world_init(struct tables *t)
{
	tables_init(t, 64, 64, 64, 32, 16);
	world_port(t, 10, PORT_MEMBER, PORT_CLOSED, UNKNOWN_DROP, NS_OPTION_REPLY, 0);
	world_port(t, 11, PORT_MEMBER, PORT_CLOSED, UNKNOWN_SPONGE, NS_OPTION_REPLY, 0);
	world_port(t, 12, PORT_MEMBER, 0, UNKNOWN_DROP, NS_OPTION_REPLY, 0);
	world_port(t, 13, PORT_MEMBER, PORT_QUARANTINE, UNKNOWN_DROP, NS_OPTION_REPLY, 0);
	world_port(t, 14, PORT_MEMBER, PORT_CLOSED, UNKNOWN_POLICE, NS_OPTION_REPLY, 0);
	world_port(t, 15, PORT_MEMBER, PORT_CLOSED, UNKNOWN_DROP, NS_OPTION_DISCARD, 0);
	world_port(t, 16, PORT_MEMBER, PORT_CLOSED, UNKNOWN_DROP, NS_OPTION_FORWARD,
		CLASS_BIT(CLASS_LLDP) | CLASS_BIT(CLASS_ARP_GRATUITOUS) |
			CLASS_BIT(CLASS_NA_UNSOLICITED) | CLASS_BIT(CLASS_ARP_REPLY_BCAST));
	world_port(t, 20, PORT_FABRIC, 0, UNKNOWN_DROP, NS_OPTION_DISCARD, 0);
	world_port(t, 21, PORT_FABRIC, 0, UNKNOWN_FLOOD, NS_OPTION_REPLY, CLASS_BIT(CLASS_LLDP));

	world_mac(t, 'A', 10, 10, MAC_STATIC);
	world_mac(t, 'a', 10, 10, MAC_STATIC);
	world_mac(t, 'P', 10, 10, MAC_STATIC | MAC_REPORT);
	world_mac(t, 'H', 0, 10, MAC_STATIC);
	world_mac(t, 'X', 17, 17, MAC_STATIC | MAC_DOWN);
	world_mac(t, 'B', 11, 11, MAC_STATIC);
	world_mac(t, 'C', 12, 0, 0);
	world_mac(t, 'D', 14, 14, MAC_STATIC);
	world_mac(t, 'E', 15, 15, MAC_STATIC);
	world_mac(t, 'F', 16, 16, MAC_STATIC);
	world_mac(t, 'R', 0, 0, 0);
	world_mac(t, 'S', 5, 0, MAC_SELF);

	world_bind(t, "198.18.0.1", 'A', 10, BIND_STATIC);
	world_bind(t, "198.18.0.2", 'B', 11, BIND_STATIC);
	world_bind(t, "198.18.0.3", 'C', 12, 0);
	world_bind(t, "198.18.0.4", 'D', 14, BIND_STATIC);
	world_bind(t, "198.18.0.6", 'F', 16, BIND_STATIC);
	world_bind(t, "198.18.0.7", 'A', 10, BIND_STATIC | BIND_ALT);
	world_bind(t, "198.18.0.8", 'B', 11, BIND_STATIC | BIND_SILENT);
	world_bind(t, "198.18.0.9", 'R', 0, 0);
	world_bind(t, "2001:db8::1", 'A', 10, BIND_STATIC | BIND_ROUTER | BIND_OVERRIDE);
	world_bind(t, "2001:db8::2", 'B', 11, BIND_STATIC | BIND_ROUTER);
	world_bind(t, "2001:db8::3", 'C', 12, 0);
	world_bind(t, "2001:db8::8", 'B', 11, BIND_STATIC | BIND_SILENT);
	world_bind(t, "2001:db8::9", 'R', 0, 0);
	world_bind(t, "2001:db8::e", 'E', 15, BIND_STATIC);
	world_bind(t, "2001:db8::f", 'F', 16, BIND_STATIC);
	world_bind(t, "fe80::a", 'A', 10, 0);
}
