/* Files that are cut off, or have something else where something is expected: refused with file and place, nothing given out, and the
 * process lives. The samples are taken apart: each value of each is replaced by others, each file ends at each of its octets. */
#include <ctype.h>
#include <errno.h>

#include "tests/registry/books.h"

static const char *const files[] = {
	"ixf-0.6.json", "ixf-0.7.json", "ixf-1.0.json", "layer2-sw1.json", "layer2-old.json", "vlans.json", "addresses.json",
	"addresses-old.json"};
#define FILES (sizeof(files) / sizeof(files[0]))

struct outcome {
	bool refused;
	char *said;
};

static struct outcome import(const char *name, const char *text, size_t len)
{
	static const struct registry nothing;
	struct registry_lan lan = test_lan(100);
	/* Exactly as large as it is, and a NUL. */
	char *copy = malloc(len + 1);
	struct registry_file file = {name, copy, len, 0, NULL};
	struct registry *reg = (struct registry *)&nothing;
	struct registry_findings f;

	ck_assert_ptr_nonnull(copy);
	memcpy(copy, text, len);
	copy[len] = '\0';
	int r = registry_import(&file, 1, &lan, false, &reg, &f);
	free(copy);
	struct outcome o = {r < 0, findings_text(&f)};
	ck_assert(r == 0 || r == -EINVAL);
	ck_assert((f.errors > 0) == o.refused);
	ck_assert(o.refused == (reg == &nothing));
	if (!o.refused)
		registry_free(reg);
	registry_findings_free(&f);
	return o;
}

/* --- cut off --- */

START_TEST(every_truncation_is_refused_with_its_line)
{
	char *text = sample(files[_i]), wanted[128], line[32];
	size_t len = strlen(text), end = len, lines = 1, refused = 0;

	while (end && isspace((unsigned char)text[end - 1]))
		end--;
	for (size_t at = 0; at < end; at++) {
		struct outcome o = import(files[_i], text, at);
		ck_assert_msg(o.refused, "%s cut off at %zu", files[_i], at);
		snprintf(wanted, sizeof(wanted), "error: %s:", files[_i]);
		ck_assert_msg(strncmp(o.said, wanted, strlen(wanted)) == 0, "%zu: %s", at, o.said);
		/* With the line it ends in, or that in which the value that is cut off begins. */
		snprintf(line, sizeof(line), ":%zu:", lines);
		if (at > 30)
			ck_assert_msg(strstr(o.said, line) != NULL, "%zu, line %zu: %s", at, lines, o.said);
		free(o.said);
		lines += text[at] == '\n';
		refused++;
	}
	printf("%s: %zu cut off, all refused\n", files[_i], refused);
	free(text);
}
END_TEST

/* --- replaced --- */

enum type { NUMBER, FLAG, TEXT, WORD, LIST, MAP, IPV4, IPV6, MAC };

