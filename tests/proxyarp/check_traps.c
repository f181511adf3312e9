/* Where specifications, or peers, disagree: the frames of it. A port's frame, and what becomes of it in the LAN of world.h.
 *
 *   T1, T2   RFC 4861 7.2.8 has proxies clear O, RFC 9161 3.3 d has it set: the answer has the owner's MAC, so it is set
 *   T5       the answer to DAD goes to all nodes: it leaves by the port that asked, and no other
 *   T6       who probes for an address that is its own (rebooted, re-patched) is not told that it is taken
 *   T7       unicast requests (NUD) are forwarded, not answered, and keep a learned binding from ageing
 *   T12      the sponge keeps nobody from an address: no probe, no DAD of a sponged one is answered
 *
 * Elsewhere: T3 (FRR's 0x04 is nothing) evpn/check_lan_import: arp_nd_flags; T4 (N is 5) config/check_config: agent_defaults;
 * T8, T9, T10, T13, T14 check_binding_life and check_announce, by name; T11 (a VNI has 24 bits) evpn/check_nlri.
 */
#include <check.h>

#include "proxyarp/verdict.h"
#include "world.h"

#define NOTHING 0
#define NA_R (FRAME_NA_ROUTER | FRAME_NA_OVERRIDE | FRAME_NA_SOLICITED)

static const struct trap {
	const char *name;
	uint32_t port;
	struct frame_spec frame;
	enum frame_outcome outcome;
	uint8_t na_flags; /* of the answer; NOTHING: none, or ARP */
	char to;	  /* whom the answer goes to */
	uint8_t event;
} traps[] = {
	{"T1: a proxy's NA has O set", 11, NS(.src = 'B', .from = "2001:db8::2", .target = "2001:db8::1", .hex = "0101020000000042"),
		OUTCOME_ANSWERED, NA_R, 'B', 0},
	{"T2: also where the binding has it clear", 10,
		NS(.src = 'A', .from = "2001:db8::1", .target = "2001:db8::2", .hex = "0101020000000041"), OUTCOME_ANSWERED,
		NA_R, 'A', 0},
	{"T5: DAD is answered to all nodes, not passed on", 11, NS(.src = 'B', .from = "::", .target = "2001:db8::1"),
		OUTCOME_ANSWERED, FRAME_NA_ROUTER | FRAME_NA_OVERRIDE, 'n', 0},
	{"T5: over the fabric, to the asker alone", 20, NS(.src = 'R', .from = "::", .target = "2001:db8::1"),
		OUTCOME_ANSWERED, FRAME_NA_ROUTER | FRAME_NA_OVERRIDE, 'R', 0},
	{"T6: a probe for its own address, same port", 10, ARP(.src = 'A', .from = "0.0.0.0", .to = "198.18.0.1"),
		OUTCOME_OWN_TARGET, NOTHING, 0, 0},
	{"T6: a probe for its own address, over the fabric", 20, ARP(.src = 'A', .from = "0.0.0.0", .to = "198.18.0.1"),
		OUTCOME_OWN_TARGET, NOTHING, 0, 0},
	{"T6: DAD for its own address, over the fabric", 20, NS(.src = 'A', .from = "::", .target = "2001:db8::1"),
		OUTCOME_OWN_TARGET, NOTHING, 0, 0},
	{"T7: NUD by ARP goes to its target, and counts as seen", 12,
		ARP(.dst = 'B', .src = 'C', .from = "198.18.0.3", .to = "198.18.0.2"), OUTCOME_FORWARDED, NOTHING, 0, EVENT_BINDING},
	{"T7: NUD by NS goes to its target", 12,
		NS(.dst = 'B', .src = 'C', .from = "2001:db8::3", .to = "2001:db8::2", .target = "2001:db8::2",
			.hex = "0101020000000043"),
		OUTCOME_FORWARDED, NOTHING, 0, 0},
	{"T12: a sponged address is answered for", 11, ARP(.src = 'B', .from = "198.18.0.2", .to = "198.18.0.50"),
		OUTCOME_SPONGED, NOTHING, 'B', 0},
	{"T12: a probe for a sponged address is not answered", 11, ARP(.src = 'B', .from = "0.0.0.0", .to = "198.18.0.50"),
		OUTCOME_FREE_PROBE, NOTHING, 0, 0},
	{"T12: nor is DAD", 11, NS(.src = 'B', .from = "::", .target = "2001:db8::50"), OUTCOME_FREE_PROBE, NOTHING, 0, 0},
};

START_TEST(every_trap)
{
	const struct trap *r = &traps[_i];
	struct frame_made m = frame_make(&r->frame);
	struct tables t;
	struct verdict v;

	world_init(&t);
	verdict_in(&t, &(struct verdict_input){.frame = m.b, .len = m.len, .ifindex = r->port}, &v);
	tables_free(&t);
	ck_assert_msg(v.outcome == r->outcome, "%s: %s", r->name, outcome_name(v.outcome));
	ck_assert_msg((v.answer_len > 0) == (r->to != 0), "%s: answer", r->name);
	ck_assert_msg(v.pass == (r->outcome == OUTCOME_FORWARDED), "%s: pass", r->name);
	if (r->to)
		ck_assert_msg(memcmp(v.answer, frame_mac(r->to).b, 6) == 0, "%s: to whom", r->name);
	if (r->na_flags)
		ck_assert_msg(v.answer[58] == r->na_flags, "%s: flags %02x", r->name, v.answer[58]);
	ck_assert_msg(v.has_event == (r->event != 0) && (!r->event || v.event.type == r->event), "%s: event", r->name);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("traps");
	TCase *c = tcase_create("frames");

	tcase_add_loop_test(c, every_trap, 0, (int)(sizeof(traps) / sizeof(traps[0])));
	suite_add_tcase(s, c);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? 1 : 0;
}
