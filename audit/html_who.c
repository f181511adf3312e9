/* Who floods, what is asked for, and what else was found. */
#include "audit/html.h"

#include <stdlib.h>

#include "audit/format.h"
#include "audit/rules.h"
#include "audit/svg.h"
#include "proxyarp/verdict.h"

#define CALLERS_SHOWN 3

/* --- senders --- */

static int by_group(const void *x, const void *y)
{
	const struct audit_sender *a = *(const struct audit_sender *const *)x, *b = *(const struct audit_sender *const *)y;

	return (a->group.frames < b->group.frames) - (a->group.frames > b->group.frames);
}

static enum frame_class largest_class(const struct audit_sender *s)
{
	int most = -1;

	for (int cls = 0; cls < CLASS_COUNT; cls++)
		if (compare_class_floods((enum frame_class)cls) && s->at[cls].frames &&
			(most < 0 || s->at[cls].frames > s->at[most].frames))
			most = cls;
	return most < 0 ? CLASS_COUNT : (enum frame_class)most;
}

static void broken(const struct html *h, const struct audit_sender *s)
{
	bool any = false;

	for (size_t i = 0; i < RULES_ROWS; i++) {
		if (!s->broken[rules_rows[i].rule])
			continue;
		html_put(h->f, "%s<abbr title=\"%s\">%s</abbr>", any ? ", " : "", rules_text(&rules_rows[i]), rules_rows[i].label);
		any = true;
	}
	if (!any)
		html_put(h->f, "<span class=\"dim\">–</span>");
}

static void sender(const struct html *h, const struct audit *a, const struct audit_sender *s, uint64_t all, uint64_t most)
{
	char mac[MAC_TEXT];
	enum frame_class cls = largest_class(s);

	html_put(h->f, "<tr><th scope=\"row\"><code>%s</code></th><td class=\"who\">", mac_format(s->mac, mac));
	html_owner(h->f, a, s->registered);
	html_put(h->f, "</td><td>%s</td><td class=\"n\"><b>%s</b></td><td class=\"n\">%s</td><td class=\"barcell\">",
		s->port < a->port_count ? a->ports[s->port].name : "–", FORMAT(count, s->group.frames),
		FORMAT(share, all ? (double)s->group.frames / (double)all : 0));
	svg_bar(h->f, most ? (double)s->group.frames / (double)most : 0, "flood");
	html_put(h->f, "</td><td class=\"t\">%s</td><td class=\"n\">%s</td><td>", cls == CLASS_COUNT ? "–" : class_name(cls),
		FORMAT(count, s->all.frames));
	broken(h, s);
	html_put(h->f, "</td></tr>\n");
}

void html_senders(const struct html *h, const struct audit *a)
{
	const struct audit_sender **list = calloc(a->sender_count + 1, sizeof(*list));
	uint64_t all = 0;
	size_t count = 0;

	for (size_t i = 0; list && i < a->sender_count; i++)
		if (a->senders[i].group.frames) {
			list[count++] = &a->senders[i];
			all += a->senders[i].group.frames;
		}
	if (!count) {
		html_put(h->f, "<p class=\"good\">Nobody was heard to send to everybody.</p>\n");
		free(list);
		return;
	}
	qsort(list, count, sizeof(*list), by_group);
	size_t shown = count < h->top ? count : h->top;
	html_table_begin(h->f, "senders", "Senders by frames to everybody");
	html_put(h->f, "<thead><tr><th scope=\"col\">MAC address</th><th scope=\"col\">member</th><th scope=\"col\">port</th><th "
		       "scope=\"col\" class=\"n\">to everybody</th><th scope=\"col\" class=\"n\">share</th><td></td><th "
		       "scope=\"col\">mostly</th><th scope=\"col\" class=\"n\">all frames</th><th scope=\"col\">breaks rules</th></tr></thead>\n"
		       "<tbody>\n");
	for (size_t i = 0; i < shown; i++)
		sender(h, a, list[i], all, list[0]->group.frames);
	html_table_end(h->f);
	html_more(h->f, count - shown + a->senders_more, "senders");
	free(list);
}

/* --- targets --- */

static const char *const kind_classes[] = {"use", "dead", "free", "foreign"};
static const int kind_patterns[] = {0, 5, 1, 7};

static void kind(FILE *f, enum audit_target_kind k)
{
	static const char *const signs[] = {"●", "■", "○", "↗"};

	if ((unsigned)k > AUDIT_FOREIGN)
		k = AUDIT_FOREIGN;
	html_put(f, "<span class=\"kind %s\"><span aria-hidden=\"true\">%s</span> %s</span>", kind_classes[k], signs[k],
		facts_kind_text(k));
}

static void callers(const struct html *h, const struct audit *a, const struct audit_target *t)
{
	char mac[MAC_TEXT];
	uint32_t shown = t->caller_count < CALLERS_SHOWN ? t->caller_count : CALLERS_SHOWN;

	html_put(h->f, "<td class=\"callers\">");
	for (uint32_t i = 0; i < shown; i++) {
		const struct registry_port *who = a->registry ? registry_by_mac(a->registry, t->callers[i].mac) : NULL;
		html_put(h->f, "%s<span class=\"caller\">", i ? " " : "");
		if (who && who->member < a->registry->member_count)
			fprintf(h->f, "AS%u", a->registry->members[who->member].asn);
		else
			html_put(h->f, "<code>%s</code>", mac_format(t->callers[i].mac, mac));
		html_put(h->f, " <span class=\"dim\">%s</span></span>", FORMAT(count, t->callers[i].calls));
	}
	if (t->caller_count > shown || t->more_calls)
		html_put(h->f, " <span class=\"dim\">and others</span>");
	html_put(h->f, "</td>");
}

