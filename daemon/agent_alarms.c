/* What the agent had to complain of, the latest 256, for `quell show alarms`: members that break a rule, MACs that
 * move, addresses that two have, tables that are full, ports in quarantine.
 *
 *   plane's events, books, ports -> [alarms] -> log, `show alarms`; -> agent_quarantine.c
 *
 * One that is the same as one that is kept is counted there. A port has at most an eighth of the room: one
 * that invents MACs pushes out its own, and nobody else's. The log has each alarm when it is new, within limits.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <jansson.h>

#include "daemon/agent.h"
#include "daemon/loop.h"
#include "proxyarp/verdict.h"

#define ALARMS_KEPT 256
#define ALARMS_A_PORT 32

struct agent_alarms {
	struct agent_alarm kept[ALARMS_KEPT];
	size_t count;
	uint64_t total;
};

static bool is_same(const struct agent_alarm *a, const struct agent_alarm *b)
{
	return a->rule == b->rule && a->cls == b->cls && a->would == b->would && mac_eq(a->mac, b->mac) &&
	       ip_eq(a->ip, b->ip) && strcmp(a->what, b->what) == 0 && strcmp(a->port, b->port) == 0 &&
	       strcmp(a->lan, b->lan) == 0;
}

static bool is_of_port(const struct agent_alarm *a, const struct agent_alarm *b)
{
	return strcmp(a->port, b->port) == 0 && strcmp(a->lan, b->lan) == 0;
}

/* Where a new one goes: beside the others, or in the place of the oldest, of its port if that has too many. */
static struct agent_alarm *room(struct agent_alarms *all, const struct agent_alarm *alarm)
{
	struct agent_alarm *oldest = NULL, *ports = NULL;
	size_t of_port = 0;

	for (size_t i = 0; i < all->count; i++) {
		struct agent_alarm *a = &all->kept[i];
		if (!oldest || a->last_ms < oldest->last_ms)
			oldest = a;
		if (!is_of_port(a, alarm))
			continue;
		of_port++;
		if (!ports || a->last_ms < ports->last_ms)
			ports = a;
	}
	if (of_port >= ALARMS_A_PORT)
		return ports;
	return all->count < ALARMS_KEPT ? &all->kept[all->count++] : oldest;
}

bool agent_alarm(struct agent *a, const struct agent_alarm *alarm)
{
	struct agent_alarms *all = a->alarms;
	uint64_t now = loop_now_ms();
	struct agent_alarm *place;

	if (!all)
		return false;
	all->total++;
	for (size_t i = 0; i < all->count; i++)
		if (is_same(&all->kept[i], alarm)) {
			all->kept[i].count++;
			all->kept[i].last_ms = now;
			return false;
		}
	place = room(all, alarm);
	*place = *alarm;
	place->count = 1;
	place->first_ms = place->last_ms = now;
	return true;
}

static void log_alarm(struct agent *a, const struct agent_alarm *al)
{
	char mac[MAC_TEXT], ip[IP_TEXT];
	bool has_mac = !mac_is_zero(al->mac), has_ip = al->ip.family != 0;

	log_limited(&a->alarm_log, loop_now_ms(), LOG_PROXYARP, LOG_LEVEL_WARNING,
		"%s: %s: %s%s%s%s%s%s%s%s", al->lan, *al->port ? al->port : "-",
		has_mac ? mac_format(al->mac, mac) : "", has_mac && has_ip ? " " : "",
		has_ip ? ip_format(al->ip, ip) : "", has_mac || has_ip ? ": " : "", al->what,
		al->cls >= 0 ? ": " : "", al->cls >= 0 ? class_name((enum frame_class)al->cls) : "",
		al->would ? " (let go)" : "");
}

struct agent_alarm agent_alarm_of(const struct agent_lan *lan, uint32_t ifindex, const char *what)
{
	const struct agent_port *p = agent_port_find(lan, ifindex);
	struct agent_alarm al = {.what = what, .cls = -1};

