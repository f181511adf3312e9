/* The plain-YAML registry: what is read, and what is refused with which line. */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "registry/registry.h"

static struct prefix prefixes[2];
static const struct registry_lan lan = {.prefixes = prefixes, .prefix_count = 2};

static int load_text(const char *text, struct registry **ret, char *err)
{
	char path[] = "/tmp/quell-registry-XXXXXX";
	int fd = mkstemp(path);
	const char *files[] = {path};

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
	int r = registry_load(files, 1, &lan, ret, err);
	unlink(path);
	/* The path differs from run to run: leave what stands behind it. */
	if (r < 0 && strncmp(err, path, strlen(path)) == 0)
		memmove(err, err + strlen(path), strlen(err) - strlen(path) + 1);
	return r;
}

static void setup(void)
{
	ck_assert_int_eq(prefix_parse("198.18.0.0/21", &prefixes[0]), 0);
	ck_assert_int_eq(prefix_parse("2001:db8:100::/64", &prefixes[1]), 0);
}

START_TEST(reads_every_field)
{
	struct registry *reg;
	char err[REGISTRY_ERROR_MAX], ip[IP_TEXT], mac[MAC_TEXT];

	int r = load_text("members:\n"
			  "  - asn: 64500\n"
			  "    name: Example Networks\n"
			  "    type: peering\n"
			  "    contacts: [noc@example.net, +49 1]\n"
			  "    ports:\n"
			  "      - port: swp1\n"
			  "        pe: 10.99.0.1\n"
			  "        switch: sw1.fra\n"
			  "        speed: 10000\n"
			  "        macs: [\"02:00:5e:00:00:01\", \"0200.5e00.0002\"]\n"
			  "        former-macs: [\"02:00:5e:00:00:04\"]\n"
			  "        ipv4: [198.18.0.1]\n"
			  "        ipv6: [\"2001:db8:100::1\"]\n"
			  "        link-local: [\"fe80::5eff:fe00:1\"]\n"
			  "  - asn: 4200000000\n"
			  "    exchange: true\n"
			  "    ports:\n"
			  "      - {macs: [02-00-5e-00-00-03], ipv4: [198.18.0.2], status: quarantine, router: false}\n"
			  "  - {asn: 64502, type: routeserver}\n"
			  "  - {asn: 0, type: ixp, exchange: false}\n"
			  "unassigned: [\"2001:db8:100::77\", 198.18.0.77, 198.18.0.8, 198.18.0.77]\n",
		&reg, err);
	ck_assert_msg(r == 0, "%s", err);
	ck_assert_uint_eq(reg->member_count, 4);
	ck_assert_uint_eq(reg->port_count, 2);
	ck_assert_uint_eq(reg->members[1].asn, 4200000000u);
	ck_assert_str_eq(reg->members[0].name, "Example Networks");
	ck_assert_str_eq(reg->ports[0].port, "swp1");
	ck_assert_uint_eq(reg->ports[0].pe, 0x0a630001);
	ck_assert_str_eq(reg->members[0].type, "peering");
	ck_assert_uint_eq(reg->members[0].contact_count, 2);
	ck_assert_str_eq(reg->members[0].contacts[0], "noc@example.net");
	ck_assert_str_eq(reg->members[0].contacts[1], "+49 1");
	ck_assert_str_eq(reg->ports[0].sw, "sw1.fra");
	ck_assert_uint_eq(reg->ports[0].speed_mbps, 10000);
	ck_assert_uint_eq(reg->ports[0].mac_count, 3);
	ck_assert_uint_eq(reg->ports[0].former_count, 1);
	ck_assert_str_eq(mac_format(reg->ports[0].macs[1], mac), "02:00:5e:00:00:02");
	ck_assert_str_eq(mac_format(reg->ports[0].macs[2], mac), "02:00:5e:00:00:04");
	ck_assert(reg->members[2].exchange && !reg->members[3].exchange);
	ck_assert_uint_eq(reg->unassigned_count, 3);
	ck_assert_str_eq(ip_format(reg->unassigned[0], ip), "198.18.0.8");
	ck_assert_str_eq(ip_format(reg->unassigned[2], ip), "2001:db8:100::77");
	ck_assert_uint_eq(reg->ports[0].ip_count, 3);
	ck_assert_str_eq(ip_format(reg->ports[0].ips[2], ip), "fe80::5eff:fe00:1");
	ck_assert_int_eq(reg->ports[1].status, REGISTRY_QUARANTINE);
	ck_assert_uint_eq(reg->ports[1].member, 1);
	ck_assert(reg->ports[0].router && !reg->ports[1].router);
	ck_assert(!reg->members[0].exchange && reg->members[1].exchange);
	registry_free(reg);
}
END_TEST

#define PORTS(ports) "members:\n  - asn: 1\n    ports:\n" ports

