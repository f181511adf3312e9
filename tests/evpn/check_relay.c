/* What a reflector must leave alone: a route that one client tells comes out at another with the
 * same NLRI, octet for octet, and so does its withdrawal, whatever fills the fields that are not
 * in its key. */
#include "tests/evpn/relay.h"

/* --- routes of all kinds, with all that is not in their keys --- */

/* E, L and M stand for an ESI and two labels. */
static const struct {
	const char *what, *nlri, *zero; /* zero: as a withdrawal goes out */
} routes[] = {
	{"N7 type 1", "01 19" RD "E" TAG "L", "01 19" RD "E" TAG "000000"},
	{"N13 type 1 of a segment", "01 19" RD "E ffffffff L", "01 19" RD "E ffffffff 000000"},
	{"N7 type 2, MAC only", "02 21" RD "E" TAG "30" MAC "00 L",
		"02 21" RD ESI0 TAG "30" MAC "00 000000"},
	{"N5 type 2, MAC only, two labels", "02 24" RD "E" TAG "30" MAC "00 LM",
		"02 21" RD ESI0 TAG "30" MAC "00 000000"},
	{"type 2, IPv4", "02 25" RD "E" TAG "30" MAC "20" V4 "L",
		"02 25" RD ESI0 TAG "30" MAC "20" V4 "000000"},
	{"type 2, IPv4, two labels", "02 28" RD "E" TAG "30" MAC "20" V4 "LM",
		"02 25" RD ESI0 TAG "30" MAC "20" V4 "000000"},
	{"N4 type 2, 0.0.0.0", "02 25" RD "E" TAG "30" MAC "20 00000000 L",
		"02 25" RD ESI0 TAG "30" MAC "20 00000000 000000"},
	{"type 2, IPv6", "02 31" RD "E" TAG "30" MAC "80" V6 "L",
		"02 31" RD ESI0 TAG "30" MAC "80" V6 "000000"},
	{"type 2, IPv6, two labels", "02 34" RD "E" TAG "30" MAC "80" V6 "LM",
		"02 31" RD ESI0 TAG "30" MAC "80" V6 "000000"},
	{"N11 type 2, RD of no known type", "02 21 00ff010203040506 E" TAG "30" MAC "00 L",
		"02 21 00ff010203040506" ESI0 TAG "30" MAC "00 000000"},
	{"type 3, IPv4", "03 11" RD TAG "20 0a630002", "03 11" RD TAG "20 0a630002"},
	{"type 4, IPv4", "04 17" RD "E 20 0a630002", "04 17" RD "E 20 0a630002"},
	{"type 5, IPv4", "05 22" RD "E" TAG "18 c0000200 c0000201 L",
		"05 22" RD ESI0 TAG "18 c0000200 00000000 000000"},
	{"type 5, IPv6", "05 3a" RD "E" TAG "80" V6 V6 "L",
		"05 3a" RD ESI0 TAG "80" V6 ZERO16 "000000"},
	{"N8 type 6", "06 18" RD TAG "00 20 ef010101 20 0a630002 02",
		"06 18" RD TAG "00 20 ef010101 20 0a630002 00"},
	{"type 7", "07 22" RD "E" TAG "00 20 ef010101 20 0a630002 02",
		"07 22" RD "E" TAG "00 20 ef010101 20 0a630002 00"},
	{"type 8", "08 27" RD "E" TAG "00 20 ef010101 20 0a630002 00000000 0a 02",
		"08 27" RD "E" TAG "00 20 ef010101 20 0a630002 00000000 00 00"},
	{"type 9", "09 0c" RD "0000000a", "09 0c" RD "0000000a"},
	{"type 10", "0a 11" RD "0000000a 20 0a630002", "0a 11" RD "0000000a 20 0a630002"},
	{"type 11", "0b 1b" RD "E 0000000a 20 0a630002", "0b 1b" RD "E 0000000a 20 0a630002"},
	{"N8 a type that nobody knows", "c8 09" RD "ff", "c8 09" RD "ff"},
	{"type 0", "00 08" RD, "00 08" RD},
};

/* N12: of each type, none, the reserved one, and a type that is not there. */
static const char *const esis[] = {"00112233445566778899", "01aabbccddeeff001100",
	"02aabbccddeeff800000", "0302005e000001000001", "04c00002010000000100",
	"050000fde80000000100", "00000000000000000000", "ffffffffffffffffffff",
	"c8112233445566778899"};
/* N5, N6: what stands in label fields. */
static const char *const labels[] = {"000064", "000000", "800000", "ffffff", "fffff0", "000001"};

static const char *fill(const char *form, size_t esi, size_t label, char buf[600])
{
	char *to = buf;

	for (; *form; form++) {
		const char *with = *form == 'E'   ? esis[esi % ROWS_OF(esis)]
				   : *form == 'L' ? labels[label % ROWS_OF(labels)]
				   : *form == 'M' ? labels[(label + 2) % ROWS_OF(labels)]
						  : NULL;
		if (with)
			to = stpcpy(to, with);
		else
			*to++ = *form;
	}
	*to = '\0';
	return buf;
}

