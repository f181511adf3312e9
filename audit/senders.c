/* Who sent: a row a source MAC. */
#include <stdlib.h>
#include <string.h>

#include "audit/state.h"
#include "lib/siphash.h"

static uint64_t hash_of(struct mac mac)
{
	return siphash(siphash_process_key(), mac.b, 6);
}

static bool eq(const void *entry, const void *key)
{
	return memcmp(((const struct audit_sender_row *)entry)->s.mac.b, key, 6) == 0;
}

void audit_senders_init(struct audit_state *st)
{
	hmap_init(&st->senders, eq);
}

void audit_senders_free(struct audit_state *st)
{
	struct audit_sender_row *row;

	hmap_foreach (&st->senders, row) {
		free(row->answered);
		free(row);
	}
	hmap_free(&st->senders);
}

static void know(struct audit *a, struct audit_sender_row *row)
{
	struct audit_state *st = a->state;
	const struct layout_mac *m = tables_mac(&st->tables, AUDIT_LAN, row->s.mac.b);

	if (!m)
		return;
	if (m->flags & MAC_SELF) {
		row->exchange_own = true;
		return;
	}
	row->place = m->ifindex;
	row->s.registered = registry_by_mac(a->registry, row->s.mac);
}

struct audit_sender_row *audit_sender_of(struct audit *a, struct mac mac, uint32_t port, int64_t ns)
{
	struct audit_state *st = a->state;
	struct audit_sender_row **near = &st->near_sender[(mac.b[5] | mac.b[4] << 8) % AUDIT_NEAR], *row = *near;

	if (row && mac_eq(row->s.mac, mac))
		return row;
	uint64_t hash = hash_of(mac);
	row = hmap_get(&st->senders, hash, mac.b);
	if (row)
		return *near = row;
	/* Whom the registry knows finds room also after a flood of made-up MACs: else he would pass unjudged. */
	bool room = st->senders.count < st->max_senders || tables_mac(&st->tables, AUDIT_LAN, mac.b);
	row = room ? calloc(1, sizeof(*row)) : NULL;
	if (!row || hmap_add(&st->senders, hash, row) < 0) {
		free(row);
		a->senders_more++;
		return NULL;
	}
	row->s = (struct audit_sender){.mac = mac, .port = port, .first_ns = ns, .last_ns = ns};
	know(a, row);
	return *near = row;
}

static int most_first(const void *x, const void *y)
{
	const struct audit_sender *a = x, *b = y;

	if (a->group.frames != b->group.frames)
		return a->group.frames < b->group.frames ? 1 : -1;
	if (a->all.frames != b->all.frames)
		return a->all.frames < b->all.frames ? 1 : -1;
	return memcmp(a->mac.b, b->mac.b, 6);
}

void audit_senders_close(struct audit *a)
{
	struct audit_sender_row *row;

	free(a->senders);
	a->sender_count = 0;
	a->senders = calloc(a->state->senders.count + 1, sizeof(*a->senders));
	if (!a->senders)
		return;
	hmap_foreach (&a->state->senders, row)
		if (row->s.all.frames)
			a->senders[a->sender_count++] = row->s;
	qsort(a->senders, a->sender_count, sizeof(*a->senders), most_first);
}
