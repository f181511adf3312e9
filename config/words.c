#include "config/words.h"

#include <stddef.h>

#include "config/config.h"
#include "proxyarp/verdict.h"

const struct convert_word config_plane_words[] = {
	{"bpf", 0},
	{"packet", 1},
	{"null", 2},
	{NULL, 0},
};

/* config/ does not know bgp/: daemon/quelld_neighbors.c and daemon/bmp_client.c assert these and those
 * below. */
const struct convert_word config_role_words[] = {
	{"provider", 1},
	{"rs", 2},
	{"rs-client", 3},
	{"customer", 4},
	{"peer", 5},
	{NULL, 0},
};

const struct convert_word config_add_path_words[] = {
	{"off", 0},
	{"receive", 1},
	{"send", 2},
	{"both", 3},
	{NULL, 0},
};

const struct convert_word config_profile_words[] = {
	{"standard", 0},
	{"conservative", 1},
	{NULL, 0},
};

const struct convert_word config_bmp_policy_words[] = {
	{"pre", 1},
	{"post", 2},
	{"both", 3},
	{NULL, 0},
};

const struct convert_word config_unknown_words[] = {
	{"drop", UNKNOWN_DROP},
	{"sponge", UNKNOWN_SPONGE},
	{"police", UNKNOWN_POLICE},
	{"flood", UNKNOWN_FLOOD},
	{NULL, 0},
};

const struct convert_word config_ns_option_words[] = {
	{"reply", NS_OPTION_REPLY},
	{"discard", NS_OPTION_DISCARD},
	{"forward", NS_OPTION_FORWARD},
	{"unicast-forward", NS_OPTION_UNICAST},
	{NULL, 0},
};

const struct convert_word config_unregistered_words[] = {{"closed", 0}, {"learn", 1}, {NULL, 0}};

const struct convert_word config_accelerate_words[] = {{"off", 0}, {"xdp", 1}, {NULL, 0}};

const struct convert_word config_action_words[] = {
	{"off", ACTION_OFF},
	{"count", ACTION_COUNT},
	{"drop", ACTION_DROP},
	{"alarm", ACTION_ALARM},
	{NULL, 0},
};

const struct convert_word config_gratuitous_words[] = {{"absorb", 0}, {"flood", 1}, {NULL, 0}};

const struct convert_word config_override_words[] = {{"new", 0}, {"ignore", 1}, {NULL, 0}};

const struct convert_word config_mac_list_words[] = {{"wait", 0}, {"first", 1}, {NULL, 0}};

const struct convert_word config_registry_routes_words[] = {
	{"flag", REGISTRY_ROUTES_FLAG},
	{"refuse", REGISTRY_ROUTES_REFUSE},
	{"off", REGISTRY_ROUTES_OFF},
	{NULL, 0},
};

const struct convert_word config_dead_words[] = {
	{"answer", CONFIG_DEAD_ANSWER},
	{"silent", CONFIG_DEAD_SILENT},
	{"sponge", CONFIG_DEAD_SPONGE},
	{NULL, 0},
};

const struct convert_word config_announce_words[] = {
	{"changes", CONFIG_ANNOUNCE_CHANGES},
	{"all", CONFIG_ANNOUNCE_ALL},
	{"off", CONFIG_ANNOUNCE_OFF},
	{NULL, 0},
};

const struct convert_word config_route_type_words[] = {
	{"ad", 1},
	{"mac-ip", 2},
	{"imet", 3},
	{"es", 4},
	{"ip-prefix", 5},
	{"smet", 6},
	{"join-sync", 7},
	{"leave-sync", 8},
	{NULL, 0},
};

const struct convert_word config_unknown_type_words[] = {{"relay", 1}, {"discard", 0}, {NULL, 0}};

const struct convert_word config_duplicate_words[] = {
	{"freeze", DUPLICATE_FREEZE},
	{"alarm", DUPLICATE_ALARM},
	{"off", DUPLICATE_OFF},
	{NULL, 0},
};

const struct convert_word config_ixf_words[] = {
	{"off", CONFIG_IXF_OFF},
	{"0.6", CONFIG_IXF_0_6},
	{"0.7", CONFIG_IXF_0_7},
	{"1.0", CONFIG_IXF_1_0},
	{NULL, 0},
};
