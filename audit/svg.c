/* Charts as SVG. */
#include "audit/svg.h"

#include "audit/format.h"
#include "audit/html.h"

#define PLOT_HEIGHT 200
#define PLOT_TOP 14 /* room for the label of the topmost line */
#define AXIS_HEIGHT 24
#define TOO_LITTLE 0.015 /* of the scale */
#define WIDTH 600 /* of the areas, in units that are stretched */
#define NS_PER_SEC 1000000000LL

double svg_scale(double most)
{
	static const double steps[] = {1, 1.2, 1.6, 2, 2.4, 3, 4, 5, 6, 8, 10};
	double power = 1;

	if (!(most > 0) || most > 1e15)
		return most > 0 ? most : 1;
	while (power * 10 < most)
		power *= 10;
	while (power > most)
		power /= 10;
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
		if (power * steps[i] >= most)
			return power * steps[i];
	return power * 10;
}

void svg_bar(FILE *f, double share, const char *class)
{
	share = share > 1 ? 1 : share > 0 ? share : 0;
	fprintf(f, "<svg class=\"bar\" width=\"100%%\" height=\"10\" aria-hidden=\"true\"><rect class=\"%s\" width=\"%.1f%%\" height=\"10\" rx=\"2\"/></svg>",
		class, share * 100 < 0.5 && share > 0 ? 0.5 : share * 100);
}

/* Each area reaches down to the ground, the uppermost first, so that the next one covers all but what it is more. */
static void area(const struct svg_layers *c, size_t layer, FILE *f)
{
	double x_unit = (double)WIDTH / (c->count ? c->count : 1);
	double last = -1;

	fprintf(f, "<path class=\"layer k%zu\" fill=\"url(#p%zu)\" d=\"M0 %d", layer, layer, PLOT_HEIGHT);
	for (uint32_t i = 0; i < c->count; i++) {
		double sum = 0;
		for (size_t k = 0; k <= layer; k++)
			sum += c->at[i][k];
		double y = PLOT_HEIGHT - sum / c->top * (PLOT_HEIGHT - PLOT_TOP);
		if (y != last)
			fprintf(f, "H%.4gV%.4g", i * x_unit, y);
		last = y;
	}
	fprintf(f, "H%dV%dZ\"><title>", WIDTH, PLOT_HEIGHT);
	html_put(f, "%s</title></path>\n", c->names[layer]);
}

static void lines(const struct svg_layers *c, FILE *f)
{
	static const double at[] = {0.25, 0.5, 0.75, 1};

	for (size_t i = 0; i < sizeof(at) / sizeof(at[0]); i++) {
		double y = PLOT_HEIGHT - at[i] * (PLOT_HEIGHT - PLOT_TOP);
		fprintf(f, "<line class=\"grid\" x1=\"0\" x2=\"100%%\" y1=\"%.1f\" y2=\"%.1f\"/>\n", y, y);
		if (i % 2)
			fprintf(f, "<text class=\"halo\" x=\"2\" y=\"%.1f\">%s%s</text>\n", y - 3, FORMAT(fps, at[i] * c->top),
				at[i] == 1 ? " frames/s" : "");
	}
	fprintf(f, "<line class=\"axis\" x1=\"0\" x2=\"100%%\" y1=\"%d.5\" y2=\"%d.5\"/>\n", PLOT_HEIGHT, PLOT_HEIGHT);
}

static void times(const struct svg_layers *c, FILE *f)
{
	for (int i = 0; i <= 3; i++)
		fprintf(f, "<text x=\"%.2f%%\" y=\"%d\" text-anchor=\"%s\">%s</text>\n", i * 100.0 / 3, PLOT_HEIGHT + 18,
			i == 0 ? "start" : i == 3 ? "end" : "middle", FORMAT(clock, c->start_ns + c->length_ns / 3 * i));
}

static void note(FILE *f, const char *class, const char *text)
{
	fprintf(f, "<text class=\"%s\" x=\"50%%\" y=\"%d\" text-anchor=\"middle\">%s</text>\n", class, PLOT_HEIGHT - 28, text);
}

void svg_layers(const struct svg_layers *c, FILE *f)
{
	double most = 0;

	for (uint32_t i = 0; i < c->count; i++) {
		double sum = 0;
		for (size_t k = 0; k < c->layer_count; k++)
			sum += c->at[i][k];
		most = sum > most ? sum : most;
	}
	fprintf(f, "<svg class=\"chart\" width=\"100%%\" height=\"%d\" role=\"img\" aria-labelledby=\"t%u d%u\">\n<title id=\"t%u\">",
		PLOT_HEIGHT + AXIS_HEIGHT, c->id, c->id, c->id);
	html_put(f, "%s</title>\n", c->title);
	fprintf(f, "<desc id=\"d%u\">", c->id);
	html_put(f, "%s</desc>\n", c->description);
	fprintf(f, "<svg width=\"100%%\" height=\"%d\" viewBox=\"0 0 %d %d\" preserveAspectRatio=\"none\">\n", PLOT_HEIGHT, WIDTH,
		PLOT_HEIGHT);
	for (size_t k = c->layer_count; k-- && most > 0;)
		area(c, k, f);
	fprintf(f, "</svg>\n");
	lines(c, f);
	times(c, f);
	if (!(most > 0))
		note(f, "zero", "nothing: 0 frames");
	else if (most < c->top * TOO_LITTLE)
		note(f, "little", "too little to be seen on this scale");
	fprintf(f, "</svg>\n");
}
