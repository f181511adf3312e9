/* Route target membership NLRIs as they come from a peer: read, written again, and read again; and what they say must
 * go together with what is asked of them. A finding is an abort. */
#include "bgp/rtc.h"
#include "tests/bgp/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok)
{
	if (!ok)
		abort();
}

static void try_key(const struct nlri *n)
{
	uint8_t buf[RTC_KEY_MAX];
	struct writer w = writer_of(buf, sizeof(buf));
	struct nlri again;
	const char *why;
	char text[64];
	uint64_t first, last;

	must(n->key_len >= 1 && n->key_len <= RTC_KEY_MAX && n->payload_len == 0);
	rtc_family.encode(&w, n->key, n->key_len, NULL, 0);
	must(writer_ok(&w));
	struct octets o = octets_cut(buf, writer_len(&w));
	struct reader r = reader_of(o.p, o.len);
	must(rtc_family.decode(&r, false, &again, &why) == NLRI_OK && reader_done(&r));
	must(again.key_len == n->key_len && memcmp(again.key, n->key, n->key_len) == 0);
	free(o.p);
	must(strlen(rtc_family.format(text, sizeof(text), n->key, n->key_len, NULL, 0)) > 0);
	bool range = rtc_range(n->key, n->key_len, &first, &last);
	must(range == (n->key[0] != 0));
	must(!range || first <= last);
	must(!range || n->key[0] != RTC_BITS_MAX || first == last);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct octets o = octets_cut(data, size);
	struct reader r = reader_of(o.p, o.len);
	const char *why = NULL;
	struct nlri n;

	while (reader_left(&r)) {
		size_t left = reader_left(&r);
		enum nlri_verdict v = update_next(&r, &rtc_family, false, false, &n, &why);
		must(v == NLRI_OK || why);
		if (v == NLRI_BROKEN)
			break;
		must(reader_ok(&r) && reader_left(&r) < left);
		if (v == NLRI_OK)
			try_key(&n);
	}
	free(o.p);
	return 0;
}
