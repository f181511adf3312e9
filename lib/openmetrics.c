/* OpenMetrics 1.0: https://github.com/OpenObservability/OpenMetrics, and Prometheus' text format 0.0.4. The older one names a
 * counter's family as its samples (with _total), has neither units nor an info type, and takes `# EOF` for a comment. */
#include "lib/openmetrics.h"

#include "lib/text.h"

const char *const openmetrics_content_type[] = {
	[METRICS_OPENMETRICS] = "application/openmetrics-text; version=1.0.0; charset=utf-8",
	[METRICS_PROMETHEUS] = "text/plain; version=0.0.4; charset=utf-8",
};

#define REPLACEMENT "\xef\xbf\xbd" /* U+FFFD */

static const char *suffix_of(enum openmetrics_type t)
{
	return t == METRIC_COUNTER ? "_total" : t == METRIC_INFO ? "_info" : "";
}

static void put_head(struct openmetrics *m, const char *what)
{
	textbuf_put(m->out, "# ");
	textbuf_put(m->out, what);
	textbuf_put(m->out, " ");
	textbuf_put(m->out, m->family->name);
	if (m->form == METRICS_PROMETHEUS)
		textbuf_put(m->out, suffix_of(m->family->type));
	textbuf_put(m->out, " ");
}

static const char *type_name(const struct openmetrics *m)
{
	static const char *const names[] = {[METRIC_GAUGE] = "gauge",
		[METRIC_COUNTER] = "counter",
		[METRIC_INFO] = "info",
		[METRIC_HISTOGRAM] = "histogram"};

	if (m->form == METRICS_PROMETHEUS && m->family->type == METRIC_INFO)
		return "gauge";
	return names[m->family->type];
}

void openmetrics_family(struct openmetrics *m, const struct openmetrics_family *f)
{
	m->family = f;
	put_head(m, "TYPE");
	textbuf_put(m->out, type_name(m));
	textbuf_put(m->out, "\n");
	if (f->unit && m->form == METRICS_OPENMETRICS) {
		put_head(m, "UNIT");
		textbuf_put(m->out, f->unit);
		textbuf_put(m->out, "\n");
	}
	put_head(m, "HELP");
	textbuf_put(m->out, f->help);
	textbuf_put(m->out, "\n");
}

void openmetrics_sample(struct openmetrics *m)
{
	textbuf_put(m->out, m->family->name);
	textbuf_put(m->out, suffix_of(m->family->type));
	m->labelled = false;
}

void openmetrics_sample_of(struct openmetrics *m, const char *part)
{
	openmetrics_sample(m);
	textbuf_put(m->out, "_");
	textbuf_put(m->out, part);
}

static void put_escaped(struct textbuf *out, const char *value)
{
	while (*value) {
		size_t plain = 0, len;
		while (value[plain] && value[plain] != '"' && value[plain] != '\\' && value[plain] != '\n' &&
			(len = text_utf8(value + plain)) > 0)
			plain += len;
		textbuf_add(out, value, plain);
		value += plain;
		if (!*value)
			return;
		if (*value == '\n')
			textbuf_put(out, "\\n");
		else if (*value == '"' || *value == '\\')
			textbuf_add(out, (char[]){'\\', *value}, 2);
		else
			textbuf_put(out, REPLACEMENT);
		value++;
	}
}

void openmetrics_label(struct openmetrics *m, const char *name, const char *value)
{
	textbuf_put(m->out, m->labelled ? "," : "{");
	m->labelled = true;
	textbuf_put(m->out, name);
	textbuf_put(m->out, "=\"");
	put_escaped(m->out, value);
	textbuf_put(m->out, "\"");
}

static void put_value(struct openmetrics *m, uint64_t n, unsigned places)
{
	uint64_t unit = 1;

	for (unsigned i = 0; i < places; i++)
		unit *= 10;
	textbuf_put(m->out, m->labelled ? "} " : " ");
	textbuf_number(m->out, n / unit);
	if (n % unit)
		textbuf_printf(m->out, ".%0*llu", (int)places, (unsigned long long)(n % unit));
	textbuf_put(m->out, "\n");
}

void openmetrics_value(struct openmetrics *m, uint64_t n)
{
	put_value(m, n, 0);
}

void openmetrics_ms(struct openmetrics *m, uint64_t ms)
{
	put_value(m, ms, 3);
}

void openmetrics_ns(struct openmetrics *m, uint64_t ns)
{
	put_value(m, ns, 9);
}

void openmetrics_end(struct openmetrics *m)
{
	textbuf_put(m->out, "# EOF\n");
}
