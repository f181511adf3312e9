/* Charts as SVG within HTML. Text in them is of the page's size whatever the width: the outer picture is not scaled, only the areas in
 * it are. Colours are classes k0 - k7 and patterns p0 - p7 of audit/html_style.c. */
#pragma once
#include <stdint.h>
#include <stdio.h>

#define SVG_LAYERS 8

struct svg_layers {
	const char *title, *description; /* ours; escaped all the same */
	int64_t start_ns, length_ns;
	uint32_t count;		   /* slots */
	double slot_sec;
	double (*at)[SVG_LAYERS];  /* [count]: by layer, the first at the bottom; frames a second */
	const char *names[SVG_LAYERS];
	size_t layer_count;
	double top;		   /* of the scale; svg_scale() of the largest */
	unsigned id;		   /* of the picture in its page */
};

/* The next figure that reads well above it: 1, 2, 2.5 or 5 by a power of ten. */
double svg_scale(double most);
void svg_layers(const struct svg_layers *c, FILE *f);
/* A bar of a share of the box that it stands in. `class` "flood": its colour. */
void svg_bar(FILE *f, double share, const char *class);
