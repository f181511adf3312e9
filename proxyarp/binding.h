/* The agent's books of one peering LAN: who has which address, and where each MAC is. From four sources comes one truth, which
 * is written to the data plane (plane_ops), told to quelld, to the bridge's forwarding table and to the members (hooks).
 *
 *   static    the registry: a port's MACs and addresses          bindings_port_set()
 *   dynamic   seen on a port: ARP, NA, frames of unknown MACs    bindings_event()
 *   EVPN      other PEs' routes, from the feed                   bindings_remote_*()
 *   sponge    nobody's: the sponge answers for it                bindings_sponge_*()
 *
 * Precedence for an address: static; an immutable EVPN binding (RFC 9047 section 3.2); else the newer of dynamic and EVPN
 * (RFC 9161 section 3.2), but not before the former owner was asked (section 3.7); the sponge. Precedence for a MAC's place: MAC mobility (RFC 7432 section 15): it is where it was seen last; a
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

struct announce_stats;

#define BINDING_MACS 10 /* a port's registered MACs, and so the MACs that may speak for one address */
#define BINDING_IPS 16

struct bindings;

/* A registered address whose port is down, or whose owner has not been heard for `after_ms` (0: that does not count). */
enum binding_dead_policy { DEAD_SILENT, DEAD_ANSWER, DEAD_SPONGE };

struct binding_dead {
	enum binding_dead_policy policy;
	uint64_t after_ms;
	struct mac mac; /* DEAD_SPONGE: the sponge's */
};

/* RFC 9161 section 3.7: M, N, and what follows. See duplicate.c. */
enum binding_duplicate_action { DUPLICATE_IP_OFF, DUPLICATE_IP_ALARM, DUPLICATE_IP_FREEZE };

struct binding_duplicate {
	enum binding_duplicate_action action;
	uint32_t moves, window_sec;
	uint32_t confirm_sec; /* the former owner has so long to answer; 0: it is not asked */
	uint32_t hold_down_sec; /* 0: until the operator clears it */
	struct mac as_mac;	/* anti-spoofing MAC; zero: none */
};

/* What members are told of (GARP, unsolicited NA): nothing, that a known address has another MAC, new ones too. */
enum announce_on { ANNOUNCE_OFF, ANNOUNCE_CHANGES, ANNOUNCE_ALL };

struct announce_config {
	enum announce_on on;
	uint32_t rate, port_rate; /* frames a second, in all and to one port; 0: 100 and 10 */
};

struct binding_config {
	uint32_t lan; /* VNI */
	const struct prefix *prefixes; /* what may be learned besides link-local; copied. None: anything that a host may have */
	uint32_t prefix_count;
	uint32_t max_bindings, max_macs; /* in all */
	uint32_t max_per_port;		 /* learned addresses a closed port; 0: 16. An open port: a quarter of all, and of all MACs */
	uint32_t age_sec;		 /* of what was learned */
	uint32_t swap_sec;    /* a former MAC that was not heard for so long is of interest; 0: never */
	uint32_t refresh_sec; /* what was learned is asked after so long, and so long again; 0: a third of the age */
	bool anycast; /* RFC 9161 section 3.2.1: an NA without O makes an entry without O; no duplicate detection */
	bool na_new;  /* without that: an NA without O may make an entry where there is none (RFC 9131) */
	bool mac_list_first; /* of an address with several MACs the first speaks until another does; else none until one was heard */
	struct binding_dead dead;
	struct binding_duplicate duplicate;
	struct announce_config announce;
};

/* Told to quelld, in the words of the feed. */
struct binding_say {
	bool add;
	struct mac mac;
	struct ip ip; /* family 0: the MAC alone */
	bool router, override, immutable;
	bool claim; /* seen here just now: take it back */
};

/* TRAP: the sponge's MAC, or one like it: nowhere, and what is sent to it is told. */
enum binding_place { PLACE_NOWHERE, PLACE_PORT, PLACE_REMOTE, PLACE_SELF, PLACE_TRAP };

struct binding_hooks {
	const struct plane_ops *ops;
	struct plane *plane;
	void (*say)(void *arg, const struct binding_say *s);
	/* Where a MAC is now: ifindex of PORT, vtep of REMOTE (family 0: not yet known, from adopted maps: leave the
	 * forwarding table as it is). */
	void (*place)(void *arg, struct mac mac, enum binding_place place, uint32_t ifindex, struct ip vtep);
	/* A frame of our own, out of a member port: see bindings_send(). */
	void (*send)(void *arg, uint32_t ifindex, const uint8_t *frame, size_t len);
	/* An address that the sponge, or an anti-spoofing MAC, answered for has an owner again, who is told here; the entry is
	 * the owner's already. Do not call back. */
	void (*life)(void *arg, struct ip ip, struct mac mac, uint32_t ifindex, struct ip vtep);
	/* `what` is a constant sentence. */
	void (*alarm)(void *arg, const char *what, uint32_t ifindex, struct mac mac, struct ip ip);
	void *arg;
};

/* Hooks and config are copied. NULL: out of memory. */
struct bindings *bindings_new(const struct binding_config *c, const struct binding_hooks *hooks);
/* Another configuration, but for lan and the limits: what it does not allow any more goes. What bindings_reserve() and
 * bindings_exchange() said is forgotten: the caller says it again, sets the ports, and ends with bindings_configured(). -ENOMEM. */
int bindings_configure(struct bindings *b, const struct binding_config *c);
void bindings_configured(struct bindings *b);
/* Frees; the plane keeps what it has. */
void bindings_free(struct bindings *b);

/* --- ports --- */

