/* What all forms of the report say. A name in a sentence is one that the books gave: it is escaped by the form that prints it. */
#include "audit/facts.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "audit/format.h"
#include "audit/rules.h"
#include "proxyarp/verdict.h"

#define TOP_DEFAULT 10
#define TOP_MOST 200 /* of a file that people open */

uint32_t facts_top(const struct audit_report *r)
{
	return !r->top ? TOP_DEFAULT : r->top > TOP_MOST ? TOP_MOST : r->top;
}

/* --- members --- */

bool facts_is_of(const struct audit *a, uint32_t asn, const struct registry_port *p)
{
	if (!asn)
		return true;
	return p && a && a->registry && p->member < a->registry->member_count && a->registry->members[p->member].asn == asn;
}

char *facts_owner(const struct audit *a, const struct registry_port *p, char *buf, size_t size)
{
	buf[0] = '\0';
	if (p && a && a->registry && p->member < a->registry->member_count) {
		const struct registry_member *m = &a->registry->members[p->member];
		snprintf(buf, size, "AS%u %s", m->asn, m->name ? m->name : "");
	}
	return buf;
}

const struct audit_member *facts_member(const struct audit *a, uint32_t asn)
{
	for (size_t i = 0; a && i < a->member_count; i++)
		if (a->members[i].member && a->members[i].member->asn == asn)
			return &a->members[i];
	return NULL;
}

const struct audit *facts_books_of_member(const struct audit_report *r)
{
	const struct audit_member *m = facts_member(r->books, r->member);

	return !r->before || (m && facts_heard(m)) ? r->books : r->before;
}

unsigned facts_failed(const struct audit_member *m)
{
	unsigned failed = 0;

	for (int i = 0; i < RULE_COUNT; i++)
		failed += m->rules[i].verdict == AUDIT_FAIL;
	return failed;
}

bool facts_heard(const struct audit_member *m)
{
	return m->sent.frames > 0;
}

static uint32_t asn_of(const struct audit_member *m)
{
	return m->member ? m->member->asn : 0;
}

static int member_cmp(const void *x, const void *y)
{
	const struct audit_member *a = *(const struct audit_member *const *)x, *b = *(const struct audit_member *const *)y;
	int d = (int)facts_failed(b) - (int)facts_failed(a);

	if (!d)
		d = (int)facts_heard(b) - (int)facts_heard(a);
	return d ? d : (asn_of(a) > asn_of(b)) - (asn_of(a) < asn_of(b));
}

const struct audit_member **facts_members(const struct audit *a, uint32_t asn, size_t *ret_count)
{
	size_t all = a ? a->member_count : 0, count = 0;
	const struct audit_member **list = calloc(all + 1, sizeof(*list));

	*ret_count = 0;
	if (!list)
		return NULL;
	for (size_t i = 0; i < all; i++)
		if (!asn || asn_of(&a->members[i]) == asn)
			list[count++] = &a->members[i];
	if (count)
		qsort(list, count, sizeof(*list), member_cmp);
	*ret_count = count;
	return list;
}

/* --- the grid --- */

const struct audit_port *facts_port(const struct audit *a, const char *name)
{
	for (size_t i = 0; a && i < a->port_count; i++)
		if (strcmp(a->ports[i].name, name) == 0)
			return &a->ports[i];
	return NULL;
}

static const struct registry_port *who_is_at(const struct audit_report *r, const char *port)
{
	const struct audit_port *p = facts_port(r->books, port);

	if (!p || !p->registered)
		p = facts_port(r->before, port);
	return p ? p->registered : NULL;
}

