#include "tests/sim/model.h"

#include <string.h>

#define NO_EXPORT 0xffffff01u
#define NO_ADVERTISE 0xffffff02u
#define NO_EXPORT_SUBCONFED 0xffffff03u

/* --- to and from the engine's form --- */

static uint32_t get_u32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static uint8_t *put_u32(uint8_t *p, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		p[i] = (uint8_t)(v >> (24 - 8 * i));
	return p + 4;
}

static uint8_t list_of(struct span s, uint32_t ret[LIST])
{
	uint8_t n = 0;

	for (; n < LIST && 4u * (n + 1u) <= s.len; n++)
		ret[n] = get_u32(s.p + 4 * n);
	return n;
}

void m_attrs_of(const struct attrs *a, struct m_attrs *ret)
{
	struct span path = a->as_path;

	memset(ret, 0, sizeof(*ret));
	memcpy(&ret->next_hop, &a->next_hop, sizeof(ret->next_hop));
	ret->origin = a->origin;
	ret->has_med = attrs_has(a, ATTR_MED);
	ret->med = ret->has_med ? a->med : 0;
	ret->has_local_pref = attrs_has(a, ATTR_LOCAL_PREF);
	ret->local_pref = ret->has_local_pref ? a->local_pref : 0;
	ret->has_originator = attrs_has(a, ATTR_ORIGINATOR_ID);
	ret->originator = ret->has_originator ? a->originator_id : 0;
	ret->has_otc = attrs_has(a, ATTR_OTC);
	ret->otc = ret->has_otc ? a->otc : 0;
	while (path.len >= 2) { /* sequences; what is prepended may begin a new one */
		uint8_t count = path.p[1];
		for (uint8_t i = 0; i < count && ret->ases < LIST; i++)
			ret->as[ret->ases++] = get_u32(path.p + 2 + 4 * i);
		path.p += 2 + 4 * count;
		path.len = (uint16_t)(path.len - 2 - 4 * count);
	}
	ret->clusters = list_of(a->cluster_list, ret->cluster);
	ret->communities = list_of(a->communities, ret->community);
	for (; ret->ecoms < LIST && 8u * (ret->ecoms + 1u) <= a->ext_communities.len; ret->ecoms++)
		memcpy(ret->ecom[ret->ecoms], a->ext_communities.p + 8 * ret->ecoms, 8);
	if (a->pmsi.len <= sizeof(ret->pmsi)) {
		ret->pmsi_len = (uint8_t)a->pmsi.len;
		if (a->pmsi.len)
			memcpy(ret->pmsi, a->pmsi.p, a->pmsi.len);
	}
}

static struct span span_put(uint8_t **at, const uint32_t *list, uint8_t n)
{
	struct span s = {.p = *at, .len = (uint16_t)(4 * n)};

	for (uint8_t i = 0; i < n; i++)
		*at = put_u32(*at, list[i]);
	return s;
}

void m_attrs_to(const struct m_attrs *m, struct m_room *room, struct attrs *ret)
{
	uint8_t *at = room->octets;

	*ret = (struct attrs){
		.present = ATTR_BIT(ATTR_ORIGIN) | ATTR_BIT(ATTR_AS_PATH) | ATTR_BIT(ATTR_NEXT_HOP),
		.origin = m->origin,
		.next_hop = m->next_hop,
		.med = m->med,
		.local_pref = m->local_pref};
	if (m->has_med)
		ret->present |= ATTR_BIT(ATTR_MED);
	if (m->has_local_pref)
		ret->present |= ATTR_BIT(ATTR_LOCAL_PREF);
	if (m->ases) {
		*at++ = 2;
		*at++ = m->ases;
		ret->as_path = span_put(&at, m->as, m->ases);
		ret->as_path.p -= 2;
		ret->as_path.len += 2;
	}
	if (m->communities)
		ret->present |= ATTR_BIT(ATTR_COMMUNITIES);
	ret->communities = span_put(&at, m->community, m->communities);
	if (m->ecoms)
		ret->present |= ATTR_BIT(ATTR_EXT_COMMUNITIES);
	ret->ext_communities = (struct span){.p = at, .len = (uint16_t)(8 * m->ecoms)};
	memcpy(at, m->ecom, 8u * m->ecoms);
	at += 8 * m->ecoms;
	if (m->pmsi_len)
		ret->present |= ATTR_BIT(ATTR_PMSI_TUNNEL);
	ret->pmsi = (struct span){.p = at, .len = m->pmsi_len};
	memcpy(at, m->pmsi, m->pmsi_len);
}

