/* A registry written is the registry read again, and two that say the same are the same file. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "registry/diff.h"
#include "registry/safety.h"

static struct registry *load(const char *text)
{
	char path[] = "/tmp/quell-registry-XXXXXX", err[REGISTRY_ERROR_MAX] = "";
	const char *files[] = {path};
	struct registry *reg = NULL;
	int fd = mkstemp(path);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
	int r = registry_load(files, 1, &(struct registry_lan){0}, &reg, err);
	unlink(path);
	ck_assert_msg(r == 0, "%s\n%s", err, text);
	return reg;
}

static char *written(const struct registry *reg, const char *comment)
{
	char *text = NULL;
	size_t len;
	FILE *to = open_memstream(&text, &len);

	ck_assert_ptr_nonnull(to);
	ck_assert_int_eq(registry_write(reg, comment, to), 0);
	fclose(to);
	return text;
}

static void print_change(void *arg, const struct registry_change *c)
{
	(void)arg;
	fprintf(stderr, "%d %s %s: %s -> %s\n", c->op, c->name, c->key ? c->key : "", c->from ? c->from : "",
		c->to ? c->to : "");
}

static const char *const files[] = {
	"members: []\n",
	("members:\n  - asn: 64501\n    name: last\n  - asn: 64500\n    name: first\n    type: ixp\n    exchange: false\n"
	"    contacts: [noc@example.net, 'Peering <p@example.net>']\n    ports:\n"
	"      - {port: swp10, pe: 10.99.0.1, switch: sw1.fra, speed: 100000, macs: ['02:00:5e:00:00:03']}\n"
	"      - {port: swp2, macs: ['02:00:5e:00:00:09', '02:00:5e:00:00:01'], former-macs: ['02:00:5e:00:00:07'],\n"
	"         ipv4: [198.18.0.2, 198.18.0.1], ipv6: ['2001:db8:100::1'], link-local: ['fe80::1'],\n"
	"         router: false, status: quarantine}\n"
	"      - {macs: ['02:00:5e:00:00:05'], ipv4: [198.18.0.5], status: disabled}\n"
	"      - {macs: ['02:00:5e:00:00:04'], ipv4: [198.18.0.4]}\n"
	"  - asn: 0\n    name: who?\n    ports: [{port: p, former-macs: ['02:00:5e:00:00:0a'], ipv4: [198.18.0.9]}]\n"
	"  - {asn: 64501, name: again, type: routeserver}\n"
	"unassigned: ['2001:db8:100::77', 198.18.0.77, 198.18.0.8, 198.18.0.77]\n"),
	/* Text that is not text for YAML. */
	("members:\n  - {asn: 1, name: \"a: [b] # \\\"c\\\" \\\\ 'd' - & * ! % @ ` \\t\\n\\r\\x01\\x7f\\u0085\\u2028\\u2029\\ufeff "
	"\\u00e9\\u4e2d\\U0001f600\", contacts: [\"~\", \"null\", \"- x\"]}\n"),
};

START_TEST(reads_back_what_it_wrote)
{
	struct registry *a = load(files[_i]);
	char *first = written(a, "two lines:\nof a comment \x01\xc3\xa9");
	struct registry *b = load(first);
	char *second = written(b, "two lines:\nof a comment \x01\xc3\xa9");

	ck_assert_str_eq(first, second);
	ck_assert_int_eq(strncmp(first, "# two lines:\n# of a comment ???\n", 32), 0);
	ck_assert_uint_eq(registry_diff(a, b, print_change, NULL), 0);
	ck_assert_uint_eq(a->member_count, b->member_count);
	ck_assert_uint_eq(a->port_count, b->port_count);
	registry_free(a);
	registry_free(b);
	free(first);
	free(second);
}
END_TEST

