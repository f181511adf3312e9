/* The sponge of one peering LAN: it answers for addresses that nobody has, so that whoever asks for them falls silent. Both
 * families alike.
 *
 *            queries in window        probes, unanswered
 *   unknown ------------------> PENDING ----------------> SPONGED        STATIC: the operator's word
 *      ^                          |                          |             |  ^
 *      +-----  a sign of life, at once: a probe, an ARP or NA, data, a binding from anywhere
 *
 * Its manners are those that exchanges have come to expect of a sponge: it listens before it acts; it wants proof; it never
 * answers a probe or DAD (the data plane sees to that: BIND_SPONGE), so that it keeps nobody from an address; it goes at the
 * first sign of life and then tells those whom it told otherwise; no single asker that loops or scans counts.
 *
 * Pure: no I/O but through the hooks, no clock but the given `now`. What a member can send makes no table grow beyond `max`.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/ip.h"
#include "lib/mac.h"
#include "proxyarp/layout.h"

#define SPONGE_ASKERS 8 /* remembered an address, for the repair of their caches */

struct sponge;

struct sponge_config {
	bool on; /* else only what the operator says is answered */
	const struct prefix *prefixes; /* of the LAN; copied */
	uint32_t prefix_count;
	uint32_t queries, window_sec; /* proof: so many within so long */
	uint32_t probes;	      /* and then so many seconds, a probe in each */
	uint32_t learn_sec;	      /* listen only, after the start */
	uint32_t source_rate;	      /* queries a second; who asks more often counts for nothing. 0: all count */
	uint32_t max;		      /* addresses, and askers, in memory */
	bool repair;		      /* tell those who were told otherwise where it is now */
	bool gratuitous;	      /* tell those who asked as soon as it is sponged */
	bool network;		      /* network and broadcast addresses of the IPv4 prefixes too: RFC 1122 section 3.3.6 */
	uint32_t sweep_sec;	      /* ask all silent addresses of the IPv4 prefixes so often; 0: never */
	uint32_t sweep_rate;	      /* a second */
};

struct sponge_asker {
	uint32_t ifindex;
	struct mac mac;
	uint64_t last_ms;
};

enum sponge_note {
	SPONGE_NOTE_SPONGED,
	SPONGE_NOTE_YIELDED, /* mac: who has it, or zero */
	SPONGE_NOTE_LOOPING, /* mac: a source that counts for nothing; ip: what it asked for */
	SPONGE_NOTE_FULL,
};

struct sponge_hooks {
	/* Somebody has it, answered for or not. ret_mac: who, if it is to be told; else zero. */
	bool (*owned)(void *arg, struct ip ip, struct mac *ret_mac);
	/* From now on it is answered with the sponge's MAC. 0; -EEXIST: somebody has it; -ENOSPC. */
	int (*set)(void *arg, struct ip ip);
	void (*del)(void *arg, struct ip ip);
	/* Asks for it where somebody unknown could be; `asker` is one of those who want to know, NULL: none. 0, also if there is no
	 * such port; -EAGAIN: not now. */
	int (*probe)(void *arg, struct ip ip, const struct sponge_asker *asker);
	/* Tells `to` that `mac` has it; zero: the sponge. */
	void (*tell)(void *arg, const struct sponge_asker *to, struct ip ip, struct mac mac);
	void (*note)(void *arg, enum sponge_note what, struct ip ip, struct mac mac, uint32_t ifindex);
	void *arg;
};

/* NULL: out of memory. */
struct sponge *sponge_new(const struct sponge_config *c, const struct sponge_hooks *hooks, uint64_t now_ms);
/* Leaves what is answered as it is. */
void sponge_free(struct sponge *s);
/* Another configuration. Not `on` any more: what it sponged by itself ends; so does what is not in the prefixes any more. */
void sponge_configure(struct sponge *s, const struct sponge_config *c, uint64_t now_ms);
/* What other PEs have is not known just now: nothing new is sponged. */
void sponge_pause(struct sponge *s, bool paused);

/* What the plane told. QUERY, PROBE, TRAP, LIFE, BINDING; others, and addresses that are not the LAN's, change nothing. PROBE only
 * of a port where a new address may appear. */
void sponge_event(struct sponge *s, const struct layout_event *e, uint64_t now_ms);
/* A sponged address has an owner; the data plane knows. False: it was not the sponge's. */
bool sponge_life(struct sponge *s, struct ip ip, struct mac mac, uint64_t now_ms);
/* Call about once a second. */
void sponge_tick(struct sponge *s, uint64_t now_ms);

/* The operator's word. 0; add: -EINVAL (not a host's address of this LAN), -EEXIST (somebody has it, or it is static already),
 * -ENOSPC; del: -ENOENT, -EPERM (sponge_list() has it). */
int sponge_add(struct sponge *s, struct ip ip, uint64_t now_ms);
int sponge_del(struct sponge *s, struct ip ip);
/* What the registry has as nobody's, in place of what it had before: as if the operator had said it, but that it is not kept over a
 * restart, and that what somebody has just now waits until it is free. How many there was no room for. */
size_t sponge_list(struct sponge *s, const struct ip *ips, size_t count, uint64_t now_ms);

enum sponge_state { SPONGE_ALIVE, SPONGE_PENDING, SPONGE_SPONGED, SPONGE_STATIC };
const char *sponge_state_text(enum sponge_state s);

struct sponge_view {
	struct ip ip;
	enum sponge_state state;
	bool active;  /* answered */
	bool network; /* static because of what it is */
	bool listed;  /* static because the registry has it */
	bool said;    /* static because the operator says so */
	uint8_t pending; /* PENDING: seconds to go */
	uint64_t since_ms, asked_ms; /* asked_ms 0: never */
	uint64_t queries, trapped;   /* told of in all */
	const struct sponge_asker *askers;
	uint32_t asker_count;
};

/* With the sponge's MAC, just now. */
bool sponge_answers(const struct sponge *s, struct ip ip);
void sponge_each(const struct sponge *s, void (*fn)(void *arg, const struct sponge_view *v), void *arg);

/* --- over a restart --- */

/* Before the first tick: it was sponged, or static, when the last agent stopped. As sponge_add(). */
int sponge_restore(struct sponge *s, const struct sponge_view *v, uint64_t now_ms);
/* That agent stopped so long ago: listening only need not last longer than what was missed. */
void sponge_restored(struct sponge *s, uint64_t away_ms);
/* True once after what sponge_restore() restores has changed. */
bool sponge_dirty(struct sponge *s);

struct sponge_stats {
	uint32_t addresses, pending, sponged, statics;
	uint64_t learn_ms; /* still to listen */
	bool paused;
	uint64_t queries, ignored, looping; /* ignored: of sources that loop */
	uint64_t sponges, yields, repairs, probes, swept, evicted, full;
};
void sponge_stats(const struct sponge *s, uint64_t now_ms, struct sponge_stats *ret);
