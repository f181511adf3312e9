/* The exchange's books: what of each of them survives, how they are joined, and what is said of what does not fit. */
#include <errno.h>
#include <time.h>

#include "tests/registry/books.h"

#define FILES 5

/* --- the samples --- */

static const struct {
	const char *files[FILES];
	uint32_t vlan;
	const char *is; /* in data/ */
	const char *findings;
} samples[] = {
	{{"ixf-0.6.json"}, 0, "ixf-0.6.yaml", ""},
	{{"ixf-0.7.json"}, 0, "ixf-0.7.yaml", ""},
	{{"ixf-1.0.json"}, 0, "ixf-1.0.yaml",
		"note: ixf-1.0.json: member_list[1].connection_list[0].vlan_list[0]: no MAC in the books: left out\n"},
	{{"addresses.json", "layer2-sw1.json", "ixf-1.0.json", "vlans.json"}, 100, "all.yaml",
		"note: layer2-sw1.json: layer2interfaces[4].vlans[0]: IX-F has none of its addresses: the AS number is not "
		"known\n"},
	{{"layer2-old.json", "ixf-0.7.json", "addresses-old.json"}, 0, "old.yaml",
		"note: layer2-old.json: layer2interfaces[1].vlans[0]: IX-F has none of its addresses: the AS number is not "
		"known\n"
		"note: layer2-old.json: layer2interfaces[2].vlans[0]: IX-F has none of its addresses: the AS number is not "
		"known\n"
		"note: layer2-old.json: layer2interfaces[0].vlans[0]: IX-F has other MACs: these are taken\n"
		"conflict: addresses-old.json: ipv4[2]: '198.18.0.12': nobody's, but given in layer2-old.json: "
		"layer2interfaces[0].vlans[0]\n"},
};

/* Names the PE and switch of the file of sw1. */
static size_t read_files(const char *const names[FILES], struct registry_file files[FILES])
{
	size_t count = 0;

	for (; count < FILES && names[count]; count++) {
		char *text = sample(names[count]);
		bool sw1 = strstr(names[count], "sw1") != NULL;
		files[count] = (struct registry_file){names[count], text, strlen(text), sw1 ? 0x0a630001 : 0,
			sw1 ? "sw1.fra" : NULL};
	}
	return count;
}

START_TEST(every_field_that_matters_survives)
{
	struct registry_lan lan = test_lan(samples[_i].vlan);
	struct registry_file files[FILES];
	size_t count = read_files(samples[_i].files, files);
	struct registry_findings f;
	struct registry *reg = NULL;

	int r = registry_import(files, count, &lan, false, &reg, &f);
	char *said = findings_text(&f), *wanted = sample(samples[_i].is);
	ck_assert_str_eq(said, samples[_i].findings);
	ck_assert_int_eq(r, 0);
	char *is = written(reg);
	ck_assert_str_eq(is, wanted);
	free(is);
	free(wanted);
	free(said);
	registry_free(reg);
	registry_findings_free(&f);
	for (size_t i = 0; i < count; i++)
		free((char *)files[i].text);
}
END_TEST

/* --- one thing at a time --- */

#define MAC1 "02:00:5e:00:01:01"
#define MAC2 "02:00:5e:00:01:02"
#define IXF_LAN "\"version\": \"1.0\", \"ixp_list\": [{\"ixp_id\": 1, \"vlan\": [{\"id\": 4, \"ipv4\": {\"prefix\": " \
		"\"198.18.0.0\", \"mask_length\": 21}}, {\"id\": 5}]}]"
#define VLAN4(ip, mac) "{\"vlan_id\": 4, \"ipv4\": {\"address\": \"" ip "\", \"mac_addresses\": [\"" mac "\"]}}"
#define MEMBER(asn, more, vlans) "{\"asnum\": " #asn ", " more "\"connection_list\": [{\"ixp_id\": 1, \"vlan_list\": [" vlans \
				 "]}]}"
#define IXF(members) "{" IXF_LAN ", \"member_list\": [" members "]}"
#define PORT(name, more, vlans) "{\"name\": \"" name "\", \"status\": \"connected\", " more "\"vlans\": [" vlans "]}"
#define VLAN(n, ip, mac) "{\"number\": " #n ", \"macaddresses\": [\"" mac "\"], \"ipaddresses\": {\"ipv4\": \"" ip "\"}}"
#define LAYER2(ports) "{\"layer2interfaces\": [" ports "]}"

