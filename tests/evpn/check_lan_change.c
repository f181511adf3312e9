/* A LAN that is removed, or becomes another: what is told, what is said, and in which order. */
#include "tests/evpn/world.h"

static struct lans *ls;
static struct lan *lan;

/* With what a change changes: "say 2 1 .1 10.99.0.2:2 100 10.99.0.2 RT:65000:100" */
static void on_said(void *arg, struct lan *l, const struct nlri *n, const struct attrs *attrs)
{
	struct evpn_route r;
	char ip[IP_TEXT], ecoms[200], rd[RD_TEXT];

	(void)arg;
	(void)l;
	ck_assert_int_eq(evpn_nlri_unpack(n->key, n->key_len, n->payload, n->payload_len, &r), 0);
	note("%s %u", attrs ? "say" : "unsay", r.type);
	if (r.type == EVPN_MACIP)
		note(" %u", r.mac.b[4] * 256u + r.mac.b[5]);
	if (r.ip.family)
		note(" %s", ip_short(r.ip, ip));
	note(" %s", rd_format(r.rd, rd));
	if (attrs) {
		evpn_ecoms_format(attrs->ext_communities, ecoms, sizeof(ecoms));
		if (r.type == EVPN_MACIP)
			note(" %u", r.label[0]);
		note(" %s %s", ip_format(attrs->next_hop, ip), ecoms + 5);
	}
	note("\n");
}

static struct lan_hooks hooks;

static void up(void)
{
	struct lan_config c = world_config();

	hooks = world_hooks;
	hooks.originate = on_said;
	ls = lans_new(&hooks);
	ck_assert_int_eq(lans_add(ls, &c, &lan), 0);
	said[0] = '\0';
}

static void down(void)
{
	lans_free(ls);
}

static void add_local(unsigned mac, const char *ip)
{
	ck_assert_int_eq(lan_local_add(lan, mac_n(mac), ip_of(ip), 0, false), 0);
}

static void forget(void)
{
	said[0] = '\0';
}

START_TEST(removed)
{
	struct lan_config c = world_config();
	struct lan *other;

	snprintf(c.name, sizeof(c.name), "other");
	c.vni = 101;
	c.originates = false;
	ck_assert_int_eq(lans_add(ls, &c, &other), 0);
	imet_send(ls, "10.99.0.1", "00 06 000064 0a630001", true);
	SAYS(ls, "10.99.0.1", 1, ".1");
	add_local(9, ".9");
	forget();
	lans_remove(ls, lan);
	/* One after another kind; the other LAN, which imports the same, is told nothing. */
	ck_assert_ptr_nonnull(strstr(said, "unsay 2 9 10.99.0.2:2\nunsay 2 9 .9 10.99.0.2:2\n"));
	ck_assert_ptr_nonnull(strstr(said, "unsay 3 10.99.0.2 10.99.0.2:2\n"));
	ck_assert_ptr_nonnull(strstr(said, "bind .1 -> gone\n"));
	ck_assert_ptr_nonnull(strstr(said, "bind .9 -> gone\n"));
	ck_assert_ptr_nonnull(strstr(said, "mac 1 -> gone\n"));
	ck_assert_ptr_nonnull(strstr(said, "flood 10.99.0.1 -\n"));
	ck_assert_ptr_null(lans_find(ls, "ixp"));
	ck_assert_ptr_eq(lans_next(ls, NULL), other);
	ck_assert_ptr_null(lans_next(ls, other));
	/* Others go on. */
	forget();
	SAYS(ls, "10.99.0.1", 2, .label = 101);
	HAPPENED("mac 2 -> 10.99.0.1 vni 101\n");
	lans_remove(ls, other);
	ck_assert_ptr_nonnull(strstr(said, "mac 1 -> gone\n"));
	ck_assert_ptr_nonnull(strstr(said, "mac 2 -> gone\n"));
	ck_assert_ptr_null(strstr(said, "say"));
	forget();
	ck_assert_ptr_null(lans_next(ls, NULL));
	SAYS(ls, "10.99.0.1", 3);
	HAPPENED("");
}
END_TEST

START_TEST(nothing_changed)
{
	struct lan_config c = world_config();

	add_local(9, ".9");
	SAYS(ls, "10.99.0.1", 1, ".1");
	forget();
	ck_assert(!lan_change(lan, &c));
	HAPPENED("");
}
END_TEST

