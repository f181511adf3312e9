/* The PMSI tunnel attribute (RFC 6514 section 5) as EVPN uses it: how a PE wants to get broadcast,
 * unknown unicast and multicast. RFC 7432 section 11.2, RFC 8365 section 9: with VXLAN and ingress
 * replication (type 6) the label is the VNI and the tunnel identifier is the VTEP. */
#pragma once
#include <stdint.h>

#include "lib/ip.h"
#include "lib/reader.h"
#include "lib/writer.h"

#define PMSI_NONE 0
#define PMSI_INGRESS_REPLICATION 6

struct pmsi {
	uint8_t flags, type;
	uint32_t label; /* 24 bits */
	struct span id; /* borrowed */
};

/* 0, or -EINVAL: shorter than 5 octets. */
int pmsi_decode(struct span value, struct pmsi *ret);
void pmsi_encode(struct writer *w, const struct pmsi *pmsi);
/* Where an ingress replication tunnel ends; family 0: another type, or no address. */
struct ip pmsi_endpoint(const struct pmsi *pmsi);
/* "ingress replication 10.99.0.1 label 100"; returns buf. */
char *pmsi_format(const struct pmsi *pmsi, char *buf, size_t cap);
