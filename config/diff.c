#include "config/diff.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/field.h"
#include "config/parts.h"

#define VALUE_MAX 240 /* of a value that is shown */

const char *config_part_name(enum config_part part)
{
	static const char *const names[] = {[CONFIG_TOP] = "",
		[CONFIG_BGP] = "bgp",
		[CONFIG_NEIGHBOR] = "neighbor",
		[CONFIG_BMP] = "bmp",
		[CONFIG_LAN] = "lan",
		[CONFIG_AGENT] = "agent",
		[CONFIG_PORT] = "port"};

	return names[part];
}

const char *config_effect_text(enum config_part part, enum config_effect e)
{
	static const char *const texts[] = {[CONFIG_NOTHING] = "not its business",
		[CONFIG_IN_PLACE] = "in place",
		[CONFIG_LATER] = "from the next session or start on",
		[CONFIG_RESET] = "session is reset",
		[CONFIG_ANEW] = "removed and added",
		[CONFIG_RESTART] = "needs a restart"};

	if (e == CONFIG_RESET && part != CONFIG_NEIGHBOR)
		return "sessions are reset";
	return texts[e];
}

static char *shown(struct config_text *t)
{
	size_t cut = VALUE_MAX - 3;

	if (t->len <= VALUE_MAX)
		return t->p;
	while (cut && ((unsigned char)t->p[cut] & 0xc0) == 0x80)
		cut--; /* not within a character: half of one has no place in JSON */
	memcpy(t->p + cut, "...", 4);
	t->len = cut + 3;
	return t->p;
}

/* --- two of a kind --- */

struct differ {
	const struct config *was, *is;
	struct config_diff *ret;
	size_t cap;
};

static struct config_change *add(struct differ *d, struct config_change c)
{
	if (d->ret->count == d->cap) {
		d->cap = d->cap ? 2 * d->cap : 16;
		d->ret->changes = realloc(d->ret->changes, d->cap * sizeof(c));
		if (!d->ret->changes)
			abort();
	}
	d->ret->changes[d->ret->count] = c;
	return &d->ret->changes[d->ret->count++];
}

/* `c`: whose fields they are. */
static void compare(struct differ *d, struct config_change c, const void *was, const void *is)
{
	bool nobodys = c.part == CONFIG_LAN && !((const struct config_lan *)is)->agent;

	for (const struct config_field *f = NULL; (f = config_field_next(f));) {
		struct config_text from = {0}, to = {0};

		if (f->part != c.part)
			continue;
		config_field_put(&from, f, was);
		config_field_put(&to, f, is);
		bool same = strcmp(from.p, to.p) == 0;
		if (same && config_field_same_secret(f, was, is)) {
			free(from.p);
			free(to.p);
			continue;
		}
		if (same)
			config_text_put(&to, " (another password)");
		c.field = f;
		c.quelld = f->quelld;
		c.agent = nobodys ? CONFIG_NOTHING : f->agent;
		c.from = shown(&from);
		c.to = shown(&to);
		add(d, c);
	}
}

/* The keys that are not as they would be without a word: "remote-as 65000 client true". */
static char *describe(enum config_part part, const void *object, const void *plain)
{
	struct config_text all = {0};

	config_text_put(&all, "%s", "");
	for (const struct config_field *f = NULL; (f = config_field_next(f));) {
		struct config_text a = {0}, b = {0};

		if (f->part != part)
			continue;
		config_field_put(&a, f, object);
		config_field_put(&b, f, plain);
		if (strcmp(a.p, b.p) != 0)
			config_text_put(&all, "%s%s %s", all.len ? " " : "", f->key, a.p);
		free(a.p);
		free(b.p);
	}
	return shown(&all);
}

/* --- neighbours --- */

static struct config_change of_neighbor(enum config_op op, const struct config_neighbor *n)
{
	struct config_change c = {
		.op = op, .part = CONFIG_NEIGHBOR, .was = -1, .is = -1, .quelld = CONFIG_IN_PLACE};

	if (n->address.family)
		ip_format(n->address, c.name);
	else
		prefix_format(&n->prefix, c.name);
	return c;
}

/* As a neighbor of one line is read; but address and prefix are its name, and shown already. */
static char *describe_neighbor(const struct config *c, const struct config_neighbor *n)
{
	struct config_neighbor plain = {.address = n->address,
		.prefix = n->prefix,
		.max = 64,
		.hold_time = -1,
		.connect_retry = 5,
		.import = c->import};

	return describe(CONFIG_NEIGHBOR, n, &plain);
}

static bool same_neighbor(const struct config_neighbor *a, const struct config_neighbor *b)
{
	return ip_eq(a->address, b->address) && a->prefix.len == b->prefix.len &&
	       ip_eq(a->prefix.ip, b->prefix.ip);
}

/* Mostly at the same place, or near. */
static int neighbor_in(const struct config *c, const struct config_neighbor *n, uint32_t near)
{
	if (near < c->neighbor_count && same_neighbor(&c->neighbors[near], n))
		return (int)near;
	for (uint32_t i = 0; i < c->neighbor_count; i++)
		if (same_neighbor(&c->neighbors[i], n))
			return (int)i;
	return -1;
}

