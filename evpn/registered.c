#include "evpn/registered.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/hmap.h"
#include "lib/siphash.h"

struct port {
	struct port *next;
	uint32_t mac_count, vtep_count;
	struct ip *vteps; /* behind the MACs */
	struct mac macs[];
};

/* A MAC is at few ports: mostly at one. */
struct mac_row {
	struct mac mac;
	uint32_t count;
	const struct port **ports;
};

/* With the port's first MAC and VTEP, so that of most routes nothing else has to be fetched. */
struct ip_row {
	struct ip ip;
	struct mac mac;
	bool has_mac;
	struct ip vtep; /* family 0: it is behind any */
	const struct port *port;
};

struct registered {
	struct port *ports;
	struct hmap macs, ips;
};

static bool mac_is(const void *entry, const void *key)
{
	return memcmp(((const struct mac_row *)entry)->mac.b, key, 6) == 0;
}

static bool ip_is(const void *entry, const void *key)
{
	return memcmp(&((const struct ip_row *)entry)->ip, key, sizeof(struct ip)) == 0;
}

static uint64_t hash_mac(struct mac mac)
{
	return siphash(siphash_process_key(), mac.b, 6);
}

static uint64_t hash_ip(struct ip ip)
{
	return siphash(siphash_process_key(), &ip, 1 + ip_len(ip));
}

struct registered *registered_new(void)
{
	struct registered *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	hmap_init(&r->macs, mac_is);
	hmap_init(&r->ips, ip_is);
	return r;
}

void registered_free(struct registered *r)
{
	struct mac_row *m;
	struct ip_row *i;

	if (!r)
		return;
	hmap_foreach (&r->macs, m) {
		free(m->ports);
		free(m);
	}
	hmap_foreach (&r->ips, i)
		free(i);
	hmap_free(&r->macs);
	hmap_free(&r->ips);
	for (struct port *p = r->ports, *next; p; p = next) {
		next = p->next;
		free(p->vteps);
		free(p);
	}
	free(r);
}

/* --- filling --- */

static int add_mac(struct registered *r, const struct port *p, struct mac mac)
{
	struct mac_row *row = hmap_get(&r->macs, hash_mac(mac), &mac);

	if (!row) {
		row = calloc(1, sizeof(*row));
		if (!row || hmap_add(&r->macs, hash_mac(mac), row) < 0) {
			free(row);
			return -ENOMEM;
		}
		row->mac = mac;
	}
	const struct port **more = reallocarray(row->ports, row->count + 1, sizeof(struct port *));
	if (!more)
		return -ENOMEM;
	row->ports = more;
	row->ports[row->count++] = p;
	return 0;
}

static int add_ip(struct registered *r, const struct port *p, struct ip ip)
{
	struct ip_row *row;

	if (hmap_get(&r->ips, hash_ip(ip), &ip))
		return 0;
	row = calloc(1, sizeof(*row));
	if (!row || hmap_add(&r->ips, hash_ip(ip), row) < 0) {
		free(row);
		return -ENOMEM;
	}
	row->ip = ip;
	row->port = p;
	row->has_mac = p->mac_count > 0;
	if (p->mac_count)
		row->mac = p->macs[0];
	if (p->vtep_count)
		row->vtep = p->vteps[0];
	return 0;
}

int registered_add(struct registered *r, const struct registered_port *from)
{
	struct port *p = calloc(1, sizeof(*p) + from->mac_count * sizeof(p->macs[0]));
	int e = 0;

	if (!p)
		return -ENOMEM;
	p->next = r->ports;
	r->ports = p;
	p->vteps = calloc(from->vtep_count + 1, sizeof(*p->vteps));
	if (!p->vteps)
		return -ENOMEM;
	for (; p->vtep_count < from->vtep_count; p->vtep_count++)
		p->vteps[p->vtep_count] = from->vteps[p->vtep_count];
	for (; p->mac_count < from->mac_count; p->mac_count++)
		p->macs[p->mac_count] = from->macs[p->mac_count];
	for (uint32_t i = 0; i < from->mac_count && e == 0; i++)
		e = add_mac(r, p, from->macs[i]);
	for (uint32_t i = 0; i < from->ip_count && e == 0; i++)
		e = add_ip(r, p, from->ips[i]);
	return e;
}

/* --- asking --- */

static bool has_mac(const struct port *p, struct mac mac)
{
	for (uint32_t i = 0; i < p->mac_count; i++)
		if (mac_eq(p->macs[i], mac))
			return true;
	return false;
}

static bool is_behind(const struct port *p, struct ip vtep)
{
	for (uint32_t i = 0; i < p->vtep_count; i++)
		if (ip_eq(p->vteps[i], vtep))
			return true;
	return p->vtep_count == 0;
}

static enum registered_verdict judge_mac(const struct mac_row *m, struct ip vtep)
{
	for (uint32_t i = 0; i < m->count; i++)
		if (is_behind(m->ports[i], vtep))
			return REGISTERED_FINE;
	return REGISTERED_WRONG_PE;
}

/* RFC 4291 appendix A: ff:fe in the middle, and the universal bit turned round. */
static bool is_of_another_mac(const struct registered *r, struct ip ip, struct mac mac)
{
	struct mac of = {{(uint8_t)(ip.b[8] ^ 2), ip.b[9], ip.b[10], ip.b[13], ip.b[14], ip.b[15]}};

	return ip.b[11] == 0xff && ip.b[12] == 0xfe && !mac_eq(of, mac) &&
	       hmap_get(&r->macs, hash_mac(of), &of);
}

enum registered_verdict registered_judge(
	const struct registered *r, struct mac mac, struct ip ip, struct ip vtep)
{
	const struct ip_row *i = ip.family ? hmap_get(&r->ips, hash_ip(ip), &ip) : NULL;
	const struct mac_row *m;

	if (i && i->has_mac && mac_eq(i->mac, mac) && (!i->vtep.family || ip_eq(i->vtep, vtep)))
		return REGISTERED_FINE;
	if (i && has_mac(i->port, mac))
		return is_behind(i->port, vtep) ? REGISTERED_FINE : REGISTERED_WRONG_PE;
	m = hmap_get(&r->macs, hash_mac(mac), &mac);
	if (i && i->port->mac_count == 0 && !m)
		return is_behind(i->port, vtep) ? REGISTERED_FINE : REGISTERED_WRONG_PE;
	if (!m)
		return REGISTERED_NOT_MAC;
	if (i)
		return REGISTERED_WRONG_IP;
	if (!ip.family)
		return judge_mac(m, vtep);
	if (ip.family == 4 || !ip_is_link_local(ip))
		return REGISTERED_NOT_IP;
	return is_of_another_mac(r, ip, mac) ? REGISTERED_WRONG_IP : judge_mac(m, vtep);
}

size_t registered_macs(const struct registered *r)
{
	return r->macs.count;
}

size_t registered_ips(const struct registered *r)
{
	return r->ips.count;
}
