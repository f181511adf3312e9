/* A made-up LAN in the books: what the reports are tested with. Members keep to the rules or break them, have silly, long, hostile and
 * foreign names; before, every port hears the same flood for 400 s; after, none but one does.
 *
 *   swp1  AS64500  a clean member                    swp7   AS64506  name with quotes, a line end, ESC
 *   swp2  AS64501  LLDP, STP and CDP                 swp8   AS64507  300 characters
 *   swp3  AS64502  the one that is idle; clean       swp9   AS64508  right to left
 *   swp4  AS64503  markup in its name, proxy ARP     swp10  AS64509  octets that are no UTF-8
 *   swp5  AS64504  not heard                         swp11  AS64510  begins with =, breaks every rule
 *   swp6  AS64505  umlauts and kanji                 swp12  AS64511  a very large one
 */
#pragma once
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit/audit.h"
#include "audit/compare.h"
#include "proxyarp/verdict.h"

#define BOOKS_START 1769860800000000000LL /* 2026-01-31 12:00:00 UTC */
#define BOOKS_SEC 1000000000LL
#define BOOKS_SECONDS 400
#define BOOKS_ASN 64500u

struct books {
	struct registry registry;
	struct audit before, after;
	struct compare compare;
	uint64_t seed;
};

static const char *const books_names[] = {
	"Example Networks",
	"Chatty Switches Ltd",
	"Silent Router GmbH & Co. KG",
	"<script>alert(\"x\")</script> & Sons <b>bold</b>",
	"Departed Carrier",
	"M\xc3\xbcnchner Netz \xe6\x9d\xb1\xe4\xba\xac Stra\xc3\x9f" "e",
	"\"Quoted\" 'Net'\n\033[31mred\033[0m\tTab",
	NULL, /* 300 characters */
	"\xd7\xa8\xd7\xa9\xd7\xaa \xd7\x90\xd7\x99\xd7\xa0\xd7\x98\xd7\xa8\xd7\xa0\xd7\x98 \xe2\x80\xae" "desrever",
	"bad \xff\xfe octets \xc3",
	"=HYPERLINK(\"http://198.51.100.1\",\"Net\")",
	"Very Large Content Delivery Network",
};
#define BOOKS_NAMES (sizeof(books_names) / sizeof(books_names[0]))

/* The flood of a second, by class, before. */
static const struct {
	enum frame_class cls;
	double fps;
	unsigned octets;
} books_flood[] = {
	{CLASS_ARP_REQUEST, 1840, 60},
	{CLASS_NS, 610, 86},
	{CLASS_ARP_GRATUITOUS, 120, 60},
	{CLASS_ARP_PROBE, 84, 60},
	{CLASS_MLD, 60, 86},
	{CLASS_IP6_MULTICAST, 31, 120},
	{CLASS_RA, 22, 118},
	{CLASS_LLDP, 12, 240},
	{CLASS_OSPF, 10, 82},
	{CLASS_STP, 7, 60},
	{CLASS_CDP, 4, 380},
	{CLASS_DHCP4, 2, 342},
};
#define BOOKS_FLOOD (sizeof(books_flood) / sizeof(books_flood[0]))

static double books_random(struct books *b)
{
	b->seed = b->seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return (double)(b->seed >> 40) / (1 << 24);
}

static struct mac books_mac(unsigned i)
{
	return (struct mac){{0x02, 0, 0x5e, 0, (uint8_t)(i >> 8), (uint8_t)i}};
}

static struct ip books_ip(unsigned i)
{
	return ip_v4_u32(0xc6120000u + i); /* 198.18.0.0/15 */
}

static struct ip books_ip6(unsigned i)
{
	struct ip ip = {.family = 6, .b = {0x20, 0x01, 0x0d, 0xb8, 0x01, 0x00}};

	ip.b[14] = (uint8_t)(i >> 8);
	ip.b[15] = (uint8_t)i;
	return ip;
}

static void books_count(struct audit_rate *r, double frames, unsigned octets, double peak, int64_t peak_ns)
{
	r->all.frames += (uint64_t)frames;
	r->all.octets += (uint64_t)frames * octets;
	if ((uint64_t)peak > r->peak.frames) {
		r->peak.frames = (uint64_t)peak;
		r->peak.octets = (uint64_t)peak * octets;
		r->peak_ns = peak_ns;
	}
}

