/* The choice: where a MAC is, and whose an IP is, among all PEs' routes and our own claim.
 *
 * MACs: RFC 7432 section 15 (wire rule N17), across RDs. Our own claim stands against remote ones
 * as theirs among each other, with what the RFC says of the loser: it withdraws. It stays
 * remembered, for the day the winner withdraws. A MAC that is frozen stays where it is (lan_moves.c).
 *
 * Sequences are compared as numbers, so that a lower one after a withdrawal is legal, and so that we
 * agree with PEs that know no better. They come round only where they have to: what follows the last
 * of all is 0, said in so many words (a claim without the community is a first one, not one that came
 * round). And only while a claim near the end is among those of a MAC, those near the beginning that
 * are said count as later. Since that is decided for all claims of a MAC together, their order stays
 * one without circles, the same for all who know the same claims. It is alarmed: no MAC moves 2^32
 * times. Of one RD's claims, evpn/family.c compares plainly.
 *
 * IPs: RFC 9047 section 3.2 and RFC 9161 section 3.2 and 3.7. Our own immutable (provisioned)
 * binding, then immutable ones, then any; the latest where the MACs differ; where they are the
 * same, the place of the MAC decides. Both of two MACs that have one IP stay announced: if each PE
 * gave way to the other, they would do so in turns for ever.
 */
#include "evpn/lan_table.h"

/* --- MACs --- */

static bool is_sticky(const struct remote *r)
{
	return r->flags & LAN_STICKY;
}

static bool is_stale(const struct remote *r)
{
	return r->flags & LAN_STALE;
}

/* How near to the end and the beginning a sequence has to be to have come round. */
#define WRAP_NEAR 256

static uint64_t rank(const struct lan_mac *m, uint32_t seq, bool tagged)
{
	return m->wraps && tagged && seq < WRAP_NEAR ? seq + (1ULL << 32) : seq;
}

static bool near_the_end(uint32_t seq)
{
	return seq > UINT32_MAX - WRAP_NEAR;
}

static bool wraps(const struct lan_mac *m)
{
	const struct remote *r;

	LIST_FOREACH (r, &m->remotes, of_mac)
		if (!is_sticky(r) && near_the_end(r->seq))
			return true;
	return m->standing && near_the_end(m->seq);
}

static bool better_remote(const struct remote *a, const struct remote *b)
{
	uint64_t rank_a = rank(a->mac, a->seq, a->tagged), rank_b = rank(b->mac, b->seq, b->tagged);

	if (is_sticky(a) != is_sticky(b))
		return is_sticky(a);
	if (rank_a != rank_b)
		return rank_a > rank_b;
	if (is_stale(a) != is_stale(b))
		return is_stale(b);
	return ip_cmp(a->vtep, b->vtep) < 0;
}

/* Of those behind `place`, unless its family is 0. */
static const struct remote *best_remote(const struct lan_mac *m, struct ip place)
{
	const struct remote *r, *best = NULL;

	LIST_FOREACH (r, &m->remotes, of_mac) {
		if (place.family && !ip_eq(r->vtep, place))
			continue;
		if (!best || better_remote(r, best))
			best = r;
	}
	return best;
}

static bool same_segment(const struct esi *a, const struct esi *b)
{
	return !esi_is_zero(*a) && memcmp(a, b, sizeof(*a)) == 0;
}

static bool sticky_twice(const struct lan_mac *m, const struct remote *best)
{
	const struct remote *r;

	LIST_FOREACH (r, &m->remotes, of_mac)
		if (is_sticky(r) && is_sticky(best) && !ip_eq(r->vtep, best->vtep) &&
			!same_segment(&r->esi, &best->esi))
			return true;
	return false;
}

/* Our dynamic claim against the best remote one. */
static bool claim_holds(const struct lan *lan, const struct lan_mac *m, const struct remote *r)
{
	uint64_t ours = rank(m, m->seq, m->tagged || m->seq), theirs = rank(m, r->seq, r->tagged);

	return ours != theirs ? ours > theirs : ip_cmp(lan->config.vtep, r->vtep) < 0;
}