START_TEST(comes_out_as_it_went_in)
{
	char nlri[600], zero[600], other[600];
	bool known =
		routes[_i].nlri[0] == '0' && routes[_i].nlri[1] >= '1' && routes[_i].nlri[1] <= '5';
	struct world w;

	world_init(&w);
	for (size_t e = 0; e < ROWS_OF(esis); e++)
		for (size_t l = 0; l < ROWS_OF(labels); l++) {
			fill(routes[_i].nlri, e, l, nlri);
			say(&w, false, nlri, ATTRS RT);
			expect(routes[_i].what, &w.to, '+', nlri, ATTRS REFLECTED RT);
			expect(routes[_i].what, &w.frr, known ? '+' : 0, known ? nlri : "",
				known ? ATTRS REFLECTED RT : "");
			/* N6: withdrawn with another label and the same key. */
			fill(routes[_i].nlri, e, l + 1, other);
			say(&w, true, other, "");
			fill(routes[_i].zero, e, l, zero);
			expect(routes[_i].what, &w.to, '-', zero, "");
			expect(routes[_i].what, &w.frr, known ? '-' : 0, known ? zero : "", "");
		}
	world_free(&w);
}
END_TEST

/* The octets above are the key's, or else the table would be wrong: the same again says nothing,
 * and a withdrawal of what is not there neither. */
START_TEST(nothing_new_says_nothing)
{
	char nlri[600];
	struct world w;

	world_init(&w);
	fill(routes[_i].nlri, 0, 0, nlri);
	say(&w, true, nlri, "");
	expect(routes[_i].what, &w.to, 0, "", "");
	say(&w, false, nlri, ATTRS RT);
	say(&w, false, nlri, ATTRS RT);
	expect(routes[_i].what, &w.to, 0, "", "");
	world_free(&w);
}
END_TEST

/* --- changes of what is not in the key (N7) --- */

#define MOBILITY(seq) "c01010 0002fde800000064 0600 00 00 " seq " "

static const struct {
	const char *what, *nlri, *rest, *new_nlri, *new_rest;
} changes[] = {
	{"label of type 1", "01 19" RD ESI1 TAG "000064", "", "01 19" RD ESI1 TAG "000065", ""},
	{"label of type 2", "02 21" RD ESI0 TAG "30" MAC "00 000064", "",
		"02 21" RD ESI0 TAG "30" MAC "00 000065", ""},
	{"second label", "02 24" RD ESI0 TAG "30" MAC "00 000064 000001", "",
		"02 24" RD ESI0 TAG "30" MAC "00 000064 000002", ""},
	{"second label comes", "02 21" RD ESI0 TAG "30" MAC "00 000064", "",
		"02 24" RD ESI0 TAG "30" MAC "00 000064 000000", ""},
	{"second label goes", "02 24" RD ESI0 TAG "30" MAC "00 000064 000000", "",
		"02 21" RD ESI0 TAG "30" MAC "00 000064", ""},
	{"ESI of type 2", "02 21" RD ESI0 TAG "30" MAC "00 000064", "",
		"02 21" RD ESI1 TAG "30" MAC "00 000064", ""},
	{"mobility sequence", "02 21" RD ESI0 TAG "30" MAC "00 000064", MOBILITY("00000001"),
		"02 21" RD ESI0 TAG "30" MAC "00 000064", MOBILITY("00000002")},
	{"a lower one", "02 21" RD ESI0 TAG "30" MAC "00 000064", MOBILITY("00000002"),
		"02 21" RD ESI0 TAG "30" MAC "00 000064", MOBILITY("00000001")},
	{"ESI of type 5", "05 22" RD ESI0 TAG "18 c0000200 00000000 000064", "",
		"05 22" RD ESI1 TAG "18 c0000200 00000000 000064", ""},
	{"gateway", "05 22" RD ESI0 TAG "18 c0000200 c0000201 000064", "",
		"05 22" RD ESI0 TAG "18 c0000200 c0000202 000064", ""},
	{"label of type 5", "05 3a" RD ESI0 TAG "80" V6 V6 "000064", "",
		"05 3a" RD ESI0 TAG "80" V6 V6 "800000", ""},
	{"PMSI's label", "03 11" RD TAG "20 0a630002", "c01609 00 06 000064 0a630002",
		"03 11" RD TAG "20 0a630002", "c01609 00 06 000065 0a630002"},
	{"flags of type 6", "06 18" RD TAG "00 20 ef010101 20 0a630002 02", "",
		"06 18" RD TAG "00 20 ef010101 20 0a630002 04", ""},
};

static const char *with(const char *attrs, const char *rest, char buf[300])
{
	snprintf(buf, 300, "%s%s", attrs, rest);
	return buf;
}

