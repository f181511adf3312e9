/* The ledger: what came to each port and what became of it, per direction, class and outcome; and whether the books balance.
 * Counters are the plane's (plane_ops.counters); here they are summed, compared and checked. Counters only grow. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proxyarp/class.h"
#include "proxyarp/layout.h"

struct ledger {
	struct layout_counter at[DIR_COUNT][CLASS_COUNT][OUTCOME_COUNT];
};

struct ledger_port {
	uint32_t ifindex;
	enum layout_port_kind kind;
	struct ledger l;
};

void ledger_add(struct ledger *to, const struct ledger *more);
/* now - before, by cell. A cell that went backwards (zeroed, or another program's) counts from zero; returns false then. */
bool ledger_since(const struct ledger *now, const struct ledger *before, struct ledger *ret);

/* Sums. `cls` CLASS_COUNT: all classes; `kind` 0: all kinds, which is all that was received (in) or offered (out). */
struct layout_counter ledger_sum(const struct ledger *l, enum frame_dir dir, enum frame_class cls, char kind);
/* One outcome over all classes. */
struct layout_counter ledger_outcome(const struct ledger *l, enum frame_dir dir, enum frame_outcome o);

/* What left the port, came from others and was not meant for it alone: the figure that quell exists for. */
struct layout_counter ledger_bum(const struct ledger *l);

/* An outcome that a direction can have. */
bool ledger_outcome_of(enum frame_dir dir, enum frame_outcome o);

enum ledger_fault_what {
	LEDGER_MISPLACED,  /* an outcome that its direction cannot have: left counts it, right 0 */
	LEDGER_ANSWERS,	   /* a port: left answered (in), right answers that left it (out) */
	LEDGER_LOST,	   /* the LAN: left handed to the bridge for one owner (in), right came out of a port or was refused there */
	LEDGER_SURPLUS,	   /* the LAN: right came out of ports, more than left could explain */
	LEDGER_ERROR,	   /* outcome error: left counts it */
};

struct ledger_fault {
	enum ledger_fault_what what;
	uint32_t ifindex;     /* 0: of the LAN as a whole */
	enum frame_class cls; /* CLASS_COUNT: of all classes together */
	uint64_t left, right; /* frames */
};

const char *ledger_fault_text(enum ledger_fault_what what);

/* The same port by port, so that not all of them have to be held at once: begin with zeroes, add each, then ask. Only the sum is
 * kept. */
struct ledger_books {
	struct ledger sum;
	size_t ports, faults;
};
void ledger_books_add(struct ledger_books *b, const struct ledger_port *p);
/* How many faults there are. */
size_t ledger_books_faults(const struct ledger_books *b);

/* The books of one LAN: all its ports, the fabric's among them. Returns how many faults there are, the first `max` of them in
 * `ret`. Frames on their way while the counters are read are faults too: ask again when it is quiet. */
size_t ledger_balance(const struct ledger_port *ports, size_t count, struct ledger_fault *ret, size_t max);
