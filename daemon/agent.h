/* The insides of quell-agent, shared by its files: quell-agent.c (its life), agent_lan.c (LANs), agent_port.c (their ports), agent_vtep.c (the fabric),
 * agent_books.c (what is told and seen), agent_former.c (MACs that are being replaced), agent_ledger.c (what was counted), agent_adopt.c (what a
 * former agent left working), agent_feed.c (quelld), agent_alarms.c, agent_quarantine.c, agent_control.c (`quell show`), agent_reload.c (`quell reload`).
 *
 *   links, FDB   proxyarp/linux -> [agent_lan] -> the plane's ports, the bridge's knobs
 *   frames seen  plane -> [agent] -> proxyarp/bindings -> plane, FDB, [agent_feed] == feed ==> quelld
 *   routes       quelld == feed ==> [agent_feed] -> proxyarp/bindings -> plane, FDB
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include <bsd/sys/queue.h>
#include <jansson.h>

#include "config/config.h"
#include "daemon/registries.h"
#include "lib/log.h"
#include "lib/timers.h"
#include "proxyarp/binding.h"
#include "proxyarp/linux/bridge.h"
#include "proxyarp/linux/fdb.h"
#include "proxyarp/linux/link.h"
#include "proxyarp/linux/netlink.h"
#include "proxyarp/plane.h"
#include "registry/registry.h"

struct cmdline;
struct loop;
struct agent;
struct agent_control;
struct http_server;
struct agent_feed;
struct agent_former;
struct agent_sponge;
struct ledger;

/* How long a LAN that was not adopted waits for quelld's snapshot before its ports are taken, so that what is behind other PEs
 * is known before the unknown is dropped. */
#define AGENT_OPEN_MS 5000
/* How long what was adopted of other PEs' stays while no snapshot comes. */
#define AGENT_ADOPTED_MS 300000
#define AGENT_VTEPS_MAX 4096

/* Why a port is in quarantine. */
enum agent_quarantine {
	QUARANTINE_REGISTRY = 1, /* status: quarantine, or disabled */
	QUARANTINE_CONFIG = 2,	 /* port-settings */
	QUARANTINE_OPERATOR = 4, /* quell quarantine add */
	QUARANTINE_RULES = 8,	 /* too many violations */
};

struct agent_port {
	struct agent_lan *lan;
	uint32_t ifindex, slot;
	char name[LINK_NAME];
	enum layout_port_kind kind;
	bool up, closed;
	uint8_t quarantine; /* enum agent_quarantine */
	bool attached, behind, xdp;
	uint64_t attached_ms; /* when that was looked at last */
	bool knobs_asked; /* and not yet answered */
	struct bridge_knobs found; /* before us */
	struct layout_port row; /* what the plane was given */
	uint32_t violations;	/* within the window that began then */
	uint64_t violations_ms;
	const struct registry_port *member; /* the first of its entries; NULL: none */
	TAILQ_ENTRY(agent_port) link;
};

struct agent_adopted_port {
	uint32_t ifindex, slot;
};

struct agent_vtep {
	struct ip ip;
	bool flood, host; /* is sent floods; has MACs */
	bool flood_marked, host_marked;
};

/* Where VXLAN packets arrive: judged by the plane, of no LAN or of several. */
struct agent_underlay {
	char name[LINK_NAME];
	uint32_t ifindex, slot; /* 0: not taken */
	bool dry, attached;
	uint64_t attached_ms;
};

struct agent_lan {
	struct agent *agent;
	const struct config_lan *c;
	struct registry *registry; /* NULL: none configured */
	struct bindings *books;
	struct agent_sponge *sponge; /* from the end of the start on */
	struct agent_former *former; /* MACs of its ports here that are being replaced */
	uint32_t former_count;
	struct fdb_lan *fdb; /* NULL: not managed */
	uint32_t bridge, vxlan; /* ifindex; 0: not there now */
	uint16_t floods;
	struct ledger *gone; /* what ports that left had counted */
	bool open;    /* ports are taken */
	bool again;   /* what the ports do not get of the books now, they are to be given once more */
	bool settled; /* quelld's snapshot was in, or long awaited */
	struct mac self;
	struct agent_vtep *vteps;
	uint32_t vtep_count;
	uint64_t full; /* how much did not fit, as was told last */
	bool vteps_moved; /* MACs have moved: some may have no VTEP any more */
	TAILQ_HEAD(, agent_port) ports;
};

