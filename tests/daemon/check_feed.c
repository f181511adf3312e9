/* quelld's end of the feed against the real LAN table: handshake, snapshots, mark and sweep, who
 * may connect. */
#define _GNU_SOURCE
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/feed_server.h"
#include "daemon/loop.h"
#include "evpn/nlri.h"
#include "lib/log.h"

#define HELLO "{\"op\":\"hello\",\"version\":1,\"program\":\"quell-agent\"}\n"
#define OUR_HELLO "{\"op\":\"hello\",\"version\":1,\"program\":\"quelld\"}\n"

static char dir[] = "/tmp/quell-check-XXXXXX";
static char path[64];
static struct loop *loop;
static struct lans *lans;
static struct lan *lan;
static struct feed_server *feed;
static int originated, withdrawn, local_done;

/* --- the LAN under the feed, wired as quelld_lans.c does --- */

static void on_mac(void *arg, struct lan *l, struct mac mac, const struct lan_entry *best)
{
	(void)arg;
	if (feed)
		feed_server_mac(feed, l, mac, best);
}

static void on_binding(void *arg, struct lan *l, struct ip ip, const struct lan_entry *best)
{
	(void)arg;
	if (feed)
		feed_server_binding(feed, l, ip, best);
}

static void on_flood(void *arg, struct lan *l, struct ip vtep, bool present)
{
	(void)arg;
	if (feed)
		feed_server_flood(feed, l, vtep, present);
}

static void on_originate(void *arg, struct lan *l, const struct nlri *n, const struct attrs *attrs)
{
	(void)arg;
	(void)l;
	/* The LAN's own type 3 does not count. */
	if (n->key[0] != EVPN_MACIP)
		return;
	if (attrs)
		originated++;
	else
		withdrawn++;
}

static void on_alarm(void *arg, struct lan *l, const char *what, struct mac mac, struct ip ip,
	struct ip vtep)
{
	(void)arg;
	(void)l;
	(void)what;
	(void)mac;
	(void)ip;
	(void)vtep;
}

static void on_local_done(void *arg)
{
	(void)arg;
	local_done++;
}

static void no_log(void *arg, enum log_level level, const char *line)
{
	(void)arg;
	(void)level;
	(void)line;
}

static struct ip ip_of(const char *text)
{
	struct ip ip;

	ck_assert_int_eq(ip_parse(text, &ip), 0);
	return ip;
}

static struct mac mac_of(const char *text)
{
	struct mac mac;

	ck_assert_int_eq(mac_parse(text, &mac), 0);
	return mac;
}

static void open_feed(uint32_t stale_sec)
{
	struct feed_server_config c = {.path = path,
		.user = geteuid(),
		.stale_sec = stale_sec,
		.local_done = on_local_done};

	ck_assert_int_eq(feed_server_new(loop, lans, &c, &feed), 0);
}

static void setup(void)
{
	struct lan_hooks hooks = {on_mac, on_binding, on_flood, on_originate, on_alarm, NULL, NULL};
	struct lan_config c = {.name = "ixp",
		.vni = 100,
		.originates = true,
		.vtep = ip_of("10.99.0.2"),
		.import_count = 1,
		.max_macs = 100,
		.max_bindings = 100};

	log_set_sink(no_log, NULL);
	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/feed.sock", dir);
	loop = loop_new();
	lans = lans_new(&hooks);
	ck_assert_int_eq(rd_parse("10.99.0.2:100", &c.rd), 0);
	ck_assert_int_eq(rt_parse("65000:100", &c.export_rt), 0);
	c.import_rts[0] = c.export_rt;
	ck_assert_int_eq(lans_add(lans, &c, &lan), 0);
	open_feed(0);
}

static void teardown(void)
{
	feed_server_free(feed);
	feed = NULL;
	lans_free(lans);
	loop_free(loop);
	ck_assert_int_eq(rmdir(dir), 0);
}

/* A type-2 route of another PE, or its withdrawal. */
static void remote(const char *mac, const char *ip, bool present)
{
	uint8_t ecs[16];
	struct rt rt;
	struct evpn_route r = {
		.type = EVPN_MACIP, .mac = mac_of(mac), .label_count = 1, .label = {100}};
	struct attrs a = {.present = ATTR_BIT(ATTR_EXT_COMMUNITIES) | ATTR_BIT(ATTR_MP_REACH),
		.next_hop = ip_of("10.99.0.3")};
	static const uint8_t vxlan[8] = {0x03, 0x0c, 0, 0, 0, 0, 0, 8};
	struct nlri n;

	ck_assert_int_eq(rd_parse("10.99.0.3:100", &r.rd), 0);
	ck_assert_int_eq(rt_parse("65000:100", &rt), 0);
	memcpy(ecs, rt.b, 8);
	memcpy(ecs + 8, vxlan, 8);
	a.ext_communities = (struct span){ecs, sizeof(ecs)};
	if (ip)
		r.ip = ip_of(ip);
	ck_assert_int_eq(evpn_nlri_pack(&r, &n), 0);
	lans_route(lans, n.key, n.key_len, n.payload, n.payload_len, present ? &a : NULL, false);
}

