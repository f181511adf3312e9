/* The IX-F member export, schema 0.6, 0.7 and 1.0, as IXP Manager and others write it: who is whose.
 *
 *   version                            0.6 to 1.x
 *   ixp_list[].ixp_id                  a file may hold several exchanges
 *     vlan[].id, ipv4|ipv6.prefix, mask_length
 *                                      which of its VLANs is the LAN: the one with the LAN's prefixes. The id is that of a
 *                                      database, no 802.1Q tag.
 *     switch[].id, name
 *   member_list[].asnum, name, contact_email[]
 *     member_type (older: type)        ixp and routeserver are the exchange's own
 *     connection_list[].ixp_id
 *       state                          inactive: disabled; every other word: active
 *       if_list[].switch_id, if_speed  the first switch; the sum of the speeds
 *       vlan_list[].vlan_id
 *         ipv4|ipv6.address
 *         mac_addresses[]              of ipv4, ipv6 and (0.6) the VLAN itself; mac_address is read as well
 *         services[].type, service_type[]
 *                                      an ixrouteserver or ixroutecollector is the exchange's own
 *
 * There are no ports, no link-local addresses, and only what is connected; some exchanges leave out the MACs, private AS numbers, or
 * whole VLANs. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "registry/books.h"
#include "registry/json.h"

static const char *const families[BOOK_FAMILIES] = {"ipv4", "ipv6"};

/* Of an exchange: a VLAN, is it the LAN? Or a switch, with its name. */
struct ixf_id {
	uint32_t ixp, id;
	bool in_lan;
	const char *name;
};

struct ixf_ids {
	struct ixf_id *list;
	size_t count;
};

struct ixf {
	struct books *books;
	struct json_reader r;
	struct ixf_ids vlans, switches;
	bool has_prefixes, has_lan; /* some VLAN tells its prefixes; one of them is the LAN */
};

/* Looked for once a connection: an exchange has some hundred at most. */
#define IDS_MAX 4096

static void add_id(struct ixf *x, struct ixf_ids *to, struct ixf_id id)
{
	if (to->count == IDS_MAX) {
		json_say(&x->r, REGISTRY_ERROR, "", NULL, "more VLANs or switches than an exchange has");
		return;
	}
	if (!to->list && !(to->list = calloc(IDS_MAX, sizeof(*to->list))))
		abort();
	to->list[to->count++] = id;
}

/* Of that exchange, or else of any: a connection of IXP Manager with VLANs of several exchanges names only the last of them. */
static const struct ixf_id *find_id(const struct ixf_ids *ids, bool has_ixp, uint32_t ixp, uint32_t id)
{
	const struct ixf_id *other = NULL;

	for (size_t i = 0; i < ids->count; i++) {
		const struct ixf_id *x = &ids->list[i];
		if (x->id == id && has_ixp && x->ixp == ixp)
			return x;
		if (x->id == id && !(other && other->in_lan))
			other = x;
	}
	return other;
}

/* --- which VLAN is the LAN --- */

static bool overlap(const struct prefix *a, const struct prefix *b)
{
	return a->len <= b->len ? prefix_contains(a, b->ip) : prefix_contains(b, a->ip);
}

/* Has this VLAN, at the reader's path, a prefix of the LAN's in that family? */
static bool is_lan_prefix(struct ixf *x, const json_t *vlan, int family)
{
	const struct registry_lan *lan = x->books->b->lan;
	const json_t *o = json_map(&x->r, vlan, families[family]);
	uint8_t bits = family == BOOK_IPV4 ? 32 : 128;
	struct ip ip = {0};
	uint32_t len = 0;
	bool found = false;

	size_t mark = json_enter(&x->r, families[family]);
	bool has = json_ip(&x->r, o, "prefix", family == BOOK_IPV4 ? 4 : 6, &ip);
	if (json_uint(&x->r, o, "mask_length", bits, &len) && has) {
		for (unsigned bit = len; bit < bits; bit++)
			ip.b[bit / 8] &= (uint8_t) ~(0x80 >> bit % 8);
		struct prefix p = {.ip = ip, .len = (uint8_t)len};
		x->has_prefixes = true;
		for (size_t i = 0; i < lan->prefix_count; i++)
			found = found || (lan->prefixes[i].ip.family == ip.family && overlap(&p, &lan->prefixes[i]));
	}
	json_leave(&x->r, mark);
	return found;
}

