/* The way of one frame into the books, and the life of the books. What the frame is: vxlan.c takes a mirror's wrapping off, cut.c reads it.
 * Then it is counted at its port (rates.c), for its sender (senders.c), for what it asks after (targets.c), and judged (judge.c,
 * findings.c, evidence.c).
 *
 * A broadcast frame is in the capture of every port that it reached. Ports count all that they see; a sender's frames, its rules and
 * its calls are counted once: where its own port is captured, there; else at the port where it was heard first.
 */
#include "audit/audit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit/state.h"
#include "lib/siphash.h"

#define NSEC 1000000000

struct audit *audit_new(const struct audit_config *c)
{
	struct audit *a = calloc(1, sizeof(*a));
	struct audit_state *st = calloc(1, sizeof(*st));

	if (!a || !st) {
		free(a);
		free(st);
		return NULL;
	}
	a->state = st;
	a->registry = c->registry;
	st->prefixes = c->prefixes;
	st->prefix_count = c->prefix_count;
	for (size_t i = 0; i < c->prefix_count; i++)
		st->has_prefixes[c->prefixes[i].ip.family == 6] = true;
	st->own = c->own;
	st->own_count = c->own_count;
	st->vni = c->vni;
	st->evidence = c->evidence;
	st->max_senders = c->max_senders ? c->max_senders : 65536;
	st->max_targets = c->max_targets ? c->max_targets : 65536;
	st->max_findings = c->max_findings ? c->max_findings : 4096;
	audit_senders_init(st);
	audit_targets_init(st);
	audit_findings_init(st);
	if (audit_judge_init(a) < 0) {
		audit_free(a);
		return NULL;
	}
	return a;
}

static void free_state(struct audit_state *st)
{
	if (!st)
		return;
	audit_senders_free(st);
	audit_targets_free(st);
	audit_findings_free(st);
	tables_free(&st->tables);
	free(st->vantages);
	free(st->at_place);
	free(st->alive);
	free(st->place_of);
	free(st->of_member);
	free(st->seen);
	free(st);
}

void audit_free(struct audit *a)
{
	if (!a)
		return;
	free_state(a->state);
	for (size_t i = 0; i < a->port_count; i++)
		free(a->ports[i].series.at);
	free(a->ports);
	free(a->senders);
	free(a->targets);
	free(a->members);
	free(a->findings);
	free(a);
}

/* "swp1", or "swp1@10.99.0.1" of one PE alone; the first is nobody's if two PEs have one, for it would be judged as another's. */
static const struct registry_port *port_of_name(const struct registry *r, const char *name, bool *ret_ambiguous)
{
	const struct registry_port *found = NULL;

	for (size_t i = 0; r && i < r->port_count; i++) {
		const struct registry_port *p = &r->ports[i];
		char pe[IP_TEXT], full[128];
		if (!p->port[0])
			continue;
		snprintf(full, sizeof(full), "%s@%s", p->port, ip_format(ip_v4_u32(p->pe), pe));
		if (strcmp(full, name) == 0)
			return p;
		if (strcmp(p->port, name) != 0)
			continue;
		*ret_ambiguous = *ret_ambiguous || (found && found->pe != p->pe);
		found = found ? found : p;
	}
	return *ret_ambiguous ? NULL : found;
}

static bool more_ports(struct audit *a)
{
	struct audit_port *ports = realloc(a->ports, (a->port_count + 1) * sizeof(*ports));

	if (!ports)
		return false;
	a->ports = ports;
	struct audit_vantage *v = realloc(a->state->vantages, (a->port_count + 1) * sizeof(*v));
	if (!v)
		return false;
	a->state->vantages = v;
	memset(&ports[a->port_count], 0, sizeof(*ports));
	memset(&v[a->port_count], 0, sizeof(*v));
	return true;
}