/* --- the choice --- */

#define CANDIDATES (2 * SIM_NODES + 1)

struct candidate {
	const struct m_path *p;
	int from;
	bool local, ibgp;
	uint32_t id;
	struct ip address;
};

static uint32_t mobility(const struct m_attrs *a, bool *ret_sticky)
{
	for (int i = 0; i < a->ecoms; i++)
		if (a->ecom[i][0] == 0x06 && a->ecom[i][1] == 0x00) {
			*ret_sticky = a->ecom[i][2] & 1;
			return get_u32(a->ecom[i] + 4);
		}
	*ret_sticky = false;
	return 0;
}

/* RFC 7432 section 15: < 0: a is to be preferred. */
static int by_mobility(const struct m_path *a, const struct m_path *b)
{
	static const uint8_t none[10];
	bool a_sticky, b_sticky;
	uint32_t a_seq = mobility(&a->a, &a_sticky), b_seq = mobility(&b->a, &b_sticky);

	if (a_sticky != b_sticky)
		return a_sticky ? -1 : 1;
	if (a_seq != b_seq)
		return a_seq > b_seq ? -1 : 1;
	if (memcmp(a->payload, b->payload, 10) == 0 && memcmp(a->payload, none, 10) != 0)
		return 0;
	return ip_cmp(a->a.next_hop, b->a.next_hop);
}

static int64_t measure(const struct candidate *c, int step)
{
	const struct m_attrs *a = &c->p->a;

	switch (step) {
	case 0:
		return -(int64_t)(a->has_local_pref ? a->local_pref : 100);
	case 1:
		return !c->local;
	case 2:
		return a->ases;
	case 3:
		return a->origin;
	case 5:
		return c->ibgp;
	case 6:
		return a->has_originator ? a->originator : c->id;
	default:
		return a->clusters;
	}
}

static void keep_least(struct candidate *c, int *n, int step)
{
	int64_t least = INT64_MAX;
	int kept = 0;

	for (int i = 0; i < *n; i++)
		if (measure(&c[i], step) < least)
			least = measure(&c[i], step);
	for (int i = 0; i < *n; i++)
		if (measure(&c[i], step) == least)
			c[kept++] = c[i];
	*n = kept;
}

static void keep_mobility(struct candidate *c, int *n)
{
	struct candidate best = c[0];
	int kept = 0;

	for (int i = 0; i < *n; i++) {
		bool beaten = false;
		for (int j = 0; j < *n; j++)
			beaten |= by_mobility(c[j].p, c[i].p) < 0;
		if (!beaten) {
			best = c[i];
			break;
		}
	}
	for (int i = 0; i < *n; i++)
		if (by_mobility(c[i].p, best.p) == 0)
			c[kept++] = c[i];
	*n = kept;
}

static void keep_med(struct candidate *c, int *n)
{
	bool loses[CANDIDATES] = {false};
	int kept = 0;

	for (int i = 0; i < *n; i++)
		for (int j = 0; j < *n; j++) {
			const struct m_attrs *a = &c[i].p->a, *b = &c[j].p->a;
			if ((a->ases ? a->as[0] : 0) == (b->ases ? b->as[0] : 0) && b->med < a->med)
				loses[i] = true;
		}
	for (int i = 0; i < *n; i++)
		if (!loses[i])
			c[kept++] = c[i];
	*n = kept;
}

