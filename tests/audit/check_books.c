/* The books: each rule by a frame that breaks it and no other, whom frames are counted for when several ports see them, rates, targets,
 * findings, VXLAN, and frames that the capture cut short. */
#include <check.h>
#include <stdlib.h>
#include <unistd.h>

#include "proxyarp/verdict.h"
#include "world.h"

#pragma GCC diagnostic ignored "-Wmissing-field-initializers"

static struct world w;
static struct audit *a;

static void setup(void)
{
	world_make(&w);
	a = audit_new(&w.config);
	ck_assert_ptr_nonnull(a);
	audit_port_add(a, "swp1");
}

static void teardown(void)
{
	audit_free(a);
}

/* --- the rules --- */

static const struct breach {
	const char *name;
	enum frame_rule rule;
	struct frame_spec frame;
} breaches[] = {
	{"LLC", RULE_ETHERNET, RAW(.hex = "0020 ffff 0020")},
	{"MPLS", RULE_ETHERTYPE, RAW(.dst = 'B', .hex = "8847 00000100")},
	{"tag", RULE_ETHERTYPE, RAW(.hex = "8100 0001 0806")},
	{"a MAC of nobody", RULE_SOURCE_MAC, ARP(.src = 'U', .from = "198.18.0.1", .to = "198.18.0.2")},
	{"a MAC of another", RULE_SOURCE_MAC, IP4(.src = 'B', .dst = 'R', .op = 6)},
	{"a group as source", RULE_SOURCE_MAC, IP4(.src = 'n', .dst = 'R', .op = 6)},
	{"answer for another", RULE_PROXY_ARP, ARP(.op = 2, .dst = 'R', .from = "198.18.0.2", .to = "198.18.0.9")},
	{"NA for another", RULE_PROXY_ARP, NA(.dst = 'R', .from = "2001:db8::1", .to = "2001:db8::9", .target = "2001:db8::2")},
	{"mDNS", RULE_MULTICAST, IP4(.dst = 'm', .op = 17, .hex = "14e9 14e9 0008 0000")},
	{"STP", RULE_STP, RAW(.dst = 't', .hex = "0026 424203 00000000")},
	{"LLDP", RULE_DISCOVERY, RAW(.dst = 't', .hex = "88cc 0207")},
	{"CDP", RULE_DISCOVERY, RAW(.dst = 'c', .hex = "0032 aaaa03 00000c 2000 0000")},
	{"VTP", RULE_VTP, RAW(.dst = 'c', .hex = "0032 aaaa03 00000c 2003")},
	{"OSPF", RULE_ROUTING, IP4(.dst = 'm', .op = 89)},
	{"IS-IS", RULE_ROUTING, RAW(.dst = 't', .hex = "0100 fefe03 83")},
	{"DHCP", RULE_DHCP, IP4(.op = 17, .hex = "0044 0043 0008 0000")},
	{"PIM", RULE_MULTICAST_ROUTING, IP4(.dst = 'm', .op = 103)},
	{"ICMP redirect", RULE_REDIRECT, IP4(.dst = 'B', .op = 1, .hex = "05 00 0000")},
	{"RA", RULE_RA, ND(.dst = 'n', .op = 134, .from = "fe80::a", .to = "ff02::1", .hex = "00000000 00000000")},
	{"loop test", RULE_KEEPALIVE, RAW(.dst = 'A', .hex = "9000 0000")},
	{"broadcast", RULE_BROADCAST, IP4(.op = 17, .to = "198.18.0.255", .hex = "1000 1000 0008 0000")},
	{"an address of another", RULE_ADDRESS, ARP(.from = "198.18.0.2", .to = "198.18.0.9")},
	{"an address of nobody", RULE_ADDRESS, ARP(.from = "198.18.0.200", .to = "198.18.0.9")},
	{"NS from an address of another", RULE_ADDRESS, NS(.from = "2001:db8::2", .target = "2001:db8::9")},
	{"ARP of another's hardware", RULE_SENDER, ARP(.sha = 'U', .from = "198.18.0.1", .to = "198.18.0.2")},
	{"ARP of three octets", RULE_MALFORMED, RAW(.hex = "0806 000108")},
	{"what the exchange sent", RULE_LOOP, IP4(.src = 'S', .dst = 'A', .op = 6)},
	{"VXLAN to the exchange", RULE_VXLAN, IP4(.dst = 'S', .op = 17, .hex = "c000 12b5 0010 0000 08000000 00006400")},
};

START_TEST(each_rule)
{
	const struct breach *b = &breaches[_i];

	world_send(a, "swp1", AUDIT_SENT, &b->frame, 0);
	audit_close(a);
	const struct audit_member *m = world_member(a, 64500);
	ck_assert_msg(m->sent.frames == 1, "%s: counted %lu", b->name, (unsigned long)m->sent.frames);
	for (int r = 1; r < RULE_COUNT; r++)
		ck_assert_msg((m->rules[r].verdict == AUDIT_FAIL) == (r == (int)b->rule), "%s: %s %s", b->name,
			rule_name(r), audit_verdict_name(m->rules[r].verdict));
	ck_assert(!m->pass && m->rules[b->rule].frames == 1);
	ck_assert_int_eq(m->rules[b->rule].first_ns, WORLD_NS);
	for (size_t i = 0; i < a->member_count; i++)
		ck_assert_msg(&a->members[i] == m || !a->members[i].sent.frames, "%s: another is counted", b->name);
}
END_TEST

