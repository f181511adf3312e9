/* Before and after: two audits, or two readings of the ledger, held against each other, per port and class, with a verdict. */
#pragma once
#include "audit/audit.h"

/* One side, whatever it was made of: frames a second and bits a second that a port received. */
struct compare_cell {
	double fps, bps;
	double peak_fps; /* in the busiest second; of the ledger not known: 0 */
};

struct compare_row {
	char port[64];
	enum frame_class cls; /* CLASS_COUNT: all that floods */
	struct compare_cell before, after;
	double suppressed; /* share of the frames a second, 0 - 1; 1 if there were none after; negative: it grew */
	bool pass;	   /* of the row of all that floods: at most `limit` after */
};

struct compare {
	struct compare_row *rows; /* by port: the row of all first, then the classes that were seen */
	size_t row_count;
	double limit_fps; /* what a port may receive after; 0 by default */
	bool pass;
};

/* A side by hand: for the ledger, whose counters come as JSON from quell-agent. */
struct compare_side;
struct compare_side *compare_side_new(void);
void compare_side_free(struct compare_side *s);
void compare_side_add(struct compare_side *s, const char *port, enum frame_class cls, struct compare_cell cell);
struct compare_side *compare_side_of(const struct audit *a);

/* What a port gets without having asked for it: all but the classes that have one owner. */
bool compare_class_floods(enum frame_class c);

/* Ports that only one side has count as 0 on the other, but for verdicts, which need both. No port that both have: no pass. */
struct compare *compare_sides(const struct compare_side *before, const struct compare_side *after, double limit_fps);
void compare_free(struct compare *c);
