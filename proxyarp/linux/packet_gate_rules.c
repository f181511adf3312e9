/* The gate's chains of port n: in<n> and out<n>, hooked to it, and s<n> and so<n>, where what is not plain ends. Rules that decide
 * count; what they leave is logged to us. Octets are named by where they stand (@ll: from the Ethernet header on, @nh: behind it;
 * bits), since a rule must match whatever a member makes of the rest of the packet.
 */
#include "proxyarp/linux/packet_gate_parts.h"

#include <net/if.h>

const char *const gate_count_names[GATE_COUNTS] = {"i4", "i6", "l4", "l6", "o4", "o6"};

/* What is not plain goes to the chain `to`. */
static void rules_of_rest(struct gate *g, const char *chain, uint32_t n, const char *to)
{
	static const char *const conditions[] = {
		"ether daddr & 01:00:00:00:00:00 == 01:00:00:00:00:00",
		"@ll,96,16 != { 0x0800, 0x86dd }",
		"@ll,96,16 0x0800 @nh,72,8 1 @nh,0,8 != 0x45",
		"@ll,96,16 0x0800 @nh,72,8 1 @nh,160,8 { 5, 9, 10 }",
		"@ll,96,16 0x86dd @nh,48,8 58 @nh,320,8 133-137",
		"@ll,96,16 0x86dd @nh,56,8 255 @nh,48,8 { 0, 43, 44, 51, 60, 135, 139, 140 }",
	};

	for (size_t i = 0; i < sizeof conditions / sizeof conditions[0]; i++)
		gate_say(g, "add rule netdev quell %s%u %s goto %s%u\n", chain, n, conditions[i], to, n);
}

/* Two rules, one a family, each with its counter. */
static void counted(struct gate *g, const char *chain, uint32_t n, enum gate_count four, const char *condition)
{
	for (int i = 0; i < 2; i++)
		gate_say(g, "add rule netdev quell %s%u %s @ll,96,16 %s counter name c%u%s accept\n", chain, n, condition,
			i ? "0x86dd" : "0x0800", n, gate_count_names[four + i]);
}

/* UDP to 4789: by the octets where they stand in all but odd packets, since what the kernel finds at fault it matches with nothing. */
static const struct {
	const char *udp, *vni, *saddr;
	int family;
} vxlan[] = {
	{"@ll,96,16 0x0800 @nh,0,8 0x45 @nh,51,13 0 @nh,72,8 17 @nh,176,16 4789", "@nh,224,8 & 0x08 == 0x08 @nh,256,32 & 0xffffff00 ==", "ip saddr", 4},
	{"@ll,96,16 0x0800 @nh,0,8 != 0x45 udp dport 4789", "@th,64,8 & 0x08 == 0x08 @th,96,32 & 0xffffff00 ==", "ip saddr", 4},
	{"@ll,96,16 0x86dd @nh,48,8 17 @nh,336,16 4789", "@nh,384,8 & 0x08 == 0x08 @nh,416,32 & 0xffffff00 ==", "ip6 saddr", 6},
};
#define VXLANS (sizeof vxlan / sizeof vxlan[0])

static const char passes_dry[] = "meta mark set 0x51180000 accept";

static void rules_in(struct gate *g, uint32_t n, const struct layout_port *v)
{
	bool dry = v->flags & PORT_DRY, shut = v->flags & PORT_QUARANTINE && !dry && v->kind == PORT_MEMBER;
	bool member = v->kind == PORT_MEMBER;
	const char *known = member ? "meta iif . ether saddr @src" : "";
	char condition[256];

	rules_of_rest(g, "in", n, "s");
	/* The PE's own stack is told by none but us. */
	if (!shut && !dry)
		gate_say(g, "add rule netdev quell s%u ether daddr @self%u %s accept\n", n, v->lan, known);
	gate_say(g, "add rule netdev quell s%u %s\n", n, dry ? passes_dry : "drop");
	if (!shut && member) {
		gate_say(g, "add rule netdev quell in%u meta iif . ether saddr @report limit rate 10/second log prefix \"r\" group %d\n", n, LOG_GROUP);
		if (v->flags & PORT_WATCH) {
			gate_say(g, "add rule netdev quell in%u ip saddr @sponge4_%u limit rate 50/second log prefix \"r\" group %d\n", n, v->lan, LOG_GROUP);
			gate_say(g, "add rule netdev quell in%u ip6 saddr @sponge6_%u limit rate 50/second log prefix \"r\" group %d\n", n, v->lan, LOG_GROUP);
		}
		snprintf(condition, sizeof condition, "%s meta iif . ether daddr != @src ether daddr @dst%u", known, v->lan);
		counted(g, "in", n, GATE_IN4, condition);
		enum layout_action action = RULE_ACTION(v->rules, RULE_VXLAN);
		for (size_t i = 0; action != ACTION_OFF && i < VXLANS; i++)
			gate_say(g, "add rule netdev quell in%u ether daddr @self%u %s log prefix \"%c\" group %d %s\n", n, v->lan,
				vxlan[i].udp, action == ACTION_COUNT ? GATE_WOULD : GATE_DROPPED, LOG_GROUP,
				action == ACTION_COUNT ? "" : dry ? passes_dry : "drop");
	} else if (!shut) {
		snprintf(condition, sizeof condition, "ether daddr != @far%u ether daddr @dst%u", v->lan, v->lan);
		counted(g, "in", n, GATE_IN4, condition);
	}
	if (!shut) {
		snprintf(condition, sizeof condition, "%s ether daddr @self%u", known, v->lan);
		counted(g, "in", n, GATE_LOCAL4, condition);
	}
	gate_say(g, "add rule netdev quell in%u log prefix \"x\" group %d %s\n", n, LOG_GROUP, dry ? passes_dry : "drop");
}