/* A second of flood: a storm of ARP begins at 120 s and dies away. */
static void books_second(struct books *b, struct audit_port *p, uint32_t s, double share)
{
	double total = 0;
	int64_t now = BOOKS_START + (int64_t)s * BOOKS_SEC;

	for (size_t k = 0; k < BOOKS_FLOOD; k++) {
		double n = books_flood[k].fps * (0.85 + 0.3 * books_random(b));
		if (books_flood[k].cls == CLASS_ARP_REQUEST && s >= 120 && s < 180)
			n += 2600.0 * (180 - s) / 60;
		if (books_flood[k].cls == CLASS_OSPF && s % 10)
			n = 0;
		n = (double)(uint64_t)(n * share);
		books_count(&p->at[AUDIT_RECEIVED][books_flood[k].cls], n, books_flood[k].octets, n, now);
		books_count(&p->flood, n, books_flood[k].octets, 0, 0);
		p->series.at[s][books_flood[k].cls].frames = (uint64_t)n;
		p->series.at[s][books_flood[k].cls].octets = (uint64_t)n * books_flood[k].octets;
		total += n;
	}
	if (total > (double)p->flood.peak.frames) {
		p->flood.peak.frames = (uint64_t)total;
		p->flood.peak_ns = now;
	}
}

static void books_port(struct books *b, struct audit *a, unsigned i, double share)
{
	struct audit_port *p = &a->ports[i];

	snprintf(p->name, sizeof(p->name), "swp%u", i + 1);
	p->registered = &b->registry.ports[i];
	p->first_ns = a->first_ns;
	p->last_ns = a->last_ns;
	p->series.start_ns = a->first_ns;
	p->series.slot_sec = 1;
	p->series.count = BOOKS_SECONDS;
	p->series.at = calloc(BOOKS_SECONDS, sizeof(*p->series.at));
	for (uint32_t s = 0; s < BOOKS_SECONDS; s++)
		books_second(b, p, s, share);
	books_count(&p->stray, 400 * share, 900, 12 * share, a->first_ns + 33 * BOOKS_SEC);
	p->unwanted = p->flood;
	p->unwanted.all.frames += p->stray.all.frames;
	p->unwanted.all.octets += p->stray.all.octets;
	books_count(&p->at[AUDIT_RECEIVED][CLASS_IP4_UNICAST], 91000 + 400 * share, 700, 400, a->first_ns);
	books_count(&p->at[AUDIT_SENT][CLASS_IP4_UNICAST], 88000, 650, 380, a->first_ns);
	books_count(&p->at[AUDIT_SENT][CLASS_ARP_REQUEST], 61000, 60, 300, a->first_ns);
	for (int d = 0; d < AUDIT_DIRS; d++)
		for (int c = 0; c < CLASS_COUNT; c++) {
			p->total[d].all.frames += p->at[d][c].all.frames;
			p->total[d].all.octets += p->at[d][c].all.octets;
			p->total[d].peak.frames += p->at[d][c].peak.frames;
		}
	a->frames += p->total[0].all.frames + p->total[1].all.frames;
	a->octets += p->total[0].all.octets + p->total[1].all.octets;
}

static void books_break(struct audit_member *m, enum frame_rule rule, uint64_t frames, int64_t first)
{
	m->rules[rule] = (struct audit_ruling){AUDIT_FAIL, frames, first, first + 300 * BOOKS_SEC, 0};
	m->pass = false;
}

static void books_member(struct books *b, struct audit *a, unsigned i)
{
	struct audit_member *m = &a->members[i];

	m->member = &b->registry.members[i];
	m->pass = true;
	if (i % BOOKS_NAMES == 4)
		return;
	m->sent = (struct audit_count){149000 + 11 * i, 61000000};
	m->group = (struct audit_count){61000 + 7 * i, 3660000};
	for (int k = 1; k < RULE_COUNT; k++)
		m->rules[k].verdict = AUDIT_PASS;
	switch (i % BOOKS_NAMES) {
	case 1:
		books_break(m, RULE_DISCOVERY, 14, a->first_ns + 12 * BOOKS_SEC);
		books_break(m, RULE_STP, 200, a->first_ns + 2 * BOOKS_SEC);
		break;
	case 3:
		books_break(m, RULE_PROXY_ARP, 1204551, a->first_ns + 40 * BOOKS_SEC);
		break;
	case 10:
		for (int k = 1; k < RULE_COUNT; k++)
			books_break(m, (enum frame_rule)k, 3u * (unsigned)k, a->first_ns + k * BOOKS_SEC);
		break;
	}
}

