/* The sponge of a LAN in the agent: what the plane tells goes into proxyarp/sponge and proxyarp/callers; what they want goes to the
 * books (who is answered with the sponge's MAC) and into their queue of frames.
 *
 *   plane -> agent_books_event() -> [here] -> sponge -> bindings_sponge_set(), bindings_send()
 *                                          -> callers -> `quell show callers`
 *   books, hook life -> [here, at the end of the turn] -> sponge -> bindings_send()
 *
 * A closed port cannot hold an address that the registry does not give it (the verdict drops spoof-ip), and other PEs' addresses are
 * told by EVPN: so only ports that learn are asked, and only their probes are a sign that somebody comes.
 */
#include "daemon/agent_sponge.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/loop.h"
#include "proxyarp/announce.h"
#include "proxyarp/sponge_frame.h"

#define CALLERS_EACH 4 /* rows for each address that may be in memory */
#define CALLERS_MS (24 * 3600 * 1000ULL)
#define EXPIRE_MS 60000
/* Frames that wait, of one port and in all: questions behind more would leave later than they count as asked. */
#define WAITING_PORT_MAX 32
#define WAITING_MAX 384

/* --- what is known of an address --- */

static bool is_answered(const struct binding_view *v)
{
	return v->source != SOURCE_NONE && v->source != SOURCE_SPONGE &&
	       !(v->flags & (BIND_SILENT | BIND_SPONGE)) && !v->dead;
}

const char *agent_sponge_target(const struct agent_lan *lan, struct ip ip, bool *ret_alive)
{
	struct binding_view v;
	bool there = bindings_get(lan->books, ip, &v);

	*ret_alive = there && is_answered(&v);
	return !there                       ? "free"
	       : v.source == SOURCE_SPONGE  ? "sponged"
	       : v.duplicate                ? "duplicate"
	       : v.dead || !is_answered(&v) ? "dead"
					    : "alive";
}

static bool on_owned(void *arg, struct ip ip, struct mac *ret_mac)
{
	const struct agent_sponge *p = arg;
	struct binding_view v;

	*ret_mac = (struct mac){{0}};
	if (!bindings_get(p->lan->books, ip, &v) || v.source == SOURCE_SPONGE ||
		v.source == SOURCE_NONE)
		return false;
	if (is_answered(&v))
		*ret_mac = v.mac;
	return true;
}

static int on_set(void *arg, struct ip ip)
{
	const struct agent_sponge *p = arg;

	/* Else a member would be sent what is for nobody. */
	return p->trapped ? bindings_sponge_set(p->lan->books, ip, p->mac) : -ENOSPC;
}

static void on_del(void *arg, struct ip ip)
{
	const struct agent_sponge *p = arg;

	bindings_sponge_del(p->lan->books, ip);
}

/* --- frames --- */

/* The address that a MAC is known to have, of that family; else none. */
static struct ip address_of(const struct agent_lan *lan, struct mac mac, uint8_t family)
{
	struct ip ip = {0};

	bindings_address_of(lan->books, mac, family, &ip);
	return ip;
}

/* Where somebody unknown may be. Behind the asker's own port everybody has heard its question; and a frame in its name from the
 * wrong side would turn a member's switch upside down. In dry run nothing is sent. */
static bool may_hold(const struct agent_port *p, const struct sponge_asker *asker)
{
	return p->kind == PORT_MEMBER && p->up && !p->closed && !p->quarantine &&
	       !(asker && asker->ifindex == p->ifindex) &&
	       !config_port_policy(p->lan->c->agent, p->name)->dry_run;
}

/* There is room among the questions that wait for one to so many ports, or there are none. */
static bool may_ask(const struct agent_lan *lan, uint32_t ports)
{
	struct announce_stats st;
	uint32_t max =
		ports < WAITING_MAX / WAITING_PORT_MAX ? ports * WAITING_PORT_MAX : WAITING_MAX;

	bindings_announce_stats(lan->books, &st);
	uint32_t waiting = st.waiting_of[ANNOUNCE_PROBE];
	return waiting == 0 || waiting + ports <= max;
}

