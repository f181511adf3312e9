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

struct binding_hooks agent_books_hooks(struct agent_lan *lan)
{
	return (struct binding_hooks){.ops = lan->agent->ops,
		.plane = lan->agent->plane,
		.say = on_say,
		.place = on_place,
		.send = on_send,
		.alarm = on_alarm,
		.arg = lan};
}

void agent_books_event(void *arg, const struct layout_event *e)
{
	struct agent *a = arg;
	struct agent_lan *lan = agent_lan_by_vni(a, e->lan);

	a->events++;
	/* The plane may be adopted and still tell of what has been taken out. */
	if (!lan || !agent_port_find(lan, e->ifindex))
		return;
	agent_alarms_event(lan, e);
	bindings_event(lan->books, e, loop_now_ms());
}

uint64_t agent_books_turn(struct agent *a, uint64_t now_ms)
{
	uint64_t next = TIMERS_NEVER;

	for (uint32_t i = 0; i < a->lan_count; i++) {
		uint64_t one = bindings_drain(a->lans[i].books, now_ms);
		next = one < next ? one : next;
	}
	return next;
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