/* An address is spoken for by the MACs of its group: one group a member, where several share a port. */
struct binding_port {
	bool closed, up;
	struct mac macs[BINDING_MACS];
	uint8_t mac_group[BINDING_MACS];
	bool mac_former[BINDING_MACS]; /* is being replaced: another of its group that was heard comes first */
	uint8_t mac_count;
	struct ip ips[BINDING_IPS];
	uint8_t ip_group[BINDING_IPS];
	uint8_t ip_flags[BINDING_IPS]; /* BIND_ROUTER, BIND_OVERRIDE, BIND_EXCHANGE; 0: ROUTER and OVERRIDE */
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
/* What is sent to this MAC is dropped and told (MAC_TRAP): the sponge's, an anti-spoofing one. Those of the config need no call.
 * 0, -EEXIST: somebody has it, -ENOSPC. */
int bindings_trap(struct bindings *b, struct mac mac);
/* The address of a host of the exchange, here or behind another PE: BIND_EXCHANGE. -ENOSPC: more than BINDING_EXCHANGE. */
#define BINDING_EXCHANGE 256
int bindings_exchange(struct bindings *b, struct ip ip);

/* --- the sponge --- */

/* Answered for with `mac`, until somebody has it (hook life) or bindings_sponge_del(). BIND_SPONGE | BIND_WATCH. 0, -EEXIST:
 * somebody has it, -EINVAL: no address that a host of the LAN may have, -ENOSPC: a quarter of all at most. */
int bindings_sponge_set(struct bindings *b, struct ip ip, struct mac mac);
void bindings_sponge_del(struct bindings *b, struct ip ip);

/* --- frames of our own --- */

/* All that the agent itself sends waits in one queue (announce.h), under a budget in all and one a port; a port's kinds take turns. */
enum announce_kind {
	ANNOUNCE_CONFIRM, /* RFC 9161 section 3.7 */
	ANNOUNCE_REFRESH, /* section 3.5 */
	ANNOUNCE_REPAIR,  /* the sponge's, to those with a stale cache */
	ANNOUNCE_PROBE,	  /* the sponge's, before it takes an address */
	ANNOUNCE_KINDS,
};
#define ANNOUNCE_FRAME_MAX 128

/* Takes a copy. One of the same kind, port and address that still waits is replaced. 0, -ENODEV: no port that is up, -ENOBUFS:
 * too many wait (counted), -EMSGSIZE. */
int bindings_send(struct bindings *b, enum announce_kind kind, uint32_t ifindex, struct ip ip, const uint8_t *frame,
	size_t len);
/* Sends what is due. When to call again, or UINT64_MAX: nothing waits. */
uint64_t bindings_drain(struct bindings *b, uint64_t now_ms);
void bindings_announce_stats(const struct bindings *b, struct announce_stats *ret);

/* --- duplicate addresses --- */

/* The operator has put things right: answered for again. 0, or -ENOENT: it is not frozen. */
int bindings_clear_duplicate(struct bindings *b, struct ip ip);

/* --- what was seen --- */

void bindings_event(struct bindings *b, const struct layout_event *e, uint64_t now_ms);
/* The registry has it so: that MAC may speak for that address there. The data plane cannot know while the address is the sponge's. */
bool bindings_is_owners(const struct bindings *b, uint32_t ifindex, struct mac mac, struct ip ip);
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

enum binding_source { SOURCE_NONE, SOURCE_STATIC, SOURCE_DYNAMIC, SOURCE_EVPN, SOURCE_SPONGE };

struct binding_view {
	struct ip ip;	 /* family 0: a MAC */
	struct mac mac;
	enum binding_source source;
	enum binding_place place;
	uint32_t ifindex; /* PORT */
	struct ip vtep;	  /* REMOTE */
	uint8_t flags;	  /* BIND_* of an address, MAC_* of a MAC */
	bool announced, stale, immutable;
	bool former;	/* its MAC is one that is being replaced */
	bool dead;	/* registered, and its port down or its owner not heard for long */
	bool awaited;	/* registered for several MACs, none of which was heard yet */
	bool duplicate; /* frozen: two have it */
	uint32_t hold_sec; /* of a duplicate: so long still; 0: until cleared */
	uint64_t seen_ms; /* last time here; 0: never */
};

/* False: nobody has it, and it is not sponged. */
bool bindings_get(const struct bindings *b, struct ip ip, struct binding_view *ret);
bool bindings_get_mac(const struct bindings *b, struct mac mac, struct binding_view *ret);
/* An address of that family, not link-local, that the MAC has; static ones first. False: none is known. */
bool bindings_address_of(const struct bindings *b, struct mac mac, uint8_t family, struct ip *ret);
void bindings_each(const struct bindings *b, void (*fn)(void *arg, const struct binding_view *v), void *arg);
void bindings_each_mac(const struct bindings *b, void (*fn)(void *arg, const struct binding_view *v), void *arg);

/* The same a part at a time, from *at on (0 at first), over so many slots of the table. False: that was the end. While entries
 * come and go in between, one may be told twice, or not. */
bool bindings_walk(const struct bindings *b, size_t *at, size_t slots,
	void (*fn)(void *arg, const struct binding_view *v), void *arg);

struct binding_stats {
	uint32_t statics, dynamics, evpns; /* addresses, by the source that counts */
	uint32_t sponges, dead, duplicates; /* addresses: nobody's, sponged; owners that are not there; frozen */
	uint32_t macs_home, macs_learned, macs_remote;
	uint64_t moves, claims, held, full, aged, refused, plane_errors;
	uint64_t ip_moves, confirms, duplicates_found; /* RFC 9161 section 3.7 */
};
void bindings_stats(const struct bindings *b, struct binding_stats *ret);
