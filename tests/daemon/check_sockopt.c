/* BGP sockets on the loopback: addresses, options, TCP MD5, GTSM, a busy port. */
#define _GNU_SOURCE
#include <check.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/sockopt.h"

static struct ip ip_of(const char *text)
{
	struct ip ip;

	ck_assert_int_eq(ip_parse(text, &ip), 0);
	return ip;
}

static uint16_t port_of(int fd)
{
	struct sockaddr_storage sa;
	socklen_t len = sizeof(sa);

	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&sa, &len), 0);
	return ntohs(sa.ss_family == AF_INET ? ((struct sockaddr_in *)&sa)->sin_port
					     : ((struct sockaddr_in6 *)&sa)->sin6_port);
}

static int int_opt(int fd, int level, int name)
{
	int value = -1;
	socklen_t len = sizeof(value);

	ck_assert_int_eq(getsockopt(fd, level, name, &value, &len), 0);
	return value;
}

/* Calls; 0 or -errno, -ETIMEDOUT when nothing came back within `ms`. */
static int call(int fd, const char *to, uint16_t port, int ms)
{
	struct sockaddr_storage sa;
	socklen_t len = sockaddr_of(ip_of(to), port, &sa);
	struct pollfd p = {.fd = fd, .events = POLLOUT};

	if (connect(fd, (struct sockaddr *)&sa, len) < 0 && errno != EINPROGRESS)
		return -errno;
	if (poll(&p, 1, ms) == 0)
		return -ETIMEDOUT;
	return -int_opt(fd, SOL_SOCKET, SO_ERROR);
}

static const char *const addresses[] = {"127.0.0.1", "::1"};

START_TEST(test_addresses)
{
	static const struct {
		const char *in, *out;
	} table[] = {{"192.0.2.1", "192.0.2.1"}, {"2001:db8::1", "2001:db8::1"},
		{"::ffff:192.0.2.1", "192.0.2.1"}, {"::", "::"}};
	struct sockaddr_storage sa;

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		sockaddr_of(ip_of(table[i].in), 179, &sa);
		ck_assert(ip_eq(sockaddr_ip(&sa), ip_of(table[i].out)));
	}
	sa.ss_family = AF_UNIX;
	ck_assert_int_eq(sockaddr_ip(&sa).family, 0);
}
END_TEST

START_TEST(test_options)
{
	int v4 = bgp_socket(4), v6 = bgp_socket(6);

	ck_assert_int_ge(v4, 0);
	ck_assert_int_ge(v6, 0);
	ck_assert_int_eq(int_opt(v4, IPPROTO_IP, IP_TTL), 255);
	ck_assert_int_eq(int_opt(v4, IPPROTO_IP, IP_TOS), 0xc0);
	ck_assert_int_eq(int_opt(v6, IPPROTO_IPV6, IPV6_UNICAST_HOPS), 255);
	ck_assert_int_eq(int_opt(v6, IPPROTO_IPV6, IPV6_TCLASS), 0xc0);
	ck_assert_int_eq(bgp_socket_gtsm(v4, 4, 1), 0);
	ck_assert_int_eq(int_opt(v4, IPPROTO_IP, IP_MINTTL), 255);
	ck_assert_int_eq(bgp_socket_gtsm(v6, 6, 3), 0);
	ck_assert_int_eq(int_opt(v6, IPPROTO_IPV6, IPV6_MINHOPCOUNT), 253);
	close(v4);
	close(v6);
}
END_TEST

START_TEST(test_listen)
{
	int fd, other, caller;

	ck_assert_int_eq(bgp_socket_listen(ip_of(addresses[_i]), 0, &fd), 0);
	ck_assert_int_eq(bgp_socket_listen(ip_of(addresses[_i]), port_of(fd), &other), -EADDRINUSE);
	caller = bgp_socket(ip_of(addresses[_i]).family);
	ck_assert_int_eq(call(caller, addresses[_i], port_of(fd), 5000), 0);
	ck_assert(ip_eq(socket_local_ip(caller), ip_of(addresses[_i])));
	/* The port is free again at once, whatever state the connection is in. */
	uint16_t port = port_of(fd);
	close(fd);
	ck_assert_int_eq(bgp_socket_listen(ip_of(addresses[_i]), port, &fd), 0);
	close(caller);
	close(fd);
	ck_assert_int_eq(bgp_socket_listen(ip_of("192.0.2.77"), 0, &fd), -EADDRNOTAVAIL);
}
END_TEST

