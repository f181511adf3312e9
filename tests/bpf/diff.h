/* The two verdicts against each other, one frame at a time: proxyarp/verdict.c and the BPF programs are given the same tables
 * and the same frame and have to say the same of it: class and outcome (by the counter that rises), what becomes of it (return
 * value and mark), the answer octet for octet or the MAC it is sent on to, what it would have been, and what is told.
 *
 * In namespaces of its own by BPF_PROG_TEST_RUN; nothing is sent. A difference is printed, and ends the process by abort().
 */
#pragma once
#include "proxyarp/plane.h"
#include "proxyarp/table.h"
#include "tests/proxyarp/world.h"

#define DIFF_PORTS 22

/* Of world.h; the last is none. */
extern const uint32_t diff_ports[DIFF_PORTS];
/* Whoever changes one changes the other. */
extern struct tables diff_tables;
extern struct plane *diff_plane;

/* -errno: BPF cannot be loaded here. */
int diff_open(void);
void diff_close(void);

/* No test run is given less than a whole header. */
bool diff_can_run(const struct frame_made *m);
bool diff_is_member(uint32_t ifindex);
void diff_compare(const struct frame_made *m, uint32_t ifindex, enum frame_dir way, uint32_t mark);
/* What XDP answers, it answers as the verdict says; all else it passes untouched. */
void diff_compare_xdp(const struct frame_made *m, uint32_t ifindex);
/* Nothing was counted but what was expected. */
void diff_ledger(void);
