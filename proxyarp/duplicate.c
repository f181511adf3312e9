/* One address, two hosts: duplicate IP detection, RFC 9161 section 3.7. It is about what was learned here and what other PEs
 * learned; who is in the registry, or announced by another PE as immutable, is not subject to it.
 *
 *   calm      one MAC has the address. Another claims it:
 *               the owner is behind one of our ports    asked, and the claim waits
 *               the owner is another PE's               a move; that PE asks, when our route reaches it
 *   asked     the owner: answers                        the claim is not true, or both are there: the rival is asked
 *                        is silent for confirm_sec      a move: the rival has it
 *             the rival: answers                        a move that failed: the owner is asked again
 *                        is silent                      the claim was not true; calm
 *   frozen    after N moves in M seconds. Not answered for, or with the anti-spoofing MAC, which quelld and members are told;
 *             neither frames nor other PEs change it, until the hold-down is over, the operator clears it, or the registry or
 *             an immutable route says whose it is
 *
 * Only a claim that is borne out counts as a move: stray frames, and a forger who does not keep at it, freeze nobody. One who does
 * cannot be told from a second host; the address is frozen then, as the RFC wants it, and the alarm names his port. A question is asked up to three times, since the data plane tells of one (MAC, address) once a second only.
 */
#include <errno.h>
#include <stdlib.h>

#include "proxyarp/binding_parts.h"

#define ASKS 3
#define ASK_AGAIN_MS 2000 /* then four times as long */

static bool is_on(const struct bindings *b, const struct binding *e)
{
	const struct binding_duplicate *c = &b->c.duplicate;

	/* Section 3.2.1: several MACs of one address are what anycast is about. */
	return c->action != DUPLICATE_IP_OFF && c->moves && !(b->c.anycast && e->ip.family == 6);
}

bool duplicate_is_frozen(const struct binding *e)
{
	return e->duplicate && e->duplicate->state == DUPLICATE_FROZEN;
}

void duplicate_free(struct bindings *b, struct binding *e)
{
	if (!e->duplicate)
		return;
	b->frozen -= duplicate_is_frozen(e);
	free(e->duplicate);
	e->duplicate = NULL;
}

/* No more than there are addresses: with a limit below that, who fills it with quarrels about his own would have the others'
 * unasked. NULL: out of memory. */
static struct duplicate *get(struct binding *e)
{
	if (!e->duplicate)
		e->duplicate = calloc(1, sizeof(*e->duplicate));
	return e->duplicate;
}

/* Who has it now, of what this is about. */
static struct station *owner_of(const struct bindings *b, const struct binding *e)
{
	struct layout_bind v;

	switch (binding_effective(b, e, &v)) {
	case SOURCE_DYNAMIC:
		return e->refs[REF_LEARNED].station;
	case SOURCE_EVPN:
		return e->evpn_immutable ? NULL : e->refs[REF_EVPN].station;
	default:
		return NULL;
	}
}

static void alarm(struct bindings *b, const struct binding *e, const char *what, struct mac mac)
{
	if (b->hooks.alarm)
		b->hooks.alarm(b->hooks.arg, what, e->duplicate->rival.ifindex, mac, e->ip);
}

static void freeze(struct bindings *b, struct binding *e)
{
	struct duplicate *d = e->duplicate;
	bool as_mac = mac_is_host(b->c.duplicate.as_mac);

	d->state = DUPLICATE_FROZEN;
	d->until_ms = b->now_ms + (uint64_t)b->c.duplicate.hold_down_sec * 1000;
	b->frozen++;
	alarm(b, e,
		as_mac ? "two hosts have this address: answered with the anti-spoofing MAC"
		       : "two hosts have this address: not answered for any more",
		d->rival.mac);
	if (as_mac)
		announce_binding(b->announce, e->ip, b->c.duplicate.as_mac, BIND_ROUTER, e->learned_on);
	binding_update(b, e, false);
}

/* True: that was one too many. */
static bool count_move(struct bindings *b, struct binding *e)
{
	const struct binding_duplicate *c = &b->c.duplicate;
	struct duplicate *d = e->duplicate;

	if (d->moves == 0 || b->now_ms - d->since_ms > (uint64_t)c->window_sec * 1000) {
		d->moves = 0;
		d->since_ms = b->now_ms;
	}
	b->stats.ip_moves++;
	if (++d->moves != c->moves)
		return false;
	b->stats.duplicates_found++;
	if (c->action == DUPLICATE_IP_FREEZE)
		return true;
	alarm(b, e, "two hosts have this address", d->rival.mac);
	d->moves = 0;
	return false;
}

static void ask_once(struct bindings *b, struct binding *e)
{
	struct duplicate *d = e->duplicate;
	const struct station *s = d->of_rival ? station_find(b, d->rival.mac) : e->refs[REF_LEARNED].station;
	uint32_t ifindex;

	d->asked_ms = b->now_ms;
	d->asks++;
	if (!s || station_place(s, &ifindex) != PLACE_PORT)
		return;
	b->stats.confirms++;
	binding_ask(b, ANNOUNCE_CONFIRM, ifindex, s->mac, e->ip);
}

static void ask(struct bindings *b, struct binding *e, bool of_rival)
{
	struct duplicate *d = e->duplicate;

	d->state = DUPLICATE_ASKED;
	d->of_rival = of_rival;
	d->asks = 0;
	d->until_ms = b->now_ms + (uint64_t)b->c.duplicate.confirm_sec * 1000;
	ask_once(b, e);
}

