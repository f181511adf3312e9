/* ARP and ND frames, and all else that a port can bring: the class and the verdicts of any bytes, on any port of a small
 * peering LAN. The first octet chooses port, direction, tag and mark; the rest is the frame.
 *
 * What must hold: an answer only with the outcomes answered and sponged, and well-formed when read again; a pass only of an outcome that
 * went on; a mark only for what floods, or goes on in dry run; never an answer to a probe from the sponge.
 */
#include <stdlib.h>

#include "proxyarp/verdict.h"
#include "tests/proxyarp/world.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
	if (!holds)
		abort();
}

static void check_answer(const struct verdict *v, const struct verdict_input *in)
{
	struct frame asked, said;

	frame_read(in->frame, in->len, in->tag_in_metadata, &asked);
	frame_read(v->answer, v->answer_len, false, &said);
	must(v->answer_len == 42 || v->answer_len == VERDICT_ANSWER_MAX);
	must(said.cls == CLASS_ARP_REPLY || said.cls == CLASS_NA ||
		said.cls == CLASS_NA_UNSOLICITED);
	must(!said.mismatch && mac_is_host(said.src));
	if (said.cls == CLASS_ARP_REPLY) {
		must(ip_eq(said.sender, asked.target) && ip_eq(said.target, asked.sender));
		must(mac_eq(said.dst, asked.src));
	} else {
		must(ip_eq(said.target, asked.target) && ip_eq(said.sender, asked.target));
		must(mac_eq(said.dst, asked.src) || asked.cls == CLASS_NS_DAD);
	}
	/* Never an answer to the owner about its own address. */
	must(!mac_eq(said.src, asked.src));
}

static void check(const struct verdict *v, const struct verdict_input *in, bool out)
{
	must((unsigned)v->cls < CLASS_COUNT && (unsigned)v->outcome < OUTCOME_COUNT);
	must(v->cls == frame_classify(in->frame, in->len, in->tag_in_metadata));
	must(v->pass == (v->outcome == OUTCOME_ERROR || outcome_kind(v->outcome) == 'F'));
	must(!v->set_mark || (v->set_mark == MARK_FLOOD &&
				     (v->outcome == OUTCOME_FLOODED || v->outcome == OUTCOME_WOULD)));
	must((v->answer_len > 0) ==
		(v->outcome == OUTCOME_ANSWERED || v->outcome == OUTCOME_SPONGED));
	must(v->outcome != OUTCOME_SPONGED || v->cls == CLASS_ARP_REQUEST || v->cls == CLASS_NS);
	must(v->outcome != OUTCOME_WOULD || (v->has_would && outcome_kind(v->would) != 'F'));
	must(v->police <= POLICE_NONE);
	must(!out || (!v->has_event && !v->has_ask && !v->answer_len));
	if (v->answer_len)
		check_answer(v, in);
	if (v->has_event)
		must(v->event.outcome == v->outcome && v->event.ifindex == in->ifindex);
	if (v->has_ask)
		must(v->ask.outcome == v->outcome && v->ask.type >= EVENT_PROBE &&
			v->ask.type <= EVENT_LIFE);
}

static struct tables world;

/* A leak checker does not see what a hash map holds. */
static void forget(void)
{
	tables_free(&world);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint32_t ports[16] = {10, 11, 12, 13, 14, 15, 16, 20, 21, 22, 23, 24, 25, 26, 29, 28};
	static const uint32_t marks[4] = {0, MARK_ANSWER, MARK_FLOOD, MARK_PROBE};
	static bool ready;
	struct verdict v;

	if (!ready) {
		world_init(&world);
		atexit(forget);
		ready = true;
	}
	if (size < 1)
		return 0;
	struct verdict_input in = {
		.frame = data + 1,
		.len = size - 1,
		.ifindex = ports[data[0] & 15],
		.tag_in_metadata = (data[0] & 0xe0) == 0xe0,
		.mark = marks[data[0] >> 5 & 3],
		.now_ns = 1,
	};
	if (data[0] & 0x10)
		verdict_out(&world, &in, &v);
	else
		verdict_in(&world, &in, &v);
	check(&v, &in, data[0] & 0x10);
	return 0;
}
