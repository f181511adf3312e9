/* The PMSI tunnel attribute. A reflector carries all tunnel types as they are; only ingress
 * replication is looked into, since it is what VXLAN has. */
#include "evpn/pmsi.h"

#include <errno.h>
#include <stdio.h>

int pmsi_decode(struct span value, struct pmsi *ret)
{
	struct reader r = reader_of(value.p, value.len);
	struct pmsi p = {.flags = reader_u8(&r), 0};

	p.type = reader_u8(&r);
	p.label = reader_u24(&r);
	if (!reader_ok(&r))
		return -EINVAL;
	p.id = reader_rest(&r);
	*ret = p;
	return 0;
}

void pmsi_encode(struct writer *w, const struct pmsi *pmsi)
{
	writer_u8(w, pmsi->flags);
	writer_u8(w, pmsi->type);
	writer_u24(w, pmsi->label);
	writer_bytes(w, pmsi->id.p, pmsi->id.len);
}

struct ip pmsi_endpoint(const struct pmsi *pmsi)
{
	if (pmsi->type != PMSI_INGRESS_REPLICATION)
		return (struct ip){0};
	return pmsi->id.len == 4    ? ip_v4(pmsi->id.p)
	       : pmsi->id.len == 16 ? ip_v6(pmsi->id.p)
				    : (struct ip){0};
}

char *pmsi_format(const struct pmsi *pmsi, char *buf, size_t cap)
{
	struct ip end = pmsi_endpoint(pmsi);
	char ip[IP_TEXT];

	if (end.family)
		snprintf(buf, cap, "ingress replication %s label %u", ip_format(end, ip),
			pmsi->label);
	else
		snprintf(buf, cap, "tunnel type %u label %u, %u octets", pmsi->type, pmsi->label,
			pmsi->id.len);
	return buf;
}
