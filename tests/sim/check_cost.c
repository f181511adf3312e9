/* What one message of at most 4 096 octets may cost: 1 ms of CPU and 64 KiB that stay, whatever is
 * in it and whatever is in the table. The worst that can be thought of, a row each.
 *
 * CPU is the thread's own clock and the least of many repetitions, so that a busy machine does not
 * count; it covers what the message causes in the RIB and its encoding for the clients. Under a
 * sanitizer it is shown but not judged. Memory is what malloc has given out and the units of the
 * pool; that tables double now and then is left out by making them large before.
 */
#include <check.h>
#include <malloc.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bgp/engine.h"
#include "bgp/rtc.h"
#include "evpn/family.h"
#include "evpn/nlri.h"
#include "lib/log.h"
#include "lib/siphash.h"

#if defined(__SANITIZE_ADDRESS__)
#define JUDGED 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define JUDGED 0
#endif
#endif
#ifndef JUDGED
#ifdef __OPTIMIZE__
#define JUDGED 1
#else
#define JUDGED 0
#endif
#endif

#define PEERS_MAX 40
#define CPU_MAX_NS 1000000
#define KEPT_MAX 65536
#define REPEAT 15
#define PATIENCE 300

static const struct bgp_family *const families[] = {&evpn_family, &rtc_family};

struct peer {
	struct neighbor *n;
	struct conn *c;
};

static struct speaker *s;
static struct peer peer[PEERS_MAX];
static uint64_t now = 1000;

static uint64_t cpu_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static struct ip address_of(int i)
{
	return ip_v4_u32(0x0a000001u + (uint32_t)i);
}

/* --- the speaker and its peers --- */

static void drain(void)
{
	struct action a;
	const uint8_t *p;
	size_t n;

	do {
		speaker_run(s, now);
		while (speaker_next_action(s, &a)) {
			if (a.type == ACTION_CONNECT) {
				conn_lost(a.conn, CONN_FAILED, now);
				continue;
			}
			while ((n = conn_tx(a.conn, &p, now)))
				conn_sent(a.conn, n, now);
			if (a.type == ACTION_CLOSE)
				conn_closed(a.conn);
		}
	} while (speaker_deadline(s) <= now);
}

enum kind { IBGP, EBGP, ADD_PATH, CONTROL, MEMBERSHIP };

static void peer_up(int i, enum kind kind)
{
	struct neighbor_config c = {.address = address_of(i),
		.client = true,
		.passive = true,
		.add_path = ADD_PATH_BOTH};
	bool ebgp = kind == EBGP || kind == CONTROL;
	struct bgp_open o = {.as = ebgp ? 64512 + (uint32_t)i : 65000,
		.hold_sec = 90,
		.bgp_id = 0x0a000001u + (uint32_t)i,
		.families = {{AFI_L2VPN, SAFI_EVPN}},
		.family_count = 1,
		.as4 = true,
		.role = -1};
	uint8_t buf[BGP_MSG_MAX];
	struct writer w = writer_of(buf, sizeof(buf));

	c.control_communities = kind == CONTROL;
	c.rt_constrain = kind == MEMBERSHIP;
	if (kind == MEMBERSHIP)
		o.families[o.family_count++] = (struct bgp_afi_safi){1, 132};
	if (kind == ADD_PATH) {
		o.add_path[0] = (struct open_add_path){{AFI_L2VPN, SAFI_EVPN}, 3};
		o.add_path_count = 1;
	}
	ck_assert_int_eq(speaker_add_neighbor(s, &c, now, &peer[i].n), 0);
	peer[i].c = speaker_accept(s, address_of(i), address_of(-1), now);
	ck_assert_ptr_nonnull(peer[i].c);
	open_encode(&w, &o);
	keepalive_encode(&w);
	conn_rx(peer[i].c, buf, writer_len(&w), now);
	ck_assert(peer[i].n->up);
}

static void begin(int peers, enum kind kind)
{
	struct speaker_config c = {.as = 65000,
		.router_id = 0x0a0000fe,
		.families = families,
		.family_count = 2,
		.hold_sec = 90};

	siphash_process_key_fix(1, 2);
	s = speaker_new(&c, now);
	hmap_reserve(&s->table[0].rib.map, 1u << 13);
	for (int i = 0; i < peers; i++)
		peer_up(i, kind);
	drain();
}

static void end(void)
{
	speaker_free(s);
}

/* --- messages --- */

struct msg {
	uint8_t octets[BGP_MSG_EXTENDED_MAX];
	size_t len;
};

