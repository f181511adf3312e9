/* EVPN NLRIs as they stand in MP_REACH and MP_UNREACH: any bytes, one route after the other,
 * through decode, encode, text and a LAN with small tables. The first octet chooses announcement or
 * withdrawal, and which extended communities go with it.
 *
 * What must hold: the walk ends; what was read is written back octet for octet (but a withdrawal,
 * which reads back as the same key); text is printable; and at the end, when all is withdrawn, the
 * LAN is empty.
 */
#include <stdlib.h>
#include <string.h>

#include "evpn/family.h"
#include "evpn/lan.h"
#include "evpn/nlri.h"

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

static struct lans *make_lans(struct lan **ret)
{
	static const struct lan_hooks hooks;
	struct lan_config c = {
		.name = "ixp", .vni = 100, .max_macs = 8, .max_bindings = 8, .import_auto = true};
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

static size_t walk(struct lans *ls, const uint8_t *data, size_t size, uint8_t how, bool withdraw)
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
	walk(ls, data + 1, size - 1, data[0], data[0] & 1);
	walk(ls, data + 1, size - 1, data[0], true);
	lan_each_mac(lan, fail_on_remote, NULL);
	lan_each_binding(lan, fail_on_remote, NULL);
	lans_free(ls);
	return 0;
}
