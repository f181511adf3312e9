/* Who of a peering LAN may be announced: the exchange's registry as the import policy asks it, for every type-2 route.
 *
 *   registry/ -> [daemon/quelld_registry.c] -> [here] -> evpn/policy_macip.c
 *
 * A MAC is of one port, or of several of one member's; an address is of one port, and its MACs are the port's. A port is
 * behind its PE, whose VTEPs are known, or behind any. A table is filled once and then only asked; another registry is another
 * table. What it is asked costs one look-up, or two.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/ip.h"
#include "lib/mac.h"

struct registered;

/* The lists are copied. */
struct registered_port {
	const struct mac *macs; /* none: not known, any that is nobody else's */
	uint32_t mac_count;
	const struct ip *ips;
	uint32_t ip_count;
	const struct ip *vteps; /* none: behind any PE */
	uint32_t vtep_count;
};

enum registered_verdict {
	REGISTERED_FINE,
	REGISTERED_NOT_MAC,  /* nobody's */
	REGISTERED_NOT_IP,   /* the MAC is somebody's, the address nobody's */
	REGISTERED_WRONG_IP, /* both are somebody's, but not the same one's */
	REGISTERED_WRONG_PE, /* behind a PE that has not their port */
	REGISTERED_VERDICTS,
};

/* NULL: out of memory. */
struct registered *registered_new(void);
void registered_free(struct registered *r);
/* 0 or -ENOMEM. Of an address that is given again the first port counts. */
int registered_add(struct registered *r, const struct registered_port *p);

/* ip.family 0: the MAC alone. A link-local address that nobody is registered with may be anybody's who is, but for one that is made
 * of the MAC of another (RFC 4291 appendix A). */
enum registered_verdict registered_judge(
	const struct registered *r, struct mac mac, struct ip ip, struct ip vtep);

size_t registered_macs(const struct registered *r);
size_t registered_ips(const struct registered *r);
