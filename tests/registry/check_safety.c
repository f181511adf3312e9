/* One registry in the place of another: what may go, and which MACs stay for a while. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "registry/import.h"
#include "registry/safety.h"

static struct registry *load(const char *text)
{
	struct registry_file file = {"a", text, strlen(text), 0, NULL};
	struct registry_findings f;
	struct registry *reg = NULL;

	int r = registry_import(&file, 1, &(struct registry_lan){0}, true, &reg, &f);
	ck_assert_msg(r == 0, "%s\n%s", f.count ? f.list[0].text : "", text);
	registry_findings_free(&f);
	return reg;
}

/* "macs|former" of each port, a space between two. */
static void macs_text(const struct registry *reg, char *to)
{
	*to = '\0';
	for (size_t i = 0; i < reg->port_count; i++) {
		const struct registry_port *p = &reg->ports[i];
		to += sprintf(to, "%s", i ? " " : "");
		for (int k = 0; k < p->mac_count; k++)
			to += sprintf(to, "%s%x", k == p->mac_count - p->former_count ? "|" : "", p->macs[k].b[5]);
	}
}

#define MAC(n) "'02:00:00:00:00:0" #n "'"
#define M(asn, ports) "- {asn: " #asn ", ports: [" ports "]}\n"
#define P(port, macs, more) "{port: '" port "', macs: [" macs "]" more "}"
#define NOWHERE(macs, more) "{macs: [" macs "]" more "}"
#define FORMER(macs) ", former-macs: [" macs "]"
#define IP(n) ", ipv4: [198.18.0." #n "]"
#define NONE "members: []\n"

static const struct {
	const char *name, *was, *is, *macs;
	size_t removed, added, swapped;
	bool refused;
} steps[] = {
	{"the same", M(1, P("p", MAC(1), IP(1))), M(1, P("p", MAC(1), IP(1))), "1", 0, 0, 0, false},
	{"a swap", M(1, P("p", MAC(1), IP(1))), M(1, P("p", MAC(2), IP(1))), "2|1", 0, 1, 1, false},
	{"another one", M(1, P("p", MAC(2), FORMER(MAC(1)) IP(1))), M(1, P("p", MAC(3), IP(1))), "3|21", 0, 1, 1, false},
	{"former ones are carried on", M(1, P("p", MAC(2), FORMER(MAC(1)) IP(1))), M(1, P("p", MAC(2), IP(1))), "2|1", 0, 0, 0,
		false},
	{"and become current again", M(1, P("p", MAC(2), FORMER(MAC(1)) IP(1))), M(1, P("p", MAC(1), IP(1))), "1|2", 0, 0, 1,
		false},
	{"one of two goes", M(1, P("p", MAC(1) "," MAC(2), IP(1))), M(1, P("p", MAC(2), IP(1))), "2|1", 0, 0, 1, false},
	{"it is another's now", M(1, P("p", MAC(1), IP(1))), M(1, P("p", MAC(2), IP(1))) M(2, P("q", MAC(1), IP(2))), "2 1", 1, 2,
		0, true},
	{"a former one is another's now", M(1, P("p", MAC(2), FORMER(MAC(1)) IP(1))),
		M(1, P("p", MAC(2), IP(1))) M(2, P("q", MAC(1), IP(2))), "2 1", 0, 1, 0, false},
	{"it is at another port of the same member", M(1, P("p", MAC(1), IP(1)) "," P("q", MAC(2), IP(2))),
		M(1, P("p", MAC(2), IP(1)) "," P("q", MAC(1), IP(2))), "2|1 1|2", 0, 2, 2, false},
	{"no MAC any more", M(1, P("p", MAC(1), IP(1))), M(1, P("p", "", "")), "", 1, 0, 0, true},
	{"another member at the port", M(1, P("p", MAC(1), IP(1))), M(2, P("p", MAC(2), IP(1))), "2", 1, 1, 0, true},
	{"another port", M(1, P("p", MAC(1), IP(1))), M(1, P("q", MAC(2), IP(1))), "2", 1, 1, 0, true},
	{"another PE", M(1, P("p", MAC(1), ", pe: 10.0.0.1" IP(1))), M(1, P("p", MAC(2), ", pe: 10.0.0.2" IP(1))), "2", 1, 1, 0,
		true},
	{"the port is not known", M(1, NOWHERE(MAC(1), IP(1)) "," NOWHERE(MAC(2), IP(2))),
		M(1, NOWHERE(MAC(2), IP(2)) "," NOWHERE(MAC(3), IP(1))), "2 3|1", 0, 1, 1, false},
	{"nor the address the same", M(1, NOWHERE(MAC(1), IP(1))), M(1, NOWHERE(MAC(2), IP(2))), "2", 1, 1, 0, true},
	{"another address", M(1, P("p", MAC(1), IP(1))), M(1, P("p", MAC(2), IP(2))), "2|1", 1, 1, 1, true},
	{"two entries of one member at a port", M(1, P("p", MAC(1), IP(1)) "," P("p", MAC(2), IP(2))),
		M(1, P("p", MAC(4), IP(2)) "," P("p", MAC(3), IP(1))), "4|2 3|1", 0, 2, 2, false},
	{"as many as a port may have",
		M(1, P("p", MAC(1), FORMER(MAC(2) "," MAC(3) "," MAC(4) "," MAC(5) "," MAC(6) "," MAC(7) "," MAC(8)
				       "," MAC(9)) IP(1))),
		M(1, P("p", MAC(a) "," MAC(b), IP(1))), "ab|12345678", 0, 2, 1, false},
	{"members of whom only the name is known", "- {asn: 0, name: x, ports: [" P("p", MAC(1), IP(1)) "]}\n",
		"- {asn: 0, name: y, ports: [" P("p", MAC(2), IP(1)) "]}\n", "2", 1, 1, 0, true},
	{"out of service", M(1, P("p", MAC(1), IP(1))), M(1, P("p", MAC(1), IP(1) ", status: disabled")), "1", 1, 0, 0, true},
	{"into quarantine", M(1, P("p", MAC(1), IP(1))), M(1, P("p", MAC(1), IP(1) ", status: quarantine")), "1", 1, 0, 0, true},
	{"into service", M(1, P("p", MAC(1), IP(1) ", status: disabled")), M(1, P("p", MAC(1), IP(1))), "1", 0, 1, 0, false},
	{"the switch has another name", M(1, P("p", MAC(1), IP(1) ", switch: a")), M(1, P("p", MAC(1), IP(1) ", switch: b")), "1",
		0, 0, 0, false},
	{"the first", NULL, M(1, P("p", MAC(1), IP(1))), "1", 0, 1, 0, false},
};