static void compare_neighbors(struct differ *d)
{
	const struct config *was = d->was, *is = d->is;

	for (uint32_t i = 0; i < was->neighbor_count; i++) {
		struct config_change c = of_neighbor(CONFIG_REMOVED, &was->neighbors[i]);

		c.was = (int)i;
		if (neighbor_in(is, &was->neighbors[i], i) < 0)
			add(d, c);
	}
	for (uint32_t i = 0; i < is->neighbor_count; i++) {
		const struct config_neighbor *n = &is->neighbors[i];
		struct config_change c = of_neighbor(CONFIG_ADDED, n);

		c.was = neighbor_in(was, n, i);
		c.is = (int)i;
		if (c.was < 0) {
			add(d, c)->to = describe_neighbor(is, n);
			continue;
		}
		c.op = CONFIG_CHANGED;
		compare(d, c, &was->neighbors[c.was], n);
	}
}

/* --- monitoring stations --- */

static struct config_change of_bmp(enum config_op op, const struct config_bmp *b)
{
	struct config_change c = {
		.op = op, .part = CONFIG_BMP, .was = -1, .is = -1, .quelld = CONFIG_IN_PLACE};
	char ip[IP_TEXT];

	snprintf(c.name, sizeof(c.name), b->address.family == 6 ? "[%s]:%u" : "%s:%u",
		ip_format(b->address, ip), b->port);
	return c;
}

/* As a station of one line is read; address and port are shown already. */
static char *describe_bmp(const struct config_bmp *b)
{
	struct config_bmp plain = {.address = b->address,
		.port = b->port,
		.policy = 1,
		.stats_interval = 300,
		.connect_retry = 30,
		.queue = 64};

	return describe(CONFIG_BMP, b, &plain);
}

static int bmp_in(const struct config *c, const struct config_bmp *b)
{
	for (uint32_t i = 0; i < c->bmp_count; i++)
		if (ip_eq(c->bmp[i].address, b->address) && c->bmp[i].port == b->port)
			return (int)i;
	return -1;
}

static void compare_bmps(struct differ *d)
{
	const struct config *was = d->was, *is = d->is;

	for (uint32_t i = 0; i < was->bmp_count; i++) {
		struct config_change c = of_bmp(CONFIG_REMOVED, &was->bmp[i]);

		c.was = (int)i;
		if (bmp_in(is, &was->bmp[i]) < 0)
			add(d, c);
	}
	for (uint32_t i = 0; i < is->bmp_count; i++) {
		struct config_change c = of_bmp(CONFIG_ADDED, &is->bmp[i]);

		c.was = bmp_in(was, &is->bmp[i]);
		c.is = (int)i;
		if (c.was < 0) {
			add(d, c)->to = describe_bmp(&is->bmp[i]);
			continue;
		}
		c.op = CONFIG_CHANGED;
		compare(d, c, &was->bmp[c.was], &is->bmp[i]);
	}
}

/* --- LANs --- */

static char *describe_lan(const struct config_lan *lan)
{
	struct config_lan plain = *lan;

	plain.vni = 0;
	plain.dup_moves = DUPLICATE_MOVES;
	plain.dup_window = DUPLICATE_WINDOW;
	plain.dup_recovery = 0;
	plain.dup_action = DUPLICATE_FREEZE;
	plain.prefix_count = plain.registry_count = 0;
	plain.vlan = 0;
	config_fetch_defaults(&plain.fetch);
	plain.import_auto = true;
	plain.registry_routes = REGISTRY_ROUTES_FLAG;
	plain.pe_vtep_count = 0;
	plain.route_target_count = 1;
	return describe(CONFIG_LAN, lan, &plain);
}

static char *describe_agent(const struct config_agent *a, uint32_t vni)
{
	struct config_agent plain = {.all_ports = true, .refresh_sec = a->age_sec / 3};

	config_agent_defaults(&plain, vni);
	return describe(CONFIG_AGENT, a, &plain);
}

static struct config_change of_lan(enum config_op op, const struct config_lan *lan)
{
	struct config_change c = {.op = op,
		.part = CONFIG_LAN,
		.was = -1,
		.is = -1,
		.quelld = CONFIG_IN_PLACE,
		.agent = lan->agent ? CONFIG_RESTART : CONFIG_NOTHING};

	snprintf(c.name, sizeof(c.name), "%s", lan->name);
	return c;
}

static int lan_in(const struct config *c, const char *name)
{
	for (uint32_t i = 0; i < c->lan_count; i++)
		if (strcmp(c->lans[i].name, name) == 0)
			return (int)i;
	return -1;
}

/* What holds for a port, and what would if nothing were said for it. */
struct port_view {
	struct config_port own, lans;
};

static struct port_view view_port(const struct config_agent *a, const char *name)
{
	struct port_view v = {.lans.policy = a->policy};
	const struct config_port *said = config_port_find(a, name);

