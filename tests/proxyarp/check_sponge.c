/* The sponge against a virtual clock: what it takes to make it answer, and what to make it stop. Each script runs for IPv4 and for
 * IPv6. A line a step; x, y, z are addresses, capitals are MACs (port 1; lower-case letters: port 2).
 *
 *   ask A x [N]     A asks for x, N seconds long, once a second      probe A x, data A x, say A x, trap A x    as the plane tells
 *   tick [N]        N seconds                                        life x B   the books: x is B's
 *   own x B, disown x, full, room, busy, idle, pause, resume         add x, del x  the operator
 *   list xy, list -                                                the registry has them as nobody's
 *   = TEXT          what was done since the last such line           ? x STATE      what x is now; "none"
 */
#include <check.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "proxyarp/sponge.h"
#include "proxyarp/sponge_frame.h"

#define PORT(c) (islower((unsigned char)(c)) ? 2 : 1)

struct world {
	struct sponge *s;
	int family;
	uint64_t now_ms;
	char done[4096];
	struct mac owner[256]; /* by letter of the address; zero: nobody */
	bool set[256], full, busy;
	int notes[4];
};

static struct world w;

static struct ip address(char c)
{
	char text[32];
	struct ip ip;

	snprintf(text, sizeof(text), w.family == 4 ? "198.18.0.%d" : "2001:db8:100::%x", c);
	ck_assert_int_eq(ip_parse(text, &ip), 0);
	return ip;
}

static char letter(struct ip ip)
{
	return (char)(ip.family == 4 ? ip.b[3] : ip.b[15]);
}

static struct mac host(char c)
{
	return (struct mac){{2, 0, 0, 0, 0, (uint8_t)c}};
}

static void did(const char *verb, char a, char b, char c)
{
	size_t at = strlen(w.done);

	snprintf(w.done + at, sizeof(w.done) - at, "%s%s%s%.1s%s%.1s%s%.1s", at ? ", " : "", verb, a ? " " : "", &a,
		b ? " " : "", &b, c ? " " : "", &c);
}

static bool on_owned(void *arg, struct ip ip, struct mac *ret_mac)
{
	(void)arg;
	*ret_mac = w.owner[(uint8_t)letter(ip)];
	return !mac_is_zero(*ret_mac);
}

static int on_set(void *arg, struct ip ip)
{
	struct mac mac;

	if (on_owned(arg, ip, &mac))
		return -EEXIST;
	if (w.full)
		return -ENOSPC;
	w.set[(uint8_t)letter(ip)] = true;
	did("set", letter(ip), 0, 0);
	return 0;
}

static void on_del(void *arg, struct ip ip)
{
	(void)arg;
	ck_assert(w.set[(uint8_t)letter(ip)]);
	w.set[(uint8_t)letter(ip)] = false;
	did("del", letter(ip), 0, 0);
}

static int on_probe(void *arg, struct ip ip, const struct sponge_asker *asker)
{
	(void)arg;
	if (w.busy)
		return -EAGAIN;
	did("who", letter(ip), asker ? (char)asker->mac.b[5] : 0, 0);
	return 0;
}

static void on_tell(void *arg, const struct sponge_asker *to, struct ip ip, struct mac mac)
{
	(void)arg;
	ck_assert_uint_eq(to->ifindex, PORT(to->mac.b[5]));
	did("tell", (char)to->mac.b[5], letter(ip), mac_is_zero(mac) ? '-' : (char)mac.b[5]);
}

static void on_note(void *arg, enum sponge_note what, struct ip ip, struct mac mac, uint32_t ifindex)
{
	(void)arg;
	(void)ip;
	(void)mac;
	(void)ifindex;
	w.notes[what]++;
}

static const struct sponge_hooks hooks = {
	.owned = on_owned, .set = on_set, .del = on_del, .probe = on_probe, .tell = on_tell, .note = on_note};

static struct prefix prefixes[2];