bool duplicate_claim(struct bindings *b, struct binding *e, const struct duplicate_claim *c)
{
	struct duplicate *d = e->duplicate;
	const struct station *owner = owner_of(b, e);
	uint32_t ifindex;

	if (duplicate_is_frozen(e))
		return false;
	if (!owner || mac_eq(owner->mac, c->mac) || !is_on(b, e))
		return true;
	if (d && d->state == DUPLICATE_ASKED && mac_eq(d->rival.mac, c->mac)) {
		/* Said again, or the answer. */
		if (d->of_rival)
			duplicate_heard(b, e, c->mac);
		return false;
	}
	if (d && d->state == DUPLICATE_ASKED && !d->of_rival) {
		/* A third one starts no new question, or claims that keep coming would keep the owner's time from running out. Who
		 * is here says it again; a route does not, so the claim is that PE's from now on. */
		if (!c->ifindex)
			d->rival = *c;
		return false;
	}
	d = get(e);
	if (!d)
		return false;
	d->rival = *c;
	d->told = false;
	if (b->c.duplicate.confirm_sec && owner == e->refs[REF_LEARNED].station &&
		station_place(owner, &ifindex) == PLACE_PORT) {
		ask(b, e, false);
		return false;
	}
	if (!count_move(b, e))
		return true;
	freeze(b, e);
	return false;
}

void duplicate_heard(struct bindings *b, struct binding *e, struct mac mac)
{
	struct duplicate *d = e->duplicate;
	const struct station *owner = e->refs[REF_LEARNED].station;

	if (!d || d->state != DUPLICATE_ASKED)
		return;
	if (!d->of_rival && owner && mac_eq(owner->mac, mac)) {
		if (!d->told)
			alarm(b, e, "an address is claimed, but its owner answers for it", d->rival.mac);
		d->told = true;
		if (d->rival.ifindex) {
			ask(b, e, true);
			return;
		}
		/* The other PE's member cannot be asked from here. */
		d->state = DUPLICATE_CALM;
	} else if (!d->of_rival || !mac_eq(d->rival.mac, mac)) {
		return;
	}
	if (count_move(b, e))
		freeze(b, e);
	else if (d->of_rival)
		ask(b, e, false);
}

/* The owner is gone, or did not answer. */
static void yield(struct bindings *b, struct binding *e)
{
	struct duplicate *d = e->duplicate;
	struct binding_port_entry *p = bindings_port(b, d->rival.ifindex);
	struct station *s = station_find(b, d->rival.mac);
	bool counts = owner_of(b, e) != NULL;
	uint32_t ifindex;

	d->state = DUPLICATE_CALM;
	if (counts && count_move(b, e)) {
		freeze(b, e);
		return;
	}
	if (!d->rival.ifindex) {
		e->evpn_newer = e->refs[REF_EVPN].station != NULL;
		binding_update(b, e, false);
	} else if (p && s && station_place(s, &ifindex) == PLACE_PORT && ifindex == d->rival.ifindex) {
		binding_learned(b, p, s, e, d->rival.flags, d->rival.flooded);
	}
}

void duplicate_evpn_gone(struct bindings *b, struct binding *e)
{
	struct duplicate *d = e->duplicate;

	(void)b;
	if (d && d->state == DUPLICATE_ASKED && !d->rival.ifindex)
		d->state = DUPLICATE_CALM;
}

void duplicate_tick(struct bindings *b, struct binding *e)
{
	struct duplicate *d = e->duplicate;

	if (!d)
		return;
	switch (d->state) {
	case DUPLICATE_CALM:
		if (!d->moves || b->now_ms - d->since_ms > (uint64_t)b->c.duplicate.window_sec * 1000)
			duplicate_free(b, e);
		break;
	case DUPLICATE_ASKED:
		if (!e->refs[REF_LEARNED].station || (!d->of_rival && b->now_ms >= d->until_ms))
			yield(b, e);
		else if (b->now_ms >= d->until_ms)
			d->state = DUPLICATE_CALM;
		else if (d->asks < ASKS &&
			 b->now_ms - d->asked_ms >= (d->asks == 1 ? ASK_AGAIN_MS : 4 * ASK_AGAIN_MS))
			ask_once(b, e);
		break;
	case DUPLICATE_FROZEN:
		if (b->c.duplicate.hold_down_sec && b->now_ms >= d->until_ms)
			bindings_clear_duplicate(b, e->ip);
		break;
	}
}

bool duplicate_effective(const struct bindings *b, const struct binding *e, struct layout_bind *ret)
{
	const struct station *learned = e->refs[REF_LEARNED].station;

	if (!duplicate_is_frozen(e))
		return false;
	if (mac_is_host(b->c.duplicate.as_mac)) {
		memcpy(ret->mac, b->c.duplicate.as_mac.b, 6);
		ret->flags = BIND_SPONGE | BIND_ROUTER | BIND_OVERRIDE;
	} else {
		/* Where its owner is, so that his own frames are no forgeries. */
		if (learned && station_place(learned, &ret->ifindex) != PLACE_PORT)
			ret->ifindex = 0;
		memcpy(ret->mac, (learned ? learned->mac : e->duplicate->rival.mac).b, 6);
		ret->flags = BIND_SILENT;
	}
	return true;
}

int bindings_clear_duplicate(struct bindings *b, struct ip ip)
{
	struct binding *e = binding_find(b, ip);

	if (!e || !duplicate_is_frozen(e))
		return -ENOENT;
	duplicate_free(b, e);
	binding_update(b, e, false);
	return 0;
}
