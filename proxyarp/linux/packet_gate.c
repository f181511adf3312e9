/* See packet_gate.h. The rules are text, given to libnftables in batches, each of which the kernel takes whole or not at all;
 * if it does not, the table is made anew from the plane's own.
 *
 * Sets, by what docs/verdict.md asks of a MAC: `src` (port, MAC) for those that are behind a port here, `report` those of them that
 * are awaited; and for each LAN `dst<lan>` (may be sent to), `far<lan>` (behind another PE), `self<lan>` (the PE's own), `sponge4_<lan>`
 * and `sponge6_<lan>`. For the underlay, `vtep4_<vni>`, `vtep6_<vni>` and our own addresses, `own4` and `own6`.
 *
 * The chains are packet_gate_rules.c's.
 */
#include "proxyarp/linux/packet_gate_parts.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/log.h"
#include "lib/mac.h"
#include "lib/text.h"

#define QUEUE_MAX (64 << 10)

/* --- the queue --- */

static void queue_new(struct gate *g)
{
	g->out = open_memstream(&g->text, &g->len);
	if (!g->out)
		abort();
}

static void queue_drop(struct gate *g)
{
	fclose(g->out);
	free(g->text);
	g->text = NULL;
}

void gate_say(struct gate *g, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vfprintf(g->out, fmt, ap);
	va_end(ap);
}

static void say_log(const struct gate *g, const char *what)
{
	const char *error = g->error ? g->error : "";
	char text[256];

	log_error(LOG_PROXYARP, "nftables: %s: %s", what, text_escape(text, sizeof text, error, strcspn(error, "\n")));
}

int gate_run(struct gate *g, const char *text)
{
	int r = nft_run_cmd_from_buffer(g->nft, text);

	/* Asked for each time, or the library's buffers grow. */
	g->said = nft_ctx_get_output_buffer(g->nft);
	g->error = nft_ctx_get_error_buffer(g->nft);
	return r ? -EIO : 0;
}

bool gate_dirty(const struct gate *g)
{
	fflush(g->out);
	return g->len > 0;
}

static void make(struct gate *g);

int gate_flush(struct gate *g)
{
	if (!gate_dirty(g))
		return 0;
	int r = gate_run(g, g->text);
	queue_drop(g);
	queue_new(g);
	if (r == 0) {
		g->failing = false;
		return 0;
	}
	if (!g->failing)
		say_log(g, "not taken, made anew");
	/* Somebody took an interface, or our table, from under us. */
	make(g);
	fflush(g->out);
	r = gate_run(g, g->text);
	queue_drop(g);
	queue_new(g);
	if (r < 0 && !g->failing)
		say_log(g, "not taken");
	g->failing = r < 0;
	return r;
}

static void flush_if_long(struct gate *g)
{
	if (!g->making && ftell(g->out) > QUEUE_MAX)
		(void)gate_flush(g);
}

/* --- sets --- */

void gate_lan_sets(struct gate *g, uint32_t lan)
{
	for (size_t i = 0; i < g->lan_count; i++)
		if (g->lans[i] == lan)
			return;
	uint32_t *more = reallocarray(g->lans, g->lan_count + 1, sizeof *more);
	if (!more)
		abort();
	g->lans = more;
	g->lans[g->lan_count++] = lan;
	static const char *const of_macs[] = {"dst", "far", "self"};
	for (size_t i = 0; i < 3; i++)
		gate_say(g, "add set netdev quell %s%u { type ether_addr; }\n", of_macs[i], lan);
	gate_say(g, "add set netdev quell sponge4_%u { type ipv4_addr; }\nadd set netdev quell sponge6_%u { type ipv6_addr; }\n", lan, lan);
	gate_say(g, "add set netdev quell vtep4_%u { type ipv4_addr; }\nadd set netdev quell vtep6_%u { type ipv6_addr; }\n", lan, lan);
}

static void element(struct gate *g, const char *set, uint32_t lan, const uint8_t mac[6], bool was, bool is)
{
	char text[MAC_TEXT];
	struct mac m;

	if (was == is)
		return;
	memcpy(m.b, mac, 6);
	gate_say(g, "%s element netdev quell %s%u { %s }\n", is ? "add" : "delete", set, lan, mac_format(m, text));
}