static const struct {
	const char *name;
	const char *files[3]; /* a, b, c */
	uint32_t vlan;
	const char *is; /* ports: "AS port macs addresses status", one a line */
	const char *findings;
} joins[] = {
	{"by the address", {IXF(MEMBER(1, "", VLAN4("198.18.0.1", MAC1))), LAYER2(PORT("p1", "", VLAN(100, "198.18.0.1", MAC1)))},
		0, "1 p1 " MAC1 " 198.18.0.1 0\n", ""},
	{"layer2 has the MACs",
		{IXF(MEMBER(1, "", VLAN4("198.18.0.1", MAC1))), LAYER2(PORT("p1", "", VLAN(100, "198.18.0.1", MAC2)))}, 0,
		"1 p1 " MAC2 " 198.18.0.1 0\n", "note: b: layer2interfaces[0].vlans[0]: IX-F has other MACs: these are taken\n"},
	{"IX-F has the MACs",
		{IXF(MEMBER(1, "", VLAN4("198.18.0.1", MAC1))), LAYER2(PORT("p1", "", VLAN(100, "198.18.0.1", "")))}, 0,
		"1 p1 " MAC1 " 198.18.0.1 0\n", ""},
	{"none has",
		{IXF(MEMBER(1, "", VLAN4("198.18.0.1", ""))), LAYER2(PORT("p1", "", VLAN(100, "198.18.0.1", "")))}, 0,
		"1 p1   0\n", "note: b: layer2interfaces[0].vlans[0]: no MAC in the books: its addresses are left out\n"},
	{"the other family is IX-F's",
		{IXF(MEMBER(1, "", "{\"vlan_id\": 4, \"ipv4\": {\"address\": \"198.18.0.1\"}, \"ipv6\": {\"address\": "
				   "\"2001:db8:100::1\", \"mac_addresses\": \"" MAC1 "\"}}")),
			LAYER2(PORT("p1", "", VLAN(100, "198.18.0.1", MAC1)))},
		0, "1 p1 " MAC1 " 198.18.0.1,2001:db8:100::1 0\n", ""},
	{"unless it stands elsewhere",
		{IXF(MEMBER(1, "", "{\"vlan_id\": 4, \"ipv4\": {\"address\": \"198.18.0.1\"}, \"ipv6\": {\"address\": "
				   "\"2001:db8:100::1\", \"mac_addresses\": \"" MAC1 "\"}}")),
			LAYER2(PORT("p1", "", VLAN(100, "198.18.0.1", MAC1)) ","
			       PORT("p2", "", "{\"number\": 100, \"macaddresses\": [\"" MAC1 "\"], \"ipaddresses\": "
					      "{\"ipv6\": \"2001:db8:100::1\"}}"))},
		0, "1 p1 " MAC1 " 198.18.0.1 0\n1 p2 " MAC1 " 2001:db8:100::1 0\n", ""},
	{"addresses of two members",
		{IXF(MEMBER(1, "", VLAN4("198.18.0.1", MAC1)) ","
		     MEMBER(2, "", "{\"ipv6\": {\"address\": \"2001:db8:100::2\", \"mac_addresses\": [\"" MAC2 "\"]}}")),
			LAYER2(PORT("p1", "", "{\"number\": 100, \"macaddresses\": [\"" MAC1 "\"], \"ipaddresses\": {\"ipv4\": "
					      "\"198.18.0.1\", \"ipv6\": \"2001:db8:100::2\"}}"))},
		0, "1 p1 " MAC1 " 198.18.0.1,2001:db8:100::2 0\n2  " MAC2 "  0\n",
		"conflict: b: layer2interfaces[0].vlans[0]: its addresses are of AS1 "
		"(member_list[0].connection_list[0].vlan_list[0]) and of AS2 "
		"(member_list[1].connection_list[0].vlan_list[0]): the former is taken\n"
		"conflict: a: member_list[1].connection_list[0].vlan_list[0].ipv6.address: '2001:db8:100::2': given already in "
		"b: layer2interfaces[0].vlans[0]\n"},
	{"the VLAN by its number",
		{LAYER2(PORT("p1", "", VLAN(100, "198.18.0.1", MAC1)) "," PORT("p2", "", VLAN(200, "198.18.0.1", MAC2)))}, 200,
		"0 p2 " MAC2 " 198.18.0.1 0\n", "note: a: without an IX-F export no AS number is known\n"},
	{"or not, if it is private",
		{LAYER2(PORT("p1", "", VLAN(100, "198.18.0.1", MAC1)) "," PORT("p2", "", VLAN(200, "198.18.0.1", MAC2))),
			"{\"vlans\": [{\"tag\": 100}, {\"tag\": 200, \"private\": true}]}"},
		0, "0 p1 " MAC1 " 198.18.0.1 0\n", "note: a: without an IX-F export no AS number is known\n"},
	{"several VLANs at a port, one of the LAN",
		{LAYER2(PORT("p1", "\"description\": \"X\", ", VLAN(300, "203.0.113.1", MAC2) "," VLAN(100, "198.18.0.1", MAC1)))}, 0,
		"0 p1 " MAC1 " 198.18.0.1 0\n", "note: a: without an IX-F export no AS number is known\n"},
	{"the LAN's VLAN is not there", {LAYER2(PORT("p1", "", VLAN(300, "198.18.0.1", MAC1))), "{\"vlans\": [{\"tag\": 300}]}"},
		100, "", "note: b: vlans: the LAN's VLAN is not among them\nnote: a: layer2interfaces: nothing of this LAN\n"},
	{"outside the LAN", {LAYER2(PORT("p1", "", VLAN(100, "203.0.113.1", MAC1)))}, 100, "0 p1 " MAC1 "  0\n",
		"note: a: without an IX-F export no AS number is known\n"
		"conflict: a: layer2interfaces[0].vlans[0].ipaddresses.ipv4: '203.0.113.1': outside the LAN's prefixes\n"},
	{"the LAN's broadcast", {IXF(MEMBER(1, "", VLAN4("198.18.7.255", MAC1)))}, 0, "1  " MAC1 "  0\n",
		"conflict: a: member_list[0].connection_list[0].vlan_list[0].ipv4.address: '198.18.7.255': the LAN's own or "
		"broadcast address\n"},
	{"a group MAC", {IXF(MEMBER(1, "", VLAN4("198.18.0.1", "01:00:5e:00:01:01")))}, 0, "1    0\n",
		"conflict: a: member_list[0].connection_list[0].vlan_list[0].ipv4.mac_addresses[0]: '01:00:5e:00:01:01': a group "
		"or zero address is nobody's\n"
		"note: a: member_list[0].connection_list[0].vlan_list[0]: no MAC in the books: its addresses are left out\n"},
	{"a MAC of two", {IXF(MEMBER(1, "", VLAN4("198.18.0.1", MAC1)) "," MEMBER(2, "", VLAN4("198.18.0.2", MAC1)))}, 0,
		"1  " MAC1 " 198.18.0.1 0\n2    0\n",
		"conflict: a: member_list[1].connection_list[0].vlan_list[0].ipv4.mac_addresses[0]: '" MAC1 "': given already in "
		"member_list[0].connection_list[0].vlan_list[0]\n"
		"note: a: member_list[1].connection_list[0].vlan_list[0]: no MAC in the books: its addresses are left out\n"},
	{"a MAC of one twice", {IXF(MEMBER(1, "", VLAN4("198.18.0.1", MAC1)) "," MEMBER(1, "", VLAN4("198.18.0.2", MAC1)))}, 0,
		"1  " MAC1 " 198.18.0.1 0\n1  " MAC1 " 198.18.0.2 0\n", ""},
	{"an address of two, in two files",
		{IXF(MEMBER(1, "", VLAN4("198.18.0.1", MAC1))), IXF(MEMBER(2, "", VLAN4("198.18.0.1", MAC2)))}, 0,
		"1  " MAC1 " 198.18.0.1 0\n2  " MAC2 "  0\n",
		"conflict: b: member_list[0].connection_list[0].vlan_list[0].ipv4.address: '198.18.0.1': given already in a: "
		"member_list[0].connection_list[0].vlan_list[0]\n"},
	{"the exchange's own, that stands behind",
		{IXF(MEMBER(1, "", VLAN4("198.18.0.254", MAC1)) ","
		     MEMBER(2, "\"member_type\": \"ixp\", ", VLAN4("198.18.0.254", MAC2)))},
		0, "2  " MAC2 " 198.18.0.254 0\n1  " MAC1 "  0\n",
		"conflict: a: member_list[0].connection_list[0].vlan_list[0].ipv4.address: '198.18.0.254': the exchange's own, "
		"given already in member_list[1].connection_list[0].vlan_list[0]\n"},
	{"YAML comes first", {IXF(MEMBER(1, "", VLAN4("198.18.0.1", MAC1))),
				     "members: [{asn: 9, ports: [{port: y, macs: ['" MAC2 "'], ipv4: [198.18.0.1]}]}]\n"},
		0, "9 y " MAC2 " 198.18.0.1 0\n1  " MAC1 "  0\n",
		"conflict: a: member_list[0].connection_list[0].vlan_list[0].ipv4.address: '198.18.0.1': given already in b: "
		"members[0].ports[0]\n"},
	{"conflicts in YAML have a line, too",
		{"members:\n- asn: 9\n  ports:\n  - {macs: ['" MAC2 "'], ipv4: [198.18.0.1]}\n"
		 "  - {macs: ['" MAC2 "'], ipv4: [198.18.0.1]}\n"},
		0, "9  " MAC2 " 198.18.0.1 0\n9  " MAC2 "  0\n",
		"conflict: a:5:42: members[0].ports[1].ipv4[0]: '198.18.0.1': given already in members[0].ports[0]\n"},
	{"no VLAN has the prefixes",
		{"{\"version\": \"0.7\", \"ixp_list\": [{\"vlan\": [{\"id\": 3, \"ipv4\": {\"prefix\": \"203.0.113.0\", "
		 "\"mask_length\": 24}}]}], \"member_list\": [" MEMBER(1, "", VLAN4("198.18.0.1", MAC1)) ","
		 MEMBER(2, "", VLAN4("203.0.113.1", MAC2)) "]}"},
		0, "1  " MAC1 " 198.18.0.1 0\n",
		"note: a: ixp_list: no VLAN has the LAN's prefixes: who is in it is told by the addresses\n"},
	{"another exchange's VLAN of the same number",
		{"{\"version\": \"1.0\", \"ixp_list\": [{\"ixp_id\": 1, \"vlan\": [{\"id\": 4, \"ipv4\": {\"prefix\": "
		 "\"198.18.0.0\", \"mask_length\": 22}}]}, {\"ixp_id\": 2, \"vlan\": [{\"id\": 4, \"ipv4\": {\"prefix\": "
		 "\"203.0.113.0\", \"mask_length\": 24}}]}], \"member_list\": [" MEMBER(1, "", VLAN4("198.18.0.1", MAC1)) ","
		 "{\"asnum\": 2, \"connection_list\": [{\"ixp_id\": 2, \"vlan_list\": [" VLAN4("203.0.113.1", MAC2) "]}]}]}"},
		0, "1  " MAC1 " 198.18.0.1 0\n", ""},
	{"a connection that names the exchange of another of its VLANs",
		{"{\"version\": \"1.0\", \"ixp_list\": [{\"ixp_id\": 1, \"vlan\": [{\"id\": 4, \"ipv4\": {\"prefix\": "
		 "\"198.18.0.0\", \"mask_length\": 21}}]}, {\"ixp_id\": 2, \"vlan\": [{\"id\": 6, \"ipv4\": {\"prefix\": "
		 "\"203.0.113.0\", \"mask_length\": 24}}]}], \"member_list\": [{\"asnum\": 2, \"connection_list\": [{\"ixp_id\": "
		 "2, \"vlan_list\": [" VLAN4("198.18.0.1", MAC1) ", {\"vlan_id\": 6, \"ipv4\": {\"address\": \"198.18.0.2\", "
		 "\"mac_addresses\": [\"" MAC2 "\"]}}]}]}]}"},
		0, "2  " MAC1 " 198.18.0.1 0\n", ""},
	{"a VLAN that the exchange does not list", {IXF(MEMBER(1, "", "{\"vlan_id\": 9, \"ipv4\": {\"address\": \"198.18.0.1\", "
							       "\"mac_addresses\": [\"" MAC1 "\"]}}"))},
		0, "1  " MAC1 " 198.18.0.1 0\n", ""},
	{"an empty switch", {LAYER2("")}, 0, "",
		"note: a: layer2interfaces: no interfaces at all\n"},
	{"a later version", {"{\"version\": \"1.1\", \"member_list\": []}"}, 0, "", "note: a: version: '1.1': not known: read as 1.0\n"},
	{"nobody", {"{\"version\": \"1.0\", \"member_list\": [{\"asnum\": 1}]}"}, 0, "", "note: a: member_list: nobody in this LAN\n"},
	{"a byte order mark", {"\xef\xbb\xbf" IXF(MEMBER(1, "", VLAN4("198.18.0.1", MAC1)))}, 0, "1  " MAC1 " 198.18.0.1 0\n", ""},
};