static void choose_standing(const struct lan *lan, struct lan_mac *m, const struct remote *r,
	struct ip frozen, bool claim)
{
	bool was = m->standing;

	if (LIST_EMPTY(&m->locals)) {
		m->standing = false;
		m->seq = 0;
		m->tagged = false;
		return;
	}
	if (m->sticky) {
		m->standing = true;
		m->seq = 0; /* section 15.2 */
		m->tagged = false;
	} else if (frozen.family) {
		m->standing = was && ip_eq(frozen, lan->config.vtep);
	} else if (!r) {
		m->standing = true;
	} else if (is_sticky(r)) {
		m->standing = false;
	} else if (was && claim_holds(lan, m, r)) {
		m->standing = true;
	} else if (claim) {
		m->seq = r->seq + 1;
		m->tagged = m->seq == 0;
		m->standing = claim_holds(lan, m, r);
	} else {
		m->standing = false;
	}
	/* What is remembered goes out with the sequence of what beat it, not with more: the winner
	 * may have withdrawn because the MAC was seen at a third PE, whose claim is one more and
	 * still on its way. */
	if (!m->standing && r) {
		m->seq = r->seq;
		m->tagged = m->wraps && r->tagged && !is_sticky(r);
	}
}

static const char *mac_trouble(const struct lan_mac *m, const struct remote *r)
{
	bool ours = !LIST_EMPTY(&m->locals);

	if (!r)
		return NULL;
	if (ours && m->sticky)
		return is_sticky(r) ? "a MAC is sticky here and behind another PE"
				    : "another PE claims a MAC that is sticky here";
	if (ours && is_sticky(r))
		return "a MAC that is sticky behind another PE is also here";
	if (sticky_twice(m, r))
		return "a MAC is sticky behind two PEs";
	return m->wraps ? "a MAC's mobility sequence is at its end" : NULL;
}

static bool entry_eq(const struct lan_entry *a, const struct lan_entry *b)
{
	return mac_eq(a->mac, b->mac) && ip_eq(a->ip, b->ip) && a->local == b->local &&
	       ip_eq(a->vtep, b->vtep) && a->flags == b->flags && a->seq == b->seq &&
	       a->vni == b->vni;
}

static bool same_place(const struct lan_entry *a, const struct lan_entry *b)
{
	return a->local == b->local && ip_eq(a->vtep, b->vtep);
}

static bool is_told_sticky(const struct lan_mac *m)
{
	return m->told && (m->best.flags & LAN_STICKY);
}

static void tell_mac(struct lan *lan, struct lan_mac *m, const struct lan_entry *best)
{
	const struct lan_hooks *h = &lan->all->hooks;

	if (best ? m->told && entry_eq(best, &m->best) : !m->told)
		return;
	bool was_sticky = is_told_sticky(m),
	     elsewhere = m->told && (!best || !same_place(best, &m->best));
	if (best && elsewhere)
		lan->moves++;
	m->told = best != NULL;
	m->best = best ? *best : (struct lan_entry){0};
	lan->sticky_count += is_told_sticky(m);
	lan->sticky_count -= was_sticky;
	if (h->mac_changed)
		h->mac_changed(h->arg, lan, m->mac, best ? &m->best : NULL);
	if (elsewhere || (was_sticky && !is_told_sticky(m)))
		lan_reconsider(lan, m);
}

/* Where a frozen MAC is as long as somebody there announces it; after that it is free to go to the next. */
static struct ip frozen_place(struct lan *lan, const struct lan_mac *m, struct lan_moves *frozen)
{
	static const struct ip anywhere;

	if (!frozen || !frozen->place.family)
		return anywhere;
	bool ours = ip_eq(frozen->place, lan->config.vtep);
	if (ours ? m->standing && !LIST_EMPTY(&m->locals) : best_remote(m, frozen->place) != NULL)
		return frozen->place;
	lan_frozen_at(lan, frozen, anywhere);
	return anywhere;
}