static int on_probe(void *arg, struct ip ip, const struct sponge_asker *asker)
{
	const struct agent_sponge *p = arg;
	struct agent_lan *lan = p->lan;
	struct mac from = lan->self;
	uint8_t frame[SPONGE_FRAME_MAX];
	struct agent_port *port;
	struct ip from_ip = {0};
	uint32_t ports = 0;
	int r = 0;

	TAILQ_FOREACH (port, &lan->ports, link)
		ports += may_hold(port, asker);
	if (ports == 0)
		return 0;
	if (!may_ask(lan, ports))
		return -EAGAIN;
	if (ip.family == 4 && asker)
		from_ip = address_of(lan, asker->mac, 4);
	if (from_ip.family)
		from = asker->mac;
	if (!mac_is_host(from))
		return 0;
	size_t len = sponge_question(ip, from, from_ip, frame);
	TAILQ_FOREACH (port, &lan->ports, link) {
		if (may_hold(port, asker) && bindings_send(lan->books, ANNOUNCE_PROBE,
						     port->ifindex, ip, frame, len) == -ENOBUFS)
			r = -EAGAIN;
	}
	return r;
}

static void on_tell(void *arg, const struct sponge_asker *to, struct ip ip, struct mac mac)
{
	const struct agent_sponge *p = arg;
	const struct agent_port *port = agent_port_find(p->lan, to->ifindex);
	uint8_t frame[SPONGE_FRAME_MAX];
	struct binding_view v;

	/* Who has it now asked for it before. */
	if (!port || mac_eq(to->mac, mac) ||
		config_port_policy(p->lan->c->agent, port->name)->dry_run)
		return;
	bool there = !mac_is_zero(mac) && bindings_get(p->lan->books, ip, &v);
	/* Nor a frame in the owner's name where the owner is: see may_hold(). */
	if (there && v.place == PLACE_PORT && v.ifindex == to->ifindex)
		return;
	bool router = !there || v.flags & BIND_ROUTER;
	size_t len = sponge_told(to->mac, address_of(p->lan, to->mac, 4), ip,
		mac_is_zero(mac) ? p->mac : mac, router, frame);

	bindings_send(p->lan->books, ANNOUNCE_REPAIR, to->ifindex, ip, frame, len);
}

/* --- the log --- */

static void on_note(
	void *arg, enum sponge_note what, struct ip ip, struct mac mac, uint32_t ifindex)
{
	struct agent_sponge *p = arg;
	const struct agent_port *port = agent_port_find(p->lan, ifindex);
	const char *lan = p->lan->c->name, *name = port ? port->name : "?";
	char t[IP_TEXT], m[MAC_TEXT];
	uint64_t now = loop_now_ms();

	ip_format(ip, t);
	mac_format(mac, m);
	switch (what) {
	case SPONGE_NOTE_SPONGED:
		log_limited(&p->state_log, now, LOG_PROXYARP, LOG_LEVEL_NOTICE,
			"%s: %s is nobody's: sponged", lan, t);
		break;
	case SPONGE_NOTE_YIELDED:
		log_limited(&p->state_log, now, LOG_PROXYARP, LOG_LEVEL_NOTICE,
			"%s: %s shows life: no longer sponged%s%s", lan, t,
			mac_is_zero(mac) ? "" : "; it is ", mac_is_zero(mac) ? "" : m);
		break;
	case SPONGE_NOTE_LOOPING:
		log_limited(&p->loop_log, now, LOG_PROXYARP, LOG_LEVEL_NOTICE,
			"%s: %s: %s asks for too much that nobody has, now for %s: it is no proof",
			lan, name, m, t);
		break;
	case SPONGE_NOTE_FULL:
		log_limited(&p->full_log, now, LOG_PROXYARP, LOG_LEVEL_WARNING,
			"%s: no room to sponge %s", lan, t);
		break;
	}
}

/* --- events --- */

/* Whoever sends to the sponge's MAC what is for elsewhere has a dead next hop; which one it does not say. */
static struct layout_event of_the_lan(const struct agent_lan *lan, const struct layout_event *e)
{
	struct ip ip = {.family = e->family};
	struct layout_event r = *e;