static struct registry *load_members(const char *text)
{
	char all[4096];

	snprintf(all, sizeof(all), "members:\n%s", text);
	return load(all);
}

START_TEST(keeps_what_is_being_replaced)
{
	struct registry *was = steps[_i].was ? load_members(steps[_i].was) : NULL, *is = load_members(steps[_i].is);
	struct registry_step step;
	char macs[256];

	registry_replace(was, is, &(struct registry_limits){0, 0}, &step);
	macs_text(is, macs);
	ck_assert_msg(strcmp(macs, steps[_i].macs) == 0, "%s: %s", steps[_i].name, macs);
	ck_assert_msg(step.removed == steps[_i].removed && step.added == steps[_i].added &&
			      step.swapped == steps[_i].swapped && step.refused == steps[_i].refused,
		"%s: removed %zu added %zu swapped %zu refused %d: %s", steps[_i].name, step.removed, step.added,
		step.swapped, step.refused, step.why);
	registry_free(was);
	registry_free(is);
}
END_TEST

START_TEST(refuses_too_large_a_loss)
{
	static const struct {
		size_t keep;
		struct registry_limits limits;
		const char *why;
	} cases[] = {
		{100, {10, 0}, ""},
		{90, {10, 0}, ""},
		{89, {10, 0}, "11 of 100 bindings would go (11 %); at most 10 % may at once"},
		{89, {10, 11}, ""},
		{88, {10, 11}, "12 of 100 bindings would go (12 %); at most 10 % may at once"},
		{99, {0, 0}, "1 of 100 bindings would go (1 %); at most 0 % may at once"},
		{0, {99, 0}, "100 of 100 bindings would go (100 %); at most 99 % may at once"},
		{0, {100, 0}, ""},
	};
	char *text[2];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct registry *reg[2];
		for (int k = 0; k < 2; k++) {
			size_t len, count = k ? cases[i].keep : 100;
			FILE *to = open_memstream(&text[k], &len);
			fputs(count ? "members:\n" : NONE, to);
			for (size_t n = 1; n <= count; n++)
				fprintf(to, "- {asn: %zu, ports: [{port: p%zu, macs: ['02:00:00:00:00:%02zx'], ipv4: [198.18.0.%zu]}]}\n",
					n, n, n, n);
			fclose(to);
			reg[k] = load(text[k]);
			free(text[k]);
		}
		struct registry_step step;
		registry_replace(reg[0], reg[1], &cases[i].limits, &step);
		ck_assert_str_eq(step.why, cases[i].why);
		ck_assert(step.refused == (*cases[i].why != '\0'));
		ck_assert_uint_eq(step.bindings_was, 100);
		ck_assert_uint_eq(step.bindings_is, cases[i].keep);
		registry_free(reg[0]);
		registry_free(reg[1]);
	}
}
END_TEST