static int grid_of_comparison(const struct audit_report *r, struct facts_grid *g)
{
	const struct compare *c = r->compare;
	struct facts_row *row = NULL;

	g->both = true;
	g->rows = calloc(c->row_count + 1, sizeof(*g->rows));
	if (!g->rows)
		return -ENOMEM;
	for (size_t i = 0; i < c->row_count; i++) {
		const struct compare_row *from = &c->rows[i];
		if (!row || strcmp(row->port, from->port) != 0) {
			const struct registry_port *who = who_is_at(r, from->port);
			if (!facts_is_of(r->books ? r->books : r->before, r->member, who))
				continue;
			row = &g->rows[g->count++];
			row->port = from->port;
			row->who = who;
		}
		row->before[from->cls] = from->before;
		row->after[from->cls] = from->after;
		if (from->cls == FACTS_ALL) {
			row->suppressed = from->suppressed;
			row->pass = from->pass;
			g->failed += !from->pass;
		}
	}
	return 0;
}

static struct compare_cell cell_of(const struct audit_port *p, const struct audit_rate *rate)
{
	return (struct compare_cell){.fps = audit_fps(p, &rate->all), .bps = audit_bps(p, &rate->all),
		.peak_fps = (double)rate->peak.frames};
}

static int grid_of_books(const struct audit_report *r, struct facts_grid *g)
{
	const struct audit *a = r->books ? r->books : r->before;

	g->rows = calloc((a ? a->port_count : 0) + 1, sizeof(*g->rows));
	if (!g->rows)
		return -ENOMEM;
	for (size_t i = 0; a && i < a->port_count; i++) {
		const struct audit_port *p = &a->ports[i];
		if (!facts_is_of(a, r->member, p->registered))
			continue;
		struct facts_row *row = &g->rows[g->count++];
		row->port = p->name;
		row->who = p->registered;
		row->pass = true;
		for (int cls = 0; cls < CLASS_COUNT; cls++)
			if (compare_class_floods((enum frame_class)cls))
				row->after[cls] = cell_of(p, &p->at[AUDIT_RECEIVED][cls]);
		row->after[FACTS_ALL] = cell_of(p, &p->unwanted);
	}
	return 0;
}

static int descending(double a, double b)
{
	return (a < b) - (a > b);
}

static int row_cmp(const void *x, const void *y)
{
	const struct facts_row *a = x, *b = y;
	int d = (int)a->pass - (int)b->pass;

	if (!d)
		d = descending(a->after[FACTS_ALL].fps, b->after[FACTS_ALL].fps);
	if (!d)
		d = descending(a->before[FACTS_ALL].fps, b->before[FACTS_ALL].fps);
	if (!d) /* swp2 before swp10 */
		d = (strlen(a->port) > strlen(b->port)) - (strlen(a->port) < strlen(b->port));
	return d ? d : strcmp(a->port, b->port);
}

static void list_classes(struct facts_grid *g)
{
	double sum[CLASS_COUNT] = {0};

	for (size_t i = 0; i < g->count; i++)
		for (int cls = 0; cls < CLASS_COUNT; cls++)
			sum[cls] += g->rows[i].before[cls].fps + g->rows[i].after[cls].fps;
	for (;;) {
		int most = -1;
		for (int cls = 0; cls < CLASS_COUNT; cls++)
			if (sum[cls] > 0 && (most < 0 || sum[cls] > sum[most]))
				most = cls;
		if (most < 0)
			return;
		g->classes[g->class_count++] = (enum frame_class)most;
		sum[most] = 0;
	}
}

double facts_rest(const struct facts_grid *g, const struct compare_cell *cells, size_t shown)
{
	double rest = cells[FACTS_ALL].fps;

	for (size_t k = 0; k < shown; k++)
		rest -= cells[g->classes[k]].fps;
	return rest < 0.005 ? 0 : rest;
}

bool facts_has_rest(const struct facts_grid *g, size_t shown)
{
	for (size_t i = 0; i < g->count; i++)
		if (facts_rest(g, g->rows[i].before, shown) > 0 || facts_rest(g, g->rows[i].after, shown) > 0)
			return true;
	return false;
}

