/* The audit: what BUM reached which port, who sent it, which rule it broke. Frames in - from pcap and pcapng files, a live capture,
 * a VXLAN mirror - books out. Each frame is read by frame_read() and judged by verdict_in(), the very code of the agent, against
 * the registry; this floor only keeps accounts.
 *
 * The books (struct audit) are what every report is made of: audit/text.c, json.c, csv.c, html.c, and compare.h, which holds two
 * of them against each other. Every table in them has a limit; what did not fit is counted in `more`. Times are nanoseconds since
 * 1970, of the capture. Octets are those of whole frames without FCS, also where the capture was cut short.
 *
 * Order of calls: audit_new(), audit_port_add() for each vantage, audit_frame() for each frame in the order of the capture,
 * audit_close(); then only reading, and audit_free(). audit/read.h does the middle three for files, audit/live.h for interfaces.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/ip.h"
#include "lib/mac.h"
#include "proxyarp/class.h"
#include "registry/registry.h"

/* Which way a frame went at the port where it was captured, seen from the member. */
enum audit_dir {
	AUDIT_RECEIVED, /* the exchange sent it to the member: what quell is to make quiet */
	AUDIT_SENT,	/* the member sent it: what the rules judge */
	AUDIT_DIRS,
};

struct audit_count {
	uint64_t frames, octets;
};

/* A count, and the busiest second of it. */
struct audit_rate {
	struct audit_count all;
	struct audit_count peak; /* in one second of the capture's clock; frames and octets each at their own */
	int64_t peak_ns;	 /* of the frames */
};

/* Over time: at most AUDIT_SLOTS slots, whose length doubles when they do not suffice. */
#define AUDIT_SLOTS 512
struct audit_series {
	int64_t start_ns;
	uint32_t slot_sec; /* 1, 2, 4, ... */
	uint32_t count;
	struct audit_count (*at)[CLASS_COUNT]; /* [count]: received, by class */
};

/* Where frames were captured: a member port, or an observer's. */
struct audit_port {
	char name[64];
	const struct registry_port *registered; /* NULL: not in the registry */
	bool ambiguous;				/* several PEs have a port of that name: none of them */
	int64_t first_ns, last_ns;		/* of the capture's frames; 0: none */
	struct audit_rate at[AUDIT_DIRS][CLASS_COUNT];
	/* Of what it received: to a group MAC (BUM), and unicast to a MAC that is not its own (unknown unicast). */
	struct audit_rate flood, stray;
	struct audit_rate unwanted; /* both together */
	struct audit_rate total[AUDIT_DIRS];
	struct audit_series series;
};

struct audit_sender {
	struct mac mac;
	const struct registry_port *registered; /* whose MAC it is; NULL: nobody's */
	uint32_t port;				/* index where it was heard first */
	struct audit_count at[CLASS_COUNT];
	struct audit_count all, group;		/* group: to a group MAC */
	uint64_t broken[RULE_COUNT];		/* frames against each rule */
	int64_t first_ns, last_ns;
};

enum audit_target_kind {
	AUDIT_ASSIGNED,	  /* the registry gives it to a member that is active, or (without a registry) it was heard */
	AUDIT_DEAD,	  /* assigned, and not a sign of life of it in the whole capture; or its port is disabled */
	AUDIT_UNASSIGNED, /* of the LAN's prefixes, nobody's */
	AUDIT_FOREIGN,	  /* not of the LAN's prefixes */
};

/* An address that was asked for or called. */
#define AUDIT_CALLERS 8
struct audit_target {
	struct ip ip;
	enum audit_target_kind kind;
	const struct registry_port *registered;
	uint64_t arp, ns, syn; /* requests; TCP SYNs to port 179 */
	struct {
		struct mac mac;
		uint64_t calls;
	} callers[AUDIT_CALLERS]; /* who calls most, first */
	uint32_t caller_count;
	uint64_t more_calls; /* of others */
};

enum audit_verdict { AUDIT_NOT_SEEN, AUDIT_PASS, AUDIT_FAIL };
const char *audit_verdict_name(enum audit_verdict v); /* "not seen", "pass", "fail" */

struct audit_ruling {
	enum audit_verdict verdict;
	uint64_t frames; /* that broke it */
	int64_t first_ns, last_ns;
	uint64_t by_mac; /* of them, those that only their source MAC says are the member's: anybody could have sent them */
};

