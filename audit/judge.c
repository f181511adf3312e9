/* The rules, before the very code of the agent: tables as the agent would have them, made from the registry, and verdict_in(). Each
 * registered port is a member port that is closed and on which every rule tells (ACTION_ALARM), so that the event of a verdict
 * names the rule that was broken. Whom the registry does not know is judged at an open port, nowhere: his source MAC
 * is wrong in any case, and what else he breaks is told, too.
 *
 * Ports of one member that share a MAC (a link aggregate, a move being prepared) are one place.
 *
 * A rule passes only where its breach would have been seen. At the member's own port that is any of its frames; elsewhere only what floods
 * comes by. Rule 16 is BGP's: announced.c.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "audit/state.h"

#define RULE_BIT(r) (1ULL << (r))

/* What a frame to a group tells of its sender, wherever it is captured. */
#define SEEN_IN_GROUP                                                                              \
	(RULE_BIT(RULE_ETHERNET) | RULE_BIT(RULE_ETHERTYPE) | RULE_BIT(RULE_MULTICAST) | RULE_BIT(RULE_STP) | \
		RULE_BIT(RULE_DISCOVERY) | RULE_BIT(RULE_VTP) | RULE_BIT(RULE_ROUTING) | RULE_BIT(RULE_DHCP) | \
		RULE_BIT(RULE_MULTICAST_ROUTING) | RULE_BIT(RULE_RA) | RULE_BIT(RULE_KEEPALIVE) | RULE_BIT(RULE_BROADCAST))
/* What any frame tells at its sender's own port. */
#define SEEN_AT_OWN                                                                                \
	(SEEN_IN_GROUP | RULE_BIT(RULE_SOURCE_MAC) | RULE_BIT(RULE_REDIRECT) | RULE_BIT(RULE_LOOP) | RULE_BIT(RULE_VXLAN))

static uint64_t all_tell(void)
{
	uint64_t rules = 0;

	for (int r = 1; r < RULE_COUNT; r++)
		rules = RULE_SET(rules, r, ACTION_ALARM);
	return rules;
}

static int add_port(struct tables *t, uint32_t ifindex, uint8_t flags)
{
	struct layout_port v = {
		.lan = AUDIT_LAN, .kind = PORT_MEMBER, .flags = flags, .ns_option = NS_OPTION_REPLY, .rules = all_tell()};

	return tables_port_set(t, ifindex, &v);
}

static int add_mac(struct tables *t, struct mac mac, uint32_t place, uint8_t flags)
{
	struct layout_mac_key k = {.lan = AUDIT_LAN};
	struct layout_mac v = {.ifindex = place, .home = place, .flags = (uint8_t)(MAC_STATIC | flags)};

	memcpy(k.mac, mac.b, 6);
	return tables_mac_set(t, &k, &v);
}

/* Any of the port's MACs may speak for any of its addresses. */
static int add_ip(struct tables *t, struct ip ip, struct mac mac, uint32_t place, bool router)
{
	struct layout_bind v = {.ifindex = place, .flags = BIND_STATIC | BIND_ALT};

	v.flags |= router ? BIND_ROUTER : 0;
	memcpy(v.mac, mac.b, 6);
	if (ip.family == 4) {
		struct layout_key4 k = {.lan = AUDIT_LAN};
		memcpy(k.ip, ip.b, 4);
		return tables_bind4_set(t, &k, &v);
	}
	struct layout_key6 k = {.lan = AUDIT_LAN};
	memcpy(k.ip, ip.b, 16);
	return tables_bind6_set(t, &k, &v);
}

static uint32_t place_of(struct audit_state *st, const struct registry_port *port)
{
	for (int i = 0; i < port->mac_count; i++) {
		const struct layout_mac *m = tables_mac(&st->tables, AUDIT_LAN, port->macs[i].b);
		if (m)
			return m->ifindex;
	}
	return ++st->place_count;
}

static int place_port(struct audit_state *st, const struct registry *reg, size_t i)
{
	const struct registry_port *port = &reg->ports[i];
	uint32_t place = place_of(st, port);
	/* Of a port without MACs nobody has said whose frames are right. */
	int r = add_port(&st->tables, place, port->mac_count ? PORT_CLOSED : 0);

	st->place_of[i] = place;
	for (int k = 0; k < port->mac_count && r == 0; k++)
		r = add_mac(&st->tables, port->macs[k], place, 0);
	for (int k = 0; k < port->ip_count && r == 0; k++)
		r = add_ip(&st->tables, port->ips[k], port->macs[0], place, port->router);
	return r;
}

