/* Two peers do to a speaker whatever the input says: messages sound and broken, connections that
 * come and go, time that passes, sockets that take nothing. Two monitoring stations look on, and must
 * hear nothing that is wrong. Input: records of [what u8][len u8][len octets].
 *
 *   0 connect    octet: which peer
 *   1 message    which peer, type, body: a header is put in front
 *   2 octets     which peer, octets as they are
 *   3 lost       which peer
 *   4 time       seconds
 *   5 window     which peer, octets in hundreds that it takes from now on
 *   6 originate  number, payload
 *   7 withdraw   number
 *   8 OPEN       which peer, flags: as4, refresh, enhanced, extended, gr, N, R, F; more flags: route target
 *                membership, long-lived graceful restart and its F
 *   9 station    which one, octets in hundreds that it takes from now on; 0: it hangs up
 *  10 operator   which peer, what: refresh, reset, shutdown, enable
 *  11 membership which route targets of our own
 *
 * The second peer is a client and may do what the first may not: membership, long-lived graceful restart.
 */
#include "bgp/rtc.h"
#include "bgp/speaker.h"
#include "lib/log.h"
#include "lib/siphash.h"
#include "tests/bgp/wire.h"
#include "tests/fuzz/fuzz_station.h"

#define PEERS 2
#define CONNS 8

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct fuzz {
	struct speaker *s;
	uint64_t now;
	struct conn *conn[CONNS]; /* newest of peer i at i; the others just live */
	size_t window[PEERS];
	size_t conns;
	struct bmp *bmp;
	struct station station[2];
	size_t station_window[2];
};

static struct ip address(unsigned peer)
{
	return ip_v4_u32(0xc0000202u + peer);
}

static void forget(struct fuzz *f, struct conn *c)
{
	for (unsigned i = 0; i < PEERS; i++)
		if (f->conn[i] == c)
			f->conn[i] = NULL;
}

static void drain(struct fuzz *f)
{
	struct action a;
	const uint8_t *p;
	size_t n;

	for (int i = 0; i < 100; i++) {
		if (speaker_deadline(f->s) <= f->now)
			speaker_run(f->s, f->now);
		if (!speaker_next_action(f->s, &a))
			break;
		if (a.type == ACTION_CONNECT) {
			conn_lost(a.conn, CONN_FAILED, f->now);
		} else if (a.type == ACTION_CLOSE) {
			conn_tx(a.conn, &p, f->now);
			forget(f, a.conn);
			conn_closed(a.conn);
		}
	}
	for (unsigned i = 0; i < PEERS; i++)
		while (f->conn[i] && f->window[i] && (n = conn_tx(f->conn[i], &p, f->now))) {
			n = n < f->window[i] ? n : f->window[i];
			f->window[i] -= n;
			/* Every octet must be readable. */
			volatile uint8_t x = 0;
			for (size_t k = 0; k < n; k++)
				x ^= p[k];
			(void)x;
			conn_sent(f->conn[i], n, f->now);
		}
}

static void look_on(struct fuzz *f)
{
	if (bmp_deadline(f->bmp) <= f->now)
		bmp_run(f->bmp, f->now, 1);
	for (unsigned i = 0; i < 2; i++)
		station_serve(&f->station[i], f->now, f->station_window[i]);
}

static void send_message(
	struct fuzz *f, unsigned peer, uint8_t type, const uint8_t *body, size_t len)
{
	uint8_t buf[BGP_HEADER_LEN + 256];
	struct writer w = writer_of(buf, sizeof(buf));
	size_t mark = bgp_msg_begin(&w, (enum bgp_msg_type)type);

	writer_bytes(&w, body, len);
	bgp_msg_finish(&w, mark);
	if (f->conn[peer])
		conn_rx(f->conn[peer], buf, writer_len(&w), f->now);
}

static void send_open(struct fuzz *f, unsigned peer, uint8_t flags, uint8_t more)
{
	struct bgp_open o = {.as = 65000,
		.hold_sec = 30,
		.bgp_id = ip_to_u32(address(peer)),
		.families = {{AFI_L2VPN, SAFI_EVPN}},
		.family_count = 1,
		.as4 = flags & 1,
		.route_refresh = flags & 2,
		.enhanced_refresh = flags & 4,
		.extended_message = flags & 8,
		.gr = flags & 16,
		.gr_notification = flags & 32,
		.gr_restarting = flags & 64,
		.gr_restart_sec = 60,
		.gr_families = {{{AFI_L2VPN, SAFI_EVPN}, flags & 128}},
		.gr_family_count = 1,
		.llgr = more & 2,
		.llgr_families = {{{AFI_L2VPN, SAFI_EVPN}, more & 4, 30}},
		.llgr_family_count = 1,
		.role = -1};
	if (more & 1)
		o.families[o.family_count++] = (struct bgp_afi_safi){AFI_IPV4, SAFI_RT_MEMBERSHIP};
	uint8_t buf[BGP_MSG_MAX];
	struct writer w = writer_of(buf, sizeof(buf));

	open_encode(&w, &o);
	if (f->conn[peer])
		conn_rx(f->conn[peer], buf, writer_len(&w), f->now);
}

