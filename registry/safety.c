#include "registry/safety.h"

#include <stdlib.h>
#include <string.h>

#include "lib/hmap.h"
#include "lib/siphash.h"
#include "registry/crossed.h"

/* --- whose a MAC is now --- */

/* The first member that has it, and whether another has it, too. */
struct owner {
	struct mac mac;
	const struct registry_member *member;
	bool several;
};

struct owners {
	struct hmap map;
	struct owner *list;
};

static bool owner_eq(const void *entry, const void *key)
{
	return mac_eq(((const struct owner *)entry)->mac, *(const struct mac *)key);
}

static uint64_t mac_hash(struct mac mac)
{
	return siphash(siphash_process_key(), mac.b, sizeof(mac.b));
}

static bool same_member(const struct registry_member *a, const struct registry_member *b)
{
	return a->asn == b->asn && (a->asn || strcmp(a->name, b->name) == 0);
}

static int current_count(const struct registry_port *p)
{
	return p->mac_count - p->former_count;
}

static void owners_init(struct owners *o, const struct registry *r)
{
	size_t count = 0;

	for (size_t i = 0; i < r->port_count; i++)
		count += r->ports[i].mac_count;
	hmap_init(&o->map, owner_eq);
	o->list = calloc(count + 1, sizeof(*o->list));
	if (!o->list)
		abort();
	count = 0;
	for (size_t i = 0; i < r->port_count; i++) {
		const struct registry_port *p = &r->ports[i];
		const struct registry_member *m = &r->members[p->member];
		for (int k = 0; k < p->mac_count; k++) {
			struct owner *known = hmap_get(&o->map, mac_hash(p->macs[k]), &p->macs[k]);
			if (known) {
				known->several = known->several || !same_member(known->member, m);
				continue;
			}
			o->list[count] = (struct owner){p->macs[k], m, false};
			if (hmap_add(&o->map, mac_hash(p->macs[k]), &o->list[count++]) < 0)
				abort();
		}
	}
}

static bool is_anothers(const struct owners *o, struct mac mac, const struct registry_member *m)
{
	const struct owner *known = hmap_get(&o->map, mac_hash(mac), &mac);

	return known && (known->several || !same_member(known->member, m));
}

/* --- the same port and member, then and now --- */

struct entry {
	const struct registry *r;
	struct registry_port *p;
};

static int member_cmp(const struct registry_member *a, const struct registry_member *b)
{
	int d = (a->asn > b->asn) - (a->asn < b->asn);

	return d || a->asn ? d : strcmp(a->name, b->name);
}

static int place_cmp(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	int d = member_cmp(&x->r->members[x->p->member], &y->r->members[y->p->member]);

	if (d == 0)
		d = strcmp(x->p->port, y->p->port);
	return d ? d : (x->p->pe > y->p->pe) - (x->p->pe < y->p->pe);
}

static int entry_cmp(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	int d = place_cmp(x, y);

	return d ? d : (x->p > y->p) - (x->p < y->p);
}

static struct entry *sorted(const struct registry *r)
{
	struct entry *list = calloc(r->port_count + 1, sizeof(*list));

	if (!list)
		abort();
	for (size_t i = 0; i < r->port_count; i++)
		list[i] = (struct entry){r, &r->ports[i]};
	qsort(list, r->port_count, sizeof(*list), entry_cmp);
	return list;
}

static bool share_ip(const struct registry_port *a, const struct registry_port *b)
{
	for (int i = 0; i < a->ip_count; i++)
		for (int k = 0; k < b->ip_count; k++)
			if (ip_eq(a->ips[i], b->ips[k]))
				return true;
	return false;
}

/* Of `was`, `count` entries at one place, the one that `is` continues, or NULL. */
static const struct registry_port *continued(const struct entry *was, size_t count, const struct registry_port *is,
	bool alone)
{
	for (size_t i = 0; i < count; i++)
		if (share_ip(was[i].p, is))
			return was[i].p;
	return count == 1 && alone && *is->port ? was[0].p : NULL;
}

/* --- former MACs --- */

static bool has_mac(const struct registry_port *p, struct mac mac)
{
	for (int i = 0; i < p->mac_count; i++)
		if (mac_eq(p->macs[i], mac))
			return true;
	return false;
}