/* Which key the listener has for which range, which the caller has, and whether they meet. */
static const struct {
	const char *range;
	uint8_t len;
	const char *listener, *caller;
	bool meet;
} keys[] = {
	{"127.0.0.1", 32, "secret", "secret", true},
	{"127.0.0.1", 32, "secret", "wrong", false},
	{"127.0.0.1", 32, "secret", NULL, false},
	{"127.0.0.1", 32, NULL, "secret", false},
	{"127.0.0.0", 8, "secret", "secret", true},
	{"127.0.0.0", 8, "secret", NULL, false},
	{"127.1.0.0", 16, "secret", NULL, true},
};

START_TEST(test_md5)
{
	int fd, caller = bgp_socket(4);

	ck_assert_int_eq(bgp_socket_listen(ip_of("127.0.0.1"), 0, &fd), 0);
	if (keys[_i].listener)
		ck_assert_int_eq(
			bgp_socket_md5(fd, ip_of(keys[_i].range), keys[_i].len, keys[_i].listener),
			0);
	if (keys[_i].caller)
		ck_assert_int_eq(
			bgp_socket_md5(caller, ip_of("127.0.0.1"), 32, keys[_i].caller), 0);
	ck_assert_int_eq(call(caller, "127.0.0.1", port_of(fd), keys[_i].meet ? 5000 : 300),
		keys[_i].meet ? 0 : -ETIMEDOUT);
	close(caller);
	close(fd);
}
END_TEST

START_TEST(test_md5_limits)
{
	char key[SOCKOPT_MD5_MAX + 2];
	int fd = bgp_socket(6);

	memset(key, 'k', sizeof(key));
	key[sizeof(key) - 1] = '\0';
	ck_assert_int_eq(bgp_socket_md5(fd, ip_of("2001:db8::1"), 128, key), -EINVAL);
	key[SOCKOPT_MD5_MAX] = '\0';
	ck_assert_int_eq(bgp_socket_md5(fd, ip_of("2001:db8::1"), 128, key), 0);
	ck_assert_int_eq(bgp_socket_md5(fd, ip_of("2001:db8::1"), 128, NULL), 0);
	ck_assert_int_eq(bgp_socket_md5(fd, ip_of("2001:db8::1"), 128, NULL), -ENOENT);
	close(fd);
}
END_TEST

/* A caller whose packets come with a TTL below 256 - hops is not heard. */
START_TEST(test_gtsm)
{
	int ttl = 64, fd, near = bgp_socket(4), far = bgp_socket(4);

	ck_assert_int_eq(bgp_socket_listen(ip_of("127.0.0.1"), 0, &fd), 0);
	ck_assert_int_eq(bgp_socket_gtsm(fd, 4, 1), 0);
	ck_assert_int_eq(setsockopt(far, IPPROTO_IP, IP_TTL, &ttl, sizeof(ttl)), 0);
	ck_assert_int_eq(call(near, "127.0.0.1", port_of(fd), 5000), 0);
	ck_assert_int_eq(call(far, "127.0.0.1", port_of(fd), 300), -ETIMEDOUT);
	close(near);
	close(far);
	close(fd);
}
END_TEST

START_TEST(test_reset)
{
	int fd, caller = bgp_socket(4), got;
	char c;

	ck_assert_int_eq(bgp_socket_listen(ip_of("127.0.0.1"), 0, &fd), 0);
	ck_assert_int_eq(call(caller, "127.0.0.1", port_of(fd), 5000), 0);
	got = accept(fd, NULL, NULL);
	ck_assert_int_ge(got, 0);
	socket_reset(got);
	ck_assert_int_eq(recv(caller, &c, 1, 0), -1);
	ck_assert_int_eq(errno, ECONNRESET);
	close(caller);
	close(fd);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("sockopt");
	TCase *tc = tcase_create("sockopt");

	tcase_add_test(tc, test_addresses);
	tcase_add_test(tc, test_options);
	tcase_add_loop_test(tc, test_listen, 0, 2);
	tcase_add_loop_test(tc, test_md5, 0, sizeof(keys) / sizeof(keys[0]));
	tcase_add_test(tc, test_md5_limits);
	tcase_add_test(tc, test_gtsm);
	tcase_add_test(tc, test_reset);
	tcase_set_timeout(tc, 30);
	suite_add_tcase(s, tc);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
