/* A LAN that goes, and one that becomes another while its routes and those who were told of it stay.
 *
 * What we originate is told anew before the old is withdrawn, so that with another RD there is no moment without
 * either; with another VNI, VTEP or route target the new route takes the old one's place by itself. What is imported is
 * not touched here: the caller lets the RIB's routes come again, and those that are not for this LAN any more fall out
 * then.
 */
#include "evpn/lan_table.h"

#include <errno.h>
#include <stdlib.h>

/* --- a LAN goes --- */

static void tell_gone(struct lan *lan)
{
	const struct lan_hooks *h = &lan->all->hooks;
	struct lan_vtep *v;
	struct lan_mac *m;
	struct lan_ip *i;

	hmap_foreach (&lan->ips, i)
		if (i->told && h->binding_changed)
			h->binding_changed(h->arg, lan, i->ip, NULL);
	hmap_foreach (&lan->macs, m)
		if (m->told && h->mac_changed)
			h->mac_changed(h->arg, lan, m->mac, NULL);
	hmap_foreach (&lan->vteps, v)
		if (h->flood_changed)
			h->flood_changed(h->arg, lan, v->vtep, false);
}

static void withdraw_all(struct lan *lan)
{
	struct lan_mac *m;

	hmap_foreach (&lan->macs, m) {
		struct lan_said said = lan_forget_said(m);
		lan_withdraw_said(lan, m, &said);
		lan_said_free(&said);
	}
	lan_withdraw_imet(lan);
}

void lans_remove(struct lans *ls, struct lan *lan)
{
	if (lan->config.originates)
		withdraw_all(lan);
	tell_gone(lan);
	STAILQ_REMOVE(&ls->list, lan, lan, next);
	lan_free(lan);
}

/* --- a LAN changes --- */

static bool same_import(const struct lan_config *a, const struct lan_config *b)
{
	return a->vni == b->vni && a->import_auto == b->import_auto &&
	       a->import_count == b->import_count &&
	       memcmp(a->import_rts, b->import_rts, a->import_count * sizeof(struct rt)) == 0 &&
	       ip_eq(a->vtep, b->vtep) && a->assume_host == b->assume_host;
}

static bool same_said(const struct lan_config *a, const struct lan_config *b)
{
	return a->vni == b->vni && rd_eq(a->rd, b->rd) && ip_eq(a->vtep, b->vtep) &&
	       rt_eq(a->export_rt, b->export_rt);
}

/* The new before the old. */
static void say_anew(struct lan *lan, const struct lan_config *was)
{
	struct lan_config is = lan->config;
	bool other_rd = !rd_eq(was->rd, is.rd);
	struct lan_mac *m;

	lan_originate_imet(lan);
	if (other_rd || !ip_eq(was->vtep, is.vtep)) {
		lan->config = *was;
		lan_withdraw_imet(lan);
		lan->config = is;
	}
	hmap_foreach (&lan->macs, m) {
		struct lan_said said = lan_forget_said(m);
		lan_originate_mac(lan, m);
		if (other_rd) {
			lan->config = *was;
			lan_withdraw_said(lan, m, &said);
			lan->config = is;
		}
		lan_said_free(&said);
	}
}

/* Local entries show our VTEP and VNI, and the VTEP decides between equals. Choosing may free a MAC, so not while
 * walking the table. */
static int choose_again(struct lan *lan)
{
	size_t count = 0, cap = lan->macs.count;
	struct mac *macs = calloc(cap + 1, sizeof(*macs));
	struct lan_mac *m;

	if (!macs)
		return -ENOMEM;
	hmap_foreach (&lan->macs, m)
		macs[count++] = m->mac;
	for (size_t i = 0; i < count; i++)
		if ((m = lan_mac_find(lan, macs[i])) != NULL)
			lan_choose_mac(lan, m, false);
	free(macs);
	return 0;
}

bool lan_change(struct lan *lan, const struct lan_config *c)
{
	struct lan_config was = lan->config;
	bool originated = was.originates;

	if (originated && !c->originates) {
		lan_local_mark(lan);
		lan_local_sweep(lan);
		lan_withdraw_imet(lan);
	}
	lan_configure(lan, c);
	lan_moves_changed(lan, &was);
	if (c->originates && !originated)
		lan_originate_imet(lan);
	else if (c->originates && !same_said(&was, c))
		say_anew(lan, &was);
	if (!ip_eq(was.vtep, c->vtep) || was.vni != c->vni)
		choose_again(lan);
	return !same_import(&was, c);
}