int facts_grid(const struct audit_report *r, struct facts_grid *ret)
{
	struct facts_grid g = {0};
	int err = r->compare ? grid_of_comparison(r, &g) : grid_of_books(r, &g);

	if (err)
		return err;
	if (g.count)
		qsort(g.rows, g.count, sizeof(*g.rows), row_cmp);
	list_classes(&g);
	*ret = g;
	return 0;
}

void facts_grid_free(struct facts_grid *g)
{
	free(g->rows);
	*g = (struct facts_grid){0};
}

/* --- what is about a member --- */

static bool mac_is_of(const struct audit *a, uint32_t asn, struct mac mac)
{
	const struct registry *reg = a->registry;

	for (size_t i = 0; reg && i < reg->port_count; i++)
		for (int k = 0; k < reg->ports[i].mac_count; k++)
			if (mac_eq(reg->ports[i].macs[k], mac) && facts_is_of(a, asn, &reg->ports[i]))
				return true;
	return false;
}

bool facts_finding_is_shown(const struct audit *a, uint32_t asn, const struct audit_finding *f)
{
	if (!asn || mac_is_of(a, asn, f->mac))
		return true;
	if (f->kind == AUDIT_DUPLICATE_IP)
		return mac_is_of(a, asn, f->other);
	return f->kind == AUDIT_SPOOF_MAC && f->port < a->port_count && a->ports[f->port].registered &&
	       facts_is_of(a, asn, a->ports[f->port].registered);
}

uint64_t facts_calls(const struct audit *a, uint32_t asn, const struct audit_target *t)
{
	uint64_t calls = 0;

	if (!asn)
		return t->arp + t->ns + t->syn;
	for (uint32_t i = 0; i < t->caller_count; i++)
		if (mac_is_of(a, asn, t->callers[i].mac))
			calls += t->callers[i].calls;
	return calls;
}

/* --- in words --- */

const char *facts_kind_name(enum audit_target_kind k)
{
	static const char *const names[] = {"assigned", "dead", "unassigned", "foreign"};

	return (unsigned)k <= AUDIT_FOREIGN ? names[k] : "?";
}

const char *facts_kind_text(enum audit_target_kind k)
{
	static const char *const texts[] = {"in use", "dead", "nobody's", "outside the LAN"};

	return (unsigned)k <= AUDIT_FOREIGN ? texts[k] : "?";
}

static void __attribute__((format(printf, 2, 3))) add(char buf[FACTS_TEXT], const char *fmt, ...)
{
	size_t len = strlen(buf);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(buf + len, FACTS_TEXT - len, fmt, ap);
	va_end(ap);
}

static void say_before(const struct facts_grid *g, char *buf)
{
	const struct facts_row *worst = &g->rows[0];

	for (size_t i = 1; i < g->count; i++)
		if (g->rows[i].before[FACTS_ALL].fps > worst->before[FACTS_ALL].fps)
			worst = &g->rows[i];
	const char *fps = FORMAT(fps, worst->before[FACTS_ALL].fps);
	if (g->count == 1)
		add(buf, "Port %s received %s frames/s of flood before", worst->port, fps);
	else
		add(buf, "%s ports received up to %s frames/s of flood before (port %s)", FORMAT(count, g->count), fps,
			worst->port);
}