/* A move (RFC 7432 section 15.1) is told by its sequence. */
static bool has_moved(const struct lan_mac *m, const struct lan_entry *best, bool tagged)
{
	return m->told && !same_place(best, &m->best) &&
	       rank(m, best->seq, tagged) > rank(m, m->best.seq, m->best_tagged);
}

static struct lan_entry entry_of(
	const struct lan *lan, const struct lan_mac *m, const struct remote *r)
{
	if (m->standing)
		return (struct lan_entry){.mac = m->mac,
			.local = true,
			.vtep = lan->config.vtep,
			.flags = m->sticky ? LAN_STICKY : 0,
			.seq = m->seq,
			.vni = lan->config.vni};
	return (struct lan_entry){.mac = m->mac,
		.vtep = r->vtep,
		.flags = r->flags & (LAN_STICKY | LAN_STALE),
		.seq = r->seq,
		.vni = r->vni};
}

static void choose_best(
	struct lan *lan, struct lan_mac *m, const struct remote *r, struct lan_moves *frozen)
{
	static const struct esi none;

	if (!m->standing && !r) {
		tell_mac(lan, m, NULL);
		return;
	}
	struct lan_entry best = entry_of(lan, m, r);
	bool tagged = m->standing ? m->seq || m->tagged : r->tagged;
	bool duplicate = frozen != NULL;
	if (duplicate)
		lan_frozen_at(lan, frozen, best.vtep);
	else if (has_moved(m, &best, tagged))
		duplicate = lan_moved(lan, m->mac, best.vtep);
	if (duplicate)
		best.flags |= LAN_DUPLICATE;
	m->best_tagged = tagged;
	m->esi = m->standing ? none : r->esi;
	tell_mac(lan, m, &best);
}

void lan_choose_mac(struct lan *lan, struct lan_mac *m, bool claim)
{
	static const struct ip no_ip;
	struct lan_moves *frozen = lan_frozen(lan, m->mac);
	const struct remote *r;
	const struct local *l;

	m->sticky = false;
	LIST_FOREACH (l, &m->locals, of_mac)
		m->sticky = m->sticky || (l->flags & LAN_STICKY);
	m->wraps = wraps(m);
	struct ip place = frozen_place(lan, m, frozen);
	r = best_remote(m, ip_eq(place, lan->config.vtep) ? no_ip : place);
	choose_standing(lan, m, r, place, claim);
	const char *trouble = mac_trouble(m, r);
	if (trouble && trouble != m->contested)
		lan_alarm(lan, trouble, m->mac, no_ip, r->vtep);
	m->contested = trouble;
	choose_best(lan, m, r, frozen);
	LIST_FOREACH (r, &m->remotes, of_mac)
		if (r->ip)
			lan_choose_ip(lan, r->ip);
	LIST_FOREACH (l, &m->locals, of_mac)
		if (l->ip)
			lan_choose_ip(lan, l->ip);
	lan_originate_mac(lan, m);
	lan_mac_put(lan, m);
}

/* --- IPs --- */

static bool is_immutable(uint8_t flags)
{
	return flags & LAN_IMMUTABLE;
}

/* The MAC that has the IP: of our own immutable binding, of the latest immutable one, of the
 * latest. */
static const struct lan_mac *choose_owner(
	const struct lan_ip *i, const struct local *l, bool *ret_immutable)
{
	const struct remote *r, *latest = NULL;

	*ret_immutable = l && is_immutable(l->flags);
	if (*ret_immutable)
		return l->mac;
	LIST_FOREACH (r, &i->remotes, of_ip) {
		if (latest && is_immutable(latest->flags) > is_immutable(r->flags))
			continue;
		if (!latest || is_immutable(r->flags) > is_immutable(latest->flags) ||
			r->serial > latest->serial)
			latest = r;
	}
	if (!latest)
		return l ? l->mac : NULL;
	*ret_immutable = is_immutable(latest->flags);
	return l && !*ret_immutable && l->serial > latest->serial ? l->mac : latest->mac;
}