static void read_vlans(struct ixf *x, const json_t *ixp, uint32_t ixp_id)
{
	const json_t *list = json_list(&x->r, ixp, "vlan"), *v;
	size_t i, top = json_enter(&x->r, "vlan");

	json_array_foreach(list, i, v) {
		size_t mark = json_enter_item(&x->r, i);
		struct ixf_id id = {.ixp = ixp_id};
		if (json_is_map(&x->r, v)) {
			bool has = json_uint(&x->r, v, "id", UINT32_MAX, &id.id);
			bool v4 = is_lan_prefix(x, v, BOOK_IPV4), v6 = is_lan_prefix(x, v, BOOK_IPV6);
			id.in_lan = v4 || v6;
			x->has_lan = x->has_lan || (has && id.in_lan);
			if (has)
				add_id(x, &x->vlans, id);
		}
		json_leave(&x->r, mark);
	}
	json_leave(&x->r, top);
}

static void read_switches(struct ixf *x, const json_t *ixp, uint32_t ixp_id)
{
	const json_t *list = json_list(&x->r, ixp, "switch"), *v;
	size_t i, top = json_enter(&x->r, "switch");

	json_array_foreach(list, i, v) {
		size_t mark = json_enter_item(&x->r, i);
		struct ixf_id id = {.ixp = ixp_id};
		if (json_is_map(&x->r, v)) {
			bool has = json_uint(&x->r, v, "id", UINT32_MAX, &id.id);
			id.name = json_text(&x->r, v, "name");
			if (has && id.name)
				add_id(x, &x->switches, id);
		}
		json_leave(&x->r, mark);
	}
	json_leave(&x->r, top);
}

static void read_exchanges(struct ixf *x, const json_t *root)
{
	const json_t *list = json_list(&x->r, root, "ixp_list"), *v;
	size_t i, top = json_enter(&x->r, "ixp_list");

	json_array_foreach(list, i, v) {
		size_t mark = json_enter_item(&x->r, i);
		uint32_t id = 0;
		if (json_is_map(&x->r, v)) {
			json_uint(&x->r, v, "ixp_id", UINT32_MAX, &id);
			read_vlans(x, v, id);
			read_switches(x, v, id);
		}
		json_leave(&x->r, mark);
	}
	json_leave(&x->r, top);
	if (x->books->b->lan->prefix_count && x->has_prefixes && !x->has_lan)
		build_say(x->books->b, REGISTRY_NOTE, "ixp_list", NULL,
			"no VLAN has the LAN's prefixes: who is in it is told by the addresses");
}

/* --- members --- */

struct connection {
	bool has_ixp;
	uint32_t ixp, speed_mbps;
	const char *sw;
	enum registry_status status;
};

/* Is one of the exchange's services in the list? In 0.7 they are words, in 1.0 objects with a type. */
static bool has_service(struct ixf *x, const json_t *o, const char *key)
{
	const json_t *list = json_list(&x->r, o, key), *v;
	bool found = false;
	size_t i, top = json_enter(&x->r, key);

	json_array_foreach(list, i, v) {
		size_t mark = json_enter_item(&x->r, i);
		const char *type = json_string_value(v);
		if (!type && json_is_map(&x->r, v))
			type = json_text(&x->r, v, "type");
		found = found || (type && (strcmp(type, "ixrouteserver") == 0 || strcmp(type, "ixroutecollector") == 0));
		json_leave(&x->r, mark);
	}
	json_leave(&x->r, top);
	return found;
}

