/* What a reload says of two registries: a line a change. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "registry/diff.h"

static struct registry *load(const char *text)
{
	char path[] = "/tmp/quell-registry-XXXXXX", err[REGISTRY_ERROR_MAX] = "";
	const char *files[] = {path};
	struct registry *reg = NULL;
	int fd = mkstemp(path);

	if (!text)
		return NULL;
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
	int r = registry_load(files, 1, &(struct registry_lan){0}, &reg, err);
	unlink(path);
	ck_assert_msg(r == 0, "%s", err);
	return reg;
}

static void add_line(void *arg, const struct registry_change *c)
{
	static const char ops[] = {'~', '+', '-'};
	char *all = arg;

	sprintf(all + strlen(all), "%c %s%s%s%s%s%s%s\n", ops[c->op], c->name, c->key ? " " : "",
		c->key ? c->key : "", c->from ? " " : "", c->from ? c->from : "",
		c->from ? " -> " : c->to ? " " : "", c->to ? c->to : "");
}

#define MEMBER(asn, more) "  - {asn: " #asn ", " more "}\n"
#define PORT(port, more) "ports: [{port: " port ", " more "}]"

static const struct {
	const char *was, *is, *lines;
} cases[] = {
	{"members:\n" MEMBER(1, PORT("p1", "macs: ['02:00:00:00:00:01']")),
		"members:\n" MEMBER(1, PORT("p1", "macs: ['02-00-00-00-00-01']")), ""},
	{"members:\n" MEMBER(1, PORT("p1", "macs: ['02:00:00:00:00:01'], ipv4: [198.18.0.1]")),
		"members:\n" MEMBER(1, "name: x, " PORT("p1",
			"macs: ['02:00:00:00:00:01', '02:00:00:00:00:02'], status: quarantine, router: false")),
		"~ p1 AS1 macs [02:00:00:00:00:01] -> [02:00:00:00:00:01, 02:00:00:00:00:02]\n"
		"~ p1 AS1 addresses [198.18.0.1] -> []\n~ p1 AS1 status active -> quarantine\n"
		"~ p1 AS1 router true -> false\n~ p1 AS1 name  -> x\n"},
	/* A member moves to another port; another takes its place. */
	{"members:\n" MEMBER(1, PORT("p1", "macs: ['02:00:00:00:00:01']"))
		MEMBER(2, PORT("p2", "pe: 10.99.0.1, macs: ['02:00:00:00:00:02']")),
		"members:\n" MEMBER(2, "exchange: true, " PORT("p2", "pe: 10.99.0.1, macs: ['02:00:00:00:00:02']"))
			MEMBER(1, PORT("p3", "macs: ['02:00:00:00:00:01']"))
			MEMBER(3, PORT("p1", "macs: ['02:00:00:00:00:03']")),
		"- p1 AS1\n+ p1 AS3 macs [02:00:00:00:00:03]\n~ p2 at 10.99.0.1 AS2 exchange false -> true\n"
		"+ p3 AS1 macs [02:00:00:00:00:01]\n"},
	/* Two of one member on one port. */
	{"members:\n  - asn: 1\n    ports:\n      - {port: p, macs: ['02:00:00:00:00:01']}\n"
	 "      - {port: p, macs: ['02:00:00:00:00:02']}\n",
		"members:\n  - asn: 1\n    ports:\n      - {port: p, macs: ['02:00:00:00:00:01']}\n",
		"- p AS1\n"},
	{NULL, "members:\n" MEMBER(1, "ports: [{macs: ['02:00:00:00:00:01']}]"),
		"+ AS1 macs [02:00:00:00:00:01]\n"},
	{"members:\n" MEMBER(1, PORT("p1", "status: disabled")), NULL, "- p1 AS1\n"},
	{NULL, NULL, ""},
	{"members:\n" MEMBER(1, PORT("p1", "macs: ['02:00:00:00:00:01']")) "unassigned: [198.18.0.1, 198.18.0.2]\n",
		"members:\n" MEMBER(1, "type: other, contacts: [a, b], " PORT("p1",
			"macs: ['02:00:00:00:00:02'], former-macs: ['02:00:00:00:00:01'], switch: s, speed: 10"))
		"unassigned: [198.18.0.2, 198.18.0.3]\n",
		"~ p1 AS1 macs [02:00:00:00:00:01] -> [02:00:00:00:00:02]\n"
		"~ p1 AS1 former-macs [] -> [02:00:00:00:00:01]\n~ p1 AS1 type  -> other\n"
		"~ p1 AS1 contacts [] -> [a, b]\n~ p1 AS1 switch  -> s\n~ p1 AS1 speed 0 -> 10\n"
		"- unassigned 198.18.0.1\n+ unassigned 198.18.0.3\n"},
	/* Two of one member whose port is not known, in another order. */
	{"members:\n" MEMBER(1, "ports: [{macs: ['02:00:00:00:00:01'], ipv4: [198.18.0.1]}, "
				"{macs: ['02:00:00:00:00:02'], ipv4: [198.18.0.2]}]"),
		"members:\n" MEMBER(1, "ports: [{macs: ['02:00:00:00:00:02'], ipv4: [198.18.0.2]}, "
				      "{macs: ['02:00:00:00:00:01'], ipv4: [198.18.0.1], status: disabled}]"),
		"~ 198.18.0.1 AS1 status active -> disabled\n"},
};

START_TEST(says_a_line_a_change)
{
	struct registry *was = load(cases[_i].was), *is = load(cases[_i].is);
	char all[4096] = "";
	size_t n = registry_diff(was, is, add_line, all), lines = 0;

	for (const char *at = all; (at = strchr(at, '\n')); at++)
		lines++;
	ck_assert_str_eq(all, cases[_i].lines);
	ck_assert_uint_eq(n, lines);
	registry_free(was);
	registry_free(is);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("registry/diff");
	TCase *tc = tcase_create("core");
	SRunner *sr = srunner_create(s);

	tcase_add_loop_test(tc, says_a_line_a_change, 0, sizeof(cases) / sizeof(cases[0]));
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_NORMAL);
	int failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
