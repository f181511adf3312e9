/* What every speaker should have, worked out from what each originates, by rules written down
 * again from the RFCs and with none of the engine's code: no wire, no time, no faults. Routes go
 * from speaker to speaker until nothing changes; that is what the simulated net must have come to
 * when it rests.
 *
 * RFC 4271 section 9.1 (the choice), 4456 (reflection), 7947 (route server), 1997 and 4360
 * (communities), 7432 section 15 (mobility), 9234 (roles),
 * 4684 (membership), 7911 (all paths); and the communities by which a route server's clients say who may have
 * their routes, and what the conservative profile keeps back.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "bgp/attr.h"
#include "bgp/family.h"
#include "bgp/speaker.h"
#include "tests/bgp/sim.h"

#define KEYS 96
#define LINKS 24
#define LIST 8 /* AS numbers, clusters, communities */

/* Attributes in a form that can be compared as memory. */
struct m_attrs {
	struct ip next_hop;
	uint8_t origin;
	bool has_med, has_local_pref, has_originator, has_otc;
	uint32_t med, local_pref, originator, otc;
	uint32_t as[LIST], cluster[LIST], community[LIST];
	uint8_t ecom[LIST][8];
	uint8_t ases, clusters, communities, ecoms;
	uint8_t pmsi[24], pmsi_len;
};

struct m_path {
	bool there;
	uint8_t payload_len, payload[BGP_PAYLOAD_MAX];
	struct m_attrs a;
};

struct m_node {
	uint32_t as, cluster_id, router_id;
	uint32_t refuses; /* routes with this community; 0: none */
	uint8_t wants;    /* route targets 65000:100 .. 102, a bit each */
	bool wants_all;
	struct ip address;
	struct m_path local[KEYS];
};

/* Two speakers with a session; [0] is what `a` has configured for b, [1] the other way. */
struct m_link {
	int a, b;
	bool client[2];
	bool control[2];       /* the communities of its peers are obeyed, where it is a client of another AS */
	bool conservative[2];
	enum bgp_role role[2]; /* where the rules of OTC hold */
	bool rtc;              /* route target membership; node 0 is at one end */
	bool add_path;         /* all paths are told, both ways; node 0 is at one end */
};

struct model {
	int nodes, links, keys;
	struct m_node node[SIM_NODES];
	struct m_link link[LINKS];
	bool is_macip[KEYS];
	bool is_opaque[KEYS]; /* a type that is only carried */
	/* in[j][i]: what j has from i. */
	struct m_path in[SIM_NODES][SIM_NODES][KEYS];
	/* more[j][i]: what j has from node 0 of i, when it is told all paths. */
	struct m_path more[SIM_NODES][SIM_NODES][KEYS];
	/* Whose path j takes as best: j itself for its own; -1: none. */
	int best[SIM_NODES][KEYS];
};

/* false: the rules have no answer for this topology (or it takes too long). */
bool model_run(struct model *m);
/* Attributes as the engine has them. */
void m_attrs_of(const struct attrs *a, struct m_attrs *ret);

/* Octets behind the spans of what m_attrs_to() makes. */
struct m_room {
	uint8_t octets[2 + 4 * LIST + 4 * LIST + 4 * LIST + 8 * LIST + 24];
};
void m_attrs_to(const struct m_attrs *m, struct m_room *room, struct attrs *ret);