static const struct frame_spec decent[] = {
	ARP(.from = "198.18.0.1", .to = "198.18.0.2"),
	ARP(.from = "0.0.0.0", .to = "198.18.0.1"),
	ARP(.from = "198.18.0.1", .to = "198.18.0.1"),
	ARP(.op = 2, .dst = 'R', .from = "198.18.0.1", .to = "198.18.0.9"),
	ARP(.src = 'a', .from = "198.18.0.1", .to = "198.18.0.9"),
	NS(.from = "2001:db8::1", .target = "2001:db8::2", .hex = "0101 020000000041"),
	NS(.from = "fe80::a", .target = "2001:db8::2"),
	NS(.from = "::", .target = "2001:db8::1"),
	NA(.dst = 'R', .from = "2001:db8::1", .to = "2001:db8::9", .target = "2001:db8::1", .flags = 0x60, .hex = "0201 020000000041"),
	IP4(.dst = 'R', .op = 6, .from = "198.18.0.1", .to = "198.18.0.9", .hex = "c000 00b3 00000001 00000000 5002 ffff 0000 0000"),
	IP6(.dst = 'R', .op = 6, .from = "2001:db8::1", .to = "2001:db8::9"),
};

START_TEST(a_clean_member)
{
	for (size_t i = 0; i < sizeof(decent) / sizeof(decent[0]); i++)
		world_send(a, "swp1", AUDIT_DIRS, &decent[i], (int64_t)i);
	audit_close(a);
	const struct audit_member *m = world_member(a, 64500);
	ck_assert_uint_eq(m->sent.frames, sizeof(decent) / sizeof(decent[0]));
	ck_assert(m->pass);
	for (int r = 1; r < RULE_COUNT; r++)
		ck_assert_msg(m->rules[r].verdict == AUDIT_PASS, "%s: %s", rule_name(r), audit_verdict_name(m->rules[r].verdict));
	ck_assert_uint_eq(a->finding_count, 0);
	m = world_member(a, 64501);
	ck_assert(!m->pass && m->rules[RULE_STP].verdict == AUDIT_NOT_SEEN);
}
END_TEST

/* At another's port only what floods comes by: one cannot say of the rest that it was kept. */
START_TEST(seen_from_elsewhere)
{
	static const struct frame_spec arp = ARP(.src = 'B', .from = "198.18.0.2", .to = "198.18.0.77");
	static const struct frame_spec lldp = RAW(.src = 'B', .dst = 't', .hex = "88cc 0207");
	static const struct frame_spec stranger = RAW(.src = 'U', .dst = 't', .hex = "88cc 0207");

	world_send(a, "swp1", AUDIT_DIRS, &arp, 0);
	world_send(a, "swp1", AUDIT_DIRS, &lldp, 0);
	world_send(a, "swp1", AUDIT_DIRS, &stranger, 0);
	audit_close(a);
	const struct audit_member *m = world_member(a, 64501), *none = world_member(a, 0);
	ck_assert_int_eq(m->rules[RULE_DISCOVERY].verdict, AUDIT_FAIL);
	ck_assert_int_eq(m->rules[RULE_STP].verdict, AUDIT_PASS);
	ck_assert_int_eq(m->rules[RULE_ADDRESS].verdict, AUDIT_PASS);
	ck_assert_int_eq(m->rules[RULE_SOURCE_MAC].verdict, AUDIT_NOT_SEEN);
	ck_assert_int_eq(m->rules[RULE_PROXY_ARP].verdict, AUDIT_NOT_SEEN);
	ck_assert_ptr_nonnull(none);
	ck_assert_uint_eq(none->rules[RULE_DISCOVERY].frames, 1);
	ck_assert_uint_eq(none->rules[RULE_SOURCE_MAC].frames, 1);
	ck_assert_uint_eq(world_vantage(a, "swp1")->flood.all.frames, 3);
	ck_assert_uint_eq(world_member(a, 64500)->sent.frames, 0);
}
END_TEST

