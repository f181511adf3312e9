/* The ports and their ledger, for the agent's /metrics. The counters of a port are 33 kB a CPU in the kernel, nearly all of them 0:
 * they are read a port a step, and what is not 0 is kept; so an answer costs what has happened, not what could. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/metrics_agent.h"
#include "proxyarp/verdict.h"

/* --- the ports --- */

enum { INFO, UP, ATTACHED, BEHIND, QUARANTINED, DRY };

static const struct openmetrics_family port_families[] = {
	[INFO] = {"quell_port", METRIC_INFO, NULL, "The port, and whose it is."},
	[UP] = {"quell_port_up", METRIC_GAUGE, NULL, "1 if the interface is up."},
	[ATTACHED] = {"quell_port_attached", METRIC_GAUGE, NULL, "1 if the data plane's programs are at the port."},
	[BEHIND] = {"quell_port_behind_others", METRIC_GAUGE, NULL,
		"1 if somebody else's filter comes before them: what it takes is neither judged nor counted."},
	[QUARANTINED] = {"quell_port_quarantined", METRIC_GAUGE, NULL, "1 if it is in quarantine."},
	[DRY] = {"quell_port_dry_run", METRIC_GAUGE, NULL, "1 if it is judged there and nothing is done."},
};

static void copy_port(struct metrics_port *c, const struct agent_port *p, size_t lan)
{
	const struct registry_member *m = p->member ? &p->lan->registry->members[p->member->member] : NULL;
	const struct config_policy *policy = config_port_policy(p->lan->c->agent, p->name);

	*c = (struct metrics_port){.lan_index = lan,
		.ifindex = p->ifindex,
		.slot = p->slot,
		.kind = (uint8_t)p->kind,
		.quarantine = p->quarantine,
		.up = p->up,
		.attached = p->attached,
		.behind = p->behind,
		.closed = p->closed,
		.dry = agent_port_dry(p),
		.xdp = p->xdp,
		.asn = m ? m->asn : 0};
	snprintf(c->lan, sizeof(c->lan), "%s", p->lan->c->name);
	memcpy(c->name, p->name, sizeof(c->name));
	snprintf(c->member, sizeof(c->member), "%s", m && m->name ? m->name : "");
	if (p->kind == PORT_MEMBER)
		memcpy(c->police, policy->police, sizeof(c->police));
}

static void copy_underlay(struct metrics_port *c, const struct agent *a, const struct agent_underlay *u)
{
	const struct link *l = links_get(a->links, u->ifindex);

	*c = (struct metrics_port){.lan_index = a->lan_count,
		.ifindex = u->ifindex,
		.slot = u->slot,
		.kind = PORT_UNDERLAY,
		.up = l && link_is_up(l),
		.attached = u->attached,
		.dry = u->dry};
	memcpy(c->name, u->name, sizeof(c->name));
}

static bool prepare_ports(void *arg)
{
	struct metrics_agent_job *j = arg;
	struct agent *a = j->a;
	struct agent_port *p;
	size_t count = a->underlay_count + a->lan_count;

	for (uint32_t i = 0; i < a->lan_count; i++)
		TAILQ_FOREACH (p, &a->lans[i].ports, link)
			count++;
	j->port = calloc(count + 1, sizeof(*j->port));
	j->books = calloc(a->lan_count + 1, sizeof(*j->books));
	if (!j->port || !j->books)
		abort();
	for (uint32_t i = 0; i < a->lan_count; i++)
		TAILQ_FOREACH (p, &a->lans[i].ports, link)
			copy_port(&j->port[j->ports++], p, i);
	for (uint32_t i = 0; i < a->underlay_count; i++)
		if (a->underlays[i].ifindex)
			copy_underlay(&j->port[j->ports++], a, &a->underlays[i]);
	for (uint32_t i = 0; i < a->lan_count; i++) {
		struct metrics_port *c = &j->port[j->ports++];
		*c = (struct metrics_port){
			.lan_index = i, .name = "(departed)", .kind = PORT_MEMBER, .gone = true};
		snprintf(c->lan, sizeof(c->lan), "%s", a->lans[i].c->name);
	}
	return false;
}

static size_t count_ports(const void *arg)
{
	return ((const struct metrics_agent_job *)arg)->ports;
}

static void begin(struct openmetrics *m, const struct metrics_port *p)
{
	openmetrics_sample(m);
	openmetrics_label(m, "lan", p->lan);
	openmetrics_label(m, "port", p->name);
}

