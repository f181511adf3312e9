#include "registry/books.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/siphash.h"
#include "registry/json.h"

struct member_key {
	uint32_t asn;
	const char *name;
};

static bool member_eq(const void *entry, const void *key)
{
	const struct book_member *m = entry;
	const struct member_key *k = key;

	return m->asn == k->asn && (m->asn || strcmp(m->name, k->name) == 0);
}

void books_init(struct books *books, struct build *b)
{
	*books = (struct books){.b = b};
	hmap_init(&books->by_key, member_eq);
}

void books_free(struct books *books)
{
	for (size_t i = 0; i < books->member_count; i++)
		free(books->members[i]);
	free(books->members);
	hmap_free(&books->by_key);
	free(books->who.list);
	free(books->where.list);
}

uint32_t books_member(struct books *books, uint32_t asn, const char *name)
{
	struct member_key key = {asn, name ? name : ""};
	uint64_t hash = asn ? siphash(siphash_process_key(), &asn, sizeof(asn))
			    : siphash(siphash_process_key(), key.name, strlen(key.name));
	struct book_member *m = hmap_get(&books->by_key, hash, &key);

	if (m)
		return m->index;
	if (books->member_count == books->member_room) {
		books->member_room = books->member_room ? 2 * books->member_room : 64;
		books->members = realloc(books->members, books->member_room * sizeof(struct book_member *));
	}
	m = calloc(1, sizeof(*m));
	if (!m || !books->members || hmap_add(&books->by_key, hash, m) < 0)
		abort();
	m->asn = asn;
	m->name = key.name;
	m->index = (uint32_t)books->member_count;
	books->members[books->member_count++] = m;
	return m->index;
}

struct book_entry *books_entry(struct books *books, struct book_entries *to)
{
	if (to->count == BOOK_ENTRIES_MAX) {
		build_say(books->b, REGISTRY_ERROR, "", NULL, "more than 65536 entries");
		return NULL;
	}
	if (to->count == to->room) {
		to->room = to->room ? 2 * to->room : 64;
		to->list = realloc(to->list, to->room * sizeof(*to->list));
		if (!to->list)
			abort();
	}
	struct book_entry *e = &to->list[to->count++];
	*e = (struct book_entry){.source = books->b->source};
	return e;
}

static void add_mac(struct json_reader *r, const json_t *v, const char *list, uint32_t index, struct book_entry *e)
{
	struct mac mac;

	if (json_is_null(v) || (json_is_string(v) && json_string_length(v) == 0))
		return;
	if (!json_is_string(v) || mac_parse(json_string_value(v), &mac) < 0) {
		json_say(r, REGISTRY_ERROR, "", v, "expected a MAC address");
		return;
	}
	for (uint32_t i = 0; i < e->mac_count; i++)
		if (mac_eq(e->macs[i].mac, mac))
			return;
	if (e->mac_count == BOOK_MACS)
		json_say(r, REGISTRY_CONFLICT, "", v, "more MACs than a port may have");
	else
		e->macs[e->mac_count++] = (struct book_mac){mac, list, index};
}

void book_macs(struct json_reader *r, const json_t *o, const char *key, const char *list, struct book_entry *e)
{
	const json_t *v = json_object_get(o, key), *item;
	size_t mark, i;

	if (json_is_string(v)) {
		mark = json_enter(r, key);
		add_mac(r, v, list, 0, e);
		json_leave(r, mark);
		return;
	}
	const json_t *macs = json_list(r, o, key);
	mark = json_enter(r, key);
	json_array_foreach(macs, i, item) {
		size_t at = json_enter_item(r, i);
		add_mac(r, item, list, (uint32_t)i, e);
		json_leave(r, at);
	}
	json_leave(r, mark);
}
