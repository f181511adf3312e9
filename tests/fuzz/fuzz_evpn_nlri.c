/* EVPN NLRIs as they stand in MP_REACH and MP_UNREACH: any bytes, one route after the other,
 * through decode, encode, text, the import policy and a LAN with small tables. The first octet
 * chooses announcement or withdrawal, and which extended communities go with it. The same octets are
 * also put before the policy as keys, payloads and communities that no codec has seen.
 *
 * What must hold: the walk ends; what was read is written back octet for octet (but a withdrawal,
 * which reads back as the same key); text is printable; the policy's answer has a word, and is the
 * same when it is asked again; and at the end, when all is withdrawn, the LAN is empty.
 */
#include <stdlib.h>
#include <string.h>

#include "evpn/family.h"
#include "evpn/lan.h"
#include "evpn/nlri.h"
#include "evpn/policy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
	if (!holds)
		abort();
}

static const uint8_t ecoms[] = {
	0, 2, 0xfd, 0xe8, 0, 0, 0, 100, /* the LAN's route target */
	6, 8, 0x0b, 0, 0, 0, 0, 0,      /* ARP/ND: R O I */
	6, 0, 0, 0, 0, 0, 0, 3,         /* mobility 3 */
	6, 0, 1, 0, 0, 0, 0, 0,         /* sticky */
	3, 0x0c, 0, 0, 0, 0, 0, 8,      /* VXLAN */
};

static void check_text(const struct nlri *n)
{
	char text[BGP_NLRI_TEXT];

	evpn_family.format(text, sizeof(text), n->key, n->key_len, n->payload, n->payload_len);
	for (const char *p = text; *p; p++)
		must(*p >= ' ' && *p <= '~');
}

static void check_encode(const struct nlri *n, const uint8_t *wire, size_t len, bool withdraw)
{
	uint8_t again[2 + 255 + 32];
	struct writer w = writer_of(again, sizeof(again));
	struct nlri back;
	const char *why;

	evpn_family.encode(&w, n->key, n->key_len, withdraw ? NULL : n->payload, n->payload_len);
	must(writer_ok(&w));
	if (!withdraw)
		must(writer_len(&w) == len && memcmp(again, wire, len) == 0);
	struct reader r = reader_of(again, writer_len(&w));
	must(evpn_family.decode(&r, withdraw, &back, &why) == NLRI_OK && reader_done(&r));
	must(back.key_len == n->key_len && memcmp(back.key, n->key, n->key_len) == 0);
	must(back.payload_len == n->payload_len);
}

static struct registered *make_registered(void)
{
	static const struct mac mac = {{2, 0, 0x5e, 0, 0, 1}};
	static const struct ip ip = {.family = 4, .b = {198, 18, 0, 1}}, pe = {.family = 4, .b = {10, 99, 0, 1}};
	struct registered *r = registered_new();

	must(r && registered_add(r, &(struct registered_port){&mac, 1, &ip, 1, &pe, 1}) == 0);
	return r;
}

static struct evpn_policy *make_policy(struct lan *lan, const struct registered *registered, bool refuse)
{
	static const struct rt_pattern import = {.vni = 100};
	static const struct prefix prefixes[] = {
		{{.family = 4, .b = {198, 18}}, 21},
		{{.family = 6, .b = {0x20, 1, 0xd, 0xb8}}, 64},
	};
	struct evpn_policy_lan l = {100, &import, 1, prefixes, 2, lan, registered, refuse};
	struct evpn_policy *p = evpn_policy_new();

	must(p && evpn_policy_set_lans(p, &l, 1) == 0);
	return p;
}

static struct evpn_rules make_rules(uint8_t how)
{
	static const struct rt_pattern rts[] = {{.vni = 100}, {.rt = {{0, 2, 1}}}};
	static const struct prefix vteps[] = {{{.family = 4, .b = {10, 99}}, 16}};
	struct evpn_rules r = evpn_rules_default();

	r.sanity = !(how & 0x20);
	r.refuse_sticky = how & 0x40;
	r.rts = rts;
	r.rt_count = how & 0x40 ? 2 : 0;
	r.vteps = vteps;
	r.vtep_count = how & 0x20 ? 1 : 0;
	evpn_rules_allow(&r, how & 0x0f, how & 0x10);
	return r;
}

static void ask(struct evpn_policy *p, const struct policy_route *r, uint8_t how)
{
	struct evpn_rules rules = make_rules(how);
	struct policy_route again = *r;

	again.serial++;
	uint8_t reason = evpn_policy_import(p, &rules, r);
	must(reason == REFUSED_NOT || strcmp(evpn_policy_reason(reason), "unknown") != 0);
	must(evpn_policy_import(p, &rules, r) == reason);
	must(evpn_policy_import(p, &rules, &again) == reason);
	uint8_t flagged = evpn_policy_flagged(p, r);
	must(flagged == REFUSED_NOT || flagged >= REFUSED_UNREGISTERED_MAC);
}

