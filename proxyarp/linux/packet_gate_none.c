/* No gate: built without libnftables. What the packet plane is then is said at the head of packet.c. */
#include <errno.h>

#include "lib/log.h"
#include "proxyarp/linux/packet_gate.h"

int gate_open(const struct tables *t, struct gate **ret)
{
	(void)t;
	(void)ret;
	log_warning(LOG_PROXYARP, "the packet plane cannot hold back all that it should: built without libnftables");
	return -EOPNOTSUPP;
}

void gate_close(struct gate *g)
{
	(void)g;
}

void gate_port_set(struct gate *g, uint32_t ifindex, const struct layout_port *v)
{
	(void)g, (void)ifindex, (void)v;
}

void gate_port_del(struct gate *g, uint32_t ifindex)
{
	(void)g, (void)ifindex;
}

void gate_mac(struct gate *g, const struct layout_mac_key *k, const struct layout_mac *was, const struct layout_mac *is)
{
	(void)g, (void)k, (void)was, (void)is;
}
void gate_sponge(struct gate *g, uint32_t lan, struct ip ip, bool was, bool is)
{
	(void)g, (void)lan, (void)ip, (void)was, (void)is;
}

void gate_vtep(struct gate *g, const struct layout_vtep_key *k, bool is)
{
	(void)g, (void)k, (void)is;
}

int gate_attach(struct gate *g, uint32_t ifindex)
{
	return (void)g, (void)ifindex, 0;
}

int gate_flush(struct gate *g)
{
	return (void)g, 0;
}

bool gate_dirty(const struct gate *g)
{
	return (void)g, false;
}

int gate_fd(const struct gate *g)
{
	return (void)g, -1;
}

unsigned gate_read(struct gate *g, void (*fn)(void *, uint32_t, enum frame_dir, enum gate_why, const uint8_t *, size_t), void *arg)
{
	return (void)g, (void)fn, (void)arg, 0;
}
void gate_counts(struct gate *g, uint32_t ifindex, struct layout_counter ret[GATE_COUNTS])
{
	(void)g, (void)ifindex, (void)ret;
}
