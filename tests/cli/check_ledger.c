/* What `quell` makes of the agent's ledger: sums, rates, metrics, the proof of a port, the tables of `quell top`. */
#include "cli/ledger.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "cli/top_view.h"

#define HEAD "{\"name\":\"swp1\",\"lan\":\"ixp\",\"kind\":\"member\","
#define TAIL "\"balance\":[{\"lan\":\"ixp\",\"balanced\":true,\"faults\":[]}],\"time_ms\":"

#define BEFORE                                                                                     \
	"{\"ports\":[" HEAD "\"in\":{\"arp-request\":{\"answered\":[100,6000],\"unknown-target\":[50,3000]}},"  \
	"\"out\":{\"arp-reply\":{\"answer\":[100,4200]}},\"interface\":{\"rx_packets\":1000,\"tx_packets\":500}}]," \
	TAIL "1000}"
#define AFTER                                                                                      \
	"{\"ports\":[" HEAD "\"in\":{\"arp-request\":{\"answered\":[120,7200],\"unknown-target\":[50,3000]," \
	"\"would\":[4,240]},\"ipv4\":{\"forwarded\":[10,15140]},\"x-new\":{\"x-drop\":[2,120]}},"    \
	"\"out\":{\"arp-reply\":{\"answer\":[120,5040]},\"ipv4\":{\"delivered\":[8,8000]}},"         \
	"\"would\":{\"in\":{\"arp-request\":{\"answered\":[4,240]}},\"out\":{}},"                    \
	"\"interface\":{\"rx_packets\":1036,\"tx_packets\":528}}," HEAD2 "]," TAIL "3000}"
#define HEAD2 "{\"name\":\"swp2\",\"lan\":\"ixp\",\"kind\":\"member\",\"in\":{},\"out\":{\"lldp\":{\"delivered\":[6,600]}}}"

static json_t *load(const char *text)
{
	json_error_t e;
	json_t *v = json_loads(text, 0, &e);

	ck_assert_msg(v != NULL, "%s in %s", e.text, text);
	return v;
}

static const json_t *port(const json_t *answer, size_t i)
{
	return json_array_get(json_object_get(answer, "ports"), i);
}

START_TEST(sums)
{
	json_t *is = load(AFTER);
	struct ledger_sums s = ledger_sums(port(is, 0));

	ck_assert_double_eq(s.in.frames, 186);
	ck_assert_double_eq(s.answered.frames, 120);
	ck_assert_double_eq(s.dropped.frames, 52); /* with what is not known here */
	ck_assert_double_eq(s.would.frames, 4);
	ck_assert_double_eq(s.forwarded.octets, 15140);
	ck_assert_double_eq(s.out.frames, 128);
	ck_assert_double_eq(s.bum.frames, 0);
	ck_assert_double_eq(ledger_sums(port(is, 1)).bum.frames, 6);
	json_decref(is);
}
END_TEST

START_TEST(rates)
{
	json_t *was = load(BEFORE), *is = load(AFTER), *r = ledger_rates(was, is);
	struct ledger_sums s = ledger_sums(port(r, 0));

	ck_assert_double_eq(s.answered.frames, 10);
	ck_assert_double_eq(s.answered.octets, 600);
	ck_assert_double_eq(s.dropped.frames, 1);
	ck_assert_double_eq(s.answers.frames, 10);
	ck_assert_double_eq(ledger_sums(port(r, 1)).bum.frames, 3); /* a port that is new */
	ck_assert_ptr_null(ledger_rates(is, is));
	/* Its row was zeroed in between. */
	json_object_set_new(was, "time_ms", json_integer(5000));
	json_decref(r);
	r = ledger_rates(is, was);
	ck_assert_double_eq(ledger_sums(port(r, 0)).answered.frames, 50);
	json_decref(r);
	json_decref(was);
	json_decref(is);
}
END_TEST

static char *text_of(void (*fn)(const json_t *v, FILE *out), const json_t *v)
{
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	fn(v, f);
	fclose(f);
	return text;
}

START_TEST(metrics)
{
	json_t *is = load("{\"ports\":[{\"name\":\"a\\\"\\\\b\",\"lan\":\"ixp\",\"kind\":\"member\",\"in\":{\"ra\":"
			  "{\"hygiene\":[3,330]}},\"out\":{},\"would\":{\"in\":{\"ra\":{\"hygiene\":[1,110]}},\"out\":{}}}],"
			  TAIL "1}");
	char *text = text_of(ledger_metrics, is);

	ck_assert_str_eq(text,
		"# TYPE quell_ledger_frames counter\n"
		"# HELP quell_ledger_frames Frames at a port, by class and what became of them.\n"
		"quell_ledger_frames_total{lan=\"ixp\",port=\"a\\\"\\\\b\",direction=\"in\",class=\"ra\",outcome=\"hygiene\"} 3\n"
		"# TYPE quell_ledger_bytes counter\n"
		"# UNIT quell_ledger_bytes bytes\n"
		"# HELP quell_ledger_bytes Octets of these frames, without FCS.\n"
		"quell_ledger_bytes_total{lan=\"ixp\",port=\"a\\\"\\\\b\",direction=\"in\",class=\"ra\",outcome=\"hygiene\"} 330\n"
		"# TYPE quell_ledger_would_frames counter\n"
		"# HELP quell_ledger_would_frames Frames that went on in dry run, by what would have become of them.\n"
		"quell_ledger_would_frames_total{lan=\"ixp\",port=\"a\\\"\\\\b\",direction=\"in\",class=\"ra\",outcome=\"hygiene\"} 1\n"
		"# TYPE quell_ledger_balanced gauge\n"
		"# HELP quell_ledger_balanced 1 if the books of a LAN balance.\n"
		"quell_ledger_balanced{lan=\"ixp\"} 1\n"
		"# EOF\n");
	free(text);
	json_decref(is);
}
END_TEST