/* --- a plain agent --- */

static int dial(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	struct sockaddr_un sun = {.sun_family = AF_UNIX};

	snprintf(sun.sun_path, sizeof(sun.sun_path), "%s", path);
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&sun, sizeof(sun)), 0);
	return fd;
}

static void say(int fd, const char *text)
{
	ck_assert_int_eq(send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
}

/* What comes must be exactly this; with `end`, and then the end. */
static void expect(int fd, const char *text, bool end)
{
	char buf[4096];
	size_t got = 0, want = strlen(text);
	uint64_t until = loop_now_ms() + 5000;
	ssize_t n = -1;

	while ((got < want || end) && loop_now_ms() < until) {
		loop_once(loop, 2);
		n = recv(fd, buf + got, sizeof(buf) - 1 - got, MSG_DONTWAIT);
		if (n > 0)
			got += (size_t)n;
		else if (n == 0 || errno != EAGAIN)
			break;
	}
	buf[got] = '\0';
	ck_assert_str_eq(buf, text);
	if (end)
		ck_assert_int_le(n, 0);
}

/* Nothing comes although a few turns have passed. */
static void expect_nothing(int fd)
{
	char c;

	for (int i = 0; i < 5; i++)
		loop_once(loop, 1);
	ck_assert_int_eq(recv(fd, &c, 1, MSG_DONTWAIT), -1);
	ck_assert_int_eq(errno, EAGAIN);
}

#define until(cond)                                                                                \
	do {                                                                                       \
		uint64_t give_up = loop_now_ms() + 5000;                                           \
		while (!(cond) && loop_now_ms() < give_up)                                         \
			loop_once(loop, 2);                                                        \
		ck_assert(cond);                                                                   \
	} while (0)

static enum feed_state state(void)
{
	struct feed_view v;

	feed_server_view(feed, &v);
	return v.state;
}

static int agent(void)
{
	int fd = dial();

	expect(fd, OUR_HELLO, false);
	say(fd, HELLO);
	until(state() == FEED_SYNCING);
	return fd;
}

/* --- tests --- */

/* Lines of which the last ends the conversation with this error. */
static const struct {
	const char *says, *error;
} wrong[] = {
	{"{\"op\":\"hello\",\"version\":2}\n", "version 2: expected 1"},
	{"{\"op\":\"hello\"}\n", "version 0: expected 1"},
	{"{\"op\":\"end\"}\n", "expected hello"},
	{"{}\n", "expected hello"},
	{"7\n", "a line is not a JSON object"},
	{HELLO "{\"op\":\"what\"}\n", "a line that is not of this protocol"},
	{HELLO "{\"op\":7}\n", "a line that is not of this protocol"},
	{HELLO "{}\n", "a line that is not of this protocol"},
	{HELLO HELLO, "a line that is not of this protocol"},
	{HELLO "{\"op\":\"add\"}\n", "a line that is not of this protocol"},
	{HELLO "{\"op\":\"add\",\"lan\":\"ixp\",\"mac\":\"zz\"}\n",
		"a line that is not of this protocol"},
	{HELLO "{\"op\":\"add\",\"lan\":\"ixp\",\"mac\":\"ff:ff:ff:ff:ff:ff\"}\n",
		"a line that is not of this protocol"},
	{HELLO "{\"op\":\"add\",\"lan\":\"ixp\",\"mac\":\"02:00:5e:00:00:01\",\"ip\":\"224.0.0.1\"}"
	       "\n",
		"a line that is not of this protocol"},
	{HELLO "{\"op\":\"add\",\"lan\":\"ixp\",\"mac\":\"02:00:5e:00:00:01\",\"ip\":7}\n",
		"a line that is not of this protocol"},
	{HELLO "{\"op\":\"del\",\"lan\":7,\"mac\":\"02:00:5e:00:00:01\"}\n",
		"a line that is not of this protocol"},
	{HELLO "[]\n", "a line is not a JSON object"},
};

START_TEST(test_wrong)
{
	char text[200];
	int fd = dial();

	snprintf(text, sizeof(text), OUR_HELLO "{\"op\":\"error\",\"text\":\"%s\"}\n",
		wrong[_i].error);
	say(fd, wrong[_i].says);
	expect(fd, text, true);
	ck_assert_int_eq(state(), FEED_ABSENT);
	ck_assert_int_eq(originated, 0);
	close(fd);
	/* The next one finds the place free. */
	fd = agent();
	close(fd);
	until(state() == FEED_ABSENT);
}
END_TEST

START_TEST(test_one_agent)
{
	char text[200];
	int first = agent(), second = dial();

	say(second, HELLO);
	snprintf(text, sizeof(text),
		OUR_HELLO "{\"op\":\"error\",\"text\":\"another agent is connected (pid %d)\"}\n",
		(int)getpid());
	expect(second, text, true);
	close(second);
	say(first, "{\"op\":\"end\"}\n");
	until(state() == FEED_LIVE);
	close(first);
}
END_TEST

START_TEST(test_credentials)
{
	int status;

	if (geteuid() != 0)
		return;
	ck_assert_int_eq(chmod(dir, 0755), 0);
	pid_t pid = fork();
	if (pid == 0) {
		char buf[200] = "";
		if (setuid(65534) < 0)
			_exit(2);
		int fd = dial();
		ssize_t n = recv(fd, buf, sizeof(buf) - 1, MSG_WAITALL);
		_exit(n > 0 && strcmp(buf, "{\"op\":\"error\",\"text\":\"only root and the feed "
					   "user may connect\"}\n") == 0
				? 0
				: 1);
	}
	pid_t done = 0;
	until((done = done ? done : waitpid(pid, &status, WNOHANG)) == pid);
	ck_assert_int_eq(status, 0);
}
END_TEST

/* What is behind other PEs: as a snapshot, then as changes; `end` only when the sessions have
 * converged. */
START_TEST(test_to_agent)
{
	static const char mac[] =
		"{\"op\":\"mac\",\"lan\":\"ixp\",\"mac\":\"02:00:5e:00:00:31\","
		"\"vtep\":\"10.99.0.3\",\"seq\":0,\"sticky\":false,\"stale\":false}\n";
	static const char bind[] =
		"{\"op\":\"bind\",\"lan\":\"ixp\",\"ip\":\"198.18.0.31\","
		"\"mac\":\"02:00:5e:00:00:31\",\"vtep\":\"10.99.0.3\",\"router\":false,"
		"\"override\":false,\"immutable\":false,\"stale\":false}\n";
	char text[1000];

	remote("02:00:5e:00:00:31", "198.18.0.31", true);
	int fd = agent();
	snprintf(text, sizeof(text), "%s%s", mac, bind);
	expect(fd, text, false);
	expect_nothing(fd);
	feed_server_converged(feed);
	expect(fd, "{\"op\":\"end\"}\n", false);
	remote("02:00:5e:00:00:31", "198.18.0.31", false);
	expect(fd,
		"{\"op\":\"mac-del\",\"lan\":\"ixp\",\"mac\":\"02:00:5e:00:00:31\"}\n"
		"{\"op\":\"bind-del\",\"lan\":\"ixp\",\"ip\":\"198.18.0.31\"}\n",
		false);
	close(fd);
	/* A second one gets its `end` with the snapshot. */
	until(state() == FEED_ABSENT);
	remote("02:00:5e:00:00:31", "198.18.0.31", true);
	fd = agent();
	snprintf(text, sizeof(text), "%s%s{\"op\":\"end\"}\n", mac, bind);
	expect(fd, text, false);
	close(fd);
}
END_TEST

#define ADD(n)                                                                                     \
	"{\"op\":\"add\",\"lan\":\"ixp\",\"mac\":\"02:00:5e:00:00:0" n "\",\"ip\":\"198.18.0." n   \
	"\",\"claim\":true}\n"

/* What is behind the agent's ports is originated; what it does not name again after a reconnect is
 * swept at its `end`, and not before. */
START_TEST(test_from_agent)
{
	int fd = agent();

	say(fd, ADD("1") ADD("2") ADD("3"));
	until(originated >= 3);
	ck_assert_int_eq(local_done, 0);
	say(fd, "{\"op\":\"end\"}\n");
	until(local_done == 1);
	int before = originated;
	say(fd, "{\"op\":\"del\",\"lan\":\"ixp\",\"mac\":\"02:00:5e:00:00:03\",\"ip\":\"198.18.0."
		"3\"}\n");
	until(withdrawn >= 1);
	withdrawn = 0;
	close(fd);
	until(state() == FEED_ABSENT);
	ck_assert_int_eq(withdrawn, 0);

	fd = agent();
	say(fd, ADD("1") "{\"op\":\"add\",\"lan\":\"other\",\"mac\":\"02:00:5e:00:00:01\"}\n");
	struct feed_view v;
	do {
		loop_once(loop, 2);
		feed_server_view(feed, &v);
	} while (v.lines_in < 7);
	ck_assert_int_eq(withdrawn, 0);
	say(fd, "{\"op\":\"end\"}\n");
	until(withdrawn > 0);
	ck_assert_int_eq(originated, before);
	ck_assert_int_eq(local_done, 1);
	close(fd);
}
END_TEST

/* Away for too long: its routes go, and nobody waits for it any more. */
START_TEST(test_stale)
{
	feed_server_free(feed);
	open_feed(1);
	int fd = agent();
	say(fd, ADD("1"));
	until(originated >= 1);
	close(fd);
	until(state() == FEED_ABSENT);
	ck_assert_int_eq(withdrawn, 0);
	until(withdrawn >= 1);
	ck_assert_int_eq(local_done, 1);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("feed");
	TCase *tc = tcase_create("feed");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 30);
	tcase_add_loop_test(tc, test_wrong, 0, sizeof(wrong) / sizeof(wrong[0]));
	tcase_add_test(tc, test_one_agent);
	tcase_add_test(tc, test_credentials);
	tcase_add_test(tc, test_to_agent);
	tcase_add_test(tc, test_from_agent);
	tcase_add_test(tc, test_stale);
	suite_add_tcase(s, tc);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
