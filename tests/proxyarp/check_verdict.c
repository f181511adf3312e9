/* The verdict, frame by frame: docs/verdict.md as a table. */
#include <check.h>
#include <stdio.h>

#include "proxyarp/verdict.h"
#include "rows.h"
#include "world.h"

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

static int rule_of(const struct row *r)
{
	if (r->rule || r->event != EVENT_SPOOF)
		return r->rule;
	if (r->outcome == OUTCOME_SPOOF_IP)
		return r->cls == CLASS_ARP_REPLY || r->cls == CLASS_ARP_REPLY_BCAST ||
					r->cls == CLASS_NA || r->cls == CLASS_NA_UNSOLICITED
			       ? RULE_PROXY_ARP
			       : RULE_ADDRESS;
	return r->outcome == OUTCOME_LOOP ? RULE_LOOP : RULE_SOURCE_MAC;
}

static int police_of(const struct row *r)
{
	enum frame_outcome o = r->outcome == OUTCOME_WOULD ? (enum frame_outcome)r->would : r->outcome;

	if (r->police)
		return r->police;
	switch (o) {
	case OUTCOME_SPONGED:
		return POLICE_UNKNOWN;
	case OUTCOME_ANSWERED:
	case OUTCOME_UNICAST_FORWARDED:
		return POLICE_KNOWN;
	case OUTCOME_FLOODED:
		break;
	default:
		return POLICE_NONE;
	}
	switch (r->cls) {
	case CLASS_ARP_REQUEST:
	case CLASS_ARP_PROBE:
	case CLASS_NS:
	case CLASS_NS_DAD:
		return POLICE_UNKNOWN;
	case CLASS_ARP_GRATUITOUS:
	case CLASS_ARP_REPLY_BCAST:
	case CLASS_NA_UNSOLICITED:
		return POLICE_ANNOUNCE;
	default:
		return POLICE_OTHER;
	}
}

static void check_event(const struct row *r, const struct frame_made *m, const struct verdict *v,
	const struct layout_event *e, bool would)
{
	ck_assert_mem_eq(e->mac, m->b + 6, 6);
	ck_assert_uint_eq(e->ifindex, r->port);
	ck_assert_uint_eq(e->lan, LAN);
	ck_assert_uint_eq(e->when_ns, 77);
	ck_assert_uint_eq(e->outcome, v->outcome);
	ck_assert_uint_eq(e->cls, v->cls);
	ck_assert_msg(!(e->flags & EVENT_WOULD) == !would, "%s: flags %02x", r->text, e->flags);
}

