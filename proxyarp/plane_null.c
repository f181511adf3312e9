/* The null plane: tables without a network, for tests of what stands above a plane and for runs
 * that only check. What is sent is dropped, no event ever comes, all counters are zero. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "proxyarp/plane.h"
#include "proxyarp/table.h"

struct plane {
	struct tables t;
};

static int null_open(
	const char *dir, const struct plane_limits *l, struct plane **ret, bool *ret_adopted)
{
	struct plane *p = calloc(1, sizeof(*p));

	(void)dir;
	if (!p)
		return -ENOMEM;
	tables_init(&p->t, l->bindings4, l->bindings6, l->macs, l->ports, l->vteps);
	*ret = p;
	*ret_adopted = false;
	return 0;
}

static void null_close(struct plane *p, bool keep)
{
	(void)keep;
	tables_free(&p->t);
	free(p);
}

static int null_port_set(struct plane *p, uint32_t ifindex, const struct layout_port *port)
{
	return tables_port_set(&p->t, ifindex, port);
}

static int null_policer_set(struct plane *p, uint32_t slot, enum frame_dir dir,
	enum layout_police group, const struct layout_policer *v)
{
	(void)p;
	(void)slot;
	(void)dir;
	(void)group;
	return (void)v, 0;
}

static int null_port_attach(struct plane *p, uint32_t ifindex, bool xdp)
{
	(void)xdp;
	return tables_port(&p->t, ifindex) ? 0 : -ENOENT;
}

static int null_port_del(struct plane *p, uint32_t ifindex)
{
	return tables_port_del(&p->t, ifindex);
}

static int null_bind4_set(struct plane *p, const struct layout_key4 *k, const struct layout_bind *v)
{
	return tables_bind4_set(&p->t, k, v);
}

static int null_bind4_del(struct plane *p, const struct layout_key4 *k)
{
	return tables_bind4_del(&p->t, k);
}

static int null_bind6_set(struct plane *p, const struct layout_key6 *k, const struct layout_bind *v)
{
	return tables_bind6_set(&p->t, k, v);
}

static int null_bind6_del(struct plane *p, const struct layout_key6 *k)
{
	return tables_bind6_del(&p->t, k);
}

static int null_mac_set(struct plane *p, const struct layout_mac_key *k, const struct layout_mac *v)
{
	return tables_mac_set(&p->t, k, v);
}

static int null_mac_del(struct plane *p, const struct layout_mac_key *k)
{
	return tables_mac_del(&p->t, k);
}

static int null_vtep_set(struct plane *p, const struct layout_vtep_key *k)
{
	return tables_vtep_set(&p->t, k);
}

static int null_vtep_del(struct plane *p, const struct layout_vtep_key *k)
{
	return tables_vtep_del(&p->t, k);
}

static void null_bind4_each(struct plane *p,
	void (*fn)(void *, const struct layout_key4 *, const struct layout_bind *), void *arg)
{
	struct table_bind4 *e;

	hmap_foreach (&p->t.bind4, e)
		fn(arg, &e->k, &e->v);
}

static void null_bind6_each(struct plane *p,
	void (*fn)(void *, const struct layout_key6 *, const struct layout_bind *), void *arg)
{
	struct table_bind6 *e;

	hmap_foreach (&p->t.bind6, e)
		fn(arg, &e->k, &e->v);
}

static void null_mac_each(struct plane *p,
	void (*fn)(void *, const struct layout_mac_key *, const struct layout_mac *), void *arg)
{
	struct table_mac *e;

	hmap_foreach (&p->t.macs, e)
		fn(arg, &e->k, &e->v);
}

static void null_port_each(
	struct plane *p, void (*fn)(void *, uint32_t, const struct layout_port *), void *arg)
{
	struct table_port *e;

	hmap_foreach (&p->t.ports, e)
		fn(arg, e->ifindex, &e->v);
}

static int null_counters(
	struct plane *p, uint32_t slot, struct layout_counter (*out)[CLASS_COUNT][OUTCOME_COUNT])
{
	(void)p;
	(void)slot;
	memset(out, 0, COUNTER_PER_SLOT * sizeof(struct layout_counter));
	return 0;
}

static int null_would_each(struct plane *p, uint32_t slot,
	void (*fn)(void *, enum frame_dir, enum frame_class, enum frame_outcome,
		const struct layout_counter *),
	void *arg)
{
	(void)p;
	(void)slot;
	(void)fn;
	(void)arg;
	return 0;
}

static int null_counters_zero(struct plane *p, uint32_t slot)
{
	(void)p;
	(void)slot;
	return 0;
}

static int null_fd(struct plane *p)
{
	(void)p;
	return -1;
}

static int null_poll(struct plane *p, void (*fn)(void *, const struct layout_event *), void *arg)
{
	(void)p;
	(void)fn;
	(void)arg;
	return 0;
}

static int null_send(struct plane *p, uint32_t ifindex, const uint8_t *frame, size_t len)
{
	(void)frame;
	(void)len;
	return tables_port(&p->t, ifindex) ? 0 : -ENOENT;
}

const struct plane_ops plane_null = {
	.name = "null",
	.open = null_open,
	.close = null_close,
	.port_set = null_port_set,
	.policer_set = null_policer_set,
	.port_attach = null_port_attach,
	.port_del = null_port_del,
	.bind4_set = null_bind4_set,
	.bind4_del = null_bind4_del,
	.bind6_set = null_bind6_set,
	.bind6_del = null_bind6_del,
	.mac_set = null_mac_set,
	.mac_del = null_mac_del,
	.vtep_set = null_vtep_set,
	.vtep_del = null_vtep_del,
	.bind4_each = null_bind4_each,
	.bind6_each = null_bind6_each,
	.mac_each = null_mac_each,
	.port_each = null_port_each,
	.counters = null_counters,
	.would_each = null_would_each,
	.counters_zero = null_counters_zero,
	.fd = null_fd,
	.poll = null_poll,
	.send = null_send,
};
