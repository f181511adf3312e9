/* IXP Manager's provisioner/layer2interfaces of one switch: which port is whose, and with which MACs. The right source of ports.
 *
 *   {"layer2interfaces": [{"type": "edge", "name": "swp1", "description", "status", "shutdown", "speed", "dot1q",
 *      "virtualinterfaceid", "lagframing", "lagindex", "lagmaster", "lagmembers": [],
 *      "vlans": [{"number": 100, "macaddresses": [], "ipaddresses": {"ipv4", "ipv6"}}]}]}
 *
 *   type            only edge ports are members'
 *   name            the interface
 *   description     the member's name, where IX-F does not have the member
 *   status          connected: active; quarantine; disabled, notconnected and awaitingxconnect: disabled. A LAG some of whose ports
 *                   are in quarantine and none connected is "notconnected" and yet not shut down: quarantine. Older versions say
 *                   only `shutdown`.
 *   lagmaster       the LAG's interface is the port that matters; its members repeat the same VLANs, and only their speeds
 *                   are added up, by virtualinterfaceid
 *   vlans[].number  the LAN's VLAN; if that is not configured, those whose addresses are in the LAN's prefixes
 *   macaddresses, ipaddresses
 *
 * dot1q says whether frames are tagged on the port, which is the switch's business. There is no AS number here.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "registry/books.h"
#include "registry/json.h"

/* A port of a LAG. */
struct lag_port {
	uint32_t vi, speed_mbps;
};

struct layer2 {
	struct books *books;
	struct json_reader r;
	uint32_t pe;
	const char *sw;
	struct lag_port *lag_ports; /* in order */
	size_t lag_port_count;
};

static int lag_cmp(const void *a, const void *b)
{
	const struct lag_port *x = a, *y = b;

	return (x->vi > y->vi) - (x->vi < y->vi);
}

static bool is_lag_port(struct layer2 *l, const json_t *o)
{
	return json_object_get(o, "lagmaster") && !json_flag(&l->r, o, "lagmaster", true);
}

static uint32_t lag_speed(const struct layer2 *l, uint32_t vi)
{
	uint64_t sum = 0;
	size_t low = 0, high = l->lag_port_count;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		if (l->lag_ports[mid].vi < vi)
			low = mid + 1;
		else
			high = mid;
	}
	for (; low < l->lag_port_count && l->lag_ports[low].vi == vi; low++)
		sum += l->lag_ports[low].speed_mbps;
	return sum > UINT32_MAX ? UINT32_MAX : (uint32_t)sum;
}

static const struct {
	const char *word;
	enum registry_status status;
} words[] = {
	{"connected", REGISTRY_ACTIVE},
	{"quarantine", REGISTRY_QUARANTINE},
	{"disabled", REGISTRY_DISABLED},
	{"notconnected", REGISTRY_DISABLED},
	{"awaitingxconnect", REGISTRY_DISABLED},
};

static enum registry_status read_status(struct layer2 *l, const json_t *o)
{
	const char *text = json_text(&l->r, o, "status");
	bool shut = json_flag(&l->r, o, "shutdown", false);

	if (!text)
		return shut ? REGISTRY_DISABLED : REGISTRY_ACTIVE;
	if (strcmp(text, "notconnected") == 0 && json_object_get(o, "shutdown") && !shut)
		return REGISTRY_QUARANTINE;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(text, words[i].word) == 0)
			return words[i].status;
	json_say(&l->r, REGISTRY_ERROR, "status", json_object_get(o, "status"),
		"expected connected, quarantine, disabled, notconnected or awaitingxconnect");
	return REGISTRY_DISABLED;
}

static bool is_in_lan(const struct books *books, const struct book_entry *e, uint32_t number)
{
	const struct registry_lan *lan = books->b->lan;

	if (lan->vlan && number)
		return number == lan->vlan;
	if (books->private_vlans[number / 8] & 1 << number % 8)
		return false;
	for (int f = 0; f < BOOK_FAMILIES; f++)
		if (e->ips[f].family && build_in_lan(lan, e->ips[f]))
			return true;
	return false;
}