static void originate(struct fuzz *f, uint8_t number, uint8_t payload, bool withdraw)
{
	struct nlri n = {.key_len = 2,
		.payload_len = 1,
		.key = {TEST_PAYLOAD_TYPE, number},
		.payload = {payload}};
	struct attrs a = {
		.present = ATTR_BIT(ATTR_ORIGIN) | ATTR_BIT(ATTR_AS_PATH) | ATTR_BIT(ATTR_NEXT_HOP),
		.next_hop = address(9)};

	if (withdraw)
		speaker_unoriginate(f->s, &test_family, &n, f->now);
	else
		speaker_originate(f->s, &test_family, &n, &a, f->now);
}

static void operate(struct fuzz *f, unsigned peer, uint8_t what)
{
	struct neighbor *n = speaker_find_neighbor(f->s, address(peer), NULL);

	switch (what % 4) {
	case 0:
		speaker_refresh(f->s, n, f->now);
		break;
	case 1:
		speaker_reset_neighbor(f->s, n, BGP_CEASE_RESET, "fuzz", what & 4, f->now);
		break;
	default:
		speaker_shutdown_neighbor(f->s, n, what % 4 == 2, NULL, f->now);
		break;
	}
}

static void import_targets(struct fuzz *f, uint8_t which)
{
	struct rt rts[3] = {{{0, 2, 0xfd, 0xe8, 0, 0, 0, 1}}, {{0, 2, 0xfd, 0xe8, 0, 0, 0, 2}},
		{{6, 2, 1, 2, 3, 4, 5, 6}}};

	speaker_set_membership(f->s, rts, which % 4, which & 4, f->now);
}

static void record(struct fuzz *f, uint8_t what, const uint8_t *p, size_t len)
{
	unsigned peer = len ? p[0] % PEERS : 0;
	uint8_t second = len > 1 ? p[1] : 0;

	switch (what % 12) {
	case 0: {
		struct conn *c = f->conns < CONNS
					 ? speaker_accept(f->s, address(peer), address(9), f->now)
					 : NULL;
		if (c) {
			f->conns++;
			if (f->conn[peer])
				f->conn[PEERS + f->conns % (CONNS - PEERS)] = f->conn[peer];
			f->conn[peer] = c;
		}
		break;
	}
	case 1:
		if (len >= 2)
			send_message(f, peer, second, p + 2, len - 2);
		break;
	case 2:
		if (f->conn[peer] && len)
			conn_rx(f->conn[peer], p + 1, len - 1, f->now);
		break;
	case 3:
		if (f->conn[peer]) {
			struct conn *c = f->conn[peer];
			f->conn[peer] = NULL;
			conn_lost(c, second & 1 ? CONN_FAILED : CONN_CLOSED_BY_PEER, f->now);
		}
		break;
	case 4:
		f->now += 1000ull * (len ? p[0] : 1);
		break;
	case 5:
		f->window[peer] = 100u * second;
		break;
	case 6:
	case 7:
		originate(f, (uint8_t)(len ? p[0] : 0), second, what % 12 == 7);
		break;
	case 8:
		send_open(f, peer, second, len > 2 ? p[2] : 0);
		break;
	case 9:
		f->station_window[peer] = 100u * second;
		if (!second && bmp_wants(f->station[peer].st, f->now) != BMP_CONNECT)
			bmp_lost(f->station[peer].st, "lost", f->now);
		break;
	case 10:
		operate(f, peer, second);
		break;
	case 11:
		import_targets(f, len ? p[0] : 0);
		break;
	}
	drain(f);
	look_on(f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct bgp_family *const families[] = {&test_family, &rtc_family};
	struct speaker_config c = {.as = 65000,
		.router_id = ip_to_u32(address(9)),
		.families = families,
		.family_count = 2,
		.hold_sec = 30,
		.restart_sec = 60,
		.defer_sec = 10};
	struct neighbor_config n = {
		.remote_as = 65000, .passive = true, .max_routes = 20, .queue_octets = 300};
	struct bmp_station_config station = {
		.views = BMP_PRE, .stats_sec = 10, .retry_sec = 1, .queue_octets = 20000};
	struct fuzz f = {.now = 1000,
		.window = {SIZE_MAX, SIZE_MAX},
		.station_window = {SIZE_MAX, SIZE_MAX}};
	struct reader r = reader_of(data, size);
	struct neighbor *ret;

	log_set_all(LOG_LEVEL_ERROR);
	siphash_process_key_fix(1, 2);
	f.s = speaker_new(&c, f.now);
	for (unsigned i = 0; i < PEERS; i++) {
		n.address = address(i);
		n.client = n.rt_constrain = i;
		n.llgr_sec = i * 40;
		speaker_add_neighbor(f.s, &n, f.now, &ret);
	}
	f.bmp = bmp_new(f.s, "", "");
	f.station[0].st = bmp_add(f.bmp, &station, f.now);
	station.views = BMP_PRE | BMP_POST;
	f.station[1].st = bmp_add(f.bmp, &station, f.now);
	look_on(&f);
	while (reader_left(&r) >= 2) {
		uint8_t what = reader_u8(&r), len = reader_u8(&r);
		struct span s = {reader_bytes(&r, len), len};
		if (s.p || !len)
			record(&f, what, s.p, len);
	}
	bmp_free(f.bmp);
	station_clear(&f.station[0]);
	station_clear(&f.station[1]);
	speaker_free(f.s);
	return 0;
}