static void element_at(struct gate *g, const char *set, const uint8_t mac[6], uint32_t was, uint32_t is)
{
	char text[MAC_TEXT];
	struct mac m;

	memcpy(m.b, mac, 6);
	mac_format(m, text);
	if (was == is)
		return;
	if (was)
		gate_say(g, "delete element netdev quell %s { %u . %s }\n", set, was, text);
	if (is)
		gate_say(g, "add element netdev quell %s { %u . %s }\n", set, is, text);
}

static uint32_t is_source(const struct layout_mac *m)
{
	return m && !(m->flags & MAC_SELF) ? m->ifindex : 0;
}

static bool may_be_sent_to(const struct layout_mac *m)
{
	return m && !(m->flags & (MAC_SELF | MAC_TRAP | MAC_DOWN));
}

static bool is_far(const struct layout_mac *m)
{
	return m && !m->ifindex && !(m->flags & MAC_SELF);
}

static bool is_self(const struct layout_mac *m)
{
	return m && m->flags & MAC_SELF;
}

void gate_mac(struct gate *g, const struct layout_mac_key *k, const struct layout_mac *was, const struct layout_mac *is)
{
	uint32_t reported = was && was->flags & MAC_REPORT ? is_source(was) : 0;
	uint32_t reports = is && is->flags & MAC_REPORT ? is_source(is) : 0;

	gate_lan_sets(g, k->lan);
	element_at(g, "src", k->mac, is_source(was), is_source(is));
	element_at(g, "report", k->mac, reported, reports);
	element(g, "dst", k->lan, k->mac, may_be_sent_to(was), may_be_sent_to(is));
	element(g, "far", k->lan, k->mac, is_far(was), is_far(is));
	element(g, "self", k->lan, k->mac, is_self(was), is_self(is));
	flush_if_long(g);
}

void gate_sponge(struct gate *g, uint32_t lan, struct ip ip, bool was, bool is)
{
	char text[IP_TEXT];

	if (was == is)
		return;
	gate_lan_sets(g, lan);
	gate_say(g, "%s element netdev quell sponge%u_%u { %s }\n", is ? "add" : "delete", ip.family, lan, ip_format(ip, text));
	flush_if_long(g);
}

/* --- ports --- */

struct gate_port *gate_find_port(const struct gate *g, uint32_t ifindex)
{
	for (struct gate_port *p = g->ports; p; p = p->next)
		if (p->ifindex == ifindex)
			return p;
	return NULL;
}

void gate_port_set(struct gate *g, uint32_t ifindex, const struct layout_port *v)
{
	struct gate_port *p = gate_find_port(g, ifindex);

	if (!p) {
		p = calloc(1, sizeof *p);
		if (!p)
			abort();
		*p = (struct gate_port){.next = g->ports, .ifindex = ifindex};
		g->ports = p;
	}
	gate_lan_sets(g, v->lan);
	if (p->attached)
		gate_fill_chains(g, ifindex);
}

int gate_attach(struct gate *g, uint32_t ifindex)
{
	struct gate_port *p = gate_find_port(g, ifindex);

	if (!p || p->attached)
		return p ? 0 : -ENOENT;
	if (!gate_make_chains(g, ifindex))
		return -ENODEV;
	p->attached = true;
	int r = gate_flush(g);
	p->attached = r == 0;
	return r;
}

void gate_port_del(struct gate *g, uint32_t ifindex)
{
	static const char *const chains[] = {"in", "out", "s", "so"};
	struct gate_port **at = &g->ports, *p;
	char line[128];

	while ((p = *at) && p->ifindex != ifindex)
		at = &p->next;
	if (!p)
		return;
	(void)gate_flush(g);
	*at = p->next;
	/* One by one: with the interface the kernel took its chains away. */
	for (int i = 0; p->attached && i < 4; i++) {
		snprintf(line, sizeof line, "delete chain netdev quell %s%u", chains[i], ifindex);
		(void)gate_run(g, line);
	}
	for (int i = 0; p->attached && i < GATE_COUNTS; i++) {
		snprintf(line, sizeof line, "delete counter netdev quell c%u%s", ifindex, gate_count_names[i]);
		(void)gate_run(g, line);
	}
	free(p);
}

static struct ip vtep_ip(const struct layout_vtep_key *k)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

	return memcmp(k->ip, mapped, 12) == 0 ? ip_v4(k->ip + 12) : ip_v6(k->ip);
}