struct build {
	struct writer w;
	size_t msg, attrs, mp;
	bool add_path, withdraw;
	uint32_t path_id;
	size_t room;
};

static struct build message(struct msg *m, size_t max)
{
	struct build b = {.w = writer_of(m->octets, max)};

	b.msg = bgp_msg_begin(&b.w, BGP_UPDATE);
	writer_u16(&b.w, 0);
	b.attrs = writer_mark(&b.w);
	writer_u16(&b.w, 0);
	return b;
}

static void attr(struct build *b, uint8_t flags, uint8_t type, const void *value, size_t len)
{
	writer_u8(&b->w, flags | ATTR_FLAG_EXTENDED);
	writer_u8(&b->w, type);
	writer_u16(&b->w, (uint16_t)len);
	writer_bytes(&b->w, value, len);
}

static void mandatory(struct build *b)
{
	attr(b, 0x40, ATTR_ORIGIN, "", 1);
	attr(b, 0x40, ATTR_AS_PATH, "", 0);
	attr(b, 0x40, ATTR_LOCAL_PREF, "\0\0\0\x64", 4);
}

static void reach(struct build *b, uint32_t next_hop)
{
	writer_u8(&b->w, 0x90);
	writer_u8(&b->w, ATTR_MP_REACH);
	b->mp = writer_mark(&b->w);
	writer_u16(&b->w, 0);
	writer_u16(&b->w, AFI_L2VPN);
	writer_u8(&b->w, SAFI_EVPN);
	writer_u8(&b->w, 4);
	writer_u32(&b->w, next_hop);
	writer_u8(&b->w, 0);
}

static void unreach(struct build *b)
{
	b->withdraw = true;
	writer_u8(&b->w, 0x90);
	writer_u8(&b->w, ATTR_MP_UNREACH);
	b->mp = writer_mark(&b->w);
	writer_u16(&b->w, 0);
	writer_u16(&b->w, AFI_L2VPN);
	writer_u8(&b->w, SAFI_EVPN);
}

static bool nlri(struct build *b, uint8_t type, const void *value, size_t len)
{
	if (writer_room(&b->w) < 2 + len + 4 * b->add_path)
		return false;
	if (b->add_path)
		writer_u32(&b->w, b->path_id++);
	writer_u8(&b->w, type);
	writer_u8(&b->w, (uint8_t)len);
	writer_bytes(&b->w, value, len);
	return true;
}

static void finish(struct build *b, struct msg *m)
{
	ck_assert(writer_ok(&b->w));
	writer_patch_u16(&b->w, b->mp, (uint16_t)(writer_mark(&b->w) - b->mp - 2));
	writer_patch_u16(&b->w, b->attrs, (uint16_t)(writer_mark(&b->w) - b->attrs - 2));
	bgp_msg_finish(&b->w, b->msg);
	m->len = writer_len(&b->w);
}

/* Fills up with NLRIs of a type whose value begins with `n`, and then zeros, up to the tail. */
struct filler {
	uint8_t type, len;
	const char *tail; /* the last octets */
	uint8_t tail_len;
	bool same; /* one key, with another payload each time */
};

static void fill(struct build *b, const struct filler *f, uint32_t from)
{
	uint8_t value[255] = {0};

	if (f->tail_len)
		memcpy(value + f->len - f->tail_len, f->tail, f->tail_len);
	for (uint32_t i = from;; i++) {
		uint32_t n = f->same ? from : i;
		value[4] = (uint8_t)(n >> 24);
		value[5] = (uint8_t)(n >> 16);
		value[6] = (uint8_t)(n >> 8);
		value[7] = (uint8_t)n;
		if (f->same) {
			value[f->len - 1] = (uint8_t)i;
			value[f->len - 2] = (uint8_t)(i >> 8);
		}
		if (!nlri(b, f->type, value, f->len))
			return;
	}
}

/* RD, no segment, tag 0, a MAC of 48 bits, no IP, label. */
#define MACIP_TAIL "\x30\x02\0\0\0\0\1\0\0\0\x64"
static const struct filler macip = {2, 33, MACIP_TAIL, 11, false},
			   macip_same = {2, 33, MACIP_TAIL, 11, true},
			   macip_no_label = {2, 30, "\x30\x02\0\0\0\0\1\0", 8, false},
			   unknown_short = {20, 8, NULL, 0, false},
			   unknown_none = {20, 0, NULL, 0, false},
			   imet = {3, 17, "\x20\x0a\0\0\1", 5, false}, ad = {1, 25, NULL, 0, false},
			   ad_same = {1, 25, NULL, 0, true};

typedef void builder(struct msg *m, uint32_t round);

