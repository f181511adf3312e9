/* Four PEs, each with its LAN, told of each other's routes by queues that keep each sender's order
 * and nothing more; members that come, move, go and clash at random. When it is quiet again (and it
 * must get quiet: two PEs that give way to each other in turns would not), all agree where each MAC
 * is, each MAC has one PE that says it, and what is gone is gone everywhere.
 */
#include "tests/evpn/world.h"

#define PES 4
#define MACS 5
#define IPS 6
#define EVENTS 120
#define ROUNDS 300
#define QUEUE 512
#define QUIET_WITHIN 2000 /* deliveries; a storm never ends */

struct message {
	struct nlri n;
	bool withdraw;
	struct attrs attrs;
	uint8_t ecoms[64], pmsi[21];
};

/* From one PE to another. */
struct link {
	struct message m[QUEUE];
	unsigned head, tail;
};

static struct pe {
	struct lans *ls;
	struct lan *lan;
	bool said[MACS]; /* its MAC-only routes */
	int where[MACS]; /* told: PE number; -1: gone */
} pes[PES];

static struct link links[PES][PES];
static uint64_t state;
static unsigned delivered;

static unsigned pick(unsigned n)
{
	state = state * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(state >> 33) % n;
}

static void mesh_originate(
	void *arg, struct lan *lan, const struct nlri *n, const struct attrs *attrs)
{
	struct pe *pe = arg;
	struct evpn_route r;

	(void)lan;
	evpn_nlri_unpack(n->key, n->key_len, n->payload, n->payload_len, &r);
	if (r.type == EVPN_MACIP && !r.ip.family)
		pe->said[r.mac.b[5]] = attrs != NULL;
	for (int to = 0; to < PES; to++) {
		struct link *l = &links[pe - pes][to];
		struct message *m = &l->m[l->tail % QUEUE];
		if (to == pe - pes)
			continue;
		ck_assert(l->tail - l->head < QUEUE);
		m->n = *n;
		m->withdraw = !attrs;
		if (attrs) {
			m->attrs = *attrs;
			memcpy(m->ecoms, attrs->ext_communities.p, attrs->ext_communities.len);
			if (attrs->pmsi.len)
				memcpy(m->pmsi, attrs->pmsi.p, attrs->pmsi.len);
		}
		l->tail++;
	}
}

static void mesh_mac(void *arg, struct lan *lan, struct mac mac, const struct lan_entry *best)
{
	struct pe *pe = arg;

	(void)lan;
	pe->where[mac.b[5]] = !best ? -1 : best->local ? (int)(pe - pes) : best->vtep.b[3] - 1;
}

static bool deliver_one(void)
{
	unsigned start = pick(PES * PES);

	for (unsigned i = 0; i < PES * PES; i++) {
		unsigned at = (start + i) % (PES * PES);
		struct link *l = &links[at / PES][at % PES];
		if (l->head == l->tail)
			continue;
		struct message *m = &l->m[l->head++ % QUEUE];
		m->attrs.ext_communities.p = m->ecoms;
		m->attrs.pmsi.p = m->pmsi;
		lans_route(pes[at % PES].ls, m->n.key, m->n.key_len, m->n.payload, m->n.payload_len,
			m->withdraw ? NULL : &m->attrs, false);
		delivered++;
		return true;
	}
	return false;
}

static void quiet(void)
{
	unsigned before = delivered;

	while (deliver_one())
		ck_assert_msg(delivered - before < QUIET_WITHIN, "a storm that does not end");
}

static void mesh_up(void)
{
	memset(links, 0, sizeof(links));
	for (int i = 0; i < PES; i++) {
		struct lan_hooks hooks = {
			.originate = mesh_originate, .mac_changed = mesh_mac, .arg = &pes[i]};
		struct lan_config c = world_config();
		char vtep[16];

		memset(&pes[i], 0, sizeof(pes[i]));
		for (int m = 0; m < MACS; m++)
			pes[i].where[m] = -1;
		snprintf(vtep, sizeof(vtep), "10.99.0.%d", i + 1);
		c.vtep = ip_of(vtep);
		c.rd = rd_of(vtep);
		pes[i].ls = lans_new(&hooks);
		ck_assert_int_eq(lans_add(pes[i].ls, &c, &pes[i].lan), 0);
	}
	quiet();
}