struct agent {
	const struct cmdline *cmdline;
	struct config *config;
	struct loop *loop;
	const struct plane_ops *ops;
	struct plane *plane;
	struct plane_limits limits;
	bool adopted;
	struct netlink *nl;
	struct links *links;
	struct fdb *fdb;
	struct agent_lan *lans;
	uint32_t lan_count;
	struct agent_underlay *underlays;
	uint32_t underlay_count;
	bool vteps_told; /* a snapshot was in: who is not in it is not in the fabric */
	uint8_t *slots; /* by slot: taken */
	struct agent_adopted_port *adopted_ports; /* during start */
	uint32_t adopted_port_count;
	struct agent_alarms *alarms;
	struct agent_quarantined *quarantined;
	uint32_t quarantined_count;
	struct agent_feed *feed;
	struct agent_control *control;
	struct http_server *http;
	uint64_t started_ms;
	uint64_t events;
	struct log_limit attach_log, alarm_log, full_log;
};

/* --- agent_lan.c --- */

/* Has an agent part. */
bool agent_lan_wants_registry(const struct config_lan *lan);
/* Reads the registries. 0, or -errno with the error told. */
int agent_lans_check(struct config *c, struct registries *ret);
/* All LANs with an agent part; takes their registries over. The bridges must be there: else -ENODEV, told. */
int agent_lans_find(struct agent *a, struct registries *registries);
/* Books and ports, after the plane is open. 0 or -errno, told. */
int agent_lans_start(struct agent *a);
void agent_lans_stop(struct agent *a, bool keep);
/* Takes the ports of a LAN: programs on, then knobs. Idempotent. */
void agent_lan_open(struct agent_lan *lan);
/* quelld's snapshot is complete, or will not come. */
void agent_lan_settle(struct agent_lan *lan);
void agent_on_link(void *arg, uint32_t what, const struct link *was, const struct link *now);
/* Knobs that wait for their entries; called every turn. */
void agent_lans_turn(struct agent *a);
struct agent_lan *agent_lan_by_vni(const struct agent *a, uint32_t vni);
struct agent_lan *agent_lan_by_name(const struct agent *a, const char *name);
struct agent_port *agent_port_find(const struct agent_lan *lan, uint32_t ifindex);
/* Which floods its bridge must let through for the data plane to judge. */
void agent_lan_floods(struct agent_lan *lan);

/* Its ports anew, by the configuration and the registry that it has now. */
void agent_lan_ports(struct agent_lan *lan);

/* --- agent_vtep.c --- */

/* The flood list. */
void agent_vtep_flood(struct agent_lan *lan, struct ip vtep, bool present);
/* There is a MAC behind it. */
void agent_vtep_host(struct agent_lan *lan, struct ip vtep);
/* Around a snapshot, and when MACs have gone. */
void agent_vteps_mark(struct agent_lan *lan);
void agent_vteps_sweep(struct agent_lan *lan);
void agent_vteps_tick(struct agent_lan *lan);
/* Our own VTEPs, and that there are LANs of these VNIs, as the configuration has them; `was` (may be NULL): the one before. */
void agent_vtep_own(struct agent *a, const struct config *c, const struct config *was);
/* The interfaces that the configuration names, from now on. */
void agent_underlays_set(struct agent *a);
/* The snapshot is in: they may be judged. */
void agent_underlays_open(struct agent *a);
void agent_underlays_link(struct agent *a, const struct link *was, const struct link *now);
void agent_underlays_tick(struct agent *a);
const struct agent_underlay *agent_underlay_find(const struct agent *a, uint32_t ifindex);
void agent_underlays_free(struct agent *a);

