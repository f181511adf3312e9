/* What one peer said, as another is told it: who is told at all, and what is changed on the way, by
 * the kind of both.
 *
 *   I  iBGP, client     N  iBGP     S  eBGP, client of the route server     X  eBGP
 *   C  iBGP, client, of the conservative profile
 */
#include "tests/bgp/raw.h"

#define REACH "800e0c 0019 46 04 c0000202 00 02 01 07 "
#define OURS "0000fde8"
#define FIRST "0000fdf1"
#define EBGP "400101 00 400206 0201" FIRST
#define IBGP "400101 00 400200 400504 000000c8"
#define MED "800404 00000007"
#define REFLECTED "800904 c0000202 800a04 c0000201"
#define NO_EXPORT "c00804 ffffff01"
#define NO_ADVERTISE "c00804 ffffff02"
#define NO_EXPORT_SUBCONFED "c00804 ffffff03"

static const struct {
	const char *what;
	char from, to;
	const char *in, *out; /* attributes behind MP_REACH; NULL: not told */
} rows[] = {
	{"reflected", 'I', 'I', IBGP MED, "400101 00 400200" MED "400504 000000c8" REFLECTED},
	{"reflected by a non-client's word", 'N', 'I', IBGP, IBGP REFLECTED},
	{"reflected to a non-client", 'I', 'N', IBGP, IBGP REFLECTED},
	{"non-clients tell each other", 'N', 'N', IBGP, NULL},
	{"reflected twice", 'I', 'I', IBGP "800904 0a000001 800a04 0a000002",
		IBGP "800904 0a000001 800a08 c0000201 0a000002"},
	{"out of the AS", 'I', 'X', IBGP MED "800904 0a000001 800a04 0a000002",
		"400101 00 400206 0201" OURS},
	{"into the AS", 'X', 'N', EBGP MED, EBGP MED "400504 00000064"},
	{"through the AS: no MED of another", 'X', 'X', EBGP MED,
		"400101 00 40020a 0202" OURS FIRST},
	{"between clients of the route server", 'S', 'S',
		EBGP MED "c00804 fde80001 c0200c 000000010000000200000003",
		EBGP MED "c00804 fde80001 c0200c 000000010000000200000003"},
	{"from a client of the route server to others", 'S', 'X', EBGP MED,
		"400101 00 40020a 0202" OURS FIRST},
	{"from others to a client of the route server", 'X', 'S', EBGP MED,
		"400101 00 40020a 0202" OURS FIRST},
	{"NO_EXPORT inside", 'I', 'I', IBGP NO_EXPORT, IBGP NO_EXPORT REFLECTED},
	{"NO_EXPORT out of the AS", 'I', 'X', IBGP NO_EXPORT, NULL},
	{"NO_EXPORT between clients of the route server", 'S', 'S', EBGP NO_EXPORT, EBGP NO_EXPORT},
	{"NO_EXPORT from a client to others", 'S', 'X', EBGP NO_EXPORT, NULL},
	{"NO_EXPORT_SUBCONFED out of the AS", 'X', 'X', EBGP NO_EXPORT_SUBCONFED, NULL},
	{"NO_ADVERTISE", 'I', 'I', IBGP NO_ADVERTISE, NULL},
	{"conservative: ingress replication to IPv4", 'I', 'C', IBGP "c01609 00 06 000064 0a000001",
		IBGP REFLECTED "c01609 00 06 000064 0a000001"},
	{"conservative: not to IPv6", 'I', 'C',
		IBGP "c01615 00 06 000064 20010db8000000000000000000000001", IBGP REFLECTED},
	{"conservative: tunnels of RFC 6514", 'I', 'C', IBGP "c01605 01 07 ffffff",
		IBGP REFLECTED "c01605 01 07 ffffff"},
	{"conservative: later ones", 'I', 'C', IBGP "c01605 00 08 000064", IBGP REFLECTED},
	{"conservative: no TUNNEL_ENCAP", 'I', 'C', IBGP "c01704 0008 0000 c0fe01 01",
		IBGP REFLECTED "e0fe01 01"},
	{"conservative: no PREFIX_SID", 'I', 'C', IBGP "c0280a 01 0007 00000000000064 c02701 09",
		IBGP REFLECTED "e02701 09"},
	{"else all of it", 'I', 'I',
		IBGP "c01605 00 08 000064 c01704 0008 0000 c0280a 01 0007 00000000000064",
		IBGP REFLECTED "c01605 00 08 000064 c01704 0008 0000 c0280a 01 0007 00000000000064"},
	{"NO_ADVERTISE between clients of the route server", 'S', 'S', EBGP NO_ADVERTISE, NULL},
};

