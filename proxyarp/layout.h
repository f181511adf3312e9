/* The layouts of the data plane's maps: what user space writes and the BPF programs read, and the other way
 * about. The packet plane keeps the same values in hash maps of its own, so that the two planes are given and give the same.
 * Included by BPF programs too: only fixed-width types, explicit padding, no pointers. Pinned maps outlive the
 * program that made them: any change here raises LAYOUT_VERSION, and maps of another version are never read.
 *
 * Octets of addresses are in network order; all integers in host order.
 */
#pragma once
#ifdef __BPF__
#include <linux/types.h>
typedef __u8 uint8_t;
typedef __u16 uint16_t;
typedef __u32 uint32_t;
typedef __u64 uint64_t;
#else
#include <stdint.h>
#endif

#include "proxyarp/class.h"

#define LAYOUT_VERSION 2

/* --- bindings: who has this address (maps bind4, bind6) --- */

struct layout_key4 {
	uint32_t lan; /* LAN number: its VNI */
	uint8_t ip[4];
};

struct layout_key6 {
	uint32_t lan;
	uint8_t ip[16];
};

#define BIND_ROUTER 0x01   /* R of the NA */
#define BIND_OVERRIDE 0x02 /* O of the NA */
#define BIND_STATIC 0x04   /* from the registry, or another PE's: no frame changes it */
#define BIND_SILENT 0x08   /* known, but not to be answered for (duplicate, owner's port down): asked: unknown-target */
#define BIND_ALT 0x10	   /* more than one MAC may speak for it: see the mac map's owner port instead */
#define BIND_SPONGE 0x20   /* nobody's: mac is the sponge's or that of a duplicate. Requests are answered, probes never; speaking for
			    * it is as if it were not there */
#define BIND_WATCH 0x40	   /* tell who asks for it (EVENT_QUERY) */
#define BIND_EXCHANGE 0x80 /* a host of the exchange: asked for under its own budget (RFC 6583 section 7.1) */

struct layout_bind {
	uint8_t mac[6];
	uint8_t flags;
	uint8_t pad;
	uint32_t ifindex; /* the owner's member port; 0: behind another PE */
};

/* --- MACs: which port a source may use, where a destination is (map macs) --- */

struct layout_mac_key {
	uint32_t lan;
	uint8_t mac[6];
	uint8_t pad[2];
};

#define MAC_STATIC 0x01	  /* registered */
#define MAC_REPORT 0x02	  /* tell user space (EVENT_MAC_SEEN) when a frame comes from it: awaited, or refresh */
#define MAC_SELF 0x04	  /* the PE's own (bridge, SVI): ifindex is the bridge's */
#define MAC_DOWN 0x08	  /* its port is down: the bridge would lose what is sent to it */
#define MAC_TRAP 0x10	  /* the sponge's, or that of a duplicate address: what is sent to it is dropped and told (EVENT_TRAP) */

struct layout_mac {
	uint32_t ifindex; /* where it is: member port; 0: behind another PE */
	uint32_t home;	  /* the member port it is registered for; 0: none here */
	uint8_t flags;
	uint8_t pad[3];
};

/* --- ports (map ports, key: ifindex) --- */

enum layout_port_kind {
	PORT_MEMBER = 1,
	PORT_FABRIC = 2,   /* the vxlan device */
	PORT_UNDERLAY = 3, /* where the vxlan device's packets arrive: only VTEPs and VNIs are checked; lan 0 */
};

#define PORT_CLOSED 0x01	 /* only registered MACs and their addresses may speak */
#define PORT_QUARANTINE 0x02	 /* nothing in, nothing out */
#define PORT_DRY 0x04		 /* verdicts are counted as `would`, and the frame passes */
#define PORT_WATCH 0x08		 /* open, with a sponge: data from a sponged address is told (EVENT_LIFE) */
#define PORT_UNICAST_FORWARD 0x10 /* RFC 9161 section 3.4, "always": requests go to the owner's MAC instead of being answered */
#define PORT_ANYCAST 0x20	 /* O of NAs as in the binding (RFC 9161 section 3.3 d); else always set */

enum layout_unknown { UNKNOWN_DROP = 0, UNKNOWN_SPONGE = 1, UNKNOWN_POLICE = 2, UNKNOWN_FLOOD = 3 };
/* NS with options other than source link-layer address and nonce: RFC 9161 section 3.3 f. */
enum layout_ns_option { NS_OPTION_REPLY = 0, NS_OPTION_DISCARD = 1, NS_OPTION_FORWARD = 2, NS_OPTION_UNICAST = 3 };

/* What a rule does. 0 is the strictest but for the noise: a row of zeroes is a port with all rules on. */
enum layout_action {
	ACTION_DROP = 0,
	ACTION_ALARM = 1, /* drop, and tell (EVENT_RULE) */
	ACTION_COUNT = 2, /* count as `would`, then as off */
	ACTION_OFF = 3,
};
#define RULE_ACTION(rules, r) ((enum layout_action)((rules) >> (2 * (r)) & 3))
#define RULE_SET(rules, r, action) (((rules) & ~(3ULL << (2 * (r)))) | (uint64_t)(action) << (2 * (r)))