uint32_t audit_port_add(struct audit *a, const char *name)
{
	struct audit_state *st = a->state;
	char shown[sizeof(a->ports->name)];

	snprintf(shown, sizeof(shown), "%s", name);
	for (size_t i = 0; i < a->port_count; i++)
		if (strcmp(a->ports[i].name, shown) == 0)
			return (uint32_t)i;
	if (a->port_count == AUDIT_PORTS_MAX)
		return AUDIT_PORTS_MAX - 1;
	if (!more_ports(a)) {
		if (!a->port_count)
			abort();
		return (uint32_t)a->port_count - 1;
	}
	if (a->port_count == AUDIT_PORTS_MAX - 1)
		snprintf(shown, sizeof(shown), "others");
	struct audit_port *p = &a->ports[a->port_count];
	memcpy(p->name, shown, sizeof(p->name));
	p->registered = port_of_name(a->registry, shown, &p->ambiguous);
	if (p->registered) {
		uint32_t place = st->place_of[p->registered - a->registry->ports];
		st->vantages[a->port_count].place = place;
		st->at_place[place] = true;
	}
	return (uint32_t)a->port_count++;
}

static void widen(int64_t *first, int64_t *last, int64_t from, int64_t to)
{
	if (!*first || from < *first)
		*first = from;
	if (to > *last)
		*last = to;
}

void audit_port_ran(struct audit *a, uint32_t port, int64_t from_ns, int64_t to_ns)
{
	if (port >= a->port_count || to_ns < from_ns)
		return;
	widen(&a->ports[port].first_ns, &a->ports[port].last_ns, from_ns, to_ns);
	widen(&a->first_ns, &a->last_ns, from_ns, to_ns);
}

static uint32_t place_of_mac(const struct audit_state *st, struct mac mac)
{
	const struct layout_mac *m = tables_mac(&st->tables, AUDIT_LAN, mac.b);

	return m ? m->ifindex : 0;
}

/* Seen from the member. The capture says which way, of the side on which it was made; the first frame from
 * or to the port's own MACs says which side that is. It stays, since another may send one with such a MAC, too. */
static enum audit_dir direction(struct audit_passage *p)
{
	struct audit_vantage *v = &p->a->state->vantages[p->port];
	bool own = v->place && p->sender && p->sender->place == v->place;

	if (p->dir == AUDIT_DIRS)
		return own ? AUDIT_SENT : AUDIT_RECEIVED;
	bool out = p->dir == AUDIT_RECEIVED;
	if (!v->sided && v->place && (own || (out && place_of_mac(p->a->state, p->f.dst) == v->place))) {
		v->sided = true;
		v->turned = own && out;
	}
	if (v->place && !v->turned)
		return p->dir;
	return p->dir == AUDIT_SENT ? AUDIT_RECEIVED : AUDIT_SENT;
}

/* An answer with its owner's MAC that the owner's port did not show: the exchange may have given it in his name (RFC 9161 section
 * 3.3), and nothing says that he is there. */
static bool is_on_behalf(const struct audit_passage *p)
{
	const struct frame *f = &p->f;

	if (p->dir != AUDIT_RECEIVED || !p->sender || !p->sender->place)
		return false;
	if (f->cls == CLASS_ARP_REPLY)
		return !f->mismatch && audit_is_his(p, f->sender);
	return frame_is_na(f) && !f->mismatch && audit_is_his(p, f->target);
}

static bool is_spoofed(const struct audit_passage *p)
{
	uint32_t place = p->a->state->vantages[p->port].place;

	return p->dir == AUDIT_SENT && place && p->sender && p->sender->place && p->sender->place != place;
}

/* Whether this is the port at which its sender's frames are counted. */
static bool counts_here(struct audit_passage *p)
{
	struct audit_sender_row *row = p->sender;
	struct audit_state *st = p->a->state;

	if (!row)
		return p->dir == AUDIT_SENT;
	if (p->spoofed)
		return true;
	if (p->dir == AUDIT_SENT) {
		if (!row->at_own)
			row->s.port = p->port;
		row->at_own = true;
		return true;
	}
	return !row->at_own && row->s.port == p->port && !(row->place && st->at_place[row->place]);
}