static void rules_out(struct gate *g, uint32_t n, const struct layout_port *v)
{
	bool dry = v->flags & PORT_DRY, shut = v->flags & PORT_QUARANTINE && !dry;
	char here[64];

	if (v->kind == PORT_MEMBER)
		snprintf(here, sizeof here, "meta oif . ether daddr @src");
	else
		snprintf(here, sizeof here, "ether daddr @far%u", v->lan);
	/* Two comparisons cost less than one look-up, and the first is what every answer meets. */
	gate_say(g, "add rule netdev quell out%u meta mark & 0xffff0000 == 0x51170000 accept\n", n);
	gate_say(g, "add rule netdev quell out%u meta mark & 0xffff0000 == 0x51190000 accept\n", n);
	rules_of_rest(g, "out", n, "so");
	if (!shut) {
		gate_say(g, "add rule netdev quell so%u meta mark & 0xffff0000 == 0x51180000 accept\n", n);
		gate_say(g, "add rule netdev quell so%u %s accept\n", n, here);
		counted(g, "out", n, GATE_OUT4, "meta mark & 0xffff0000 == 0x51180000");
		counted(g, "out", n, GATE_OUT4, here);
	}
	/* In dry run the socket hears what leaves. */
	gate_say(g, "add rule netdev quell so%u %s\n", n, dry ? "accept" : "log prefix \"x\" group 20759 drop");
	gate_say(g, "add rule netdev quell out%u log prefix \"x\" group %d %s\n", n, LOG_GROUP, dry ? "accept" : "drop");
}

static void rules_underlay(struct gate *g, uint32_t n, const struct layout_port *v)
{
	const char *end = v->flags & PORT_DRY ? "accept" : "drop";

	for (size_t x = 0; x < VXLANS; x++)
		gate_say(g, "add rule netdev quell in%u %s %s daddr @own%d goto s%u\n", n, vxlan[x].udp, vxlan[x].family == 4 ? "ip" : "ip6",
			vxlan[x].family, n);
	gate_say(g, "add rule netdev quell in%u accept\n", n);
	for (size_t i = 0; i < g->lan_count; i++) {
		uint32_t vni = g->lans[i];

		for (size_t x = 0; tables_vtep(g->t, vni, (struct ip){0}) && x < VXLANS; x++)
			gate_say(g, "add rule netdev quell s%u %s %s 0x%06x00 %s @vtep%d_%u counter name c%u%s accept\n", n, vxlan[x].udp,
				vxlan[x].vni, vni, vxlan[x].saddr, vxlan[x].family, vni, n,
				gate_count_names[vxlan[x].family == 4 ? GATE_IN4 : GATE_IN6]);
	}
	gate_say(g, "add rule netdev quell s%u log prefix \"x\" group %d %s\n", n, LOG_GROUP, end);
}

void gate_fill_chains(struct gate *g, uint32_t n)
{
	const struct layout_port *v = tables_port(g->t, n);
	bool underlay = v && v->kind == PORT_UNDERLAY;

	if (!v)
		return;
	gate_lan_sets(g, v->lan);
	gate_say(g, "flush chain netdev quell in%u\nflush chain netdev quell s%u\n", n, n);
	if (underlay) {
		rules_underlay(g, n, v);
		return;
	}
	gate_say(g, "flush chain netdev quell out%u\nflush chain netdev quell so%u\n", n, n);
	rules_in(g, n, v);
	rules_out(g, n, v);
}

/* False: the interface is gone. */
bool gate_make_chains(struct gate *g, uint32_t n)
{
	const struct layout_port *v = tables_port(g->t, n);
	bool underlay = v && v->kind == PORT_UNDERLAY;
	char name[IF_NAMESIZE];

	if (!v || !if_indextoname(n, name))
		return false;
	for (size_t i = 0; i < GATE_COUNTS; i++)
		gate_say(g, "add counter netdev quell c%u%s\n", n, gate_count_names[i]);
	gate_say(g, "add chain netdev quell s%u\nadd chain netdev quell so%u\n", n, n);
	gate_say(g, "add chain netdev quell in%u { type filter hook ingress device \"%s\" priority -10; policy drop; }\n", n, name);
	if (!underlay)
		gate_say(g, "add chain netdev quell out%u { type filter hook egress device \"%s\" priority -10; policy drop; }\n", n, name);
	gate_fill_chains(g, n);
	return true;
}
