/* Inside the gate: packet_gate.c (what is asked of it, and its table), packet_gate_rules.c (chains), packet_gate_log.c (what it
 * logs and counts). */
#pragma once
#include <nftables/libnftables.h>
#include <stdio.h>

#include "proxyarp/linux/packet_gate.h"
#include "proxyarp/table.h"

#define LOG_GROUP 20759 /* 0x5117 */
#define FRAME_MAX (64 << 10)
#define ETH_LEN 14

struct gate_port {
	struct gate_port *next;
	uint32_t ifindex;
	bool attached;
	struct layout_counter counts[GATE_COUNTS];
};

struct gate {
	const struct tables *t;
	struct nft_ctx *nft;
	FILE *out; /* the queue */
	char *text;
	size_t len;
	struct gate_port *ports;
	uint32_t *lans; /* those that have sets */
	size_t lan_count;
	int log;
	uint64_t counts_ns;
	bool failing, making;
	const char *said, *error; /* by the last run */
	_Alignas(8) uint8_t message[FRAME_MAX + 4096];
	uint8_t frame[FRAME_MAX + ETH_LEN];
};

/* c<ifindex> and one of these is the counter's name. */
extern const char *const gate_count_names[GATE_COUNTS];

/* Into the queue. */
__attribute__((format(printf, 2, 3))) void gate_say(struct gate *g, const char *fmt, ...);
/* Past it, at once. 0, or -EIO: g->error says why; else g->said is the answer. */
int gate_run(struct gate *g, const char *text);
struct gate_port *gate_find_port(const struct gate *g, uint32_t ifindex);
/* The sets of a LAN, if it has none yet. */
void gate_lan_sets(struct gate *g, uint32_t lan);

/* Queue the rules of a port that has its chains; or the chains too. False: the interface is gone. */
void gate_fill_chains(struct gate *g, uint32_t ifindex);
bool gate_make_chains(struct gate *g, uint32_t ifindex);

/* A socket that hears what is logged; -errno. */
int gate_log_open(void);