static const struct {
	const char *text, *err;
} refused[] = {
	{"", ":1:1: the file is empty"},
	{"members: 5\n", ":1:10: Expecting SEQUENCE, got event: SCALAR"},
	{"member: []\n", ":1:1: unknown key: member"},
	{"members:\n  - name: x\n", ":2:5: missing key: asn"},
	{PORTS("      - {macs: [02:00:5e:00:00:0], ipv4: []}\n"),
		":4:17: members[0].ports[0].macs[0]: '02:00:5e:00:00:0': expected a MAC address"},
	{PORTS("      - {macs: [01:00:5e:00:00:01]}\n"),
		":4:17: members[0].ports[0].macs[0]: '01:00:5e:00:00:01': a group or zero address is "
		"nobody's"},
	{PORTS("      - macs: [02:00:5e:00:00:01]\n        ipv4:\n          - 198.18.8.1\n"),
		":6:13: members[0].ports[0].ipv4[0]: '198.18.8.1': outside the LAN's prefixes"},
	{PORTS("      - {macs: [02:00:5e:00:00:01], ipv4: [198.18.0.1]}\n"
	       "      - {macs: [02:00:5e:00:00:02], ipv4: [198.18.0.1]}\n"),
		":5:44: members[0].ports[1].ipv4[0]: '198.18.0.1': given already in "
		"members[0].ports[0]"},
	{PORTS("      - {macs: [02:00:5e:00:00:01]}\n") "  - asn: 2\n    ports:\n"
							 "      - {macs: [02:00:5e:00:00:01]}\n",
		":7:17: members[1].ports[0].macs[0]: '02:00:5e:00:00:01': given already in "
		"members[0].ports[0]"},
	{PORTS("      - {ipv4: [198.18.0.1]}\n"),
		":4:9: members[0].ports[0]: addresses without a MAC"},
	{PORTS("      - {macs: [02:00:5e:00:00:01], ipv6: [\"fe80::1\"]}\n"),
		":4:44: members[0].ports[0].ipv6[0]: 'fe80::1': a link-local address belongs under "
		"link-local"},
	{PORTS("      - {status: off}\n"),
		":4:18: members[0].ports[0].status: 'off': expected active, quarantine or disabled"},
	{PORTS("      - {macs: [02:00:5e:00:00:01], ipv4: [198.18.7.255]}\n"),
		":4:44: members[0].ports[0].ipv4[0]: '198.18.7.255': the LAN's own or broadcast address"},
	{"members:\n  - {asn: 1, type: internal}\n",
		":2:20: members[0].type: 'internal': expected peering, ixp, routeserver, probono or other"},
	{"members:\n  - {asn: 2, ports: [{macs: [02:00:5e:00:00:01]}]}\n"
	 "  - {asn: 3, ports: [{macs: [02:00:5e:00:00:02], former-macs: [02:00:5e:00:00:01]}]}\n",
		":3:64: members[1].ports[0].former-macs[0]: '02:00:5e:00:00:01': given already in members[0].ports[0]"},
	{"members:\n  - {asn: 2, exchange: true, ports: [{macs: [02:00:5e:00:00:01], ipv4: [198.18.0.1]}]}\n"
	 "  - {asn: 3, ports: [{macs: [02:00:5e:00:00:02], ipv4: [198.18.0.1]}]}\n",
		":3:57: members[1].ports[0].ipv4[0]: '198.18.0.1': the exchange's own, given already in "
		"members[0].ports[0]"},
	{PORTS("      - {macs: [02:00:5e:00:00:01], ipv4: [198.18.0.1]}\n") "unassigned: [198.18.0.2, 198.18.0.1]\n",
		":5:26: unassigned[1]: '198.18.0.1': nobody's, but given in members[0].ports[0]"},
	{"members: []\nunassigned: [198.18.8.1]\n",
		":2:14: unassigned[0]: '198.18.8.1': outside the LAN's prefixes"},
	{"members: []\nunassigned: [\"fe80::1\"]\n",
		":2:14: unassigned[0]: 'fe80::1': outside the LAN's prefixes"},
	{"members: []\nunassigned: [nobody]\n", ":2:14: unassigned[0]: 'nobody': expected an address"},
	{PORTS("      - {statu: off}\n"), ":4:10: unknown key: statu"},
	{"members: [\n", ":2:1: not YAML: did not find expected node content"},
	{"members: []\n---\nmembers: []\n", ":3:1: a second document: one is expected"},
	{"members: &a\n  - *a\n", NULL},
};

START_TEST(refuses_with_the_place)
{
	char err[REGISTRY_ERROR_MAX];
	struct registry *reg = NULL;

	int r = load_text(refused[_i].text, &reg, err);
	ck_assert_int_eq(r, -EINVAL);
	ck_assert_ptr_null(reg);
	if (refused[_i].err)
		ck_assert_str_eq(err, refused[_i].err);
}
END_TEST

START_TEST(says_when_there_is_no_file)
{
	const char *files[] = {"/nonexistent/registry.yaml"};
	char err[REGISTRY_ERROR_MAX];
	struct registry *reg;

	ck_assert_int_eq(registry_load(files, 1, &(struct registry_lan){0}, &reg, err), -ENOENT);
	ck_assert_str_eq(err, "/nonexistent/registry.yaml: No such file or directory");
}
END_TEST

int main(void)
{
	Suite *s = suite_create("registry/yaml");
	TCase *tc = tcase_create("core");
	SRunner *sr = srunner_create(s);

	tcase_add_checked_fixture(tc, setup, NULL);
	tcase_add_test(tc, reads_every_field);
	tcase_add_loop_test(tc, refuses_with_the_place, 0, sizeof(refused) / sizeof(refused[0]));
	tcase_add_test(tc, says_when_there_is_no_file);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_NORMAL);
	int failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