static int candidates(const struct model *m, int j, int key, struct candidate *c)
{
	int n = 0;

	if (m->node[j].local[key].there)
		c[n++] = (struct candidate){
			&m->node[j].local[key], j, true, false, m->node[j].router_id, {0}};
	for (int i = 0; i < m->nodes; i++)
		if (m->in[j][i][key].there)
			c[n++] = (struct candidate){&m->in[j][i][key], i, false,
				m->node[i].as == m->node[j].as, m->node[i].router_id,
				m->node[i].address};
	for (int i = 0; i < m->nodes; i++)
		if (m->more[j][i][key].there)
			c[n++] = (struct candidate){&m->more[j][i][key], 0, false,
				m->node[0].as == m->node[j].as, m->node[0].router_id,
				m->node[0].address};
	return n;
}

/* Whose is best of these. */
static int choose_of(const struct model *m, int key, struct candidate *c, int n)
{
	if (m->is_macip[key])
		keep_mobility(c, &n);
	for (int step = 0; step < 8; step++) {
		if (step == 4)
			keep_med(c, &n);
		else
			keep_least(c, &n, step);
	}
	int best = 0;
	for (int i = 1; i < n; i++)
		if (ip_cmp(c[i].address, c[best].address) < 0)
			best = i;
	return c[best].from;
}

static int choose(const struct model *m, int j, int key)
{
	struct candidate c[CANDIDATES];
	int n = candidates(m, j, key, c);

	return n ? choose_of(m, key, c, n) : -1;
}

/* --- from one to the other --- */

static const struct m_link *link_of(const struct model *m, int a, int b, int *ret_side)
{
	for (int i = 0; i < m->links; i++) {
		const struct m_link *l = &m->link[i];
		if ((l->a == a && l->b == b) || (l->a == b && l->b == a)) {
			*ret_side = l->a != a;
			return l;
		}
	}
	return NULL;
}

static bool is_client(const struct model *m, int i, int of)
{
	int side;
	const struct m_link *l = link_of(m, of, i, &side);

	return l && l->client[side];
}

static enum bgp_role role_of(const struct model *m, int me, int towards)
{
	int side;
	const struct m_link *l = link_of(m, me, towards, &side);

	return l ? l->role[side] : ROLE_NONE;
}

static void mark(struct m_attrs *a, uint32_t as)
{
	if (!a->has_otc)
		a->otc = as;
	a->has_otc = true;
}

static void prepend(uint32_t *list, uint8_t *n, uint32_t v)
{
	memmove(list + 1, list, (LIST - 1) * sizeof(*list));
	list[0] = v;
	if (*n < LIST)
		++*n;
}

static bool has(const uint32_t *list, uint8_t n, uint32_t v)
{
	for (uint8_t i = 0; i < n; i++)
		if (list[i] == v)
			return true;
	return false;
}

static void drop_nontransitive(struct m_attrs *a)
{
	uint8_t kept = 0;

	for (uint8_t i = 0; i < a->ecoms; i++)
		if (!(a->ecom[i][0] & 0x40))
			memmove(a->ecom[kept++], a->ecom[i], 8);
	memset(a->ecom[kept], 0, 8u * (size_t)(LIST - kept));
	a->ecoms = kept;
}

/* Which route targets i may send to j: what j wants, and if j is in the middle what others want. */
static uint8_t wanted_by(const struct model *m, int j, int i, bool *ret_all)
{
	uint8_t wants = m->node[j].wants;

	*ret_all = m->node[j].wants_all;
	for (int l = 0; j == 0 && l < m->links; l++) {
		int k = m->link[l].b;
		if (k == i)
			continue;
		wants |= m->link[l].rtc ? m->node[k].wants : 0;
		*ret_all |= !m->link[l].rtc || m->node[k].wants_all;
	}
	return wants;
}

static bool is_wanted(const struct model *m, int i, int j, const struct m_attrs *a)
{
	int side;
	bool all;

	if (!link_of(m, i, j, &side)->rtc)
		return true;
	uint8_t wants = wanted_by(m, j, i, &all);
	for (int k = 0; k < a->ecoms; k++)
		if (memcmp(a->ecom[k], "\0\2\xfd\xe8\0\0\0", 7) == 0 &&
			wants & 1u << (a->ecom[k][7] - 100))
			return true;
	return all;
}

/* The clients of a route server say who may have their routes. */
static bool obeys(const struct model *m, int i, int j)
{
	int side = 0;
	const struct m_link *l = link_of(m, i, j, &side);

	return l->control[side] && l->client[side] && m->node[i].as != m->node[j].as;
}