/* Returns whether one that was current until now is former now. */
static bool keep_macs(const struct owners *now, const struct registry_port *was, struct registry_port *is,
	const struct registry_member *m)
{
	bool swapped = false;

	if (!current_count(is))
		return false;
	for (int i = 0; i < was->mac_count && is->mac_count < REGISTRY_MACS; i++) {
		struct mac mac = was->macs[i];
		if (has_mac(is, mac) || is_anothers(now, mac, m))
			continue;
		is->macs[is->mac_count++] = mac;
		is->former_count++;
		swapped = swapped || i < current_count(was);
	}
	return swapped;
}

static void keep_all(const struct registry *was, struct registry *is, struct registry_step *ret)
{
	struct entry *then = sorted(was), *now = sorted(is);
	struct owners owners;
	size_t from = 0, k = 0;

	owners_init(&owners, is);
	for (size_t i = 0; i < is->port_count; i = k) {
		size_t to;
		for (k = i + 1; k < is->port_count && place_cmp(&now[i], &now[k]) == 0; k++)
			;
		while (from < was->port_count && place_cmp(&then[from], &now[i]) < 0)
			from++;
		for (to = from; to < was->port_count && place_cmp(&then[to], &now[i]) == 0; to++)
			;
		for (size_t e = i; e < k; e++) {
			const struct registry_port *old = continued(&then[from], to - from, now[e].p, k - i == 1);
			if (old)
				ret->swapped +=
					keep_macs(&owners, old, now[e].p, &is->members[now[e].p->member]);
		}
		from = to;
	}
	hmap_free(&owners.map);
	free(owners.list);
	free(then);
	free(now);
}

/* --- bindings --- */

struct binding {
	const struct registry_port *p;
	const struct registry_member *member;
	struct mac mac;
	struct ip ip;
};

static bool binding_eq(const void *entry, const void *key)
{
	const struct binding *a = entry, *b = key;

	return mac_eq(a->mac, b->mac) && ip_eq(a->ip, b->ip) && a->p->pe == b->p->pe &&
	       strcmp(a->p->port, b->p->port) == 0 && same_member(a->member, b->member);
}

static uint64_t binding_hash(const struct binding *b)
{
	uint8_t key[sizeof(b->mac) + sizeof(b->ip)];

	memcpy(key, &b->mac, sizeof(b->mac));
	memcpy(key + sizeof(b->mac), &b->ip, sizeof(b->ip));
	return siphash(siphash_process_key(), key, sizeof(key));
}

struct bindings {
	struct hmap map;
	struct binding *list;
	size_t count; /* without former MACs */
};

static void bindings_init(struct bindings *b, const struct registry *r)
{
	size_t count = 0, at = 0;

	for (size_t i = 0; i < r->port_count; i++)
		count += (size_t)r->ports[i].mac_count * r->ports[i].ip_count;
	hmap_init(&b->map, binding_eq);
	b->count = 0;
	b->list = calloc(count + 1, sizeof(*b->list));
	if (!b->list)
		abort();
	for (size_t i = 0; i < r->port_count; i++) {
		const struct registry_port *p = &r->ports[i];
		b->count += (size_t)current_count(p) * p->ip_count;
		for (int m = 0; m < p->mac_count; m++) {
			for (int n = 0; n < p->ip_count; n++) {
				b->list[at] = (struct binding){p, &r->members[p->member], p->macs[m], p->ips[n]};
				if (hmap_add(&b->map, binding_hash(&b->list[at]), &b->list[at]) < 0)
					abort();
				at++;
			}
		}
	}
}

/* Is it in `b`, if only by a former MAC, and as much in service as it was? A port that is no longer active hears and says nothing. */
static bool is_missing(const struct bindings *b, const struct binding *key)
{
	const struct binding *is = hmap_get(&b->map, binding_hash(key), key);

	return !is || (key->p->status == REGISTRY_ACTIVE && is->p->status != REGISTRY_ACTIVE);
}

/* How many of the current bindings of a port are missing in `b`. */
static size_t port_missing(const struct registry *r, const struct registry_port *p, const struct bindings *b)
{
	size_t missing = 0;

	for (int m = 0; m < current_count(p); m++) {
		for (int n = 0; n < p->ip_count; n++) {
			struct binding key = {p, &r->members[p->member], p->macs[m], p->ips[n]};
			missing += is_missing(b, &key);
		}
	}
	return missing;
}