static const char *const letters[] = {"a", "b", "c"};

static size_t texts(const char *const from[3], struct registry_file files[3])
{
	size_t count = 0;

	for (; count < 3 && from[count]; count++)
		files[count] = (struct registry_file){letters[count], from[count], strlen(from[count]), 0, NULL};
	return count;
}

static char *ports_text(const struct registry *reg)
{
	char *text = NULL, mac[MAC_TEXT], ip[IP_TEXT];
	size_t len;
	FILE *to = open_memstream(&text, &len);

	for (size_t i = 0; i < reg->port_count; i++) {
		const struct registry_port *p = &reg->ports[i];
		fprintf(to, "%u %s ", reg->members[p->member].asn, p->port);
		for (int k = 0; k < p->mac_count; k++)
			fprintf(to, "%s%s", k ? "," : "", mac_format(p->macs[k], mac));
		fputc(' ', to);
		for (int k = 0; k < p->ip_count; k++)
			fprintf(to, "%s%s", k ? "," : "", ip_format(p->ips[k], ip));
		fprintf(to, " %d\n", p->status);
	}
	fclose(to);
	return text;
}

START_TEST(books_are_joined)
{
	struct registry_lan lan = test_lan(joins[_i].vlan);
	struct registry_file files[3];
	size_t count = texts(joins[_i].files, files);
	struct registry_findings f;
	struct registry *reg = NULL;

	int r = registry_import(files, count, &lan, false, &reg, &f);
	char *said = findings_text(&f);
	ck_assert_msg(strcmp(said, joins[_i].findings) == 0, "%s: %s", joins[_i].name, said);
	ck_assert_int_eq(r, 0);
	char *is = ports_text(reg);
	ck_assert_msg(strcmp(is, joins[_i].is) == 0, "%s:\n%s", joins[_i].name, is);
	size_t conflicts = f.conflicts;
	free(is);
	free(said);
	registry_free(reg);
	registry_findings_free(&f);

	/* Strictly, a conflict is an error, and a note is not. */
	reg = NULL;
	ck_assert_int_eq(registry_import(files, count, &lan, true, &reg, &f), conflicts ? -EINVAL : 0);
	ck_assert_uint_eq(f.errors, conflicts);
	ck_assert(!reg == (conflicts > 0));
	registry_free(reg);
	registry_findings_free(&f);
}
END_TEST

