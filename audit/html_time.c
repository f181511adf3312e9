/* Over time: what one port received, by class, before and after beside each other on one scale. The port is the one that received the
 * most; what the others received is in the tables. */
#include "audit/html.h"

#include <stdlib.h>

#include "audit/format.h"
#include "audit/svg.h"
#include "proxyarp/verdict.h"

#define NS_PER_SEC 1000000000LL

/* The classes that have a layer of their own; the last layer is of all others. */
struct layers {
	enum frame_class classes[SVG_LAYERS];
	size_t own, others;
};

static uint64_t frames_of(const struct audit_port *p, enum frame_class cls)
{
	return p ? p->at[AUDIT_RECEIVED][cls].all.frames : 0;
}

static struct layers choose(const struct audit_port *before, const struct audit_port *after)
{
	struct layers l = {0};
	uint64_t sum[CLASS_COUNT] = {0};

	for (int cls = 0; cls < CLASS_COUNT; cls++)
		if (compare_class_floods((enum frame_class)cls))
			sum[cls] = frames_of(before, (enum frame_class)cls) + frames_of(after, (enum frame_class)cls);
	for (;;) {
		int most = -1;
		for (int cls = 0; cls < CLASS_COUNT; cls++)
			if (sum[cls] && (most < 0 || sum[cls] > sum[most]))
				most = cls;
		if (most < 0)
			return l;
		if (l.own == SVG_LAYERS - 1)
			l.others++;
		else
			l.classes[l.own++] = (enum frame_class)most;
		sum[most] = 0;
	}
}

static size_t layer_of(const struct layers *l, enum frame_class cls)
{
	size_t i = 0;

	while (i < l->own && l->classes[i] != cls)
		i++;
	return i;
}

/* Slots by layer in frames a second, and the largest sum of a slot. NULL: out of memory. */
static double (*slots(const struct audit_port *p, const struct layers *l, double *ret_most))[SVG_LAYERS]
{
	double(*at)[SVG_LAYERS] = calloc(p->series.count + 1, sizeof(*at));

	for (uint32_t i = 0; at && i < p->series.count; i++) {
		double sum = 0;
		for (int cls = 0; cls < CLASS_COUNT; cls++) {
			double fps = (double)p->series.at[i][cls].frames / p->series.slot_sec;
			if (!compare_class_floods((enum frame_class)cls) || !(fps > 0))
				continue;
			size_t k = layer_of(l, (enum frame_class)cls);
			at[i][k < l->own ? k : SVG_LAYERS - 1] += fps;
			sum += fps;
		}
		*ret_most = sum > *ret_most ? sum : *ret_most;
	}
	return at;
}

static void one_chart(const struct html *h, const struct audit_port *p, const struct layers *l, const char *when, double top, unsigned id,
	double (*at)[SVG_LAYERS])
{
	char title[160], description[320];
	struct svg_layers c = {.title = title, .description = description, .start_ns = p->series.start_ns, .count = p->series.count,
		.slot_sec = p->series.slot_sec, .at = at, .layer_count = l->others ? SVG_LAYERS : l->own, .top = top, .id = id};

	c.length_ns = (int64_t)p->series.count * p->series.slot_sec * NS_PER_SEC;
	for (size_t i = 0; i < SVG_LAYERS; i++)
		c.names[i] = i < l->own ? class_name(l->classes[i]) : "other classes";
	snprintf(title, sizeof(title), "%sport %s: frames per second by class", when, p->name);
	snprintf(description, sizeof(description),
		"Stacked areas. Mean %s frames per second, busiest second %s frames at %s UTC. The table beneath has the figures.",
		FORMAT(fps, audit_fps(p, &p->flood.all)), FORMAT(count, p->flood.peak.frames), FORMAT(clock, p->flood.peak_ns));
	html_put(h->f, "<figure>\n<figcaption>%s<b>%s</b> frames/s to group addresses, <b>%s</b> in the busiest second</figcaption>\n", when,
		FORMAT(fps, audit_fps(p, &p->flood.all)), FORMAT(count, p->flood.peak.frames));
	svg_layers(&c, h->f);
	html_put(h->f, "</figure>\n");
}

static void charts(const struct html *h, const struct audit_port *before, const struct audit_port *after, const struct layers *l)
{
	double most = 0;
	double(*was)[SVG_LAYERS] = before ? slots(before, l, &most) : NULL;
	double(*is)[SVG_LAYERS] = after ? slots(after, l, &most) : NULL;
	double top = svg_scale(most);

	html_put(h->f, "<div class=\"%s\">\n", was && is ? "pair" : "alone");
	if (was)
		one_chart(h, before, l, is ? "Before: " : "", top, 1, was);
	if (is)
		one_chart(h, after, l, was ? "After: " : "", top, 2, is);
	html_put(h->f, "</div>\n");
	free(was);
	free(is);
}

