/* `quell check`: what a file says, in the words of an operator. */
#include "cli/check.h"

#include <errno.h>
#include <jansson.h>
#include <stdarg.h>
#include <string.h>

#include "config/config.h"
#include "registry/registry.h"

static const char *plural(size_t n)
{
	return n == 1 ? "" : "s";
}

static void add_lines(json_t *errors, char *lines)
{
	char *rest = lines, *line;

	while ((line = strsep(&rest, "\n")) != NULL)
		if (*line)
			json_array_append_new(errors, json_string(line));
}

/* --- what was understood --- */

static json_t *lines_new(void)
{
	return json_array();
}

static void __attribute__((format(printf, 2, 3))) say(json_t *lines, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	json_array_append_new(lines, json_vsprintf(fmt, ap));
	va_end(ap);
}

static void say_bgp(json_t *lines, const struct config *c)
{
	size_t ranges = 0, clients = 0;
	char id[IP_TEXT];

	if (!c->has_bgp) {
		say(lines, "no bgp: nothing for quelld");
		return;
	}
	for (uint32_t i = 0; i < c->neighbor_count; i++) {
		ranges += c->neighbors[i].address.family == 0;
		clients += c->neighbors[i].client;
	}
	say(lines,
		"BGP: AS %u, router id %s, %u neighbor%s (%zu by prefix, %zu client%s), %u "
		"address%s to listen on",
		c->as, ip_format(c->router_ip, id), c->neighbor_count, plural(c->neighbor_count),
		ranges, clients, plural(clients), c->listen_count,
		c->listen_count == 1 ? "" : "es");
}

static void say_agent(json_t *lines, const struct config_lan *lan)
{
	static const char *const unknown[] = {"dropped", "sponged", "policed", "flooded"};
	const struct config_agent *a = lan->agent;

	if (!a) {
		say(lines, "LAN %s: no agent here", lan->name);
		return;
	}
	if (a->all_ports)
		say(lines, "LAN %s: agent on bridge %s with %s, all ports, unknown targets %s",
			lan->name, a->bridge, a->vxlan, unknown[a->policy.unknown_target & 3]);
	else
		say(lines, "LAN %s: agent on bridge %s with %s, %u port%s, unknown targets %s",
			lan->name, a->bridge, a->vxlan, a->port_count, plural(a->port_count),
			unknown[a->policy.unknown_target & 3]);
}

static void say_lan(json_t *lines, const struct config_lan *lan, const struct registry *r)
{
	size_t macs = 0, ips = 0;
	char rt[RD_TEXT], rd[RD_TEXT];

	say(lines, "LAN %s: VNI %u, %u prefix%s, RD %s, route target %s%s", lan->name, lan->vni,
		lan->prefix_count, lan->prefix_count == 1 ? "" : "es", rd_format(lan->rd, rd),
		lan->route_target_count ? rt_format(lan->route_targets[0], rt) : "none",
		lan->import_auto ? " (and *:VNI in)" : "");
	if (!r) {
		say(lines, "LAN %s: no registry", lan->name);
	} else {
		for (size_t i = 0; i < r->port_count; i++) {
			macs += r->ports[i].mac_count;
			ips += r->ports[i].ip_count;
		}
		say(lines, "LAN %s: registry of %zu member%s, %zu port%s, %zu MAC%s, %zu address%s",
			lan->name, r->member_count, plural(r->member_count), r->port_count,
			plural(r->port_count), macs, plural(macs), ips, ips == 1 ? "" : "es");
	}
	say_agent(lines, lan);
}

/* A MAC of the exchange's own that somebody is registered with: he would be cut off. */
static void check_own_mac(json_t *errors, const struct config_lan *lan, const struct registry *r, const char *key,
	struct mac mac)
{
	const struct registry_port *p = mac_is_host(mac) ? registry_by_mac(r, mac) : NULL;
	char text[MAC_TEXT];

	if (p)
		json_array_append_new(errors, json_sprintf("LAN %s: agent.%s: %s is registered for AS%u", lan->name, key,
						      mac_format(mac, text), r->members[p->member].asn));
}

static void check_lan(json_t *lines, json_t *errors, const struct config_lan *lan)
{
	char err[REGISTRY_ERROR_MAX] = "";
	struct registry *r = NULL;

	if (lan->registry_count &&
		registry_load((const char *const *)lan->registry, lan->registry_count,
			&(struct registry_lan){lan->prefixes, lan->prefix_count, lan->vlan},
			&r, err) < 0) {
		add_lines(errors, err);
		return;
	}
	say_lan(lines, lan, r);
	if (r && lan->agent) {
		check_own_mac(errors, lan, r, "sponge.mac", lan->agent->sponge.mac);
		check_own_mac(errors, lan, r, "duplicate-ip.as-mac", lan->agent->duplicate_ip.as_mac);
	}
	registry_free(r);
}

/* --- the command --- */

static void print_lines(const json_t *lines, const char *indent, FILE *out)
{
	const json_t *line;
	size_t i;

	json_array_foreach(lines, i, line) fprintf(out, "%s%s\n", indent, json_string_value(line));
}

int check(const char *file, bool json, FILE *out, FILE *err)
{
	char text[CONFIG_ERROR_MAX] = "";
	json_t *lines = lines_new(), *errors = lines_new();
	struct config *c = NULL;
	int r = config_load(file, &c, text);

	if (r < 0 && !text[0])
		say(errors, "%s: %s", file, strerror(-r));
	add_lines(errors, text);
	if (r == 0) {
		say_bgp(lines, c);
		for (uint32_t i = 0; i < c->lan_count; i++)
			check_lan(lines, errors, &c->lans[i]);
		config_free(c);
	}
	bool ok = json_array_size(errors) == 0;
	if (json) {
		json_t *o = json_pack("{s:s, s:b, s:O, s:O}", "file", file, "ok", (int)ok, "errors",
			errors, "understood", lines);
		json_dumpf(o, out, JSON_INDENT(2));
		fputc('\n', out);
		json_decref(o);
	} else {
		print_lines(errors, "", err);
		if (ok) {
			fprintf(out, "%s is good\n", file);
			print_lines(lines, "  ", out);
		}
	}
	json_decref(lines);
	json_decref(errors);
	return ok ? 0 : 1;
}