#define PLAIN(name, filler)                                                                        \
	static void name(struct msg *m, uint32_t round)                                            \
	{                                                                                          \
		struct build b = message(m, BGP_MSG_MAX);                                          \
		mandatory(&b);                                                                     \
		reach(&b, 0x0a000001);                                                             \
		fill(&b, &(filler), round << 12);                                                  \
		finish(&b, m);                                                                     \
	}
PLAIN(new_macs, macip)
PLAIN(new_unknown, unknown_short)
PLAIN(new_imet, imet)
PLAIN(new_ad, ad)
PLAIN(one_mac, macip_same)
PLAIN(one_ad, ad_same)
PLAIN(no_labels, macip_no_label)

static void empty_nlris(struct msg *m, uint32_t round)
{
	struct build b = message(m, BGP_MSG_MAX);

	(void)round;
	mandatory(&b);
	reach(&b, 0x0a000001);
	while (nlri(&b, unknown_none.type, "", 0))
		;
	finish(&b, m);
}

static void withdraw_unknown(struct msg *m, uint32_t round)
{
	struct build b = message(m, BGP_MSG_MAX);

	unreach(&b);
	fill(&b, &unknown_short, round << 12);
	finish(&b, m);
}

/* The same keys with other attributes each time: all of them are told again. */
static void again(struct msg *m, uint32_t round)
{
	struct build b = message(m, BGP_MSG_MAX);

	mandatory(&b);
	attr(&b, 0x80, ATTR_MED, &round, 4);
	reach(&b, 0x0a000001);
	fill(&b, &macip, 0);
	finish(&b, m);
}

static void again_short(struct msg *m, uint32_t round)
{
	struct build b = message(m, BGP_MSG_MAX);

	mandatory(&b);
	attr(&b, 0x80, ATTR_MED, &round, 4);
	reach(&b, 0x0a000001);
	fill(&b, &unknown_short, 0);
	finish(&b, m);
}

/* There, and not there. */
static void come_and_go(struct msg *m, uint32_t round)
{
	struct build b = message(m, BGP_MSG_MAX);

	if (round & 1) {
		unreach(&b);
	} else {
		mandatory(&b);
		reach(&b, 0x0a000001);
	}
	fill(&b, &unknown_short, 0);
	finish(&b, m);
}

static void add_paths(struct msg *m, uint32_t round)
{
	struct build b = message(m, BGP_MSG_MAX);
	uint8_t value[8] = {1};

	mandatory(&b);
	reach(&b, 0x0a000001);
	b.add_path = true;
	b.path_id = round << 12;
	while (nlri(&b, 20, value, sizeof(value)))
		;
	finish(&b, m);
}

/* --- one attribute as long as can be, and one route --- */

static void with_attr(struct msg *m, uint8_t flags, uint8_t type, const uint8_t *value, size_t len)
{
	struct build b = message(m, BGP_MSG_MAX);

	attr(&b, 0x40, ATTR_ORIGIN, "", 1);
	if (type != ATTR_AS_PATH)
		attr(&b, 0x40, ATTR_AS_PATH, "", 0);
	attr(&b, 0x40, ATTR_LOCAL_PREF, "\0\0\0\x64", 4);
	attr(&b, flags, type, value, len);
	reach(&b, 0x0a000001);
	nlri(&b, 20, "12345678", 8);
	finish(&b, m);
}

#define VALUE_MAX (BGP_MSG_MAX - 100)

static void numbers(uint8_t *value, size_t len, unsigned step, uint32_t round)
{
	for (size_t i = 0; i + step <= len; i += step) {
		uint32_t v = (uint32_t)(i / step) * 7919u + round;
		value[i + step - 1] = (uint8_t)v;
		value[i + step - 2] = (uint8_t)(v >> 8);
		if (step > 2)
			value[i + step - 3] = (uint8_t)(v >> 16);
	}
}

static void long_path(struct msg *m, uint32_t round)
{
	uint8_t value[VALUE_MAX] = {0};
	size_t len = 0;

	for (unsigned left = (VALUE_MAX - 16) / 4; left;) {
		unsigned n = left < 255 ? left : 255;
		value[len++] = 2;
		value[len++] = (uint8_t)n;
		memset(value + len, 1, 4 * n);
		numbers(value + len, 4 * n, 4, round + 1);
		len += 4 * n;
		left -= n;
	}
	with_attr(m, 0x40, ATTR_AS_PATH, value, len);
}