/* Nobody's is what no book gives to anybody: not what is given without a MAC, nor to a port in another book. */
START_TEST(what_is_given_is_not_unassigned)
{
	struct registry_lan lan = test_lan(0);
	struct registry_file files[] = {{.name = "a", .text = IXF(MEMBER(1, "", VLAN4("198.18.0.1", "")))},
		{.name = "b", .text = LAYER2(PORT("p1", "", VLAN(100, "198.18.0.2", "")))},
		{.name = "c",
			.text = "{\"ipv4\": [{\"address\": \"198.18.0.1\", \"vliid\": null}, {\"address\": \"198.18.0.2\", "
				"\"vliid\": null}, {\"address\": \"198.18.0.3\", \"vliid\": null}]}"}};
	struct registry_findings f;
	struct registry *reg = NULL;
	char text[IP_TEXT];

	for (size_t i = 0; i < 3; i++)
		files[i].len = strlen(files[i].text);
	ck_assert_int_eq(registry_import(files, 3, &lan, false, &reg, &f), 0);
	ck_assert_uint_eq(reg->unassigned_count, 1);
	ck_assert_str_eq(ip_format(reg->unassigned[0], text), "198.18.0.3");
	ck_assert_uint_eq(f.conflicts, 2);
	char *said = findings_text(&f);
	ck_assert_ptr_nonnull(strstr(said,
		"conflict: c: ipv4[0]: '198.18.0.1': nobody's, but given in a: member_list[0].connection_list[0].vlan_list[0]\n"));
	ck_assert_ptr_nonnull(
		strstr(said, "conflict: c: ipv4[1]: '198.18.0.2': nobody's, but given in b: layer2interfaces[0].vlans[0]\n"));
	free(said);
	registry_free(reg);
	registry_findings_free(&f);
}
END_TEST

