/* EVPN's extended communities: the table. A reserved or unknown bit never makes one wrong; it is
 * just not understood, and the engine passes the eight octets on as they came. */
#include "evpn/ecom.h"

#include <stdio.h>

#define TYPE_OPAQUE 0x03
#define TYPE_EVPN 0x06
#define TYPE_ANY_AS 0xff /* the three kinds of route target differ in their type octet */

struct row {
	enum evpn_ecom_kind kind;
	uint8_t type, subtype;
	void (*decode)(
		struct reader *r, struct evpn_ecom *ret); /* behind type and sub-type, 6 octets */
	void (*encode)(struct writer *w, const struct evpn_ecom *ec);
	void (*format)(const struct evpn_ecom *ec, char buf[ECOM_TEXT]);
};

static void format_rt(const struct evpn_ecom *ec, char buf[ECOM_TEXT])
{
	char rt[RD_TEXT];

	snprintf(buf, ECOM_TEXT, "RT:%s", rt_format(ec->rt, rt));
}

/* --- encapsulation: reserved 4, tunnel type 2 (RFC 9012 section 4.1) --- */

static void decode_encap(struct reader *r, struct evpn_ecom *ret)
{
	reader_skip(r, 4);
	ret->encap = reader_u16(r);
}

static void encode_encap(struct writer *w, const struct evpn_ecom *ec)
{
	writer_zero(w, 4);
	writer_u16(w, ec->encap);
}

static void format_encap(const struct evpn_ecom *ec, char buf[ECOM_TEXT])
{
	snprintf(buf, ECOM_TEXT, "ET:%u", ec->encap);
}

/* --- default gateway: no value (RFC 7432 section 7.8) --- */

static void decode_none(struct reader *r, struct evpn_ecom *ret)
{
	(void)r;
	(void)ret;
}

static void encode_none(struct writer *w, const struct evpn_ecom *ec)
{
	(void)ec;
	writer_zero(w, 6);
}

static void format_default_gateway(const struct evpn_ecom *ec, char buf[ECOM_TEXT])
{
	(void)ec;
	snprintf(buf, ECOM_TEXT, "Default Gateway");
}

/* --- MAC mobility: flags 1, reserved 1, sequence 4 (section 7.7) --- */

#define MOBILITY_STICKY 0x01

static void decode_mobility(struct reader *r, struct evpn_ecom *ret)
{
	ret->mobility.sticky = reader_u8(r) & MOBILITY_STICKY;
	reader_skip(r, 1);
	ret->mobility.seq = reader_u32(r);
}

static void encode_mobility(struct writer *w, const struct evpn_ecom *ec)
{
	writer_u8(w, ec->mobility.sticky ? MOBILITY_STICKY : 0);
	writer_zero(w, 1);
	writer_u32(w, ec->mobility.seq);
}

static void format_mobility(const struct evpn_ecom *ec, char buf[ECOM_TEXT])
{
	snprintf(buf, ECOM_TEXT, "MM:%u%s", ec->mobility.seq, ec->mobility.sticky ? ",sticky" : "");
}

/* --- ESI label: flags 1, reserved 2, label 3 (section 7.5) --- */

#define ESI_SINGLE_ACTIVE 0x01

static void decode_esi_label(struct reader *r, struct evpn_ecom *ret)
{
	ret->esi_label.single_active = reader_u8(r) & ESI_SINGLE_ACTIVE;
	reader_skip(r, 2);
	ret->esi_label.label = reader_u24(r);
}

static void encode_esi_label(struct writer *w, const struct evpn_ecom *ec)
{
	writer_u8(w, ec->esi_label.single_active ? ESI_SINGLE_ACTIVE : 0);
	writer_zero(w, 2);
	writer_u24(w, ec->esi_label.label);
}

static void format_esi_label(const struct evpn_ecom *ec, char buf[ECOM_TEXT])
{
	snprintf(buf, ECOM_TEXT, "ESI-label:%u,%s", ec->esi_label.label,
		ec->esi_label.single_active ? "single-active" : "all-active");
}

/* --- ES-import route target (section 7.6), router's MAC (RFC 9135 section 8.1): 6 octets --- */

static void decode_mac(struct reader *r, struct evpn_ecom *ret)
{
	reader_copy(r, ret->mac.b, 6);
}

static void encode_mac(struct writer *w, const struct evpn_ecom *ec)
{
	writer_bytes(w, ec->mac.b, 6);
}

static void format_es_import(const struct evpn_ecom *ec, char buf[ECOM_TEXT])
{
	char mac[MAC_TEXT];

	snprintf(buf, ECOM_TEXT, "ES-import:%s", mac_format(ec->mac, mac));
}

static void format_router_mac(const struct evpn_ecom *ec, char buf[ECOM_TEXT])
{
	char mac[MAC_TEXT];

	snprintf(buf, ECOM_TEXT, "Rmac:%s", mac_format(ec->mac, mac));
}

/* --- ARP/ND: flags 1, reserved 5 (RFC 9047 section 2) --- */

static void decode_arp_nd(struct reader *r, struct evpn_ecom *ret)
{
	ret->arp_nd = reader_u8(r);
}

static void encode_arp_nd(struct writer *w, const struct evpn_ecom *ec)
{
	writer_u8(w, ec->arp_nd);
	writer_zero(w, 5);
}