static int fill_tables(struct audit *a)
{
	struct audit_state *st = a->state;
	size_t ports = a->registry ? a->registry->port_count : 0;
	int r = 0;

	for (size_t i = 0; i < ports && r == 0; i++)
		r = place_port(st, a->registry, i);
	st->nowhere = st->place_count + 1;
	for (size_t i = 0; i < st->own_count && r == 0; i++)
		r = add_mac(&st->tables, st->own[i], st->nowhere + 1, MAC_SELF);
	return r < 0 ? r : add_port(&st->tables, st->nowhere, 0);
}

int audit_judge_init(struct audit *a)
{
	struct audit_state *st = a->state;
	const struct registry *reg = a->registry;
	size_t ports = reg ? reg->port_count : 0;

	st->member_count = reg ? reg->member_count : 0;
	uint32_t room = (uint32_t)ports + 2;
	tables_init(&st->tables, room * REGISTRY_IPS, room * REGISTRY_IPS,
		room * REGISTRY_MACS + (uint32_t)st->own_count, room, 1);
	st->place_of = calloc(room, sizeof(*st->place_of));
	st->at_place = calloc(room, sizeof(*st->at_place));
	st->alive = calloc(room, sizeof(*st->alive));
	st->of_member = calloc(st->member_count + 1, sizeof(*st->of_member));
	st->seen = calloc(st->member_count + 1, sizeof(*st->seen));
	if (!st->place_of || !st->at_place || !st->alive || !st->of_member || !st->seen)
		return -ENOMEM;
	for (size_t i = 0; i < st->member_count; i++)
		st->of_member[i].member = &reg->members[i];
	return fill_tables(a);
}

/* --- one frame --- */

/* Whose it is: at a registered port, that port's member's, whatever the MAC says; else the member's who has the MAC. */
static const struct registry_port *whose(const struct audit_passage *p)
{
	const struct registry_port *here = p->a->ports[p->port].registered;

	if (p->dir == AUDIT_SENT && here)
		return here;
	return p->sender ? p->sender->s.registered : NULL;
}

static bool is_malformed(enum frame_class c)
{
	return c == CLASS_ARP_BAD || c == CLASS_ND_BAD || c == CLASS_RUNT;
}

/* At an observer's the tag may be the mirror's: it is nobody's breach, and what is behind it is not judged. */
static bool is_of_a_mirror(const struct audit_passage *p)
{
	return p->f.cls == CLASS_TAGGED && p->a->registry && !p->a->ports[p->port].registered;
}

static enum frame_rule rule_of(const struct audit_passage *p, uint32_t place)
{
	struct verdict_input in = {.frame = p->octets, .len = p->len, .ifindex = place};
	struct verdict v;

	if (p->maimed)
		return is_malformed(p->f.cls) ? RULE_NONE : class_rule(p->f.cls);
	verdict_in(&p->a->state->tables, &in, &v);
	if (v.has_event && (v.event.type == EVENT_RULE || v.event.type == EVENT_SPOOF))
		return v.event.rule;
	/* Nothing is told of a source that is nobody's. */
	return v.outcome == OUTCOME_SPOOF_MAC ? RULE_SOURCE_MAC : v.outcome == OUTCOME_MALFORMED ? RULE_MALFORMED : RULE_NONE;
}

static uint64_t seen_rules(const struct audit_passage *p, bool at_own)
{
	const struct frame *f = &p->f;
	uint64_t seen = at_own ? SEEN_AT_OWN : mac_is_group(f->dst) ? SEEN_IN_GROUP : 0;
	bool arp = frame_is_arp(f), nd = frame_is_ns(f) || frame_is_na(f);

	if (f->cls == CLASS_IP4_UNICAST || f->cls == CLASS_IP6_UNICAST)
		seen |= RULE_BIT(RULE_REDIRECT);
	if (arp || nd)
		seen |= RULE_BIT(RULE_SENDER) | RULE_BIT(RULE_MALFORMED);
	if ((arp || frame_is_ns(f)) && !ip_is_unspecified(f->sender))
		seen |= RULE_BIT(RULE_ADDRESS);
	if (f->cls == CLASS_ARP_REPLY || f->cls == CLASS_ARP_REPLY_BCAST || frame_is_na(f))
		seen |= RULE_BIT(RULE_PROXY_ARP);
	return seen;
}