/* A broadcast that three captures hold is three at their ports and one of its sender. */
START_TEST(counted_once)
{
	static const struct frame_spec arp = ARP(.src = 'B', .from = "198.18.0.2", .to = "198.18.0.77");
	static const char *const own[] = {"swp1", "swp2", "tap", NULL}, *const others[] = {"swp1", "tap", NULL};
	const char *const *ports = _i ? others : own;

	for (int i = 0; ports[i]; i++)
		audit_port_add(a, ports[i]);
	for (int i = 0; ports[i]; i++)
		world_send(a, ports[i], AUDIT_DIRS, &arp, 0);
	audit_close(a);
	for (int i = 0; ports[i]; i++) {
		const struct audit_port *p = world_vantage(a, ports[i]);
		bool at_own = strcmp(ports[i], "swp2") == 0;
		ck_assert_uint_eq(p->at[AUDIT_RECEIVED][CLASS_ARP_REQUEST].all.frames, !at_own);
		ck_assert_uint_eq(p->at[AUDIT_SENT][CLASS_ARP_REQUEST].all.frames, at_own);
	}
	ck_assert_uint_eq(a->sender_count, 1);
	ck_assert_uint_eq(a->senders[0].all.frames, 1);
	ck_assert_uint_eq(a->targets[0].arp, 1);
	ck_assert_uint_eq(world_member(a, 64501)->sent.frames, 1);
}
END_TEST

/* A capture made by the member's own host says "out" of what it sends. */
START_TEST(the_other_side)
{
	static const struct frame_spec own = ARP(.from = "198.18.0.1", .to = "198.18.0.2");
	static const struct frame_spec flood = ARP(.src = 'B', .from = "198.18.0.2", .to = "198.18.0.77");

	world_send(a, "swp1", AUDIT_RECEIVED, &own, 0);
	world_send(a, "swp1", AUDIT_SENT, &flood, 0);
	audit_close(a);
	ck_assert_uint_eq(a->ports[0].total[AUDIT_SENT].all.frames, 1);
	ck_assert_uint_eq(a->ports[0].flood.all.frames, 1);
	ck_assert(world_member(a, 64500)->pass);
}
END_TEST

/* Member 2 sends with member 1's MAC: at its own port that is member 2's breach, and nothing of it member 1's; at member 1's port, where the
 * flood of it leaves, member 1 did not send it, nor is the capture turned round by it. */
START_TEST(anothers_mac)
{
	static const struct frame_spec own = ARP(.from = "198.18.0.1", .to = "198.18.0.2");
	static const struct frame_spec dhcp = IP4(.op = 17, .hex = "0044 0043 0008 0000");
	static const struct frame_spec arp = ARP(.from = "198.18.0.1", .to = "198.18.0.77");
	static const struct frame_spec flood = ARP(.src = 'R', .from = "198.18.0.9", .to = "198.18.0.77");

	world_send(a, "swp1", AUDIT_SENT, &own, 0);
	for (int i = 0; i < 2; i++) {
		const struct frame_spec *s = i ? &arp : &dhcp;
		world_send(a, "swp2", AUDIT_SENT, s, 1);
		world_send(a, "swp1", AUDIT_RECEIVED, s, 1);
	}
	world_send(a, "swp1", AUDIT_RECEIVED, &flood, 2);
	audit_close(a);
	const struct audit_member *one = world_member(a, 64500), *two = world_member(a, 64501);
	ck_assert(one->pass && one->sent.frames == 1 && one->by_mac == 0);
	ck_assert(!two->pass && two->sent.frames == 2 && two->rules[RULE_SOURCE_MAC].frames == 2);
	ck_assert_uint_eq(two->rules[RULE_SOURCE_MAC].by_mac, 0);
	ck_assert_uint_eq(world_vantage(a, "swp1")->flood.all.frames, 3);
	for (size_t i = 0; i < a->sender_count; i++)
		ck_assert_uint_eq(a->senders[i].all.frames, 1);
	for (size_t i = 0; i < a->target_count; i++)
		for (uint32_t k = 0; k < a->targets[i].caller_count; k++)
			ck_assert(!mac_eq(a->targets[i].callers[k].mac, frame_mac('A')) || a->targets[i].callers[k].calls == 1);
	ck_assert_uint_eq(a->finding_count, 1);
	ck_assert_int_eq(a->findings[0].kind, AUDIT_SPOOF_MAC);
}
END_TEST

/* At an observer's it cannot be known who sent it. */
START_TEST(by_its_mac_alone)
{
	static const struct frame_spec dhcp = IP4(.src = 'B', .op = 17, .hex = "0044 0043 0008 0000");

	world_send(a, "tap", _i ? AUDIT_SENT : AUDIT_DIRS, &dhcp, 0);
	audit_close(a);
	const struct audit_member *m = world_member(a, 64501);
	ck_assert(!m->pass && m->by_mac == 1 && m->rules[RULE_DHCP].by_mac == 1);
}
END_TEST

/* A mirror's tag is not the member's; at its own port it is. */
START_TEST(a_tag)
{
	static const struct frame_spec tagged = RAW(.src = 'B', .hex = "8100 0001 0806 0001");

	world_send(a, _i ? "swp2" : "tap", AUDIT_DIRS, &tagged, 0);
	audit_close(a);
	ck_assert_int_eq(world_member(a, 64501)->rules[RULE_ETHERTYPE].verdict, _i ? AUDIT_FAIL : AUDIT_NOT_SEEN);
}
END_TEST

