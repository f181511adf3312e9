/* The configuration file, checked as a whole: what quelld, quell-agent and `quell check` read. YAML by libcyaml with a
 * schema table; every error says file:line:column, what was found and what was expected. A config is a value: it is
 * loaded, used, freed; reload loads another. doc: quell.yaml(5), README.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/ip.h"
#include "lib/rd.h"

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

struct config_agent {
	char *bridge, *vxlan;
	char **ports;	       /* NULL with all_ports */
	uint32_t port_count;
	bool all_ports;
	int unknown_target;    /* enum layout_unknown */
	int ns_option;	       /* enum layout_ns_option */
	uint64_t police_in_bps, police_out_bps;
	uint64_t flood_classes; /* CLASS_BIT()s: `flood: [lldp]`, default none */
	int accelerate;	       /* 0 off, 1 xdp */
	int learn_unregistered; /* a port that the registry does not name: 0 closed, 1 learns */
	bool manage_fdb;       /* program FDB and flood list (no FRR beside us); default true */
	uint32_t age_sec;      /* dynamic bindings; default 1200 */
	uint32_t max_bindings; /* default 16384 */
};

/* RFC 7432 section 15.1; also evpn/lan.h. */
enum config_duplicate { DUPLICATE_OFF, DUPLICATE_ALARM, DUPLICATE_FREEZE };
#define DUPLICATE_MOVES 5
#define DUPLICATE_WINDOW 180

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
	char **registry;	  /* files */
	uint32_t registry_count;
	struct config_agent *agent; /* NULL on a route server */
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
};

#define CONFIG_ERROR_MAX 512

/* Reads and checks the whole file (and password files). 0 with *ret to be freed; -EINVAL or another -errno with one
 * line, or several separated by '\n', in err: "quell.yaml:12:9: lans[0].vni: 16777216: expected 1 - 16777215". */
int config_load(const char *file, struct config **ret, char err[CONFIG_ERROR_MAX]);
void config_free(struct config *c);
