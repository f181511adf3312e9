/* The messages of the BGP Monitoring Protocol, version 3 (RFC 7854 section 4), to the octets. What is said when is
 * bmp.c's. A message is begun with its type, gets its per-peer header unless it is about ourselves, its content, and is
 * ended, which fills in the length. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/ip.h"
#include "lib/reader.h"
#include "lib/writer.h"

#define BMP_HEADER_LEN 6
#define BMP_PEER_LEN 42
#define BMP_TEXT_MAX 255 /* of an Information TLV; what is longer is cut */

enum bmp_type {
	BMP_ROUTE_MONITORING = 0,
	BMP_STATS_REPORT = 1,
	BMP_PEER_DOWN = 2,
	BMP_PEER_UP = 3,
	BMP_INITIATION = 4,
	BMP_TERMINATION = 5,
};

/* The per-peer header (section 4.2); peers are global instance peers. */
struct bmp_peer {
	struct ip address;
	uint32_t as, bgp_id;
	bool post;	  /* L: what the import policy has let in */
	bool as2;	  /* A: AS_PATH with 2-octet numbers */
	uint64_t time_us; /* since 1970; 0: not known */
};

/* Returns the mark to end it with. */
size_t bmp_begin(struct writer *w, enum bmp_type type);
void bmp_peer(struct writer *w, const struct bmp_peer *p);
void bmp_end(struct writer *w, size_t mark);

void bmp_initiation(struct writer *w, const char *sys_descr, const char *sys_name);

enum bmp_termination_reason {
	BMP_TERM_ADMIN = 0,
	BMP_TERM_UNSPECIFIED = 1,
	BMP_TERM_RESOURCES = 2,
	BMP_TERM_REDUNDANT = 3,
	BMP_TERM_ADMIN_FOR_GOOD = 4,
};
void bmp_termination(struct writer *w, enum bmp_termination_reason reason);

/* The OPENs are whole messages. Address families of p->address and local are the same. */
struct bmp_up {
	struct ip local;
	uint16_t local_port, remote_port;
	struct span sent_open, received_open;
};
void bmp_peer_up(struct writer *w, const struct bmp_peer *p, const struct bmp_up *up);

/* reason: 1 to 5 (section 4.9). `body` of the NOTIFICATION, without its header, goes with 1 and 3, `event` with 2. */
void bmp_peer_down(struct writer *w, const struct bmp_peer *p, uint8_t reason, struct span body,
	uint16_t event);
/* An UPDATE as it came; `body` without its header. */
void bmp_route(struct writer *w, const struct bmp_peer *p, struct span body);

/* Those that are counted here as the RFC counts them. */
enum bmp_stat {
	BMP_STAT_REJECTED = 0, /* prefixes rejected by inbound policy */
	BMP_STAT_ADJ_RIB_IN = 7,
	BMP_STAT_LOC_RIB = 8,
	BMP_STAT_FAMILY_ADJ_RIB_IN = 9,
	BMP_STAT_FAMILY_LOC_RIB = 10,
	BMP_STAT_TREAT_AS_WITHDRAW = 11,
};

/* A Stats Report is written with its count of statistics at the end of it. */
struct bmp_stats {
	struct writer *w;
	size_t mark, count_at;
	uint32_t count;
};
struct bmp_stats bmp_stats_begin(struct writer *w, const struct bmp_peer *p);
void bmp_stats_counter(struct bmp_stats *s, enum bmp_stat type, uint64_t n); /* wraps at 2^32 */
void bmp_stats_gauge(struct bmp_stats *s, enum bmp_stat type, uint64_t n);
void bmp_stats_family(struct bmp_stats *s, enum bmp_stat type, uint16_t afi, uint8_t safi, uint64_t n);
void bmp_stats_end(struct bmp_stats *s);
