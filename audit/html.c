/* The HTML report: one file that a board reads on paper, an operator on a screen and a member on a phone. No script, and a policy in
 * its head that would let none run; nothing from elsewhere; well-formed XML. Charts are SVG (html_time.c), styles html_style.c's. */
#include "audit/html.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "audit/format.h"
#include "proxyarp/verdict.h"

#define TEXT_MAX 2048
#define NAME_CHARACTERS 40

static void put_escaped(FILE *f, const char *text)
{
	char clean[TEXT_MAX];

	for (const char *p = format_utf8(clean, sizeof(clean), text, 0); *p; p++)
		switch (*p) {
		case '&':
			fputs("&amp;", f);
			break;
		case '<':
			fputs("&lt;", f);
			break;
		case '>':
			fputs("&gt;", f);
			break;
		case '"':
			fputs("&quot;", f);
			break;
		case '\'':
			fputs("&#39;", f);
			break;
		default:
			fputc(*p, f);
		}
}

void html_put(FILE *f, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	for (const char *p = fmt; *p; p++) {
		if (*p != '%') {
			fputc(*p, f);
		} else if (*++p == 's') {
			put_escaped(f, va_arg(ap, const char *));
		} else if (*p == 'r') {
			fputs(va_arg(ap, const char *), f);
		} else {
			fputc(*p, f); /* %% */
		}
	}
	va_end(ap);
}

void html_owner(FILE *f, const struct audit *a, const struct registry_port *p)
{
	char raw[TEXT_MAX], name[TEXT_MAX];

	if (*facts_owner(a, p, raw, sizeof(raw)))
		html_put(f, "<bdi>%s</bdi>", format_utf8(name, sizeof(name), raw, NAME_CHARACTERS));
	else
		html_put(f, "<span class=\"dim\">%s</span>", a && a->registry ? "not registered" : "–");
}

void html_more(FILE *f, uint64_t more, const char *of_what)
{
	if (more)
		html_put(f, "<p class=\"more\">and %s more %s</p>\n", FORMAT(count, more), of_what);
}

void html_table_begin(FILE *f, const char *class, const char *label)
{
	html_put(f, "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"%s\"><table class=\"%s\">\n", label, class);
}

void html_table_end(FILE *f)
{
	html_put(f, "</tbody></table></div>\n");
}

void html_verdict(FILE *f, enum audit_verdict v)
{
	static const char *const signs[] = {"–", "✓", "✗"}, *const classes[] = {"none", "ok", "bad"};

	html_put(f, "<span class=\"v %s\"><span aria-hidden=\"true\">%s</span> %s</span>", classes[v], signs[v],
		audit_verdict_name(v));
}

/* --- the head --- */

static void period(FILE *f, const struct audit *a, const char *what)
{
	if (a && a->first_ns)
		html_put(f, "<span>%s<time>%s</time> to <time>%s</time> UTC (%s)</span>", what, FORMAT(time, a->first_ns),
			FORMAT(clock, a->last_ns), FORMAT(duration, a->last_ns - a->first_ns));
}

static void verdict(const struct html *h)
{
	static const char *const words[] = {"Not seen", "Pass", "Fail"};
	static const char *const words_to_member[] = {"Not heard", "All well", "Please look at this"}; /* a letter does not shout */
	static const char *const classes[] = {"none", "ok", "bad"};
	/* A tick, a cross, a dash: the shape says it without the colour. */
	static const char *const paths[] = {"M13 24h22", "M12 25l8 8 16-18", "M14 14l20 20M34 14L14 34"};
	enum audit_verdict v = audit_report_verdict(h->r);
	char text[FACTS_TEXT];

	html_put(h->f,
		"<section class=\"verdict %s\" aria-label=\"Verdict\">\n"
		"<svg viewBox=\"0 0 48 48\" width=\"56\" height=\"56\" aria-hidden=\"true\"><circle cx=\"24\" cy=\"24\" "
		"r=\"22\"/><path d=\"%s\"/></svg>\n<div><p class=\"word\">%s</p>\n<p class=\"sentence\">%s</p></div>\n</section>\n",
		classes[v], paths[v], h->r->member ? words_to_member[v] : words[v], facts_headline(h->r, text));
}

/* `was` NULL: there is no before. */
static void figure(FILE *f, const char *what, const char *is, const char *unit, const char *was, const char *note)
{
	html_put(f, "<div class=\"figure\"><dt>%s</dt><dd><span class=\"is\">%s</span>%s<span class=\"unit\">%s</span></dd>\n", what, is,
		*unit ? " " : "", unit);
	if (was)
		html_put(f, "<dd class=\"was\">%s before</dd>\n", was);
	html_put(f, "<dd class=\"note\">%s</dd></div>\n", note);
}

