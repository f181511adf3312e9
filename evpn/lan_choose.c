/* The choice: where a MAC is, and whose an IP is, among all PEs' routes and our own claim.
 *
 * MACs: RFC 7432 section 15 (wire rule N17), across RDs. Our own claim stands against remote ones
 * as theirs among each other, with what the RFC says of the loser: it withdraws. It stays
 * remembered, for the day the winner withdraws. The sequence is compared plainly; it never wraps,
 * since at its end our claim repeats the last number and the lower VTEP decides, with an alarm.
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

static bool better_remote(const struct remote *a, const struct remote *b)
{
	if (is_sticky(a) != is_sticky(b))
		return is_sticky(a);
	if (a->seq != b->seq)
		return a->seq > b->seq;
	if (is_stale(a) != is_stale(b))
		return is_stale(b);
	return ip_cmp(a->vtep, b->vtep) < 0;
}

static const struct remote *best_remote(const struct lan_mac *m)
{
	const struct remote *r, *best = NULL;

	LIST_FOREACH (r, &m->remotes, of_mac)
		if (!best || better_remote(r, best))
			best = r;
	return best;
}

static bool sticky_twice(const struct lan_mac *m, const struct remote *best)
{
	const struct remote *r;

	LIST_FOREACH (r, &m->remotes, of_mac)
		if (is_sticky(r) && is_sticky(best) && !ip_eq(r->vtep, best->vtep))
			return true;
	return false;
}

/* Our dynamic claim against the best remote one. */
static bool claim_holds(const struct lan *lan, const struct lan_mac *m, const struct remote *r)
{
	return m->seq != r->seq ? m->seq > r->seq : ip_cmp(lan->config.vtep, r->vtep) < 0;
}

static uint32_t after(uint32_t seq)
{
	return seq == UINT32_MAX ? UINT32_MAX : seq + 1;
}

static void choose_standing(
	const struct lan *lan, struct lan_mac *m, const struct remote *r, bool claim)
{
	const struct local *l;
	bool was = m->standing;

	m->sticky = false;
	LIST_FOREACH (l, &m->locals, of_mac)
		m->sticky = m->sticky || (l->flags & LAN_STICKY);
	if (LIST_EMPTY(&m->locals)) {
		m->standing = false;
		m->seq = 0;
		return;
	}
	if (m->sticky) {
		m->standing = true;
		m->seq = 0; /* section 15.2 */
	} else if (!r) {
		m->standing = true;
	} else if (is_sticky(r)) {
		m->standing = false;
	} else if (was && claim_holds(lan, m, r)) {
		m->standing = true;
	} else if (claim) {
		m->seq = after(r->seq);
		m->standing = claim_holds(lan, m, r);
	} else {
		m->standing = false;
	}
	/* What is remembered goes out with the sequence of what beat it, not with more: the winner
	 * may have withdrawn because the MAC was seen at a third PE, whose claim is one more and
	 * still on its way. */
	if (!m->standing && r)
		m->seq = r->seq;
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
	if (ours && !m->standing && r->seq == UINT32_MAX)
		return "a MAC's mobility sequence is exhausted";
	return NULL;
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

static void tell_mac(struct lan *lan, struct lan_mac *m, const struct lan_entry *best)
{
	const struct lan_hooks *h = &lan->all->hooks;

	if (best ? m->told && entry_eq(best, &m->best) : !m->told)
		return;
	if (best && m->told && !same_place(best, &m->best))
		lan->moves++;
	m->told = best != NULL;
	m->best = best ? *best : (struct lan_entry){0};
	if (h->mac_changed)
		h->mac_changed(h->arg, lan, m->mac, best ? &m->best : NULL);
}

void lan_choose_mac(struct lan *lan, struct lan_mac *m, bool claim)
{
	const struct remote *r = best_remote(m);
	struct lan_entry best = {.mac = m->mac};
	const struct local *l;

	choose_standing(lan, m, r, claim);
	const char *trouble = mac_trouble(m, r);
	if (trouble && trouble != m->contested)
		lan_alarm(lan, trouble, m->mac, (struct ip){0});
	m->contested = trouble;

	if (m->standing) {
		best.local = true;
		best.vtep = lan->config.vtep;
		best.flags = m->sticky ? LAN_STICKY : 0;
		best.seq = m->seq;
		best.vni = lan->config.vni;
	} else if (r) {
		best.vtep = r->vtep;
		best.flags = r->flags & (LAN_STICKY | LAN_STALE);
		best.seq = r->seq;
		best.vni = r->vni;
	}
	tell_mac(lan, m, m->standing || r ? &best : NULL);
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

static const struct remote *best_of_owner(const struct lan_ip *i, const struct lan_mac *owner)
{
	const struct remote *r, *best = NULL;

	LIST_FOREACH (r, &i->remotes, of_ip)
		if (r->mac == owner && (!best || better_remote(r, best)))
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
	const struct remote *r = owner ? best_of_owner(i, owner) : NULL;
	const char *trouble = owner ? ip_trouble(i, l, owner) : NULL;
	struct lan_entry best = {.ip = i->ip};

	if (trouble && trouble != i->contested)
		lan_alarm(lan, trouble, owner->mac, i->ip);
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
