#include "daemon/quelld_lans.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bsd/sys/queue.h>

#include "bgp/speaker.h"
#include "daemon/feed_server.h"
#include "daemon/loop.h"
#include "daemon/quelld_alarms.h"
#include "evpn/family.h"
#include "evpn/lan.h"
#include "lib/log.h"

/* Of remote origin, a LAN. The largest peering LANs have some 2 000 members; what is beyond this is
 * a fault. */
#define MAX_MACS 131072
#define MAX_BINDINGS 131072
/* Asking the import policy again walks all routes: what a peer can cause, not more often than this. */
#define RECHECK_EVERY_MS 5000

/* A route to be originated. A peer may use our own RD, so originating can change what a LAN has
 * imported, while it is still at work on what made it originate; and LANs are not re-entered. So it
 * waits until they are done. */
struct said {
	STAILQ_ENTRY(said) next;
	struct attrs *attrs; /* NULL: withdraw */
	uint16_t key_len;
	uint8_t payload_len;
	uint8_t octets[]; /* key and payload; behind them attrs' spans */
};

struct quelld_lans {
	struct loop *loop;
	struct speaker *speaker; /* NULL once detached */
	struct lans *lans;
	struct feed_server *feed;
	struct log_limit alarm_log;
	STAILQ_HEAD(, said) said;
	bool saying;
	struct quelld_alarms alarms;
	bool reconsider;	/* the policy is to be asked again */
	uint64_t rechecked_ms;	/* when it was last; 0: not yet */
	bool converged; /* the speaker has */
	bool retelling; /* and is at it again; see quelld_lans_set() */
	struct loop_turn turn; /* says what the feed gave cause to, and what time does */
};

/* --- evpn/lan's hooks --- */

static void on_mac(void *arg, struct lan *lan, struct mac mac, const struct lan_entry *best)
{
	struct quelld_lans *q = arg;

	if (q->feed)
		feed_server_mac(q->feed, lan, mac, best);
}

static void on_binding(void *arg, struct lan *lan, struct ip ip, const struct lan_entry *best)
{
	struct quelld_lans *q = arg;

	if (q->feed)
		feed_server_binding(q->feed, lan, ip, best);
}

static void on_flood(void *arg, struct lan *lan, struct ip vtep, bool present)
{
	struct quelld_lans *q = arg;

	if (q->feed)
		feed_server_flood(q->feed, lan, vtep, present);
}

static void not_originated(struct quelld_lans *q, const char *why)
{
	log_limited(&q->alarm_log, loop_now_ms(), LOG_EVPN, LOG_LEVEL_ERROR,
		"a route could not be originated: %s", why);
}

static uint8_t *copy(uint8_t *to, const void *from, size_t len)
{
	if (len)
		memcpy(to, from, len);
	return to + len;
}

static void on_originate(
	void *arg, struct lan *lan, const struct nlri *n, const struct attrs *attrs)
{
	struct quelld_lans *q = arg;
	size_t nlri_len = (size_t)n->key_len + n->payload_len,
	       spans_len = attrs ? (size_t)attrs->ext_communities.len + attrs->pmsi.len : 0;
	struct said *s = malloc(sizeof(*s) + nlri_len + spans_len);
	struct attrs *a = attrs ? malloc(sizeof(*a)) : NULL;

	(void)lan;
	if (!s || (attrs && !a)) {
		not_originated(q, strerror(ENOMEM));
		free(s);
		free(a);
		return;
	}
	*s = (struct said){.attrs = a, .key_len = n->key_len, .payload_len = n->payload_len};
	uint8_t *at = copy(copy(s->octets, n->key, n->key_len), n->payload, n->payload_len);
	if (a) {
		/* evpn/lan_originate.c uses no other spans. */
		*a = *attrs;
		a->ext_communities.p = at;
		at = copy(at, attrs->ext_communities.p, attrs->ext_communities.len);
		a->pmsi.p = at;
		copy(at, attrs->pmsi.p, attrs->pmsi.len);
	}
	STAILQ_INSERT_TAIL(&q->said, s, next);
}

