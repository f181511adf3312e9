/* Graceful restart (RFC 4724, 8538), route refresh (RFC 7313), End-of-RIB, and the sweeps that
 * remove or look again at all paths of a peer. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct neighbor;
struct session;
struct speaker;
struct table;

/* What becomes of the routes when a session ends, and when the next one begins. */
void restart_session_down(struct neighbor *n, struct session *se, uint64_t now_ms);
void restart_session_up(struct neighbor *n, struct session *se, uint64_t now_ms);
void restart_end_of_rib_in(struct neighbor *n, struct table *t);
void restart_refresh_in(struct neighbor *n, struct table *t, uint8_t subtype);
/* All paths of the neighbour go. */
void restart_purge(struct neighbor *n);
/* Has everybody sent what they have? Then End-of-RIBs may go. */
void restart_check_converged(struct speaker *s);
bool restart_may_send_eor(const struct table *t);
/* Timers of a neighbour. */
void restart_timer_fired(void *arg, uint64_t now_ms);
/* Whether we say "restarting" in an OPEN (the R bit). */
bool restart_is_restarting(const struct speaker *s);