/* What shares a token bucket, per port and direction. A frame takes from its own group's bucket and, if it floods, from ALL's. */
enum layout_police {
	POLICE_ALL,	 /* in: whatever floods. out: whatever leaves because it flooded */
	POLICE_KNOWN,	 /* in: requests for an owner that is known, answered or sent on */
	POLICE_EXCHANGE, /* in: those for hosts of the exchange (BIND_EXCHANGE) */
	POLICE_UNKNOWN,	 /* in: requests for nobody, flooded or sponged. out: requests (classes arp-request, arp-probe, ns, ns-dad) */
	POLICE_ANNOUNCE, /* gratuitous ARP, ARP replies to a group, unsolicited NAs */
	POLICE_OTHER,	 /* all else that floods, unknown unicast among it */
	POLICE_COUNT,
	POLICE_NONE = POLICE_COUNT,
};

struct layout_port {
	uint32_t lan;
	uint32_t slot; /* row in the counters and policers */
	uint8_t kind;  /* enum layout_port_kind */
	uint8_t flags;
	uint8_t unknown_target; /* enum layout_unknown */
	uint8_t ns_option;	/* enum layout_ns_option */
	uint32_t fabric_ifindex;
	/* CLASS_BIT()s of group-addressed classes that may flood as they are, whatever their rule says (default 0: none). */
	uint64_t flood_classes;
	uint64_t rules;		    /* RULE_ACTION() of each rule */
	uint8_t policed[DIR_COUNT]; /* bit of enum layout_police: there is a bucket */
	uint8_t pad[6];
};

/* --- policers (map policers; row below) --- */

enum layout_unit { UNIT_BITS = 0, UNIT_PACKETS = 1 };

struct layout_policer {
	uint64_t rate;	/* a second: bits of whole frames without FCS, or packets. 0: no bucket */
	uint32_t burst; /* octets, or packets. A frame longer than the burst passes a bucket that is full */
	uint32_t unit;	/* enum layout_unit */
};

#define POLICER_INDEX(slot, dir, group) (((slot) * DIR_COUNT + (dir)) * POLICE_COUNT + (group))

/* --- who may send to our VTEP (map vteps) --- */

struct layout_vtep_key {
	uint32_t vni;	/* 0: `ip` is our own VTEP address, what is sent to it is judged */
	uint8_t ip[16]; /* IPv4 as ::ffff:a.b.c.d; :: with a VNI: there is a LAN of that VNI here */
};

/* --- the ledger (map counters, per CPU; index below) --- */

struct layout_counter {
	uint64_t frames, octets; /* octets: frame without FCS */
};

#define COUNTER_PER_SLOT (DIR_COUNT * CLASS_COUNT * OUTCOME_COUNT)
#define COUNTER_INDEX(slot, dir, cls, outcome)                                                     \
	((slot) * COUNTER_PER_SLOT + ((dir) * CLASS_COUNT + (cls)) * OUTCOME_COUNT + (outcome))

/* What was let go but would not have been (map would, per CPU): dry run, and rules that only count. */
struct layout_would_key {
	uint32_t slot;
	uint8_t dir, cls, outcome, pad;
};

/* --- what the data plane tells (ring buffer events) --- */

enum layout_event_type {
	EVENT_BINDING = 1, /* ARP sender or NA target: mac has ip, seen on ifindex */
	EVENT_MAC = 2,	   /* a frame from a MAC with MAC_REPORT, or (open port) from one that is unknown */
	EVENT_MOVED = 3,   /* a registered or known MAC was seen on a port where it is not (outcome MOVED) */
	EVENT_SPOOF = 4,   /* outcome SPOOF_MAC, SPOOF_IP or LOOP (or would be), rate-limited; `rule` is the rule */
	EVENT_PROBE = 5,   /* ARP probe or DAD for ip, which is free or sponged, by mac */
	EVENT_QUERY = 6,   /* mac asks for ip: which nobody has (unknown_target SPONGE), is sponged, or has BIND_WATCH */
	EVENT_TRAP = 7,	   /* a frame from mac to a MAC with MAC_TRAP; ip: its IP destination, if it is IP */
	EVENT_LIFE = 8,	   /* PORT_WATCH: IP from a sponged address, by mac */
	EVENT_RULE = 9,	   /* a rule whose action is ACTION_ALARM: `rule`, class in `cls` */
};

#define EVENT_NA_ROUTER 0x01
#define EVENT_NA_OVERRIDE 0x02
#define EVENT_NA 0x04 /* learned from an NA (else from ARP) */
#define EVENT_TRAP_SYN 0x10 /* TRAP: a TCP SYN to port 179 */
#define EVENT_WOULD 0x80 /* dry run: it was not done */

struct layout_event {
	uint64_t when_ns; /* CLOCK_MONOTONIC */
	uint32_t lan, ifindex;
	uint8_t type; /* enum layout_event_type */
	uint8_t family; /* 0, 4, 6 */
	uint8_t flags;
	uint8_t outcome; /* of the frame */
	uint8_t mac[6];
	uint8_t rule; /* enum frame_rule: of SPOOF and RULE */
	uint8_t cls;  /* of the frame */
	uint8_t ip[16];
};

/* --- marks: skb->mark between our own programs on one box --- */

#define MARK_MASK 0xffff0000u
#define MARK_ANSWER 0x51170000u /* our own answer on its way out */
#define MARK_FLOOD 0x51180000u	/* a rule let this one flood */
#define MARK_PROBE 0x51190000u	/* sent by the agent itself (SO_MARK) */
