/* One registry of all the books: a layer2 entry says where, the IX-F entry with the same address says who.
 *
 *   addresses   the layer2 entry's, and of the IX-F entry what layer2 has nowhere
 *   MACs        layer2's; if it has none, IX-F's. They are put in order, so that two exports that say the same are the same.
 *   switch      as the file was named for, or IX-F's
 *   member      IX-F's; of a port whose addresses IX-F does not have (a port in quarantine, a private AS) the layer2
 *               description, with AS 0
 *   port        layer2's; an IX-F entry that layer2 does not have is at no port that is known
 *
 * The exchange's own hosts come first: who claims an address of theirs does not get it, wherever it stands in the books. An entry
 * without a MAC keeps its port and loses its addresses, since nothing could be answered for them; nor are they nobody's: the sponge
 * would answer for a member that is there.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/siphash.h"
#include "registry/books.h"

/* Who has an address in one kind of book; of several the first. */
struct by_ip {
	struct ip ip;
	struct book_entry *entry;
};

struct index {
	struct hmap map;
	struct by_ip *list; /* what is in the map */
};

static bool ip_is(const void *entry, const void *key)
{
	return ip_eq(((const struct by_ip *)entry)->ip, *(const struct ip *)key);
}

static uint64_t hash_of(struct ip ip)
{
	return siphash(siphash_process_key(), &ip, sizeof(ip));
}

static struct book_entry *find(const struct index *x, struct ip ip)
{
	const struct by_ip *e = ip.family ? hmap_get(&x->map, hash_of(ip), &ip) : NULL;

	return e ? e->entry : NULL;
}

static void index_entry(struct index *x, struct book_entry *e, size_t *count)
{
	for (int f = 0; f < BOOK_FAMILIES; f++) {
		struct ip ip = e->ips[f];
		if (!ip.family || find(x, ip))
			continue;
		x->list[*count] = (struct by_ip){ip, e};
		if (hmap_add(&x->map, hash_of(ip), &x->list[(*count)++]) < 0)
			abort();
	}
}

/* Entries of the exchange's own hosts before others, if their members are known. */
static void index_init(struct index *x, struct book_entries *entries, struct book_member **members)
{
	size_t count = 0;

	hmap_init(&x->map, ip_is);
	x->list = calloc(entries->count * BOOK_FAMILIES + 1, sizeof(*x->list));
	if (!x->list)
		abort();
	for (size_t i = 0; members && i < entries->count; i++)
		if (members[entries->list[i].member]->exchange)
			index_entry(x, &entries->list[i], &count);
	for (size_t i = 0; i < entries->count; i++)
		index_entry(x, &entries->list[i], &count);
}

static void index_free(struct index *x)
{
	hmap_free(&x->map);
	free(x->list);
}

struct join {
	struct books *books;
	struct index who, where;
	bool *joined; /* of books->who */
};

/* --- what comes of an entry --- */

/* Of book_entry: where an address or MAC of it stands. */
static const char *place(const struct book_entry *e, const char *list, long index, char buf[BUILD_WHERE])
{
	if (index < 0)
		snprintf(buf, BUILD_WHERE, "%s.%s", e->where, list);
	else
		snprintf(buf, BUILD_WHERE, "%s.%s[%ld]", e->where, list, index);
	return buf;
}

static int mac_cmp(const void *a, const void *b)
{
	const struct book_mac *x = a, *y = b;

	return memcmp(x->mac.b, y->mac.b, sizeof(x->mac.b));
}

/* A port with what `macs` has for MACs and `ips` for addresses; they are the same but for a joined one. */
static void add_port(struct join *j, uint32_t member, const struct book_entry *e, struct book_entry *macs, const char *sw)
{
	struct build *b = j->books->b;
	char where[BUILD_WHERE];

	b->source = e->source;
	struct registry_port *p = build_port(b, member, e->where);
	build_text(p->port, sizeof(p->port), e->port ? e->port : "");
	build_text(p->sw, sizeof(p->sw), sw ? sw : "");
	p->pe = e->pe;
	p->speed_mbps = e->speed_mbps;
	p->status = e->status;
	qsort(macs->macs, macs->mac_count, sizeof(macs->macs[0]), mac_cmp);
	b->source = macs->source;
	for (uint32_t i = 0; i < macs->mac_count; i++) {
		const struct book_mac *m = &macs->macs[i];
		build_mac(b, place(macs, m->list, m->index, where), m->mac, false);
	}
	b->source = e->source;
	if (!p->mac_count && (e->ips[BOOK_IPV4].family || e->ips[BOOK_IPV6].family))
		build_say(b, REGISTRY_NOTE, e->where, NULL, "no MAC in the books: its addresses are left out");
}

static void add_ips(struct join *j, const struct book_entry *e)
{
	struct build *b = j->books->b;
	char where[BUILD_WHERE];

	if (!b->reg->ports[b->reg->port_count - 1].mac_count)
		return;
	b->source = e->source;
	for (int f = 0; f < BOOK_FAMILIES; f++)
		if (e->ips[f].family)
			build_ip(b, place(e, e->list[f], -1, where), e->ips[f]);
}

/* --- members --- */

static void add_member(struct join *j, struct book_member *m)
{
	struct build *b = j->books->b;

	m->index = build_member(b, m->asn, m->name);
	struct registry_member *to = &b->reg->members[m->index];
	to->exchange = m->exchange;
	snprintf(to->type, sizeof(to->type), "%s", m->type);
	for (uint32_t i = 0; i < m->contact_count; i++)
		build_contact(b, m->index, m->contacts[i]);
}