/* --- agent_port.c --- */

/* The entry is for a port of that name on this PE. */
bool agent_port_named(const struct agent *a, const struct registry_port *r, const char *name);
/* Takes the interface as a port, or sees to it anew. */
void agent_port_take(struct agent_lan *lan, const struct link *l, enum layout_port_kind kind);
/* there: the interface still is, so that what we did to it can be undone. Frees. */
void agent_port_drop(struct agent_port *p, bool there);
/* Whether the plane judges there and does nothing: the bridge is as it was found. */
static inline bool agent_port_dry(const struct agent_port *p)
{
	return p && p->row.flags & PORT_DRY;
}

/* What registry and configuration say of it, into plane and books. */
void agent_port_apply(struct agent_port *p);
/* Programs on. Idempotent; tried again whenever it is called, if it failed; now and then, if somebody has taken them off. */
void agent_port_attach(struct agent_port *p);
/* Knobs, once the entries are in. */
void agent_port_turn(struct agent_port *p);

/* --- agent_former.c --- */

/* The LAN's registry is another than `was` (may be NULL: none), before its ports are set by it. */
void agent_former_set(struct agent_lan *lan, const struct registry *was);
/* The registry has it as a former MAC, and it was silent for too long: good for nothing. */
bool agent_former_silent(const struct agent_port *p, struct mac mac);
/* Once a second. */
void agent_former_tick(struct agent_lan *lan, uint64_t now_ms);
/* [{mac, silent, left_s}] */
json_t *agent_former_show(const struct agent_port *p);

/* --- agent_books.c --- */

/* A LAN's books, as the configuration and the registry have it. 0 or -errno. */
int agent_books_open(struct agent_lan *lan);
/* The same, for books that are open: before the ports are set again and bindings_configured(). */
void agent_books_configure(struct agent_lan *lan);
/* The operator has put things right: a duplicate address is answered for again. See agent_control.c. */
json_t *agent_books_clear(struct agent *a, const json_t *request, const char **ret_error);
/* Where a MAC is, for the bridge's forwarding table. */
void agent_books_place(struct agent_lan *lan, struct mac mac, enum binding_place place, uint32_t ifindex,
	struct ip vtep);
/* What the plane tells. */
void agent_books_event(void *arg, const struct layout_event *e);
/* Frames of our own that are due; every turn. When it is to be called again at the latest. */
uint64_t agent_books_turn(struct agent *a, uint64_t now_ms);
/* Once a second. */
void agent_books_tick(struct agent_lan *lan, uint64_t now_ms);
/* What the kernel's FDB tells. */
void agent_books_learned(void *arg, struct fdb_lan *lan, uint32_t port, struct mac mac, bool gone);

/* --- agent_adopt.c --- */

/* Before ports are taken: which slots are in use, and what the books are to keep. */
void agent_adopt_begin(struct agent *a);
/* Afterwards: what nothing stands for goes. */
void agent_adopt_end(struct agent *a);
/* A row of the counters for a port, the one it had if it had one; -ENOSPC. */
int agent_slot_get(struct agent *a, uint32_t ifindex, uint32_t *ret_slot);
void agent_slot_put(struct agent *a, uint32_t slot);

/* --- agent_sponge.c --- */

/* After the ports were taken, before the end of adoption: what the file says is answered, what was adopted besides is not. */
void agent_sponge_open(struct agent_lan *lan);
/* Keeps what it knows for the next life. */
void agent_sponge_close(struct agent_lan *lan);
/* unknown-target: sponge, somewhere in the LAN. */
bool agent_sponge_on(const struct agent_lan *lan);
/* After a reload. */
void agent_sponge_configure(struct agent_lan *lan);
/* After the books. */
void agent_sponge_event(struct agent_lan *lan, const struct layout_event *e);
/* The books' hook. */
void agent_sponge_life(struct agent_lan *lan, struct ip ip, struct mac mac);
/* Before the books' frames. */
void agent_sponge_turn(struct agent_lan *lan, uint64_t now_ms);
void agent_sponge_tick(struct agent_lan *lan, uint64_t now_ms);