/* The exchange answers in the name of a member that is dead. */
START_TEST(answers_on_behalf)
{
	static const struct frame_spec ask = ARP(.from = "198.18.0.1", .to = "198.18.0.3");
	static const struct frame_spec answer = ARP(.op = 2, .src = 'C', .dst = 'A', .from = "198.18.0.3", .to = "198.18.0.1");

	world_send(a, "swp1", _i ? AUDIT_SENT : AUDIT_DIRS, &ask, 0);
	world_send(a, "swp1", _i ? AUDIT_RECEIVED : AUDIT_DIRS, &answer, 1);
	audit_close(a);
	ck_assert_uint_eq(world_member(a, 64502)->sent.frames, 0);
	ck_assert_uint_eq(a->target_count, 1);
	ck_assert_int_eq(a->targets[0].kind, AUDIT_DEAD);
	ck_assert_uint_eq(world_vantage(a, "swp1")->at[AUDIT_RECEIVED][CLASS_ARP_REPLY].all.frames, 1);
}
END_TEST

/* Ports of one name on two PEs are told apart by the PE, or not at all. */
START_TEST(a_port_of_two)
{
	snprintf(w.ports[1].port, sizeof(w.ports[1].port), "swp3");
	w.ports[1].pe = 0x0a630001;
	w.ports[2].pe = 0x0a630002;
	uint32_t any = audit_port_add(a, "swp3"), two = audit_port_add(a, "swp3@10.99.0.2");
	ck_assert(a->ports[any].ambiguous && !a->ports[any].registered);
	ck_assert(!a->ports[two].ambiguous && a->ports[two].registered == &w.ports[2]);
}
END_TEST

/* --- rates --- */

START_TEST(rates)
{
	static const struct frame_spec arp = ARP(.src = 'B', .from = "198.18.0.2", .to = "198.18.0.1");
	static const struct frame_spec stray = IP4(.src = 'B', .dst = 'C', .op = 6);
	static const struct frame_spec mine = IP4(.src = 'B', .dst = 'A', .op = 6);

	world_send(a, "swp1", AUDIT_DIRS, &arp, 0);
	for (int i = 0; i < 10; i++)
		world_send(a, "swp1", AUDIT_DIRS, &arp, 5 * SECOND + i);
	world_send(a, "swp1", AUDIT_DIRS, &stray, 5 * SECOND);
	world_send(a, "swp1", AUDIT_DIRS, &mine, 10 * SECOND);
	audit_close(a);
	const struct audit_port *p = &a->ports[0];
	const struct audit_rate *r = &p->at[AUDIT_RECEIVED][CLASS_ARP_REQUEST];
	ck_assert_uint_eq(r->all.frames, 11);
	ck_assert_uint_eq(r->all.octets, 11 * 42);
	ck_assert_uint_eq(r->peak.frames, 10);
	ck_assert_int_eq(r->peak_ns, WORLD_NS + 5 * SECOND);
	ck_assert_uint_eq(p->flood.all.frames, 11);
	ck_assert_uint_eq(p->stray.all.frames, 1);
	ck_assert_uint_eq(p->unwanted.all.frames, 12);
	ck_assert_uint_eq(p->unwanted.peak.frames, 11);
	ck_assert_uint_eq(p->total[AUDIT_RECEIVED].all.frames, 13);
	ck_assert_double_eq_tol(audit_fps(p, &r->all), 1.1, 1e-9);
	ck_assert_double_eq_tol(audit_bps(p, &r->all), 8 * 46.2, 1e-9);
	ck_assert_uint_eq(p->series.slot_sec, 1);
	ck_assert_uint_eq(p->series.count, 11);
	ck_assert_uint_eq(p->series.at[5][CLASS_ARP_REQUEST].frames, 10);
	ck_assert_uint_eq(p->series.at[5][CLASS_IP4_UNICAST].frames, 1);
	audit_port_ran(a, 0, WORLD_NS - 12 * SECOND, WORLD_NS + 10 * SECOND);
	ck_assert_double_eq_tol(audit_fps(p, &r->all), 0.5, 1e-9);
}
END_TEST

START_TEST(a_long_series)
{
	static const struct frame_spec arp = ARP(.src = 'B', .from = "198.18.0.2", .to = "198.18.0.1");
	uint64_t sum = 0;

	for (int i = 0; i < 3000; i++)
		world_send(a, "swp1", AUDIT_DIRS, &arp, i * SECOND);
	const struct audit_series *s = &a->ports[0].series;
	ck_assert_uint_eq(s->slot_sec, 8);
	ck_assert_uint_eq(s->count, 375);
	for (uint32_t i = 0; i < s->count; i++) {
		ck_assert_uint_eq(s->at[i][CLASS_ARP_REQUEST].frames, 8);
		sum += s->at[i][CLASS_ARP_REQUEST].octets;
	}
	ck_assert_uint_eq(sum, 3000 * 42);
	world_send(a, "swp1", AUDIT_DIRS, &arp, 1000000000LL * SECOND);
	ck_assert_uint_le(s->count, AUDIT_SLOTS);
}
END_TEST

/* --- targets and findings --- */