static const struct book_member *member_of(const struct join *j, const struct book_entry *who)
{
	return j->books->members[who->member];
}

/* --- the join --- */

/* The IX-F entry of a layer2 entry, or NULL. */
static struct book_entry *who_is(struct join *j, const struct book_entry *e)
{
	struct book_entry *v4 = find(&j->who, e->ips[BOOK_IPV4]), *v6 = find(&j->who, e->ips[BOOK_IPV6]);
	char line[BUILD_LINE];

	if (v4 && v6 && v4->member != v6->member) {
		snprintf(line, sizeof(line), "its addresses are of AS%u (%s) and of AS%u (%s): the former is taken",
			member_of(j, v4)->asn, v4->where, member_of(j, v6)->asn, v6->where);
		j->books->b->source = e->source;
		build_say(j->books->b, REGISTRY_CONFLICT, e->where, NULL, line);
	}
	return v4 ? v4 : v6;
}

static bool same_macs(const struct book_entry *a, const struct book_entry *b)
{
	for (uint32_t i = 0; i < a->mac_count; i++) {
		bool found = false;
		for (uint32_t k = 0; k < b->mac_count; k++)
			found = found || mac_eq(a->macs[i].mac, b->macs[k].mac);
		if (!found)
			return false;
	}
	return a->mac_count == b->mac_count;
}

/* Whose a layer2 entry is, before members have their place in the registry. */
static void find_member(struct join *j, struct book_entry *e)
{
	const struct book_entry *who = who_is(j, e);

	if (who) {
		e->member = who->member;
		return;
	}
	e->member = books_member(j->books, 0, e->name);
	j->books->b->source = e->source;
	if (j->books->has_ixf && (e->ips[BOOK_IPV4].family || e->ips[BOOK_IPV6].family))
		build_say(j->books->b, REGISTRY_NOTE, e->where, NULL,
			"IX-F has none of its addresses: the AS number is not known");
}

static void add_where(struct join *j, struct book_entry *e)
{
	struct book_entry *v4 = find(&j->who, e->ips[BOOK_IPV4]), *v6 = find(&j->who, e->ips[BOOK_IPV6]),
			  *who = v4 ? v4 : v6;

	j->books->b->source = e->source;
	if (who && e->mac_count && who->mac_count && !same_macs(e, who))
		build_say(j->books->b, REGISTRY_NOTE, e->where, NULL, "IX-F has other MACs: these are taken");
	add_port(j, j->books->members[e->member]->index, e, e->mac_count || !who ? e : who,
		e->sw	? e->sw
		: who	? who->sw
			: NULL);
	add_ips(j, e);
	if (!who)
		return;
	j->joined[who - j->books->who.list] = true;
	if (v6 && v6->member == e->member)
		j->joined[v6 - j->books->who.list] = true;
	/* The other family, unless layer2 has it elsewhere. */
	struct book_entry rest = *who;
	for (int f = 0; f < BOOK_FAMILIES; f++)
		if (e->ips[f].family || find(&j->where, rest.ips[f]))
			rest.ips[f].family = 0;
	add_ips(j, &rest);
}

static void add_who(struct join *j, struct book_entry *e)
{
	if (j->joined[e - j->books->who.list])
		return;
	/* Without a MAC and a port there is nothing to say of it. */
	if (!e->mac_count) {
		j->books->b->source = e->source;
		build_say(j->books->b, REGISTRY_NOTE, e->where, NULL, "no MAC in the books: left out");
		return;
	}
	add_port(j, member_of(j, e)->index, e, e, e->sw);
	add_ips(j, e);
}

static void add_entries(struct join *j, bool exchange)
{
	struct books *books = j->books;

	for (size_t i = 0; i < books->where.count; i++)
		if (books->members[books->where.list[i].member]->exchange == exchange)
			add_where(j, &books->where.list[i]);
}

static void add_rest(struct join *j, bool exchange)
{
	struct books *books = j->books;

	for (size_t i = 0; i < books->who.count; i++)
		if (member_of(j, &books->who.list[i])->exchange == exchange)
			add_who(j, &books->who.list[i]);
}

static void keep_given(struct join *j, const struct book_entries *entries)
{
	for (size_t i = 0; i < entries->count; i++) {
		const struct book_entry *e = &entries->list[i];
		j->books->b->source = e->source;
		for (int f = 0; f < BOOK_FAMILIES; f++)
			if (e->ips[f].family)
				build_given(j->books->b, e->where, e->ips[f]);
	}
}

void registry_join(struct books *books)
{
	struct join j = {.books = books};

	j.joined = calloc(books->who.count + 1, sizeof(*j.joined));
	if (!j.joined)
		abort();
	index_init(&j.who, &books->who, books->members);
	index_init(&j.where, &books->where, NULL);
	for (size_t i = 0; i < books->where.count; i++)
		find_member(&j, &books->where.list[i]);
	if (books->where.count && !books->has_ixf) {
		books->b->source = books->where.list[0].source;
		build_say(books->b, REGISTRY_NOTE, "", NULL, "without an IX-F export no AS number is known");
	}
	for (size_t i = 0; i < books->member_count; i++)
		add_member(&j, books->members[i]);
	for (int exchange = 1; exchange >= 0; exchange--) {
		add_entries(&j, exchange);
		add_rest(&j, exchange);
	}
	keep_given(&j, &books->where);
	keep_given(&j, &books->who);
	index_free(&j.who);
	index_free(&j.where);
	free(j.joined);
}