static void say_comparison(const struct audit_report *r, const struct facts_grid *g, char *buf)
{
	if (!g->count) {
		add(buf, "Nothing to compare: no port is on either side.");
		return;
	}
	const struct facts_row *worst = &g->rows[0];
	const struct compare_cell *was = &worst->before[FACTS_ALL], *is = &worst->after[FACTS_ALL];
	const char *limit = FORMAT(fps, r->compare->limit_fps);
	if (!g->failed) {
		say_before(g, buf);
		if (is->fps > 0)
			add(buf, ", %s%s after. The limit is %s.", g->count == 1 ? "" : "at most ", FORMAT(fps, is->fps), limit);
		else
			add(buf, ", 0 after.");
		return;
	}
	if (g->failed > 1)
		add(buf, "%s of %s ports receive more flood than the limit of %s frames/s. ", FORMAT(count, g->failed), FORMAT(count, g->count),
			limit);
	add(buf, "Port %s %s %s frames/s of flood, %s before", worst->port, was->fps > 0 ? "still receives" : "receives",
		FORMAT(fps, is->fps), FORMAT(fps, was->fps));
	if (g->failed > 1)
		add(buf, ".");
	else
		add(buf, "; the limit is %s.", limit);
	if (g->failed == 1 && g->count > 1)
		add(buf, g->count == 2 ? " The other port is within it." : " The other %s ports are within it.", FORMAT(count, g->count - 1));
}

static void say_rules(const struct audit_member *m, char *buf)
{
	unsigned failed = facts_failed(m), said = 0;

	for (size_t i = 0; i < RULES_ROWS && said < failed; i++) {
		const struct rules_row *row = &rules_rows[i];
		if (m->rules[row->rule].verdict != AUDIT_FAIL)
			continue;
		add(buf, "%s%s", said ? "; " : "", rules_text(row));
		if (row->number)
			add(buf, " (rule %d)", row->number);
		said++;
	}
}

static void say_member(const struct audit_report *r, char *buf)
{
	const struct audit_member *m = facts_member(facts_books_of_member(r), r->member);

	if (!m || !facts_heard(m)) {
		add(buf, "AS%u was not heard in this capture.", r->member);
		return;
	}
	unsigned failed = facts_failed(m);
	if (!failed) {
		add(buf, "Nothing that AS%u sent breaks the rules.", r->member);
		return;
	}
	if (failed == 1)
		add(buf, "AS%u breaks one rule: ", r->member);
	else
		add(buf, "AS%u breaks %u rules: ", r->member, failed);
	say_rules(m, buf);
	add(buf, ".");
	if (m->by_mac == m->sent.frames)
		add(buf, " Only their source MAC address says that the frames are its own.");
}

/* All senders that nobody registered, in one. */
static const struct audit_member *strangers(const struct audit *a)
{
	for (size_t i = 0; a && i < a->member_count; i++)
		if (!a->members[i].member && facts_heard(&a->members[i]))
			return &a->members[i];
	return NULL;
}

static void say_strangers(const struct audit_report *r, bool alone, char *buf)
{
	const struct audit_member *m = strangers(r->books);
	unsigned failed = m ? facts_failed(m) : 0;

	if (!m)
		return;
	if (r->books->registry)
		add(buf, " Senders that nobody registered were heard%s.", alone ? "" : ", too");
	else if (!failed)
		add(buf, " Nothing that was sent breaks the rules.");
	else
		add(buf, " What was sent breaks %s: ", failed == 1 ? "one rule" : "several rules");
	if (failed && !r->books->registry) {
		say_rules(m, buf);
		add(buf, ".");
	}
}

static void say_members(const struct audit_report *r, char *buf)
{
	size_t heard = 0, failed = 0;

	for (size_t i = 0; r->books && i < r->books->member_count; i++) {
		const struct audit_member *m = &r->books->members[i];
		if (!m->member || !facts_heard(m))
			continue;
		heard++;
		failed += !m->pass;
	}
	if (!heard)
		add(buf, r->books && !r->books->registry ? "No registry tells who is who." : "No member was heard in this capture.");
	else if (failed)
		add(buf, "%s of %s members that were heard %s rules.", FORMAT(count, failed), FORMAT(count, heard),
			failed == 1 ? "breaks" : "break");
	else if (heard == 1)
		add(buf, "The one member that was heard keeps to the rules.");
	else
		add(buf, "All %s members that were heard keep to the rules.", FORMAT(count, heard));
	say_strangers(r, !heard, buf);
}

