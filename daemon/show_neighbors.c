#include "daemon/show_neighbors.h"

#include <stdio.h>
#include <stdlib.h>

#include "bgp/speaker.h"
#include "daemon/jsontext.h"
#include "daemon/loop.h"

struct show_neighbors {
	const struct speaker *s;
	size_t place;
	bool begun;
};

struct show_neighbors *show_neighbors_start(const struct speaker *s)
{
	struct show_neighbors *q = calloc(1, sizeof(*q));

	if (q)
		q->s = s;
	return q;
}

/* Numbers by word; those that are 0 are left out. */
static void write_refused(struct jsontext *out, const struct speaker *s, const struct neighbor_view *v)
{
	jsontext_open(out, "refused", '{');
	for (unsigned i = 1; i < REFUSED_MAX; i++)
		if (v->refused[i])
			jsontext_number(out, speaker_reason(s, (uint8_t)i), v->refused[i]);
	jsontext_close(out, '}');
}

static void write_by_type(struct jsontext *out, const char *key, const uint32_t by_class[BGP_CLASSES])
{
	char type[12];

	jsontext_open(out, key, '{');
	for (unsigned i = 0; i < BGP_CLASSES; i++) {
		if (!by_class[i])
			continue;
		snprintf(type, sizeof(type), "%u", i);
		jsontext_number(out, i == BGP_CLASSES - 1 ? "other" : type, by_class[i]);
	}
	jsontext_close(out, '}');
}

/* What it is; then, in the order of struct neighbor_view, what came and went, and what was agreed on. */
static void write_who(struct jsontext *out, const struct neighbor_view *v)
{
	char id[IP_TEXT];
	uint64_t now = loop_now_ms();

	jsontext_ip(out, "address", v->address);
	jsontext_ip(out, "local", v->local);
	jsontext_string(out, "name", v->name ? v->name : "");
	jsontext_string(out, "state", v->state);
	jsontext_number(out, "remote_as", v->remote_as);
	jsontext_string(out, "router_id", ip_format(ip_v4_u32(v->router_id), id));
	jsontext_bool(out, "dynamic", v->dynamic);
	jsontext_bool(out, "client", v->client);
	jsontext_bool(out, "passive", v->passive);
	jsontext_bool(out, "shutdown", v->shutdown);
	jsontext_bool(out, "ibgp", v->ibgp);
	jsontext_number(out, "since_s", now > v->since_ms ? (now - v->since_ms) / 1000 : 0);
	jsontext_number(out, "hold_sec", v->hold_sec);
}

static void write_counts(
	struct jsontext *out, const struct speaker *s, const struct neighbor_view *v)
{
	jsontext_number(out, "msgs_in", v->msgs_in);
	jsontext_number(out, "msgs_out", v->msgs_out);
	jsontext_number(out, "updates_in", v->updates_in);
	jsontext_number(out, "updates_out", v->updates_out);
	jsontext_number(out, "octets_in", v->octets_in);
	jsontext_number(out, "octets_out", v->octets_out);
	jsontext_number(out, "routes_in", v->routes_in);
	jsontext_number(out, "routes_stale", v->routes_stale);
	jsontext_number(out, "routes_out", v->routes_out);
	jsontext_number(out, "routes_refused", v->routes_refused);
	write_by_type(out, "routes_by_type", v->routes_by_class);
	jsontext_number(out, "max_routes", v->max_routes);
	write_by_type(out, "max_by_type", v->max_by_class);
	write_refused(out, s, v);
	jsontext_number(out, "treat_as_withdraw", v->treat_as_withdraw);
	jsontext_number(out, "attr_discard", v->attr_discard);
	jsontext_number(out, "nlri_discard", v->nlri_discard);
	jsontext_number(out, "nlri_withdraw", v->nlri_withdraw);
	jsontext_number(out, "withheld", v->withheld);
	jsontext_number(out, "queued_octets", v->queued_octets);
	jsontext_number(out, "flaps", v->flaps);
}

static void write_agreed(struct jsontext *out, const struct neighbor_view *v)
{
	jsontext_bool(out, "gr", v->gr);
	jsontext_bool(out, "extended_message", v->extended_message);
	jsontext_bool(out, "as4", v->as4);
	jsontext_bool(out, "enhanced_refresh", v->enhanced_refresh);
	jsontext_bool(out, "add_path_in", v->add_path_in);
	jsontext_bool(out, "add_path_out", v->add_path_out);
	jsontext_bool(out, "rt_constrain", v->rt_constrain);
	jsontext_number(out, "memberships_in", v->memberships_in);
	jsontext_bool(out, "long_lived", v->long_lived);
	jsontext_bool(out, "conservative", v->conservative);
	jsontext_string(out, "role", v->role ? v->role : "");
	jsontext_string(out, "peer_role", v->peer_role ? v->peer_role : "");
	jsontext_string(out, "last_error", v->last_error);
}

static void write_one(struct jsontext *out, const struct speaker *s, const struct neighbor *n)
{
	struct neighbor_view v;

	neighbor_view(n, &v);
	jsontext_open(out, NULL, '{');
	write_who(out, &v);
	write_counts(out, s, &v);
	write_agreed(out, &v);
	jsontext_close(out, '}');
}

bool show_neighbors_write(struct show_neighbors *q, struct jsontext *out, size_t octets)
{
	size_t stop = out->text.len + octets;
	const struct neighbor *n;

	if (!q->begun) {
		jsontext_open(out, NULL, '{');
		jsontext_open(out, "neighbors", '[');
		q->begun = true;
	}
	while ((n = speaker_neighbor_from(q->s, &q->place)) != NULL) {
		write_one(out, q->s, n);
		if (out->text.len >= stop)
			return true;
	}
	jsontext_close(out, ']');
	jsontext_close(out, '}');
	return false;
}

void show_neighbors_free(struct show_neighbors *q)
{
	free(q);
}