static void many_segments(struct msg *m, uint32_t round)
{
	uint8_t value[VALUE_MAX];
	size_t len = 0;

	for (; len + 6 <= sizeof(value); len += 6)
		memcpy(value + len, len & 1 ? "\1\1\0\1\0\7" : "\2\1\0\1\0\7", 6);
	value[5] = (uint8_t)round;
	with_attr(m, 0x40, ATTR_AS_PATH, value, len);
}

#define LONG(name, flags, type, step)                                                              \
	static void name(struct msg *m, uint32_t round)                                            \
	{                                                                                          \
		uint8_t value[VALUE_MAX] = {0};                                                    \
		size_t len = VALUE_MAX / (step) * (step);                                          \
		numbers(value, len, step, round);                                                  \
		with_attr(m, flags, type, value, len);                                             \
	}
LONG(communities, 0xc0, ATTR_COMMUNITIES, 4)
LONG(ext_communities, 0xc0, ATTR_EXT_COMMUNITIES, 8)
LONG(large_communities, 0xc0, ATTR_LARGE_COMMUNITIES, 12)
LONG(cluster_list, 0x80, ATTR_CLUSTER_LIST, 4)
LONG(one_unknown, 0xc0, 200, 2)

/* Half of it communities, half of it routes: each of them is asked for each of the others. */
static void control(struct msg *m, uint32_t round)
{
	struct build b = message(m, BGP_MSG_MAX);
	uint8_t value[2000] = {0};

	for (size_t i = 0; i < sizeof(value); i += 4) {
		value[i + 2] = 1;
		value[i + 3] = (uint8_t)(i + round);
	}
	attr(&b, 0x40, ATTR_ORIGIN, "", 1);
	attr(&b, 0x40, ATTR_AS_PATH, "\2\1\0\0\xfc\0", 6);
	attr(&b, 0xc0, ATTR_COMMUNITIES, value, sizeof(value));
	reach(&b, 0x0a000001);
	fill(&b, &unknown_short, 0);
	finish(&b, m);
}

/* The membership of 292 route targets, others each time. */
static void membership(struct msg *m, uint32_t round)
{
	struct build b = message(m, BGP_MSG_MAX);

	mandatory(&b);
	writer_u8(&b.w, 0x90);
	writer_u8(&b.w, ATTR_MP_REACH);
	b.mp = writer_mark(&b.w);
	writer_u16(&b.w, 0);
	writer_u16(&b.w, 1);
	writer_u8(&b.w, 132);
	writer_u8(&b.w, 4);
	writer_u32(&b.w, 0x0a000001);
	writer_u8(&b.w, 0);
	for (uint32_t i = 0; writer_room(&b.w) >= 13; i++) {
		writer_u8(&b.w, 96);
		writer_u32(&b.w, 65000);
		writer_u32(&b.w, 0x0002fde8);
		writer_u32(&b.w, (i * 2654435761u) ^ round);
	}
	finish(&b, m);
}

static void many_unknown(struct msg *m, uint32_t round)
{
	struct build b = message(m, BGP_MSG_MAX);
	uint8_t value[11];

	memset(value, (int)round, sizeof(value));
	mandatory(&b);
	for (unsigned type = 255; type > 0; type--)
		if (type > 40)
			attr(&b, 0xc0, (uint8_t)type, value, sizeof(value));
	reach(&b, 0x0a000001);
	nlri(&b, 20, "12345678", 8);
	finish(&b, m);
}

/* The same type again and again is discarded each time (RFC 7606 section 3 g). */
static void duplicates(struct msg *m, uint32_t round)
{
	struct build b = message(m, BGP_MSG_MAX);

	(void)round;
	mandatory(&b);
	while (writer_room(&b.w) > 60)
		attr(&b, 0xc0, 200, "", 0);
	reach(&b, 0x0a000001);
	nlri(&b, 20, "12345678", 8);
	finish(&b, m);
}

/* --- rows --- */

