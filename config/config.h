/* The configuration file, checked as a whole: what quelld, quell-agent and `quell check` read. YAML by libcyaml with a
 * schema table; every error says file:line:column, what was found and what was expected. A config is a value: it is
 * loaded, used, freed; reload loads another. doc: quell.yaml(5), README.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/ip.h"
#include "lib/mac.h"
#include "lib/rd.h"
#include "proxyarp/layout.h"

#define CONFIG_CLASSES 16 /* BGP_CLASSES */
#define CONFIG_TYPE_KNOWN_MAX 8

/* What a neighbour may send: see evpn/policy.h. `import` of the neighbour over that of `bgp`. */
struct config_import {
	uint8_t types[32];	/* a bit each */
	struct rt_pattern *rts; /* none: any */
	uint32_t rt_count;
	struct prefix *vteps; /* none: any */
	uint32_t vtep_count;
	bool sanity, sticky_macs;
	uint32_t max_by_class[CONFIG_CLASSES]; /* 0: no limit */
};

struct config_neighbor {
	struct ip address;     /* family 0: dynamic, see prefix */
	struct prefix prefix;
	uint32_t max;	       /* dynamic neighbours from prefix */
	uint32_t remote_as;
	char *name;	       /* may be NULL */
	bool client, passive, shutdown;
	int32_t hold_time;     /* seconds; -1: the default */
	uint32_t connect_retry;
	uint32_t max_routes;
	uint32_t stale_time;   /* seconds, RFC 8538 section 4.1; 0: the default */
	char *password_file;   /* NULL: none. TCP MD5, RFC 2385 */
	char *password;	       /* what the file held, one line; NULL: none */
	uint8_t ttl_security;  /* GTSM hops, RFC 5082; 0: off */
	int role;	       /* enum bgp_role; RFC 9234 */
	bool role_strict, otc;
	int add_path;	       /* enum add_path_mode; RFC 7911 */
	bool control_communities; /* its peers on the route server say who has their routes */
	bool rt_constrain;     /* RFC 4684 */
	uint32_t llgr_time;    /* seconds, RFC 9494; 0: off */
	bool conservative;     /* send nothing legal that FRR 8.4 resets on */
	struct config_import import;
};

/* A monitoring station (RFC 7854). */
struct config_bmp {
	struct ip address;
	uint16_t port;
	char *name;		 /* may be NULL */
	int policy;		 /* enum bmp_views */
	uint32_t stats_interval; /* seconds; 0: no Stats Reports */
	uint32_t connect_retry;
	uint32_t queue;		 /* MB */
};

/* What a member port does with frames: that of the LAN, and of ports for which something else is said, which is whole
 * again: the LAN's with the port's own over it. */
struct config_policy {
	uint64_t rules;		/* RULE_ACTION()s */
	uint64_t flood_classes; /* CLASS_BIT()s: `flood` and `gratuitous` */
	int unknown_target;	/* enum layout_unknown */
	int ns_option;		/* enum layout_ns_option */
	int accelerate;		/* 0 off, 1 xdp */
	bool unicast_forward;	/* RFC 9161 section 3.4 */
	bool dry_run;
	struct layout_policer police[DIR_COUNT][POLICE_COUNT]; /* rate 0: none */
	struct layout_policer police_fabric; /* what comes from other PEs and floods here; of the LAN only */
};

/* A port for which something is said. */
struct config_port {
	char name[16];
	bool quarantine;
	struct config_policy policy;
};

/* When a port is put into quarantine without anybody's saying so. */
struct config_quarantine {
	uint32_t violations; /* so many in so many seconds; 0: never */
	uint32_t window;
	uint64_t rules;	     /* a bit each: whose violations count */
	uint32_t release;    /* seconds; 0: when the operator says so */
};

