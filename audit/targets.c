/* What was asked for, and by whom: a row an address, and in it the callers. Probes and DAD are not calls, nor is who announces himself. */
#include <stdlib.h>
#include <string.h>

#include "audit/state.h"
#include "lib/siphash.h"

#define CALLERS_IN_ALL_MAX (1u << 20)

static uint64_t hash_of(struct ip ip)
{
	return siphash(siphash_process_key(), &ip, sizeof(ip));
}

static bool eq(const void *entry, const void *key)
{
	return ip_eq(((const struct audit_target_row *)entry)->t.ip, *(const struct ip *)key);
}

void audit_targets_init(struct audit_state *st)
{
	hmap_init(&st->targets, eq);
}

void audit_targets_free(struct audit_state *st)
{
	struct audit_target_row *row;

	hmap_foreach (&st->targets, row) {
		free(row->callers);
		free(row);
	}
	hmap_free(&st->targets);
}

/* Link-local addresses are of every LAN. A family without prefixes: of the LAN, too, if there are none at all. */
bool audit_in_prefixes(const struct audit_state *st, struct ip ip)
{
	for (size_t i = 0; i < st->prefix_count; i++)
		if (prefix_contains(&st->prefixes[i], ip))
			return true;
	return st->prefix_count == 0 || (ip.family == 6 && ip_is_link_local(ip));
}

static struct audit_target_row *row_of(struct audit *a, struct ip ip)
{
	struct audit_state *st = a->state;
	const uint8_t *low = ip.family == 4 ? ip.b + 2 : ip.b + 14;
	struct audit_target_row **near = &st->near_target[(low[1] ^ low[0] << 8 ^ (ip.family == 4) << 10) % AUDIT_NEAR], *row = *near;

	if (row && ip_eq(row->t.ip, ip))
		return row;
	uint64_t hash = hash_of(ip);
	row = hmap_get(&st->targets, hash, &ip);
	if (row)
		return *near = row;
	row = st->targets.count < st->max_targets ? calloc(1, sizeof(*row)) : NULL;
	if (!row || hmap_add(&st->targets, hash, row) < 0) {
		free(row);
		a->targets_more++;
		return NULL;
	}
	row->t.ip = ip;
	return *near = row;
}

/* Who calls is put in front: he calls again. */
static void called_by(struct audit_state *st, struct audit_target_row *row, struct mac mac)
{
	for (uint32_t i = 0; i < row->count; i++) {
		if (!mac_eq(row->callers[i].mac, mac))
			continue;
		row->callers[i].calls++;
		if (i) {
			struct audit_target_caller c = row->callers[i];
			row->callers[i] = row->callers[i / 2];
			row->callers[i / 2] = c;
		}
		return;
	}
	if (row->count == row->room) {
		uint32_t room = row->room ? row->room * 2 : 4;
		void *more = NULL;
		if (room <= AUDIT_TARGET_CALLERS_MAX && st->callers + row->room < CALLERS_IN_ALL_MAX)
			more = realloc(row->callers, room * sizeof(*row->callers));
		if (!more) {
			row->t.more_calls++;
			return;
		}
		st->callers += room - row->room;
		row->callers = more;
		row->room = room;
	}
	row->callers[row->count++] = (struct audit_target_caller){mac, 1};
}

static bool asks(enum frame_class c)
{
	return c == CLASS_ARP_REQUEST || c == CLASS_ARP_UNICAST || c == CLASS_NS || c == CLASS_NS_UNICAST;
}

void audit_targets(struct audit_passage *p)
{
	struct audit_state *st = p->a->state;
	const struct frame *f = &p->f;
	bool ns = frame_is_ns(f), syn = f->bgp_syn;

	if (!(asks(f->cls) || (syn && audit_in_prefixes(st, f->target))) || !f->target.family)
		return;
	struct audit_target_row *row = row_of(p->a, f->target);
	if (!row)
		return;
	row->t.syn += syn;
	row->t.ns += ns;
	row->t.arp += !syn && !ns;
	called_by(st, row, f->src);
	/* Asked for with a netmask that is not the LAN's. */
	if (!syn && st->has_prefixes[f->target.family == 6] && !audit_in_prefixes(st, f->target) &&
		!(p->sender && p->sender->exchange_own))
		audit_find(p, AUDIT_WRONG_MASK, f->target, (struct mac){{0}});
}

static int most_calls(const void *x, const void *y)
{
	const struct audit_target_caller *a = x, *b = y;

	if (a->calls != b->calls)
		return a->calls < b->calls ? 1 : -1;
	return memcmp(a->mac.b, b->mac.b, 6);
}

static enum audit_target_kind kind_of(struct audit *a, struct audit_target *t)
{
	struct audit_state *st = a->state;
	uint64_t hash = hash_of(t->ip);
	bool heard = hmap_get(&st->speakers, hash, &t->ip) != NULL;

	t->registered = a->registry ? registry_by_ip(a->registry, t->ip) : NULL;
	if (t->registered) {
		uint32_t place = st->place_of[t->registered - a->registry->ports];
		bool gone = t->registered->status == REGISTRY_DISABLED || !(heard || st->alive[place]);
		return gone ? AUDIT_DEAD : AUDIT_ASSIGNED;
	}
	if (st->has_prefixes[t->ip.family == 6] && !audit_in_prefixes(st, t->ip))
		return AUDIT_FOREIGN;
	/* Link-local addresses are seldom in a registry: whoever has one says so. */
	return heard && (!a->registry || ip_is_link_local(t->ip)) ? AUDIT_ASSIGNED : AUDIT_UNASSIGNED;
}

static int most_first(const void *x, const void *y)
{
	const struct audit_target *a = x, *b = y;
	uint64_t calls_a = a->arp + a->ns + a->syn, calls_b = b->arp + b->ns + b->syn;

	if (calls_a != calls_b)
		return calls_a < calls_b ? 1 : -1;
	return ip_cmp(a->ip, b->ip);
}

void audit_targets_close(struct audit *a)
{
	struct audit_target_row *row;

	free(a->targets);
	a->target_count = 0;
	a->targets = calloc(a->state->targets.count + 1, sizeof(*a->targets));
	if (!a->targets)
		return;
	hmap_foreach (&a->state->targets, row) {
		struct audit_target *t = &a->targets[a->target_count++];
		if (row->count)
			qsort(row->callers, row->count, sizeof(*row->callers), most_calls);
		*t = row->t;
		for (uint32_t i = 0; i < row->count; i++) {
			if (i >= AUDIT_CALLERS) {
				t->more_calls += row->callers[i].calls;
				continue;
			}
			t->callers[i].mac = row->callers[i].mac;
			t->callers[i].calls = row->callers[i].calls;
			t->caller_count++;
		}
		t->kind = kind_of(a, t);
	}
	qsort(a->targets, a->target_count, sizeof(*a->targets), most_first);
}