/* 40 switches of three members each: two of them would pass by their share. */
static struct registry *switches(int empty, const char *status, bool pes)
{
	struct registry *reg;
	char *text;
	size_t len;
	FILE *to = open_memstream(&text, &len);

	fputs("members:\n", to);
	for (int sw = 0; sw < 40; sw++)
		for (int n = 0; n < 3; n++) {
			bool gone = sw == empty && !*status;
			if (gone)
				continue;
			fprintf(to, "- {asn: %d, ports: [{port: p%d, macs: ['02:00:00:00:%02x:%02x'], ipv4: [198.18.%d.%d], switch: sw%d",
				sw * 3 + n + 1, n, sw, n, sw, n + 1, sw);
			if (pes)
				fprintf(to, ", pe: 10.0.0.%d", sw + 1);
			fprintf(to, "%s}]}\n", sw == empty ? status : "");
		}
	fclose(to);
	reg = load(text);
	free(text);
	return reg;
}

START_TEST(refuses_the_loss_of_a_switch)
{
	static const struct {
		const char *status;
		bool pes;
		struct registry_limits limits;
		const char *why;
	} cases[] = {
		{"", true, {10, 2}, "all 3 bindings of sw7 at 10.0.0.8 would go"},
		{"", false, {10, 2}, "all 3 bindings of sw7 would go"},
		{", status: disabled", true, {10, 2}, "all 3 bindings of sw7 at 10.0.0.8 would go"},
		{"", true, {10, 3}, ""},
		{"", true, {100, 2}, ""},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct registry *was = switches(-1, "", cases[i].pes), *is = switches(7, cases[i].status, cases[i].pes);
		struct registry_step step;
		registry_replace(was, is, &cases[i].limits, &step);
		ck_assert_str_eq(step.why, cases[i].why);
		ck_assert(step.refused == (*cases[i].why != '\0'));
		ck_assert_uint_eq(step.removed, 3);
		registry_free(was);
		registry_free(is);
	}
}
END_TEST

START_TEST(refuses_what_is_swapped)
{
	static const struct {
		const char *was, *is, *why;
	} cases[] = {
		{M(1, P("p", MAC(1), IP(1))) M(2, P("q", MAC(2), IP(2))), M(1, P("p", MAC(2), IP(1))) M(2, P("q", MAC(1), IP(2))),
			"02:00:00:00:00:02 of AS2 would be that of AS1, and AS2 is still there: are they swapped?"},
		{M(1, P("p", MAC(1), IP(1))) M(2, P("q", MAC(2), IP(2))), M(1, P("p", MAC(1), IP(2))) M(2, P("q", MAC(2), IP(1))),
			"198.18.0.2 of AS2 would be that of AS1, and AS2 is still there: are they swapped?"},
		/* It left, or is called otherwise now. */
		{M(1, P("p", MAC(1), IP(1))) M(2, P("q", MAC(2), IP(2))), M(2, P("q", MAC(2), IP(1))), ""},
		{M(1, P("p", MAC(1), IP(1))), M(2, P("p", MAC(1), IP(1))), ""},
		/* It was not in force. */
		{M(1, P("p", MAC(1), IP(1) ", status: disabled")), M(1, P("p", MAC(3), IP(3))) M(2, P("q", MAC(1), IP(1))), ""},
		/* Its own. */
		{M(1, P("p", MAC(1), IP(1)) "," P("q", MAC(2), IP(2))), M(1, P("p", MAC(2), IP(2)) "," P("q", MAC(1), IP(1))), ""},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct registry *was = load_members(cases[i].was), *is = load_members(cases[i].is);
		struct registry_step step;
		registry_replace(was, is, &(struct registry_limits){10, 4}, &step);
		ck_assert_str_eq(step.why, cases[i].why);
		ck_assert(step.refused == (*cases[i].why != '\0'));
		registry_free(was);
		registry_free(is);
	}
}
END_TEST

/* --- whatever the two are --- */

static uint32_t seed = 1;

static uint32_t next(uint32_t below)
{
	seed = seed * 1664525 + 1013904223;
	return (seed >> 8) % below;
}