/* --- what is not read --- */

static const struct {
	const char *text, *said;
} refused[] = {
	{"", "error: a:1:1: the file is empty\n"},
	{"<html><title>Login</title></html>", NULL},
	{"{}", "error: a: neither an IX-F export nor layer2interfaces, vlans or ip-addresses of IXP Manager\n"},
	{"[]", "error: a: expected an object\n"},
	{"{\"message\": \"API key expired\"}",
		"error: a: neither an IX-F export nor layer2interfaces, vlans or ip-addresses of IXP Manager\n"},
	{"{\"member_list\": [\n  {\"asnum\" 5}]}", "error: a:2:12: not JSON: ':' expected near '5'\n"},
	{"{\"vlans\": [], \"vlans\": []}", "error: a:1:21: not JSON: duplicate object key near '\"vlans\"'\n"},
	{"{\"version\": \"0.5\", \"member_list\": []}", "error: a: version: '0.5': expected 0.6, 0.7 or 1.0\n"},
	{"{\"version\": \"2.0\", \"member_list\": []}", "error: a: version: '2.0': expected 0.6, 0.7 or 1.0\n"},
	{"{\"ixp_list\": [], \"version\": \"1.0\"}", "error: a: member_list: expected a list\n"},
	{"{\"member_list\": []}", "error: a: version: expected 0.6, 0.7 or 1.0\n"},
	{IXF("{\"name\": \"x\"}"), "error: a: member_list[0].asnum: expected an AS number\n"},
	{IXF(MEMBER(0, "", "")), "error: a: member_list[0].asnum: '0': expected an AS number\n"},
	{IXF(MEMBER(4294967296, "", "")), "error: a: member_list[0].asnum: '4294967296': expected a number, at most 4294967295\n"},
	{IXF(MEMBER(1, "", VLAN4("198.18.0.256", MAC1))),
		"error: a: member_list[0].connection_list[0].vlan_list[0].ipv4.address: '198.18.0.256': expected an IPv4 address\n"},
	{LAYER2(PORT("p", "\"type\": \"uplink\", ", "")), "error: a: layer2interfaces[0].type: 'uplink': expected edge or core\n"},
	{LAYER2("{\"status\": \"up\", \"name\": \"p\"}"),
		"error: a: layer2interfaces[0].status: 'up': expected connected, quarantine, disabled, notconnected or "
		"awaitingxconnect\n"},
	{LAYER2(PORT("p", "", VLAN(100, "198.18.0.1", MAC1 "0"))),
		"error: a: layer2interfaces[0].vlans[0].macaddresses[0]: '" MAC1 "0': expected a MAC address\n"},
	{"{\"layer2interfaces\": null}", "error: a: layer2interfaces: expected a list\n"},
	{"{\"layer2interfaces\": {}}", "error: a: layer2interfaces: expected a list\n"},
	{"{\"ipv4\": [{\"address\": \"198.18.0.1\"}]}", "error: a: ipv4[0]: expected vliid, or vli_id\n"},
	{"{\"ipv4\": [{\"address\": null, \"vliid\": null}]}", "error: a: ipv4[0].address: expected an address\n"},
	{"{\"ipv4\": [{\"address\": \"198.18.0.1\", \"vliid\": \"\"}]}", "error: a: ipv4[0].vliid: '': expected a number or null\n"},
};

