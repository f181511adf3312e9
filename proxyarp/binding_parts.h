/* The insides of binding.h, shared by its files only: binding.c (one address), station.c (one MAC), bindings.c (all of them,
 * and the ports), bindings_list.c (addresses of several MACs), bindings_seen.c (frames and time), bindings_feed.c (other PEs),
 * bindings_adopt.c, bindings_show.c. An update works out what should be from what is known, and tells the plane, quelld, the
 * forwarding table and the members what changed; it never frees. Freeing what has become empty is bindings_collect*(). */
#pragma once
#include <sys/queue.h>

#include "lib/hmap.h"
#include "proxyarp/announce.h"
#include "proxyarp/binding.h"

struct station;
struct binding;

/* One source's link from an address to its MAC. */
struct binding_ref {
	struct binding *binding;
	struct station *station; /* NULL: not linked */
	LIST_ENTRY(binding_ref) link;
};

enum { REF_STATIC, REF_LEARNED, REF_EVPN, REF_COUNT };

struct station {
	struct mac mac;
	uint32_t self;	  /* the bridge's ifindex, when it is the PE's own */
	bool trap;	  /* the sponge's, or an anti-spoofing one */
	uint32_t home;	  /* registered for this port */
	uint32_t seen_on; /* learned on this port; never with home */
	bool reserved;	  /* registered, for a port here or elsewhere */
	bool seen;	  /* at home, since the port came up */
	uint64_t seen_ms;
	bool remote, marked, sticky; /* another PE announces it */
	struct ip vtep;
	uint32_t seq;
	bool claimed; /* and we have taken it back since, over that sequence */
	uint32_t claimed_over;
	uint64_t claims_since_ms; /* RFC 7432 section 15.1 */
	uint8_t claims;
	bool held;
	/* what others were told */
	bool in_plane, said, placed;
	struct layout_mac plane;
	enum binding_place place;
	uint32_t place_ifindex;
	struct ip place_vtep;
	LIST_HEAD(, binding_ref) refs;
};

/* Somebody who says that an address is his. */
struct duplicate_claim {
	struct mac mac;
	uint32_t ifindex; /* 0: another PE */
	uint8_t flags;	  /* BIND_* */
	bool flooded;
};

struct duplicate {
	enum { DUPLICATE_CALM, DUPLICATE_ASKED, DUPLICATE_FROZEN } state;
	uint32_t moves;
	uint64_t since_ms;
	struct duplicate_claim rival; /* the latest */
	bool of_rival;		      /* it is asked, else the owner */
	bool told;
	uint32_t asks;
	uint64_t asked_ms, until_ms;
};

struct binding {
	struct ip ip;
	uint32_t home; /* static: the port */
	uint32_t learned_on;
	uint8_t learned_flags; /* BIND_ROUTER, BIND_OVERRIDE */
	uint64_t learned_ms, asked_ms;
	bool flooded;	 /* the frame that made it what it is went to all members */
	bool evpn_newer; /* than what was learned */
	bool evpn_immutable, evpn_marked;
	uint8_t evpn_flags;
	struct ip evpn_vtep;
	struct binding_ref refs[REF_COUNT];
	struct duplicate *duplicate; /* NULL: nobody claimed it of late */
	bool sponged; /* nobody's, and the sponge answers for it */
	struct mac sponge_mac;
	/* what others were told */
	bool in_plane, said, was_sponged;
	bool announced; /* to the members, if only by answers: with this MAC */
	struct mac announced_mac;
	struct layout_bind plane;
	struct binding_say said_as;
};

struct binding_port_entry {
	uint32_t ifindex;
	struct binding_port p;
	uint64_t up_ms;	  /* since when: who is not heard is missed from then on */
	uint32_t learned; /* addresses */
	uint32_t seen;	  /* learned MACs */
};

struct bindings {
	struct binding_config c;
	struct prefix *prefixes;
	struct binding_hooks hooks;
	struct hmap stations, bindings, ports;
	struct announce *announce;
	struct mac self;
	struct ip exchange[BINDING_EXCHANGE]; /* sorted */
	uint32_t exchange_count;
	uint32_t sponged, frozen;
	uint64_t now_ms;
	bool empty_stations, empty_bindings; /* some may be: a collect is worth its walk */
	size_t station_at, binding_at; /* where the next tick goes on */
	uint64_t retried_errors; /* plane_errors at the last tick */
	size_t retry_ticks;	 /* for so long everything is tried again */
	struct binding_stats stats; /* the counters of it */
};