/* Keys and all else as they come. */
static void ask_raw(struct lan *lan, const uint8_t *data, size_t size)
{
	struct registered *registered = make_registered();
	struct evpn_policy *p = make_policy(lan, registered, data[0] & 2);
	static const uint8_t lens[] = {1, 20, 24, 36};
	uint8_t how = data[0];
	size_t key_len = lens[how & 3], payload_len = how & 4 ? 13 : how & 8 ? 16 : 0;

	if (size > key_len + payload_len + 17) {
		const uint8_t *key = data + 1, *payload = key + key_len, *rest = payload + payload_len;
		size_t left = size - 1 - key_len - payload_len;
		struct attrs a = {.present = ATTR_BIT(ATTR_PMSI_TUNNEL),
			.next_hop = how & 0x80 ? ip_v4(rest) : ip_v6(rest),
			.ext_communities = {rest, (uint16_t)(left & 0xfff8)},
			.pmsi = {rest, (uint16_t)(left & 0x1f)}};
		struct policy_route r = {&evpn_family, key, payload, key_len, payload_len, &a, 1};
		ask(p, &r, how);
	}
	evpn_policy_free(p);
	registered_free(registered);
}

static struct lans *make_lans(struct lan **ret)
{
	static const struct lan_hooks hooks;
	struct lan_config c = {
		.name = "ixp", .vni = 100, .max_macs = 8, .max_bindings = 8, .import_auto = true,
		.dup_moves = 2, .dup_window_sec = 180, .dup_recovery_sec = 1, .dup_freeze = true};
	struct lans *ls = lans_new(&hooks);

	c.originates = true;
	c.vtep = (struct ip){.family = 4, .b = {10, 99, 0, 2}};
	must(ls && lans_add(ls, &c, ret) == 0);
	lan_local_add(*ret, (struct mac){{2, 0, 0x5e, 0, 0, 1}}, (struct ip){0}, 0, true);
	return ls;
}

static bool fail_on_remote(void *arg, const struct lan_entry *e)
{
	(void)arg;
	must(e->local);
	return true;
}

static size_t walk(struct lans *ls, struct evpn_policy *p, const uint8_t *data, size_t size,
	uint8_t how, bool withdraw)
{
	struct reader r = reader_of(data, size);
	struct attrs a = {.next_hop = {.family = 4, .b = {10, 99, 0, 1}}};
	enum nlri_verdict v;
	size_t ok = 0;

	a.ext_communities = (struct span){.p = ecoms, .len = (uint16_t)(8 * (1 + (how >> 1) % 5))};
	while (reader_left(&r)) {
		const uint8_t *at = data + (size - reader_left(&r));
		const char *why = NULL;
		struct nlri n;

		v = evpn_family.decode(&r, withdraw, &n, &why);
		must((v == NLRI_OK) == (why == NULL));
		if (v == NLRI_BROKEN)
			break;
		if (v == NLRI_DISCARD)
			continue;
		check_text(&n);
		if (v == NLRI_OK)
			check_encode(&n, at, (size_t)at[1] + 2, withdraw);
		bool announce = v == NLRI_OK && !withdraw;
		struct policy_route route = {
			&evpn_family, n.key, n.payload, n.key_len, n.payload_len, &a, ok};
		struct evpn_rules rules = make_rules(how);
		/* PEs in turn, each with a higher sequence. */
		a.next_hop.b[3] = (uint8_t)(1 + 2 * (ok & 1));
		if (announce && evpn_policy_import(p, &rules, &route) != REFUSED_NOT)
			announce = false;
		lans_route(ls, n.key, n.key_len, n.payload, n.payload_len, announce ? &a : NULL,
			how & 0x80);
		ok++;
	}
	return ok;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct lan *lan;

	if (size < 1)
		return 0;
	struct lans *ls = make_lans(&lan);
	struct registered *registered = make_registered();
	struct evpn_policy *p = make_policy(lan, registered, data[0] & 4);
	lans_run(ls, 1000);
	walk(ls, p, data + 1, size - 1, data[0], data[0] & 1);
	ask_raw(lan, data, size);
	lans_run(ls, 5000);
	walk(ls, p, data + 1, size - 1, data[0], true);
	evpn_policy_free(p);
	registered_free(registered);
	lan_each_mac(lan, fail_on_remote, NULL);
	lan_each_binding(lan, fail_on_remote, NULL);
	lans_free(ls);
	return 0;
}
