/* The `bgp` part: our own speaker and its neighbours. Password files are read here, so that a file that cannot be read is an
 * error of the configuration, and so that the daemon may drop its privileges afterwards. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/parts.h"
#include "config/words.h"

#define NAME_OCTETS 63  /* bgp/speaker.h */
#define PASSWORD_MAX 80 /* the kernel's TCP_MD5SIG_MAXKEYLEN */

/* Octets, at most `cap`; or -errno. Anything but a regular file could keep a daemon with open sessions waiting. */
static ssize_t read_file(const char *path, char *buf, size_t cap)
{
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct stat st;
	size_t len = 0;
	ssize_t n = 1;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0)
		n = -errno;
	else if (!S_ISREG(st.st_mode))
		n = -EINVAL;
	while (n > 0 && len < cap) {
		n = read(fd, buf + len, cap - len);
		if (n < 0)
			n = errno == EINTR ? 1 : -errno;
		else
			len += (size_t)n;
	}
	close(fd);
	return n < 0 ? n : (ssize_t)len;
}

static void read_password(struct convert *cv, struct config_neighbor *n)
{
	char line[PASSWORD_MAX + 2];
	ssize_t got = read_file(n->password_file, line, sizeof(line));

	if (got < 0) {
		convert_error(cv, "password-file", "%s: %s", n->password_file,
			got == -EINVAL ? "not a regular file" : strerror((int)-got));
		return;
	}
	size_t len = (size_t)got;
	char *nl = memchr(line, '\n', len);
	size_t key = nl ? (size_t)(nl - line) : len;
	if (key == 0 || key > PASSWORD_MAX || (nl && nl + 1 != line + len) || memchr(line, 0, key))
		convert_error(cv, "password-file", "%s: expected one line of 1 - %d characters",
			n->password_file, PASSWORD_MAX);
	else if (!(n->password = strndup(line, key)))
		abort();
	explicit_bzero(line, sizeof(line));
}

static void capabilities(struct convert *cv, const struct raw_neighbor *raw, const struct config *c,
	struct config_neighbor *n)
{
	int profile = 0;

	n->role_strict = raw->role_strict;
	n->otc = raw->otc;
	n->rt_constrain = raw->rt_constrain;
	n->control_communities = raw->control_communities;
	convert_word(cv, "role", raw->role, config_role_words, &n->role);
	if ((n->role_strict || n->otc) && !raw->role)
		convert_error(cv, n->otc ? "otc" : "role-strict", "goes with role only");
	convert_word(cv, "add-path", raw->add_path, config_add_path_words, &n->add_path);
	convert_number(cv, "long-lived-time", raw->long_lived_time, 1, 16777215, &n->llgr_time);
	if (n->llgr_time && !c->restart_time)
		convert_error(cv, "long-lived-time", "needs a restart-time above 0");
	convert_word(cv, "profile", raw->profile, config_profile_words, &profile);
	n->conservative = profile == 1;
}

static int32_t hold_time(struct convert *cv, const uint32_t *said, int32_t otherwise)
{
	if (said && *said != 0 && (*said < 3 || *said > 65535))
		convert_error(cv, "hold-time", "%u: expected 0 or 3 - 65535", *said);
	return said && *said <= 65535 ? (int32_t)*said : otherwise;
}

static void neighbor(struct convert *cv, const struct raw_neighbor *raw, const struct config *c,
	struct config_neighbor *n)
{
	uint32_t hops = 0;

	n->client = raw->client;
	n->passive = raw->passive;
	n->shutdown = raw->shutdown;
	n->name = convert_copy(raw->name);
	n->remote_as = raw->remote_as ? raw->remote_as : c->as;
	n->max = 64;
	n->connect_retry = 5;
	if (!raw->address == !raw->prefix)
		convert_error(cv, "", "expected either address or prefix");
	if (raw->name && strlen(raw->name) > NAME_OCTETS)
		convert_error(cv, "name", "longer than %d octets", NAME_OCTETS);
	convert_ip(cv, "address", raw->address, &n->address);
	convert_prefix(cv, "prefix", raw->prefix, &n->prefix);
	if (ip_is_multicast(n->address) || (n->address.family && ip_is_unspecified(n->address)))
		convert_error(cv, "address", "'%s': not an address of a neighbor", raw->address);
	if (raw->max && raw->address)
		convert_error(cv, "max", "goes with prefix only");
	convert_number(cv, "max", raw->max, 1, 10000, &n->max);
	n->hold_time = hold_time(cv, raw->hold_time, -1);
	convert_number(cv, "connect-retry", raw->connect_retry, 1, 3600, &n->connect_retry);
	convert_number(cv, "max-routes", raw->max_routes, 1, UINT32_MAX, &n->max_routes);
	convert_number(cv, "stale-time", raw->stale_time, 1, 86400, &n->stale_time);
	convert_number(cv, "ttl-security", raw->ttl_security, 1, 254, &hops);
	n->ttl_security = (uint8_t)hops;
	capabilities(cv, raw, c, n);
	if (n->control_communities && (!n->client || n->remote_as == c->as))
		convert_error(cv, "control-communities", "goes with a client of another AS only");
	n->password_file = convert_copy(raw->password_file);
	if (n->password_file)
		read_password(cv, n);
}