/* A frozen MAC's where that one is, if it can be. */
static bool better_binding(
	const struct remote *a, const struct remote *b, const struct lan_moves *frozen)
{
	if (frozen && ip_eq(a->vtep, frozen->place) != ip_eq(b->vtep, frozen->place))
		return ip_eq(a->vtep, frozen->place);
	return better_remote(a, b);
}

static const struct remote *best_of_owner(
	const struct lan *lan, const struct lan_ip *i, const struct lan_mac *owner)
{
	const struct lan_moves *frozen = lan_frozen(lan, owner->mac);
	const struct remote *r, *best = NULL;

	LIST_FOREACH (r, &i->remotes, of_ip)
		if (r->mac == owner && (!best || better_binding(r, best, frozen)))
			best = r;
	return best;
}

/* RFC 9161 section 3.7, RFC 9047 section 3.2: two MACs for one IP. */
static const char *ip_trouble(
	const struct lan_ip *i, const struct local *l, const struct lan_mac *owner)
{
	const struct remote *r;
	unsigned others = 0, others_immutable = 0;
	bool owner_immutable = l && l->mac == owner && is_immutable(l->flags);

	LIST_FOREACH (r, &i->remotes, of_ip) {
		if (r->mac == owner) {
			owner_immutable = owner_immutable || is_immutable(r->flags);
		} else {
			others++;
			others_immutable += is_immutable(r->flags);
		}
	}
	others += l && l->mac != owner;
	if (!others)
		return NULL;
	if (others_immutable && owner_immutable)
		return "an IP is bound to two MACs, both immutably";
	return owner_immutable ? "an immutable binding's IP is claimed by another MAC"
			       : "an IP is bound to two MACs";
}

static bool is_withheld(const struct lan_ip *i, const struct local *l)
{
	const struct remote *r;

	if (is_immutable(l->flags))
		return false;
	LIST_FOREACH (r, &i->remotes, of_ip)
		if (r->mac != l->mac && is_immutable(r->flags))
			return true;
	return false;
}

static void tell_ip(struct lan *lan, struct lan_ip *i, const struct lan_entry *best)
{
	const struct lan_hooks *h = &lan->all->hooks;

	if (best ? i->told && entry_eq(best, &i->best) : !i->told)
		return;
	i->told = best != NULL;
	i->best = best ? *best : (struct lan_entry){0};
	if (h->binding_changed)
		h->binding_changed(h->arg, lan, i->ip, best ? &i->best : NULL);
}

void lan_choose_ip(struct lan *lan, struct lan_ip *i)
{
	/* A binding to a MAC that has moved away is only remembered. */
	const struct local *l = i->local && i->local->mac->standing ? i->local : NULL;
	bool immutable;
	const struct lan_mac *owner = choose_owner(i, l, &immutable);
	const struct remote *r = owner ? best_of_owner(lan, i, owner) : NULL;
	const char *trouble = owner ? ip_trouble(i, l, owner) : NULL;
	struct lan_entry best = {.ip = i->ip};

	if (trouble && trouble != i->contested)
		lan_alarm(lan, trouble, owner->mac, i->ip, r ? r->vtep : lan->config.vtep);
	i->contested = trouble;
	if (owner)
		best.mac = owner->mac;
	if (l && l->mac == owner) {
		best.local = true;
		best.vtep = lan->config.vtep;
		best.flags = l->flags;
		best.seq = owner->seq;
		best.vni = lan->config.vni;
	} else if (r) {
		best.vtep = r->vtep;
		best.flags = r->flags | (immutable ? LAN_IMMUTABLE : 0);
		best.seq = r->seq;
		best.vni = r->vni;
	}
	tell_ip(lan, i, owner ? &best : NULL);
	if (i->local) {
		i->local->withheld = is_withheld(i, i->local);
		lan_originate_local(lan, i->local);
	}
	lan_ip_put(lan, i);
}