START_TEST(another_rd)
{
	struct lan_config c = world_config();

	add_local(9, ".9");
	forget();
	c.rd = rd_of("10.99.0.7");
	ck_assert(!lan_change(lan, &c));
	HAPPENED("say 3 10.99.0.2 10.99.0.7:2 10.99.0.2 RT:65000:100\n"
		 "unsay 3 10.99.0.2 10.99.0.2:2\n"
		 "say 2 9 10.99.0.7:2 100 10.99.0.2 RT:65000:100\n"
		 "say 2 9 .9 10.99.0.7:2 100 10.99.0.2 RT:65000:100\n"
		 "unsay 2 9 10.99.0.2:2\nunsay 2 9 .9 10.99.0.2:2\n");
	/* And what comes and goes later goes by the new one. */
	add_local(9, ".9");
	HAPPENED("");
	lan_local_del(lan, mac_n(9), ip_of(".9"));
	HAPPENED("unsay 2 9 .9 10.99.0.7:2\nmac 9 -> gone\nunsay 2 9 10.99.0.7:2\nbind .9 -> "
		 "gone\n");
}
END_TEST

START_TEST(another_route_target)
{
	struct lan_config c = world_config();

	add_local(9, NULL);
	forget();
	ck_assert_int_eq(rt_parse("65000:200", &c.export_rt), 0);
	ck_assert(!lan_change(lan, &c));
	HAPPENED("say 3 10.99.0.2 10.99.0.2:2 10.99.0.2 RT:65000:200\n"
		 "say 2 9 10.99.0.2:2 100 10.99.0.2 RT:65000:200\n");
}
END_TEST

START_TEST(another_vtep_and_vni)
{
	struct lan_config c = world_config();

	add_local(9, NULL);
	forget();
	c.vtep = ip_of("10.99.0.7");
	c.vni = 101;
	ck_assert(lan_change(lan, &c)); /* our own routes of before, come back, are not ours */
	HAPPENED("say 3 10.99.0.7 10.99.0.2:2 10.99.0.7 RT:65000:100\n"
		 "unsay 3 10.99.0.2 10.99.0.2:2\n"
		 "say 2 9 10.99.0.2:2 101 10.99.0.7 RT:65000:100\n"
		 "mac 9 -> here vni 101\n");
}
END_TEST

START_TEST(other_imports)
{
	struct lan_config c = world_config();

	SAYS(ls, "10.99.0.1", 1, ".1");
	SAYS(ls, "10.99.0.1", 2, .rt = "65000:200");
	forget();
	ck_assert_int_eq(rt_parse("65000:200", &c.import_rts[0]), 0);
	ck_assert(lan_change(lan, &c));
	HAPPENED("");
	/* The RIB comes again. */
	SAYS(ls, "10.99.0.1", 1, ".1");
	HAPPENED("mac 1 -> gone\nbind .1 -> gone\n");
	SAYS(ls, "10.99.0.1", 2, .rt = "65000:200");
	HAPPENED("mac 2 -> 10.99.0.1\n");
}
END_TEST

/* The section `agent` goes from the file, and comes again. */
START_TEST(originates_no_more)
{
	struct lan_config c = world_config();

	add_local(9, ".9");
	SAYS(ls, "10.99.0.1", 1);
	forget();
	c.originates = false;
	ck_assert(!lan_change(lan, &c));
	HAPPENED("unsay 2 9 .9 10.99.0.2:2\nmac 9 -> gone\nunsay 2 9 10.99.0.2:2\nbind .9 -> gone\n"
		 "unsay 3 10.99.0.2 10.99.0.2:2\n");
	ck_assert_int_lt(lan_local_add(lan, mac_n(9), ip_of(".9"), 0, false), 0);
	c.originates = true;
	ck_assert(!lan_change(lan, &c));
	HAPPENED("say 3 10.99.0.2 10.99.0.2:2 10.99.0.2 RT:65000:100\n");
	add_local(9, NULL);
	HAPPENED("mac 9 -> here\nsay 2 9 10.99.0.2:2 100 10.99.0.2 RT:65000:100\n");
}
END_TEST

int main(void)
{
	Suite *s = suite_create("evpn/lan_change");
	TCase *tc = tcase_create("core");
	SRunner *sr = srunner_create(s);

	tcase_add_checked_fixture(tc, up, down);
	tcase_add_test(tc, removed);
	tcase_add_test(tc, nothing_changed);
	tcase_add_test(tc, another_rd);
	tcase_add_test(tc, another_route_target);
	tcase_add_test(tc, another_vtep_and_vni);
	tcase_add_test(tc, other_imports);
	tcase_add_test(tc, originates_no_more);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_NORMAL);
	int failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