static void station(struct convert *cv, const struct raw_bmp *raw, struct config_bmp *b)
{
	uint32_t port = 11019;

	b->name = convert_copy(raw->name);
	b->policy = 1;
	b->connect_retry = 30;
	b->queue = 64;
	b->stats_interval = raw->stats_interval ? *raw->stats_interval : 300;
	convert_ip(cv, "address", raw->address, &b->address);
	if (ip_is_multicast(b->address) || (b->address.family && ip_is_unspecified(b->address)))
		convert_error(cv, "address", "'%s': not an address of a station", raw->address);
	convert_number(cv, "port", raw->port, 1, 65535, &port);
	b->port = (uint16_t)port;
	convert_word(cv, "policy", raw->policy, config_bmp_policy_words, &b->policy);
	if (b->stats_interval > 86400)
		convert_error(cv, "stats-interval", "%u: expected 0 - 86400", b->stats_interval);
	convert_number(cv, "connect-retry", raw->connect_retry, 1, 720, &b->connect_retry);
	convert_number(cv, "queue", raw->queue, 1, 4095, &b->queue);
}

static void stations(struct convert *cv, const struct raw_bgp *raw, struct config *c)
{
	c->bmp = convert_array(raw->bmp_count, sizeof(*c->bmp));
	c->bmp_count = raw->bmp_count;
	for (uint32_t i = 0; i < c->bmp_count; i++) {
		convert_at(cv, "bgp.bmp[%u]", i);
		station(cv, &raw->bmp[i], &c->bmp[i]);
		for (uint32_t k = 0; k < i; k++)
			if (ip_eq(c->bmp[k].address, c->bmp[i].address) &&
				c->bmp[k].port == c->bmp[i].port)
				convert_error(cv, "address", "given already in bgp.bmp[%u]", k);
	}
}

static void check_twice(struct convert *cv, const struct config *c, uint32_t at)
{
	const struct config_neighbor *n = &c->neighbors[at];

	for (uint32_t i = 0; i < at; i++) {
		const struct config_neighbor *o = &c->neighbors[i];
		if (n->address.family ? ip_eq(n->address, o->address)
				      : !o->address.family && n->prefix.len == o->prefix.len &&
						ip_eq(n->prefix.ip, o->prefix.ip)) {
			convert_error(cv, n->address.family ? "address" : "prefix",
				"given already in bgp.neighbors[%u]", i);
			return;
		}
	}
}

void config_bgp(struct convert *cv, const struct raw_bgp *raw, struct config *c)
{
	uint32_t port = 179;
	struct ip cluster = c->router_ip;

	convert_at(cv, "bgp");
	c->has_bgp = true;
	c->as = raw->as;
	if (!raw->as || raw->as == 23456)
		convert_error(cv, "as", "%u: expected an AS number", raw->as);
	convert_number(cv, "port", raw->port, 1, 65535, &port);
	c->port = (uint16_t)port;
	convert_ipv4(cv, "cluster-id", raw->cluster_id, &cluster);
	c->cluster_id = ip_to_u32(cluster);
	c->hold_time = (uint32_t)hold_time(cv, raw->hold_time, 90);
	c->restart_time = raw->restart_time ? *raw->restart_time : 120;
	if (c->restart_time > 4095)
		convert_error(cv, "restart-time", "%u: expected 0 - 4095", c->restart_time);
	c->defer_time = raw->defer_time ? *raw->defer_time : 30;
	if (c->defer_time > 3600)
		convert_error(cv, "defer-time", "%u: expected 0 - 3600", c->defer_time);
	c->listen = convert_array(raw->listen.count, sizeof(*c->listen));
	c->listen_count = raw->listen.count;
	for (uint32_t i = 0; i < c->listen_count; i++) {
		char key[24];
		snprintf(key, sizeof(key), "listen[%u]", i);
		convert_ip(cv, key, raw->listen.items[i], &c->listen[i]);
	}
	c->neighbors = convert_array(raw->neighbors_count, sizeof(*c->neighbors));
	c->neighbor_count = raw->neighbors_count;
	for (uint32_t i = 0; i < c->neighbor_count; i++) {
		convert_at(cv, "bgp.neighbors[%u]", i);
		neighbor(cv, &raw->neighbors[i], c, &c->neighbors[i]);
		check_twice(cv, c, i);
	}
	stations(cv, raw, c);
}

void config_bgp_free(struct config *c)
{
	for (uint32_t i = 0; i < c->neighbor_count; i++) {
		struct config_neighbor *n = &c->neighbors[i];
		if (n->password)
			explicit_bzero(n->password, strlen(n->password));
		free(n->password);
		free(n->password_file);
		free(n->name);
		config_import_free(&n->import);
	}
	config_import_free(&c->import);
	for (uint32_t i = 0; i < c->bmp_count; i++)
		free(c->bmp[i].name);
	free(c->bmp);
	free(c->neighbors);
	free(c->listen);
}
