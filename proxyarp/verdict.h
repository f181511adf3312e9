/* The verdict: what becomes of one frame on one port, and the answer if there is one. Pure C, total on any bytes; the
 * BPF programs say the same (tests/bpf holds the two against each other), the packet plane and the audit use this one.
 *
 * RFC 826, 5227, 4861 (7.1.1, 7.1.2, 7.2.4), 9161 (3.3, 3.4, 3.6). The order of the checks is the contract between the
 * two implementations; it is written down in docs/verdict.md.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proxyarp/layout.h"
#include "proxyarp/table.h"

/* Longest answer: Ethernet 14 + IPv6 40 + NA 24 + target link-layer option 8. ARP answers are 42 octets. */
#define VERDICT_ANSWER_MAX 86

struct verdict_input {
	const uint8_t *frame; /* from the destination MAC on, without FCS; a tag may be in band */
	size_t len;
	bool tag_in_metadata; /* the kernel took a VLAN tag off it */
	uint32_t mark;	      /* skb->mark (out) */
	uint32_t ifindex;
	uint64_t now_ns;
};

struct verdict {
	enum frame_class cls;
	enum frame_outcome outcome;
	bool pass;	      /* goes on to (in) the bridge or (out) the wire */
	uint32_t set_mark;    /* when pass and in: MARK_FLOOD or 0 */
	uint16_t answer_len;  /* > 0: `answer` leaves by the port the frame came in on */
	uint8_t answer[VERDICT_ANSWER_MAX];
	uint8_t dst[6];	      /* outcome UNICAST_FORWARDED: the destination MAC that it goes on with */
	uint8_t police;	      /* enum layout_police: whose bucket is to be asked besides ALL's; POLICE_NONE */
	bool has_would;	      /* `would` is what would have become of it, but for a rule that only counts, or dry run */
	enum frame_outcome would;
	/* What is told, before deduplication and rate limits, which are the plane's: who it is from (BINDING, MAC, MOVED, SPOOF, RULE),
	 * and what it is after (PROBE, QUERY, TRAP, LIFE). */
	bool has_event, has_ask;
	struct layout_event event, ask;
};

/* The class of a frame by its octets alone; never reads past len. */
enum frame_class frame_classify(const uint8_t *frame, size_t len, bool tag_in_metadata);

/* Ingress and egress of a port. A port that is not in the tables passes everything uncounted (outcome ERROR, pass). */
void verdict_in(const struct tables *t, const struct verdict_input *in, struct verdict *ret);
void verdict_out(const struct tables *t, const struct verdict_input *in, struct verdict *ret);

/* The bucket that a verdict named, or ALL's, is empty: what becomes of the frame then. */
void verdict_police(const struct layout_port *port, enum frame_dir dir, struct verdict *v);

const char *class_name(enum frame_class c);
const char *outcome_name(enum frame_outcome o);
/* 'F' went on, 'A' answered, 'D' dropped, 'P' policed */
char outcome_kind(enum frame_outcome o);
/* The rule that forbids a class; RULE_NONE. */
enum frame_rule class_rule(enum frame_class c);
const char *rule_name(enum frame_rule r);
const char *rule_text(enum frame_rule r);
/* Its place in the list of rules that exchanges publish; 0: none. */
int rule_number(enum frame_rule r);
/* By token; -EINVAL if there is no such. */
int rule_find(const char *token);
int class_find(const char *token);
int outcome_find(const char *token);