static struct sponge_config conf(void)
{
	prefix_parse("198.18.0.0/21", &prefixes[0]);
	prefix_parse("2001:db8:100::/64", &prefixes[1]);
	return (struct sponge_config){.on = true,
		.prefixes = prefixes,
		.prefix_count = 2,
		.queries = 10,
		.window_sec = 60,
		.probes = 3,
		.learn_sec = 0,
		.source_rate = 3,
		.max = 64,
		.repair = true};
}

static void begin_with(const struct sponge_config *c, int family)
{
	w = (struct world){.family = family, .now_ms = 1000000};
	w.s = sponge_new(c, &hooks, w.now_ms);
	ck_assert_ptr_nonnull(w.s);
}

static void tick(int n)
{
	for (int i = 0; i < n; i++) {
		w.now_ms += 1000;
		sponge_tick(w.s, w.now_ms);
	}
}

static void event(enum layout_event_type type, char who, struct ip ip, uint8_t flags)
{
	struct layout_event e = {.type = (uint8_t)type, .family = ip.family, .ifindex = PORT(who), .flags = flags};

	memcpy(e.mac, host(who).b, 6);
	memcpy(e.ip, ip.b, 16);
	sponge_event(w.s, &e, w.now_ms);
}

struct seeking {
	struct ip ip;
	struct sponge_view v;
	bool found;
};

static void seek(void *arg, const struct sponge_view *v)
{
	struct seeking *k = arg;

	if (!ip_eq(v->ip, k->ip))
		return;
	k->v = *v;
	k->found = true;
}

static const char *state_of(char c)
{
	struct seeking k = {.ip = address(c)};

	sponge_each(w.s, seek, &k);
	if (!k.found)
		return "none";
	ck_assert(k.v.active == w.set[(uint8_t)c]);
	return sponge_state_text(k.v.state);
}

static void step_event(const char *verb, char who, char c)
{
	static const struct {
		const char *verb;
		enum layout_event_type type;
	} verbs[] = {{"ask", EVENT_QUERY}, {"probe", EVENT_PROBE}, {"data", EVENT_LIFE}, {"say", EVENT_BINDING},
		{"trap", EVENT_TRAP}};

	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (strcmp(verb, verbs[i].verb) == 0) {
			event(verbs[i].type, who, address(c), 0);
			return;
		}
	ck_abort_msg("%s?", verb);
}

/* Words that are not events. */
static bool step_word(const char *verb, const char *a, const char *b)
{
	if (strcmp(verb, "own") == 0)
		w.owner[(uint8_t)*a] = host(*b);
	else if (strcmp(verb, "disown") == 0)
		w.owner[(uint8_t)*a] = (struct mac){{0}};
	else if (strcmp(verb, "full") == 0 || strcmp(verb, "room") == 0)
		w.full = *verb == 'f';
	else if (strcmp(verb, "busy") == 0 || strcmp(verb, "idle") == 0)
		w.busy = *verb == 'b';
	else if (strcmp(verb, "pause") == 0 || strcmp(verb, "resume") == 0)
		sponge_pause(w.s, *verb == 'p');
	else if (strcmp(verb, "tick") == 0)
		tick(*a ? atoi(a) : 1);
	else if (strcmp(verb, "?") == 0)
		ck_assert_str_eq(state_of(*a), b);
	else
		return false;
	return true;
}

static void step(const char *line)
{
	char verb[16] = "", a[16] = "", b[16] = "", n[16] = "";

	if (line[0] == '=') {
		ck_assert_str_eq(w.done, line[1] ? line + 2 : "");
		w.done[0] = '\0';
		return;
	}
	sscanf(line, "%15s %15s %15s %15s", verb, a, b, n);
	if (step_word(verb, a, b))
		return;
	if (strcmp(verb, "life") == 0) { /* the books have put the owner in its place already */
		w.owner[(uint8_t)*a] = host(*b);
		w.set[(uint8_t)*a] = false;
		sponge_life(w.s, address(*a), host(*b), w.now_ms);
	} else if (strcmp(verb, "add") == 0) {
		did("add", (char)('0' - sponge_add(w.s, address(*a), w.now_ms)), 0, 0);
	} else if (strcmp(verb, "list") == 0) {
		struct ip list[16];
		size_t n_list = 0, out;
		for (; a[n_list] && a[n_list] != '-'; n_list++)
			list[n_list] = address(a[n_list]);
		out = sponge_list(w.s, list, n_list, w.now_ms);
		if (out)
			did("out", (char)('0' + out), 0, 0);
	} else if (strcmp(verb, "del") == 0) {
		did("del", (char)('0' - sponge_del(w.s, address(*a))), 0, 0);
	} else {
		for (int i = 0; i < (*n ? atoi(n) : 1); i++) {
			if (i)
				tick(1);
			step_event(verb, *a, *b);
		}
	}
}

