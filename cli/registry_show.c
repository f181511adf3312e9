/* `quell registry show`: who is registered where. */
#include <config.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/registry.h"
#include "cli/registry_put.h"
#include "lib/table.h"

static const char *const status_words[] = {[REGISTRY_ACTIVE] = "active",
	[REGISTRY_QUARANTINE] = "quarantine",
	[REGISTRY_DISABLED] = "disabled"};

/* --- what is asked for --- */

static bool has_mac(const struct registry_port *p, struct mac mac)
{
	for (int i = 0; i < p->mac_count; i++)
		if (mac_eq(p->macs[i], mac))
			return true;
	return false;
}

static bool has_ip(const struct registry_port *p, struct ip ip)
{
	for (int i = 0; i < p->ip_count; i++)
		if (ip_eq(p->ips[i], ip))
			return true;
	return false;
}

static bool narrows_ports(const struct registry_options *o)
{
	return !mac_is_zero(o->mac) || o->ip.family || o->port;
}

static bool wants_port(const struct registry_options *o, const struct registry_port *p)
{
	return (mac_is_zero(o->mac) || has_mac(p, o->mac)) && (!o->ip.family || has_ip(p, o->ip)) &&
	       (!o->port || strcmp(o->port, p->port) == 0);
}

static bool wants_member(const struct registry_options *o, const struct registry_member *m)
{
	return !o->asn || o->asn == m->asn;
}

/* --- for people --- */

static void cell_speed(struct table *t, uint32_t mbps)
{
	char text[24];

	if (mbps && mbps % 1000 == 0)
		snprintf(text, sizeof(text), "%uG", mbps / 1000);
	else
		snprintf(text, sizeof(text), "%uM", mbps);
	table_cell(t, mbps ? text : "");
}

/* A row for each MAC or address; whose they are stands in the first. */
static void put_rows(
	struct table *t, const struct registry_member *m, const struct registry_port *p)
{
	int macs = p ? p->mac_count : 0, ips = p ? p->ip_count : 0, rows = macs > ips ? macs : ips;
	char text[64];

	for (int i = 0; i < (rows ? rows : 1); i++) {
		snprintf(text, sizeof(text), "AS%u", m->asn);
		table_cell(t, i ? " " : m->asn ? text : "");
		table_cell(t, i ? " " : m->name);
		table_cell(t, i ? " " : m->type[0] ? m->type : m->exchange ? "exchange" : "");
		table_cell(t, i ? " " : p ? p->port : "");
		table_cell(t, i ? " " : p && p->pe ? ip_format(ip_v4_u32(p->pe), text) : "");
		table_cell(t, i ? " " : p ? p->sw : "");
		if (i)
			table_cell(t, " ");
		else
			cell_speed(t, p ? p->speed_mbps : 0);
		table_cell(t, i ? " " : p ? status_words[p->status] : "");
		if (!i && p && p->status != REGISTRY_ACTIVE)
			table_paint(t, WARN);
		bool former = i < macs && i >= macs - p->former_count;
		if (i < macs)
			snprintf(text, sizeof(text), "%.17s%s",
				mac_format(p->macs[i], (char[MAC_TEXT]){0}),
				former ? " former" : "");
		table_cell(t, i < macs ? text : i ? " " : "");
		if (former)
			table_paint(t, DIM);
		table_cell(t, i < ips ? ip_format(p->ips[i], text) : i ? " " : "");
	}
}

void registry_show_table(const struct registry *r, const struct registry_options *o, bool colour)
{
	static const struct table_column columns[] = {{"AS", true}, {"NAME", false},
		{"TYPE", false}, {"PORT", false}, {"PE", false}, {"SWITCH", false}, {"SPEED", true},
		{"STATUS", false}, {"MAC", false}, {"ADDRESS", false}};
	struct table *t = table_new(columns, sizeof(columns) / sizeof(columns[0]));
	bool *placed = calloc(r->member_count + 1, sizeof(*placed));

	for (size_t i = 0; placed && i < r->port_count; i++) {
		const struct registry_port *p = &r->ports[i];
		const struct registry_member *m = &r->members[p->member];
		placed[p->member] = true;
		if (wants_member(o, m) && wants_port(o, p))
			put_rows(t, m, p);
	}
	for (size_t i = 0; placed && i < r->member_count; i++)
		if (!placed[i] && !narrows_ports(o) && wants_member(o, &r->members[i]))
			put_rows(t, &r->members[i], NULL);
	table_print(t, stdout, colour, "nobody");
	if (o->ip.family && registry_is_unassigned(r, o->ip))
		puts("nobody's: it is in the exchange's books, and given to nobody");
	table_free(t);
	free(placed);
}

/* --- for machines: as the file has it --- */

static json_t *macs_of(const struct registry_port *p, int from, int to)
{
	json_t *list = json_array();
	char text[MAC_TEXT];

	for (int i = from; i < to; i++)
		json_array_append_new(list, json_string(mac_format(p->macs[i], text)));
	return list;
}

