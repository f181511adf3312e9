/* What a LAN keeps: private to evpn/lan*.c.
 *
 *   remote      one imported type-2 route: (RD, tag, MAC, IP) -> VTEP, sequence, flags
 *   local       one thing that is behind our own ports: a MAC alone, or an IP's binding
 *   lan_mac     a MAC that any of them names; where it is, and whether our own claim stands
 *   lan_ip      an IP that any of them names; whose it is
 *   lan_moves   the book of a MAC that has moved lately, or is frozen
 *   imet        one imported type-3 route -> the VTEP that wants floods; lan_vtep counts them
 *
 * A remote and a local hang in the lists of their MAC and IP, which live as long as a list of
 * theirs is not empty.
 *
 *   lan_import.c      RIB -> remote
 *   lan_local.c       feed -> local
 *   lan_choose.c      who has a MAC, an IP; tells the hooks
 *   lan_originate.c   what we say of it
 *   lan_flood.c       type 3
 *   lan_change.c      another configuration
 *   lan_moves.c       MACs that move too often, claims that are not to be believed
 *   lan.c             the objects, walks, figures
 */
#pragma once
#include <sys/queue.h>

#include "evpn/lan.h"
#include "evpn/nlri.h"
#include "lib/hmap.h"

/* A peer may repeat one MAC or IP under any number of RDs; the choice walks them all. */
#define LAN_ROUTES_PER_MAC 128
#define LAN_ROUTES_PER_IP 64
#define LAN_LOCALS_PER_MAC 1024 /* the same of our own */
#define LAN_VTEPS_MAX 4096
#define LAN_TABLE_DEFAULT 65536 /* for a max of 0 */
/* Alarms a second about what the registry does not have: more are not kept anyhow. */
#define LAN_UNREGISTERED_TOLD 256
/* Books of moves; when there are as many, the oldest gives way that freezes nothing. */
#define LAN_BOOKS_MAX 8192

/* Octets only, so that it has no padding and hashes as it stands. */
struct route_key {
	struct rd rd;
	uint8_t tag[4];
	struct mac mac;
	struct ip ip; /* family 0: MAC only. Type 3: the originator, mac zero */
};

struct lan_mac;
struct lan_ip;

struct remote {
	struct route_key key;
	LIST_ENTRY(remote) of_mac, of_ip;
	struct lan_mac *mac;
	struct lan_ip *ip; /* NULL: MAC only */
	struct ip vtep;
	uint32_t seq, vni;
	bool tagged; /* the sequence was said, if 0 */
	struct esi esi;
	uint8_t flags;   /* LAN_*; LAN_STICKY is the MAC's */
	uint64_t serial; /* when this IP came to this MAC, or became immutable: the latest wins
			    among equals */
};

struct local {
	LIST_ENTRY(local) of_lan, of_mac;
	struct lan_mac *mac;
	struct lan_ip *ip; /* NULL: the MAC alone, asked for as such */
	uint8_t flags;
	uint64_t serial;
	bool marked;    /* not named again yet in the snapshot */
	bool withheld;  /* another PE has the IP as an immutable binding of another MAC (RFC 9047
			   section 3.2) */
	bool announced; /* and with what: */
	uint32_t announced_seq;
	uint8_t announced_flags;
};

struct lan_mac {
	struct mac mac;
	LIST_HEAD(, remote) remotes;
	LIST_HEAD(, local) locals;
	unsigned remote_count, local_count;
	bool standing;         /* our claim is the one that counts, and is announced */
	bool sticky;           /* of our locals, any */
	const char *contested; /* the alarm that was given, while its cause is there */
	bool best_tagged;      /* whether its sequence was said */
	bool told;             /* best is what the hook was told last */
	uint32_t seq;          /* of our claim; while it does not stand, of what beat it */
	bool tagged;           /* our sequence has come round to 0, and is said */
	bool wraps;            /* among the claims is one with the last of all sequences */
	bool refused;          /* lan_judge() has refused others because of it */
	struct esi esi;        /* of the best */
	struct lan_entry best;
	bool mac_announced; /* the MAC-only route */
	uint32_t mac_announced_seq;
	bool mac_announced_sticky;
};

struct lan_ip {
	struct ip ip;
	LIST_HEAD(, remote) remotes;
	struct local *local; /* one port's, or none */
	unsigned remote_count;
	const char *contested;
	bool told;
	struct lan_entry best;
};