static void broken(struct audit_passage *p, struct audit_member *m, enum frame_rule rule)
{
	struct audit_ruling *r = &m->rules[rule];

	audit_evidence(p, m, rule, r->frames);
	if (!r->frames)
		r->first_ns = p->ns;
	r->frames++;
	r->by_mac += p->by_mac;
	r->last_ns = p->ns;
	if (p->sender && !p->spoofed)
		p->sender->s.broken[rule]++;
}

static void find_spoof(struct audit_passage *p, enum frame_rule rule, bool at_own)
{
	bool na = frame_is_na(&p->f);

	if (rule == RULE_SOURCE_MAC && at_own)
		audit_find(p, AUDIT_SPOOF_MAC, (struct ip){0}, (struct mac){{0}});
	else if (rule == RULE_ADDRESS || rule == RULE_PROXY_ARP)
		audit_find(p, AUDIT_SPOOF_IP, na ? p->f.target : p->f.sender, (struct mac){{0}});
}

static void judge_update(struct audit_passage *p, struct audit_member *m, uint64_t *seen)
{
	enum audit_announced what = audit_announced(p);

	if (what != AUDIT_ANNOUNCED_NOTHING)
		*seen |= RULE_BIT(AUDIT_RULE_PREFIX);
	if (what == AUDIT_ANNOUNCED_LAN)
		broken(p, m, AUDIT_RULE_PREFIX);
}

void audit_judge(struct audit_passage *p)
{
	struct audit_state *st = p->a->state;
	const struct registry_port *port = whose(p), *here = p->a->ports[p->port].registered;
	bool at_own = p->dir == AUDIT_SENT && here;
	size_t index = port ? port->member : st->member_count;
	struct audit_member *m = &st->of_member[index];

	if (!port && p->sender && p->sender->exchange_own)
		return;
	m->sent.frames++;
	m->sent.octets += p->wire_len;
	m->by_mac += p->by_mac;
	if (mac_is_group(p->f.dst)) {
		m->group.frames++;
		m->group.octets += p->wire_len;
	}
	uint32_t place = port ? st->place_of[port - p->a->registry->ports] : st->nowhere;
	bool mirrored = is_of_a_mirror(p);
	st->seen[index] |= mirrored ? 0 : seen_rules(p, at_own);
	enum frame_rule rule = mirrored ? RULE_NONE : rule_of(p, place);
	if (!port && p->a->registry && rule != RULE_SOURCE_MAC && p->sender)
		broken(p, m, RULE_SOURCE_MAC);
	if (rule == RULE_NONE) {
		judge_update(p, m, &st->seen[index]);
		return;
	}
	broken(p, m, rule);
	find_spoof(p, rule, at_own);
}

/* --- the end --- */

static void conclude(struct audit_member *m, uint64_t seen)
{
	m->pass = m->sent.frames > 0;
	for (int r = 0; r < RULE_COUNT; r++) {
		struct audit_ruling *ruling = &m->rules[r];
		ruling->verdict = ruling->frames	 ? AUDIT_FAIL
				  : seen & RULE_BIT(r) ? AUDIT_PASS
						       : AUDIT_NOT_SEEN;
		m->pass = m->pass && ruling->verdict != AUDIT_FAIL;
	}
}

/* Those that failed first; then who sent most to groups; members alone before nobody. */
static int failed_first(const void *x, const void *y)
{
	const struct audit_member *a = x, *b = y;
	bool fail_a = a->sent.frames && !a->pass, fail_b = b->sent.frames && !b->pass;

	if (!a->member != !b->member)
		return a->member ? -1 : 1;
	if (fail_a != fail_b)
		return fail_a ? -1 : 1;
	if (a->group.frames != b->group.frames)
		return a->group.frames < b->group.frames ? 1 : -1;
	if (a->sent.frames != b->sent.frames)
		return a->sent.frames < b->sent.frames ? 1 : -1;
	return !a->member ? 0 : (a->member->asn > b->member->asn) - (a->member->asn < b->member->asn);
}

void audit_judge_close(struct audit *a)
{
	struct audit_state *st = a->state;
	bool strangers = st->of_member[st->member_count].sent.frames > 0;

	free(a->members);
	a->member_count = 0;
	a->members = calloc(st->member_count + 1, sizeof(*a->members));
	if (!a->members)
		return;
	a->member_count = st->member_count + strangers;
	memcpy(a->members, st->of_member, a->member_count * sizeof(*a->members));
	for (size_t i = 0; i < a->member_count; i++)
		conclude(&a->members[i], st->seen[i]);
	qsort(a->members, a->member_count, sizeof(*a->members), failed_first);
}