static void said_free(struct said *s)
{
	free(s->attrs);
	free(s);
}

static void say_one(struct quelld_lans *q, const struct said *s)
{
	struct nlri n = {.key_len = s->key_len, .payload_len = s->payload_len};
	int rc = 0;

	if (!q->speaker)
		return;
	copy(n.key, s->octets, s->key_len);
	copy(n.payload, s->octets + s->key_len, s->payload_len);
	if (s->attrs)
		rc = speaker_originate(q->speaker, &evpn_family, &n, s->attrs, loop_now_ms());
	else
		speaker_unoriginate(q->speaker, &evpn_family, &n, loop_now_ms());
	if (rc < 0)
		not_originated(q, strerror(-rc));
}

/* What comes of it in the LANs may have to be said, too, and is, before this returns. */
static void say(struct quelld_lans *q)
{
	struct said *s;

	if (q->saying)
		return;
	q->saying = true;
	while ((s = STAILQ_FIRST(&q->said)) != NULL) {
		STAILQ_REMOVE_HEAD(&q->said, next);
		say_one(q, s);
		said_free(s);
	}
	q->saying = false;
}

static uint64_t recheck(struct quelld_lans *q, uint64_t now_ms)
{
	uint64_t due = q->rechecked_ms ? q->rechecked_ms + RECHECK_EVERY_MS : 0;

	if (!q->reconsider || !q->speaker)
		return TIMERS_NEVER;
	if (now_ms < due)
		return due;
	q->reconsider = false;
	q->rechecked_ms = now_ms;
	speaker_recheck(q->speaker, NULL, now_ms);
	return TIMERS_NEVER;
}

static uint64_t end_retelling(struct quelld_lans *q, uint64_t now_ms)
{
	if (!q->retelling || !q->speaker)
		return TIMERS_NEVER;
	if (speaker_is_retelling(q->speaker))
		return now_ms;
	q->retelling = false;
	log_info(LOG_EVPN, "the LANs have been given all routes again");
	if (q->feed && q->converged)
		feed_server_converged(q->feed);
	return TIMERS_NEVER;
}

static uint64_t on_turn(void *arg, uint64_t now_ms)
{
	struct quelld_lans *q = arg;

	lans_run(q->lans, now_ms);
	say(q);
	uint64_t due[] = {lans_deadline(q->lans), recheck(q, now_ms), end_retelling(q, now_ms)};
	uint64_t first = due[0] < due[1] ? due[0] : due[1];
	return first < due[2] ? first : due[2];
}

static void on_alarm(void *arg, struct lan *lan, const char *what, struct mac mac, struct ip ip,
	struct ip vtep)
{
	struct quelld_lans *q = arg;
	struct quelld_alarm alarm = {
		.what = what, .mac = mac, .ip = ip, .vtep = vtep, .first_ms = loop_now_ms()};
	char m[MAC_TEXT], a[IP_TEXT] = "", v[IP_TEXT] = "";

	snprintf(alarm.lan, sizeof(alarm.lan), "%s", lan_config(lan)->name);
	quelld_alarms_add(&q->alarms, &alarm);
	if (ip.family)
		ip_format(ip, a);
	if (vtep.family)
		ip_format(vtep, v);
	log_limited(&q->alarm_log, alarm.first_ms, LOG_EVPN, LOG_LEVEL_WARNING,
		"%s: %s: %s%s%s%s%s", lan_config(lan)->name, what,
		mac_is_zero(mac) ? "" : mac_format(mac, m), *a ? " " : "", a, *v ? " from " : "",
		v);
}

static void on_reconsider(void *arg, struct lan *lan)
{
	struct quelld_lans *q = arg;

	(void)lan;
	q->reconsider = true;
}

/* --- the speaker's watch --- */

