/* The queue of announce.h. RFC 9161 sections 3.2 (announcements), 3.5 and 3.7 leave open how fast; here it is a budget.
 *
 *   ports, in rotation -> a port's frames, kinds in rotation -> its next announcement
 *
 * One frame a port and round, so that no port waits for another's backlog. What the global budget holds back, it holds back
 * from all alike.
 */
#include "proxyarp/announce.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "lib/bucket.h"
#include "lib/hmap.h"
#include "lib/siphash.h"
#include "proxyarp/layout.h"

#define RATE 100
#define PORT_RATE 10
#define FRAME_RATE 500 /* what is not an announcement comes of timers and events that are bounded themselves */
#define FRAME_PORT_RATE 50
#define FRAMES_MAX 4096 /* of a kind, and a quarter of that to one port */
#define ITEMS_MAX 16384
#define ITEMS_PORT 32 /* of what is behind one port: members that change their minds all the time delay others by so much */
#define WAKE_MS 20
#define MS_NS 1000000ULL

struct frame_of_ours {
	enum announce_kind kind;
	struct ip ip;
	uint16_t len;
	uint8_t octets[ANNOUNCE_FRAME_MAX];
	TAILQ_ENTRY(frame_of_ours) link;
};

struct item {
	struct ip ip;
	struct mac mac;
	uint8_t flags;
	uint32_t except;
	uint32_t waiting; /* ports that have not come to it yet */
	TAILQ_ENTRY(item) link;
};

TAILQ_HEAD(items, item);

struct port {
	uint32_t ifindex;
	bool announce;
	uint32_t about; /* announcements that wait, of what is behind it */
	TAILQ_HEAD(, frame_of_ours) frames[ANNOUNCE_KINDS];
	uint32_t waiting[ANNOUNCE_KINDS];
	int next_kind; /* so that none waits for another's backlog: some are provoked by what the port's member sends */
	struct item *at; /* the next announcement; NULL: it has had all */
	struct bucket frame_budget, budget;
	TAILQ_ENTRY(port) link;
};

struct announce {
	uint32_t rate, port_rate;
	announce_send_fn *send;
	void *arg;
	TAILQ_HEAD(, port) ports;
	uint32_t port_count;
	struct items items;
	struct hmap by_ip;
	struct bucket frame_budget, budget;
	uint32_t frames, waiting[ANNOUNCE_KINDS];
	uint64_t wake_ms; /* 0: nothing waits */
	struct announce_stats stats;
};

static uint64_t hash_of(struct ip ip)
{
	return siphash(siphash_process_key(), &ip, sizeof(ip));
}

static bool item_is(const void *entry, const void *key)
{
	return ip_eq(((const struct item *)entry)->ip, *(const struct ip *)key);
}

/* A quarter of a second's, so that what is due in bulk still comes evenly. */
static struct bucket budget_of(uint32_t rate)
{
	return bucket_of(rate, rate < 4 ? 1 : rate / 4, 0);
}

struct announce *announce_new(const struct announce_config *c, announce_send_fn *send, void *arg)
{
	struct announce *a = calloc(1, sizeof(*a));

	if (!a)
		return NULL;
	a->rate = c->rate ? c->rate : RATE;
	a->port_rate = c->port_rate ? c->port_rate : PORT_RATE;
	a->send = send;
	a->arg = arg;
	a->budget = budget_of(a->rate);
	a->frame_budget = budget_of(FRAME_RATE);
	TAILQ_INIT(&a->ports);
	TAILQ_INIT(&a->items);
	hmap_init(&a->by_ip, item_is);
	return a;
}

void announce_configure(struct announce *a, const struct announce_config *c)
{
	struct port *p;

	a->rate = c->rate ? c->rate : RATE;
	a->port_rate = c->port_rate ? c->port_rate : PORT_RATE;
	a->budget = budget_of(a->rate);
	TAILQ_FOREACH (p, &a->ports, link)
		p->budget = budget_of(a->port_rate);
}

static struct port *find_port(const struct announce *a, uint32_t ifindex)
{
	struct port *p;

	TAILQ_FOREACH (p, &a->ports, link)
		if (p->ifindex == ifindex)
			return p;
	return NULL;
}

/* --- announcements --- */

