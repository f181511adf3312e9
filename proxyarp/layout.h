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

#define LAYOUT_VERSION 1

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

struct layout_mac {
	uint32_t ifindex; /* where it is: member port; 0: behind another PE */
	uint32_t home;	  /* the member port it is registered for; 0: none here */
	uint8_t flags;
	uint8_t pad[3];
};

/* --- ports (map ports, key: ifindex) --- */

enum layout_port_kind { PORT_MEMBER = 1, PORT_FABRIC = 2 };

#define PORT_CLOSED 0x01     /* only registered MACs and their addresses may speak */
#define PORT_QUARANTINE 0x02 /* nothing in, nothing out */

enum layout_unknown { UNKNOWN_DROP = 0, UNKNOWN_SPONGE = 1, UNKNOWN_POLICE = 2, UNKNOWN_FLOOD = 3 };
enum layout_ns_option { NS_OPTION_REPLY = 0, NS_OPTION_DISCARD = 1, NS_OPTION_FORWARD = 2 };

struct layout_port {
	uint32_t lan;
	uint32_t slot; /* row in the counters and policers */
	uint8_t kind;  /* enum layout_port_kind */
	uint8_t flags;
	uint8_t unknown_target; /* enum layout_unknown */
	uint8_t ns_option;	/* enum layout_ns_option: NS with options other than source link-layer address */
	uint32_t fabric_ifindex;
	/* CLASS_BIT()s of group-addressed classes that may flood as they are (default 0: none; the hygiene table). */
	uint64_t flood_classes;
	/* Policers, 0: off. bits/s of whole frames without FCS; burst in octets. In: what unknown_target POLICE or
	 * flood_classes lets flood. Out: all group-addressed frames leaving the port but our own answers. */
	uint64_t police_in_bps, police_out_bps;
	uint32_t police_in_burst, police_out_burst;
};

/* --- the ledger (map counters, per CPU; index below) --- */

struct layout_counter {
	uint64_t frames, octets; /* octets: frame without FCS */
};

#define COUNTER_PER_SLOT (DIR_COUNT * CLASS_COUNT * OUTCOME_COUNT)
#define COUNTER_INDEX(slot, dir, cls, outcome)                                                     \
	((slot) * COUNTER_PER_SLOT + ((dir) * CLASS_COUNT + (cls)) * OUTCOME_COUNT + (outcome))

/* --- what the data plane tells (ring buffer events) --- */

enum layout_event_type {
	EVENT_BINDING = 1, /* ARP sender or NA target: mac has ip, seen on ifindex */
	EVENT_MAC = 2,	   /* a frame from a MAC with MAC_REPORT, or (open port) from one that is unknown */
	EVENT_MOVED = 3,   /* a registered or known MAC was seen on a port where it is not (outcome MOVED) */
	EVENT_SPOOF = 4,   /* outcome SPOOF_MAC or SPOOF_IP, rate-limited */
	EVENT_PROBE = 5,   /* ARP probe or DAD for ip by mac */
};

#define EVENT_NA_ROUTER 0x01
#define EVENT_NA_OVERRIDE 0x02
#define EVENT_NA 0x04 /* learned from an NA (else from ARP) */

struct layout_event {
	uint64_t when_ns; /* CLOCK_MONOTONIC */
	uint32_t lan, ifindex;
	uint8_t type; /* enum layout_event_type */
	uint8_t family; /* 0, 4, 6 */
	uint8_t flags;
	uint8_t outcome; /* of the frame */
	uint8_t mac[6];
	uint8_t pad[2];
	uint8_t ip[16];
};

/* --- marks: skb->mark between our own programs on one box --- */

#define MARK_MASK 0xffff0000u
#define MARK_ANSWER 0x51170000u /* our own answer on its way out */
#define MARK_FLOOD 0x51180000u	/* a rule let this one flood */
#define MARK_PROBE 0x51190000u	/* sent by the agent itself (SO_MARK) */
