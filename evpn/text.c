/* The text form of EVPN routes, for `show`, the log and tests. Only printable ASCII ever leaves
 * here: unknown types are shown in hex, so that a peer cannot write on a terminal. */
#include "evpn/text.h"

#include <stdarg.h>
#include <stdio.h>

#include "evpn/nlri.h"

struct text {
	char *buf;
	size_t cap, len;
};

static void __attribute__((format(printf, 2, 3))) say(struct text *t, const char *fmt, ...)
{
	va_list ap;

	if (t->len >= t->cap)
		return;
	va_start(ap, fmt);
	int n = vsnprintf(t->buf + t->len, t->cap - t->len, fmt, ap);
	va_end(ap);
	if (n > 0)
		t->len += (size_t)n;
}

static void say_hex(struct text *t, const uint8_t *p, size_t len)
{
	for (size_t i = 0; i < len; i++)
		say(t, "%02x", p[i]);
}

static void say_ip(struct text *t, struct ip ip)
{
	char buf[IP_TEXT];

	say(t, ":[%zu]:[%s]", ip_len(ip) * 8, ip_format(ip, buf));
}

static void say_key(struct text *t, const struct evpn_route *r)
{
	char rd[RD_TEXT], esi[ESI_TEXT], mac[MAC_TEXT], ip[IP_TEXT];

	say(t, "%s [%u]", rd_format(r->rd, rd), r->type);
	switch (r->type) {
	case EVPN_AD:
		say(t, ":[%u]:[%s]", r->tag, esi_format(r->esi, esi));
		break;
	case EVPN_MACIP:
		say(t, ":[%u]:[48]:[%s]", r->tag, mac_format(r->mac, mac));
		if (r->ip.family)
			say_ip(t, r->ip);
		break;
	case EVPN_IMET:
		say(t, ":[%u]", r->tag);
		say_ip(t, r->ip);
		break;
	case EVPN_ES:
		say(t, ":[%s]", esi_format(r->esi, esi));
		say_ip(t, r->ip);
		break;
	case EVPN_PREFIX:
		say(t, ":[%u]:[%u]:[%s]", r->tag, r->prefix_len, ip_format(r->ip, ip));
		break;
	}
}

static void say_payload(struct text *t, const struct evpn_route *r)
{
	char esi[ESI_TEXT], ip[IP_TEXT];

	if ((r->type == EVPN_MACIP || r->type == EVPN_PREFIX) && !esi_is_zero(r->esi))
		say(t, " esi %s", esi_format(r->esi, esi));
	if (!ip_is_unspecified(r->gateway))
		say(t, " gateway %s", ip_format(r->gateway, ip));
	if (r->label_count)
		say(t, " label %u", r->label[0]);
	if (r->label_count > 1)
		say(t, "/%u", r->label[1]);
}

char *evpn_text_route(char *buf, size_t cap, const uint8_t *key, size_t key_len,
	const uint8_t *payload, size_t payload_len)
{
	struct text t = {buf, cap, 0};
	struct evpn_route r;
	int how = evpn_nlri_unpack(key, key_len, payload, payload_len, &r);

	if (cap)
		buf[0] = '\0';
	if (how == 0) {
		say_key(&t, &r);
		if (payload)
			say_payload(&t, &r);
	} else if (key_len) {
		say(&t, "[%u]:[", key[0]);
		say_hex(&t, key + 1, key_len - 1);
		say(&t, "]");
		if (payload && payload_len) {
			say(&t, " ");
			say_hex(&t, payload, payload_len);
		}
	}
	return buf;
}