	memcpy(ip.b, e->ip, ip_len(ip));
	for (uint32_t i = 0; i < lan->c->prefix_count; i++)
		if (prefix_contains(&lan->c->prefixes[i], ip))
			return r;
	if (e->type == EVENT_TRAP)
		memset(r.ip, 0, sizeof(r.ip));
	return r;
}

static void count_call(struct agent_sponge *p, const struct layout_event *event, uint64_t now_ms)
{
	struct layout_event e = of_the_lan(p->lan, event);
	struct ip ip = {.family = e.family};
	bool alive;

	memcpy(ip.b, e.ip, ip_len(ip));
	agent_sponge_target(p->lan, ip, &alive);
	if (!alive && !ip_is_link_local(ip))
		callers_event(p->callers, &e, now_ms);
}

void agent_sponge_event(struct agent_lan *lan, const struct layout_event *e)
{
	const struct agent_port *port = agent_port_find(lan, e->ifindex);
	struct agent_sponge *p = lan->sponge;
	uint64_t now = loop_now_ms();

	if (!p || !port || (e->type == EVENT_PROBE && port->closed))
		return;
	if (e->type == EVENT_QUERY || e->type == EVENT_TRAP)
		count_call(p, e, now);
	sponge_event(p->s, e, now);
}

void agent_sponge_life(struct agent_lan *lan, struct ip ip, struct mac mac)
{
	struct agent_sponge *p = lan->sponge;

	if (!p)
		return;
	if (p->life_count == p->life_cap) {
		size_t cap = p->life_cap ? p->life_cap * 2 : 64;
		struct agent_sponge_life *more = reallocarray(p->lives, cap, sizeof(*more));
		if (!more)
			return;
		p->lives = more;
		p->life_cap = cap;
	}
	p->lives[p->life_count++] = (struct agent_sponge_life){ip, mac};
}

struct repair {
	struct agent_sponge *p;
	const struct agent_sponge_life *life;
};

static void tell_caller(void *arg, const struct caller *row)
{
	const struct repair *r = arg;
	struct sponge_asker to = {row->ifindex, row->mac, row->last_ms};

	if (ip_eq(row->target, r->life->ip))
		on_tell(r->p, &to, row->target, r->life->mac);
}

void agent_sponge_turn(struct agent_lan *lan, uint64_t now_ms)
{
	struct agent_sponge *p = lan->sponge;

	for (size_t i = 0; p && i < p->life_count; i++) {
		struct repair r = {p, &p->lives[i]};
		/* A member that was away: who called it in vain is known. */
		if (!sponge_life(p->s, r.life->ip, r.life->mac, now_ms) &&
			lan->c->agent->sponge.repair)
			callers_each(p->callers, tell_caller, &r);
	}
	if (p)
		p->life_count = 0;
}

/* --- life --- */

bool agent_sponge_on(const struct agent_lan *lan)
{
	const struct config_agent *c = lan->c->agent;

	for (uint32_t i = 0; i < c->port_setting_count; i++)
		if (c->port_settings[i].policy.unknown_target == UNKNOWN_SPONGE)
			return true;
	return c->policy.unknown_target == UNKNOWN_SPONGE;
}

static struct sponge_config config_of(const struct agent_lan *lan)
{
	const struct config_sponge *c = &lan->c->agent->sponge;

	return (struct sponge_config){.on = agent_sponge_on(lan),
		.prefixes = lan->c->prefixes,
		.prefix_count = lan->c->prefix_count,
		.queries = c->queries,
		.window_sec = c->window,
		.probes = c->probes,
		.learn_sec = c->learn_sec,
		.source_rate = c->source_rate,
		.max = c->max,
		.repair = c->repair,
		.gratuitous = c->gratuitous,
		.network = c->network,
		.sweep_sec = c->sweep_sec,
		.sweep_rate = c->sweep_rate};
}

/* What a former agent sponged and its file does not say is not answered any more. */
struct leftovers {
	struct agent_sponge *p;
	struct ip *ips;
	size_t count;
};