static void format_arp_nd(const struct evpn_ecom *ec, char buf[ECOM_TEXT])
{
	unsigned rest =
		ec->arp_nd & (unsigned)~(ARP_ND_ROUTER | ARP_ND_OVERRIDE | ARP_ND_IMMUTABLE);
	int n = snprintf(buf, ECOM_TEXT, "ND:%s%s%s", ec->arp_nd & ARP_ND_ROUTER ? "R" : "",
		ec->arp_nd & ARP_ND_OVERRIDE ? "O" : "", ec->arp_nd & ARP_ND_IMMUTABLE ? "I" : "");

	if (rest)
		snprintf(buf + n, ECOM_TEXT - (size_t)n, "+0x%02x", rest);
}

/* --- the table --- */

static const struct row rows[] = {
	{ECOM_RT, TYPE_ANY_AS, 0x02, NULL, NULL, format_rt},
	{ECOM_ENCAP, TYPE_OPAQUE, 0x0c, decode_encap, encode_encap, format_encap},
	{ECOM_DEFAULT_GATEWAY, TYPE_OPAQUE, 0x0d, decode_none, encode_none, format_default_gateway},
	{ECOM_MOBILITY, TYPE_EVPN, 0x00, decode_mobility, encode_mobility, format_mobility},
	{ECOM_ESI_LABEL, TYPE_EVPN, 0x01, decode_esi_label, encode_esi_label, format_esi_label},
	{ECOM_ES_IMPORT, TYPE_EVPN, 0x02, decode_mac, encode_mac, format_es_import},
	{ECOM_ROUTER_MAC, TYPE_EVPN, 0x03, decode_mac, encode_mac, format_router_mac},
	{ECOM_ARP_ND, TYPE_EVPN, 0x08, decode_arp_nd, encode_arp_nd, format_arp_nd},
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

static bool row_is(const struct row *row, uint8_t type, uint8_t subtype)
{
	return subtype == row->subtype &&
	       (row->type == TYPE_ANY_AS ? type <= 2 : type == row->type);
}

static const struct row *row_of_kind(enum evpn_ecom_kind kind)
{
	for (size_t i = 0; i < ROWS; i++)
		if (rows[i].kind == kind)
			return &rows[i];
	return NULL;
}

void evpn_ecom_decode(const uint8_t ec[8], struct evpn_ecom *ret)
{
	*ret = (struct evpn_ecom){.kind = ECOM_OTHER};
	memcpy(ret->raw, ec, 8);
	for (size_t i = 0; i < ROWS; i++) {
		if (!row_is(&rows[i], ec[0], ec[1]))
			continue;
		ret->kind = rows[i].kind;
		if (rows[i].decode) {
			struct reader r = reader_of(ec + 2, 6);
			memset(ret->raw, 0, 8);
			rows[i].decode(&r, ret);
		}
		return;
	}
}

void evpn_ecom_encode(struct writer *w, const struct evpn_ecom *ec)
{
	const struct row *row = row_of_kind(ec->kind);

	if (!row || !row->encode) {
		writer_bytes(w, ec->raw, 8);
		return;
	}
	writer_u8(w, row->type);
	writer_u8(w, row->subtype);
	row->encode(w, ec);
}

char *evpn_ecom_format(const struct evpn_ecom *ec, char buf[ECOM_TEXT])
{
	const struct row *row = row_of_kind(ec->kind);
	int n = 2;

	if (row) {
		row->format(ec, buf);
		return buf;
	}
	memcpy(buf, "0x", 3);
	for (int i = 0; i < 8; i++)
		n += snprintf(buf + n, ECOM_TEXT - (size_t)n, "%02x", ec->raw[i]);
	return buf;
}

char *evpn_ecoms_format(struct span ecs, char *buf, size_t cap)
{
	size_t len = 0;

	buf[0] = '\0';
	for (size_t i = 0; i < ecom_count(ecs); i++) {
		struct evpn_ecom ec;
		char one[ECOM_TEXT];

		evpn_ecom_decode(ecom_at(ecs, i), &ec);
		evpn_ecom_format(&ec, one);
		if (len + strlen(one) + 2 > cap) {
			memcpy(buf + (len + 4 <= cap ? len : cap - 4), "...", 4);
			break;
		}
		len += (size_t)snprintf(buf + len, cap - len, "%s%s", i ? " " : "", one);
	}
	return buf;
}

bool evpn_ecom_is_arp_nd(const uint8_t ec[8])
{
	return ec[0] == TYPE_EVPN && ec[1] == 0x08;
}

bool evpn_ecom_find(struct span ecs, enum evpn_ecom_kind kind, struct evpn_ecom *ret)
{
	const struct row *row = row_of_kind(kind);

	for (size_t i = 0; row && i < ecom_count(ecs); i++)
		if (row_is(row, ecom_at(ecs, i)[0], ecom_at(ecs, i)[1])) {
			evpn_ecom_decode(ecom_at(ecs, i), ret);
			return true;
		}
	return false;
}

struct evpn_mobility evpn_ecom_mobility(struct span ecs)
{
	struct evpn_ecom ec = {.kind = ECOM_OTHER};

	return evpn_ecom_find(ecs, ECOM_MOBILITY, &ec) ? ec.mobility : (struct evpn_mobility){0};
}

bool evpn_ecom_vxlan_ok(struct span ecs)
{
	bool named = false;

	for (size_t i = 0; i < ecom_count(ecs); i++) {
		struct evpn_ecom ec;

		evpn_ecom_decode(ecom_at(ecs, i), &ec);
		named = named || ec.kind == ECOM_ENCAP;
		if (ec.kind == ECOM_ENCAP && ec.encap == ENCAP_VXLAN)
			return true;
	}
	return !named;
}
