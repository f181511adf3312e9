/* IXP Manager's vlan/N/ip-addresses: {"ipv4": [{"id", "address", "vid", "vliid"}], "ipv6": [...]}: all addresses that it knows of a
 * VLAN. Those of no VLAN interface are nobody's.
 *
 *   address  only those in the LAN's prefixes: the file does not say of which VLAN number it is
 *   vliid    (older: vli_id) null: nobody's. The key must be there: without it all of them would seem to be, and the sponge
 *            would answer for members.
 */
#include <stdio.h>

#include "registry/books.h"
#include "registry/json.h"

static void read_address(struct books *books, struct json_reader *r, const json_t *o, const char *list, uint32_t index,
	uint8_t family)
{
	const char *key = json_object_get(o, "vliid") ? "vliid" : "vli_id";
	const json_t *owner = json_object_get(o, key), *address = json_object_get(o, "address");
	struct ip ip = {0};
	uint32_t id;

	if (!json_string_length(address))
		json_say(r, REGISTRY_ERROR, "address", address, "expected an address");
	else
		json_ip(r, o, "address", family, &ip);
	if (!owner)
		json_say(r, REGISTRY_ERROR, "", NULL, "expected vliid, or vli_id");
	else if (json_is_string(owner) && json_string_length(owner) == 0)
		json_say(r, REGISTRY_ERROR, key, owner, "expected a number or null");
	else if (!json_is_null(owner))
		json_uint(r, o, key, UINT32_MAX, &id);
	else if (ip.family && build_in_lan(books->b->lan, ip))
		build_unassigned(books->b, list, index, ip);
}

static void read_list(struct books *books, const json_t *root, const char *key, uint8_t family)
{
	struct json_reader r = {.b = books->b};
	const json_t *list = json_list(&r, root, key), *v;
	size_t i, top = json_enter(&r, key);

	json_array_foreach(list, i, v) {
		size_t mark = json_enter_item(&r, i);
		if (json_is_map(&r, v))
			read_address(books, &r, v, key, (uint32_t)i, family);
		json_leave(&r, mark);
	}
	json_leave(&r, top);
}

void registry_addresses_read(struct books *books, const json_t *root)
{
	read_list(books, root, "ipv4", 4);
	read_list(books, root, "ipv6", 6);
}