static const struct {
	const char *before, *after;
	bool holds;
	const char *says[5];
} proofs[] = {
	{NULL, AFTER, true,
		{"port swp1, LAN ixp, all its life:",
			"received 186 = answered 120 + dropped 52 + policed 0 + forwarded 10 + flooded 0 + dry run 4  holds",
			"answers made 120 = answers that left 120  holds", "BUM 0; refused there 0  silent",
			"the books of LAN ixp, all its ports  balance"}},
	{BEFORE, AFTER, true,
		{"in 2.0 s:", "received 36 = answered 20", "answers made 20 = answers that left 20  holds",
			"received 36 and sent 28, the ledger has 36 and 28  the same", NULL}},
	{NULL,
		"{\"ports\":[" HEAD "\"in\":{\"ns\":{\"answered\":[3,258]}},\"out\":{\"na\":{\"answer\":[2,172]},"
		"\"lldp\":{\"delivered\":[1,60]}}}]," TAIL "1}",
		false,
		{"answers made 3 = answers that left 2  DOES NOT HOLD", "BUM 1; refused there 0  BUM LEFT", NULL}},
	{NULL, "{\"ports\":[{}]}", true, {"port ?, LAN ?, all its life:", "the egress program saw nothing leave", NULL}},
};

START_TEST(prove)
{
	json_t *was = proofs[_i].before ? load(proofs[_i].before) : NULL, *is = load(proofs[_i].after);
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);
	bool holds = ledger_prove((struct ledger_moment){was, was}, (struct ledger_moment){is, is}, false, f);

	fclose(f);
	ck_assert_msg(holds == proofs[_i].holds, "%s", text);
	for (int i = 0; i < 5 && proofs[_i].says[i]; i++)
		ck_assert_msg(strstr(text, proofs[_i].says[i]) != NULL, "no '%s' in\n%s", proofs[_i].says[i], text);
	free(text);
	json_decref(was);
	json_decref(is);
}
END_TEST

/* A busy port: an answer was on its way while the rows were read. */
START_TEST(prove_while_it_moves)
{
	static const char port[] = "{\"ports\":[" HEAD "\"in\":{\"ns\":{\"answered\":[%d,0]}},\"out\":{\"na\":{\"answer\":"
				   "[%d,0]}}}]," TAIL "1}";
	static const struct {
		int made1, left1, made2, left2;
		bool holds;
	} rows[] = {{10, 9, 12, 11, true}, {10, 11, 11, 12, true}, {10, 8, 12, 9, false}, {10, 13, 12, 14, false},
		{10, 10, 10, 10, true}};
	char first[512], second[512];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		snprintf(first, sizeof(first), port, rows[i].made1, rows[i].left1);
		snprintf(second, sizeof(second), port, rows[i].made2, rows[i].left2);
		json_t *a = load(first), *b = load(second);
		FILE *f = fopen("/dev/null", "w");
		ck_assert(ledger_prove((struct ledger_moment){NULL, NULL}, (struct ledger_moment){a, b}, false, f) ==
			  rows[i].holds);
		fclose(f);
		json_decref(a);
		json_decref(b);
	}
}
END_TEST

static char *table_text(struct table *t)
{
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	table_print(t, f, false, "none");
	table_free(t);
	fclose(f);
	return text;
}

START_TEST(top_tables)
{
	struct top_options o = {.classes = false};
	json_t *was = load(BEFORE), *is = load(AFTER), *r = ledger_rates(was, is);
	char *text = table_text(top_ports(r, &o, TOP_BY_BUM));

	ck_assert_str_eq(text,
		"PORT  KIND    IN/s  kbit/s  ANSWERED  SPONGED  DROPPED  POLICED  WENT ON  OUT/s  kbit/s  REFUSED  BUM\n"
		"swp2  member     0       0         0        0        0        0        0    3.0     2.4        0  3.0\n"
		"swp1  member    18      67        10        0      1.0        0      7.0     14      35        0    0\n");
	free(text);
	o.port = "swp1";
	text = table_text(top_classes(r, &o));
	ck_assert_str_eq(text,
		"PORT  DIRECTION  CLASS        OUTCOME    FRAMES/s  kbit/s\n"
		"swp1  in         arp-request  answered         10     4.8\n"
		"swp1  out        arp-reply    answer           10     3.4\n"
		"swp1  in         ipv4         forwarded       5.0      61\n"
		"swp1  out        ipv4         delivered       4.0      32\n"
		"swp1  in         arp-request  would           2.0     1.0\n"
		"swp1  in         x-new        x-drop          1.0     0.5\n");
	free(text);
	o.lan = "other";
	text = table_text(top_ports(r, &o, TOP_BY_NAME));
	ck_assert_str_eq(text, "none\n");
	free(text);
	json_decref(r);
	json_decref(was);
	json_decref(is);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("cli/ledger");
	TCase *c = tcase_create("core");

	tcase_add_test(c, sums);
	tcase_add_test(c, rates);
	tcase_add_test(c, metrics);
	tcase_add_loop_test(c, prove, 0, (int)(sizeof(proofs) / sizeof(proofs[0])));
	tcase_add_test(c, prove_while_it_moves);
	tcase_add_test(c, top_tables);
	suite_add_tcase(s, c);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? 1 : 0;
}