/* What is read, [] for any item. What else stands in the files may be anything. */
static const struct {
	const char *path;
	enum type type;
} fields[] = {
	{"version", WORD}, {"ixp_list", LIST}, {"ixp_list[]", MAP}, {"ixp_list[].ixp_id", NUMBER}, {"ixp_list[].vlan", LIST},
	{"ixp_list[].vlan[]", MAP}, {"ixp_list[].vlan[].id", NUMBER}, {"ixp_list[].vlan[].ipv4", MAP},
	{"ixp_list[].vlan[].ipv4.prefix", IPV4}, {"ixp_list[].vlan[].ipv4.mask_length", NUMBER},
	{"ixp_list[].vlan[].ipv6", MAP}, {"ixp_list[].vlan[].ipv6.prefix", IPV6},
	{"ixp_list[].vlan[].ipv6.mask_length", NUMBER}, {"ixp_list[].switch", LIST}, {"ixp_list[].switch[]", MAP},
	{"ixp_list[].switch[].id", NUMBER}, {"ixp_list[].switch[].name", TEXT}, {"member_list", LIST}, {"member_list[]", MAP},
	{"member_list[].asnum", NUMBER}, {"member_list[].name", TEXT}, {"member_list[].member_type", TEXT},
	{"member_list[].type", TEXT}, {"member_list[].contact_email[]", TEXT}, {"member_list[].connection_list", LIST},
	{"member_list[].connection_list[]", MAP}, {"member_list[].connection_list[].ixp_id", NUMBER},
	{"member_list[].connection_list[].state", TEXT}, {"member_list[].connection_list[].if_list", LIST},
	{"member_list[].connection_list[].if_list[]", MAP}, {"member_list[].connection_list[].if_list[].switch_id", NUMBER},
	{"member_list[].connection_list[].if_list[].if_speed", NUMBER}, {"member_list[].connection_list[].vlan_list", LIST},
	{"member_list[].connection_list[].vlan_list[]", MAP}, {"member_list[].connection_list[].vlan_list[].vlan_id", NUMBER},
	{"member_list[].connection_list[].vlan_list[].ipv4", MAP}, {"member_list[].connection_list[].vlan_list[].ipv6", MAP},
	{"member_list[].connection_list[].vlan_list[].ipv4.address", IPV4},
	{"member_list[].connection_list[].vlan_list[].ipv6.address", IPV6},
	{"member_list[].connection_list[].vlan_list[].ipv4.mac_addresses", LIST},
	{"member_list[].connection_list[].vlan_list[].ipv4.mac_addresses[]", MAC},
	{"member_list[].connection_list[].vlan_list[].ipv6.mac_addresses", LIST},
	{"member_list[].connection_list[].vlan_list[].ipv6.mac_addresses[]", MAC},
	{"member_list[].connection_list[].vlan_list[].mac_address", MAC},
	{"member_list[].connection_list[].vlan_list[].ipv4.services", LIST},
	{"member_list[].connection_list[].vlan_list[].ipv4.services[].type", TEXT},
	{"member_list[].connection_list[].vlan_list[].ipv6.service_type", LIST}, {"layer2interfaces", LIST},
	{"layer2interfaces[]", MAP}, {"layer2interfaces[].type", WORD}, {"layer2interfaces[].name", TEXT},
	{"layer2interfaces[].description", TEXT}, {"layer2interfaces[].status", WORD}, {"layer2interfaces[].shutdown", FLAG},
	{"layer2interfaces[].speed", NUMBER}, {"layer2interfaces[].virtualinterfaceid", NUMBER},
	{"layer2interfaces[].lagmaster", FLAG}, {"layer2interfaces[].vlans", LIST}, {"layer2interfaces[].vlans[]", MAP},
	{"layer2interfaces[].vlans[].number", NUMBER}, {"layer2interfaces[].vlans[].macaddresses", LIST},
	{"layer2interfaces[].vlans[].macaddresses[]", MAC}, {"layer2interfaces[].vlans[].ipaddresses", MAP},
	{"layer2interfaces[].vlans[].ipaddresses.ipv4", IPV4}, {"layer2interfaces[].vlans[].ipaddresses.ipv6", IPV6},
	{"vlans", LIST}, {"vlans[]", MAP}, {"vlans[].tag", NUMBER}, {"vlans[].private", FLAG}, {"ipv4", LIST}, {"ipv4[]", MAP},
	{"ipv4[].address", IPV4}, {"ipv4[].vliid", NUMBER}, {"ipv4[].vli_id", NUMBER}, {"ipv6", LIST}, {"ipv6[]", MAP},
	{"ipv6[].address", IPV6}, {"ipv6[].vliid", NUMBER},
};

/* In place of a value of each type. */
static const char *const wrong[][8] = {
	[NUMBER] = {"true", "\"x\"", "-1", "4294967296", "1.5", "[1]", "{\"a\": 1}", "\" 1\""},
	[FLAG] = {"2", "\"yes\"", "-1", "1.5", "[true]", "{\"a\": 1}", "\"\\u0001\""},
	[TEXT] = {"5", "true", "[1]", "{\"a\": 1}", "1.5"},
	[WORD] = {"5", "true", "[1]", "{\"a\": 1}", "\"x\"", "\"\\u202e\\n\""},
	[LIST] = {"5", "\"x\"", "true", "{\"a\": 1}", "1.5", "[5]"},
	[MAP] = {"5", "\"x\"", "true", "[1]", "1.5"},
	[IPV4] = {"5", "\"x\"", "true", "[\"198.18.0.1\"]", "\"2001:db8:100::1\"", "\"198.18.0.256\"", "\"198.18.0.1/21\"", "{\"a\": 1}"},
	[IPV6] = {"5", "\"x\"", "true", "[\"2001:db8:100::1\"]", "\"198.18.0.1\"", "\"2001:db8:100:::1\"", "{\"a\": 1}"},
	[MAC] = {"5", "\"x\"", "true", "\"02:00:5e:00:01\"", "\"02:00:5e:00:01:0g\"", "\"198.18.0.1\"", "[[]]", "{\"a\": 1}"},
};

struct mutator {
	const char *file;
	json_t *root;
	char path[256]; /* as our messages have it */
	size_t refused, legal;
};

static int type_of(const char *path)
{
	char plain[256];
	size_t n = 0;

	for (const char *p = path; *p; p++)
		if (!isdigit((unsigned char)*p) || (p > path && p[-1] != '[' && !isdigit((unsigned char)p[-1])))
			plain[n++] = *p;
	plain[n] = '\0';
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		if (strcmp(fields[i].path, plain) == 0)
			return (int)fields[i].type;
	return -1;
}

/* The place, or, of an item of the wrong kind, the list it is in. */
static bool names_the_place(const struct mutator *m, const char *said)
{
	char wanted[512];

	snprintf(wanted, sizeof(wanted), "error: %s: %s", m->file, m->path);
	return strncmp(said, wanted, strlen(wanted)) == 0;
}

