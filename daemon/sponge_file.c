/* The sponge's file: see sponge_file.h. What it says is checked again by the sponge, which knows the LAN. */
#include "daemon/sponge_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#define VERSION 1
#define ROWS_MAX 65536
/* A clock that was set meanwhile may be behind what it was. */
#define FUTURE_SEC 60

/* --- write --- */

static json_t *write_row(const struct sponge_file_row *r)
{
	char text[MAC_TEXT > IP_TEXT ? MAC_TEXT : IP_TEXT];
	json_t *askers = json_array(), *o;

	for (uint32_t i = 0; i < r->asker_count; i++)
		json_array_append_new(askers, json_pack("{s:s, s:s}", "port", r->askers[i].port,
						      "mac", mac_format(r->askers[i].mac, text)));
	o = json_pack("{s:s, s:s, s:I, s:I, s:I, s:o}", "ip", ip_format(r->ip, text), "state",
		sponge_state_text(r->state), "age_s", (json_int_t)r->age_sec, "queries",
		(json_int_t)r->queries, "trapped", (json_int_t)r->trapped, "askers", askers);
	if (o && r->asked_sec >= 0)
		json_object_set_new(o, "asked_s", json_integer(r->asked_sec));
	return o;
}

char *sponge_file_write(const struct sponge_file *f, const char *lan, uint64_t wall_sec)
{
	json_t *rows = json_array(), *o;
	char *text;

	for (size_t i = 0; i < f->count; i++)
		json_array_append_new(rows, write_row(&f->rows[i]));
	o = json_pack("{s:i, s:s, s:I, s:o}", "version", VERSION, "lan", lan, "written",
		(json_int_t)wall_sec, "addresses", rows);
	text = o ? json_dumps(o, JSON_COMPACT) : NULL;
	json_decref(o);
	return text;
}

/* --- read --- */

static bool read_count(const json_t *o, const char *key, uint64_t *ret)
{
	const json_t *n = json_object_get(o, key);

	if (!json_is_integer(n) || json_integer_value(n) < 0)
		return false;
	*ret = (uint64_t)json_integer_value(n);
	return true;
}

static bool read_askers(const json_t *list, struct sponge_file_row *ret)
{
	if (!json_is_array(list) || json_array_size(list) > SPONGE_ASKERS)
		return false;
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *a = json_array_get(list, i);
		const char *port = json_string_value(json_object_get(a, "port"));
		const char *mac = json_string_value(json_object_get(a, "mac"));
		struct sponge_file_asker *to = &ret->askers[i];
		if (!port || !mac || strlen(port) >= sizeof(to->port) ||
			mac_parse(mac, &to->mac) < 0 || !mac_is_host(to->mac))
			return false;
		memcpy(to->port, port, strlen(port) + 1);
	}
	ret->asker_count = (uint32_t)json_array_size(list);
	return true;
}

static bool read_row(const json_t *o, struct sponge_file_row *ret)
{
	const char *ip = json_string_value(json_object_get(o, "ip"));
	const char *state = json_string_value(json_object_get(o, "state"));
	uint64_t asked = 0;

	if (!ip || ip_parse(ip, &ret->ip) < 0 || !state)
		return false;
	if (strcmp(state, sponge_state_text(SPONGE_SPONGED)) == 0)
		ret->state = SPONGE_SPONGED;
	else if (strcmp(state, sponge_state_text(SPONGE_STATIC)) == 0)
		ret->state = SPONGE_STATIC;
	else
		return false;
	if (!read_count(o, "age_s", &ret->age_sec) || !read_count(o, "queries", &ret->queries) ||
		!read_count(o, "trapped", &ret->trapped))
		return false;
	ret->asked_sec = -1;
	if (json_object_get(o, "asked_s")) {
		if (!read_count(o, "asked_s", &asked))
			return false;
		ret->asked_sec = (int64_t)asked;
	}
	return read_askers(json_object_get(o, "askers"), ret);
}

static const char *read_rows(const json_t *list, bool stale, struct sponge_file *ret)
{
	size_t n = json_array_size(list);

	if (!json_is_array(list) || n > ROWS_MAX)
		return "no list of addresses";
	ret->rows = calloc(n ? n : 1, sizeof(*ret->rows));
	if (!ret->rows)
		return "out of memory";
	for (size_t i = 0; i < n; i++) {
		struct sponge_file_row *r = &ret->rows[ret->count];
		*r = (struct sponge_file_row){.state = SPONGE_SPONGED};
		if (!read_row(json_array_get(list, i), r))
			return "an address of it is not understood";
		ret->count += !stale || r->state == SPONGE_STATIC;
	}
	return NULL;
}

static const char *read_file(const json_t *o, const char *lan, uint64_t wall_sec,
	struct sponge_file *ret, bool *ret_stale)
{
	const char *name = json_string_value(json_object_get(o, "lan"));
	uint64_t version, written;

	if (!o)
		return "it is no JSON";
	if (!read_count(o, "version", &version) || version != VERSION)
		return "it is of another version";
	if (!name || strcmp(name, lan) != 0)
		return "it is of another LAN";
	if (!read_count(o, "written", &written))
		return "it does not say when it was written";
	ret->age_sec = wall_sec > written ? wall_sec - written : 0;
	*ret_stale = ret->age_sec > SPONGE_FILE_AGE_SEC || written > wall_sec + FUTURE_SEC;
	return read_rows(json_object_get(o, "addresses"), *ret_stale, ret);
}

int sponge_file_read(const char *text, size_t len, const char *lan, uint64_t wall_sec,
	struct sponge_file *ret, const char **ret_why)
{
	struct sponge_file f = {0};
	json_t *o =
		len <= SPONGE_FILE_MAX ? json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL) : NULL;
	bool stale = false;
	const char *why = read_file(o, lan, wall_sec, &f, &stale);

	json_decref(o);
	if (why) {
		sponge_file_free(&f);
		*ret_why = why;
		return -EINVAL;
	}
	*ret = f;
	return stale;
}

void sponge_file_free(struct sponge_file *f)
{
	free(f->rows);
	*f = (struct sponge_file){0};
}
