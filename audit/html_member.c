/* What an exchange mails to a member: what was seen from it, against which rule, when, what usually is behind it. Nothing of other
 * members but the addresses that it called. */
#include "audit/html.h"

#include <string.h>

#include "audit/format.h"
#include "audit/rules.h"
#include "proxyarp/verdict.h"

#define NAME_MAX_OCTETS 2048

/* By their source MAC address alone frames are anybody's who takes it: a member is not to be told that it sent them. */
static bool is_proven(const struct audit_member *m)
{
	return !m || m->by_mac < m->sent.frames;
}

static void letter(const struct html *h, const struct audit_member *m)
{
	unsigned failed = m ? facts_failed(m) : 0;
	const char *what = is_proven(m) ? "what your port sent into the peering LAN" : "frames in the peering LAN that have your MAC address";

	html_put(h->f, "<section class=\"letter\"><p>Dear peering team,</p>\n<p>");
	if (!m || !facts_heard(m))
		html_put(h->f, "we looked at the peering LAN and heard nothing from you. If it should be in use, please let us know.");
	else if (!failed)
		html_put(h->f, "we looked at %s, and nothing in it breaks the rules. Thank you for keeping the LAN quiet.", what);
	else
		html_put(h->f, "we looked at %s. Some of it breaks %s of the rules that keep the LAN quiet for all its members. Beneath is what "
			       "we saw, when, and what usually is behind it. Please take a look, and write to us when something has changed: we "
			       "will then look again.%s",
			what, failed == 1 ? "one" : "some",
			is_proven(m) ? "" : " Only the MAC address says that these frames are yours: if you did not send them, please "
					    "tell us.");
	html_put(h->f, "</p></section>\n");
}

static void its_ports(const struct html *h, const struct audit *a)
{
	bool any = false;

	for (size_t i = 0; i < a->port_count; i++) {
		const struct audit_port *p = &a->ports[i];
		if (!p->registered || !facts_is_of(a, h->r->member, p->registered))
			continue;
		html_put(h->f, "%s<code>%s</code>%s%s", any ? ", " : "", p->name, *p->registered->sw ? " on " : "", p->registered->sw);
		any = true;
	}
	for (size_t i = 0; !any && a->registry && i < a->registry->port_count; i++)
		if (*a->registry->ports[i].port && facts_is_of(a, h->r->member, &a->registry->ports[i]))
			html_put(h->f, "<code>%s</code> ", a->registry->ports[i].port);
	if (!any)
		html_put(h->f, "<span class=\"dim\">heard from elsewhere: the port itself was not captured</span>");
}

static void its_addresses(const struct html *h, const struct audit *a)
{
	char mac[MAC_TEXT], ip[IP_TEXT];

	for (size_t i = 0; a->registry && i < a->registry->port_count; i++) {
		const struct registry_port *p = &a->registry->ports[i];
		if (!facts_is_of(a, h->r->member, p))
			continue;
		for (int k = 0; k < p->mac_count; k++)
			html_put(h->f, "<code>%s</code> ", mac_format(p->macs[k], mac));
		for (int k = 0; k < p->ip_count; k++)
			html_put(h->f, "<code>%s</code> ", ip_format(p->ips[k], ip));
	}
}

static void facts(const struct html *h, const struct audit *a, const struct audit_member *m)
{
	char name[NAME_MAX_OCTETS];

	html_put(h->f, "<section><h2>What was looked at</h2>\n<dl class=\"facts\">\n<dt>Member</dt><dd><bdi>%s</bdi></dd>\n<dt>Port</dt><dd>",
		format_utf8(name, sizeof(name), m && m->member && m->member->name ? m->member->name : "not in the registry", 300));
	its_ports(h, a);
	html_put(h->f, "</dd>\n<dt>Registered addresses</dt><dd>");
	its_addresses(h, a);
	html_put(h->f, "</dd>\n<dt>Time</dt><dd>%s to %s UTC (%s)</dd>\n", FORMAT(time, a->first_ns), FORMAT(clock, a->last_ns),
		FORMAT(duration, a->last_ns - a->first_ns));
	if (m && facts_heard(m))
		html_put(h->f, "<dt>%s</dt><dd>%s, of which %s (%s) to everybody</dd>\n",
			is_proven(m) ? "Frames you sent" : "Frames with your MAC address", FORMAT(count, m->sent.frames),
			FORMAT(count, m->group.frames), FORMAT(share, (double)m->group.frames / (double)m->sent.frames));
	html_put(h->f, "</dl></section>\n");
}

/* Classes of its that the rule forbids, as its senders have them. */
static void seen_as(const struct html *h, const struct audit *a, enum frame_rule rule)
{
	bool any = false;

	for (int cls = 0; cls < CLASS_COUNT; cls++) {
		uint64_t frames = 0;
		if (class_rule((enum frame_class)cls) != rule)
			continue;
		for (size_t i = 0; i < a->sender_count; i++)
			if (a->senders[i].registered && facts_is_of(a, h->r->member, a->senders[i].registered))
				frames += a->senders[i].at[cls].frames;
		if (!frames)
			continue;
		html_put(h->f, "%s%s %s", any ? ", " : " Seen as: ", class_name((enum frame_class)cls), FORMAT(count, frames));
		any = true;
	}
	if (any)
		html_put(h->f, ".");
}

/* What is typed stands in backquotes. */
static void cause(FILE *f, const char *text)
{
	bool typed = false;

	for (;;) {
		size_t len = strcspn(text, "`");
		char part[512];
		snprintf(part, sizeof(part), "%.*s", (int)len, text);
		html_put(f, "%s", part);
		text += len;
		if (!*text++)
			return;
		typed = !typed;
		html_put(f, typed ? "<code>" : "</code>");
	}
}