static void try_value(struct mutator *m, const char *value, int type)
{
	char *text = json_dumps(m->root, JSON_INDENT(1));
	struct outcome o = import(m->file, text, strlen(text));

	if (type >= 0) {
		ck_assert_msg(o.refused, "%s: %s: %s was taken", m->file, m->path, value);
		ck_assert_msg(names_the_place(m, o.said), "%s: %s: %s: %s", m->file, m->path, value, o.said);
	}
	m->refused += o.refused;
	m->legal += !o.refused;
	for (const char *p = o.said; *p; p++)
		ck_assert_msg(*p == '\n' || (*p >= 0x20 && *p < 0x7f), "%s", o.said);
	free(o.said);
	free(text);
}

/* Ports of the core and those in a LAG are not read, but for what tells them, and their speed. */
static bool is_read(const json_t *port)
{
	const char *type = json_string_value(json_object_get(port, "type"));

	return !type || (strcmp(type, "edge") == 0 && !json_is_false(json_object_get(port, "lagmaster")));
}

static void mutate(struct mutator *m, json_t *v);

static void mutate_at(struct mutator *m, json_t *in, const char *key, size_t index)
{
	static const char *const any[] = {"null", "[]", "{}", "\"\"", "0", "[[[[]]]]"};
	json_t *was = json_incref(key ? json_object_get(in, key) : json_array_get(in, index));
	int type = type_of(m->path);

	for (size_t i = 0; i < (type < 0 ? 0 : sizeof(wrong[0]) / sizeof(wrong[0][0])) && wrong[type][i]; i++) {
		json_t *v = json_loads(wrong[type][i], JSON_DECODE_ANY, NULL);
		ck_assert_ptr_nonnull(v);
		key ? json_object_set_new(in, key, v) : json_array_set_new(in, index, v);
		try_value(m, wrong[type][i], type);
	}
	/* What may be read as nothing, or is not read, does no harm. */
	for (size_t i = 0; i < sizeof(any) / sizeof(any[0]); i++) {
		json_t *v = json_loads(any[i], JSON_DECODE_ANY, NULL);
		key ? json_object_set_new(in, key, v) : json_array_set_new(in, index, v);
		try_value(m, any[i], -1);
	}
	key ? json_object_set(in, key, was) : json_array_set(in, index, was);
	mutate(m, was);
	json_decref(was);
}

static void mutate(struct mutator *m, json_t *v)
{
	size_t mark = strlen(m->path), room = sizeof(m->path) - mark;

	for (size_t i = 0; i < json_array_size(v); i++) {
		bool skip = strcmp(m->path, "layer2interfaces") == 0 && !is_read(json_array_get(v, i));
		snprintf(m->path + mark, room, "[%zu]", i);
		if (!skip)
			mutate_at(m, v, NULL, i);
		m->path[mark] = '\0';
	}
	for (void *it = json_object_iter(v); it; it = json_object_iter_next(v, it)) {
		const char *key = json_object_iter_key(it);
		char name[64];
		snprintf(name, sizeof(name), "%s", key);
		snprintf(m->path + mark, room, "%s%s", mark ? "." : "", name);
		mutate_at(m, v, name, 0);
		it = json_object_iter_at(v, name);
		m->path[mark] = '\0';
	}
}

START_TEST(every_wrong_value_is_refused_with_its_place)
{
	char *text = sample(files[_i]);
	struct mutator m = {.file = files[_i], .root = json_loads(text, 0, NULL)};

	ck_assert_ptr_nonnull(m.root);
	mutate(&m, m.root);
	printf("%s: %zu mutated files refused, %zu legal ones\n", files[_i], m.refused, m.legal);
	/* 200 and more, all files together. */
	ck_assert_uint_ge(m.refused, _i < 4 ? 200 : 50);
	json_decref(m.root);
	free(text);
}
END_TEST

/* --- giants --- */

START_TEST(depth_and_size_have_a_limit)
{
	size_t len = 1 << 20;
	char *text = malloc(REGISTRY_FILE_MAX + 2);

	ck_assert_ptr_nonnull(text);
	memset(text, '[', len);
	memcpy(text, "{\"vlans\":", 9);
	struct outcome o = import("a", text, len);
	ck_assert_str_eq(o.said, "error: a:1:2057: not JSON: maximum parsing depth reached near '['\n");
	free(o.said);
	memset(text, ' ', REGISTRY_FILE_MAX + 1);
	memcpy(text, "{\"vlans\":[]}", 12);
	o = import("a", text, REGISTRY_FILE_MAX + 1);
	ck_assert_str_eq(o.said, "error: a: too large a file\n");
	free(o.said);
	o = import("a", text, REGISTRY_FILE_MAX);
	ck_assert(!o.refused);
	free(o.said);
	free(text);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("registry/mutated");
	TCase *tc = tcase_create("core");
	SRunner *sr = srunner_create(s);

	tcase_add_loop_test(tc, every_truncation_is_refused_with_its_line, 0, FILES);
	tcase_add_loop_test(tc, every_wrong_value_is_refused_with_its_place, 0, FILES);
	tcase_add_test(tc, depth_and_size_have_a_limit);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_NORMAL);
	int failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
