/* The rules as a report lists them. Tokens and texts are those of proxyarp/class.h; here is what usually breaks a rule. Commands
 * are given where they are the same across the releases of a system. */
#include "audit/rules.h"

#include "proxyarp/verdict.h"

#define ROW(sym, number, label, cause) {RULE_##sym, number, label, cause}

/* clang-format off */
const struct rules_row rules_rows[RULES_ROWS] = {
	ROW(ETHERNET, 1, "1",
		"Frames with an 802.3 length field come from a layer 2 protocol of a switch between "
		"the router and the port, or from IS-IS or an old frame type on the interface. Filter "
		"them at the last switch before the port."),
	ROW(ETHERTYPE, 2, "2",
		"Often MPLS or LDP, PPPoE discovery or a VLAN tag left on the interface, or a switch "
		"behind the port that speaks for itself. Take the protocol or the tag off the "
		"interface."),
	ROW(SOURCE_MAC, 3, "3",
		"Usually a switch or a second device behind the port, or a router that was replaced "
		"and whose new MAC address is not registered yet. Register the new MAC address before "
		"the change, and let only the router's interface reach the port."),
	ROW(PROXY_ARP, 4, "4",
		"Proxy ARP: some routers have it on by default. Cisco IOS and IOS XE: `no ip "
		"proxy-arp`; IOS XR: `no proxy-arp`; Junos: `delete proxy-arp` from the interface; "
		"RouterOS: `arp=enabled`; Linux: `net.ipv4.conf.IFACE.proxy_arp=0`."),
	ROW(MULTICAST, 5, "5",
		"Services of a general-purpose system (mDNS, SSDP), or a protocol between routers "
		"that has been enabled on the interface towards the exchange. Turn it off there."),
	ROW(STP, 6, "6",
		"A switch port towards the exchange that runs spanning tree, as switches do by "
		"default. Filter BPDUs on that port, for example `spanning-tree bpdufilter enable`."),
	ROW(DISCOVERY, 7, "7",
		"Discovery protocols are on by default on most equipment. Cisco: `no cdp enable`, `no "
		"lldp transmit`; Junos: disable the interface under `protocols lldp`; RouterOS: take "
		"the interface out of `/ip neighbor discovery-settings`."),
	ROW(VTP, 8, "8",
		"A switch port left in its dynamic default. Cisco: `switchport mode access`, "
		"`switchport nonegotiate`, `udld port disable`."),
	ROW(ROUTING, 9, "9",
		"An interior routing protocol runs on the interface, often because a network "
		"statement covers the peering LAN's prefix. Make the interface passive, or take it "
		"out of the protocol."),
	ROW(DHCP, 10, "10",
		"A DHCP client, server or relay on the interface, often left from how the system was "
		"installed. Turn it off; the exchange assigns addresses by hand."),
	ROW(MULTICAST_ROUTING, 11, "11",
		"PIM, IGMP or MLD on the interface, or a snooping querier of a switch behind the "
		"port. Turn multicast off on the interface; host systems that send MLD reports by "
		"themselves need a filter."),
	ROW(REDIRECT, 12, "12",
		"The router tells senders of a better next hop in the LAN. Cisco: `no ip redirects`, "
		"`no ipv6 redirects`; Junos: `no-redirects`; Linux: "
		"`net.ipv4.conf.IFACE.send_redirects=0`."),
	ROW(RA, 13, "13",
		"Many routers send router advertisements as soon as an interface has an IPv6 address, "
		"and hosts solicit them. Cisco: `ipv6 nd ra suppress all`; RouterOS: disable the "
		"interface under `/ipv6 nd`; Linux: no radvd on the interface and "
		"`router_solicitations=0`."),
	ROW(KEEPALIVE, 14, "14",
		"Keepalives or loop detection of the interface itself. Cisco: `no keepalive`, `no mop "
		"enabled`; on other switches turn loop detection or loop protection off on the port."),
	ROW(BROADCAST, 15, "15",
		"Name services of a general-purpose system (NetBIOS), a discovery service, or "
		"directed broadcast forwarded into the LAN. Turn the service off; Cisco: `no ip "
		"directed-broadcast`."),
	{AUDIT_RULE_PREFIX, 16, "16",
		"The router redistributes its connected networks into BGP, or passes on what it was told "
		"by another member. Filter the peering LAN's prefix, and all that is longer, towards every "
		"neighbour."},
	ROW(ADDRESS, 17, "17",
		"A wrong address or mask, a secondary address left over from elsewhere, or ARP for "
		"addresses that are not of this LAN. Compare the interface with what the exchange "
		"assigned."),
	ROW(SENDER, 0, "S",
		"A device between the router and the port that answers for it, or a virtual address "
		"(VRRP, HSRP) whose MAC address is in the ARP or ND message but not on the frame."),
	ROW(MALFORMED, 0, "M",
		"Damaged or truncated ARP or neighbour discovery, or one hidden behind extension "
		"headers: a defect of the device, or a test tool."),
	ROW(LOOP, 0, "L",
		"Frames that the exchange sent out came back: a loop behind the port, or two ports of "
		"the exchange joined by a switch."),
	ROW(VXLAN, 0, "V",
		"VXLAN packets to the exchange's own address. A router has no reason to send them; "
		"look for a misconfigured tunnel, or for what sends them."),
};
/* clang-format on */

const struct rules_row *rules_row_of(enum frame_rule rule)
{
	for (size_t i = 0; i < RULES_ROWS; i++)
		if (rules_rows[i].rule == rule)
			return &rules_rows[i];
	return NULL;
}

const char *rules_token(const struct rules_row *row)
{
	return row->rule == AUDIT_RULE_PREFIX ? "prefix" : rule_name(row->rule);
}

const char *rules_text(const struct rules_row *row)
{
	return row->rule == AUDIT_RULE_PREFIX ? "the prefix of the peering LAN is announced to nobody" : rule_text(row->rule);
}
