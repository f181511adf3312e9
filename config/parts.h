/* The parts of the file, one converter each; config.c calls them in the order of the file. */
#pragma once
#include "config/config.h"
#include "config/convert.h"
#include "config/schema.h"

void config_bgp(struct convert *cv, const struct raw_bgp *raw, struct config *c);
void config_bgp_free(struct config *c);
/* After the LANs: route targets may be said by their VNIs. */
void config_imports(struct convert *cv, const struct raw_bgp *raw, struct config *c);
void config_import_free(struct config_import *im);
void config_lans(struct convert *cv, const struct raw_config *raw, struct config *c);
void config_lans_free(struct config *c);
/* `at`: the LAN's place, "lans[0]". */
struct config_agent *config_agent(
	struct convert *cv, const char *at, uint32_t vni, const struct raw_agent *raw);
/* As if nothing but bridge and vxlan had been said. */
void config_agent_defaults(struct config_agent *a, uint32_t vni);
/* After the LAN's registry. */
void config_fetch(struct convert *cv, const char *at, const struct raw_fetch *raw, struct config_lan *lan);
/* As if nothing had been said. */
void config_fetch_defaults(struct config_fetch *f);
void config_fetch_free(struct config_fetch *f);
/* Over what is there. `at`: the place of `raw`. */
void config_policy(
	struct convert *cv, const char *at, const struct raw_policy *raw, struct config_policy *p);
/* Gratuitous ARP, ARP replies to a group, unsolicited NAs. */
#define CONFIG_GRATUITOUS                                                                          \
	(CLASS_BIT(CLASS_ARP_GRATUITOUS) | CLASS_BIT(CLASS_ARP_REPLY_BCAST) |                      \
		CLASS_BIT(CLASS_NA_UNSOLICITED))
void config_http(struct convert *cv, const struct raw_http *raw, struct config *c);
void config_http_free(struct config *c);
void config_agent_free(struct config_agent *a);