/* 0:PEER and RS:PEER before 0:RS and RS:RS. */
static bool control_lets(const struct m_attrs *a, uint32_t rs, uint32_t peer)
{
	if (has(a->community, a->communities, peer) && peer <= UINT16_MAX)
		return false;
	if (rs <= UINT16_MAX && peer <= UINT16_MAX && has(a->community, a->communities, rs << 16 | peer))
		return true;
	return rs > UINT16_MAX || !has(a->community, a->communities, rs);
}

static void strip_control(struct m_attrs *a, uint32_t rs)
{
	uint8_t kept = 0;

	for (uint8_t i = 0; i < a->communities; i++)
		if (a->community[i] >> 16 != 0 && a->community[i] >> 16 != rs)
			a->community[kept++] = a->community[i];
	memset(a->community + kept, 0, (size_t)(LIST - kept) * sizeof(a->community[0]));
	a->communities = kept;
}

/* The conservative profile: what is only carried, and type 3 towards an IPv6 address, stays here. */
static bool is_kept_back(const struct model *m, int i, int j, int key, const struct m_attrs *a)
{
	int side = 0;
	const struct m_link *l = link_of(m, i, j, &side);

	return l->conservative[side] &&
	       (m->is_opaque[key] || (a->pmsi_len && a->pmsi_len != 9));
}

/* Of a path of `from`; that it may be j's own is not looked at. */
static bool may_send(const struct model *m, int i, int j, int key, int from, const struct m_attrs *a)
{
	const struct m_node *me = &m->node[i];
	bool ibgp = me->as == m->node[j].as, client = is_client(m, j, i), local = from == i,
	     from_ibgp = !local && m->node[from].as == me->as,
	     from_client = !local && is_client(m, from, i);
	enum bgp_role role = role_of(m, i, j);

	if (!is_wanted(m, i, j, a) || is_kept_back(m, i, j, key, a))
		return false;
	if (obeys(m, i, j) && !control_lets(a, me->as, m->node[j].as))
		return false;
	if (a->has_otc && (role == ROLE_RS_CLIENT || role == ROLE_CUSTOMER || role == ROLE_PEER))
		return false;
	if (from_ibgp && ibgp && !from_client && !client)
		return false;
	if (has(a->community, a->communities, NO_ADVERTISE))
		return false;
	return ibgp || client ||
	       !(has(a->community, a->communities, NO_EXPORT) ||
		       has(a->community, a->communities, NO_EXPORT_SUBCONFED));
}

/* What i sends to j of its path of `from`. false: nothing. */
static bool to_send(const struct model *m, int i, int j, int key, int from, struct m_path *p)
{
	const struct m_node *me = &m->node[i];
	bool ibgp = me->as == m->node[j].as, client = is_client(m, j, i), local = from == i,
	     from_ibgp = !local && m->node[from].as == me->as,
	     from_client = !local && is_client(m, from, i);
	struct m_attrs *a = &p->a;
	enum bgp_role role = role_of(m, i, j);

	if (from == j || !may_send(m, i, j, key, from, a))
		return false;
	if (ibgp) {
		if (!a->has_local_pref) {
			a->has_local_pref = true;
			a->local_pref = 100;
		}
		if (from_ibgp) {
			if (!a->has_originator)
				a->originator = m->node[from].router_id;
			a->has_originator = true;
			prepend(a->cluster, &a->clusters, me->cluster_id);
		}
		return true;
	}
	a->has_local_pref = a->has_originator = false;
	a->local_pref = a->originator = 0;
	memset(a->cluster, 0, sizeof(a->cluster));
	a->clusters = 0;
	drop_nontransitive(a);
	if (role == ROLE_RS || role == ROLE_PROVIDER || role == ROLE_PEER)
		mark(a, me->as);
	if (obeys(m, i, j))
		strip_control(a, me->as);
	if (client && !from_ibgp && from_client)
		return true; /* RFC 7947 */
	prepend(a->as, &a->ases, me->as);
	if (!local)
		a->has_med = false, a->med = 0;
	return true;
}

