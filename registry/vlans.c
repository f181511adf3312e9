/* IXP Manager's provisioner/vlans: {"vlans": [{"name", "tag", "private", "config_name"}]}.
 *
 *   tag      (or number) the VLAN's number; is the LAN's own among them?
 *   private  a VLAN of a few members among themselves: its addresses are theirs to choose, also those of the LAN, so that a port
 *            is not told to be in the LAN by them
 */
#include <stdio.h>

#include "registry/books.h"
#include "registry/json.h"

void registry_vlans_read(struct books *books, const json_t *root)
{
	struct json_reader r = {.b = books->b};
	uint32_t wanted = books->b->lan->vlan;
	const json_t *list = json_list(&r, root, "vlans"), *v;
	bool found = false;
	size_t i, top = json_enter(&r, "vlans");

	json_array_foreach(list, i, v) {
		size_t mark = json_enter_item(&r, i);
		uint32_t tag = 0;
		if (json_is_map(&r, v)) {
			if (!json_uint(&r, v, "tag", BOOK_VLANS_MAX - 1, &tag))
				json_uint(&r, v, "number", BOOK_VLANS_MAX - 1, &tag);
			if (json_flag(&r, v, "private", false) && tag)
				books->private_vlans[tag / 8] |= (uint8_t)(1 << tag % 8);
			found = found || (tag && tag == wanted);
		}
		json_leave(&r, mark);
	}
	json_leave(&r, top);
	if (wanted && list && !found)
		build_say(books->b, REGISTRY_NOTE, "vlans", NULL, "the LAN's VLAN is not among them");
}
