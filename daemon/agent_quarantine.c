/* Ports in quarantine: nothing in, nothing out, nothing answered for them. The registry or the configuration may say so;
 * here are those that the operator has put there (`quell quarantine add`), and those that broke rules too often
 * (`quarantine` of the LAN). Both are kept over restarts, in the state directory, by the port's name.
 *
 * What is counted are the data plane's events, of which it tells one a second of a MAC and rule, and 16 a second of a port.
 * What was let go (dry run, a rule that only counts) is not counted: then nothing is to be done.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <jansson.h>

#include "daemon/agent.h"
#include "daemon/loop.h"
#include "lib/statefile.h"
#include "lib/text.h"
#include "proxyarp/verdict.h"

#define STATE_NAME "quarantine.json"
#define STATE_MAX (1 << 20)
#define QUARANTINED_MAX 4096
#define KEPT (QUARANTINE_OPERATOR | QUARANTINE_RULES)

struct agent_quarantined {
	char lan[32], port[LINK_NAME];
	uint8_t by;
	uint64_t since_ms; /* after a restart: that */
};

static const struct {
	enum agent_quarantine by;
	const char *word;
} words[] = {
	{QUARANTINE_REGISTRY, "registry"},
	{QUARANTINE_CONFIG, "configuration"},
	{QUARANTINE_OPERATOR, "operator"},
	{QUARANTINE_RULES, "rules"},
};

json_t *agent_quarantine_words(uint8_t by)
{
	json_t *list = json_array();

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (by & words[i].by)
			json_array_append_new(list, json_string(words[i].word));
	return list;
}

static uint8_t word_bits(const json_t *list)
{
	uint8_t by = 0;
	const json_t *w;
	size_t k;

	json_array_foreach(list, k, w)
		for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
			if (json_is_string(w) && strcmp(json_string_value(w), words[i].word) == 0)
				by |= words[i].by;
	return by & KEPT;
}

/* --- kept --- */

static void save(const struct agent *a)
{
	json_t *list = json_array();

	for (uint32_t i = 0; i < a->quarantined_count; i++) {
		const struct agent_quarantined *q = &a->quarantined[i];
		json_array_append_new(list, json_pack("{s:s, s:s, s:o}", "lan", q->lan, "port", q->port,
						    "by", agent_quarantine_words(q->by)));
	}
	json_t *o = json_pack("{s:i, s:o}", "version", 1, "ports", list);
	char *text = json_dumps(o, JSON_INDENT(1));
	int r = text ? statefile_write(a->config->state_dir, STATE_NAME, text, strlen(text)) : -ENOMEM;
	if (r < 0)
		log_error(LOG_MAIN, "%s/%s: %s: quarantine will not outlive a restart",
			a->config->state_dir, STATE_NAME, strerror(-r));
	free(text);
	json_decref(o);
}

static struct agent_quarantined *find(const struct agent *a, const char *lan, const char *port)
{
	for (uint32_t i = 0; i < a->quarantined_count; i++)
		if (strcmp(a->quarantined[i].port, port) == 0 &&
			(!lan || strcmp(a->quarantined[i].lan, lan) == 0))
			return &a->quarantined[i];
	return NULL;
}

/* False: there are too many. */
static bool add(struct agent *a, const char *lan, const char *port, uint8_t by)
{
	struct agent_quarantined *q = find(a, lan, port);

	if (!q && a->quarantined_count == QUARANTINED_MAX)
		return false;
	if (!q) {
		a->quarantined = reallocarray(a->quarantined, a->quarantined_count + 1, sizeof(*q));
		if (!a->quarantined)
			abort();
		q = &a->quarantined[a->quarantined_count++];
		*q = (struct agent_quarantined){.since_ms = loop_now_ms()};
		snprintf(q->lan, sizeof(q->lan), "%s", lan);
		snprintf(q->port, sizeof(q->port), "%s", port);
	}
	q->by |= by;
	return true;
}

static void load_port(struct agent *a, const json_t *o)
{
	const char *lan = json_string_value(json_object_get(o, "lan")),
		   *port = json_string_value(json_object_get(o, "port"));
	uint8_t by = word_bits(json_object_get(o, "by"));

	if (lan && port && by && strlen(port) < LINK_NAME && strlen(lan) < 32)
		add(a, lan, port, by);
}

void agent_quarantine_load(struct agent *a)
{
	char *text = NULL;
	size_t len = 0, i;
	json_t *port;

	if (mkdir(a->config->state_dir, 0755) < 0 && errno != EEXIST)
		log_warning(LOG_MAIN, "%s: %s", a->config->state_dir, strerror(errno));
	int r = statefile_read(a->config->state_dir, STATE_NAME, STATE_MAX, &text, &len);
	if (r == -ENOENT)
		return;
	json_t *o = r == 0 ? json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL) : NULL;
	if (o && json_integer_value(json_object_get(o, "version")) == 1)
		json_array_foreach(json_object_get(o, "ports"), i, port) load_port(a, port);
	else
		log_error(LOG_MAIN, "%s/%s: not read: %s; ports that were in quarantine are let out",
			a->config->state_dir, STATE_NAME, r < 0 ? strerror(-r) : "not what was written there");
	json_decref(o);
	free(text);
}