START_TEST(stands_in_an_order_of_its_own)
{
	struct registry *reg = load(files[1]);
	char *text = written(reg, NULL);

	ck_assert_str_eq(text,
		"members:\n"
		"  - asn: 0\n    name: \"who?\"\n    ports:\n      - status: active\n        port: \"p\"\n"
		"        former-macs: [\"02:00:5e:00:00:0a\"]\n        ipv4: [\"198.18.0.9\"]\n"
		"  - asn: 64500\n    name: \"first\"\n    type: ixp\n    exchange: false\n"
		"    contacts: [\"noc@example.net\", \"Peering <p@example.net>\"]\n    ports:\n"
		"      - status: active\n        macs: [\"02:00:5e:00:00:04\"]\n        ipv4: [\"198.18.0.4\"]\n"
		"      - status: disabled\n        macs: [\"02:00:5e:00:00:05\"]\n        ipv4: [\"198.18.0.5\"]\n"
		"      - status: quarantine\n        port: \"swp2\"\n"
		"        macs: [\"02:00:5e:00:00:09\", \"02:00:5e:00:00:01\"]\n"
		"        former-macs: [\"02:00:5e:00:00:07\"]\n        ipv4: [\"198.18.0.2\", \"198.18.0.1\"]\n"
		"        ipv6: [\"2001:db8:100::1\"]\n        link-local: [\"fe80::1\"]\n        router: false\n"
		"      - status: active\n        port: \"swp10\"\n        pe: 10.99.0.1\n        switch: \"sw1.fra\"\n"
		"        speed: 100000\n        macs: [\"02:00:5e:00:00:03\"]\n"
		"  - asn: 64501\n    name: \"again\"\n    type: routeserver\n  - asn: 64501\n    name: \"last\"\n"
		"unassigned:\n  - \"198.18.0.8\"\n  - \"198.18.0.77\"\n  - \"2001:db8:100::77\"\n");
	free(text);
	registry_free(reg);
}
END_TEST

START_TEST(says_when_the_stream_is_full)
{
	struct registry *reg = load(files[1]);
	FILE *to = fopen("/dev/full", "w");

	ck_assert_ptr_nonnull(to);
	ck_assert_int_lt(registry_write(reg, NULL, to), 0);
	fclose(to);
	registry_free(reg);
}
END_TEST

START_TEST(finds_by_address_and_mac)
{
	struct registry *reg = load(files[1]);
	struct ip ip;
	struct mac mac;

	ck_assert_int_eq(ip_parse("198.18.0.1", &ip), 0);
	ck_assert_str_eq(registry_by_ip(reg, ip)->port, "swp2");
	ck_assert(!registry_is_unassigned(reg, ip));
	ck_assert_int_eq(ip_parse("2001:db8:100::77", &ip), 0);
	ck_assert_ptr_null(registry_by_ip(reg, ip));
	ck_assert(registry_is_unassigned(reg, ip));
	ck_assert_int_eq(mac_parse("02:00:5e:00:00:07", &mac), 0);
	ck_assert_str_eq(registry_by_mac(reg, mac)->port, "swp2");
	ck_assert_uint_eq(registry_by_mac(reg, mac)->former_count, 1);
	ck_assert_int_eq(mac_parse("02:00:5e:00:00:08", &mac), 0);
	ck_assert_ptr_null(registry_by_mac(reg, mac));
	registry_free(reg);
}
END_TEST

/* The example that docs/registry.md has for a person to copy: its first block. */
START_TEST(the_documents_example_is_read)
{
	const char *srcdir = getenv("srcdir");
	char path[512], line[512], text[4096] = "";
	size_t len = 0;

	snprintf(path, sizeof(path), "%s/docs/registry.md", srcdir ? srcdir : ".");
	FILE *from = fopen(path, "r");
	ck_assert_ptr_nonnull(from);
	while (fgets(line, sizeof(line), from) && (!len || strncmp(line, "    ", 4) == 0))
		if (strncmp(line, "    ", 4) == 0)
			len += (size_t)snprintf(text + len, sizeof(text) - len, "%s", line + 4);
	fclose(from);
	struct registry *reg = load(text);
	ck_assert_uint_eq(reg->member_count, 3);
	ck_assert_uint_eq(reg->port_count, 3);
	ck_assert_uint_eq(reg->unassigned_count, 2);
	ck_assert_uint_eq(reg->ports[1].former_count, 1);
	ck_assert(reg->members[2].exchange);
	registry_free(reg);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("registry/write");
	TCase *tc = tcase_create("core");
	SRunner *sr = srunner_create(s);

	tcase_add_loop_test(tc, reads_back_what_it_wrote, 0, sizeof(files) / sizeof(files[0]));
	tcase_add_test(tc, stands_in_an_order_of_its_own);
	tcase_add_test(tc, says_when_the_stream_is_full);
	tcase_add_test(tc, finds_by_address_and_mac);
	tcase_add_test(tc, the_documents_example_is_read);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_NORMAL);
	int failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