struct lan_moves {
	struct mac mac;
	TAILQ_ENTRY(lan_moves) of_lan; /* open: by begun_ms; frozen: by frozen_ms */
	TAILQ_ENTRY(lan_moves) of_left;
	uint64_t begun_ms;
	uint32_t count;
	bool told;
	bool frozen;
	bool refused;       /* as in lan_mac */
	struct ip place;    /* frozen: at which PE; family 0: nobody's for now */
	uint64_t frozen_ms; /* since when */
};

TAILQ_HEAD(lan_moves_list, lan_moves);

struct imet {
	struct route_key key;
	struct ip vtep;
};

struct lan_vtep {
	struct ip vtep;
	unsigned count;
};

struct lan {
	struct lans *all;
	struct lan_config config;
	STAILQ_ENTRY(lan) next;
	struct hmap remotes, macs, ips, imets, vteps, books;
	struct lan_moves_list open, frozen, left; /* books; left: frozen, and nobody announces it */
	uint32_t frozen_count, sticky_count; /* sticky: MACs whose best entry is */
	uint64_t duplicates_found;
	bool books_full;		     /* the alarm was given */
	LIST_HEAD(, local) locals;
	uint32_t macs_with_remote, ips_with_remote, local_count;
	uint64_t serial;
	uint64_t moves, refused_full, not_imported, foreign_vni, alarms;
	uint64_t flagged[REGISTERED_VERDICTS];
	uint64_t unregistered_second; /* in which so many were told */
	uint32_t unregistered_told;
	bool full; /* the alarm was given; until there is room again */
};

struct lans {
	uint64_t now_ms;
	struct lan_hooks hooks;
	STAILQ_HEAD(, lan) list;
};

/* --- lan.c --- */

struct lan_mac *lan_mac_find(const struct lan *lan, struct mac mac);
struct lan_ip *lan_ip_find(const struct lan *lan, struct ip ip);
/* Finds or makes; NULL: out of memory. */
struct lan_mac *lan_mac_get(struct lan *lan, struct mac mac);
struct lan_ip *lan_ip_get(struct lan *lan, struct ip ip);
/* Lets go of one that nothing names any more and that nobody was told of. */
void lan_mac_put(struct lan *lan, struct lan_mac *m);
void lan_ip_put(struct lan *lan, struct lan_ip *i);
uint64_t lan_hash(const void *octets, size_t len);
void lan_configure(struct lan *lan, const struct lan_config *c);
void lan_free(struct lan *lan);

/* --- lan_choose.c --- */

/* The candidates of a MAC or IP changed: chooses again, tells, originates or withdraws, and lets go
 * of what is empty (so m and i are gone afterwards). `claim`: our own port has just seen the MAC.
 */
void lan_choose_mac(struct lan *lan, struct lan_mac *m, bool claim);
void lan_choose_ip(struct lan *lan, struct lan_ip *i);

/* --- lan_moves.c --- */

/* NULL: not frozen. */
struct lan_moves *lan_frozen(const struct lan *lan, struct mac mac);
/* The place of a frozen one from now on; family 0: nobody announces it. */
void lan_frozen_at(struct lan *lan, struct lan_moves *b, struct ip place);
/* It has moved to `place`, with a higher sequence. True: that was once too often, and it is frozen there. */
bool lan_moved(struct lan *lan, struct mac mac, struct ip place);
/* The best entry of the MAC has another place, or is gone: what was refused for it may be asked about. */
void lan_reconsider(struct lan *lan, struct lan_mac *m);
/* Another configuration took the place of `was`. */
void lan_moves_changed(struct lan *lan, const struct lan_config *was);
void lan_moves_free(struct lan *lan);

/* --- lan_originate.c --- */

/* Brings what is announced of a MAC's locals in line with what should be. */
void lan_originate_mac(struct lan *lan, struct lan_mac *m);
void lan_originate_local(struct lan *lan, struct local *l);
void lan_withdraw_local(struct lan *lan, struct local *l);
void lan_originate_imet(struct lan *lan);
void lan_withdraw_imet(struct lan *lan);

/* What is announced of a MAC. */
struct lan_said {
	bool mac;
	struct ip *ips;
	size_t count;
};
/* From now on nothing is taken as announced of it; nobody is told. To be freed. */
struct lan_said lan_forget_said(struct lan_mac *m);
void lan_withdraw_said(struct lan *lan, const struct lan_mac *m, const struct lan_said *said);
void lan_said_free(struct lan_said *said);

/* --- lan_flood.c --- */

void lan_flood_set(struct lan *lan, const struct route_key *key, const struct attrs *attrs);
void lan_flood_del(struct lan *lan, const struct route_key *key);
