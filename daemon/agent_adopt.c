/* A plane that was found working: which counters belong to which port, and what the books are to
 * keep.
 *
 * Rows are collected first and judged afterwards, since nothing may change in a plane while it is
 * walked. Rows of a LAN that is no longer configured go at once; the books judge the rest once all
 * ports are in.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/agent.h"
#include "daemon/loop.h"

struct row {
	enum { ROW_PORT, ROW_MAC, ROW_BIND4, ROW_BIND6 } kind;
	uint32_t ifindex;
	union {
		struct layout_port port;
		struct {
			struct layout_mac_key k;
			struct layout_mac v;
		} mac;
		struct {
			struct layout_key6 k6;
			struct layout_key4 k4;
			struct layout_bind v;
		} bind;
	};
};

struct rows {
	struct row *row;
	size_t count, cap;
};

static struct row *add(struct rows *r)
{
	if (r->count == r->cap) {
		r->cap = r->cap ? r->cap * 2 : 1024;
		r->row = reallocarray(r->row, r->cap, sizeof(*r->row));
		if (!r->row)
			abort();
	}
	return &r->row[r->count++];
}

static void add_port(void *arg, uint32_t ifindex, const struct layout_port *port)
{
	*add(arg) = (struct row){.kind = ROW_PORT, .ifindex = ifindex, .port = *port};
}

static void add_mac(void *arg, const struct layout_mac_key *k, const struct layout_mac *v)
{
	struct row *r = add(arg);

	*r = (struct row){.kind = ROW_MAC};
	r->mac.k = *k;
	r->mac.v = *v;
}

static void add_bind4(void *arg, const struct layout_key4 *k, const struct layout_bind *v)
{
	struct row *r = add(arg);

	*r = (struct row){.kind = ROW_BIND4};
	r->bind.k4 = *k;
	r->bind.v = *v;
}

static void add_bind6(void *arg, const struct layout_key6 *k, const struct layout_bind *v)
{
	struct row *r = add(arg);

	*r = (struct row){.kind = ROW_BIND6};
	r->bind.k6 = *k;
	r->bind.v = *v;
}

/* A port keeps its row of the ledger, if that is still within the limits and nobody else's. */
static void adopt_slot(struct agent *a, const struct row *r)
{
	if (r->port.slot >= a->limits.ports || a->slots[r->port.slot])
		return;
	a->slots[r->port.slot] = true;
	a->adopted_ports = reallocarray(
		a->adopted_ports, a->adopted_port_count + 1, sizeof(*a->adopted_ports));
	if (!a->adopted_ports)
		abort();
	a->adopted_ports[a->adopted_port_count++] =
		(struct agent_adopted_port){r->ifindex, r->port.slot};
}

static void adopt_row(struct agent *a, const struct row *r)
{
	uint32_t vni = r->kind == ROW_PORT    ? r->port.lan
		       : r->kind == ROW_MAC   ? r->mac.k.lan
		       : r->kind == ROW_BIND4 ? r->bind.k4.lan
					      : r->bind.k6.lan;
	struct agent_lan *lan = agent_lan_by_vni(a, vni);
	uint64_t now = loop_now_ms();

	switch (r->kind) {
	case ROW_PORT:
		adopt_slot(a, r);
		if (lan)
			lan->open = true;
		break;
	case ROW_MAC:
		if (lan)
			bindings_adopt_mac(lan->books, &r->mac.k, &r->mac.v, now);
		else
			a->ops->mac_del(a->plane, &r->mac.k);
		break;
	case ROW_BIND4:
		if (lan)
			bindings_adopt_bind(lan->books, ip_v4(r->bind.k4.ip), &r->bind.v, now);
		else
			a->ops->bind4_del(a->plane, &r->bind.k4);
		break;
	case ROW_BIND6:
		if (lan)
			bindings_adopt_bind(lan->books, ip_v6(r->bind.k6.ip), &r->bind.v, now);
		else
			a->ops->bind6_del(a->plane, &r->bind.k6);
		break;
	}
}

void agent_adopt_begin(struct agent *a)
{
	struct rows rows = {0};

	if (!a->adopted)
		return;
	/* MACs before bindings: a binding is where its MAC is. */
	a->ops->port_each(a->plane, add_port, &rows);
	a->ops->mac_each(a->plane, add_mac, &rows);
	a->ops->bind4_each(a->plane, add_bind4, &rows);
	a->ops->bind6_each(a->plane, add_bind6, &rows);
	for (size_t i = 0; i < rows.count; i++)
		adopt_row(a, &rows.row[i]);
	log_notice(LOG_PROXYARP, "adopted the working data plane: %zu entries", rows.count);
	free(rows.row);
}

void agent_adopt_end(struct agent *a)
{
	struct rows rows = {0};

	for (uint32_t i = 0; i < a->lan_count; i++)
		bindings_adopted(a->lans[i].books);
	if (!a->adopted)
		return;
	a->ops->port_each(a->plane, add_port, &rows);
	for (size_t i = 0; i < rows.count; i++) {
		const struct row *r = &rows.row[i];
		struct agent_lan *lan = agent_lan_by_vni(a, r->port.lan);
		const struct link *l = links_get(a->links, r->ifindex);
		if ((lan && agent_port_find(lan, r->ifindex)) || agent_underlay_find(a, r->ifindex))
			continue;
		log_notice(LOG_PROXYARP, "%s: no longer a port of ours",
			l ? l->name : "a port that is gone");
		if (l && l->is_port && r->port.kind != PORT_UNDERLAY)
			bridge_set(a->nl, r->ifindex,
				bridge_port_original(l->knobs, r->port.kind == PORT_FABRIC),
				l->knobs, NULL, NULL);
		a->ops->port_del(a->plane, r->ifindex);
		if (lan && r->port.kind != PORT_UNDERLAY)
			agent_ledger_leave(lan, r->port.slot);
		for (uint32_t p = 0; p < a->adopted_port_count; p++)
			if (a->adopted_ports[p].ifindex == r->ifindex)
				agent_slot_put(a, r->port.slot);
	}
	free(rows.row);
	/* Interfaces that come and go get numbers anew, and with them rows anew. */
	free(a->adopted_ports);
	a->adopted_ports = NULL;
	a->adopted_port_count = 0;
}

int agent_slot_get(struct agent *a, uint32_t ifindex, uint32_t *ret_slot)
{
	for (uint32_t i = 0; i < a->adopted_port_count; i++) {
		if (a->adopted_ports[i].ifindex != ifindex)
			continue;
		*ret_slot = a->adopted_ports[i].slot;
		return 0;
	}
	for (uint32_t i = 0; i < a->limits.ports; i++) {
		if (a->slots[i])
			continue;
		a->slots[i] = true;
		a->ops->counters_zero(a->plane, i);
		*ret_slot = i;
		return 0;
	}
	return -ENOSPC;
}

void agent_slot_put(struct agent *a, uint32_t slot)
{
	if (slot < a->limits.ports)
		a->slots[slot] = false;
}