static void free_item(struct announce *a, struct item *i)
{
	struct port *about = i->except ? find_port(a, i->except) : NULL;

	if (about && about->about)
		about->about--;
	hmap_del(&a->by_ip, hash_of(i->ip), &i->ip);
	TAILQ_REMOVE(&a->items, i, link);
	free(i);
}

/* The port has had `p->at`, or is not to have it. */
static void pass(struct announce *a, struct port *p)
{
	struct item *i = p->at;

	p->at = TAILQ_NEXT(i, link);
	if (--i->waiting == 0)
		free_item(a, i);
}

static void take_out(struct announce *a, struct item *i)
{
	struct port *p;

	TAILQ_FOREACH (p, &a->ports, link)
		if (p->at == i)
			p->at = TAILQ_NEXT(i, link);
	free_item(a, i);
}

void announce_forget(struct announce *a, struct ip ip)
{
	struct item *i = hmap_get(&a->by_ip, hash_of(ip), &ip);

	if (i)
		take_out(a, i);
}

void announce_binding(
	struct announce *a, struct ip ip, struct mac mac, uint8_t flags, uint32_t except)
{
	struct item *i = hmap_get(&a->by_ip, hash_of(ip), &ip);
	struct port *p, *about;
	uint32_t ports = 0;

	if (i) {
		a->stats.replaced++;
		take_out(a, i);
	}
	TAILQ_FOREACH (p, &a->ports, link)
		ports += p->announce;
	if (ports == 0)
		return;
	about = except ? find_port(a, except) : NULL;
	if (about && about->about >= ITEMS_PORT) {
		a->stats.dropped++;
		return;
	}
	if (a->by_ip.count >= ITEMS_MAX) {
		a->stats.dropped++;
		take_out(a, TAILQ_FIRST(&a->items));
	}
	i = calloc(1, sizeof(*i));
	if (!i || hmap_add(&a->by_ip, hash_of(ip), i) < 0) {
		free(i);
		return;
	}
	*i = (struct item){.ip = ip, .mac = mac, .flags = flags, .except = except, .waiting = ports};
	TAILQ_INSERT_TAIL(&a->items, i, link);
	if (about)
		about->about++;
	TAILQ_FOREACH (p, &a->ports, link)
		if (p->announce && !p->at)
			p->at = i;
}

/* --- ports --- */

static void pass_all(struct announce *a, struct port *p)
{
	while (p->at)
		pass(a, p);
}

int announce_port(struct announce *a, uint32_t ifindex, bool announce)
{
	struct port *p = find_port(a, ifindex);

	if (!p) {
		p = calloc(1, sizeof(*p));
		if (!p)
			return -ENOMEM;
		p->ifindex = ifindex;
		for (int k = 0; k < ANNOUNCE_KINDS; k++)
			TAILQ_INIT(&p->frames[k]);
		p->budget = budget_of(a->port_rate);
		p->frame_budget = budget_of(FRAME_PORT_RATE);
		TAILQ_INSERT_TAIL(&a->ports, p, link);
		a->port_count++;
	}
	if (p->announce && !announce) {
		pass_all(a, p);
	} else if (!p->announce && announce) {
		/* It has its place behind all that waits: what it missed, it never had stale. */
		p->at = NULL;
	}
	p->announce = announce;
	return 0;
}

static void free_frame(struct announce *a, struct port *p, struct frame_of_ours *f)
{
	TAILQ_REMOVE(&p->frames[f->kind], f, link);
	p->waiting[f->kind]--;
	a->waiting[f->kind]--;
	a->frames--;
	free(f);
}

static void free_port(struct announce *a, struct port *p)
{
	struct frame_of_ours *f;

	pass_all(a, p);
	for (int k = 0; k < ANNOUNCE_KINDS; k++)
		while ((f = TAILQ_FIRST(&p->frames[k])) != NULL)
			free_frame(a, p, f);
	TAILQ_REMOVE(&a->ports, p, link);
	a->port_count--;
	free(p);
}

void announce_port_gone(struct announce *a, uint32_t ifindex)
{
	struct port *p = find_port(a, ifindex);

	if (p)
		free_port(a, p);
}

void announce_free(struct announce *a)
{
	struct item *i;

	if (!a)
		return;
	while (!TAILQ_EMPTY(&a->ports))
		free_port(a, TAILQ_FIRST(&a->ports));
	while ((i = TAILQ_FIRST(&a->items)) != NULL)
		free_item(a, i);
	hmap_free(&a->by_ip);
	free(a);
}