START_TEST(every_frame_in)
{
	const struct row *r = &rows_in[_i];
	struct frame_made m = frame_make(&r->frame);
	struct verdict v = judge(r, &m, m.len);
	bool dry = v.outcome == OUTCOME_WOULD, underlay = r->port == 29 || r->port == 30;

	ck_assert_msg(v.cls == r->cls, "%s: class %s, not %s", r->text, class_name(v.cls), class_name(r->cls));
	ck_assert_msg(v.outcome == r->outcome, "%s: %s, not %s", r->text, outcome_name(v.outcome),
		outcome_name(r->outcome));
	ck_assert_msg(v.pass == passes(v.outcome), "%s: pass", r->text);
	ck_assert_msg(v.set_mark == ((dry && !underlay) || v.outcome == OUTCOME_FLOODED ? MARK_FLOOD : 0),
		"%s: mark", r->text);
	ck_assert_msg((v.answer_len > 0) == (v.outcome == OUTCOME_ANSWERED || v.outcome == OUTCOME_SPONGED),
		"%s: answer", r->text);
	ck_assert_msg(v.has_would == (r->would != 0) && (!v.has_would || (int)v.would == r->would),
		"%s: would be %s", r->text, v.has_would ? outcome_name(v.would) : "as is");
	ck_assert_msg(v.police == police_of(r), "%s: police group %d, not %d", r->text, v.police, police_of(r));
	ck_assert_msg((v.has_event ? v.event.type : 0) == r->event, "%s: event %d, not %d", r->text,
		v.has_event ? v.event.type : 0, r->event);
	ck_assert_msg((v.has_ask ? v.ask.type : 0) == r->ask, "%s: ask %d, not %d", r->text,
		v.has_ask ? v.ask.type : 0, r->ask);
	if (v.has_event) {
		bool has_ip = v.event.type == EVENT_BINDING ||
			      v.event.rule == RULE_PROXY_ARP || v.event.rule == RULE_ADDRESS;
		check_event(r, &m, &v, &v.event, dry || (r->event == EVENT_SPOOF && r->would));
		ck_assert_msg(v.event.rule == rule_of(r), "%s: rule %s", r->text, rule_name(v.event.rule));
		ck_assert_msg((v.event.family != 0) == has_ip, "%s: event family %d", r->text, v.event.family);
	}
	if (v.has_ask) {
		bool has_ip = v.ask.type != EVENT_TRAP || v.cls == CLASS_ICMP_REDIRECT ||
			      (v.cls <= CLASS_IP6_MULTICAST && m.len >= 34);
		check_event(r, &m, &v, &v.ask, dry);
		ck_assert_msg((v.ask.family != 0) == has_ip, "%s: ask family %d", r->text, v.ask.family);
		bool syn = v.ask.type == EVENT_TRAP && strstr(r->text, "BGP opens");
		ck_assert_msg(!(v.ask.flags & EVENT_TRAP_SYN) == !syn, "%s: SYN", r->text);
	}
	if (v.outcome == OUTCOME_UNICAST_FORWARDED) {
		struct mac owner = frame_mac(r->frame.to && strcmp(r->frame.to, V4R) == 0   ? 'R'
					     : r->frame.to && strcmp(r->frame.to, V4A) == 0 ? 'A'
											     : 'B');
		ck_assert_mem_eq(v.dst, owner.b, 6);
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
		if (v.answer_len)
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
	ck_assert_msg(v.police == (r->police ? r->police : POLICE_NONE), "%s: police group %d", r->text, v.police);
	ck_assert_msg(v.has_would == (r->would != 0) && (!v.has_would || (int)v.would == r->would),
		"%s: would be %s", r->text, v.has_would ? outcome_name(v.would) : "as is");
	ck_assert(!v.has_event && !v.has_ask && v.answer_len == 0 && v.set_mark == 0);
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
	{"NS, anycast, O clear", 28, NS(.src = 'N', .from = "2001:db8::28", .target = V6B),
		"02000000004e 020000000042 86dd 60000000 0020 3a ff 20010db8000000000000000000000002"
		"20010db8000000000000000000000028 8800 2a0a c0000000 20010db8000000000000000000000002"
		"0201 020000000042"},
	{"NS, anycast, O set", 28, NS(.src = 'N', .from = "2001:db8::28", .target = V6A),
		"02000000004e 020000000041 86dd 60000000 0020 3a ff 20010db8000000000000000000000001"
		"20010db8000000000000000000000028 8800 0a0d e0000000 20010db8000000000000000000000001"
		"0201 020000000041"},
	{"ARP, sponged", 10, ARP(.from = V4A, .to = "198.18.0.50"),
		"020000000041 020000000054 0806 0001 0800 0604 0002 020000000054 c6120032 020000000041 c6120001"},
	{"NS, sponged", 10, NS(.from = V6A, .target = "2001:db8::50"),
		"020000000041 020000000054 86dd 60000000 0020 3a ff 20010db8000000000000000000000050"
		"20010db8000000000000000000000001 8800 0983 e0000000 20010db8000000000000000000000050"
		"0201 020000000054"},
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
	for (int r = 0; r < RULE_COUNT; r++)
		ck_assert_int_eq(rule_find(rule_name((enum frame_rule)r)), r);
	ck_assert_int_lt(rule_find("no-such"), 0);
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
	for (int c = 0; c < CLASS_COUNT; c++)
		ck_assert_msg(classes[c], "no frame of class %s", class_name(c));
	for (int o = 0; o < OUTCOME_COUNT; o++) {
		bool elsewhere = o == OUTCOME_POLICED_IN || o == OUTCOME_POLICED_OUT;
		ck_assert_msg(outcomes[o] != elsewhere, "outcome %s", outcome_name(o));
	}
	ck_assert_int_ge(COUNT(rows_in), 220);
}
END_TEST

/* Each rule, forbidden by a frame, with each of the four actions. */
START_TEST(every_rule_every_action)
{
	static const struct {
		enum frame_rule rule;
		struct frame_spec frame;
		enum frame_outcome drop, off;
		int event; /* with drop */
	} cases[] = {
		{RULE_ETHERNET, RAW(.hex = "0020 ffff"), OUTCOME_HYGIENE, OUTCOME_FLOODED, 0},
		{RULE_ETHERTYPE, RAW(.hex = "8847"), OUTCOME_HYGIENE, OUTCOME_FLOODED, 0},
		{RULE_SOURCE_MAC, IP4(.src = 'U', .dst = 'B', .op = 6), OUTCOME_SPOOF_MAC, OUTCOME_FORWARDED, EVENT_SPOOF},
		{RULE_PROXY_ARP, ARP(.op = 2, .dst = 'B', .from = V4R, .to = V4B), OUTCOME_SPOOF_IP, OUTCOME_FORWARDED, EVENT_SPOOF},
		{RULE_MULTICAST, IP4(.dst = 'm', .op = 6), OUTCOME_HYGIENE, OUTCOME_FLOODED, 0},
		{RULE_STP, RAW(.dst = 't', .hex = "0026 424203"), OUTCOME_HYGIENE, OUTCOME_FLOODED, 0},
		{RULE_DISCOVERY, RAW(.dst = 't', .hex = "88cc"), OUTCOME_HYGIENE, OUTCOME_FLOODED, 0},
		{RULE_VTP, RAW(.dst = 'c', .hex = "0032 aaaa03 00000c 2003"), OUTCOME_HYGIENE, OUTCOME_FLOODED, 0},
		{RULE_ROUTING, IP4(.dst = 'm', .op = 88), OUTCOME_HYGIENE, OUTCOME_FLOODED, 0},
		{RULE_DHCP, IP4(.op = 17, .hex = "0044 0043 0008 0000"), OUTCOME_HYGIENE, OUTCOME_FLOODED, 0},
		{RULE_MULTICAST_ROUTING, IP4(.dst = 'm', .op = 103), OUTCOME_HYGIENE, OUTCOME_FLOODED, 0},
		{RULE_REDIRECT, IP4(.dst = 'B', .op = 1, .hex = "0501"), OUTCOME_HYGIENE, OUTCOME_FORWARDED, 0},
		{RULE_RA, ND(.op = 133, .dst = 'n', .from = "fe80::a", .to = "ff02::2"), OUTCOME_HYGIENE, OUTCOME_FLOODED, 0},
		{RULE_KEEPALIVE, RAW(.dst = 'B', .hex = "9000"), OUTCOME_HYGIENE, OUTCOME_FORWARDED, 0},
		{RULE_BROADCAST, IP4(.op = 6), OUTCOME_HYGIENE, OUTCOME_FLOODED, 0},
		{RULE_ADDRESS, ARP(.from = V4R, .to = V4B), OUTCOME_SPOOF_IP, OUTCOME_ANSWERED, EVENT_SPOOF},
		{RULE_SENDER, ARP(.sha = 'B', .from = V4A, .to = V4B), OUTCOME_SENDER_MISMATCH, OUTCOME_FLOODED, 0},
		{RULE_MALFORMED, ARP(.op = 4, .from = V4A, .to = V4B), OUTCOME_MALFORMED, OUTCOME_FLOODED, 0},
		{RULE_LOOP, IP4(.src = 'S', .dst = 'B', .op = 6), OUTCOME_LOOP, OUTCOME_SPOOF_MAC, EVENT_SPOOF},
		{RULE_VXLAN, IP4(.dst = 'S', .op = 17, .hex = "c000 12b5"), OUTCOME_VXLAN, OUTCOME_LOCAL, 0},
	};

	_Static_assert(COUNT(cases) == RULE_COUNT - 1, "a case of each rule");
	for (int i = 0; i < COUNT(cases); i++) {
		struct frame_made m = frame_make(&cases[i].frame);

		ck_assert_int_eq(cases[i].rule, i + 1);
		for (int action = ACTION_DROP; action <= ACTION_OFF; action++) {
			bool stands = action == ACTION_DROP || action == ACTION_ALARM;
			/* The source MAC's rule judges what the loop's lets go. */
			int event = action == ACTION_OFF     ? cases[i].rule == RULE_LOOP ? EVENT_SPOOF : 0
				    : cases[i].event         ? cases[i].event
				    : action == ACTION_ALARM ? EVENT_RULE
							     : 0;
			struct tables t;
			struct verdict v;

			world_init(&t);
			struct layout_port p = *tables_port(&t, 10);
			p.rules = RULE_SET(p.rules, cases[i].rule, action);
			tables_port_set(&t, 10, &p);
			verdict_in(&t, &(struct verdict_input){.frame = m.b, .len = m.len, .ifindex = 10}, &v);
			tables_free(&t);
			const char *rule = rule_name(cases[i].rule);
			ck_assert_msg(v.outcome == (stands ? cases[i].drop : cases[i].off), "%s, action %d: %s",
				rule, action, outcome_name(v.outcome));
			ck_assert_msg(v.has_would == (action == ACTION_COUNT), "%s, action %d", rule, action);
			ck_assert(!v.has_would || v.would == cases[i].drop);
			ck_assert_msg((v.has_event ? v.event.type : 0) == event, "%s, action %d: event %d", rule,
				action, v.has_event ? v.event.type : 0);
			if (v.has_event && action != ACTION_OFF)
				ck_assert_int_eq(v.event.rule, cases[i].rule);
			ck_assert(!v.has_event || !(v.event.flags & EVENT_WOULD) == (action != ACTION_COUNT));
		}
	}
}
END_TEST

/* What a plane makes of a verdict when the bucket that it names is empty. */
START_TEST(empty_buckets)
{
	static const struct {
		uint32_t port;
		enum frame_dir dir;
		struct frame_spec frame;
		enum frame_outcome outcome;
		int would;
	} cases[] = {
		{10, DIR_IN, ARP(.from = V4A, .to = V4B), OUTCOME_POLICED_IN, 0},
		{10, DIR_IN, ARP(.from = V4A, .to = "198.18.0.50"), OUTCOME_POLICED_IN, 0},
		{16, DIR_IN, RAW(.dst = 't', .src = 'F', .hex = "88cc 0207"), OUTCOME_POLICED_IN, 0},
		{26, DIR_IN, RAW(.dst = 't', .src = 'K', .hex = "88cc 0207"), OUTCOME_POLICED_IN, OUTCOME_HYGIENE},
		{22, DIR_IN, ARP(.src = 'G', .from = "198.18.0.22", .to = V4B), OUTCOME_WOULD, OUTCOME_POLICED_IN},
		{24, DIR_IN, ARP(.src = 'V', .from = "198.18.0.24", .to = V4B), OUTCOME_POLICED_IN, 0},
		{10, DIR_OUT, ARP(.src = 'B', .from = V4B, .to = FREE4), OUTCOME_POLICED_OUT, 0},
		{22, DIR_OUT, ARP(.src = 'B', .from = V4B, .to = FREE4), OUTCOME_WOULD, OUTCOME_POLICED_OUT},
	};

	for (int i = 0; i < COUNT(cases); i++) {
		struct frame_made m = frame_make(&cases[i].frame);
		struct verdict_input in = {
			.frame = m.b, .len = m.len, .ifindex = cases[i].port, .mark = MARK_FLOOD};
		struct tables t;
		struct verdict v;

		world_init(&t);
		(cases[i].dir == DIR_IN ? verdict_in : verdict_out)(&t, &in, &v);
		ck_assert_int_ne(v.police, POLICE_NONE);
		verdict_police(tables_port(&t, cases[i].port), cases[i].dir, &v);
		ck_assert_msg(v.outcome == cases[i].outcome, "%d: %s", i, outcome_name(v.outcome));
		ck_assert_int_eq(v.has_would ? (int)v.would : 0, cases[i].would);
		ck_assert(v.pass == passes(v.outcome) && v.answer_len == 0);
		ck_assert((v.set_mark != 0) == (v.pass && cases[i].dir == DIR_IN));
		tables_free(&t);
	}
}
END_TEST

/* What the sponge is told: the address that is asked for, or is opened to. */
START_TEST(addresses_of_asks)
{
	static const struct {
		const char *ip;
		uint32_t port;
		struct frame_spec frame;
		uint8_t type, flags;
	} cases[] = {
		{"198.18.0.50", 10, IP4(.dst = 'T', .op = 6, .to = "198.18.0.50", .hex = SYN_BGP), EVENT_TRAP, EVENT_TRAP_SYN},
		{"198.18.0.50", 10, IP4(.dst = 'T', .op = 6, .to = "198.18.0.50", .hex = SYN_BGP, .cut = 6), EVENT_TRAP, EVENT_TRAP_SYN},
		{"198.18.0.50", 10, IP4(.dst = 'T', .op = 6, .to = "198.18.0.50", .hex = SYN_BGP, .cut = 7), EVENT_TRAP, 0},
		{"198.18.0.50", 10, IP4(.dst = 'T', .op = 6, .to = "198.18.0.50", .hex = SYN_BGP, .fragment = 3), EVENT_TRAP, 0},
		{"198.18.0.50", 10, IP4(.dst = 'T', .op = 6, .to = "198.18.0.50", .hex = SYN_BGP, .patch_at = 47, .patch = 0x12), EVENT_TRAP, 0},
		{"198.18.0.50", 10, IP4(.dst = 'T', .op = 6, .to = "198.18.0.50", .hex = SYN_BGP, .patch_at = 47, .patch = 0x10), EVENT_TRAP, 0},
		{"198.18.0.50", 10, IP4(.dst = 'T', .op = 6, .to = "198.18.0.50", .hex = SYN_BGP, .patch_at = 37, .patch = 0x50), EVENT_TRAP, 0},
		{"2001:db8::50", 10, IP6(.dst = 'T', .op = 6, .from = V6A, .to = "2001:db8::50", .hex = SYN_BGP), EVENT_TRAP, EVENT_TRAP_SYN},
		{"2001:db8::50", 10, IP6(.dst = 'T', .op = 60, .hop = 64, .from = V6A, .to = "2001:db8::50", .hex = "0600010400000000" SYN_BGP), EVENT_TRAP, 0},
		{"198.18.0.50", 10, ARP(.dst = 'T', .from = V4A, .to = "198.18.0.50"), EVENT_TRAP, 0},
		{V6A, 10, NA(.dst = 'T', .from = V6A, .to = "2001:db8::50", .target = V6A), EVENT_TRAP, 0},
		{"198.18.0.50", 10, ARP(.from = V4A, .to = "198.18.0.50"), EVENT_QUERY, 0},
		{"2001:db8::50", 10, NS(.from = V6A, .target = "2001:db8::50"), EVENT_QUERY, 0},
		{"198.18.0.50", 23, IP4(.src = 'W', .dst = 'B', .op = 6, .from = "198.18.0.50", .to = V4B), EVENT_LIFE, 0},
		{FREE6, 10, NS(.from = "::", .target = FREE6), EVENT_PROBE, 0},
	};

	for (int i = 0; i < COUNT(cases); i++) {
		struct frame_made m = frame_make(&cases[i].frame);
		struct ip ip = frame_ip(cases[i].ip);
		struct tables t;
		struct verdict v;

		world_init(&t);
		verdict_in(&t, &(struct verdict_input){.frame = m.b, .len = m.len, .ifindex = cases[i].port}, &v);
		tables_free(&t);
		ck_assert_msg(v.has_ask && v.ask.type == cases[i].type, "%d", i);
		ck_assert_msg(v.ask.flags == cases[i].flags, "%d: flags %x", i, v.ask.flags);
		ck_assert_int_eq(v.ask.family, ip.family);
		ck_assert_mem_eq(v.ask.ip, ip.b, 16);
	}
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
	tcase_add_test(c, every_rule_every_action);
	tcase_add_test(c, empty_buckets);
	tcase_add_test(c, addresses_of_asks);
	tcase_add_test(c, tables_are_bounded);
	suite_add_tcase(s, c);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? 1 : 0;
}