static void sample_info(struct openmetrics *m, const struct metrics_port *p)
{
	static const char *const kinds[] = {
		[PORT_MEMBER] = "member", [PORT_FABRIC] = "fabric", [PORT_UNDERLAY] = "underlay"};
	char asn[12] = "";

	if (p->asn)
		snprintf(asn, sizeof(asn), "%u", p->asn);
	begin(m, p);
	openmetrics_label(m, "kind", kinds[p->kind]);
	openmetrics_label(m, "asn", asn);
	openmetrics_label(m, "member", p->member);
	openmetrics_label(m, "closed", p->closed ? "true" : "false");
	openmetrics_label(m, "xdp", p->xdp ? "true" : "false");
	openmetrics_value(m, 1);
}

static void sample_port(const void *arg, struct openmetrics *m, size_t family, size_t item)
{
	const struct metrics_port *p = &((const struct metrics_agent_job *)arg)->port[item];

	if (p->gone)
		return;
	if (family == INFO) {
		sample_info(m, p);
		return;
	}
	begin(m, p);
	openmetrics_value(m, family == UP	    ? p->up
			     : family == ATTACHED    ? p->attached
			     : family == BEHIND	     ? p->behind
			     : family == QUARANTINED ? p->quarantine != 0
						     : p->dry);
}

const struct metrics_section metrics_port_section = {
	port_families, sizeof(port_families) / sizeof(port_families[0]), prepare_ports, count_ports, sample_port};

/* --- their policers --- */

static const struct openmetrics_family policer_families[] = {
	{"quell_port_policer_bytes_per_second", METRIC_GAUGE, NULL,
		"The rate of a policer; only where there is one, and it counts octets."},
	{"quell_port_policer_frames_per_second", METRIC_GAUGE, NULL,
		"The rate of a policer; only where there is one, and it counts frames."},
};

static void sample_policer(const void *arg, struct openmetrics *m, size_t family, size_t item)
{
	static const char *const groups[POLICE_COUNT] = {[POLICE_ALL] = "all",
		[POLICE_KNOWN] = "known",
		[POLICE_EXCHANGE] = "exchange",
		[POLICE_UNKNOWN] = "unknown",
		[POLICE_ANNOUNCE] = "announcements",
		[POLICE_OTHER] = "other"};
	const struct metrics_port *p = &((const struct metrics_agent_job *)arg)->port[item];

	for (int d = 0; d < DIR_COUNT; d++)
		for (int g = 0; g < POLICE_COUNT; g++) {
			const struct layout_policer *l = &p->police[d][g];
			if (!l->rate || !groups[g] || (l->unit == UNIT_PACKETS) != (family == 1))
				continue;
			begin(m, p);
			openmetrics_label(m, "direction", d == DIR_IN ? "in" : "out");
			openmetrics_label(m, "group", groups[g]);
			openmetrics_value(m, family == 1 ? l->rate : l->rate / 8);
		}
}

const struct metrics_section metrics_policer_section = {policer_families, 2, NULL, count_ports, sample_policer};

/* --- the ledger --- */

static void add_cell(struct metrics_cells *c, struct metrics_cell cell)
{
	if (c->count == c->cap) {
		c->cap = c->cap ? 2 * c->cap : 256;
		c->list = realloc(c->list, c->cap * sizeof(cell));
		if (!c->list)
			abort();
	}
	c->list[c->count++] = cell;
}

static void add_would(void *arg, enum frame_dir dir, enum frame_class cls, enum frame_outcome would,
	const struct layout_counter *n)
{
	struct metrics_agent_job *j = arg;

	add_cell(&j->would, (struct metrics_cell){(uint32_t)j->read, (uint8_t)dir, (uint8_t)cls, (uint8_t)would, *n});
}

static void add_ledger(struct metrics_agent_job *j, const struct ledger *l)
{
	for (int d = 0; d < DIR_COUNT; d++)
		for (int c = 0; c < CLASS_COUNT; c++)
			for (int o = 0; o < OUTCOME_COUNT; o++)
				if (l->at[d][c][o].frames)
					add_cell(&j->cells, (struct metrics_cell){(uint32_t)j->read, (uint8_t)d, (uint8_t)c,
								    (uint8_t)o, l->at[d][c][o]});
}