START_TEST(a_change_of_anything_is_told)
{
	char in[300], out[300];
	struct world w;

	world_init(&w);
	say(&w, false, changes[_i].nlri, with(ATTRS, changes[_i].rest, in));
	expect(changes[_i].what, &w.to, '+', changes[_i].nlri,
		with(ATTRS REFLECTED, changes[_i].rest, out));
	say(&w, false, changes[_i].new_nlri, with(ATTRS, changes[_i].new_rest, in));
	expect(changes[_i].what, &w.to, '+', changes[_i].new_nlri,
		with(ATTRS REFLECTED, changes[_i].new_rest, out));
	world_free(&w);
}
END_TEST

/* --- one bad route among good ones (N9) --- */

static const struct {
	const char *what, *bad;
	bool withdrawn; /* its key can be read */
} bads[] = {
	{"type 2 of 18 octets", "02 12" RD ESI0, false},
	{"type 2 without a label", "02 1e" RD ESI0 TAG "30 02005e000002 00", true},
	{"type 2, IP length 24", "02 25" RD ESI0 TAG "30" MAC "18" V4 "000064", false},
	{"type 5 of 33 octets", "05 21" RD ESI0 TAG "18 c0000200 c0000201 0000", false},
	{"type 5, prefix of 33 bits", "05 22" RD ESI0 TAG "21 c0000200 c0000201 000064", false},
	{"type 3 with an octet too many", "03 12" RD "0000000a 20 0a630002 00", true},
	{"an unknown type without an RD", "c8 03 010203", false},
	{"empty", "01 00", false},
};

START_TEST(one_bad_route_costs_itself)
{
	struct neighbor_view before, after;
	char nlris[400];
	struct world w;

	world_init(&w);
	before = raw_view(&w.from);
	snprintf(nlris, sizeof(nlris), "%s%s%s", GOOD1, bads[_i].bad, GOOD2);
	say(&w, false, nlris, ATTRS RT);
	expect(bads[_i].what, &w.to, '+', GOOD1 GOOD2, ATTRS REFLECTED RT);
	expect(bads[_i].what, &w.frr, '+', GOOD1 GOOD2, ATTRS REFLECTED RT);
	after = raw_view(&w.from);
	ck_assert_uint_eq(after.nlri_withdraw - before.nlri_withdraw, bads[_i].withdrawn);
	ck_assert_uint_eq(after.nlri_discard - before.nlri_discard, !bads[_i].withdrawn);
	ck_assert_uint_eq(after.routes_in, 2);
	world_free(&w);
}
END_TEST

/* --- all labels: each value of 24 bits, as first label and as second --- */

#if defined(__SANITIZE_ADDRESS__) || defined(__clang__)
#define MESSAGE_STEP 37 /* slow there; a step that meets all octets */
#else
#define MESSAGE_STEP 1
#endif

START_TEST(all_labels)
{
	enum { EACH = 64, NLRI = 38 };
	uint8_t nlris[EACH * NLRI], buf[BGP_MSG_MAX];
	struct octets rest = octets_of(ATTRS RT);
	struct world w;

	world_init(&w);
	for (unsigned i = 0; i < EACH; i++) {
		struct octets one = octets_of("02 24" RD ESI1 TAG "30" MAC "00 000000 000000");
		ck_assert_uint_eq(one.len, NLRI);
		memcpy(nlris + i * NLRI, one.p, NLRI);
		nlris[i * NLRI + 2 + 8 + 10 + 4 + 1 + 5] = (uint8_t)i;
		free(one.p);
	}
	for (uint32_t label = 0; label <= 0xffffff; label += EACH * MESSAGE_STEP) {
		for (uint32_t i = 0; i < EACH; i++) {
			uint32_t l = label + i, m = ~l * 5;
			uint8_t *p = nlris + (i + 1) * NLRI - 6;
			for (int k = 0; k < 3; k++) {
				p[k] = (uint8_t)(l >> (16 - 8 * k));
				p[3 + k] = (uint8_t)(m >> (16 - 8 * k));
			}
		}
		raw_forget(&w.to);
		raw_rx(&w.from, buf,
			build(buf, false, (struct octets){nlris, sizeof(nlris)}, rest));
		raw_drain(&w.to);
		ck_assert_uint_gt(w.to.out_len, sizeof(nlris));
		ck_assert_mem_eq(w.to.out + BGP_HEADER_LEN + 4 + 4 + 3 + 6, nlris, sizeof(nlris));
	}
	free(rest.p);
	world_free(&w);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("evpn/relay");
	TCase *t = tcase_create("relay");

	tcase_set_timeout(t, 120);
	tcase_add_loop_test(t, comes_out_as_it_went_in, 0, ROWS_OF(routes));
	tcase_add_loop_test(t, nothing_new_says_nothing, 0, ROWS_OF(routes));
	tcase_add_loop_test(t, a_change_of_anything_is_told, 0, ROWS_OF(changes));
	tcase_add_loop_test(t, one_bad_route_costs_itself, 0, ROWS_OF(bads));
	tcase_add_test(t, all_labels);
	suite_add_tcase(s, t);
	SRunner *sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	int failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
