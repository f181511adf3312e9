/* The ports: what each received, by class as a matrix, and what was captured there. */
#include "audit/html.h"

#include "audit/format.h"
#include "proxyarp/verdict.h"

#define MATRIX_CLASSES 9 /* columns of their own; the rest is one */

static size_t rows_shown(const struct html *h)
{
	size_t rows = h->top < 40 ? 40 : h->top; /* a small exchange sees all of its ports */

	return h->grid->count < rows ? h->grid->count : rows;
}

static void cell(const struct html *h, const struct compare_cell *c)
{
	html_put(h->f, "<td class=\"n\"><b>%s</b></td><td class=\"n\">%s</td><td class=\"n\">%s</td>", FORMAT(fps, c->fps),
		FORMAT(fps, c->peak_fps), FORMAT(bps, c->bps));
}

void html_ports(const struct html *h)
{
	/* A phone shows only the first of each three, and says which it is. */
#define THREE(when)                                                                                \
	"<th scope=\"col\" class=\"n\"><span class=\"narrow\">" when "</span>frames/s</th>"            \
	"<th scope=\"col\" class=\"n\">busiest</th><th scope=\"col\" class=\"n\">bandwidth</th>"
	const struct facts_grid *g = h->grid;
	const struct audit *a = h->r->books ? h->r->books : h->r->before;

	html_put(h->f, "<section id=\"ports\"><h2>%s</h2>\n<p class=\"lead\">Flood: frames that were not for that port alone%s.</p>\n",
		h->r->member ? "What your port received" : "What each port received",
		g->both && !h->r->member ? ". Ports that fail come first" : "");
	if (!g->count) {
		html_put(h->f, "<p class=\"lead\">No port was captured.</p></section>\n");
		return;
	}
	html_table_begin(h->f, g->both ? "ports two" : "ports", "Flood by port");
	html_put(h->f, "<thead>");
	if (g->both)
		html_put(h->f, "<tr class=\"groups\"><td colspan=\"2\"></td><th scope=\"colgroup\" colspan=\"3\" class=\"group\">before</th>"
			       "<th scope=\"colgroup\" colspan=\"3\" class=\"group\">after</th><td colspan=\"2\"></td></tr>\n");
	html_put(h->f, "<tr><th scope=\"col\">port</th><th scope=\"col\">member</th>%r%r%r</tr></thead>\n<tbody>\n",
		g->both ? THREE("before, ") : THREE(""), g->both ? THREE("after, ") : "",
		g->both ? "<th scope=\"col\" class=\"n\">suppressed</th><th scope=\"col\">verdict</th>" : "");
	for (size_t i = 0; i < rows_shown(h); i++) {
		const struct facts_row *row = &g->rows[i];
		html_put(h->f, "<tr><th scope=\"row\">%s</th><td class=\"who\">", row->port);
		html_owner(h->f, a, row->who);
		html_put(h->f, "</td>");
		if (g->both)
			cell(h, &row->before[FACTS_ALL]);
		cell(h, &row->after[FACTS_ALL]);
		if (g->both) {
			html_put(h->f, "<td class=\"n\">%s</td><td>", FORMAT(share, row->suppressed));
			html_verdict(h->f, row->pass ? AUDIT_PASS : AUDIT_FAIL);
			html_put(h->f, "</td>");
		}
		html_put(h->f, "</tr>\n");
	}
	html_table_end(h->f);
	html_more(h->f, g->count - rows_shown(h), "ports");
	html_put(h->f, "</section>\n");
}

/* --- the matrix --- */

/* Shades by powers of ten: a tenth of a frame a second is a trace, a thousand a flood. */
static int shade(double fps)
{
	return !(fps > 0) ? 0 : fps < 0.1 ? 1 : fps < 1 ? 2 : fps < 10 ? 3 : fps < 100 ? 4 : fps < 1000 ? 5 : 6;
}

static void heat(const struct html *h, double was, double is)
{
	char class[16];

	html_put(h->f, "<td>");
	if (h->grid->both) {
		snprintf(class, sizeof(class), "h%d", shade(was));
		html_put(h->f, "<span class=\"%s\">%s</span>", class, FORMAT(fps, was));
	}
	snprintf(class, sizeof(class), "h%d is", shade(is));
	html_put(h->f, "<span class=\"%s\">%s</span></td>", class, FORMAT(fps, is));
}

static size_t columns(const struct facts_grid *g)
{
	return g->class_count <= MATRIX_CLASSES + 1 ? g->class_count : MATRIX_CLASSES;
}

static void matrix_row(const struct html *h, const struct facts_row *row)
{
	const struct facts_grid *g = h->grid;

	html_put(h->f, "<tr><th scope=\"row\">%s</th>", row->port);
	heat(h, row->before[FACTS_ALL].fps, row->after[FACTS_ALL].fps);
	for (size_t k = 0; k < columns(g); k++)
		heat(h, row->before[g->classes[k]].fps, row->after[g->classes[k]].fps);
	if (facts_has_rest(g, columns(g)))
		heat(h, facts_rest(g, row->before, columns(g)), facts_rest(g, row->after, columns(g)));
	html_put(h->f, "</tr>\n");
}

