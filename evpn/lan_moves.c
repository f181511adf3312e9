/* MACs that move too often (RFC 7432 section 15.1), and claims that are not to be believed.
 *
 * A move is a change of place with a higher sequence: that a PE withdraws, or comes back, is none. The first move opens
 * a book, which is closed when the window is over; the one that is once too often makes the MAC a duplicate. Then
 *
 *   freeze   the MAC stays behind the PE where it is now, for as long as that one announces it. The claims of others
 *            are not followed (lan_choose.c), and not to be passed on by a route server (lan_judge()). When the PE
 *            withdraws, the MAC goes to whom else announces it, and is frozen there; if nobody does, to the next.
 *   alarm    nothing but that.
 *
 * It ends by time or by the operator. Then, as whenever somebody's route was refused and the cause is gone, the import
 * policy is asked again. Books are limited in number. A MAC that has long been left by all gives way before no new
 * move can be written down.
 */
#include "evpn/lan_table.h"

#include <errno.h>
#include <stdlib.h>

static const struct ip no_ip;

static struct lan_moves *find(const struct lan *lan, struct mac mac)
{
	return hmap_get(&lan->books, lan_hash(&mac, sizeof(mac)), &mac);
}

struct lan_moves *lan_frozen(const struct lan *lan, struct mac mac)
{
	struct lan_moves *b = lan->frozen_count ? find(lan, mac) : NULL;

	return b && b->frozen ? b : NULL;
}

/* --- the books --- */

static void book_free(struct lan *lan, struct lan_moves *b)
{
	if (b->frozen) {
		TAILQ_REMOVE(&lan->frozen, b, of_lan);
		lan->frozen_count--;
		if (!b->place.family)
			TAILQ_REMOVE(&lan->left, b, of_left);
	} else {
		TAILQ_REMOVE(&lan->open, b, of_lan);
	}
	hmap_del(&lan->books, lan_hash(&b->mac, sizeof(b->mac)), &b->mac);
	free(b);
	lan->books_full = false;
}

void lan_moves_free(struct lan *lan)
{
	struct lan_moves *b;

	while ((b = TAILQ_FIRST(&lan->open)) != NULL || (b = TAILQ_FIRST(&lan->frozen)) != NULL)
		book_free(lan, b);
	hmap_free(&lan->books);
}

static bool is_over(const struct lan *lan, const struct lan_moves *b)
{
	return lan->all->now_ms - b->begun_ms >= 1000ULL * lan->config.dup_window_sec;
}

static bool make_room(struct lan *lan, struct mac mac)
{
	struct lan_moves *b = TAILQ_FIRST(&lan->open);

	if (lan->books.count < LAN_BOOKS_MAX)
		return true;
	if (!b)
		b = TAILQ_FIRST(&lan->left);
	if (b) {
		book_free(lan, b);
		return true;
	}
	if (!lan->books_full)
		lan_alarm(
			lan, "too many duplicate MACs: no more are looked for", mac, no_ip, no_ip);
	lan->books_full = true;
	return false;
}

static struct lan_moves *book_open(struct lan *lan, struct mac mac)
{
	struct lan_moves *b = make_room(lan, mac) ? calloc(1, sizeof(*b)) : NULL;

	if (!b)
		return NULL;
	b->mac = mac;
	b->begun_ms = lan->all->now_ms;
	if (hmap_add(&lan->books, lan_hash(&mac, sizeof(mac)), b) < 0) {
		free(b);
		return NULL;
	}
	TAILQ_INSERT_TAIL(&lan->open, b, of_lan);
	return b;
}

void lan_frozen_at(struct lan *lan, struct lan_moves *b, struct ip place)
{
	if (!b->place.family)
		TAILQ_REMOVE(&lan->left, b, of_left);
	b->place = place;
	if (!place.family)
		TAILQ_INSERT_TAIL(&lan->left, b, of_left);
}

static void freeze(struct lan *lan, struct lan_moves *b, struct ip place)
{
	TAILQ_REMOVE(&lan->open, b, of_lan);
	TAILQ_INSERT_TAIL(&lan->frozen, b, of_lan);
	lan->frozen_count++;
	b->frozen = true;
	b->frozen_ms = lan->all->now_ms;
	b->place = place;
}

