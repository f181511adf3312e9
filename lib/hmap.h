/* A hash map of pointers, open addressing with linear probing and backward-shift deletion.
 *
 * The map holds pointers to the caller's entries and 32 bits of each hash; the entries themselves, with their
 * keys, belong to the caller. Hash with siphash() wherever the key is somebody else's choice. A look-up
 * passes the hash and the key; `eq` compares a key with an entry. 12 octets a slot, at most 4/5 full.
 * Adding may move slots, so no entry may be added while hmap_foreach() runs; removing the current one is fine
 * only through hmap_sweep().
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Hash and entry side by side, so that a look-up waits for one cache line, and packed, so that it costs no more memory
 * than two arrays. */
struct hmap_slot {
	uint32_t hash; /* 0: empty */
	void *entry;
} __attribute__((packed));

struct hmap {
	struct hmap_slot *slot;
	size_t mask; /* slots - 1; 0 with slot == NULL: nothing allocated yet */
	size_t count, room; /* so many are in, so many may be before it grows */
	bool (*eq)(const void *entry, const void *key);
};

void hmap_init(struct hmap *m, bool (*eq)(const void *entry, const void *key));
/* Frees the slots, never the entries. */
void hmap_free(struct hmap *m);

/* Tells the processor that this hash will be looked up soon. In a large map every look-up is a wait for memory;
 * those of several keys can overlap: prefetch all, then look up. */
static inline void hmap_prefetch(const struct hmap *m, uint64_t hash)
{
	if (m->slot)
		__builtin_prefetch(&m->slot[hash & m->mask]);
}

/* The entry that is probably the one, to be prefetched in its turn, or NULL. Nothing of it has been read. */
void *hmap_guess(const struct hmap *m, uint64_t hash);
void *hmap_get(const struct hmap *m, uint64_t hash, const void *key);
/* The caller knows that no equal entry is there. 0 or -ENOMEM. */
int hmap_add(struct hmap *m, uint64_t hash, void *entry);
/* Takes the equal entry out and returns it, or NULL. */
void *hmap_del(struct hmap *m, uint64_t hash, const void *key);
/* Makes room for `count` entries in all. 0 or -ENOMEM. */
int hmap_reserve(struct hmap *m, size_t count);
/* Takes out (without freeing) every entry for which drop() is true; drop() may free it. Returns how many. */
size_t hmap_sweep(struct hmap *m, bool (*drop)(void *entry, void *arg), void *arg);

/* The next used slot at or after *at, or NULL; for hmap_foreach(). */
void *hmap_next(const struct hmap *m, size_t *at);

/* The same below slot `end`, for a walk in parts: entries may be added and removed in between, and then one that has moved may be
 * met twice or not at all. The walk is over when *at is beyond hmap_slots(). */
void *hmap_next_below(const struct hmap *m, size_t *at, size_t end);
static inline size_t hmap_slots(const struct hmap *m)
{
	return m->slot ? m->mask + 1 : 0;
}

#define hmap_foreach(m, var)                                                                       \
	for (size_t hmap_at_##var = 0; ((var) = hmap_next((m), &hmap_at_##var)) != NULL;           \
		hmap_at_##var++)