START_TEST(refuses_with_the_place)
{
	struct registry_lan lan = test_lan(0);
	struct registry_file file = {"a", refused[_i].text, strlen(refused[_i].text), 0, NULL};
	struct registry_findings f;
	struct registry *reg = NULL;

	ck_assert_int_eq(registry_import(&file, 1, &lan, false, &reg, &f), -EINVAL);
	ck_assert_ptr_null(reg);
	char *said = findings_text(&f);
	if (refused[_i].said)
		ck_assert_str_eq(said, refused[_i].said);
	else
		ck_assert(strncmp(said, "error: a:", 9) == 0);
	free(said);
	registry_findings_free(&f);
}
END_TEST

START_TEST(a_kind_is_told_by_the_content)
{
	static const struct {
		const char *text;
		enum registry_kind kind;
	} kinds[] = {
		{"{\"version\":\"1.0\",\"ixp_list\":[{\"vlans\":1}]", REGISTRY_KIND_IXF},
		{" \n{ \"a\" : {\"vlans\": []}, \"layer2interfaces\" : ", REGISTRY_KIND_LAYER2},
		{"{\"a\\\"vlans\": \"vlans\", \"vlans\":", REGISTRY_KIND_VLANS},
		{"{\"ipv6\": []", REGISTRY_KIND_ADDRESSES},
		{"{\"members\": []}", REGISTRY_KIND_YAML},
		{"{ members: [] }", REGISTRY_KIND_YAML},
		{"# a comment\n---\nunassigned: []\n", REGISTRY_KIND_YAML},
		{"'members': []\n", REGISTRY_KIND_YAML},
		{"  members: []\n", REGISTRY_KIND_UNKNOWN},
		{"{\"vlans", REGISTRY_KIND_UNKNOWN},
		{"{\"a\\", REGISTRY_KIND_UNKNOWN},
		{"", REGISTRY_KIND_UNKNOWN},
		{"{", REGISTRY_KIND_UNKNOWN},
	};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		enum registry_kind k = registry_kind_of(kinds[i].text, strlen(kinds[i].text));
		ck_assert_msg(k == kinds[i].kind, "%s: %s", kinds[i].text, registry_kind_name(k));
	}
}
END_TEST