/* --- agent_sponge_show.c --- */

json_t *agent_sponge_show(struct agent *a, const json_t *request);
json_t *agent_callers_show(struct agent *a, const json_t *request);
/* `quell sponge`: the answer, or NULL and why not. */
json_t *agent_sponge_do(struct agent *a, const json_t *request, const char **ret_error);

/* --- agent_feed.c --- */

enum agent_feed_state { AGENT_FEED_DOWN, AGENT_FEED_SYNCING, AGENT_FEED_LIVE };

struct agent_feed_view {
	enum agent_feed_state state;
	uint64_t since_ms, lines_in, lines_out, connects;
};

struct agent_feed *agent_feed_new(struct agent *a);
void agent_feed_free(struct agent_feed *f);
void agent_feed_say(struct agent_feed *f, const struct agent_lan *lan, const struct binding_say *s);
void agent_feed_view(const struct agent_feed *f, struct agent_feed_view *ret);

/* --- agent_reload.c --- */

/* Reads the file again. The answer of docs/feed.md. */
json_t *agent_reload(struct agent *a, bool dry_run);

/* --- agent_ledger.c --- */

/* After the plane is open, and when the LAN goes. */
void agent_ledger_open(struct agent_lan *lan);
void agent_ledger_close(struct agent_lan *lan);
/* A port has left; before its row of counters is given back. */
void agent_ledger_leave(struct agent_lan *lan, uint32_t slot);
/* The answer of docs/feed.md; NULL: no such port. */
json_t *agent_ledger_show(struct agent *a, const json_t *request);

/* --- agent_alarms.c --- */

struct agent_alarm {
	char lan[32], port[LINK_NAME]; /* "": of none */
	const char *what;	       /* constant */
	enum frame_rule rule;	       /* RULE_NONE */
	int cls;		       /* enum frame_class; -1: none */
	bool would;		       /* it was let go */
	struct mac mac;		       /* zero: of none */
	struct ip ip;		       /* family 0: of none */
	uint64_t first_ms, last_ms, count;
};

void agent_alarms_new(struct agent *a);
void agent_alarms_free(struct agent *a);
/* Of that port, or of none; mac, ip, rule and class are the caller's. */
struct agent_alarm agent_alarm_of(const struct agent_lan *lan, uint32_t ifindex, const char *what);
/* Keeps it; times and count are seen to. True: it is new. */
bool agent_alarm(struct agent *a, const struct agent_alarm *alarm);
/* And has it in the log, if it is new. */
void agent_alarm_log(struct agent_lan *lan, const struct agent_alarm *alarm);
/* SPOOF, RULE and MOVED. */
void agent_alarms_event(struct agent_lan *lan, const struct layout_event *e);
json_t *agent_alarms_show(const struct agent *a);
uint64_t agent_alarms_total(const struct agent *a);

/* --- agent_quarantine.c --- */

void agent_quarantine_load(struct agent *a);
void agent_quarantine_free(struct agent *a);
/* QUARANTINE_OPERATOR, QUARANTINE_RULES. */
uint8_t agent_quarantine_of(const struct agent_port *p);
void agent_quarantine_event(struct agent_port *p, const struct layout_event *e);
void agent_quarantine_tick(struct agent *a, uint64_t now_ms);
/* `quell quarantine`: the answer, or NULL and why not. */
json_t *agent_quarantine_do(struct agent *a, const json_t *request, const char **ret_error);
json_t *agent_quarantine_words(uint8_t by);

/* --- agent_show_ports.c --- */

json_t *agent_ports_show(const struct agent *a);

/* --- agent_control.c --- */

/* 0, or -errno with the error told. */
int agent_control_new(struct agent *a, struct agent_control **ret);
void agent_control_free(struct agent_control *c);
