/* Interned attribute sets. An object is the parsed form and, right behind it, the octets of its
 * spans: one allocation. What is not present is zero in it, so equal sets are equal octet for octet
 * but for the span pointers. */
#include "bgp/attrset.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "lib/hmap.h"
#include "lib/siphash.h"

#define SPANS 7

struct attrsets {
	struct hmap map;
};

/* The spans of a set, in a fixed order. */
static void spans_of(struct attrs *a, struct span *ret[SPANS])
{
	ret[0] = &a->as_path;
	ret[1] = &a->communities;
	ret[2] = &a->ext_communities;
	ret[3] = &a->large_communities;
	ret[4] = &a->cluster_list;
	ret[5] = &a->pmsi;
	ret[6] = &a->unknown;
}

/* A shallow copy in which only what is present is there. */
static struct attrs normal_form(const struct attrs *a)
{
	struct attrs n;

	memset(&n, 0, sizeof(n)); /* padding too: the head is hashed and compared as memory */
	n.present = a->present & ~ATTR_BIT(ATTR_NEXT_HOP);
	n.next_hop = a->next_hop;
	n.next_hop_ll = a->next_hop_ll;
	n.origin = a->origin;
	n.as_path = a->as_path;
	n.unknown = a->unknown;
	/* The encoder writes these in any case. */
	n.present |= ATTR_BIT(ATTR_ORIGIN) | ATTR_BIT(ATTR_AS_PATH);
	if (a->next_hop.family)
		n.present |= ATTR_BIT(ATTR_NEXT_HOP);
	n.partial = a->partial & n.present;
	n.med = attrs_has(a, ATTR_MED) ? a->med : 0;
	n.local_pref = attrs_has(a, ATTR_LOCAL_PREF) ? a->local_pref : 0;
	n.originator_id = attrs_has(a, ATTR_ORIGINATOR_ID) ? a->originator_id : 0;
	n.otc = attrs_has(a, ATTR_OTC) ? a->otc : 0;
	if (attrs_has(a, ATTR_AGGREGATOR)) {
		n.aggregator_as = a->aggregator_as;
		memcpy(n.aggregator_ip, a->aggregator_ip, 4);
	}
	if (attrs_has(a, ATTR_COMMUNITIES))
		n.communities = a->communities;
	if (attrs_has(a, ATTR_EXT_COMMUNITIES))
		n.ext_communities = a->ext_communities;
	if (attrs_has(a, ATTR_LARGE_COMMUNITIES))
		n.large_communities = a->large_communities;
	if (attrs_has(a, ATTR_CLUSTER_LIST))
		n.cluster_list = a->cluster_list;
	if (attrs_has(a, ATTR_PMSI_TUNNEL))
		n.pmsi = a->pmsi;
	return n;
}

/* All that is not behind a span. */
struct head {
	uint64_t present, partial;
	uint32_t med, local_pref, originator_id, aggregator_as, otc;
	uint8_t aggregator_ip[4];
	uint16_t lens[SPANS];
	uint8_t origin;
	struct ip next_hop, next_hop_ll;
	uint8_t pad[7];
};
_Static_assert(sizeof(struct head) == 8 * 2 + 4 * 6 + 2 * SPANS + 1 + 2 * sizeof(struct ip) + 7,
	"compared as memory: no padding");

static struct head head_of(struct attrs *a)
{
	struct head h = {.present = a->present,
		.partial = a->partial,
		.med = a->med,
		.local_pref = a->local_pref,
		.originator_id = a->originator_id,
		.aggregator_as = a->aggregator_as,
		.otc = a->otc,
		.origin = a->origin,
		.next_hop = a->next_hop,
		.next_hop_ll = a->next_hop_ll};
	struct span *spans[SPANS];

	memcpy(h.aggregator_ip, a->aggregator_ip, 4);
	spans_of(a, spans);
	for (int i = 0; i < SPANS; i++)
		h.lens[i] = spans[i]->len;
	return h;
}

static uint32_t hash_of(struct attrs *n)
{
	const struct siphash_key *key = siphash_process_key();
	struct head h = head_of(n);
	struct span *spans[SPANS];
	uint64_t parts[1 + SPANS] = {siphash(key, &h, sizeof(h))};

	spans_of(n, spans);
	for (int i = 0; i < SPANS; i++)
		if (spans[i]->len)
			parts[1 + i] = siphash(key, spans[i]->p, spans[i]->len);
	return (uint32_t)siphash(key, parts, sizeof(parts));
}

static bool equal(const void *entry, const void *key)
{
	struct attrs *a = &((struct attrset *)(uintptr_t)entry)->attrs;
	struct attrs *b = (struct attrs *)(uintptr_t)key;
	struct head ha = head_of(a), hb = head_of(b);
	struct span *sa[SPANS], *sb[SPANS];

	if (memcmp(&ha, &hb, sizeof(ha)) != 0)
		return false;
	spans_of(a, sa);
	spans_of(b, sb);
	for (int i = 0; i < SPANS; i++)
		if (sa[i]->len && memcmp(sa[i]->p, sb[i]->p, sa[i]->len) != 0)
			return false;
	return true;
}

struct attrsets *attrsets_new(void)
{
	struct attrsets *as = calloc(1, sizeof(*as));

	if (as)
		hmap_init(&as->map, equal);
	return as;
}

void attrsets_free(struct attrsets *as)
{
	if (!as)
		return;
	assert(as->map.count == 0);
	hmap_free(&as->map);
	free(as);
}

size_t attrsets_count(const struct attrsets *as)
{
	return as->map.count;
}

static struct attrset *copy_of(struct attrs *n, uint32_t hash)
{
	struct span *spans[SPANS];
	size_t octets = sizeof(struct attrset);

	spans_of(n, spans);
	for (int i = 0; i < SPANS; i++)
		octets += spans[i]->len;
	struct attrset *s = malloc(octets);
	if (!s)
		return NULL;
	*s = (struct attrset){.attrs = *n, .refs = 1, .hash = hash, .octets = (uint32_t)octets};
	uint8_t *at = (uint8_t *)(s + 1);
	spans_of(&s->attrs, spans);
	for (int i = 0; i < SPANS; i++) {
		if (spans[i]->len)
			memcpy(at, spans[i]->p, spans[i]->len);
		spans[i]->p = spans[i]->len ? at : NULL;
		at += spans[i]->len;
	}
	return s;
}

const struct attrset *attrset_intern(struct attrsets *as, const struct attrs *a)
{
	struct attrs n = normal_form(a);
	uint32_t hash = hash_of(&n);
	struct attrset *s = hmap_get(&as->map, hash, &n);

	if (s) {
		s->refs++;
		return s;
	}
	s = copy_of(&n, hash);
	if (!s || hmap_add(&as->map, hash, s) < 0) {
		free(s);
		return NULL;
	}
	return s;
}

const struct attrset *attrset_ref(const struct attrset *s)
{
	((struct attrset *)(uintptr_t)s)->refs++;
	return s;
}

void attrset_unref(struct attrsets *as, const struct attrset *s)
{
	struct attrset *mine = (struct attrset *)(uintptr_t)s;

	if (!mine || --mine->refs > 0)
		return;
	struct attrs n = mine->attrs;
	hmap_del(&as->map, mine->hash, &n);
	free(mine);
}