static void mesh_down(void)
{
	for (int i = 0; i < PES; i++)
		lans_free(pes[i].ls);
}

static struct ip some_ip(void)
{
	unsigned n = pick(IPS + 1);
	char text[8];

	if (n == IPS)
		return (struct ip){0};
	snprintf(text, sizeof(text), n & 1 ? "::%u" : ".%u", n + 1);
	return ip_of(text);
}

static void event(bool sticky)
{
	struct lan *lan = pes[pick(PES)].lan;
	struct mac mac = mac_n(pick(MACS));
	uint8_t flags = pick(4) == 0 ? LAN_IMMUTABLE : 0;

	if (sticky && pick(8) == 0)
		flags |= LAN_STICKY;
	if (pick(40) == 0) {
		lan_local_mark(lan);
		lan_local_add(lan, mac, some_ip(), flags, false);
		lan_local_sweep(lan);
	} else if (pick(3) == 0) {
		lan_local_del(lan, mac, some_ip());
	} else {
		lan_local_add(lan, mac, some_ip(), flags, pick(2));
	}
}

static void check_agreement(void)
{
	for (int m = 0; m < MACS; m++) {
		int speakers = 0;
		for (int i = 0; i < PES; i++) {
			speakers += pes[i].said[m];
			ck_assert_msg(pes[i].where[m] == pes[0].where[m],
				"MAC %d: PE %d says %d, PE 0 says %d", m, i, pes[i].where[m],
				pes[0].where[m]);
		}
		ck_assert_int_eq(speakers, pes[0].where[m] >= 0);
		if (speakers)
			ck_assert(pes[pes[0].where[m]].said[m]);
	}
}

/* A member seen at a port is there, for all, as soon as it is quiet. */
static void check_claim(void)
{
	unsigned at = pick(PES), m = pick(MACS);

	lan_local_add(pes[at].lan, mac_n(m), some_ip(), 0, true);
	quiet();
	ck_assert_int_eq(pes[0].where[m], (int)at);
	check_agreement();
}

static void all_go(void)
{
	for (int i = 0; i < PES; i++) {
		lan_local_mark(pes[i].lan);
		lan_local_sweep(pes[i].lan);
	}
	quiet();
	for (int i = 0; i < PES; i++) {
		struct lan_stats s;
		lan_stats(pes[i].lan, &s);
		ck_assert_uint_eq(s.macs_local + s.macs_remote + s.bindings_local +
					  s.bindings_remote + s.macs_held,
			0);
		ck_assert_uint_eq(s.vteps, PES - 1);
	}
}

static void run(uint64_t seed, bool sticky)
{
	state = seed;
	mesh_up();
	for (int e = 0; e < EVENTS; e++) {
		event(sticky);
		for (unsigned n = pick(6); n > 0; n--)
			deliver_one();
		if (pick(20) == 0) {
			quiet();
			if (!sticky)
				check_claim();
		}
	}
	quiet();
	if (!sticky)
		check_agreement();
	all_go();
	mesh_down();
}

START_TEST(agrees)
{
	for (uint64_t seed = 1; seed <= ROUNDS; seed++)
		run(seed, false);
}
END_TEST

/* Two PEs that have a MAC sticky both keep it, with alarms: no agreement, but no storm either. */
START_TEST(sticky_clashes_are_quiet)
{
	for (uint64_t seed = 1; seed <= ROUNDS; seed++)
		run(seed, true);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("evpn/mesh");
	TCase *tc = tcase_create("core");
	SRunner *sr = srunner_create(s);

	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, agrees);
	tcase_add_test(tc, sticky_clashes_are_quiet);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_NORMAL);
	int failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