/* Ours as best is as good as gone for the LAN: it knows by itself what is behind its own ports. */
static void on_best(void *arg, const struct best_change *c, uint64_t now_ms)
{
	struct quelld_lans *q = arg;
	bool remote = c->attrs && c->from;

	if (c->family != &evpn_family || !q->speaker)
		return;
	lans_run(q->lans, now_ms);
	lans_route(q->lans, c->key, c->key_len, c->payload, c->payload_len,
		remote ? &c->attrs->attrs : NULL, c->stale);
	say(q);
}

static void on_converged(void *arg, uint64_t now_ms)
{
	struct quelld_lans *q = arg;

	(void)now_ms;
	log_info(LOG_BGP, "converged");
	q->converged = true;
	if (q->feed && !q->retelling)
		feed_server_converged(q->feed);
}

/* The speaker logs what matters itself. */
static void on_neighbor(void *arg, const struct neighbor *n, uint64_t now_ms)
{
	struct neighbor_view v;
	char a[IP_TEXT];

	(void)arg;
	(void)now_ms;
	if (!log_enabled(LOG_BGP, LOG_LEVEL_DEBUG))
		return;
	neighbor_view(n, &v);
	log_debug(LOG_BGP, "%s: %s", ip_format(v.address, a), v.state);
}

/* --- start and end --- */

static void on_local_done(void *arg)
{
	struct quelld_lans *q = arg;

	say(q); /* before our End-of-RIB */
	if (q->speaker)
		speaker_local_done(q->speaker, loop_now_ms());
}

bool quelld_lans_want_feed(const struct config *c)
{
	for (uint32_t i = 0; i < c->lan_count; i++)
		if (c->lans[i].agent)
			return true;
	return false;
}

static struct lan_config lan_config_of(const struct config_lan *c)
{
	struct lan_config lc = {.vni = c->vni,
		.originates = c->agent != NULL,
		.vtep = c->vtep,
		.rd = c->rd,
		.import_auto = c->import_auto,
		.dup_moves = c->dup_action == DUPLICATE_OFF ? 0 : c->dup_moves,
		.dup_window_sec = c->dup_window,
		.dup_recovery_sec = c->dup_recovery,
		.dup_freeze = c->dup_action == DUPLICATE_FREEZE,
		.assume_host = !c->assume_router,
		.max_macs = MAX_MACS,
		.max_bindings = MAX_BINDINGS};

	snprintf(lc.name, sizeof(lc.name), "%s", c->name);
	if (c->route_target_count)
		lc.export_rt = c->route_targets[0];
	for (uint32_t i = 0; i < c->route_target_count && i < LAN_RT_MAX; i++)
		lc.import_rts[lc.import_count++] = c->route_targets[i];
	return lc;
}

static void add_lan(struct quelld_lans *q, const struct config_lan *c)
{
	struct lan_config lc = lan_config_of(c);
	struct lan *lan;

	if (lans_add(q->lans, &lc, &lan) < 0)
		abort();
}

/* What our LANs import, so that nobody sends us more (RFC 4684). A LAN that takes the route targets of any AS cannot
 * say so by a prefix: the AS stands before the VNI. */
static void say_membership(struct quelld_lans *q)
{
	struct rt *rts = NULL;
	size_t count = 0;
	bool all = false;

	for (const struct lan *l = NULL; (l = lans_next(q->lans, l));) {
		const struct lan_config *c = lan_config(l);
		rts = realloc(rts, (count + c->import_count) * sizeof(*rts) + 1);
		if (!rts)
			abort();
		for (uint8_t i = 0; i < c->import_count; i++)
			rts[count++] = c->import_rts[i];
		all |= c->import_auto;
	}
	if (speaker_set_membership(q->speaker, rts, count, all, loop_now_ms()) < 0)
		not_originated(q, strerror(ENOMEM));
	free(rts);
}

int quelld_lans_new(struct loop *l, const struct config *c, struct speaker *s, uid_t feed_user,
	struct quelld_lans **ret)
{
	struct quelld_lans *q = calloc(1, sizeof(*q));
	struct lan_hooks hooks = {on_mac, on_binding, on_flood, on_originate, on_alarm,
		on_reconsider, q};
	struct speaker_watch watch = {on_best, on_converged, on_neighbor, q};