static void flood_figures(const struct html *h)
{
	struct compare_cell was = {0}, is = {0};
	double was_sum = 0, is_sum = 0;
	const struct facts_grid *g = h->grid;

	for (size_t i = 0; i < g->count; i++) {
		const struct compare_cell *b = &g->rows[i].before[FACTS_ALL], *a = &g->rows[i].after[FACTS_ALL];
		was.fps = b->fps > was.fps ? b->fps : was.fps;
		was.bps = b->bps > was.bps ? b->bps : was.bps;
		was.peak_fps = b->peak_fps > was.peak_fps ? b->peak_fps : was.peak_fps;
		is.fps = a->fps > is.fps ? a->fps : is.fps;
		is.bps = a->bps > is.bps ? a->bps : is.bps;
		is.peak_fps = a->peak_fps > is.peak_fps ? a->peak_fps : is.peak_fps;
		was_sum += b->fps;
		is_sum += a->fps;
	}
	const char *where = g->count == 1 ? "at the port" : "at the port with the most";
	figure(h->f, "Flood", FORMAT(fps, is.fps), "frames/s", g->both ? FORMAT(fps, was.fps) : NULL, where);
	figure(h->f, "Busiest second", FORMAT(fps, is.peak_fps), "frames", g->both ? FORMAT(fps, was.peak_fps) : NULL, where);
	figure(h->f, "Bandwidth of it", FORMAT(bps, is.bps), "", g->both ? FORMAT(bps, was.bps) : NULL, where);
	if (g->both && was_sum > 0)
		figure(h->f, "Suppressed", FORMAT(share, 1 - is_sum / was_sum), "", NULL, "of the flood at all ports");
}

static void other_figures(const struct html *h, const struct audit *a)
{
	uint64_t calls = 0, idle = 0;
	unsigned heard = 0, failed = 0;
	char text[64];

	for (size_t i = 0; i < a->target_count; i++) {
		uint64_t n = a->targets[i].arp + a->targets[i].ns;
		calls += n;
		if (a->targets[i].kind == AUDIT_UNASSIGNED || a->targets[i].kind == AUDIT_DEAD)
			idle += n;
	}
	for (size_t i = 0; i < a->member_count; i++)
		if (a->members[i].member && facts_heard(&a->members[i])) {
			heard++;
			failed += !a->members[i].pass;
		}
	const char *when = h->r->before == a && h->r->compare ? ", before" : "";
	if (calls) {
		snprintf(text, sizeof(text), "of ARP and NS ask for dead or free addresses%s", when);
		figure(h->f, "Asked in vain", FORMAT(share, (double)idle / (double)calls), "", NULL, text);
	}
	if (heard) {
		snprintf(text, sizeof(text), "of %s heard break%s rules%s", FORMAT(count, heard), failed == 1 ? "s" : "", when);
		figure(h->f, "Rules", FORMAT(count, failed), failed == 1 ? "member" : "members", NULL, text);
	}
}

static void figures(const struct html *h)
{
	const struct audit *a = h->r->before ? h->r->before : h->r->books;

	if (!h->grid->count && (!a || (!a->target_count && !a->member_count)))
		return;
	html_put(h->f, "<dl class=\"figures\">\n");
	if (h->grid->count)
		flood_figures(h);
	if (a)
		other_figures(h, a);
	html_put(h->f, "</dl>\n");
}

static void navigation(const struct html *h)
{
	bool books = h->r->books || h->r->before;

	html_put(h->f, "<nav aria-label=\"Contents\"><ul>\n");
	if (books)
		html_put(h->f, "<li><a href=\"#time\">Over time</a></li>\n");
	html_put(h->f, "<li><a href=\"#ports\">Ports</a></li>\n");
	if (h->grid->count)
		html_put(h->f, "<li><a href=\"#classes\">Ports by class</a></li>\n");
	if (books)
		html_put(h->f, "<li><a href=\"#senders\">Who floods</a></li>\n<li><a href=\"#targets\">What is asked for</a></li>\n"
			       "<li><a href=\"#rules\">Rules</a></li>\n<li><a href=\"#findings\">Findings</a></li>\n"
			       "<li><a href=\"#captured\">What was captured</a></li>\n");
	html_put(h->f, "<li><a href=\"#method\">How it was counted</a></li>\n</ul></nav>\n");
}

