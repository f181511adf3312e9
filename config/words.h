/* The words of the file and what they stand for, both ways. */
#pragma once
#include "config/convert.h"

extern const struct convert_word config_plane_words[];
extern const struct convert_word config_role_words[];     /* enum bgp_role of bgp/speaker.h */
extern const struct convert_word config_add_path_words[]; /* enum add_path_mode */
extern const struct convert_word config_profile_words[];  /* 1: conservative */
extern const struct convert_word config_bmp_policy_words[]; /* enum bmp_views of bgp/bmp.h */
extern const struct convert_word config_unknown_words[];
extern const struct convert_word config_ns_option_words[];
extern const struct convert_word config_unregistered_words[]; /* 1: learn */
extern const struct convert_word config_route_type_words[];   /* the numbers of EVPN's route types */
extern const struct convert_word config_unknown_type_words[]; /* 1: relay */
extern const struct convert_word config_duplicate_words[];    /* enum config_duplicate */
extern const struct convert_word config_accelerate_words[];   /* 1: xdp */
extern const struct convert_word config_action_words[];       /* enum layout_action */
extern const struct convert_word config_gratuitous_words[];   /* 1: flood */
extern const struct convert_word config_override_words[];     /* 1: ignore */
extern const struct convert_word config_mac_list_words[];
extern const struct convert_word config_registry_routes_words[];     /* 1: first */
extern const struct convert_word config_dead_words[];	      /* enum config_dead_policy */
extern const struct convert_word config_ixf_words[];	      /* enum config_ixf */
extern const struct convert_word config_announce_words[];     /* enum config_announce_on */