/* One family of a VLAN. Returns whether a service of the exchange is there. */
static bool read_family(struct ixf *x, const json_t *vlan, int family, struct book_entry *e)
{
	static const char *const addresses[] = {"ipv4.address", "ipv6.address"},
				 *const macs[] = {"ipv4.mac_addresses", "ipv6.mac_addresses"},
				 *const mac[] = {"ipv4.mac_address", "ipv6.mac_address"};
	const json_t *o = json_map(&x->r, vlan, families[family]);

	size_t mark = json_enter(&x->r, families[family]);
	e->list[family] = addresses[family];
	if (json_ip(&x->r, o, "address", family == BOOK_IPV4 ? 4 : 6, &e->ips[family])) {
		book_macs(&x->r, o, "mac_addresses", macs[family], e);
		book_macs(&x->r, o, "mac_address", mac[family], e);
	}
	bool service = has_service(x, o, "services"), service_type = has_service(x, o, "service_type");
	json_leave(&x->r, mark);
	return service || service_type;
}

static bool is_in_lan(const struct ixf *x, const struct connection *c, const struct book_entry *e, bool has_id, uint32_t id)
{
	const struct ixf_id *vlan = x->has_lan && has_id ? find_id(&x->vlans, c->has_ixp, c->ixp, id) : NULL;

	if (vlan)
		return vlan->in_lan;
	for (int f = 0; f < BOOK_FAMILIES; f++)
		if (e->ips[f].family && build_in_lan(x->books->b->lan, e->ips[f]))
			return true;
	return false;
}

static void read_member_vlan(
	struct ixf *x, const json_t *v, const struct connection *c, const struct book_member *said)
{
	struct book_entries *to = &x->books->who;
	struct book_entry *e = books_entry(x->books, to);
	uint32_t id = 0;

	if (!e)
		return;
	snprintf(e->where, sizeof(e->where), "%.*s", (int)sizeof(e->where) - 1, x->r.path);
	e->sw = c->sw;
	e->speed_mbps = c->speed_mbps;
	e->status = c->status;
	bool has_id = json_uint(&x->r, v, "vlan_id", UINT32_MAX, &id);
	bool service4 = read_family(x, v, BOOK_IPV4, e), service6 = read_family(x, v, BOOK_IPV6, e);
	book_macs(&x->r, v, "mac_addresses", "mac_addresses", e);
	book_macs(&x->r, v, "mac_address", "mac_address", e);
	if (!is_in_lan(x, c, e, has_id, id)) {
		to->count--;
		return;
	}
	/* A member is there only when it has something in this LAN; it comes again with every connection. */
	e->member = books_member(x->books, said->asn, said->name);
	struct book_member *m = x->books->members[e->member];
	if (!m->said) {
		uint32_t index = m->index;
		*m = *said;
		m->index = index;
		m->said = true;
	}
	m->exchange = m->exchange || said->exchange || service4 || service6;
}

static void read_interfaces(struct ixf *x, const json_t *connection, struct connection *c)
{
	const json_t *list = json_list(&x->r, connection, "if_list"), *v;
	size_t i, top = json_enter(&x->r, "if_list");
	uint64_t sum = 0;

	json_array_foreach(list, i, v) {
		size_t mark = json_enter_item(&x->r, i);
		uint32_t id, speed = 0;
		if (json_is_map(&x->r, v)) {
			if (json_uint(&x->r, v, "switch_id", UINT32_MAX, &id) && !c->sw) {
				const struct ixf_id *sw = find_id(&x->switches, c->has_ixp, c->ixp, id);
				c->sw = sw ? sw->name : NULL;
			}
			json_uint(&x->r, v, "if_speed", UINT32_MAX, &speed);
			sum += speed;
		}
		json_leave(&x->r, mark);
	}
	json_leave(&x->r, top);
	c->speed_mbps = sum > UINT32_MAX ? UINT32_MAX : (uint32_t)sum;
}

static void read_connection(struct ixf *x, const json_t *o, const struct book_member *said)
{
	const json_t *list = json_list(&x->r, o, "vlan_list"), *v;
	struct connection c = {.status = REGISTRY_ACTIVE};
	const char *state = json_text(&x->r, o, "state");
	size_t i;

	c.has_ixp = json_uint(&x->r, o, "ixp_id", UINT32_MAX, &c.ixp);
	if (state && strcmp(state, "inactive") == 0)
		c.status = REGISTRY_DISABLED;
	read_interfaces(x, o, &c);
	size_t top = json_enter(&x->r, "vlan_list");
	json_array_foreach(list, i, v) {
		size_t mark = json_enter_item(&x->r, i);
		if (json_is_map(&x->r, v))
			read_member_vlan(x, v, &c, said);
		json_leave(&x->r, mark);
	}
	json_leave(&x->r, top);
}

