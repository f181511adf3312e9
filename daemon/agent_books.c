/* Between a LAN's books (proxyarp/bindings) and the rest of the agent: what they tell goes to
 * quelld and the bridge's forwarding table, what is seen goes into them. */
#include <errno.h>
#include <string.h>

#include "daemon/agent.h"
#include "daemon/loop.h"
#include "proxyarp/verdict.h"

static void on_say(void *arg, const struct binding_say *s)
{
	struct agent_lan *lan = arg;

	agent_feed_say(lan->agent->feed, lan, s);
}

void agent_books_place(struct agent_lan *lan, struct mac mac, enum binding_place place, uint32_t ifindex,
	struct ip vtep)
{
	struct agent *a = lan->agent;
	char text[MAC_TEXT];
	int r = 0;

	if (!lan->fdb)
		return;
	switch (place) {
	case PLACE_PORT:
		/* In dry run the bridge finds out by itself where everybody is. */
		r = agent_port_dry(agent_port_find(lan, ifindex))
			    ? fdb_unwant(lan->fdb, mac)
			    : fdb_want_local(lan->fdb, mac, ifindex);
		break;
	case PLACE_REMOTE:
		/* Adopted, and quelld has not said yet from where: the entry in the kernel stays.
		 */
		if (vtep.family)
			r = fdb_want_remote(lan->fdb, mac, vtep);
		break;
	default:
		/* The bridge's own MAC has its entry from the kernel. */
		r = fdb_unwant(lan->fdb, mac);
		break;
	}
	if (r < 0)
		log_limited(&a->full_log, loop_now_ms(), LOG_NETLINK, LOG_LEVEL_WARNING,
			"%s: %s: no forwarding entry: %s", lan->c->name, mac_format(mac, text),
			strerror(-r));
}

static void on_place(
	void *arg, struct mac mac, enum binding_place place, uint32_t ifindex, struct ip vtep)
{
	agent_books_place(arg, mac, place, ifindex, vtep);
}

static void on_send(void *arg, uint32_t ifindex, const uint8_t *frame, size_t len)
{
	struct agent_lan *lan = arg;

	lan->agent->ops->send(lan->agent->plane, ifindex, frame, len);
}

static void on_alarm(void *arg, const char *what, uint32_t ifindex, struct mac mac, struct ip ip)
{
	struct agent_lan *lan = arg;
	struct agent_alarm al = agent_alarm_of(lan, ifindex, what);

	al.mac = mac;
	al.ip = ip;
	agent_alarm_log(lan, &al);
}

static void on_life(void *arg, struct ip ip, struct mac mac, uint32_t ifindex, struct ip vtep)
{
	(void)ifindex;
	(void)vtep;
	agent_sponge_life(arg, ip, mac);
}

/* --- the books, as configured --- */

static struct binding_config config_of(const struct agent_lan *lan)
{
	const struct config_agent *c = lan->c->agent;
	const struct config_duplicate_ip *d = &c->duplicate_ip;
	static const enum binding_dead_policy dead[] = {
		[CONFIG_DEAD_SILENT] = DEAD_SILENT,
		[CONFIG_DEAD_ANSWER] = DEAD_ANSWER,
		[CONFIG_DEAD_SPONGE] = DEAD_SPONGE,
	};
	static const enum binding_duplicate_action duplicate[] = {
		[DUPLICATE_OFF] = DUPLICATE_IP_OFF,
		[DUPLICATE_ALARM] = DUPLICATE_IP_ALARM,
		[DUPLICATE_FREEZE] = DUPLICATE_IP_FREEZE,
	};
	static const enum announce_on announce[] = {
		[CONFIG_ANNOUNCE_OFF] = ANNOUNCE_OFF,
		[CONFIG_ANNOUNCE_CHANGES] = ANNOUNCE_CHANGES,
		[CONFIG_ANNOUNCE_ALL] = ANNOUNCE_ALL,
	};

	return (struct binding_config){
		.lan = lan->c->vni,
		.prefixes = lan->c->prefixes,
		.prefix_count = lan->c->prefix_count,
		.max_bindings = c->max_bindings,
		.max_macs = c->max_bindings,
		.age_sec = c->age_sec,
		.refresh_sec = c->refresh_sec,
		.swap_sec = c->mac_swap,
		.anycast = c->anycast,
		.na_new = c->na_without_override == 0,
		.mac_list_first = c->mac_list,
		.dead = {dead[c->dead.policy], (uint64_t)c->dead.after_sec * 1000, c->sponge.mac},
		/* In a dry run members hear all that they always heard, and nobody loses an address. */
		.duplicate = {c->policy.dry_run && d->action == DUPLICATE_FREEZE ? DUPLICATE_IP_ALARM
										 : duplicate[d->action],
			d->moves, d->window, d->confirm, d->hold_down, d->as_mac},
		.announce = {c->policy.dry_run ? ANNOUNCE_OFF : announce[c->announce.on], c->announce.rate,
			c->announce.port_rate},
	};
}