/* Its row of counters may be another's by now. */
static bool is_there(const struct agent *a, const struct metrics_port *p)
{
	if (p->kind == PORT_UNDERLAY) {
		const struct agent_underlay *u = agent_underlay_find(a, p->ifindex);
		return u && u->slot == p->slot;
	}
	const struct agent_port *now = agent_port_find(&a->lans[p->lan_index], p->ifindex);
	return now && now->slot == p->slot;
}

static void read_port(struct metrics_agent_job *j, const struct metrics_port *p)
{
	struct agent *a = j->a;
	struct ledger_port *s = &j->scratch;
	bool empty;

	if (p->gone) {
		s->l = *a->lans[p->lan_index].gone;
	} else if (!is_there(a, p) || a->ops->counters(a->plane, p->slot, s->l.at) < 0) {
		return;
	} else if (a->ops->would_each) {
		a->ops->would_each(a->plane, p->slot, add_would, j);
	}
	size_t before = j->cells.count;
	add_ledger(j, &s->l);
	empty = j->cells.count == before;
	/* What arrives at an underlay arrives in the fabric port again; and nobody that left makes no port. */
	if (p->kind == PORT_UNDERLAY || (p->gone && empty))
		return;
	s->ifindex = p->ifindex;
	s->kind = (enum layout_port_kind)p->kind;
	ledger_books_add(&j->books[p->lan_index], s);
}

static bool prepare_ledger(void *arg)
{
	struct metrics_agent_job *j = arg;

	if (j->read == j->ports)
		return false;
	read_port(j, &j->port[j->read]);
	j->read++;
	return true;
}

/* The same names as of `quell show ledger --metrics`: cli/ledger.c. */
static const struct openmetrics_family ledger_families[] = {
	{"quell_ledger_frames", METRIC_COUNTER, NULL,
		"Frames at a port, by class and what became of them."},
	{"quell_ledger_bytes", METRIC_COUNTER, "bytes", "Octets of these frames, without FCS."},
};

static void sample_cell(const struct metrics_agent_job *j, const struct metrics_cell *c, struct openmetrics *m, uint64_t n)
{
	begin(m, &j->port[c->port]);
	openmetrics_label(m, "direction", c->dir == DIR_IN ? "in" : "out");
	openmetrics_label(m, "class", class_name((enum frame_class)c->cls));
	openmetrics_label(m, "outcome", outcome_name((enum frame_outcome)c->outcome));
	openmetrics_value(m, n);
}

static size_t count_cells(const void *arg)
{
	return ((const struct metrics_agent_job *)arg)->cells.count;
}

static void sample_ledger(const void *arg, struct openmetrics *m, size_t family, size_t item)
{
	const struct metrics_agent_job *j = arg;
	const struct metrics_cell *c = &j->cells.list[item];

	sample_cell(j, c, m, family == 0 ? c->n.frames : c->n.octets);
}

const struct metrics_section metrics_ledger_section = {ledger_families, 2, prepare_ledger, count_cells, sample_ledger};

static const struct openmetrics_family would_families[] = {
	{"quell_ledger_would_frames", METRIC_COUNTER, NULL,
		"Frames that went on in dry run, by what would have become of them."},
};

static size_t count_would(const void *arg)
{
	return ((const struct metrics_agent_job *)arg)->would.count;
}

static void sample_would(const void *arg, struct openmetrics *m, size_t family, size_t item)
{
	const struct metrics_agent_job *j = arg;

	(void)family;
	sample_cell(j, &j->would.list[item], m, j->would.list[item].n.frames);
}

const struct metrics_section metrics_would_section = {would_families, 1, NULL, count_would, sample_would};

static const struct openmetrics_family balance_families[] = {
	{"quell_ledger_balanced", METRIC_GAUGE, NULL, "1 if the books of a LAN balance."},
};

static size_t count_books(const void *arg)
{
	return ((const struct metrics_agent_job *)arg)->a->lan_count;
}

static void sample_balance(const void *arg, struct openmetrics *m, size_t family, size_t item)
{
	const struct metrics_agent_job *j = arg;

	(void)family;
	openmetrics_sample(m);
	openmetrics_label(m, "lan", j->a->lans[item].c->name);
	openmetrics_value(m, ledger_books_faults(&j->books[item]) == 0);
}

const struct metrics_section metrics_balance_section = {balance_families, 1, NULL, count_books, sample_balance};

void metrics_ports_free(struct metrics_agent_job *j)
{
	free(j->port);
	free(j->books);
	free(j->cells.list);
	free(j->would.list);
}