static void three_figures(const struct html *h, const struct audit_port *p, const struct audit_rate *r)
{
	if (p)
		html_put(h->f, "<td class=\"n\">%s</td><td class=\"n\">%s</td><td class=\"n\">%s</td>", FORMAT(count, r->all.frames),
			FORMAT(fps, audit_fps(p, &r->all)), FORMAT(count, r->peak.frames));
}

/* What is flood, too, and not in the chart, so that the figures add up to those of the tables. */
static void legend_stray(const struct html *h, const struct audit_port *before, const struct audit_port *after)
{
	if (!(before && before->stray.all.frames) && !(after && after->stray.all.frames))
		return;
	html_put(h->f, "<tr><th scope=\"row\">unicast that is not its own <span class=\"dim\">(not drawn)</span></th>");
	three_figures(h, before, before ? &before->stray : NULL);
	three_figures(h, after, after ? &after->stray : NULL);
	html_put(h->f, "</tr>\n");
}

static void legend_cells(const struct html *h, const struct audit_port *p, const struct layers *l, size_t layer)
{
	struct audit_rate sum = {0};

	if (!p)
		return;
	if (layer < l->own) {
		sum = p->at[AUDIT_RECEIVED][l->classes[layer]];
	} else {
		for (int cls = 0; cls < CLASS_COUNT; cls++)
			if (compare_class_floods((enum frame_class)cls) && layer_of(l, (enum frame_class)cls) == l->own) {
				const struct audit_rate *r = &p->at[AUDIT_RECEIVED][cls];
				sum.all.frames += r->all.frames;
				sum.peak.frames = r->peak.frames > sum.peak.frames ? r->peak.frames : sum.peak.frames;
			}
	}
	three_figures(h, p, &sum);
}

static void legend(const struct html *h, const struct audit_port *before, const struct audit_port *after, const struct layers *l)
{
#define THREE(when)                                                                                \
	"<th scope=\"col\" class=\"n\">frames</th><th scope=\"col\" class=\"n\"><span class=\"narrow\">" when \
	"</span>mean/s</th><th scope=\"col\" class=\"n\">busiest</th>"

	html_table_begin(h->f, before && after ? "legend two" : "legend", "Classes at this port");
	html_put(h->f, "<thead>");
	if (before && after)
		html_put(h->f, "<tr class=\"groups\"><td></td><th scope=\"colgroup\" colspan=\"3\" class=\"group\">before</th>"
			       "<th scope=\"colgroup\" colspan=\"3\" class=\"group\">after</th></tr>\n");
	html_put(h->f, "<tr><th scope=\"col\">class</th>%r%r</tr></thead>\n<tbody>\n", before ? THREE("before, ") : "",
		after ? THREE("after, ") : "");
	for (size_t i = 0; i < l->own + (l->others > 0); i++) {
		char others[48], k[24];
		snprintf(others, sizeof(others), "%zu other class%s", l->others, l->others == 1 ? "" : "es");
		snprintf(k, sizeof(k), "%zu", i < l->own ? i : SVG_LAYERS - 1);
		html_put(h->f, "<tr><th scope=\"row\"><svg class=\"swatch\" width=\"18\" height=\"14\" aria-hidden=\"true\">"
			       "<rect class=\"layer k%s\" width=\"18\" height=\"14\" fill=\"url(#p%s)\"/></svg> %s</th>",
			k, k, i < l->own ? class_name(l->classes[i]) : others);
		legend_cells(h, before, l, i);
		legend_cells(h, after, l, i);
		html_put(h->f, "</tr>\n");
	}
	legend_stray(h, before, after);
	html_table_end(h->f);
}

/* The port that the head line names, if there is a course of it. */
static const char *port_of(const struct html *h)
{
	const struct facts_grid *g = h->grid;
	size_t most = 0;

	if (!g->count)
		return NULL;
	if (!g->both)
		return g->rows[0].port;
	for (size_t i = 1; i < g->count; i++)
		if (g->rows[i].before[FACTS_ALL].fps > g->rows[most].before[FACTS_ALL].fps)
			most = i;
	return g->failed ? g->rows[0].port : g->rows[most].port;
}

void html_over_time(const struct html *h)
{
	const char *name = port_of(h);
	const struct audit_port *before = name ? facts_port(h->r->before, name) : NULL;
	const struct audit_port *after = name ? facts_port(h->r->books, name) : NULL;

	if (before && !before->series.count)
		before = NULL;
	if (after && !after->series.count)
		after = NULL;
	html_put(h->f, "<section id=\"time\"><h2>Over time</h2>\n");
	if (!before && !after) {
		html_put(h->f, "<p class=\"lead\">No port's course over time was captured.</p></section>\n");
		return;
	}
	struct layers l = choose(before, after);
	html_put(h->f, "<p class=\"lead\">What port <b>%s</b> received to group addresses, by class%s.</p>\n", name,
		before && after ? ", before and after on the same scale" : "");
	charts(h, before, after, &l);
	if (l.own)
		legend(h, before, after, &l);
	html_put(h->f, "</section>\n");
}