static void read_contacts(struct ixf *x, const json_t *o, struct book_member *m)
{
	const json_t *v = json_object_get(o, "contact_email"), *item;
	size_t i;

	if (json_string_length(v))
		m->contacts[m->contact_count++] = json_string_value(v);
	if (json_is_string(v))
		return;
	const json_t *list = json_list(&x->r, o, "contact_email");
	size_t top = json_enter(&x->r, "contact_email");
	json_array_foreach(list, i, item) {
		size_t mark = json_enter_item(&x->r, i);
		if (!json_is_string(item) && !json_is_null(item))
			json_say(&x->r, REGISTRY_ERROR, "", item, "expected text");
		if (json_string_length(item) && m->contact_count < REGISTRY_CONTACTS)
			m->contacts[m->contact_count++] = json_string_value(item);
		json_leave(&x->r, mark);
	}
	json_leave(&x->r, top);
}

static void read_member(struct ixf *x, const json_t *o)
{
	const char *type = json_text(&x->r, o, "member_type"), *name = json_text(&x->r, o, "name");
	struct book_member said = {.name = name ? name : ""};
	const json_t *list = json_list(&x->r, o, "connection_list"), *v;
	size_t i;

	if (!type)
		type = json_text(&x->r, o, "type");
	if (type)
		snprintf(said.type, sizeof(said.type), "%s", registry_type_is_known(type) ? type : "other");
	said.exchange = registry_type_is_exchange(said.type);
	read_contacts(x, o, &said);
	const json_t *asn = json_object_get(o, "asnum");
	if (json_uint(&x->r, o, "asnum", UINT32_MAX, &said.asn) ? !said.asn : !asn || json_is_null(asn))
		json_say(&x->r, REGISTRY_ERROR, "asnum", asn, "expected an AS number");
	if (!said.asn)
		return;
	size_t top = json_enter(&x->r, "connection_list");
	json_array_foreach(list, i, v) {
		size_t mark = json_enter_item(&x->r, i);
		if (json_is_map(&x->r, v))
			read_connection(x, v, &said);
		json_leave(&x->r, mark);
	}
	json_leave(&x->r, top);
}

/* --- the file --- */

static void check_version(struct ixf *x, const json_t *root)
{
	const json_t *v = json_object_get(root, "version");
	char text[16] = "";
	unsigned major, minor;
	int end = 0;

	if (json_is_string(v))
		snprintf(text, sizeof(text), "%s", json_string_value(v));
	else if (json_is_number(v))
		snprintf(text, sizeof(text), "%.1f", json_number_value(v));
	if (sscanf(text, "%2u.%2u%n", &major, &minor, &end) != 2 || text[end] ||
		!((major == 0 && minor >= 6) || major == 1))
		json_say(&x->r, REGISTRY_ERROR, "version", v, "expected 0.6, 0.7 or 1.0");
	else if (major == 1 && minor > 0)
		json_say(&x->r, REGISTRY_NOTE, "version", v, "not known: read as 1.0");
}

void registry_ixf_read(struct books *books, const json_t *root)
{
	struct ixf x = {.books = books, .r = {.b = books->b}};
	size_t i, before = books->who.count;
	const json_t *list = json_list(&x.r, root, "member_list"), *v;

	books->has_ixf = true;
	check_version(&x, root);
	if (!list)
		json_say(&x.r, REGISTRY_ERROR, "member_list", NULL, "expected a list");
	read_exchanges(&x, root);
	size_t top = json_enter(&x.r, "member_list");
	json_array_foreach(list, i, v) {
		size_t mark = json_enter_item(&x.r, i);
		if (json_is_map(&x.r, v))
			read_member(&x, v);
		json_leave(&x.r, mark);
	}
	json_leave(&x.r, top);
	free(x.vlans.list);
	free(x.switches.list);
	if (json_array_size(list) && books->who.count == before)
		build_say(books->b, REGISTRY_NOTE, "member_list", NULL, "nobody in this LAN");
}
