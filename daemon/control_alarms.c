/* The alarms of the LANs, the latest first. */
#include <time.h>

#include "daemon/control_parts.h"
#include "daemon/jsontext.h"
#include "daemon/quelld_alarms.h"
#include "daemon/quelld_lans.h"

/* What our own clock counts is shown in the world's time. */
static void write_time(struct jsontext *out, const char *key, uint64_t ago_ms)
{
	time_t at = time(NULL) - (time_t)(ago_ms / 1000);
	struct tm tm;
	char text[32] = "";

	if (gmtime_r(&at, &tm))
		strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm);
	jsontext_string(out, key, text);
}

static void write_alarm(struct jsontext *out, const struct quelld_alarm *a, uint64_t now_ms)
{
	char mac[MAC_TEXT];

	jsontext_open(out, NULL, '{');
	write_time(out, "time", now_ms - a->last_ms);
	write_time(out, "first", now_ms - a->first_ms);
	jsontext_number(out, "age_s", (now_ms - a->last_ms) / 1000);
	jsontext_number(out, "count", a->count);
	jsontext_string(out, "lan", a->lan);
	jsontext_string(out, "what", a->what);
	if (mac_is_zero(a->mac))
		jsontext_null(out, "mac");
	else
		jsontext_string(out, "mac", mac_format(a->mac, mac));
	jsontext_ip(out, "ip", a->ip);
	jsontext_ip(out, "vtep", a->vtep);
	jsontext_close(out, '}');
}

void control_answer_alarms(struct control_quelld *c, struct jsonsock *s, const json_t *request)
{
	const struct quelld_alarms *alarms = quelld_lans_alarms(c->q->lans);
	const struct quelld_alarm *a;
	struct jsontext out = {0};

	(void)request;
	jsontext_open(&out, NULL, '{');
	jsontext_number(&out, "total", alarms->total);
	jsontext_open(&out, "alarms", '[');
	for (size_t i = 0; (a = quelld_alarms_at(alarms, i)) != NULL; i++)
		write_alarm(&out, a, loop_now_ms());
	jsontext_close(&out, ']');
	jsontext_close(&out, '}');
	jsonsock_send_text(s, out.text.p, out.text.len);
	jsontext_free(&out);
}
