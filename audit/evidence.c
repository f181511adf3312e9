/* The frames that prove a breach, as a small pcap a member and rule: AS64500-dhcp.pcap, of at most AUDIT_EVIDENCE_MAX frames. Each frame
 * is appended by itself, so that thousands of files need not be open at once. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "audit/rules.h"
#include "audit/state.h"

#define PCAP_MAGIC_NS 0xa1b23c4d
#define PCAP_ETHERNET 1
#define SNAP_LEN 262144
#define NSEC 1000000000

struct pcap_head {
	uint32_t magic;
	uint16_t major, minor;
	int32_t zone;
	uint32_t figures, snap_len, link_type;
};

struct pcap_record {
	uint32_t sec, nsec, len, wire_len;
};

static bool put(FILE *to, const struct audit_passage *p, bool first)
{
	struct pcap_head head = {PCAP_MAGIC_NS, 2, 4, 0, 0, SNAP_LEN, PCAP_ETHERNET};
	struct pcap_record rec = {(uint32_t)(p->ns / NSEC), (uint32_t)(p->ns % NSEC), (uint32_t)p->captured_len,
		(uint32_t)p->wire_len};

	if (first && fwrite(&head, sizeof(head), 1, to) != 1)
		return false;
	return fwrite(&rec, sizeof(rec), 1, to) == 1 && fwrite(p->captured, 1, p->captured_len, to) == p->captured_len;
}

void audit_evidence(struct audit_passage *p, const struct audit_member *m, enum frame_rule rule, uint64_t before)
{
	struct audit *a = p->a;
	const char *token = rules_token(rules_row_of(rule));
	char path[4096];

	if (!a->state->evidence || before >= AUDIT_EVIDENCE_MAX)
		return;
	int n = m->member ? snprintf(path, sizeof(path), "%s/AS%u-%s.pcap", a->state->evidence, m->member->asn, token)
			  : snprintf(path, sizeof(path), "%s/not-registered-%s.pcap", a->state->evidence, token);
	if (n < 0 || (size_t)n >= sizeof(path)) {
		a->evidence_error = a->evidence_error ? a->evidence_error : ENAMETOOLONG;
		return;
	}
	FILE *to = fopen(path, before ? "ab" : "wb");
	bool good = to && put(to, p, before == 0);
	int e = errno;
	if (to && fclose(to) != 0)
		good = false, e = errno;
	if (!good && !a->evidence_error)
		a->evidence_error = e ? e : EIO;
}
