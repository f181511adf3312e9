/* Inside the packet plane: packet.c (the table of operations), packet_judge.c (frames, ledger, events), packet_capture.c (sockets),
 * packet_gate.c (what is held back). */
#pragma once
#include <pcap/pcap.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/bucket.h"
#include "lib/log.h"
#include "proxyarp/linux/packet_gate.h"
#include "proxyarp/plane.h"
#include "proxyarp/table.h"
#include "proxyarp/verdict.h"

#define SEEN 8192
#define ANSWERS 32
#define WAITING 16
#define WAITING_LEN 128 /* what asks is not longer */

/* What may be told: who speaks, who breaks rules, who is asked for. A flood of one hides none of the others. */
enum packet_budget { BUDGET_LEARN, BUDGET_SPOOF, BUDGET_ASK, BUDGETS };

struct capture {
	struct port *port;
	pcap_t *pcap;
	enum frame_dir dir;
	uint32_t lost;
};

/* An answer on its way, and what is counted when it has left, or has not. */
struct answer {
	uint8_t frame[VERDICT_ANSWER_MAX];
	uint16_t len;
	uint8_t cls, outcome; /* of what it answers */
	size_t octets;
};

struct port {
	struct port *next;
	struct plane *p;
	uint32_t ifindex;
	bool gone; /* taken off while its frames were being read */
	struct capture in, out;
	int sender; /* -1: none */
	struct answer answers[ANSWERS]; /* sent by the batch */
	unsigned answer_count;
	struct bucket budget[BUDGETS];
	struct layout_counter base[GATE_COUNTS]; /* the kernel's counts when ours were last zero */
};

/* Frames that have been read and not yet judged: their targets are on the way from memory meanwhile. */
struct waiting {
	uint8_t frame[WAITING][WAITING_LEN];
	uint8_t len[WAITING];
	unsigned count;
};

struct seen_key {
	uint32_t lan, ifindex;
	uint8_t type, flags, rule, mac[6], ip[16];
};

/* One place for a key: another one there only loses the memory of it. */
struct seen {
	struct seen_key k;
	uint64_t when_ns;
};

struct policer {
	struct layout_policer conf;
	struct bucket bucket;
};

struct slot {
	struct layout_counter c[DIR_COUNT][CLASS_COUNT][OUTCOME_COUNT];
	struct layout_counter would[DIR_COUNT][CLASS_COUNT][OUTCOME_COUNT];
	struct policer police[DIR_COUNT][POLICE_COUNT];
};

struct plane {
	struct tables t;
	struct port *ports;
	struct slot **slots;
	uint32_t slot_count;
	struct gate *gate; /* NULL: this kernel has none, see packet.c */
	int epoll;
	int retry; /* a timer: runs while a port lacks a capture */
	int flush; /* a timer: runs while something is queued for the gate */
	bool polling, flushing; /* within poll(); that timer runs */
	uint64_t now_ns, losses_ns, lost;
	struct waiting waiting;
	struct bucket budget[BUDGETS]; /* of all ports together */
	struct seen *seen;
	struct log_limit log_loss, log_fault;
	void (*fn)(void *, const struct layout_event *);
	void *arg;
};

/* Where a frame to be judged came from. */
enum packet_source {
	SOURCE_SOCKET, /* a copy: the gate, if there is one, has dropped the frame itself */
	SOURCE_GATE,   /* dropped, and handed to us */
	SOURCE_COPY,   /* only events are wanted of it */
	SOURCE_WOULD,  /* and what would have become of it */
};

struct port *packet_find_port(const struct plane *p, uint32_t ifindex);

/* `len` octets of it are there, it had `octets`. */
void packet_judge(struct port *port, enum frame_dir dir, enum packet_source from, const uint8_t *frame,
	size_t len, size_t octets);
void packet_answers_send(struct port *port);
/* One of our own. */
bool packet_send_counted(struct port *port, const uint8_t *frame, size_t len, enum frame_outcome o);

/* 0, or -errno; -ENETDOWN: not yet. */
int packet_capture_open(struct port *port);
void packet_capture_close(struct capture *c);
void packet_capture_read(struct capture *c);
void packet_capture_losses(struct plane *p);
void packet_retry_later(struct plane *p);