static void take_leftover(void *arg, const struct binding_view *v)
{
	struct leftovers *l = arg;

	if (v->source != SOURCE_SPONGE || sponge_answers(l->p->s, v->ip))
		return;
	l->ips = reallocarray(l->ips, l->count + 1, sizeof(*l->ips));
	if (!l->ips)
		abort();
	l->ips[l->count++] = v->ip;
}

static void set_trap(struct agent_sponge *p)
{
	int r = bindings_trap(p->lan->books, p->mac);

	if (r < 0 && (p->trapped || !p->s))
		log_error(LOG_PROXYARP, "%s: nothing is sponged: the sponge's MAC: %s",
			p->lan->c->name, r == -EEXIST ? "somebody has it" : strerror(-r));
	p->trapped = r == 0;
}

/* The registry's word that an address is nobody's needs no proof; but where the sponge is off, nothing is answered for. */
static void take_unassigned(struct agent_sponge *p)
{
	const struct registry *reg = agent_sponge_on(p->lan) ? p->lan->registry : NULL;
	size_t out = sponge_list(p->s, reg ? reg->unassigned : NULL, reg ? reg->unassigned_count : 0, loop_now_ms());

	if (out)
		log_warning(LOG_REGISTRY,
			"%s: %zu of %zu unassigned addresses are not sponged: no room (half of sponge.max, a quarter of max-bindings)",
			p->lan->c->name, out, reg->unassigned_count);
}

void agent_sponge_open(struct agent_lan *lan)
{
	struct agent_sponge *p = calloc(1, sizeof(*p));
	struct sponge_hooks hooks = {on_owned, on_set, on_del, on_probe, on_tell, on_note, p};
	struct sponge_config c = config_of(lan);
	struct leftovers l = {p, NULL, 0};
	uint64_t now = loop_now_ms();

	if (!p)
		abort();
	p->lan = lan;
	p->mac = lan->c->agent->sponge.mac;
	p->state_log = LOG_LIMIT(20, 3000);
	p->loop_log = p->full_log = LOG_LIMIT(5, 60000);
	p->file_log = LOG_LIMIT(1, 600000);
	p->saved_ms = p->expired_ms = now;
	p->callers = callers_new(c.max * CALLERS_EACH);
	set_trap(p);
	p->s = sponge_new(&c, &hooks, now);
	if (!p->s || !p->callers)
		abort();
	lan->sponge = p;
	agent_sponge_load(p);
	take_unassigned(p);
	bindings_each(lan->books, take_leftover, &l);
	for (size_t i = 0; i < l.count; i++)
		bindings_sponge_del(lan->books, l.ips[i]);
	free(l.ips);
}

void agent_sponge_configure(struct agent_lan *lan)
{
	struct sponge_config c = config_of(lan);

	if (!lan->sponge)
		return;
	/* The books' own trap for dead members is the same MAC, and may just have gone. */
	set_trap(lan->sponge);
	sponge_configure(lan->sponge->s, &c, loop_now_ms());
	take_unassigned(lan->sponge);
}

void agent_sponge_tick(struct agent_lan *lan, uint64_t now_ms)
{
	struct agent_sponge *p = lan->sponge;
	struct agent_feed_view feed;

	if (!p)
		return;
	agent_feed_view(lan->agent->feed, &feed);
	/* Without quelld nobody says who is behind other PEs; where there never was one, there are none. */
	sponge_pause(p->s, !lan->settled || (feed.connects > 0 && feed.state != AGENT_FEED_LIVE));
	sponge_tick(p->s, now_ms);
	agent_sponge_save(p);
	if (now_ms - p->expired_ms < EXPIRE_MS)
		return;
	p->expired_ms = now_ms;
	if (now_ms > CALLERS_MS)
		callers_expire(p->callers, now_ms - CALLERS_MS);
}

void agent_sponge_close(struct agent_lan *lan)
{
	struct agent_sponge *p = lan->sponge;

	if (!p)
		return;
	p->saved_ms = 0;
	agent_sponge_save(p);
	sponge_free(p->s);
	callers_free(p->callers);
	free(p->lives);
	free(p);
	lan->sponge = NULL;
}
