/* The `http` part: where the daemons show themselves. What they show names every member and what each does, so it stays on this
 * box unless the file says otherwise in so many words. */
#include <stdlib.h>
#include <string.h>

#include "config/parts.h"

#define ENDPOINT_TEXT 64

/* "127.0.0.1:9179", "[::1]:9179". */
static bool read_endpoint(const char *text, struct config_endpoint *ret)
{
	const char *colon = strrchr(text, ':');
	size_t len = colon ? (size_t)(colon - text) : 0;
	char address[ENDPOINT_TEXT], *end;
	bool bracket = *text == '[';

	if (!len || len >= sizeof(address) || !colon[1] || strspn(colon + 1, "0123456789") != strlen(colon + 1))
		return false;
	if (bracket && (len < 3 || text[len - 1] != ']'))
		return false;
	memcpy(address, text + bracket, len - 2 * bracket);
	address[len - 2 * bracket] = '\0';
	unsigned long port = strtoul(colon + 1, &end, 10);
	struct ip ip;
	if (strlen(colon + 1) > 5 || !port || port > UINT16_MAX || ip_parse(address, &ip) < 0 ||
		(ip.family == 6) != bracket)
		return false;
	*ret = (struct config_endpoint){ip, (uint16_t)port};
	return true;
}

static void endpoint(struct convert *cv, const char *key, const char *text, bool open,
	struct config_endpoint *ret)
{
	if (!text)
		return;
	if (!read_endpoint(text, ret))
		convert_error(cv, key,
			"'%s': expected an address and a port, such as \"127.0.0.1:9179\" or \"[::1]:9179\"",
			text);
	else if (!open && !ip_is_loopback(ret->ip))
		convert_error(cv, key,
			"'%s': not a loopback address: anybody who can reach it could look; public: true says that "
			"this is meant",
			text);
}

/* Letters, digits, hyphens and dots, in lower case: what a browser sends as Host. */
static bool is_host(const char *text)
{
	return *text && strlen(text) <= 253 &&
	       strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-.") == strlen(text);
}

static void hosts(struct convert *cv, const struct raw_list *raw, struct config_http *h)
{
	h->host_count = raw->count;
	h->hosts = convert_array(raw->count, sizeof(*h->hosts));
	for (uint32_t i = 0; i < raw->count; i++) {
		if (!is_host(raw->items[i]))
			convert_error(cv, "hosts", "'%s': expected a host name in lower case, without a port",
				raw->items[i]);
		h->hosts[i] = convert_copy(raw->items[i]);
	}
}

void config_http(struct convert *cv, const struct raw_http *raw, struct config *c)
{
	struct config_http *h = &c->http;

	convert_at(cv, "%s", "http");
	h->open = raw->open;
	endpoint(cv, "quelld", raw->quelld, h->open, &h->quelld);
	endpoint(cv, "agent", raw->agent, h->open, &h->agent);
	if (h->quelld.port && h->quelld.port == h->agent.port && ip_eq(h->quelld.ip, h->agent.ip))
		convert_error(cv, "agent", "'%s': quelld listens there", raw->agent);
	hosts(cv, &raw->hosts, h);
}

void config_http_free(struct config *c)
{
	for (uint32_t i = 0; i < c->http.host_count; i++)
		free(c->http.hosts[i]);
	free(c->http.hosts);
}