/* The list has an end; what is grave has its place in it, and all are counted. */
START_TEST(findings_have_a_limit)
{
	struct registry_lan lan = test_lan(0);
	struct registry_findings f;
	struct registry *reg = NULL;
	char *text = NULL;
	size_t len;
	FILE *to = open_memstream(&text, &len);

	fputs("{" IXF_LAN ", \"member_list\": [", to);
	for (int i = 0; i < 300; i++)
		fprintf(to, MEMBER(1, "", "{\"ipv4\": {\"address\": \"198.18.1.%d\"}}") ",", i % 250 + 1);
	fputs(MEMBER(1, "", VLAN4("198.18.0.1", MAC1)) "," MEMBER(2, "", VLAN4("198.18.0.1", MAC2)) "]}", to);
	fclose(to);
	struct registry_file file = {"a", text, len, 0, NULL};
	ck_assert_int_eq(registry_import(&file, 1, &lan, false, &reg, &f), 0);
	ck_assert_uint_eq(f.count, REGISTRY_FINDINGS_MAX);
	ck_assert_uint_eq(f.more, 300 + 1 - REGISTRY_FINDINGS_MAX);
	ck_assert_uint_eq(f.conflicts, 1);
	ck_assert_int_eq(f.list[REGISTRY_FINDINGS_MAX - 1].grade, REGISTRY_CONFLICT);
	registry_free(reg);
	registry_findings_free(&f);
	free(text);
}
END_TEST