static void books_sender(struct books *b, struct audit *a, unsigned i)
{
	struct audit_sender *s = &a->senders[i];
	bool stranger = i == b->registry.port_count;

	s->mac = stranger ? (struct mac){{0x06, 0xde, 0xad, 0xbe, 0xef, 0x01}} : books_mac(i);
	s->registered = stranger ? NULL : &b->registry.ports[i];
	s->port = stranger ? 2 : i;
	s->at[CLASS_ARP_REQUEST].frames = 400000 / (i + 1);
	s->at[CLASS_NS].frames = 130000 / (i + 2);
	s->at[CLASS_IP4_UNICAST].frames = 88000;
	s->group.frames = s->at[CLASS_ARP_REQUEST].frames + s->at[CLASS_NS].frames;
	s->group.octets = s->group.frames * 66;
	s->all.frames = s->group.frames + 88000;
	s->all.octets = s->group.octets + 88000ull * 650;
	s->first_ns = a->first_ns + i * BOOKS_SEC;
	s->last_ns = a->last_ns;
	if (i % BOOKS_NAMES == 1)
		s->broken[RULE_STP] = 200;
	if (stranger)
		s->broken[RULE_SOURCE_MAC] = s->all.frames;
}

static void books_targets(struct books *b, struct audit *a)
{
	a->target_count = 40;
	a->targets = calloc(a->target_count, sizeof(*a->targets));
	for (unsigned i = 0; i < a->target_count; i++) {
		struct audit_target *t = &a->targets[i];
		t->kind = i % 5 == 1 ? AUDIT_DEAD : i % 5 == 3 ? AUDIT_UNASSIGNED : i == 37 ? AUDIT_FOREIGN : AUDIT_ASSIGNED;
		t->ip = i % 4 == 2 ? books_ip6(i + 1) : books_ip(t->kind == AUDIT_UNASSIGNED ? 500 + i : i + 1);
		t->registered = t->kind == AUDIT_DEAD ? &b->registry.ports[4 % b->registry.port_count] :
				t->kind == AUDIT_ASSIGNED ? &b->registry.ports[i % b->registry.port_count] : NULL;
		if (t->ip.family == 6)
			t->ns = 90000 / (i + 1);
		else
			t->arp = 300000 / (i + 1);
		t->syn = t->kind == AUDIT_DEAD ? 60 : 0;
		t->caller_count = 1 + i % AUDIT_CALLERS;
		for (uint32_t k = 0; k < t->caller_count; k++) {
			t->callers[k].mac = books_mac(k * 3 % (unsigned)b->registry.port_count);
			t->callers[k].calls = (t->arp + t->ns) / (2 * (k + 1));
		}
		t->more_calls = i % 3 ? 0 : 17;
	}
	a->targets_more = 12;
}

static void books_findings(struct audit *a)
{
	static const struct audit_finding some[] = {
		{AUDIT_DUPLICATE_IP, {4, {198, 18, 0, 2}}, {{2, 0, 0x5e, 0, 0, 1}}, {{2, 0, 0x5e, 0, 0, 9}}, 1, 44,
			BOOKS_START + 5 * BOOKS_SEC, BOOKS_START + 95 * BOOKS_SEC},
		{AUDIT_SPOOF_MAC, {0}, {{6, 0xde, 0xad, 0xbe, 0xef, 1}}, {{0}}, 2, 99112, BOOKS_START + 9 * BOOKS_SEC,
			BOOKS_START + 399 * BOOKS_SEC},
		{AUDIT_SPOOF_IP, {4, {198, 18, 1, 200}}, {{2, 0, 0x5e, 0, 0, 10}}, {{0}}, 10, 3,
			BOOKS_START + 11 * BOOKS_SEC, BOOKS_START + 12 * BOOKS_SEC},
		{AUDIT_PROXY_ARP, {4, {198, 18, 0, 77}}, {{2, 0, 0x5e, 0, 0, 3}}, {{0}}, 3, 1204551,
			BOOKS_START + 40 * BOOKS_SEC, BOOKS_START + 340 * BOOKS_SEC},
		{AUDIT_WRONG_MASK, {4, {198, 19, 200, 1}}, {{2, 0, 0x5e, 0, 0, 10}}, {{0}}, 10, 17,
			BOOKS_START + 60 * BOOKS_SEC, BOOKS_START + 61 * BOOKS_SEC},
	};

	a->finding_count = sizeof(some) / sizeof(some[0]);
	a->findings = malloc(sizeof(some));
	memcpy(a->findings, some, sizeof(some));
}