static void run(const char *script)
{
	char line[256];

	for (const char *end; *script; script = *end ? end + 1 : end) {
		end = script + strcspn(script, "\n");
		snprintf(line, sizeof(line), "%.*s", (int)(end - script), script);
		step(line);
	}
}

#define SPONGED "ask A x 10\ntick 4\n= who x A, who x A, who x A, set x\n? x sponged\n"

static const struct {
	const char *what, *script;
} scripts[] = {
	{"proof: queries, then probes, then it answers",
		"ask A x 9\n? x alive\ntick\nask A x\n? x pending\n=\ntick\n= who x A\ntick\n= who x A\ntick\n= who x A\n"
		"? x pending\ntick\n= set x\n? x sponged"},
	{"too slow is no proof", "ask A x 5\ntick 60\nask A x 5\ntick 60\nask A x 5\ntick 9\n=\n? x alive"},
	{"several ask", "ask A x 4\nask B x 4\nask c x 4\n? x pending"},
	{"nobody asks any more: forgotten", "ask A x 9\ntick 130\n? x none\n="},
	{"a probe ends it at once; its owner is told of once it is known",
		SPONGED "ask B x\nprobe C x\n= del x\n? x alive\ntick 3\n=\nsay C x\n= tell A x C, tell B x C\ntick\n= tell A x C, tell B x C\n"
			"tick\n= tell A x C, tell B x C\ntick\n=\n? x none"},
	{"a probe, and nobody comes: it takes proof anew",
		SPONGED "probe C x\n= del x\nask A x 20\n? x alive\ntick 60\n? x none\nask A x 10\ntick 4\n= who x A, who x A, who x A, set x"},
	{"a probe while it is being proved", "ask A x 10\ntick 2\nprobe C x\n= who x A, who x A\n? x alive\nask A x 9\ntick 9\n=\n? x alive"},
	{"a probe is no question", "probe A x 30\n=\n? x none"},
	{"ARP or an NA", SPONGED "say C x\n= del x, tell A x C\n? x alive"},
	{"the same ARP again and again is told of no more often", SPONGED "say C x\nsay C x\nsay C x\n= del x, tell A x C\ntick 9\n= tell A x C, tell A x C"},
	{"data: it ends, and who it is is asked", SPONGED "data C x\n= del x, who x A\n? x alive\ntick 5\n=\nown x D\ntick\n= tell A x D"},
	{"data of what is not sponged", "ask A x 3\ndata C x\n=\n? x alive"},
	{"the books: registered, or behind another PE", SPONGED "life x C\n= tell A x C\n? x alive\ntick 3\n= tell A x C, tell A x C\n? x none"},
	{"an owner while it is being proved", "ask A x 10\ntick\nown x C\ntick\n= who x A\n? x none"},
	{"an owner in the very last moment", "ask A x 10\ntick 3\n= who x A, who x A, who x A\nown x C\ntick 2\n=\n? x none"},
	{"what somebody has is not even counted", "own x C\nask A x 30\n=\n? x none"},
	{"one that goes on sending to the sponge", SPONGED "own x C\nlife x C\ntick 9\n= tell A x C, tell A x C, tell A x C\n? x none\ntrap D x\n= tell D x C"},
	{"what is sent to the sponge rightly", SPONGED "trap D x\n=\n? x sponged\nlife x C\n= tell A x C, tell D x C"},
	{"looping: no question counts", "ask A x\nask A y\nask A z\nask A v\nask A u\nask A t\nask A s\n=\nask A x 30\ntick 9\n=\n? x alive"},
	{"looping at one address", "ask A x\nask A x\nask A x\nask A x\nask A x\nask A x\nask A x\nask A x\nask A x\nask A x\nask A x\ntick 9\n? x alive"},
	{"scanning counts again after a window of calm",
		"ask A v\nask A u\nask A t\nask A s\nask A r\nask A q\nask A p\ntick 61\nask A x 10\n? x pending"},
	{"another's questions count while one loops", "ask A v\nask A u\nask A t\nask A s\nask A r\nask A q\nask A p\nask B x 10\n? x pending"},
	{"whoever asks more than once at a time asked once", "ask A x\nask A x\nask A x\ntick\nask A x 8\n? x alive\ntick\nask A x\n? x pending"},
	{"the plane has no room", "ask A x 10\nfull\ntick 5\n= who x A, who x A, who x A\n? x none\nroom\nask A x 10\ntick 4\n= who x A, who x A, who x A, set x"},
	{"questions that cannot be sent are no proof", "ask A x 10\nbusy\ntick 9\n=\n? x pending\nidle\ntick 4\n= who x A, who x A, who x A, set x"},
	{"paused: nothing new", "pause\nask A x 20\n? x alive\nresume\ntick\nask A x\n? x pending\npause\ntick 9\n=\nresume\ntick 4\n= who x A, who x A, who x A, set x"},
	{"paused: it still yields", SPONGED "pause\nprobe C x\n= del x"},
	{"the operator's word", "add x\n= set x, add 0\n? x static\nadd x\ndel x\ndel x\n= add A, del x, del 0, del 2\n? x none"},
	{"the operator's word about what somebody has", "own x C\nadd x\n= add A\n? x none"},
	{"the operator's word ends a sponge", SPONGED "del x\n= del x, del 0\n? x none"},
	{"the operator's word about what is sponged already", SPONGED "add x\n= add 0\n? x static"},
	{"static: a probe silences it for a minute", "add x\nprobe C x\n= set x, add 0, del x\ntick 59\n=\ntick\n= set x\n? x static"},
	{"static: an owner silences it as long as there is one",
		"add x\nask A x\nown x C\nlife x C\n= set x, add 0, tell A x C\ntick 300\n= tell A x C, tell A x C\n? x static\ndisown x\ntick\n= set x"},
	{"unassigned: from the start, without proof or asker", "list xy\n= set x, set y\n? x static\ntick 90000\n= \n? y static"},
	{"unassigned: what is there already stays", "list xy\nlist y\n= set x, set y, del x\n? x none\n? y static\nlist yz\n= set z\nlist z\n= del y\nlist -\n= del z"},
	{"unassigned: somebody has it: it waits", "own x C\nlist x\n=\n? x static\ntick 300\n=\ndisown x\ntick\n= set x"},
	{"unassigned: somebody comes: it yields, and is back when he is gone",
		"list x\nask A x\nown x C\nlife x C\n= set x, tell A x C\ntick 300\n= tell A x C, tell A x C\ndisown x\ntick\n= set x"},
	{"unassigned: a probe silences it for a minute", "list x\nprobe C x\n= set x, del x\ntick 60\n= set x\n? x static"},
	{"unassigned: the operator cannot take it away, and what he adds stays",
		"list x\ndel x\n= set x, del 1\nadd x\n= add 0\nadd x\n= add A\nlist -\n=\n? x static\nlist x\ndel x\n= del 0\n? x static\nlist -\n= del x\n? x none"},
	{"unassigned: what is sponged already, and what is being proved", SPONGED "list x\n=\n? x static\nask A y 10\nlist xy\n= set y\ntick 9\n=\n? y static"},
	{"unassigned: somebody has it: nor does the operator's word help", "own x C\nlist x\nadd x\n= add A"},
	{"unassigned: no room", "full\nlist xy\n= out 2\n? x none"},
	{"static needs no proof and no asker", "add x\ntick 90000\n= set x, add 0\n? x static"},
	{"sponged, and nobody asks for a day", SPONGED "tick 86000\n=\n? x sponged\ntick 600\n= del x\n? x none"},
	{"sponged, and asked for", SPONGED "tick 80000\nask A x\ntick 80000\n=\n? x sponged"},
};