static bool is_ebgp(char kind)
{
	return kind == 'S' || kind == 'X';
}

static void begin(struct raw *r, char kind, uint32_t address, uint32_t as)
{
	struct neighbor_config n = raw_neighbor();
	struct bgp_open o = raw_open();

	n.address = ip_v4_u32(address);
	n.client = kind == 'I' || kind == 'S' || kind == 'C';
	n.conservative = kind == 'C';
	n.remote_as = o.as = is_ebgp(kind) ? as : 65000;
	o.bgp_id = address;
	r->window = SIZE_MAX;
	ck_assert_int_eq(speaker_add_neighbor(r->s, &n, r->now, &r->n), 0);
	r->c = raw_call(r, address);
	ck_assert_ptr_nonnull(r->c);
	raw_drain(r);
	raw_establish(r, &o);
	raw_forget(r);
}

static void rx_update(struct raw *r, const char *attrs)
{
	struct octets reach = octets_of(REACH), rest = octets_of(attrs);
	uint8_t buf[BGP_MSG_MAX];
	struct writer w = writer_of(buf, sizeof(buf));
	size_t mark = bgp_msg_begin(&w, BGP_UPDATE);

	writer_u16(&w, 0);
	writer_u16(&w, (uint16_t)(reach.len + rest.len));
	writer_bytes(&w, reach.p, reach.len);
	writer_bytes(&w, rest.p, rest.len);
	bgp_msg_finish(&w, mark);
	raw_rx(r, buf, writer_len(&w));
	free(reach.p);
	free(rest.p);
}

START_TEST(told)
{
	struct speaker_config c = raw_speaker();
	struct raw from = {.now = 5000}, to = {.now = 5000};
	struct raw_msg m;
	size_t at = 0;

	siphash_process_key_fix(3, 4);
	from.s = to.s = speaker_new(&c, 5000);
	begin(&from, rows[_i].from, RAW_PEER, 65009);
	begin(&to, rows[_i].to, RAW_PEER + 1, 65008);
	rx_update(&from, rows[_i].in);
	raw_drain(&to);
	bool got = raw_next(&to, &at, &m);
	ck_assert_msg(
		got == (rows[_i].out != NULL), "%s: %s", rows[_i].what, got ? "told" : "not told");
	if (got) {
		/* Lengths, and MP_REACH, whose next hop is as it came. */
		struct octets want = octets_of(rows[_i].out),
			      head = octets_of("900e000c 0019 46 04 c0000202");
		char *out = hex_of(m.body + 4 + 16, m.len - 4 - 16),
		     *expect = hex_of(want.p, want.len);
		ck_assert_int_eq(m.type, BGP_UPDATE);
		ck_assert_mem_eq(m.body + 4, head.p, head.len);
		ck_assert_msg(
			strcmp(out, expect) == 0, "%s: %s, not %s", rows[_i].what, out, expect);
		free(out);
		free(expect);
		free(want.p);
		free(head.p);
	}
	/* And never back to who said it. */
	ck_assert_uint_eq(from.out_len, 0);
	speaker_free(from.s);
	free(from.out);
	free(to.out);
}
END_TEST

CHECK_MAIN("emit", { tcase_add_loop_test(t, told, 0, ROWS_OF(rows)); })
