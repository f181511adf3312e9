/* What the nodes say: keys of all kinds, and attributes. */
#include "tests/sim/world_inside.h"

#include <stdlib.h>
#include <string.h>

#include "evpn/family.h"
#include "evpn/nlri.h"

#define OPAQUE 20 /* a route type that we only carry */

int world_key(struct world *w, const uint8_t *key, size_t len)
{
	for (int i = 0; i < w->model.keys; i++)
		if (w->key[i].key_len == len && memcmp(w->key[i].key, key, len) == 0)
			return i;
	return -1;
}

int world_key_add(struct world *w, const struct nlri *n)
{
	int i = world_key(w, n->key, n->key_len);

	if (i >= 0)
		return i;
	if (w->model.keys == KEYS)
		abort();
	w->key[w->model.keys] = *n;
	w->model.is_macip[w->model.keys] = n->key[0] == EVPN_MACIP;
	w->model.is_opaque[w->model.keys] = n->key[0] == OPAQUE;
	return w->model.keys++;
}

/* One key of each kind, and MACs on top, since they have rules of their own. */
void world_make_keys(struct world *w, int count)
{
	struct nlri n;

	for (int i = 0; i < count; i++) {
		struct evpn_route r = {.rd = rd_make(ip_v4_u32(0xc6336401), 1),
			.tag = (uint32_t)i,
			.esi = {{1, 2, 3, 4, 5, 6, 7, 8, 9, (uint8_t)i}},
			.mac = {{2, 0, 0, 0, 0, (uint8_t)i}},
			.label_count = 1};
		switch (i % 8) {
		case 0:
			r.type = EVPN_AD;
			break;
		case 1:
			r.type = EVPN_IMET;
			r.ip = ip_v4_u32(0xc6336401);
			break;
		case 2:
			r.type = EVPN_ES;
			r.ip = ip_v4_u32(0xc6336401);
			break;
		case 3:
			r.type = EVPN_PREFIX;
			r.ip = r.gateway = ip_v4_u32(0x0a000000);
			r.prefix_len = 8;
			break;
		case 4: /* a type that we only carry */
			n = (struct nlri){.key_len = 12, .key = {OPAQUE, 1, 2, 3, (uint8_t)i}};
			world_key_add(w, &n);
			continue;
		default:
			r.type = EVPN_MACIP;
			if (i % 8 == 6)
				r.ip = ip_v4_u32(0xc6120001 + (uint32_t)i);
		}
		if (evpn_nlri_pack(&r, &n) != 0)
			abort();
		world_key_add(w, &n);
	}
}

static void make_payload(struct world *w, int key, struct m_path *p)
{
	const struct nlri *n = &w->key[key];

	p->payload_len = n->payload_len;
	if (w->model.is_macip[key] && world_dice(w, 4) == 0)
		p->payload_len = EVPN_MACIP_PAYLOAD_LABEL2;
	if (p->payload_len >= 3)
		p->payload[p->payload_len - 1] = (uint8_t)world_dice(w, 3);
	/* All of a key or none: paths with a segment and without are in no order (family.c). */
	if (w->model.is_macip[key] && key % 8 == 7)
		memcpy(p->payload, "\0\x11\x22\x33\x44\x55\x66\x77\x88\x99", 10);
}

static void add_ecom(struct m_attrs *a, const char octets[8])
{
	memcpy(a->ecom[a->ecoms++], octets, 8);
}

static void make_attrs(struct world *w, int node, int key, struct m_attrs *a)
{
	static const uint32_t well_known[] = {0xffffff01, 0xffffff02, 0xffffff03};

	a->next_hop = world_address(world_dice(w, 4) ? node : (int)world_dice(w, SIM_NODES));
	a->origin = world_dice(w, 6) ? 0 : (uint8_t)world_dice(w, 3);
	/* Not below the default: two eBGP neighbours that each like the other's better than their
	 * own have two ways to agree. */
	if (world_dice(w, 4) == 0)
		a->has_local_pref = true, a->local_pref = 100 + world_dice(w, 3);
	if (w->plain && world_dice(w, 5) == 0)
		a->has_med = true, a->med = world_dice(w, 3);
	for (unsigned n = world_dice(w, 8) ? 0 : 1 + world_dice(w, 2); n; n--)
		a->as[a->ases++] = world_dice(w, 6) ? 64500 + world_dice(w, 2) : 65000 + world_dice(w, 3);
	if (world_dice(w, 4) == 0)
		a->community[a->communities++] = 65000u << 16 | world_dice(w, 3);
	for (unsigned n = w->plain ? world_dice(w, 3) : 0; n; n--) /* who may have it, if somebody obeys */
		a->community[a->communities++] = (world_dice(w, 3) ? 0 : 65000u << 16) |
						 (65000 + world_dice(w, (unsigned)w->model.nodes));
	if (world_dice(w, 12) == 0)
		a->community[a->communities++] = well_known[world_dice(w, 3)];
	if (world_dice(w, 2)) {
		add_ecom(a, "\0\2\xfd\xe8\0\0\0\x64");
		a->ecom[a->ecoms - 1][7] = (uint8_t)(100 + world_dice(w, w->rtc ? 3 : 1));
	}
	if (world_dice(w, 8) == 0)
		add_ecom(a, "\x43\x05\0\0\0\0\0\1");
	if (w->model.is_macip[key] && world_dice(w, 2)) {
		add_ecom(a, "\6\0\0\0\0\0\0\0");
		a->ecom[a->ecoms - 1][7] = (uint8_t)world_dice(w, 3);
		a->ecom[a->ecoms - 1][2] = world_dice(w, 8) == 0;
	}
	if (w->key[key].key[0] == EVPN_IMET) {
		memcpy(a->pmsi, "\0\6\0\0\x64\xc0\0\2\1", 9);
		a->pmsi_len = w->plain && world_dice(w, 3) == 0 ? 5 + 16 : 9;
	}
}

static struct nlri nlri_of(const struct world *w, int key, const struct m_path *p)
{
	struct nlri n = w->key[key];

	n.payload_len = p->payload_len;
	memcpy(n.payload, p->payload, sizeof(n.payload));
	return n;
}

void world_tell(struct world *w, int node, int key)
{
	const struct m_path *p = &w->model.node[node].local[key];
	struct nlri n = nlri_of(w, key, p);
	struct m_room room;
	struct attrs a;

	if (w->node[node].down)
		return;
	m_attrs_to(&p->a, &room, &a);
	if (p->there)
		speaker_originate(w->net.node[node].s, &evpn_family, &n, &a, w->net.now);
	else
		speaker_unoriginate(w->net.node[node].s, &evpn_family, &n, w->net.now);
}

static void change_route(struct world *w, int node, int key)
{
	struct m_path *p = &w->model.node[node].local[key];
	bool there = p->there;

	memset(p, 0, sizeof(*p));
	if (!there || world_dice(w, 3)) {
		p->there = true;
		make_payload(w, key, p);
		make_attrs(w, node, key, &p->a);
	}
	world_tell(w, node, key);
}

void world_change_routes(struct world *w)
{
	int node = (int)world_dice(w, (unsigned)w->model.nodes);
	unsigned count = world_dice(w, 8) ? 1 + world_dice(w, 2) : (unsigned)w->model.keys;

	world_trace(w, "node %d: %u routes change", node, count);
	for (; count; count--)
		change_route(w, node, (int)world_dice(w, (unsigned)w->model.keys));
}