START_TEST(script)
{
	struct sponge_config c = conf();
	int row = _i / 2;

	begin_with(&c, _i % 2 ? 6 : 4);
	run(scripts[row].script);
	/* No timers, no lists: what is freed in any state frees all. */
	sponge_free(w.s);
}
END_TEST

START_TEST(listens_first)
{
	struct sponge_config c = conf();
	struct sponge_stats st;

	c.learn_sec = 300;
	begin_with(&c, 4);
	run("ask A x 299\n=\n? x alive\ntick 2\nask A x\n? x pending");
	sponge_stats(w.s, w.now_ms, &st);
	ck_assert_uint_eq(st.learn_ms, 0);
	sponge_free(w.s);
	/* It was away for half a minute: it has missed half a minute. */
	begin_with(&c, 4);
	sponge_restored(w.s, 30000);
	sponge_stats(w.s, w.now_ms, &st);
	ck_assert_uint_eq(st.learn_ms, 30000);
	run("ask A x 30\n=\n? x alive\ntick 2\nask A x\n? x pending");
	sponge_free(w.s);
	begin_with(&c, 4);
	sponge_restored(w.s, 3000000);
	sponge_stats(w.s, w.now_ms, &st);
	ck_assert_uint_eq(st.learn_ms, 300000);
	sponge_free(w.s);
}
END_TEST

