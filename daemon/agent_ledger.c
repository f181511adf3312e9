/* The ledger as it is shown, and what outlives a port.
 *
 * A port's counters are the plane's; when it leaves, its row is another's, and what it had counted
 * is added to its LAN's departed ports: the LAN's books balance over ports that come and go. That
 * sum is kept in the state directory as long as the plane's counters live: over restarts of the
 * agent, not over those of the box.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "daemon/agent.h"
#include "daemon/loop.h"
#include "lib/statefile.h"
#include "proxyarp/ledger.h"
#include "proxyarp/verdict.h"

#define FAULTS_MAX 32
#define STATE_NAME_LEN 64
#define STATE_MAX (1 << 20)

static json_t *json_u64(uint64_t n)
{
	return json_integer((json_int_t)n);
}

/* --- one port --- */

static json_t *show_direction(const struct ledger *l, enum frame_dir d)
{
	json_t *classes = json_object();

	for (int c = 0; c < CLASS_COUNT; c++) {
		json_t *outcomes = NULL;
		for (int o = 0; o < OUTCOME_COUNT; o++) {
			const struct layout_counter *n = &l->at[d][c][o];
			if (!n->frames)
				continue;
			if (!outcomes)
				outcomes = json_object();
			json_object_set_new(outcomes, outcome_name((enum frame_outcome)o),
				json_pack("[o, o]", json_u64(n->frames), json_u64(n->octets)));
		}
		if (outcomes)
			json_object_set_new(classes, class_name((enum frame_class)c), outcomes);
	}
	return classes;
}

/* What came in, by what became of it. */
static json_t *show_sums(const struct ledger *l)
{
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "received",
		json_u64(ledger_sum(l, DIR_IN, CLASS_COUNT, 0).frames), "answered",
		json_u64(ledger_sum(l, DIR_IN, CLASS_COUNT, 'A').frames), "dropped",
		json_u64(ledger_sum(l, DIR_IN, CLASS_COUNT, 'D').frames), "policed",
		json_u64(ledger_sum(l, DIR_IN, CLASS_COUNT, 'P').frames), "went_on",
		json_u64(ledger_sum(l, DIR_IN, CLASS_COUNT, 'F').frames), "left",
		json_u64(ledger_sum(l, DIR_OUT, CLASS_COUNT, 'F').frames));
}

static void add_would(void *arg, enum frame_dir dir, enum frame_class cls, enum frame_outcome would,
	const struct layout_counter *n)
{
	json_t *d = json_object_get(arg, dir == DIR_IN ? "in" : "out");
	json_t *c = json_object_get(d, class_name(cls));

	if (!c) {
		c = json_object();
		json_object_set_new(d, class_name(cls), c);
	}
	json_object_set_new(c, outcome_name(would),
		json_pack("[o, o]", json_u64(n->frames), json_u64(n->octets)));
}

static json_t *show_would(const struct agent *a, uint32_t slot)
{
	json_t *would = json_pack("{s:{}, s:{}}", "in", "out");

	if (a->ops->would_each)
		a->ops->would_each(a->plane, slot, add_would, would);
	return would;
}

/* What the kernel counts of the interface itself, beside us: the other half of a proof. Of our own
 * network namespace, whatever is mounted on /sys. */
static json_t *show_interface(const char *name)
{
	static const char *const what[] = {"rx_octets", "rx_packets", "rx_errors", "rx_dropped", NULL,
		NULL, NULL, NULL, "tx_octets", "tx_packets", "tx_errors", "tx_dropped"};
	FILE *f = fopen("/proc/self/net/dev", "re");
	json_t *o = json_object();
	char line[512];

	while (f && fgets(line, sizeof(line), f)) {
		char *at = line + strspn(line, " "), *end = strchr(at, ':');
		if (!end || (size_t)(end - at) != strlen(name) || memcmp(at, name, strlen(name)) != 0)
			continue;
		at = end + 1;
		for (size_t i = 0; i < sizeof(what) / sizeof(what[0]); i++) {
			uint64_t n = strtoull(at, &at, 10);
			if (what[i])
				json_object_set_new(o, what[i], json_u64(n));
		}
	}
	if (f)
		fclose(f);
	return o;
}

