/* The insides of a LAN's sponge in the agent: agent_sponge.c (events, books, frames), agent_sponge_keep.c (its file),
 * agent_sponge_show.c (what is shown, what the operator says). */
#pragma once
#include "daemon/agent.h"
#include "proxyarp/callers.h"
#include "proxyarp/sponge.h"

/* An address that has an owner again; told within the books' own work, so it waits until that is done. */
struct agent_sponge_life {
	struct ip ip;
	struct mac mac;
};

struct agent_sponge {
	struct agent_lan *lan;
	struct mac mac;
	bool trapped; /* it is the sponge's and nobody else's */
	struct sponge *s;
	struct callers *callers;
	struct agent_sponge_life *lives; /* never more than addresses that were answered for */
	size_t life_count, life_cap;
	uint64_t saved_ms, expired_ms;
	struct log_limit state_log, loop_log, full_log, file_log;
};

/* --- agent_sponge.c --- */

/* Somebody has it, and is told of to whoever asks; else what it is: "dead", "duplicate", "sponged", "free". */
const char *agent_sponge_target(const struct agent_lan *lan, struct ip ip, bool *ret_alive);

/* --- agent_sponge_keep.c --- */

void agent_sponge_load(struct agent_sponge *p);
void agent_sponge_save(struct agent_sponge *p);