START_TEST(never_these)
{
	static const char *const never[] = {"fe80::1", "169.254.0.1", "198.18.0.0", "198.18.7.255", "198.18.8.1", "192.0.2.1",
		"224.0.0.1", "ff02::1", "2001:db8:100::", "2001:db8:101::1", "0.0.0.0", "::"};
	struct sponge_config c = conf();
	struct sponge_stats st;
	struct ip ip;

	begin_with(&c, 4);
	for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++) {
		ck_assert_int_eq(ip_parse(never[i], &ip), 0);
		for (int n = 0; n < 30; n++) {
			event(EVENT_QUERY, 'A', ip, 0);
			tick(1);
		}
		ck_assert_int_eq(sponge_add(w.s, ip, w.now_ms), -EINVAL);
	}
	sponge_stats(w.s, w.now_ms, &st);
	ck_assert_uint_eq(st.addresses, 0);
	ck_assert_str_eq(w.done, "");
	sponge_free(w.s);
}
END_TEST

START_TEST(network_addresses)
{
	struct sponge_config c = conf();
	struct sponge_stats st;

	c.network = true;
	begin_with(&c, 4);
	sponge_stats(w.s, w.now_ms, &st);
	ck_assert_uint_eq(st.statics, 2); /* no prefix of IPv6 has such */
	ck_assert(w.set[0] && w.set[255]);
	c.on = false;
	sponge_configure(w.s, &c, w.now_ms);
	ck_assert(w.set[0] && w.set[255]);
	c.network = false;
	sponge_configure(w.s, &c, w.now_ms);
	ck_assert(!w.set[0] && !w.set[255]);
	sponge_free(w.s);
}
END_TEST

START_TEST(switched_off)
{
	struct sponge_config c = conf();

	begin_with(&c, 4);
	run(SPONGED "add y\nask A z 3\n= set y, add 0\n");
	c.on = false;
	sponge_configure(w.s, &c, w.now_ms);
	run("= del x\n? x none\n? y static\n? z none\nask A x 20\ntick 9\n=\n? x none");
	c.on = true;
	c.window_sec = 30;
	sponge_configure(w.s, &c, w.now_ms);
	run(SPONGED);
	sponge_free(w.s);
}
END_TEST