	if (!q)
		abort();
	*q = (struct quelld_lans){.loop = l, .speaker = s, .alarm_log = LOG_LIMIT(10, 60000)};
	STAILQ_INIT(&q->said);
	q->turn = (struct loop_turn){.turn = on_turn, .arg = q};
	q->lans = lans_new(&hooks);
	if (!q->lans)
		abort();
	if (quelld_lans_want_feed(c)) {
		char path[256];
		snprintf(path, sizeof(path), "%s/feed.sock", c->run_dir);
		struct feed_server_config fc = {
			.path = path, .user = feed_user, .local_done = on_local_done, .arg = q};
		int rc = feed_server_new(l, q->lans, &fc, &q->feed);
		if (rc < 0) {
			lans_free(q->lans);
			free(q);
			return rc;
		}
	}
	speaker_set_watch(s, &watch);
	loop_add_turn(l, &q->turn);
	for (uint32_t i = 0; i < c->lan_count; i++)
		add_lan(q, &c->lans[i]);
	say_membership(q);
	*ret = q;
	return 0;
}

/* --- another configuration --- */

static bool has_lan(const struct config *c, const char *name)
{
	for (uint32_t i = 0; i < c->lan_count; i++)
		if (strcmp(c->lans[i].name, name) == 0)
			return true;
	return false;
}

static void remove_lans(struct quelld_lans *q, const struct config *c)
{
	struct lan *lan, *next;

	for (lan = lans_next(q->lans, NULL); lan; lan = next) {
		next = lans_next(q->lans, lan);
		if (!has_lan(c, lan_config(lan)->name))
			lans_remove(q->lans, lan);
	}
}

/* The agent has told its part long ago, and does not know that somebody listens now. */
static void begin_feed(struct quelld_lans *q)
{
	if (q->feed)
		feed_server_resync(q->feed, "a LAN of its is new here");
}

void quelld_lans_set(struct quelld_lans *q, const struct config *c)
{
	bool retell = false, resync = false;

	remove_lans(q, c);
	for (uint32_t i = 0; i < c->lan_count; i++) {
		struct lan_config lc = lan_config_of(&c->lans[i]);
		struct lan *lan = lans_find(q->lans, lc.name);
		resync |= lc.originates && (!lan || !lan_config(lan)->originates);
		if (lan) {
			retell |= lan_change(lan, &lc);
		} else {
			add_lan(q, &c->lans[i]);
			retell = true;
		}
	}
	say(q);
	say_membership(q);
	if (retell && speaker_retell(q->speaker, loop_now_ms()) < 0)
		log_error(LOG_EVPN, "no memory to give the LANs all routes again");
	/* Our snapshots are not complete until then. */
	q->retelling |= speaker_is_retelling(q->speaker);
	if (q->feed && q->retelling)
		feed_server_hold(q->feed);
	if (resync)
		begin_feed(q);
}

void quelld_lans_detach(struct quelld_lans *q)
{
	feed_server_free(q->feed);
	q->feed = NULL;
	q->speaker = NULL;
}

void quelld_lans_free(struct quelld_lans *q)
{
	struct said *s;

	if (!q)
		return;

	loop_remove_turn(q->loop, &q->turn);
	while ((s = STAILQ_FIRST(&q->said)) != NULL) {
		STAILQ_REMOVE_HEAD(&q->said, next);
		said_free(s);
	}
	feed_server_free(q->feed);
	lans_free(q->lans);
	free(q);
}

int quelld_lans_clear_duplicate(struct quelld_lans *q, const char *name, struct mac mac)
{
	struct lan *lan = lans_find(q->lans, name);
	int r = lan ? lan_clear_duplicate(lan, mac) : -ENOENT;

	say(q);
	return r;
}

const struct quelld_alarms *quelld_lans_alarms(const struct quelld_lans *q)
{
	return &q->alarms;
}

struct lans *quelld_lans_table(const struct quelld_lans *q)
{
	return q->lans;
}

struct feed_server *quelld_lans_feed(const struct quelld_lans *q)
{
	return q->feed;
}