/* A member before the rules. Rule numbers are FRAME_RULES' (class.h); 16 is BGP's, none of a frame, and has its place. */
#define AUDIT_RULE_PREFIX RULE_NONE

struct audit_member {
	const struct registry_member *member; /* NULL: all senders that the registry does not know, together */
	struct audit_count sent, group;
	uint64_t by_mac; /* frames of `sent`, as above */
	struct audit_ruling rules[RULE_COUNT];
	bool pass; /* of all rules that were seen */
};

enum audit_finding_kind {
	AUDIT_DUPLICATE_IP,  /* two MACs spoke for one address: ip, mac, other */
	AUDIT_SPOOF_MAC,     /* a source MAC that is not the port's: mac, port */
	AUDIT_SPOOF_IP,	     /* mac spoke for an address that is another's or nobody's: ip, mac */
	AUDIT_PROXY_ARP,     /* mac answered for addresses of others: mac, ip the first, count how many */
	AUDIT_WRONG_MASK,    /* mac asked for addresses outside the LAN: ip the first */
	AUDIT_FINDING_KINDS,
};
const char *audit_finding_name(enum audit_finding_kind k); /* token: "duplicate-ip" */

struct audit_finding {
	enum audit_finding_kind kind;
	struct ip ip;
	struct mac mac, other;
	uint32_t port; /* index */
	uint64_t count; /* frames */
	int64_t first_ns, last_ns;
};

struct audit {
	const struct registry *registry; /* NULL: none; borrowed, outlives it */
	int64_t first_ns, last_ns;
	uint64_t frames, octets, cut; /* cut: frames of which the capture had not enough to class them as they were */
	uint64_t vxlan;		      /* that came in VXLAN, of the LAN's VNI */
	uint64_t other_vni;
	struct audit_port *ports;
	size_t port_count;
	/* After audit_close(): sorted, the most first. */
	struct audit_sender *senders;
	size_t sender_count, senders_more;
	struct audit_target *targets;
	size_t target_count, targets_more;
	struct audit_member *members;
	size_t member_count;
	struct audit_finding *findings;
	size_t finding_count, findings_more;
	int evidence_error;	   /* errno of the first frame that proves and could not be written; 0 */
	struct audit_state *state; /* while it is written */
};

struct audit_config {
	const struct registry *registry;
	const struct prefix *prefixes;
	size_t prefix_count;
	uint32_t vni;	       /* of VXLAN mirrors: only this LAN; 0: any */
	const char *evidence;  /* directory for the frames that prove: AS64500-dhcp.pcap; NULL: none */
	/* MACs of the exchange that no registry has: PEs', the sponge's. They break no rule, and nothing may come back from them. */
	const struct mac *own;
	size_t own_count;
	uint32_t max_senders, max_targets, max_findings; /* 0: 65536, 65536, 4096 */
};

#define AUDIT_PORTS_MAX 1024   /* the last of them, "others", is for all vantages that did not fit */
#define AUDIT_EVIDENCE_MAX 16  /* frames a member and rule */

/* NULL: out of memory. */
struct audit *audit_new(const struct audit_config *c);
void audit_free(struct audit *a);
/* The index of the vantage of that name, made if it is new; a name that is a port of the registry is that port. */
uint32_t audit_port_add(struct audit *a, const char *name);
/* `len` octets of a frame of `wire_len`. `dir` AUDIT_DIRS: not known; then a frame from a MAC of the port's own is sent, any other
 * received. Total on any octets. */
/* The capture ran from - to there, also when no frame came: what rates are made from. */
void audit_port_ran(struct audit *a, uint32_t port, int64_t from_ns, int64_t to_ns);
/* A capture that says of frames which way they went says it of the interface it was made on. Told of it as that of the exchange's port
 * (`in`: from the member); turned round for a port whose own MACs are seen to leave it the other way, and for one that no registry has:
 * an observer's, which receives what comes in. */
void audit_frame(struct audit *a, uint32_t port, enum audit_dir dir, const uint8_t *frame, size_t len, size_t wire_len,
	int64_t ns);
void audit_close(struct audit *a);

/* --- what the reports ask --- */

/* "AS64500 Example Networks" or "not registered"; of a member NULL too. */
void audit_member_name(const struct audit_member *m, char *buf, size_t size);
/* Frames a second, bits a second of a rate over the port's capture; one shorter than a second counts as one second. */
double audit_fps(const struct audit_port *p, const struct audit_count *c);
double audit_bps(const struct audit_port *p, const struct audit_count *c);