static size_t bindings_missing(const struct registry *a, const struct bindings *b)
{
	size_t missing = 0;

	for (size_t i = 0; i < a->port_count; i++)
		missing += port_missing(a, &a->ports[i], b);
	return missing;
}

static bool is_of_another(const struct registry_port *p, const struct registry *r, const struct registry_member *m)
{
	return p && !same_member(&r->members[p->member], m);
}

/* Of the bindings of `was` that are missing, those that `is` gives to another member. */
static size_t bindings_taken(const struct registry *was, const struct bindings *now, const struct registry *is)
{
	size_t taken = 0;

	for (size_t i = 0; i < was->port_count; i++) {
		const struct registry_port *p = &was->ports[i];
		const struct registry_member *m = &was->members[p->member];
		bool another = false;
		size_t missing = port_missing(was, p, now);
		for (int k = 0; missing && k < current_count(p); k++)
			another |= is_of_another(registry_by_mac(is, p->macs[k]), is, m);
		for (int k = 0; missing && k < p->ip_count; k++)
			another |= is_of_another(registry_by_ip(is, p->ips[k]), is, m);
		taken += another ? missing : 0;
	}
	return taken;
}

static void bindings_free(struct bindings *b)
{
	hmap_free(&b->map);
	free(b->list);
}

/* --- whole switches --- */

static int switch_cmp(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	int d = (x->p->pe > y->p->pe) - (x->p->pe < y->p->pe);

	return d ? d : strcmp(x->p->sw, y->p->sw);
}

static void say_switch(struct registry_step *step, const struct registry_port *p, size_t count)
{
	char pe[IP_TEXT] = "";

	if (p->pe)
		ip_format(ip_v4_u32(p->pe), pe);
	snprintf(step->why, sizeof(step->why), "all %zu bindings of %s%s%s would go", count, p->sw,
		*p->sw && *pe ? " at " : "", pe);
	step->refused = true;
}

/* One of many switches whose list came empty is a small share of the whole, and an outage for all that are at it. */
static void find_lost_switch(const struct registry *was, const struct bindings *now, const struct registry_limits *limits,
	struct registry_step *step)
{
	struct entry *list = sorted(was);

	qsort(list, was->port_count, sizeof(*list), switch_cmp);
	for (size_t i = 0, k; i < was->port_count && !step->refused; i = k) {
		const struct registry_port *p = list[i].p;
		size_t count = 0, missing = 0;
		for (k = i; k < was->port_count && switch_cmp(&list[i], &list[k]) == 0; k++) {
			count += (size_t)current_count(list[k].p) * list[k].p->ip_count;
			missing += port_missing(was, list[k].p, now);
		}
		if ((p->pe || *p->sw) && missing == count && count > limits->small)
			say_switch(step, p, count);
	}
	free(list);
}

void registry_replace(const struct registry *was, struct registry *is, const struct registry_limits *limits,
	struct registry_step *ret)
{
	static const struct registry none;
	struct registry_step step = {0};
	struct bindings then, now;

	if (was)
		keep_all(was, is, &step);
	bindings_init(&then, was ? was : &none);
	bindings_init(&now, is);
	step.bindings_was = then.count;
	step.bindings_is = now.count;
	step.removed = bindings_missing(was ? was : &none, &now);
	step.added = bindings_missing(is, &then);
	step.taken = was ? bindings_taken(was, &now, is) : 0;
	step.refused = step.removed > limits->small &&
		       step.removed * 100 > step.bindings_was * (size_t)limits->max_removed_percent;
	if (step.refused)
		snprintf(step.why, sizeof(step.why),
			"%zu of %zu bindings would go (%zu %%); at most %u %% may at once", step.removed,
			step.bindings_was, step.removed * 100 / step.bindings_was, limits->max_removed_percent);
	else if (was && limits->max_removed_percent < 100)
		find_lost_switch(was, &now, limits, &step);
	if (was && !step.refused && limits->max_removed_percent < 100)
		step.refused = registry_crossed(was, is, step.why, sizeof(step.why));
	bindings_free(&then);
	bindings_free(&now);
	*ret = step;
}