static const struct row {
	const char *what;
	builder *build;
	int peers;
	enum kind kind;
	/* What the peers say before: each of them the same keys. */
	builder *before;
} rows[] = {
	{"new MACs", new_macs, 11, IBGP, NULL},
	{"new routes, the shortest there are", new_unknown, 11, IBGP, NULL},
	{"new routes of type 3", new_imet, 11, IBGP, NULL},
	{"new routes of type 1", new_ad, 11, IBGP, NULL},
	{"one MAC, with another label each time", one_mac, 11, IBGP, NULL},
	{"one route of type 1, likewise", one_ad, 11, IBGP, NULL},
	{"MACs without a label", no_labels, 11, IBGP, new_macs},
	{"NLRIs of two octets", empty_nlris, 11, IBGP, NULL},
	{"withdrawals of what is not there", withdraw_unknown, 11, IBGP, NULL},
	{"routes that come and go", come_and_go, 11, IBGP, NULL},
	{"the same MACs with other attributes", again, 11, IBGP, NULL},
	{"the shortest with other attributes", again_short, 11, IBGP, NULL},
	{"MACs that 20 others have, too", again, 20, IBGP, again},
	{"the shortest, that 20 others have, too", again_short, 20, IBGP, again_short},
	{"MACs that 40 others have, too", again, 40, IBGP, again},
	{"the shortest, that 30 others have, too", again_short, 30, IBGP, again_short},
	{"the same from 30 AS", again_short, 30, EBGP, again_short},
	{"many paths of one key", add_paths, 11, ADD_PATH, NULL},
	{"communities that a route server obeys", control, 40, CONTROL, NULL},
	{"route target membership", membership, 11, MEMBERSHIP, NULL},
	{"a long AS path", long_path, 11, IBGP, NULL},
	{"an AS path of many segments", many_segments, 11, IBGP, NULL},
	{"communities", communities, 11, IBGP, NULL},
	{"extended communities", ext_communities, 11, IBGP, NULL},
	{"large communities", large_communities, 11, IBGP, NULL},
	{"a long CLUSTER_LIST", cluster_list, 11, IBGP, NULL},
	{"an attribute that is not known", one_unknown, 11, IBGP, NULL},
	{"many that are not known", many_unknown, 11, IBGP, NULL},
	{"one of these, many times", duplicates, 11, IBGP, NULL},
};

static size_t units(const struct pool *p)
{
	size_t used = (size_t)p->chunks << POOL_CHUNK_BITS;

	if (p->chunks)
		used -= (1u << POOL_CHUNK_BITS) - p->used;
	for (uint32_t u = 1; u <= POOL_OBJECT_MAX / POOL_UNIT; u++)
		for (pool_ref ref = p->free[u]; ref; memcpy(&ref, pool_at(p, ref), sizeof(ref)))
			used -= u;
	return used;
}

static size_t given_out(void)
{
	const struct rib *r = &s->table[0].rib;
	struct mallinfo2 m = mallinfo2();

	return m.uordblks + m.hblkhd + units(&r->pool) * POOL_UNIT -
	       (size_t)r->pool.chunks * ((1u << POOL_CHUNK_BITS) * POOL_UNIT);
}

START_TEST(cost)
{
	static struct msg m;
	const struct row *r = &rows[_i];
	uint64_t least = UINT64_MAX;
	size_t kept = 0, before;

	begin(r->peers, r->kind);
	if (r->kind == ADD_PATH && !session_add_path_in(peer[0].n->main, &evpn_family))
		return; /* not agreed on */
	for (int i = 0; r->before && i < r->peers; i++) {
		r->before(&m, 0);
		conn_rx(peer[i].c, m.octets, m.len, now);
		drain();
	}
	/* Others may be using up the caches: it is given more time before it is judged. */
	for (uint32_t round = 0; round < REPEAT || (least >= CPU_MAX_NS && round < PATIENCE);
		round++) {
		r->build(&m, round);
		ck_assert_uint_le(m.len, BGP_MSG_MAX);
		before = given_out();
		uint64_t at = cpu_ns();
		conn_rx(peer[0].c, m.octets, m.len, now);
		drain();
		at = cpu_ns() - at;
		if (at < least && round)
			least = at;
		if (round < REPEAT && given_out() > before && given_out() - before > kept)
			kept = given_out() - before;
		ck_assert_msg(peer[0].n->up, "%s: the session is lost", r->what);
		now += 1;
	}
	printf("%-42s %5llu us %6zu octets\n", r->what, (unsigned long long)least / 1000, kept);
	fflush(stdout);
	if (JUDGED) {
		ck_assert_msg(least < CPU_MAX_NS, "%s: %llu us", r->what,
			(unsigned long long)least / 1000);
		ck_assert_msg(kept <= KEPT_MAX, "%s: %zu octets stay", r->what, kept);
	}
	end();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("cost");
	TCase *t = tcase_create("cost");

	log_set_all(getenv("COST_LOG") ? LOG_LEVEL_INFO : LOG_LEVEL_ERROR);
	mallopt(M_MMAP_THRESHOLD, 256 << 20);
	mallopt(M_MXFAST, 0);
	tcase_add_loop_test(t, cost, 0, (int)(sizeof(rows) / sizeof(*rows)));
	suite_add_tcase(suite, t);
	SRunner *sr = srunner_create(suite);
	srunner_run_all(sr, CK_ENV);
	int failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