START_TEST(other_prefixes)
{
	static const struct prefix none;
	struct sponge_config c = conf();
	struct prefix other = none;

	prefix_parse("198.18.0.128/25", &other);
	c.network = true;
	begin_with(&c, 4);
	ck_assert_int_eq(sponge_add(w.s, ip_v4_u32(0xc6120005), w.now_ms), 0);
	ck_assert_int_eq(sponge_add(w.s, ip_v4_u32(0xc6120085), w.now_ms), 0);
	c.prefixes = &other;
	c.prefix_count = 1;
	sponge_configure(w.s, &c, w.now_ms);
	other = none; /* its own from now on */
	ck_assert(!sponge_answers(w.s, ip_v4_u32(0xc6120005)));
	ck_assert(sponge_answers(w.s, ip_v4_u32(0xc6120085)));
	ck_assert(!sponge_answers(w.s, ip_v4_u32(0xc6120000)));
	ck_assert(sponge_answers(w.s, ip_v4_u32(0xc6120080)) && sponge_answers(w.s, ip_v4_u32(0xc61200ff)));
	ck_assert_int_eq(sponge_add(w.s, ip_v4_u32(0xc6120006), w.now_ms), -EINVAL);
	sponge_free(w.s);
}
END_TEST

START_TEST(told_at_once)
{
	struct sponge_config c = conf();

	c.gratuitous = true;
	begin_with(&c, _i % 2 ? 6 : 4);
	run("ask A x 5\nask b x 5\ntick 4\n= who x A, who x A, who x A, set x, tell A x -, tell b x -");
	sponge_free(w.s);
	c.repair = false;
	begin_with(&c, _i % 2 ? 6 : 4);
	run("ask A x 10\ntick 4\n= who x A, who x A, who x A, set x, tell A x -\nlife x C\ntrap A x\ntick 9\n=");
	sponge_free(w.s);
}
END_TEST

/* Of those who ask, the latest are remembered. */
START_TEST(askers)
{
	struct sponge_config c = conf();

	begin_with(&c, 4);
	run(SPONGED "ask B x\ntick\nask C x\ntick\nask D x\ntick\nask E x\ntick\nask F x\ntick\nask G x\ntick\nask H x\ntick\nask A x\n"
		    "tick\nask I x\nlife x Z\n= tell A x Z, tell I x Z, tell C x Z, tell D x Z, tell E x Z, tell F x Z, tell G x Z, tell H x Z");
	sponge_free(w.s);
}
END_TEST

START_TEST(bounded)
{
	struct sponge_config c = conf();
	struct sponge_stats st;
	struct ip ip;

	c.source_rate = 0;
	c.max = 16;
	begin_with(&c, 6);
	run("ask b x\n");
	/* A scan through one port: a quarter, and never what came by another. */
	for (int i = 0; i < 1000; i++) {
		ip = address('a');
		ip.b[8] = (uint8_t)(i >> 8);
		ip.b[9] = (uint8_t)i;
		event(EVENT_QUERY, (char)('A' + i % 20), ip, 0);
	}
	sponge_stats(w.s, w.now_ms, &st);
	ck_assert_uint_eq(st.addresses, 5);
	ck_assert_uint_eq(st.evicted, 996);
	run("? x alive");
	/* What is sponged stays, whoever else comes; and then there is no room for more. */
	run("ask A t 10\nask A u 10\nask A v 10\nask A r 10\ntick 4\n? t sponged\n? u sponged\n? v sponged\n? r sponged\n"
	    "ask A q\n? q none");
	ck_assert_int_gt(w.notes[SPONGE_NOTE_FULL], 0);
	sponge_stats(w.s, w.now_ms, &st);
	ck_assert_uint_eq(st.full, 1);
	sponge_free(w.s);
}
END_TEST

START_TEST(sweeps)
{
	struct sponge_config c = conf();
	struct sponge_stats st;

	prefix_parse("198.18.0.96/28", &prefixes[0]);
	c.sweep_sec = 20;
	c.sweep_rate = 5;
	begin_with(&c, 4);
	w.owner['b'] = host('B');
	run("add c\n= set c, add 0\ntick 20\n= who a, who d\ntick\n= who e, who f, who g, who h, who i\n"
	    "tick 3\n= who j, who k, who l, who m, who n\ntick 16\n= who a, who d\nbusy\ntick 3\n=\nidle\ntick\n= who e, who f, who g, who h, who i");
	sponge_stats(w.s, w.now_ms, &st);
	ck_assert_uint_eq(st.swept, 19);
	sponge_free(w.s);
}
END_TEST