	snprintf(al.lan, sizeof(al.lan), "%s", lan->c->name);
	snprintf(al.port, sizeof(al.port), "%s", p ? p->name : "");
	return al;
}

void agent_alarm_log(struct agent_lan *lan, const struct agent_alarm *alarm)
{
	if (agent_alarm(lan->agent, alarm))
		log_alarm(lan->agent, alarm);
}

void agent_alarms_event(struct agent_lan *lan, const struct layout_event *e)
{
	bool rule = e->type == EVENT_SPOOF || e->type == EVENT_RULE;

	if (!rule && e->type != EVENT_MOVED)
		return;
	struct agent_alarm al = agent_alarm_of(
		lan, e->ifindex, rule ? rule_text((enum frame_rule)e->rule) : "the MAC was elsewhere");
	al.rule = rule && e->rule < RULE_COUNT ? (enum frame_rule)e->rule : RULE_NONE;
	/* Of a MAC or an address of somebody else's it does not matter in what. */
	al.cls = e->type == EVENT_RULE && e->cls < CLASS_COUNT ? e->cls : -1;
	al.would = e->flags & EVENT_WOULD;
	memcpy(al.mac.b, e->mac, 6);
	al.ip.family = e->family;
	memcpy(al.ip.b, e->ip, 16);
	agent_alarm_log(lan, &al);
	agent_quarantine_event(agent_port_find(lan, e->ifindex), e);
}

/* --- shown --- */

static json_t *json_time(uint64_t ago_ms)
{
	time_t at = time(NULL) - (time_t)(ago_ms / 1000);
	struct tm tm;
	char text[32] = "";

	if (gmtime_r(&at, &tm))
		strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm);
	return json_string(text);
}

static json_t *text_or_null(const char *text)
{
	return *text ? json_string(text) : json_null();
}

static json_t *show_alarm(const struct agent_alarm *a, uint64_t now)
{
	char mac[MAC_TEXT], ip[IP_TEXT];
	json_t *o = json_pack("{s:o, s:o, s:I, s:I, s:s, s:o, s:s, s:b}", "time",
		json_time(now - a->last_ms), "first", json_time(now - a->first_ms), "age_s",
		(json_int_t)((now - a->last_ms) / 1000), "count", (json_int_t)a->count, "lan", a->lan,
		"port", text_or_null(a->port), "what", a->what, "would", a->would);

	json_object_set_new(o, "rule", a->rule ? json_string(rule_name(a->rule)) : json_null());
	json_object_set_new(o, "class",
		a->cls >= 0 ? json_string(class_name((enum frame_class)a->cls)) : json_null());
	json_object_set_new(
		o, "mac", mac_is_zero(a->mac) ? json_null() : json_string(mac_format(a->mac, mac)));
	json_object_set_new(o, "ip", a->ip.family ? json_string(ip_format(a->ip, ip)) : json_null());
	return o;
}

static int later_first(const void *a, const void *b)
{
	const struct agent_alarm *const *x = a, *const *y = b;

	return ((*x)->last_ms < (*y)->last_ms) - ((*x)->last_ms > (*y)->last_ms);
}

json_t *agent_alarms_show(const struct agent *a)
{
	const struct agent_alarm *sorted[ALARMS_KEPT];
	json_t *list = json_array();

	for (size_t i = 0; i < a->alarms->count; i++)
		sorted[i] = &a->alarms->kept[i];
	qsort(sorted, a->alarms->count, sizeof(sorted[0]), later_first);
	for (size_t i = 0; i < a->alarms->count; i++)
		json_array_append_new(list, show_alarm(sorted[i], loop_now_ms()));
	return json_pack("{s:I, s:o}", "total", (json_int_t)a->alarms->total, "alarms", list);
}

uint64_t agent_alarms_total(const struct agent *a)
{
	return a->alarms ? a->alarms->total : 0;
}

void agent_alarms_new(struct agent *a)
{
	a->alarms = calloc(1, sizeof(*a->alarms));
	if (!a->alarms)
		abort();
}

void agent_alarms_free(struct agent *a)
{
	free(a->alarms);
	a->alarms = NULL;
}