static void books_audit(struct books *b, struct audit *a, int64_t start, double share, int loud)
{
	size_t count = b->registry.port_count;

	a->registry = &b->registry;
	a->first_ns = start;
	a->last_ns = start + BOOKS_SECONDS * BOOKS_SEC;
	a->cut = 3;
	a->vxlan = 1200;
	a->ports = calloc(count, sizeof(*a->ports));
	a->port_count = count;
	for (unsigned i = 0; i < count; i++)
		books_port(b, a, i, (int)i == loud ? 0.004 : share);
	a->member_count = count + 1;
	a->members = calloc(a->member_count, sizeof(*a->members));
	for (unsigned i = 0; i < count; i++)
		books_member(b, a, i);
	a->members[count].sent.frames = 99112;
	books_break(&a->members[count], RULE_SOURCE_MAC, 99112, start + 9 * BOOKS_SEC);
	a->sender_count = count + 1;
	a->senders = calloc(a->sender_count, sizeof(*a->senders));
	for (unsigned i = 0; i < a->sender_count; i++)
		books_sender(b, a, i);
	books_targets(b, a);
	books_findings(a);
}

static void books_registry(struct books *b, unsigned count)
{
	struct registry *r = &b->registry;

	r->members = calloc(count, sizeof(*r->members));
	r->ports = calloc(count, sizeof(*r->ports));
	r->member_count = r->port_count = count;
	for (unsigned i = 0; i < count; i++) {
		const char *name = books_names[i % BOOKS_NAMES];
		r->members[i].asn = BOOKS_ASN + i;
		r->members[i].name = calloc(1, 301);
		if (name)
			snprintf(r->members[i].name, 301, "%s", name);
		else
			memset(r->members[i].name, 'W', 300);
		struct registry_port *p = &r->ports[i];
		snprintf(p->port, sizeof(p->port), "swp%u", i + 1);
		p->macs[0] = books_mac(i);
		p->mac_count = 1;
		p->ips[0] = books_ip(i + 1);
		p->ips[1] = books_ip6(i + 1);
		p->ip_count = 2;
		p->speed_mbps = 10000;
		p->member = i;
	}
}

static struct compare_cell books_cell(const struct audit_port *p, enum frame_class cls)
{
	struct audit_count c = cls == CLASS_COUNT ? (struct audit_count){p->flood.all.frames + p->stray.all.frames,
							   p->flood.all.octets + p->stray.all.octets}
						  : p->at[AUDIT_RECEIVED][cls].all;

	return (struct compare_cell){(double)c.frames / BOOKS_SECONDS, (double)c.octets * 8 / BOOKS_SECONDS,
		(double)(cls == CLASS_COUNT ? p->flood : p->at[AUDIT_RECEIVED][cls]).peak.frames};
}

static void books_compare(struct books *b)
{
	struct compare *c = &b->compare;

	c->rows = calloc(b->before.port_count * (BOOKS_FLOOD + 1), sizeof(*c->rows));
	c->pass = true;
	for (size_t i = 0; i < b->before.port_count; i++)
		for (size_t k = 0; k <= BOOKS_FLOOD; k++) {
			struct compare_row *row = &c->rows[c->row_count++];
			row->cls = k ? books_flood[k - 1].cls : CLASS_COUNT;
			snprintf(row->port, sizeof(row->port), "%s", b->before.ports[i].name);
			row->before = books_cell(&b->before.ports[i], row->cls);
			row->after = books_cell(&b->after.ports[i], row->cls);
			row->suppressed = row->after.fps > 0 ? 1 - row->after.fps / row->before.fps : 1;
			row->pass = !(row->after.fps > 0);
			c->pass = c->pass && row->pass;
		}
}

/* `count` ports, one a member. `loud`: the index of a port that still hears something after; -1: none. */
static inline struct books *books_new(unsigned count, int loud)
{
	struct books *b = calloc(1, sizeof(*b));

	b->seed = 1;
	books_registry(b, count);
	books_audit(b, &b->before, BOOKS_START, 1, -1);
	books_audit(b, &b->after, BOOKS_START + 3600 * BOOKS_SEC, 0, loud);
	books_compare(b);
	return b;
}

static void books_free_audit(struct audit *a)
{
	for (size_t i = 0; i < a->port_count; i++)
		free(a->ports[i].series.at);
	free(a->ports);
	free(a->members);
	free(a->senders);
	free(a->targets);
	free(a->findings);
}

static inline void books_free(struct books *b)
{
	books_free_audit(&b->before);
	books_free_audit(&b->after);
	for (size_t i = 0; i < b->registry.member_count; i++)
		free(b->registry.members[i].name);
	free(b->registry.members);
	free(b->registry.ports);
	free(b->compare.rows);
	free(b);
}
