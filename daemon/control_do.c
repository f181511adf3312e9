/* What quelld can be asked to do. Who may: see control_quelld.c. */
#include <errno.h>
#include <string.h>

#include "bgp/speaker.h"
#include "daemon/control_parts.h"
#include "daemon/quelld_lans.h"
#include "daemon/quelld_reload.h"
#include "daemon/reload_show.h"
#include "evpn/lan.h"
#include "lib/log.h"

/* The neighbour that is meant; NULL: the error is sent. */
static struct neighbor *neighbor_of(
	struct control_quelld *c, struct jsonsock *s, const json_t *request)
{
	const char *text = json_string_value(json_object_get(request, "neighbor"));
	struct neighbor *n = NULL;
	struct ip ip;

	if (!text || ip_parse(text, &ip) < 0)
		jsonsock_send_error(s, "neighbor: expected an address");
	else if (!(n = speaker_find_neighbor(c->q->speaker, ip, NULL)))
		jsonsock_send_error(s, "no such neighbor");
	return n;
}

/* RFC 9003: 255 octets. false: the error is sent. */
static bool read_message(struct jsonsock *s, const json_t *request, const char **ret)
{
	const json_t *message = json_object_get(request, "message");

	*ret = json_string_value(message);
	if (!message || (*ret && strlen(*ret) <= 255))
		return true;
	jsonsock_send_error(s, "message: expected a text of at most 255 octets");
	return false;
}

static void done(struct jsonsock *s, const json_t *request)
{
	log_notice(LOG_BGP, "%s: %s, asked by uid %u",
		json_string_value(json_object_get(request, "neighbor")),
		json_string_value(json_object_get(request, "do")), jsonsock_peer(s).uid);
	jsonsock_send(s, json_pack("{s:b}", "ok", 1));
}

static void do_refresh(struct control_quelld *c, struct jsonsock *s, const json_t *request)
{
	struct neighbor *n = neighbor_of(c, s, request);

	if (!n)
		return;
	switch (speaker_refresh(c->q->speaker, n, loop_now_ms())) {
	case 0:
		done(s, request);
		break;
	case -ENOTCONN:
		jsonsock_send_error(s, "the session is not established");
		break;
	default:
		jsonsock_send_error(s, "the neighbor does not know route refresh");
	}
}

static void do_reset(struct control_quelld *c, struct jsonsock *s, const json_t *request)
{
	struct neighbor *n = neighbor_of(c, s, request);
	const json_t *hard = json_object_get(request, "hard");
	const char *message;

	if (!n || !read_message(s, request, &message))
		return;
	if (hard && !json_is_boolean(hard)) {
		jsonsock_send_error(s, "hard: expected true or false");
		return;
	}
	speaker_reset_neighbor(
		c->q->speaker, n, BGP_CEASE_RESET, message, json_is_true(hard), loop_now_ms());
	done(s, request);
}

static void shut_down(
	struct control_quelld *c, struct jsonsock *s, const json_t *request, bool down)
{
	struct neighbor *n = neighbor_of(c, s, request);
	const char *message;

	if (!n || !read_message(s, request, &message))
		return;
	switch (speaker_shutdown_neighbor(c->q->speaker, n, down, message, loop_now_ms())) {
	case 0:
		done(s, request);
		break;
	case -EALREADY:
		jsonsock_send_error(s, down ? "it is shut down" : "it is not shut down");
		break;
	default:
		jsonsock_send_error(s, "not for a dynamic neighbor: shut its prefix down in the "
				       "configuration");
	}
}

static void do_shutdown(struct control_quelld *c, struct jsonsock *s, const json_t *request)
{
	shut_down(c, s, request, true);
}

static void do_enable(struct control_quelld *c, struct jsonsock *s, const json_t *request)
{
	shut_down(c, s, request, false);
}

static void do_clear_duplicate(struct control_quelld *c, struct jsonsock *s, const json_t *request)
{
	const char *lan = json_string_value(json_object_get(request, "lan")),
		   *text = json_string_value(json_object_get(request, "mac"));
	char buf[MAC_TEXT];
	struct mac mac;

	if (!lan || !text || mac_parse(text, &mac) < 0) {
		jsonsock_send_error(s, "clear-duplicate: expected lan, by name, and mac");
		return;
	}
	if (!lans_find(quelld_lans_table(c->q->lans), lan)) {
		jsonsock_send_error(s, "no such LAN");
		return;
	}
	if (quelld_lans_clear_duplicate(c->q->lans, lan, mac) < 0) {
		jsonsock_send_error(s, "no such duplicate MAC is frozen");
		return;
	}
	mac_format(mac, buf);
	log_notice(LOG_EVPN, "%s: %s: clear-duplicate, asked by uid %u", lan, buf,
		jsonsock_peer(s).uid);
	jsonsock_send(s, json_pack("{s:b}", "ok", 1));
}

static void do_reload(struct control_quelld *c, struct jsonsock *s, const json_t *request)
{
	bool dry_run;

	if (reload_request(request, &dry_run))
		jsonsock_send(s, quelld_reload(c->q, dry_run));
	else
		jsonsock_send_error(s, RELOAD_REQUEST_ERROR);
}

const struct control_row control_dos[] = {
	{"reload", do_reload},
	{"refresh", do_refresh},
	{"reset", do_reset},
	{"shutdown", do_shutdown},
	{"enable", do_enable},
	{"clear-duplicate", do_clear_duplicate},
	{NULL, NULL},
};