static void method(const struct html *h)
{
	html_put(h->f,
		"<section id=\"method\"><h2>How it was counted</h2>\n<div class=\"prose\">\n"
		"<p><b>Flood</b> is what a port receives although it is not for that port alone: frames to a group MAC address "
		"(broadcast, multicast), and unicast to a MAC address that is not the port's own. Rates are means over the whole "
		"capture of that port; the busiest second is the one with the most frames. In tables by class, "
		"<i>others</i> are the classes without a column, and unicast that is not the port's own.</p>\n"
		"<p><b>Classes</b> are told from the octets of a frame alone, by the code that judges frames at a member's port; "
		"octets are those of the whole frame without its check sequence, also where the capture was cut short.</p>\n"
		"<p><b>An address</b> is <i>in use</i> if the registry gives it to an active member that was heard, <i>dead</i> if "
		"it gives it to one that gave no sign of life, <i>nobody's</i> if it is of the LAN and not given to anyone.</p>\n"
		"<p><b>Rules</b> judge what members sent. Pass: frames of the member were captured where a breach of the rule would have "
		"shown, and none did. Not seen: there were no such frames; elsewhere than at its own port only what floods is "
		"heard of a member.</p>\n");
	if (h->r->compare)
		html_put(h->f, "<p><b>Pass</b>, of a comparison: no port that is on both sides receives more than %s frames/s of flood "
			       "after.</p>\n", FORMAT(fps, h->r->compare->limit_fps));
	html_put(h->f, "</div></section>\n");
}

static void both(const struct html *h, const char *id, const char *title, const char *note,
	void (*part)(const struct html *h, const struct audit *a))
{
	const struct audit_report *r = h->r;

	html_put(h->f, "<section id=\"%s\"><h2>%s</h2>\n<p class=\"lead\">%s</p>\n", id, title, note);
	if (r->before) {
		html_put(h->f, "<h3>Before</h3>\n");
		part(h, r->before);
	}
	if (r->books) {
		if (r->before)
			html_put(h->f, "<h3>After</h3>\n");
		part(h, r->books);
	}
	html_put(h->f, "</section>\n");
}

static void whole_report(const struct html *h)
{
	verdict(h);
	figures(h);
	navigation(h);
	if (h->r->books || h->r->before)
		html_over_time(h);
	html_ports(h);
	if (h->grid->count)
		html_matrix(h);
	if (h->r->books || h->r->before) {
		both(h, "senders", "Who floods", "Senders by the frames they sent to everybody.", html_senders);
		both(h, "targets", "What is asked for",
			"Addresses that ARP requests and neighbour solicitations ask for, and that BGP calls.", html_targets);
		both(h, "rules", "Members and rules",
			"What each member sent, against the rules of the peering LAN. The numbers are those of the list beneath.",
			html_rules);
		html_rules_legend(h);
		both(h, "findings", "Findings", "Addresses that are spoken for by those who do not own them.", html_findings);
		html_captured(h);
	}
	method(h);
}

int audit_report_html(const struct audit_report *r, FILE *to)
{
	struct facts_grid grid;
	struct html h = {to, r, facts_top(r), &grid};
	char asn[32] = "";
	int err = facts_grid(r, &grid);

	if (err)
		return err;
	if (r->member)
		snprintf(asn, sizeof(asn), "AS%u at ", r->member);
	html_put(to,
		"<!DOCTYPE html>\n<html xmlns=\"http://www.w3.org/1999/xhtml\" lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n"
		"<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\"/>\n"
		"<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n"
		"<meta name=\"color-scheme\" content=\"light dark\"/>\n<meta name=\"referrer\" content=\"no-referrer\"/>\n"
		"<meta name=\"format-detection\" content=\"telephone=no\"/>\n"
		"<title>%s%s: audit of the peering LAN</title>\n<style>\n%r</style>\n</head>\n<body>\n%r<main>\n"
		"<header><p class=\"kicker\">Peering LAN audit</p>\n<h1>%s<bdi>%s</bdi></h1>\n<p class=\"when\">",
		asn, r->title ? r->title : "peering LAN", html_style, html_patterns, asn, r->title ? r->title : "peering LAN");
	period(to, r->before, "Before: ");
	period(to, r->books, r->before ? "After: " : "Captured ");
	html_put(to, "</p></header>\n");
	if (r->member) {
		verdict(&h);
		html_member_page(&h);
	} else {
		whole_report(&h);
	}
	html_put(to, "</main>\n<footer>Made by <b>quell audit</b>%s%s. One file, no scripts, nothing loaded from elsewhere.</footer>\n"
		     "</body>\n</html>\n", r->made ? ", " : "", r->made ? r->made : "");
	facts_grid_free(&grid);
	if (fflush(to) || ferror(to))
		return errno ? -errno : -EIO;
	return 0;
}