static void target(const struct html *h, const struct audit *a, const struct audit_target *t)
{
	char ip[IP_TEXT];

	html_put(h->f, "<tr><th scope=\"row\"><code>%s</code></th><td>", ip_format(t->ip, ip));
	kind(h->f, t->kind);
	html_put(h->f, "</td><td class=\"who\">");
	if (t->kind == AUDIT_ASSIGNED || t->kind == AUDIT_DEAD)
		html_owner(h->f, a, t->registered);
	else
		html_put(h->f, "<span class=\"dim\">–</span>");
	html_put(h->f, "</td><td class=\"n\"><b>%s</b></td><td class=\"n\">%s</td>", FORMAT(count, t->ip.family == 6 ? t->ns : t->arp),
		FORMAT(count, t->syn));
	callers(h, a, t);
	html_put(h->f, "</tr>\n");
}

static void target_table(const struct html *h, const struct audit *a, bool idle_only)
{
	size_t shown = 0, more = 0;

	html_table_begin(h->f, "targets", idle_only ? "Dead and unassigned addresses" : "Addresses asked for");
	html_put(h->f, "<thead><tr><th scope=\"col\">address</th><th scope=\"col\">which is</th><th scope=\"col\">member</th><th "
		       "scope=\"col\" class=\"n\">ARP or NS</th><th scope=\"col\" class=\"n\">BGP calls</th><th scope=\"col\">most by</th>"
		       "</tr></thead>\n<tbody>\n");
	for (size_t i = 0; i < a->target_count; i++) {
		const struct audit_target *t = &a->targets[i];
		if (idle_only && t->kind != AUDIT_DEAD && t->kind != AUDIT_UNASSIGNED)
			continue;
		if (shown < h->top) {
			target(h, a, t);
			shown++;
		} else {
			more++;
		}
	}
	html_table_end(h->f);
	html_more(h->f, more + (idle_only ? 0 : a->targets_more), "addresses");
}

/* One bar for all that was asked, parted by what the address is; its words beneath. */
static void shares(const struct html *h, const uint64_t sums[], uint64_t all)
{
	double x = 0;

	html_put(h->f, "<figure class=\"parts\"><svg width=\"100%%\" height=\"22\" aria-hidden=\"true\">\n");
	for (int k = 0; k <= AUDIT_FOREIGN; k++) {
		double share = 100.0 * (double)sums[k] / (double)all;
		if (share > 0)
			fprintf(h->f, "<rect fill=\"url(#p%d)\" x=\"%.2f%%\" width=\"%.2f%%\" height=\"22\"/>\n", kind_patterns[k], x, share);
		x += share;
	}
	html_put(h->f, "</svg>\n<figcaption>ARP and NS for addresses that are ");
	for (int k = 0, said = 0; k <= AUDIT_FOREIGN; k++) {
		if (!sums[k])
			continue;
		html_put(h->f, "%s", said++ ? ", " : "");
		kind(h->f, (enum audit_target_kind)k);
		html_put(h->f, " <b>%s</b> <span class=\"dim\">(%s)</span>", FORMAT(share, (double)sums[k] / (double)all),
			FORMAT(count, sums[k]));
	}
	html_put(h->f, "</figcaption></figure>\n");
}

void html_targets(const struct html *h, const struct audit *a)
{
	uint64_t sums[AUDIT_FOREIGN + 1] = {0}, all = 0;

	for (size_t i = 0; i < a->target_count; i++) {
		sums[a->targets[i].kind] += a->targets[i].arp + a->targets[i].ns;
		all += a->targets[i].arp + a->targets[i].ns;
	}
	if (!a->target_count) {
		html_put(h->f, "<p class=\"good\">No address was asked for.</p>\n");
		return;
	}
	if (all)
		shares(h, sums, all);
	target_table(h, a, false);
	if (sums[AUDIT_DEAD] + sums[AUDIT_UNASSIGNED]) {
		html_put(h->f, "<h4>Asked for in vain: dead, and nobody's</h4>\n");
		target_table(h, a, true);
	}
}

/* --- findings --- */

void html_findings(const struct html *h, const struct audit *a)
{
	char text[FACTS_TEXT];
	size_t count = 0, shown = 0;

	for (size_t i = 0; i < a->finding_count; i++)
		count += facts_finding_is_shown(a, h->r->member, &a->findings[i]);
	if (!count) {
		html_put(h->f, "<p class=\"good\">Nothing: no duplicate addresses, no spoofs, no proxy ARP.</p>\n");
		return;
	}
	html_table_begin(h->f, "findings", "Findings");
	html_put(h->f, "<thead><tr><th scope=\"col\">kind</th><th scope=\"col\">what</th><th scope=\"col\">port</th><th scope=\"col\" "
		       "class=\"n\">frames</th><th scope=\"col\">first (UTC)</th><th scope=\"col\">last</th></tr></thead>\n<tbody>\n");
	for (size_t i = 0; i < a->finding_count && shown < h->top * 2; i++) {
		const struct audit_finding *f = &a->findings[i];
		if (!facts_finding_is_shown(a, h->r->member, f))
			continue;
		shown++;
		html_put(h->f, "<tr><th scope=\"row\"><code>%s</code></th><td class=\"say\">%s</td><td>%s</td><td class=\"n\">%s</td><td "
			       "class=\"t\">%s</td><td class=\"t\">%s</td></tr>\n",
			audit_finding_name(f->kind), facts_finding(a, h->r->member, f, text),
			f->port < a->port_count ? a->ports[f->port].name : "–", FORMAT(count, f->count), FORMAT(time, f->first_ns),
			FORMAT(clock, f->last_ns));
	}
	html_table_end(h->f);
	html_more(h->f, count - shown + (h->r->member ? 0 : a->findings_more), "findings");
}
