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
struct config_agent *config_agent(struct convert *cv, const char *at, const struct raw_agent *raw);
void config_agent_free(struct config_agent *a);