static const struct audit_target *target(const char *text)
{
	for (size_t i = 0; i < a->target_count; i++)
		if (ip_eq(a->targets[i].ip, frame_ip(text)))
			return &a->targets[i];
	return NULL;
}

START_TEST(targets)
{
	static const struct frame_spec frames[] = {
		ARP(.src = 'B', .from = "198.18.0.2", .to = "198.18.0.77"),
		ARP(.src = 'B', .from = "198.18.0.2", .to = "198.18.0.77"),
		ARP(.src = 'R', .from = "198.18.0.9", .to = "198.18.0.77"),
		ARP(.src = 'B', .from = "198.18.0.2", .to = "198.18.0.3"),
		ARP(.src = 'B', .from = "198.18.0.2", .to = "198.18.0.4"),
		ARP(.src = 'B', .from = "198.18.0.2", .to = "198.18.0.9"),
		ARP(.src = 'B', .from = "198.18.0.2", .to = "198.18.1.1"),
		NS(.src = 'R', .from = "2001:db8::9", .target = "2001:db8::77"),
		IP4(.src = 'R', .dst = 'C', .op = 6, .to = "198.18.0.3", .from = "198.18.0.9",
			.hex = "c000 00b3 00000001 00000000 5002 ffff 0000 0000"),
		ARP(.src = 'B', .from = "0.0.0.0", .to = "198.18.0.78"),
		ARP(.src = 'D', .from = "198.18.0.4", .to = "198.18.0.9"),
	};

	for (size_t i = 0; i < sizeof(frames) / sizeof(frames[0]); i++)
		world_send(a, "swp1", AUDIT_DIRS, &frames[i], 0);
	audit_close(a);
	ck_assert_uint_eq(a->target_count, 6);
	const struct audit_target *t = &a->targets[0];
	ck_assert(ip_eq(t->ip, frame_ip("198.18.0.77")) && t->kind == AUDIT_UNASSIGNED && t->arp == 3);
	ck_assert_uint_eq(t->caller_count, 2);
	ck_assert(mac_eq(t->callers[0].mac, frame_mac('B')) && t->callers[0].calls == 2);
	t = target("198.18.0.3");
	ck_assert(t->kind == AUDIT_DEAD && t->arp == 1 && t->syn == 1 && t->caller_count == 2);
	ck_assert_ptr_eq(t->registered, &w.ports[2]);
	ck_assert_int_eq(target("198.18.0.4")->kind, AUDIT_DEAD); /* disabled, though it speaks */
	ck_assert_int_eq(target("198.18.0.9")->kind, AUDIT_ASSIGNED);
	ck_assert_int_eq(target("198.18.1.1")->kind, AUDIT_FOREIGN);
	t = target("2001:db8::77");
	ck_assert(t->kind == AUDIT_UNASSIGNED && t->ns == 1);
	ck_assert_uint_eq(a->finding_count, 1);
	ck_assert(a->findings[0].kind == AUDIT_WRONG_MASK && a->findings[0].count == 1);
}
END_TEST

START_TEST(many_callers)
{
	struct frame_spec arp = ARP(.src = 'B', .from = "198.18.0.2", .to = "198.18.0.77");
	struct frame_made m = frame_make(&arp);

	for (int i = 0; i < 3000; i++)
		for (int k = 0; k <= i % 20; k++) {
			m.b[10] = (uint8_t)(i >> 8);
			m.b[11] = (uint8_t)i;
			audit_frame(a, 0, AUDIT_DIRS, m.b, m.len, m.len, WORLD_NS);
		}
	audit_close(a);
	const struct audit_target *t = &a->targets[0];
	uint64_t sum = t->more_calls;
	for (uint32_t i = 0; i < t->caller_count; i++) {
		ck_assert_uint_eq(t->callers[i].calls, 20);
		sum += t->callers[i].calls;
	}
	ck_assert_uint_eq(t->caller_count, AUDIT_CALLERS);
	ck_assert_uint_eq(sum, t->arp);
	ck_assert_uint_eq(sum, 31500);
}
END_TEST

