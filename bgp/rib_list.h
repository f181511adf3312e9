/* The list of a RIB's keys in the order of change; inside of rib.c and rib_list.c only. */
#pragma once
#include "bgp/rib.h"

void rib_list_append(struct rib *r, pool_ref ref);
void rib_list_remove(struct rib *r, pool_ref ref);
/* To the end, with a new version. */
void rib_list_touch(struct rib *r, struct dest *d);
/* The reference by which the list knows a key. */
pool_ref rib_list_ref(const struct rib *r, const struct dest *d);
/* A key that has lost its last path. */
void rib_bury(struct rib *r, struct dest *d);
/* Takes a key without paths out of map, list and pool. */
void rib_dest_free(struct rib *r, struct dest *d, pool_ref ref, struct rib_key key);
