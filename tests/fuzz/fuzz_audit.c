/* Whole capture files into the books, with the registry of tests/audit/world.h. What must hold: every frame is in exactly one cell of
 * its port, nobody is counted more often than he was captured, and a refusal says why. */
#include <stdlib.h>

#include "audit/read.h"
#include "proxyarp/verdict.h"
#include "tests/audit/world.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
	if (!holds)
		abort();
}

static void check_ports(const struct audit *a)
{
	uint64_t all = 0;

	for (size_t i = 0; i < a->port_count; i++) {
		const struct audit_port *p = &a->ports[i];
		uint64_t series = 0, cells[AUDIT_DIRS] = {0};
		for (int c = 0; c < CLASS_COUNT; c++) {
			for (int d = 0; d < AUDIT_DIRS; d++) {
				must(p->at[d][c].peak.frames <= p->at[d][c].all.frames);
				cells[d] += p->at[d][c].all.frames;
			}
			for (uint32_t s = 0; s < p->series.count; s++)
				series += p->series.at[s][c].frames;
		}
		must(p->series.count <= AUDIT_SLOTS);
		for (int d = 0; d < AUDIT_DIRS; d++)
			must(cells[d] == p->total[d].all.frames);
		must(series == p->total[AUDIT_RECEIVED].all.frames);
		must(p->flood.all.frames + p->stray.all.frames <= p->total[AUDIT_RECEIVED].all.frames);
		all += p->total[AUDIT_RECEIVED].all.frames + p->total[AUDIT_SENT].all.frames;
	}
	must(all == a->frames);
}

static void check_members(const struct audit *a)
{
	uint64_t sent = 0;

	for (size_t i = 0; i < a->member_count; i++) {
		const struct audit_member *m = &a->members[i];
		bool failed = false;
		for (int r = 0; r < RULE_COUNT; r++) {
			must((m->rules[r].verdict == AUDIT_FAIL) == (m->rules[r].frames > 0));
			must(m->rules[r].frames <= m->sent.frames);
			failed = failed || m->rules[r].frames;
		}
		must(m->pass == (m->sent.frames && !failed));
		sent += m->sent.frames;
	}
	must(sent <= a->frames);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct world w;
	char err[AUDIT_ERROR_MAX] = "";

	world_make(&w);
	struct audit *a = audit_new(&w.config);
	must(a != NULL);
	int r = audit_read_octets(a, data, size, "input", size & 1 ? "swp1" : NULL, err);
	must(r == 0 ? !err[0] : err[0] != '\0');
	audit_close(a);
	check_ports(a);
	check_members(a);
	audit_free(a);
	return 0;
}