START_TEST(findings)
{
	static const struct frame_spec frames[] = {
		ARP(.src = 'B', .from = "198.18.0.2", .to = "198.18.0.9"),
		ARP(.src = 'U', .from = "198.18.0.2", .to = "198.18.0.9"), /* duplicate, and spoofed */
		ARP(.src = 'B', .from = "198.18.0.2", .to = "198.18.0.9"),
		ARP(.src = 'R', .dst = 'A', .op = 2, .from = "198.18.0.3", .to = "198.18.0.1"),
		ARP(.src = 'R', .dst = 'A', .op = 2, .from = "198.18.0.4", .to = "198.18.0.1"),
		ARP(.src = 'R', .dst = 'A', .op = 2, .from = "198.18.0.4", .to = "198.18.0.1"),
		ARP(.src = 'S', .dst = 'A', .op = 2, .from = "198.18.0.5", .to = "198.18.0.1"), /* the exchange may */
		ARP(.src = 'S', .dst = 'A', .op = 2, .from = "198.18.0.6", .to = "198.18.0.1"),
		ARP(.src = 'a', .from = "198.18.0.1", .to = "198.18.0.9"),
		ARP(.src = 'A', .from = "198.18.0.1", .to = "198.18.0.9"), /* two MACs of one port are no duplicate */
	};
	static const struct {
		enum audit_finding_kind kind;
		const char *ip;
		char mac, other;
		uint64_t count;
	} expect[] = {
		{AUDIT_DUPLICATE_IP, "198.18.0.2", 'B', 'U', 2},
		{AUDIT_SPOOF_IP, "198.18.0.4", 'R', 0, 2},
		{AUDIT_SPOOF_IP, "198.18.0.3", 'R', 0, 1},
		{AUDIT_SPOOF_IP, "198.18.0.2", 'U', 0, 1},
		{AUDIT_PROXY_ARP, "198.18.0.3", 'R', 0, 2},
	};

	for (size_t i = 0; i < sizeof(frames) / sizeof(frames[0]); i++)
		world_send(a, "swp1", AUDIT_DIRS, &frames[i], 0);
	audit_close(a);
	ck_assert_uint_eq(a->finding_count, sizeof(expect) / sizeof(expect[0]));
	for (size_t i = 0; i < a->finding_count; i++) {
		const struct audit_finding *f = &a->findings[i];
		ck_assert_str_eq(audit_finding_name(f->kind), audit_finding_name(expect[i].kind));
		ck_assert(ip_eq(f->ip, frame_ip(expect[i].ip)));
		ck_assert(mac_eq(f->mac, frame_mac(expect[i].mac)));
		ck_assert(!expect[i].other || mac_eq(f->other, frame_mac(expect[i].other)));
		ck_assert_uint_eq(f->count, expect[i].count);
	}
}
END_TEST

START_TEST(limits)
{
	struct audit_config c = {.max_senders = 4, .max_targets = 4, .max_findings = 1};
	struct frame_spec arp = ARP(.src = 'B', .from = "198.18.0.2", .to = "198.18.0.77");
	struct frame_made m = frame_make(&arp);
	struct audit *small = audit_new(&c);
	uint32_t port = audit_port_add(small, "x");

	for (int i = 0; i < 10; i++) {
		m.b[11] = (uint8_t)i;
		m.b[41] = (uint8_t)(i + 100);
		audit_frame(small, port, AUDIT_DIRS, m.b, m.len, m.len, WORLD_NS);
	}
	audit_close(small);
	ck_assert_uint_eq(small->frames, 10);
	ck_assert_uint_eq(small->sender_count, 4);
	ck_assert_uint_eq(small->senders_more, 6);
	ck_assert_uint_eq(small->target_count, 4);
	for (int i = 0; i < 2000; i++) {
		char name[16];
		snprintf(name, sizeof(name), "p%d", i);
		ck_assert_uint_lt(audit_port_add(small, name), AUDIT_PORTS_MAX);
	}
	ck_assert_uint_eq(small->port_count, AUDIT_PORTS_MAX);
	audit_free(small);
}
END_TEST

/* A flood of made-up MACs hides no member. */
START_TEST(a_full_table)
{
	struct frame_spec lldp = RAW(.src = 'U', .dst = 't', .hex = "88cc 0207"), his = RAW(.src = 'B', .dst = 't', .hex = "88cc 0207");
	struct frame_made m = frame_make(&lldp);

	audit_free(a);
	w.config.max_senders = 4;
	a = audit_new(&w.config);
	for (int i = 0; i < 10; i++) {
		m.b[11] = (uint8_t)i;
		audit_frame(a, audit_port_add(a, "tap"), AUDIT_DIRS, m.b, m.len, m.len, WORLD_NS);
	}
	world_send(a, "tap", AUDIT_DIRS, &his, 1);
	audit_close(a);
	ck_assert_uint_eq(world_member(a, 64501)->rules[RULE_DISCOVERY].frames, 1);
}
END_TEST

/* Without a registry nobody's MAC is wrong, and what a sender is by himself still shows. */
START_TEST(no_registry)
{
	struct audit_config c = {0};
	static const struct frame_spec lldp = RAW(.src = 'U', .dst = 't', .hex = "88cc 0207");
	static const struct frame_spec arp = ARP(.src = 'U', .from = "198.18.0.2", .to = "198.18.0.77");
	static const struct frame_spec back = ARP(.src = 'B', .from = "198.18.0.77", .to = "198.18.0.3");
	struct audit *bare = audit_new(&c);

	world_send(bare, "x", AUDIT_DIRS, &lldp, 0);
	world_send(bare, "x", AUDIT_DIRS, &arp, 0);
	world_send(bare, "x", AUDIT_DIRS, &back, 0);
	audit_close(bare);
	ck_assert_uint_eq(bare->member_count, 1);
	ck_assert_uint_eq(bare->members[0].rules[RULE_DISCOVERY].frames, 1);
	ck_assert_uint_eq(bare->members[0].rules[RULE_SOURCE_MAC].frames, 0);
	ck_assert_uint_eq(bare->senders[0].broken[RULE_DISCOVERY], 1);
	ck_assert_uint_eq(bare->target_count, 2);
	for (size_t i = 0; i < 2; i++)
		ck_assert_int_eq(bare->targets[i].kind,
			ip_eq(bare->targets[i].ip, frame_ip("198.18.0.77")) ? AUDIT_ASSIGNED : AUDIT_UNASSIGNED);
	audit_free(bare);
}
END_TEST