static json_t *port_json(const struct registry_port *p)
{
	int current = p->mac_count - p->former_count;
	json_t *o = json_object(), *ips = json_array();
	char text[IP_TEXT];

	if (p->port[0])
		json_object_set_new(o, "port", json_string(p->port));
	if (p->pe)
		json_object_set_new(o, "pe", json_string(ip_format(ip_v4_u32(p->pe), text)));
	if (p->sw[0])
		json_object_set_new(o, "switch", json_string(p->sw));
	if (p->speed_mbps)
		json_object_set_new(o, "speed", json_integer(p->speed_mbps));
	json_object_set_new(o, "status", json_string(status_words[p->status]));
	json_object_set_new(o, "router", json_boolean(p->router));
	json_object_set_new(o, "macs", macs_of(p, 0, current));
	json_object_set_new(o, "former-macs", macs_of(p, current, p->mac_count));
	for (int i = 0; i < p->ip_count; i++)
		json_array_append_new(ips, json_string(ip_format(p->ips[i], text)));
	json_object_set_new(o, "addresses", ips);
	return o;
}

static json_t *member_json(
	const struct registry *r, uint32_t member, const struct registry_options *o)
{
	const struct registry_member *m = &r->members[member];
	json_t *ports = json_array(), *contacts = json_array();
	size_t has = 0;

	for (size_t i = 0; i < r->port_count; i++) {
		has += r->ports[i].member == member;
		if (r->ports[i].member == member && wants_port(o, &r->ports[i]))
			json_array_append_new(ports, port_json(&r->ports[i]));
	}
	for (uint32_t i = 0; i < m->contact_count; i++)
		json_array_append_new(contacts, json_string(m->contacts[i]));
	if (!json_array_size(ports) && (has || narrows_ports(o))) {
		json_decref(ports);
		json_decref(contacts);
		return NULL;
	}
	return json_pack("{s:I, s:s, s:s, s:b, s:o, s:o}", "asn", (json_int_t)m->asn, "name",
		m->name, "type", m->type, "exchange", m->exchange, "contacts", contacts, "ports",
		ports);
}

json_t *registry_show_json(const struct registry *r, const struct registry_options *o)
{
	json_t *members = json_array(), *unassigned = json_array();
	char text[IP_TEXT];

	for (size_t i = 0; i < r->member_count; i++) {
		json_t *m = wants_member(o, &r->members[i]) ? member_json(r, (uint32_t)i, o) : NULL;
		if (m)
			json_array_append_new(members, m);
	}
	for (size_t i = 0; i < r->unassigned_count; i++)
		if (!o->ip.family || ip_eq(o->ip, r->unassigned[i]))
			json_array_append_new(
				unassigned, json_string(ip_format(r->unassigned[i], text)));
	return json_pack("{s:o, s:o}", "members", members, "unassigned", unassigned);
}

/* --- the command --- */

static int show_files(const struct registry_options *o, const char *const *files, size_t count,
	struct registry_lan lan)
{
	const char *no_colour = getenv("NO_COLOR");
	char why[REGISTRY_ERROR_MAX] = "";
	struct registry *r = NULL;
	int rc = registry_load(files, count, &lan, &r, why);

	if (rc < 0) {
		fprintf(stderr, "%s%s%s\n", why[0] ? why : files[0], why[0] ? "" : ": ",
			why[0] ? "" : strerror(-rc));
		return 1;
	}
	if (o->json)
		registry_dump(registry_show_json(r, o));
	else
		registry_show_table(r, o, isatty(STDOUT_FILENO) && !(no_colour && no_colour[0]));
	registry_free(r);
	return 0;
}

static int show_lan(const struct registry_options *o, const struct config_lan *lan)
{
	if (lan->registry_count)
		return show_files(o, (const char *const *)lan->registry, lan->registry_count,
			registry_lan_of(lan));
	fprintf(stderr, "quell: LAN %s has no registry\n", lan->name);
	return 1;
}

static bool is_file(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

/* The one LAN that there is, if none is named. */
int registry_do_show(const struct registry_options *o, const char *word)
{
	struct config *c;
	int r = 1;

	if (word && is_file(word))
		return show_files(o, &word, 1, (struct registry_lan){0});
	if (!(c = registry_config(o)))
		return 1;
	for (uint32_t i = 0; i < c->lan_count; i++)
		if (word ? strcmp(c->lans[i].name, word) == 0 : c->lan_count == 1) {
			r = show_lan(o, &c->lans[i]);
			config_free(c);
			return r;
		}
	if (word)
		fprintf(stderr, "quell: no such file, and no such LAN in %s: %s\n", c->file, word);
	else
		fprintf(stderr, "quell: %s: %u LANs: say which\n", c->file, c->lan_count);
	config_free(c);
	return 1;
}