static void copy(void *arg, const struct sponge_view *v)
{
	struct sponge *to = arg;

	sponge_restore(to, v, w.now_ms);
}

START_TEST(restarts)
{
	struct sponge_config c = conf();
	struct sponge *old;

	begin_with(&c, _i % 2 ? 6 : 4);
	run("add y\nadd z\nadd v\nask A x 10\ntick 4\nask A w 5\n");
	ck_assert(sponge_dirty(w.s));
	ck_assert(!sponge_dirty(w.s));
	old = w.s;
	w.done[0] = '\0';
	memset(w.set, 0, sizeof(w.set));
	w.owner['z'] = host('Z');
	w.s = sponge_new(&c, &hooks, w.now_ms);
	sponge_each(old, copy, w.s);
	sponge_free(old);
	ck_assert(w.set['x'] && w.set['y'] && w.set['v'] && !w.set['z'] && !w.set['w']);
	ck_assert(!sponge_dirty(w.s));
	run("? x sponged\n? y static\n? z static\n? w none\n");
	w.done[0] = '\0';
	/* Who asked before the restart is told after it. */
	run("life x C\n= tell A x C\ndisown z\ntick 2\n= set z, tell A x C, tell A x C");
	ck_assert(sponge_dirty(w.s));
	sponge_free(w.s);
	/* It has an owner by now: not sponged, and who asked before is told. */
	struct sponge_asker asker = {1, host('A'), 0};
	struct sponge_view owned = {
		.ip = address('x'), .state = SPONGE_SPONGED, .askers = &asker, .asker_count = 1};
	w.done[0] = '\0';
	w.owner['x'] = host('C');
	w.s = sponge_new(&c, &hooks, w.now_ms);
	ck_assert_int_eq(sponge_restore(w.s, &owned, w.now_ms), 0);
	run("? x alive\ntick\n= tell A x C\ntick 2\n= tell A x C, tell A x C\ntick\n? x none");
	sponge_free(w.s);
	memset(w.owner, 0, sizeof(w.owner));
	/* Nothing that this LAN would not sponge is taken over. */
	struct sponge_view bad[] = {{.ip = address('x'), .state = SPONGE_ALIVE}, {.ip = address('x'), .state = SPONGE_PENDING},
		{.ip = address(0), .state = SPONGE_STATIC}, {.ip = address('x'), .state = SPONGE_SPONGED, .asker_count = 9}};
	w.s = sponge_new(&c, &hooks, w.now_ms);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_int_eq(sponge_restore(w.s, &bad[i], w.now_ms), -EINVAL);
	sponge_free(w.s);
}
END_TEST

/* Anything in any order: it never answers for what somebody has, and what it says it answers is what it answers. */
START_TEST(anything)
{
	struct sponge_config c = conf();
	unsigned seed = (unsigned)_i;
	static const enum layout_event_type types[] = {EVENT_QUERY, EVENT_QUERY, EVENT_QUERY, EVENT_QUERY, EVENT_PROBE, EVENT_LIFE,
		EVENT_BINDING, EVENT_TRAP};

	c.queries = 3;
	c.max = 12;
	c.source_rate = 0;
	begin_with(&c, _i % 2 ? 6 : 4);
	for (int i = 0; i < 20000; i++) {
		char a = (char)('p' + rand_r(&seed) % 10), who = (char)((rand_r(&seed) % 2 ? 'a' : 'A') + rand_r(&seed) % 12);
		switch (rand_r(&seed) % 16) {
		case 0:
			w.owner[(uint8_t)a] = host(who);
			w.set[(uint8_t)a] = false;
			sponge_life(w.s, address(a), host(who), w.now_ms);
			break;
		case 1:
		case 2:
			w.owner[(uint8_t)a] = (struct mac){{0}};
			break;
		case 3:
			rand_r(&seed) % 2 ? sponge_add(w.s, address(a), w.now_ms) : sponge_del(w.s, address(a));
			break;
		case 4:
		case 5:
		case 6:
			tick(1);
			break;
		default:
			event(types[rand_r(&seed) % 8], who, address(a), 0);
		}
		w.done[0] = '\0';
		for (char x = 'p'; x < 'p' + 10; x++) {
			ck_assert(!w.set[(uint8_t)x] || mac_is_zero(w.owner[(uint8_t)x]));
			state_of(x);
		}
	}
	sponge_free(w.s);
}
END_TEST