/* --- VXLAN --- */

static const struct wrapping {
	const char *name, *outer; /* up to the inner frame */
	uint32_t vni;		  /* asked for */
	enum frame_class cls;
	uint64_t frames, vxlan, other;
} wrappings[] = {
#define UDP "c000 12b5 0032 0000"
#define VNI100 "08000000 00006400"
#define OUTER4 "4500 0054 0000 0000 4011 0000 c0000201 c0000202"
#define OUTER6 "60000000 0040 11 40 20010db8ffff00000000000000000001 20010db8ffff00000000000000000002"
#define MACS "020000000099 020000000098 "
	{"IPv4", MACS "0800" OUTER4 UDP VNI100, 100, CLASS_ARP_REQUEST, 1, 1, 0},
	{"IPv6", MACS "86dd" OUTER6 UDP VNI100, 100, CLASS_ARP_REQUEST, 1, 1, 0},
	{"IPv4 with options", MACS "0800 4600 0058 0000 0000 4011 0000 c0000201 c0000202 01010101" UDP VNI100, 0, CLASS_ARP_REQUEST, 1, 1, 0},
	{"tagged", MACS "8100 0007 0800" OUTER4 UDP VNI100, 100, CLASS_ARP_REQUEST, 1, 1, 0},
	{"tagged twice, IPv6", MACS "88a8 0007 8100 0008 86dd" OUTER6 UDP VNI100, 0, CLASS_ARP_REQUEST, 1, 1, 0},
	{"another VNI", MACS "0800" OUTER4 UDP VNI100, 101, CLASS_ARP_REQUEST, 0, 0, 1},
	{"no VNI flag", MACS "0800" OUTER4 UDP "00000000 00006400", 0, CLASS_IP4_UNICAST, 1, 0, 0},
	{"another port", MACS "0800" OUTER4 "c000 12b6 0032 0000" VNI100, 0, CLASS_IP4_UNICAST, 1, 0, 0},
	{"of the LAN's addresses", MACS "0800 4500 0054 0000 0000 4011 0000 c6120001 c0000202" UDP VNI100, 0, CLASS_IP4_UNICAST, 1, 0, 0},
	{"from a member's MAC", "020000000099 020000000041 0800" OUTER4 UDP VNI100, 0, CLASS_IP4_UNICAST, 1, 0, 0},
};

START_TEST(vxlan)
{
	const struct wrapping *x = &wrappings[_i];
	static const struct frame_spec inner = ARP(.src = 'B', .from = "198.18.0.2", .to = "198.18.0.77");
	struct frame_made in = frame_make(&inner), m = {.len = 0};

	frame_hex(&m, x->outer);
	frame_put(&m, in.b, in.len);
	w.config.vni = x->vni;
	struct audit *v = audit_new(&w.config);
	uint32_t port = audit_port_add(v, "mirror");
	audit_frame(v, port, AUDIT_DIRS, m.b, m.len, m.len, WORLD_NS);
	ck_assert_msg(v->frames == x->frames && v->vxlan == x->vxlan && v->other_vni == x->other, "%s: %lu %lu %lu", x->name,
		(unsigned long)v->frames, (unsigned long)v->vxlan, (unsigned long)v->other_vni);
	ck_assert_uint_eq(v->ports[0].at[AUDIT_RECEIVED][x->cls].all.frames, x->frames);
	ck_assert_uint_eq(v->octets, x->vxlan ? 42 : x->frames ? m.len : 0);
	for (size_t len = 0; len < m.len; len++)
		audit_frame(v, port, AUDIT_DIRS, m.b, len, m.len, WORLD_NS);
	audit_free(v);
}
END_TEST

/* --- frames that were cut --- */

static const struct cutting {
	const char *name;
	struct frame_spec frame;
	size_t from; /* with so many octets the class is right */
} cuttings[] = {
	{"NS", NS(.src = 'B', .from = "2001:db8::2", .target = "2001:db8::77", .hex = "0101 020000000042"), 58},
	{"NA", NA(.src = 'B', .from = "2001:db8::2", .to = "ff02::1", .dst = 'n', .target = "2001:db8::2", .hex = "0201 020000000042"), 58},
	{"RA", ND(.src = 'B', .dst = 'n', .op = 134, .from = "fe80::a", .to = "ff02::1", .hex = "00000000 00000000 0101 020000000042"), 58},
	{"ARP request", ARP(.src = 'B', .from = "198.18.0.2", .to = "198.18.0.77"), 22},
	{"ARP reply", ARP(.src = 'B', .dst = 'A', .op = 2, .from = "198.18.0.2", .to = "198.18.0.77"), 22},
	{"OSPF", IP4(.src = 'B', .dst = 'm', .op = 89, .hex = "00000000 00000000"), 34},
	{"mDNS", IP4(.src = 'B', .dst = 'm', .op = 17, .hex = "14e9 14e9 0020 0000 00000000"), 42},
	{"STP", RAW(.src = 'B', .dst = 't', .hex = "0026 424203 00000000"), 16},
};

