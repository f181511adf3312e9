/* The agent's books of one peering LAN: who has which address, and where each MAC is. From three sources comes one truth, which
 * is written to the data plane (plane_ops), told to quelld and to the bridge's forwarding table (hooks).
 *
 *   static    the registry: a port's MACs and addresses          bindings_port_set()
 *   dynamic   seen on a port: ARP, NA, frames of unknown MACs    bindings_event()
 *   EVPN      other PEs' routes, from the feed                   bindings_remote_*()
 *
 * Precedence for an address: static; an immutable EVPN binding (RFC 9047 section 3.2); else the newer of dynamic and EVPN
 * (RFC 9161 section 3.2). Precedence for a MAC's place: MAC mobility (RFC 7432 section 15): it is where it was seen last; a
 * registered MAC is at home, unless another PE claims it: then there, until a frame from it is seen at home again.
 *
 * Pure: no I/O but through the given operations, no clock but the given `now`.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/ip.h"
#include "lib/mac.h"
#include "proxyarp/layout.h"
#include "proxyarp/plane.h"

#define BINDING_MACS 10 /* a port's registered MACs, and so the MACs that may speak for one address */
#define BINDING_IPS 16

struct bindings;

struct binding_config {
	uint32_t lan; /* VNI */
	const struct prefix *prefixes; /* what may be learned besides link-local; copied. None: anything that a host may have */
	uint32_t prefix_count;
	uint32_t max_bindings, max_macs; /* in all */
	uint32_t max_per_port;		 /* learned addresses a closed port; 0: 16. An open port: a quarter of all, and of all MACs */
	uint32_t age_sec;		 /* of what was learned */
};

/* Told to quelld, in the words of the feed. */
struct binding_say {
	bool add;
	struct mac mac;
	struct ip ip; /* family 0: the MAC alone */
	bool router, override, immutable;
	bool claim; /* seen here just now: take it back */
};

enum binding_place { PLACE_NOWHERE, PLACE_PORT, PLACE_REMOTE, PLACE_SELF };

struct binding_hooks {
	const struct plane_ops *ops;
	struct plane *plane;
	void (*say)(void *arg, const struct binding_say *s);
	/* Where a MAC is now: ifindex of PORT, vtep of REMOTE (family 0: not yet known, from adopted maps: leave the
	 * forwarding table as it is). */
	void (*place)(void *arg, struct mac mac, enum binding_place place, uint32_t ifindex, struct ip vtep);
	/* A learned binding nears its age: ask its owner. */
	void (*refresh)(void *arg, uint32_t ifindex, struct mac mac, struct ip ip);
	/* `what` is a constant sentence. */
	void (*alarm)(void *arg, const char *what, uint32_t ifindex, struct mac mac, struct ip ip);
	void *arg;
};

/* Hooks and config are copied. NULL: out of memory. */
struct bindings *bindings_new(const struct binding_config *c, const struct binding_hooks *hooks);
/* Frees; the plane keeps what it has. */
void bindings_free(struct bindings *b);

/* --- ports --- */

/* An address is spoken for by the MACs of its group: one group a member, where several share a port. */
struct binding_port {
	bool closed, up;
	struct mac macs[BINDING_MACS];
	uint8_t mac_group[BINDING_MACS];
	uint8_t mac_count;
	struct ip ips[BINDING_IPS];
	uint8_t ip_group[BINDING_IPS];
	uint8_t ip_count;
};

/* The port is so from now on: what it had and has no more is taken out. 0, -EEXIST (a MAC or address of another port: the rest
 * is done), -ENOSPC, -ENOMEM. */
int bindings_port_set(struct bindings *b, uint32_t ifindex, const struct binding_port *p);
void bindings_port_up(struct bindings *b, uint32_t ifindex, bool up);
/* With all that it had. */
void bindings_port_del(struct bindings *b, uint32_t ifindex);
/* A MAC that the registry gives to some port, here or not: no other learns it. -ENOSPC: full. */
int bindings_reserve(struct bindings *b, struct mac mac);
/* The PE's own MAC (bridge, SVI). */
int bindings_self(struct bindings *b, struct mac mac, uint32_t ifindex);

/* --- what was seen --- */

void bindings_event(struct bindings *b, const struct layout_event *e, uint64_t now_ms);
/* A MAC was seen on a port, or (the kernel's FDB) is forgotten there. */
void bindings_seen(struct bindings *b, uint32_t ifindex, struct mac mac, uint64_t now_ms);
void bindings_forgotten(struct bindings *b, uint32_t ifindex, struct mac mac);
/* Ages what was learned. Call about once a second. */
void bindings_tick(struct bindings *b, uint64_t now_ms);

/* --- the feed --- */

struct binding_remote {
	struct mac mac;
	struct ip ip; /* family 0: the MAC */
	struct ip vtep;
	uint32_t seq; /* of the MAC: mobility sequence */
	bool sticky;  /* of the MAC: it does not move (RFC 7432 section 15.2) */
	bool router, override, immutable;
};

/* 0, -ENOSPC (counted as full), -EINVAL (group MAC, address that no host may have), -ENOMEM. */
int bindings_remote_mac(struct bindings *b, const struct binding_remote *r);
void bindings_remote_mac_del(struct bindings *b, struct mac mac);
int bindings_remote_bind(struct bindings *b, const struct binding_remote *r);
void bindings_remote_bind_del(struct bindings *b, struct ip ip);
/* Around a snapshot; sweep returns how many were not named again. */
void bindings_remote_mark(struct bindings *b);
size_t bindings_remote_sweep(struct bindings *b);
/* Says all that quelld is to know. */
void bindings_snapshot(struct bindings *b);

/* --- a plane that was found working --- */

/* Before the first port: what the maps hold. What is behind other PEs is kept, marked, until the next sweep; what was learned here
 * is as if just seen. bindings_adopted(), after all ports are set, takes out what nothing stands for. */
void bindings_adopt_mac(struct bindings *b, const struct layout_mac_key *k, const struct layout_mac *v,
	uint64_t now_ms);
void bindings_adopt_bind(struct bindings *b, struct ip ip, const struct layout_bind *v, uint64_t now_ms);
void bindings_adopted(struct bindings *b);

/* --- views --- */

enum binding_source { SOURCE_NONE, SOURCE_STATIC, SOURCE_DYNAMIC, SOURCE_EVPN };

struct binding_view {
	struct ip ip;	 /* family 0: a MAC */
	struct mac mac;
	enum binding_source source;
	enum binding_place place;
	uint32_t ifindex; /* PORT */
	struct ip vtep;	  /* REMOTE */
	uint8_t flags;	  /* BIND_* of an address, MAC_* of a MAC */
	bool announced, stale, immutable;
	uint64_t seen_ms; /* last time here; 0: never */
};

void bindings_each(const struct bindings *b, void (*fn)(void *arg, const struct binding_view *v), void *arg);
void bindings_each_mac(const struct bindings *b, void (*fn)(void *arg, const struct binding_view *v), void *arg);

struct binding_stats {
	uint32_t statics, dynamics, evpns; /* addresses, by the source that counts */
	uint32_t macs_home, macs_learned, macs_remote;
	uint64_t moves, claims, held, full, aged, refused, plane_errors;
};
void bindings_stats(const struct bindings *b, struct binding_stats *ret);
