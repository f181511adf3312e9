/* The inside of the agent's /metrics, for metrics_agent.c and metrics_ports.c. */
#pragma once
#include "daemon/agent.h"
#include "daemon/metrics.h"
#include "proxyarp/announce.h"
#include "proxyarp/callers.h"
#include "proxyarp/ledger.h"
#include "proxyarp/sponge.h"

struct metrics_agent_lan {
	struct binding_stats books;
	struct announce_stats announce;
	struct sponge_stats sponge;
	struct callers_stats callers;
};

/* A port, copied: it may leave while its lines are written. */
struct metrics_port {
	char lan[32];	  /* "": an underlay's, which is of none */
	size_t lan_index;
	char name[LINK_NAME];
	uint32_t ifindex, slot;
	uint8_t kind, quarantine;
	bool up, attached, behind, closed, dry, xdp, gone; /* gone: what ports that left had counted */
	uint32_t asn; /* 0: of no member */
	char member[64];
	struct layout_policer police[DIR_COUNT][POLICE_COUNT];
};

/* A cell of the ledger that is not zero. */
struct metrics_cell {
	uint32_t port;
	uint8_t dir, cls, outcome;
	struct layout_counter n;
};

struct metrics_cells {
	struct metrics_cell *list;
	size_t count, cap;
};

struct metrics_agent_job {
	struct metrics_process process;
	struct agent *a;
	struct metrics_agent_lan *lan;
	size_t counted; /* of the LANs */
	struct metrics_port *port;
	size_t ports, read; /* so many have been read */
	struct metrics_cells cells, would;
	struct ledger_books *books; /* one a LAN */
	struct ledger_port scratch;
};

extern const struct metrics_section metrics_port_section, metrics_policer_section, metrics_ledger_section,
	metrics_would_section, metrics_balance_section;
void metrics_ports_free(struct metrics_agent_job *j);