static bool over_limit(const struct audit_report *r)
{
	const struct audit *a = r->books;

	for (size_t i = 0; r->has_limit && a && i < a->port_count; i++)
		if (audit_fps(&a->ports[i], &a->ports[i].unwanted.all) > r->limit_fps)
			return true;
	return false;
}

/* Of one audit alone. */
static void say_flood(const struct audit_report *r, const struct facts_grid *g, char *buf)
{
	const char *fps = g->count ? FORMAT(fps, g->rows[0].after[FACTS_ALL].fps) : "";

	if (g->count == 1)
		add(buf, " Port %s received %s frames/s of flood.", g->rows[0].port, fps);
	else if (g->count && g->rows[0].after[FACTS_ALL].fps > 0)
		add(buf, " Port %s received the most flood, %s frames/s.", g->rows[0].port, fps);
	else if (g->count)
		add(buf, " No port received any flood.");
	if (g->count && r->has_limit)
		add(buf, over_limit(r) ? " That is more than the limit of %s." : " The limit is %s.", FORMAT(fps, r->limit_fps));
}

char *facts_headline(const struct audit_report *r, char buf[FACTS_TEXT])
{
	struct facts_grid g;

	buf[0] = '\0';
	if (r->member) {
		say_member(r, buf);
		return buf;
	}
	if (!r->compare)
		say_members(r, buf);
	if (facts_grid(r, &g) == 0) {
		if (r->compare)
			say_comparison(r, &g, buf);
		else
			say_flood(r, &g, buf);
		facts_grid_free(&g);
	}
	return buf;
}

char *facts_finding(const struct audit *a, uint32_t asn, const struct audit_finding *f, char buf[FACTS_TEXT])
{
	char ip[IP_TEXT], mac[MAC_TEXT], other[MAC_TEXT];
	bool own = !asn || mac_is_of(a, asn, f->mac);

	ip_format(f->ip, ip);
	mac_format(own ? f->mac : f->other, mac);
	mac_format(f->other, other);
	buf[0] = '\0';
	switch (f->kind) {
	case AUDIT_DUPLICATE_IP:
		if (asn) /* who the other one is, is not for this member's eyes */
			add(buf, "%s is spoken for by %s and by another MAC address", ip, mac);
		else
			add(buf, "%s is spoken for by %s and by %s", ip, mac, other);
		break;
	case AUDIT_SPOOF_MAC:
		mac_format(f->mac, mac);
		add(buf, "%s sends at a port where it is not registered", mac);
		break;
	case AUDIT_SPOOF_IP:
		add(buf, "%s speaks for %s, which is not its own", mac, ip);
		break;
	case AUDIT_PROXY_ARP:
		add(buf, "%s answers for addresses of others, first for %s", mac, ip);
		break;
	case AUDIT_WRONG_MASK:
		add(buf, "%s asks for addresses outside the LAN, first for %s", mac, ip);
		break;
	default:
		add(buf, "%s", audit_finding_name(f->kind));
	}
	return buf;
}

enum audit_verdict audit_report_verdict(const struct audit_report *r)
{
	const struct audit *a = r->member ? facts_books_of_member(r) : r->books;
	bool heard = false, pass = true;

	if (r->compare && !r->member)
		return r->compare->pass ? AUDIT_PASS : AUDIT_FAIL;
	for (size_t i = 0; a && i < a->member_count; i++) {
		const struct audit_member *m = &a->members[i];
		if (!facts_heard(m) || (r->member && asn_of(m) != r->member))
			continue;
		heard = true;
		pass = pass && m->pass;
	}
	if (!r->member && over_limit(r))
		return AUDIT_FAIL;
	/* A port that is to be quiet is, though nobody was heard. */
	if (!heard && !r->member && r->has_limit && a && a->port_count)
		return AUDIT_PASS;
	return !heard ? AUDIT_NOT_SEEN : pass ? AUDIT_PASS : AUDIT_FAIL;
}