struct config_sponge {
	struct mac mac;
	uint32_t queries, window; /* so many requests for nobody in so many seconds: probed, then sponged */
	uint32_t probes;	  /* unanswered before it is; 0: none */
	uint32_t learn_sec;	  /* after the start nothing is sponged yet */
	uint32_t source_rate;	  /* requests a second; who asks more often is no proof */
	uint32_t max;		  /* addresses in memory */
	bool repair;		  /* callers of an address that has an owner again are told */
	bool gratuitous;	  /* who asked is told as soon as an address is sponged */
	bool network;		  /* IPv4 network and broadcast addresses are sponged */
	uint32_t sweep_sec;	  /* all addresses are probed in turn, so often; 0: never */
	uint32_t sweep_rate;	  /* probes a second */
};

/* A registered address whose owner does not answer. */
enum config_dead_policy { CONFIG_DEAD_SILENT, CONFIG_DEAD_ANSWER, CONFIG_DEAD_SPONGE };

struct config_dead {
	int policy;	    /* enum config_dead_policy */
	uint32_t after_sec; /* of silence, besides its port's being down; 0: never */
};

/* Two MACs have one IP: RFC 9161 section 3.7. */
struct config_duplicate_ip {
	uint32_t moves, window, hold_down, confirm; /* seconds but for moves */
	int action;	   /* enum config_duplicate */
	struct mac as_mac; /* zero: none */
};

enum config_announce_on { CONFIG_ANNOUNCE_OFF, CONFIG_ANNOUNCE_CHANGES, CONFIG_ANNOUNCE_ALL };

struct config_announce {
	int on;			  /* enum config_announce_on */
	uint32_t rate, port_rate; /* frames a second */
};

struct config_agent {
	char *bridge, *vxlan;
	char **ports;	       /* NULL with all_ports */
	uint32_t port_count;
	bool all_ports;
	char **underlay;       /* interfaces where VXLAN is judged */
	uint32_t underlay_count;
	struct config_policy policy;
	struct config_port *port_settings; /* one a port; see config_port_policy() */
	uint32_t port_setting_count;
	struct config_quarantine quarantine;
	struct config_sponge sponge;
	struct config_dead dead;
	struct config_duplicate_ip duplicate_ip;
	struct config_announce announce;
	bool anycast;	       /* O of NAs is the owner's, RFC 9161 section 3.3 d */
	int na_without_override; /* 1: makes no new entry, RFC 9131 */
	int mac_list; /* of several MACs of an address: 0 the one that was heard, 1 the first of the list until then */
	uint32_t mac_swap; /* a former MAC of the registry is good until silent for so long; 0: always */
	int learn_unregistered; /* a port that the registry does not name: 0 closed, 1 learns */
	bool manage_fdb;       /* program FDB and flood list (no FRR beside us); default true */
	uint32_t age_sec;      /* dynamic bindings; default 1200 */
	uint32_t refresh_sec;  /* they are asked after so long; default a third of that */
	uint32_t max_bindings; /* default 16384 */
};

/* RFC 7432 section 15.1; also evpn/lan.h. */
enum config_duplicate { DUPLICATE_OFF, DUPLICATE_ALARM, DUPLICATE_FREEZE };
#define DUPLICATE_MOVES 5
#define DUPLICATE_WINDOW 180

/* A switch of the exchange, by its name in IXP Manager. */
struct config_switch {
	char *name;
	uint32_t pe; /* router id, host order; 0: any */
};

enum config_ixf { CONFIG_IXF_OFF, CONFIG_IXF_0_6, CONFIG_IXF_0_7, CONFIG_IXF_1_0 };

/* Where `quell registry fetch` gets the registry of a LAN. */
struct config_fetch {
	char *url;	/* NULL: nowhere, and the rest means nothing */
	char *key_file; /* NULL: none */
	char *ca_file;	/* NULL: those of the system */
	int ixf;	/* enum config_ixf */
	struct config_switch *switches;
	uint32_t switch_count;
	uint32_t addresses;   /* a VLAN's id in the database; 0: not asked for */
	char *into;	      /* NULL: see config_fetch_into() */
	uint32_t max_removed; /* per cent of the bindings */
	uint32_t timeout;     /* seconds */
};