void agent_quarantine_free(struct agent *a)
{
	free(a->quarantined);
	a->quarantined = NULL;
	a->quarantined_count = 0;
}

uint8_t agent_quarantine_of(const struct agent_port *p)
{
	const struct agent_quarantined *q = find(p->lan->agent, p->lan->c->name, p->name);

	return q ? q->by : 0;
}

/* --- in and out --- */

/* The port has become what is kept of it. */
static void changed(struct agent *a, const char *lan, const char *port)
{
	struct agent_port *p;

	save(a);
	for (uint32_t i = 0; i < a->lan_count; i++)
		TAILQ_FOREACH (p, &a->lans[i].ports, link)
			if (strcmp(a->lans[i].c->name, lan) == 0 && strcmp(p->name, port) == 0)
				agent_port_apply(p);
}

/* True: there is nothing left of it. */
static bool take_out(struct agent *a, struct agent_quarantined *q, uint8_t by)
{
	char lan[sizeof(q->lan)], port[sizeof(q->port)];
	bool gone;

	memcpy(lan, q->lan, sizeof(lan));
	memcpy(port, q->port, sizeof(port));
	q->by &= (uint8_t)~by;
	gone = !q->by;
	if (gone)
		*q = a->quarantined[--a->quarantined_count];
	log_notice(LOG_MAIN, "%s: %s: let out of quarantine (%s)", lan, port,
		by & QUARANTINE_OPERATOR ? "operator" : "time");
	changed(a, lan, port);
	return gone;
}

void agent_quarantine_event(struct agent_port *p, const struct layout_event *e)
{
	const struct config_quarantine *c = p ? &p->lan->c->agent->quarantine : NULL;
	uint64_t now = loop_now_ms();

	if (!p || p->kind != PORT_MEMBER || !c->violations || e->flags & EVENT_WOULD ||
		(e->type != EVENT_SPOOF && e->type != EVENT_RULE) ||
		e->rule >= RULE_COUNT || !(c->rules & 1ULL << e->rule) || p->quarantine & QUARANTINE_RULES)
		return;
	if (now - p->violations_ms >= c->window * 1000ULL) {
		p->violations_ms = now;
		p->violations = 0;
	}
	if (++p->violations < c->violations)
		return;
	p->violations = 0;
	struct agent_alarm al = agent_alarm_of(p->lan, p->ifindex, "put into quarantine: too many violations");
	al.rule = (enum frame_rule)e->rule;
	memcpy(al.mac.b, e->mac, 6);
	agent_alarm(p->lan->agent, &al);
	log_error(LOG_MAIN, "%s: %s: put into quarantine: %u violations within %u s, the last of the rule %s",
		p->lan->c->name, p->name, c->violations, c->window, rule_name(al.rule));
	if (add(p->lan->agent, p->lan->c->name, p->name, QUARANTINE_RULES))
		changed(p->lan->agent, p->lan->c->name, p->name);
}

void agent_quarantine_tick(struct agent *a, uint64_t now_ms)
{
	for (uint32_t i = a->quarantined_count; i-- > 0;) {
		struct agent_quarantined *q = &a->quarantined[i];
		const struct agent_lan *lan = agent_lan_by_name(a, q->lan);
		uint64_t release = lan ? lan->c->agent->quarantine.release * 1000ULL : 0;

		if (q->by & QUARANTINE_RULES && release && now_ms - q->since_ms >= release)
			take_out(a, q, QUARANTINE_RULES);
	}
}

static struct agent_port *port_named(struct agent *a, const char *name)
{
	struct agent_port *p;

	for (uint32_t i = 0; i < a->lan_count; i++)
		TAILQ_FOREACH (p, &a->lans[i].ports, link)
			if (p->kind == PORT_MEMBER && strcmp(p->name, name) == 0)
				return p;
	return NULL;
}

static json_t *answer(const struct agent_port *p, const char *name)
{
	return json_pack("{s:b, s:s, s:o}", "ok", 1, "port", name, "quarantine",
		agent_quarantine_words(p ? p->quarantine : 0));
}

json_t *agent_quarantine_do(struct agent *a, const json_t *request, const char **ret_error)
{
	const char *name = json_string_value(json_object_get(request, "port"));
	const json_t *on = json_object_get(request, "on");
	struct agent_port *p = name ? port_named(a, name) : NULL;
	struct agent_quarantined *q;
	char safe[64];

	if (!name || !json_is_boolean(on) || json_object_size(request) != 3) {
		*ret_error = "quarantine: expected port and on, true or false";
		return NULL;
	}
	q = find(a, p ? p->lan->c->name : NULL, name);
	if (!p && (json_is_true(on) || !q)) {
		*ret_error = "no such member port";
		return NULL;
	}
	text_escape(safe, sizeof(safe), name, strlen(name));
	if (json_is_true(on)) {
		if (!add(a, p->lan->c->name, p->name, QUARANTINE_OPERATOR)) {
			*ret_error = "too many ports are in quarantine";
			return NULL;
		}
		log_notice(LOG_MAIN, "%s: %s: put into quarantine (operator)", p->lan->c->name, p->name);
		changed(a, p->lan->c->name, p->name);
	} else if (q) {
		take_out(a, q, KEPT);
	}
	return answer(p, safe);
}
