/* What is made of the agent's ledger (docs/feed.md), for `quell show ledger`, `quell top` and reports. A cell is
 * [frames, octets]; in rates the same, a second. */
#pragma once
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

struct ledger_cell {
	double frames, octets;
};

/* One port, by what became of the frames.
 *   in     received = answered + dropped + policed + forwarded + flooded + would
 *   out    delivered came from others, answers and probes are our own, refused did not leave
 *   bum    of what was delivered, what was not meant for this port alone: the figure that quell exists for */
struct ledger_sums {
	struct ledger_cell in, answered, sponged, dropped, policed, forwarded, flooded, would;
	struct ledger_cell out, delivered, answers, probes, refused, bum;
};

struct ledger_sums ledger_sums(const json_t *port);

/* True if the class has one owner; all others go, or would go, to every port. */
bool ledger_class_is_unicast(const char *cls);

/* Every cell of a direction ("in", "out", or of "would"), in the order of the classes that this program knows. */
void ledger_cells(const json_t *classes,
	void (*fn)(void *arg, const char *cls, const char *outcome, struct ledger_cell c), void *arg);

/* (after - before) a second, in the shape of a ledger; the time is that of the answers. A port or cell that is new, or that has
 * gone backwards (its row was zeroed), counts from zero. NULL: no time has passed. */
json_t *ledger_rates(const json_t *before, const json_t *after);

/* OpenMetrics text: quell_ledger_frames_total, quell_ledger_bytes_total by lan, port, direction, class and outcome;
 * quell_ledger_would_frames_total; quell_ledger_balanced by lan. */
void ledger_metrics(const json_t *answer, FILE *out);

/* A port's ledger, asked for twice in a row: what it was at the moment between lies between the two, counter by counter, however
 * busy the port is. NULL, NULL: all were 0. */
struct ledger_moment {
	const json_t *first, *second;
};

/* The proof of one port: each identity with its two sides, and what its egress saw leave; of the port's whole life, or from
 * `begin` on, and then held against what the kernel's own interface counters say of that time. Returns whether it holds. */
bool ledger_prove(struct ledger_moment begin, struct ledger_moment end, bool colour, FILE *out);