/* The ports that have no row, as one: their mean. */
static void matrix_others(const struct html *h, size_t from)
{
	static const struct facts_row none;
	struct facts_row mean = none;
	const struct facts_grid *g = h->grid;
	double count = (double)(g->count - from);
	char name[64];

	for (size_t i = from; i < g->count; i++)
		for (int k = 0; k <= FACTS_ALL; k++) {
			mean.before[k].fps += g->rows[i].before[k].fps / count;
			mean.after[k].fps += g->rows[i].after[k].fps / count;
		}
	snprintf(name, sizeof(name), "%s others, mean", FORMAT(count, g->count - from));
	mean.port = name;
	matrix_row(h, &mean);
}

void html_matrix(const struct html *h)
{
	const struct facts_grid *g = h->grid;

	html_put(h->f, "<section id=\"classes\"><h2>Ports by class</h2>\n<p class=\"lead\">Frames a second on average, by what they are. %s "
		       "The darker, the more: each shade is ten times the one before.</p>\n",
		g->both ? "Above: before; beneath: after." : "");
	html_table_begin(h->f, "matrix", "Flood by port and class");
	html_put(h->f, "<thead><tr><th scope=\"col\">port</th><th scope=\"col\">all</th>");
	for (size_t k = 0; k < columns(g); k++)
		html_put(h->f, "<th scope=\"col\">%s</th>", class_name(g->classes[k]));
	if (facts_has_rest(g, columns(g)))
		html_put(h->f, "<th scope=\"col\">others</th>");
	html_put(h->f, "</tr></thead>\n<tbody>\n");
	for (size_t i = 0; i < rows_shown(h); i++)
		matrix_row(h, &g->rows[i]);
	if (g->count > rows_shown(h))
		matrix_others(h, rows_shown(h));
	html_table_end(h->f);
	html_put(h->f, "</section>\n");
}

/* --- what was captured --- */

static void files(const struct html *h, const char *what, const char *const *names, size_t count)
{
	size_t shown = count < h->top ? count : h->top;

	if (!count)
		return;
	html_put(h->f, "<p>%s: ", what);
	for (size_t i = 0; i < shown; i++)
		html_put(h->f, "%s<code>%s</code>", i ? ", " : "", names[i]);
	if (count > shown)
		html_put(h->f, " and %s more", FORMAT(count, count - shown));
	html_put(h->f, "</p>\n");
}

static void totals(const struct html *h, const struct audit *a)
{
	html_put(h->f, "<p><b>%s</b> frames, %s, from %s to %s UTC. %s were cut short so far that their class could not be told.",
		FORMAT(count, a->frames), FORMAT(octets, a->octets), FORMAT(time, a->first_ns), FORMAT(time, a->last_ns),
		FORMAT(count, a->cut));
	if (a->vxlan || a->other_vni)
		html_put(h->f, " %s came in VXLAN; %s of other networks were left out.", FORMAT(count, a->vxlan),
			FORMAT(count, a->other_vni));
	if (h->r->dropped && a == h->r->books)
		html_put(h->f, " <b>%s</b> were lost while capturing.", FORMAT(count, h->r->dropped));
	html_put(h->f, "</p>\n");
}

static void vantages(const struct html *h, const struct audit *a)
{
	size_t shown = a->port_count < h->top ? a->port_count : h->top;

	totals(h, a);
	html_table_begin(h->f, "captured", "Captures by port");
	html_put(h->f, "<thead><tr><th scope=\"col\">port</th><th scope=\"col\">member</th><th scope=\"col\">from (UTC)</th>"
		       "<th scope=\"col\">for</th><th scope=\"col\" class=\"n\">received</th><th scope=\"col\" class=\"n\">sent by it</th>"
		       "<th scope=\"col\" class=\"n\">not its own</th></tr></thead>\n<tbody>\n");
	for (size_t i = 0; i < shown; i++) {
		const struct audit_port *p = &a->ports[i];
		html_put(h->f, "<tr><th scope=\"row\">%s</th><td class=\"who\">", p->name);
		html_owner(h->f, a, p->registered);
		html_put(h->f, "</td><td class=\"t\">%s</td><td class=\"t\">%s</td><td class=\"n\">%s</td><td class=\"n\">%s</td><td "
			       "class=\"n\">%s</td></tr>\n",
			FORMAT(time, p->first_ns), FORMAT(duration, p->last_ns - p->first_ns),
			FORMAT(count, p->total[AUDIT_RECEIVED].all.frames), FORMAT(count, p->total[AUDIT_SENT].all.frames),
			FORMAT(count, p->stray.all.frames));
	}
	html_table_end(h->f);
	html_more(h->f, a->port_count - shown, "ports");
}

void html_captured(const struct html *h)
{
	const struct audit_report *r = h->r;

	html_put(h->f, "<section id=\"captured\"><h2>What was captured</h2>\n");
	if (r->before) {
		html_put(h->f, "<h3>Before</h3>\n");
		files(h, "Files", r->before_files, r->before_file_count);
		vantages(h, r->before);
	}
	if (r->books) {
		if (r->before)
			html_put(h->f, "<h3>After</h3>\n");
		files(h, "Files", r->files, r->file_count);
		vantages(h, r->books);
	}
	html_put(h->f, "</section>\n");
}
