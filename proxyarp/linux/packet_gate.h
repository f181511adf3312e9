/* The packet plane's gate: an nftables table of our own in the netdev family, with a chain at each port's way in and way out.
 * A packet socket sees copies and cannot drop; a chain there stands behind the sockets and before the bridge, and can.
 *
 *   plain data      unicast IPv4 and IPv6 that the octets show to be nothing else. Known owner to known owner: passes, counted by
 *                   the kernel. Anything else of it: logged to us whole (NFLOG), and dropped.
 *   all the rest    dropped. A packet socket has its copy, and what the verdict lets pass is sent on by us.
 *
 * "Plain" is said twice, here and in the sockets' filter (packet_capture.c), and must be the same: else a frame would be judged
 * twice, or not at all.
 *
 * The table has an owner, this process: the kernel takes it away with it, however it ends. The ports are then as the bridge's
 * knobs leave them: nothing floods, members' unicast goes on, and nobody answers.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/ip.h"
#include "proxyarp/layout.h"

struct gate;
struct tables;

/* What the kernel counts for us at a port. */
enum gate_count { GATE_IN4, GATE_IN6, GATE_LOCAL4, GATE_LOCAL6, GATE_OUT4, GATE_OUT6, GATE_COUNTS };

/* `t` is read when the table has to be made anew, and outlives the gate. -EOPNOTSUPP: built without libnftables, or the kernel
 * has no such chains; what is wrong has been logged. */
int gate_open(const struct tables *t, struct gate **ret);
void gate_close(struct gate *g);

/* Each is queued until gate_flush(); `was` and `is` may be NULL, not there. */
void gate_port_set(struct gate *g, uint32_t ifindex, const struct layout_port *v);
void gate_port_del(struct gate *g, uint32_t ifindex);
void gate_mac(struct gate *g, const struct layout_mac_key *k, const struct layout_mac *was, const struct layout_mac *is);
void gate_sponge(struct gate *g, uint32_t lan, struct ip ip, bool was, bool is);
void gate_vtep(struct gate *g, const struct layout_vtep_key *k, bool is);

/* Puts the chains of a port (after gate_port_set()) on its interface. 0, or -errno: the kernel would not. */
int gate_attach(struct gate *g, uint32_t ifindex);
int gate_flush(struct gate *g);
/* Something is queued. */
bool gate_dirty(const struct gate *g);

/* What is logged, and why: the prefix of the rule. */
enum gate_why {
	GATE_DROPPED = 'x', /* it is ours to judge */
	GATE_TOLD = 'r',    /* somebody awaited, or alive; it is dealt with by another rule */
	GATE_WOULD = 'w',   /* it went on, by a rule that only counts */
};

/* Readable when frames wait. */
int gate_fd(const struct gate *g);
/* Returns how often the kernel had no room for more. */
unsigned gate_read(struct gate *g, void (*fn)(void *arg, uint32_t ifindex, enum frame_dir dir, enum gate_why why,
	const uint8_t *frame, size_t len), void *arg);

/* Since the port was attached; octets as the ledger has them. */
void gate_counts(struct gate *g, uint32_t ifindex, struct layout_counter ret[GATE_COUNTS]);