/* The time is so now. */
void bindings_clock(struct bindings *b, uint64_t now_ms);
struct binding_port_entry *bindings_port(const struct bindings *b, uint32_t ifindex);
bool bindings_port_is_up(const struct bindings *b, uint32_t ifindex);
/* The port's list of MACs has it, in any group. */
bool bindings_lists_mac(const struct binding_port *p, struct mac mac);
/* The MACs that may speak for one of the port's addresses: `mac` is among them; the first; how many. */
bool bindings_may_speak(const struct binding_port *p, struct ip ip, struct mac mac);
int bindings_speakers(const struct binding_port *p, struct ip ip, struct mac *ret_first);
/* BIND_ROUTER and the like of one of the port's addresses. */
uint8_t bindings_ip_flags(const struct binding_port *p, struct ip ip);
bool bindings_is_exchange(const struct bindings *b, struct ip ip);
/* However much one port invents, or the sponge takes, there is room for what is behind others. */
static inline uint32_t bindings_share_of(uint32_t max)
{
	return max < 4 ? 1 : max / 4;
}

/* --- bindings_list.c: an address whose owner has several MACs --- */

/* Which of its MACs a static binding begins with. */
struct station *list_first(
	const struct bindings *b, const struct binding_port_entry *p, const struct binding *e);
/* Of several MACs that may speak for it none has been heard: it is not answered for yet. */
bool list_awaits(const struct bindings *b, const struct binding *e);
/* A frame of one of a port's MACs: addresses that await one of them are its own from now on. */
void list_heard(struct bindings *b, const struct binding_port_entry *p, struct station *s);
/* One of the port's MACs that are being replaced. */
bool list_is_former(const struct binding_port_entry *p, struct mac mac);
/* Who speaks for a registered address may have it from now on. */
bool list_may_take(const struct binding_port_entry *p, const struct binding *e, const struct station *s);
/* Registered, here, and not to be expected to answer. */
bool list_is_dead(const struct bindings *b, const struct binding *e);

/* Frees what nothing stands for any more. Apart, so that making one kind never frees the other, just made and still empty. */
void bindings_collect_bindings(struct bindings *b);
void bindings_collect_stations(struct bindings *b);
static inline void bindings_collect(struct bindings *b)
{
	bindings_collect_bindings(b);
	bindings_collect_stations(b);
}

struct station *station_find(const struct bindings *b, struct mac mac);
/* Finds or makes; NULL: full (counted) or out of memory. */
struct station *station_get(struct bindings *b, struct mac mac);
enum binding_place station_place(const struct station *s, uint32_t *ret_ifindex);
/* Behind one of our ports as far as we know, and to be said so. */
bool station_is_ours(const struct bindings *b, const struct station *s);
/* Tells what changed, its addresses included. claim: also say again what was said, as seen just now. */
void station_update(struct bindings *b, struct station *s, bool claim);
/* A frame from it on a port where it may be. */
void station_seen(struct bindings *b, struct station *s, uint32_t ifindex);
/* Learned on that port from now on; 0: on none. */
void station_on(struct bindings *b, struct station *s, uint32_t ifindex);
bool station_is_empty(const struct station *s);
void station_view(const struct bindings *b, const struct station *s, struct binding_view *ret);

struct binding *binding_find(const struct bindings *b, struct ip ip);
struct binding *binding_get(struct bindings *b, struct ip ip);
void binding_link(struct binding *e, int ref, struct station *s);
void binding_unlink(struct binding *e, int ref);
void binding_drop_learned(struct bindings *b, struct binding *e);
enum binding_source binding_effective(const struct bindings *b, const struct binding *e, struct layout_bind *ret);
void binding_update(struct bindings *b, struct binding *e, bool claim);
/* NULL: not any more. Without an update. */
void binding_sponge(struct bindings *b, struct binding *e, const struct mac *mac);
/* Asks `mac`, and nobody else, whether it has `ip`. As bindings_send(). */
int binding_ask(struct bindings *b, enum announce_kind kind, uint32_t ifindex, struct mac mac,
	struct ip ip);
/* Learned on that port from now on. Within the port's share; else false. */
bool binding_learned(struct bindings *b, struct binding_port_entry *p, struct station *s,
	struct binding *e, uint8_t flags, bool flooded);
/* Takes an address that has no entry out of the plane. */
void binding_unplane(struct bindings *b, struct ip ip);
bool binding_is_empty(const struct binding *e);
void binding_view(const struct bindings *b, const struct binding *e, struct binding_view *ret);
/* An address that a host may have, and that may be learned in this LAN. */
bool binding_may_be(const struct bindings *b, struct ip ip);

/* --- duplicate.c --- */

bool duplicate_is_frozen(const struct binding *e);
/* True: another MAC may have the address now. False: it was asked who has it, or it is frozen. */
bool duplicate_claim(struct bindings *b, struct binding *e, const struct duplicate_claim *c);
/* `mac`, which has the address or claims it, spoke for it. */
void duplicate_heard(struct bindings *b, struct binding *e, struct mac mac);
/* The other PE that claims it does not any more. */
void duplicate_evpn_gone(struct bindings *b, struct binding *e);
void duplicate_tick(struct bindings *b, struct binding *e);
/* False: not frozen. */
bool duplicate_effective(const struct bindings *b, const struct binding *e, struct layout_bind *ret);
/* Without an update. */
void duplicate_free(struct bindings *b, struct binding *e);