static int take_registry(struct agent_lan *lan)
{
	const struct registry *reg = lan->registry;
	int r = 0, one;

	for (size_t i = 0; reg && i < reg->port_count; i++) {
		const struct registry_port *p = &reg->ports[i];
		for (int m = 0; m < p->mac_count; m++) {
			one = bindings_reserve(lan->books, p->macs[m]);
			r = r ? r : one;
		}
		/* Those behind other PEs, too. */
		for (int n = 0; reg->members[p->member].exchange && n < p->ip_count; n++)
			if (bindings_exchange(lan->books, p->ips[n]) < 0)
				log_warning(LOG_REGISTRY, "%s: more than %d addresses of the exchange's own hosts",
					lan->c->name, BINDING_EXCHANGE);
	}
	return r;
}

int agent_books_open(struct agent_lan *lan)
{
	struct binding_config c = config_of(lan);
	struct binding_hooks hooks = {.ops = lan->agent->ops,
		.plane = lan->agent->plane,
		.say = on_say,
		.place = on_place,
		.send = on_send,
		.life = on_life,
		.alarm = on_alarm,
		.arg = lan};

	lan->books = bindings_new(&c, &hooks);
	if (!lan->books)
		return -ENOMEM;
	if (take_registry(lan) < 0)
		log_error(LOG_PROXYARP, "%s: the registry has more MACs than max-bindings: %u",
			lan->c->name, c.max_macs);
	return 0;
}

void agent_books_configure(struct agent_lan *lan)
{
	struct binding_config c = config_of(lan);

	if (bindings_configure(lan->books, &c) < 0 || take_registry(lan) < 0)
		log_error(LOG_PROXYARP, "%s: not all of the configuration was taken: max-bindings: %u",
			lan->c->name, c.max_macs);
}

json_t *agent_books_clear(struct agent *a, const json_t *request, const char **ret_error)
{
	const char *name = json_string_value(json_object_get(request, "lan")),
		   *text = json_string_value(json_object_get(request, "ip"));
	struct agent_lan *lan = name ? agent_lan_by_name(a, name) : NULL;
	struct ip ip;

	*ret_error = !lan ? "no such LAN"
		     : !text || ip_parse(text, &ip) < 0
			     ? "ip: expected an address"
			     : bindings_clear_duplicate(lan->books, ip) < 0
				       ? "that address is not frozen as a duplicate"
				       : NULL;
	if (*ret_error)
		return NULL;
	log_notice(LOG_PROXYARP, "%s: %s: answered for again, as the operator says", name, text);
	return json_pack("{s:b}", "ok", true);
}

/* --- what is seen --- */

/* A dead member's, whose address is the sponge's: the data plane takes it for a forger, and the books for alive. */
static bool is_first_word(const struct agent_lan *lan, const struct layout_event *e)
{
	struct ip ip = {.family = e->family};
	struct mac mac;

	memcpy(mac.b, e->mac, 6);
	memcpy(ip.b, e->ip, 16);
	return e->type == EVENT_SPOOF && e->outcome == OUTCOME_SPOOF_IP &&
	       bindings_is_owners(lan->books, e->ifindex, mac, ip);
}

void agent_books_event(void *arg, const struct layout_event *e)
{
	struct agent *a = arg;
	struct agent_lan *lan = agent_lan_by_vni(a, e->lan);

	a->events++;
	/* The plane may be adopted and still tell of what has been taken out. */
	if (!lan || !agent_port_find(lan, e->ifindex))
		return;
	if (!is_first_word(lan, e))
		agent_alarms_event(lan, e);
	bindings_event(lan->books, e, loop_now_ms());
	agent_sponge_event(lan, e);
}

uint64_t agent_books_turn(struct agent *a, uint64_t now_ms)
{
	uint64_t next = TIMERS_NEVER;

	for (uint32_t i = 0; i < a->lan_count; i++) {
		agent_sponge_turn(&a->lans[i], now_ms);
		uint64_t one = bindings_drain(a->lans[i].books, now_ms);
		next = one < next ? one : next;
	}
	return next;
}

void agent_books_tick(struct agent_lan *lan, uint64_t now_ms)
{
	struct binding_stats stats;

	bindings_tick(lan->books, now_ms);
	bindings_stats(lan->books, &stats);
	if (stats.full != lan->full) {
		struct agent_alarm al =
			agent_alarm_of(lan, 0, "a table is full: not all is answered for (max-bindings)");
		agent_alarm_log(lan, &al);
	}
	lan->full = stats.full;
}

void agent_books_learned(void *arg, struct fdb_lan *f, uint32_t port, struct mac mac, bool gone)
{
	struct agent_lan *lan = fdb_lan_arg(f);

	(void)arg;
	/* What the bridge forgets is for the books' own ageing, which hears of more than the bridge
	 * does. */
	if (!gone && lan->books)
		bindings_seen(lan->books, port, mac, loop_now_ms());
}
