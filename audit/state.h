/* What the audit keeps while frames come in, beside its books: the tables that the verdict looks things up in, and what finds a row of
 * the books again. Only audit/ includes this. */
#pragma once
#include "audit/audit.h"
#include "lib/hmap.h"
#include "proxyarp/frame.h"
#include "proxyarp/verdict.h"

#define AUDIT_LAN 1 /* the number of the LAN in the tables, which hold one */

/* The second that is being counted, for the busiest one. */
struct audit_second {
	int64_t sec;
	struct audit_count now;
};

struct audit_vantage {
	struct audit_second at[AUDIT_DIRS][CLASS_COUNT], flood, stray, unwanted, total[AUDIT_DIRS];
	uint32_t place; /* of the registered port; 0: not registered */
	bool sided, turned; /* it is known at which side the capture was made; it was the member's */
	size_t series_room;
};

/* Whom a sender has answered for, of what is not its own: so many that one can tell a proxy. */
#define AUDIT_ANSWERED_MAX 64

struct audit_answered {
	struct ip ips[AUDIT_ANSWERED_MAX];
	uint32_t count;
};

struct audit_sender_row {
	struct audit_sender s;
	uint32_t place;	    /* where the registry has it; 0: nowhere */
	bool exchange_own;  /* in audit_config.own */
	bool at_own;	    /* seen to be sent where a port of its own was captured: counted there and nowhere else */
	struct audit_answered *answered;
	struct audit_speaker *spoke; /* for this address the last time: mostly it is the same one again */
};

#define AUDIT_TARGET_CALLERS_MAX 1024

struct audit_target_row {
	struct audit_target t;
	struct audit_target_caller {
		struct mac mac;
		uint64_t calls;
	} *callers;
	uint32_t count, room;
};

/* Who spoke for an address last. */
struct audit_speaker {
	struct ip ip;
	struct mac mac;
	uint32_t place;
};

struct audit_finding_key {
	uint8_t kind;
	uint8_t mac[6], other[6];
	uint8_t family, ip[16];
	uint16_t port;
};

struct audit_finding_row {
	struct audit_finding_key key;
	struct audit_finding f;
};

/* The row that was found last for each of so many low bits: a look before the hash map. Who contrives that all fall on one gains
 * nothing but the map's own pace. */
#define AUDIT_NEAR 2048

struct audit_state {
	struct audit_sender_row *near_sender[AUDIT_NEAR];
	struct audit_target_row *near_target[AUDIT_NEAR];
	struct tables tables;
	const struct prefix *prefixes;
	size_t prefix_count;
	bool has_prefixes[2]; /* IPv4, IPv6 */
	const struct mac *own;
	size_t own_count;
	uint32_t vni;
	const char *evidence;
	uint32_t max_senders, max_targets, max_findings;
	struct audit_vantage *vantages; /* [a->port_count] */
	bool *at_place;			/* [place]: a port of it is captured */
	bool *alive;			/* [place]: one of its MACs was heard */
	uint32_t *place_of;		/* [registry port]: its place */
	uint32_t place_count;
	struct hmap senders, targets, speakers, findings;
	uint64_t callers; /* in all */
	struct audit_member *of_member; /* [registry member count + 1], the last is nobody's */
	size_t member_count;		/* without that */
	uint32_t nowhere;		/* the open port in the tables that judges whom the registry does not know */
	uint64_t *seen;			/* [the same]: bit of each rule that could have shown */
	int64_t sec, sec_ns;		/* the second that the last frame was in */
};

/* One frame on its way into the books. */
struct audit_passage {
	struct audit *a;
	uint32_t port;
	enum audit_dir dir;
	const uint8_t *octets; /* that are judged: the mended ones of a frame that was cut */
	size_t len, wire_len;
	const uint8_t *captured; /* as they were, without a mirror's VXLAN */
	size_t captured_len;
	int64_t ns, sec;
	struct frame f;
	bool cut;   /* not all of it is there that its class is made from */
	bool maimed; /* nor what the rules ask about */
	struct audit_sender_row *sender; /* NULL: none, or the table is full */
	bool by_mac; /* whose it is, only its source MAC says */
	bool spoofed; /* sent at a port whose MAC it is not, but another's */
	bool counts; /* at this port its sender is counted and judged */
};

/* --- vxlan.c, cut.c: what the frame is --- */

/* Takes the mirror's VXLAN off, if that is what it came in. False: of another LAN, not to be looked at. */
bool audit_unwrap(struct audit_passage *p);
/* Reads it, also if the capture cut it short. `room` is for the octets that are read instead. */
#define AUDIT_MEND_MAX 400
void audit_read_frame(struct audit_passage *p, uint8_t room[AUDIT_MEND_MAX]);

/* --- rates.c --- */
void audit_rates(struct audit_passage *p);

/* --- senders.c --- */
void audit_senders_init(struct audit_state *st);
void audit_senders_free(struct audit_state *st);
void audit_senders_close(struct audit *a);
/* The row of this MAC, made if it is new; NULL: the table is full. */
struct audit_sender_row *audit_sender_of(struct audit *a, struct mac mac, uint32_t port, int64_t ns);

/* --- targets.c --- */
void audit_targets_init(struct audit_state *st);
void audit_targets_free(struct audit_state *st);
void audit_targets(struct audit_passage *p);
void audit_targets_close(struct audit *a);
bool audit_in_prefixes(const struct audit_state *st, struct ip ip);

/* --- findings.c --- */
void audit_findings_init(struct audit_state *st);
void audit_findings_free(struct audit_state *st);
void audit_find(struct audit_passage *p, enum audit_finding_kind kind, struct ip ip, struct mac other);
void audit_speaks(struct audit_passage *p);
/* Whether its sender may speak for the address, by the registry. */
bool audit_is_his(const struct audit_passage *p, struct ip ip);
void audit_findings_close(struct audit *a);

/* --- judge.c --- */
int audit_judge_init(struct audit *a);
void audit_judge(struct audit_passage *p);
void audit_judge_close(struct audit *a);

/* --- announced.c --- */
enum audit_announced {
	AUDIT_ANNOUNCED_NOTHING, /* no UPDATE of a session of the LAN, or none that could be read */
	AUDIT_ANNOUNCED_OTHERS,
	AUDIT_ANNOUNCED_LAN, /* the LAN's own prefix, or a part of it */
};
enum audit_announced audit_announced(const struct audit_passage *p);

/* --- evidence.c --- */
void audit_evidence(struct audit_passage *p, const struct audit_member *m, enum frame_rule rule, uint64_t before);