/* The VLAN at the reader's path, of the interface `of`. */
static void read_vlan(struct layer2 *l, const json_t *v, const struct book_entry *of)
{
	struct book_entries *to = &l->books->where;
	struct book_entry *e = books_entry(l->books, to);
	uint32_t number = 0;

	if (!e)
		return;
	*e = *of;
	snprintf(e->where, sizeof(e->where), "%.*s", (int)sizeof(e->where) - 1, l->r.path);
	e->list[BOOK_IPV4] = "ipaddresses.ipv4";
	e->list[BOOK_IPV6] = "ipaddresses.ipv6";
	if (!json_uint(&l->r, v, "number", BOOK_VLANS_MAX - 1, &number))
		json_uint(&l->r, v, "tag", BOOK_VLANS_MAX - 1, &number);
	book_macs(&l->r, v, "macaddresses", "macaddresses", e);
	const json_t *ips = json_map(&l->r, v, "ipaddresses");
	size_t mark = json_enter(&l->r, "ipaddresses");
	json_ip(&l->r, ips, "ipv4", 4, &e->ips[BOOK_IPV4]);
	json_ip(&l->r, ips, "ipv6", 6, &e->ips[BOOK_IPV6]);
	json_leave(&l->r, mark);
	if (!is_in_lan(l->books, e, number))
		to->count--;
}

static void read_port(struct layer2 *l, const json_t *o)
{
	const char *type = json_text(&l->r, o, "type");
	struct book_entry of = {.source = l->books->b->source, .pe = l->pe, .sw = l->sw};
	const json_t *vlans = json_list(&l->r, o, "vlans"), *v;
	uint32_t vi = 0;
	size_t i;

	if (type && strcmp(type, "edge") != 0 && strcmp(type, "core") != 0)
		json_say(&l->r, REGISTRY_ERROR, "type", json_object_get(o, "type"), "expected edge or core");
	if ((type && strcmp(type, "edge") != 0) || is_lag_port(l, o))
		return;
	of.port = json_text(&l->r, o, "name");
	if (!of.port)
		json_say(&l->r, REGISTRY_NOTE, "name", NULL, "none: the port is not known");
	else if (strlen(of.port) >= sizeof(((struct registry_port *)NULL)->port))
		json_say(&l->r, REGISTRY_ERROR, "name", json_object_get(o, "name"), "longer than an interface's name");
	of.name = json_text(&l->r, o, "description");
	of.status = read_status(l, o);
	json_uint(&l->r, o, "virtualinterfaceid", UINT32_MAX, &vi);
	if (!json_uint(&l->r, o, "speed", UINT32_MAX, &of.speed_mbps) && json_flag(&l->r, o, "lagmaster", false))
		of.speed_mbps = lag_speed(l, vi);
	size_t mark = json_enter(&l->r, "vlans");
	json_array_foreach(vlans, i, v) {
		size_t at = json_enter_item(&l->r, i);
		if (json_is_map(&l->r, v))
			read_vlan(l, v, &of);
		json_leave(&l->r, at);
	}
	json_leave(&l->r, mark);
}

static void read_lag_ports(struct layer2 *l, const json_t *list)
{
	const json_t *o;
	size_t i;

	l->lag_ports = calloc(json_array_size(list) + 1, sizeof(*l->lag_ports));
	if (!l->lag_ports)
		abort();
	json_array_foreach(list, i, o) {
		struct lag_port *p = &l->lag_ports[l->lag_port_count];
		size_t mark = json_enter_item(&l->r, i);
		if (json_is_map(&l->r, o) && is_lag_port(l, o) &&
			json_uint(&l->r, o, "virtualinterfaceid", UINT32_MAX, &p->vi) &&
			json_uint(&l->r, o, "speed", UINT32_MAX, &p->speed_mbps))
			l->lag_port_count++;
		json_leave(&l->r, mark);
	}
	qsort(l->lag_ports, l->lag_port_count, sizeof(*l->lag_ports), lag_cmp);
}

void registry_layer2_read(struct books *books, const json_t *root, uint32_t pe, const char *sw)
{
	struct layer2 l = {.books = books, .r = {.b = books->b}, .pe = pe, .sw = sw};
	const json_t *list = json_object_get(root, "layer2interfaces"), *o;
	size_t i, before = books->where.count, top = json_enter(&l.r, "layer2interfaces");

	/* Elsewhere what is null is not there; here it would be a switch without members. */
	if (!json_is_array(list))
		json_say(&l.r, REGISTRY_ERROR, "", list, "expected a list");
	read_lag_ports(&l, list);
	json_array_foreach(list, i, o) {
		size_t mark = json_enter_item(&l.r, i);
		if (json_is_object(o))
			read_port(&l, o);
		json_leave(&l.r, mark);
	}
	json_leave(&l.r, top);
	free(l.lag_ports);
	if (json_is_array(list) && books->where.count == before)
		build_say(books->b, REGISTRY_NOTE, "layer2interfaces", NULL,
			json_array_size(list) ? "nothing of this LAN" : "no interfaces at all");
}