static void count_sender(struct audit_passage *p)
{
	struct audit_sender *s = &p->sender->s;
	bool group = mac_is_group(p->f.dst);

	s->all.frames++;
	s->all.octets += p->wire_len;
	s->group.frames += group;
	s->group.octets += group ? p->wire_len : 0;
	s->at[p->f.cls].frames++;
	s->at[p->f.cls].octets += p->wire_len;
	s->last_ns = p->ns > s->last_ns ? p->ns : s->last_ns;
}

/* For whom has its source MAC. */
static void account(struct audit_passage *p)
{
	if (p->sender)
		count_sender(p);
	audit_speaks(p);
	audit_targets(p);
}

static void count_all(struct audit_passage *p)
{
	struct audit *a = p->a;
	struct audit_state *st = a->state;

	a->frames++;
	a->octets += p->wire_len;
	a->cut += p->cut;
	widen(&a->first_ns, &a->last_ns, p->ns, p->ns);
	if (p->ns < st->sec_ns || p->ns - st->sec_ns >= NSEC) {
		st->sec = p->ns / NSEC;
		st->sec_ns = st->sec * NSEC;
	}
	p->sec = st->sec;
}

void audit_frame(struct audit *a, uint32_t port, enum audit_dir dir, const uint8_t *frame, size_t len, size_t wire_len,
	int64_t ns)
{
	struct audit_passage p = {
		.a = a, .port = port, .dir = dir, .octets = frame, .len = len, .wire_len = wire_len < len ? len : wire_len};
	uint8_t room[AUDIT_MEND_MAX];

	p.ns = ns > 0 ? ns : 1;
	if (port >= a->port_count || !audit_unwrap(&p))
		return;
	p.captured = p.octets;
	p.captured_len = p.len;
	audit_read_frame(&p, room);
	count_all(&p);
	if (mac_is_host(p.f.src))
		p.sender = audit_sender_of(a, p.f.src, port, p.ns);
	p.dir = direction(&p);
	p.by_mac = dir == AUDIT_DIRS || p.dir != AUDIT_SENT;
	p.spoofed = is_spoofed(&p);
	bool on_behalf = is_on_behalf(&p);
	p.counts = !on_behalf && counts_here(&p);
	if (p.sender && !on_behalf && !p.spoofed)
		a->state->alive[p.sender->place] = true;
	audit_rates(&p);
	if (!p.counts)
		return;
	if (p.maimed)
		p.f.sender = p.f.target = (struct ip){0};
	/* What is sent in another's name is not the other's. */
	if (!p.spoofed)
		account(&p);
	audit_judge(&p);
}

void audit_close(struct audit *a)
{
	audit_senders_close(a);
	audit_targets_close(a);
	audit_findings_close(a);
	audit_judge_close(a);
}

/* --- what the reports ask --- */

const char *audit_verdict_name(enum audit_verdict v)
{
	return v == AUDIT_PASS ? "pass" : v == AUDIT_FAIL ? "fail" : "not seen";
}

const char *audit_finding_name(enum audit_finding_kind k)
{
	static const char *const names[] = {
		[AUDIT_DUPLICATE_IP] = "duplicate-ip",
		[AUDIT_SPOOF_MAC] = "spoof-mac",
		[AUDIT_SPOOF_IP] = "spoof-ip",
		[AUDIT_PROXY_ARP] = "proxy-arp",
		[AUDIT_WRONG_MASK] = "wrong-mask",
	};

	return k < AUDIT_FINDING_KINDS ? names[k] : "-";
}

void audit_member_name(const struct audit_member *m, char *buf, size_t size)
{
	if (!m || !m->member)
		snprintf(buf, size, "not registered");
	else
		snprintf(buf, size, "AS%u%s%s", m->member->asn, m->member->name && *m->member->name ? " " : "",
			m->member->name ? m->member->name : "");
}

static double seconds(const struct audit_port *p)
{
	int64_t ns = p->last_ns - p->first_ns;

	return ns < NSEC ? 1 : (double)ns / NSEC;
}

double audit_fps(const struct audit_port *p, const struct audit_count *c)
{
	return (double)c->frames / seconds(p);
}

double audit_bps(const struct audit_port *p, const struct audit_count *c)
{
	return 8.0 * (double)c->octets / seconds(p);
}
