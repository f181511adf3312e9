/* Who may speak at a port: docs/verdict.md, steps 4 (the source MAC) and 6 (the addresses that it speaks for). */
#include "proxyarp/verdict_parts.h"

/* The source MAC is not this port's. False: decided. */
static bool foreign_source(struct judge *j, bool loop)
{
	if (loop && judge_forbids(j, RULE_LOOP, OUTCOME_LOOP, judge_no_ip))
		return false;
	if (judge_forbids(j, RULE_SOURCE_MAC, OUTCOME_SPOOF_MAC, judge_no_ip))
		return false;
	j->unproven = true;
	return true;
}

/* Step 4: may this source use this port? False: decided. */
bool judge_source(struct judge *j)
{
	bool closed = j->port->flags & PORT_CLOSED;

	if (!mac_is_host(j->f.src)) {
		judge_decide(j, OUTCOME_SPOOF_MAC);
		return false;
	}
	const struct layout_mac *m = judge_find_mac(j, j->f.src.b);
	if (!m && !closed) {
		judge_tell(j, EVENT_MAC, RULE_NONE, judge_no_ip);
		return true;
	}
	if (!m)
		return foreign_source(j, false);
	if (m->ifindex == j->here) {
		if (m->flags & MAC_REPORT)
			judge_tell(j, EVENT_MAC, RULE_NONE, judge_no_ip);
		return true;
	}
	if (m->flags & (MAC_SELF | MAC_TRAP))
		return foreign_source(j, true);
	if (m->home == j->here || (!closed && !(m->flags & MAC_STATIC))) {
		judge_tell(j, EVENT_MOVED, RULE_NONE, judge_no_ip);
		judge_decide(j, OUTCOME_MOVED);
		return false;
	}
	const struct layout_mac *to = judge_find_mac(j, j->f.dst.b);
	return foreign_source(j, to && to->ifindex == j->here);
}

/* A link-local address that is made from a MAC (RFC 4291 appendix A) that is known, and behind another port: whoever came
 * first would have it, and members have registered none as a rule. */
static bool made_from_another(const struct judge *j, struct ip ip)
{
	const uint8_t *id = ip.b + 8;
	const uint8_t mac[6] = {id[0] ^ 2, id[1], id[2], id[5], id[6], id[7]};

	if (id[3] != 0xff || id[4] != 0xfe || memcmp(mac, j->f.src.b, 6) == 0)
		return false;
	const struct layout_mac *m = judge_find_mac(j, mac);
	return m && m->ifindex != j->here;
}

enum speaker { SPEAKER_OWNS, SPEAKER_NEW, SPEAKER_SPOOFS };

static enum speaker speaks_for(const struct judge *j, struct ip ip)
{
	const struct layout_bind *b = judge_find_bind(j, ip);
	bool closed = j->port->flags & PORT_CLOSED;
	bool link_local = ip.family == 6 && ip_is_link_local(ip);
	bool anothers = link_local && made_from_another(j, ip);

	if (!b || b->flags & BIND_SPONGE)
		return (link_local ? !anothers : !closed) ? SPEAKER_NEW : SPEAKER_SPOOFS;
	bool is_static = b->flags & BIND_STATIC;
	bool same = memcmp(b->mac, j->f.src.b, 6) == 0;
	if (b->ifindex == j->here && (same || b->flags & BIND_ALT || !is_static))
		return is_static && same ? SPEAKER_OWNS : SPEAKER_NEW;
	return is_static || closed || anothers ? SPEAKER_SPOOFS : SPEAKER_NEW;
}

static enum frame_rule spoof_ip_rule(enum frame_class c)
{
	switch (c) {
	case CLASS_ARP_REPLY:
	case CLASS_ARP_REPLY_BCAST:
	case CLASS_NA:
	case CLASS_NA_UNSOLICITED:
		return RULE_PROXY_ARP;
	default:
		return RULE_ADDRESS;
	}
}

/* "Speaks for": may this port and MAC say that they have `ip`? False: decided. */
static bool judge_speaker(struct judge *j, struct ip ip)
{
	enum speaker s = speaks_for(j, ip);

	if (s == SPEAKER_SPOOFS)
		return !judge_forbids(j, spoof_ip_rule(j->f.cls), OUTCOME_SPOOF_IP, ip);
	/* RFC 9161 section 3.2: no entry from NS. */
	if (s == SPEAKER_NEW && !frame_is_ns(&j->f) && !j->unproven)
		judge_tell(j, EVENT_BINDING, RULE_NONE, ip);
	return true;
}

/* Step 6. False: decided. */
bool judge_sender(struct judge *j)
{
	if (j->f.mismatch) {
		if (!judge_forbids(j, RULE_SENDER, OUTCOME_SENDER_MISMATCH, judge_no_ip))
			judge_go_on(j);
		return false;
	}
	if (!j->member)
		return true;
	if (frame_is_na(&j->f))
		return judge_speaker(j, j->f.target);
	if ((frame_is_arp(&j->f) || frame_is_ns(&j->f)) && !ip_is_unspecified(j->f.sender))
		return judge_speaker(j, j->f.sender);
	return true;
}
