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
	bool has_event;	      /* before deduplication and rate limits, which are the plane's */
	struct layout_event event;
};

/* The class of a frame by its octets alone; never reads past len. */
enum frame_class frame_classify(const uint8_t *frame, size_t len, bool tag_in_metadata);

/* Ingress and egress of a port. A port that is not in the tables passes everything uncounted (outcome ERROR, pass). */
void verdict_in(const struct tables *t, const struct verdict_input *in, struct verdict *ret);
void verdict_out(const struct tables *t, const struct verdict_input *in, struct verdict *ret);

const char *class_name(enum frame_class c);
const char *outcome_name(enum frame_outcome o);
/* 'F' went on, 'A' answered, 'D' dropped, 'P' policed */
char outcome_kind(enum frame_outcome o);
/* By token; -EINVAL if there is no such. */
int class_find(const char *token);
int outcome_find(const char *token);