static void violation(const struct html *h, const struct audit *a, const struct rules_row *row, const struct audit_ruling *ruling)
{
	html_put(h->f, "<article class=\"broken\"><h3>");
	if (row->number)
		html_put(h->f, "Rule %s: ", row->label);
	html_put(h->f, "%s</h3>\n<p><b>%s</b> %s it, the first at %s UTC, the last at %s.", rules_text(row), FORMAT(count, ruling->frames),
		ruling->frames == 1 ? "frame breaks" : "frames break", FORMAT(time, ruling->first_ns), FORMAT(clock, ruling->last_ns));
	if (ruling->by_mac && is_proven(facts_member(a, h->r->member)))
		html_put(h->f, " Of %s of them only the MAC address says that they are yours.", FORMAT(count, ruling->by_mac));
	seen_as(h, a, row->rule);
	html_put(h->f, "</p>\n<p class=\"cause\"><b>What usually is behind it.</b> ");
	cause(h->f, row->cause);
	html_put(h->f, "</p>\n");
	if (h->r->evidence) {
		char file[64];
		snprintf(file, sizeof(file), "AS%u-%s.pcap", h->r->member, rules_token(row));
		html_put(h->f, "<p class=\"evidence\">The frames: <code>%s</code></p>\n", file);
	}
	html_put(h->f, "</article>\n");
}

static void violations(const struct html *h, const struct audit *a, const struct audit_member *m)
{
	unsigned failed = facts_failed(m), passed = 0;

	html_put(h->f, "<section><h2>Against the rules</h2>\n");
	if (!failed)
		html_put(h->f, "<p class=\"good\">Nothing breaks them.</p>\n");
	for (size_t i = 0; i < RULES_ROWS; i++)
		if (m->rules[rules_rows[i].rule].verdict == AUDIT_FAIL)
			violation(h, a, &rules_rows[i], &m->rules[rules_rows[i].rule]);
	for (size_t i = 0; i < RULES_ROWS; i++)
		passed += m->rules[rules_rows[i].rule].verdict == AUDIT_PASS;
	if (passed) {
		html_put(h->f, "<h3>Kept</h3>\n<ul class=\"kept\">\n");
		for (size_t i = 0; i < RULES_ROWS; i++)
			if (m->rules[rules_rows[i].rule].verdict == AUDIT_PASS)
				html_put(h->f, "<li><span class=\"v ok\" aria-hidden=\"true\">✓</span> %s%s%s%s</li>\n", rules_text(&rules_rows[i]),
					rules_rows[i].number ? " (" : "", rules_rows[i].number ? rules_rows[i].label : "",
					rules_rows[i].number ? ")" : "");
		html_put(h->f, "</ul>\n");
	}
	html_put(h->f, "</section>\n");
}

/* Addresses that nobody answers for: each of them is a session, or a route, that is configured there in vain. */
static void called(const struct html *h, const struct audit *a)
{
	size_t shown = 0, more = 0;
	char ip[IP_TEXT];

	for (size_t i = 0; i < a->target_count; i++) {
		const struct audit_target *t = &a->targets[i];
		uint64_t calls = t->kind == AUDIT_DEAD || t->kind == AUDIT_UNASSIGNED ? facts_calls(a, h->r->member, t) : 0;
		if (!calls)
			continue;
		if (shown == h->top) {
			more++;
			continue;
		}
		if (!shown++) {
			html_put(h->f, "<section><h2>Called in vain</h2>\n<p class=\"lead\">Addresses that you keep asking for although nobody "
				       "answers. Often this is a BGP session with a peer that has left: please remove it.</p>\n");
			html_table_begin(h->f, "targets", "Addresses called in vain");
			html_put(h->f, "<thead><tr><th scope=\"col\">address</th><th scope=\"col\">which is</th><th scope=\"col\" "
				       "class=\"n\">calls</th></tr></thead>\n<tbody>\n");
		}
		html_put(h->f, "<tr><th scope=\"row\"><code>%s</code></th><td>%s</td><td class=\"n\">%s</td></tr>\n", ip_format(t->ip, ip),
			t->kind == AUDIT_DEAD ? "given out, but silent" : "nobody's", FORMAT(count, calls));
	}
	if (shown) {
		html_table_end(h->f);
		html_more(h->f, more, "addresses");
		html_put(h->f, "</section>\n");
	}
}

static void received(const struct html *h)
{
	if (h->grid->count) {
		html_ports(h);
		html_over_time(h);
	}
}

void html_member_page(const struct html *h)
{
	const struct audit *a = facts_books_of_member(h->r);

	if (!a) {
		html_put(h->f, "<p class=\"lead\">There is no capture to judge it by.</p>\n");
		return;
	}
	const struct audit_member *m = facts_member(a, h->r->member);
	size_t findings = 0;
	letter(h, m);
	facts(h, a, m);
	if (m && facts_heard(m))
		violations(h, a, m);
	for (size_t i = 0; i < a->finding_count; i++)
		findings += facts_finding_is_shown(a, h->r->member, &a->findings[i]);
	if (findings) {
		html_put(h->f, "<section><h2>Addresses</h2>\n<p class=\"lead\">Addresses that were spoken for by those who do not own them.</p>\n");
		html_findings(h, a);
		html_put(h->f, "</section>\n");
	}
	called(h, a);
	received(h);
}