	snprintf(v.lans.name, sizeof(v.lans.name), "%s", name);
	v.own = said ? *said : v.lans;
	return v;
}

static bool same_text(const struct config_field *f, const void *a, const void *b)
{
	struct config_text x = {0}, y = {0};

	config_field_put(&x, f, a);
	config_field_put(&y, f, b);
	bool same = strcmp(x.p, y.p) == 0;
	free(x.p);
	free(y.p);
	return same;
}

/* A change of the LAN's is not told again for each port that has it of the LAN, before and after. */
static void compare_port(
	struct differ *d, struct config_change c, struct port_view was, struct port_view is)
{
	for (const struct config_field *f = NULL; (f = config_field_next(f));) {
		struct config_text from = {0}, to = {0};

		if (f->part != CONFIG_PORT || same_text(f, &was.own, &is.own) ||
			(same_text(f, &was.own, &was.lans) && same_text(f, &is.own, &is.lans)))
			continue;
		config_field_put(&from, f, &was.own);
		config_field_put(&to, f, &is.own);
		c.field = f;
		c.agent = f->agent;
		c.from = shown(&from);
		c.to = shown(&to);
		add(d, c);
	}
}

static void compare_ports(struct differ *d, struct config_change c, const struct config_agent *a,
	const struct config_agent *b)
{
	char lan[sizeof(c.name)];

	if (!a || !b)
		return;
	memcpy(lan, c.name, sizeof(lan));
	c.op = CONFIG_CHANGED;
	c.part = CONFIG_PORT;
	c.quelld = CONFIG_NOTHING;
	for (uint32_t i = 0; i < a->port_setting_count + b->port_setting_count; i++) {
		bool old = i < a->port_setting_count;
		const char *name = old ? a->port_settings[i].name
				       : b->port_settings[i - a->port_setting_count].name;
		if (!old && config_port_find(a, name))
			continue;
		snprintf(c.name, sizeof(c.name), "%.31s %s", lan, name);
		compare_port(d, c, view_port(a, name), view_port(b, name));
	}
}

/* The section `agent` of a LAN. */
static void compare_agents(struct differ *d, struct config_change c, const struct config_lan *was,
	const struct config_lan *is)
{
	const struct config_agent *a = was ? was->agent : NULL, *b = is ? is->agent : NULL;

	c.part = CONFIG_AGENT;
	if (a && b) {
		c.op = CONFIG_CHANGED;
		compare(d, c, a, b);
	} else if (a || b) {
		c.op = a ? CONFIG_REMOVED : CONFIG_ADDED;
		c.agent = CONFIG_RESTART;
		add(d, c)->to = b ? describe_agent(b, is->vni) : NULL;
	}
	compare_ports(d, c, a, b);
}

static void compare_lans(struct differ *d)
{
	const struct config *was = d->was, *is = d->is;

	for (uint32_t i = 0; i < was->lan_count; i++) {
		struct config_change c = of_lan(CONFIG_REMOVED, &was->lans[i]);

		c.was = (int)i;
		if (lan_in(is, was->lans[i].name) < 0)
			add(d, c);
	}
	for (uint32_t i = 0; i < is->lan_count; i++) {
		const struct config_lan *lan = &is->lans[i], *old = NULL;
		struct config_change c = of_lan(CONFIG_ADDED, lan);

		c.was = lan_in(was, lan->name);
		c.is = (int)i;
		if (c.was < 0) {
			add(d, c)->to = describe_lan(lan);
		} else {
			old = &was->lans[c.was];
			c.op = CONFIG_CHANGED;
			compare(d, c, old, lan);
		}
		compare_agents(d, c, old, lan);
	}
}

/* --- all of it --- */

void config_diff(const struct config *was, const struct config *is, struct config_diff *ret)
{
	struct config_change top = {.part = CONFIG_TOP, .was = -1, .is = -1};
	struct differ d = {.was = was, .is = is, .ret = ret};

	*ret = (struct config_diff){0};
	compare(&d, top, was, is);
	top.part = CONFIG_BGP;
	if (was->has_bgp && is->has_bgp) {
		compare(&d, top, was, is);
		compare_neighbors(&d);
		compare_bmps(&d);
	} else if (was->has_bgp != is->has_bgp) {
		top.op = is->has_bgp ? CONFIG_ADDED : CONFIG_REMOVED;
		top.quelld = CONFIG_RESTART;
		add(&d, top);
	}
	compare_lans(&d);
}

void config_diff_free(struct config_diff *d)
{
	for (size_t i = 0; i < d->count; i++) {
		free(d->changes[i].from);
		free(d->changes[i].to);
	}
	free(d->changes);
	*d = (struct config_diff){0};
}

enum config_effect config_diff_worst(const struct config_diff *d, bool agent)
{
	enum config_effect worst = CONFIG_NOTHING;

	for (size_t i = 0; i < d->count; i++) {
		enum config_effect e = agent ? d->changes[i].agent : d->changes[i].quelld;
		if (e > worst)
			worst = e;
	}
	return worst;
}