START_TEST(cut)
{
	const struct cutting *x = &cuttings[_i];
	struct frame_made m = frame_make(&x->frame);
	struct frame whole;
	frame_read(m.b, m.len, false, &whole);

	for (size_t len = 0; len < m.len; len++) {
		struct audit *v = audit_new(&w.config);
		audit_frame(v, audit_port_add(v, "tap"), AUDIT_DIRS, m.b, len, m.len, WORLD_NS);
		audit_close(v);
		const struct audit_port *p = &v->ports[0];
		ck_assert_uint_eq(v->frames, 1);
		ck_assert_uint_eq(v->octets, m.len);
		ck_assert_uint_eq(p->at[AUDIT_RECEIVED][CLASS_ND_BAD].all.frames, 0);
		if (len >= x->from)
			ck_assert_msg(p->at[AUDIT_RECEIVED][whole.cls].all.frames == 1, "%s at %zu", x->name, len);
		const struct audit_member *b = world_member(v, 64501);
		for (int r = 1; r < RULE_COUNT; r++)
			ck_assert_msg(!b->rules[r].frames || r == (int)class_rule(whole.cls) || r == RULE_MULTICAST || r == RULE_ETHERNET,
				"%s at %zu breaks %s", x->name, len, rule_name(r));
		audit_free(v);
	}
}
END_TEST

/* What is wrong in the octets that are there stays wrong. */
START_TEST(cut_and_bad)
{
	static const struct frame_spec hop = NS(.src = 'B', .from = "2001:db8::2", .target = "2001:db8::77", .hop = 64, .hex = "0101 020000000042");
	struct frame_made m = frame_make(&hop);

	audit_frame(a, 0, AUDIT_DIRS, m.b, m.len - 8, m.len, WORLD_NS);
	audit_close(a);
	ck_assert_uint_eq(a->ports[0].at[AUDIT_RECEIVED][CLASS_ND_BAD].all.frames, 1);
	ck_assert_uint_eq(a->cut, 1);
}
END_TEST

/* --- evidence --- */

START_TEST(evidence)
{
	char dir[] = "/tmp/quell-evidence-XXXXXX", path[128];
	static const struct frame_spec lldp = RAW(.dst = 't', .hex = "88cc 0207");

	ck_assert_ptr_nonnull(mkdtemp(dir));
	for (int again = 0; again < 2; again++) {
		w.config.evidence = dir;
		struct audit *v = audit_new(&w.config);
		audit_port_add(v, "swp1");
		for (int i = 0; i < 40; i++)
			world_send(v, "swp1", AUDIT_DIRS, &lldp, i);
		ck_assert_int_eq(v->evidence_error, 0);
		audit_free(v);
	}
	snprintf(path, sizeof(path), "%s/AS64500-discovery.pcap", dir);
	FILE *f = fopen(path, "r");
	ck_assert_ptr_nonnull(f);
	fseek(f, 0, SEEK_END);
	ck_assert_int_eq(ftell(f), 24 + AUDIT_EVIDENCE_MAX * (16 + 16));
	fclose(f);
	unlink(path);
	rmdir(dir);
	struct audit *v = audit_new(&w.config);
	world_send(v, "swp1", AUDIT_DIRS, &lldp, 0);
	ck_assert_int_ne(v->evidence_error, 0);
	audit_free(v);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("books");
	TCase *t = tcase_create("books");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(t, each_rule, 0, sizeof(breaches) / sizeof(breaches[0]));
	tcase_add_test(t, a_clean_member);
	tcase_add_test(t, seen_from_elsewhere);
	tcase_add_loop_test(t, counted_once, 0, 2);
	tcase_add_test(t, the_other_side);
	tcase_add_test(t, anothers_mac);
	tcase_add_loop_test(t, by_its_mac_alone, 0, 2);
	tcase_add_loop_test(t, a_tag, 0, 2);
	tcase_add_loop_test(t, answers_on_behalf, 0, 2);
	tcase_add_test(t, a_port_of_two);
	tcase_add_test(t, rates);
	tcase_add_test(t, a_long_series);
	tcase_add_test(t, targets);
	tcase_add_test(t, many_callers);
	tcase_add_test(t, findings);
	tcase_add_test(t, limits);
	tcase_add_test(t, a_full_table);
	tcase_add_test(t, no_registry);
	tcase_add_loop_test(t, vxlan, 0, sizeof(wrappings) / sizeof(wrappings[0]));
	tcase_add_loop_test(t, cut, 0, sizeof(cuttings) / sizeof(cuttings[0]));
	tcase_add_test(t, cut_and_bad);
	tcase_add_test(t, evidence);
	suite_add_tcase(s, t);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