static const char *const kinds[] = {
	[PORT_MEMBER] = "member", [PORT_FABRIC] = "fabric", [PORT_UNDERLAY] = "underlay"};

static json_t *show_port(const struct agent_port *p, const struct ledger *l, bool alone)
{
	json_t *o = json_pack("{s:s, s:s, s:s, s:b, s:o, s:o, s:o, s:o}", "name", p->name, "lan",
		p->lan->c->name, "kind", kinds[p->kind], "up", p->up, "in",
		show_direction(l, DIR_IN), "out", show_direction(l, DIR_OUT), "would",
		show_would(p->lan->agent, p->slot), "balance", show_sums(l));

	if (alone)
		json_object_set_new(o, "interface", show_interface(p->name));
	return o;
}

static json_t *show_gone(const struct agent_lan *lan)
{
	return json_pack("{s:s, s:s, s:s, s:b, s:o, s:o, s:{s:{}, s:{}}, s:o}", "name", "(departed)",
		"lan", lan->c->name, "kind", "departed", "up", 0, "in",
		show_direction(lan->gone, DIR_IN), "out", show_direction(lan->gone, DIR_OUT), "would",
		"in", "out", "balance", show_sums(lan->gone));
}

/* --- a LAN --- */

static json_t *show_faults(
	const struct agent_lan *lan, const struct ledger_port *books, size_t count)
{
	struct ledger_fault faults[FAULTS_MAX];
	size_t n = ledger_balance(books, count, faults, FAULTS_MAX);
	json_t *rows = json_array();

	for (size_t i = 0; i < n && i < FAULTS_MAX; i++) {
		const struct ledger_fault *f = &faults[i];
		const struct agent_port *p = agent_port_find(lan, f->ifindex);
		json_array_append_new(
			rows, json_pack("{s:o, s:o, s:s, s:o, s:o}", "port",
				      p ? json_string(p->name) : json_null(), "class",
				      f->cls < CLASS_COUNT ? json_string(class_name(f->cls))
							   : json_null(),
				      "fault", ledger_fault_text(f->what), "left",
				      json_u64(f->left), "right", json_u64(f->right)));
	}
	return json_pack(
		"{s:s, s:b, s:o}", "lan", lan->c->name, "balanced", n == 0, "faults", rows);
}

static bool has_gone(const struct agent_lan *lan)
{
	return ledger_sum(lan->gone, DIR_IN, CLASS_COUNT, 0).frames ||
	       ledger_sum(lan->gone, DIR_OUT, CLASS_COUNT, 0).frames;
}

static void show_lan(const struct agent_lan *lan, const char *only, json_t *rows, json_t *balance)
{
	const struct agent *a = lan->agent;
	struct ledger_port *books;
	struct agent_port *p;
	size_t count = 1, i = 0;

	TAILQ_FOREACH (p, &lan->ports, link)
		count++;
	books = calloc(count, sizeof(*books));
	if (!books)
		abort();
	TAILQ_FOREACH (p, &lan->ports, link) {
		books[i].ifindex = p->ifindex;
		books[i].kind = p->kind;
		a->ops->counters(a->plane, p->slot, books[i].l.at);
		if (!only || strcmp(only, p->name) == 0)
			json_array_append_new(rows, show_port(p, &books[i].l, only != NULL));
		/* What arrives there arrives in the fabric port again. */
		i += p->kind != PORT_UNDERLAY;
	}
	if (has_gone(lan)) {
		books[i].kind = PORT_MEMBER;
		books[i++].l = *lan->gone;
		if (!only)
			json_array_append_new(rows, show_gone(lan));
	}
	json_array_append_new(balance, show_faults(lan, books, i));
	free(books);
}

/* Of no LAN: what arrives there arrives in the fabric ports again. */
static void show_underlay(const struct agent *a, const struct agent_underlay *u, const char *only, json_t *rows)
{
	const struct link *link = links_get(a->links, u->ifindex);
	struct ledger *l;

	if (!u->ifindex || (only && strcmp(only, u->name) != 0))
		return;
	l = calloc(1, sizeof(*l));
	if (!l)
		abort();
	a->ops->counters(a->plane, u->slot, l->at);
	json_t *o = json_pack("{s:s, s:n, s:s, s:b, s:o, s:o, s:o, s:o}", "name", u->name, "lan", "kind",
		kinds[PORT_UNDERLAY], "up", link && link_is_up(link), "in", show_direction(l, DIR_IN),
		"out", show_direction(l, DIR_OUT), "would", show_would(a, u->slot), "balance",
		show_sums(l));
	if (only)
		json_object_set_new(o, "interface", show_interface(u->name));
	json_array_append_new(rows, o);
	free(l);
}