/* --- frames to one port --- */

int announce_frame(struct announce *a, enum announce_kind kind, uint32_t ifindex, struct ip ip,
	const uint8_t *frame, size_t len)
{
	struct port *p = find_port(a, ifindex);
	struct frame_of_ours *f;

	if (len > ANNOUNCE_FRAME_MAX)
		return -EMSGSIZE;
	if (!p)
		return -ENODEV;
	TAILQ_FOREACH (f, &p->frames[kind], link)
		if (ip_eq(f->ip, ip) && memcmp(f->octets, frame, 6) == 0)
			break;
	if (f) {
		a->stats.replaced++;
	} else {
		bool room = a->waiting[kind] < FRAMES_MAX && p->waiting[kind] < FRAMES_MAX / 4;
		f = room ? calloc(1, sizeof(*f)) : NULL;
		if (!f) {
			a->stats.dropped++;
			return -ENOBUFS;
		}
		f->kind = kind;
		f->ip = ip;
		TAILQ_INSERT_TAIL(&p->frames[kind], f, link);
		p->waiting[kind]++;
		a->waiting[kind]++;
		a->frames++;
	}
	f->len = (uint16_t)len;
	memcpy(f->octets, frame, len);
	return 0;
}

/* --- sending --- */

static struct frame_of_ours *next_frame(const struct port *p)
{
	struct frame_of_ours *f = NULL;

	for (int k = 0; k < ANNOUNCE_KINDS && !f; k++)
		f = TAILQ_FIRST(&p->frames[(p->next_kind + k) % ANNOUNCE_KINDS]);
	return f;
}

static bool send_frame(struct announce *a, struct port *p, uint64_t now_ns)
{
	struct frame_of_ours *f = next_frame(p);

	if (!f || !bucket_take(&p->frame_budget, 1, now_ns))
		return false;
	if (!bucket_take(&a->frame_budget, 1, now_ns)) {
		p->frame_budget.tokens_ns += BUCKET_NS;
		return false;
	}
	p->next_kind = (f->kind + 1) % ANNOUNCE_KINDS;
	a->stats.sent[f->kind]++;
	a->send(a->arg, p->ifindex, f->octets, f->len);
	free_frame(a, p, f);
	return true;
}

static bool send_item(struct announce *a, struct port *p, uint64_t now_ns)
{
	uint8_t octets[ANNOUNCE_FRAME_MAX];

	while (p->at && p->at->except == p->ifindex)
		pass(a, p);
	if (!p->at || !bucket_take(&p->budget, 1, now_ns))
		return false;
	if (!bucket_take(&a->budget, 1, now_ns)) {
		p->budget.tokens_ns += BUCKET_NS;
		return false;
	}
	const struct item *i = p->at;
	size_t len = announce_build(i->ip, i->mac, i->flags, octets);
	a->stats.announced++;
	a->send(a->arg, p->ifindex, octets, len);
	pass(a, p);
	return true;
}

uint64_t announce_drain(struct announce *a, uint64_t now_ms)
{
	uint32_t idle = 0;

	if (now_ms < a->wake_ms)
		return a->wake_ms;
	/* Each port in turn until none has anything that may go now. */
	while ((a->frames || !TAILQ_EMPTY(&a->items)) && idle < a->port_count) {
		struct port *p = TAILQ_FIRST(&a->ports);
		TAILQ_REMOVE(&a->ports, p, link);
		TAILQ_INSERT_TAIL(&a->ports, p, link);
		idle = send_frame(a, p, now_ms * MS_NS) || send_item(a, p, now_ms * MS_NS) ? 0 : idle + 1;
	}
	a->wake_ms = a->frames || !TAILQ_EMPTY(&a->items) ? now_ms + WAKE_MS : 0;
	return a->wake_ms ? a->wake_ms : UINT64_MAX;
}

void announce_stats(const struct announce *a, struct announce_stats *ret)
{
	*ret = a->stats;
	ret->waiting = a->frames;
	memcpy(ret->waiting_of, a->waiting, sizeof(ret->waiting_of));
	ret->waiting_addresses = (uint32_t)a->by_ip.count;
}
