/* The inside of struct bmp, for the files that begin with bmp. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "bgp/bmp.h"
#include "bgp/bmp_msg.h"
#include "bgp/monitor.h"
#include "bgp/rib.h"
#include "bgp/txq.h"
#include "bgp/update.h"

#define BMP_KINDS 3 /* sets of views: pre, post, both */

/* Where messages are written one behind the other until they become a buffer that queues share: for all stations with
 * the same views, or for one. */
struct bmp_stream {
	uint8_t *buf;
	size_t len;
	uint32_t messages;
	unsigned stations; /* that listen */
};

enum bmp_state {
	STATION_WAITING,
	STATION_CONNECTING,
	STATION_UP,
	STATION_CLOSING, /* the last message is in the queue */
	STATION_BROKEN,  /* nothing more may be sent */
};

struct bmp_station {
	struct bmp *b;
	struct bmp_station_config config;
	char label[64 + IP_TEXT];
	enum bmp_state state;
	struct txq q;
	bool dumping;
	unsigned table; /* that the dump is in */
	struct rib_marker at;
	uint64_t since_ms, retry_ms, stats_ms;
	uint32_t retry_sec; /* the next wait */
	bool dumped;	    /* it heard a dump to the end on this connection */
	uint64_t octets_out, connects, losses, overflows;
	char last_error[128];
	TAILQ_ENTRY(bmp_station) link;
};

TAILQ_HEAD(bmp_list, bmp_station);

/* One path to be told by a dump. */
struct bmp_item {
	const struct dest *d;
	const struct path *p;
};

#define BMP_ITEMS 1024

struct bmp {
	struct speaker *s;
	struct monitor hooks;
	char sys_descr[BMP_TEXT_MAX + 1], sys_name[BMP_TEXT_MAX + 1];
	struct bmp_stream live[BMP_KINDS]; /* by views - 1 */
	struct bmp_stream own;		   /* of the station that is being told something alone */
	struct bmp_list stations;
	struct bmp_item *items;
	bool wall_known;
	uint64_t wall_us; /* of the monotonic clock's zero */
};

/* The neighbour is up and has told all that a Peer Up needs. */
bool bmp_watches(const struct neighbor *n);
uint64_t bmp_time_us(const struct bmp *b, uint64_t ms);
struct bmp_peer bmp_peer_of(const struct bmp *b, const struct neighbor *n, uint64_t ms);

/* What the speaker calls. */
struct monitor bmp_hooks(struct bmp *b);
void bmp_tell_up(struct bmp *b, struct bmp_stream *stream, struct bmp_station *one,
	const struct neighbor *n);
void bmp_run_stats(struct bmp_station *st, uint64_t now_ms);

/* False: out of memory. */
bool bmp_stream_init(struct bmp_stream *stream);
/* A writer at the end of the stream with room for any message. What is in the stream goes to its stations before, if
 * that is needed. */
struct writer bmp_stream_begin(struct bmp *b, struct bmp_stream *stream, struct bmp_station *one);
void bmp_stream_end(struct bmp_stream *stream, const struct writer *w, uint32_t messages);
void bmp_stream_flush(struct bmp *b, struct bmp_stream *stream, struct bmp_station *one);
/* The connection has to go; all that was for it is dropped. */
void bmp_break(struct bmp_station *st, const char *why);
/* Everything that all hear: to be called before one station is told something alone. */
void bmp_flush_live(struct bmp *b);

/* Routes packed into UPDATEs: one message takes them for as long as they go together. */
struct bmp_pack {
	struct bmp *b;
	struct bmp_stream *stream;
	struct bmp_station *one;
	bool post;

	bool open;
	const struct neighbor *n;
	const struct table *t;
	const struct attrset *attrs; /* NULL: a withdrawal */
	uint64_t ms;
	struct writer w;
	size_t mark;
	struct update_writer u;
};
/* `p` NULL: the path is gone. `ms`: when it came. */
void bmp_pack_add(struct bmp_pack *k, const struct neighbor *n, const struct table *t, uint64_t ms,
	struct rib_key key, uint32_t path_id, const struct path *p);
void bmp_pack_end(struct bmp_pack *k);
/* The same for all routes of an UPDATE, as the RIB has them now. */
void bmp_pack_update(struct bmp_pack *k, struct neighbor *n, const struct update *u);
/* The path as this view has it, or NULL. */
const struct path *bmp_path_in(
	const struct table *t, const struct dest *d, const struct neighbor *n, uint32_t path_id, bool post);
bool bmp_path_shown(const struct rib *r, const struct path *p, bool post);
/* End-of-RIB of a family, in each view of the station. */
void bmp_end_of_rib(struct bmp_station *st, const struct neighbor *n, const struct table *t);

/* From the beginning. False: out of memory. */
bool bmp_dump_begin(struct bmp_station *st);
void bmp_dump_stop(struct bmp_station *st);
/* There is more to dump, and room for it. */
bool bmp_dump_due(const struct bmp_station *st);
void bmp_dump_slice(struct bmp_station *st);
