/* What is odd beyond a rule's frames: who spoke for an address that another spoke for, too, and who answers for others. */
#include <stdlib.h>
#include <string.h>

#include "audit/state.h"
#include "lib/siphash.h"

/* Without a registry a router may have several addresses of its own; of so many it answers for others. */
#define PROXY_WITHOUT_REGISTRY 4
#define PROXY 2

static uint64_t hash_of(const void *key, size_t len)
{
	return siphash(siphash_process_key(), key, len);
}

static bool speaker_eq(const void *entry, const void *key)
{
	return ip_eq(((const struct audit_speaker *)entry)->ip, *(const struct ip *)key);
}

static bool finding_eq(const void *entry, const void *key)
{
	return memcmp(&((const struct audit_finding_row *)entry)->key, key, sizeof(struct audit_finding_key)) == 0;
}

void audit_findings_init(struct audit_state *st)
{
	hmap_init(&st->speakers, speaker_eq);
	hmap_init(&st->findings, finding_eq);
}

static void free_entries(struct hmap *m)
{
	void *e;

	hmap_foreach (m, e)
		free(e);
	hmap_free(m);
}

void audit_findings_free(struct audit_state *st)
{
	free_entries(&st->speakers);
	free_entries(&st->findings);
}

static struct audit_finding_key key_of(const struct audit_passage *p, enum audit_finding_kind kind, struct ip ip,
	struct mac mac, struct mac other)
{
	struct audit_finding_key k;

	memset(&k, 0, sizeof(k));
	k.kind = (uint8_t)kind;
	memcpy(k.mac, mac.b, 6);
	memcpy(k.other, other.b, 6);
	k.port = (uint16_t)(kind == AUDIT_SPOOF_MAC ? p->port : 0);
	/* Of these the first address stands for all. */
	if (kind != AUDIT_PROXY_ARP && kind != AUDIT_WRONG_MASK) {
		k.family = ip.family;
		memcpy(k.ip, ip.b, 16);
	}
	return k;
}

static struct audit_finding *finding_of(struct audit_passage *p, enum audit_finding_kind kind, struct ip ip,
	struct mac mac, struct mac other)
{
	struct audit_state *st = p->a->state;
	struct audit_finding_key k = key_of(p, kind, ip, mac, other);
	uint64_t hash = hash_of(&k, sizeof(k));
	struct audit_finding_row *row = hmap_get(&st->findings, hash, &k);

	if (row)
		return &row->f;
	row = st->findings.count < st->max_findings ? calloc(1, sizeof(*row)) : NULL;
	if (!row || hmap_add(&st->findings, hash, row) < 0) {
		free(row);
		p->a->findings_more++;
		return NULL;
	}
	row->key = k;
	row->f = (struct audit_finding){
		.kind = kind, .ip = ip, .mac = mac, .other = other, .port = p->port, .first_ns = p->ns};
	return &row->f;
}

void audit_find(struct audit_passage *p, enum audit_finding_kind kind, struct ip ip, struct mac other)
{
	struct mac mac = p->f.src;

	/* The two of a duplicate in one order, whoever spoke last. */
	if (kind == AUDIT_DUPLICATE_IP && memcmp(mac.b, other.b, 6) > 0) {
		mac = other;
		other = p->f.src;
	}
	struct audit_finding *f = finding_of(p, kind, ip, mac, other);
	if (!f)
		return;
	f->count++;
	f->last_ns = p->ns;
}

bool audit_is_his(const struct audit_passage *p, struct ip ip)
{
	struct audit_state *st = p->a->state;
	const struct layout_bind *b = ip.family == 4 ? tables_bind4(&st->tables, AUDIT_LAN, ip.b)
						      : tables_bind6(&st->tables, AUDIT_LAN, ip.b);

	return b && p->sender && p->sender->place == b->ifindex;
}

static void answers_for(struct audit_passage *p, struct ip ip)
{
	struct audit_sender_row *row = p->sender;

	if (!row || row->exchange_own || (ip.family == 6 && ip_is_link_local(ip)) || audit_is_his(p, ip))
		return;
	if (!row->answered)
		row->answered = calloc(1, sizeof(*row->answered));
	if (!row->answered)
		return;
	struct audit_answered *l = row->answered;
	uint32_t i = 0;
	while (i < l->count && !ip_eq(l->ips[i], ip))
		i++;
	if (i == l->count && l->count < AUDIT_ANSWERED_MAX)
		l->ips[l->count++] = ip;
	if (l->count < (p->a->registry ? PROXY : PROXY_WITHOUT_REGISTRY))
		return;
	struct audit_finding *f = finding_of(p, AUDIT_PROXY_ARP, l->ips[0], p->f.src, (struct mac){{0}});
	if (!f)
		return;
	f->count = l->count;
	f->last_ns = p->ns;
}

static void heard(struct audit_passage *p, struct ip ip)
{
	struct audit_state *st = p->a->state;
	struct audit_speaker *s = p->sender ? p->sender->spoke : NULL;
	uint32_t place = p->sender ? p->sender->place : 0;

	if (s && ip_eq(s->ip, ip) && mac_eq(s->mac, p->f.src))
		return;
	uint64_t hash = hash_of(&ip, sizeof(ip));
	s = hmap_get(&st->speakers, hash, &ip);
	if (!s) {
		s = st->speakers.count < st->max_targets ? calloc(1, sizeof(*s)) : NULL;
		if (!s || hmap_add(&st->speakers, hash, s) < 0) {
			free(s);
			return;
		}
		s->ip = ip;
	} else if (!mac_eq(s->mac, p->f.src) && !(place && place == s->place)) {
		audit_find(p, AUDIT_DUPLICATE_IP, ip, s->mac);
	}
	s->mac = p->f.src;
	s->place = place;
	if (p->sender)
		p->sender->spoke = s;
}

/* The exchange may answer for others, and nobody is heard in what he does not say of himself. */
void audit_speaks(struct audit_passage *p)
{
	const struct frame *f = &p->f;
	bool na = frame_is_na(f);
	struct ip ip = na ? f->target : f->sender;

	if (!(na || frame_is_arp(f)) || !ip.family || ip_is_unspecified(ip) || f->mismatch ||
		!mac_is_host(f->src) || (p->sender && p->sender->exchange_own))
		return;
	heard(p, ip);
	if (f->cls == CLASS_ARP_REPLY || f->cls == CLASS_ARP_REPLY_BCAST || f->cls == CLASS_NA)
		answers_for(p, ip);
}

static int by_kind(const void *x, const void *y)
{
	const struct audit_finding *a = x, *b = y;

	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	if (a->count != b->count)
		return a->count < b->count ? 1 : -1;
	int d = memcmp(a->mac.b, b->mac.b, 6);
	return d ? d : ip_cmp(a->ip, b->ip);
}

void audit_findings_close(struct audit *a)
{
	struct audit_finding_row *row;

	free(a->findings);
	a->finding_count = 0;
	a->findings = calloc(a->state->findings.count + 1, sizeof(*a->findings));
	if (!a->findings)
		return;
	hmap_foreach (&a->state->findings, row)
		a->findings[a->finding_count++] = row->f;
	qsort(a->findings, a->finding_count, sizeof(*a->findings), by_kind);
}