/* A few members, ports, MACs and addresses, so that they meet; valid by construction: a MAC is one member's. */
static struct registry *random_registry(void)
{
	char *text;
	size_t len;
	FILE *to = open_memstream(&text, &len);
	int owner[8], ip_at = 0;
	bool ip_taken[8] = {false};

	for (int i = 0; i < 8; i++)
		owner[i] = (int)next(3);
	fputs("members:\n", to);
	for (int m = 0; m < 3; m++) {
		fprintf(to, "- asn: %d\n  ports:\n", m + 1);
		uint32_t ports = 1 + next(2);
		for (uint32_t p = 0; p < ports; p++) {
			char macs[256] = "", former[256] = "";
			for (int i = 0; i < 8; i++)
				if (owner[i] == m && next(2))
					sprintf(next(3) ? macs + strlen(macs) : former + strlen(former),
						"'02:00:00:00:00:0%d',", i);
			const char *port = next(4) ? (next(2) ? "port: a, " : "port: b, ") : "";
			fprintf(to, "  - {%smacs: [%s], former-macs: [%s]", port, macs, former);
			ip_at = (int)next(8);
			if ((*macs || *former) && !ip_taken[ip_at])
				fprintf(to, ", ipv4: [198.18.0.%d]", ip_at + 1);
			ip_taken[ip_at] = ip_taken[ip_at] || *macs || *former;
			fputs("}\n", to);
		}
	}
	fclose(to);
	struct registry *reg = load(text);
	free(text);
	return reg;
}

static bool same_current(const struct registry_port *a, const struct registry_port *b)
{
	return a->mac_count - a->former_count == b->mac_count - b->former_count &&
	       memcmp(a->macs, b->macs, (size_t)(a->mac_count - a->former_count) * sizeof(a->macs[0])) == 0;
}

START_TEST(holds_for_any_two)
{
	for (int round = 0; round < 3000; round++) {
		struct registry *was = random_registry(), *is = random_registry();
		struct registry_port *before = calloc(is->port_count, sizeof(*before));
		struct registry_step step, again;

		ck_assert_ptr_nonnull(before);
		memcpy(before, is->ports, is->port_count * sizeof(*before));
		registry_replace(was, is, &(struct registry_limits){100, 0}, &step);
		ck_assert(!step.refused);
		ck_assert_uint_le(step.removed, step.bindings_was);
		ck_assert_uint_le(step.added, step.bindings_is);
		for (size_t i = 0; i < is->port_count; i++) {
			const struct registry_port *p = &is->ports[i];
			/* The books' own word is not touched. */
			ck_assert(same_current(p, &before[i]));
			ck_assert_int_le(p->mac_count, REGISTRY_MACS);
			for (int k = 0; k < p->mac_count; k++) {
				/* Nobody's MAC is another's, and none stands twice. */
				for (size_t o = 0; o < is->port_count; o++)
					for (int x = 0; x < is->ports[o].mac_count; x++)
						ck_assert(!mac_eq(is->ports[o].macs[x], p->macs[k]) ||
							  (is->ports[o].member == p->member && (o != i || x == k)));
			}
			/* What came to be former is of the same member's port of before. */
			for (int k = before[i].mac_count; k < p->mac_count; k++) {
				bool found = false;
				for (size_t o = 0; o < was->port_count; o++)
					for (int x = 0; x < was->ports[o].mac_count; x++)
						found = found ||
							(mac_eq(was->ports[o].macs[x], p->macs[k]) &&
								strcmp(was->ports[o].port, p->port) == 0 &&
								was->members[was->ports[o].member].asn ==
									is->members[p->member].asn);
				ck_assert(found);
			}
		}
		/* Itself in its own place changes nothing. */
		memcpy(before, is->ports, is->port_count * sizeof(*before));
		registry_replace(is, is, &(struct registry_limits){0, 0}, &again);
		ck_assert(!again.refused && again.removed == 0 && again.added == 0 && again.swapped == 0);
		ck_assert_int_eq(memcmp(before, is->ports, is->port_count * sizeof(*before)), 0);
		free(before);
		registry_free(was);
		registry_free(is);
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("registry/safety");
	TCase *tc = tcase_create("core");
	SRunner *sr = srunner_create(s);

	tcase_add_loop_test(tc, keeps_what_is_being_replaced, 0, sizeof(steps) / sizeof(steps[0]));
	tcase_add_test(tc, refuses_too_large_a_loss);
	tcase_add_test(tc, refuses_the_loss_of_a_switch);
	tcase_add_test(tc, refuses_what_is_swapped);
	tcase_add_test(tc, holds_for_any_two);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_NORMAL);
	int failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
