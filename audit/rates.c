/* What a port saw: by direction and class, its busiest second, and over time. */
#include <stdlib.h>
#include <string.h>

#include "audit/state.h"

#define NSEC 1000000000

static void add(struct audit_rate *r, struct audit_second *s, const struct audit_passage *p)
{
	r->all.frames++;
	r->all.octets += p->wire_len;
	if (s->sec != p->sec)
		*s = (struct audit_second){.sec = p->sec};
	s->now.frames++;
	s->now.octets += p->wire_len;
	if (s->now.frames > r->peak.frames) {
		r->peak.frames = s->now.frames;
		r->peak_ns = p->sec * NSEC;
	}
	if (s->now.octets > r->peak.octets)
		r->peak.octets = s->now.octets;
}

/* Slots of twice the length: pairs become one. */
static void halve(struct audit_series *s)
{
	for (uint32_t i = 0; i < s->count; i++) {
		struct audit_count *to = s->at[i / 2], *from = s->at[i];
		for (int c = 0; c < CLASS_COUNT; c++) {
			struct audit_count n = from[c];
			if (i % 2 == 0)
				to[c] = (struct audit_count){0};
			to[c].frames += n.frames;
			to[c].octets += n.octets;
		}
	}
	s->count = (s->count + 1) / 2;
	s->slot_sec *= 2;
}

static bool reach(struct audit_series *s, size_t *room, uint32_t slot)
{
	if (slot >= *room) {
		size_t more = *room ? *room : 16;
		while (more <= slot)
			more *= 2;
		void *at = realloc(s->at, more * sizeof(*s->at));
		if (!at)
			return false;
		s->at = at;
		*room = more;
	}
	if (slot >= s->count) {
		memset(s->at[s->count], 0, (slot + 1 - s->count) * sizeof(*s->at));
		s->count = slot + 1;
	}
	return true;
}

/* A frame from before the first goes into the first slot: a capture is in order but for what its makers reordered. */
static void add_series(struct audit_series *s, size_t *room, const struct audit_passage *p)
{
	if (!s->slot_sec) {
		s->slot_sec = 1;
		s->start_ns = p->sec * NSEC;
	}
	int64_t since = p->sec - s->start_ns / NSEC;
	if (since < 0)
		since = 0;
	while (since / s->slot_sec >= AUDIT_SLOTS && s->slot_sec < 1u << 30)
		halve(s);
	uint32_t slot = since / s->slot_sec >= AUDIT_SLOTS ? AUDIT_SLOTS - 1 : (uint32_t)(since / s->slot_sec);
	if (!reach(s, room, slot))
		return;
	s->at[slot][p->f.cls].frames++;
	s->at[slot][p->f.cls].octets += p->wire_len;
}

/* One of the port's own MACs: unicast to it is what the port is for. */
static bool is_own(const struct registry_port *r, struct mac mac)
{
	for (int i = 0; r && i < r->mac_count; i++)
		if (mac_eq(r->macs[i], mac))
			return true;
	return false;
}

void audit_rates(struct audit_passage *p)
{
	struct audit_port *port = &p->a->ports[p->port];
	struct audit_vantage *v = &p->a->state->vantages[p->port];

	if (!port->first_ns || p->ns < port->first_ns)
		port->first_ns = p->ns;
	if (p->ns > port->last_ns)
		port->last_ns = p->ns;
	add(&port->at[p->dir][p->f.cls], &v->at[p->dir][p->f.cls], p);
	add(&port->total[p->dir], &v->total[p->dir], p);
	if (p->dir != AUDIT_RECEIVED)
		return;
	add_series(&port->series, &v->series_room, p);
	bool group = mac_is_group(p->f.dst);
	if (!group && is_own(port->registered, p->f.dst))
		return;
	add(group ? &port->flood : &port->stray, group ? &v->flood : &v->stray, p);
	add(&port->unwanted, &v->unwanted, p);
}
