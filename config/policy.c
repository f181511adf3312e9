/* What ports do with frames: `rules`, `flood`, `police` and their like, said for a LAN and again for ports where something else
 * holds. A key of a port's takes the place of the same key of the LAN's; of `rules` each rule does. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/parts.h"
#include "config/words.h"
#include "proxyarp/verdict.h"

static void rules(struct convert *cv, const struct raw_rules *raw, struct config_policy *p)
{
	for (int r = 1; raw && r < RULE_COUNT; r++) {
		int action = (int)RULE_ACTION(p->rules, r);
		convert_word(cv, rule_name(r), raw->action[r], config_action_words, &action);
		p->rules = RULE_SET(p->rules, r, action);
	}
}

static void flood(struct convert *cv, const struct raw_policy *raw, struct config_policy *p)
{
	uint64_t classes = 0;
	int announcements = 0;
	char key[24];

	for (uint32_t i = 0; i < raw->flood.count; i++) {
		const char *text = raw->flood.items[i];
		int cls = class_find(text);
		snprintf(key, sizeof(key), "flood[%u]", i);
		if (cls >= 0 && class_rule((enum frame_class)cls) == RULE_NONE && !(CLASS_BIT(cls) & CONFIG_GRATUITOUS))
			convert_error(cv, key, "'%s': nothing that this list is asked about: requests flood by unknown-target, and "
					       "the rest of it goes to one owner", text);
		else if (cls >= 0)
			classes |= CLASS_BIT(cls);
		else if (strcmp(text, "none") != 0)
			convert_error(cv, key, "'%s': not a class of frames", text);
	}
	if (raw->flood.count)
		p->flood_classes = classes;
	convert_word(cv, "gratuitous", raw->gratuitous, config_gratuitous_words, &announcements);
	if (raw->gratuitous && announcements)
		p->flood_classes |= CONFIG_GRATUITOUS;
	else if (raw->gratuitous)
		p->flood_classes &= ~CONFIG_GRATUITOUS;
}

static void police(struct convert *cv, const struct raw_police *raw, struct config_policy *p)
{
	struct layout_policer *in = p->police[DIR_IN], *out = p->police[DIR_OUT];

	memset(p->police, 0, sizeof(p->police));
	convert_policer(cv, "in", raw->in, &in[POLICE_ALL]);
	convert_policer(cv, "known", raw->known, &in[POLICE_KNOWN]);
	convert_policer(cv, "exchange", raw->exchange, &in[POLICE_EXCHANGE]);
	convert_policer(cv, "unknown", raw->unknown, &in[POLICE_UNKNOWN]);
	convert_policer(cv, "announcements", raw->announcements, &in[POLICE_ANNOUNCE]);
	convert_policer(cv, "other", raw->other, &in[POLICE_OTHER]);
	convert_policer(cv, "out", raw->out, &out[POLICE_ALL]);
	convert_policer(cv, "out-requests", raw->out_requests, &out[POLICE_UNKNOWN]);
	convert_policer(cv, "out-announcements", raw->out_announcements, &out[POLICE_ANNOUNCE]);
	convert_policer(cv, "out-other", raw->out_other, &out[POLICE_OTHER]);
	convert_policer(cv, "fabric", raw->fabric, &p->police_fabric);
}

void config_policy(
	struct convert *cv, const char *at, const struct raw_policy *raw, struct config_policy *p)
{
	const struct layout_policer *in = p->police[DIR_IN];

	convert_at(cv, "%s.rules", at);
	rules(cv, raw->rules, p);
	convert_at(cv, "%s.police", at);
	if (raw->police)
		police(cv, raw->police, p);
	convert_at(cv, "%s", at);
	flood(cv, raw, p);
	convert_word(cv, "unknown-target", raw->unknown_target, config_unknown_words,
		&p->unknown_target);
	convert_word(cv, "ns-option", raw->ns_option, config_ns_option_words, &p->ns_option);
	convert_word(cv, "accelerate", raw->accelerate, config_accelerate_words, &p->accelerate);
	convert_flag(raw->unicast_forward, &p->unicast_forward);
	convert_flag(raw->dry_run, &p->dry_run);
	if (p->unknown_target == UNKNOWN_POLICE && !in[POLICE_ALL].rate && !in[POLICE_UNKNOWN].rate)
		convert_error(cv, "unknown-target",
			"police needs a rate: police: {unknown: 100 pps}");
}