/* --- frames; checksums by scapy --- */

static const struct {
	const char *ip, *from;
	const char *hex;
} frames[] = {
	{"198.18.0.9", "198.18.0.1", "ffffffffffff 020000000041 0806 0001080006040001 020000000041 c6120001 000000000000 c6120009"},
	{"198.18.0.9", NULL, "ffffffffffff 020000000041 0806 0001080006040001 020000000041 00000000 000000000000 c6120009"},
	{"2001:db8:100::9", NULL,
		"3333ff000009 020000000041 86dd 6000000000203aff fe8000000000000000 0000fffe000041 ff0200000000000000000001ff000009 "
		"87004ad100000000 20010db8010000000000000000000009 0101020000000041"},
};

static size_t unhex(const char *hex, uint8_t *out)
{
	size_t n = 0;
	unsigned b;

	for (; *hex; hex += *hex == ' ' ? 1 : 2)
		if (*hex != ' ' && sscanf(hex, "%2x", &b) == 1)
			out[n++] = (uint8_t)b;
	return n;
}

START_TEST(question)
{
	uint8_t want[128], out[SPONGE_FRAME_MAX];
	struct ip ip, from = {0};

	ip_parse(frames[_i].ip, &ip);
	if (frames[_i].from)
		ip_parse(frames[_i].from, &from);
	size_t len = sponge_question(ip, host('A'), from, out);
	ck_assert_uint_eq(len, unhex(frames[_i].hex, want));
	ck_assert_mem_eq(out, want, len);
}
END_TEST

START_TEST(told)
{
	uint8_t want[128], out[SPONGE_FRAME_MAX];
	struct ip ip, to;

	ip_parse("198.18.0.9", &ip);
	ip_parse("198.18.0.1", &to);
	size_t len = sponge_told(host('A'), to, ip, host('C'), true, out);
	ck_assert_uint_eq(len, unhex("020000000041 020000000043 0806 0001080006040002 020000000043 c6120009 020000000041 c6120001", want));
	ck_assert_mem_eq(out, want, len);
	len = sponge_told(host('A'), (struct ip){0}, ip, host('C'), true, out);
	ck_assert_uint_eq(len, unhex("020000000041 020000000043 0806 0001080006040002 020000000043 c6120009 020000000041 c6120009", want));
	ck_assert_mem_eq(out, want, len);
	ip_parse("2001:db8:100::9", &ip);
	len = sponge_told(host('A'), (struct ip){0}, ip, host('C'), true, out);
	ck_assert_uint_eq(len, unhex("020000000041 020000000043 86dd 6000000000203aff 20010db8010000000000000000000009 "
				     "ff020000000000000000000000000001 880076d8a0000000 20010db8010000000000000000000009 0201020000000043",
				       want));
	ck_assert_mem_eq(out, want, len);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("sponge");
	TCase *c = tcase_create("sponge");

	tcase_set_timeout(c, 60);
	tcase_add_loop_test(c, script, 0, 2 * (int)(sizeof(scripts) / sizeof(scripts[0])));
	tcase_add_test(c, listens_first);
	tcase_add_test(c, never_these);
	tcase_add_test(c, network_addresses);
	tcase_add_test(c, switched_off);
	tcase_add_test(c, other_prefixes);
	tcase_add_loop_test(c, told_at_once, 0, 2);
	tcase_add_test(c, askers);
	tcase_add_test(c, bounded);
	tcase_add_test(c, sweeps);
	tcase_add_loop_test(c, restarts, 0, 2);
	tcase_add_loop_test(c, anything, 0, 8);
	tcase_add_loop_test(c, question, 0, (int)(sizeof(frames) / sizeof(frames[0])));
	tcase_add_test(c, told);
	suite_add_tcase(s, c);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? 1 : 0;
}