/* What quelld does with type-2 routes that the registry does not have. */
enum config_registry_routes { REGISTRY_ROUTES_OFF, REGISTRY_ROUTES_FLAG, REGISTRY_ROUTES_REFUSE };

/* A VTEP of a PE that is not its router id; a PE may have several. */
struct config_pe_vtep {
	struct ip pe, vtep;
};

struct config_lan {
	char *name;
	uint32_t vni;
	struct prefix *prefixes;
	uint32_t prefix_count;
	struct rt *route_targets; /* first: export; all: import */
	uint32_t route_target_count;
	bool import_auto;	  /* `route-target: auto` imports *:VNI too and exports AS:VNI */
	struct rd rd;		  /* default router-id:VNI & 0xffff */
	struct ip vtep;		  /* default router-id */
	uint32_t dup_moves, dup_window; /* so many moves in so many seconds */
	uint32_t dup_recovery;		/* seconds; 0: never by itself */
	int dup_action;			/* enum config_duplicate */
	bool assume_router; /* R of an IPv6 binding whose route does not say, RFC 9047 section 3.2 */
	char **registry;	  /* files */
	uint32_t registry_count;
	uint32_t vlan;		  /* its number in IXP Manager; 0: told by the addresses */
	struct config_fetch fetch;
	int registry_routes;	  /* enum config_registry_routes */
	struct config_pe_vtep *pe_vteps;
	uint32_t pe_vtep_count;
	struct config_agent *agent; /* NULL on a route server */
};

/* family 0: none. */
struct config_endpoint {
	struct ip ip;
	uint16_t port;
};

/* Where metrics and pages are served. */
struct config_http {
	struct config_endpoint quelld, agent;
	bool open;    /* `public`: addresses that are not loopback may be listened on */
	char **hosts; /* names that a request may have in Host, besides addresses and localhost */
	uint32_t host_count;
};

struct config {
	char *file;
	uint32_t router_id; /* host order */
	struct ip router_ip;
	/* bgp */
	bool has_bgp;
	uint32_t as;
	struct ip *listen; /* default: none (active only) unless given */
	uint32_t listen_count;
	uint16_t port;	   /* 179 */
	uint32_t cluster_id, hold_time, restart_time, defer_time;
	struct config_import import; /* of all neighbours; each has it merged with its own */
	struct config_neighbor *neighbors;
	uint32_t neighbor_count;
	struct config_bmp *bmp;
	uint32_t bmp_count;
	struct config_lan *lans;
	uint32_t lan_count;
	/* where things are */
	char *run_dir;	   /* /run/quell: sockets quelld.sock (control), agent.sock (control), feed.sock */
	char *pin_dir;	   /* /sys/fs/bpf/quell */
	char *state_dir;   /* /var/lib/quell */
	char *user, *group; /* to run quelld as: quell; empty: stay */
	char *feed_user;    /* who may connect to the feed besides root; default: user */
	char *log;	   /* see log_set_from_text() */
	int plane;	   /* 0 bpf, 1 packet, 2 null */
	struct config_http http;
};

#define CONFIG_ERROR_MAX 512

/* Reads and checks the whole file (and password files). 0 with *ret to be freed; -EINVAL or another -errno with one
 * line, or several separated by '\n', in err: "quell.yaml:12:9: lans[0].vni: 16777216: expected 1 - 16777215". */
int config_load(const char *file, struct config **ret, char err[CONFIG_ERROR_MAX]);
void config_free(struct config *c);

/* The file that is fetched into: the one that is said, or the first of the registry. */
const char *config_fetch_into(const struct config_lan *lan);

/* What is said for a port of that name; NULL: what is said for the LAN holds. */
const struct config_port *config_port_find(const struct config_agent *a, const char *name);
/* What holds for it. */
const struct config_policy *config_port_policy(const struct config_agent *a, const char *name);