json_t *agent_ledger_show(struct agent *a, const json_t *request)
{
	const char *only = json_string_value(json_object_get(request, "port"));
	json_t *rows = json_array(), *balance = json_array();

	for (uint32_t i = 0; i < a->lan_count; i++)
		show_lan(&a->lans[i], only, rows, balance);
	for (uint32_t i = 0; i < a->underlay_count; i++)
		show_underlay(a, &a->underlays[i], only, rows);
	if (only && json_array_size(rows) == 0) {
		json_decref(rows);
		json_decref(balance);
		return NULL;
	}
	return json_pack("{s:o, s:o, s:o}", "ports", rows, "balance", balance, "time_ms",
		json_u64(loop_now_ms()));
}

/* --- departed ports --- */

static void name_of(const struct agent_lan *lan, char name[STATE_NAME_LEN])
{
	snprintf(name, STATE_NAME_LEN, "ledger-%s.json", lan->c->name);
}

static void save(const struct agent_lan *lan)
{
	const char *dir = lan->agent->config->state_dir;
	char name[STATE_NAME_LEN];
	json_t *o = json_pack("{s:i, s:o, s:o}", "version", LAYOUT_VERSION, "in",
		show_direction(lan->gone, DIR_IN), "out", show_direction(lan->gone, DIR_OUT));
	char *text = json_dumps(o, JSON_COMPACT);

	name_of(lan, name);
	int r = text ? statefile_write(dir, name, text, strlen(text)) : -ENOMEM;
	if (r < 0)
		log_warning(LOG_MAIN, "%s/%s: %s", dir, name, strerror(-r));
	free(text);
	json_decref(o);
}

void agent_ledger_leave(struct agent_lan *lan, uint32_t slot)
{
	struct ledger l;

	if (lan->agent->ops->counters(lan->agent->plane, slot, l.at) < 0)
		return;
	ledger_add(lan->gone, &l);
	save(lan);
}

static void load_direction(const json_t *classes, struct ledger *l, enum frame_dir d)
{
	const char *class_token, *outcome_token;
	json_t *outcomes, *n;

	json_object_foreach((json_t *)classes, class_token, outcomes) {
		int c = class_find(class_token);
		json_object_foreach(outcomes, outcome_token, n) {
			int o = outcome_find(outcome_token);
			if (c < 0 || o < 0)
				continue;
			l->at[d][c][o].frames = (uint64_t)json_integer_value(json_array_get(n, 0));
			l->at[d][c][o].octets = (uint64_t)json_integer_value(json_array_get(n, 1));
		}
	}
}

static void load(struct agent_lan *lan)
{
	const char *dir = lan->agent->config->state_dir;
	char name[STATE_NAME_LEN], *text = NULL;
	size_t len = 0;

	name_of(lan, name);
	if (!lan->agent->adopted) {
		statefile_remove(dir, name);
		return;
	}
	int r = statefile_read(dir, name, STATE_MAX, &text, &len);
	if (r == -ENOENT)
		return;
	json_t *o = r == 0 ? json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL) : NULL;
	if (o && json_integer_value(json_object_get(o, "version")) == LAYOUT_VERSION) {
		load_direction(json_object_get(o, "in"), lan->gone, DIR_IN);
		load_direction(json_object_get(o, "out"), lan->gone, DIR_OUT);
	} else {
		log_warning(LOG_MAIN,
			"%s/%s: not read: %s; what ports that left had counted is not known", dir,
			name, r < 0 ? strerror(-r) : "not what was written there");
	}
	json_decref(o);
	free(text);
}

void agent_ledger_open(struct agent_lan *lan)
{
	lan->gone = calloc(1, sizeof(*lan->gone));
	if (!lan->gone)
		abort();
	load(lan);
}

void agent_ledger_close(struct agent_lan *lan)
{
	free(lan->gone);
	lan->gone = NULL;
}
