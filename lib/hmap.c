#include "lib/hmap.h"

#include <errno.h>
#include <stdlib.h>

#define MIN_SLOTS 16

void hmap_init(struct hmap *m, bool (*eq)(const void *entry, const void *key))
{
	*m = (struct hmap){.eq = eq};
}

void hmap_free(struct hmap *m)
{
	free(m->slot);
	hmap_init(m, m->eq);
}

/* What stands in the table for a hash: 0 means empty there. */
static uint32_t mark_of(uint64_t hash)
{
	return (uint32_t)hash ? (uint32_t)hash : 1;
}

static void put(struct hmap *m, uint32_t mark, void *entry)
{
	size_t i = mark & m->mask;

	while (m->slot[i].hash)
		i = (i + 1) & m->mask;
	m->slot[i] = (struct hmap_slot){mark, entry};
}

static int resize(struct hmap *m, size_t slots)
{
	struct hmap n = *m;

	n.slot = calloc(slots, sizeof(*n.slot));
	n.mask = slots - 1;
	n.room = slots / 5 * 4;
	if (!n.slot)
		return -ENOMEM;
	for (size_t i = 0; m->slot && i <= m->mask; i++)
		if (m->slot[i].hash)
			put(&n, m->slot[i].hash, m->slot[i].entry);
	free(m->slot);
	*m = n;
	return 0;
}

int hmap_reserve(struct hmap *m, size_t count)
{
	size_t slots = m->slot ? m->mask + 1 : MIN_SLOTS;

	if (m->slot && count <= m->room)
		return 0;
	while (slots / 5 * 4 < count)
		slots *= 2;
	return resize(m, slots);
}

static size_t find(const struct hmap *m, uint64_t hash, const void *key)
{
	uint32_t mark = mark_of(hash);

	if (!m->slot)
		return SIZE_MAX;
	for (size_t i = mark & m->mask; m->slot[i].hash; i = (i + 1) & m->mask)
		if (m->slot[i].hash == mark && m->eq(m->slot[i].entry, key))
			return i;
	return SIZE_MAX;
}

void *hmap_guess(const struct hmap *m, uint64_t hash)
{
	uint32_t mark = mark_of(hash);

	if (!m->slot)
		return NULL;
	for (size_t i = mark & m->mask; m->slot[i].hash; i = (i + 1) & m->mask)
		if (m->slot[i].hash == mark)
			return m->slot[i].entry;
	return NULL;
}

void *hmap_get(const struct hmap *m, uint64_t hash, const void *key)
{
	size_t i = find(m, hash, key);

	return i == SIZE_MAX ? NULL : m->slot[i].entry;
}

int hmap_add(struct hmap *m, uint64_t hash, void *entry)
{
	int r = hmap_reserve(m, m->count + 1);

	if (r < 0)
		return r;
	put(m, mark_of(hash), entry);
	m->count++;
	return 0;
}

/* Closes the gap at i: whatever stands behind it and may stand nearer to its home moves up. */
static void remove_at(struct hmap *m, size_t i)
{
	for (size_t j = (i + 1) & m->mask; m->slot[j].hash; j = (j + 1) & m->mask) {
		size_t home = m->slot[j].hash & m->mask;
		if (((j - home) & m->mask) >= ((j - i) & m->mask)) {
			m->slot[i] = m->slot[j];
			i = j;
		}
	}
	m->slot[i].hash = 0;
	m->count--;
}

void *hmap_del(struct hmap *m, uint64_t hash, const void *key)
{
	size_t i = find(m, hash, key);

	if (i == SIZE_MAX)
		return NULL;
	void *entry = m->slot[i].entry;
	remove_at(m, i);
	return entry;
}

/* A removal moves entries up into the gap, and those at the end of the table may wrap. Starting behind an
 * empty slot and walking once round, nothing ever moves to a place already passed. */
size_t hmap_sweep(struct hmap *m, bool (*drop)(void *entry, void *arg), void *arg)
{
	size_t dropped = 0, start = 0;

	if (!m->slot)
		return 0;
	while (m->slot[start].hash)
		start++;
	for (size_t n = 1; n <= m->mask;) {
		size_t i = (start + n) & m->mask;
		if (m->slot[i].hash && drop(m->slot[i].entry, arg)) {
			remove_at(m, i);
			dropped++;
		} else {
			n++;
		}
	}
	return dropped;
}

void *hmap_next_below(const struct hmap *m, size_t *at, size_t end)
{
	if (end > hmap_slots(m))
		end = hmap_slots(m);
	for (; *at < end; ++*at)
		if (m->slot[*at].hash)
			return m->slot[*at].entry;
	return NULL;
}

void *hmap_next(const struct hmap *m, size_t *at)
{
	return hmap_next_below(m, at, SIZE_MAX);
}
