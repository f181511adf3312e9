/* Text: what a terminal shows, a mail carries, a log keeps. Tables are lib/table.h's; where the terminal is narrow, names are cut and
 * classes of which there was least are taken together. */
#include "audit/report.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "audit/facts.h"
#include "audit/format.h"
#include "audit/rules.h"
#include "lib/table.h"
#include "lib/text.h"
#include "proxyarp/verdict.h"

#define NAME_LEAST 12
#define NAME_MOST 40
#define MATRIX_MOST 9

struct text {
	const struct audit_report *r;
	FILE *f;
	unsigned columns; /* 0: any */
	uint32_t top;
	bool colour;
};

static void title(const struct text *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void title(const struct text *t, const char *fmt, ...)
{
	va_list ap;

	fprintf(t->f, "\n%s", t->colour ? "\033[1m" : "");
	va_start(ap, fmt);
	vfprintf(t->f, fmt, ap);
	va_end(ap);
	fprintf(t->f, "%s\n", t->colour ? "\033[0m" : "");
}

static void more(const struct text *t, uint64_t n, const char *of_what)
{
	if (n)
		fprintf(t->f, "and %llu more %s\n", (unsigned long long)n, of_what);
}

/* Of at most `width` characters once it is escaped. */
static void name_cell(struct table *table, const struct text *t, const char *name, unsigned others)
{
	char safe[NAME_MOST + 1];
	unsigned room = !t->columns ? NAME_MOST : t->columns > others + NAME_LEAST ? t->columns - others : NAME_LEAST;

	table_cell(table, text_escape(safe, room < NAME_MOST ? room + 1 : NAME_MOST + 1, name, strlen(name)));
}

static void owner_cell(struct table *table, const struct text *t, const struct audit *a, const struct registry_port *p, unsigned others)
{
	char name[512];

	if (*facts_owner(a, p, name, sizeof(name))) {
		name_cell(table, t, name, others);
	} else {
		table_cell(table, a && a->registry ? "not registered" : "-");
		table_paint(table, DIM);
	}
}

static void count_cell(struct table *table, uint64_t n)
{
	table_cell(table, format_plain(FORMAT(count, n)));
}

static void fps_cell(struct table *table, double fps, bool judge)
{
	table_cell(table, format_plain(FORMAT(fps, fps)));
	if (judge)
		table_paint(table, fps > 0 ? BAD : GOOD);
}

static void share_cell(struct table *table, double share)
{
	table_cell(table, format_plain(FORMAT(share, share)));
}

static void verdict_cell(struct table *table, enum audit_verdict v)
{
	static const enum table_colour colours[] = {DIM, GOOD, BAD};

	table_cell(table, audit_verdict_name(v));
	table_paint(table, colours[v]);
}

#define COLUMNS(c) (c), sizeof(c) / sizeof((c)[0])

/* --- ports --- */

static void ports_compared(const struct text *t, const struct facts_grid *g)
{
	static const struct table_column columns[] = {{"PORT", false}, {"MEMBER", false}, {"BEFORE/s", true}, {"BUSIEST", true},
		{"BANDWIDTH", true}, {"AFTER/s", true}, {"BUSIEST", true}, {"BANDWIDTH", true}, {"SUPPRESSED", true}, {"VERDICT", false}};
	struct table *table = table_new(COLUMNS(columns));
	const struct audit *a = t->r->books ? t->r->books : t->r->before;

	for (size_t i = 0; i < g->count && i < t->top; i++) {
		const struct facts_row *row = &g->rows[i];
		const struct compare_cell *b = &row->before[FACTS_ALL], *n = &row->after[FACTS_ALL];
		table_cell(table, row->port);
		owner_cell(table, t, a, row->who, 94);
		fps_cell(table, b->fps, false);
		fps_cell(table, b->peak_fps, false);
		table_cell(table, format_plain(FORMAT(bps, b->bps)));
		fps_cell(table, n->fps, true);
		fps_cell(table, n->peak_fps, false);
		table_cell(table, format_plain(FORMAT(bps, n->bps)));
		share_cell(table, row->suppressed);
		verdict_cell(table, row->pass ? AUDIT_PASS : AUDIT_FAIL);
	}
	table_print(table, t->f, t->colour, "no ports");
	table_free(table);
}

static void ports_alone(const struct text *t, const struct facts_grid *g)
{
	static const struct table_column columns[] = {{"PORT", false}, {"MEMBER", false}, {"FLOOD/s", true}, {"BUSIEST", true},
		{"BANDWIDTH", true}};
	struct table *table = table_new(COLUMNS(columns));
	const struct audit *a = t->r->books ? t->r->books : t->r->before;

	for (size_t i = 0; i < g->count && i < t->top; i++) {
		const struct compare_cell *c = &g->rows[i].after[FACTS_ALL];
		table_cell(table, g->rows[i].port);
		owner_cell(table, t, a, g->rows[i].who, 44);
		fps_cell(table, c->fps, false);
		fps_cell(table, c->peak_fps, false);
		table_cell(table, format_plain(FORMAT(bps, c->bps)));
	}
	table_print(table, t->f, t->colour, "no ports");
	table_free(table);
}

static void ports(const struct text *t, const struct facts_grid *g)
{
	title(t, "What each port received that was not for it alone, frames a second");
	if (g->both)
		ports_compared(t, g);
	else
		ports_alone(t, g);
	more(t, g->count > t->top ? g->count - t->top : 0, "ports");
}

/* As many classes as there is room for; the rest is one column. */
static size_t matrix_columns(const struct text *t, const struct facts_grid *g)
{
	size_t fit = 0;
	unsigned used = 28;

	while (fit < g->class_count && fit < MATRIX_MOST) {
		used += (unsigned)strlen(class_name(g->classes[fit])) + 2;
		if (t->columns && used > t->columns && fit)
			break;
		fit++;
	}
	return fit;
}

static void matrix(const struct text *t, const struct facts_grid *g, bool before)
{
	struct table_column columns[MATRIX_MOST + 3] = {{"PORT", false}, {"ALL", true}};
	size_t shown = matrix_columns(t, g), count = 2;

	for (size_t k = 0; k < shown; k++)
		columns[count++] = (struct table_column){class_name(g->classes[k]), true};
	bool others = facts_has_rest(g, shown);
	if (others)
		columns[count++] = (struct table_column){"others", true};
	struct table *table = table_new(columns, count);
	for (size_t i = 0; i < g->count && i < t->top; i++) {
		const struct compare_cell *cells = before ? g->rows[i].before : g->rows[i].after;
		table_cell(table, g->rows[i].port);
		fps_cell(table, cells[FACTS_ALL].fps, !before && g->both);
		for (size_t k = 0; k < shown; k++)
			fps_cell(table, cells[g->classes[k]].fps, false);
		if (others)
			fps_cell(table, facts_rest(g, cells, shown), false);
	}
	table_print(table, t->f, t->colour, "no ports");
	table_free(table);
	more(t, g->count > t->top ? g->count - t->top : 0, "ports");
}

/* --- who, what --- */

static int by_group(const void *x, const void *y)
{
	const struct audit_sender *a = *(const struct audit_sender *const *)x, *b = *(const struct audit_sender *const *)y;

	return (a->group.frames < b->group.frames) - (a->group.frames > b->group.frames);
}

static void senders(const struct text *t, const struct audit *a)
{
	static const struct table_column columns[] = {{"MAC", false}, {"MEMBER", false}, {"PORT", false}, {"TO EVERYBODY", true},
		{"SHARE", true}, {"ALL", true}};
	struct table *table = table_new(COLUMNS(columns));
	const struct audit_sender **list = calloc(a->sender_count + 1, sizeof(*list));
	uint64_t all = 0;
	char mac[MAC_TEXT];

	for (size_t i = 0; list && i < a->sender_count; i++) {
		list[i] = &a->senders[i];
		all += list[i]->group.frames;
	}
	if (list && a->sender_count)
		qsort(list, a->sender_count, sizeof(*list), by_group);
	for (size_t i = 0; list && i < a->sender_count && i < t->top; i++) {
		const struct audit_sender *s = list[i];
		table_cell(table, mac_format(s->mac, mac));
		owner_cell(table, t, a, s->registered, 64);
		table_cell(table, s->port < a->port_count ? a->ports[s->port].name : "-");
		count_cell(table, s->group.frames);
		share_cell(table, all ? (double)s->group.frames / (double)all : 0);
		count_cell(table, s->all.frames);
	}
	table_print(table, t->f, t->colour, "nobody was heard");
	table_free(table);
	more(t, (a->sender_count > t->top ? a->sender_count - t->top : 0) + a->senders_more, "senders");
	free(list);
}

static void caller_cell(struct table *table, const struct audit *a, const struct audit_target *x)
{
	const struct registry_port *who = x->caller_count && a->registry ? registry_by_mac(a->registry, x->callers[0].mac) : NULL;
	char text[64];

	if (who && who->member < a->registry->member_count)
		snprintf(text, sizeof(text), "AS%u", a->registry->members[who->member].asn);
	table_cell(table, who ? text : x->caller_count ? mac_format(x->callers[0].mac, text) : "-");
}

static void targets(const struct text *t, const struct audit *a)
{
	static const struct table_column columns[] = {{"ADDRESS", false}, {"IS", false}, {"MEMBER", false}, {"ARP OR NS", true},
		{"BGP", true}, {"MOST BY", false}};
	static const enum table_colour colours[] = {PLAIN, BAD, WARN, DIM};
	struct table *table = table_new(COLUMNS(columns));
	char text[IP_TEXT];

	for (size_t i = 0; i < a->target_count && i < t->top; i++) {
		const struct audit_target *x = &a->targets[i];
		table_cell(table, ip_format(x->ip, text));
		table_cell(table, facts_kind_name(x->kind));
		table_paint(table, colours[x->kind]);
		if (x->kind == AUDIT_ASSIGNED || x->kind == AUDIT_DEAD)
			owner_cell(table, t, a, x->registered, 74);
		else
			table_cell(table, "-");
		count_cell(table, x->arp + x->ns);
		count_cell(table, x->syn);
		caller_cell(table, a, x);
	}
	table_print(table, t->f, t->colour, "no address was asked for");
	table_free(table);
	more(t, (a->target_count > t->top ? a->target_count - t->top : 0) + a->targets_more, "addresses");
}

/* --- rules --- */

static void rules_matrix(const struct text *t, const struct audit *a)
{
	struct table_column columns[RULES_ROWS + 2] = {{"MEMBER", false}, {"VERDICT", false}};
	static const struct {
		const char *sign;
		enum table_colour colour;
	} signs[] = {{"-", DIM}, {".", GOOD}, {"X", BAD}};
	size_t count;
	const struct audit_member **list = facts_members(a, 0, &count);

	for (size_t k = 0; k < RULES_ROWS; k++)
		columns[k + 2] = (struct table_column){rules_rows[k].label, true};
	struct table *table = table_new(columns, RULES_ROWS + 2);
	size_t shown = count < 40 ? count : t->top < 40 ? 40 : t->top < count ? t->top : count;
	for (size_t i = 0; i < shown; i++) {
		const struct audit_member *m = list[i];
		char name[512] = "not registered";
		if (m->member)
			snprintf(name, sizeof(name), "AS%u %s", m->member->asn, m->member->name ? m->member->name : "");
		name_cell(table, t, name, 86);
		verdict_cell(table, !facts_heard(m) ? AUDIT_NOT_SEEN : m->pass ? AUDIT_PASS : AUDIT_FAIL);
		for (size_t k = 0; k < RULES_ROWS; k++) {
			enum audit_verdict v = m->rules[rules_rows[k].rule].verdict;
			table_cell(table, signs[v].sign);
			table_paint(table, signs[v].colour);
		}
	}
	table_print(table, t->f, t->colour, "no members");
	table_free(table);
	more(t, count - shown, "members");
	fprintf(t->f, ". pass   X fail   - not seen\n");
	free(list);
}

static void broken_rules(const struct text *t, const struct audit *a)
{
	static const struct table_column columns[] = {{"MEMBER", false}, {"RULE", true}, {"WHICH SAYS", false}, {"FRAMES", true},
		{"FIRST", false}};
	struct table *table = table_new(COLUMNS(columns));
	size_t count, shown = 0, left = 0;
	const struct audit_member **list = facts_members(a, t->r->member, &count);

	for (size_t i = 0; i < count; i++)
		for (size_t k = 0; k < RULES_ROWS; k++) {
			const struct rules_row *row = &rules_rows[k];
			const struct audit_ruling *ruling = &list[i]->rules[row->rule];
			char name[64] = "not registered";
			if (ruling->verdict != AUDIT_FAIL)
				continue;
			if (shown == 2 * (size_t)t->top + RULES_ROWS) {
				left++;
				continue;
			}
			shown++;
			if (list[i]->member)
				snprintf(name, sizeof(name), "AS%u", list[i]->member->asn);
			table_cell(table, name);
			table_cell(table, row->label);
			table_cell(table, rules_text(row));
			count_cell(table, ruling->frames);
			table_cell(table, FORMAT(time, ruling->first_ns));
		}
	table_print(table, t->f, t->colour, "no rule is broken");
	table_free(table);
	more(t, left, "broken rules");
	free(list);
}

static void findings(const struct text *t, const struct audit *a)
{
	static const struct table_column columns[] = {{"KIND", false}, {"WHAT", false}, {"PORT", false}, {"FRAMES", true}, {"FIRST", false}};
	struct table *table = table_new(COLUMNS(columns));
	char sentence[FACTS_TEXT];
	size_t shown = 0, left = 0;

	for (size_t i = 0; i < a->finding_count; i++) {
		const struct audit_finding *f = &a->findings[i];
		if (!facts_finding_is_shown(a, t->r->member, f))
			continue;
		if (shown++ >= 2 * (size_t)t->top) {
			left++;
			continue;
		}
		table_cell(table, audit_finding_name(f->kind));
		table_cell(table, facts_finding(a, t->r->member, f, sentence));
		table_cell(table, f->port < a->port_count ? a->ports[f->port].name : "-");
		count_cell(table, f->count);
		table_cell(table, FORMAT(time, f->first_ns));
	}
	table_print(table, t->f, t->colour, "nothing");
	table_free(table);
	more(t, left + (t->r->member ? 0 : a->findings_more), "findings");
}

/* --- the whole --- */

static void captured(const struct text *t, const struct audit *a, const char *what)
{
	fprintf(t->f, "%s%s to %s UTC", what, FORMAT(time, a->first_ns), FORMAT(clock, a->last_ns));
	if (!t->r->member) {
		fprintf(t->f, ": %s frames", format_plain(FORMAT(count, a->frames)));
		fprintf(t->f, ", %s", format_plain(FORMAT(octets, a->octets)));
		if (a->cut)
			fprintf(t->f, ", %s cut too short to class", format_plain(FORMAT(count, a->cut)));
		if (t->r->dropped && a == t->r->books)
			fprintf(t->f, ", %s lost", format_plain(FORMAT(count, t->r->dropped)));
	}
	fputc('\n', t->f);
}

static void head(const struct text *t)
{
	static const char *const words[] = {"NOT SEEN", "PASS", "FAIL"};
	static const enum table_colour colours[] = {WARN, GOOD, BAD};
	enum audit_verdict v = audit_report_verdict(t->r);
	char sentence[FACTS_TEXT], safe[FACTS_TEXT];

	text_escape(safe, sizeof(safe), t->r->title ? t->r->title : "peering LAN", strlen(t->r->title ? t->r->title : "peering LAN"));
	fprintf(t->f, "Audit of %s%s%s\n", safe, t->r->made ? ", " : "", t->r->made ? t->r->made : "");
	format_plain(facts_headline(t->r, sentence));
	text_escape(safe, sizeof(safe), sentence, strlen(sentence));
	fprintf(t->f, "%s%s%s  %s\n", colour_begin(colours[v], t->colour), words[v], colour_end(t->colour), safe);
	if (t->r->before)
		captured(t, t->r->before, "before  ");
	if (t->r->books)
		captured(t, t->r->books, t->r->before ? "after   " : "captured ");
}

static void both(const struct text *t, const char *what, void (*part)(const struct text *t, const struct audit *a))
{
	if (t->r->before) {
		title(t, "%s, before", what);
		part(t, t->r->before);
	}
	if (t->r->books) {
		title(t, t->r->before ? "%s, after" : "%s", what);
		part(t, t->r->books);
	}
}

static void member_page(const struct text *t)
{
	const struct audit *a = facts_books_of_member(t->r);
	const struct audit_member *m = a ? facts_member(a, t->r->member) : NULL;
	char ip[IP_TEXT];
	size_t shown = 0;

	if (!m || !facts_heard(m))
		return;
	title(t, "Rules that AS%u breaks", t->r->member);
	broken_rules(t, a);
	for (size_t k = 0; k < RULES_ROWS; k++) {
		const struct rules_row *row = &rules_rows[k];
		if (m->rules[row->rule].verdict == AUDIT_FAIL)
			fprintf(t->f, "\n%s %s\n    %s\n", row->label, rules_text(row), row->cause);
	}
	title(t, "Findings");
	findings(t, a);
	for (size_t i = 0; i < a->target_count && shown < t->top; i++) {
		const struct audit_target *x = &a->targets[i];
		uint64_t calls = x->kind == AUDIT_DEAD || x->kind == AUDIT_UNASSIGNED ? facts_calls(a, t->r->member, x) : 0;
		if (!calls)
			continue;
		if (!shown++)
			title(t, "Addresses called in vain");
		fprintf(t->f, "%-40s %llu\n", ip_format(x->ip, ip), (unsigned long long)calls);
	}
}

static void whole(const struct text *t, const struct facts_grid *g)
{
	ports(t, g);
	title(t, g->both ? "By class, before, frames a second" : "By class, frames a second");
	matrix(t, g, g->both);
	if (g->both) {
		title(t, "By class, after, frames a second");
		matrix(t, g, false);
	}
	both(t, "Who floods", senders);
	both(t, "What is asked for", targets);
	both(t, "Members and rules", rules_matrix);
	both(t, "Rules that are broken", broken_rules);
	both(t, "Findings", findings);
}

int audit_report_text(const struct audit_report *r, FILE *to, unsigned columns)
{
	struct text t = {r, to, columns, facts_top(r), r->colour};
	struct facts_grid g;
	int err = facts_grid(r, &g);

	if (err)
		return err;
	head(&t);
	if (r->member)
		member_page(&t);
	else
		whole(&t, &g);
	facts_grid_free(&g);
	if (fflush(to) || ferror(to))
		return errno ? -errno : -EIO;
	return 0;
}
