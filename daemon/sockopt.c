#define _GNU_SOURCE
#include "daemon/sockopt.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <unistd.h>

#define LISTEN_BACKLOG 128
#define TTL_MAX 255
#define DSCP_CS6 0xc0 /* as the whole octet */

socklen_t sockaddr_of(struct ip ip, uint16_t port, struct sockaddr_storage *ret)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)ret;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)ret;

	memset(ret, 0, sizeof(*ret));
	if (ip.family == 4) {
		v4->sin_family = AF_INET;
		v4->sin_port = htons(port);
		memcpy(&v4->sin_addr, ip.b, 4);
		return sizeof(*v4);
	}
	v6->sin6_family = AF_INET6;
	v6->sin6_port = htons(port);
	memcpy(&v6->sin6_addr, ip.b, 16);
	return sizeof(*v6);
}

struct ip sockaddr_ip(const struct sockaddr_storage *sa)
{
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)sa;
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)sa;

	if (sa->ss_family == AF_INET)
		return ip_v4((const uint8_t *)&v4->sin_addr);
	if (sa->ss_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr))
		return ip_v4((const uint8_t *)&v6->sin6_addr + 12);
	if (sa->ss_family == AF_INET6)
		return ip_v6((const uint8_t *)&v6->sin6_addr);
	return (struct ip){0};
}

struct ip socket_local_ip(int fd)
{
	struct sockaddr_storage sa;
	socklen_t len = sizeof(sa);

	if (getsockname(fd, (struct sockaddr *)&sa, &len) < 0)
		return (struct ip){0};
	return sockaddr_ip(&sa);
}

static uint16_t port_of(const struct sockaddr_storage *sa)
{
	if (sa->ss_family == AF_INET)
		return ntohs(((const struct sockaddr_in *)sa)->sin_port);
	return sa->ss_family == AF_INET6 ? ntohs(((const struct sockaddr_in6 *)sa)->sin6_port) : 0;
}

void socket_ports(int fd, uint16_t *ret_local, uint16_t *ret_remote)
{
	struct sockaddr_storage sa;
	socklen_t len = sizeof(sa);

	*ret_local = getsockname(fd, (struct sockaddr *)&sa, &len) < 0 ? 0 : port_of(&sa);
	len = sizeof(sa);
	*ret_remote = getpeername(fd, (struct sockaddr *)&sa, &len) < 0 ? 0 : port_of(&sa);
}

static int set_int(int fd, int level, int name, int value)
{
	return setsockopt(fd, level, name, &value, sizeof(value)) < 0 ? -errno : 0;
}

int bgp_socket(uint8_t ip_family)
{
	int fd = socket(
		ip_family == 4 ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int err;

	if (fd < 0)
		return -errno;
	err = set_int(fd, IPPROTO_TCP, TCP_NODELAY, 1);
	/* Always 255: a listener does not know who calls when it sends its SYN-ACK, and the caller
	 * may use GTSM. */
	if (!err && ip_family == 4)
		err = set_int(fd, IPPROTO_IP, IP_TTL, TTL_MAX);
	if (!err && ip_family == 6)
		err = set_int(fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS, TTL_MAX);
	if (err) {
		close(fd);
		return err;
	}
	/* A network where these are refused still has its sessions. */
	if (ip_family == 4)
		set_int(fd, IPPROTO_IP, IP_TOS, DSCP_CS6);
	else
		set_int(fd, IPPROTO_IPV6, IPV6_TCLASS, DSCP_CS6);
	return fd;
}

int bgp_socket_gtsm(int fd, uint8_t ip_family, uint8_t hops)
{
	int least = hops ? TTL_MAX + 1 - hops : 0;

	if (ip_family == 4)
		return set_int(fd, IPPROTO_IP, IP_MINTTL, least);
	return set_int(fd, IPPROTO_IPV6, IPV6_MINHOPCOUNT, least);
}

int bgp_socket_md5(int fd, struct ip ip, uint8_t prefix_len, const char *key)
{
	struct tcp_md5sig sig;
	struct sockaddr_storage sa;
	size_t len = key ? strlen(key) : 0;
	bool whole = prefix_len == ip_len(ip) * 8;

	if (len > SOCKOPT_MD5_MAX)
		return -EINVAL;
	memset(&sig, 0, sizeof(sig));
	sockaddr_of(ip, 0, &sa);
	memcpy(&sig.tcpm_addr, &sa, sizeof(sig.tcpm_addr));
	if (!whole) {
		sig.tcpm_flags = TCP_MD5SIG_FLAG_PREFIX;
		sig.tcpm_prefixlen = prefix_len;
	}
	sig.tcpm_keylen = (uint16_t)len;
	if (key)
		memcpy(sig.tcpm_key, key, len);
	int rc =
		setsockopt(fd, IPPROTO_TCP, whole ? TCP_MD5SIG : TCP_MD5SIG_EXT, &sig, sizeof(sig));
	int err = rc < 0 ? -errno : 0;
	explicit_bzero(&sig, sizeof(sig));
	return err;
}

int bgp_socket_listen(struct ip ip, uint16_t port, int *ret_fd)
{
	struct sockaddr_storage sa;
	socklen_t len = sockaddr_of(ip, port, &sa);
	int fd = bgp_socket(ip.family);
	int err;

	if (fd < 0)
		return fd;
	err = set_int(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	if (!err && ip.family == 6)
		err = set_int(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
	if (!err && bind(fd, (struct sockaddr *)&sa, len) < 0)
		err = -errno;
	if (!err && listen(fd, LISTEN_BACKLOG) < 0)
		err = -errno;
	if (err) {
		close(fd);
		return err;
	}
	*ret_fd = fd;
	return 0;
}

void socket_reset(int fd)
{
	struct linger now = {.l_onoff = 1, .l_linger = 0};

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	close(fd);
}
