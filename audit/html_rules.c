/* Members before the rules: a matrix with a column a rule, and the list of the rules that its numbers refer to. */
#include "audit/html.h"

#include <stdlib.h>

#include "audit/format.h"
#include "audit/rules.h"

/* A figure for a narrow cell. */
static char *brief(char buf[FORMAT_MAX], uint64_t n)
{
	if (n < 1000)
		snprintf(buf, FORMAT_MAX, "%u", (unsigned)n);
	else if (n < 999500)
		snprintf(buf, FORMAT_MAX, n < 9950 ? "%.1fk" : "%.0fk", (double)n / 1e3);
	else
		snprintf(buf, FORMAT_MAX, n < 9950000 ? "%.1fM" : "%.0fM", (double)n / 1e6);
	return buf;
}

static void cell(const struct html *h, const struct rules_row *row, const struct audit_ruling *ruling)
{
	char frames[FORMAT_MAX];
	const char *edge = row->rule == RULE_SENDER ? " edge" : "";

	switch (ruling->verdict) {
	case AUDIT_PASS:
		html_put(h->f, "<td class=\"ok%s\">✓<i>pass</i></td>", edge);
		break;
	case AUDIT_FAIL:
		html_put(h->f, "<td class=\"bad%s\">✗<i>fail, frames: </i><small>%s</small></td>", edge, brief(frames, ruling->frames));
		break;
	default:
		html_put(h->f, "<td class=\"none%s\">–<i>not seen</i></td>", edge);
	}
}

static void member(const struct html *h, const struct audit *a, const struct audit_member *m)
{
	char raw[512], name[512];

	if (m->member) {
		snprintf(raw, sizeof(raw), "AS%u %.400s", m->member->asn, m->member->name ? m->member->name : "");
		html_put(h->f, "<tr><th scope=\"row\" class=\"who\"><bdi>%s</bdi></th>", format_utf8(name, sizeof(name), raw, 34));
	} else {
		html_put(h->f, "<tr><th scope=\"row\" class=\"who\"><em>%s</em></th>",
			a->registry ? "senders that nobody registered" : "all senders (no registry)");
	}
	html_put(h->f, "<td class=\"all\">");
	html_verdict(h->f, !facts_heard(m) ? AUDIT_NOT_SEEN : m->pass ? AUDIT_PASS : AUDIT_FAIL);
	html_put(h->f, "</td>");
	for (size_t i = 0; i < RULES_ROWS; i++)
		cell(h, &rules_rows[i], &m->rules[rules_rows[i].rule]);
	html_put(h->f, "</tr>\n");
}

void html_rules(const struct html *h, const struct audit *a)
{
	size_t count, shown;
	const struct audit_member **list = facts_members(a, 0, &count);

	if (!count) {
		html_put(h->f, "<p class=\"lead\">No registry was given, and nobody was heard: there is nothing to judge.</p>\n");
		free(list);
		return;
	}
	shown = count < 40 ? count : h->top < 40 ? 40 : h->top < count ? h->top : count;
	html_table_begin(h->f, "rules", "Members and rules");
	html_put(h->f, "<thead><tr><th scope=\"col\">member</th><th scope=\"col\">verdict</th>");
	for (size_t i = 0; i < RULES_ROWS; i++)
		html_put(h->f, "<th scope=\"col\" class=\"r%s\"><abbr title=\"%s\">%s</abbr></th>",
			rules_rows[i].rule == RULE_SENDER ? " edge" : "", rules_text(&rules_rows[i]), rules_rows[i].label);
	html_put(h->f, "</tr></thead>\n<tbody>\n");
	for (size_t i = 0; i < shown; i++)
		member(h, a, list[i]);
	html_table_end(h->f);
	html_more(h->f, count - shown, "members");
	free(list);
}

static void broken_by(const struct html *h, enum frame_rule rule, const struct audit *a)
{
	unsigned members = 0;

	for (size_t i = 0; a && i < a->member_count; i++)
		members += a->members[i].rules[rule].verdict == AUDIT_FAIL;
	if (members)
		html_put(h->f, "<td class=\"n\"><b>%s</b></td>", FORMAT(count, members));
	else
		html_put(h->f, "<td class=\"n dim\">–</td>");
}

void html_rules_legend(const struct html *h)
{
	const struct audit_report *r = h->r;

	html_put(h->f, "<section id=\"list\" class=\"sub\"><h3>The rules</h3>\n"
		       "<p class=\"lead\">1 to 17 are those that exchanges publish; the others go beyond the list.</p>\n");
	html_table_begin(h->f, "list", "The rules");
	html_put(h->f, "<thead><tr><th scope=\"col\">rule</th><th scope=\"col\">text</th><th scope=\"col\">name</th>%r%r</tr></thead>\n<tbody>\n",
		r->before ? "<th scope=\"col\" class=\"n\">break it before</th>" : "",
		r->books ? r->before ? "<th scope=\"col\" class=\"n\">after</th>" : "<th scope=\"col\" class=\"n\">break it</th>" : "");
	for (size_t i = 0; i < RULES_ROWS; i++) {
		const struct rules_row *row = &rules_rows[i];
		html_put(h->f, "<tr><th scope=\"row\">%s</th><td class=\"say\">%s</td><td class=\"t\"><code>%s</code></td>", row->label, rules_text(row),
			rules_token(row));
		if (r->before)
			broken_by(h, row->rule, r->before);
		if (r->books)
			broken_by(h, row->rule, r->books);
		html_put(h->f, "</tr>\n");
	}
	html_table_end(h->f);
	html_put(h->f, "</section>\n");
}