bool lan_moved(struct lan *lan, struct mac mac, struct ip place)
{
	struct lan_moves *b;

	if (!lan->config.dup_moves)
		return false;
	while ((b = TAILQ_FIRST(&lan->open)) != NULL && is_over(lan, b))
		book_free(lan, b);
	b = find(lan, mac);
	if (!b)
		b = book_open(lan, mac);
	if (!b || b->frozen || ++b->count < lan->config.dup_moves || b->told)
		return false;
	b->told = true;
	lan->duplicates_found++;
	lan_alarm(lan,
		lan->config.dup_freeze ? "a duplicate MAC: it moves too often, and is frozen"
				       : "a duplicate MAC: it moves too often",
		mac, no_ip, place);
	if (lan->config.dup_freeze)
		freeze(lan, b, place);
	return b->frozen;
}

/* --- the end of it --- */

static void reconsider(struct lan *lan)
{
	if (lan->all->hooks.reconsider)
		lan->all->hooks.reconsider(lan->all->hooks.arg, lan);
}

void lan_reconsider(struct lan *lan, struct lan_mac *m)
{
	struct lan_moves *b = lan_frozen(lan, m->mac);

	if (!m->refused && !(b && b->refused))
		return;
	m->refused = false;
	if (b)
		b->refused = false;
	reconsider(lan);
}

static void thaw(struct lan *lan, struct lan_moves *b)
{
	struct lan_mac *m = lan_mac_find(lan, b->mac);
	bool refused = b->refused;

	book_free(lan, b);
	if (m)
		lan_choose_mac(lan, m, false);
	if (refused)
		reconsider(lan);
}

int lan_clear_duplicate(struct lan *lan, struct mac mac)
{
	struct lan_moves *b = lan_frozen(lan, mac);

	if (!b)
		return -ENOENT;
	thaw(lan, b);
	return 0;
}

void lan_moves_changed(struct lan *lan, const struct lan_config *was)
{
	struct lan_moves *b;

	TAILQ_FOREACH (b, &lan->frozen, of_lan)
		if (ip_eq(b->place, was->vtep))
			b->place = lan->config.vtep;
	while ((!lan->config.dup_freeze || !lan->config.dup_moves) &&
		(b = TAILQ_FIRST(&lan->frozen)) != NULL)
		thaw(lan, b);
}

static uint64_t thaws_at(const struct lan *lan)
{
	const struct lan_moves *first = TAILQ_FIRST(&lan->frozen);

	return first && lan->config.dup_recovery_sec
		       ? first->frozen_ms + 1000ULL * lan->config.dup_recovery_sec
		       : UINT64_MAX;
}

void lans_run(struct lans *ls, uint64_t now_ms)
{
	struct lan *lan;

	ls->now_ms = now_ms;
	STAILQ_FOREACH (lan, &ls->list, next)
		while (thaws_at(lan) <= now_ms)
			thaw(lan, TAILQ_FIRST(&lan->frozen));
}

uint64_t lans_deadline(const struct lans *ls)
{
	const struct lan *lan;
	uint64_t first = UINT64_MAX;

	STAILQ_FOREACH (lan, &ls->list, next)
		if (thaws_at(lan) < first)
			first = thaws_at(lan);
	return first;
}

/* --- what is not to be believed --- */

static const char *sticky_trouble(const struct lan_mac *m, bool sticky)
{
	if (m->best.local)
		return sticky ? "a MAC is sticky here and behind another PE"
			      : "another PE claims a MAC that is sticky here";
	return sticky ? "a MAC is sticky behind two PEs"
		      : "another PE claims a MAC that is sticky behind one";
}

bool lan_has_guards(const struct lan *lan)
{
	return lan->frozen_count || lan->sticky_count;
}

enum lan_verdict lan_judge(
	struct lan *lan, struct mac mac, const struct esi *esi, struct ip vtep, bool sticky)
{
	if (!lan_has_guards(lan))
		return LAN_FINE;
	struct lan_mac *m = lan_mac_find(lan, mac);
	/* Two PEs of one segment are one place. */
	if (m && m->told && !esi_is_zero(*esi) && memcmp(esi, &m->esi, sizeof(*esi)) == 0)
		return LAN_FINE;
	struct lan_moves *b = lan_frozen(lan, mac);
	if (b && b->place.family && !ip_eq(b->place, vtep)) {
		b->refused = true;
		return LAN_DUPLICATE_MAC;
	}
	if (!m || !m->told || (m->best.flags & (LAN_STICKY | LAN_STALE)) != LAN_STICKY ||
		ip_eq(m->best.vtep, vtep))
		return LAN_FINE;
	if (!m->refused)
		lan_alarm(lan, sticky_trouble(m, sticky), mac, no_ip, vtep);
	m->refused = true;
	return LAN_STICKY_MOVE;
}
