/* The `import` part of a neighbor: what it may send. Said once in `bgp.import` for all, and again with a neighbor for
 * what is different there; a key of the neighbor's takes the place of the same key said for all. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/parts.h"
#include "config/words.h"

static void allow(struct config_import *im, int type)
{
	im->types[type / 8] |= (uint8_t)(1 << type % 8);
}

static int read_type(struct convert *cv, const char *key, const char *text)
{
	char *end;
	long n = strtol(text, &end, 10);

	for (const struct convert_word *w = config_route_type_words; w->word; w++)
		if (strcmp(w->word, text) == 0)
			return w->value;
	if (*end || end == text || n < 1 || n > 255) {
		convert_error(cv, key,
			"'%s': expected ad, mac-ip, imet, es, ip-prefix, smet, join-sync, "
			"leave-sync or 1 - 255",
			text);
		return -EINVAL;
	}
	return (int)n;
}

/* Types that are listed are all that come in, unless it is said that unknown ones do, too. */
static void types(struct convert *cv, const struct raw_import *raw, struct config_import *im)
{
	int relay = 0;
	char key[32];

	convert_word(cv, "unknown-route-types", raw->unknown_route_types, config_unknown_type_words,
		&relay);
	if (raw->types.count)
		memset(im->types, 0, sizeof(im->types));
	for (int t = 0; raw->unknown_route_types && t < 256; t++) {
		if (t >= 1 && t <= CONFIG_TYPE_KNOWN_MAX)
			continue;
		im->types[t / 8] &= (uint8_t) ~(1 << t % 8);
		if (relay)
			allow(im, t);
	}
	for (uint32_t i = 0; i < raw->types.count; i++) {
		snprintf(key, sizeof(key), "types[%u]", i);
		int type = read_type(cv, key, raw->types.items[i]);
		if (type > 0)
			allow(im, type);
	}
}

static void append_rt(struct config_import *im, struct rt_pattern p)
{
	im->rts = realloc(im->rts, (im->rt_count + 1) * sizeof(*im->rts));
	if (!im->rts)
		abort();
	im->rts[im->rt_count++] = p;
}

static void route_targets(struct convert *cv, const struct raw_import *raw, const struct config *c,
	struct config_import *im)
{
	char key[32];

	if (!raw->route_targets.count)
		return;
	free(im->rts);
	im->rts = NULL;
	im->rt_count = 0;
	for (uint32_t i = 0; i < raw->route_targets.count; i++) {
		const char *text = raw->route_targets.items[i];
		struct rt_pattern p = {0};
		snprintf(key, sizeof(key), "route-targets[%u]", i);
		if (strcmp(text, "auto") != 0) {
			if (rt_pattern_parse(text, &p) < 0)
				convert_error(cv, key,
					"'%s': expected a route target such as 65000:100 or "
					"\"*:100\", or auto",
					text);
			append_rt(im, p);
			continue;
		}
		if (!c->lan_count)
			convert_error(cv, key, "auto means the VNIs of lans, and there are none");
		for (uint32_t k = 0; k < c->lan_count; k++)
			append_rt(im, (struct rt_pattern){.vni = c->lans[k].vni});
	}
}

static void vteps(struct convert *cv, const struct raw_import *raw, struct config_import *im)
{
	char key[32];

	if (!raw->vteps.count)
		return;
	free(im->vteps);
	im->vtep_count = raw->vteps.count;
	im->vteps = convert_array(im->vtep_count, sizeof(*im->vteps));
	for (uint32_t i = 0; i < im->vtep_count; i++) {
		struct prefix *p = &im->vteps[i];
		snprintf(key, sizeof(key), "vteps[%u]", i);
		if (ip_parse(raw->vteps.items[i], &p->ip) == 0)
			p->len = p->ip.family == 4 ? 32 : 128;
		else
			convert_prefix(cv, key, raw->vteps.items[i], p);
	}
}

static void limits(struct convert *cv, const struct raw_max *raw, struct config_import *im)
{
	if (!raw)
		return;
	for (unsigned i = 0; i < CONFIG_CLASSES; i++)
		convert_number(cv, "max.other", i < 1 || i > 5 ? raw->other : 0, 1, UINT32_MAX,
			&im->max_by_class[i]);
	convert_number(cv, "max.ad", raw->ad, 1, UINT32_MAX, &im->max_by_class[1]);
	convert_number(cv, "max.mac-ip", raw->mac_ip, 1, UINT32_MAX, &im->max_by_class[2]);
	convert_number(cv, "max.imet", raw->imet, 1, UINT32_MAX, &im->max_by_class[3]);
	convert_number(cv, "max.es", raw->es, 1, UINT32_MAX, &im->max_by_class[4]);
	convert_number(cv, "max.ip-prefix", raw->ip_prefix, 1, UINT32_MAX, &im->max_by_class[5]);
}

static void import(struct convert *cv, const char *at, const struct raw_import *raw,
	const struct config *c, struct config_import *im)
{
	if (!raw)
		return;
	convert_at(cv, "%s.import", at);
	types(cv, raw, im);
	route_targets(cv, raw, c, im);
	vteps(cv, raw, im);
	limits(cv, raw->max, im);
	if (raw->sanity)
		im->sanity = *raw->sanity;
	if (raw->sticky_macs)
		im->sticky_macs = *raw->sticky_macs;
}

static struct config_import copy(const struct config_import *from)
{
	struct config_import im = *from;

	im.rts = convert_array(from->rt_count, sizeof(*im.rts));
	im.vteps = convert_array(from->vtep_count, sizeof(*im.vteps));
	if (im.rt_count)
		memcpy(im.rts, from->rts, from->rt_count * sizeof(*im.rts));
	if (im.vtep_count)
		memcpy(im.vteps, from->vteps, from->vtep_count * sizeof(*im.vteps));
	return im;
}

void config_imports(struct convert *cv, const struct raw_bgp *raw, struct config *c)
{
	struct config_import all = {.sanity = true, .sticky_macs = true};
	char at[40];

	memset(all.types, 0xff, sizeof(all.types));
	import(cv, "bgp", raw->import, c, &all);
	c->import = all;
	for (uint32_t i = 0; i < c->neighbor_count; i++) {
		snprintf(at, sizeof(at), "bgp.neighbors[%u]", i);
		c->neighbors[i].import = copy(&all);
		import(cv, at, raw->neighbors[i].import, c, &c->neighbors[i].import);
	}
}

void config_import_free(struct config_import *im)
{
	free(im->rts);
	free(im->vteps);
}