/* RFC 9234 section 5. */
static bool leaks(enum bgp_role role, uint32_t remote, const struct m_attrs *a)
{
	if (role == ROLE_RS || role == ROLE_PROVIDER)
		return a->has_otc;
	return role == ROLE_PEER && a->has_otc && a->otc != remote;
}

static bool accepts(const struct model *m, int j, int i, struct m_attrs *a)
{
	const struct m_node *me = &m->node[j];
	enum bgp_role role = role_of(m, j, i);

	if (me->refuses && has(a->community, a->communities, me->refuses))
		return false;
	if (leaks(role, m->node[i].as, a))
		return false;
	if (role == ROLE_RS_CLIENT || role == ROLE_CUSTOMER || role == ROLE_PEER)
		mark(a, m->node[i].as);
	if (has(a->as, a->ases, me->as))
		return false;
	if (me->as != m->node[i].as)
		return true;
	return !(a->has_originator && a->originator == me->router_id) &&
	       !has(a->cluster, a->clusters, me->cluster_id);
}

/* What j gets of i's path of `from`. */
static void send(const struct model *m, int i, int j, int key, int from, struct m_path *ret)
{
	memset(ret, 0, sizeof(*ret));
	if (from < 0)
		return;
	*ret = from == i ? m->node[i].local[key] : m->in[i][from][key];
	if (!ret->there || !to_send(m, i, j, key, from, ret) || !accepts(m, j, i, &ret->a))
		memset(ret, 0, sizeof(*ret));
}

static bool update(struct m_path *old, const struct m_path *new)
{
	if (memcmp(old, new, sizeof(*old)) == 0)
		return false;
	*old = *new;
	return true;
}

/* Of those that may go to j; -1: there is none. */
static int best_of_allowed(const struct model *m, int i, int j, int key, bool own)
{
	struct candidate c[CANDIDATES];
	int n = candidates(m, i, key, c), kept = 0;

	for (int k = 0; k < n; k++)
		if ((own || c[k].from != j) && may_send(m, i, j, key, c[k].from, &c[k].p->a))
			c[kept++] = c[k];
	return kept ? choose_of(m, key, c, kept) : -1;
}

/* RFC 7947 section 2.3: who may not have the best is not to lack the next. Nor he whose own is the best; but while it is
 * not it has its say by MED. */
static int best_for(const struct model *m, int i, int j, int key)
{
	if (!obeys(m, i, j))
		return m->best[i][key];
	int best = best_of_allowed(m, i, j, key, true);
	return best == j ? best_of_allowed(m, i, j, key, false) : best;
}

/* All that i tells j of a key; true: something is new. */
static bool tell(struct model *m, const struct m_link *l, int i, int j, int key)
{
	bool moved = false;
	struct m_path p;

	if (!l->add_path) {
		send(m, i, j, key, best_for(m, i, j, key), &p);
		return update(&m->in[j][i][key], &p);
	}
	if (i != 0) {
		send(m, i, j, key, i, &p);
		return update(&m->in[j][i][key], &p);
	}
	for (int from = 0; from < m->nodes; from++) {
		send(m, 0, j, key, from, &p);
		moved |= update(&m->more[j][from][key], &p);
	}
	return moved;
}

bool model_run(struct model *m)
{
	bool moved = true;

	for (int j = 0; j < m->nodes; j++)
		for (int i = 0; i < m->nodes; i++) {
			memset(m->in[j][i], 0, (size_t)m->keys * sizeof(m->in[j][i][0]));
			memset(m->more[j][i], 0, (size_t)m->keys * sizeof(m->more[j][i][0]));
		}
	for (int round = 0; moved && round < 64; round++) {
		moved = false;
		for (int i = 0; i < m->nodes; i++)
			for (int key = 0; key < m->keys; key++) {
				m->best[i][key] = choose(m, i, key);
				for (int l = 0; l < m->links; l++) {
					int a = m->link[l].a, b = m->link[l].b;
					if (a != i && b != i)
						continue;
					moved |= tell(m, &m->link[l], i, a == i ? b : a, key);
				}
			}
	}
	return !moved;
}
