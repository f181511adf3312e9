/* A small peering LAN, VNI 100, for verdict tests.
 *
 *   port 10  member, closed       MACs A, a (both registered), P (awaited), H (registered here, now elsewhere)
 *   port 11  member, closed       MAC B
 *   port 12  member, open         MAC C (learned)
 *   port 13  member, quarantined
 *   port 14  member, closed, unknown targets flood; MAC D
 *   port 15  member, closed, NS options discard; MAC E
 *   port 16  member, closed, NS options forward, floods LLDP and announcements; MAC F
 *   port 18  member, closed, quarantined, dry run
 *   port 19  a fabric in dry run, all rules count
 *   port 20  the fabric: MAC R behind another PE; port 21: a fabric that floods unknown targets, anycast
 *   port 22  member, closed, dry run; MAC G
 *   port 23  member, open, sponge and watch; MAC W (learned)
 *   port 24  member, closed, unicast-forward; MAC V
 *   port 25  member, closed, all rules off; MAC O
 *   port 26  member, closed, all rules count; MAC K
 *   port 27  member, closed, all rules alarm; MAC L
 *   port 28  member, closed, NS options unicast, anycast; MAC N
 *   port 29  the underlay; port 30: the underlay in dry run
 *   port 31  a fabric with unicast-forward, all rules alarm
 *   MAC X is at a port that is down; MAC S is the bridge's own; T the sponge's; U is nobody's
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

/* Flags and rules of a port besides. */
static inline void world_also(struct tables *t, uint32_t ifindex, uint8_t flags, enum layout_action action)
{
	struct layout_port p = *tables_port(t, ifindex);

	p.flags |= flags;
	for (int r = 1; r < RULE_COUNT; r++)
		p.rules = RULE_SET(p.rules, r, action);
	tables_port_set(t, ifindex, &p);
}

static inline void world_vtep(struct tables *t, uint32_t vni, const char *text)
{
	struct layout_vtep_key k = table_vtep_key(vni, frame_ip(text));

	tables_vtep_set(t, &k);
}

static inline void world_init(struct tables *t)
{
	tables_init(t, 64, 64, 64, 32, 16); /* check_diff has no more */
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

	world_port(t, 18, PORT_MEMBER, PORT_QUARANTINE | PORT_CLOSED | PORT_DRY, UNKNOWN_DROP, NS_OPTION_REPLY, 0);
	world_port(t, 19, PORT_FABRIC, PORT_DRY, UNKNOWN_DROP, NS_OPTION_DISCARD, 0);
	world_port(t, 22, PORT_MEMBER, PORT_CLOSED | PORT_DRY, UNKNOWN_DROP, NS_OPTION_DISCARD, 0);
	world_port(t, 23, PORT_MEMBER, PORT_WATCH, UNKNOWN_SPONGE, NS_OPTION_DISCARD, 0);
	world_port(t, 24, PORT_MEMBER, PORT_CLOSED | PORT_UNICAST_FORWARD, UNKNOWN_DROP, NS_OPTION_REPLY, 0);
	world_port(t, 25, PORT_MEMBER, PORT_CLOSED, UNKNOWN_DROP, NS_OPTION_DISCARD, 0);
	world_port(t, 26, PORT_MEMBER, PORT_CLOSED, UNKNOWN_DROP, NS_OPTION_DISCARD, 0);
	world_port(t, 27, PORT_MEMBER, PORT_CLOSED, UNKNOWN_DROP, NS_OPTION_DISCARD, CLASS_BIT(CLASS_LLDP));
	world_port(t, 28, PORT_MEMBER, PORT_CLOSED | PORT_ANYCAST, UNKNOWN_SPONGE, NS_OPTION_UNICAST, 0);
	world_port(t, 29, PORT_UNDERLAY, 0, 0, 0, 0);
	world_port(t, 30, PORT_UNDERLAY, PORT_DRY, 0, 0, 0);
	world_port(t, 31, PORT_FABRIC, PORT_UNICAST_FORWARD, UNKNOWN_DROP, NS_OPTION_DISCARD, 0);
	world_also(t, 19, 0, ACTION_COUNT);
	world_also(t, 21, PORT_ANYCAST, ACTION_DROP);
	world_also(t, 25, 0, ACTION_OFF);
	world_also(t, 26, 0, ACTION_COUNT);
	world_also(t, 27, 0, ACTION_ALARM);
	world_also(t, 31, 0, ACTION_ALARM);

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
	world_mac(t, 'G', 22, 22, MAC_STATIC);
	world_mac(t, 'W', 23, 0, 0);
	world_mac(t, 'V', 24, 24, MAC_STATIC);
	world_mac(t, 'O', 25, 25, MAC_STATIC);
	world_mac(t, 'K', 26, 26, MAC_STATIC);
	world_mac(t, 'L', 27, 27, MAC_STATIC);
	world_mac(t, 'N', 28, 28, MAC_STATIC);
	world_mac(t, 'T', 0, 0, MAC_TRAP);

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
	world_bind(t, "198.18.0.22", 'G', 22, BIND_STATIC);
	world_bind(t, "2001:db8::22", 'G', 22, BIND_STATIC);
	world_bind(t, "198.18.0.23", 'W', 23, 0);
	world_bind(t, "198.18.0.24", 'V', 24, BIND_STATIC);
	world_bind(t, "2001:db8::24", 'V', 24, BIND_STATIC);
	world_bind(t, "198.18.0.25", 'O', 25, BIND_STATIC);
	world_bind(t, "2001:db8::25", 'O', 25, BIND_STATIC);
	world_bind(t, "198.18.0.26", 'K', 26, BIND_STATIC);
	world_bind(t, "2001:db8::26", 'K', 26, BIND_STATIC);
	world_bind(t, "198.18.0.27", 'L', 27, BIND_STATIC);
	world_bind(t, "2001:db8::27", 'L', 27, BIND_STATIC);
	world_bind(t, "198.18.0.28", 'N', 28, BIND_STATIC);
	world_bind(t, "2001:db8::28", 'N', 28, BIND_STATIC);
	/* the sponge's; a duplicate that only the sponge answers for; asked for with interest; of the exchange; hard to reach */
	world_bind(t, "198.18.0.50", 'T', 0, BIND_STATIC | BIND_SPONGE);
	world_bind(t, "2001:db8::50", 'T', 0, BIND_STATIC | BIND_SPONGE | BIND_WATCH | BIND_ROUTER | BIND_OVERRIDE);
	world_bind(t, "198.18.0.51", 'B', 11, BIND_STATIC | BIND_WATCH);
	world_bind(t, "2001:db8::51", 'B', 11, BIND_STATIC | BIND_WATCH);
	world_bind(t, "198.18.0.52", 'B', 11, BIND_STATIC | BIND_WATCH | BIND_SILENT);
	world_bind(t, "198.18.0.53", 'B', 11, BIND_STATIC | BIND_EXCHANGE);
	world_bind(t, "2001:db8::53", 'B', 11, BIND_STATIC | BIND_EXCHANGE);
	world_bind(t, "198.18.0.54", 'X', 17, BIND_STATIC);
	world_bind(t, "198.18.0.55", 'S', 5, BIND_STATIC);
	world_bind(t, "198.18.0.56", 'U', 11, BIND_STATIC);

	world_vtep(t, 0, "192.0.2.1");
	world_vtep(t, 0, "2001:db8:ffff::1");
	world_vtep(t, LAN, "::");
	world_vtep(t, LAN, "192.0.2.2");
	world_vtep(t, LAN, "2001:db8:ffff::2");
}
