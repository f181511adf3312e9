/* The sockets of BGP: addresses, and the options that a session needs.
 *
 *   TCP MD5 (RFC 2385)   a key for one address, or for a prefix on a listening socket
 *   GTSM (RFC 5082)      leaves with TTL 255, takes nothing below 256 - hops
 *   DSCP CS6             routing traffic goes before the flood that we are here to stop
 *
 * None of them needs a capability. Functions return 0 or -errno and log nothing.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "lib/ip.h"

#define SOCKOPT_MD5_MAX 80 /* octets of a key */

socklen_t sockaddr_of(struct ip ip, uint16_t port, struct sockaddr_storage *ret);
/* family 0 if it is neither IPv4 nor IPv6; an IPv4-mapped address is IPv4. */
struct ip sockaddr_ip(const struct sockaddr_storage *sa);
/* The socket's own address, family 0 if it has none. */
struct ip socket_local_ip(int fd);
/* Of both ends; 0: not known. */
void socket_ports(int fd, uint16_t *ret_local, uint16_t *ret_remote);

/* A non-blocking TCP socket of the address's family with what every BGP socket has; or -errno. */
int bgp_socket(uint8_t ip_family);
/* Nothing from further than `hops` hops is taken; 1: the neighbour is on the link; 0: from anywhere. */
int bgp_socket_gtsm(int fd, uint8_t ip_family, uint8_t hops);
/* prefix_len 32 or 128: that address alone. `key` NULL removes it. */
int bgp_socket_md5(int fd, struct ip ip, uint8_t prefix_len, const char *key);
/* Bound and listening; -errno. */
int bgp_socket_listen(struct ip ip, uint16_t port, int *ret_fd);
/* Closes with a reset, leaving no TIME_WAIT behind: for callers who have no business here. */
void socket_reset(int fd);