/* A large exchange: what is read is checked, how long it took is only said. */
START_TEST(a_thousand_members)
{
	enum { COUNT = 1000 };
	struct registry_lan lan = test_lan(100);
	struct registry_file books[2] = {{.name = "ixf"}, {.name = "layer2"}};
	struct registry_findings f;
	struct registry *reg = NULL;
	struct timespec from, to;

	for (int k = 0; k < 2; k++) {
		char *text;
		FILE *out = open_memstream(&text, &books[k].len);
		fputs(k ? "{\"layer2interfaces\": [\n" : "{" IXF_LAN ", \"member_list\": [\n", out);
		for (unsigned i = 1; i <= COUNT; i++) {
			char v4[IP_TEXT], v6[IP_TEXT], mac[MAC_TEXT];
			snprintf(v4, sizeof(v4), "198.18.%u.%u", i >> 8, i & 255);
			snprintf(v6, sizeof(v6), "2001:db8:100::%x", i);
			snprintf(mac, sizeof(mac), "02:00:5e:00:%02x:%02x", i >> 8, i & 255);
			if (k)
				fprintf(out,
					PORT("Ethernet%u",
						"\"type\": \"edge\", \"description\": \"Member %u\", \"dot1q\": false, "
						"\"virtualinterfaceid\": %u, \"lagframing\": false, \"shutdown\": false, "
						"\"speed\": 10000, \"rate_limit\": null, \"autoneg\": true, ",
						"{\"number\": 100, \"macaddresses\": [\"%s\"], \"ipaddresses\": {\"ipv4\": "
						"\"%s\", \"ipv6\": \"%s\"}}") "%s\n",
					i, i, i, mac, v4, v6, i < COUNT ? "," : "");
			else
				fprintf(out,
					"{\"asnum\": %u, \"member_since\": \"2019-05-01T00:00:00Z\", \"url\": "
					"\"https://member%u.example/\", \"name\": \"Member %u Networks\", \"peering_policy\": "
					"\"open\", \"member_type\": \"peering\", \"contact_email\": [\"noc@member%u.example\"], "
					"\"contact_phone\": [\"+49 69 %u\"], \"connection_list\": [{\"ixp_id\": 1, \"state\": "
					"\"active\", \"if_list\": [{\"switch_id\": 11, \"if_speed\": 10000}], \"vlan_list\": "
					"[{\"vlan_id\": 4, \"ipv4\": {\"address\": \"%s\", \"as_macro\": \"AS-M%u\", "
					"\"routeserver\": true, \"max_prefix\": 250, \"mac_addresses\": [\"%s\"]}, \"ipv6\": "
					"{\"address\": \"%s\", \"routeserver\": true, \"mac_addresses\": [\"%s\"]}}]}]}%s\n",
					4200000000u + i, i, i, i, i, v4, i, mac, v6, mac, i < COUNT ? "," : "");
		}
		fputs("]}\n", out);
		fclose(out);
		books[k].text = text;
	}
	clock_gettime(CLOCK_MONOTONIC, &from);
	int r = registry_import(books, 2, &lan, true, &reg, &f);
	clock_gettime(CLOCK_MONOTONIC, &to);
	printf("%d members of %zu and %zu octets: %.1f ms\n", COUNT, books[0].len, books[1].len,
		(double)(to.tv_sec - from.tv_sec) * 1e3 + (double)(to.tv_nsec - from.tv_nsec) / 1e6);
	char *said = findings_text(&f);
	ck_assert_str_eq(said, "");
	ck_assert_int_eq(r, 0);
	ck_assert_uint_eq(reg->member_count, COUNT);
	ck_assert_uint_eq(reg->port_count, COUNT);
	for (size_t i = 0; i < reg->port_count; i++) {
		const struct registry_port *p = &reg->ports[i];
		char name[32];
		snprintf(name, sizeof(name), "Ethernet%zu", i + 1);
		ck_assert_str_eq(p->port, name);
		ck_assert(p->mac_count == 1 && p->ip_count == 2);
		ck_assert_uint_eq(p->speed_mbps, 10000);
		ck_assert_uint_eq(reg->members[p->member].asn, 4200000000u + i + 1);
		ck_assert_uint_eq(reg->members[p->member].contact_count, 1);
	}
	free(said);
	free((char *)books[0].text);
	free((char *)books[1].text);
	registry_free(reg);
	registry_findings_free(&f);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("registry/import");
	TCase *tc = tcase_create("core");
	SRunner *sr = srunner_create(s);

	tcase_add_loop_test(tc, every_field_that_matters_survives, 0, sizeof(samples) / sizeof(samples[0]));
	tcase_add_loop_test(tc, books_are_joined, 0, sizeof(joins) / sizeof(joins[0]));
	tcase_add_test(tc, what_is_given_is_not_unassigned);
	tcase_add_loop_test(tc, refuses_with_the_place, 0, sizeof(refused) / sizeof(refused[0]));
	tcase_add_test(tc, a_kind_is_told_by_the_content);
	tcase_add_test(tc, findings_have_a_limit);
	tcase_add_test(tc, a_thousand_members);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_NORMAL);
	int failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
