/* The insides of sponge.h, shared by its files only: sponge.c (the table), sponge_proof.c (proof and life), sponge_source.c (whose
 * questions count). */
#pragma once
#include <sys/queue.h>

#include "lib/hmap.h"
#include "proxyarp/share.h"
#include "proxyarp/sponge.h"

/* --- who asks --- */

/* A source that is over its rate counts for nothing until it has kept to it for a window. */
struct sponge_sources {
	struct hmap map;
	struct shares shares;
	uint32_t rate, mute_ms;
};

enum sponge_source_verdict { SPONGE_COUNTS, SPONGE_MUTED, SPONGE_MUTED_NOW };

void sponge_sources_init(struct sponge_sources *t, uint32_t max);
void sponge_sources_free(struct sponge_sources *t);
enum sponge_source_verdict sponge_source_take(
	struct sponge_sources *t, uint32_t ifindex, struct mac mac, uint64_t now_ms);

/* --- addresses --- */

#define SPONGE_SLOTS 12 /* of a window */
#define SPONGE_HOLD_MS 60000 /* so long a sign of life counts without an owner: RFC 5227 takes 10 s at most */

/* What a tick looks at. */
enum sponge_place {
	SPONGE_UNLISTED,
	SPONGE_PROBED,	/* PENDING */
	SPONGE_WATCHED, /* lives, as it seems: who has it, and has everybody been told? */
};

struct sponge_entry {
	struct share share; /* first */
	struct ip ip;
	enum sponge_state state;
	enum sponge_place place;
	bool active, network;
	bool listed; /* static because the registry has it as nobody's */
	bool said;   /* static because the operator says so */
	bool told;	  /* somebody was: there is something to repair */
	uint8_t left;	  /* probes, or repairs, to go */
	uint64_t next_ms; /* probed: the next probe; watched: not answered before */
	uint64_t since_ms, asked_ms;
	uint64_t queries, trapped;
	uint64_t slot_at; /* number of the newest slot */
	uint16_t slots[SPONGE_SLOTS];
	struct mac owner; /* who is told of, while repairs are left */
	struct sponge_asker askers[SPONGE_ASKERS];
	uint32_t asker_count;
	TAILQ_ENTRY(sponge_entry) link;
};

TAILQ_HEAD(sponge_list, sponge_entry);

struct sponge {
	struct sponge_config c;
	struct prefix *prefixes;
	struct sponge_hooks hooks;
	struct hmap entries;
	struct shares shares;
	struct sponge_sources sources;
	struct sponge_list pending, watched;
	uint32_t pending_count, sponged, statics;
	uint64_t learn_until_ms, cleaned_ms, swept_ms;
	uint32_t sweep_prefix; /* prefix_count: not sweeping */
	uint32_t sweep_host;
	bool paused, dirty;
	struct sponge_stats stats;
};

/* What a host of the LAN could have: never link-local; in IPv4 not the network and the broadcast address, in IPv6 not the routers'
 * anycast address (RFC 4291 section 2.6.1). */
bool sponge_may_be(const struct sponge *s, struct ip ip);
struct sponge_entry *sponge_find(const struct sponge *s, struct ip ip);
/* The caller has looked: it is not there. NULL: no room, told. */
struct sponge_entry *sponge_make(struct sponge *s, struct ip ip, uint32_t ifindex, uint64_t now_ms);
/* Unanswered, out of all lists and counts; to be taken out of the table and freed. */
void sponge_let_go(struct sponge *s, struct sponge_entry *e);
void sponge_drop(struct sponge *s, struct sponge_entry *e);
/* The one place where state and place change. */
void sponge_enter(struct sponge *s, struct sponge_entry *e, enum sponge_state state, enum sponge_place place,
	uint64_t now_ms);
/* Answered from now on; 0, or why not, from the data plane. */
int sponge_activate(struct sponge *s, struct sponge_entry *e);
void sponge_deactivate(struct sponge *s, struct sponge_entry *e);
uint64_t sponge_slot(const struct sponge *s, uint64_t now_ms);
/* Questions in the window. */
uint32_t sponge_recent(const struct sponge *s, const struct sponge_entry *e, uint64_t now_ms);
void sponge_say(const struct sponge *s, enum sponge_note what, struct ip ip, struct mac mac, uint32_t ifindex);