void gate_vtep(struct gate *g, const struct layout_vtep_key *k, bool is)
{
	struct ip ip = vtep_ip(k);
	const char *verb = is ? "add" : "delete";
	char text[IP_TEXT];

	ip_format(ip, text);
	if (k->vni)
		gate_lan_sets(g, k->vni);
	if (!k->vni)
		gate_say(g, "%s element netdev quell own%u { %s }\n", verb, ip.family, text);
	else if (!ip_is_unspecified(ip))
		gate_say(g, "%s element netdev quell vtep%u_%u { %s }\n", verb, ip.family, k->vni, text);
	else
		for (const struct gate_port *p = g->ports; p; p = p->next)
			if (p->attached && tables_port(g->t, p->ifindex) && tables_port(g->t, p->ifindex)->kind == PORT_UNDERLAY)
				gate_fill_chains(g, p->ifindex);
	flush_if_long(g);
}

/* --- the whole table --- */

static void make(struct gate *g)
{
	const struct table_mac *m;
	const struct table_bind4 *b4;
	const struct table_bind6 *b6;
	const struct table_vtep *v;

	g->making = true;
	free(g->lans);
	g->lans = NULL;
	g->lan_count = 0;
	/* "add" first: a table that is not there cannot be deleted. */
	gate_say(g, "add table netdev quell { flags owner; }\ndelete table netdev quell\nadd table netdev quell { flags owner; }\n");
	gate_say(g, "add set netdev quell src { typeof meta iif . ether saddr; }\n");
	gate_say(g, "add set netdev quell report { typeof meta iif . ether saddr; }\n");
	gate_say(g, "add set netdev quell own4 { type ipv4_addr; }\nadd set netdev quell own6 { type ipv6_addr; }\n");
	hmap_foreach (&g->t->vteps, v)
		if (v->k.vni)
			gate_lan_sets(g, v->k.vni);
	for (struct gate_port *p = g->ports; p; p = p->next)
		p->attached = p->attached && gate_make_chains(g, p->ifindex);
	hmap_foreach (&g->t->macs, m)
		gate_mac(g, &m->k, NULL, &m->v);
	hmap_foreach (&g->t->bind4, b4)
		gate_sponge(g, b4->k.lan, ip_v4(b4->k.ip), false, b4->v.flags & BIND_SPONGE);
	hmap_foreach (&g->t->bind6, b6)
		gate_sponge(g, b6->k.lan, ip_v6(b6->k.ip), false, b6->v.flags & BIND_SPONGE);
	hmap_foreach (&g->t->vteps, v)
		if (!v->k.vni || !ip_is_unspecified(vtep_ip(&v->k)))
			gate_vtep(g, &v->k, true);
	g->making = false;
}

/* --- life --- */

void gate_close(struct gate *g)
{
	struct gate_port *p;

	if (!g)
		return;
	while ((p = g->ports)) {
		g->ports = p->next;
		free(p);
	}
	if (g->nft) {
		(void)gate_run(g, "delete table netdev quell");
		nft_ctx_free(g->nft);
	}
	if (g->log >= 0)
		close(g->log);
	if (g->out)
		queue_drop(g);
	free(g->lans);
	free(g);
}

int gate_open(const struct tables *t, struct gate **ret)
{
	struct gate *g = calloc(1, sizeof *g);

	if (!g)
		return -ENOMEM;
	g->t = t;
	queue_new(g);
	g->nft = nft_ctx_new(NFT_CTX_DEFAULT);
	g->log = gate_log_open();
	if (!g->nft || g->log < 0) {
		int r = g->nft ? g->log : -ENOMEM;
		log_warning(LOG_PROXYARP, "the packet plane has no gate, and cannot hold back all that it should: %s",
			r == -EBUSY ? "another agent has it" : strerror(-r));
		gate_close(g);
		return r;
	}
	nft_ctx_buffer_error(g->nft);
	nft_ctx_buffer_output(g->nft);
	make(g);
	fflush(g->out);
	if (gate_run(g, g->text) < 0) {
		say_log(g, "the packet plane has no gate, and cannot hold back all that it should");
		gate_close(g);
		return -EOPNOTSUPP;
	}
	queue_drop(g);
	queue_new(g);
	*ret = g;
	return 0;
}
